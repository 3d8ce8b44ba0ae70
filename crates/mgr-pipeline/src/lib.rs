//! The main job as a library: multi-level local feature coding fusion, from a dataset to cross-validated verdicts and a report.
//!
//! [`run()`](run::run) takes a [`RunConfig`] and does all of it, in stages that each leave whole files behind:
//!
//! | stage | what | files below the run's folder |
//! |---|---|---|
//! | features | every feature of every clip, in parallel, kept in the store and found again | |
//! | folds | stratified, artists apart, with parts inside the training folds to choose on | `run.json`, `splits/` |
//! | encode | a network or a learner for each feature, fold and split; scores and codes of every clip | `folds/F/S/FEATURE/` |
//! | combine | the sum rule over every subset of the features; the top ones | `combination.json`, `subsets.csv` |
//! | fuse | meta networks on the codes of the top subsets | `folds/F/S/meta-MASK/` |
//! | judge | the verdict, and what it must beat, in the same folds | `results.json`, tables, figures, `report.html` |
//!
//! A run that was killed goes on where it stopped and ends with the same bytes. A run whose settings changed computes anew what depends
//! on them. [`predict::Predictor`] uses a finished run on new files; [`evaluate()`](evaluate::evaluate) scores it on another labelled set.

mod budget;
pub mod catalogue;
mod clips;
mod combine;
mod config;
mod encoder;
mod error;
pub mod estimate;
pub mod evaluate;
mod features;
mod files;
#[cfg(feature = "flags")]
pub mod flags;
mod folds;
mod inputs;
mod judge;
mod meta;
pub mod predict;
pub mod progress;
mod record;
mod report;
mod results;
pub mod run;
mod seeds;
mod times;
mod weights;
mod workers;

pub use budget::Budget;
pub use combine::{RankedSubset, SubsetResult};
pub use config::{
    DatasetKind, MatrixEncoder, MetaKind, PAPER, Protocol, RunConfig, VectorEncoder, VerdictRule, Weighting,
    default_learner,
};
pub use error::PipelineError;
pub use results::{BadClip, ClipVerdict, Comparison, Results, Score};
pub use seeds::{OverSeeds, run_seeds};
pub use times::{StageTime, Times};
