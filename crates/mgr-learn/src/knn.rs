//! The vote of the nearest rows.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::error::check_columns;
use crate::learner::{Classes, at_least_one, common, no_decision, plan, targets};
use crate::matrix::Matrix;
use crate::neighbours::{Metric, nearest, prepared};
use crate::{Classifier, LearnError, Learner};

/// What a neighbour's vote counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeighbourWeight {
    /// All the same.
    #[default]
    Uniform,
    /// One over the distance; rows at distance 0 then count alone.
    Distance,
}

/// Settings of the nearest neighbours, as of scikit-learn (`sklearn.neighbors.KNeighborsClassifier`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KnnConfig {
    /// Neighbours that vote, 1 to the rows fitted on. Default 5.
    pub neighbours: usize,
    /// What a vote counts. Default uniform.
    pub weight: NeighbourWeight,
    /// Distance. Default Euclidean.
    pub metric: Metric,
}

impl Default for KnnConfig {
    fn default() -> Self {
        Self { neighbours: 5, weight: NeighbourWeight::default(), metric: Metric::default() }
    }
}

impl KnnConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<Knn, LearnError> {
        at_least_one("neighbours", self.neighbours)?;
        Ok(Knn { config: self.clone() })
    }
}

plan! {
    /// Nearest neighbours ready to fit.
    ///
    /// ```
    /// use mgr_learn::{Classifier, KnnConfig, Learner};
    /// use ndarray::array;
    ///
    /// let table = array![[0.0], [1.0], [5.0], [6.0]];
    /// let model = KnnConfig { neighbours: 2, ..KnnConfig::default() }.plan()?.fit(table.view(), &[0, 0, 1, 1], 2)?;
    /// assert_eq!(model.predict(array![[0.4], [5.4]].view())?, [0, 1]);
    /// # Ok::<(), mgr_learn::LearnError>(())
    /// ```
    Knn of KnnConfig
}

/// The rows fitted on. Where votes are equal the lowest class wins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct KnnModel {
    classes: Classes,
    columns: usize,
    config: KnnConfig,
    table: Matrix,
    of_row: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    classes: Classes,
    columns: usize,
    config: KnnConfig,
    table: Matrix,
    of_row: Vec<usize>,
}

impl TryFrom<Stored> for KnnModel {
    type Error = LearnError;

    fn try_from(Stored { classes, columns, config, table, of_row }: Stored) -> Result<Self, LearnError> {
        config.plan()?;
        let k = classes.len();
        if columns == 0
            || table.dim() != (of_row.len(), columns)
            || of_row.iter().any(|c| *c >= k)
            || config.neighbours > of_row.len()
        {
            return Err(LearnError::Inconsistent { reason: "rows, columns and classes do not match" });
        }
        Ok(Self { classes, columns, config, table, of_row })
    }
}

impl Learner for Knn {
    type Model = KnnModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<KnnModel, LearnError> {
        let targets = targets(table, labels, classes)?;
        let (needed, found) = (self.config.neighbours, table.nrows());
        if needed > found {
            return Err(LearnError::Rows { what: "the number of neighbours", needed, found });
        }
        Ok(KnnModel {
            columns: table.ncols(),
            config: self.config.clone(),
            table: Matrix::new(prepared(table, self.config.metric)),
            of_row: targets.of_row,
            classes: targets.classes,
        })
    }
}

impl KnnModel {
    fn votes(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        let KnnConfig { neighbours, weight, metric } = self.config;
        let query = prepared(table, metric);
        let found = nearest(query.view(), self.table.view(), neighbours, metric, false);
        let mut votes = Array2::zeros((table.nrows(), self.classes.len()));
        for (row, mut votes) in found.iter().zip(votes.rows_mut()) {
            let exact = row.first().is_some_and(|(d, _)| *d <= 0.0);
            for &(distance, i) in row {
                votes[self.of_row[i]] += match weight {
                    NeighbourWeight::Uniform => 1.0,
                    NeighbourWeight::Distance if exact => f64::from(u8::from(distance <= 0.0)),
                    NeighbourWeight::Distance => 1.0 / distance,
                };
            }
        }
        Ok(votes)
    }
}

impl Classifier for KnnModel {
    common!();
    no_decision!("knn");

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        Ok(self.classes.largest(&self.votes(table)?))
    }

    fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        let mut votes = self.votes(table)?;
        for mut row in votes.rows_mut() {
            let sum = row.sum();
            row.mapv_inplace(|v| v / sum);
        }
        Ok(self.classes.spread(votes))
    }
}
