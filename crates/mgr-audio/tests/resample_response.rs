//! The response of the default kernel, measured: every sine in the pass band comes out as that sine at the other rate, every
//! sine in the stop band as silence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::f64::consts::PI;

use mgr_audio::{ResampleConfig, ResampleKernel, Resampler};
use realfft::RealFftPlanner;

/// What soxr's HQ recipe promises.
const STOP_BAND_DB: f64 = -120.0;

/// A conversion, with input and output rate in Hz.
fn conversions() -> Vec<(Resampler, f64, f64)> {
    let rates = [
        (44_100, 22_050),
        (44_100, 16_000),
        (48_000, 22_050),
        (48_000, 16_000),
        (22_050, 16_000),
        (22_050, 44_100),
        (96_000, 22_050),
        (8_000, 22_050),
        (192_000, 11_025),
        // Through an oversampled stage: more, half, little less and little more than the rate.
        (44_100, 44_099),
        (44_101, 22_050),
        (44_101, 10_007),
        (22_050, 47_999),
        (100, 99_991),
        // Direct: a great step down.
        (100_003, 1_009),
    ];
    let planned = rates.map(|(input_rate, output_rate)| {
        let config = ResampleConfig { input_rate, output_rate, ..ResampleConfig::default() };
        (config.plan().unwrap(), f64::from(input_rate), f64::from(output_rate))
    });
    let semitones = [-7.0, -0.3, 1.0, 5.5].map(|semitones: f64| {
        let ratio = 2f64.powf(semitones / 12.0);
        (Resampler::with_ratio(ratio, ResampleKernel::High).unwrap(), 22_050.0, 22_050.0 * ratio)
    });
    planned.into_iter().chain(semitones).collect()
}

/// Power of the difference of the output from `expected`, in dB of a full-scale sine; the kernel's reach at both ends is left
/// out.
fn error_db(resampler: &Resampler, frequency: f64, amplitude: f64, rates: (f64, f64)) -> f64 {
    let lower = rates.0.min(rates.1);
    let sine = |n: usize, rate: f64| (2.0 * PI * frequency * n as f64 / rate + 0.3).sin();
    let seconds = 1000.0 / lower;
    let signal: Vec<f32> = (0..(seconds * rates.0) as usize).map(|n| sine(n, rates.0) as f32).collect();
    let out = resampler.process(&signal).unwrap();
    let edge = (100.0 * rates.1 / lower) as usize;
    let range = edge..out.len() - edge;
    let count = range.len() as f64;
    let error: f64 =
        range.map(|n| (f64::from(out[n]) - amplitude * sine(n, rates.1)).powi(2)).sum::<f64>() / count;
    10.0 * (2.0 * error).max(1e-30).log10()
}

#[test]
fn the_pass_band_is_flat_and_in_phase() {
    for (resampler, input_rate, output_rate) in conversions() {
        let nyquist = input_rate.min(output_rate) / 2.0;
        let mut worst = (f64::NEG_INFINITY, 0.0);
        for step in 0..=15 {
            let fraction = 0.0013 + (0.9 - 0.0013) * f64::from(step) / 15.0;
            let error = error_db(&resampler, fraction * nyquist, 1.0, (input_rate, output_rate));
            worst = if error > worst.0 { (error, fraction) } else { worst };
        }
        eprintln!("{input_rate} -> {output_rate:.1}: {:.1} dB at {:.3} of Nyquist", worst.0, worst.1);
        assert!(worst.0 < STOP_BAND_DB, "{input_rate} -> {output_rate}: {worst:?}");
    }
}

#[test]
fn the_stop_band_is_silent() {
    for (resampler, input_rate, output_rate) in conversions().into_iter().filter(|(_, a, b)| a > b) {
        let (nyquist, top) = (output_rate / 2.0, input_rate / 2.0);
        let mut worst = (f64::NEG_INFINITY, 0.0);
        for step in 0..=15 {
            // Dense near the edge.
            let frequency = nyquist + (top - nyquist) * (f64::from(step) / 15.0).powi(2);
            let error = error_db(&resampler, frequency, 0.0, (input_rate, output_rate));
            worst = if error > worst.0 { (error, frequency / nyquist) } else { worst };
        }
        eprintln!("{input_rate} -> {output_rate:.1}: {:.1} dB at {:.3} of Nyquist", worst.0, worst.1);
        assert!(worst.0 < STOP_BAND_DB, "{input_rate} -> {output_rate}: {worst:?}");
    }
}

/// The filter itself, free of the rounding of long sums: impulses at both places of a step down by two, their responses
/// interleaved, are the impulse response.
#[test]
fn the_impulse_response_has_the_bands_of_the_recipe() {
    let resampler = ResampleConfig::default().plan().unwrap();
    let n = 8192;
    let responses = [4096usize, 4097].map(|place| {
        let mut impulse = vec![0.0f32; n];
        impulse[place] = 1.0;
        resampler.process(&impulse).unwrap()
    });
    // Output m of an impulse at p is h[2 m - p].
    let mut response = vec![0.0f64; n];
    for m in 0..n / 2 {
        response[2 * m] = f64::from(responses[0][m]);
        response[(2 * m + n - 1) % n] = f64::from(responses[1][m]);
    }
    for reach in 1..1000 {
        let (before, after) = (response[4096 - reach], response[4096 + reach]);
        assert!((before - after).abs() < 1e-8, "symmetric at {reach}: {before} {after}");
    }
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(n);
    let mut spectrum = fft.make_output_vec();
    fft.process(&mut response, &mut spectrum).unwrap();
    for (bin, value) in spectrum.iter().enumerate() {
        let (fraction, gain) = (bin as f64 / (n / 4) as f64, value.norm());
        if fraction <= 0.913 {
            // 125 dB of ripple is 5.6e-7.
            assert!((gain - 1.0).abs() < 1e-6, "pass band at {fraction}: {gain}");
        }
        if fraction >= 1.0 {
            assert!(20.0 * gain.log10() < STOP_BAND_DB, "stop band at {fraction}: {gain:e}");
        }
    }
}

/// Loss of gain at 0.8 and 0.9 of the lower Nyquist frequency, as measured with python-soxr's `HQ`.
#[test]
fn the_roll_off_is_that_of_soxr() {
    for (input_rate, output_rate, at_08, at_09) in [
        (44_100, 22_050, 0.0, 0.0),
        (48_000, 32_000, 0.0, 0.0),
        (22_050, 32_000, 1.435_450e-4, 8.086_818e-4),
        // Through an oversampled stage.
        (22_050, 32_003, 1.435_450e-4, 8.086_818e-4),
        (44_100, 16_000, 3.703_472e-4, 9.295_518e-4),
        (48_000, 22_050, 1.937_381e-4, 8.220_159e-4),
        (32_000, 22_050, 2.582_023e-4, 6.524_025e-4),
        (44_100, 24_000, 1.302_513e-4, 7.704_047e-4),
        (44_100, 12_000, 4.923_996e-5, 1.293_951e-4),
    ] {
        let kernel = ResampleKernel::SoxrHq;
        let resampler = ResampleConfig { input_rate, output_rate, kernel }.plan().unwrap();
        let rates = (f64::from(input_rate), f64::from(output_rate));
        for (fraction, loss) in [(0.8, at_08), (0.9, at_09)] {
            let frequency = fraction * rates.0.min(rates.1) / 2.0;
            // What is left of the sine with the measured gain.
            let error = error_db(&resampler, frequency, 1.0 - loss, rates);
            assert!(error < -115.0, "{input_rate} -> {output_rate} at {fraction}: {error:.1} dB");
        }
    }
}

/// The first, second, 21st, 30th and 40th output of resampy 0.4.3 for `sin(0.3 n + 0.01 n^1.5)`, n below 120.
#[test]
fn kaiser_kernels_have_the_numbers_of_resampy() {
    let signal: Vec<f32> =
        (0..120).map(|n| (0.3 * f64::from(n) + 0.01 * f64::from(n).powf(1.5)).sin() as f32).collect();
    let (best, fast) = (ResampleKernel::KaiserBest, ResampleKernel::KaiserFast);
    for (input_rate, output_rate, kernel, expected) in [
        (22_050, 16_000, fast, [0.0323061886, 0.403076596, -0.28707306, 0.929496658, 0.937854257]),
        (24_000, 8_000, best, [0.0976411787, 0.791699443, -0.608562761, 0.345202853, -0.641245365]),
        (8_000, 12_000, fast, [0.0103168601, 0.179733958, -0.974300981, 0.35869806, 0.294595583]),
    ] {
        let out =
            ResampleConfig { input_rate, output_rate, kernel }.plan().unwrap().process(&signal).unwrap();
        for (index, value) in [0, 1, 20, 29, 39].into_iter().zip(expected) {
            // Sums of about 100 products in f32.
            assert!(
                (f64::from(out[index]) - value).abs() < 5e-7,
                "{kernel:?} {index}: {} {value}",
                out[index]
            );
        }
    }
}
