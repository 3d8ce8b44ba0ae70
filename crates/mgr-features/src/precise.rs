//! The magnitude of a short-time Fourier transform, taken in double precision.
//!
//! In f32 the rounding of the loudest bin spreads over all others, some 1e-7 of it each. Descriptors that weigh every bin
//! alike, or look at the quietest, would measure that: the reference transforms in f64, and so does this. A phase vocoder adds up the
//! phase of a bin over all frames, also those in which it is far under that noise: there a note that begins later would begin with
//! its bins out of step.

use std::sync::Arc;

use num_complex::Complex64;
use realfft::{RealFftPlanner, RealToComplex};

use crate::FeatureError;
use crate::frame::{Framing, Span};
use crate::simd_columns::{magnitudes, powers, window_wide};
use crate::spectrogram::Exponent;
use crate::stft::StftConfig;

/// A planned transform of frames in f64.
#[derive(Clone)]
pub(crate) struct PreciseStft {
    framing: Framing,
    window: Arc<[f64]>,
    fft: Arc<dyn RealToComplex<f64>>,
}

impl std::fmt::Debug for PreciseStft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreciseStft").field("framing", &self.framing).finish_non_exhaustive()
    }
}

/// Buffers of one computation.
#[derive(Debug, Clone)]
pub(crate) struct PreciseScratch {
    padded: Vec<f32>,
    frame: Vec<f64>,
    spectrum: Vec<Complex64>,
    work: Vec<Complex64>,
}

impl PreciseStft {
    pub(crate) fn new(config: &StftConfig) -> Result<Self, FeatureError> {
        let framing = *config.plan()?.framing();
        let win_length = config.win_length.unwrap_or(config.n_fft);
        let mut window = vec![0.0; config.n_fft];
        let offset = (config.n_fft - win_length) / 2;
        let coefficients = config.window.coefficients(win_length, config.symmetry)?;
        window[offset..].iter_mut().zip(coefficients).for_each(|(to, w)| *to = w);
        let fft = RealFftPlanner::new().plan_fft_forward(config.n_fft);
        Ok(Self { framing, window: window.into(), fft })
    }

    pub(crate) fn framing(&self) -> &Framing {
        &self.framing
    }

    pub(crate) fn bins(&self) -> usize {
        self.window.len() / 2 + 1
    }

    pub(crate) fn scratch(&self) -> PreciseScratch {
        PreciseScratch {
            padded: vec![0.0; self.window.len()],
            frame: self.fft.make_input_vec(),
            spectrum: self.fft.make_output_vec(),
            work: self.fft.make_scratch_vec(),
        }
    }

    pub(crate) fn fits(&self, scratch: &PreciseScratch) -> bool {
        scratch.padded.len() == self.window.len() && scratch.work.len() == self.fft.get_scratch_len()
    }

    /// `|X[k]|^power` of frame `t`; the scratch fits.
    pub(crate) fn column(
        &self,
        t: usize,
        span: Span<'_>,
        exponent: Exponent,
        scratch: &mut PreciseScratch,
        out: &mut [f32],
    ) {
        self.transform(t, span, scratch);
        let spectrum = &scratch.spectrum;
        match exponent {
            Exponent::Power => powers(spectrum, out),
            Exponent::Magnitude => magnitudes(spectrum, out),
            Exponent::Other(p) => {
                magnitudes(spectrum, out);
                out.iter_mut().for_each(|v| *v = v.powf(p));
            }
        }
    }

    /// The spectrum of frame `t`; the scratch fits.
    pub(crate) fn spectrum(
        &self,
        t: usize,
        span: Span<'_>,
        scratch: &mut PreciseScratch,
        out: &mut [Complex64],
    ) {
        self.transform(t, span, scratch);
        out.copy_from_slice(&scratch.spectrum);
    }

    fn transform(&self, t: usize, span: Span<'_>, scratch: &mut PreciseScratch) {
        let PreciseScratch { padded, frame, spectrum, work } = scratch;
        match self.framing.inside(t, span) {
            Some(samples) => window_wide(samples, &self.window, frame),
            None => {
                let sample = self.framing.padded(t, span);
                padded.iter_mut().enumerate().for_each(|(i, to)| *to = sample(i));
                window_wide(padded, &self.window, frame);
            }
        }
        // Only a wrong length can fail here, and `fits` has been asked.
        let done = self.fft.process_with_scratch(frame, spectrum, work);
        debug_assert!(done.is_ok());
    }
}
