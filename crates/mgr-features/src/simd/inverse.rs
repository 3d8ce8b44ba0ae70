//! The inner loops of the inverse transform.

use num_complex::Complex32;

use super::LANES;
use super::transform::Twiddles;

dispatched! {
    /// The half-length spectrum `z` whose inverse transform holds the even and odd samples of the real signal of spectrum
    /// `x` as real and imaginary parts, times the length of the signal. `x` has one value more than `z`.
    join(x: &[Complex32], twiddles: &Twiddles<f32>, z: &mut [Complex32]) = join_body
}

/// The inverse of the split: with `M = z.len()`, `a = x[k]`, `b = conj x[M-k]` and the twiddle `w`,
/// `z[k] = (a + b) + conj(w) (a - b)` and `z[M-k] = conj((a + b) - conj(w) (a - b))`.
///
/// A real signal has no imaginary part in its first and last bin: what is there anyway has no effect.
#[inline(always)]
fn join_body(x: &[Complex32], twiddles: &Twiddles<f32>, z: &mut [Complex32]) {
    let m = z.len();
    let pairs = (m - 1) / 2;
    let (first, last) = (x[0].re, x[m].re);
    z[0] = Complex32::new(first + last, first - last);
    if m.is_multiple_of(2) {
        let middle = x[m / 2];
        z[m / 2] = Complex32::new(2.0 * middle.re, -2.0 * middle.im);
    }
    let (low, high) = z[1..].split_at_mut(m / 2);
    let (low, high) = (&mut low[..pairs], &mut high[m - 1 - m / 2 - pairs..]);
    let blocks = pairs / LANES;
    for block in 0..blocks {
        let at = block * LANES;
        let front = &x[1 + at..1 + at + LANES];
        let back = &x[m - at - LANES..m - at];
        let (re, im) = (&twiddles.re[at..at + LANES], &twiddles.im[at..at + LANES]);
        let (mut p, mut q) = ([Complex32::default(); LANES], [Complex32::default(); LANES]);
        for j in 0..LANES {
            (p[j], q[j]) = pair(front[j], back[LANES - 1 - j], re[j], im[j]);
        }
        low[at..at + LANES].copy_from_slice(&p);
        let start = pairs - at - LANES;
        for (o, v) in high[start..start + LANES].iter_mut().zip(q.iter().rev()) {
            *o = *v;
        }
    }
    for k in blocks * LANES..pairs {
        let (re, im) = (twiddles.re[k], twiddles.im[k]);
        (low[k], high[pairs - 1 - k]) = pair(x[1 + k], x[m - 1 - k], re, im);
    }
}

#[inline(always)]
fn pair(a: Complex32, b: Complex32, re: f32, im: f32) -> (Complex32, Complex32) {
    let (even_re, even_im) = (a.re + b.re, a.im - b.im);
    let (odd_re, odd_im) = (a.re - b.re, a.im + b.im);
    let (turned_re, turned_im) = (odd_re * re + odd_im * im, odd_im * re - odd_re * im);
    (
        Complex32::new(even_re + turned_re, even_im + turned_im),
        Complex32::new(even_re - turned_re, turned_im - even_im),
    )
}

dispatched! {
    /// `sum[2i] += pairs[i].re window[2i]` and `sum[2i+1] += pairs[i].im window[2i+1]`.
    add_windowed_pairs(pairs: &[Complex32], window: &[f32], sum: &mut [f32]) = add_windowed_pairs_body
}

#[inline(always)]
fn add_windowed_pairs_body(pairs: &[Complex32], window: &[f32], sum: &mut [f32]) {
    let places = sum.as_chunks_mut::<2>().0.iter_mut().zip(window.as_chunks::<2>().0);
    for ((s, w), z) in places.zip(pairs) {
        s[0] += z.re * w[0];
        s[1] += z.im * w[1];
    }
}

dispatched! {
    /// `values[i] /= divisors[i]`.
    divide(values: &mut [f32], divisors: &[f32]) = divide_body
}

#[inline(always)]
fn divide_body(values: &mut [f32], divisors: &[f32]) {
    for (v, d) in values.iter_mut().zip(divisors) {
        *v /= d;
    }
}

#[cfg(test)]
mod tests {
    use super::super::noise;
    use super::*;

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for m in [1, 2, 3, 4, 31, 32, 33, 34, 35, 64, 500, 1024] {
            let of = |v: Vec<f32>| -> Vec<Complex32> {
                v.as_chunks().0.iter().map(|[a, b]| Complex32::new(*a, *b)).collect()
            };
            let x = of(noise(2 * m + 2, 7));
            let twiddles = Twiddles { re: noise(m, 7), im: noise(m + 1, 7)[1..].to_vec() };
            let (mut a, mut b) = (vec![Complex32::default(); m], vec![Complex32::default(); m]);
            join(&x, &twiddles, &mut a);
            join_body(&x, &twiddles, &mut b);
            assert_eq!(a, b, "join of {m}");

            let window = noise(2 * m + 1, 7);
            let (mut a, mut b) = (noise(2 * m, 7), noise(2 * m, 7));
            add_windowed_pairs(&x[1..], &window[1..], &mut a);
            add_windowed_pairs_body(&x[1..], &window[1..], &mut b);
            assert_eq!(a, b, "sum of {m}");
            divide(&mut a, &window);
            divide_body(&mut b, &window);
            assert_eq!(a, b, "quotient of {m}");
        }
    }
}
