//! Networks on libtorch: a training engine that knows no network, and the model zoo.
//!
//! The way through the crate:
//!
//! 1. [`zoo::NetworkConfig::build`] makes a network with seeded initial weights on a device of [`device`].
//! 2. [`train::TrainConfig::plan`] validates how to train; [`train::TrainPlan::fit`] trains on any
//!    [`train::Examples`], writes checkpoints and resumes from them byte for byte.
//! 3. [`SavedNetwork`] keeps the trained network as one safetensors file with its genres and input layout.
//! 4. [`encode::probabilities`] gives class probabilities for new inputs.
//!
//! ```no_run
//! use mgr_models::device::DeviceConfig;
//! use mgr_models::train::{ArrayExamples, FitOptions, NoObserver, TrainConfig};
//! use mgr_models::zoo::NetworkConfig;
//!
//! # fn run(train: ArrayExamples, validation: ArrayExamples) -> Result<(), mgr_models::Error> {
//! let mut network = NetworkConfig::Base2dCnn.build(8, 0, DeviceConfig::Cpu)?;
//! let plan = TrainConfig { epochs: 12, ..TrainConfig::default() }.plan()?;
//! plan.fit(network.as_mut(), &train, Some(&validation), &FitOptions::default(), &mut NoObserver)?;
//! let probabilities = mgr_models::encode::probabilities(network.as_ref(), &validation, 32)?;
//! # Ok(())
//! # }
//! ```
//!
//! A trained network goes out as TorchScript for programs in C++ and Python: [`torch_script::export`].
//!
//! Weights that others trained come in through [`pretrained`]. libtorch computes with denormal numbers unless told otherwise:
//! [`device::flushing_denormals`].

mod denormals;
pub mod device;
pub mod encode;
mod error;
mod layers;
mod network;
mod parameters;
pub mod pretrained;
mod random;
mod saved;
mod tensor_file;
pub mod torch_script;
pub mod train;
pub mod zoo;

pub use error::Error;
pub use network::{Axis, InputAxis, InputSpec, Mode, Network, Output, Randomness};
pub use parameters::{Parameters, Role, TensorData};
pub use random::Random;
pub use saved::{NetworkFacts, SavedNetwork};
