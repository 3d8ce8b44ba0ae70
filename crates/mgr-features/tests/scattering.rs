//! Scattering against its definition: on the whole padded signal, in f64, with filters on all of their bins.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::f64::consts::TAU;

use mgr_features::FeatureError;
use mgr_features::scattering::{
    Averaging, MlfcfScatteringConfig, Precision, Scaling, Scattering, ScatteringConfig, Wavelet,
};
use num_complex::Complex64;
use rustfft::FftPlanner;

type Spectrum = Vec<Complex64>;

fn fft(x: &[Complex64]) -> Spectrum {
    let mut out = x.to_vec();
    FftPlanner::new().plan_fft_forward(out.len()).process(&mut out);
    out
}

fn ifft(x: &[Complex64]) -> Spectrum {
    let mut out = x.to_vec();
    FftPlanner::new().plan_fft_inverse(out.len()).process(&mut out);
    out.iter().map(|z| z / x.len() as f64).collect()
}

/// A Morlet wavelet, or the low-pass filter where `xi` is 0, on a circle, of unit L1 norm.
fn filter(xi: f64, sigma: f64, length: usize) -> Vec<f64> {
    let gauss =
        |f: f64| (-2..=2).map(|i| (-(f + f64::from(i)).powi(2) / (2.0 * sigma * sigma)).exp()).sum::<f64>();
    let at = |k: usize| k as f64 / length as f64;
    let kappa = if xi == 0.0 { 0.0 } else { gauss(-xi) / gauss(0.0) };
    let raw: Vec<f64> = (0..length).map(|k| gauss(at(k) - xi) - kappa * gauss(at(k))).collect();
    let complex: Spectrum = raw.iter().map(|&v| v.into()).collect();
    let norm: f64 = ifft(&complex).iter().map(|z| z.norm()).sum();
    raw.iter().map(|v| v / norm).collect()
}

/// Folds into `2^level` times fewer bins: their sum, or their mean.
fn fold<T: Copy + std::iter::Sum<T> + std::ops::Mul<f64, Output = T>>(
    x: &[T],
    level: usize,
    mean: bool,
) -> Vec<T> {
    let size = x.len() >> level;
    let scale = if mean { 1.0 / f64::from(1_u32 << level) } else { 1.0 };
    (0..size).map(|k| x.iter().skip(k).step_by(size).copied().sum::<T>() * scale).collect()
}

fn convolve(spectrum: &[Complex64], filter: &[f64], level: usize) -> Spectrum {
    let product: Spectrum = spectrum.iter().zip(filter).map(|(x, h)| x * h).collect();
    ifft(&fold(&product, level, true))
}

fn modulus(x: &[Complex64]) -> Spectrum {
    x.iter().map(|z| z.norm().into()).collect()
}

fn reference(config: &ScatteringConfig, plan: &Scattering, samples: &[f32]) -> Vec<Vec<f64>> {
    let n = samples.len();
    let t =
        if let Averaging::Samples(t) = config.averaging { f64::from(t) } else { f64::from(1 << config.j) };
    // Padding, by its definition.
    let spectrum: Spectrum = filter_of_any_length(0.1 / t, n);
    let h: Vec<f64> = spectrum.iter().map(|z| z.norm()).collect();
    let half = n / 2;
    let tail = |t: usize| h[t..half].iter().sum::<f64>();
    let support = (0..half).find(|&t| tail(t) <= 1e-3).map_or(half, |t| t + 1);
    let log2 = ((n + 6 * support) as f64).log2().ceil().min(((3 * n - 2) as f64).log2().floor());
    let circle = 1_usize << log2 as u32;
    let left = (circle - n) / 2;
    let x: Spectrum = (0..circle as isize)
        .map(|i| {
            let i = (i - left as isize).abs();
            let last = n as isize - 1;
            f64::from(samples[if i > last { 2 * last - i } else { i } as usize]).into()
        })
        .collect();
    let x = fft(&x);
    let phi = filter(0.0, 0.1 / t, circle);
    let deepest = t.log2().floor() as usize;
    let os = config.oversampling as usize;
    let column_level = deepest.saturating_sub(os);
    let mean = config.scaling == Scaling::Legacy;
    let average = |envelope: &[Complex64], level: usize| -> Vec<f64> {
        let low = convolve(&fft(envelope), &fold(&phi, level, mean), column_level - level);
        let mut range = (left, left + n);
        (0..column_level).for_each(|_| range = (range.0.div_ceil(2), range.1.div_ceil(2)));
        low[range.0..range.1].iter().map(|z| z.re).collect()
    };
    let low = convolve(&x, &phi, column_level);
    let range = (left.div_ceil(1 << column_level), (left + n).div_ceil(1 << column_level));
    let mut rows = vec![low[range.0..range.1].iter().map(|z| z.re).collect::<Vec<f64>>()];
    let envelope = |spectrum: &[Complex64], w: Wavelet, level: usize, deeper: usize| {
        modulus(&convolve(spectrum, &fold(&filter(w.xi, w.sigma, circle), level, mean), deeper))
    };
    for path in &plan.paths()[1..] {
        let first = path.first.unwrap();
        let k1 = first.j.min(deepest).saturating_sub(os);
        let u1 = envelope(&x, first, 0, k1);
        rows.push(match path.second {
            None => average(&u1, k1),
            Some(second) => {
                let k2 = second.j.min(deepest).saturating_sub(os).saturating_sub(k1);
                average(&envelope(&fft(&u1), second, k1, k2), k1 + k2)
            }
        });
    }
    rows
}

/// The low-pass filter in time, on a circle of any length.
fn filter_of_any_length(sigma: f64, length: usize) -> Spectrum {
    let h = filter(0.0, sigma, length);
    ifft(&h.iter().map(|&v| v.into()).collect::<Spectrum>())
}

fn signal(length: usize) -> Vec<f32> {
    let mut state = 7_u32;
    (0..length)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 8) as f32 / (1 << 24) as f32 - 0.5;
            let t = n as f32;
            0.4 * (0.3 * t + 2.0 * (0.004 * t).sin()).sin()
                + 0.05 * noise
                + if n % 2500 == 0 { 0.9 } else { 0.02 }
        })
        .collect()
}

/// The tolerances of the golden set, in double and single precision.
fn compare(config: &ScatteringConfig, samples: &[f32]) {
    for (precision, rtol, atol) in [(Precision::Double, 1e-7, 1e-9), (Precision::Single, 1e-4, 1e-5)] {
        let config = ScatteringConfig { precision, ..config.clone() };
        let plan = config.plan(22_050).unwrap();
        let want = reference(&config, &plan, samples);
        let got = plan.process_double(samples).unwrap();
        assert_eq!(got.dim(), (want.len(), want[0].len()), "{config:?}");
        let peak = want.iter().flatten().fold(0.0_f64, |peak, v| peak.max(v.abs()));
        for (row, want) in want.iter().enumerate() {
            for (column, want) in want.iter().enumerate() {
                let got = got[[row, column]];
                let error = (got - want).abs() / (atol * peak + rtol * want.abs());
                assert!(error <= 1.0, "{config:?} of {}: [{row}, {column}] {got} {want}", samples.len());
            }
        }
    }
}

fn config(j: u32, q: u32, q2: u32) -> ScatteringConfig {
    ScatteringConfig { j, q, q2, ..ScatteringConfig::default() }
}

#[test]
fn a_signal_in_one_piece_is_the_definition() {
    for length in [16, 100, 255, 700, 1500] {
        compare(&config(4, 2, 1), &signal(length));
        let scaling = Scaling::Legacy;
        compare(&ScatteringConfig { scaling, oversampling: 1, ..config(3, 5, 2) }, &signal(length));
    }
    // Filters longer than the padded signal, and averaging much shorter and much longer than wavelets.
    compare(&config(7, 3, 1), &signal(130));
    compare(&ScatteringConfig { averaging: Averaging::Samples(3), ..config(6, 1, 1) }, &signal(333));
    compare(&ScatteringConfig { averaging: Averaging::Samples(700), ..config(2, 1, 1) }, &signal(700));
    compare(&ScatteringConfig { max_order: 1, oversampling: 9, ..config(3, 1, 1) }, &signal(64));
}

#[test]
fn a_signal_in_blocks_is_the_definition() {
    for length in [4097, 20_000, 33_333] {
        compare(&config(3, 2, 1), &signal(length));
        let scaling = Scaling::Legacy;
        compare(&ScatteringConfig { scaling, oversampling: 1, ..config(4, 1, 1) }, &signal(length));
    }
    // Filters that reach from one end of the padded signal to the other.
    compare(&ScatteringConfig { averaging: Averaging::Samples(2), ..config(4, 1, 1) }, &signal(17_000));
}

#[test]
fn a_stream_gives_the_bytes_of_a_batch() {
    for (config, length) in [(config(3, 2, 1), 20_001), (config(4, 1, 1), 70_000), (config(6, 2, 1), 3000)] {
        for precision in [Precision::Single, Precision::Double] {
            let plan = ScatteringConfig { precision, ..config.clone() }.plan(22_050).unwrap();
            let samples = signal(length);
            let batch = plan.process(&samples).unwrap();
            for block in [997, 8192, 100_000] {
                let mut columns: Vec<f32> = Vec::new();
                let mut stream = plan.stream(length).unwrap();
                for part in samples.chunks(block) {
                    stream.push(part, |column| columns.extend(column)).unwrap();
                }
                stream.finish(|column| columns.extend(column)).unwrap();
                let want: Vec<f32> = batch.columns().into_iter().flatten().copied().collect();
                assert!(columns == want, "{config:?} of {length} in {block}");
            }
        }
    }
}

#[test]
fn a_stream_tells_what_is_wrong() {
    let plan = config(3, 1, 1).plan(22_050).unwrap();
    let mut stream = plan.stream(100).unwrap();
    stream.push(&[0.0; 60], |_| {}).unwrap();
    let mut bad = [0.0; 10];
    bad[3] = f32::NAN;
    assert!(matches!(stream.push(&bad, |_| {}), Err(FeatureError::NotFinite { index: 63, .. })));
    let error = stream.push(&[0.0; 41], |_| {}).unwrap_err();
    assert!(matches!(error, FeatureError::Parameter { field: "samples", .. }));
    assert_eq!(stream.seen(), 60);
    assert_eq!(stream.finish(|_| {}), Err(FeatureError::TooShort { got: 60, needed: 100 }));
    assert_eq!(plan.stream(7).unwrap_err(), FeatureError::TooShort { got: 7, needed: 8 });
    let global = ScatteringConfig { averaging: Averaging::Global, ..config(3, 1, 1) }.plan(22_050).unwrap();
    assert!(matches!(global.stream(100), Err(FeatureError::NotStreamable { .. })));
}

#[test]
fn scaling_differs_by_powers_of_two() {
    let samples = signal(2000);
    let plan = |scaling| ScatteringConfig { scaling, ..config(5, 4, 1) }.plan(22_050).unwrap();
    let (corrected, legacy) = (plan(Scaling::Corrected), plan(Scaling::Legacy));
    let paths = corrected.paths().to_vec();
    let (a, b) = (corrected.process(&samples).unwrap(), legacy.process(&samples).unwrap());
    for ((path, a), b) in paths.iter().zip(a.rows()).zip(b.rows()) {
        let exponent: usize = [path.first, path.second].iter().flatten().map(|w| w.j).sum();
        let factor = (exponent as f32).exp2();
        assert!(a.iter().zip(b).all(|(a, b)| *a == b * factor), "{path:?}");
    }
}

#[test]
fn lists_and_means_are_of_the_same_envelopes() {
    let samples = signal(9000);
    let with = |averaging| ScatteringConfig { averaging, precision: Precision::Double, ..config(4, 3, 1) };
    let lists = with(Averaging::None).plan_lists(22_050).unwrap();
    let rows = lists.process_double(&samples).unwrap();
    let global = with(Averaging::Global).plan(22_050).unwrap().process_double(&samples).unwrap();
    assert_eq!(lists.paths().len(), rows.len());
    assert_eq!(lists.lengths(9000).unwrap(), rows.iter().map(Vec::len).collect::<Vec<_>>());
    assert_eq!(global.dim(), (rows.len(), 1));
    for (row, mean) in rows.iter().zip(&global) {
        assert!((row.iter().sum::<f64>() / row.len() as f64 - mean).abs() < 1e-12);
    }
    assert!(rows[0].iter().zip(&samples).all(|(a, b)| *a == f64::from(*b)));
    // A matrix is a list of equal rows.
    let matrix = with(Averaging::Scale).plan(22_050).unwrap().process_double(&samples).unwrap();
    let lists = with(Averaging::Scale).plan_lists(22_050).unwrap().process_double(&samples).unwrap();
    assert!(matrix.rows().into_iter().zip(&lists).all(|(a, b)| a.iter().eq(b.iter())));
}

#[test]
fn the_path_table_is_the_references() {
    // kymatio 0.3, J 10, Q 6: 1 + 55 + 224 paths.
    let plan = config(10, 6, 1).plan(22_050).unwrap();
    let paths = plan.paths();
    let orders = |order| paths.iter().filter(|p| p.order() == order).count();
    assert_eq!((paths.len(), orders(0), orders(1), orders(2)), (280, 1, 55, 224));
    let key = |row: usize| (paths[row].first.unwrap().n, paths[row].second.unwrap().n);
    assert_eq!([56, 63, 64, 200, 279].map(key), [(0, 3), (0, 10), (1, 3), (21, 6), (48, 10)]);
    assert_eq!(paths[0].hz(22_050), [0.0, 0.0]);
    assert!((paths[1].hz(22_050)[0] - 0.414_213_562_4 * 22_050.0).abs() < 1e-3);
    assert_eq!(paths[56].hz(1)[1], 0.35 / 8.0);
}

#[test]
fn ten_seconds_of_a_known_signal_give_the_known_numbers() {
    let n = 220_500;
    let mut x: Vec<f64> = (0..n)
        .map(|i| {
            let t = f64::from(i) / 22_050.0;
            let square = (TAU * 110.3 * t).sin();
            let sign = if square == 0.0 { 0.0 } else { square.signum() };
            (TAU * 440.0 * t).sin() * (1.0 + 0.9 * (TAU * 8.0 * t).sin()) + 0.3 * sign
        })
        .collect();
    let peak = x.iter().fold(0.0_f64, |peak, v| peak.max(v.abs()));
    x.iter_mut().for_each(|v| *v /= peak);
    let samples: Vec<f32> = x.iter().map(|&v| v as f32).collect();
    // Columns 0, 1, 107, 213, 214 of kymatio 0.3.0's float64 result.
    let known: [(usize, [f64; 5]); 6] = [
        (0, [4.591_698_99e-3, 2.874_410_98e-3, 3.338_105_58e-5, -2.848_932_69e-3, -4.549_553_54e-3]),
        (10, [1.536_574_27e-3, 1.537_580_98e-3, 1.539_293_58e-3, 1.528_239_64e-3, 1.521_779_24e-3]),
        (27, [1.508_697_32e-2, 1.418_122_05e-2, 1.306_153_01e-2, 1.138_955_09e-2, 1.015_833_86e-2]),
        (55, [6.672_695_30e-6, 5.335_762_69e-6, 4.908_561_68e-8, 5.287_816_91e-6, 6.611_482_04e-6]),
        (200, [1.057_026_43e-6, 7.112_302_51e-7, 1.158_078_02e-7, 6.393_739_14e-7, 9.431_498_95e-7]),
        (279, [1.401_857_26e-8, 1.205_149_43e-8, 1.072_846_64e-10, 1.194_717_32e-8, 1.389_495_30e-8]),
    ];
    let config = ScatteringConfig { scaling: Scaling::Legacy, ..config(10, 6, 1) };
    // f32 samples alone are 3e-8 off; the smallest values here are 1e-6 of the signal's.
    for (precision, rtol, atol) in [(Precision::Double, 1e-5, 1e-11), (Precision::Single, 1e-4, 1e-10)] {
        let plan = ScatteringConfig { precision, ..config.clone() }.plan(22_050).unwrap();
        let matrix = plan.process_double(&samples).unwrap();
        assert_eq!(matrix.dim(), (280, 215));
        for (row, values) in &known {
            for (column, want) in [0, 1, 107, 213, 214].into_iter().zip(values) {
                let got = matrix[[*row, column]];
                assert!((got - want).abs() <= atol + rtol * want.abs(), "[{row}, {column}] {got} {want}");
            }
        }
    }
    let front_end = MlfcfScatteringConfig { scattering: config.clone() }.plan(22_050).unwrap();
    let features = front_end.process(&samples).unwrap();
    assert_eq!(features.dim(), (280, 216));
    assert!((features[[27, 107]] - 1.306_153e-2_f32.ln()).abs() < 1e-4);
    assert_eq!(features.column(214), features.column(215));
}

#[test]
fn short_signals_are_refused_by_their_length() {
    let plan = config(10, 6, 1).plan(22_050).unwrap();
    assert_eq!(plan.process(&[0.0; 1023]).unwrap_err(), FeatureError::TooShort { got: 1023, needed: 1024 });
    assert!(plan.process(&[0.0; 1024]).is_ok());
    let long = ScatteringConfig { averaging: Averaging::Samples(500), ..config(2, 1, 1) }.plan(8000).unwrap();
    assert_eq!(long.columns(499).unwrap_err(), FeatureError::TooShort { got: 499, needed: 500 });
}

#[test]
fn a_scratch_serves_any_length_of_its_own_plan() {
    let plan = config(3, 1, 1).plan(22_050).unwrap();
    let mut scratch = plan.scratch_for(1000);
    let run = |length: usize, scratch: &mut _| {
        let mut out = ndarray::Array2::zeros((plan.paths().len(), plan.columns(length).unwrap()));
        plan.process_into(&signal(length), out.view_mut(), scratch)
    };
    assert_eq!(run(1000, &mut scratch), Ok(()));
    assert_eq!(run(30_000, &mut scratch), Ok(()));
    assert_eq!(run(100, &mut scratch), Ok(()));
    assert_eq!(run(30_000, &mut plan.scratch()), Ok(()));
    let other = config(3, 1, 1).plan(22_050).unwrap();
    assert_eq!(run(1000, &mut other.scratch_for(1000)), Err(FeatureError::Scratch { plan: "scattering" }));
}

#[test]
fn the_json_of_defaults_never_changes() {
    assert_eq!(
        serde_json::to_string(&ScatteringConfig::default()).unwrap(),
        concat!(
            r#"{"j":8,"q":8,"q2":1,"averaging":"scale","max_order":2,"oversampling":0,"#,
            r#""scaling":"corrected","precision":"single"}"#
        )
    );
}
