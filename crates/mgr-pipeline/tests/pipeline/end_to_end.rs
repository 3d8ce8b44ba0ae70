//! The whole job on a tiny dataset: verdict, files, bad clips, same bytes, prediction.

use std::fs;

use crate::common::{bytes_below, config, differing, write_dataset};
use mgr_audio::{WavFormat, write_wav};
use mgr_pipeline::evaluate::evaluate;
use mgr_pipeline::predict::Predictor;
use mgr_pipeline::progress::Silent;
use mgr_pipeline::{MetaKind, Protocol, RunConfig, run::run};

#[test]
fn from_files_to_a_verdict_whatever_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    write_dataset(&root, 8);
    fs::write(root.join("hum/empty.wav"), b"").unwrap();
    fs::write(root.join("hum/list.mp3"), b"milk, bread and butter\n").unwrap();
    fs::write(root.join("hum/cover.jpg"), b"jpeg").unwrap();
    write_wav(&root.join("hiss/blink.wav"), &[0.1; 100], 16_000, WavFormat::Pcm16).unwrap();
    write_wav(&root.join("hiss/nothing.wav"), &[0.0; 32_000], 16_000, WavFormat::Pcm16).unwrap();

    let out = |name: &str| folder.path().join(name);
    let cache = out("cache");
    let one = RunConfig { threads: Some(1), epochs: Some(4), ..config(&root, &out("one"), &cache) };
    let finished = run(&one, &Silent).unwrap();
    let results = &finished.results;
    assert_eq!(results.clips.len(), 24);
    assert_eq!(results.bad.len(), 4);
    for (id, reason) in [
        ("hiss/blink.wav", "too short"),
        ("hiss/nothing.wav", "silent"),
        ("hum/empty.wav", "empty"),
        ("hum/list.mp3", "not audio"),
    ] {
        let bad = results.bad.iter().find(|b| b.id == id).unwrap_or_else(|| panic!("{id} is not listed"));
        assert!(bad.reason.contains(reason), "{}", bad.reason);
    }
    // Chance is a third; tone, noise and pulses are easy.
    assert!(results.scores[0].accuracy > 0.6, "{:?}", results.scores);

    let page = fs::read_to_string(&finished.report).unwrap();
    for words in [
        "<svg",
        "hum/list.mp3",
        "not audio",
        "Confusion matrix",
        "Name the artists",
        "cover.jpg",
        "McNemar",
        "MFCC statistics",
    ] {
        assert!(page.contains(words), "the report does not say {words}");
    }
    for loads in ["<link", "<script src", "src=\"http", "href=\"http", "@import", "url(http"] {
        assert!(!page.contains(loads), "the report loads something by {loads}");
    }

    let two = RunConfig { threads: Some(2), out: out("two"), cache: Some(out("cache2")), ..one.clone() };
    run(&two, &Silent).unwrap();
    let (a, b) = (bytes_below(&out("one")), bytes_below(&out("two")));
    assert_eq!(differing(&a, &b), Vec::<String>::new());
    for file in [
        "report.html",
        "results.json",
        "run.json",
        "predictions.csv",
        "confusion.csv",
        "scores.csv",
        "figures/confusion.svg",
        "figures/confusion.png",
        "figures/learning_mel.svg",
        "figures/subsets.png",
        "confusion_mlfcf.csv",
        "subsets.csv",
        "combination.json",
        "splits/test_split_1.txt",
        "folds/0/0/mel/network.safetensors",
        "folds/0/0/timbre_vector/model.json",
        "folds/1/0/mel/codes.npy",
    ] {
        assert!(a.contains_key(file), "{file} is missing: {:?}", a.keys());
    }

    // Once more: nothing is to be done, nothing changes.
    run(&one, &Silent).unwrap();
    assert_eq!(differing(&a, &bytes_below(&out("one"))), Vec::<String>::new());

    // Split files give the same test parts.
    let from_files =
        RunConfig { splits: Some(out("one/splits")), out: out("three"), epochs: Some(1), ..one.clone() };
    let again = run(&from_files, &Silent).unwrap();
    let test_fold =
        |r: &mgr_pipeline::Results| r.clips.iter().map(|c| (c.id.clone(), c.fold)).collect::<Vec<_>>();
    assert_eq!(test_fold(results), test_fold(&again.results));

    let predictor = Predictor::load(&out("one")).unwrap();
    assert_eq!(predictor.classes(), ["hiss", "hum", "pulse"]);
    let prediction = predictor.predict(&root.join("hiss/hiss0.wav")).unwrap();
    assert!((prediction.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    assert_eq!(
        prediction.probabilities[prediction.class],
        prediction.probabilities.iter().copied().fold(0.0, f32::max)
    );
    // What a fold says of its test clip is what the predictor says of it where there is one fold alone.
    let tested = evaluate(&out("one"), &root, None, &out("evaluation"), &Silent).unwrap();
    assert_eq!((tested.clips.len(), tested.bad.len()), (24, 4));
    // It learned from these very clips, and says so.
    let page = fs::read_to_string(out("evaluation/report.html")).unwrap();
    assert!(page.contains("24 of 28 have the genre and name of clips that the run learned from"));
    assert!(predictor.predict(&root.join("hum/list.mp3")).unwrap_err().to_string().contains("not audio"));
}

#[test]
fn artists_stay_on_one_side() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    write_dataset(&root, 8);
    let table = folder.path().join("artists.csv");
    let mut lines = "track,artist\n".to_owned();
    for clip in 0..8 {
        for genre in ["hiss", "hum", "pulse"] {
            lines.push_str(&format!("{genre}{clip},{genre} band {}\n", clip / 2));
        }
    }
    fs::write(&table, lines).unwrap();
    let config = RunConfig {
        groups: Some(table.clone()),
        epochs: Some(1),
        ..config(&root, &folder.path().join("out"), &folder.path().join("cache"))
    };
    let results = run(&config, &Silent).unwrap().results;
    for clip in &results.clips {
        let stem = clip.id.rsplit('/').next().unwrap().trim_end_matches(".wav");
        let (genre, number) = stem.split_at(stem.len() - 1);
        let partner = format!("{genre}{}", number.parse::<usize>().unwrap() ^ 1);
        let other = results.clips.iter().find(|c| c.id.contains(&partner)).unwrap();
        assert_eq!(clip.fold, other.fold, "{stem} and {partner} are of one artist");
    }
    let page = fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(!page.contains("Name the artists"), "no warning where artists are named");

    let too_many = RunConfig { folds: 5, fresh: true, ..config };
    let message = run(&too_many, &Silent).unwrap_err().to_string();
    assert!(
        message.contains("class hiss has 4 groups (artists), 5 folds were asked for; at most --folds 4"),
        "{message}"
    );
}

#[test]
fn few_artists_in_a_training_part() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    write_dataset(&root, 6);
    let table = folder.path().join("artists.csv");
    let run_with = |hiss: usize, others: usize| {
        let mut lines = "track,artist\n".to_owned();
        for clip in 0..6 {
            for (genre, each) in [("hiss", hiss), ("hum", others), ("pulse", others)] {
                lines.push_str(&format!("{genre}{clip},{genre} band {}\n", clip / each));
            }
        }
        fs::write(&table, lines).unwrap();
        let config = RunConfig {
            groups: Some(table.clone()),
            inner: 1,
            epochs: Some(1),
            fresh: true,
            ..config(&root, &folder.path().join("out"), &folder.path().join("cache"))
        };
        run(&config, &Silent).map(|done| done.results)
    };
    // One artist of each genre is left: none can be set aside.
    let message = run_with(3, 3).unwrap_err().to_string();
    assert!(message.contains("no validation clip: every class needs two artists"), "{message}");
    // Only clips of one genre can be: nothing is stacked on them, and the run goes on without.
    let results = run_with(1, 3).unwrap();
    assert_eq!(results.clips.len(), 18);
    let names: Vec<&str> = results.scores.iter().map(|score| score.system.as_str()).collect();
    assert!(!names.contains(&"stacking by logistic regression"), "{names:?}");
    assert!(names.contains(&"majority class"), "{names:?}");
}

#[test]
fn the_published_protocol_says_that_it_is_optimistic() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    write_dataset(&root, 6);
    let base = config(&root, &folder.path().join("run"), &folder.path().join("cache"));
    let published = RunConfig { protocol: Protocol::Published, epochs: Some(1), ..base };
    let results = run(&published, &Silent).unwrap().results;
    assert!(results.nested.is_some());
    let page = fs::read_to_string(folder.path().join("run/report.html")).unwrap();
    for words in ["OPTIMISTIC", "Chosen on test (optimistic)", "Chosen on validation (honest)"] {
        assert!(page.contains(words), "the report does not say {words}");
    }
    // Everything is learned from but the test fold, and chosen on the test fold.
    let record: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("run/run.json")).unwrap()).unwrap();
    let fold = &record["folds"][0];
    assert_eq!(fold["splits"][0]["validation"], fold["test"]);
}

#[test]
fn a_final_run_learns_from_everything_and_predicts() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    write_dataset(&root, 6);
    let base = config(&root, &folder.path().join("run"), &folder.path().join("cache"));
    let last = RunConfig { final_fit: true, inner: 3, meta: MetaKind::Learner, epochs: Some(1), ..base };
    let results = run(&last, &Silent).unwrap().results;
    assert!(!results.on_test);
    assert_eq!(results.clips.len(), 18, "each clip is validated once");
    let page = fs::read_to_string(folder.path().join("run/report.html")).unwrap();
    assert!(page.contains("There is no test fold"));
    let predictor = Predictor::load(&folder.path().join("run")).unwrap();
    assert!(predictor.predict(&root.join("hum/hum0.wav")).unwrap().missing.is_empty());
}
