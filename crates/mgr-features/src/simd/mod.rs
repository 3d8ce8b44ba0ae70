//! The inner loops, compiled twice: for any processor, and for AVX2, chosen at run time. One file a topic.
//!
//! Both are the same safe code, `#[inline(always)]` so that each gets its own copy. Rust never fuses or reorders floating-point
//! operations by itself, so both give the same bits; a test in every file holds them to that. The only unsafe step of the crate
//! is to call what needs AVX2 once its presence is known, in [`dispatched`].
#![allow(unsafe_code)]

use rustfft::FftNum;
use rustfft::num_traits::Float;

/// Defines `name`, which runs `body` as compiled for the widest vectors that this processor has.
macro_rules! dispatched {
    ($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),*) = $body:ident) => {
        $(#[$doc])*
        pub(crate) fn $name($($argument: $kind),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn wide($($argument: $kind),*) {
                    $body($($argument),*);
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has AVX2, which is all that `wide` asks for.
                    return unsafe { wide($($argument),*) };
                }
            }
            $body($($argument),*);
        }
    };
}

pub(crate) mod cqt;
pub(crate) mod exponential;
pub(crate) mod interpolate;
pub(crate) mod inverse;
pub(crate) mod invert;
pub(crate) mod loudness;
pub(crate) mod masks;
pub(crate) mod median;
pub(crate) mod moments;
pub(crate) mod pcen;
pub(crate) mod pitch;
pub(crate) mod products;
pub(crate) mod rhythm;
pub(crate) mod scattering;
pub(crate) mod sums;
pub(crate) mod timbre;
pub(crate) mod transform;

/// Values handled together; two AVX2 registers.
pub(crate) const LANES: usize = 16;

/// A precision that transforms are computed in.
pub(crate) trait Real: FftNum + Float {
    /// From a number of the tables.
    fn of(value: f64) -> Self;

    /// From a sample.
    fn from_single(value: f32) -> Self;

    /// To the widest.
    fn wide(self) -> f64;

    /// To the narrowest.
    fn narrow(self) -> f32;
}

macro_rules! real {
    ($($real:ty)*) => {$(
        impl Real for $real {
            #[inline(always)]
            fn of(value: f64) -> Self {
                value as Self
            }

            #[inline(always)]
            fn from_single(value: f32) -> Self {
                Self::from(value)
            }

            #[inline(always)]
            fn wide(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn narrow(self) -> f32 {
                self as f32
            }
        }
    )*};
}

real!(f32 f64);

/// Values from -1 to 1 for the tests, the same for the same seed.
#[cfg(test)]
fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}
