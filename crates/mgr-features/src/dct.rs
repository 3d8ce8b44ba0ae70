//! Discrete cosine transforms of columns, as matrices: few outputs of few inputs, where a product beats a fast transform.

use std::f64::consts::{PI, SQRT_2};

use serde::{Deserialize, Serialize};

use crate::simd::products::{PROJECT_BLOCK, project};

/// Type of a discrete cosine transform of `N` values `x`, unscaled, as in scipy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DctType {
    /// `y[k] = x[0] + (-1)^k x[N-1] + 2 sum_{0<n<N-1} x[n] cos(pi k n / (N - 1))`; `N` is at least 2.
    One,
    /// `y[k] = 2 sum_n x[n] cos(pi k (2n + 1) / (2N))`; the default everywhere.
    #[default]
    Two,
    /// `y[k] = x[0] + 2 sum_{n>0} x[n] cos(pi n (2k + 1) / (2N))`, which the HTK book uses.
    Three,
}

/// Scaling of a discrete cosine transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DctNorm {
    /// The matrix is orthonormal; the default.
    #[default]
    Ortho,
    /// As the sums are written.
    None,
}

/// Coefficient of input `n` in output `k` of a transform of `size` values.
pub(crate) fn forward(kind: DctType, norm: DctNorm, size: usize, k: usize, n: usize) -> f64 {
    let (kf, nf, sizef) = (k as f64, n as f64, size as f64);
    let end = |i: usize| i == 0 || i + 1 == size;
    match (kind, norm) {
        (DctType::One, DctNorm::None) => {
            (if end(n) { 1.0 } else { 2.0 }) * (PI * kf * nf / (sizef - 1.0)).cos()
        }
        (DctType::One, DctNorm::Ortho) => {
            let half = |i| if end(i) { 1.0 / SQRT_2 } else { 1.0 };
            (2.0 / (sizef - 1.0)).sqrt() * half(k) * half(n) * (PI * kf * nf / (sizef - 1.0)).cos()
        }
        (DctType::Two, DctNorm::None) => 2.0 * (PI * kf * (2.0 * nf + 1.0) / (2.0 * sizef)).cos(),
        (DctType::Two, DctNorm::Ortho) => {
            let scale = if k == 0 { 1.0 / sizef } else { 2.0 / sizef };
            scale.sqrt() * (PI * kf * (2.0 * nf + 1.0) / (2.0 * sizef)).cos()
        }
        (DctType::Three, DctNorm::None) => {
            (if n == 0 { 1.0 } else { 2.0 }) * (PI * nf * (2.0 * kf + 1.0) / (2.0 * sizef)).cos()
        }
        (DctType::Three, DctNorm::Ortho) => forward(DctType::Two, DctNorm::Ortho, size, n, k),
    }
}

/// Coefficient of input `k` in output `n` of the inverse.
pub(crate) fn inverse(kind: DctType, norm: DctNorm, size: usize, n: usize, k: usize) -> f64 {
    match (kind, norm) {
        (_, DctNorm::Ortho) => forward(kind, norm, size, k, n),
        (DctType::One, DctNorm::None) => forward(kind, norm, size, n, k) / (2.0 * (size as f64 - 1.0)),
        (DctType::Two, DctNorm::None) => forward(DctType::Three, norm, size, n, k) / (2.0 * size as f64),
        (DctType::Three, DctNorm::None) => forward(DctType::Two, norm, size, n, k) / (2.0 * size as f64),
    }
}

/// A small dense matrix, applied to columns.
#[derive(Debug, Clone)]
pub(crate) struct Projection {
    inputs: usize,
    outputs: usize,
    /// Outputs in blocks, and for each input the coefficients of a block side by side.
    weights: Vec<f32>,
}

impl Projection {
    /// From the coefficient of input `i` in output `o`, as `of(o, i)`.
    pub(crate) fn new(outputs: usize, inputs: usize, of: impl Fn(usize, usize) -> f64) -> Self {
        let mut weights = Vec::with_capacity(outputs.next_multiple_of(PROJECT_BLOCK) * inputs);
        for first in (0..outputs).step_by(PROJECT_BLOCK) {
            for i in 0..inputs {
                let lane = |o| if o < outputs { of(o, i) as f32 } else { 0.0 };
                weights.extend((first..first + PROJECT_BLOCK).map(lane));
            }
        }
        Self { inputs, outputs, weights }
    }

    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// `out[o] = sum_i of(o, i) values[i]`.
    pub(crate) fn apply(&self, values: &[f32], out: &mut [f32]) {
        debug_assert_eq!((values.len(), out.len()), (self.inputs, self.outputs));
        project(&self.weights, values, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_values_of_scipy() {
        // scipy.fft.dct([1, 2, 3, 5], type, norm=norm)
        let known: [(DctType, DctNorm, [f64; 4]); 6] = [
            (DctType::One, DctNorm::None, [16.0, -5.0, 1.0, -2.0]),
            (DctType::Two, DctNorm::None, [22.0, -8.1564031248, SQRT_2, -1.2137083939]),
            (DctType::Three, DctNorm::None, [12.7649931408, -10.9507022828, 4.4654209085, -2.2797117666]),
            (DctType::One, DctNorm::Ortho, [5.3362410887, -2.7176493672, 1.4228601628, -1.0556428927]),
            (DctType::Two, DctNorm::Ortho, [5.5, -2.8837239798, 0.5, -0.4291107179]),
            (DctType::Three, DctNorm::Ortho, [4.6595532152, -3.725211312, 1.725211312, -0.6595532152]),
        ];
        let x = [1.0, 2.0, 3.0, 5.0];
        for (kind, norm, want) in known {
            for (k, want) in want.iter().enumerate() {
                let got: f64 = (0..4).map(|n| forward(kind, norm, 4, k, n) * x[n]).sum();
                assert!((got - want).abs() < 1e-8, "{kind:?} {norm:?} {k}: {got} {want}");
            }
        }
    }

    #[test]
    fn inverts() {
        for kind in [DctType::One, DctType::Two, DctType::Three] {
            for norm in [DctNorm::Ortho, DctNorm::None] {
                for (a, b) in (0..49).map(|i| (i / 7, i % 7)) {
                    let product: f64 =
                        (0..7).map(|k| inverse(kind, norm, 7, a, k) * forward(kind, norm, 7, k, b)).sum();
                    assert!((product - f64::from(u8::from(a == b))).abs() < 1e-12, "{kind:?} {norm:?}");
                }
            }
        }
    }
}
