//! Resampling by any ratio, for pitch shifts: a windowed sinc read between its tabulated phases.

use std::f64::consts::PI;

use crate::simd::interpolate::dot_between;
use crate::window::bessel_i0;
use crate::{FeatureError, check};

/// Ends of the pass band and of the transition as shares of the lower Nyquist frequency; soxr's HQ has these.
const PASS: f64 = 0.913;
const STOP: f64 = 1.0;
/// Attenuation in dB that the Kaiser window is made for.
const ATTENUATION: f64 = 125.0;
/// Phases of the table for a full band; between neighbours, a straight line is off by under -140 dB.
const PHASES: f64 = 4096.0;

/// A planned resampling by a ratio of output to input rate.
#[derive(Debug, Clone)]
pub(super) struct Interpolator {
    ratio: f64,
    /// Taps of one phase, a multiple of 8.
    taps: usize,
    phases: usize,
    /// `phases + 1` rows of `taps`.
    table: Vec<f32>,
}

impl Interpolator {
    /// For a ratio of 1/64 to 64.
    pub(super) fn new(ratio: f64) -> Self {
        let band = ratio.min(1.0);
        let beta = 0.1102 * (ATTENUATION - 8.7);
        // Kaiser's formula for the length.
        let length = (ATTENUATION - 8.0) / (2.285 * PI * (STOP - PASS) * band);
        let half = (0.5 * length).ceil();
        let taps = (2.0 * half).max(2.0) as usize;
        let taps = taps.next_multiple_of(8);
        let phases = (PHASES * band).ceil().max(32.0) as usize;
        let cutoff = 0.5 * (PASS + STOP) * band;
        let centre = (taps / 2 - 1) as f64;
        let unit = bessel_i0(beta);
        let mut table = Vec::with_capacity((phases + 1) * taps);
        for phase in 0..=phases {
            let shift = phase as f64 / phases as f64;
            let row: Vec<f64> = (0..taps)
                .map(|i| {
                    let x = i as f64 - centre - shift;
                    let u = x / half;
                    if u.abs() >= 1.0 {
                        return 0.0;
                    }
                    let sinc = if x == 0.0 { 1.0 } else { (PI * cutoff * x).sin() / (PI * cutoff * x) };
                    cutoff * sinc * bessel_i0(beta * (1.0 - u * u).sqrt()) / unit
                })
                .collect();
            // Each phase passes a constant as it is.
            let sum: f64 = row.iter().sum();
            table.extend(row.iter().map(|w| (w / sum) as f32));
        }
        Self { ratio, taps, phases, table }
    }

    /// Samples of the result: `ceil(samples ratio)`.
    pub(super) fn output_length(&self, samples: usize) -> usize {
        (samples as f64 * self.ratio).ceil() as usize
    }

    /// Zeros that `padded` needs before and after the signal.
    pub(super) fn margins(&self) -> (usize, usize) {
        (self.taps / 2 - 1, self.taps / 2 + 1)
    }

    /// Resamples a signal that has zeros around it, as many as [`Interpolator::margins`] says. Where `out` is longer than the result,
    /// zeros follow.
    pub(super) fn process(&self, padded: &[f32], out: &mut [f32]) {
        let (before, after) = self.margins();
        let samples = padded.len() - before - after;
        let length = self.output_length(samples).min(out.len());
        let (out, rest) = out.split_at_mut(length);
        rest.fill(0.0);
        for (m, out) in out.iter_mut().enumerate() {
            let position = m as f64 / self.ratio;
            let first = (position as usize).min(samples);
            let phase = (position - first as f64).clamp(0.0, 1.0) * self.phases as f64;
            let row = (phase as usize).min(self.phases - 1);
            let share = (phase - row as f64) as f32;
            let rows = &self.table[row * self.taps..(row + 2) * self.taps];
            let (a, b) = rows.split_at(self.taps);
            dot_between(a, b, &padded[first..first + self.taps], share, out);
        }
    }

    /// A signal with the zeros around it that [`Interpolator::process`] wants.
    pub(super) fn padded_length(&self, samples: usize) -> Result<usize, FeatureError> {
        let (before, after) = self.margins();
        samples.checked_add(before + after).ok_or(FeatureError::Memory { rows: samples, columns: 1 })
    }

    /// Zeros of [`Interpolator::padded_length`].
    pub(super) fn padded(&self, samples: usize) -> Result<Vec<f32>, FeatureError> {
        Ok(check::matrix::<f32>(self.padded_length(samples)?, 1)?.into_raw_vec_and_offset().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resample(x: &[f32], ratio: f64) -> Vec<f32> {
        let plan = Interpolator::new(ratio);
        let mut padded = plan.padded(x.len()).unwrap();
        let before = plan.margins().0;
        padded[before..before + x.len()].copy_from_slice(x);
        let mut out = vec![f32::NAN; plan.output_length(x.len())];
        plan.process(&padded, &mut out);
        out
    }

    #[test]
    fn a_sine_in_the_pass_band_stays_a_sine() {
        for ratio in [0.3, 0.793_700_5, 1.0, 1.122_462, 2.0, 7.3] {
            let band = 0.9_f64 * f64::min(ratio, 1.0);
            for share in [0.01, 0.5, 0.99] {
                let omega = PI * band * share;
                let x: Vec<f32> = (0..6000).map(|n| (omega * n as f64).sin() as f32).collect();
                let y = resample(&x, ratio);
                assert_eq!(y.len(), (6000.0 * ratio).ceil() as usize);
                let middle = y.len() / 3..2 * y.len() / 3;
                let worst = middle
                    .map(|m| (f64::from(y[m]) - (omega * m as f64 / ratio).sin()).abs())
                    .fold(0.0, f64::max);
                // A few units of f32's last place, summed over the taps.
                assert!(worst < 2e-6, "{ratio} {share} {worst}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_the_band_is_gone() {
        for ratio in [0.3, 0.7] {
            let omega = PI * (ratio + 0.02);
            let x: Vec<f32> = (0..6000).map(|n| (omega * n as f64).sin() as f32).collect();
            let y = resample(&x, ratio);
            let worst = y[y.len() / 3..2 * y.len() / 3].iter().fold(0.0_f32, |a, b| a.max(b.abs()));
            assert!(worst < 2e-6, "{ratio} {worst}");
        }
    }
}
