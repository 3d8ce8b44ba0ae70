//! The vectors of the literature against the features that they are made of, one by one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_features::FeatureConfig;
use mgr_features::frame::Padding;
use mgr_features::stats::Summary;
use mgr_features::stft::StftConfig;
use mgr_features::vector_sets::{
    Bahuleyan97Config, ChoiMfcc120Config, DescriptorRate, Fma518Config, FourthBandwidth, Gtzan8MfccConfig,
    Gtzan57Config, Rounding, SignalTail, VectorSet,
};
use ndarray::Array2;
use serde_json::{Value, json};

const RATE: u32 = 22_050;

/// Chords with clicks and noise, two seconds and a part of a hop.
fn signal() -> Vec<f32> {
    let mut state = 7_u32;
    (0..44_300)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let t = n as f32 / RATE as f32;
            let chord: f32 =
                [220.0, 277.2, 329.6].iter().map(|f| (t * f * std::f32::consts::TAU).sin()).sum();
            let click = if n % 11_025 < 60 { 0.5 } else { 0.0 };
            0.1 * chord * (-2.0 * (t % 0.5)).exp() + (state >> 8) as f32 / (1 << 24) as f32 * (0.02 + click)
        })
        .collect()
}

fn feature(name: &str, rate: u32, mut parameters: Value, samples: &[f32]) -> Array2<f32> {
    parameters["feature"] = name.into();
    let config: FeatureConfig = serde_json::from_value(parameters).unwrap();
    config.plan(rate).unwrap().extract(samples).unwrap()
}

fn row(matrix: &Array2<f32>, row: usize) -> Summary {
    Summary::of(&mut matrix.row(row).iter().map(|v| f64::from(*v)).collect::<Vec<_>>())
}

fn get(set: &VectorSet, vector: &Array2<f32>, name: &str) -> f64 {
    let at = set.names().position(|n| n == name).unwrap_or_else(|| panic!("no value is named {name}"));
    f64::from(vector[[at, 0]])
}

/// The sets transform in f64 what some features alone transform in f32.
fn close(name: &str, got: f64, want: f64) {
    assert!((got - want).abs() <= 2e-4 * want.abs() + 2e-4, "{name}: {got} {want}");
}

#[test]
fn the_57_of_gtzan() {
    let x = signal();
    let config = Gtzan57Config { padding: Padding::Zero, tail: SignalTail::Inverse };
    let set = config.plan(RATE).unwrap();
    let vector = set.process(&x).unwrap();
    assert_eq!((set.size(), set.names().last()), (57, Some("mfcc20_var")));
    assert_eq!(set.names().nth(16), Some("tempo"));
    for (name, feature_name) in [
        ("rms", "rms"),
        ("spectral_centroid", "spectral_centroid"),
        ("spectral_bandwidth", "spectral_bandwidth"),
        ("rolloff", "spectral_rolloff"),
        ("zero_crossing_rate", "zero_crossing_rate"),
    ] {
        let want = row(&feature(feature_name, RATE, json!({}), &x), 0);
        close(name, get(&set, &vector, &format!("{name}_mean")), want.mean);
        close(name, get(&set, &vector, &format!("{name}_var")), want.variance);
    }
    let mfcc = feature("mfcc", RATE, json!({}), &x);
    close("mfcc", get(&set, &vector, "mfcc20_var"), row(&mfcc, 19).variance);
    let chroma = feature("chroma_stft", RATE, json!({}), &x);
    let want = Summary::of(&mut chroma.iter().map(|v| f64::from(*v)).collect::<Vec<_>>());
    close("chroma", get(&set, &vector, "chroma_stft_var"), want.variance);
    let (_, percussive) = mgr_features::hpss::HpssConfig::default().plan().unwrap().audio(&x).unwrap();
    let want = Summary::of(&mut percussive.iter().map(|v| f64::from(*v)).collect::<Vec<_>>());
    let got = get(&set, &vector, "perceptr_var");
    assert!((got / want.variance - 1.0).abs() < 1e-5, "{got} {}", want.variance);
    // Zeros after the last whole hop: what is there is missing from the sum of squares.
    let short = Gtzan57Config { tail: SignalTail::Zero, ..config }.plan(RATE).unwrap().process(&x).unwrap();
    assert!(get(&set, &short, "perceptr_var") < got);
    assert_eq!(get(&set, &short, "rms_var"), get(&set, &vector, "rms_var"));
}

#[test]
fn the_518_of_fma() {
    let x = signal();
    let config = Fma518Config { padding: Padding::Zero, ..Fma518Config::default() };
    let rate = 44_100;
    let set = config.plan(rate).unwrap();
    let vector = set.process(&x).unwrap();
    assert_eq!((set.size(), set.names().next()), (518, Some("chroma_cens_kurtosis_01")));
    let classes = json!({"classes": {"bins_per_octave": 12}});
    for (name, want) in [
        ("chroma_cqt", feature("chroma_cqt", rate, classes.clone(), &x)),
        ("chroma_cens", feature("chroma_cens", rate, classes, &x)),
        ("mfcc", feature("mfcc", rate, json!({}), &x)),
        // At the rate that the reference takes all sound for.
        ("chroma_stft", feature("chroma_stft", RATE, json!({}), &x)),
        ("spectral_contrast", feature("spectral_contrast", RATE, json!({}), &x)),
        ("spectral_rolloff", feature("spectral_rolloff", RATE, json!({}), &x)),
        ("zcr", feature("zero_crossing_rate", rate, json!({}), &x)),
    ] {
        let last = want.nrows();
        let want = row(&want, last - 1);
        for (statistic, want) in [
            ("max", want.max),
            ("mean", want.mean),
            ("median", want.median),
            ("min", want.min),
            ("std", want.std()),
        ] {
            let name = format!("{name}_{statistic}_{last:02}");
            close(&name, get(&set, &vector, &name), want);
        }
    }
    let cens = feature("chroma_cens", rate, json!({"classes": {"bins_per_octave": 12}}), &x);
    let tonnetz = mgr_features::chroma::cqt::TonnetzConfig::default().plan(rate).unwrap();
    let want = row(&tonnetz.process_chroma(cens.view()).unwrap(), 5);
    close("tonnetz", get(&set, &vector, "tonnetz_skew_06"), want.skewness);
    close("tonnetz", get(&set, &vector, "tonnetz_kurtosis_06"), want.excess_kurtosis());
    let spectrum = feature("spectrogram", rate, json!({}), &x);
    let mut rms: Vec<f64> = spectrum
        .columns()
        .into_iter()
        .map(|c| (c.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / c.len() as f64).sqrt())
        .collect();
    close("rmse", get(&set, &vector, "rmse_median_01"), Summary::of(&mut rms).median);
    let own = Fma518Config { descriptor_rate: DescriptorRate::Own, ..config }.plan(rate).unwrap();
    let name = "spectral_centroid_mean_01";
    close(name, get(&own, &own.process(&x).unwrap(), name), 2.0 * get(&set, &vector, name));
}

#[test]
fn the_97_of_bahuleyan() {
    let x = signal();
    let config = Bahuleyan97Config {
        fourth_bandwidth: FourthBandwidth::Own,
        rounding: Rounding::None,
        padding: Padding::Zero,
    };
    let set = config.plan(RATE).unwrap();
    let vector = set.process(&x).unwrap();
    assert_eq!(set.size(), 97);
    let shifted = |by: f32| x.iter().map(|v| v + by).collect::<Vec<f32>>();
    let (near, far) = (shifted(0.0001), shifted(0.01));
    for (name, matrix) in [
        ("zcr", feature("zero_crossing_rate", RATE, json!({}), &near)),
        ("rmse", feature("rms", RATE, json!({}), &near)),
        ("spectral_centroid", feature("spectral_centroid", RATE, json!({}), &far)),
        ("spectral_bandwidth_2", feature("spectral_bandwidth", RATE, json!({}), &far)),
        ("spectral_bandwidth_3", feature("spectral_bandwidth", RATE, json!({"p": 3.0}), &far)),
        ("spectral_bandwidth_4", feature("spectral_bandwidth", RATE, json!({"p": 4.0}), &far)),
        ("spectral_rolloff", feature("spectral_rolloff", RATE, json!({}), &far)),
    ] {
        close(name, get(&set, &vector, &format!("{name}_mean")), row(&matrix, 0).mean);
        close(name, get(&set, &vector, &format!("{name}_std")), row(&matrix, 0).std());
    }
    let stft = StftConfig { hop_length: 1024, ..StftConfig::default() };
    for (name, matrix) in [
        ("spectral_contrast", feature("spectral_contrast", RATE, json!({}), &x)),
        ("mfccs", feature("mfcc", RATE, json!({}), &x)),
        ("chroma_stft", feature("chroma_stft", RATE, json!({ "stft": stft }), &x)),
    ] {
        for i in 0..matrix.nrows() {
            close(name, get(&set, &vector, &format!("{name}_mean_{}", i + 1)), row(&matrix, i).mean);
            close(name, get(&set, &vector, &format!("{name}_std_{}", i + 1)), row(&matrix, i).std());
        }
    }
    let of = |f: fn(f32) -> f64| Summary::of(&mut x.iter().copied().map(f).collect::<Vec<_>>());
    close("mean", get(&set, &vector, "mean"), of(|v| f64::from(v.abs())).mean);
    close("skew", get(&set, &vector, "skew"), of(|v| f64::from(v.abs())).skewness);
    close("std", get(&set, &vector, "std"), of(f64::from).std());
    close("kurtosis", get(&set, &vector, "kurtosis"), of(f64::from).excess_kurtosis());
    assert!(get(&set, &vector, "tempo") > 30.0);

    // The slip of the reference, and its three decimals.
    let set =
        Bahuleyan97Config { padding: Padding::Zero, ..Bahuleyan97Config::default() }.plan(RATE).unwrap();
    let copied = set.process(&x).unwrap();
    assert_eq!(
        get(&set, &copied, "spectral_bandwidth_4_std"),
        get(&set, &copied, "spectral_bandwidth_3_std")
    );
    // Up to the fourth bandwidth.
    for (exact, rounded) in vector.iter().zip(&copied).take(15) {
        assert!((exact - rounded).abs() <= 5.1e-4 + 1e-6 * exact.abs(), "{exact} {rounded}");
    }
}

#[test]
fn the_120_of_choi() {
    let x = signal();
    let config = ChoiMfcc120Config { seconds: 1.0, padding: Padding::Zero };
    let set = config.plan(RATE).unwrap();
    let vector = set.process(&x).unwrap();
    assert_eq!(set.size(), 120);
    // Only the first second counts.
    assert_eq!(vector, set.process(&x[..RATE as usize]).unwrap());
    let mut matrix = feature("mfcc", RATE, json!({}), &x[..RATE as usize]);
    for name in ["mfcc", "dmfcc", "ddmfcc"] {
        for i in 0..20 {
            close(name, get(&set, &vector, &format!("{name}{}_mean", i + 1)), row(&matrix, i).mean);
            close(name, get(&set, &vector, &format!("{name}{}_std", i + 1)), row(&matrix, i).std());
        }
        let columns = matrix.ncols();
        matrix = Array2::from_shape_fn((20, columns - 1), |(r, t)| matrix[[r, t + 1]] - matrix[[r, t]]);
    }
    assert!(set.process(&x[..1000]).is_err());
}

#[test]
fn the_matrix_of_gtzan_8() {
    let x = signal();
    let plan = Gtzan8MfccConfig { descriptor_rate: DescriptorRate::Nominal, padding: Padding::Zero }
        .plan(16_000)
        .unwrap();
    let matrix = plan.process(&x).unwrap();
    let delta = feature("delta", 16_000, json!({"base": {"feature": "mfcc", "n_mfcc": 30}}), &x);
    assert_eq!(matrix.slice(ndarray::s![..90, ..]), delta);
    // The centroid is that of another sampling rate.
    let centroid = feature("spectral_centroid", RATE, json!({"stft": {"n_fft": 1024}}), &x);
    assert_eq!(matrix.row(90), centroid.row(0));
}

#[test]
fn silence_and_short_signals_give_numbers() {
    for name in ["gtzan57", "fma518", "bahuleyan97", "choi_mfcc120"] {
        let plan = FeatureConfig::named(name).unwrap().plan(RATE).unwrap();
        for samples in [vec![0.0; 22_050], vec![0.5; 3000], vec![0.0; 1100], vec![0.3], vec![0.0, 1.0, -1.0]]
        {
            if let Ok(vector) = plan.extract(&samples) {
                assert!(vector.iter().all(|v| v.is_finite()), "{name} of {}", samples.len());
            }
        }
        assert!(plan.extract(&vec![0.1; 1100]).is_ok(), "{name}");
    }
}
