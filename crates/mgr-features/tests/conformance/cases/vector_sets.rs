//! Feature vectors of the literature.

use mgr_features::FeatureConfig;
use mgr_features::frame::Padding;
use mgr_features::vector_sets::{
    Bahuleyan97Config, ChoiMfcc120Config, DescriptorRate, Fma518Config, FourthBandwidth, Gtzan8MfccConfig,
    Gtzan57Config, Rounding, SignalTail,
};

use super::Case;

pub(super) fn cases() -> Vec<Case> {
    let all = vec![
        FeatureConfig::Gtzan57(Gtzan57Config::default()),
        FeatureConfig::Gtzan57(Gtzan57Config { padding: Padding::Zero, tail: SignalTail::Inverse }),
        FeatureConfig::Fma518(Fma518Config::default()),
        FeatureConfig::Fma518(Fma518Config { descriptor_rate: DescriptorRate::Own, padding: Padding::Edge }),
        FeatureConfig::Bahuleyan97(Bahuleyan97Config::default()),
        FeatureConfig::Bahuleyan97(Bahuleyan97Config {
            fourth_bandwidth: FourthBandwidth::Own,
            rounding: Rounding::None,
            padding: Padding::Zero,
        }),
        FeatureConfig::ChoiMfcc120(ChoiMfcc120Config::default()),
        // Most of the signal is left out.
        FeatureConfig::ChoiMfcc120(ChoiMfcc120Config { seconds: 0.1, padding: Padding::Zero }),
        FeatureConfig::Gtzan8Mfcc(Gtzan8MfccConfig::default()),
        FeatureConfig::Gtzan8Mfcc(Gtzan8MfccConfig { descriptor_rate: DescriptorRate::Own, padding: Padding::Zero }),
    ];
    all.into_iter().map(|config| Case::new(config).whole()).collect()
}

pub(super) fn refused() -> Vec<(FeatureConfig, &'static str)> {
    let choi = |seconds| FeatureConfig::ChoiMfcc120(ChoiMfcc120Config { seconds, ..ChoiMfcc120Config::default() });
    let rounding = Rounding::Decimals(13);
    vec![
        (choi(0.0), "seconds"),
        (choi(f64::NAN), "seconds"),
        (choi(1e9), "seconds"),
        (FeatureConfig::Bahuleyan97(Bahuleyan97Config { rounding, ..Bahuleyan97Config::default() }), "decimals"),
    ]
}
