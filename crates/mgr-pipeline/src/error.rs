//! The error type of the main job.

use std::path::PathBuf;

use mgr_data::DataError;
use mgr_eval::EvalError;
use mgr_learn::LearnError;

/// What can end a run. What was computed before stays on disk, and the same command goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// A configuration field is outside its allowed range, or needs another.
    #[error("{field} is {value}, allowed is {allowed}")]
    Config {
        /// The field, as the flag and the key of the file are named.
        field: &'static str,
        /// The value given.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A configuration file that cannot be read.
    #[error("{}: {reason}", path.display())]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No place to keep features: neither a cache folder is given nor a home folder known.
    #[error("no folder for features: give --cache, or set MGR_CACHE or HOME")]
    NoCache,
    /// The output folder cannot be one.
    #[error("{}: {reason}", path.display())]
    Output {
        /// The path.
        path: PathBuf,
        /// What is in the way.
        reason: String,
    },
    /// The output folder holds a run of another configuration or of other data.
    #[error("{} holds another run (it differs in {difference}): give another --out, or --fresh to replace it", path.display())]
    OtherRun {
        /// The folder.
        path: PathBuf,
        /// Where the two differ.
        difference: String,
    },
    /// A folder that is no finished run, or one of another version.
    #[error("{}: not a finished run: {reason}", path.display())]
    Run {
        /// The folder or file.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// A class without a clip that can be used.
    #[error("class {class}: none of its {clips} clips can be used; the first: {reason}")]
    EmptyClass {
        /// The class.
        class: String,
        /// Its clips.
        clips: usize,
        /// What is wrong with the first of them.
        reason: String,
    },
    /// A feature that no clip has got.
    #[error("feature {name}: no clip has got it; the first reason: {reason}")]
    EmptyFeature {
        /// The feature.
        name: String,
        /// What is wrong with the first clip.
        reason: String,
    },
    /// A clip of which no feature can be computed.
    #[error("{reason}")]
    Clip {
        /// Why, in a sentence that names the file.
        reason: String,
    },
    /// A feature refuses its settings.
    #[error("feature {name}: {source}")]
    Feature {
        /// The feature.
        name: String,
        /// What happened.
        source: mgr_features::FeatureError,
    },
    /// None of the features can be computed.
    #[error("none of the features can be computed: {reason}")]
    NoFeature {
        /// Why, of the first.
        reason: String,
    },
    /// The run was stopped on request; what is done stays.
    #[error("stopped; the same command goes on with {}", path.display())]
    Stopped {
        /// The folder of the run.
        path: PathBuf,
    },
    /// The clips cannot be split as asked.
    #[error("folds: {reason}")]
    Folds {
        /// Why, with the class by name.
        reason: String,
    },
    /// Training or encoding one fold failed.
    #[error("fold {fold}: {source}")]
    Fold {
        /// Number of the fold, from 0.
        fold: usize,
        /// What happened.
        source: mgr_models::Error,
    },
    /// A network cannot be loaded or used.
    #[error(transparent)]
    Model(#[from] mgr_models::Error),
    /// Data on disk.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Metrics, figures or reports.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// A classical learner.
    #[error("learner: {0}")]
    Learn(#[from] LearnError),
    /// A feature without a name of its own.
    #[error(transparent)]
    FeatureSettings(#[from] mgr_features::FeatureError),
    /// Something cannot be written as JSON.
    #[error("cannot serialise: {0}")]
    Json(#[from] serde_json::Error),
    /// The threads of the feature extraction cannot be started.
    #[error("cannot start threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl PipelineError {
    pub(crate) fn config(field: &'static str, value: impl ToString, allowed: impl Into<String>) -> Self {
        Self::Config { field, value: value.to_string(), allowed: allowed.into() }
    }
}
