//! Checkpoints: all that a run needs to go on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::config::TrainConfig;
use super::history::History;
use super::optimiser::OptimiserState;
use crate::tensor_file::{self, Tensors, malformed};
use crate::{Error, TensorData};

const FORMAT: &str = "mgr-checkpoint-1";
const MODEL: &str = "model.";
const OPTIMISER: &str = "optimiser.";

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

/// The state of a run at the end of an epoch.
///
/// On disk it is one safetensors file: tensors `model.NAME` (weights and buffers) and `optimiser.SLOT.NAME`, and a JSON
/// header in the metadata entry `mgr` with a SHA-256 over everything. Equal runs write equal bytes.
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
}

impl Checkpoint {
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
        };
        let model = self.model.iter().map(|(name, data)| (format!("{MODEL}{name}"), data.clone()));
        let optimiser =
            self.optimiser.tensors.iter().map(|(name, data)| (format!("{OPTIMISER}{name}"), data.clone()));
        tensor_file::write(path, &header, &model.chain(optimiser).collect())
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
        let mut model = BTreeMap::new();
        let mut optimiser = OptimiserState { tensors: BTreeMap::new(), steps: header.steps };
        for (name, data) in tensors {
            if let Some(name) = name.strip_prefix(MODEL) {
                model.insert(name.to_string(), data);
            } else if let Some(name) = name.strip_prefix(OPTIMISER) {
                optimiser.tensors.insert(name.to_string(), data);
            } else {
                return Err(bad(format!("unexpected tensor {name}")));
            }
        }
        Ok(Self {
            epoch: header.epoch,
            config: header.config,
            network: header.network,
            fingerprint: header.fingerprint,
            history: header.history,
            model,
            optimiser,
        })
    }
}
