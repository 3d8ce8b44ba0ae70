//! A clip cut into segments of equal length: the middle run of non-overlapping blocks, short clips repeated.
//!
//! The default is the rule of the multi-level local feature coding fusion (Ng, Zeng, Wang, IEEE Access 2020): three segments of
//! 10 s at 22,050 Hz out of clips of 30 s, of which many lack a few samples.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

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
    /// Left as it is: the clip gives as many segments as it has whole blocks. One shorter than a segment is repeated to
    /// `segment_length` and gives one.
    Own,
}

/// Samples that a clip may be lengthened to: 4 GiB of them.
const MAX_CLIP: usize = 1 << 30;

/// How a clip is cut. All lengths in samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SegmentConfig {
    /// Length that short clips are brought to under [`ShortClip::Repeat`]; at least `segments * segment_length`, at most 2^30.
    /// Default 661,795 (30.01 s at 22,050 Hz).
    pub clip_length: usize,
    /// Length of a segment, 1 or more. Default 220,500 (10 s at 22,050 Hz).
    pub segment_length: usize,
    /// Segments per clip, 1 or more. Default 3.
    pub segments: usize,
    /// What is done with short clips. Default [`ShortClip::Repeat`].
    pub short_clip: ShortClip,
}

impl Default for SegmentConfig {
    fn default() -> Self {
        Self { clip_length: 661_795, segment_length: 220_500, segments: 3, short_clip: ShortClip::Repeat }
    }
}

impl SegmentConfig {
    /// Validates the lengths.
    ///
    /// # Errors
    /// [`AudioError::Config`] for no segments, segments of no samples, or a clip length below all its segments'.
    pub fn plan(&self) -> Result<Segmenter, AudioError> {
        if self.segments == 0 {
            return Err(AudioError::config("segments", 0, "1 or more"));
        }
        if self.segment_length == 0 {
            return Err(AudioError::config("segment_length", 0, "1 or more"));
        }
        if self.clip_length > MAX_CLIP {
            return Err(AudioError::config("clip_length", self.clip_length, format!("at most {MAX_CLIP}")));
        }
        match self.segments.checked_mul(self.segment_length) {
            Some(needed) if needed <= self.clip_length => Ok(Segmenter { config: *self }),
            needed => {
                // An index must not overflow while short clips are lengthened, which `needed` being a length implies.
                let needed =
                    needed.map_or_else(|| "beyond any length".to_owned(), |n| format!("{n} or more"));
                Err(AudioError::config(
                    "clip_length",
                    self.clip_length,
                    format!("segments * segment_length, {needed}"),
                ))
            }
        }
    }
}

/// Cuts clips by a fixed [`SegmentConfig`].
///
/// With `N` samples after the short-clip rule and segments of `S`, the clip has `nb = floor(N / S)` blocks starting at 0; of
/// `K` segments wanted, blocks `nb / 2 - K / 2` and the following are kept (integer divisions): the middle ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segmenter {
    config: SegmentConfig,
}

/// How sample `i` of the lengthened clip is found in the clip.
#[derive(Clone, Copy)]
enum Extension {
    /// `x[i]`: long enough.
    None,
    /// `x[i]`, beyond the end `x[i - back]`.
    Tail { back: usize },
    /// `x[i mod len]`.
    Tile,
}

impl Segmenter {
    /// The config this plan was made from.
    #[must_use]
    pub fn config(&self) -> SegmentConfig {
        self.config
    }

    /// How many segments a clip of `samples` gives: `segments` under [`ShortClip::Repeat`], 1 to `segments` under
    /// [`ShortClip::Own`], 0 for an empty clip.
    #[must_use]
    pub fn segment_count(&self, samples: usize) -> usize {
        if samples == 0 { 0 } else { self.layout(samples).2 }
    }

    /// Cuts a clip into segments of `segment_length`, in order of time.
    ///
    /// # Errors
    /// [`AudioError::EmptySignal`] for a clip of no samples.
    pub fn process(&self, samples: &[f32]) -> Result<Vec<Vec<f32>>, AudioError> {
        Ok(self.views(samples)?.into_iter().map(Cow::into_owned).collect())
    }

    /// As [`process`](Self::process), but segments that lie within the clip as it is are borrowed from it.
    ///
    /// # Errors
    /// [`AudioError::EmptySignal`] for a clip of no samples.
    pub fn views<'a>(&self, samples: &'a [f32]) -> Result<Vec<Cow<'a, [f32]>>, AudioError> {
        if samples.is_empty() {
            return Err(AudioError::EmptySignal);
        }
        let length = self.config.segment_length;
        let (extension, first, count) = self.layout(samples.len());
        let segment = |index: usize| {
            let start = (first + index) * length;
            match samples.get(start..start + length) {
                Some(view) => Cow::Borrowed(view),
                None => {
                    let mut owned = vec![0.0; length];
                    copy_extended(samples, extension, start, &mut owned);
                    Cow::Owned(owned)
                }
            }
        };
        Ok((0..count).map(segment).collect())
    }

    /// As [`process`](Self::process), into a buffer of `segment_count(samples.len()) * segment_length` samples, segment after
    /// segment, without allocating.
    ///
    /// # Errors
    /// [`AudioError::EmptySignal`] for a clip of no samples, [`AudioError::BufferLength`] for a buffer of another length.
    pub fn process_into(&self, samples: &[f32], out: &mut [f32]) -> Result<(), AudioError> {
        if samples.is_empty() {
            return Err(AudioError::EmptySignal);
        }
        let (extension, first, count) = self.layout(samples.len());
        let expected = count * self.config.segment_length;
        if out.len() != expected {
            return Err(AudioError::BufferLength { expected, got: out.len() });
        }
        copy_extended(samples, extension, first * self.config.segment_length, out);
        Ok(())
    }

    /// Extension, first block and number of blocks for a clip of `len >= 1` samples.
    fn layout(&self, len: usize) -> (Extension, usize, usize) {
        let SegmentConfig { clip_length, segment_length, segments, short_clip } = self.config;
        let (extension, extended) = match short_clip {
            _ if len >= clip_length => (Extension::None, len),
            ShortClip::Repeat if len > clip_length / 2 => {
                (Extension::Tail { back: clip_length - len }, clip_length)
            }
            ShortClip::Repeat => (Extension::Tile, clip_length),
            ShortClip::Own if len < segment_length => (Extension::Tile, segment_length),
            ShortClip::Own => (Extension::None, len),
        };
        let blocks = extended / segment_length;
        let count = blocks.min(segments);
        (extension, blocks / 2 - count / 2, count)
    }
}

/// Copies `out.len()` samples of the lengthened clip from `start`.
fn copy_extended(samples: &[f32], extension: Extension, start: usize, out: &mut [f32]) {
    let len = samples.len();
    let mut done = 0;
    while done < out.len() {
        let index = start + done;
        let from = match extension {
            Extension::Tail { back } if index >= len => index - back,
            Extension::Tile => index % len,
            _ => index,
        };
        let run = (len - from).min(out.len() - done);
        out[done..done + run].copy_from_slice(&samples[from..from + run]);
        done += run;
    }
}
