//! Onsets: the peaks of the onset strength.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::events::Events;
use super::on_envelope::{self, OnEnvelope, on_envelope, one_row};
use super::onset_strength::{OnsetStrength, OnsetStrengthConfig};
use super::peaks::{PeakPick, PeakPickConfig, backtrack, start_of};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::spectrogram::time_axis;
use crate::{ColumnStream, FeatureError, check};

/// Parameters of [`OnsetDetect`]. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OnsetDetectConfig {
    /// The onset strength, of one row.
    pub strength: OnsetStrengthConfig,
    /// Whether it is brought to the range from 0 to 1 first. Default yes.
    pub normalize: bool,
    /// What a peak is.
    pub peaks: PeakPickConfig,
    /// Whether each onset is moved back to where the onset strength begins to rise. Default no.
    pub backtrack: bool,
}

impl Default for OnsetDetectConfig {
    fn default() -> Self {
        Self {
            strength: OnsetStrengthConfig::default(),
            normalize: true,
            peaks: PeakPickConfig::default(),
            backtrack: false,
        }
    }
}

impl OnsetDetectConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`OnsetStrengthConfig::plan`] and [`PeakPickConfig::plan`].
    pub fn plan(&self, sample_rate: u32) -> Result<OnsetDetect, FeatureError> {
        let strength = one_row(self.strength.plan(sample_rate)?)?;
        let peaks = self.peaks.plan(sample_rate, strength.framing().hop_length())?;
        Ok(OnsetDetect { strength, normalize: self.normalize, peaks, backtrack: self.backtrack })
    }
}

/// Planned onsets: as a list ([`OnsetDetect::detect`]), or as a row (1, frames) with a 1 at each and 0 elsewhere.
///
/// Silence has none. Two onsets that are moved back to the same frame stay two in the list, as in the reference.
/// Source: librosa 0.11 `onset.onset_detect`; the row is its `sparse=False`.
///
/// ```
/// use mgr_features::rhythm::OnsetDetectConfig;
/// let mut x = vec![0.0; 44_100];
/// (5120..44_100).step_by(11_264).for_each(|n| x[n] = 1.0);
/// let onsets = OnsetDetectConfig::default().plan(22_050)?;
/// let list = onsets.detect(&x)?;
/// assert_eq!(list.len(), 4);
/// let row = onsets.process(&x)?;
/// assert!(list.frames().iter().all(|t| row[[0, *t]] == 1.0) && row.sum() == 4.0);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct OnsetDetect {
    strength: OnsetStrength,
    normalize: bool,
    peaks: PeakPick,
    backtrack: bool,
}

impl OnsetDetect {
    /// The onsets of a signal.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn detect(&self, samples: &[f32]) -> Result<Events, FeatureError> {
        let envelope = self.strength.process(samples)?;
        self.detect_in_envelope(envelope.row(0).as_slice().unwrap_or(&[]))
    }

    /// The onsets of an onset strength that is there already.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] for none, [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn detect_in_envelope(&self, envelope: &[f32]) -> Result<Events, FeatureError> {
        on_envelope::checked(self, envelope)?;
        let mut values = self.work(envelope.len())?;
        let mut frames = Vec::new();
        if self.prepare(envelope, &mut values) {
            self.peaks.each(&values, |frame| frames.push(frame));
            if self.backtrack {
                backtrack(&mut frames, &values);
            }
        }
        let hop_length = self.strength.framing().hop_length();
        Ok(Events::new(frames, hop_length, self.strength.mel().sample_rate()))
    }

    /// Writes what peaks are picked of; whether there is anything to pick.
    fn prepare(&self, envelope: &[f32], values: &mut [f32]) -> bool {
        values.copy_from_slice(envelope);
        if self.normalize {
            let low = envelope.iter().copied().fold(f32::INFINITY, f32::min);
            values.iter_mut().for_each(|v| *v -= low);
            let high = values.iter().copied().fold(0.0, f32::max) + f32::MIN_POSITIVE;
            values.iter_mut().for_each(|v| *v /= high);
        }
        values.iter().any(|v| *v != 0.0) && values.iter().all(|v| v.is_finite())
    }

    fn described(&self, rows: usize, columns: usize, _samples: usize) -> Layout {
        let mel = self.strength.mel();
        let row_axis = Axis::Name { names: vec!["onset".to_owned()] };
        let column_axis = time_axis(mel.stft(), mel.sample_rate());
        Layout { rows, columns, row_axis, column_axis, unit: Unit::Ratio }
    }
}

impl OnEnvelope for OnsetDetect {
    type Work = Vec<f32>;
    const NAME: &'static str = "onset_detect";

    fn strength(&self) -> &OnsetStrength {
        &self.strength
    }

    fn shape(&self, frames: usize) -> Result<(usize, usize), usize> {
        Ok((1, frames))
    }

    fn work(&self, frames: usize) -> Result<Vec<f32>, FeatureError> {
        check::vector(1, frames)
    }

    fn holds(&self, work: &Vec<f32>, frames: usize) -> bool {
        work.len() >= frames
    }

    fn write(&self, envelope: &[f32], mut out: ArrayViewMut2<'_, f32>, work: &mut Vec<f32>) {
        let values = &mut work[..envelope.len()];
        out.fill(0.0);
        if self.prepare(envelope, values) {
            let place = |frame| if self.backtrack { start_of(frame, values) } else { frame };
            self.peaks.each(values, |frame| out[[0, place(frame)]] = 1.0);
        }
    }
}

on_envelope!(
    OnsetDetect,
    OnsetDetectScratch,
    "onset_detect",
    "its onset strength counts from the largest value of the signal"
);
