//! A matrix that is stored with its shape.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::LearnError;

/// A product whose rows are slices: that of a table of one column, or of a transposed one, may come column by column.
pub(crate) fn by_rows(product: Array2<f64>) -> Array2<f64> {
    if product.is_standard_layout() { product } else { product.as_standard_layout().into_owned() }
}

/// A matrix of finite numbers in row order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(crate) struct Matrix(Array2<f64>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl TryFrom<Stored> for Matrix {
    type Error = LearnError;

    fn try_from(Stored { rows, columns, values }: Stored) -> Result<Self, LearnError> {
        if !values.iter().all(|v| v.is_finite()) {
            return Err(LearnError::Inconsistent { reason: "a value is not finite" });
        }
        let shape = LearnError::Inconsistent { reason: "a matrix has not as many values as its shape says" };
        Array2::from_shape_vec((rows, columns), values).map(Self).map_err(|_| shape)
    }
}

impl From<Matrix> for Stored {
    fn from(Matrix(matrix): Matrix) -> Self {
        Self { rows: matrix.nrows(), columns: matrix.ncols(), values: matrix.iter().copied().collect() }
    }
}

impl Matrix {
    pub(crate) fn new(matrix: Array2<f64>) -> Self {
        Self(by_rows(matrix))
    }

    pub(crate) fn view(&self) -> ArrayView2<'_, f64> {
        self.0.view()
    }

    pub(crate) fn rows(&self) -> usize {
        self.0.nrows()
    }

    pub(crate) fn columns(&self) -> usize {
        self.0.ncols()
    }

    pub(crate) fn dim(&self) -> (usize, usize) {
        self.0.dim()
    }
}
