//! Constant-Q transforms against their definition, the values of the reference, and back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::f64::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};

use mgr_features::chroma::cens::ChromaCensConfig;
use mgr_features::chroma::cqt::{ChromaCqtConfig, TonnetzConfig};
use mgr_features::cqt::{Cqt, CqtConfig, Gamma, HybridCqtConfig, PseudoCqtConfig, VqtConfig, WaveletNorm};
use mgr_features::{FeatureConfig, FeatureError};
use ndarray::{Array2, ShapeBuilder};
use ndarray_npy::read_npy;
use num_complex::{Complex32, Complex64};

const RATE: u32 = 22_050;

fn noise(count: usize) -> Vec<f32> {
    let mut state = 12_345_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    (0..count).map(|_| next()).collect()
}

fn sine(hz: f64, count: usize) -> Vec<f32> {
    (0..count).map(|n| (TAU * hz / f64::from(RATE) * n as f64).sin() as f32).collect()
}

fn peak<T: Copy>(values: impl IntoIterator<Item = T>, magnitude: impl Fn(T) -> f32) -> f32 {
    values.into_iter().map(magnitude).fold(0.0, f32::max)
}

/// The transform as it is written, all bins at the full rate: a sum over the wavelet in time, which is a Hann window of L
/// samples times a complex exponential, divided by its norm and weighted with the square root of L, or with L.
fn naive(config: &CqtConfig, gamma: f64, x: &[f32]) -> Array2<Complex64> {
    let bins = config.bins_per_octave as f64;
    let ratio = (2.0 / bins).exp2();
    let alpha = (ratio - 1.0) / (ratio + 1.0);
    Array2::from_shape_fn((config.n_bins, x.len() / config.hop_length + 1), |(k, t)| {
        let hz = config.f_min * ((config.tuning + k as f64) / bins).exp2();
        let length = config.filter_scale / alpha * f64::from(RATE) / (hz + gamma / alpha);
        let (before, after) = ((length / 2.0).ceil() as i64, (length / 2.0).floor() as i64);
        let count = (before + after) as f64;
        let wavelet: Vec<(i64, Complex64)> = (-before..after)
            .map(|i| {
                let window = 0.5 - 0.5 * (TAU * (i + before) as f64 / count).cos();
                (i, Complex64::from_polar(window, TAU * hz / f64::from(RATE) * i as f64))
            })
            .collect();
        let norm = match config.norm {
            WaveletNorm::L1 => wavelet.iter().map(|w| w.1.norm()).sum(),
            WaveletNorm::L2 => wavelet.iter().map(|w| w.1.norm_sqr()).sum::<f64>().sqrt(),
            WaveletNorm::Max => wavelet.iter().map(|w| w.1.norm()).fold(0.0, f64::max),
            WaveletNorm::None => 1.0,
        };
        let weight = if config.scale { length.sqrt() } else { length };
        // The spectra are multiplied, not correlated: the wavelet stands reversed in time, with the phase of the frame's start.
        let centre = (t * config.hop_length) as i64;
        let sample = |i: i64| usize::try_from(i).ok().and_then(|i| x.get(i)).map_or(0.0, |v| f64::from(*v));
        wavelet.iter().map(|(i, w)| w * sample(centre - i)).sum::<Complex64>() * weight / norm
    })
}

fn close_to_naive(config: &CqtConfig, gamma: f64, got: &Array2<Complex32>, x: &[f32], tolerance: f64) {
    let want = naive(config, gamma, x);
    assert_eq!(got.dim(), want.dim());
    let top = want.iter().map(|v| v.norm()).fold(0.0, f64::max);
    for ((k, t), want) in want.indexed_iter() {
        let got = Complex64::new(f64::from(got[[k, t]].re), f64::from(got[[k, t]].im));
        assert!((got - want).norm() <= tolerance * top, "{config:?} bin {k} frame {t}: {got} for {want}");
    }
}

#[test]
fn one_octave_is_its_definition() {
    let x = noise(6000);
    for (norm, scale) in [
        (WaveletNorm::L1, true),
        (WaveletNorm::L2, false),
        (WaveletNorm::Max, true),
        (WaveletNorm::None, false),
    ] {
        // An odd hop, and bins so high that nothing is decimated early: all is computed at the full rate.
        let config = CqtConfig {
            f_min: 2500.0,
            n_bins: 12,
            hop_length: 177,
            sparsity: 0.0,
            norm,
            scale,
            tuning: 0.25,
            ..CqtConfig::default()
        };
        let got = config.plan(RATE).unwrap().process_complex(&x).unwrap();
        // What is left out of the definition are the negative frequencies of the wavelets, which a Hann window leaves little of.
        close_to_naive(&config, 0.0, &got, &x, 1e-4);
        let vqt = VqtConfig { cqt: config.clone(), gamma: Gamma::Hz(40.0) };
        let got = vqt.plan(RATE).unwrap().process_complex(&x).unwrap();
        close_to_naive(&config, 40.0, &got, &x, 1e-4);
    }
}

#[test]
fn the_recursion_gives_what_all_bins_at_the_full_rate_give() {
    // Away from the ends: a tone that swells and fades, since a halved rate rings where a signal begins abruptly.
    let window = |n: usize| (0.5 - 0.5 * (TAU * n as f64 / 20_000.0).cos()) as f32;
    let x: Vec<f32> = noise(20_000).iter().enumerate().map(|(n, v)| v * window(n)).collect();
    let config =
        CqtConfig { f_min: 220.0, n_bins: 48, hop_length: 512, sparsity: 0.0, ..CqtConfig::default() };
    let got = config.plan(RATE).unwrap().process_complex(&x).unwrap();
    // Wavelets of halved rates have their lengths rounded there, to half a sample of some hundred.
    close_to_naive(&config, 0.0, &got, &x, 1e-2);
}

#[test]
fn a_sine_on_a_bin_peaks_there() {
    let plan = CqtConfig::default().plan(RATE).unwrap();
    for bin in [6, 24, 47, 70, 80] {
        let magnitudes = plan.process(&sine(f64::from(plan.frequencies()[bin]), 44_100)).unwrap();
        let column = magnitudes.column(magnitudes.ncols() / 2).to_vec();
        let top = (0..column.len()).max_by(|a, b| column[*a].total_cmp(&column[*b])).unwrap();
        assert_eq!(top, bin);
    }
}

#[test]
fn it_is_linear() {
    let (x, y) = (noise(9000), sine(700.0, 9000));
    let plan =
        CqtConfig { f_min: 110.0, n_bins: 60, hop_length: 256, ..CqtConfig::default() }.plan(RATE).unwrap();
    let of = |signal: &[f32]| plan.process_complex(signal).unwrap();
    let (a, b) = (of(&x), of(&y));
    let mixed: Vec<f32> = x.iter().zip(&y).map(|(x, y)| 2.0 * x - 0.5 * y).collect();
    let sum = a.mapv(|v| v * 2.0) - b.mapv(|v| v * 0.5);
    let (off, top) = (of(&mixed) - &sum, peak(&sum, |v| v.norm()));
    assert!(peak(&off, |v| v.norm()) <= 1e-5 * top);
    let back = |c: &Array2<Complex32>| plan.inverse(c.view(), None).unwrap();
    let (from_a, from_b, from_sum) = (back(&a), back(&b), back(&sum));
    let top = peak(&from_sum, |v| v.abs());
    for ((s, a), b) in from_sum.iter().zip(&from_a).zip(&from_b) {
        assert!((s - (2.0 * a - 0.5 * b)).abs() <= 1e-5 * top);
    }
}

fn dense() -> Cqt {
    CqtConfig { hop_length: 64, ..CqtConfig::default() }.plan(RATE).unwrap()
}

#[test]
fn a_tone_comes_back() {
    let plan = dense();
    for hz in [100.0, 440.0, 1500.0] {
        let x = sine(hz, 30_000);
        let back = plan.inverse(plan.process_complex(&x).unwrap().view(), Some(x.len())).unwrap();
        let middle = 10_000..20_000;
        let signal: f32 = x[middle.clone()].iter().map(|v| v * v).sum();
        let off: f32 = x[middle.clone()].iter().zip(&back[middle]).map(|(a, b)| (a - b) * (a - b)).sum();
        // The transform is not orthogonal: neighbouring bins give back a tone with a few percent of ripple.
        assert!(off < 0.01 * signal, "{hz} Hz: {}", off / signal);
    }
}

#[test]
fn lengths_cut_and_add_zeros() {
    let plan = dense();
    let transform = plan.process_complex(&noise(6400)).unwrap();
    let whole = plan.inverse(transform.view(), None).unwrap();
    assert_eq!((whole.len(), plan.covered(transform.ncols())), (6400, 6400));
    let longer = plan.inverse(transform.view(), Some(7000)).unwrap();
    assert_eq!(longer[..6400], whole);
    assert!(longer[6400..].iter().all(|v| *v == 0.0));
    assert_eq!(plan.inverse(transform.view(), Some(0)).unwrap(), Vec::<f32>::new());
    // Frames far enough after the end have no part in it; those in reach of the longest wavelet have.
    let cut = plan.inverse(transform.view(), Some(100)).unwrap();
    assert_eq!(cut, whole[..100]);
    assert_eq!(plan.inverse(transform.slice(ndarray::s![.., ..1]), None).unwrap(), Vec::<f32>::new());
    let one = plan.inverse(transform.slice(ndarray::s![.., ..1]), Some(9)).unwrap();
    assert_eq!(one, [0.0; 9]);
}

#[test]
fn the_inverse_allocates_nothing_and_any_layout_will_do() {
    let plan = CqtConfig::default().plan(RATE).unwrap();
    let transform = plan.process_complex(&noise(10_000)).unwrap();
    let want = plan.inverse(transform.view(), Some(9000)).unwrap();
    let mut scratch = plan.inverse_scratch_for(9500).unwrap();
    let mut out = vec![f32::NAN; 9000];
    let rows = Array2::from_shape_vec(transform.dim(), transform.iter().copied().collect()).unwrap();
    for _ in 0..2 {
        let count = allocation_counter::measure(|| {
            plan.inverse_into(rows.view(), &mut out, &mut scratch).unwrap();
        });
        assert_eq!(count.count_total, 0);
        assert_eq!(out, want);
    }
}

#[test]
fn the_inverse_names_what_is_wrong() {
    let plan = CqtConfig::default().plan(RATE).unwrap();
    let zeros = |rows, columns| Array2::<Complex32>::zeros((rows, columns).f());
    let refused = |m: &Array2<Complex32>, length| plan.inverse(m.view(), length).unwrap_err();
    assert!(matches!(refused(&zeros(83, 4), None), FeatureError::Shape { got_rows: 83, rows: 84, .. }));
    assert_eq!(refused(&zeros(84, 0), Some(5)), FeatureError::TooShort { got: 0, needed: 1 });
    for length in [usize::MAX, 1 << 40] {
        assert!(matches!(
            refused(&zeros(84, 4), Some(length)),
            FeatureError::Parameter { field: "length", .. }
        ));
    }
    let mut bad = zeros(84, 4);
    bad[[3, 2]].im = f32::INFINITY;
    assert_eq!(refused(&bad, None), FeatureError::NotFinite { index: 2 * 84 + 3, value: f32::INFINITY });
    let mut scratch = plan.inverse_scratch_for(100).unwrap();
    let short = plan.inverse_into(zeros(84, 4).view(), &mut [0.0; 101], &mut scratch);
    assert_eq!(short, Err(FeatureError::Scratch { plan: "cqt inverse" }));
}

#[test]
fn bad_parameters_are_named() {
    let field = |config: CqtConfig| match config.plan(RATE).unwrap_err() {
        FeatureError::Parameter { field, .. } => field,
        other => panic!("{other}"),
    };
    let default = CqtConfig::default;
    assert_eq!(field(CqtConfig { n_bins: 0, ..default() }), "n_bins");
    assert_eq!(field(CqtConfig { n_bins: 102, ..default() }), "n_bins");
    assert_eq!(field(CqtConfig { hop_length: 0, ..default() }), "hop_length");
    assert_eq!(field(CqtConfig { f_min: 12_000.0, ..default() }), "f_min");
    assert_eq!(field(CqtConfig { sparsity: 1.0, ..default() }), "sparsity");
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(field(CqtConfig { f_min: bad, ..default() }), "f_min");
        assert_eq!(field(CqtConfig { filter_scale: bad, ..default() }), "filter_scale");
    }
    for bad in [101.0, f64::NAN] {
        assert_eq!(field(CqtConfig { tuning: bad, ..default() }), "tuning");
    }
    // Hops that cannot be halved are computed at the rate where the halving ends, not refused.
    assert!(CqtConfig { hop_length: 511, f_min: 200.0, n_bins: 24, ..default() }.plan(RATE).is_ok());
}

/// The folder of golden cases; `None`, with a line on stderr, where there is none.
fn golden() -> Option<PathBuf> {
    let named = std::env::var_os("MGR_SHARED").map(PathBuf::from);
    let beside = || {
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        above.map(|folder| folder.join("shared")).find(|folder| folder.is_dir())
    };
    let found = named.or_else(beside).map(|folder| folder.join("golden/open")).filter(|f| f.exists());
    if found.is_none() {
        let required = std::env::var_os("MGR_REQUIRE_SHARED").is_some_and(|value| value == "1");
        assert!(!required, "the golden cases are required and missing");
        eprintln!("SKIPPED: shared data not found (golden/open)");
    }
    found
}

/// The samples of a mono WAV of 16-bit integers or floats.
fn wav(path: &Path) -> Vec<f32> {
    let bytes = fs::read(path).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut at, mut float) = (12, false);
    loop {
        let (name, length) = (&bytes[at..at + 4], word(at + 4) as usize);
        let data = &bytes[at + 8..at + 8 + length];
        match name {
            b"fmt " => float = data[14] == 32,
            b"data" if float => {
                return data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
            }
            b"data" => {
                let samples = data.as_chunks::<2>().0.iter();
                return samples.map(|b| f32::from(i16::from_le_bytes(*b)) / 32_768.0).collect();
            }
            _ => {}
        }
        at += 8 + length.next_multiple_of(2);
    }
}

/// The signal, the file of the result and the tolerances (relative, absolute) of a case.
fn case(folder: &Path, id: &str) -> (Vec<f32>, PathBuf, f64, f64) {
    let text = fs::read(folder.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let cases = manifest["cases"].as_array().unwrap();
    let case = cases.iter().find(|c| c["id"] == id).expect(id);
    let output = &case["outputs"][0];
    let tolerance = &output["tolerance"];
    let signal = wav(&folder.join(case["input"].as_str().unwrap()));
    (
        signal,
        folder.join(output["file"].as_str().unwrap()),
        tolerance["rtol"].as_f64().unwrap(),
        tolerance["atol"].as_f64().unwrap(),
    )
}

#[test]
fn complex_values_are_the_references() {
    let Some(folder) = golden() else { return };
    for id in ["synthmusic_22k_5s__cqt", "expsweep_22k_3s__cqt", "synthmusic_22k_5s__vqt"] {
        let (signal, file, relative, absolute) = case(&folder, id);
        let want: Array2<Complex32> = read_npy(file).unwrap();
        let got = if id.ends_with("vqt") {
            VqtConfig::default().plan(RATE).unwrap().process_complex(&signal).unwrap()
        } else {
            CqtConfig::default().plan(RATE).unwrap().process_complex(&signal).unwrap()
        };
        assert_eq!(got.dim(), want.dim(), "{id}");
        for (got, want) in got.iter().zip(&want) {
            let off = f64::from((got - want).norm());
            assert!(off <= absolute + relative * f64::from(want.norm()), "{id}: {got} for {want}");
        }
    }
}

#[test]
fn magnitudes_and_chroma_are_the_references() {
    let Some(folder) = golden() else { return };
    let cases = [
        ("brahms_22k_5s__hybrid_cqt", FeatureConfig::HybridCqt(HybridCqtConfig::default())),
        ("vibeace_22k_5s__pseudo_cqt", FeatureConfig::PseudoCqt(PseudoCqtConfig::default())),
        ("trumpet_22k_3s__chroma_cqt", FeatureConfig::ChromaCqt(ChromaCqtConfig::default())),
        ("brahms_22k_5s__chroma_cens", FeatureConfig::ChromaCens(ChromaCensConfig::default())),
        ("trumpet_22k_3s__tonnetz", FeatureConfig::Tonnetz(TonnetzConfig::default())),
    ];
    for (id, config) in cases {
        let (signal, file, relative, absolute) = case(&folder, id);
        let want: Array2<f64> = match read_npy::<_, Array2<f32>>(&file) {
            Ok(single) => single.mapv(f64::from),
            Err(_) => read_npy(&file).unwrap(),
        };
        let got = config.plan(RATE).unwrap().extract(&signal).unwrap();
        assert_eq!(got.dim(), want.dim(), "{id}");
        for (got, want) in got.iter().zip(&want) {
            let off = (f64::from(*got) - want).abs();
            assert!(off <= absolute + relative * want.abs(), "{id}: {got} for {want}");
        }
    }
}
