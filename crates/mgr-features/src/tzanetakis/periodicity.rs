//! Enhanced autocorrelation and its peaks.

use std::sync::Arc;

use num_complex::Complex64;
use rustfft::{Fft, FftPlanner};

/// A planned autocorrelation of sequences of one length, not circular, of one or several channels.
#[derive(Clone)]
pub(super) struct Autocorrelation {
    fft: Arc<dyn Fft<f64>>,
    length: usize,
}

impl std::fmt::Debug for Autocorrelation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Autocorrelation").field("length", &self.length).finish_non_exhaustive()
    }
}

/// Buffers of one computation.
#[derive(Debug, Clone)]
pub(super) struct AutocorrelationScratch {
    buffer: Vec<Complex64>,
    work: Vec<Complex64>,
    sum: Vec<f64>,
    /// The autocorrelation, by lags from 0.
    pub(super) lags: Vec<f64>,
    pub(super) enhanced: Vec<f64>,
}

impl Autocorrelation {
    pub(super) fn new(length: usize) -> Self {
        Self { fft: FftPlanner::new().plan_fft_forward((2 * length).next_power_of_two()), length }
    }

    pub(super) fn scratch(&self) -> AutocorrelationScratch {
        AutocorrelationScratch {
            buffer: vec![Complex64::default(); self.fft.len()],
            work: vec![Complex64::default(); self.fft.get_inplace_scratch_len()],
            sum: vec![0.0; self.fft.len()],
            lags: vec![0.0; self.length],
            enhanced: vec![0.0; self.length],
        }
    }

    pub(super) fn fits(&self, scratch: &AutocorrelationScratch) -> bool {
        (scratch.buffer.len(), scratch.work.len(), scratch.lags.len())
            == (self.fft.len(), self.fft.get_inplace_scratch_len(), self.length)
    }

    /// Begins a sum over channels.
    pub(super) fn begin(scratch: &mut AutocorrelationScratch) {
        scratch.sum.fill(0.0);
    }

    /// Adds `|X|^exponent` of a channel; 2 is the autocorrelation proper.
    pub(super) fn add(
        &self,
        values: impl Iterator<Item = f64>,
        exponent: f64,
        scratch: &mut AutocorrelationScratch,
    ) {
        let AutocorrelationScratch { buffer, work, sum, .. } = scratch;
        let padded = values.take(self.length).chain(std::iter::repeat(0.0));
        buffer.iter_mut().zip(padded).for_each(|(z, x)| *z = Complex64::new(x, 0.0));
        self.fft.process_with_scratch(buffer, work);
        for (s, z) in sum.iter_mut().zip(&*buffer) {
            let power = z.norm_sqr();
            *s += if exponent == 2.0 { power } else { power.powf(0.5 * exponent) };
        }
    }

    /// The lags of the sum, divided by `divisor`.
    pub(super) fn finish(&self, divisor: f64, scratch: &mut AutocorrelationScratch) {
        let AutocorrelationScratch { buffer, work, sum, lags, .. } = scratch;
        buffer.iter_mut().zip(&*sum).for_each(|(z, s)| *z = Complex64::new(*s, 0.0));
        // The sum is even, so that forward and back are the same.
        self.fft.process_with_scratch(buffer, work);
        let scale = (self.fft.len() as f64 * divisor).recip();
        lags.iter_mut().zip(&*buffer).for_each(|(o, z)| *o = z.re * scale);
    }
}

/// The enhanced autocorrelation (Tolonen and Karjalainen 2000): what is negative becomes 0; then for each factor from 2 to `factors`
/// the curve stretched by it, straight between its lags, is taken off, and what became negative is 0 again.
pub(super) fn enhance(lags: &[f64], factors: usize, out: &mut [f64]) {
    out.iter_mut().zip(lags).for_each(|(o, r)| *o = r.max(0.0));
    for factor in 2..=factors {
        for (k, o) in out.iter_mut().enumerate() {
            let (below, rest) = (k / factor, k % factor);
            let share = rest as f64 / factor as f64;
            let low = lags[below].max(0.0);
            let high = if rest == 0 { low } else { lags.get(below + 1).map_or(0.0, |r| r.max(0.0)) };
            *o = (*o - (low + (high - low) * share)).max(0.0);
        }
    }
}

/// Calls `take` with the lag and height of the `most` highest peaks within the lags `first..=last`, the highest first; of equal ones
/// the shorter lag. A peak is over its neighbour before and not under the one behind, and over `least`.
pub(super) fn peaks(
    curve: &[f64],
    first: usize,
    last: usize,
    most: usize,
    least: f64,
    mut take: impl FnMut(usize, f64),
) {
    let (mut top, mut top_lag) = (f64::INFINITY, 0);
    for _ in 0..most {
        let mut best: Option<(usize, f64)> = None;
        for k in first.max(1)..=last.min(curve.len().saturating_sub(2)) {
            let height = curve[k];
            let peak = height > curve[k - 1] && height >= curve[k + 1] && height > least;
            // Lower than those that were taken, or as high as the last and behind it.
            let fresh = height < top || (height == top && k > top_lag);
            if peak && fresh && best.is_none_or(|(_, b)| height > b) {
                best = Some((k, height));
            }
        }
        let Some((lag, height)) = best else { return };
        take(lag, height);
        (top, top_lag) = (height, lag);
    }
}

/// Heights under this share of lag 0 are rounding.
pub(super) const LEAST: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn autocorrelations_are_their_sums() {
        let x: Vec<f64> = (0..50).map(|n| (f64::from(n) * 0.9).sin() + 0.1).collect();
        let plan = Autocorrelation::new(50);
        let mut scratch = plan.scratch();
        Autocorrelation::begin(&mut scratch);
        plan.add(x.iter().copied(), 2.0, &mut scratch);
        plan.finish(50.0, &mut scratch);
        for k in 0..50 {
            let want = x.iter().zip(&x[k..]).map(|(a, b)| a * b).sum::<f64>() / 50.0;
            assert!((scratch.lags[k] - want).abs() < 1e-14);
        }
    }

    #[test]
    fn stretching_takes_multiples_away() {
        // Peaks at 10, 20 and 30: those at 20 and 30 are multiples.
        let lags: Vec<f64> = (0..40).map(|k| if k > 0 && k % 10 == 0 { 1.0 } else { -0.1 }).collect();
        let mut out = vec![0.0; 40];
        enhance(&lags, 3, &mut out);
        let mut found = vec![];
        peaks(&out, 1, 38, 5, 0.0, |lag, height| found.push((lag, height)));
        assert_eq!(found, [(10, 1.0)]);
        let mut found = vec![];
        peaks(&[0.0, 2.0, 2.0, 1.0, 3.0, 0.0, 2.0, 0.0], 1, 6, 3, 0.0, |lag, _| found.push(lag));
        assert_eq!(found, [4, 1, 6]);
    }
}
