//! Shared parts of the examples.

pub mod golden;
pub mod metrics;
pub mod ops;
