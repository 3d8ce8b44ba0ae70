//! The verdict on every clip: the sum rule, the meta networks, and what they must beat, all in the same folds.

use mgr_learn::{
    Classifier, Learner, LearnerConfig, LogisticRegressionConfig, PipelineConfig, PipelineModel,
};
use ndarray::{Array2, Axis, concatenate, s};
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::clips::Clips;
use crate::combine::{Scores, SubsetResult, averaged, normalise, ranked};
use crate::config::{MetaKind, Protocol, VerdictRule, Weighting, baseline_learner};
use crate::encoder::{Encoders, Place};
use crate::files::read_array;
use crate::folds::Parts;
use crate::inputs::table;
use crate::meta::{MetaPlace, meta_folder};

/// The systems of a run by number: the verdict first, then its parts, then what they must beat.
pub(crate) const SYSTEMS: [&str; 13] = [
    "verdict",
    "sum rule over the top subsets",
    "sum rule, best subset",
    "meta networks of the top subsets",
    "meta network of the best subset",
    "meta network of all features",
    "stacking by logistic regression",
    "mean of all features",
    "best single feature",
    "concatenation with SVM",
    "MFCC statistics with SVM",
    "majority class",
    "sum rule and meta networks",
];

pub(crate) const SUM: usize = 1;
pub(crate) const META: usize = 3;
/// The first of the systems that the verdict must beat.
pub(crate) const FIRST_BASELINE: usize = 6;

/// The subsets of a fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Choice {
    /// The top subsets, best first.
    pub(crate) top: Vec<u32>,
    /// The best single feature.
    pub(crate) single: u32,
}

/// All subsets of all folds and what was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Combination {
    /// Where things are chosen: fold by fold, subset by subset in the order of their masks.
    pub(crate) chosen_on: Vec<Vec<SubsetResult>>,
    /// The same on the test parts; empty without them.
    pub(crate) tested_on: Vec<Vec<SubsetResult>>,
    pub(crate) choices: Vec<Choice>,
}

/// The clips that things are chosen on in a fold, with their scores, and the test clips with theirs.
pub(crate) struct FoldScores {
    pub(crate) chosen: Vec<usize>,
    pub(crate) chosen_scores: Scores,
    pub(crate) test_scores: Scores,
}

/// Which clips of a fold are validated, in order.
fn validated(parts: &Parts) -> Vec<usize> {
    let mut all: Vec<usize> = parts.splits.iter().flat_map(|s| s.validation.iter().copied()).collect();
    all.sort_unstable();
    all
}

/// Rows of (clips, classes) matrices of the splits: validated clips from the split that validates them, test clips as the mean.
fn gather(parts: &Parts, splits: &[Array2<f32>], chosen: &[usize]) -> (Array2<f64>, Array2<f64>) {
    let classes = splits.first().map_or(0, Array2::ncols);
    let mut of_chosen = Array2::from_elem((chosen.len(), classes), f64::NAN);
    for (split, scores) in parts.splits.iter().zip(splits) {
        for &clip in &split.validation {
            if let Ok(row) = chosen.binary_search(&clip) {
                of_chosen.row_mut(row).assign(&scores.row(clip).mapv(f64::from));
            }
        }
    }
    let mut of_test = Array2::zeros((parts.test.len(), classes));
    for scores in splits {
        for (mut row, &clip) in of_test.rows_mut().into_iter().zip(&parts.test) {
            row += &scores.row(clip).mapv(f64::from);
        }
    }
    of_test /= splits.len().max(1) as f64;
    (of_chosen, of_test)
}

impl Choice {
    /// The subsets that have a meta network: the top ones, and all features.
    pub(crate) fn meta(&self, features: usize) -> Vec<u32> {
        let all = (1_u32 << features) - 1;
        let mut masks = self.top.clone();
        if !masks.contains(&all) {
            masks.push(all);
        }
        masks
    }
}

impl Encoders<'_> {
    /// The scores of a fold's encoders.
    pub(crate) fn fold_scores(&self, fold: usize, features: usize) -> Result<FoldScores, PipelineError> {
        let parts = &self.folds[fold];
        let chosen = validated(parts);
        let (mut of_chosen, mut of_test) = (Vec::new(), Vec::new());
        for feature in 0..features {
            let mut splits = Vec::new();
            for split in 0..parts.splits.len() {
                let mut scores = read_array(&self.folder(Place { fold, split, feature }).join("scores.npy"))?;
                if self.config.weighting == Weighting::Published {
                    for (mut row, clip) in scores.rows_mut().into_iter().zip(&self.clips.clips) {
                        row *= clip.segments[feature] as f32;
                    }
                }
                splits.push(scores);
            }
            let (a, b) = gather(parts, &splits, &chosen);
            of_chosen.push(a);
            of_test.push(b);
        }
        Ok(FoldScores {
            chosen,
            chosen_scores: Scores { features: of_chosen },
            test_scores: Scores { features: of_test },
        })
    }

    fn truth(&self, clips: &[usize]) -> Vec<usize> {
        clips.iter().map(|&i| self.clips.clips[i].class).collect()
    }

    /// Rates every subset in every fold and chooses the top ones: fold by fold under the nested protocol, over all test folds at once
    /// under the published one.
    pub(crate) fn combine(&self, features: usize) -> Result<Combination, PipelineError> {
        let (mut chosen_on, mut tested_on) = (Vec::new(), Vec::new());
        for (fold, parts) in self.folds.iter().enumerate() {
            let scores = self.fold_scores(fold, features)?;
            chosen_on.push(scores.chosen_scores.search(&self.truth(&scores.chosen)));
            if !parts.test.is_empty() {
                tested_on.push(scores.test_scores.search(&self.truth(&parts.test)));
            }
        }
        let choose = |results: &[SubsetResult]| {
            let order = ranked(results);
            let top = order.iter().take(self.config.top).map(|r| r.mask).collect();
            let single = order.iter().find(|r| r.mask.count_ones() == 1).map_or(1, |r| r.mask);
            Choice { top, single }
        };
        let choices = match self.config.protocol {
            Protocol::Nested => chosen_on.iter().map(|results| choose(results)).collect(),
            Protocol::Published => vec![choose(&averaged(&chosen_on)); self.folds.len()],
        };
        Ok(Combination { chosen_on, tested_on, choices })
    }

    /// The mean of the meta networks of subsets: on the validated clips and on the test clips.
    fn meta_scores(
        &self,
        fold: usize,
        masks: &[u32],
        chosen: &[usize],
    ) -> Result<(Array2<f64>, Array2<f64>), PipelineError> {
        let parts = &self.folds[fold];
        let classes = self.classes.len();
        let mut sums = (Array2::zeros((chosen.len(), classes)), Array2::zeros((parts.test.len(), classes)));
        for &mask in masks {
            let splits = (0..parts.splits.len())
                .map(|split| {
                    read_array(
                        &meta_folder(&self.config.out, MetaPlace { fold, split, mask }).join("scores.npy"),
                    )
                })
                .collect::<Result<Vec<_>, _>>()?;
            let (a, b) = gather(parts, &splits, chosen);
            sums.0 += &a;
            sums.1 += &b;
        }
        normalise(&mut sums.0);
        normalise(&mut sums.1);
        Ok(sums)
    }
}

/// The verdicts of all systems on the clips of a fold: (clips, classes) for each of [`SYSTEMS`].
pub(crate) struct Judged {
    /// The clips: the test part, or the validated clips where there is none.
    pub(crate) clips: Vec<usize>,
    /// None for a system that the run has not got.
    pub(crate) systems: Vec<Option<Array2<f64>>>,
    /// What stacks scores, for use on new files.
    pub(crate) stacker: Option<PipelineModel>,
}

/// The mean of the sum rule, the meta networks of the top subsets and the one of all features, as far as they are there.
pub(crate) fn fused(sum: &Array2<f64>, meta: [Option<&Array2<f64>>; 2]) -> Array2<f64> {
    let mut joined = sum.clone();
    for own in meta.into_iter().flatten() {
        joined += own;
    }
    normalise(&mut joined);
    joined
}

fn several_classes(labels: &[usize]) -> bool {
    labels.iter().any(|&label| Some(label) != labels.first().copied())
}

/// The scores of all features side by side; even shares where a clip has not got a feature.
pub(crate) fn side_by_side(scores: &Scores) -> Array2<f64> {
    let filled: Vec<Array2<f64>> = scores
        .features
        .iter()
        .map(|f| {
            let even = 1.0 / f.ncols().max(1) as f64;
            let mut f = f.mapv(|v| if v.is_nan() { even } else { v });
            normalise(&mut f);
            f
        })
        .collect();
    let views: Vec<_> = filled.iter().map(|a| a.view()).collect();
    concatenate(Axis(1), &views).unwrap_or_default()
}

impl Encoders<'_> {
    /// All systems on a fold's test part.
    pub(crate) fn judge(
        &self,
        fold: usize,
        features: usize,
        mfcc: usize,
        choice: &Choice,
    ) -> Result<Judged, PipelineError> {
        let parts = &self.folds[fold];
        let FoldScores { chosen, chosen_scores, test_scores } = self.fold_scores(fold, features)?;
        let on_test = !parts.test.is_empty();
        let scores = if on_test { &test_scores } else { &chosen_scores };
        let clips = if on_test { parts.test.clone() } else { chosen.clone() };
        let all = (1_u32 << features) - 1;
        let best = &choice.top[..1];
        let meta = |masks: &[u32]| -> Result<Option<Array2<f64>>, PipelineError> {
            if self.config.meta == MetaKind::None {
                return Ok(None);
            }
            let (a, b) = self.meta_scores(fold, masks, &chosen)?;
            Ok(Some(if on_test { b } else { a }))
        };
        let sum_top = scores.subsets(&choice.top);
        let (meta_top, meta_best, meta_all) = (meta(&choice.top)?, meta(best)?, meta(&[all])?);
        // Under the published protocol there is nothing but the test part to fit it on.
        let stacker = match self.config.protocol {
            Protocol::Nested => self.stacker(&chosen, &chosen_scores)?,
            Protocol::Published => None,
        };
        // Without a test part it would be rated on the clips that it was fitted on.
        let stacked = match &stacker {
            Some(stacker) if on_test => Some(stacker.predict_proba(side_by_side(scores).view())?),
            _ => None,
        };
        let average = scores.subset(all);
        let both = fused(&sum_top, [meta_top.as_ref(), meta_all.as_ref()]);
        let verdict = match self.config.verdict {
            VerdictRule::Fused => both.clone(),
            VerdictRule::Sum => sum_top.clone(),
            VerdictRule::Meta => meta_top.clone().unwrap_or_else(|| sum_top.clone()),
            VerdictRule::Average => average.clone(),
            VerdictRule::Stacking => stacked.clone().unwrap_or_else(|| sum_top.clone()),
        };
        let everything: Vec<usize> = (0..features).collect();
        let systems = vec![
            Some(verdict),
            Some(sum_top),
            Some(scores.subset(choice.top[0])),
            meta_top.clone(),
            meta_best,
            meta_all,
            stacked,
            Some(average),
            Some(scores.subset(choice.single)),
            self.learned(parts, &clips, &everything, on_test)?,
            self.learned(parts, &clips, &[mfcc], on_test)?,
            Some(self.majority(parts, &clips)),
            meta_top.is_some().then_some(both),
        ];
        Ok(Judged { clips, systems, stacker })
    }

    /// Logistic regression on the scores of the clips that things are chosen on. None where they are all of one class.
    fn stacker(&self, chosen: &[usize], scores: &Scores) -> Result<Option<PipelineModel>, PipelineError> {
        let labels = self.truth(chosen);
        if !several_classes(&labels) {
            return Ok(None);
        }
        let config = PipelineConfig {
            scaler: mgr_learn::ScalerConfig::None,
            learner: LearnerConfig::Logistic(LogisticRegressionConfig {
                c: 3.0,
                ..LogisticRegressionConfig::default()
            }),
            ..PipelineConfig::default()
        };
        Ok(Some(config.plan()?.fit(side_by_side(scores).view(), &labels, self.classes.len())?))
    }

    /// A support vector machine on the pooled features, fitted on everything that may be learned from. None where that is of one
    /// class, and where there is no test part: it would be asked about what it was fitted on.
    fn learned(
        &self,
        parts: &Parts,
        clips: &[usize],
        features: &[usize],
        on_test: bool,
    ) -> Result<Option<Array2<f64>>, PipelineError> {
        let learn = parts.learn();
        let labels = self.truth(&learn);
        if !on_test || !several_classes(&labels) {
            return Ok(None);
        }
        let (train, test) = joined(self.clips, features, &learn, clips)?;
        let model = baseline_learner().plan()?.fit(train.view(), &labels, self.classes.len())?;
        // The decision of the machine itself, as a one: its probabilities may name another class.
        let mut scores = model.predict_proba(test.view())?;
        scores *= 0.5;
        for (row, class) in model.predict(test.view())?.into_iter().enumerate() {
            scores[[row, class]] += 0.5;
        }
        Ok(Some(scores))
    }

    fn majority(&self, parts: &Parts, clips: &[usize]) -> Array2<f64> {
        let mut counts = vec![0.0_f64; self.classes.len()];
        parts.learn().iter().for_each(|&i| counts[self.clips.clips[i].class] += 1.0);
        let total: f64 = counts.iter().sum();
        Array2::from_shape_fn((clips.len(), counts.len()), |(_, c)| counts[c] / total.max(1.0))
    }
}

/// Tables of several features side by side for two parts; a missing feature has the first part's column means.
fn joined(
    clips: &Clips,
    features: &[usize],
    first: &[usize],
    second: &[usize],
) -> Result<(Array2<f64>, Array2<f64>), PipelineError> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for &feature in features {
        let (own, has) = table(clips, feature, first)?;
        let mean = own.mean_axis(Axis(0)).unwrap_or_else(|| ndarray::Array1::zeros(own.ncols()));
        let filled = |part: &[usize], own: &Array2<f64>, has: &[usize]| {
            let mut whole = Array2::from_shape_fn((part.len(), mean.len()), |(_, c)| mean[c]);
            for (row, clip) in has.iter().enumerate() {
                if let Some(at) = part.iter().position(|p| p == clip) {
                    whole.slice_mut(s![at, ..]).assign(&own.row(row));
                }
            }
            whole
        };
        left.push(filled(first, &own, &has));
        let (other, has) = table(clips, feature, second)?;
        right.push(filled(second, &other, &has));
    }
    let views = |tables: &[Array2<f64>]| {
        let views: Vec<_> = tables.iter().map(|a| a.view()).collect();
        concatenate(Axis(1), &views).unwrap_or_default()
    };
    Ok((views(&left), views(&right)))
}
