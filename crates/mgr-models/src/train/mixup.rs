//! Mixtures of examples.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::config::check_number;
use super::examples::label_tensor;
use crate::{Error, Random};

/// Mixup: every step trains on l x + (1 - l) x', where x' is the same batch in another order and l is drawn once a step from
/// the beta distribution of two times `alpha`; the loss is l loss(y) + (1 - l) loss(y').
///
/// Share and order are keyed by (seed, epoch, step). Training accuracy counts both labels by their shares.
///
/// Source: Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: Beyond empirical risk minimization", ICLR 2018.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MixupConfig {
    /// Both parameters of the beta distribution, above 0 to 1000: small ones mix little. Default 0.2.
    pub alpha: f64,
}

impl Default for MixupConfig {
    fn default() -> Self {
        Self { alpha: 0.2 }
    }
}

impl MixupConfig {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        check_number("mixup.alpha", self.alpha, 1e-3, 1000.0 + 1e-9, "0.001 to 1000")
    }

    /// The mixture of one step of `count` examples.
    pub(crate) fn draw(&self, seed: u64, epoch: usize, step: usize, count: usize) -> Mixture {
        // The last number keys mixtures apart from dropout, which is keyed by the three others.
        let mut random = Random::keyed(&[seed, epoch as u64, step as u64, 0x4D49_5855_5000]);
        let share = beta(&mut random, self.alpha);
        Mixture { share, order: random.permutation(count) }
    }
}

/// What one step mixes.
#[derive(Debug)]
pub(crate) struct Mixture {
    /// Share of the example itself; the rest is of the other one.
    pub(crate) share: f64,
    /// Position in the batch of the other one.
    pub(crate) order: Vec<usize>,
}

impl Mixture {
    pub(crate) fn inputs(&self, inputs: &Tensor) -> Result<Tensor, Error> {
        let order = label_tensor(&self.order, inputs.device())?;
        let other = inputs.f_index_select(0, &order)?.f_mul_scalar(1.0 - self.share)?;
        Ok(inputs.f_mul_scalar(self.share)?.f_add(&other)?)
    }

    /// The mean of the losses against the own and against the other targets, weighted by their shares.
    pub(crate) fn loss(&self, own: &Tensor, other: &Tensor) -> Result<Tensor, Error> {
        Ok(own.f_mul_scalar(self.share)?.f_add(&other.f_mul_scalar(1.0 - self.share)?)?)
    }
}

/// A draw from the beta distribution of two equal parameters, in (0, 1).
fn beta(random: &mut Random, alpha: f64) -> f64 {
    let (one, other) = (log_gamma_draw(random, alpha), log_gamma_draw(random, alpha));
    // exp(one) / (exp(one) + exp(other)): small parameters give logarithms that exp would take to 0.
    1.0 / (1.0 + (other - one).exp())
}

/// The logarithm of a draw from the gamma distribution: Marsaglia and Tsang 2000, and for shapes below 1 their
/// gamma(a) = gamma(a + 1) u^(1/a).
fn log_gamma_draw(random: &mut Random, shape: f64) -> f64 {
    if shape < 1.0 {
        let share = (1.0 - random.uniform()).ln() / shape;
        return log_gamma_draw(random, shape + 1.0) + share;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let radius = (-2.0 * (1.0 - random.uniform()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * random.uniform()).cos();
        let cube = (1.0 + c * normal).powi(3);
        if cube > 0.0 && (1.0 - random.uniform()).ln() < normal * normal / 2.0 + d * (1.0 - cube + cube.ln())
        {
            return (d * cube).ln();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_the_moments_of_the_beta_distribution() {
        for alpha in [0.2, 1.0, 4.0] {
            let config = MixupConfig { alpha };
            let draws: Vec<f64> = (0..20_000).map(|step| config.draw(1, 1, step, 2).share).collect();
            let mean = draws.iter().sum::<f64>() / draws.len() as f64;
            let variance = draws.iter().map(|x| (x - 0.5).powi(2)).sum::<f64>() / draws.len() as f64;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            // Four deviations of the mean of 20,000 draws are 0.0012 to 0.012; of the variance less.
            assert!((mean - 0.5).abs() < 0.012, "{alpha} {mean}");
            assert!((variance - expected).abs() < 0.004, "{alpha} {variance} {expected}");
            assert!(draws.iter().all(|share| (0.0..=1.0).contains(share)));
        }
    }

    #[test]
    fn a_step_has_its_own_draw_and_always_the_same() {
        let draw = |epoch, step| {
            let mixture = MixupConfig::default().draw(3, epoch, step, 9);
            (mixture.share.to_bits(), mixture.order)
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(2, 1));
        let mut order = draw(1, 1).1;
        order.sort_unstable();
        assert_eq!(order, (0..9).collect::<Vec<_>>());
    }
}
