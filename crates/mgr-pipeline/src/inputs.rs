//! Stored features as the inputs of networks and learners: read where they lie, scaled while they are read.

use mgr_data::store::MappedClip;
use mgr_models::train::{Draw, Examples, Inputs};
use ndarray::{Array2, ArrayView3, s};
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::clips::Clips;
use crate::features::pooled;

/// Mean and deviation of each row over all values of the training part.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Scale {
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Scale {
    /// Leaves values as they are.
    pub(crate) fn identity(rows: usize) -> Self {
        Self { mean: vec![0.0; rows], deviation: vec![1.0; rows] }
    }

    /// Fits on the clips of a part that have the feature.
    pub(crate) fn fit(
        clips: &Clips,
        feature: usize,
        part: &[usize],
        rows: usize,
    ) -> Result<Self, PipelineError> {
        let (mut sums, mut squares, mut count) = (vec![0.0_f64; rows], vec![0.0_f64; rows], 0.0_f64);
        // Around a first value, so that large offsets cost no digits.
        let mut origin = vec![0.0_f64; rows];
        for &clip in part {
            let Some(view) = clips.view(feature, clip)? else { continue };
            let segments = view.segments()?;
            if count == 0.0 {
                origin = (0..rows).map(|r| f64::from(segments[[0, r, 0]])).collect();
            }
            for row in 0..rows {
                for &value in segments.slice(s![.., row, ..]) {
                    let value = f64::from(value) - origin[row];
                    sums[row] += value;
                    squares[row] += value * value;
                }
            }
            count += (segments.dim().0 * segments.dim().2) as f64;
        }
        let count = count.max(1.0);
        let mean = sums.iter().zip(&origin).map(|(s, o)| (s / count + o) as f32).collect();
        let deviation = sums.iter().zip(&squares).map(|(s, q)| {
            let variance = q / count - (s / count) * (s / count);
            // A constant row stays constant instead of becoming infinite.
            if variance > 1e-12 { variance.sqrt() as f32 } else { 1.0 }
        });
        Ok(Self { deviation: deviation.collect(), mean })
    }

    pub(crate) fn rows(&self) -> usize {
        self.mean.len()
    }

    /// Whether it has a mean and a deviation for so many rows.
    pub(crate) fn fits(&self, rows: usize) -> bool {
        self.mean.len() == rows && self.deviation.len() == rows
    }
}

/// Where the values of a clip come from: the store, or a file that was just computed.
pub(crate) enum Values<'a> {
    Stored(MappedClip),
    Fresh(ArrayView3<'a, f32>),
}

impl Values<'_> {
    pub(crate) fn with<T>(&self, f: impl FnOnce(ArrayView3<'_, f32>) -> T) -> Result<T, PipelineError> {
        match self {
            Self::Stored(clip) => Ok(f(clip.segments()?)),
            Self::Fresh(view) => Ok(f(view.view())),
        }
    }
}

/// The segments of some clips.
pub(crate) struct Segments<'a> {
    values: Vec<Values<'a>>,
    /// Clip and segment of every example.
    index: Vec<(usize, usize)>,
    labels: Vec<usize>,
    shape: Vec<usize>,
    scale: &'a Scale,
    frames: usize,
    /// Frames drawn of a segment; 0 for all.
    crop: usize,
}

impl<'a> Segments<'a> {
    /// The clips of a part that have the feature.
    pub(crate) fn stored(
        clips: &Clips,
        feature: usize,
        part: &[usize],
        scale: &'a Scale,
        crop: usize,
    ) -> Result<Self, PipelineError> {
        let mut values = Vec::new();
        for &clip in part {
            if let Some(view) = clips.view(feature, clip)? {
                values.push((Values::Stored(view), clips.clips[clip].class));
            }
        }
        Self::new(values, scale, crop)
    }

    pub(crate) fn new(
        given: Vec<(Values<'a>, usize)>,
        scale: &'a Scale,
        crop: usize,
    ) -> Result<Self, PipelineError> {
        let (mut values, mut index, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        let mut frames = 1;
        for (at, (value, label)) in given.into_iter().enumerate() {
            let (segments, _, columns) = value.with(|v| v.dim())?;
            frames = columns;
            index.extend((0..segments).map(|segment| (at, segment)));
            labels.extend(std::iter::repeat_n(label, segments));
            values.push(value);
        }
        let crop = if crop >= frames { 0 } else { crop };
        let wide = if crop == 0 { frames } else { crop };
        let shape = if frames == 1 { vec![scale.rows()] } else { vec![1, scale.rows(), wide] };
        Ok(Self { values, index, labels, shape, scale, frames, crop })
    }
}

impl Inputs for Segments<'_> {
    fn len(&self) -> usize {
        self.index.len()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn write_input(
        &self,
        index: usize,
        draw: Draw,
        out: &mut [f32],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let Some(&(clip, segment)) = self.index.get(index) else {
            return Err(format!("no example {index}").into());
        };
        let wide = if self.crop == 0 { self.frames } else { self.crop };
        let start = if self.crop == 0 { 0 } else { draw.generator(index).below(self.frames - self.crop + 1) };
        self.values[clip].with(|values| {
            for (row, out) in out.chunks_exact_mut(wide).enumerate() {
                let (mean, deviation) = (self.scale.mean[row], self.scale.deviation[row]);
                let values = values.slice(s![segment, row, start..start + wide]);
                out.iter_mut().zip(values).for_each(|(o, v)| *o = (v - mean) / deviation);
            }
        })?;
        Ok(())
    }
}

impl Examples for Segments<'_> {
    fn label(&self, index: usize) -> usize {
        self.labels.get(index).copied().unwrap_or(usize::MAX)
    }
}

/// A table with a row for each clip of a part that has the feature, and which clips these are.
pub(crate) fn table(
    clips: &Clips,
    feature: usize,
    part: &[usize],
) -> Result<(Array2<f64>, Vec<usize>), PipelineError> {
    let (mut rows, mut has, mut width) = (Vec::new(), Vec::new(), 0);
    for &clip in part {
        if let Some(view) = clips.view(feature, clip)? {
            let row = pooled(&view.segments()?);
            width = row.len();
            rows.extend(row);
            has.push(clip);
        }
    }
    let count = has.len();
    let table = Array2::from_shape_vec((count, width), rows)
        .map_err(|e| PipelineError::Folds { reason: format!("table of features: {e}") })?;
    Ok((table, has))
}
