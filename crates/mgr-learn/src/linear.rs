//! The model that all linear classifiers end in.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::error::check_columns;
use crate::learner::{Classes, Targets, common, no_probabilities};
use crate::matrix::Matrix;
use crate::matrix::by_rows;
use crate::{Classifier, Convergence, LearnError};

/// A linear classifier: one weight vector for two classes, else one for each class present.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct LinearModel {
    classes: Classes,
    columns: usize,
    weights: Matrix,
    intercepts: Vec<f64>,
    convergence: Option<Convergence>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    classes: Classes,
    columns: usize,
    weights: Matrix,
    intercepts: Vec<f64>,
    convergence: Option<Convergence>,
}

impl TryFrom<Stored> for LinearModel {
    type Error = LearnError;

    fn try_from(s: Stored) -> Result<Self, LearnError> {
        let machines = if s.classes.len() == 2 { 1 } else { s.classes.len() };
        if s.columns == 0
            || s.weights.dim() != (machines, s.columns)
            || s.intercepts.len() != machines
            || !s.intercepts.iter().all(|v| v.is_finite())
        {
            return Err(LearnError::Inconsistent { reason: "weights, intercepts and classes do not match" });
        }
        let Stored { classes, columns, weights, intercepts, convergence } = s;
        Ok(Self { classes, columns, weights, intercepts, convergence })
    }
}

/// The classes that a machine each is fitted for, by their place among those present: for two the second alone.
pub(crate) fn machines(targets: &Targets) -> Vec<usize> {
    match targets.classes.len() {
        2 => vec![1],
        k => (0..k).collect(),
    }
}

impl LinearModel {
    pub(crate) fn new(
        classes: Classes,
        weights: Array2<f64>,
        intercepts: Vec<f64>,
        convergence: Option<Convergence>,
    ) -> Result<Self, LearnError> {
        if !weights.iter().chain(&intercepts).all(|v| v.is_finite()) {
            return Err(LearnError::Overflow { what: "a weight" });
        }
        Ok(Self { classes, columns: weights.ncols(), weights: Matrix::new(weights), intercepts, convergence })
    }

    /// Of machines fitted one by one, `(weights, intercept)`.
    pub(crate) fn of_machines(
        classes: Classes,
        columns: usize,
        machines: Vec<(Vec<f64>, f64)>,
        convergence: Option<Convergence>,
    ) -> Result<Self, LearnError> {
        let mut weights = Array2::zeros((machines.len(), columns));
        let mut intercepts = Vec::with_capacity(machines.len());
        for ((w, b), mut row) in machines.into_iter().zip(weights.rows_mut()) {
            row.assign(&Array1::from(w));
            intercepts.push(b);
        }
        Self::new(classes, weights, intercepts, convergence)
    }

    /// Weights, one row for two classes (of the second), else one for each class present.
    #[must_use]
    pub fn weights(&self) -> ArrayView2<'_, f64> {
        self.weights.view()
    }

    /// Intercepts in the order of the weights.
    #[must_use]
    pub fn intercepts(&self) -> &[f64] {
        &self.intercepts
    }
}

impl Classifier for LinearModel {
    common!();
    no_probabilities!("linear classifier");

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        Ok(self.classes.decide(&self.decision(table)?))
    }

    fn decision(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        let out = by_rows(table.dot(&self.weights.view().t())) + ArrayView1::from(self.intercepts.as_slice());
        if out.iter().all(|v| v.is_finite()) {
            Ok(out)
        } else {
            Err(LearnError::Overflow { what: "a decision value" })
        }
    }

    fn convergence(&self) -> Option<Convergence> {
        self.convergence
    }
}
