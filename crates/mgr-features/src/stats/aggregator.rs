//! From a matrix over time to statistics of its rows: over all of it, or in texture windows.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut1, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::quantile::{median, quantile, weighted_quantile};
use super::spread::{Covariance, centre, covariance, histogram_into};
use super::summary::{Statistic, Summary, sort_pairs};
use crate::{FeatureError, check};

/// In which order statistics of several rows stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatsOrder {
    /// All statistics of the first row, then those of the second: `1_mean, 1_std, 2_mean, 2_std`. The default.
    #[default]
    RowFirst,
    /// The first statistic of all rows, then the second: `1_mean, 2_mean, 1_std, 2_std`. FMA, `rp_extract`, Marsyas.
    StatisticFirst,
}

/// Windows over the frames of a feature, of which statistics are taken one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextureWindow {
    /// Frames in a window, 1 to 2^24. Default 43, a second of frames of 512 at 22,050 Hz.
    pub length: usize,
    /// Frames from one window to the next, 1 to 2^24. Default 43.
    pub hop: usize,
    /// Where the first window lies.
    pub start: TextureStart,
}

impl Default for TextureWindow {
    fn default() -> Self {
        Self { length: 43, hop: 43, start: TextureStart::default() }
    }
}

/// Where the first texture window lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextureStart {
    /// It begins with the first frame; only whole windows are taken, and what is left over at the end is not. The default.
    #[default]
    Whole,
    /// It ends with the first frame, and holds the frames that there are.
    Growing,
    /// It ends with the first frame, which stands for those before it: the memory of Marsyas.
    FirstHeld,
}

/// Planned statistics over time of the rows of any matrix.
///
/// ```
/// use mgr_features::stats::{Statistic, StatsConfig};
/// let config = StatsConfig { statistics: vec![Statistic::Mean, Statistic::Max], ..StatsConfig::default() };
/// let matrix = ndarray::array![[1.0, 2.0, 6.0], [0.0, 0.0, 3.0]];
/// let vector = config.aggregator()?.process(matrix.view(), None)?;
/// assert_eq!(vector, ndarray::array![[3.0], [6.0], [1.0], [3.0]]);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Aggregator {
    statistics: Arc<[Statistic]>,
    /// Values of all statistics of a row.
    width: usize,
    covariance: Option<Covariance>,
    order: StatsOrder,
    window: Option<TextureWindow>,
    need: Need,
}

/// What the statistics are computed from.
#[derive(Debug, Clone, Copy, Default)]
struct Need {
    moments: bool,
    median: bool,
    sorted: bool,
}

/// Buffers of one computation; make one per thread with [`Aggregator::scratch`] and use it again.
#[derive(Debug, Clone)]
pub struct AggregatorScratch {
    /// Largest matrix, in rows and frames.
    rows: usize,
    frames: usize,
    /// A row, and it in order of size.
    row: Vec<f64>,
    pairs: Vec<(f64, f64)>,
    weights: Vec<f64>,
    /// All rows with their means taken off.
    centred: Vec<f64>,
    histogram: Vec<f64>,
}

impl Aggregator {
    pub(super) fn new(
        statistics: &[Statistic],
        covariance: Option<Covariance>,
        order: StatsOrder,
        window: Option<TextureWindow>,
    ) -> Result<Self, FeatureError> {
        if statistics.is_empty() && covariance.is_none() || statistics.len() > 4096 {
            return Err(FeatureError::parameter(
                "statistics",
                statistics.len(),
                "1 to 4096 of them, or a covariance",
            ));
        }
        statistics.iter().try_for_each(Statistic::check)?;
        if let Some(TextureWindow { length, hop, .. }) = window {
            for (field, value) in [("window.length", length), ("window.hop", hop)] {
                if !(1..=1 << 24).contains(&value) {
                    return Err(FeatureError::parameter(field, value, "1 to 16777216"));
                }
            }
        }
        let mut need = Need::default();
        for statistic in statistics {
            match statistic {
                Statistic::Median => need.median = true,
                Statistic::Quantile(_) => need.sorted = true,
                Statistic::Histogram { .. } => {}
                _ => need.moments = true,
            }
        }
        let width = statistics.iter().map(Statistic::width).sum();
        Ok(Self { statistics: statistics.into(), width, covariance, order, window, need })
    }

    /// Values of each column for a matrix of so many rows.
    #[must_use]
    pub fn rows(&self, rows: usize) -> usize {
        let covariance = self.covariance.map_or(0, |c| c.width(rows));
        rows.saturating_mul(self.width).saturating_add(covariance)
    }

    /// Columns for a matrix of so many frames: 1, or the number of texture windows, which may be 0.
    #[must_use]
    pub fn columns(&self, frames: usize) -> usize {
        match self.window {
            None => 1,
            Some(TextureWindow { length, hop, start: TextureStart::Whole }) => {
                frames.checked_sub(length).map_or(0, |room| 1 + room / hop)
            }
            Some(TextureWindow { hop, .. }) => frames.div_ceil(hop),
        }
    }

    /// The fewest frames that have a column; without windows even none has one.
    #[must_use]
    pub fn shortest(&self) -> usize {
        match self.window {
            None => 0,
            Some(TextureWindow { length, start: TextureStart::Whole, .. }) => length,
            Some(_) => 1,
        }
    }

    pub(super) fn window(&self) -> Option<TextureWindow> {
        self.window
    }

    /// The names of the values of a column, for rows of these names: `mfcc_1_mean`, `mfcc_cov_1_2`.
    ///
    /// `feature` stands before them; a name of a row may be empty, or the feature's own, and is then not repeated.
    #[must_use]
    pub fn names(&self, feature: &str, rows: &[String]) -> Vec<String> {
        let named = |parts: &[&str]| {
            let told = parts.iter().filter(|part| !part.is_empty());
            told.copied().collect::<Vec<_>>().join("_")
        };
        let row = |name: &'_ String| if name == feature { String::new() } else { name.clone() };
        let labels: Vec<String> =
            self.statistics.iter().flat_map(|s| (0..s.width()).map(|i| s.label(i))).collect();
        let mut names: Vec<String> = match self.order {
            StatsOrder::RowFirst => rows
                .iter()
                .flat_map(|r| labels.iter().map(move |label| named(&[feature, &row(r), label])))
                .collect(),
            StatsOrder::StatisticFirst => labels
                .iter()
                .flat_map(|label| rows.iter().map(move |r| named(&[feature, &row(r), label])))
                .collect(),
        };
        if let Some(covariance) = self.covariance {
            let pairs = covariance.pairs(rows.len());
            names.extend(pairs.map(|(i, j)| named(&[feature, "cov", &row(&rows[i]), &row(&rows[j])])));
        }
        names
    }

    /// Buffers for matrices of up to so many rows and frames; the frames that a window reaches beyond the start do not count.
    #[must_use]
    pub fn scratch(&self, rows: usize, frames: usize) -> AggregatorScratch {
        let longest = self.longest(frames);
        let sorted = self.need.sorted || self.need.median;
        let histogram = self.statistics.iter().map(Statistic::width).max().unwrap_or(0);
        AggregatorScratch {
            rows,
            frames,
            row: vec![0.0; longest],
            pairs: vec![(0.0, 0.0); if sorted { longest } else { 0 }],
            weights: vec![0.0; longest],
            centred: vec![0.0; if self.covariance.is_some() { rows.saturating_mul(longest) } else { 0 }],
            histogram: vec![0.0; histogram],
        }
    }

    /// The most values of a row that are looked at together.
    fn longest(&self, frames: usize) -> usize {
        match self.window {
            None => frames,
            Some(TextureWindow { length, start: TextureStart::FirstHeld, .. }) => length,
            Some(TextureWindow { length, .. }) => length.min(frames),
        }
    }

    /// The statistics of a matrix of (rows, frames), allocated, each column contiguous in memory.
    ///
    /// Weights are one a frame, 0 or more. A matrix of no frame gives what [`crate::stats`] says of no value, or no column where
    /// there are texture windows.
    ///
    /// # Errors
    /// As [`Aggregator::process_into`], and [`FeatureError::Memory`].
    pub fn process(
        &self,
        matrix: ArrayView2<'_, f32>,
        weights: Option<&[f32]>,
    ) -> Result<Array2<f32>, FeatureError> {
        let (rows, frames) = matrix.dim();
        let mut out = check::matrix(self.rows(rows), self.columns(frames))?;
        self.process_into(matrix, weights, out.view_mut(), &mut self.scratch(rows, frames))?;
        Ok(out)
    }

    /// The statistics of a matrix of (rows, frames) into `out` of ([`rows`](Self::rows), [`columns`](Self::columns)), any memory
    /// layout. Allocates nothing.
    ///
    /// A row with a value that is not finite has whatever its formulas give for it.
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for an output of another shape or weights of another number than the frames,
    /// [`FeatureError::OutOfRange`] for a weight that is negative or not finite, [`FeatureError::Scratch`] for buffers that are
    /// too small.
    pub fn process_into(
        &self,
        matrix: ArrayView2<'_, f32>,
        weights: Option<&[f32]>,
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut AggregatorScratch,
    ) -> Result<(), FeatureError> {
        let (rows, frames) = matrix.dim();
        if rows > scratch.rows || frames > scratch.frames || scratch.row.len() < self.longest(frames) {
            return Err(FeatureError::Scratch { plan: "statistics" });
        }
        check::shape(&out, self.rows(rows), self.columns(frames))?;
        if let Some(weights) = weights {
            if weights.len() != frames {
                let (what, got_columns) = ("weights", weights.len());
                return Err(FeatureError::Shape { what, got_rows: 1, got_columns, rows: 1, columns: frames });
            }
            let bad = |w: &&f32| !(0.0..=f32::MAX).contains(*w);
            if let Some((index, w)) = weights.iter().enumerate().find(|(_, w)| bad(w)) {
                let (value, allowed) = (f64::from(*w), "a weight of 0 or more");
                return Err(FeatureError::OutOfRange { index, value, allowed });
            }
        }
        for (t, column) in out.columns_mut().into_iter().enumerate() {
            self.column(matrix, weights, self.place(t, frames), column, scratch)?;
        }
        Ok(())
    }

    /// The frames of column `t`: how often the first is repeated before them, the first, and the one behind the last.
    fn place(&self, t: usize, frames: usize) -> (usize, usize, usize) {
        match self.window {
            None => (0, 0, frames),
            Some(TextureWindow { length, hop, start }) => {
                if start == TextureStart::Whole {
                    return (0, t * hop, t * hop + length);
                }
                let end = t * hop + 1;
                let held = if start == TextureStart::FirstHeld { length.saturating_sub(end) } else { 0 };
                (held, end.saturating_sub(length), end)
            }
        }
    }

    fn column(
        &self,
        matrix: ArrayView2<'_, f32>,
        weights: Option<&[f32]>,
        (held, first, end): (usize, usize, usize),
        mut out: ArrayViewMut1<'_, f32>,
        scratch: &mut AggregatorScratch,
    ) -> Result<(), FeatureError> {
        let rows = matrix.nrows();
        let count = held + end - first;
        let AggregatorScratch { row, pairs, weights: wide, centred, histogram, .. } = scratch;
        let row = &mut row[..count];
        let weights = weights.map(|weights| {
            let wide = &mut wide[..count];
            let before = weights.first().copied().unwrap_or(0.0);
            wide[..held].fill(f64::from(before));
            wide[held..].iter_mut().zip(&weights[first..end]).for_each(|(o, w)| *o = f64::from(*w));
            &*wide
        });
        for (r, values) in matrix.rows().into_iter().enumerate() {
            let before = values.first().copied().unwrap_or(0.0);
            row[..held].fill(f64::from(before));
            for (o, t) in row[held..].iter_mut().zip(first..end) {
                *o = f64::from(values[t]);
            }
            if self.covariance.is_some() {
                centred[r * count..(r + 1) * count].copy_from_slice(row);
            }
            self.row(row, weights, pairs, histogram, |i, value| {
                let at = match self.order {
                    StatsOrder::RowFirst => r * self.width + i,
                    StatsOrder::StatisticFirst => i * rows + r,
                };
                out[at] = value as f32;
            })?;
        }
        if let Some(shape) = self.covariance {
            let centred = &mut centred[..rows * count];
            centre(centred, count, weights);
            for (o, (i, j)) in out.iter_mut().skip(rows * self.width).zip(shape.pairs(rows)) {
                *o = covariance(centred, count, i, j) as f32;
            }
        }
        Ok(())
    }

    /// Gives `put` every value of the statistics of a row, which is put into another order.
    fn row(
        &self,
        row: &mut [f64],
        weights: Option<&[f64]>,
        pairs: &mut [(f64, f64)],
        histogram: &mut [f64],
        mut put: impl FnMut(usize, f64),
    ) -> Result<(), FeatureError> {
        let Need { moments, median: needs_median, sorted } = self.need;
        let mut summary = match weights {
            _ if !moments => Summary::default(),
            None => Summary::without_median(row),
            Some(weights) => Summary::weighted_without_median(row, weights),
        };
        let mut at = 0;
        // What looks at the values themselves comes before they are put in order of size.
        for statistic in &*self.statistics {
            match *statistic {
                Statistic::BelowMean => put(at, below(row, weights, summary.mean)),
                Statistic::Histogram { bins, low, high } => {
                    let shares = &mut histogram[..bins];
                    histogram_into(row, weights, low, high, shares);
                    shares.iter().enumerate().for_each(|(i, share)| put(at + i, *share));
                }
                _ => {}
            }
            at += statistic.width();
        }
        let pairs = match weights {
            Some(weights) if sorted || needs_median => {
                let pairs = pairs.get_mut(..row.len()).unwrap_or_default();
                sort_pairs(row, weights, pairs)?;
                summary.median = weighted_quantile(pairs, 0.5);
                &*pairs
            }
            None if sorted => {
                row.sort_unstable_by(f64::total_cmp);
                summary.median = quantile(row, 0.5);
                &[]
            }
            None if needs_median => {
                summary.median = median(row);
                &[]
            }
            _ => &[],
        };
        let mut at = 0;
        for statistic in &*self.statistics {
            match *statistic {
                Statistic::Mean => put(at, summary.mean),
                Statistic::Variance => put(at, summary.variance),
                Statistic::Std => put(at, summary.std()),
                Statistic::Skewness => put(at, summary.skewness),
                Statistic::Kurtosis => put(at, summary.kurtosis),
                Statistic::ExcessKurtosis => put(at, summary.excess_kurtosis()),
                Statistic::Median => put(at, summary.median),
                Statistic::Min => put(at, summary.min),
                Statistic::Max => put(at, summary.max),
                Statistic::Quantile(q) if weights.is_some() => put(at, weighted_quantile(pairs, q)),
                Statistic::Quantile(q) => put(at, quantile(row, q)),
                Statistic::BelowMean | Statistic::Histogram { .. } => {}
            }
            at += statistic.width();
        }
        Ok(())
    }
}

/// The share of the values, or of their weight, under the mean.
fn below(row: &[f64], weights: Option<&[f64]>, mean: f64) -> f64 {
    match weights {
        None if row.is_empty() => 0.0,
        None => row.iter().filter(|x| **x < mean).count() as f64 / row.len() as f64,
        Some(weights) => {
            let total: f64 = weights.iter().sum();
            let under = row.iter().zip(weights).filter(|(x, _)| **x < mean).map(|(_, w)| w);
            if total > 0.0 { under.fold(0.0, |sum, w| sum + w) / total } else { 0.0 }
        }
    }
}
