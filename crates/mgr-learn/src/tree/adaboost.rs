//! Boosting by weights of rows.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::forest::normalise;
use super::grow::{Ground, Splitter, grow};
use super::nodes::Nodes;
use super::ranked::Ranked;
use super::{TreeSettings, trees};
use crate::error::check_columns;
use crate::learner::{Classes, argmax, common, plan, targets, within};
use crate::logistic::softmax;
use crate::random::Random;
use crate::{Classifier, LearnError, Learner};

/// Settings of AdaBoost, in the form for many classes (SAMME: J. Zhu et al., "Multi-class AdaBoost", Statistics and Its
/// Interface 2, 2009), as `sklearn.ensemble.AdaBoostClassifier`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaBoostConfig {
    /// Trees at most, 1 or more. Default 50.
    pub n_estimators: usize,
    /// What each tree's say is multiplied by, above 0. Default 1.
    pub learning_rate: f64,
    /// Growth of each tree. Default depth 1.
    pub tree: TreeSettings,
    /// Seed of the order in which columns are visited. Default 0.
    pub seed: u64,
}

impl Default for AdaBoostConfig {
    fn default() -> Self {
        let tree = TreeSettings { max_depth: Some(1), ..TreeSettings::default() };
        Self { n_estimators: 50, learning_rate: 1.0, tree, seed: 0 }
    }
}

impl AdaBoostConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<AdaBoost, LearnError> {
        trees("n_estimators", self.n_estimators)?;
        within("learning_rate", self.learning_rate, 1e-6, 1e3, "1e-6 to 1000")?;
        self.tree.check()?;
        Ok(AdaBoost { config: self.clone() })
    }
}

plan! {
    /// AdaBoost ready to fit.
    AdaBoost of AdaBoostConfig
}

/// Trees with a say each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct AdaBoostModel {
    classes: Classes,
    columns: usize,
    trees: Vec<Nodes>,
    say: Vec<f64>,
    importances: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    classes: Classes,
    columns: usize,
    trees: Vec<Nodes>,
    say: Vec<f64>,
    importances: Vec<f64>,
}

impl TryFrom<Stored> for AdaBoostModel {
    type Error = LearnError;

    fn try_from(Stored { classes, columns, trees, say, importances }: Stored) -> Result<Self, LearnError> {
        trees.iter().try_for_each(|t| t.check(columns, classes.len()))?;
        if trees.is_empty() || say.len() != trees.len() || columns == 0 || importances.len() != columns {
            return Err(LearnError::Inconsistent { reason: "trees and their weights do not match" });
        }
        Ok(Self { classes, columns, trees, say, importances })
    }
}

impl Learner for AdaBoost {
    type Model = AdaBoostModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<AdaBoostModel, LearnError> {
        let targets = targets(table, labels, classes)?;
        let ranked = Ranked::new(table);
        let (rows, columns) = table.dim();
        let k = targets.classes.len() as f64;
        let ground = Ground {
            table: &ranked,
            of_row: &targets.of_row,
            classes: targets.classes.len(),
            settings: &self.config.tree,
            splitter: Splitter::Best,
            candidates: columns,
        };
        let mut weights = vec![1.0 / rows as f64; rows];
        let (mut grown, mut say, mut importances) = (Vec::new(), Vec::new(), vec![0.0; columns]);
        for number in 0..self.config.n_estimators {
            let (tree, mut gains) = grow(&ground, &weights, Random::new(self.config.seed, &[number as u64]));
            let wrong: Vec<bool> = table
                .rows()
                .into_iter()
                .zip(&targets.of_row)
                .map(|(row, &c)| argmax(tree.of(row).into()) != c)
                .collect();
            let error: f64 = weights.iter().zip(&wrong).filter(|(_, w)| **w).map(|(v, _)| v).sum();
            // No better than chance: what came before stands; a first tree that bad is all there is.
            let useless = error >= 1.0 - 1.0 / k;
            if useless && !grown.is_empty() {
                break;
            }
            let perfect = error <= 0.0;
            let part = if perfect || useless {
                1.0
            } else {
                self.config.learning_rate * (((1.0 - error) / error).ln() + (k - 1.0).ln())
            };
            normalise(&mut gains);
            importances.iter_mut().zip(&gains).for_each(|(i, g)| *i += part * g);
            grown.push(tree);
            say.push(part);
            if perfect || useless {
                break;
            }
            weights.iter_mut().zip(&wrong).filter(|(_, w)| **w).for_each(|(v, _)| *v *= part.exp());
            normalise(&mut weights);
            // A weight that vanished would take its row out of the tree.
            weights.iter_mut().for_each(|w| *w = w.max(f64::MIN_POSITIVE));
        }
        normalise(&mut importances);
        Ok(AdaBoostModel { classes: targets.classes, columns, trees: grown, say, importances })
    }
}

impl AdaBoostModel {
    fn scores(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        let k = self.classes.len();
        let mut out = Array2::zeros((table.nrows(), k));
        let sum: f64 = self.say.iter().sum();
        let against = 1.0 / (k as f64 - 1.0);
        for (row, mut to) in table.rows().into_iter().zip(out.rows_mut()) {
            for (tree, say) in self.trees.iter().zip(&self.say) {
                let best = argmax(tree.of(row).into());
                for (c, to) in to.iter_mut().enumerate() {
                    *to += say / sum * if c == best { 1.0 } else { -against };
                }
            }
        }
        Ok(out)
    }
}

impl Classifier for AdaBoostModel {
    common!();

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        Ok(self.classes.largest(&self.scores(table)?))
    }

    fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        let mut scores = self.scores(table)?;
        let k = self.classes.len() as f64;
        for mut row in scores.rows_mut() {
            row.mapv_inplace(|v| v / (k - 1.0));
            if let Some(row) = row.as_slice_mut() {
                softmax(row);
            }
        }
        Ok(self.classes.spread(scores))
    }

    fn decision(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        let scores = self.scores(table)?;
        if self.classes.len() == 2 {
            let difference = &scores.column(1) - &scores.column(0);
            return Ok(difference.insert_axis(ndarray::Axis(1)));
        }
        Ok(scores)
    }

    fn importances(&self) -> Option<Vec<f64>> {
        Some(self.importances.clone())
    }
}
