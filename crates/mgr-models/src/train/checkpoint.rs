//! Checkpoints: all that a run needs to go on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::centre_loss::CentreState;
use super::config::TrainConfig;
use super::evaluation::Tally;
use super::history::{EpochRecord, History};
use super::optimiser::OptimiserState;
use super::precision::LossScale;
use crate::tensor_file::{self, Tensors, malformed};
use crate::{Error, TensorData};

const FORMAT: &str = "mgr-checkpoint-1";
const MODEL: &str = "model.";
const OPTIMISER: &str = "optimiser.";
const CENTRES: &str = "centre_loss.";
const CENTRE_OPTIMISER: &str = "centre_optimiser.";
const AVERAGE: &str = "moving_average.";

/// Checkpoints of a run beside the last and the best. They are for looking back: a run goes on from its last one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointConfig {
    /// One is kept after every so many epochs, at least 1. Default none.
    pub every: Option<usize>,
    /// How they are called. Default [`CheckpointName::Epoch`].
    pub name: CheckpointName,
}

/// How the checkpoints of single epochs are called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointName {
    /// `epoch_0010.safetensors`.
    #[default]
    Epoch,
    /// `epoch_0010_accuracy_0.8125.safetensors`, by validation accuracy; without validation as [`CheckpointName::Epoch`].
    EpochAndAccuracy,
}

impl CheckpointConfig {
    /// The file for an epoch in a run's folder; none where the epoch is not kept.
    #[must_use]
    pub fn path(&self, folder: &Path, record: &EpochRecord) -> Option<PathBuf> {
        let epoch = record.epoch;
        self.every.filter(|&every| epoch.is_multiple_of(every.max(1)))?;
        Some(folder.join(match (self.name, record.validation) {
            (CheckpointName::EpochAndAccuracy, Some(validation)) => {
                format!("epoch_{epoch:04}_accuracy_{:.4}.safetensors", validation.accuracy)
            }
            _ => format!("epoch_{epoch:04}.safetensors"),
        }))
    }
}

/// Which checkpoint of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// After the last finished epoch: `last.safetensors`.
    Last,
    /// After the best epoch by validation: `best.safetensors`.
    Best,
}

impl Kind {
    /// The file in a run's folder.
    #[must_use]
    pub fn path(self, folder: &Path) -> PathBuf {
        folder.join(match self {
            Self::Last => "last.safetensors",
            Self::Best => "best.safetensors",
        })
    }
}

/// An epoch that was stopped between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartialEpoch {
    /// Finished steps.
    pub steps: usize,
    /// Loss and accuracy so far.
    pub(crate) tally: Tally,
}

/// The state of a run at the end of an epoch, or between two steps where it was stopped.
///
/// On disk it is one safetensors file: tensors `model.NAME` (weights and buffers), `optimiser.SLOT.NAME`, and where the run
/// has them `moving_average.NAME`, `centre_loss.centers` and `centre_optimiser.SLOT.centers`, and a JSON header in the
/// metadata entry `mgr` with a SHA-256 over everything. Random draws are keyed by seed, epoch and step, so that no state of
/// a generator is kept. Equal runs write equal bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Finished epochs.
    pub epoch: usize,
    /// What the run was started with.
    pub config: TrainConfig,
    /// Name of the network.
    pub network: String,
    /// Tells runs apart, see [`FitOptions`](super::FitOptions).
    pub fingerprint: String,
    /// The finished epochs.
    pub history: History,
    /// Weights and buffers of the network.
    pub model: BTreeMap<String, TensorData>,
    /// State of the optimiser.
    pub optimiser: OptimiserState,
    /// Centres of the centre loss, where the run has it.
    pub centres: Option<CentreState>,
    /// Moving averages of the weights, where the run has them.
    pub average: Option<BTreeMap<String, TensorData>>,
    /// The begun epoch, where the run was stopped in one.
    pub partial: Option<PartialEpoch>,
    /// The scale of the loss, in mixed precision.
    pub loss_scale: Option<LossScale>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    network: String,
    fingerprint: String,
    epoch: usize,
    config: TrainConfig,
    history: History,
    steps: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    centre_steps: Option<BTreeMap<String, u64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partial: Option<PartialEpoch>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loss_scale: Option<LossScale>,
}

impl Checkpoint {
    /// The weights and buffers to evaluate: with moving averages, where there are any.
    #[must_use]
    pub fn evaluated(&self) -> BTreeMap<String, TensorData> {
        let mut weights = self.model.clone();
        weights.extend(self.average.clone().unwrap_or_default());
        weights
    }

    /// Writes the checkpoint; the file appears whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let header = Header {
            format: FORMAT.to_string(),
            network: self.network.clone(),
            fingerprint: self.fingerprint.clone(),
            epoch: self.epoch,
            config: self.config.clone(),
            history: self.history.clone(),
            steps: self.optimiser.steps.clone(),
            centre_steps: self.centres.as_ref().map(|centres| centres.optimiser.steps.clone()),
            partial: self.partial,
            loss_scale: self.loss_scale,
        };
        let mut tensors = Tensors::new();
        let mut put = |prefix: &str, part: &BTreeMap<String, TensorData>| {
            tensors.extend(part.iter().map(|(name, data)| (format!("{prefix}{name}"), data.clone())));
        };
        put(MODEL, &self.model);
        put(OPTIMISER, &self.optimiser.tensors);
        if let Some(centres) = &self.centres {
            put(CENTRES, &centres.centres);
            put(CENTRE_OPTIMISER, &centres.optimiser.tensors);
        }
        if let Some(average) = &self.average {
            put(AVERAGE, average);
        }
        tensor_file::write(path, &header, &tensors)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, [`Error::MalformedFile`] where it is truncated, damaged or something else.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let (header, tensors): (Header, Tensors) = tensor_file::read(path, "checkpoint")?;
        let bad = |reason: String| malformed(path, "checkpoint", reason);
        if header.format != FORMAT {
            return Err(bad(format!("format is {}, expected {FORMAT}", header.format)));
        }
        let records = header.history.epochs();
        if records.len() != header.epoch || !records.iter().map(|record| record.epoch).eq(1..=header.epoch) {
            return Err(bad(format!("history of {} epochs at epoch {}", records.len(), header.epoch)));
        }
        let mut parts =
            [MODEL, OPTIMISER, CENTRES, CENTRE_OPTIMISER, AVERAGE].map(|prefix| (prefix, Tensors::new()));
        for (name, data) in tensors {
            let part = parts.iter_mut().find_map(|(prefix, part)| Some((name.strip_prefix(*prefix)?, part)));
            let Some((name, part)) = part else { return Err(bad(format!("unexpected tensor {name}"))) };
            part.insert(name.to_string(), data);
        }
        let [model, optimiser, centres, centre_optimiser, average] = parts.map(|(_, part)| part);
        let centres = header.centre_steps.map(|steps| CentreState {
            centres,
            optimiser: OptimiserState { tensors: centre_optimiser, steps },
        });
        Ok(Self {
            epoch: header.epoch,
            config: header.config,
            network: header.network,
            fingerprint: header.fingerprint,
            history: header.history,
            model,
            optimiser: OptimiserState { tensors: optimiser, steps: header.steps },
            centres,
            average: Some(average).filter(|average| !average.is_empty()),
            partial: header.partial,
            loss_scale: header.loss_scale,
        })
    }
}
