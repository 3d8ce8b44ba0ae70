//! Every network of the zoo against its published parameter count and an independent PyTorch implementation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeMap;

use common::{difference, fill_by_shape, hashed, numbers, tensor};
use mgr_models::device::DeviceConfig;
use mgr_models::encode;
use mgr_models::train::{ArrayExamples, CentreLoss, CentreLossConfig};
use mgr_models::zoo::{
    BlackBoxConfig, FcnConfig, FmaConvNetConfig, FrequencyConfig, MlfcfVectorConfig, NetworkConfig,
    PositionTable, SoftmaxOver, TimeConfig, TwoLayerConfig, Vgg16TransferConfig, VitConfig,
    initialise_time_frequency,
};
use mgr_models::{Error, Mode, Network, Role, TensorData};
use ndarray::{ArrayD, IxDyn};
use serde_json::Value;
use tch::{Device, Kind, Tensor};

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("fixtures/zoo/cases.json")).unwrap()
}

/// What `fixtures/zoo/make.py` wrote.
fn expected(case: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("fixtures/zoo/numbers.json")).unwrap();
    all["cases"][case].clone()
}

fn network_of(case: &Value) -> (NetworkConfig, usize) {
    let config = serde_json::from_value(case["network"].clone()).unwrap();
    (config, case["classes"].as_u64().unwrap() as usize)
}

fn shape_of(value: &Value) -> Vec<usize> {
    numbers(value).iter().map(|&axis| axis as usize).collect()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    TensorData::from_tensor(tensor).unwrap().values
}

/// The cases whose name begins so: parameter counts, logits and code.
fn check(prefix: &str) {
    let mut checked = 0;
    for case in cases() {
        let name = case["case"].as_str().unwrap().to_string();
        if !name.starts_with(prefix) {
            continue;
        }
        checked += 1;
        let (config, classes) = network_of(&case);
        let network = config.build_blank(classes, DeviceConfig::Cpu).unwrap();
        let expected = expected(&name);
        assert_eq!(
            network.parameters().weight_count() as u64,
            expected["parameters"].as_u64().unwrap(),
            "{name}"
        );
        assert_eq!(
            network.parameters().trainable_count() as u64,
            expected["trainable"].as_u64().unwrap(),
            "{name}"
        );
        fill_by_shape(network.as_ref());
        let input = tensor(&hashed(&format!("input.{name}"), &shape_of(&case["input"])));
        let output = tch::no_grad(|| network.forward_with_code(&input, Mode::Evaluate)).unwrap();
        assert_eq!(output.logits.size(), [case["input"][0].as_i64().unwrap(), classes as i64], "{name}");
        let logits = difference(&values(&output.logits), &numbers(&expected["logits"]));
        assert!(logits < 1e-5, "{name}: logits {logits:e}");
        let Some(code) = output.code else {
            assert_eq!(network.code_size(), None, "{name}");
            assert!(expected["code"].is_null(), "{name}");
            continue;
        };
        let code = values(&code.select(0, -1));
        assert_eq!(network.code_size(), Some(code.len()), "{name}");
        let some: Vec<f32> = code.iter().step_by((code.len() / 16).max(1)).copied().collect();
        let code = difference(&some, &numbers(&expected["code"]));
        assert!(code < 1e-5, "{name}: code {code:e}");
    }
    assert!(checked > 0, "no case begins with {prefix}");
}

macro_rules! like_pytorch {
    ($($test:ident: $prefix:literal),* $(,)?) => {
        $(#[test]
        fn $test() {
            check($prefix);
        })*

        #[test]
        fn every_case_is_in_one_of_these_tests() {
            let prefixes = [$($prefix),*];
            for case in cases() {
                let name = case["case"].as_str().unwrap();
                assert_eq!(prefixes.iter().filter(|prefix| name.starts_with(**prefix)).count(), 1, "{name}");
            }
        }
    };
}

like_pytorch! {
    mlfcf_is_that_of_pytorch: "mlfcf_",
    black_boxes_are_those_of_pytorch: "black_box",
    time_networks_are_those_of_pytorch: "time_",
    frequency_networks_are_those_of_pytorch: "frequency",
    two_layers_are_those_of_pytorch: "two_layer",
    three_layers_are_those_of_pytorch: "three_layer",
    fcn_is_that_of_pytorch: "fcn",
    vgg16_transfer_is_that_of_pytorch: "vgg16_transfer",
    music_featurization_is_that_of_pytorch: "music_featurization",
    gtzan8_is_that_of_pytorch: "gtzan8",
    base_2d_cnn_is_that_of_pytorch: "base_2d_cnn",
    spec_and_embed_is_that_of_pytorch: "spec_and_embed",
    vgg_is_that_of_pytorch: "vgg_",
    resnet_is_that_of_pytorch: "resnet",
    fma_conv_net_is_that_of_pytorch: "fma_conv_net",
    vit_is_that_of_pytorch: "vit",
    musicnn_is_that_of_pytorch: "musicnn",
    choi_transfer_is_that_of_pytorch: "choi_transfer",
    won_taggers_are_those_of_pytorch: "tagging_",
    choi_taggers_are_those_of_pytorch: "music_tagger_",
}

#[test]
fn networks_have_the_published_numbers_of_parameters() {
    let published = [
        ("mlfcf_published_mel", 23_033_546),
        ("mlfcf_vector_published", 10_507_648),
        ("mlfcf_meta", 20_186_467),
        ("black_box_study", 33_361_858),
        ("black_box_cbmi_12x8", 3_275_312),
        ("black_box_cbmi_12x200", 2_363_440),
        ("time_notebook", 105_450),
        ("time_cbmi_60", 7_336),
        ("time_cbmi_200", 19_496),
        ("frequency_notebook", 68_906),
        ("frequency_cbmi_30", 3_816),
        ("frequency_cbmi_32", 3_368),
        ("frequency_cbmi_34", 2_920),
        ("frequency_cbmi_36", 2_472),
        ("frequency_cbmi_38", 2_024),
        ("frequency_cbmi_40", 1_576),
        ("time_frequency", 196_816),
        ("three_layer_mel", 947_614),
        ("three_layer_chroma", 1_627_550),
        ("gtzan8_baseline", 36_392),
        ("gtzan8_q1", 45_784),
        ("gtzan8_q2", 24_456),
        ("base_2d_cnn", 107_496),
        ("musicnn", 787_159),
        ("musicnn_big", 7_980_235),
        ("tagging_fcn", 447_732),
        ("tagging_crnn", 394_100),
        ("tagging_musicnn", 784_300),
        ("music_tagger_cnn", 865_950),
        ("music_tagger_crnn", 396_786),
        ("music_tagger_crnn_genres", 395_466),
    ];
    // Those that the documents state without a published count to hold them against.
    let stated = [
        ("mlfcf_efficient_mel", 2_389_375),
        ("mlfcf_vector_efficient", 5_264_749),
        ("time_study", 189_546),
        ("frequency_study", 25_322),
        ("two_layer_notebook", 34_984_318),
        ("two_layer_older", 1_292_670),
        ("fcn", 17_277_432),
        ("vgg16_transfer", 30_510_794),
        ("vgg16_transfer_older", 15_306_442),
        ("music_featurization", 24_155_462),
        ("spec_and_embed_q1", 70_392),
        ("spec_and_embed_base_2d_cnn", 132_104),
        ("spec_and_embed_resnet34", 21_313_384),
        ("fma_conv_net", 52_868_624),
        ("vit_published_short", 157_276_168),
        ("musicnn_vgg", 605_748),
        ("choi_transfer", 39_282),
        ("choi_transfer_keras2", 39_282),
    ];
    for (name, count) in published.into_iter().chain(stated) {
        let case = cases().into_iter().find(|case| case["case"] == name).unwrap();
        let (config, classes) = network_of(&case);
        let network = config.build_blank(classes, DeviceConfig::Cpu).unwrap();
        assert_eq!(network.parameters().weight_count(), count, "{name}");
    }
    let rectangular = NetworkConfig::Vit(VitConfig::default()).build_blank(8, DeviceConfig::Cpu).unwrap();
    assert_eq!(rectangular.parameters().weight_count(), 61_027_336);
}

#[test]
fn torchvision_networks_have_its_numbers_of_parameters_and_its_names() {
    for (name, depth, count) in [
        ("vgg", "13", 133_047_848),
        ("vgg", "16", 138_357_544),
        ("vgg", "19", 143_667_240),
        ("resnet", "18", 11_689_512),
        ("resnet", "34", 21_797_672),
        ("resnet", "50", 25_557_032),
        ("resnet", "101", 44_549_160),
    ] {
        let config: NetworkConfig =
            serde_json::from_value(serde_json::json!({"name": name, "depth": depth})).unwrap();
        let network = config.build_blank(1000, DeviceConfig::Cpu).unwrap();
        assert_eq!(network.parameters().trainable_count(), count, "{name} {depth}");
    }
    let names = |config: Value| {
        let config: NetworkConfig = serde_json::from_value(config).unwrap();
        let network = config.build_blank(8, DeviceConfig::Cpu).unwrap();
        network.parameters().iter().map(|(name, ..)| name.to_string()).collect::<Vec<_>>()
    };
    let vgg = names(serde_json::json!({"name": "vgg"}));
    assert_eq!(vgg.len(), 32);
    for name in ["features.0.weight", "features.28.bias", "classifier.0.weight", "classifier.6.bias"] {
        assert!(vgg.iter().any(|have| have == name), "{name}");
    }
    let resnet = names(serde_json::json!({"name": "resnet", "depth": "50"}));
    for name in [
        "conv1.weight",
        "bn1.running_var",
        "layer1.0.downsample.1.weight",
        "layer4.2.conv3.weight",
        "layer4.2.bn3.running_mean",
        "fc.bias",
    ] {
        assert!(resnet.iter().any(|have| have == name), "{name}");
    }
    // `num_batches_tracked` apart, as many as in torchvision's state dictionary.
    assert_eq!(resnet.len(), 53 + 53 * 4 + 2);
}

#[test]
fn a_step_of_training_changes_what_is_trained_and_nothing_else() {
    for case in cases() {
        let name = case["case"].as_str().unwrap();
        // Small ones, and one with frozen layers.
        let small = ["mlfcf_", "time_freq", "gtzan8", "vgg16_transfer_older", "resnet_18", "vit_normed"];
        let taggers =
            ["musicnn", "choi_transfer_keras2", "tagging_", "music_tagger_cnn", "music_tagger_crnn_"];
        let large = ["softmax", "scattering", "cqt", "rgb", "big"];
        if !small.iter().chain(&taggers).any(|part| name.starts_with(part))
            || large.iter().any(|part| name.contains(part))
        {
            continue;
        }
        let (config, classes) = network_of(&case);
        let network = config.build(classes, 3, DeviceConfig::Cpu).unwrap();
        let before = network.parameters().to_data().unwrap();
        let mut shape = shape_of(&case["input"]);
        shape[0] = 3;
        let input = tensor(&hashed("input.step", &shape));
        tch::manual_seed(0);
        let logits = network.forward(&input, Mode::Train).unwrap();
        let labels = Tensor::arange(3, (Kind::Int64, Device::Cpu));
        let loss = logits.cross_entropy_for_logits(&labels);
        assert!(loss.double_value(&[]).is_finite(), "{name}");
        let weights: Vec<&Tensor> = network.parameters().trainable().map(|(_, tensor)| tensor).collect();
        let gradients = Tensor::run_backward(&[&loss], &weights, false, false);
        for (gradient, (weight, _)) in gradients.iter().zip(network.parameters().trainable()) {
            assert!(gradient.defined(), "{name}: {weight} has no gradient");
            let largest = gradient.abs().max().double_value(&[]);
            assert!(largest.is_finite(), "{name}: gradient of {weight}");
            // Attention begins as the identity, so only its gamma has a gradient at first; a bias before batch
            // normalisation has none but for rounding.
            let silent = weight.starts_with("attention") || gradient.dim() < 2;
            assert!(silent || largest > 0.0, "{name}: gradient of {weight} is 0");
        }
        for (weight, role, tensor) in network.parameters().iter() {
            let same = TensorData::from_tensor(tensor).unwrap() == before[weight];
            // Running statistics move in the forward pass, weights only by an optimiser, a stored filter bank never.
            let moves = role == Role::Buffer && weight != "spec.mel_scale.fb";
            assert_eq!(same, !moves, "{name}: {weight}");
        }
    }
}

#[test]
fn the_published_attention_may_change_the_code_and_the_efficient_graph_begins_as_the_published() {
    // With gamma 0 and the mean of the ten slices of the first linear layer, the two variants give the same code.
    let build = |variant: &str| {
        let config = serde_json::json!({"name": "mlfcf_spectrogram", "variant": variant});
        let config: NetworkConfig = serde_json::from_value(config).unwrap();
        config.build(4, 5, DeviceConfig::Cpu).unwrap()
    };
    let (published, efficient) = (build("published"), build("efficient"));
    let data = published.parameters().to_data().unwrap();
    let mut own: BTreeMap<String, TensorData> = efficient.parameters().to_data().unwrap();
    for (name, value) in &mut own {
        *value = data[name].clone();
    }
    // (1024, heads, descriptors, clusters): the mean over the heads.
    let slices =
        tensor(&data["fc1.weight"]).reshape([1024, 10, 224, 10]).mean_dim(&[1_i64][..], false, Kind::Double);
    // Each pool's block of the published matrix is (clusters, channels) read as (channels, clusters): the same order in
    // memory within a block, and blocks of 10 x channels follow each other in both.
    own.insert(
        "fc1.weight".into(),
        TensorData::from_tensor(&slices.reshape([1024, 2240]).to_kind(Kind::Float)).unwrap(),
    );
    efficient.parameters().load_data(&own).unwrap();
    let input = tensor(&hashed("input.variants", &[2, 1, 84, 64]));
    let code = |network: &dyn Network| {
        values(&network.forward_with_code(&input, Mode::Evaluate).unwrap().code.unwrap())
    };
    let reference: Vec<f64> = code(efficient.as_ref()).iter().map(|&v| f64::from(v)).collect();
    assert!(difference(&code(published.as_ref()), &reference) < 1e-5);
    let gamma =
        BTreeMap::from([("attention.gamma".into(), TensorData { shape: vec![1], values: vec![1.0] })]);
    assert_eq!(published.parameters().load_part(&gamma).unwrap().len(), data.len() - 1);
    assert!(difference(&code(published.as_ref()), &reference) > 1e-3);
}

#[test]
fn a_part_of_the_weights_is_loaded_under_a_new_head() {
    let config = NetworkConfig::Vgg16Transfer(Vgg16TransferConfig::older());
    let network = config.build(5, 1, DeviceConfig::Cpu).unwrap();
    let mut pretrained = BTreeMap::new();
    for (name, _, tensor) in network.parameters().iter().filter(|(name, ..)| name.starts_with("features.")) {
        let shape: Vec<usize> = tensor.size().iter().map(|&axis| axis as usize).collect();
        pretrained.insert(name.to_string(), hashed(name, &shape));
    }
    assert_eq!(pretrained.len(), 26);
    let left = network.parameters().load_part(&pretrained).unwrap();
    assert_eq!(left, ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias"]);
    let loaded = network.parameters().to_data().unwrap();
    assert_eq!(loaded["features.28.bias"], pretrained["features.28.bias"]);
    let frozen: Vec<&str> = network
        .parameters()
        .iter()
        .filter(|(_, role, _)| *role == Role::Frozen)
        .map(|(name, ..)| name)
        .collect();
    assert_eq!(frozen.last(), Some(&"features.21.bias"));
    assert_eq!(frozen.len(), 20);

    let mut surplus = pretrained.clone();
    surplus.insert("classifier.6.bias".into(), hashed("x", &[1000]));
    let error = network.parameters().load_part(&surplus).unwrap_err();
    assert_eq!(error.to_string(), "tensor classifier.6.bias: not a tensor of this network");
    pretrained.insert("features.0.bias".into(), hashed("x", &[63]));
    assert!(matches!(network.parameters().load_part(&pretrained), Err(Error::TensorMismatch { .. })));
    assert_eq!(network.parameters().to_data().unwrap(), loaded);
}

#[test]
fn time_frequency_begins_with_the_filters_of_two_trained_networks() {
    let build = |config: NetworkConfig| config.build(8, 2, DeviceConfig::Cpu).unwrap();
    let joint = build(NetworkConfig::TimeFrequency(Default::default()));
    let time = build(NetworkConfig::Time(TimeConfig::cbmi(80, 60)));
    let frequency = build(NetworkConfig::Frequency(FrequencyConfig::cbmi(32)));
    fill_by_shape(time.as_ref());
    fill_by_shape(frequency.as_ref());
    let [time, frequency] = [time, frequency].map(|network| network.parameters().to_data().unwrap());
    let before = joint.parameters().to_data().unwrap();
    initialise_time_frequency(joint.as_ref(), &time, &frequency).unwrap();
    let after = joint.parameters().to_data().unwrap();
    assert_eq!(after["time.conv.weight"], time["conv.weight"]);
    assert_eq!(after["frequency.conv.bias"], frequency["conv.bias"]);
    assert_eq!(after["fc1.weight"], before["fc1.weight"]);
    let other = build(NetworkConfig::Frequency(FrequencyConfig::cbmi(30))).parameters().to_data().unwrap();
    assert!(matches!(
        initialise_time_frequency(joint.as_ref(), &time, &other),
        Err(Error::TensorMismatch { .. })
    ));
    assert_eq!(joint.parameters().to_data().unwrap(), after);
}

#[test]
fn a_softmax_over_the_batch_depends_on_the_batch_and_one_over_rows_does_not() {
    let logits = tensor(&hashed("logits", &[4, 6]));
    let rows = SoftmaxOver::Row.scores(&logits).unwrap();
    let batch = SoftmaxOver::Batch.scores(&logits).unwrap();
    assert!(
        values(&rows.sum_dim_intlist(&[1_i64][..], false, Kind::Float))
            .iter()
            .all(|s| (s - 1.0).abs() < 1e-6)
    );
    assert!((batch.sum(Kind::Double).double_value(&[]) - 1.0).abs() < 1e-6);
    assert_eq!(batch.size(), [4, 6]);
    assert_eq!(
        values(&rows.argmax(1, false).to_kind(Kind::Float)),
        values(&batch.argmax(1, false).to_kind(Kind::Float))
    );
    let part = SoftmaxOver::Row.scores(&logits.narrow(0, 0, 2)).unwrap();
    assert_eq!(values(&part), values(&rows.narrow(0, 0, 2)));
}

#[test]
fn the_centre_loss_is_that_of_pytorch() {
    let expected = expected("centre_loss");
    let mut loss = CentreLoss::new(CentreLossConfig::default(), 3, 5, 0, Device::Cpu).unwrap();
    loss.parameters().load_data(&BTreeMap::from([("centers".into(), hashed("centers", &[3, 5]))])).unwrap();
    let codes = (tensor(&hashed("codes", &[4, 5])) * 2.0).set_requires_grad(true);
    let labels = Tensor::from_slice(&[0_i64, 2, 2, 1]);
    let mut gradient = Tensor::new();
    for expected in numbers(&expected["losses"]) {
        let value = loss.weighted(&codes, &labels).unwrap();
        assert!((value.double_value(&[]) - expected).abs() < 1e-6 * expected);
        let mut gradients = Tensor::run_backward(&[&value], &[&codes, loss.centres()], false, false);
        loss.step(&gradients[1]).unwrap();
        gradient = gradients.swap_remove(0);
    }
    assert!(difference(&values(loss.centres()), &numbers(&expected["centres"])) < 1e-6);
    assert!(difference(&values(&gradient), &numbers(&expected["code_gradient"])) < 1e-6);

    let zero = CentreLossConfig { weight: 0.0, ..CentreLossConfig::default() };
    assert!(matches!(
        CentreLoss::new(zero, 3, 5, 0, Device::Cpu),
        Err(Error::InvalidConfig { field: "centre_loss.weight", .. })
    ));
    assert!(matches!(loss.mean(&codes.narrow(1, 0, 1), &labels), Err(Error::LengthMismatch { .. })));
    assert!(matches!(loss.mean(&codes, &Tensor::from_slice(&[0_i64, 2, 3, 1])), Err(Error::Torch(_))));
}

#[test]
fn codes_are_encoded_in_batches() {
    let network = NetworkConfig::TimeFrequency(Default::default()).build(8, 3, DeviceConfig::Cpu).unwrap();
    let pictures = hashed("pictures", &[5, 1, 40, 80]);
    let array = ArrayD::from_shape_vec(IxDyn(&pictures.shape), pictures.values.clone()).unwrap();
    let inputs = ArrayExamples::new(array, vec![0; 5]).unwrap();
    let codes = encode::codes(network.as_ref(), &inputs, 2).unwrap();
    assert_eq!(codes.dim(), (5, 200));
    let whole = network.forward_with_code(&tensor(&pictures), Mode::Evaluate).unwrap().code.unwrap();
    let whole: Vec<f64> = values(&whole).into_iter().map(f64::from).collect();
    assert!(difference(codes.as_slice().unwrap(), &whole) < 1e-5);
    let without = NetworkConfig::Gtzan8Q2(Default::default()).build(8, 3, DeviceConfig::Cpu).unwrap();
    assert!(matches!(encode::codes(without.as_ref(), &inputs, 2), Err(Error::NetworkOutput { .. })));
}

#[test]
fn configs_that_cannot_be_built_are_refused() {
    let refused = |config: NetworkConfig, field: &str| {
        let error = config.build_blank(8, DeviceConfig::Cpu).map(|_| ()).unwrap_err();
        let Error::InvalidConfig { field: named, .. } = &error else { panic!("{error}") };
        assert_eq!(*named, field, "{error}");
    };
    refused(NetworkConfig::BlackBox(BlackBoxConfig { input: [3, 11, 200], ..Default::default() }), "bands");
    refused(NetworkConfig::BlackBox(BlackBoxConfig { pool: [0, 1], ..Default::default() }), "bands");
    refused(
        NetworkConfig::BlackBox(BlackBoxConfig { filter: [12, usize::MAX], ..Default::default() }),
        "filters",
    );
    refused(NetworkConfig::BlackBox(BlackBoxConfig { filters: usize::MAX, ..Default::default() }), "filters");
    refused(NetworkConfig::BlackBox(BlackBoxConfig { dropout: 1.0, ..Default::default() }), "dropout");
    refused(NetworkConfig::BlackBox(BlackBoxConfig { dropout: f64::NAN, ..Default::default() }), "dropout");
    refused(NetworkConfig::Time(TimeConfig { pool: 121, ..Default::default() }), "bands");
    refused(NetworkConfig::TwoLayer(TwoLayerConfig { input: [3, 8, 80], ..Default::default() }), "bands");
    refused(NetworkConfig::Fcn(FcnConfig { input: [3, 120, 200] }), "frames");
    refused(NetworkConfig::FmaConvNet(FmaConvNetConfig { input: [3, 63, 200] }), "bands");
    refused(NetworkConfig::MlfcfVector(MlfcfVectorConfig { length: 0, ..Default::default() }), "length");
    refused(NetworkConfig::Vit(VitConfig { patch: [5, 4], ..Default::default() }), "bands");
    refused(NetworkConfig::Vit(VitConfig { patch: [0, 4], ..Default::default() }), "patch");
    refused(NetworkConfig::Vit(VitConfig { heads: 0, ..Default::default() }), "heads");
    let few = PositionTable::Tokens { count: 10 };
    refused(NetworkConfig::Vit(VitConfig { positions: few, ..Default::default() }), "positions");
    for classes in [0, 1, 65_537, usize::MAX] {
        for case in cases() {
            let error = network_of(&case).0.build(classes, 0, DeviceConfig::Cpu).map(|_| ()).unwrap_err();
            assert!(matches!(error, Error::InvalidConfig { field: "classes", .. }), "{error}");
        }
    }
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    for case in cases() {
        let name = case["case"].as_str().unwrap();
        if ["vgg_", "vit_published", "vgg16_transfer", "fma", "two_layer_n"]
            .iter()
            .any(|p| name.starts_with(p))
        {
            // Large, and their checks are those of the others.
            continue;
        }
        let (config, classes) = network_of(&case);
        let network = config.build_blank(classes, DeviceConfig::Cpu).unwrap();
        let shape: Vec<i64> = numbers(&case["input"]).iter().map(|&axis| axis as i64).collect();
        let forward = |shape: &[i64]| {
            let zeros = Tensor::zeros(shape, (Kind::Float, Device::Cpu));
            network.forward(&zeros, Mode::Evaluate).map(|_| ()).unwrap_err()
        };
        let fits = |error: &Error| matches!(error, Error::InputShape { .. } | Error::InputTooSmall { .. });
        assert!(fits(&forward(&[])), "{name}");
        assert!(fits(&forward(&shape[1..])), "{name}");
        // Every axis one below the smallest.
        for (axis, spec) in network.input().axes().iter().enumerate() {
            let mut short = shape.clone();
            short[axis + 1] = spec.minimum as i64 - 1;
            let error = forward(&short);
            assert!(fits(&error), "{name}: {error}");
            assert!(error.to_string().starts_with(network.name()), "{error}");
        }
    }
}

#[test]
fn configs_are_written_as_they_are_read() {
    for case in cases() {
        let (config, _) = network_of(&case);
        let written = serde_json::to_value(&config).unwrap();
        assert_eq!(serde_json::from_value::<NetworkConfig>(written.clone()).unwrap(), config);
        assert_eq!(written["name"], case["network"]["name"]);
    }
    let unknown = serde_json::json!({"name": "resnet", "depht": "18"});
    assert!(serde_json::from_value::<NetworkConfig>(unknown).is_err());
}

#[test]
fn inner_layers_of_the_conv_net_have_names_and_shapes() {
    use mgr_models::encode::{layers, probabilities};
    use mgr_models::train::ArrayExamples;
    let config = NetworkConfig::FmaConvNet(FmaConvNetConfig { input: [3, 64, 128] });
    let network = config.build(4, 3, DeviceConfig::Cpu).unwrap();
    let inputs = ndarray::Array4::from_shape_fn((2, 3, 64, 128), |(i, c, y, x)| {
        ((i + 2 * c + 3 * y + 5 * x) % 17) as f32 / 17.0
    });
    let inputs = ArrayExamples::new(inputs.into_dyn(), vec![0, 1]).unwrap();
    let found = layers(network.as_ref(), &inputs, 1).unwrap();
    let shapes: Vec<(&str, Vec<usize>)> = found.iter().map(|(n, d)| (*n, d.shape.clone())).collect();
    let block = |name, channels, height, width| (name, vec![channels, height, width]);
    assert_eq!(
        shapes,
        [
            block("block0", 4, 64, 128),
            block("block1", 8, 32, 64),
            block("block2", 16, 16, 32),
            block("block3", 32, 8, 16),
            block("block4", 64, 4, 8),
            block("block5", 128, 2, 4),
            block("block6", 256, 1, 2),
            ("logits", vec![4]),
        ]
    );
    // Row after row, as the shape says: the first channel of the first block is the convolution's, computed by hand.
    let weights = network.parameters().to_data().unwrap();
    let (kernel, bias) = (&weights["conv1.weight"].values, &weights["conv1.bias"].values);
    let value = |c: usize, y: usize, x: usize| ((1 + 2 * c + 3 * y + 5 * x) % 17) as f32 / 17.0;
    let (y, x) = (20, 70);
    let mut sum = bias[0];
    for (c, dy, dx) in (0..3).flat_map(|c| (0..3).flat_map(move |dy| (0..3).map(move |dx| (c, dy, dx)))) {
        sum += kernel[9 * c + 3 * dy + dx] * value(c, y + dy - 1, x + dx - 1);
    }
    assert!((found[0].1.values[y * 128 + x] - sum.max(0.0)).abs() < 1e-5);
    // The logits are those of the whole network.
    let softmax: Vec<f32> = found[7].1.values.iter().map(|v| v.exp()).collect();
    let total: f32 = softmax.iter().sum();
    let expected = probabilities(network.as_ref(), &inputs, 2).unwrap();
    assert!((softmax[2] / total - expected[(1, 2)]).abs() < 1e-5);
    assert!(layers(network.as_ref(), &inputs, 2).is_err());
}
