//! The seeded generator behind initial weights, shuffles and random crops.

/// SplitMix64: 64 bits of state, one multiply-xorshift hash per draw.
///
/// Every draw of this crate comes from a fresh generator keyed by what it is for (seed, epoch, tensor name, ...), so no
/// draw depends on how many were made before it: a resumed run needs no generator state.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A generator keyed by a list of numbers; other numbers, other order or other length give another stream.
    ///
    /// ```
    /// use mgr_models::Random;
    /// assert_eq!(Random::keyed(&[7, 1]).next_u64(), Random::keyed(&[7, 1]).next_u64());
    /// assert_ne!(Random::keyed(&[7, 1]).next_u64(), Random::keyed(&[1, 7]).next_u64());
    /// ```
    #[must_use]
    pub fn keyed(key: &[u64]) -> Self {
        let state =
            key.iter().fold(key.len() as u64, |state, &part| mix(state ^ mix(part.wrapping_add(GOLDEN))));
        Self { state }
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// Uniform in [0, 1), with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in 0 .. `bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        // The high half of a 64 x 64 bit product; its bias is under bound / 2^64.
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }

    /// A random order of 0 .. `len` (Fisher and Yates).
    #[must_use]
    pub fn permutation(&mut self, len: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..len).collect();
        for last in (1..len).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// FNV-1a of a name, to key a generator by it.
pub(crate) fn hash_name(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}
