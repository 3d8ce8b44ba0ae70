//! ImageNet's VGG16 under the heads of the studies that begin with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{hashed, tensor};
use mgr_models::device::DeviceConfig;
use mgr_models::pretrained::{Pretrained, library};
use mgr_models::train::{
    AdamConfig, ArrayExamples, FitOptions, GroupConfig, NoObserver, OptimiserConfig, Selection, TrainConfig,
};
use mgr_models::zoo::{MusicFeaturizationConfig, NetworkConfig, Vgg16TransferConfig, VggConfig};
use mgr_models::{Mode, Network, Role};
use ndarray::{ArrayD, IxDyn};

/// The weights that `mgr weights fetch imagenet-vgg16` put in the cache.
fn imagenet() -> Option<Pretrained> {
    let found = library::open().ok().and_then(|library| library.get("imagenet-vgg16").unwrap());
    if found.is_none() {
        // They are no part of the shared data: `mgr weights fetch` brings them.
        eprintln!("SKIPPED: imagenet-vgg16 is not in the cache");
    }
    found
}

fn networks() -> [(NetworkConfig, usize, &'static [&'static str]); 3] {
    [
        (
            NetworkConfig::Vgg16Transfer(Vgg16TransferConfig {
                input: [50, 80],
                ..Vgg16TransferConfig::default()
            }),
            10,
            &["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias"],
        ),
        (NetworkConfig::MusicFeaturization(MusicFeaturizationConfig::default()), 6, &[]),
        (NetworkConfig::Vgg(VggConfig::default()), 8, &[]),
    ]
}

#[test]
fn the_convolutions_load_under_every_head_and_the_head_is_what_is_left() {
    let Some(pretrained) = imagenet() else { return };
    assert_eq!(pretrained.tensors().len(), 26);
    for (config, classes, head) in networks() {
        // Drawing the 134 million weights of VGG takes longer than the test.
        let network = config.build_blank(classes, DeviceConfig::Cpu).unwrap();
        let left = network.parameters().load_part(pretrained.tensors()).unwrap();
        assert!(!left.is_empty() && left.iter().all(|name| !name.starts_with("features.")), "{left:?}");
        assert!(head.is_empty() || left == head, "{left:?}");
        let after = network.parameters().to_data().unwrap();
        assert!(pretrained.tensors().iter().all(|(name, data)| after[name] == *data));
        let frozen = network.parameters().iter().filter(|(_, role, _)| *role == Role::Frozen).count();
        // The study of pictures keeps three blocks of five, MusicFeaturization all, the GTZAN-8 study none.
        let expected = match config {
            NetworkConfig::MusicFeaturization(_) => 26,
            NetworkConfig::Vgg16Transfer(_) => 14,
            _ => 0,
        };
        assert_eq!(frozen, expected, "{config:?}");
    }
}

#[test]
fn a_step_on_the_head_leaves_the_convolutions() {
    let Some(pretrained) = imagenet() else { return };
    let config = NetworkConfig::Vgg16Transfer(Vgg16TransferConfig::older());
    let mut network = config.build(4, 1, DeviceConfig::Cpu).unwrap();
    let picture = tensor(&hashed("picture", &[1, 3, 50, 80]));
    let logits = |network: &dyn Network| tch::no_grad(|| network.forward(&picture, Mode::Evaluate)).unwrap();
    let drawn = logits(network.as_ref());
    network.parameters().load_part(pretrained.tensors()).unwrap();
    let loaded = logits(network.as_ref());
    assert!(!loaded.equal(&drawn) && loaded.isfinite().all().int64_value(&[]) == 1);
    let inputs =
        ArrayD::from_shape_vec(IxDyn(&[4, 3, 50, 80]), hashed("step", &[4, 3, 50, 80]).values).unwrap();
    let examples = ArrayExamples::new(inputs, vec![0, 1, 2, 3]).unwrap();
    let plan = TrainConfig {
        epochs: 1,
        optimiser: OptimiserConfig::Adam(AdamConfig::default()),
        // The fifth block is trained in the study; here it is kept too.
        groups: vec![GroupConfig { prefix: "features.".into(), frozen: true, ..GroupConfig::default() }],
        selection: Selection::LastEpoch,
        ..TrainConfig::default()
    };
    let options = FitOptions::default();
    let _ = plan.plan().unwrap().fit(network.as_mut(), &examples, None, &options, &mut NoObserver).unwrap();
    let after = network.parameters().to_data().unwrap();
    assert!(pretrained.tensors().iter().all(|(name, data)| after[name] == *data));
}
