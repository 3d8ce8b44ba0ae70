//! Local autocorrelation of an envelope: each frame's windowed stretch multiplied with itself at every lag.
//!
//! Two stretches go through one complex transform, one as its real and one as its imaginary part, padded so that no lag folds onto
//! another. Their powers are real and even, so one more transform of both gives both autocorrelations. All in f64: a tempo is where
//! a logarithm of a millionth of the largest value is largest.

use std::sync::Arc;

use num_complex::Complex64;
use rustfft::{Fft, FftPlanner};

use crate::simd::rhythm::{add_weighted_powers, powers_of_both, scaled_parts, windowed_pairs};
use crate::window::{Symmetry, Window};
use crate::{FeatureError, check};

/// A planned local autocorrelation.
#[derive(Clone)]
pub(super) struct LocalAutocorrelation {
    window: Arc<[f64]>,
    centered: bool,
    fft: Arc<dyn Fft<f64>>,
}

impl std::fmt::Debug for LocalAutocorrelation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalAutocorrelation").field("lags", &self.lags()).finish_non_exhaustive()
    }
}

/// Buffers for envelopes of a length.
#[derive(Debug, Clone)]
pub(super) struct AutocorrelationWork {
    padded: Vec<f32>,
    time: Vec<Complex64>,
    spectrum: Vec<Complex64>,
    work: Vec<Complex64>,
    powers: Vec<f64>,
    /// The autocorrelations of two stretches.
    lags: [Vec<f64>; 2],
}

impl LocalAutocorrelation {
    /// Of stretches of `win_length` frames, 1 to 2^20.
    pub(super) fn new(win_length: usize, window: Window, centered: bool) -> Result<Self, FeatureError> {
        const LARGEST: usize = 1 << 20;
        if !(1..=LARGEST).contains(&win_length) {
            return Err(FeatureError::parameter("win_length", win_length, format!("1 to {LARGEST}")));
        }
        let window = window.coefficients(win_length, Symmetry::Periodic)?.into();
        let fft = FftPlanner::new().plan_fft_forward(fast_length(2 * win_length - 1));
        Ok(Self { window, centered, fft })
    }

    /// Lags, from 0: as many as a stretch has frames.
    pub(super) fn lags(&self) -> usize {
        self.window.len()
    }

    /// Stretches of an envelope of so many frames, or the fewest frames that it takes for one.
    pub(super) fn columns(&self, frames: usize) -> Result<usize, usize> {
        if self.centered {
            return if frames == 0 { Err(1) } else { Ok(frames) };
        }
        (frames + 1).checked_sub(self.lags()).filter(|columns| *columns > 0).ok_or(self.lags())
    }

    fn pad(&self) -> usize {
        if self.centered { self.lags() / 2 } else { 0 }
    }

    pub(super) fn work(&self, frames: usize) -> Result<AutocorrelationWork, FeatureError> {
        let m = self.fft.len();
        Ok(AutocorrelationWork {
            padded: check::vector(1, frames + 2 * self.pad())?,
            time: vec![Complex64::default(); m],
            spectrum: vec![Complex64::default(); m],
            work: vec![Complex64::default(); self.fft.get_outofplace_scratch_len()],
            powers: vec![0.0; m / 2 + 1],
            lags: [vec![0.0; self.lags()], vec![0.0; self.lags()]],
        })
    }

    pub(super) fn holds(&self, work: &AutocorrelationWork, frames: usize) -> bool {
        let m = self.fft.len();
        work.padded.len() >= frames + 2 * self.pad()
            && (work.time.len(), work.spectrum.len(), work.powers.len()) == (m, m, m / 2 + 1)
            && work.lags.iter().all(|lags| lags.len() == self.lags())
            && work.work.len() == self.fft.get_outofplace_scratch_len()
    }

    /// Gives `take` each column with its autocorrelation, from lag 0 on.
    ///
    /// A stretch without energy gives exact zeros.
    pub(super) fn each(
        &self,
        envelope: &[f32],
        work: &mut AutocorrelationWork,
        mut take: impl FnMut(usize, &[f64]),
    ) {
        let Ok(columns) = self.columns(envelope.len()) else { return };
        self.ramp(envelope, &mut work.padded);
        let scale = 1.0 / self.fft.len() as f64;
        for t in (0..columns).step_by(2) {
            let both = t + 1 < columns;
            let energy = self.transform(t, both, work);
            let AutocorrelationWork { time, spectrum, work, lags: [first, second], .. } = work;
            powers_of_both(spectrum, time);
            self.fft.process_outofplace_with_scratch(time, spectrum, work);
            scaled_parts(spectrum, scale, first, second);
            // What leaks from a stretch into its silent neighbour.
            if energy[0] == 0.0 {
                first.fill(0.0);
            }
            if energy[1] == 0.0 {
                second.fill(0.0);
            }
            take(t, first);
            if both {
                take(t + 1, second);
            }
        }
    }

    /// The mean over all columns of the autocorrelation, each divided by its largest value, that at lag 0. `out` has a value a lag.
    ///
    /// The sum is taken of the powers, so that there is one transform back for all columns.
    pub(super) fn mean(&self, envelope: &[f32], work: &mut AutocorrelationWork, out: &mut [f64]) {
        out.fill(0.0);
        let Ok(columns) = self.columns(envelope.len()) else { return };
        self.ramp(envelope, &mut work.padded);
        work.powers.fill(0.0);
        for t in (0..columns).step_by(2) {
            let energy = self.transform(t, t + 1 < columns, work);
            let weights = energy.map(|e| if e < f64::MIN_POSITIVE { 0.0 } else { 1.0 / e });
            add_weighted_powers(&work.spectrum, weights, &mut work.powers);
        }
        let AutocorrelationWork { time, spectrum, work, powers, .. } = work;
        let m = time.len();
        for (k, value) in time.iter_mut().enumerate() {
            *value = Complex64::new(powers[k.min(m - k)], 0.0);
        }
        self.fft.process_outofplace_with_scratch(time, spectrum, work);
        let scale = 1.0 / (m as f64 * columns as f64);
        out.iter_mut().zip(spectrum.iter()).for_each(|(o, v)| *o = v.re * scale);
    }

    /// The transform of the stretches at `t` and, if `both`, at `t + 1`, and their energies.
    fn transform(&self, t: usize, both: bool, work: &mut AutocorrelationWork) -> [f64; 2] {
        let AutocorrelationWork { padded, time, spectrum, work, .. } = work;
        let n = self.lags();
        let (stretch, rest) = time.split_at_mut(n);
        let mut energy = [0.0; 2];
        let a = &padded[t..t + n];
        let b = if both { &padded[t + 1..t + 1 + n] } else { a };
        windowed_pairs(a, b, &self.window, stretch, &mut energy);
        if !both {
            stretch.iter_mut().for_each(|v| v.im = 0.0);
            energy[1] = 0.0;
        }
        rest.fill(Complex64::default());
        self.fft.process_outofplace_with_scratch(time, spectrum, work);
        energy
    }

    /// The envelope between ramps from 0 to its ends.
    fn ramp(&self, envelope: &[f32], padded: &mut [f32]) {
        let pad = self.pad();
        let padded = &mut padded[..envelope.len() + 2 * pad];
        padded[pad..pad + envelope.len()].copy_from_slice(envelope);
        let (Some(first), Some(last)) = (envelope.first(), envelope.last()) else { return };
        for i in 0..pad {
            let up = |edge: f32| (i as f64 * (f64::from(edge) / pad as f64)) as f32;
            padded[i] = up(*first);
            let end = padded.len() - 1 - i;
            padded[end] = up(*last);
        }
    }
}

/// The shortest length of factors 2 and 3 that is not less.
fn fast_length(least: usize) -> usize {
    let mut best = least.next_power_of_two();
    let mut threes = 1;
    while threes < best {
        best = best.min(threes * least.div_ceil(threes).next_power_of_two());
        threes *= 3;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(frames: usize) -> Vec<f32> {
        (0..frames)
            .map(|t| ((t * t) as f32 * 0.37).sin().abs() * if t % 7 == 0 { 9.0 } else { 1.0 })
            .collect()
    }

    /// Straight from the formula.
    fn naive(envelope: &[f32], win_length: usize, window: Window, centered: bool) -> Vec<Vec<f64>> {
        let w = window.coefficients(win_length, Symmetry::Periodic).unwrap();
        let pad = if centered { win_length / 2 } else { 0 } as isize;
        let n = envelope.len() as isize;
        let at = |i: isize| -> f64 {
            let edge = |i: isize, distance: isize| {
                f64::from(envelope[i as usize]) * (pad - distance) as f64 / pad as f64
            };
            match i {
                i if i < 0 => edge(0, -i),
                i if i >= n => edge(n - 1, i - n + 1),
                i => f64::from(envelope[i as usize]),
            }
        };
        let columns = if centered { n } else { n - win_length as isize + 1 };
        let stretch =
            |t: isize| -> Vec<f64> { (0..win_length).map(|i| w[i] * at(t - pad + i as isize)).collect() };
        let lagged = |x: &[f64], lag: usize| -> f64 { x.iter().zip(&x[lag..]).map(|(a, b)| a * b).sum() };
        (0..columns).map(stretch).map(|x| (0..win_length).map(|lag| lagged(&x, lag)).collect()).collect()
    }

    #[test]
    fn is_what_the_formula_says() {
        for (frames, win_length, window, centered) in [
            (40, 16, Window::Hann, true),
            (41, 17, Window::Hamming, true),
            (5, 33, Window::Hann, true),
            (1, 8, Window::Rectangular, true),
            (50, 20, Window::Blackman, false),
            (20, 20, Window::Rectangular, false),
            (9, 1, Window::Hann, true),
        ] {
            let plan = LocalAutocorrelation::new(win_length, window, centered).unwrap();
            let envelope = envelope(frames);
            let mut work = plan.work(frames).unwrap();
            let want = naive(&envelope, win_length, window, centered);
            assert_eq!(plan.columns(frames), Ok(want.len()));
            let mut seen = 0;
            plan.each(&envelope, &mut work, |t, values| {
                assert_eq!(t, seen);
                seen += 1;
                for (got, want_value) in values.iter().zip(&want[t]) {
                    assert!((got - want_value).abs() <= 1e-6 * want[t][0].max(1.0), "{t}");
                }
            });
            assert_eq!(seen, want.len());
            let mut mean = vec![0.0; win_length];
            plan.mean(&envelope, &mut work, &mut mean);
            for (lag, got) in mean.iter().enumerate() {
                let share = |column: &Vec<f64>| if column[0] > 0.0 { column[lag] / column[0] } else { 0.0 };
                let want = want.iter().map(share).sum::<f64>() / want.len() as f64;
                assert!((got - want).abs() <= 1e-7, "{lag}: {got} {want}");
            }
        }
    }

    #[test]
    fn silence_beside_sound_is_silent() {
        let mut envelope = vec![0.0; 101];
        envelope[50] = 80.0;
        let plan = LocalAutocorrelation::new(11, Window::Rectangular, true).unwrap();
        plan.each(&envelope, &mut plan.work(101).unwrap(), |t, values| {
            let expected = if t.abs_diff(50) <= 5 { 6400.0 } else { 0.0 };
            assert!((values[0] - expected).abs() < 1e-9, "{t}");
            assert!(expected > 0.0 || values.iter().all(|v| *v == 0.0), "{t}");
        });
    }

    #[test]
    fn lengths_have_small_factors() {
        assert_eq!([1, 2, 5, 687, 767, 769].map(fast_length), [1, 2, 6, 729, 768, 864]);
        let plan = LocalAutocorrelation::new(8, Window::Hann, false).unwrap();
        assert_eq!((plan.columns(7), plan.columns(8), plan.columns(9)), (Err(8), Ok(1), Ok(2)));
        assert!(LocalAutocorrelation::new(0, Window::Hann, true).is_err());
    }
}
