//! The descriptors of one frame.

use std::sync::Arc;

use num_complex::Complex64;

use super::TimbreDialect;
use super::bank::{AUDITORY_BANDS, AuditoryBank, CLASSES, ChromaMap};
use crate::FeatureError;
use crate::real_fft::{RealFft, RealFftScratch};
use crate::simd::sums::sign_changes;
use crate::simd::timbre::{log_steps, opposite_neighbours, powers};
use crate::window::{Symmetry, Window};

/// Cepstral coefficients of a frame.
pub(super) const COEFFICIENTS: usize = 13;

/// Zero crossings, centroid, roll-off, flux.
const FIRST: usize = 4;

/// The share of the power under the roll-off.
const ROLLOFF: f64 = 0.9;

/// Tables for the descriptors of a frame.
#[derive(Clone)]
pub(super) struct FrameTables {
    dialect: TimbreDialect,
    fft: Arc<RealFft<f64>>,
    bins: usize,
    bank: Arc<AuditoryBank>,
    chroma: Option<Arc<ChromaMap>>,
}

impl std::fmt::Debug for FrameTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameTables").field("bins", &self.bins).finish_non_exhaustive()
    }
}

/// Buffers of one frame, and the logarithms of the frame before.
#[derive(Debug, Clone)]
pub(super) struct FrameScratch {
    fft: RealFftScratch<f64>,
    spectrum: Vec<Complex64>,
    power: Vec<f64>,
    /// Sums of the powers from bin 0 on, then their roots.
    sums: Vec<f64>,
    logs: Vec<f64>,
    logs_before: Vec<f64>,
    bands: [f64; AUDITORY_BANDS],
}

impl FrameScratch {
    /// Forgets the frame before.
    pub(super) fn reset(&mut self) {
        self.logs_before.fill(0.0);
    }
}

impl FrameTables {
    pub(super) fn new(
        sample_rate: u32,
        win_length: usize,
        chroma: bool,
        dialect: TimbreDialect,
    ) -> Result<Self, FeatureError> {
        let bins = win_length / 2 + 1;
        let mut window = Window::Hamming.coefficients(win_length, Symmetry::Symmetric)?;
        // The transform is divided by its length.
        window.iter_mut().for_each(|w| *w /= win_length as f64);
        // Marsyas divides by the number of bins, so that every bin is read almost an octave too high.
        let divisor = if dialect == TimbreDialect::Marsyas { bins } else { win_length };
        let map = || Arc::new(ChromaMap::new(bins, f64::from(sample_rate) / divisor as f64));
        Ok(Self {
            dialect,
            fft: Arc::new(RealFft::new(&window)),
            bins,
            bank: Arc::new(AuditoryBank::new(sample_rate, win_length, bins, COEFFICIENTS)),
            chroma: chroma.then(map),
        })
    }

    /// Values of a frame.
    pub(super) fn width(&self) -> usize {
        FIRST + COEFFICIENTS + if self.chroma.is_some() { CLASSES + 2 } else { 0 }
    }

    pub(super) fn fits(&self, scratch: &FrameScratch) -> bool {
        self.fft.fits(&scratch.fft) && scratch.power.len() == self.bins
    }

    pub(super) fn scratch(&self) -> FrameScratch {
        FrameScratch {
            fft: self.fft.scratch(),
            spectrum: vec![Complex64::default(); self.bins],
            power: vec![0.0; self.bins],
            sums: vec![0.0; self.bins],
            logs: vec![0.0; self.bins - 1],
            logs_before: vec![0.0; self.bins - 1],
            bands: [0.0; AUDITORY_BANDS],
        }
    }

    /// The descriptors of a frame; `first` of the signal, or not.
    pub(super) fn frame(&self, frame: &[f32], first: bool, scratch: &mut FrameScratch, out: &mut [f64]) {
        let FrameScratch { fft, spectrum, power, sums, logs, logs_before, bands } = scratch;
        let marsyas = self.dialect == TimbreDialect::Marsyas;
        self.fft.transform(frame, fft);
        self.fft.spectrum_wide(fft, spectrum);
        powers(spectrum, power);

        let mut crossings = 0;
        if marsyas {
            opposite_neighbours(frame, &mut crossings);
            // Marsyas begins to count at one.
            crossings += 1;
        } else {
            sign_changes(frame, 0.0, &mut crossings);
        }
        out[0] = f64::from(crossings) / frame.len() as f64;

        let (mut total, mut weighted) = (0.0, 0.0);
        for (k, (p, sum)) in power.iter().zip(sums.iter_mut()).enumerate() {
            total += p;
            weighted += k as f64 * p;
            *sum = total;
        }
        let bins = self.bins as f64;
        let under = sums.partition_point(|sum| *sum < ROLLOFF * total);
        if marsyas {
            out[1] = if total > 0.0 { weighted / total / bins } else { 0.5 };
            // The last bin that is still under the share, but never one of the first two.
            let last = under.saturating_sub(1);
            out[2] = if last >= 2 { last as f64 / bins } else { 1.0 };
        } else {
            // Shares of half the sampling rate.
            out[1] = if total > 0.0 { weighted / total / (bins - 1.0) } else { 0.0 };
            out[2] = if total > 0.0 { under.min(self.bins - 1) as f64 / (bins - 1.0) } else { 0.0 };
        }

        let mut steps = [0.0; 2];
        log_steps(&power[1..], logs_before, logs, &mut steps);
        std::mem::swap(logs, logs_before);
        let silent = steps[1] == 0.0 || (first && !marsyas);
        out[3] = if silent { 0.0 } else { steps[0] / (steps[1] * bins) };

        let rest = &mut out[FIRST..];
        let (cepstrum, chroma) = rest.split_at_mut(COEFFICIENTS);
        if marsyas {
            let logarithm = |e: f64| if e == 0.0 { 0.0 } else { e.log10() };
            self.bank.coefficients(power, logarithm, bands, cepstrum);
        } else {
            sums.iter_mut().zip(&*power).for_each(|(root, p)| *root = p.sqrt());
            self.bank.coefficients(sums, |e| e.max(1e-10).log10(), bands, cepstrum);
        }
        if let Some(map) = &self.chroma {
            let (classes, ratios) = chroma.split_at_mut(CLASSES);
            map.apply(power, classes);
            let sum: f64 = classes.iter().sum();
            let low = classes.iter().copied().fold(f64::INFINITY, f64::min);
            let high = classes.iter().copied().fold(0.0, f64::max);
            ratios[0] = if sum > 0.0 { high / (sum / CLASSES as f64) } else { 0.0 };
            ratios[1] = if low > 0.0 { high / low } else { 0.0 };
        }
    }
}
