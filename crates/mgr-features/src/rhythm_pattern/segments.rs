//! Which segments of a clip are analysed.

use super::config::{SegmentationConfig, ShortClip};
use crate::{FeatureError, check};

/// Frames of a segment, half overlapping, at any of the three sampling rates.
pub(super) const FRAMES: usize = 511;

/// Clips shorter than this, in seconds, have every segment.
const SHORT_S: usize = 45;

/// A checked segmentation at one sampling rate.
#[derive(Debug, Clone)]
pub(super) struct Segmentation {
    config: SegmentationConfig,
    sample_rate: u32,
    length: usize,
}

/// The segments of a clip: `count` of them, from `first` samples on, every `step` samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segments {
    pub(super) first: usize,
    pub(super) step: usize,
    pub(super) count: usize,
    /// Zeros that follow the clip.
    pub(super) padding: usize,
}

impl Segmentation {
    pub(super) fn new(config: &SegmentationConfig, sample_rate: u32) -> Result<Self, FeatureError> {
        const MOST: f64 = 1e6;
        let length = match sample_rate {
            11_025 => 1 << 16,
            22_050 => 1 << 17,
            44_100 => 1 << 18,
            _ => {
                let allowed = "11025, 22050 or 44100: resample other rates first";
                return Err(FeatureError::parameter("sample_rate", sample_rate, allowed));
            }
        };
        check::within("step_width", config.step_width as f64, 1.0, MOST)?;
        check::within("skip_lead_in_fade_out", config.skip_lead_in_fade_out as f64, 0.0, MOST)?;
        Ok(Self { config: config.clone(), sample_rate, length })
    }

    /// Samples of a segment.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Samples of the shortest clip that is taken.
    pub(super) fn shortest(&self) -> usize {
        match self.config.short {
            ShortClip::Refuse => self.length,
            ShortClip::PadZeros => 1,
        }
    }

    /// The segments of a clip of so many samples; at least one.
    pub(super) fn of(&self, samples: usize) -> Result<Segments, FeatureError> {
        let too_short = |needed| Err(FeatureError::TooShort { got: samples, needed });
        let SegmentationConfig { step_width, skip_lead_in_fade_out: skip, short } = self.config;
        let is_short = samples < SHORT_S * self.sample_rate as usize;
        let (step, skip) = if is_short { (1, 0) } else { (step_width, skip) };
        let whole = samples / self.length;
        let taken = |skip: usize, taken: usize| Segments {
            first: skip * self.length,
            step: step * self.length,
            count: (taken - 1) / step + 1,
            padding: 0,
        };
        match (whole.checked_sub(2 * skip), short) {
            (Some(left @ 1..), _) => Ok(taken(skip, left)),
            (_, ShortClip::Refuse) => too_short((2 * skip + 1) * self.length),
            (_, ShortClip::PadZeros) if whole > 0 => Ok(taken(0, whole)),
            (_, ShortClip::PadZeros) if samples > 0 => {
                let padding = self.length - samples;
                Ok(Segments { first: 0, step: self.length, count: 1, padding })
            }
            (_, ShortClip::PadZeros) => too_short(1),
        }
    }
}

impl Segments {
    /// The samples of segment `i` that there are.
    pub(super) fn get<'a>(&self, i: usize, samples: &'a [f32], length: usize) -> &'a [f32] {
        let start = self.first + i * self.step;
        samples.get(start..).map_or(&[], |rest| &rest[..length.min(rest.len())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_counted_as_the_reference_counts() {
        // n_segments = floor((floor((len - 2 skip seg) / seg) - 1) / step) + 1, and step 1, skip 0 under 45 s.
        let plan = |step_width, skip_lead_in_fade_out, short| {
            Segmentation::new(&SegmentationConfig { step_width, skip_lead_in_fade_out, short }, 22_050)
                .unwrap()
        };
        let refuse = plan(2, 1, ShortClip::Refuse);
        let counted = |samples| refuse.of(samples).map(|s| (s.first, s.step, s.count));
        let segment = 1 << 17;
        assert_eq!(counted(661_500), Ok((0, segment, 5)));
        assert_eq!(counted(segment), Ok((0, segment, 1)));
        assert_eq!(counted(segment - 1), Err(FeatureError::TooShort { got: segment - 1, needed: segment }));
        // 45 s are 7.57 segments: 5 are left, every other is taken.
        assert_eq!(counted(45 * 22_050), Ok((segment, 2 * segment, 3)));
        assert_eq!(counted(45 * 22_050 - 1), Ok((0, segment, 7)));
        let skipping = plan(1, 4, ShortClip::Refuse);
        assert_eq!(
            skipping.of(8 * segment).unwrap_err(),
            FeatureError::TooShort { got: 8 * segment, needed: 9 * segment }
        );
        let padding = plan(1, 4, ShortClip::PadZeros);
        assert_eq!(
            padding.of(8 * segment).unwrap(),
            Segments { first: 0, step: segment, count: 8, padding: 0 }
        );
        assert_eq!(padding.of(1000).unwrap().padding, segment - 1000);
        assert!(padding.of(0).is_err());
    }

    #[test]
    fn other_rates_are_refused_by_name() {
        let error = Segmentation::new(&SegmentationConfig::default(), 16_000).unwrap_err().to_string();
        assert!(error.contains("11025, 22050 or 44100"), "{error}");
    }
}
