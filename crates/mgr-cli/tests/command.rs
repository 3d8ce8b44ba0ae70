//! The command as a user meets it: outputs, exit codes, messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use mgr_audio::{WavFormat, write_wav};

fn mgr(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mgr")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn sine(path: &Path, step: f32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let samples: Vec<f32> = (0..32_000).map(|n| 0.5 * (n as f32 * step).sin()).collect();
    write_wav(path, &samples, 16_000, WavFormat::Pcm16).unwrap();
}

#[test]
fn extract_writes_a_feature_for_each_file() {
    let folder = tempfile::tempdir().unwrap();
    sine(&folder.path().join("music/a/one.wav"), 0.1);
    sine(&folder.path().join("music/b/one.wav"), 0.2);
    let output = mgr(folder.path(), &["extract", "music", "--out", "f", "--feature", "musicnn"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let matrix: ndarray::Array2<f32> = ndarray_npy::read_npy(folder.path().join("f/a/one.wav.npy")).unwrap();
    assert_eq!(matrix.dim(), (96, 126));
    assert!(folder.path().join("f/b/one.wav.npy").exists());

    fs::write(folder.path().join("mine.toml"), "feature = \"mel\"\n[bank]\nn_mels = 32\n").unwrap();
    let output = mgr(
        folder.path(),
        &["extract", "music/a/one.wav", "--out", "g", "--config", "mine.toml", "--sample-rate", "16000"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("32 x 63"));
}

#[test]
fn a_set_of_features_is_written_by_name() {
    let folder = tempfile::tempdir().unwrap();
    sine(&folder.path().join("music/a/one.wav"), 0.1);
    let set = "[features.timbre]\nfeature = \"mfcc\"\n[features.bands]\nfeature = \"mel\"\n";
    fs::write(folder.path().join("set.toml"), set).unwrap();
    let run = |set: &str| mgr(folder.path(), &["extract", "music", "--out", "f", "--set", set]);
    let output = run("set.toml");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let matrix =
        |path: &str| -> ndarray::Array2<f32> { ndarray_npy::read_npy(folder.path().join(path)).unwrap() };
    assert_eq!(matrix("f/timbre/a/one.wav.npy").dim(), (20, 87));
    assert_eq!(matrix("f/bands/a/one.wav.npy").dim(), (128, 87));
    for (text_of_set, message) in [
        ("[features.\"../x\"]\nfeature = \"mel\"", "cannot be the name of a folder"),
        ("[features.x]\nfeature = \"melody\"", "not a set of features"),
        ("[features.x]\nfeature = \"mel\"\nbank.n_mels = 0", "x: n_mels is 0"),
        ("", "features is empty"),
    ] {
        fs::write(folder.path().join("bad.toml"), text_of_set).unwrap();
        let output = run("bad.toml");
        assert_eq!(output.status.code(), Some(1), "{text_of_set}");
        assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
    }
}

#[test]
fn exit_codes_tell_all_some_and_none() {
    let folder = tempfile::tempdir().unwrap();
    sine(&folder.path().join("good.wav"), 0.1);
    fs::write(folder.path().join("bad.mp3"), b"a text file\n").unwrap();
    let run = |files: &[&str]| mgr(folder.path(), &[&["extract", "--out", "f"], files].concat());
    assert_eq!(run(&["good.wav"]).status.code(), Some(0));
    let some = run(&["good.wav", "bad.mp3", "gone.wav"]);
    assert_eq!(some.status.code(), Some(2));
    let errors = text(&some.stderr);
    assert!(errors.contains("bad.mp3: not audio") && errors.contains("gone.wav: no such file"), "{errors}");
    assert_eq!(run(&["bad.mp3"]).status.code(), Some(1));
    assert_eq!(mgr(folder.path(), &["extract", "good.wav"]).status.code(), Some(1), "no --out");
    assert_eq!(mgr(folder.path(), &["--help"]).status.code(), Some(0));
    let outside = mgr(folder.path(), &["extract", "f", "f/../good.wav", "--out", "f/g"]);
    assert!(folder.path().join("f/g/good.wav.npy").exists(), "{}", text(&outside.stderr));
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert!(text(&run(&["empty"]).stderr).contains("no audio file found"));
    fs::write(folder.path().join("file"), b"x").unwrap();
    let blocked = mgr(folder.path(), &["extract", "good.wav", "--out", "file"]);
    assert_eq!(blocked.status.code(), Some(1));
    assert!(text(&blocked.stderr).contains("file: cannot make the folder"), "{}", text(&blocked.stderr));
    let config = mgr(folder.path(), &["extract", "good.wav", "--out", "f", "--config", "file"]);
    assert!(text(&config.stderr).contains("file: not a feature"), "{}", text(&config.stderr));
    sine(&folder.path().join("again/good.wav"), 0.2);
    let twice = run(&["good.wav", "again/good.wav"]);
    assert!(text(&twice.stderr).contains("would both be written to"), "{}", text(&twice.stderr));
}

#[test]
fn help_teaches() {
    let folder = tempfile::tempdir().unwrap();
    let help = text(&mgr(folder.path(), &["--help"]).stdout);
    assert!(help.contains("mgr extract") && help.contains("Exit codes"), "{help}");
    assert!(text(&mgr(folder.path(), &["extract", "--help"]).stdout).contains("--sample-rate"));
}

#[cfg(feature = "nets")]
mod predict {
    use super::*;
    use mgr_pipeline::progress::Silent;
    use mgr_pipeline::{DatasetKind, MetaKind, RunConfig, run};

    #[test]
    fn a_finished_run_answers_for_files_and_folders() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("music");
        for clip in 0..8 {
            sine(&root.join(format!("high/h{clip}.wav")), 1.0 + 0.1 * clip as f32);
            sine(&root.join(format!("low/l{clip}.wav")), 0.05 + 0.01 * clip as f32);
        }
        let config = RunConfig {
            dataset: DatasetKind::Folder,
            root: Some(root.clone()),
            out: folder.path().join("run"),
            cache: Some(folder.path().join("cache")),
            folds: 2,
            validation: 0.34,
            features: vec!["timbre_vector".into(), "mfcc".into()],
            segment_seconds: 0.8,
            segments: 1,
            meta: MetaKind::Learner,
            ..RunConfig::default()
        };
        run::run(&config, &Silent).unwrap();

        fs::write(root.join("low/broken.wav"), b"RIFF").unwrap();
        let output = mgr(folder.path(), &["predict", "--run", "run", "--json", "music"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("broken.wav"));
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["run"], "run");
        assert_eq!(document["classes"], serde_json::json!(["high", "low"]));
        let files = document["files"].as_array().unwrap();
        assert_eq!(files.len(), 17);
        let paths: Vec<&str> = files.iter().map(|f| f["path"].as_str().unwrap()).collect();
        assert!(paths.is_sorted(), "{paths:?}");
        for file in files {
            if file["path"].as_str().unwrap().ends_with("broken.wav") {
                assert!(
                    file["genre"].is_null() && file["probabilities"].is_null() && file["error"].is_string()
                );
            } else {
                let sum: f64 =
                    ["high", "low"].iter().map(|c| file["probabilities"][c].as_f64().unwrap()).sum();
                assert!((sum - 1.0).abs() < 1e-5 && file["error"].is_null());
                assert!(["high", "low"].contains(&file["genre"].as_str().unwrap()));
            }
        }
        let table = mgr(folder.path(), &["predict", "--run", "run", "music/high/h0.wav"]);
        assert_eq!(table.status.code(), Some(0));
        assert!(text(&table.stdout).contains("h0.wav") && text(&table.stdout).contains('%'));
        assert_eq!(
            mgr(folder.path(), &["predict", "--run", "run", "music/low/broken.wav"]).status.code(),
            Some(1)
        );
        let none = mgr(folder.path(), &["predict", "--run", "music", "music"]);
        assert_eq!(none.status.code(), Some(1));
        assert!(text(&none.stderr).contains("not a finished run"), "{}", text(&none.stderr));

        // A plan costs nothing, an evaluation writes a report, and without a run there is one sentence.
        let flags = [
            "--dataset",
            "music",
            "--set",
            "features=[\"timbre_vector\"]",
            "--folds",
            "2",
            "--cache",
            "cache",
        ];
        let plan = mgr(folder.path(), &[&["run"], &flags[..], &["--out", "planned", "--dry-run"]].concat());
        assert_eq!(plan.status.code(), Some(0), "{}", text(&plan.stderr));
        assert!(text(&plan.stdout).contains("in all about") && !folder.path().join("planned").exists());
        let scored =
            mgr(folder.path(), &["run", "--evaluate", "run", "--dataset", "music", "--out", "scored"]);
        assert_eq!(scored.status.code(), Some(0), "{}", text(&scored.stderr));
        assert!(
            text(&scored.stdout).contains("16 clips, 1 files cannot be used"),
            "{}",
            text(&scored.stdout)
        );
        assert!(folder.path().join("scored/report.html").exists());
        let wrong = mgr(folder.path(), &["run", "--set", "melody=3"]);
        assert!(text(&wrong.stderr).contains("melody"), "{}", text(&wrong.stderr));
    }
}

#[test]
fn features_are_listed_shown_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    sine(&folder.path().join("one.wav"), 0.1);
    let run = |arguments: &[&str]| mgr(folder.path(), &[&["features"], arguments].concat());
    let list = text(&run(&["list"]).stdout);
    assert!(list.lines().any(|line| line == "log_mel") && list.contains("musicnn"), "{list}");
    let names: std::collections::BTreeSet<&str> = list.lines().collect();
    assert_eq!(names.len(), list.lines().count(), "{list}");

    // What is shown can be given back.
    let shown = run(&["show", "musicnn"]);
    fs::write(folder.path().join("musicnn.toml"), &shown.stdout).unwrap();
    let rate = ["--sample-rate", "16000"];
    let size = ["--width", "200", "--height", "96"];
    let by_file =
        [&["plot", "one.wav", "-o", "a.png", "--config", "musicnn.toml"], &rate[..], &size].concat();
    assert_eq!(run(&by_file).status.code(), Some(0), "{}", text(&run(&by_file).stderr));
    let by_name = [&["plot", "one.wav", "-o", "b.png", "--feature", "musicnn"], &size[..]].concat();
    assert_eq!(run(&by_name).status.code(), Some(0));
    let bytes = |name: &str| fs::read(folder.path().join(name)).unwrap();
    assert_eq!(bytes("a.png"), bytes("b.png"));

    assert_eq!(
        run(&[&["plot", "one.wav", "-o", "c.png", "--bare"], &size[..]].concat()).status.code(),
        Some(0)
    );
    let bare = png::Decoder::new(std::io::Cursor::new(bytes("c.png"))).read_info().unwrap();
    assert_eq!(bare.info().size(), (200, 96));
    assert_eq!(run(&["plot", "one.wav", "-o", "d.svg"]).status.code(), Some(0));
    assert!(text(&bytes("d.svg")).contains("Time in s"));

    // A vector is bars, one with its name each, on the paper that is asked for.
    let vector = ["plot", "one.wav", "-o", "v.svg", "--feature", "gtzan57"];
    assert_eq!(run(&vector).status.code(), Some(0), "{}", text(&run(&vector).stderr));
    let light = text(&bytes("v.svg"));
    assert!(light.contains("rolloff_mean") && light.contains("#FFFFFF") && !light.contains("<image"));
    assert_eq!(run(&[&vector[..], &["--theme", "dark"]].concat()).status.code(), Some(0));
    assert!(text(&bytes("v.svg")).contains("#171E26"));

    let decibels = ["plot", "one.wav", "-o", "f.svg", "--feature", "cqt", "--db"];
    assert_eq!(run(&decibels).status.code(), Some(0), "{}", text(&run(&decibels).stderr));
    assert!(text(&bytes("f.svg")).contains("-80"));
    for (arguments, message) in [
        (vec!["plot", "one.wav", "-o", "e.jpg"], "has to end in .png or .svg"),
        (vec!["plot", "one.wav", "-o", "e.svg", "--bare"], "has to end in .png"),
        (
            vec!["plot", "one.wav", "-o", "e.png", "--db"],
            "--db is for features that are magnitudes or powers",
        ),
        (vec!["plot", "gone.wav", "-o", "e.png"], "gone.wav: no such file"),
        (vec!["show", "melody"], "no feature is named melody"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
    }
}

#[test]
fn a_folder_becomes_one_table() {
    use mgr_data::table::Table;
    let folder = tempfile::tempdir().unwrap();
    sine(&folder.path().join("music/hip hop/one.wav"), 0.1);
    sine(&folder.path().join("music/rock/two.wav"), 0.2);
    fs::write(folder.path().join("groups.csv"), "track,artist\none,\"Ann, B\"\n").unwrap();
    for ending in ["parquet", "csv", "arff", "npz"] {
        let name = format!("f.{ending}");
        let output = mgr(
            folder.path(),
            &[
                "extract",
                "music",
                "--feature",
                "mfcc",
                "--table",
                &name,
                "--statistics",
                "mean,std",
                "--groups",
                "groups.csv",
            ],
        );
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("2 rows of 40 columns"));
        let table = Table::read(&folder.path().join(&name)).unwrap();
        assert_eq!(table.ids(), ["hip hop/one.wav", "rock/two.wav"]);
        assert_eq!(table.labels().unwrap(), ["hip hop", "rock"]);
        assert_eq!(table.groups().unwrap(), ["artist:Ann, B", "track:two"]);
        assert_eq!(table.columns()[1], format!("{}_std", table.columns()[0].trim_end_matches("_mean")));
    }
    // A feature of one column with named rows is a row as it is.
    let output = mgr(folder.path(), &["extract", "music", "--feature", "gtzan57", "--table", "v.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let table = Table::read(&folder.path().join("v.csv")).unwrap();
    assert!(table.columns().contains(&"chroma_stft_mean".to_owned()), "{:?}", table.columns());
    let refused = |arguments: &[&str], message: &str| {
        let output = mgr(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
    };
    refused(&["extract", "music", "--table", "f.parquet"], "a table needs statistics of it");
    refused(&["extract", "music", "--table", "f.xls", "--statistics", "mean"], "has to end in .parquet");
    refused(&["extract", "music", "--table", "f.csv", "--statistics", "average"], "there are: mean, std");
    refused(&["extract", "music"], "--out");
}

#[test]
fn datasets_are_listed_checked_and_split() {
    let folder = tempfile::tempdir().unwrap();
    for (genre, step) in [("a", 0.1), ("b", 0.2)] {
        for number in 0..6 {
            sine(&folder.path().join(format!("music/{genre}/{number}.wav")), step + number as f32 * 0.013);
        }
    }
    let ok = |arguments: &[&str], message: &str| {
        let output = mgr(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(message), "{}", text(&output.stdout));
    };
    ok(&["data", "list"], "fma_small");
    ok(&["data", "list", "ballroom"], "ChaChaCha                111");
    ok(&["data", "check", "music"], "12 tracks");
    ok(&["data", "check", "music", "--json"], "\"unreadable\": []");
    let split = [
        "data",
        "split",
        "music",
        "--rule",
        "k-fold",
        "--folds",
        "3",
        "--validation",
        "0.25",
        "-o",
        "s.json",
    ];
    ok(&split, "artists or albums on several sides: not known, no clip names one");
    ok(&split, "repeated clips on several sides: not listened for");
    ok(&[&split[..], &["--listen"]].concat(), "repeated clips on several sides: ");
    ok(&["data", "split", "music", "--audit", "s.json"], "fold 2: 6 train, 2 validation, 4 test");
    fs::write(folder.path().join("music/a/bad.mp3"), "text").unwrap();
    let some = mgr(folder.path(), &["data", "check", "music"]);
    assert_eq!(some.status.code(), Some(2));
    assert!(text(&some.stdout).contains("unreadable: 1"), "{}", text(&some.stdout));
    for (arguments, message) in [
        (&["data", "check", "music", "--dataset", "nothing"][..], "no dataset is named nothing"),
        (&["data", "split", "music", "--rule", "official"], "no official split"),
        (&["data", "split", "music", "--mlfcf-files", "lists"], "of the split that --rule mlfcf makes"),
        (&["data", "fetch", "gtzan", "--out", "x"], "no file to download is known"),
        (&["data", "fetch", "fma_small", "--out", "x"], "say --accept-licence"),
        (&["data", "fetch", "--out", "x"], "--url is needed"),
    ] {
        let output = mgr(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
    }
}
