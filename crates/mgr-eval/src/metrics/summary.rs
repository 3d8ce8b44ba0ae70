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

impl Summary {
    /// The population deviation (divisor n), which NumPy's `std` and several published systems give; 0 for a single fold.
    #[must_use]
    pub fn population_deviation(&self) -> f64 {
        let shrink = (self.count.saturating_sub(1) as f64 / self.count.max(1) as f64).sqrt();
        self.deviation.unwrap_or(0.0) * shrink
    }
}

/// One measure over folds and seeds (or repetitions).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepeatedSummary {
    /// Mean over the seeds' means, and their deviation: how much the draw alone moves the figure that a paper would quote.
    pub seeds: Summary,
    /// Mean and deviation over the folds of each seed.
    pub folds: Vec<Summary>,
    /// Over all folds of all seeds together.
    pub all: Summary,
}

/// Mean and deviation over the folds of each seed, and over seeds: `values[seed][fold]`.
///
/// # Errors
/// [`EvalError::Empty`] without seeds or for a seed without folds, [`EvalError::NotFinite`].
pub fn mean_over_seeds<V: AsRef<[f64]>>(values: &[V]) -> Result<RepeatedSummary, EvalError> {
    let folds = values.iter().map(|seed| mean_and_deviation(seed.as_ref())).collect::<Result<Vec<_>, _>>()?;
    let means: Vec<f64> = folds.iter().map(|summary| summary.mean).collect();
    let all: Vec<f64> = values.iter().flat_map(|seed| seed.as_ref()).copied().collect();
    Ok(RepeatedSummary { seeds: mean_and_deviation(&means)?, folds, all: mean_and_deviation(&all)? })
}
