//! MusicFeaturization (Gardini 2020) and the study that it builds on (Bahuleyan, arXiv 1804.01149).
//!
//! ```text
//! cargo run --release -p examples --example music_featurization -- all --root MAGNATAGATUNE --work out/mtat
//! cargo run --release -p examples --example music_featurization -- all --dataset folder --root MUSIC --work out/mine
//! cargo run --release -p examples --example music_featurization -- bahuleyan --root MUSIC --out out/bahuleyan
//! ```
//! `all` is `prepare`, `train`, `choose`, `test` and `features` one after the other, which can be called alone too. `results` computes
//! the measures of the published outputs. `prepare`, `results` and `bahuleyan` run without libtorch too: `--no-default-features
//! --features data`. The original's settings, its faults and figures: the study's section in `README.md` beside this file.
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use examples::studies::music_featurization::handcrafted::{self, TIME_DOMAIN, Verdicts};
use examples::studies::music_featurization::preparation::{self, Division};
use examples::studies::music_featurization::results::Published;
use examples::studies::music_featurization::shown;
use examples::studies::picture_parts::clips::{self, Imaging, Wanted};
use examples::studies::picture_parts::output::Output;
use examples::studies::picture_parts::spoken::{Foreign, Result, end, sentence};
use mgr_eval::report::{Classification, RunDescription};
use mgr_features::picture::ColorMap;
use mgr_features::presets;

/// Spectrogram pictures, VGG16 and its 512 features; and 97 hand-crafted features.
#[derive(Parser)]
#[command(name = "music_featurization")]
pub struct Study {
    #[command(subcommand)]
    pub step: Step,
}

#[derive(Subcommand)]
pub enum Step {
    /// Draws every clip, gives it its genre, divides the clips, and writes the six lists.
    Prepare(Prepare),
    /// Trains the network with a file for each epoch.
    Train(Train),
    /// Chooses the epoch to test, by validation accuracy.
    Choose(Choose),
    /// Asks the chosen network for the test part: the sheet, the predictions, the report.
    Test(Test),
    /// Writes the 512 features of each clip in both layouts.
    Features(Features),
    /// All of these one after the other.
    All(All),
    /// Computes the measures of the study's published outputs anew.
    Results(Results),
    /// Bahuleyan's study: 97 features, four classifiers, ROC curves, importance, ensemble.
    Bahuleyan(Bahuleyan),
}

#[derive(Args, Clone)]
pub struct Prepare {
    /// The dataset: magnatagatune_six, folder, gtzan, fma_small, manifest, ... (`mgr data list`).
    #[arg(long, default_value = "magnatagatune_six")]
    pub dataset: String,
    /// Its folder; the embedded synthetic corpus where none is named.
    #[arg(long)]
    pub root: Option<PathBuf>,
    /// Folder for pictures, lists, networks and results.
    #[arg(long, default_value = "out/music_featurization")]
    pub work: PathBuf,
    /// CSV with the columns `track` and `artist`: artists stay on one side of the split.
    #[arg(long)]
    pub groups: Option<PathBuf>,
    /// `usual`: by artist where artists are known, else at random in each genre; `random`; `published`: by clip, seed 10.
    #[arg(long, default_value = "usual", value_parser = ["usual", "random", "published"])]
    pub split: String,
    /// Folder of the study's own lists (train_files.txt, val_files.txt, test_files.txt), in place of a split.
    #[arg(long)]
    pub lists: Option<PathBuf>,
    /// Height and width of the pictures.
    #[arg(long, default_value_t = 216)]
    pub size: u64,
    /// Go on where some files are not there.
    #[arg(long)]
    pub allow_missing: bool,
    /// Leave genres with fewer clips out.
    #[arg(long, default_value_t = 0)]
    pub least: usize,
    /// Seed of the split.
    #[arg(long, default_value_t = 0)]
    pub split_seed: u64,
}

#[derive(Args, Clone)]
pub struct Training {
    #[arg(long, default_value_t = 20)]
    pub epochs: usize,
    #[arg(long, default_value_t = 100)]
    pub batch: usize,
    #[arg(long, default_value_t = 1e-3)]
    pub learning_rate: f64,
    /// What the sum of the squared weights of the first layer above the convolutions is multiplied by in the loss.
    #[arg(long, default_value_t = 1e-3)]
    pub l2: f64,
    #[arg(long, default_value_t = 0.3)]
    pub dropout: f64,
    /// Blocks of convolutions that are trained, from the last; 5 for all ("fine-tuning").
    #[arg(long, default_value_t = 0)]
    pub trainable_blocks: usize,
    /// `balanced`: each genre counts the same in the loss; `none`.
    #[arg(long, default_value = "balanced", value_parser = ["balanced", "none"])]
    pub class_weights: String,
    /// `imagenet` (fetched with `mgr weights fetch imagenet-vgg16`), a file of `mgr weights`, or `none` to draw them.
    #[arg(long, default_value = "imagenet")]
    pub weights: String,
    /// Seed of the initial weights and the order of pictures.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

#[derive(Args)]
pub struct Train {
    /// The folder that was prepared.
    #[arg(long, default_value = "out/music_featurization")]
    pub work: PathBuf,
    #[command(flatten)]
    pub training: Training,
}

#[derive(Args)]
pub struct Choose {
    /// The folder that was prepared.
    #[arg(long, default_value = "out/music_featurization")]
    pub work: PathBuf,
    /// The epoch, in place of the one with the best validation accuracy.
    #[arg(long)]
    pub epoch: Option<usize>,
}

#[derive(Args)]
pub struct Test {
    /// The folder that was prepared.
    #[arg(long, default_value = "out/music_featurization")]
    pub work: PathBuf,
    /// Pictures at a time; the result does not hang on it.
    #[arg(long, default_value_t = 16)]
    pub batch: usize,
}

#[derive(Args)]
pub struct Features {
    /// The folder that was prepared.
    #[arg(long, default_value = "out/music_featurization")]
    pub work: PathBuf,
    /// Parts whose clips are written: train, val, test.
    #[arg(long, value_delimiter = ',', default_value = "test")]
    pub parts: Vec<String>,
    /// Pictures at a time.
    #[arg(long, default_value_t = 16)]
    pub batch: usize,
}

#[derive(Args)]
pub struct All {
    #[command(flatten)]
    pub prepare: Prepare,
    #[command(flatten)]
    pub training: Training,
}

#[derive(Args)]
pub struct Results {
    /// The folder of the published outputs: prediction.npy, prediction_probabilities.npy, music_dataset.csv, res.txt.
    #[arg(long)]
    pub results: PathBuf,
    /// Folder of the report.
    #[arg(long, default_value = "out/music_featurization_results")]
    pub out: PathBuf,
}

#[derive(Args)]
pub struct Bahuleyan {
    /// The dataset: folder, audioset, gtzan, manifest, ... (`mgr data list`).
    #[arg(long, default_value = "folder")]
    pub dataset: String,
    /// Its folder; the embedded synthetic corpus where none is named.
    #[arg(long)]
    pub root: Option<PathBuf>,
    /// Folder of the report.
    #[arg(long, default_value = "out/bahuleyan")]
    pub out: PathBuf,
    /// CSV with the columns `track` and `artist`: artists stay on one side of the split.
    #[arg(long)]
    pub groups: Option<PathBuf>,
    /// Stratified folds; 1 for one split of 90 / 5 / 5 as published.
    #[arg(long, default_value_t = 3)]
    pub folds: usize,
    /// Keep the original's fourth bandwidth, which is its third again, and its rounding to three decimals.
    #[arg(long)]
    pub as_published: bool,
    /// Trees of the forest, and of boosting for each genre.
    #[arg(long, default_value_t = 500)]
    pub trees: usize,
    /// Work folder of a network that was tested on clips of this dataset: its scores and those of boosting are averaged.
    #[arg(long)]
    pub network: Option<PathBuf>,
    /// Also the feed-forward baseline on pictures of so many pixels a side; 0 for none.
    #[arg(long, default_value_t = 0)]
    pub pixels: usize,
    /// Go on where some files are not there.
    #[arg(long)]
    pub allow_missing: bool,
    /// Leave genres with fewer clips out.
    #[arg(long, default_value_t = 0)]
    pub least: usize,
    /// Seed of folds and classifiers.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// Settings of the originals without an equivalent. They have no command line: these are names in their programs.
pub const FOREIGN: &[Foreign] = &[
    Foreign {
        name: "steps_per_epoch",
        instead: "every training clip is seen in every epoch, those of the last batch too; leave it away",
    },
    Foreign {
        name: "validation_steps",
        instead: "every validation clip counts, those of the last batch too; leave it away",
    },
    Foreign { name: "cuda_visible_devices", instead: "networks run on the processor; leave it away" },
    Foreign { name: "num_classes", instead: "the dataset says how many genres there are; leave it away" },
    Foreign { name: "img_height", instead: "say --size N: pictures are square" },
    Foreign { name: "img_width", instead: "say --size N: pictures are square" },
    Foreign { name: "num_epochs", instead: "say --epochs N" },
    Foreign { name: "batch_size", instead: "say --batch N" },
    Foreign { name: "l2_lambda", instead: "say --l2 N" },
    Foreign { name: "res_dir", instead: "say --work DIR" },
    Foreign { name: "wav_dir", instead: "say --root DIR" },
];

#[allow(dead_code)]
fn main() -> ExitCode {
    end("music_featurization", FOREIGN, run)
}

pub fn run(study: &Study, command: &str) -> Result<()> {
    match &study.step {
        Step::Prepare(flags) => prepare(flags),
        Step::Train(flags) => network::train(flags),
        Step::Choose(flags) => network::choose(flags),
        Step::Test(flags) => network::test(flags, command),
        Step::Features(flags) => network::features(flags),
        Step::All(All { prepare: first, training }) => {
            prepare(first)?;
            let work = first.work.clone();
            network::train(&Train { work: work.clone(), training: training.clone() })?;
            network::choose(&Choose { work: work.clone(), epoch: None })?;
            network::test(&Test { work: work.clone(), batch: 16 }, command)?;
            network::features(&Features { work, parts: vec!["test".to_owned()], batch: 16 })
        }
        Step::Results(flags) => results(flags, command),
        Step::Bahuleyan(flags) => bahuleyan(flags, command),
    }
}

/// Pictures and lists. A clip with several of the six tags has the most specific one; see `Labels::Six` of mgr-data.
fn prepare(flags: &Prepare) -> Result<()> {
    let clips = clips::collection(&Wanted {
        dataset: &flags.dataset,
        root: flags.root.as_deref(),
        groups: flags.groups.as_deref(),
        allow_missing: flags.allow_missing,
        least: flags.least,
    })?;
    let division = match flags.split.as_str() {
        "published" => Division::Published,
        "random" => Division::Random,
        _ => Division::Usual,
    };
    let work = Output::create(&flags.work)?;
    let sizes = [flags.size, flags.split_seed];
    let about = preparation::prepare(&clips, division, flags.lists.as_deref(), sizes, &work)?;
    if let Some(root) = flags.root.as_deref().filter(|_| flags.dataset.starts_with("magnatagatune")) {
        preparation::write_tags(root, &work)?;
    }
    println!("{}: {}; {}", about.dataset, about.classes.join(", "), about.split);
    about.notes.iter().take(5).for_each(|note| println!("note: {note}"));
    Ok(())
}

#[cfg(not(feature = "nets"))]
mod network {
    use super::{Choose, Features, Result, Test, Train};

    const REASON: &str = "networks need libtorch: build with the default features";

    pub fn train(_: &Train) -> Result<()> {
        Err(REASON.to_owned())
    }

    pub fn choose(_: &Choose) -> Result<()> {
        Err(REASON.to_owned())
    }

    pub fn test(_: &Test, _: &str) -> Result<()> {
        Err(REASON.to_owned())
    }

    pub fn features(_: &Features) -> Result<()> {
        Err(REASON.to_owned())
    }
}

#[cfg(feature = "nets")]
mod network {
    use examples::studies::music_featurization::network as steps;
    use examples::studies::music_featurization::preparation::{PARTS, Prepared};
    use examples::studies::music_featurization::results::Sheet;
    use examples::studies::picture_parts::output::section;
    use examples::studies::picture_parts::spoken::with_interval;
    use examples::studies::picture_parts::training::curve;
    use mgr_eval::figure::{Caption, learning_curve_figure};
    use mgr_eval::report::{Block, Protocol};
    use mgr_models::train::History;
    use ndarray::Array1;
    use ndarray_npy::write_npy;

    use super::*;

    /// One file for each epoch, `models/epoch_06_0.8451.safetensors`, and the curves.
    pub fn train(flags: &Train) -> Result<()> {
        let prepared = Prepared::read(&flags.work, [true, true, false])?;
        let Training { epochs, batch, learning_rate, l2, dropout, trainable_blocks, seed, .. } =
            flags.training;
        let training = steps::Training {
            epochs,
            batch,
            learning_rate,
            l2,
            dropout,
            trainable_blocks,
            seed,
            balanced: flags.training.class_weights == "balanced",
            weights: flags.training.weights.clone(),
        };
        let work = Output::create(&flags.work)?;
        let fit = steps::train(&prepared, &training, &work.path("models"))?;
        let caption = Caption { name: "learning_curves", title: "Loss and accuracy" };
        let figure =
            learning_curve_figure(caption, &[curve(&fit.history, fit.selected_epoch)]).map_err(sentence)?;
        work.write("figures/learning_curves.svg", figure.svg.as_bytes())?;
        work.write("figures/learning_curves.png", &figure.png)
    }

    /// Writes down which epoch is tested.
    pub fn choose(flags: &Choose) -> Result<()> {
        let work = Output::create(&flags.work)?;
        let chosen = steps::choose(&work.path("models"), flags.epoch)?;
        println!(
            "epoch {}: validation accuracy {:.4}, loss {:.4}",
            chosen.epoch, chosen.validation_accuracy, chosen.validation_loss
        );
        work.json("models/chosen.json", &chosen)
    }

    /// The sheet, the predictions and the report of the test part: all of it, the last batch too, and scores that are a softmax over
    /// each clip and not over a batch.
    pub fn test(flags: &Test, command: &str) -> Result<()> {
        let prepared = Prepared::read(&flags.work, [false, false, true])?;
        let work = Output::create(&flags.work)?;
        let (chosen, network) = steps::chosen(&work.path("models"))?;
        let rows = &prepared.parts[2];
        let scores = steps::scores(network.as_ref(), &prepared, rows, flags.batch)?;
        let run = RunDescription {
            dataset: prepared.about.dataset.clone(),
            split: prepared.about.split.clone(),
            protocol: format!(
                "epoch {} chosen on the validation part; the test part asked once",
                chosen.epoch
            ),
            published: (prepared.about.dataset == "magnatagatune_six"
                && prepared.about.split.starts_with("as published"))
            .then_some(Protocol::MagnaTagATuneSix),
            known_leaks: prepared.about.leaks.clone(),
            command: command.to_owned(),
            ..RunDescription::default()
        };
        let mut found = steps::classification(&prepared, rows, &scores, run);
        let text = std::fs::read_to_string(work.path("models/history.json")).map_err(sentence)?;
        let history: History = serde_json::from_str(&text).map_err(sentence)?;
        found.histories = vec![curve(&history, chosen.epoch)];
        let (truth, predicted): (Vec<usize>, Vec<usize>) =
            found.clips.iter().map(|c| (c.class, c.predicted)).unzip();
        let sheet = Sheet::new(&truth, &predicted, &scores)?;
        work.write("results/res.txt", sheet.to_text().as_bytes())?;
        let numbers_of: Array1<i64> = predicted.iter().map(|&p| p as i64).collect();
        write_npy(work.path("results/prediction.npy"), &numbers_of).map_err(sentence)?;
        write_npy(work.path("results/prediction_probabilities.npy"), &scores).map_err(sentence)?;
        work.classification("results/", &found)?;
        let mut report = found.report().map_err(sentence)?;
        report.sections.insert(
            0,
            section("Beside the published figures", "beside", vec![Block::Table(shown::beside(&sheet))]),
        );
        println!(
            "{} test clips: {}",
            truth.len(),
            with_interval(sheet.matrix.correct(), sheet.matrix.total())?
        );
        work.report(&report)
    }

    /// Both layouts, without a header.
    pub fn features(flags: &Features) -> Result<()> {
        if let Some(other) = flags.parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
            return Err(format!("--parts names {other}, there are {}", PARTS.join(", ")));
        }
        let wanted = PARTS.map(|part| flags.parts.iter().any(|p| p == part));
        let prepared = Prepared::read(&flags.work, wanted)?;
        let work = Output::create(&flags.work)?;
        let (_, network) = steps::chosen(&work.path("models"))?;
        let rows: Vec<usize> = prepared.parts.concat();
        let features = steps::features(network.as_ref(), &prepared, &rows, flags.batch)?;
        let [by_file, by_genre] = steps::layouts(&prepared, &rows, &features);
        work.write("results/music_dataset_testing.csv", by_file.as_bytes())?;
        work.write("results/music_dataset.csv", by_genre.as_bytes())?;
        println!(
            "{} clips of {} numbers: {}",
            rows.len(),
            features.ncols(),
            work.path("results/music_dataset.csv").display()
        );
        Ok(())
    }
}

/// The published outputs, measured anew.
fn results(flags: &Results, command: &str) -> Result<()> {
    let published = Published::read(&flags.results)?;
    let [sheet, of_rows] = published.sheets()?;
    shown::results(&published, &sheet, &of_rows, command, &Output::create(&flags.out)?)
}

/// Bahuleyan's study, step by step.
fn bahuleyan(flags: &Bahuleyan, command: &str) -> Result<()> {
    let clips = clips::collection(&Wanted {
        dataset: &flags.dataset,
        root: flags.root.as_deref(),
        groups: flags.groups.as_deref(),
        allow_missing: flags.allow_missing,
        least: flags.least,
    })?;
    let out = Output::create(&flags.out)?;
    let mut imaging = Imaging {
        mel: presets::music_featurization(),
        pre_emphasis: true,
        seconds: None,
        columns: None,
        size: None,
        colors: ColorMap::Jet,
    };
    let table = handcrafted::features(&clips, &imaging.plan()?, flags.as_published)?;
    table.table()?.write(&out.path("features.csv")).map_err(sentence)?;
    println!("{}: {} clips of {} features", clips.name, table.ids.len(), table.columns.len());
    let (folds, split) = handcrafted::folds_of(&table, flags.folds, flags.seed)?;
    let run = RunDescription {
        dataset: clips.name.clone(),
        split: split.clone(),
        protocol: "columns scaled from 0 to 1 on the training part; every clip tested once".to_owned(),
        known_leaks: if clips::knows_artists(&clips) {
            Vec::new()
        } else {
            vec!["Artists are not known, so they stand on both sides of the split.".to_owned()]
        },
        seeds: vec![flags.seed],
        command: command.to_owned(),
        ..RunDescription::default()
    };

    // Four classifiers on all columns.
    let all = handcrafted::all_columns(&table, folds.len());
    let mut systems: Vec<(String, Classification, &str)> = Vec::new();
    let (mut boosted, mut importances): (Option<Verdicts>, Vec<Vec<f64>>) = (None, Vec::new());
    let published = [
        ("logistic", ".53 / .47 / .822"),
        ("random_forest", ".54 / .48 / .840"),
        ("svm", ".57 / .52 / .856"),
        ("boosting", ".59 / .55 / .865"),
    ];
    for ((name, learner), (_, stated)) in
        handcrafted::classifiers(flags.trees, flags.seed).into_iter().zip(published)
    {
        let (verdicts, importance) = handcrafted::verdicts(&table, &learner, &folds, &all)?;
        systems.push((name.to_owned(), shown::told(name, &verdicts, &table, &run)?, stated));
        if name == "boosting" {
            (boosted, importances) = (Some(verdicts), importance);
        }
    }
    let boosted = boosted.ok_or("boosting was not fitted")?;

    // The columns that matter most to boosting in each fold's training part, and the two families of columns.
    for (most, stated) in [(10, ".47 / – / .803"), (20, ".52 / – / .837"), (30, ".55 / – / .845")] {
        let columns = handcrafted::top_columns(&importances, most);
        let (verdicts, _) =
            handcrafted::verdicts(&table, &handcrafted::boosting(flags.trees, flags.seed), &folds, &columns)?;
        let name = format!("boosting, {most} columns");
        systems.push((name.clone(), shown::told(&name, &verdicts, &table, &run)?, stated));
    }
    let families = [
        ("boosting, time domain", 0..TIME_DOMAIN, ".40 / – / .731"),
        ("boosting, frequency domain", TIME_DOMAIN..table.columns.len(), ".57 / – / .857"),
    ];
    for (name, columns, stated) in families {
        let columns = vec![columns.collect::<Vec<usize>>(); folds.len()];
        let (verdicts, _) =
            handcrafted::verdicts(&table, &handcrafted::boosting(flags.trees, flags.seed), &folds, &columns)?;
        systems.push((name.to_owned(), shown::told(name, &verdicts, &table, &run)?, stated));
    }

    // The baseline on raw pixels.
    if flags.pixels > 0 {
        imaging.size = Some([flags.pixels; 2]);
        let pixels = handcrafted::pixels(&clips, &table, &imaging)?;
        let columns = handcrafted::all_columns(&pixels, folds.len());
        let (verdicts, _) =
            handcrafted::verdicts(&pixels, &handcrafted::feed_forward(flags.seed), &folds, &columns)?;
        systems.push((
            "feed-forward on pixels".to_owned(),
            shown::told("feed-forward on pixels", &verdicts, &table, &run)?,
            ".43 / .33 / .759",
        ));
    }

    // The mean of a network's scores and boosting's, on the network's test clips.
    if let Some(work) = &flags.network {
        let scores: BTreeMap<String, Vec<f64>> =
            handcrafted::network_scores(&work.join("results/predictions.csv"), &table)?;
        let both = boosted.mean_with(&table, &scores)?;
        let network = Verdicts {
            scores: ndarray::Array2::from_shape_fn((both.rows.len(), table.classes.len()), |(at, class)| {
                scores[&table.ids[both.rows[at]]][class]
            }),
            ..both.clone()
        };
        for (name, verdicts, stated) in [
            ("network, its test clips", &network, ".63 / .61 / .891"),
            ("boosting, the network's test clips", &boosted.only(&table, &scores), ".59 / .55 / .865"),
            ("mean of network and boosting", &both, ".65 / .62 / .894"),
        ] {
            systems.push((name.to_owned(), shown::told(name, verdicts, &table, &run)?, stated));
        }
    }
    shown::bahuleyan(&out, &table, &systems, &importances, &run, &split)
}
