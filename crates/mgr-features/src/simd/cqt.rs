//! The inner loops of the constant-Q transforms.

/// Frames that are projected together, so that each kernel value is loaded once for all of them.
pub(crate) const GROUP: usize = 4;

/// Rows of a dense kernel come in tiles of this many.
pub(crate) const TILE: usize = 16;

/// Rows of the last tile where eight suffice.
pub(crate) const HALF_TILE: usize = 8;

/// Coefficients of a sparse row come in blocks of this many.
pub(crate) const BLOCK: usize = 8;

/// Outputs of the half-band filter that are computed together.
const OUTPUTS: usize = 32;

dispatched! {
    /// `even[i] = x[2i]` and `odd[i] = x[2i + 1]`.
    split(x: &[f32], even: &mut [f32], odd: &mut [f32]) = split_body
}

#[inline(always)]
fn split_body(x: &[f32], even: &mut [f32], odd: &mut [f32]) {
    let (pairs, _) = x.as_chunks::<2>();
    let count = pairs.len().min(even.len()).min(odd.len());
    let (blocks, rest) = pairs[..count].as_chunks::<BLOCK>();
    let (even, even_rest) = even[..count].as_chunks_mut::<BLOCK>();
    let (odd, odd_rest) = odd[..count].as_chunks_mut::<BLOCK>();
    for ((block, e), o) in blocks.iter().zip(even).zip(odd) {
        for i in 0..BLOCK {
            (e[i], o[i]) = (block[i][0], block[i][1]);
        }
    }
    for ((pair, e), o) in rest.iter().zip(even_rest).zip(odd_rest) {
        (*e, *o) = (pair[0], pair[1]);
    }
}

dispatched! {
    /// `out[i] = centre even[i] + sum_j taps[j] (odd[i + J + j] + odd[i + J - 1 - j])` with `J = taps.len()`.
    half_band(even: &[f32], odd: &[f32], centre: f32, taps: &[f32], out: &mut [f32]) = half_band_body
}

#[inline(always)]
fn half_band_body(even: &[f32], odd: &[f32], centre: f32, taps: &[f32], out: &mut [f32]) {
    let reach = taps.len();
    let blocks = out.len() / OUTPUTS;
    for block in 0..blocks {
        let at = block * OUTPUTS;
        let mut sums = [0.0f32; OUTPUTS];
        let e = &even[at..at + OUTPUTS];
        for i in 0..OUTPUTS {
            sums[i] = centre * e[i];
        }
        for (j, tap) in taps.iter().enumerate() {
            let after = &odd[at + reach + j..at + reach + j + OUTPUTS];
            let before = &odd[at + reach - 1 - j..at + reach - 1 - j + OUTPUTS];
            for i in 0..OUTPUTS {
                sums[i] += tap * (after[i] + before[i]);
            }
        }
        out[at..at + OUTPUTS].copy_from_slice(&sums);
    }
    for i in blocks * OUTPUTS..out.len() {
        let mut sum = centre * even[i];
        for (j, tap) in taps.iter().enumerate() {
            sum += tap * (odd[i + reach + j] + odd[i + reach - 1 - j]);
        }
        out[i] = sum;
    }
}

dispatched! {
    /// `out[i] += sum_j taps[j] (values[i + J + j + 1] + values[i + J - 1 - j])` with `J = taps.len()`.
    add_pairs(values: &[f32], taps: &[f32], out: &mut [f32]) = add_pairs_body
}

#[inline(always)]
fn add_pairs_body(values: &[f32], taps: &[f32], out: &mut [f32]) {
    let reach = taps.len();
    let blocks = out.len() / OUTPUTS;
    for block in 0..blocks {
        let at = block * OUTPUTS;
        let mut sums = [0.0f32; OUTPUTS];
        sums.copy_from_slice(&out[at..at + OUTPUTS]);
        for (j, tap) in taps.iter().enumerate() {
            let after = &values[at + reach + j + 1..at + reach + j + 1 + OUTPUTS];
            let before = &values[at + reach - 1 - j..at + reach - 1 - j + OUTPUTS];
            for i in 0..OUTPUTS {
                sums[i] += tap * (after[i] + before[i]);
            }
        }
        out[at..at + OUTPUTS].copy_from_slice(&sums);
    }
    for i in blocks * OUTPUTS..out.len() {
        for (j, tap) in taps.iter().enumerate() {
            out[i] += tap * (values[i + reach + j + 1] + values[i + reach - 1 - j]);
        }
    }
}

dispatched! {
    /// `out[i] = sum_j taps[j] x[i + j]`; `x` has `taps.len() - 1` values more than `out`.
    convolve(x: &[f32], taps: &[f32], out: &mut [f32]) = convolve_body
}

#[inline(always)]
fn convolve_body(x: &[f32], taps: &[f32], out: &mut [f32]) {
    let blocks = out.len() / OUTPUTS;
    for block in 0..blocks {
        let at = block * OUTPUTS;
        let mut sums = [0.0f32; OUTPUTS];
        for (j, tap) in taps.iter().enumerate() {
            let values = &x[at + j..at + j + OUTPUTS];
            for i in 0..OUTPUTS {
                sums[i] += tap * values[i];
            }
        }
        out[at..at + OUTPUTS].copy_from_slice(&sums);
    }
    for i in blocks * OUTPUTS..out.len() {
        let mut sum = 0.0;
        for (tap, value) in taps.iter().zip(&x[i..]) {
            sum += tap * value;
        }
        out[i] = sum;
    }
}

dispatched! {
    /// The inner product of two vectors of one length.
    dot(a: &[f32], b: &[f32], out: &mut f32) = dot_body
}

#[inline(always)]
fn dot_body(a: &[f32], b: &[f32], out: &mut f32) {
    let (a, a_rest) = a.as_chunks::<BLOCK>();
    let (b, b_rest) = b.as_chunks::<BLOCK>();
    let mut sums = [[0.0f32; BLOCK]; 4];
    let (quads_a, last_a) = a.as_chunks::<4>();
    let (quads_b, last_b) = b.as_chunks::<4>();
    for (x, y) in quads_a.iter().zip(quads_b) {
        for q in 0..4 {
            for i in 0..BLOCK {
                sums[q][i] += x[q][i] * y[q][i];
            }
        }
    }
    for (x, y) in last_a.iter().zip(last_b) {
        for i in 0..BLOCK {
            sums[0][i] += x[i] * y[i];
        }
    }
    let mut sum = [0.0f32; BLOCK];
    for i in 0..BLOCK {
        sum[i] = (sums[0][i] + sums[1][i]) + (sums[2][i] + sums[3][i]);
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    *out = total(sum) + rest;
}

#[inline(always)]
fn total(s: [f32; BLOCK]) -> f32 {
    ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]))
}

dispatched! {
    /// The even and odd parts of a frame about the point between its first two samples, the frame taken as a ring:
    /// `even[k] = x[1 + k] + x[n - k]`, `odd[k] = x[1 + k] - x[n - k]` for k under n/2, where `x[n]` is `x[0]`.
    fold(frame: &[f32], even: &mut [f32], odd: &mut [f32]) = fold_body
}

#[inline(always)]
fn fold_body(frame: &[f32], even: &mut [f32], odd: &mut [f32]) {
    let n = frame.len();
    let half = n / 2;
    (even[0], odd[0]) = (frame[1] + frame[0], frame[1] - frame[0]);
    let front = &frame[2..half + 1];
    let back = &frame[half + 1..n];
    let (even, odd) = (&mut even[1..half], &mut odd[1..half]);
    let pairs = front.len();
    let blocks = pairs / BLOCK;
    for block in 0..blocks {
        let at = block * BLOCK;
        let a = &front[at..at + BLOCK];
        let b = &back[pairs - at - BLOCK..pairs - at];
        let (mut e, mut o) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
        for i in 0..BLOCK {
            e[i] = a[i] + b[BLOCK - 1 - i];
            o[i] = a[i] - b[BLOCK - 1 - i];
        }
        even[at..at + BLOCK].copy_from_slice(&e);
        odd[at..at + BLOCK].copy_from_slice(&o);
    }
    for k in blocks * BLOCK..pairs {
        even[k] = front[k] + back[pairs - 1 - k];
        odd[k] = front[k] - back[pairs - 1 - k];
    }
}

dispatched! {
    /// `out[f * rows + r] = sum_k kernel[r, k] x[f][k]` for the frames of a group.
    ///
    /// The rows lie in tiles of [`TILE`], the last of [`HALF_TILE`] where that suffices; in a tile, values of one `k` are
    /// neighbours.
    project(kernel: &[f32], rows: usize, x: [&[f32]; GROUP], out: &mut [f32]) = project_body
}

#[inline(always)]
fn project_body(kernel: &[f32], rows: usize, x: [&[f32]; GROUP], out: &mut [f32]) {
    let length = x[0].len();
    let (mut first, mut at) = (0, 0);
    while first < rows {
        if rows - first >= TILE {
            tile::<TILE>(kernel[at..at + TILE * length].as_chunks().0, x, first, rows, out);
            (first, at) = (first + TILE, at + TILE * length);
        } else {
            tile::<HALF_TILE>(kernel[at..at + HALF_TILE * length].as_chunks().0, x, first, rows, out);
            (first, at) = (first + HALF_TILE, at + HALF_TILE * length);
        }
    }
}

#[inline(always)]
fn tile<const R: usize>(kernel: &[[f32; R]], x: [&[f32]; GROUP], first: usize, rows: usize, out: &mut [f32]) {
    let mut sums = [[0.0f32; R]; GROUP];
    let [a, b, c, d] = x;
    for ((((w, a), b), c), d) in kernel.iter().zip(a).zip(b).zip(c).zip(d) {
        for r in 0..R {
            sums[0][r] += w[r] * a;
        }
        for r in 0..R {
            sums[1][r] += w[r] * b;
        }
        for r in 0..R {
            sums[2][r] += w[r] * c;
        }
        for r in 0..R {
            sums[3][r] += w[r] * d;
        }
    }
    for (f, sum) in sums.iter().enumerate() {
        out[f * rows + first..f * rows + first + R].copy_from_slice(sum);
    }
}

/// A row of a sparse kernel: the bin it begins at, and where its blocks lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) first_bin: usize,
    pub(crate) first_weight: usize,
    pub(crate) blocks: usize,
}

dispatched! {
    /// Complex inner products of the rows of a sparse kernel and a spectrum, real and imaginary parts apart.
    project_sparse(
        segments: &[Segment],
        weights: (&[f32], &[f32]),
        spectrum: (&[f32], &[f32]),
        re: &mut [f32],
        im: &mut [f32]
    ) = project_sparse_body
}

#[inline(always)]
fn project_sparse_body(
    segments: &[Segment],
    weights: (&[f32], &[f32]),
    spectrum: (&[f32], &[f32]),
    re: &mut [f32],
    im: &mut [f32],
) {
    for ((segment, re), im) in segments.iter().zip(re).zip(im) {
        let length = segment.blocks * BLOCK;
        let w = segment.first_weight..segment.first_weight + length;
        let x = segment.first_bin..segment.first_bin + length;
        let (wr, wi) = (weights.0[w.clone()].as_chunks::<BLOCK>().0, weights.1[w].as_chunks::<BLOCK>().0);
        let (xr, xi) = (spectrum.0[x.clone()].as_chunks::<BLOCK>().0, spectrum.1[x].as_chunks::<BLOCK>().0);
        let (mut real, mut imaginary) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
        for (((wr, wi), xr), xi) in wr.iter().zip(wi).zip(xr).zip(xi) {
            for i in 0..BLOCK {
                real[i] += wr[i] * xr[i] - wi[i] * xi[i];
                imaginary[i] += wr[i] * xi[i] + wi[i] * xr[i];
            }
        }
        *re = total(real);
        *im = total(imaginary);
    }
}

dispatched! {
    /// `out = gain sqrt(re^2 + im^2)`.
    magnitude(re: &[f32], im: &[f32], gain: f32, out: &mut [f32]) = magnitude_body
}

#[inline(always)]
fn magnitude_body(re: &[f32], im: &[f32], gain: f32, out: &mut [f32]) {
    for ((o, a), b) in out.iter_mut().zip(re).zip(im) {
        *o = gain * (a * a + b * b).sqrt();
    }
}

#[cfg(test)]
mod tests {
    use super::super::noise;
    use super::*;

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for n in [1, 5, 31, 32, 100, 257] {
            for reach in [1, 9, 40] {
                let (even, odd, taps) = (noise(n, 1), noise(n + 2 * reach, 2), noise(reach, 3));
                let (mut a, mut b) = (vec![0.0; n], vec![0.0; n]);
                half_band(&even, &odd, 0.5, &taps, &mut a);
                half_band_body(&even, &odd, 0.5, &taps, &mut b);
                assert_eq!(a, b);
                let values = noise(n + 2 * reach + 1, 9);
                add_pairs(&values, &taps, &mut a);
                add_pairs_body(&values, &taps, &mut b);
                assert_eq!(a, b);
                convolve(&values[..n + reach - 1], &taps, &mut a);
                convolve_body(&values[..n + reach - 1], &taps, &mut b);
                assert_eq!(a, b);
                let want: f32 = taps.iter().zip(&values[n - 1..]).map(|(t, v)| t * v).sum();
                assert!((a[n - 1] - want).abs() < 1e-4);
            }
            let (x, y) = (noise(n, 4), noise(n, 5));
            let (mut a, mut b) = (0.0, 0.0);
            dot(&x, &y, &mut a);
            dot_body(&x, &y, &mut b);
            assert_eq!(a, b);
            let exact: f64 = x.iter().zip(&y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
            assert!((f64::from(a) - exact).abs() < 1e-5, "{a} {exact}");

            let (mut a, mut b) = (vec![0.0; n], vec![0.0; n]);
            magnitude(&x, &y, 1.5, &mut a);
            magnitude_body(&x, &y, 1.5, &mut b);
            assert_eq!(a, b);
        }
        for half in [0, 1, 7, 8, 100] {
            let x = noise(2 * half, 10);
            let (mut e, mut o) = (vec![0.0; half], vec![0.0; half]);
            let (mut e2, mut o2) = (e.clone(), o.clone());
            split(&x, &mut e, &mut o);
            split_body(&x, &mut e2, &mut o2);
            assert_eq!((&e, &o), (&e2, &o2));
            assert!((0..half).all(|i| (e[i], o[i]) == (x[2 * i], x[2 * i + 1])));
        }
        for half in [1, 2, 4, 16, 64, 127] {
            let frame = noise(2 * half, 6);
            let (mut e, mut o) = (vec![0.0; half], vec![0.0; half]);
            let (mut e2, mut o2) = (e.clone(), o.clone());
            fold(&frame, &mut e, &mut o);
            fold_body(&frame, &mut e2, &mut o2);
            assert_eq!((&e, &o), (&e2, &o2));
            for k in 0..half {
                let (a, b) = (frame[1 + k], frame[(2 * half - k) % (2 * half)]);
                assert_eq!((e[k], o[k]), (a + b, a - b), "{half} {k}");
            }
        }
    }

    #[test]
    fn projections_are_inner_products() {
        for rows in [8, 16, 24, 40] {
            for length in [1, 7, 64] {
                let kernel = noise(rows * length, 7);
                let x = noise(GROUP * length, 8);
                let frames: [&[f32]; GROUP] = std::array::from_fn(|f| &x[f * length..(f + 1) * length]);
                let (mut a, mut b) = (vec![0.0; GROUP * rows], vec![0.0; GROUP * rows]);
                project(&kernel, rows, frames, &mut a);
                project_body(&kernel, rows, frames, &mut b);
                assert_eq!(a, b);
                for r in 0..rows {
                    let first = r / TILE * TILE;
                    let wide = if rows - first >= TILE { TILE } else { HALF_TILE };
                    let value = |k: usize| kernel[first * length + k * wide + r - first];
                    let want: f32 = (0..length).map(|k| value(k) * frames[2][k]).sum();
                    assert!((a[2 * rows + r] - want).abs() < 1e-4);
                }
            }
        }
        let segments = [
            Segment { first_bin: 3, first_weight: 0, blocks: 2 },
            Segment { first_bin: 0, first_weight: 16, blocks: 1 },
            Segment { first_bin: 0, first_weight: 0, blocks: 0 },
        ];
        let (wr, wi, xr, xi) = (noise(24, 1), noise(24, 2), noise(24, 3), noise(24, 4));
        let (mut re, mut im) = ([9.0; 3], [9.0; 3]);
        let (mut re2, mut im2) = ([9.0; 3], [9.0; 3]);
        project_sparse(&segments, (&wr, &wi), (&xr, &xi), &mut re, &mut im);
        project_sparse_body(&segments, (&wr, &wi), (&xr, &xi), &mut re2, &mut im2);
        assert_eq!((re, im), (re2, im2));
        let want: f32 = (0..16).map(|i| wr[i] * xr[3 + i] - wi[i] * xi[3 + i]).sum();
        assert!((re[0] - want).abs() < 1e-5);
        assert_eq!((re[2], im[2]), (0.0, 0.0));
    }
}
