//! Seeded random numbers with a fixed mapping to floats, integers and the beta distribution.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng as _;

/// A stream of random numbers, PCG64-MCG (O'Neill 2014), the same on every platform.
///
/// ```
/// use mgr_features::augment::Random;
/// // One stream for each clip and epoch, whatever the order in which they are drawn.
/// let (mut a, mut b) = (Random::keyed(7, &[3, 0]), Random::keyed(7, &[3, 0]));
/// assert_eq!(a.integer(0, 1_000_000), b.integer(0, 1_000_000));
/// ```
#[derive(Debug, Clone)]
pub struct Random(Pcg64Mcg);

/// The finaliser of SplitMix64: spreads neighbouring seeds over all 64 bits.
fn spread(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Random {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let key = spread(seed);
        Self(Pcg64Mcg::new((u128::from(key) << 64) | u128::from(spread(key))))
    }

    /// The stream of a seed for one use, told by a list of numbers; each list has its own.
    #[must_use]
    pub fn keyed(seed: u64, keys: &[u64]) -> Self {
        Self::new(keys.iter().fold(spread(seed), |key, &part| spread(key ^ spread(part))))
    }

    /// A number in `[0, 1)`: `(next_u64 >> 11) * 2^-53`.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A whole number from `low` to `high`, both included; `low` where `high` is below it.
    pub fn integer(&mut self, low: usize, high: usize) -> usize {
        let count = high.saturating_sub(low) as u128 + 1;
        // At most 2^64, and a draw is below it: the product fits. The bias is below count / 2^64.
        let step = (u128::from(self.0.next_u64()) * count) >> 64;
        low + step as usize
    }

    /// A number of the beta distribution with both shapes `alpha`, over 0 and finite; in `[0, 1]`.
    ///
    /// Up to 1 the method of Jöhnk ("Erzeugung von betaverteilten und gammaverteilten Zufallszahlen", Metrika 8, 1964), on
    /// logarithms so that small shapes do not underflow; above it algorithm BB of Cheng ("Generating beta variates with
    /// nonintegral shape parameters", Comm. ACM 21, 1978).
    pub fn symmetric_beta(&mut self, alpha: f64) -> f64 {
        if alpha <= 1.0 { self.johnk(alpha) } else { self.cheng(alpha) }
    }

    fn johnk(&mut self, alpha: f64) -> f64 {
        loop {
            // 1 - unit lies in (0, 1], where the logarithm is finite.
            let x = libm::log(1.0 - self.unit()) / alpha;
            let y = libm::log(1.0 - self.unit()) / alpha;
            let largest = x.max(y);
            let log_sum = largest + libm::log(libm::exp(x - largest) + libm::exp(y - largest));
            // Not so where both are negative infinity, which tells nothing.
            if log_sum <= 0.0 && log_sum.is_finite() {
                return libm::exp(x - log_sum).clamp(0.0, 1.0);
            }
        }
    }

    fn cheng(&mut self, alpha: f64) -> f64 {
        // 1 + ln 5: below the line 5 z - 1 - ln 5 lies ln z, which then need not be taken.
        const ONE_AND_LN_5: f64 = 2.609_437_912_434_100_4;
        let (scale, gamma) = (1.0 / alpha.sqrt(), alpha + alpha.sqrt());
        loop {
            let (first, second) = (self.unit(), 1.0 - self.unit());
            let v = scale * libm::log(first / (1.0 - first));
            let w = alpha * libm::exp(v);
            let z = first * first * second;
            let r = gamma * v - 2.0 * std::f64::consts::LN_2;
            let s = alpha + r - w;
            // A first of 0 makes r negative infinity, and is refused.
            if s + ONE_AND_LN_5 >= 5.0 * z
                || s >= libm::log(z)
                || r + 2.0 * alpha * libm::log(2.0 * alpha / (alpha + w)) >= libm::log(z)
            {
                return (w / (alpha + w)).clamp(0.0, 1.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_is_fixed() {
        // A change of these changes every augmentation that anyone has logged.
        let mut random = Random::new(20);
        assert_eq!((random.unit() * 9_007_199_254_740_992.0) as u64, 4_114_011_111_994_801);
        assert_eq!((random.unit() * 9_007_199_254_740_992.0) as u64, 3_182_091_822_605_647);
    }

    #[test]
    fn integers_cover_their_range() {
        let mut random = Random::new(3);
        let mut counts = [0u32; 5];
        (0..50_000).for_each(|_| counts[random.integer(2, 6) - 2] += 1);
        // Five standard deviations of a count of 10,000 are 447.
        assert!(counts.iter().all(|c| c.abs_diff(10_000) < 447), "{counts:?}");
        assert_eq!([random.integer(4, 4), random.integer(4, 3)], [4, 4]);
        random.integer(0, usize::MAX);
    }

    #[test]
    fn beta_numbers_are_beta_distributed() {
        let count = 100_000;
        for alpha in [0.05, 0.2, 1.0, 1.5, 8.0, 300.0] {
            let mut random = Random::new(5);
            let mut drawn: Vec<f64> = (0..count).map(|_| random.symmetric_beta(alpha)).collect();
            drawn.sort_by(f64::total_cmp);
            assert!(drawn[0] >= 0.0 && drawn[count - 1] <= 1.0);
            let under = |x: f64| crate::pitch::beta::distribution(x, alpha, alpha);
            // Kolmogorov-Smirnov: exceeded with probability 2 exp(-2 * 2.2^2), one in 8000. Values next to 1 and 0 are rounded.
            let distance = drawn.iter().enumerate().filter(|(_, x)| **x > 1e-300 && **x < 1.0 - 1e-12);
            let distance =
                distance.map(|(i, x)| (under(*x) - i as f64 / count as f64).abs()).fold(0.0, f64::max);
            assert!(distance < 2.2 / (count as f64).sqrt(), "{alpha}: {distance}");
        }
    }

    #[test]
    fn extreme_shapes_end() {
        let mut random = Random::new(1);
        for alpha in [1e-6, 1e6] {
            for _ in 0..1000 {
                assert!((0.0..=1.0).contains(&random.symmetric_beta(alpha)));
            }
        }
    }
}
