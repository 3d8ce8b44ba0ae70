//! Chroma, CENS and the tonal centroids of CENS, of one constant-Q transform.

use ndarray::{ArrayViewMut2, s};

use super::cens::ChromaCens;
use super::classes::ClassesScratch;
use super::cqt::{CENTROIDS, ChromaCqt, Tonnetz};
use crate::FeatureError;

/// The three, planned over the same pitch classes.
pub(crate) struct Together {
    pub(crate) chroma: ChromaCqt,
    pub(crate) cens: ChromaCens,
    pub(crate) tonnetz: Tonnetz,
}

/// Buffers of one computation.
pub(crate) struct TogetherScratch {
    classes: ClassesScratch,
    quantised: Vec<f32>,
    column: Vec<f32>,
}

impl Together {
    pub(crate) fn rows(&self) -> usize {
        2 * self.cens.n_chroma() + CENTROIDS
    }

    pub(crate) fn columns(&self, samples: usize) -> Result<usize, FeatureError> {
        self.cens.classes.columns(samples)
    }

    pub(crate) fn scratch_for(&self, samples: usize) -> TogetherScratch {
        let (rows, columns) = (self.cens.n_chroma(), self.columns(samples).unwrap_or(0));
        TogetherScratch {
            classes: self.cens.classes.scratch_for(samples),
            quantised: crate::check::vector(rows, columns).unwrap_or_default(),
            column: vec![0.0; rows.max(CENTROIDS)],
        }
    }

    /// Rows of chroma, of CENS, and of the centroids, below each other.
    pub(crate) fn process_into(
        &self,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut TogetherScratch,
    ) -> Result<(), FeatureError> {
        let (rows, columns) = (self.cens.n_chroma(), self.columns(samples.len())?);
        let TogetherScratch { classes, quantised, column } = scratch;
        let refused = FeatureError::Scratch { plan: "chroma_cens" };
        let Some(quantised) = quantised.get_mut(..rows * columns) else { return Err(refused) };
        let magnitudes = self.cens.classes.magnitudes(samples, classes)?;
        for (t, (from, to)) in magnitudes.zip(quantised.chunks_exact_mut(rows)).enumerate() {
            let chroma = &mut column[..rows];
            self.chroma.column(from, chroma);
            out.slice_mut(s![..rows, t]).iter_mut().zip(&*chroma).for_each(|(to, v)| *to = *v);
            self.cens.quantise(from, to);
        }
        self.cens.smooth(quantised, out.slice_mut(s![rows..2 * rows, ..]), &mut column[..rows]);
        // The quantised values are done with: their room is for a column of CENS.
        for t in 0..columns {
            let cens = &mut quantised[..rows];
            cens.iter_mut().zip(out.slice(s![rows..2 * rows, t])).for_each(|(to, v)| *to = *v);
            let centroids = &mut column[..CENTROIDS];
            self.tonnetz.centroids(cens, centroids);
            out.slice_mut(s![2 * rows.., t]).iter_mut().zip(&*centroids).for_each(|(to, v)| *to = *v);
        }
        Ok(())
    }
}
