//! The feature set of Tzanetakis and Cook.

use mgr_features::FeatureConfig;
use mgr_features::tzanetakis::{
    BeatColumns, BeatHistogramConfig, PitchHistogramConfig, TzanetakisCookConfig,
};

use super::Case;

fn short_beat() -> BeatHistogramConfig {
    BeatHistogramConfig { win_length: 4096, hop_length: 1000, bpm_min: 400, bpm_max: 900, ..BeatHistogramConfig::default() }
}

pub(super) fn cases() -> Vec<Case> {
    let set = |beat| FeatureConfig::TzanetakisCook(TzanetakisCookConfig { memory: 3, beat, ..TzanetakisCookConfig::default() });
    let folded = PitchHistogramConfig { folded: true, hop_length: 700, ..PitchHistogramConfig::default() };
    vec![
        Case::new(FeatureConfig::TzanetakisCook(TzanetakisCookConfig::default())).whole().length(66_000),
        Case::new(set(short_beat())).whole(),
        Case::new(FeatureConfig::BeatHistogram(BeatHistogramConfig { pad: true, ..BeatHistogramConfig::default() })).whole(),
        Case::new(FeatureConfig::BeatHistogram(BeatHistogramConfig { columns: BeatColumns::Windows, ..short_beat() })).whole(),
        Case::new(FeatureConfig::PitchHistogram(PitchHistogramConfig::default())).whole(),
        Case::new(FeatureConfig::PitchHistogram(folded)).whole(),
    ]
}

pub(super) fn refused() -> Vec<(FeatureConfig, &'static str)> {
    let set = |win_length, hop_length, memory, field| {
        let config = TzanetakisCookConfig { win_length, hop_length, memory, ..TzanetakisCookConfig::default() };
        (FeatureConfig::TzanetakisCook(config), field)
    };
    let beat = |change: fn(&mut BeatHistogramConfig), field| {
        let mut config = BeatHistogramConfig::default();
        change(&mut config);
        (FeatureConfig::BeatHistogram(config), field)
    };
    let pitch = |change: fn(&mut PitchHistogramConfig), field| {
        let mut config = PitchHistogramConfig::default();
        change(&mut config);
        (FeatureConfig::PitchHistogram(config), field)
    };
    vec![
        set(3, 512, 43, "win_length"),
        set(512, 0, 43, "hop_length"),
        set(512, 512, 0, "memory"),
        beat(|c| c.win_length = 65_535, "win_length"),
        beat(|c| c.hop_length = 0, "hop_length"),
        beat(|c| c.levels = 9, "levels"),
        beat(|c| c.smoothing = 1.0, "smoothing"),
        beat(|c| c.smoothing = f64::NAN, "smoothing"),
        beat(|c| c.decimation = 0, "decimation"),
        beat(|c| c.enhancement = 0, "enhancement"),
        beat(|c| c.peaks = 0, "peaks"),
        beat(|c| c.bpm_max = usize::MAX, "bpm_max"),
        beat(|c| c.bpm_min = 200, "bpm_min"),
        beat(|c| c.bpm_min = 0, "bpm_min"),
        // Beats further apart than a window is long.
        beat(|c| c.bpm_min = 20, "bpm_min"),
        pitch(|c| c.win_length = 15, "win_length"),
        pitch(|c| c.hop_length = 0, "hop_length"),
        pitch(|c| c.enhancement = 17, "enhancement"),
        pitch(|c| c.peaks = 65, "peaks"),
        pitch(|c| c.split_hz = 11_025.0, "split_hz"),
        pitch(|c| c.low_cut_hz = 0.0, "low_cut_hz"),
        pitch(|c| c.exponent = f64::NAN, "exponent"),
        pitch(|c| c.f_max = 6000.0, "f_max"),
        pitch(|c| c.f_min = 40.0, "f_min"),
    ]
}
