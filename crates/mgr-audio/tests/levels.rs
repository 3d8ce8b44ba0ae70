//! Levels against the EBU's test signals, another program's loudness, and arithmetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::f64::consts::TAU;

use mgr_audio::{LevelConfig, Levels};

fn measure(channels: &[&[f32]], sample_rate: u32) -> Levels {
    LevelConfig::default().plan().unwrap().process(channels, sample_rate).unwrap()
}

/// A 1 kHz sine through parts of `(dBFS of the peak, seconds)`.
fn parts(parts: &[(f64, f64)], rate: f64) -> Vec<f32> {
    let amplitudes = parts.iter().flat_map(|&(level, seconds)| {
        std::iter::repeat_n(10f64.powf(level / 20.0), (seconds * rate).round() as usize)
    });
    amplitudes.enumerate().map(|(n, a)| (a * (TAU * 1000.0 * n as f64 / rate).sin()) as f32).collect()
}

fn near(value: Option<f64>, expected: f64, tolerance: f64) {
    let value = value.expect("a value");
    assert!((value - expected).abs() <= tolerance, "{value}, expected {expected} within {tolerance}");
}

#[test]
fn integrated_loudness_of_the_ebu_signals() {
    // EBU Tech 3341, table 1, cases 1 to 5: stereo sines of 1 kHz, tolerance 0.1 LU.
    let cases: [(&[(f64, f64)], f64); 5] = [
        (&[(-23.0, 20.0)], -23.0),
        (&[(-33.0, 20.0)], -33.0),
        (&[(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)], -23.0),
        (&[(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)], -23.0),
        (&[(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)], -23.0),
    ];
    for (case, expected) in cases {
        let tone = parts(case, 48_000.0);
        near(measure(&[&tone, &tone], 48_000).loudness_lufs, expected, 0.1);
    }
    // The same definition at another rate, and half the power in one channel.
    let tone = parts(&[(-23.0, 20.0)], 22_050.0);
    near(measure(&[&tone, &tone], 22_050).loudness_lufs, -23.0, 0.1);
    near(measure(&[&tone], 22_050).loudness_lufs, -26.0, 0.1);
    // Case 6: left, right, centre, LFE, surrounds, which count 1.5 dB more.
    let level = |level: f64| parts(&[(level, 20.0)], 48_000.0);
    let (front, centre, surround, lfe) = (level(-28.0), level(-24.0), level(-30.0), level(0.0));
    let channels: [&[f32]; 6] = [&front, &front, &centre, &lfe, &surround, &surround];
    near(measure(&channels, 48_000).loudness_lufs, -23.0, 0.1);
}

#[test]
fn loudness_range_of_the_ebu_signals() {
    // EBU Tech 3342, table 1, cases 1 to 4, tolerance 1 LU.
    let cases: [(&[(f64, f64)], f64); 4] = [
        (&[(-20.0, 20.0), (-30.0, 20.0)], 10.0),
        (&[(-20.0, 20.0), (-15.0, 20.0)], 5.0),
        (&[(-40.0, 20.0), (-20.0, 20.0)], 20.0),
        (&[(-50.0, 20.0), (-35.0, 20.0), (-20.0, 20.0), (-35.0, 20.0), (-50.0, 20.0)], 15.0),
    ];
    for (case, expected) in cases {
        let tone = parts(case, 48_000.0);
        near(measure(&[&tone, &tone], 48_000).loudness_range_lu, expected, 1.0);
    }
}

#[test]
fn true_peak_lies_between_samples() {
    // EBU Tech 3341, cases 15 to 18: a quarter of the rate at amplitude 0.5, from phases 0, 60, 45 and 67.5 degrees; -6.0 dBTP, +0.2 -0.4.
    for phase in [0.0, 60.0, 45.0, 67.5f64] {
        let tone: Vec<f32> = (0..48_000)
            .map(|n| (0.5 * (TAU * f64::from(n) / 4.0 + phase.to_radians()).sin()) as f32)
            .collect();
        let levels = measure(&[&tone], 48_000);
        let peak = levels.true_peak_dbtp.unwrap();
        assert!((-6.4..=-5.8).contains(&peak), "{phase}: {peak}");
        assert!(peak >= levels.peak_dbfs.unwrap());
    }
    let tone: Vec<f32> =
        (0..48_000).map(|n| (0.5 * (TAU * f64::from(n) / 4.0 + TAU / 8.0).sin()) as f32).collect();
    near(measure(&[&tone], 48_000).peak_dbfs, -9.03, 0.01);
}

#[test]
fn loudness_as_another_program_measures_it() {
    // pyloudnorm 0.2.0, filter class DeMan, of the same formula in numpy: (rate, mono, stereo).
    for (rate, mono, stereo) in [
        (48_000, -16.384_052_719, -13.113_195_837),
        (44_100, -16.379_585_285, -13.108_773_601),
        (22_050, -16.320_423_232, -13.050_465_317),
    ] {
        let signal = |k: f64| -> Vec<f32> {
            let sample = |n: u32| {
                let t = f64::from(n) / f64::from(rate);
                let beat = 0.55 + 0.45 * (TAU * 0.4 * t).sin();
                (0.3 * (TAU * 110.0 * k * t).sin() * beat + 0.1 * (TAU * 3100.0 * t + k).sin()) as f32
            };
            (0..rate * 8).map(sample).collect()
        };
        let (left, right) = (signal(1.0), signal(3.0));
        near(measure(&[&left], rate).loudness_lufs, mono, 1e-6);
        near(measure(&[&left, &right], rate).loudness_lufs, stereo, 1e-6);
    }
}

#[test]
fn peaks_rms_and_offset_are_arithmetic() {
    let square: Vec<f32> = (0..8000).map(|n| if n % 2 == 0 { 0.75 } else { -0.25 }).collect();
    let levels = measure(&[&square, &[0.0; 8000]], 8000);
    near(levels.peak_dbfs, 20.0 * 0.75f64.log10(), 1e-9);
    // Mean square of both channels: (0.5625 + 0.0625) / 4.
    near(levels.rms_dbfs, 10.0 * 0.156_25f64.log10(), 1e-9);
    assert_eq!(levels.dc_offset, [0.25, 0.0]);
    assert_eq!((levels.sample_rate, levels.channels, levels.frames), (8000, 2, 8000));
    let full: Vec<f32> = (0..44_100).map(|n| (TAU * f64::from(n) / 100.0).sin() as f32).collect();
    near(measure(&[&full], 44_100).rms_dbfs, -3.0103, 1e-4);
}

#[test]
fn clipping_counts_samples_and_runs() {
    let mut samples = [0.1f32; 100];
    for (from, to) in [(3, 5), (10, 13), (20, 26), (97, 100)] {
        samples[from..to].fill(-1.0);
    }
    samples[40] = 32767.0 / 32768.0;
    samples[41] = 32766.0 / 32768.0;
    samples[50] = 1.5;
    let levels = measure(&[&samples, &samples], 16_000);
    assert_eq!((levels.clipped_samples, levels.clipped_runs), (32, 6));
    let config = LevelConfig { clip_run: 1, ..LevelConfig::default() };
    assert_eq!(config.plan().unwrap().process(&[&samples], 16_000).unwrap().clipped_runs, 6);
    // A run does not go on into the next channel.
    let end = [0.0, 1.0, 1.0];
    assert_eq!(measure(&[&end, &[1.0, 1.0, 0.0]], 16_000).clipped_runs, 0);
}

#[test]
fn blocks_make_no_difference() {
    let mut left = parts(&[(-20.0, 1.5), (0.0, 1.0), (-70.0, 1.5)], 22_050.0);
    left[3000..3010].fill(1.2);
    left[50_000] = f32::NAN;
    let right: Vec<f32> = left.iter().map(|x| 0.3 * x + 1e-5).collect();
    let meter = LevelConfig::default().plan().unwrap();
    let whole = meter.process(&[&left, &right], 22_050).unwrap();
    assert!(whole.loudness_range_lu.is_some() && whole.clipped_runs > 0 && whole.silence_ratio > 0.0);
    for block in [1, 777, 22_050, left.len()] {
        let mut stream = meter.stream(2, 22_050).unwrap();
        for (l, r) in left.chunks(block).zip(right.chunks(block)) {
            stream.push(&[l, r]).unwrap();
        }
        assert!(stream.push(&[&left]).is_err() && stream.push(&[&left, &right[1..]]).is_err());
        assert_eq!(stream.finish().unwrap(), whole, "{block}");
    }
    assert!(meter.stream(1, 22_050).unwrap().finish().is_err());
}

#[test]
fn silence_is_a_share_of_frames() {
    // Frames of 50 samples: two silent ones, one at -59 dBFS, one loud, and a short silent one.
    let mut samples = vec![0.0f32; 100];
    samples.extend(vec![10f32.powf(-59.0 / 20.0); 50]);
    samples.extend(vec![0.5; 50]);
    samples.extend(vec![10f32.powf(-61.0 / 20.0); 7]);
    assert_eq!(measure(&[&samples], 1000).silence_ratio, 3.0 / 5.0);
    // -60 dB is no longer silent in the mean of both channels.
    assert_eq!(measure(&[&samples, &vec![0.5; 207]], 1000).silence_ratio, 0.0);
}

#[test]
fn silence_one_sample_and_nan_are_defined() {
    let silence = vec![0.0f32; 48_000];
    let levels = measure(&[&silence], 48_000);
    let missing = [
        levels.peak_dbfs,
        levels.true_peak_dbtp,
        levels.rms_dbfs,
        levels.loudness_lufs,
        levels.loudness_range_lu,
    ];
    assert_eq!(missing, [None; 5]);
    assert_eq!((levels.silence_ratio, levels.dc_offset.as_slice()), (1.0, &[0.0][..]));

    let one = measure(&[&[0.5]], 44_100);
    near(one.peak_dbfs, -6.0206, 1e-4);
    near(one.rms_dbfs, -6.0206, 1e-4);
    assert_eq!((one.loudness_lufs, one.loudness_range_lu, one.frames), (None, None, 1));

    let mut tone = parts(&[(-20.0, 2.0)], 48_000.0);
    let sound = measure(&[&tone], 48_000);
    assert_eq!(sound.loudness_range_lu, None);
    let zeros: Vec<f32> = tone.iter().enumerate().map(|(n, &x)| if n < 3 { 0.0 } else { x }).collect();
    tone[..3].copy_from_slice(&[f32::NAN, f32::INFINITY, -1e31]);
    let mut bad = measure(&[&tone], 48_000);
    assert_eq!(bad.non_finite_samples, 3);
    bad.non_finite_samples = 0;
    assert_eq!(bad, measure(&[&zeros], 48_000));
    let nan = measure(&[&[f32::NAN; 10]], 48_000);
    assert_eq!((nan.peak_dbfs, nan.non_finite_samples, nan.silence_ratio), (None, 10, 1.0));

    // The lowest and the highest rate, and huge samples.
    assert_eq!(measure(&[&[0.5; 1000]], 100).loudness_lufs, None);
    assert!(measure(&[&[0.5; 1000]], 1_000_000).true_peak_dbtp.is_some());
    assert!(measure(&[&vec![1e30; 48_000]], 48_000).peak_dbfs.unwrap() > 599.0);
    let many: Vec<&[f32]> = vec![&[0.5; 10]; 256];
    let levels = measure(&many, 48_000);
    assert_eq!((levels.true_peak_dbtp, levels.dc_offset.len()), (None, 256));
}

#[test]
fn bad_input_is_refused() {
    let meter = LevelConfig::default().plan().unwrap();
    let refused = |channels: &[&[f32]], rate| meter.process(channels, rate).unwrap_err().to_string();
    assert_eq!(refused(&[], 44_100), "invalid channels 0, allowed is 1 to 256");
    assert_eq!(refused(&[&[]], 44_100), "signal has 0 samples, allowed is 1 or more");
    assert_eq!(refused(&[&[0.0; 4], &[0.0; 3]], 44_100), "output buffer has length 3, expected 4");
    assert_eq!(refused(&[&[0.0]], 99), "invalid sample_rate 99, allowed is 100 to 1000000");
    let default = LevelConfig::default();
    for (config, field) in [
        (LevelConfig { clip_level: f32::NAN, ..default }, "clip_level"),
        (LevelConfig { clip_run: 0, ..default }, "clip_run"),
        (LevelConfig { silence_frame_s: 0.0, ..default }, "silence_frame_s"),
        (LevelConfig { silence_dbfs: 1.0, ..default }, "silence_dbfs"),
    ] {
        assert!(config.plan().unwrap_err().to_string().starts_with(&format!("invalid {field} ")));
    }
    assert!(serde_json::from_str::<LevelConfig>("{\"clip\":1}").is_err());
    let levels = measure(&[&[0.5; 10]], 44_100);
    let json = serde_json::to_string(&levels).unwrap();
    assert!(json.contains("\"loudness_lufs\":null"), "{json}");
    assert_eq!(serde_json::from_str::<Levels>(&json).unwrap(), levels);
}
