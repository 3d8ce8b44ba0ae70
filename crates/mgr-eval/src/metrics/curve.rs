//! Curves over the threshold of a score, and the areas below them, for one class or tag.

use serde::{Deserialize, Serialize};

use crate::EvalError;
use crate::error::same_length;

/// The receiver operating characteristic: rates at every distinct score, thresholds falling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RocCurve {
    /// Negative clips at or above the threshold / negative clips. NaN where there is no negative clip.
    pub false_positive_rate: Vec<f64>,
    /// Positive clips at or above the threshold / positive clips. NaN where there is no positive clip.
    pub true_positive_rate: Vec<f64>,
    /// The thresholds; the first is infinite, for the point (0, 0).
    pub thresholds: Vec<f64>,
}

/// Precision and recall at every distinct score, thresholds rising, and the end point precision 1, recall 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrecisionRecallCurve {
    /// Positive clips at or above the threshold / clips at or above it; 1 at the end point.
    pub precision: Vec<f64>,
    /// Positive clips at or above the threshold / positive clips; 0 at the end point. 1 everywhere else where there is
    /// no positive clip, as scikit-learn gives (with a warning).
    pub recall: Vec<f64>,
    /// The thresholds, one fewer than points.
    pub thresholds: Vec<f64>,
}

/// Counts at or above one threshold.
struct Step {
    positives: u64,
    negatives: u64,
    threshold: f64,
}

/// Counts at every distinct score, from the highest down.
fn steps(positive: &[bool], scores: &[f64]) -> Result<Vec<Step>, EvalError> {
    same_length("scores", positive.len(), scores.len())?;
    if scores.is_empty() {
        return Err(EvalError::Empty { what: "list of scores" });
    }
    if let Some((row, &value)) = scores.iter().enumerate().find(|(_, score)| !score.is_finite()) {
        return Err(EvalError::NotFinite { what: "score", row, column: 0, value });
    }
    let mut pairs: Vec<(f64, bool)> = scores.iter().copied().zip(positive.iter().copied()).collect();
    // Equal scores make one step, so their order does not matter.
    pairs.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let mut steps: Vec<Step> = Vec::new();
    let (mut positives, mut negatives) = (0, 0);
    for (threshold, is_positive) in pairs {
        positives += u64::from(is_positive);
        negatives += u64::from(!is_positive);
        match steps.last_mut() {
            Some(step) if step.threshold == threshold => {
                (step.positives, step.negatives) = (positives, negatives);
            }
            _ => steps.push(Step { positives, negatives, threshold }),
        }
    }
    Ok(steps)
}

/// The receiver operating characteristic of one class: `positive` says of each clip whether it has the class, `scores` how
/// strongly the system says so. scikit-learn's `roc_curve` with `drop_intermediate=False`; see [`RocCurve::corners`].
///
/// ```
/// let curve = mgr_eval::metrics::roc_curve(&[true, false, true], &[0.9, 0.5, 0.1])?;
/// assert_eq!(curve.true_positive_rate, [0.0, 0.5, 0.5, 1.0]);
/// assert_eq!(curve.false_positive_rate, [0.0, 0.0, 1.0, 1.0]);
/// # Ok::<(), mgr_eval::EvalError>(())
/// ```
///
/// # Errors
/// [`EvalError::LengthMismatch`], [`EvalError::Empty`], [`EvalError::NotFinite`].
pub fn roc_curve(positive: &[bool], scores: &[f64]) -> Result<RocCurve, EvalError> {
    let steps = steps(positive, scores)?;
    let (all_positives, all_negatives) =
        steps.last().map_or((0.0, 0.0), |last| (last.positives as f64, last.negatives as f64));
    // A division by zero gives the NaN that the documentation promises, at the first point too.
    let mut curve = RocCurve {
        false_positive_rate: vec![0.0 / all_negatives],
        true_positive_rate: vec![0.0 / all_positives],
        thresholds: vec![f64::INFINITY],
    };
    for step in &steps {
        curve.false_positive_rate.push(step.negatives as f64 / all_negatives);
        curve.true_positive_rate.push(step.positives as f64 / all_positives);
        curve.thresholds.push(step.threshold);
    }
    Ok(curve)
}

impl RocCurve {
    /// The curve without the points that repeat the step before them in both rates: the picture is the same.
    #[must_use]
    pub fn corners(&self) -> Self {
        let (x, y) = (&self.false_positive_rate, &self.true_positive_rate);
        let last = self.thresholds.len().saturating_sub(1);
        // Steps along one axis only, as most are, are compared exactly; others keep their points.
        let runs_on =
            |i: usize| (x[i - 1] == x[i] && x[i] == x[i + 1]) || (y[i - 1] == y[i] && y[i] == y[i + 1]);
        let kept: Vec<usize> = (0..=last).filter(|&i| i == 0 || i == last || !runs_on(i)).collect();
        let of = |values: &[f64]| kept.iter().map(|&i| values[i]).collect();
        Self { false_positive_rate: of(x), true_positive_rate: of(y), thresholds: of(&self.thresholds) }
    }
}

/// Area under the ROC curve: the chance that a positive clip scores above a negative one, ties counting half.
///
/// None where there is no positive or no negative clip (scikit-learn: NaN with a warning).
///
/// # Errors
/// [`EvalError::LengthMismatch`], [`EvalError::Empty`], [`EvalError::NotFinite`].
pub fn roc_auc(positive: &[bool], scores: &[f64]) -> Result<Option<f64>, EvalError> {
    let steps = steps(positive, scores)?;
    let (mut positives, mut negatives) = (0_u64, 0_u64);
    // Twice the area in units of one positive by one negative clip: whole numbers, hence exact.
    let mut doubled = 0_u128;
    for step in &steps {
        doubled += u128::from(step.negatives - negatives) * u128::from(step.positives + positives);
        (positives, negatives) = (step.positives, step.negatives);
    }
    let pairs = positives as f64 * negatives as f64;
    Ok((pairs > 0.0).then(|| 0.5 * doubled as f64 / pairs))
}

/// Precision and recall of one class at every threshold.
///
/// # Errors
/// [`EvalError::LengthMismatch`], [`EvalError::Empty`], [`EvalError::NotFinite`].
pub fn precision_recall_curve(positive: &[bool], scores: &[f64]) -> Result<PrecisionRecallCurve, EvalError> {
    let steps = steps(positive, scores)?;
    let all = steps.last().map_or(0, |step| step.positives);
    let recall = |step: &Step| if all == 0 { 1.0 } else { step.positives as f64 / all as f64 };
    let precision = |step: &Step| step.positives as f64 / (step.positives + step.negatives) as f64;
    Ok(PrecisionRecallCurve {
        precision: steps.iter().rev().map(precision).chain([1.0]).collect(),
        recall: steps.iter().rev().map(recall).chain([0.0]).collect(),
        thresholds: steps.iter().rev().map(|step| step.threshold).collect(),
    })
}

/// Average precision: the sum of precisions weighted by the rise of recall, without interpolation. Taggers call it PR AUC.
///
/// 0 where there is no positive clip, as scikit-learn gives (with a warning).
///
/// # Errors
/// [`EvalError::LengthMismatch`], [`EvalError::Empty`], [`EvalError::NotFinite`].
pub fn average_precision(positive: &[bool], scores: &[f64]) -> Result<f64, EvalError> {
    let steps = steps(positive, scores)?;
    let all = steps.last().map_or(0, |step| step.positives);
    if all == 0 {
        return Ok(0.0);
    }
    let (mut sum, mut before) = (0.0, 0);
    for step in &steps {
        let precision = step.positives as f64 / (step.positives + step.negatives) as f64;
        sum += (step.positives - before) as f64 / all as f64 * precision;
        before = step.positives;
    }
    Ok(sum)
}
