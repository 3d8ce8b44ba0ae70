//! Linear classifiers by stochastic gradient descent, and the perceptron.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::learner::{Targets, at_least_one, parallel, plan, targets, within};
use crate::linear::{LinearModel, machines};
use crate::random::Random;
use crate::{ClassWeight, Convergence, LearnError, Learner};

/// What a wrong or narrow decision costs; `m` is the decision times +1 or -1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SgdLoss {
    /// `max(0, 1 - m)`, of support vector machines.
    #[default]
    Hinge,
    /// `max(0, 1 - m)^2`.
    SquaredHinge,
    /// `ln(1 + exp(-m))`, of logistic regression.
    Log,
}

/// Settings of stochastic gradient descent (`sklearn.linear_model.SGDClassifier`): one machine a class, the penalty
/// `alpha / 2 |w|^2`, and steps of `1 / (alpha (t0 + t))` with Bottou's `t0`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgdConfig {
    /// The loss. Default hinge.
    pub loss: SgdLoss,
    /// Strength of the penalty, above 0. Default 1e-4.
    pub alpha: f64,
    /// Passes over the rows at most, 1 or more. Default 1000.
    pub max_iterations: usize,
    /// Fitting ends after five passes whose mean loss is not this much below the best. Default 1e-3.
    pub tolerance: f64,
    /// Weights of the classes. Default uniform.
    pub class_weight: ClassWeight,
    /// Seed of the order of the rows. Default 0.
    pub seed: u64,
}

impl Default for SgdConfig {
    fn default() -> Self {
        Self {
            loss: SgdLoss::default(),
            alpha: 1e-4,
            max_iterations: 1000,
            tolerance: 1e-3,
            class_weight: ClassWeight::default(),
            seed: 0,
        }
    }
}

impl SgdConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<Sgd, LearnError> {
        within("alpha", self.alpha, 1e-12, 1e6, "1e-12 to 1e6")?;
        within("tolerance", self.tolerance, 0.0, 1e12, "0 to 1e12")?;
        at_least_one("max_iterations", self.max_iterations)?;
        self.class_weight.check()?;
        Ok(Sgd { config: self.clone() })
    }
}

/// Settings of the perceptron (F. Rosenblatt, 1958; `sklearn.linear_model.Perceptron`): steps of 1 on rows that are decided
/// wrongly, no penalty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PerceptronConfig {
    /// Passes over the rows at most, 1 or more. Default 1000.
    pub max_iterations: usize,
    /// Fitting ends after five passes whose mean loss is not this much below the best. Default 1e-3.
    pub tolerance: f64,
    /// Weights of the classes. Default uniform.
    pub class_weight: ClassWeight,
    /// Seed of the order of the rows. Default 0.
    pub seed: u64,
}

impl Default for PerceptronConfig {
    fn default() -> Self {
        Self { max_iterations: 1000, tolerance: 1e-3, class_weight: ClassWeight::default(), seed: 0 }
    }
}

impl PerceptronConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<Perceptron, LearnError> {
        within("tolerance", self.tolerance, 0.0, 1e12, "0 to 1e12")?;
        at_least_one("max_iterations", self.max_iterations)?;
        self.class_weight.check()?;
        Ok(Perceptron { config: self.clone() })
    }
}

plan! {
    /// Stochastic gradient descent ready to fit.
    Sgd of SgdConfig
}

plan! {
    /// The perceptron ready to fit.
    Perceptron of PerceptronConfig
}

/// Passes without progress before it ends.
const PATIENCE: usize = 5;

#[derive(Clone, Copy)]
enum Loss {
    Hinge(f64),
    SquaredHinge,
    Log,
}

impl Loss {
    fn value(self, m: f64) -> f64 {
        match self {
            Self::Hinge(threshold) => (threshold - m).max(0.0),
            Self::SquaredHinge => (1.0 - m).max(0.0).powi(2),
            Self::Log => (-m).exp().ln_1p().min(1e300).max(-m),
        }
    }

    /// The derivative by `m`.
    fn slope(self, m: f64) -> f64 {
        match self {
            Self::Hinge(threshold) => {
                if m <= threshold {
                    -1.0
                } else {
                    0.0
                }
            }
            Self::SquaredHinge => -2.0 * (1.0 - m).max(0.0),
            Self::Log => -1.0 / (1.0 + m.exp()),
        }
    }
}

struct Descent {
    loss: Loss,
    /// Strength of the penalty and the step's offset; none for steps of 1 without penalty.
    decay: Option<(f64, f64)>,
    max_iterations: usize,
    tolerance: f64,
    seed: u64,
}

impl Descent {
    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        targets: Targets,
        weight: &ClassWeight,
    ) -> Result<LinearModel, LearnError> {
        let of_class = weight.of(&targets)?;
        let table = table.as_standard_layout();
        let machines = machines(&targets);
        let found = parallel(machines.len(), |m| {
            let signs: Vec<(f64, f64)> = targets
                .of_row
                .iter()
                .map(|&c| (if c == machines[m] { 1.0 } else { -1.0 }, of_class[c]))
                .collect();
            Ok(self.machine(table.view(), &signs, m))
        })?;
        let convergence = found.iter().map(|(_, _, c)| *c).reduce(Convergence::and);
        let machines = found.into_iter().map(|(w, b, _)| (w, b)).collect();
        LinearModel::of_machines(targets.classes, table.ncols(), machines, convergence)
    }

    fn machine(
        &self,
        table: ArrayView2<'_, f64>,
        signs: &[(f64, f64)],
        number: usize,
    ) -> (Vec<f64>, f64, Convergence) {
        let n = table.nrows();
        let mut random = Random::new(self.seed, &[number as u64]);
        let mut order: Vec<usize> = (0..n).collect();
        // The weights are `scale * w`: shrinking all of them is one product.
        let (mut w, mut scale, mut b) = (vec![0.0; table.ncols()], 1.0, 0.0);
        let (mut best, mut waited, mut time, mut left) = (f64::INFINITY, 0, 1.0, f64::INFINITY);
        for pass in 0..self.max_iterations {
            random.shuffle(&mut order);
            let mut sum = 0.0;
            for &i in &order {
                let row = table.row(i);
                let Some(x) = row.as_slice() else { continue };
                let (sign, weight) = signs[i];
                let product: f64 = x.iter().zip(&w).map(|(x, w)| x * w).sum();
                let m = sign * (scale * product + b);
                sum += self.loss.value(m);
                let eta = self.decay.map_or(1.0, |(alpha, offset)| 1.0 / (alpha * (offset + time - 1.0)));
                let update = (-eta * weight * sign * self.loss.slope(m)).clamp(-1e12, 1e12);
                if let Some((alpha, _)) = self.decay {
                    scale *= (1.0 - eta * alpha).max(0.0);
                    if scale < 1e-9 {
                        w.iter_mut().for_each(|w| *w *= scale);
                        scale = 1.0;
                    }
                }
                if update != 0.0 {
                    let step = update / scale;
                    w.iter_mut().zip(x).for_each(|(w, x)| *w += step * x);
                    b += update;
                }
                time += 1.0;
            }
            let mean = sum / n as f64;
            left = best - mean;
            if mean > best - self.tolerance {
                waited += 1
            } else {
                waited = 0
            }
            best = best.min(mean);
            if waited >= PATIENCE {
                w.iter_mut().for_each(|w| *w *= scale);
                return (w, b, Convergence::Converged { iterations: pass + 1 });
            }
        }
        w.iter_mut().for_each(|w| *w *= scale);
        let gradient = if left.is_finite() { left } else { best };
        (w, b, Convergence::Stopped { iterations: self.max_iterations, gradient })
    }
}

impl Learner for Sgd {
    type Model = LinearModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<LinearModel, LearnError> {
        let config = &self.config;
        let loss = match config.loss {
            SgdLoss::Hinge => Loss::Hinge(1.0),
            SgdLoss::SquaredHinge => Loss::SquaredHinge,
            SgdLoss::Log => Loss::Log,
        };
        // Bottou's start: the first step is as long as a weight typically is.
        let typical = (1.0 / config.alpha.sqrt()).sqrt();
        let first = typical / loss.slope(-typical).abs().max(1.0);
        let descent = Descent {
            loss,
            decay: Some((config.alpha, 1.0 / (first * config.alpha))),
            max_iterations: config.max_iterations,
            tolerance: config.tolerance,
            seed: config.seed,
        };
        descent.fit(table, targets(table, labels, classes)?, &config.class_weight)
    }
}

impl Learner for Perceptron {
    type Model = LinearModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<LinearModel, LearnError> {
        let config = &self.config;
        let descent = Descent {
            loss: Loss::Hinge(0.0),
            decay: None,
            max_iterations: config.max_iterations,
            tolerance: config.tolerance,
            seed: config.seed,
        };
        descent.fit(table, targets(table, labels, classes)?, &config.class_weight)
    }
}
