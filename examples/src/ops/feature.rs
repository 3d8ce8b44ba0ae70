//! Ops that are one feature matrix.

use mgr_features::{Extractor, FeatureConfig};
use ndarray::{Array2, ShapeBuilder};

use super::parameters::text;
use super::{Op, Outputs, Repeat};

/// How the reference lays out a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Orientation {
    /// (rows, frames), as ours.
    RowsFrames,
    /// (frames, rows).
    FramesRows,
}

/// A feature matrix, and how the reference lays it out.
pub(super) struct FeatureOp {
    extractor: Box<dyn Extractor>,
    orientation: Orientation,
}

impl FeatureOp {
    /// Plans the feature.
    pub(super) fn plan(
        config: &FeatureConfig,
        sample_rate: u32,
        orientation: Orientation,
    ) -> Result<Box<dyn Op>, String> {
        Ok(Box::new(Self { extractor: config.plan(sample_rate).map_err(text)?, orientation }))
    }
}

impl Op for FeatureOp {
    fn run(&self, samples: &[f32]) -> Result<Outputs, String> {
        let matrix = self.extractor.extract(samples).map_err(text)?;
        let array = match self.orientation {
            Orientation::RowsFrames => matrix.into(),
            Orientation::FramesRows => matrix.reversed_axes().into(),
        };
        Ok(vec![("out", array)])
    }

    fn repeat<'a>(&'a self, samples: &'a [f32]) -> Result<Repeat<'a>, String> {
        let layout = self.extractor.layout(samples.len()).map_err(text)?;
        let mut out = Array2::zeros((layout.rows, layout.columns).f());
        let mut scratch = self.extractor.scratch_for(samples.len());
        Ok(Box::new(move || {
            self.extractor.extract_into(samples, out.view_mut(), &mut scratch).map_err(text)?;
            std::hint::black_box(&out);
            Ok(())
        }))
    }
}
