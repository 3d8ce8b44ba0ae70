//! Training: loop, optimisers, schedules, checkpoints, history. Nothing here knows a network.
//!
//! A run is a function of (config, initial weights, data): shuffling is keyed by (seed, epoch), random crops by (seed,
//! epoch, example), and libtorch's generator is reseeded from (seed, epoch, step) where the network draws from it. So a
//! run that was stopped and resumed from its last checkpoint ends with the same bytes as one that was not, whatever else
//! the process trains meanwhile. This holds for one number of threads (default 1, see [`TrainConfig::threads`]) and one
//! kind of processor.

mod centre_loss;
mod checkpoint;
mod config;
mod evaluation;
mod examples;
mod history;
mod loss;
mod optimiser;
mod schedule;
mod trainer;

pub use centre_loss::{CentreLoss, CentreLossConfig};
pub use checkpoint::{Checkpoint, Kind as CheckpointKind};
pub use config::{Selection, TrainConfig, TrainPlan};
pub use evaluation::{Evaluation, evaluate};
pub(crate) use examples::Batch;
pub use examples::{ArrayExamples, Draw, Examples, Inputs};
pub use history::{EpochRecord, History};
pub use loss::CrossEntropy;
pub use optimiser::{
    AdamConfig, Momentum, Optimiser, OptimiserConfig, OptimiserState, RmsPropConfig, SgdConfig,
};
pub use schedule::Schedule;
pub use trainer::{Fit, FitOptions, NoObserver, Observer, Outcome, Stop};
