//! How much a spectrum is like noise.

use serde::{Deserialize, Serialize};

use super::{Descriptor, Spectral};
use crate::extractor::Unit;
use crate::log::ln_in_place;
use crate::simd::sums::sums;
use crate::spectrogram::Exponent;
use crate::stft::StftConfig;
use crate::{FeatureError, check};

/// Parameters of a spectral flatness: the geometric over the arithmetic mean of `max(S^power, amin)` over the magnitudes `S`
/// of a column, 0 for a tone, 1 for an even spectrum. Defaults are librosa's.
///
/// Silence gives 1. Source: librosa 0.11 `feature.spectral_flatness`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlatnessConfig {
    /// The transform.
    pub stft: StftConfig,
    /// Floor of the values, over 0. Default 1e-10.
    pub amin: f32,
    /// Exponent of the magnitude, over 0 and at most 16. Default 2.
    pub power: f32,
}

impl Default for FlatnessConfig {
    fn default() -> Self {
        Self { stft: StftConfig::default(), amin: 1e-10, power: 2.0 }
    }
}

impl FlatnessConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a floor or an exponent out of range, a sampling rate of 0, and all that
    /// [`StftConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<Spectral, FeatureError> {
        check::within("amin", f64::from(self.amin), f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX))?;
        let exponent = Exponent::new(self.power)?;
        Spectral::plan(&self.stft, sample_rate, |n_fft| {
            Ok(Flatness { exponent, amin: self.amin, bins: n_fft / 2 + 1 })
        })
    }
}

#[derive(Debug)]
struct Flatness {
    exponent: Exponent,
    amin: f32,
    bins: usize,
}

impl Descriptor for Flatness {
    fn name(&self) -> &'static str {
        "spectral_flatness"
    }

    fn unit(&self) -> Unit {
        Unit::Ratio
    }

    fn exponent(&self) -> Exponent {
        self.exponent
    }

    fn work(&self) -> usize {
        self.bins
    }

    fn column(&self, spectrum: &[f32], work: &mut [f32], _: &mut [f32], out: &mut [f32]) {
        let amin = self.amin;
        work.iter_mut().zip(spectrum).for_each(|(to, from)| *to = if *from > amin { *from } else { amin });
        let (mut plain, mut logarithms) = ([0.0; 2], [0.0; 2]);
        sums(work, &mut plain);
        ln_in_place(work);
        sums(work, &mut logarithms);
        let count = self.bins as f64;
        out[0] = ((logarithms[0] / count).exp() / (plain[0] / count)) as f32;
    }
}
