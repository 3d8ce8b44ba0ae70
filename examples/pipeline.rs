//! The main job: a dataset in, a cross-validated verdict and a report out.
//!
//! ```text
//! cargo run --release --example pipeline                                   # the embedded synthetic corpus
//! cargo run --release --example pipeline -- --dataset folder --root DIR    # your folder of genre/file.ext
//! cargo run --release --example pipeline -- --config run.toml --epochs 30  # a file, and flags over it
//! ```
//! Every flag is also a key of the same name in the file. Killed and started again, it goes on where it stopped.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use mgr_pipeline::progress::{Bars, Progress};
use mgr_pipeline::{PipelineError, RunConfig, run};
use serde::Serialize;

/// Recognises genres: trains and tests on a dataset in stratified folds, and writes a report.
#[derive(Parser, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Flags {
    /// TOML file with keys named like the flags; flags win over it.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// Where the clips come from: `demo`, the embedded synthetic corpus, or `folder` [default: demo].
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset: Option<String>,
    /// Folder of genre/file.ext, for the dataset `folder`.
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<PathBuf>,
    /// CSV with the columns `track` (file name without extension) and `artist`: clips of one artist stay in one fold.
    #[arg(long, value_name = "CSV")]
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<PathBuf>,
    /// Folder of split files (test_split_0.txt, train_split_0.txt, ...) to use instead of making folds.
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    splits: Option<PathBuf>,
    /// Folder for everything the run writes [default: out/run].
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<PathBuf>,
    /// Folder for the embedded corpus and the computed features [default: the user's cache folder].
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<PathBuf>,
    /// Clips of each style in the embedded corpus [default: 16].
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    clips_per_style: Option<usize>,
    /// Number of folds [default: 3].
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    folds: Option<usize>,
    /// Share of the training clips set aside to choose the epoch on [default: 0.2].
    #[arg(long, value_name = "SHARE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<f64>,
    /// Seed of folds, initial weights and shuffling [default: 1].
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// Sampling rate that clips are brought to [default: 16000].
    #[arg(long, value_name = "HZ")]
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_rate: Option<u32>,
    /// Length of the transform in samples [default: 1024].
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    n_fft: Option<usize>,
    /// Samples from one frame to the next [default: 512].
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    hop_length: Option<usize>,
    /// Mel bands [default: 96].
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    n_mels: Option<usize>,
    /// Seconds of a segment [default: 10].
    #[arg(long, value_name = "S")]
    #[serde(skip_serializing_if = "Option::is_none")]
    segment_seconds: Option<f64>,
    /// Segments of a clip, from its middle [default: 3].
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<usize>,
    /// Clips shorter than all segments: `repeat` them to that length, or `own`, as many segments as there are [default: repeat].
    #[arg(long, value_name = "RULE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    short_clip: Option<String>,
    /// Epochs of training [default: 20].
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    epochs: Option<usize>,
    /// Segments in a training step [default: 32].
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_size: Option<usize>,
    /// Learning rate at the start; it falls to zero along a half cosine [default: 0.001].
    #[arg(long, value_name = "RATE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    learning_rate: Option<f64>,
    /// End training after so many epochs without a better one on the validation part [default: never].
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    patience: Option<usize>,
    /// Clips and folds worked on at a time; results do not depend on it [default: all cores].
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    threads: Option<usize>,
    /// Replace a run of another configuration that the output folder holds.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    fresh: Option<bool>,
}

/// The file's keys, and the flags over them.
fn configuration(flags: &Flags) -> Result<RunConfig, PipelineError> {
    let mut table = flags.config.as_deref().map(RunConfig::read_table).transpose()?.unwrap_or_default();
    let origin = flags.config.as_deref().unwrap_or(Path::new("flags"));
    let given = toml::Table::try_from(flags)
        .map_err(|e| PipelineError::ConfigFile { path: "flags".into(), reason: e.to_string() })?;
    table.extend(given);
    RunConfig::from_table(table, origin)
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let bars = Bars::new();
    let start = Instant::now();
    match configuration(&flags).and_then(|config| run::run(&config, &bars)) {
        Ok(finished) => {
            let score = &finished.results.scores[0];
            bars.say(&format!(
                "accuracy {:.1} % ({:.1} to {:.1} %), macro F1 {:.1} %, in {:.0} s",
                100.0 * score.accuracy,
                100.0 * score.low,
                100.0 * score.high,
                100.0 * score.macro_f1,
                start.elapsed().as_secs_f64()
            ));
            println!("report: {}", finished.report.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("pipeline: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_flag_is_a_key_and_every_key_a_flag() {
        let some = RunConfig {
            root: Some("x".into()),
            groups: Some("x".into()),
            splits: Some("x".into()),
            cache: Some("x".into()),
            patience: Some(1),
            threads: Some(1),
            ..RunConfig::default()
        };
        let keys: std::collections::BTreeSet<String> =
            toml::Table::try_from(&some).unwrap().keys().cloned().collect();
        let flags: std::collections::BTreeSet<String> = Flags::command()
            .get_arguments()
            .filter_map(|a| a.get_long().map(str::to_owned))
            .filter(|a| a != "config")
            .collect();
        assert_eq!(keys, flags);
    }

    #[test]
    fn flags_win_over_the_file() {
        let folder = std::env::temp_dir().join(format!("mgr-pipeline-flags-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("run.toml");
        std::fs::write(&file, "epochs = 3\nfolds = 5\nshort-clip = \"own\"\n").unwrap();
        let parse = |extra: &[&str]| {
            let start = ["pipeline", "--config", file.to_str().unwrap()];
            configuration(&Flags::parse_from(start.iter().chain(extra)))
        };
        let config = parse(&["--epochs", "9", "--dataset", "folder", "--root", "music", "--fresh"]).unwrap();
        assert_eq!((config.epochs, config.folds, config.fresh), (9, 5, true));
        assert_eq!(config.root.as_deref(), Some(Path::new("music")));
        assert!(parse(&["--dataset", "cloud"]).unwrap_err().to_string().contains("cloud"));
        std::fs::write(&file, "epoch = 3\n").unwrap();
        let message = parse(&[]).unwrap_err().to_string();
        assert!(message.contains("run.toml") && message.contains("epoch"), "{message}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
