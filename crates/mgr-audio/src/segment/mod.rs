//! A clip cut into segments of equal length, overlapping or not: which of them are kept, what becomes of the tail, what is done
//! with short clips.
//!
//! The default is the rule of the multi-level local feature coding fusion (Ng, Zeng, Wang, IEEE Access 2020): three segments of
//! 10 s at 22,050 Hz out of clips of 30 s, of which many lack a few samples. [`SegmentPreset`] has other published rules by
//! name.

mod layout;
mod preset;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use self::layout::Layout;
pub use self::preset::SegmentPreset;
use crate::AudioError;

/// What is done with a clip shorter than [`SegmentConfig::clip_length`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortClip {
    /// Lengthened to `clip_length`, so that every clip gives all its segments. Of `len` samples `x` with
    /// `len > clip_length / 2` (integer division): `x` followed by its own last `clip_length - len` samples. Else: `x` repeated
    /// and cut. The default, and the published rule.
    #[default]
    Repeat,
    /// Left as it is: the clip gives as many segments as it has. One shorter than a segment is repeated to `segment_length` and
    /// gives one.
    Own,
    /// Lengthened to `clip_length` with zeros.
    Pad,
    /// Lengthened to `clip_length` by repeating it from its start, and cut.
    Tile,
    /// Lengthened to `clip_length` by running it backwards and forwards in turn from its end: `x[len - 1], x[len - 2], ...,
    /// x[0], x[0], x[1], ...` (NumPy's `symmetric`).
    Mirror,
    /// Refused with [`AudioError::ClipTooShort`].
    Reject,
}

/// Which segments of a clip are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentChoice {
    /// Of `n` segments, `k = min(n, segments)` from number `n / 2 - k / 2` on (integer divisions): the middle ones. The default.
    #[default]
    Middle,
    /// The first `segments`.
    First,
    /// All; `segments` is not used.
    All,
}

/// What becomes of the samples after the last whole segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tail {
    /// They are left out. The default.
    #[default]
    Drop,
    /// They make one segment more, on the same grid, with zeros after the clip's end.
    Pad,
    /// They make one segment more, which ends with the clip, so that it overlaps the one before.
    Back,
}

/// Samples that a clip may be lengthened to: 4 GiB of them.
const MAX_CLIP: usize = 1 << 30;

/// How a clip is cut. All lengths in samples.
///
/// ```
/// use mgr_audio::{SegmentChoice, SegmentConfig, ShortClip, Tail};
///
/// # fn main() -> Result<(), mgr_audio::AudioError> {
/// // Segments of 4 s every 2 s at 16 kHz, the last one filled up with zeros.
/// let segmenter = SegmentConfig {
///     clip_length: 64_000,
///     segment_length: 64_000,
///     hop_length: Some(32_000),
///     choice: SegmentChoice::All,
///     tail: Tail::Pad,
///     short_clip: ShortClip::Pad,
///     ..SegmentConfig::default()
/// }
/// .plan()?;
/// let spans: Vec<_> = segmenter.spans(100_000).map(|span| (span.start, span.own)).collect();
/// assert_eq!(spans, [(0, 64_000), (32_000, 64_000), (64_000, 36_000)]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SegmentConfig {
    /// Length below which a clip is short, and to which [`ShortClip`] lengthens it; long enough for the segments wanted (for one
    /// under [`SegmentChoice::All`]), at most 2^30. Default 661,795 (30.01 s at 22,050 Hz).
    pub clip_length: usize,
    /// Length of a segment, 1 or more. Default 220,500 (10 s at 22,050 Hz).
    pub segment_length: usize,
    /// Segments per clip, 1 or more. Default 3.
    pub segments: usize,
    /// What is done with short clips. Default [`ShortClip::Repeat`].
    pub short_clip: ShortClip,
    /// Samples from the start of a segment to the start of the next, 1 or more; `None` for `segment_length`. Default `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hop_length: Option<usize>,
    /// Which segments are kept. Default [`SegmentChoice::Middle`].
    #[serde(skip_serializing_if = "is_default")]
    pub choice: SegmentChoice,
    /// What becomes of the samples after the last whole segment. Default [`Tail::Drop`].
    #[serde(skip_serializing_if = "is_default")]
    pub tail: Tail,
}

/// Fields of later versions are written only where they say something, so that the default stays as it was written before.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Default for SegmentConfig {
    fn default() -> Self {
        Self {
            clip_length: 661_795,
            segment_length: 220_500,
            segments: 3,
            short_clip: ShortClip::Repeat,
            hop_length: None,
            choice: SegmentChoice::Middle,
            tail: Tail::Drop,
        }
    }
}

impl SegmentConfig {
    /// Validates the lengths.
    ///
    /// # Errors
    /// [`AudioError::Config`] for no segments, segments or hops of no samples, or a clip length below all its segments'.
    pub fn plan(&self) -> Result<Segmenter, AudioError> {
        let hop_length = self.hop_length.unwrap_or(self.segment_length);
        for (field, value) in
            [("segments", self.segments), ("segment_length", self.segment_length), ("hop_length", hop_length)]
        {
            if value == 0 {
                return Err(AudioError::config(field, 0, "1 or more"));
            }
        }
        if self.clip_length > MAX_CLIP {
            return Err(AudioError::config("clip_length", self.clip_length, format!("at most {MAX_CLIP}")));
        }
        let wanted = if self.choice == SegmentChoice::All { 1 } else { self.segments };
        let needed =
            (wanted - 1).checked_mul(hop_length).and_then(|start| start.checked_add(self.segment_length));
        match needed {
            Some(needed) if needed <= self.clip_length => Ok(Segmenter { config: *self, hop_length }),
            needed => {
                // An index must not overflow while short clips are lengthened, which `needed` being a length implies.
                let needed =
                    needed.map_or_else(|| "beyond any length".to_owned(), |n| format!("{n} or more"));
                Err(AudioError::config(
                    "clip_length",
                    self.clip_length,
                    format!("(segments - 1) * hop_length + segment_length, {needed}"),
                ))
            }
        }
    }
}

/// Where a segment lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentSpan {
    /// Its first sample, counted in the lengthened clip; the clip itself lies at the start of that.
    pub start: usize,
    /// How many of its samples, from its start, are the clip's own at their own place; the rest is filled in. 0 where it begins
    /// after the clip's end.
    pub own: usize,
}

/// Cuts clips by a fixed [`SegmentConfig`].
///
/// With `N` samples after the short-clip rule, segments of `S` and a hop of `H`, the whole segments start at `0, H, 2 H, ...` as
/// long as they end within `N`; [`Tail`] may add one more, [`SegmentChoice`] says which are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segmenter {
    config: SegmentConfig,
    hop_length: usize,
}

impl Segmenter {
    /// The config this plan was made from.
    #[must_use]
    pub fn config(&self) -> SegmentConfig {
        self.config
    }

    /// How many segments a clip of `samples` gives; 0 for an empty clip, and for one that [`ShortClip::Reject`] refuses.
    #[must_use]
    pub fn segment_count(&self, samples: usize) -> usize {
        Layout::of(self, samples).map_or(0, |layout| layout.count)
    }

    /// Where the segments of a clip of `samples` lie, in order of time; none where [`segment_count`](Self::segment_count) is 0.
    pub fn spans(&self, samples: usize) -> impl ExactSizeIterator<Item = SegmentSpan> + use<> {
        let (layout, length) = (Layout::of(self, samples).ok(), self.config.segment_length);
        (0..layout.map_or(0, |layout| layout.count)).map(move |index| {
            let start = layout.map_or(0, |layout| layout.start(index));
            SegmentSpan { start, own: samples.saturating_sub(start).min(length) }
        })
    }

    /// Cuts a clip into segments of `segment_length`, in order of time.
    ///
    /// # Errors
    /// [`AudioError::EmptySignal`] for a clip of no samples, [`AudioError::ClipTooShort`] for one that [`ShortClip::Reject`]
    /// refuses, [`AudioError::SegmentsTooLong`] where memory for the segments cannot be had.
    pub fn process(&self, samples: &[f32]) -> Result<Vec<Vec<f32>>, AudioError> {
        let layout = Layout::of(self, samples.len())?;
        self.collect(layout.count, |index| {
            let mut owned = self.silence(layout.count)?;
            layout.copy(samples, index, &mut owned);
            Ok(owned)
        })
    }

    /// As [`process`](Self::process), but segments that lie within the clip as it is are borrowed from it.
    ///
    /// # Errors
    /// Those of [`process`](Self::process).
    pub fn views<'a>(&self, samples: &'a [f32]) -> Result<Vec<Cow<'a, [f32]>>, AudioError> {
        let layout = Layout::of(self, samples.len())?;
        self.collect(layout.count, |index| {
            let start = layout.start(index);
            if let Some(view) = samples.get(start..start + self.config.segment_length) {
                return Ok(Cow::Borrowed(view));
            }
            let mut owned = self.silence(layout.count)?;
            layout.copy(samples, index, &mut owned);
            Ok(Cow::Owned(owned))
        })
    }

    /// As [`process`](Self::process), into a buffer of `segment_count(samples.len()) * segment_length` samples, segment after
    /// segment, without allocating.
    ///
    /// # Errors
    /// [`AudioError::EmptySignal`] for a clip of no samples, [`AudioError::ClipTooShort`] for one that [`ShortClip::Reject`]
    /// refuses, [`AudioError::BufferLength`] for a buffer of another length.
    pub fn process_into(&self, samples: &[f32], out: &mut [f32]) -> Result<(), AudioError> {
        let layout = Layout::of(self, samples.len())?;
        let expected = layout.count.saturating_mul(self.config.segment_length);
        if out.len() != expected {
            return Err(AudioError::BufferLength { expected, got: out.len() });
        }
        for (index, segment) in out.chunks_exact_mut(self.config.segment_length).enumerate() {
            layout.copy(samples, index, segment);
        }
        Ok(())
    }

    fn collect<T>(
        &self,
        count: usize,
        segment: impl Fn(usize) -> Result<T, AudioError>,
    ) -> Result<Vec<T>, AudioError> {
        let mut segments = Vec::new();
        segments.try_reserve_exact(count).map_err(|_| self.too_long(count))?;
        for index in 0..count {
            segments.push(segment(index)?);
        }
        Ok(segments)
    }

    /// A segment of zeros.
    fn silence(&self, segments: usize) -> Result<Vec<f32>, AudioError> {
        let mut silence = Vec::new();
        silence.try_reserve_exact(self.config.segment_length).map_err(|_| self.too_long(segments))?;
        silence.resize(self.config.segment_length, 0.0);
        Ok(silence)
    }

    fn too_long(&self, segments: usize) -> AudioError {
        AudioError::SegmentsTooLong { segments, segment_length: self.config.segment_length }
    }
}
