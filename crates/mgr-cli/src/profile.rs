//! A vector as bars, for pictures of features that have one column.

use mgr_eval::figure::{AxisMarks, Mark};
use mgr_features::{Axis, Layout};
use ndarray::Array2;

/// Levels from the lowest value to the highest.
const LEVELS: usize = 480;

/// Bars, one a row of the vector, as a matrix of zeros and ones; and where their values lie.
pub(crate) struct Profile {
    pub(crate) matrix: Array2<f32>,
    low: f32,
    high: f32,
}

impl Profile {
    /// Of a matrix of one column and more than one row.
    pub(crate) fn of(matrix: &Array2<f32>) -> Option<Self> {
        if matrix.ncols() != 1 || matrix.nrows() < 2 {
            return None;
        }
        let finite = || matrix.iter().copied().filter(|v| v.is_finite());
        let (low, high) = (finite().fold(0.0, f32::min), finite().fold(0.0, f32::max));
        let high = if high > low { high } else { low + 1.0 };
        let step = (high - low) / LEVELS as f32;
        let bars = Array2::from_shape_fn((LEVELS, matrix.nrows()), |(level, i)| {
            let here = low + (level as f32 + 0.5) * step;
            let value = matrix[[i, 0]];
            let inside =
                if value < 0.0 { (value..0.0).contains(&here) } else { (0.0..value).contains(&here) };
            f32::from(inside)
        });
        Some(Self { matrix: bars, low, high })
    }

    /// The axis of the values, with at most `most` marks.
    pub(crate) fn upward(&self, layout: &Layout, most: usize) -> AxisMarks {
        let (low, high) = (f64::from(self.low), f64::from(self.high));
        // Round values lie along them as round seconds do along a time axis.
        let values = Axis::Time { start_s: low, step_s: (high - low) / (LEVELS - 1) as f64 };
        let place = |position: f64| position / (LEVELS - 1) as f64;
        AxisMarks {
            title: layout.unit.title().to_owned(),
            marks: values
                .ticks(LEVELS, most)
                .into_iter()
                .map(|tick| Mark { place: place(tick.position), label: tick.label })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_reach_from_zero_to_their_values() {
        let vector = Array2::from_shape_vec((3, 1), vec![2.0, -1.0, 0.0]).expect("three values");
        let profile = Profile::of(&vector).expect("one column");
        assert_eq!(profile.matrix.dim(), (LEVELS, 3));
        let share = |i: usize| profile.matrix.column(i).sum() / LEVELS as f32;
        assert!((share(0) - 2.0 / 3.0).abs() < 0.01 && (share(1) - 1.0 / 3.0).abs() < 0.01);
        assert_eq!(share(2), 0.0);
        // From below: the negative one fills the lowest level.
        assert_eq!((profile.matrix[[0, 0]], profile.matrix[[0, 1]]), (0.0, 1.0));
        assert!(Profile::of(&Array2::zeros((3, 2))).is_none());
        assert!(Profile::of(&Array2::zeros((5, 1))).is_some_and(|p| p.matrix.sum() == 0.0));
    }
}
