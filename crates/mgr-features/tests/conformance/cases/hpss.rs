//! The harmonic, percussive and residual parts of a signal.

use mgr_features::compress::{Compression, Reference};
use mgr_features::frame::Padding;
use mgr_features::hpss::{
    Component, HpssConfig, HpssMaskConfig, HpssMelConfig, HpssSpectrogramConfig, Mask, SeparationConfig,
};
use mgr_features::mel::MelBankConfig;
use mgr_features::stft::StftConfig;
use mgr_features::{FeatureConfig, mlfcf};

use super::Case;

fn hpss(n_fft: usize, hop_length: usize, lengths: [usize; 2], margins: [f32; 2], mask: Mask) -> HpssConfig {
    let [harmonic_length, percussive_length] = lengths;
    let [harmonic_margin, percussive_margin] = margins;
    HpssConfig {
        stft: StftConfig { n_fft, hop_length, ..StftConfig::default() },
        separation: SeparationConfig {
            harmonic_length,
            percussive_length,
            mask,
            harmonic_margin,
            percussive_margin,
        },
    }
}

pub(super) fn cases() -> Vec<Case> {
    let soft = |power| Mask::Soft { power };
    let mut all = vec![
        Case::new(FeatureConfig::HpssSpectrogram(HpssSpectrogramConfig::default())).homogeneous(1.0),
        Case::new(FeatureConfig::HpssMask(HpssMaskConfig::default())),
        Case::new(FeatureConfig::HpssMel(HpssMelConfig::default())).whole(),
        Case::new(FeatureConfig::HpssSpectrogram(mlfcf::harmonic())),
        Case::new(FeatureConfig::HpssSpectrogram(mlfcf::percussive())),
        Case::new(FeatureConfig::LogMel(mlfcf::mel())),
    ];
    // Medians longer than the signal or the spectrum, medians of one value, hops over the window, odd transforms.
    for (hpss, component) in [
        (hpss(512, 1024, [31, 31], [1.0, 1.0], soft(2.0)), Component::Percussive),
        (hpss(255, 100, [1, 601], [1.0, 3.0], soft(1.0)), Component::Residual),
        (hpss(64, 64, [129, 1], [2.0, 1.0], Mask::Hard), Component::Harmonic),
        (hpss(100, 33, [17, 13], [1.5, 2.0], soft(3.0)), Component::Residual),
        (hpss(1, 700, [3, 5], [1.0, 1.0], soft(0.7)), Component::Harmonic),
    ] {
        let stft = StftConfig { padding: Padding::Reflect, ..hpss.stft.clone() };
        let hpss = HpssConfig { stft, ..hpss };
        let mask = HpssMaskConfig { hpss: hpss.clone(), component };
        all.push(Case::new(FeatureConfig::HpssMask(mask)));
        let spectrogram = HpssSpectrogramConfig { hpss: hpss.clone(), component, power: 2.0, compression: None };
        all.push(Case::new(FeatureConfig::HpssSpectrogram(spectrogram)).homogeneous(2.0));
        let spectrogram =
            HpssSpectrogramConfig { hpss, component, power: 1.5, compression: Some(Compression::Ln { floor: 1e-9 }) };
        all.push(Case::new(FeatureConfig::HpssSpectrogram(spectrogram)));
    }
    let mel = |compression| HpssMelConfig {
        hpss: hpss(512, 128, [9, 31], [1.0, 1.0], soft(2.0)),
        component: Component::Percussive,
        bank: MelBankConfig { n_mels: 20, ..MelBankConfig::default() },
        power: 1.0,
        compression,
    };
    let decibel = Compression::Decibel { reference: Reference::Max, amin: 1e-10, top_db: Some(80.0) };
    all.push(Case::new(FeatureConfig::HpssMel(mel(decibel))).whole());
    all.push(Case::new(FeatureConfig::HpssMel(mel(Compression::LnReplacingZero { zero: 1e-6 }))));
    all
}

pub(super) fn refused() -> Vec<(FeatureConfig, &'static str)> {
    let mask = |separation| {
        FeatureConfig::HpssMask(HpssMaskConfig {
            hpss: HpssConfig { separation, ..HpssConfig::default() },
            ..HpssMaskConfig::default()
        })
    };
    let default = SeparationConfig::default;
    let mut all = vec![
        (mask(SeparationConfig { harmonic_length: 30, ..default() }), "harmonic_length"),
        (mask(SeparationConfig { harmonic_length: 0, ..default() }), "harmonic_length"),
        (mask(SeparationConfig { percussive_length: usize::MAX, ..default() }), "percussive_length"),
    ];
    for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        all.extend([
            (mask(SeparationConfig { harmonic_margin: bad, ..default() }), "harmonic_margin"),
            (mask(SeparationConfig { percussive_margin: bad, ..default() }), "percussive_margin"),
            (mask(SeparationConfig { mask: Mask::Soft { power: bad }, ..default() }), "power"),
            (
                FeatureConfig::HpssSpectrogram(HpssSpectrogramConfig { power: bad, ..Default::default() }),
                "power",
            ),
            (FeatureConfig::HpssMel(HpssMelConfig { power: bad, ..Default::default() }), "power"),
        ]);
    }
    let compression = Some(Compression::Ln { floor: -1.0 });
    let spectrogram = HpssSpectrogramConfig { compression, ..Default::default() };
    all.push((FeatureConfig::HpssSpectrogram(spectrogram), "floor"));
    let bank = MelBankConfig { n_mels: 0, ..Default::default() };
    all.push((FeatureConfig::HpssMel(HpssMelConfig { bank, ..Default::default() }), "n_mels"));
    let zero = Compression::LnReplacingZero { zero: 0.0 };
    all.push((FeatureConfig::HpssMel(HpssMelConfig { compression: zero, ..Default::default() }), "zero"));
    all
}
