//! What every row of a scattering matrix stands for, and the order in which rows are computed.

use super::bank::{Wavelet, wavelets};

/// One path: which wavelets the signal went through.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Path {
    /// Wavelet of the first order; none for order 0.
    pub first: Option<Wavelet>,
    /// Wavelet of the second order; none for orders 0 and 1.
    pub second: Option<Wavelet>,
}

impl Path {
    /// Order of the path: how many wavelets.
    #[must_use]
    pub fn order(&self) -> u8 {
        u8::from(self.first.is_some()) + u8::from(self.second.is_some())
    }

    /// Centre frequencies in Hz of first and second order at a sampling rate; 0 where there is none.
    #[must_use]
    pub fn hz(&self, sample_rate: u32) -> [f64; 2] {
        [self.first, self.second].map(|w| w.map_or(0.0, |w| w.xi * f64::from(sample_rate)))
    }
}

/// What becomes of an envelope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Averaged {
    /// Low-passed at scale `t` and subsampled by `2^level`.
    Local { t: f64, level: usize },
    /// Averaged over the signal.
    Global,
    /// Nothing.
    No,
}

impl Averaged {
    pub(super) fn is_local(self) -> bool {
        matches!(self, Self::Local { .. })
    }
}

/// All paths, as a tree of two levels.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) averaged: Averaged,
    /// Without the factors `2^level` that undo the subsampling of filters by their mean.
    pub(super) legacy: bool,
    pub(super) first: Vec<Wavelet>,
    pub(super) second: Vec<Wavelet>,
    /// One for each wavelet of the first order.
    pub(super) branches: Vec<Branch>,
    pub(super) rows: usize,
    /// Subsampling of each row before averaging.
    pub(super) row_levels: Vec<usize>,
}

/// A first-order wavelet, the subsampling `2^level` of its envelope, and the paths that go on from it.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    pub(super) level: usize,
    pub(super) leaves: Vec<Leaf>,
}

/// A second-order wavelet, the row of the path that ends in it, and the subsampling of its envelope.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf {
    pub(super) n2: usize,
    pub(super) row: usize,
    pub(super) level: usize,
}

impl Tree {
    /// `t` is the scale of local averaging.
    pub(super) fn new(
        j: u32,
        q: [u32; 2],
        second_order: bool,
        averaged: Averaged,
        oversampling: u32,
    ) -> Self {
        let (first, second) = (wavelets(j, q[0]), wavelets(j, q[1]));
        let oversampling = oversampling as usize;
        let deepest = match averaged {
            Averaged::Local { t, .. } => t.log2().floor() as usize,
            Averaged::Global | Averaged::No => usize::MAX,
        };
        let mut row = 1 + first.len();
        let mut leaves = |n1: usize, level: usize| {
            let mut leaves = Vec::new();
            for w2 in second.iter().filter(|w2| second_order && w2.j > first[n1].j) {
                let level = w2.j.min(deepest).saturating_sub(oversampling).max(level);
                leaves.push(Leaf { n2: w2.n, row, level });
                row += 1;
            }
            leaves
        };
        let branches: Vec<Branch> = first
            .iter()
            .map(|w1| {
                let level = w1.j.min(deepest).saturating_sub(oversampling);
                Branch { level, leaves: leaves(w1.n, level) }
            })
            .collect();
        let mut row_levels = vec![0; row];
        for (n1, branch) in branches.iter().enumerate() {
            row_levels[1 + n1] = branch.level;
            branch.leaves.iter().for_each(|leaf| row_levels[leaf.row] = leaf.level);
        }
        Self { averaged, legacy: false, first, second, branches, rows: row, row_levels }
    }

    /// Every level of subsampling that occurs.
    pub(super) fn levels(&self) -> impl Iterator<Item = usize> + '_ {
        let column = match self.averaged {
            Averaged::Local { level, .. } => level,
            _ => 0,
        };
        let envelopes = self.branches.iter().flat_map(|b| b.leaves.iter().map(|l| l.level).chain([b.level]));
        envelopes.chain([column])
    }

    /// What every row is.
    pub(super) fn paths(&self) -> Vec<Path> {
        let mut paths = vec![Path { first: None, second: None }; self.rows];
        for (n1, branch) in self.branches.iter().enumerate() {
            let first = Some(self.first[n1]);
            paths[1 + n1] = Path { first, second: None };
            for leaf in &branch.leaves {
                paths[leaf.row] = Path { first, second: Some(self.second[leaf.n2]) };
            }
        }
        paths
    }
}
