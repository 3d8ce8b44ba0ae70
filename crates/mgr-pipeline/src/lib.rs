//! The main job as a library: from a dataset to cross-validated verdicts and a report.
//!
//! [`run()`](run::run) takes a [`RunConfig`] and does all of it: finds the clips, computes their features (in parallel, stored,
//! found again by the next run), makes folds that keep artists apart where they are known, trains one network a fold on the
//! training part, chooses its epoch on the validation part, asks it once about the test part, adds two baselines in the same
//! folds, and writes one report. Every stage leaves whole files behind: a run that was killed goes on where it stopped and ends
//! with the same bytes.
//!
//! [`predict::Predictor`] uses a finished run on new files.

mod baseline;
mod clips;
mod config;
mod encoder;
mod error;
mod files;
mod folds;
pub mod predict;
pub mod progress;
mod record;
mod report;
mod results;
pub mod run;

pub use baseline::Baselines;
pub use config::{DatasetKind, RunConfig};
pub use error::PipelineError;
pub use results::{BadClip, ClipVerdict, Results, Score};
