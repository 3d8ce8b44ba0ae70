//! Decibels of any array, and back.

use ndarray::{ArrayViewMut, Dimension};
use serde::{Deserialize, Serialize};

use crate::compress::{DB_PER_NEPER, Reference};
use crate::log::{ln_in_place, maximum};
use crate::simd::exponential::exp_scaled;
use crate::{FeatureError, check};

/// Parameters of decibels. Defaults are those of librosa's `power_to_db`; [`Decibel::amplitude`] gives the other ones.
///
/// ```
/// use mgr_features::compress::Reference;
/// use mgr_features::decibel::{Decibel, db_to_power};
/// let mut values = ndarray::array![[1.0f32, 0.1], [0.0, 1e-6]];
/// Decibel { reference: Reference::Max, ..Decibel::default() }.power_to_db(values.view_mut())?;
/// assert!(values.iter().zip([0.0f32, -10.0, -80.0, -60.0]).all(|(a, b)| (a - b).abs() < 1e-4));
/// db_to_power(values.view_mut(), 1.0)?;
/// assert!((values[[0, 1]] - 0.1).abs() < 1e-6);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Decibel {
    /// What 0 dB is: a power or an amplitude, as the values are. Default 1.
    pub reference: Reference,
    /// Floor of the values and of the reference, over 0. Default 1e-10 for power, 1e-5 for amplitudes.
    pub amin: f32,
    /// Range in dB under the largest value, 0 or more, or none. Default 80.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_db: Option<f32>,
}

impl Default for Decibel {
    fn default() -> Self {
        Self { reference: Reference::Value(1.0), amin: 1e-10, top_db: Some(80.0) }
    }
}

impl Decibel {
    /// The defaults of librosa's `amplitude_to_db`.
    #[must_use]
    pub fn amplitude() -> Self {
        Self { amin: 1e-5, ..Self::default() }
    }

    /// `10 log10(max(s, amin)) - 10 log10(max(ref, amin))` in place, then not lower than `top_db` under the largest.
    ///
    /// Values that are not finite give values that are not finite. Source: librosa 0.11 `power_to_db`.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a floor, reference or range out of range.
    pub fn power_to_db<D: Dimension>(self, values: ArrayViewMut<'_, f32, D>) -> Result<(), FeatureError> {
        self.apply(values, DB_PER_NEPER, |v| v)
    }

    /// `20 log10(max(|s|, amin)) - 20 log10(max(ref, amin))` in place, then not lower than `top_db` under the largest.
    ///
    /// Values that are not finite give values that are not finite. Source: librosa 0.11 `amplitude_to_db`.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a floor, reference or range out of range.
    pub fn amplitude_to_db<D: Dimension>(self, values: ArrayViewMut<'_, f32, D>) -> Result<(), FeatureError> {
        self.apply(values, 2.0 * DB_PER_NEPER, f32::abs)
    }

    fn apply<D: Dimension>(
        self,
        mut values: ArrayViewMut<'_, f32, D>,
        per_neper: f32,
        size: impl Fn(f32) -> f32,
    ) -> Result<(), FeatureError> {
        let huge = f64::from(f32::MAX);
        check::within("amin", f64::from(self.amin), f64::from(f32::MIN_POSITIVE), huge)?;
        if let Reference::Value(value) = self.reference {
            check::within("reference", f64::from(value), 0.0, huge)?;
        }
        if let Some(db) = self.top_db {
            check::within("top_db", f64::from(db), 0.0, huge)?;
        }
        on_slices(&mut values, |slice| {
            // Unlike `max`, a comparison keeps NaN.
            slice.iter_mut().for_each(|v| *v = if size(*v) < self.amin { self.amin } else { size(*v) });
            ln_in_place(slice);
            slice.iter_mut().for_each(|v| *v *= per_neper);
        });
        let mut top = f32::NEG_INFINITY;
        on_slices(&mut values, |slice| top = top.max(maximum(slice)));
        let zero = match self.reference {
            Reference::Max => top,
            Reference::Value(value) => self.amin.max(value).ln() * per_neper,
        };
        let floor = self.top_db.map_or(f32::NEG_INFINITY, |db| top - zero - db);
        on_slices(&mut values, |slice| {
            slice.iter_mut().for_each(|v| *v = if *v - zero < floor { floor } else { *v - zero });
        });
        Ok(())
    }
}

/// Gives `take` the values in pieces that lie together in memory.
fn on_slices<D: Dimension>(values: &mut ArrayViewMut<'_, f32, D>, mut take: impl FnMut(&mut [f32])) {
    match values.as_slice_memory_order_mut() {
        Some(slice) => take(slice),
        None => values.iter_mut().for_each(|v| take(std::slice::from_mut(v))),
    }
}

/// Power of decibels in place: `reference 10^(db / 10)`; what is too large for a number becomes infinity.
///
/// # Errors
/// [`FeatureError::Parameter`] for a reference that is negative or not finite.
pub fn db_to_power<D: Dimension>(
    values: ArrayViewMut<'_, f32, D>,
    reference: f32,
) -> Result<(), FeatureError> {
    from_db(values, reference, DB_PER_NEPER)
}

/// Amplitude of decibels in place: `reference 10^(db / 20)`; what is too large for a number becomes infinity.
///
/// # Errors
/// [`FeatureError::Parameter`] for a reference that is negative or not finite.
pub fn db_to_amplitude<D: Dimension>(
    values: ArrayViewMut<'_, f32, D>,
    reference: f32,
) -> Result<(), FeatureError> {
    from_db(values, reference, 2.0 * DB_PER_NEPER)
}

fn from_db<D: Dimension>(
    mut values: ArrayViewMut<'_, f32, D>,
    reference: f32,
    per_neper: f32,
) -> Result<(), FeatureError> {
    check::within("reference", f64::from(reference), 0.0, f64::from(f32::MAX))?;
    on_slices(&mut values, |slice| {
        exp_scaled(slice, 1.0 / per_neper);
        slice.iter_mut().for_each(|v| *v *= reference);
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, s};

    use super::*;

    #[test]
    fn there_and_back() {
        let values = Array2::from_shape_fn((7, 9), |(i, j)| 1e-4 * 3f32.powi((i + j) as i32));
        let wide = Decibel { top_db: None, reference: Reference::Value(0.5), ..Decibel::default() };
        let mut there = values.clone();
        wide.power_to_db(there.slice_mut(s![..;2, ..])).unwrap();
        for (a, b) in there.slice(s![..;2, ..]).iter().zip(values.slice(s![..;2, ..])) {
            assert!((a - 10.0 * (b / 0.5).log10()).abs() < 1e-4);
        }
        db_to_power(there.slice_mut(s![..;2, ..]), 0.5).unwrap();
        assert!(there.iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-5 * b));

        let amplitude = Decibel { reference: Reference::Max, top_db: None, ..Decibel::amplitude() };
        let mut there = values.mapv(|v| -v);
        amplitude.amplitude_to_db(there.view_mut()).unwrap();
        let top = values[[6, 8]];
        for (a, b) in there.iter().zip(&values) {
            assert!((a - 20.0 * (b / top).log10()).abs() < 1e-4, "{a} {b}");
        }
        db_to_amplitude(there.view_mut(), top).unwrap();
        assert!(there.iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-5 * b));
    }

    #[test]
    fn floors_ranges_and_what_is_refused() {
        let mut values = ndarray::array![0.0f32, 1.0, 1e-3];
        Decibel { top_db: Some(20.0), ..Decibel::default() }.power_to_db(values.view_mut()).unwrap();
        assert_eq!(values.to_vec(), [-20.0, 0.0, -20.0]);
        let mut values = ndarray::array![f32::NAN, 1.0];
        Decibel::default().power_to_db(values.view_mut()).unwrap();
        assert!(values[0].is_nan() && values[1] == 0.0);
        let refused = [
            Decibel { amin: 0.0, ..Decibel::default() },
            Decibel { top_db: Some(-1.0), ..Decibel::default() },
            Decibel { reference: Reference::Value(f32::NAN), ..Decibel::default() },
        ];
        for decibel in refused {
            assert!(decibel.power_to_db(values.view_mut()).is_err(), "{decibel:?}");
        }
        assert!(db_to_power(values.view_mut(), -1.0).is_err());
    }
}
