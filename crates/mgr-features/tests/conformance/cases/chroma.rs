//! Chroma.

use mgr_features::FeatureConfig;
use mgr_features::chroma::FirstClass;
use mgr_features::chroma::filters::{ChromaBankConfig, OctaveWeight};
use mgr_features::chroma::stft::ChromaStftConfig;
use mgr_features::frame::Centering;
use mgr_features::normalize::Norm;
use mgr_features::pitch::tuning::TuningSource;
use mgr_features::stft::StftConfig;

use super::Case;

fn stft(n_fft: usize, hop_length: usize) -> StftConfig {
    StftConfig { n_fft, hop_length, ..StftConfig::default() }
}

fn feature(config: ChromaStftConfig) -> FeatureConfig {
    FeatureConfig::ChromaStft(config)
}

pub(super) fn cases() -> Vec<Case> {
    let default = ChromaStftConfig::default;
    let fixed = || ChromaStftConfig { tuning: TuningSource::Fixed(0.23), ..default() };
    let quarter_tones = ChromaBankConfig {
        n_chroma: 25,
        octaves: OctaveWeight::Flat,
        norm: Norm::L1,
        first: FirstClass::A,
    };
    vec![
        Case::new(feature(default())).whole(),
        Case::new(feature(ChromaStftConfig { norm: Norm::None, ..default() })).whole(),
        Case::new(feature(ChromaStftConfig { stft: stft(511, 700), norm: Norm::Lp(0.5), ..default() })).whole(),
        Case::new(feature(ChromaStftConfig { stft: stft(2, 1), ..default() })).whole().length(200),
        Case::new(feature(fixed())),
        Case::new(feature(ChromaStftConfig { norm: Norm::None, ..fixed() })).homogeneous(2.0),
        Case::new(feature(ChromaStftConfig {
            bank: quarter_tones,
            stft: StftConfig { centering: Centering::LeftAligned, ..stft(1001, 333) },
            norm: Norm::L2,
            ..fixed()
        })),
    ]
}

pub(super) fn refused() -> Vec<(FeatureConfig, &'static str)> {
    let default = ChromaStftConfig::default;
    let bank = ChromaBankConfig::default;
    vec![
        (feature(ChromaStftConfig { stft: stft(1, 1), ..default() }), "n_fft"),
        (feature(ChromaStftConfig { norm: Norm::Lp(-1.0), ..default() }), "norm"),
        (feature(ChromaStftConfig { tuning: TuningSource::Fixed(f64::NAN), ..default() }), "tuning"),
        (feature(ChromaStftConfig { bank: ChromaBankConfig { n_chroma: 0, ..bank() }, ..default() }), "n_chroma"),
        (
            feature(ChromaStftConfig {
                bank: ChromaBankConfig {
                    octaves: OctaveWeight::Gaussian { center: 5.0, width: -2.0 },
                    ..bank()
                },
                ..default()
            }),
            "width",
        ),
    ]
}
