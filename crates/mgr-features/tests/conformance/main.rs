//! The contract that every extractor keeps, run over every extractor.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cases;

use std::sync::LazyLock;

use cases::Case;
use mgr_features::log_mel::LogMelConfig;
use mgr_features::spectrogram::SpectrogramConfig;
use mgr_features::stft::StftConfig;
use mgr_features::{Axis, Extractor, FeatureConfig, FeatureError};
use ndarray::{Array2, ShapeBuilder};

const SAMPLE_RATE: u32 = 22_050;

/// All cases with their plans, which are made once for all tests.
static PLANNED: LazyLock<Vec<(Case, Box<dyn Extractor>)>> = LazyLock::new(|| {
    let plan = |case: Case| {
        let extractor = case.config.plan(SAMPLE_RATE).unwrap_or_else(|e| panic!("{:?}: {e}", case.config));
        (case, extractor)
    };
    cases::all().into_iter().map(plan).collect()
});

fn each(check: impl Fn(&Case, &dyn Extractor)) {
    for (case, extractor) in PLANNED.iter() {
        check(case, extractor.as_ref());
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
    each(|case, extractor| {
        let config = &case.config;
        for length in [1, 2, 63, 255, 256, 2047, 2048, 5000] {
            match extractor.layout(length) {
                Ok(layout) => {
                    let matrix = extractor.extract(&signal(length)).unwrap();
                    assert_eq!(matrix.dim(), (layout.rows, layout.columns), "{config:?} {length}");
                    assert_eq!(layout.row_axis.count(), Some(layout.rows), "{config:?}");
                    match layout.column_axis {
                        Axis::Time { step_s, .. } => assert!(step_s > 0.0 && !case.no_time, "{config:?}"),
                        axis => {
                            assert!(case.no_time, "{config:?}");
                            assert_eq!(axis.count(), Some(layout.columns), "{config:?}");
                        }
                    }
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
    each(|case, extractor| {
        let config = &case.config;
        assert!(matches!(extractor.extract(&[]), Err(FeatureError::TooShort { got: 0, .. })), "{config:?}");
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for index in [0, 1234, 4999] {
                let mut samples = signal(5000.max(case.length));
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
    each(|case, extractor| {
        let config = &case.config;
        for level in [0.0, 1.0, -0.5, 1e-20] {
            let matrix = extractor.extract(&vec![level; case.length]).unwrap();
            assert!(matrix.iter().all(|v| !v.is_nan()), "{config:?} {level}");
            assert!(case.minus_infinity || matrix.iter().all(|v| v.is_finite()), "{config:?} {level}");
        }
        if case.zero_for_silence {
            assert!(
                extractor.extract(&vec![0.0; case.length]).unwrap().iter().all(|&v| v == 0.0),
                "{config:?}"
            );
        }
    });
}

#[test]
fn twice_the_signal_is_a_power_of_two_more() {
    each(|case, extractor| {
        let Some(power) = case.homogeneous else { return };
        let samples = signal(case.length);
        let doubled: Vec<f32> = samples.iter().map(|x| 2.0 * x).collect();
        let (one, two) = (extractor.extract(&samples).unwrap(), extractor.extract(&doubled).unwrap());
        let peak = two.iter().copied().fold(0.0, f32::max);
        for (a, b) in one.iter().zip(&two) {
            // Doubling is exact in floating point but for the power itself, which rounds to a few units in the last place.
            assert!((a * 2f32.powf(power) - b).abs() <= 1e-6 * peak, "{:?}: {a} {b}", case.config);
        }
    });
}

#[test]
fn a_stream_gives_the_same_bytes_as_a_batch() {
    each(|case, extractor| {
        let config = &case.config;
        for length in [1, 300, 2048, case.length + 3001] {
            let samples = signal(length);
            let Ok(batch) = extractor.extract(&samples) else { continue };
            for block in [1, 97, 1024, 100_000] {
                if block == 1 && length > 3000 {
                    continue;
                }
                let mut stream = match extractor.stream() {
                    Ok(stream) => stream,
                    Err(error) => {
                        assert!(matches!(error, FeatureError::NotStreamable { .. }), "{config:?}: {error}");
                        assert!(!case.streams, "{config:?} must stream");
                        return;
                    }
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
    each(|case, extractor| {
        let config = &case.config;
        let samples = signal(case.length);
        let want = extractor.extract(&samples).unwrap();
        let mut standard = Array2::<f32>::zeros(want.dim());
        let mut scratch = extractor.scratch_for(samples.len());
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
    each(|case, extractor| {
        let config = &case.config;
        let samples = signal(case.length);
        let layout = extractor.layout(samples.len()).unwrap();
        for mut out in
            [Array2::zeros((layout.rows, layout.columns)), Array2::zeros((layout.rows, layout.columns).f())]
        {
            let mut scratch = extractor.scratch_for(samples.len());
            let count = allocation_counter::measure(|| {
                extractor.extract_into(&samples, out.view_mut(), &mut scratch).unwrap();
            });
            assert_eq!(count.count_total, 0, "{config:?}");
        }
    });
}

#[test]
fn a_wrong_shape_or_a_foreign_scratch_is_an_error() {
    each(|case, extractor| {
        let config = &case.config;
        let samples = signal(case.length);
        let layout = extractor.layout(samples.len()).unwrap();
        let mut small = Array2::zeros((layout.rows, layout.columns + 1));
        let error = extractor
            .extract_into(&samples, small.view_mut(), &mut extractor.scratch_for(samples.len()))
            .unwrap_err();
        assert!(matches!(error, FeatureError::Shape { .. }), "{config:?}: {error}");
        let mut out = Array2::zeros((layout.rows, layout.columns));
        let stft = StftConfig { n_fft: 77, hop_length: 10, ..StftConfig::default() };
        let mut foreign =
            Extractor::scratch(&SpectrogramConfig { stft, power: 1.0 }.plan(SAMPLE_RATE).unwrap());
        let error = extractor.extract_into(&samples, out.view_mut(), &mut foreign).unwrap_err();
        assert!(matches!(error, FeatureError::Scratch { .. }), "{config:?}: {error}");
    });
}

#[test]
fn configurations_survive_json_and_toml() {
    for Case { config, .. } in cases::all() {
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
    for (config, field) in cases::refused() {
        let error = config.plan(SAMPLE_RATE).expect_err(&format!("{config:?}"));
        assert!(
            matches!(error, FeatureError::Parameter { field: f, .. } if f == field),
            "{config:?}: {error}"
        );
    }
}

#[test]
fn every_feature_is_in_the_suite_and_refuses_a_rate_of_zero() {
    for name in FeatureConfig::NAMES {
        let config = FeatureConfig::named(name).unwrap();
        assert_eq!(config.name(), *name);
        assert!(config.plan(0).is_err(), "{name}");
        assert!(cases::all().iter().any(|case| case.config.name() == *name), "{name} is in no case");
    }
    assert_eq!(FeatureConfig::named("melody"), None);
}
