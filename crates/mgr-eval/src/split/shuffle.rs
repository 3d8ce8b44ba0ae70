//! The seeded shuffle of every split.
//!
//! Folds are part of a published result, so the draw must never change: SplitMix64 (Steele, Lea and Flood, "Fast
//! splittable pseudorandom number generators", OOPSLA 2014) and the Fisher-Yates shuffle of Durstenfeld (1964),
//! written out here and pinned by a test, independent of any library's version.

/// A SplitMix64 stream.
pub(crate) struct Shuffler {
    state: u64,
}

const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

impl Shuffler {
    /// A stream for `seed`; `stream` tells independent draws under one seed apart (fold and class numbers).
    pub(crate) fn new(seed: u64, stream: &[u64]) -> Self {
        let mut shuffler = Self { state: seed };
        for &part in stream {
            shuffler.state = shuffler.next_u64() ^ part.wrapping_mul(GOLDEN_GAMMA);
        }
        shuffler
    }

    fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A uniform draw from `0..bound` by the high half of a 128-bit product; the bias is below `bound / 2^64`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let product = u128::from(self.next_u64()) * bound as u128;
        (product >> 64) as usize
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_draw_is_pinned() {
        // First outputs of SplitMix64 for seed 1234567, as published with the reference code (prng.di.unimi.it).
        let mut shuffler = Shuffler::new(1_234_567, &[]);
        assert_eq!(shuffler.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(shuffler.next_u64(), 3_203_168_211_198_807_973);

        let mut items: Vec<usize> = (0..10).collect();
        Shuffler::new(0, &[3, 1]).shuffle(&mut items);
        // Written down from the first run: a change here changes every published fold.
        assert_eq!(items, [9, 8, 7, 5, 2, 1, 3, 4, 6, 0]);
    }
}
