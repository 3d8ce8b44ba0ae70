//! The Fourier transform of a real frame, in either precision.
//!
//! An even length goes through a complex transform of half the length (even samples as real parts, odd ones as imaginary
//! parts) whose result is split while powers are taken, which saves a pass over memory; an odd length through `realfft`.

use std::f64::consts::TAU;
use std::sync::Arc;

use num_complex::{Complex, Complex32, Complex64};
use realfft::{RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

use crate::simd::transform::{Transformed, Twiddles, split_power_wide, split_wide};

/// A planned transform of frames of one length, multiplied by a window first.
pub(crate) struct RealFft<F = f32> {
    window: Vec<F>,
    way: Way<F>,
}

enum Way<F> {
    Half { fft: Arc<dyn Fft<F>>, twiddles: Twiddles<F> },
    Whole { fft: Arc<dyn RealToComplex<F>> },
}

/// Buffers of one computation; empty ones fit no plan.
#[derive(Debug, Clone, Default)]
pub(crate) struct RealFftScratch<F = f32> {
    /// The windowed frame of an odd length.
    frame: Vec<F>,
    /// The windowed frame of an even length, as pairs.
    pairs: Vec<Complex<F>>,
    /// The transform: of half the length for an even one, the spectrum itself for an odd one.
    transformed: Vec<Complex<F>>,
    work: Vec<Complex<F>>,
}

/// The factors of the split of a transform of even length `n`: `-i exp(-2 pi i k / n)` for k from 1.
pub(crate) fn twiddles<F: Transformed>(n: usize) -> Twiddles<F> {
    let turned = |k: usize| {
        let (sine, cosine) = (TAU * k as f64 / n as f64).sin_cos();
        // -i exp(-i x) = -sin x - i cos x
        (F::of(-sine), F::of(-cosine))
    };
    let (re, im) = (1..=n / 4).map(turned).unzip();
    Twiddles { re, im }
}

impl<F: Transformed> RealFft<F> {
    /// For transforms of `window.len()` samples, at least one.
    pub(crate) fn new(window: &[f64]) -> Self {
        let n = window.len();
        let way = if n.is_multiple_of(2) {
            Way::Half { fft: FftPlanner::new().plan_fft_forward(n / 2), twiddles: twiddles(n) }
        } else {
            Way::Whole { fft: RealFftPlanner::new().plan_fft_forward(n) }
        };
        Self { window: window.iter().map(|w| F::of(*w)).collect(), way }
    }

    fn len(&self) -> usize {
        self.window.len()
    }

    pub(crate) fn scratch(&self) -> RealFftScratch<F> {
        let zeros = |n: usize| vec![Complex::new(F::zero(), F::zero()); n];
        let half = self.len() / 2;
        match &self.way {
            Way::Half { fft, .. } => RealFftScratch {
                frame: Vec::new(),
                pairs: zeros(half),
                transformed: zeros(half),
                work: zeros(fft.get_outofplace_scratch_len()),
            },
            Way::Whole { fft } => RealFftScratch {
                frame: fft.make_input_vec(),
                pairs: Vec::new(),
                transformed: fft.make_output_vec(),
                work: fft.make_scratch_vec(),
            },
        }
    }

    /// Whether a scratch is of this plan's kind and size.
    pub(crate) fn fits(&self, scratch: &RealFftScratch<F>) -> bool {
        let expected = match &self.way {
            Way::Half { fft, .. } => (0, self.len() / 2, fft.get_outofplace_scratch_len()),
            Way::Whole { fft } => (self.len(), 0, fft.get_scratch_len()),
        };
        (scratch.frame.len(), scratch.pairs.len(), scratch.work.len()) == expected
    }

    /// Transforms a frame that lies in one piece, at most as long as the transform; zeros follow a shorter one.
    pub(crate) fn transform(&self, frame: &[f32], scratch: &mut RealFftScratch<F>) {
        match &self.way {
            Way::Half { .. } => {
                F::window_pairs(frame, &self.window, &mut scratch.pairs);
                if frame.len() < self.len() {
                    scratch.pairs[frame.len() / 2..].fill(Complex::new(F::zero(), F::zero()));
                    if let ([.., last], 1) = (frame, frame.len() % 2) {
                        let windowed = F::from_single(*last) * self.window[frame.len() - 1];
                        scratch.pairs[frame.len() / 2].re = windowed;
                    }
                }
            }
            Way::Whole { .. } => {
                let windowed = frame.iter().zip(&self.window).map(|(x, w)| F::from_single(*x) * *w);
                let windowed = windowed.chain(std::iter::repeat(F::zero()));
                scratch.frame.iter_mut().zip(windowed).for_each(|(o, v)| *o = v);
            }
        }
        self.compute(scratch);
    }

    /// Transforms a frame given sample by sample.
    pub(crate) fn transform_with(&self, sample: impl Fn(usize) -> f32, scratch: &mut RealFftScratch<F>) {
        let windowed = |i: usize| F::from_single(sample(i)) * self.window[i];
        match &self.way {
            Way::Half { .. } => {
                let pairs = scratch.pairs.iter_mut().enumerate();
                pairs.for_each(|(i, o)| *o = Complex::new(windowed(2 * i), windowed(2 * i + 1)));
            }
            Way::Whole { .. } => scratch.frame.iter_mut().enumerate().for_each(|(i, o)| *o = windowed(i)),
        }
        self.compute(scratch);
    }

    fn compute(&self, scratch: &mut RealFftScratch<F>) {
        let RealFftScratch { frame, pairs, transformed, work } = scratch;
        match &self.way {
            Way::Half { fft, .. } => fft.process_outofplace_with_scratch(pairs, transformed, work),
            Way::Whole { fft } => {
                // Only a wrong length can fail here, and `fits` has been asked.
                let done = fft.process_with_scratch(frame, transformed, work);
                debug_assert!(done.is_ok());
            }
        }
    }

    /// The power of each bin of the frame transformed last; `out` has `len / 2 + 1` values.
    pub(crate) fn power(&self, scratch: &RealFftScratch<F>, out: &mut [f32]) {
        match &self.way {
            Way::Half { twiddles, .. } => F::split_power(&scratch.transformed, twiddles, out),
            Way::Whole { .. } => {
                out.iter_mut().zip(&scratch.transformed).for_each(|(o, z)| *o = z.norm_sqr().narrow());
            }
        }
    }

    /// The magnitude of each bin of the frame transformed last, the root of the power.
    pub(crate) fn magnitude(&self, scratch: &RealFftScratch<F>, out: &mut [f32]) {
        match &self.way {
            Way::Half { twiddles, .. } => F::split_magnitude(&scratch.transformed, twiddles, out),
            Way::Whole { .. } => {
                let magnitudes = scratch.transformed.iter().map(|z| z.norm_sqr().sqrt().narrow());
                out.iter_mut().zip(magnitudes).for_each(|(o, v)| *o = v);
            }
        }
    }

    /// The spectrum of the frame transformed last; `out` has `len / 2 + 1` values.
    pub(crate) fn spectrum(&self, scratch: &RealFftScratch<F>, out: &mut [Complex32]) {
        match &self.way {
            Way::Half { twiddles, .. } => F::split_complex(&scratch.transformed, twiddles, out),
            Way::Whole { .. } => {
                let narrow = |z: &Complex<F>| Complex32::new(z.re.narrow(), z.im.narrow());
                out.iter_mut().zip(&scratch.transformed).for_each(|(o, z)| *o = narrow(z));
            }
        }
    }
}

impl RealFft<f64> {
    /// The spectrum of the frame transformed last, not rounded.
    pub(crate) fn spectrum_wide(&self, scratch: &RealFftScratch<f64>, out: &mut [Complex64]) {
        match &self.way {
            Way::Half { twiddles, .. } => split_wide(&scratch.transformed, twiddles, out),
            Way::Whole { .. } => out.copy_from_slice(&scratch.transformed),
        }
    }

    /// The power of each bin of the frame transformed last, not rounded; `out` has `len / 2 + 1` values.
    pub(crate) fn power_wide(&self, scratch: &RealFftScratch<f64>, out: &mut [f64]) {
        match &self.way {
            Way::Half { twiddles, .. } => split_power_wide(&scratch.transformed, twiddles, out),
            Way::Whole { .. } => {
                let powers = scratch.transformed.iter().map(|z| z.re * z.re + z.im * z.im);
                out.iter_mut().zip(powers).for_each(|(o, v)| *o = v);
            }
        }
    }
}
