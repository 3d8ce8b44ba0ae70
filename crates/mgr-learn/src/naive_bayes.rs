//! Gaussian naive Bayes.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::error::check_columns;
use crate::learner::{Classes, common, plan, targets, within};
use crate::matrix::Matrix;
use crate::{Classifier, LearnError, Learner};

/// Settings of Gaussian naive Bayes, as of scikit-learn (`sklearn.naive_bayes.GaussianNB`): every column is normal within a
/// class, and the columns are independent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaussianNbConfig {
    /// Share of the largest variance of a column that is added to every variance, 0 to 1e6. Default 1e-9.
    pub var_smoothing: f64,
}

impl Default for GaussianNbConfig {
    fn default() -> Self {
        Self { var_smoothing: 1e-9 }
    }
}

impl GaussianNbConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<GaussianNb, LearnError> {
        within("var_smoothing", self.var_smoothing, 0.0, 1e6, "0 to 1e6")?;
        Ok(GaussianNb { config: self.clone() })
    }
}

plan! {
    /// Gaussian naive Bayes ready to fit.
    GaussianNb of GaussianNbConfig
}

/// Means and variances of each class, and its share of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct GaussianNbModel {
    classes: Classes,
    columns: usize,
    means: Matrix,
    variances: Matrix,
    log_priors: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    classes: Classes,
    columns: usize,
    means: Matrix,
    variances: Matrix,
    log_priors: Vec<f64>,
}

impl TryFrom<Stored> for GaussianNbModel {
    type Error = LearnError;

    fn try_from(
        Stored { classes, columns, means, variances, log_priors }: Stored,
    ) -> Result<Self, LearnError> {
        let shape = (classes.len(), columns);
        if columns == 0
            || means.dim() != shape
            || variances.dim() != shape
            || log_priors.len() != shape.0
            || !variances.view().iter().all(|v| *v > 0.0)
        {
            return Err(LearnError::Inconsistent { reason: "means, variances and classes do not match" });
        }
        Ok(Self { classes, columns, means, variances, log_priors })
    }
}

impl Learner for GaussianNb {
    type Model = GaussianNbModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<GaussianNbModel, LearnError> {
        let targets = targets(table, labels, classes)?;
        let (rows, columns) = table.dim();
        let k = targets.classes.len();
        let mut means = Array2::<f64>::zeros((k, columns));
        for (row, &c) in table.rows().into_iter().zip(&targets.of_row) {
            let mut mean = means.row_mut(c);
            mean += &row;
        }
        for (mut mean, &n) in means.rows_mut().into_iter().zip(&targets.counts) {
            mean /= n as f64;
        }
        let mut variances = Array2::<f64>::zeros((k, columns));
        for (row, &c) in table.rows().into_iter().zip(&targets.of_row) {
            for ((v, x), m) in variances.row_mut(c).iter_mut().zip(row).zip(means.row(c)) {
                *v += (x - m) * (x - m);
            }
        }
        let n = rows as f64;
        let spread = table.columns().into_iter().map(|column| {
            let mean = column.sum() / n;
            column.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n
        });
        let widest = spread.fold(0.0, f64::max);
        // A table of constant columns has no spread at all: any positive variance says the same.
        let added = (self.config.var_smoothing * widest).max(f64::MIN_POSITIVE * 1e10);
        for (mut variance, &n) in variances.rows_mut().into_iter().zip(&targets.counts) {
            variance.mapv_inplace(|v| v / n as f64 + added);
        }
        if !variances.iter().chain(&means).all(|v| v.is_finite()) {
            return Err(LearnError::Overflow { what: "a column's variance" });
        }
        Ok(GaussianNbModel {
            columns,
            means: Matrix::new(means),
            variances: Matrix::new(variances),
            log_priors: targets.counts.iter().map(|&c| (c as f64 / n).ln()).collect(),
            classes: targets.classes,
        })
    }
}

impl GaussianNbModel {
    /// The logarithm of `P(class) P(row | class)`, `(rows, classes present)`.
    fn joint(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        let (means, variances) = (self.means.view(), self.variances.view());
        let constants: Vec<f64> = variances
            .rows()
            .into_iter()
            .zip(&self.log_priors)
            .map(|(v, p)| p - 0.5 * v.iter().map(|v| (2.0 * std::f64::consts::PI * v).ln()).sum::<f64>())
            .collect();
        let mut out = Array2::zeros((table.nrows(), self.classes.len()));
        for (row, mut to) in table.rows().into_iter().zip(out.rows_mut()) {
            for (c, to) in to.iter_mut().enumerate() {
                let distance: f64 = row
                    .iter()
                    .zip(means.row(c))
                    .zip(variances.row(c))
                    .map(|((x, m), v)| (x - m) * (x - m) / v)
                    .sum();
                *to = constants[c] - 0.5 * distance;
            }
        }
        // A row infinitely far from every class is as good as any other.
        out.mapv_inplace(|v| if v.is_finite() { v } else { f64::MIN });
        Ok(out)
    }
}

impl Classifier for GaussianNbModel {
    common!();

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        Ok(self.classes.largest(&self.joint(table)?))
    }

    fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        Ok(self.classes.softmax(self.joint(table)?))
    }

    /// The logarithm of `P(class) P(row | class)`, one column a class present, also for two classes.
    fn decision(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        self.joint(table)
    }
}
