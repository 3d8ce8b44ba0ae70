//! Rhythm patterns against a transcription of the formulas in f64, and what the reference printed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::f64::consts::{PI, TAU};

use mgr_features::rhythm_pattern::{
    Per, RhythmPart, RhythmPatternConfig, RpFeaturesConfig, SegmentationConfig, ShortClip, Stages,
};
use mgr_features::{Extractor, FeatureError};

const ALL: [RhythmPart; 6] =
    [RhythmPart::Rp, RhythmPart::Rh, RhythmPart::Ssd, RhythmPart::Trh, RhythmPart::Tssd, RhythmPart::Mvd];

/// Tones that swell and pulse, three segments at 22,050 Hz.
fn pulses() -> Vec<f32> {
    (0..3 << 17)
        .map(|n| {
            let t = f64::from(n) / 22_050.0;
            let tone = |hz: f64| (TAU * hz * t).sin();
            let pulse = if tone(2.0) == 0.0 { 0.0 } else { tone(2.0).signum() };
            (0.4 * tone(440.0) * (0.5 + 0.5 * tone(4.0))
                + 0.2 * tone(2500.0) * (0.5 + 0.5 * pulse)
                + 0.05 * tone(110.0)) as f32
        })
        .collect()
}

fn parts(config: RhythmPatternConfig, x: &[f32]) -> Vec<(RhythmPart, Vec<f32>)> {
    let plan =
        RpFeaturesConfig { analysis: config, parts: ALL.to_vec(), per: Per::Clip }.plan(22_050).unwrap();
    let vector = plan.process(x).unwrap();
    assert_eq!(plan.names().len(), vector.nrows());
    plan.parts()
        .into_iter()
        .map(|(part, range)| (part, vector.column(0).as_slice().unwrap()[range].to_vec()))
        .collect()
}

#[test]
fn numbers_of_the_reference() {
    let twenty = parts(RhythmPatternConfig { n_bands: 20, ..RhythmPatternConfig::default() }, &pulses());
    let of = |part: RhythmPart| &twenty.iter().find(|(p, _)| *p == part).unwrap().1;
    // What rp_extract gave for this signal in f64: count, the first values, sum, largest.
    for (part, count, first, sum, largest) in [
        (RhythmPart::Rp, 1200, [0.000_246_35, 0.000_452_55, 0.000_070_96], 66.293_753, 3.953_159_2),
        (RhythmPart::Ssd, 140, [1.505_249_17, 2.783_480_95, 2.838_517], 481.664_34, 59.974_392),
        (RhythmPart::Rh, 60, [0.698_566_16, 0.751_782_02, 0.780_281_13], 154.895_72, 31.000_277),
        (RhythmPart::Mvd, 420, [0.032_048_98, 0.033_562_09, 0.035_043_11], 430.732_74, 9.832_217_7),
        (RhythmPart::Tssd, 980, [1.505_249_17, 2.783_480_95, 2.838_517], 2_108.937_1, 60.015_822),
        (RhythmPart::Trh, 420, [0.640_979_6, 0.671_241_71, 0.700_862_16], 688.892_6, 31.010_624),
    ] {
        let values = of(part);
        assert_eq!(values.len(), count, "{part:?}");
        for (got, want) in values.iter().zip(first) {
            assert!((f64::from(*got) - want).abs() <= 1e-6 * want + 1e-8, "{part:?}: {got} {want}");
        }
        // Rounded to the digits that the reference was printed with; skewness and kurtosis of segments that hardly differ hang on
        // the rounding of the samples to f32, which the reference did not have.
        let loose = if matches!(part, RhythmPart::Tssd | RhythmPart::Trh) { 2e-2 } else { 1e-5 };
        let got: f64 = values.iter().copied().map(f64::from).sum();
        assert!((got - sum).abs() <= loose * sum, "{part:?}: sum {got} {sum}");
        let got = values.iter().copied().fold(f32::MIN, f32::max);
        assert!((f64::from(got) - largest).abs() <= 1e-5 * largest, "{part:?}: {got} {largest}");
    }
    let twenty_four = parts(RhythmPatternConfig::default(), &pulses());
    for (part, sum) in
        [(RhythmPart::Rp, 66.558_965), (RhythmPart::Ssd, 579.278_74), (RhythmPart::Rh, 155.510_2)]
    {
        let (_, values) = twenty_four.iter().find(|(p, _)| *p == part).unwrap();
        let got: f64 = values.iter().copied().map(f64::from).sum();
        assert!((got - sum).abs() <= 1e-5 * sum, "{part:?}: {got} {sum}");
    }
}

/// Bark edges, as the formulas' tables have them.
const EDGES: [f64; 25] = [
    0.0, 100.0, 200.0, 300.0, 400.0, 510.0, 630.0, 770.0, 920.0, 1080.0, 1270.0, 1480.0, 1720.0, 2000.0,
    2320.0, 2700.0, 3150.0, 3700.0, 4400.0, 5300.0, 6400.0, 7700.0, 9500.0, 12_000.0, 15_500.0,
];

/// Decibels by band and frame of one segment, by plain sums; `ear` is Terhardt's weighting.
fn decibels(x: &[f32], rate: f64, bands: usize, frames: &[usize], ear: bool, masked: bool) -> Vec<Vec<f64>> {
    let n = x.len() / 256;
    let window: Vec<f64> = (0..n).map(|i| 0.5 - 0.5 * (TAU * i as f64 / (n - 1) as f64).cos()).collect();
    let energy: f64 = window.iter().map(|w| w * w).sum();
    let of_frame = |t: usize| -> Vec<f64> {
        let mut power = vec![0.0; bands];
        for k in 0..=n / 2 {
            let (mut re, mut im) = (0.0, 0.0);
            for i in 0..n {
                let v = f64::from(x[t * n / 2 + i]) * 0.0875 * 32_768.0 * window[i];
                let (sine, cosine) = (TAU * (k * i % n) as f64 / n as f64).sin_cos();
                (re, im) = (re + v * cosine, im - v * sine);
            }
            let hz = k as f64 * rate / n as f64;
            let f = hz / 1000.0;
            let db = -3.64 * f.powf(-0.8) + 6.5 * (-0.6 * (f - 3.3).powi(2)).exp() - 1e-3 * f.powi(4);
            let weight = if ear { 10f64.powf(db / 10.0) } else { 1.0 };
            let p = (re * re + im * im) / energy / (2.0 * PI) * if k > 0 { 2.0 } else { 1.0 } * weight;
            if let Some(b) = (0..bands).find(|b| EDGES[*b] <= hz && hz < EDGES[b + 1]) {
                power[b] += p;
            }
        }
        let spread = |i: usize, j: usize| {
            let d = i as f64 - j as f64 + 0.474;
            10f64.powf((15.81 + 7.5 * d - 17.5 * (1.0 + d * d).sqrt()) / 10.0)
        };
        let heard = |i: usize| match masked {
            true => (0..bands).map(|j| spread(i, j) * power[j]).sum(),
            false => power[i],
        };
        (0..bands).map(|i| 10.0 * f64::max(heard(i), 1.0).log10()).collect()
    };
    frames.iter().map(|t| of_frame(*t)).collect()
}

#[test]
fn stages_by_plain_sums() {
    // Noise that grows, one segment at 11,025 Hz.
    let mut state = 5_u32;
    let x: Vec<f32> = (0..1 << 16)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) as f32 / (1 << 24) as f32 - 0.5) * 1e-4 * (n as f32 / 6000.0).exp()
        })
        .collect();
    for (ear, masked) in [(false, true), (true, false)] {
        let stages = Stages {
            outer_ear: ear,
            spectral_masking: masked,
            phon: false,
            sone: false,
            ..Stages::default()
        };
        let analysis = RhythmPatternConfig { n_bands: 18, stages, ..RhythmPatternConfig::default() };
        let config = RpFeaturesConfig { analysis, parts: vec![RhythmPart::Ssd], per: Per::Segment };
        let ssd = config.plan(11_025).unwrap().process(&x).unwrap();
        // The loudness grows with time, so the median is about that of the frame in the middle, the extremes those of the ends.
        let frames: Vec<usize> = (0..511).step_by(1).collect();
        let rows = decibels(&x, 11_025.0, 18, &frames[..], ear, masked);
        for b in 0..18 {
            let mut values: Vec<f64> = rows.iter().map(|frame| frame[b]).collect();
            let mean = values.iter().sum::<f64>() / 511.0;
            let moment = |p: i32| values.iter().map(|v| (v - mean).powi(p)).sum::<f64>() / 511.0;
            let (variance, third, fourth) = (moment(2), moment(3), moment(4));
            let spread = variance > 0.0;
            values.sort_by(f64::total_cmp);
            let want = [
                mean,
                variance,
                if spread { third / variance.powf(1.5) } else { 0.0 },
                if spread { fourth / variance.powi(2) } else { 0.0 },
                values[255],
                values[0],
                values[510],
            ];
            for (s, want) in want.into_iter().enumerate() {
                let got = f64::from(ssd[[s * 18 + b, 0]]);
                assert!(
                    (got - want).abs() <= 1e-6 * want.abs() + 1e-6,
                    "band {b} statistic {s}: {got} {want}"
                );
            }
        }
    }
}

#[test]
fn a_clip_is_the_median_of_its_segments() {
    let x = pulses();
    let plan = RhythmPatternConfig::default().plan(22_050).unwrap();
    let matrix = plan.process(&x).unwrap();
    let config =
        RpFeaturesConfig { parts: vec![RhythmPart::Rp], per: Per::Segment, ..RpFeaturesConfig::default() };
    let segments = config.plan(22_050).unwrap();
    let each = segments.process(&x).unwrap();
    assert_eq!(
        (each.dim(), segments.segment_starts(x.len()).unwrap()),
        ((1440, 3), vec![0, 1 << 17, 2 << 17])
    );
    for ((b, m), value) in matrix.indexed_iter() {
        let mut three: Vec<f32> = each.row(24 * m + b).to_vec();
        three.sort_by(f32::total_cmp);
        assert!((value - three[1]).abs() <= 1e-6 * value.abs(), "{b} {m}");
    }
    // A segment of its own gives its own column.
    let second = segments.process(&x[1 << 17..2 << 17]).unwrap();
    assert_eq!(second.column(0), each.column(1));
}

#[test]
fn short_clips_and_other_rates_are_refused_or_said() {
    let x = vec![0.1; 100_000];
    let refuse = RhythmPatternConfig::default().plan(22_050).unwrap();
    assert_eq!(refuse.process(&x).unwrap_err(), FeatureError::TooShort { got: 100_000, needed: 131_072 });
    let segments = SegmentationConfig { short: ShortClip::PadZeros, ..SegmentationConfig::default() };
    let pad = RhythmPatternConfig { segments, ..RhythmPatternConfig::default() }.plan(22_050).unwrap();
    assert_eq!(pad.padding(x.len()), Ok(31_072));
    assert!(pad.remark(x.len()).unwrap().contains("31072 zeros"));
    assert_eq!(pad.remark(200_000), None);
    let mut longer = x.clone();
    longer.resize(131_072, 0.0);
    assert_eq!(pad.process(&x).unwrap(), refuse.process(&longer).unwrap());
    for rate in [0, 8000, 16_000, 48_000] {
        let error = RhythmPatternConfig::default().plan(rate).unwrap_err().to_string();
        assert!(error.contains("11025, 22050 or 44100"), "{error}");
    }
    // Silence: 3 phon everywhere.
    let silence = RpFeaturesConfig::default().plan(22_050).unwrap().process(&vec![0.0; 140_000]).unwrap();
    assert!((f64::from(silence[[1440, 0]]) - (3.0f64 / 40.0).powf(2.642)).abs() < 1e-9);
    assert!(silence.iter().all(|v| v.is_finite()));
}
