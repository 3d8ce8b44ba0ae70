//! Natural logarithm of many values at once, in a form that compilers vectorise.

use crate::simd::exponential::ln_normal;

/// `ln` of each value, as the standard library gives it to within 2 units in the last place (a test holds it to that).
///
/// Zero gives negative infinity, negative values and NaN give NaN.
pub(crate) fn ln_in_place(values: &mut [f32]) {
    for chunk in values.chunks_mut(64) {
        let normal = chunk.iter().fold(true, |all, v| all & (f32::MIN_POSITIVE..=f32::MAX).contains(v));
        if normal {
            ln_normal(chunk);
        } else {
            chunk.iter_mut().for_each(|v| {
                *v = if (f32::MIN_POSITIVE..=f32::MAX).contains(v) { ln_of_normal(*v) } else { v.ln() };
            });
        }
    }
}

/// `ln x = e ln 2 + ln m` with `m` in [sqrt(1/2), sqrt 2), and `ln m = 2 artanh(s)`, `s = (m - 1) / (m + 1)`.
///
/// `|s| <= 0.1716`, so the series `2 (s + s^3/3 + s^5/5 + s^7/7 + s^9/9)` is exact to `2 s^11 / 11 < 7e-10`. `ln 2` is taken in
/// two parts, the first with zeros at its end, so that `e ln 2` is exact.
#[inline(always)]
pub(crate) fn ln_of_normal(x: f32) -> f32 {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let bits = x.to_bits();
    let e = (bits.wrapping_sub(SQRT_HALF) as i32) >> 23;
    let m = f32::from_bits(bits.wrapping_sub((e as u32) << 23));
    let e = e as f32;
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let tail = z * (2.0 / 3.0 + z * (2.0 / 5.0 + z * (2.0 / 7.0 + z * (2.0 / 9.0))));
    // ln m = 2s + s tail, and 2s = f - f s: the largest term, f, is exact.
    e * LN_2_HIGH + (f - (s * (f - tail) - e * LN_2_LOW))
}

/// The largest value, by comparisons that compilers vectorise; negative infinity for none.
pub(crate) fn maximum(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut top = [f32::NEG_INFINITY; 16];
    for chunk in chunks {
        for (t, v) in top.iter_mut().zip(chunk) {
            *t = if *v > *t { *v } else { *t };
        }
    }
    top.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_library() {
        let mut worst = 0.0f64;
        let mut bits = f32::MIN_POSITIVE.to_bits();
        while bits < f32::INFINITY.to_bits() {
            let x = f32::from_bits(bits);
            let mut got = [x];
            ln_in_place(&mut got);
            let want = f64::from(x).ln();
            let ulp = f64::from(((want as f32).abs().max(f32::MIN_POSITIVE)).next_up() - (want as f32).abs());
            worst = worst.max((f64::from(got[0]) - want).abs() / ulp);
            bits += 9973;
        }
        assert!(worst <= 2.0, "{worst} units in the last place");
    }

    #[test]
    fn special_values() {
        let mut v = [0.0, -1.0, f32::NAN, f32::INFINITY, 1.0, 1e-45];
        ln_in_place(&mut v);
        assert_eq!(v[0], f32::NEG_INFINITY);
        assert!(v[1].is_nan() && v[2].is_nan());
        assert_eq!((v[3], v[4]), (f32::INFINITY, 0.0));
        assert_eq!(v[5], 1e-45f32.ln());
    }

    #[test]
    fn maximum_looks_everywhere() {
        let mut v = vec![-2.0; 37];
        for i in 0..37 {
            v[i] = 5.0;
            assert_eq!(maximum(&v), 5.0);
            v[i] = -2.0;
        }
        assert_eq!(maximum(&[]), f32::NEG_INFINITY);
    }
}
