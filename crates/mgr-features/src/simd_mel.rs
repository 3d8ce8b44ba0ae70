//! The inner loops of what follows a mel spectrogram; see [`crate::simd`] for how they are compiled.
#![allow(unsafe_code)]

use num_complex::Complex32;

use crate::log::ln_of_normal;
use crate::simd::dispatched;

/// Outputs of a projection come in blocks of this many.
pub(crate) const PROJECT_BLOCK: usize = 8;

dispatched! {
    /// `out[8b + j] = sum_i weights[(b inputs + i) 8 + j] values[i]`, where `inputs` is the count of values.
    project(weights: &[f32], values: &[f32], out: &mut [f32]) = project_body
}

#[inline(always)]
fn project_body(weights: &[f32], values: &[f32], out: &mut [f32]) {
    let rows = weights.as_chunks::<PROJECT_BLOCK>().0;
    for (block, out) in out.chunks_mut(PROJECT_BLOCK).enumerate() {
        let rows = &rows[block * values.len()..(block + 1) * values.len()];
        // Four sums at a time, so that an addition need not wait for the one before.
        let mut sums = [[0.0f32; PROJECT_BLOCK]; 4];
        let (fours, rest) = values.as_chunks::<4>();
        let (row_fours, row_rest) = rows.as_chunks::<4>();
        for (v, w) in fours.iter().zip(row_fours) {
            for s in 0..4 {
                for j in 0..PROJECT_BLOCK {
                    sums[s][j] += w[s][j] * v[s];
                }
            }
        }
        for (v, w) in rest.iter().zip(row_rest) {
            for j in 0..PROJECT_BLOCK {
                sums[0][j] += w[j] * v;
            }
        }
        for (j, o) in out.iter_mut().enumerate() {
            *o = (sums[0][j] + sums[2][j]) + (sums[1][j] + sums[3][j]);
        }
    }
}

dispatched! {
    /// `out[i] = sum_j weights[j] columns[j rows + i]`, summed in f64, where `rows` is the count of outputs.
    combine(weights: &[f64], columns: &[f32], out: &mut [f32]) = combine_body
}

#[inline(always)]
fn combine_body(weights: &[f64], columns: &[f32], out: &mut [f32]) {
    let rows = out.len();
    for (block, out) in out.chunks_mut(8).enumerate() {
        let mut sums = [0.0f64; 8];
        for (w, column) in weights.iter().zip(columns.chunks_exact(rows)) {
            for (s, v) in sums.iter_mut().zip(&column[8 * block..8 * block + out.len()]) {
                *s += w * f64::from(*v);
            }
        }
        out.iter_mut().zip(sums).for_each(|(o, s)| *o = s as f32);
    }
}

/// A whole number `n` as it lies in the bits of a sum, and `exp(x) / 2^n - 1`; `n` is the one nearest to `x / ln 2`.
///
/// The rest `r` is at most `ln 2 / 2`, where the Taylor series to `r^7 / 7!` is exact to `5e-9`.
#[inline(always)]
fn exp_parts(x: f32) -> (i32, f32) {
    /// Adding and taking off 1.5 * 2^23 rounds to a whole number, without the instruction for it, which old processors lack.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let series = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0))));
    (rounded.to_bits().wrapping_sub(ROUND.to_bits()) as i32, r + r * r * (0.5 + r * series))
}

/// `2^n` for `n` within -126 and 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// `exp(x)` to 2 units in the last place; 0 for what would be less than the least normal number, infinity over the largest.
#[inline(always)]
pub(crate) fn exp_of(x: f32) -> f32 {
    const LEAST: f32 = -87.336_54;
    const LARGEST: f32 = 88.722_83;
    let inside = if x < LEAST { LEAST } else { x };
    let inside = if inside > LARGEST { LARGEST } else { inside };
    let (n, less_one) = exp_parts(inside);
    // In two steps: the whole power of two may be just too large for a number.
    let half = n >> 1;
    let result = (1.0 + less_one) * power_of_two(half) * power_of_two(n.wrapping_sub(half));
    let result = if x < LEAST { 0.0 } else { result };
    if x > LARGEST { f32::INFINITY } else { result }
}

/// `exp(x) - 1`, without the loss of digits near 0.
#[inline(always)]
fn exp_less_one(x: f32) -> f32 {
    const LARGEST: f32 = 88.722_83;
    let inside = if x < -80.0 { -80.0 } else { x };
    let inside = if inside > LARGEST { LARGEST } else { inside };
    let (n, less_one) = exp_parts(inside);
    // Both ways are always computed: a loop with branches would not be vectorised.
    let half = n >> 1;
    let far = (1.0 + less_one) * power_of_two(half) * power_of_two(n.wrapping_sub(half)) - 1.0;
    let power = power_of_two(n);
    let near = power * less_one + (power - 1.0);
    let result = if x > 60.0 { far } else { near };
    if x > LARGEST { f32::INFINITY } else { result }
}

/// The largest number in place of infinity.
#[inline(always)]
fn largest_number(x: f32) -> f32 {
    if x > f32::MAX { f32::MAX } else { x }
}

/// `ln(1 + x)` for `x` of 0 or more, without the loss of digits near 0.
#[inline(always)]
fn ln_one_more(x: f32) -> f32 {
    let sum = largest_number(1.0 + x);
    // What rounding took from the sum, as far as the logarithm notices.
    let lost = x - (sum - 1.0);
    ln_of_normal(sum) + lost / sum
}

dispatched! {
    /// `exp(scale values[i])`; see [`exp_of`].
    exp_scaled(values: &mut [f32], scale: f32) = exp_scaled_body
}

#[inline(always)]
fn exp_scaled_body(values: &mut [f32], scale: f32) {
    for v in values {
        *v = exp_of(*v * scale);
    }
}

/// Constants of per-channel energy normalisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PcenCurve {
    pub(crate) gain: f32,
    pub(crate) bias: f32,
    pub(crate) power: f32,
    pub(crate) eps: f32,
    /// `bias^power`.
    pub(crate) scale: f32,
}

dispatched! {
    /// Per-channel energy normalisation of `values`, given their smoothed energies; see [`crate::pcen`].
    pcen(values: &mut [f32], smoothed: &[f32], curve: &PcenCurve) = pcen_body
}

#[inline(always)]
fn pcen_body(values: &mut [f32], smoothed: &[f32], curve: &PcenCurve) {
    let PcenCurve { gain, bias, power, eps, scale } = *curve;
    let ln_smooth = |m: f32| -gain * ln_of_normal(largest_number(eps + m));
    if power == 0.0 {
        for (v, m) in values.iter_mut().zip(smoothed) {
            *v = ln_one_more(*v * exp_of(ln_smooth(*m)));
        }
    } else if bias == 0.0 {
        for (v, m) in values.iter_mut().zip(smoothed) {
            // The logarithm of 0 would be minus infinity, and this is what that gives.
            let normal = if *v < f32::MIN_POSITIVE { f32::MIN_POSITIVE } else { *v };
            let bent = exp_of(power * (ln_of_normal(normal) + ln_smooth(*m)));
            *v = if *v < f32::MIN_POSITIVE { 0.0 } else { bent };
        }
    } else {
        let per_bias = 1.0 / bias;
        for (v, m) in values.iter_mut().zip(smoothed) {
            *v = scale * exp_less_one(power * ln_one_more(*v * exp_of(ln_smooth(*m)) * per_bias));
        }
    }
}

dispatched! {
    /// `state = b input + (1 - b) state`, in f64, and the result rounded.
    smooth(state: &mut [f64], input: &[f32], b: f64, out: &mut [f32]) = smooth_body
}

#[inline(always)]
fn smooth_body(state: &mut [f64], input: &[f32], b: f64, out: &mut [f32]) {
    for ((s, x), o) in state.iter_mut().zip(input).zip(out) {
        *s = b * f64::from(*x) + (1.0 - b) * *s;
        *o = *s as f32;
    }
}

dispatched! {
    /// The next spectrum of Griffin and Lim's algorithm: the magnitudes, with the phases of `rebuilt - alpha before`; then
    /// `before` becomes `rebuilt`.
    rephase(rebuilt: &[Complex32], before: &mut [Complex32], magnitude: &[f32], alpha: f32, out: &mut [Complex32])
        = rephase_body
}

#[inline(always)]
fn rephase_body(
    rebuilt: &[Complex32],
    before: &mut [Complex32],
    magnitude: &[f32],
    alpha: f32,
    out: &mut [Complex32],
) {
    /// Squares of less are no normal numbers any more; such values stay small instead of becoming size one.
    const LEAST: f32 = 1.1e-19;
    for (((z, b), m), o) in rebuilt.iter().zip(before).zip(magnitude).zip(out) {
        let (re, im) = (z.re - alpha * b.re, z.im - alpha * b.im);
        let scale = m / (re * re + im * im).sqrt().max(LEAST);
        *o = Complex32::new(re * scale, im * scale);
        *b = *z;
    }
}

/// Columns that [`nnls_gradient`] and [`nnls_step`] handle together.
pub(crate) const NNLS_LANES: usize = 16;

dispatched! {
    /// `gradient = A' (target - A at)` for a sparse matrix `A` of rows, for columns side by side.
    nnls_gradient(
        rows: &[(usize, Vec<f32>)],
        target: &[[f32; NNLS_LANES]],
        at: &[[f32; NNLS_LANES]],
        gradient: &mut [[f32; NNLS_LANES]]
    ) = nnls_gradient_body
}

#[inline(always)]
fn nnls_gradient_body(
    rows: &[(usize, Vec<f32>)],
    target: &[[f32; NNLS_LANES]],
    at: &[[f32; NNLS_LANES]],
    gradient: &mut [[f32; NNLS_LANES]],
) {
    gradient.fill([0.0; NNLS_LANES]);
    for ((first, weights), target) in rows.iter().zip(target) {
        let mut left = *target;
        for (w, x) in weights.iter().zip(&at[*first..]) {
            for l in 0..NNLS_LANES {
                left[l] -= w * x[l];
            }
        }
        for (w, g) in weights.iter().zip(&mut gradient[*first..]) {
            for l in 0..NNLS_LANES {
                g[l] += w * left[l];
            }
        }
    }
}

/// What a step of [`nnls_step`] did, for each column: the largest change times its bound, and whether the momentum went
/// against the step.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct NnlsStep {
    pub(crate) largest: [f32; NNLS_LANES],
    pub(crate) against: [f32; NNLS_LANES],
}

dispatched! {
    /// A projected step from `at` along the gradient over the bounds of the curvature, then the momentum:
    /// `new = max(0, at + gradient / bound)`, `at = new + beta (new - x)`, `x = new`.
    nnls_step(
        gradient: &[[f32; NNLS_LANES]],
        bounds: &[f32],
        beta: &[f32; NNLS_LANES],
        x: &mut [[f32; NNLS_LANES]],
        at: &mut [[f32; NNLS_LANES]],
        step: &mut NnlsStep
    ) = nnls_step_body
}

#[inline(always)]
fn nnls_step_body(
    gradient: &[[f32; NNLS_LANES]],
    bounds: &[f32],
    beta: &[f32; NNLS_LANES],
    x: &mut [[f32; NNLS_LANES]],
    at: &mut [[f32; NNLS_LANES]],
    step: &mut NnlsStep,
) {
    let NnlsStep { mut largest, mut against } = NnlsStep::default();
    for (((g, bound), x), at) in gradient.iter().zip(bounds).zip(x).zip(at) {
        let per_bound = if *bound > 0.0 { 1.0 / bound } else { 0.0 };
        for l in 0..NNLS_LANES {
            let new = (at[l] + g[l] * per_bound).max(0.0);
            let moved = new - at[l];
            let direction = new - x[l];
            largest[l] = largest[l].max(moved.abs() * bound);
            against[l] -= moved * bound * direction;
            x[l] = new;
            at[l] = new + beta[l] * direction;
        }
    }
    *step = NnlsStep { largest, against };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize) -> Vec<f32> {
        let mut state = 5_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for n in [0, 1, 3, 4, 7, 8, 9, 20, 128, 129] {
            let (values, weights) = (noise(n), noise(n * 24));
            let (mut a, mut b) = (vec![0.0; 20], vec![1.0; 20]);
            project(&weights, &values, &mut a);
            project_body(&weights, &values, &mut b);
            assert_eq!(a, b, "projection of {n}");

            let weights: Vec<f64> = noise(9).into_iter().map(f64::from).collect();
            let columns = noise(9 * n);
            let (mut a, mut b) = (vec![0.0; n], vec![1.0; n]);
            combine(&weights, &columns, &mut a);
            combine_body(&weights, &columns, &mut b);
            assert_eq!(a, b, "combination of {n}");

            let (mut a, mut b) = (values.clone(), values.clone());
            exp_scaled(&mut a, 90.0);
            exp_scaled_body(&mut b, 90.0);
            assert_eq!(a, b, "exponential of {n}");

            let of = |v: Vec<f32>| -> Vec<Complex32> {
                v.as_chunks().0.iter().map(|[a, b]| Complex32::new(*a, *b)).collect()
            };
            let (rebuilt, magnitude) = (of(noise(2 * n)), noise(n));
            let (mut a, mut b) = (of(noise(2 * n)), of(noise(2 * n)));
            let (mut c, mut d) = (rebuilt.clone(), rebuilt.clone());
            rephase(&rebuilt, &mut a, &magnitude, 0.4, &mut c);
            rephase_body(&rebuilt, &mut b, &magnitude, 0.4, &mut d);
            assert_eq!((a, c), (b, d), "phases of {n}");

            let lanes = |n| -> Vec<[f32; NNLS_LANES]> { noise(NNLS_LANES * n).as_chunks().0.to_vec() };
            let rows: Vec<(usize, Vec<f32>)> = (0..n / 2).map(|m| (m, noise(n / 2))).collect();
            let (mut a, mut b) = (lanes(n), lanes(n));
            nnls_gradient(&rows, &lanes(n / 2), &lanes(n), &mut a);
            nnls_gradient_body(&rows, &lanes(n / 2), &lanes(n), &mut b);
            assert_eq!(a, b, "gradient of {n}");
            let (mut x, mut y, mut s) = (lanes(n), lanes(n), NnlsStep::default());
            let (mut u, mut v, mut t) = (lanes(n), lanes(n), NnlsStep::default());
            nnls_step(&a, &noise(n), &[0.7; NNLS_LANES], &mut x, &mut y, &mut s);
            nnls_step_body(&a, &noise(n), &[0.7; NNLS_LANES], &mut u, &mut v, &mut t);
            assert_eq!((x, y, s), (u, v, t), "step of {n}");

            let (mut a, mut b) = (values.clone(), values.clone());
            let input: Vec<f32> = values.iter().map(|v| (v + 1.0) * 1e5).collect();
            let (mut s, mut t) = (vec![1.0; n], vec![1.0; n]);
            smooth(&mut s, &input, 0.1, &mut a);
            smooth_body(&mut t, &input, 0.1, &mut b);
            assert_eq!((&a, &s), (&b, &t), "smoothing of {n}");

            for (bias, power) in [(2.0, 0.5), (2.0, 0.0), (0.0, 0.5)] {
                let curve = PcenCurve { gain: 0.98, bias, power, eps: 1e-6, scale: bias.powf(power) };
                let (mut x, mut y) = (input.clone(), input.clone());
                pcen(&mut x, &a, &curve);
                pcen_body(&mut y, &a, &curve);
                assert_eq!(x, y, "normalisation of {n}");
            }
        }
    }

    #[test]
    fn exponentials_agree_with_the_standard_library() {
        let ulp = |v: f64| f64::from((v as f32).abs().next_up()) - f64::from((v as f32).abs());
        let (mut worst_exp, mut worst_less, mut worst_more) = (0.0f64, 0.0f64, 0.0f64);
        for i in -870_000..=887_000 {
            let x = i as f32 * 1e-4;
            let wide = f64::from(x);
            worst_exp = worst_exp.max((f64::from(exp_of(x)) - wide.exp()).abs() / ulp(wide.exp()));
            if x.abs() < 70.0 {
                worst_less =
                    worst_less.max((f64::from(exp_less_one(x)) - wide.exp_m1()).abs() / ulp(wide.exp_m1()));
            }
            let y = f32::from_bits((x + 88.0).to_bits() / 2 + 0x1000_0000);
            let wide = f64::from(y).ln_1p();
            worst_more = worst_more.max((f64::from(ln_one_more(y)) - wide).abs() / ulp(wide));
        }
        assert!(worst_exp <= 2.0, "exp: {worst_exp} units in the last place");
        assert!(worst_less <= 3.0, "exp - 1: {worst_less} units in the last place");
        assert!(worst_more <= 3.0, "ln(1 + x): {worst_more} units in the last place");
        assert_eq!((exp_of(-100.0), exp_of(f32::NEG_INFINITY), exp_of(89.0)), (0.0, 0.0, f32::INFINITY));
        assert!(exp_of(f32::NAN).is_nan());
        assert_eq!((exp_less_one(0.0), exp_less_one(-200.0), ln_one_more(0.0)), (0.0, -1.0, 0.0));
    }
}
