//! Per-channel energy normalisation.

use super::exponential::{exp_less_one, exp_of, largest_number, ln_one_more};
use crate::log::ln_of_normal;

/// Constants of per-channel energy normalisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PcenCurve {
    pub(crate) gain: f32,
    pub(crate) bias: f32,
    pub(crate) power: f32,
    pub(crate) eps: f32,
    /// `bias^power`.
    pub(crate) scale: f32,
}

dispatched! {
    /// Per-channel energy normalisation of `values`, given their smoothed energies; see [`crate::pcen`].
    pcen(values: &mut [f32], smoothed: &[f32], curve: &PcenCurve) = pcen_body
}

#[inline(always)]
fn pcen_body(values: &mut [f32], smoothed: &[f32], curve: &PcenCurve) {
    let PcenCurve { gain, bias, power, eps, scale } = *curve;
    let ln_smooth = |m: f32| -gain * ln_of_normal(largest_number(eps + m));
    if power == 0.0 {
        for (v, m) in values.iter_mut().zip(smoothed) {
            *v = ln_one_more(*v * exp_of(ln_smooth(*m)));
        }
    } else if bias == 0.0 {
        for (v, m) in values.iter_mut().zip(smoothed) {
            // The logarithm of 0 would be minus infinity, and this is what that gives.
            let normal = if *v < f32::MIN_POSITIVE { f32::MIN_POSITIVE } else { *v };
            let bent = exp_of(power * (ln_of_normal(normal) + ln_smooth(*m)));
            *v = if *v < f32::MIN_POSITIVE { 0.0 } else { bent };
        }
    } else {
        let per_bias = 1.0 / bias;
        for (v, m) in values.iter_mut().zip(smoothed) {
            *v = scale * exp_less_one(power * ln_one_more(*v * exp_of(ln_smooth(*m)) * per_bias));
        }
    }
}

dispatched! {
    /// `state = b input + (1 - b) state`, in f64, and the result rounded.
    smooth(state: &mut [f64], input: &[f32], b: f64, out: &mut [f32]) = smooth_body
}

#[inline(always)]
fn smooth_body(state: &mut [f64], input: &[f32], b: f64, out: &mut [f32]) {
    for ((s, x), o) in state.iter_mut().zip(input).zip(out) {
        *s = b * f64::from(*x) + (1.0 - b) * *s;
        *o = *s as f32;
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
            let input: Vec<f32> = values.iter().map(|v| (v + 1.0) * 1e5).collect();
            let (mut s, mut t) = (vec![1.0; n], vec![1.0; n]);
            smooth(&mut s, &input, 0.1, &mut a);
            smooth_body(&mut t, &input, 0.1, &mut b);
            assert_eq!((&a, &s), (&b, &t), "smoothing of {n}");

            for (bias, power) in [(2.0, 0.5), (2.0, 0.0), (0.0, 0.5)] {
                let curve = PcenCurve { gain: 0.98, bias, power, eps: 1e-6, scale: bias.powf(power) };
                let (mut x, mut y) = (input.clone(), input.clone());
                pcen(&mut x, &a, &curve);
                pcen_body(&mut y, &a, &curve);
                assert_eq!(x, y, "normalisation of {n}");
            }
        }
    }
}
