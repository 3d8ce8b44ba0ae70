//! Constant-Q transforms while samples arrive.

use super::hybrid::Bank;
use super::pseudo::{Pseudo, PseudoScratch};
use super::tree::{Run, State, Tree};
use crate::column::BlockKernel;
use crate::frame::FrameStream;
use crate::{ColumnStream, FeatureError};

/// Columns that some octaves have given and some not yet.
struct Pending {
    rows: usize,
    /// The first column held.
    first: usize,
    values: Vec<f32>,
}

impl Pending {
    /// The place of column `t` from `row` on.
    fn place(&mut self, row: usize, t: usize) -> &mut [f32] {
        let at = (t - self.first) * self.rows;
        let end = at + self.rows;
        if self.values.len() < end {
            self.values.resize(end, 0.0);
        }
        &mut self.values[at + row..end]
    }

    fn put(&mut self, row: usize, t: usize, values: &[f32]) {
        self.place(row, t)[..values.len()].copy_from_slice(values);
    }

    /// Hands out the columns before `end`.
    fn take(&mut self, end: usize, take: &mut dyn FnMut(&[f32])) {
        let count = end.saturating_sub(self.first) * self.rows;
        self.values[..count].chunks_exact(self.rows).for_each(take);
        self.values.drain(..count);
        self.first = end.max(self.first);
    }
}

/// The rows without phase.
struct High {
    pseudo: Pseudo,
    frames: FrameStream,
    scratch: PseudoScratch,
    row: usize,
    next: usize,
}

struct Blocks {
    low: Option<(Tree, State<f32>)>,
    high: Option<High>,
    pending: Pending,
    seen: usize,
}

/// Of the octave recursion alone.
pub(super) fn of_tree(tree: &Tree) -> ColumnStream {
    let pending = Pending { rows: tree.rows(), first: 0, values: Vec::new() };
    let low = Some((tree.clone(), tree.state()));
    ColumnStream::of_blocks(Box::new(Blocks { low, high: None, pending, seen: 0 }))
}

pub(super) fn columns(bank: &Bank) -> ColumnStream {
    let pending = Pending { rows: bank.rows(), first: 0, values: Vec::new() };
    let low = bank.tree.as_ref().map(|tree| (tree.clone(), tree.state()));
    let high = bank.pseudo.as_ref().map(|pseudo| High {
        pseudo: pseudo.clone(),
        frames: FrameStream::new(*pseudo.stft().framing()),
        scratch: pseudo.scratch(),
        row: bank.low_rows(),
        next: 0,
    });
    ColumnStream::of_blocks(Box::new(Blocks { low, high, pending, seen: 0 }))
}

impl BlockKernel for Blocks {
    fn rows(&self) -> usize {
        self.pending.rows
    }

    fn seen(&self) -> usize {
        self.seen
    }

    fn push(&mut self, samples: &[f32], take: &mut dyn FnMut(&[f32])) {
        let Self { low, high, pending, seen } = self;
        *seen += samples.len();
        let mut complete = usize::MAX;
        if let Some((tree, state)) = low {
            let mut run = Run { design: &tree.design, tables: &tree.tables, state };
            run.push(samples, &mut |row, t, values| pending.put(row, t, values));
            complete = complete.min(state.complete());
        }
        if let Some(High { pseudo, frames, scratch, row, next }) = high {
            frames.push(samples, |t, span| {
                pseudo.column(t, span, scratch, pending.place(*row, t));
                *next = t + 1;
            });
            complete = complete.min(*next);
        }
        pending.take(complete, take);
    }

    fn finish(&mut self, take: &mut dyn FnMut(&[f32])) -> Result<(), FeatureError> {
        let Self { low, high, pending, .. } = self;
        let mut columns = usize::MAX;
        if let Some((tree, state)) = low {
            let mut run = Run { design: &tree.design, tables: &tree.tables, state };
            columns = columns.min(run.finish(&mut |row, t, values| pending.put(row, t, values))?);
        }
        if let Some(High { pseudo, frames, scratch, row, next }) = high {
            let empty = FrameStream::new(*pseudo.stft().framing());
            std::mem::replace(frames, empty).finish(|t, span| {
                pseudo.column(t, span, scratch, pending.place(*row, t));
                *next = t + 1;
            })?;
            columns = columns.min(*next);
        }
        pending.take(columns, take);
        Ok(())
    }
}
