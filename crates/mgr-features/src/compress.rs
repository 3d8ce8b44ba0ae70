//! Log compressions of power.

use ndarray::ArrayViewMut2;
use serde::{Deserialize, Serialize};

use crate::extractor::Unit;
use crate::log::{ln_in_place, maximum};
use crate::simd::exponential::exp_scaled;
use crate::{FeatureError, check};

/// What 0 dB is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// A fixed power.
    Value(f32),
    /// The largest power of the whole matrix; streaming is not possible then.
    Max,
}

/// A log compression of power values `s`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Compression {
    /// `10 log10(max(s, amin)) - 10 log10(max(ref, amin))`, then not lower than `top_db` under the largest value.
    /// librosa's `power_to_db`.
    Decibel {
        /// What 0 dB is.
        reference: Reference,
        /// Floor of the power, over 0. librosa: 1e-10.
        amin: f32,
        /// Range in dB, 0 or more, or none. librosa: 80.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        top_db: Option<f32>,
    },
    /// `ln(max(s, floor))`; with a floor of 0, zeros become negative infinity.
    Ln {
        /// Floor of the power, 0 or more.
        floor: f32,
    },
    /// `ln(s + offset)`, the front end of VGGish (Hershey et al. 2017) with an offset of 0.01.
    LnOffset {
        /// Added before the logarithm, over 0.
        offset: f32,
    },
    /// `ln s`, where zeros, and zeros alone, count as `zero`: MLFCF (2020) with 1e-6.
    LnReplacingZero {
        /// What stands for zero, over 0.
        zero: f32,
    },
    /// `(l + shift) / divisor` with `l = log10(max(s, floor))`, not lower than `range` under the largest. The front end of
    /// Whisper (Radford et al. 2022) with a floor of 1e-10, a range of 8 and 4 for the other two.
    Log10Range {
        /// Floor of the power, over 0.
        floor: f32,
        /// Range in powers of ten, 0 or more.
        range: f32,
        /// Added to the logarithm.
        shift: f32,
        /// What that is divided by, over 0.
        divisor: f32,
    },
    /// `log10(scale s + 1)`, the front end of musicnn (Pons et al. 2018) with a scale of 10,000.
    Log10 {
        /// Factor before the logarithm, over 0.
        scale: f32,
    },
}

impl Default for Compression {
    /// librosa's `power_to_db`: reference 1, floor 1e-10, range 80 dB.
    fn default() -> Self {
        Self::Decibel { reference: Reference::Value(1.0), amin: 1e-10, top_db: Some(80.0) }
    }
}

/// dB of a natural logarithm of power.
pub(crate) const DB_PER_NEPER: f32 = 10.0 * std::f32::consts::LOG10_E;

impl Compression {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a floor, reference, scale or range that is negative, NaN or, where it must not be, zero.
    pub fn check(self) -> Result<(), FeatureError> {
        let tiny = f64::from(f32::MIN_POSITIVE);
        let huge = f64::from(f32::MAX);
        match self {
            Self::Decibel { reference, amin, top_db } => {
                check::within("amin", f64::from(amin), tiny, huge)?;
                if let Reference::Value(value) = reference {
                    check::within("reference", f64::from(value), 0.0, huge)?;
                }
                top_db.map_or(Ok(()), |db| check::within("top_db", f64::from(db), 0.0, huge))
            }
            Self::Ln { floor } => check::within("floor", f64::from(floor), 0.0, huge),
            Self::LnOffset { offset } => check::within("offset", f64::from(offset), tiny, huge),
            Self::LnReplacingZero { zero } => check::within("zero", f64::from(zero), tiny, huge),
            Self::Log10Range { floor, range, shift, divisor } => {
                check::within("floor", f64::from(floor), tiny, huge)?;
                check::within("range", f64::from(range), 0.0, huge)?;
                check::within("shift", f64::from(shift), -1e6, 1e6)?;
                check::within("divisor", f64::from(divisor), tiny, huge)
            }
            Self::Log10 { scale } => check::within("scale", f64::from(scale), tiny, huge),
        }
    }

    pub(crate) fn unit(self) -> Unit {
        match self {
            Self::Decibel { .. } => Unit::Decibel,
            Self::Ln { .. } | Self::LnOffset { .. } | Self::LnReplacingZero { .. } => Unit::LnPower,
            Self::Log10Range { .. } => Unit::Ratio,
            Self::Log10 { .. } => Unit::Log10Power,
        }
    }

    /// Why the whole matrix must be there before the first value is final, if so.
    pub(crate) fn needs_all(self) -> Option<&'static str> {
        match self {
            Self::Decibel { reference: Reference::Max, .. } => {
                Some("its 0 dB is the largest value of the signal")
            }
            Self::Decibel { top_db: Some(_), .. } => {
                Some("top_db counts from the largest value of the signal")
            }
            Self::Log10Range { .. } => Some("its range counts from the largest value of the signal"),
            _ => None,
        }
    }

    /// The part that needs nothing but the value itself.
    pub(crate) fn apply_local(self, values: &mut [f32]) {
        match self {
            Self::Decibel { reference, amin, .. } => {
                let zero = match reference {
                    Reference::Value(value) => amin.max(value).ln() * DB_PER_NEPER,
                    Reference::Max => 0.0,
                };
                values.iter_mut().for_each(|v| *v = v.max(amin));
                ln_in_place(values);
                values.iter_mut().for_each(|v| *v = *v * DB_PER_NEPER - zero);
            }
            Self::Ln { floor } => {
                values.iter_mut().for_each(|v| *v = v.max(floor));
                ln_in_place(values);
            }
            Self::LnOffset { offset } => {
                values.iter_mut().for_each(|v| *v += offset);
                ln_in_place(values);
            }
            Self::LnReplacingZero { zero } => {
                values.iter_mut().for_each(|v| *v = if *v == 0.0 { zero } else { *v });
                ln_in_place(values);
            }
            Self::Log10Range { floor, .. } => {
                values.iter_mut().for_each(|v| *v = v.max(floor));
                ln_in_place(values);
                values.iter_mut().for_each(|v| *v *= std::f32::consts::LOG10_E);
            }
            Self::Log10 { scale } => {
                values.iter_mut().for_each(|v| *v = *v * scale + 1.0);
                ln_in_place(values);
                values.iter_mut().for_each(|v| *v *= std::f32::consts::LOG10_E);
            }
        }
    }

    /// The part that needs the largest value, after [`Compression::apply_local`] on all.
    pub(crate) fn apply_global(self, mut values: ArrayViewMut2<'_, f32>) {
        if self.needs_all().is_none() {
            return;
        }
        let top = match values.as_slice_memory_order() {
            Some(slice) => maximum(slice),
            None => values.fold(f32::NEG_INFINITY, |top, v| top.max(*v)),
        };
        match self {
            Self::Decibel { reference, top_db, .. } => {
                let zero = if reference == Reference::Max { top } else { 0.0 };
                let floor = top_db.map_or(f32::NEG_INFINITY, |db| top - zero - db);
                values.map_inplace(|v| *v = (*v - zero).max(floor));
            }
            Self::Log10Range { range, shift, divisor, .. } => {
                let floor = top - range;
                values.map_inplace(|v| *v = (v.max(floor) + shift) / divisor);
            }
            _ => {}
        }
    }

    /// Compresses a matrix of power in place. The parameters must have passed [`Compression::check`]; values that are not
    /// finite give values that are not finite.
    ///
    /// ```
    /// use mgr_features::compress::{Compression, Reference};
    /// use ndarray::array;
    /// let mut s = array![[1.0, 0.1], [0.0, 1e-6]];
    /// let db = Compression::Decibel { reference: Reference::Max, amin: 1e-10, top_db: Some(80.0) };
    /// db.apply(s.view_mut());
    /// assert!(s.iter().zip([0.0f32, -10.0, -80.0, -60.0]).all(|(a, b)| (a - b).abs() < 1e-4));
    /// ```
    pub fn apply(self, mut values: ArrayViewMut2<'_, f32>) {
        match values.as_slice_memory_order_mut() {
            Some(slice) => self.apply_local(slice),
            None => values.iter_mut().for_each(|v| self.apply_local(std::slice::from_mut(v))),
        }
        self.apply_global(values);
    }

    /// Power of compressed values in place, as far as the compression can be undone: what was under a floor stays there,
    /// and a reference that was the largest value is taken as 1.
    pub fn undo(self, mut values: ArrayViewMut2<'_, f32>) {
        let undo = |slice: &mut [f32]| match self {
            Self::Decibel { reference, .. } => {
                exp_scaled(slice, 1.0 / DB_PER_NEPER);
                if let Reference::Value(reference) = reference {
                    slice.iter_mut().for_each(|v| *v *= reference);
                }
            }
            Self::Ln { .. } | Self::LnReplacingZero { .. } => exp_scaled(slice, 1.0),
            Self::LnOffset { offset } => {
                exp_scaled(slice, 1.0);
                slice.iter_mut().for_each(|v| *v = (*v - offset).max(0.0));
            }
            Self::Log10Range { shift, divisor, .. } => {
                slice.iter_mut().for_each(|v| *v = *v * divisor - shift);
                exp_scaled(slice, std::f32::consts::LN_10);
            }
            Self::Log10 { scale } => {
                exp_scaled(slice, std::f32::consts::LN_10);
                slice.iter_mut().for_each(|v| *v = (*v - 1.0).max(0.0) / scale);
            }
        };
        match values.as_slice_memory_order_mut() {
            Some(slice) => undo(slice),
            None => values.iter_mut().for_each(|v| undo(std::slice::from_mut(v))),
        }
    }
}
