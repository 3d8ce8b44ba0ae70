//! The block form: overlapping blocks of the input are filtered and changed in rate at once in their spectra.
//!
//! A block of `N = k down` samples is transformed, its spectrum multiplied with the kernel's, the bins below both Nyquist
//! frequencies transformed back at length `M = k up`. That is the circular form of the convolution: outputs nearer to the ends
//! of the block than the kernel reaches are dropped, the rest are those of the direct form. The blocks stand on a grid that is
//! counted from the first sample, so that it does not matter in what pieces the samples come.
//!
//! Two blocks share one complex transform, as real and imaginary part: the kernel is even, its spectrum real, so they never mix.

use std::fmt;
use std::sync::Arc;

use rustfft::num_complex::{Complex32, Complex64};
use rustfft::{Fft, FftPlanner};

use super::design::{Ratio, Shape, Sinc};
use super::rolloff::RollOff;
use crate::simd::{pair, scale, unpair};

/// Longest transform; it bounds memory and delay.
const MAX_TRANSFORM: u64 = 1 << 16;
/// Least part of a block that is kept.
const MIN_YIELD: f64 = 0.5;

/// A conversion by overlapping blocks.
pub(super) struct Overlap {
    /// Lengths of the transforms at the input's and the output's rate.
    n: usize,
    m: usize,
    /// Samples that a block moves on by, and the outputs it gives.
    hop_in: usize,
    hop_out: usize,
    /// Outputs dropped at the start of a block.
    skip: usize,
    /// Zeros before the first sample.
    prefill: usize,
    /// Outputs given before time 0.
    pub(super) early: usize,
    /// Spectrum of the kernel over `n`: bins 0, 1, ..., and the same from the last down to bin 1.
    rising: Vec<f32>,
    falling: Vec<f32>,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
}

/// What an [`Overlap`] keeps between calls.
#[derive(Debug)]
pub(super) struct OverlapState {
    window: Vec<f32>,
    filled: usize,
    a: Vec<Complex32>,
    b: Vec<Complex32>,
    scratch: Vec<Complex32>,
    out: Vec<f32>,
}

impl fmt::Debug for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n, m, hop_in, hop_out, .. } = self;
        write!(f, "Overlap {{ n: {n}, m: {m}, hop_in: {hop_in}, hop_out: {hop_out}, .. }}")
    }
}

/// Sizes of the blocks in units of `down` inputs and `up` outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    block: u64,
    overlap: u64,
}

impl Layout {
    /// The cheapest blocks per output for a kernel of `half` inputs to each side, if there are any of moderate length.
    fn choose(ratio: Ratio, half: u64) -> Option<Self> {
        let Ratio { up, down } = ratio;
        let overlap = half.div_ceil(down);
        let largest = MAX_TRANSFORM / up.max(down);
        let candidates = (2 * overlap + 1..=largest).filter_map(|block| {
            let kept = (block - 2 * overlap) as f64;
            let cost = transform_cost(block * down)? + transform_cost(block * up)?;
            (kept >= MIN_YIELD * block as f64).then_some((cost / kept, block))
        });
        candidates.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, block)| Self { block, overlap })
    }
}

/// Time of a complex transform with its share of copying, relative; `None` for prime factors that have no butterfly.
fn transform_cost(n: u64) -> Option<f64> {
    let (mut rest, mut steps) = (n, 6.0);
    for (prime, weight) in [(2, 1.0), (3, 1.9), (5, 3.2), (7, 4.4), (11, 7.0)] {
        while rest.is_multiple_of(prime) {
            rest /= prime;
            steps += weight;
        }
    }
    (rest == 1).then_some(n as f64 * steps)
}

impl Overlap {
    /// Blocks for `ratio` with the kernel of `shape`, whose lower rate is `scale` times the input's. The first outputs lie
    /// `early` or more before time 0. `None` where no moderate block length fits.
    pub(super) fn new(
        ratio: Ratio,
        shape: Shape,
        scale: f64,
        early: u64,
        roll_off: Option<RollOff>,
    ) -> Option<Self> {
        let Ratio { up, down } = ratio;
        let sinc = Sinc::new(shape, scale);
        let Layout { block, overlap } = Layout::choose(ratio, sinc.width.ceil() as u64)?;
        let early = early.div_ceil(up);
        let kept = block - 2 * overlap;
        let (n, m) = ((block * down) as usize, (block * up) as usize);
        let (rising, falling) = response(&sinc, n, m, roll_off);
        let mut planner = FftPlanner::new();
        Some(Self {
            n,
            m,
            hop_in: (kept * down) as usize,
            hop_out: (kept * up) as usize,
            skip: (overlap * up) as usize,
            prefill: ((overlap + early) * down) as usize,
            early: (early * up) as usize,
            rising,
            falling,
            forward: planner.plan_fft_forward(n),
            inverse: planner.plan_fft_inverse(m),
        })
    }

    pub(super) fn state(&self) -> OverlapState {
        let longest = self.n.max(self.m);
        let scratch =
            self.forward.get_outofplace_scratch_len().max(self.inverse.get_outofplace_scratch_len());
        OverlapState {
            window: vec![0.0; self.n + self.hop_in],
            filled: self.prefill,
            a: vec![Complex32::default(); longest],
            b: vec![Complex32::default(); longest],
            scratch: vec![Complex32::default(); scratch],
            out: vec![0.0; 2 * self.hop_out],
        }
    }

    pub(super) fn reset(&self, state: &mut OverlapState) {
        state.filled = self.prefill;
        state.window[..self.prefill].fill(0.0);
    }

    pub(super) fn push(&self, state: &mut OverlapState, mut samples: &[f32], sink: &mut dyn FnMut(&[f32])) {
        while !samples.is_empty() {
            let taken = (state.window.len() - state.filled).min(samples.len());
            let (now, later) = samples.split_at(taken);
            state.window[state.filled..state.filled + taken].copy_from_slice(now);
            state.filled += taken;
            samples = later;
            if state.filled == state.window.len() {
                self.transform(state);
                sink(&state.out);
                state.window.copy_within(2 * self.hop_in.., 0);
                state.filled = state.window.len() - 2 * self.hop_in;
            }
        }
    }

    /// Inputs and outputs of a transform: two blocks.
    pub(super) fn period(&self) -> (u64, u64) {
        (2 * self.hop_in as u64, 2 * self.hop_out as u64)
    }

    /// Samples needed for the first outputs, and their number.
    pub(super) fn delay(&self) -> (usize, usize) {
        (self.n + self.hop_in - self.prefill, 2 * self.hop_out)
    }

    /// Two blocks at once, from the window to `out`.
    fn transform(&self, state: &mut OverlapState) {
        let OverlapState { window, a, b, scratch, out, .. } = state;
        let Self { n, m, hop_in, hop_out, skip, .. } = *self;
        pair(&window[..n], &window[hop_in..], &mut a[..n]);
        self.forward.process_outofplace_with_scratch(&mut a[..n], &mut b[..n], scratch);
        let (low, high) = (self.rising.len(), self.falling.len());
        scale(&b[..low], &self.rising, &mut a[..low]);
        a[low..m - high].fill(Complex32::default());
        scale(&b[n - high..n], &self.falling, &mut a[m - high..m]);
        self.inverse.process_outofplace_with_scratch(&mut a[..m], &mut b[..m], scratch);
        let (first, second) = out.split_at_mut(hop_out);
        unpair(&b[skip..skip + hop_out], first, second);
    }
}

/// The kernel's spectrum on the bins below both Nyquist frequencies, over `n`; then from the last bin down to bin 1.
fn response(sinc: &Sinc, n: usize, m: usize, roll_off: Option<RollOff>) -> (Vec<f32>, Vec<f32>) {
    // At the higher of both rates, where the kernel's own images lie in its stop band.
    let longest = n.max(m);
    let step = n as f64 / longest as f64;
    let mut kernel: Vec<Complex64> = (0..longest)
        .map(|index| Complex64::new(sinc.at(index.min(longest - index) as f64 * step), 0.0))
        .collect();
    FftPlanner::new().plan_fft_forward(longest).process(&mut kernel);
    let unit = kernel[0].re * n as f64;
    let shorter = n.min(m);
    let gain = |bin: usize| roll_off.map_or(1.0, |roll_off| roll_off.gain(2.0 * bin as f64 / shorter as f64));
    let bins = kernel[..shorter.div_ceil(2)].iter().enumerate();
    let rising: Vec<f32> = bins.map(|(bin, value)| (value.re / unit * gain(bin)) as f32).collect();
    let falling = rising[1..].iter().rev().copied().collect();
    (rising, falling)
}
