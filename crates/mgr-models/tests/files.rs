//! Checkpoints and saved networks: what goes in comes out, and damaged files are errors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{Tiny, fill, sine_or_noise, tiny_examples};
use mgr_models::device::DeviceConfig;
use mgr_models::encode::probabilities;
use mgr_models::train::{Checkpoint, CheckpointKind, FitOptions, NoObserver, TrainConfig};
use mgr_models::zoo::NetworkConfig;
use mgr_models::{Error, Network, Random, SavedNetwork};

fn checkpoint(folder: &Path) -> PathBuf {
    let plan = TrainConfig { epochs: 2, ..TrainConfig::default() }.plan().unwrap();
    let options = FitOptions { checkpoints: Some(folder), ..FitOptions::default() };
    let (train, validation) = (tiny_examples(1, 20), tiny_examples(2, 9));
    let _ = plan.fit(&mut Tiny::new(1), &train, Some(&validation), &options, &mut NoObserver).unwrap();
    CheckpointKind::Last.path(folder)
}

#[test]
fn a_checkpoint_comes_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint(folder.path());
    let checkpoint = Checkpoint::load(&path).unwrap();
    assert_eq!((checkpoint.epoch, checkpoint.network.as_str(), checkpoint.config.epochs), (2, "tiny", 2));
    assert_eq!(checkpoint.model.len(), 6);
    assert_eq!(checkpoint.optimiser.tensors.len(), 8);
    assert_eq!(checkpoint.optimiser.steps["linear.weight"], 2);
    let copy = folder.path().join("copy");
    checkpoint.save(&copy).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), fs::read(&path).unwrap());
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    // Last, best, their copy, and the history as CSV and JSON.
    assert_eq!(names.len(), 5, "a temporary file was left: {names:?}");
}

#[test]
fn truncated_and_flipped_checkpoints_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(checkpoint(folder.path())).unwrap();
    let path = folder.path().join("damaged");
    let is_refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        matches!(Checkpoint::load(&path), Err(Error::MalformedFile { expected: "checkpoint", .. }))
    };
    let mut random = Random::keyed(&[9]);
    for _ in 0..300 {
        let length = random.below(bytes.len());
        assert!(is_refused(&bytes[..length]), "cut to {length}");
    }
    let spaces = bytes.iter().rposition(|&byte| byte == b'}').unwrap();
    for _ in 0..1500 {
        let (position, bit) = (random.below(bytes.len()), random.below(8));
        let mut damaged = bytes.clone();
        damaged[position] ^= 1 << bit;
        // The header is padded with spaces, which carry nothing.
        assert!(is_refused(&damaged) || position > spaces, "byte {position} bit {bit}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(is_refused(&longer));
    assert!(!is_refused(&bytes));
}

#[test]
fn hostile_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile");
    let header = |json: &str| [&(json.len() as u64).to_le_bytes()[..], json.as_bytes()].concat();
    let deep = format!("{{\"__metadata__\":{{\"mgr\":\"{}\"}}}}", "[".repeat(100_000));
    let files = [
        vec![],
        vec![0; 8],
        vec![0xFF; 64],
        u64::MAX.to_le_bytes().to_vec(),
        header("{}"),
        header("[]"),
        header("{\"__metadata__\":{\"mgr\":\"{}\"}}"),
        header(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4294967296],\"data_offsets\":[0,4]}}",
        ),
        header("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,4]}}"),
        header(&deep),
    ];
    for file in files {
        fs::write(&path, &file).unwrap();
        assert!(matches!(Checkpoint::load(&path), Err(Error::MalformedFile { .. })), "{file:?}");
        assert!(matches!(SavedNetwork::load(&path), Err(Error::MalformedFile { .. })), "{file:?}");
    }
    assert!(matches!(Checkpoint::load(folder.path()), Err(Error::File { action: "read", .. })));
    assert!(matches!(Checkpoint::load(&folder.path().join("absent")), Err(Error::File { .. })));
    let checkpoint = Checkpoint::load(&checkpoint(folder.path())).unwrap();
    // A file stands where the folder should be.
    std::fs::write(folder.path().join("a file"), b"x").unwrap();
    assert!(matches!(
        checkpoint.save(&folder.path().join("a file/x")),
        Err(Error::File { action: "write", .. })
    ));
}

#[test]
fn a_damaged_checkpoint_stops_the_resumed_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint(folder.path());
    fs::write(&path, b"damaged").unwrap();
    let plan = TrainConfig::default().plan().unwrap();
    let options = FitOptions { checkpoints: Some(folder.path()), ..FitOptions::default() };
    let (train, validation) = (tiny_examples(1, 20), tiny_examples(2, 9));
    let error =
        plan.fit(&mut Tiny::new(1), &train, Some(&validation), &options, &mut NoObserver).unwrap_err();
    assert!(matches!(error, Error::MalformedFile { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"damaged");
}

#[test]
fn a_saved_network_gives_the_same_probabilities() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    let network = NetworkConfig::Base2dCnn.build(3, 1, DeviceConfig::Cpu).unwrap();
    fill(network.as_ref());
    let classes: Vec<String> = ["classical", "jazz", "metal"].map(String::from).to_vec();
    let notes = BTreeMap::from([("mean".to_string(), "-18.1".to_string())]);
    let saved =
        SavedNetwork::new(NetworkConfig::Base2dCnn, network.as_ref(), classes.clone(), notes).unwrap();
    saved.save(&path).unwrap();
    let loaded = SavedNetwork::load(&path).unwrap();
    assert_eq!(loaded, saved);
    assert_eq!(loaded.facts().classes, classes);
    assert_eq!(loaded.facts().input.smallest(), [1, 90, 90]);
    let examples = sine_or_noise(1, 5);
    let rebuilt = loaded.build(DeviceConfig::Cpu).unwrap();
    let expected = probabilities(network.as_ref(), &examples, 5).unwrap();
    assert_eq!(probabilities(rebuilt.as_ref(), &examples, 5).unwrap(), expected);
    assert!(matches!(probabilities(rebuilt.as_ref(), &examples, 0), Err(Error::InvalidConfig { .. })));
    assert_eq!(probabilities(rebuilt.as_ref(), &sine_or_noise(1, 0), 4).unwrap().dim(), (0, 3));
    // Another kind of file is not a saved network, and the other way round.
    assert!(matches!(Checkpoint::load(&path), Err(Error::MalformedFile { .. })));
    assert!(matches!(SavedNetwork::load(&checkpoint(folder.path())), Err(Error::MalformedFile { .. })));
}

#[test]
fn a_saved_network_must_fit() {
    let network = NetworkConfig::Base2dCnn.build(3, 1, DeviceConfig::Cpu).unwrap();
    let two = vec!["a".to_string(), "b".to_string()];
    let error =
        SavedNetwork::new(NetworkConfig::Base2dCnn, network.as_ref(), two, BTreeMap::new()).unwrap_err();
    assert!(matches!(error, Error::LengthMismatch { what: "class names", got: 2, expected: 3 }));
    let three = vec!["a".to_string(); 3];
    let error =
        SavedNetwork::new(NetworkConfig::Base2dCnn, &Tiny::new(1), three, BTreeMap::new()).unwrap_err();
    assert!(matches!(error, Error::TensorMismatch { .. }), "{error}");
}

#[test]
fn weights_that_make_no_numbers_are_an_error() {
    let network = Tiny::new(1);
    let mut data = network.parameters().to_data().unwrap();
    data.get_mut("linear.bias").unwrap().values[1] = f32::NAN;
    network.parameters().load_data(&data).unwrap();
    let error = probabilities(&network, &tiny_examples(1, 4), 4).unwrap_err();
    assert!(matches!(error, Error::NetworkOutput { network: "tiny", .. }), "{error}");
    data.remove("linear.bias");
    assert!(matches!(network.parameters().load_data(&data), Err(Error::TensorMismatch { .. })));
    data.insert("linear.bias".to_string(), common::hashed("x", &[4]));
    assert!(matches!(network.parameters().load_data(&data), Err(Error::TensorMismatch { .. })));
    data.insert("linear.bias".to_string(), common::hashed("x", &[3]));
    data.insert("other".to_string(), common::hashed("x", &[3]));
    assert!(matches!(network.parameters().load_data(&data), Err(Error::TensorMismatch { .. })));
}
