//! One tree, and trees that are averaged: random forest, extra trees, bagging.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::grow::{Ground, Splitter, grow};
use super::nodes::Nodes;
use super::ranked::Ranked;
use super::{MaxFeatures, TreeSettings, trees};
use crate::error::check_columns;
use crate::learner::{Classes, common, no_decision, parallel, plan, targets};
use crate::random::Random;
use crate::{ClassWeight, Classifier, LearnError, Learner};

/// Settings of a decision tree (CART, as `sklearn.tree.DecisionTreeClassifier`). Columns are visited in a seeded order; of
/// splits that are equally good the first is taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecisionTreeConfig {
    /// Growth of the tree.
    pub tree: TreeSettings,
    /// Columns that a split looks at. Default all.
    pub max_features: MaxFeatures,
    /// Weights of the classes. Default uniform.
    pub class_weight: ClassWeight,
    /// Seed of the draws. Default 0.
    pub seed: u64,
}

impl Default for DecisionTreeConfig {
    fn default() -> Self {
        let (tree, class_weight) = (TreeSettings::default(), ClassWeight::default());
        Self { tree, max_features: MaxFeatures::All, class_weight, seed: 0 }
    }
}

/// Settings of a random forest (L. Breiman, "Random forests", Machine Learning 45, 2001): trees on rows drawn with
/// replacement, each split over some columns; the probabilities are averaged, as in scikit-learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomForestConfig {
    /// Trees, 1 or more. Default 100.
    pub n_estimators: usize,
    /// Growth of each tree.
    pub tree: TreeSettings,
    /// Columns that a split looks at. Default the square root.
    pub max_features: MaxFeatures,
    /// Whether rows are drawn with replacement. Default yes.
    pub bootstrap: bool,
    /// Weights of the classes. Default uniform.
    pub class_weight: ClassWeight,
    /// Seed of the draws. Default 0.
    pub seed: u64,
}

impl Default for RandomForestConfig {
    fn default() -> Self {
        Self {
            n_estimators: 100,
            tree: TreeSettings::default(),
            max_features: MaxFeatures::Sqrt,
            bootstrap: true,
            class_weight: ClassWeight::default(),
            seed: 0,
        }
    }
}

/// Settings of extra trees (P. Geurts, D. Ernst and L. Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006):
/// thresholds are drawn, all rows are used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExtraTreesConfig {
    /// Trees, 1 or more. Default 100.
    pub n_estimators: usize,
    /// Growth of each tree.
    pub tree: TreeSettings,
    /// Columns that a split looks at. Default the square root.
    pub max_features: MaxFeatures,
    /// Whether rows are drawn with replacement. Default no.
    pub bootstrap: bool,
    /// Weights of the classes. Default uniform.
    pub class_weight: ClassWeight,
    /// Seed of the draws. Default 0.
    pub seed: u64,
}

impl Default for ExtraTreesConfig {
    fn default() -> Self {
        Self {
            n_estimators: 100,
            tree: TreeSettings::default(),
            max_features: MaxFeatures::Sqrt,
            bootstrap: false,
            class_weight: ClassWeight::default(),
            seed: 0,
        }
    }
}

/// Settings of bagging (L. Breiman, "Bagging predictors", Machine Learning 24, 1996): decision trees over all columns, on rows
/// drawn with replacement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BaggingConfig {
    /// Trees, 1 or more. Default 10.
    pub n_estimators: usize,
    /// Growth of each tree.
    pub tree: TreeSettings,
    /// Columns that a split looks at. Default all.
    pub max_features: MaxFeatures,
    /// Weights of the classes. Default uniform.
    pub class_weight: ClassWeight,
    /// Seed of the draws. Default 0.
    pub seed: u64,
}

impl Default for BaggingConfig {
    fn default() -> Self {
        let (tree, class_weight) = (TreeSettings::default(), ClassWeight::default());
        Self { n_estimators: 10, tree, max_features: MaxFeatures::All, class_weight, seed: 0 }
    }
}

/// Settings of any of them.
struct Recipe<'a> {
    n_estimators: usize,
    tree: &'a TreeSettings,
    max_features: MaxFeatures,
    bootstrap: bool,
    splitter: Splitter,
    class_weight: &'a ClassWeight,
    seed: u64,
}

impl Recipe<'_> {
    fn check(&self) -> Result<(), LearnError> {
        trees("n_estimators", self.n_estimators)?;
        self.tree.check()?;
        self.max_features.check()?;
        self.class_weight.check()
    }

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<ForestModel, LearnError> {
        let targets = targets(table, labels, classes)?;
        let of_class = self.class_weight.of(&targets)?;
        let ranked = Ranked::new(table);
        let (rows, columns) = table.dim();
        let ground = Ground {
            table: &ranked,
            of_row: &targets.of_row,
            classes: targets.classes.len(),
            settings: self.tree,
            splitter: self.splitter,
            candidates: self.max_features.of(columns),
        };
        let grown = parallel(self.n_estimators, |number| {
            let mut random = Random::new(self.seed, &[number as u64]);
            let mut weights: Vec<f64> = targets.of_row.iter().map(|&c| of_class[c]).collect();
            if self.bootstrap {
                let mut drawn = vec![0.0; rows];
                (0..rows).for_each(|_| drawn[random.below(rows)] += 1.0);
                weights.iter_mut().zip(drawn).for_each(|(w, d)| *w *= d);
            }
            Ok(grow(&ground, &weights, random))
        })?;
        let mut importances = vec![0.0; columns];
        let mut nodes = Vec::with_capacity(grown.len());
        for (tree, gains) in grown {
            let sum: f64 = gains.iter().sum();
            if sum > 0.0 {
                importances.iter_mut().zip(gains).for_each(|(i, g)| *i += g / sum);
            }
            nodes.push(tree);
        }
        normalise(&mut importances);
        Ok(ForestModel { classes: targets.classes, columns, trees: nodes, importances })
    }
}

/// Brings the sum to 1 where it is not 0.
pub(super) fn normalise(values: &mut [f64]) {
    let sum: f64 = values.iter().sum();
    if sum > 0.0 {
        values.iter_mut().for_each(|v| *v /= sum);
    }
}

/// Trees whose probabilities are averaged; one or many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct ForestModel {
    classes: Classes,
    columns: usize,
    trees: Vec<Nodes>,
    importances: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    classes: Classes,
    columns: usize,
    trees: Vec<Nodes>,
    importances: Vec<f64>,
}

impl TryFrom<Stored> for ForestModel {
    type Error = LearnError;

    fn try_from(Stored { classes, columns, trees, importances }: Stored) -> Result<Self, LearnError> {
        trees.iter().try_for_each(|t| t.check(columns, classes.len()))?;
        if trees.is_empty() || columns == 0 || importances.len() != columns {
            return Err(LearnError::Inconsistent { reason: "trees, columns and importances do not match" });
        }
        Ok(Self { classes, columns, trees, importances })
    }
}

impl ForestModel {
    fn average(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        let mut out = Array2::zeros((table.nrows(), self.classes.len()));
        let count = self.trees.len() as f64;
        let parts: Vec<_> =
            out.axis_chunks_iter_mut(Axis(0), 64).zip(table.axis_chunks_iter(Axis(0), 64)).collect();
        parts.into_par_iter().for_each(|(mut out, rows)| {
            // Tree by tree, so that one tree's nodes stay in the cache over the rows.
            for tree in &self.trees {
                for (row, mut to) in rows.rows().into_iter().zip(out.rows_mut()) {
                    to.iter_mut().zip(tree.of(row)).for_each(|(p, v)| *p += v);
                }
            }
            // Divided at the end, so that trees that all are sure give exactly 1.
            out.mapv_inplace(|p| p / count);
        });
        Ok(out)
    }
}

impl Classifier for ForestModel {
    common!();
    no_decision!("forest");

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        Ok(self.classes.largest(&self.average(table)?))
    }

    fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        Ok(self.classes.spread(self.average(table)?))
    }

    fn importances(&self) -> Option<Vec<f64>> {
        Some(self.importances.clone())
    }
}

macro_rules! averaged {
    ($(#[$doc:meta])* $plan:ident, $config:ident, |$c:ident| $n:expr, $bootstrap:expr, $splitter:ident) => {
        plan! {
            $(#[$doc])*
            $plan of $config
        }

        impl $config {
            fn recipe(&self) -> Recipe<'_> {
                let $c = self;
                Recipe {
                    n_estimators: $n,
                    tree: &$c.tree,
                    max_features: $c.max_features,
                    bootstrap: $bootstrap,
                    splitter: Splitter::$splitter,
                    class_weight: &$c.class_weight,
                    seed: $c.seed,
                }
            }

            /// Checks the settings.
            ///
            /// # Errors
            /// [`LearnError::Setting`] where one lies outside its range.
            pub fn plan(&self) -> Result<$plan, LearnError> {
                self.recipe().check()?;
                Ok($plan { config: self.clone() })
            }
        }

        impl Learner for $plan {
            type Model = ForestModel;

            fn fit(
                &self,
                table: ArrayView2<'_, f64>,
                labels: &[usize],
                classes: usize,
            ) -> Result<ForestModel, LearnError> {
                self.config.recipe().fit(table, labels, classes)
            }
        }
    };
}

averaged! {
    /// A decision tree ready to grow.
    DecisionTree, DecisionTreeConfig, |c| 1, false, Best
}
averaged! {
    /// A random forest ready to grow.
    ///
    /// ```
    /// use mgr_learn::{Classifier, Learner, RandomForestConfig};
    /// use ndarray::array;
    ///
    /// let table = array![[0.0, 3.0], [1.0, 1.0], [5.0, 2.0], [6.0, 0.0]];
    /// let model = RandomForestConfig { seed: 3, ..RandomForestConfig::default() }.plan()?.fit(table.view(), &[0, 0, 1, 1], 2)?;
    /// assert_eq!(model.predict(table.view())?, [0, 0, 1, 1]);
    /// # Ok::<(), mgr_learn::LearnError>(())
    /// ```
    RandomForest, RandomForestConfig, |c| c.n_estimators, c.bootstrap, Best
}
averaged! {
    /// Extra trees ready to grow.
    ExtraTrees, ExtraTreesConfig, |c| c.n_estimators, c.bootstrap, Random
}
averaged! {
    /// Bagged trees ready to grow.
    Bagging, BaggingConfig, |c| c.n_estimators, true, Best
}
