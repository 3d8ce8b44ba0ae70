//! Published rules by name.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{SegmentChoice, SegmentConfig, ShortClip, Tail};
use crate::AudioError;

/// A published rule of segmentation, for audio at its own [`sample_rate`](Self::sample_rate).
///
/// ```
/// use mgr_audio::SegmentPreset;
///
/// # fn main() -> Result<(), mgr_audio::AudioError> {
/// let preset: SegmentPreset = "gtzan8".parse()?;
/// let segmenter = preset.config().plan()?;
/// // 30 s give 7 segments.
/// assert_eq!(segmenter.segment_count(30 * preset.sample_rate() as usize), 7);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SegmentPreset {
    /// `mlfcf`: three segments of 10 s at 22,050 Hz, the middle ones; short clips lengthened to 30.01 s with their own tail, or
    /// repeated (Ng, Zeng, Wang, "Multi-level local feature coding fusion for music genre recognition", IEEE Access 2020). The
    /// default of [`SegmentConfig`].
    Mlfcf,
    /// `gtzan8`: all blocks of 4 s at 16,000 Hz, the remainder dropped; clips without a whole block refused (jech2/2020_GCT634,
    /// KAIST 2020). The study cuts spectrograms into blocks of 125 frames with a hop of 512 samples. A segment here has the
    /// 124 * 512 = 63,488 samples that give 125 centred frames, and the next starts 125 * 512 = 64,000 samples later: as many
    /// segments, with frames at the same places, for every length of clip.
    Gtzan8,
    /// `musicnn`: all patches of 3 s at 16,000 Hz without overlap, the remainder dropped; clips without a whole patch refused
    /// (Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging", 2019). Its patches have
    /// 187 frames with a hop of 256 samples: as for `gtzan8`, 186 * 256 = 47,616 samples every 187 * 256 = 47,872.
    Musicnn,
    /// `choi`: the first 29 s at 12,000 Hz (348,000 samples), shorter clips lengthened with zeros (Choi, Fazekas, Sandler, Cho,
    /// "Transfer learning for music classification and regression tasks", ISMIR 2017).
    Choi,
}

impl SegmentPreset {
    /// All presets.
    pub const ALL: [Self; 4] = [Self::Mlfcf, Self::Gtzan8, Self::Musicnn, Self::Choi];

    /// The name that [`FromStr`] and configs know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mlfcf => "mlfcf",
            Self::Gtzan8 => "gtzan8",
            Self::Musicnn => "musicnn",
            Self::Choi => "choi",
        }
    }

    /// The sample rate in Hz that the lengths are meant for.
    #[must_use]
    pub fn sample_rate(self) -> u32 {
        match self {
            Self::Mlfcf => 22_050,
            Self::Gtzan8 | Self::Musicnn => 16_000,
            Self::Choi => 12_000,
        }
    }

    /// The rule.
    #[must_use]
    pub fn config(self) -> SegmentConfig {
        match self {
            Self::Mlfcf => SegmentConfig::default(),
            Self::Gtzan8 => blocks(125, 512),
            Self::Musicnn => blocks(187, 256),
            Self::Choi => SegmentConfig {
                clip_length: 348_000,
                segment_length: 348_000,
                segments: 1,
                short_clip: ShortClip::Pad,
                choice: SegmentChoice::First,
                ..SegmentConfig::default()
            },
        }
    }
}

/// Blocks of `frames` centred frames every `hop_length` samples, side by side.
fn blocks(frames: usize, hop_length: usize) -> SegmentConfig {
    let segment_length = (frames - 1) * hop_length;
    SegmentConfig {
        clip_length: segment_length,
        segment_length,
        segments: 1,
        short_clip: ShortClip::Reject,
        hop_length: Some(frames * hop_length),
        choice: SegmentChoice::All,
        tail: Tail::Drop,
    }
}

impl FromStr for SegmentPreset {
    type Err = AudioError;

    fn from_str(name: &str) -> Result<Self, AudioError> {
        let names = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|preset| preset.name() == name);
        found.ok_or_else(|| AudioError::config("preset", name, names()))
    }
}
