//! Zero mean and unit deviation, by training data.

use ndarray::ArrayViewMut2;
use serde::{Deserialize, Serialize};

use super::Items;
use crate::DataError;

/// A mean and a deviation: one for all values, or one for each row (band).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standardiser {
    /// One value, or one a row.
    mean: Vec<f32>,
    /// As many as there are means; 1 where all values are the same.
    deviation: Vec<f32>,
}

impl Standardiser {
    /// Fits on the items given, which have to be those of the training part; sums in f64, deviation over n. A band of one value only is
    /// shifted and not scaled.
    ///
    /// # Errors
    /// [`DataError::Batch`] without items, for matrices of different rows or values that are no numbers; what [`Items::with`] says.
    pub fn fit<I: Items + ?Sized>(items: &I, training: &[usize], per_band: bool) -> Result<Self, DataError> {
        let mut rows: Option<usize> = None;
        let mut count = 0_u64;
        let mut shift: Vec<f64> = Vec::new();
        let (mut sum, mut squares): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
        for &item in training {
            let mut wrong = None;
            items.with(item, &mut |matrix| {
                let known = *rows.get_or_insert(matrix.nrows());
                if matrix.nrows() != known {
                    wrong = Some(format!("item {item} has {} rows, expected {known}", matrix.nrows()));
                    return;
                }
                if sum.is_empty() {
                    // Values are taken less the first item's mean, so that squares of large means lose nothing.
                    let all = matrix.iter().map(|v| f64::from(*v)).sum::<f64>() / matrix.len().max(1) as f64;
                    shift = vec![all; known];
                    (sum, squares) = (vec![0.0; known], vec![0.0; known]);
                }
                count += matrix.ncols() as u64;
                for (row, values) in matrix.rows().into_iter().enumerate() {
                    for value in values {
                        let value = f64::from(*value) - shift[row];
                        sum[row] += value;
                        squares[row] += value * value;
                    }
                }
            })?;
            if let Some(reason) = wrong {
                return Err(DataError::Batch { reason });
            }
        }
        let rows = rows.filter(|rows| *rows > 0 && count > 0);
        let rows =
            rows.ok_or_else(|| DataError::Batch { reason: "nothing to fit a standardiser on".into() })?;
        if !per_band {
            count *= rows as u64;
            shift.truncate(1);
            sum = vec![sum.iter().sum()];
            squares = vec![squares.iter().sum()];
        }
        let n = count as f64;
        let mean = sum.iter().map(|s| s / n);
        let deviation = mean.clone().zip(&squares).map(|(mean, s)| (s / n - mean * mean).max(0.0).sqrt());
        let one = |d: f64| if d > 1e-12 { d as f32 } else { 1.0 };
        let deviation: Vec<f32> = deviation.map(one).collect();
        let mean: Vec<f32> = mean.zip(&shift).map(|(mean, shift)| (mean + shift) as f32).collect();
        if mean.iter().chain(&deviation).any(|v| !v.is_finite()) {
            return Err(DataError::Batch {
                reason: "the training items hold values that are no numbers".into(),
            });
        }
        Ok(Self { mean, deviation })
    }

    /// Rows that it is for; none where it is for any.
    #[must_use]
    pub fn rows(&self) -> Option<usize> {
        (self.mean.len() > 1).then_some(self.mean.len())
    }

    /// Means, one or one a row.
    #[must_use]
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// Deviations, one or one a row.
    #[must_use]
    pub fn deviation(&self) -> &[f32] {
        &self.deviation
    }

    /// Standardises a matrix of (rows, frames); rows beyond those that it is for stay as they are.
    pub fn apply(&self, mut matrix: ArrayViewMut2<'_, f32>) {
        let known = if self.mean.len() == 1 { usize::MAX } else { self.mean.len() };
        let bands = self.mean.iter().zip(&self.deviation).cycle();
        for (mut row, (mean, deviation)) in matrix.rows_mut().into_iter().zip(bands).take(known) {
            row.mapv_inplace(|value| (value - mean) / deviation);
        }
    }
}
