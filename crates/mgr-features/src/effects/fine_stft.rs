//! A short-time Fourier transform in double precision, for the phase vocoder.
//!
//! The phase of a bin is added up over all frames, also those in which the bin is far under the rounding noise of a transform in
//! single precision. There its phase would be noise, and a note that begins later would begin with its bins out of step.

use std::sync::Arc;

use num_complex::Complex64;
use realfft::{RealFftPlanner, RealToComplex};

use crate::FeatureError;
use crate::frame::{Framing, Span};
use crate::stft::StftConfig;

/// A planned transform; see [`crate::stft::Stft`].
#[derive(Clone)]
pub(super) struct FineStft {
    framing: Framing,
    window: Arc<[f64]>,
    fft: Arc<dyn RealToComplex<f64>>,
}

impl std::fmt::Debug for FineStft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FineStft").field("framing", &self.framing).finish_non_exhaustive()
    }
}

/// Buffers of one computation.
#[derive(Debug, Clone)]
pub(super) struct FineScratch {
    frame: Vec<f64>,
    work: Vec<Complex64>,
}

impl FineStft {
    /// For a configuration that has been planned, with its framing.
    pub(super) fn new(config: &StftConfig, framing: Framing) -> Result<Self, FeatureError> {
        let n_fft = framing.frame_length();
        let win_length = config.win_length.unwrap_or(n_fft);
        let mut window = vec![0.0; n_fft];
        let offset = (n_fft - win_length) / 2;
        let coefficients = config.window.coefficients(win_length, config.symmetry)?;
        window[offset..].iter_mut().zip(coefficients).for_each(|(to, w)| *to = w);
        Ok(Self { framing, window: window.into(), fft: RealFftPlanner::new().plan_fft_forward(n_fft) })
    }

    pub(super) fn scratch(&self) -> FineScratch {
        FineScratch { frame: self.fft.make_input_vec(), work: self.fft.make_scratch_vec() }
    }

    pub(super) fn fits(&self, scratch: &FineScratch) -> bool {
        (scratch.frame.len(), scratch.work.len()) == (self.window.len(), self.fft.get_scratch_len())
    }

    /// The spectrum of frame `t` of a signal.
    pub(super) fn transform(
        &self,
        t: usize,
        span: Span<'_>,
        scratch: &mut FineScratch,
        out: &mut [Complex64],
    ) {
        let places = scratch.frame.iter_mut().zip(self.window.iter());
        match self.framing.inside(t, span) {
            Some(frame) => places.zip(frame).for_each(|((to, w), x)| *to = f64::from(*x) * w),
            None => {
                let sample = self.framing.padded(t, span);
                places.enumerate().for_each(|(i, (to, w))| *to = f64::from(sample(i)) * w);
            }
        }
        // Only a wrong length can fail here, and `fits` has been asked.
        let done = self.fft.process_with_scratch(&mut scratch.frame, out, &mut scratch.work);
        debug_assert!(done.is_ok());
    }
}
