//! The likeliest path through states that are a pitch each, voiced or not, where pitch moves a bounded way from frame to frame.

use std::sync::Arc;

use crate::simd::pitch::{STATES, banded_maximum};
use crate::{FeatureError, check};

/// The model: `2 bins` states, of which the first half are voiced.
///
/// From pitch `i` to pitch `j` goes the weight of a triangle at `j - i`, divided by what of the triangle lies within the pitches;
/// voiced and unvoiced change with a probability of their own. As in the reference the smallest normal number is added to every
/// probability before its logarithm is taken, so that no path is impossible.
#[derive(Debug, Clone)]
pub(super) struct Model {
    bins: usize,
    /// How many pitches a path moves at most.
    reach: usize,
    /// Logarithm of the triangle, from that of the pitch `reach` under the target to that of `reach` over it.
    kernel: Arc<[f64]>,
    /// Logarithm of the part of the triangle around each pitch that lies within the pitches.
    parts: Arc<[f64]>,
    /// Logarithms of the probabilities to stay voiced or unvoiced, and to change.
    stay: f64,
    change: f64,
}

/// The logarithm of a probability of 0.
pub(super) fn log_zero() -> f64 {
    log_probability(0.0)
}

/// As the reference takes it.
pub(super) fn log_probability(probability: f64) -> f64 {
    (probability + f64::MIN_POSITIVE).ln()
}

/// The paths of one signal, for up to some number of frames.
#[derive(Debug, Clone)]
pub(super) struct Trellis {
    /// Logarithm of the likelihood of the best path to each state.
    value: Vec<f64>,
    /// Of voiced and unvoiced states: the same, less the part of the triangle, with negative infinity on both sides.
    from: [Vec<f64>; 2],
    best: [Vec<f64>; 2],
    at: [Vec<f64>; 2],
    /// For each frame and state the state before.
    before: Vec<u16>,
}

/// The most states that an index of 16 bits tells apart.
const MOST_STATES: usize = 1 << 16;

impl Model {
    /// A triangle `width` pitches wide over `bins` pitches.
    pub(super) fn new(bins: usize, width: usize, switch_prob: f64) -> Self {
        let reach = width / 2;
        let weights: Vec<f64> = (0..=2 * reach).rev().map(|i| triangle(i, bins, width)).collect();
        // Part i is the sum over the targets from i - reach to i + reach that are pitches.
        let part = |i: usize| -> f64 {
            let outgoing = weights.iter().rev().enumerate();
            outgoing.filter(|(d, _)| (reach..reach + bins).contains(&(i + d))).map(|(_, w)| w).sum()
        };
        Self {
            bins,
            reach,
            kernel: weights.iter().map(|w| w.ln()).collect(),
            parts: (0..bins).map(|i| part(i).ln()).collect(),
            stay: (1.0 - switch_prob).ln(),
            change: switch_prob.ln(),
        }
    }

    /// Pitches that the model can have at most.
    pub(super) const MOST_BINS: usize = MOST_STATES / 2;

    fn padded(&self) -> usize {
        self.bins.next_multiple_of(STATES)
    }

    fn states(&self) -> usize {
        2 * self.bins
    }

    pub(super) fn trellis(&self, frames: usize) -> Result<Trellis, FeatureError> {
        let both = |length: usize, value: f64| [vec![value; length], vec![value; length]];
        Ok(Trellis {
            value: vec![0.0; self.states()],
            from: both(self.padded() + 2 * self.reach, f64::NEG_INFINITY),
            best: both(self.padded(), 0.0),
            at: both(self.padded(), 0.0),
            before: check::vector(self.states(), frames)?,
        })
    }

    pub(super) fn fits(&self, trellis: &Trellis, frames: usize) -> bool {
        trellis.value.len() == self.states()
            && trellis.from[0].len() == self.padded() + 2 * self.reach
            && trellis.before.len() / self.states() >= frames
    }

    /// Extends all paths by frame `t`, frames in order from 0; the trellis fits.
    ///
    /// `voiced` are the logarithms of the probabilities of the frame if it has each pitch, `unvoiced` is that of each unvoiced
    /// state.
    pub(super) fn step(&self, t: usize, voiced: &[f64], unvoiced: f64, trellis: &mut Trellis) {
        let Trellis { value, from, best, at, before } = trellis;
        let observed = voiced.iter().copied().chain(std::iter::repeat_n(unvoiced, self.bins));
        if t == 0 {
            let start = log_probability(1.0 / self.states() as f64);
            value.iter_mut().zip(observed).for_each(|(value, observed)| *value = observed + start);
            return;
        }
        // Any state comes after any other, if only just: the best of all, wherever it is, is one to come from.
        let from_any = first_maximum(value);
        let jump = value[from_any] + log_zero();
        for ((from, value), (best, at)) in
            from.iter_mut().zip(value.chunks(self.bins)).zip(best.iter_mut().zip(at.iter_mut()))
        {
            let places = from[self.reach..].iter_mut().zip(value).zip(self.parts.iter());
            places.for_each(|((place, value), part)| *place = value - part);
            banded_maximum(from, &self.kernel, best, at);
        }
        let states = self.states();
        let (first, second) = value.split_at_mut(self.bins);
        let (first_before, second_before) = before[t * states..(t + 1) * states].split_at_mut(self.bins);
        let halves =
            [(first, first_before, self.stay, self.change), (second, second_before, self.change, self.stay)];
        let mut observed = observed;
        for (value, before, from_voiced, from_unvoiced) in halves {
            for (j, (value, before)) in value.iter_mut().zip(before).enumerate() {
                let (mut most, mut place) = (best[0][j] + from_voiced, j + at[0][j] as usize);
                let other = best[1][j] + from_unvoiced;
                if other > most {
                    (most, place) = (other, self.bins + j + at[1][j] as usize);
                }
                // Where several are equal the first is taken.
                place = place.saturating_sub(self.reach);
                if jump > most || (jump == most && from_any < place) {
                    (most, place) = (jump, from_any);
                }
                *value = most + observed.next().unwrap_or(most);
                *before = place as u16;
            }
        }
    }

    /// Calls `take` with each frame and its state on the likeliest path, the last frame first.
    pub(super) fn walk_back(&self, frames: usize, trellis: &Trellis, mut take: impl FnMut(usize, usize)) {
        let mut state = first_maximum(&trellis.value);
        for t in (0..frames).rev() {
            take(t, state);
            if t > 0 {
                state = usize::from(trellis.before[t * self.states() + state]);
            }
        }
    }
}

/// Where the largest value is, the first of several.
fn first_maximum(values: &[f64]) -> usize {
    let larger = |best: usize, i: usize| if values[i] > values[best] { i } else { best };
    (1..values.len()).fold(0, larger)
}

/// The triangle at `i - width / 2` pitches from its middle: none of its weights is 0, and one of even width has two middles.
///
/// The reference puts a triangle of even width half a pitch over or under its pitch, as the number of pitches is even or odd.
fn triangle(i: usize, bins: usize, width: usize) -> f64 {
    let reach = width / 2;
    // The triangle lies in the middle of all pitches, and is turned round them, past the last pitch to the first.
    let turned = i + 3 * bins - reach - bins / 2 - 1 - (bins - width) / 2;
    let w = turned % bins;
    if w >= width {
        return 0.0;
    }
    let from_end = w.min(width - 1 - w) as f64;
    if width.is_multiple_of(2) {
        (2.0 * from_end + 1.0) / width as f64
    } else {
        2.0 * (from_end + 1.0) / (width as f64 + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transition matrix in full.
    fn transitions(bins: usize, width: usize, switch_prob: f64) -> Vec<Vec<f64>> {
        let reach = width / 2;
        let states = 2 * bins;
        let mut all = vec![vec![0.0; states]; states];
        for i in 0..bins {
            let weight = |j: usize| {
                if j + reach < i || j > i + reach { 0.0 } else { triangle(j + reach - i, bins, width) }
            };
            let sum: f64 = (0..bins).map(weight).sum();
            for j in 0..bins {
                for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let switched = if a == b { 1.0 - switch_prob } else { switch_prob };
                    all[a * bins + i][b * bins + j] = switched * weight(j) / sum;
                }
            }
        }
        all
    }

    #[test]
    fn triangles_are_those_of_the_reference() {
        // librosa 0.11: sequence.transition_local(n, width, window="triangle"), rows 0 and 3 times their sum.
        let row = |n: usize, width: usize, i: usize| -> Vec<f64> {
            let reach = width / 2;
            let at = |j: usize| {
                if j + reach < i || j > i + reach { 0.0 } else { triangle(j + reach - i, n, width) }
            };
            let sum: f64 = (0..n).map(at).sum();
            (0..n).map(|j| at(j) / sum).collect()
        };
        for (n, width, i, want) in TRIANGLES {
            for (got, want) in row(*n, *width, *i).iter().zip(*want) {
                assert!((got - want).abs() < 1e-12, "{n} {width} {i}: {got} {want}");
            }
        }
    }

    const TRIANGLES: &[(usize, usize, usize, &[f64])] = &[
        (7, 3, 0, &[0.6666666666666666, 0.3333333333333333, 0.0, 0.0, 0.0, 0.0, 0.0]),
        (7, 3, 3, &[0.0, 0.0, 0.25, 0.5, 0.25, 0.0, 0.0]),
        (8, 3, 0, &[0.6666666666666666, 0.3333333333333333, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        (8, 3, 3, &[0.0, 0.0, 0.25, 0.5, 0.25, 0.0, 0.0, 0.0]),
        (7, 4, 0, &[0.75, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0]),
        (7, 4, 3, &[0.0, 0.125, 0.375, 0.375, 0.125, 0.0, 0.0]),
        (8, 4, 0, &[0.42857142857142855, 0.42857142857142855, 0.14285714285714285, 0.0, 0.0, 0.0, 0.0, 0.0]),
        (8, 4, 3, &[0.0, 0.0, 0.125, 0.375, 0.375, 0.125, 0.0, 0.0]),
        (
            8,
            8,
            0,
            &[
                0.30434782608695654,
                0.30434782608695654,
                0.21739130434782608,
                0.13043478260869565,
                0.043478260869565216,
                0.0,
                0.0,
                0.0,
            ],
        ),
        (8, 8, 3, &[0.03125, 0.09375, 0.15625, 0.21875, 0.21875, 0.15625, 0.09375, 0.03125]),
        (5, 1, 0, &[1.0, 0.0, 0.0, 0.0, 0.0]),
        (5, 1, 3, &[0.0, 0.0, 0.0, 1.0, 0.0]),
    ];

    #[test]
    fn the_path_is_the_likeliest_of_all() {
        let mut state = 9_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 24)
        };
        for (bins, width, switch_prob) in [
            (40, 7, 0.01),
            (17, 6, 0.3),
            (20, 20, 0.5),
            (20, 6, 0.0),
            (9, 1, 0.1),
            (2, 1, 1.0),
            (33, 33, 0.2),
        ] {
            let model = Model::new(bins, width, switch_prob);
            let frames = 30;
            let mut trellis = model.trellis(frames).unwrap();
            let full = transitions(bins, width, switch_prob);
            let log: Vec<Vec<f64>> =
                full.iter().map(|row| row.iter().map(|p| log_probability(*p)).collect()).collect();
            let start = log_probability(1.0 / (2 * bins) as f64);
            let mut value: Vec<f64> = Vec::new();
            let mut seen: Vec<Vec<f64>> = Vec::new();
            for t in 0..frames {
                // Now and then a frame is voiced beyond doubt, far from where the path was.
                let sure = t % 7 == 5;
                let one = (next() * bins as f64) as usize;
                let mut probability = |j: usize| match sure {
                    true => f64::from(u8::from(j == one)),
                    false => (next() - 0.8).max(0.0),
                };
                let voiced: Vec<f64> = (0..bins).map(|j| log_probability(probability(j))).collect();
                let unvoiced = log_probability(if sure { 0.0 } else { next() / bins as f64 });
                model.step(t, &voiced, unvoiced, &mut trellis);
                let observed: Vec<f64> =
                    voiced.into_iter().chain(std::iter::repeat_n(unvoiced, bins)).collect();
                let best = |j: usize| -> f64 {
                    if t == 0 {
                        start
                    } else {
                        (0..2 * bins).map(|k| value[k] + log[k][j]).fold(f64::MIN, f64::max)
                    }
                };
                value = (0..2 * bins).map(|j| observed[j] + best(j)).collect();
                seen.push(observed);
            }
            let want = value.iter().copied().fold(f64::MIN, f64::max);
            let mut path = vec![0; frames];
            model.walk_back(frames, &trellis, |t, state| path[t] = state);
            // Paths may be equally likely: theirs is not compared, but how likely they are.
            let moves: f64 = path.windows(2).map(|pair| log[pair[0]][pair[1]]).sum();
            let got = start + moves + path.iter().zip(&seen).map(|(state, seen)| seen[*state]).sum::<f64>();
            assert!((got - want).abs() < 1e-9, "{bins} {width} {switch_prob}: {got} {want}");
        }
    }
}
