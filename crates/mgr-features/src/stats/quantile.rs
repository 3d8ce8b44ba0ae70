//! Quantiles, with and without weights.

/// The quantile `q` of values in ascending order: straight between the two at `q (n - 1)`. NumPy's method `linear`.
///
/// 0 where there is no value; `q` is taken within 0 to 1.
///
/// ```
/// use mgr_features::stats::quantile;
/// assert_eq!(quantile(&[1.0, 2.0, 4.0, 8.0], 0.5), 3.0);
/// ```
#[must_use]
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = q.clamp(0.0, 1.0) * last as f64;
    // A `q` that is not a number counts as 0.
    let below = (place as usize).min(last);
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    let share = place - below as f64;
    if share > 0.0 { low + (high - low) * share } else { low }
}

/// The quantile `q` of (value, weight) in ascending order of the values: the first value up to which the weights add up to at
/// least `q` of their sum. NumPy's method `inverted_cdf`.
///
/// 0 where there is no weight; values of weight 0 do not count.
#[must_use]
pub fn weighted_quantile(sorted: &[(f64, f64)], q: f64) -> f64 {
    let counted = || sorted.iter().filter(|(_, weight)| *weight > 0.0);
    let share = q.clamp(0.0, 1.0) * counted().map(|(_, weight)| weight).sum::<f64>();
    let mut reached = 0.0;
    let mut last = 0.0;
    for (value, weight) in counted() {
        reached += weight;
        last = *value;
        if reached >= share {
            break;
        }
    }
    last
}

/// The median of values, which are put into another order. 0 where there is none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    let even = values.len().is_multiple_of(2);
    let (below, at, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let at = *at;
    if !even {
        return at;
    }
    let before = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // As the mean of both, and without overflow.
    0.5 * before + 0.5 * at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_numpy_s() {
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
        let got = [0.0, 0.1, 0.25, 0.5, 0.9, 1.0].map(|q| quantile(&sorted, q));
        let want = [1.0, 1.4, 2.0, 4.0, 12.8, 16.0];
        assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-12), "{got:?}");
        assert_eq!((quantile(&[], 0.5), quantile(&[7.0], 0.3), quantile(&sorted, f64::NAN)), (0.0, 7.0, 1.0));
        // numpy.quantile([1, 2, 3, 4], q, weights=[1, 0, 2, 1], method="inverted_cdf")
        let weighted = [(1.0, 1.0), (2.0, 0.0), (3.0, 2.0), (4.0, 1.0)];
        let got = [0.0, 0.25, 0.26, 0.5, 0.75, 0.76, 1.0].map(|q| weighted_quantile(&weighted, q));
        assert_eq!(got, [1.0, 1.0, 3.0, 3.0, 3.0, 4.0, 4.0]);
        assert_eq!(weighted_quantile(&[(5.0, 0.0)], 0.5), 0.0);
    }

    #[test]
    fn medians_are_the_quantile_of_a_half() {
        assert_eq!((median(&mut []), median(&mut [3.0])), (0.0, 3.0));
        assert_eq!(median(&mut [9.0, 1.0, 4.0, 2.0]), 3.0);
        assert_eq!(median(&mut [9.0, 1.0, 4.0]), 4.0);
    }
}
