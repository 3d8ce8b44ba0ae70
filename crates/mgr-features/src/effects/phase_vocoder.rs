//! The phase vocoder: a short-time Fourier transform at another speed.

use ndarray::{Array2, ArrayView2};
use num_complex::{Complex32, Complex64};
use serde::{Deserialize, Serialize};

use crate::{FeatureError, check};

/// The slowest and the fastest rate.
pub(super) const RATES: (f64, f64) = (1.0 / 64.0, 64.0);

/// Parameters of a phase vocoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PhaseVocoderConfig {
    /// Speed: 2 is twice as fast. 1/64 to 64. Default 1.
    pub rate: f64,
}

impl Default for PhaseVocoderConfig {
    fn default() -> Self {
        Self { rate: 1.0 }
    }
}

impl PhaseVocoderConfig {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a rate outside 1/64 to 64.
    pub fn plan(&self) -> Result<PhaseVocoder, FeatureError> {
        check::within("rate", self.rate, RATES.0, RATES.1)?;
        Ok(PhaseVocoder { rate: self.rate })
    }
}

/// A planned phase vocoder (Flanagan and Golden 1966, as Ellis 2002 wrote it down): output column `t` has the magnitude between the
/// input columns around `t rate`, and in each bin the phase that the step from one of them to the next turned it by.
///
/// Source: librosa 0.11 `phase_vocoder`. The reference adds up angles, from which it takes an expected advance first and gives it back
/// after; over a full turn that comes to nothing, so the hop length does not matter, and here unit phasors are multiplied instead,
/// in f64.
#[derive(Debug, Clone)]
pub struct PhaseVocoder {
    rate: f64,
}

impl PhaseVocoder {
    /// Columns of the result for `columns` columns: `ceil(columns / rate)`.
    #[must_use]
    pub fn columns(&self, columns: usize) -> usize {
        (columns as f64 / self.rate).ceil() as usize
    }

    /// The input column that output column `t` starts from, and how far it is to the next.
    pub(super) fn step(&self, t: usize) -> (usize, f64) {
        let position = t as f64 * self.rate;
        (position as usize, position.fract())
    }

    /// The transform at another speed: (bins, frames) to (bins, ceil(frames / rate)).
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] for no frame, [`FeatureError::Memory`].
    pub fn process(&self, spectrogram: ArrayView2<'_, Complex32>) -> Result<Array2<Complex32>, FeatureError> {
        let (bins, frames) = spectrogram.dim();
        if frames == 0 {
            return Err(FeatureError::TooShort { got: 0, needed: 1 });
        }
        let mut out = check::matrix::<Complex32>(bins, self.columns(frames))?;
        let wide = |z: &Complex32| Complex64::new(f64::from(z.re), f64::from(z.im));
        let column = |t: usize| -> Vec<Complex64> {
            if t < frames {
                spectrogram.column(t).iter().map(wide).collect()
            } else {
                vec![Complex64::default(); bins]
            }
        };
        let mut phases = Phases::new(bins);
        phases.start(&column(0));
        for (t, mut to) in out.columns_mut().into_iter().enumerate() {
            let (first, share) = self.step(t);
            // `matrix` makes contiguous columns.
            if let Some(to) = to.as_slice_mut() {
                phases.advance(&column(first), &column(first + 1), share, to);
            }
        }
        Ok(out)
    }
}

/// The phase of every bin, as a unit phasor.
#[derive(Debug, Clone)]
pub(super) struct Phases(Vec<Complex64>);

impl Phases {
    pub(super) fn new(bins: usize) -> Self {
        Self(vec![Complex64::new(1.0, 0.0); bins])
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The phases of the first column.
    pub(super) fn start(&mut self, column: &[Complex64]) {
        self.0.iter_mut().zip(column).for_each(|(phase, value)| *phase = unit(*value).1);
    }

    /// A column between two, at the present phases, which then turn as from the one to the other.
    pub(super) fn advance(
        &mut self,
        from: &[Complex64],
        to: &[Complex64],
        share: f64,
        out: &mut [Complex32],
    ) {
        for (((phase, a), b), out) in self.0.iter_mut().zip(from).zip(to).zip(out) {
            let ((length_a, a), (length_b, b)) = (unit(*a), unit(*b));
            let value = *phase * ((1.0 - share) * length_a + share * length_b);
            *out = Complex32::new(value.re as f32, value.im as f32);
            let turned = *phase * (b * a.conj());
            // One step of Newton's towards length 1, so that rounding does not add up.
            *phase = turned * (1.5 - 0.5 * turned.norm_sqr());
        }
    }
}

/// Length and direction; the direction of zero is that of 1, as its angle is 0.
fn unit(value: Complex64) -> (f64, Complex64) {
    let length = value.norm_sqr().sqrt();
    if length > 0.0 { (length, value / length) } else { (0.0, Complex64::new(1.0, 0.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference's way: angles, wrapped and added up.
    fn by_angles(d: &Array2<Complex32>, rate: f64, n_fft: usize, hop: usize) -> Array2<Complex32> {
        use std::f64::consts::TAU;
        let steps: Vec<f64> = (0..).map(|t| t as f64 * rate).take_while(|s| *s < d.ncols() as f64).collect();
        let at = |k: usize, t: usize| d.get((k, t)).copied().unwrap_or_default();
        let mut out = Array2::zeros((d.nrows(), steps.len()));
        for k in 0..d.nrows() {
            let advance = TAU * (k * hop) as f64 / n_fft as f64;
            let angle = |z: Complex32| f64::from(z.im).atan2(f64::from(z.re));
            let mut phase = angle(at(k, 0));
            for (t, step) in steps.iter().enumerate() {
                let (a, b) = (at(k, *step as usize), at(k, *step as usize + 1));
                let share = step.fract();
                let magnitude = (1.0 - share) * f64::from(a.norm()) + share * f64::from(b.norm());
                out[[k, t]] =
                    Complex32::new((magnitude * phase.cos()) as f32, (magnitude * phase.sin()) as f32);
                let turn = angle(b) - angle(a) - advance;
                phase += advance + turn - TAU * (turn / TAU).round();
            }
        }
        out
    }

    #[test]
    fn phasors_say_what_angles_say() {
        let mut state = 5_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let mut d = Array2::from_shape_fn((9, 40), |_| Complex32::new(next(), next()));
        d.column_mut(7).fill(Complex32::default());
        for rate in [0.3, 0.8, 1.0, 1.25, 3.7] {
            let plan = PhaseVocoderConfig { rate }.plan().unwrap();
            let (got, want) = (plan.process(d.view()).unwrap(), by_angles(&d, rate, 16, 5));
            assert_eq!(got.dim(), want.dim(), "{rate}");
            assert!(got.iter().zip(&want).all(|(a, b)| (a - b).norm() < 1e-5), "{rate}");
        }
    }

    #[test]
    fn absurd_rates_are_refused() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 65.0, 1e-9] {
            assert!(PhaseVocoderConfig { rate }.plan().is_err());
        }
        let plan = PhaseVocoderConfig::default().plan().unwrap();
        assert!(plan.process(Array2::zeros((4, 0)).view()).is_err());
    }
}
