//! Texture windows over the last frames, and what is gathered over a whole signal.

use super::TimbreDialect;
use crate::simd::timbre::texture;

/// The last frames: means and standard deviations of each value over them.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    dialect: TimbreDialect,
    /// Frames one after another, in a ring.
    ring: Vec<f64>,
    width: usize,
    next: usize,
    filled: usize,
}

impl Memory {
    pub(super) fn new(dialect: TimbreDialect, length: usize, width: usize) -> Self {
        Self { dialect, ring: vec![0.0; length * width], width, next: 0, filled: 0 }
    }

    /// Whether it is of this many values and this dialect.
    pub(super) fn fits(&self, (values, dialect): (usize, TimbreDialect)) -> bool {
        self.ring.len() == values && self.dialect == dialect
    }

    pub(super) fn reset(&mut self) {
        (self.next, self.filled) = (0, 0);
    }

    /// Takes a frame and gives the statistics with it: all means, then all standard deviations.
    pub(super) fn push(&mut self, frame: &[f64], out: &mut [f64]) {
        let Self { dialect, ring, width, next, filled } = self;
        let length = ring.len() / *width;
        if *filled == 0 && *dialect == TimbreDialect::Marsyas {
            ring.chunks_exact_mut(*width).for_each(|row| row.copy_from_slice(frame));
            *filled = length;
        } else {
            ring[*next * *width..(*next + 1) * *width].copy_from_slice(frame);
            *filled = (*filled + 1).min(length);
        }
        *next = (*next + 1) % length;
        let (means, stds) = out.split_at_mut(*width);
        texture(&ring[..*filled * *width], means, stds);
    }
}

/// Means and standard deviations over everything so far, one value after another (Welford 1962).
#[derive(Debug, Clone)]
pub(super) struct Accumulator {
    count: f64,
    means: Vec<f64>,
    squares: Vec<f64>,
}

impl Accumulator {
    pub(super) fn new(width: usize) -> Self {
        Self { count: 0.0, means: vec![0.0; width], squares: vec![0.0; width] }
    }

    pub(super) fn reset(&mut self) {
        self.count = 0.0;
        self.means.fill(0.0);
        self.squares.fill(0.0);
    }

    pub(super) fn push(&mut self, values: &[f64]) {
        self.count += 1.0;
        let share = self.count.recip();
        for ((mean, square), x) in self.means.iter_mut().zip(&mut self.squares).zip(values) {
            let d = x - *mean;
            *mean += d * share;
            *square += d * (x - *mean);
        }
    }

    /// All means, then all standard deviations.
    pub(super) fn write(&self, out: &mut [f32]) {
        let count = self.count.max(1.0);
        let stds = self.squares.iter().map(|s| (s.max(0.0) / count).sqrt());
        out.iter_mut().zip(self.means.iter().copied().chain(stds)).for_each(|(o, v)| *o = v as f32);
    }
}
