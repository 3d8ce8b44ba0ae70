//! The stages of a conversion, and a signal that comes in pieces.

use std::sync::Arc;

use super::ResampleKernel;
use super::design::{Ratio, Shape, gcd};
use super::direct::{Direct, DirectState};
use super::overlap::{Overlap, OverlapState};
use super::rolloff::RollOff;

/// Largest reach of a kernel in input samples that is worth a transform before an interpolation.
const MAX_TRANSFORMED_REACH: f64 = 4096.0;
/// What follows a signal's end.
const ZEROS: [f32; 1024] = [0.0; 1024];

/// How a conversion is computed.
#[derive(Debug)]
pub(super) enum Path {
    /// Equal rates.
    Copy,
    /// Short kernels, and steps down too great for a transform.
    Direct(Direct),
    /// The whole conversion in spectra.
    Overlap(Overlap),
    /// A conversion in spectra by a power of two to at least twice the lower rate, then a short interpolation.
    Oversampled(Overlap, Direct),
}

/// What a [`Path`] keeps between calls.
#[derive(Debug)]
pub(super) enum State {
    Copy,
    Direct(DirectState),
    Overlap(OverlapState),
    Oversampled(OverlapState, DirectState),
}

impl Path {
    pub(super) fn new(ratio: Ratio, kernel: ResampleKernel) -> Self {
        if ratio.up == ratio.down {
            return Self::Copy;
        }
        let shape = Shape::of(kernel);
        let scale = ratio.value().min(1.0);
        if !matches!(kernel, ResampleKernel::High | ResampleKernel::SoxrHq) {
            return Self::Direct(Direct::new(ratio, shape, scale, 0));
        }
        let roll_off = if kernel == ResampleKernel::SoxrHq { RollOff::of(ratio) } else { None };
        if let Some(overlap) = Overlap::new(ratio, shape, scale, 0, roll_off) {
            return Self::Overlap(overlap);
        }
        if shape.zeros / scale <= MAX_TRANSFORMED_REACH {
            // Half the intermediate rate holds twice the band of the lower rate.
            let mut first = Ratio { up: 2, down: 1 };
            if scale < 1.0 {
                first.up = 1;
                while 2 * first.down as u128 * 2 * u128::from(ratio.up) <= u128::from(ratio.down) {
                    first.down *= 2;
                }
                if 2 * ratio.up > ratio.down {
                    first.up = 2;
                }
            }
            let second = ratio.over(first);
            let interpolation = Shape::oversampled();
            let early = interpolation.zeros.ceil() as u64;
            if let Some(overlap) = Overlap::new(first, shape, scale, early, roll_off) {
                let direct = Direct::new(second, interpolation, 1.0, overlap.early);
                return Self::Oversampled(overlap, direct);
            }
        }
        Self::Direct(Direct::new(ratio, shape, scale, 0))
    }

    pub(super) fn state(&self) -> State {
        match self {
            Self::Copy => State::Copy,
            Self::Direct(direct) => State::Direct(direct.state()),
            Self::Overlap(overlap) => State::Overlap(overlap.state()),
            Self::Oversampled(overlap, direct) => State::Oversampled(overlap.state(), direct.state()),
        }
    }

    /// Samples needed for the first output.
    pub(super) fn delay(&self) -> usize {
        match self {
            Self::Copy => 1,
            Self::Direct(direct) => direct.delay(),
            Self::Overlap(overlap) => overlap.delay().0,
            Self::Oversampled(overlap, direct) => {
                let (first, given) = overlap.delay();
                first + direct.delay().saturating_sub(given)
            }
        }
    }

    /// Inputs after which the computation repeats itself: what comes after a multiple of them is computed as if the signal
    /// began there, but for the reach of kernels and blocks.
    pub(super) fn period(&self) -> u64 {
        match self {
            Self::Copy => 1,
            Self::Direct(direct) => direct.period(),
            Self::Overlap(overlap) => overlap.period().0,
            Self::Oversampled(overlap, direct) => {
                let (inputs, outputs) = overlap.period();
                let whole = direct.period();
                inputs.saturating_mul(whole / gcd(outputs, whole))
            }
        }
    }

    /// Makes a state new again.
    pub(super) fn reset(&self, state: &mut State) {
        match (self, state) {
            (Self::Direct(direct), State::Direct(state)) => direct.reset(state),
            (Self::Overlap(overlap), State::Overlap(state)) => overlap.reset(state),
            (Self::Oversampled(overlap, direct), State::Oversampled(wide, narrow)) => {
                overlap.reset(wide);
                direct.reset(narrow);
            }
            _ => {}
        }
    }

    /// Takes samples, gives at most `limit` outputs; their number is returned.
    pub(super) fn push(
        &self,
        state: &mut State,
        samples: &[f32],
        limit: u64,
        sink: &mut dyn FnMut(&[f32]),
    ) -> u64 {
        let mut written = 0;
        let mut sink = |values: &[f32]| {
            let left = usize::try_from(limit - written).unwrap_or(usize::MAX);
            let values = &values[..values.len().min(left)];
            if !values.is_empty() {
                sink(values);
                written += values.len() as u64;
            }
        };
        match (self, state) {
            (Self::Direct(direct), State::Direct(state)) => direct.push(state, samples, &mut sink),
            (Self::Overlap(overlap), State::Overlap(state)) => overlap.push(state, samples, &mut sink),
            (Self::Oversampled(overlap, direct), State::Oversampled(wide, narrow)) => {
                overlap.push(wide, samples, &mut |middle| direct.push(narrow, middle, &mut sink));
            }
            // A state is only ever used with its own path, which checks the pointer.
            _ => sink(samples),
        }
        written
    }

    /// Gives `missing` outputs more, with zeros after the signal.
    pub(super) fn flush(&self, state: &mut State, mut missing: u64, sink: &mut dyn FnMut(&[f32])) {
        while missing > 0 {
            missing -= self.push(state, &ZEROS, missing, sink);
        }
    }
}

/// Buffers of one [`Resampler`](super::Resampler), for one thread. Made by [`Resampler::scratch`](super::Resampler::scratch).
#[derive(Debug)]
pub struct ResampleScratch {
    pub(super) path: Arc<Path>,
    pub(super) state: State,
}

/// A conversion of a signal that comes in pieces. Made by [`Resampler::stream`](super::Resampler::stream).
///
/// Pieces of any size give the bits of [`process`](super::Resampler::process) on their whole. Memory is fixed when the stream is
/// made: it depends on the rates, never on the signal. Outputs come as soon as they are determined: with a delay of the kernel's
/// reach where it is applied directly, of up to two blocks where blocks are transformed ([`delay`](Self::delay)).
///
/// ```
/// use mgr_audio::ResampleConfig;
///
/// # fn main() -> Result<(), mgr_audio::AudioError> {
/// let resampler = ResampleConfig::default().plan()?;
/// let signal: Vec<f32> = (0..50_000).map(|n| (n as f32 * 0.05).sin()).collect();
/// let (mut stream, mut out) = (resampler.stream(), Vec::new());
/// for piece in signal.chunks(1000) {
///     stream.push(piece, &mut out);
/// }
/// stream.finish(&mut out);
/// assert_eq!(out, resampler.process(&signal)?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ResampleStream {
    ratio: Ratio,
    scratch: ResampleScratch,
    /// Samples in and out so far.
    read: u64,
    written: u64,
}

impl ResampleStream {
    pub(super) fn new(ratio: Ratio, scratch: ResampleScratch) -> Self {
        Self { ratio, scratch, read: 0, written: 0 }
    }

    /// Takes the next samples, appends to `out` what they determine.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.push_with(samples, |values| out.extend_from_slice(values));
    }

    /// As [`push`](Self::push), but gives the outputs to `sink`, in pieces; allocates nothing.
    pub fn push_with(&mut self, samples: &[f32], mut sink: impl FnMut(&[f32])) {
        let Self { ratio, scratch, read, written } = self;
        *read = read.saturating_add(samples.len() as u64);
        let limit = ratio.output_len(*read).saturating_sub(*written);
        *written += scratch.path.push(&mut scratch.state, samples, limit, &mut sink);
    }

    /// Ends the signal: appends the outputs that were still to come. The stream is then new again.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        self.finish_with(|values| out.extend_from_slice(values));
    }

    /// As [`finish`](Self::finish), but gives the outputs to `sink`, in pieces; allocates nothing.
    pub fn finish_with(&mut self, mut sink: impl FnMut(&[f32])) {
        let Self { ratio, scratch, read, written } = self;
        let missing = ratio.output_len(*read).saturating_sub(*written);
        scratch.path.flush(&mut scratch.state, missing, &mut sink);
        scratch.path.reset(&mut scratch.state);
        (*read, *written) = (0, 0);
    }

    /// The most samples that may be taken before the first output comes: those after which its value is computed.
    #[must_use]
    pub fn delay(&self) -> usize {
        self.scratch.path.delay()
    }
}
