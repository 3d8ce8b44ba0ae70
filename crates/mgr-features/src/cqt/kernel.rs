//! The kernels of one octave: wavelets, their pruned spectra, and the tables that a frame is multiplied with.

use std::f64::consts::TAU;
use std::sync::{Arc, OnceLock};

use num_complex::{Complex32, Complex64};
use rustfft::{Fft, FftPlanner};
use serde::{Deserialize, Serialize};

use crate::real_fft::RealFft;
use crate::simd::cqt::{BLOCK, HALF_TILE, Segment, TILE};
use crate::window::Window;

/// What the wavelets of a constant-Q transform are divided by, before they are weighted with their lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaveletNorm {
    /// The sum of magnitudes: a sine gives the same value in every bin before scaling. The default.
    #[default]
    L1,
    /// The root of the sum of squares.
    L2,
    /// The greatest magnitude.
    Max,
    /// Nothing.
    None,
}

/// What all wavelets of a transform have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) window: Window,
    pub(super) norm: WaveletNorm,
    pub(super) sparsity: f64,
}

/// One filter of an octave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    pub(super) hz: f64,
    /// Length in samples at the octave's rate, not rounded.
    pub(super) length: f64,
    /// Factor of the whole row.
    pub(super) scale: f64,
}

/// The transforms of every power of two, planned when first needed.
#[derive(Default)]
pub(super) struct Transforms {
    double: [OnceLock<Arc<dyn Fft<f64>>>; 32],
    real: [OnceLock<RealFft>; 32],
}

impl Transforms {
    fn double(&self, n: usize) -> &Arc<dyn Fft<f64>> {
        let place = &self.double[n.trailing_zeros() as usize % 32];
        place.get_or_init(|| FftPlanner::new().plan_fft_forward(n))
    }

    /// Of frames that are not windowed.
    pub(super) fn real(&self, n: usize) -> &RealFft {
        self.real[n.trailing_zeros() as usize % 32].get_or_init(|| RealFft::new(&vec![1.0; n]))
    }
}

/// Buffers for making kernels.
#[derive(Debug, Clone, Default)]
pub(super) struct Work {
    spectrum: Vec<Complex64>,
    fft: Vec<Complex64>,
    magnitudes: Vec<f64>,
    /// Kernels of all rows as functions of time.
    rows: Vec<Complex64>,
}

/// The shortest power of two that holds every filter.
pub(super) fn n_fft(filters: &[Filter]) -> usize {
    let longest = filters.iter().map(|f| f.length).fold(0.0, f64::max);
    // Lengths are bounded when the plan is checked.
    (longest.log2().ceil().max(0.0).exp2() as usize).max(1)
}

/// The spectrum of a filter, pruned: `work.spectrum[..=n / 2]`, with zeros behind it.
///
/// The wavelet is `w[i] exp(2 pi i f t / rate)` for the whole numbers `t` from `-ceil(L/2)` to `floor(L/2) - 1`, normalised,
/// rounded to f32 as the reference does, placed in the middle of `n` samples and weighted with `L / n`. Of its spectrum the
/// bins at and above zero are kept, less the smallest ones that together make up at most the share `sparsity` of the
/// sum of magnitudes.
pub(super) fn spectrum<'a>(
    filter: Filter,
    rate: f64,
    n: usize,
    shape: Shape,
    work: &'a mut Work,
    transforms: &Transforms,
) -> &'a [Complex64] {
    let Work { spectrum, fft, magnitudes, .. } = work;
    spectrum.clear();
    spectrum.resize(n, Complex64::default());
    let (before, after) = ((filter.length / 2.0).ceil(), (filter.length / 2.0).floor());
    let count = ((before + after) as usize).min(n);
    let place = &mut spectrum[(n - count) / 2..][..count];
    for (i, value) in place.iter_mut().enumerate() {
        let window = if count == 1 { 1.0 } else { shape.window.at(i as f64 / count as f64) };
        let angle = (i as f64 - before) * TAU * filter.hz / rate;
        *value = Complex64::from_polar(window, angle);
    }
    let norm = match shape.norm {
        WaveletNorm::L1 => place.iter().map(|v| v.norm()).sum(),
        WaveletNorm::L2 => place.iter().map(Complex64::norm_sqr).sum::<f64>().sqrt(),
        WaveletNorm::Max => place.iter().map(|v| v.norm()).fold(0.0, f64::max),
        WaveletNorm::None => 1.0,
    };
    let norm = if norm < f64::MIN_POSITIVE { 1.0 } else { norm };
    let weight = filter.length / n as f64;
    for value in place.iter_mut() {
        let rounded = |v: f64| f64::from((f64::from((v / norm) as f32) * weight) as f32);
        *value = Complex64::new(rounded(value.re), rounded(value.im));
    }
    let plan = transforms.double(n);
    fft.resize(plan.get_inplace_scratch_len().max(fft.len()), Complex64::default());
    plan.process_with_scratch(spectrum, fft);
    let bins = n / 2 + 1;
    spectrum[bins.min(n)..].fill(Complex64::default());

    let kept = &mut spectrum[..bins.min(n)];
    magnitudes.clear();
    magnitudes.extend(kept.iter().map(|v| v.norm()));
    magnitudes.sort_unstable_by(f64::total_cmp);
    let sum: f64 = magnitudes.iter().sum();
    if sum > 0.0 {
        let mut below = 0.0;
        let threshold = magnitudes.iter().find(|m| {
            below += **m / sum;
            below >= shape.sparsity
        });
        let threshold = threshold.copied().unwrap_or(0.0);
        kept.iter_mut().filter(|v| v.norm() < threshold).for_each(|v| *v = Complex64::default());
    }
    kept.iter_mut().for_each(|v| *v *= filter.scale);
    kept
}

/// How a frame is multiplied with the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// In time, the rows being symmetric about one point up to a factor of magnitude one: half the products.
    Folded,
    /// In time.
    Time,
    /// As spectra, of which the rows see a few bins each.
    Spectrum,
}

/// The rows of one octave as tables.
#[derive(Debug, Clone)]
pub(super) struct Kernel {
    pub(super) n_fft: usize,
    pub(super) rows: usize,
    pub(super) way: Way,
    /// Real and imaginary parts: tiles in time, or blocks of weights of the segments.
    pub(super) re: Vec<f32>,
    pub(super) im: Vec<f32>,
    pub(super) segments: Vec<Segment>,
    /// What the results are multiplied with where phase matters.
    pub(super) turns: Vec<Complex32>,
}

impl Kernel {
    pub(super) fn empty() -> Self {
        Self {
            n_fft: 1,
            rows: 0,
            way: Way::Time,
            re: Vec::new(),
            im: Vec::new(),
            segments: Vec::new(),
            turns: Vec::new(),
        }
    }

    /// Rows with the padding of the last tile.
    pub(super) fn padded_rows(&self) -> usize {
        self.rows.next_multiple_of(HALF_TILE)
    }

    /// Bins with room for the last block of a segment that ends on the last bin.
    pub(super) fn padded_bins(&self) -> usize {
        self.n_fft / 2 + 1 + BLOCK
    }

    /// Makes the tables anew, in the memory of the old ones where it suffices.
    pub(super) fn rebuild(
        &mut self,
        filters: &[Filter],
        rate: f64,
        shape: Shape,
        work: &mut Work,
        transforms: &Transforms,
    ) {
        (self.n_fft, self.rows) = (n_fft(filters), filters.len());
        self.re.clear();
        self.im.clear();
        self.segments.clear();
        self.turns.clear();
        self.turns.resize(self.rows, Complex32::new(1.0, 0.0));
        if time_is_cheaper(self.n_fft, self.padded_rows()) {
            self.rebuild_in_time(filters, rate, shape, work, transforms);
        } else {
            self.rebuild_as_spectrum(filters, rate, shape, work, transforms);
        }
    }

    fn rebuild_as_spectrum(
        &mut self,
        filters: &[Filter],
        rate: f64,
        shape: Shape,
        work: &mut Work,
        transforms: &Transforms,
    ) {
        self.way = Way::Spectrum;
        for filter in filters {
            let kept = spectrum(*filter, rate, self.n_fft, shape, work, transforms);
            let (first_bin, length) = extent(kept);
            let first_weight = self.re.len();
            let blocks = length.div_ceil(BLOCK);
            let values = &kept[first_bin..first_bin + length];
            self.re.extend(values.iter().map(|v| v.re as f32));
            self.im.extend(values.iter().map(|v| v.im as f32));
            self.re.resize(first_weight + blocks * BLOCK, 0.0);
            self.im.resize(first_weight + blocks * BLOCK, 0.0);
            self.segments.push(Segment { first_bin, first_weight, blocks });
        }
    }

    /// `sum_k K[k] X[k]` of the spectrum X of a frame x is `sum_t g[t] x[t]`, where g is the transform of K.
    fn rebuild_in_time(
        &mut self,
        filters: &[Filter],
        rate: f64,
        shape: Shape,
        work: &mut Work,
        transforms: &Transforms,
    ) {
        let n = self.n_fft;
        work.rows.clear();
        for filter in filters {
            spectrum(*filter, rate, n, shape, work, transforms);
            transforms.double(n).process_with_scratch(&mut work.spectrum, &mut work.fft);
            work.rows.extend_from_slice(&work.spectrum);
        }
        self.way = if n >= 2 && turn(&mut work.rows, n, &mut self.turns) { Way::Folded } else { Way::Time };
        let length = if self.way == Way::Folded { n / 2 } else { n };
        let (folded, rows) = (self.way == Way::Folded, &work.rows);
        let mut first = 0;
        while first < self.padded_rows() {
            let wide = if self.padded_rows() - first >= TILE { TILE } else { HALF_TILE };
            for k in 0..length {
                let t = if folded { 1 + k } else { k };
                for r in first..first + wide {
                    let value = rows.get(r * n + t).filter(|_| r < self.rows).copied().unwrap_or_default();
                    self.re.push(value.re as f32);
                    self.im.push(value.im as f32);
                }
            }
            first += wide;
        }
    }
}

/// First bin that is not zero, and the count up to the last.
pub(super) fn extent(kept: &[Complex64]) -> (usize, usize) {
    let zero = |v: &Complex64| v.re == 0.0 && v.im == 0.0;
    let first = kept.iter().position(|v| !zero(v)).unwrap_or(0);
    let end = kept.iter().rposition(|v| !zero(v)).map_or(first, |last| last + 1);
    (first, end - first)
}

/// Turns the rows so that `g[1 + k] = conj g[n - k]`, as rows of windows that begin with zero can be, and notes what turns
/// the results back. False, and the rows as they were, where they cannot.
fn turn(rows: &mut [Complex64], n: usize, turns: &mut [Complex32]) -> bool {
    // Looked at before anything is changed: the factor of a row, by which all its pairs become conjugate.
    let factor = |row: &[Complex64]| {
        let product: Complex64 = (0..n / 2).map(|k| row[1 + k] * row[(n - k) % n]).sum();
        Complex64::from_polar(1.0, -product.arg() / 2.0)
    };
    for row in rows.chunks_exact(n) {
        let by = factor(row);
        let peak = row.iter().map(|v| v.norm()).fold(0.0, f64::max);
        let conjugate = |k: usize| (row[1 + k] * by - (row[(n - k) % n] * by).conj()).norm() <= 1e-6 * peak;
        if !(0..n / 2).all(conjugate) {
            return false;
        }
    }
    for (row, turn) in rows.chunks_exact_mut(n).zip(turns) {
        let by = factor(row);
        row.iter_mut().for_each(|v| *v *= by);
        let back = by.conj();
        *turn = Complex32::new(back.re as f32, back.im as f32);
    }
    true
}

/// Whether products in time cost less than a transform of the frame and a few products of its bins.
fn time_is_cheaper(n: usize, padded_rows: usize) -> bool {
    // Cycles of a frame, measured: folded products at 16 a cycle, transforms at about 1.3 n log2 n.
    let products = n as f64 * padded_rows as f64 / 16.0;
    let transform = 100.0 + 0.35 * n as f64 * (n as f64).log2().max(1.0) + 12.0 * padded_rows as f64;
    products <= transform
}
