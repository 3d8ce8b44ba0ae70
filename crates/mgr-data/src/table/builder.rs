//! From feature matrices to rows of a table.

use mgr_features::{Axis, Layout};
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::wrong;
use crate::DataError;

/// A statistic of a row of a matrix over its columns (time), in f64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Statistic {
    /// Arithmetic mean.
    Mean,
    /// Standard deviation, over n.
    Std,
    /// Variance, over n.
    Var,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Middle value; the mean of the two middle ones for an even count.
    Median,
    /// Skewness m3 / m2^1.5, over n; 0 for a constant row.
    Skew,
    /// Excess kurtosis m4 / m2^2 - 3, over n; -3 for a constant row.
    Kurtosis,
}

impl Statistic {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Mean, Self::Std, Self::Var, Self::Min, Self::Max, Self::Median, Self::Skew, Self::Kurtosis];

    /// The name, as columns have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Std => "std",
            Self::Var => "var",
            Self::Min => "min",
            Self::Max => "max",
            Self::Median => "median",
            Self::Skew => "skew",
            Self::Kurtosis => "kurtosis",
        }
    }

    /// The statistic of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// The statistic of values; NaN for none.
    #[must_use]
    pub fn of(self, values: &[f64]) -> f64 {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let moment = |power: i32| values.iter().map(|v| (v - mean).powi(power)).sum::<f64>() / n;
        let standardised = |power: i32, half: f64| {
            let second = moment(2);
            if second > 0.0 { moment(power) / second.powf(half) } else { 0.0 * second }
        };
        match self {
            Self::Mean => mean,
            Self::Std => moment(2).sqrt(),
            Self::Var => moment(2),
            Self::Min => values.iter().copied().reduce(f64::min).unwrap_or(f64::NAN),
            Self::Max => values.iter().copied().reduce(f64::max).unwrap_or(f64::NAN),
            Self::Median => {
                let mut sorted = values.to_vec();
                sorted.sort_by(f64::total_cmp);
                let middle = sorted.len() / 2;
                match (sorted.get(middle), sorted.len() % 2) {
                    (None, _) => f64::NAN,
                    (Some(high), 1) => *high,
                    (Some(high), _) => f64::midpoint(sorted[middle - 1], *high),
                }
            }
            Self::Skew => standardised(3, 1.5),
            Self::Kurtosis => standardised(4, 2.0) - 3.0,
        }
    }
}

/// A name for each row of a feature: those of its axis, else the feature's name and the row's number from 1.
fn row_names(feature: &str, layout: &Layout) -> Vec<String> {
    match &layout.row_axis {
        Axis::Name { names } => names.clone(),
        Axis::Coefficient { first, .. } => {
            (0..layout.rows).map(|row| format!("{feature}_{}", first + row)).collect()
        }
        _ if layout.rows == 1 => vec![feature.to_owned()],
        _ => {
            let width = layout.rows.to_string().len();
            (1..=layout.rows).map(|row| format!("{feature}_{row:0width$}")).collect()
        }
    }
}

/// The columns that a feature gives a table: the rows' names for a feature of one column and no statistics, else each row's name
/// with each statistic, `mfcc_1_mean`, statistics of one row side by side.
///
/// # Errors
/// [`DataError::Table`] for a feature of several columns without statistics.
pub fn column_names(
    feature: &str,
    layout: &Layout,
    statistics: &[Statistic],
) -> Result<Vec<String>, DataError> {
    let names = row_names(feature, layout);
    if statistics.is_empty() {
        return if layout.columns == 1 {
            Ok(names)
        } else {
            Err(wrong(format!(
                "{feature} is a matrix over time, {} x {}: a table needs statistics of it, such as mean and std",
                layout.rows, layout.columns
            )))
        };
    }
    Ok(names.iter().flat_map(|n| statistics.iter().map(move |s| format!("{n}_{}", s.name()))).collect())
}

/// The row that a feature matrix gives a table, in the order of [`column_names`].
#[must_use]
pub fn vector(matrix: ArrayView2<'_, f32>, statistics: &[Statistic]) -> Vec<f64> {
    if statistics.is_empty() {
        return matrix.iter().map(|v| f64::from(*v)).collect();
    }
    let mut out = Vec::with_capacity(matrix.nrows() * statistics.len());
    let mut row = Vec::with_capacity(matrix.ncols());
    for values in matrix.rows() {
        row.clear();
        row.extend(values.iter().map(|v| f64::from(*v)));
        // As features are stored: the statistics of 32-bit numbers in 32 bits.
        out.extend(statistics.iter().map(|s| f64::from(s.of(&row) as f32)));
    }
    out
}
