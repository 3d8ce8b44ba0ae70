//! Pitch classes of a constant-Q transform: what chroma, CENS and tonnetz begin with.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder};
use serde::{Deserialize, Serialize};

use crate::column::BlockKernel;
use crate::cqt::{Bank, BankScratch, CqtConfig, Retuned};
use crate::extractor::Axis;
use crate::pitch::tuning::{Tuning, TuningConfig, TuningScratch, TuningSource};
use crate::{ColumnStream, FeatureError, check};

/// Which constant-Q transform is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CqtMode {
    /// [`crate::cqt::Cqt`]. The default.
    #[default]
    Full,
    /// [`crate::cqt::HybridCqt`].
    Hybrid,
}

/// Parameters of pitch classes from a constant-Q transform. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CqtClassesConfig {
    /// Samples from one frame to the next. Default 512.
    pub hop_length: usize,
    /// Frequency of the lowest bin in Hz. Default C1.
    pub f_min: f64,
    /// Octaves that are folded, 1 to 20. Default 7.
    pub n_octaves: usize,
    /// Bins per octave, a multiple of `n_chroma`. Default 36.
    pub bins_per_octave: usize,
    /// Pitch classes. Default 12.
    pub n_chroma: usize,
    /// The tuning, as a share of a bin; default estimated from each clip.
    pub tuning: TuningSource,
    /// Which transform. Default full.
    pub mode: CqtMode,
}

impl Default for CqtClassesConfig {
    fn default() -> Self {
        Self {
            hop_length: 512,
            f_min: CqtConfig::default().f_min,
            n_octaves: 7,
            bins_per_octave: 36,
            n_chroma: 12,
            tuning: TuningSource::default(),
            mode: CqtMode::default(),
        }
    }
}

impl CqtClassesConfig {
    fn cqt(&self, tuning: f64) -> CqtConfig {
        CqtConfig {
            hop_length: self.hop_length,
            f_min: self.f_min,
            n_bins: self.n_octaves * self.bins_per_octave,
            bins_per_octave: self.bins_per_octave,
            tuning,
            ..CqtConfig::default()
        }
    }

    fn bank(&self, tuning: f64, sample_rate: u32) -> Result<Bank, FeatureError> {
        match self.mode {
            CqtMode::Full => Bank::full(&self.cqt(tuning), sample_rate),
            CqtMode::Hybrid => Bank::hybrid(&self.cqt(tuning), sample_rate),
        }
    }

    pub(super) fn plan(&self, sample_rate: u32) -> Result<Classes, FeatureError> {
        check::within("n_octaves", self.n_octaves as f64, 1.0, 20.0)?;
        check::within("bins_per_octave", self.bins_per_octave as f64, 1.0, 1200.0)?;
        if self.n_chroma == 0 || !self.bins_per_octave.is_multiple_of(self.n_chroma) {
            let allowed = format!("a divisor of bins_per_octave = {}", self.bins_per_octave);
            return Err(FeatureError::parameter("n_chroma", self.n_chroma, allowed));
        }
        let (bank, tuning) = match self.tuning {
            TuningSource::Fixed(tuning) => (self.bank(tuning, sample_rate)?, None),
            TuningSource::Estimated => {
                let config =
                    TuningConfig { bins_per_octave: self.bins_per_octave, ..TuningConfig::default() };
                (self.bank(0.0, sample_rate)?, Some(config.plan(sample_rate)?))
            }
        };
        // Bins are merged about the class that they are nearest to, and counted from C.
        let merged = self.bins_per_octave / self.n_chroma;
        let note = (12.0 * (self.f_min / 440.0).log2() + 69.0).rem_euclid(12.0);
        let from_c = (note * self.n_chroma as f64 / 12.0).round_ties_even() as usize;
        let class =
            |bin: usize| ((bin + merged / 2) % self.bins_per_octave / merged + from_c) % self.n_chroma;
        let classes = (0..bank.rows()).map(class).collect();
        Ok(Classes(Arc::new(Inner { config: self.clone(), sample_rate, bank, tuning, classes })))
    }
}

#[derive(Debug)]
struct Inner {
    config: CqtClassesConfig,
    sample_rate: u32,
    /// Of the given tuning, or of none.
    bank: Bank,
    /// Where the tuning is estimated.
    tuning: Option<Tuning>,
    /// The class of each bin.
    classes: Vec<usize>,
}

/// A planned sum of magnitudes by pitch class.
#[derive(Debug, Clone)]
pub(super) struct Classes(Arc<Inner>);

/// Buffers of one computation, for signals up to the length that they were made for.
#[derive(Debug)]
pub(super) struct ClassesScratch {
    /// The transform, column by column.
    magnitudes: Vec<f32>,
    bank: Option<BankScratch>,
    retuned: Option<(Retuned, TuningScratch)>,
}

impl Classes {
    pub(super) fn n_chroma(&self) -> usize {
        self.0.config.n_chroma
    }

    pub(super) fn bins(&self) -> usize {
        self.0.bank.rows()
    }

    pub(super) fn columns(&self, samples: usize) -> Result<usize, FeatureError> {
        self.0.bank.columns(samples)
    }

    pub(super) fn frame_length(&self) -> usize {
        self.0.bank.frame_length()
    }

    pub(super) fn time_axis(&self) -> Axis {
        self.0.bank.time_axis()
    }

    pub(super) fn scratch_for(&self, samples: usize) -> ClassesScratch {
        let Inner { config, sample_rate, bank, tuning, .. } = &*self.0;
        let columns = self.columns(samples).unwrap_or(0);
        let (mut scratch, estimate) = (
            ClassesScratch {
                magnitudes: check::vector(bank.rows(), columns).unwrap_or_default(),
                bank: None,
                retuned: None,
            },
            tuning.as_ref().map(|tuning| tuning.scratch_for(samples)),
        );
        match estimate {
            None => scratch.bank = Some(bank.scratch()),
            Some(estimate) => {
                let hybrid = config.mode == CqtMode::Hybrid;
                let retuned = Retuned::new(&config.cqt(0.0), hybrid, *sample_rate).ok();
                scratch.retuned = retuned.map(|r| (r, estimate));
            }
        }
        scratch
    }

    /// The transform of a signal, (bins, frames), in the scratch.
    pub(super) fn magnitudes<'a>(
        &self,
        samples: &[f32],
        scratch: &'a mut ClassesScratch,
    ) -> Result<impl Iterator<Item = &'a [f32]> + use<'a>, FeatureError> {
        let Inner { bank, tuning, .. } = &*self.0;
        let refused = FeatureError::Scratch { plan: "chroma_cqt" };
        let (rows, columns) = (bank.rows(), self.columns(samples.len())?);
        check::finite(samples)?;
        let ClassesScratch { magnitudes, bank: work, retuned } = scratch;
        let Some(magnitudes) = rows.checked_mul(columns).and_then(|n| magnitudes.get_mut(..n)) else {
            return Err(refused);
        };
        let Ok(out) = ArrayViewMut2::from_shape((rows, columns).f(), &mut *magnitudes) else {
            return Err(refused);
        };
        match (tuning, work, retuned) {
            (None, Some(work), _) => bank.process_into(samples, out, work)?,
            (Some(tuning), _, Some((retuned, estimate))) => {
                let tuning = tuning.estimate_with(samples, estimate)?;
                retuned.process_into(samples, tuning, out)?;
            }
            _ => return Err(refused),
        }
        Ok(magnitudes.chunks_exact(rows))
    }

    /// Sums a column of magnitudes by class.
    pub(super) fn fold(&self, magnitudes: &[f32], out: &mut [f32]) {
        out.fill(0.0);
        for (class, value) in self.0.classes.iter().zip(magnitudes) {
            out[*class] += value;
        }
    }

    /// Columns of `rows` values that `map` makes of columns of magnitudes, from a given transform.
    pub(super) fn of_magnitudes(
        &self,
        magnitudes: ArrayView2<'_, f32>,
        rows: usize,
        mut map: impl FnMut(&[f32], &mut [f32]),
    ) -> Result<Array2<f32>, FeatureError> {
        check::spectrogram(magnitudes, self.bins())?;
        let mut out = check::matrix(rows, magnitudes.ncols())?;
        let mut column = vec![0.0; self.bins()];
        let mut values = vec![0.0; rows];
        for (from, mut to) in magnitudes.columns().into_iter().zip(out.columns_mut()) {
            column.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            map(&column, &mut values);
            to.iter_mut().zip(&values).for_each(|(to, from)| *to = *from);
        }
        Ok(out)
    }

    /// Columns of `rows` values that `map` makes of columns of magnitudes, while samples arrive.
    pub(super) fn stream(
        &self,
        feature: &'static str,
        rows: usize,
        map: impl FnMut(&[f32], &mut [f32]) + Send + 'static,
    ) -> Result<ColumnStream, FeatureError> {
        if self.0.tuning.is_some() {
            let reason = "the tuning is that of the whole signal";
            return Err(FeatureError::NotStreamable { feature, reason });
        }
        let (inner, column) = (Some(self.0.bank.stream()), vec![0.0; rows]);
        Ok(ColumnStream::of_blocks(Box::new(Mapped { inner, map, column, seen: 0 })))
    }
}

/// A stream of columns made from those of another.
struct Mapped<F> {
    inner: Option<ColumnStream>,
    map: F,
    column: Vec<f32>,
    seen: usize,
}

impl<F: FnMut(&[f32], &mut [f32]) + Send> BlockKernel for Mapped<F> {
    fn rows(&self) -> usize {
        self.column.len()
    }

    fn seen(&self) -> usize {
        self.seen
    }

    fn push(&mut self, samples: &[f32], take: &mut dyn FnMut(&[f32])) {
        let Self { inner, map, column, seen } = self;
        *seen += samples.len();
        if let Some(inner) = inner {
            // It refuses only what has been refused already.
            let pushed = inner.push(samples, |magnitudes| {
                map(magnitudes, column);
                take(column);
            });
            debug_assert!(pushed.is_ok());
        }
    }

    fn finish(&mut self, take: &mut dyn FnMut(&[f32])) -> Result<(), FeatureError> {
        let Self { inner, map, column, .. } = self;
        inner.take().map_or(Ok(()), |inner| {
            inner.finish(|magnitudes| {
                map(magnitudes, column);
                take(column);
            })
        })
    }
}
