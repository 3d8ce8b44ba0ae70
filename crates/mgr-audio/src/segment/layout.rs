//! Where the segments of a clip of a given length lie, and what stands in them.

use super::{SegmentChoice, SegmentConfig, Segmenter, ShortClip, Tail};
use crate::AudioError;

/// The segments of a clip.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    extension: Extension,
    /// Samples after the short-clip rule.
    extended: usize,
    hop_length: usize,
    /// Number of the first segment kept, and how many are kept.
    first: usize,
    pub(super) count: usize,
    /// Number and start of the segment that ends with the clip.
    back: Option<(usize, usize)>,
}

/// How sample `i` of the lengthened clip is found in a clip `x` of `len` samples, beyond its end.
#[derive(Debug, Clone, Copy)]
enum Extension {
    /// 0.
    Zero,
    /// `x[i - back]`.
    Tail { back: usize },
    /// `x[i mod len]`.
    Tile,
    /// `x[j]` for `j = i mod 2 len` below `len`, else `x[2 len - 1 - j]`.
    Mirror,
}

impl Layout {
    pub(super) fn of(segmenter: &Segmenter, len: usize) -> Result<Self, AudioError> {
        let Segmenter { config, hop_length } = *segmenter;
        let SegmentConfig { clip_length, segment_length, segments, short_clip, choice, tail, .. } = config;
        if len == 0 {
            return Err(AudioError::EmptySignal);
        }
        let (extension, extended) = match short_clip {
            _ if len >= clip_length => (Extension::Zero, len),
            ShortClip::Repeat if len > clip_length / 2 => {
                (Extension::Tail { back: clip_length - len }, clip_length)
            }
            ShortClip::Repeat | ShortClip::Tile => (Extension::Tile, clip_length),
            ShortClip::Mirror => (Extension::Mirror, clip_length),
            ShortClip::Pad => (Extension::Zero, clip_length),
            ShortClip::Own if len < segment_length => (Extension::Tile, segment_length),
            ShortClip::Own => (Extension::Zero, len),
            ShortClip::Reject => return Err(AudioError::ClipTooShort { samples: len, needed: clip_length }),
        };
        // Every rule leaves room for one segment.
        let whole = (extended - segment_length) / hop_length + 1;
        let covered = (whole - 1) * hop_length + segment_length;
        let (more, back) = match tail {
            Tail::Back if covered < extended => (1, Some((whole, extended - segment_length))),
            // A hop beyond the end leaves no tail on the grid.
            Tail::Pad if covered < extended && whole.saturating_mul(hop_length) < extended => (1, None),
            _ => (0, None),
        };
        let available = whole + more;
        let count = if choice == SegmentChoice::All { available } else { available.min(segments) };
        let first = if choice == SegmentChoice::Middle { available / 2 - count / 2 } else { 0 };
        Ok(Self { extension, extended, hop_length, first, count, back })
    }

    /// First sample of segment `index` of those kept.
    pub(super) fn start(&self, index: usize) -> usize {
        let number = self.first + index;
        match self.back {
            Some((last, start)) if number == last => start,
            _ => number * self.hop_length,
        }
    }

    /// Copies segment `index`; `out` has the length of a segment.
    pub(super) fn copy(&self, samples: &[f32], index: usize, out: &mut [f32]) {
        let (len, start) = (samples.len(), self.start(index));
        let within = self.extended.saturating_sub(start).min(out.len());
        let (mut rest, zeros) = out.split_at_mut(within);
        zeros.fill(0.0);
        let mut at = start;
        while !rest.is_empty() {
            let place = match self.extension {
                Extension::Tail { back } if at >= len => at - back,
                Extension::Tile => at % len,
                Extension::Mirror => at % (2 * len),
                _ => at,
            };
            let end = if place < len { len } else { 2 * len };
            let run = match self.extension {
                Extension::Zero if place >= len => rest.len(),
                _ => (end - place).min(rest.len()),
            };
            let (now, later) = rest.split_at_mut(run);
            if place < len {
                now.copy_from_slice(&samples[place..place + run]);
            } else if matches!(self.extension, Extension::Mirror) {
                let last = 2 * len - place;
                for (value, sample) in now.iter_mut().zip(samples[last - run..last].iter().rev()) {
                    *value = *sample;
                }
            } else {
                now.fill(0.0);
            }
            at += run;
            rest = later;
        }
    }
}
