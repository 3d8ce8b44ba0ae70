//! Rises from column to column, their sum and median, and the spectra of two windowed stretches at once.

use num_complex::Complex64;

/// Values handled together; two AVX2 registers.
const LANES: usize = super::LANES;

dispatched! {
    /// `out[i] = max(0, now[i] - before[i])`.
    rises(now: &[f32], before: &[f32], out: &mut [f32]) = rises_body
}

#[inline(always)]
fn rises_body(now: &[f32], before: &[f32], out: &mut [f32]) {
    for (o, (a, b)) in out.iter_mut().zip(now.iter().zip(before)) {
        let rise = a - b;
        *o = if rise > 0.0 { rise } else { 0.0 };
    }
}

dispatched! {
    /// The sum of values, sixteen sums side by side.
    total(values: &[f32], out: &mut f32) = total_body
}

#[inline(always)]
fn total_body(values: &[f32], out: &mut f32) {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for chunk in chunks {
        for (sum, v) in sums.iter_mut().zip(chunk) {
            *sum += v;
        }
    }
    *out = sums.iter().chain(rest).sum();
}

dispatched! {
    /// The median of values that are 0 or more: the middle one, or the mean of the two in the middle; 0 for none.
    ///
    /// Such values are in the order of their bits, so the middle one is found bit by bit from the highest: one more bit is set where
    /// that leaves no more values below than there are before the middle. The work does not depend on the values.
    median(values: &[f32], out: &mut f32) = median_body
}

#[inline(always)]
fn below(values: &[f32], bits: i32) -> i32 {
    values.iter().map(|v| i32::from((v.to_bits() as i32) < bits)).sum()
}

#[inline(always)]
fn median_body(values: &[f32], out: &mut f32) {
    let middle = (values.len() / 2) as i32;
    let mut bits = 0i32;
    // Most columns of music rise in fewer than half of the bands.
    if !values.is_empty() && below(values, 1) <= middle {
        for bit in (0..31).rev() {
            let higher = bits | (1 << bit);
            if below(values, higher) <= middle {
                bits = higher;
            }
        }
    }
    let high = f32::from_bits(bits as u32);
    *out = high;
    if values.len().is_multiple_of(2) && below(values, bits) == middle {
        let lower = |most: f32, v: &f32| if *v < high && *v > most { *v } else { most };
        *out = (values.iter().fold(0.0, lower) + high) / 2.0;
    }
}

dispatched! {
    /// `re[i] = a[i] window[i]`, `im[i] = b[i] window[i]`, as pairs, and the sums of the squares of both.
    windowed_pairs(a: &[f32], b: &[f32], window: &[f64], out: &mut [Complex64], energy: &mut [f64; 2]) = windowed_pairs_body
}

#[inline(always)]
fn windowed_pairs_body(a: &[f32], b: &[f32], window: &[f64], out: &mut [Complex64], energy: &mut [f64; 2]) {
    const WIDE: usize = 4;
    let n = window.len();
    let (a, b, out) = (&a[..n], &b[..n], &mut out[..n]);
    let mut sums = [[0.0f64; WIDE]; 2];
    let whole = n / WIDE * WIDE;
    for at in (0..whole).step_by(WIDE) {
        for i in 0..WIDE {
            let (x, y) = (f64::from(a[at + i]) * window[at + i], f64::from(b[at + i]) * window[at + i]);
            out[at + i] = Complex64::new(x, y);
            sums[0][i] += x * x;
            sums[1][i] += y * y;
        }
    }
    for i in whole..n {
        let (x, y) = (f64::from(a[i]) * window[i], f64::from(b[i]) * window[i]);
        out[i] = Complex64::new(x, y);
        sums[0][i - whole] += x * x;
        sums[1][i - whole] += y * y;
    }
    *energy = sums.map(|s| (s[0] + s[2]) + (s[1] + s[3]));
}

dispatched! {
    /// With `z` the transform of `a + i b`, both real, `out[k] = |A[k]|^2 + i |B[k]|^2` for all k.
    powers_of_both(z: &[Complex64], out: &mut [Complex64]) = powers_of_both_body
}

dispatched! {
    /// Real and imaginary parts times `scale`, apart.
    scaled_parts(z: &[Complex64], scale: f64, re: &mut [f64], im: &mut [f64]) = scaled_parts_body
}

#[inline(always)]
fn scaled_parts_body(z: &[Complex64], scale: f64, re: &mut [f64], im: &mut [f64]) {
    for (z, (re, im)) in z.iter().zip(re.iter_mut().zip(im)) {
        (*re, *im) = (z.re * scale, z.im * scale);
    }
}

/// `(|A|^2, |B|^2)` from `p = z[k]` and `q = z[-k]`: `A = (p + conj q) / 2`, `B = (p - conj q) / 2i`.
#[inline(always)]
fn both(p: Complex64, q: Complex64) -> (f64, f64) {
    let half = 0.25 * ((p.re * p.re + p.im * p.im) + (q.re * q.re + q.im * q.im));
    let cross = 0.5 * (p.re * q.re - p.im * q.im);
    (half + cross, half - cross)
}

#[inline(always)]
fn powers_of_both_body(z: &[Complex64], out: &mut [Complex64]) {
    let (Some((first, rest)), Some((start, out))) = (z.split_first(), out.split_first_mut()) else { return };
    let pair = |p, q| {
        let (a, b) = both(p, q);
        Complex64::new(a, b)
    };
    *start = pair(*first, *first);
    for (o, (p, q)) in out.iter_mut().zip(rest.iter().zip(rest.iter().rev())) {
        *o = pair(*p, *q);
    }
}

dispatched! {
    /// With `z` the transform of `a + i b`, both real: `sum[k] += weights[0] |A[k]|^2 + weights[1] |B[k]|^2` for `k` up to half.
    add_weighted_powers(z: &[Complex64], weights: [f64; 2], sum: &mut [f64]) = add_weighted_powers_body
}

#[inline(always)]
fn add_weighted_powers_body(z: &[Complex64], weights: [f64; 2], sum: &mut [f64]) {
    let Some((first, rest)) = z.split_first() else { return };
    let Some((start, sum)) = sum.split_first_mut() else { return };
    let (a, b) = both(*first, *first);
    *start += weights[0] * a + weights[1] * b;
    for (s, (p, q)) in sum.iter_mut().zip(rest.iter().zip(rest.iter().rev())) {
        let (a, b) = both(*p, *q);
        *s += weights[0] * a + weights[1] * b;
    }
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;

    use super::super::noise;
    use super::*;

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for n in [0, 1, 2, 7, 16, 33, 128, 385] {
            let (x, y) = (noise(n, 3), noise(n, 4));
            let (mut a, mut b) = (vec![0.0; n], vec![0.0; n]);
            rises(&x, &y, &mut a);
            rises_body(&x, &y, &mut b);
            assert_eq!(a, b);
            let (mut p, mut q) = (0.0, 0.0);
            total(&x, &mut p);
            total_body(&x, &mut q);
            assert_eq!(p, q);
            median(&a, &mut p);
            median_body(&a, &mut q);
            assert_eq!(p, q);
            let window: Vec<f64> = noise(n, 5).into_iter().map(f64::from).collect();
            let (mut a, mut b) = (vec![Complex64::default(); n], vec![Complex64::default(); n]);
            let (mut p, mut q) = ([0.0; 2], [0.0; 2]);
            windowed_pairs(&x, &y, &window, &mut a, &mut p);
            windowed_pairs_body(&x, &y, &window, &mut b, &mut q);
            assert_eq!((&a, p), (&b, q));
            let (mut c, mut d) = (a.clone(), a.clone());
            powers_of_both(&a, &mut c);
            powers_of_both_body(&a, &mut d);
            assert_eq!(c, d);
            let mut parts = [(); 4].map(|()| vec![0.0; n]);
            let [p, q, r, s] = &mut parts;
            scaled_parts(&a, 0.3, p, q);
            scaled_parts_body(&a, 0.3, r, s);
            assert_eq!((p, q), (r, s));
            let (mut c, mut d) = (vec![0.0; n / 2 + 1], vec![0.0; n / 2 + 1]);
            add_weighted_powers(&a, [0.3, 0.7], &mut c);
            add_weighted_powers_body(&a, [0.3, 0.7], &mut d);
            assert_eq!(c, d);
        }
    }

    #[test]
    fn the_median_is_the_one_of_the_sorted_values() {
        for n in 1..70 {
            for seed in 0..6 {
                let mut values: Vec<f32> =
                    noise(n, seed).iter().map(|v| v.max(-0.3 + 0.2 * seed as f32)).collect();
                // Ties and zeros too.
                values
                    .iter_mut()
                    .for_each(|v| *v = (*v * 16.0).round().max(0.0) * if seed % 2 == 0 { 1.0 } else { 0.37 });
                let mut got = 0.0;
                median(&values, &mut got);
                values.sort_by(f32::total_cmp);
                let want = if n % 2 == 1 { values[n / 2] } else { (values[n / 2 - 1] + values[n / 2]) / 2.0 };
                assert_eq!(got, want, "{values:?}");
            }
        }
    }
}
