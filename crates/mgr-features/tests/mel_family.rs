//! What follows a mel spectrogram, against its definitions in f64.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_features::compress::Compression;
use mgr_features::delta::{DeltaMode, DerivativeConfig};
use mgr_features::invert::{GriffinLimConfig, InitialPhase, InversionConfig};
use mgr_features::log_mel::LogMelConfig;
use mgr_features::mel::{MelBankConfig, MelConfig};
use mgr_features::mfcc::MfccConfig;
use mgr_features::pcen::{MaxAxis, PcenCurveConfig};
use mgr_features::spectrogram::SpectrogramConfig;
use mgr_features::stft::StftConfig;
use mgr_features::{FeatureConfig, FeatureError, presets};
use ndarray::{Array2, ArrayView2, concatenate, s};
use proptest::prelude::*;

fn noise(count: usize) -> Vec<f32> {
    let mut state = 3_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Notes that come and go, over a little noise.
fn music(count: usize) -> Vec<f32> {
    let noise = noise(count);
    let note = |n: usize, hz: f32| {
        let t = n as f32 / 22_050.0;
        (std::f32::consts::TAU * hz * t).sin() * (-4.0 * (t * 3.0).fract()).exp()
    };
    (0..count).map(|n| 0.3 * note(n, 220.0) + 0.2 * note(n + 999, 1318.5) + 0.01 * noise[n]).collect()
}

fn small() -> MelConfig {
    MelConfig {
        stft: StftConfig { n_fft: 512, hop_length: 128, ..StftConfig::default() },
        bank: MelBankConfig { n_mels: 40, ..MelBankConfig::default() },
        ..MelConfig::default()
    }
}

/// Coefficients of the polynomial of least squares through `values` at -half..=half, by Gauss and Jordan.
fn fitted(values: &[f64], degree: usize) -> Vec<f64> {
    let half = (values.len() / 2) as f64;
    let size = degree + 1;
    let mut system = vec![vec![0.0; size + 1]; size];
    for (i, value) in values.iter().enumerate() {
        let x = i as f64 - half;
        for (a, row) in system.iter_mut().enumerate() {
            row.iter_mut().enumerate().take(size).for_each(|(b, v)| *v += x.powi((a + b) as i32));
            row[size] += value * x.powi(a as i32);
        }
    }
    for a in 0..size {
        let pivot = (a..size).max_by(|&i, &j| system[i][a].abs().total_cmp(&system[j][a].abs())).unwrap();
        system.swap(a, pivot);
        let pivot = system[a].clone();
        for (_, row) in system.iter_mut().enumerate().filter(|(b, _)| *b != a) {
            let factor = row[a] / pivot[a];
            row.iter_mut().zip(&pivot).for_each(|(v, p)| *v -= factor * p);
        }
    }
    (0..size).map(|a| system[a][size] / system[a][a]).collect()
}

fn derived(polynomial: &[f64], order: usize, x: f64) -> f64 {
    let falling = |k: usize| (0..order).map(|i| (k - i) as f64).product::<f64>();
    (order..polynomial.len()).map(|k| polynomial[k] * falling(k) * x.powi((k - order) as i32)).sum()
}

/// The derivative of one row as it is defined.
fn naive_derivative(config: &DerivativeConfig, row: &[f32]) -> Vec<f64> {
    let (n, width) = (row.len() as isize, config.width as isize);
    let half = width / 2;
    let degree = config.poly_order.unwrap_or(config.order);
    let at = |i: isize| -> f64 {
        let index = match config.mode {
            _ if (0..n).contains(&i) => i,
            DeltaMode::Constant => return 0.0,
            DeltaMode::Wrap => i.rem_euclid(n),
            DeltaMode::Nearest | DeltaMode::Interp => i.clamp(0, n - 1),
            DeltaMode::Mirror => {
                let mut i = i;
                while n > 1 && !(0..n).contains(&i) {
                    i = if i < 0 { -i } else { 2 * (n - 1) - i };
                }
                i.clamp(0, n - 1)
            }
        };
        f64::from(row[index as usize])
    };
    (0..n)
        .map(|t| {
            let first = match config.mode {
                DeltaMode::Interp => (t - half).clamp(0, n - width),
                _ => t - half,
            };
            let values: Vec<f64> = (first..first + width).map(at).collect();
            derived(&fitted(&values, degree), config.order, (t - first - half) as f64)
        })
        .collect()
}

/// Per-channel energy normalisation as it is written.
fn naive_pcen(config: &PcenCurveConfig, frame_rate: f64, energies: ArrayView2<'_, f32>) -> Array2<f64> {
    let frames = config.time_constant * frame_rate;
    let b = config.b.unwrap_or(((1.0 + 4.0 * frames * frames).sqrt() - 1.0) / (2.0 * frames * frames));
    let (rows, columns) = energies.dim();
    let mirrored = |i: isize, n: usize| -> usize {
        let p = i.rem_euclid(2 * n as isize) as usize;
        if p < n { p } else { 2 * n - 1 - p }
    };
    let size = config.max_size as isize;
    let neighbours = -(size / 2)..size - size / 2;
    let mut state = vec![1.0; rows];
    let mut out = Array2::zeros((rows, columns));
    for t in 0..columns {
        for r in 0..rows {
            let neighbour = |k: isize| match config.max_axis {
                MaxAxis::Frequency => energies[[mirrored(r as isize + k, rows), t]],
                MaxAxis::Time => energies[[r, mirrored(t as isize + k, columns)]],
            };
            let reference = neighbours.clone().map(neighbour).fold(0.0f32, f32::max);
            state[r] = b * f64::from(reference) + (1.0 - b) * state[r];
            let value = f64::from(energies[[r, t]]) * (config.eps + state[r]).powf(-config.gain);
            out[[r, t]] = match config.power {
                0.0 => value.ln_1p(),
                power => (value + config.bias).powf(power) - config.bias.powf(power),
            };
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_derivative_is_that_of_the_fitted_polynomial(
        half in 1usize..8,
        order in 1usize..4,
        more in 0usize..3,
        mode in prop_oneof![
            Just(DeltaMode::Interp),
            Just(DeltaMode::Nearest),
            Just(DeltaMode::Mirror),
            Just(DeltaMode::Constant),
            Just(DeltaMode::Wrap)
        ],
        values in prop::collection::vec(-1.0f32..1.0, 1..60),
    ) {
        let width = 2 * half + 1;
        prop_assume!(order + more < width && (mode != DeltaMode::Interp || values.len() >= width));
        let config = DerivativeConfig { width, order, poly_order: Some(order + more), mode };
        // Three rows, so that they must not be mixed up.
        let matrix = Array2::from_shape_fn((3, values.len()), |(r, t)| values[t] * (r as f32 - 1.0));
        let got = config.plan().unwrap().process(matrix.view()).unwrap();
        for (got, row) in got.rows().into_iter().zip(matrix.rows()) {
            for (g, w) in got.iter().zip(naive_derivative(&config, &row.to_vec())) {
                // The result is rounded to f32; the twin's equations lose a few digits of f64.
                prop_assert!((f64::from(*g) - w).abs() <= 1e-6 * (1.0 + w.abs()), "{} {}", g, w);
            }
        }
    }

    #[test]
    fn normalisation_is_as_written(
        gain in 0.0..1.5f64,
        bias in prop_oneof![Just(0.0), 0.01..10.0f64],
        power in prop_oneof![Just(0.0), 0.05..1.0f64],
        time_constant in 0.01..2.0f64,
        b in prop::option::of(0.01..1.0f64),
        max_size in 1usize..9,
        max_axis in prop_oneof![Just(MaxAxis::Frequency), Just(MaxAxis::Time)],
        level in -3i32..9,
    ) {
        let config = PcenCurveConfig { gain, bias, power, time_constant, eps: 1e-6, b, max_size, max_axis };
        let values = noise(5 * 12);
        let energies = Array2::from_shape_fn((5, 12), |(r, t)| values[r * 12 + t].max(0.0) * 10f32.powi(level));
        let (got, _) = config.plan(43.0).unwrap().process(energies.view(), None).unwrap();
        let want = naive_pcen(&config, 43.0, energies.view());
        let peak = want.iter().fold(0.0f64, |m, v| m.max(*v));
        for (g, w) in got.iter().zip(&want) {
            // f32 rounding of a logarithm of up to 30, times the gain, is 3e-6 of the value.
            prop_assert!((f64::from(*g) - w).abs() <= 2e-5 * w.abs() + 1e-6 * peak, "{} {}", g, w);
        }
    }
}

#[test]
fn the_state_of_a_normalisation_carries_on() {
    let values = noise(4 * 30);
    let energies = Array2::from_shape_fn((4, 30), |(r, t)| 100.0 * values[r * 30 + t].abs());
    let pcen = PcenCurveConfig { max_size: 2, ..PcenCurveConfig::default() }.plan(20.0).unwrap();
    let (whole, end) = pcen.process(energies.view(), None).unwrap();
    let (first, state) = pcen.process(energies.slice(s![.., ..11]), None).unwrap();
    let (second, end_of_second) = pcen.process(energies.slice(s![.., 11..]), Some(state.view())).unwrap();
    assert_eq!(concatenate![ndarray::Axis(1), first, second], whole);
    assert_eq!(end, end_of_second);
    assert!(pcen.process(energies.view(), Some(ndarray::Array1::zeros(3).view())).is_err());
    assert!(pcen.process((-energies).view(), None).is_err());
}

#[test]
fn everything_can_be_computed_from_a_spectrogram_that_is_there() {
    let samples = music(8000);
    let power = SpectrogramConfig { stft: small().stft, power: 2.0 }.plan(22_050).unwrap();
    let power = power.process(&samples).unwrap();
    let mel = small().plan(22_050).unwrap();
    assert_eq!(mel.process_spectrogram(power.view()).unwrap(), mel.process(&samples).unwrap());
    let log_mel = LogMelConfig { mel: small(), ..LogMelConfig::default() };
    let plan = log_mel.plan(22_050).unwrap();
    assert_eq!(plan.process_spectrogram(power.view()).unwrap(), plan.process(&samples).unwrap());
    let mfcc = MfccConfig { log_mel, ..MfccConfig::default() }.plan(22_050).unwrap();
    let want = mfcc.process(&samples).unwrap();
    assert_eq!(mfcc.process_spectrogram(power.view()).unwrap(), want);
    // The transform of the mel spectrogram in f64.
    let columns = plan.process(&samples).unwrap();
    for (k, t) in [(0, 0), (1, 7), (19, 33)] {
        let term = |n: usize| {
            let angle = std::f64::consts::PI * k as f64 * (2 * n + 1) as f64 / 80.0;
            f64::from(columns[[n, t]]) * angle.cos()
        };
        let scale = if k == 0 { 1.0f64 / 40.0 } else { 2.0 / 40.0 };
        let coefficient = scale.sqrt() * (0..40).map(term).sum::<f64>();
        assert!((f64::from(want[[k, t]]) - coefficient).abs() < 1e-3, "{k} {t}");
    }
    let refused = mel.process_spectrogram(Array2::zeros((256, 3)).view());
    assert!(matches!(refused, Err(FeatureError::Shape { .. })));
}

/// `|a - b| / |b|` over all values.
fn distance(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> f64 {
    let square = |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>();
    let (between, whole) =
        (square(&mut a.iter().zip(&b).map(|(a, b)| a - b)), square(&mut b.iter().copied()));
    (between / whole).sqrt()
}

#[test]
fn magnitudes_found_have_the_mel_spectrogram() {
    let samples = music(30_000);
    for power in [1.0, 2.0, 1.5] {
        let config = MelConfig { power, ..small() };
        let plan = config.plan(22_050).unwrap();
        let mel = plan.process(&samples).unwrap();
        let inversion = InversionConfig::default().of_mel(&config, 22_050).unwrap();
        let magnitude = inversion.magnitude(mel.view()).unwrap();
        assert!(magnitude.iter().all(|v| *v >= 0.0));
        let again = plan.process_spectrogram(magnitude.mapv(|v| v.powf(power)).view()).unwrap();
        // librosa's solver ends at 1e-3 to 4e-3 on music.
        let distance = distance(again.view(), mel.view());
        assert!(distance < 1e-3, "{power}: {distance}");
    }
    let silence = Array2::zeros((40, 3));
    let inversion = InversionConfig::default().of_mel(&small(), 22_050).unwrap();
    assert!(inversion.magnitude(silence.view()).unwrap().iter().all(|v| *v == 0.0));
    assert!(inversion.magnitude(Array2::from_elem((40, 3), f32::NAN).view()).is_err());
    assert!(inversion.magnitude(Array2::zeros((41, 3)).view()).is_err());
}

#[test]
fn a_signal_is_found_for_its_magnitudes() {
    let samples = music(20_000);
    let stft = small().stft;
    let plan = stft.plan().unwrap();
    let magnitude = |x: &[f32]| plan.process(x).unwrap().mapv(|z| z.norm());
    let want = magnitude(&samples);
    for init in [InitialPhase::Zero, InitialPhase::Random { seed: 5 }] {
        let search = GriffinLimConfig { init, ..GriffinLimConfig::default() }.plan(&stft).unwrap();
        let found = search.process(want.view(), Some(samples.len())).unwrap();
        assert_eq!(found, search.process(want.view(), Some(samples.len())).unwrap());
        // Better with every ten rounds, and under what librosa gets of such signals, 0.1.
        let rounds = |n_iter| {
            let config = GriffinLimConfig { n_iter, init, ..GriffinLimConfig::default() };
            let found = config.plan(&stft).unwrap().process(want.view(), Some(samples.len())).unwrap();
            distance(magnitude(&found).view(), want.view())
        };
        let distances = [0, 10, 32].map(rounds);
        assert!(distances[0] > distances[1] && distances[1] > distances[2], "{distances:?}");
        assert!(distances[2] < 0.1, "{distances:?}");
    }
    let search = GriffinLimConfig::default().plan(&stft).unwrap();
    assert!(search.process(want.view(), Some(10)).is_err());
    assert!(search.process(Array2::zeros((257, 0)).view(), None).is_err());
    assert!(search.process((-&want).view(), None).is_err());
    let mut out = vec![0.0; 20_000];
    let mut scratch = search.scratch_for(157).unwrap();
    let count = allocation_counter::measure(|| {
        search.process_into(want.view(), &mut out, &mut scratch).unwrap();
    });
    assert_eq!(count.count_total, 0);
}

#[test]
fn coefficients_are_heard_again() {
    let samples = music(20_000);
    for (compression, lifter) in [
        (Compression::default(), 0.0),
        (Compression::Ln { floor: 1e-9 }, 22.0),
        (presets::musicnn().compression, 0.0),
    ] {
        let log_mel = LogMelConfig { mel: small(), compression };
        let config = MfccConfig { log_mel, n_mfcc: 40, lifter, ..MfccConfig::default() };
        let mel = small().plan(22_050).unwrap().process(&samples).unwrap();
        let mfcc = config.plan(22_050).unwrap().process(&samples).unwrap();
        let inversion = InversionConfig::default().of_mfcc(&config, 22_050).unwrap();
        // With as many coefficients as bands nothing is lost but what lies under the floor.
        let again = inversion.mel(mfcc.view()).unwrap();
        assert!(distance(again.view(), mel.view()) < 1e-4);
        let heard = inversion.audio(mfcc.view(), Some(samples.len())).unwrap();
        let heard = small().plan(22_050).unwrap().process(&heard).unwrap();
        let distance = distance(heard.view(), mel.view());
        assert!(distance < 0.35, "{distance}");
    }
    let taken_away =
        MfccConfig { lifter: 2.0, lifter_start: mgr_features::mfcc::LifterStart::One, ..Default::default() };
    // 1 + sin(3 pi / 2) = 0
    assert!(matches!(
        InversionConfig::default().of_mfcc(&taken_away, 22_050),
        Err(FeatureError::Parameter { field: "lifter", .. })
    ));
}

#[test]
fn the_json_of_defaults_never_changes() {
    // Stored features are found by this text: changing a name or a default loses every store.
    let stft = concat!(
        r#""stft":{"n_fft":2048,"hop_length":512,"window":"hann","symmetry":"periodic","centering":"centered","#,
        r#""padding":"zero"},"bank":{"n_mels":128,"f_min":0.0,"scale":"slaney","norm":"slaney","coverage":"strict"}"#
    );
    let mfcc = [
        r#"{"feature":"mfcc","log_mel":{"mel":{"#,
        stft,
        r#","power":2.0},"compression":{"decibel":{"reference":{"value":1.0},"amin":1e-10,"top_db":80.0}}},"#,
        r#""n_mfcc":20,"dct_type":"two","norm":"ortho","lifter":0.0}"#,
    ]
    .concat();
    let pcen = [
        r#"{"feature":"pcen","#,
        stft,
        r#","spectrum_power":1.0,"scale":2147483600.0,"curve":{"gain":0.98,"bias":2.0,"power":0.5,"#,
        r#""time_constant":0.4,"eps":1e-6,"max_size":1,"max_axis":"frequency"}}"#,
    ]
    .concat();
    let delta =
        [r#"{"feature":"delta","base":"#, &mfcc, r#","orders":[0,1,2],"width":9,"mode":"interp"}"#].concat();
    for (name, want) in [("mfcc", &mfcc), ("pcen", &pcen), ("delta", &delta)] {
        let json = serde_json::to_string(&FeatureConfig::named(name).unwrap()).unwrap();
        assert_eq!(&json, want);
    }
}
