//! The studies from their command lines: what they leave, and what they say to bad input.

#[allow(dead_code, reason = "an example's main")]
#[path = "../gtzan8_study.rs"]
mod gtzan8_study;
#[allow(dead_code, reason = "an example's main")]
#[path = "../image_cnn_study.rs"]
mod image_cnn_study;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use examples::studies::flags::{Failure, exit_code};

/// A folder that is removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mgr-studies-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.join(below)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Genres of tones that differ in pitch.
fn genres(root: &Path, counts: &[(&str, usize)], seconds: f64) {
    for (genre, &(name, clips)) in counts.iter().enumerate() {
        fs::create_dir_all(root.join(name)).unwrap();
        for clip in 0..clips {
            let format = hound::WavSpec {
                channels: 1,
                sample_rate: 22_050,
                bits_per_sample: 16,
                sample_format: hound::SampleFormat::Int,
            };
            let path = root.join(name).join(format!("{name}.{clip:05}.wav"));
            let mut writer = hound::WavWriter::create(path, format).unwrap();
            let step = 0.02 * (1 + genre) as f64 + 0.001 * clip as f64;
            for n in 0..(seconds * 22_050.0) as usize {
                writer.write_sample((8000.0 * (n as f64 * step).sin()) as i16).unwrap();
            }
            writer.finalize().unwrap();
        }
    }
}

/// A command line of words; `ROOT` and `OUT` stand for folders of the scratch.
fn words(scratch: &Scratch, line: &str) -> Vec<OsString> {
    let word = |word: &str| match word {
        "ROOT" => scratch.path("clips").into_os_string(),
        "OUT" => scratch.path("out").into_os_string(),
        "TABLE" => scratch.path("table.csv").into_os_string(),
        word => word.into(),
    };
    std::iter::once("study".into()).chain(line.split_whitespace().map(word)).collect()
}

/// What a study says when it refuses: one line, and the program ends with 1.
fn refusal(result: Result<(), Failure>) -> String {
    let told = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
    assert!(!told.is_empty() && !told.contains('\n'), "one sentence, got {told:?}");
    assert_eq!(exit_code("study", result), 1);
    told
}

const IMAGE_QUICK: &str = "--root ROOT --out OUT --epochs 1 --size 16x24 --models frequency,time --batch-size 8 --train-size 0.5 --validation-size 0.2";

#[test]
fn the_image_study_leaves_reports_pictures_and_networks() {
    let scratch = Scratch::new("image");
    genres(&scratch.path("clips"), &[("low", 6), ("mid", 6), ("high", 6)], 0.8);
    fs::write(scratch.path("clips/low/broken.wav"), b"RIFF").unwrap();
    image_cnn_study::run(words(&scratch, IMAGE_QUICK)).unwrap();
    for file in [
        "report.html",
        "results.csv",
        "split.json",
        "frequency/report.html",
        "frequency/model.safetensors",
        "frequency/history.csv",
        "frequency/figures/confusion.svg",
        "frequency/figures/learning_curves.png",
        "time/predictions.json",
    ] {
        assert!(scratch.path("out").join(file).is_file(), "{file}");
    }
    let pictures: usize = ["train", "validation", "test"]
        .iter()
        .flat_map(|part| ["low", "mid", "high"].map(|genre| format!("out/pictures/{part}/{genre}")))
        .map(|folder| fs::read_dir(scratch.path(&folder)).unwrap().count())
        .sum();
    assert_eq!(pictures, 18, "the broken clip has none");
    let report = fs::read_to_string(scratch.path("out/report.html")).unwrap();
    assert!(report.contains("low/broken.wav") && report.contains("frequency"));

    // Three spectrograms as channels, listing order.
    let line = format!("{IMAGE_QUICK} --feature mel,chroma_stft,mfcc --order listing");
    image_cnn_study::run(words(&scratch, &line)).unwrap();
    let split = fs::read_to_string(scratch.path("out/split.json")).unwrap();
    assert!(split.contains("ordered_ratio"));
}

#[test]
fn the_image_study_with_artists_keeps_them_apart() {
    let scratch = Scratch::new("artists");
    genres(&scratch.path("clips"), &[("low", 6), ("high", 6)], 0.5);
    let mut table = "track,artist\n".to_owned();
    for genre in ["low", "high"] {
        for clip in 0..6 {
            table.push_str(&format!("{genre}.{clip:05},{genre} {}\n", clip / 2));
        }
    }
    fs::write(scratch.path("table.csv"), table).unwrap();
    let line = format!("{IMAGE_QUICK} --groups TABLE --models time");
    image_cnn_study::run(words(&scratch, &line)).unwrap();
    let split = fs::read_to_string(scratch.path("out/split.json")).unwrap();
    let split: serde_json::Value = serde_json::from_str(&split).unwrap();
    let fold = &split["folds"][0];
    let artists = |part: &str| -> Vec<String> {
        let ids = fold[part].as_array().unwrap().iter().map(|id| id.as_str().unwrap());
        ids.map(|id| {
            let clip: usize = id[id.len() - 9..id.len() - 4].parse().unwrap();
            format!("{}{}", &id[..3], clip / 2)
        })
        .collect()
    };
    assert!(
        artists("train").iter().all(|a| !artists("test").contains(a) && !artists("validation").contains(a))
    );
}

#[test]
fn cbmi_2016_votes_over_chunks_in_folds() {
    let scratch = Scratch::new("cbmi");
    // 2.5 s at 44.1 kHz are 108 frames, one chunk; 4.5 s are two.
    genres(&scratch.path("clips"), &[("low", 6), ("high", 6)], 4.5);
    let line =
        "--protocol cbmi2016 --root ROOT --out OUT --folds 2 --epochs 1 --models time,time_frequency_init";
    image_cnn_study::run(words(&scratch, line)).unwrap();
    let results = fs::read_to_string(scratch.path("out/results.csv")).unwrap();
    assert!(results.contains("time_frequency_init") && results.contains("87.7 %"), "{results}");
    let told = refusal(image_cnn_study::run(words(&scratch, &line.replace("time,", "resnet,"))));
    assert!(told.contains("resnet") && told.contains("black_box_250"), "{told}");
}

#[test]
fn gtzan_8_runs_several_networks_several_times() {
    let scratch = Scratch::new("gtzan8");
    genres(&scratch.path("clips"), &[("low", 8), ("high", 8)], 4.3);
    let line = "--root ROOT --out OUT --split random --n_epochs 1 --n_train 2 --model Base2DCNN --augment --train_bsz 8";
    gtzan8_study::run(words(&scratch, line)).unwrap();
    for file in ["report.html", "base2dcnn/log.txt", "base2dcnn/run_2/model.safetensors"] {
        assert!(scratch.path("out").join(file).is_file(), "{file}");
    }
    let log = fs::read_to_string(scratch.path("out/base2dcnn/log.txt")).unwrap();
    assert!(log.contains("run 2, seed 2") && log.contains("mean of 2 runs") && log.contains("rows are true"));
    let results = fs::read_to_string(scratch.path("out/results.csv")).unwrap();
    assert!(results.contains("73.8 %"), "the published row of Base2DCNN, augmented: {results}");

    let line = format!("{line} --use_segment --title segments --n-train 1");
    gtzan8_study::run(words(&scratch, &line.replace("--n_train 2", ""))).unwrap();
    assert!(scratch.path("out/base2dcnn-segments/run_1/report.html").is_file());
}

#[test]
fn datasets_that_are_not_there_or_of_the_wrong_kind_are_told() {
    let scratch = Scratch::new("wrong");
    for study in [image_cnn_study::run::<Vec<OsString>>, gtzan8_study::run::<Vec<OsString>>] {
        let told = refusal(study(words(&scratch, "--root ROOT --out OUT")));
        assert!(told.contains("--root"), "not there: {told}");
    }
    let check = |line: &str, words_of: &[&str]| {
        for study in [image_cnn_study::run::<Vec<OsString>>, gtzan8_study::run::<Vec<OsString>>] {
            let told = refusal(study(words(&scratch, line)));
            assert!(words_of.iter().all(|word| told.contains(word)), "{line}: {told}");
        }
    };
    fs::create_dir_all(scratch.path("clips/pictures")).unwrap();
    fs::write(scratch.path("clips/pictures/one.png"), b"png").unwrap();
    check("--root ROOT --out OUT", &["no audio file found", "--root"]);
    fs::write(scratch.path("table.csv"), b"a,b\n1,2\n").unwrap();
    check("--root TABLE --out OUT", &["is a file", "--root"]);
    check("--root ROOT --out OUT --colour-of-the-day", &["--colour-of-the-day", "--help"]);
}

#[test]
fn datasets_that_are_half_there_are_told() {
    let scratch = Scratch::new("half");
    // The GTZAN-8 study knows its clips by name.
    genres(&scratch.path("clips"), &[("jazz", 4), ("metal", 4)], 0.3);
    let told = refusal(gtzan8_study::run(words(&scratch, "--root ROOT --out OUT")));
    assert!(told.contains("of the study's 730 clips") && told.contains("--partial"), "{told}");
    let told = refusal(gtzan8_study::run(words(&scratch, "--root ROOT --out OUT --partial")));
    assert!(told.contains("--genres"), "too few for its split: {told}");

    // A genre whose clips are all broken.
    fs::create_dir_all(scratch.path("clips/pop")).unwrap();
    fs::write(scratch.path("clips/pop/pop.00000.wav"), b"nothing").unwrap();
    let told = refusal(image_cnn_study::run(words(&scratch, IMAGE_QUICK)));
    assert!(told.contains("no clip of pop can be used") && told.contains("--genres"), "{told}");
    image_cnn_study::run(words(&scratch, &format!("{IMAGE_QUICK} --genres jazz,metal"))).unwrap();
}

#[test]
fn a_class_too_small_for_its_split_is_told_by_name() {
    let scratch = Scratch::new("small");
    genres(&scratch.path("clips"), &[("low", 6), ("tiny", 2)], 0.3);
    for told in [
        refusal(image_cnn_study::run(words(&scratch, IMAGE_QUICK))),
        refusal(gtzan8_study::run(words(&scratch, "--root ROOT --out OUT --split random"))),
        refusal(image_cnn_study::run(words(&scratch, "--protocol cbmi2016 --root ROOT --out OUT --folds 4"))),
    ] {
        assert!(told.contains("tiny has 2 clips") && told.contains("--genres"), "{told}");
    }
}

#[test]
fn flags_without_an_equivalent_and_bad_values_are_told() {
    let scratch = Scratch::new("flags");
    genres(&scratch.path("clips"), &[("low", 6), ("high", 6)], 0.3);
    let image = |more: &str| refusal(image_cnn_study::run(words(&scratch, &format!("{IMAGE_QUICK} {more}"))));
    let gtzan8 = |more: &str| {
        refusal(gtzan8_study::run(words(&scratch, &format!("--root ROOT --out OUT --split random {more}"))))
    };
    for (told, parts) in [
        (image("--dataset_path x"), ["--dataset_path", "--root"]),
        (image("--svm"), ["--svm", "vgg16"]),
        (image("--color-map rainbow"), ["rainbow", "magma"]),
        (image("--order listing --groups TABLE"), ["--groups", "--order listing"]),
        (gtzan8("--debug"), ["--debug", "--n-epochs 1"]),
        (gtzan8("--model resnet99"), ["resnet99", "--help"]),
        (gtzan8("--channels 2"), ["--channels", "1 or 3"]),
        (gtzan8("--n-train 0"), ["--n-train", "1 and more"]),
        (gtzan8("--model q1"), ["q1", "other"]),
        (gtzan8("--model q2 --embed-weights gone.safetensors"), ["gone.safetensors", "--embed-weights"]),
    ] {
        assert!(parts.iter().all(|part| told.contains(part)), "{told}");
    }
    let told = refusal(gtzan8_study::run(words(&scratch, "--root ROOT --out OUT --split gone.json")));
    assert!(told.contains("gone.json") && told.contains("--split takes"), "{told}");
    let told = refusal(image_cnn_study::run(words(
        &scratch,
        "--root ROOT --out OUT --epochs 1 --size 120x200 --models fcn",
    )));
    assert!(told.contains("fcn") && told.contains("1280"), "{told}");
    let told = refusal(image_cnn_study::run(words(
        &scratch,
        "--root ROOT --out OUT --models vgg16 --weights gone.safetensors",
    )));
    assert!(told.contains("gone.safetensors") && told.contains("--weights none"), "{told}");
}
