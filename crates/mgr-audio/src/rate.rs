//! Resampling of a part of a signal, or of a signal that comes in blocks, so that every sample is that of the whole.
//!
//! A resampler computes its outputs in steps that repeat themselves after a period of inputs. A piece of the input that begins at
//! a multiple of the period therefore gives the same outputs, bit for bit, as the whole does, as soon and as long as it reaches
//! far enough to both sides of them.

use crate::Resampler;
use crate::resample::ResampleStream;

/// Reach of the widest filter to each side, in samples of the lower rate, generously.
const REACH: u64 = 160;

/// Which inputs a part of a resampler's output needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Locality {
    /// The rates.
    input: u64,
    output: u64,
    /// Inputs after which the computation repeats itself.
    period: u64,
    /// Inputs to each side of an output that have to do with its value.
    reach: u64,
}

impl Locality {
    pub(crate) fn new(resampler: &Resampler, input_rate: u32, output_rate: u32) -> Self {
        let (input, output) = (u64::from(input_rate), u64::from(output_rate).max(1));
        let (period, delay) = resampler.locality();
        // Blocks that are transformed at once are less than twice the delay long.
        let reach = 1 + 2 * delay + REACH * input.div_ceil(output);
        Self { input, output, period: period.max(1), reach }
    }

    /// The input from which outputs from `output` on can be had; its own output is a whole one.
    pub(crate) fn first_input(self, output: u64) -> u64 {
        let middle = times(output, self.input, self.output);
        middle.saturating_sub(self.reach) / self.period * self.period
    }

    /// The input up to which outputs before `output` can be had.
    pub(crate) fn last_input(self, output: u64) -> u64 {
        times(output, self.input, self.output).saturating_add(1 + self.reach)
    }

    /// A stream whose first input is `base`, given by [`first_input`](Self::first_input), and whose first output is `first`.
    pub(crate) fn stream(self, resampler: &Resampler, base: u64, first: u64) -> RateStream {
        let dropped = first.saturating_sub(times(base, self.output, self.input));
        RateStream { stream: resampler.stream(), dropped }
    }
}

/// A resampler that is given its input in blocks.
#[derive(Debug)]
pub(crate) struct RateStream {
    stream: ResampleStream,
    /// Outputs still to be left out at the start.
    dropped: u64,
}

impl RateStream {
    /// Takes inputs, and appends the outputs that are ready; at the end all that are left.
    pub(crate) fn push(&mut self, block: &[f32], is_end: bool, out: &mut Vec<f32>) {
        let Self { stream, dropped } = self;
        let mut take = |values: &[f32]| {
            let start = usize::try_from(*dropped).unwrap_or(usize::MAX).min(values.len());
            *dropped -= start as u64;
            out.extend_from_slice(values.get(start..).unwrap_or_default());
        };
        stream.push_with(block, &mut take);
        if is_end {
            stream.finish_with(&mut take);
        }
    }
}

/// `value * by / over`, rounded down.
fn times(value: u64, by: u64, over: u64) -> u64 {
    u64::try_from(u128::from(value) * u128::from(by) / u128::from(over.max(1))).unwrap_or(u64::MAX)
}
