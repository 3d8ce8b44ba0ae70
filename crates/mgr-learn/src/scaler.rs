//! Columns to zero mean and unit variance.

use crate::LearnError;
use crate::error::{check, check_columns};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// Scales each column to `(x - mean) / scale`, with the population standard deviation (`ddof = 0`) as scale.
///
/// A column that is constant up to rounding has scale 1, by the rule of scikit-learn 1.9
/// (`sklearn.preprocessing.StandardScaler`): its variance is at most `n eps var + (n mean eps)^2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct StandardScaler {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl TryFrom<Stored> for StandardScaler {
    type Error = LearnError;

    fn try_from(Stored { mean, scale }: Stored) -> Result<Self, LearnError> {
        if mean.len() != scale.len() || mean.is_empty() {
            return Err(LearnError::Inconsistent {
                reason: "means and scales differ in number or are missing",
            });
        }
        if !mean.iter().all(|v| v.is_finite()) || !scale.iter().all(|v| v.is_finite() && *v > 0.0) {
            return Err(LearnError::Inconsistent { reason: "a mean is not finite or a scale not positive" });
        }
        Ok(Self { mean, scale })
    }
}

impl StandardScaler {
    /// Takes mean and scale from a table `(rows, columns)`.
    ///
    /// # Errors
    /// [`LearnError::Empty`], [`LearnError::NotFinite`], and [`LearnError::Overflow`] where a variance exceeds `f64`.
    pub fn fit(table: ArrayView2<'_, f64>) -> Result<Self, LearnError> {
        check(table)?;
        #[allow(clippy::cast_precision_loss)]
        let n = table.nrows() as f64;
        let (mut mean, mut scale) = (Vec::new(), Vec::new());
        for column in table.columns() {
            let m = column.sum() / n;
            // The second sum takes out the rounding of the mean.
            let (squares, rest) =
                column.iter().fold((0.0, 0.0), |(s, r), x| (s + (x - m) * (x - m), r + (x - m)));
            let variance = (squares - rest * rest / n).max(0.0) / n;
            if !m.is_finite() || !variance.is_finite() {
                return Err(LearnError::Overflow { what: "a column's variance" });
            }
            let bound = n * f64::EPSILON * variance + (n * m * f64::EPSILON).powi(2);
            mean.push(m);
            scale.push(if variance <= bound { 1.0 } else { variance.sqrt() });
        }
        Ok(Self { mean, scale })
    }

    /// Mean of each column.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Divisor of each column.
    #[must_use]
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// The scaled table.
    ///
    /// # Errors
    /// [`LearnError::Empty`], [`LearnError::NotFinite`], [`LearnError::Columns`].
    pub fn transform(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        let mut out = table.to_owned();
        self.transform_in_place(&mut out)?;
        Ok(out)
    }

    /// Scales a table in place, without allocation; on an error the table is as it was.
    ///
    /// # Errors
    /// As [`StandardScaler::transform`].
    pub fn transform_in_place(&self, table: &mut Array2<f64>) -> Result<(), LearnError> {
        check_columns(table.view(), self.mean.len())?;
        for mut row in table.rows_mut() {
            for ((x, m), s) in row.iter_mut().zip(&self.mean).zip(&self.scale) {
                *x = (*x - m) / s;
            }
        }
        Ok(())
    }
}
