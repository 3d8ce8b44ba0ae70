//! Shared parts of the examples.

pub mod golden;
pub mod ops;
pub mod tables;
