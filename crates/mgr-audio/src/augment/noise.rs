//! White noise.

use serde::{Deserialize, Serialize};

use super::{
    AugmentError, Augmentation, Draw, MAX_DB, Outcome, Random, Step, Values, add_scaled, check_rate, energy,
    snr_scale,
};

const NAME: &str = "white_noise";
/// Largest standard deviation; full scale is 1.
const MAX_AMPLITUDE: f64 = 1000.0;

/// How loud noise is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseLevel {
    /// Standard deviation of the noise, 0 to 1000, where full scale is 1.
    Amplitude(Draw),
    /// Signal-to-noise ratio over the clip in dB, -120 to 120.
    SnrDb(Draw),
}

/// White Gaussian noise: `y[n] = x[n] + a N(0, 1)`.
///
/// By amplitude, `a` is the drawn value. By signal-to-noise ratio `s` it is `sqrt(sum x^2 / sum g^2) / 10^(s / 20)` with the
/// drawn noise `g`, so that the ratio of this clip is `s` and not only its expectation; a silent clip (all samples 0) then stays
/// as it is and is logged as [`Outcome::Silent`]. A constant offset of the clip counts as signal. The result may exceed full
/// scale and is not clipped. Ratios above some 90 dB suffer from the rounding of `f32` samples.
///
/// Logged: `amplitude` or `snr_db`, and `noise_seed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WhiteNoiseConfig {
    /// How loud the noise is. Default: amplitude 0.0025, that of the GTZAN-8 study (Choi, KAIST GCT634, 2020).
    pub level: NoiseLevel,
    /// Probability that the step is applied, 0 to 1. Default 1.
    pub probability: f64,
}

impl Default for WhiteNoiseConfig {
    fn default() -> Self {
        Self { level: NoiseLevel::Amplitude(Draw::Fixed(0.0025)), probability: 1.0 }
    }
}

impl WhiteNoiseConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`AugmentError::Config`] for a level or probability outside its range, or a rate outside 100 to 1,000,000 Hz.
    pub fn plan(&self, sample_rate: u32) -> Result<Step, AugmentError> {
        check_rate(sample_rate)?;
        match &self.level {
            NoiseLevel::Amplitude(draw) => draw.check("amplitude", 0.0, MAX_AMPLITUDE)?,
            NoiseLevel::SnrDb(draw) => draw.check("snr_db", -MAX_DB, MAX_DB)?,
        }
        Step::new(WhiteNoise { level: self.level.clone() }, self.probability)
    }
}

#[derive(Debug)]
struct WhiteNoise {
    level: NoiseLevel,
}

impl Augmentation for WhiteNoise {
    fn name(&self) -> &'static str {
        NAME
    }

    fn draw(&self, _samples: usize, random: &mut Random) -> Values {
        let values = match &self.level {
            NoiseLevel::Amplitude(draw) => Values::new().with_number("amplitude", draw.draw(random)),
            NoiseLevel::SnrDb(draw) => Values::new().with_number("snr_db", draw.draw(random)),
        };
        values.with_integer("noise_seed", random.seed() as i64)
    }

    fn apply(&self, samples: &mut Vec<f32>, values: &Values) -> Result<Outcome, AugmentError> {
        let seed = values.integer(NAME, "noise_seed", 0, i64::MAX)?;
        let mut random = Random::new(seed as u64);
        if values.get("snr_db").is_none() {
            let amplitude = values.number(NAME, "amplitude", 0.0, MAX_AMPLITUDE)?;
            for sample in samples.iter_mut() {
                *sample = (f64::from(*sample) + amplitude * random.normal()) as f32;
            }
            return Ok(Outcome::Applied);
        }
        let snr_db = values.number(NAME, "snr_db", -MAX_DB, MAX_DB)?;
        let signal = energy(samples);
        if signal == 0.0 {
            return Ok(Outcome::Silent);
        }
        let noise: Vec<f32> = samples.iter().map(|_| random.normal() as f32).collect();
        let Some(scale) = snr_scale(signal, energy(&noise), snr_db) else { return Ok(Outcome::Silent) };
        add_scaled(samples, noise.iter().copied(), scale);
        Ok(Outcome::Applied)
    }
}
