//! The FMA study end to end on tiny tables, and what it says of input that it cannot use.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../fma_study.rs"]
#[allow(dead_code)]
mod fma_study;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use examples::studies::picture_parts::spoken::{Refusal, flags};
use fma_study::{FOREIGN, Study, run};

/// An empty folder of this test alone.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("mgr-fma-study-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The study's outcome with flags that a user could type.
fn study(arguments: &[&str]) -> Result<(), String> {
    let arguments = std::iter::once("fma_study").chain(arguments.iter().copied()).map(str::to_owned);
    match flags::<Study>(arguments, FOREIGN) {
        Ok(study) => run(&study, "fma_study"),
        Err(Refusal::Sentence(reason)) => Err(reason),
        Err(Refusal::Usage(error)) => panic!("{error}"),
    }
}

/// Says what went wrong in one line that holds all of these words.
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

/// FMA's metadata in small: three genres, 90 tracks, of which a third is not in the small subset.
fn fma_metadata(folder: &Path) {
    let mut tracks = String::from(",artist,set,set,track\n,name,split,subset,genre_top\ntrack_id,,,,\n");
    let mut features =
        String::from("feature,mfcc,mfcc,zcr\nstatistics,mean,std,mean\nnumber,01,01,01\ntrack_id,,,\n");
    features = features.replace("track_id,,,\n", "");
    let mut echonest =
        String::from(",echonest,echonest\n,audio_features,audio_features\n,danceability,tempo\ntrack_id,,\n");
    for id in 0..90_u32 {
        let genre = ["Folk", "Hip-Hop", "Rock"][(id % 3) as usize];
        let split = ["training", "training", "training", "validation", "test"][(id / 3 % 5) as usize];
        let subset = if id >= 60 { "large" } else { "small" };
        let named = if id == 7 { "" } else { genre };
        writeln!(tracks, "{id},artist {},{split},{subset},{named}", id / 2).unwrap();
        let noise = f64::from((id * 37) % 11) / 10.0;
        writeln!(
            features,
            "{id},{},{},{}",
            f64::from(id % 3) + noise,
            f64::from((id * 53) % 7) / 7.0 + f64::from(u32::from(id % 3 == 1)),
            1.0 - noise
        )
        .unwrap();
        if id % 2 == 0 {
            writeln!(echonest, "{id},{noise},{}", 90.0 + f64::from(id % 3)).unwrap();
        }
    }
    for (name, text) in [("tracks.csv", tracks), ("features.csv", features), ("echonest.csv", echonest)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

#[test]
fn metadata_of_fma_takes_the_subset_by_its_size() {
    let root = folder("fma");
    fma_metadata(&root);
    let out = root.join("out");
    let common = ["metadata", "--root", path(&root), "--out", path(&out), "--folds", "3", "--shuffles", "2"];
    study(&common).unwrap();
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let results: serde_json::Value = serde_json::from_str(&read("results.json")).unwrap();
    assert_eq!(results["classifiers"].as_array().unwrap().len(), 18);
    // 60 small tracks, one without a genre: of those a fifth tests.
    assert_eq!(results["classifiers"][0]["tested"], 12);
    assert_eq!(results["cross_validation"].as_array().unwrap().len(), 2);
    assert!(read("classifiers.csv").lines().count() == 19);
    let html = read("report.html");
    for word in ["danceability", "t-SNE", "UMAP", "Discriminant", "vote of mlp, svc", "mfcc.mean.01"] {
        assert!(html.contains(word), "{word} is not in the report");
    }
    assert!(!html.contains("zcr"), "only the group mfcc is asked for");
    for figure in ["genres", "tsne", "umap", "pca_1_2", "lda_1_2", "confusion", "importance"] {
        for ending in ["svg", "png"] {
            assert!(out.join(format!("figures/{figure}.{ending}")).is_file(), "{figure}.{ending}");
        }
    }
    mgr_learn::ModelFile::load(&out.join("model.json")).unwrap();
    refused(
        &["metadata", "--root", path(&root), "--out", path(&out), "--features", "chroma"],
        &["chroma", "mfcc, zcr", "--features"],
    );
    refused(&[&common[..5], &["--folds", "13"]].concat(), &["13 folds", "--folds", "--least"]);
    refused(&[&common[..5], &["--classifiers", "mlp,xgboost"]].concat(), &["xgboost", "nearest_centroid"]);
    std::fs::remove_file(root.join("features.csv")).unwrap();
    refused(&common, &["features.csv", "fma_metadata.zip", "--root"]);
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn a_table_of_any_kind_will_do() {
    let root = folder("table");
    let out = root.join("out");
    let table = root.join("table.csv");
    let mut text = String::from("filename,length,a,b,label\n");
    for row in 0..40_u32 {
        let noise = f64::from((row * 29) % 13) / 13.0;
        let genre = if row % 2 == 0 { "blues" } else { "rock" };
        writeln!(text, "{row}.wav,661794,{},{noise},{genre}", f64::from(row % 2) + noise).unwrap();
    }
    std::fs::write(&table, &text).unwrap();
    let common =
        ["metadata", "--dataset", "table", "--root", path(&table), "--out", path(&out), "--ignore", "length"];
    study(&[&common[..], &["--classifiers", "knn,gaussian_nb", "--folds", "0", "--shuffles", "0"]].concat())
        .unwrap();
    let csv = std::fs::read_to_string(out.join("classifiers.csv")).unwrap();
    assert_eq!(csv.lines().count(), 3, "{csv}");

    // A class too small for its split.
    std::fs::write(&table, format!("{text}x.wav,1,0.5,0.5,jazz\n")).unwrap();
    refused(&common, &["jazz has 1 clips", "--least"]);
    study(
        &[&common[..], &["--classifiers", "knn", "--folds", "0", "--shuffles", "0", "--least", "5"]].concat(),
    )
    .unwrap();

    // A table with another header, one with text in it, one without genres, none at all.
    std::fs::write(&table, "name,value\nx,1\ny,2\n").unwrap();
    refused(&["metadata", "--dataset", "table", "--root", path(&table)], &["name", "--ignore"]);
    std::fs::write(&table, "filename,value\nx,1\ny,2\n").unwrap();
    refused(&["metadata", "--dataset", "table", "--root", path(&table)], &["no column of genres", "--label"]);
    refused(&["metadata", "--dataset", "table", "--root", path(&root)], &["a folder", "--root"]);
    refused(
        &["metadata", "--dataset", "table", "--root", path(&root.join("x.csv"))],
        &["not there", "--root"],
    );
    std::fs::write(&table, "filename,a,label\nx,1,rock\ny,2,rock\n").unwrap();
    refused(&["metadata", "--dataset", "table", "--root", path(&table)], &["1 genres", "at least two"]);
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn the_tables_of_rock_and_hip_hop_are_checked() {
    let root = folder("rock");
    let flags = ["metadata", "--dataset", "rock-hiphop", "--root", path(&root)];
    refused(&flags, &["fma-rock-vs-hiphop.csv", "--root"]);
    std::fs::write(root.join("echonest-metrics.json"), "{\"track_id\": {\"0\": 1}}").unwrap();
    std::fs::write(root.join("fma-rock-vs-hiphop.csv"), "id,genre\n1,Rock\n").unwrap();
    refused(&flags, &["no column named track_id", "id, genre"]);
    std::fs::write(root.join("fma-rock-vs-hiphop.csv"), "track_id,genre_top,listens,duration\n1,Rock,5,30\n")
        .unwrap();
    std::fs::write(root.join("echonest-metrics.json"), "[1, 2]").unwrap();
    refused(&flags, &["echonest-metrics.json", "columns of rows"]);
    std::fs::remove_dir_all(&root).unwrap();
}

#[test]
fn settings_of_the_original_are_known() {
    refused(
        &["metadata", "--root", "x", "--warm_start"],
        &["--warm-start", "no equivalent", "leave it away"],
    );
    refused(&["audio", "--root", "x", "--max-epoch=3"], &["--epochs"]);
    refused(&["audio", "--root", "/nowhere/at/all"], &["/nowhere/at/all", "not there", "--root"]);
    refused(&["audio", "--root", "x", "--dataset", "fma_tiny"], &["fma_tiny", "fma_small"]);
}
