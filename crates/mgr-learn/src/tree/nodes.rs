//! A grown tree.

use ndarray::ArrayView1;
use serde::{Deserialize, Serialize};

use crate::LearnError;

/// A binary tree over columns. Node 0 is the root; children come after their parents.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nodes {
    /// Column that a node looks at.
    column: Vec<u32>,
    /// Rows with at most this go left.
    threshold: Vec<f64>,
    /// The left child, the right one follows it; 0 for a leaf.
    left: Vec<u32>,
    /// Which leaf a node is; 0 for others.
    leaf: Vec<u32>,
    /// Values of every leaf, `width` each.
    values: Vec<f64>,
    width: usize,
}

impl Nodes {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// Adds a node without children.
    pub(crate) fn push(&mut self) -> usize {
        self.column.push(0);
        self.threshold.push(0.0);
        self.left.push(0);
        self.leaf.push(0);
        self.column.len() - 1
    }

    /// Makes a node look at a column; returns its left child, which the right one follows.
    pub(crate) fn split(&mut self, node: usize, column: usize, threshold: f64) -> usize {
        let left = self.push();
        self.push();
        self.column[node] = u32::try_from(column).unwrap_or(u32::MAX);
        self.threshold[node] = threshold;
        self.left[node] = u32::try_from(left).unwrap_or(u32::MAX);
        left
    }

    /// Gives a leaf its values; they can be changed later by the number returned.
    pub(crate) fn finish(&mut self, node: usize, values: &[f64]) -> usize {
        let leaf = self.values.len() / self.width.max(1);
        self.leaf[node] = u32::try_from(leaf).unwrap_or(u32::MAX);
        self.values.extend_from_slice(values);
        leaf
    }

    pub(crate) fn leaf_mut(&mut self, leaf: usize) -> &mut [f64] {
        &mut self.values[leaf * self.width..(leaf + 1) * self.width]
    }

    /// Values of the leaf that a row falls into.
    pub(crate) fn of(&self, row: ArrayView1<'_, f64>) -> &[f64] {
        let mut node = 0;
        loop {
            let left = self.left[node] as usize;
            if left == 0 {
                let leaf = self.leaf[node] as usize;
                return &self.values[leaf * self.width..(leaf + 1) * self.width];
            }
            node = left + usize::from(row[self.column[node] as usize] > self.threshold[node]);
        }
    }

    /// Checks a tree that was read, so that [`Nodes::of`] ends and stays within it.
    pub(crate) fn check(&self, columns: usize, width: usize) -> Result<(), LearnError> {
        let n = self.column.len();
        let leaves = self.values.len() / self.width.max(1);
        let fits = n > 0
            && self.width == width
            && self.values.len() == leaves * width
            && [self.threshold.len(), self.left.len(), self.leaf.len()] == [n; 3]
            && self.values.iter().chain(&self.threshold).all(|v| v.is_finite())
            && (0..n).all(|i| {
                let left = self.left[i] as usize;
                if left == 0 {
                    (self.leaf[i] as usize) < leaves
                } else {
                    left > i && left + 1 < n && (self.column[i] as usize) < columns
                }
            });
        if fits {
            Ok(())
        } else {
            Err(LearnError::Inconsistent { reason: "a tree's nodes do not fit together" })
        }
    }
}
