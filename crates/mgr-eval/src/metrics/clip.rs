//! From the scores of segments to one verdict on the clip.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::predicted_labels;
use super::ranking::finite;
use crate::EvalError;
use crate::error::same_length;

/// How the scores of a clip's segments become the scores of the clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClipRule {
    /// The sum, as MLFCF does (default). Clips with more segments get larger scores; the verdict is that of the mean.
    #[default]
    Sum,
    /// The arithmetic mean.
    Mean,
    /// The product, scaled to sum to 1. Where each class has a segment with score 0, all classes are equal.
    Product,
    /// The share of segments whose highest score is the class's; of equal scores in a segment the lower class.
    MajorityVote,
    /// The largest score of any segment.
    Maximum,
}

/// Who wins a majority vote with equally many votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoteTies {
    /// The class with the larger sum of scores over all segments, and of equal sums the lower class (default).
    #[default]
    LargerSum,
    /// The lower class, as the GTZAN-8 study does.
    LowerClass,
}

/// The verdicts on clips.
#[derive(Debug, Clone, PartialEq)]
pub struct ClipVerdicts {
    /// Scores (clips, classes) by the rule.
    pub scores: Array2<f64>,
    /// The class of each clip: that of the largest score, of equal scores the lower class; for a majority vote by [`VoteTies`].
    pub labels: Vec<usize>,
}

/// Joins segments into clips: row s of `scores` (segments, classes) belongs to clip `clip_of[s]`, in any order.
///
/// ```
/// use mgr_eval::metrics::{ClipRule, VoteTies, clip_verdicts};
/// use ndarray::array;
///
/// let segments = array![[0.6, 0.4], [0.6, 0.4], [0.1, 0.9]];
/// let vote = clip_verdicts(segments.view(), &[0, 0, 0], 1, ClipRule::MajorityVote, VoteTies::default())?;
/// let sum = clip_verdicts(segments.view(), &[0, 0, 0], 1, ClipRule::Sum, VoteTies::default())?;
/// assert_eq!((vote.labels[0], sum.labels[0]), (0, 1));
/// # Ok::<(), mgr_eval::EvalError>(())
/// ```
///
/// # Errors
/// [`EvalError::LengthMismatch`], [`EvalError::Empty`], [`EvalError::NotFinite`], [`EvalError::LabelOutOfRange`] for a clip
/// number from `clips` on, [`EvalError::NoSegment`], [`EvalError::Parameter`] for a negative score in a product.
pub fn clip_verdicts<S: Copy + Into<f64>>(
    scores: ArrayView2<'_, S>,
    clip_of: &[usize],
    clips: usize,
    rule: ClipRule,
    ties: VoteTies,
) -> Result<ClipVerdicts, EvalError> {
    same_length("clip numbers of segments", scores.nrows(), clip_of.len())?;
    let values = finite(scores)?;
    if let Some((index, &label)) = clip_of.iter().enumerate().find(|&(_, &clip)| clip >= clips) {
        return Err(EvalError::LabelOutOfRange { what: "clip number", label, index, classes: clips });
    }
    let mut segments = vec![0_u64; clips];
    clip_of.iter().for_each(|&clip| segments[clip] += 1);
    if let Some(clip) = segments.iter().position(|&count| count == 0) {
        return Err(EvalError::NoSegment { clip });
    }
    if rule == ClipRule::Product
        && let Some(&value) = values.iter().find(|&&score| score < 0.0)
    {
        return Err(EvalError::Parameter { name: "score in a product", value, allowed: "0 or more" });
    }

    let classes = values.ncols();
    let start = if rule == ClipRule::Maximum { f64::NEG_INFINITY } else { 0.0 };
    let mut joined = Array2::from_elem((clips, classes), start);
    let votes = if rule == ClipRule::MajorityVote { predicted_labels(values.view())? } else { Vec::new() };
    for (segment, (row, &clip)) in values.outer_iter().zip(clip_of).enumerate() {
        let mut target = joined.row_mut(clip);
        match rule {
            ClipRule::Sum | ClipRule::Mean => target += &row,
            // Products of many segments underflow; sums of logarithms do not.
            ClipRule::Product => target.zip_mut_with(&row, |sum, &score| *sum += score.ln()),
            ClipRule::MajorityVote => target[votes[segment]] += 1.0,
            ClipRule::Maximum => target.zip_mut_with(&row, |best, &score| *best = best.max(score)),
        }
    }
    for (mut row, &count) in joined.outer_iter_mut().zip(&segments) {
        match rule {
            ClipRule::Mean | ClipRule::MajorityVote => row /= count as f64,
            ClipRule::Product => {
                let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                if largest == f64::NEG_INFINITY {
                    row.fill(1.0 / classes as f64);
                } else {
                    row.mapv_inplace(|sum| (sum - largest).exp());
                    let whole = row.sum();
                    row /= whole;
                }
            }
            ClipRule::Sum | ClipRule::Maximum => {}
        }
    }
    let mut labels = predicted_labels(joined.view())?;
    if rule == ClipRule::MajorityVote && ties == VoteTies::LargerSum {
        let mut sums: Array2<f64> = Array2::zeros((clips, classes));
        for (row, &clip) in values.outer_iter().zip(clip_of) {
            let mut target = sums.row_mut(clip);
            target += &row;
        }
        for (clip, label) in labels.iter_mut().enumerate() {
            let most = joined[(clip, *label)];
            for class in *label + 1..classes {
                if joined[(clip, class)] == most && sums[(clip, class)] > sums[(clip, *label)] {
                    *label = class;
                }
            }
        }
    }
    Ok(ClipVerdicts { scores: joined, labels })
}
