//! The transform against its definition, in f64 and without any shortcut.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::f64::consts::TAU;

use mgr_features::FeatureError;
use mgr_features::frame::{Centering, Padding};
use mgr_features::stft::StftConfig;
use mgr_features::window::{Symmetry, Window};
use ndarray::{Array2, ShapeBuilder};
use num_complex::{Complex32, Complex64};
use proptest::prelude::*;

/// numpy's `pad`, one sample at a time.
fn padded(x: &[f32], pad: usize, padding: Padding) -> Vec<f64> {
    let n = x.len() as isize;
    let at = |i: isize| -> f64 {
        let inside = |j: isize| f64::from(x[j as usize]);
        match padding {
            _ if (0..n).contains(&i) => inside(i),
            Padding::Zero => 0.0,
            Padding::Edge => inside(i.clamp(0, n - 1)),
            Padding::Reflect => {
                let mut i = i;
                while !(0..n).contains(&i) {
                    i = if i < 0 { -i } else { 2 * (n - 1) - i };
                    if n == 1 {
                        i = 0;
                    }
                }
                inside(i)
            }
            Padding::Symmetric => {
                let mut i = i;
                while !(0..n).contains(&i) {
                    i = if i < 0 { -i - 1 } else { 2 * n - 1 - i };
                }
                inside(i)
            }
        }
    };
    (-(pad as isize)..n + pad as isize).map(at).collect()
}

fn pad(config: &StftConfig) -> usize {
    match config.centering {
        Centering::Centered | Centering::CenteredTrimmed => config.n_fft / 2,
        _ => 0,
    }
}

/// Where in the transform the window begins.
fn left(config: &StftConfig, win: usize) -> usize {
    if config.centering == Centering::WindowAligned { 0 } else { (config.n_fft - win) / 2 }
}

/// The sum as it is written.
fn naive(config: &StftConfig, x: &[f32]) -> Array2<Complex64> {
    let (n_fft, hop) = (config.n_fft, config.hop_length);
    let pad = pad(config);
    let y = padded(x, pad, config.padding);
    let win = config.win_length.unwrap_or(n_fft);
    let mut window = vec![0.0; n_fft];
    let left = left(config, win);
    window[left..left + win].copy_from_slice(&config.window.coefficients(win, config.symmetry).unwrap());
    let frames = match config.centering {
        Centering::CenteredTrimmed => (y.len() - n_fft) / hop,
        Centering::WindowAligned => 1 + (y.len() - win) / hop,
        _ => 1 + (y.len() - n_fft) / hop,
    };
    Array2::from_shape_fn((n_fft / 2 + 1, frames), |(k, t)| {
        let term = |n: usize| {
            let phase = -TAU * ((k * n) % n_fft) as f64 / n_fft as f64;
            Complex64::from_polar(y.get(t * hop + n).unwrap_or(&0.0) * window[n], phase)
        };
        (0..n_fft).map(term).sum()
    })
}

fn configs() -> impl Strategy<Value = StftConfig> {
    let window = prop_oneof![
        Just(Window::Hann),
        Just(Window::Hamming),
        Just(Window::Blackman),
        Just(Window::BlackmanHarris),
        Just(Window::Rectangular),
        Just(Window::Povey),
        (0.0..20.0f64).prop_map(|beta| Window::Kaiser { beta }),
    ];
    let padding = prop_oneof![
        Just(Padding::Zero),
        Just(Padding::Reflect),
        Just(Padding::Symmetric),
        Just(Padding::Edge)
    ];
    let centering = prop_oneof![
        Just(Centering::Centered),
        Just(Centering::LeftAligned),
        Just(Centering::CenteredTrimmed),
        Just(Centering::WindowAligned)
    ];
    let symmetry = prop_oneof![Just(Symmetry::Periodic), Just(Symmetry::Symmetric), Just(Symmetry::Reversed)];
    // Hops under half a frame: beyond that the padding follows librosa, which mirrors less; the parity run covers it.
    (4usize..80, 1usize..100, any::<bool>(), window, padding, centering, symmetry).prop_flat_map(
        |(n_fft, hop, short, window, padding, centering, symmetry)| {
            (1..=n_fft).prop_map(move |win| StftConfig {
                n_fft,
                hop_length: if padding == Padding::Zero { hop } else { 1 + hop % (n_fft / 2 - 1) },
                win_length: short.then_some(win),
                window,
                symmetry,
                centering,
                conditioning: None,
                padding,
            })
        },
    )
}

/// The inverse as it is written: frames by a sum over bins, windowed, added, divided by the sum of squared windows.
/// With each sample, the weight that it was divided by.
fn naive_inverse(config: &StftConfig, spectrogram: &Array2<Complex32>, length: usize) -> Vec<(f64, f64)> {
    let (n_fft, hop) = (config.n_fft, config.hop_length);
    let pad = pad(config);
    let win = config.win_length.unwrap_or(n_fft);
    let mut window = vec![0.0; n_fft];
    let left = left(config, win);
    window[left..left + win].copy_from_slice(&config.window.coefficients(win, config.symmetry).unwrap());
    let mut sum = vec![0.0; (length + pad).max(hop * spectrogram.ncols()) + n_fft];
    let mut weight = sum.clone();
    for (t, column) in spectrogram.columns().into_iter().enumerate() {
        for n in 0..n_fft {
            let term = |(k, z): (usize, &Complex32)| {
                let both_sides = if k == 0 || 2 * k == n_fft { 1.0 } else { 2.0 };
                let phase = TAU * ((k * n) % n_fft) as f64 / n_fft as f64;
                both_sides * (f64::from(z.re) * phase.cos() - f64::from(z.im) * phase.sin())
            };
            let sample = column.iter().enumerate().map(term).sum::<f64>() / n_fft as f64;
            sum[t * hop + n] += sample * window[n];
            weight[t * hop + n] += window[n] * window[n];
        }
    }
    let divisor = |q: f64| if q > f64::from(f32::MIN_POSITIVE) { q } else { 1.0 };
    sum.iter().zip(&weight).map(|(s, q)| (s / divisor(*q), divisor(*q))).skip(pad).take(length).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equals_the_definition(config in configs(), x in prop::collection::vec(-1.0f32..1.0, 1..300)) {
        let stft = config.plan().unwrap();
        // A frame in the right padding mirrors what lies from half a frame before the end: shorter signals are librosa's own case.
        prop_assume!(x.len() > config.n_fft + config.hop_length);
        let got = stft.process(&x).unwrap();
        let want = naive(&config, &x);
        prop_assert_eq!(got.dim(), want.dim());
        // f32 rounding of a sum of n_fft products of size one: 1e-7 times its logarithm for a fast transform; 30 times that.
        let tolerance = 3e-6 * config.n_fft as f64;
        for (g, w) in got.iter().zip(&want) {
            let g = Complex64::new(f64::from(g.re), f64::from(g.im));
            prop_assert!((g - w).norm() <= tolerance, "{} {}", g, w);
        }
    }

    #[test]
    fn the_inverse_equals_its_definition(
        config in configs(),
        values in prop::collection::vec(-1.0f32..1.0, 2 * 41 * 12),
        frames in 1usize..12,
        length in 0usize..700,
        covered in any::<bool>(),
    ) {
        let stft = config.plan().unwrap();
        let spectrogram = Array2::from_shape_fn((stft.bins(), frames), |(k, t)| {
            let at = 2 * (t * stft.bins() + k);
            Complex32::new(values[at], values[at + 1])
        });
        let got = stft.inverse(spectrogram.view(), (!covered).then_some(length)).unwrap();
        let length = if covered { stft.covered(frames) } else { length };
        prop_assert_eq!(got.len(), length);
        let want = naive_inverse(&config, &spectrogram, length);
        for (g, (w, weight)) in got.iter().zip(&want) {
            // Rounding of the sum, which is of size 1, grows where the windows are small: compare before the division, and
            // allow for windows rounded to f32.
            let tolerance = 3e-6 / weight.sqrt() + 1e-6 * w.abs();
            prop_assert!((f64::from(*g) - w).abs() <= tolerance, "{} {} {}", g, w, weight);
        }
        // Any memory layout, a scratch used before, a buffer not zero: the same bytes.
        let mut again = vec![7.0; length];
        let mut scratch = stft.inverse_scratch();
        let columns = spectrogram.t().as_standard_layout().into_owned();
        stft.inverse_into(spectrogram.view(), &mut again, &mut scratch).unwrap();
        prop_assert_eq!(&again, &got);
        stft.inverse_into(columns.t(), &mut again, &mut scratch).unwrap();
        prop_assert_eq!(&again, &got);
    }

    #[test]
    fn the_inverse_gives_the_signal_back(
        x in prop::collection::vec(-1.0f32..1.0, 64..600),
        n_fft in 16usize..64,
        divide in 2usize..6,
    ) {
        let stft = StftConfig { n_fft, hop_length: n_fft / divide, ..StftConfig::default() }.plan().unwrap();
        let y = stft.inverse(stft.process(&x).unwrap().view(), Some(x.len())).unwrap();
        prop_assert_eq!(y.len(), x.len());
        for (a, b) in x.iter().zip(&y) {
            // Rounding, divided by a sum of squared windows that is nowhere small at these overlaps but for odd hops.
            prop_assert!((a - b).abs() <= 1e-4, "{} {}", a, b);
        }
    }

    #[test]
    fn it_is_linear(
        x in prop::collection::vec(-1.0f32..1.0, 256),
        y in prop::collection::vec(-1.0f32..1.0, 256),
        a in -3.0f32..3.0,
    ) {
        let stft = StftConfig { n_fft: 64, hop_length: 16, ..StftConfig::default() }.plan().unwrap();
        let mixed: Vec<f32> = x.iter().zip(&y).map(|(x, y)| a * x + y).collect();
        let (of_x, of_y, of_mixed) = (stft.process(&x).unwrap(), stft.process(&y).unwrap(), stft.process(&mixed).unwrap());
        for ((x, y), m) in of_x.iter().zip(&of_y).zip(&of_mixed) {
            // f32 rounding of values up to 32 * 4
            prop_assert!((x * a + y - m).norm() <= 1e-4);
        }
    }
}

#[test]
fn energy_is_kept() {
    // Parseval, frame by frame, with a rectangular window and no overlap.
    let x: Vec<f32> = (0..1024).map(|n| (n as f32 * 0.37).sin()).collect();
    let config = StftConfig {
        n_fft: 128,
        hop_length: 128,
        window: Window::Rectangular,
        centering: Centering::LeftAligned,
        ..StftConfig::default()
    };
    let spectrum = config.plan().unwrap().process(&x).unwrap();
    for (frame, column) in x.chunks(128).zip(spectrum.columns()) {
        let time: f32 = frame.iter().map(|v| v * v).sum();
        let both_sides = |k: usize| if k == 0 || k == 64 { 1.0 } else { 2.0 };
        let frequency: f32 = column.iter().enumerate().map(|(k, z)| both_sides(k) * z.norm_sqr()).sum();
        assert!((time - frequency / 128.0).abs() <= 1e-4 * time);
    }
}

#[test]
fn the_inverse_refuses_what_is_no_transform() {
    let stft = StftConfig::default().plan().unwrap();
    assert!(stft.inverse(Array2::<Complex32>::zeros((1024, 10)).view(), None).is_err());
    assert!(stft.inverse(Array2::<Complex32>::zeros((1025, 0)).view(), None).is_err());
    assert!(stft.inverse(Array2::<Complex32>::zeros((1025, 3)).view(), Some(usize::MAX)).is_err());
    assert_eq!(stft.inverse(Array2::<Complex32>::zeros((1025, 3)).view(), None).unwrap().len(), 1024);
    assert_eq!(stft.inverse(Array2::<Complex32>::zeros((1025, 3)).view(), Some(9999)).unwrap().len(), 9999);
}

#[test]
fn the_inverse_allocates_nothing_and_wants_its_own_scratch() {
    let plan = |n_fft| StftConfig { n_fft, ..StftConfig::default() }.plan().unwrap();
    for n_fft in [2048, 1001] {
        let stft = plan(n_fft);
        let spectrogram = Array2::<Complex32>::zeros((stft.bins(), 20).f());
        let mut out = vec![0.0; 9000];
        let mut scratch = stft.inverse_scratch();
        let count = allocation_counter::measure(|| {
            stft.inverse_into(spectrogram.view(), &mut out, &mut scratch).unwrap();
        });
        assert_eq!(count.count_total, 0);
        let mut foreign = plan(n_fft + 1).inverse_scratch();
        let error = stft.inverse_into(spectrogram.view(), &mut out, &mut foreign).unwrap_err();
        assert!(matches!(error, FeatureError::Scratch { .. }));
    }
}
