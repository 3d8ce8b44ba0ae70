//! Seeded random numbers with a fixed mapping to floats, integers and the normal distribution.

use std::sync::OnceLock;

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng as _;

/// A stream of random numbers, PCG64-MCG (O'Neill 2014), the same on every platform.
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
        Self::new(Self::key(seed, keys))
    }

    /// A seed made of a seed and a list of numbers.
    #[must_use]
    pub fn key(seed: u64, keys: &[u64]) -> u64 {
        keys.iter().fold(spread(seed), |key, &part| spread(key ^ spread(part)))
    }

    /// A number in `[0, 1)`: `(next_u64 >> 11) * 2^-53`.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A whole number from `low` to `high`, both included; `low` where `high` is below it.
    pub fn integer(&mut self, low: i64, high: i64) -> i64 {
        let count = (i128::from(high) - i128::from(low) + 1).max(1) as u128;
        // At most 2^64, and a draw is below it: the product fits. The bias is below count / 2^64.
        let step = (u128::from(self.0.next_u64()) * count) >> 64;
        (i128::from(low) + step as i128) as i64
    }

    /// A seed for a further stream, below 2^53: a number that every JSON reader holds exactly.
    pub fn seed(&mut self) -> u64 {
        self.0.next_u64() >> 11
    }

    /// A number of the standard normal distribution: the ziggurat of 128 layers with one test per draw in 98.8 % of the cases.
    ///
    /// Marsaglia, Tsang, "The ziggurat method for generating random variables", J. Stat. Software 5(8), 2000; layer and position
    /// from bits of their own as in Doornik, "An improved ziggurat method to generate normal random samples", 2005.
    pub fn normal(&mut self) -> f64 {
        let ziggurat = ziggurat();
        loop {
            let bits = self.0.next_u64();
            let layer = (bits & 127) as usize;
            // The 53 bits above, as a number in [-1, 1).
            let u = (bits >> 11) as f64 * (1.0 / 4_503_599_627_370_496.0) - 1.0;
            let (outer, inner) = (ziggurat[layer], ziggurat[layer + 1]);
            let x = u * outer;
            if x.abs() < inner {
                return x;
            }
            if layer == 0 {
                return self.tail(u < 0.0);
            }
            let outer = libm::exp(-0.5 * (outer * outer - x * x));
            let inner = libm::exp(-0.5 * (inner * inner - x * x));
            if inner + self.unit() * (outer - inner) < 1.0 {
                return x;
            }
        }
    }

    /// A number beyond the outermost layer, by Marsaglia's exponential rejection.
    fn tail(&mut self, negative: bool) -> f64 {
        loop {
            // 1 - unit lies in (0, 1], where the logarithm is finite.
            let x = -libm::log(1.0 - self.unit()) / ZIGGURAT_R;
            let y = -libm::log(1.0 - self.unit());
            if 2.0 * y >= x * x {
                return if negative { -ZIGGURAT_R - x } else { ZIGGURAT_R + x };
            }
        }
    }
}

/// Where the tail begins, and the area of a layer, for 128 layers (Doornik 2005).
const ZIGGURAT_R: f64 = 3.442_619_855_899;
const ZIGGURAT_V: f64 = 9.912_563_035_262_17e-3;

/// Right edges of the layers: that of the base with its tail folded in, then falling from `R` to 0.
fn ziggurat() -> &'static [f64; 129] {
    static TABLE: OnceLock<[f64; 129]> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut edges = [0.0; 129];
        let mut density = libm::exp(-0.5 * ZIGGURAT_R * ZIGGURAT_R);
        edges[0] = ZIGGURAT_V / density;
        edges[1] = ZIGGURAT_R;
        for i in 2..128 {
            let edge = (-2.0 * libm::log(ZIGGURAT_V / edges[i - 1] + density)).sqrt();
            density = libm::exp(-0.5 * edge * edge);
            edges[i] = edge;
        }
        edges
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_is_fixed() {
        // A change of these changes every augmentation that anyone has logged.
        let mut random = Random::new(20);
        assert_eq!([random.seed(), random.seed()], [4_114_011_111_994_801, 3_182_091_822_605_647]);
        assert_eq!(random.normal(), 0.032_868_583_793_380_65);
        assert_eq!(random.integer(-3, 1_000_000), 668_196);
    }

    #[test]
    fn integers_cover_their_range() {
        let mut random = Random::new(3);
        let mut counts = [0u32; 5];
        for _ in 0..50_000 {
            counts[usize::try_from(random.integer(-2, 2) + 2).unwrap()] += 1;
        }
        // Five standard deviations of a count of 10,000 are 447.
        assert!(counts.iter().all(|c| c.abs_diff(10_000) < 447), "{counts:?}");
        assert_eq!(random.integer(4, 4), 4);
        assert_eq!(random.integer(4, 3), 4);
        random.integer(i64::MIN, i64::MAX);
    }

    #[test]
    fn keys_are_apart() {
        let base = Random::keyed(1, &[2, 3]).seed();
        assert_eq!(base, Random::keyed(1, &[2, 3]).seed());
        for other in [Random::keyed(2, &[2, 3]), Random::keyed(1, &[3, 2]), Random::keyed(1, &[2, 3, 0])] {
            assert_ne!(base, other.clone().seed());
        }
    }

    /// Distribution function of the normal distribution.
    fn phi(x: f64) -> f64 {
        0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
    }

    #[test]
    fn normal_numbers_are_normal() {
        let count = 400_000;
        let mut random = Random::new(11);
        let mut drawn: Vec<f64> = (0..count).map(|_| random.normal()).collect();
        let moment = |k: i32| drawn.iter().map(|x| x.powi(k)).sum::<f64>() / f64::from(count);
        // Five standard deviations of each moment: 5 sqrt(var(x^k) / count), var = 1, 2, 15, 96.
        assert!(moment(1).abs() < 0.008);
        assert!((moment(2) - 1.0).abs() < 0.0112);
        assert!(moment(3).abs() < 0.031);
        assert!((moment(4) - 3.0).abs() < 0.078);
        drawn.sort_by(f64::total_cmp);
        // Kolmogorov-Smirnov: exceeded with probability 2 exp(-2 * 2.2^2), one in 8000.
        let distance = drawn.iter().enumerate().map(|(i, &x)| (phi(x) - i as f64 / f64::from(count)).abs());
        assert!(distance.fold(0.0, f64::max) < 2.2 / f64::from(count).sqrt());
        // The tail is reached on both sides, as often as it should be: 230 +- 76 numbers.
        let beyond = drawn.iter().filter(|x| x.abs() > ZIGGURAT_R).count();
        assert!(beyond.abs_diff(230) < 76, "{beyond}");
        assert!(drawn[0] < -4.0 && drawn[drawn.len() - 1] > 4.0);
    }

    #[test]
    fn layers_have_equal_areas() {
        let edges = ziggurat();
        let density = |x: f64| libm::exp(-0.5 * x * x);
        for i in 1..128 {
            let area = edges[i] * (density(edges[i + 1]) - density(edges[i]));
            // R and V are given to 13 and 15 digits; the error of the last layer is the sum of all.
            assert!((area - ZIGGURAT_V).abs() < 1e-9, "{i}: {area}");
        }
    }
}
