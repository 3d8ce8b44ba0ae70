//! What a run is told: one flat configuration, the same names in a TOML file and as flags.

use std::fs;
use std::path::{Path, PathBuf};

use mgr_audio::{SegmentConfig, ShortClip};
use mgr_data::corpus::CorpusConfig;
use mgr_data::front_end::FrontEndConfig;
use mgr_features::{FeatureConfig, presets};
use mgr_models::train::{AdamConfig, OptimiserConfig, Schedule, TrainConfig};
use serde::{Deserialize, Serialize};

use crate::PipelineError;

/// Where the clips come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatasetKind {
    /// The embedded synthetic corpus: to try things out, no measure of quality.
    #[default]
    Demo,
    /// A folder of `genre/file.ext`.
    Folder,
}

/// Configuration of a run. Every field is a key of the same name (with `-` for `_`) in a TOML file, and a flag of the
/// `pipeline` example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunConfig {
    /// Where the clips come from. Default: the embedded corpus.
    pub dataset: DatasetKind,
    /// Folder of `genre/file.ext`; needed for the dataset `folder`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// CSV with the columns `track` and `artist`: clips of one artist stay in one fold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<PathBuf>,
    /// Folder of split files (`test_split_0.txt`, ...) to use instead of making folds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub splits: Option<PathBuf>,
    /// Folder for everything the run writes. Default `out/run`.
    pub out: PathBuf,
    /// Folder for the embedded corpus and the feature store. Default: the user's cache folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<PathBuf>,
    /// Clips of each style in the embedded corpus. Default 16.
    pub clips_per_style: usize,
    /// Number of folds, at least 2. Default 3.
    pub folds: usize,
    /// Share of the training clips set aside to choose the epoch on, over 0 and under 1. Default 0.2.
    pub validation: f64,
    /// Seed of folds, initial weights and shuffling. Default 1.
    pub seed: u64,
    /// Sampling rate in Hz that clips are brought to. Default 16,000.
    pub sample_rate: u32,
    /// Length of the transform in samples. Default 1024.
    pub n_fft: usize,
    /// Samples from one frame to the next. Default 512.
    pub hop_length: usize,
    /// Mel bands. Default 96.
    pub n_mels: usize,
    /// Seconds of a segment. Default 10.
    pub segment_seconds: f64,
    /// Segments of a clip, from its middle. Default 3.
    pub segments: usize,
    /// Clips shorter than all segments: `repeat` them to that length (default), or `own`, as many segments as there are.
    pub short_clip: ShortClip,
    /// Epochs of training. Default 20.
    pub epochs: usize,
    /// Segments in a training step. Default 32.
    pub batch_size: usize,
    /// Learning rate of Adam at the start; it falls to zero along a half cosine. Default 0.001.
    pub learning_rate: f64,
    /// End training after so many epochs without a better one on the validation part. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// Threads: features of so many clips and training of so many folds at a time. Default: all cores. The results do
    /// not depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// Replace a run of another configuration that the output folder holds. Default false.
    pub fresh: bool,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            dataset: DatasetKind::Demo,
            root: None,
            groups: None,
            splits: None,
            out: PathBuf::from("out/run"),
            cache: None,
            clips_per_style: 16,
            folds: 3,
            validation: 0.2,
            seed: 1,
            sample_rate: 16_000,
            n_fft: 1024,
            hop_length: 512,
            n_mels: 96,
            segment_seconds: 10.0,
            segments: 3,
            short_clip: ShortClip::Repeat,
            epochs: 20,
            batch_size: 32,
            learning_rate: 1e-3,
            patience: None,
            threads: None,
            fresh: false,
        }
    }
}

/// The published segmentation brings clips to 661,795 samples for three segments of 220,500.
const CLIP_OVER_SEGMENTS: f64 = 661_795.0 / 661_500.0;

/// Samples, and values of the feature, that one clip may come to: 2^28, a gigabyte each.
const LARGEST_CLIP: f64 = 268_435_456.0;

impl RunConfig {
    /// Reads a TOML file as a table, to be merged with flags before it is made a configuration.
    ///
    /// # Errors
    /// [`PipelineError::ConfigFile`] when it cannot be read or is no TOML.
    pub fn read_table(path: &Path) -> Result<toml::Table, PipelineError> {
        let refuse = |reason: String| PipelineError::ConfigFile { path: path.to_path_buf(), reason };
        let text = fs::read_to_string(path).map_err(|e| refuse(e.to_string()))?;
        text.parse().map_err(|e: toml::de::Error| refuse(e.to_string()))
    }

    /// Makes a configuration of a table; keys that are absent take their default.
    ///
    /// # Errors
    /// [`PipelineError::ConfigFile`] with the key that is unknown or of the wrong kind; `origin` names where it stands.
    pub fn from_table(table: toml::Table, origin: &Path) -> Result<Self, PipelineError> {
        table.try_into().map_err(|e: toml::de::Error| PipelineError::ConfigFile {
            path: origin.to_path_buf(),
            reason: e.message().to_owned(),
        })
    }

    /// Checks what can be known before any file is touched.
    ///
    /// # Errors
    /// [`PipelineError::Config`], [`PipelineError::Model`], [`PipelineError::Data`].
    pub fn check(&self) -> Result<(), PipelineError> {
        if self.dataset == DatasetKind::Folder && self.root.is_none() {
            return Err(PipelineError::config(
                "root",
                "not given",
                "a folder of genre/file.ext, for the dataset folder",
            ));
        }
        if self.dataset == DatasetKind::Demo && self.root.is_some() {
            return Err(PipelineError::config("dataset", "demo", "folder, when a root is given"));
        }
        if self.splits.is_none() && self.folds < 2 {
            return Err(PipelineError::config("folds", self.folds, "2 or more"));
        }
        if !(self.validation > 0.0 && self.validation < 1.0) {
            return Err(PipelineError::config("validation", self.validation, "over 0 and under 1"));
        }
        if self.threads == Some(0) {
            return Err(PipelineError::config("threads", 0, "1 or more"));
        }
        if !(0.01..=3600.0).contains(&self.segment_seconds) {
            return Err(PipelineError::config("segment-seconds", self.segment_seconds, "0.01 to 3600"));
        }
        if !(1..=10_000).contains(&self.segments) {
            return Err(PipelineError::config("segments", self.segments, "1 to 10000"));
        }
        let samples = self.segment_seconds * f64::from(self.sample_rate) * self.segments as f64;
        let values = samples / self.hop_length.max(1) as f64 * self.n_mels as f64;
        if samples.max(values) > LARGEST_CLIP {
            let given =
                format!("{} of {} s at a hop of {}", self.segments, self.segment_seconds, self.hop_length);
            let allowed =
                format!("what gives at most {LARGEST_CLIP} samples and {LARGEST_CLIP} values a clip");
            return Err(PipelineError::config("segments", given, allowed));
        }
        if i64::try_from(self.seed).is_err() {
            return Err(PipelineError::config("seed", self.seed, format!("0 to {}", i64::MAX)));
        }
        self.corpus().plan().map_err(mgr_data::DataError::from)?;
        self.train(0).plan()?;
        self.front_end().plan()?;
        Ok(())
    }

    pub(crate) fn corpus(&self) -> CorpusConfig {
        CorpusConfig { clips_per_style: self.clips_per_style, ..CorpusConfig::default() }
    }

    pub(crate) fn front_end(&self) -> FrontEndConfig {
        let mut log_mel = presets::gtzan8();
        log_mel.mel.stft.n_fft = self.n_fft;
        log_mel.mel.stft.hop_length = self.hop_length;
        log_mel.mel.bank.n_mels = self.n_mels;
        let segment_length = (self.segment_seconds * f64::from(self.sample_rate)).round() as usize;
        let clip_length = ((segment_length * self.segments) as f64 * CLIP_OVER_SEGMENTS).round() as usize;
        let segments = self.segments;
        let short_clip = self.short_clip;
        let segment =
            SegmentConfig { clip_length, segment_length, segments, short_clip, ..SegmentConfig::default() };
        FrontEndConfig { sample_rate: self.sample_rate, segment, feature: FeatureConfig::LogMel(log_mel) }
    }

    pub(crate) fn train(&self, fold: usize) -> TrainConfig {
        TrainConfig {
            epochs: self.epochs,
            batch_size: self.batch_size,
            optimiser: OptimiserConfig::Adam(AdamConfig {
                learning_rate: self.learning_rate,
                ..AdamConfig::default()
            }),
            schedule: Schedule::Cosine { period: self.epochs.max(1), minimum: 0.0 },
            seed: self.fold_seed(fold),
            patience: self.patience,
            // One thread a fold: sums are the same on any machine with the same kind of processor, and folds run side by side.
            threads: Some(1),
            ..TrainConfig::default()
        }
    }

    pub(crate) fn fold_seed(&self, fold: usize) -> u64 {
        self.seed.wrapping_mul(1000).wrapping_add(fold as u64)
    }

    pub(crate) fn workers(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The part that determines results: where things are kept and how many threads work do not belong to it.
    pub(crate) fn essence(&self) -> Self {
        Self { out: PathBuf::new(), cache: None, threads: None, fresh: false, ..self.clone() }
    }
}
