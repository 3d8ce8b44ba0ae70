//! Ridge classification.

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::learner::{plan, targets, within};
use crate::linalg::solve_positive;
use crate::linear::{LinearModel, machines};
use crate::{ClassWeight, LearnError, Learner};

/// Settings of the ridge classifier (`sklearn.linear_model.RidgeClassifier`): least squares on targets of +1 and -1 for each
/// class against the rest, `sum_i weight_i (w . x_i + b - t_i)^2 + alpha |w|^2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RidgeConfig {
    /// Strength of the penalty, above 0. Default 1.
    pub alpha: f64,
    /// Weights of the classes. Default uniform.
    pub class_weight: ClassWeight,
}

impl Default for RidgeConfig {
    fn default() -> Self {
        Self { alpha: 1.0, class_weight: ClassWeight::default() }
    }
}

impl RidgeConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<Ridge, LearnError> {
        within("alpha", self.alpha, 1e-12, 1e12, "1e-12 to 1e12")?;
        self.class_weight.check()?;
        Ok(Ridge { config: self.clone() })
    }
}

plan! {
    /// The ridge classifier ready to fit.
    Ridge of RidgeConfig
}

impl Learner for Ridge {
    type Model = LinearModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<LinearModel, LearnError> {
        let targets = targets(table, labels, classes)?;
        let of_class = self.config.class_weight.of(&targets)?;
        let row_weights: Vec<f64> = targets.of_row.iter().map(|&c| of_class[c]).collect();
        let sum: f64 = row_weights.iter().sum();
        let machines = machines(&targets);
        let (rows, columns) = table.dim();
        let mut y = Array2::from_shape_fn((rows, machines.len()), |(i, m)| {
            if targets.of_row[i] == machines[m] { 1.0 } else { -1.0 }
        });
        let mean = |a: ArrayView2<'_, f64>| {
            let mut mean = ndarray::Array1::<f64>::zeros(a.ncols());
            for (row, w) in a.rows().into_iter().zip(&row_weights) {
                mean.scaled_add(w / sum, &row);
            }
            mean
        };
        let (x_mean, y_mean) = (mean(table), mean(y.view()));
        let mut x = &table - &x_mean;
        y -= &y_mean;
        for ((mut x, mut y), w) in x.rows_mut().into_iter().zip(y.rows_mut()).zip(&row_weights) {
            x *= w.sqrt();
            y *= w.sqrt();
        }
        let penalised = |mut products: Array2<f64>| {
            products.diag_mut().mapv_inplace(|v| v + self.config.alpha);
            if products.iter().all(|v| v.is_finite()) {
                Ok(products)
            } else {
                Err(LearnError::Overflow { what: "a column's variance" })
            }
        };
        // The smaller of both systems.
        let weights = if columns <= rows {
            solve_positive(penalised(x.t().dot(&x))?.view(), x.t().dot(&y).view())?
        } else {
            x.t().dot(&solve_positive(penalised(x.dot(&x.t()))?.view(), y.view())?)
        };
        let intercepts = (&y_mean - &x_mean.dot(&weights)).to_vec();
        let weights = weights.t().as_standard_layout().into_owned();
        debug_assert_eq!(weights.len_of(Axis(1)), columns);
        LinearModel::new(targets.classes, weights, intercepts, None)
    }
}
