//! Multinomial logistic regression with an L2 penalty.

use crate::error::check_columns;
use crate::lbfgs::{Minimum, minimise};
use crate::learner::{Classes, one_column_of_two, targets};
use crate::matrix::by_rows;
use crate::{ClassWeight, Classifier, Convergence, LearnError, Learner};
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Rows that one thread takes at a time.
const PART: usize = 256;

/// Products below which threads cost more than they give.
const SMALL: usize = 1 << 17;

/// Settings of the logistic regression.
///
/// With weights `W` (classes x columns) and intercepts `b`, fitting minimises
/// `C * sum_i -log softmax(W x_i + b)[y_i] + 1/2 ||W||^2`, the objective of scikit-learn 1.9
/// (`sklearn.linear_model.LogisticRegression`, L2 penalty); intercepts are not penalised. Two classes are fitted, as
/// there, with one weight vector `v` and the penalty `1/2 ||v||^2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogisticRegressionConfig {
    /// Inverse strength of the penalty, `C`, above 0. Default 1.
    pub c: f64,
    /// Fitting ends where the largest absolute entry of the objective's gradient, divided by `C n`, is at most this;
    /// above 0. Default 1e-6, tighter than scikit-learn's 1e-4, with which the solution depends on the solver.
    pub tolerance: f64,
    /// Iterations of L-BFGS at most, 1 or more. Default 1000 (scikit-learn: 100).
    pub max_iterations: usize,
    /// Weights of the classes. Default uniform.
    pub class_weight: ClassWeight,
}

impl Default for LogisticRegressionConfig {
    fn default() -> Self {
        Self { c: 1.0, tolerance: 1e-6, max_iterations: 1000, class_weight: ClassWeight::Uniform }
    }
}

impl LogisticRegressionConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<LogisticRegression, LearnError> {
        for (field, value) in [("c", self.c), ("tolerance", self.tolerance)] {
            if !(1e-12..=1e12).contains(&value) {
                return Err(LearnError::Setting { field, value, allowed: "1e-12 to 1e12" });
            }
        }
        if self.max_iterations == 0 {
            return Err(LearnError::Setting { field: "max_iterations", value: 0.0, allowed: "1 or more" });
        }
        self.class_weight.check()?;
        Ok(LogisticRegression { config: self.clone() })
    }
}

/// A checked configuration, ready to fit.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticRegression {
    config: LogisticRegressionConfig,
}

/// A fitted model.
///
/// A class that no label named has probability 0 and is never predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct LogisticModel {
    classes: usize,
    columns: usize,
    present: Vec<usize>,
    weights: Vec<f64>,
    intercepts: Vec<f64>,
    convergence: Convergence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    classes: usize,
    columns: usize,
    present: Vec<usize>,
    weights: Vec<f64>,
    intercepts: Vec<f64>,
    convergence: Convergence,
}

impl TryFrom<Stored> for LogisticModel {
    type Error = LearnError;

    fn try_from(s: Stored) -> Result<Self, LearnError> {
        let fail = |reason| Err(LearnError::Inconsistent { reason });
        let k = s.present.len();
        if k < 2 || !s.present.is_sorted_by(|a, b| a < b) || s.present.iter().any(|c| *c >= s.classes) {
            return fail("the classes present are not two or more ascending class indices");
        }
        if s.columns == 0 || Some(s.weights.len()) != k.checked_mul(s.columns) || s.intercepts.len() != k {
            return fail("weights or intercepts do not match classes and columns");
        }
        if !s.weights.iter().chain(&s.intercepts).all(|v| v.is_finite()) {
            return fail("a weight is not finite");
        }
        let Stored { classes, columns, present, weights, intercepts, convergence } = s;
        Ok(Self { classes, columns, present, weights, intercepts, convergence })
    }
}

impl LogisticRegression {
    /// The settings.
    #[must_use]
    pub const fn config(&self) -> &LogisticRegressionConfig {
        &self.config
    }

    /// Fits a table `(rows, columns)` with a class index below `classes` for each row.
    ///
    /// A fit that does not converge is no error: [`LogisticModel::convergence`] tells.
    ///
    /// # Errors
    /// [`LearnError::Empty`], [`LearnError::NotFinite`], [`LearnError::LabelCount`], [`LearnError::Label`],
    /// [`LearnError::OneClass`], and [`LearnError::Overflow`] where the scores exceed `f64` (scale the columns first).
    pub fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<LogisticModel, LearnError> {
        let targets = targets(table, labels, classes)?;
        let row_weights = self.config.class_weight.of(&targets)?;
        let (rows, columns) = table.dim();
        let k = targets.classes.len();
        let table = table.as_standard_layout();
        // With w1 = -w0 = v/2 the penalty of two softmax rows is ||v||^2 / 4: half of that of one weight vector.
        let c = if k == 2 { self.config.c / 2.0 } else { self.config.c };
        let per_row = 1.0 / rows as f64;
        let penalty = per_row / c;
        // Parts of a fixed size, summed in order: the number of threads changes nothing.
        let parts: Vec<_> = table.axis_chunks_iter(Axis(0), PART).zip(targets.of_row.chunks(PART)).collect();
        let objective = |at: &[f64], gradient: &mut [f64]| {
            let (weights, intercepts) = at.split_at(k * columns);
            let Ok(w) = ArrayView2::from_shape((k, columns), weights) else { return f64::NAN };
            let part = |(x, of_row): &(ArrayView2<'_, f64>, &[usize])| {
                let mut scores = by_rows(x.dot(&w.t()));
                let mut value = 0.0;
                let mut residual_sums = vec![0.0; k];
                for (mut row, &target) in scores.rows_mut().into_iter().zip(*of_row) {
                    row.iter_mut().zip(intercepts).for_each(|(s, b)| *s += b);
                    let score = row[target];
                    let weight = per_row * row_weights[target];
                    if let Some(row) = row.as_slice_mut() {
                        value += weight * (softmax(row) - score);
                    }
                    row[target] -= 1.0;
                    row.iter_mut().zip(&mut residual_sums).for_each(|(r, sum)| {
                        *r *= weight;
                        *sum += *r;
                    });
                }
                (value, scores.t().dot(x), residual_sums)
            };
            let found: Vec<_> = if rows * columns * k < SMALL {
                parts.iter().map(part).collect()
            } else {
                parts.par_iter().map(part).collect()
            };
            let mut value = 0.5 * penalty * weights.iter().map(|w| w * w).sum::<f64>();
            for (g, a) in gradient.iter_mut().zip(weights) {
                *g = penalty * a;
            }
            let (weight_gradient, intercept_gradient) = gradient.split_at_mut(k * columns);
            intercept_gradient.fill(0.0);
            for (part_value, part_gradient, sums) in found {
                value += part_value;
                weight_gradient.iter_mut().zip(part_gradient.iter()).for_each(|(g, p)| *g += p);
                intercept_gradient.iter_mut().zip(sums).for_each(|(g, p)| *g += p);
            }
            value
        };
        let size = k * (columns + 1);
        let Minimum { mut at, gradient, iterations } =
            minimise(size, self.config.tolerance, self.config.max_iterations, objective);
        if !gradient.is_finite() || !at.iter().all(|v| v.is_finite()) {
            return Err(LearnError::Overflow { what: "the gradient" });
        }
        let convergence = Convergence::of(iterations, gradient, self.config.tolerance);
        let intercepts = at.split_off(k * columns);
        let Classes { count: classes, present } = targets.classes;
        Ok(LogisticModel { classes, columns, present, weights: at, intercepts, convergence })
    }
}

impl Learner for LogisticRegression {
    type Model = LogisticModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<LogisticModel, LearnError> {
        Self::fit(self, table, labels, classes)
    }
}

/// Turns scores into probabilities in place and returns the logarithm of their sum of exponentials.
pub(crate) fn softmax(scores: &mut [f64]) -> f64 {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for s in scores.iter_mut() {
        *s = (*s - top).exp();
        sum += *s;
    }
    scores.iter_mut().for_each(|s| *s /= sum);
    top + sum.ln()
}

impl LogisticModel {
    /// Number of classes, those without a label included.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.classes
    }

    /// The classes that had labels, ascending.
    #[must_use]
    pub fn present(&self) -> &[usize] {
        &self.present
    }

    /// How the fit ended.
    #[must_use]
    pub const fn convergence(&self) -> Convergence {
        self.convergence
    }

    /// The weights of each class that had labels, one per column, in the order of [`LogisticModel::present`]. Over the
    /// classes the weights of a column sum to zero.
    pub fn weights(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.weights.chunks_exact(self.columns)
    }

    /// Intercepts in the order of [`LogisticModel::present`].
    #[must_use]
    pub fn intercepts(&self) -> &[f64] {
        &self.intercepts
    }

    /// Class probabilities `(rows, classes)`; each row sums to 1.
    ///
    /// # Errors
    /// [`LearnError::Empty`], [`LearnError::NotFinite`], [`LearnError::Columns`], and [`LearnError::Overflow`] where a
    /// score exceeds `f64`.
    pub fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        let mut out = Array2::zeros((table.nrows(), self.classes));
        let mut scores = vec![0.0; self.present.len()];
        for (row, mut probabilities) in table.rows().into_iter().zip(out.rows_mut()) {
            for ((score, w), b) in
                scores.iter_mut().zip(self.weights.chunks(self.columns)).zip(&self.intercepts)
            {
                *score = b + row.iter().zip(w).map(|(x, w)| x * w).sum::<f64>();
            }
            if !scores.iter().all(|s| s.is_finite()) {
                return Err(LearnError::Overflow { what: "a score" });
            }
            softmax(&mut scores);
            for (class, p) in self.present.iter().zip(&scores) {
                probabilities[*class] = *p;
            }
        }
        Ok(out)
    }

    /// The most probable class of each row; of equal ones the lowest.
    ///
    /// # Errors
    /// As [`LogisticModel::predict_proba`].
    pub fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        let best = |row: ndarray::ArrayView1<'_, f64>| {
            row.iter().enumerate().fold((0, -1.0), |best, (i, &p)| if p > best.1 { (i, p) } else { best }).0
        };
        Ok(self.predict_proba(table)?.rows().into_iter().map(best).collect())
    }
}

impl Classifier for LogisticModel {
    fn classes(&self) -> usize {
        self.classes
    }

    fn present(&self) -> &[usize] {
        &self.present
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        Self::predict(self, table)
    }

    fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        Self::predict_proba(self, table)
    }

    fn decision(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        let k = self.present.len();
        let shape = LearnError::Inconsistent { reason: "weights do not match classes and columns" };
        let w = ArrayView2::from_shape((k, self.columns), &self.weights).map_err(|_| shape)?;
        let scores = table.dot(&w.t()) + ndarray::ArrayView1::from(self.intercepts.as_slice());
        if !scores.iter().all(|s| s.is_finite()) {
            return Err(LearnError::Overflow { what: "a score" });
        }
        Ok(one_column_of_two(scores))
    }

    fn convergence(&self) -> Option<Convergence> {
        Some(self.convergence)
    }
}
