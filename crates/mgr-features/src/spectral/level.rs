//! Root mean square of a frame, from its spectrum.

use serde::{Deserialize, Serialize};

use super::{Descriptor, Spectral};
use crate::FeatureError;
use crate::extractor::Unit;
use crate::simd::sums::sums;
use crate::spectrogram::Exponent;
use crate::stft::StftConfig;

/// Parameters of the root mean square of frames by their spectra: `sqrt(2 sum' |X_k|^2) / n_fft`, where the first bin, and of
/// an even transform the last, count half. Defaults are librosa's STFT.
///
/// By Parseval's theorem the value is that of the windowed frame: for a Hann window `sqrt(3/8)` of what
/// [`super::RmsConfig`] gives for a steady sound. Source: librosa 0.11 `feature.rms` of a spectrogram.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpectralRmsConfig {
    /// The transform.
    pub stft: StftConfig,
}

impl SpectralRmsConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0, and all that [`StftConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<Spectral, FeatureError> {
        Spectral::plan(&self.stft, sample_rate, |n_fft| Ok(SpectralRms { n_fft }))
    }
}

#[derive(Debug)]
struct SpectralRms {
    n_fft: usize,
}

impl Descriptor for SpectralRms {
    fn name(&self) -> &'static str {
        "spectral_rms"
    }

    fn unit(&self) -> Unit {
        Unit::Magnitude
    }

    fn exponent(&self) -> Exponent {
        Exponent::Power
    }

    fn column(&self, power: &[f32], _: &mut [f32], _: &mut [f32], out: &mut [f32]) {
        let mut both = [0.0; 2];
        sums(power, &mut both);
        let ends = |value: Option<&f32>| value.map_or(0.0, |v| f64::from(*v));
        let last = if self.n_fft.is_multiple_of(2) { ends(power.last()) } else { 0.0 };
        let twice = (2.0 * both[0] - ends(power.first()) - last).max(0.0);
        out[0] = (twice.sqrt() / self.n_fft as f64) as f32;
    }
}
