//! The validation part: taken out of a fold's training clips, by clip or by whole group.

use std::fmt::Debug;

use super::grouped::dense_groups;
use super::shuffle::Shuffler;
use super::{Fold, check_split, clips_by_class, move_to_validation, validated_classes};
use crate::EvalError;
use crate::error::same_length;

/// Keeps the draws for validation apart from those for the folds.
const VALIDATION_STREAM: u64 = 0x76_616c_6964;

/// Takes a validation part out of the training part of folds that come from elsewhere, such as split files, by the rule of
/// [`StratifiedKFold`](super::StratifiedKFold). A validation part that they have goes back to training first; a fraction of 0
/// takes none.
///
/// # Errors
/// [`EvalError::Empty`], [`EvalError::Parameter`], [`EvalError::OneClass`] as their names say, and the errors of
/// [`check_split`].
pub fn take_validation(
    folds: &mut [Fold],
    labels: &[usize],
    fraction: f64,
    seed: u64,
) -> Result<(), EvalError> {
    validated_classes(labels, folds.len().max(2), fraction)?;
    if !ready(folds, labels.len(), fraction)? {
        return Ok(());
    }
    for (number, fold) in folds.iter_mut().enumerate() {
        take_clips(fold, labels, fraction, seed, number);
    }
    Ok(())
}

/// As [`take_validation`], in whole groups, by the rule of [`StratifiedGroupKFold`](super::StratifiedGroupKFold).
///
/// # Errors
/// As [`take_validation`], and [`EvalError::LengthMismatch`] where labels and groups differ in number.
pub fn take_validation_groups<G: Ord + Debug>(
    folds: &mut [Fold],
    labels: &[usize],
    groups: &[G],
    fraction: f64,
    seed: u64,
) -> Result<(), EvalError> {
    same_length("groups", labels.len(), groups.len())?;
    let classes = validated_classes(labels, folds.len().max(2), fraction)?;
    if !ready(folds, labels.len(), fraction)? {
        return Ok(());
    }
    let (group_of, counts) = dense_groups(labels, groups, &classes);
    for (number, fold) in folds.iter_mut().enumerate() {
        take_groups(fold, &group_of, &counts, classes.len(), fraction, seed, number);
    }
    Ok(())
}

/// Whether something is to be taken; a validation part that is there already goes back to training first.
fn ready(folds: &mut [Fold], clips: usize, fraction: f64) -> Result<bool, EvalError> {
    check_split(folds, clips)?;
    for fold in folds {
        fold.train.append(&mut fold.validation);
        fold.train.sort_unstable();
    }
    Ok(fraction > 0.0)
}

/// round(fraction * n) clips of each class, at least one, never the last one.
pub(super) fn take_clips(fold: &mut Fold, labels: &[usize], fraction: f64, seed: u64, number: usize) {
    let train_labels: Vec<usize> = fold.train.iter().map(|&index| labels[index]).collect();
    let mut chosen = vec![false; labels.len()];
    for (class, positions) in clips_by_class(&train_labels) {
        let mut clips: Vec<usize> = positions.into_iter().map(|position| fold.train[position]).collect();
        let count = target(clips.len(), fraction).min(clips.len() - 1);
        Shuffler::new(seed, &[VALIDATION_STREAM, number as u64, class as u64]).shuffle(&mut clips);
        for &index in &clips[..count] {
            chosen[index] = true;
        }
    }
    move_to_validation(fold, &chosen);
}

fn target(clips: usize, fraction: f64) -> usize {
    ((clips as f64 * fraction).round() as usize).max(1)
}

/// One group's clips per class, as (class, clips) for the classes it has.
pub(super) type GroupCounts = Vec<(usize, usize)>;

/// Whole groups, near `fraction` of each class's training clips.
///
/// `group_of` gives each clip's group and `counts` each group's clips per class, classes as numbers below
/// `classes`. The groups are visited in a seeded order; one is taken if that brings its classes closer to their
/// targets and leaves each of them another training group. A class still without validation then gives its
/// smallest group that may go.
pub(super) fn take_groups(
    fold: &mut Fold,
    group_of: &[usize],
    counts: &[GroupCounts],
    classes: usize,
    fraction: f64,
    seed: u64,
    number: usize,
) {
    let mut in_train = vec![false; counts.len()];
    for &index in &fold.train {
        in_train[group_of[index]] = true;
    }
    let mut order: Vec<usize> = (0..counts.len()).filter(|&group| in_train[group]).collect();
    let mut train_clips = vec![0; classes];
    let mut train_groups = vec![0; classes];
    for &(class, clips) in order.iter().flat_map(|&group| &counts[group]) {
        train_clips[class] += clips;
        train_groups[class] += 1;
    }
    let targets: Vec<f64> = train_clips.iter().map(|&clips| target(clips, fraction) as f64).collect();
    Shuffler::new(seed, &[VALIDATION_STREAM, number as u64]).shuffle(&mut order);

    let mut taken = vec![false; counts.len()];
    let mut validation = vec![0; classes];
    let mut take = |group: usize, train_groups: &mut [usize], validation: &mut [usize]| {
        taken[group] = true;
        for &(class, clips) in &counts[group] {
            train_groups[class] -= 1;
            validation[class] += clips;
        }
    };
    for &group in &order {
        let spare = counts[group].iter().all(|&(class, _)| train_groups[class] > 1);
        // Change of the summed distance to the targets, each class as a share of its training clips.
        let change: f64 = counts[group]
            .iter()
            .map(|&(class, clips)| {
                let before = (validation[class] as f64 - targets[class]).abs();
                let after = ((validation[class] + clips) as f64 - targets[class]).abs();
                (after - before) / train_clips[class] as f64
            })
            .sum();
        if spare && change < 0.0 {
            take(group, &mut train_groups, &mut validation);
        }
    }
    for class in 0..classes {
        if validation[class] > 0 {
            continue;
        }
        let smallest = order
            .iter()
            .filter(|&&group| counts[group].iter().any(|&(other, _)| other == class))
            .filter(|&&group| counts[group].iter().all(|&(other, _)| train_groups[other] > 1))
            .min_by_key(|&&group| counts[group].iter().map(|&(_, clips)| clips).sum::<usize>());
        if let Some(&group) = smallest {
            take(group, &mut train_groups, &mut validation);
        }
    }
    let chosen: Vec<bool> = group_of.iter().map(|&group| taken[group]).collect();
    move_to_validation(fold, &chosen);
}
