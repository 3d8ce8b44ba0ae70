//! What cannot work says so in a sentence, and takes nothing away.

use std::fs;

use crate::common::{config, write_dataset};
use mgr_audio::{ShortClip, WavFormat, write_wav};
use mgr_pipeline::predict::Predictor;
use mgr_pipeline::progress::Silent;
use mgr_pipeline::{DatasetKind, MetaKind, Protocol, RunConfig, VerdictRule, run::run};

fn refused(config: &RunConfig) -> String {
    run(config, &Silent).unwrap_err().to_string()
}

#[test]
fn configurations_that_cannot_work() {
    let folder = tempfile::tempdir().unwrap();
    let base = config(folder.path(), &folder.path().join("out"), &folder.path().join("cache"));
    for (config, words) in [
        (RunConfig { root: None, ..base.clone() }, "root is not given"),
        (RunConfig { dataset: DatasetKind::Demo, ..base.clone() }, "dataset is demo"),
        (RunConfig { folds: 1, ..base.clone() }, "folds is 1"),
        (RunConfig { validation: 0.0, ..base.clone() }, "validation is 0"),
        (RunConfig { validation: f64::NAN, ..base.clone() }, "validation is NaN"),
        (RunConfig { threads: Some(0), ..base.clone() }, "threads is 0"),
        (RunConfig { segment_seconds: -1.0, ..base.clone() }, "segment-seconds is -1"),
        (
            RunConfig { segments: 10_000, segment_seconds: 3600.0, ..base.clone() },
            "segments is 10000 of 3600 s",
        ),
        (RunConfig { seed: u64::MAX, ..base.clone() }, "seed"),
        (RunConfig { segments: 0, ..base.clone() }, "segments is 0"),
        (RunConfig { epochs: Some(0), ..base.clone() }, "epochs"),
        (RunConfig { learning_rate: Some(f64::INFINITY), ..base.clone() }, "learning_rate"),
        (RunConfig { features: Vec::new(), ..base.clone() }, "features is 0 of them"),
        (RunConfig { features: vec!["mell".into()], ..base.clone() }, "features is mell"),
        (RunConfig { features: vec!["mel".into(), "mel".into()], ..base.clone() }, "mel twice"),
        (RunConfig { crop_frames: Some(8), ..base.clone() }, "crop-frames is 8"),
        (RunConfig { segment_seconds: 0.2, ..base.clone() }, "frames"),
        (RunConfig { top: 0, ..base.clone() }, "top is 0"),
        (RunConfig { inner: 0, ..base.clone() }, "inner is 0"),
        (RunConfig { short_clip: ShortClip::Reject, ..base.clone() }, "short-clip is reject"),
        (RunConfig { meta: MetaKind::None, verdict: VerdictRule::Meta, ..base.clone() }, "verdict is meta"),
        (RunConfig { final_fit: true, protocol: Protocol::Published, ..base.clone() }, "final is true"),
        (RunConfig { clips_per_style: 0, ..base.clone() }, "clips_per_style"),
    ] {
        let message = refused(&config);
        assert!(message.contains(words), "expected {words:?} in {message:?}");
    }
    assert!(!folder.path().join("out").exists(), "nothing is written before the configuration is right");
}

#[test]
fn datasets_that_cannot_work() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    let base = config(&root, &folder.path().join("out"), &folder.path().join("cache"));
    assert!(refused(&base).contains("cannot open the dataset folder"));

    let wav = |name: &str| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let samples: Vec<f32> = (0..48_000).map(|n| (n as f32 * 0.1).sin()).collect();
        write_wav(&path, &samples, 16_000, WavFormat::Pcm16).unwrap();
    };
    wav("jazz/a.wav");
    wav("jazz/b.wav");
    assert!(refused(&base).contains("one genre only (jazz)"));

    fs::create_dir_all(root.join("rock")).unwrap();
    fs::write(root.join("rock/a.mp3"), b"not music").unwrap();
    let message = refused(&base);
    assert!(
        message.contains("class rock: none of its 1 clips can be used") && message.contains("rock/a.mp3"),
        "{message}"
    );

    wav("rock/b.wav");
    let message = refused(&base);
    assert!(message.contains("class rock has 1 clips that can be used, 2 folds were asked for"), "{message}");

    let splits = RunConfig { splits: Some(folder.path().join("none")), ..base.clone() };
    assert!(refused(&splits).contains("no split files"));
    let groups = RunConfig { groups: Some(folder.path().join("none.csv")), ..base };
    assert!(refused(&groups).contains("none.csv: cannot open the groups table"));
}

#[test]
fn output_folders_that_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    write_dataset(&root, 6);
    let out = folder.path().join("out");
    fs::write(&out, b"my notes").unwrap();
    let base = RunConfig { epochs: Some(1), ..config(&root, &out, &folder.path().join("cache")) };
    let message = refused(&base);
    assert!(message.contains("is a file, expected a folder"), "{message}");
    assert_eq!(fs::read(&out).unwrap(), b"my notes");

    let out = folder.path().join("run");
    let base = RunConfig { out: out.clone(), ..base };
    run(&base, &Silent).unwrap();
    let before = fs::read(out.join("run.json")).unwrap();
    let other = RunConfig { seed: 99, epochs: Some(2), ..base.clone() };
    let message = refused(&other);
    assert!(message.contains("differs in epochs, seed") && message.contains("--fresh"), "{message}");
    assert_eq!(fs::read(out.join("run.json")).unwrap(), before, "the old run is untouched");
    fs::write(out.join("splits/test_split_7.txt"), "old").unwrap();
    run(&RunConfig { fresh: true, ..other }, &Silent).unwrap();
    assert!(!out.join("splits/test_split_7.txt").exists(), "nothing of the old run is left");
    assert_ne!(fs::read(out.join("run.json")).unwrap(), before);

    // Two at a time.
    let lock = fs::File::open(out.join("lock")).unwrap();
    lock.lock().unwrap();
    let message = refused(&RunConfig { seed: 99, epochs: Some(2), ..base.clone() });
    assert!(message.contains("another run is at work"), "{message}");
    drop(lock);

    // A run that lost a file, one of another version, and none at all.
    let network = out.join("folds/1/0/mel/network.safetensors");
    let whole = fs::read(&network).unwrap();
    fs::write(&network, &whole[..whole.len() / 2]).unwrap();
    assert!(Predictor::load(&out).unwrap_err().to_string().contains("network.safetensors"));
    fs::write(&network, &whole).unwrap();
    let damaged = |file: &str, from: &str, to: &str| {
        let path = out.join(file);
        let before = fs::read_to_string(&path).unwrap();
        assert!(before.contains(from), "{file}");
        fs::write(&path, before.replacen(from, to, 1)).unwrap();
        let message = Predictor::load(&out).unwrap_err().to_string();
        fs::write(&path, before).unwrap();
        message
    };
    Predictor::load(&out).unwrap();
    assert!(
        damaged("combination.json", "\"top\": [", "\"top\": [4096,").contains("none of the run's features")
    );
    assert!(damaged("folds/0/stacking.json", "{", "[").contains("stacking.json"));
    assert!(damaged("folds/0/0/mel/unit.json", "\"mean\": [", "\"mean\": [0.5,").contains("scale"));
    assert!(damaged("folds/0/0/timbre_vector/model.json", "\"hiss\"", "\"hush\"").contains("other classes"));
    fs::remove_file(out.join("results.json")).unwrap();
    assert!(Predictor::load(&out).unwrap_err().to_string().contains("stopped before its end"));
    let text = String::from_utf8(fs::read(out.join("run.json")).unwrap()).unwrap();
    fs::write(out.join("run.json"), text.replace("\"format\": 2", "\"format\": 7")).unwrap();
    let message = Predictor::load(&out).unwrap_err().to_string();
    assert!(message.contains("in format 7, this version reads format 2"), "{message}");
    fs::write(out.join("run.json"), text.replace("\"format\": 2", "\"format\": 1")).unwrap();
    let message = Predictor::load(&out).unwrap_err().to_string();
    assert!(message.contains("a build of mgr from before"), "{message}");
    assert!(Predictor::load(folder.path()).is_err());
}

#[test]
fn a_changed_feature_alone_is_computed_anew() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    write_dataset(&root, 6);
    let out = folder.path().join("run");
    let base = config(&root, &out, &folder.path().join("cache"));
    run(&base, &Silent).unwrap();
    let stamp = |name: &str| {
        fs::metadata(out.join("folds/0/0").join(name).join("unit.json")).unwrap().modified().unwrap()
    };
    let (mel, timbre) = (stamp("mel"), stamp("timbre_vector"));
    let changed = RunConfig { crop_frames: Some(33), ..base };
    run(&changed, &Silent).unwrap();
    assert_ne!(stamp("mel"), mel, "its training changed");
    assert_eq!(stamp("timbre_vector"), timbre, "nothing of it changed");
}

#[test]
fn missing_weights_leave_a_feature_out_and_say_how_to_get_them() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    write_dataset(&root, 6);
    let base = config(&root, &folder.path().join("run"), &folder.path().join("cache"));
    let with = RunConfig { features: vec!["transfer".into(), "timbre_vector".into()], ..base.clone() };
    let results = run(&with, &Silent).unwrap().results;
    assert!(
        results.skipped[0].contains("transfer is left out")
            && results.skipped[0].contains("mgr weights import")
    );
    let only = RunConfig { features: vec!["transfer".into()], fresh: true, ..base };
    assert!(refused(&only).contains("none of the features can be computed"));
}

#[test]
fn a_clip_without_one_feature_is_used_with_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    write_dataset(&root, 6);
    // 80 ms: too short for a frame of the mel spectrogram, repeated for the vector.
    let blink: Vec<f32> = (0..1280).map(|n| 0.3 * (n as f32 * 0.2).sin()).collect();
    write_wav(&root.join("hum/blink.wav"), &blink, 16_000, WavFormat::Pcm16).unwrap();
    let base = config(&root, &folder.path().join("run"), &folder.path().join("cache"));
    let results = run(&base, &Silent).unwrap().results;
    assert_eq!(results.clips.len(), 19);
    assert!(
        results.partial.iter().any(|b| b.id == "hum/blink.wav" && b.reason.contains("mel")),
        "{:?}",
        results.partial
    );
    let predictor = Predictor::load(&folder.path().join("run")).unwrap();
    let prediction = predictor.predict(&root.join("hum/blink.wav")).unwrap();
    assert_eq!(prediction.missing.len(), 1);
    assert!((prediction.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
}
