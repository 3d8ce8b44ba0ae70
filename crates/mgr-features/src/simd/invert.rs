//! Steps of the inversions of features: phases (Griffin and Lim) and non-negative least squares.

use num_complex::Complex32;

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
    use super::super::noise;
    use super::*;

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for n in [0, 1, 3, 4, 7, 8, 9, 20, 129] {
            let of = |v: Vec<f32>| -> Vec<Complex32> {
                v.as_chunks().0.iter().map(|[a, b]| Complex32::new(*a, *b)).collect()
            };
            let noise = |n| noise(n, 5);
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
        }
    }
}
