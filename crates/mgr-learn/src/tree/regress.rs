//! Growing regression trees, all nodes of a level at once.

use rayon::prelude::*;

use super::nodes::Nodes;
use super::ranked::{Ranked, between};

/// Columns that one thread takes at a time.
const PART: usize = 32;

/// Where a regression tree stops.
pub(crate) struct Limits {
    pub(crate) max_depth: usize,
    pub(crate) min_samples_split: usize,
    pub(crate) min_samples_leaf: usize,
}

/// A grown tree with the leaf of every row that it was grown on (`u32::MAX` for others).
pub(crate) struct Grown {
    pub(crate) nodes: Nodes,
    pub(crate) leaf_of_row: Vec<u32>,
    pub(crate) leaves: usize,
    /// Decrease of the squared error by column.
    pub(crate) gains: Vec<f64>,
}

#[derive(Clone, Copy)]
struct Best {
    gain: f64,
    /// Place in the order of the columns.
    place: usize,
    threshold: f64,
}

#[derive(Clone, Copy, Default)]
struct Node {
    id: usize,
    rows: usize,
    sum: f64,
}

/// What is known of a node while a column is passed through.
#[derive(Clone, Copy)]
struct Pass {
    rows: usize,
    sum: f64,
    last: f64,
    gain: f64,
    threshold: f64,
}

/// Node number of rows that are in no open node.
const CLOSED: u32 = u32::MAX;

/// Grows a tree that fits `targets` on the rows used, by the decrease of the squared error; `columns` is the order in which
/// they are looked at, the first of equally good splits is taken.
pub(crate) fn grow(
    table: &Ranked,
    targets: &[f64],
    used: &[bool],
    columns: &[usize],
    limits: &Limits,
) -> Grown {
    let mut nodes = Nodes::new(1);
    let mut gains = vec![0.0; table.columns];
    let mut leaf_of_row = vec![u32::MAX; table.rows];
    let mut leaves = 0;
    let mut open_of_row: Vec<u32> = used.iter().map(|u| if *u { 0 } else { CLOSED }).collect();
    let mut root = Node { id: nodes.push(), ..Node::default() };
    for (t, _) in targets.iter().zip(used).filter(|(_, u)| **u) {
        root.rows += 1;
        root.sum += t;
    }
    let mut open = vec![root];
    for depth in 0..=limits.max_depth {
        let best = if depth < limits.max_depth {
            search(table, targets, &open_of_row, &open, columns, limits)
        } else {
            vec![None; open.len()]
        };
        let mut next: Vec<Node> = Vec::new();
        // For every open node: its leaf, or its split and the number of its left child among the next.
        enum Fate {
            Leaf(u32),
            Split(usize, f64, u32),
        }
        let mut fates = Vec::with_capacity(open.len());
        for (node, best) in open.iter().zip(best) {
            match best {
                Some(best) => {
                    let column = columns[best.place];
                    gains[column] += best.gain;
                    let left = nodes.split(node.id, column, best.threshold);
                    fates.push(Fate::Split(column, best.threshold, next.len() as u32));
                    next.push(Node { id: left, ..Node::default() });
                    next.push(Node { id: left + 1, ..Node::default() });
                }
                None => {
                    nodes.finish(node.id, &[0.0]);
                    fates.push(Fate::Leaf(leaves as u32));
                    leaves += 1;
                }
            }
        }
        for (row, at) in open_of_row.iter_mut().enumerate().filter(|(_, at)| **at != CLOSED) {
            match &fates[*at as usize] {
                Fate::Leaf(leaf) => {
                    leaf_of_row[row] = *leaf;
                    *at = CLOSED;
                }
                Fate::Split(column, threshold, left) => {
                    *at = left + u32::from(table.values(*column)[row] > *threshold);
                    let node = &mut next[*at as usize];
                    node.rows += 1;
                    node.sum += targets[row];
                }
            }
        }
        open = next;
        if open.is_empty() {
            break;
        }
    }
    Grown { nodes, leaf_of_row, leaves, gains }
}

fn search(
    table: &Ranked,
    targets: &[f64],
    open_of_row: &[u32],
    open: &[Node],
    columns: &[usize],
    limits: &Limits,
) -> Vec<Option<Best>> {
    let splittable: Vec<bool> = open
        .iter()
        .map(|n| n.rows >= limits.min_samples_split.max(2 * limits.min_samples_leaf).max(2))
        .collect();
    if !splittable.contains(&true) {
        return vec![None; open.len()];
    }
    // Rows of nodes that can still be split; most of a deep level may be closed.
    let parts: Vec<Vec<Option<Best>>> = columns
        .par_chunks(PART)
        .enumerate()
        .map(|(part, columns)| {
            let mut best: Vec<Option<Best>> = vec![None; open.len()];
            let mut passes = Vec::with_capacity(open.len());
            for (i, &column) in columns.iter().enumerate() {
                let start = Pass {
                    rows: 0,
                    sum: 0.0,
                    last: f64::NEG_INFINITY,
                    gain: f64::NEG_INFINITY,
                    threshold: 0.0,
                };
                passes.clear();
                passes.resize(open.len(), start);
                let values = table.values(column);
                for &row in table.order(column) {
                    let row = row as usize;
                    let at = open_of_row[row];
                    if at == CLOSED {
                        continue;
                    }
                    let (pass, node) = (&mut passes[at as usize], &open[at as usize]);
                    let value = values[row];
                    if pass.last < value && pass.rows > 0 {
                        let (left, right) = (pass.rows, node.rows - pass.rows);
                        if left >= limits.min_samples_leaf && right >= limits.min_samples_leaf {
                            let (a, b) = (left as f64, right as f64);
                            let difference = pass.sum / a - (node.sum - pass.sum) / b;
                            let gain = a * b / (a + b) * difference * difference;
                            if gain > pass.gain {
                                (pass.gain, pass.threshold) = (gain, between(pass.last, value));
                            }
                        }
                    }
                    pass.rows += 1;
                    pass.sum += targets[row];
                    pass.last = value;
                }
                for ((best, pass), can) in best.iter_mut().zip(&passes).zip(&splittable) {
                    if *can && pass.gain > best.map_or(0.0, |b| b.gain) {
                        let place = part * PART + i;
                        *best = Some(Best { gain: pass.gain, place, threshold: pass.threshold });
                    }
                }
            }
            best
        })
        .collect();
    let mut best: Vec<Option<Best>> = vec![None; open.len()];
    for part in parts {
        for (best, found) in best.iter_mut().zip(part) {
            if let Some(found) = found
                && best.is_none_or(|b| found.gain > b.gain)
            {
                *best = Some(found);
            }
        }
    }
    best
}
