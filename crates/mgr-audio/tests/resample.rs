//! Resampling against sines computed at the output rate, and its invariants.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::f64::consts::PI;

use mgr_audio::{AudioError, ResampleConfig, ResampleKernel, ResampleStream, Resampler};
use proptest::prelude::*;

fn plan(input_rate: u32, output_rate: u32) -> Resampler {
    ResampleConfig { input_rate, output_rate, ..ResampleConfig::default() }.plan().unwrap()
}

fn sine(frequency: f64, rate: u32, samples: usize) -> Vec<f32> {
    (0..samples).map(|n| (2.0 * PI * frequency * n as f64 / f64::from(rate) + 0.3).sin() as f32).collect()
}

/// Power of `a - b` in dB of a full-scale sine, with `edge` samples at both ends left out.
fn error_db(a: &[f32], b: &[f32], edge: usize) -> f64 {
    let range = edge..a.len() - edge;
    let sum: f64 = range.clone().map(|n| f64::from(a[n] - b[n]).powi(2)).sum();
    10.0 * (2.0 * sum / range.len() as f64).max(1e-30).log10()
}

const PAIRS: [(u32, u32); 10] = [
    (44_100, 22_050),
    (22_050, 44_100),
    (48_000, 22_050),
    (44_100, 16_000),
    (22_050, 16_000),
    (8_000, 22_050),
    (96_000, 22_050),
    (192_000, 11_025),
    // No small ratio: the interpolated kernel.
    (44_101, 22_050),
    (22_050, 47_999),
];

/// The kernel reaches 95 samples of the lower rate to each side; twice that clears the ends.
fn edge(input_rate: u32, output_rate: u32) -> usize {
    200 * output_rate.div_ceil(input_rate.min(output_rate)) as usize
}

#[test]
fn sines_in_the_pass_band_keep_amplitude_and_phase() {
    for (input_rate, output_rate) in PAIRS {
        let nyquist = f64::from(input_rate.min(output_rate)) / 2.0;
        let resampler = plan(input_rate, output_rate);
        for fraction in [0.001, 0.02, 0.3, 0.6, 0.9, 0.91] {
            let samples = input_rate as usize;
            let out = resampler.process(&sine(fraction * nyquist, input_rate, samples)).unwrap();
            let expected = sine(fraction * nyquist, output_rate, out.len());
            let error = error_db(&out, &expected, edge(input_rate, output_rate));
            // f32 samples and sums of about 200 to 2,000 products leave -130 dB and less; the design is 125.
            assert!(error < -115.0, "{input_rate} -> {output_rate} at {fraction}: {error:.1} dB");
        }
    }
}

#[test]
fn sines_beyond_the_lower_nyquist_vanish() {
    for (input_rate, output_rate) in PAIRS.into_iter().filter(|(input, output)| input > output) {
        let nyquist = f64::from(output_rate) / 2.0;
        let resampler = plan(input_rate, output_rate);
        for fraction in [1.001, 1.05, 1.3, 1.9] {
            if fraction * nyquist > f64::from(input_rate) / 2.0 {
                continue;
            }
            let out = resampler.process(&sine(fraction * nyquist, input_rate, input_rate as usize)).unwrap();
            let error = error_db(&out, &vec![0.0; out.len()], edge(input_rate, output_rate));
            assert!(error < -110.0, "{input_rate} -> {output_rate} at {fraction}: {error:.1} dB");
        }
    }
}

#[test]
fn a_constant_stays_constant() {
    for (input_rate, output_rate) in PAIRS {
        let out = plan(input_rate, output_rate).process(&vec![0.5; 20_000]).unwrap();
        let edge = edge(input_rate, output_rate);
        // Rows sum to 1 up to the rounding of their values to f32.
        assert!(
            out[edge..out.len() - edge].iter().all(|x| (x - 0.5).abs() < 1e-6),
            "{input_rate} -> {output_rate}"
        );
    }
}

#[test]
fn extreme_ratios_and_lengths() {
    for (input_rate, output_rate) in [(1_000_000, 100), (100, 1_000_000), (999_983, 101), (101, 999_983)] {
        let resampler = plan(input_rate, output_rate);
        for samples in [0usize, 1, 2, 50] {
            let out = resampler.process(&vec![1.0; samples]).unwrap();
            let exact = samples as f64 * f64::from(output_rate) / f64::from(input_rate);
            assert_eq!(out.len(), exact.ceil() as usize);
            assert!(out.iter().all(|x| x.is_finite()));
        }
    }
    assert_eq!(plan(1_000_000, 100).output_len(usize::MAX), usize::MAX.div_ceil(10_000));
    assert_eq!(plan(100, 1_000_000).output_len(usize::MAX), usize::MAX);
}

#[test]
fn equal_rates_copy_and_not_finite_samples_stay_near() {
    let samples = sine(440.0, 22_050, 1000);
    assert_eq!(plan(22_050, 22_050).process(&samples).unwrap(), samples);
    for (kernel, reach) in [(ResampleKernel::High, None), (ResampleKernel::KaiserBest, Some(200))] {
        let resampler = ResampleConfig { kernel, ..ResampleConfig::default() }.plan().unwrap();
        let reach = reach.unwrap_or_else(|| 2 * resampler.stream().delay()) / 2;
        for bad in [f32::NAN, f32::INFINITY] {
            let mut spoiled = sine(440.0, 44_100, 44_100);
            spoiled[20_000] = bad;
            let out = resampler.process(&spoiled).unwrap();
            assert!(!out[10_000].is_finite(), "{kernel:?}");
            assert!(
                out[..10_000 - reach].iter().chain(&out[10_000 + reach..]).all(|x| x.is_finite()),
                "{kernel:?}"
            );
        }
    }
}

/// The stream's outputs for pieces whose sizes go round through `sizes`.
fn streamed(stream: &mut ResampleStream, samples: &[f32], sizes: &[usize]) -> Vec<f32> {
    let (mut out, mut rest, mut sizes) = (Vec::new(), samples, sizes.iter().cycle());
    while !rest.is_empty() {
        let (now, later) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        stream.push(now, &mut out);
        rest = later;
    }
    stream.finish(&mut out);
    out
}

#[test]
fn a_stream_gives_the_bits_of_the_whole() {
    let ratios = PAIRS.map(|(input_rate, output_rate)| plan(input_rate, output_rate));
    let mut resamplers = ratios.to_vec();
    for kernel in [
        ResampleKernel::SoxrHq,
        ResampleKernel::KaiserBest,
        ResampleKernel::KaiserFast,
        ResampleKernel::Polyphase,
    ] {
        for (input_rate, output_rate) in [(44_100, 22_050), (44_101, 22_050), (8_000, 22_050)] {
            resamplers.push(ResampleConfig { input_rate, output_rate, kernel }.plan().unwrap());
        }
    }
    for ratio in [0.5, 1.0, 2f64.powf(1.0 / 12.0), 0.011, 90.0] {
        resamplers.push(Resampler::with_ratio(ratio, ResampleKernel::High).unwrap());
    }
    for resampler in resamplers {
        let name = format!("{:?} {}", resampler.config(), resampler.ratio());
        let mut stream = resampler.stream();
        for samples in [0usize, 1, 2, 500, 60_001] {
            let signal: Vec<f32> = (0..samples).map(|n| ((n * n) as f32 * 0.001).sin() * 0.7 + 0.1).collect();
            let whole = resampler.process(&signal).unwrap();
            assert_eq!(whole.len(), resampler.output_len(samples));
            // The same stream again and again: finish makes it new.
            for sizes in [&[4096][..], &[1, 700, 0, 13, 9000]] {
                assert_eq!(streamed(&mut stream, &signal, sizes), whole, "{name}, {samples} samples");
            }
        }
    }
}

#[test]
fn conversion_into_a_buffer_and_a_stream_with_a_sink_allocate_nothing() {
    for (input_rate, output_rate) in PAIRS {
        let resampler = plan(input_rate, output_rate);
        let signal = sine(100.0, input_rate, 100_000);
        let mut out = vec![0.0; resampler.output_len(signal.len())];
        let (mut scratch, mut stream) = (resampler.scratch(), resampler.stream());
        // The first sight of the processor's abilities is kept by the standard library.
        resampler.process_into(&signal, &mut out, &mut scratch).unwrap();
        let first = out.clone();
        let mut count = 0;
        let info = allocation_counter::measure(|| {
            resampler.process_into(&signal, &mut out, &mut scratch).unwrap();
            signal.chunks(777).for_each(|piece| stream.push_with(piece, |values| count += values.len()));
            stream.finish_with(|values| count += values.len());
        });
        assert_eq!(info.count_total, 0, "{input_rate} -> {output_rate}");
        assert_eq!((out, count), (first.clone(), first.len()));
        // Another conversion's scratch will do.
        let mut foreign = plan(8_000, 16_000).scratch();
        let mut out = vec![0.0; first.len()];
        resampler.process_into(&signal, &mut out, &mut foreign).unwrap();
        assert_eq!(out, first);
    }
}

#[test]
fn a_stream_gives_outputs_after_its_delay() {
    for (input_rate, output_rate) in PAIRS {
        let mut stream = plan(input_rate, output_rate).stream();
        let (mut out, delay) = (Vec::new(), stream.delay());
        stream.push(&vec![1.0; delay - 1], &mut out);
        assert!(out.is_empty(), "{input_rate} -> {output_rate}");
        stream.push(&[1.0], &mut out);
        assert!(!out.is_empty(), "{input_rate} -> {output_rate}");
    }
}

#[test]
fn bad_rates_and_buffers_are_errors() {
    for rate in [0, 99, 1_000_001, u32::MAX] {
        for config in [
            ResampleConfig { input_rate: rate, ..ResampleConfig::default() },
            ResampleConfig { output_rate: rate, ..ResampleConfig::default() },
        ] {
            let error = config.plan().unwrap_err();
            assert!(
                matches!(error, AudioError::Config { .. }) && error.to_string().contains(&rate.to_string())
            );
        }
    }
    for ratio in [0.0, -1.0, 0.99e-4, 1.01e4, f64::NAN, f64::INFINITY] {
        let error = Resampler::with_ratio(ratio, ResampleKernel::High).unwrap_err();
        assert!(matches!(error, AudioError::Config { field: "ratio", .. }), "{error}");
    }
    let resampler = plan(44_100, 22_050);
    let result = resampler.process_into(&[0.0; 10], &mut [0.0; 4], &mut resampler.scratch());
    assert!(matches!(result, Err(AudioError::BufferLength { expected: 5, got: 4 })));
}

#[test]
fn config_refuses_unknown_fields() {
    let config: ResampleConfig = serde_json::from_str(r#"{"output_rate": 16000}"#).unwrap();
    assert_eq!(config, ResampleConfig { output_rate: 16_000, ..ResampleConfig::default() });
    assert!(serde_json::from_str::<ResampleConfig>(r#"{"rate": 16000}"#).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn conversion_is_linear_and_repeatable(
        x in prop::collection::vec(-1.0f32..1.0, 1..2000),
        gain in -2.0f32..2.0,
        pair in 0..PAIRS.len(),
    ) {
        let resampler = plan(PAIRS[pair].0, PAIRS[pair].1);
        let plain = resampler.process(&x).unwrap();
        let scaled = resampler.clone().process(&x.iter().map(|v| v * gain).collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(plain.len(), resampler.output_len(x.len()));
        // Sums of values up to 2 in f32, in the same order.
        prop_assert!(plain.iter().zip(&scaled).all(|(p, s)| (p * gain - s).abs() < 1e-5));
        prop_assert_eq!(plain, resampler.process(&x).unwrap());
    }
}
