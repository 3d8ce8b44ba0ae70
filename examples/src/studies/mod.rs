//! What the studies on published systems stand on: a step of a study here, its order in the study's own file.

pub mod fma;
pub mod music_featurization;
pub mod picture_parts;
