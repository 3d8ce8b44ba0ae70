//! The inner loops of the scattering transform, in either precision.

use num_complex::Complex;

use super::Real;
use super::transform::real_bin;

/// A precision that scattering computes in.
pub(crate) trait Scattered: Real {
    /// Standard deviations of a Gaussian after which it counts as nothing, in frequency.
    const SUPPORT: f64;
    /// The same in time, where what is left out is a share of the loudest sample.
    const REACH: f64;

    /// `out[i] = values[i] weights[i]`.
    fn weigh(values: &[Complex<Self>], weights: &[Self], out: &mut [Complex<Self>]);

    /// `out[i] = (|z[2i]|, |z[2i+1]|)`.
    fn modulus_pairs(z: &[Complex<Self>], out: &mut [Complex<Self>]);

    /// Bins of the spectrum of a real signal from its packed transform; see [`split_body`].
    fn split(
        z: &[Complex<Self>],
        twiddles: &[Complex<Self>],
        low: &mut [Complex<Self>],
        mirrored: &mut [Complex<Self>],
    );

    /// The same from a packed transform in double precision.
    fn spread(
        z: &[Complex<f64>],
        twiddles: &[Complex<f64>],
        low: &mut [Complex<Self>],
        mirrored: &mut [Complex<Self>],
    );
}

macro_rules! precision {
    ($real:ty, $support:literal, $reach:literal, $weigh:ident, $modulus_pairs:ident, $split:ident, $spread:ident) => {
        dispatched! {
            $weigh(values: &[Complex<$real>], weights: &[$real], out: &mut [Complex<$real>]) = weigh_body
        }
        dispatched! {
            $modulus_pairs(z: &[Complex<$real>], out: &mut [Complex<$real>]) = modulus_pairs_body
        }
        dispatched! {
            $split(
                z: &[Complex<$real>],
                twiddles: &[Complex<$real>],
                low: &mut [Complex<$real>],
                mirrored: &mut [Complex<$real>]
            ) = split_body
        }
        dispatched! {
            $spread(
                z: &[Complex<f64>],
                twiddles: &[Complex<f64>],
                low: &mut [Complex<$real>],
                mirrored: &mut [Complex<$real>]
            ) = split_body
        }

        impl Scattered for $real {
            const SUPPORT: f64 = $support;
            const REACH: f64 = $reach;

            fn weigh(values: &[Complex<Self>], weights: &[Self], out: &mut [Complex<Self>]) {
                $weigh(values, weights, out);
            }

            fn modulus_pairs(z: &[Complex<Self>], out: &mut [Complex<Self>]) {
                $modulus_pairs(z, out);
            }

            fn split(
                z: &[Complex<Self>],
                twiddles: &[Complex<Self>],
                low: &mut [Complex<Self>],
                mirrored: &mut [Complex<Self>],
            ) {
                $split(z, twiddles, low, mirrored);
            }

            fn spread(
                z: &[Complex<f64>],
                twiddles: &[Complex<f64>],
                low: &mut [Complex<Self>],
                mirrored: &mut [Complex<Self>],
            ) {
                $spread(z, twiddles, low, mirrored);
            }
        }
    };
}

precision!(f32, 6.0, 5.5, weigh_single, modulus_pairs_single, split_single, spread_single);
precision!(f64, 7.5, 7.2, weigh_double, modulus_pairs_double, split_double, spread_double);

#[inline(always)]
fn weigh_body<F: Real>(values: &[Complex<F>], weights: &[F], out: &mut [Complex<F>]) {
    for ((o, v), &w) in out.iter_mut().zip(values).zip(weights) {
        *o = Complex::new(v.re * w, v.im * w);
    }
}

#[inline(always)]
fn modulus_pairs_body<F: Real>(z: &[Complex<F>], out: &mut [Complex<F>]) {
    let norm = |z: Complex<F>| (z.re * z.re + z.im * z.im).sqrt();
    for (o, [a, b]) in out.iter_mut().zip(z.as_chunks::<2>().0) {
        *o = Complex::new(norm(*a), norm(*b));
    }
}

/// Bins 1 to `low.len()` of the spectrum of a real signal, by [`real_bin`]: their conjugates into `low`, themselves into
/// `mirrored` from its end. Twiddles begin with bin 1.
#[inline(always)]
fn split_body<F: Real, G: Real>(
    z: &[Complex<F>],
    twiddles: &[Complex<F>],
    low: &mut [Complex<G>],
    mirrored: &mut [Complex<G>],
) {
    let back = z[1..].iter().rev();
    let places = low.iter_mut().zip(mirrored.iter_mut().rev());
    for (((l, m), w), (a, b)) in places.zip(twiddles).zip(z[1..].iter().zip(back)) {
        let x = real_bin(*a, *b, *w);
        // To double precision and back changes no single one.
        let (re, im) = (G::of(x.re.wide()), G::of(x.im.wide()));
        *l = Complex::new(re, -im);
        *m = Complex::new(re, im);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize, seed: u32) -> Vec<Complex<f32>> {
        super::super::noise(2 * count, seed).as_chunks().0.iter().map(|[a, b]| Complex::new(*a, *b)).collect()
    }

    fn widened(values: &[Complex<f32>]) -> Vec<Complex<f64>> {
        values.iter().map(|z| Complex::new(z.re.into(), z.im.into())).collect()
    }

    fn check<F: Scattered>(z: &[Complex<F>], other: &[Complex<F>]) {
        let count = z.len();
        let weights: Vec<F> = other.iter().map(|z| z.re).collect();
        let empty = vec![Complex::new(F::zero(), F::zero()); count];
        let (mut a, mut b) = (empty.clone(), empty.clone());
        F::weigh(z, &weights, &mut a);
        weigh_body(z, &weights, &mut b);
        assert_eq!(a, b);
        F::modulus_pairs(z, &mut a[..count / 2]);
        modulus_pairs_body(z, &mut b[..count / 2]);
        assert_eq!(a, b);
        let low = count - 1;
        let (mut c, mut d) = (empty.clone(), empty);
        F::split(z, other, &mut a[..low], &mut c[..low]);
        split_body(z, other, &mut b[..low], &mut d[..low]);
        assert_eq!((a, c), (b, d));
    }

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for count in [1, 2, 3, 7, 8, 9, 31, 64, 1000] {
            let (z, other) = (noise(count, 1), noise(count, 2));
            check(&z, &other);
            check(&widened(&z), &widened(&other));
        }
    }
}
