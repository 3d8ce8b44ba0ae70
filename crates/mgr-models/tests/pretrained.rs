//! Networks with the weights that others published, against the numbers that their own code or an independent computation
//! gives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::excessive_precision, missing_docs)]

mod common;

use std::path::Path;

use common::shared;
use mgr_models::device::DeviceConfig;
use mgr_models::pretrained::{Patch, Pretrained, Tagger, catalogue};
use mgr_models::zoo::{NetworkConfig, listed};
use mgr_models::{Error, Mode, TensorData};
use ndarray::{Array3, s};
use ndarray_npy::ViewNpyExt;

/// Weights of the shared folder and their names.
const FILES: [(&str, &str); 13] = [
    ("choi-transfer", "choi/weights_theano.hdf5"),
    ("choi-transfer-keras2", "choi/keras2_model_best.hdf5"),
    ("choi-cnn", "choi_autotag/music_tagger_cnn_weights_theano.h5"),
    ("choi-crnn", "choi_autotag/music_tagger_crnn_weights_tensorflow.h5"),
    ("choi-crnn-std", "choi_autotag/music_tagger_crnn_weights_tensorflow.h5"),
    ("genre-crnn", "jsalbert/crnn_net_gru_adam_ours_epoch_40.h5"),
    ("won-crnn-jamendo", "minzwon/jamendo_crnn.pth"),
    ("won-fcn-jamendo", "minzwon/jamendo_fcn.pth"),
    ("won-musicnn-jamendo", "minzwon/jamendo_musicnn.pth"),
    ("won-crnn-msd", "minzwon/msd_crnn.pth"),
    ("won-fcn-msd", "minzwon/msd_fcn.pth"),
    ("won-fcn-mtat", "minzwon/mtat_fcn.pth"),
    ("won-musicnn-mtat", "minzwon/mtat_musicnn.pth"),
];

fn import(name: &str) -> Option<Pretrained> {
    let (_, file) = FILES.into_iter().find(|(n, _)| *n == name).unwrap();
    Some(Pretrained::import(&shared("weights")?.join(file), name).unwrap())
}

fn tagger(name: &str) -> Option<Tagger> {
    Some(Tagger::new(&import(name)?, DeviceConfig::Cpu).unwrap())
}

/// Largest difference from the numbers expected.
fn difference<'a>(got: impl IntoIterator<Item = &'a f32>, expected: &[f64]) -> f64 {
    got.into_iter()
        .zip(expected)
        .map(|(&got, expected)| (f64::from(got) - expected).abs())
        .fold(0.0, f64::max)
}

#[test]
fn every_network_has_its_published_number_of_parameters() {
    for listed in listed() {
        let network = listed.network.build_blank(listed.classes, DeviceConfig::Cpu).unwrap();
        assert_eq!(network.parameters().weight_count(), listed.parameters, "{:?}", listed.network);
        network.input().check(network.name(), &listed.input).unwrap();
        if listed.weights.is_empty() && listed.network != NetworkConfig::Base2dCnn {
            // Their forward pass is in `zoo.rs`.
            continue;
        }
        let shape: Vec<i64> =
            std::iter::once(1).chain(listed.input.iter().map(|&axis| axis as i64)).collect();
        let input = tch::Tensor::zeros(&shape[..], (tch::Kind::Float, tch::Device::Cpu));
        for mode in [Mode::Evaluate, Mode::Train] {
            let pair = tch::Tensor::cat(&[&input, &input], 0);
            let logits = tch::no_grad(|| network.forward(&pair, mode)).unwrap();
            assert_eq!(logits.size(), [2, listed.classes as i64], "{:?}", listed.network);
        }
        let outputs = tch::no_grad(|| network.outputs(&input, Mode::Evaluate)).unwrap();
        assert_eq!(outputs[0].0, "logits");
    }
}

#[test]
fn every_published_set_of_weights_has_a_network_in_the_list() {
    let listed: Vec<&str> = listed().into_iter().flat_map(|listed| listed.weights).collect();
    for published in mgr_models::pretrained::catalogue() {
        // The convolutions of VGG16 are a part of several networks.
        let expected = usize::from(published.network.is_some());
        assert_eq!(
            listed.iter().filter(|name| **name == published.name).count(),
            expected,
            "{}",
            published.name
        );
    }
}

#[test]
fn configs_survive_json() {
    for listed in listed() {
        let json = serde_json::to_string(&listed.network).unwrap();
        assert_eq!(serde_json::from_str::<NetworkConfig>(&json).unwrap(), listed.network, "{json}");
    }
}

#[test]
fn every_published_file_is_imported_and_kept() {
    let Some(weights) = shared("weights") else { return };
    let folder = tempfile::tempdir().unwrap();
    let library = mgr_models::pretrained::library::Library::at(folder.path());
    for (name, file) in FILES {
        let pretrained = Pretrained::import(&weights.join(file), name).unwrap();
        library.put(&pretrained).unwrap();
        assert_eq!(library.get(name).unwrap().as_ref(), Some(&pretrained));
        assert!(pretrained.provenance().sha256.len() == 64);
        // A file of another network is refused.
        let other = if name == "choi-cnn" { "choi-crnn" } else { "choi-cnn" };
        let error = Pretrained::import(&weights.join(file), other).unwrap_err();
        assert!(matches!(error, Error::TensorMismatch { .. }), "{error}");
    }
    assert_eq!(library.names().unwrap().len(), FILES.len());
}

#[test]
fn a_tensor_that_is_missing_surplus_misshapen_or_not_finite_is_refused() {
    let Some(weights) = shared("weights") else { return };
    let published = mgr_models::pretrained::published("won-fcn-mtat").unwrap();
    let network = published.network.clone().unwrap().build(50, 0, DeviceConfig::Cpu).unwrap();
    let map = mgr_models::pretrained::read(&weights.join("minzwon/mtat_fcn.pth")).unwrap();
    let with = |change: &dyn Fn(&mut std::collections::BTreeMap<String, TensorData>)| {
        let mut tensors = map.clone().into_tensors();
        change(&mut tensors);
        published
            .convert(mgr_models::pretrained::WeightMap::new(tensors))
            .and_then(|tensors| network.parameters().load_data(&tensors))
            .map_err(|error| error.to_string())
    };
    with(&|_| {}).unwrap();
    let missing = with(&|t| drop(t.remove("dense.bias"))).unwrap_err();
    assert_eq!(missing, "tensor dense.bias: missing");
    let surplus = with(&|t| {
        t.insert("extra".into(), TensorData { shape: vec![1], values: vec![1.0] });
    });
    assert_eq!(surplus.unwrap_err(), "tensor extra: not a tensor of this network");
    let misshapen = with(&|t| t.get_mut("dense.bias").unwrap().shape = vec![50, 1]).unwrap_err();
    assert!(misshapen.contains("shape is [50, 1]"), "{misshapen}");
    let bad = with(&|t| t.get_mut("dense.bias").unwrap().values[3] = f32::NAN).unwrap_err();
    assert_eq!(bad, "tensor dense.bias: value 3 is NaN");
}

#[test]
fn choi_transfer_gives_the_reference_features() {
    let Some(tagger) = tagger("choi-transfer") else { return };
    let tau = std::f64::consts::TAU;
    let samples: Vec<f32> = (0..348_000)
        .map(|n| {
            let t = f64::from(n) / 12_000.0;
            let gate = if (tau * 2.0 * t).sin() > 0.0 { 1.0 } else { 0.0 };
            let sum = 0.5 * (tau * 440.0 * t).sin()
                + 0.3 * (tau * 3000.0 * t).sin() * gate
                + 0.1 * (tau * (200.0 + 10.0 * t) * t).sin();
            sum as f32
        })
        .collect();
    let pictures = tagger.pictures(&samples, 12_000).unwrap();
    assert_eq!(pictures.dim(), (1, 96, 1360));
    assert!((f64::from(pictures[[0, 10, 100]]) + 47.191143).abs() < 1e-3, "{}", pictures[[0, 10, 100]]);
    assert_eq!(pictures[[0, 40, 700]], -80.0);
    let sum: f64 = pictures.iter().map(|&x| f64::from(x)).sum();
    assert!((sum + 8_882_233.294_3).abs() < 10.0, "{sum}");
    let features = tagger.embedding(&samples, 12_000, "features").unwrap();
    assert_eq!(features.values.dim(), (1, 160));
    let expected: [[f64; 5]; 5] = [
        [0.06466, -0.748056, -0.210129, 0.238654, 5.472943],
        [1.155742, 0.389141, -0.001347, -0.017802, 9.910912],
        [1.581907, 0.30815, -0.202169, 0.332904, 7.034453],
        [-0.170614, 0.500747, 0.680071, 1.67355, 17.766391],
        [0.312233, 0.346671, 0.398072, 1.795397, 12.151152],
    ];
    let mut worst = 0.0_f64;
    for (layer, expected) in expected.iter().enumerate() {
        let got = features.values.slice(s![0, layer * 32..layer * 32 + 32]);
        worst = worst.max(difference(got.iter(), &expected[..4]));
        let sum: f64 = got.iter().map(|&x| f64::from(x)).sum();
        worst = worst.max((sum - expected[4]).abs() / 32.0);
    }
    println!("choi-transfer: largest difference {worst:.1e}");
    // The reference is in double; the deepest layer normalises single places of a 4 x 4 map.
    assert!(worst < 1e-3, "{worst}");
}

#[test]
fn a_batch_of_clips_is_each_clip_by_itself_unless_asked_otherwise() {
    let Some(pretrained) = import("choi-transfer") else { return };
    let network = pretrained.build(DeviceConfig::Cpu).unwrap();
    let picture = |seed: &str| common::tensor(&common::hashed(seed, &[1, 1, 96, 1360])) * 30.0 - 40.0;
    let (one, other) = (picture("one"), picture("other"));
    let pair = tch::Tensor::cat(&[&one, &other], 0);
    let logits = |network: &dyn mgr_models::Network, input: &tch::Tensor| {
        let output = tch::no_grad(|| network.forward(input, Mode::Evaluate)).unwrap();
        TensorData::from_tensor(&output).unwrap().values
    };
    let alone: Vec<f64> = logits(network.as_ref(), &one).iter().map(|&x| f64::from(x)).collect();
    assert!(difference(&logits(network.as_ref(), &pair)[..50], &alone) < 1e-4);
    let config = mgr_models::zoo::ChoiTransferConfig { variant: mgr_models::zoo::ChoiVariant::Batch };
    let leaking = NetworkConfig::ChoiTransfer(config).build(50, 0, DeviceConfig::Cpu).unwrap();
    leaking.parameters().load_data(pretrained.tensors()).unwrap();
    assert!(difference(&logits(leaking.as_ref(), &one), &alone) < 1e-4);
    assert!(difference(&logits(leaking.as_ref(), &pair)[..50], &alone) > 1e-3);
}

/// Input A of the reference: two sines; input B: the same with noise of a linear congruential generator.
fn sota_inputs(length: usize) -> [Vec<f32>; 2] {
    let tau = std::f64::consts::TAU;
    let mut state = 1_u64;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for n in 0..length {
        let t = n as f64 / 16_000.0;
        let sum = 0.5 * (tau * 440.0 * t).sin() + 0.3 * (tau * 3000.0 * t).sin();
        state = (1_103_515_245 * state + 12_345) % (1 << 31);
        a.push(sum as f32);
        b.push((sum + 0.1 * (state as f64 / f64::from(1 << 30) - 1.0)) as f32);
    }
    [a, b]
}

#[test]
fn wons_taggers_give_the_reference_scores() {
    if shared("weights").is_none() {
        return;
    }
    let table: [(&str, usize, [[f64; 6]; 2]); 7] = [
        (
            "won-musicnn-mtat",
            48_000,
            [
                [0.000393, 0.000754, 0.140011, 0.000397, 0.000178, 0.647348],
                [0.046944, 0.001554, 0.126274, 0.026907, 0.009262, 2.301476],
            ],
        ),
        (
            "won-musicnn-jamendo",
            48_000,
            [
                [0.027248, 0.441690, 0.034431, 0.034731, 0.004759, 2.092623],
                [0.109919, 0.362851, 0.068034, 0.052060, 0.039210, 2.662840],
            ],
        ),
        (
            "won-fcn-mtat",
            464_000,
            [
                [0.001494, 0.000612, 0.060537, 0.001152, 0.000239, 0.707739],
                [0.013925, 0.000496, 0.133775, 0.065218, 0.000886, 1.527195],
            ],
        ),
        (
            "won-fcn-jamendo",
            464_000,
            [
                [0.151699, 0.250467, 0.030689, 0.011011, 0.007991, 1.838600],
                [0.146778, 0.219283, 0.034742, 0.023482, 0.005431, 2.500410],
            ],
        ),
        (
            "won-fcn-msd",
            464_000,
            [
                [0.015153, 0.003124, 0.011411, 0.022365, 0.069333, 0.274487],
                [0.039510, 0.003811, 0.045977, 0.064266, 0.485844, 1.596573],
            ],
        ),
        (
            "won-crnn-jamendo",
            464_000,
            [
                [0.094753, 0.293538, 0.050747, 0.090369, 0.030701, 3.042332],
                [0.048839, 0.275733, 0.036909, 0.070549, 0.012100, 2.586777],
            ],
        ),
        (
            "won-crnn-msd",
            464_000,
            [
                [0.090799, 0.084309, 0.024956, 0.022172, 0.014696, 1.020886],
                [0.042137, 0.045110, 0.031286, 0.039018, 0.297365, 1.310556],
            ],
        ),
    ];
    for (name, length, expected) in table {
        let tagger = tagger(name).unwrap();
        // The reference's tolerances: A is ill-conditioned, most of its bands hold the rounding of the transform.
        for ((samples, expected), tolerance) in sota_inputs(length).iter().zip(expected).zip([3e-3, 1e-5]) {
            let scores = tagger.taggram(samples, 16_000).unwrap().mean();
            let worst = difference(scores.iter().take(5), &expected[..5]);
            let sum: f64 = scores.iter().map(|&x| f64::from(x)).sum();
            println!("{name}: {worst:.1e}, sum {:.1e}", (sum - expected[5]).abs());
            assert!(worst < tolerance, "{name}: {worst}");
            assert!((sum - expected[5]).abs() < 10.0 * tolerance, "{name}: {sum} {}", expected[5]);
        }
    }
}

#[test]
fn several_outputs_in_one_pass_are_each_by_itself() {
    for name in ["won-musicnn-mtat", "genre-crnn"] {
        let Some(tagger) = tagger(name) else { return };
        let rate = tagger.sample_rate();
        let samples: Vec<f32> = (0..5 * rate).map(|n| (n as f32 * 0.05).sin() * 0.3).collect();
        let outputs: Vec<String> = tagger
            .outputs()
            .unwrap()
            .into_iter()
            .filter(|&name| name != "logits")
            .map(str::to_owned)
            .collect();
        let together = [outputs.clone(), vec!["scores".to_owned()]].concat();
        let joint = tagger.joint_embedding(&samples, rate, &together).unwrap();
        let mut apart: Vec<f32> = Vec::new();
        for output in &outputs {
            apart.extend(tagger.embedding(&samples, rate, output).unwrap().mean());
        }
        apart.extend(tagger.taggram(&samples, rate).unwrap().mean());
        // The same tensors of the same pass: only the forward without inner outputs may round otherwise.
        let apart: Vec<f64> = apart.into_iter().map(f64::from).collect();
        assert_eq!(joint.len(), apart.len());
        let worst = difference(&joint, &apart);
        assert!(worst < 1e-5, "{name}: {worst}");
    }
}

#[test]
fn the_htk_picture_is_the_reference_s() {
    let Some(tagger) = tagger("won-musicnn-mtat") else { return };
    let [a, b] = sota_inputs(48_000);
    let a = tagger.pictures(&a, 16_000).unwrap();
    assert!((f64::from(a[[0, 0, 0]]) - 10.99447).abs() < 1e-3);
    assert!((f64::from(a.iter().copied().fold(f32::MIN, f32::max)) - 34.9595).abs() < 1e-3);
    let b = tagger.pictures(&b, 16_000).unwrap();
    assert!(difference([&b[[0, 10, 100]], &b[[0, 40, 20]]], &[-3.0616, -0.6135]) < 1e-3);
    let mean = b.iter().map(|&x| f64::from(x)).sum::<f64>() / b.len() as f64;
    assert!((mean - 2.24079).abs() < 1e-4, "{mean}");
}

/// The synthetic image of the reference, and the same standardised.
fn synthetic() -> [Array3<f32>; 2] {
    let image = Array3::from_shape_fn((1, 96, 1366), |(_, f, t)| {
        let (f, t) = (f as f64, t as f64);
        (-30.0 + 18.0 * (0.2 * f).sin() * (0.01 * t).cos() + 6.0 * (0.0007 * f * t).sin()) as f32
    });
    let count = image.len() as f64;
    let mean = image.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let deviation = (image.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count).sqrt();
    let standard = image.mapv(|x| ((f64::from(x) - mean) / deviation) as f32);
    [image, standard]
}

#[test]
fn chois_taggers_give_the_reference_scores() {
    if shared("weights").is_none() {
        return;
    }
    let [image, standard] = synthetic();
    assert!((f64::from(image[[0, 10, 100]]) + 17.291374).abs() < 1e-5);
    for (name, image, expected) in [
        ("choi-crnn", &image, [0.071485, 0.010179, 0.042736, 0.024796, 0.236400, 1.250681]),
        ("choi-crnn", &standard, [0.129005, 0.009746, 0.090640, 0.037389, 0.151493, 1.400017]),
        ("choi-crnn-std", &image, [0.048968, 0.008662, 0.052608, 0.046581, 0.319169, 1.508360]),
        ("choi-crnn-std", &standard, [0.221007, 0.006489, 0.093072, 0.039170, 0.030509, 1.131534]),
        ("choi-cnn", &image, [0.000971, 0.009932, 0.019296, 0.119058, 0.352518, 3.145491]),
        ("choi-cnn", &standard, [0.054130, 0.011102, 0.050924, 0.063862, 0.151476, 2.355109]),
    ] {
        let scores = tagger(name).unwrap().scores(image).unwrap().mean();
        let worst = difference(scores.iter().take(5), &expected[..5]);
        let sum: f64 = scores.iter().map(|&x| f64::from(x)).sum();
        println!("{name}: {worst:.1e}, sum {:.1e}", (sum - expected[5]).abs());
        assert!(worst < 1e-5, "{name}: {scores}");
        assert!((sum - expected[5]).abs() < 1e-4, "{name}: {sum}");
    }
}

#[test]
fn the_genre_network_gives_the_reference_scores() {
    let Some(pretrained) = import("genre-crnn") else { return };
    let tagger = Tagger::new(&pretrained, DeviceConfig::Cpu).unwrap();
    // Each score is divided by their sum; the reference lists them before.
    let share = |expected: &[f64]| -> Vec<f64> {
        expected.iter().map(|x| x / expected.iter().sum::<f64>()).collect()
    };
    let [image, _] = synthetic();
    let scores = tagger.scores(&image).unwrap().mean();
    let expected =
        [0.041229, 0.112668, 0.080524, 0.252836, 0.483945, 0.467780, 0.751561, 0.383481, 0.294734, 0.898788];
    let worst = difference(&scores, &share(&expected));
    assert!(worst < 1e-5, "{worst}");

    let tau = std::f64::consts::TAU;
    let samples: Vec<f32> = (0..349_440)
        .map(|n| {
            let t = f64::from(n) / 12_000.0;
            (0.5 * (tau * 440.0 * t).sin() + 0.3 * (tau * 3000.0 * t).sin()) as f32
        })
        .collect();
    let picture = tagger.pictures(&samples, 12_000).unwrap();
    assert_eq!(picture.dim(), (1, 96, 1366));
    let range =
        [picture.iter().copied().fold(f32::MAX, f32::min), picture.iter().copied().fold(f32::MIN, f32::max)];
    assert!(difference(&range, &[-38.99564, 41.00436]) < 1e-3, "{range:?}");
    let sum: f64 = picture.iter().map(|&x| f64::from(x)).sum();
    assert!((sum + 4_525_812.71).abs() < 20.0, "{sum}");
    let scores = tagger.taggram(&samples, 12_000).unwrap();
    let expected =
        [0.001130, 0.011911, 0.005436, 0.002041, 0.008681, 0.008182, 0.003804, 0.020658, 0.006153, 0.000747];
    let worst = difference(&scores.mean(), &share(&expected));
    println!("genre-crnn, sines: {worst:.1e}");
    // Six decimals of scores near 0.01, divided by their sum of 0.07, and a picture whose floor is rounding.
    assert!(worst < 2e-3, "{worst}");
    assert_eq!(scores.top(1)[0].0, "pop");
}

#[test]
fn clips_of_the_wrong_kind_are_refused() {
    let Some(tagger) = tagger("won-musicnn-mtat") else { return };
    let error = tagger.taggram(&[0.0; 48_000], 22_050).unwrap_err();
    assert_eq!(error.to_string(), "tagging_musicnn hears 16000 Hz, got 22050 Hz");
    let error = tagger.scores(&Array3::zeros((1, 80, 188))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tagging_musicnn takes inputs of shape (batch, 1, 96, frames >= 1), got [1, 1, 80, 188]"
    );
    assert!(matches!(tagger.taggram(&[f32::NAN; 48_000], 16_000).unwrap_err(), Error::Feature(_)));
    let error = tagger.embedding(&[0.0; 100], 16_000, "soul").unwrap_err();
    assert!(matches!(error, Error::InvalidConfig { field: "output", .. }));
    // Shorter than a patch, nothing at all: padded with silence.
    for length in [0, 1, 100] {
        assert_eq!(tagger.taggram(&vec![0.1; length], 16_000).unwrap().scores.dim(), (1, 50));
    }
    // Longer: 16 overlapping patches.
    assert_eq!(tagger.taggram(&vec![0.1; 100_000], 16_000).unwrap().scores.nrows(), 16);
}

#[test]
fn names_and_tags_of_the_catalogue_fit_together() {
    let mut names = std::collections::BTreeSet::new();
    for published in catalogue() {
        assert!(names.insert(published.name), "{} stands twice", published.name);
        if let Some(network) = &published.network {
            let classes = published.tags().len();
            assert_eq!(network.build(classes, 0, DeviceConfig::Cpu).unwrap().classes(), classes);
        }
    }
}

/// The weights that `mgr weights fetch` brought, with a line on stderr where they are not there.
fn fetched(name: &str) -> Option<Pretrained> {
    let found = mgr_models::pretrained::library::open().and_then(|library| library.get(name));
    if let Ok(Some(pretrained)) = found {
        return Some(pretrained);
    }
    eprintln!("SKIPPED: {name} is not in the cache; `mgr weights fetch` brings it");
    None
}

fn clip(path: &Path, sample_rate: Option<u32>) -> mgr_audio::Clip {
    let config = mgr_audio::LoadConfig { sample_rate, ..mgr_audio::LoadConfig::default() };
    config.plan().unwrap().load(path).unwrap()
}

/// `fixtures/musicnn_reference.py` computes the same in PyTorch, from the specification.
#[test]
fn musicnn_gives_the_scores_of_an_independent_computation() {
    let Some(folder) = shared("data/gtzan/full30") else { return };
    let reference: serde_json::Value =
        serde_json::from_str(include_str!("fixtures/musicnn_reference.json")).unwrap();
    for (name, clips) in reference["networks"].as_object().unwrap() {
        let Some(pretrained) = fetched(name) else { return };
        let tagger = Tagger::new(&pretrained, DeviceConfig::Cpu).unwrap();
        for (file, expected) in clips.as_object().unwrap() {
            // The samples as they are, taken for 16 kHz, so that no resampler comes in between.
            let clip = clip(&folder.join(file), None);
            let samples = &clip.samples[..clip.samples.len().min(480_000)];
            let taggram = tagger.taggram(samples, 16_000).unwrap();
            assert_eq!(taggram.scores.nrows() as u64, expected["patches"].as_u64().unwrap());
            let worst = difference(taggram.scores.row(0), &common::numbers(&expected["first"]));
            let worst = worst.max(difference(&taggram.mean(), &common::numbers(&expected["mean"])));
            println!("{name}, {file}: {worst:.1e}");
            assert!(worst < 1e-4, "{name}, {file}: {worst}");
            for (output, expected) in expected["outputs"].as_object().unwrap() {
                let embedding = tagger.embedding(samples, 16_000, output).unwrap().mean();
                let expected = common::numbers(expected);
                let scale = expected.iter().fold(1.0_f64, |most, x| most.max(x.abs()));
                let worst = difference(&embedding, &expected) / scale;
                assert!(worst < 1e-4, "{name}, {file}, {output}: {worst}");
            }
        }
    }
}

/// The six clips of GTZAN of which the probabilities are stored that the original MSD_musicnn gave.
#[test]
fn musicnn_tags_real_clips_as_the_original_did() {
    let Some(folder) = shared("data/gtzan/full30") else { return };
    let Some(tables) = shared("data/tables/musicnn_taggram_gtzan") else { return };
    let Some(pretrained) = fetched("musicnn-msd") else { return };
    // The table has a patch a second: 61 frames.
    let patch = Patch::Frames { length: 187, hop: 61, samples: 48_000 };
    let tagger = Tagger::new(&pretrained, DeviceConfig::Cpu).unwrap().with_patch(patch).unwrap();
    let stored = stored_taggrams(&tables);
    for name in ["hiphop.00000", "jazz.00000", "metal.00021", "pop.00000", "reggae.00000", "rock.00000"] {
        let (genre, _) = name.split_once('.').unwrap();
        let expected = &stored[&format!("{genre}/{name}.au")];
        let clip = clip(&folder.join(format!("{genre}/{name}.flac")), Some(16_000));
        let got = tagger.taggram(&clip.samples, 16_000).unwrap();
        let patches = got.scores.nrows().min(expected.nrows());
        let [mut worst, mut sum] = [0.0_f32; 2];
        for (got, expected) in got.scores.rows().into_iter().zip(expected.rows()).take(patches) {
            for (got, expected) in got.iter().zip(expected) {
                worst = worst.max((got - expected).abs());
                sum += (got - expected).abs();
            }
        }
        let mean = sum / (patches * 50) as f32;
        let means = got.mean() - expected.mean_axis(ndarray::Axis(0)).unwrap();
        let of_means = means.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        println!(
            "{name}: {} patches, {} stored; largest difference {worst:.4}, mean {mean:.5}, of the clip's means {of_means:.4}",
            got.scores.nrows(),
            expected.nrows()
        );
        // How the table's authors decoded and resampled is not known. This tells the right network from a wrong one; it does not
        // show equality, which the independent computation above does.
        assert!(mean < 0.02, "{name}: {mean}");
    }
}

/// The stored probabilities by clip, in the order of the patches.
fn stored_taggrams(folder: &Path) -> std::collections::BTreeMap<String, ndarray::Array2<f32>> {
    let mut rows = std::collections::BTreeMap::<String, Vec<f32>>::new();
    for part in ["training", "evaluation"] {
        let path = folder.join(format!("{part}_data_GTZAN_MSDmusicnn_taggram.npz"));
        let file = std::fs::read(&path).unwrap();
        let (scores, names) = (npz_member(&file, "X.npy"), npz_member(&file, "IDS.npy"));
        let scores = ndarray::ArrayView2::<f32>::view_npy(&scores).unwrap().to_owned();
        // Names are 28 characters of four bytes each, behind a header whose length stands at byte 8.
        let start = 10 + usize::from(u16::from_le_bytes([names[8], names[9]]));
        for (row, name) in scores.rows().into_iter().zip(names[start..].chunks_exact(112)) {
            let name = name.chunks_exact(4).map(|c| char::from(c[0])).filter(|&c| c != '\0').collect();
            rows.entry(name).or_default().extend(row);
        }
    }
    let rows = rows.into_iter().map(|(name, values)| {
        (name, ndarray::Array2::from_shape_vec((values.len() / 50, 50), values).unwrap())
    });
    rows.collect()
}

/// A member of a zip archive whose members are stored or deflated one after the other, as NumPy writes them.
fn npz_member(file: &[u8], wanted: &str) -> Vec<u8> {
    let number = |at: usize, length: usize| -> usize {
        file[at..at + length].iter().rev().fold(0, |value, &byte| value << 8 | usize::from(byte))
    };
    let end = file.windows(4).rposition(|w| w == b"PK\x05\x06").unwrap();
    let mut at = number(end + 16, 4);
    loop {
        assert_eq!(&file[at..at + 4], b"PK\x01\x02");
        let (name, extra) = (number(at + 28, 2), number(at + 30, 2));
        if &file[at + 46..at + 46 + name] == wanted.as_bytes() {
            let local = number(at + 42, 4);
            let start = local + 30 + number(local + 26, 2) + number(local + 28, 2);
            let content = &file[start..start + number(at + 20, 4)];
            return match number(at + 10, 2) {
                0 => content.to_vec(),
                _ => miniz_oxide::inflate::decompress_to_vec(content).unwrap(),
            };
        }
        at += 46 + name + extra + number(at + 32, 2);
    }
}
