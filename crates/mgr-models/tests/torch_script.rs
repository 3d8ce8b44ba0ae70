//! Networks as TorchScript files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;

use common::{Tiny, hashed, tensor};
use mgr_models::device::{DeviceConfig, set_threads};
use mgr_models::torch_script::{TorchScript, export};
use mgr_models::zoo::NetworkConfig;
use mgr_models::{Error, Mode, Network};
use tch::Device;

fn build(json: serde_json::Value, classes: usize) -> Box<dyn Network> {
    let config: NetworkConfig = serde_json::from_value(json).unwrap();
    config.build(classes, 3, DeviceConfig::Cpu).unwrap()
}

#[test]
fn a_network_of_every_family_comes_back_with_its_numbers() {
    // A pool of threads waits more than it works on pictures this small.
    set_threads(1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut failed = Vec::new();
    let named = |name: &str| serde_json::json!({"name": name});
    for (config, shape) in [
        (named("base_2d_cnn"), vec![1, 96, 125]),
        (named("mlfcf_spectrogram"), vec![1, 64, 64]),
        (serde_json::json!({"name": "mlfcf_spectrogram", "variant": "published"}), vec![1, 64, 64]),
        (serde_json::json!({"name": "mlfcf_vector", "variant": "published", "length": 21}), vec![21]),
        (named("mlfcf_meta"), vec![5, 1024]),
        (serde_json::json!({"name": "black_box", "input": [1, 40, 80], "filter": [12, 8]}), vec![1, 40, 80]),
        (serde_json::json!({"name": "time", "input": [1, 40, 80], "filter": 60}), vec![1, 40, 80]),
        (
            serde_json::json!({"name": "frequency", "input": [1, 40, 80], "filter": 30, "pool": 80}),
            vec![1, 40, 80],
        ),
        (named("time_frequency"), vec![1, 40, 80]),
        (
            serde_json::json!({"name": "two_layer", "input": [3, 40, 80], "second_filter": [3, 2]}),
            vec![3, 40, 80],
        ),
        (serde_json::json!({"name": "vgg16_transfer", "input": [50, 80]}), vec![3, 50, 80]),
        (named("gtzan8_baseline"), vec![1, 96, 938]),
        (named("gtzan8_q1"), vec![1, 96, 400]),
        (named("gtzan8_q2"), vec![753]),
        (serde_json::json!({"name": "resnet", "depth": "18"}), vec![1, 96, 125]),
        (
            serde_json::json!({"name": "vit", "input": [3, 24, 60], "patch": [4, 6], "dim": 64, "depth": 2,
                               "heads": 4, "dim_head": 24, "mlp_dim": 96}),
            vec![3, 24, 60],
        ),
        (named("choi_transfer"), vec![1, 96, 1360]),
        (named("musicnn"), vec![1, 96, 187]),
        (named("musicnn_vgg"), vec![1, 96, 187]),
        (named("tagging_fcn"), vec![1, 96, 1813]),
        (named("tagging_crnn"), vec![1, 96, 200]),
        (named("tagging_musicnn"), vec![1, 96, 188]),
        (named("music_tagger_cnn"), vec![1, 96, 1366]),
        (named("music_tagger_crnn"), vec![1, 96, 1366]),
    ] {
        let network = build(config.clone(), 5);
        let path = folder.path().join("network.pt");
        if let Err(error) = export(network.as_ref(), &shape, &path) {
            failed.push(format!("{config}: {error}"));
            continue;
        }
        // The network still trains.
        assert!(network.parameters().trainable().all(|(_, tensor)| tensor.requires_grad()), "{config}");
        let read = TorchScript::load(&path, Device::Cpu).unwrap();
        let batch: Vec<usize> = std::iter::once(2).chain(shape).collect();
        let input = tensor(&hashed("script", &batch));
        let expected = tch::no_grad(|| network.forward(&input, Mode::Evaluate)).unwrap();
        let difference = (read.forward(&input).unwrap() - &expected).abs().max() / expected.abs().max();
        assert!(difference.double_value(&[]) < 1e-5, "{config}: {difference:?}");
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn what_cannot_be_exported_or_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.pt");
    let network = build(serde_json::json!({"name": "base_2d_cnn"}), 5);
    assert!(matches!(export(network.as_ref(), &[1, 96, 20], &path), Err(Error::InputTooSmall { .. })));
    assert!(matches!(export(network.as_ref(), &[96, 125], &path), Err(Error::InputShape { .. })));
    let nowhere = folder.path().join("missing").join("network.pt");
    assert!(export(network.as_ref(), &[1, 96, 125], &nowhere).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(matches!(TorchScript::load(&path, Device::Cpu), Err(Error::File { .. })));
    fs::write(&path, b"not a network").unwrap();
    assert!(matches!(TorchScript::load(&path, Device::Cpu), Err(Error::MalformedFile { .. })));
    // A network whose numbers differ from run to run does not pass.
    let mut tiny = Tiny::new(1);
    tiny.dropout = 0.0;
    export(&tiny, &[1, 4, 5], &path).unwrap();
    assert!(TorchScript::load(&path, Device::Cpu).is_ok());
}
