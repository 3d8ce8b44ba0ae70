//! Spectrograms, mel spectrograms and their logarithms.

use mgr_features::compress::{Compression, Reference};
use mgr_features::dct::{DctNorm, DctType};
use mgr_features::delta::{DeltaConfig, DeltaMode};
use mgr_features::frame::{Centering, Padding};
use mgr_features::log_mel::LogMelConfig;
use mgr_features::mel::{MelBankConfig, MelConfig};
use mgr_features::mfcc::MfccConfig;
use mgr_features::pcen::{MaxAxis, PcenConfig, PcenCurveConfig};
use mgr_features::spectrogram::SpectrogramConfig;
use mgr_features::stft::{Conditioning, StftConfig};
use mgr_features::{FeatureConfig, presets};

use super::Case;

fn stft(n_fft: usize, hop_length: usize) -> StftConfig {
    StftConfig { n_fft, hop_length, ..StftConfig::default() }
}

pub(super) fn cases() -> Vec<Case> {
    let mut all = vec![
        Case::new(FeatureConfig::Spectrogram(SpectrogramConfig::default())).homogeneous(1.0),
        Case::new(FeatureConfig::Mel(MelConfig::default())).homogeneous(2.0),
        Case::new(FeatureConfig::LogMel(LogMelConfig::default())).whole(),
    ];
    // The suite runs at one sampling rate, where the bins under 128 bands of Whisper are too far apart.
    // Vectors of a clip have cases of their own, some at other lengths.
    let elsewhere = |config: &FeatureConfig| {
        matches!(
            config,
            FeatureConfig::TzanetakisCook(_)
                | FeatureConfig::ChoiMfcc120(_)
                | FeatureConfig::Fma518(_)
                | FeatureConfig::Gtzan8Mfcc(_)
        )
    };
    let presets = presets::all().into_iter().filter(|p| p.name != "whisper_v3" && !elsewhere(&p.config));
    for preset in presets {
        let streams = !matches!(
            &preset.config,
            FeatureConfig::Delta(_)
                | FeatureConfig::LogMel(LogMelConfig {
                    compression: Compression::Decibel { .. } | Compression::Log10Range { .. },
                    ..
                })
        );
        all.push(Case { streams, ..Case::new(preset.config) });
    }
    // The framings that go wrong: hop over the window, odd sizes, short windows, every padding, no padding.
    for (n_fft, hop, win) in
        [(512, 1024, None), (255, 100, Some(101)), (1000, 333, Some(999)), (64, 64, None), (1, 1, None)]
    {
        for padding in [Padding::Zero, Padding::Reflect, Padding::Symmetric, Padding::Edge] {
            for centering in [
                Centering::Centered,
                Centering::LeftAligned,
                Centering::CenteredTrimmed,
                Centering::WindowAligned,
            ] {
                let stft = StftConfig { win_length: win, padding, centering, ..stft(n_fft, hop) };
                let config = FeatureConfig::Spectrogram(SpectrogramConfig { stft, power: 1.5 });
                all.push(Case::new(config).homogeneous(1.5));
            }
        }
    }
    let mel = MelConfig {
        stft: stft(512, 128),
        bank: MelBankConfig { n_mels: 20, ..Default::default() },
        power: 1.0,
    };
    let log = |compression| Case::new(FeatureConfig::LogMel(LogMelConfig { mel: mel.clone(), compression }));
    all.extend([
        log(Compression::Decibel { reference: Reference::Max, amin: 1e-10, top_db: None }).whole(),
        log(Compression::Decibel { reference: Reference::Value(2.0), amin: 1e-5, top_db: None }),
        log(Compression::Ln { floor: 1e-6 }),
        log(Compression::Ln { floor: 0.0 }).minus_infinity(),
        log(Compression::Log10 { scale: 10_000.0 }),
        log(Compression::LnOffset { offset: 0.01 }),
        log(Compression::LnReplacingZero { zero: 1e-6 }),
        log(Compression::Log10Range { floor: 1e-10, range: 8.0, shift: 4.0, divisor: 4.0 }).whole(),
    ]);
    // Frames that are conditioned also where they reach into the padding, of odd and even sizes.
    for (n_fft, win_length) in [(512, 401), (255, 100)] {
        for centering in [Centering::Centered, Centering::WindowAligned] {
            let conditioning = Some(Conditioning::default());
            let win_length = Some(win_length);
            let stft = StftConfig { win_length, centering, conditioning, ..stft(n_fft, 120) };
            let config = SpectrogramConfig { stft, power: 2.0 };
            all.push(Case { zero_for_silence: true, ..Case::new(FeatureConfig::Spectrogram(config)) });
        }
    }
    let log_mel = LogMelConfig { mel, compression: Compression::Ln { floor: 1e-6 } };
    let mfcc = MfccConfig { log_mel, n_mfcc: 13, lifter: 22.0, ..MfccConfig::default() };
    all.extend([
        Case::new(FeatureConfig::Mfcc(MfccConfig::default())).whole(),
        Case::new(FeatureConfig::Mfcc(mfcc.clone())),
        Case::new(FeatureConfig::Mfcc(MfccConfig {
            n_mfcc: 20,
            dct_type: DctType::One,
            norm: DctNorm::None,
            ..mfcc.clone()
        })),
        Case::new(FeatureConfig::Mfcc(MfccConfig { n_mfcc: 1, dct_type: DctType::Three, ..mfcc.clone() })),
    ]);
    let pcen = |curve| {
        let bank = MelBankConfig { n_mels: 20, ..Default::default() };
        Case::new(FeatureConfig::Pcen(PcenConfig { stft: stft(512, 128), bank, curve, ..PcenConfig::default() }))
    };
    let curve = PcenCurveConfig::default();
    all.extend([
        Case::new(FeatureConfig::Pcen(PcenConfig::default())),
        pcen(PcenCurveConfig { max_size: 4, ..curve.clone() }),
        pcen(PcenCurveConfig { max_size: 5, max_axis: MaxAxis::Time, ..curve.clone() }).whole(),
        pcen(PcenCurveConfig { power: 0.0, b: Some(1.0), ..curve.clone() }),
        pcen(PcenCurveConfig { bias: 0.0, ..curve }),
    ]);
    let delta = |base, orders, width, mode| {
        Case::new(FeatureConfig::Delta(DeltaConfig { base: Box::new(base), orders, width, mode })).whole()
    };
    all.push(Case::new(FeatureConfig::Delta(DeltaConfig::default())).whole());
    for mode in
        [DeltaMode::Interp, DeltaMode::Nearest, DeltaMode::Mirror, DeltaMode::Constant, DeltaMode::Wrap]
    {
        all.push(delta(FeatureConfig::Mfcc(mfcc.clone()), vec![2, 0], 5, mode));
        let spectrogram = FeatureConfig::Spectrogram(SpectrogramConfig { stft: stft(64, 16), power: 1.0 });
        all.push(delta(spectrogram, vec![1], 201, mode).homogeneous(1.0));
    }
    all
}

pub(super) fn refused() -> Vec<(FeatureConfig, &'static str)> {
    let spectrogram = |stft, power| FeatureConfig::Spectrogram(SpectrogramConfig { stft, power });
    let mel = |bank| FeatureConfig::Mel(MelConfig { bank, ..MelConfig::default() });
    let log = |compression| FeatureConfig::LogMel(LogMelConfig { compression, ..LogMelConfig::default() });
    let mfcc = FeatureConfig::Mfcc;
    let pcen = |curve| FeatureConfig::Pcen(PcenConfig { curve, ..PcenConfig::default() });
    let delta = FeatureConfig::Delta;
    let mut all = vec![
        (spectrogram(stft(0, 512), 1.0), "n_fft"),
        (spectrogram(stft(usize::MAX, 512), 1.0), "n_fft"),
        (spectrogram(stft(2048, 0), 1.0), "hop_length"),
        (spectrogram(StftConfig { win_length: Some(0), ..stft(64, 1) }, 1.0), "win_length"),
        (spectrogram(StftConfig { win_length: Some(65), ..stft(64, 1) }, 1.0), "win_length"),
        (mel(MelBankConfig { n_mels: 0, ..Default::default() }), "n_mels"),
        (mel(MelBankConfig { n_mels: 2000, ..Default::default() }), "n_mels"),
        (mel(MelBankConfig { f_max: Some(20_000.0), ..Default::default() }), "f_max"),
        (mel(MelBankConfig { f_min: -1.0, ..Default::default() }), "f_min"),
        (log(Compression::Ln { floor: -1.0 }), "floor"),
        (log(Compression::Log10 { scale: 0.0 }), "scale"),
        (log(Compression::Decibel { reference: Reference::Max, amin: 0.0, top_db: None }), "amin"),
        (
            log(Compression::Decibel { reference: Reference::Value(-1.0), amin: 1e-10, top_db: None }),
            "reference",
        ),
        (
            log(Compression::Decibel { reference: Reference::Max, amin: 1e-10, top_db: Some(f32::NAN) }),
            "top_db",
        ),
        (mfcc(MfccConfig { n_mfcc: 0, ..Default::default() }), "n_mfcc"),
        (mfcc(MfccConfig { n_mfcc: 129, ..Default::default() }), "n_mfcc"),
        (mfcc(MfccConfig { energy_floor: Some(1.0), ..Default::default() }), "energy_floor"),
        (mfcc(MfccConfig { energy_floor: Some(0.0), ..presets::kaldi_mfcc() }), "energy_floor"),
        (log(Compression::LnOffset { offset: 0.0 }), "offset"),
        (log(Compression::LnReplacingZero { zero: f32::NAN }), "zero"),
        (
            log(Compression::Log10Range { floor: 1e-10, range: -1.0, shift: 4.0, divisor: 4.0 }),
            "range",
        ),
        (
            log(Compression::Log10Range { floor: 1e-10, range: 8.0, shift: 4.0, divisor: 0.0 }),
            "divisor",
        ),
        (
            spectrogram(
                StftConfig {
                    conditioning: Some(Conditioning { remove_mean: true, pre_emphasis: f32::NAN }),
                    ..stft(64, 1)
                },
                1.0,
            ),
            "pre_emphasis",
        ),
        (mfcc(MfccConfig { lifter: -1.0, ..Default::default() }), "lifter"),
        (mfcc(MfccConfig { lifter: f64::NAN, ..Default::default() }), "lifter"),
        (pcen(PcenCurveConfig { gain: -1.0, ..Default::default() }), "gain"),
        (pcen(PcenCurveConfig { bias: f64::NAN, ..Default::default() }), "bias"),
        (pcen(PcenCurveConfig { power: -0.5, ..Default::default() }), "power"),
        (pcen(PcenCurveConfig { time_constant: 0.0, ..Default::default() }), "time_constant"),
        (pcen(PcenCurveConfig { eps: 0.0, ..Default::default() }), "eps"),
        (pcen(PcenCurveConfig { b: Some(1.1), ..Default::default() }), "b"),
        (pcen(PcenCurveConfig { max_size: 0, ..Default::default() }), "max_size"),
        (FeatureConfig::Pcen(PcenConfig { scale: 0.0, ..Default::default() }), "scale"),
        (delta(DeltaConfig { width: 8, ..Default::default() }), "width"),
        (delta(DeltaConfig { width: 1, ..Default::default() }), "width"),
        (delta(DeltaConfig { orders: vec![], ..Default::default() }), "orders"),
        (delta(DeltaConfig { orders: vec![3], width: 3, ..Default::default() }), "poly_order"),
        (delta(DeltaConfig { orders: vec![17], width: 99, ..Default::default() }), "order"),
    ];
    all.extend([0.0, -1.0, f32::NAN, f32::INFINITY].map(|power| (spectrogram(stft(64, 1), power), "power")));
    all
}
