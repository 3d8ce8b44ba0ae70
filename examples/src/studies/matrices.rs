//! Matrices (rows, frames) of one size as inputs of networks, standardised while they are read.

use mgr_data::DataError;
use mgr_data::batch::{Items, Standardiser};
use mgr_models::train::{Draw, Examples, Inputs};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

/// Matrices with a class each.
#[derive(Debug, Default)]
pub struct Matrices {
    /// (rows, frames) each.
    pub items: Vec<Array2<f32>>,
    /// Their classes.
    pub labels: Vec<usize>,
}

impl Items for Matrices {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn label(&self, item: usize) -> usize {
        self.labels.get(item).copied().unwrap_or(usize::MAX)
    }

    fn with(&self, item: usize, take: &mut dyn FnMut(ArrayView2<'_, f32>)) -> Result<(), DataError> {
        let matrix = self.items.get(item);
        let gone = || DataError::Batch { reason: format!("there is no item {item}") };
        take(matrix.ok_or_else(gone)?.view());
        Ok(())
    }
}

/// Some matrices as the examples of a network: the first `frames` of each, a shorter one repeated, standardised, in as many
/// equal channels as the network takes, followed by a vector where it takes one.
#[derive(Debug)]
pub struct Standardised<'a> {
    matrices: &'a Matrices,
    chosen: Vec<usize>,
    standardiser: Standardiser,
    channels: usize,
    rows: usize,
    frames: usize,
    /// A vector behind each matrix, by its position among all of them.
    vectors: Option<&'a [Vec<f32>]>,
    shape: Vec<usize>,
}

impl<'a> Standardised<'a> {
    /// The chosen ones of `matrices`, (channels, rows, frames) each.
    #[must_use]
    pub fn new(
        matrices: &'a Matrices,
        chosen: Vec<usize>,
        standardiser: Standardiser,
        [channels, frames]: [usize; 2],
    ) -> Self {
        let rows = matrices.items.first().map_or(0, Array2::nrows);
        let shape = vec![channels, rows, frames];
        Self { matrices, chosen, standardiser, channels, rows, frames, vectors: None, shape }
    }

    /// With a vector behind the matrix, both as one long vector, as
    /// [`SpecAndEmbedConfig`](mgr_models::zoo::SpecAndEmbedConfig) takes them.
    #[must_use]
    pub fn followed_by(mut self, vectors: &'a [Vec<f32>]) -> Self {
        let length = vectors.first().map_or(0, Vec::len);
        self.shape = vec![self.channels * self.rows * self.frames + length];
        self.vectors = Some(vectors);
        self
    }

    /// The position of each example among all matrices.
    #[must_use]
    pub fn chosen(&self) -> &[usize] {
        &self.chosen
    }
}

impl Inputs for Standardised<'_> {
    fn len(&self) -> usize {
        self.chosen.len()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn write_input(
        &self,
        index: usize,
        _draw: Draw,
        out: &mut [f32],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let item = *self.chosen.get(index).ok_or("there is no such example")?;
        let matrix = &self.matrices.items[item];
        let there = matrix.ncols().min(self.frames);
        if there == 0 {
            return Err("a matrix has no frame".into());
        }
        let size = self.rows * self.frames;
        let (pictures, vector) = out.split_at_mut(self.channels * size);
        for picture in pictures.chunks_exact_mut(size) {
            let mut picture = ArrayViewMut2::from_shape((self.rows, self.frames), picture)?;
            for start in (0..self.frames).step_by(there) {
                let length = there.min(self.frames - start);
                picture.slice_mut(s![.., start..start + length]).assign(&matrix.slice(s![.., ..length]));
            }
            self.standardiser.apply(picture);
        }
        if let Some(vectors) = self.vectors {
            vector.copy_from_slice(&vectors[item]);
        }
        Ok(())
    }
}

impl Examples for Standardised<'_> {
    fn label(&self, index: usize) -> usize {
        self.chosen.get(index).map_or(usize::MAX, |&item| self.matrices.label(item))
    }
}

/// Vectors with a class each, some of them chosen.
#[derive(Debug)]
pub struct Vectors<'a> {
    /// All vectors.
    pub vectors: &'a [Vec<f32>],
    /// Their classes.
    pub labels: &'a [usize],
    /// Those that are examples.
    pub chosen: Vec<usize>,
    /// The length of one.
    pub shape: [usize; 1],
}

impl Inputs for Vectors<'_> {
    fn len(&self) -> usize {
        self.chosen.len()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn write_input(
        &self,
        index: usize,
        _draw: Draw,
        out: &mut [f32],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let item = *self.chosen.get(index).ok_or("there is no such example")?;
        out.copy_from_slice(&self.vectors[item]);
        Ok(())
    }
}

impl Examples for Vectors<'_> {
    fn label(&self, index: usize) -> usize {
        self.chosen.get(index).and_then(|&item| self.labels.get(item)).copied().unwrap_or(usize::MAX)
    }
}
