//! What the vector sets have in common: rows of several features, computed from one spectrogram where that is possible, and the
//! statistics of each row that make the vector.

use std::sync::Arc;

use ndarray::{Array2, ArrayViewMut2, ShapeBuilder};

use super::sources::Source;
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit};
use crate::frame::Span;
use crate::hpss::{Hpss, HpssAudioScratch};
use crate::simd::sums::sums;
use crate::stats::Summary;
use crate::stft::{Stft, StftScratch};
use crate::{ColumnStream, FeatureError, check};

/// A statistic of a row.
pub(super) type Of = fn(&Summary) -> f64;

/// A value of the vector: a statistic of a row.
pub(super) struct Value {
    pub(super) name: String,
    pub(super) row: usize,
    pub(super) of: Of,
}

/// The magnitudes that the sources of a stage are computed from.
pub(super) enum Spectrum {
    /// None: they take the samples.
    None,
    /// Of a transform in f64.
    Stft(Stft),
    /// Of the transform of a separation, whose two signals are rows too, the first of the stage.
    Hpss {
        hpss: Hpss,
        /// Whether what lies after the last whole hop is zeros, as in librosa before 0.9.
        zero_tail: bool,
    },
}

/// Sources of one signal.
pub(super) struct Stage {
    /// What is added to every sample.
    pub(super) shift: f32,
    pub(super) spectrum: Spectrum,
    /// Whether the samples themselves are rows, after those of a separation: their absolute values, then they.
    pub(super) signal: bool,
    /// Which of the sources count as one row, all their values together.
    pub(super) all_rows: Vec<usize>,
    pub(super) sources: Vec<Box<dyn Source>>,
}

impl Stage {
    /// Rows of source `i` that statistics are taken of, and values of each, for so many frames.
    fn shape(&self, i: usize, frames: usize) -> (usize, usize) {
        let rows = self.sources[i].rows();
        if self.all_rows.contains(&i) { (1, rows.saturating_mul(frames)) } else { (rows, frames) }
    }

    fn stft(&self) -> Option<&Stft> {
        match &self.spectrum {
            Spectrum::None => None,
            Spectrum::Stft(stft) => Some(stft),
            Spectrum::Hpss { hpss, .. } => Some(hpss.stft()),
        }
    }
}

/// What a vector set consists of.
pub(super) struct Parts {
    pub(super) name: &'static str,
    pub(super) sample_rate: u32,
    pub(super) stages: Vec<Stage>,
    pub(super) values: Vec<Value>,
    /// Samples from the start that count.
    pub(super) most: usize,
    /// Decimals that values are rounded to.
    pub(super) decimals: Option<i32>,
}

/// A planned vector set: one column of named values for a clip; see [`crate::vector_sets`].
///
/// ```
/// use mgr_features::vector_sets::Gtzan57Config;
/// let set = Gtzan57Config::default().plan(22_050)?;
/// let vector = set.process(&vec![0.1; 22_050])?;
/// assert_eq!(vector.dim(), (57, 1));
/// assert_eq!(set.names().take(2).collect::<Vec<_>>(), ["chroma_stft_mean", "chroma_stft_var"]);
///
/// // The same without allocating, for clips of up to a second.
/// let mut out = vector.clone();
/// set.process_into(&vec![0.1; 22_050], out.view_mut(), &mut set.scratch_for(22_050))?;
/// assert_eq!(out, vector);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Clone)]
pub struct VectorSet(Arc<Parts>);

impl From<Parts> for VectorSet {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::fmt::Debug for VectorSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VectorSet")
            .field("name", &self.0.name)
            .field("values", &self.0.values.len())
            .finish_non_exhaustive()
    }
}

/// Buffers of one computation; make one per thread with [`VectorSet::scratch_for`] and use it again.
#[derive(Debug)]
pub struct VectorSetScratch {
    name: &'static str,
    /// Samples that it was made for.
    samples: usize,
    stages: Vec<StageScratch>,
    /// The samples with a constant added.
    shifted: Vec<f32>,
    magnitudes: Vec<f32>,
    matrix: Vec<f32>,
    row: Vec<f64>,
    summaries: Vec<Summary>,
    harmonic: Vec<f32>,
    percussive: Vec<f32>,
}

#[derive(Debug)]
struct StageScratch {
    stft: Option<StftScratch>,
    hpss: Option<HpssAudioScratch>,
    sources: Vec<Scratch>,
}

impl VectorSet {
    /// Names of the values.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values.iter().map(|value| value.name.as_str())
    }

    /// Values of a vector.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.values.len()
    }

    /// The fewest samples that a vector can be computed of, and whether these suffice.
    fn check_length(&self, samples: usize) -> Result<(), FeatureError> {
        if samples == 0 {
            return Err(FeatureError::TooShort { got: 0, needed: 1 });
        }
        for stage in &self.0.stages {
            if let Some(stft) = stage.stft() {
                stft.framing().frames(samples)?;
            }
            stage.sources.iter().try_for_each(|source| source.frames(samples).map(|_| ()))?;
        }
        Ok(())
    }

    /// Buffers for [`VectorSet::process_into`] and signals of up to `samples` samples.
    ///
    /// Where memory does not suffice for them they are refused when they are used.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> VectorSetScratch {
        let samples = samples.min(self.0.most);
        let frames = |stft: &Stft| stft.framing().frames(samples).unwrap_or(0);
        let (mut magnitudes, mut matrix, mut row, mut shifted, mut signals) = (0, 0, 0, 0, 0);
        let mut stages = Vec::with_capacity(self.0.stages.len());
        for stage in &self.0.stages {
            let mut scratch = StageScratch { stft: None, hpss: None, sources: Vec::new() };
            if let Some(stft) = stage.stft() {
                magnitudes = magnitudes.max(stft.bins().saturating_mul(frames(stft)));
            }
            match &stage.spectrum {
                Spectrum::None => {}
                Spectrum::Stft(stft) => scratch.stft = Some(stft.scratch()),
                Spectrum::Hpss { hpss, .. } => {
                    scratch.hpss = Some(hpss.audio_scratch(samples));
                    signals = samples;
                }
            }
            if stage.shift != 0.0 {
                shifted = samples;
            }
            if stage.signal {
                row = row.max(samples);
            }
            for (i, source) in stage.sources.iter().enumerate() {
                let frames = source.frames(samples).unwrap_or(0);
                matrix = matrix.max(source.rows().saturating_mul(frames));
                row = row.max(stage.shape(i, frames).1);
                scratch.sources.push(source.scratch_for(samples));
            }
            stages.push(scratch);
        }
        let room = |count| check::vector(count, 1).unwrap_or_default();
        VectorSetScratch {
            name: self.0.name,
            samples,
            stages,
            shifted: room(shifted),
            magnitudes: room(magnitudes),
            matrix: room(matrix),
            row: check::vector(row, 1).unwrap_or_default(),
            summaries: vec![Summary::default(); self.rows()],
            harmonic: room(signals),
            percussive: room(signals),
        }
    }

    /// Rows of all stages.
    fn rows(&self) -> usize {
        let of = |stage: &Stage| {
            let separated = if matches!(stage.spectrum, Spectrum::Hpss { .. }) { 2 } else { 0 };
            let signal = if stage.signal { 2 } else { 0 };
            separated + signal + (0..stage.sources.len()).map(|i| stage.shape(i, 0).0).sum::<usize>()
        };
        self.0.stages.iter().map(of).sum()
    }

    /// The vector of a signal, allocated.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The vector of a signal into `out` of (values, 1), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], and [`FeatureError::Scratch`] also for a
    /// scratch made for shorter signals.
    pub fn process_into(
        &self,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut VectorSetScratch,
    ) -> Result<(), FeatureError> {
        let misfit = FeatureError::Scratch { plan: self.0.name };
        check::finite(samples)?;
        let samples = &samples[..samples.len().min(self.0.most)];
        self.check_length(samples.len())?;
        check::shape(&out, self.size(), 1)?;
        if (scratch.name, scratch.stages.len()) != (self.0.name, self.0.stages.len())
            || scratch.samples < samples.len()
        {
            return Err(misfit);
        }
        let VectorSetScratch {
            stages,
            shifted,
            magnitudes,
            matrix,
            row,
            summaries,
            harmonic,
            percussive,
            ..
        } = scratch;
        if summaries.len() != self.rows() {
            return Err(misfit);
        }
        let mut next = 0;
        let mut keep = |summary: Summary| {
            if let Some(place) = summaries.get_mut(next) {
                *place = summary;
                next += 1;
            }
        };
        for (stage, scratch) in self.0.stages.iter().zip(stages) {
            let signal = if stage.shift == 0.0 {
                samples
            } else {
                let shifted = shifted.get_mut(..samples.len()).ok_or(misfit.clone())?;
                shifted.iter_mut().zip(samples).for_each(|(to, x)| *to = x + stage.shift);
                &*shifted
            };
            let magnitudes = self.magnitudes(stage, signal, scratch, magnitudes)?;
            if let (Spectrum::Hpss { hpss, zero_tail }, Some(work)) = (&stage.spectrum, &mut scratch.hpss) {
                let parts = (harmonic.get_mut(..signal.len()), percussive.get_mut(..signal.len()));
                let (Some(harmonic), Some(percussive)) = parts else { return Err(misfit) };
                let frames = hpss.stft().framing().frames(signal.len())?;
                let inverted =
                    if *zero_tail { hpss.stft().covered(frames).min(signal.len()) } else { signal.len() };
                harmonic[inverted..].fill(0.0);
                percussive[inverted..].fill(0.0);
                let (h, p) = (&mut harmonic[..inverted], &mut percussive[..inverted]);
                let bins = hpss.stft().bins();
                hpss.audio_seen(signal, h, p, work, |t, column| {
                    magnitudes[t * bins..(t + 1) * bins].copy_from_slice(column);
                })?;
                keep(of_signal(harmonic));
                keep(of_signal(percussive));
            }
            if stage.signal {
                let row = row.get_mut(..signal.len()).ok_or(misfit.clone())?;
                row.iter_mut().zip(signal).for_each(|(to, x)| *to = f64::from(x.abs()));
                keep(Summary::without_median(row));
                row.iter_mut().zip(signal).for_each(|(to, x)| *to = f64::from(*x));
                keep(Summary::without_median(row));
            }
            for (i, (source, scratch)) in stage.sources.iter().zip(&mut scratch.sources).enumerate() {
                let (rows, frames) = (source.rows(), source.frames(signal.len())?);
                let matrix = matrix.get_mut(..rows * frames).ok_or(misfit.clone())?;
                let (taken, length) = stage.shape(i, frames);
                let row = row.get_mut(..length).ok_or(misfit.clone())?;
                let view = ArrayViewMut2::from_shape((rows, frames).f(), &mut *matrix)
                    .map_err(|_| misfit.clone())?;
                source.write(signal, magnitudes, view, scratch).map_err(|error| match error {
                    FeatureError::Scratch { .. } => misfit.clone(),
                    other => other,
                })?;
                for r in 0..taken {
                    let row = if taken == rows { &mut row[..source.length(r, length)] } else { &mut *row };
                    row.iter_mut()
                        .zip(matrix.iter().skip(r).step_by(taken))
                        .for_each(|(to, v)| *to = f64::from(*v));
                    keep(Summary::of(row));
                }
            }
        }
        for (place, value) in out.column_mut(0).iter_mut().zip(&self.0.values) {
            let exact = summaries.get(value.row).map_or(0.0, value.of);
            *place = match self.0.decimals {
                Some(decimals) => {
                    let scale = 10f64.powi(decimals);
                    let rounded = (exact * scale).round_ties_even() / scale;
                    // What is too large to have decimals.
                    (if rounded.is_finite() { rounded } else { exact }) as f32
                }
                None => exact as f32,
            };
        }
        Ok(())
    }

    /// The magnitudes of a stage, in `room`; those of a separation come later.
    fn magnitudes<'a>(
        &self,
        stage: &Stage,
        signal: &[f32],
        scratch: &mut StageScratch,
        room: &'a mut [f32],
    ) -> Result<&'a mut [f32], FeatureError> {
        let misfit = FeatureError::Scratch { plan: self.0.name };
        let Some(stft) = stage.stft() else { return Ok(&mut []) };
        let (bins, frames) = (stft.bins(), stft.framing().frames(signal.len())?);
        let room = room.get_mut(..bins * frames).ok_or(misfit)?;
        if let Some(work) = &mut scratch.stft {
            stft.fits(work)?;
            let span = Span::whole(signal);
            for (t, column) in room.chunks_exact_mut(bins).enumerate() {
                stft.transform(t, span, work);
                stft.magnitude(work, column);
            }
        }
        Ok(room)
    }
}

/// Mean and variance of a signal, in two passes; no more of it is asked for.
fn of_signal(samples: &[f32]) -> Summary {
    let count = samples.len().max(1) as f64;
    let mut both = [0.0; 2];
    sums(samples, &mut both);
    let mean = both[0] / count;
    // The mean of sound is near 0: its square takes nothing from the sum of squares that f64 would miss.
    Summary { mean, variance: (both[1] / count - mean * mean).max(0.0), ..Summary::default() }
}

impl Extractor for VectorSet {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn frame_length(&self) -> usize {
        let of = |stage: &Stage| stage.stft().map_or(1, |stft| stft.framing().frame_length());
        self.0.stages.iter().map(of).max().unwrap_or(1)
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        self.check_length(samples.min(self.0.most))?;
        Ok(Layout {
            rows: self.size(),
            columns: 1,
            row_axis: Axis::Name { names: self.names().map(str::to_owned).collect() },
            column_axis: Axis::clip(samples.min(self.0.most), f64::from(self.0.sample_rate)),
            unit: Unit::Mixed,
        })
    }

    fn scratch(&self) -> Scratch {
        Scratch::new(self.scratch_for(0))
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn extract_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut Scratch,
    ) -> Result<(), FeatureError> {
        self.process_into(samples, out, scratch.of(self.0.name)?)
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        Err(FeatureError::NotStreamable {
            feature: self.0.name,
            reason: "statistics are of the whole signal",
        })
    }
}
