//! Shared parts of the examples.

pub mod golden;
pub mod gtzan_table;
pub mod metrics;
pub mod ops;
#[cfg(feature = "nets")]
pub mod stage;
#[cfg(feature = "data")]
pub mod studies;
pub mod tables;
