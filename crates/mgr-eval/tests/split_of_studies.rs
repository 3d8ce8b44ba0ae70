//! Splits of published studies, number by number against Python (`tests/data/python_draws.py`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_eval::split::scikit::{
    DrawnSplit, PartSize, k_fold, stratified_k_fold, stratified_shuffle_split, train_test_split,
};
use mgr_eval::split::{
    FoldSummary, NumpyRandom, PythonRandom, RatioSplit, check_groups, check_split, mlfcf_folds,
};
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("data/python_draws.json")).unwrap()
}

fn list(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

/// Numbers of 53 bits in `[0, 1)`, kept as whole numbers, which JSON gives back exactly.
fn units(value: &Value) -> Vec<f64> {
    list(value).into_iter().map(|v| v as f64 / (1_u64 << 53) as f64).collect()
}

fn size(value: &Value) -> Option<PartSize> {
    Some(
        value
            .as_u64()
            .map_or_else(|| PartSize::Share(value.as_f64().unwrap()), |n| PartSize::Clips(n as usize)),
    )
}

fn seed(value: &Value) -> u32 {
    value.as_u64().unwrap() as u32
}

#[test]
fn draws_of_cpython() {
    for case in reference()["python"].as_array().unwrap() {
        let mut random = PythonRandom::new(case["seed"].as_str().unwrap().parse().unwrap());
        let mut items: Vec<usize> = (0..100).collect();
        random.shuffle(&mut items);
        assert_eq!(items, list(&case["shuffle"]));
        assert_eq!(random.sample(30, 7), list(&case["small"]));
        assert_eq!(random.sample(10_000, 7), list(&case["large"]));
        let unit: Vec<f64> = (0..3).map(|_| random.random()).collect();
        assert_eq!(unit, units(&case["random"]));
        let bounds = [1, 2, 3, 255, 256, 257, 1 << 31, 1 << 32, (1 << 40) + 3];
        let below: Vec<usize> = bounds.into_iter().map(|bound| random.below(bound)).collect();
        assert_eq!(below, list(&case["below"]));
    }
}

#[test]
fn draws_of_numpy() {
    for case in reference()["numpy"].as_array().unwrap() {
        let mut random = NumpyRandom::new(case["seed"].as_str().unwrap().parse().unwrap());
        let mut items: Vec<usize> = (0..57).collect();
        random.shuffle(&mut items);
        assert_eq!(items, list(&case["shuffle"]));
        assert_eq!(random.permutation(100), list(&case["permutation"]));
        let highs = [6, 7, 8, 260, 261, 262, 1 << 31, (1 << 33) + 9];
        let drawn: Vec<usize> = highs.into_iter().map(|high| random.randint(5, high)).collect();
        assert_eq!(drawn, list(&case["randint"]));
        assert_eq!(random.choice(17, 9), list(&case["choice"]));
        assert_eq!(random.choice_without_replacement(17, 9), list(&case["without"]));
        let unit: Vec<f64> = (0..3).map(|_| random.random()).collect();
        assert_eq!(unit, units(&case["random"]));
    }
}

#[test]
fn splits_of_scikit_learn() {
    let reference = reference();
    for case in reference["shuffle"].as_array().unwrap() {
        let n = case["n"].as_u64().unwrap() as usize;
        let split = train_test_split(n, None, size(&case["size"]), seed(&case["seed"])).unwrap();
        assert_eq!(split, DrawnSplit { train: list(&case["train"]), test: list(&case["test"]) });
    }
    for case in reference["stratified_shuffle"].as_array().unwrap() {
        let labels = list(&case["y"]);
        let splits =
            stratified_shuffle_split(&labels, 3, None, size(&case["size"]), seed(&case["seed"])).unwrap();
        for (got, want) in splits.iter().zip(case["splits"].as_array().unwrap()) {
            assert_eq!((&got.train, &got.test), (&list(&want[0]), &list(&want[1])));
        }
    }
    for (name, stratified) in [("k_fold", false), ("stratified_k_fold", true)] {
        for case in reference[name].as_array().unwrap() {
            let (k, seed) = (case["k"].as_u64().unwrap() as usize, case["seed"].as_u64().map(|s| s as u32));
            let (folds, clips) = if stratified {
                let labels = list(&case["y"]);
                (stratified_k_fold(&labels, k, seed).unwrap(), labels.len())
            } else {
                let n = case["n"].as_u64().unwrap() as usize;
                (k_fold(n, k, seed).unwrap(), n)
            };
            check_split(&folds, clips).unwrap();
            let tests: Vec<Vec<usize>> = folds.into_iter().map(|fold| fold.test).collect();
            let want: Vec<Vec<usize>> = case["test"].as_array().unwrap().iter().map(list).collect();
            assert_eq!(tests, want, "{name}");
        }
    }
}

/// The folds of the published tables, where they are on this machine.
#[test]
fn folds_of_the_golden_tables() {
    let named = std::env::var_os("MGR_SHARED").map(std::path::PathBuf::from);
    let walked = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let walked = walked.ancestors().map(|folder| folder.join("shared")).find(|folder| folder.is_dir());
    let Some(open) = named.or(walked).map(|s| s.join("golden/open")).filter(|f| f.is_dir()) else {
        assert!(std::env::var("MGR_REQUIRE_SHARED").as_deref() != Ok("1"), "shared data is required");
        eprintln!("SKIPPED: shared data not found (fold ids of the golden tables)");
        return;
    };
    // The arrays are small and all of one kind: a header of 128 bytes and integers of 2, 4 or 8.
    let read = |path: &str| -> Vec<usize> {
        let bytes = std::fs::read(open.join("tables").join(path)).unwrap();
        let kind = |kind: &[u8]| bytes[..128].windows(2).any(|w| w == kind);
        let step = if kind(b"i8") {
            8
        } else if kind(b"i4") {
            4
        } else {
            2
        };
        bytes[128..].chunks_exact(step).map(|c| usize::from(u16::from_le_bytes([c[0], c[1]]))).collect()
    };
    for table in ["synth10", "wine", "digits600"] {
        let labels = read(&format!("{table}_y.npy"));
        let of = |folds: Vec<mgr_eval::split::Fold>| {
            let mut fold_of = vec![0; labels.len()];
            for (number, fold) in folds.iter().enumerate() {
                fold.test.iter().for_each(|&clip| fold_of[clip] = number);
            }
            fold_of
        };
        assert_eq!(
            of(stratified_k_fold(&labels, 10, None).unwrap()),
            read(&format!("{table}_skf10_fold_of_row.npy"))
        );
        assert_eq!(of(k_fold(labels.len(), 5, None).unwrap()), read(&format!("{table}_kf5_fold_of_row.npy")));
    }
}

#[test]
fn bad_sizes_are_told() {
    let error = |result: Result<DrawnSplit, mgr_eval::EvalError>| result.unwrap_err().to_string();
    assert!(error(train_test_split(10, None, Some(PartSize::Share(1.5)), 0)).contains("test_size is 1.5"));
    assert!(
        error(train_test_split(10, None, Some(PartSize::Share(f64::NAN)), 0)).contains("test_size is NaN")
    );
    assert!(error(train_test_split(10, None, Some(PartSize::Clips(10)), 0)).contains("fewer than all"));
    assert!(
        error(train_test_split(10, Some(PartSize::Clips(6)), Some(PartSize::Clips(6)), 0)).contains("is 12")
    );
    assert!(error(train_test_split(1, None, Some(PartSize::Share(0.5)), 0)).contains("train part is empty"));
    assert!(error(train_test_split(0, None, Some(PartSize::Share(0.5)), 0)).contains("part is empty"));
    assert!(error(train_test_split(10, None, None, 0)).contains("sizes"));
    let stratified = stratified_shuffle_split(&[0, 0, 1], 1, None, Some(PartSize::Clips(1)), 0);
    assert!(stratified.unwrap_err().to_string().contains("class 1 has 1 clips"));
    assert!(
        stratified_k_fold(&[0, 0, 1, 1, 1], 3, None).unwrap_err().to_string().contains("class 0 has 2 clips")
    );
    assert!(k_fold(3, 4, None).is_err() && k_fold(3, 1, None).is_err());
    assert!(mlfcf_folds(&[]).is_err() && mlfcf_folds(&[0, 0, 1]).is_err());
}

#[test]
fn the_ten_folds_of_mlfcf() {
    // 23 clips of class 0 and 10 of class 1, mixed; 3 are left over for folds 0 to 2.
    let labels: Vec<usize> = (0..33).map(|i| usize::from(i % 3 == 2 && i < 30)).collect();
    let folds = mlfcf_folds(&labels).unwrap();
    // random.seed(0); a = list(range(23)); random.shuffle(a)
    let zero: Vec<usize> = (0..33).filter(|&i| labels[i] == 0).collect();
    let mut order: Vec<usize> = (0..23).collect();
    PythonRandom::new(0).shuffle(&mut order);
    for (number, fold) in folds.iter().enumerate() {
        let mut want: Vec<usize> = order[2 * number..2 * number + 2].iter().map(|&i| zero[i]).collect();
        want.extend(order.get(20 + number).map(|&i| zero[i]));
        assert_eq!(fold.test[..want.len()], want);
        assert_eq!(fold.test.len() + fold.train.len(), 33);
    }
    let folds: Vec<_> = folds.into_iter().map(DrawnSplit::into_fold).collect();
    check_split(&folds, 33).unwrap();
    assert_eq!(folds.iter().map(|f| f.test.len()).sum::<usize>(), 33);
}

#[test]
fn shares_with_and_without_groups() {
    let labels: Vec<usize> = (0..300).map(|i| i % 3).collect();
    let groups: Vec<usize> = (0..300).map(|i| (i % 3) * 100 + (i / 3) / 4).collect();
    let split = RatioSplit { train: 0.6, validation: 0.2, seed: 3 };
    for fold in [split.split(&labels).unwrap(), split.split_groups(&labels, &groups).unwrap()] {
        let classes: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        let summary = FoldSummary::new(&fold, &labels, &classes).unwrap();
        assert_eq!(summary.counts, [[60, 20, 20]; 3], "\n{summary}");
        assert_eq!(summary.totals(), [180, 60, 60, 0]);
        assert!(summary.absent().is_empty());
        check_split(std::slice::from_ref(&fold), 300).unwrap();
    }
    let fold = split.split_groups(&labels, &groups).unwrap();
    check_groups(&[fold], &groups).unwrap();
    assert_ne!(
        split.split(&labels).unwrap(),
        RatioSplit { seed: 4, ..split.clone() }.split(&labels).unwrap()
    );
    let no_validation = RatioSplit { train: 0.5, validation: 0.0, seed: 0 }.split(&labels).unwrap();
    assert!(no_validation.validation.is_empty() && no_validation.test.len() == 150);
    for (train, validation) in
        [(0.0, 0.1), (1.0, 0.0), (0.8, 0.2), (0.5, -0.1), (f64::NAN, 0.1), (0.5, f64::NAN)]
    {
        assert!(RatioSplit { train, validation, seed: 0 }.split(&labels).is_err(), "{train} {validation}");
    }
    assert!(split.split(&[0, 0, 1]).unwrap_err().to_string().contains("class 0 has 2 clips"));
    let groups: Vec<usize> = labels.clone();
    assert!(split.split_groups(&labels, &groups).unwrap_err().to_string().contains("has 1 groups"));
}

#[test]
fn a_class_absent_from_a_fold_is_told() {
    let classes: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
    let fold = mgr_eval::split::Fold { train: vec![0, 1], validation: vec![], test: vec![2] };
    let summary = FoldSummary::new(&fold, &[0, 1, 0, 2], &classes).unwrap();
    assert_eq!(summary.absent(), ["b"]);
    assert_eq!(summary.totals(), [2, 0, 1, 1]);
    assert!(
        summary.to_string().lines().last().unwrap().contains("2          0       1        1"),
        "{summary}"
    );
    assert!(FoldSummary::new(&fold, &[0, 1, 0, 3], &classes).is_err());
    assert!(FoldSummary::new(&fold, &[0, 1], &classes).is_err());
}
