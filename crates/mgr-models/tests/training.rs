//! The training loop: it learns, stops, and refuses what it cannot train on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::{Tiny, sine_or_noise, tiny_examples};
use mgr_models::device::DeviceConfig;
use mgr_models::encode::probabilities;
use mgr_models::train::{
    AdamConfig, ArrayExamples, CheckpointKind, CrossEntropy, EpochRecord, Examples, Fit, FitOptions,
    NoObserver, Observer, OptimiserConfig, Outcome, Schedule, Selection, SgdConfig, Stop, TrainConfig,
    evaluate,
};
use mgr_models::zoo::NetworkConfig;
use mgr_models::{Error, Network};
use ndarray::{ArrayD, IxDyn};

fn config(epochs: usize) -> TrainConfig {
    let adam = AdamConfig { learning_rate: 1e-2, ..AdamConfig::default() };
    TrainConfig { epochs, batch_size: 8, optimiser: OptimiserConfig::Adam(adam), ..TrainConfig::default() }
}

fn fit(config: &TrainConfig, network: &mut dyn Network, train: &dyn Examples) -> Result<Fit, Error> {
    let plan = config.plan()?;
    let validation = tiny_examples(2, 21);
    let options = FitOptions::default();
    match plan.fit(network, train, Some(&validation), &options, &mut NoObserver)? {
        Outcome::Finished(fit) => Ok(fit),
        Outcome::Interrupted { .. } => panic!("nobody cancelled"),
    }
}

#[test]
fn it_tells_a_sine_from_noise() {
    let (train, validation, fresh) = (sine_or_noise(1, 32), sine_or_noise(2, 16), sine_or_noise(3, 40));
    let mut network = NetworkConfig::Base2dCnn.build(2, 4, DeviceConfig::Cpu).unwrap();
    let adam = AdamConfig { learning_rate: 1e-3, ..AdamConfig::default() };
    let config = TrainConfig { optimiser: OptimiserConfig::Adam(adam), ..config(6) };
    let plan = config.plan().unwrap();
    let options = FitOptions::default();
    let outcome = plan.fit(network.as_mut(), &train, Some(&validation), &options, &mut NoObserver).unwrap();
    assert!(matches!(outcome, Outcome::Finished(Fit { stop: Stop::Completed, .. })));
    let probabilities = probabilities(network.as_ref(), &fresh, 7).unwrap();
    let right = (0..40).filter(|&i| (probabilities[[i, 0]] > 0.5) == (fresh.label(i) == 0)).count();
    assert!(right > 38, "{right} of 40");
    assert!(probabilities.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-6));
}

#[test]
fn the_network_ends_with_the_weights_of_the_selected_epoch() {
    // A learning rate this high makes accuracy go up and down, so that the best epoch is not the last.
    let adam = AdamConfig { learning_rate: 0.3, ..AdamConfig::default() };
    let wild = TrainConfig { optimiser: OptimiserConfig::Adam(adam), ..config(12) };
    let mut network = Tiny::new(1);
    let fit = fit(&wild, &mut network, &tiny_examples(1, 40)).unwrap();
    let best = fit.history.selected(Selection::BestValidation).unwrap();
    assert_eq!(best.epoch, fit.selected_epoch);
    assert!(best.epoch < 12, "the test needs another seed");
    let loss = CrossEntropy::new(0.0, None, 3, tch::Device::Cpu).unwrap();
    let again = evaluate(&network, &tiny_examples(2, 21), 8, &loss.into()).unwrap();
    assert_eq!(Some(again), best.validation);
    for record in fit.history.epochs() {
        assert!(record.validation.unwrap().accuracy <= best.validation.unwrap().accuracy);
    }
}

#[test]
fn validation_figures_do_not_depend_on_the_batch_size() {
    let network = Tiny::new(1);
    let weights: &[f32] = &[1.0, 2.0, 0.5];
    let loss = CrossEntropy::new(0.1, Some(weights), 3, tch::Device::Cpu).unwrap().into();
    let examples = tiny_examples(2, 21);
    let whole = evaluate(&network, &examples, 100, &loss).unwrap();
    for size in [1, 4, 20] {
        let parts = evaluate(&network, &examples, size, &loss).unwrap();
        assert_eq!(parts.accuracy, whole.accuracy);
        // Batches are summed in 64 bits, but each in 32.
        assert!((parts.loss - whole.loss).abs() < 1e-6 * whole.loss, "{} {}", parts.loss, whole.loss);
    }
}

#[test]
fn patience_stops_a_run_that_does_not_get_better() {
    let still = SgdConfig { learning_rate: 0.0, ..SgdConfig::default() };
    let config = TrainConfig { optimiser: OptimiserConfig::Sgd(still), patience: Some(3), ..config(50) };
    let mut network = Tiny::new(1);
    let fit = fit(&config, &mut network, &tiny_examples(1, 40)).unwrap();
    assert_eq!(fit.stop, Stop::Patience);
    // Running statistics still move, so the best epoch may be a later one than the first.
    assert_eq!(fit.history.epochs().len(), fit.selected_epoch + 3);
}

#[test]
fn the_learning_rate_follows_the_schedule() {
    let config =
        TrainConfig { schedule: Schedule::Step { every: 2, factor: 0.5, minimum: 0.0 }, ..config(5) };
    let fit = fit(&config, &mut Tiny::new(1), &tiny_examples(1, 40)).unwrap();
    let rates: Vec<f64> = fit.history.epochs().iter().map(|record| record.learning_rate).collect();
    assert_eq!(rates, [1e-2, 1e-2, 5e-3, 5e-3, 2.5e-3]);
}

#[test]
fn the_observer_sees_every_step() {
    #[derive(Default)]
    struct Count(Vec<(usize, usize)>, usize, Vec<EpochRecord>);
    impl Observer for Count {
        fn epoch_started(&mut self, epoch: usize, steps: usize) {
            self.0.push((epoch, steps));
        }
        fn step_finished(&mut self, _: usize, _: usize, loss: f64) {
            assert!(loss.is_finite());
            self.1 += 1;
        }
        fn epoch_finished(&mut self, record: &EpochRecord) {
            self.2.push(*record);
        }
    }
    let mut count = Count::default();
    let (train, validation) = (tiny_examples(1, 41), tiny_examples(2, 21));
    let plan = config(2).plan().unwrap();
    let Outcome::Finished(fit) =
        plan.fit(&mut Tiny::new(1), &train, Some(&validation), &FitOptions::default(), &mut count).unwrap()
    else {
        panic!("nobody cancelled")
    };
    // 41 examples in batches of 8 leave a last batch of one, which is merged: 8, 8, 8, 8, 9.
    assert_eq!(count.0, [(1, 5), (2, 5)]);
    assert_eq!(count.1, 10);
    assert_eq!(count.2, fit.history.epochs());
}

#[test]
fn without_validation_the_last_epoch_is_taken() {
    let train = tiny_examples(1, 40);
    let plan = TrainConfig { selection: Selection::LastEpoch, ..config(2) }.plan().unwrap();
    let options = FitOptions::default();
    let Outcome::Finished(fit) =
        plan.fit(&mut Tiny::new(1), &train, None, &options, &mut NoObserver).unwrap()
    else {
        panic!("nobody cancelled")
    };
    assert_eq!(fit.selected_epoch, 2);
    assert!(fit.history.to_csv().lines().nth(1).unwrap().ends_with(",,"));
    let plan = config(2).plan().unwrap();
    let error = plan.fit(&mut Tiny::new(1), &train, None, &options, &mut NoObserver).unwrap_err();
    assert!(matches!(error, Error::TooFewExamples { part: "validation", .. }));
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_keeps_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (train, validation) = (tiny_examples(1, 40), tiny_examples(2, 21));
    let options = FitOptions { checkpoints: Some(folder.path()), ..FitOptions::default() };
    // Gives NaN in its seventh training step, the second of epoch 2.
    struct Explode(Tiny, std::cell::Cell<usize>);
    impl Network for Explode {
        fn name(&self) -> &'static str {
            self.0.name()
        }
        fn classes(&self) -> usize {
            self.0.classes()
        }
        fn input(&self) -> &mgr_models::InputSpec {
            self.0.input()
        }
        fn parameters(&self) -> &mgr_models::Parameters {
            self.0.parameters()
        }
        fn forward(&self, input: &tch::Tensor, mode: mgr_models::Mode) -> Result<tch::Tensor, Error> {
            self.1.set(self.1.get() + usize::from(mode == mgr_models::Mode::Train));
            let scale = if self.1.get() == 7 { f64::NAN } else { 1.0 };
            Ok(self.0.forward(input, mode)? * scale)
        }
    }
    let mut network = Explode(Tiny::new(1), std::cell::Cell::new(0));
    let plan = config(4).plan().unwrap();
    let error = plan.fit(&mut network, &train, Some(&validation), &options, &mut NoObserver).unwrap_err();
    assert!(matches!(error, Error::NonFiniteLoss { epoch: 2, step: 2, .. }), "{error}");
    let last = mgr_models::train::Checkpoint::load(&CheckpointKind::Last.path(folder.path())).unwrap();
    assert_eq!(last.epoch, 1);

    let sgd = SgdConfig { learning_rate: 1e30, ..SgdConfig::default() };
    let diverging = TrainConfig { optimiser: OptimiserConfig::Sgd(sgd), ..config(4) };
    let error = fit(&diverging, &mut Tiny::new(1), &train).unwrap_err();
    assert!(matches!(error, Error::NonFiniteLoss { .. } | Error::NonFiniteValidationLoss { .. }), "{error}");
}

#[test]
fn data_that_cannot_be_trained_on_is_refused() {
    let plan = |examples: &ArrayExamples| fit(&config(1), &mut Tiny::new(1), examples).unwrap_err();
    assert!(matches!(
        plan(&tiny_examples(1, 1)),
        Error::TooFewExamples { part: "training", got: 1, minimum: 2 }
    ));
    assert!(matches!(plan(&tiny_examples(1, 0)), Error::TooFewExamples { got: 0, .. }));
    let examples = |shape: &[usize], labels| ArrayExamples::new(ArrayD::zeros(IxDyn(shape)), labels).unwrap();
    let error = plan(&examples(&[3, 1, 4, 5], vec![0, 3, 1]));
    assert!(matches!(error, Error::LabelOutOfRange { index: 1, label: 3, classes: 3, .. }), "{error}");
    assert!(matches!(
        plan(&examples(&[2, 1, 4, 4], vec![0, 1])),
        Error::InputTooSmall { axis: "frames", .. }
    ));
    assert!(matches!(plan(&examples(&[2, 20], vec![0, 1])), Error::InputShape { .. }));
    assert!(matches!(plan(&examples(&[], vec![])), Error::TooFewExamples { .. }));
    for bad in [f32::NAN, f32::INFINITY] {
        let mut inputs = ArrayD::zeros(IxDyn(&[3, 1, 4, 5]));
        inputs[[2, 0, 1, 1]] = bad;
        let error = plan(&ArrayExamples::new(inputs, vec![0, 1, 2]).unwrap());
        assert!(matches!(error, Error::NonFiniteInput { index: 2 }), "{error}");
    }
    assert!(matches!(
        ArrayExamples::new(ArrayD::zeros(IxDyn(&[2, 1, 4, 5])), vec![0]),
        Err(Error::LengthMismatch { what: "labels", got: 1, expected: 2 })
    ));
    let one = TrainConfig { batch_size: 1, ..config(1) };
    let error = fit(&one, &mut Tiny::new(1), &tiny_examples(1, 9)).unwrap_err();
    assert!(matches!(error, Error::InvalidConfig { field: "batch_size", .. }), "{error}");
    let clip = ArrayExamples::new(ArrayD::zeros(IxDyn(&[2, 1, 96, 89])), vec![0, 1]).unwrap();
    let mut network = NetworkConfig::Base2dCnn.build(3, 0, DeviceConfig::Cpu).unwrap();
    let error = fit(&config(1), network.as_mut(), &clip).unwrap_err();
    assert_eq!(error.to_string(), "base_2d_cnn needs at least 90 frames, got 89");
}

#[test]
fn configs_out_of_range_are_refused() {
    let base = TrainConfig::default;
    let bad = [
        TrainConfig { epochs: 0, ..base() },
        TrainConfig { batch_size: 0, ..base() },
        TrainConfig { batch_size: usize::MAX, ..base() },
        TrainConfig { label_smoothing: 1.0, ..base() },
        TrainConfig { label_smoothing: f64::NAN, ..base() },
        TrainConfig { patience: Some(0), ..base() },
        TrainConfig { threads: Some(0), ..base() },
        TrainConfig { class_weights: Some(vec![1.0, 0.0]), ..base() },
        TrainConfig { class_weights: Some(vec![f32::INFINITY]), ..base() },
        TrainConfig { schedule: Schedule::Step { every: 0, factor: 0.5, minimum: 0.0 }, ..base() },
        TrainConfig { schedule: Schedule::Exponential { factor: 0.0, minimum: 0.0 }, ..base() },
        TrainConfig { schedule: Schedule::Cosine { period: 5, minimum: f64::NAN }, ..base() },
        TrainConfig { schedule: Schedule::Cosine { period: 0, minimum: 0.0 }, ..base() },
    ];
    for config in bad {
        assert!(matches!(config.plan(), Err(Error::InvalidConfig { .. })), "{config:?}");
    }
    assert_eq!(serde_json::from_str::<TrainConfig>("{}").unwrap(), base());
    serde_json::from_str::<TrainConfig>(r#"{"epoch": 3}"#).unwrap_err();
    let weights = TrainConfig { class_weights: Some(vec![1.0; 4]), ..config(1) };
    let error = fit(&weights, &mut Tiny::new(1), &tiny_examples(1, 9)).unwrap_err();
    assert!(matches!(error, Error::LengthMismatch { what: "class_weights", got: 4, expected: 3 }));
}
