//! The inner loops, compiled twice: for any processor, and for AVX2, chosen at run time.
//!
//! Both are the same safe code. Rust never fuses or reorders floating-point operations by itself, so both give the same bits;
//! a test holds them to that. The only unsafe step is to call what needs AVX2 once its presence is known.
#![allow(unsafe_code)]

use num_complex::Complex32;

/// Defines `name`, which runs `body` as compiled for the widest vectors that this processor has.
macro_rules! dispatched {
    ($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),*) = $body:ident) => {
        $(#[$doc])*
        pub(crate) fn $name($($argument: $kind),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn wide($($argument: $kind),*) {
                    $body($($argument),*);
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has AVX2, which is all that `wide` asks for.
                    return unsafe { wide($($argument),*) };
                }
            }
            $body($($argument),*);
        }
    };
}
pub(crate) use dispatched;

/// Values handled together; two AVX2 registers.
pub(crate) const LANES: usize = 16;

/// Coefficients of a sparse filter come in blocks of this many.
pub(crate) const FILTER_BLOCK: usize = 8;

dispatched! {
    /// `out[i] = (frame[2i] window[2i], frame[2i+1] window[2i+1])`.
    window_pairs(frame: &[f32], window: &[f32], out: &mut [Complex32]) = window_pairs_body
}

#[inline(always)]
fn window_pairs_body(frame: &[f32], window: &[f32], out: &mut [Complex32]) {
    let pairs = frame.as_chunks::<2>().0.iter().zip(window.as_chunks::<2>().0);
    for (o, (x, w)) in out.iter_mut().zip(pairs) {
        *o = Complex32::new(x[0] * w[0], x[1] * w[1]);
    }
}

/// Twiddle factors of the split: `-i exp(-2 pi i k / n)` for k from 1, real and imaginary parts apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Twiddles {
    pub(crate) re: Vec<f32>,
    pub(crate) im: Vec<f32>,
}

dispatched! {
    /// Power of the spectrum of a real signal; see [`split`]. `out` has one value more than `z`.
    split_power(z: &[Complex32], twiddles: &Twiddles, out: &mut [f32]) = split_power_body
}

#[inline(always)]
fn split_power_body(z: &[Complex32], twiddles: &Twiddles, out: &mut [f32]) {
    split(z, twiddles, out, |x| x.re * x.re + x.im * x.im);
}

dispatched! {
    /// The spectrum of a real signal; see [`split`]. `out` has one value more than `z`.
    split_complex(z: &[Complex32], twiddles: &Twiddles, out: &mut [Complex32]) = split_complex_body
}

#[inline(always)]
fn split_complex_body(z: &[Complex32], twiddles: &Twiddles, out: &mut [Complex32]) {
    split(z, twiddles, out, |x| x);
}

/// Gives `take` every bin of the spectrum `X` of a real signal from the transform `z` of its even and odd samples as real
/// and imaginary parts.
///
/// With `M = z.len()`, `a = z[k]`, `b = conj z[M-k]` and the twiddle `w`: `X[k] = (a + b)/2 + w (a - b)/2` and
/// `X[M-k] = conj((a + b)/2 - w (a - b)/2)`.
#[inline(always)]
fn split<T: Copy + Default>(
    z: &[Complex32],
    twiddles: &Twiddles,
    out: &mut [T],
    take: impl Fn(Complex32) -> T + Copy,
) {
    let m = z.len();
    let pairs = (m - 1) / 2;
    out[0] = take(Complex32::new(z[0].re + z[0].im, 0.0));
    out[m] = take(Complex32::new(z[0].re - z[0].im, 0.0));
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

/// The bins k and M-k from `z[k]` and `z[M-k]`. Halving is exact, so it does not matter where it is done.
#[inline(always)]
fn pair<T>(a: Complex32, b: Complex32, re: f32, im: f32, take: impl Fn(Complex32) -> T) -> (T, T) {
    let (even_re, even_im) = (0.5 * (a.re + b.re), 0.5 * (a.im - b.im));
    let (odd_re, odd_im) = (0.5 * (a.re - b.re), 0.5 * (a.im + b.im));
    let (turned_re, turned_im) = (odd_re * re - odd_im * im, odd_re * im + odd_im * re);
    (
        take(Complex32::new(even_re + turned_re, even_im + turned_im)),
        take(Complex32::new(even_re - turned_re, turned_im - even_im)),
    )
}

/// A filter of a sparse bank: which bins it begins at, and where its coefficients lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SparseRow {
    pub(crate) first_bin: usize,
    pub(crate) first_weight: usize,
    pub(crate) blocks: usize,
}

dispatched! {
    /// `out[m] = sum_i weights[first_weight + i] spectrum[first_bin + i]` over the blocks of each row.
    filter(rows: &[SparseRow], weights: &[f32], spectrum: &[f32], out: &mut [f32]) = filter_body
}

#[inline(always)]
fn filter_body(rows: &[SparseRow], weights: &[f32], spectrum: &[f32], out: &mut [f32]) {
    for (o, row) in out.iter_mut().zip(rows) {
        let length = row.blocks * FILTER_BLOCK;
        let weights = &weights[row.first_weight..row.first_weight + length];
        let values = &spectrum[row.first_bin..row.first_bin + length];
        let mut sums = [0.0f32; FILTER_BLOCK];
        for (w, v) in weights.as_chunks::<FILTER_BLOCK>().0.iter().zip(values.as_chunks::<FILTER_BLOCK>().0) {
            for i in 0..FILTER_BLOCK {
                sums[i] += w[i] * v[i];
            }
        }
        *o = ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
    }
}

dispatched! {
    /// `ln` of values that are all normal and positive; see [`crate::log`].
    ln_normal(values: &mut [f32]) = ln_normal_body
}

#[inline(always)]
fn ln_normal_body(values: &mut [f32]) {
    for v in values {
        *v = crate::log::ln_of_normal(*v);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize) -> Vec<f32> {
        let mut state = 99_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for m in [1, 2, 3, 4, 31, 32, 33, 34, 35, 64, 500, 1024] {
            let z: Vec<Complex32> =
                noise(2 * m).as_chunks().0.iter().map(|[a, b]| Complex32::new(*a, *b)).collect();
            let twiddles = Twiddles { re: noise(m), im: noise(m + 1)[1..].to_vec() };
            let (mut a, mut b) = (vec![0.0; m + 1], vec![0.0; m + 1]);
            split_power(&z, &twiddles, &mut a);
            split_power_body(&z, &twiddles, &mut b);
            assert_eq!(a, b, "power of {m}");
            let (mut a, mut b) = (vec![Complex32::default(); m + 1], vec![Complex32::default(); m + 1]);
            split_complex(&z, &twiddles, &mut a);
            split_complex_body(&z, &twiddles, &mut b);
            assert_eq!(a, b, "spectrum of {m}");

            let (x, w) = (noise(2 * m), noise(2 * m + 1));
            let (mut a, mut b) = (vec![Complex32::default(); m], vec![Complex32::default(); m]);
            window_pairs(&x, &w[1..], &mut a);
            window_pairs_body(&x, &w[1..], &mut b);
            assert_eq!(a, b, "window of {m}");

            let (mut a, mut b): (Vec<f32>, Vec<f32>) = x.iter().map(|v| (v + 2.0, v + 2.0)).unzip();
            ln_normal(&mut a);
            ln_normal_body(&mut b);
            assert_eq!(a, b, "logarithm of {m}");

            let rows = [SparseRow { first_bin: 0, first_weight: 0, blocks: 2 * m / FILTER_BLOCK }];
            let (mut a, mut b) = ([0.0], [0.0]);
            filter(&rows, &w, &x, &mut a);
            filter_body(&rows, &w, &x, &mut b);
            assert_eq!(a, b, "filter of {m}");
        }
    }
}
