//! The Fourier transform of a real frame.
//!
//! An even length goes through a complex transform of half the length (even samples as real parts, odd ones as imaginary
//! parts) whose result is split while powers are taken, which saves a pass over memory; an odd length through `realfft`.

use std::f64::consts::TAU;
use std::sync::Arc;

use num_complex::{Complex32, Complex64};
use realfft::{RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

use crate::simd::{self, Twiddles};

/// A planned transform of frames of one length, multiplied by a window first.
pub(crate) struct RealFft {
    window: Vec<f32>,
    way: Way,
}

enum Way {
    Half {
        fft: Arc<dyn Fft<f32>>,
        twiddles: Twiddles,
    },
    Whole {
        fft: Arc<dyn RealToComplex<f32>>,
    },
    /// In f64, and rounded: what is far under the peak keeps its digits.
    Wide {
        fft: Arc<dyn RealToComplex<f64>>,
        window: Vec<f64>,
    },
}

/// Buffers of one computation.
#[derive(Debug, Clone)]
pub(crate) struct RealFftScratch {
    /// The windowed frame of an odd length.
    frame: Vec<f32>,
    /// The windowed frame of an even length, as pairs.
    pairs: Vec<Complex32>,
    /// The transform: of half the length for an even one, the spectrum itself for an odd one.
    transformed: Vec<Complex32>,
    work: Vec<Complex32>,
    /// The frame, its transform and the work of a transform in f64.
    wide: (Vec<f64>, Vec<Complex64>, Vec<Complex64>),
}

/// The factors of the split of a transform of even length `n`: `-i exp(-2 pi i k / n)` for k from 1.
pub(crate) fn twiddles(n: usize) -> Twiddles {
    let turned = |k: usize| {
        let (sine, cosine) = (TAU * k as f64 / n as f64).sin_cos();
        // -i exp(-i x) = -sin x - i cos x
        (-sine as f32, -cosine as f32)
    };
    let (re, im) = (1..=n / 4).map(turned).unzip();
    Twiddles { re, im }
}

impl RealFft {
    /// For transforms of `window.len()` samples, at least one.
    pub(crate) fn new(window: Vec<f32>) -> Self {
        let n = window.len();
        let way = if n.is_multiple_of(2) {
            Way::Half { fft: FftPlanner::new().plan_fft_forward(n / 2), twiddles: twiddles(n) }
        } else {
            Way::Whole { fft: RealFftPlanner::new().plan_fft_forward(n) }
        };
        Self { window, way }
    }

    /// For transforms of `window.len()` samples, at least one, computed in f64.
    pub(crate) fn wide(window: Vec<f64>) -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(window.len());
        Self { window: vec![0.0; window.len()], way: Way::Wide { fft, window } }
    }

    pub(crate) fn len(&self) -> usize {
        self.window.len()
    }

    pub(crate) fn scratch(&self) -> RealFftScratch {
        match &self.way {
            Way::Half { fft, .. } => RealFftScratch {
                frame: Vec::new(),
                pairs: vec![Complex32::default(); self.len() / 2],
                transformed: vec![Complex32::default(); self.len() / 2],
                work: vec![Complex32::default(); fft.get_outofplace_scratch_len()],
                wide: (Vec::new(), Vec::new(), Vec::new()),
            },
            Way::Whole { fft } => RealFftScratch {
                frame: fft.make_input_vec(),
                pairs: Vec::new(),
                transformed: fft.make_output_vec(),
                work: fft.make_scratch_vec(),
                wide: (Vec::new(), Vec::new(), Vec::new()),
            },
            Way::Wide { fft, .. } => RealFftScratch {
                frame: Vec::new(),
                pairs: Vec::new(),
                transformed: vec![Complex32::default(); self.len() / 2 + 1],
                work: Vec::new(),
                wide: (fft.make_input_vec(), fft.make_output_vec(), fft.make_scratch_vec()),
            },
        }
    }

    /// Whether a scratch is of this plan's kind and size.
    pub(crate) fn fits(&self, scratch: &RealFftScratch) -> bool {
        let expected = match &self.way {
            Way::Half { fft, .. } => (0, self.len() / 2, fft.get_outofplace_scratch_len(), 0),
            Way::Whole { fft } => (self.len(), 0, fft.get_scratch_len(), 0),
            Way::Wide { .. } => (0, 0, 0, self.len()),
        };
        (scratch.frame.len(), scratch.pairs.len(), scratch.work.len(), scratch.wide.0.len()) == expected
    }

    /// Transforms a frame that lies in one piece, at most as long as the transform; zeros follow a shorter one.
    pub(crate) fn transform(&self, frame: &[f32], scratch: &mut RealFftScratch) {
        match &self.way {
            Way::Half { .. } => {
                simd::window_pairs(frame, &self.window, &mut scratch.pairs);
                if frame.len() < self.len() {
                    scratch.pairs[frame.len() / 2..].fill(Complex32::default());
                    if let ([.., last], 1) = (frame, frame.len() % 2) {
                        scratch.pairs[frame.len() / 2].re = last * self.window[frame.len() - 1];
                    }
                }
            }
            Way::Whole { .. } => {
                let windowed = frame.iter().zip(&self.window).map(|(x, w)| x * w);
                let windowed = windowed.chain(std::iter::repeat(0.0));
                scratch.frame.iter_mut().zip(windowed).for_each(|(o, v)| *o = v);
            }
            Way::Wide { window, .. } => {
                let windowed = frame.iter().zip(window).map(|(x, w)| f64::from(*x) * w);
                let windowed = windowed.chain(std::iter::repeat(0.0));
                scratch.wide.0.iter_mut().zip(windowed).for_each(|(o, v)| *o = v);
            }
        }
        self.compute(scratch);
    }

    /// Transforms a frame given sample by sample.
    pub(crate) fn transform_with(&self, sample: impl Fn(usize) -> f32, scratch: &mut RealFftScratch) {
        let windowed = |i: usize| sample(i) * self.window[i];
        match &self.way {
            Way::Half { .. } => {
                let pairs = scratch.pairs.iter_mut().enumerate();
                pairs.for_each(|(i, o)| *o = Complex32::new(windowed(2 * i), windowed(2 * i + 1)));
            }
            Way::Whole { .. } => scratch.frame.iter_mut().enumerate().for_each(|(i, o)| *o = windowed(i)),
            Way::Wide { window, .. } => {
                let places = scratch.wide.0.iter_mut().zip(window).enumerate();
                places.for_each(|(i, (o, w))| *o = f64::from(sample(i)) * w);
            }
        }
        self.compute(scratch);
    }

    fn compute(&self, scratch: &mut RealFftScratch) {
        let RealFftScratch { frame, pairs, transformed, work, wide } = scratch;
        match &self.way {
            Way::Half { fft, .. } => fft.process_outofplace_with_scratch(pairs, transformed, work),
            Way::Whole { fft } => {
                // Only a wrong length can fail here, and `fits` has been asked.
                let done = fft.process_with_scratch(frame, transformed, work);
                debug_assert!(done.is_ok());
            }
            Way::Wide { fft, .. } => {
                let (frame, spectrum, work) = wide;
                let done = fft.process_with_scratch(frame, spectrum, work);
                debug_assert!(done.is_ok());
                let rounded = spectrum.iter().map(|z| Complex32::new(z.re as f32, z.im as f32));
                transformed.iter_mut().zip(rounded).for_each(|(o, z)| *o = z);
            }
        }
    }

    /// The power of each bin of the frame transformed last; `out` has `len / 2 + 1` values.
    pub(crate) fn power(&self, scratch: &RealFftScratch, out: &mut [f32]) {
        match &self.way {
            Way::Half { twiddles, .. } => simd::split_power(&scratch.transformed, twiddles, out),
            Way::Whole { .. } | Way::Wide { .. } => {
                out.iter_mut().zip(&scratch.transformed).for_each(|(o, z)| *o = z.norm_sqr());
            }
        }
    }

    /// The spectrum of the frame transformed last; `out` has `len / 2 + 1` values.
    pub(crate) fn spectrum(&self, scratch: &RealFftScratch, out: &mut [Complex32]) {
        match &self.way {
            Way::Half { twiddles, .. } => simd::split_complex(&scratch.transformed, twiddles, out),
            Way::Whole { .. } | Way::Wide { .. } => out.copy_from_slice(&scratch.transformed),
        }
    }
}
