//! Many systems over many datasets or folds, by their ranks.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::check_share;
use super::distribution::{chi_squared_above, fisher_above, nemenyi_quantile, range_above};
use crate::EvalError;

/// The result of Friedman's test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Friedman {
    /// Mean rank of each system; 1 is best, ties share the mean of their ranks.
    pub mean_ranks: Vec<f64>,
    /// Datasets.
    pub datasets: usize,
    /// Friedman's statistic without a correction for ties, as Demšar gives it.
    pub chi_squared: f64,
    /// Its p-value, k - 1 degrees of freedom.
    pub chi_squared_p: f64,
    /// The statistic corrected for ties, as scipy's `friedmanchisquare` gives it; none where all systems tie everywhere.
    pub tie_corrected: Option<f64>,
    /// Its p-value; 1 where there is no statistic.
    pub tie_corrected_p: f64,
    /// Iman and Davenport's statistic from the uncorrected one, less conservative; infinite where all datasets rank alike.
    pub iman_davenport: f64,
    /// Its p-value, k - 1 and (k - 1)(N - 1) degrees of freedom.
    pub iman_davenport_p: f64,
}

/// Nemenyi's comparison of all pairs of systems after Friedman's test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Nemenyi {
    /// Mean ranks, as in [`Friedman`].
    pub mean_ranks: Vec<f64>,
    /// Mean ranks further apart than this differ at the level.
    pub critical_difference: f64,
    /// The level.
    pub alpha: f64,
    /// The p-value of each pair, symmetric, 1 on the diagonal.
    pub p: Vec<Vec<f64>>,
    /// The largest sets of systems no two of which differ, each with at least two systems in order of rank; a
    /// critical-difference diagram joins each by a bar.
    pub groups: Vec<Vec<usize>>,
}

/// Friedman's test on (datasets, systems) measures, where more is better.
///
/// With N datasets, k systems and mean ranks R: `chi^2 = 12 N / (k (k + 1)) (sum R^2 - k (k + 1)^2 / 4)`, and Iman and
/// Davenport's `F = (N - 1) chi^2 / (N (k - 1) - chi^2)`.
///
/// Source: J. Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7, 2006.
///
/// # Errors
/// [`EvalError::Parameter`] for fewer than two datasets or systems, [`EvalError::NotFinite`].
pub fn friedman(measures: ArrayView2<'_, f64>) -> Result<Friedman, EvalError> {
    let (datasets, systems) = measures.dim();
    for (name, value) in [("datasets", datasets), ("systems", systems)] {
        if value < 2 {
            return Err(EvalError::Parameter { name, value: value as f64, allowed: "2 or more" });
        }
    }
    if let Some(((row, column), &value)) = measures.indexed_iter().find(|(_, v)| !v.is_finite()) {
        return Err(EvalError::NotFinite { what: "measure", row, column, value });
    }
    let mut sums = vec![0.0; systems];
    let mut tied = 0.0;
    for row in measures.outer_iter() {
        for (sum, &value) in sums.iter_mut().zip(row) {
            let above = row.iter().filter(|&&other| other > value).count() as f64;
            let equal = row.iter().filter(|&&other| other == value).count() as f64;
            *sum += above + 0.5 * (equal + 1.0);
            // Summed over its members, a tie of t systems adds t (t^2 - 1).
            tied += equal * equal - 1.0;
        }
    }
    let (n, k) = (datasets as f64, systems as f64);
    let mean_ranks: Vec<f64> = sums.into_iter().map(|sum| sum / n).collect();
    let middle = 0.5 * (k + 1.0);
    let chi_squared =
        12.0 * n / (k * (k + 1.0)) * mean_ranks.iter().map(|r| (r - middle).powi(2)).sum::<f64>();
    let correction = 1.0 - tied / (n * k * (k * k - 1.0));
    let tie_corrected = (correction > 0.0).then(|| chi_squared / correction);
    let left = n * (k - 1.0) - chi_squared;
    // Rounding may leave a speck where all datasets rank alike.
    let iman_davenport = if left > 1e-12 * n * k { (n - 1.0) * chi_squared / left } else { f64::INFINITY };
    Ok(Friedman {
        datasets,
        chi_squared,
        chi_squared_p: chi_squared_above(chi_squared, k - 1.0),
        tie_corrected,
        tie_corrected_p: tie_corrected.map_or(1.0, |value| chi_squared_above(value, k - 1.0)),
        iman_davenport,
        iman_davenport_p: fisher_above(iman_davenport, k - 1.0, (k - 1.0) * (n - 1.0)),
        mean_ranks,
    })
}

impl Friedman {
    /// Nemenyi's test of all pairs: two systems differ at level `alpha` where their mean ranks are further apart than
    /// `q sqrt(k (k + 1) / (6 N))`, q being the quantile of the studentised range with infinitely many degrees of freedom
    /// over the square root of 2. Worth a look only where Friedman's test finds a difference.
    ///
    /// # Errors
    /// [`EvalError::Parameter`] for a level outside (0, 1).
    pub fn nemenyi(&self, alpha: f64) -> Result<Nemenyi, EvalError> {
        check_share("alpha", alpha)?;
        let systems = self.mean_ranks.len();
        let k = systems as f64;
        let error = (k * (k + 1.0) / (6.0 * self.datasets as f64)).sqrt();
        let critical_difference = nemenyi_quantile(alpha, systems) * error;
        let p = Array2::from_shape_fn((systems, systems), |(a, b)| {
            let gap = (self.mean_ranks[a] - self.mean_ranks[b]).abs();
            if a == b { 1.0 } else { range_above(std::f64::consts::SQRT_2 * gap / error, systems) }
        });
        let mut order: Vec<usize> = (0..systems).collect();
        order.sort_by(|&a, &b| self.mean_ranks[a].total_cmp(&self.mean_ranks[b]).then(a.cmp(&b)));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut reached = 0;
        for start in 0..systems {
            let first = self.mean_ranks[order[start]];
            let end = order.iter().filter(|&&s| self.mean_ranks[s] - first <= critical_difference).count();
            // A set within the one before it says nothing new.
            if end > reached && end - start > 1 {
                groups.push(order[start..end].to_vec());
            }
            reached = reached.max(end);
        }
        Ok(Nemenyi {
            mean_ranks: self.mean_ranks.clone(),
            critical_difference,
            alpha,
            p: p.outer_iter().map(|row| row.to_vec()).collect(),
            groups,
        })
    }
}
