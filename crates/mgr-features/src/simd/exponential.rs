//! Exponentials and logarithms of many values.

use crate::log::ln_of_normal;

/// A whole number `n` as it lies in the bits of a sum, and `exp(x) / 2^n - 1`; `n` is the one nearest to `x / ln 2`.
///
/// The rest `r` is at most `ln 2 / 2`, where the Taylor series to `r^7 / 7!` is exact to `5e-9`.
#[inline(always)]
fn exp_parts(x: f32) -> (i32, f32) {
    /// Adding and taking off 1.5 * 2^23 rounds to a whole number, without the instruction for it, which old processors lack.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let series = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0))));
    (rounded.to_bits().wrapping_sub(ROUND.to_bits()) as i32, r + r * r * (0.5 + r * series))
}

/// `2^n` for `n` within -126 and 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// `exp(x)` to 2 units in the last place; 0 for what would be less than the least normal number, infinity over the largest.
#[inline(always)]
pub(crate) fn exp_of(x: f32) -> f32 {
    const LEAST: f32 = -87.336_54;
    const LARGEST: f32 = 88.722_83;
    let inside = if x < LEAST { LEAST } else { x };
    let inside = if inside > LARGEST { LARGEST } else { inside };
    let (n, less_one) = exp_parts(inside);
    // In two steps: the whole power of two may be just too large for a number.
    let half = n >> 1;
    let result = (1.0 + less_one) * power_of_two(half) * power_of_two(n.wrapping_sub(half));
    let result = if x < LEAST { 0.0 } else { result };
    if x > LARGEST { f32::INFINITY } else { result }
}

/// `exp(x) - 1`, without the loss of digits near 0.
#[inline(always)]
pub(crate) fn exp_less_one(x: f32) -> f32 {
    const LARGEST: f32 = 88.722_83;
    let inside = if x < -80.0 { -80.0 } else { x };
    let inside = if inside > LARGEST { LARGEST } else { inside };
    let (n, less_one) = exp_parts(inside);
    // Both ways are always computed: a loop with branches would not be vectorised.
    let half = n >> 1;
    let far = (1.0 + less_one) * power_of_two(half) * power_of_two(n.wrapping_sub(half)) - 1.0;
    let power = power_of_two(n);
    let near = power * less_one + (power - 1.0);
    let result = if x > 60.0 { far } else { near };
    if x > LARGEST { f32::INFINITY } else { result }
}

/// The largest number in place of infinity.
#[inline(always)]
pub(crate) fn largest_number(x: f32) -> f32 {
    if x > f32::MAX { f32::MAX } else { x }
}

/// `ln(1 + x)` for `x` of 0 or more, without the loss of digits near 0.
#[inline(always)]
pub(crate) fn ln_one_more(x: f32) -> f32 {
    let sum = largest_number(1.0 + x);
    // What rounding took from the sum, as far as the logarithm notices.
    let lost = x - (sum - 1.0);
    ln_of_normal(sum) + lost / sum
}

dispatched! {
    /// `exp(scale values[i])`; see [`exp_of`].
    exp_scaled(values: &mut [f32], scale: f32) = exp_scaled_body
}

#[inline(always)]
fn exp_scaled_body(values: &mut [f32], scale: f32) {
    for v in values {
        *v = exp_of(*v * scale);
    }
}

dispatched! {
    /// `ln` of values that are all normal and positive; see [`crate::log`].
    ln_normal(values: &mut [f32]) = ln_normal_body
}

#[inline(always)]
fn ln_normal_body(values: &mut [f32]) {
    for v in values {
        *v = ln_of_normal(*v);
    }
}

#[cfg(test)]
mod tests {
    use super::super::noise;
    use super::*;

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for n in [0, 1, 3, 7, 8, 9, 20, 129] {
            let values = noise(n, 5);
            let (mut a, mut b) = (values.clone(), values.clone());
            exp_scaled(&mut a, 90.0);
            exp_scaled_body(&mut b, 90.0);
            assert_eq!(a, b, "exponential of {n}");

            let (mut a, mut b): (Vec<f32>, Vec<f32>) = values.iter().map(|v| (v + 2.0, v + 2.0)).unzip();
            ln_normal(&mut a);
            ln_normal_body(&mut b);
            assert_eq!(a, b, "logarithm of {n}");
        }
    }

    #[test]
    fn exponentials_agree_with_the_standard_library() {
        let ulp = |v: f64| f64::from((v as f32).abs().next_up()) - f64::from((v as f32).abs());
        let (mut worst_exp, mut worst_less, mut worst_more) = (0.0f64, 0.0f64, 0.0f64);
        for i in -870_000..=887_000 {
            let x = i as f32 * 1e-4;
            let wide = f64::from(x);
            worst_exp = worst_exp.max((f64::from(exp_of(x)) - wide.exp()).abs() / ulp(wide.exp()));
            if x.abs() < 70.0 {
                worst_less =
                    worst_less.max((f64::from(exp_less_one(x)) - wide.exp_m1()).abs() / ulp(wide.exp_m1()));
            }
            let y = f32::from_bits((x + 88.0).to_bits() / 2 + 0x1000_0000);
            let wide = f64::from(y).ln_1p();
            worst_more = worst_more.max((f64::from(ln_one_more(y)) - wide).abs() / ulp(wide));
        }
        assert!(worst_exp <= 2.0, "exp: {worst_exp} units in the last place");
        assert!(worst_less <= 3.0, "exp - 1: {worst_less} units in the last place");
        assert!(worst_more <= 3.0, "ln(1 + x): {worst_more} units in the last place");
        assert_eq!((exp_of(-100.0), exp_of(f32::NEG_INFINITY), exp_of(89.0)), (0.0, 0.0, f32::INFINITY));
        assert!(exp_of(f32::NAN).is_nan());
        assert_eq!((exp_less_one(0.0), exp_less_one(-200.0), ln_one_more(0.0)), (0.0, -1.0, 0.0));
    }
}
