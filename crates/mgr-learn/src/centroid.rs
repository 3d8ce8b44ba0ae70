//! The nearest mean of a class.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::error::check_columns;
use crate::learner::{Classes, common, no_probabilities, plan, targets};
use crate::matrix::Matrix;
use crate::neighbours::{Metric, prepared};
use crate::{Classifier, LearnError, Learner};

/// Settings of the nearest centroid (`sklearn.neighbors.NearestCentroid`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NearestCentroidConfig {
    /// Distance to the mean of a class's rows; for the cosine the rows are brought to length 1 first. Default Euclidean.
    pub metric: Metric,
}

impl NearestCentroidConfig {
    /// Checks the settings; there is nothing to refuse.
    ///
    /// # Errors
    /// None.
    pub fn plan(&self) -> Result<NearestCentroid, LearnError> {
        Ok(NearestCentroid { config: self.clone() })
    }
}

plan! {
    /// The nearest centroid ready to fit.
    NearestCentroid of NearestCentroidConfig
}

/// The mean of each class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct NearestCentroidModel {
    classes: Classes,
    columns: usize,
    metric: Metric,
    means: Matrix,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    classes: Classes,
    columns: usize,
    metric: Metric,
    means: Matrix,
}

impl TryFrom<Stored> for NearestCentroidModel {
    type Error = LearnError;

    fn try_from(Stored { classes, columns, metric, means }: Stored) -> Result<Self, LearnError> {
        if columns == 0 || means.dim() != (classes.len(), columns) {
            return Err(LearnError::Inconsistent { reason: "means and classes do not match" });
        }
        Ok(Self { classes, columns, metric, means })
    }
}

impl Learner for NearestCentroid {
    type Model = NearestCentroidModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<NearestCentroidModel, LearnError> {
        let targets = targets(table, labels, classes)?;
        let metric = self.config.metric;
        let rows = prepared(table, metric);
        let mut means = Array2::<f64>::zeros((targets.classes.len(), table.ncols()));
        for (row, &c) in rows.rows().into_iter().zip(&targets.of_row) {
            let mut mean = means.row_mut(c);
            mean += &row;
        }
        for (mut mean, &n) in means.rows_mut().into_iter().zip(&targets.counts) {
            mean /= n as f64;
        }
        if !means.iter().all(|v| v.is_finite()) {
            return Err(LearnError::Overflow { what: "a class's mean" });
        }
        // The mean of rows of length 1 is shorter; the cosine is of its direction.
        let means = if metric == Metric::Cosine { prepared(means.view(), metric) } else { means };
        Ok(NearestCentroidModel {
            columns: table.ncols(),
            metric,
            means: Matrix::new(means),
            classes: targets.classes,
        })
    }
}

impl Classifier for NearestCentroidModel {
    common!();
    no_probabilities!("nearest centroid");

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        Ok(self.classes.largest(&self.decision(table)?))
    }

    /// The distance to each class's mean, negative, one column a class present.
    fn decision(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        let rows = prepared(table, self.metric);
        let means = self.means.view();
        let out = Array2::from_shape_fn((rows.nrows(), means.nrows()), |(i, c)| match self.metric {
            Metric::Euclidean => {
                let square: f64 = rows.row(i).iter().zip(means.row(c)).map(|(a, b)| (a - b) * (a - b)).sum();
                -square.sqrt()
            }
            Metric::Cosine => rows.row(i).dot(&means.row(c)) - 1.0,
        });
        if out.iter().all(|v| v.is_finite()) {
            Ok(out)
        } else {
            Err(LearnError::Overflow { what: "a distance" })
        }
    }
}
