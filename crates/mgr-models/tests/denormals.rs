//! Denormal numbers are zeros on every thread that computes, and only while it computes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::time::{Duration, Instant};

use common::shared;
use mgr_models::device::{DeviceConfig, denormals_are_flushed, flushing_denormals, set_threads};
use mgr_models::pretrained::{Pretrained, Tagger};
use mgr_models::{Mode, TensorData};
use tch::{Device, Kind, Tensor};

/// How many of many products are denormal: 1e-20 times 1e-20, by all threads of libtorch.
fn denormal_products() -> usize {
    let small = Tensor::full([4_000_000], 1e-20, (Kind::Float, Device::Cpu));
    let products = TensorData::from_tensor(&(&small * &small)).unwrap().values;
    products.iter().filter(|product| product.to_bits() != 0).count()
}

#[test]
fn they_are_zeros_on_every_thread_inside_and_numbers_outside() {
    if !flushing_denormals(denormals_are_flushed) {
        eprintln!("SKIPPED: this processor or this build has no switch for denormal numbers");
        return;
    }
    set_threads(4).unwrap();
    let many = 4_000_000;
    // The threads of libtorch may have been made before the switch is set, so they do their first work now.
    assert_eq!(denormal_products(), many);
    assert_eq!(flushing_denormals(denormal_products), 0);
    assert!(!denormals_are_flushed());
    assert_eq!(denormal_products(), many);
    // One inside another: the inner one leaves the switch to the outer one.
    flushing_denormals(|| {
        flushing_denormals(|| assert!(denormals_are_flushed()));
        assert!(denormals_are_flushed());
        assert_eq!(denormal_products(), 0);
    });
    // Other threads have their own pools.
    let others: Vec<_> = (0..3)
        .map(|_| {
            std::thread::spawn(|| {
                assert_eq!(denormal_products(), 4_000_000);
                assert_eq!(flushing_denormals(denormal_products), 0);
                assert!(!denormals_are_flushed());
            })
        })
        .collect();
    others.into_iter().for_each(|thread| thread.join().unwrap());
    // A panic puts the switch back as well.
    let _ = std::panic::catch_unwind(|| flushing_denormals(|| panic!("inside")));
    assert!(!denormals_are_flushed());
}

/// Real weights, a real clip: the pass that took a hundred times longer until denormal numbers were flushed.
#[test]
fn real_weights_on_a_real_clip_are_not_slowed_down() {
    let Some(weights) = shared("weights/minzwon") else { return };
    let Some(clips) = shared("data/gtzan/full30") else { return };
    if !flushing_denormals(denormals_are_flushed) {
        return;
    }
    let loader = mgr_audio::LoadConfig { sample_rate: Some(16_000), ..mgr_audio::LoadConfig::default() };
    let clip = loader.plan().unwrap().load(&clips.join("classical/classical.00000.flac")).unwrap();
    let samples = &clip.samples[..464_000];
    for (name, file) in [
        ("won-fcn-jamendo", "jamendo_fcn.pth"),
        ("won-fcn-msd", "msd_fcn.pth"),
        ("won-crnn-jamendo", "jamendo_crnn.pth"),
        ("won-crnn-msd", "msd_crnn.pth"),
        ("won-fcn-mtat", "mtat_fcn.pth"),
    ] {
        let pretrained = Pretrained::import(&weights.join(file), name).unwrap();
        let tagger = Tagger::new(&pretrained, DeviceConfig::Cpu).unwrap();
        let picture = tagger.pictures(samples, 16_000).unwrap();
        let (_, bands, frames) = picture.dim();
        let input = Tensor::from_slice(picture.as_slice().unwrap());
        let input = input.reshape([1, 1, bands as i64, frames as i64]);
        let pass = || -> (Duration, Vec<f32>) {
            let started = Instant::now();
            let output = tch::no_grad(|| tagger.network().forward(&input, Mode::Evaluate)).unwrap();
            (started.elapsed(), TensorData::from_tensor(&output).unwrap().values)
        };
        let best = |runs: Vec<(Duration, Vec<f32>)>| runs.into_iter().min_by_key(|run| run.0).unwrap();
        let (flushed, scores) = best((0..3).map(|_| flushing_denormals(pass)).collect());
        let (plain, plain_scores) = best((0..2).map(|_| pass()).collect());
        println!("{name}: {flushed:.1?} flushed, {plain:.1?} as it is");
        // The scores are the same: what is flushed is far below their last bit.
        for (one, other) in scores.iter().zip(&plain_scores) {
            assert!((one - other).abs() <= 1e-4 * other.abs().max(1.0), "{name}: {one} {other}");
        }
        assert!(flushed < Duration::from_secs(5), "{name}: {flushed:?}");
    }
}
