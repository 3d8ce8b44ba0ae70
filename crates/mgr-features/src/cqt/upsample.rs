//! Interpolation by powers of two, as the inverse of the octave recursion needs it.
//!
//! The reference resamples each octave in one call of soxr's `HQ` recipe. Up to a factor of 4 that is one linear-phase low
//! pass, of the band that [`super::half_band`] decimates with. Greater factors take two stages: the low pass by 2 (for a
//! factor of 8) or 4, and a short one by the rest, which only has to stop the images. Between the two, what rings before the
//! first sample is lost, and what rings after the last is not.

use super::half_band::{ATTENUATION, kaiser, reference, sinc};
use crate::simd::cqt as simd;
use crate::{FeatureError, check};

/// Inputs that a phase is computed for at once.
const CHUNK: usize = 256;

/// By how much the images' low pass stops before the first of them; found by comparison with soxr.
const EARLIER: f64 = 0.04;

/// One low pass, by phases.
#[derive(Debug)]
struct Stage {
    factor: usize,
    /// Inputs to each side that an output looks at.
    reach: usize,
    /// `factor` rows of `2 reach + 1`.
    taps: Vec<f32>,
}

impl Stage {
    /// The reference's low pass.
    fn sharp(factor: usize) -> Self {
        Self::of_taps(factor, &reference(factor))
    }

    /// Passes the share `band` of the input's band, and stops its images.
    fn wide(factor: usize, band: f64) -> Self {
        let (pass, stop, rate) = (band, 2.0 - band - EARLIER, factor as f64);
        let (side, window) = kaiser(ATTENUATION, std::f64::consts::PI * (stop - pass) / rate);
        let side = side.ceil();
        let cutoff = (pass + stop) / 2.0 / rate;
        let tap = |t: usize| sinc(cutoff * t as f64) * window.at(0.5 + 0.5 * t as f64 / side);
        let taps: Vec<f64> = (0..=side as usize).map(tap).collect();
        let sum = 2.0 * taps.iter().sum::<f64>() - 1.0;
        Self::of_taps(factor, &taps.iter().map(|t| t / sum).collect::<Vec<f64>>())
    }

    /// From the taps at whole distances from the middle one on.
    fn of_taps(factor: usize, half: &[f64]) -> Self {
        let reach = half.len().saturating_sub(1) / factor + 1;
        let mut taps = Vec::with_capacity(factor * (2 * reach + 1));
        for phase in 0..factor {
            let tap =
                |j: usize| half.get((phase + reach * factor).abs_diff(j * factor)).copied().unwrap_or(0.0);
            taps.extend((0..=2 * reach).map(|j| (tap(j) * factor as f64) as f32));
        }
        Self { factor, reach, taps }
    }

    /// Adds to `out` what the input gives from its first sample on, which stands at `padded[MARGIN]`; there must be an input
    /// for every `factor` outputs, and `reach` more after them.
    fn add(&self, padded: &[f32], out: &mut [f32], phase: &mut [f32; CHUNK]) {
        let width = 2 * self.reach + 1;
        for (i, out) in out.chunks_mut(CHUNK * self.factor).enumerate() {
            let from = MARGIN - self.reach + i * CHUNK;
            for (p, taps) in self.taps.chunks_exact(width).enumerate() {
                let count = out.len().saturating_sub(p).div_ceil(self.factor);
                let values = &mut phase[..count];
                simd::convolve(&padded[from..from + count + width - 1], taps, values);
                out.iter_mut().skip(p).step_by(self.factor).zip(values).for_each(|(o, v)| *o += *v);
            }
        }
    }
}

/// Zeros before the first sample of an input, and samples after the last that an output of it stands at: no stage reaches
/// further.
pub(super) const MARGIN: usize = 128;

/// Interpolation by `2^halvings`.
#[derive(Debug)]
pub(super) struct Upsampler {
    first: Option<Stage>,
    second: Option<Stage>,
}

/// Buffers of one computation.
#[derive(Debug, Clone)]
pub(super) struct Buffers {
    between: Vec<f32>,
    phase: [f32; CHUNK],
}

impl Buffers {
    /// For up to `samples` outputs.
    pub(super) fn new(samples: usize) -> Result<Self, FeatureError> {
        Ok(Self { between: check::vector(samples / 4 + 1 + 2 * MARGIN, 1)?, phase: [0.0; CHUNK] })
    }
}

impl Upsampler {
    pub(super) fn new(halvings: u32) -> Self {
        let sharp = |halvings: u32| Some(Stage::sharp(1 << halvings));
        let early = match halvings {
            0 => return Self { first: None, second: None },
            1 | 2 => return Self { first: None, second: sharp(halvings) },
            3 => 1,
            _ => 2,
        };
        let band = 1.0 / f64::from(early).exp2();
        let second = Stage::wide(1 << (halvings - early), band);
        Self { first: sharp(early), second: Some(second) }
    }

    /// Inputs that `outputs` outputs look at: their own, and some after them.
    pub(super) fn inputs(&self, outputs: usize) -> usize {
        let of =
            |stage: &Option<Stage>, n: usize| stage.as_ref().map_or(n, |s| n.div_ceil(s.factor) + MARGIN);
        of(&self.first, of(&self.second, outputs))
    }

    /// Adds the interpolated signal to `out`. Its first sample stands at `padded[MARGIN]`; there are as many as
    /// [`Upsampler::inputs`] says.
    pub(super) fn add(&self, padded: &[f32], out: &mut [f32], buffers: &mut Buffers) {
        let Buffers { between, phase } = buffers;
        match (&self.first, &self.second) {
            (Some(first), Some(second)) => {
                let count = out.len().div_ceil(second.factor) + MARGIN;
                let between = &mut between[..MARGIN + count];
                between.fill(0.0);
                first.add(padded, &mut between[MARGIN..], phase);
                second.add(between, out, phase);
            }
            (None, Some(only)) => only.add(padded, out, phase),
            _ => out.iter_mut().zip(&padded[MARGIN..]).for_each(|(o, v)| *o += *v),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upsampled(x: &[f32], halvings: u32, outputs: usize) -> Vec<f32> {
        let upsampler = Upsampler::new(halvings);
        let mut padded = vec![0.0; MARGIN + upsampler.inputs(outputs).max(x.len())];
        padded[MARGIN..MARGIN + x.len()].copy_from_slice(x);
        let mut out = vec![0.0; outputs];
        upsampler.add(&padded, &mut out, &mut Buffers::new(outputs).unwrap());
        out
    }

    #[test]
    fn no_stage_reaches_over_the_margin() {
        for halvings in 0..12 {
            let upsampler = Upsampler::new(halvings);
            for stage in upsampler.first.iter().chain(&upsampler.second) {
                assert!(stage.reach < MARGIN, "{halvings}");
            }
        }
    }

    #[test]
    fn a_sine_stays_a_sine_away_from_the_ends() {
        let samples = 600;
        for halvings in 0..6 {
            for omega in [0.01, 1.0, 2.8] {
                let x: Vec<f32> = (0..samples).map(|n| (omega * n as f64).sin() as f32).collect();
                let y = upsampled(&x, halvings, samples << halvings);
                let step = omega / f64::from(halvings).exp2();
                for (m, y) in y.iter().enumerate().skip(200 << halvings).take(200 << halvings) {
                    // 126 dB, and the rounding of f32 sums.
                    assert!((f64::from(*y) - (step * m as f64).sin()).abs() < 3e-6, "{halvings} {omega} {m}");
                }
            }
        }
    }

    #[test]
    fn any_length_gives_the_beginning() {
        let x: Vec<f32> = (0..300).map(|i| ((i * i) as f32 * 0.37).sin()).collect();
        for halvings in 0..6 {
            let whole = upsampled(&x, halvings, 300 << halvings);
            for outputs in [0, 1, 5, 777, 300 << halvings] {
                let outputs = outputs.min(300 << halvings);
                assert_eq!(upsampled(&x, halvings, outputs), whole[..outputs], "{halvings} {outputs}");
            }
        }
    }
}
