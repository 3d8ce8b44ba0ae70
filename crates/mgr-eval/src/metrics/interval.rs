//! Confidence intervals.

use serde::{Deserialize, Serialize};

use crate::EvalError;

/// A closed interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Wilson's score interval of a proportion: `successes` of `n` clips right.
///
/// With p = successes/n and z the normal quantile of (1 + confidence)/2,
/// `(p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`, clipped to `[0, 1]`. It treats clips as independent;
/// clips of one artist or album are not, so it is a lower bound of the true uncertainty.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
///
/// ```
/// let interval = mgr_eval::metrics::wilson_interval(81, 263, 0.95)?;
/// assert_eq!(format!("{:.4} {:.4}", interval.low, interval.high), "0.2553 0.3662"); // Newcombe 1998, table I
/// # Ok::<(), mgr_eval::EvalError>(())
/// ```
///
/// # Errors
/// [`EvalError::Empty`] for n = 0, [`EvalError::Parameter`] for more successes than clips or a confidence outside
/// `(0, 1)`.
pub fn wilson_interval(successes: u64, n: u64, confidence: f64) -> Result<Interval, EvalError> {
    if n == 0 {
        return Err(EvalError::Empty { what: "sample of the interval" });
    }
    if successes > n {
        let value = successes as f64;
        return Err(EvalError::Parameter { name: "successes", value, allowed: "0 to the number of clips" });
    }
    if !(confidence > 0.0 && confidence < 1.0) {
        let allowed = "between 0 and 1, both excluded";
        return Err(EvalError::Parameter { name: "confidence", value: confidence, allowed });
    }
    let z = two_sided_quantile(confidence);
    let (n, p) = (n as f64, successes as f64 / n as f64);
    let scale = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / scale;
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / scale;
    // At p = 0 and p = 1 the formula gives exactly 0 and 1 but for rounding.
    let low = if p == 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if p == 1.0 { 1.0 } else { (centre + half).min(1.0) };
    Ok(Interval { low, high })
}

/// The z for which a standard normal value lies in `[-z, z]` with the given probability, by bisection.
fn two_sided_quantile(confidence: f64) -> f64 {
    // Beyond 9 the tail is below the resolution of a probability near 1.
    let (mut low, mut high) = (0.0, 9.0);
    // 60 halvings of 9 end below the spacing of doubles near 1.
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if 2.0 * central_mass(middle) < confidence { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// P(0 < Z < z): the density times z + z^3/3 + z^5/(3 5) + ..., all terms positive.
///
/// Source: G. Marsaglia, "Evaluating the normal distribution", Journal of Statistical Software 11(4), 2004.
fn central_mass(z: f64) -> f64 {
    let (mut term, mut sum, mut odd) = (z, z, 1.0);
    while term > sum * 1e-17 {
        odd += 2.0;
        term *= z * z / odd;
        sum += term;
    }
    sum * (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_the_tables() {
        // Tabulated quantiles to 15 digits; the bisection resolves 1e-15, the series loses about one more digit.
        for (confidence, z) in
            [(0.90, 1.644_853_626_951_472_8), (0.95, 1.959_963_984_540_054), (0.99, 2.575_829_303_548_900_4)]
        {
            assert!((two_sided_quantile(confidence) - z).abs() < 1e-13, "{confidence}");
        }
    }
}
