//! What a confusion matrix says beyond accuracy: shares, averages, chance-corrected agreement.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::confusion::{ClassScores, ConfusionMatrix, MacroAverage, MacroOver, ratio};
use crate::EvalError;

/// What the counts of a normalised confusion matrix are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalise {
    /// Each row by its sum, the clips of the true class (default).
    #[default]
    Truth,
    /// Each column by its sum, the clips predicted as the class.
    Prediction,
    /// All by the number of clips.
    All,
}

/// How the scores of classes become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Average {
    /// The mean, every class alike (default).
    #[default]
    Macro,
    /// Counts are summed first, every clip alike. With one label a clip, all three scores are then the accuracy.
    Micro,
    /// The mean weighted by the clips of the class.
    Weighted,
}

/// How far apart two classes are, for [`ConfusionMatrix::cohen_kappa`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KappaWeights {
    /// Any two classes are equally far apart (default).
    #[default]
    Equal,
    /// By the difference of their indices, for ordered classes.
    Linear,
    /// By the square of that difference.
    Quadratic,
}

impl ConfusionMatrix {
    /// The counts as shares; 0/0 is 0.
    #[must_use]
    pub fn normalised(&self, by: Normalise) -> Array2<f64> {
        let classes = self.classes();
        let columns: Vec<u64> = (0..classes).map(|class| self.predicted(class)).collect();
        let rows: Vec<u64> = (0..classes).map(|class| self.support(class)).collect();
        let total = self.total();
        Array2::from_shape_fn((classes, classes), |(truth, predicted)| {
            let whole = match by {
                Normalise::Truth => rows[truth],
                Normalise::Prediction => columns[predicted],
                Normalise::All => total,
            };
            ratio(self.count(truth, predicted), whole)
        })
    }

    /// Whether a class counts under a rule.
    #[must_use]
    pub fn counts_class(&self, class: usize, over: MacroOver) -> bool {
        match over {
            MacroOver::Present => self.support(class) > 0,
            MacroOver::Seen => self.support(class) > 0 || self.predicted(class) > 0,
            MacroOver::All => true,
        }
    }

    /// Precision, recall and F1 averaged over the chosen classes; all 0 where there is none.
    ///
    /// scikit-learn's `precision_recall_fscore_support` with `zero_division=0`: with `labels` it is
    /// [`MacroOver::All`], without it [`MacroOver::Seen`].
    #[must_use]
    pub fn average(&self, average: Average, over: MacroOver) -> MacroAverage {
        let chosen: Vec<usize> =
            (0..self.classes()).filter(|&class| self.counts_class(class, over)).collect();
        if average == Average::Micro {
            let sum = |count: &dyn Fn(usize) -> u64| {
                chosen.iter().fold(0_u64, |sum, &class| sum.saturating_add(count(class)))
            };
            let hits = sum(&|class| self.count(class, class));
            let (support, predicted) =
                (sum(&|class| self.support(class)), sum(&|class| self.predicted(class)));
            let both = support as f64 + predicted as f64;
            return MacroAverage {
                precision: ratio(hits, predicted),
                recall: ratio(hits, support),
                f1: if both > 0.0 { 2.0 * hits as f64 / both } else { 0.0 },
            };
        }
        let scores: Vec<ClassScores> = chosen.into_iter().map(|class| self.class_scores(class)).collect();
        let weight = |class: &ClassScores| if average == Average::Macro { 1.0 } else { class.support as f64 };
        let whole: f64 = scores.iter().map(weight).sum();
        let mean = |value: fn(&ClassScores) -> f64| {
            let sum: f64 = scores.iter().map(|class| weight(class) * value(class)).sum();
            if whole > 0.0 { sum / whole } else { 0.0 }
        };
        MacroAverage { precision: mean(|s| s.precision), recall: mean(|s| s.recall), f1: mean(|s| s.f1) }
    }

    /// F-beta of one class, `(1 + beta^2) TP / ((1 + beta^2) TP + beta^2 FN + FP)`; 0/0 is 0. Beta above 1 asks more of recall.
    ///
    /// # Errors
    /// [`EvalError::Parameter`] for a beta that is negative, NaN or infinite.
    pub fn f_beta(&self, class: usize, beta: f64) -> Result<f64, EvalError> {
        if !(beta.is_finite() && beta >= 0.0) {
            return Err(EvalError::Parameter { name: "beta", value: beta, allowed: "0 or more, finite" });
        }
        let square = beta * beta;
        let hits = (1.0 + square) * self.count(class, class) as f64;
        let whole = square * self.support(class) as f64 + self.predicted(class) as f64;
        Ok(if whole > 0.0 { hits / whole } else { 0.0 })
    }

    /// Mean F-beta over the chosen classes; 0 where there is none.
    ///
    /// # Errors
    /// Those of [`f_beta`](Self::f_beta).
    pub fn macro_f_beta(&self, beta: f64, over: MacroOver) -> Result<f64, EvalError> {
        let chosen = (0..self.classes()).filter(|&class| self.counts_class(class, over));
        let values = chosen.map(|class| self.f_beta(class, beta)).collect::<Result<Vec<_>, _>>()?;
        Ok(mean_or_zero(&values))
    }

    /// Jaccard index of one class, `TP / (TP + FP + FN)`; 0/0 is 0.
    #[must_use]
    pub fn jaccard(&self, class: usize) -> f64 {
        let hits = self.count(class, class);
        ratio(hits, self.support(class).saturating_add(self.predicted(class)).saturating_sub(hits))
    }

    /// Mean [`jaccard`](Self::jaccard) over the chosen classes; 0 where there is none.
    #[must_use]
    pub fn macro_jaccard(&self, over: MacroOver) -> f64 {
        let chosen = (0..self.classes()).filter(|&class| self.counts_class(class, over));
        mean_or_zero(&chosen.map(|class| self.jaccard(class)).collect::<Vec<_>>())
    }

    /// The share of clips predicted wrong.
    #[must_use]
    pub fn hamming_loss(&self) -> f64 {
        ratio(self.total().saturating_sub(self.correct()), self.total())
    }

    /// Balanced accuracy rescaled so that chance is 0 and perfection 1: `(b - 1/k) / (1 - 1/k)` with k the classes
    /// with at least one true clip.
    ///
    /// With one such class chance is perfect and the formula divides by zero: NaN where every clip is right, minus
    /// infinity where one is not, as scikit-learn gives (with a warning).
    #[must_use]
    pub fn adjusted_balanced_accuracy(&self) -> f64 {
        let present = (0..self.classes()).filter(|&class| self.support(class) > 0).count().max(1);
        let chance = 1.0 / present as f64;
        (self.balanced_accuracy() - chance) / (1.0 - chance)
    }

    /// Matthews' correlation coefficient in its form for many classes, -1 to 1; 0 where truth or prediction is constant.
    ///
    /// Source: J. Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient",
    /// Computational Biology and Chemistry 28, 2004.
    #[must_use]
    pub fn matthews_correlation(&self) -> f64 {
        let sums =
            |sum: &dyn Fn(usize) -> u64| -> Vec<f64> { (0..self.classes()).map(|c| sum(c) as f64).collect() };
        let (truth, predicted) = (sums(&|c| self.support(c)), sums(&|c| self.predicted(c)));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (correct, total) = (self.correct() as f64, self.total() as f64);
        let covariance = correct * total - dot(&truth, &predicted);
        let spread = (total * total - dot(&predicted, &predicted)) * (total * total - dot(&truth, &truth));
        if spread > 0.0 { covariance / spread.sqrt() } else { 0.0 }
    }

    /// Cohen's kappa, 1 minus the weighted disagreement over the one expected by chance.
    ///
    /// None where truth and prediction name one and the same class only, so that no disagreement is expected
    /// (scikit-learn: NaN with a warning). Linear and quadratic weights count every class of the matrix, also absent ones.
    ///
    /// Source: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement
    /// 20, 1960, and "Weighted kappa", Psychological Bulletin 70, 1968.
    #[must_use]
    pub fn cohen_kappa(&self, weights: KappaWeights) -> Option<f64> {
        let classes = self.classes();
        let columns: Vec<f64> = (0..classes).map(|class| self.predicted(class) as f64).collect();
        let total = self.total() as f64;
        let (mut observed, mut expected) = (0.0, 0.0);
        for (truth, row) in self.rows().enumerate() {
            let support = self.support(truth) as f64;
            for (predicted, (&count, column)) in row.iter().zip(&columns).enumerate() {
                let distance = truth.abs_diff(predicted) as f64;
                let weight = match weights {
                    KappaWeights::Equal => f64::from(u8::from(truth != predicted)),
                    KappaWeights::Linear => distance,
                    KappaWeights::Quadratic => distance * distance,
                };
                observed += weight * count as f64;
                expected += weight * support * column / total;
            }
        }
        (expected > 0.0).then(|| 1.0 - observed / expected)
    }
}

fn mean_or_zero(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
