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
    rows: Vec<SparseRow>,
    weights: Vec<f32>,
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
        let rate = design.sample_rate;
        let mut filters: Vec<Filter> = (first..design.n_bins)
            .map(|bin| {
                let hz = design.hz(bin, tuning);
                Filter { hz, length: design.length(hz, rate), scale: 1.0 }
            })
            .collect();
        let n_fft = kernel::n_fft(&filters).max(2 * config.hop_length.next_power_of_two());
        for filter in &mut filters {
            filter.scale =
                if design.scaled { 1.0 / n_fft as f64 } else { filter.length / n_fft as f64 }.sqrt();
        }
        let stft = StftConfig {
            n_fft,
            hop_length: config.hop_length,
            window: Window::Hann,
            centering: Centering::Centered,
            padding: config.padding,
            ..StftConfig::default()
        };
        let (mut rows, mut weights, mut work) = (Vec::new(), Vec::new(), Work::default());
        for filter in filters {
            let kept = kernel::spectrum(filter, rate, n_fft, design.shape, &mut work, &design.transforms);
            let (first_bin, length) = kernel::extent(kept);
            let first_weight = weights.len();
            let blocks = length.div_ceil(FILTER_BLOCK);
            weights.extend(kept[first_bin..first_bin + length].iter().map(|v| v.norm() as f32));
            weights.resize(first_weight + blocks * FILTER_BLOCK, 0.0);
            rows.push(SparseRow { first_bin, first_weight, blocks });
        }
        Ok(Self(Arc::new(Inner { stft: stft.plan()?, rows, weights })))
    }

    pub(super) fn stft(&self) -> &Stft {
        &self.0.stft
    }

    pub(super) fn rows(&self) -> usize {
        self.0.rows.len()
    }

    pub(super) fn scratch(&self) -> PseudoScratch {
        PseudoScratch { stft: self.0.stft.scratch(), spectrum: vec![0.0; self.0.stft.bins() + FILTER_BLOCK] }
    }

    pub(super) fn fits(&self, scratch: &PseudoScratch) -> Result<(), FeatureError> {
        self.0.stft.fits(&scratch.stft)
    }

    /// Column `t`.
    pub(super) fn column(&self, t: usize, span: Span<'_>, scratch: &mut PseudoScratch, out: &mut [f32]) {
        let Inner { stft, rows, weights } = &*self.0;
        let PseudoScratch { stft: work, spectrum } = scratch;
        stft.transform(t, span, work);
        let bins = &mut spectrum[..stft.bins()];
        stft.power(work, bins);
        bins.iter_mut().for_each(|v| *v = v.sqrt());
        filter(rows, weights, spectrum, out);
    }
}
