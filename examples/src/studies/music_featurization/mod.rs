//! The steps of MusicFeaturization and of the study that it builds on.

pub mod handcrafted;
#[cfg(feature = "nets")]
pub mod network;
pub mod preparation;
pub mod results;
pub mod shown;
