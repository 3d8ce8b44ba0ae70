//! Resizing by Lanczos.

use std::f64::consts::PI;

use ndarray::{Array2, ArrayView2};

use crate::FeatureError;

/// The longest side of a picture in pixels.
pub const MAX_SIDE: usize = 16_384;

/// Half-width of the kernel in pixels of the coarser of both grids.
const LOBES: f64 = 3.0;

/// `sinc(x) sinc(x / 3)` within 3, otherwise 0.
fn lanczos(x: f64) -> f64 {
    if x.abs() >= LOBES {
        return 0.0;
    }
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
    sinc(x) * sinc(x / LOBES)
}

/// The pixels that make one pixel of a resized line, with weights whose sum is 1.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

/// For each of `output` pixels: which of `input` pixels it is made of.
fn taps(input: usize, output: usize) -> Vec<Taps> {
    let ratio = input as f64 / output as f64;
    // Made smaller, the kernel spans as many more pixels, so that nothing aliases.
    let stretch = ratio.max(1.0);
    let reach = LOBES * stretch;
    (0..output)
        .map(|o| {
            let centre = (o as f64 + 0.5) * ratio;
            let first = (centre - reach + 0.5).max(0.0) as usize;
            let end = ((centre + reach + 0.5) as usize).min(input);
            let raw: Vec<f64> = (first..end).map(|i| lanczos((i as f64 + 0.5 - centre) / stretch)).collect();
            let sum: f64 = raw.iter().sum();
            Taps { first, weights: raw.iter().map(|w| (w / sum) as f32).collect() }
        })
        .collect()
}

/// Resizes a matrix to `height` rows and `width` columns by a separable Lanczos kernel of three lobes, stretched where the matrix
/// is made smaller; at the edges the kernel is cut and its weights normalised. Pillow's `Image.resize(..., LANCZOS)` on floats
/// does the same. A side that keeps its size is left as it is.
///
/// # Errors
/// [`FeatureError::TooShort`] for an empty matrix, [`FeatureError::Parameter`] for a side outside 1 to 16,384.
pub fn resize(matrix: ArrayView2<'_, f32>, height: usize, width: usize) -> Result<Array2<f32>, FeatureError> {
    if matrix.is_empty() {
        return Err(FeatureError::TooShort { got: 0, needed: 1 });
    }
    for (field, side) in [("width", width), ("height", height)] {
        if !(1..=MAX_SIDE).contains(&side) {
            return Err(FeatureError::parameter(field, side, format!("1 to {MAX_SIDE}")));
        }
    }
    let wide = along_rows(matrix, width);
    Ok(along_rows(wide.t(), height).reversed_axes())
}

/// Resizes each row to `width` values; the result is in row order.
fn along_rows(matrix: ArrayView2<'_, f32>, width: usize) -> Array2<f32> {
    let columns = matrix.ncols();
    if columns == width {
        return matrix.to_owned();
    }
    let taps = taps(columns, width);
    let mut result = Array2::zeros((matrix.nrows(), width));
    let mut line = vec![0.0_f32; columns];
    for (row, mut to) in matrix.rows().into_iter().zip(result.rows_mut()) {
        line.iter_mut().zip(row).for_each(|(l, v)| *l = *v);
        for (to, Taps { first, weights }) in to.iter_mut().zip(&taps) {
            *to = line[*first..].iter().zip(weights).map(|(v, w)| v * w).sum();
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use ndarray::arr2;

    use super::*;

    #[test]
    fn the_same_numbers_as_pillow() {
        // Pillow 13.0: Image.fromarray(m).resize((w, h), Image.LANCZOS) of a float32 image.
        let m = Array2::from_shape_fn((4, 5), |(y, x)| ((3 * y + 7 * x) % 11) as f32);
        let large = resize(m.view(), 6, 7).unwrap();
        let small = resize(m.view(), 2, 3).unwrap();
        let close = |a: f32, b: f32| (a - b).abs() < 2e-5;
        for (got, want) in PILLOW_LARGE.iter().flatten().zip(large.iter()) {
            assert!(close(*got, *want), "{got} {want}");
        }
        for (got, want) in PILLOW_SMALL.iter().flatten().zip(small.iter()) {
            assert!(close(*got, *want), "{got} {want}");
        }
    }

    #[test]
    fn constants_stay_and_one_pixel_spreads() {
        for (h, w) in [(1, 1), (3, 100), (100, 3), (7, 7)] {
            let out = resize(Array2::from_elem((7, 9), 2.5).view(), h, w).unwrap();
            assert_eq!(out.dim(), (h, w));
            assert!(out.iter().all(|v| (v - 2.5).abs() < 1e-5));
        }
        assert!(resize(arr2(&[[4.0]]).view(), 3, 2).unwrap().iter().all(|v| *v == 4.0));
    }

    #[test]
    fn a_kept_size_keeps_the_values() {
        let m = Array2::from_shape_fn((3, 4), |(y, x)| (y * 10 + x) as f32);
        assert_eq!(resize(m.view(), 3, 4).unwrap(), m);
    }

    #[test]
    fn absurd_sizes_are_errors() {
        assert!(resize(Array2::zeros((0, 4)).view(), 2, 2).is_err());
        assert!(resize(Array2::zeros((2, 2)).view(), 0, 2).is_err());
        assert!(resize(Array2::zeros((2, 2)).view(), 2, usize::MAX).is_err());
    }

    const PILLOW_LARGE: [[f32; 7]; 6] = [
        [-0.820106, 3.97266, 5.89342, 2.80922, 9.21089, 9.28287, 4.86644],
        [0.330195, 6.06185, 8.87931, 3.87286, 4.8169, 7.50642, 8.32443],
        [3.07933, 6.63163, 9.90714, 7.06169, 1.65565, 4.00305, 8.84719],
        [5.79761, 3.17711, 4.58641, 9.60949, 6.20857, 2.17939, 1.81326],
        [8.34616, 5.00626, 2.35012, 4.83374, 7.51273, 4.82226, 1.29581],
        [9.35241, 7.99985, 2.9919, 0.177659, 6.32556, 7.45971, 4.00678],
    ];
    const PILLOW_SMALL: [[f32; 3]; 2] = [[4.30469, 6.30845, 6.15], [5.94247, 5.06886, 4.31593]];
}
