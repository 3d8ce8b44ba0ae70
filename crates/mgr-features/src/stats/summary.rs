//! The seven statistics of one row.

use serde::{Deserialize, Serialize};

use super::quantile::{median, weighted_quantile};
use crate::simd::moments::{deviation_powers, extent};
use crate::{FeatureError, check};

/// The seven statistics of the values of a row; see [`crate::stats`] for the formulas.
///
/// ```
/// use mgr_features::stats::Summary;
/// let summary = Summary::of(&mut [4.0, 1.0, 1.0, 2.0]);
/// assert_eq!((summary.mean, summary.variance, summary.median), (2.0, 1.5, 1.5));
/// assert_eq!(summary.excess_kurtosis(), summary.kurtosis - 3.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    /// Mean.
    pub mean: f64,
    /// Variance, divided by the number of values.
    pub variance: f64,
    /// Skewness, biased.
    pub skewness: f64,
    /// Kurtosis by Pearson, biased.
    pub kurtosis: f64,
    /// Median.
    pub median: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl Summary {
    /// Of values, which are put into another order (the median needs that). All 0 where there is no value.
    #[must_use]
    pub fn of(values: &mut [f64]) -> Self {
        let mut summary = Self::without_median(values);
        summary.median = median(values);
        summary
    }

    /// All but the median, which is 0.
    #[must_use]
    pub fn without_median(values: &[f64]) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        let count = values.len() as f64;
        let mut all = [0.0; 3];
        extent(values, &mut all);
        let [sum, min, max] = all;
        let mut powers = [0.0; 3];
        // Rounded sums of equal values need not have their value for a mean.
        let mean = if min == max { min } else { sum / count };
        deviation_powers(values, mean, &mut powers);
        Self::new(mean, powers.map(|p| p / count), min, max)
    }

    /// Of values with weights, which are not negative; `pairs` is for as many pairs as there are values.
    ///
    /// # Errors
    /// [`FeatureError::Scratch`] where the three have not one length.
    pub fn weighted(values: &[f64], weights: &[f64], pairs: &mut [(f64, f64)]) -> Result<Self, FeatureError> {
        let summary = Self::weighted_without_median(values, weights);
        sort_pairs(values, weights, pairs)?;
        Ok(Self { median: weighted_quantile(pairs, 0.5), ..summary })
    }

    pub(super) fn weighted_without_median(values: &[f64], weights: &[f64]) -> Self {
        let counted = || values.iter().zip(weights).filter(|(_, w)| **w > 0.0);
        let total: f64 = counted().map(|(_, w)| w).sum();
        if total <= 0.0 {
            return Self::default();
        }
        let min = counted().map(|(x, _)| *x).fold(f64::INFINITY, f64::min);
        let max = counted().map(|(x, _)| *x).fold(f64::NEG_INFINITY, f64::max);
        let mean = if min == max { min } else { counted().map(|(x, w)| x * w).sum::<f64>() / total };
        let mut powers = [0.0; 3];
        for (x, w) in counted() {
            let d = x - mean;
            powers[0] += w * d * d;
            powers[1] += w * d * d * d;
            powers[2] += w * (d * d) * (d * d);
        }
        Self::new(mean, powers.map(|p| p / total), min, max)
    }

    fn new(mean: f64, [second, third, fourth]: [f64; 3], min: f64, max: f64) -> Self {
        // Less than the rounding of a long sum of the values is none: the row is constant.
        let constant = second <= (1e-13 * mean).powi(2) || second * second == 0.0;
        let (skewness, kurtosis) =
            if constant { (0.0, 0.0) } else { (third / second.powf(1.5), fourth / (second * second)) };
        Self { mean, variance: second, skewness, kurtosis, median: 0.0, min, max }
    }

    /// Standard deviation, of the population.
    #[must_use]
    pub fn std(&self) -> f64 {
        self.variance.sqrt()
    }

    /// Kurtosis less 3.
    #[must_use]
    pub fn excess_kurtosis(&self) -> f64 {
        self.kurtosis - 3.0
    }

    /// Mean, variance, skewness, kurtosis by Pearson, median, smallest, largest.
    #[must_use]
    pub fn seven(&self) -> [f64; 7] {
        [self.mean, self.variance, self.skewness, self.kurtosis, self.median, self.min, self.max]
    }
}

/// Puts values with their weights in ascending order.
pub(super) fn sort_pairs(
    values: &[f64],
    weights: &[f64],
    pairs: &mut [(f64, f64)],
) -> Result<(), FeatureError> {
    if values.len() != weights.len() || values.len() != pairs.len() {
        return Err(FeatureError::Scratch { plan: "weighted statistics" });
    }
    pairs.iter_mut().zip(values.iter().zip(weights)).for_each(|(pair, (x, w))| *pair = (*x, *w));
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    Ok(())
}

/// What is taken of a row over time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Statistic {
    /// Mean.
    Mean,
    /// Variance, divided by the number of values.
    Variance,
    /// Standard deviation, the root of the variance.
    Std,
    /// Skewness, biased.
    Skewness,
    /// Kurtosis by Pearson, biased: 3 for a normal distribution.
    Kurtosis,
    /// Kurtosis less 3: 0 for a normal distribution.
    ExcessKurtosis,
    /// Median.
    Median,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The quantile at this share, 0 to 1.
    Quantile(f64),
    /// The share of the values that are under the mean: low energy, of a root mean square (Tzanetakis and Cook 2002).
    BelowMean,
    /// The shares of the values that fall in equal bins between two values; what lies beyond counts for the first or the last.
    Histogram {
        /// How many bins, 1 to 65,536.
        bins: usize,
        /// Where the first begins.
        low: f64,
        /// Where the last ends, over `low`.
        high: f64,
    },
}

impl Statistic {
    /// Mean, variance, skewness, kurtosis by Pearson, median, smallest and largest: those of `rp_extract`.
    pub const SEVEN: [Self; 7] =
        [Self::Mean, Self::Variance, Self::Skewness, Self::Kurtosis, Self::Median, Self::Min, Self::Max];

    /// Excess kurtosis, largest, mean, median, smallest, skewness, standard deviation: those of FMA, in its order.
    pub const FMA: [Self; 7] =
        [Self::ExcessKurtosis, Self::Max, Self::Mean, Self::Median, Self::Min, Self::Skewness, Self::Std];

    /// How many values it has for a row.
    #[must_use]
    pub fn width(&self) -> usize {
        if let Self::Histogram { bins, .. } = self { *bins } else { 1 }
    }

    /// What its value `i` is called in a column: `mean`, `var`, `std`, `skew`, `kurtosis`, `kurtosis_excess`, `median`, `min`,
    /// `max`, `q25`, `below_mean`, `hist_1`.
    #[must_use]
    pub fn label(&self, i: usize) -> String {
        match self {
            Self::Mean => "mean".to_owned(),
            Self::Variance => "var".to_owned(),
            Self::Std => "std".to_owned(),
            Self::Skewness => "skew".to_owned(),
            Self::Kurtosis => "kurtosis".to_owned(),
            Self::ExcessKurtosis => "kurtosis_excess".to_owned(),
            Self::Median => "median".to_owned(),
            Self::Min => "min".to_owned(),
            Self::Max => "max".to_owned(),
            // As a percentage, to a thousandth, so that 0.07 is not 7.000000000000001.
            Self::Quantile(q) => format!("q{}", (q * 1e5).round() / 1e3),
            Self::BelowMean => "below_mean".to_owned(),
            Self::Histogram { .. } => format!("hist_{}", i + 1),
        }
    }

    pub(super) fn check(&self) -> Result<(), FeatureError> {
        match *self {
            Self::Quantile(q) => check::within("quantile", q, 0.0, 1.0),
            Self::Histogram { bins, low, high } => {
                if !(1..=1 << 16).contains(&bins) {
                    return Err(FeatureError::parameter("bins", bins, "1 to 65536"));
                }
                if low.is_finite() && high.is_finite() && low < high && (high - low).is_finite() {
                    return Ok(());
                }
                Err(FeatureError::parameter("high", high, format!("over low = {low}, both finite")))
            }
            _ => Ok(()),
        }
    }
}
