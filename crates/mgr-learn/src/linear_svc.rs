//! Linear support vector machines by the methods of LIBLINEAR.

use ndarray::{Array1, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::learner::{at_least_one, parallel, plan, targets, within};
use crate::linear::{LinearModel, machines};
use crate::random::Random;
use crate::{ClassWeight, Convergence, LearnError, Learner};

/// What a narrow decision costs; `m` is the decision times +1 or -1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinearSvcLoss {
    /// `max(0, 1 - m)`: dual coordinate descent (C.-J. Hsieh et al., "A dual coordinate descent method for large-scale linear
    /// SVM", ICML 2008).
    Hinge,
    /// `max(0, 1 - m)^2`: Newton's method with conjugate gradients on the primal problem (S. S. Keerthi and D. DeCoste,
    /// "A modified finite Newton method for fast solution of large scale linear SVMs", JMLR 6, 2005).
    #[default]
    SquaredHinge,
}

/// Settings of the linear support vector machine (`sklearn.svm.LinearSVC`): one machine a class against the rest,
/// `1/2 (|w|^2 + b^2) + C sum_i weight_i loss`; the intercept is penalised too, as in LIBLINEAR.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearSvcConfig {
    /// The loss. Default squared hinge.
    pub loss: LinearSvcLoss,
    /// Inverse strength of the penalty, above 0. Default 1.
    pub c: f64,
    /// Where fitting ends: squared hinge, the gradient's length as a share of that at 0 (times the share of the rarer side);
    /// hinge, the violation of the optimality conditions. Default 1e-4.
    pub tolerance: f64,
    /// Steps of Newton's method, or passes over the rows, at most. Default 1000.
    pub max_iterations: usize,
    /// Weights of the classes. Default uniform.
    pub class_weight: ClassWeight,
    /// Seed of the order of the rows (hinge). Default 0.
    pub seed: u64,
}

impl Default for LinearSvcConfig {
    fn default() -> Self {
        Self {
            loss: LinearSvcLoss::default(),
            c: 1.0,
            tolerance: 1e-4,
            max_iterations: 1000,
            class_weight: ClassWeight::default(),
            seed: 0,
        }
    }
}

impl LinearSvcConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<LinearSvc, LearnError> {
        within("c", self.c, 1e-12, 1e12, "1e-12 to 1e12")?;
        within("tolerance", self.tolerance, 1e-14, 1e12, "1e-14 to 1e12")?;
        at_least_one("max_iterations", self.max_iterations)?;
        self.class_weight.check()?;
        Ok(LinearSvc { config: self.clone() })
    }
}

plan! {
    /// The linear support vector machine ready to fit.
    LinearSvc of LinearSvcConfig
}

/// A machine's rows: signs, and C times the weight of the row's class.
struct Machine<'a> {
    table: ArrayView2<'a, f64>,
    rows: Vec<(f64, f64)>,
}

impl Machine<'_> {
    /// Values `w . x_i + b`; the last entry of `w` is b.
    fn values(&self, w: &Array1<f64>) -> Array1<f64> {
        let columns = self.table.ncols();
        self.table.dot(&w.slice(ndarray::s![..columns])) + w[columns]
    }

    /// `sum_i v_i (x_i, 1)` over the rows with v_i not 0.
    fn back(&self, v: &[f64]) -> Array1<f64> {
        let columns = self.table.ncols();
        let mut out = Array1::zeros(columns + 1);
        let (mut head, mut sum) = (vec![0.0; columns], 0.0);
        for (row, &v) in self.table.rows().into_iter().zip(v).filter(|(_, v)| **v != 0.0) {
            if let Some(row) = row.as_slice() {
                head.iter_mut().zip(row).for_each(|(h, x)| *h += v * x);
            }
            sum += v;
        }
        out.slice_mut(ndarray::s![..columns]).assign(&ArrayView1::from(&head));
        out[columns] = sum;
        out
    }

    fn objective(&self, w: &Array1<f64>, values: &Array1<f64>) -> f64 {
        let loss: f64 =
            self.rows.iter().zip(values).map(|((y, c), v)| c * (1.0 - y * v).max(0.0).powi(2)).sum();
        0.5 * w.dot(w) + loss
    }

    fn gradient(&self, w: &Array1<f64>, values: &Array1<f64>) -> Array1<f64> {
        let parts: Vec<f64> =
            self.rows.iter().zip(values).map(|((y, c), v)| -2.0 * c * y * (1.0 - y * v).max(0.0)).collect();
        w + &self.back(&parts)
    }

    /// Newton steps on the squared hinge; the Hessian is that of the rows within the margin.
    fn newton(&self, tolerance: f64, limit: usize) -> (Array1<f64>, Convergence) {
        let size = self.table.ncols() + 1;
        let mut w = Array1::<f64>::zeros(size);
        let mut values = Array1::zeros(self.rows.len());
        let mut value = self.objective(&w, &values);
        let mut gradient = self.gradient(&w, &values);
        let positive = self.rows.iter().filter(|(y, _)| *y > 0.0).count();
        let rarer = positive.min(self.rows.len() - positive).max(1) as f64 / self.rows.len() as f64;
        let start = gradient.dot(&gradient).sqrt();
        let target = tolerance * rarer * start;
        let mut length = start;
        for iteration in 0..limit {
            if length <= target || !length.is_finite() {
                return (w, Convergence::of(iteration, length, target));
            }
            let inside: Vec<f64> = self
                .rows
                .iter()
                .zip(&values)
                .map(|((y, c), v)| if 1.0 - y * v > 0.0 { 2.0 * c } else { 0.0 })
                .collect();
            // Conjugate gradients on (I + X' D X) s = -g.
            let mut step = Array1::<f64>::zeros(size);
            let mut residual = -&gradient;
            let mut way = residual.clone();
            let mut square = residual.dot(&residual);
            // Towards the end the steps are to be exact, for quadratic convergence.
            let enough = (0.1_f64).min((length / start).sqrt()) * length;
            for _ in 0..size.min(500) {
                if square.sqrt() <= enough {
                    break;
                }
                let product = self.values(&way);
                let parts: Vec<f64> = product.iter().zip(&inside).map(|(p, d)| p * d).collect();
                let image = &way + &self.back(&parts);
                let curvature = way.dot(&image);
                if curvature <= 0.0 || !curvature.is_finite() {
                    break;
                }
                let along = square / curvature;
                step.scaled_add(along, &way);
                residual.scaled_add(-along, &image);
                let next = residual.dot(&residual);
                way = &residual + &(&way * (next / square));
                square = next;
            }
            let slope = gradient.dot(&step);
            let step_values = self.values(&step);
            let mut t = 1.0;
            loop {
                let trial = &w + &(&step * t);
                let trial_values = &values + &(&step_values * t);
                let reached = self.objective(&trial, &trial_values);
                if reached <= value + 1e-4 * t * slope + 4.0 * f64::EPSILON * value.abs() {
                    (w, values, value) = (trial, trial_values, reached);
                    break;
                }
                t *= 0.5;
                if t < 1e-12 {
                    return (w, Convergence::of(iteration, length, target));
                }
            }
            gradient = self.gradient(&w, &values);
            length = gradient.dot(&gradient).sqrt();
        }
        (w, Convergence::of(limit, length, target))
    }

    /// Dual coordinate descent on the hinge, with shrinking.
    fn coordinates(&self, tolerance: f64, limit: usize, mut random: Random) -> (Array1<f64>, Convergence) {
        let (n, columns) = self.table.dim();
        let diagonal: Vec<f64> = self.table.rows().into_iter().map(|r| r.dot(&r) + 1.0).collect();
        let mut alpha = vec![0.0; n];
        let mut w = vec![0.0; columns];
        let mut b = 0.0;
        let mut active: Vec<usize> = (0..n).collect();
        let (mut high_before, mut low_before) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut gap = f64::INFINITY;
        let mut done = limit;
        for pass in 0..limit {
            random.shuffle(&mut active);
            let (mut high, mut low) = (f64::NEG_INFINITY, f64::INFINITY);
            active.retain(|&i| {
                let row = self.table.row(i);
                let Some(x) = row.as_slice() else { return false };
                let (y, c) = self.rows[i];
                let g = y * (x.iter().zip(&w).map(|(x, w)| x * w).sum::<f64>() + b) - 1.0;
                let projected = if alpha[i] <= 0.0 {
                    if g > high_before {
                        return false;
                    }
                    g.min(0.0)
                } else if alpha[i] >= c {
                    if g < low_before {
                        return false;
                    }
                    g.max(0.0)
                } else {
                    g
                };
                (high, low) = (high.max(projected), low.min(projected));
                if projected.abs() > 1e-12 {
                    let before = alpha[i];
                    alpha[i] = (before - g / diagonal[i]).clamp(0.0, c);
                    let step = (alpha[i] - before) * y;
                    w.iter_mut().zip(x).for_each(|(w, x)| *w += step * x);
                    b += step;
                }
                true
            });
            gap = if active.is_empty() { 0.0 } else { high - low };
            if gap <= tolerance {
                if active.len() == n {
                    done = pass + 1;
                    break;
                }
                active = (0..n).collect();
                (high_before, low_before) = (f64::INFINITY, f64::NEG_INFINITY);
                continue;
            }
            high_before = if high <= 0.0 { f64::INFINITY } else { high };
            low_before = if low >= 0.0 { f64::NEG_INFINITY } else { low };
        }
        w.push(b);
        (Array1::from(w), Convergence::of(done, gap, tolerance))
    }
}

impl Learner for LinearSvc {
    type Model = LinearModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<LinearModel, LearnError> {
        let config = &self.config;
        let targets = targets(table, labels, classes)?;
        let of_class = config.class_weight.of(&targets)?;
        let table = table.as_standard_layout();
        let machines = machines(&targets);
        let found = parallel(machines.len(), |m| {
            let sign = |c: usize| if c == machines[m] { 1.0 } else { -1.0 };
            let rows = targets.of_row.iter().map(|&c| (sign(c), config.c * of_class[c])).collect();
            let machine = Machine { table: table.view(), rows };
            Ok(match config.loss {
                LinearSvcLoss::SquaredHinge => machine.newton(config.tolerance, config.max_iterations),
                LinearSvcLoss::Hinge => {
                    let random = Random::new(config.seed, &[m as u64]);
                    machine.coordinates(config.tolerance, config.max_iterations, random)
                }
            })
        })?;
        let convergence = found.iter().map(|(_, c)| *c).reduce(Convergence::and);
        let split = |w: Array1<f64>| {
            let mut w = w.to_vec();
            let b = w.pop().unwrap_or(0.0);
            (w, b)
        };
        let machines = found.into_iter().map(|(w, _)| split(w)).collect();
        LinearModel::of_machines(targets.classes, table.ncols(), machines, convergence)
    }
}
