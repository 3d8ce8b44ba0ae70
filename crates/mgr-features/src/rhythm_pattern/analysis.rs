//! One segment: from samples to loudness by band and frame, and its modulation.

use std::ops::Range;
use std::sync::Arc;

use num_complex::Complex64;
use realfft::{RealFftPlanner, RealToComplex};

use super::bark;
use super::config::{RhythmPatternConfig, Stages};
use super::segments::{FRAMES, Segmentation};
use crate::real_fft::{RealFft, RealFftScratch};
use crate::simd::loudness::{BrokenLine, band_powers, broken_line, decibels_from_one, mix_rows, sones};
use crate::window::{Symmetry, Window};
use crate::{FeatureError, check};

/// Full scale of 16 bits times the reference's hearing threshold.
const SCALE: f64 = 0.0875 * 32_768.0;

/// Length of the transform along the frames of a segment: the frames and a zero.
const MODULATION_FFT: usize = FRAMES + 1;

/// What the magnitudes of that transform are divided by in the reference, whatever its length.
const MODULATION_SCALE: f64 = 256.0;

/// A planned analysis of segments.
pub(super) struct Analysis {
    pub(super) config: RhythmPatternConfig,
    pub(super) segmentation: Segmentation,
    sample_rate: u32,
    n_fft: usize,
    hop_length: usize,
    fft: RealFft<f64>,
    /// The bins of each row, and what their squared magnitudes are multiplied by.
    bands: Vec<Range<usize>>,
    weights: Vec<f64>,
    spreading: Option<Vec<f64>>,
    phon: Option<Vec<BrokenLine>>,
    modulation: Arc<dyn RealToComplex<f64>>,
    /// Weight of each modulation in a rhythm pattern.
    fluctuation: Vec<f64>,
}

impl std::fmt::Debug for Analysis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analysis").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Buffers of one segment.
pub(super) struct AnalysisScratch {
    fft: RealFftScratch<f64>,
    powers: Vec<f64>,
    column: Vec<f64>,
    /// Rows of [`FRAMES`] values each.
    pub(super) rows: Vec<f64>,
    mixed: Vec<f64>,
    along: Vec<f64>,
    along_spectrum: Vec<Complex64>,
    along_work: Vec<Complex64>,
    /// Modulation of each row, not weighted: row after row.
    pub(super) modulation: Vec<f64>,
}

impl Analysis {
    pub(super) fn new(config: &RhythmPatternConfig, sample_rate: u32) -> Result<Self, FeatureError> {
        let RhythmPatternConfig { n_bands, n_modulations, segments, stages } = config;
        let segmentation = Segmentation::new(segments, sample_rate)?;
        check::within("n_bands", *n_bands as f64, 2.0, bark::BARK_HZ.len() as f64)?;
        check::within("n_modulations", *n_modulations as f64, 1.0, (MODULATION_FFT / 2) as f64)?;
        let Stages { outer_ear, bark, spectral_masking, phon, fluctuation_weighting, .. } = *stages;
        for (field, on) in [("spectral_masking", spectral_masking), ("phon", phon)] {
            if on && !bark {
                return Err(FeatureError::parameter(field, true, "false where bark is false"));
            }
        }
        // Half overlapping frames, one less than twice as many as fit side by side.
        let hop_length = segmentation.length() / (FRAMES + 1);
        let n_fft = 2 * hop_length;
        let window = Window::Hann.coefficients(n_fft, Symmetry::Symmetric)?;
        let energy: f64 = window.iter().map(|w| w * w).sum();
        let bins = n_fft / 2 + 1;
        let weight = |k: usize| {
            let hz = k as f64 * f64::from(sample_rate) / n_fft as f64;
            // The reference doubles the uppermost bin too.
            let sides = if k == 0 { 1.0 } else { 2.0 };
            let ear = if outer_ear { bark::outer_ear(hz) } else { 1.0 };
            SCALE * SCALE * sides * ear / (energy * std::f64::consts::TAU)
        };
        let bands = if bark {
            bark::bins_of_bands(*n_bands, n_fft, sample_rate)
        } else {
            (0..bins).map(|k| k..k + 1).collect()
        };
        let fluctuation = |i: usize| {
            let hz = modulation_hz(i, sample_rate, segmentation.length());
            if fluctuation_weighting { 1.0 / (hz / 4.0 + 4.0 / hz) } else { 1.0 }
        };
        let fluctuation = (0..*n_modulations).map(fluctuation).collect();
        Ok(Self {
            config: config.clone(),
            sample_rate,
            n_fft,
            hop_length,
            fft: RealFft::new(&window),
            bands,
            weights: (0..bins).map(weight).collect(),
            spreading: spectral_masking.then(|| bark::spreading(*n_bands)),
            phon: phon.then(|| (0..*n_bands).map(bark::phon).collect()),
            modulation: RealFftPlanner::new().plan_fft_forward(MODULATION_FFT),
            fluctuation,
            segmentation,
        })
    }

    /// Rows: bands, or bins.
    pub(super) fn rows(&self) -> usize {
        self.bands.len()
    }

    pub(super) fn n_modulations(&self) -> usize {
        self.fluctuation.len()
    }

    pub(super) fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Frequency of modulation `i`, which counts from 0, in Hz.
    pub(super) fn modulation_hz(&self, i: usize) -> f64 {
        modulation_hz(i, self.sample_rate, self.segmentation.length())
    }

    /// Frequency of row `b` in Hz: lower edge, upper edge; the same twice for a bin.
    pub(super) fn row_hz(&self, b: usize) -> (f64, f64) {
        if self.config.stages.bark {
            return (bark::lower_edge(b), bark::BARK_HZ[b]);
        }
        let hz = b as f64 * f64::from(self.sample_rate) / self.n_fft as f64;
        (hz, hz)
    }

    /// Weight of modulation `i` in a rhythm pattern.
    pub(super) fn fluctuation(&self) -> &[f64] {
        &self.fluctuation
    }

    pub(super) fn scratch(&self) -> AnalysisScratch {
        let rows = self.rows();
        AnalysisScratch {
            fft: self.fft.scratch(),
            powers: vec![0.0; self.weights.len()],
            column: vec![0.0; rows],
            rows: vec![0.0; rows * FRAMES],
            mixed: vec![0.0; if self.spreading.is_some() { rows * FRAMES } else { 0 }],
            along: self.modulation.make_input_vec(),
            along_spectrum: self.modulation.make_output_vec(),
            along_work: self.modulation.make_scratch_vec(),
            modulation: vec![0.0; rows * self.n_modulations()],
        }
    }

    pub(super) fn fits(&self, scratch: &AnalysisScratch) -> bool {
        let mixed = if self.spreading.is_some() { self.rows() * FRAMES } else { 0 };
        self.fft.fits(&scratch.fft)
            && scratch.powers.len() == self.weights.len()
            && (scratch.rows.len(), scratch.mixed.len()) == (self.rows() * FRAMES, mixed)
            && scratch.modulation.len() == self.rows() * self.n_modulations()
    }

    /// Loudness of a segment into `scratch.rows`; zeros follow a segment that is too short. The scratch must fit.
    pub(super) fn loudness(&self, segment: &[f32], scratch: &mut AnalysisScratch) {
        let AnalysisScratch { fft, powers, column, rows, mixed, .. } = scratch;
        for t in 0..FRAMES {
            let frame = segment.get(t * self.hop_length..).unwrap_or(&[]);
            self.fft.transform(&frame[..self.n_fft.min(frame.len())], fft);
            self.fft.power_wide(fft, powers);
            band_powers(&self.bands, &self.weights, powers, column);
            rows.iter_mut().skip(t).step_by(FRAMES).zip(&*column).for_each(|(to, v)| *to = *v);
        }
        if let Some(spreading) = &self.spreading {
            mix_rows(spreading, rows, FRAMES, mixed);
            std::mem::swap(rows, mixed);
        }
        if self.config.stages.decibel {
            decibels_from_one(rows);
        }
        if let Some(phon) = &self.phon {
            for (row, line) in rows.chunks_exact_mut(FRAMES).zip(phon) {
                broken_line(row, line);
            }
            if self.config.stages.sone {
                sones(rows);
            }
        }
    }

    /// Modulation of the rows in the scratch, into `scratch.modulation`.
    pub(super) fn modulation(&self, scratch: &mut AnalysisScratch) {
        let AnalysisScratch { rows, along, along_spectrum, along_work, modulation, .. } = scratch;
        let rows = rows.chunks_exact(FRAMES).zip(modulation.chunks_exact_mut(self.fluctuation.len()));
        for (row, out) in rows {
            along[..FRAMES].copy_from_slice(row);
            along[FRAMES..].fill(0.0);
            // Only a wrong length can fail here, and the scratch is this plan's own.
            let done = self.modulation.process_with_scratch(along, along_spectrum, along_work);
            debug_assert!(done.is_ok());
            let magnitudes = along_spectrum.iter().skip(1).map(|z| z.norm_sqr().sqrt() / MODULATION_SCALE);
            out.iter_mut().zip(magnitudes).for_each(|(to, v)| *to = v);
        }
    }
}

fn modulation_hz(i: usize, sample_rate: u32, segment: usize) -> f64 {
    (i + 1) as f64 * f64::from(sample_rate) / segment as f64
}
