//! What the studies share, and a module for each of them.
//!
//! A study is one example: its file tells the story from the folder of clips to the report, these modules hold what would
//! get in the way of reading it.

#[cfg(feature = "nets")]
pub mod clips;
#[cfg(feature = "nets")]
pub mod flags;
pub mod fma;
#[cfg(feature = "nets")]
pub mod gtzan8;
#[cfg(feature = "nets")]
pub mod image_cnn;
#[cfg(feature = "nets")]
pub mod matrices;
pub mod music_featurization;
#[cfg(feature = "nets")]
pub mod output;
pub mod picture_parts;
#[cfg(feature = "nets")]
pub mod training;
#[cfg(feature = "nets")]
pub mod weights;
