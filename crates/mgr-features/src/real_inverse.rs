//! The inverse Fourier transform of the spectrum of a real frame, windowed and added to what is there.
//!
//! The mirror of [`crate::real_fft`]: an even length goes through a complex transform of half the length, an odd one through
//! `realfft`.

use std::sync::Arc;

use num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner};
use rustfft::{Fft, FftPlanner};

use crate::real_fft::twiddles;
use crate::simd::inverse::{add_windowed_pairs, join};
use crate::simd::transform::Twiddles;

/// A planned inverse transform of frames of one length, multiplied by a window afterwards.
pub(crate) struct RealInverse {
    /// The window, divided by the length of the transform.
    window: Vec<f32>,
    way: Way,
}

enum Way {
    Half { fft: Arc<dyn Fft<f32>>, twiddles: Twiddles<f32> },
    Whole { fft: Arc<dyn ComplexToReal<f32>> },
}

/// Buffers of one computation.
#[derive(Debug, Clone)]
pub(crate) struct RealInverseScratch {
    /// The spectrum to invert, `len / 2 + 1` values; put it here.
    pub(crate) spectrum: Vec<Complex32>,
    /// The half-length spectrum of an even length.
    joined: Vec<Complex32>,
    /// The frame of an even length, as pairs.
    pairs: Vec<Complex32>,
    /// The frame of an odd length.
    frame: Vec<f32>,
    work: Vec<Complex32>,
}

impl RealInverse {
    /// For frames of `window.len()` samples, at least one.
    pub(crate) fn new(window: &[f32]) -> Self {
        let n = window.len();
        let way = if n.is_multiple_of(2) {
            Way::Half { fft: FftPlanner::new().plan_fft_inverse(n / 2), twiddles: twiddles(n) }
        } else {
            Way::Whole { fft: RealFftPlanner::new().plan_fft_inverse(n) }
        };
        let scale = 1.0 / n as f32;
        Self { window: window.iter().map(|w| w * scale).collect(), way }
    }

    pub(crate) fn len(&self) -> usize {
        self.window.len()
    }

    pub(crate) fn scratch(&self) -> RealInverseScratch {
        let zeros = |n: usize| vec![Complex32::default(); n];
        let half = self.len() / 2;
        let (joined, pairs, frame, work) = match &self.way {
            Way::Half { fft, .. } => {
                (zeros(half), zeros(half), Vec::new(), zeros(fft.get_outofplace_scratch_len()))
            }
            Way::Whole { fft } => (Vec::new(), Vec::new(), fft.make_output_vec(), fft.make_scratch_vec()),
        };
        RealInverseScratch { spectrum: zeros(half + 1), joined, pairs, frame, work }
    }

    /// Whether a scratch is of this plan's kind and size.
    pub(crate) fn fits(&self, scratch: &RealInverseScratch) -> bool {
        let half = self.len() / 2;
        let expected = match &self.way {
            Way::Half { fft, .. } => (half + 1, half, 0, fft.get_outofplace_scratch_len()),
            Way::Whole { fft } => (half + 1, 0, self.len(), fft.get_scratch_len()),
        };
        let RealInverseScratch { spectrum, joined, frame, work, .. } = scratch;
        (spectrum.len(), joined.len(), frame.len(), work.len()) == expected
    }

    /// Inverts the spectrum in the scratch, which is lost.
    pub(crate) fn transform(&self, scratch: &mut RealInverseScratch) {
        let RealInverseScratch { spectrum, joined, pairs, frame, work } = scratch;
        match &self.way {
            Way::Half { fft, twiddles } => {
                join(spectrum, twiddles, joined);
                fft.process_outofplace_with_scratch(joined, pairs, work);
            }
            Way::Whole { fft } => {
                // A real signal has none here; what is there anyway has no effect on it.
                spectrum[0].im = 0.0;
                // Only a wrong length can fail here, and `fits` has been asked.
                let done = fft.process_with_scratch(spectrum, frame, work);
                debug_assert!(done.is_ok());
            }
        }
    }

    /// Adds the windowed frame that was transformed last to `sum`, of the same length.
    pub(crate) fn add(&self, scratch: &RealInverseScratch, sum: &mut [f32]) {
        match &self.way {
            Way::Half { .. } => add_windowed_pairs(&scratch.pairs, &self.window, sum),
            Way::Whole { .. } => self.add_from(0, scratch, sum),
        }
    }

    /// Adds the samples from `first` on of the windowed frame, as many as `sum` takes.
    pub(crate) fn add_from(&self, first: usize, scratch: &RealInverseScratch, sum: &mut [f32]) {
        let samples = (first..self.len()).map(|i| {
            let sample = match &self.way {
                Way::Half { .. } if i.is_multiple_of(2) => scratch.pairs[i / 2].re,
                Way::Half { .. } => scratch.pairs[i / 2].im,
                Way::Whole { .. } => scratch.frame[i],
            };
            sample * self.window[i]
        });
        sum.iter_mut().zip(samples).for_each(|(s, v)| *s += v);
    }
}
