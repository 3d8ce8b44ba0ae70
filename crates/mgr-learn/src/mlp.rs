//! A multi-layer perceptron.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::error::check_columns;
use crate::learner::{Classes, at_least_one, common, one_column_of_two, plan, targets, within};
use crate::logistic::softmax;
use crate::matrix::Matrix;
use crate::matrix::by_rows;
use crate::random::Random;
use crate::{Classifier, Convergence, LearnError, Learner};

/// Settings of the multi-layer perceptron (`sklearn.neural_network.MLPClassifier`): rectified linear layers and a softmax,
/// trained by Adam on the cross entropy with the penalty `alpha / 2 |W|^2` for each row of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// Units of each hidden layer. Default one layer of 100.
    pub hidden: Vec<usize>,
    /// Strength of the penalty, 0 or more. Default 1e-4.
    pub alpha: f64,
    /// Rows of a batch, or all where there are fewer. Default 200.
    pub batch_size: usize,
    /// Step of Adam. Default 1e-3.
    pub learning_rate: f64,
    /// Passes over the rows at most. Default 200.
    pub max_iterations: usize,
    /// Training ends after ten passes whose loss is not this much below the best. Default 1e-4.
    pub tolerance: f64,
    /// Seed of the first weights and of the order of the rows. Default 0.
    pub seed: u64,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            hidden: vec![100],
            alpha: 1e-4,
            batch_size: 200,
            learning_rate: 1e-3,
            max_iterations: 200,
            tolerance: 1e-4,
            seed: 0,
        }
    }
}

impl MlpConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range.
    pub fn plan(&self) -> Result<Mlp, LearnError> {
        for &units in &self.hidden {
            within("hidden", units as f64, 1.0, 65536.0, "1 to 65536 units a layer")?;
        }
        within("alpha", self.alpha, 0.0, 1e12, "0 to 1e12")?;
        within("learning_rate", self.learning_rate, 1e-9, 1e3, "1e-9 to 1000")?;
        within("tolerance", self.tolerance, 0.0, 1e12, "0 to 1e12")?;
        at_least_one("batch_size", self.batch_size)?;
        at_least_one("max_iterations", self.max_iterations)?;
        Ok(Mlp { config: self.clone() })
    }
}

plan! {
    /// A multi-layer perceptron ready to train.
    Mlp of MlpConfig
}

/// A trained multi-layer perceptron.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct MlpModel {
    classes: Classes,
    columns: usize,
    /// (inputs, units) of each layer.
    weights: Vec<Matrix>,
    biases: Vec<Vec<f64>>,
    convergence: Convergence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    classes: Classes,
    columns: usize,
    weights: Vec<Matrix>,
    biases: Vec<Vec<f64>>,
    convergence: Convergence,
}

impl TryFrom<Stored> for MlpModel {
    type Error = LearnError;

    fn try_from(
        Stored { classes, columns, weights, biases, convergence }: Stored,
    ) -> Result<Self, LearnError> {
        let mut width = columns;
        let mut fits = columns > 0 && !weights.is_empty() && weights.len() == biases.len();
        for (w, b) in weights.iter().zip(&biases) {
            fits &= w.rows() == width && w.columns() == b.len() && b.iter().all(|v| v.is_finite());
            width = w.columns();
        }
        if !fits || width != classes.len() {
            return Err(LearnError::Inconsistent { reason: "layers and classes do not match" });
        }
        Ok(Self { classes, columns, weights, biases, convergence })
    }
}

/// Passes without progress before training ends.
const PATIENCE: usize = 10;

/// A tensor's moments.
struct Adam {
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Adam {
    fn new(size: usize) -> Self {
        Self { first: vec![0.0; size], second: vec![0.0; size] }
    }

    fn step<'a>(
        &mut self,
        values: impl Iterator<Item = &'a mut f64>,
        gradient: impl Iterator<Item = f64>,
        rate: f64,
    ) {
        const B1: f64 = 0.9;
        const B2: f64 = 0.999;
        for (((v, g), m), s) in values.zip(gradient).zip(&mut self.first).zip(&mut self.second) {
            *m = B1 * *m + (1.0 - B1) * g;
            *s = B2 * *s + (1.0 - B2) * g * g;
            *v -= rate * *m / (s.sqrt() + 1e-8);
        }
    }
}

impl Learner for Mlp {
    type Model = MlpModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<MlpModel, LearnError> {
        let config = &self.config;
        let targets = targets(table, labels, classes)?;
        let (rows, columns) = table.dim();
        let mut random = Random::new(config.seed, &[]);
        let sizes: Vec<usize> = [columns]
            .into_iter()
            .chain(config.hidden.iter().copied())
            .chain([targets.classes.len()])
            .collect();
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for pair in sizes.windows(2) {
            let bound = (6.0 / (pair[0] + pair[1]) as f64).sqrt();
            weights.push(Array2::from_shape_simple_fn((pair[0], pair[1]), || random.between(-bound, bound)));
            biases.push(Array1::from_shape_simple_fn(pair[1], || random.between(-bound, bound)));
        }
        let mut moments: Vec<(Adam, Adam)> =
            weights.iter().zip(&biases).map(|(w, b)| (Adam::new(w.len()), Adam::new(b.len()))).collect();
        let batch = config.batch_size.min(rows);
        let mut order: Vec<usize> = (0..rows).collect();
        let (mut best, mut waited, mut time) = (f64::INFINITY, 0, 0_i32);
        let mut convergence = None;
        let mut left = f64::INFINITY;
        for pass in 0..config.max_iterations {
            random.shuffle(&mut order);
            let mut sum = 0.0;
            for part in order.chunks(batch) {
                let n = part.len() as f64;
                let mut layers = vec![table.select(Axis(0), part)];
                for (w, b) in weights.iter().zip(&biases) {
                    let mut next = by_rows(layers[layers.len() - 1].dot(w)) + b;
                    if layers.len() < weights.len() {
                        next.mapv_inplace(|v| v.max(0.0));
                    }
                    layers.push(next);
                }
                let Some(mut delta) = layers.pop() else { break };
                for (mut row, &i) in delta.rows_mut().into_iter().zip(part) {
                    let target = targets.of_row[i];
                    let score = row[target];
                    if let Some(row) = row.as_slice_mut() {
                        sum += softmax(row) - score;
                    }
                    row[target] -= 1.0;
                }
                let squares: f64 = weights.iter().flatten().map(|w| w * w).sum();
                sum += 0.5 * config.alpha * squares;
                time = time.saturating_add(1);
                let rate =
                    config.learning_rate * (1.0 - 0.999_f64.powi(time)).sqrt() / (1.0 - 0.9_f64.powi(time));
                for layer in (0..weights.len()).rev() {
                    let gradient = layers[layer].t().dot(&delta);
                    let bias: Vec<f64> = delta.sum_axis(Axis(0)).to_vec();
                    if layer > 0 {
                        let mut back = delta.dot(&weights[layer].t());
                        back.zip_mut_with(&layers[layer], |d, a| *d = if *a > 0.0 { *d } else { 0.0 });
                        delta = back;
                    }
                    let (of_weights, of_biases) = &mut moments[layer];
                    let penalised: Vec<f64> = gradient
                        .iter()
                        .zip(&weights[layer])
                        .map(|(g, w)| (g + config.alpha * w) / n)
                        .collect();
                    of_weights.step(weights[layer].iter_mut(), penalised.into_iter(), rate);
                    of_biases.step(biases[layer].iter_mut(), bias.into_iter().map(|g| g / n), rate);
                }
            }
            let loss = sum / rows as f64;
            if !loss.is_finite() {
                return Err(LearnError::Overflow { what: "the loss (scale the columns first)" });
            }
            left = best - loss;
            if loss > best - config.tolerance {
                waited += 1
            } else {
                waited = 0
            }
            best = best.min(loss);
            if waited > PATIENCE {
                convergence = Some(Convergence::Converged { iterations: pass + 1 });
                break;
            }
        }
        let gradient = if left.is_finite() { left } else { best };
        let stopped = Convergence::Stopped { iterations: config.max_iterations, gradient };
        if !weights.iter().flatten().chain(biases.iter().flatten()).all(|v| v.is_finite()) {
            return Err(LearnError::Overflow { what: "a weight" });
        }
        Ok(MlpModel {
            classes: targets.classes,
            columns,
            weights: weights.into_iter().map(Matrix::new).collect(),
            biases: biases.into_iter().map(|b| b.to_vec()).collect(),
            convergence: convergence.unwrap_or(stopped),
        })
    }
}

impl MlpModel {
    fn scores(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        let mut values = table.to_owned();
        for (layer, (w, b)) in self.weights.iter().zip(&self.biases).enumerate() {
            values = by_rows(values.dot(&w.view())) + Array1::from(b.clone());
            if layer + 1 < self.weights.len() {
                values.mapv_inplace(|v| v.max(0.0));
            }
        }
        if values.iter().all(|v| v.is_finite()) {
            Ok(values)
        } else {
            Err(LearnError::Overflow { what: "a score" })
        }
    }
}

impl Classifier for MlpModel {
    common!();

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        Ok(self.classes.largest(&self.scores(table)?))
    }

    fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        Ok(self.classes.softmax(self.scores(table)?))
    }

    fn decision(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        Ok(one_column_of_two(self.scores(table)?))
    }

    fn convergence(&self) -> Option<Convergence> {
        Some(self.convergence)
    }
}
