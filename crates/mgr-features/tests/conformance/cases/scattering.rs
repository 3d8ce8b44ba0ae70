//! Time scattering.

use mgr_features::FeatureConfig;
use mgr_features::scattering::{Averaging, MlfcfScatteringConfig, Precision, Scaling, ScatteringConfig};

use super::Case;

fn config(j: u32, q: u32) -> ScatteringConfig {
    ScatteringConfig { j, q, ..ScatteringConfig::default() }
}

pub(super) fn cases() -> Vec<Case> {
    // Where columns lie depends on the signal's length, which a stream of the common kind is not told.
    let case = |config| Case::new(FeatureConfig::Scattering(config)).homogeneous(1.0).whole();
    vec![
        case(ScatteringConfig::default()),
        case(ScatteringConfig { precision: Precision::Double, ..config(5, 4) }),
        case(ScatteringConfig { scaling: Scaling::Legacy, oversampling: 2, q2: 2, ..config(6, 3) }),
        case(ScatteringConfig { averaging: Averaging::Global, ..config(5, 2) }),
        case(ScatteringConfig { averaging: Averaging::Samples(100), max_order: 1, ..config(4, 1) }),
        // Long enough for blocks.
        case(config(3, 2)).length(15_000),
        Case::new(FeatureConfig::MlfcfScattering(MlfcfScatteringConfig::default())).whole(),
    ]
}

pub(super) fn refused() -> Vec<(FeatureConfig, &'static str)> {
    let refused = |config, field| (FeatureConfig::Scattering(config), field);
    let averaging = |averaging| ScatteringConfig { averaging, ..ScatteringConfig::default() };
    let front_end = |scattering| FeatureConfig::MlfcfScattering(MlfcfScatteringConfig { scattering });
    vec![
        refused(config(0, 8), "j"),
        refused(config(17, 8), "j"),
        refused(config(8, 0), "q"),
        refused(config(8, u32::MAX), "q"),
        refused(ScatteringConfig { q2: 0, ..config(8, 8) }, "q2"),
        refused(ScatteringConfig { max_order: 0, ..config(8, 8) }, "max_order"),
        refused(ScatteringConfig { max_order: 3, ..config(8, 8) }, "max_order"),
        refused(ScatteringConfig { oversampling: 33, ..config(8, 8) }, "oversampling"),
        refused(averaging(Averaging::Samples(0)), "averaging.samples"),
        refused(averaging(Averaging::Samples(u32::MAX)), "averaging.samples"),
        refused(averaging(Averaging::None), "averaging"),
        (front_end(averaging(Averaging::Global)), "averaging"),
        (front_end(averaging(Averaging::None)), "averaging"),
    ]
}
