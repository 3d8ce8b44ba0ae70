//! Decimation by two, as the octave recursion needs it.
//!
//! The reference resamples with soxr's `HQ` recipe: a linear-phase low pass of 120 dB that passes 0.913 of the new Nyquist
//! frequency and stops at 1. What it passes near the new Nyquist frequency is seen by no filter of the next octave, except at
//! the two ends of the signal: there the resampled signal begins abruptly, and what begins abruptly leaks into every band. So
//! the ends are filtered as the reference does it, and the rest by a half-band filter of a ninth of the products. A smooth
//! cross-fade leads from one to the other.
//!
//! Pruned kernels see a little of everything, so the half-band filter passes nearly as much as the reference. One that passes
//! only the half that the next octave is about would take a fifth of the time, and be off by 1e-3 of the peak.

use std::f64::consts::PI;
use std::ops::Range;

use crate::frame::Span;
use crate::simd::cqt as simd;
use crate::window::Window;

/// Stop-band attenuation of the half-band filters in dB.
pub(super) const ATTENUATION: f64 = 130.0;

/// The reference's low pass, a windowed sinc, as its impulse response tells to 1e-7: cutoff in units of the lower Nyquist
/// frequency, Kaiser's beta, and samples of the lower rate to each side.
const REFERENCE_CUTOFF: f64 = 0.956_872;
const REFERENCE_BETA: f64 = 13.04;
const REFERENCE_SIDE: usize = 97;

/// The taps of the reference's low pass between two rates, one `factor` times the other, at whole distances from the middle
/// one on; all of them, to both sides, sum to one.
pub(super) fn reference(factor: usize) -> Vec<f64> {
    let side = REFERENCE_SIDE * factor;
    let window = Window::Kaiser { beta: REFERENCE_BETA };
    let tap = |t: usize| {
        let t = t as f64;
        sinc(REFERENCE_CUTOFF / factor as f64 * t) * window.at(0.5 + 0.5 * t / (side as f64 + 0.5))
    };
    let taps: Vec<f64> = (0..=side).map(tap).collect();
    let sum = 2.0 * taps.iter().sum::<f64>() - 1.0;
    taps.iter().map(|t| t / sum).collect()
}

/// Outputs at each end that are filtered as the reference does it, and outputs of the cross-fade after them.
///
/// White noise, the worst case, comes no nearer to the reference with four times as many.
const END: usize = 32;
const FADE: usize = 32;

/// Upper ends of the pass bands of the half-band filters, in units of the new Nyquist frequency.
const INNER_PASS: f64 = 0.5;
const OUTER_PASS: f64 = 0.9;

/// Most outputs that are computed at once.
pub(super) const CHUNK: usize = 2048;

/// A linear-phase filter whose taps at even distances are zero.
#[derive(Debug)]
struct HalfBand {
    /// Taps at distances 1, 3, 5...
    taps: Vec<f32>,
}

/// Length of one side and shape of a Kaiser window (Kaiser 1974) for an attenuation in dB and a transition in radians.
pub(super) fn kaiser(attenuation: f64, transition: f64) -> (f64, Window) {
    let side = (attenuation - 7.95) / (2.285 * transition) / 2.0;
    (side, Window::Kaiser { beta: 0.1102 * (attenuation - 8.7) })
}

pub(super) fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

impl HalfBand {
    fn new(pass: f64) -> Self {
        let (side, window) = kaiser(ATTENUATION, PI * (1.0 - pass));
        let count = (side / 2.0).ceil() as usize;
        let reach = 2.0 * count as f64;
        let taps: Vec<f64> = (0..count)
            .map(|j| {
                let t = (2 * j + 1) as f64;
                0.5 * sinc(t / 2.0) * window.at(0.5 + 0.5 * t / reach)
            })
            .collect();
        // The taps of each side sum to a quarter: unity at zero, a zero at the old Nyquist frequency.
        let sum: f64 = taps.iter().sum();
        Self { taps: taps.iter().map(|t| (t * 0.25 / sum) as f32).collect() }
    }
}

/// How one halving of the rate is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The first stages of an early decimation by 4 and more: the ends are left to the last one.
    Inner,
    /// A half-band filter, the ends as the reference.
    Outer,
    /// As the reference throughout: where the next octave looks up to the Nyquist frequency, or its kernels are so abrupt that
    /// they see everything.
    Reference,
}

/// Buffers of one computation.
#[derive(Debug, Clone)]
pub(super) struct Phases {
    even: Vec<f32>,
    odd: Vec<f32>,
}

/// The filters of every stage.
#[derive(Debug)]
pub(super) struct Filters {
    inner: HalfBand,
    outer: HalfBand,
    /// The reference's low pass, all taps; the middle one is at `reference.len() / 2`.
    reference: Vec<f32>,
    /// Its taps at distances 1, 3, 5... and 2, 4, 6...
    reference_odd: Vec<f32>,
    reference_even: Vec<f32>,
}

impl Filters {
    pub(super) fn new() -> Self {
        let half: Vec<f32> = reference(2).iter().map(|t| *t as f32).collect();
        let reference: Vec<f32> = half.iter().skip(1).rev().chain(&half).copied().collect();
        let reference_odd: Vec<f32> = half.iter().skip(1).step_by(2).copied().collect();
        let mut reference_even: Vec<f32> = half.iter().skip(2).step_by(2).copied().collect();
        reference_even.resize(reference_odd.len(), 0.0);
        Self {
            inner: HalfBand::new(INNER_PASS),
            outer: HalfBand::new(OUTER_PASS),
            reference,
            reference_odd,
            reference_even,
        }
    }

    /// The stage for octaves that look up to `needed` of the new Nyquist frequency, with kernels that see nothing beyond.
    pub(super) fn stage(needed: f64, blind: bool) -> Stage {
        if blind && needed <= OUTER_PASS { Stage::Outer } else { Stage::Reference }
    }

    /// The middle tap of a stage, and its taps at odd and at even distances.
    fn taps(&self, stage: Stage) -> (f32, &[f32], &[f32]) {
        match stage {
            Stage::Inner => (0.5, &self.inner.taps, &[]),
            Stage::Outer => (0.5, &self.outer.taps, &[]),
            Stage::Reference => {
                let middle = self.reference[self.reference.len() / 2];
                (middle, &self.reference_odd, &self.reference_even)
            }
        }
    }

    /// Inputs to each side of an output that a stage looks at.
    pub(super) fn reach(&self, stage: Stage) -> usize {
        let short = 2 * self.taps(stage).1.len();
        if stage == Stage::Inner { short } else { short.max(self.reference.len() / 2) }
    }

    pub(super) fn phases(&self) -> Phases {
        let longest = self.reference_odd.len().max(self.outer.taps.len());
        Phases { even: vec![0.0; CHUNK + 2 * longest], odd: vec![0.0; CHUNK + 2 * longest] }
    }

    /// Outputs that a stage can compute from the first `seen` inputs, whatever comes after them.
    pub(super) fn ready(&self, stage: Stage, seen: usize) -> usize {
        let reach = self.reach(stage);
        if seen > reach { (seen - 1 - reach) / 2 + 1 } else { 0 }
    }

    /// Appends the outputs of `range`, at most [`CHUNK`], to `out`. Output `n` stands at input `2n`.
    ///
    /// The span must hold every input that they look at; beyond `span.total` and before 0 the signal is zero. `outputs` is
    /// the count of all outputs, once it is known.
    pub(super) fn produce(
        &self,
        stage: Stage,
        span: Span<'_>,
        range: Range<usize>,
        outputs: Option<usize>,
        phases: &mut Phases,
        out: &mut Vec<f32>,
    ) {
        let first = out.len();
        out.resize(first + range.len(), 0.0);
        let Some(out) = out.get_mut(first..) else { return };
        let (middle, odd_taps, even_taps) = self.taps(stage);
        let reach = odd_taps.len();
        let length = range.len() + 2 * reach;
        let (even, odd) = (&mut phases.even[..length], &mut phases.odd[..length]);
        split(span, range.start as isize - reach as isize, even, odd);
        simd::half_band(&even[reach..], odd, middle, odd_taps, out);
        if stage == Stage::Reference {
            simd::add_pairs(even, even_taps, out);
        }
        if stage != Stage::Outer {
            return;
        }
        // Only the ends need a look: before `END + FADE`, and as many before the last.
        let near = END + FADE;
        let far = outputs.map_or(usize::MAX, |all| all.saturating_sub(near)).max(near);
        for n in (range.start..range.end.min(near)).chain(range.start.max(far)..range.end) {
            let from_end = outputs.map_or(n, |all| n.min((all - 1).saturating_sub(n)));
            let fade = from_end.saturating_sub(END) as f64 / FADE as f64;
            let weight = 0.5 + 0.5 * (PI * fade).cos() as f32;
            let value = &mut out[n - range.start];
            *value = weight * self.reference_at(span, n) + (1.0 - weight) * *value;
        }
    }

    /// Output `n` of the reference's low pass.
    fn reference_at(&self, span: Span<'_>, n: usize) -> f32 {
        let side = self.reference.len() / 2;
        let (start, end) = ((2 * n).saturating_sub(side), (2 * n + side + 1).min(span.total));
        if start >= end {
            return 0.0;
        }
        let skipped = start + side - 2 * n;
        let taps = &self.reference[skipped..skipped + end - start];
        let mut sum = 0.0;
        simd::dot(taps, &span.samples[start - span.base..end - span.base], &mut sum);
        sum
    }
}

/// The samples `2q` and `2q + 1` for `q` from `first` on, zero outside the signal.
fn split(span: Span<'_>, first: isize, even: &mut [f32], odd: &mut [f32]) {
    let start = 2 * first;
    let end = start + 2 * even.len() as isize;
    if start >= span.base as isize && end <= (span.base + span.samples.len()).min(span.total) as isize {
        let at = start as usize - span.base;
        simd::split(&span.samples[at..at + 2 * even.len()], even, odd);
        return;
    }
    let sample = |i: isize| -> f32 {
        let Ok(i) = usize::try_from(i) else { return 0.0 };
        let held = i.checked_sub(span.base).filter(|_| i < span.total);
        held.and_then(|i| span.samples.get(i)).copied().unwrap_or(0.0)
    };
    for (q, (e, o)) in even.iter_mut().zip(odd).enumerate() {
        let i = start + 2 * q as isize;
        (*e, *o) = (sample(i), sample(i + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gain of a symmetric filter, given as (distance, tap), at a frequency in units of the new Nyquist frequency.
    fn gain(taps: &[(f64, f64)], frequency: f64) -> f64 {
        taps.iter().map(|(t, h)| h * (PI / 2.0 * frequency * t).cos()).sum()
    }

    #[test]
    fn filters_pass_and_stop_as_designed() {
        let filters = Filters::new();
        for (pass, half_band) in [(INNER_PASS, &filters.inner), (OUTER_PASS, &filters.outer)] {
            let mut taps = vec![(0.0, 0.5)];
            for (j, tap) in half_band.taps.iter().enumerate() {
                taps.push(((2 * j + 1) as f64, 2.0 * f64::from(*tap)));
            }
            for step in 0..=100 {
                let x = f64::from(step) / 100.0;
                // f32 taps: rounding of 60 of them is what is left.
                assert!((gain(&taps, x * pass) - 1.0).abs() < 1.5e-6, "{pass} {x}");
                assert!(gain(&taps, 2.0 - x * pass).abs() < 1.5e-6, "{pass} {x}");
            }
        }
        let side = (filters.reference.len() / 2) as f64;
        let taps: Vec<_> =
            filters.reference.iter().enumerate().map(|(i, h)| (i as f64 - side, f64::from(*h))).collect();
        for step in 0..=100 {
            let x = f64::from(step) / 100.0;
            assert!((gain(&taps, 0.913 * x) - 1.0).abs() < 3e-6, "{x}");
            assert!(gain(&taps, 1.0 + x).abs() < 3e-6, "{x}");
        }
    }

    #[test]
    fn any_chunks_give_the_same_bits() {
        let filters = Filters::new();
        let x: Vec<f32> = (0..1501).map(|i| ((i * i) as f32 * 0.37).sin()).collect();
        let span = Span::whole(&x);
        for stage in [Stage::Inner, Stage::Outer, Stage::Reference] {
            let mut phases = filters.phases();
            let run = |step: usize, phases: &mut Phases| {
                let mut out = Vec::new();
                while out.len() < 751 {
                    let range = out.len()..(out.len() + step).min(751);
                    filters.produce(stage, span, range, Some(751), phases, &mut out);
                }
                out
            };
            let whole = run(751, &mut phases);
            for step in [1, 37, 500] {
                assert_eq!(run(step, &mut phases), whole, "{stage:?} {step}");
            }
            if stage != Stage::Inner {
                // The ends are the reference's, whatever the stage.
                for n in [0, 20, 740, 750] {
                    assert!((whole[n] - filters.reference_at(span, n)).abs() < 1e-6, "{stage:?} {n}");
                }
            }
        }
    }
}
