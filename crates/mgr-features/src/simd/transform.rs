//! Around the transform of half the length that a real frame goes through: the window before, the split after.

use num_complex::{Complex, Complex32, Complex64};

use super::Real;

/// Twiddle factors of the split: `-i exp(-2 pi i k / n)` for k from 1, real and imaginary parts apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Twiddles<F> {
    pub(crate) re: Vec<F>,
    pub(crate) im: Vec<F>,
}

/// A precision that frames are transformed in. Windows and transforms are in it, results in f32.
pub(crate) trait Transformed: Real {
    /// `out[i] = (frame[2i] window[2i], frame[2i+1] window[2i+1])`.
    fn window_pairs(frame: &[f32], window: &[Self], out: &mut [Complex<Self>]);

    /// Power of the spectrum of a real signal; see [`split`]. `out` has one value more than `z`.
    fn split_power(z: &[Complex<Self>], twiddles: &Twiddles<Self>, out: &mut [f32]);

    /// Its magnitude.
    fn split_magnitude(z: &[Complex<Self>], twiddles: &Twiddles<Self>, out: &mut [f32]);

    /// The spectrum itself.
    fn split_complex(z: &[Complex<Self>], twiddles: &Twiddles<Self>, out: &mut [Complex32]);
}

macro_rules! precision {
    ($real:ty, $pairs:ident, $power:ident, $magnitude:ident, $complex:ident) => {
        dispatched! {
            $pairs(frame: &[f32], window: &[$real], out: &mut [Complex<$real>]) = window_pairs_body
        }
        dispatched! {
            $power(z: &[Complex<$real>], twiddles: &Twiddles<$real>, out: &mut [f32]) = split_power_body
        }
        dispatched! {
            $magnitude(z: &[Complex<$real>], twiddles: &Twiddles<$real>, out: &mut [f32]) = split_magnitude_body
        }
        dispatched! {
            $complex(z: &[Complex<$real>], twiddles: &Twiddles<$real>, out: &mut [Complex32]) = split_complex_body
        }

        impl Transformed for $real {
            fn window_pairs(frame: &[f32], window: &[Self], out: &mut [Complex<Self>]) {
                $pairs(frame, window, out);
            }

            fn split_power(z: &[Complex<Self>], twiddles: &Twiddles<Self>, out: &mut [f32]) {
                $power(z, twiddles, out);
            }

            fn split_magnitude(z: &[Complex<Self>], twiddles: &Twiddles<Self>, out: &mut [f32]) {
                $magnitude(z, twiddles, out);
            }

            fn split_complex(z: &[Complex<Self>], twiddles: &Twiddles<Self>, out: &mut [Complex32]) {
                $complex(z, twiddles, out);
            }
        }
    };
}

precision!(f32, window_single, power_single, magnitude_single, complex_single);
precision!(f64, window_double, power_double, magnitude_double, complex_double);

dispatched! {
    /// The spectrum of a real signal, not rounded.
    split_wide(z: &[Complex64], twiddles: &Twiddles<f64>, out: &mut [Complex64]) = split_wide_body
}

dispatched! {
    /// Its power, not rounded.
    split_power_wide(z: &[Complex64], twiddles: &Twiddles<f64>, out: &mut [f64]) = split_power_wide_body
}

#[inline(always)]
fn window_pairs_body<F: Real>(frame: &[f32], window: &[F], out: &mut [Complex<F>]) {
    // Eight products at a time, in the order in which they lie in memory before and after.
    let count = out.len().min(frame.len() / 2).min(window.len() / 2);
    let (frame, window) = (&frame[..2 * count], &window[..2 * count]);
    let (blocks, rest) = out[..count].as_chunks_mut::<4>();
    let ((x_blocks, x_rest), (w_blocks, w_rest)) = (frame.as_chunks::<8>(), window.as_chunks::<8>());
    for (o, (x, w)) in blocks.iter_mut().zip(x_blocks.iter().zip(w_blocks)) {
        let mut product = [F::zero(); 8];
        for i in 0..8 {
            product[i] = F::from_single(x[i]) * w[i];
        }
        for i in 0..4 {
            o[i] = Complex::new(product[2 * i], product[2 * i + 1]);
        }
    }
    let pairs = x_rest.as_chunks::<2>().0.iter().zip(w_rest.as_chunks::<2>().0);
    for (o, (x, w)) in rest.iter_mut().zip(pairs) {
        *o = Complex::new(F::from_single(x[0]) * w[0], F::from_single(x[1]) * w[1]);
    }
}

#[inline(always)]
fn split_power_body<F: Real>(z: &[Complex<F>], twiddles: &Twiddles<F>, out: &mut [f32]) {
    split(z, twiddles, out, |x| (x.re * x.re + x.im * x.im).narrow());
}

#[inline(always)]
fn split_magnitude_body<F: Real>(z: &[Complex<F>], twiddles: &Twiddles<F>, out: &mut [f32]) {
    split(z, twiddles, out, |x| (x.re * x.re + x.im * x.im).sqrt().narrow());
}

#[inline(always)]
fn split_complex_body<F: Real>(z: &[Complex<F>], twiddles: &Twiddles<F>, out: &mut [Complex32]) {
    split(z, twiddles, out, |x| Complex32::new(x.re.narrow(), x.im.narrow()));
}

#[inline(always)]
fn split_wide_body(z: &[Complex64], twiddles: &Twiddles<f64>, out: &mut [Complex64]) {
    split(z, twiddles, out, |x| x);
}

#[inline(always)]
fn split_power_wide_body(z: &[Complex64], twiddles: &Twiddles<f64>, out: &mut [f64]) {
    split(z, twiddles, out, |x| x.re * x.re + x.im * x.im);
}

/// Bins handled together.
const LANES: usize = super::LANES;

/// Gives `take` every bin of the spectrum `X` of a real signal from the transform `z` of its even and odd samples as real
/// and imaginary parts.
///
/// With `M = z.len()`, `a = z[k]`, `b = conj z[M-k]` and the twiddle `w`: `X[k] = (a + b)/2 + w (a - b)/2` and
/// `X[M-k] = conj((a + b)/2 - w (a - b)/2)`.
#[inline(always)]
fn split<F: Real, T: Copy + Default>(
    z: &[Complex<F>],
    twiddles: &Twiddles<F>,
    out: &mut [T],
    take: impl Fn(Complex<F>) -> T + Copy,
) {
    let m = z.len();
    let pairs = (m - 1) / 2;
    out[0] = take(Complex::new(z[0].re + z[0].im, F::zero()));
    out[m] = take(Complex::new(z[0].re - z[0].im, F::zero()));
    if m.is_multiple_of(2) {
        // One bin stands between the pairs, and is its own partner.
        out[m / 2] = take(z[m / 2].conj());
    }
    let (low, high) = out[1..m].split_at_mut(m / 2);
    let (low, high) = (&mut low[..pairs], &mut high[m - 1 - m / 2 - pairs..]);
    let blocks = pairs / LANES;
    for block in 0..blocks {
        let at = block * LANES;
        let front = &z[1 + at..1 + at + LANES];
        let back = &z[m - at - LANES..m - at];
        let (re, im) = (&twiddles.re[at..at + LANES], &twiddles.im[at..at + LANES]);
        let (mut p, mut q) = ([T::default(); LANES], [T::default(); LANES]);
        for j in 0..LANES {
            (p[j], q[j]) = pair(front[j], back[LANES - 1 - j], re[j], im[j], take);
        }
        low[at..at + LANES].copy_from_slice(&p);
        let start = pairs - at - LANES;
        for (o, v) in high[start..start + LANES].iter_mut().zip(q.iter().rev()) {
            *o = *v;
        }
    }
    for k in blocks * LANES..pairs {
        let (re, im) = (twiddles.re[k], twiddles.im[k]);
        (low[k], high[pairs - 1 - k]) = pair(z[1 + k], z[m - 1 - k], re, im, take);
    }
}

/// The bins k and M-k from `z[k]` and `z[M-k]`.
#[inline(always)]
fn pair<F: Real, T>(a: Complex<F>, b: Complex<F>, re: F, im: F, take: impl Fn(Complex<F>) -> T) -> (T, T) {
    let (even, turned) = even_and_odd(a, b, re, im);
    (
        take(Complex::new(even.re + turned.re, even.im + turned.im)),
        take(Complex::new(even.re - turned.re, turned.im - even.im)),
    )
}

/// Bin `k` of the spectrum of a real signal alone.
#[inline(always)]
pub(crate) fn real_bin<F: Real>(a: Complex<F>, b: Complex<F>, w: Complex<F>) -> Complex<F> {
    let (even, turned) = even_and_odd(a, b, w.re, w.im);
    Complex::new(even.re + turned.re, even.im + turned.im)
}

/// The parts of bin `k` of the even and of the odd samples, from `z[k]`, `z[M-k]` and the twiddle. Halving is exact, so it does
/// not matter where it is done.
#[inline(always)]
fn even_and_odd<F: Real>(a: Complex<F>, b: Complex<F>, re: F, im: F) -> (Complex<F>, Complex<F>) {
    let half = F::of(0.5);
    let even = Complex::new(half * (a.re + b.re), half * (a.im - b.im));
    let (odd_re, odd_im) = (half * (a.re - b.re), half * (a.im + b.im));
    (even, Complex::new(odd_re * re - odd_im * im, odd_re * im + odd_im * re))
}

#[cfg(test)]
mod tests {
    use super::super::noise;
    use super::*;

    fn check<F: Transformed>(m: usize) {
        let of = |count: usize, seed: u32| -> Vec<F> {
            noise(count, seed).into_iter().map(F::from_single).collect()
        };
        let z: Vec<Complex<F>> =
            of(2 * m, 99).as_chunks().0.iter().map(|[a, b]| Complex::new(*a, *b)).collect();
        let twiddles = Twiddles { re: of(m, 98), im: of(m, 97) };
        for (wide, narrow) in [
            (
                F::split_power as fn(&[Complex<F>], &Twiddles<F>, &mut [f32]),
                split_power_body as fn(&[Complex<F>], &Twiddles<F>, &mut [f32]),
            ),
            (F::split_magnitude, split_magnitude_body),
        ] {
            let (mut a, mut b) = (vec![0.0; m + 1], vec![0.0; m + 1]);
            wide(&z, &twiddles, &mut a);
            narrow(&z, &twiddles, &mut b);
            assert_eq!(a, b, "power of {m}");
        }
        let (mut a, mut b) = (vec![Complex32::default(); m + 1], vec![Complex32::default(); m + 1]);
        F::split_complex(&z, &twiddles, &mut a);
        split_complex_body(&z, &twiddles, &mut b);
        assert_eq!(a, b, "spectrum of {m}");
        for k in 1..m.div_ceil(2) {
            let w = Complex::new(twiddles.re[k - 1], twiddles.im[k - 1]);
            let x = real_bin(z[k], z[m - k], w);
            assert_eq!(a[k], Complex32::new(x.re.narrow(), x.im.narrow()), "bin {k} of {m}");
        }

        let (x, w) = (noise(2 * m, 5), of(2 * m, 6));
        let empty = vec![Complex::new(F::zero(), F::zero()); m];
        let (mut a, mut b) = (empty.clone(), empty);
        F::window_pairs(&x, &w, &mut a);
        window_pairs_body(&x, &w, &mut b);
        assert_eq!(a, b, "window of {m}");
    }

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for m in [1, 2, 3, 4, 31, 32, 33, 34, 35, 64, 500, 1024] {
            check::<f32>(m);
            check::<f64>(m);
            let values = noise(4 * m, 1);
            let z: Vec<Complex64> =
                values.as_chunks().0.iter().map(|[a, b]| Complex64::new((*a).into(), (*b).into())).collect();
            let (z, rest) = z.split_at(m);
            let twiddles =
                Twiddles { re: rest.iter().map(|z| z.re).collect(), im: rest.iter().map(|z| z.im).collect() };
            let (mut a, mut b) = (vec![Complex64::default(); m + 1], vec![Complex64::default(); m + 1]);
            split_wide(z, &twiddles, &mut a);
            split_wide_body(z, &twiddles, &mut b);
            assert_eq!(a, b, "spectrum of {m}");
            let (mut p, mut q) = (vec![0.0; m + 1], vec![0.0; m + 1]);
            split_power_wide(z, &twiddles, &mut p);
            split_power_wide_body(z, &twiddles, &mut q);
            assert_eq!(p, q, "power of {m}");
            assert!(p.iter().zip(&a).all(|(p, z)| *p == z.re * z.re + z.im * z.im), "power of {m}");
        }
    }
}
