//! Another pitch at the same speed.

use serde::{Deserialize, Serialize};

use super::interpolate::Interpolator;
use super::time_stretch::{TimeStretch, TimeStretchConfig, TimeStretchScratch};
use crate::stft::StftConfig;
use crate::{FeatureError, check};

/// Octaves that a pitch may be shifted by, up or down.
const MAX_OCTAVES: f64 = 6.0;

/// Parameters of a pitch shift. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PitchShiftConfig {
    /// Steps up, or down where negative; fractions are fine. At most 6 octaves. Default 0.
    pub n_steps: f64,
    /// Steps of an octave, 1 to 1,200. Default 12.
    pub bins_per_octave: u32,
    /// The transform.
    pub stft: StftConfig,
}

impl Default for PitchShiftConfig {
    fn default() -> Self {
        Self { n_steps: 0.0, bins_per_octave: 12, stft: StftConfig::default() }
    }
}

impl PitchShiftConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for more than 6 octaves or steps that are not finite, for bins per octave outside 1 to 1,200,
    /// and all that [`StftConfig::plan`] refuses.
    pub fn plan(&self) -> Result<PitchShift, FeatureError> {
        check::within("bins_per_octave", f64::from(self.bins_per_octave), 1.0, 1200.0)?;
        let limit = MAX_OCTAVES * f64::from(self.bins_per_octave);
        check::within("n_steps", self.n_steps, -limit, limit)?;
        let rate = (-self.n_steps / f64::from(self.bins_per_octave)).exp2();
        let stretch = TimeStretchConfig { rate, stft: self.stft.clone() }.plan()?;
        let interpolator = (self.n_steps != 0.0).then(|| Interpolator::new(rate).into());
        Ok(PitchShift { stretch, interpolator })
    }
}

/// A planned pitch shift: a time stretch by `2^(-n_steps / bins_per_octave)`, resampled to the length of the signal by a band-limited
/// interpolation like soxr's HQ (pass band to 0.913 of the lower Nyquist frequency, 120 dB beyond it).
///
/// Source: librosa 0.11 `effects.pitch_shift`.
///
/// ```
/// use mgr_features::effects::PitchShiftConfig;
/// let fifth = PitchShiftConfig { n_steps: 7.0, ..PitchShiftConfig::default() }.plan()?;
/// let samples: Vec<f32> = (0..22_050).map(|n| (n as f32 * 0.1).sin()).collect();
/// assert_eq!(fifth.process(&samples)?.len(), samples.len());
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PitchShift {
    stretch: TimeStretch,
    /// None for no shift.
    interpolator: Option<std::sync::Arc<Interpolator>>,
}

/// Buffers for signals of up to one length; make one per thread with [`PitchShift::scratch_for`] and use it again.
#[derive(Debug, Clone)]
pub struct PitchShiftScratch {
    stretch: TimeStretchScratch,
    padded: Vec<f32>,
}

impl PitchShift {
    /// Buffers for [`PitchShift::process_into`] of up to `samples` samples.
    ///
    /// # Errors
    /// [`FeatureError::Memory`].
    pub fn scratch_for(&self, samples: usize) -> Result<PitchShiftScratch, FeatureError> {
        let stretched = self.stretch.output_length(samples);
        let padded = match &self.interpolator {
            Some(interpolator) => interpolator.padded(stretched)?,
            None => Vec::new(),
        };
        Ok(PitchShiftScratch { stretch: self.stretch.scratch(), padded })
    }

    /// The shifted signal, as long as the given one.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Vec<f32>, FeatureError> {
        let mut out = check::matrix::<f32>(samples.len(), 1)?.into_raw_vec_and_offset().0;
        self.process_into(samples, &mut out, &mut self.scratch_for(samples.len())?)?;
        Ok(out)
    }

    /// The shifted signal into `out`, as long as the given one. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`]; [`FeatureError::Scratch`] also for a
    /// signal that is longer than the scratch was made for.
    pub fn process_into(
        &self,
        samples: &[f32],
        out: &mut [f32],
        scratch: &mut PitchShiftScratch,
    ) -> Result<(), FeatureError> {
        let Some(interpolator) = &self.interpolator else {
            return self.stretch.process_into(samples, out, &mut scratch.stretch);
        };
        if out.len() != samples.len() {
            let (got_rows, rows) = (out.len(), samples.len());
            return Err(FeatureError::Shape { what: "output", got_rows, got_columns: 1, rows, columns: 1 });
        }
        let stretched = self.stretch.output_length(samples.len());
        let needed = interpolator.padded_length(stretched)?;
        let Some(padded) = scratch.padded.get_mut(..needed) else {
            return Err(FeatureError::Scratch { plan: "pitch_shift" });
        };
        let (before, _) = interpolator.margins();
        self.stretch.process_into(samples, &mut padded[before..before + stretched], &mut scratch.stretch)?;
        // A longer signal may have left something here.
        padded[..before].fill(0.0);
        padded[before + stretched..].fill(0.0);
        interpolator.process(padded, out);
        Ok(())
    }
}
