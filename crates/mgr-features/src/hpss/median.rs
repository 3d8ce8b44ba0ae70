//! The running median of an odd window, over many lines at once.
//!
//! Beyond its ends a line goes on as its mirror image with the end value repeated (`d c b a | a b c d | d c b a`), any number
//! of times where the window is longer than the line: scipy's `median_filter` with mode `reflect`. (Where a window is more than
//! eight times as long as the line, scipy 1.17 reads a value before the line instead of its first; this does not.)

use super::network::{LONGEST, Network};
use crate::simd::median::{LANES, Row, exchange, from_lanes, to_lanes};

/// Windows that share a sorted core, at most: more gain next to nothing.
const GROUP: usize = 64;

/// Values are turned into lanes and back in blocks of this many.
const BLOCK: usize = 8;

/// The medians of a fixed number of windows in a row.
#[derive(Debug, Clone)]
pub(crate) struct RunningMedian {
    length: usize,
    outputs: usize,
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    /// All lanes at once.
    Network(Network),
    /// Lane by lane, in a window that is kept sorted. For windows too long for a network.
    Sorted,
}

/// Buffers of one computation.
#[derive(Debug, Clone)]
pub(crate) struct MedianScratch {
    rows: Vec<Row>,
    line: Vec<f32>,
    window: Vec<f32>,
    starts: Vec<usize>,
}

impl RunningMedian {
    /// For an odd window and as many outputs at a time as suit it, at least 32.
    pub(crate) fn new(length: usize) -> Self {
        let group = length.div_ceil(2).next_power_of_two().min(GROUP);
        Self::with_groups(length, group, 32_usize.div_ceil(group))
    }

    /// For an odd window and one output at a time.
    pub(crate) fn single(length: usize) -> Self {
        Self::with_groups(length, 1, 1)
    }

    fn with_groups(length: usize, group: usize, groups: usize) -> Self {
        let way =
            if length <= LONGEST { Way::Network(Network::new(length, group, groups)) } else { Way::Sorted };
        Self { length, outputs: group * groups, way }
    }

    /// Values on each side of the window's middle.
    pub(crate) fn half(&self) -> usize {
        self.length / 2
    }

    /// Windows at a time.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Values that the windows of one time cover.
    fn inputs(&self) -> usize {
        self.length - 1 + self.outputs
    }

    pub(crate) fn scratch(&self) -> MedianScratch {
        let rows = match &self.way {
            Way::Network(network) => network.rows,
            // The medians have rows of their own.
            Way::Sorted => self.inputs() + self.outputs,
        };
        let (line, window) = match &self.way {
            Way::Network(_) => (0, 0),
            Way::Sorted => (self.inputs(), self.length),
        };
        MedianScratch {
            rows: vec![[0.0; LANES]; rows.next_multiple_of(BLOCK)],
            line: vec![0.0; line],
            window: vec![0.0; window],
            starts: Vec::with_capacity(2 * LANES),
        }
    }

    pub(crate) fn fits(&self, scratch: &MedianScratch) -> bool {
        let rows = match &self.way {
            Way::Network(network) => network.rows,
            Way::Sorted => self.inputs() + self.outputs,
        };
        let window = if matches!(self.way, Way::Sorted) { self.length } else { 0 };
        scratch.rows.len() == rows.next_multiple_of(BLOCK) && scratch.window.len() == window
    }

    /// Medians in the first `lanes` lanes; afterwards that of window `i` is in the row `self.row(i)`.
    fn run(&self, lanes: usize, scratch: &mut MedianScratch) {
        let MedianScratch { rows, line, window, .. } = scratch;
        match &self.way {
            Way::Network(network) => exchange(&network.steps, rows, lanes),
            Way::Sorted => {
                for lane in 0..lanes {
                    line.iter_mut().zip(rows.iter()).for_each(|(to, row)| *to = row[lane]);
                    let medians = rows[self.inputs()..].iter_mut().map(|row| &mut row[lane]);
                    slide(line, window, medians.take(self.outputs));
                }
            }
        }
    }

    fn row(&self, output: usize) -> usize {
        match &self.way {
            Way::Network(network) => usize::from(network.outputs[output]),
            Way::Sorted => self.inputs() + output,
        }
    }

    /// Medians across columns: `take(i, at, values)` gets the medians of window `i` for the elements from `at` on, where
    /// `column(i)` is the column that stands at place `i` of all that the windows cover. Only the first `outputs` windows count.
    pub(crate) fn across<'a>(
        &self,
        elements: usize,
        outputs: usize,
        column: impl Fn(usize) -> &'a [f32],
        mut take: impl FnMut(usize, usize, &[f32]),
        scratch: &mut MedianScratch,
    ) {
        let inputs = self.inputs();
        // The windows past those that count may see anything: the last columns that do, again.
        let last = self.length - 1 + outputs.saturating_sub(1);
        for at in (0..elements).step_by(LANES) {
            let lanes = LANES.min(elements - at);
            for (i, row) in scratch.rows[..inputs].iter_mut().enumerate() {
                let values = &column(i.min(last))[at..at + lanes];
                match values.first_chunk::<LANES>() {
                    Some(values) => *row = *values,
                    None => row[..lanes].copy_from_slice(values),
                }
            }
            self.run(lanes, scratch);
            for i in 0..outputs {
                take(i, at, &scratch.rows[self.row(i)][..lanes]);
            }
        }
    }

    /// Places of an extended line of `length` values: see [`RunningMedian::extend`].
    pub(crate) fn extended(&self, length: usize) -> usize {
        self.padded(length) + self.length - 1
    }

    /// Places of the medians of a line of `length` values: all windows of whole runs of this plan.
    pub(crate) fn padded(&self, length: usize) -> usize {
        length.next_multiple_of(self.outputs)
    }

    /// Writes a line with what lies beyond its ends, as far as the windows reach.
    pub(crate) fn extend(&self, line: &[f32], extended: &mut [f32]) {
        let half = self.half();
        let (before, rest) = extended.split_at_mut(half);
        let (middle, after) = rest.split_at_mut(line.len());
        before
            .iter_mut()
            .enumerate()
            .for_each(|(i, v)| *v = line[mirror(i as isize - half as isize, line.len())]);
        middle.copy_from_slice(line);
        let after = after.iter_mut().enumerate();
        after.for_each(|(i, v)| *v = line[mirror((line.len() + i) as isize, line.len())]);
    }

    /// Medians along lines of `length` values each, `count` of them, extended and one after the other; the medians come out at
    /// the start of each [`RunningMedian::padded`] places of `out`.
    pub(crate) fn along(
        &self,
        length: usize,
        count: usize,
        extended: &[f32],
        out: &mut [f32],
        scratch: &mut MedianScratch,
    ) {
        let (stride, padded) = (self.extended(length), self.padded(length));
        let runs = padded / self.outputs;
        let all = runs * count;
        for first in (0..all).step_by(LANES) {
            let lanes = LANES.min(all - first);
            let MedianScratch { rows, starts, .. } = scratch;
            starts.clear();
            starts
                .extend((first..first + lanes).map(|lane| lane / runs * stride + lane % runs * self.outputs));
            to_lanes(extended, starts, &mut rows[..self.inputs()]);
            self.run(lanes, scratch);
            let MedianScratch { rows, starts, .. } = scratch;
            starts.clear();
            // Runs of one line lie side by side, and so do the lines.
            starts.extend((first..first + lanes).map(|lane| lane * self.outputs));
            match &self.way {
                Way::Network(network) => from_lanes(rows, &network.outputs, starts, out),
                Way::Sorted => {
                    for (lane, start) in starts.iter().enumerate() {
                        let medians = rows[self.inputs()..].iter().map(|row| row[lane]);
                        out[*start..*start + self.outputs]
                            .iter_mut()
                            .zip(medians)
                            .for_each(|(to, m)| *to = m);
                    }
                }
            }
        }
    }
}

/// The index in a line of `length` values of place `i` of its endless mirror images.
pub(crate) fn mirror(i: isize, length: usize) -> usize {
    let n = length as isize;
    let p = i.rem_euclid(2 * n);
    (if p < n { p } else { 2 * n - 1 - p }) as usize
}

/// The medians of all windows of `line`: a sorted window, from which the oldest value is taken and into which the next is put.
fn slide<'a>(line: &[f32], window: &mut [f32], medians: impl Iterator<Item = &'a mut f32>) {
    let length = window.len();
    window.copy_from_slice(&line[..length]);
    window.sort_unstable_by(f32::total_cmp);
    let place = |window: &[f32], value: f32| window.partition_point(|v| v.total_cmp(&value).is_lt());
    for (i, median) in medians.enumerate() {
        if i > 0 {
            let (oldest, newest) = (line[i - 1], line[i - 1 + length]);
            let gone = place(window, oldest);
            let come = place(window, newest);
            if come > gone {
                window.copy_within(gone + 1..come, gone);
                window[come - 1] = newest;
            } else {
                window.copy_within(come..gone, come + 1);
                window[come] = newest;
            }
        }
        *median = window[length / 2];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Coarse values, so that there are ties, and many zeros.
            (state >> 22).saturating_sub(300) as f32 / 16.0
        };
        (0..count).map(|_| next()).collect()
    }

    /// The definition.
    fn naive(line: &[f32], length: usize) -> Vec<f32> {
        let half = (length / 2) as isize;
        (0..line.len() as isize)
            .map(|i| {
                let mut window: Vec<f32> =
                    (i - half..=i + half).map(|j| line[mirror(j, line.len())]).collect();
                window.sort_by(f32::total_cmp);
                window[length / 2]
            })
            .collect()
    }

    fn along(plan: &RunningMedian, lines: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let length = lines[0].len();
        let mut extended = vec![0.0; plan.extended(length) * lines.len()];
        for (line, to) in lines.iter().zip(extended.chunks_mut(plan.extended(length))) {
            plan.extend(line, to);
        }
        let mut out = vec![0.0; plan.padded(length) * lines.len()];
        plan.along(length, lines.len(), &extended, &mut out, &mut plan.scratch());
        out.chunks(plan.padded(length)).map(|line| line[..length].to_vec()).collect()
    }

    #[test]
    fn mirrors_as_scipy_reflects() {
        let got: Vec<usize> = (-4..7).map(|i| mirror(i, 3)).collect();
        assert_eq!(got, [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0]);
        assert!((-3..4).all(|i| mirror(i, 1) == 0));
    }

    #[test]
    fn every_length_gives_the_median_of_the_sorted_window() {
        for length in (1..=67).step_by(2).chain([101, 129, 201, 255, 511, 513, 701]) {
            let plan = RunningMedian::new(length);
            for (elements, count) in [(1, 1), (2, 3), (31, 2), (100, 9), (257, 3)] {
                let lines: Vec<_> = (0..count).map(|i| noise(elements, i + length as u32)).collect();
                let want: Vec<_> = lines.iter().map(|line| naive(line, length)).collect();
                assert_eq!(along(&plan, &lines), want, "{length} over {elements}");
            }
        }
    }

    #[test]
    fn across_columns_gives_the_same() {
        for length in [1, 3, 5, 17, 31, 33, 201, 601] {
            for plan in [RunningMedian::new(length), RunningMedian::single(length)] {
                let (elements, columns) = (131, 41);
                let matrix: Vec<Vec<f32>> = (0..columns).map(|t| noise(elements, t + 7)).collect();
                let mut scratch = plan.scratch();
                assert!(plan.fits(&scratch));
                let mut got = vec![vec![f32::NAN; elements]; columns as usize];
                for first in (0..columns as usize).step_by(plan.outputs()) {
                    let outputs = plan.outputs().min(columns as usize - first);
                    let column =
                        |i| &*matrix[mirror((first + i) as isize - plan.half() as isize, matrix.len())];
                    let take = |i: usize, at: usize, values: &[f32]| {
                        got[first + i][at..at + values.len()].copy_from_slice(values);
                    };
                    plan.across(elements, outputs, column, take, &mut scratch);
                }
                for bin in 0..elements {
                    let line: Vec<f32> = matrix.iter().map(|column| column[bin]).collect();
                    let want = naive(&line, length);
                    assert!(got.iter().zip(want).all(|(column, w)| column[bin] == w), "{length}, bin {bin}");
                }
            }
        }
    }

    #[test]
    fn a_network_takes_as_few_operations_as_the_documentation_says() {
        let count = |plan: &RunningMedian| {
            let Way::Network(network) = &plan.way else { panic!("no network") };
            let used = |row: u16| usize::from(row != crate::hpss::network::NOWHERE);
            let operations: usize = network.steps.iter().map(|s| used(s.low) + used(s.high)).sum();
            operations as f64 / plan.outputs as f64
        };
        for (length, most) in [(1, 0.0), (3, 3.1), (17, 20.2), (31, 29.3), (201, 100.2)] {
            let got = count(&RunningMedian::new(length));
            assert!(got <= most, "{length}: {got}");
        }
        let got = count(&RunningMedian::single(31));
        assert!(got <= 274.0, "{got}");
    }
}
