//! Columns to a range.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::LearnError;
use crate::error::{check, check_columns};

/// Scales each column so that the fitted values run from 0 to 1: `(x - min) / (max - min)`; a constant column has divisor 1
/// (`sklearn.preprocessing.MinMaxScaler`). Values outside the fitted range are not clipped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct MinMaxScaler {
    factor: Vec<f64>,
    offset: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    factor: Vec<f64>,
    offset: Vec<f64>,
}

impl TryFrom<Stored> for MinMaxScaler {
    type Error = LearnError;

    fn try_from(Stored { factor, offset }: Stored) -> Result<Self, LearnError> {
        let finite = factor.iter().chain(&offset).all(|v| v.is_finite());
        if factor.len() != offset.len() || factor.is_empty() || !finite {
            return Err(LearnError::Inconsistent { reason: "factors and offsets do not match" });
        }
        Ok(Self { factor, offset })
    }
}

impl MinMaxScaler {
    /// Takes the range of each column from a table `(rows, columns)`.
    ///
    /// # Errors
    /// [`LearnError::Empty`], [`LearnError::NotFinite`], and [`LearnError::Overflow`] where a range exceeds `f64`.
    pub fn fit(table: ArrayView2<'_, f64>) -> Result<Self, LearnError> {
        check(table)?;
        let (mut factor, mut offset) = (Vec::new(), Vec::new());
        for column in table.columns() {
            let (low, high) =
                column.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &x| (l.min(x), h.max(x)));
            let range = high - low;
            // The rule of the reference: a range below ten units of rounding is none.
            let scale = 1.0 / if range < 10.0 * f64::EPSILON { 1.0 } else { range };
            if !range.is_finite() || !(low * scale).is_finite() {
                return Err(LearnError::Overflow { what: "a column's range" });
            }
            factor.push(scale);
            offset.push(-low * scale);
        }
        Ok(Self { factor, offset })
    }

    /// The scaled table.
    ///
    /// # Errors
    /// [`LearnError::Empty`], [`LearnError::NotFinite`], [`LearnError::Columns`].
    pub fn transform(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.factor.len())?;
        let mut out = table.to_owned();
        for mut row in out.rows_mut() {
            row.iter_mut().zip(&self.factor).zip(&self.offset).for_each(|((x, f), o)| *x = *x * f + o);
        }
        Ok(out)
    }

    /// Columns fitted on.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.factor.len()
    }
}
