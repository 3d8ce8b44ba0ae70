//! The cascade on one block: convolve, take the modulus, and again; average each.
//!
//! Convolution is a product of spectra on the bins where the filter is not negligible. Subsampling folds the product, so
//! that its inverse transform is short. Only moduli of inverse transforms and real signals are looked at, for which the
//! forward transform of the conjugate does as well: all spectra are kept conjugated, and there are forward transforms only.

use std::sync::Arc;

use num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::bank::{Filter, SIGMA_0, deviation};
use super::geometry::Blocks;
use super::paths::{Averaged, Branch, Tree};
use crate::frame::Span;
use crate::simd::scattering::Scattered;
use crate::simd::transform::real_bin;

/// Tables for transforms of one length, a power of two.
pub(super) struct Cascade<F> {
    length: usize,
    low_pass: Option<LowPass<F>>,
    psi1: Vec<Filter<F>>,
    psi2: Vec<Filter<F>>,
    /// Of sizes 2^0, 2^1, and so on.
    transforms: Vec<Arc<dyn Fft<F>>>,
    /// The spectrum of the signal itself is made in double precision: weak bands drown in the rounding of strong ones.
    spectrum: Arc<dyn Fft<f64>>,
    spectrum_twiddles: Vec<Complex<f64>>,
    /// By level of subsampling, as many as are asked for there.
    twiddles: Vec<Vec<Complex<F>>>,
    /// By branch: bins of its envelope's spectrum that the wavelets of the second order look at.
    bins: Vec<usize>,
}

struct LowPass<F> {
    phi: Filter<F>,
    /// For order 0, whose values go through zero.
    wide: Filter<f64>,
    wide_columns: Arc<dyn Fft<f64>>,
    columns: Arc<dyn Fft<F>>,
}

/// Buffers of one cascade.
#[derive(Debug, Clone)]
pub(super) struct Buffers<F> {
    samples: Vec<Complex<f64>>,
    samples_work: Vec<Complex<f64>>,
    wide_columns: Vec<Complex<f64>>,
    signal: Vec<Complex<F>>,
    band: Vec<Complex<F>>,
    envelope: Vec<Complex<F>>,
    spectrum: Vec<Complex<F>>,
    columns: Vec<Complex<F>>,
    work: Vec<Complex<F>>,
}

/// A stretch of one path's row.
pub(super) struct Stretch<'a, T> {
    pub(super) row: usize,
    /// Its place in the row.
    pub(super) at: usize,
    values: &'a [Complex<T>],
    /// Values are packed two to a complex number, the imaginary part after the real one.
    packed: bool,
    first: usize,
    pub(super) count: usize,
    scale: f64,
}

impl<T: Scattered> Stretch<'_, T> {
    /// The values, scaled.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> + '_ {
        let value = move |i: usize| match (self.packed, i % 2) {
            (false, _) => self.values[i].re,
            (true, 0) => self.values[i / 2].re,
            (true, _) => self.values[i / 2].im,
        };
        (self.first..self.first + self.count).map(move |i| value(i).wide() * self.scale)
    }
}

/// Takes stretches of rows as they are computed.
pub(super) trait Sink {
    fn put<T: Scattered>(&mut self, stretch: &Stretch<'_, T>);
}

/// Which block of which cut is being computed, and where its results go.
struct Place<'a, S> {
    blocks: &'a Blocks,
    block: usize,
    sink: &'a mut S,
}

impl<S: Sink> Place<'_, S> {
    fn put<T: Scattered>(
        &mut self,
        row: usize,
        level: usize,
        values: &[Complex<T>],
        packed: bool,
        scale: f64,
    ) {
        let (first, at, count) = self.blocks.columns(self.block, level);
        self.sink.put(&Stretch { row, at, values, packed, first, count, scale });
    }
}

fn zeros<T: Scattered>(length: usize) -> Vec<Complex<T>> {
    vec![Complex::new(T::zero(), T::zero()); length]
}

/// `-i exp(-2 pi i k / length)` for bins 1 to `count`.
fn twiddles<T: Scattered>(length: usize, count: usize) -> Vec<Complex<T>> {
    (1..=count)
        .map(|k| {
            let (sin, cos) = (std::f64::consts::TAU * k as f64 / length as f64).sin_cos();
            Complex::new(T::of(-sin), T::of(-cos))
        })
        .collect()
}

/// Samples that the filters of a tree reach in time, one after the other.
///
/// Their envelopes are Gaussians and errors only ever go through envelopes, so the widths add as squares.
pub(super) fn reach<F: Scattered>(tree: &Tree) -> usize {
    let phi = match tree.averaged {
        Averaged::Local { t, .. } => deviation(SIGMA_0 / t),
        Averaged::Global | Averaged::No => 0.0,
    };
    let mut longest = phi;
    for (w1, branch) in tree.first.iter().zip(&tree.branches) {
        let first = deviation(w1.sigma).hypot(phi);
        let second = branch.leaves.iter().map(|l| deviation(tree.second[l.n2].sigma));
        longest = longest.max(second.fold(first, |most, d| most.max(d.hypot(first))));
    }
    (F::REACH * longest).ceil() as usize
}

impl<F: Scattered> Cascade<F> {
    pub(super) fn new(tree: &Tree, length: usize) -> Self {
        let top = length.ilog2() as usize;
        let (mut narrow, mut wide) = (FftPlanner::new(), FftPlanner::new());
        let low_pass = match tree.averaged {
            Averaged::Local { t, level } => Some(LowPass {
                phi: Filter::low_pass(SIGMA_0 / t, length),
                wide: Filter::low_pass(SIGMA_0 / t, length),
                wide_columns: wide.plan_fft_forward(length >> level),
                columns: narrow.plan_fft_forward(length >> level),
            }),
            Averaged::Global | Averaged::No => None,
        };
        let mut used = vec![false; tree.second.len()];
        tree.branches.iter().flat_map(|b| &b.leaves).for_each(|leaf| used[leaf.n2] = true);
        let second = tree.second.iter().zip(used);
        let psi2: Vec<Filter<F>> = second
            .map(|(w, used)| if used { Filter::morlet(w.xi, w.sigma, length) } else { Filter::none() })
            .collect();
        // Twiddles at each level for the widest filter there.
        let mut counts = vec![0; top + 1];
        let phi = low_pass.as_ref().map_or(0, |l| l.phi.edge());
        let mut bins = Vec::with_capacity(tree.branches.len());
        for branch in &tree.branches {
            let half = (length >> branch.level) / 2;
            let edge = branch.leaves.iter().map(|l| psi2[l.n2].edge()).max().unwrap_or(0);
            bins.push(edge.min(half));
            counts[branch.level] = counts[branch.level].max(edge.max(phi).min(half));
            for leaf in &branch.leaves {
                counts[leaf.level] = counts[leaf.level].max(phi.min((length >> leaf.level) / 2));
            }
        }
        Self {
            length,
            low_pass,
            psi1: tree.first.iter().map(|w| Filter::morlet(w.xi, w.sigma, length)).collect(),
            psi2,
            transforms: (0..=top).map(|log2| narrow.plan_fft_forward(1 << log2)).collect(),
            spectrum: wide.plan_fft_forward(length / 2),
            spectrum_twiddles: twiddles(length, length / 2),
            twiddles: counts.iter().enumerate().map(|(l, &count)| twiddles(length >> l, count)).collect(),
            bins,
        }
    }

    pub(super) fn buffers(&self) -> Buffers<F> {
        let work = self.transforms.iter().map(|t| t.get_inplace_scratch_len()).max().unwrap_or(0);
        let columns = self.low_pass.as_ref().map_or(0, |l| l.columns.len());
        let columns_work = self.low_pass.as_ref().map_or(0, |l| l.wide_columns.get_inplace_scratch_len());
        Buffers {
            samples: zeros(self.length / 2),
            samples_work: zeros(self.spectrum.get_inplace_scratch_len().max(columns_work)),
            wide_columns: zeros(columns),
            signal: zeros(self.length),
            band: zeros(self.length),
            envelope: zeros(self.length / 2),
            spectrum: zeros(self.length),
            columns: zeros(columns),
            work: zeros(work),
        }
    }

    /// Computes block `block` of `signal` times `gain`, and hands every stretch of every path to `sink`.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn block(
        &self,
        tree: &Tree,
        blocks: &Blocks,
        block: usize,
        signal: Span<'_>,
        gain: f64,
        buffers: &mut Buffers<F>,
        sink: &mut impl Sink,
    ) {
        let mut place = Place { blocks, block, sink };
        blocks.fill(block, signal, gain, &mut buffers.samples);
        if !tree.averaged.is_local() {
            place.put(0, 0, &buffers.samples, true, 1.0);
        }
        process(&self.spectrum, &mut buffers.samples, &mut buffers.samples_work);
        if let (Some(low_pass), Averaged::Local { level, .. }) = (&self.low_pass, tree.averaged) {
            let Buffers { samples, samples_work, wide_columns, .. } = buffers;
            low(&low_pass.wide, samples, &self.spectrum_twiddles, wide_columns);
            process(&low_pass.wide_columns, wide_columns, samples_work);
            place.put(0, level, wide_columns, false, 1.0);
        }
        self.spread(buffers);
        for (n1, branch) in tree.branches.iter().enumerate() {
            self.branch(tree, n1, branch, buffers, &mut place);
        }
    }

    /// The row of the first-order wavelet `n1` and those of all paths that go on from it.
    fn branch<S: Sink>(
        &self,
        tree: &Tree,
        n1: usize,
        branch: &Branch,
        buffers: &mut Buffers<F>,
        place: &mut Place<'_, S>,
    ) {
        // What the reference's factors of 2^-level amount to: the filters here are for the full rate.
        let scale = |level: usize| if tree.legacy { 1.0 } else { (level as f64).exp2() };
        let size = self.length >> branch.level;
        fold(&self.psi1[n1], &buffers.signal, &mut buffers.band[..size]);
        self.envelope(branch.level, buffers);
        let local = tree.averaged.is_local();
        if !local {
            place.put(1 + n1, branch.level, &buffers.envelope, true, 1.0);
        }
        if !local && branch.leaves.is_empty() {
            return;
        }
        self.transform(branch.level + 1, buffers);
        self.average(tree, branch.level, 1 + n1, scale(branch.level), buffers, place);
        if branch.leaves.is_empty() {
            return;
        }
        self.split(branch.level, self.bins[n1], buffers);
        for leaf in &branch.leaves {
            let Buffers { spectrum, band, .. } = buffers;
            fold(&self.psi2[leaf.n2], &spectrum[..size], &mut band[..self.length >> leaf.level]);
            self.envelope(leaf.level, buffers);
            if local {
                self.transform(leaf.level + 1, buffers);
                let scale = scale(branch.level + leaf.level);
                self.average(tree, leaf.level, leaf.row, scale, buffers, place);
            } else {
                place.put(leaf.row, leaf.level, &buffers.envelope, true, scale(branch.level));
            }
        }
    }

    /// The modulus of the band at `level`, packed.
    fn envelope(&self, level: usize, buffers: &mut Buffers<F>) {
        let Buffers { band, work, envelope, .. } = buffers;
        let size = self.length >> level;
        process(&self.transforms[size.ilog2() as usize], &mut band[..size], work);
        F::modulus_pairs(&band[..size], &mut envelope[..size / 2]);
    }

    /// The transform of the packed envelope, which has the size of a band one level further down.
    fn transform(&self, level: usize, buffers: &mut Buffers<F>) {
        let size = self.length >> level;
        process(&self.transforms[size.ilog2() as usize], &mut buffers.envelope[..size], &mut buffers.work);
    }

    /// Averages the envelope of `level`, whose packed transform is at hand.
    fn average<S: Sink>(
        &self,
        tree: &Tree,
        level: usize,
        row: usize,
        scale: f64,
        buffers: &mut Buffers<F>,
        place: &mut Place<'_, S>,
    ) {
        if let (Some(low_pass), Averaged::Local { level: column_level, .. }) = (&self.low_pass, tree.averaged)
        {
            let Buffers { envelope, columns, work, .. } = buffers;
            let size = self.length >> level;
            low(&low_pass.phi, &envelope[..size / 2], &self.twiddles[level], columns);
            process(&low_pass.columns, columns, work);
            place.put(row, column_level, columns, false, scale);
        }
    }

    /// The spectrum of the signal, from its packed transform.
    fn spread(&self, buffers: &mut Buffers<F>) {
        let Buffers { samples, signal, .. } = buffers;
        let half = samples.len();
        let narrow = |z: Complex<f64>| Complex::new(F::of(z.re), F::of(z.im));
        signal[0] = narrow(ends(samples[0]).0);
        signal[half] = narrow(ends(samples[0]).1);
        let (low, high) = signal.split_at_mut(half);
        F::spread(samples, &self.spectrum_twiddles, &mut low[1..], &mut high[1..]);
    }

    /// Bins up to `bins` of the spectrum of the envelope of `level`, from its packed transform.
    fn split(&self, level: usize, bins: usize, buffers: &mut Buffers<F>) {
        let Buffers { envelope, spectrum, .. } = buffers;
        let size = self.length >> level;
        let half = size / 2;
        let (low, high) = spectrum[..size].split_at_mut(half);
        low[0] = ends(envelope[0]).0;
        high[0] = ends(envelope[0]).1;
        let bins = bins.min(half - 1);
        let mirrored = &mut high[half - bins..];
        F::split(&envelope[..half], &self.twiddles[level], &mut low[1..=bins], mirrored);
    }
}

fn process<T: Scattered>(transform: &Arc<dyn Fft<T>>, data: &mut [Complex<T>], work: &mut [Complex<T>]) {
    transform.process_with_scratch(data, &mut work[..transform.get_inplace_scratch_len()]);
}

/// The first and the middle bin of the spectrum of a real signal, from the first of its packed transform.
fn ends<T: Scattered>(z: Complex<T>) -> (Complex<T>, Complex<T>) {
    (Complex::new(z.re + z.im, T::zero()), Complex::new(z.re - z.im, T::zero()))
}

/// `out[b] = sum of filter[b'] spectrum[b']` over all bins `b'` that fall on `b` on the smaller circle.
fn fold<T: Scattered>(filter: &Filter<T>, spectrum: &[Complex<T>], out: &mut [Complex<T>]) {
    let size = out.len();
    let start = filter.first.rem_euclid(size as isize) as usize;
    let overlaps = filter.weights.len() > size;
    let zero = Complex::new(T::zero(), T::zero());
    if overlaps {
        out.fill(zero);
    } else {
        // Zeros from the filter's end around to its start.
        let end = start + filter.weights.len();
        if end <= size {
            out[end..].fill(zero);
            out[..start].fill(zero);
        } else {
            out[end - size..start].fill(zero);
        }
    }
    let mut bin = filter.first;
    let mut weights = filter.weights.as_slice();
    while !weights.is_empty() {
        let to = bin.rem_euclid(size as isize) as usize;
        let from = bin.rem_euclid(spectrum.len() as isize) as usize;
        let (now, rest) = weights.split_at(weights.len().min(size - to));
        let (values, places) = (&spectrum[from..from + now.len()], &mut out[to..to + now.len()]);
        if overlaps {
            for ((o, v), &w) in places.iter_mut().zip(values).zip(now) {
                *o = Complex::new(o.re + v.re * w, o.im + v.im * w);
            }
        } else {
            T::weigh(values, now, places);
        }
        bin += now.len() as isize;
        weights = rest;
    }
}

/// [`fold`] for a symmetric filter on a real signal, straight from its packed transform: few bins count.
fn low<T: Scattered>(filter: &Filter<T>, z: &[Complex<T>], twiddles: &[Complex<T>], out: &mut [Complex<T>]) {
    let half = z.len();
    let (size, circle, mask) = (out.len(), 2 * half, out.len() - 1);
    let bin = |k: usize| -> Complex<T> {
        let k = k & (circle - 1);
        let (k, beyond) = if k > half { (circle - k, true) } else { (k, false) };
        let x = match k {
            0 => ends(z[0]).0,
            k if k == half => ends(z[0]).1,
            k => real_bin(z[k], z[half - k], twiddles[k - 1]),
        };
        if beyond { x.conj() } else { x }
    };
    out.fill(Complex::new(T::zero(), T::zero()));
    let centre = filter.first.unsigned_abs();
    out[0] = bin(0) * filter.weights[centre];
    for k in 1..=centre {
        let x = bin(k) * filter.weights[centre + k];
        out[k & mask] = out[k & mask] + x.conj();
        let back = size - 1 - ((k - 1) & mask);
        out[back] = out[back] + x;
    }
}
