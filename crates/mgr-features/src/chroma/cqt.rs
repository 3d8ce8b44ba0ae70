//! Chroma of a constant-Q transform, and the tonal centroids of it.

use std::f64::consts::PI;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::classes::{Classes, ClassesScratch, CqtClassesConfig};
use super::{FirstClass, class_axis};
use crate::column::for_each_column;
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::normalize::Norm;
use crate::{ColumnStream, FeatureError, check};

/// Parameters of a chroma of a constant-Q transform. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChromaCqtConfig {
    /// The transform and its pitch classes.
    pub classes: CqtClassesConfig,
    /// Sums under this become 0. Default 0.
    pub threshold: f32,
    /// Norm of each column. Default largest value.
    pub norm: Norm,
}

impl Default for ChromaCqtConfig {
    fn default() -> Self {
        Self { classes: CqtClassesConfig::default(), threshold: 0.0, norm: Norm::Max }
    }
}

impl ChromaCqtConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: pitch classes that do not divide the bins of an octave, a threshold that is not a number;
    /// see [`crate::cqt::CqtConfig::plan`] and [`Norm::check`].
    pub fn plan(&self, sample_rate: u32) -> Result<ChromaCqt, FeatureError> {
        self.norm.check()?;
        check::within("threshold", f64::from(self.threshold), f64::from(f32::MIN), f64::from(f32::MAX))?;
        Ok(ChromaCqt { classes: self.classes.plan(sample_rate)?, threshold: self.threshold, norm: self.norm })
    }
}

/// A planned chroma of a constant-Q transform, (pitch classes, frames): sums of magnitudes by class, divided by their norm.
///
/// A bin counts for the class that it is nearest to; classes are counted from C. Where the tuning is estimated it is that of
/// [`crate::pitch::tuning::Tuning`] with as many bins per octave. Source: librosa 0.11 `chroma_cqt`.
///
/// ```
/// use mgr_features::chroma::cqt::ChromaCqtConfig;
/// let chroma = ChromaCqtConfig::default().plan(22_050)?;
/// let a: Vec<f32> = (0..22_050).map(|n| (n as f32 * 440.0 * std::f32::consts::TAU / 22_050.0).sin()).collect();
/// let matrix = chroma.process(&a)?;
/// assert_eq!(matrix.dim(), (12, 44));
/// // A is the tenth from C.
/// assert_eq!(matrix[[9, 20]], 1.0);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ChromaCqt {
    classes: Classes,
    threshold: f32,
    norm: Norm,
}

/// Buffers of one computation; make one per thread with `scratch_for` and use it again.
#[derive(Debug)]
pub struct ChromaCqtScratch {
    classes: ClassesScratch,
    column: Vec<f32>,
}

impl ChromaCqt {
    pub(super) fn column(&self, magnitudes: &[f32], out: &mut [f32]) {
        self.classes.fold(magnitudes, out);
        out.iter_mut().filter(|v| **v < self.threshold).for_each(|v| *v = 0.0);
        self.norm.apply(out);
    }

    /// Buffers for [`ChromaCqt::process_into`] and signals of up to `samples` samples.
    ///
    /// Where memory does not suffice for them they are refused when they are used.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> ChromaCqtScratch {
        let column = vec![0.0; self.classes.n_chroma()];
        ChromaCqtScratch { classes: self.classes.scratch_for(samples), column }
    }

    /// The chroma of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`], and [`FeatureError::Parameter`] where
    /// the estimated tuning lifts the highest bin over the Nyquist frequency.
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The chroma of a signal into `out` of (pitch classes, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// As [`ChromaCqt::process`], [`FeatureError::Shape`], and [`FeatureError::Scratch`] also for a scratch made for shorter
    /// signals.
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut ChromaCqtScratch,
    ) -> Result<(), FeatureError> {
        let columns = self.classes.columns(samples.len())?;
        check::shape(&out, self.classes.n_chroma(), columns)?;
        if scratch.column.len() != self.classes.n_chroma() {
            return Err(FeatureError::Scratch { plan: "chroma_cqt" });
        }
        let mut magnitudes = self.classes.magnitudes(samples, &mut scratch.classes)?;
        for_each_column(out, &mut scratch.column, |_, column| {
            if let Some(magnitudes) = magnitudes.next() {
                self.column(magnitudes, column);
            }
        });
        Ok(())
    }

    /// The chroma of given magnitudes of a constant-Q transform, (bins, frames), allocated.
    ///
    /// # Errors
    /// [`FeatureError::Shape`], [`FeatureError::NotFinite`], [`FeatureError::Memory`], and [`FeatureError::Parameter`] for a
    /// negative value.
    pub fn process_cqt(&self, magnitudes: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        self.classes.of_magnitudes(magnitudes, self.classes.n_chroma(), |from, to| self.column(from, to))
    }
}

impl Extractor for ChromaCqt {
    by_process_into!("chroma_cqt");

    fn frame_length(&self) -> usize {
        self.classes.frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        Ok(Layout {
            rows: self.classes.n_chroma(),
            columns: self.classes.columns(samples)?,
            row_axis: class_axis(self.classes.n_chroma(), FirstClass::C),
            column_axis: self.classes.time_axis(),
            unit: if self.norm == Norm::None { Unit::Magnitude } else { Unit::Ratio },
        })
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        let plan = self.clone();
        let map = move |from: &[f32], to: &mut [f32]| plan.column(from, to);
        self.classes.stream("chroma_cqt", self.classes.n_chroma(), map)
    }
}

impl ChromaCqt {
    /// Buffers for signals of no length; use [`ChromaCqt::scratch_for`].
    #[must_use]
    pub fn scratch(&self) -> ChromaCqtScratch {
        self.scratch_for(0)
    }
}

/// Parameters of tonal centroids. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TonnetzConfig {
    /// The chroma that they are taken of.
    pub chroma: ChromaCqtConfig,
}

impl TonnetzConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`ChromaCqtConfig::plan`].
    pub fn plan(&self, sample_rate: u32) -> Result<Tonnetz, FeatureError> {
        let chroma = self.chroma.plan(sample_rate)?;
        let n_chroma = chroma.classes.n_chroma();
        let turns = [7.0 / 6.0, 7.0 / 6.0, 1.5, 1.5, 2.0 / 3.0, 2.0 / 3.0];
        let radii = [1.0, 1.0, 1.0, 1.0, 0.5, 0.5];
        let weight = |row: usize, class: usize| {
            let sine = if row.is_multiple_of(2) { 0.5 } else { 0.0 };
            let pitch = 12.0 * class as f64 / n_chroma as f64;
            radii[row] * (PI * (turns[row] * pitch - sine)).cos()
        };
        let weights = (0..CENTROIDS * n_chroma).map(|i| weight(i / n_chroma, i % n_chroma)).collect();
        Ok(Tonnetz { chroma, weights })
    }
}

pub(super) const CENTROIDS: usize = 6;

/// Planned tonal centroids, (6, frames): where the chroma lies on the circles of fifths, of minor and of major thirds.
///
/// Rows are the two coordinates on each circle: `sum_c R cos(pi (s p_c - b)) chroma_c`, with the pitch `p_c = 12 c / n_chroma`,
/// s = 7/6, 3/2 and 2/3, R = 1, 1 and 0.5, and b = 0.5 for the first of two rows; the chroma is divided by its sum. Source:
/// librosa 0.11 `tonnetz`; Harte, Sandler and Gasser 2006.
///
/// ```
/// use mgr_features::chroma::cqt::TonnetzConfig;
/// let tonnetz = TonnetzConfig::default().plan(22_050)?;
/// let a: Vec<f32> = (0..22_050).map(|n| (n as f32 * 440.0 * std::f32::consts::TAU / 22_050.0).sin()).collect();
/// assert_eq!(tonnetz.process(&a)?.dim(), (6, 44));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tonnetz {
    chroma: ChromaCqt,
    /// (6, n_chroma).
    weights: Arc<[f64]>,
}

/// Buffers of one computation; make one per thread with `scratch_for` and use it again.
#[derive(Debug)]
pub struct TonnetzScratch {
    chroma: ChromaCqtScratch,
    column: Vec<f32>,
}

impl Tonnetz {
    /// The centroids of a column of chroma.
    pub(super) fn centroids(&self, chroma: &[f32], out: &mut [f32]) {
        let sum = Norm::L1.of(chroma.iter().map(|v| f64::from(*v)));
        let sum = if sum < f64::from(f32::MIN_POSITIVE) { 1.0 } else { sum };
        for (o, weights) in out.iter_mut().zip(self.weights.chunks_exact(chroma.len())) {
            let shares = chroma.iter().map(|v| f64::from((f64::from(*v) / sum) as f32));
            *o = weights.iter().zip(shares).map(|(w, v)| w * v).sum::<f64>() as f32;
        }
    }

    /// Buffers for [`Tonnetz::process_into`] and signals of up to `samples` samples.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> TonnetzScratch {
        TonnetzScratch { chroma: self.chroma.scratch_for(samples), column: vec![0.0; CENTROIDS] }
    }

    /// Buffers for signals of no length; use [`Tonnetz::scratch_for`].
    #[must_use]
    pub fn scratch(&self) -> TonnetzScratch {
        self.scratch_for(0)
    }

    /// The centroids of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// As [`ChromaCqt::process`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The centroids of a signal into `out` of (6, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// As [`ChromaCqt::process_into`].
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut TonnetzScratch,
    ) -> Result<(), FeatureError> {
        check::shape(&out, CENTROIDS, self.chroma.classes.columns(samples.len())?)?;
        let ChromaCqtScratch { classes, column: chroma } = &mut scratch.chroma;
        if chroma.len() != self.chroma.classes.n_chroma() {
            return Err(FeatureError::Scratch { plan: "tonnetz" });
        }
        let mut magnitudes = self.chroma.classes.magnitudes(samples, classes)?;
        for_each_column(out, &mut scratch.column, |_, column| {
            if let Some(magnitudes) = magnitudes.next() {
                self.chroma.column(magnitudes, chroma);
                self.centroids(chroma, column);
            }
        });
        Ok(())
    }

    /// The centroids of a given chroma of (pitch classes, frames), allocated.
    ///
    /// # Errors
    /// [`FeatureError::Shape`], [`FeatureError::NotFinite`], [`FeatureError::Memory`], and [`FeatureError::Parameter`] for a
    /// negative value.
    pub fn process_chroma(&self, chroma: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        check::spectrogram(chroma, self.chroma.classes.n_chroma())?;
        let mut out = check::matrix(CENTROIDS, chroma.ncols())?;
        let mut column = vec![0.0; chroma.nrows()];
        let mut values = [0.0; CENTROIDS];
        for (from, mut to) in chroma.columns().into_iter().zip(out.columns_mut()) {
            column.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            self.centroids(&column, &mut values);
            to.iter_mut().zip(values).for_each(|(to, from)| *to = from);
        }
        Ok(out)
    }
}

impl Extractor for Tonnetz {
    by_process_into!("tonnetz");

    fn frame_length(&self) -> usize {
        self.chroma.frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        let names =
            ["fifth_x", "fifth_y", "minor_third_x", "minor_third_y", "major_third_x", "major_third_y"];
        Ok(Layout {
            rows: CENTROIDS,
            row_axis: Axis::Name { names: names.map(str::to_owned).to_vec() },
            unit: Unit::Ratio,
            ..self.chroma.layout(samples)?
        })
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        let plan = self.clone();
        let mut chroma = vec![0.0; self.chroma.classes.n_chroma()];
        let map = move |from: &[f32], to: &mut [f32]| {
            plan.chroma.column(from, &mut chroma);
            plan.centroids(&chroma, to);
        };
        self.chroma.classes.stream("tonnetz", CENTROIDS, map)
    }
}
