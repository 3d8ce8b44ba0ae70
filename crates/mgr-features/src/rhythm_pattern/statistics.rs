//! The seven statistics of the family.

/// How many there are.
pub(super) const COUNT: usize = 7;

/// Their names, in order.
pub(super) const NAMES: [&str; COUNT] = ["mean", "var", "skew", "kurtosis", "median", "min", "max"];

/// Mean, variance, skewness, kurtosis (3 for a normal distribution), median, smallest and largest of `values`, at least one,
/// which come out in another order.
///
/// The variance is divided by the count. Values that do not differ, as far as rounding tells, have no skewness and no kurtosis:
/// both are 0, as the reference makes them.
pub(super) fn statistics(values: &mut [f64]) -> [f64; COUNT] {
    let count = values.len().max(1) as f64;
    let rough = sums(values, 0.0)[0] / count;
    // What rounding took from the mean of many equal values would otherwise pass for their spread.
    let mean = rough + sums(values, rough)[0] / count;
    let [_, variance, third, fourth] = sums(values, mean).map(|sum| sum / count);
    let rounding = f64::EPSILON * mean;
    let (skewness, kurtosis) = if variance > rounding * rounding {
        (third / (variance * variance.sqrt()), fourth / (variance * variance))
    } else {
        (0.0, 0.0)
    };
    // Of a variance so small that its powers are nothing.
    let number = |v: f64| if v.is_nan() { 0.0 } else { v };
    let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    [mean, variance, number(skewness), number(kurtosis), median(values), smallest, largest]
}

/// Sums of the first to fourth powers of `v - centre`, eight side by side.
fn sums(values: &[f64], centre: f64) -> [f64; 4] {
    let mut lanes = [[0.0f64; 8]; 4];
    for chunk in values.chunks(8) {
        for (i, v) in chunk.iter().enumerate() {
            let d = v - centre;
            let square = d * d;
            lanes[0][i] += d;
            lanes[1][i] += square;
            lanes[2][i] += square * d;
            lanes[3][i] += square * square;
        }
    }
    lanes.map(|sums| sums.iter().sum())
}

/// The middle value, or the mean of the two in the middle; 0 of none. Values come out in another order.
pub(super) fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    let odd = !values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if odd {
        return *upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (lower + *upper) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_few_values() {
        // scipy 1.17: skew, kurtosis(fisher=False) of 1, 2, 4, 9.
        let got = statistics(&mut [4.0, 1.0, 9.0, 2.0]);
        let want = [4.0, 9.5, 0.768_417_257_987_822_6, 2.0, 3.0, 1.0, 9.0];
        assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-12), "{got:?}");
        assert_eq!(statistics(&mut [0.1; 511])[1..4], [0.0; 3]);
        assert_eq!(statistics(&mut [7.0]), [7.0, 0.0, 0.0, 0.0, 7.0, 7.0, 7.0]);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut []), 0.0);
    }
}
