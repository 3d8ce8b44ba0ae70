//! Kernel shapes, the Kaiser-windowed sinc, and ratios as fractions.

use std::f64::consts::PI;

use super::ResampleKernel;

/// Stop band and pass band ripple of the default kernel in dB. 125 leaves a margin over the 120 dB of a 20-bit signal.
const ATTENUATION_DB: f64 = 125.0;
/// End of the default kernel's pass band, as a fraction of the lower Nyquist frequency (soxr HQ).
const PASS_BAND: f64 = 0.913;
/// Stop band in dB of the short kernel that follows an oversampled stage.
const OVERSAMPLED_DB: f64 = 140.0;

/// Kaiser's constants of a kernel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// `z`, the reach to each side in samples of the lower rate.
    pub(super) zeros: f64,
    /// `c`, the middle of the transition as a fraction of the lower Nyquist frequency.
    pub(super) cutoff: f64,
    pub(super) beta: f64,
    /// Highest frequency of the signals, as a fraction of the lower Nyquist frequency.
    pub(super) band: f64,
    pub(super) gain: Gain,
    /// Entries per zero crossing of the table that the reference reads the kernel from.
    pub(super) table: Option<f64>,
}

/// How the values of a kernel are scaled.
#[derive(Debug, Clone, Copy)]
pub(super) enum Gain {
    /// Every row sums to 1, so that a constant stays one at every phase.
    Rows,
    /// The rows sum to 1 in the mean, as the reference's filter design does.
    Mean,
    /// As the formula gives them, as the reference does.
    Formula,
}

impl Shape {
    /// Kaiser's formulas for a pass band that ends at `pass` and a stop band from `stop`, as fractions of the Nyquist frequency.
    fn kaiser(pass: f64, stop: f64, attenuation_db: f64) -> Self {
        let transition = PI * (stop - pass);
        Self {
            zeros: 0.5 * (attenuation_db - 7.95) / (2.285 * transition),
            cutoff: 0.5 * (pass + stop),
            beta: 0.1102 * (attenuation_db - 8.7),
            band: 1.0,
            gain: Gain::Rows,
            table: None,
        }
    }

    pub(super) fn of(kernel: ResampleKernel) -> Self {
        let resampy = |zeros, cutoff, beta, table| {
            let (band, gain, table) = (1.0, Gain::Formula, Some(table));
            Self { zeros, cutoff, beta, band, gain, table }
        };
        match kernel {
            ResampleKernel::High | ResampleKernel::SoxrHq => Self::kaiser(PASS_BAND, 1.0, ATTENUATION_DB),
            ResampleKernel::KaiserBest => resampy(50.0, 0.917_347_371_260_876_1, 12.9846, 8192.0),
            ResampleKernel::KaiserFast => resampy(24.0, 0.868_212_038_837_778_4, 9.90322, 512.0),
            ResampleKernel::Polyphase => {
                Self { zeros: 10.0, cutoff: 1.0, beta: 5.0, band: 1.0, gain: Gain::Mean, table: None }
            }
        }
    }

    /// For a signal that fills at most half of its band: images begin at 1.5 of the Nyquist frequency.
    pub(super) fn oversampled() -> Self {
        Self { band: 0.5, ..Self::kaiser(0.5, 1.5, OVERSAMPLED_DB) }
    }
}

/// `g(t)` of the module's formula.
pub(super) struct Sinc {
    /// The reach to each side, in input samples.
    pub(super) width: f64,
    /// `s c`.
    cutoff: f64,
    beta: f64,
    unit: f64,
}

impl Sinc {
    /// The kernel of `shape` with the lower rate `scale` times the rate that `t` counts in.
    pub(super) fn new(shape: Shape, scale: f64) -> Self {
        let Shape { zeros, cutoff, beta, .. } = shape;
        Self { width: zeros / scale, cutoff: scale * cutoff, beta, unit: bessel_i0(beta) }
    }

    pub(super) fn at(&self, t: f64) -> f64 {
        let u = t / self.width;
        if u.abs() >= 1.0 {
            return 0.0;
        }
        let x = PI * self.cutoff * t;
        let sinc = if x.abs() < 1e-9 { 1.0 } else { x.sin() / x };
        self.cutoff * sinc * bessel_i0(self.beta * (1.0 - u * u).sqrt()) / self.unit
    }
}

/// Tables with more entries per zero crossing are as good as the formula: (pi / 4096)^2 / 8 is -142 dB.
const FINE_TABLE: f64 = 4096.0;

/// A kernel as resampy reads it from its table of `T` entries per zero crossing: going from tap to tap in whole entries,
/// `floor(s T)` for `s T`, and linearly between entries.
pub(super) struct Tabled {
    sinc: Sinc,
    scale: f64,
    table: f64,
    /// Whole entries from tap to tap.
    step: f64,
    /// Entries of the table.
    len: f64,
    entries: Vec<f64>,
}

impl Tabled {
    pub(super) fn new(shape: Shape, scale: f64, table: f64) -> Self {
        // The kernel in zero crossings; the lower rate's share is a factor.
        let sinc = Sinc::new(shape, 1.0);
        let len = shape.zeros * table + 1.0;
        let coarse = table < FINE_TABLE;
        let entries = (0..if coarse { len as usize } else { 0 }).map(|j| sinc.at(j as f64 / table)).collect();
        // Below one entry per tap the reference cannot go on.
        Self { sinc, scale, table, step: (scale * table).floor().max(1.0), len, entries }
    }

    /// Taps to each side of an output sample.
    pub(super) fn half(&self) -> usize {
        (self.len / self.step) as usize + 1
    }

    /// The weight of the sample `tap` places after the one that stands at or before the output, which lies `fraction` after it.
    pub(super) fn at(&self, tap: i64, fraction: f64) -> f64 {
        let (fraction, steps) = if tap <= 0 { (fraction, -tap) } else { (1.0 - fraction, tap - 1) };
        let first = self.scale * fraction * self.table;
        if first.floor() + (steps as f64 + 1.0) * self.step > self.len {
            return 0.0;
        }
        let index = first + steps as f64 * self.step;
        let entry = index as usize;
        let value = match (self.entries.get(entry), self.entries.get(entry + 1)) {
            (Some(a), Some(b)) => a + (index - index.floor()) * (b - a),
            (Some(a), None) => *a,
            _ => self.sinc.at(index / self.table),
        };
        self.scale * value
    }
}

/// Modified Bessel function of the first kind, order 0, by its power series: `sum_k ((x / 2)^k / k!)^2`.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

pub(super) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Output samples per input sample, as a fraction in lowest terms: output `m` lies at input `m down / up`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ratio {
    pub(super) up: u64,
    pub(super) down: u64,
}

impl Ratio {
    pub(super) fn of_rates(input_rate: u32, output_rate: u32) -> Self {
        let (input_rate, output_rate) = (u64::from(input_rate), u64::from(output_rate));
        let divisor = gcd(input_rate, output_rate);
        Self { up: output_rate / divisor, down: input_rate / divisor }
    }

    /// The simplest fraction that rounds to `value`, or the last convergent of its continued fraction with terms below 2^32,
    /// which is nearer than 2^-62. `value` must lie within 1e-4 to 1e4.
    pub(super) fn of_float(value: f64) -> Self {
        let (mut before, mut last) = ((0u64, 1u64), (1u64, 0u64));
        let mut rest = value;
        loop {
            let whole = rest.floor();
            let next = (
                (whole as u64).saturating_mul(last.0).saturating_add(before.0),
                (whole as u64).saturating_mul(last.1).saturating_add(before.1),
            );
            if next.0.max(next.1) >= 1 << 32 {
                break;
            }
            (before, last) = (last, next);
            if last.0 as f64 / last.1 as f64 == value || rest == whole {
                break;
            }
            rest = 1.0 / (rest - whole);
        }
        Self { up: last.0, down: last.1 }
    }

    /// What is left to do after a conversion by `first`.
    pub(super) fn over(self, first: Self) -> Self {
        let (up, down) = (self.up * first.down, self.down * first.up);
        let divisor = gcd(up, down);
        Self { up: up / divisor, down: down / divisor }
    }

    pub(super) fn value(self) -> f64 {
        self.up as f64 / self.down as f64
    }

    /// `ceil(samples up / down)`, saturating.
    pub(super) fn output_len(self, samples: u64) -> u64 {
        let product = u128::from(samples) * u128::from(self.up);
        u64::try_from(product.div_ceil(u128::from(self.down))).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_become_the_simplest_fraction() {
        for (up, down) in [(1, 2), (160, 441), (1, 10), (3, 1), (44_099, 44_100), (1, 10_000), (10_000, 1)] {
            assert_eq!(Ratio::of_float(up as f64 / down as f64), Ratio { up, down });
            assert_eq!(Ratio::of_rates(down as u32 * 7, up as u32 * 7), Ratio { up, down });
        }
        for value in [2f64.powf(1.0 / 12.0), 2f64.powf(-7.3 / 12.0), PI, 1e-4 * PI, 1.0 + 1e-9] {
            let ratio = Ratio::of_float(value);
            assert!((ratio.value() / value - 1.0).abs() < 1e-15, "{value}: {ratio:?}");
        }
    }

    #[test]
    fn bessel_has_the_published_values() {
        // Abramowitz and Stegun, table 9.8.
        assert!((bessel_i0(1.0) - 1.266_065_877_752_008).abs() < 1e-14);
        assert!((bessel_i0(5.0) - 27.239_871_823_604_44).abs() < 1e-12);
    }
}
