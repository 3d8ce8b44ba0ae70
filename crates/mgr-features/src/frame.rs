//! Framing by index: where each frame starts, and what lies beyond the ends of the signal. The signal is never copied.

use serde::{Deserialize, Serialize};

use crate::FeatureError;

/// Where frame `t` lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Centering {
    /// Frame `t` is centred on sample `t * hop_length`; the ends are padded by `frame_length / 2`.
    #[default]
    Centered,
    /// Frame `t` starts at sample `t * hop_length`; only whole frames are taken.
    LeftAligned,
    /// As centred, without the last frame: Whisper, whose clips then have `samples / hop_length` frames.
    CenteredTrimmed,
    /// The window of frame `t`, not the transform, starts at sample `t * hop_length`, and the transform goes on with zeros;
    /// only whole windows are taken: HTK, Kaldi, TensorFlow. It differs from left-aligned frames where the window is
    /// shorter than the transform.
    WindowAligned,
}

/// What a centred frame sees beyond the ends of the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// Zeros (librosa 0.10 and later, `"constant"`).
    #[default]
    Zero,
    /// The signal mirrored about its end sample, which is not repeated (librosa before 0.10).
    Reflect,
    /// The signal mirrored with its end sample repeated.
    Symmetric,
    /// The end sample, held.
    Edge,
}

/// A validated framing rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framing {
    frame_length: usize,
    hop_length: usize,
    centering: Centering,
    padding: Padding,
}

/// The part of a signal that is at hand: `samples` lie at `base..base + samples.len()`, and the whole has `total`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<'a> {
    pub(crate) samples: &'a [f32],
    pub(crate) base: usize,
    pub(crate) total: usize,
}

impl<'a> Span<'a> {
    pub(crate) fn whole(samples: &'a [f32]) -> Self {
        Self { samples, base: 0, total: samples.len() }
    }
}

impl Framing {
    /// A framing rule of `frame_length` samples every `hop_length` samples.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a length of zero or over 2^24.
    pub fn new(
        frame_length: usize,
        hop_length: usize,
        centering: Centering,
        padding: Padding,
    ) -> Result<Self, FeatureError> {
        const LARGEST: usize = 1 << 24;
        for (field, value) in [("frame_length", frame_length), ("hop_length", hop_length)] {
            if !(1..=LARGEST).contains(&value) {
                return Err(FeatureError::parameter(field, value, format!("1 to {LARGEST}")));
            }
        }
        Ok(Self { frame_length, hop_length, centering, padding })
    }

    /// Samples in a frame.
    #[must_use]
    pub fn frame_length(&self) -> usize {
        self.frame_length
    }

    /// Samples from one frame to the next.
    #[must_use]
    pub fn hop_length(&self) -> usize {
        self.hop_length
    }

    /// Samples of padding at each end.
    #[must_use]
    pub fn pad(&self) -> usize {
        match self.centering {
            Centering::Centered | Centering::CenteredTrimmed => self.frame_length / 2,
            Centering::LeftAligned | Centering::WindowAligned => 0,
        }
    }

    /// Frames left out at the end.
    fn trimmed(&self) -> usize {
        usize::from(self.centering == Centering::CenteredTrimmed)
    }

    /// The fewest samples that give a frame.
    #[must_use]
    pub fn shortest(&self) -> usize {
        (self.frame_length + self.trimmed() * self.hop_length).saturating_sub(2 * self.pad()).max(1)
    }

    /// Frames of a signal of `samples` samples: `1 + (samples + 2 pad - frame_length) / hop_length`, rounded down, less the
    /// one that [`Centering::CenteredTrimmed`] leaves out.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] when there is not one.
    pub fn frames(&self, samples: usize) -> Result<usize, FeatureError> {
        if samples < self.shortest() {
            return Err(FeatureError::TooShort { got: samples, needed: self.shortest() });
        }
        Ok(1 + (samples + 2 * self.pad() - self.frame_length) / self.hop_length - self.trimmed())
    }

    /// Start of frame `t` in the signal, negative inside the left padding.
    pub(crate) fn start(&self, t: usize) -> isize {
        (t * self.hop_length) as isize - self.pad() as isize
    }

    /// Frame `t` in one piece, where none of it is padding. The span must hold every sample that the frame touches.
    pub(crate) fn inside<'a>(&self, t: usize, span: Span<'a>) -> Option<&'a [f32]> {
        let start = usize::try_from(self.start(t)).ok()?;
        let end = start + self.frame_length;
        (end <= span.total).then(|| &span.samples[start - span.base..end - span.base])
    }

    /// Sample `i` of frame `t`, as a function of `i`, padding included.
    pub(crate) fn padded<'a>(&self, t: usize, span: Span<'a>) -> impl Fn(usize) -> f32 + use<'a> {
        self.mirrored(t, span, self.mirror_floor(t, span.total))
    }

    /// As [`Framing::padded`], for features whose reference pads the whole signal at once: every frame may mirror all of it.
    pub(crate) fn padded_at_once<'a>(&self, t: usize, span: Span<'a>) -> impl Fn(usize) -> f32 + use<'a> {
        self.mirrored(t, span, 0)
    }

    fn mirrored<'a>(&self, t: usize, span: Span<'a>, floor: usize) -> impl Fn(usize) -> f32 + use<'a> {
        let (framing, start) = (*self, self.start(t));
        move |i| {
            framing.source(start + i as isize, floor, span.total).map_or(0.0, |j| span.samples[j - span.base])
        }
    }

    /// The first sample that padding on the right may mirror.
    ///
    /// librosa pads the last frames apart from the rest, so they mirror only what lies in or after the first of them.
    /// It matters only where the hop is over half a frame, and numbers agree only if it is done alike.
    fn mirror_floor(&self, t: usize, total: usize) -> usize {
        let pad = self.pad();
        let Some(room) = (total + pad).checked_sub(self.frame_length) else { return 0 };
        let tail = room / self.hop_length + 1;
        let head = pad.div_ceil(self.hop_length);
        if tail <= head || t < tail {
            return 0;
        }
        let floor = (tail * self.hop_length).saturating_sub(pad);
        // Where the hop jumps past the end nothing would be left to mirror.
        if floor < total { floor } else { 0 }
    }

    /// The sample that stands at index `i`, or none for a zero.
    fn source(&self, i: isize, floor: usize, total: usize) -> Option<usize> {
        if i >= 0 && (i as usize) < total {
            return Some(i as usize);
        }
        match self.padding {
            Padding::Zero => None,
            Padding::Edge => Some(if i < 0 { 0 } else { total - 1 }),
            Padding::Reflect => {
                let n = (total - floor) as isize;
                if n == 1 {
                    return Some(floor);
                }
                let p = (i - floor as isize).rem_euclid(2 * (n - 1));
                Some(floor + if p < n { p } else { 2 * (n - 1) - p } as usize)
            }
            Padding::Symmetric => {
                let n = (total - floor) as isize;
                let p = (i - floor as isize).rem_euclid(2 * n);
                Some(floor + if p < n { p } else { 2 * n - 1 - p } as usize)
            }
        }
    }
}

/// Collects samples given in blocks of any size and tells which frames are complete.
///
/// Holds at most one frame, one hop, the padding and the newest block.
#[derive(Debug, Clone)]
pub(crate) struct FrameStream {
    framing: Framing,
    held: Vec<f32>,
    base: usize,
    next: usize,
}

impl FrameStream {
    pub(crate) fn new(framing: Framing) -> Self {
        Self { framing, held: Vec::new(), base: 0, next: 0 }
    }

    pub(crate) fn seen(&self) -> usize {
        self.base + self.held.len()
    }

    /// Frames of the signal, if it ends here.
    pub(crate) fn frames(&self) -> Result<usize, FeatureError> {
        self.framing.frames(self.seen())
    }

    /// Adds samples and calls `frame` with every frame that they complete.
    pub(crate) fn push(&mut self, samples: &[f32], mut frame: impl FnMut(usize, Span<'_>)) {
        self.held.extend_from_slice(samples);
        let pad = self.framing.pad();
        loop {
            let start = self.framing.start(self.next);
            let end = start + self.framing.frame_length() as isize;
            // A frame in the left padding may mirror up to `pad` samples, and the sample at the mirror itself.
            let needed = if start < 0 { (end.max(0) as usize).max(pad + 1) } else { end as usize };
            // A frame that is left out at the end of the signal must not have gone out before the end was known.
            let later = (self.next + self.framing.trimmed()) * self.framing.hop_length();
            let needed = needed.max((later + self.framing.frame_length()).saturating_sub(2 * pad));
            if self.seen() < needed {
                break;
            }
            // The end of the signal is not known yet: any total past the frame gives the same samples.
            frame(self.next, Span { samples: &self.held, base: self.base, total: self.seen() });
            self.next += 1;
        }
        self.release();
    }

    /// Calls `frame` with the frames that reach into the right padding.
    pub(crate) fn finish(self, mut frame: impl FnMut(usize, Span<'_>)) -> Result<(), FeatureError> {
        let total = self.seen();
        let frames = self.framing.frames(total)?;
        for t in self.next..frames {
            frame(t, Span { samples: &self.held, base: self.base, total });
        }
        Ok(())
    }

    /// Lets go of samples that no later frame and no mirror can need.
    fn release(&mut self) {
        let keep_for_mirror =
            self.seen().saturating_sub(self.framing.frame_length() + self.framing.pad() + 1);
        let keep_for_frame = self.framing.start(self.next).max(0) as usize;
        let keep = keep_for_frame.min(keep_for_mirror);
        if keep > self.base {
            self.held.drain(..keep - self.base);
            self.base = keep;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(n: usize, padding: Padding, range: std::ops::Range<isize>) -> Vec<Option<usize>> {
        let f = Framing::new(8, 2, Centering::Centered, padding).unwrap();
        range.map(|i| f.source(i, 0, n)).collect()
    }

    #[test]
    fn padding_follows_numpy() {
        let some = |v: &[usize]| v.iter().map(|&i| Some(i)).collect::<Vec<_>>();
        assert_eq!(padded(3, Padding::Reflect, -5..8), some(&[1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]));
        assert_eq!(padded(3, Padding::Symmetric, -4..7), some(&[2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0]));
        assert_eq!(padded(2, Padding::Edge, -2..4), some(&[0, 0, 0, 1, 1, 1]));
        assert_eq!(padded(1, Padding::Reflect, -2..3), some(&[0, 0, 0, 0, 0]));
        assert_eq!(padded(1, Padding::Zero, -1..2), [None, Some(0), None]);
    }

    #[test]
    fn counts_frames() {
        let c = Framing::new(2048, 1024, Centering::Centered, Padding::Zero).unwrap();
        assert_eq!(c.frames(220_500), Ok(216));
        assert_eq!(c.frames(1), Ok(1));
        assert_eq!(c.frames(0), Err(FeatureError::TooShort { got: 0, needed: 1 }));
        let l = Framing::new(2048, 512, Centering::LeftAligned, Padding::Zero).unwrap();
        assert_eq!(l.frames(2048), Ok(1));
        assert_eq!(l.frames(2047), Err(FeatureError::TooShort { got: 2047, needed: 2048 }));
        let w = Framing::new(400, 160, Centering::CenteredTrimmed, Padding::Reflect).unwrap();
        assert_eq!((w.frames(480_000), w.frames(160)), (Ok(3000), Ok(1)));
        assert_eq!(w.frames(159), Err(FeatureError::TooShort { got: 159, needed: 160 }));
        assert!(Framing::new(0, 1, Centering::Centered, Padding::Zero).is_err());
        assert!(Framing::new(1, usize::MAX, Centering::Centered, Padding::Zero).is_err());
    }
}
