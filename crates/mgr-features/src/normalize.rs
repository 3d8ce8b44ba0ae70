//! Norms of vectors, and division by them.

use serde::{Deserialize, Serialize};

use crate::{FeatureError, check};

/// The norm by which a column is divided.
///
/// A column whose norm is under the smallest normal f32, silence above all, is left as it is. Source: librosa 0.11
/// `util.normalize`.
///
/// ```
/// use mgr_features::normalize::Norm;
/// let mut column = [3.0, -4.0];
/// Norm::L2.apply(&mut column);
/// assert_eq!(column, [0.6, -0.8]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// No division.
    None,
    /// The largest absolute value.
    Max,
    /// The smallest absolute value.
    Min,
    /// How many values are not zero.
    Count,
    /// Sum of absolute values.
    L1,
    /// Root of the sum of squares.
    L2,
    /// `(sum |v|^p)^(1/p)`, for a `p` over 0.
    Lp(f32),
}

impl Norm {
    /// Checks the exponent of [`Norm::Lp`].
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for one that is not over 0 and finite.
    pub fn check(self) -> Result<(), FeatureError> {
        match self {
            Self::Lp(p) => {
                check::within("norm", f64::from(p), f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX))
            }
            _ => Ok(()),
        }
    }

    /// The norm of values, in f64; 1 for [`Norm::None`]. 0 for no values.
    #[must_use]
    pub fn of(self, values: impl Iterator<Item = f64>) -> f64 {
        let magnitudes = values.map(f64::abs);
        match self {
            Self::None => 1.0,
            Self::Max => magnitudes.fold(0.0, f64::max),
            Self::Min => magnitudes.reduce(f64::min).unwrap_or(0.0),
            Self::Count => magnitudes.filter(|v| *v > 0.0).count() as f64,
            Self::L1 => magnitudes.sum(),
            Self::L2 => magnitudes.map(|v| v * v).sum::<f64>().sqrt(),
            Self::Lp(p) => {
                let p = f64::from(p);
                magnitudes.map(|v| v.powf(p)).sum::<f64>().powf(1.0 / p)
            }
        }
    }

    /// Divides a column by its norm.
    pub fn apply(self, column: &mut [f32]) {
        if self == Self::None {
            return;
        }
        let length = self.of(column.iter().map(|v| f64::from(*v)));
        if length >= f64::from(f32::MIN_POSITIVE) {
            column.iter_mut().for_each(|v| *v = (f64::from(*v) / length) as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_norm_of_three_and_four() {
        for (norm, length) in [
            (Norm::None, 1.0),
            (Norm::Max, 4.0),
            (Norm::Min, 0.0),
            (Norm::Count, 2.0),
            (Norm::L1, 7.0),
            (Norm::L2, 5.0),
            (Norm::Lp(3.0), 91f64.cbrt()),
        ] {
            assert!((norm.of([3.0, 0.0, -4.0].into_iter()) - length).abs() < 1e-12, "{norm:?}");
        }
        assert!(Norm::Lp(0.0).check().is_err() && Norm::Lp(f32::NAN).check().is_err());
        assert_eq!(Norm::Lp(0.5).check(), Ok(()));
    }

    #[test]
    fn what_is_too_small_is_left_alone() {
        for norm in [Norm::Max, Norm::Min, Norm::Count, Norm::L1, Norm::L2, Norm::Lp(0.5)] {
            let mut column = [0.0, 0.0];
            norm.apply(&mut column);
            assert_eq!(column, [0.0, 0.0], "{norm:?}");
        }
        let mut column = [1e-39, 0.0];
        Norm::Max.apply(&mut column);
        assert_eq!(column, [1e-39, 0.0]);
    }
}
