//! The numbers of a run.

use mgr_eval::compare::{McNemar, mcnemar};
use mgr_eval::metrics::{ConfusionMatrix, Interval, MacroOver, wilson_interval};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::clips::Clips;
use crate::combine::{RankedSubset, averaged, members, predicted, ranked};
use crate::judge::{Combination, FIRST_BASELINE, Judged, META, SUM, SYSTEMS};
use crate::record::RunRecord;

/// A file that could not be used, or was used in spite of damage or without one of its features.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadClip {
    /// The clip.
    pub id: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What the system that had not seen a clip said about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipVerdict {
    /// The clip.
    pub id: String,
    /// Its true class.
    pub class: usize,
    /// The class predicted; of equal probabilities the first.
    pub predicted: usize,
    /// The fold that tested it.
    pub fold: usize,
    /// Probability of each class.
    pub probabilities: Vec<f32>,
}

/// How good a system is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The system.
    pub system: String,
    /// Share of clips whose class is predicted.
    pub accuracy: f64,
    /// Wilson interval of the accuracy, 95 %.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Mean F1 over the classes present.
    pub macro_f1: f64,
    /// Accuracy in each fold.
    pub of_folds: Vec<f64>,
}

/// Two systems on the same clips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// McNemar's test.
    pub test: McNemar,
}

/// The numbers of a finished run; `results.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Name of the dataset.
    pub dataset: String,
    /// Classes, in label order.
    pub classes: Vec<String>,
    /// Whether the clips are test clips; without a test fold they are those that things were chosen on, and the figures too high.
    pub on_test: bool,
    /// The verdict first, then its parts, then what it must beat.
    pub scores: Vec<Score>,
    /// The verdict against what it must beat; the meta networks against the sum rule.
    pub comparisons: Vec<Comparison>,
    /// The subsets from the best down, over all folds; at most a hundred.
    pub subsets: Vec<RankedSubset>,
    /// The top subsets of each fold.
    pub top: Vec<Vec<Vec<String>>>,
    /// Confusion matrix over all folds: rows are true classes.
    pub confusion: Vec<Vec<u64>>,
    /// Accuracy of the verdict in each fold.
    pub fold_accuracies: Vec<f64>,
    /// Every tested clip.
    pub clips: Vec<ClipVerdict>,
    /// Files that could not be used.
    pub bad: Vec<BadClip>,
    /// Clips without one of the features.
    pub partial: Vec<BadClip>,
    /// Files that were used although the decoder found damage.
    pub damaged: Vec<BadClip>,
    /// Features that were asked for and left out.
    pub skipped: Vec<String>,
    /// Accuracy of the verdict under the nested protocol, where this run is of the published one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nested: Option<Score>,
}

/// Subsets kept in the results.
const KEPT: usize = 100;

fn score(
    system: &str,
    truth: &[Vec<usize>],
    own: &[Vec<usize>],
    classes: usize,
) -> Result<Score, PipelineError> {
    let folds = truth
        .iter()
        .zip(own)
        .map(|(t, p)| ConfusionMatrix::from_labels(t, p, classes))
        .collect::<Result<Vec<_>, _>>()?;
    let all = ConfusionMatrix::sum(&folds)?;
    let Interval { low, high } = wilson_interval(all.correct(), all.total(), 0.95)?;
    let macro_f1 = all.macro_average(MacroOver::Present).f1;
    let of_folds = folds.iter().map(ConfusionMatrix::accuracy).collect();
    Ok(Score { system: system.to_owned(), accuracy: all.accuracy(), low, high, macro_f1, of_folds })
}

impl Results {
    pub(crate) fn new(
        record: &RunRecord,
        clips: &Clips,
        combination: &Combination,
        judged: &[Judged],
    ) -> Result<Self, PipelineError> {
        let classes = record.classes.len();
        let on_test = record.folds.iter().any(|f| !f.test.is_empty());
        let truth: Vec<Vec<usize>> =
            judged.iter().map(|j| j.clips.iter().map(|&i| clips.clips[i].class).collect()).collect();
        let of_system = |system: usize| -> Option<Vec<Vec<usize>>> {
            judged.iter().map(|j| j.systems[system].as_ref().map(|s| predicted(s.view()))).collect()
        };
        let mut scores = Vec::new();
        for (system, name) in SYSTEMS.iter().enumerate() {
            if let Some(own) = of_system(system) {
                scores.push(score(name, &truth, &own, classes)?);
            }
        }
        let flat_truth = truth.concat();
        let mut comparisons = Vec::new();
        let mut pairs: Vec<(usize, usize)> = (FIRST_BASELINE..SYSTEMS.len() - 1).map(|b| (0, b)).collect();
        pairs.push((META, SUM));
        for (first, second) in pairs {
            if let (Some(a), Some(b)) = (of_system(first), of_system(second)) {
                let test = mcnemar(&flat_truth, &a.concat(), &b.concat())?;
                let name = |system: usize| SYSTEMS[system].to_owned();
                comparisons.push(Comparison { first: name(first), second: name(second), test });
            }
        }
        let mut verdicts = Vec::new();
        for (number, fold) in judged.iter().enumerate() {
            let Some(own) = &fold.systems[0] else { continue };
            for ((&clip, row), predicted) in fold.clips.iter().zip(own.rows()).zip(predicted(own.view())) {
                let (id, class) = (clips.clips[clip].id.clone(), clips.clips[clip].class);
                let probabilities = row.iter().map(|&p| p as f32).collect();
                verdicts.push((clip, ClipVerdict { id, class, predicted, fold: number, probabilities }));
            }
        }
        verdicts.sort_by_key(|(clip, _)| *clip);
        let own = of_system(0).unwrap_or_default();
        let all = ConfusionMatrix::from_labels(&flat_truth, &own.concat(), classes)?;
        let names = |mask: u32| -> Vec<String> {
            members(mask).into_iter().map(|f| record.features[f].name.clone()).collect()
        };
        Ok(Self {
            dataset: record.dataset.clone(),
            classes: record.classes.clone(),
            on_test,
            fold_accuracies: scores[0].of_folds.clone(),
            scores,
            comparisons,
            subsets: subsets(combination, &names),
            top: combination.choices.iter().map(|c| c.top.iter().map(|&m| names(m)).collect()).collect(),
            confusion: all.rows().map(<[u64]>::to_vec).collect(),
            clips: verdicts.into_iter().map(|(_, verdict)| verdict).collect(),
            bad: clips.bad.clone(),
            partial: clips.partial.clone(),
            damaged: clips.damaged.clone(),
            skipped: record.skipped.clone(),
            nested: None,
        })
    }

    /// The class probabilities of the tested clips, (clips, classes).
    #[must_use]
    pub fn probabilities(&self) -> Array2<f64> {
        Array2::from_shape_fn((self.clips.len(), self.classes.len()), |(i, c)| {
            f64::from(self.clips[i].probabilities[c])
        })
    }
}

fn subsets(combination: &Combination, names: &dyn Fn(u32) -> Vec<String>) -> Vec<RankedSubset> {
    let folds = &combination.chosen_on;
    let count = folds.len().max(1) as f64;
    ranked(&averaged(folds))
        .into_iter()
        .take(KEPT)
        .map(|best| {
            let at = best.mask as usize - 1;
            let squares: f64 = folds.iter().map(|f| (f[at].accuracy - best.accuracy).powi(2)).sum();
            let tested = &combination.tested_on;
            let test_mean = (!tested.is_empty())
                .then(|| tested.iter().map(|f| f[at].accuracy).sum::<f64>() / tested.len() as f64);
            RankedSubset {
                features: names(best.mask),
                mean: best.accuracy,
                deviation: (squares / count).sqrt(),
                test_mean,
            }
        })
        .collect()
}
