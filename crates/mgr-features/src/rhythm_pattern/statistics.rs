//! The seven statistics of the family, by [`Summary`].

use crate::stats::{Summary, quantile};

/// How many there are.
pub(super) const COUNT: usize = 7;

/// Their names, in order.
pub(super) const NAMES: [&str; COUNT] = ["mean", "var", "skew", "kurtosis", "median", "min", "max"];

/// Mean, variance, skewness, kurtosis (3 for a normal distribution), median, smallest and largest of `values`, which come out in
/// another order.
pub(super) fn statistics(values: &mut [f64]) -> [f64; COUNT] {
    let number = |v: f64| if v.is_nan() { 0.0 } else { v };
    Summary::of(values).seven().map(number)
}

/// The middle value, or the mean of the two in the middle. Values come out in order.
pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    quantile(values, 0.5)
}
