//! Resampling against librosa's, which calls soxr, resampy or SciPy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::Path;

use mgr_audio::{LoadConfig, ResampleConfig, ResampleKernel};
use realfft::RealFftPlanner;
use realfft::num_complex::Complex;
use serde_json::Value;

/// A one-dimensional little-endian f32 array in NumPy's format.
fn read_npy(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.starts_with(b"\x93NUMPY\x01"));
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert!(String::from_utf8_lossy(&bytes[..start]).contains("'<f4'"));
    bytes[start..].chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
}

/// Signal to error in dB within 0.88 of the lower Nyquist frequency, and over all, 200 samples at the ends left out.
fn snr(candidate: &[f32], golden: &[f32], input_rate: f64, output_rate: f64) -> (f64, f64) {
    let len = golden.len() - 400;
    let mut planner = RealFftPlanner::<f64>::new();
    let fft = planner.plan_fft_forward(len);
    let spectrum = |value: &dyn Fn(usize) -> f64| {
        let mut windowed: Vec<f64> = (0..len)
            .map(|n| {
                let hann = 0.5 - 0.5 * (2.0 * std::f64::consts::PI * n as f64 / (len - 1) as f64).cos();
                hann * value(n + 200)
            })
            .collect();
        let mut out = fft.make_output_vec();
        fft.process(&mut windowed, &mut out).unwrap();
        out
    };
    let signal = spectrum(&|n| f64::from(golden[n]));
    let error = spectrum(&|n| f64::from(candidate[n]) - f64::from(golden[n]));
    let limit = 0.88 * input_rate.min(output_rate) / 2.0;
    let in_band = (limit * len as f64 / output_rate).floor() as usize + 1;
    let power = |z: &[Complex<f64>]| z.iter().map(Complex::norm_sqr).sum::<f64>() + 1e-300;
    let bins = in_band.min(signal.len());
    (
        10.0 * (power(&signal[..bins]) / power(&error[..bins])).log10(),
        10.0 * (power(&signal) / power(&error)).log10(),
    )
}

#[test]
fn agrees_with_librosa() {
    let Some(folder) = common::shared("golden/open") else { return };
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let loader = LoadConfig::default().plan().unwrap();
    let mut cases = 0;
    for case in manifest["cases"].as_array().unwrap().iter().filter(|case| case["op"] == "resample") {
        let clip = loader.load(&folder.join(case["input"].as_str().unwrap())).unwrap();
        let input_rate = case["sr"].as_u64().unwrap() as u32;
        assert_eq!(clip.sample_rate, input_rate);
        let params = &case["params"];
        let output_rate = params["target_sr"].as_u64().unwrap() as u32;
        let kernel = match params["res_type"].as_str().unwrap() {
            "soxr_hq" => ResampleKernel::SoxrHq,
            "soxr_vhq" => ResampleKernel::High,
            "kaiser_best" => ResampleKernel::KaiserBest,
            "kaiser_fast" => ResampleKernel::KaiserFast,
            "polyphase" => ResampleKernel::Polyphase,
            other => panic!("no kernel stands for {other}"),
        };
        let resampler = ResampleConfig { input_rate, output_rate, kernel }.plan().unwrap();
        let mut out = resampler.process(&clip.samples).unwrap();
        if params["scale"] == true {
            let ratio = f64::from(output_rate) / f64::from(input_rate);
            out.iter_mut().for_each(|sample| *sample = (f64::from(*sample) / ratio.sqrt()) as f32);
        }
        let output = &case["outputs"][0];
        let golden = read_npy(&folder.join(output["file"].as_str().unwrap()));
        let id = case["id"].as_str().unwrap();
        assert_eq!(out.len(), golden.len(), "{id}");
        let (in_band, all) = snr(&out, &golden, f64::from(input_rate), f64::from(output_rate));
        eprintln!("{id} {}: in band {in_band:.1} dB, all {all:.1} dB", params["res_type"]);
        // The metric's own limits.
        assert!(all >= 15.0, "{id}: {all:.1} dB");
        assert!(in_band >= output["tolerance"]["snr_db"].as_f64().unwrap(), "{id}: {in_band:.1} dB");
        cases += 1;
    }
    assert!(cases > 0, "the golden set has resampling cases");
}
