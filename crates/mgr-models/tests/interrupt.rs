//! Ctrl-C, sent to a child process that trains.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Tiny, tiny_examples};
use mgr_models::train::{
    Checkpoint, CheckpointKind, FitOptions, Observer, Outcome, ProgressLines, StepRecord, TrainConfig,
    interrupt,
};

const FOLDER: &str = "MGR_TEST_INTERRUPT_FOLDER";

/// Says when it trains, and slows it down so that the signal meets it in the middle of an epoch.
struct Slow(ProgressLines<std::io::Stdout>);

impl Observer for Slow {
    fn step(&mut self, record: &StepRecord) {
        self.0.step(record);
        println!("step {}", record.step);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The child's part; does nothing in an ordinary run of the tests.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let plan = TrainConfig { epochs: 3, batch_size: 2, ..TrainConfig::default() }.plan().unwrap();
    let options = FitOptions {
        checkpoints: Some(folder),
        cancel: Some(interrupt::flag().unwrap()),
        ..FitOptions::default()
    };
    let (train, validation) = (tiny_examples(1, 200), tiny_examples(2, 21));
    let mut observer = Slow(ProgressLines::new(std::io::stdout(), 0.0));
    let outcome = plan.fit(&mut Tiny::new(1), &train, Some(&validation), &options, &mut observer).unwrap();
    if let Outcome::Interrupted { finished_epochs } = outcome {
        println!("{}", interrupt::message(finished_epochs, Some(folder)));
    }
}

#[test]
fn ctrl_c_finishes_the_step_saves_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first: Vec<String> = lines.by_ref().take_while(|line| line != "step 3").collect();
    assert!(first.iter().any(|line| line.contains("steps/s") && line.contains(" left")), "{first:?}");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.collect();
    assert!(child.wait().unwrap().success(), "{rest:?}");
    let message = rest.iter().find(|line| line.starts_with("stopped after")).expect("no message");
    assert!(message.contains(&folder.path().display().to_string()), "{message}");
    let last = Checkpoint::load(&CheckpointKind::Last.path(folder.path())).unwrap();
    let partial = last.partial.expect("the state of the step is not saved");
    assert!((3..100).contains(&partial.steps), "{partial:?}");

    // Going on ends with the bytes of a run that nobody stopped.
    let fit = |folder: &Path| {
        let plan = TrainConfig { epochs: 3, batch_size: 2, ..TrainConfig::default() }.plan().unwrap();
        let options = FitOptions { checkpoints: Some(folder), ..FitOptions::default() };
        let (train, validation) = (tiny_examples(1, 200), tiny_examples(2, 21));
        let outcome = plan.fit(
            &mut Tiny::new(1),
            &train,
            Some(&validation),
            &options,
            &mut mgr_models::train::NoObserver,
        );
        assert!(matches!(outcome, Ok(Outcome::Finished(_))));
        std::fs::read(CheckpointKind::Last.path(folder)).unwrap()
    };
    let whole = tempfile::tempdir().unwrap();
    assert_eq!(fit(folder.path()), fit(whole.path()));
}
