//! How much a spectrogram rises from frame to frame, on any matrix.

use std::sync::Arc;

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use crate::simd::rhythm::{median, rises, total};

/// What the rises of the bands of one group become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// Their mean: the default of onset strength.
    #[default]
    Mean,
    /// Their median, which one loud band does not move: what the beat tracker and the local pulse stand on.
    Median,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// Their sum.
    Sum,
}

impl Aggregate {
    /// Of values that are 0 or more; 0 for none.
    fn of(self, values: &[f32]) -> f32 {
        let mut out = 0.0;
        match self {
            Self::Mean => {
                total(values, &mut out);
                out / values.len().max(1) as f32
            }
            Self::Sum => {
                total(values, &mut out);
                out
            }
            Self::Median => {
                median(values, &mut out);
                out
            }
            Self::Max => values.iter().copied().fold(0.0, f32::max),
            Self::Min => values.iter().copied().reduce(f32::min).unwrap_or(0.0),
        }
    }
}

/// Which rows go into one row of the result.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Groups {
    /// All.
    All,
    /// Each its own.
    Each,
    /// From each of these to before the next.
    Edges(Arc<[usize]>),
}

/// A planned flux: `out[t] = aggregate over f of max(0, s[f, t - shift] - r[f, t - shift - lag])`, 0 before the first.
///
/// `r` is `s` with the largest value of `max_size` neighbouring rows in the place of each.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Flux {
    pub(super) lag: usize,
    pub(super) max_size: usize,
    pub(super) shift: usize,
    pub(super) aggregate: Aggregate,
    pub(super) detrend: bool,
    pub(super) groups: Groups,
}

/// Buffers of one column each.
#[derive(Debug, Clone, Default)]
pub(super) struct FluxScratch {
    now: Vec<f32>,
    before: Vec<f32>,
    rises: Vec<f32>,
}

impl FluxScratch {
    pub(super) fn new(rows: usize) -> Self {
        Self { now: vec![0.0; rows], before: vec![0.0; rows], rises: vec![0.0; rows] }
    }

    pub(super) fn rows(&self) -> usize {
        self.now.len()
    }
}

impl Flux {
    /// Rows of the result from a matrix of `rows` rows.
    pub(super) fn rows(&self, rows: usize) -> usize {
        match &self.groups {
            Groups::All => 1,
            Groups::Each => rows,
            Groups::Edges(edges) => edges.len().saturating_sub(1),
        }
    }

    /// The fewest rows that a matrix needs.
    pub(super) fn fewest_rows(&self) -> usize {
        match &self.groups {
            Groups::All | Groups::Each => 1,
            Groups::Edges(edges) => edges.last().copied().unwrap_or(1),
        }
    }

    /// Frames by which the result stands later than what it tells of.
    pub(super) fn delay(&self) -> usize {
        self.lag + self.shift
    }

    /// One column from the two that it compares, the earlier one not yet filtered.
    pub(super) fn column(&self, now: &[f32], before: &[f32], spare: &mut [f32], out: &mut [f32]) {
        let (filtered, spare) = spare.split_at_mut(now.len());
        if self.max_size > 1 {
            largest_around(before, self.max_size, filtered);
            self.rise(now, filtered, spare, out);
        } else {
            self.rise(now, before, spare, out);
        }
    }

    fn rise(&self, now: &[f32], before: &[f32], spare: &mut [f32], out: &mut [f32]) {
        if self.groups == Groups::Each {
            return rises(now, before, out);
        }
        rises(now, before, spare);
        match &self.groups {
            Groups::Edges(edges) => {
                for (o, edge) in out.iter_mut().zip(edges.windows(2)) {
                    *o = self.aggregate.of(&spare[edge[0]..edge[1]]);
                }
            }
            _ => out[0] = self.aggregate.of(&spare[..now.len()]),
        }
    }

    /// The flux of a matrix, compared with `reference` where there is one, into `out` of as many columns. The scratch has as many
    /// rows as the matrix.
    pub(super) fn apply(
        &self,
        matrix: ArrayView2<'_, f32>,
        reference: Option<ArrayView2<'_, f32>>,
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut FluxScratch,
    ) {
        let frames = matrix.ncols();
        let FluxScratch { now, before, rises: spare } = scratch;
        out.fill(0.0);
        for t in self.delay()..frames {
            copy(matrix.column(t - self.shift), now);
            let earlier = t - self.delay();
            match &reference {
                Some(reference) => copy(reference.column(earlier), before),
                None if self.max_size > 1 => {
                    copy(matrix.column(earlier), spare);
                    largest_around(spare, self.max_size, before);
                }
                None => copy(matrix.column(earlier), before),
            }
            let mut place = out.column_mut(t);
            if let Some(place) = place.as_slice_mut() {
                self.rise(now, before, spare, place);
            } else if self.groups == Groups::Each {
                rises(now, before, spare);
                place.iter_mut().zip(spare.iter()).for_each(|(to, from)| *to = *from);
            } else {
                // One row at a time: a group has a value of its own.
                rises(now, before, spare);
                for (row, to) in place.iter_mut().enumerate() {
                    *to = match &self.groups {
                        Groups::Edges(edges) => self.aggregate.of(&spare[edges[row]..edges[row + 1]]),
                        _ => self.aggregate.of(spare),
                    };
                }
            }
        }
        if self.detrend {
            for mut row in out.rows_mut() {
                detrend(row.iter_mut());
            }
        }
    }
}

fn copy(from: ArrayView1<'_, f32>, to: &mut [f32]) {
    match from.as_slice() {
        Some(from) => to.copy_from_slice(from),
        None => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from),
    }
}

/// `out[i]` is the largest of the `size` values around `values[i]`, one more of them before it than after where `size` is even.
fn largest_around(values: &[f32], size: usize, out: &mut [f32]) {
    let n = values.len();
    out.copy_from_slice(values);
    let (before, after) = ((size / 2).min(n), ((size - 1) / 2).min(n));
    for step in 1..=before {
        out[step.min(n)..].iter_mut().zip(values).for_each(|(o, v)| *o = if *v > *o { *v } else { *o });
    }
    for step in 1..=after {
        let later = &values[step.min(n)..];
        out.iter_mut().zip(later).for_each(|(o, v)| *o = if *v > *o { *v } else { *o });
    }
}

/// `y[t] = x[t] - x[t-1] + 0.99 y[t-1]` in place: takes the mean away.
fn detrend<'a>(values: impl Iterator<Item = &'a mut f32>) {
    let (mut before, mut state) = (0.0, 0.0);
    for value in values {
        let x = f64::from(*value);
        state = x - before + 0.99 * state;
        before = x;
        *value = state as f32;
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ShapeBuilder, array};

    use super::*;

    fn flux() -> Flux {
        Flux {
            lag: 1,
            max_size: 1,
            shift: 0,
            aggregate: Aggregate::Mean,
            detrend: false,
            groups: Groups::All,
        }
    }

    fn run(flux: &Flux, matrix: &Array2<f32>) -> Array2<f32> {
        let mut out = Array2::zeros((flux.rows(matrix.nrows()), matrix.ncols()));
        flux.apply(matrix.view(), None, out.view_mut(), &mut FluxScratch::new(matrix.nrows()));
        // Either memory layout gives the same.
        let mut columns = Array2::zeros(out.dim().f());
        flux.apply(matrix.view(), None, columns.view_mut(), &mut FluxScratch::new(matrix.nrows()));
        assert_eq!(out, columns);
        out
    }

    #[test]
    fn rises_of_a_small_matrix() {
        let matrix = array![[0.0f32, 1.0, 5.0, 5.0], [4.0, 2.0, 3.0, 9.0], [1.0, 1.0, 1.0, 2.0]];
        assert_eq!(run(&flux(), &matrix), array![[0.0, 1.0 / 3.0, 5.0 / 3.0, 7.0 / 3.0]]);
        let median = Flux { aggregate: Aggregate::Median, lag: 2, ..flux() };
        assert_eq!(run(&median, &matrix), array![[0.0, 0.0, 0.0, 4.0]]);
        let each = Flux { groups: Groups::Each, shift: 1, ..flux() };
        assert_eq!(
            run(&each, &matrix),
            array![[0.0, 0.0, 1.0, 4.0], [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0]]
        );
        let edges = Flux { groups: Groups::Edges(vec![0, 1, 3].into()), aggregate: Aggregate::Sum, ..flux() };
        assert_eq!(run(&edges, &matrix), array![[0.0, 1.0, 4.0, 0.0], [0.0, 0.0, 1.0, 7.0]]);
    }

    #[test]
    fn the_largest_of_neighbours_as_scipy_places_even_windows() {
        let mut out = [0.0; 5];
        let values = [1.0, 5.0, 2.0, 0.0, 3.0];
        for (size, want) in [
            (2, [1.0, 5.0, 5.0, 2.0, 3.0]),
            (3, [5.0, 5.0, 5.0, 3.0, 3.0]),
            (4, [5.0, 5.0, 5.0, 5.0, 3.0]),
            (99, [5.0; 5]),
        ] {
            largest_around(&values, size, &mut out);
            assert_eq!(out, want, "{size}");
        }
    }

    #[test]
    fn more_delay_than_frames_is_silence() {
        let matrix = array![[0.0f32, 1.0, 5.0]];
        assert_eq!(run(&Flux { lag: 5, ..flux() }, &matrix), array![[0.0, 0.0, 0.0]]);
    }
}
