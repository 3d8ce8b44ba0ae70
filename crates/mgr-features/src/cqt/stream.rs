//! Constant-Q transforms while samples arrive.

use super::tree::{Run, State, Tree};
use crate::column::BlockKernel;
use crate::{ColumnStream, FeatureError};

/// Columns that some octaves have given and some not yet.
struct Pending {
    rows: usize,
    /// The first column held.
    first: usize,
    values: Vec<f32>,
}

impl Pending {
    fn put(&mut self, row: usize, t: usize, values: &[f32]) {
        let at = (t - self.first) * self.rows + row;
        let end = (t + 1 - self.first) * self.rows;
        if self.values.len() < end {
            self.values.resize(end, 0.0);
        }
        self.values[at..at + values.len()].copy_from_slice(values);
    }

    /// Hands out the columns before `end`.
    fn take(&mut self, end: usize, take: &mut dyn FnMut(&[f32])) {
        let count = (end - self.first) * self.rows;
        self.values[..count].chunks_exact(self.rows).for_each(take);
        self.values.drain(..count);
        self.first = end;
    }
}

struct Blocks {
    tree: Tree,
    state: State<f32>,
    pending: Pending,
}

pub(super) fn columns(tree: &Tree) -> ColumnStream {
    let pending = Pending { rows: tree.rows(), first: 0, values: Vec::new() };
    ColumnStream::of_blocks(Box::new(Blocks { tree: tree.clone(), state: tree.state(), pending }))
}

impl BlockKernel for Blocks {
    fn rows(&self) -> usize {
        self.pending.rows
    }

    fn seen(&self) -> usize {
        self.state.seen()
    }

    fn push(&mut self, samples: &[f32], take: &mut dyn FnMut(&[f32])) {
        let Self { tree, state, pending } = self;
        let mut run = Run { design: &tree.design, tables: &tree.tables, state };
        run.push(samples, &mut |row, t, values| pending.put(row, t, values));
        pending.take(state.complete(), take);
    }

    fn finish(&mut self, take: &mut dyn FnMut(&[f32])) -> Result<(), FeatureError> {
        let Self { tree, state, pending } = self;
        let mut run = Run { design: &tree.design, tables: &tree.tables, state };
        let columns = run.finish(&mut |row, t, values| pending.put(row, t, values))?;
        pending.take(columns, take);
        Ok(())
    }
}
