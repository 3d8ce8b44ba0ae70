//! From power to loudness: decibels, phon and sone of many values in double precision.

/// `log2 x` of a normal positive value, to 2e-16 of it or of 1.
///
/// `log2 x = e + ln m / ln 2` with `m` in [sqrt(1/2), sqrt 2), and `ln m = 2 (s + s^3/3 + ...)`, `s = (m - 1) / (m + 1)`. `|s|` is
/// at most 0.1716: what follows `s^21 / 21` is under 1e-18.
#[inline(always)]
fn log2_of(x: f64) -> f64 {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    /// 2^52 + 2^51: what is added to the bits below it comes out as a number.
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    let bits = x.to_bits();
    // The exponent as a number, without an instruction for it: old processors have none for 64 bits. It is shifted by 1100, so that
    // the shift to the right brings zeros.
    let shifted = bits.wrapping_sub(SQRT_HALF).wrapping_add(1100 << 52) >> 52;
    let e = f64::from_bits(WHOLE.to_bits() | shifted) - WHOLE - 1100.0;
    let m = f64::from_bits(bits.wrapping_sub(shifted.wrapping_sub(1100) << 52));
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let high = 1.0 / 15.0 + z * (1.0 / 17.0 + z * (1.0 / 19.0 + z * (1.0 / 21.0)));
    let series = 1.0 / 3.0
        + z * (1.0 / 5.0
            + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z * (1.0 / 11.0 + z * (1.0 / 13.0 + z * high)))));
    e + 2.0 * std::f64::consts::LOG2_E * (s + s * z * series)
}

/// `2^x`, to 4e-16 of it; infinity from 1024 on, the least normal number from -1022 down.
///
/// `2^x = 2^n exp(r ln 2)` with `n` the nearest whole number; `|r ln 2|` is at most 0.3466, so that what follows the 13th power is
/// under 5e-18.
#[inline(always)]
fn exp2_of(x: f64) -> f64 {
    /// 1.5 * 2^52: adding and taking off rounds to a whole number.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let inside = if x < -1022.0 { -1022.0 } else { x };
    let inside = if inside > 1024.0 { 1024.0 } else { inside };
    let rounded = inside + ROUND;
    let r = (inside - (rounded - ROUND)) * std::f64::consts::LN_2;
    let high = 1.0 / 5040.0
        + r * (1.0 / 40_320.0
            + r * (1.0 / 362_880.0
                + r * (1.0 / 3_628_800.0
                    + r * (1.0 / 39_916_800.0 + r * (1.0 / 479_001_600.0 + r * (1.0 / 6_227_020_800.0))))));
    let series = 1.0
        + r * (1.0
            + r * (0.5
                + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * high))))));
    // The low bits of the sum hold the whole number.
    let power = f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52);
    series * power
}

dispatched! {
    /// `10 log10 max(v, 1)` of finite values.
    decibels_from_one(values: &mut [f64]) = decibels_from_one_body
}

#[inline(always)]
fn decibels_from_one_body(values: &mut [f64]) {
    /// `10 log10(2)`.
    const PER_OCTAVE: f64 = 3.010_299_956_639_812;
    for v in values {
        let over = if *v < 1.0 { 1.0 } else { *v };
        *v = PER_OCTAVE * log2_of(over);
    }
}

/// Pieces of a broken line: over `from[i]`, up to the next, it is `at[i] + slope[i] (v - from[i])`; under the first, `at[0]`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct BrokenLine {
    pub(crate) from: [f64; 5],
    pub(crate) at: [f64; 5],
    pub(crate) slope: [f64; 5],
}

dispatched! {
    /// The broken line at each value.
    broken_line(values: &mut [f64], line: &BrokenLine) = broken_line_body
}

#[inline(always)]
fn broken_line_body(values: &mut [f64], line: &BrokenLine) {
    for v in values {
        let x = *v;
        let (mut from, mut at, mut slope) = (x, line.at[0], 0.0);
        for i in 0..5 {
            let over = x > line.from[i];
            from = if over { line.from[i] } else { from };
            at = if over { line.at[i] } else { at };
            slope = if over { line.slope[i] } else { slope };
        }
        *v = at + slope * (x - from);
    }
}

dispatched! {
    /// Sone of phon: `2^((p - 40) / 10)` from 40 on, `(p / 40)^2.642` under it; `p` is over 0.
    sones(values: &mut [f64]) = sones_body
}

#[inline(always)]
fn sones_body(values: &mut [f64]) {
    for v in values {
        let p = *v;
        let low = 2.642 * log2_of(p / 40.0);
        let high = (p - 40.0) / 10.0;
        *v = exp2_of(if p >= 40.0 { high } else { low });
    }
}

dispatched! {
    /// `out[b] = sum_k weights[k] powers[k]` over the bins of each band.
    band_powers(bands: &[std::ops::Range<usize>], weights: &[f64], powers: &[f64], out: &mut [f64]) = band_powers_body
}

#[inline(always)]
fn band_powers_body(bands: &[std::ops::Range<usize>], weights: &[f64], powers: &[f64], out: &mut [f64]) {
    for (o, band) in out.iter_mut().zip(bands) {
        // Eight sums side by side, so that an addition need not wait for the one before.
        let (weights, rest_weights) = weights[band.clone()].as_chunks::<8>();
        let (powers, rest_powers) = powers[band.clone()].as_chunks::<8>();
        let mut sums = [0.0f64; 8];
        for (w, p) in weights.iter().zip(powers) {
            for i in 0..8 {
                sums[i] += w[i] * p[i];
            }
        }
        let rest: f64 = rest_weights.iter().zip(rest_powers).map(|(w, p)| w * p).sum();
        *o = sums.iter().sum::<f64>() + rest;
    }
}

dispatched! {
    /// Row `i` of `out` is `sum_j weights[i n + j]` times row `j` of `rows`; `n` rows of `length` values each.
    mix_rows(weights: &[f64], rows: &[f64], length: usize, out: &mut [f64]) = mix_rows_body
}

#[inline(always)]
fn mix_rows_body(weights: &[f64], rows: &[f64], length: usize, out: &mut [f64]) {
    /// Values of a row that are summed side by side.
    const LANES: usize = 16;
    let count = rows.len() / length.max(1);
    for (out, weights) in out.chunks_exact_mut(length.max(1)).zip(weights.chunks_exact(count.max(1))) {
        let mut at = 0;
        while at + LANES <= length {
            let mut sums = [0.0f64; LANES];
            for (w, row) in weights.iter().zip(rows.chunks_exact(length)) {
                for (s, v) in sums.iter_mut().zip(&row[at..at + LANES]) {
                    *s += w * v;
                }
            }
            out[at..at + LANES].copy_from_slice(&sums);
            at += LANES;
        }
        for t in at..length {
            out[t] = weights.iter().zip(rows.chunks_exact(length)).map(|(w, row)| w * row[t]).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::noise;
    use super::*;

    fn wide(count: usize, seed: u32) -> Vec<f64> {
        noise(count, seed).into_iter().map(f64::from).collect()
    }

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        let line = BrokenLine {
            from: [0.0, 10.0, 20.0, 40.0, 60.0],
            at: [3.0, 20.0, 40.0, 60.0, 80.0],
            slope: [1.7, 2.0, 1.0, 1.0, 1.1],
        };
        for n in [0, 1, 3, 4, 15, 16, 17, 511] {
            let values: Vec<f64> = wide(n, 5).into_iter().map(|v| 60.0 + 56.9 * v).collect();
            for (fast, body) in [
                (decibels_from_one as fn(&mut [f64]), decibels_from_one_body as fn(&mut [f64])),
                (sones, sones_body),
            ] {
                let (mut a, mut b) = (values.clone(), values.clone());
                fast(&mut a);
                body(&mut b);
                assert_eq!(a, b, "{n}");
            }
            let (mut a, mut b) = (values.clone(), values.clone());
            broken_line(&mut a, &line);
            broken_line_body(&mut b, &line);
            assert_eq!(a, b, "{n}");

            let rows = wide(3 * n, 6);
            let (mut a, mut b) = (vec![0.0; 3 * n], vec![0.0; 3 * n]);
            mix_rows(&wide(9, 7), &rows, n, &mut a);
            mix_rows_body(&wide(9, 7), &rows, n, &mut b);
            assert_eq!(a, b, "{n}");

            let powers: Vec<f64> = wide(n, 8).into_iter().map(|v| v * v).collect();
            let bands = [0..n / 2, n / 2..n];
            let (mut a, mut b) = ([0.0; 2], [0.0; 2]);
            band_powers(&bands, &values, &powers, &mut a);
            band_powers_body(&bands, &values, &powers, &mut b);
            assert_eq!(a, b, "{n}");
        }
    }

    #[test]
    fn logarithms_and_powers_agree_with_the_standard_library() {
        let (mut log, mut power) = (0.0f64, 0.0f64);
        for i in 0..400_000 {
            let x = 1.000_7f64.powi(i % 4000) * (1.0 + f64::from(i) * 1e-7) / 20.0;
            let want = x.log2();
            log = log.max((log2_of(x) - want).abs() / want.abs().max(1.0));
            let y = f64::from(i) * 0.005 - 1000.0;
            power = power.max((exp2_of(y) / y.exp2() - 1.0).abs());
        }
        assert!(log <= 4e-16 && power <= 6e-16, "{log} {power}");
        assert_eq!(
            (exp2_of(1e9), exp2_of(1024.0), exp2_of(0.0), log2_of(1.0)),
            (f64::INFINITY, f64::INFINITY, 1.0, 0.0)
        );
        assert!((log2_of(1e77) - 1e77f64.log2()).abs() < 1e-13 && (log2_of(1e-300) + 996.578).abs() < 0.01);
    }

    #[test]
    fn a_broken_line_is_one() {
        let line = BrokenLine {
            from: [0.0, 10.0, 20.0, 40.0, 60.0],
            at: [3.0, 20.0, 40.0, 60.0, 80.0],
            slope: [1.7, 2.0, 1.0, 1.0, 1.1],
        };
        let mut values = [-5.0, 0.0, 5.0, 10.0, 15.0, 40.0, 100.0];
        broken_line(&mut values, &line);
        assert_eq!(values, [3.0, 3.0, 11.5, 20.0, 30.0, 60.0, 124.0]);
        let mut values = [3.0, 40.0, 50.0];
        sones(&mut values);
        assert!((values[0] - 0.075f64.powf(2.642)).abs() < 1e-15);
        assert!((values[1] - 1.0).abs() < 1e-15 && (values[2] - 2.0).abs() < 1e-15);
        let mut out = [0.0; 4];
        mix_rows(&[1.0, 2.0, 0.0, 1.0], &[1.0, 10.0, 3.0, 30.0], 2, &mut out);
        assert_eq!(out, [7.0, 70.0, 3.0, 30.0]);
    }
}
