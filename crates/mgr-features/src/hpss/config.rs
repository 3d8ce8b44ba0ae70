//! The parameters of a separation.

use serde::{Deserialize, Serialize};

use crate::stft::StftConfig;

/// Parameters of the separation of a signal. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HpssConfig {
    /// The transform; its hop may exceed its window.
    pub stft: StftConfig,
    /// The medians and masks.
    pub separation: SeparationConfig,
}

/// Parameters of a separation. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeparationConfig {
    /// Frames of the median along time, odd, 1 to 16383: what it keeps is harmonic. Default 31.
    pub harmonic_length: usize,
    /// Bins of the median along frequency, odd, 1 to 16383: what it keeps is percussive. Default 31.
    pub percussive_length: usize,
    /// Soft (default, power 2) or hard masks.
    pub mask: Mask,
    /// How many times the percussive median a value's harmonic median must be for an equal share, 1 to 10^6. Default 1.
    pub harmonic_margin: f32,
    /// How many times the harmonic median a value's percussive median must be for an equal share, 1 to 10^6. Default 1.
    pub percussive_margin: f32,
}

impl Default for SeparationConfig {
    fn default() -> Self {
        Self {
            harmonic_length: 31,
            percussive_length: 31,
            mask: Mask::default(),
            harmonic_margin: 1.0,
            percussive_margin: 1.0,
        }
    }
}

/// How two medians become a mask; `x` is the mask's own median, `r` the other one times the margin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mask {
    /// `x^power / (x^power + r^power)`. Where both are zero (under 1.2e-38): 0.5 when both margins are 1, else 0.
    Soft {
        /// Over 0, at most 1000. librosa: 2.
        power: f32,
    },
    /// 1 where `x > r`, else 0: the limit of soft masks of great power, but for ties, which are 0.
    Hard,
}

impl Default for Mask {
    fn default() -> Self {
        Self::Soft { power: 2.0 }
    }
}
