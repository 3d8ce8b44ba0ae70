//! Tempo, of a clip or of each frame.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::autocorrelation::AutocorrelationWork;
use super::autocorrelation::LocalAutocorrelation;
use super::on_envelope::{self, OnEnvelope, on_envelope, one_row};
use super::onset_strength::{OnsetStrength, OnsetStrengthConfig};
use super::prior::{TempoChoice, TempoSearch};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::spectrogram::time_axis;
use crate::stats::median;
use crate::window::Window;
use crate::{ColumnStream, FeatureError, check};

/// Of what a tempo is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TempoResolution {
    /// One for the clip, from the mean of the tempogram over time: the default.
    #[default]
    Clip,
    /// One for the clip, from the median over time of each lag of the tempogram: stretches of another tempo count for nothing as long
    /// as they are fewer than half.
    ClipMedian,
    /// One for each frame.
    Frame,
}

/// Parameters of [`Tempo`]. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TempoConfig {
    /// The onset strength, of one row.
    pub strength: OnsetStrengthConfig,
    /// How a tempo is chosen.
    pub search: TempoSearch,
    /// One for the clip (default: from the mean over time) or one for each frame.
    pub resolution: TempoResolution,
}

impl TempoConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for tempos and lengths out of range, a prior without a tempo, and all that
    /// [`OnsetStrengthConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<Tempo, FeatureError> {
        let strength = one_row(self.strength.plan(sample_rate)?)?;
        let estimate = TempoEstimate::new(&self.search, &strength, self.resolution)?;
        Ok(Tempo { strength, estimate, resolution: self.resolution })
    }
}

/// What chooses the tempo of an envelope.
#[derive(Debug, Clone)]
pub(super) struct TempoEstimate {
    local: LocalAutocorrelation,
    choice: TempoChoice,
    /// Whether a clip's tempo is that of the median over time, not of the mean.
    by_median: bool,
}

/// Buffers of an estimate.
#[derive(Debug, Clone)]
pub(super) struct TempoWork {
    local: AutocorrelationWork,
    column: Vec<f64>,
    /// Every column, lag by lag, where their median is asked for.
    all: Vec<f64>,
}

impl TempoEstimate {
    pub(super) fn new(
        search: &TempoSearch,
        strength: &OnsetStrength,
        resolution: TempoResolution,
    ) -> Result<Self, FeatureError> {
        let lags = search.lags(strength.mel().sample_rate(), strength.framing().hop_length())?;
        let choice = search.plan(lags, strength.frame_rate())?;
        let by_median = resolution == TempoResolution::ClipMedian;
        Ok(Self { local: LocalAutocorrelation::new(lags, Window::Hann, true)?, choice, by_median })
    }

    /// The longest lag.
    pub(super) fn longest(&self) -> usize {
        self.local.lags() - 1
    }

    pub(super) fn work(&self, frames: usize) -> Result<TempoWork, FeatureError> {
        let all = check::vector(self.local.lags(), if self.by_median { frames } else { 0 })?;
        Ok(TempoWork { local: self.local.work(frames)?, column: check::vector(1, self.local.lags())?, all })
    }

    pub(super) fn holds(&self, work: &TempoWork, frames: usize) -> bool {
        self.local.holds(&work.local, frames)
            && work.column.len() == self.local.lags()
            && (!self.by_median || work.all.len() >= frames * self.local.lags())
    }

    /// Of the whole envelope.
    pub(super) fn of_all(&self, envelope: &[f32], work: &mut TempoWork) -> f64 {
        if self.by_median {
            return self.of_median(envelope, work);
        }
        self.local.mean(envelope, &mut work.local, &mut work.column);
        self.choice.of(&work.column)
    }

    fn of_median(&self, envelope: &[f32], work: &mut TempoWork) -> f64 {
        let TempoWork { local, column, all } = work;
        let frames = envelope.len();
        column.fill(0.0);
        self.local.each(envelope, local, |t, values| {
            let length = values.first().copied().unwrap_or(0.0);
            let scale = if length < f64::MIN_POSITIVE { 1.0 } else { length };
            let places = all.iter_mut().skip(t).step_by(frames);
            places.zip(values).for_each(|(to, v)| *to = v / scale);
        });
        for (value, row) in column.iter_mut().zip(all.chunks_exact_mut(frames.max(1))) {
            *value = median(row);
        }
        self.choice.of(column)
    }

    /// Of each frame.
    pub(super) fn of_each(&self, envelope: &[f32], work: &mut TempoWork, mut take: impl FnMut(usize, f64)) {
        let TempoWork { local, column, .. } = work;
        self.local.each(envelope, local, |t, values| {
            let length = values.first().copied().unwrap_or(0.0);
            let scale = if length < f64::MIN_POSITIVE { 1.0 } else { length };
            column.iter_mut().zip(values).for_each(|(to, v)| *to = v / scale);
            take(t, self.choice.of(column));
        });
    }
}

/// A planned tempo in beats a minute, (1, 1) for the clip or (1, frames).
///
/// The lag of `argmax_l ln(1 + 1e6 a[l]) + ln prior(l)` with the tempogram `a`, its mean or median over time or one column of it. The prior is
/// `-((log2 bpm - log2 start_bpm) / std_bpm)^2 / 2`, or one of [`super::TempoPrior`]. Where nothing is heard it alone decides: silence
/// has the tempo nearest to `start_bpm`. Source: librosa 0.11 `feature.tempo`.
///
/// ```
/// use mgr_features::rhythm::TempoConfig;
/// // A click every 21 frames: 123.05 beats a minute.
/// let mut x = vec![0.0; 220_500];
/// (5000..220_500).step_by(21 * 512).for_each(|n| x[n] = 1.0);
/// let tempo = TempoConfig::default().plan(22_050)?;
/// assert!((tempo.of(&x)? - 60.0 * 22_050.0 / (21.0 * 512.0)).abs() < 1e-9);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tempo {
    strength: OnsetStrength,
    estimate: TempoEstimate,
    resolution: TempoResolution,
}

impl Tempo {
    /// The tempo of a clip, whatever the resolution, in f64.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn of(&self, samples: &[f32]) -> Result<f64, FeatureError> {
        let envelope = self.strength.process(samples)?;
        self.of_envelope(envelope.row(0).as_slice().unwrap_or(&[]))
    }

    /// The tempo of an onset strength that is there already, whatever the resolution, in f64.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] in frames, [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn of_envelope(&self, envelope: &[f32]) -> Result<f64, FeatureError> {
        on_envelope::checked(self, envelope)?;
        Ok(self.estimate.of_all(envelope, &mut self.estimate.work(envelope.len())?))
    }

    /// The tempos of a tempogram that is there already, (lags, frames), one for the mean of its columns or one each.
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for another number of lags than `ac_size` has, [`FeatureError::TooShort`] for no columns,
    /// [`FeatureError::NotFinite`].
    pub fn of_tempogram(&self, tempogram: ArrayView2<'_, f32>) -> Result<Vec<f64>, FeatureError> {
        let ((got_rows, columns), rows) = (tempogram.dim(), self.estimate.local.lags());
        if got_rows != rows {
            let what = "tempogram";
            return Err(FeatureError::Shape { what, got_rows, got_columns: columns, rows, columns });
        }
        if columns == 0 {
            return Err(FeatureError::TooShort { got: 0, needed: 1 });
        }
        if let Some((index, value)) =
            tempogram.t().into_iter().copied().enumerate().find(|(_, v)| !v.is_finite())
        {
            return Err(FeatureError::NotFinite { index, value });
        }
        Ok(match self.resolution {
            TempoResolution::Clip => {
                let mean = |row: ndarray::ArrayView1<'_, f32>| {
                    row.iter().map(|v| f64::from(*v)).sum::<f64>() / columns as f64
                };
                let column: Vec<f64> = tempogram.rows().into_iter().map(mean).collect();
                vec![self.estimate.choice.of(&column)]
            }
            TempoResolution::ClipMedian => {
                let middle = |row: ndarray::ArrayView1<'_, f32>| {
                    median(&mut row.iter().map(|v| f64::from(*v)).collect::<Vec<f64>>())
                };
                let column: Vec<f64> = tempogram.rows().into_iter().map(middle).collect();
                vec![self.estimate.choice.of(&column)]
            }
            TempoResolution::Frame => {
                let wide = |column: ndarray::ArrayView1<'_, f32>| {
                    column.iter().map(|v| f64::from(*v)).collect::<Vec<f64>>()
                };
                tempogram.columns().into_iter().map(|column| self.estimate.choice.of(&wide(column))).collect()
            }
        })
    }

    fn described(&self, rows: usize, columns: usize, samples: usize) -> Layout {
        let mel = self.strength.mel();
        let column_axis = match self.resolution {
            TempoResolution::Frame => time_axis(mel.stft(), mel.sample_rate()),
            TempoResolution::Clip | TempoResolution::ClipMedian => {
                let seconds = samples as f64 / f64::from(mel.sample_rate());
                Axis::Time { start_s: seconds / 2.0, step_s: seconds }
            }
        };
        let row_axis = Axis::Name { names: vec!["tempo_bpm".to_owned()] };
        Layout { rows, columns, row_axis, column_axis, unit: Unit::BeatsPerMinute }
    }
}

impl OnEnvelope for Tempo {
    type Work = TempoWork;
    const NAME: &'static str = "tempo";

    fn strength(&self) -> &OnsetStrength {
        &self.strength
    }

    fn shape(&self, frames: usize) -> Result<(usize, usize), usize> {
        let columns = self.estimate.local.columns(frames)?;
        Ok((1, if self.resolution == TempoResolution::Frame { columns } else { 1 }))
    }

    fn work(&self, frames: usize) -> Result<TempoWork, FeatureError> {
        self.estimate.work(frames)
    }

    fn holds(&self, work: &TempoWork, frames: usize) -> bool {
        self.estimate.holds(work, frames)
    }

    fn write(&self, envelope: &[f32], mut out: ArrayViewMut2<'_, f32>, work: &mut TempoWork) {
        match self.resolution {
            TempoResolution::Clip | TempoResolution::ClipMedian => {
                out.fill(self.estimate.of_all(envelope, work) as f32)
            }
            TempoResolution::Frame => {
                self.estimate.of_each(envelope, work, |t, bpm| out[[0, t]] = bpm as f32)
            }
        }
    }
}

on_envelope!(Tempo, TempoScratch, "tempo", "a tempo is known when the signal has ended");
