//! Fades at both ends of a clip.

use std::f64::consts::{FRAC_PI_2, PI};

use serde::{Deserialize, Serialize};

use super::{AugmentError, Augmentation, Draw, Outcome, Random, Step, Values, check_rate};

const NAME: &str = "fade";
/// Longest fade in seconds.
const MAX_FADE_S: f64 = 3600.0;

/// The course `g(t)` of a fade-in from `g(0) = 0` to `g(1) = 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FadeShape {
    /// `t`, the default.
    #[default]
    Linear,
    /// `sin(pi t / 2)`: with a fade-out beside it, constant power.
    QuarterSine,
    /// `(1 - cos(pi t)) / 2`: smooth at both ends.
    HalfSine,
    /// `t^2`: soft at first.
    Quadratic,
    /// `sqrt(t)`: loud at first; with a fade-out beside it, constant power.
    SquareRoot,
}

impl FadeShape {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Linear, "linear"),
        (Self::QuarterSine, "quarter_sine"),
        (Self::HalfSine, "half_sine"),
        (Self::Quadratic, "quadratic"),
        (Self::SquareRoot, "square_root"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(shape, _)| *shape == self).map_or("linear", |(_, name)| name)
    }

    fn from_name(name: &str) -> Result<Self, AugmentError> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name).map(|(shape, _)| *shape);
        found.ok_or_else(|| AugmentError::log(NAME, format!("shape is {name}, which is none")))
    }

    /// `g(t)`.
    fn gain(self, t: f64) -> f64 {
        match self {
            Self::Linear => t,
            Self::QuarterSine => libm::sin(FRAC_PI_2 * t),
            Self::HalfSine => 0.5 * (1.0 - libm::cos(PI * t)),
            Self::Quadratic => t * t,
            Self::SquareRoot => t.sqrt(),
        }
    }
}

/// Fade-in of `M` samples: sample `n < M` times `g(n / M)`, so that the first is 0; fade-out of `M` samples the same seen from the
/// end, so that the last is 0. Fades are at most as long as the clip; where both overlap their gains multiply. A drawn length
/// of 0 leaves that end alone.
///
/// Logged: `fade_in` and `fade_out` in samples, `shape`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FadeConfig {
    /// Seconds of the fade-in, 0 to 3600. Default uniform from 0 to 0.5.
    pub fade_in_s: Draw,
    /// Seconds of the fade-out, 0 to 3600. Default uniform from 0 to 0.5.
    pub fade_out_s: Draw,
    /// The course of both. Default linear.
    pub shape: FadeShape,
    /// Probability that the step is applied, 0 to 1. Default 1.
    pub probability: f64,
}

impl Default for FadeConfig {
    fn default() -> Self {
        let length = Draw::Uniform(0.0, 0.5);
        Self { fade_in_s: length.clone(), fade_out_s: length, shape: FadeShape::Linear, probability: 1.0 }
    }
}

impl FadeConfig {
    /// Checks the lengths.
    ///
    /// # Errors
    /// [`AugmentError::Config`] for a length or probability outside its range, or a rate outside 100 to 1,000,000 Hz.
    pub fn plan(&self, sample_rate: u32) -> Result<Step, AugmentError> {
        let sample_rate = check_rate(sample_rate)?;
        self.fade_in_s.check("fade_in_s", 0.0, MAX_FADE_S)?;
        self.fade_out_s.check("fade_out_s", 0.0, MAX_FADE_S)?;
        Step::new(Fade { config: self.clone(), sample_rate }, self.probability)
    }
}

#[derive(Debug)]
struct Fade {
    config: FadeConfig,
    sample_rate: f64,
}

impl Augmentation for Fade {
    fn name(&self) -> &'static str {
        NAME
    }

    fn draw(&self, samples: usize, random: &mut Random) -> Values {
        let mut length =
            |draw: &Draw| ((draw.draw(random) * self.sample_rate).round() as i64).min(samples as i64);
        Values::new()
            .with_integer("fade_in", length(&self.config.fade_in_s))
            .with_integer("fade_out", length(&self.config.fade_out_s))
            .with_text("shape", self.config.shape.name())
    }

    fn apply(&self, samples: &mut Vec<f32>, values: &Values) -> Result<Outcome, AugmentError> {
        let longest = samples.len() as i64;
        let fade_in = values.integer(NAME, "fade_in", 0, longest)?;
        let fade_out = values.integer(NAME, "fade_out", 0, longest)?;
        let shape = FadeShape::from_name(values.text(NAME, "shape")?)?;
        fade(samples.iter_mut(), fade_in, shape);
        fade(samples.iter_mut().rev(), fade_out, shape);
        Ok(Outcome::Applied)
    }
}

fn fade<'a>(samples: impl Iterator<Item = &'a mut f32>, length: i64, shape: FadeShape) {
    for (n, sample) in (0..length).zip(samples) {
        *sample = (f64::from(*sample) * shape.gain(n as f64 / length as f64)) as f32;
    }
}
