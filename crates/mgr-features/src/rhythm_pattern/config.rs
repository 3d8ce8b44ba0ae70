//! The parameters of rhythm patterns.

use serde::{Deserialize, Serialize};

/// Parameters of rhythm patterns. Defaults are those of TU Wien's rp_extract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RhythmPatternConfig {
    /// Bark bands from the lowest, 2 to 24. Default 24, whatever the sampling rate: bands over half of it hold what masking spreads
    /// to them. The reference recommends 15 at 11,025 Hz and 20 at 22,050 Hz, and uses 24.
    pub n_bands: usize,
    /// Modulation frequencies, 1 to 256: multiples of the sampling rate over the segment's length, 0.168 Hz. Default 60, up to
    /// 10.09 Hz.
    pub n_modulations: usize,
    /// Which segments are taken.
    pub segments: SegmentationConfig,
    /// What is done on the way from power to loudness.
    pub stages: Stages,
}

impl Default for RhythmPatternConfig {
    fn default() -> Self {
        Self {
            n_bands: 24,
            n_modulations: 60,
            segments: SegmentationConfig::default(),
            stages: Stages::default(),
        }
    }
}

/// Which segments of a clip are taken. All are 5.944 s long: 2^16 samples at 11,025 Hz, 2^17 at 22,050 Hz, 2^18 at 44,100 Hz.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SegmentationConfig {
    /// Segments from the start of one to the start of the next, 1 to 10^6; clips shorter than 45 s have 1. Default 1.
    pub step_width: usize,
    /// Segments left out at either end, 0 to 10^6; clips shorter than 45 s have 0. Default 1.
    pub skip_lead_in_fade_out: usize,
    /// What becomes of clips without a whole segment. Default refused.
    pub short: ShortClip,
}

impl Default for SegmentationConfig {
    fn default() -> Self {
        Self { step_width: 1, skip_lead_in_fade_out: 1, short: ShortClip::default() }
    }
}

/// What becomes of a clip that is too short for a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortClip {
    /// An error, as in the reference.
    #[default]
    Refuse,
    /// Zeros follow it up to a segment's length; [`Extractor::remark`](crate::Extractor::remark) tells how many. A clip of 45 s or
    /// more of which the lead-in and the fade-out leave nothing is taken without leaving them out.
    PadZeros,
}

/// What is done on the way from power to loudness, each stage switchable. Default: all but the outer ear.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "switches, each of one stage")]
pub struct Stages {
    /// Terhardt's transmission of the outer ear, `-3.64 f^-0.8 + 6.5 exp(-0.6 (f - 3.3)^2) - 0.001 f^4` dB with `f` in kHz. Default
    /// no: the reference in Python has it not, its predecessor in Matlab had.
    pub outer_ear: bool,
    /// Powers summed up in Bark bands; without, every bin of the transform is a row.
    pub bark: bool,
    /// Spectral masking: power spreads to neighbouring bands. Needs Bark bands.
    pub spectral_masking: bool,
    /// `10 log10 max(P, 1)`.
    pub decibel: bool,
    /// Loudness level in phon, at least 3. Needs Bark bands; what goes in counts as decibels.
    pub phon: bool,
    /// Loudness in sone. Only where there are phon, as in the reference.
    pub sone: bool,
    /// Rhythm patterns weighted by `1 / (f / 4 + 4 / f)`, largest at modulations of 4 Hz, which are heard most.
    pub fluctuation_weighting: bool,
}

impl Default for Stages {
    fn default() -> Self {
        Self {
            outer_ear: false,
            bark: true,
            spectral_masking: true,
            decibel: true,
            phon: true,
            sone: true,
            fluctuation_weighting: true,
        }
    }
}

/// Parameters of vectors of the rhythm pattern family. Defaults: RP, SSD and RH of a clip, as rp_extract's batch tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RpFeaturesConfig {
    /// The analysis.
    pub analysis: RhythmPatternConfig,
    /// What is put one after another, each once. Default RP, SSD, RH.
    pub parts: Vec<RhythmPart>,
    /// One vector for a clip or one for a segment. Default for a clip.
    pub per: Per,
}

impl Default for RpFeaturesConfig {
    fn default() -> Self {
        Self {
            analysis: RhythmPatternConfig::default(),
            parts: vec![RhythmPart::Rp, RhythmPart::Ssd, RhythmPart::Rh],
            per: Per::default(),
        }
    }
}

/// What a column stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// One column for the clip: medians of RP and RH over the segments, means of SSD and MVD, statistics of TSSD and TRH.
    #[default]
    Clip,
    /// One column for each segment; TSSD and TRH, which are of several segments, are refused.
    Segment,
}

/// A feature of the family. `b` bands and `m` modulation frequencies; statistics are mean, variance, skewness, kurtosis (3 for a
/// normal distribution), median, smallest, largest, in this order, the slowest index of a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RhythmPart {
    /// Rhythm pattern: modulation of the loudness of each band, weighted; `b m` values, the band the fastest index.
    Rp,
    /// Rhythm histogram: modulation summed over the bands, not weighted; `m` values.
    Rh,
    /// Statistical spectrum descriptor: statistics of the loudness of each band over time; `7 b` values.
    Ssd,
    /// Temporal rhythm histogram: statistics of RH over the segments; `7 m` values.
    Trh,
    /// Temporal statistical spectrum descriptor: statistics of SSD over the segments; `49 b` values.
    Tssd,
    /// Modulation frequency variance descriptor: statistics over the bands of each modulation, not weighted; `7 m` values.
    Mvd,
}
