//! Base2DCNN against its published parameter count and an independent PyTorch implementation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{difference, fill, hashed, numbers, pytorch, tensor};
use mgr_models::device::DeviceConfig;
use mgr_models::train::{CrossEntropy, Optimiser, OptimiserConfig, SgdConfig};
use mgr_models::zoo::NetworkConfig;
use mgr_models::{Error, Mode, Network, TensorData};
use tch::{Device, Tensor};

fn network(classes: usize) -> Box<dyn Network> {
    NetworkConfig::Base2dCnn.build(classes, 1, DeviceConfig::Cpu).unwrap()
}

fn logits(network: &dyn Network, input: &Tensor) -> Vec<f32> {
    TensorData::from_tensor(&network.forward(input, Mode::Evaluate).unwrap()).unwrap().values
}

#[test]
fn it_has_the_published_number_of_parameters() {
    assert_eq!(network(8).parameters().trainable_count(), 107_496);
    assert_eq!(
        network(8).parameters().trainable_count() as u64,
        pytorch()["forward"]["parameters"].as_u64().unwrap()
    );
    assert_eq!(network(10).parameters().trainable_count(), 106_464 + 129 * 10);
}

#[test]
fn its_names_are_those_of_the_original() {
    let network = network(8);
    let names: Vec<&str> = network.parameters().iter().map(|(name, ..)| name).collect();
    assert_eq!(names.len(), 4 * 6 + 2);
    assert_eq!(names[..3], ["conv0.0.weight", "conv0.0.bias", "conv0.1.weight"]);
    assert_eq!(names[23..], ["conv3.1.running_var", "linear.weight", "linear.bias"]);
}

#[test]
fn its_logits_are_those_of_pytorch() {
    let network = network(8);
    fill(network.as_ref());
    for case in pytorch()["forward"]["cases"].as_array().unwrap() {
        let shape: Vec<usize> = numbers(&case["shape"]).iter().map(|&axis| axis as usize).collect();
        let input = tensor(&hashed(&format!("input.{}.{}", shape[2], shape[3]), &shape));
        let difference = difference(&logits(network.as_ref(), &input), &numbers(&case["logits"]));
        // Both are libtorch 2.11; sums may be split over threads in another order.
        assert!(difference < 1e-5, "{shape:?}: {difference:e}");
    }
}

#[test]
fn a_part_of_a_batch_gives_its_part_of_the_logits() {
    let network = network(8);
    fill(network.as_ref());
    let input = tensor(&hashed("input", &[3, 1, 90, 100]));
    let whole = logits(network.as_ref(), &input);
    // A view that starts inside the storage of the batch; libtorch blocks its sums by batch size.
    let part: Vec<f64> = whole[8..16].iter().map(|&value| f64::from(value)).collect();
    let difference = difference(&logits(network.as_ref(), &input.narrow(0, 1, 1)), &part);
    assert!(difference < 1e-5, "{difference:e}");
    // A view whose rows are not beside each other.
    let narrow = input.narrow(3, 5, 92);
    let copy = tensor(&TensorData::from_tensor(&narrow).unwrap());
    assert_eq!(logits(network.as_ref(), &narrow), logits(network.as_ref(), &copy));
}

#[test]
fn its_training_steps_are_those_of_pytorch() {
    let network = network(8);
    fill(network.as_ref());
    // SGD with Nesterov momentum 0.9.
    let sgd = OptimiserConfig::Sgd(SgdConfig { learning_rate: 0.01, ..SgdConfig::default() });
    let mut sgd = Optimiser::new(sgd, network.parameters()).unwrap();
    let loss = CrossEntropy::new(0.0, None, 8, Device::Cpu).unwrap();
    let (input, labels) = (tensor(&hashed("train", &[4, 1, 96, 100])), Tensor::from_slice(&[0_i64, 3, 7, 3]));
    let expected = &pytorch()["training"];
    for expected in numbers(&expected["losses"]) {
        let loss = loss.mean(&network.forward(&input, Mode::Train).unwrap(), &labels).unwrap();
        let got = loss.double_value(&[]);
        // Sums differ in their last bits from processor to processor, and five steps carry that on.
        assert!((got - expected).abs() < 1e-4 * expected, "{got} {expected}");
        let weights: Vec<&Tensor> = network.parameters().trainable().map(|(_, tensor)| tensor).collect();
        sgd.step(&Tensor::run_backward(&[loss], &weights, false, false), 0.01).unwrap();
    }
    // Running statistics of batch normalisation have been recorded in the five steps.
    let difference = difference(&logits(network.as_ref(), &input), &numbers(&expected["logits"]));
    assert!(difference < 1e-4, "{difference:e}");
}

#[test]
fn initial_weights_are_pytorchs_distribution_and_seeded() {
    let network = network(8);
    let data = network.parameters().to_data().unwrap();
    let weight = &data["conv1.0.weight"].values;
    let bound = 1.0 / (16.0_f32 * 25.0).sqrt();
    assert!(weight.iter().all(|value| value.abs() <= bound));
    // A uniform distribution on [-b, b] has variance b^2 / 3; 12,800 draws give it to about 1 %.
    let variance = weight.iter().map(|value| value * value).sum::<f32>() / weight.len() as f32;
    assert!((variance * 3.0 / bound / bound - 1.0).abs() < 0.04, "{variance}");
    assert!(data["conv1.1.weight"].values.iter().all(|&value| value == 1.0));
    assert!(data["conv1.1.running_mean"].values.iter().all(|&value| value == 0.0));
    let other =
        |seed| NetworkConfig::Base2dCnn.build(8, seed, DeviceConfig::Cpu).unwrap().parameters().to_data();
    assert_eq!(other(1).unwrap(), data);
    assert_ne!(other(2).unwrap(), data);
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let network = network(8);
    let forward = |shape: &[i64]| {
        network.forward(&Tensor::zeros(shape, (tch::Kind::Float, Device::Cpu)), Mode::Evaluate).map(|_| ())
    };
    forward(&[1, 1, 90, 90]).unwrap();
    let short = forward(&[1, 1, 96, 89]).unwrap_err();
    assert_eq!(short.to_string(), "base_2d_cnn needs at least 90 frames, got 89");
    assert!(matches!(
        forward(&[1, 1, 89, 90]).unwrap_err(),
        Error::InputTooSmall { axis: "bands", got: 89, .. }
    ));
    assert!(matches!(forward(&[1, 3, 96, 96]).unwrap_err(), Error::InputShape { .. }));
    assert!(matches!(forward(&[96, 96]).unwrap_err(), Error::InputShape { .. }));
    assert!(matches!(forward(&[]).unwrap_err(), Error::InputShape { .. }));
}

#[test]
fn absurd_class_counts_and_absent_devices_are_refused() {
    for classes in [0, 1, 65_537, usize::MAX] {
        let error = NetworkConfig::Base2dCnn.build(classes, 0, DeviceConfig::Cpu).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::InvalidConfig { field: "classes", .. }));
    }
    let error =
        NetworkConfig::Base2dCnn.build(8, 0, DeviceConfig::Cuda { index: 99 }).map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::CudaUnavailable { index: 99, .. }), "{error}");
}
