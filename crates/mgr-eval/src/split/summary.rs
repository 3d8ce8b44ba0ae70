//! A split at a glance: clips by class and part.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Fold;
use crate::EvalError;

/// Clips of each class in the parts of a fold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldSummary {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Clips of each class in training, validation and test.
    pub counts: Vec<[usize; 3]>,
    /// Clips of each class in no part.
    pub left_out: Vec<usize>,
}

impl FoldSummary {
    /// Counts a fold's clips.
    ///
    /// # Errors
    /// [`EvalError::LabelOutOfRange`] for a label without a name, [`EvalError::IndexOutOfRange`] for a clip without a label.
    pub fn new(fold: &Fold, labels: &[usize], classes: &[String]) -> Result<Self, EvalError> {
        let mut counts = vec![[0; 3]; classes.len()];
        let mut left_out = vec![0_usize; classes.len()];
        for (index, &label) in labels.iter().enumerate() {
            let classes = classes.len();
            let of = left_out.get_mut(label);
            *of.ok_or(EvalError::LabelOutOfRange { what: "label", label, index, classes })? += 1;
        }
        for (part, (_, clips)) in fold.parts().into_iter().enumerate() {
            for &index in clips {
                let label = labels.get(index).copied();
                let label =
                    label.ok_or(EvalError::IndexOutOfRange { fold: 0, index, clips: labels.len() })?;
                counts[label][part] += 1;
                left_out[label] = left_out[label].saturating_sub(1);
            }
        }
        Ok(Self { classes: classes.to_vec(), counts, left_out })
    }

    /// Clips in training, validation, test and in no part.
    #[must_use]
    pub fn totals(&self) -> [usize; 4] {
        let part = |part: usize| self.counts.iter().map(|c| c[part]).sum();
        [part(0), part(1), part(2), self.left_out.iter().sum()]
    }

    /// Classes that are in training and not in test, or in test and not in training.
    #[must_use]
    pub fn absent(&self) -> Vec<&str> {
        let one_sided = |c: &[usize; 3]| (c[0] == 0) != (c[2] == 0);
        self.classes.iter().zip(&self.counts).filter(|(_, c)| one_sided(c)).map(|(n, _)| n.as_str()).collect()
    }
}

impl fmt::Display for FoldSummary {
    /// A table with one line a class and one of totals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.classes.iter().map(|c| c.chars().count()).max().unwrap_or(0).max(5);
        writeln!(
            f,
            "{:<width$}  {:>7} {:>10} {:>7} {:>8}",
            "class", "train", "validation", "test", "left out"
        )?;
        for ((name, [train, validation, test]), out) in
            self.classes.iter().zip(&self.counts).zip(&self.left_out)
        {
            writeln!(f, "{name:<width$}  {train:>7} {validation:>10} {test:>7} {out:>8}")?;
        }
        let [train, validation, test, out] = self.totals();
        write!(f, "{:<width$}  {train:>7} {validation:>10} {test:>7} {out:>8}", "all")
    }
}
