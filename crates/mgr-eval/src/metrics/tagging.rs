//! Measures where a clip may have any number of labels.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::curve::{average_precision, roc_auc};
use super::ranking::{ClassValues, by_column, finite, of_all_cells};
use super::{Average, ClassScores, MacroAverage};
use crate::EvalError;
use crate::error::same_length;

/// What clips have and what a tagger says, (clips, tags) each.
///
/// ```
/// use mgr_eval::metrics::Tagging;
/// use ndarray::array;
///
/// let truth = array![[true, false], [false, true], [true, true]];
/// let scores = array![[0.9_f32, 0.2], [0.4, 0.6], [0.7, 0.1]];
/// let tagging = Tagging::new(truth.view(), scores.view())?;
/// assert_eq!(tagging.roc_auc()?.values, [Some(1.0), Some(0.5)]);
/// # Ok::<(), mgr_eval::EvalError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Tagging {
    truth: Array2<bool>,
    scores: Array2<f64>,
}

/// Measures of a tagger at one threshold; 0/0 is 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaggingAt {
    /// By tag.
    pub tags: Vec<ClassScores>,
    /// Mean over tags.
    pub macro_average: MacroAverage,
    /// Of all (clip, tag) cells together.
    pub micro_average: MacroAverage,
    /// Mean over tags weighted by positive clips.
    pub weighted_average: MacroAverage,
    /// Mean over clips.
    pub clip_average: MacroAverage,
    /// The share of cells that are wrong.
    pub hamming_loss: f64,
    /// The share of clips with every tag right.
    pub subset_accuracy: f64,
}

/// Hits, positives and claims of one tag or clip.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    hits: u64,
    positives: u64,
    claimed: u64,
}

impl Counts {
    fn add(&mut self, positive: bool, claimed: bool) {
        self.hits += u64::from(positive && claimed);
        self.positives += u64::from(positive);
        self.claimed += u64::from(claimed);
    }

    fn scores(self) -> ClassScores {
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        ClassScores {
            precision: share(self.hits, self.claimed),
            recall: share(self.hits, self.positives),
            f1: share(2 * self.hits, self.positives + self.claimed),
            support: self.positives,
        }
    }
}

impl Tagging {
    /// Truth and scores of the same clips and tags. Scores need not be probabilities.
    ///
    /// # Errors
    /// [`EvalError::LengthMismatch`] for different shapes, [`EvalError::Empty`], [`EvalError::NotFinite`].
    pub fn new<S: Copy + Into<f64>>(
        truth: ArrayView2<'_, bool>,
        scores: ArrayView2<'_, S>,
    ) -> Result<Self, EvalError> {
        same_length("rows of scores", truth.nrows(), scores.nrows())?;
        same_length("columns of scores", truth.ncols(), scores.ncols())?;
        Ok(Self { truth: truth.to_owned(), scores: finite(scores)? })
    }

    fn is_positive(&self) -> impl Fn(usize, usize) -> bool + '_ {
        |row, column| self.truth[(row, column)]
    }

    /// Area under the ROC curve by tag; none for a tag that no clip or every clip has.
    ///
    /// # Errors
    /// None in practice: all input was checked by [`new`](Self::new).
    pub fn roc_auc(&self) -> Result<ClassValues, EvalError> {
        by_column(&self.scores, self.is_positive(), roc_auc)
    }

    /// Average precision (PR AUC) by tag; 0 for a tag that no clip has.
    ///
    /// # Errors
    /// None in practice: all input was checked by [`new`](Self::new).
    pub fn average_precision(&self) -> Result<ClassValues, EvalError> {
        by_column(&self.scores, self.is_positive(), |p, s| average_precision(p, s).map(Some))
    }

    /// Area under the ROC curve of all (clip, tag) cells together; none where all are alike.
    ///
    /// # Errors
    /// None in practice: all input was checked by [`new`](Self::new).
    pub fn roc_auc_micro(&self) -> Result<Option<f64>, EvalError> {
        of_all_cells(&self.scores, self.is_positive(), roc_auc)
    }

    /// Average precision of all (clip, tag) cells together; 0 where no clip has a tag.
    ///
    /// # Errors
    /// None in practice: all input was checked by [`new`](Self::new).
    pub fn average_precision_micro(&self) -> Result<f64, EvalError> {
        of_all_cells(&self.scores, self.is_positive(), average_precision)
    }

    /// Measures where a tag is claimed when its score is at least `threshold`.
    ///
    /// # Errors
    /// [`EvalError::Parameter`] for a threshold that is NaN.
    pub fn at_threshold(&self, threshold: f64) -> Result<TaggingAt, EvalError> {
        if threshold.is_nan() {
            return Err(EvalError::Parameter { name: "threshold", value: threshold, allowed: "any number" });
        }
        let (clips, tags) = self.truth.dim();
        let mut by_tag = vec![Counts::default(); tags];
        let mut by_clip = vec![Counts::default(); clips];
        let mut all = Counts::default();
        let mut wrong = vec![0_u64; clips];
        for ((clip, tag), &positive) in self.truth.indexed_iter() {
            let claimed = self.scores[(clip, tag)] >= threshold;
            by_tag[tag].add(positive, claimed);
            by_clip[clip].add(positive, claimed);
            all.add(positive, claimed);
            wrong[clip] += u64::from(positive != claimed);
        }
        let of_tags: Vec<ClassScores> = by_tag.into_iter().map(Counts::scores).collect();
        let of_clips: Vec<ClassScores> = by_clip.into_iter().map(Counts::scores).collect();
        Ok(TaggingAt {
            macro_average: mean(&of_tags, Average::Macro),
            micro_average: mean(&[all.scores()], Average::Macro),
            weighted_average: mean(&of_tags, Average::Weighted),
            clip_average: mean(&of_clips, Average::Macro),
            hamming_loss: wrong.iter().sum::<u64>() as f64 / (clips * tags) as f64,
            subset_accuracy: wrong.iter().filter(|&&count| count == 0).count() as f64 / clips as f64,
            tags: of_tags,
        })
    }
}

fn mean(scores: &[ClassScores], average: Average) -> MacroAverage {
    let weight = |s: &ClassScores| if average == Average::Weighted { s.support as f64 } else { 1.0 };
    let whole: f64 = scores.iter().map(weight).sum();
    let of = |value: fn(&ClassScores) -> f64| {
        let sum: f64 = scores.iter().map(|s| weight(s) * value(s)).sum();
        if whole > 0.0 { sum / whole } else { 0.0 }
    };
    MacroAverage { precision: of(|s| s.precision), recall: of(|s| s.recall), f1: of(|s| s.f1) }
}
