//! `mgr learn` from the outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

fn learn(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mgr")).arg("learn").args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Two genres that differ in one of two columns.
fn table(folder: &Path) {
    let mut csv = "id,tempo,energy,genre,artist\n".to_owned();
    for i in 0..40 {
        let rock = i % 2 == 1;
        let (tempo, energy) = (90 + i * 13 % 37, if rock { 0.8 } else { 0.2 } + f64::from(i * 7 % 11) / 50.0);
        writeln!(csv, "{i}.wav,{tempo},{energy},{},artist {}", if rock { "rock" } else { "blues" }, i / 2)
            .unwrap();
    }
    std::fs::write(folder.join("t.csv"), csv).unwrap();
}

#[test]
fn a_classifier_is_measured_saved_and_used() {
    let folder = tempfile::tempdir().unwrap();
    table(folder.path());
    let measured = learn(
        folder.path(),
        &[
            "--table", "t.csv", "--label", "genre", "--folds", "5", "--model", "svc", "--save", "m.json",
            "--json",
        ],
    );
    assert!(measured.status.success(), "{}", text(&measured.stderr));
    let document: serde_json::Value = serde_json::from_slice(&measured.stdout).unwrap();
    assert_eq!(document["classes"], serde_json::json!(["blues", "rock"]));
    let report = &document["reports"][0];
    assert!(
        report["accuracy"].as_f64().unwrap() > 0.9 && report["interval"]["high"].as_f64().unwrap() <= 1.0
    );
    assert_eq!(report["tested"], 40);
    let used = learn(folder.path(), &["--table", "t.csv", "--load", "m.json"]);
    assert!(used.status.success(), "{}", text(&used.stderr));
    assert_eq!(text(&used.stdout).lines().filter(|l| l.ends_with("rock")).count(), 20);
}

#[test]
fn a_grid_is_chosen_within_the_training_part() {
    let folder = tempfile::tempdir().unwrap();
    table(folder.path());
    let run = learn(
        folder.path(),
        &["--table", "t.csv", "--group", "artist", "--folds", "3", "--model", "ridge", "--grid"],
    );
    assert!(run.status.success(), "{}", text(&run.stderr));
    let shown = text(&run.stdout);
    for expected in ["accuracy", "macro F1", "confusion", "chosen     in", "fit  "] {
        assert!(shown.contains(expected), "{shown}");
    }
}

#[test]
fn what_is_wrong_with_a_table_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |csv: &str| {
        std::fs::write(folder.path().join("t.csv"), csv).unwrap();
        let run = learn(
            folder.path(),
            &["--table", "t.csv", "--label", "genre", "--folds", "2", "--model", "logistic"],
        );
        assert!(!run.status.success());
        assert!(run.stdout.is_empty());
        text(&run.stderr)
    };
    let missing = refused("id,tempo,energy,genre\na,1,,rock\nb,2,1,rock\nc,3,2,blues\nd,4,3,blues\n");
    assert!(missing.contains("energy") && missing.contains("not finite"), "{missing}");
    let word = refused("id,tempo,energy,genre\na,1,loud,rock\nb,2,1,rock\nc,3,2,blues\nd,4,3,blues\n");
    assert!(word.contains("energy"), "{word}");
    let one = refused("id,tempo,genre\na,1,rock\nb,2,rock\nc,3,rock\nd,4,rock\n");
    assert!(one.contains("two classes") || one.contains("class"), "{one}");
    assert!(!refused("id,tempo,genre\n").is_empty());
    let unknown = learn(folder.path(), &["--table", "t.csv", "--model", "oracle"]);
    assert!(text(&unknown.stderr).contains("random_forest"), "{}", text(&unknown.stderr));
}
