//! Descriptors against librosa 0.11 on a small matrix, and against their formulas on a large one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_features::FeatureError;
use mgr_features::frame::Padding;
use mgr_features::pitch::piptrack::{PeakFloor, PiptrackConfig};
use mgr_features::pitch::tuning::{TuningConfig, pitch_tuning};
use mgr_features::spectral::{
    BandwidthConfig, CentroidConfig, ContrastConfig, ContrastScale, FlatnessConfig, PolyConfig, RmsConfig,
    RolloffConfig, Spectral, SpectralRmsConfig, ZeroCrossingConfig, ZeroSign,
};
use mgr_features::stft::StftConfig;
use ndarray::{Array2, array};

const RATE: u32 = 16_000;

fn stft(n_fft: usize) -> StftConfig {
    StftConfig { n_fft, ..StftConfig::default() }
}

/// Nine bins of 1 kHz, two frames.
fn small() -> Array2<f32> {
    array![[0., 1., 3., 2., 0., 5., 5., 1., 0.], [4., 1., 1., 2., 3., 1., 1., 2., 3.]].reversed_axes()
}

fn noise(bins: usize, frames: usize) -> Array2<f32> {
    let mut state = 3_u32;
    Array2::from_shape_simple_fn((bins, frames), || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    })
}

fn close(got: &Array2<f32>, want: &Array2<f64>) {
    assert_eq!(got.dim(), want.dim());
    for (g, w) in got.iter().zip(want) {
        assert!((f64::from(*g) - w).abs() <= 2e-6 * w.abs() + 1e-9, "{got:?} {want:?}");
    }
}

fn of_small(plan: Result<Spectral, FeatureError>) -> Array2<f32> {
    plan.unwrap().process_spectrogram(small().view()).unwrap()
}

#[test]
fn descriptors_of_a_small_matrix_are_those_of_the_reference() {
    let config = || stft(16);
    close(
        &of_small(CentroidConfig { stft: config() }.plan(RATE)),
        &array![[4_411.764_852_8, 3_888.888_962_57]],
    );
    let bandwidth = |p, norm| of_small(BandwidthConfig { stft: config(), p, norm }.plan(RATE));
    close(&bandwidth(2.0, true), &array![[1_784.206_005_22, 2_884.612_240_72]]);
    close(&bandwidth(3.0, false), &array![[5_010.824_033_46, 8_178.117_873_14]]);
    let rolloff = RolloffConfig { stft: config(), ..RolloffConfig::default() };
    close(&of_small(rolloff.plan(RATE)), &array![[6000.0, 8000.0]]);
    let flatness = FlatnessConfig { stft: config(), ..FlatnessConfig::default() };
    close(&of_small(flatness.plan(RATE)), &array![[1.956_915_5e-4, 5.903_652_9e-1]]);
    close(
        &of_small(PolyConfig { stft: config(), order: 2 }.plan(RATE)),
        &array![
            [-1.829_004_33e-7, 9.740_259_74e-8],
            [1.579_870_13e-3, -8.125_541_13e-4],
            [-2.848_484_85e-1, 3.042_424_24]
        ],
    );
    close(&of_small(SpectralRmsConfig { stft: config() }.plan(RATE)), &array![[0.712_609_65, 0.511_584_5]]);
    let contrast = |scale| {
        let (f_min, n_bands, quantile) = (2500.0, 2, 0.5);
        of_small(ContrastConfig { stft: config(), f_min, n_bands, quantile, scale }.plan(RATE))
    };
    close(&contrast(ContrastScale::Linear), &array![[0.0, 0.0], [1.5, 1.0], [5.0, 2.0]]);
    let db = array![[0.0, 0.0], [3.979_400_09, 2.218_487_5], [83.010_299_96, 4.771_212_55]];
    let got = contrast(ContrastScale::default());
    // Decibels are f32 logarithms: a few units in the last place of 80 dB.
    assert!(got.iter().zip(&db).all(|(g, w)| (f64::from(*g) - w).abs() < 3e-5), "{got:?}");
}

#[test]
fn peaks_and_tuning_are_those_of_the_reference() {
    let config = |n_fft| PiptrackConfig {
        stft: stft(n_fft),
        f_min: 500.0,
        f_max: 9000.0,
        ..PiptrackConfig::default()
    };
    let found = config(16).plan(RATE).unwrap().process_spectrogram(small().view()).unwrap();
    let (mut pitches, mut magnitudes) = (Array2::zeros((9, 2)), Array2::zeros((9, 2)));
    for (bin, frame, hz, height) in [
        (2, 0, 2_166.666_748_046_875, 3.041_666_746_139_526),
        (5, 0, 5500.0, 5.625),
        (4, 1, 3_833.333_251_953_125, 3.041_666_746_139_526),
    ] {
        pitches[[bin, frame]] = hz;
        magnitudes[[bin, frame]] = height;
    }
    close(&found.pitches, &pitches);
    close(&found.magnitudes, &magnitudes);
    // Of an odd transform the last bin can be a peak.
    let odd = array![[0.0, 1.0, 3.0, 2.0, 4.0]].reversed_axes();
    let found = config(9).plan(RATE).unwrap().process_spectrogram(odd.view()).unwrap();
    close(&found.pitches, &array![[0.0, 0.0, 3851.8518, 0.0, 7111.1113]].reversed_axes());
    // A fixed floor of 3.5 leaves only the last.
    let high = PiptrackConfig { floor: PeakFloor::Value(3.5), ..config(9) };
    let found = high.plan(RATE).unwrap().process_spectrogram(odd.view()).unwrap();
    close(&found.magnitudes, &array![[0.0, 0.0, 0.0, 0.0, 4.0]].reversed_axes());

    assert_eq!(pitch_tuning(&[440.0, 220.0, 111.1, 300.0], 0.01, 12), Ok(0.0));
    assert_eq!(pitch_tuning(&[0.0, f32::NAN, -3.0], 0.01, 12), Ok(0.0));
    assert_eq!(pitch_tuning(&[], 0.01, 12), Ok(0.0));
    assert!(pitch_tuning(&[], 0.0, 12).is_err() && pitch_tuning(&[], 0.01, 0).is_err());
}

#[test]
fn tuning_needs_a_scratch_for_the_signal_and_only_that() {
    let tuning = TuningConfig::default().plan(RATE).unwrap();
    let samples: Vec<f32> =
        (0..20_000).map(|n| (f64::from(n) * 0.2).sin() as f32 * ((n / 777) % 5) as f32).collect();
    let want = tuning.estimate(&samples).unwrap();
    let short = tuning.estimate_with(&samples, &mut tuning.scratch_for(1000));
    assert_eq!(short, Err(FeatureError::Scratch { plan: "tuning" }));
    let mut scratch = tuning.scratch_for(30_000);
    tuning.estimate_with(&[0.5; 9000], &mut scratch).unwrap();
    let count = allocation_counter::measure(|| {
        assert_eq!(tuning.estimate_with(&samples, &mut scratch), Ok(want));
    });
    assert_eq!(count.count_total, 0);
    assert_eq!(tuning.estimate(&[0.0; 5000]), Ok(0.0));
    assert!(matches!(tuning.estimate(&[f32::NAN; 5000]), Err(FeatureError::NotFinite { .. })));
}

#[test]
fn descriptors_follow_their_formulas() {
    let magnitude = noise(513, 7);
    let hz = |k: usize| k as f64 * f64::from(RATE) / 1024.0;
    let columns = || magnitude.columns().into_iter().map(|c| c.mapv(f64::from));
    let row = |f: &dyn Fn(ndarray::Array1<f64>) -> f64| {
        Array2::from_shape_vec((1, 7), columns().map(f).collect()).unwrap()
    };
    let centre =
        |s: &ndarray::Array1<f64>| s.iter().enumerate().map(|(k, v)| hz(k) * v).sum::<f64>() / s.sum();
    let run =
        |plan: Result<Spectral, FeatureError>| plan.unwrap().process_spectrogram(magnitude.view()).unwrap();
    close(&run(CentroidConfig { stft: stft(1024) }.plan(RATE)), &row(&|s| centre(&s)));
    for p in [0.5, 1.0, 2.0, 3.0, 4.0, 5.0] {
        for norm in [true, false] {
            let spread = |s: ndarray::Array1<f64>| {
                let c = centre(&s);
                let sum: f64 = s.iter().enumerate().map(|(k, v)| v * (hz(k) - c).abs().powf(p)).sum();
                (if norm { sum / s.sum() } else { sum }).powf(1.0 / p)
            };
            close(&run(BandwidthConfig { stft: stft(1024), p, norm }.plan(RATE)), &row(&spread));
        }
    }
    for power in [1.0, 2.0, 0.7] {
        let amin = 1e-3;
        let flat = |s: ndarray::Array1<f64>| {
            let v = s.mapv(|v| v.powf(f64::from(power)).max(f64::from(amin)));
            v.mapv(f64::ln).mean().unwrap().exp() / v.mean().unwrap()
        };
        close(&run(FlatnessConfig { stft: stft(1024), amin, power }.plan(RATE)), &row(&flat));
    }
}

#[test]
fn the_spectrum_has_the_energy_of_the_frame() {
    // Parseval: with a rectangular window both root mean squares are the same.
    let samples: Vec<f32> = noise(1, 9000).iter().map(|v| v - 0.5).collect();
    for n_fft in [1, 2, 255, 256, 1000] {
        let stft =
            StftConfig { window: mgr_features::window::Window::Rectangular, hop_length: 100, ..stft(n_fft) };
        let spectral = SpectralRmsConfig { stft }.plan(RATE).unwrap().process(&samples).unwrap();
        let config = RmsConfig { frame_length: n_fft, hop_length: 100, ..RmsConfig::default() };
        let direct = config.plan(RATE).unwrap().process(&samples).unwrap();
        assert!(spectral.iter().zip(&direct).all(|(a, b)| (a - b).abs() < 1e-6), "{n_fft}");
    }
}

#[test]
fn frames_are_measured_as_by_the_reference() {
    let x = [0.0, 1.0, -1.0, -0.05, 0.05, 2.0, 0.0, -3.0];
    let rate = |threshold, zero, count_first| {
        let (frame_length, hop_length) = (4, 2);
        let default = ZeroCrossingConfig::default();
        let config = ZeroCrossingConfig { frame_length, hop_length, threshold, zero, count_first, ..default };
        config.plan(RATE).unwrap().process(&x).unwrap()
    };
    assert_eq!(rate(1e-10, ZeroSign::Positive, false), array![[0.0, 0.25, 0.25, 0.25, 0.25]]);
    assert_eq!(rate(0.1, ZeroSign::Positive, false), array![[0.0, 0.5, 0.25, 0.25, 0.25]]);
    assert_eq!(rate(1e-10, ZeroSign::Own, false), array![[0.25, 0.5, 0.25, 0.5, 0.25]]);
    assert_eq!(rate(0.1, ZeroSign::Own, true), array![[0.5, 1.0, 0.75, 1.0, 0.5]]);
    for (padding, first) in
        [(Padding::Zero, 2.0), (Padding::Reflect, 4.0), (Padding::Edge, 2.0), (Padding::Symmetric, 3.0)]
    {
        let config = RmsConfig { frame_length: 5, hop_length: 4, padding, ..RmsConfig::default() };
        let squares = config.plan(RATE).unwrap().process(&x).unwrap().mapv(|v| v * v * 5.0);
        close(&squares, &array![[first, 5.005]]);
    }
}

#[test]
fn a_spectrogram_that_is_none_is_refused() {
    let plan = CentroidConfig { stft: stft(16) }.plan(RATE).unwrap();
    let refused = |s: Array2<f32>| plan.process_spectrogram(s.view()).unwrap_err();
    assert!(matches!(refused(Array2::zeros((8, 2))), FeatureError::Shape { rows: 9, .. }));
    let mut bad = small();
    bad[[3, 1]] = f32::NAN;
    assert!(matches!(refused(bad.clone()), FeatureError::NotFinite { index: 12, .. }));
    bad[[3, 1]] = -1.0;
    assert!(matches!(refused(bad), FeatureError::Parameter { field: "spectrogram", .. }));
    assert_eq!(plan.process_spectrogram(Array2::zeros((9, 0)).view()).unwrap().dim(), (1, 0));
}
