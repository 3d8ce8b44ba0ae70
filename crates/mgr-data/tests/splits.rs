//! Split files: written, read, wrong ones told, MLFCF's twenty and MusicFeaturization's six.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::Path;

use mgr_data::sources::{self, Collection};
use mgr_data::splits::{Protocol, SplitDocument, music_featurization_lists, write_mlfcf};

fn collection(root: &Path, of_each: usize) -> Collection {
    for genre in ["a", "b"] {
        for number in 0..of_each {
            let path = root.join(genre).join(format!("t{number:02}.wav"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
    }
    sources::named("folder").unwrap().read(root).unwrap()
}

#[test]
fn every_rule_makes_a_file_that_reads_back() {
    let root = tempfile::tempdir().unwrap();
    let collection = collection(root.path(), 23);
    let file = root.path().join("split.json");
    for rule in [
        Protocol::KFold { folds: 4, seed: 1, validation: 0.2 },
        Protocol::GroupKFold { folds: 4, seed: 1, validation: 0.2 },
        Protocol::Ratio { train: 0.6, validation: 0.2, seed: 1 },
        Protocol::OrderedRatio { train: 0.6, validation: 0.2 },
        Protocol::GroupRatio { train: 0.6, validation: 0.2, seed: 1 },
        Protocol::Mlfcf,
        Protocol::MusicFeaturization,
        Protocol::ScikitStratifiedKFold { folds: 3, seed: Some(7) },
    ] {
        let split = rule.split(&collection).unwrap();
        split.write(&file).unwrap();
        let read = SplitDocument::read(&file).unwrap();
        assert_eq!(read, split);
        assert_eq!(read.rule, Some(rule));
        let folds = read.folds(&collection).unwrap();
        let audit = read.audit(&collection, None).unwrap();
        assert!(audit.shared_groups.is_empty() && audit.summaries.len() == folds.len());
    }
    let told = Protocol::Official.split(&collection).unwrap_err().to_string();
    assert!(told.contains("it has no official split"), "{told}");
    let told =
        Protocol::KFold { folds: 30, seed: 0, validation: 0.0 }.split(&collection).unwrap_err().to_string();
    assert!(told.contains(": a has 23 clips for 30 folds"), "{told}");
}

#[test]
fn wrong_files_are_told() {
    let root = tempfile::tempdir().unwrap();
    let collection = collection(root.path(), 3);
    let file = root.path().join("split.json");
    let fold = |train: &str, test: &str| {
        format!(
            "\u{feff}{{\"format\":1,\"dataset\":\"x\",\"leaks\":[],\"folds\":[{{\"train\":[{train}],\"test\":[{test}]}}]}}"
        )
    };
    for (text, message) in [
        (fold("\"a/t00.wav\"", "\"a/gone.wav\""), "the dataset has no a/gone.wav"),
        (fold("\"a/t00.wav\"", "\"a/t00.wav\""), "a/t00.wav is in the train and the test part"),
        (fold("\"a/t00.wav\",\"a/t00.wav\"", "\"a/t01.wav\""), "a/t00.wav is twice in one part"),
        (fold("\"a/t00.wav\"", ""), "test part of a fold is empty"),
    ] {
        fs::write(&file, text).unwrap();
        let told = SplitDocument::read(&file).unwrap().folds(&collection).unwrap_err().to_string();
        assert!(told.contains(message), "{told}");
    }
    fs::write(&file, fold("", "").replace("\"format\":1", "\"format\":9")).unwrap();
    assert!(SplitDocument::read(&file).unwrap_err().to_string().contains("has format 9"));
    fs::write(&file, "{\n\"format\": 1,\n!").unwrap();
    assert!(SplitDocument::read(&file).unwrap_err().to_string().contains("split.json, line 3"));
}

#[test]
fn files_of_mlfcf_are_those_of_its_script() {
    let root = tempfile::tempdir().unwrap();
    let collection = collection(root.path(), 12);
    let out = root.path().join("splits");
    write_mlfcf(&out, &collection).unwrap();
    // random.seed(0); a = list(range(12)); random.shuffle(a): 11 8 9 6 5 0 2 1 10 7 3 4 by CPython 3.
    let order = mlfcf_order(12);
    for fold in 0..10 {
        let mut want = vec![order[fold]];
        want.extend(order.get(10 + fold));
        let lines: Vec<String> =
            ["a", "b"].iter().flat_map(|g| want.iter().map(move |n| format!("{g}\tt{n:02}.wav\n"))).collect();
        assert_eq!(fs::read_to_string(out.join(format!("test_split_{fold}.txt"))).unwrap(), lines.concat());
        let train = fs::read_to_string(out.join(format!("train_split_{fold}.txt"))).unwrap();
        assert_eq!(train.lines().count(), 24 - lines.len());
    }
}

fn mlfcf_order(n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    mgr_eval::split::PythonRandom::new(0).shuffle(&mut order);
    order
}

#[test]
fn lists_of_music_featurization() {
    let root = tempfile::tempdir().unwrap();
    let header = "\"clip_id\"\t\"classical\"\t\"opera\"\t\"mp3_path\"\n";
    let rows: String = (1..5).map(|i| format!("\"{i}\"\t\"1\"\t\"{}\"\t\"f/{i}.mp3\"\n", i % 2)).collect();
    fs::write(root.path().join("annotations_final.csv"), format!("{header}{rows}")).unwrap();
    let collection = sources::named("magnatagatune_six").unwrap().read(root.path()).unwrap();
    let list = |name: &str, text: &str| fs::write(root.path().join(name), text).unwrap();
    list("train_files.txt", "opera.1_vito_paternoster-x-06-y-30-59.jpg\nclassical.2_a.jpg\n");
    list("val_files.txt", "opera.3_a.b.jpg\n");
    list("test_files.txt", "classical.4_a.jpg\n");
    let split = music_featurization_lists(root.path(), &collection).unwrap();
    assert_eq!(split.folds[0].train, ["1", "2"]);
    assert_eq!((&split.folds[0].validation[0], &split.folds[0].test[0]), (&"3".to_owned(), &"4".to_owned()));
    list("test_files.txt", "classical.4_a.jpg\nfoo.jpg\n");
    let told = music_featurization_lists(root.path(), &collection).unwrap_err().to_string();
    assert!(told.contains("test_files.txt, line 2"), "{told}");
}
