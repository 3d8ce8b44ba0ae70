//! What a run is told: one configuration, the same names in a TOML file and on the command line.

use std::fs;
use std::path::{Path, PathBuf};

use mgr_audio::{SegmentChoice, SegmentConfig, ShortClip, Tail};
use mgr_data::corpus::CorpusConfig;
use mgr_data::sources;
use mgr_learn::{LdaConfig, LearnerConfig, PipelineConfig, SvcConfig};
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::budget::Budget;

/// Where the clips come from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum DatasetKind {
    /// The embedded synthetic corpus: to try things out, no measure of quality.
    #[default]
    Demo,
    /// A folder of `genre/file.ext`.
    Folder,
    /// One of [`mgr_data::sources`] by its name, `fma_small` or `ballroom`, laid out as its authors publish it. Its artists (else its
    /// albums) stay in one fold; tracks without a file, and those with no genre or several, are left out.
    Named(String),
}

impl From<String> for DatasetKind {
    fn from(name: String) -> Self {
        match name.as_str() {
            "demo" => Self::Demo,
            "folder" => Self::Folder,
            _ => Self::Named(name),
        }
    }
}

impl From<DatasetKind> for String {
    fn from(kind: DatasetKind) -> Self {
        match kind {
            DatasetKind::Demo => "demo".into(),
            DatasetKind::Folder => "folder".into(),
            DatasetKind::Named(name) => name,
        }
    }
}

/// On which part encoders, epochs and subsets are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// On validation parts inside the training folds; the test fold is asked once. The default.
    #[default]
    Nested,
    /// On the test folds, as the published system does it: optimistic, and the report says so. The nested protocol is run too, so that
    /// both numbers stand side by side.
    Published,
}

/// What encodes spectrograms and other matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatrixEncoder {
    /// The efficient form of the paper's network. The default.
    #[default]
    Efficient,
    /// The paper's network to the letter.
    Published,
    /// A classical learner on the mean and deviation over time of each row.
    Learner,
}

/// What encodes vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VectorEncoder {
    /// A classical learner, see [`RunConfig::learner`]. The default.
    #[default]
    Learner,
    /// The efficient form of the paper's network.
    Efficient,
    /// The paper's network to the letter.
    Published,
}

/// The meta network on the codes of several features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetaKind {
    /// Without the attention over identical heads. The default.
    #[default]
    Efficient,
    /// The paper's network to the letter.
    Published,
    /// A classical learner on the codes side by side, see [`RunConfig::learner`].
    Learner,
    /// None: the sum rule alone.
    None,
}

/// How the scores of several features are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// Each feature counts the same: the mean over its segments. The default.
    #[default]
    Normalised,
    /// Each segment counts the same, so that a feature of three segments has three times the weight of one of the whole clip, as in
    /// the published system.
    Published,
}

/// What says the last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictRule {
    /// The mean of the sum rule over the top subsets and of their meta networks. The default.
    #[default]
    Fused,
    /// The sum rule over the top subsets.
    Sum,
    /// The meta networks of the top subsets.
    Meta,
    /// The mean over all features.
    Average,
    /// Logistic regression on the scores of all features.
    Stacking,
}

/// Configuration of a run. Every field is a key of the same name (with `-` for `_`) in a TOML file, and can be set on the command line
/// by `--set key=value`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunConfig {
    /// Where the clips come from. Default: the embedded corpus.
    pub dataset: DatasetKind,
    /// Folder of `genre/file.ext`, or of the dataset that `dataset` names; needed for both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// CSV with the columns `track` and `artist`: clips of one artist stay in one fold. Default: the artists that a dataset names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<PathBuf>,
    /// What to use instead of making folds: a folder of split files (`test_split_0.txt`, ...), or one that `mgr data split` wrote.
    /// Validation parts in it are chosen on as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub splits: Option<PathBuf>,
    /// Folder for everything the run writes. Default `out/run`.
    pub out: PathBuf,
    /// Folder for the embedded corpus, the feature store and imported weights. Default: the user's cache folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<PathBuf>,
    /// Folder of published weight files, searched by file name for weights that are not imported yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// Clips of each style in the embedded corpus. Default 16.
    pub clips_per_style: usize,
    /// The features, by the names of [`catalogue`](crate::catalogue). Default: the nine of the paper.
    pub features: Vec<String>,
    /// Number of folds, at least 2. Default 3.
    pub folds: usize,
    /// Parts of each training fold that take turns as validation part, at least 2; 1 for a single validation part of the share
    /// `validation`. Default 1.
    pub inner: usize,
    /// Share of the training clips set aside as validation part when `inner` is 1, over 0 and under 1. Default 0.2.
    pub validation: f64,
    /// On which part things are chosen. Default nested.
    pub protocol: Protocol,
    /// Train on all clips, with no test fold, for later use on new files. Default no.
    #[serde(rename = "final")]
    pub final_fit: bool,
    /// Seed of folds, initial weights and shuffling. Default 1.
    pub seed: u64,
    /// Number of runs with seeds `seed`, `seed + 1`, ...; more than one writes a folder for each and a summary. Default 1.
    pub seeds: usize,
    /// How much computing: `smoke`, `quick` or `full`. Default quick.
    pub budget: Budget,
    /// Seconds of training on this machine at most; epochs are cut down to fit, by an estimate made before the run. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Seconds of a segment. Default 10.
    pub segment_seconds: f64,
    /// Segments of a clip, from its middle. Default 3.
    pub segments: usize,
    /// Clips shorter than all segments: `repeat` them to that length (default), or `own`, as many segments as there are, the last of
    /// which ends with the clip.
    pub short_clip: ShortClip,
    /// Whether every clip is scaled to a peak of 1 first. Default no.
    pub normalise_peak: bool,
    /// Encoder of matrices. Default efficient.
    pub matrix_encoder: MatrixEncoder,
    /// Encoder of vectors. Default a learner.
    pub vector_encoder: VectorEncoder,
    /// Whether rows are standardised on the training part; the published system does not. Default yes.
    pub standardise: bool,
    /// Whether networks are trained by cross-entropy on the softmax of the softmax, as in the published system by mistake. Default no.
    pub double_softmax: bool,
    /// Epochs of an encoder. Default: by budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// Segments in a training step. Default: by budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    /// Learning rate at the start. Default: by budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// End training after so many epochs without a better one on the validation part. Default: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// Frames that are drawn of a segment in a training step; all of them where 0. Default: by budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop_frames: Option<usize>,
    /// The meta network. Default efficient.
    pub meta: MetaKind,
    /// Epochs of a meta network. Default: by budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta_epochs: Option<usize>,
    /// Subsets that the meta networks and the fused decision take. Default 6.
    pub top: usize,
    /// How scores are added up. Default normalised.
    pub weighting: Weighting,
    /// What says the last word. Default fused.
    pub verdict: VerdictRule,
    /// Threads: clips and encoders worked on at a time. Default: all cores. The results do not depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// Whether the report tells times and memory; two runs then differ in it. Default yes.
    pub times: bool,
    /// Replace a run of other data or folds that the output folder holds. Default no.
    pub fresh: bool,
    /// The learner, as a table of its own. Default: [`default_learner`].
    pub learner: PipelineConfig,
}

/// The nine features of the paper.
pub const PAPER: [&str; 9] =
    ["mel", "cqt", "harmonic", "percussive", "scatter", "timbre", "rhythm", "ssd", "transfer"];

/// Discriminant analysis with a covariance drawn far to the identity, on standardised columns: it does well with many columns and few
/// rows, and its probabilities need no cross-validation of their own.
#[must_use]
pub fn default_learner() -> PipelineConfig {
    let config = LdaConfig { shrinkage: Some(0.9), ..LdaConfig::default() };
    PipelineConfig::scaled(LearnerConfig::Lda(config))
}

/// A support vector machine with probabilities on standardised columns, for the baselines.
pub(crate) fn baseline_learner() -> PipelineConfig {
    PipelineConfig::scaled(LearnerConfig::Svc(SvcConfig {
        c: 3.0,
        probability: true,
        ..SvcConfig::default()
    }))
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
            weights: None,
            clips_per_style: 16,
            features: PAPER.map(str::to_owned).to_vec(),
            folds: 3,
            inner: 1,
            validation: 0.2,
            protocol: Protocol::default(),
            final_fit: false,
            seed: 1,
            seeds: 1,
            budget: Budget::default(),
            seconds: None,
            segment_seconds: 10.0,
            segments: 3,
            short_clip: ShortClip::Repeat,
            normalise_peak: false,
            matrix_encoder: MatrixEncoder::default(),
            vector_encoder: VectorEncoder::default(),
            standardise: true,
            double_softmax: false,
            epochs: None,
            batch_size: None,
            learning_rate: None,
            patience: None,
            crop_frames: None,
            meta: MetaKind::default(),
            meta_epochs: None,
            top: 6,
            weighting: Weighting::default(),
            verdict: VerdictRule::default(),
            threads: None,
            times: true,
            fresh: false,
            learner: default_learner(),
        }
    }
}

/// The published segmentation brings clips to 661,795 samples for three segments of 220,500.
const CLIP_OVER_SEGMENTS: f64 = 661_795.0 / 661_500.0;

/// Samples that one clip may come to: 2^28, a gigabyte.
const LARGEST_CLIP: f64 = 268_435_456.0;

/// Subsets are searched one by one: 2^16 of them at most.
pub(crate) const MOST_FEATURES: usize = 16;

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
    /// [`PipelineError::Config`], [`PipelineError::Data`], [`PipelineError::Learn`].
    pub fn check(&self) -> Result<(), PipelineError> {
        let refuse = |field, value: String, allowed: &str| {
            Err(PipelineError::config(field, value, allowed.to_owned()))
        };
        if let DatasetKind::Named(name) = &self.dataset
            && sources::named(name).is_none()
        {
            let names: Vec<&str> = sources::all().iter().map(|s| s.facts().name).collect();
            return refuse("dataset", name.clone(), &format!("demo, {}", names.join(", ")));
        }
        if self.dataset != DatasetKind::Demo && self.root.is_none() {
            return refuse(
                "root",
                "not given".into(),
                "the folder of the dataset, of genre/file.ext for the dataset folder",
            );
        }
        if self.dataset == DatasetKind::Demo && self.root.is_some() {
            return refuse("dataset", "demo".into(), "folder or a dataset's name, when a root is given");
        }
        if self.splits.is_none() && !self.final_fit && !(2..=1000).contains(&self.folds) {
            return refuse("folds", self.folds.to_string(), "2 to 1000");
        }
        if !(1..=100).contains(&self.inner) {
            return refuse("inner", self.inner.to_string(), "1 to 100");
        }
        if !(self.validation > 0.0 && self.validation < 1.0) {
            return refuse("validation", self.validation.to_string(), "over 0 and under 1");
        }
        if self.final_fit && self.protocol == Protocol::Published {
            return refuse(
                "final",
                "true".into(),
                "false with the published protocol, which chooses on test folds",
            );
        }
        if self.threads == Some(0) {
            return refuse("threads", "0".into(), "1 or more");
        }
        if !(1..=100).contains(&self.seeds) {
            return refuse("seeds", self.seeds.to_string(), "1 to 100");
        }
        if !(0.01..=3600.0).contains(&self.segment_seconds) {
            return refuse("segment-seconds", self.segment_seconds.to_string(), "0.01 to 3600");
        }
        if !(1..=10_000).contains(&self.segments) {
            return refuse("segments", self.segments.to_string(), "1 to 10000");
        }
        if !matches!(self.short_clip, ShortClip::Repeat | ShortClip::Own) {
            return refuse("short-clip", format!("{:?}", self.short_clip).to_lowercase(), "repeat, own");
        }
        let samples = self.segment_seconds * 22_050.0 * self.segments as f64;
        if samples > LARGEST_CLIP {
            let given = format!("{} of {} s", self.segments, self.segment_seconds);
            return refuse("segments", given, &format!("what gives at most {LARGEST_CLIP} samples a clip"));
        }
        if i64::try_from(self.seed.saturating_add(self.seeds as u64)).is_err() {
            return refuse("seed", self.seed.to_string(), &format!("0 to {}", i64::MAX));
        }
        if !(1..=64).contains(&self.top) {
            return refuse("top", self.top.to_string(), "1 to 64");
        }
        if self.seconds.is_some_and(|s| !(s.is_finite() && s > 0.0)) {
            return refuse("seconds", format!("{:?}", self.seconds), "above 0");
        }
        if self.meta == MetaKind::None && matches!(self.verdict, VerdictRule::Meta) {
            return refuse("verdict", "meta".into(), "another, without a meta network");
        }
        if self.protocol == Protocol::Published && self.verdict == VerdictRule::Stacking {
            return refuse(
                "verdict",
                "stacking".into(),
                "another under the published protocol, which leaves nothing to fit it on",
            );
        }
        if !(1..=MOST_FEATURES).contains(&self.features.len()) {
            return refuse("features", format!("{} of them", self.features.len()), "1 to 16 of them");
        }
        for (at, name) in self.features.iter().enumerate() {
            if self.features[..at].contains(name) {
                return refuse("features", format!("{name} twice"), "each feature once");
            }
        }
        self.learner.plan()?;
        self.corpus().plan().map_err(mgr_data::DataError::from)?;
        crate::budget::Training::of(self).check()?;
        Ok(())
    }

    pub(crate) fn corpus(&self) -> CorpusConfig {
        CorpusConfig { clips_per_style: self.clips_per_style, ..CorpusConfig::default() }
    }

    /// How clips are cut at a sampling rate.
    pub(crate) fn segment(&self, sample_rate: u32) -> SegmentConfig {
        let segment_length = ((self.segment_seconds * f64::from(sample_rate)).round() as usize).max(1);
        let whole = (segment_length * self.segments) as f64;
        SegmentConfig {
            clip_length: (whole * CLIP_OVER_SEGMENTS).round() as usize,
            segment_length,
            segments: self.segments,
            short_clip: self.short_clip,
            hop_length: None,
            choice: SegmentChoice::Middle,
            tail: if self.short_clip == ShortClip::Own { Tail::Back } else { Tail::Drop },
        }
    }

    pub(crate) fn workers(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The part that determines results: where things are kept and how many threads work do not belong to it.
    pub(crate) fn essence(&self) -> Self {
        Self {
            out: PathBuf::new(),
            cache: None,
            weights: None,
            threads: None,
            fresh: false,
            times: true,
            ..self.clone()
        }
    }
}
