//! Non-negative least squares under a mel filter bank.

use ndarray::{Array2, ArrayView2};

use crate::mel::MelBank;
use crate::simd::invert::{NNLS_LANES, NnlsStep, nnls_gradient, nnls_step};
use crate::{FeatureError, check};

/// A planned search for the `x`, 0 or more, with the least `|A x - b|^2`, where `A` is a mel filter bank.
///
/// There are many such `x`: a bank has fewer filters than bins. The search begins with the shortest `x` of all that solve
/// `A x = b`, negative values set to 0, and goes on by projected gradient steps, which stay near it. Bin `j` steps by its
/// gradient over `sum_m A[m,j] sum_i A[m,i]`, which bounds the curvature (De Pierro 1995), with Nesterov's momentum, begun
/// anew where it leads uphill (O'Donoghue and Candes 2015).
#[derive(Debug, Clone)]
pub(super) struct Nnls {
    bins: usize,
    rows: Vec<(usize, Vec<f32>)>,
    bounds: Vec<f32>,
    start: Tridiagonal,
    max_iterations: usize,
    tolerance: f32,
}

impl Nnls {
    pub(super) fn new(bank: &MelBank, max_iterations: usize, tolerance: f32) -> Self {
        let rows: Vec<(usize, Vec<f32>)> =
            bank.filters().map(|(first, weights)| (first, weights.to_vec())).collect();
        let mut bounds = vec![0.0; bank.bins()];
        for (first, weights) in &rows {
            let sum: f32 = weights.iter().sum();
            weights.iter().zip(&mut bounds[*first..]).for_each(|(w, bound)| *bound += w * sum);
        }
        let start = Tridiagonal::gram(&rows);
        Self { bins: bank.bins(), rows, bounds, start, max_iterations, tolerance }
    }

    /// A solution for each column.
    pub(super) fn solve(&self, targets: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        let (rows, columns) = targets.dim();
        if rows != self.rows.len() {
            let (what, rows) = ("mel spectrogram", self.rows.len());
            return Err(FeatureError::Shape {
                what,
                got_rows: targets.nrows(),
                got_columns: columns,
                rows,
                columns,
            });
        }
        if let Some(bad) = targets.iter().find(|v| !(0.0..=f32::MAX).contains(*v)) {
            return Err(FeatureError::parameter("mel", bad, "finite and 0 or more"));
        }
        let mut out = check::matrix(self.bins, columns)?;
        let mut work = Work {
            target: vec![[0.0; NNLS_LANES]; rows],
            x: vec![[0.0; NNLS_LANES]; self.bins],
            at: vec![[0.0; NNLS_LANES]; self.bins],
            gradient: vec![[0.0; NNLS_LANES]; self.bins],
            solution: vec![0.0; rows],
        };
        for first in (0..columns).step_by(NNLS_LANES) {
            let count = NNLS_LANES.min(columns - first);
            for (m, target) in work.target.iter_mut().enumerate() {
                *target = std::array::from_fn(|l| if l < count { targets[[m, first + l]] } else { 0.0 });
            }
            self.solve_block(count, &mut work);
            for l in 0..count {
                out.column_mut(first + l).iter_mut().zip(&work.x).for_each(|(o, x)| *o = x[l]);
            }
        }
        Ok(out)
    }

    fn solve_block(&self, count: usize, work: &mut Work) {
        let Work { target, x, at, gradient, solution } = work;
        // How large a gradient is when nothing is explained yet.
        at.fill([0.0; NNLS_LANES]);
        nnls_gradient(&self.rows, target, at, gradient);
        let mut enough = [0.0f32; NNLS_LANES];
        for g in &*gradient {
            for l in 0..NNLS_LANES {
                enough[l] = enough[l].max(self.tolerance * g[l]);
            }
        }
        for l in 0..count {
            solution.iter_mut().zip(&*target).for_each(|(y, b)| *y = f64::from(b[l]));
            self.start.solve(solution);
            for ((first, weights), y) in self.rows.iter().zip(&*solution) {
                weights.iter().zip(&mut at[*first..]).for_each(|(w, a)| a[l] += (f64::from(*w) * y) as f32);
            }
        }
        at.iter_mut().flatten().for_each(|v| *v = v.max(0.0));
        x.copy_from_slice(at);
        let mut age = [1.0f32; NNLS_LANES];
        let mut step = NnlsStep::default();
        for _ in 0..self.max_iterations {
            nnls_gradient(&self.rows, target, at, gradient);
            let next = age.map(|t| 0.5 * (1.0 + (1.0 + 4.0 * t * t).sqrt()));
            let beta = std::array::from_fn(|l| (age[l] - 1.0) / next[l]);
            nnls_step(gradient, &self.bounds, &beta, x, at, &mut step);
            if step.largest.iter().zip(&enough).all(|(largest, enough)| largest <= enough) {
                break;
            }
            age = std::array::from_fn(|l| if step.against[l] > 0.0 { 1.0 } else { next[l] });
        }
    }
}

/// Buffers for [`NNLS_LANES`] columns side by side.
struct Work {
    target: Vec<[f32; NNLS_LANES]>,
    x: Vec<[f32; NNLS_LANES]>,
    at: Vec<[f32; NNLS_LANES]>,
    gradient: Vec<[f32; NNLS_LANES]>,
    solution: Vec<f64>,
}

/// A symmetric positive definite tridiagonal matrix, decomposed: `A A'` of a bank, of which only neighbours overlap.
#[derive(Debug, Clone)]
struct Tridiagonal {
    /// What an unknown takes over from the one before it.
    factors: Vec<f64>,
    pivots: Vec<f64>,
}

impl Tridiagonal {
    fn gram(rows: &[(usize, Vec<f32>)]) -> Self {
        let product = |a: &(usize, Vec<f32>), b: &(usize, Vec<f32>)| -> f64 {
            // Both begin at their first bin; the later one decides.
            let first = a.0.max(b.0);
            let (a, b) = (a.1.iter().skip(first - a.0), b.1.iter().skip(first - b.0));
            a.zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let largest = rows.iter().map(|row| product(row, row)).fold(0.0, f64::max);
        // Filters that share their only bin are copies of each other: a little on the diagonal keeps them apart.
        let ridge = (1e-9 * largest).max(f64::MIN_POSITIVE);
        let (mut factors, mut pivots) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for (m, row) in rows.iter().enumerate() {
            let diagonal = product(row, row) + ridge;
            let (factor, taken) = match m.checked_sub(1) {
                None => (0.0, 0.0),
                Some(before) => {
                    let beside = product(&rows[before], row);
                    let factor = beside / pivots[before];
                    (factor, factor * beside)
                }
            };
            factors.push(factor);
            pivots.push((diagonal - taken).max(ridge));
        }
        Self { factors, pivots }
    }

    fn solve(&self, values: &mut [f64]) {
        let n = values.len();
        for m in 1..n {
            values[m] -= self.factors[m] * values[m - 1];
        }
        values.iter_mut().zip(&self.pivots).for_each(|(v, p)| *v /= p);
        for m in (1..n).rev() {
            values[m - 1] -= self.factors[m] * values[m];
        }
    }
}
