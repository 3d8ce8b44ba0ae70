//! Two systems over the same folds.

use serde::{Deserialize, Serialize};

use super::check_share;
use super::distribution::{student_beyond, student_quantile};
use crate::EvalError;
use crate::error::same_length;
use crate::metrics::{Interval, mean_and_deviation};

/// The result of the corrected t-test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CorrectedTTest {
    /// Mean of first minus second.
    pub difference: f64,
    /// Its interval.
    pub interval: Interval,
    /// The statistic; infinite where every fold shows the same difference other than 0, 0 where all show none.
    pub t: f64,
    /// Degrees of freedom, one less than the differences.
    pub freedom: usize,
    /// Two-sided p-value.
    pub p: f64,
}

/// The t-test over the folds of a (repeated) cross-validation, corrected for training sets that overlap.
///
/// Of J differences d, one for each test part, with variance s^2 (divisor J - 1): `t = mean(d) / sqrt((1/J + test/train) s^2)`,
/// J - 1 degrees of freedom. `test_to_train` is the clips of a test part over those of its training part: 1/9 for ten
/// folds, whatever the repetitions. The plain t-test (0) finds differences where there are none, the more the more often
/// the folds are repeated.
///
/// Source: C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine Learning 52, 2003; R. Bouckaert and
/// E. Frank, "Evaluating the replicability of significance tests for comparing learning algorithms", PAKDD 2004.
///
/// # Errors
/// [`EvalError::LengthMismatch`], [`EvalError::Empty`] for fewer than two folds, [`EvalError::NotFinite`],
/// [`EvalError::Parameter`] for a negative or non-finite `test_to_train` or a confidence outside (0, 1).
pub fn corrected_t_test(
    first: &[f64],
    second: &[f64],
    test_to_train: f64,
    confidence: f64,
) -> Result<CorrectedTTest, EvalError> {
    same_length("measures of the second system", first.len(), second.len())?;
    if !(test_to_train.is_finite() && test_to_train >= 0.0) {
        let allowed = "0 or more, finite";
        return Err(EvalError::Parameter { name: "test_to_train", value: test_to_train, allowed });
    }
    check_share("confidence", confidence)?;
    for values in [first, second] {
        mean_and_deviation(values)?;
    }
    let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
    let summary = mean_and_deviation(&differences)?;
    let Some(deviation) = summary.deviation else {
        return Err(EvalError::Empty { what: "list of folds after the first" });
    };
    let freedom = differences.len() - 1;
    let error = deviation * (1.0 / differences.len() as f64 + test_to_train).sqrt();
    let t = if summary.mean == 0.0 { 0.0 } else { summary.mean / error };
    let half = error * student_quantile(1.0 - confidence, freedom as f64);
    Ok(CorrectedTTest {
        difference: summary.mean,
        interval: Interval { low: summary.mean - half, high: summary.mean + half },
        t,
        freedom,
        p: student_beyond(t, freedom as f64),
    })
}
