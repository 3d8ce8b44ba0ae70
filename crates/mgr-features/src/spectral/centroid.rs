//! Where a spectrum lies, and how far it spreads.

use serde::{Deserialize, Serialize};

use super::{Descriptor, Spectral};
use crate::extractor::Unit;
use crate::frequency::fft_frequencies;
use crate::simd::sums::{deviations, dot_rows};
use crate::stft::StftConfig;
use crate::{FeatureError, check};

/// Parameters of a spectral centroid: `sum f_k S_k / sum S_k` in Hz over the magnitudes `S` of a column. Defaults are
/// librosa's.
///
/// A column that sums up to less than the smallest normal f32, silence above all, gives 0. Source: librosa 0.11
/// `feature.spectral_centroid`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CentroidConfig {
    /// The transform.
    pub stft: StftConfig,
}

impl CentroidConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0, and all that [`StftConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<Spectral, FeatureError> {
        Spectral::plan(&self.stft, sample_rate, |n_fft| Ok(Centroid(Moments::new(sample_rate, n_fft))))
    }
}

/// Ones, then the frequencies of the bins.
#[derive(Debug)]
struct Moments(Vec<f64>);

impl Moments {
    fn new(sample_rate: u32, n_fft: usize) -> Self {
        let ones = std::iter::repeat_n(1.0, n_fft / 2 + 1);
        Self(ones.chain(fft_frequencies(sample_rate, n_fft)).collect())
    }

    fn frequencies(&self) -> &[f64] {
        &self.0[self.0.len() / 2..]
    }

    /// What the column is divided by, and the centroid.
    fn of(&self, spectrum: &[f32]) -> (f64, f64) {
        let mut sums = [0.0; 2];
        dot_rows(&self.0, spectrum, &mut sums);
        let length = if sums[0] < f64::from(f32::MIN_POSITIVE) { 1.0 } else { sums[0] };
        (length, sums[1] / length)
    }
}

#[derive(Debug)]
struct Centroid(Moments);

impl Descriptor for Centroid {
    fn name(&self) -> &'static str {
        "spectral_centroid"
    }

    fn unit(&self) -> Unit {
        Unit::Hertz
    }

    fn column(&self, spectrum: &[f32], _: &mut [f32], _: &mut [f32], out: &mut [f32]) {
        out[0] = self.0.of(spectrum).1 as f32;
    }
}

/// Parameters of a spectral bandwidth: `(sum S_k |f_k - c|^p)^(1/p)` in Hz about the centroid `c`, where the magnitudes `S`
/// of a column are divided by their sum first or not. Defaults are librosa's.
///
/// Silence gives 0. Source: librosa 0.11 `feature.spectral_bandwidth`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BandwidthConfig {
    /// The transform.
    pub stft: StftConfig,
    /// The exponent, 0.01 to 100. Default 2.
    pub p: f64,
    /// Whether a column is divided by its sum. Default true; otherwise loud columns are wide.
    pub norm: bool,
}

impl Default for BandwidthConfig {
    fn default() -> Self {
        Self { stft: StftConfig::default(), p: 2.0, norm: true }
    }
}

impl BandwidthConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for an exponent out of range; see [`CentroidConfig::plan`].
    pub fn plan(&self, sample_rate: u32) -> Result<Spectral, FeatureError> {
        check::within("p", self.p, 0.01, 100.0)?;
        Spectral::plan(&self.stft, sample_rate, |n_fft| {
            Ok(Bandwidth { moments: Moments::new(sample_rate, n_fft), p: self.p, norm: self.norm })
        })
    }
}

#[derive(Debug)]
struct Bandwidth {
    moments: Moments,
    p: f64,
    norm: bool,
}

impl Descriptor for Bandwidth {
    fn name(&self) -> &'static str {
        "spectral_bandwidth"
    }

    fn unit(&self) -> Unit {
        Unit::Hertz
    }

    fn column(&self, spectrum: &[f32], _: &mut [f32], _: &mut [f32], out: &mut [f32]) {
        let (length, centre) = self.moments.of(spectrum);
        let hz = self.moments.frequencies();
        let whole = [1, 2, 3, 4].into_iter().find(|p| f64::from(*p) == self.p);
        let mut sum = 0.0;
        match whole {
            Some(p) => deviations(spectrum, hz, centre, p, &mut sum),
            None => {
                let terms = spectrum.iter().zip(hz);
                sum = terms.map(|(s, f)| f64::from(*s) * (f - centre).abs().powf(self.p)).sum();
            }
        }
        if self.norm {
            sum /= length;
        }
        out[0] = match whole {
            Some(1) => sum,
            Some(2) => sum.sqrt(),
            _ => sum.powf(1.0 / self.p),
        } as f32;
    }
}
