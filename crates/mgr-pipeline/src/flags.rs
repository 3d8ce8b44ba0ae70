//! The flags of a run, the same for `mgr run` and the examples.

use std::path::{Path, PathBuf};

use clap::Args;
use mgr_data::sources;

use crate::{PipelineError, RunConfig};

/// A configuration file, and flags that win over it.
#[derive(Debug, Clone, Default, Args)]
pub struct RunFlags {
    /// TOML file of the run; every key of it can also be given by --set. Default: the embedded synthetic corpus.
    #[arg(value_name = "CONFIG")]
    pub file: Option<PathBuf>,
    /// The same, by name.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub config: Option<PathBuf>,
    /// A key and its value, as `--set folds=5` or `--set 'features=["mel", "ssd"]'`; again for more.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// `demo`, the embedded synthetic corpus, or a folder of genre/file.ext (or `folder`, or a name of `mgr data list`, for what --root
    /// names).
    #[arg(long, value_name = "DIR")]
    pub dataset: Option<PathBuf>,
    /// Folder of genre/file.ext, or of the dataset that --dataset names.
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// What to use instead of making folds: a folder of split files (test_split_0.txt, train_split_0.txt, ...), or one that
    /// `mgr data split` wrote.
    #[arg(long, value_name = "PATH")]
    pub splits: Option<PathBuf>,
    /// Names of features with commas between them.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub features: Option<Vec<String>>,
    /// Seconds of a segment.
    #[arg(long, value_name = "S")]
    pub segment_seconds: Option<f64>,
    /// Segments of a clip, from its middle.
    #[arg(long, value_name = "N")]
    pub segments: Option<usize>,
    /// Clips shorter than all segments: `repeat` them to that length, or `own`, as many segments as there are.
    #[arg(long, value_name = "RULE")]
    pub short_clip: Option<String>,
    /// CSV with the columns track and artist: clips of one artist stay in one fold.
    #[arg(long, value_name = "CSV")]
    pub groups: Option<PathBuf>,
    /// Folder for everything the run writes.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Folder for the corpus, the computed features and imported weights.
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Folder of published weight files, for features that need them.
    #[arg(long, value_name = "DIR")]
    pub weights: Option<PathBuf>,
    /// Train on all clips with no test fold, for use on new files.
    #[arg(long = "final")]
    pub final_fit: bool,
    /// `nested`, or `published`: chosen on the test folds, as the published system does.
    #[arg(long, value_name = "NAME")]
    pub protocol: Option<String>,
    /// `smoke`, `quick` or `full`.
    #[arg(long, value_name = "NAME")]
    pub budget: Option<String>,
    /// Number of folds.
    #[arg(long, value_name = "N")]
    pub folds: Option<usize>,
    /// Epochs of an encoder.
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Seconds of training at most, by an estimate.
    #[arg(long, value_name = "S")]
    pub seconds: Option<f64>,
    /// Seed of folds, weights and shuffling.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Number of seeds, one run each, and a summary.
    #[arg(long, value_name = "N")]
    pub seeds: Option<usize>,
    /// Clips and encoders worked on at a time; results do not depend on it.
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Replace a run of other clips or folds that the output folder holds.
    #[arg(long)]
    pub fresh: bool,
}

impl RunFlags {
    /// The configuration: the file's keys, then `--set`, then the flags.
    ///
    /// # Errors
    /// [`PipelineError::ConfigFile`] for a file that cannot be read, an unknown key, a value of the wrong kind.
    pub fn configuration(&self) -> Result<RunConfig, PipelineError> {
        let file = self.file.as_deref().or(self.config.as_deref());
        let mut table = file.map(RunConfig::read_table).transpose()?.unwrap_or_default();
        for pair in &self.set {
            let refuse =
                |reason: String| PipelineError::ConfigFile { path: format!("--set {pair}").into(), reason };
            let (key, value) = pair.split_once('=').ok_or_else(|| refuse("expected KEY=VALUE".into()))?;
            let value = value.trim();
            // A word without quotes is a string.
            let parsed: Result<toml::Table, _> = format!("v = {value}").parse();
            let parsed =
                parsed.or_else(|_| format!("v = {}", toml::Value::from(value)).parse::<toml::Table>());
            let mut parsed = parsed.map_err(|e| refuse(e.message().to_owned()))?;
            insert(&mut table, key.trim(), parsed.remove("v").unwrap_or_else(|| value.into()));
        }
        let own = table.get("dataset").and_then(toml::Value::as_str);
        let named_in_file = own.is_some_and(|name| name != "demo");
        let mut put = |key: &str, value: Option<toml::Value>| {
            if let Some(value) = value {
                table.insert(key.to_owned(), value);
            }
        };
        let path = |path: &Option<PathBuf>| path.as_ref().map(|p| p.to_string_lossy().into_owned().into());
        match (self.dataset.as_deref(), &self.root) {
            (Some(name), Some(_)) => put("dataset", Some(name.to_string_lossy().into_owned().into())),
            (Some(name), None) if in_words(name) => put("dataset", name.to_str().map(Into::into)),
            (Some(folder), None) => {
                put("dataset", Some("folder".into()));
                put("root", Some(folder.to_string_lossy().into_owned().into()));
            }
            (None, Some(_)) if !named_in_file => put("dataset", Some("folder".into())),
            (None, _) => {}
        }
        put("root", path(&self.root));
        put("splits", path(&self.splits));
        put("features", self.features.clone().map(toml::Value::from));
        put("segment-seconds", self.segment_seconds.map(Into::into));
        put("short-clip", self.short_clip.clone().map(Into::into));
        put("groups", path(&self.groups));
        put("out", path(&self.out));
        put("cache", path(&self.cache));
        put("weights", path(&self.weights));
        put("final", self.final_fit.then_some(true.into()));
        put("protocol", self.protocol.clone().map(Into::into));
        put("budget", self.budget.clone().map(Into::into));
        let whole = |number: Option<usize>| {
            number.map(|n| toml::Value::Integer(i64::try_from(n).unwrap_or(i64::MAX)))
        };
        put("segments", whole(self.segments));
        put("folds", whole(self.folds));
        put("epochs", whole(self.epochs));
        put("seconds", self.seconds.map(Into::into));
        put("seed", self.seed.map(|n| toml::Value::Integer(i64::try_from(n).unwrap_or(i64::MAX))));
        put("seeds", whole(self.seeds));
        put("threads", whole(self.threads));
        put("fresh", self.fresh.then_some(true.into()));
        // A corpus asked for by flag wins over the file's folder.
        if table.get("dataset").and_then(toml::Value::as_str) == Some("demo") && self.root.is_none() {
            table.remove("root");
        }
        RunConfig::from_table(table, file.unwrap_or(Path::new("flags")))
    }
}

/// Whether `--dataset` names a dataset rather than a folder.
fn in_words(name: &Path) -> bool {
    let known = |name: &str| matches!(name, "demo" | "folder") || sources::named(name).is_some();
    name.to_str().is_some_and(known) && (name.as_os_str() == "demo" || !name.is_dir())
}

/// Puts a value under a key with dots, `learner.scaler`.
fn insert(table: &mut toml::Table, key: &str, value: toml::Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let Some(inner) = inner.as_table_mut() {
                insert(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: RunFlags,
    }

    fn parse(line: &[&str]) -> Result<RunConfig, PipelineError> {
        Line::parse_from(std::iter::once(&"run").chain(line)).flags.configuration()
    }

    #[test]
    fn flags_win_over_set_and_set_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.toml");
        std::fs::write(&file, "epochs = 3\nfolds = 5\nshort-clip = \"own\"\n").unwrap();
        let file = file.to_str().unwrap();
        let config =
            parse(&[file, "--set", "folds=4", "--epochs", "9", "--dataset", "music", "--fresh"]).unwrap();
        assert_eq!((config.epochs, config.folds, config.fresh), (Some(9), 4, true));
        assert_eq!(config.root.as_deref(), Some(Path::new("music")));
        let config =
            parse(&["--config", file, "--dataset", "folder", "--root", "songs", "--features", "mel,ssd"])
                .unwrap();
        assert_eq!((config.root.as_deref(), config.folds), (Some(Path::new("songs")), 5));
        assert_eq!(config.features, ["mel", "ssd"]);
        let named = |line: &[&str]| parse(line).unwrap().dataset;
        let ballroom = crate::DatasetKind::Named("ballroom".into());
        assert_eq!(named(&["--dataset", "ballroom", "--root", "songs"]), ballroom);
        assert_eq!(named(&["--dataset", "ballroom"]), ballroom);
        assert!(parse(&["--dataset", "ballroom"]).unwrap().check().unwrap_err().to_string().contains("root"));
        assert_eq!(named(&["--dataset", "no_dataset"]), crate::DatasetKind::Folder);
        let wrong = parse(&["--dataset", "no_dataset", "--root", "songs"]).unwrap().check().unwrap_err();
        assert!(wrong.to_string().contains("fma_small"), "{wrong}");
        std::fs::write(folder.path().join("named.toml"), "dataset = \"ballroom\"\nroot = \"a\"\n").unwrap();
        let file = folder.path().join("named.toml");
        assert_eq!(named(&[file.to_str().unwrap(), "--root", "b"]), ballroom);
        let config = parse(&["--set", "features=[\"mel\", \"ssd\"]", "--set", "verdict=sum"]).unwrap();
        assert_eq!(config.features, ["mel", "ssd"]);
        assert_eq!(config.verdict, crate::VerdictRule::Sum);
    }

    #[test]
    fn a_wrong_key_is_named_with_its_place() {
        let message = parse(&["--set", "epoch=3"]).unwrap_err().to_string();
        assert!(message.contains("epoch"), "{message}");
        assert!(parse(&["--set", "epochs"]).unwrap_err().to_string().contains("KEY=VALUE"));
        assert!(parse(&["--protocol", "lucky"]).unwrap_err().to_string().contains("lucky"));
    }
}
