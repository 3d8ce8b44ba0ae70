//! K folds with the class shares of the whole.

use serde::{Deserialize, Serialize};

use super::shuffle::Shuffler;
use super::{Fold, folds_from_assignment, validated_classes, validation};
use crate::EvalError;

/// K-fold cross-validation that keeps the class shares in every fold.
///
/// The clips of each class are shuffled by the seed and dealt to the folds in turn; each class starts where the
/// one before stopped. So the clips of any class in two test folds differ by at most one, and so do the sizes of
/// any two test folds. Every clip is in exactly one test fold.
///
/// Clips of one artist or one recording end up on both sides; where those are known use
/// [`StratifiedGroupKFold`](super::StratifiedGroupKFold).
///
/// ```
/// use mgr_eval::split::StratifiedKFold;
///
/// let labels = [0, 0, 0, 0, 1, 1, 1, 1];
/// let folds = StratifiedKFold { folds: 2, seed: 0, validation_fraction: 0.5 }.split(&labels)?;
/// assert_eq!(folds[0].test.len(), 4);
/// assert_eq!(folds[0].validation.len(), 2); // one of the two training clips of each class
/// # Ok::<(), mgr_eval::EvalError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StratifiedKFold {
    /// Number of folds, at least 2. Default 10.
    pub folds: usize,
    /// Seed of every draw. Default 0.
    pub seed: u64,
    /// Share of each class's training clips that becomes validation, in `[0, 1)`; 0 means no validation part.
    /// Default 0. See [`split`](Self::split) for the rounding.
    pub validation_fraction: f64,
}

impl Default for StratifiedKFold {
    fn default() -> Self {
        Self { folds: 10, seed: 0, validation_fraction: 0.0 }
    }
}

impl StratifiedKFold {
    /// Splits clips by their labels (any class numbers, not necessarily consecutive).
    ///
    /// With a validation fraction f, a class with n training clips gives round(f n) of them to validation, at
    /// least one and at most n - 1; a class with a single training clip gives none.
    ///
    /// # Errors
    /// [`EvalError::Empty`] without labels, [`EvalError::Folds`] for fewer than two folds,
    /// [`EvalError::Parameter`] for a bad fraction, [`EvalError::OneClass`], and [`EvalError::TooFewClips`] where a
    /// class has fewer clips than folds.
    pub fn split(&self, labels: &[usize]) -> Result<Vec<Fold>, EvalError> {
        let classes = validated_classes(labels, self.folds, self.validation_fraction)?;
        if let Some((&class, clips)) = classes.iter().min_by_key(|(_, clips)| clips.len())
            && clips.len() < self.folds
        {
            let (clips, folds) = (clips.len(), self.folds);
            return Err(EvalError::TooFewClips { class, clips, folds, largest: clips });
        }

        let mut fold_of = vec![0; labels.len()];
        let mut dealt = 0;
        for (&class, clips) in &classes {
            let mut clips = clips.clone();
            Shuffler::new(self.seed, &[class as u64]).shuffle(&mut clips);
            for index in clips {
                fold_of[index] = dealt % self.folds;
                dealt += 1;
            }
        }
        let mut folds = folds_from_assignment(&fold_of, self.folds);
        if self.validation_fraction > 0.0 {
            for (number, fold) in folds.iter_mut().enumerate() {
                validation::take_clips(fold, labels, self.validation_fraction, self.seed, number);
            }
        }
        Ok(folds)
    }
}
