//! Folds: sizes, shares, groups kept whole, validation, and every error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use mgr_eval::EvalError;
use mgr_eval::split::{Fold, StratifiedGroupKFold, StratifiedKFold, check_groups, check_split};
use proptest::prelude::*;

fn class_counts(indices: &[usize], labels: &[usize]) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    for &index in indices {
        *counts.entry(labels[index]).or_insert(0) += 1;
    }
    counts
}

fn covers_all(fold: &Fold, clips: usize) -> bool {
    let mut all: Vec<usize> = [&fold.train[..], &fold.validation, &fold.test].concat();
    all.sort_unstable();
    all == (0..clips).collect::<Vec<_>>()
}

fn tests_cover_once(folds: &[Fold], clips: usize) -> bool {
    let mut all: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
    all.sort_unstable();
    all == (0..clips).collect::<Vec<_>>()
}

/// Labels with 2 to 5 classes of at least `smallest` clips each, in mixed order.
fn labels(smallest: usize) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(smallest..40, 2..6).prop_flat_map(|sizes| {
        let labels: Vec<usize> =
            sizes.iter().enumerate().flat_map(|(class, &size)| vec![class * 3; size]).collect();
        Just(labels).prop_shuffle()
    })
}

/// Labels and groups: every class has at least `fewest` groups of 1 to 8 clips.
fn grouped(fewest: usize) -> impl Strategy<Value = (Vec<usize>, Vec<String>)> {
    let class = prop::collection::vec(1_usize..9, fewest..12);
    prop::collection::vec(class, 2..5).prop_flat_map(|classes| {
        let mut clips: Vec<(usize, String)> = Vec::new();
        for (class, groups) in classes.iter().enumerate() {
            for (group, &size) in groups.iter().enumerate() {
                clips.extend((0..size).map(|_| (class, format!("artist {class}/{group}"))));
            }
        }
        Just(clips).prop_shuffle().prop_map(|clips| clips.into_iter().unzip())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn stratified_folds_are_even_and_complete(labels in labels(5), folds in 2_usize..6, seed: u64) {
        let split = StratifiedKFold { folds, seed, validation_fraction: 0.0 }.split(&labels).unwrap();
        check_split(&split, labels.len()).unwrap();
        prop_assert!(tests_cover_once(&split, labels.len()));
        let totals = class_counts(&(0..labels.len()).collect::<Vec<_>>(), &labels);
        for fold in &split {
            prop_assert!(covers_all(fold, labels.len()));
            prop_assert!(fold.validation.is_empty());
            prop_assert!(fold.test.len().abs_diff(labels.len() / folds) <= 1);
            let counts = class_counts(&fold.test, &labels);
            for (class, total) in &totals {
                let share = total / folds;
                prop_assert!((share..=share + 1).contains(&counts[class]));
            }
        }
    }

    #[test]
    fn validation_takes_its_share_of_each_class(
        labels in labels(5), folds in 2_usize..6, seed: u64, fraction in 0.01..0.99_f64,
    ) {
        let split = StratifiedKFold { folds, seed, validation_fraction: fraction }.split(&labels).unwrap();
        check_split(&split, labels.len()).unwrap();
        let plain = StratifiedKFold { folds, seed, validation_fraction: 0.0 }.split(&labels).unwrap();
        for (fold, plain) in split.iter().zip(&plain) {
            // Asking for validation must not move the test folds.
            prop_assert_eq!(&fold.test, &plain.test);
            prop_assert!(covers_all(fold, labels.len()));
            let validation = class_counts(&fold.validation, &labels);
            for (class, &count) in &class_counts(&plain.train, &labels) {
                let wanted = ((count as f64 * fraction).round() as usize).max(1).min(count - 1);
                prop_assert_eq!(validation.get(class).copied().unwrap_or(0), wanted);
            }
        }
    }

    #[test]
    fn groups_stay_whole_and_every_class_is_everywhere(
        (labels, groups) in grouped(4), folds in 2_usize..5, seed: u64, fraction in 0.0..0.5_f64,
    ) {
        let config = StratifiedGroupKFold { folds, seed, validation_fraction: fraction };
        let split = config.split(&labels, &groups).unwrap();
        check_groups(&split, &groups).unwrap();
        prop_assert!(tests_cover_once(&split, labels.len()));
        let classes: BTreeSet<usize> = labels.iter().copied().collect();
        for fold in &split {
            prop_assert!(covers_all(fold, labels.len()));
            let in_train: Vec<usize> = [&fold.train[..], &fold.validation].concat();
            for &class in &classes {
                let groups_in = |indices: &[usize]| -> usize {
                    let names: BTreeSet<&String> =
                        indices.iter().filter(|&&i| labels[i] == class).map(|&i| &groups[i]).collect();
                    names.len()
                };
                prop_assert!(groups_in(&fold.test) >= 1);
                prop_assert!(groups_in(&fold.train) >= 1);
                let can_give = fraction > 0.0 && groups_in(&in_train) > 1;
                prop_assert_eq!(groups_in(&fold.validation) >= 1, can_give);
            }
        }
    }

    #[test]
    fn equal_single_class_groups_are_dealt_evenly(per_class in 4_usize..20, folds in 2_usize..5, seed: u64) {
        let labels: Vec<usize> = (0..3 * per_class * 2).map(|i| i % 3).collect();
        let groups: Vec<usize> = (0..labels.len()).map(|i| (i % 3) + 3 * (i / 6)).collect();
        let split = StratifiedGroupKFold { folds, seed, ..Default::default() }.split(&labels, &groups).unwrap();
        for fold in &split {
            for &count in class_counts(&fold.test, &labels).values() {
                // Groups of two clips: at most one group more or less than the even share.
                prop_assert!(count.abs_diff(2 * per_class / folds) <= 2);
            }
        }
    }

    #[test]
    fn hostile_input_never_panics(
        labels in prop::collection::vec(prop_oneof![0_usize..4, Just(usize::MAX)], 0..30),
        groups in prop::collection::vec(0_usize..6, 0..30),
        folds in prop_oneof![0_usize..12, Just(usize::MAX)],
        validation_fraction in prop_oneof![-1.0..2.0_f64, Just(f64::NAN), Just(f64::INFINITY)],
    ) {
        let _ = StratifiedKFold { folds, seed: 0, validation_fraction }.split(&labels);
        if let Ok(split) = (StratifiedGroupKFold { folds, seed: 0, validation_fraction }).split(&labels, &groups) {
            check_groups(&split, &groups).unwrap();
        }
    }
}

#[test]
fn folds_are_pinned_by_the_seed() {
    let labels: Vec<usize> = (0..24).map(|i| i % 3).collect();
    let groups: Vec<usize> = (0..24).map(|i| i % 12).collect();
    let config = StratifiedKFold { folds: 4, seed: 7, validation_fraction: 0.2 };
    let grouped = StratifiedGroupKFold { folds: 4, seed: 7, validation_fraction: 0.2 };
    let pinned = [&config.split(&labels).unwrap()[0], &grouped.split(&labels, &groups).unwrap()[0]];
    insta::assert_snapshot!("pinned_folds", serde_json::to_string(&pinned).unwrap().replace("},", "},\n"));
    let other = StratifiedKFold { seed: 8, ..config.clone() };
    assert_eq!(config.split(&labels).unwrap(), config.split(&labels).unwrap());
    assert_ne!(config.split(&labels).unwrap(), other.split(&labels).unwrap());
}

#[test]
fn text_and_number_groups_give_the_same_folds() {
    let labels: Vec<usize> = (0..30).map(|i| i % 2).collect();
    let numbers: Vec<usize> = (0..30).map(|i| 10 + i % 10).collect();
    let names: Vec<String> = numbers.iter().map(|n| format!("artist {n}")).collect();
    let config = StratifiedGroupKFold { folds: 3, ..Default::default() };
    assert_eq!(config.split(&labels, &numbers).unwrap(), config.split(&labels, &names).unwrap());
}

#[test]
fn a_class_with_one_training_group_gives_nothing_to_validation() {
    // Class 0 has two groups, so one of them trains while the other tests.
    let labels = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];
    let groups = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5];
    let config = StratifiedGroupKFold { folds: 2, seed: 3, validation_fraction: 0.3 };
    for fold in config.split(&labels, &groups).unwrap() {
        assert_eq!(class_counts(&fold.validation, &labels), BTreeMap::from([(1, 2)]));
        assert_eq!(class_counts(&fold.train, &labels), BTreeMap::from([(0, 2), (1, 2)]));
    }
}

#[test]
fn errors_name_the_class_and_the_largest_number_of_folds() {
    let config = StratifiedKFold::default();
    assert!(matches!(config.split(&[]), Err(EvalError::Empty { .. })));
    assert!(matches!(config.split(&[4, 4, 4]), Err(EvalError::OneClass { class: 4 })));
    let error = config.split(&[0, 0, 0, 1, 1, 1, 1]).unwrap_err();
    assert_eq!(error.to_string(), "class 0 has 3 clips for 10 folds, the largest number that works is 3");
    for folds in [0, 1] {
        let config = StratifiedKFold { folds, ..config.clone() };
        assert!(matches!(config.split(&[0, 1, 0, 1]), Err(EvalError::Folds { .. })));
    }
    for validation_fraction in [-0.1, 1.0, f64::NAN] {
        let config = StratifiedKFold { folds: 2, validation_fraction, ..config.clone() };
        assert!(matches!(config.split(&[0, 1, 0, 1]), Err(EvalError::Parameter { .. })));
    }

    let config = StratifiedGroupKFold::default();
    assert!(matches!(config.split(&[0, 1], &["a"]), Err(EvalError::LengthMismatch { .. })));
    let (labels, groups) = ([0, 0, 0, 1, 1, 1, 1], ["a", "a", "b", "c", "d", "e", "f"]);
    let error = config.split(&labels, &groups).unwrap_err();
    assert!(matches!(error, EvalError::TooFewGroups { class: 0, groups: 2, folds: 10, largest: 2 }));
    let error = config.split(&[0, 1, 1], &["a", "b", "c"]).unwrap_err();
    assert_eq!(error.to_string(), "class 0 has 1 groups for 10 folds, no number of folds works");
}

#[test]
fn the_largest_number_in_the_error_works() {
    let labels = [0, 0, 0, 1, 1, 1, 1];
    let groups = ["a", "a", "b", "c", "d", "e", "f"];
    let Err(EvalError::TooFewGroups { largest, .. }) =
        StratifiedGroupKFold::default().split(&labels, &groups)
    else {
        panic!("ten folds must not work");
    };
    let config = StratifiedGroupKFold { folds: largest, ..Default::default() };
    assert_eq!(config.split(&labels, &groups).unwrap().len(), 2);
}

#[test]
fn mixed_groups_that_leave_a_class_untrained_are_an_error() {
    // "b" avoids fold 0, where "h" holds most of classes 1 and 2, and so joins "a", the other group of class 0.
    let groups_of_classes: [(&str, &[(usize, usize)]); 4] = [
        ("h", &[(1, 60), (2, 60)]),
        ("a", &[(0, 1), (3, 50)]),
        ("b", &[(0, 1), (1, 20), (2, 20)]),
        ("c", &[(3, 10)]),
    ];
    let (mut labels, mut groups) = (Vec::new(), Vec::new());
    for (group, classes) in groups_of_classes {
        for &(class, clips) in classes {
            labels.extend(vec![class; clips]);
            groups.extend(vec![group; clips]);
        }
    }
    let config = StratifiedGroupKFold { folds: 2, ..Default::default() };
    assert!(matches!(
        config.split(&labels, &groups),
        Err(EvalError::ClassNotInTraining { class: 0, fold: 1 })
    ));
}

#[test]
fn checks_find_every_fault() {
    let fold = |train: &[usize], validation: &[usize], test: &[usize]| Fold {
        train: train.to_vec(),
        validation: validation.to_vec(),
        test: test.to_vec(),
    };
    let good = [fold(&[0, 1], &[2], &[3]), fold(&[2, 3], &[], &[0, 1])];
    check_split(&good, 4).unwrap();
    check_split(&good, 9).unwrap(); // clips in no part are allowed
    assert!(matches!(check_split(&[], 4), Err(EvalError::Empty { .. })));
    assert!(matches!(check_split(&[fold(&[], &[], &[1])], 4), Err(EvalError::Empty { .. })));
    assert!(matches!(check_split(&[fold(&[1], &[], &[])], 4), Err(EvalError::Empty { .. })));
    assert!(matches!(check_split(&good, 3), Err(EvalError::IndexOutOfRange { fold: 0, index: 3, .. })));
    let unsorted = [fold(&[1, 0], &[], &[3])];
    assert!(matches!(
        check_split(&unsorted, 4),
        Err(EvalError::NotAscending { part: "train", index: 0, .. })
    ));
    let twice = [fold(&[1, 1], &[], &[3])];
    assert!(matches!(check_split(&twice, 4), Err(EvalError::NotAscending { .. })));
    let overlap = [fold(&[0, 1], &[1], &[3])];
    assert!(matches!(check_split(&overlap, 4), Err(EvalError::IndexOverlap { index: 1, .. })));
    let tested_twice = [fold(&[0], &[], &[3]), fold(&[0], &[], &[3])];
    assert!(matches!(
        check_split(&tested_twice, 4),
        Err(EvalError::TestOverlap { index: 3, first: 0, second: 1 })
    ));

    check_groups(&good, &["a", "a", "b", "c"]).unwrap();
    let error = check_groups(&good, &["a", "b", "b", "c"]).unwrap_err();
    assert_eq!(error.to_string(), "group \"b\" is in the train and the validation part of fold 0");
    let shared = [fold(&[0], &[], &[1]), fold(&[0], &[], &[2])];
    assert!(matches!(check_groups(&shared, &[0, 1, 1]), Err(EvalError::GroupTestOverlap { .. })));
}
