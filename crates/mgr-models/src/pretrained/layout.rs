//! Turning tensors: other orders of axes, kernels of true convolutions.

use crate::TensorData;

/// The tensor with its axes in another order: axis `i` of the result is axis `axes[i]` of the tensor.
///
/// Lists of axes that are no order of the tensor's give the tensor itself.
pub(super) fn permuted(data: &TensorData, axes: &[usize]) -> TensorData {
    let mut sorted = axes.to_vec();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..data.shape.len()) {
        return data.clone();
    }
    let mut strides = vec![1_usize; data.shape.len()];
    for axis in (1..data.shape.len()).rev() {
        strides[axis - 1] = strides[axis] * data.shape[axis];
    }
    let shape: Vec<usize> = axes.iter().map(|&axis| data.shape[axis]).collect();
    let steps: Vec<usize> = axes.iter().map(|&axis| strides[axis]).collect();
    let mut values = Vec::with_capacity(data.values.len());
    let mut index = vec![0_usize; shape.len()];
    for _ in 0..data.values.len() {
        let place: usize = index.iter().zip(&steps).map(|(i, step)| i * step).sum();
        values.extend(data.values.get(place));
        for (i, &axis) in index.iter_mut().zip(&shape).rev() {
            *i += 1;
            if *i < axis {
                break;
            }
            *i = 0;
        }
    }
    TensorData { shape, values }
}

/// Kernels of a true convolution as those of a cross-correlation, or the other way round: the last two axes are turned by
/// 180 degrees.
pub(super) fn rotated(data: &TensorData) -> TensorData {
    let &[.., height, width] = data.shape.as_slice() else { return data.clone() };
    let mut values = data.values.clone();
    values.chunks_exact_mut((height * width).max(1)).for_each(<[f32]>::reverse);
    TensorData { shape: data.shape.clone(), values }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(shape: &[usize]) -> TensorData {
        let count: usize = shape.iter().product();
        TensorData { shape: shape.to_vec(), values: (0..count).map(|n| n as f32).collect() }
    }

    #[test]
    fn axes_change_places() {
        let turned = permuted(&counting(&[2, 3]), &[1, 0]);
        assert_eq!(turned.shape, [3, 2]);
        assert_eq!(turned.values, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        let data = counting(&[2, 3, 4, 5]);
        let there = permuted(&data, &[3, 2, 0, 1]);
        assert_eq!(there.shape, [5, 4, 2, 3]);
        // Element [4, 3, 1, 2] of the result is [1, 2, 3, 4] of the tensor.
        assert_eq!(there.values[((4 * 4 + 3) * 2 + 1) * 3 + 2], data.values[119]);
        assert_eq!(permuted(&there, &[2, 3, 1, 0]), data);
        assert_eq!(permuted(&data, &[0, 0, 1, 2]), data);
    }

    #[test]
    fn kernels_turn_by_half_a_circle() {
        let turned = rotated(&counting(&[2, 2, 3]));
        assert_eq!(turned.values, [5.0, 4.0, 3.0, 2.0, 1.0, 0.0, 11.0, 10.0, 9.0, 8.0, 7.0, 6.0]);
    }
}
