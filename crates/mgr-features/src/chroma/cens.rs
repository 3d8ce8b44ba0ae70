//! Chroma energy normalised statistics: quantised and smoothed.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::classes::{Classes, ClassesScratch, CqtClassesConfig};
use super::{FirstClass, class_axis};
use crate::column::for_each_column;
use crate::extractor::{Extractor, Layout, Scratch, Unit, by_process_into};
use crate::normalize::Norm;
use crate::window::{Symmetry, Window};
use crate::{ColumnStream, FeatureError, check};

/// Parameters of chroma energy normalised statistics. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChromaCensConfig {
    /// The transform and its pitch classes.
    pub classes: CqtClassesConfig,
    /// Columns that are smoothed over, 0 (none) to 100000. Default 41.
    pub win_len_smooth: usize,
    /// The window of the smoothing, symmetric, of two columns more. Default Hann.
    pub smoothing_window: Window,
    /// Norm of each column. Default L2.
    pub norm: Norm,
}

impl Default for ChromaCensConfig {
    fn default() -> Self {
        Self {
            classes: CqtClassesConfig::default(),
            win_len_smooth: 41,
            smoothing_window: Window::Hann,
            norm: Norm::L2,
        }
    }
}

impl ChromaCensConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: as [`super::cqt::ChromaCqtConfig::plan`], and a smoothing out of its range.
    pub fn plan(&self, sample_rate: u32) -> Result<ChromaCens, FeatureError> {
        self.norm.check()?;
        check::within("win_len_smooth", self.win_len_smooth as f64, 0.0, 100_000.0)?;
        let mut window = match self.win_len_smooth {
            0 => vec![1.0],
            length => self.smoothing_window.coefficients(length + 2, Symmetry::Symmetric)?,
        };
        let sum: f64 = window.iter().sum();
        window.iter_mut().for_each(|w| *w /= sum);
        let classes = self.classes.plan(sample_rate)?;
        Ok(ChromaCens { classes, window: window.into(), norm: self.norm })
    }
}

/// Planned chroma energy normalised statistics, (pitch classes, frames).
///
/// Sums of magnitudes by class, divided by their total, count 0.25 for each of 0.4, 0.2, 0.1 and 0.05 that they are over; then
/// they are smoothed over time, with zeros beyond the ends, and divided by their norm. Source: librosa 0.11 `chroma_cens`;
/// Müller and Ewert 2011.
///
/// ```
/// use mgr_features::chroma::cens::ChromaCensConfig;
/// let cens = ChromaCensConfig::default().plan(22_050)?;
/// assert_eq!(cens.process(&[0.1; 22_050])?.dim(), (12, 44));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ChromaCens {
    pub(super) classes: Classes,
    window: Arc<[f64]>,
    norm: Norm,
}

/// Buffers of one computation; make one per thread with `scratch_for` and use it again.
#[derive(Debug)]
pub struct ChromaCensScratch {
    classes: ClassesScratch,
    quantised: Vec<f32>,
    column: Vec<f32>,
}

impl ChromaCens {
    pub(super) fn n_chroma(&self) -> usize {
        self.classes.n_chroma()
    }

    pub(super) fn quantise(&self, magnitudes: &[f32], out: &mut [f32]) {
        self.classes.fold(magnitudes, out);
        Norm::L1.apply(out);
        for v in out {
            *v = [0.4, 0.2, 0.1, 0.05].iter().map(|&step| if *v > step { 0.25 } else { 0.0 }).sum();
        }
    }

    /// Smooths columns of quantised values into `out`.
    pub(super) fn smooth(&self, quantised: &[f32], out: ArrayViewMut2<'_, f32>, spare: &mut [f32]) {
        let rows = self.classes.n_chroma();
        let columns = out.ncols();
        // A window of an even count has its middle before the centre.
        let before = (self.window.len() - 1) / 2;
        for_each_column(out, spare, |t, column| {
            for (row, value) in column.iter_mut().enumerate() {
                let at = |j: usize| (t + j).checked_sub(before).filter(|i| *i < columns);
                let values = self.window.iter().enumerate().filter_map(|(j, w)| at(j).map(|i| (w, i)));
                *value = values.map(|(w, i)| w * f64::from(quantised[i * rows + row])).sum::<f64>() as f32;
            }
            self.norm.apply(column);
        });
    }

    /// Buffers for [`ChromaCens::process_into`] and signals of up to `samples` samples.
    ///
    /// Where memory does not suffice for them they are refused when they are used.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> ChromaCensScratch {
        let (rows, columns) = (self.classes.n_chroma(), self.classes.columns(samples).unwrap_or(0));
        ChromaCensScratch {
            classes: self.classes.scratch_for(samples),
            quantised: check::vector(rows, columns).unwrap_or_default(),
            column: vec![0.0; rows],
        }
    }

    /// Buffers for signals of no length; use [`ChromaCens::scratch_for`].
    #[must_use]
    pub fn scratch(&self) -> ChromaCensScratch {
        self.scratch_for(0)
    }

    /// The statistics of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// As [`super::cqt::ChromaCqt::process`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The statistics of a signal into `out` of (pitch classes, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// As [`super::cqt::ChromaCqt::process_into`].
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut ChromaCensScratch,
    ) -> Result<(), FeatureError> {
        let (rows, columns) = (self.classes.n_chroma(), self.classes.columns(samples.len())?);
        check::shape(&out, rows, columns)?;
        let ChromaCensScratch { classes, quantised, column } = scratch;
        let refused = FeatureError::Scratch { plan: "chroma_cens" };
        if column.len() != rows {
            return Err(refused);
        }
        let Some(quantised) = quantised.get_mut(..rows * columns) else { return Err(refused) };
        let magnitudes = self.classes.magnitudes(samples, classes)?;
        for (from, to) in magnitudes.zip(quantised.chunks_exact_mut(rows)) {
            self.quantise(from, to);
        }
        self.smooth(quantised, out, column);
        Ok(())
    }

    /// The statistics of given magnitudes of a constant-Q transform, (bins, frames), allocated.
    ///
    /// # Errors
    /// [`FeatureError::Shape`], [`FeatureError::NotFinite`], [`FeatureError::Memory`], and [`FeatureError::Parameter`] for a
    /// negative value.
    pub fn process_cqt(&self, magnitudes: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        let rows = self.classes.n_chroma();
        let quantised = self.classes.of_magnitudes(magnitudes, rows, |from, to| self.quantise(from, to))?;
        let mut out = check::matrix(rows, quantised.ncols())?;
        let values = quantised.into_raw_vec_and_offset().0;
        self.smooth(&values, out.view_mut(), &mut vec![0.0; rows]);
        Ok(out)
    }
}

impl Extractor for ChromaCens {
    by_process_into!("chroma_cens");

    fn frame_length(&self) -> usize {
        self.classes.frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        Ok(Layout {
            rows: self.classes.n_chroma(),
            columns: self.classes.columns(samples)?,
            row_axis: class_axis(self.classes.n_chroma(), FirstClass::C),
            column_axis: self.classes.time_axis(),
            unit: Unit::Ratio,
        })
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        let reason = "it is smoothed over what comes later, and tuned as the whole signal";
        Err(FeatureError::NotStreamable { feature: "chroma_cens", reason })
    }
}
