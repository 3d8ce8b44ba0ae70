//! The nearest rows of a table, by comparing with all of them.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// What distance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// `|x - y|`.
    #[default]
    Euclidean,
    /// `1 - x . y / (|x| |y|)`; 1 where one of the rows is zero.
    Cosine,
}

/// Rows of a query and rows of the table that are compared at a time.
const BLOCK: usize = 64;

/// The rows as they are, or with length 1 for the cosine.
pub(crate) fn prepared(table: ArrayView2<'_, f64>, metric: Metric) -> Array2<f64> {
    let mut out = table.as_standard_layout().into_owned();
    if metric == Metric::Cosine {
        for mut row in out.rows_mut() {
            let length = row.dot(&row).sqrt();
            if length > 0.0 {
                row.mapv_inplace(|x| x / length);
            }
        }
    }
    out
}

/// The `k` nearest rows of `table` to each row of `query`: distances ascending, and row numbers; equal distances in the
/// order of the rows. Both tables are [`prepared`]. With `others`, row i of the query is row i of the table and does not
/// count as its own neighbour.
pub(crate) fn nearest(
    query: ArrayView2<'_, f64>,
    table: ArrayView2<'_, f64>,
    k: usize,
    metric: Metric,
    others: bool,
) -> Vec<Vec<(f64, usize)>> {
    let squares: Vec<f64> = table.rows().into_iter().map(|r| r.dot(&r)).collect();
    let parts: Vec<_> = query.axis_chunks_iter(Axis(0), BLOCK).enumerate().collect();
    let found: Vec<Vec<Vec<(f64, usize)>>> = parts
        .into_par_iter()
        .map(|(part, rows)| {
            let products = rows.dot(&table.t());
            let mut candidates: Vec<(f64, usize)> = Vec::with_capacity(table.nrows());
            let take = |(i, (row, products)): (
                usize,
                (ndarray::ArrayView1<'_, f64>, ndarray::ArrayView1<'_, f64>),
            )| {
                candidates.clear();
                let own = row.dot(&row);
                let this = if others { part * BLOCK + i } else { usize::MAX };
                candidates.extend(products.iter().zip(&squares).enumerate().filter(|(j, _)| *j != this).map(
                    |(j, (p, s))| match metric {
                        Metric::Euclidean => (own + s - 2.0 * p, j),
                        Metric::Cosine => (1.0 - p, j),
                    },
                ));
                let k = k.min(candidates.len());
                let order = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
                // Products lose digits where rows are near each other: some more than k, then by differences.
                let wide = (k + 8).min(candidates.len());
                if wide < candidates.len() && wide > 0 {
                    candidates.select_nth_unstable_by(wide - 1, order);
                }
                let mut best = candidates[..wide].to_vec();
                if metric == Metric::Euclidean {
                    for (distance, j) in &mut best {
                        let other = table.row(*j);
                        *distance = row.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
                    }
                }
                best.sort_by(order);
                best.truncate(k);
                best
            };
            rows.rows().into_iter().zip(products.rows()).enumerate().map(take).collect()
        })
        .collect();
    found.into_iter().flatten().collect()
}
