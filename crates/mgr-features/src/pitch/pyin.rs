//! Probabilistic YIN: the fundamental frequency of each frame, and whether it has one, by the likeliest path through all frames.

use std::sync::Arc;

use ndarray::{Array2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::candidates::{Prior, PriorScratch};
use super::difference::{Difference, DifferenceScratch, Range, shift};
use super::viterbi::{Model, Trellis, log_probability, log_zero};
use super::yin::{C2, C7};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::frame::{Centering, Framing, Padding, Span};
use crate::spectrogram::framed_time_axis;
use crate::{ColumnStream, FeatureError, check};

/// What stands for the frequency of a frame without pitch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unvoiced {
    /// This value, finite. Default 0; the reference has NaN, which a feature matrix must not hold.
    Value(f32),
    /// The frequency of the state that the path goes through: a guess.
    BestGuess,
}

impl Default for Unvoiced {
    fn default() -> Self {
        Self::Value(0.0)
    }
}

/// Parameters of [`Pyin`]. Defaults are librosa's, which has none for the frequencies but recommends these, and NaN for frames
/// without pitch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PyinConfig {
    /// Lowest frequency in Hz, over 0; its period is shorter than a frame by two samples or more. Default 65.4 (C2).
    ///
    /// The reference advises two periods to a frame, as does good sense.
    pub f_min: f64,
    /// Highest frequency in Hz, over `f_min`, at most half the sampling rate. Default 2093.0 (C7).
    pub f_max: f64,
    /// Samples in a frame, 1 to 2^24. Default 2048.
    pub frame_length: usize,
    /// Samples from one frame to the next, 1 to 2^24. Default 512.
    pub hop_length: usize,
    /// Thresholds between 0 and 1 that are tried on the normalised difference, 1 to 10000. Default 100.
    pub n_thresholds: usize,
    /// Shapes of the beta distribution of the thresholds, 1e-3 to 1e6. Default 2 and 18, whose mean is 0.1.
    pub beta_parameters: [f64; 2],
    /// How steeply longer periods under the same threshold become less likely, 1e-6 to 1e6. Default 2.
    pub boltzmann_parameter: f64,
    /// Distance of the pitches in semitones, 1e-3 to 1; a whole number of them makes a semitone, rounded up. Default 0.1.
    pub resolution: f64,
    /// How fast pitch may change, in octaves a second, 0 or more; from frame to frame at most half as far as from `f_min` to
    /// `f_max`. Default 35.92.
    pub max_transition_rate: f64,
    /// Probability that a frame is voiced where the one before was not, or the other way round, 0 to 1. Default 0.01.
    pub switch_prob: f64,
    /// Share of the thresholds under all troughs that is given to the deepest trough all the same, 0 to 1. Default 0.01.
    pub no_trough_prob: f64,
    /// What stands for the frequency of a frame without pitch.
    pub unvoiced: Unvoiced,
    /// Centred frames (default) or frames that start at multiples of the hop.
    pub centering: Centering,
    /// What centred frames see beyond the ends. Default zeros.
    pub padding: Padding,
}

impl Default for PyinConfig {
    fn default() -> Self {
        Self {
            f_min: C2,
            f_max: C7,
            frame_length: 2048,
            hop_length: 512,
            n_thresholds: 100,
            beta_parameters: [2.0, 18.0],
            boltzmann_parameter: 2.0,
            resolution: 0.1,
            max_transition_rate: 35.92,
            switch_prob: 0.01,
            no_trough_prob: 0.01,
            unvoiced: Unvoiced::default(),
            centering: Centering::default(),
            padding: Padding::default(),
        }
    }
}

impl PyinConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0, values out of range, pitches of which there are fewer than two or
    /// more than 32768, and a `max_transition_rate` that would carry pitch beyond all of them.
    pub fn plan(&self, sample_rate: u32) -> Result<Pyin, FeatureError> {
        const MOST_THRESHOLDS: usize = 10_000;
        let framing = Framing::new(self.frame_length, self.hop_length, self.centering, self.padding)?;
        if !(1..=MOST_THRESHOLDS).contains(&self.n_thresholds) {
            let allowed = format!("1 to {MOST_THRESHOLDS}");
            return Err(FeatureError::parameter("n_thresholds", self.n_thresholds, allowed));
        }
        for shape in self.beta_parameters {
            check::within("beta_parameters", shape, 1e-3, 1e6)?;
        }
        check::within("boltzmann_parameter", self.boltzmann_parameter, 1e-6, 1e6)?;
        check::within("resolution", self.resolution, 1e-3, 1.0)?;
        check::within("max_transition_rate", self.max_transition_rate, 0.0, f64::MAX)?;
        check::within("switch_prob", self.switch_prob, 0.0, 1.0)?;
        check::within("no_trough_prob", self.no_trough_prob, 0.0, 1.0)?;
        if let Unvoiced::Value(value) = self.unvoiced {
            check::within("unvoiced", f64::from(value), f64::from(f32::MIN), f64::from(f32::MAX))?;
        }
        let difference =
            Difference::new(Range { f_min: self.f_min, f_max: self.f_max, sample_rate }, framing)?;

        let per_semitone = (1.0 / self.resolution).ceil();
        let per_octave = 12.0 * per_semitone;
        let bins = (per_octave * (self.f_max / self.f_min).log2()).floor() as usize + 1;
        if !(2..=Model::MOST_BINS).contains(&bins) {
            let allowed =
                format!("such that f_min to f_max has 2 to {} pitches, not {bins}", Model::MOST_BINS);
            return Err(FeatureError::parameter("resolution", self.resolution, allowed));
        }
        let semitones = (self.max_transition_rate * 12.0 * self.hop_length as f64 / f64::from(sample_rate))
            .round_ties_even();
        let width = semitones * per_semitone + 1.0;
        if width > bins as f64 {
            let allowed = format!(
                "such that {semitones} semitones a frame are fewer pitches than the {bins} there are"
            );
            return Err(FeatureError::parameter("max_transition_rate", self.max_transition_rate, allowed));
        }
        let model = Model::new(bins, width as usize, self.switch_prob);
        let prior = Prior::new(
            self.n_thresholds,
            self.beta_parameters,
            self.boltzmann_parameter,
            self.no_trough_prob,
            difference.periods(),
        );
        let frequencies = (0..bins).map(|i| (self.f_min * (i as f64 / per_octave).exp2()) as f32).collect();
        let (f_min, unvoiced) = (self.f_min, self.unvoiced);
        Ok(Pyin(Arc::new(Inner {
            difference,
            prior,
            model,
            frequencies,
            per_octave,
            f_min,
            unvoiced,
            sample_rate,
        })))
    }
}

/// A planned pYIN, (3, frames): the fundamental frequency in Hz, whether the frame is voiced (1) or not (0), and the probability
/// that it is.
///
/// The troughs of the normalised difference of a frame ([`super::yin`]) are its candidates; each is as probable as the thresholds
/// under which YIN would take it, whose distribution is a beta distribution. A hidden Markov model, of pitches in steps of
/// `resolution` semitones from `f_min` on, each voiced or not, finds the likeliest path through all frames (Viterbi). Pitches
/// hence are those of the steps. The probability is that of the candidates alone, before the path. Where a frame has no pitch its
/// frequency is [`PyinConfig::unvoiced`].
///
/// Source: Mauch, Dixon, "pYIN: a fundamental frequency estimator using probabilistic threshold distributions", ICASSP 2014;
/// librosa 0.11 `pyin`.
///
/// ```
/// use mgr_features::pitch::pyin::PyinConfig;
/// let pyin = PyinConfig::default().plan(22_050)?;
/// let sine: Vec<f32> = (0..22_050).map(|n| (n as f32 * 440.0 * std::f32::consts::TAU / 22_050.0).sin()).collect();
/// let track = pyin.process(&sine)?;
/// assert!(track.voiced[20] && track.voiced_probability[20] > 0.9);
/// assert!((track.f0[20] - 440.0).abs() < 0.5);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pyin(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    difference: Difference,
    prior: Prior,
    model: Model,
    /// Of the pitches, in Hz.
    frequencies: Vec<f32>,
    per_octave: f64,
    f_min: f64,
    unvoiced: Unvoiced,
    sample_rate: u32,
}

/// The pitch of a signal, one value a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct PitchTrack {
    /// Fundamental frequency in Hz; where a frame is not voiced [`PyinConfig::unvoiced`].
    pub f0: Vec<f32>,
    /// Whether the frame is voiced.
    pub voiced: Vec<bool>,
    /// Probability that it is, before its neighbours are looked at.
    pub voiced_probability: Vec<f32>,
}

/// Buffers for signals of up to one length; make one per thread with [`Pyin::scratch_for`] and use it again.
#[derive(Debug, Clone)]
pub struct PyinScratch {
    difference: DifferenceScratch,
    prior: PriorScratch,
    /// Of the pitches of a frame, the logarithms of their probabilities.
    voiced: Vec<f64>,
    /// The pitches that some candidate has, with their probabilities, from low to high.
    found: Vec<(usize, f64)>,
    /// None where memory did not suffice.
    trellis: Option<Trellis>,
}

impl Pyin {
    /// The framing rule.
    #[must_use]
    pub fn framing(&self) -> &Framing {
        self.0.difference.framing()
    }

    /// The frequencies that a frame can have, in Hz.
    #[must_use]
    pub fn frequencies(&self) -> &[f32] {
        &self.0.frequencies
    }

    /// Buffers for no signal; use [`Pyin::scratch_for`].
    #[must_use]
    pub fn scratch(&self) -> PyinScratch {
        self.scratch_of(0)
    }

    /// Buffers for [`Pyin::process_into`] and signals of up to `samples` samples.
    ///
    /// They hold two bytes a state and frame: 3 MB for 30 s with the defaults at 22.05 kHz. Where memory does not suffice they are
    /// refused when they are used.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> PyinScratch {
        self.scratch_of(self.framing().frames(samples).unwrap_or(0))
    }

    fn scratch_of(&self, frames: usize) -> PyinScratch {
        let Inner { difference, prior, model, frequencies, .. } = &*self.0;
        let prior = prior.scratch();
        PyinScratch {
            difference: difference.scratch(),
            voiced: vec![log_zero(); frequencies.len()],
            found: Vec::with_capacity(prior.troughs.capacity()),
            prior,
            trellis: model.trellis(frames).ok(),
        }
    }

    /// The pitch of a signal, allocated.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<PitchTrack, FeatureError> {
        let matrix = self.extract(samples)?;
        let row = |r: usize| matrix.row(r).to_vec();
        let voiced = matrix.row(1).iter().map(|v| *v > 0.0).collect();
        Ok(PitchTrack { f0: row(0), voiced, voiced_probability: row(2) })
    }

    /// The pitch of a signal into `out` of (3, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], and [`FeatureError::Scratch`] for a
    /// scratch of another plan or made for shorter signals.
    pub fn process_into(
        &self,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut PyinScratch,
    ) -> Result<(), FeatureError> {
        let Inner { difference, prior, model, frequencies, unvoiced, .. } = &*self.0;
        let frames = self.framing().frames(samples.len())?;
        let PyinScratch { difference: frame, prior: troughs, voiced, found, trellis } = scratch;
        let fitting = trellis.as_mut().filter(|trellis| model.fits(trellis, frames));
        let Some(trellis) = fitting.filter(|_| difference.fits(frame) && prior.fits(troughs)) else {
            return Err(FeatureError::Scratch { plan: "pyin" });
        };
        check::shape(&out, 3, frames)?;
        check::finite(samples)?;
        let span = Span::whole(samples);
        for t in 0..frames {
            difference.compute(t, span, frame);
            prior.weigh(&frame.values, troughs);
            self.pitches(&frame.values, troughs, found);
            let probability = found.iter().map(|(_, p)| p).sum::<f64>().clamp(0.0, 1.0);
            found.iter().for_each(|(bin, p)| voiced[*bin] = log_probability(*p));
            let rest = (1.0 - probability) / frequencies.len() as f64;
            model.step(t, voiced, log_probability(rest), trellis);
            found.iter().for_each(|(bin, _)| voiced[*bin] = log_zero());
            out[[2, t]] = probability as f32;
        }
        model.walk_back(frames, trellis, |t, state| {
            let is_voiced = state < frequencies.len();
            let frequency = frequencies[state % frequencies.len()];
            out[[0, t]] = match unvoiced {
                Unvoiced::Value(value) if !is_voiced => *value,
                _ => frequency,
            };
            out[[1, t]] = f32::from(u8::from(is_voiced));
        });
        Ok(())
    }

    /// The pitches of the candidates, from low to high. Of several with the same pitch that of the longest period counts, and one
    /// that is nearer to the pitch after the last than to the last does not, as in the reference.
    fn pitches(&self, values: &[f64], troughs: &PriorScratch, found: &mut Vec<(usize, f64)>) {
        let Inner { difference, frequencies, per_octave, f_min, sample_rate, .. } = &*self.0;
        found.clear();
        for trough in troughs.troughs.iter().rev().filter(|trough| trough.probability != 0.0) {
            let period = (difference.min_period() + trough.index) as f64 + shift(values, trough.index);
            let frequency = f64::from(*sample_rate) / period;
            let bin = (per_octave * (frequency / f_min).log2()).round_ties_even();
            let bin = bin.clamp(0.0, frequencies.len() as f64) as usize;
            if bin < frequencies.len() && found.last().is_none_or(|(last, _)| *last < bin) {
                found.push((bin, trough.probability));
            }
        }
    }
}

impl Extractor for Pyin {
    by_process_into!("pyin");

    fn frame_length(&self) -> usize {
        self.framing().frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        Ok(Layout {
            rows: 3,
            columns: self.framing().frames(samples)?,
            row_axis: Axis::Name {
                names: ["f0_hz", "voiced", "voiced_probability"].map(str::to_owned).to_vec(),
            },
            column_axis: framed_time_axis(self.framing(), self.0.sample_rate),
            unit: Unit::Mixed,
        })
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn extract(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        let frames = self.framing().frames(samples.len())?;
        let mut out = check::matrix(3, frames)?;
        check::finite(samples)?;
        let mut scratch = Self::scratch_for(self, samples.len());
        if scratch.trellis.is_none() {
            return Err(FeatureError::Memory { rows: 2 * self.0.frequencies.len(), columns: frames });
        }
        self.process_into(samples, out.view_mut(), &mut scratch)?;
        Ok(out)
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        let reason = "the likeliest path is known when the signal has ended";
        Err(FeatureError::NotStreamable { feature: "pyin", reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, length: usize) -> Vec<f32> {
        (0..length).map(|n| (n as f32 * hz * std::f32::consts::TAU / 22_050.0).sin() * 0.5).collect()
    }

    #[test]
    fn a_tone_between_silences_is_voiced_there() {
        let mut samples = vec![0.0; 60_000];
        samples[20_000..40_000].copy_from_slice(&tone(330.0, 20_000));
        let track = PyinConfig::default().plan(22_050).unwrap().process(&samples).unwrap();
        for t in 0..track.f0.len() {
            // Frames that see nothing but the tone, or nothing of it.
            let (from, to) = ((t * 512).saturating_sub(1024), t * 512 + 1024);
            if from >= 20_000 && to <= 40_000 {
                assert!(track.voiced[t] && track.voiced_probability[t] > 0.9, "{t}");
                // Half a step of a tenth of a semitone.
                assert!((12.0 * (track.f0[t] / 330.0).log2()).abs() <= 0.051, "{t}: {}", track.f0[t]);
            } else if to <= 20_000 || from >= 40_000 {
                assert!(!track.voiced[t] && track.f0[t] == 0.0 && track.voiced_probability[t] == 0.0, "{t}");
            }
        }
    }

    #[test]
    fn unvoiced_frames_are_filled_as_said() {
        let mut samples = vec![0.0; 30_000];
        samples[..10_000].copy_from_slice(&tone(500.0, 10_000));
        let with = |unvoiced| PyinConfig { unvoiced, ..PyinConfig::default() }.plan(22_050).unwrap();
        let filled = with(Unvoiced::Value(-1.0)).process(&samples).unwrap();
        let guessed = with(Unvoiced::BestGuess).process(&samples).unwrap();
        assert_eq!(filled.voiced, guessed.voiced);
        assert!(filled.voiced.iter().any(|v| *v) && filled.voiced.iter().any(|v| !v));
        for t in 0..filled.f0.len() {
            assert!(guessed.f0[t] > 60.0);
            assert_eq!(filled.f0[t], if filled.voiced[t] { guessed.f0[t] } else { -1.0 });
        }
    }

    #[test]
    fn a_scratch_for_a_shorter_signal_is_refused() {
        let pyin = PyinConfig::default().plan(22_050).unwrap();
        let samples = tone(440.0, 5000);
        let mut out = Array2::zeros((3, 10));
        let mut used = |length| pyin.process_into(&samples, out.view_mut(), &mut pyin.scratch_for(length));
        assert_eq!(used(4000), Err(FeatureError::Scratch { plan: "pyin" }));
        assert_eq!(used(9000), Ok(()));
    }

    #[test]
    fn a_path_that_could_leave_all_pitches_is_refused() {
        let config = PyinConfig { f_min: 200.0, f_max: 220.0, ..PyinConfig::default() };
        let error = config.plan(22_050).unwrap_err();
        assert!(matches!(error, FeatureError::Parameter { field: "max_transition_rate", .. }), "{error}");
        assert!(PyinConfig { max_transition_rate: 3.0, ..config }.plan(22_050).is_ok());
    }
}
