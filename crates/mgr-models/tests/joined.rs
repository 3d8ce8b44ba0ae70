//! Everything that a step may do beside the plain one: losses, centres, groups, clipping, averages, mixtures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Tiny, hashed, numbers, pytorch, tiny_examples};
use mgr_models::train::{
    AdamConfig, ArrayExamples, CentreLossConfig, Checkpoint, CheckpointConfig, CheckpointKind,
    CheckpointName, FitOptions, GroupConfig, LossConfig, Measure, MixupConfig, MovingAverageConfig,
    NoObserver, Observer, OptimiserConfig, Outcome, Precision, RmsPropConfig, Schedule, Selection,
    StepRecord, TrainConfig, WarmUpConfig,
};
use mgr_models::{Error, InputSpec, Mode, Network, Output, Parameters, TensorData};
use ndarray::{Array2, ArrayD, IxDyn};
use tch::{Device, Tensor};

/// `Coded` of `fixtures/pytorch_numbers.py`: twenty numbers, a code of six, three classes; with dropout on request.
struct Coded {
    parameters: Parameters,
    input: InputSpec,
    layers: [Tensor; 4],
    dropout: f64,
}

impl Coded {
    fn new(dropout: f64) -> Self {
        let mut parameters = Parameters::new(1, Device::Cpu);
        let shapes: [(&str, &[usize]); 4] =
            [("code.weight", &[6, 20]), ("code.bias", &[6]), ("head.weight", &[3, 6]), ("head.bias", &[3])];
        let layers = shapes.map(|(name, shape)| {
            let mut data = hashed(name, shape);
            data.values.iter_mut().for_each(|value| *value /= 2.0);
            parameters.add(name, mgr_models::Role::Trainable, data).unwrap()
        });
        Self { parameters, input: InputSpec::vector(20), layers, dropout }
    }
}

impl Network for Coded {
    fn name(&self) -> &'static str {
        "coded"
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
        Ok(self.forward_with_code(input, mode)?.logits)
    }
    fn code_size(&self) -> Option<usize> {
        Some(6)
    }
    fn forward_with_code(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let [weight, bias, head, shift] = &self.layers;
        let code = input.f_linear(weight, Some(bias))?.f_elu()?;
        let dropped = code.f_dropout(self.dropout, mode == Mode::Train)?;
        Ok(Output { logits: dropped.f_linear(head, Some(shift))?, code: Some(code) })
    }
}

fn coded_examples(name: &str, count: usize) -> ArrayExamples {
    let inputs = ArrayD::from_shape_vec(IxDyn(&[count, 20]), hashed(name, &[count, 20]).values).unwrap();
    ArrayExamples::new(inputs, (0..count).map(|index| index % 3).collect()).unwrap()
}

fn group(prefix: &str, suffix: &str) -> GroupConfig {
    GroupConfig { prefix: prefix.into(), suffix: suffix.into(), ..GroupConfig::default() }
}

fn close(what: &str, got: &TensorData, expected: &serde_json::Value) {
    let expected = numbers(expected);
    assert_eq!(got.values.len(), expected.len(), "{what}");
    for (got, expected) in got.values.iter().zip(expected) {
        // Six steps of 32-bit floats; the examples come in another order, so that sums round otherwise.
        assert!((f64::from(*got) - expected).abs() < 2e-6, "{what}: {got} {expected}");
    }
}

#[test]
fn six_joined_steps_are_those_of_pytorch() {
    for (name, loss) in [("plain", LossConfig::CrossEntropy), ("double_softmax", LossConfig::DoubleSoftmax)] {
        let expected = &pytorch()["joined"][name];
        let config = TrainConfig {
            epochs: 6,
            loss,
            optimiser: OptimiserConfig::RmsProp(RmsPropConfig {
                learning_rate: 0.5,
                alpha: 0.9,
                epsilon: 1.0,
                momentum: 0.9,
                weight_decay: 4e-5,
            }),
            schedule: Schedule::Step { every: 2, factor: 0.94, minimum: 1e-4 },
            centre_loss: Some(CentreLossConfig { weight: 0.01, ..CentreLossConfig::default() }),
            clip_norm: Some(0.35),
            moving_average: Some(MovingAverageConfig { decay: 0.7 }),
            groups: vec![
                GroupConfig { weight_decay: Some(0.0), ..group("code", ".bias") },
                GroupConfig { rate_factor: 0.25, ..group("head.", "") },
            ],
            seed: 5,
            selection: Selection::LastEpoch,
            ..TrainConfig::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let options = FitOptions { checkpoints: Some(folder.path()), ..FitOptions::default() };
        let mut network = Coded::new(0.0);
        let examples = coded_examples("joined", 12);
        let outcome = config.plan().unwrap().fit(&mut network, &examples, None, &options, &mut NoObserver);
        let Outcome::Finished(fit) = outcome.unwrap() else { panic!("nobody cancelled") };
        for (record, expected) in fit.history.epochs().iter().zip(numbers(&expected["losses"])) {
            assert!((record.train.loss - expected).abs() < 2e-6, "{name}: {record:?} {expected}");
        }
        let last = Checkpoint::load(&CheckpointKind::Last.path(folder.path())).unwrap();
        let average = last.average.as_ref().unwrap();
        for part in ["code.weight", "code.bias", "head.weight", "head.bias"] {
            close(part, &last.model[part], &expected["weights"][part]);
            close(part, &average[part], &expected["average"][part]);
        }
        close("centres", &last.centres.as_ref().unwrap().centres["centers"], &expected["centres"]);
        // The network ends with the averages.
        assert_eq!(&network.parameters().to_data().unwrap(), average);
    }
}

/// Everything at once that may be switched on together.
fn everything(epochs: usize, schedule: Schedule) -> TrainConfig {
    let adam = AdamConfig { learning_rate: 0.02, weight_decay: 0.01, ..AdamConfig::default() };
    TrainConfig {
        epochs,
        batch_size: 8,
        optimiser: OptimiserConfig::AdamW(adam),
        schedule,
        label_smoothing: 0.05,
        class_weights: Some(vec![1.0, 2.0, 0.5]),
        centre_loss: Some(CentreLossConfig { weight: 0.01, ..CentreLossConfig::default() }),
        mixup: Some(MixupConfig { alpha: 0.4 }),
        warm_up: Some(WarmUpConfig { steps: 12, start: 0.1 }),
        clip_norm: Some(0.5),
        moving_average: Some(MovingAverageConfig { decay: 0.9 }),
        groups: vec![
            GroupConfig { weight_decay: Some(0.0), ..group("", ".bias") },
            GroupConfig { rate_factor: 0.5, ..group("code.", "") },
        ],
        checkpoints: CheckpointConfig { every: Some(2), name: CheckpointName::EpochAndAccuracy },
        seed: 9,
        ..TrainConfig::default()
    }
}

fn one_cycle(period: usize) -> Schedule {
    Schedule::OneCycle { period, rise: 0.3, start_divisor: 25.0, final_divisor: 1e4 }
}

fn plateau() -> Schedule {
    Schedule::Plateau {
        measure: Measure::ValidationLoss,
        factor: 0.5,
        patience: 0,
        threshold: 0.05,
        cooldown: 0,
        minimum: 0.0,
    }
}

/// Sets the flag after so many steps.
struct CancelAfter<'a>(&'a AtomicBool, usize);

impl Observer for CancelAfter<'_> {
    fn step(&mut self, _: &StepRecord) {
        self.1 -= 1;
        self.0.store(self.1 == 0, Ordering::Relaxed);
    }
}

/// The final weights; none where it was cancelled after so many steps.
fn run(
    config: &TrainConfig,
    folder: &Path,
    cancel_after: Option<usize>,
) -> Option<BTreeMap<String, TensorData>> {
    let flag = AtomicBool::new(false);
    let options = FitOptions { checkpoints: Some(folder), cancel: Some(&flag), ..FitOptions::default() };
    let mut network = Coded::new(0.3);
    let (train, validation) = (coded_examples("train", 41), coded_examples("validation", 21));
    let mut observer = CancelAfter(&flag, cancel_after.unwrap_or(usize::MAX));
    let outcome =
        config.plan().unwrap().fit(&mut network, &train, Some(&validation), &options, &mut observer).unwrap();
    matches!(outcome, Outcome::Finished(_)).then(|| network.parameters().to_data().unwrap())
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn with_everything_switched_on_a_stopped_run_ends_with_the_bytes_of_a_whole_one() {
    for schedule in [one_cycle(4), plateau()] {
        let config = everything(4, schedule);
        let whole = tempfile::tempdir().unwrap();
        let weights = run(&config, whole.path(), None).unwrap();
        let whole = files(whole.path());
        let kept: Vec<&String> = whole.keys().filter(|name| name.starts_with("epoch_")).collect();
        assert!(kept[0].starts_with("epoch_0002_accuracy_0."), "{kept:?}");
        assert_eq!((kept.len(), whole.len()), (2, 6), "{kept:?}");
        // 5 steps an epoch: in the first epoch, at the end of one, and twice in one.
        for stops in [vec![3], vec![5], vec![1, 1], vec![7, 4, 6]] {
            let parts = tempfile::tempdir().unwrap();
            for &stop in &stops {
                assert!(run(&config, parts.path(), Some(stop)).is_none());
                let last = Checkpoint::load(&CheckpointKind::Last.path(parts.path())).unwrap();
                assert!(last.partial.is_some());
            }
            assert_eq!(run(&config, parts.path(), None).unwrap(), weights, "{stops:?}");
            assert_eq!(files(parts.path()), whole, "{stops:?}");
        }
    }
}

#[test]
fn checkpoints_may_be_asked_for_in_the_middle_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let config = everything(3, plateau());
    run(
        &TrainConfig { epochs: 1, checkpoints: CheckpointConfig::default(), ..config.clone() },
        folder.path(),
        None,
    )
    .unwrap();
    let every = CheckpointConfig { every: Some(1), name: CheckpointName::Epoch };
    run(&TrainConfig { checkpoints: every, ..config }, folder.path(), None).unwrap();
    // That of the epoch at which the run goes on too: a run killed before it kept that one writes it then.
    for epoch in 1..=3 {
        let path = folder.path().join(format!("epoch_000{epoch}.safetensors"));
        assert_eq!(Checkpoint::load(&path).unwrap().epoch, epoch);
    }
}

#[test]
fn frozen_tensors_stay_and_the_others_move() {
    let mut network = Coded::new(0.0);
    let before = network.parameters().to_data().unwrap();
    let config = TrainConfig {
        epochs: 2,
        groups: vec![GroupConfig { frozen: true, ..group("code.", "") }],
        selection: Selection::LastEpoch,
        ..TrainConfig::default()
    };
    let plan = config.plan().unwrap();
    let examples = coded_examples("train", 20);
    let _ = plan.fit(&mut network, &examples, None, &FitOptions::default(), &mut NoObserver).unwrap();
    let after = network.parameters().to_data().unwrap();
    assert_eq!(before["code.weight"], after["code.weight"]);
    assert_eq!(before["code.bias"], after["code.bias"]);
    assert_ne!(before["head.weight"], after["head.weight"]);
}

#[test]
fn targets_of_several_classes_are_learnt() {
    let inputs = hashed("several", &[60, 20]);
    // Class c is present where number c is above zero.
    let targets = Array2::from_shape_fn((60, 3), |(index, class)| {
        f32::from(u8::from(inputs.values[index * 20 + class] > 0.0))
    });
    let inputs = ArrayD::from_shape_vec(IxDyn(&[60, 20]), inputs.values).unwrap();
    let examples = ArrayExamples::with_targets(inputs.clone(), targets.clone()).unwrap();
    let adam = AdamConfig { learning_rate: 0.02, ..AdamConfig::default() };
    let config = TrainConfig {
        epochs: 60,
        loss: LossConfig::BinaryCrossEntropy,
        optimiser: OptimiserConfig::Adam(adam),
        ..TrainConfig::default()
    };
    let fit = |config: &TrainConfig, examples: &ArrayExamples| {
        let options = FitOptions::default();
        config.plan()?.fit(&mut Coded::new(0.0), examples, Some(examples), &options, &mut NoObserver)
    };
    let Outcome::Finished(done) = fit(&config, &examples).unwrap() else { panic!("nobody cancelled") };
    let last = done.history.epochs().last().unwrap().validation.unwrap();
    assert!(last.accuracy > 0.97 && last.loss < 0.2, "{last:?}");
    // Labels count as vectors with one class.
    let labelled = coded_examples("train", 12);
    assert!(fit(&TrainConfig { epochs: 1, ..config.clone() }, &labelled).is_ok());
    let classes = TrainConfig { loss: LossConfig::CrossEntropy, ..config.clone() };
    assert!(matches!(fit(&classes, &examples), Err(Error::LabelOutOfRange { index: 0, .. })));
    let mut wrong = targets.clone();
    wrong[[3, 1]] = 1.5;
    let wrong = ArrayExamples::with_targets(inputs.clone(), wrong).unwrap();
    let error = fit(&config, &wrong).unwrap_err();
    assert_eq!(error.to_string(), "training example 3 has a target of 1.5, allowed is 0 to 1");
    let narrow = ArrayExamples::with_targets(inputs.clone(), Array2::zeros((60, 2))).unwrap();
    assert!(matches!(fit(&config, &narrow), Err(Error::Example { index: 0, .. })));
    assert!(ArrayExamples::with_targets(inputs, Array2::zeros((59, 3))).is_err());
    let centres = TrainConfig { centre_loss: Some(CentreLossConfig::default()), ..config };
    assert!(matches!(centres.plan(), Err(Error::InvalidConfig { field: "centre_loss", .. })));
}

#[test]
fn mixtures_of_one_seed_are_the_same_and_change_what_is_learnt() {
    let train = |mixup, seed| {
        let config =
            TrainConfig { epochs: 2, mixup, seed, selection: Selection::LastEpoch, ..TrainConfig::default() };
        let mut network = Coded::new(0.0);
        let examples = coded_examples("train", 20);
        let plan = config.plan().unwrap();
        let _ = plan.fit(&mut network, &examples, None, &FitOptions::default(), &mut NoObserver).unwrap();
        network.parameters().to_data().unwrap()
    };
    let mixed = Some(MixupConfig { alpha: 1.0 });
    assert_eq!(train(mixed, 1), train(mixed, 1));
    assert_ne!(train(mixed, 1), train(None, 1));
    assert_ne!(train(mixed, 1), train(mixed, 2));
}

#[test]
fn what_a_network_or_a_device_cannot_do_is_refused() {
    let examples = tiny_examples(1, 20);
    let fit = |config: TrainConfig| {
        let config = TrainConfig { epochs: 1, ..config };
        let plan = config.plan()?;
        plan.fit(&mut Tiny::new(1), &examples, Some(&examples), &FitOptions::default(), &mut NoObserver)
    };
    let error = fit(TrainConfig { centre_loss: Some(CentreLossConfig::default()), ..TrainConfig::default() })
        .unwrap_err();
    assert!(matches!(error, Error::NetworkOutput { network: "tiny", .. }), "{error}");
    let error = fit(TrainConfig { precision: Precision::Mixed, ..TrainConfig::default() }).unwrap_err();
    assert!(matches!(error, Error::MixedPrecision), "{error}");
    let plateau =
        TrainConfig { schedule: plateau(), selection: Selection::LastEpoch, ..TrainConfig::default() };
    let error = plateau
        .plan()
        .unwrap()
        .fit(&mut Tiny::new(1), &examples, None, &FitOptions::default(), &mut NoObserver)
        .unwrap_err();
    assert!(matches!(error, Error::TooFewExamples { part: "validation", .. }), "{error}");
    for bad in [
        TrainConfig { clip_norm: Some(0.0), ..TrainConfig::default() },
        TrainConfig { clip_norm: Some(f64::NAN), ..TrainConfig::default() },
        TrainConfig { mixup: Some(MixupConfig { alpha: 0.0 }), ..TrainConfig::default() },
        TrainConfig { mixup: Some(MixupConfig { alpha: f64::INFINITY }), ..TrainConfig::default() },
        TrainConfig { warm_up: Some(WarmUpConfig { steps: 0, start: 0.1 }), ..TrainConfig::default() },
        TrainConfig { warm_up: Some(WarmUpConfig { steps: 1, start: 0.0 }), ..TrainConfig::default() },
        TrainConfig { moving_average: Some(MovingAverageConfig { decay: 1.0 }), ..TrainConfig::default() },
        TrainConfig { groups: vec![GroupConfig::default()], ..TrainConfig::default() },
        TrainConfig { schedule: one_cycle(0), ..TrainConfig::default() },
        TrainConfig {
            checkpoints: CheckpointConfig { every: Some(0), name: CheckpointName::Epoch },
            ..TrainConfig::default()
        },
        TrainConfig {
            centre_loss: Some(CentreLossConfig { weight: 0.0, ..CentreLossConfig::default() }),
            ..TrainConfig::default()
        },
    ] {
        assert!(matches!(bad.plan(), Err(Error::InvalidConfig { .. })), "{bad:?}");
    }
}

#[test]
fn the_lowest_validation_loss_may_choose_the_epoch() {
    let config = TrainConfig {
        epochs: 12,
        selection: Selection::LowestValidationLoss,
        patience: Some(3),
        batch_size: 8,
        optimiser: OptimiserConfig::Adam(AdamConfig { learning_rate: 0.3, ..AdamConfig::default() }),
        ..TrainConfig::default()
    };
    let (train, validation) = (tiny_examples(1, 41), tiny_examples(2, 21));
    let plan = config.plan().unwrap();
    let outcome = plan
        .fit(&mut Tiny::new(3), &train, Some(&validation), &FitOptions::default(), &mut NoObserver)
        .unwrap();
    let Outcome::Finished(fit) = outcome else { panic!("nobody cancelled") };
    let loss = |epoch: usize| fit.history.epochs()[epoch - 1].validation.unwrap().loss;
    assert!((1..=fit.history.epochs().len()).all(|epoch| loss(epoch) >= loss(fit.selected_epoch)));
}

#[test]
fn configs_survive_json_and_old_ones_keep_their_bytes() {
    for config in [everything(4, one_cycle(4)), everything(4, plateau()), TrainConfig::mlfcf_published()] {
        config.plan().unwrap();
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<TrainConfig>(&json).unwrap(), config, "{json}");
    }
    let json = serde_json::to_value(TrainConfig::default()).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = vec![
        "epochs",
        "batch_size",
        "optimiser",
        "schedule",
        "label_smoothing",
        "class_weights",
        "seed",
        "selection",
        "patience",
        "threads",
    ];
    expected.sort_unstable();
    let mut keys = keys;
    keys.sort_unstable();
    assert_eq!(keys, expected);
    let mlfcf = TrainConfig::mlfcf();
    let rate = |finished| mlfcf.schedule.learning_rate(mlfcf.optimiser.learning_rate(), finished);
    assert_eq!((rate(0), rate(1), rate(399)), (1e-3, 1e-3, 1e-4));
    assert!((rate(5) - 1e-3 * 0.94 * 0.94).abs() < 1e-18);
}
