//! Beat tracking.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::beat_program::{BeatProgram, BeatWork, Periods, period_of};
use super::events::Events;
use super::on_envelope::{self, OnEnvelope, on_envelope, one_row};
use super::onset_strength::{OnsetStrength, OnsetStrengthConfig};
use super::prior::TempoSearch;
use super::tempo::{TempoEstimate, TempoResolution, TempoWork};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::spectrogram::time_axis;
use crate::{ColumnStream, FeatureError, check};

/// Where the tempo of beats comes from.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeatTempo {
    /// Estimated for the whole clip: the default.
    #[default]
    Clip,
    /// Estimated for each frame.
    Frame,
    /// Known, in beats a minute.
    Bpm(f64),
}

/// Parameters of [`BeatTrack`]. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BeatTrackConfig {
    /// The onset strength, of one row. Default: the median of the bands.
    pub strength: OnsetStrengthConfig,
    /// How a tempo is estimated.
    pub search: TempoSearch,
    /// Where the tempo comes from. Default: estimated for the clip.
    pub tempo: BeatTempo,
    /// How closely beats keep to the tempo, over 0. Default 100.
    pub tightness: f64,
    /// Whether weak beats at both ends are taken away. Default yes.
    pub trim: bool,
}

impl Default for BeatTrackConfig {
    fn default() -> Self {
        Self {
            strength: OnsetStrengthConfig::median(),
            search: TempoSearch::default(),
            tempo: BeatTempo::default(),
            tightness: 100.0,
            trim: true,
        }
    }
}

impl BeatTrackConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a tempo at which a beat is under half a frame or over 2^16 frames, a tightness that is not over
    /// 0, and all that [`super::TempoConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<BeatTrack, FeatureError> {
        check::within("tightness", self.tightness, f64::MIN_POSITIVE, f64::MAX)?;
        let strength = one_row(self.strength.plan(sample_rate)?)?;
        let estimate = TempoEstimate::new(&self.search, &strength, TempoResolution::Clip)?;
        if let BeatTempo::Bpm(bpm) = self.tempo {
            checked_period(bpm, strength.frame_rate())?;
        }
        let program = BeatProgram { tightness: self.tightness, trim: self.trim };
        Ok(BeatTrack { strength, estimate, tempo: self.tempo, program })
    }
}

/// Frames in a beat.
fn checked_period(bpm: f64, frame_rate: f64) -> Result<usize, FeatureError> {
    const LONGEST: f64 = (1 << 16) as f64;
    // Half a frame rounds down to none.
    check::within("bpm", bpm, 60.0 * frame_rate / LONGEST, (120.0 * frame_rate).next_down())?;
    Ok(period_of(bpm, frame_rate))
}

/// Beats with the tempo that they were tracked by.
#[derive(Debug, Clone, PartialEq)]
pub struct Beats {
    /// Beats a minute: one value, or one for each frame. 0 where there is no beat because the onset strength never changes.
    pub bpm: Vec<f64>,
    /// The beats.
    pub events: Events,
}

/// Planned beats: as a list with the tempo ([`BeatTrack::track`]), or as a row (1, frames) with a 1 at each and 0 elsewhere.
///
/// The onset strength is divided by its standard deviation and smoothed by a bell curve `exp(-(32 i / P)^2 / 2)` with the period `P` of
/// the tempo in frames; the beats are the chain with the largest sum of those scores less
/// `tightness (ln d - ln P)^2` for each distance `d` from `P / 2` to `2 P`. It ends at the last local maximum of at least half their
/// median. At both ends beats of less than half the root mean square of all are taken away.
///
/// Silence and an onset strength that never changes have no beats. Source: Ellis, "Beat tracking by dynamic programming", J. New Music
/// Research 36(1), 2007; librosa 0.11 `beat.beat_track`; the row is its `sparse=False`.
///
/// ```
/// use mgr_features::rhythm::BeatTrackConfig;
/// // A click every 21 frames.
/// let mut x = vec![0.0; 220_500];
/// (5120..220_500).step_by(21 * 512).for_each(|n| x[n] = 1.0);
/// let beats = BeatTrackConfig::default().plan(22_050)?.track(&x)?;
/// assert!((beats.bpm[0] - 123.047).abs() < 1e-3);
/// assert!(beats.events.frames().windows(2).all(|pair| pair[1] - pair[0] == 21));
/// // The first click is weaker than the others together make it likely, and is trimmed.
/// assert!((beats.events.times().next().unwrap() - 0.743).abs() < 0.05);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BeatTrack {
    strength: OnsetStrength,
    estimate: TempoEstimate,
    tempo: BeatTempo,
    program: BeatProgram,
}

/// Buffers of the tempo and of the beats.
#[derive(Debug, Clone)]
pub(super) struct TrackWork {
    tempo: TempoWork,
    program: BeatWork,
    periods: Vec<usize>,
}

impl BeatTrack {
    /// The beats of a signal.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn track(&self, samples: &[f32]) -> Result<Beats, FeatureError> {
        let envelope = self.strength.process(samples)?;
        self.track_envelope(envelope.row(0).as_slice().unwrap_or(&[]))
    }

    /// The beats of an onset strength that is there already.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] for none, [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn track_envelope(&self, envelope: &[f32]) -> Result<Beats, FeatureError> {
        on_envelope::checked(self, envelope)?;
        let mut work = self.work(envelope.len())?;
        let mut bpm = Vec::new();
        let chosen = self.run(envelope, &mut work, |tempo| bpm.push(tempo));
        let events = self.events(chosen);
        if bpm.is_empty() {
            bpm.push(0.0);
        }
        Ok(Beats { bpm, events })
    }

    /// The beats of an onset strength by a tempo that is known for each frame, in beats a minute.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a tempo as [`BeatTrackConfig::plan`] refuses it, [`FeatureError::Shape`] for another number of
    /// tempos than of frames, and those of [`BeatTrack::track_envelope`].
    pub fn track_envelope_by(&self, envelope: &[f32], bpm: &[f64]) -> Result<Beats, FeatureError> {
        on_envelope::checked(self, envelope)?;
        if bpm.len() != envelope.len() {
            let (rows, columns) = (1, envelope.len());
            return Err(FeatureError::Shape {
                what: "tempos",
                got_rows: 1,
                got_columns: bpm.len(),
                rows,
                columns,
            });
        }
        let rate = self.strength.frame_rate();
        let periods: Result<Vec<usize>, FeatureError> =
            bpm.iter().map(|bpm| checked_period(*bpm, rate)).collect();
        let periods = periods?;
        let longest = periods.iter().copied().max().unwrap_or(1);
        let mut work = BeatWork::new(envelope.len(), longest)?;
        let chosen = self.program.run(envelope, Periods::Each(&periods), &mut work);
        let events = self.events(chosen);
        let bpm = if changes(envelope) { bpm.to_vec() } else { vec![0.0] };
        Ok(Beats { bpm, events })
    }

    fn events(&self, chosen: &[bool]) -> Events {
        let frames = chosen.iter().enumerate().filter(|(_, beat)| **beat).map(|(t, _)| t).collect();
        Events::new(frames, self.strength.framing().hop_length(), self.strength.mel().sample_rate())
    }

    /// The longest period that can come up.
    fn longest(&self) -> usize {
        match self.tempo {
            BeatTempo::Clip | BeatTempo::Frame => self.estimate.longest(),
            BeatTempo::Bpm(bpm) => period_of(bpm, self.strength.frame_rate()),
        }
    }

    /// Tracks, and gives `take` the tempo, or that of each frame; none where the envelope never changes.
    fn run<'w>(&self, envelope: &[f32], work: &'w mut TrackWork, mut take: impl FnMut(f64)) -> &'w [bool] {
        let TrackWork { tempo, program, periods } = work;
        let rate = self.strength.frame_rate();
        if !changes(envelope) {
            return self.program.run(&envelope[..0], Periods::Same(1), program);
        }
        let periods = match self.tempo {
            BeatTempo::Clip => {
                let bpm = self.estimate.of_all(envelope, tempo);
                take(bpm);
                Periods::Same(period_of(bpm, rate))
            }
            BeatTempo::Bpm(bpm) => {
                take(bpm);
                Periods::Same(period_of(bpm, rate))
            }
            BeatTempo::Frame => {
                self.estimate.of_each(envelope, tempo, |t, bpm| {
                    take(bpm);
                    periods[t] = period_of(bpm, rate);
                });
                Periods::Each(&periods[..envelope.len()])
            }
        };
        self.program.run(envelope, periods, program)
    }

    fn described(&self, rows: usize, columns: usize, _samples: usize) -> Layout {
        let mel = self.strength.mel();
        let row_axis = Axis::Name { names: vec!["beat".to_owned()] };
        let column_axis = time_axis(mel.stft(), mel.sample_rate());
        Layout { rows, columns, row_axis, column_axis, unit: Unit::Ratio }
    }
}

/// Whether an envelope is not the same everywhere.
fn changes(envelope: &[f32]) -> bool {
    envelope.iter().any(|v| Some(v) != envelope.first())
}

impl OnEnvelope for BeatTrack {
    type Work = TrackWork;
    const NAME: &'static str = "beat_track";

    fn strength(&self) -> &OnsetStrength {
        &self.strength
    }

    fn shape(&self, frames: usize) -> Result<(usize, usize), usize> {
        Ok((1, frames))
    }

    fn work(&self, frames: usize) -> Result<TrackWork, FeatureError> {
        Ok(TrackWork {
            tempo: self.estimate.work(frames)?,
            program: BeatWork::new(frames, self.longest())?,
            periods: check::vector(1, frames)?,
        })
    }

    fn holds(&self, work: &TrackWork, frames: usize) -> bool {
        self.estimate.holds(&work.tempo, frames)
            && work.program.holds(frames, self.longest())
            && work.periods.len() >= frames
    }

    fn write(&self, envelope: &[f32], mut out: ArrayViewMut2<'_, f32>, work: &mut TrackWork) {
        out.fill(0.0);
        let chosen = self.run(envelope, work, |_| {});
        out.iter_mut().zip(chosen).for_each(|(to, beat)| *to = f32::from(u8::from(*beat)));
    }
}

on_envelope!(
    BeatTrack,
    BeatTrackScratch,
    "beat_track",
    "the best chain of beats is known when the signal has ended"
);
