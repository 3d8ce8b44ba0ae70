//! The roll-off of soxr's HQ recipe within its pass band.
//!
//! At ratios other than those of powers of 2 and 3, soxr filters a second time with a short interpolator, which loses up to 0.01 dB
//! towards the end of the band (its `SOXR_ROLLOFF_SMALL`). The loss depends on the ratio alone, and nearly only on its odd part.
//! The curves here were measured: the least-squares gain of sines in 64-bit samples through python-soxr 1.x, at 20 frequencies
//! between 0.4 and 0.913 of the lower Nyquist frequency, fitted by the exponential of a polynomial to 7e-7 (-123 dB).

use super::design::Ratio;

/// Loss of gain over the frequency.
#[derive(Debug, Clone, Copy)]
pub(super) struct RollOff {
    /// Below this fraction of the lower Nyquist frequency the loss is less than 2e-6 and left out.
    from: f64,
    /// `ln loss = sum_i polynomial[i] (x - 0.9)^i`.
    polynomial: [f64; 5],
}

/// Ratios up, by whatever.
const UP: RollOff = RollOff { from: 0.64, polynomial: [-7.11998, 15.0459, -19.9795, -2.0896, -262.6] };
/// 44.1 kHz to 16 kHz and their halves and doubles.
const BY_5_441: RollOff =
    RollOff { from: 0.46, polynomial: [-6.98092, 8.533, -6.44454, -0.337927, -26.9558] };
/// 48 kHz to 22.05 kHz.
const BY_147_5: RollOff =
    RollOff { from: 0.61, polynomial: [-7.10363, 12.8603, -14.831, -5.76219, -160.611] };
/// 32 kHz to 22.05 kHz.
const BY_441_5: RollOff =
    RollOff { from: 0.46, polynomial: [-7.33483, 8.58026, -6.80173, -2.59092, -34.3971] };
/// 44.1 kHz to 24 kHz.
const BY_5_147: RollOff =
    RollOff { from: 0.64, polynomial: [-7.16841, 15.4071, -20.9997, -4.4299, -305.687] };
/// 44.1 kHz to 12 kHz and less.
const BY_5_147_LOW: RollOff =
    RollOff { from: 0.55, polynomial: [-8.95246, 8.84037, -8.1977, -4.96425, -53.9532] };

impl RollOff {
    /// The curve of a ratio; `None` where soxr has none, or none was measured.
    pub(super) fn of(ratio: Ratio) -> Option<Self> {
        let odd = |value: u64| value >> value.trailing_zeros();
        let parts = (odd(ratio.up), odd(ratio.down));
        match parts {
            (1 | 3, 1 | 3) => None,
            _ if ratio.up > ratio.down => Some(UP),
            (5, 441) => Some(BY_5_441),
            (147, 5) => Some(BY_147_5),
            (441, 5) => Some(BY_441_5),
            (5, 147) if 2 * ratio.up > ratio.down => Some(BY_5_147),
            (5, 147) => Some(BY_5_147_LOW),
            _ => None,
        }
    }

    /// The gain at `fraction` of the lower Nyquist frequency.
    pub(super) fn gain(&self, fraction: f64) -> f64 {
        if fraction < self.from {
            return 1.0;
        }
        // Beyond 0.95 the stop band takes over.
        let x = fraction.min(0.95) - 0.9;
        1.0 - self.polynomial.iter().rev().fold(0.0, |sum, factor| sum * x + factor).exp()
    }
}
