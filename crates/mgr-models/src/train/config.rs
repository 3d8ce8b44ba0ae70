//! How to train: the config and its validated plan.

use serde::{Deserialize, Serialize};

use super::centre_loss::CentreLossConfig;
use super::checkpoint::CheckpointConfig;
use super::groups::GroupConfig;
use super::loss::LossConfig;
use super::mixup::MixupConfig;
use super::moving_average::MovingAverageConfig;
use super::optimiser::{OptimiserConfig, RmsPropConfig};
use super::precision::Precision;
use super::schedule::{Schedule, WarmUpConfig};
use crate::Error;

/// Which epoch's weights a run ends with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Selection {
    /// Highest validation accuracy; ties by lower validation loss, then by the earlier epoch.
    #[default]
    BestValidation,
    /// Lowest validation loss; ties by the earlier epoch.
    LowestValidationLoss,
    /// The last epoch.
    LastEpoch,
}

impl Selection {
    /// The measure of patience: this one where it looks at validation, else [`Selection::BestValidation`].
    pub(crate) fn for_patience(self) -> Self {
        match self {
            Self::LastEpoch => Self::BestValidation,
            other => other,
        }
    }
}

/// How to train a network. The defaults are those of the GTZAN-8 study: Adam at 1e-4, batches of 32, 100 epochs, the epoch
/// of the highest validation accuracy.
///
/// Fields that are at their default and were added after the first release of the file format are left out of JSON, so that
/// checkpoints of earlier runs stay valid.
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
    /// How the learning rate changes from epoch to epoch or step to step. Default constant.
    pub schedule: Schedule,
    /// What is minimised. Default cross-entropy on logits.
    #[serde(skip_serializing_if = "is_default")]
    pub loss: LossConfig,
    /// Share of the target spread evenly over all classes, 0 to below 1. Default 0.
    pub label_smoothing: f64,
    /// Weight of each class in the loss, one positive number per class; with binary cross-entropy the weight of a present
    /// class, `pos_weight`. Default none: all 1.
    pub class_weights: Option<Vec<f32>>,
    /// Centre loss on the network's code, added to the loss. Needs classes, not target vectors. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub centre_loss: Option<CentreLossConfig>,
    /// Mixtures of examples in place of examples. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub mixup: Option<MixupConfig>,
    /// The learning rate grows in the first steps. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub warm_up: Option<WarmUpConfig>,
    /// Largest norm of all gradients as one vector, above 0; longer ones are shortened to it, as
    /// `torch.nn.utils.clip_grad_norm_`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub clip_norm: Option<f64>,
    /// Learning rates, weight decay and freezing by name of the tensor. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub groups: Vec<GroupConfig>,
    /// A moving average of the weights, which is then what is validated, selected and kept. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub moving_average: Option<MovingAverageConfig>,
    /// Number format of the forward pass. Default [`Precision::Single`].
    #[serde(skip_serializing_if = "is_default")]
    pub precision: Precision,
    /// Seed of shuffling, crops, mixtures and dropout. Default 0. Initial weights have the seed their network was built with.
    pub seed: u64,
    /// Which epoch's weights to end with. Default [`Selection::BestValidation`].
    pub selection: Selection,
    /// Stop after this many epochs without a better one by `selection` ([`Selection::BestValidation`] where that is the last
    /// epoch), at least 1. Default none.
    pub patience: Option<usize>,
    /// Checkpoints beside the last and the best. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub checkpoints: CheckpointConfig,
    /// Threads inside one libtorch operation, 1 to 1024; none leaves libtorch's setting, the number of cores. Default 1:
    /// libtorch splits sums by thread, so only a fixed number gives the same bytes on machines with more or fewer cores.
    /// Several runs (folds) in parallel use the other cores better than one run with more threads.
    pub threads: Option<usize>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 100,
            batch_size: 32,
            optimiser: OptimiserConfig::default(),
            schedule: Schedule::default(),
            loss: LossConfig::default(),
            label_smoothing: 0.0,
            class_weights: None,
            centre_loss: None,
            mixup: None,
            warm_up: None,
            clip_norm: None,
            groups: Vec::new(),
            moving_average: None,
            precision: Precision::default(),
            seed: 0,
            selection: Selection::default(),
            patience: None,
            checkpoints: CheckpointConfig::default(),
            threads: Some(1),
        }
    }
}

impl TrainConfig {
    /// MLFCF's training of its encoders: RMSprop (learning rate 1e-3, alpha 0.9, epsilon 1, momentum 0.9, weight decay 4e-5),
    /// learning rate max(1e-4, 1e-3 x 0.94^floor(epoch / 2)), batches of 16, 400 epochs, cross-entropy plus 1e-4 times the
    /// centre loss, whose centres have an RMSprop of their own.
    ///
    /// The published program takes the cross-entropy of the softmax, not of the logits; that is
    /// [`TrainConfig::mlfcf_published`]. It also chose the epoch by the test part, which this crate never sees: here the
    /// validation part chooses. The meta network trains without `centre_loss` at a constant 1e-5.
    #[must_use]
    pub fn mlfcf() -> Self {
        Self {
            epochs: 400,
            batch_size: 16,
            optimiser: OptimiserConfig::RmsProp(RmsPropConfig {
                learning_rate: 1e-3,
                alpha: 0.9,
                epsilon: 1.0,
                momentum: 0.9,
                weight_decay: 4e-5,
            }),
            schedule: Schedule::Step { every: 2, factor: 0.94, minimum: 1e-4 },
            centre_loss: Some(CentreLossConfig::default()),
            ..Self::default()
        }
    }

    /// [`TrainConfig::mlfcf`] with the softmax taken twice, as published: [`LossConfig::DoubleSoftmax`].
    #[must_use]
    pub fn mlfcf_published() -> Self {
        Self { loss: LossConfig::DoubleSoftmax, ..Self::mlfcf() }
    }

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
        whole("checkpoints.every", self.checkpoints.every.unwrap_or(1), 1..=1_000_000, "1 to 1000000")?;
        if !(0.0..1.0).contains(&self.label_smoothing) {
            return Err(invalid("label_smoothing", self.label_smoothing, "0 to below 1"));
        }
        if let Some(weight) = self.class_weights.iter().flatten().find(|w| !(w.is_finite() && **w > 0.0)) {
            return Err(invalid("class_weights", weight, "finite numbers above 0"));
        }
        if let Some(norm) = self.clip_norm {
            check_number("clip_norm", norm, f64::MIN_POSITIVE, f64::MAX, "finite, above 0")?;
        }
        if let Some(centre_loss) = &self.centre_loss {
            centre_loss.validate()?;
            if self.loss == LossConfig::BinaryCrossEntropy {
                let allowed = "none with binary cross-entropy: a centre belongs to one class";
                return Err(invalid("centre_loss", "set", allowed));
            }
        }
        self.mixup.as_ref().map_or(Ok(()), MixupConfig::validate)?;
        self.warm_up.as_ref().map_or(Ok(()), WarmUpConfig::validate)?;
        self.moving_average.as_ref().map_or(Ok(()), MovingAverageConfig::validate)?;
        self.groups.iter().try_for_each(GroupConfig::validate)?;
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
