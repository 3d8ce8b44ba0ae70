//! The short-time Fourier transform in f64.
//!
//! Masks and logarithms show every bin alike, also those a million times smaller than the largest of their frame, where the
//! rounding of a transform in f32 is 1 part in 10. The reference multiplies by a window of f64 and so transforms in f64; only
//! the spectrum is f32.

use std::sync::Arc;

use num_complex::{Complex32, Complex64};
use realfft::{RealFftPlanner, RealToComplex};

use super::lanes::{magnitudes, windowed};
use crate::FeatureError;
use crate::frame::{Framing, Span};
use crate::stft::StftConfig;

/// A planned transform.
#[derive(Clone)]
pub(super) struct Transform {
    framing: Framing,
    window: Arc<[f64]>,
    fft: Arc<dyn RealToComplex<f64>>,
}

impl std::fmt::Debug for Transform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transform").field("framing", &self.framing).finish_non_exhaustive()
    }
}

/// Buffers of one computation.
#[derive(Debug, Clone)]
pub(super) struct TransformScratch {
    frame: Vec<f64>,
    spectrum: Vec<Complex64>,
    work: Vec<Complex64>,
}

impl Transform {
    /// The transform of a configuration whose own plan has this framing.
    pub(super) fn new(config: &StftConfig, framing: Framing) -> Result<Self, FeatureError> {
        let win_length = config.win_length.unwrap_or(config.n_fft);
        let coefficients = config.window.coefficients(win_length, config.symmetry)?;
        let mut window = vec![0.0; config.n_fft];
        let offset = (config.n_fft - win_length) / 2;
        window[offset..].iter_mut().zip(coefficients).for_each(|(to, w)| *to = w);
        let fft = RealFftPlanner::new().plan_fft_forward(config.n_fft);
        Ok(Self { framing, window: window.into(), fft })
    }

    pub(super) fn scratch(&self) -> TransformScratch {
        TransformScratch {
            frame: self.fft.make_input_vec(),
            spectrum: self.fft.make_output_vec(),
            work: self.fft.make_scratch_vec(),
        }
    }

    pub(super) fn fits(&self, scratch: &TransformScratch) -> bool {
        (scratch.frame.len(), scratch.work.len()) == (self.window.len(), self.fft.get_scratch_len())
    }

    /// Transforms frame `t`; the scratch, which must fit, then holds its spectrum.
    fn transform(&self, t: usize, span: Span<'_>, scratch: &mut TransformScratch) {
        let TransformScratch { frame, spectrum, work } = scratch;
        match self.framing.inside(t, span) {
            Some(samples) => windowed(samples, &self.window, frame),
            None => {
                let sample = self.framing.padded(t, span);
                let places = frame.iter_mut().zip(self.window.iter()).enumerate();
                places.for_each(|(i, (to, w))| *to = f64::from(sample(i)) * w);
            }
        }
        // Only a wrong length can fail here, and `fits` has been asked.
        let done = self.fft.process_with_scratch(frame, spectrum, work);
        debug_assert!(done.is_ok());
    }

    /// The magnitudes of frame `t`.
    pub(super) fn magnitude(
        &self,
        t: usize,
        span: Span<'_>,
        scratch: &mut TransformScratch,
        out: &mut [f32],
    ) {
        self.transform(t, span, scratch);
        magnitudes(&scratch.spectrum, out);
    }

    /// The spectrum of frame `t` and its magnitudes.
    pub(super) fn spectrum(
        &self,
        t: usize,
        span: Span<'_>,
        scratch: &mut TransformScratch,
        out: &mut [Complex32],
        magnitude: &mut [f32],
    ) {
        self.magnitude(t, span, scratch, magnitude);
        let values = scratch.spectrum.iter().map(|c| Complex32::new(c.re as f32, c.im as f32));
        out.iter_mut().zip(values).for_each(|(to, v)| *to = v);
    }
}
