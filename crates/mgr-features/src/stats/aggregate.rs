//! Any feature as a named vector of statistics over time.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder};
use serde::{Deserialize, Serialize};

use super::aggregator::{Aggregator, AggregatorScratch, StatsOrder, TextureStart, TextureWindow};
use super::spread::Covariance;
use super::summary::Statistic;
use crate::delta::samples_for;
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::mfcc::MfccConfig;
use crate::{ColumnStream, FeatureConfig, FeatureError, check};

/// Parameters of statistics over time of another feature. Default: mean and standard deviation of the MFCC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatsConfig {
    /// The other feature.
    pub base: Box<FeatureConfig>,
    /// What stands before the names of its rows. Default: the other feature's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is taken of each row, at most 4096 of them; none only beside a covariance.
    pub statistics: Vec<Statistic>,
    /// In which order the statistics of several rows stand.
    pub order: StatsOrder,
    /// The covariance of the rows, behind the statistics. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covariance: Option<Covariance>,
    /// Windows over the frames, one column each. Default: one column of all frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<TextureWindow>,
    /// A feature of one row, 0 or more, and as many frames: how much each frame counts. Default: all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<Box<FeatureConfig>>,
}

impl Default for StatsConfig {
    fn default() -> Self {
        Self {
            base: Box::new(FeatureConfig::Mfcc(MfccConfig::default())),
            name: None,
            statistics: vec![Statistic::Mean, Statistic::Std],
            order: StatsOrder::default(),
            covariance: None,
            window: None,
            weights: None,
        }
    }
}

impl StatsConfig {
    /// Those statistics of a feature over all frames.
    #[must_use]
    pub fn of(base: FeatureConfig, statistics: &[Statistic]) -> Self {
        Self { base: Box::new(base), statistics: statistics.to_vec(), ..Self::default() }
    }

    /// The part that does not depend on the feature: statistics of any matrix.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for no statistic or too many, a quantile that is no share, an empty range of a histogram, a
    /// texture window of no frame.
    pub fn aggregator(&self) -> Result<Aggregator, FeatureError> {
        Aggregator::new(&self.statistics, self.covariance, self.order, self.window)
    }

    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: as [`StatsConfig::aggregator`], and what the other features refuse.
    pub fn plan(&self, sample_rate: u32) -> Result<Stats, FeatureError> {
        check::rate(sample_rate)?;
        let aggregator = self.aggregator()?;
        let base: Arc<dyn Extractor> = Arc::from(self.base.plan(sample_rate)?);
        let weights = match &self.weights {
            None => None,
            Some(config) => Some(Arc::<dyn Extractor>::from(config.plan(sample_rate)?)),
        };
        let name = self.name.clone().unwrap_or_else(|| self.base.name().to_owned());
        let shortest_samples = match aggregator.shortest() {
            0 | 1 => 1,
            frames => samples_for(base.as_ref(), frames),
        };
        Ok(Stats { base, weights, aggregator, name: name.into(), shortest_samples, sample_rate })
    }
}

/// Planned statistics over time of another feature, (values, 1) or (values, texture windows), with names such as `mfcc_1_mean`.
///
/// It needs the other feature's whole matrix first, which the scratch holds: no streaming.
///
/// ```
/// use mgr_features::stats::StatsConfig;
/// use mgr_features::{Axis, Extractor};
/// let stats = StatsConfig::default().plan(22_050)?;
/// let samples = vec![0.1; 22_050];
/// assert_eq!(stats.process(&samples)?.dim(), (40, 1));
/// let Axis::Name { names } = stats.layout(samples.len())?.row_axis else { unreachable!() };
/// assert_eq!(names[..3], ["mfcc_1_mean", "mfcc_1_std", "mfcc_2_mean"]);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Stats {
    base: Arc<dyn Extractor>,
    weights: Option<Arc<dyn Extractor>>,
    aggregator: Aggregator,
    name: Arc<str>,
    shortest_samples: usize,
    sample_rate: u32,
}

/// Buffers of one computation; make one per thread with [`Stats::scratch_for`] and use it again.
#[derive(Debug)]
pub struct StatsScratch {
    base: Scratch,
    weights_of: Option<Scratch>,
    /// The signal's length for which the shape of the other feature is known.
    samples: usize,
    rows: usize,
    frames: usize,
    values: Vec<f32>,
    weights: Vec<f32>,
    aggregator: AggregatorScratch,
}

impl Stats {
    /// The other feature.
    #[must_use]
    pub fn base(&self) -> &dyn Extractor {
        self.base.as_ref()
    }

    /// What is done to its matrix.
    #[must_use]
    pub fn aggregator(&self) -> &Aggregator {
        &self.aggregator
    }

    fn base_layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        let layout = self.base.layout(samples)?;
        if layout.columns < self.aggregator.shortest() {
            return Err(FeatureError::TooShort { got: samples, needed: self.shortest_samples });
        }
        if let Some(weights) = &self.weights {
            let weights = weights.layout(samples)?;
            if (weights.rows, weights.columns) != (1, layout.columns) {
                return Err(FeatureError::Shape {
                    what: "weights",
                    got_rows: weights.rows,
                    got_columns: weights.columns,
                    rows: 1,
                    columns: layout.columns,
                });
            }
        }
        Ok(layout)
    }

    /// Buffers for [`Stats::process_into`] of signals of up to `samples` samples.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> StatsScratch {
        let (rows, frames) = self.base_layout(samples).map_or((0, 0), |l| (l.rows, l.columns));
        StatsScratch {
            base: self.base.scratch_for(samples),
            weights_of: self.weights.as_ref().map(|w| w.scratch_for(samples)),
            samples,
            rows,
            frames,
            values: vec![0.0; rows.saturating_mul(frames)],
            weights: vec![0.0; if self.weights.is_some() { frames } else { 0 }],
            aggregator: self.aggregator.scratch(rows, frames),
        }
    }

    fn scratch(&self) -> StatsScratch {
        self.scratch_for(0)
    }

    /// The statistics of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`], [`FeatureError::Shape`] for weights of
    /// another shape than one a frame, [`FeatureError::OutOfRange`] for a weight that is negative or not finite.
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The statistics of a matrix of the other feature, allocated; `weights` are one a frame, whatever the configuration says of
    /// them.
    ///
    /// # Errors
    /// See [`Aggregator::process`].
    pub fn process_matrix(
        &self,
        matrix: ArrayView2<'_, f32>,
        weights: Option<&[f32]>,
    ) -> Result<Array2<f32>, FeatureError> {
        self.aggregator.process(matrix, weights)
    }

    /// The statistics of a signal into `out`, any memory layout. Allocates nothing for a signal of the length that the scratch
    /// was made for or used with last; a shorter one has its shape looked up first.
    ///
    /// # Errors
    /// As [`Stats::process`]; [`FeatureError::Shape`], [`FeatureError::Scratch`] also for a signal longer than the scratch was
    /// made for.
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut StatsScratch,
    ) -> Result<(), FeatureError> {
        const MISFIT: FeatureError = FeatureError::Scratch { plan: "stats" };
        if samples.len() != scratch.samples || scratch.rows == 0 {
            let layout = self.base_layout(samples.len())?;
            (scratch.samples, scratch.rows, scratch.frames) = (samples.len(), layout.rows, layout.columns);
        }
        let StatsScratch { base, weights_of, rows, frames, values, weights, aggregator, .. } = scratch;
        let (rows, frames) = (*rows, *frames);
        check::shape(&out, self.aggregator.rows(rows), self.aggregator.columns(frames))?;
        let values = values.get_mut(..rows * frames).ok_or(MISFIT)?;
        let shape = (rows, frames).f();
        let view = ArrayViewMut2::from_shape(shape, &mut *values).map_err(|_| MISFIT)?;
        self.base.extract_into(samples, view, base)?;
        let weights = match (&self.weights, weights_of) {
            (None, _) => None,
            (Some(extractor), Some(scratch)) => {
                let weights = weights.get_mut(..frames).ok_or(MISFIT)?;
                let view = ArrayViewMut2::from_shape((1, frames), &mut *weights).map_err(|_| MISFIT)?;
                extractor.extract_into(samples, view, scratch)?;
                Some(&*weights)
            }
            (Some(_), None) => return Err(MISFIT),
        };
        let matrix = ArrayView2::from_shape((rows, frames).f(), &*values).map_err(|_| MISFIT)?;
        self.aggregator.process_into(matrix, weights, out, aggregator)
    }

    /// Where the columns lie in time, for a feature of so many frames.
    fn time(&self, base: &Layout, samples: usize) -> Axis {
        let (start_s, step_s) = match base.column_axis {
            Axis::Time { start_s, step_s } => (start_s, step_s),
            _ => (0.0, samples as f64 / f64::from(self.sample_rate) / base.columns.max(1) as f64),
        };
        // The middle of `count` frames behind `first`.
        let middle = |first: f64, count: f64| start_s + step_s * (first + (count - 1.0) / 2.0);
        match self.aggregator.window() {
            None => Axis::Time {
                start_s: middle(0.0, base.columns as f64),
                step_s: step_s * base.columns.max(1) as f64,
            },
            Some(TextureWindow { length, hop, start }) => {
                let (length, hop) = (length as f64, hop as f64);
                let first = if start == TextureStart::Whole { 0.0 } else { 1.0 - length };
                Axis::Time { start_s: middle(first, length), step_s: step_s * hop }
            }
        }
    }
}

/// What the rows of a feature are called in a table: the names that they have, or their numbers from 1; an only row has none.
pub(crate) fn row_names(axis: &Axis, rows: usize) -> Vec<String> {
    let plain = |name: &String| {
        let kept = |c: char| if c.is_alphanumeric() || matches!(c, '#' | '.' | '+' | '-') { c } else { '_' };
        name.chars().map(kept).collect()
    };
    match axis {
        Axis::Name { names } => names.iter().map(plain).collect(),
        _ if rows == 1 => vec![String::new()],
        _ => (1..=rows).map(|i| i.to_string()).collect(),
    }
}

impl Extractor for Stats {
    by_process_into!("stats");

    fn frame_length(&self) -> usize {
        self.base.frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        let base = self.base_layout(samples)?;
        let names = self.aggregator.names(&self.name, &row_names(&base.row_axis, base.rows));
        Ok(Layout {
            rows: names.len(),
            columns: self.aggregator.columns(base.columns),
            row_axis: Axis::Name { names },
            column_axis: self.time(&base, samples),
            unit: Unit::Mixed,
        })
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        let reason = "statistics over time look at the whole signal";
        Err(FeatureError::NotStreamable { feature: "stats", reason })
    }
}
