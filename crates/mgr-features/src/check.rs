//! Checks that every plan makes of what it is given.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder};

use crate::FeatureError;

/// Refuses NaN and infinities, and names the first.
pub(crate) fn finite(samples: &[f32]) -> Result<(), FeatureError> {
    const EXPONENT: u32 = 0x7f80_0000;
    // A block at a time without an early exit inside, so that the compiler vectorises the common case.
    for (block, chunk) in samples.chunks(1024).enumerate() {
        let bad = chunk.iter().fold(false, |bad, x| bad | (x.to_bits() & EXPONENT == EXPONENT));
        if bad && let Some(i) = chunk.iter().position(|x| !x.is_finite()) {
            return Err(FeatureError::NotFinite { index: block * 1024 + i, value: chunk[i] });
        }
    }
    Ok(())
}

/// Refuses a value outside `low..=high`; NaN is outside of everything.
pub(crate) fn within(field: &'static str, value: f64, low: f64, high: f64) -> Result<(), FeatureError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(FeatureError::parameter(field, value, format!("{low} to {high}")))
}

/// Refuses an output array of another shape.
pub(crate) fn shape(out: &ArrayViewMut2<'_, f32>, rows: usize, columns: usize) -> Result<(), FeatureError> {
    let (got_rows, got_columns) = out.dim();
    if (got_rows, got_columns) == (rows, columns) {
        return Ok(());
    }
    Err(FeatureError::Shape { what: "output", got_rows, got_columns, rows, columns })
}

/// Refuses a sampling rate of zero.
pub(crate) fn rate(sample_rate: u32) -> Result<(), FeatureError> {
    if sample_rate > 0 {
        return Ok(());
    }
    Err(FeatureError::parameter("sample_rate", sample_rate, "at least 1"))
}

/// Refuses a spectrogram that has not `bins` rows, or a value that is negative or not finite.
pub(crate) fn spectrogram(spectrogram: ArrayView2<'_, f32>, bins: usize) -> Result<(), FeatureError> {
    let (got_rows, got_columns) = spectrogram.dim();
    if got_rows != bins {
        let (what, rows, columns) = ("spectrogram", bins, got_columns);
        return Err(FeatureError::Shape { what, got_rows, got_columns, rows, columns });
    }
    let bad = |value: &f32| !(0.0..=f32::MAX).contains(value);
    // Counted as the columns lie one after another.
    let Some((index, value)) = spectrogram.t().iter().copied().enumerate().find(|(_, v)| bad(v)) else {
        return Ok(());
    };
    Err(if value.is_finite() {
        FeatureError::parameter("spectrogram", value, "0 or more")
    } else {
        FeatureError::NotFinite { index, value }
    })
}

/// A zeroed matrix in column-major order (each column is contiguous), or an error where memory does not suffice.
pub(crate) fn matrix<T: Clone + Default>(rows: usize, columns: usize) -> Result<Array2<T>, FeatureError> {
    let data = vector(rows, columns)?;
    Array2::from_shape_vec((rows, columns).f(), data).map_err(|_| FeatureError::Memory { rows, columns })
}

/// `rows * columns` zeros, or an error where memory does not suffice.
pub(crate) fn vector<T: Clone + Default>(rows: usize, columns: usize) -> Result<Vec<T>, FeatureError> {
    let error = || FeatureError::Memory { rows, columns };
    let count = rows.checked_mul(columns).ok_or_else(error)?;
    let mut data = Vec::new();
    data.try_reserve_exact(count).map_err(|_| error())?;
    data.resize(count, T::default());
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_bad_sample() {
        let mut x = vec![1.0f32; 5000];
        assert_eq!(finite(&x), Ok(()));
        x[4000] = f32::INFINITY;
        x[3000] = f32::NEG_INFINITY;
        assert_eq!(finite(&x), Err(FeatureError::NotFinite { index: 3000, value: f32::NEG_INFINITY }));
    }

    #[test]
    fn refuses_what_memory_cannot_hold() {
        assert!(matrix::<f32>(usize::MAX, 2).is_err());
        assert!(matrix::<f32>(1 << 40, 1 << 20).is_err());
    }
}
