//! The inverse constant-Q transform: each octave's wavelets, overlapped and added at the octave's rate, then interpolated.

use ndarray::ArrayView2;
use num_complex::Complex32;

use super::kernel::{self, Filter, Work};
use super::tree::Design;
use super::upsample::{Buffers, MARGIN, Upsampler};
use crate::real_inverse::{RealInverse, RealInverseScratch};
use crate::{FeatureError, check};

/// Longest signal that is given back.
const LONGEST: usize = 1 << 31;

/// The wavelets of as many bins, as spectra of which all but one piece is zero.
struct Basis {
    /// First coefficient, and where the weights of the row end.
    rows: Vec<(usize, usize)>,
    weights: Vec<Complex32>,
    transform: usize,
}

/// One octave, from the lowest on.
struct Octave {
    first_row: usize,
    basis: usize,
    /// What the rows of the transform are multiplied with.
    factors: Vec<f32>,
    hop_length: usize,
    halvings: u32,
}

/// The tables.
pub(super) struct Inverse {
    hop_length: usize,
    /// Samples of the longest wavelet.
    longest: f64,
    rows: usize,
    octaves: Vec<Octave>,
    bases: Vec<Basis>,
    transforms: Vec<RealInverse>,
    upsamplers: Vec<Upsampler>,
}

/// Buffers of one inverse constant-Q transform, for signals up to the length that they were made for.
#[derive(Clone)]
pub struct InverseCqtScratch {
    transforms: Vec<RealInverseScratch>,
    /// An octave at its own rate.
    octave: Vec<f32>,
    buffers: Buffers,
    samples: usize,
}

impl std::fmt::Debug for InverseCqtScratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InverseCqtScratch").field("samples", &self.samples).finish_non_exhaustive()
    }
}

impl Inverse {
    pub(super) fn new(design: &Design, tuning: f64) -> Self {
        let full = |bin: usize| design.length(design.hz(bin, tuning), design.sample_rate);
        let count = design.n_bins.div_ceil(design.bins_per_octave);
        let even = design.hop_length.trailing_zeros();
        let mut inverse = Self {
            hop_length: design.hop_length,
            longest: full(0),
            rows: design.n_bins,
            octaves: Vec::with_capacity(count),
            bases: Vec::new(),
            transforms: Vec::new(),
            upsamplers: (0..=even.min(count as u32 - 1)).map(Upsampler::new).collect(),
        };
        let (mut work, mut same) = (Work::default(), None);
        for octave in 0..count {
            let first_row = octave * design.bins_per_octave;
            let end = design.n_bins.min(first_row + design.bins_per_octave);
            let above = (count - 1 - octave) as u32;
            let halvings = above.min(even);
            let rate = design.sample_rate / f64::from(halvings).exp2();
            // A whole octave at half the rate has the wavelets of the one above it.
            let key = (end - first_row, above - halvings);
            let basis = match same {
                Some((known, basis)) if known == key => basis,
                _ => inverse.basis(design, first_row..end, tuning, rate, &mut work),
            };
            same = Some((key, basis));
            let Some(Basis { rows, weights, transform }) = inverse.bases.get(basis) else { continue };
            let n_fft = inverse.transforms.get(*transform).map_or(1, RealInverse::len) as f64;
            let mut from = 0;
            let factors = rows.iter().zip(first_row..).map(|((_, to), bin)| {
                let power: f64 = weights[from..*to].iter().map(|w| f64::from(w.norm_sqr())).sum();
                from = *to;
                let length = full(bin);
                let scale = if design.scaled { length.sqrt() } else { 1.0 };
                (scale * n_fft / length / power.max(f64::MIN_POSITIVE)) as f32
            });
            let factors = factors.collect();
            let hop_length = design.hop_length >> halvings;
            inverse.octaves.push(Octave { first_row, basis, factors, hop_length, halvings });
        }
        inverse
    }

    /// Adds the wavelets of some bins, and gives their index.
    fn basis(
        &mut self,
        design: &Design,
        bins: std::ops::Range<usize>,
        tuning: f64,
        rate: f64,
        work: &mut Work,
    ) -> usize {
        let filter = |bin: usize| {
            let hz = design.hz(bin, tuning);
            Filter { hz, length: design.length(hz, rate), scale: 1.0 }
        };
        let filters: Vec<Filter> = bins.map(filter).collect();
        let n_fft = kernel::n_fft(&filters).max(2);
        let (mut rows, mut weights) = (Vec::with_capacity(filters.len()), Vec::new());
        for filter in filters {
            let kept = kernel::spectrum(filter, rate, n_fft, design.shape, work, &design.transforms);
            let (first, length) = kernel::extent(kept);
            let conjugate = |v: &num_complex::Complex64| Complex32::new(v.re as f32, -v.im as f32);
            weights.extend(kept[first..first + length].iter().map(conjugate));
            rows.push((first, weights.len()));
        }
        let known = self.transforms.iter().position(|t| t.len() == n_fft);
        let transform = known.unwrap_or_else(|| {
            self.transforms.push(RealInverse::new(&vec![1.0; n_fft]));
            self.transforms.len() - 1
        });
        self.bases.push(Basis { rows, weights, transform });
        self.bases.len() - 1
    }

    /// Samples between the first and the last frame.
    pub(super) fn covered(&self, frames: usize) -> usize {
        frames.saturating_sub(1).saturating_mul(self.hop_length)
    }

    pub(super) fn scratch_for(&self, samples: usize) -> Result<InverseCqtScratch, FeatureError> {
        check::within("length", samples as f64, 0.0, LONGEST as f64)?;
        let longest = self.upsamplers.iter().map(|u| u.inputs(samples)).max().unwrap_or(samples);
        let octave = check::vector(longest + MARGIN, 1)?;
        let transforms = self.transforms.iter().map(RealInverse::scratch).collect();
        Ok(InverseCqtScratch { transforms, octave, buffers: Buffers::new(samples)?, samples })
    }

    fn checked_frames(&self, spectrogram: ArrayView2<'_, Complex32>) -> Result<usize, FeatureError> {
        let (got_rows, frames) = spectrogram.dim();
        if got_rows != self.rows {
            let (what, rows) = ("spectrogram", self.rows);
            return Err(FeatureError::Shape { what, got_rows, got_columns: frames, rows, columns: frames });
        }
        if frames == 0 {
            return Err(FeatureError::TooShort { got: 0, needed: 1 });
        }
        // Counted as the columns lie one after another.
        let bad = spectrogram.t().iter().position(|v| !(v.re.is_finite() && v.im.is_finite()));
        match bad.and_then(|index| spectrogram.t().iter().nth(index).map(|v| (index, *v))) {
            Some((index, v)) => {
                let value = if v.re.is_finite() { v.im } else { v.re };
                Err(FeatureError::NotFinite { index, value })
            }
            None => Ok(frames),
        }
    }

    pub(super) fn allocated(
        &self,
        spectrogram: ArrayView2<'_, Complex32>,
        length: Option<usize>,
    ) -> Result<Vec<f32>, FeatureError> {
        let length = length.unwrap_or_else(|| self.covered(spectrogram.ncols()));
        let mut scratch = self.scratch_for(length)?;
        let mut out = check::vector(length, 1)?;
        self.process_into(spectrogram, &mut out, &mut scratch)?;
        Ok(out)
    }

    pub(super) fn process_into(
        &self,
        spectrogram: ArrayView2<'_, Complex32>,
        out: &mut [f32],
        scratch: &mut InverseCqtScratch,
    ) -> Result<(), FeatureError> {
        let frames = self.checked_frames(spectrogram)?;
        let fits = scratch.transforms.len() == self.transforms.len()
            && self.transforms.iter().zip(&scratch.transforms).all(|(t, s)| t.fits(s));
        if !fits || scratch.samples < out.len() {
            return Err(FeatureError::Scratch { plan: "cqt inverse" });
        }
        // Later frames are left out also where their wavelets would reach the signal, as the reference does it.
        let needed = ((out.len() as f64 + self.longest) / self.hop_length as f64).ceil() as usize;
        let frames = frames.min(needed);
        out.fill(0.0);
        let covered = self.covered(frames).min(out.len());
        let out = &mut out[..covered];
        for octave in &self.octaves {
            let Some(upsampler) = self.upsamplers.get(octave.halvings as usize) else { continue };
            let inputs = upsampler.inputs(out.len());
            let Some(padded) = scratch.octave.get_mut(..MARGIN + inputs) else {
                return Err(FeatureError::Scratch { plan: "cqt inverse" });
            };
            padded.fill(0.0);
            let all = (frames - 1) * octave.hop_length;
            let place = &mut padded[MARGIN..MARGIN + inputs.min(all)];
            self.synthesize(octave, spectrogram, frames, place, &mut scratch.transforms);
            upsampler.add(padded, out, &mut scratch.buffers);
        }
        Ok(())
    }

    /// The signal of one octave at its rate; `out` is zero.
    fn synthesize(
        &self,
        octave: &Octave,
        spectrogram: ArrayView2<'_, Complex32>,
        frames: usize,
        out: &mut [f32],
        scratches: &mut [RealInverseScratch],
    ) {
        let Some(basis) = self.bases.get(octave.basis) else { return };
        let (transform, scratch) = (&self.transforms[basis.transform], &mut scratches[basis.transform]);
        let (n_fft, hop) = (transform.len(), octave.hop_length);
        let pad = n_fft / 2;
        let frames_here = frames.min((out.len() + pad).div_ceil(hop));
        for t in 0..frames_here {
            scratch.spectrum.fill(Complex32::default());
            let mut from = 0;
            for (r, ((first, to), factor)) in basis.rows.iter().zip(&octave.factors).enumerate() {
                let value = spectrogram[[octave.first_row + r, t]] * factor;
                let weights = &basis.weights[from..*to];
                from = *to;
                let places = &mut scratch.spectrum[*first..*first + weights.len()];
                places.iter_mut().zip(weights).for_each(|(place, weight)| *place += weight * value);
            }
            transform.transform(scratch);
            match (t * hop).checked_sub(pad) {
                Some(start) if start + n_fft <= out.len() => {
                    transform.add(scratch, &mut out[start..start + n_fft]);
                }
                Some(start) => transform.add_from(0, scratch, &mut out[start..]),
                None => {
                    let end = (t * hop + n_fft).saturating_sub(pad).min(out.len());
                    transform.add_from(pad - t * hop, scratch, &mut out[..end]);
                }
            }
        }
        divide_by_counts(out, n_fft, hop, frames);
    }
}

/// Divides each sample by the frames that reach it, of `frames` of `n_fft` samples centred on multiples of the hop.
fn divide_by_counts(out: &mut [f32], n_fft: usize, hop: usize, frames: usize) {
    let pad = n_fft / 2;
    let mut at = 0;
    while at < out.len() {
        // Frame t reaches from t hop - pad to t hop - pad + n_fft.
        let first = (at + pad + 1).saturating_sub(n_fft).div_ceil(hop);
        let last = ((at + pad) / hop).min(frames - 1);
        let next_begins = if last + 1 < frames { (last + 1) * hop - pad } else { out.len() };
        let first_ends = if first <= last { first * hop + n_fft - pad } else { next_begins };
        let end = next_begins.min(first_ends).clamp(at + 1, out.len());
        if last > first {
            let share = 1.0 / (last - first + 1) as f32;
            out[at..end].iter_mut().for_each(|v| *v *= share);
        }
        at = end;
    }
}
