//! A report from a table of predictions, as `mgr run` leaves it, or from seeded ones: HTML, Markdown, JSON and CSV.
//!
//! ```text
//! cargo run -p mgr-eval --example report -- OUT_FOLDER [PREDICTIONS.csv]
//! ```
//! The table has columns id, genre, predicted, p_<class>..., and where known fold, artist, and audio (a path as seen from the
//! page).

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use mgr_eval::figure::{Epoch, FoldHistory};
use mgr_eval::report::{Classification, ClipResult, Protocol, RunDescription, render_html, render_markdown};
use mgr_eval::table::{ConfusionLayout, read_predictions_csv, write_confusion_csv, write_measures_csv};

const GENRES: [&str; 10] =
    ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];

fn seeded() -> Classification {
    let mut state = 20_261_121_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let clips = (0..290)
        .map(|index| {
            let class = index % GENRES.len();
            // Five clips an artist; an artist's clips are easy or hard together.
            let hard = if (index / 50 + class).is_multiple_of(4) { 1.2 } else { 2.6 };
            let weights: Vec<f64> = (0..GENRES.len())
                .map(|c| (if c == class { hard } else { 0.0 } + 2.2 * uniform() + 1.2 * uniform()).exp())
                .collect();
            let sum: f64 = weights.iter().sum();
            let scores: Vec<f64> = weights.iter().map(|w| w / sum).collect();
            let predicted = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap_or(0);
            let id = format!("{}.{:05}", GENRES[class], index / GENRES.len());
            let audio = (index % 3 != 0).then(|| "clip #1 & more.wav".to_owned());
            let group = Some(format!("artist {class}-{}", index / 50));
            ClipResult { id, class, predicted, scores, fold: 0, group, audio }
        })
        .collect();
    let epoch = |e: i32| Epoch {
        train_loss: 0.2 + 2.0 * (-0.1 * f64::from(e)).exp(),
        train_accuracy: 0.97 - 0.8 * (-0.09 * f64::from(e)).exp(),
        validation_loss: Some(0.8 + 1.5 * (-0.13 * f64::from(e)).exp() + 0.004 * f64::from(e)),
        validation_accuracy: Some(0.74 - 0.55 * (-0.1 * f64::from(e)).exp()),
    };
    Classification {
        title: "Genre recognition: seeded numbers".to_owned(),
        run: RunDescription {
            dataset: "no music: the numbers are drawn with a seed, to show the page".to_owned(),
            split: "fault-filtered partition, 443 / 197 / 290 clips".to_owned(),
            protocol: "the epoch is chosen on the validation part; each test clip is scored once".to_owned(),
            published: Some(Protocol::GtzanFaultFiltered),
            known_leaks: vec!["The numbers are synthetic and say nothing about music.".to_owned()],
            seeds: vec![20_261_121],
            versions: vec![("mgr".to_owned(), env!("CARGO_PKG_VERSION").to_owned())],
            fingerprints: vec![("clips".to_owned(), "0".repeat(64))],
            command: "cargo run -p mgr-eval --example report -- OUT_FOLDER".to_owned(),
            config: String::new(),
        },
        classes: GENRES.map(str::to_owned).to_vec(),
        clips,
        histories: vec![FoldHistory { epochs: (0..40).map(epoch).collect(), best_epoch: Some(31) }],
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let out = PathBuf::from(arguments.next().ok_or("usage: report OUT_FOLDER [PREDICTIONS.csv]")?);
    let run = match arguments.next().map(PathBuf::from) {
        Some(path) => {
            let read = read_predictions_csv(fs::File::open(&path)?)?;
            Classification {
                title: "Genre recognition".to_owned(),
                classes: read.classes,
                clips: read.clips,
                ..Classification::default()
            }
        }
        None => seeded(),
    };
    let report = run.report()?;
    fs::create_dir_all(out.join("figures"))?;
    for figure in run.figures()? {
        fs::write(out.join("figures").join(format!("{}.svg", figure.name)), &figure.svg)?;
        fs::write(out.join("figures").join(format!("{}.png", figure.name)), &figure.png)?;
    }
    fs::write(out.join("report.html"), render_html(&report))?;
    fs::write(out.join("report.md"), render_markdown(&report, "figures"))?;
    fs::write(out.join("run.json"), serde_json::to_string_pretty(&run)?)?;
    fs::write(out.join("measures.json"), serde_json::to_string_pretty(&run.measures()?)?)?;
    write_measures_csv(fs::File::create(out.join("measures.csv"))?, &run.measures()?)?;
    let matrix = run.confusion()?;
    write_confusion_csv(
        fs::File::create(out.join("confusion.csv"))?,
        &matrix,
        &run.classes,
        ConfusionLayout::Named,
    )?;
    let bare = fs::File::create(out.join("temp_confusion.csv"))?;
    write_confusion_csv(bare, &matrix, &run.classes, ConfusionLayout::Bare)?;
    println!("{}", out.join("report.html").display());
    Ok(())
}
