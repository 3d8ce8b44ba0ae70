//! Fundamental frequency.

use mgr_features::FeatureConfig;
use mgr_features::frame::{Centering, Padding};
use mgr_features::pitch::pyin::{PyinConfig, Unvoiced};
use mgr_features::pitch::yin::YinConfig;

use super::Case;

pub(super) fn cases() -> Vec<Case> {
    let yin = |config| Case::new(FeatureConfig::Yin(config));
    let pyin = |config| Case::new(FeatureConfig::Pyin(config)).whole();
    let (default, probable) = (YinConfig::default, PyinConfig::default);
    vec![
        yin(default()),
        yin(YinConfig { padding: Padding::Reflect, trough_threshold: 0.0, ..default() }),
        yin(YinConfig { f_min: 100.0, frame_length: 701, hop_length: 97, padding: Padding::Edge, ..default() }),
        yin(YinConfig {
            f_max: 11_025.0,
            hop_length: 3000,
            centering: Centering::LeftAligned,
            trough_threshold: 2.0,
            ..default()
        }),
        pyin(probable()),
        pyin(PyinConfig {
            f_min: 110.0,
            frame_length: 513,
            hop_length: 100,
            n_thresholds: 7,
            beta_parameters: [1.0, 3.5],
            resolution: 0.4,
            unvoiced: Unvoiced::BestGuess,
            padding: Padding::Symmetric,
            ..probable()
        }),
        pyin(PyinConfig {
            centering: Centering::LeftAligned,
            switch_prob: 0.0,
            no_trough_prob: 1.0,
            max_transition_rate: 0.0,
            unvoiced: Unvoiced::Value(-1.0),
            ..probable()
        }),
    ]
}

pub(super) fn refused() -> Vec<(FeatureConfig, &'static str)> {
    let yin = FeatureConfig::Yin;
    let pyin = FeatureConfig::Pyin;
    let (default, probable) = (YinConfig::default, PyinConfig::default);
    vec![
        (yin(YinConfig { f_max: 11_026.0, ..default() }), "f_max"),
        (yin(YinConfig { f_min: 3000.0, ..default() }), "f_min"),
        (yin(YinConfig { f_min: f64::NAN, ..default() }), "f_min"),
        (yin(YinConfig { frame_length: 300, ..default() }), "f_min"),
        (yin(YinConfig { frame_length: 0, ..default() }), "frame_length"),
        (yin(YinConfig { trough_threshold: f64::NAN, ..default() }), "trough_threshold"),
        (pyin(PyinConfig { f_min: -1.0, ..probable() }), "f_min"),
        (pyin(PyinConfig { hop_length: 0, ..probable() }), "hop_length"),
        (pyin(PyinConfig { n_thresholds: 0, ..probable() }), "n_thresholds"),
        (pyin(PyinConfig { beta_parameters: [2.0, 0.0], ..probable() }), "beta_parameters"),
        (pyin(PyinConfig { boltzmann_parameter: 0.0, ..probable() }), "boltzmann_parameter"),
        (pyin(PyinConfig { resolution: 0.0, ..probable() }), "resolution"),
        (pyin(PyinConfig { resolution: 0.0011, ..probable() }), "resolution"),
        (pyin(PyinConfig { max_transition_rate: 1e9, ..probable() }), "max_transition_rate"),
        (pyin(PyinConfig { max_transition_rate: -1.0, ..probable() }), "max_transition_rate"),
        (pyin(PyinConfig { switch_prob: 1.1, ..probable() }), "switch_prob"),
        (pyin(PyinConfig { no_trough_prob: f64::NAN, ..probable() }), "no_trough_prob"),
        (pyin(PyinConfig { unvoiced: Unvoiced::Value(f32::NAN), ..probable() }), "unvoiced"),
    ]
}
