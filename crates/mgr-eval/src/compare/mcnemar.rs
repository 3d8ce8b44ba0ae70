//! McNemar's test of two classifiers on the same clips.

use serde::{Deserialize, Serialize};

use super::distribution::{chi_squared_above, fair_binomial_at, fair_binomial_up_to};
use crate::EvalError;
use crate::error::same_length;

/// The result of McNemar's test. Only clips on which the systems disagree matter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Clips that only the first system has right.
    pub first_only: u64,
    /// Clips that only the second system has right.
    pub second_only: u64,
    /// The exact p-value: never too small, on the safe side with few disagreements.
    pub exact: f64,
    /// The mid-p-value: closer to the nominal level than the exact one, which Fagerland et al. recommend.
    pub mid_p: f64,
    /// `(|b - c| - 1)^2 / (b + c)`, the statistic with continuity correction that Dietterich (1998) uses; 0 without disagreement.
    pub chi_squared: f64,
    /// The p-value of that statistic, good from about 25 disagreements on.
    pub chi_squared_p: f64,
}

/// McNemar's test from labels.
///
/// # Errors
/// [`EvalError::LengthMismatch`], [`EvalError::Empty`].
pub fn mcnemar(y_true: &[usize], first: &[usize], second: &[usize]) -> Result<McNemar, EvalError> {
    same_length("labels of the first system", y_true.len(), first.len())?;
    same_length("labels of the second system", y_true.len(), second.len())?;
    if y_true.is_empty() {
        return Err(EvalError::Empty { what: "labels" });
    }
    let (mut first_only, mut second_only) = (0, 0);
    for ((truth, a), b) in y_true.iter().zip(first).zip(second) {
        first_only += u64::from(a == truth && b != truth);
        second_only += u64::from(b == truth && a != truth);
    }
    Ok(mcnemar_counts(first_only, second_only))
}

/// McNemar's test from the clips that only one of the systems has right.
///
/// With n = b + c disagreements and X binomial (n, 1/2): exact is `2 P(X <= min(b, c))`, at most 1; mid-p is that less
/// `P(X = b)`, and `1 - P(X = b) / 2` for b = c. Without disagreement both are 1.
///
/// Source: Q. McNemar, Psychometrika 12, 1947; M. Fagerland, S. Lydersen and P. Laake, "The McNemar test for binary
/// matched-pairs data: mid-p and asymptotic are better than exact conditional", BMC Medical Research Methodology 13, 2013.
///
/// ```
/// // Fagerland et al., airway measurements before and after transplantation.
/// let test = mgr_eval::compare::mcnemar_counts(1, 7);
/// assert_eq!(format!("{:.3} {:.3} {:.3}", test.exact, test.mid_p, test.chi_squared_p), "0.070 0.039 0.077");
/// ```
#[must_use]
pub fn mcnemar_counts(first_only: u64, second_only: u64) -> McNemar {
    let few = first_only.min(second_only);
    let n = first_only.saturating_add(second_only);
    let (exact, mid_p) = if n == 0 {
        (1.0, 1.0)
    } else if first_only == second_only {
        (1.0, 1.0 - 0.5 * fair_binomial_at(few, n))
    } else {
        let exact = (2.0 * fair_binomial_up_to(few, n)).min(1.0);
        (exact, (exact - fair_binomial_at(few, n)).max(0.0))
    };
    // Equal counts would give (0 - 1)^2: the correction never goes beyond no difference.
    let gap = (first_only.abs_diff(second_only) as f64 - 1.0).max(0.0);
    let chi_squared = if n == 0 { 0.0 } else { gap * gap / n as f64 };
    let chi_squared_p = chi_squared_above(chi_squared, 1.0);
    McNemar { first_only, second_only, exact, mid_p, chi_squared, chi_squared_p }
}
