//! Another speed at the same pitch.

use num_complex::Complex64;
use serde::{Deserialize, Serialize};

use super::phase_vocoder::{PhaseVocoder, PhaseVocoderConfig, Phases};
use crate::frame::Span;
use crate::stft::{InverseScratch, Precision, Stft, StftConfig, StftScratch};
use crate::{FeatureError, check};

/// Parameters of a time stretch. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeStretchConfig {
    /// Speed: 2 is twice as fast, half as long. 1/64 to 64. Default 1.
    pub rate: f64,
    /// The transform.
    pub stft: StftConfig,
}

impl Default for TimeStretchConfig {
    fn default() -> Self {
        Self { rate: 1.0, stft: StftConfig::default() }
    }
}

impl TimeStretchConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`PhaseVocoderConfig::plan`] and [`StftConfig::plan`].
    pub fn plan(&self) -> Result<TimeStretch, FeatureError> {
        let vocoder = PhaseVocoderConfig { rate: self.rate }.plan()?;
        let stft = self.stft.plan_in(Precision::Double)?;
        Ok(TimeStretch { rate: self.rate, vocoder, stft })
    }
}

/// A planned time stretch: transform in double precision, [`PhaseVocoder`], inverse transform. Source: librosa 0.11 `effects.time_stretch`.
///
/// ```
/// use mgr_features::effects::TimeStretchConfig;
/// let stretch = TimeStretchConfig { rate: 0.8, ..TimeStretchConfig::default() }.plan()?;
/// let samples: Vec<f32> = (0..22_050).map(|n| (n as f32 * 0.1).sin()).collect();
/// assert_eq!(stretch.process(&samples)?.len(), 27_562);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TimeStretch {
    rate: f64,
    vocoder: PhaseVocoder,
    stft: Stft,
}

/// Buffers of one computation; make one per thread with [`TimeStretch::scratch`] and use it again.
#[derive(Debug, Clone)]
pub struct TimeStretchScratch {
    forward: StftScratch,
    inverse: InverseScratch,
    phases: Phases,
    /// Two neighbouring columns, and which they are.
    columns: [Vec<Complex64>; 2],
}

impl TimeStretch {
    /// Samples of the result for `samples` samples: `samples / rate`, rounded, ties to even.
    #[must_use]
    pub fn output_length(&self, samples: usize) -> usize {
        (samples as f64 / self.rate).round_ties_even() as usize
    }

    /// Buffers for [`TimeStretch::process_into`].
    #[must_use]
    pub fn scratch(&self) -> TimeStretchScratch {
        let column = vec![Complex64::default(); self.stft.bins()];
        TimeStretchScratch {
            forward: self.stft.scratch(),
            inverse: self.stft.inverse_scratch(),
            phases: Phases::new(self.stft.bins()),
            columns: [column.clone(), column],
        }
    }

    /// The signal at another speed, allocated.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Vec<f32>, FeatureError> {
        let mut out = check::matrix::<f32>(self.output_length(samples.len()), 1)?.into_raw_vec_and_offset().0;
        self.process_into(samples, &mut out, &mut self.scratch())?;
        Ok(out)
    }

    /// The signal at another speed into `out` of [`TimeStretch::output_length`] samples. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        samples: &[f32],
        out: &mut [f32],
        scratch: &mut TimeStretchScratch,
    ) -> Result<(), FeatureError> {
        let length = self.output_length(samples.len());
        if out.len() != length {
            let (what, got_rows) = ("output", out.len());
            return Err(FeatureError::Shape { what, got_rows, got_columns: 1, rows: length, columns: 1 });
        }
        if self.stft.fits(&scratch.forward).is_err() || scratch.phases.len() != self.stft.bins() {
            return Err(FeatureError::Scratch { plan: "time_stretch" });
        }
        let frames = self.stft.framing().frames(samples.len())?;
        check::finite(samples)?;
        let TimeStretchScratch { forward, inverse, phases, columns: [first, second] } = scratch;
        let span = Span::whole(samples);
        let mut column = |t: usize, to: &mut [Complex64]| {
            if t < frames {
                self.stft.transform(t, span, forward);
                self.stft.spectrum_wide(forward, to);
            } else {
                to.fill(Complex64::default());
            }
        };
        column(0, first);
        column(1, second);
        phases.start(first);
        let mut at = 0;
        self.stft.inverse_with(self.vocoder.columns(frames), out, inverse, |t, spectrum| {
            let (position, share) = self.vocoder.step(t);
            if position == at + 1 {
                std::mem::swap(first, second);
                column(position + 1, second);
            } else if position != at {
                column(position, first);
                column(position + 1, second);
            }
            at = position;
            phases.advance(first, second, share, spectrum);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_as_transform_vocoder_and_inverse() {
        // Noise: no bin lies under the rounding of the transform in single precision.
        let mut state = 9_u32;
        let samples: Vec<f32> = (0..20_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            })
            .collect();
        for (rate, n_fft, hop_length) in [(0.8, 512, 128), (1.25, 512, 100), (3.1, 256, 64), (0.2, 255, 64)] {
            let stft = StftConfig { n_fft, hop_length, ..StftConfig::default() };
            let stretch = TimeStretchConfig { rate, stft: stft.clone() }.plan().unwrap();
            let stft = stft.plan().unwrap();
            let spectrum = stft.process(&samples).unwrap();
            let turned = PhaseVocoderConfig { rate }.plan().unwrap().process(spectrum.view()).unwrap();
            let want = stft.inverse(turned.view(), Some(stretch.output_length(samples.len()))).unwrap();
            let got = stretch.process(&samples).unwrap();
            assert!(got.iter().zip(&want).all(|(a, b)| (a - b).abs() < 2e-3), "{rate} {n_fft} {hop_length}");
        }
    }
}
