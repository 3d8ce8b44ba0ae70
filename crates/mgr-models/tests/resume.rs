//! A run that was stopped and resumed is a run that was not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{Tiny, tiny_examples};
use mgr_models::train::{
    AdamConfig, Checkpoint, CheckpointKind, FitOptions, History, NoObserver, Observer, OptimiserConfig,
    Outcome, Selection, SgdConfig, TrainConfig,
};
use mgr_models::{Error, Network, TensorData};

fn config(epochs: usize) -> TrainConfig {
    let adam = AdamConfig { learning_rate: 0.1, weight_decay: 0.01, ..AdamConfig::default() };
    TrainConfig {
        epochs,
        batch_size: 8,
        optimiser: OptimiserConfig::AdamW(adam),
        seed: 5,
        ..TrainConfig::default()
    }
}

fn options(folder: &Path) -> FitOptions<'_> {
    FitOptions { checkpoints: Some(folder), data_fingerprint: "tiny 1 and 2", cancel: None }
}

type Weights = std::collections::BTreeMap<String, TensorData>;

fn run(config: &TrainConfig, options: &FitOptions<'_>) -> Result<(History, Weights), Error> {
    run_observed(config, options, &mut NoObserver).map(|run| run.expect("nobody cancelled"))
}

fn run_observed(
    config: &TrainConfig,
    options: &FitOptions<'_>,
    observer: &mut dyn Observer,
) -> Result<Option<(History, Weights)>, Error> {
    let mut network = Tiny::new(3);
    let (train, validation) = (tiny_examples(1, 41), tiny_examples(2, 21));
    match config.plan()?.fit(&mut network, &train, Some(&validation), options, observer)? {
        Outcome::Finished(fit) => Ok(Some((fit.history, network.parameters().to_data()?))),
        Outcome::Interrupted { finished_epochs } => {
            assert!(finished_epochs < config.epochs);
            Ok(None)
        }
    }
}

fn files(folder: &Path) -> [Vec<u8>; 2] {
    [CheckpointKind::Last, CheckpointKind::Best].map(|kind| fs::read(kind.path(folder)).unwrap())
}

#[test]
fn three_epochs_and_three_more_are_six_byte_for_byte() {
    let sgd = OptimiserConfig::Sgd(SgdConfig { learning_rate: 0.1, ..SgdConfig::default() });
    for optimiser in [config(6).optimiser, sgd] {
        let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let config = |epochs| TrainConfig { optimiser, ..config(epochs) };
        let (history, weights) = run(&config(6), &options(whole.path())).unwrap();
        let (first, _) = run(&config(3), &options(parts.path())).unwrap();
        assert_eq!(first.epochs(), &history.epochs()[..3]);
        let (resumed, resumed_weights) = run(&config(6), &options(parts.path())).unwrap();
        assert_eq!(resumed, history);
        assert_eq!(resumed_weights, weights);
        // `best` may hold the config of the shorter run, which the epochs differ in; `last` must be the same bytes.
        assert_eq!(files(whole.path())[0], files(parts.path())[0]);
        history.save_csv(&whole.path().join("history.csv")).unwrap();
        resumed.save_csv(&parts.path().join("history.csv")).unwrap();
        history.save_json(&whole.path().join("history.json")).unwrap();
        resumed.save_json(&parts.path().join("history.json")).unwrap();
        for name in ["history.csv", "history.json"] {
            assert_eq!(
                fs::read(whole.path().join(name)).unwrap(),
                fs::read(parts.path().join(name)).unwrap()
            );
        }
        assert_eq!(fs::read_to_string(whole.path().join("history.csv")).unwrap().lines().count(), 7);
        let json = fs::read(whole.path().join("history.json")).unwrap();
        assert_eq!(serde_json::from_slice::<History>(&json).unwrap(), history);
    }
}

#[test]
fn a_cancelled_run_goes_on_as_if_nothing_happened() {
    struct Cancel<'a>(&'a AtomicBool, usize);
    impl Observer for Cancel<'_> {
        fn step_finished(&mut self, _: usize, _: usize, _: f64) {
            self.1 += 1;
            self.0.store(self.1 == 13, Ordering::Relaxed);
        }
    }
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (history, weights) = run(&config(6), &options(whole.path())).unwrap();
    let flag = AtomicBool::new(false);
    let cancellable = FitOptions { cancel: Some(&flag), ..options(parts.path()) };
    // 5 steps per epoch: step 13 is in the third epoch.
    assert!(run_observed(&config(6), &cancellable, &mut Cancel(&flag, 0)).unwrap().is_none());
    assert_eq!(Checkpoint::load(&CheckpointKind::Last.path(parts.path())).unwrap().epoch, 2);
    let (resumed, resumed_weights) = run(&config(6), &options(parts.path())).unwrap();
    assert_eq!(resumed, history);
    assert_eq!(resumed_weights, weights);
    assert_eq!(files(whole.path()), files(parts.path()));
}

#[test]
fn a_finished_run_is_taken_up_without_training() {
    let folder = tempfile::tempdir().unwrap();
    let (history, weights) = run(&config(4), &options(folder.path())).unwrap();
    let before = files(folder.path());
    let (again, again_weights) = run(&config(4), &options(folder.path())).unwrap();
    assert_eq!((again, again_weights), (history, weights));
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_crash_between_last_and_best_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // The epoch after which both files are written, with `best` missing or of an earlier epoch.
    let (history, weights) = run(&config(1), &options(folder.path())).unwrap();
    assert_eq!(history.selected(Selection::BestValidation).unwrap().epoch, 1);
    fs::remove_file(CheckpointKind::Best.path(folder.path())).unwrap();
    assert_eq!(run(&config(1), &options(folder.path())).unwrap(), (history, weights));
    assert!(CheckpointKind::Best.path(folder.path()).exists());
}

#[test]
fn a_best_checkpoint_of_another_epoch_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let best = CheckpointKind::Best.path(folder.path());
    run(&config(1), &options(folder.path())).unwrap();
    let first = fs::read(&best).unwrap();
    // The first length at which the best epoch is neither the first nor the last.
    let length = (3..40).find(|&length| {
        let (history, _) = run(&config(length), &options(folder.path())).unwrap();
        (2..length).contains(&history.selected(Selection::BestValidation).unwrap().epoch)
    });
    let length = length.expect("the test needs another seed");
    fs::write(&best, first).unwrap();
    let error = run(&config(length), &options(folder.path())).unwrap_err();
    assert!(matches!(error, Error::MalformedFile { .. }), "{error}");
}

#[test]
fn another_run_is_not_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    run(&config(2), &options(folder.path())).unwrap();
    let refused = |config: &TrainConfig, data| {
        let options = FitOptions { data_fingerprint: data, ..options(folder.path()) };
        assert!(matches!(run(config, &options), Err(Error::FingerprintMismatch { .. })));
    };
    let data = "tiny 1 and 2";
    refused(&config(2), "other data");
    refused(&TrainConfig { seed: 6, ..config(2) }, data);
    refused(&TrainConfig { batch_size: 9, ..config(2) }, data);
    refused(&TrainConfig { label_smoothing: 0.1, ..config(2) }, data);
    refused(&TrainConfig { selection: Selection::LastEpoch, ..config(2) }, data);
    // How far and how fast may change.
    run(&TrainConfig { threads: Some(1), patience: Some(90), ..config(3) }, &options(folder.path())).unwrap();
}

#[test]
fn two_runs_at_the_same_time_do_not_disturb_each_other() {
    let alone = run(&config(4), &FitOptions::default()).unwrap();
    let runs: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> =
            (0..3).map(|_| scope.spawn(|| run(&config(4), &FitOptions::default()).unwrap())).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    assert!(runs.iter().all(|run| *run == alone));
}
