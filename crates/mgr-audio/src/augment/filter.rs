//! Butterworth low-pass and high-pass filters.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::{AugmentError, Augmentation, Draw, Outcome, Random, Step, Values, check_rate};

const LOW_PASS: &str = "low_pass";
const HIGH_PASS: &str = "high_pass";
/// Lowest cutoff in Hz.
const MIN_CUTOFF: f64 = 1.0;
const MAX_ORDER: u32 = 12;

/// Butterworth low-pass: magnitude `1 / sqrt(1 + (tan(pi f / fs) / tan(pi fc / fs))^(2 n))` for order `n`, so -3.01 dB at the
/// cutoff `fc` and `6.02 n` dB per octave beyond; causal, from rest.
///
/// The analogue prototype's pole pairs `s^2 + 2 sin(pi (2k + 1) / (2n)) s + 1` (and `s + 1` for odd `n`) go through the bilinear
/// transform with the cutoff prewarped, each to a biquad (Oppenheim, Schafer, *Discrete-Time Signal Processing*, 3rd ed.,
/// section 7.2; the same as scipy's `butter`), which run in `f64`, one after the other.
///
/// Logged: `cutoff_hz`, `order`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LowPassConfig {
    /// Cutoff in Hz, 1 to below half the sample rate. Default log-uniform from 150 to 7,500.
    pub cutoff_hz: Draw,
    /// Order, 1 to 12. Default 2.
    pub order: u32,
    /// Probability that the step is applied, 0 to 1. Default 1.
    pub probability: f64,
}

impl Default for LowPassConfig {
    fn default() -> Self {
        Self { cutoff_hz: Draw::LogUniform(150.0, 7500.0), order: 2, probability: 1.0 }
    }
}

impl LowPassConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`AugmentError::Config`] for a cutoff, order or probability outside its range, or a rate outside 100 to 1,000,000 Hz.
    pub fn plan(&self, sample_rate: u32) -> Result<Step, AugmentError> {
        plan(Pass::Low, &self.cutoff_hz, self.order, self.probability, sample_rate)
    }
}

/// Butterworth high-pass: magnitude `1 / sqrt(1 + (tan(pi fc / fs) / tan(pi f / fs))^(2 n))` for order `n`; else as
/// [`LowPassConfig`].
///
/// Logged: `cutoff_hz`, `order`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HighPassConfig {
    /// Cutoff in Hz, 1 to below half the sample rate. Default log-uniform from 20 to 2,400.
    pub cutoff_hz: Draw,
    /// Order, 1 to 12. Default 2.
    pub order: u32,
    /// Probability that the step is applied, 0 to 1. Default 1.
    pub probability: f64,
}

impl Default for HighPassConfig {
    fn default() -> Self {
        Self { cutoff_hz: Draw::LogUniform(20.0, 2400.0), order: 2, probability: 1.0 }
    }
}

impl HighPassConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`AugmentError::Config`] for a cutoff, order or probability outside its range, or a rate outside 100 to 1,000,000 Hz.
    pub fn plan(&self, sample_rate: u32) -> Result<Step, AugmentError> {
        plan(Pass::High, &self.cutoff_hz, self.order, self.probability, sample_rate)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    Low,
    High,
}

fn plan(
    pass: Pass,
    cutoff_hz: &Draw,
    order: u32,
    probability: f64,
    sample_rate: u32,
) -> Result<Step, AugmentError> {
    let sample_rate = check_rate(sample_rate)?;
    cutoff_hz.check("cutoff_hz", MIN_CUTOFF, max_cutoff(sample_rate))?;
    if !(1..=MAX_ORDER).contains(&order) {
        return Err(AugmentError::config("order", order, format!("1 to {MAX_ORDER}")));
    }
    Step::new(Filter { pass, cutoff_hz: cutoff_hz.clone(), order, sample_rate }, probability)
}

/// Just below half the rate, where the tangent is still finite.
fn max_cutoff(sample_rate: f64) -> f64 {
    0.4999 * sample_rate
}

#[derive(Debug)]
struct Filter {
    pass: Pass,
    cutoff_hz: Draw,
    order: u32,
    sample_rate: f64,
}

impl Augmentation for Filter {
    fn name(&self) -> &'static str {
        match self.pass {
            Pass::Low => LOW_PASS,
            Pass::High => HIGH_PASS,
        }
    }

    fn draw(&self, _samples: usize, random: &mut Random) -> Values {
        Values::new()
            .with_number("cutoff_hz", self.cutoff_hz.draw(random))
            .with_integer("order", i64::from(self.order))
    }

    fn apply(&self, samples: &mut Vec<f32>, values: &Values) -> Result<Outcome, AugmentError> {
        // The grid of drawn values may lie half a step beyond the range.
        let (min, max) = (MIN_CUTOFF - 1e-9, max_cutoff(self.sample_rate) + 1e-9);
        let cutoff = values.number(self.name(), "cutoff_hz", min, max)?;
        let order = values.integer(self.name(), "order", 1, i64::from(MAX_ORDER))?;
        let mut sections = design(self.pass, cutoff / self.sample_rate, order as u32);
        for sample in samples.iter_mut() {
            let value = sections.iter_mut().fold(f64::from(*sample), |x, section| section.next(x));
            *sample = value as f32;
        }
        Ok(Outcome::Applied)
    }
}

/// A second-order section in transposed direct form II; one of first order has `b2 = a2 = 0`.
#[derive(Debug, Clone, Copy)]
struct Section {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Section {
    fn next(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.state[0];
        self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }
}

/// The sections of a Butterworth filter with its cutoff in cycles per sample.
fn design(pass: Pass, cutoff: f64, order: u32) -> Vec<Section> {
    let k = libm::tan(PI * cutoff);
    let numerator = |low: f64, sign: f64| match pass {
        Pass::Low => (low, 1.0),
        Pass::High => (1.0, sign),
    };
    let pairs = (0..order / 2).map(|pair| {
        // s^2 + d s + 1 with s = (1 - z^-1) / (k (1 + z^-1)).
        let d = 2.0 * libm::sin(PI * f64::from(2 * pair + 1) / f64::from(2 * order));
        let norm = 1.0 + d * k + k * k;
        let (gain, sign) = numerator(k * k, -1.0);
        let b0 = gain / norm;
        Section {
            b: [b0, 2.0 * sign * b0, b0],
            a: [2.0 * (k * k - 1.0) / norm, (1.0 - d * k + k * k) / norm],
            state: [0.0; 2],
        }
    });
    let single = (order % 2 == 1).then(|| {
        let (gain, sign) = numerator(k, -1.0);
        let b0 = gain / (1.0 + k);
        Section { b: [b0, sign * b0, 0.0], a: [(k - 1.0) / (k + 1.0), 0.0], state: [0.0; 2] }
    });
    pairs.chain(single).collect()
}
