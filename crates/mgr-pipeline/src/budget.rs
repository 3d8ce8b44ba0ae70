//! How much computing a run spends on training.

use mgr_models::train::{
    AdamConfig, LossConfig, OptimiserConfig, RmsPropConfig, Schedule, Selection, TrainConfig,
};
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::config::{Protocol, RunConfig};

/// How much computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Budget {
    /// To see that everything runs: 2 epochs on crops of 32 frames, meta networks of 2.
    Smoke,
    /// A laptop: 4 epochs of Adam on crops of 64 frames, meta networks of 10. The default.
    #[default]
    Quick,
    /// The paper: 400 epochs on whole segments by RMSprop with its schedule, meta networks of 400.
    Full,
}

/// The training of a run, with everything settled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Training {
    pub(crate) encoder: TrainConfig,
    pub(crate) meta: TrainConfig,
    /// Frames drawn of a segment; 0 for all.
    pub(crate) crop_frames: usize,
}

impl Training {
    pub(crate) fn of(config: &RunConfig) -> Self {
        let (epochs, crop, meta_epochs) = match config.budget {
            Budget::Smoke => (2, 32, 2),
            Budget::Quick => (4, 64, 10),
            Budget::Full => (400, 0, 400),
        };
        let epochs = config.epochs.unwrap_or(epochs);
        let meta_epochs = config.meta_epochs.unwrap_or(meta_epochs);
        let batch_size = config.batch_size.unwrap_or(16);
        let paper = config.budget == Budget::Full;
        let rmsprop = |learning_rate| {
            OptimiserConfig::RmsProp(RmsPropConfig {
                learning_rate,
                alpha: 0.9,
                epsilon: 1.0,
                momentum: 0.9,
                weight_decay: 4e-5,
            })
        };
        let adam =
            |learning_rate| OptimiserConfig::Adam(AdamConfig { learning_rate, ..AdamConfig::default() });
        let rate = config.learning_rate.unwrap_or(1e-3);
        let base = TrainConfig {
            epochs,
            batch_size,
            // One thread a network: sums are the same on any machine with the same kind of processor, and networks are trained
            // side by side.
            threads: Some(1),
            ..TrainConfig::default()
        };
        let paper_loss = TrainConfig::mlfcf();
        let encoder = TrainConfig {
            centre_loss: if paper { paper_loss.centre_loss } else { None },
            loss: if config.double_softmax { LossConfig::DoubleSoftmax } else { LossConfig::CrossEntropy },
            optimiser: if paper { rmsprop(rate) } else { adam(rate) },
            schedule: if paper {
                Schedule::Step { every: 2, factor: 0.94, minimum: 1e-4 }
            } else {
                Schedule::Cosine { period: epochs.max(1), minimum: 0.0 }
            },
            patience: config.patience,
            ..base.clone()
        };
        let meta = TrainConfig {
            epochs: meta_epochs,
            optimiser: if paper { rmsprop(1e-5) } else { adam(3e-4) },
            schedule: if paper {
                Schedule::Constant
            } else {
                Schedule::Cosine { period: meta_epochs.max(1), minimum: 0.0 }
            },
            // The subsets are chosen on the validation part already; the published system chooses the epoch too, on test.
            selection: match config.protocol {
                Protocol::Nested => Selection::LastEpoch,
                Protocol::Published => Selection::BestValidation,
            },
            ..base
        };
        Self { encoder, meta, crop_frames: config.crop_frames.unwrap_or(crop) }
    }

    pub(crate) fn check(&self) -> Result<(), PipelineError> {
        self.encoder.plan()?;
        self.meta.plan()?;
        if self.crop_frames != 0 && !(32..=1_000_000).contains(&self.crop_frames) {
            return Err(PipelineError::config("crop-frames", self.crop_frames, "0 for all, or 32 and more"));
        }
        Ok(())
    }
}
