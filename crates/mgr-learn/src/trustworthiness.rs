//! How far a picture's neighbours are neighbours in the table.

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::LearnError;
use crate::error::check;

/// Trustworthiness of an embedding (J. Venna and S. Kaski, "Neighborhood preservation in nonlinear projection methods", ICANN
/// 2001; `sklearn.manifold.trustworthiness`): `1 - 2 / (n k (2n - 3k - 1)) sum over rows i and their k nearest j in the
/// embedding of max(0, rank of j in the table as neighbour of i - k)`. 1 is best; Euclidean distances.
///
/// # Errors
/// [`LearnError::Empty`], [`LearnError::NotFinite`], [`LearnError::LabelCount`] where the tables differ in rows,
/// [`LearnError::Setting`] for neighbours outside 1 to half the rows.
pub fn trustworthiness(
    table: ArrayView2<'_, f64>,
    embedding: ArrayView2<'_, f64>,
    neighbours: usize,
) -> Result<f64, LearnError> {
    check(table)?;
    check(embedding)?;
    let n = table.nrows();
    if embedding.nrows() != n {
        return Err(LearnError::LabelCount { rows: n, labels: embedding.nrows() });
    }
    if neighbours == 0 || 2 * neighbours >= n {
        let allowed = "1 or more, below half the rows";
        return Err(LearnError::Setting { field: "neighbours", value: neighbours as f64, allowed });
    }
    let order = |table: ArrayView2<'_, f64>, i: usize| -> Vec<usize> {
        let own = table.row(i);
        let mut others: Vec<(f64, usize)> = (0..n)
            .filter(|j| *j != i)
            .map(|j| (own.iter().zip(table.row(j)).map(|(a, b)| (a - b) * (a - b)).sum(), j))
            .collect();
        others.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        others.into_iter().map(|(_, j)| j).collect()
    };
    let penalties: Vec<usize> = (0..n)
        .into_par_iter()
        .map(|i| {
            let mut rank = vec![0; n];
            order(table, i).into_iter().enumerate().for_each(|(r, j)| rank[j] = r + 1);
            order(embedding, i).into_iter().take(neighbours).map(|j| rank[j].saturating_sub(neighbours)).sum()
        })
        .collect();
    let (n, k) = (n as f64, neighbours as f64);
    let sum: f64 = penalties.iter().map(|p| *p as f64).sum();
    Ok(1.0 - 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0)) * sum)
}
