//! A table by columns, with the order of its values.

use ndarray::ArrayView2;
use rayon::prelude::*;

/// Values and ranks by column; made once, shared by all trees.
#[derive(Debug)]
pub(crate) struct Ranked {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Column after column.
    values: Vec<f64>,
    /// Rows of each column by ascending value.
    order: Vec<u32>,
    /// Rank of each row's value in its column; equal values have equal ranks.
    ranks: Vec<u32>,
}

impl Ranked {
    pub(crate) fn new(table: ArrayView2<'_, f64>) -> Self {
        let (rows, columns) = table.dim();
        let parts: Vec<(Vec<f64>, Vec<u32>, Vec<u32>)> = (0..columns)
            .into_par_iter()
            .map(|c| {
                let values: Vec<f64> = table.column(c).to_vec();
                let mut order: Vec<u32> = (0..u32::try_from(rows).unwrap_or(u32::MAX)).collect();
                order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
                let mut ranks = vec![0; rows];
                let mut rank = 0;
                for pair in order.windows(2) {
                    let (a, b) = (pair[0] as usize, pair[1] as usize);
                    // Both zeros are one value.
                    rank += u32::from(values[a] < values[b]);
                    ranks[b] = rank;
                }
                (values, order, ranks)
            })
            .collect();
        let mut all = Self { rows, columns, values: Vec::new(), order: Vec::new(), ranks: Vec::new() };
        for (values, order, ranks) in parts {
            all.values.extend(values);
            all.order.extend(order);
            all.ranks.extend(ranks);
        }
        all
    }

    pub(crate) fn values(&self, column: usize) -> &[f64] {
        &self.values[column * self.rows..(column + 1) * self.rows]
    }

    pub(crate) fn order(&self, column: usize) -> &[u32] {
        &self.order[column * self.rows..(column + 1) * self.rows]
    }

    pub(crate) fn ranks(&self, column: usize) -> &[u32] {
        &self.ranks[column * self.rows..(column + 1) * self.rows]
    }
}

/// The threshold between two different values: rows at most this go left.
pub(crate) fn between(low: f64, high: f64) -> f64 {
    let middle = f64::midpoint(low, high);
    if middle < high { middle } else { low }
}
