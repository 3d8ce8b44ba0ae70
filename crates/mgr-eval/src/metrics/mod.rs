//! Measures of a classifier from true labels, predicted labels and scores.
//!
//! # What is undefined
//! Numbers are those of scikit-learn 1.9. Where it warns, one of three rules holds here:
//!
//! * a ratio of counts whose divisor is 0 (precision of a class that is never predicted, recall of a class without clips,
//!   average precision without a positive clip) is 0;
//! * a measure that compares two things of which one is missing (ROC AUC with one class, kappa with one label) is `None`,
//!   where scikit-learn gives NaN or raises; curves then hold NaN rates;
//! * input that no measure is meant for (NaN or infinite scores, lengths that differ, labels beyond the classes,
//!   "probabilities" that do not sum to 1) is an [`EvalError`] that names the place.
//!
//! A class absent from a fold is 0 in [`MacroOver::All`] and left out of [`MacroOver::Present`]; of [`ClassValues`]
//! `macro_mean` is then `None`, `mean_over_present` is not.

mod agreement;
mod clip;
mod confusion;
mod curve;
mod interval;
mod probability;
mod ranking;
mod summary;
mod tagging;

pub use agreement::{Average, KappaWeights, Normalise};
pub use clip::{ClipRule, ClipVerdicts, VoteTies, clip_verdicts};
pub use confusion::{ClassScores, ConfusionMatrix, MacroAverage, MacroOver};
pub use curve::{
    PrecisionRecallCurve, RocCurve, average_precision, precision_recall_curve, roc_auc, roc_curve,
};
pub use interval::{Interval, wilson_interval};
pub use probability::{Binning, Calibration, CalibrationBin, brier_score, log_loss};
pub use ranking::{
    ClassValues, PairAverage, ScoreTies, average_precision_micro, average_precision_one_vs_rest,
    roc_auc_micro, roc_auc_one_vs_one, roc_auc_one_vs_rest, top_k_accuracy,
};
pub use summary::{RepeatedSummary, Summary, mean_and_deviation, mean_over_seeds};
pub use tagging::{Tagging, TaggingAt};

use ndarray::ArrayView2;

use crate::EvalError;

/// The class with the largest score in each row of (clips, classes) scores; ties go to the lower class.
///
/// # Errors
/// [`EvalError::Empty`] without rows or columns, [`EvalError::NotFinite`] for a NaN or infinite score.
pub fn predicted_labels<S: Copy + Into<f64>>(scores: ArrayView2<'_, S>) -> Result<Vec<usize>, EvalError> {
    if scores.is_empty() {
        return Err(EvalError::Empty { what: "score matrix" });
    }
    let mut labels = Vec::with_capacity(scores.nrows());
    for (row, clip) in scores.outer_iter().enumerate() {
        let mut best = (0, f64::NEG_INFINITY);
        for (column, &score) in clip.iter().enumerate() {
            let value: f64 = score.into();
            if !value.is_finite() {
                return Err(EvalError::NotFinite { what: "score", row, column, value });
            }
            if value > best.1 {
                best = (column, value);
            }
        }
        labels.push(best.0);
    }
    Ok(labels)
}
