//! The steps of the FMA study.

pub mod classifiers;
#[cfg(feature = "nets")]
pub mod networks;
pub mod pictures;
pub mod shown;
pub mod signal;
pub mod tables;
