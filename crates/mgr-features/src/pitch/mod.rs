//! Pitch: the fundamental frequency of each frame; spectral peaks and the tuning that they give.

pub(crate) mod beta;
mod candidates;
mod difference;
pub mod piptrack;
pub mod pyin;
pub mod tuning;
mod viterbi;
pub mod yin;
