//! A feature matrix as a picture without axes: an array of colours of any size, as the studies on spectrogram images feed it to
//! networks and as a figure shows it; and the marks that go beside its axes.
//!
//! [`PictureConfig`] -> [`Picture`] -> an array of (height, width, 3) bytes, the first matrix row at the bottom.

mod color_map;
mod resize;
mod ticks;

use std::sync::Arc;

use ndarray::{Array2, Array3, ArrayView2, Axis as Direction};
use serde::{Deserialize, Serialize};

pub use color_map::ColorMap;
pub use resize::{MAX_SIDE, resize};
pub use ticks::Tick;

use crate::{FeatureError, check};

/// Which values the ends of the colour map stand for.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Range {
    /// The smallest and the largest finite value of the matrix. The default.
    #[default]
    Whole,
    /// Fixed values; what lies outside takes the colour of the nearer end.
    Fixed {
        /// Value of the first colour.
        low: f32,
        /// Value of the last colour, over `low`.
        high: f32,
    },
}

/// What is resized: the values, or the colours that they already have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResizeStage {
    /// The values, before they take colours: no colour appears that is not in the map. The default.
    #[default]
    Values,
    /// The colours, as one resizes a finished image file.
    Colors,
}

/// Parameters of a picture.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PictureConfig {
    /// Width in pixels, 1 to 16,384. Default: one pixel a column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Height in pixels, 1 to 16,384. Default: one pixel a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<usize>,
    /// The colours. Default magma.
    pub color_map: ColorMap,
    /// Which values the ends of the colour map stand for. Default: the matrix's own.
    pub range: Range,
    /// What is resized. Default: the values.
    pub resize: ResizeStage,
}

impl PictureConfig {
    /// Checks the parameters and computes the table of colours.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a side outside 1 to 16,384, and a range that is not finite or not ascending.
    pub fn plan(&self) -> Result<Picture, FeatureError> {
        for (field, side) in [("width", self.width), ("height", self.height)] {
            if let Some(side) = side
                && !(1..=MAX_SIDE).contains(&side)
            {
                return Err(FeatureError::parameter(field, side, format!("1 to {MAX_SIDE}")));
            }
        }
        if let Range::Fixed { low, high } = self.range {
            check::within("range.low", f64::from(low), f64::from(f32::MIN), f64::from(f32::MAX))?;
            if !(high.is_finite() && high > low) {
                return Err(FeatureError::parameter(
                    "range.high",
                    high,
                    format!("finite and over low = {low}"),
                ));
            }
        }
        Ok(Picture { config: self.clone(), colors: Arc::new(self.color_map.table()) })
    }
}

/// A planned picture.
///
/// ```
/// use mgr_features::picture::{ColorMap, PictureConfig};
/// use ndarray::arr2;
///
/// let config = PictureConfig { color_map: ColorMap::Gray, ..PictureConfig::default() };
/// let picture = config.plan()?.process(arr2(&[[0.0_f32, 0.5], [1.0, 0.0]]).view())?;
/// assert_eq!(picture.dim(), (2, 2, 3));
/// // The first matrix row lies at the bottom.
/// assert_eq!((picture[[1, 0, 0]], picture[[0, 0, 0]]), (0, 255));
///
/// let large = PictureConfig { width: Some(216), height: Some(216), ..config }.plan()?;
/// assert_eq!(large.process(arr2(&[[0.0_f32, 0.5], [1.0, 0.0]]).view())?.dim(), (216, 216, 3));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Picture {
    config: PictureConfig,
    colors: Arc<[[u8; 3]; 256]>,
}

impl Picture {
    /// The values that the ends of the colour map stand for with this matrix; negative infinity, which a logarithm without a floor
    /// gives for silence, counts as smallest and is not looked at. A constant matrix gets a range of 1 above its value.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`] for NaN or positive infinity, [`FeatureError::TooShort`] for an empty matrix.
    pub fn range(&self, matrix: ArrayView2<'_, f32>) -> Result<(f32, f32), FeatureError> {
        if matrix.is_empty() {
            return Err(FeatureError::TooShort { got: 0, needed: 1 });
        }
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for (index, &value) in matrix.iter().enumerate() {
            if value.is_nan() || value == f32::INFINITY {
                return Err(FeatureError::NotFinite { index, value });
            }
            if value.is_finite() {
                (low, high) = (low.min(value), high.max(value));
            }
        }
        Ok(match self.config.range {
            Range::Fixed { low, high } => (low, high),
            Range::Whole if low > high => (0.0, 1.0),
            // Half of the range twice, so that a range wider than the largest float stays finite.
            Range::Whole if 0.5 * high - 0.5 * low > 0.0 => (low, high),
            Range::Whole => (low, low + 1.0_f32.max(low.abs() * f32::EPSILON)),
        })
    }

    /// The picture of a matrix: (height, width, 3) bytes, red, green and blue; the first matrix row at the bottom, the first column
    /// at the left. Value `v` takes colour `floor(256 (v - low) / (high - low))` of 256, at most the last.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`] for NaN or positive infinity, [`FeatureError::TooShort`] for an empty matrix,
    /// [`FeatureError::Parameter`] for a matrix of more than 16,384 rows or columns where that side is not resized,
    /// [`FeatureError::Memory`].
    pub fn process(&self, matrix: ArrayView2<'_, f32>) -> Result<Array3<u8>, FeatureError> {
        let (low, high) = self.range(matrix)?;
        let (rows, columns) = matrix.dim();
        let (height, width) = (self.config.height.unwrap_or(rows), self.config.width.unwrap_or(columns));
        for (field, side) in [("height", height), ("width", width)] {
            if side > MAX_SIDE {
                return Err(FeatureError::parameter(field, side, format!("1 to {MAX_SIDE}; resize it")));
            }
        }
        let scale = 1.0 / (f64::from(high) - f64::from(low));
        let level = |v: f32| (((f64::from(v) - f64::from(low)) * scale) as f32).clamp(0.0, 1.0);
        let color = |level: f32| self.colors[((level * 256.0) as usize).min(255)];

        let mut levels = check::matrix::<f32>(rows, columns)?;
        levels.zip_mut_with(&matrix.slice(ndarray::s![..;-1, ..]), |to, v| *to = level(*v));
        let resized = |plane: &Array2<f32>| resize(plane.view(), height, width);
        let mut picture = Array3::zeros((height, width, 3));
        match self.config.resize {
            ResizeStage::Values => {
                let levels = resized(&levels)?;
                for (mut pixel, l) in picture.lanes_mut(Direction(2)).into_iter().zip(&levels) {
                    pixel.iter_mut().zip(color(*l)).for_each(|(to, c)| *to = c);
                }
            }
            ResizeStage::Colors => {
                for channel in 0..3 {
                    let plane = resized(&levels.mapv(|l| f32::from(color(l)[channel])))?;
                    let mut to = picture.index_axis_mut(Direction(2), channel);
                    to.zip_mut_with(&plane, |to, v| *to = v.round().clamp(0.0, 255.0) as u8);
                }
            }
        }
        Ok(picture)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::arr2;

    use super::*;

    #[test]
    fn ranges_of_odd_matrices_are_defined() {
        let plan = PictureConfig::default().plan().unwrap();
        let range = |m: Array2<f32>| plan.range(m.view());
        assert_eq!(range(arr2(&[[1.0, f32::NEG_INFINITY, 3.0]])), Ok((1.0, 3.0)));
        assert_eq!(range(arr2(&[[2.0, 2.0]])), Ok((2.0, 3.0)));
        assert_eq!(range(arr2(&[[f32::NEG_INFINITY]])), Ok((0.0, 1.0)));
        assert_eq!(range(arr2(&[[f32::MIN, f32::MAX]])), Ok((f32::MIN, f32::MAX)));
        assert!(matches!(range(arr2(&[[0.0, f32::NAN]])), Err(FeatureError::NotFinite { index: 1, .. })));
        assert!(range(Array2::zeros((0, 3))).is_err());
        for m in [arr2(&[[f32::MIN, f32::MAX]]), arr2(&[[1e30, 1e30]]), arr2(&[[f32::NEG_INFINITY]])] {
            assert_eq!(plan.process(m.view()).unwrap().dim(), (1, m.ncols(), 3));
        }
    }

    #[test]
    fn absurd_parameters_are_refused() {
        let refused = |config: PictureConfig, field: &str| {
            let error = config.plan().unwrap_err();
            assert!(matches!(error, FeatureError::Parameter { field: f, .. } if f == field), "{error}");
        };
        refused(PictureConfig { width: Some(0), ..Default::default() }, "width");
        refused(PictureConfig { height: Some(MAX_SIDE + 1), ..Default::default() }, "height");
        for (low, high, field) in
            [(0.0, 0.0, "range.high"), (0.0, f32::NAN, "range.high"), (f32::NEG_INFINITY, 0.0, "range.low")]
        {
            let range = Range::Fixed { low, high };
            refused(PictureConfig { range, ..Default::default() }, field);
        }
    }

    #[test]
    fn colors_are_resized_as_an_image_is() {
        let config = PictureConfig {
            width: Some(3),
            resize: ResizeStage::Colors,
            color_map: ColorMap::Gray,
            ..PictureConfig::default()
        };
        let picture = config.plan().unwrap().process(arr2(&[[0.0, 1.0]]).view()).unwrap();
        assert_eq!([0, 1, 2].map(|x| picture[[0, x, 0]]), [0, 128, 255]);
    }
}
