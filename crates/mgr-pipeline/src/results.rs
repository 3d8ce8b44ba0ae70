//! The numbers of a run.

use mgr_eval::metrics::{ConfusionMatrix, Interval, MacroOver, predicted_labels, wilson_interval};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::baseline::Baselines;
use crate::clips::Clips;
use crate::encoder::FoldResult;
use crate::record::RunRecord;

/// A file that could not be used, or was used in spite of damage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadClip {
    /// The clip.
    pub id: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What the network that had not seen a clip said about it.
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
}

/// The numbers of a finished run; `results.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Name of the dataset.
    pub dataset: String,
    /// Classes, in label order.
    pub classes: Vec<String>,
    /// The network first, then the baselines.
    pub scores: Vec<Score>,
    /// Confusion matrix over all folds: rows are true classes.
    pub confusion: Vec<Vec<u64>>,
    /// Accuracy of the network in each fold.
    pub fold_accuracies: Vec<f64>,
    /// Epoch that the validation part chose in each fold.
    pub selected_epochs: Vec<usize>,
    /// Every tested clip.
    pub clips: Vec<ClipVerdict>,
    /// Files that could not be used.
    pub bad: Vec<BadClip>,
    /// Files that were used although the decoder found damage.
    pub damaged: Vec<BadClip>,
}

/// Confusion matrices of a run, which the report draws.
pub(crate) struct Matrices {
    pub(crate) folds: Vec<ConfusionMatrix>,
    pub(crate) all: ConfusionMatrix,
}

fn score(system: &str, matrix: &ConfusionMatrix) -> Result<Score, PipelineError> {
    let Interval { low, high } = wilson_interval(matrix.correct(), matrix.total(), 0.95)?;
    let macro_f1 = matrix.macro_average(MacroOver::Present).f1;
    Ok(Score { system: system.to_owned(), accuracy: matrix.accuracy(), low, high, macro_f1 })
}

impl Results {
    pub(crate) fn new(
        record: &RunRecord,
        clips: &Clips,
        folds: &[FoldResult],
        baselines: &Baselines,
    ) -> Result<(Self, Matrices), PipelineError> {
        let classes = record.classes.len();
        let mut verdicts = Vec::new();
        let mut matrices = Vec::new();
        for (number, fold) in folds.iter().enumerate() {
            let scores = Array2::from_shape_fn((fold.test.len(), classes), |(i, c)| fold.probabilities[i][c]);
            let predicted = predicted_labels(scores.view())?;
            let truth: Vec<usize> = fold.test.iter().map(|&i| clips.clips[i].class).collect();
            matrices.push(ConfusionMatrix::from_labels(&truth, &predicted, classes)?);
            for ((&clip, predicted), probabilities) in
                fold.test.iter().zip(predicted).zip(&fold.probabilities)
            {
                let (id, class) = (clips.clips[clip].id.clone(), clips.clips[clip].class);
                let probabilities = probabilities.clone();
                verdicts.push((clip, ClipVerdict { id, class, predicted, fold: number, probabilities }));
            }
        }
        verdicts.sort_by_key(|(clip, _)| *clip);
        let all = ConfusionMatrix::sum(&matrices)?;
        let tested: Vec<usize> = verdicts.iter().map(|(clip, _)| *clip).collect();
        let baseline = |predicted: &[usize]| {
            let truth: Vec<usize> = tested.iter().map(|&i| clips.clips[i].class).collect();
            let predicted: Vec<usize> = tested.iter().map(|&i| predicted[i]).collect();
            ConfusionMatrix::from_labels(&truth, &predicted, classes)
        };
        let scores = vec![
            score("network", &all)?,
            score("mean spectrum, logistic regression", &baseline(&baselines.mean_spectrum)?)?,
            score("majority class", &baseline(&baselines.majority)?)?,
        ];
        let results = Self {
            dataset: record.dataset.clone(),
            classes: record.classes.clone(),
            scores,
            confusion: all.rows().map(<[u64]>::to_vec).collect(),
            fold_accuracies: matrices.iter().map(ConfusionMatrix::accuracy).collect(),
            selected_epochs: folds.iter().map(|f| f.selected_epoch).collect(),
            clips: verdicts.into_iter().map(|(_, verdict)| verdict).collect(),
            bad: clips.bad.clone(),
            damaged: clips.damaged.clone(),
        };
        Ok((results, Matrices { folds: matrices, all }))
    }
}
