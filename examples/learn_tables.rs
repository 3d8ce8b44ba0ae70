//! Every classifier on published feature tables of real music, as Markdown.
//!
//! ```text
//! cargo run --release -p examples --no-default-features --example learn_tables -- --tables DIR [--study NAME]
//! ```
//! Studies: `gtzan57` (the 57-feature table), `choi` (Choi's 160), `choi-published` (its own evaluation), `musicnn` (musicnn's tags), `leak` (what Choi's published table knows of its
//! batches), `fma` (Echo Nest measures of rock and hip-hop).

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use examples::tables::read;
use mgr_eval::metrics::{ConfusionMatrix, MacroOver, wilson_interval};
use mgr_eval::split::Fold;
use mgr_learn::{
    Classifier, FoldResult, Gamma, Grid, Kernel, Labelled, Learner, LearnerConfig, PipelineConfig, SILENT,
    ScalerConfig, SvcConfig, best, cross_validate, nested, permutation_importance, search,
};
use ndarray::{Array2, Axis, Ix2, concatenate, s};
use serde_json::Value;

/// Every classifier on published feature tables of real music.
#[derive(Parser)]
struct Arguments {
    /// The folder of tables.
    #[arg(long)]
    tables: PathBuf,
    /// One study only.
    #[arg(long, value_parser = ["leak", "gtzan57", "choi", "choi-published", "musicnn", "fma"])]
    study: Option<String>,
}

const GENRES: [&str; 10] =
    ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];

type Result<T> = std::result::Result<T, String>;

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The 57 features in the order of genre and number.
fn features_57(folder: &Path) -> Result<Array2<f64>> {
    let mut reader = csv::Reader::from_path(folder.join("gtzan_features_30_sec.csv")).map_err(text)?;
    let mut rows: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(text)?;
        let name = record.get(0).unwrap_or("").to_owned();
        // Between the name and length, and the label.
        let values =
            record.iter().skip(2).take(57).map(|v| v.parse().map_err(text)).collect::<Result<_>>()?;
        rows.insert(name, values);
    }
    let flat: Vec<f64> = rows.values().flatten().copied().collect();
    Array2::from_shape_vec((rows.len(), 57), flat).map_err(text)
}

fn choi(folder: &Path) -> Result<Array2<f64>> {
    let layers: Vec<Array2<f64>> = (0..5)
        .map(|l| {
            let path = folder.join(format!("choi_gtzan/gtzan_genre_layer_{l}.npy"));
            read(&path)?.into_dimensionality::<Ix2>().map_err(text)
        })
        .collect::<Result<_>>()?;
    let views: Vec<_> = layers.iter().map(|l| l.view()).collect();
    concatenate(Axis(1), &views).map_err(text)
}

/// Rows of a list of the fault-filtered partition, in the order of genre and number.
fn part(folder: &Path, name: &str) -> Result<Vec<usize>> {
    let path = folder.join("gtzan_index").join(name);
    let list = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut rows = list
        .lines()
        .filter(|l| !l.trim().is_empty())
        .map(|line| {
            let mut parts = line.trim().rsplit('/').next().unwrap_or("").split('.');
            let genre = parts.next().and_then(|g| GENRES.iter().position(|n| *n == g));
            let number = parts.next().and_then(|n| n.parse::<usize>().ok());
            genre.zip(number).map(|(g, n)| 100 * g + n).ok_or_else(|| format!("no clip: {line}"))
        })
        .collect::<Result<Vec<usize>>>()?;
    rows.sort_unstable();
    Ok(rows)
}

fn scored(labels: &[usize], classes: usize, results: &[FoldResult]) -> Result<ConfusionMatrix> {
    let truth: Vec<usize> = results.iter().flat_map(|r| r.rows.iter().map(|&i| labels[i])).collect();
    let predicted: Vec<usize> = results.iter().flat_map(|r| r.predicted.clone()).collect();
    ConfusionMatrix::from_labels(&truth, &predicted, classes).map_err(text)
}

fn cell(matrix: &ConfusionMatrix) -> Result<String> {
    let interval = wilson_interval(matrix.correct(), matrix.total(), 0.95).map_err(text)?;
    let [accuracy, low, high] = [matrix.accuracy(), interval.low, interval.high].map(|v| 100.0 * v);
    Ok(format!("{accuracy:.1} % ({low:.1} to {high:.1})"))
}

fn every() -> Vec<(String, PipelineConfig)> {
    let reference = SvcConfig { kernel: Kernel::Linear, c: 0.1, ..SvcConfig::default() };
    let first = ("svc, linear, C = 0.1".to_owned(), PipelineConfig::scaled(LearnerConfig::Svc(reference)));
    let all = LearnerConfig::NAMES
        .iter()
        .filter_map(|n| Some(((*n).to_owned(), PipelineConfig::scaled(LearnerConfig::of(n)?))));
    [first].into_iter().chain(all).collect()
}

/// The reference row is not chosen among others.
fn candidates(name: &str, config: &PipelineConfig) -> Result<Vec<PipelineConfig>> {
    if name.contains(',') {
        return Ok(vec![config.clone()]);
    }
    Grid::usual(config.clone()).candidates().map_err(text)
}

fn gtzan57(folder: &Path) -> Result<()> {
    gtzan("57 features", &features_57(folder)?, folder)
}

fn choi160(folder: &Path) -> Result<()> {
    gtzan("Choi's 160 (leaks, see above)", &choi(folder)?, folder)
}

fn gtzan(title: &str, table: &Array2<f64>, folder: &Path) -> Result<()> {
    let labels: Vec<usize> = (0..1000).map(|i| i / 100).collect();
    let [train, validation, test] =
        ["train", "valid", "test"].map(|p| part(folder, &format!("{p}_filtered.txt")));
    let filtered = Fold { train: train?, validation: validation?, test: test? };
    let data = Labelled::new(table.view(), &labels, None, 10).map_err(text)?;
    let folds = data.folds(10, 0).map_err(text)?;
    println!(
        "| {title} | ten-fold | fault-filtered ({} / {} / {}), settings chosen on {1} | macro F1 |",
        filtered.train.len(),
        filtered.validation.len(),
        filtered.test.len()
    );
    println!("|---|---|---|---|");
    for (name, config) in every() {
        let ten = cross_validate(&config, data, &folds, SILENT).map_err(text)?;
        let one = nested(&candidates(&name, &config)?, data, std::slice::from_ref(&filtered), 5, 0, SILENT)
            .map_err(text)?;
        let matrix = scored(&labels, 10, &one)?;
        let f1 = 100.0 * matrix.macro_average(MacroOver::Present).f1;
        println!("| {name} | {} | {} | {f1:.1} % |", cell(&scored(&labels, 10, &ten)?)?, cell(&matrix)?);
    }
    println!();
    Ok(())
}

/// One array of an archive: its bytes after the header.
fn member(archive: &Path, name: &str) -> Result<(Vec<u8>, usize)> {
    let file = std::fs::File::open(archive).map_err(|e| format!("{}: {e}", archive.display()))?;
    let mut zip = zip::ZipArchive::new(file).map_err(text)?;
    let mut bytes = Vec::new();
    zip.by_name(name).map_err(text)?.read_to_end(&mut bytes).map_err(text)?;
    let length = bytes.get(8..10).map_or(0, |b| usize::from(u16::from_le_bytes([b[0], b[1]])));
    Ok((bytes, 10 + length))
}

/// Mean tag probabilities of every clip, with their labels.
fn pooled(archive: &Path) -> Result<(Vec<Vec<f64>>, Vec<usize>)> {
    let (values, head) = member(archive, "X.npy")?;
    let (labels, label_head) = member(archive, "Y.npy")?;
    let (ids, id_head) = member(archive, "IDS.npy")?;
    let rows = (labels.len() - label_head) / 8;
    let (width, id) = ((values.len() - head) / 4 / rows, (ids.len() - id_head) / rows);
    let mut clips: BTreeMap<Vec<u8>, (Vec<f64>, usize, usize)> = BTreeMap::new();
    for row in 0..rows {
        let name = ids[id_head + row * id..id_head + (row + 1) * id].to_vec();
        let label = labels[label_head + 8 * row] as usize;
        let clip = clips.entry(name).or_insert_with(|| (vec![0.0; width], 0, label));
        for (column, sum) in clip.0.iter_mut().enumerate() {
            let at = head + 4 * (row * width + column);
            *sum +=
                f64::from(f32::from_le_bytes([values[at], values[at + 1], values[at + 2], values[at + 3]]));
        }
        clip.1 += 1;
    }
    Ok(clips.into_values().map(|(sum, n, l)| (sum.iter().map(|v| v / n as f64).collect(), l)).unzip())
}

fn musicnn(folder: &Path) -> Result<()> {
    let file =
        |part: &str| folder.join(format!("musicnn_taggram_gtzan/{part}_data_GTZAN_MSDmusicnn_taggram.npz"));
    let (mut rows, mut labels) = pooled(&file("training"))?;
    let train = rows.len();
    let (tested, tested_labels) = pooled(&file("evaluation"))?;
    rows.extend(tested);
    labels.extend(tested_labels);
    let width = rows.first().map_or(0, Vec::len);
    let table = Array2::from_shape_vec((rows.len(), width), rows.concat()).map_err(text)?;
    let data = Labelled::new(table.view(), &labels, None, 10).map_err(text)?;
    let fold =
        Fold { train: (0..train).collect(), validation: Vec::new(), test: (train..rows.len()).collect() };
    println!(
        "| musicnn's {width} tags, mean over patches | {train} to {}, as set | settings chosen in five folds of the training part |",
        fold.test.len()
    );
    println!("|---|---|---|");
    for (name, config) in every() {
        let run = |candidates: &[PipelineConfig]| -> Result<String> {
            let found = nested(candidates, data, std::slice::from_ref(&fold), 5, 0, SILENT).map_err(text)?;
            cell(&scored(&labels, 10, &found)?)
        };
        println!(
            "| {name} | {} | {} |",
            run(std::slice::from_ref(&config))?,
            run(&candidates(&name, &config)?)?
        );
    }
    println!();
    Ok(())
}

/// Whether the place of a clip in its genre can be told from its features: before or after `cut`.
fn told(table: &Array2<f64>, genre: usize, cut: usize) -> Result<f64> {
    let rows = table.slice(s![100 * genre..100 * genre + 100, ..]);
    let labels: Vec<usize> = (0..100).map(|i| usize::from(i >= cut)).collect();
    let data = Labelled::new(rows, &labels, None, 2).map_err(text)?;
    let folds = data.folds(10, 0).map_err(text)?;
    let reference = SvcConfig {
        kernel: Kernel::Linear,
        c: 0.1,
        class_weight: mgr_learn::ClassWeight::Balanced,
        ..SvcConfig::default()
    };
    let config = PipelineConfig::scaled(LearnerConfig::Svc(reference));
    let found = cross_validate(&config, data, &folds, SILENT).map_err(text)?;
    Ok(scored(&labels, 2, &found)?.balanced_accuracy())
}

fn leak(folder: &Path) -> Result<()> {
    let (choi, clean) = (choi(folder)?, features_57(folder)?);
    println!(
        "Balanced accuracy of telling, within one genre, the clips before a place from those after it (ten folds, linear SVM).\n"
    );
    println!("| place | genre | Choi's 160 | 57 features |");
    println!("|---|---|---|---|");
    // Batches of 256 end after rows 255, 511 and 767: within country, jazz and pop.
    for (genre, cut) in [(2, 56), (5, 12), (7, 68)] {
        let (a, b) = (100.0 * told(&choi, genre, cut)?, 100.0 * told(&clean, genre, cut)?);
        println!("| batch ends at clip {cut} | {} | {a:.1} % | {b:.1} % |", GENRES[genre]);
    }
    for cut in [56, 12, 68] {
        let (mut a, mut b) = (0.0, 0.0);
        let others = [0, 1, 3, 4, 6, 8, 9];
        for genre in others {
            a += 100.0 * told(&choi, genre, cut)? / others.len() as f64;
            b += 100.0 * told(&clean, genre, cut)? / others.len() as f64;
        }
        println!("| no batch ends, clip {cut} | mean of the seven others | {a:.1} % | {b:.1} % |");
    }
    println!();
    Ok(())
}

fn fma(folder: &Path) -> Result<()> {
    let folder = folder.join("fma_rock_hiphop");
    let measures = std::fs::read_to_string(folder.join("echonest-metrics.json")).map_err(text)?;
    let measures: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_str(&measures).map_err(text)?;
    let names: Vec<&String> = measures.keys().filter(|k| *k != "track_id").collect();
    let mut genre_of: BTreeMap<i64, usize> = BTreeMap::new();
    let mut reader = csv::Reader::from_path(folder.join("fma-rock-vs-hiphop.csv")).map_err(text)?;
    let header = reader.headers().map_err(text)?.clone();
    let place = |name: &str| header.iter().position(|h| h == name).ok_or_else(|| format!("no column {name}"));
    let (id_at, genre_at) = (place("track_id")?, place("genre_top")?);
    for record in reader.records() {
        let record = record.map_err(text)?;
        let genre = usize::from(record.get(genre_at) == Some("Rock"));
        genre_of.insert(record.get(id_at).unwrap_or("").parse().map_err(text)?, genre);
    }
    let (mut flat, mut labels) = (Vec::new(), Vec::new());
    for (key, id) in measures.get("track_id").ok_or("no track_id")? {
        if let Some(&genre) = id.as_i64().and_then(|id| genre_of.get(&id)) {
            labels.push(genre);
            flat.extend(
                names.iter().map(|n| measures[*n].get(key).and_then(Value::as_f64).unwrap_or(f64::NAN)),
            );
        }
    }
    let table = Array2::from_shape_vec((labels.len(), names.len()), flat).map_err(text)?;
    let rock = labels.iter().sum::<usize>();
    println!("{} tracks with both, {rock} rock and {} hip-hop\n", labels.len(), labels.len() - rock);
    let config = PipelineConfig::scaled(LearnerConfig::of("random_forest").ok_or("no forest")?);
    let data = Labelled::new(table.view(), &labels, None, 2).map_err(text)?;
    let folds = data.folds(10, 0).map_err(text)?;
    let first = &folds[0];
    let of =
        |rows: &[usize]| (table.select(Axis(0), rows), rows.iter().map(|&i| labels[i]).collect::<Vec<_>>());
    let ((fitted, fitted_labels), (tested, tested_labels)) = (of(&first.train), of(&first.test));
    let forest = config.plan().and_then(|p| p.fit(fitted.view(), &fitted_labels, 2)).map_err(text)?;
    let impurity = forest.importances().unwrap_or_default();
    let drops = permutation_importance(&forest, tested.view(), &tested_labels, 10, 0).map_err(text)?;
    println!(
        "| measure | rock, mean and deviation | hip-hop | impurity importance | drop of accuracy when shuffled |"
    );
    println!("|---|---|---|---|---|");
    for (column, name) in names.iter().enumerate() {
        let described = |class: usize| {
            let values: Vec<f64> = table
                .column(column)
                .iter()
                .zip(&labels)
                .filter(|(_, l)| **l == class)
                .map(|(v, _)| *v)
                .collect();
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
            format!("{mean:.3}, {deviation:.3}")
        };
        let (own, drop) = (impurity.get(column).copied().unwrap_or(0.0), drops[column].mean);
        println!("| {name} | {} | {} | {own:.3} | {drop:.3} |", described(1), described(0));
    }
    println!("\n| classifier | ten-fold accuracy | balanced accuracy |\n|---|---|---|");
    for (name, config) in every() {
        let found = scored(&labels, 2, &cross_validate(&config, data, &folds, SILENT).map_err(text)?)?;
        println!("| {name} | {} | {:.1} % |", cell(&found)?, 100.0 * found.balanced_accuracy());
    }
    println!();
    Ok(())
}

/// What prints its part from the folder of tables.
type Study = fn(&Path) -> Result<()>;

/// Choi's own evaluation of the published features: ten stratified folds, a grid over scaling, kernel, C and gamma, of which the best mean is
/// reported; and the same grid chosen within the training folds.
fn choi_published(folder: &Path) -> Result<()> {
    let table = choi(folder)?;
    let labels: Vec<usize> = (0..1000).map(|i| i / 100).collect();
    let data = Labelled::new(table.view(), &labels, None, GENRES.len()).map_err(text)?;
    let mut candidates = Vec::new();
    for scaler in [ScalerConfig::None, ScalerConfig::Standard] {
        for c in [0.1, 2.0, 8.0, 32.0] {
            let mut add = |kernel, gamma| {
                let svc = SvcConfig { kernel, gamma, c, ..SvcConfig::default() };
                let learner = LearnerConfig::Svc(svc);
                candidates.push(PipelineConfig { scaler, learner, ..PipelineConfig::default() });
            };
            add(Kernel::Linear, Gamma::Scale);
            for power in [3, 5, 7, 9, 11, 13] {
                add(Kernel::Rbf, Gamma::Value(0.5_f64.powi(power)));
            }
            add(Kernel::Rbf, Gamma::Auto);
        }
    }
    let folds = data.folds(10, 0).map_err(text)?;
    let scores = search(&candidates, data, &folds, SILENT).map_err(text)?;
    let chosen = best(&scores).map_err(text)?;
    let mean = chosen.of_fold.iter().sum::<f64>() / chosen.of_fold.len() as f64;
    println!("\n| protocol | accuracy |\n|---|---|");
    println!("| best of the grid on the ten folds themselves, as published | {:.1} % |", 100.0 * mean);
    let results = nested(&candidates, data, &folds, 5, 0, SILENT).map_err(text)?;
    println!(
        "| grid chosen in five folds of each training part | {} |",
        cell(&scored(&labels, 10, &results)?)?
    );
    println!("\nbest: {}", serde_json::to_string(&chosen.config).map_err(text)?);
    Ok(())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let wanted = |study: &str| arguments.study.as_ref().is_none_or(|s| s == study);
    let studies: [(&str, Study); 6] = [
        ("leak", leak),
        ("gtzan57", gtzan57),
        ("choi", choi160),
        ("choi-published", choi_published),
        ("musicnn", musicnn),
        ("fma", fma),
    ];
    for (name, study) in studies {
        if wanted(name)
            && let Err(error) = study(&arguments.tables)
        {
            eprintln!("learn_tables: {name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
