//! Chroma of a short-time Fourier transform.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::class_axis;
use super::filters::{ChromaBank, ChromaBankConfig, ChromaDesign, check_tuning};
use crate::column::{ColumnKernel, for_each_column};
use crate::extractor::{Extractor, Layout, Scratch, Unit, by_process_into};
use crate::frame::Span;
use crate::normalize::Norm;
use crate::pitch::piptrack::PiptrackConfig;
use crate::pitch::tuning::{PeakScratch, PeakTuning, TuningSource};
use crate::simd::products::apply_dense;
use crate::spectrogram::time_axis;
use crate::stft::{Stft, StftConfig, StftScratch};
use crate::{ColumnStream, FeatureError, check};

/// Parameters of a chroma of a short-time Fourier transform. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChromaStftConfig {
    /// The transform, whose power goes in.
    pub stft: StftConfig,
    /// The filter bank.
    pub bank: ChromaBankConfig,
    /// The tuning, as a share of a pitch class; default estimated from the power spectrogram of each clip.
    pub tuning: TuningSource,
    /// Norm of each column. Default largest value.
    pub norm: Norm,
}

impl Default for ChromaStftConfig {
    fn default() -> Self {
        Self {
            stft: StftConfig::default(),
            bank: ChromaBankConfig::default(),
            tuning: TuningSource::default(),
            norm: Norm::Max,
        }
    }
}

impl ChromaStftConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`StftConfig::plan`], [`ChromaBankConfig::plan`] and [`Norm::check`].
    pub fn plan(&self, sample_rate: u32) -> Result<ChromaStft, FeatureError> {
        check::rate(sample_rate)?;
        self.norm.check()?;
        let stft = self.stft.plan()?;
        let bank = match self.tuning {
            TuningSource::Fixed(tuning) => {
                check_tuning(tuning)?;
                Bank::Fixed(self.bank.plan(sample_rate, stft.n_fft(), tuning)?)
            }
            TuningSource::Estimated => {
                let design = ChromaDesign::new(&self.bank, sample_rate, stft.n_fft())?;
                // The reference counts the bins to tell the length of the transform, and so takes it for even.
                let n_fft = 2 * (stft.bins() - 1);
                let peaks =
                    PeakTuning::new(&PiptrackConfig::default(), 0.01, design.n_chroma(), sample_rate, n_fft)?;
                Bank::Estimated { design, peaks }
            }
        };
        Ok(ChromaStft(Arc::new(Inner {
            stft,
            bank,
            norm: self.norm,
            config: self.bank.clone(),
            sample_rate,
        })))
    }
}

#[derive(Debug)]
struct Inner {
    stft: Stft,
    bank: Bank,
    norm: Norm,
    config: ChromaBankConfig,
    sample_rate: u32,
}

#[derive(Debug)]
enum Bank {
    /// Computed once.
    Fixed(ChromaBank),
    /// Computed anew for the tuning of each clip.
    Estimated { design: ChromaDesign, peaks: PeakTuning },
}

/// A planned chroma of the power spectrogram: a [`ChromaBank`] applied to `|X[k, t]|^2`, each column divided by its norm,
/// (pitch classes, frames).
///
/// The tuning of a clip is the [`crate::pitch::tuning`] of its power spectrogram, with as many bins to the octave as there are
/// pitch classes; the whole clip must then be there before the first column, which is why only a fixed tuning streams. Silent
/// columns stay zero. Source: librosa 0.11 `feature.chroma_stft`.
///
/// ```
/// use mgr_features::chroma::stft::ChromaStftConfig;
/// let chroma = ChromaStftConfig::default().plan(22_050)?;
/// let a: Vec<f32> = (0..22_050).map(|n| (n as f32 * 440.0 * std::f32::consts::TAU / 22_050.0).sin()).collect();
/// let matrix = chroma.process(&a)?;
/// assert_eq!(matrix.dim(), (12, 44));
/// assert!(matrix.columns().into_iter().all(|column| column[9] == 1.0));
///
/// // The same without allocating, for clips of up to a second.
/// let mut out = matrix.clone();
/// chroma.process_into(&a, out.view_mut(), &mut chroma.scratch_for(22_050))?;
/// assert_eq!(out, matrix);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ChromaStft(Arc<Inner>);

/// Buffers of one computation; make one per thread with [`ChromaStft::scratch_for`] and use it again.
#[derive(Debug, Clone)]
pub struct ChromaStftScratch {
    stft: StftScratch,
    /// Powers of one frame, or of all frames of a clip, each padded.
    power: Vec<f32>,
    column: Vec<f32>,
    estimate: Option<EstimateScratch>,
}

#[derive(Debug, Clone)]
struct EstimateScratch {
    peaks: PeakScratch,
    work: Vec<f64>,
    weights: Vec<f32>,
}

impl ChromaStft {
    /// Buffers for [`ChromaStft::process_into`] where the tuning is fixed. Where it is estimated they must be made for a length:
    /// [`ChromaStft::scratch_for`].
    #[must_use]
    pub fn scratch(&self) -> ChromaStftScratch {
        self.scratch_for(0)
    }

    /// Buffers for [`ChromaStft::process_into`] and signals of up to `samples` samples.
    ///
    /// Where memory does not suffice for them they are refused when they are used.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> ChromaStftScratch {
        self.scratch_of_frames(self.0.stft.framing().frames(samples).unwrap_or(0))
    }

    fn scratch_of_frames(&self, frames: usize) -> ChromaStftScratch {
        let Inner { stft, bank, config, .. } = &*self.0;
        let (frames, estimate) = match bank {
            Bank::Fixed(_) => (1, None),
            Bank::Estimated { design, peaks } => {
                let weights = design.weights().unwrap_or_default();
                let (peaks, work) = (peaks.scratch(frames), design.work());
                (frames, Some(EstimateScratch { peaks, work, weights }))
            }
        };
        ChromaStftScratch {
            stft: stft.scratch(),
            power: check::vector(self.padded_bins(), frames).unwrap_or_default(),
            column: vec![0.0; config.n_chroma],
            estimate,
        }
    }

    fn padded_bins(&self) -> usize {
        match &self.0.bank {
            Bank::Fixed(bank) => bank.padded_bins(),
            Bank::Estimated { design, .. } => design.padded_bins(),
        }
    }

    fn fits(&self, scratch: &ChromaStftScratch, frames: usize) -> Result<(), FeatureError> {
        let Inner { stft, bank, config, .. } = &*self.0;
        stft.fits(&scratch.stft)?;
        let (frames, fits) = match (bank, &scratch.estimate) {
            (Bank::Fixed(_), None) => (1, true),
            (Bank::Estimated { design, peaks }, Some(estimate)) => {
                let weights = design.weights_length() == Some(estimate.weights.len());
                (frames, weights && peaks.fits(&estimate.peaks, frames))
            }
            _ => (frames, false),
        };
        let powers = self.padded_bins().checked_mul(frames);
        let enough = powers.is_some_and(|needed| scratch.power.len() >= needed);
        if fits && enough && scratch.column.len() == config.n_chroma {
            return Ok(());
        }
        Err(FeatureError::Scratch { plan: "chroma_stft" })
    }

    /// The chroma of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The chroma of a signal into `out` of (pitch classes, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], and [`FeatureError::Scratch`] also for
    /// a scratch made for shorter signals.
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut ChromaStftScratch,
    ) -> Result<(), FeatureError> {
        let Inner { stft, config, .. } = &*self.0;
        let frames = stft.framing().frames(samples.len())?;
        self.fits(scratch, frames)?;
        check::shape(&out, config.n_chroma, frames)?;
        check::finite(samples)?;
        let span = Span::whole(samples);
        self.run(out, scratch, |t, scratch, power| {
            stft.transform(t, span, scratch);
            stft.power(scratch, power);
        });
        Ok(())
    }

    /// The chroma of a power spectrogram of (bins, frames), allocated.
    ///
    /// # Errors
    /// [`FeatureError::Shape`], [`FeatureError::NotFinite`], [`FeatureError::Memory`], and [`FeatureError::Parameter`] for a
    /// negative value.
    pub fn process_spectrogram(&self, power: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        check::spectrogram(power, self.0.stft.bins())?;
        let mut out = check::matrix(self.0.config.n_chroma, power.ncols())?;
        let mut scratch = self.scratch_of_frames(power.ncols());
        if self.fits(&scratch, power.ncols()).is_err() {
            return Err(FeatureError::Memory { rows: power.nrows(), columns: power.ncols() });
        }
        self.run(out.view_mut(), &mut scratch, |t, _, column| {
            column.iter_mut().zip(power.column(t)).for_each(|(to, from)| *to = *from);
        });
        Ok(out)
    }

    /// Pitch classes.
    pub(crate) fn n_chroma(&self) -> usize {
        self.0.config.n_chroma
    }

    /// The transform.
    pub(crate) fn stft(&self) -> &Stft {
        &self.0.stft
    }

    /// The chroma of powers that `power_of(t, bins)` gives. Allocates nothing.
    pub(crate) fn of_powers(
        &self,
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut ChromaStftScratch,
        power_of: impl Fn(usize, &mut [f32]),
    ) -> Result<(), FeatureError> {
        self.fits(scratch, out.ncols())?;
        self.run(out, scratch, |t, _, power| power_of(t, power));
        Ok(())
    }

    /// Fills `out`, whose powers `power_of(t, stft scratch, bins)` gives; the scratch fits.
    fn run(
        &self,
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut ChromaStftScratch,
        power_of: impl Fn(usize, &mut StftScratch, &mut [f32]),
    ) {
        let Inner { stft, bank, norm, .. } = &*self.0;
        let ChromaStftScratch { stft: work, power, column, estimate } = scratch;
        let (bins, padded) = (stft.bins(), self.padded_bins());
        match (bank, estimate) {
            (Bank::Fixed(bank), _) => for_each_column(out, column, |t, column| {
                let power = &mut power[..padded];
                power_of(t, work, &mut power[..bins]);
                bank.apply(power, column);
                norm.apply(column);
            }),
            (Bank::Estimated { design, peaks }, Some(estimate)) => {
                peaks.begin(&mut estimate.peaks);
                for (t, power) in power.chunks_exact_mut(padded).take(out.ncols()).enumerate() {
                    let power = &mut power[..bins];
                    power_of(t, work, power);
                    peaks.add(power, &mut estimate.peaks);
                }
                let tuning = peaks.end(&mut estimate.peaks);
                design.fill(tuning, &mut estimate.work, &mut estimate.weights);
                for_each_column(out, column, |t, column| {
                    apply_dense(&estimate.weights, &power[t * padded..(t + 1) * padded], column);
                    norm.apply(column);
                });
            }
            // `fits` has been asked.
            (Bank::Estimated { .. }, None) => {}
        }
    }

    /// Computes the same columns while samples arrive.
    ///
    /// # Errors
    /// [`FeatureError::NotStreamable`] where the tuning is estimated.
    pub fn stream(&self) -> Result<ColumnStream, FeatureError> {
        match &self.0.bank {
            Bank::Fixed(_) => {
                let kernel = Kernel { plan: self.clone(), scratch: self.scratch() };
                let (framing, rows) = (*self.0.stft.framing(), self.0.config.n_chroma);
                Ok(ColumnStream::new(framing, rows, Box::new(kernel)))
            }
            Bank::Estimated { .. } => Err(FeatureError::NotStreamable {
                feature: "chroma_stft",
                reason: "the tuning is that of the whole signal",
            }),
        }
    }
}

/// Columns of a fixed tuning.
struct Kernel {
    plan: ChromaStft,
    scratch: ChromaStftScratch,
}

impl ColumnKernel for Kernel {
    fn column(&mut self, t: usize, span: Span<'_>, out: &mut [f32]) {
        let Inner { stft, bank, norm, .. } = &*self.plan.0;
        let Bank::Fixed(bank) = bank else { return };
        stft.transform(t, span, &mut self.scratch.stft);
        stft.power(&self.scratch.stft, &mut self.scratch.power[..stft.bins()]);
        bank.apply(&self.scratch.power, out);
        norm.apply(out);
    }
}

impl Extractor for ChromaStft {
    by_process_into!("chroma_stft");

    fn frame_length(&self) -> usize {
        self.0.stft.n_fft()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        let Inner { stft, config, sample_rate, norm, .. } = &*self.0;
        Ok(Layout {
            rows: config.n_chroma,
            columns: stft.framing().frames(samples)?,
            row_axis: class_axis(config.n_chroma, config.first),
            column_axis: time_axis(stft, *sample_rate),
            unit: if *norm == Norm::None { Unit::Power } else { Unit::Ratio },
        })
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        self.stream()
    }
}
