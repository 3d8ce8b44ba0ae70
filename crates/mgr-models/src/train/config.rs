//! How to train: the config and its validated plan.

use serde::{Deserialize, Serialize};

use super::optimiser::OptimiserConfig;
use super::schedule::Schedule;
use crate::Error;

/// Which epoch's weights a run ends with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Selection {
    /// Highest validation accuracy; ties by lower validation loss, then by the earlier epoch.
    #[default]
    BestValidation,
    /// The last epoch.
    LastEpoch,
}

/// How to train a network. The defaults are those of the GTZAN-8 study: Adam at 1e-4, batches of 32, 100 epochs, the epoch
/// of the highest validation accuracy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Number of epochs to reach, 1 to 1,000,000. Default 100. A finished run is extended by raising it.
    pub epochs: usize,
    /// Examples per step, 1 to 65,536. Default 32. The last batch of an epoch is shorter; where it is too small for the
    /// network's batch statistics, it is merged with the one before.
    pub batch_size: usize,
    /// The optimiser with its learning rate. Default Adam.
    pub optimiser: OptimiserConfig,
    /// How the learning rate changes from epoch to epoch. Default constant.
    pub schedule: Schedule,
    /// Share of the target spread evenly over all classes, 0 to below 1. Default 0.
    pub label_smoothing: f64,
    /// Weight of each class in the loss, one positive number per class. Default none: all 1.
    pub class_weights: Option<Vec<f32>>,
    /// Seed of shuffling, crops and dropout. Default 0. Initial weights have the seed their network was built with.
    pub seed: u64,
    /// Which epoch's weights to end with. Default [`Selection::BestValidation`].
    pub selection: Selection,
    /// Stop after this many epochs without a better one by [`Selection::BestValidation`], at least 1. Default none.
    pub patience: Option<usize>,
    /// Threads inside one libtorch operation, 1 to 1024; none leaves libtorch's setting, the number of cores. Default 1:
    /// libtorch splits sums by thread, so only a fixed number gives the same bytes on machines with more or fewer cores.
    /// Several runs (folds) in parallel use the other cores better than one run with more threads.
    pub threads: Option<usize>,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 100,
            batch_size: 32,
            optimiser: OptimiserConfig::default(),
            schedule: Schedule::default(),
            label_smoothing: 0.0,
            class_weights: None,
            seed: 0,
            selection: Selection::default(),
            patience: None,
            threads: Some(1),
        }
    }
}

impl TrainConfig {
    /// Validates the config.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] naming the first field that is out of its range.
    pub fn plan(&self) -> Result<TrainPlan, Error> {
        let whole = |field, value: usize, range: std::ops::RangeInclusive<usize>, allowed| {
            if range.contains(&value) { Ok(()) } else { Err(invalid(field, value, allowed)) }
        };
        whole("epochs", self.epochs, 1..=1_000_000, "1 to 1000000")?;
        whole("batch_size", self.batch_size, 1..=65_536, "1 to 65536")?;
        whole("patience", self.patience.unwrap_or(1), 1..=1_000_000, "1 to 1000000")?;
        whole("threads", self.threads.unwrap_or(1), 1..=1024, "1 to 1024")?;
        if !(0.0..1.0).contains(&self.label_smoothing) {
            return Err(invalid("label_smoothing", self.label_smoothing, "0 to below 1"));
        }
        if let Some(weight) = self.class_weights.iter().flatten().find(|w| !(w.is_finite() && **w > 0.0)) {
            return Err(invalid("class_weights", weight, "finite numbers above 0"));
        }
        self.optimiser.validate()?;
        self.schedule.validate()?;
        Ok(TrainPlan { config: self.clone() })
    }
}

/// A validated [`TrainConfig`]; [`TrainPlan::fit`] trains.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainPlan {
    config: TrainConfig,
}

impl TrainPlan {
    /// The config it was made from.
    #[must_use]
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }
}

pub(crate) fn invalid(field: &'static str, value: impl ToString, allowed: &'static str) -> Error {
    Error::InvalidConfig { field, value: value.to_string(), allowed }
}

/// Checks that a number is finite, at least `low`, and below `high`.
pub(crate) fn check_number(
    field: &'static str,
    value: f64,
    low: f64,
    high: f64,
    allowed: &'static str,
) -> Result<(), Error> {
    if value.is_finite() && value >= low && value < high {
        Ok(())
    } else {
        Err(invalid(field, value, allowed))
    }
}
