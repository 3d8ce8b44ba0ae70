//! Where decoded blocks go: converted to `f32`, mixed and cut to the wanted range in one pass.

use std::ops::Range;

use symphonia::core::audio::sample::{i24, u24};

use crate::channels::Pick;

/// A magnitude no recording has; beyond it a sample counts as not finite, so that sums of samples stay finite.
const MAX_MAGNITUDE: f32 = 1e30;

/// A stored sample and its value, full scale being -1 to 1.
pub(crate) trait Sample: Copy {
    /// Whether values may be anything, NaN included.
    const FLOAT: bool = false;

    fn value(self) -> f32;

    /// Whether the value is that of a recording: finite and not absurd.
    #[inline(always)]
    fn is_sound(self) -> bool {
        true
    }
}

macro_rules! samples {
    ($($type:ty, $sample:ident => $value:expr;)*) => {$(
        impl Sample for $type {
            #[inline(always)]
            fn value(self) -> f32 {
                let $sample = self;
                $value
            }
        }
    )*};
}

// Powers of two: up to 24 bits every value is exact, 32 bits round once, in the conversion.
samples! {
    u8, x => (f32::from(x) - 128.0) * (1.0 / 128.0);
    i8, x => f32::from(x) * (1.0 / 128.0);
    u16, x => (f32::from(x) - 32_768.0) * (1.0 / 32_768.0);
    i16, x => f32::from(x) * (1.0 / 32_768.0);
    u24, x => (x.inner() as i32 - 8_388_608) as f32 * (1.0 / 8_388_608.0);
    i24, x => x.inner() as f32 * (1.0 / 8_388_608.0);
    u32, x => (x ^ 0x8000_0000).cast_signed() as f32 * (1.0 / 2_147_483_648.0);
    i32, x => x as f32 * (1.0 / 2_147_483_648.0);
}

impl Sample for f32 {
    const FLOAT: bool = true;

    #[inline(always)]
    fn is_sound(self) -> bool {
        self.abs() <= MAX_MAGNITUDE
    }

    #[inline(always)]
    fn value(self) -> f32 {
        if self.is_sound() { self } else { 0.0 }
    }
}

impl Sample for f64 {
    const FLOAT: bool = true;

    #[inline(always)]
    fn is_sound(self) -> bool {
        (self as f32).is_sound()
    }

    #[inline(always)]
    fn value(self) -> f32 {
        // The cast saturates to infinity, which the comparison of f32 refuses.
        Sample::value(self as f32)
    }
}

/// Takes decoded blocks: skips to the range's start, mixes, stops at its end or at the limit.
#[derive(Debug)]
pub(crate) struct Sink {
    pick: Pick,
    /// The samples taken and not yet handed on: one plane, or one for each channel.
    pub(crate) planes: Vec<Vec<f32>>,
    /// Frames still to be left out before the range begins.
    skip: u64,
    /// Frames of the range still to come.
    wanted: u64,
    /// Frames still allowed.
    room: u64,
    /// Frames taken since the start.
    pub(crate) taken: u64,
    /// Frames left out before the range.
    pub(crate) skipped: u64,
    /// More came than was allowed.
    pub(crate) cut: bool,
    pub(crate) non_finite: u64,
    sums: Vec<f64>,
}

impl Sink {
    /// A sink for `wanted` frames from `start`, of which at most `room` are taken.
    pub(crate) fn new(pick: Pick, channels: usize, start: u64, wanted: u64, room: u64) -> Self {
        let planes = vec![Vec::new(); pick.planes(channels)];
        Self {
            pick,
            planes,
            skip: start,
            wanted,
            room,
            taken: 0,
            skipped: 0,
            cut: false,
            non_finite: 0,
            sums: Vec::new(),
        }
    }

    /// Whether nothing more is wanted.
    pub(crate) fn is_done(&self) -> bool {
        self.cut || self.wanted == 0
    }

    /// Frames still to be left out before the range begins.
    pub(crate) fn to_skip(&self) -> u64 {
        self.skip
    }

    /// Frames that may still come, where that is worth making room for.
    pub(crate) fn reserve(&mut self, frames: u64) {
        let frames = frames.saturating_sub(self.skip).min(self.wanted).min(self.room);
        for plane in &mut self.planes {
            // Where memory is short, growing step by step will say so.
            let _ = plane.try_reserve(usize::try_from(frames).unwrap_or(0));
        }
    }

    /// Frames that the source passed over itself.
    pub(crate) fn pass_over(&mut self, frames: u64) {
        let frames = frames.min(self.skip);
        self.skip -= frames;
        self.skipped += frames;
    }

    /// The part of a block of `frames` that is wanted.
    fn window(&mut self, frames: usize) -> Range<usize> {
        let count = frames as u64;
        let start = self.skip.min(count);
        self.pass_over(start);
        let wanted = (count - start).min(self.wanted);
        let taken = wanted.min(self.room);
        self.cut |= taken < wanted;
        self.wanted -= wanted;
        self.room -= taken;
        self.taken += taken;
        // Both are at most `frames`.
        start as usize..(start + taken) as usize
    }

    /// Takes a block of planes of equal length. Planes that the first block did not have are left out, those that a later
    /// block lacks are silent.
    pub(crate) fn planar<S: Sample>(&mut self, block: &[&[S]]) {
        let window = self.window(block.first().map_or(0, |plane| plane.len()));
        if window.is_empty() {
            return;
        }
        let plane = |index: usize| block.get(index).and_then(|plane| plane.get(window.clone()));
        if S::FLOAT {
            for index in 0..block.len() {
                self.non_finite += plane(index).map_or(0, count_not_finite);
            }
        }
        match self.pick {
            Pick::Mean => {
                let Some(out) = self.planes.first_mut() else { return };
                match (plane(0), plane(1), block.len()) {
                    (Some(mono), _, 1) => out.extend(mono.iter().map(|x| x.value())),
                    (Some(left), Some(right), 2) => {
                        out.extend(left.iter().zip(right).map(|(l, r)| (l.value() + r.value()) * 0.5));
                    }
                    _ => {
                        self.sums.clear();
                        self.sums.resize(window.len(), 0.0);
                        for index in 0..block.len() {
                            let samples = plane(index).unwrap_or_default();
                            for (sum, x) in self.sums.iter_mut().zip(samples) {
                                *sum += f64::from(x.value());
                            }
                        }
                        let count = block.len() as f64;
                        out.extend(self.sums.iter().map(|sum| (sum / count) as f32));
                    }
                }
            }
            Pick::One(channel) => {
                let Some(out) = self.planes.first_mut() else { return };
                fill(out, plane(channel), window.len());
            }
            Pick::All => {
                for (channel, out) in self.planes.iter_mut().enumerate() {
                    fill(out, plane(channel), window.len());
                }
            }
        }
    }

    /// Takes a block of interleaved samples of `W` bytes; a rest shorter than a frame is dropped.
    #[inline(always)]
    pub(crate) fn interleaved<const W: usize, S: Sample>(
        &mut self,
        bytes: &[u8],
        channels: usize,
        read: impl Fn([u8; W]) -> S + Copy,
    ) {
        let samples = bytes.as_chunks::<W>().0;
        let window = self.window(samples.len() / channels.max(1));
        let samples = samples.get(window.start * channels..window.end * channels).unwrap_or_default();
        if S::FLOAT {
            self.non_finite += samples.iter().map(|&x| u64::from(!read(x).is_sound())).sum::<u64>();
        }
        let value = |x: &[u8; W]| read(*x).value();
        let one = |out: &mut Vec<f32>, channel: usize| match channels {
            1 => out.extend(samples.iter().map(value)),
            2 => out.extend(samples.as_chunks::<2>().0.iter().map(|frame| value(&frame[channel & 1]))),
            _ => out.extend(samples.chunks_exact(channels).filter_map(|frame| frame.get(channel)).map(value)),
        };
        match self.pick {
            Pick::Mean => {
                let Some(out) = self.planes.first_mut() else { return };
                match channels {
                    1 => one(out, 0),
                    2 => {
                        let frames = samples.as_chunks::<2>().0;
                        out.extend(frames.iter().map(|[l, r]| (value(l) + value(r)) * 0.5));
                    }
                    _ => {
                        let count = channels as f64;
                        let mean = |frame: &[[u8; W]]| {
                            (frame.iter().map(|x| f64::from(value(x))).sum::<f64>() / count) as f32
                        };
                        out.extend(samples.chunks_exact(channels).map(mean));
                    }
                }
            }
            Pick::One(channel) => {
                if let Some(out) = self.planes.first_mut() {
                    one(out, channel);
                }
            }
            Pick::All => {
                for (channel, out) in self.planes.iter_mut().enumerate() {
                    one(out, channel);
                }
            }
        }
    }
}

fn count_not_finite<S: Sample>(samples: &[S]) -> u64 {
    samples.iter().map(|&x| u64::from(!x.is_sound())).sum()
}

/// Appends a plane, or silence where there is none.
fn fill<S: Sample>(out: &mut Vec<f32>, plane: Option<&[S]>, frames: usize) {
    match plane {
        Some(plane) => out.extend(plane.iter().map(|x| x.value())),
        None => out.resize(out.len() + frames, 0.0),
    }
}
