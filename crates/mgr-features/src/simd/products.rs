//! Matrices times columns: sparse and dense filter banks, projections, weighted sums of columns.

use super::LANES;

/// Coefficients of a sparse filter come in blocks of this many.
pub(crate) const FILTER_BLOCK: usize = 8;

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
    // Sums go to memory before they are added up: beside the additions the compiler would shuffle every block into their order.
    let mut sums = [[0.0f32; FILTER_BLOCK]; 16];
    for (rows, out) in rows.chunks(16).zip(out.chunks_mut(16)) {
        for (sums, row) in sums.iter_mut().zip(rows) {
            let length = row.blocks * FILTER_BLOCK;
            let weights = &weights[row.first_weight..row.first_weight + length];
            let values = &spectrum[row.first_bin..row.first_bin + length];
            let mut own = [0.0f32; FILTER_BLOCK];
            let blocks = weights.as_chunks::<FILTER_BLOCK>().0.iter();
            for (w, v) in blocks.zip(values.as_chunks::<FILTER_BLOCK>().0) {
                for i in 0..FILTER_BLOCK {
                    own[i] += w[i] * v[i];
                }
            }
            *sums = own;
        }
        for (o, s) in out.iter_mut().zip(&sums) {
            *o = ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
        }
    }
}

/// Filters of a dense bank that are applied together.
pub(crate) const DENSE_ROWS: usize = 4;

/// Where the weight of filter `row` for bin `bin` lies in a dense bank over `bins` bins, a multiple of [`LANES`].
pub(crate) fn dense_index(row: usize, bin: usize, bins: usize) -> usize {
    let (group, within) = (row / DENSE_ROWS, row % DENSE_ROWS);
    group * DENSE_ROWS * bins + (bin / LANES) * DENSE_ROWS * LANES + within * LANES + bin % LANES
}

dispatched! {
    /// `out[r] = sum_k weights[dense_index(r, k)] spectrum[k]`, the length of the spectrum a multiple of [`LANES`].
    apply_dense(weights: &[f32], spectrum: &[f32], out: &mut [f32]) = apply_dense_body
}

#[inline(always)]
fn apply_dense_body(weights: &[f32], spectrum: &[f32], out: &mut [f32]) {
    let groups = weights.chunks_exact(DENSE_ROWS * spectrum.len());
    for (group, out) in groups.zip(out.chunks_mut(DENSE_ROWS)) {
        let mut sums = [[0.0f32; LANES]; DENSE_ROWS];
        let blocks = group.as_chunks::<{ DENSE_ROWS * LANES }>().0.iter();
        for (w, s) in blocks.zip(spectrum.as_chunks::<LANES>().0) {
            for (sums, w) in sums.iter_mut().zip(w.as_chunks::<LANES>().0) {
                for i in 0..LANES {
                    sums[i] += w[i] * s[i];
                }
            }
        }
        for (o, sums) in out.iter_mut().zip(&sums) {
            let mut half = [0.0f32; 8];
            for i in 0..8 {
                half[i] = sums[i] + sums[i + 8];
            }
            *o = ((half[0] + half[4]) + (half[1] + half[5])) + ((half[2] + half[6]) + (half[3] + half[7]));
        }
    }
}

/// Outputs of a projection come in blocks of this many.
pub(crate) const PROJECT_BLOCK: usize = 8;

dispatched! {
    /// `out[8b + j] = sum_i weights[(b inputs + i) 8 + j] values[i]`, where `inputs` is the count of values.
    project(weights: &[f32], values: &[f32], out: &mut [f32]) = project_body
}

#[inline(always)]
fn project_body(weights: &[f32], values: &[f32], out: &mut [f32]) {
    let rows = weights.as_chunks::<PROJECT_BLOCK>().0;
    for (block, out) in out.chunks_mut(PROJECT_BLOCK).enumerate() {
        let rows = &rows[block * values.len()..(block + 1) * values.len()];
        // Four sums at a time, so that an addition need not wait for the one before.
        let mut sums = [[0.0f32; PROJECT_BLOCK]; 4];
        let (fours, rest) = values.as_chunks::<4>();
        let (row_fours, row_rest) = rows.as_chunks::<4>();
        for (v, w) in fours.iter().zip(row_fours) {
            for s in 0..4 {
                for j in 0..PROJECT_BLOCK {
                    sums[s][j] += w[s][j] * v[s];
                }
            }
        }
        for (v, w) in rest.iter().zip(row_rest) {
            for j in 0..PROJECT_BLOCK {
                sums[0][j] += w[j] * v;
            }
        }
        for (j, o) in out.iter_mut().enumerate() {
            *o = (sums[0][j] + sums[2][j]) + (sums[1][j] + sums[3][j]);
        }
    }
}

dispatched! {
    /// `out[i] = sum_j weights[j] columns[j rows + i]`, summed in f64, where `rows` is the count of outputs.
    combine(weights: &[f64], columns: &[f32], out: &mut [f32]) = combine_body
}

#[inline(always)]
fn combine_body(weights: &[f64], columns: &[f32], out: &mut [f32]) {
    let rows = out.len();
    for (block, out) in out.chunks_mut(8).enumerate() {
        let mut sums = [0.0f64; 8];
        for (w, column) in weights.iter().zip(columns.chunks_exact(rows)) {
            for (s, v) in sums.iter_mut().zip(&column[8 * block..8 * block + out.len()]) {
                *s += w * f64::from(*v);
            }
        }
        out.iter_mut().zip(sums).for_each(|(o, s)| *o = s as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::noise;
    use super::*;

    #[test]
    fn wide_and_narrow_give_the_same_bits() {
        for n in [0, 1, 3, 4, 7, 8, 9, 20, 128, 129] {
            let (values, weights) = (noise(n, 5), noise(n * 24, 5));
            let (mut a, mut b) = (vec![0.0; 20], vec![1.0; 20]);
            project(&weights, &values, &mut a);
            project_body(&weights, &values, &mut b);
            assert_eq!(a, b, "projection of {n}");

            let weights: Vec<f64> = noise(9, 5).into_iter().map(f64::from).collect();
            let columns = noise(9 * n, 5);
            let (mut a, mut b) = (vec![0.0; n], vec![1.0; n]);
            combine(&weights, &columns, &mut a);
            combine_body(&weights, &columns, &mut b);
            assert_eq!(a, b, "combination of {n}");

            let (x, w) = (noise(2 * n, 99), noise(2 * n, 98));
            let rows = [SparseRow { first_bin: 0, first_weight: 0, blocks: 2 * n / FILTER_BLOCK }];
            let (mut a, mut b) = ([0.0], [0.0]);
            filter(&rows, &w, &x, &mut a);
            filter_body(&rows, &w, &x, &mut b);
            assert_eq!(a, b, "filter of {n}");
        }
        for (rows, blocks) in [(1, 1), (5, 3), (12, 65)] {
            let bins = blocks * LANES;
            let weights = noise(usize::div_ceil(rows, DENSE_ROWS) * DENSE_ROWS * bins, 7);
            let spectrum = noise(bins, 7);
            let (mut a, mut b) = (vec![0.0; rows], vec![0.0; rows]);
            apply_dense(&weights, &spectrum, &mut a);
            apply_dense_body(&weights, &spectrum, &mut b);
            assert_eq!(a, b, "dense bank of {rows}");
            for (row, got) in a.iter().enumerate() {
                let terms = (0..bins).map(|k| weights[dense_index(row, k, bins)] * spectrum[k]);
                let want: f64 = terms.map(f64::from).sum();
                assert!((f64::from(*got) - want).abs() < 1e-5 * bins as f64, "{got} {want}");
            }
        }
    }
}
