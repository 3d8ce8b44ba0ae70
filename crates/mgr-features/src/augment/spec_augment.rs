//! Masks over stretches of time and bands of frequency.

use ndarray::{ArrayViewMut2, Axis, Slice};
use serde::{Deserialize, Serialize};

use super::Random;
use crate::{FeatureError, check};

/// What masked values become.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// This value, finite.
    Value(f32),
    /// The mean of the matrix before it is masked.
    Mean,
    /// The least value of the matrix before it is masked: silence, in decibels with a floor.
    Minimum,
}

/// Parameters of [`SpecAugment`]. Defaults: the masks of the paper's policy LD, filled with zero.
///
/// The paper's policies, without their time warping: LB and LD mask 27 rows once and twice and up to 100 frames as often, of any
/// share; SM and SS mask 15 and 27 rows and up to 70 frames, twice each, with a share of at most 0.2 for a mask over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpecAugmentConfig {
    /// Masks over time, 0 to 1000. Default 2.
    pub time_masks: usize,
    /// Columns of a mask over time at most; where it is more than the matrix has, the share alone is the bound. Default 100.
    pub max_time_width: usize,
    /// Share of the columns that one mask over time has at most, 0 to 1. Default 1.
    pub max_time_share: f64,
    /// Masks over frequency, 0 to 1000. Default 2.
    pub frequency_masks: usize,
    /// Rows of a mask over frequency at most. Default 27.
    pub max_frequency_width: usize,
    /// What masked values become.
    pub fill: Fill,
}

impl Default for SpecAugmentConfig {
    fn default() -> Self {
        Self {
            time_masks: 2,
            max_time_width: 100,
            max_time_share: 1.0,
            frequency_masks: 2,
            max_frequency_width: 27,
            fill: Fill::Value(0.0),
        }
    }
}

impl SpecAugmentConfig {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for more than 1000 masks, a share out of range, a fill that is not finite.
    pub fn plan(&self) -> Result<SpecAugment, FeatureError> {
        for (field, count) in [("time_masks", self.time_masks), ("frequency_masks", self.frequency_masks)] {
            if count > MOST_MASKS {
                return Err(FeatureError::parameter(field, count, format!("0 to {MOST_MASKS}")));
            }
        }
        check::within("max_time_share", self.max_time_share, 0.0, 1.0)?;
        if let Fill::Value(value) = self.fill {
            check::within("fill", f64::from(value), f64::from(f32::MIN), f64::from(f32::MAX))?;
        }
        Ok(SpecAugment { config: self.clone() })
    }
}

const MOST_MASKS: usize = 1000;

/// What a mask goes across.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskAxis {
    /// Columns.
    Time,
    /// Rows.
    Frequency,
}

/// One mask: `width` columns or rows from `start` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    /// What it goes across.
    pub axis: MaskAxis,
    /// First column or row.
    pub start: usize,
    /// How many; may be 0.
    pub width: usize,
}

/// What was drawn and done; it does the same again to any matrix of the same shape.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecAugmentLog {
    /// Rows and columns of the matrix.
    pub shape: [usize; 2],
    /// What masked values became.
    pub fill: f32,
    /// The masks, in the order in which they were drawn.
    pub masks: Vec<Mask>,
}

/// Planned SpecAugment, on any matrix of (rows, frames).
///
/// A mask has a width drawn evenly from 0 to the most that is allowed, and a place drawn evenly from all where it fits; masks may
/// overlap. Time warping, which the paper found to add little, is not done.
///
/// Source: Park, Chan, Zhang, Chiu, Zoph, Cubuk, Le, "SpecAugment: a simple data augmentation method for automatic speech
/// recognition", Interspeech 2019.
///
/// ```
/// use mgr_features::augment::{Fill, Random, SpecAugmentConfig};
/// use ndarray::Array2;
/// let masking = SpecAugmentConfig { fill: Fill::Minimum, ..SpecAugmentConfig::default() }.plan()?;
/// let mut a = Array2::from_shape_fn((128, 216), |(i, j)| (i + j) as f32);
/// let (mut b, mut log) = (a.clone(), masking.log());
/// masking.apply(a.view_mut(), &mut Random::new(7), &mut log)?;
/// assert_eq!(log.masks.len(), 4);
/// log.replay(b.view_mut())?;
/// assert_eq!(a, b);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SpecAugment {
    config: SpecAugmentConfig,
}

impl SpecAugment {
    /// An empty log with room for all masks.
    #[must_use]
    pub fn log(&self) -> SpecAugmentLog {
        let masks = Vec::with_capacity(self.config.time_masks + self.config.frequency_masks);
        SpecAugmentLog { masks, ..SpecAugmentLog::default() }
    }

    /// Draws masks, first over frequency and then over time, two numbers of the stream each, and applies them. The log is written
    /// over; with one made by [`SpecAugment::log`] nothing is allocated.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`] where the mean or the least value is asked for and the matrix has a value that is not finite,
    /// counted column by column; the matrix is then as it was. Otherwise values that are not finite are values like others.
    pub fn apply(
        &self,
        matrix: ArrayViewMut2<'_, f32>,
        random: &mut Random,
        log: &mut SpecAugmentLog,
    ) -> Result<(), FeatureError> {
        let (rows, columns) = matrix.dim();
        log.fill = self.fill(&matrix)?;
        log.shape = [rows, columns];
        log.masks.clear();
        let config = &self.config;
        let share = (config.max_time_share * columns as f64).floor() as usize;
        let widest = config.max_time_width.min(share).min(columns);
        let mut draw = |axis: MaskAxis, widest: usize, length: usize| {
            let width = random.integer(0, widest);
            let start = random.integer(0, length - width);
            log.masks.push(Mask { axis, start, width });
        };
        for _ in 0..config.frequency_masks {
            draw(MaskAxis::Frequency, config.max_frequency_width.min(rows), rows);
        }
        for _ in 0..config.time_masks {
            draw(MaskAxis::Time, widest, columns);
        }
        log.replay(matrix)
    }

    /// What masked values become: in the order of columns, whatever the memory layout, so that sums are the same.
    fn fill(&self, matrix: &ArrayViewMut2<'_, f32>) -> Result<f32, FeatureError> {
        let values = || matrix.t().into_iter().copied();
        if let Fill::Value(value) = self.config.fill {
            return Ok(value);
        }
        if let Some((index, value)) = values().enumerate().find(|(_, v)| !v.is_finite()) {
            return Err(FeatureError::NotFinite { index, value });
        }
        if matrix.is_empty() {
            return Ok(0.0);
        }
        Ok(match self.config.fill {
            Fill::Minimum => values().fold(f32::INFINITY, f32::min),
            _ => (values().map(f64::from).sum::<f64>() / matrix.len() as f64) as f32,
        })
    }
}

impl SpecAugmentLog {
    /// Masks a matrix as the log says. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for a matrix of another shape, [`FeatureError::Parameter`] for a mask that does not fit; the matrix
    /// is then as it was.
    pub fn replay(&self, mut matrix: ArrayViewMut2<'_, f32>) -> Result<(), FeatureError> {
        let [rows, columns] = self.shape;
        let (got_rows, got_columns) = matrix.dim();
        if (got_rows, got_columns) != (rows, columns) {
            return Err(FeatureError::Shape { what: "matrix", got_rows, got_columns, rows, columns });
        }
        let length = |mask: &Mask| if mask.axis == MaskAxis::Time { columns } else { rows };
        let end = |mask: &Mask| mask.start.checked_add(mask.width).filter(|end| *end <= length(mask));
        if let Some(mask) = self.masks.iter().find(|mask| end(mask).is_none()) {
            let Mask { axis, start, width } = mask;
            let value = format!("{width} from {start} over {axis:?}");
            return Err(FeatureError::parameter("masks", value, format!("within {}", length(mask))));
        }
        for mask in &self.masks {
            let axis = Axis(usize::from(mask.axis == MaskAxis::Time));
            matrix.slice_axis_mut(axis, Slice::from(mask.start..mask.start + mask.width)).fill(self.fill);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ShapeBuilder};

    use super::*;

    fn matrix(rows: usize, columns: usize) -> Array2<f32> {
        Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 37 + j * 11) as f32).sin() - 2.0)
    }

    #[test]
    fn masks_what_the_log_says_and_nothing_else() {
        for (fill, want) in [
            (Fill::Value(9.0), 9.0),
            (Fill::Minimum, matrix(20, 50).iter().copied().fold(0.0, f32::min)),
            (Fill::Mean, (matrix(20, 50).iter().map(|v| f64::from(*v)).sum::<f64>() / 1000.0) as f32),
        ] {
            let config =
                SpecAugmentConfig { max_frequency_width: 5, max_time_share: 0.3, fill, ..Default::default() };
            let plan = config.plan().unwrap();
            let (mut random, mut log) = (Random::new(4), plan.log());
            for _ in 0..50 {
                let before = matrix(20, 50);
                let mut after = before.clone();
                plan.apply(after.view_mut(), &mut random, &mut log).unwrap();
                // The sum of the mean may be taken in another order.
                assert!((log.fill - want).abs() < 1e-6 && log.shape == [20, 50] && log.masks.len() == 4);
                for ((i, j), value) in after.indexed_iter() {
                    let inside = |mask: &Mask| {
                        let at = if mask.axis == MaskAxis::Time { j } else { i };
                        (mask.start..mask.start + mask.width).contains(&at)
                    };
                    let masked = log.masks.iter().any(inside);
                    assert_eq!(*value, if masked { log.fill } else { before[[i, j]] });
                }
                for mask in &log.masks {
                    assert!(mask.width <= if mask.axis == MaskAxis::Time { 15 } else { 5 });
                }
            }
        }
    }

    #[test]
    fn widths_and_places_are_drawn_evenly() {
        let config =
            SpecAugmentConfig { time_masks: 1, max_time_width: 3, frequency_masks: 0, ..Default::default() };
        let plan = config.plan().unwrap();
        let (mut random, mut log) = (Random::new(8), plan.log());
        let (mut widths, mut starts) = ([0u32; 4], [0u32; 4]);
        for _ in 0..40_000 {
            plan.apply(Array2::zeros((1, 6)).view_mut(), &mut random, &mut log).unwrap();
            let Mask { start, width, .. } = log.masks[0];
            widths[width] += 1;
            if width == 3 {
                starts[start] += 1;
            }
        }
        // Five standard deviations of counts of 10000 and 2500.
        assert!(widths.iter().all(|c| c.abs_diff(10_000) < 434), "{widths:?}");
        assert!(starts.iter().all(|c| c.abs_diff(2500) < 250), "{starts:?}");
    }

    #[test]
    fn is_the_same_for_a_seed_a_layout_and_a_log_and_allocates_nothing() {
        let plan = SpecAugmentConfig { fill: Fill::Mean, ..Default::default() }.plan().unwrap();
        let (mut a, mut b) = (matrix(128, 216), Array2::zeros((128, 216).f()));
        b.assign(&a);
        let (mut log, mut again) = (plan.log(), plan.log());
        plan.apply(a.view_mut(), &mut Random::new(6), &mut log).unwrap();
        let count = allocation_counter::measure(|| {
            plan.apply(b.view_mut(), &mut Random::new(6), &mut again).unwrap();
        });
        assert_eq!(count.count_total, 0);
        assert_eq!((&a, &log), (&b, &again));
        let text = serde_json::to_string(&log).unwrap();
        let read: SpecAugmentLog = serde_json::from_str(&text).unwrap();
        let mut c = matrix(128, 216);
        read.replay(c.view_mut()).unwrap();
        assert_eq!((read, a), (log.clone(), c));
        // What was drawn for a seed stays what it was: logs and stored sets rely on it.
        let drawn: Vec<[usize; 2]> = log.masks.iter().map(|mask| [mask.start, mask.width]).collect();
        assert_eq!(drawn, [[73, 12], [11, 0], [52, 98], [40, 61]]);
    }

    #[test]
    fn odd_matrices_and_logs_are_defined() {
        let plan = SpecAugmentConfig { fill: Fill::Minimum, ..Default::default() }.plan().unwrap();
        let (mut random, mut log) = (Random::new(1), plan.log());
        for shape in [(0, 0), (0, 5), (5, 0), (1, 1)] {
            plan.apply(Array2::zeros(shape).view_mut(), &mut random, &mut log).unwrap();
        }
        let mut bad = matrix(3, 4);
        bad[[1, 2]] = f32::NAN;
        let error = plan.apply(bad.view_mut(), &mut random, &mut log).unwrap_err();
        assert!(matches!(error, FeatureError::NotFinite { index: 7, .. }));
        let mut free = SpecAugmentConfig::default().plan().map(|plan| (plan.log(), plan)).unwrap();
        free.1.apply(bad.view_mut(), &mut random, &mut free.0).unwrap();

        let mask = |start, width| Mask { axis: MaskAxis::Frequency, start, width };
        for (start, width, fits) in [(0, 3, true), (3, 0, true), (1, 3, false), (usize::MAX, 2, false)] {
            let log = SpecAugmentLog { shape: [3, 4], fill: 0.0, masks: vec![mask(start, width)] };
            assert_eq!(log.replay(matrix(3, 4).view_mut()).is_ok(), fits);
            assert!(matches!(log.replay(matrix(4, 3).view_mut()), Err(FeatureError::Shape { .. })));
        }
    }

    #[test]
    fn configurations_are_checked_and_survive_toml() {
        let default = SpecAugmentConfig::default;
        for (config, wrong) in [
            (SpecAugmentConfig { time_masks: 1001, ..default() }, "time_masks"),
            (SpecAugmentConfig { frequency_masks: usize::MAX, ..default() }, "frequency_masks"),
            (SpecAugmentConfig { max_time_share: f64::NAN, ..default() }, "max_time_share"),
            (SpecAugmentConfig { fill: Fill::Value(f32::INFINITY), ..default() }, "fill"),
        ] {
            let error = config.plan().unwrap_err();
            assert!(matches!(error, FeatureError::Parameter { field, .. } if field == wrong), "{error}");
        }
        let text = toml::to_string(&default()).unwrap();
        assert_eq!(toml::from_str::<SpecAugmentConfig>(&text).unwrap(), default());
    }
}
