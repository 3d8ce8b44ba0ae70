//! Rhythm patterns and their family.

use mgr_features::FeatureConfig;
use mgr_features::rhythm_pattern::{
    Per, RhythmPart, RhythmPatternConfig, RpFeaturesConfig, SegmentationConfig, ShortClip, Stages,
};

use super::Case;

/// Longer than a segment.
const LENGTH: usize = 132_000;

fn bins() -> Stages {
    Stages { bark: false, spectral_masking: false, phon: false, sone: false, ..Stages::default() }
}

fn pad() -> SegmentationConfig {
    SegmentationConfig { short: ShortClip::PadZeros, ..SegmentationConfig::default() }
}

pub(super) fn cases() -> Vec<Case> {
    let all =
        [RhythmPart::Rp, RhythmPart::Rh, RhythmPart::Ssd, RhythmPart::Trh, RhythmPart::Tssd, RhythmPart::Mvd];
    let family = |parts: &[RhythmPart], per, analysis| {
        let config = RpFeaturesConfig { analysis, parts: parts.to_vec(), per };
        Case::new(FeatureConfig::RpFeatures(config)).whole().length(LENGTH)
    };
    let power = Stages { decibel: false, phon: false, sone: false, ..Stages::default() };
    let default = RhythmPatternConfig::default;
    vec![
        Case::new(FeatureConfig::RhythmPattern(default())).whole().no_time().length(LENGTH),
        Case::new(FeatureConfig::RhythmPattern(RhythmPatternConfig {
            n_bands: 7,
            n_modulations: 3,
            segments: pad(),
            stages: power.clone(),
        }))
        .whole()
        .no_time()
        .homogeneous(2.0),
        Case::new(FeatureConfig::RhythmPattern(RhythmPatternConfig { stages: bins(), ..default() }))
            .whole()
            .no_time()
            .length(LENGTH),
        Case::new(FeatureConfig::RpFeatures(RpFeaturesConfig::default())).whole().length(LENGTH),
        family(&all, Per::Clip, RhythmPatternConfig { segments: pad(), ..default() }),
        family(
            &all[..3],
            Per::Segment,
            RhythmPatternConfig { n_bands: 2, n_modulations: 256, stages: Stages { outer_ear: true, ..Stages::default() }, ..default() },
        ),
        family(&[RhythmPart::Mvd, RhythmPart::Ssd], Per::Segment, RhythmPatternConfig { stages: bins(), ..default() }),
    ]
}

pub(super) fn refused() -> Vec<(FeatureConfig, &'static str)> {
    let pattern = |change: fn(&mut RhythmPatternConfig)| {
        let mut config = RhythmPatternConfig::default();
        change(&mut config);
        FeatureConfig::RhythmPattern(config)
    };
    let family = |parts: &[RhythmPart], per| {
        let analysis = RhythmPatternConfig::default();
        FeatureConfig::RpFeatures(RpFeaturesConfig { analysis, parts: parts.to_vec(), per })
    };
    vec![
        (pattern(|c| c.n_bands = 1), "n_bands"),
        (pattern(|c| c.n_bands = 25), "n_bands"),
        (pattern(|c| c.n_modulations = 0), "n_modulations"),
        (pattern(|c| c.n_modulations = 257), "n_modulations"),
        (pattern(|c| c.segments.step_width = 0), "step_width"),
        (pattern(|c| c.segments.skip_lead_in_fade_out = usize::MAX), "skip_lead_in_fade_out"),
        (pattern(|c| c.stages.bark = false), "spectral_masking"),
        (pattern(|c| c.stages = Stages { bark: false, spectral_masking: false, ..Stages::default() }), "phon"),
        (family(&[], Per::Clip), "parts"),
        (family(&[RhythmPart::Rp, RhythmPart::Rp], Per::Clip), "parts"),
        (family(&[RhythmPart::Tssd], Per::Segment), "parts"),
    ]
}
