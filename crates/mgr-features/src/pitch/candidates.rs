//! How probable each period of a frame is: every threshold on the normalised difference, weighed by how likely it is.

use std::sync::Arc;

use super::beta;
use super::difference::is_trough;

/// The prior of the thresholds and of the troughs under a threshold.
#[derive(Debug, Clone)]
pub(super) struct Prior {
    /// Mass of each threshold `(i + 1) / n`: what a beta distribution has between it and the one before.
    mass: Arc<[f64]>,
    /// `exp(-parameter k)` of the trough `k`, counted from the shortest period.
    decay: Arc<[f64]>,
    /// `(1 - exp(-parameter)) / (1 - exp(-parameter n))`, where `n` troughs share.
    norm: Arc<[f64]>,
    no_trough_prob: f64,
}

/// A period with a probability over 0.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Candidate {
    /// Index of the trough among the values of the frame.
    pub(super) index: usize,
    pub(super) probability: f64,
    /// Thresholds that are not over it.
    below: usize,
}

/// Buffers of one computation.
#[derive(Debug, Clone)]
pub(super) struct PriorScratch {
    /// The troughs of the frame, from the shortest period to the longest.
    pub(super) troughs: Vec<Candidate>,
    /// For each threshold whether it is the first over some trough.
    enters: Vec<bool>,
}

impl Prior {
    /// For frames of `periods` values.
    pub(super) fn new(
        n_thresholds: usize,
        shapes: [f64; 2],
        boltzmann_parameter: f64,
        no_trough_prob: f64,
        periods: usize,
    ) -> Self {
        let [a, b] = shapes;
        let under = |i: usize| beta::distribution(i as f64 / n_thresholds as f64, a, b);
        let most = most_troughs(periods);
        let decay = |k: usize| libm::exp(-boltzmann_parameter * k as f64);
        let rest = |n: usize| 1.0 - decay(n);
        Self {
            mass: (0..n_thresholds).map(|i| under(i + 1) - under(i)).collect(),
            decay: (0..most).map(decay).collect(),
            norm: (0..=most).map(|n| if n == 0 { 0.0 } else { rest(1) / rest(n) }).collect(),
            no_trough_prob,
        }
    }

    pub(super) fn scratch(&self) -> PriorScratch {
        PriorScratch {
            troughs: Vec::with_capacity(self.decay.len()),
            enters: vec![false; self.mass.len() + 1],
        }
    }

    pub(super) fn fits(&self, scratch: &PriorScratch) -> bool {
        scratch.enters.len() == self.mass.len() + 1 && scratch.troughs.capacity() >= self.decay.len()
    }

    /// Finds the troughs of a frame and their probabilities; the scratch fits.
    ///
    /// Under each threshold its mass is shared by the troughs under it, those of short periods first (a truncated geometric
    /// distribution). Thresholds between the same two troughs share alike, and are taken together. Where no trough is under the
    /// threshold, `no_trough_prob` of its mass goes to the deepest.
    pub(super) fn weigh(&self, values: &[f64], scratch: &mut PriorScratch) {
        let PriorScratch { troughs, enters } = scratch;
        let count = self.mass.len();
        troughs.clear();
        enters.fill(false);
        for index in (0..values.len()).filter(|i| is_trough(values, *i)) {
            let below = thresholds_below(values[index], count);
            enters[below] = true;
            troughs.push(Candidate { index, probability: 0.0, below });
        }
        let mut first = 0;
        while first < count {
            let end = (first + 1..count).find(|i| enters[*i]).unwrap_or(count);
            let mass: f64 = self.mass[first..end].iter().sum();
            let under = troughs.iter().filter(|trough| trough.below <= first).count();
            let share = mass * self.norm[under];
            let sharing = troughs.iter_mut().filter(|trough| trough.below <= first);
            sharing.zip(self.decay.iter()).for_each(|(trough, decay)| trough.probability += share * decay);
            first = end;
        }
        let deepest = troughs.iter_mut().reduce(|a, b| if values[b.index] < values[a.index] { b } else { a });
        if let Some(deepest) = deepest {
            let mass: f64 = self.mass[..deepest.below].iter().sum();
            deepest.probability += self.no_trough_prob * mass;
        }
    }
}

/// No two troughs are neighbours.
pub(super) fn most_troughs(periods: usize) -> usize {
    periods.div_ceil(2)
}

/// How many of the thresholds `1 / count, 2 / count, ..., 1` are at most `height`.
fn thresholds_below(height: f64, count: usize) -> usize {
    // The quotient may be rounded past a threshold.
    let near = ((height * count as f64).clamp(0.0, count as f64) as usize).saturating_sub(1);
    let over = |i: &usize| height < (*i + 1) as f64 / count as f64;
    (near..count).find(over).unwrap_or(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Threshold by threshold.
    fn naive(
        values: &[f64],
        n: usize,
        shapes: [f64; 2],
        parameter: f64,
        no_trough_prob: f64,
    ) -> Vec<(usize, f64)> {
        let troughs: Vec<usize> = (0..values.len()).filter(|i| is_trough(values, *i)).collect();
        let mut out: Vec<(usize, f64)> = troughs.iter().map(|i| (*i, 0.0)).collect();
        let lowest = (0..troughs.len()).min_by(|a, b| values[troughs[*a]].total_cmp(&values[troughs[*b]]));
        for i in 1..=n {
            let threshold = i as f64 / n as f64;
            let under = |x: f64| beta::distribution(x, shapes[0], shapes[1]);
            let mass = under(threshold) - under((i - 1) as f64 / n as f64);
            let sharing: Vec<usize> =
                (0..troughs.len()).filter(|q| values[troughs[*q]] < threshold).collect();
            for (k, q) in sharing.iter().enumerate() {
                let pmf = (1.0 - (-parameter).exp()) * (-parameter * k as f64).exp();
                out[*q].1 += mass * pmf / (1.0 - (-parameter * sharing.len() as f64).exp());
            }
            if let (Some(lowest), true) = (lowest, sharing.is_empty()) {
                out[lowest].1 += no_trough_prob * mass;
            }
        }
        out
    }

    #[test]
    fn weighing_is_as_threshold_by_threshold() {
        let mut state = 5_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 24)
        };
        for (length, scale) in [(1, 1.0), (2, 0.3), (40, 1.2), (301, 0.4), (301, 0.03)] {
            let mut values: Vec<f64> = (0..length).map(|_| scale * next()).collect();
            for (i, v) in values.iter_mut().enumerate() {
                // Some lie on a threshold, which is not over them then.
                *v = if i % 3 == 0 { (*v * 100.0).round() / 100.0 } else { *v };
            }
            for (n, shapes, parameter) in
                [(100, [2.0, 18.0], 2.0), (1, [1.0, 1.0], 0.1), (37, [0.5, 4.0], 9.0)]
            {
                let prior = Prior::new(n, shapes, parameter, 0.25, length);
                let mut scratch = prior.scratch();
                prior.weigh(&values, &mut scratch);
                let want = naive(&values, n, shapes, parameter, 0.25);
                assert_eq!(scratch.troughs.len(), want.len());
                for (got, (index, probability)) in scratch.troughs.iter().zip(want) {
                    assert_eq!(got.index, index);
                    assert!((got.probability - probability).abs() < 1e-13, "{got:?} {probability}");
                }
            }
        }
    }

    #[test]
    fn a_height_on_a_threshold_is_not_under_it() {
        for count in [1, 3, 100, 777] {
            for i in 0..=count {
                let height = i as f64 / count as f64;
                assert_eq!(thresholds_below(height, count), i, "{i} of {count}");
                assert_eq!(thresholds_below(height.next_down(), count), i.saturating_sub(1));
            }
            assert_eq!([thresholds_below(-1.0, count), thresholds_below(9.0, count)], [0, count]);
        }
    }
}
