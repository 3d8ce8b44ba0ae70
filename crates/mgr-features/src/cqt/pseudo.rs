//! The pseudo constant-Q transform: kernels without phase on a magnitude spectrogram.

use std::sync::Arc;

use super::config::CqtConfig;
use super::kernel::{self, Filter, Work};
use super::tree::Design;
use crate::FeatureError;
use crate::frame::{Centering, Span};
use crate::simd::products::{FILTER_BLOCK, SparseRow, filter};
use crate::stft::{Stft, StftConfig, StftScratch};
use crate::window::Window;

/// The rows from one bin on, at the full rate.
#[derive(Debug, Clone)]
pub(super) struct Pseudo(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stft: Stft,
    bank: Rows,
}

/// The magnitudes of the filters' spectra.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<SparseRow>,
    weights: Vec<f32>,
}

impl Rows {
    /// Makes the bins of `design` from `first` on anew, in the memory of the old ones where it suffices.
    pub(super) fn rebuild(
        &mut self,
        design: &Design,
        first: usize,
        tuning: f64,
        n_fft: usize,
        work: &mut Work,
    ) {
        let Self { rows, weights } = self;
        rows.clear();
        weights.clear();
        for filter in filters(design, first, tuning) {
            let scale = if design.scaled { 1.0 / n_fft as f64 } else { filter.length / n_fft as f64 }.sqrt();
            let filter = Filter { scale, ..filter };
            let kept =
                kernel::spectrum(filter, design.sample_rate, n_fft, design.shape, work, &design.transforms);
            let (first_bin, length) = kernel::extent(kept);
            let first_weight = weights.len();
            let blocks = length.div_ceil(FILTER_BLOCK);
            weights.extend(kept[first_bin..first_bin + length].iter().map(|v| v.norm() as f32));
            weights.resize(first_weight + blocks * FILTER_BLOCK, 0.0);
            rows.push(SparseRow { first_bin, first_weight, blocks });
        }
    }

    /// Room for other tunings, which may have a few bins more.
    pub(super) fn reserve(&mut self) {
        self.rows.reserve(2 + self.rows.len() / 2);
        self.weights.reserve(self.weights.len() / 2);
    }

    /// Column `t` of the spectrogram.
    pub(super) fn column(
        &self,
        stft: &Stft,
        t: usize,
        span: Span<'_>,
        scratch: &mut PseudoScratch,
        out: &mut [f32],
    ) {
        let PseudoScratch { stft: work, spectrum } = scratch;
        stft.transform(t, span, work);
        let bins = &mut spectrum[..stft.bins()];
        stft.power(work, bins);
        bins.iter_mut().for_each(|v| *v = v.sqrt());
        filter(&self.rows, &self.weights, spectrum, out);
    }
}

fn filters(design: &Design, first: usize, tuning: f64) -> impl Iterator<Item = Filter> + '_ {
    (first..design.n_bins).map(move |bin| {
        let hz = design.hz(bin, tuning);
        Filter { hz, length: design.length(hz, design.sample_rate), scale: 1.0 }
    })
}

/// Buffers of one computation.
#[derive(Debug, Clone)]
pub(super) struct PseudoScratch {
    stft: StftScratch,
    spectrum: Vec<f32>,
}

impl Pseudo {
    /// For the bins of `design` from `first` on; its frequencies must lie under the Nyquist frequency.
    pub(super) fn new(
        config: &CqtConfig,
        design: &Design,
        first: usize,
        tuning: f64,
    ) -> Result<Self, FeatureError> {
        let all: Vec<Filter> = filters(design, first, tuning).collect();
        let n_fft = kernel::n_fft(&all).max(2 * config.hop_length.next_power_of_two());
        let stft = StftConfig {
            n_fft,
            hop_length: config.hop_length,
            window: Window::Hann,
            centering: Centering::Centered,
            padding: config.padding,
            ..StftConfig::default()
        };
        let mut bank = Rows::default();
        bank.rebuild(design, first, tuning, n_fft, &mut Work::default());
        Ok(Self(Arc::new(Inner { stft: stft.plan()?, bank })))
    }

    pub(super) fn stft(&self) -> &Stft {
        &self.0.stft
    }

    pub(super) fn rows(&self) -> usize {
        self.0.bank.rows.len()
    }

    pub(super) fn scratch(&self) -> PseudoScratch {
        PseudoScratch { stft: self.0.stft.scratch(), spectrum: vec![0.0; self.0.stft.bins() + FILTER_BLOCK] }
    }

    pub(super) fn fits(&self, scratch: &PseudoScratch) -> Result<(), FeatureError> {
        self.0.stft.fits(&scratch.stft)
    }

    /// Column `t`.
    pub(super) fn column(&self, t: usize, span: Span<'_>, scratch: &mut PseudoScratch, out: &mut [f32]) {
        self.0.bank.column(&self.0.stft, t, span, scratch, out);
    }
}
