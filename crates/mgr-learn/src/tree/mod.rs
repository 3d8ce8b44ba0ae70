//! Decision trees and the ensembles grown of them.

mod adaboost;
mod boosting;
mod forest;
mod grow;
mod nodes;
mod ranked;
mod regress;

pub use adaboost::{AdaBoost, AdaBoostConfig, AdaBoostModel};
pub use boosting::{GradientBoosting, GradientBoostingConfig, GradientBoostingModel};
pub use forest::{
    Bagging, BaggingConfig, DecisionTree, DecisionTreeConfig, ExtraTrees, ExtraTreesConfig, ForestModel,
    RandomForest, RandomForestConfig,
};

use serde::{Deserialize, Serialize};

use crate::LearnError;
use crate::learner::at_least_one;

/// What a split is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// `1 - sum_c p_c^2`.
    #[default]
    Gini,
    /// `-sum_c p_c ln p_c`.
    Entropy,
}

/// How many columns a split looks at.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxFeatures {
    /// All of them.
    All,
    /// The square root of their number, rounded down.
    #[default]
    Sqrt,
    /// The binary logarithm of their number, rounded down.
    Log2,
    /// This many, or all where there are fewer.
    Count(usize),
    /// This share of them, above 0 and at most 1.
    Share(f64),
}

impl MaxFeatures {
    fn check(self) -> Result<(), LearnError> {
        match self {
            Self::Count(count) => at_least_one("max_features", count),
            Self::Share(value) if !(value > 0.0 && value <= 1.0) => {
                Err(LearnError::Setting { field: "max_features", value, allowed: "above 0, at most 1" })
            }
            _ => Ok(()),
        }
    }

    fn of(self, columns: usize) -> usize {
        let share = |share: f64| (columns as f64 * share) as usize;
        let count = match self {
            Self::All => columns,
            Self::Sqrt => columns.isqrt(),
            Self::Log2 => columns.checked_ilog2().map_or(1, |l| l as usize),
            Self::Count(count) => count,
            Self::Share(s) => share(s),
        };
        count.clamp(1, columns)
    }
}

/// Where a tree stops growing, and what its splits are judged by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TreeSettings {
    /// What a split is judged by. Default Gini.
    pub criterion: Criterion,
    /// Largest depth, 1 or more; none for no limit. Default none.
    pub max_depth: Option<usize>,
    /// Rows that a node needs to be split, 2 or more. Default 2.
    pub min_samples_split: usize,
    /// Rows on each side of a split at least, 1 or more. Default 1.
    pub min_samples_leaf: usize,
}

impl Default for TreeSettings {
    fn default() -> Self {
        Self { criterion: Criterion::default(), max_depth: None, min_samples_split: 2, min_samples_leaf: 1 }
    }
}

impl TreeSettings {
    fn check(&self) -> Result<(), LearnError> {
        if let Some(depth) = self.max_depth {
            at_least_one("max_depth", depth)?;
        }
        if self.min_samples_split < 2 {
            let value = self.min_samples_split as f64;
            return Err(LearnError::Setting { field: "min_samples_split", value, allowed: "2 or more" });
        }
        at_least_one("min_samples_leaf", self.min_samples_leaf)
    }
}

/// Trees of an ensemble: one or more, within reason.
fn trees(field: &'static str, count: usize) -> Result<(), LearnError> {
    crate::learner::within(field, count as f64, 1.0, 1e6, "1 to 1000000")
}
