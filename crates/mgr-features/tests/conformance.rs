//! The contract that every extractor keeps, run over every extractor.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_features::compress::{Compression, Reference};
use mgr_features::frame::{Centering, Padding};
use mgr_features::log_mel::LogMelConfig;
use mgr_features::mel::{MelBankConfig, MelConfig};
use mgr_features::spectrogram::SpectrogramConfig;
use mgr_features::stft::StftConfig;
use mgr_features::{Axis, Extractor, FeatureConfig, FeatureError, presets};
use ndarray::{Array2, ShapeBuilder};

const SAMPLE_RATE: u32 = 22_050;

fn stft(n_fft: usize, hop_length: usize) -> StftConfig {
    StftConfig { n_fft, hop_length, ..StftConfig::default() }
}

fn configs() -> Vec<FeatureConfig> {
    let mut all = vec![
        FeatureConfig::Spectrogram(SpectrogramConfig::default()),
        FeatureConfig::Mel(MelConfig::default()),
        FeatureConfig::LogMel(LogMelConfig::default()),
        FeatureConfig::LogMel(presets::musicnn()),
        FeatureConfig::LogMel(presets::gtzan8()),
    ];
    // The framings that go wrong: hop over the window, odd sizes, short windows, every padding, no padding.
    for (n_fft, hop, win) in
        [(512, 1024, None), (255, 100, Some(101)), (1000, 333, Some(999)), (64, 64, None), (1, 1, None)]
    {
        for padding in [Padding::Zero, Padding::Reflect, Padding::Symmetric, Padding::Edge] {
            for centering in [Centering::Centered, Centering::LeftAligned] {
                let stft = StftConfig { win_length: win, padding, centering, ..stft(n_fft, hop) };
                all.push(FeatureConfig::Spectrogram(SpectrogramConfig { stft, power: 1.5 }));
            }
        }
    }
    let mel = MelConfig {
        stft: stft(512, 128),
        bank: MelBankConfig { n_mels: 20, ..Default::default() },
        power: 1.0,
    };
    for compression in [
        Compression::Decibel { reference: Reference::Max, amin: 1e-10, top_db: None },
        Compression::Decibel { reference: Reference::Value(2.0), amin: 1e-5, top_db: None },
        Compression::Ln { floor: 1e-6 },
        Compression::Ln { floor: 0.0 },
        Compression::Log10 { scale: 10_000.0 },
    ] {
        all.push(FeatureConfig::LogMel(LogMelConfig { mel: mel.clone(), compression }));
    }
    all
}

fn each(check: impl Fn(&FeatureConfig, &dyn Extractor)) {
    for config in configs() {
        check(&config, config.plan(SAMPLE_RATE).unwrap().as_ref());
    }
}

/// Noise and a sine, from a formula.
fn signal(length: usize) -> Vec<f32> {
    let mut state = 12_345_u32;
    (0..length)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            0.3 * (n as f32 * 0.11).sin() + (state >> 8) as f32 / (1 << 24) as f32 * 0.2 - 0.1
        })
        .collect()
}

#[test]
fn the_shape_is_as_announced() {
    each(|config, extractor| {
        for length in [1, 2, 63, 255, 256, 2047, 2048, 5000] {
            match extractor.layout(length) {
                Ok(layout) => {
                    let matrix = extractor.extract(&signal(length)).unwrap();
                    assert_eq!(matrix.dim(), (layout.rows, layout.columns), "{config:?} {length}");
                    let Axis::Frequency { hz } = &layout.row_axis else { panic!("{config:?}") };
                    assert_eq!(hz.len(), layout.rows);
                    assert!(matches!(layout.column_axis, Axis::Time { step_s, .. } if step_s > 0.0));
                    assert_eq!(extractor.name(), config.name());
                }
                Err(error) => {
                    assert!(matches!(error, FeatureError::TooShort { .. }), "{config:?} {length}: {error}");
                    assert_eq!(extractor.extract(&signal(length)).unwrap_err(), error);
                }
            }
        }
    });
}

#[test]
fn empty_and_non_finite_signals_are_typed_errors() {
    each(|config, extractor| {
        assert!(matches!(extractor.extract(&[]), Err(FeatureError::TooShort { got: 0, .. })), "{config:?}");
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for index in [0, 1234, 4999] {
                let mut samples = signal(5000);
                samples[index] = bad;
                let error = extractor.extract(&samples).unwrap_err();
                assert!(
                    matches!(error, FeatureError::NotFinite { index: i, .. } if i == index),
                    "{config:?}: {error}"
                );
                if let Ok(mut stream) = extractor.stream() {
                    stream.push(&samples[..1000], |_| {}).ok();
                    let seen = stream.seen();
                    let result = stream.push(&samples[seen..], |_| {});
                    assert!(index < 1000 || result.is_err());
                }
            }
        }
    });
}

#[test]
fn silence_and_constants_give_numbers() {
    each(|config, extractor| {
        let zero_is_minus_infinity =
            matches!(config, FeatureConfig::LogMel(c) if c.compression == Compression::Ln { floor: 0.0 });
        for level in [0.0, 1.0, -0.5, 1e-20] {
            let matrix = extractor.extract(&[level; 4096]).unwrap();
            assert!(matrix.iter().all(|v| !v.is_nan()), "{config:?} {level}");
            assert!(zero_is_minus_infinity || matrix.iter().all(|v| v.is_finite()), "{config:?} {level}");
        }
        if let FeatureConfig::Spectrogram(_) | FeatureConfig::Mel(_) = config {
            assert!(extractor.extract(&[0.0; 4096]).unwrap().iter().all(|&v| v == 0.0), "{config:?}");
        }
    });
}

#[test]
fn twice_the_signal_is_a_power_of_two_more() {
    each(|config, extractor| {
        let power = match config {
            FeatureConfig::Spectrogram(c) => c.power,
            FeatureConfig::Mel(c) => c.power,
            _ => return,
        };
        let samples = signal(4096);
        let doubled: Vec<f32> = samples.iter().map(|x| 2.0 * x).collect();
        let (one, two) = (extractor.extract(&samples).unwrap(), extractor.extract(&doubled).unwrap());
        let peak = two.iter().copied().fold(0.0, f32::max);
        for (a, b) in one.iter().zip(&two) {
            // Doubling is exact in floating point but for the power itself, which rounds to a few units in the last place.
            assert!((a * 2f32.powf(power) - b).abs() <= 1e-6 * peak, "{config:?}: {a} {b}");
        }
    });
}

#[test]
fn a_stream_gives_the_same_bytes_as_a_batch() {
    each(|config, extractor| {
        for length in [1, 300, 2048, 9001] {
            let samples = signal(length);
            let Ok(batch) = extractor.extract(&samples) else { continue };
            for block in [1, 97, 1024, 100_000] {
                if block == 1 && length > 3000 {
                    continue;
                }
                let Ok(mut stream) = extractor.stream() else {
                    assert!(matches!(config, FeatureConfig::LogMel(_)), "{config:?} must stream");
                    return;
                };
                let mut columns: Vec<f32> = Vec::new();
                for part in samples.chunks(block) {
                    stream.push(part, |column| columns.extend(column)).unwrap();
                }
                stream.finish(|column| columns.extend(column)).unwrap();
                let want: Vec<u32> = batch.columns().into_iter().flatten().map(|v| v.to_bits()).collect();
                let got: Vec<u32> = columns.iter().map(|v| v.to_bits()).collect();
                assert_eq!(got, want, "{config:?} of {length} samples in blocks of {block}");
            }
        }
    });
}

#[test]
fn any_memory_layout_and_any_thread_give_the_same_bytes() {
    each(|config, extractor| {
        let samples = signal(6000);
        let want = extractor.extract(&samples).unwrap();
        let mut standard = Array2::<f32>::zeros(want.dim());
        let mut scratch = extractor.scratch();
        extractor.extract_into(&samples, standard.view_mut(), &mut scratch).unwrap();
        assert_eq!(standard, want, "{config:?}");
        let others: Vec<_> = std::thread::scope(|scope| {
            let run = || scope.spawn(|| extractor.extract(&samples).unwrap());
            let handles = [run(), run(), run()];
            handles.into_iter().map(|h| h.join().unwrap()).collect()
        });
        assert!(others.iter().all(|other| *other == want), "{config:?}");
    });
}

#[test]
fn process_into_allocates_nothing() {
    each(|config, extractor| {
        let samples = signal(6000);
        let layout = extractor.layout(samples.len()).unwrap();
        for mut out in
            [Array2::zeros((layout.rows, layout.columns)), Array2::zeros((layout.rows, layout.columns).f())]
        {
            let mut scratch = extractor.scratch();
            let count = allocation_counter::measure(|| {
                extractor.extract_into(&samples, out.view_mut(), &mut scratch).unwrap();
            });
            assert_eq!(count.count_total, 0, "{config:?}");
        }
    });
}

#[test]
fn a_wrong_shape_or_a_foreign_scratch_is_an_error() {
    each(|config, extractor| {
        let samples = signal(6000);
        let layout = extractor.layout(samples.len()).unwrap();
        let mut small = Array2::zeros((layout.rows, layout.columns + 1));
        let error = extractor.extract_into(&samples, small.view_mut(), &mut extractor.scratch()).unwrap_err();
        assert!(matches!(error, FeatureError::Shape { .. }), "{config:?}: {error}");
        let mut out = Array2::zeros((layout.rows, layout.columns));
        let other = SpectrogramConfig { stft: stft(77, 10), power: 1.0 }.plan(SAMPLE_RATE).unwrap();
        let mut foreign = Extractor::scratch(&other);
        let error = extractor.extract_into(&samples, out.view_mut(), &mut foreign).unwrap_err();
        assert!(matches!(error, FeatureError::Scratch { .. }), "{config:?}: {error}");
    });
}

#[test]
fn configurations_survive_json_and_toml() {
    for config in configs() {
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<FeatureConfig>(&json).unwrap(), config, "{json}");
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<FeatureConfig>(&text).unwrap(), config, "{text}");
    }
    for wrong in [
        r#"{"feature":"melody"}"#,
        r#"{"feature":"mel","n_mels":3}"#,
        r#"{"feature":"mel","bank":{"n_mel":3}}"#,
    ] {
        assert!(serde_json::from_str::<FeatureConfig>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_json_of_defaults_never_changes() {
    // Stored features are found by this text: changing a name or a default loses every store.
    let json = serde_json::to_string(&FeatureConfig::LogMel(LogMelConfig::default())).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"feature":"log_mel","mel":{"stft":{"n_fft":2048,"hop_length":512,"window":"hann","symmetry":"periodic","#,
            r#""centering":"centered","padding":"zero"},"bank":{"n_mels":128,"f_min":0.0,"scale":"slaney","norm":"slaney","#,
            r#""coverage":"strict"},"power":2.0},"compression":{"decibel":{"reference":{"value":1.0},"#,
            r#""amin":1e-10,"top_db":80.0}}}"#
        )
    );
}

#[test]
fn absurd_parameters_are_refused_at_plan_time() {
    let refused = |config: FeatureConfig, field: &str| {
        let error = config.plan(SAMPLE_RATE).expect_err(&format!("{config:?}"));
        assert!(
            matches!(error, FeatureError::Parameter { field: f, .. } if f == field),
            "{config:?}: {error}"
        );
    };
    let spectrogram = |stft, power| FeatureConfig::Spectrogram(SpectrogramConfig { stft, power });
    refused(spectrogram(stft(0, 512), 1.0), "n_fft");
    refused(spectrogram(stft(usize::MAX, 512), 1.0), "n_fft");
    refused(spectrogram(stft(2048, 0), 1.0), "hop_length");
    refused(spectrogram(StftConfig { win_length: Some(0), ..stft(64, 1) }, 1.0), "win_length");
    refused(spectrogram(StftConfig { win_length: Some(65), ..stft(64, 1) }, 1.0), "win_length");
    for power in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        refused(spectrogram(stft(64, 1), power), "power");
    }
    let mel = |bank| FeatureConfig::Mel(MelConfig { bank, ..MelConfig::default() });
    refused(mel(MelBankConfig { n_mels: 0, ..Default::default() }), "n_mels");
    refused(mel(MelBankConfig { n_mels: 2000, ..Default::default() }), "n_mels");
    refused(mel(MelBankConfig { f_max: Some(20_000.0), ..Default::default() }), "f_max");
    refused(mel(MelBankConfig { f_min: -1.0, ..Default::default() }), "f_min");
    let log = |compression| FeatureConfig::LogMel(LogMelConfig { compression, ..LogMelConfig::default() });
    refused(log(Compression::Ln { floor: -1.0 }), "floor");
    refused(log(Compression::Log10 { scale: 0.0 }), "scale");
    refused(log(Compression::Decibel { reference: Reference::Max, amin: 0.0, top_db: None }), "amin");
    refused(
        log(Compression::Decibel { reference: Reference::Value(-1.0), amin: 1e-10, top_db: None }),
        "reference",
    );
    refused(
        log(Compression::Decibel { reference: Reference::Max, amin: 1e-10, top_db: Some(f32::NAN) }),
        "top_db",
    );
    assert!(MelConfig::default().plan(0).is_err());
    assert!(SpectrogramConfig::default().plan(0).is_err());
}
