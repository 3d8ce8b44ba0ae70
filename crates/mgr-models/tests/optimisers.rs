//! Optimisers, schedules and the loss against the numbers of PyTorch.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{hashed, numbers, pytorch, tensor};
use mgr_models::train::{
    AdamConfig, BinaryCrossEntropy, CrossEntropy, GroupConfig, History, Measure, Momentum, Optimiser,
    OptimiserConfig, RmsPropConfig, Schedule, SgdConfig, WarmUpConfig,
};
use mgr_models::{Error, Parameters};
use tch::{Device, Tensor};

fn parameters() -> Parameters {
    let mut parameters = Parameters::new(0, Device::Cpu);
    let _ = parameters.uniform("weight", &[3, 4], 1.0).unwrap();
    let _ = parameters.uniform("bias", &[4], 1.0).unwrap();
    let data = [("weight", vec![3, 4]), ("bias", vec![4])];
    let data = data.into_iter().map(|(name, shape)| (name.to_string(), hashed(name, &shape))).collect();
    parameters.load_data(&data).unwrap();
    parameters
}

fn gradients(step: usize) -> Vec<Tensor> {
    vec![tensor(&hashed(&format!("weight.{step}"), &[3, 4])), tensor(&hashed(&format!("bias.{step}"), &[4]))]
}

fn configs() -> Vec<(&'static str, OptimiserConfig)> {
    let adam = AdamConfig { learning_rate: 0.02, ..AdamConfig::default() };
    let sgd = SgdConfig { learning_rate: 0.02, momentum: 0.9, form: Momentum::Nesterov, weight_decay: 0.0 };
    let rms = RmsPropConfig { learning_rate: 0.02, ..RmsPropConfig::default() };
    let decay = AdamConfig { beta1: 0.8, beta2: 0.99, epsilon: 1e-6, weight_decay: 0.1, ..adam };
    let classical = SgdConfig { form: Momentum::Classical, weight_decay: 0.1, ..sgd };
    let momentum = RmsPropConfig { alpha: 0.9, epsilon: 1.0, momentum: 0.9, weight_decay: 4e-5, ..rms };
    vec![
        ("adam", OptimiserConfig::Adam(adam)),
        ("adam_decay", OptimiserConfig::Adam(decay)),
        ("adam_w", OptimiserConfig::AdamW(AdamConfig { weight_decay: 0.1, ..adam })),
        ("sgd", OptimiserConfig::Sgd(SgdConfig { momentum: 0.0, ..sgd })),
        ("sgd_classical", OptimiserConfig::Sgd(classical)),
        ("sgd_nesterov", OptimiserConfig::Sgd(sgd)),
        ("rms_prop", OptimiserConfig::RmsProp(rms)),
        ("rms_prop_momentum", OptimiserConfig::RmsProp(momentum)),
    ]
}

#[test]
fn twenty_steps_are_those_of_pytorch() {
    let expected = &pytorch()["optimisers"];
    assert_eq!(expected.as_object().unwrap().len(), configs().len());
    for (name, config) in configs() {
        let parameters = parameters();
        let mut optimiser = Optimiser::new(config, &parameters).unwrap();
        for step in 1..=20 {
            optimiser.step(&gradients(step), 0.02 / step as f64).unwrap();
        }
        let data = parameters.to_data().unwrap();
        for part in ["weight", "bias"] {
            for (got, expected) in data[part].values.iter().zip(numbers(&expected[name][part])) {
                // The operations are the same in the same order; 32-bit floats hold 1.2e-7, and 20 steps may add some.
                assert!((f64::from(*got) - expected).abs() < 1e-6, "{name} {part}: {got} {expected}");
            }
        }
    }
}

#[test]
fn state_that_goes_out_and_in_changes_nothing() {
    for (name, config) in configs() {
        let (unbroken, broken) = (parameters(), parameters());
        let mut first = Optimiser::new(config, &unbroken).unwrap();
        let mut second = Optimiser::new(config, &broken).unwrap();
        for step in 1..=6 {
            first.step(&gradients(step), 0.02).unwrap();
            if step == 4 {
                let state = second.state().unwrap();
                second = Optimiser::new(config, &broken).unwrap();
                second.load_state(&state).unwrap();
            }
            second.step(&gradients(step), 0.02).unwrap();
        }
        assert_eq!(unbroken.to_data().unwrap(), broken.to_data().unwrap(), "{name}");
    }
}

#[test]
fn a_parameter_without_gradient_stays() {
    for (name, config) in configs() {
        let parameters = parameters();
        let mut optimiser = Optimiser::new(config, &parameters).unwrap();
        let before = parameters.to_data().unwrap();
        optimiser.step(&[gradients(1).remove(0), Tensor::new()], 0.02).unwrap();
        let after = parameters.to_data().unwrap();
        assert_ne!(before["weight"], after["weight"], "{name}");
        assert_eq!(before["bias"], after["bias"], "{name}");
    }
}

#[test]
fn wrong_state_and_wrong_numbers_are_refused() {
    let parameters = parameters();
    let mut optimiser = Optimiser::new(OptimiserConfig::default(), &parameters).unwrap();
    assert!(matches!(optimiser.step(&[], 0.1), Err(Error::LengthMismatch { what: "gradients", .. })));
    let mut state = optimiser.state().unwrap();
    state.tensors.insert("exp_avg.bias".to_string(), hashed("x", &[5]));
    assert!(matches!(optimiser.load_state(&state), Err(Error::TensorMismatch { .. })));
    state.tensors.remove("exp_avg.bias");
    assert!(matches!(optimiser.load_state(&state), Err(Error::LengthMismatch { .. })));
    for beta1 in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
        let config = OptimiserConfig::Adam(AdamConfig { beta1, ..AdamConfig::default() });
        assert!(matches!(Optimiser::new(config, &parameters), Err(Error::InvalidConfig { .. })));
    }
}

#[test]
fn configs_survive_json_and_refuse_unknown_fields() {
    for (_, config) in configs() {
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<OptimiserConfig>(&json).unwrap(), config, "{json}");
    }
    let short: OptimiserConfig = serde_json::from_str(r#"{"kind": "sgd", "momentum": 0.5}"#).unwrap();
    assert_eq!(short, OptimiserConfig::Sgd(SgdConfig { momentum: 0.5, ..SgdConfig::default() }));
    serde_json::from_str::<OptimiserConfig>(r#"{"kind": "adam", "momentum": 0.5}"#).unwrap_err();
    serde_json::from_str::<OptimiserConfig>(r#"{"kind": "lion"}"#).unwrap_err();
}

#[test]
fn schedules_are_those_of_pytorch() {
    let schedules = [
        ("step", Schedule::Step { every: 3, factor: 0.5, minimum: 0.0 }),
        ("exponential", Schedule::Exponential { factor: 0.9, minimum: 0.0 }),
        ("cosine", Schedule::Cosine { period: 8, minimum: 0.001 }),
    ];
    for (name, schedule) in schedules {
        for (epoch, expected) in numbers(&pytorch()["schedules"][name]).into_iter().enumerate() {
            let got = schedule.learning_rate(0.1, epoch);
            // PyTorch multiplies up from epoch to epoch in doubles.
            assert!((got - expected).abs() < 1e-12, "{name} {epoch}: {got} {expected}");
        }
    }
    assert_eq!(Schedule::Constant.learning_rate(0.1, 70), 0.1);
    assert_eq!(Schedule::Step { every: 2, factor: 0.94, minimum: 1e-4 }.learning_rate(1e-3, 400), 1e-4);
    assert_eq!(Schedule::Cosine { period: 8, minimum: 0.001 }.learning_rate(0.1, 16), 0.001);
}

#[test]
fn losses_are_those_of_pytorch() {
    let logits = tensor(&hashed("logits", &[6, 4])) * 4.0;
    let labels = [0_usize, 1, 2, 3, 1, 1];
    let target = Tensor::from_slice(&labels.map(|label| label as i64));
    let weights: &[f32] = &[1.0, 0.5, 2.0, 4.0];
    for (name, smoothing, weights) in [
        ("plain", 0.0, None),
        ("smoothed", 0.1, None),
        ("weighted", 0.0, Some(weights)),
        ("both", 0.1, Some(weights)),
    ] {
        let loss = CrossEntropy::new(smoothing, weights, 4, Device::Cpu).unwrap();
        let expected = pytorch()["losses"][name].as_f64().unwrap();
        let mean = loss.mean(&logits, &target).unwrap().double_value(&[]);
        let sum = loss.sum(&logits, &target).unwrap().double_value(&[]) / loss.weight(&labels);
        assert!(
            (mean - expected).abs() < 1e-6 && (sum - expected).abs() < 1e-6,
            "{name}: {mean} {sum} {expected}"
        );
    }
    assert!(matches!(
        CrossEntropy::new(0.0, Some(weights), 5, Device::Cpu),
        Err(Error::LengthMismatch { .. })
    ));
}

#[test]
fn schedules_by_step_and_plateaus_are_those_of_pytorch() {
    let schedules = &pytorch()["schedules"];
    let cycle = |rise, start_divisor, final_divisor| Schedule::OneCycle {
        period: 4,
        rise,
        start_divisor,
        final_divisor,
    };
    let history = |values: &[f64]| -> History {
        let records: Vec<_> = (1..)
            .zip(values)
            .map(|(epoch, value)| {
                let evaluation = serde_json::json!({"loss": value, "accuracy": value});
                let rest = evaluation.clone();
                serde_json::json!({"epoch": epoch, "learning_rate": 0.1, "train": evaluation, "validation": rest})
            })
            .collect();
        serde_json::from_value(records.into()).unwrap()
    };
    for (schedule, expected) in [cycle(0.25, 10.0, 100.0), cycle(0.3, 25.0, 1e4)]
        .iter()
        .zip(schedules["one_cycle"].as_array().unwrap())
    {
        for (step, expected) in numbers(expected).into_iter().enumerate() {
            let got = schedule.after(0.1, &history(&vec![1.0; step / 5]), step % 5, 5);
            assert!((got - expected).abs() < 1e-12, "{step}: {got} {expected}");
        }
        let (last, later) =
            (schedule.after(0.1, &history(&[1.0; 3]), 4, 5), schedule.after(0.1, &history(&[1.0; 9]), 2, 5));
        assert_eq!(last, later);
    }
    let warm_up = WarmUpConfig { steps: 7, start: 0.1 };
    for (step, expected) in numbers(&schedules["warm_up"]).into_iter().enumerate() {
        assert!((warm_up.factor(step) - expected).abs() < 1e-12, "{step}");
    }
    let plateau = |measure, patience, factor, threshold, cooldown, minimum| Schedule::Plateau {
        measure,
        factor,
        patience,
        threshold,
        cooldown,
        minimum,
    };
    let values = numbers(&schedules["plateau"]["values"]);
    for (name, schedule) in [
        ("loss", plateau(Measure::ValidationLoss, 1, 0.5, 0.01, 0, 0.0)),
        ("loss_cooldown", plateau(Measure::TrainLoss, 0, 0.3, 1e-4, 2, 0.005)),
        ("accuracy", plateau(Measure::ValidationAccuracy, 2, 0.5, 0.05, 0, 0.0)),
    ] {
        let expected = numbers(&schedules["plateau"][name]);
        assert!(expected.last() < expected.first());
        for (finished, expected) in expected.into_iter().enumerate() {
            let got = schedule.after(0.1, &history(&values[..finished]), 3, 5);
            assert!((got - expected).abs() < 1e-12, "{name} {finished}: {got} {expected}");
        }
    }
}

#[test]
fn a_group_that_fits_nothing_is_refused() {
    let parameters = parameters();
    let groups = |group| Optimiser::with_groups(OptimiserConfig::default(), &parameters, &[group]);
    let named = |prefix: &str| GroupConfig { prefix: prefix.into(), ..GroupConfig::default() };
    assert!(groups(named("wei")).is_ok());
    assert!(matches!(groups(named("wight")), Err(Error::InvalidConfig { field: "groups", .. })));
    assert!(matches!(groups(named("")), Err(Error::InvalidConfig { field: "groups", .. })));
    let decay = GroupConfig { weight_decay: Some(-1.0), ..named("weight") };
    assert!(matches!(groups(decay), Err(Error::InvalidConfig { .. })));
    let frozen = groups(GroupConfig { frozen: true, ..named("weight") }).unwrap();
    assert_eq!(frozen.tensors().count(), 1);
}

#[test]
fn binary_and_double_losses_are_those_of_pytorch() {
    let logits = tensor(&hashed("logits", &[6, 4])) * 4.0;
    let targets = tensor(&hashed("targets", &[6, 4])).gt(0.2).to_kind(tch::Kind::Float);
    let weights: &[f32] = &[1.0, 0.5, 2.0, 4.0];
    for (name, smoothing, weights) in
        [("binary", 0.0, None), ("binary_weighted", 0.0, Some(weights)), ("binary_smoothed", 0.1, None)]
    {
        let loss = BinaryCrossEntropy::new(smoothing, weights, 4, Device::Cpu).unwrap();
        let got = loss.mean(&logits, &targets).unwrap().double_value(&[]);
        let expected = pytorch()["losses"][name].as_f64().unwrap();
        assert!((got - expected).abs() < 1e-6, "{name}: {got} {expected}");
    }
    let error = BinaryCrossEntropy::new(0.0, Some(&[1.0]), 4, Device::Cpu).unwrap_err();
    assert!(matches!(error, Error::LengthMismatch { what: "class_weights", got: 1, expected: 4 }));
}
