//! Measures of a classifier from true and predicted labels.

mod confusion;
mod interval;
mod summary;

pub use confusion::{ClassScores, ConfusionMatrix, MacroAverage, MacroOver};
pub use interval::{Interval, wilson_interval};
pub use summary::{Summary, mean_and_deviation};

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
