//! Folds from labels and groups: stratified, optionally by group, optionally with a validation part.
//!
//! A split depends on labels, groups, the number of folds and the seed, and on nothing else: the same call gives
//! the same folds on every machine and in every later version.

//!
//! [`scikit`] and [`mlfcf_folds`] give the lists of published studies instead, by the generators that those were drawn with
//! ([`PythonRandom`], [`NumpyRandom`]).

mod check;
mod grouped;
mod mersenne;
mod mlfcf;
mod ratio;
pub mod scikit;
mod shuffle;
mod stratified;
mod summary;
mod validation;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use check::{check_groups, check_split};
pub use grouped::StratifiedGroupKFold;
pub use mersenne::{NumpyRandom, PythonRandom};
pub use mlfcf::mlfcf_folds;
pub use ratio::RatioSplit;
pub(crate) use shuffle::Shuffler;
pub use stratified::StratifiedKFold;
pub use summary::FoldSummary;
pub use validation::{take_validation, take_validation_groups};

use crate::EvalError;

/// One train / validation / test partition by clip index, each part in ascending order.
///
/// Without a validation fraction `validation` is empty. The three parts of a fold made here cover every clip once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// Clips to fit on.
    pub train: Vec<usize>,
    /// Clips to choose epochs, parameters and subsets on; taken out of the training folds.
    #[serde(default)]
    pub validation: Vec<usize>,
    /// Clips to report on.
    pub test: Vec<usize>,
}

impl Fold {
    fn parts(&self) -> [(&'static str, &[usize]); 3] {
        [("train", &self.train), ("validation", &self.validation), ("test", &self.test)]
    }
}

/// Clip indices of each class that occurs, in ascending order of the label.
fn clips_by_class(labels: &[usize]) -> BTreeMap<usize, Vec<usize>> {
    let mut classes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, &label) in labels.iter().enumerate() {
        classes.entry(label).or_default().push(index);
    }
    classes
}

/// What every splitter asks of its labels and parameters before it looks at counts per class.
fn validated_classes(
    labels: &[usize],
    folds: usize,
    validation_fraction: f64,
) -> Result<BTreeMap<usize, Vec<usize>>, EvalError> {
    if labels.is_empty() {
        return Err(EvalError::Empty { what: "labels" });
    }
    if !(0.0..1.0).contains(&validation_fraction) {
        return Err(EvalError::Parameter {
            name: "validation_fraction",
            value: validation_fraction,
            allowed: "0 (no validation part) up to, not including, 1",
        });
    }
    if folds < 2 {
        return Err(EvalError::Folds { folds, largest: labels.len() });
    }
    let classes = clips_by_class(labels);
    if let (1, Some((&class, _))) = (classes.len(), classes.first_key_value()) {
        return Err(EvalError::OneClass { class });
    }
    Ok(classes)
}

/// Folds from the test fold of every clip: the rest is training.
fn folds_from_assignment(fold_of: &[usize], folds: usize) -> Vec<Fold> {
    let mut result = vec![Fold::default(); folds];
    for (index, &test_fold) in fold_of.iter().enumerate() {
        for (number, fold) in result.iter_mut().enumerate() {
            if number == test_fold { fold.test.push(index) } else { fold.train.push(index) }
        }
    }
    result
}

/// Moves the marked clips of `fold` from training to validation; both stay in ascending order.
fn move_to_validation(fold: &mut Fold, chosen: &[bool]) {
    let (validation, train) = fold.train.iter().partition(|&&index| chosen[index]);
    fold.train = train;
    fold.validation = validation;
}
