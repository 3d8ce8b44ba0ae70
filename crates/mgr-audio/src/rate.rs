//! Resampling of a part of a signal, or of a signal that comes in blocks, so that every sample is that of the whole.
//!
//! Output `m` of a resampler is a weighted sum of the inputs around `m down / up`, and its weights repeat every `up` outputs.
//! A piece of the input that begins at a multiple of `down` therefore gives the same outputs, bit for bit, as the whole does,
//! as long as it reaches far enough to both sides of them.

use crate::{AudioError, ResampleConfig, Resampler};

/// Reach of the widest filter to each side, in samples of the lower rate, generously.
const REACH: u64 = 160;
/// Inputs that are gathered before they are resampled: the reach on both sides is done twice.
const GATHERED: usize = 1 << 15;

/// The ratio of a resampler.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio {
    up: u64,
    down: u64,
}

impl Ratio {
    pub(crate) fn new(config: ResampleConfig) -> Self {
        let (input, output) = (u64::from(config.input_rate), u64::from(config.output_rate));
        let divisor = gcd(input, output).max(1);
        Self { up: output / divisor, down: input / divisor }
    }

    /// Inputs to each side of an output that have a weight.
    fn reach(self) -> u64 {
        1 + REACH * self.down.div_ceil(self.up)
    }

    /// The input from which outputs from `output` on can be had.
    pub(crate) fn first_input(self, output: u64) -> u64 {
        let middle = times(output, self.down, self.up);
        middle.saturating_sub(self.reach()) / self.down * self.down
    }

    /// The input up to which outputs before `output` can be had.
    pub(crate) fn last_input(self, output: u64) -> u64 {
        times(output, self.down, self.up).saturating_add(1 + self.reach())
    }

    /// The output at an input that is a multiple of `down`.
    fn output_at(self, input: u64) -> u64 {
        times(input, self.up, self.down)
    }
}

/// A resampler that is given its input in blocks.
#[derive(Debug)]
pub(crate) struct RateStream {
    resampler: Resampler,
    ratio: Ratio,
    /// The inputs from `base`, a multiple of `down`, on.
    inputs: Vec<f32>,
    base: u64,
    /// The next output to be given.
    next: u64,
    /// Inputs at which resampling is worth its while.
    enough: usize,
}

impl RateStream {
    /// A stream whose first input is `base`, given by [`Ratio::first_input`], and whose first output is `first`.
    pub(crate) fn new(resampler: Resampler, base: u64, first: u64) -> Self {
        let ratio = Ratio::new(resampler.config().unwrap_or_default());
        Self { resampler, ratio, inputs: Vec::new(), base, next: first, enough: GATHERED }
    }

    /// Takes inputs, and appends the outputs that are ready; at the end all that are left.
    pub(crate) fn push(&mut self, block: &[f32], is_end: bool, out: &mut Vec<f32>) -> Result<(), AudioError> {
        self.inputs.extend_from_slice(block);
        if !is_end && self.inputs.len() < self.enough {
            return Ok(());
        }
        let outputs = self.resampler.process(&self.inputs)?;
        let origin = self.ratio.output_at(self.base);
        let end = self.base + self.inputs.len() as u64;
        let ready = if is_end {
            origin + outputs.len() as u64
        } else {
            times(end.saturating_sub(self.ratio.reach() + 1), self.ratio.up, self.ratio.down)
        };
        let at = |output: u64| usize::try_from(output.saturating_sub(origin)).unwrap_or(usize::MAX);
        if ready > self.next {
            out.extend_from_slice(outputs.get(at(self.next)..at(ready)).unwrap_or_default());
            self.next = ready;
        }
        let base = self.ratio.first_input(self.next).max(self.base);
        self.inputs.drain(..usize::try_from(base - self.base).unwrap_or(usize::MAX).min(self.inputs.len()));
        self.base = base;
        self.enough = self.inputs.len() + GATHERED;
        Ok(())
    }
}

/// `value * by / over`, rounded down.
fn times(value: u64, by: u64, over: u64) -> u64 {
    u64::try_from(u128::from(value) * u128::from(by) / u128::from(over)).unwrap_or(u64::MAX)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
