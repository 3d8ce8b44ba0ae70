//! Descriptors of spectra and of frames.

use mgr_features::FeatureConfig;
use mgr_features::frame::{Centering, Padding};
use mgr_features::spectral::{
    BandwidthConfig, CentroidConfig, ContrastConfig, ContrastScale, FlatnessConfig, PolyConfig, RmsConfig,
    RolloffConfig, SpectralRmsConfig, ZeroCrossingConfig, ZeroSign,
};
use mgr_features::stft::{Conditioning, StftConfig};

use super::Case;

fn stft(n_fft: usize, hop_length: usize) -> StftConfig {
    StftConfig { n_fft, hop_length, ..StftConfig::default() }
}

/// Odd, hop over the window, not centred.
fn odd() -> StftConfig {
    StftConfig { centering: Centering::LeftAligned, ..stft(255, 300) }
}

fn contrast(scale: ContrastScale) -> FeatureConfig {
    FeatureConfig::SpectralContrast(ContrastConfig { scale, ..ContrastConfig::default() })
}

pub(super) fn cases() -> Vec<Case> {
    let mut all = vec![
        Case::new(FeatureConfig::SpectralCentroid(CentroidConfig::default())).homogeneous(0.0),
        Case::new(FeatureConfig::SpectralCentroid(CentroidConfig { stft: odd() })).homogeneous(0.0),
        Case::new(FeatureConfig::SpectralCentroid(CentroidConfig { stft: stft(1, 1) })).homogeneous(0.0),
        Case::new(FeatureConfig::SpectralRolloff(RolloffConfig::default())).homogeneous(0.0),
        Case::new(FeatureConfig::SpectralRolloff(RolloffConfig { stft: odd(), roll_percent: 0.5 })),
        Case::new(FeatureConfig::SpectralFlatness(FlatnessConfig::default())),
        Case::new(FeatureConfig::SpectralFlatness(FlatnessConfig { stft: odd(), amin: 1e-3, power: 0.7 })),
        Case::new(contrast(ContrastScale::default())).whole(),
        Case::new(contrast(ContrastScale::Decibel { top_db: None })),
        Case::new(contrast(ContrastScale::Linear)).homogeneous(1.0),
        Case::new(FeatureConfig::SpectralContrast(ContrastConfig {
            stft: stft(1000, 300),
            f_min: 100.0,
            n_bands: 3,
            quantile: 0.5,
            scale: ContrastScale::Linear,
        })),
        Case::new(FeatureConfig::PolyFeatures(PolyConfig::default())).homogeneous(1.0),
        Case::new(FeatureConfig::PolyFeatures(PolyConfig { stft: odd(), order: 4 })),
        Case::new(FeatureConfig::PolyFeatures(PolyConfig { stft: stft(1, 1), order: 0 })),
        Case::new(FeatureConfig::SpectralRms(SpectralRmsConfig::default())).homogeneous(1.0),
        Case::new(FeatureConfig::SpectralRms(SpectralRmsConfig { stft: odd() })).homogeneous(1.0),
        Case::new(FeatureConfig::ZeroCrossingRate(ZeroCrossingConfig::default())).homogeneous(0.0),
        Case::new(FeatureConfig::ZeroCrossingRate(ZeroCrossingConfig {
            frame_length: 101,
            hop_length: 150,
            centering: Centering::LeftAligned,
            threshold: 0.1,
            zero: ZeroSign::Own,
            count_first: true,
        })),
    ];
    // A short window that is not in the middle of its transform, and frames that are conditioned.
    for conditioning in [None, Some(Conditioning::default())] {
        let centering = Centering::WindowAligned;
        let stft = StftConfig { win_length: Some(401), centering, conditioning, ..stft(512, 200) };
        all.push(Case::new(FeatureConfig::SpectralCentroid(CentroidConfig { stft })).homogeneous(0.0));
    }
    for p in [0.5, 1.0, 2.0, 3.0, 4.0, 5.0] {
        let config = |norm| FeatureConfig::SpectralBandwidth(BandwidthConfig { stft: stft(512, 100), p, norm });
        all.push(Case::new(config(true)).homogeneous(0.0));
        all.push(Case::new(config(false)).homogeneous(1.0 / p as f32));
    }
    for padding in [Padding::Zero, Padding::Reflect, Padding::Symmetric, Padding::Edge] {
        for centering in [Centering::Centered, Centering::LeftAligned] {
            for (frame_length, hop_length) in [(2048, 512), (255, 300), (1, 1)] {
                let config = RmsConfig { frame_length, hop_length, centering, padding };
                all.push(Case::new(FeatureConfig::Rms(config)).homogeneous(1.0));
            }
        }
    }
    all
}

pub(super) fn refused() -> Vec<(FeatureConfig, &'static str)> {
    let bandwidth = |p| FeatureConfig::SpectralBandwidth(BandwidthConfig { p, ..BandwidthConfig::default() });
    let rolloff = |roll_percent| {
        FeatureConfig::SpectralRolloff(RolloffConfig { roll_percent, ..RolloffConfig::default() })
    };
    let flatness = |amin, power| {
        FeatureConfig::SpectralFlatness(FlatnessConfig { amin, power, ..FlatnessConfig::default() })
    };
    let contrast = |n_fft, f_min, n_bands, quantile| {
        let scale = ContrastScale::default();
        let stft = stft(n_fft, 512);
        FeatureConfig::SpectralContrast(ContrastConfig { stft, f_min, n_bands, quantile, scale })
    };
    let poly = |n_fft, order| FeatureConfig::PolyFeatures(PolyConfig { stft: stft(n_fft, 512), order });
    let crossing = |frame_length, threshold| {
        let default = ZeroCrossingConfig::default();
        FeatureConfig::ZeroCrossingRate(ZeroCrossingConfig { frame_length, threshold, ..default })
    };
    let top_db = ContrastScale::Decibel { top_db: Some(f32::NAN) };
    vec![
        (FeatureConfig::SpectralCentroid(CentroidConfig { stft: stft(0, 1) }), "n_fft"),
        (bandwidth(0.0), "p"),
        (bandwidth(f64::NAN), "p"),
        (rolloff(0.0), "roll_percent"),
        (rolloff(1.0), "roll_percent"),
        (rolloff(f32::NAN), "roll_percent"),
        (flatness(0.0, 2.0), "amin"),
        (flatness(1e-10, 0.0), "power"),
        (contrast(2048, 0.0, 6, 0.02), "f_min"),
        // The seventh octave over 200 Hz begins over half the sampling rate.
        (contrast(2048, 200.0, 7, 0.02), "f_min"),
        (contrast(2048, 200.0, 0, 0.02), "n_bands"),
        (contrast(2048, 200.0, 6, 1.0), "quantile"),
        (contrast(64, 200.0, 6, 0.02), "n_fft"),
        (
            FeatureConfig::SpectralContrast(ContrastConfig { scale: top_db, ..ContrastConfig::default() }),
            "top_db",
        ),
        (poly(2048, 13), "order"),
        (poly(4, 3), "order"),
        (crossing(0, 0.0), "frame_length"),
        (crossing(2048, -1.0), "threshold"),
        (FeatureConfig::Rms(RmsConfig { hop_length: 0, ..RmsConfig::default() }), "hop_length"),
    ]
}
