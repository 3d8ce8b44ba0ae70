//! What every classifier has in common.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::error::check;
use crate::logistic::softmax;
use crate::{Convergence, LearnError};

/// A checked configuration that can be fitted.
///
/// The same configuration, table, labels and seed give the same model, whatever the number of threads.
pub trait Learner: Send + Sync {
    /// What fitting gives.
    type Model: Classifier;

    /// Fits a table `(rows, columns)` with a class index below `classes` for each row.
    ///
    /// A fit that does not converge is no error: [`Classifier::convergence`] tells.
    ///
    /// # Errors
    /// [`LearnError::Empty`], [`LearnError::NotFinite`], [`LearnError::LabelCount`], [`LearnError::Label`],
    /// [`LearnError::OneClass`], [`LearnError::Overflow`] where values are too large for `f64` arithmetic.
    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<Self::Model, LearnError>;
}

/// A fitted classifier.
///
/// A class that no label named has probability 0 and is never predicted.
pub trait Classifier: Send + Sync {
    /// Number of classes, those without a label included.
    fn classes(&self) -> usize;

    /// The classes that had labels, ascending.
    fn present(&self) -> &[usize];

    /// Columns of the table it was fitted on.
    fn columns(&self) -> usize;

    /// The class of each row.
    ///
    /// # Errors
    /// [`LearnError::Empty`], [`LearnError::NotFinite`], [`LearnError::Columns`], [`LearnError::Overflow`].
    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError>;

    /// Class probabilities `(rows, classes)`; each row sums to 1.
    ///
    /// # Errors
    /// As [`Classifier::predict`], and [`LearnError::Unavailable`] for a learner without probabilities.
    fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError>;

    /// Decision values: one column for two classes present (positive for the second), else one for each class present, or
    /// what the learner's own documentation says.
    ///
    /// # Errors
    /// As [`Classifier::predict`], and [`LearnError::Unavailable`] for a learner without decision values.
    fn decision(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError>;

    /// How the fit ended; none for a learner that does not iterate to a tolerance.
    fn convergence(&self) -> Option<Convergence> {
        None
    }

    /// The mean decrease of impurity by column, summing to 1; none for a learner without trees.
    fn importances(&self) -> Option<Vec<f64>> {
        None
    }
}

/// The classes that a model knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredClasses")]
pub(crate) struct Classes {
    /// Number of classes.
    pub(crate) count: usize,
    /// The classes with labels, ascending.
    pub(crate) present: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredClasses {
    count: usize,
    present: Vec<usize>,
}

impl TryFrom<StoredClasses> for Classes {
    type Error = LearnError;

    fn try_from(StoredClasses { count, present }: StoredClasses) -> Result<Self, LearnError> {
        if present.len() < 2
            || !present.is_sorted_by(|a, b| a < b)
            || present.last().is_some_and(|c| *c >= count)
            || count > MOST_CLASSES
        {
            let reason = "the classes present are not two or more ascending class indices";
            return Err(LearnError::Inconsistent { reason });
        }
        Ok(Self { count, present })
    }
}

/// More than any table of genres has; a wrong number must not ask for the whole memory.
pub(crate) const MOST_CLASSES: usize = 1 << 16;

impl Classes {
    /// Number of classes present.
    pub(crate) fn len(&self) -> usize {
        self.present.len()
    }

    /// The class of a position among those present.
    pub(crate) fn class(&self, position: usize) -> usize {
        self.present.get(position).copied().unwrap_or(0)
    }

    /// Columns of the classes present spread over all classes; the others are 0.
    pub(crate) fn spread(&self, narrow: Array2<f64>) -> Array2<f64> {
        if self.count == self.present.len() {
            return narrow;
        }
        let mut wide = Array2::zeros((narrow.nrows(), self.count));
        for (column, &class) in narrow.columns().into_iter().zip(&self.present) {
            wide.column_mut(class).assign(&column);
        }
        wide
    }

    /// Scores of the classes present, each row made to probabilities of all classes.
    pub(crate) fn softmax(&self, mut scores: Array2<f64>) -> Array2<f64> {
        for mut row in scores.rows_mut() {
            if let Some(row) = row.as_slice_mut() {
                softmax(row);
            }
        }
        self.spread(scores)
    }

    /// The class of the largest entry of each row; of equal ones the lowest.
    pub(crate) fn largest(&self, scores: &Array2<f64>) -> Vec<usize> {
        scores.rows().into_iter().map(|row| self.class(argmax(row))).collect()
    }

    /// Classes of decision values: the sign of one column, or the largest of several.
    pub(crate) fn decide(&self, decision: &Array2<f64>) -> Vec<usize> {
        if decision.ncols() == 1 {
            decision.column(0).iter().map(|&v| self.class(usize::from(v > 0.0))).collect()
        } else {
            self.largest(decision)
        }
    }
}

/// Position of the largest value; of equal ones the first.
pub(crate) fn argmax(values: ArrayView1<'_, f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (i, &v) in values.iter().enumerate() {
        if v > best.1 {
            best = (i, v);
        }
    }
    best.0
}

/// Checked labels of a table.
#[derive(Debug, Clone)]
pub(crate) struct Targets {
    pub(crate) classes: Classes,
    /// Position of each row's class among those present.
    pub(crate) of_row: Vec<usize>,
    /// Rows of each class present.
    pub(crate) counts: Vec<usize>,
}

/// Checks a table and its labels.
pub(crate) fn targets(
    table: ArrayView2<'_, f64>,
    labels: &[usize],
    classes: usize,
) -> Result<Targets, LearnError> {
    check(table)?;
    let rows = table.nrows();
    if labels.len() != rows {
        return Err(LearnError::LabelCount { rows, labels: labels.len() });
    }
    if classes > MOST_CLASSES {
        let allowed = "1 to 65536";
        return Err(LearnError::Setting { field: "classes", value: classes as f64, allowed });
    }
    if let Some((row, &label)) = labels.iter().enumerate().find(|(_, l)| **l >= classes) {
        return Err(LearnError::Label { row, label, classes });
    }
    let mut present = labels.to_vec();
    present.sort_unstable();
    present.dedup();
    if let [class] = present[..] {
        return Err(LearnError::OneClass { class });
    }
    let of_row: Vec<usize> = labels.iter().map(|l| present.partition_point(|p| p < l)).collect();
    let mut counts = vec![0; present.len()];
    of_row.iter().for_each(|&t| counts[t] += 1);
    Ok(Targets { classes: Classes { count: classes, present }, of_row, counts })
}

/// Weights of the classes in a fit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// Every row counts the same.
    #[default]
    Uniform,
    /// Every class counts the same: `rows / (classes present * rows of the class)`.
    Balanced,
    /// A weight above 0 for each class, by its index.
    Given(Vec<f64>),
}

impl ClassWeight {
    pub(crate) fn check(&self) -> Result<(), LearnError> {
        if let Self::Given(weights) = self
            && let Some(&value) = weights.iter().find(|w| !(1e-12..=1e12).contains(*w))
        {
            return Err(LearnError::Setting { field: "class_weight", value, allowed: "1e-12 to 1e12" });
        }
        Ok(())
    }

    /// The weight of each class present.
    pub(crate) fn of(&self, targets: &Targets) -> Result<Vec<f64>, LearnError> {
        let k = targets.classes.len();
        match self {
            Self::Uniform => Ok(vec![1.0; k]),
            Self::Balanced => {
                let n = targets.of_row.len() as f64;
                Ok(targets.counts.iter().map(|&c| n / (k as f64 * c as f64)).collect())
            }
            Self::Given(weights) => {
                targets.classes.present.iter().map(|&c| weights.get(c).copied()).collect::<Option<_>>().ok_or(
                    LearnError::Setting {
                        field: "class_weight",
                        value: weights.len() as f64,
                        allowed: "as many weights as there are classes",
                    },
                )
            }
        }
    }
}

/// A setting within its range, both ends included.
pub(crate) fn within(
    field: &'static str,
    value: f64,
    low: f64,
    high: f64,
    allowed: &'static str,
) -> Result<(), LearnError> {
    if value >= low && value <= high { Ok(()) } else { Err(LearnError::Setting { field, value, allowed }) }
}

/// A count of 1 or more.
pub(crate) fn at_least_one(field: &'static str, value: usize) -> Result<(), LearnError> {
    if value == 0 {
        return Err(LearnError::Setting { field, value: 0.0, allowed: "1 or more" });
    }
    Ok(())
}

/// The checked form of a configuration: a type that holds the configuration and nothing that is invalid.
macro_rules! plan {
    ($(#[$doc:meta])* $plan:ident of $config:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $plan {
            config: $config,
        }

        impl $plan {
            /// The settings.
            #[must_use]
            pub const fn config(&self) -> &$config {
                &self.config
            }
        }
    };
}
pub(crate) use plan;

/// The scores as decision values: of two classes the second's less the first's, as scikit-learn gives them.
pub(crate) fn one_column_of_two(scores: Array2<f64>) -> Array2<f64> {
    if scores.ncols() != 2 {
        return scores;
    }
    (&scores.column(1) - &scores.column(0)).insert_axis(Axis(1))
}

/// What of [`Classifier`] is the same for all models with a `classes: Classes` and `columns: usize`.
macro_rules! common {
    () => {
        fn classes(&self) -> usize {
            self.classes.count
        }

        fn present(&self) -> &[usize] {
            &self.classes.present
        }

        fn columns(&self) -> usize {
            self.columns
        }
    };
}
pub(crate) use common;

/// A model without probabilities.
macro_rules! no_probabilities {
    ($learner:literal) => {
        fn predict_proba(
            &self,
            _table: ndarray::ArrayView2<'_, f64>,
        ) -> Result<ndarray::Array2<f64>, LearnError> {
            Err(LearnError::Unavailable { learner: $learner, what: "probabilities" })
        }
    };
}
pub(crate) use no_probabilities;

/// A model whose scores are probabilities only.
macro_rules! no_decision {
    ($learner:literal) => {
        fn decision(&self, _table: ndarray::ArrayView2<'_, f64>) -> Result<ndarray::Array2<f64>, LearnError> {
            Err(LearnError::Unavailable { learner: $learner, what: "decision values" })
        }
    };
}
pub(crate) use no_decision;

/// Runs `work` over `0..count` on the threads at hand, in order.
pub(crate) fn parallel<T: Send>(
    count: usize,
    work: impl Fn(usize) -> Result<T, LearnError> + Sync + Send,
) -> Result<Vec<T>, LearnError> {
    use rayon::prelude::*;
    (0..count).into_par_iter().map(work).collect()
}
