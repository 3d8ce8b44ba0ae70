//! Gradient boosting of regression trees.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::forest::normalise;
use super::nodes::Nodes;
use super::ranked::Ranked;
use super::regress::{Limits, grow};
use super::{MaxFeatures, trees};
use crate::error::check_columns;
use crate::learner::{Classes, at_least_one, common, plan, targets, within};
use crate::logistic::softmax;
use crate::random::Random;
use crate::{Classifier, LearnError, Learner};

/// Settings of gradient boosting on the multinomial (for two classes binomial) deviance (J. H. Friedman, "Greedy function
/// approximation", Annals of Statistics 29, 2001), with exact splits, as `sklearn.ensemble.GradientBoostingClassifier`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradientBoostingConfig {
    /// Rounds; each grows one tree for two classes, else one a class. Default 100.
    pub n_estimators: usize,
    /// What each tree's values are multiplied by, above 0. Default 0.1.
    pub learning_rate: f64,
    /// Largest depth of a tree, 1 to 32. Default 3.
    pub max_depth: usize,
    /// Rows that a node needs to be split, 2 or more. Default 2.
    pub min_samples_split: usize,
    /// Rows on each side of a split at least, 1 or more. Default 1.
    pub min_samples_leaf: usize,
    /// Share of the rows, drawn without replacement, that each round uses; above 0 and at most 1. Default 1.
    pub subsample: f64,
    /// Columns that each tree looks at. Default all.
    pub max_features: MaxFeatures,
    /// Seed of the draws, and of the order in which columns are visited. Default 0.
    pub seed: u64,
}

impl Default for GradientBoostingConfig {
    fn default() -> Self {
        Self {
            n_estimators: 100,
            learning_rate: 0.1,
            max_depth: 3,
            min_samples_split: 2,
            min_samples_leaf: 1,
            subsample: 1.0,
            max_features: MaxFeatures::All,
            seed: 0,
        }
    }
}

impl GradientBoostingConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<GradientBoosting, LearnError> {
        trees("n_estimators", self.n_estimators)?;
        within("learning_rate", self.learning_rate, 1e-6, 1e3, "1e-6 to 1000")?;
        within("max_depth", self.max_depth as f64, 1.0, 32.0, "1 to 32")?;
        within("min_samples_split", self.min_samples_split as f64, 2.0, 1e15, "2 or more")?;
        within("subsample", self.subsample, 1e-9, 1.0, "above 0, at most 1")?;
        at_least_one("min_samples_leaf", self.min_samples_leaf)?;
        self.max_features.check()?;
        Ok(GradientBoosting { config: self.clone() })
    }
}

plan! {
    /// Gradient boosting ready to fit.
    GradientBoosting of GradientBoostingConfig
}

/// Trees whose values are summed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct GradientBoostingModel {
    classes: Classes,
    columns: usize,
    /// What every row starts from: one value for two classes, else one a class.
    start: Vec<f64>,
    /// Round after round.
    trees: Vec<Nodes>,
    importances: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    classes: Classes,
    columns: usize,
    start: Vec<f64>,
    trees: Vec<Nodes>,
    importances: Vec<f64>,
}

impl TryFrom<Stored> for GradientBoostingModel {
    type Error = LearnError;

    fn try_from(Stored { classes, columns, start, trees, importances }: Stored) -> Result<Self, LearnError> {
        let k = if classes.len() == 2 { 1 } else { classes.len() };
        trees.iter().try_for_each(|t| t.check(columns, 1))?;
        if start.len() != k || !trees.len().is_multiple_of(k) || columns == 0 || importances.len() != columns
        {
            return Err(LearnError::Inconsistent { reason: "trees and classes do not match" });
        }
        Ok(Self { classes, columns, start, trees, importances })
    }
}

impl Learner for GradientBoosting {
    type Model = GradientBoostingModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<GradientBoostingModel, LearnError> {
        let config = &self.config;
        let targets = targets(table, labels, classes)?;
        let (rows, columns) = table.dim();
        let ranked = Ranked::new(table);
        let two = targets.classes.len() == 2;
        let k = if two { 1 } else { targets.classes.len() };
        let share = |c: usize| targets.counts[c] as f64 / rows as f64;
        let start: Vec<f64> =
            if two { vec![(share(1) / share(0)).ln()] } else { (0..k).map(|c| share(c).ln()).collect() };
        let mut scores = Array2::from_shape_fn((rows, k), |(_, c)| start[c]);
        let mut residuals = Array2::<f64>::zeros((k, rows));
        let limits = Limits {
            max_depth: config.max_depth,
            min_samples_split: config.min_samples_split,
            min_samples_leaf: config.min_samples_leaf,
        };
        let sampled = ((config.subsample * rows as f64) as usize).max(1);
        let candidates = config.max_features.of(columns);
        let (mut all, mut importances) = (Vec::new(), vec![0.0; columns]);
        let mut probabilities = vec![0.0; k];
        for round in 0..config.n_estimators {
            for (i, row) in scores.rows().into_iter().enumerate() {
                let of_row = targets.of_row[i];
                if two {
                    residuals[[0, i]] = of_row as f64 - sigmoid(row[0]);
                } else {
                    probabilities.iter_mut().zip(row).for_each(|(p, s)| *p = *s);
                    softmax(&mut probabilities);
                    for (c, p) in probabilities.iter().enumerate() {
                        residuals[[c, i]] = f64::from(u8::from(c == of_row)) - p;
                    }
                }
            }
            let mut used = vec![true; rows];
            if sampled < rows {
                let mut order: Vec<usize> = (0..rows).collect();
                Random::new(config.seed, &[round as u64]).shuffle(&mut order);
                order[sampled..].iter().for_each(|&i| used[i] = false);
            }
            let grown: Vec<(Nodes, Vec<f64>, Vec<f64>)> = (0..k)
                .into_par_iter()
                .map(|c| {
                    let mut order: Vec<usize> = (0..columns).collect();
                    Random::new(config.seed, &[round as u64, c as u64]).shuffle(&mut order);
                    order.truncate(candidates);
                    let own: Vec<f64> = residuals.row(c).to_vec();
                    let truth = |i: usize| targets.of_row[i] == if two { 1 } else { c };
                    let mut tree = grow(&ranked, &own, &used, &order, &limits);
                    let mut sums = vec![(0.0, 0.0); tree.leaves];
                    for (i, &leaf) in tree.leaf_of_row.iter().enumerate() {
                        if let Some((top, bottom)) = sums.get_mut(leaf as usize) {
                            let y = f64::from(u8::from(truth(i)));
                            *top += own[i];
                            *bottom += (y - own[i]) * (1.0 - y + own[i]);
                        }
                    }
                    let factor = if two { 1.0 } else { (k as f64 - 1.0) / k as f64 };
                    for (leaf, (top, bottom)) in sums.iter().enumerate() {
                        // One Newton step; nothing to gain where the probabilities are certain.
                        let step = if f64::abs(*bottom) < 1e-150 { 0.0 } else { factor * top / bottom };
                        tree.nodes.leaf_mut(leaf)[0] = step * config.learning_rate;
                    }
                    let added = table.rows().into_iter().map(|row| tree.nodes.of(row)[0]).collect();
                    (tree.nodes, tree.gains, added)
                })
                .collect();
            for (c, (nodes, gains, added)) in grown.into_iter().enumerate() {
                scores.column_mut(c).iter_mut().zip(added).for_each(|(s, a)| *s += a);
                let sum: f64 = gains.iter().sum();
                if sum > 0.0 {
                    importances.iter_mut().zip(&gains).for_each(|(i, g)| *i += g / sum);
                }
                all.push(nodes);
            }
        }
        normalise(&mut importances);
        if !scores.iter().all(|s| s.is_finite()) {
            return Err(LearnError::Overflow { what: "a score" });
        }
        Ok(GradientBoostingModel { classes: targets.classes, columns, start, trees: all, importances })
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Classifier for GradientBoostingModel {
    common!();

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        Ok(self.classes.decide(&self.decision(table)?))
    }

    fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        let mut scores = self.decision(table)?;
        if self.classes.len() == 2 {
            let second = scores.column(0).mapv(sigmoid);
            let out =
                Array2::from_shape_fn(
                    (second.len(), 2),
                    |(i, c)| {
                        if c == 1 { second[i] } else { 1.0 - second[i] }
                    },
                );
            return Ok(self.classes.spread(out));
        }
        for mut row in scores.rows_mut() {
            if let Some(row) = row.as_slice_mut() {
                softmax(row);
            }
        }
        Ok(self.classes.spread(scores))
    }

    fn decision(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        let k = self.start.len();
        let mut out = Array2::from_shape_fn((table.nrows(), k), |(_, c)| self.start[c]);
        let rows: Vec<_> = table.rows().into_iter().zip(out.rows_mut()).collect();
        rows.into_par_iter().for_each(|(row, mut to)| {
            for (i, tree) in self.trees.iter().enumerate() {
                to[i % k] += tree.of(row)[0];
            }
        });
        Ok(out)
    }

    fn importances(&self) -> Option<Vec<f64>> {
        Some(self.importances.clone())
    }
}
