//! Kernel functions, and kernel matrices within a memory budget.

use std::borrow::Cow;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, s};
use rayon::prelude::*;

use super::Kernel;
use crate::matrix::by_rows;

/// Rows of a block when a kernel matrix is computed: a block times the table is one matrix product.
const BLOCK: usize = 128;

/// A kernel with its numbers settled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Function {
    pub(crate) kernel: Kernel,
    pub(crate) gamma: f64,
}

fn power(base: f64, degree: u32) -> f64 {
    base.powi(i32::try_from(degree).unwrap_or(i32::MAX))
}

impl Function {
    /// Turns products of two rows into kernel values; `own` and `other` are squared lengths.
    fn finish(&self, products: &mut [f64], own: f64, other: &[f64]) {
        match self.kernel {
            Kernel::Linear => {}
            Kernel::Polynomial { degree, coef0 } => {
                products.iter_mut().for_each(|p| *p = power(self.gamma * *p + coef0, degree));
            }
            Kernel::Rbf => {
                for (p, o) in products.iter_mut().zip(other) {
                    *p = (-self.gamma * (own + o - 2.0 * *p).max(0.0)).exp();
                }
            }
        }
    }

    /// The kernel of a row with itself.
    pub(crate) fn own(&self, square: f64) -> f64 {
        match self.kernel {
            Kernel::Linear => square,
            Kernel::Polynomial { degree, coef0 } => power(self.gamma * square + coef0, degree),
            Kernel::Rbf => 1.0,
        }
    }

    /// Kernel of every row of `a` with every row of `b`, `(rows of a, rows of b)`.
    pub(crate) fn between(
        &self,
        a: ArrayView2<'_, f64>,
        b: ArrayView2<'_, f64>,
        squares_of_b: &[f64],
    ) -> Array2<f64> {
        let mut out = by_rows(a.dot(&b.t()));
        for (row, mut products) in a.rows().into_iter().zip(out.rows_mut()) {
            let own = row.dot(&row);
            if let Some(products) = products.as_slice_mut() {
                self.finish(products, own, squares_of_b);
            }
        }
        out
    }

    /// The symmetric kernel matrix of a table's rows, on all threads or on this one.
    pub(crate) fn gram(&self, table: ArrayView2<'_, f64>, squares: &[f64], threads: bool) -> Array2<f64> {
        let n = table.nrows();
        let mut out = Array2::<f64>::zeros((n, n));
        let blocks: Vec<_> = out.axis_chunks_iter_mut(ndarray::Axis(0), BLOCK).enumerate().collect();
        // The lower triangle by blocks of rows, the last and largest first so that the threads end together.
        let work = |(b, mut block): (usize, ndarray::ArrayViewMut2<'_, f64>)| {
            let first = b * BLOCK;
            let end = first + block.nrows();
            let left = table.slice(s![first..end, ..]);
            let products = left.dot(&table.slice(s![..end, ..]).t());
            for (i, (mut row, products)) in block.rows_mut().into_iter().zip(products.rows()).enumerate() {
                let mut head = row.slice_mut(s![..end]);
                head.assign(&products);
                if let Some(head) = head.as_slice_mut() {
                    self.finish(head, squares[first + i], squares);
                }
            }
        };
        if threads {
            blocks.into_par_iter().rev().with_max_len(1).for_each(work);
        } else {
            blocks.into_iter().for_each(work);
        }
        mirror(&mut out);
        out
    }
}

/// Copies the lower triangle of a square matrix to the upper one, by tiles that fit the cache.
fn mirror(matrix: &mut Array2<f64>) {
    const TILE: usize = 32;
    let n = matrix.nrows();
    let Some(values) = matrix.as_slice_mut() else { return };
    for top in (0..n).step_by(TILE) {
        for left in (top..n).step_by(TILE) {
            for i in top..(top + TILE).min(n) {
                for j in left.max(i + 1)..(left + TILE).min(n) {
                    values[i * n + j] = values[j * n + i];
                }
            }
        }
    }
}

/// Squared lengths of the rows.
pub(crate) fn squares(table: ArrayView2<'_, f64>) -> Vec<f64> {
    table.rows().into_iter().map(|r| r.dot(&r)).collect()
}

/// Where a problem's kernel rows come from.
pub(crate) enum Rows<'a> {
    /// All of them, computed before.
    Given(ArrayView2<'a, f64>),
    /// All of them, computed at once.
    Whole(Array2<f64>),
    /// Computed when asked for; the latest used ones are kept.
    Cached(Cache<'a>),
}

impl<'a> Rows<'a> {
    /// The rows of a table, whole where `budget` bytes allow it.
    pub(crate) fn new(function: Function, table: Cow<'a, Array2<f64>>, budget: usize) -> Self {
        let n = table.nrows();
        let squares = squares(table.view());
        if n.saturating_mul(n).saturating_mul(8) <= budget {
            Self::Whole(function.gram(table.view(), &squares, false))
        } else {
            Self::Cached(Cache::new(function, table, squares, budget))
        }
    }

    /// The rows of some of the rows of a kernel matrix.
    pub(crate) fn of_gram(gram: ArrayView2<'_, f64>, rows: &[usize]) -> Self {
        let mut out = Array2::zeros((rows.len(), rows.len()));
        for (&i, mut to) in rows.iter().zip(out.rows_mut()) {
            let from = gram.row(i);
            to.iter_mut().zip(rows).for_each(|(to, &j)| *to = from[j]);
        }
        Self::Whole(out)
    }

    pub(crate) fn row(&mut self, i: usize) -> ArrayView1<'_, f64> {
        match self {
            Self::Given(matrix) => matrix.row(i),
            Self::Whole(matrix) => matrix.row(i),
            Self::Cached(cache) => cache.row(i),
        }
    }

    /// Rows `i` and `j` at once.
    pub(crate) fn two(&mut self, i: usize, j: usize) -> (ArrayView1<'_, f64>, ArrayView1<'_, f64>) {
        match self {
            Self::Given(matrix) => (matrix.row(i), matrix.row(j)),
            Self::Whole(matrix) => (matrix.row(i), matrix.row(j)),
            Self::Cached(cache) => cache.two(i, j),
        }
    }
}

/// Kernel rows with the least recently used ones given up.
pub(crate) struct Cache<'a> {
    function: Function,
    table: Cow<'a, Array2<f64>>,
    squares: Vec<f64>,
    /// Place of each row, or none.
    place: Vec<Option<usize>>,
    /// Row, last use and values of each place.
    places: Vec<(usize, u64, Array1<f64>)>,
    capacity: usize,
    clock: u64,
}

impl<'a> Cache<'a> {
    fn new(function: Function, table: Cow<'a, Array2<f64>>, squares: Vec<f64>, budget: usize) -> Self {
        let n = table.nrows();
        let capacity = (budget / (8 * n.max(1))).max(2);
        Self { function, table, squares, place: vec![None; n], places: Vec::new(), capacity, clock: 0 }
    }

    fn bring(&mut self, i: usize) -> usize {
        self.clock += 1;
        if let Some(place) = self.place[i] {
            self.places[place].1 = self.clock;
            return place;
        }
        let row = self.table.row(i);
        let mut values = self.table.dot(&row);
        if let Some(values) = values.as_slice_mut() {
            self.function.finish(values, self.squares[i], &self.squares);
        }
        let place = if self.places.len() < self.capacity {
            self.places.push((i, self.clock, values));
            self.places.len() - 1
        } else {
            let oldest = self.places.iter().enumerate().min_by_key(|(_, (_, used, _))| *used);
            let place = oldest.map_or(0, |(p, _)| p);
            self.place[self.places[place].0] = None;
            self.places[place] = (i, self.clock, values);
            place
        };
        self.place[i] = Some(place);
        place
    }

    fn row(&mut self, i: usize) -> ArrayView1<'_, f64> {
        let place = self.bring(i);
        self.places[place].2.view()
    }

    fn two(&mut self, i: usize, j: usize) -> (ArrayView1<'_, f64>, ArrayView1<'_, f64>) {
        let a = self.bring(i);
        // With room for two or more, the row used last stays.
        let b = self.bring(j);
        (self.places[a].2.view(), self.places[b].2.view())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_rows_are_the_rows_of_the_whole_matrix() {
        let table = Array2::from_shape_fn((40, 7), |(i, j)| ((i * 31 + j * 17) % 23) as f64 / 7.0 - 1.0);
        for kernel in [Kernel::Linear, Kernel::Polynomial { degree: 3, coef0: 1.0 }, Kernel::Rbf] {
            let function = Function { kernel, gamma: 0.3 };
            let mut whole = Rows::new(function, Cow::Borrowed(&table), usize::MAX);
            // Room for three rows.
            let mut cached = Rows::new(function, Cow::Borrowed(&table), 3 * 8 * 40);
            assert!(matches!(cached, Rows::Cached(_)));
            for step in 0..200_usize {
                let (i, j) = (step * 7 % 40, step * 11 % 40);
                let (a, b) = whole.two(i, j);
                let (c, d) = cached.two(i, j);
                for (x, y) in a.iter().chain(b).zip(c.iter().chain(d)) {
                    assert!((x - y).abs() <= 1e-12 * x.abs().max(1.0));
                }
            }
        }
    }
}
