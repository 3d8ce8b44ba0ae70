//! The steps of the FMA study.

pub mod classifiers;
pub mod pictures;
#[cfg(feature = "nets")]
pub mod networks;
pub mod shown;
pub mod signal;
pub mod tables;
