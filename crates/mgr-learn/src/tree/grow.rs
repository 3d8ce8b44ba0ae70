//! Growing classification trees.

use super::nodes::Nodes;
use super::ranked::{Ranked, between};
use super::{Criterion, TreeSettings};
use crate::random::Random;

/// How thresholds are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Splitter {
    /// The best of all between two values.
    Best,
    /// One drawn between the least and the largest value of each column (extra trees).
    Random,
}

/// What a tree is grown on.
pub(crate) struct Ground<'a> {
    pub(crate) table: &'a Ranked,
    /// Class of each row.
    pub(crate) of_row: &'a [usize],
    pub(crate) classes: usize,
    pub(crate) settings: &'a TreeSettings,
    pub(crate) splitter: Splitter,
    /// Columns that are looked at for each split.
    pub(crate) candidates: usize,
}

struct Split {
    column: usize,
    threshold: f64,
    gain: f64,
}

struct Grower<'a> {
    ground: &'a Ground<'a>,
    weights: &'a [f64],
    random: Random,
    nodes: Nodes,
    /// Rows, those of a node together.
    rows: Vec<u32>,
    /// 1 for the rows of the node at hand.
    inside: Vec<u8>,
    /// Rows of the node by ascending value of a column.
    sorted: Vec<u32>,
    keys: Vec<u64>,
    columns: Vec<usize>,
    left: Vec<f64>,
    right: Vec<f64>,
    importances: Vec<f64>,
}

/// `sum_c f(w_c)` such that the weight times the impurity is `weight - sum / weight` (Gini) or `weight ln weight - sum`
/// (entropy): the larger over both sides, the purer they are.
#[derive(Clone, Copy)]
struct Purity {
    weight: f64,
    sum: f64,
}

impl Purity {
    fn of(counts: &[f64], criterion: Criterion) -> Self {
        let sum = match criterion {
            Criterion::Gini => counts.iter().map(|c| c * c).sum(),
            Criterion::Entropy => counts.iter().map(|c| logarithmic(*c)).sum(),
        };
        Self { weight: counts.iter().sum(), sum }
    }

    /// The weighted purity, to be maximised over the two sides.
    fn value(self, criterion: Criterion) -> f64 {
        match criterion {
            Criterion::Gini if self.weight > 0.0 => self.sum / self.weight,
            Criterion::Gini => 0.0,
            Criterion::Entropy => self.sum - logarithmic(self.weight),
        }
    }
}

fn logarithmic(c: f64) -> f64 {
    if c > 0.0 { c * c.ln() } else { 0.0 }
}

/// Grows a tree on the rows with a weight above 0; returns it with the decrease of impurity by column.
pub(crate) fn grow(ground: &Ground<'_>, weights: &[f64], random: Random) -> (Nodes, Vec<f64>) {
    let rows: Vec<u32> = (0..ground.table.rows)
        .filter(|&r| weights[r] > 0.0)
        .map(|r| u32::try_from(r).unwrap_or(u32::MAX))
        .collect();
    let n = ground.table.rows;
    let mut grower = Grower {
        ground,
        weights,
        random,
        nodes: Nodes::new(ground.classes),
        sorted: vec![0; n + 1],
        keys: Vec::with_capacity(n),
        inside: vec![0; n],
        columns: (0..ground.table.columns).collect(),
        left: vec![0.0; ground.classes],
        right: vec![0.0; ground.classes],
        importances: vec![0.0; ground.table.columns],
        rows,
    };
    grower.run();
    (grower.nodes, grower.importances)
}

impl Grower<'_> {
    fn run(&mut self) {
        let root = self.nodes.push();
        let mut waiting = vec![(root, 0, self.rows.len(), 0_usize)];
        let mut counts = vec![0.0; self.ground.classes];
        while let Some((node, begin, end, depth)) = waiting.pop() {
            counts.fill(0.0);
            for &r in &self.rows[begin..end] {
                counts[self.ground.of_row[r as usize]] += self.weights[r as usize];
            }
            let settings = self.ground.settings;
            let pure = counts.iter().filter(|c| **c > 0.0).count() < 2;
            let deep = settings.max_depth.is_some_and(|most| depth >= most);
            let few = end - begin < settings.min_samples_split.max(2 * settings.min_samples_leaf);
            let split = if pure || deep || few { None } else { self.best(begin, end, &counts) };
            let Some(split) = split else {
                let sum: f64 = counts.iter().sum();
                counts.iter_mut().for_each(|c| *c /= sum);
                self.nodes.finish(node, &counts);
                continue;
            };
            let values = self.ground.table.values(split.column);
            let rows = &mut self.rows[begin..end];
            let mut middle = 0;
            for i in 0..rows.len() {
                if values[rows[i] as usize] <= split.threshold {
                    rows.swap(i, middle);
                    middle += 1;
                }
            }
            self.importances[split.column] += split.gain.max(0.0);
            let left = self.nodes.split(node, split.column, split.threshold);
            waiting.push((left + 1, begin + middle, end, depth + 1));
            waiting.push((left, begin, begin + middle, depth + 1));
        }
    }

    /// The best split over columns drawn one after the other; columns without two values do not count as drawn.
    fn best(&mut self, begin: usize, end: usize, counts: &[f64]) -> Option<Split> {
        let n = self.ground.table.rows;
        let size = end - begin;
        // Below this sorting the node's rows is quicker than passing through all rows of the table.
        let scan = size * 6 > n;
        if scan && self.ground.splitter == Splitter::Best {
            for &r in &self.rows[begin..end] {
                self.inside[r as usize] = 1;
            }
        }
        let whole = Purity::of(counts, self.ground.settings.criterion);
        let mut best: Option<Split> = None;
        let mut tried = 0;
        for drawn in 0..self.columns.len() {
            if tried >= self.ground.candidates {
                break;
            }
            let other = drawn + self.random.below(self.columns.len() - drawn);
            self.columns.swap(drawn, other);
            let column = self.columns[drawn];
            let found = match self.ground.splitter {
                Splitter::Best => {
                    if !self.sort(begin, end, column, scan) {
                        continue;
                    }
                    self.best_of_column(column, size, counts, whole)
                }
                Splitter::Random => match self.drawn_of_column(begin, end, column, counts, whole) {
                    None => continue,
                    Some(found) => found,
                },
            };
            tried += 1;
            if let Some(found) = found
                && best.as_ref().is_none_or(|b| found.gain > b.gain)
            {
                best = Some(found);
            }
        }
        if scan && self.ground.splitter == Splitter::Best {
            for &r in &self.rows[begin..end] {
                self.inside[r as usize] = 0;
            }
        }
        best
    }

    /// Brings the node's rows into the order of a column; false where all values are equal.
    fn sort(&mut self, begin: usize, end: usize, column: usize, scan: bool) -> bool {
        let ranks = self.ground.table.ranks(column);
        let size = end - begin;
        if scan {
            let mut filled = 0;
            for &r in self.ground.table.order(column) {
                self.sorted[filled] = r;
                filled += usize::from(self.inside[r as usize]);
            }
        } else {
            self.keys.clear();
            let rows = &self.rows[begin..end];
            self.keys.extend(rows.iter().map(|&r| (u64::from(ranks[r as usize]) << 32) | u64::from(r)));
            self.keys.sort_unstable();
            for (to, key) in self.sorted.iter_mut().zip(&self.keys) {
                *to = (*key & 0xffff_ffff) as u32;
            }
        }
        ranks[self.sorted[0] as usize] != ranks[self.sorted[size - 1] as usize]
    }

    fn best_of_column(&mut self, column: usize, size: usize, counts: &[f64], whole: Purity) -> Option<Split> {
        let ground = self.ground;
        let criterion = ground.settings.criterion;
        let least = ground.settings.min_samples_leaf;
        let ranks = ground.table.ranks(column);
        self.left.fill(0.0);
        self.right.copy_from_slice(counts);
        let (mut left, mut right) = (Purity { weight: 0.0, sum: 0.0 }, whole);
        let (mut best, mut place) = (f64::NEG_INFINITY, None);
        let sorted = &self.sorted[..size];
        let mut rank = ranks[sorted[0] as usize];
        for i in 0..size - 1 {
            let row = sorted[i] as usize;
            let (weight, class) = (self.weights[row], ground.of_row[row]);
            let (l, r) = (self.left[class], self.right[class]);
            (self.left[class], self.right[class]) = (l + weight, r - weight);
            left.weight += weight;
            right.weight -= weight;
            match criterion {
                Criterion::Gini => {
                    left.sum += weight * (2.0 * l + weight);
                    right.sum -= weight * (2.0 * r - weight);
                }
                Criterion::Entropy => {
                    left.sum += logarithmic(l + weight) - logarithmic(l);
                    right.sum += logarithmic(r - weight) - logarithmic(r);
                }
            }
            let next = ranks[sorted[i + 1] as usize];
            if next == rank {
                continue;
            }
            rank = next;
            if i + 1 < least || size - i - 1 < least {
                continue;
            }
            let value = left.value(criterion) + right.value(criterion);
            if value > best {
                (best, place) = (value, Some(i));
            }
        }
        let place = place?;
        let values = ground.table.values(column);
        let threshold = between(values[sorted[place] as usize], values[sorted[place + 1] as usize]);
        Some(Split { column, threshold, gain: best - whole.value(criterion) })
    }

    /// None for a column without two values; within, none where a side would be too small.
    #[allow(clippy::option_option)]
    fn drawn_of_column(
        &mut self,
        begin: usize,
        end: usize,
        column: usize,
        counts: &[f64],
        whole: Purity,
    ) -> Option<Option<Split>> {
        let ground = self.ground;
        let values = ground.table.values(column);
        let rows = &self.rows[begin..end];
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for &r in rows {
            let v = values[r as usize];
            low = if v < low { v } else { low };
            high = if v > high { v } else { high };
        }
        if low >= high {
            return None;
        }
        let drawn = self.random.between(low, high);
        let threshold = if drawn >= low && drawn < high { drawn } else { low };
        self.left.fill(0.0);
        let mut size = 0;
        for &r in rows {
            let goes_left = values[r as usize] <= threshold;
            size += usize::from(goes_left);
            let weight = if goes_left { self.weights[r as usize] } else { 0.0 };
            self.left[ground.of_row[r as usize]] += weight;
        }
        if size < ground.settings.min_samples_leaf || rows.len() - size < ground.settings.min_samples_leaf {
            return Some(None);
        }
        for ((r, l), c) in self.right.iter_mut().zip(&self.left).zip(counts) {
            *r = c - l;
        }
        let criterion = ground.settings.criterion;
        let value = Purity::of(&self.left, criterion).value(criterion)
            + Purity::of(&self.right, criterion).value(criterion);
        Some(Some(Split { column, threshold, gain: value - whole.value(criterion) }))
    }
}
