//! The inverse short-time Fourier transform.

use ndarray::ArrayView2;
use num_complex::Complex32;

use super::{Inner, Stft};
use crate::real_inverse::RealInverseScratch;
use crate::simd::inverse::divide;
use crate::{FeatureError, check};

/// Buffers of one inverse; make one per thread with [`Stft::inverse_scratch`] and use it again.
#[derive(Debug, Clone)]
pub struct InverseScratch(RealInverseScratch);

/// What a sum of overlapping frames is divided by where frames lie on all sides: the sum of squared windows, of period
/// `hop_length`; 1 where no window reaches.
pub(super) fn steady_divisors(window: &[f32], hop_length: usize) -> Vec<f32> {
    // The earliest frame is added first, and of it the end of the window is what reaches here.
    let weight = |r: usize| window.iter().skip(r).step_by(hop_length).rev().map(|w| w * w).sum();
    (0..hop_length.min(window.len())).map(weight).map(divisor).collect()
}

fn divisor(weight: f32) -> f32 {
    if weight > f32::MIN_POSITIVE { weight } else { 1.0 }
}

impl Stft {
    /// Samples that `frames` columns cover, padding left out: what [`Stft::inverse`] gives without a length.
    #[must_use]
    pub fn covered(&self, frames: usize) -> usize {
        match frames {
            0 => 0,
            _ => (frames - 1)
                .saturating_mul(self.framing().hop_length())
                .saturating_add(self.framing().frame_length())
                .saturating_sub(2 * self.framing().pad()),
        }
    }

    /// Buffers for [`Stft::inverse_into`].
    #[must_use]
    pub fn inverse_scratch(&self) -> InverseScratch {
        InverseScratch(self.0.inverse.scratch())
    }

    /// The signal whose transform is nearest to `spectrogram` in the least-squares sense (Griffin and Lim 1984,
    /// eq. 6): windowed inverse transforms, overlapped, added, and divided by the sum of squared windows.
    ///
    /// `length` cuts or zero-pads the result; `None` gives what the frames cover. A transform of a signal is given back
    /// exactly, up to rounding, wherever some window is not zero; conditioned frames come back conditioned. Source: librosa
    /// 0.11 `istft`.
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for a wrong number of bins, [`FeatureError::TooShort`] for no frame,
    /// [`FeatureError::Memory`].
    pub fn inverse(
        &self,
        spectrogram: ArrayView2<'_, Complex32>,
        length: Option<usize>,
    ) -> Result<Vec<f32>, FeatureError> {
        let length = length.unwrap_or(self.covered(spectrogram.ncols()));
        let mut out = check::matrix::<f32>(length, 1)?.into_raw_vec_and_offset().0;
        self.inverse_into(spectrogram, &mut out, &mut self.inverse_scratch())?;
        Ok(out)
    }

    /// As [`Stft::inverse`], for a signal of the length of `out`. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for a wrong number of bins, [`FeatureError::TooShort`] for no frame,
    /// [`FeatureError::Scratch`].
    pub fn inverse_into(
        &self,
        spectrogram: ArrayView2<'_, Complex32>,
        out: &mut [f32],
        scratch: &mut InverseScratch,
    ) -> Result<(), FeatureError> {
        let (got_rows, frames) = spectrogram.dim();
        let rows = self.bins();
        if got_rows != rows {
            let (what, columns) = ("spectrogram", frames);
            return Err(FeatureError::Shape { what, got_rows, got_columns: frames, rows, columns });
        }
        if frames == 0 {
            return Err(FeatureError::TooShort { got: 0, needed: 1 });
        }
        self.inverse_with(frames, out, scratch, |t, spectrum| {
            let column = spectrogram.column(t);
            match column.as_slice() {
                Some(column) => spectrum.copy_from_slice(column),
                None => spectrum.iter_mut().zip(column).for_each(|(to, from)| *to = *from),
            }
        })
    }

    /// As [`Stft::inverse_into`], of `frames` spectra that `spectrum` writes one after another.
    pub(crate) fn inverse_with(
        &self,
        frames: usize,
        out: &mut [f32],
        scratch: &mut InverseScratch,
        mut spectrum: impl FnMut(usize, &mut [Complex32]),
    ) -> Result<(), FeatureError> {
        let Inner { framing, inverse, .. } = &*self.0;
        let scratch = &mut scratch.0;
        if !inverse.fits(scratch) {
            return Err(FeatureError::Scratch { plan: "stft inverse" });
        }
        let (n_fft, hop, pad) = (self.n_fft(), framing.hop_length(), framing.pad());
        // Frames that start past the end of the signal have no part in it.
        let frames = frames.min((out.len() + pad).div_ceil(hop));
        out.fill(0.0);
        for t in 0..frames {
            spectrum(t, &mut scratch.spectrum);
            inverse.transform(scratch);
            match (t * hop).checked_sub(pad) {
                Some(start) if start + n_fft <= out.len() => {
                    inverse.add(scratch, &mut out[start..start + n_fft]);
                }
                Some(start) => inverse.add_from(0, scratch, &mut out[start..]),
                None => {
                    let end = (t * hop + n_fft).saturating_sub(pad).min(out.len());
                    inverse.add_from(pad - t * hop, scratch, &mut out[..end]);
                }
            }
        }
        self.divide_by_weights(frames, out);
        Ok(())
    }

    /// Divides a sum of `frames` overlapping frames by the sum of their squared windows.
    fn divide_by_weights(&self, frames: usize, out: &mut [f32]) {
        let Inner { framing, window, divisors, .. } = &*self.0;
        let (n_fft, hop, pad) = (self.n_fft(), framing.hop_length(), framing.pad());
        // In padded time, `p = i + pad`, frame t reaches from t hop to t hop + n_fft. All frames that could reach p are
        // there from the last hop of the first frame up to where the next frame would start.
        let steady_from =
            n_fft.saturating_sub(hop).next_multiple_of(hop).max(pad.next_multiple_of(hop)) - pad;
        let steady_to = (frames * hop).saturating_sub(pad).min(out.len());
        let edge = |p: usize| -> f32 {
            let first = (p + 1).saturating_sub(n_fft).div_ceil(hop);
            let last = (p / hop).min(frames.saturating_sub(1));
            divisor((first..=last).map(|t| window[p - t * hop]).map(|w| w * w).sum())
        };
        let (head, rest) = out.split_at_mut(steady_from.min(out.len()));
        let (steady, tail) = rest.split_at_mut(steady_to.saturating_sub(steady_from).min(rest.len()));
        head.iter_mut().enumerate().for_each(|(i, v)| *v /= edge(i + pad));
        steady.chunks_mut(hop).for_each(|chunk| divide(chunk, divisors));
        let from = steady_from + steady.len() + pad;
        tail.iter_mut().enumerate().for_each(|(i, v)| *v /= edge(from + i));
    }
}
