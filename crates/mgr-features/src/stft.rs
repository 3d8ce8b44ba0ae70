//! Short-time Fourier transform and its inverse.

mod inverse;

pub use inverse::InverseScratch;

use std::sync::Arc;

use ndarray::{Array2, ArrayViewMut2};
use num_complex::{Complex32, Complex64};
use serde::{Deserialize, Serialize};

use crate::column::for_each_column;
use crate::frame::{Centering, Framing, Padding, Span};
use crate::real_fft::{RealFft, RealFftScratch};
use crate::real_inverse::RealInverse;
use crate::simd::transform::Transformed;
use crate::window::{Symmetry, Window};
use crate::{FeatureError, check};

/// Parameters of a short-time Fourier transform. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StftConfig {
    /// Length of the transform in samples, any size from 1 to 2^24. Default 2048.
    pub n_fft: usize,
    /// Samples from one frame to the next; may exceed `n_fft`. Default 512.
    pub hop_length: usize,
    /// Length of the window, at most `n_fft`, in whose middle it stands. Default: `n_fft`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win_length: Option<usize>,
    /// The window function. Default Hann.
    pub window: Window,
    /// Periodic (default) or symmetric window.
    pub symmetry: Symmetry,
    /// Centred frames (default) or frames that start at multiples of the hop.
    pub centering: Centering,
    /// What centred frames see beyond the ends. Default zeros.
    pub padding: Padding,
    /// What is done to the samples of each frame before the window. Default nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditioning: Option<Conditioning>,
}

/// What is done to the samples of each frame before the window, as in Kaldi and HTK.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditioning {
    /// Whether the mean of the frame is taken off. Default yes.
    pub remove_mean: bool,
    /// Then `x[i] - c x[i-1]`, and `x[0] - c x[0]` for the first; 0 to 1. Default 0.97.
    pub pre_emphasis: f32,
}

impl Default for Conditioning {
    fn default() -> Self {
        Self { remove_mean: true, pre_emphasis: 0.97 }
    }
}

impl Conditioning {
    /// Conditions a frame in place, and gives its energy as it was before the pre-emphasis.
    fn apply(self, frame: &mut [f32]) -> f32 {
        if self.remove_mean {
            let mean = frame.iter().sum::<f32>() / frame.len() as f32;
            frame.iter_mut().for_each(|x| *x -= mean);
        }
        let energy = frame.iter().map(|x| x * x).sum();
        let c = self.pre_emphasis;
        if c != 0.0
            && let Some(&first) = frame.first()
        {
            let mut before = first;
            for x in frame {
                (*x, before) = (*x - c * before, *x);
            }
        }
        energy
    }
}

impl Default for StftConfig {
    fn default() -> Self {
        Self {
            n_fft: 2048,
            hop_length: 512,
            win_length: None,
            window: Window::default(),
            symmetry: Symmetry::default(),
            centering: Centering::default(),
            padding: Padding::default(),
            conditioning: None,
        }
    }
}

impl StftConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a size of zero or over 2^24, and a window longer than the transform.
    pub fn plan(&self) -> Result<Stft, FeatureError> {
        self.plan_in(Precision::Single)
    }

    pub(crate) fn plan_in(&self, precision: Precision) -> Result<Stft, FeatureError> {
        // Checked with the transform's length, whatever the frames' will be.
        let framing =
            Framing::new(self.n_fft, self.hop_length, self.centering, self.padding).map_err(renamed)?;
        if let Some(conditioning) = self.conditioning {
            check::within("pre_emphasis", f64::from(conditioning.pre_emphasis), 0.0, 1.0)?;
        }
        let win_length = self.win_length.unwrap_or(self.n_fft);
        if !(1..=self.n_fft).contains(&win_length) {
            return Err(FeatureError::parameter(
                "win_length",
                win_length,
                format!("1 to n_fft = {}", self.n_fft),
            ));
        }
        // A short window stands in the middle of the frame, between zeros, or is the frame.
        let mut window = vec![0.0; self.n_fft];
        let (framing, offset) = match self.centering {
            Centering::WindowAligned => {
                (Framing::new(win_length, self.hop_length, self.centering, self.padding)?, 0)
            }
            _ => (framing, (self.n_fft - win_length) / 2),
        };
        let coefficients = self.window.coefficients(win_length, self.symmetry)?;
        window[offset..].iter_mut().zip(&coefficients).for_each(|(to, w)| *to = *w);
        let forward = match precision {
            Precision::Single => Forward::Single(RealFft::new(&window)),
            Precision::Double => Forward::Double(RealFft::new(&window)),
        };
        let window: Vec<f32> = window.iter().map(|w| *w as f32).collect();
        let inverse = RealInverse::new(&window);
        let divisors = inverse::steady_divisors(&window, self.hop_length);
        let conditioning = self.conditioning;
        Ok(Stft(Arc::new(Inner { framing, conditioning, window, forward, inverse, divisors })))
    }
}

/// In what a transform is computed; its results are f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    /// f32: the rounding of the largest bin of a frame spreads over all others, some 1e-7 of it each.
    Single,
    /// f64: rounding is 1e-7 of each bin. As the reference, at twice the time; for what weighs every bin alike or looks at the
    /// quietest (descriptors, masks, energies that are normalised), and for a phase vocoder, which adds up the phase of a bin
    /// over all frames, also those in which it is far under that noise.
    Double,
}

/// The transform of a frame, in one precision or the other.
enum Forward {
    Single(RealFft<f32>),
    Double(RealFft<f64>),
}

/// Framing speaks of frames; here the field is the transform's length.
fn renamed(error: FeatureError) -> FeatureError {
    match error {
        FeatureError::Parameter { field: "frame_length", value, allowed } => {
            FeatureError::Parameter { field: "n_fft", value, allowed }
        }
        other => other,
    }
}

struct Inner {
    framing: Framing,
    conditioning: Option<Conditioning>,
    window: Vec<f32>,
    forward: Forward,
    inverse: RealInverse,
    divisors: Vec<f32>,
}

/// A planned short-time Fourier transform: `X[k, t] = sum_n w[n] x[t hop - pad + n] exp(-2 pi i k n / n_fft)`.
///
/// `pad` is half a frame where frames are centred, else 0; samples of a frame may be conditioned first, see
/// [`Conditioning`].
///
/// Shape: `n_fft / 2 + 1` bins by [`Framing::frames`] columns, each column contiguous in memory. f32 throughout.
/// Source: librosa 0.11 `stft`.
///
/// ```
/// use mgr_features::stft::StftConfig;
/// let stft = StftConfig { n_fft: 512, hop_length: 128, ..StftConfig::default() }.plan()?;
/// // A cosine at bin 16: all of it in that bin, half of it at that frequency's sign, times the window's sum 256.
/// let x: Vec<f32> = (0..4096).map(|n| (n as f32 * 16.0 * std::f32::consts::TAU / 512.0).cos()).collect();
/// let spectrum = stft.process(&x)?;
/// assert_eq!(spectrum.dim(), (257, 33));
/// assert!((spectrum[[16, 16]].norm() - 128.0).abs() < 1e-2);
/// // The inverse gives the signal back.
/// let y = stft.inverse(spectrum.view(), Some(x.len()))?;
/// assert!(x.iter().zip(&y).all(|(a, b)| (a - b).abs() < 1e-5));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Clone)]
pub struct Stft(Arc<Inner>);

impl std::fmt::Debug for Stft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stft").field("framing", &self.0.framing).finish_non_exhaustive()
    }
}

/// Buffers of one computation; make one per thread with [`Stft::scratch`] and use it again.
#[derive(Debug, Clone)]
pub struct StftScratch {
    /// One of the two is empty.
    single: RealFftScratch<f32>,
    double: RealFftScratch<f64>,
    column: Vec<Complex32>,
    /// The frame while it is conditioned, and its energy before that.
    frame: Vec<f32>,
    pub(crate) energy: f32,
}

impl Stft {
    /// The framing rule.
    #[must_use]
    pub fn framing(&self) -> &Framing {
        &self.0.framing
    }

    /// Length of the transform.
    #[must_use]
    pub fn n_fft(&self) -> usize {
        self.0.window.len()
    }

    /// Frequency bins: `n_fft / 2 + 1`.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.n_fft() / 2 + 1
    }

    /// Buffers for [`Stft::process_into`].
    #[must_use]
    pub fn scratch(&self) -> StftScratch {
        let frame = if self.0.conditioning.is_some() { self.framing().frame_length() } else { 0 };
        let (single, double) = match &self.0.forward {
            Forward::Single(fft) => (fft.scratch(), RealFftScratch::default()),
            Forward::Double(fft) => (RealFftScratch::default(), fft.scratch()),
        };
        StftScratch {
            single,
            double,
            column: vec![Complex32::default(); self.bins()],
            frame: vec![0.0; frame],
            energy: 0.0,
        }
    }

    /// Whether a scratch fits this plan; [`Stft::transform`] relies on it.
    pub(crate) fn fits(&self, scratch: &StftScratch) -> Result<(), FeatureError> {
        let frame = if self.0.conditioning.is_some() { self.framing().frame_length() } else { 0 };
        let fits = match &self.0.forward {
            Forward::Single(fft) => fft.fits(&scratch.single),
            Forward::Double(fft) => fft.fits(&scratch.double),
        };
        if fits && scratch.frame.len() == frame {
            return Ok(());
        }
        Err(FeatureError::Scratch { plan: "stft" })
    }

    /// Transforms frame `t`; the scratch, which must fit, then holds its spectrum.
    pub(crate) fn transform(&self, t: usize, span: Span<'_>, scratch: &mut StftScratch) {
        let StftScratch { single, double, frame, energy, .. } = scratch;
        match &self.0.forward {
            Forward::Single(fft) => self.transform_by(fft, single, t, span, frame, energy),
            Forward::Double(fft) => self.transform_by(fft, double, t, span, frame, energy),
        }
    }

    fn transform_by<F: Transformed>(
        &self,
        fft: &RealFft<F>,
        scratch: &mut RealFftScratch<F>,
        t: usize,
        span: Span<'_>,
        frame: &mut [f32],
        energy: &mut f32,
    ) {
        let Inner { framing, conditioning, .. } = &*self.0;
        match (conditioning, framing.inside(t, span)) {
            (None, Some(samples)) => fft.transform(samples, scratch),
            (None, None) => fft.transform_with(framing.padded(t, span), scratch),
            (Some(conditioning), inside) => {
                match inside {
                    Some(samples) => frame.copy_from_slice(samples),
                    None => {
                        let sample = framing.padded(t, span);
                        frame.iter_mut().enumerate().for_each(|(i, x)| *x = sample(i));
                    }
                }
                *energy = conditioning.apply(frame);
                fft.transform(frame, scratch);
            }
        }
    }

    /// Whether frames are conditioned, so that the scratch tells their energy.
    pub(crate) fn conditions(&self) -> bool {
        self.0.conditioning.is_some()
    }

    /// Gives `take` the spectrum of each frame of a signal that has one; the scratch must fit.
    pub(crate) fn for_each_spectrum(
        &self,
        samples: &[f32],
        scratch: &mut StftScratch,
        mut take: impl FnMut(usize, &[Complex32]),
    ) {
        let span = Span::whole(samples);
        let mut column = std::mem::take(&mut scratch.column);
        for t in 0..self.framing().frames(samples.len()).unwrap_or(0) {
            self.transform(t, span, scratch);
            self.spectrum(scratch, &mut column);
            take(t, &column);
        }
        scratch.column = column;
    }

    /// The power of each bin of the frame transformed last.
    pub(crate) fn power(&self, scratch: &StftScratch, out: &mut [f32]) {
        match &self.0.forward {
            Forward::Single(fft) => fft.power(&scratch.single, out),
            Forward::Double(fft) => fft.power(&scratch.double, out),
        }
    }

    /// The magnitude of each bin of the frame transformed last.
    pub(crate) fn magnitude(&self, scratch: &StftScratch, out: &mut [f32]) {
        match &self.0.forward {
            Forward::Single(fft) => fft.magnitude(&scratch.single, out),
            Forward::Double(fft) => fft.magnitude(&scratch.double, out),
        }
    }

    /// The spectrum of the frame transformed last.
    pub(crate) fn spectrum(&self, scratch: &StftScratch, out: &mut [Complex32]) {
        match &self.0.forward {
            Forward::Single(fft) => fft.spectrum(&scratch.single, out),
            Forward::Double(fft) => fft.spectrum(&scratch.double, out),
        }
    }

    /// The spectrum of the frame transformed last, not rounded where the transform is in f64.
    pub(crate) fn spectrum_wide(&self, scratch: &mut StftScratch, out: &mut [Complex64]) {
        match &self.0.forward {
            Forward::Single(fft) => {
                fft.spectrum(&scratch.single, &mut scratch.column);
                let wide = |z: &Complex32| Complex64::new(z.re.into(), z.im.into());
                out.iter_mut().zip(&scratch.column).for_each(|(o, z)| *o = wide(z));
            }
            Forward::Double(fft) => fft.spectrum_wide(&scratch.double, out),
        }
    }

    /// The transform of a signal, allocated.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<Complex32>, FeatureError> {
        let mut out = check::matrix(self.bins(), self.framing().frames(samples.len())?)?;
        self.process_into(samples, out.view_mut(), &mut self.scratch())?;
        Ok(out)
    }

    /// The transform of a signal into `out` of (bins, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, Complex32>,
        scratch: &mut StftScratch,
    ) -> Result<(), FeatureError> {
        self.fits(scratch)?;
        let (rows, columns) = (self.bins(), self.framing().frames(samples.len())?);
        let (got_rows, got_columns) = out.dim();
        if (got_rows, got_columns) != (rows, columns) {
            return Err(FeatureError::Shape { what: "output", got_rows, got_columns, rows, columns });
        }
        check::finite(samples)?;
        let span = Span::whole(samples);
        // The spare column is taken out while the rest of the scratch is in use; a vector moves without allocating.
        let mut spare = std::mem::take(&mut scratch.column);
        for_each_column(out, &mut spare, |t, column| {
            self.transform(t, span, scratch);
            self.spectrum(scratch, column);
        });
        scratch.column = spare;
        Ok(())
    }
}
