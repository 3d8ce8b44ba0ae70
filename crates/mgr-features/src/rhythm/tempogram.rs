//! The tempogram: local autocorrelation of the onset strength.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::autocorrelation::{AutocorrelationWork, LocalAutocorrelation};
use super::on_envelope::{self, OnEnvelope, on_envelope, one_row};
use super::onset_strength::{OnsetStrength, OnsetStrengthConfig};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::normalize::Norm;
use crate::spectrogram::time_axis;
use crate::window::Window;
use crate::{ColumnStream, FeatureError};

/// Parameters of [`Tempogram`]. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TempogramConfig {
    /// The onset strength, of one row.
    pub strength: OnsetStrengthConfig,
    /// Frames in a stretch, and lags, 1 to 2^20. Default 384: 8.9 s.
    pub win_length: usize,
    /// What a stretch is multiplied by. Default Hann.
    pub window: Window,
    /// Whether stretch `t` is centred on frame `t`, with ramps down to 0 beyond the ends (default), or starts there.
    pub center: bool,
    /// By what each column is divided. Default its largest value, that at lag 0.
    pub norm: Norm,
}

impl Default for TempogramConfig {
    fn default() -> Self {
        Self {
            strength: OnsetStrengthConfig::default(),
            win_length: 384,
            window: Window::default(),
            center: true,
            norm: Norm::Max,
        }
    }
}

impl TempogramConfig {
    /// Checks the parameters and plans the transforms.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a length, window or norm out of range, and all that [`OnsetStrengthConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<Tempogram, FeatureError> {
        self.norm.check()?;
        Ok(Tempogram {
            strength: one_row(self.strength.plan(sample_rate)?)?,
            local: LocalAutocorrelation::new(self.win_length, self.window, self.center)?,
            norm: self.norm,
        })
    }
}

/// A planned tempogram, (lags, frames): `a[l, t] = sum_n x[n] x[n + l]` with the windowed stretch `x` of the onset strength around
/// frame `t`, divided by its norm.
///
/// Lag `l` is a tempo of `60 sample_rate / (hop_length l)` beats a minute. A stretch without onsets is a column of zeros.
/// Source: Grosche, Müller, Kurth, "Cyclic tempogram", ICASSP 2010; librosa 0.11 `feature.tempogram`.
///
/// ```
/// use mgr_features::rhythm::TempogramConfig;
/// // A click every 21 frames.
/// let mut x = vec![0.0; 220_500];
/// (5000..220_500).step_by(21 * 512).for_each(|n| x[n] = 1.0);
/// let tempogram = TempogramConfig::default().plan(22_050)?.process(&x)?;
/// assert_eq!(tempogram.dim(), (384, 431));
/// assert!(tempogram[[0, 200]] == 1.0 && tempogram[[21, 200]] > 0.9 && tempogram[[10, 200]] < 0.1);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tempogram {
    strength: OnsetStrength,
    local: LocalAutocorrelation,
    norm: Norm,
}

/// Buffers of autocorrelations, and one column.
#[derive(Debug, Clone)]
pub(super) struct TempogramWork {
    local: AutocorrelationWork,
    column: Vec<f64>,
}

impl Tempogram {
    /// Beats a minute of each lag; infinity for lag 0.
    #[must_use]
    pub fn tempos(&self) -> Vec<f64> {
        tempos(self.local.lags(), self.strength.frame_rate())
    }

    fn described(&self, rows: usize, columns: usize, _samples: usize) -> Layout {
        let mel = self.strength.mel();
        Layout {
            rows,
            columns,
            row_axis: Axis::Lag { step_s: 1.0 / self.strength.frame_rate(), count: rows },
            column_axis: time_axis(mel.stft(), mel.sample_rate()),
            unit: Unit::Ratio,
        }
    }

    /// Gives `take` each column in f64, divided by its norm.
    pub(super) fn each_column(
        &self,
        envelope: &[f32],
        work: &mut TempogramWork,
        mut take: impl FnMut(usize, &[f64]),
    ) {
        let TempogramWork { local, column } = work;
        let norm = self.norm;
        self.local.each(envelope, local, |t, values| {
            // The largest value of an autocorrelation is its first.
            let length = match norm {
                Norm::Max => values.first().copied().unwrap_or(0.0),
                other => other.of(values.iter().copied()),
            };
            if norm != Norm::None && length >= f64::MIN_POSITIVE {
                column.iter_mut().zip(values).for_each(|(to, v)| *to = v / length);
                take(t, column);
            } else {
                take(t, values);
            }
        });
    }
}

impl OnEnvelope for Tempogram {
    type Work = TempogramWork;
    const NAME: &'static str = "tempogram";

    fn strength(&self) -> &OnsetStrength {
        &self.strength
    }

    fn shape(&self, frames: usize) -> Result<(usize, usize), usize> {
        Ok((self.local.lags(), self.local.columns(frames)?))
    }

    fn work(&self, frames: usize) -> Result<TempogramWork, FeatureError> {
        Ok(TempogramWork { local: self.local.work(frames)?, column: vec![0.0; self.local.lags()] })
    }

    fn holds(&self, work: &TempogramWork, frames: usize) -> bool {
        self.local.holds(&work.local, frames) && work.column.len() == self.local.lags()
    }

    fn write(&self, envelope: &[f32], mut out: ArrayViewMut2<'_, f32>, work: &mut TempogramWork) {
        self.each_column(envelope, work, |t, column| {
            let mut place = out.column_mut(t);
            match place.as_slice_mut() {
                Some(place) => place.iter_mut().zip(column).for_each(|(to, v)| *to = *v as f32),
                None => place.iter_mut().zip(column).for_each(|(to, v)| *to = *v as f32),
            }
        });
    }
}

on_envelope!(
    Tempogram,
    TempogramScratch,
    "tempogram",
    "its onset strength counts from the largest value of the signal"
);

/// Beats a minute of lags from 0 on; infinity for lag 0.
pub(super) fn tempos(lags: usize, frame_rate: f64) -> Vec<f64> {
    (0..lags).map(|lag| 60.0 * frame_rate / lag as f64).collect()
}
