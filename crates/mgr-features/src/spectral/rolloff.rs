//! The frequency below which most of a spectrum lies.

use serde::{Deserialize, Serialize};

use super::{Descriptor, Spectral};
use crate::extractor::Unit;
use crate::frequency::fft_frequencies;
use crate::stft::StftConfig;
use crate::{FeatureError, check};

/// Parameters of a spectral roll-off: the frequency in Hz of the first bin up to which the magnitudes of a column sum up to
/// at least `roll_percent` of their whole sum. Defaults are librosa's.
///
/// Silence gives 0. Sums are taken in f32, bin by bin, as in the reference, so that they pass the mark in the same bin.
/// Source: librosa 0.11 `feature.spectral_rolloff`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RolloffConfig {
    /// The transform.
    pub stft: StftConfig,
    /// The share, over 0 and under 1. Default 0.85.
    pub roll_percent: f32,
}

impl Default for RolloffConfig {
    fn default() -> Self {
        Self { stft: StftConfig::default(), roll_percent: 0.85 }
    }
}

impl RolloffConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a share out of range, a sampling rate of 0, and all that [`StftConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<Spectral, FeatureError> {
        let share = self.roll_percent;
        if !(share > 0.0 && share < 1.0) {
            return Err(FeatureError::parameter("roll_percent", share, "over 0 and under 1"));
        }
        check::rate(sample_rate)?;
        Spectral::plan(&self.stft, sample_rate, |n_fft| {
            let hz = fft_frequencies(sample_rate, n_fft).map(|hz| hz as f32).collect();
            Ok(Rolloff { hz, share })
        })
    }
}

#[derive(Debug)]
struct Rolloff {
    hz: Vec<f32>,
    share: f32,
}

impl Descriptor for Rolloff {
    fn name(&self) -> &'static str {
        "spectral_rolloff"
    }

    fn unit(&self) -> Unit {
        Unit::Hertz
    }

    fn work(&self) -> usize {
        self.hz.len()
    }

    fn column(&self, spectrum: &[f32], work: &mut [f32], _: &mut [f32], out: &mut [f32]) {
        let mut sum = 0.0f32;
        for (total, value) in work.iter_mut().zip(spectrum) {
            sum += value;
            *total = sum;
        }
        let mark = self.share * sum;
        // Totals never fall.
        let bin = work.partition_point(|total| *total < mark);
        out[0] = self.hz.get(bin).copied().unwrap_or(0.0);
    }
}
