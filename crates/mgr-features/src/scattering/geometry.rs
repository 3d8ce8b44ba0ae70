//! Where the reference's padded signal begins and ends, where its columns lie, and how it is cut into blocks.

use num_complex::Complex;

use super::bank;
use crate::frame::Span;

/// The signal as the reference pads it: mirrored about its end samples to a power of two, and from there on a circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Padded {
    /// Samples of the signal.
    pub(super) samples: usize,
    /// Samples of the circle.
    pub(super) circle: usize,
    /// Samples of the circle that come before the signal.
    pub(super) left: usize,
}

impl Padded {
    /// A signal of `samples` samples, at least 2, padded for a low-pass filter of scale `t`.
    pub(super) fn new(samples: usize, t: f64) -> Self {
        let wanted = samples + 6 * bank::support(t, samples);
        let circle = wanted.next_power_of_two().min(1 << (3 * samples - 2).ilog2());
        Self { samples, circle, left: (circle - samples) / 2 }
    }

    /// First column at a subsampling of `2^level`, and the one after the last, counted on the circle.
    pub(super) fn columns(&self, level: usize) -> (usize, usize) {
        (self.left.div_ceil(1 << level), (self.left + self.samples).div_ceil(1 << level))
    }

    /// How many columns there are at a subsampling of `2^level`.
    pub(super) fn count(&self, level: usize) -> usize {
        let (first, end) = self.columns(level);
        end - first
    }
}

/// The cut into blocks: each is transformed on a circle of its own, and its inside is kept, where that circle's seam is out
/// of the filters' reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) padded: Padded,
    /// Samples of a block.
    pub(super) length: usize,
    /// Samples at either end of a block that are not kept.
    border: usize,
    /// Where the kept part of block 0 begins, on the padded circle.
    first: usize,
    /// Whether filters reach across the seam of the padded circle.
    wraps: bool,
}

impl Blocks {
    /// One block: the padded circle itself.
    pub(super) fn whole(padded: Padded) -> Self {
        Self { padded, length: padded.circle, border: 0, first: 0, wraps: true }
    }

    /// Blocks of `length` samples, whose places are multiples of `align`, for filters that reach `reach` samples far.
    pub(super) fn cut(padded: Padded, length: usize, align: usize, reach: usize) -> Self {
        let right = padded.circle - padded.left - padded.samples;
        Self {
            padded,
            length,
            border: reach.next_multiple_of(align),
            first: padded.left / align * align,
            wraps: reach > padded.left.min(right),
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.border == 0
    }

    /// How many blocks there are.
    pub(super) fn count(&self) -> usize {
        (self.padded.left + self.padded.samples - self.first).div_ceil(self.kept())
    }

    /// What the transforms take, to compare cuts by. Per sample it grows as the square of the logarithm: measured, since long
    /// ones leave the cache.
    pub(super) fn cost(&self) -> usize {
        let log2 = self.length.ilog2() as usize;
        self.count() * self.length * log2 * log2
    }

    /// Samples that a block gives.
    fn kept(&self) -> usize {
        self.length - 2 * self.border
    }

    /// Columns of block `block` at a subsampling of `2^level`: the first within the block, its place among all columns of the
    /// signal, and how many there are.
    pub(super) fn columns(&self, block: usize, level: usize) -> (usize, usize, usize) {
        let (first, end) = self.padded.columns(level);
        let start = self.first + block * self.kept();
        let from = (start >> level).max(first);
        let to = ((start + self.kept()) >> level).min(end).max(from);
        // Places of blocks are multiples of every subsampling.
        let offset = (from << level) + self.border - start;
        (offset >> level, from - first, to - from)
    }

    /// Where in the signal block `block` begins; before it for the first.
    fn start(&self, block: usize) -> isize {
        (self.first + block * self.kept()) as isize - (self.border + self.padded.left) as isize
    }

    /// The first sample that block `block` or a later one looks at, where filters do not reach across the seam.
    pub(super) fn looks_from(&self, block: usize) -> usize {
        // What lies past the end mirrors what lies as far before it.
        let mirrored = self.padded.samples.saturating_sub(1 + 2 * self.border);
        mirrored.min(self.start(block).max(0) as usize)
    }

    /// How many samples block `block` waits for.
    pub(super) fn looks_until(&self, block: usize) -> usize {
        let end = (self.start(block) + self.length as isize).max(0) as usize;
        if self.is_whole() { self.padded.samples } else { end.min(self.padded.samples) }
    }

    /// The most columns that a block gives at a subsampling of `2^level`.
    pub(super) fn most_columns(&self, level: usize) -> usize {
        self.kept().div_ceil(1 << level)
    }

    pub(super) fn wraps(&self) -> bool {
        self.wraps
    }

    /// Writes block `block`, times `gain`, two samples to a complex number.
    pub(super) fn fill(&self, block: usize, signal: Span<'_>, gain: f64, out: &mut [Complex<f64>]) {
        let Padded { samples, circle, left } = self.padded;
        let start = self.start(block);
        let last = samples as isize - 1;
        // Twice the border past the signal is out of all reach, and what lies there is not looked at.
        let margin = if self.wraps { isize::MAX } else { 2 * self.border as isize };
        let value = |i: isize| -> f64 {
            let left = left as isize;
            let i = if self.wraps { (i + left).rem_euclid(circle as isize) - left } else { i };
            if i < -margin || (i > last && i - last > margin) {
                return 0.0;
            }
            let i = if i < 0 { -i } else { i };
            let i = if i > last { 2 * last - i } else { i };
            f64::from(signal.samples[i as usize - signal.base]) * gain
        };
        if start >= 0 && start + self.length as isize <= samples as isize {
            let from = start as usize - signal.base;
            let pairs = signal.samples[from..from + self.length].as_chunks::<2>().0;
            for (o, [a, b]) in out.iter_mut().zip(pairs) {
                *o = Complex::new(f64::from(*a) * gain, f64::from(*b) * gain);
            }
        } else {
            for (i, o) in out.iter_mut().enumerate() {
                let place = start + 2 * i as isize;
                *o = Complex::new(value(place), value(place + 1));
            }
        }
    }
}
