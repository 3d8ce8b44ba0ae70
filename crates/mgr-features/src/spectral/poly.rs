//! A polynomial through a spectrum.

use serde::{Deserialize, Serialize};

use super::{Descriptor, Spectral};
use crate::extractor::{Axis, Unit};
use crate::frequency::fft_frequencies;
use crate::simd::sums::dot_rows;
use crate::stft::StftConfig;
use crate::{FeatureError, check};

/// The highest degree: beyond it the powers of frequencies can no longer be told apart in f64.
const HIGHEST: usize = 12;

/// Parameters of polynomial features: the coefficients, highest degree first, of the polynomial in the frequency in Hz that
/// comes nearest to the magnitudes of a column by least squares. Defaults are librosa's.
///
/// The frequencies are the same for every column, so the fit is one matrix, found once by orthogonalisation in f64. Silence
/// gives 0. Coefficients of high degrees are small numbers, for Hz are large ones: over degree 8 they leave the normal range
/// of f32. Source: librosa 0.11 `feature.poly_features`.
///
/// ```
/// use mgr_features::spectral::PolyConfig;
/// use ndarray::Array2;
/// let line = PolyConfig::default().plan(22_050)?;
/// let magnitude = Array2::from_shape_fn((1025, 3), |(k, _)| 7.0 + 0.5 * (k as f32 * 22_050.0 / 2048.0));
/// let fit = line.process_spectrogram(magnitude.view())?;
/// assert!((fit[[0, 1]] - 0.5).abs() < 1e-6 && (fit[[1, 1]] - 7.0).abs() < 1e-3);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolyConfig {
    /// The transform.
    pub stft: StftConfig,
    /// Degree of the polynomial, 0 to 12, under the number of bins. Default 1.
    pub order: usize,
}

impl Default for PolyConfig {
    fn default() -> Self {
        Self { stft: StftConfig::default(), order: 1 }
    }
}

impl PolyConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a degree out of range, a sampling rate of 0, and all that [`StftConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<Spectral, FeatureError> {
        let order = self.order;
        check::within("order", order as f64, 0.0, HIGHEST as f64)?;
        Spectral::plan(&self.stft, sample_rate, |n_fft| {
            let bins = n_fft / 2 + 1;
            if order >= bins {
                return Err(FeatureError::parameter("order", order, format!("under {bins} bins")));
            }
            let hz: Vec<f64> = fft_frequencies(sample_rate, n_fft).collect();
            Ok(Poly { rows: fit(&hz, order), order })
        })
    }
}

/// The matrix that takes values at `x` to the coefficients of their polynomial, highest degree first, row after row.
///
/// The powers of `x / max x` are made orthonormal one after another (`V = Q R`, each projected off twice, for the first time
/// leaves rounding behind); the coefficients of `y` solve `R c = Q^T y`.
fn fit(x: &[f64], order: usize) -> Vec<f64> {
    let count = order + 1;
    let scale = x.iter().copied().fold(0.0, f64::max);
    let scale = if scale > 0.0 { scale } else { 1.0 };
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    // Row after row.
    let mut r = vec![0.0; count * count];
    for degree in 0..count {
        let mut column: Vec<f64> = x.iter().map(|v| (v / scale).powi(degree as i32)).collect();
        for _ in 0..2 {
            for (earlier, unit) in basis.iter().enumerate() {
                let along: f64 = unit.iter().zip(&column).map(|(u, c)| u * c).sum();
                r[earlier * count + degree] += along;
                column.iter_mut().zip(unit).for_each(|(c, u)| *c -= along * u);
            }
        }
        let length = column.iter().map(|c| c * c).sum::<f64>().sqrt();
        r[degree * count + degree] = length;
        column.iter_mut().for_each(|c| *c /= length);
        basis.push(column);
    }
    // Back substitution, from the highest degree down.
    for degree in (0..count).rev() {
        let (lower, upper) = basis.split_at_mut(degree + 1);
        let row = &mut lower[degree];
        for (above, known) in upper.iter().enumerate() {
            let factor = r[degree * count + degree + 1 + above];
            row.iter_mut().zip(known).for_each(|(c, k)| *c -= factor * k);
        }
        row.iter_mut().for_each(|c| *c /= r[degree * count + degree]);
    }
    for (degree, row) in basis.iter_mut().enumerate() {
        let unscaled = scale.powi(degree as i32);
        row.iter_mut().for_each(|c| *c /= unscaled);
    }
    basis.into_iter().rev().flatten().collect()
}

#[derive(Debug)]
struct Poly {
    rows: Vec<f64>,
    order: usize,
}

impl Descriptor for Poly {
    fn name(&self) -> &'static str {
        "poly_features"
    }

    fn rows(&self) -> usize {
        self.order + 1
    }

    fn row_axis(&self) -> Axis {
        Axis::Name { names: (0..=self.order).rev().map(|degree| format!("degree {degree}")).collect() }
    }

    fn unit(&self) -> Unit {
        Unit::Coefficient
    }

    fn column(&self, spectrum: &[f32], _: &mut [f32], _: &mut [f32], out: &mut [f32]) {
        let mut coefficients = [0.0; HIGHEST + 1];
        dot_rows(&self.rows, spectrum, &mut coefficients[..=self.order]);
        out.iter_mut().zip(coefficients).for_each(|(to, from)| *to = from as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polynomial_is_found_again() {
        let x: Vec<f64> = (0..200).map(|i| f64::from(i) * 40.0).collect();
        for order in 0..=HIGHEST {
            // Each power counts alike over the range.
            let truth: Vec<f64> =
                (0..=order).map(|d| (1.0 + d as f64) / 8000f64.powi((order - d) as i32)).collect();
            let y = x.iter().map(|v| truth.iter().fold(0.0, |sum, c| sum * v + c));
            let y: Vec<f64> = y.collect();
            for (row, want) in fit(&x, order).chunks(200).zip(&truth) {
                let got: f64 = row.iter().zip(&y).map(|(a, b)| a * b).sum();
                // The powers of degree 12 are nearly alike: the condition of the problem is some 1e9.
                assert!((got - want).abs() <= 1e-5 * want.abs(), "{order}: {got} {want}");
            }
        }
    }
}
