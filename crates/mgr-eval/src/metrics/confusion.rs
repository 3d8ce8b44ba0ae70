//! The confusion matrix and everything that follows from it.

use serde::{Deserialize, Serialize};

use crate::EvalError;
use crate::error::same_length;

/// Keeps a mistaken class count from asking for the whole memory: 4096 classes are 128 MiB of counts.
const LARGEST_CLASSES: usize = 4096;

/// Counts of clips by true class (row) and predicted class (column).
///
/// Every ratio below follows one rule: 0/0 is 0, as with scikit-learn's `zero_division=0`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<u64>>", into = "Vec<Vec<u64>>")]
pub struct ConfusionMatrix {
    /// Row after row.
    counts: Vec<u64>,
    classes: usize,
}

/// Precision, recall, F1 and support of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Clips of the class predicted as the class / clips predicted as the class.
    pub precision: f64,
    /// Clips of the class predicted as the class / clips of the class.
    pub recall: f64,
    /// 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall.
    pub f1: f64,
    /// Clips of the class.
    pub support: u64,
}

/// Unweighted means of the class scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MacroAverage {
    /// Mean precision.
    pub precision: f64,
    /// Mean recall.
    pub recall: f64,
    /// Mean F1.
    pub f1: f64,
}

/// The classes that a macro average runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MacroOver {
    /// Classes with at least one true clip (default): a class that is not tested cannot be right or wrong.
    #[default]
    Present,
    /// Every class of the matrix, as scikit-learn does when given `labels`; absent classes count as 0.
    All,
    /// Classes that are true or predicted of at least one clip, as scikit-learn does without `labels`.
    Seen,
}

impl ConfusionMatrix {
    /// Counts true and predicted labels, both below `classes` (1 to 4096).
    ///
    /// # Errors
    /// [`EvalError::LengthMismatch`], [`EvalError::Empty`] without clips, [`EvalError::Parameter`] for
    /// the number of classes, [`EvalError::LabelOutOfRange`].
    pub fn from_labels(y_true: &[usize], y_pred: &[usize], classes: usize) -> Result<Self, EvalError> {
        same_length("predicted labels", y_true.len(), y_pred.len())?;
        if y_true.is_empty() {
            return Err(EvalError::Empty { what: "labels" });
        }
        if !(1..=LARGEST_CLASSES).contains(&classes) {
            let value = classes as f64;
            return Err(EvalError::Parameter { name: "classes", value, allowed: "1 to 4096" });
        }
        for (what, labels) in [("true label", y_true), ("predicted label", y_pred)] {
            if let Some((index, &label)) = labels.iter().enumerate().find(|&(_, &label)| label >= classes) {
                return Err(EvalError::LabelOutOfRange { what, label, index, classes });
            }
        }
        let mut counts = vec![0; classes * classes];
        for (&row, &column) in y_true.iter().zip(y_pred) {
            counts[row * classes + column] += 1;
        }
        Ok(Self { counts, classes })
    }

    /// Takes the rows of counts as they are.
    ///
    /// # Errors
    /// [`EvalError::Empty`] without rows, [`EvalError::LengthMismatch`] where a row is not as long as there are rows.
    pub fn from_rows(rows: &[Vec<u64>]) -> Result<Self, EvalError> {
        if rows.is_empty() {
            return Err(EvalError::Empty { what: "confusion matrix" });
        }
        for row in rows {
            same_length("row of a confusion matrix", rows.len(), row.len())?;
        }
        Ok(Self { counts: rows.concat(), classes: rows.len() })
    }

    /// The sum of the matrices of several folds; counts saturate.
    ///
    /// # Errors
    /// [`EvalError::Empty`] without matrices, [`EvalError::LengthMismatch`] for different numbers of classes.
    pub fn sum<'a>(matrices: impl IntoIterator<Item = &'a Self>) -> Result<Self, EvalError> {
        let mut matrices = matrices.into_iter();
        let mut total =
            matrices.next().ok_or(EvalError::Empty { what: "list of confusion matrices" })?.clone();
        for matrix in matrices {
            same_length("confusion matrix", total.classes, matrix.classes)?;
            for (sum, &count) in total.counts.iter_mut().zip(&matrix.counts) {
                *sum = sum.saturating_add(count);
            }
        }
        Ok(total)
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Clips of class `truth` predicted as `predicted`; 0 beyond the last class.
    #[must_use]
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        if truth < self.classes && predicted < self.classes {
            self.counts[truth * self.classes + predicted]
        } else {
            0
        }
    }

    /// The rows of counts, one per true class.
    pub fn rows(&self) -> impl Iterator<Item = &[u64]> {
        self.counts.chunks_exact(self.classes.max(1))
    }

    /// All clips.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, &count| sum.saturating_add(count))
    }

    /// Clips on the diagonal.
    #[must_use]
    pub fn correct(&self) -> u64 {
        (0..self.classes).fold(0, |sum, class| sum.saturating_add(self.count(class, class)))
    }

    /// Clips of class `class` (its row sum).
    #[must_use]
    pub fn support(&self, class: usize) -> u64 {
        (0..self.classes).fold(0, |sum, column| sum.saturating_add(self.count(class, column)))
    }

    /// Clips predicted as `class` (its column sum).
    #[must_use]
    pub fn predicted(&self, class: usize) -> u64 {
        (0..self.classes).fold(0, |sum, row| sum.saturating_add(self.count(row, class)))
    }

    /// Correct / all.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        ratio(self.correct(), self.total())
    }

    /// The share of class `truth` that is predicted as `predicted`: the count divided by its row's sum.
    #[must_use]
    pub fn row_share(&self, truth: usize, predicted: usize) -> f64 {
        ratio(self.count(truth, predicted), self.support(truth))
    }

    /// Precision, recall, F1 and support of one class; all 0 beyond the last class.
    #[must_use]
    pub fn class_scores(&self, class: usize) -> ClassScores {
        let hits = self.count(class, class);
        let (support, predicted) = (self.support(class), self.predicted(class));
        let both = support as f64 + predicted as f64;
        ClassScores {
            precision: ratio(hits, predicted),
            recall: ratio(hits, support),
            f1: if both > 0.0 { 2.0 * hits as f64 / both } else { 0.0 },
            support,
        }
    }

    /// [`class_scores`](Self::class_scores) of every class in order.
    #[must_use]
    pub fn per_class(&self) -> Vec<ClassScores> {
        (0..self.classes).map(|class| self.class_scores(class)).collect()
    }

    /// Unweighted means over the chosen classes; all 0 where there is none.
    #[must_use]
    pub fn macro_average(&self, over: MacroOver) -> MacroAverage {
        let scores: Vec<ClassScores> = self
            .per_class()
            .into_iter()
            .enumerate()
            .filter(|&(class, _)| self.counts_class(class, over))
            .map(|(_, scores)| scores)
            .collect();
        let count = scores.len().max(1) as f64;
        let mean = |value: fn(&ClassScores) -> f64| scores.iter().map(value).sum::<f64>() / count;
        MacroAverage { precision: mean(|s| s.precision), recall: mean(|s| s.recall), f1: mean(|s| s.f1) }
    }

    /// Mean recall over the classes with at least one true clip (scikit-learn's `balanced_accuracy_score`).
    #[must_use]
    pub fn balanced_accuracy(&self) -> f64 {
        self.macro_average(MacroOver::Present).recall
    }
}

impl TryFrom<Vec<Vec<u64>>> for ConfusionMatrix {
    type Error = EvalError;

    fn try_from(rows: Vec<Vec<u64>>) -> Result<Self, EvalError> {
        Self::from_rows(&rows)
    }
}

impl From<ConfusionMatrix> for Vec<Vec<u64>> {
    fn from(matrix: ConfusionMatrix) -> Self {
        matrix.rows().map(<[u64]>::to_vec).collect()
    }
}

pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
