//! MusicFeaturization and Bahuleyan's study on tiny clips, and what they say of input that they cannot use.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../music_featurization.rs"]
#[allow(dead_code)]
mod music_featurization;

use std::path::{Path, PathBuf};

use examples::studies::picture_parts::spoken::{Refusal, flags};
use music_featurization::{FOREIGN, Study, run};

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("mgr-featurization-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn study(arguments: &[&str]) -> Result<(), String> {
    let arguments =
        std::iter::once("music_featurization").chain(arguments.iter().copied()).map(str::to_owned);
    match flags::<Study>(arguments, FOREIGN) {
        Ok(study) => run(&study, "music_featurization"),
        Err(Refusal::Sentence(reason)) => Err(reason),
        Err(Refusal::Usage(error)) => panic!("{error}"),
    }
}

fn refused(arguments: &[&str], words: &[&str]) {
    let reason = study(arguments).expect_err("it should be refused");
    assert!(!reason.contains('\n'), "more than one line: {reason}");
    for word in words {
        assert!(reason.contains(word), "{word:?} is not in: {reason}");
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A second of a tone with harmonics, of its own colour for each genre.
fn tone(path: &Path, genre: u32, number: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 22_050,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    let pitch = 110.0 * f64::from(1 + genre) + f64::from(number);
    for n in 0..22_050_u32 {
        let t = f64::from(n) / 22_050.0;
        let harmonics = (1..=3 + 3 * genre)
            .map(|k| (std::f64::consts::TAU * pitch * f64::from(k) * t).sin() / f64::from(k));
        let sample = 6000.0 * harmonics.sum::<f64>() * (1.0 + (12.0 * t).sin()) / 2.0;
        writer.write_sample(sample as i16).unwrap();
    }
    writer.finalize().unwrap();
}

/// Genres of `clips` tones each.
fn music(root: &Path, genres: &[&str], clips: u32) {
    for (at, genre) in (0..).zip(genres) {
        for number in 0..clips {
            tone(&root.join(genre).join(format!("{genre}.{number:05}.wav")), at, number);
        }
    }
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn tags_become_one_class_by_priority() {
    let root = folder("mtat");
    let work = root.join("work");
    let tags = ["baroque", "classical", "hard rock", "jazz", "rock", "violin"];
    let mut text = format!("\"clip_id\"\t\"{}\"\t\"mp3_path\"\n", tags.join("\"\t\""));
    let mut info = String::from("clip_id\tartist\talbum\ttitle\n");
    // Of each genre 12 clips of six artists: baroque (also classical), classical (also violin), jazz (also rock), rock.
    let positive = [[1, 1, 0, 0, 0, 0], [0, 1, 0, 0, 0, 1], [0, 0, 0, 1, 1, 0], [0, 0, 1, 0, 1, 0]];
    for clip in 0..48_u32 {
        let genre = (clip % 4) as usize;
        let cells: Vec<String> = positive[genre].iter().map(|v| format!("\"{v}\"")).collect();
        text += &format!("\"{clip}\"\t{}\t\"f/song-{clip}.wav\"\n", cells.join("\t"));
        info += &format!("{clip}\tartist {}\talbum\tsong\n", clip / 8 * 4 + clip % 4);
        tone(&root.join(format!("f/song-{clip}.wav")), clip % 4, clip);
    }
    // One clip without any of the six.
    text += "\"99\"\t\"0\"\t\"0\"\t\"0\"\t\"0\"\t\"0\"\t\"1\"\t\"f/none.wav\"\n";
    std::fs::write(root.join("annotations_final.csv"), text).unwrap();
    std::fs::write(root.join("clip_info_final.csv"), info).unwrap();
    let common = ["prepare", "--root", path(&root), "--work", path(&work), "--size", "32"];
    study(&common).unwrap();
    let about: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(work.join("preparation.json")).unwrap()).unwrap();
    assert_eq!(about["classes"], serde_json::json!(["classical", "baroque", "jazz", "rock"]));
    assert_eq!(about["codes"], serde_json::json!([1, 2, 6, 3]));
    assert!(about["split"].as_str().unwrap().contains("apart by artist"));
    let all: Vec<String> =
        ["train", "val", "test"].iter().flat_map(|p| lines(&work.join(format!("{p}_files.txt")))).collect();
    assert_eq!(all.len(), 48);
    // Clip 0 is baroque and classical, the first in the order of priority is baroque; clip 2 is jazz and rock.
    for name in ["baroque.0_song-0.png", "classical.1_song-1.png", "jazz.2_song-2.png", "rock.3_song-3.png"] {
        assert!(all.iter().any(|n| n == name), "{name} is not in {all:?}");
        let picture =
            examples::studies::picture_parts::clips::read_png(&work.join("images").join(name)).unwrap();
        assert_eq!(picture.dim(), (32, 32, 3));
    }
    let artist = |file: &str| about["artists"][file].as_str().unwrap().to_owned();
    let of = |part: &str| {
        lines(&work.join(format!("{part}_files.txt"))).iter().map(|f| artist(f)).collect::<Vec<_>>()
    };
    assert!(of("test").iter().all(|a| !of("train").contains(a) && !of("val").contains(a)));
    assert!(lines(&work.join("genres.csv")).contains(&"3,hard_rock".to_owned()));
    assert!(lines(&work.join("instruments.csv")).contains(&"1,violin".to_owned()));

    // The published rule: by clip, scikit-learn's permutation of seed 10.
    study(&[&common[..], &["--split", "published"]].concat()).unwrap();
    let count = |part: &str| lines(&work.join(format!("{part}_files.txt"))).len();
    assert_eq!(["train", "val", "test"].map(count), [34, 4, 10]);
    // The study's own lists.
    let lists = root.join("lists");
    std::fs::create_dir_all(&lists).unwrap();
    for (part, clips) in [("train", [0, 1, 2]), ("val", [4, 5, 6]), ("test", [8, 9, 10])] {
        let text: String = clips.iter().map(|c| format!("x.{c}_song.jpg\n")).collect();
        std::fs::write(lists.join(format!("{part}_files.txt")), text).unwrap();
    }
    study(&[&common[..], &["--lists", path(&lists)]].concat()).unwrap();
    assert_eq!(["train", "val", "test"].map(count), [3, 3, 3]);
    refused(&[&common[..], &["--lists", path(&root)]].concat(), &["--lists", "train_files.txt"]);

    // Half there.
    std::fs::remove_file(root.join("f/song-7.wav")).unwrap();
    refused(&common, &["1 of 48 files", "--allow-missing"]);
    study(&[&common[..], &["--allow-missing"]].concat()).unwrap();
    // Another header, another kind of dataset, none.
    std::fs::write(root.join("annotations_final.csv"), "clip\tx\n1\t0\n").unwrap();
    refused(&common, &["clip_id", "--dataset"]);
    refused(&["prepare", "--root", path(&lists)], &["annotations_final.csv", "--dataset"]);
    refused(&["prepare", "--root", "/nowhere/at/all"], &["not there", "--root"]);
    std::fs::remove_dir_all(&root).unwrap();
}

#[cfg(feature = "nets")]
#[test]
fn a_folder_is_prepared_trained_chosen_tested_and_featurized() {
    let root = folder("all");
    let (audio, work) = (root.join("music"), root.join("work"));
    music(&audio, &["low", "middle"], 12);
    let from = ["--dataset", "folder", "--root", path(&audio), "--work", path(&work), "--size", "32"];
    let how = ["--epochs", "2", "--batch", "8", "--weights", "none"];
    study(&[&["all"], &from[..], &how[..]].concat()).unwrap();
    let models: Vec<String> = std::fs::read_dir(work.join("models"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("epoch_"))
        .collect();
    assert_eq!(models.len(), 2, "{models:?}");
    let history = lines(&work.join("models/history.csv"));
    assert_eq!(history.len(), 3);
    for (epoch, line) in history.iter().skip(1).enumerate() {
        let accuracy: f64 = line.rsplit(',').next().unwrap().parse().unwrap();
        let name = format!("epoch_{:02}_{accuracy:.4}.safetensors", epoch + 1);
        assert!(models.contains(&name), "{name} is not in {models:?}");
    }
    let test = lines(&work.join("test_files.txt"));
    let by_file = lines(&work.join("results/music_dataset_testing.csv"));
    let by_genre = lines(&work.join("results/music_dataset.csv"));
    assert_eq!((by_file.len(), by_genre.len()), (test.len(), test.len()));
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let (one, two) = (cells(&by_file[0]), cells(&by_genre[0]));
    assert_eq!((one.len(), two.len()), (513, 514));
    assert_eq!(one[0], test[0]);
    assert_eq!((two[0].as_str(), two[1].as_str()), ("1", test[0].split('.').nth(1).unwrap()));
    assert_eq!(one[1..], two[2..]);
    assert!(one[1..].iter().all(|v| v.parse::<f32>().unwrap() >= 0.0), "the features stand after ReLU");
    let scores: ndarray::Array2<f32> =
        ndarray_npy::read_npy(work.join("results/prediction_probabilities.npy")).unwrap();
    assert_eq!(scores.dim(), (test.len(), 2));
    assert!(scores.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-5));
    let sheet = std::fs::read_to_string(work.join("results/res.txt")).unwrap();
    assert!(sheet.contains("TOP_1: ") && sheet.contains("Matthews"));
    assert!(work.join("report.html").is_file() && work.join("figures/learning_curves.svg").is_file());

    // Another epoch can be chosen, and what is missing is told.
    let at = ["--work", path(&work)];
    study(&[&["choose", "--epoch", "1"], &at[..]].concat()).unwrap();
    study(&[&["features", "--parts", "train,val"], &at[..]].concat()).unwrap();
    refused(&[&["choose", "--epoch", "9"], &at[..]].concat(), &["epoch 9", "1 to 2"]);
    refused(&[&["features", "--parts", "dev"], &at[..]].concat(), &["dev", "train, val, test"]);
    refused(&["train", "--work", path(&audio)], &["preparation.json", "prepare"]);
    refused(&["choose", "--work", path(&audio)], &["history.json", "train"]);
    refused(&[&["train", "--weights", "x.safetensors"], &at[..]].concat(), &["x.safetensors", "--weights"]);
    for name in models {
        std::fs::remove_file(work.join("models").join(name)).unwrap();
    }
    refused(&[&["test"], &at[..]].concat(), &["epoch_01", "choose"]);
    std::fs::remove_file(work.join("models/chosen.json")).unwrap();
    refused(&[&["test"], &at[..]].concat(), &["chosen.json", "choose"]);

    // A dataset with a genre too small for its split, then one with a clip that is none.
    tone(&audio.join("rare/rare.wav"), 3, 1);
    refused(&[&["prepare"], &from[..]].concat(), &["rare", "--least"]);
    study(&[&["prepare", "--least", "2"], &from[..]].concat()).unwrap();
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn hand_crafted_features_are_learned_from() {
    let root = folder("bahuleyan");
    let (audio, out) = (root.join("music"), root.join("out"));
    music(&audio, &["low", "middle"], 8);
    std::fs::write(audio.join("low/broken.wav"), b"RIFF").unwrap();
    let common = ["bahuleyan", "--root", path(&audio), "--out", path(&out), "--trees", "5"];
    study(&[&common[..], &["--folds", "2", "--pixels", "8"]].concat()).unwrap();
    let systems = lines(&out.join("systems.csv"));
    // Four classifiers, three counts of columns, two families, the pixels.
    assert_eq!(systems.len(), 11, "{systems:?}");
    assert_eq!(lines(&out.join("features.csv"))[0].split(',').count(), 2 + 97);
    let html = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(html.contains("broken.wav") && html.contains("ROC curves") && html.contains("feed-forward"));
    // The fourth bandwidth is its own, and with the published fault that of the third.
    let columns = |out: &Path| {
        let table = mgr_data::table::Table::read(&out.join("features.csv")).unwrap();
        let at = |name: &str| table.columns().iter().position(|c| c == name).unwrap();
        let [third, fourth] = [at("spectral_bandwidth_3_mean"), at("spectral_bandwidth_4_mean")];
        (table.values()[(0, third)], table.values()[(0, fourth)])
    };
    let (third, fourth) = columns(&out);
    assert!(fourth > third);
    study(&[&common[..], &["--folds", "1", "--as-published"]].concat()).unwrap();
    let (third, fourth) = columns(&out);
    assert_eq!(third, fourth);
    refused(&[&common[..], &["--folds", "20"]].concat(), &["low has 8 clips for 20 folds", "--least"]);
    refused(&[&common[..], &["--network", path(&audio)]].concat(), &["predictions.csv", "--network"]);
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn published_outputs_must_be_whole() {
    let root = folder("results");
    refused(&["results", "--results", path(&root)], &["prediction.npy", "--results"]);
    for name in ["prediction.npy", "prediction_probabilities.npy", "music_dataset.csv", "res.txt"] {
        std::fs::write(root.join(name), "x").unwrap();
    }
    refused(&["results", "--results", path(&root)], &["prediction.npy"]);
    std::fs::remove_dir_all(&root).unwrap();
}

/// The published predictions have the published measures.
#[test]
fn published_measures_follow_from_published_predictions() {
    let shared = std::env::var_os("MGR_SHARED").map_or_else(|| PathBuf::from("../../shared"), PathBuf::from);
    let results = shared.join("data/tables/music_featurization_results");
    if !results.is_dir() {
        assert!(std::env::var_os("MGR_REQUIRE_SHARED").is_none(), "{} is not there", results.display());
        eprintln!("SKIPPED: {} is not there", results.display());
        return;
    }
    let published = examples::studies::music_featurization::results::Published::read(&results).unwrap();
    let [sheet, of_rows] = published.sheets().unwrap();
    // res.txt has the tops in full, the others rounded to two or three decimals.
    for (at, name) in ["TOP_1", "TOP_2", "TOP_3"].into_iter().enumerate() {
        assert!((published.stated[name] - sheet.top[at]).abs() < 1e-12, "{name}");
        assert!((sheet.top[at] - of_rows.top[at]).abs() < 1e-12, "the order within a clip is the same");
    }
    assert!((published.stated["Test Set Matthews Coef"] - sheet.matthews).abs() <= 0.005);
    assert!((published.stated["Test Set F-score"] - sheet.macro_f1).abs() <= 0.005);
    assert!((published.stated["ROC AUC"] - sheet.roc_auc).abs() <= 0.0005);
    assert_eq!(sheet.matrix.rows().next().unwrap(), [630, 0, 23, 0, 4, 3]);
    assert!(published.batch_sums().iter().all(|sum| (sum - 1.0).abs() < 1e-4));
    assert_eq!(published.features.dim(), (1500, 512));
}

#[test]
fn settings_of_the_original_are_known() {
    refused(&["train", "--steps_per_epoch", "9"], &["--steps-per-epoch", "leave it away"]);
    refused(&["train", "--NUM_EPOCHS", "9"], &["--epochs"]);
}
