//! Networks of minima and maxima that give the medians of a run of windows at once.
//!
//! A median of `K` values shares most of its work with its neighbours. Of `n` windows in a row the middle `K - n + 1` values
//! lie in all: they are sorted once. Half of the windows then need the next values on the left, the other half those on the
//! right: a sorted run of `n / 2` is merged in, and so on down to single windows. Before each merge, what can no longer be the
//! median is dropped: with `m` values still to come only the middle `m + 1` ranks stay. All merges are Batcher's odd-even
//! merges (Knuth, The Art of Computer Programming 3, 5.3.4); the runs to be merged in are themselves merged from halves,
//! shared wherever windows share them; and whatever no output needs is never computed. The idea of shared sorted cores is
//! from Adams, "Fast Median Filters using Separable Sorting Networks" (2021), here in one dimension.
//!
//! Minima and maxima per value (counted by a test): 3.0 for K = 3, 20.2 for 17, 29.3 for 31, 100.2 for 201; a median of one
//! window of 31 alone takes 274. They have no branches and run over many lanes, so a step costs one vector operation for 8 values.

use std::collections::HashMap;

/// One step: of the rows `a` and `b`, the smaller values go to `low` and the larger ones to `high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) a: u16,
    pub(crate) b: u16,
    /// [`NOWHERE`] where it is not needed.
    pub(crate) low: u16,
    /// [`NOWHERE`] where it is not needed.
    pub(crate) high: u16,
}

/// The row of a result that nobody needs.
pub(crate) const NOWHERE: u16 = u16::MAX;

/// The longest window that a network is made for; a longer one is cheaper to keep sorted.
pub(crate) const LONGEST: usize = 511;

/// Steps from rows of values to rows of medians.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) steps: Vec<Step>,
    /// The row of each median, in order.
    pub(crate) outputs: Vec<u16>,
    /// Rows in use; the first `K - 1 + outputs` hold the values at the start.
    pub(crate) rows: usize,
}

/// A value on its way: an input, or the smaller or larger of two others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Node {
    Input(usize),
    Low(usize, usize),
    High(usize, usize),
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    known: HashMap<Node, usize>,
    runs: HashMap<(usize, usize), Vec<usize>>,
}

/// The candidates of the median of a set of windows: sorted, of all values seen so far those from rank `dropped` on.
struct Core {
    kept: Vec<usize>,
    dropped: usize,
    seen: usize,
}

impl Builder {
    fn node(&mut self, node: Node) -> usize {
        let Self { nodes, known, .. } = self;
        *known.entry(node).or_insert_with(|| {
            nodes.push(node);
            nodes.len() - 1
        })
    }

    fn exchange(&mut self, a: usize, b: usize) -> [usize; 2] {
        let (a, b) = (a.min(b), a.max(b));
        [self.node(Node::Low(a, b)), self.node(Node::High(a, b))]
    }

    /// Batcher's odd-even merge of two sorted runs of any lengths.
    fn merge(&mut self, x: &[usize], y: &[usize]) -> Vec<usize> {
        match (x, y) {
            ([], run) | (run, []) => run.to_vec(),
            ([a], [b]) => self.exchange(*a, *b).to_vec(),
            _ => {
                let part =
                    |run: &[usize], first| run.iter().skip(first).step_by(2).copied().collect::<Vec<_>>();
                let even = self.merge(&part(x, 0), &part(y, 0));
                let odd = self.merge(&part(x, 1), &part(y, 1));
                let mut merged = vec![even[0]];
                for i in 0..odd.len().max(even.len() - 1) {
                    match (odd.get(i), even.get(i + 1)) {
                        (Some(a), Some(b)) => merged.extend(self.exchange(*a, *b)),
                        (Some(only), None) | (None, Some(only)) => merged.push(*only),
                        (None, None) => {}
                    }
                }
                merged
            }
        }
    }

    /// The inputs `from..to`, sorted; made from halves, and only once.
    fn run(&mut self, from: usize, to: usize) -> Vec<usize> {
        if to <= from + 1 {
            return (from..to).map(|i| self.node(Node::Input(i))).collect();
        }
        if let Some(run) = self.runs.get(&(from, to)) {
            return run.clone();
        }
        // Halves as even as possible; of two such cuts the one that other runs are more likely to share.
        let middle = usize::midpoint(from, to);
        let cut = if (to - from).is_multiple_of(2) || middle.trailing_zeros() > (middle + 1).trailing_zeros()
        {
            middle
        } else {
            middle + 1
        };
        let (x, y) = (self.run(from, cut), self.run(cut, to));
        let run = self.merge(&x, &y);
        self.runs.insert((from, to), run.clone());
        run
    }

    /// The medians of the `count` windows of `length` inputs from window `first` on, whose common values are in `core`.
    fn medians(&mut self, length: usize, first: usize, count: usize, core: Core, out: &mut Vec<usize>) {
        let half = length / 2;
        let to_come = length - core.seen;
        // Ranks among the values seen that may still be the median's.
        let low = half.saturating_sub(to_come).max(core.dropped);
        let end = (half + 1 - core.dropped).min(core.kept.len());
        let kept = &core.kept[low - core.dropped..end];
        if count == 1 {
            out.extend(kept);
            return;
        }
        let left = count.div_ceil(2);
        let right = count - left;
        let mut half = |builder: &mut Self, first, count, run: Vec<usize>| {
            let (kept, seen) = (builder.merge(kept, &run), core.seen + run.len());
            builder.medians(length, first, count, Core { kept, dropped: low, seen }, out);
        };
        let run = self.run(first + left - 1, first + count - 1);
        half(self, first, left, run);
        let run = self.run(first + length, first + left + length);
        half(self, first + left, right, run);
    }
}

impl Network {
    /// The medians of `group * groups` windows in a row of odd `length` up to [`LONGEST`]; `group`, a power of two of at most
    /// `length + 1`, windows share a core.
    pub(crate) fn new(length: usize, group: usize, groups: usize) -> Self {
        let mut builder = Builder::default();
        let inputs = length - 1 + group * groups;
        for i in 0..inputs {
            builder.node(Node::Input(i));
        }
        let mut outputs = Vec::new();
        for first in (0..groups).map(|g| g * group) {
            let kept = builder.run(first + group - 1, first + length);
            let core = Core { seen: kept.len(), kept, dropped: 0 };
            builder.medians(length, first, group, core, &mut outputs);
        }
        lower(&builder.nodes, inputs, &outputs)
    }
}

/// Steps for the nodes that the outputs need, and rows for their values, each free again after its last use.
fn lower(nodes: &[Node], inputs: usize, outputs: &[usize]) -> Network {
    let mut needed = vec![false; nodes.len()];
    outputs.iter().for_each(|&o| needed[o] = true);
    for (i, node) in nodes.iter().enumerate().rev() {
        if let (true, Node::Low(a, b) | Node::High(a, b)) = (needed[i], *node) {
            needed[a] = true;
            needed[b] = true;
        }
    }
    // Both results of an exchange were made one after the other, and make one step.
    let mut pairs: Vec<([usize; 2], [Option<usize>; 2])> = Vec::new();
    let mut place = HashMap::new();
    for (i, node) in nodes.iter().enumerate().filter(|(i, _)| needed[*i]) {
        let (key, which) = match *node {
            Node::Input(_) => continue,
            Node::Low(a, b) => ([a, b], 0),
            Node::High(a, b) => ([a, b], 1),
        };
        let at = *place.entry(key).or_insert_with(|| {
            pairs.push((key, [None, None]));
            pairs.len() - 1
        });
        pairs[at].1[which] = Some(i);
    }
    let mut last_use = vec![0; nodes.len()];
    for (at, (operands, _)) in pairs.iter().enumerate() {
        operands.iter().for_each(|&o| last_use[o] = at);
    }
    outputs.iter().for_each(|&o| last_use[o] = usize::MAX);

    let mut row: Vec<usize> = (0..nodes.len()).collect();
    let mut free: Vec<usize> = (0..inputs).rev().filter(|&i| !needed[i]).collect();
    let mut rows = inputs;
    let mut steps = Vec::with_capacity(pairs.len());
    for (at, (operands, results)) in pairs.iter().enumerate() {
        let [a, b] = operands.map(|o| row[o]);
        free.extend(operands.iter().filter(|&&o| last_use[o] == at).map(|&o| row[o]));
        let [low, high] = results.map(|result| {
            result.map_or(NOWHERE, |node| {
                row[node] = free.pop().unwrap_or_else(|| {
                    rows += 1;
                    rows - 1
                });
                row[node] as u16
            })
        });
        steps.push(Step { a: a as u16, b: b as u16, low, high });
    }
    Network { steps, outputs: outputs.iter().map(|&o| row[o] as u16).collect(), rows }
}
