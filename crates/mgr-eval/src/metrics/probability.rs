//! Measures of probabilities: loss, squared error, calibration.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::ranking::checked;
use crate::EvalError;

/// The square root of the spacing of f32 numbers at 1: a softmax in f32 sums to 1 far better, a score that is no
/// probability far worse.
const SUM_TOLERANCE: f64 = 3.5e-4;

fn probabilities<S: Copy + Into<f64>>(
    y_true: &[usize],
    scores: ArrayView2<'_, S>,
) -> Result<Array2<f64>, EvalError> {
    let values = checked(y_true, scores)?;
    if let Some(((row, column), &value)) = values.indexed_iter().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        return Err(EvalError::NotProbability { row, column, value });
    }
    for (row, clip) in values.outer_iter().enumerate() {
        let sum = clip.sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(EvalError::ProbabilitySum { row, sum, tolerance: SUM_TOLERANCE });
        }
    }
    Ok(values)
}

/// Mean of `-ln p` of the true class, with p kept in `[e, 1 - e]`, e = 2^-52, so that a certain mistake costs 36 and
/// not infinity. Rows are not normalised. Scores are (clips, classes).
///
/// # Errors
/// [`EvalError::LengthMismatch`], [`EvalError::Empty`], [`EvalError::NotFinite`], [`EvalError::LabelOutOfRange`],
/// [`EvalError::NotProbability`], and [`EvalError::ProbabilitySum`] where a row is further than 3.5e-4 from 1
/// (scikit-learn warns and goes on).
pub fn log_loss<S: Copy + Into<f64>>(y_true: &[usize], scores: ArrayView2<'_, S>) -> Result<f64, EvalError> {
    let values = probabilities(y_true, scores)?;
    let loss =
        |(clip, &class): (usize, &usize)| -values[(clip, class)].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
    Ok(y_true.iter().enumerate().map(loss).sum::<f64>() / y_true.len() as f64)
}

/// Brier's score: the mean squared distance of the probabilities from 1 for the true class and 0 for the others, summed
/// over classes, 0 to 2; halved for two classes, 0 to 1, as scikit-learn does.
///
/// # Errors
/// Those of [`log_loss`].
pub fn brier_score<S: Copy + Into<f64>>(
    y_true: &[usize],
    scores: ArrayView2<'_, S>,
) -> Result<f64, EvalError> {
    let values = probabilities(y_true, scores)?;
    let square = |((clip, class), &p): ((usize, usize), &f64)| {
        let target = f64::from(u8::from(y_true[clip] == class));
        (target - p).powi(2)
    };
    let mean = values.indexed_iter().map(square).sum::<f64>() / y_true.len() as f64;
    Ok(if values.ncols() < 3 { 0.5 * mean } else { mean })
}

/// How confidences are put into bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binning {
    /// Bins of equal width from 0 to 1, open below and closed above (default).
    #[default]
    Uniform,
    /// Bins of equally many clips; clips with one confidence may fall into two bins.
    EqualCount,
}

/// The clips of one range of confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Clips in the bin.
    pub count: u64,
    /// Their mean confidence.
    pub confidence: f64,
    /// The share of them that is right.
    pub accuracy: f64,
}

/// Confidence against accuracy; bins without a clip are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The bins, confidence rising.
    pub bins: Vec<CalibrationBin>,
}

impl Calibration {
    /// From pairs of a confidence in `[0, 1]` and whether the claim was right, in `bins` (1 to 1000) bins.
    ///
    /// # Errors
    /// [`EvalError::Parameter`] for the number of bins, [`EvalError::LengthMismatch`], [`EvalError::Empty`],
    /// [`EvalError::NotProbability`] (also for NaN).
    pub fn new(
        confidences: &[f64],
        right: &[bool],
        bins: usize,
        binning: Binning,
    ) -> Result<Self, EvalError> {
        crate::error::same_length("list of right and wrong", confidences.len(), right.len())?;
        if !(1..=1000).contains(&bins) {
            return Err(EvalError::Parameter { name: "bins", value: bins as f64, allowed: "1 to 1000" });
        }
        if confidences.is_empty() {
            return Err(EvalError::Empty { what: "list of confidences" });
        }
        if let Some((row, &value)) = confidences.iter().enumerate().find(|(_, c)| !(0.0..=1.0).contains(*c)) {
            return Err(EvalError::NotProbability { row, column: 0, value });
        }
        let mut order: Vec<usize> = (0..confidences.len()).collect();
        order.sort_by(|&a, &b| confidences[a].total_cmp(&confidences[b]).then(a.cmp(&b)));
        let bin_of = |rank: usize, confidence: f64| match binning {
            // The number of inner edges below the confidence.
            Binning::Uniform => (1..bins).filter(|&edge| (edge as f64 / bins as f64) < confidence).count(),
            Binning::EqualCount => rank * bins / confidences.len(),
        };
        let mut sums: Vec<(u64, f64, u64)> = vec![(0, 0.0, 0); bins];
        for (rank, &clip) in order.iter().enumerate() {
            let (count, sum, hits) = &mut sums[bin_of(rank, confidences[clip])];
            *count += 1;
            *sum += confidences[clip];
            *hits += u64::from(right[clip]);
        }
        let filled = sums.into_iter().filter(|(count, ..)| *count > 0);
        let bin = |(count, sum, hits): (u64, f64, u64)| CalibrationBin {
            count,
            confidence: sum / count as f64,
            accuracy: hits as f64 / count as f64,
        };
        Ok(Self { bins: filled.map(bin).collect() })
    }

    /// Of the predicted class: confidence is the highest probability of each clip, of equals the lower class.
    ///
    /// # Errors
    /// Those of [`log_loss`] and of [`new`](Self::new).
    pub fn of_predictions<S: Copy + Into<f64>>(
        y_true: &[usize],
        scores: ArrayView2<'_, S>,
        bins: usize,
        binning: Binning,
    ) -> Result<Self, EvalError> {
        let values = probabilities(y_true, scores)?;
        let predicted = super::predicted_labels(values.view())?;
        let confidences: Vec<f64> =
            predicted.iter().enumerate().map(|(clip, &class)| values[(clip, class)]).collect();
        let right: Vec<bool> = predicted.iter().zip(y_true).map(|(a, b)| a == b).collect();
        Self::new(&confidences, &right, bins, binning)
    }

    /// Expected calibration error: the mean of |confidence - accuracy| over bins, weighted by clips.
    ///
    /// Source: C. Guo et al., "On calibration of modern neural networks", ICML 2017.
    #[must_use]
    pub fn expected_error(&self) -> f64 {
        let clips: u64 = self.bins.iter().map(|bin| bin.count).sum();
        let gap = |bin: &CalibrationBin| bin.count as f64 * (bin.confidence - bin.accuracy).abs();
        self.bins.iter().map(gap).sum::<f64>() / (clips.max(1)) as f64
    }

    /// Maximum calibration error: the largest |confidence - accuracy| of a bin.
    #[must_use]
    pub fn maximum_error(&self) -> f64 {
        self.bins.iter().map(|bin| (bin.confidence - bin.accuracy).abs()).fold(0.0, f64::max)
    }
}
