//! Speed and pitch as steps of a chain, by the effects of `mgr-features`.

use mgr_audio::augment::{AugmentError, Augmentation, Draw, Outcome, Random, Step, Values};
use mgr_audio::{MAX_SAMPLE_RATE, MIN_SAMPLE_RATE};
use mgr_features::FeatureError;
use mgr_features::effects::{PitchShiftConfig, TimeStretchConfig};
use mgr_features::stft::StftConfig;
use serde::{Deserialize, Serialize};

const TIME_STRETCH: &str = "time_stretch";
const PITCH_SHIFT: &str = "pitch_shift";
/// Slowest and fastest speed.
const RATES: (f64, f64) = (1.0 / 64.0, 64.0);
/// Octaves up or down.
const MAX_OCTAVES: f64 = 6.0;
const MAX_BINS_PER_OCTAVE: u32 = 1200;

/// Another speed at the same pitch, by a phase vocoder: [`TimeStretch`](mgr_features::effects::TimeStretch), librosa's
/// `effects.time_stretch`. A clip of `n` samples becomes one of `round(n / rate)`.
///
/// Logged: `rate`, `n_fft`, `hop_length`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeStretchStepConfig {
    /// Speed: 2 is twice as fast, half as long. 1/64 to 64. Default log-uniform from 0.8 to 1.25.
    pub rate: Draw,
    /// Samples of a frame. Default 2048, as librosa's.
    pub n_fft: usize,
    /// Samples between frames. Default 512, as librosa's.
    pub hop_length: usize,
    /// Probability that the step is applied, 0 to 1. Default 1.
    pub probability: f64,
}

impl Default for TimeStretchStepConfig {
    fn default() -> Self {
        Self { rate: Draw::LogUniform(0.8, 1.25), n_fft: 2048, hop_length: 512, probability: 1.0 }
    }
}

impl TimeStretchStepConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`AugmentError::Config`] for a field outside its range or a rate outside 100 to 1,000,000 Hz, [`AugmentError::Step`] for a
    /// transform that cannot be planned.
    pub fn plan(&self, sample_rate: u32) -> Result<Step, AugmentError> {
        check_rate(sample_rate)?;
        self.rate.check("rate", RATES.0, RATES.1)?;
        let stft = Transform { n_fft: self.n_fft, hop_length: self.hop_length };
        stft.stretch(1.0).plan().map_err(failed(TIME_STRETCH))?;
        Step::new(TimeStretch { rate: self.rate.clone(), stft }, self.probability)
    }
}

/// Another pitch at the same speed: [`PitchShift`](mgr_features::effects::PitchShift), librosa's `effects.pitch_shift`. The clip keeps
/// its length.
///
/// Logged: `n_steps`, `bins_per_octave`, `n_fft`, `hop_length`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PitchShiftStepConfig {
    /// Steps up, or down where negative; at most 6 octaves. Default uniform from -4 to 4.
    pub n_steps: Draw,
    /// Steps of an octave, 1 to 1,200. Default 12: semitones.
    pub bins_per_octave: u32,
    /// Samples of a frame. Default 2048, as librosa's.
    pub n_fft: usize,
    /// Samples between frames. Default 512, as librosa's.
    pub hop_length: usize,
    /// Probability that the step is applied, 0 to 1. Default 1.
    pub probability: f64,
}

impl Default for PitchShiftStepConfig {
    fn default() -> Self {
        Self {
            n_steps: Draw::Uniform(-4.0, 4.0),
            bins_per_octave: 12,
            n_fft: 2048,
            hop_length: 512,
            probability: 1.0,
        }
    }
}

impl PitchShiftStepConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`AugmentError::Config`] for a field outside its range or a rate outside 100 to 1,000,000 Hz, [`AugmentError::Step`] for a
    /// transform that cannot be planned.
    pub fn plan(&self, sample_rate: u32) -> Result<Step, AugmentError> {
        check_rate(sample_rate)?;
        if !(1..=MAX_BINS_PER_OCTAVE).contains(&self.bins_per_octave) {
            let allowed = format!("1 to {MAX_BINS_PER_OCTAVE}");
            return Err(AugmentError::config("bins_per_octave", self.bins_per_octave, allowed));
        }
        let limit = MAX_OCTAVES * f64::from(self.bins_per_octave);
        self.n_steps.check("n_steps", -limit, limit)?;
        let stft = Transform { n_fft: self.n_fft, hop_length: self.hop_length };
        stft.stretch(1.0).plan().map_err(failed(PITCH_SHIFT))?;
        let bins_per_octave = self.bins_per_octave;
        Step::new(PitchShift { n_steps: self.n_steps.clone(), bins_per_octave, stft }, self.probability)
    }
}

/// The sample rate changes neither effect; it is checked as in every other step.
fn check_rate(sample_rate: u32) -> Result<(), AugmentError> {
    if (MIN_SAMPLE_RATE..=MAX_SAMPLE_RATE).contains(&sample_rate) {
        return Ok(());
    }
    Err(AugmentError::config("sample_rate", sample_rate, format!("{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}")))
}

fn failed(step: &'static str) -> impl FnOnce(FeatureError) -> AugmentError {
    move |source| AugmentError::Step { step, source: Box::new(source) }
}

/// Frames of the short-time Fourier transform; all else is librosa's default.
#[derive(Debug, Clone, Copy)]
struct Transform {
    n_fft: usize,
    hop_length: usize,
}

impl Transform {
    fn config(self) -> StftConfig {
        StftConfig { n_fft: self.n_fft, hop_length: self.hop_length, ..StftConfig::default() }
    }

    fn stretch(self, rate: f64) -> TimeStretchConfig {
        TimeStretchConfig { rate, stft: self.config() }
    }

    fn log(self, values: Values) -> Values {
        values.with_integer("n_fft", self.n_fft as i64).with_integer("hop_length", self.hop_length as i64)
    }

    fn read(step: &str, values: &Values) -> Result<Self, AugmentError> {
        let length = |name| Ok(values.integer(step, name, 0, i64::MAX)? as usize);
        Ok(Self { n_fft: length("n_fft")?, hop_length: length("hop_length")? })
    }
}

#[derive(Debug)]
struct TimeStretch {
    rate: Draw,
    stft: Transform,
}

impl Augmentation for TimeStretch {
    fn name(&self) -> &'static str {
        TIME_STRETCH
    }

    fn draw(&self, _samples: usize, random: &mut Random) -> Values {
        self.stft.log(Values::new().with_number("rate", self.rate.draw(random)))
    }

    fn apply(&self, samples: &mut Vec<f32>, values: &Values) -> Result<Outcome, AugmentError> {
        let rate = values.number(TIME_STRETCH, "rate", RATES.0, RATES.1)?;
        let stretch = Transform::read(TIME_STRETCH, values)?.stretch(rate).plan();
        *samples = stretch.and_then(|s| s.process(samples)).map_err(failed(TIME_STRETCH))?;
        Ok(Outcome::Applied)
    }
}

#[derive(Debug)]
struct PitchShift {
    n_steps: Draw,
    bins_per_octave: u32,
    stft: Transform,
}

impl Augmentation for PitchShift {
    fn name(&self) -> &'static str {
        PITCH_SHIFT
    }

    fn draw(&self, _samples: usize, random: &mut Random) -> Values {
        let values = Values::new()
            .with_number("n_steps", self.n_steps.draw(random))
            .with_integer("bins_per_octave", i64::from(self.bins_per_octave));
        self.stft.log(values)
    }

    fn apply(&self, samples: &mut Vec<f32>, values: &Values) -> Result<Outcome, AugmentError> {
        let bins = values.integer(PITCH_SHIFT, "bins_per_octave", 1, i64::from(MAX_BINS_PER_OCTAVE))? as u32;
        let limit = MAX_OCTAVES * f64::from(bins);
        let n_steps = values.number(PITCH_SHIFT, "n_steps", -limit, limit)?;
        let stft = Transform::read(PITCH_SHIFT, values)?.config();
        let shift = PitchShiftConfig { n_steps, bins_per_octave: bins, stft }.plan();
        *samples = shift.and_then(|s| s.process(samples)).map_err(failed(PITCH_SHIFT))?;
        Ok(Outcome::Applied)
    }
}
