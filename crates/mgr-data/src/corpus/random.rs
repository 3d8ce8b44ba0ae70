//! Seeded random numbers with a fixed mapping to floats.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng as _;

/// What a stream of random numbers is used for; each use has its own, so that a change in one leaves the others alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Key, tempo, instruments, levels.
    Cast = 1,
    /// The notes.
    Notes = 2,
    /// Drum sounds and drum hits.
    Drums = 3,
    /// Voices of the pitched instruments.
    Voices = 4,
    /// Equalisation, echo, noise floor.
    Mix = 5,
}

/// A stream of random numbers: PCG64-MCG with `unit = (next_u64 >> 11) * 2^-53`.
#[derive(Debug, Clone)]
pub(super) struct Stream(Pcg64Mcg);

/// The finaliser of SplitMix64: spreads neighbouring seeds over all 64 bits.
fn spread(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Stream {
    /// The stream of one clip for one purpose.
    pub(super) fn new(seed: u64, style: usize, clip: usize, purpose: Purpose) -> Self {
        let mut key = spread(seed);
        for part in [style as u64, clip as u64, purpose as u64] {
            key = spread(key ^ spread(part));
        }
        Self(Pcg64Mcg::new((u128::from(key) << 64) | u128::from(spread(key))))
    }

    /// A number in `[0, 1)`.
    pub(super) fn unit(&mut self) -> f64 {
        #[allow(clippy::cast_precision_loss)]
        let mantissa = (self.0.next_u64() >> 11) as f64;
        mantissa * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A number in `[low, high)`.
    pub(super) fn range(&mut self, (low, high): (f64, f64)) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number in `0..count`; 0 for a count of 0.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((self.unit() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// True with probability `p`.
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// One of `items`; `fallback` where there is none.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T], fallback: T) -> T {
        items.get(self.below(items.len())).copied().unwrap_or(fallback)
    }

    /// A noise generator of its own.
    pub(super) fn noise(&mut self) -> Noise {
        #[allow(clippy::cast_possible_truncation)]
        Noise((self.0.next_u64() >> 32) as u32 | 1)
    }
}

/// White noise in `[-1, 1)`, xorshift32: cheap enough for one draw per sample.
#[derive(Debug, Clone)]
pub(super) struct Noise(u32);

impl Noise {
    /// The next sample.
    pub(super) fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        #[allow(clippy::cast_precision_loss)]
        let value = (self.0 >> 8) as f32;
        value * (2.0 / 16_777_216.0) - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_apart_and_repeatable() {
        let draw = |seed, style, clip, purpose| Stream::new(seed, style, clip, purpose).unit();
        let base = draw(1, 2, 3, Purpose::Cast);
        assert_eq!(base, draw(1, 2, 3, Purpose::Cast));
        for other in [
            draw(2, 2, 3, Purpose::Cast),
            draw(1, 3, 3, Purpose::Cast),
            draw(1, 3, 2, Purpose::Cast),
            draw(1, 2, 4, Purpose::Cast),
            draw(1, 2, 3, Purpose::Mix),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn draws_stay_in_range_with_the_right_mean() {
        let mut stream = Stream::new(7, 0, 0, Purpose::Notes);
        let mut noise = stream.noise();
        let (mut sum, mut noise_sum) = (0.0, 0.0);
        for _ in 0..20_000 {
            let u = stream.range((2.0, 4.0));
            assert!((2.0..4.0).contains(&u));
            sum += u;
            let n = noise.next();
            assert!((-1.0..1.0).contains(&n));
            noise_sum += f64::from(n);
            assert!(stream.below(3) < 3);
        }
        // Five standard deviations of the mean of 20,000 uniform draws are about 0.02.
        assert!((sum / 20_000.0 - 3.0).abs() < 0.0205);
        assert!((noise_sum / 20_000.0).abs() < 0.0205);
        assert_eq!(stream.below(0), 0);
        assert_eq!(stream.pick(&[], 5), 5);
    }
}
