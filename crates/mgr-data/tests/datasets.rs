//! Folder datasets, groups and split files, good and bad.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::Path;

use mgr_data::dataset::Dataset;
use mgr_data::groups::Groups;
use mgr_data::split_file;
use mgr_eval::split::{Fold, StratifiedKFold};

fn touch(root: &Path, files: &[&str]) {
    for file in files {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"x").unwrap();
    }
}

fn error<T: std::fmt::Debug>(result: Result<T, mgr_data::DataError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn reads_genres_and_tracks_in_order() {
    let root = tempfile::tempdir().unwrap();
    touch(
        root.path(),
        &[
            "rock/b.mp3",
            "rock/a.FLAC",
            "jazz/x.wav",
            "jazz/notes.txt",
            "jazz/.hidden.wav",
            "empty/readme.md",
            "list.csv",
        ],
    );
    let dataset = Dataset::folder(root.path()).unwrap();
    assert_eq!(dataset.classes, ["jazz", "rock"]);
    let ids: Vec<_> = dataset.tracks.iter().map(|t| t.id.as_str()).collect();
    assert_eq!(ids, ["jazz/x.wav", "rock/a.FLAC", "rock/b.mp3"]);
    assert_eq!(dataset.labels(), [0, 1, 1]);
    assert_eq!(
        dataset.ignored,
        ["jazz/notes.txt", "empty/readme.md"].map(String::from).iter().rev().cloned().collect::<Vec<_>>()
    );
}

#[test]
fn says_what_is_wrong_with_a_folder() {
    let root = tempfile::tempdir().unwrap();
    assert!(error(Dataset::folder(&root.path().join("none"))).contains("cannot open the dataset folder"));
    assert!(error(Dataset::folder(root.path())).contains("no audio file found"));
    touch(root.path(), &["a.wav", "b.wav"]);
    assert!(error(Dataset::folder(root.path())).contains("2 audio files lie in the folder itself"));
    assert!(error(Dataset::folder(&root.path().join("a.wav"))).contains("is a file"));
    touch(root.path(), &["blues/a.wav"]);
    assert!(error(Dataset::folder(root.path())).contains("one genre only (blues)"));
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_stay_apart() {
    use std::os::unix::ffi::OsStrExt;
    let root = tempfile::tempdir().unwrap();
    touch(root.path(), &["rock/a.wav", "jazz/%ff.wav"]);
    let name = std::ffi::OsStr::from_bytes(b"\xff.wav");
    fs::write(root.path().join("jazz").join(name), b"x").unwrap();
    let dataset = Dataset::folder(root.path()).unwrap();
    let ids: Vec<_> = dataset.tracks.iter().map(|t| t.id.as_str()).collect();
    assert_eq!(ids, ["jazz/%25ff.wav", "jazz/%ff.wav", "rock/a.wav"]);
    assert_eq!(fs::read(&dataset.tracks[1].path).unwrap(), b"x");
}

#[test]
fn groups_follow_the_artist_and_the_recording() {
    let root = tempfile::tempdir().unwrap();
    touch(
        root.path(),
        &["blues/t1.wav", "blues/t2.wav", "blues/t3.wav", "rock/t3.wav", "rock/t4.wav", "rock/t5.wav"],
    );
    let dataset = Dataset::folder(root.path()).unwrap();
    let table = root.path().join("groups.csv");
    fs::write(
        &table,
        "\u{feff}kind,Track,artist\nfull,t1,Ann\ncrop,t1, Ann \ncrop,t2,Ann\nx,t3,\nx,t4,\"Bo, Jr\"\n",
    )
    .unwrap();
    let groups = Groups::read(&table).unwrap();
    let of: Vec<_> = dataset.tracks.iter().map(|t| groups.group(t)).collect();
    assert_eq!(of, ["artist:Ann", "artist:Ann", "track:t3", "track:t3", "artist:Bo, Jr", "track:t5"]);
    assert_eq!(groups.unnamed(&dataset), ["rock/t5.wav"]);

    touch(root.path(), &["rock/50% off.wav"]);
    fs::write(&table, "track,artist\n50% off,Cy\n").unwrap();
    let (dataset, groups) = (Dataset::folder(root.path()).unwrap(), Groups::read(&table).unwrap());
    assert!(dataset.tracks.iter().any(|t| groups.group(t) == "artist:Cy"), "a name with a percent sign");

    fs::write(&table, "track,artist\nt1,Ann\nt1,Bob\n").unwrap();
    assert!(error(Groups::read(&table)).contains("line 3: track t1 has the artists"));
    fs::write(&table, "track,singer\nt1,Ann\n").unwrap();
    assert!(error(Groups::read(&table)).contains("no column named artist"));
    fs::write(&table, "artist,track\nt1\n").unwrap();
    assert!(error(Groups::read(&table)).contains("1 columns, expected 2"));
}

#[test]
fn split_files_read_back_as_written() {
    let root = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..12).map(|i| format!("{}/t{i}.wav", if i < 6 { "a" } else { "b" })).collect();
    touch(root.path(), &names.iter().map(String::as_str).collect::<Vec<_>>());
    let dataset = Dataset::folder(root.path()).unwrap();
    let folds =
        StratifiedKFold { folds: 3, seed: 1, ..StratifiedKFold::default() }.split(&dataset.labels()).unwrap();
    let splits = root.path().join("splits");
    split_file::write(&splits, &dataset, &folds).unwrap();
    split_file::write(&splits, &dataset, &folds).unwrap();
    let want: Vec<Fold> = folds
        .iter()
        .map(|f| {
            let mut train = [f.train.clone(), f.validation.clone()].concat();
            train.sort_unstable();
            Fold { train, validation: vec![], test: f.test.clone() }
        })
        .collect();
    assert_eq!(split_file::read(&splits, &dataset).unwrap(), want);
    let text = fs::read_to_string(splits.join("test_split_0.txt")).unwrap();
    assert!(text.starts_with("a\tt"), "{text}");

    fs::remove_file(splits.join("test_split_1.txt")).unwrap();
    assert!(error(split_file::read(&splits, &dataset)).contains("test_split_1.txt is missing"));
    split_file::write(&splits, &dataset, &folds[..2]).unwrap();
    assert!(!splits.join("test_split_2.txt").exists(), "files of an earlier, larger split are gone");
    assert_eq!(split_file::read(&splits, &dataset).unwrap().len(), 2);
    fs::write(splits.join("test_split_1.txt"), "a\tnone.wav\n").unwrap();
    assert!(error(split_file::read(&splits, &dataset)).contains("line 1: the dataset has no a/none.wav"));
    fs::write(splits.join("test_split_1.txt"), &text).unwrap();
    assert!(error(split_file::read(&splits, &dataset)).contains("splits: "));
    assert!(error(split_file::read(root.path(), &dataset)).contains("no split files"));
}
