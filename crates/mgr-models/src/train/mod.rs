//! Training: loop, optimisers, schedules, checkpoints, history. Nothing here knows a network.
//!
//! A run is a function of (config, initial weights, data): shuffling is keyed by (seed, epoch), random crops by (seed,
//! epoch, example), and libtorch's generator is reseeded from (seed, epoch, step) where the network draws from it. So a
//! run that was stopped, in the middle of an epoch too, and resumed from its last checkpoint ends with the same bytes as
//! one that was not, whatever else the process trains meanwhile. Mixtures, averages, centres and schedules are in that. This holds for one number of threads (default 1, see [`TrainConfig::threads`]) and one
//! kind of processor.

mod centre_loss;
mod checkpoint;
mod config;
mod evaluation;
mod examples;
mod groups;
mod history;
pub mod interrupt;
mod loader;
mod loss;
mod mixup;
mod moving_average;
mod optimiser;
mod precision;
mod progress;
mod repeat;
mod run;
mod schedule;
mod trainer;

pub use centre_loss::{CentreLoss, CentreLossConfig, CentreState};
pub use checkpoint::{Checkpoint, CheckpointConfig, CheckpointName, Kind as CheckpointKind, PartialEpoch};
pub use config::{Selection, TrainConfig, TrainPlan};
pub use evaluation::{Evaluation, evaluate};
pub use examples::{ArrayExamples, Draw, Examples, Inputs};
pub use groups::GroupConfig;
pub use history::{EpochRecord, History};
pub(crate) use loader::{loading, one_batch};
pub use loss::{BinaryCrossEntropy, CrossEntropy, Loss, LossConfig};
pub use mixup::MixupConfig;
pub use moving_average::MovingAverageConfig;
pub use optimiser::{
    AdamConfig, Momentum, Optimiser, OptimiserConfig, OptimiserState, RmsPropConfig, SgdConfig,
};
pub use precision::{LossScale, Precision, clip_gradients};
pub use progress::ProgressLines;
pub use repeat::{Repeat, RepeatConfig, Spread};
pub use schedule::{Measure, Schedule, WarmUpConfig};
pub use trainer::{Fit, FitOptions, NoObserver, Observer, Outcome, StepRecord, Stop};
