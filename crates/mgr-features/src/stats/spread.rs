//! Histograms and covariance.

use serde::{Deserialize, Serialize};

use crate::simd::moments::{extent, product};

/// The shares of values that fall in equal bins from `low` to `high`, as many as `out` is long; what lies beyond counts for the
/// first or the last bin, a value on an edge for the bin above. All 0 where there is no value.
///
/// ```
/// let mut shares = [0.0; 2];
/// mgr_features::stats::histogram_into(&[0.1, 0.6, 0.7, 9.0], None, 0.0, 1.0, &mut shares);
/// assert_eq!(shares, [0.25, 0.75]);
/// ```
pub fn histogram_into(values: &[f64], weights: Option<&[f64]>, low: f64, high: f64, out: &mut [f64]) {
    out.fill(0.0);
    let Some(last) = out.len().checked_sub(1) else { return };
    let scale = out.len() as f64 / (high - low);
    let mut total = 0.0;
    for (i, x) in values.iter().enumerate() {
        let weight = weights.map_or(1.0, |w| w.get(i).copied().unwrap_or(0.0));
        if weight > 0.0 {
            // What is negative, or not a number, becomes 0.
            out[(((x - low) * scale) as usize).min(last)] += weight;
            total += weight;
        }
    }
    if total > 0.0 {
        out.iter_mut().for_each(|share| *share /= total);
    }
}

/// Which part of a covariance matrix is given. It is divided by the number of values, or by the sum of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covariance {
    /// All of it, row by row.
    Full,
    /// The diagonal and what is right of it, row by row.
    UpperTriangle,
}

impl Covariance {
    /// How many values it has for so many rows.
    #[must_use]
    pub fn width(self, rows: usize) -> usize {
        match self {
            Self::Full => rows.saturating_mul(rows),
            Self::UpperTriangle => rows.saturating_mul(rows.saturating_add(1)) / 2,
        }
    }

    /// The pairs of rows, in order.
    pub(super) fn pairs(self, rows: usize) -> impl Iterator<Item = (usize, usize)> {
        (0..rows).flat_map(move |i| {
            let first = if self == Self::Full { 0 } else { i };
            (first..rows).map(move |j| (i, j))
        })
    }
}

/// Takes the mean off each row of `columns` values, and multiplies it by the square roots of the shares of the weights, so that
/// products of rows add up to covariances.
pub(super) fn centre(rows: &mut [f64], columns: usize, weights: Option<&[f64]>) {
    if columns == 0 {
        return;
    }
    let total: f64 = weights.map_or(columns as f64, |w| w.iter().sum());
    for row in rows.chunks_exact_mut(columns) {
        match weights {
            _ if total <= 0.0 => row.fill(0.0),
            None => {
                let mut all = [0.0; 3];
                extent(row, &mut all);
                let mean = if all[1] == all[2] { all[1] } else { all[0] / total };
                let factor = total.sqrt().recip();
                row.iter_mut().for_each(|x| *x = (*x - mean) * factor);
            }
            Some(weights) => {
                let mean = super::summary::Summary::weighted_without_median(row, weights).mean;
                let scaled = |x: f64, w: f64| if w > 0.0 { (x - mean) * (w / total).sqrt() } else { 0.0 };
                row.iter_mut().zip(weights).for_each(|(x, w)| *x = scaled(*x, *w));
            }
        }
    }
}

/// The covariance of rows `i` and `j` of centred rows.
pub(super) fn covariance(centred: &[f64], columns: usize, i: usize, j: usize) -> f64 {
    let mut sum = 0.0;
    product(&centred[i * columns..(i + 1) * columns], &centred[j * columns..(j + 1) * columns], &mut sum);
    sum
}
