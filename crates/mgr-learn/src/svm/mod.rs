//! Support vector classification with linear, polynomial and RBF kernels.

mod kernel;
mod platt;
mod smo;

use std::borrow::Cow;

use ndarray::{Array2, ArrayView2, Axis, s};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::check_columns;
use crate::learner::{Classes, Targets, common, parallel, plan, targets, within};
use crate::matrix::Matrix;
use crate::random::Random;
use crate::{ClassWeight, Classifier, Convergence, LearnError, Learner};
use kernel::{Function, Rows, squares};
use platt::{Sigmoid, couple};
use smo::{Problem, Solution};

/// The kernel of a support vector machine.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kernel {
    /// `x . y`.
    Linear,
    /// `(gamma x . y + coef0)^degree`.
    Polynomial {
        /// The exponent, 1 to 100.
        degree: u32,
        /// The term added.
        coef0: f64,
    },
    /// `exp(-gamma |x - y|^2)`.
    #[default]
    Rbf,
}

/// The factor of polynomial and RBF kernels.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gamma {
    /// `1 / (columns * variance of all values of the table)`; 1 for a constant table.
    #[default]
    Scale,
    /// `1 / columns`.
    Auto,
    /// This value, above 0.
    Value(f64),
}

/// How two-class machines make one of many classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MultiClass {
    /// One machine for each pair of classes, which vote.
    #[default]
    OneVsOne,
    /// One machine for each class against all others; the largest decision value wins.
    OneVsRest,
}

/// Settings of support vector classification.
///
/// Minimises `1/2 |w|^2 + C sum_i weight_i max(0, 1 - y_i (w . phi(x_i) - rho))` for every pair of classes, with the working
/// sets, shrinking and stopping rule of LIBSVM; the numbers are those of scikit-learn 1.9 (`sklearn.svm.SVC`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SvcConfig {
    /// The kernel. Default RBF.
    pub kernel: Kernel,
    /// Factor of the kernel. Default [`Gamma::Scale`].
    pub gamma: Gamma,
    /// Inverse strength of the penalty, `C`, above 0. Default 1.
    pub c: f64,
    /// The violation of optimality at which fitting ends, above 0. Default 1e-3.
    pub tolerance: f64,
    /// Weights of the classes. Default uniform.
    pub class_weight: ClassWeight,
    /// How the machines of two classes are joined. Default one against one.
    pub multi_class: MultiClass,
    /// Whether to fit probabilities too, by Platt's method on a five-fold cross-validation of every machine (five more
    /// fits). Default no.
    pub probability: bool,
    /// Whether rows that will stay at a bound are left out on the way. Default yes.
    pub shrinking: bool,
    /// Memory for kernel values in MB (2^20 bytes), of each problem that is being solved, 1 or more. Default 200.
    pub cache_mb: usize,
    /// Steps of each problem at most; 0 for 10 million or 100 for each row, whichever is more. Default 0.
    pub max_iterations: usize,
    /// Seed of the cross-validation behind the probabilities. Default 0.
    pub seed: u64,
}

impl Default for SvcConfig {
    fn default() -> Self {
        Self {
            kernel: Kernel::default(),
            gamma: Gamma::default(),
            c: 1.0,
            tolerance: 1e-3,
            class_weight: ClassWeight::default(),
            multi_class: MultiClass::default(),
            probability: false,
            shrinking: true,
            cache_mb: 200,
            max_iterations: 0,
            seed: 0,
        }
    }
}

impl SvcConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<Svc, LearnError> {
        within("c", self.c, 1e-12, 1e12, "1e-12 to 1e12")?;
        within("tolerance", self.tolerance, 1e-12, 1e12, "1e-12 to 1e12")?;
        within("cache_mb", self.cache_mb as f64, 1.0, 1e6, "1 to 1000000")?;
        if let Gamma::Value(gamma) = self.gamma {
            within("gamma", gamma, 1e-300, 1e300, "above 0")?;
        }
        if let Kernel::Polynomial { degree, coef0 } = self.kernel {
            within("degree", f64::from(degree), 1.0, 100.0, "1 to 100")?;
            within("coef0", coef0, -1e12, 1e12, "-1e12 to 1e12")?;
        }
        self.class_weight.check()?;
        Ok(Svc { config: self.clone() })
    }
}

plan! {
    /// A support vector classifier ready to fit.
    ///
    /// ```
    /// use mgr_learn::{Classifier, Learner, SvcConfig};
    /// use ndarray::array;
    ///
    /// let table = array![[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]];
    /// let labels = [0, 0, 1, 1]; // exclusive or: no line divides them
    /// let model = SvcConfig { c: 10.0, ..SvcConfig::default() }.plan()?.fit(table.view(), &labels, 2)?;
    /// assert_eq!(model.predict(table.view())?, labels);
    /// # Ok::<(), mgr_learn::LearnError>(())
    /// ```
    Svc of SvcConfig
}

/// A fitted support vector machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct SvcModel {
    classes: Classes,
    columns: usize,
    kernel: Kernel,
    gamma: f64,
    multi_class: MultiClass,
    /// Support vectors, by class and within a class in the order of the table.
    vectors: Matrix,
    /// Support vectors of each class present.
    support_of_class: Vec<usize>,
    /// Rows of the table that are support vectors.
    support: Vec<usize>,
    /// One against one: (classes present - 1, vectors), row q - 1 of a vector of class p is its part in the pair (p, q), row p
    /// of one of class q too. One against the rest: (classes present, vectors).
    coefficients: Matrix,
    rho: Vec<f64>,
    sigmoids: Option<Vec<Sigmoid>>,
    convergence: Convergence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    classes: Classes,
    columns: usize,
    kernel: Kernel,
    gamma: f64,
    multi_class: MultiClass,
    vectors: Matrix,
    support_of_class: Vec<usize>,
    support: Vec<usize>,
    coefficients: Matrix,
    rho: Vec<f64>,
    sigmoids: Option<Vec<Sigmoid>>,
    convergence: Convergence,
}

impl TryFrom<Stored> for SvcModel {
    type Error = LearnError;

    fn try_from(s: Stored) -> Result<Self, LearnError> {
        let k = s.classes.len();
        let pairs = k * (k - 1) / 2;
        let (rows, machines) = match s.multi_class {
            MultiClass::OneVsRest if k > 2 => (k, k),
            _ => (k - 1, pairs),
        };
        let vectors = s.vectors.rows();
        let fits = s.columns > 0
            && s.vectors.columns() == s.columns
            && s.coefficients.dim() == (rows, vectors)
            && s.support.len() == vectors
            && s.support_of_class.len() == k
            && s.support_of_class.iter().try_fold(0_usize, |sum, n| sum.checked_add(*n)) == Some(vectors)
            && s.rho.len() == machines
            && s.sigmoids.as_ref().is_none_or(|p| p.len() == machines)
            && s.gamma.is_finite();
        if !fits {
            let reason = "support vectors, coefficients and classes do not match";
            return Err(LearnError::Inconsistent { reason });
        }
        Ok(Self {
            classes: s.classes,
            columns: s.columns,
            kernel: s.kernel,
            gamma: s.gamma,
            multi_class: s.multi_class,
            vectors: s.vectors,
            support_of_class: s.support_of_class,
            support: s.support,
            coefficients: s.coefficients,
            rho: s.rho,
            sigmoids: s.sigmoids,
            convergence: s.convergence,
        })
    }
}

/// A table with its rows ordered by class, and what every machine of it needs.
struct Sorted<'a> {
    config: &'a SvcConfig,
    function: Function,
    table: Array2<f64>,
    /// First row of each class, and the end.
    starts: Vec<usize>,
    weights: Vec<f64>,
    gram: Option<Array2<f64>>,
    budget: usize,
}

/// Two sides of a machine as rows of the sorted table: those of the first side come first.
struct Sides {
    rows: Vec<usize>,
    first: usize,
    c: (f64, f64),
}

impl Sorted<'_> {
    fn sides(&self, p: usize, q: usize) -> Sides {
        let (a, b) = (self.starts[p]..self.starts[p + 1], self.starts[q]..self.starts[q + 1]);
        let c = (self.config.c * self.weights[p], self.config.c * self.weights[q]);
        Sides { first: a.len(), rows: a.chain(b).collect(), c }
    }

    fn against_rest(&self, p: usize) -> Sides {
        let n = self.table.nrows();
        let own = self.starts[p]..self.starts[p + 1];
        let rest = (0..n).filter(|i| !own.contains(i));
        let c = (self.config.c * self.weights[p], self.config.c);
        Sides { first: own.len(), rows: own.clone().chain(rest).collect(), c }
    }

    /// Solves the machine of some rows, of which the first are of the first side.
    fn solve(&self, rows: &[usize], first: &[bool], c: (f64, f64)) -> Solution {
        let config = self.config;
        let all = rows.len() == self.table.nrows() && rows.iter().enumerate().all(|(i, r)| i == *r);
        let (kernel_rows, diagonal) = match &self.gram {
            Some(gram) => {
                let diagonal = rows.iter().map(|&r| gram[[r, r]]).collect();
                let kernel_rows =
                    if all { Rows::Given(gram.view()) } else { Rows::of_gram(gram.view(), rows) };
                (kernel_rows, diagonal)
            }
            None => {
                let part = self.table.select(Axis(0), rows);
                let diagonal: Vec<f64> =
                    squares(part.view()).into_iter().map(|s| self.function.own(s)).collect();
                (Rows::new(self.function, Cow::Owned(part), self.budget), diagonal)
            }
        };
        let most = match config.max_iterations {
            0 => 10_000_000.max(rows.len().saturating_mul(100)),
            given => given,
        };
        let problem = Problem {
            rows: kernel_rows,
            diagonal,
            first: first.to_vec(),
            c,
            tolerance: config.tolerance,
            max_iterations: most,
            shrinking: config.shrinking,
        };
        problem.solve()
    }

    fn machine(&self, sides: &Sides) -> Solution {
        let first: Vec<bool> = (0..sides.rows.len()).map(|i| i < sides.first).collect();
        self.solve(&sides.rows, &first, sides.c)
    }

    /// The sigmoid of a machine, on decision values of rows that it was not fitted on.
    fn sigmoid(&self, sides: &Sides, number: usize) -> Sigmoid {
        const FOLDS: usize = 5;
        let n = sides.rows.len();
        let mut order: Vec<usize> = (0..n).collect();
        Random::new(self.config.seed, &[number as u64]).shuffle(&mut order);
        let mut decisions = vec![0.0; n];
        for fold in 0..FOLDS {
            let (begin, end) = (fold * n / FOLDS, (fold + 1) * n / FOLDS);
            let train: Vec<usize> = order[..begin].iter().chain(&order[end..]).copied().collect();
            let first: Vec<bool> = train.iter().map(|&i| i < sides.first).collect();
            let positive = first.iter().filter(|f| **f).count();
            if positive == 0 || positive == train.len() {
                // One class left: its side is all that can be said.
                let value = if positive > 0 {
                    1.0
                } else if train.is_empty() {
                    0.0
                } else {
                    -1.0
                };
                order[begin..end].iter().for_each(|&i| decisions[i] = value);
                continue;
            }
            let rows: Vec<usize> = train.iter().map(|&i| sides.rows[i]).collect();
            let solution = self.solve(&rows, &first, sides.c);
            let used: Vec<usize> = (0..rows.len()).filter(|&i| solution.alpha[i] > 0.0).collect();
            let vectors = self.table.select(Axis(0), &used.iter().map(|&i| rows[i]).collect::<Vec<_>>());
            let square = squares(vectors.view());
            let tested = self
                .table
                .select(Axis(0), &order[begin..end].iter().map(|&i| sides.rows[i]).collect::<Vec<_>>());
            let weights: ndarray::Array1<f64> =
                used.iter().map(|&i| if first[i] { solution.alpha[i] } else { -solution.alpha[i] }).collect();
            let found = self.function.between(tested.view(), vectors.view(), &square).dot(&weights);
            for (&i, value) in order[begin..end].iter().zip(found) {
                decisions[i] = value - solution.rho;
            }
        }
        let first: Vec<bool> = (0..n).map(|i| i < sides.first).collect();
        Sigmoid::fit(&decisions, &first)
    }
}

impl Svc {
    fn gamma(&self, table: ArrayView2<'_, f64>) -> Result<f64, LearnError> {
        let columns = table.ncols() as f64;
        Ok(match self.config.gamma {
            Gamma::Value(gamma) => gamma,
            Gamma::Auto => 1.0 / columns,
            Gamma::Scale => {
                let n = table.len() as f64;
                let mean = table.sum() / n;
                let variance = table.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
                if !variance.is_finite() {
                    return Err(LearnError::Overflow { what: "the variance of the table" });
                }
                if variance > 0.0 { 1.0 / (columns * variance) } else { 1.0 }
            }
        })
    }

    fn sorted(
        &self,
        table: ArrayView2<'_, f64>,
        targets: &Targets,
    ) -> Result<(Sorted<'_>, Vec<usize>), LearnError> {
        let mut order: Vec<usize> = (0..table.nrows()).collect();
        order.sort_by_key(|&i| targets.of_row[i]);
        let mut starts = vec![0];
        for count in &targets.counts {
            starts.push(starts.last().unwrap_or(&0) + count);
        }
        let weights = self.config.class_weight.of(targets)?;
        let function = Function { kernel: self.config.kernel, gamma: self.gamma(table)? };
        let ordered = table.select(Axis(0), &order);
        let budget = self.config.cache_mb.saturating_mul(1 << 20);
        let n = ordered.nrows();
        let square = squares(ordered.view());
        if !square.iter().all(|s| function.own(*s).is_finite()) {
            return Err(LearnError::Overflow { what: "the kernel of a row with itself" });
        }
        let gram = (n.saturating_mul(n).saturating_mul(8) <= budget)
            .then(|| function.gram(ordered.view(), &square, true));
        Ok((Sorted { config: &self.config, function, table: ordered, starts, weights, gram, budget }, order))
    }
}

impl Learner for Svc {
    type Model = SvcModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<SvcModel, LearnError> {
        let targets = targets(table, labels, classes)?;
        let (sorted, order) = self.sorted(table, &targets)?;
        let k = targets.classes.len();
        let rest = self.config.multi_class == MultiClass::OneVsRest && k > 2;
        let pairs: Vec<(usize, usize)> = (0..k).flat_map(|p| (p + 1..k).map(move |q| (p, q))).collect();
        let machines: Vec<Sides> = if rest {
            (0..k).map(|p| sorted.against_rest(p)).collect()
        } else {
            pairs.iter().map(|&(p, q)| sorted.sides(p, q)).collect()
        };
        let solved = parallel(machines.len(), |m| {
            let solution = sorted.machine(&machines[m]);
            let sigmoid = self.config.probability.then(|| sorted.sigmoid(&machines[m], m));
            Ok((solution, sigmoid))
        })?;
        let n = table.nrows();
        let mut used = vec![false; n];
        for (sides, (solution, _)) in machines.iter().zip(&solved) {
            for (&row, &alpha) in sides.rows.iter().zip(&solution.alpha) {
                used[row] |= alpha > 0.0;
            }
        }
        let vectors: Vec<usize> = (0..n).filter(|&i| used[i]).collect();
        let mut column = vec![0; n];
        vectors.iter().enumerate().for_each(|(c, &row)| column[row] = c);
        let mut coefficients = Array2::zeros((if rest { k } else { k - 1 }, vectors.len()));
        for (m, (sides, (solution, _))) in machines.iter().zip(&solved).enumerate() {
            for (i, (&row, &alpha)) in sides.rows.iter().zip(&solution.alpha).enumerate() {
                let own = i < sides.first;
                if alpha > 0.0 {
                    let to = match (rest, own) {
                        (true, _) => m,
                        (false, true) => pairs[m].1 - 1,
                        (false, false) => pairs[m].0,
                    };
                    coefficients[[to, column[row]]] = if own { alpha } else { -alpha };
                }
            }
        }
        let support_of_class =
            (0..k).map(|p| (sorted.starts[p]..sorted.starts[p + 1]).filter(|&i| used[i]).count()).collect();
        let tolerance = self.config.tolerance;
        let convergence = solved
            .iter()
            .map(|(s, _)| Convergence::of(s.iterations, s.gap, tolerance))
            .reduce(Convergence::and)
            .unwrap_or(Convergence::Converged { iterations: 0 });
        Ok(SvcModel {
            columns: table.ncols(),
            kernel: sorted.function.kernel,
            gamma: sorted.function.gamma,
            multi_class: if rest { MultiClass::OneVsRest } else { MultiClass::OneVsOne },
            support: vectors.iter().map(|&i| order[i]).collect(),
            vectors: Matrix::new(sorted.table.select(Axis(0), &vectors)),
            support_of_class,
            coefficients: Matrix::new(coefficients),
            rho: solved.iter().map(|(s, _)| s.rho).collect(),
            sigmoids: solved.iter().map(|(_, p)| *p).collect(),
            convergence,
            classes: targets.classes,
        })
    }
}

impl SvcModel {
    /// Support vectors of each class present.
    #[must_use]
    pub fn support_of_class(&self) -> &[usize] {
        &self.support_of_class
    }

    /// Rows of the fitted table that are support vectors, by class.
    #[must_use]
    pub fn support(&self) -> &[usize] {
        &self.support
    }

    /// The factor of the kernel that was used.
    #[must_use]
    pub const fn gamma(&self) -> f64 {
        self.gamma
    }

    /// Coefficients of the support vectors: with one against one, (classes present - 1, vectors) as in scikit-learn's
    /// `dual_coef_`.
    #[must_use]
    pub fn dual_coefficients(&self) -> ArrayView2<'_, f64> {
        self.coefficients.view()
    }

    /// The value of every machine, `(rows, machines)`. One against one: the pairs (0, 1), (0, 2), ..., (1, 2), ... of the
    /// classes present, positive for the first class of the pair. One against the rest: one machine a class.
    ///
    /// # Errors
    /// As [`Classifier::predict`].
    pub fn machines(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        let k = self.classes.len();
        let mut out = Array2::zeros((table.nrows(), self.rho.len()));
        let function = Function { kernel: self.kernel, gamma: self.gamma };
        let vectors = self.vectors.view();
        let square = squares(vectors);
        let coefficients = self.coefficients.view();
        let rest = self.multi_class == MultiClass::OneVsRest;
        // Parts of a fixed size: the number of threads changes nothing.
        out.axis_chunks_iter_mut(Axis(0), 128)
            .zip(table.axis_chunks_iter(Axis(0), 128))
            .collect::<Vec<_>>()
            .into_par_iter()
            .for_each(|(mut out, rows)| {
                let values = function.between(rows, vectors, &square);
                if rest {
                    out.assign(&values.dot(&coefficients.t()));
                } else {
                    let mut begin = 0;
                    let parts: Vec<Array2<f64>> = self
                        .support_of_class
                        .iter()
                        .map(|&n| {
                            let part = begin..begin + n;
                            begin += n;
                            values.slice(s![.., part.clone()]).dot(&coefficients.slice(s![.., part]).t())
                        })
                        .collect();
                    let mut machine = 0;
                    for p in 0..k {
                        for q in p + 1..k {
                            let sum = &parts[p].column(q - 1) + &parts[q].column(p);
                            out.column_mut(machine).assign(&sum);
                            machine += 1;
                        }
                    }
                }
                for mut row in out.rows_mut() {
                    row.iter_mut().zip(&self.rho).for_each(|(v, rho)| *v -= rho);
                }
            });
        if out.iter().all(|v| v.is_finite()) {
            Ok(out)
        } else {
            Err(LearnError::Overflow { what: "a decision value" })
        }
    }

    /// Votes of the pairs; of equal ones the lowest class.
    fn vote(&self, machines: &Array2<f64>) -> Vec<usize> {
        let k = self.classes.len();
        let mut votes = vec![0_usize; k];
        let mut out = Vec::with_capacity(machines.nrows());
        for row in machines.rows() {
            votes.fill(0);
            let mut values = row.iter();
            for p in 0..k {
                for q in p + 1..k {
                    let first = values.next().is_some_and(|v| *v > 0.0);
                    votes[if first { p } else { q }] += 1;
                }
            }
            let best = (0..k).rev().max_by_key(|&c| votes[c]).unwrap_or(0);
            out.push(self.classes.class(best));
        }
        out
    }
}

impl Classifier for SvcModel {
    common!();

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        let machines = self.machines(table)?;
        Ok(match self.multi_class {
            MultiClass::OneVsOne => self.vote(&machines),
            MultiClass::OneVsRest => self.classes.largest(&machines),
        })
    }

    fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        let Some(sigmoids) = &self.sigmoids else {
            let what = "probabilities (they were not asked for when it was fitted)";
            return Err(LearnError::Unavailable { learner: "svc", what });
        };
        let machines = self.machines(table)?;
        let k = self.classes.len();
        let mut out = Array2::zeros((table.nrows(), k));
        let mut pairs = Array2::zeros((k, k));
        for (values, mut row) in machines.rows().into_iter().zip(out.rows_mut()) {
            let first = values.iter().zip(sigmoids).map(|(v, s)| s.first(*v).clamp(1e-7, 1.0 - 1e-7));
            if self.multi_class == MultiClass::OneVsRest {
                row.iter_mut().zip(first).for_each(|(p, f)| *p = f);
                let sum = row.sum();
                row.mapv_inplace(|p| p / sum);
                continue;
            }
            let places = (0..k).flat_map(|p| (p + 1..k).map(move |q| (p, q)));
            for ((p, q), first) in places.zip(first) {
                (pairs[[p, q]], pairs[[q, p]]) = (first, 1.0 - first);
            }
            if k == 2 {
                (row[0], row[1]) = (pairs[[0, 1]], pairs[[1, 0]]);
            } else {
                row.iter_mut().zip(couple(&pairs)).for_each(|(to, p)| *to = p);
            }
        }
        Ok(self.classes.spread(out))
    }

    /// One column for two classes, positive for the second. Else one column a class: with one against one, the votes and,
    /// below one, the sum of the pairs' values `s / (3 (|s| + 1))`, as scikit-learn's `decision_function_shape="ovr"`.
    fn decision(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        let machines = self.machines(table)?;
        let k = self.classes.len();
        if k == 2 {
            return Ok(-machines);
        }
        if self.multi_class == MultiClass::OneVsRest {
            return Ok(machines);
        }
        let mut out = Array2::zeros((table.nrows(), k));
        for (values, mut row) in machines.rows().into_iter().zip(out.rows_mut()) {
            let mut sums = vec![0.0; k];
            let places = (0..k).flat_map(|p| (p + 1..k).map(move |q| (p, q)));
            for ((p, q), value) in places.zip(values) {
                sums[p] += value;
                sums[q] -= value;
                row[if *value < 0.0 { q } else { p }] += 1.0;
            }
            row.iter_mut().zip(&sums).for_each(|(v, s)| *v += s / (3.0 * (s.abs() + 1.0)));
        }
        Ok(out)
    }

    fn convergence(&self) -> Option<Convergence> {
        Some(self.convergence)
    }
}
