//! K folds that never divide a group (artist, album, recording).

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::shuffle::Shuffler;
use super::validation::{self, GroupCounts};
use super::{Fold, folds_from_assignment, validated_classes};
use crate::EvalError;
use crate::error::same_length;

/// K-fold cross-validation in which no group is in two parts, with class shares as even as whole groups allow.
///
/// The greedy rule is that of scikit-learn's `StratifiedGroupKFold`: groups are visited from the largest to the
/// smallest (equal ones in a seeded order) and each goes to the fold that keeps the class counts most even. Here
/// the cost of putting a group with v_c clips of class c into fold f, which already has n_fc, is
/// `sum_c v_c n_fc / N_c^2` with N_c the class's clips: what the move adds to the variance of the class shares,
/// less a constant. Ties go to the fold with fewer clips, then to the lower number.
///
/// **Policy on few groups.** A class with fewer groups than folds would be missing from a test fold, and its
/// recall there undefined: this is an error that names the class, its groups and the largest number of folds that
/// works for every class. Where every group has one class (artist-filtered genres), every class is then in every
/// test fold. Groups that mix classes can leave a class out of a test fold; leaving one out of training is an
/// error.
///
/// Groups are compared by `Ord`; the folds do not depend on the order in which groups first appear among the
/// clips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StratifiedGroupKFold {
    /// Number of folds, at least 2. Default 10.
    pub folds: usize,
    /// Seed of every draw. Default 0.
    pub seed: u64,
    /// Share of each class's training clips that becomes validation, in `[0, 1)`; 0 means no validation part.
    /// Default 0. See [`split`](Self::split) for the choice of groups.
    pub validation_fraction: f64,
}

impl Default for StratifiedGroupKFold {
    fn default() -> Self {
        Self { folds: 10, seed: 0, validation_fraction: 0.0 }
    }
}

impl StratifiedGroupKFold {
    /// Splits clips by their labels and groups (numbers, names, anything ordered).
    ///
    /// Validation takes whole training groups, in a seeded order, while that brings the classes closer to the
    /// fraction. A group stays in training if it is the last training group of one of its classes, so a class
    /// with a single training group gives nothing; a class that can give a group gives at least one, however
    /// small the fraction.
    ///
    /// ```
    /// use mgr_eval::split::StratifiedGroupKFold;
    ///
    /// let labels = [0, 0, 0, 1, 1, 1];
    /// let artists = ["a", "a", "b", "c", "d", "d"];
    /// let folds = StratifiedGroupKFold { folds: 2, ..Default::default() }.split(&labels, &artists)?;
    /// assert!(folds.iter().all(|fold| fold.test.contains(&0) == fold.test.contains(&1)));
    /// # Ok::<(), mgr_eval::EvalError>(())
    /// ```
    ///
    /// # Errors
    /// [`EvalError::LengthMismatch`], [`EvalError::Empty`], [`EvalError::Folds`], [`EvalError::Parameter`] and
    /// [`EvalError::OneClass`] as their names say; [`EvalError::TooFewGroups`] where a class has fewer groups than
    /// folds; [`EvalError::ClassNotInTraining`] where mixed groups put a whole class into one test fold.
    pub fn split<G: Ord + Debug>(&self, labels: &[usize], groups: &[G]) -> Result<Vec<Fold>, EvalError> {
        same_length("groups", labels.len(), groups.len())?;
        let classes = validated_classes(labels, self.folds, self.validation_fraction)?;
        let (group_of, counts) = dense_groups(labels, groups, &classes);
        let class_labels: Vec<usize> = classes.keys().copied().collect();
        let class_clips: Vec<usize> = classes.values().map(Vec::len).collect();
        self.check_group_counts(&counts, &class_labels)?;

        let fold_of_group = self.assign(&counts, &class_clips);
        let fold_of: Vec<usize> = group_of.iter().map(|&group| fold_of_group[group]).collect();
        for (class, clips) in &classes {
            let first = fold_of[clips[0]];
            if clips.iter().all(|&index| fold_of[index] == first) {
                return Err(EvalError::ClassNotInTraining { class: *class, fold: first });
            }
        }
        let mut folds = folds_from_assignment(&fold_of, self.folds);
        if self.validation_fraction > 0.0 {
            for (number, fold) in folds.iter_mut().enumerate() {
                let (fraction, seed) = (self.validation_fraction, self.seed);
                validation::take_groups(fold, &group_of, &counts, classes.len(), fraction, seed, number);
            }
        }
        Ok(folds)
    }

    /// As [`split`](Self::split), for choosing within a training part, where classes may have fewer groups than folds: such a class is
    /// missing in some test parts, and clips of a class with a single group are in no test part and in every training part. There is
    /// no validation part.
    ///
    /// # Errors
    /// As [`split`](Self::split), but for [`EvalError::TooFewGroups`]; [`EvalError::ClassNotInTraining`] where mixed groups put a whole
    /// class into one test fold.
    pub fn split_uneven<G: Ord + Debug>(
        &self,
        labels: &[usize],
        groups: &[G],
    ) -> Result<Vec<Fold>, EvalError> {
        same_length("groups", labels.len(), groups.len())?;
        let mut by_class: BTreeMap<usize, usize> = BTreeMap::new();
        labels.iter().for_each(|&label| *by_class.entry(label).or_default() += 1);
        if by_class.len() < 2 {
            return self.split(labels, groups);
        }
        let classes: BTreeMap<usize, Vec<usize>> = by_class
            .keys()
            .map(|&class| (class, (0..labels.len()).filter(|&i| labels[i] == class).collect()))
            .collect();
        if self.folds < 2 || self.folds > labels.len() {
            return Err(EvalError::Folds { folds: self.folds, largest: labels.len() });
        }
        let (group_of, counts) = dense_groups(labels, groups, &classes);
        let class_clips: Vec<usize> = classes.values().map(Vec::len).collect();
        let fold_of_group = self.assign(&counts, &class_clips);
        let mut groups_of_class = vec![0_usize; classes.len()];
        for &(class, _) in counts.iter().flatten() {
            groups_of_class[class] += 1;
        }
        let lone: Vec<bool> =
            counts.iter().map(|c| c.iter().any(|&(class, _)| groups_of_class[class] < 2)).collect();
        let folds: Vec<Fold> = (0..self.folds)
            .map(|number| {
                let tested = |i: &usize| fold_of_group[group_of[*i]] == number && !lone[group_of[*i]];
                let (test, train) = (0..labels.len()).partition(tested);
                Fold { train, validation: Vec::new(), test }
            })
            .collect();
        for (class, clips) in &classes {
            for (number, fold) in folds.iter().enumerate() {
                if clips.iter().all(|i| fold.test.binary_search(i).is_ok()) {
                    return Err(EvalError::ClassNotInTraining { class: *class, fold: number });
                }
            }
        }
        Ok(folds)
    }

    fn check_group_counts(&self, counts: &[GroupCounts], class_labels: &[usize]) -> Result<(), EvalError> {
        let mut groups_of_class = vec![0_usize; class_labels.len()];
        for &(class, _) in counts.iter().flatten() {
            groups_of_class[class] += 1;
        }
        match groups_of_class.iter().enumerate().min_by_key(|&(_, &groups)| groups) {
            Some((class, &groups)) if groups < self.folds => Err(EvalError::TooFewGroups {
                class: class_labels[class],
                groups,
                folds: self.folds,
                largest: groups,
            }),
            _ => Ok(()),
        }
    }

    /// The test fold of every group.
    fn assign(&self, counts: &[GroupCounts], class_clips: &[usize]) -> Vec<usize> {
        let size = |group: usize| counts[group].iter().map(|&(_, clips)| clips).sum::<usize>();
        let mut order: Vec<usize> = (0..counts.len()).collect();
        Shuffler::new(self.seed, &[]).shuffle(&mut order);
        order.sort_by_key(|&group| std::cmp::Reverse(size(group)));

        let mut held = vec![vec![0_usize; class_clips.len()]; self.folds];
        let mut clips_in = vec![0_usize; self.folds];
        let mut fold_of_group = vec![0; counts.len()];
        for group in order {
            let cost = |fold: usize| -> f64 {
                counts[group]
                    .iter()
                    .map(|&(class, clips)| {
                        let total = class_clips[class] as f64;
                        (clips as f64 / total) * (held[fold][class] as f64 / total)
                    })
                    .sum()
            };
            let best = (0..self.folds)
                .min_by(|&a, &b| cost(a).total_cmp(&cost(b)).then(clips_in[a].cmp(&clips_in[b])))
                .unwrap_or(0);
            fold_of_group[group] = best;
            clips_in[best] += size(group);
            for &(class, clips) in &counts[group] {
                held[best][class] += clips;
            }
        }
        fold_of_group
    }
}

/// Every clip's group as a number in the groups' order, and every group's clips per class (classes as numbers in
/// the labels' order).
pub(super) fn dense_groups<G: Ord>(
    labels: &[usize],
    groups: &[G],
    classes: &BTreeMap<usize, Vec<usize>>,
) -> (Vec<usize>, Vec<GroupCounts>) {
    let class_number: BTreeMap<usize, usize> =
        classes.keys().enumerate().map(|(number, &label)| (label, number)).collect();
    let mut clips_of: BTreeMap<&G, Vec<usize>> = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        clips_of.entry(group).or_default().push(index);
    }
    let mut group_of = vec![0; labels.len()];
    let mut counts = Vec::with_capacity(clips_of.len());
    for (number, clips) in clips_of.into_values().enumerate() {
        let mut per_class: BTreeMap<usize, usize> = BTreeMap::new();
        for index in clips {
            group_of[index] = number;
            *per_class.entry(class_number[&labels[index]]).or_default() += 1;
        }
        counts.push(per_class.into_iter().collect());
    }
    (group_of, counts)
}
