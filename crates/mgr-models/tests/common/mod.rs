//! Parts that several tests share.

// Every test uses its own share of these.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;

use mgr_models::train::ArrayExamples;
use mgr_models::{Error, InputSpec, Mode, Network, Parameters, Random, Role, TensorData};
use ndarray::{ArrayD, IxDyn};
use tch::{Device, Tensor};

/// The numbers that `fixtures/pytorch_numbers.py` wrote.
pub fn pytorch() -> serde_json::Value {
    serde_json::from_str(include_str!("../fixtures/pytorch_numbers.json")).unwrap()
}

pub fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Numbers in [-1, 1) from (name, index): the twin of `hashed` in `fixtures/pytorch_numbers.py`.
pub fn hashed(name: &str, shape: &[usize]) -> TensorData {
    let start = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    let value = |index: u64| {
        let mut z = start.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        ((z >> 40) as f64 / f64::from(1 << 23) - 1.0) as f32
    };
    let count: usize = shape.iter().product();
    TensorData { shape: shape.to_vec(), values: (1..=count as u64).map(value).collect() }
}

pub fn tensor(data: &TensorData) -> Tensor {
    let shape: Vec<i64> = data.shape.iter().map(|&axis| axis as i64).collect();
    Tensor::from_slice(&data.values).reshape(&shape[..])
}

/// Gives every tensor the values that `filled` in `fixtures/pytorch_numbers.py` gives it.
pub fn fill(network: &dyn Network) {
    let mut data: BTreeMap<String, TensorData> = network.parameters().to_data().unwrap();
    for (name, data) in &mut data {
        let is_scale = name.contains(".1.") && (name.ends_with("weight") || name.ends_with("running_var"));
        *data = hashed(name, &data.shape);
        for value in &mut data.values {
            *value = if is_scale { 1.0 + *value / 2.0 } else { *value / 8.0 };
        }
    }
    network.parameters().load_data(&data).unwrap();
}

/// Gives every tensor the values that `fill` in `fixtures/zoo/make.py` gives it.
pub fn fill_by_shape(network: &dyn Network) {
    for (name, _, tensor) in network.parameters().iter() {
        let shape: Vec<usize> = tensor.size().iter().map(|&axis| axis as usize).collect();
        let mut data = hashed(name, &shape);
        let (scale, offset) = match shape.as_slice() {
            [1, _, _] => (0.5, 0.0),
            [_, rest @ ..] if !rest.is_empty() => ((3.0 / rest.iter().product::<usize>() as f64).sqrt(), 0.0),
            _ if name.ends_with(".weight") || name.ends_with("running_var") => (0.5, 1.0),
            _ => (0.125, 0.0),
        };
        for value in &mut data.values {
            *value = (offset + scale * f64::from(*value)) as f32;
        }
        tch::no_grad(|| tensor.shallow_clone().copy_(&self::tensor(&data)));
    }
}

/// Largest difference relative to the largest expected number; infinite where something is not a number.
pub fn difference(got: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let scale = expected.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    got.iter()
        .zip(expected)
        .map(|(&got, expected)| (f64::from(got) - expected).abs() / scale)
        .map(|difference| if difference.is_nan() { f64::INFINITY } else { difference })
        .fold(0.0, f64::max)
}

/// A small network that is not of the zoo: batch normalisation, dropout, one linear layer on (1, 4, 5) pictures.
pub struct Tiny {
    parameters: Parameters,
    input: InputSpec,
    tensors: [Tensor; 6],
    pub dropout: f64,
}

impl Tiny {
    pub fn new(seed: u64) -> Self {
        let mut parameters = Parameters::new(seed, Device::Cpu);
        let tensors = [
            parameters.constant("norm.weight", &[20], 1.0, Role::Trainable).unwrap(),
            parameters.constant("norm.bias", &[20], 0.0, Role::Trainable).unwrap(),
            parameters.constant("norm.running_mean", &[20], 0.0, Role::Buffer).unwrap(),
            parameters.constant("norm.running_var", &[20], 1.0, Role::Buffer).unwrap(),
            parameters.uniform("linear.weight", &[3, 20], 0.2).unwrap(),
            parameters.uniform("linear.bias", &[3], 0.2).unwrap(),
        ];
        Self { parameters, input: InputSpec::picture(1, 4, 5), tensors, dropout: 0.3 }
    }
}

impl Network for Tiny {
    fn name(&self) -> &'static str {
        "tiny"
    }

    fn classes(&self) -> usize {
        3
    }

    fn input(&self) -> &InputSpec {
        &self.input
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        let [scale, shift, mean, var, weight, bias] = &self.tensors;
        let train = mode == Mode::Train;
        let x = input.f_flatten(1, -1)?;
        let x = x.f_batch_norm(Some(scale), Some(shift), Some(mean), Some(var), train, 0.1, 1e-5, true)?;
        Ok(x.f_dropout(self.dropout, train)?.f_linear(weight, Some(bias))?)
    }
}

/// Three classes of (1, 4, 5) pictures: noise around the hash numbers of the class.
pub fn tiny_examples(seed: u64, count: usize) -> ArrayExamples {
    let mut random = Random::keyed(&[seed]);
    let labels: Vec<usize> = (0..count).map(|index| index % 3).collect();
    let values = labels
        .iter()
        .flat_map(|label| hashed(&format!("class.{label}"), &[20]).values)
        .map(|value| value + 2.0 * (random.uniform() as f32 - 0.5))
        .collect();
    ArrayExamples::new(ArrayD::from_shape_vec(IxDyn(&[count, 1, 4, 5]), values).unwrap(), labels).unwrap()
}

/// Two classes of 90 x 90 pictures: a sine along the frames at any phase, or noise of the same power.
pub fn sine_or_noise(seed: u64, count: usize) -> ArrayExamples {
    let mut random = Random::keyed(&[seed, 1]);
    let mut inputs = ArrayD::zeros(IxDyn(&[count, 1, 90, 90]));
    for (index, mut picture) in inputs.outer_iter_mut().enumerate() {
        let phase = random.uniform() * std::f64::consts::TAU;
        for (position, value) in picture.iter_mut().enumerate() {
            let sine = (phase + (position % 90) as f64 * 0.5).sin();
            let noise = (random.uniform() - 0.5) * 6.0_f64.sqrt();
            *value = if index % 2 == 0 { sine + 0.1 * noise } else { noise } as f32;
        }
    }
    ArrayExamples::new(inputs, (0..count).map(|index| index % 2).collect()).unwrap()
}

/// The folder `shared` beside the project root, or the one that `MGR_SHARED` names. `None`, with a line on stderr, where there
/// is none; a failure then if `MGR_REQUIRE_SHARED` is 1.
pub fn shared(part: &str) -> Option<std::path::PathBuf> {
    let named = std::env::var_os("MGR_SHARED").map(std::path::PathBuf::from);
    let beside = || {
        let above = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        above.map(|folder| folder.join("shared")).find(|folder| folder.is_dir())
    };
    let found = named.or_else(beside).map(|folder| folder.join(part)).filter(|folder| folder.exists());
    if found.is_none() {
        assert!(
            std::env::var_os("MGR_REQUIRE_SHARED").is_none_or(|value| value != "1"),
            "shared data {part} is required and missing"
        );
        eprintln!("SKIPPED: shared data not found ({part})");
    }
    found
}
