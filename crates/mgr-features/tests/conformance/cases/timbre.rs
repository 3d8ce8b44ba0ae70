//! The timbre features of Marsyas.

use mgr_features::FeatureConfig;
use mgr_features::timbre::{TimbreConfig, TimbreDialect, TimbreOutput};

use super::Case;

pub(super) fn cases() -> Vec<Case> {
    let case = |config| Case::new(FeatureConfig::Timbre(config));
    let mut all = vec![case(TimbreConfig::default())];
    for output in [TimbreOutput::Frames, TimbreOutput::Texture, TimbreOutput::Clip] {
        for (chroma, dialect) in [(true, TimbreDialect::Clean), (false, TimbreDialect::Marsyas)] {
            let config = TimbreConfig { win_length: 255, hop_length: 100, memory: 7, chroma, output, dialect };
            all.push(case(config));
        }
    }
    all
}

pub(super) fn refused() -> Vec<(FeatureConfig, &'static str)> {
    let refused = |win_length, hop_length, memory, field| {
        let config = TimbreConfig { win_length, hop_length, memory, ..TimbreConfig::default() };
        (FeatureConfig::Timbre(config), field)
    };
    vec![
        refused(3, 1, 20, "win_length"),
        refused(1 << 17, 1, 20, "win_length"),
        refused(512, 0, 20, "hop_length"),
        refused(512, 513, 20, "hop_length"),
        refused(512, 512, 0, "memory"),
        refused(512, 512, usize::MAX, "memory"),
    ]
}
