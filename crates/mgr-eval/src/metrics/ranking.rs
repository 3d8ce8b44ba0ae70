//! Measures of the scores of several classes: areas under curves by class, top-k accuracy.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::curve::{average_precision, roc_auc};
use crate::EvalError;
use crate::error::same_length;

/// One measure of every class or tag, and what is needed to average it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassValues {
    /// The measure by class; none where it is undefined.
    pub values: Vec<Option<f64>>,
    /// Positive clips by class.
    pub supports: Vec<u64>,
}

impl ClassValues {
    /// The mean over all classes; none as soon as one is undefined (scikit-learn's macro average: NaN).
    #[must_use]
    pub fn macro_mean(&self) -> Option<f64> {
        let values = self.values.iter().copied().collect::<Option<Vec<f64>>>()?;
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// The mean over the classes with a positive clip and a value; none where there is none. Use it where a fold lacks a class.
    #[must_use]
    pub fn mean_over_present(&self) -> Option<f64> {
        let present = self.values.iter().zip(&self.supports).filter(|&(_, &support)| support > 0);
        let values: Vec<f64> = present.filter_map(|(&value, _)| value).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// The mean weighted by positive clips; classes without one do not count. None as soon as another is undefined, 0 where
    /// no class has a positive clip (as scikit-learn gives).
    #[must_use]
    pub fn weighted_mean(&self) -> Option<f64> {
        let (mut sum, mut whole) = (0.0, 0.0);
        for (&value, &support) in self.values.iter().zip(&self.supports) {
            if support > 0 {
                sum += support as f64 * value?;
                whole += support as f64;
            }
        }
        Some(if whole > 0.0 { sum / whole } else { 0.0 })
    }
}

/// Which of equal scores comes first in [`top_k_accuracy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreTies {
    /// The lower class, as in [`predicted_labels`](super::predicted_labels), so that top-1 is the accuracy (default).
    #[default]
    LowerClass,
    /// The higher class, as in scikit-learn's `top_k_accuracy_score` of three or more classes.
    HigherClass,
}

/// How pairs of classes are averaged in [`roc_auc_one_vs_one`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairAverage {
    /// Every pair alike (default).
    #[default]
    Macro,
    /// By the clips of both classes.
    Weighted,
}

/// The scores as doubles, after all checks that labels and scores have in common.
pub(super) fn checked<S: Copy + Into<f64>>(
    y_true: &[usize],
    scores: ArrayView2<'_, S>,
) -> Result<ndarray::Array2<f64>, EvalError> {
    same_length("rows of scores", y_true.len(), scores.nrows())?;
    let values = finite(scores)?;
    let classes = values.ncols();
    if let Some((index, &label)) = y_true.iter().enumerate().find(|&(_, &label)| label >= classes) {
        return Err(EvalError::LabelOutOfRange { what: "true label", label, index, classes });
    }
    Ok(values)
}

/// The scores as doubles; at least one, all finite.
pub(super) fn finite<S: Copy + Into<f64>>(
    scores: ArrayView2<'_, S>,
) -> Result<ndarray::Array2<f64>, EvalError> {
    if scores.is_empty() {
        return Err(EvalError::Empty { what: "score matrix" });
    }
    let values = scores.mapv(Into::into);
    match values.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), &value)) => Err(EvalError::NotFinite { what: "score", row, column, value }),
        None => Ok(values),
    }
}

/// A measure of every column against whether a clip is positive in it.
pub(super) fn by_column(
    scores: &ndarray::Array2<f64>,
    is_positive: impl Fn(usize, usize) -> bool,
    measure: impl Fn(&[bool], &[f64]) -> Result<Option<f64>, EvalError>,
) -> Result<ClassValues, EvalError> {
    let mut result = ClassValues { values: Vec::new(), supports: Vec::new() };
    for (column, values) in scores.columns().into_iter().enumerate() {
        let positive: Vec<bool> = (0..scores.nrows()).map(|row| is_positive(row, column)).collect();
        result.supports.push(positive.iter().filter(|&&p| p).count() as u64);
        result.values.push(measure(&positive, &values.to_vec())?);
    }
    Ok(result)
}

/// A measure of all cells of the matrix at once.
pub(super) fn of_all_cells<T>(
    scores: &ndarray::Array2<f64>,
    is_positive: impl Fn(usize, usize) -> bool,
    measure: impl Fn(&[bool], &[f64]) -> Result<T, EvalError>,
) -> Result<T, EvalError> {
    let (positive, values): (Vec<bool>, Vec<f64>) =
        scores.indexed_iter().map(|((row, column), &value)| (is_positive(row, column), value)).unzip();
    measure(&positive, &values)
}

/// Area under the ROC curve of every class against all others; none for a class that no clip or every clip has.
///
/// scikit-learn's `roc_auc_score(multi_class="ovr")` by class. Scores need not be probabilities: only their order counts.
///
/// # Errors
/// [`EvalError::LengthMismatch`], [`EvalError::Empty`], [`EvalError::NotFinite`], [`EvalError::LabelOutOfRange`].
pub fn roc_auc_one_vs_rest<S: Copy + Into<f64>>(
    y_true: &[usize],
    scores: ArrayView2<'_, S>,
) -> Result<ClassValues, EvalError> {
    by_column(&checked(y_true, scores)?, |row, column| y_true[row] == column, roc_auc)
}

/// Area under the ROC curve of all (clip, class) cells together; none with a single class.
///
/// # Errors
/// Those of [`roc_auc_one_vs_rest`].
pub fn roc_auc_micro<S: Copy + Into<f64>>(
    y_true: &[usize],
    scores: ArrayView2<'_, S>,
) -> Result<Option<f64>, EvalError> {
    of_all_cells(&checked(y_true, scores)?, |row, column| y_true[row] == column, roc_auc)
}

/// Area under the ROC curve averaged over all pairs of classes that have clips, each pair as the mean of both directions;
/// none with fewer than two such classes.
///
/// Source: D. Hand and R. Till, "A simple generalisation of the area under the ROC curve for multiple class
/// classification problems", Machine Learning 45, 2001.
///
/// # Errors
/// Those of [`roc_auc_one_vs_rest`].
pub fn roc_auc_one_vs_one<S: Copy + Into<f64>>(
    y_true: &[usize],
    scores: ArrayView2<'_, S>,
    average: PairAverage,
) -> Result<Option<f64>, EvalError> {
    let scores = checked(y_true, scores)?;
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); scores.ncols()];
    for (clip, &class) in y_true.iter().enumerate() {
        members[class].push(clip);
    }
    let present: Vec<usize> = (0..members.len()).filter(|&class| !members[class].is_empty()).collect();
    let (mut sum, mut whole) = (0.0, 0.0);
    for (position, &first) in present.iter().enumerate() {
        for &second in &present[position + 1..] {
            let clips: Vec<usize> = [members[first].as_slice(), &members[second]].concat();
            let area = |class: usize| -> Result<f64, EvalError> {
                let positive: Vec<bool> = clips.iter().map(|&clip| y_true[clip] == class).collect();
                let values: Vec<f64> = clips.iter().map(|&clip| scores[(clip, class)]).collect();
                // Both classes have clips, so the area is defined.
                Ok(roc_auc(&positive, &values)?.unwrap_or(0.5))
            };
            let weight = match average {
                PairAverage::Macro => 1.0,
                PairAverage::Weighted => clips.len() as f64,
            };
            sum += weight * 0.5 * (area(first)? + area(second)?);
            whole += weight;
        }
    }
    Ok((whole > 0.0).then(|| sum / whole))
}

/// Average precision of every class against all others; 0 for a class without a clip.
///
/// # Errors
/// Those of [`roc_auc_one_vs_rest`].
pub fn average_precision_one_vs_rest<S: Copy + Into<f64>>(
    y_true: &[usize],
    scores: ArrayView2<'_, S>,
) -> Result<ClassValues, EvalError> {
    let measure = |positive: &[bool], scores: &[f64]| average_precision(positive, scores).map(Some);
    by_column(&checked(y_true, scores)?, |row, column| y_true[row] == column, measure)
}

/// Average precision of all (clip, class) cells together.
///
/// # Errors
/// Those of [`roc_auc_one_vs_rest`].
pub fn average_precision_micro<S: Copy + Into<f64>>(
    y_true: &[usize],
    scores: ArrayView2<'_, S>,
) -> Result<f64, EvalError> {
    of_all_cells(&checked(y_true, scores)?, |row, column| y_true[row] == column, average_precision)
}

/// The share of clips whose class is among the `k` with the highest scores; 1 where k reaches the number of classes.
///
/// # Errors
/// [`EvalError::Parameter`] for k = 0, and those of [`roc_auc_one_vs_rest`].
pub fn top_k_accuracy<S: Copy + Into<f64>>(
    y_true: &[usize],
    scores: ArrayView2<'_, S>,
    k: usize,
    ties: ScoreTies,
) -> Result<f64, EvalError> {
    if k == 0 {
        return Err(EvalError::Parameter { name: "k", value: 0.0, allowed: "1 or more" });
    }
    let scores = checked(y_true, scores)?;
    let hits = scores.outer_iter().zip(y_true).filter(|(row, class)| {
        let own = row[**class];
        let ahead = row.iter().enumerate().filter(|&(other, &score)| {
            let first_of_equals = match ties {
                ScoreTies::LowerClass => other < **class,
                ScoreTies::HigherClass => other > **class,
            };
            score > own || (score == own && first_of_equals)
        });
        ahead.count() < k
    });
    Ok(hits.count() as f64 / y_true.len() as f64)
}
