//! Validation parts for folds that were not made here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_eval::split::{Fold, check_groups, take_validation, take_validation_groups};

fn given() -> (Vec<Fold>, Vec<usize>) {
    let labels: Vec<usize> = (0..20).map(|i| i % 2).collect();
    let fold = |test: std::ops::Range<usize>| Fold {
        train: (0..20).filter(|i| !test.contains(i)).collect(),
        validation: vec![],
        test: test.collect(),
    };
    (vec![fold(0..10), fold(10..20)], labels)
}

#[test]
fn a_share_of_each_class_moves() {
    let (mut folds, labels) = given();
    take_validation(&mut folds, &labels, 0.4, 3).unwrap();
    for fold in &folds {
        for class in 0..2 {
            let count = |part: &[usize]| part.iter().filter(|&&i| labels[i] == class).count();
            assert_eq!((count(&fold.train), count(&fold.validation), count(&fold.test)), (3, 2, 5));
        }
    }
    take_validation(&mut folds, &labels, 0.4, 3).unwrap();
    assert!(folds.iter().all(|f| f.train.len() + f.validation.len() == 10), "a second call loses no clip");
    let mut none = folds.clone();
    take_validation(&mut none, &labels, 0.0, 3).unwrap();
    assert!(none.iter().all(|f| f.validation.is_empty() && f.train.len() == 10));
    let (mut again, _) = given();
    take_validation(&mut again, &labels, 0.4, 3).unwrap();
    assert_eq!(folds, again);
}

#[test]
fn groups_stay_whole() {
    let (mut folds, labels) = given();
    let groups: Vec<usize> = (0..20).map(|i| i / 2).collect();
    take_validation_groups(&mut folds, &labels, &groups, 0.4, 3).unwrap();
    check_groups(&folds, &groups).unwrap();
    assert!(folds.iter().all(|f| f.validation.len() == 4));
}

#[test]
fn overlapping_parts_are_refused() {
    let (mut folds, labels) = given();
    folds[0].train.insert(0, 0);
    assert!(take_validation(&mut folds, &labels, 0.4, 3).is_err());
    let (mut folds, _) = given();
    assert!(take_validation(&mut folds, &labels, 1.5, 3).is_err());
}
