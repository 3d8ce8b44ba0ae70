//! Gain and polarity.

use serde::{Deserialize, Serialize};

use super::{AugmentError, Augmentation, Draw, MAX_DB, Outcome, Random, Step, Values, amplitude, check_rate};

const GAIN: &str = "gain";
const POLARITY: &str = "polarity_inversion";

/// Gain: `y[n] = 10^(g / 20) x[n]`, rounded once. The result may exceed full scale and is not clipped.
///
/// Logged: `gain_db`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GainConfig {
    /// Gain in dB, -120 to 120. Default uniform from -12 to 12.
    pub gain_db: Draw,
    /// Probability that the step is applied, 0 to 1. Default 1.
    pub probability: f64,
}

impl Default for GainConfig {
    fn default() -> Self {
        Self { gain_db: Draw::Uniform(-12.0, 12.0), probability: 1.0 }
    }
}

impl GainConfig {
    /// Checks the range.
    ///
    /// # Errors
    /// [`AugmentError::Config`] for a gain or probability outside its range, or a rate outside 100 to 1,000,000 Hz.
    pub fn plan(&self, sample_rate: u32) -> Result<Step, AugmentError> {
        check_rate(sample_rate)?;
        self.gain_db.check("gain_db", -MAX_DB, MAX_DB)?;
        Step::new(Gain { gain_db: self.gain_db.clone() }, self.probability)
    }
}

#[derive(Debug)]
struct Gain {
    gain_db: Draw,
}

impl Augmentation for Gain {
    fn name(&self) -> &'static str {
        GAIN
    }

    fn draw(&self, _samples: usize, random: &mut Random) -> Values {
        Values::new().with_number("gain_db", self.gain_db.draw(random))
    }

    fn apply(&self, samples: &mut Vec<f32>, values: &Values) -> Result<Outcome, AugmentError> {
        let factor = amplitude(values.number(GAIN, "gain_db", -MAX_DB, MAX_DB)?);
        for sample in samples.iter_mut() {
            *sample = (f64::from(*sample) * factor) as f32;
        }
        Ok(Outcome::Applied)
    }
}

/// Polarity inversion: `y[n] = -x[n]`. Nothing is drawn but whether it is applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolarityInversionConfig {
    /// Probability that the step is applied, 0 to 1. Default 0.5.
    pub probability: f64,
}

impl Default for PolarityInversionConfig {
    fn default() -> Self {
        Self { probability: 0.5 }
    }
}

impl PolarityInversionConfig {
    /// Checks the probability.
    ///
    /// # Errors
    /// [`AugmentError::Config`] for a probability outside 0 to 1, or a rate outside 100 to 1,000,000 Hz.
    pub fn plan(&self, sample_rate: u32) -> Result<Step, AugmentError> {
        check_rate(sample_rate)?;
        Step::new(PolarityInversion, self.probability)
    }
}

#[derive(Debug)]
struct PolarityInversion;

impl Augmentation for PolarityInversion {
    fn name(&self) -> &'static str {
        POLARITY
    }

    fn draw(&self, _samples: usize, _random: &mut Random) -> Values {
        Values::new()
    }

    fn apply(&self, samples: &mut Vec<f32>, _values: &Values) -> Result<Outcome, AugmentError> {
        for sample in samples.iter_mut() {
            *sample = -*sample;
        }
        Ok(Outcome::Applied)
    }
}
