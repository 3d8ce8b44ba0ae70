//! Front ends of published systems, against numbers of their own code or of a transcription of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_features::presets;
use ndarray::Array2;

/// Half a second at 16 kHz in the range of 16-bit integers, exact in f32.
fn signal() -> Vec<f32> {
    (0..8000_u64)
        .map(|n| {
            let noise = ((n * n * 7919 + n * 104_729) % 20_011) as f32 - 10_005.0;
            noise * 0.5 + (6000.0 * (n as f64 * 0.05).sin()).round_ties_even() as f32 + 300.0
        })
        .collect()
}

fn scaled() -> Vec<f32> {
    signal().iter().map(|x| x / 32_768.0).collect()
}

fn check(name: &str, samples: &[f32], shape: (usize, usize), known: &[(usize, usize, f32)], tolerance: f32) {
    let preset = presets::named(name).unwrap();
    let matrix: Array2<f32> = preset.config.plan(preset.sample_rate).unwrap().extract(samples).unwrap();
    assert_eq!(matrix.dim(), shape, "{name}");
    for &(row, column, want) in known {
        let got = matrix[[row, column]];
        assert!((got - want).abs() <= tolerance, "{name} {row} {column}: {got} {want}");
    }
}

#[test]
fn kaldi() {
    // kaldi-native-fbank 1.23.0, dither 0, all else its defaults. It computes in f32 throughout: 1e-3 of a logarithm.
    let fbank = [
        (0, 0, 21.211_288),
        (1, 0, 20.658_258),
        (11, 0, 21.762_745),
        (22, 0, 25.484_428),
        (0, 20, 21.002_644),
        (22, 20, 25.353_203),
        (11, 47, 22.329_197),
        (22, 47, 25.661_71),
    ];
    check("kaldi_fbank", &signal(), (23, 48), &fbank, 1e-3);
    let mfcc = [
        (0, 0, 23.134_878),
        (1, 0, -26.315_542),
        (2, 0, 4.857_206),
        (12, 0, 5.372_974_4),
        (0, 20, 23.031_425),
        (1, 20, -28.510_653),
        (6, 20, 9.654_289),
        (12, 20, -0.681_372_6),
    ];
    check("kaldi_mfcc", &signal(), (13, 48), &mfcc, 5e-3);
}

#[test]
fn whisper() {
    // Its definition in numpy, f64, with librosa's filter bank, which is the one that it ships.
    let known = [
        (0, 0, 1.098_865_2),
        (0, 25, 0.755_779_15),
        (10, 25, 0.724_567_2),
        (79, 0, 0.600_675_2),
        (10, 49, 0.429_836_5),
        (79, 49, 0.620_033_57),
    ];
    check("whisper", &scaled(), (80, 50), &known, 1e-5);
}

#[test]
fn vggish() {
    // Its definition in numpy, f64: mel_features.py of the published model.
    let known = [
        (0, 0, 2.544_103),
        (10, 0, 0.022_873_18),
        (63, 20, 1.967_034),
        (10, 20, -0.755_876_9),
        (63, 47, 2.273_329_7),
    ];
    check("vggish", &scaled(), (64, 48), &known, 1e-5);
}

#[test]
fn every_preset_has_its_name_and_computes() {
    // Longer than the window of every preset: the beat histogram's is three seconds.
    let samples: Vec<f32> = scaled().into_iter().cycle().take(140_000).collect();
    let names: Vec<_> = presets::all().iter().map(|preset| preset.name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    for preset in presets::all() {
        assert_eq!(presets::named(preset.name), Some(preset.clone()));
        let matrix = preset.config.plan(preset.sample_rate).unwrap().extract(&samples).unwrap();
        assert!(matrix.iter().all(|v| v.is_finite()), "{}", preset.name);
    }
    assert_eq!(presets::named("nothing"), None);
}
