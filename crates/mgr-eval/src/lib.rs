//! Labels and scores in; folds, metrics, intervals, figures, tables and reports out.
//!
//! Everything here is a pure function of its arguments: no clock, no file, no global random state. The same input
//! gives the same bytes.
//!
//! | module | what |
//! |---|---|
//! | [`split`] | stratified folds, with groups kept whole, with a validation part; checks for foreign splits |
//! | [`metrics`] | confusion matrix and all that follows from it, ROC and precision-recall curves, losses, calibration, tagging, segments to clips |
//! | [`compare`] | bootstrap by clip and by group, corrected t-test, McNemar, Friedman with Nemenyi |
//! | [`figure`] | confusion matrix, bars by class, ROC, precision-recall, calibration and learning curves, rankings, critical differences, scatter, importance, spectrograms, filters: SVG and PNG on light and dark paper |
//! | [`table`] | CSV of confusion matrices, measures and per-clip predictions |
//! | [`report`] | one self-contained HTML page, or Markdown; published results as data |
//!
//! Classes are label indices `0..classes`; names are given where something is shown.
//!
//! ```
//! use mgr_eval::metrics::ConfusionMatrix;
//!
//! let matrix = ConfusionMatrix::from_labels(&[0, 0, 1, 1], &[0, 1, 1, 1], 2)?;
//! assert_eq!(matrix.accuracy(), 0.75);
//! assert_eq!(matrix.class_scores(0).recall, 0.5);
//! # Ok::<(), mgr_eval::EvalError>(())
//! ```

pub mod compare;
mod error;
pub mod figure;
pub mod metrics;
pub mod report;
pub mod split;
pub mod table;

pub use error::EvalError;
