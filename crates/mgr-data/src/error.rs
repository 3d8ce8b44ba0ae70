//! The error type of datasets, splits and the store.

use std::io;
use std::path::{Path, PathBuf};

use mgr_audio::AudioError;
use mgr_audio::augment::AugmentError;
use mgr_features::FeatureError;

use crate::corpus::CorpusError;

/// What can go wrong with data on disk. Every message names the file and the reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The system refused to read or write.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// A dataset folder that holds no dataset.
    #[error("{}: {reason}", path.display())]
    Dataset {
        /// The folder.
        path: PathBuf,
        /// What is missing, and what is expected.
        reason: String,
    },
    /// A text file that is not what it should be.
    #[error("{}, line {line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1; 0 for the file as a whole.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// A file of the store that cannot be used.
    #[error("{}: not usable as a stored feature: {reason}", path.display())]
    Stored {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Batches that cannot be made.
    #[error("batches: {reason}")]
    Batch {
        /// What is wrong, with the value and the allowed range.
        reason: String,
    },
    /// A split that cannot be made, or that is not one of the dataset.
    #[error("split of {name}: {reason}")]
    Split {
        /// The dataset.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A file that cannot be downloaded.
    #[error("{url}: {reason}")]
    Fetch {
        /// Where it should come from.
        url: String,
        /// What went wrong, and what is left of it.
        reason: String,
    },
    /// A store that a later version of this program made.
    #[error("{}: the store has layout {found}, this program knows layouts up to {known}: use the program that made it, or another folder", path.display())]
    NewerStore {
        /// The store's folder.
        path: PathBuf,
        /// The version of its layout.
        found: u32,
        /// The last version that is known here.
        known: u32,
    },
    /// A table that cannot be made, written or read.
    #[error("{what}: {reason}")]
    Table {
        /// The file, or what the table is of.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// A clip shorter than one analysis frame.
    #[error("{name}: too short: {samples} samples at {sample_rate} Hz, one frame needs {needed}")]
    ShortClip {
        /// The file.
        name: String,
        /// Samples of the clip.
        samples: usize,
        /// Samples of a frame.
        needed: usize,
        /// Sampling rate.
        sample_rate: u32,
    },
    /// A clip whose samples are all zero.
    #[error("{name}: silent: all {samples} samples are zero")]
    Silent {
        /// The file.
        name: String,
        /// Samples of the clip.
        samples: usize,
    },
    /// A clip whose feature is not a number everywhere.
    #[error(
        "{name}: its {feature} is {value} in places: samples too large, or a logarithm of zero without a floor"
    )]
    NotFinite {
        /// The file.
        name: String,
        /// The feature.
        feature: &'static str,
        /// The first such value.
        value: f32,
    },
    /// A clip whose feature cannot be computed.
    #[error("{name}: {source}")]
    ClipFeature {
        /// The file.
        name: String,
        /// Why.
        source: FeatureError,
    },
    /// A step of an augmentation chain that cannot be planned.
    #[error("step {step} of the chain: {source}")]
    AugmentStep {
        /// Place of the step, from 1.
        step: usize,
        /// Why.
        source: Box<DataError>,
    },
    /// A clip that cannot be augmented.
    #[error("{name}: {source}")]
    ClipAugment {
        /// The clip.
        name: String,
        /// Why.
        source: AugmentError,
    },
    /// A configuration that cannot be written down.
    #[error("configuration cannot be serialised: {0}")]
    Serialise(#[from] serde_json::Error),
    /// The file cannot be decoded, or the segmentation is not valid.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The feature is not valid, or cannot be computed.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// An augmentation is not valid.
    #[error(transparent)]
    Augment(#[from] AugmentError),
    /// The embedded corpus cannot be made.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
}

impl DataError {
    pub(crate) fn clip_augment(name: &str) -> impl FnOnce(AugmentError) -> Self {
        let name = name.to_owned();
        move |source| Self::ClipAugment { name, source }
    }

    /// What was being done to a file when the system refused.
    pub fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, action, source }
    }
}
