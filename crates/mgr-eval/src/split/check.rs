//! Checks for splits that come from elsewhere: files, official partitions, hand-made lists.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::Fold;
use crate::EvalError;

/// Checks the indices of a split of `clips` clips.
///
/// In every fold the parts must be strictly ascending, within range and free of common clips, train and test must
/// not be empty; no clip may be in the test parts of two folds. Clips in no part are allowed (official partitions
/// leave faulty clips out).
///
/// # Errors
/// [`EvalError::Empty`], [`EvalError::IndexOutOfRange`], [`EvalError::NotAscending`],
/// [`EvalError::IndexOverlap`] or [`EvalError::TestOverlap`] for the first fault found.
pub fn check_split(folds: &[Fold], clips: usize) -> Result<(), EvalError> {
    if folds.is_empty() {
        return Err(EvalError::Empty { what: "list of folds" });
    }
    let mut tested_in: Vec<Option<usize>> = vec![None; clips];
    for (number, fold) in folds.iter().enumerate() {
        if fold.train.is_empty() {
            return Err(EvalError::Empty { what: "train part of a fold" });
        }
        if fold.test.is_empty() {
            return Err(EvalError::Empty { what: "test part of a fold" });
        }
        let mut part_of: Vec<Option<&'static str>> = vec![None; clips];
        for (part, indices) in fold.parts() {
            if let Some(pair) = indices.windows(2).find(|pair| pair[0] >= pair[1]) {
                return Err(EvalError::NotAscending { fold: number, part, index: pair[1] });
            }
            for &index in indices {
                match part_of.get(index) {
                    None => return Err(EvalError::IndexOutOfRange { fold: number, index, clips }),
                    Some(Some(first)) => {
                        return Err(EvalError::IndexOverlap { fold: number, index, first, second: part });
                    }
                    Some(None) => part_of[index] = Some(part),
                }
            }
        }
        for &index in &fold.test {
            if let Some(first) = tested_in[index] {
                return Err(EvalError::TestOverlap { index, first, second: number });
            }
            tested_in[index] = Some(number);
        }
    }
    Ok(())
}

/// Checks a split as [`check_split`] does, and that no group is in two parts of a fold or in two test parts.
///
/// # Errors
/// Those of [`check_split`] for one clip per entry of `groups`, [`EvalError::GroupOverlap`] and
/// [`EvalError::GroupTestOverlap`].
pub fn check_groups<G: Ord + Debug>(folds: &[Fold], groups: &[G]) -> Result<(), EvalError> {
    check_split(folds, groups.len())?;
    let mut tested_in: BTreeMap<&G, usize> = BTreeMap::new();
    for (number, fold) in folds.iter().enumerate() {
        let mut part_of: BTreeMap<&G, &'static str> = BTreeMap::new();
        for (part, indices) in fold.parts() {
            for &index in indices {
                let group = &groups[index];
                let first = *part_of.entry(group).or_insert(part);
                if first != part {
                    let group = format!("{group:?}");
                    return Err(EvalError::GroupOverlap { fold: number, group, first, second: part });
                }
                if part == "test" {
                    let first = *tested_in.entry(group).or_insert(number);
                    if first != number {
                        let group = format!("{group:?}");
                        return Err(EvalError::GroupTestOverlap { group, first, second: number });
                    }
                }
            }
        }
    }
    Ok(())
}
