//! The FMA study (Kocagil and others, Bilkent 2021): genres from FMA's tables, and from its audio.
//!
//! ```text
//! cargo run --release -p examples --example fma_study -- metadata --root fma_metadata --out out/fma_metadata
//! cargo run --release -p examples --example fma_study -- audio --dataset fma_small --root FMA --out out/fma_audio
//! ```
//! `metadata` runs without libtorch too: `--no-default-features --features data`. What the original's settings are called here, its
//! faults and its figures: the study's section in `README.md` beside this file.
#![allow(missing_docs)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use examples::studies::fma::classifiers::{self, Scored, small_mlp};
use examples::studies::fma::shown::{comparison, describe, folds_table, importances, means};
use examples::studies::fma::tables::{self, Shares};
use examples::studies::fma::{pictures, signal};
use examples::studies::picture_parts::clips::{self, Imager, Imaging, SAMPLE_RATE, Wanted};
use examples::studies::picture_parts::output::{Output, numbers, paragraph, section};
#[cfg(feature = "nets")]
use examples::studies::picture_parts::output::{figures_of, some_of};
use examples::studies::picture_parts::spoken::{Foreign, Result, end, percent, sentence, with_interval};
use mgr_data::sources::Collection;
use mgr_data::sources::fma::Subset;
use mgr_data::splits::Protocol;
use mgr_eval::figure::{Caption, confusion_figure};
#[cfg(feature = "nets")]
use mgr_eval::metrics::MacroOver;
#[cfg(feature = "nets")]
use mgr_eval::report::RunDescription;
use mgr_eval::report::{Block, Headline, Report, Section, per_class_table};
use mgr_eval::split::Fold;
use mgr_features::picture::ColorMap;
use mgr_features::presets;
use mgr_learn::ModelFile;
use serde_json::json;

/// Genres from FMA's tables (`metadata`) and from its audio (`audio`).
#[derive(Parser)]
#[command(name = "fma_study")]
pub struct Study {
    #[command(subcommand)]
    pub part: Part,
}

#[derive(Subcommand)]
pub enum Part {
    /// Describes a table, draws it, and compares fifteen classifiers and three votes on it.
    Metadata(Metadata),
    /// Draws a clip's signal, trains the ConvNet and a vision transformer on mel pictures, and draws what they see.
    Audio(Audio),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// FMA's `tracks.csv`, `features.csv` and, where it is there, `echonest.csv`.
    Fma,
    /// `fma-rock-vs-hiphop.csv` and `echonest-metrics.json`.
    RockHiphop,
    /// Any table with a column of genres (.csv, .parquet, .arff, .npz).
    Table,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Size {
    Small,
    Medium,
    Large,
    Full,
}

#[derive(Args)]
pub struct Metadata {
    /// Which tables.
    #[arg(long, value_enum, default_value = "fma")]
    pub dataset: Kind,
    /// Their folder, or the table.
    #[arg(long)]
    pub root: PathBuf,
    /// Folder of the report.
    #[arg(long, default_value = "out/fma_metadata")]
    pub out: PathBuf,
    /// Subset of FMA; each holds the smaller ones.
    #[arg(long, value_enum, default_value = "small")]
    pub subset: Size,
    /// Group of FMA's columns (mfcc, chroma_cens, spectral_contrast, ...), or `all`.
    #[arg(long, default_value = "mfcc")]
    pub features: String,
    /// Column of a table to leave out; may be given several times.
    #[arg(long)]
    pub ignore: Vec<String>,
    /// Column of a table with the genres.
    #[arg(long)]
    pub label: Option<String>,
    /// Leave genres with fewer rows out.
    #[arg(long, default_value_t = 0)]
    pub least: usize,
    /// Training share, where the table has no split of its own.
    #[arg(long, default_value_t = 0.8)]
    pub train: f64,
    /// Validation share, where the table has no split of its own.
    #[arg(long, default_value_t = 0.1)]
    pub validation: f64,
    /// Classifiers to compare; all fifteen where none is named.
    #[arg(long, value_delimiter = ',')]
    pub classifiers: Vec<String>,
    /// Folds of the cross-validation on the training part; 0 for none.
    #[arg(long, default_value_t = 5)]
    pub folds: usize,
    /// Shuffles of each column for the importance on the test part; 0 for none.
    #[arg(long, default_value_t = 5)]
    pub shuffles: usize,
    /// Rows in the pictures of t-SNE and UMAP.
    #[arg(long, default_value_t = 1500)]
    pub picture_rows: usize,
    /// Seed of splits and classifiers.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

#[derive(Args)]
pub struct Audio {
    /// The dataset: fma_small, fma_medium, folder, manifest, ... (`mgr data list`).
    #[arg(long, default_value = "fma_small")]
    pub dataset: String,
    /// Its folder; the embedded synthetic corpus where none is named.
    #[arg(long)]
    pub root: Option<PathBuf>,
    /// Folder of the report, the pictures and the networks.
    #[arg(long, default_value = "out/fma_audio")]
    pub out: PathBuf,
    /// CSV with the columns `track` and `artist`: artists stay on one side of the split.
    #[arg(long)]
    pub groups: Option<PathBuf>,
    /// How clips are divided [default: official where the dataset has a split, else by artist where artists are known, else random].
    #[arg(long, value_parser = ["official", "artist", "random"])]
    pub split: Option<String>,
    /// Go on where some files are not there.
    #[arg(long)]
    pub allow_missing: bool,
    /// Leave genres with fewer clips out.
    #[arg(long, default_value_t = 0)]
    pub least: usize,
    /// Seconds of each clip; a shorter one is repeated. 29.99 gives the study's 1292 frames.
    #[arg(long, default_value_t = 29.99)]
    pub seconds: f64,
    /// Networks to train: `convnet`, `vit`, both with a comma, or `none` for the pictures alone.
    #[arg(long, value_delimiter = ',', default_value = "convnet,vit")]
    pub models: Vec<String>,
    /// Epochs; the one with the best validation accuracy is kept.
    #[arg(long, default_value_t = 300)]
    pub epochs: usize,
    #[arg(long, default_value_t = 4)]
    pub batch: usize,
    #[arg(long, default_value_t = 1e-3)]
    pub learning_rate: f64,
    /// Momentum of SGD; the study has none.
    #[arg(long, default_value_t = 0.0)]
    pub momentum: f64,
    #[arg(long, default_value_t = 5e-4)]
    pub weight_decay: f64,
    /// Keep the network of every so many epochs.
    #[arg(long, default_value_t = 150)]
    pub save_every: usize,
    /// Say how the loss stands every so many steps; 0 for never.
    #[arg(long, default_value_t = 50)]
    pub print_every: usize,
    /// Height and width of a patch of the vision transformer; the study has 4.
    #[arg(long, default_value_t = 4)]
    pub vit_patch: usize,
    #[arg(long, default_value_t = 1024)]
    pub vit_dim: usize,
    #[arg(long, default_value_t = 6)]
    pub vit_depth: usize,
    #[arg(long, default_value_t = 16)]
    pub vit_heads: usize,
    #[arg(long, default_value_t = 2048)]
    pub vit_mlp: usize,
    /// Write the mel pictures of all clips as PNG.
    #[arg(long)]
    pub save_pictures: bool,
    /// Seed of the split, the initial weights and the order of clips.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// Settings of the original without an equivalent. It has no command line: these are names in its programs.
pub const FOREIGN: &[Foreign] = &[
    Foreign { name: "warm_start", instead: "a classifier is fitted once, from its seed; leave it away" },
    Foreign {
        name: "start_epoch",
        instead: "a run goes on from its own checkpoint when it is started again; leave it away",
    },
    Foreign {
        name: "save_best_model",
        instead: "the best epoch by validation is always kept; leave it away",
    },
    Foreign { name: "loop_decs", instead: "progress has no title; leave it away" },
    Foreign { name: "max_epoch", instead: "say --epochs N" },
    Foreign { name: "print_freq", instead: "say --print-every N" },
    Foreign {
        name: "root_dir",
        instead: "say --out DIR for what is written and --root DIR for what is read",
    },
    Foreign { name: "model_path", instead: "networks are kept below --out" },
    Foreign { name: "best_model_save_path", instead: "the best network is NAME.safetensors below --out" },
];

#[allow(dead_code)]
fn main() -> ExitCode {
    end("fma_study", FOREIGN, run)
}

pub fn run(study: &Study, command: &str) -> Result<()> {
    match &study.part {
        Part::Metadata(flags) => metadata(flags, command),
        Part::Audio(flags) => audio(flags, command),
    }
}

/// The branch on tables, step by step.
fn metadata(flags: &Metadata, command: &str) -> Result<()> {
    let shares =
        Shares { train: flags.train, validation: flags.validation, seed: flags.seed, least: flags.least };
    let subset = match flags.subset {
        Size::Small => Subset::Small,
        Size::Medium => Subset::Medium,
        Size::Large => Subset::Large,
        Size::Full => Subset::Full,
    };
    let table = match flags.dataset {
        Kind::Fma => tables::fma(&flags.root, subset, &flags.features, flags.least)?,
        Kind::RockHiphop => tables::rock_hiphop(&flags.root, shares)?,
        Kind::Table => tables::any(&flags.root, &flags.ignore, flags.label.as_deref(), shares)?,
    };
    let entrants = classifiers::entrants(&flags.classifiers, flags.seed)?;
    let out = Output::create(&flags.out)?;
    println!(
        "{}: {} rows, {} columns, {} genres",
        table.name,
        table.ids.len(),
        table.columns.len(),
        table.classes.len()
    );

    // What the table holds.
    let mut described = describe(&table);
    described.blocks.push(Block::Figure(pictures::genre_counts(&table)?));
    let mut measures: Vec<Block> = vec![Block::Table(means(&table))];
    out.table("measures_by_genre.csv", &means(&table))?;
    measures.extend(pictures::distributions(&table, 8)?.into_iter().map(Block::Figure));

    // How it looks in the plane. The original projects columns that are not standardised; here they are.
    let (rows, labels) = pictures::rows_to_show(&table, flags.picture_rows)?;
    let (mut shown, _) = pictures::pca(&rows, &labels, &table.classes)?;
    shown.extend(pictures::lda(&rows, &labels, &table.classes)?);
    let mut projections = vec![paragraph(format!(
        "{} of {} training rows, standardised; projections are fitted on these rows.",
        rows.nrows(),
        table.fold.train.len()
    ))];
    projections.extend(shown.into_iter().map(Block::Figure));
    for (figure, kept) in pictures::neighbours(&rows, &labels, &table.classes, flags.seed)? {
        projections
            .push(paragraph(format!("Trustworthiness of {} at 12 neighbours: {kept:.3}.", figure.title)));
        projections.push(Block::Figure(figure));
    }

    // Fifteen classifiers and three votes, each asked once for the test part.
    let mut scored: Vec<Scored> = Vec::new();
    let votes = if flags.classifiers.is_empty() { classifiers::votes(flags.seed)? } else { Vec::new() };
    for entrant in entrants.iter().chain(&votes) {
        let found = classifiers::score(&table, entrant)?;
        println!(
            "{:46} {} in {:.2} s",
            found.name,
            with_interval(found.right, found.tested)?,
            found.fit_seconds
        );
        scored.push(found);
    }
    scored.sort_by(|a, b| b.accuracy.total_cmp(&a.accuracy));
    let comparison = comparison(&scored)?;
    out.table("classifiers.csv", &comparison)?;

    // The one to keep is chosen on the validation part, not on the test part as a table sorted by test accuracy invites to.
    let chosen = scored.iter().rev().max_by(|a, b| a.validation.total_cmp(&b.validation));
    let chosen = chosen.ok_or("no classifier was compared")?;
    let file = ModelFile::new(chosen.model.clone(), table.columns.clone(), table.classes.clone())
        .map_err(sentence)?;
    file.save(&out.path("model.json")).map_err(sentence)?;

    let validated = match flags.folds {
        0 => Vec::new(),
        folds => classifiers::cross_validated(&table, folds, flags.seed)?,
    };

    // The confusion matrix of the study's perceptron.
    let drawn = classifiers::Entrant {
        name: "mlp of 64, 400 iterations".to_owned(),
        original: "MLPClassifier(64, max_iter=400)",
        published: f64::NAN,
        learner: small_mlp(400, flags.seed),
    };
    let drawn = classifiers::score(&table, &drawn)?;
    out.confusion("confusion", &drawn.matrix, &table.classes)?;

    // The original draws the fifty least important columns, because it sorts upward.
    let importance = classifiers::importance(&table, flags.shuffles, flags.seed)?;
    out.json("importance.json", &importance)?;
    out.json(
        "results.json",
        &json!({ "table": table.name, "split": table.split, "chosen": chosen.name,
        "classifiers": scored, "cross_validation": validated, "confusion_of": drawn }),
    )?;

    let confusion = confusion_figure(
        Caption { name: "confusion", title: "Perceptron of one layer of 64" },
        &drawn.matrix,
        &table.classes,
    );
    let mut kept = vec![Block::Table(comparison)];
    kept.push(paragraph(format!(
        "Sorted by test accuracy, as published; {} is kept (model.json), which is best on the validation part ({}). Micro-averaged precision, recall and F1 are the accuracy: the means over genres stand here. Published figures are of FMA's 84,353 training and 4,951 test tracks of 16 genres (its subsets were compared as texts) and are not to be compared row by row unless the table is that one.",
        chosen.name,
        percent(chosen.validation)
    )));
    let mut important: Vec<Block> = vec![Block::Figure(importances(&importance, false)?)];
    if flags.shuffles > 0 {
        important.push(Block::Figure(importances(&importance, true)?));
    }
    let report = Report {
        title: format!("FMA study, metadata: {}", table.name),
        subtitle: format!(
            "{} rows, {} columns, {} genres",
            table.ids.len(),
            table.columns.len(),
            table.classes.len()
        ),
        headline: vec![
            Headline {
                label: "Accuracy of the classifier chosen on validation".to_owned(),
                value: percent(chosen.accuracy),
                note: format!(
                    "{}, 95 % interval {} to {}",
                    chosen.name,
                    percent(chosen.interval.low),
                    percent(chosen.interval.high)
                ),
            },
            Headline {
                label: "Macro F1".to_owned(),
                value: percent(chosen.macro_f1),
                note: "of the same".to_owned(),
            },
        ],
        warnings: table.leaks.clone(),
        sections: vec![
            described,
            section("Measures by genre", "measures", measures),
            section("In the plane", "projections", projections),
            section("Classifiers and votes", "classifiers", kept),
            section("Cross-validation", "cross-validation", vec![folds_table(&validated)]),
            section(
                "Confusion",
                "confusion",
                vec![
                    Block::Figure(confusion.map_err(sentence)?),
                    per_class_table(&drawn.matrix, &table.classes).map_err(sentence)?,
                ],
            ),
            section("Importance", "importance", important),
            section("What was run", "run", vec![Block::Code(command.to_owned())]),
        ],
    };
    out.report(&report)
}

/// The branch on audio, step by step.
fn audio(flags: &Audio, command: &str) -> Result<()> {
    // The clips, and how they are divided.
    let clips = clips::collection(&Wanted {
        dataset: &flags.dataset,
        root: flags.root.as_deref(),
        groups: flags.groups.as_deref(),
        allow_missing: flags.allow_missing,
        least: flags.least,
    })?;
    let seed = flags.seed;
    let rule = match flags.split.as_deref() {
        Some("official") => Protocol::Official,
        Some("artist") => Protocol::GroupRatio { train: 0.7, validation: 0.1, seed },
        Some(_) => Protocol::Ratio { train: 0.7, validation: 0.1, seed },
        None if clips.official_split().is_some() => Protocol::Official,
        None if clips::knows_artists(&clips) => Protocol::GroupRatio { train: 0.7, validation: 0.1, seed },
        None => Protocol::Ratio { train: 0.7, validation: 0.1, seed },
    };
    let (fold, leaks) = clips::split(&clips, &rule)?;
    let out = Output::create(&flags.out)?;
    println!("{}: {} clips, {} genres", clips.name, clips.entries.len(), clips.labels.len());

    // The mel spectrogram in decibels, from -80 to 0, as a picture in colours.
    let frames = 1 + (flags.seconds * f64::from(SAMPLE_RATE)).round() as usize / 512;
    let with_vit = flags.models.iter().any(|m| m == "vit") && flags.vit_patch > 0;
    let frames = if with_vit { frames - frames % flags.vit_patch } else { frames };
    let imaging = Imaging {
        mel: presets::fma_study(),
        pre_emphasis: false,
        seconds: Some(flags.seconds),
        columns: Some(frames),
        size: None,
        colors: ColorMap::Magma,
    };
    let imager = imaging.plan()?;
    let drawn = first_of(&clips, &fold.train)?;
    let name = format!("{} ({})", clips.entries[drawn].id, clips.labels[clips::labels(&clips)[drawn]]);
    let signal = signal::pictures(&imager.samples(&clips.entries[drawn].path)?, &name)?;
    let mut sections = vec![
        parts_of(&clips, &fold, &rule),
        section("The signal of one clip", "signal", signal.into_iter().map(Block::Figure).collect()),
    ];
    let headline = networks_of(
        flags,
        command,
        &Clips { clips: &clips, fold: &fold, leaks: &leaks, imager: &imager, frames },
        &out,
        &mut sections,
    )?;
    sections.push(section("What was run", "run", vec![Block::Code(command.to_owned())]));
    out.report(&Report {
        title: format!("FMA study, audio: {}", clips.name),
        subtitle: format!(
            "{} clips, {} genres, pictures of 128 x {frames}",
            clips.entries.len(),
            clips.labels.len()
        ),
        headline,
        warnings: leaks.clone(),
        sections,
    })
}

/// What the networks are trained on.
#[allow(dead_code)]
struct Clips<'a> {
    clips: &'a Collection,
    fold: &'a Fold,
    leaks: &'a [String],
    imager: &'a Imager,
    frames: usize,
}

fn first_of(clips: &Collection, rows: &[usize]) -> Result<usize> {
    let readable = rows.iter().copied().find(|&row| clips.entries[row].path.is_file());
    readable.ok_or_else(|| format!("{}: no training clip is there", clips.name))
}

fn parts_of(clips: &Collection, fold: &Fold, rule: &Protocol) -> Section {
    let labels = clips::labels(clips);
    let count = |rows: &[usize], class| rows.iter().filter(|&&row| labels[row] == class).count();
    let row = |class: usize| {
        let parts = [&fold.train, &fold.validation, &fold.test].map(|rows| count(rows, class).to_string());
        std::iter::once(clips.labels[class].clone()).chain(parts).collect()
    };
    let rows = (0..clips.labels.len()).map(row).collect();
    let mut blocks = vec![
        Block::Table(numbers(
            "Clips of each genre and part",
            &["Genre", "Training", "Validation", "Test"],
            rows,
        )),
        paragraph(format!("Split: {}.", serde_json::to_string(rule).unwrap_or_default())),
    ];
    if !clips.notes.is_empty() {
        blocks.push(Block::List(clips.notes.clone()));
    }
    section("The clips", "clips", blocks)
}

#[cfg(not(feature = "nets"))]
fn networks_of(
    flags: &Audio,
    _command: &str,
    _of: &Clips<'_>,
    _out: &Output,
    _sections: &mut Vec<Section>,
) -> Result<Vec<Headline>> {
    if flags.models.iter().all(|model| model == "none") {
        return Ok(Vec::new());
    }
    Err("networks need libtorch: build with the default features, or say --models none".to_owned())
}

/// Trains the networks on the pictures of all clips.
#[cfg(feature = "nets")]
fn networks_of(
    flags: &Audio,
    command: &str,
    of: &Clips<'_>,
    out: &Output,
    sections: &mut Vec<Section>,
) -> Result<Vec<Headline>> {
    use examples::studies::fma::networks::{
        Material, Training, VitSize, networks, train, what_the_convnet_sees,
    };
    use mgr_models::train::SgdConfig;

    let Clips { clips, fold, leaks, imager, frames } = *of;
    let vit = VitSize {
        patch: flags.vit_patch,
        dim: flags.vit_dim,
        depth: flags.vit_depth,
        heads: flags.vit_heads,
        mlp: flags.vit_mlp,
    };
    let wanted = networks(&flags.models, frames, vit)?;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let paths: Vec<PathBuf> = clips.entries.iter().map(|entry| entry.path.clone()).collect();
    let (mut pictures, mut bad) = (Vec::new(), Vec::new());
    let mut row_of = vec![None; paths.len()];
    for (row, picture) in imager.pictures(&paths).into_iter().enumerate() {
        match picture {
            Ok(picture) => {
                row_of[row] = Some(pictures.len());
                pictures.push((row, picture));
            }
            // The original puts a random other clip in its place, with the other clip's genre.
            Err(reason) => bad.push(reason),
        }
    }
    if !bad.is_empty() {
        println!("left out: {}", some_of(&bad, 3));
        sections.push(section("Clips left out", "left-out", vec![Block::List(bad)]));
    }
    let of_clip = clips::labels(clips);
    let labels: Vec<usize> = pictures.iter().map(|(row, _)| of_clip[*row]).collect();
    let ids: Vec<String> = pictures.iter().map(|(row, _)| clips.entries[*row].id.clone()).collect();
    let groups: Vec<Option<String>> =
        pictures.iter().map(|(row, _)| clips.entries[*row].artist.clone()).collect();
    let pictures: Vec<_> = pictures.into_iter().map(|(_, picture)| picture).collect();
    if flags.save_pictures {
        for ((picture, id), &label) in pictures.iter().zip(&ids).zip(&labels) {
            let file = format!("pictures/{}-{}.png", id.replace('/', "_"), clips.labels[label]);
            clips::write_png(&out.path(&file), picture)?;
        }
    }
    let part = |rows: &[usize]| rows.iter().filter_map(|&row| row_of[row]).collect::<Vec<usize>>();
    let (training, validation, test) = (part(&fold.train), part(&fold.validation), part(&fold.test));
    let material = Material {
        ids: &ids,
        groups: &groups,
        pictures: &pictures,
        labels: &labels,
        classes: &clips.labels,
        parts: [&training, &validation, &test],
    };
    let settings = Training {
        epochs: flags.epochs,
        batch: flags.batch,
        sgd: SgdConfig {
            learning_rate: flags.learning_rate,
            momentum: flags.momentum,
            weight_decay: flags.weight_decay,
            ..SgdConfig::default()
        },
        save_every: flags.save_every,
        print_every: flags.print_every,
        seed: flags.seed,
    };
    let run = RunDescription {
        dataset: clips.name.clone(),
        split: "training, validation and test; the test part is asked once".to_owned(),
        protocol: format!(
            "SGD, batches of {}, at most {} epochs, the best by validation accuracy",
            flags.batch, flags.epochs
        ),
        known_leaks: leaks.to_vec(),
        seeds: vec![flags.seed],
        ..RunDescription::default()
    };
    let (mut rows, mut headline) = (Vec::new(), Vec::new());
    for (name, network) in wanted {
        let trained = train([&name, command], &network, &material, settings, &run, out)?;
        let matrix = trained.test.confusion().map_err(sentence)?;
        let mean = matrix.macro_average(MacroOver::Present);
        println!(
            "{name}: top-1 {}, top-3 {}",
            with_interval(matrix.correct(), matrix.total())?,
            percent(trained.top[1])
        );
        rows.push(vec![
            name.clone(),
            trained.parameters.to_string(),
            trained.epoch.to_string(),
            with_interval(matrix.correct(), matrix.total())?,
            percent(trained.top[1]),
            percent(mean.precision),
            percent(mean.recall),
            percent(mean.f1),
            percent(trained.validation_top[0]),
            if name == "convnet" { "51 %" } else { "about 42 %" }.to_owned(),
        ]);
        headline.push(Headline {
            label: format!("{name}, top-1"),
            value: percent(matrix.accuracy()),
            note: format!("top-3 {}, {} test clips", percent(trained.top[1]), matrix.total()),
        });
        let figures = figures_of(&trained.test, &name, &name)?;
        let mut blocks: Vec<Block> = figures.into_iter().map(Block::Figure).collect();
        if name == "convnet"
            && let Some(&row) = test.first()
        {
            let seen = what_the_convnet_sees(&trained, &material, row)?;
            blocks.extend(seen.into_iter().map(Block::Figure));
        }
        sections.push(section(&name, &name, blocks));
    }
    let titles = [
        "Network",
        "Trained values",
        "Epoch kept",
        "Top-1 (95 % interval)",
        "Top-3",
        "Macro precision",
        "Macro recall",
        "Macro F1",
        "Validation top-1",
        "Published top-1 (FMA small, random split)",
    ];
    let table = numbers("Networks on the test part", &titles, rows);
    out.table("networks.csv", &table)?;
    sections.insert(1, section("Networks", "networks", vec![Block::Table(table)]));
    Ok(headline)
}
