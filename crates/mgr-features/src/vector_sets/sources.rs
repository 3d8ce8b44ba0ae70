//! Rows over time that a vector set takes statistics of.

use ndarray::ArrayViewMut2;

use crate::FeatureError;
use crate::chroma::stft::{ChromaStft, ChromaStftScratch};
use crate::chroma::together::{Together, TogetherScratch};
use crate::column::for_each_column;
use crate::extractor::{Extractor, Scratch};
use crate::frame::Framing;
use crate::mfcc::{Mfcc, MfccScratch};
use crate::rhythm::Tempo;
use crate::simd::sums::sums;
use crate::spectral::{Framewise, Spectral, SpectralScratch};

/// A matrix of (rows, frames) of a signal, of which the magnitudes of the stage's transform are there, column after column.
pub(super) trait Source: Send + Sync {
    fn rows(&self) -> usize;

    fn frames(&self, samples: usize) -> Result<usize, FeatureError>;

    fn scratch_for(&self, samples: usize) -> Scratch;

    fn write(
        &self,
        samples: &[f32],
        magnitudes: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut Scratch,
    ) -> Result<(), FeatureError>;

    /// Frames of a row that count.
    fn length(&self, row: usize, frames: usize) -> usize {
        let _ = row;
        frames
    }
}

const PLAN: &str = "vector set";

/// Column `t` of magnitudes of so many bins, in `to`.
fn column(magnitudes: &[f32], t: usize, to: &mut [f32]) {
    let at = t * to.len();
    to.copy_from_slice(&magnitudes[at..at + to.len()]);
}

/// A descriptor of the magnitudes.
pub(super) struct OfMagnitudes(pub(super) Spectral);

impl Source for OfMagnitudes {
    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn frames(&self, samples: usize) -> Result<usize, FeatureError> {
        self.0.framing().frames(samples)
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Spectral::scratch_for(&self.0, samples))
    }

    fn write(
        &self,
        _: &[f32],
        magnitudes: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut Scratch,
    ) -> Result<(), FeatureError> {
        self.0.of_spectra(out, scratch.of::<SpectralScratch>(PLAN)?, |t, to| column(magnitudes, t, to))
    }
}

/// Chroma of the powers, of every `stride`-th column.
pub(super) struct Chroma {
    pub(super) chroma: ChromaStft,
    pub(super) stride: usize,
}

impl Source for Chroma {
    fn rows(&self) -> usize {
        self.chroma.n_chroma()
    }

    fn frames(&self, samples: usize) -> Result<usize, FeatureError> {
        self.chroma.stft().framing().frames(samples)
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(ChromaStft::scratch_for(&self.chroma, samples))
    }

    fn write(
        &self,
        _: &[f32],
        magnitudes: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut Scratch,
    ) -> Result<(), FeatureError> {
        self.chroma.of_powers(out, scratch.of::<ChromaStftScratch>(PLAN)?, |t, to| {
            column(magnitudes, t * self.stride, to);
            to.iter_mut().for_each(|v| *v *= *v);
        })
    }
}

/// MFCC of the magnitudes, and, where asked for, their first and second differences.
pub(super) struct Cepstra {
    pub(super) mfcc: Mfcc,
    /// Differences of differences that are taken, 0 to 2, each with as many rows and one frame less.
    pub(super) differences: usize,
}

impl Source for Cepstra {
    fn rows(&self) -> usize {
        self.mfcc.n_mfcc() * (1 + self.differences)
    }

    fn frames(&self, samples: usize) -> Result<usize, FeatureError> {
        let framing = self.mfcc.log_mel().mel().framing();
        let frames = framing.frames(samples)?;
        if frames <= self.differences {
            let needed = framing.shortest() + self.differences * framing.hop_length();
            return Err(FeatureError::TooShort { got: samples, needed });
        }
        Ok(frames)
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Mfcc::scratch_for(&self.mfcc, samples))
    }

    fn write(
        &self,
        _: &[f32],
        magnitudes: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut Scratch,
    ) -> Result<(), FeatureError> {
        let count = self.mfcc.n_mfcc();
        let (first, mut rest) = out.view_mut().split_at(ndarray::Axis(0), count);
        self.mfcc
            .of_magnitudes(first, scratch.of::<MfccScratch>(PLAN)?, |t, to| column(magnitudes, t, to))?;
        rest.fill(0.0);
        for row in count..self.rows() {
            for t in 0..self.length(row, out.ncols()) {
                out[[row, t]] = out[[row - count, t + 1]] - out[[row - count, t]];
            }
        }
        Ok(())
    }

    fn length(&self, row: usize, frames: usize) -> usize {
        frames - row / self.mfcc.n_mfcc()
    }
}

/// The root of the mean of the squares of the bins, as librosa's `rmse(S=...)` was before 0.7.
pub(super) struct RmsOfBins(pub(super) Framing);

impl Source for RmsOfBins {
    fn rows(&self) -> usize {
        1
    }

    fn frames(&self, samples: usize) -> Result<usize, FeatureError> {
        self.0.frames(samples)
    }

    fn scratch_for(&self, _: usize) -> Scratch {
        Scratch::new(())
    }

    fn write(
        &self,
        _: &[f32],
        magnitudes: &[f32],
        out: ArrayViewMut2<'_, f32>,
        _: &mut Scratch,
    ) -> Result<(), FeatureError> {
        let bins = magnitudes.len() / out.ncols().max(1);
        for_each_column(out, &mut [0.0], |t, column| {
            let mut both = [0.0; 2];
            sums(&magnitudes[t * bins..(t + 1) * bins], &mut both);
            column[0] = (both[1] / bins as f64).sqrt() as f32;
        });
        Ok(())
    }
}

/// A feature of one row that is computed from the samples. Its layout would allocate names, so its frames are counted here.
pub(super) struct OfSamples {
    extractor: Box<dyn Extractor>,
    framing: Framing,
    /// Whether all frames give one column.
    single: bool,
}

impl OfSamples {
    pub(super) fn framewise(feature: Framewise) -> Box<dyn Source> {
        let framing = *feature.framing();
        Box::new(Self { extractor: Box::new(feature), framing, single: false })
    }

    pub(super) fn tempo(tempo: Tempo) -> Box<dyn Source> {
        let framing = *tempo.onset_strength().framing();
        Box::new(Self { extractor: Box::new(tempo), framing, single: true })
    }
}

impl Source for OfSamples {
    fn rows(&self) -> usize {
        1
    }

    fn frames(&self, samples: usize) -> Result<usize, FeatureError> {
        let frames = self.framing.frames(samples)?;
        Ok(if self.single { 1 } else { frames })
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        self.extractor.scratch_for(samples)
    }

    fn write(
        &self,
        samples: &[f32],
        _: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut Scratch,
    ) -> Result<(), FeatureError> {
        self.extractor.extract_into(samples, out, scratch)
    }
}

/// Chroma, CENS and the tonal centroids of CENS of one constant-Q transform.
pub(super) struct OfCqt(pub(super) Together);

impl Source for OfCqt {
    fn rows(&self) -> usize {
        self.0.rows()
    }

    fn frames(&self, samples: usize) -> Result<usize, FeatureError> {
        self.0.columns(samples)
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(self.0.scratch_for(samples))
    }

    fn write(
        &self,
        samples: &[f32],
        _: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut Scratch,
    ) -> Result<(), FeatureError> {
        self.0.process_into(samples, out, scratch.of::<TogetherScratch>(PLAN)?)
    }
}
