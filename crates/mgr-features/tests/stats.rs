//! Statistics over time against their formulas, written plainly, and against values that SciPy and NumPy printed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_features::spectral::RmsConfig;
use mgr_features::stats::{
    Covariance, Statistic, StatsConfig, StatsOrder, Summary, TextureStart, TextureWindow, quantile,
};
use mgr_features::{Axis, Extractor, FeatureConfig, FeatureError};
use ndarray::{Array2, array};

fn noise(rows: usize, frames: usize) -> Array2<f32> {
    let mut state = 7_u32;
    Array2::from_shape_simple_fn((rows, frames), || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) as f32 / (1 << 24) as f32).powi(2) * 3.0 - 0.7
    })
}

fn config(statistics: &[Statistic]) -> StatsConfig {
    StatsConfig { statistics: statistics.to_vec(), ..StatsConfig::default() }
}

/// The moment about the mean, written plainly.
fn moment(values: &[f64], k: i32) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|x| (x - mean).powi(k)).sum::<f64>() / values.len() as f64
}

fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{a} is not {b}");
}

#[test]
fn moments_are_scipy_s() {
    // scipy.stats.describe, scipy.stats.kurtosis(fisher=False), numpy.median of [1, 2, 2, 3, 9, -4, 0.5].
    let summary = Summary::of(&mut [1.0, 2.0, 2.0, 3.0, 9.0, -4.0, 0.5]);
    let want = [1.928_571_428_571_428_6, 12.744_897_959_183_673, 0.448_185_715_279_417_2];
    close(summary.mean, want[0], 1e-15);
    close(summary.variance, want[1], 1e-15);
    close(summary.skewness, want[2], 1e-14);
    close(summary.kurtosis, 3.291_140_518_499_667, 1e-14);
    close(summary.excess_kurtosis(), 0.291_140_518_499_667, 1e-13);
    assert_eq!((summary.median, summary.min, summary.max), (2.0, -4.0, 9.0));
}

#[test]
fn every_statistic_follows_its_formula() {
    let matrix = noise(3, 301);
    let histogram = Statistic::Histogram { bins: 4, low: -0.5, high: 1.5 };
    let statistics: Vec<Statistic> = Statistic::SEVEN
        .into_iter()
        .chain([Statistic::Std, Statistic::Quantile(0.9), Statistic::BelowMean, histogram])
        .collect();
    let got = config(&statistics).aggregator().unwrap().process(matrix.view(), None).unwrap();
    assert_eq!(got.dim(), (3 * 14, 1));
    for (r, row) in matrix.rows().into_iter().enumerate() {
        let values: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let mean = values.iter().sum::<f64>() / 301.0;
        let m2 = moment(&values, 2);
        let share =
            |inside: &dyn Fn(f64) -> bool| values.iter().filter(|x| inside(**x)).count() as f64 / 301.0;
        let want = [
            mean,
            m2,
            moment(&values, 3) / m2.powf(1.5),
            moment(&values, 4) / (m2 * m2),
            sorted[150],
            sorted[0],
            sorted[300],
            m2.sqrt(),
            sorted[270],
            share(&|x| x < mean),
            share(&|x| x < 0.0),
            share(&|x| (0.0..0.5).contains(&x)),
            share(&|x| (0.5..1.0).contains(&x)),
            share(&|x| x >= 1.0),
        ];
        for (i, want) in want.into_iter().enumerate() {
            close(f64::from(got[[r * 14 + i, 0]]), want, 1e-7);
        }
    }
}

#[test]
fn whole_weights_are_repetitions() {
    let matrix = noise(2, 40);
    let weights: Vec<f32> = (0..40).map(|i| (i % 4) as f32).collect();
    let repeated: Vec<usize> = (0..40).flat_map(|i| vec![i; i % 4]).collect();
    let long = Array2::from_shape_fn((2, repeated.len()), |(r, t)| matrix[[r, repeated[t]]]);
    let histogram = Statistic::Histogram { bins: 3, low: 0.0, high: 1.0 };
    let statistics = [
        Statistic::Mean,
        Statistic::Variance,
        Statistic::Skewness,
        Statistic::Kurtosis,
        Statistic::Min,
        Statistic::Max,
        Statistic::BelowMean,
        histogram,
    ];
    let config = StatsConfig { covariance: Some(Covariance::UpperTriangle), ..config(&statistics) };
    let aggregator = config.aggregator().unwrap();
    let weighted = aggregator.process(matrix.view(), Some(&weights)).unwrap();
    let plain = aggregator.process(long.view(), None).unwrap();
    for (a, b) in weighted.iter().zip(&plain) {
        close(f64::from(*a), f64::from(*b), 1e-6);
    }
    // An odd number of them: the median is one of the values, and both rules agree.
    assert_eq!(repeated.len() % 2, 0);
    let median = self::config(&[Statistic::Median]).aggregator().unwrap();
    let mut odd = weights.clone();
    odd[1] = 2.0;
    let repeated: Vec<usize> = (0..40).flat_map(|i| vec![i; odd[i] as usize]).collect();
    let long = Array2::from_shape_fn((2, repeated.len()), |(r, t)| matrix[[r, repeated[t]]]);
    assert_eq!(
        median.process(matrix.view(), Some(&odd)).unwrap(),
        median.process(long.view(), None).unwrap()
    );
}

#[test]
fn covariance_is_symmetric_with_variances_on_the_diagonal() {
    let matrix = noise(4, 100);
    let full = StatsConfig { covariance: Some(Covariance::Full), ..config(&[Statistic::Variance]) };
    let full = full.aggregator().unwrap().process(matrix.view(), None).unwrap();
    let upper = StatsConfig { covariance: Some(Covariance::UpperTriangle), ..config(&[]) };
    let upper = upper.aggregator().unwrap().process(matrix.view(), None).unwrap();
    let mut at = 0;
    for i in 0..4 {
        close(f64::from(full[[4 + 5 * i, 0]]), f64::from(full[[i, 0]]), 1e-6);
        for j in 0..4 {
            assert_eq!(full[[4 + 4 * i + j, 0]], full[[4 + 4 * j + i, 0]]);
            let mean = |r: usize| matrix.row(r).iter().map(|x| f64::from(*x)).sum::<f64>() / 100.0;
            let (a, b) = (mean(i), mean(j));
            let pairs = matrix.row(i).into_iter().zip(matrix.row(j));
            let want = pairs.map(|(x, y)| (f64::from(*x) - a) * (f64::from(*y) - b)).sum::<f64>() / 100.0;
            close(f64::from(full[[4 + 4 * i + j, 0]]), want, 1e-7);
            if j >= i {
                assert_eq!(upper[[at, 0]], full[[4 + 4 * i + j, 0]]);
                at += 1;
            }
        }
    }
    assert_eq!(at, upper.nrows());
}

#[test]
fn texture_windows_lie_where_they_should() {
    let matrix = array![[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]];
    let mean = |length, hop, start| {
        let window = Some(TextureWindow { length, hop, start });
        let config = StatsConfig { window, ..config(&[Statistic::Mean]) };
        config.aggregator().unwrap().process(matrix.view(), None).unwrap().into_raw_vec_and_offset().0
    };
    assert_eq!(mean(3, 2, TextureStart::Whole), [2.0, 4.0, 6.0]);
    assert_eq!(mean(4, 3, TextureStart::Whole), [2.5, 5.5]);
    assert_eq!(mean(8, 1, TextureStart::Whole), [0.0; 0]);
    assert_eq!(mean(3, 2, TextureStart::Growing), [1.0, 2.0, 4.0, 6.0]);
    assert_eq!(mean(3, 1, TextureStart::FirstHeld)[..4], [1.0, 4.0 / 3.0, 2.0, 3.0]);
    assert_eq!(mean(20, 6, TextureStart::FirstHeld), [1.0, (14.0 + 27.0) / 20.0]);
}

#[test]
fn constant_rows_single_frames_and_no_frame_are_defined() {
    let mut statistics = Statistic::SEVEN.to_vec();
    statistics.extend([
        Statistic::ExcessKurtosis,
        Statistic::Std,
        Statistic::Quantile(0.3),
        Statistic::BelowMean,
    ]);
    let config = StatsConfig { covariance: Some(Covariance::Full), ..config(&statistics) };
    let aggregator = config.aggregator().unwrap();
    // 0.1 and 1e-30 have no exact sum of 511 in binary.
    for level in [0.1_f32, 0.0, -3.0, 1e-30, 1e30] {
        for frames in [1, 2, 511] {
            let matrix = Array2::from_elem((1, frames), level);
            let weights = vec![0.3; frames];
            for weights in [None, Some(&weights[..])] {
                let got = aggregator.process(matrix.view(), weights).unwrap();
                let x = level;
                let want = [x, 0.0, 0.0, 0.0, x, x, x, -3.0, 0.0, x, 0.0, 0.0];
                assert_eq!(got.iter().copied().collect::<Vec<_>>(), want, "{level} {frames}");
            }
        }
    }
    let none = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -3.0, 0.0, 0.0, 0.0, 0.0];
    let empty = aggregator.process(Array2::zeros((1, 0)).view(), None).unwrap();
    assert_eq!(empty.iter().copied().collect::<Vec<_>>(), none);
    let weightless = aggregator.process(noise(1, 9).view(), Some(&[0.0; 9])).unwrap();
    assert_eq!(weightless.iter().copied().collect::<Vec<_>>(), none);
    assert_eq!(Summary::of(&mut []), Summary::default());
    // Nearly constant in f64 is constant too: the rounding of its sum is not its shape.
    let mut nearly = [1.0_f64 / 3.0; 511];
    nearly[0] = f64::from_bits(nearly[1].to_bits() + 1);
    let summary = Summary::of(&mut nearly);
    assert_eq!((summary.skewness, summary.kurtosis), (0.0, 0.0));
}

#[test]
fn what_does_not_count_may_be_anything() {
    let statistics: Vec<Statistic> =
        Statistic::SEVEN.into_iter().chain([Statistic::Quantile(0.25)]).collect();
    let config = StatsConfig { covariance: Some(Covariance::Full), ..config(&statistics) };
    let aggregator = config.aggregator().unwrap();
    let got = aggregator.process(array![[1.0, f32::NAN, 3.0]].view(), Some(&[1.0, 0.0, 1.0])).unwrap();
    assert_eq!(got.iter().copied().collect::<Vec<_>>(), [2.0, 1.0, 0.0, 1.0, 1.0, 1.0, 3.0, 1.0, 1.0]);
}

#[test]
fn wrong_weights_are_typed_errors() {
    let aggregator = config(&[Statistic::Mean]).aggregator().unwrap();
    let matrix = noise(2, 5);
    let shape = aggregator.process(matrix.view(), Some(&[1.0; 4])).unwrap_err();
    assert!(matches!(shape, FeatureError::Shape { what: "weights", .. }), "{shape}");
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        let error = aggregator.process(matrix.view(), Some(&[1.0, bad, 1.0, 1.0, 1.0])).unwrap_err();
        assert!(matches!(error, FeatureError::OutOfRange { index: 1, .. }), "{error}");
    }
    // A weight of another number of frames.
    let rms = FeatureConfig::Rms(RmsConfig { hop_length: 100, ..RmsConfig::default() });
    let stats = StatsConfig { weights: Some(Box::new(rms)), ..StatsConfig::default() }.plan(22_050).unwrap();
    let error = stats.process(&[0.1; 9000]).unwrap_err();
    assert!(matches!(error, FeatureError::Shape { what: "weights", .. }), "{error}");
}

#[test]
fn a_feature_s_statistics_are_those_of_its_matrix_and_have_its_names() {
    let samples: Vec<f32> = (0..30_000).map(|n| (n as f32 * 0.1).sin() * (n as f32 * 1e-3).cos()).collect();
    let base = FeatureConfig::named("chroma_stft").unwrap();
    let matrix = base.plan(22_050).unwrap().extract(&samples).unwrap();
    let config = StatsConfig {
        order: StatsOrder::StatisticFirst,
        name: Some("chroma".to_owned()),
        ..StatsConfig::of(base, &Statistic::FMA)
    };
    let stats = config.plan(22_050).unwrap();
    let got = stats.process(&samples).unwrap();
    assert_eq!(got, stats.process_matrix(matrix.view(), None).unwrap());
    // The third statistic is the mean, the first row C.
    close(f64::from(got[[24, 0]]), f64::from(matrix.row(0).mean().unwrap()), 1e-6);
    let Axis::Name { names } = stats.layout(samples.len()).unwrap().row_axis else { panic!() };
    assert_eq!((names[0].as_str(), names[25].as_str()), ("chroma_C_kurtosis_excess", "chroma_C#_mean"));
    let one =
        StatsConfig::of(FeatureConfig::named("rms").unwrap(), &[Statistic::Mean, Statistic::Quantile(0.07)]);
    let Axis::Name { names } = one.plan(22_050).unwrap().layout(9000).unwrap().row_axis else { panic!() };
    assert_eq!(names, ["rms_mean", "rms_q7"]);
    let cov = StatsConfig { covariance: Some(Covariance::UpperTriangle), ..StatsConfig::default() };
    let Axis::Name { names } = cov.plan(22_050).unwrap().layout(9000).unwrap().row_axis else { panic!() };
    assert_eq!((names[40].as_str(), names[41].as_str()), ("mfcc_cov_1_1", "mfcc_cov_1_2"));
}

#[test]
fn a_clip_without_a_whole_texture_window_is_too_short() {
    let window = Some(TextureWindow { length: 43, hop: 1, start: TextureStart::Whole });
    let stats = StatsConfig { window, ..StatsConfig::default() }.plan(22_050).unwrap();
    let error = stats.process(&[0.1; 5000]).unwrap_err();
    assert_eq!(error, FeatureError::TooShort { got: 5000, needed: 42 * 512 });
    assert_eq!(stats.process(&[0.1; 42 * 512]).unwrap().dim(), (40, 1));
}

#[test]
fn a_scratch_serves_shorter_signals() {
    let stats = StatsConfig::default().plan(22_050).unwrap();
    let samples: Vec<f32> = (0..20_000).map(|n| (n as f32 * 0.1).sin()).collect();
    let mut scratch = stats.scratch_for(20_000);
    for length in [20_000, 5000, 20_000, 100] {
        let mut out = Array2::zeros((40, 1));
        stats.process_into(&samples[..length], out.view_mut(), &mut scratch).unwrap();
        assert_eq!(out, stats.process(&samples[..length]).unwrap());
    }
    let mut short = stats.scratch_for(100);
    let error = stats.process_into(&samples, Array2::zeros((40, 1)).view_mut(), &mut short).unwrap_err();
    assert!(matches!(error, FeatureError::Scratch { .. }));
    assert_eq!(quantile(&[1.0, 2.0], 0.5), 1.5);
}
