//! The sum rule over every subset of the features.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// Scores of all features for some clips: one matrix (clips, classes) for each feature, rows of NaN where a clip has not got it.
#[derive(Debug, Clone)]
pub(crate) struct Scores {
    pub(crate) features: Vec<Array2<f64>>,
}

/// How a subset did in a fold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SubsetResult {
    /// Bit i stands for feature i.
    pub mask: u32,
    /// Share of clips that are right.
    pub accuracy: f64,
    /// Mean negative logarithm of the share of the true class.
    pub log_loss: f64,
}

/// A subset of features over all folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankedSubset {
    /// Names of its features.
    pub features: Vec<String>,
    /// Mean accuracy over the folds, where it is chosen.
    pub mean: f64,
    /// Deviation over the folds (divisor: their number).
    pub deviation: f64,
    /// Mean accuracy over the test folds; none without test folds.
    pub test_mean: Option<f64>,
}

impl Scores {
    fn clips(&self) -> usize {
        self.features.first().map_or(0, Array2::nrows)
    }

    fn classes(&self) -> usize {
        self.features.first().map_or(0, Array2::ncols)
    }

    /// The sum over the features of a subset, each row divided by its sum; even shares where a clip has none of them.
    pub(crate) fn subset(&self, mask: u32) -> Array2<f64> {
        let mut sum = Array2::zeros((self.clips(), self.classes()));
        for (_, scores) in self.features.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1) {
            add(&mut sum, scores);
        }
        normalise(&mut sum);
        sum
    }

    /// The mean over several subsets.
    pub(crate) fn subsets(&self, masks: &[u32]) -> Array2<f64> {
        let mut sum = Array2::zeros((self.clips(), self.classes()));
        for &mask in masks {
            sum += &self.subset(mask);
        }
        normalise(&mut sum);
        sum
    }

    /// Every subset of one to all features, by mask.
    ///
    /// Sums are built by adding one feature at a time in their order, so a subset has the same bits however many others there are.
    pub(crate) fn search(&self, truth: &[usize]) -> Vec<SubsetResult> {
        let count = self.features.len();
        let mut results = vec![SubsetResult { mask: 0, accuracy: 0.0, log_loss: 0.0 }; 1 << count];
        let start = Array2::zeros((self.clips(), self.classes()));
        self.descend(truth, 0, 0, &start, &mut results);
        results.remove(0);
        results
    }

    fn descend(
        &self,
        truth: &[usize],
        from: usize,
        mask: u32,
        sum: &Array2<f64>,
        results: &mut [SubsetResult],
    ) {
        for (feature, scores) in self.features.iter().enumerate().skip(from) {
            let mask = mask | 1 << feature;
            let mut sum = sum.clone();
            add(&mut sum, scores);
            results[mask as usize] = rate(&sum, truth, mask);
            self.descend(truth, feature + 1, mask, &sum, results);
        }
    }
}

/// Adds the rows that are there.
fn add(sum: &mut Array2<f64>, scores: &Array2<f64>) {
    for (mut to, from) in sum.rows_mut().into_iter().zip(scores.rows()) {
        if from.iter().all(|v| !v.is_nan()) {
            to += &from;
        }
    }
}

pub(crate) fn normalise(scores: &mut Array2<f64>) {
    let even = 1.0 / scores.ncols().max(1) as f64;
    for mut row in scores.rows_mut() {
        let sum = row.sum();
        if sum > 0.0 { row /= sum } else { row.fill(even) }
    }
}

fn rate(sum: &Array2<f64>, truth: &[usize], mask: u32) -> SubsetResult {
    let (mut right, mut loss) = (0_usize, 0.0);
    for (row, &truth) in sum.rows().into_iter().zip(truth) {
        let total = row.sum();
        let (share, best) =
            if total > 0.0 { (row[truth] / total, argmax(row.iter().copied())) } else { (0.0, usize::MAX) };
        right += usize::from(best == truth);
        loss -= share.max(1e-12).ln();
    }
    let clips = truth.len().max(1) as f64;
    SubsetResult { mask, accuracy: right as f64 / clips, log_loss: loss / clips }
}

/// The largest; of equals the first.
pub(crate) fn argmax(values: impl Iterator<Item = f64>) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (index, value) in values.enumerate() {
        if value > best.1 {
            best = (index, value);
        }
    }
    best.0
}

pub(crate) fn predicted(scores: ArrayView2<'_, f64>) -> Vec<usize> {
    scores.rows().into_iter().map(|row| argmax(row.iter().copied())).collect()
}

/// The subsets from the best down: by accuracy, then log loss, then size, then the order of the features.
pub(crate) fn ranked(results: &[SubsetResult]) -> Vec<SubsetResult> {
    let mut order = results.to_vec();
    order.sort_by(|a, b| {
        b.accuracy
            .total_cmp(&a.accuracy)
            .then(a.log_loss.total_cmp(&b.log_loss))
            .then(a.mask.count_ones().cmp(&b.mask.count_ones()))
            .then(a.mask.cmp(&b.mask))
    });
    order
}

/// The same results averaged over folds, mask by mask.
pub(crate) fn averaged(folds: &[Vec<SubsetResult>]) -> Vec<SubsetResult> {
    let Some(first) = folds.first() else { return Vec::new() };
    let count = folds.len() as f64;
    let mean =
        |at: usize, of: fn(&SubsetResult) -> f64| folds.iter().map(|f| of(&f[at])).sum::<f64>() / count;
    (0..first.len())
        .map(|at| SubsetResult {
            mask: first[at].mask,
            accuracy: mean(at, |r| r.accuracy),
            log_loss: mean(at, |r| r.log_loss),
        })
        .collect()
}

/// Indices of the features of a mask.
pub(crate) fn members(mask: u32) -> Vec<usize> {
    (0..32).filter(|i| mask >> i & 1 == 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn scores() -> Scores {
        let nan = f64::NAN;
        Scores {
            features: vec![
                array![[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]],
                array![[0.2, 0.8], [0.1, 0.9], [nan, nan]],
                array![[0.6, 0.4], [0.8, 0.2], [0.1, 0.9]],
            ],
        }
    }

    #[test]
    fn every_subset_is_rated_as_by_hand() {
        let scores = scores();
        let truth = [0, 1, 0];
        let results = scores.search(&truth);
        assert_eq!(results.len(), 7);
        for result in &results {
            let sum = scores.subset(result.mask);
            let own = predicted(sum.view());
            // A clip without any feature of the subset is wrong, not lucky.
            let none = result.mask == 2;
            let right = own.iter().zip(&truth).filter(|(a, b)| a == b).count() - usize::from(none);
            assert_eq!(result.accuracy, right as f64 / 3.0, "{result:?}");
        }
        assert_eq!(results.iter().map(|r| r.mask).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
        // The first feature alone is always right.
        assert_eq!(ranked(&results)[0].mask, 1);
    }

    #[test]
    fn a_missing_feature_counts_for_nothing() {
        let sum = scores().subset(0b11);
        assert_eq!(sum.row(2).to_vec(), [0.7, 0.3]);
        assert_eq!(scores().subset(0b10).row(2).to_vec(), [0.5, 0.5]);
    }

    #[test]
    fn a_subset_has_the_same_bits_among_fewer_features() {
        let all = scores();
        let fewer = Scores { features: all.features[..2].to_vec() };
        let truth = [0, 1, 0];
        assert_eq!(all.search(&truth)[2], fewer.search(&truth)[2]);
    }

    #[test]
    fn the_search_of_nine_features_takes_511() {
        let features = vec![Array2::from_elem((4, 3), 0.25); 9];
        assert_eq!(Scores { features }.search(&[0, 1, 2, 0]).len(), 511);
    }
}
