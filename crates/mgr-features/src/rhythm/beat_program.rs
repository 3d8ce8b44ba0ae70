//! Beats by dynamic programming: the chain of frames that are strong onsets and lie a beat apart.
//!
//! All in f64 as in the reference; the order of sums and the choice among equals are its own.

use crate::{FeatureError, check};

/// Frames between beats: the same everywhere, or one for each frame.
#[derive(Debug, Clone, Copy)]
pub(super) enum Periods<'a> {
    Same(usize),
    Each(&'a [usize]),
}

impl Periods<'_> {
    fn at(self, frame: usize) -> usize {
        match self {
            Self::Same(period) => period,
            Self::Each(periods) => periods.get(frame).copied().unwrap_or(1),
        }
    }
}

/// `round(60 frame_rate / bpm)`, halves to even.
pub(super) fn period_of(bpm: f64, frame_rate: f64) -> usize {
    (frame_rate * 60.0 / bpm).round_ties_even() as usize
}

/// A planned search.
#[derive(Debug, Clone)]
pub(super) struct BeatProgram {
    pub(super) tightness: f64,
    pub(super) trim: bool,
}

/// Buffers for up to a number of frames, and periods up to a length.
#[derive(Debug, Clone)]
pub(super) struct BeatWork {
    normalized: Vec<f32>,
    local: Vec<f64>,
    cumulated: Vec<f64>,
    before: Vec<Option<usize>>,
    maxima: Vec<f64>,
    window: Vec<f64>,
    /// `ln i`.
    logarithms: Vec<f64>,
    chosen: Vec<bool>,
}

impl BeatWork {
    pub(super) fn new(frames: usize, longest: usize) -> Result<Self, FeatureError> {
        // No beat is further back than the first frame.
        let mut logarithms = check::vector(1, (2 * longest).min(frames) + longest + 1)?;
        logarithms.iter_mut().enumerate().for_each(|(i, ln): (usize, &mut f64)| *ln = (i as f64).ln());
        let mut maxima = Vec::new();
        maxima.try_reserve_exact(frames).map_err(|_| FeatureError::Memory { rows: 1, columns: frames })?;
        Ok(Self {
            normalized: check::vector(1, frames)?,
            local: check::vector(1, frames)?,
            cumulated: check::vector(1, frames)?,
            before: check::vector(1, frames)?,
            maxima,
            window: check::vector(2, longest + 1)?,
            logarithms,
            chosen: check::vector(1, frames)?,
        })
    }

    pub(super) fn holds(&self, frames: usize, longest: usize) -> bool {
        self.local.len() >= frames
            && self.maxima.capacity() >= frames
            && self.window.len() >= 2 * (longest + 1)
            && self.logarithms.len() > (2 * longest).min(frames) + longest
    }
}

impl BeatProgram {
    /// Which frames are beats. Periods are at least 1 and at most what the buffers are for.
    ///
    /// An envelope that never changes has none.
    pub(super) fn run<'w>(
        &self,
        envelope: &[f32],
        periods: Periods<'_>,
        work: &'w mut BeatWork,
    ) -> &'w [bool] {
        let n = envelope.len();
        let BeatWork { normalized, local, cumulated, before, maxima, window, logarithms, chosen } = work;
        let (normalized, local, cumulated) = (&mut normalized[..n], &mut local[..n], &mut cumulated[..n]);
        let (before, chosen) = (&mut before[..n], &mut chosen[..n]);
        chosen.fill(false);
        if n < 2 || !normalize(envelope, normalized) {
            return chosen;
        }
        local_score(normalized, periods, window, local);
        self.link(local, periods, logarithms, cumulated, before);
        let mut next = last_beat(cumulated, maxima);
        while let Some(frame) = next {
            chosen[frame] = true;
            next = before[frame];
        }
        self.trim(local, chosen);
        chosen
    }

    /// The best chain that ends at each frame, and the frame before it in that chain.
    fn link(
        &self,
        local: &[f64],
        periods: Periods<'_>,
        logarithms: &[f64],
        cumulated: &mut [f64],
        before: &mut [Option<usize>],
    ) {
        let threshold = 0.01 * local.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut first = true;
        for (i, score) in local.iter().enumerate() {
            let period = periods.at(i);
            let target = logarithms[period];
            // Halves to even, as the reference rounds.
            let nearest = ((period as f64 / 2.0).round_ties_even() as usize).max(1);
            let (mut best, mut place) = (f64::NEG_INFINITY, None);
            for back in nearest..=(2 * period).min(i) {
                let off = logarithms[back] - target;
                let total = cumulated[i - back] - self.tightness * (off * off);
                if total > best {
                    (best, place) = (total, Some(i - back));
                }
            }
            cumulated[i] = if place.is_some() { score + best } else { *score };
            // A chain does not begin before something is heard.
            before[i] = if first && *score < threshold { None } else { place };
            first &= *score < threshold;
        }
    }

    /// Takes weak beats away at both ends.
    fn trim(&self, local: &[f64], chosen: &mut [bool]) {
        let threshold = if self.trim { 0.5 * smoothed_level(local, chosen) } else { 0.0 };
        let weak = |score: &&f64| **score <= threshold;
        let (start, end) =
            (local.iter().take_while(weak).count(), local.iter().rev().take_while(weak).count());
        chosen[..start].fill(false);
        chosen[local.len() - end..].fill(false);
    }
}

/// Divides by the standard deviation (of `n - 1`); false where there is none.
fn normalize(envelope: &[f32], out: &mut [f32]) -> bool {
    let n = envelope.len() as f64;
    let mean = envelope.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let variance = envelope.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let deviation = variance.sqrt() as f32;
    if !(deviation >= f32::MIN_POSITIVE && deviation.is_finite()) {
        return false;
    }
    out.iter_mut().zip(envelope).for_each(|(to, v)| *to = v / (deviation + f32::MIN_POSITIVE));
    true
}

/// The envelope smoothed with a bell curve, a thirty-second of a period wide: `exp(-(32 i / period)^2 / 2)`.
///
/// As in the reference the first frame of the envelope takes no part; with onset strength it is 0.
fn local_score(envelope: &[f32], periods: Periods<'_>, window: &mut [f64], out: &mut [f64]) {
    let n = envelope.len();
    let mut planned = 0;
    for (i, score) in out.iter_mut().enumerate() {
        let period = periods.at(i);
        if period != planned {
            let bell = |k: usize| (-0.5 * ((k as f64 - period as f64) * 32.0 / period as f64).powi(2)).exp();
            window[..=2 * period].iter_mut().enumerate().for_each(|(k, w)| *w = bell(k));
            planned = period;
        }
        let low = (i + period + 1).saturating_sub(n);
        let high = (i + period).min(2 * period + 1);
        *score = (low..high).map(|k| window[k] * f64::from(envelope[i + period - k])).sum();
    }
}

/// The last frame that is a local maximum of at least half of their median; the last of all where there is none.
fn last_beat(cumulated: &[f64], maxima: &mut Vec<f64>) -> Option<usize> {
    let n = cumulated.len();
    let is_maximum = |i: usize| {
        i > 0
            && cumulated[i] > cumulated[i - 1]
            && cumulated.get(i + 1).is_none_or(|after| cumulated[i] >= *after)
    };
    maxima.clear();
    maxima.extend((0..n).filter(|i| is_maximum(*i)).map(|i| cumulated[i]));
    maxima.sort_unstable_by(f64::total_cmp);
    let middle = maxima.len() / 2;
    let median = match (maxima.get(middle), maxima.len().is_multiple_of(2)) {
        (Some(high), true) => f64::midpoint(maxima[middle - 1], *high),
        (Some(only), false) => *only,
        (None, _) => 0.0,
    };
    (0..n).rev().find(|i| is_maximum(*i) && cumulated[*i] >= 0.5 * median).or(n.checked_sub(1))
}

/// Root mean square of the scores of the beats, smoothed by `[0.5, 1, 0.5]`, half a beat beyond each end included.
fn smoothed_level(local: &[f64], chosen: &[bool]) -> f64 {
    let (mut sum, mut count) = (0.0, 0usize);
    let (mut two_ago, mut one_ago) = (0.0, 0.0);
    let mut add = |value: f64, counts: bool| {
        let smooth = 0.5 * two_ago + one_ago + 0.5 * value;
        if counts {
            sum += smooth * smooth;
            count += 1;
        }
        (two_ago, one_ago) = (one_ago, value);
    };
    let beats = || local.iter().zip(chosen).filter(|(_, beat)| **beat).map(|(score, _)| *score);
    let total = beats().count();
    // The smoothed value of a beat is known with the one after it; what comes before the first is not counted.
    for (i, score) in beats().enumerate() {
        add(score, i > 0);
    }
    // The reference cuts what lies beyond as many values as there are frames.
    for extra in 0..3 {
        add(0.0, total + extra <= local.len());
    }
    (sum / count.max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulses(frames: usize, period: usize, offset: usize) -> Vec<f32> {
        (0..frames)
            .map(|t| if t >= offset && (t - offset).is_multiple_of(period) { 5.0 } else { 0.1 })
            .collect()
    }

    fn run(program: &BeatProgram, envelope: &[f32], periods: Periods<'_>) -> Vec<usize> {
        let mut work = BeatWork::new(envelope.len(), 400).unwrap();
        assert!(work.holds(envelope.len(), 400));
        let chosen = program.run(envelope, periods, &mut work);
        (0..chosen.len()).filter(|t| chosen[*t]).collect()
    }

    #[test]
    fn finds_pulses_and_leaps_over_a_missing_one() {
        let program = BeatProgram { tightness: 100.0, trim: true };
        let mut envelope = pulses(300, 20, 7);
        envelope[147] = 0.1;
        // As librosa 0.11 has it: the chain that ends at frame 299 passes by the last pulse, and its end is trimmed.
        let mut want: Vec<usize> = (7..287).step_by(20).chain([283]).collect();
        assert_eq!(run(&program, &envelope, Periods::Same(20)), want);
        assert_eq!(run(&program, &envelope, Periods::Each(&[20; 300])), want);
        want.push(299);
        assert_eq!(run(&BeatProgram { trim: false, ..program }, &envelope, Periods::Same(20)), want);
    }

    #[test]
    fn what_never_changes_has_no_beat() {
        let program = BeatProgram { tightness: 100.0, trim: false };
        for envelope in [vec![0.0; 50], vec![3.0; 50], vec![1.0], vec![]] {
            assert!(run(&program, &envelope, Periods::Same(10)).is_empty());
        }
    }

    #[test]
    fn odd_periods_and_short_clips_stay_in_bounds() {
        for trim in [false, true] {
            let program = BeatProgram { tightness: 1e-3, trim };
            for frames in [2, 3, 10, 57] {
                for period in [1, 2, 3, 5, 31, 400] {
                    let beats = run(&program, &pulses(frames, 4, 1), Periods::Same(period));
                    assert!(beats.iter().all(|t| *t < frames));
                }
            }
        }
    }

    #[test]
    fn level_of_beats_as_numpy_convolves() {
        // np.convolve([1, 2, 4], [0, .5, 1, .5, 0])[2:2+len(local)], of which 5 values are left: 2, 4.5, 5, 2, 0.
        let local = [1.0, 0.0, 2.0, 0.0, 0.0, 4.0, 0.0];
        let chosen = [true, false, true, false, false, true, false];
        let want = ((4.0 + 4.5 * 4.5 + 25.0 + 4.0) / 5.0f64).sqrt();
        assert!((smoothed_level(&local, &chosen) - want).abs() < 1e-12);
        // Every frame a beat: as many values as frames.
        let want = ((4.0 + 4.5 * 4.5 + 25.0) / 3.0f64).sqrt();
        assert!((smoothed_level(&[1.0, 2.0, 4.0], &[true; 3]) - want).abs() < 1e-12);
    }
}
