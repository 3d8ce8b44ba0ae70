//! Pitch: spectral peaks and the tuning that they give.

pub mod piptrack;
pub mod tuning;
