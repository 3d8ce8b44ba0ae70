//! What the FMA study and MusicFeaturization share: clips and their pictures, training on pictures, a study's folder.

pub mod clips;
pub mod output;
pub mod spoken;
#[cfg(feature = "nets")]
pub mod training;
