//! Spectra and texture windows in double precision.

use num_complex::Complex64;

/// Values handled together; two AVX2 registers.
const LANES: usize = 8;

dispatched! {
    /// `out[k] = |spectrum[k]|^2`.
    powers(spectrum: &[Complex64], out: &mut [f64]) = powers_body
}

#[inline(always)]
fn powers_body(spectrum: &[Complex64], out: &mut [f64]) {
    for (o, z) in out.iter_mut().zip(spectrum) {
        *o = z.re * z.re + z.im * z.im;
    }
}

/// `ln x` for positive normal numbers, to 2 units in the last place: `e ln 2 + 2 artanh((m - 1) / (m + 1))`.
///
/// The mantissa `m` lies within the square roots of a half and of two, where the terms behind `s^21` are under 1e-17 of `s`.
#[inline(always)]
fn ln_of_normal(x: f64) -> f64 {
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const ONE: u64 = 1023 << 52;
    /// 2^52: added to the bits of a small whole number it makes that number and itself.
    const WHOLE: u64 = 0x4330_0000_0000_0000;
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let biased = x.to_bits().wrapping_sub(SQRT_HALF).wrapping_add(ONE) >> 52;
    let m = f64::from_bits(x.to_bits().wrapping_sub(biased << 52).wrapping_add(ONE));
    let e = f64::from_bits(biased | WHOLE) - f64::from_bits(WHOLE) - 1023.0;
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    // Odd and even terms apart, so that a product need not wait for the one before.
    let odd = 2.0 / 3.0 + w * (2.0 / 7.0 + w * (2.0 / 11.0 + w * (2.0 / 15.0 + w * (2.0 / 19.0))));
    let even = 2.0 / 5.0 + w * (2.0 / 9.0 + w * (2.0 / 13.0 + w * (2.0 / 17.0 + w * (2.0 / 21.0))));
    let tail = z * (odd + z * even);
    e * LN_2_HIGH + (f - (s * (f - tail) - e * LN_2_LOW))
}

dispatched! {
    /// `logs[k] = ln(powers[k] + least)`, positive and normal, and of the squares of `logs - before` their sum and the largest.
    log_steps(powers: &[f64], before: &[f64], logs: &mut [f64], out: &mut [f64; 2]) = log_steps_body
}

#[inline(always)]
fn log_steps_body(powers: &[f64], before: &[f64], logs: &mut [f64], out: &mut [f64; 2]) {
    for (o, p) in logs.iter_mut().zip(powers) {
        *o = ln_of_normal(p + f64::MIN_POSITIVE);
    }
    let (mut sums, mut tops) = ([0.0; LANES], [0.0; LANES]);
    let mut take = |i: usize, now: f64, before: f64| {
        let d = (now - before) * (now - before);
        sums[i] += d;
        tops[i] = if d > tops[i] { d } else { tops[i] };
    };
    let (now, now_rest) = logs.as_chunks::<LANES>();
    let (before, before_rest) = before[..logs.len()].as_chunks::<LANES>();
    for (now, before) in now.iter().zip(before) {
        for i in 0..LANES {
            take(i, now[i], before[i]);
        }
    }
    for (i, (now, before)) in now_rest.iter().zip(before_rest).enumerate() {
        take(i, *now, *before);
    }
    let sum = ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
    let top = tops.into_iter().fold(0.0, |a, b| if b > a { b } else { a });
    *out = [sum, top];
}

dispatched! {
    /// Mean and standard deviation of each column of rows that lie one after another, as wide as `means`.
    texture(rows: &[f64], means: &mut [f64], stds: &mut [f64]) = texture_body
}

#[inline(always)]
fn texture_body(rows: &[f64], means: &mut [f64], stds: &mut [f64]) {
    let width = means.len().max(1);
    let count = (rows.len() / width) as f64;
    let stds = &mut stds[..means.len()];
    means.fill(0.0);
    stds.fill(0.0);
    let Some(first) = rows.get(..means.len()) else { return };
    // Differences from the first row, so that the mean of equal values is their value.
    for row in rows.chunks_exact(width) {
        for ((m, x), x0) in means.iter_mut().zip(row).zip(first) {
            *m += x - x0;
        }
    }
    for (m, x0) in means.iter_mut().zip(first) {
        *m = x0 + *m / count;
    }
    for row in rows.chunks_exact(width) {
        for ((s, m), x) in stds.iter_mut().zip(&*means).zip(row) {
            *s += (x - m) * (x - m);
        }
    }
    stds.iter_mut().for_each(|s| *s = (*s / count).sqrt());
}

dispatched! {
    /// How often two neighbours have opposite signs, neither of them being zero.
    opposite_neighbours(values: &[f32], out: &mut u32) = opposite_neighbours_body
}

#[inline(always)]
fn opposite_neighbours_body(values: &[f32], out: &mut u32) {
    let after = values.get(1..).unwrap_or(&[]);
    let opposite = |a: f32, b: f32| ((a < 0.0) & (b > 0.0)) | ((a > 0.0) & (b < 0.0));
    *out = values.iter().zip(after).map(|(a, b)| u32::from(opposite(*a, *b))).sum();
}

#[cfg(test)]
mod tests {
    use super::super::noise;
    use super::*;

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for n in [0, 1, 7, 8, 9, 17, 256, 257] {
            let values = noise(n, 11);
            let wide: Vec<f64> = values.iter().map(|x| f64::from(x * x)).collect();
            let spectrum: Vec<Complex64> = wide.iter().map(|x| Complex64::new(*x, 0.5 - x)).collect();
            let (mut a, mut b) = (vec![0.0; n], vec![1.0; n]);
            powers(&spectrum, &mut a);
            powers_body(&spectrum, &mut b);
            assert_eq!(a, b, "powers of {n}");
            let (mut sums_a, mut sums_b) = ([0.0; 2], [1.0; 2]);
            log_steps(&wide, &wide, &mut a, &mut sums_a);
            log_steps_body(&wide, &wide, &mut b, &mut sums_b);
            assert_eq!((&a, sums_a), (&b, sums_b), "logarithms of {n}");
            let (mut more_a, mut more_b) = (a.clone(), b.clone());
            let rows = wide.repeat(5);
            texture(&rows, &mut a, &mut more_a);
            texture_body(&rows, &mut b, &mut more_b);
            assert_eq!((a, more_a), (b, more_b), "texture of {n}");
            let (mut a, mut b) = (0, 1);
            opposite_neighbours(&values, &mut a);
            opposite_neighbours_body(&values, &mut b);
            assert_eq!(a, b, "neighbours of {n}");
        }
    }

    #[test]
    fn logarithms_are_those_of_the_standard_library() {
        let mut x = f64::MIN_POSITIVE;
        while x < f64::MAX / 1.01 {
            let (got, want) = (ln_of_normal(x), x.ln());
            assert!((got - want).abs() <= 4e-16 * want.abs().max(0.01), "{x}: {got} {want}");
            x *= 1.003_7;
        }
        assert_eq!((ln_of_normal(1.0), ln_of_normal(f64::MIN_POSITIVE)), (0.0, f64::MIN_POSITIVE.ln()));
    }

    #[test]
    fn zeros_are_no_opposites() {
        let mut count = 0;
        opposite_neighbours(&[1.0, -1.0, 0.0, 1.0, -0.0, -2.0, 1e-40], &mut count);
        assert_eq!(count, 2);
    }
}
