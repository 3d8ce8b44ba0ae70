//! One partition into training, validation and test by shares.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::grouped::dense_groups;
use super::shuffle::Shuffler;
use super::{Fold, clips_by_class};
use crate::EvalError;
use crate::error::same_length;

/// Training, validation and test by shares, each class divided as the whole.
///
/// ```
/// use mgr_eval::split::RatioSplit;
///
/// let labels: Vec<usize> = (0..200).map(|i| i % 4).collect();
/// let fold = RatioSplit::default().split(&labels)?;
/// assert_eq!((fold.train.len(), fold.validation.len(), fold.test.len()), (160, 20, 20));
/// # Ok::<(), mgr_eval::EvalError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RatioSplit {
    /// Share of training clips, in (0, 1). Default 0.8.
    pub train: f64,
    /// Share of validation clips, in [0, 1); 0 for none. Default 0.1.
    pub validation: f64,
    /// Seed of every draw. Default 0. What is neither training nor validation is test.
    pub seed: u64,
}

impl Default for RatioSplit {
    fn default() -> Self {
        Self { train: 0.8, validation: 0.1, seed: 0 }
    }
}

impl RatioSplit {
    fn check(&self, labels: &[usize]) -> Result<(), EvalError> {
        if labels.is_empty() {
            return Err(EvalError::Empty { what: "labels" });
        }
        if !(self.train > 0.0 && self.train < 1.0) {
            let allowed = "between 0 and 1, both excluded";
            return Err(EvalError::Parameter { name: "train", value: self.train, allowed });
        }
        // With a share for test that is more than a rounding error.
        if !(self.validation >= 0.0 && self.train + self.validation < 1.0 - 1e-9) {
            let allowed = "0 up to what training leaves, with a rest for test";
            return Err(EvalError::Parameter { name: "validation", value: self.validation, allowed });
        }
        Ok(())
    }

    /// Divides each class: a class of n clips gives round(n train) to training and round(n validation) to validation (halves away from
    /// zero), at least one to training and, where it has three clips or more, at least one to test.
    ///
    /// # Errors
    /// [`EvalError::Empty`], [`EvalError::Parameter`], and [`EvalError::TooFewClips`] for a class of fewer clips than parts.
    pub fn split(&self, labels: &[usize]) -> Result<Fold, EvalError> {
        self.divide(labels, true)
    }

    /// As [`RatioSplit::split`], without a draw: the first clips of each class are for training, the next for validation, the last
    /// for test, as studies do that take the order of a folder's listing. The seed has no part in it. Neighbours in a listing are
    /// often of one album, so this keeps more of them apart than a draw does, but nothing is promised.
    ///
    /// ```
    /// use mgr_eval::split::RatioSplit;
    ///
    /// let labels = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    /// let fold = RatioSplit { train: 0.7, validation: 0.1, seed: 0 }.split_in_order(&labels)?;
    /// assert_eq!((fold.train, fold.validation, fold.test), (vec![0, 1, 2, 3, 4, 5, 6], vec![7], vec![8, 9]));
    /// # Ok::<(), mgr_eval::EvalError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`RatioSplit::split`].
    pub fn split_in_order(&self, labels: &[usize]) -> Result<Fold, EvalError> {
        self.divide(labels, false)
    }

    fn divide(&self, labels: &[usize], shuffled: bool) -> Result<Fold, EvalError> {
        self.check(labels)?;
        let parts = if self.validation > 0.0 { 3 } else { 2 };
        let mut fold = Fold::default();
        for (class, mut clips) in clips_by_class(labels) {
            let n = clips.len();
            if n < parts {
                return Err(EvalError::TooFewClips { class, clips: n, folds: parts, largest: n });
            }
            if shuffled {
                Shuffler::new(self.seed, &[class as u64]).shuffle(&mut clips);
            }
            let least_validation = usize::from(self.validation > 0.0);
            let train = ((n as f64 * self.train).round() as usize).clamp(1, n - 1 - least_validation);
            let validation =
                ((n as f64 * self.validation).round() as usize).clamp(least_validation, n - 1 - train);
            let (first, rest) = clips.split_at(train);
            let (second, third) = rest.split_at(validation);
            fold.train.extend(first);
            fold.validation.extend(second);
            fold.test.extend(third);
        }
        sort(&mut fold);
        Ok(fold)
    }

    /// As [`RatioSplit::split`] with no group (artist, album) in two parts, so the shares are met as nearly as whole groups allow:
    /// from the largest to the smallest, equal ones in a seeded order, each group goes to the part that its classes lack most.
    ///
    /// # Errors
    /// Those of [`RatioSplit::split`]; [`EvalError::LengthMismatch`]; [`EvalError::TooFewGroups`] for a class of fewer groups than
    /// parts.
    pub fn split_groups<G: Ord + Debug>(&self, labels: &[usize], groups: &[G]) -> Result<Fold, EvalError> {
        same_length("groups", labels.len(), groups.len())?;
        self.check(labels)?;
        let classes = clips_by_class(labels);
        let (group_of, counts) = dense_groups(labels, groups, &classes);
        let shares = [self.train, self.validation, 1.0 - self.train - self.validation];
        let parts = if self.validation > 0.0 { 3 } else { 2 };
        let mut groups_of_class: BTreeMap<usize, usize> = BTreeMap::new();
        for &(class, _) in counts.iter().flatten() {
            *groups_of_class.entry(class).or_default() += 1;
        }
        let names: Vec<usize> = classes.keys().copied().collect();
        if let Some((&class, &groups)) = groups_of_class.iter().find(|(_, groups)| **groups < parts) {
            let class = names[class];
            return Err(EvalError::TooFewGroups { class, groups, folds: parts, largest: groups });
        }
        let mut order: Vec<usize> = (0..counts.len()).collect();
        Shuffler::new(self.seed, &[]).shuffle(&mut order);
        let size = |group: usize| counts[group].iter().map(|&(_, clips)| clips).sum::<usize>();
        order.sort_by_key(|&group| std::cmp::Reverse(size(group)));
        let totals: Vec<f64> = classes.values().map(|clips| clips.len() as f64).collect();
        let mut held = vec![[0.0_f64; 3]; totals.len()];
        let mut part_of = vec![0; counts.len()];
        for group in order {
            // How far below its share a part is in the group's classes, in shares of the part.
            let lack = |part: usize| -> f64 {
                let of = counts[group].iter().map(|&(class, clips)| {
                    let wanted = totals[class] * shares[part];
                    clips as f64 * (wanted - held[class][part]) / wanted
                });
                of.sum()
            };
            let open = (0..3).filter(|&part| shares[part] > 0.0);
            let best = open.max_by(|&a, &b| lack(a).total_cmp(&lack(b)).then(b.cmp(&a))).unwrap_or(0);
            part_of[group] = best;
            for &(class, clips) in &counts[group] {
                held[class][best] += clips as f64;
            }
        }
        let mut fold = Fold::default();
        for (clip, &group) in group_of.iter().enumerate() {
            match part_of[group] {
                0 => fold.train.push(clip),
                1 => fold.validation.push(clip),
                _ => fold.test.push(clip),
            }
        }
        Ok(fold)
    }
}

fn sort(fold: &mut Fold) {
    fold.train.sort_unstable();
    fold.validation.sort_unstable();
    fold.test.sort_unstable();
}
