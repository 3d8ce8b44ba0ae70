//! The cumulative mean normalised difference function of a frame, and its troughs.
//!
//! Taken in double precision: the difference of a good period is what is left of two nearly equal energies.

use std::sync::Arc;

use num_complex::Complex64;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use crate::frame::{Framing, Span};
use crate::simd::sums::sums;
use crate::{FeatureError, check};

/// What both estimators say about the frequencies that they look for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) f_min: f64,
    pub(super) f_max: f64,
    pub(super) sample_rate: u32,
}

/// A planned difference function for periods from `min_period` on.
#[derive(Clone)]
pub(super) struct Difference {
    framing: Framing,
    min_period: usize,
    max_period: usize,
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
}

impl std::fmt::Debug for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Difference")
            .field("framing", &self.framing)
            .field("min_period", &self.min_period)
            .field("max_period", &self.max_period)
            .finish_non_exhaustive()
    }
}

/// Buffers of one computation.
#[derive(Debug, Clone)]
pub(super) struct DifferenceScratch {
    padded: Vec<f32>,
    /// The frame with zeros behind it, then its autocorrelation.
    frame: Vec<f64>,
    spectrum: Vec<Complex64>,
    work: Vec<Complex64>,
    /// The function of the frame that was computed last, one value a period.
    pub(super) values: Vec<f64>,
}

/// The shortest even length, of factors up to 5, that holds `samples`: a fast one to transform.
fn fast_length(samples: usize) -> usize {
    let half = samples.div_ceil(2);
    let mut best = half.next_power_of_two();
    let mut fives = 1;
    while fives < best {
        let mut odd = fives;
        while odd < best {
            best = best.min(odd * half.div_ceil(odd).next_power_of_two());
            odd *= 3;
        }
        fives *= 5;
    }
    2 * best
}

/// Rounding error of the autocorrelation, as a share of the energy of the frame.
const NOISE: f64 = 1e-14;

impl Difference {
    /// Checks the frequencies against the sampling rate and the frame, as the reference does.
    pub(super) fn new(range: Range, framing: Framing) -> Result<Self, FeatureError> {
        let Range { f_min, f_max, sample_rate } = range;
        check::rate(sample_rate)?;
        let rate = f64::from(sample_rate);
        let nyquist = rate / 2.0;
        if !(f_max > 0.0 && f_max <= nyquist) {
            return Err(FeatureError::parameter("f_max", f_max, format!("over 0, at most {nyquist}")));
        }
        if !(f_min > 0.0 && f_min < f_max) {
            return Err(FeatureError::parameter("f_min", f_min, format!("over 0, under f_max of {f_max}")));
        }
        let longest = framing.frame_length() - 1;
        if rate / f_min >= longest as f64 {
            let allowed = format!(
                "over {} for a frame of {} samples, or a frame_length of at least {}",
                rate / longest as f64,
                framing.frame_length(),
                (rate / f_min).ceil() + 2.0,
            );
            return Err(FeatureError::parameter("f_min", f_min, allowed));
        }
        // Both quotients lie between 2 and the length of a frame now.
        let min_period = (rate / f_max).floor() as usize;
        let max_period = ((rate / f_min).ceil() as usize).min(longest);
        // Long enough that no lag up to the longest period wraps round.
        let length = fast_length(framing.frame_length() + max_period);
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
        Ok(Self { framing, min_period, max_period, forward, inverse })
    }

    pub(super) fn framing(&self) -> &Framing {
        &self.framing
    }

    pub(super) fn min_period(&self) -> usize {
        self.min_period
    }

    /// How many periods are looked at.
    pub(super) fn periods(&self) -> usize {
        self.max_period - self.min_period + 1
    }

    fn work(&self) -> usize {
        self.forward.get_scratch_len().max(self.inverse.get_scratch_len())
    }

    pub(super) fn scratch(&self) -> DifferenceScratch {
        DifferenceScratch {
            padded: vec![0.0; self.framing.frame_length()],
            frame: self.forward.make_input_vec(),
            spectrum: self.forward.make_output_vec(),
            work: vec![Complex64::default(); self.work()],
            values: vec![0.0; self.periods()],
        }
    }

    pub(super) fn fits(&self, scratch: &DifferenceScratch) -> bool {
        let DifferenceScratch { padded, frame, spectrum, work, values } = scratch;
        let got = [padded.len(), frame.len(), spectrum.len(), work.len(), values.len()];
        let length = self.forward.len();
        got == [self.framing.frame_length(), length, length / 2 + 1, self.work(), self.periods()]
    }

    /// Puts the function of frame `t` into `scratch.values`; the scratch fits.
    ///
    /// With the frame `x` and zeros behind it, `d(k) = sum (x[n] - x[n + k])^2` is twice the autocorrelation at 0 less that at
    /// `k`, less the energy of the first `k` samples; `d'(k) = k d(k) / (d(1) + ... + d(k))`. The reference takes no energy off
    /// `d(1)`, which is in every sum.
    pub(super) fn compute(&self, t: usize, span: Span<'_>, scratch: &mut DifferenceScratch) {
        let DifferenceScratch { padded, frame, spectrum, work, values } = scratch;
        let samples = match self.framing.inside(t, span) {
            Some(samples) => samples,
            None => {
                let sample = self.framing.padded_at_once(t, span);
                padded.iter_mut().enumerate().for_each(|(i, to)| *to = sample(i));
                &*padded
            }
        };
        let (head, tail) = frame.split_at_mut(samples.len());
        head.iter_mut().zip(samples).for_each(|(to, x)| *to = f64::from(*x));
        tail.fill(0.0);
        // Only a wrong length can fail here, and `fits` has been asked; the power spectrum is real, as the inverse asks.
        let done = self.forward.process_with_scratch(frame, spectrum, work);
        debug_assert!(done.is_ok());
        spectrum.iter_mut().for_each(|x| *x = Complex64::new(x.re * x.re + x.im * x.im, 0.0));
        let done = self.inverse.process_with_scratch(spectrum, frame, work);
        debug_assert!(done.is_ok());

        let scale = 1.0 / frame.len() as f64;
        let mut totals = [0.0; 2];
        sums(samples, &mut totals);
        let whole = totals[1];
        // A correlation under the rounding error of the transform is none: between single impulses all periods are equally bad.
        let noise = NOISE * whole;
        let (mut energy, mut sum) = (0.0, 0.0);
        let lags = frame[1..].iter().zip(samples).zip(1..=self.max_period);
        let mut place = values.iter_mut();
        for ((correlation, x), k) in lags {
            energy += f64::from(*x) * f64::from(*x);
            let taken = if k == 1 { 0.0 } else { energy };
            let correlation = correlation * scale;
            let correlation = if correlation.abs() < noise { 0.0 } else { correlation };
            let difference = 2.0 * (whole - correlation) - taken;
            sum += difference;
            if k >= self.min_period
                && let Some(value) = place.next()
            {
                *value = difference / (sum / k as f64 + f64::MIN_POSITIVE);
            }
        }
    }
}

/// Whether `values[i]` is a trough: smaller than what is before it and not larger than what is after it, the first only smaller
/// than what is after it.
pub(super) fn is_trough(values: &[f64], i: usize) -> bool {
    let here = values[i];
    match (i.checked_sub(1).map(|before| values[before]), values.get(i + 1)) {
        (Some(before), Some(after)) => here < before && here <= *after,
        (Some(before), None) => here < before,
        (None, Some(after)) => here < *after,
        (None, None) => false,
    }
}

/// How far from `i` the parabola through `values[i]` and its neighbours has its extremum: less than 1, else 0; 0 at the ends.
pub(super) fn shift(values: &[f64], i: usize) -> f64 {
    let Some(&[before, here, after]) = i.checked_sub(1).and_then(|first| values.get(first..first + 3)) else {
        return 0.0;
    };
    let curvature = after + before - 2.0 * here;
    let slope = (after - before) / 2.0;
    if slope.abs() >= curvature.abs() { 0.0 } else { -slope / curvature }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Centering, Padding};

    #[test]
    fn lengths_are_fast_and_long_enough() {
        assert_eq!([2, 11, 2386, 4095].map(fast_length), [2, 12, 2400, 4096]);
        for n in 1..3000 {
            let mut rest = fast_length(n);
            assert!(rest >= n && rest.is_multiple_of(2) && rest <= 2 * n.next_power_of_two());
            for factor in [2, 3, 5] {
                while rest.is_multiple_of(factor) {
                    rest /= factor;
                }
            }
            assert_eq!(rest, 1, "{n}");
        }
    }

    #[test]
    fn the_difference_is_that_of_its_definition() {
        let samples: Vec<f32> = (0..150_u32).map(|n| ((n * n) as f32 * 0.013).sin() + 0.2).collect();
        for (centering, padding) in
            [(Centering::Centered, Padding::Reflect), (Centering::LeftAligned, Padding::Zero)]
        {
            let framing = Framing::new(101, 17, centering, padding).unwrap();
            let plan =
                Difference::new(Range { f_min: 14.0, f_max: 333.0, sample_rate: 1000 }, framing).unwrap();
            assert_eq!((plan.min_period(), plan.periods()), (3, 70));
            let mut scratch = plan.scratch();
            for t in 0..framing.frames(samples.len()).unwrap() {
                let span = Span::whole(&samples);
                let sample = framing.padded_at_once(t, span);
                let at = |n: usize| if n < 101 { f64::from(sample(n)) } else { 0.0 };
                let difference = |k: usize| -> f64 { (0..101).map(|n| (at(n) - at(n + k)).powi(2)).sum() };
                plan.compute(t, span, &mut scratch);
                for (i, got) in scratch.values.iter().enumerate() {
                    let k = i + 3;
                    let sum = at(0).powi(2) + (1..=k).map(difference).sum::<f64>();
                    let want = k as f64 * difference(k) / sum;
                    assert!((got - want).abs() < 1e-12, "{t} {k}: {got} {want}");
                }
            }
        }
    }

    #[test]
    fn troughs_and_parabolas() {
        let values = [1.0, 2.0, 0.5, 0.5, 3.0, 1.0];
        let troughs: Vec<usize> = (0..6).filter(|i| is_trough(&values, *i)).collect();
        assert_eq!(troughs, [0, 2, 5]);
        assert!(!is_trough(&[1.0], 0));
        // (x - 0.25)^2 at -1, 0, 1.
        assert_eq!(shift(&[1.5625, 0.0625, 0.5625], 1), 0.25);
        // On a straight line, and at the ends, there is none.
        assert_eq!([shift(&[3.0, 2.0, 1.0], 1), shift(&values, 0), shift(&values, 5)], [0.0; 3]);
    }
}
