//! Short-time Fourier transform and its inverse.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use serde::{Deserialize, Serialize};

use crate::frame::{Centering, Framing, Padding, Span};
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
        }
    }
}

impl StftConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a size of zero or over 2^24, and a window longer than the transform.
    pub fn plan(&self) -> Result<Stft, FeatureError> {
        let framing =
            Framing::new(self.n_fft, self.hop_length, self.centering, self.padding).map_err(renamed)?;
        let win_length = self.win_length.unwrap_or(self.n_fft);
        if !(1..=self.n_fft).contains(&win_length) {
            return Err(FeatureError::parameter(
                "win_length",
                win_length,
                format!("1 to n_fft = {}", self.n_fft),
            ));
        }
        let window = self.window.coefficients(win_length, self.symmetry)?;
        let mut planner = RealFftPlanner::new();
        Ok(Stft(Arc::new(Inner {
            framing,
            offset: (self.n_fft - win_length) / 2,
            window: window.iter().map(|&w| w as f32).collect(),
            forward: planner.plan_fft_forward(self.n_fft),
            inverse: planner.plan_fft_inverse(self.n_fft),
        })))
    }
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
    offset: usize,
    window: Vec<f32>,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
}

/// A planned short-time Fourier transform: `X[k, t] = sum_n w[n] x[t hop - pad + n] exp(-2 pi i k n / n_fft)`.
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
        f.debug_struct("Stft")
            .field("framing", &self.0.framing)
            .field("win_length", &self.0.window.len())
            .finish()
    }
}

/// Buffers of one computation; make one per thread with [`Stft::scratch`] and use it again.
#[derive(Debug, Clone)]
pub struct StftScratch {
    frame: Vec<f32>,
    spectrum: Vec<Complex32>,
    work: Vec<Complex32>,
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
        self.0.framing.frame_length()
    }

    /// Frequency bins: `n_fft / 2 + 1`.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.n_fft() / 2 + 1
    }

    /// Buffers for [`Stft::process_into`].
    #[must_use]
    pub fn scratch(&self) -> StftScratch {
        StftScratch {
            frame: self.0.forward.make_input_vec(),
            spectrum: self.0.forward.make_output_vec(),
            work: self.0.forward.make_scratch_vec(),
        }
    }

    /// Whether a scratch fits this plan; [`Stft::frame`] relies on it.
    pub(crate) fn fits(&self, scratch: &StftScratch) -> Result<(), FeatureError> {
        let fits =
            scratch.frame.len() == self.n_fft() && scratch.work.len() == self.0.forward.get_scratch_len();
        if fits { Ok(()) } else { Err(FeatureError::Scratch { plan: "stft" }) }
    }

    /// The spectrum of frame `t`. The scratch must fit.
    pub(crate) fn frame<'s>(
        &self,
        t: usize,
        span: Span<'_>,
        scratch: &'s mut StftScratch,
    ) -> &'s [Complex32] {
        let Inner { framing, offset, window, forward, .. } = &*self.0;
        let StftScratch { frame, spectrum, work } = scratch;
        let end = offset + window.len();
        frame[..*offset].fill(0.0);
        frame[end..].fill(0.0);
        framing.windowed(t, span, *offset, window, &mut frame[*offset..end]);
        // Lengths were checked by `fits`, the only thing that can fail here.
        let done = forward.process_with_scratch(frame, spectrum, work);
        debug_assert!(done.is_ok());
        spectrum
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
        mut out: ArrayViewMut2<'_, Complex32>,
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
        for (t, mut column) in out.columns_mut().into_iter().enumerate() {
            let spectrum = self.frame(t, span, scratch);
            match column.as_slice_mut() {
                Some(slice) => slice.copy_from_slice(spectrum),
                None => column.iter_mut().zip(spectrum).for_each(|(to, from)| *to = *from),
            }
        }
        Ok(())
    }

    /// The signal whose transform is nearest to `spectrogram` in the least-squares sense (Griffin and Lim 1984,
    /// eq. 6): windowed inverse transforms, overlapped, added, and divided by the sum of squared windows.
    ///
    /// `length` cuts or zero-pads the result; `None` gives what the frames cover. A transform of a signal is given back
    /// exactly, up to rounding, wherever some window is not zero. Source: librosa 0.11 `istft`.
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for a wrong number of bins, [`FeatureError::TooShort`] for no frame.
    pub fn inverse(
        &self,
        spectrogram: ArrayView2<'_, Complex32>,
        length: Option<usize>,
    ) -> Result<Vec<f32>, FeatureError> {
        let (rows, frames) = spectrogram.dim();
        if rows != self.bins() {
            let (rows, columns) = (self.bins(), frames);
            return Err(FeatureError::Shape {
                what: "spectrogram",
                got_rows: rows,
                got_columns: frames,
                rows,
                columns,
            });
        }
        if frames == 0 {
            return Err(FeatureError::TooShort { got: 0, needed: 1 });
        }
        let Inner { framing, offset, window, inverse, .. } = &*self.0;
        let (n_fft, hop, pad) = (self.n_fft(), framing.hop_length(), framing.pad());
        let covered = n_fft + hop * (frames - 1);
        let length = length.unwrap_or(covered - 2 * pad);
        let frames = frames.min((length + 2 * pad).div_ceil(hop).max(1));

        let mut sum = check::matrix::<f32>(covered.max(length + pad), 1)?.into_raw_vec_and_offset().0;
        let mut weight = sum.clone();
        let mut spectrum = inverse.make_input_vec();
        let mut frame = inverse.make_output_vec();
        let mut work = inverse.make_scratch_vec();
        let scale = 1.0 / n_fft as f32;
        for t in 0..frames {
            spectrum.iter_mut().zip(spectrogram.column(t)).for_each(|(to, from)| *to = *from);
            // A real signal has none here; what is there anyway has no effect on it.
            spectrum[0].im = 0.0;
            if n_fft.is_multiple_of(2) {
                spectrum[rows - 1].im = 0.0;
            }
            let done = inverse.process_with_scratch(&mut spectrum, &mut frame, &mut work);
            debug_assert!(done.is_ok());
            let start = t * hop + offset;
            let places = sum[start..].iter_mut().zip(&mut weight[start..]);
            for (((s, q), x), w) in places.zip(&frame[*offset..]).zip(window) {
                *s += x * w * scale;
                *q += w * w;
            }
        }
        for (s, q) in sum.iter_mut().zip(&weight) {
            if *q > f32::MIN_POSITIVE {
                *s /= q;
            }
        }
        sum.drain(..pad);
        sum.truncate(length);
        Ok(sum)
    }
}
