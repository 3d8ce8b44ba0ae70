//! Mean and spread over folds.

use serde::{Deserialize, Serialize};

use crate::EvalError;

/// Mean and sample standard deviation of one measure over folds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation (divisor n - 1); none for a single fold.
    pub deviation: Option<f64>,
    /// Number of folds.
    pub count: usize,
}

/// Mean and sample standard deviation (divisor n - 1).
///
/// Folds share training clips, so the deviation says how much folds differ; it is no standard error of the mean.
///
/// # Errors
/// [`EvalError::Empty`] without values, [`EvalError::NotFinite`] for NaN or infinity.
pub fn mean_and_deviation(values: &[f64]) -> Result<Summary, EvalError> {
    if values.is_empty() {
        return Err(EvalError::Empty { what: "list of measures" });
    }
    if let Some((row, &value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(EvalError::NotFinite { what: "measure", row, column: 0, value });
    }
    let count = values.len();
    let mean = values.iter().sum::<f64>() / count as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (count > 1).then(|| (squares / (count - 1) as f64).sqrt());
    Ok(Summary { mean, deviation, count })
}
