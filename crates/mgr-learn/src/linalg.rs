//! Decompositions, from faer; none of its types leaves this file.

use faer::linalg::solvers::{Llt, SelfAdjointEigen, Solve};
use faer::{Mat, Side};
use ndarray::{Array2, ArrayView2};

use crate::LearnError;

fn to(a: ArrayView2<'_, f64>) -> Mat<f64> {
    Mat::from_fn(a.nrows(), a.ncols(), |i, j| a[[i, j]])
}

/// Eigenvalues ascending, and vectors as columns, of a symmetric matrix.
pub(crate) fn symmetric_eigen(a: ArrayView2<'_, f64>) -> Result<(Vec<f64>, Array2<f64>), LearnError> {
    let found = SelfAdjointEigen::new(to(a).as_ref(), Side::Lower)
        .map_err(|_| LearnError::Overflow { what: "an eigenvalue decomposition" })?;
    let (values, vectors) = (found.S(), found.U());
    let values = (0..a.nrows()).map(|i| values[i]).collect();
    Ok((values, Array2::from_shape_fn(a.dim(), |(i, j)| vectors[(i, j)])))
}

/// Singular values descending, and right vectors as rows.
pub(crate) fn singular(a: ArrayView2<'_, f64>) -> Result<(Vec<f64>, Array2<f64>), LearnError> {
    let found =
        to(a).thin_svd().map_err(|_| LearnError::Overflow { what: "a singular value decomposition" })?;
    let rank = a.nrows().min(a.ncols());
    let (values, v) = (found.S(), found.V());
    let values = (0..rank).map(|i| values[i]).collect();
    Ok((values, Array2::from_shape_fn((rank, a.ncols()), |(i, j)| v[(j, i)])))
}

/// Solves `a x = b` for a symmetric positive definite matrix.
pub(crate) fn solve_positive(
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
) -> Result<Array2<f64>, LearnError> {
    let what = "a Cholesky decomposition (is the penalty too small?)";
    let factor = Llt::new(to(a).as_ref(), Side::Lower).map_err(|_| LearnError::Overflow { what })?;
    let x = factor.solve(to(b).as_ref());
    Ok(Array2::from_shape_fn(b.dim(), |(i, j)| x[(i, j)]))
}
