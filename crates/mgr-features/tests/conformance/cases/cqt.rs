//! Constant-Q transforms and what is folded of them.

use mgr_features::FeatureConfig;
use mgr_features::chroma::cens::ChromaCensConfig;
use mgr_features::chroma::cqt::{ChromaCqtConfig, TonnetzConfig};
use mgr_features::chroma::{CqtClassesConfig, CqtMode};
use mgr_features::cqt::{CqtConfig, Gamma, HybridCqtConfig, PseudoCqtConfig, VqtConfig, WaveletNorm};
use mgr_features::frame::Padding;
use mgr_features::normalize::Norm;
use mgr_features::pitch::tuning::TuningSource;
use mgr_features::window::Window;

use super::Case;

fn two_octaves() -> CqtConfig {
    CqtConfig { f_min: 220.0, n_bins: 24, hop_length: 256, ..CqtConfig::default() }
}

fn classes(tuning: TuningSource) -> CqtClassesConfig {
    CqtClassesConfig { f_min: 130.8, n_octaves: 3, tuning, ..CqtClassesConfig::default() }
}

pub(super) fn cases() -> Vec<Case> {
    let mut all = vec![
        Case::new(FeatureConfig::Cqt(CqtConfig::default())).homogeneous(1.0),
        Case::new(FeatureConfig::Vqt(VqtConfig::default())).homogeneous(1.0),
        Case::new(FeatureConfig::HybridCqt(HybridCqtConfig::default())).homogeneous(1.0),
        Case::new(FeatureConfig::PseudoCqt(PseudoCqtConfig { cqt: two_octaves() })).homogeneous(1.0),
        // All of one kind: every filter short, every filter long.
        Case::new(FeatureConfig::HybridCqt(HybridCqtConfig {
            cqt: CqtConfig { f_min: 2000.0, n_bins: 12, ..two_octaves() },
        }))
        .homogeneous(1.0),
        Case::new(FeatureConfig::HybridCqt(HybridCqtConfig {
            cqt: CqtConfig { f_min: 50.0, n_bins: 5, hop_length: 64, ..two_octaves() },
        }))
        .homogeneous(1.0),
        Case::new(FeatureConfig::Vqt(VqtConfig { cqt: two_octaves(), gamma: Gamma::Hz(30.0) })).homogeneous(1.0),
        Case::new(FeatureConfig::ChromaCqt(ChromaCqtConfig {
            classes: classes(TuningSource::Estimated),
            ..ChromaCqtConfig::default()
        }))
        .whole(),
        Case::new(FeatureConfig::ChromaCqt(ChromaCqtConfig {
            classes: CqtClassesConfig { mode: CqtMode::Hybrid, ..classes(TuningSource::Fixed(-0.2)) },
            threshold: 0.01,
            norm: Norm::L2,
        })),
        Case::new(FeatureConfig::ChromaCens(ChromaCensConfig {
            classes: classes(TuningSource::Estimated),
            ..ChromaCensConfig::default()
        }))
        .whole(),
        Case::new(FeatureConfig::ChromaCens(ChromaCensConfig {
            classes: classes(TuningSource::Fixed(0.1)),
            win_len_smooth: 0,
            ..ChromaCensConfig::default()
        }))
        .whole(),
        Case::new(FeatureConfig::Tonnetz(TonnetzConfig {
            chroma: ChromaCqtConfig { classes: classes(TuningSource::Fixed(0.0)), ..ChromaCqtConfig::default() },
        })),
    ];
    // Every way of the tables and the rates: early halvings, odd hops, kernels as spectra, in time and folded, each padding.
    for (n_bins, bins_per_octave, hop_length) in [(12, 12, 512), (30, 12, 77), (40, 48, 96), (1, 12, 1)] {
        for padding in [Padding::Zero, Padding::Reflect, Padding::Symmetric, Padding::Edge] {
            let cqt = CqtConfig { n_bins, bins_per_octave, hop_length, padding, ..two_octaves() };
            all.push(Case::new(FeatureConfig::Cqt(cqt)).homogeneous(1.0));
        }
    }
    let cqt = CqtConfig {
        window: Window::Hamming,
        norm: WaveletNorm::L2,
        sparsity: 0.0,
        scale: false,
        filter_scale: 0.5,
        tuning: 0.3,
        ..two_octaves()
    };
    all.push(Case::new(FeatureConfig::Cqt(cqt)).homogeneous(1.0));
    all
}

pub(super) fn refused() -> Vec<(FeatureConfig, &'static str)> {
    let cqt = |config| FeatureConfig::Cqt(config);
    let default = CqtConfig::default;
    let mut all = vec![
        (cqt(CqtConfig { hop_length: 0, ..default() }), "hop_length"),
        (cqt(CqtConfig { n_bins: 0, ..default() }), "n_bins"),
        (cqt(CqtConfig { n_bins: usize::MAX, ..default() }), "n_bins"),
        (cqt(CqtConfig { n_bins: 110, ..default() }), "n_bins"),
        (cqt(CqtConfig { bins_per_octave: 0, ..default() }), "bins_per_octave"),
        (cqt(CqtConfig { f_min: 1e-9, ..default() }), "f_min"),
        (cqt(CqtConfig { window: Window::Kaiser { beta: f64::NAN }, ..default() }), "window.kaiser.beta"),
        (
            FeatureConfig::PseudoCqt(PseudoCqtConfig { cqt: CqtConfig { n_bins: 120, ..default() } }),
            "n_bins",
        ),
        (
            FeatureConfig::ChromaCqt(ChromaCqtConfig {
                classes: CqtClassesConfig { n_chroma: 7, ..CqtClassesConfig::default() },
                ..ChromaCqtConfig::default()
            }),
            "n_chroma",
        ),
        (
            FeatureConfig::ChromaCens(ChromaCensConfig {
                win_len_smooth: usize::MAX,
                ..ChromaCensConfig::default()
            }),
            "win_len_smooth",
        ),
    ];
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        all.push((cqt(CqtConfig { f_min: bad, ..default() }), "f_min"));
        all.push((cqt(CqtConfig { filter_scale: bad, ..default() }), "filter_scale"));
    }
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        all.push((cqt(CqtConfig { sparsity: bad, ..default() }), "sparsity"));
        all.push((FeatureConfig::Vqt(VqtConfig { cqt: default(), gamma: Gamma::Hz(bad) }), "gamma.hz"));
    }
    all.push((cqt(CqtConfig { tuning: f64::NAN, ..default() }), "tuning"));
    all
}
