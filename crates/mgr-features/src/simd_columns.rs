//! Sums over one column of a spectrogram; see [`crate::simd`] for how they are compiled.
#![allow(unsafe_code)]

use num_complex::Complex64;

use crate::simd::{LANES, dispatched};

/// Filters of a dense bank that are applied together.
pub(crate) const DENSE_ROWS: usize = 4;

/// Double-precision values handled together; two AVX2 registers.
const WIDE_LANES: usize = 8;

/// Where the weight of filter `row` for bin `bin` lies in a dense bank over `bins` bins, a multiple of [`LANES`].
pub(crate) fn dense_index(row: usize, bin: usize, bins: usize) -> usize {
    let (group, within) = (row / DENSE_ROWS, row % DENSE_ROWS);
    group * DENSE_ROWS * bins + (bin / LANES) * DENSE_ROWS * LANES + within * LANES + bin % LANES
}

dispatched! {
    /// `out[r] = sum_k weights[dense_index(r, k)] spectrum[k]`, the length of the spectrum a multiple of [`LANES`].
    apply_dense(weights: &[f32], spectrum: &[f32], out: &mut [f32]) = apply_dense_body
}

#[inline(always)]
fn apply_dense_body(weights: &[f32], spectrum: &[f32], out: &mut [f32]) {
    let groups = weights.chunks_exact(DENSE_ROWS * spectrum.len());
    for (group, out) in groups.zip(out.chunks_mut(DENSE_ROWS)) {
        let mut sums = [[0.0f32; LANES]; DENSE_ROWS];
        let blocks = group.as_chunks::<{ DENSE_ROWS * LANES }>().0.iter();
        for (w, s) in blocks.zip(spectrum.as_chunks::<LANES>().0) {
            for (sums, w) in sums.iter_mut().zip(w.as_chunks::<LANES>().0) {
                for i in 0..LANES {
                    sums[i] += w[i] * s[i];
                }
            }
        }
        for (o, sums) in out.iter_mut().zip(&sums) {
            let mut half = [0.0f32; 8];
            for i in 0..8 {
                half[i] = sums[i] + sums[i + 8];
            }
            *o = ((half[0] + half[4]) + (half[1] + half[5])) + ((half[2] + half[6]) + (half[3] + half[7]));
        }
    }
}

#[inline(always)]
fn total(sums: [f64; WIDE_LANES]) -> f64 {
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]))
}

/// `sum_k term(k)`, eight sums side by side.
#[inline(always)]
fn sum_of(count: usize, term: impl Fn(usize) -> f64) -> f64 {
    let mut sums = [0.0f64; WIDE_LANES];
    let whole = count / WIDE_LANES * WIDE_LANES;
    for at in (0..whole).step_by(WIDE_LANES) {
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum += term(at + i);
        }
    }
    for k in whole..count {
        sums[k - whole] += term(k);
    }
    total(sums)
}

dispatched! {
    /// `out[r] = sum_k rows[r n + k] values[k]` in double precision, with `n = values.len()`.
    dot_rows(rows: &[f64], values: &[f32], out: &mut [f64]) = dot_rows_body
}

#[inline(always)]
fn dot_rows_body(rows: &[f64], values: &[f32], out: &mut [f64]) {
    for (o, row) in out.iter_mut().zip(rows.chunks_exact(values.len().max(1))) {
        let row = &row[..values.len()];
        *o = sum_of(values.len(), |k| row[k] * f64::from(values[k]));
    }
}

dispatched! {
    /// The sum of values and the sum of their squares in double precision.
    sums(values: &[f32], out: &mut [f64; 2]) = sums_body
}

#[inline(always)]
fn sums_body(values: &[f32], out: &mut [f64; 2]) {
    out[0] = sum_of(values.len(), |k| f64::from(values[k]));
    out[1] = sum_of(values.len(), |k| f64::from(values[k]) * f64::from(values[k]));
}

dispatched! {
    /// `out = sum_k values[k] |hz[k] - centre|^power`, a whole power from 1 to 4.
    deviations(values: &[f32], hz: &[f64], centre: f64, power: u32, out: &mut f64) = deviations_body
}

#[inline(always)]
fn deviations_body(values: &[f32], hz: &[f64], centre: f64, power: u32, out: &mut f64) {
    let hz = &hz[..values.len()];
    let term = |k: usize, shape: fn(f64) -> f64| f64::from(values[k]) * shape(hz[k] - centre);
    *out = match power {
        1 => sum_of(values.len(), |k| term(k, f64::abs)),
        2 => sum_of(values.len(), |k| term(k, |d| d * d)),
        3 => sum_of(values.len(), |k| term(k, |d| d * d * d.abs())),
        _ => sum_of(values.len(), |k| term(k, |d| (d * d) * (d * d))),
    };
}

dispatched! {
    /// `out[i] = frame[i] window[i]` in double precision.
    window_wide(frame: &[f32], window: &[f64], out: &mut [f64]) = window_wide_body
}

#[inline(always)]
fn window_wide_body(frame: &[f32], window: &[f64], out: &mut [f64]) {
    for (o, (x, w)) in out.iter_mut().zip(frame.iter().zip(window)) {
        *o = f64::from(*x) * w;
    }
}

dispatched! {
    /// `out[k] = |spectrum[k]|`, the square taken in double precision.
    magnitudes(spectrum: &[Complex64], out: &mut [f32]) = magnitudes_body
}

#[inline(always)]
fn magnitudes_body(spectrum: &[Complex64], out: &mut [f32]) {
    for (o, x) in out.iter_mut().zip(spectrum) {
        *o = (x.re * x.re + x.im * x.im).sqrt() as f32;
    }
}

dispatched! {
    /// `out[k] = |spectrum[k]|^2`, taken in double precision.
    powers(spectrum: &[Complex64], out: &mut [f32]) = powers_body
}

#[inline(always)]
fn powers_body(spectrum: &[Complex64], out: &mut [f32]) {
    for (o, x) in out.iter_mut().zip(spectrum) {
        *o = (x.re * x.re + x.im * x.im) as f32;
    }
}

dispatched! {
    /// How many values lie under `-threshold` where their predecessor does not, or the other way round.
    sign_changes(values: &[f32], threshold: f32, out: &mut u32) = sign_changes_body
}

#[inline(always)]
fn sign_changes_body(values: &[f32], threshold: f32, out: &mut u32) {
    let after = values.get(1..).unwrap_or(&[]);
    *out = values.iter().zip(after).map(|(a, b)| u32::from((*a < -threshold) != (*b < -threshold))).sum();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize) -> Vec<f32> {
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for n in [0, 1, 7, 8, 9, 64, 1025] {
            let values = noise(n);
            let rows: Vec<f64> = noise(3 * n).into_iter().map(f64::from).collect();
            let (mut a, mut b) = ([0.0; 3], [0.0; 3]);
            dot_rows(&rows, &values, &mut a);
            dot_rows_body(&rows, &values, &mut b);
            assert_eq!(a, b, "dot of {n}");
            for power in 1..=4 {
                let (mut a, mut b) = (0.0, 0.0);
                deviations(&values, &rows, 0.3, power, &mut a);
                deviations_body(&values, &rows, 0.3, power, &mut b);
                assert_eq!(a, b, "deviation of {n}");
            }
            let (mut a, mut b) = ([0.0; 2], [0.0; 2]);
            sums(&values, &mut a);
            sums_body(&values, &mut b);
            assert_eq!(a, b, "sums of {n}");
            let spectrum: Vec<Complex64> = rows.iter().map(|v| Complex64::new(*v, v + 0.5)).collect();
            for (wide, narrow) in [
                (magnitudes as fn(&[Complex64], &mut [f32]), magnitudes_body as fn(&[Complex64], &mut [f32])),
                (powers, powers_body),
            ] {
                let (mut a, mut b) = (vec![0.0; 3 * n], vec![0.0; 3 * n]);
                wide(&spectrum, &mut a);
                narrow(&spectrum, &mut b);
                assert_eq!(a, b, "magnitudes of {n}");
            }
            let (mut a, mut b) = (vec![0.0; n], vec![0.0; n]);
            window_wide(&values, &rows, &mut a);
            window_wide_body(&values, &rows, &mut b);
            assert_eq!(a, b, "window of {n}");
            let (mut a, mut b) = (0, 0);
            sign_changes(&values, 0.01, &mut a);
            sign_changes_body(&values, 0.01, &mut b);
            assert_eq!(a, b, "sign changes of {n}");
        }
        for (rows, blocks) in [(1, 1), (5, 3), (12, 65)] {
            let bins = blocks * LANES;
            let weights = noise(usize::div_ceil(rows, DENSE_ROWS) * DENSE_ROWS * bins);
            let spectrum = noise(bins);
            let (mut a, mut b) = (vec![0.0; rows], vec![0.0; rows]);
            apply_dense(&weights, &spectrum, &mut a);
            apply_dense_body(&weights, &spectrum, &mut b);
            assert_eq!(a, b, "dense bank of {rows}");
            for (row, got) in a.iter().enumerate() {
                let terms = (0..bins).map(|k| weights[dense_index(row, k, bins)] * spectrum[k]);
                let want: f64 = terms.map(f64::from).sum();
                assert!((f64::from(*got) - want).abs() < 1e-5 * bins as f64, "{got} {want}");
            }
        }
    }

    #[test]
    fn sums_are_what_they_say() {
        let values = noise(1001);
        let hz: Vec<f64> = (0..1001).map(f64::from).collect();
        for power in 1..=4 {
            let mut got = 0.0;
            deviations(&values, &hz, 500.5, power, &mut got);
            let terms = values.iter().zip(&hz);
            let want: f64 = terms.map(|(v, f)| f64::from(*v) * (f - 500.5f64).abs().powi(power as i32)).sum();
            assert!((got - want).abs() <= 1e-12 * 1001.0 * 500f64.powi(power as i32), "{got} {want}");
        }
        let mut changes = 0;
        sign_changes(&[1.0, -1.0, -0.0, 1.0, -2.0, -1e-11], 1e-10, &mut changes);
        assert_eq!(changes, 4);
    }
}
