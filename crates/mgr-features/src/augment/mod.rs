//! Augmentation of feature matrices: masks over time and frequency, mixtures of two.
//!
//! Both draw from a [`Random`] that is the same on every platform, work in place on a matrix of any memory layout, allocate
//! nothing, and tell what they drew: a log that serde can store and that does the same again to another matrix.

mod mixup;
mod random;
mod spec_augment;

pub use mixup::{Mixup, MixupConfig, MixupLambda, MixupLog};
pub use random::Random;
pub use spec_augment::{Fill, Mask, MaskAxis, SpecAugment, SpecAugmentConfig, SpecAugmentLog};
