//! The published outputs of MusicFeaturization, and what follows from them.

use std::collections::BTreeMap;
use std::path::Path;

use mgr_eval::metrics::{
    ConfusionMatrix, MacroOver, ScoreTies, predicted_labels, roc_auc_one_vs_rest, top_k_accuracy,
};
use ndarray::Array2;
use ndarray_npy::read_npy;
use serde::Serialize;

use super::preparation::codes;
use crate::studies::picture_parts::spoken::{Result, sentence};

/// What the study writes of a test.
#[derive(Debug, Clone, Serialize)]
pub struct Sheet {
    /// Share of clips whose genre is among the first one, two, three.
    pub top: [f64; 3],
    /// Accuracy of the predicted genres.
    pub accuracy: f64,
    /// Matthews' correlation.
    pub matthews: f64,
    /// Mean F1 over the genres.
    pub macro_f1: f64,
    /// Mean area under the ROC curve, each genre against the rest.
    pub roc_auc: f64,
    /// Rows are true genres.
    #[serde(skip)]
    pub matrix: ConfusionMatrix,
}

impl Sheet {
    /// The measures of some predictions and scores.
    ///
    /// # Errors
    /// The sentences of mgr-eval.
    pub fn new(truth: &[usize], predicted: &[usize], scores: &Array2<f32>) -> Result<Self> {
        let classes = scores.ncols();
        let matrix = ConfusionMatrix::from_labels(truth, predicted, classes).map_err(sentence)?;
        let top = |k: usize| {
            top_k_accuracy(truth, scores.view(), k.min(classes), ScoreTies::LowerClass).map_err(sentence)
        };
        let areas = roc_auc_one_vs_rest(truth, scores.view()).map_err(sentence)?;
        Ok(Self {
            top: [top(1)?, top(2)?, top(3)?],
            accuracy: matrix.accuracy(),
            matthews: matrix.matthews_correlation(),
            macro_f1: matrix.macro_average(MacroOver::Present).f1,
            roc_auc: areas.mean_over_present().unwrap_or(f64::NAN),
            matrix,
        })
    }

    /// The sheet as the study writes it, `res.txt`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let rows = self.matrix.rows().map(|row| {
            let cells: Vec<String> = row.iter().map(|n| format!("{n:3}")).collect();
            format!("[{}]\n", cells.join(" "))
        });
        let matrix: String = rows.collect();
        let [one, two, three] = self.top;
        format!(
            "{matrix}\n\n\nTOP_1: {one}\nTOP_2: {two}\nTOP_3: {three}\nTest Set Accuracy =  {:.2}\nTest Set Matthews Coef =  {:.2}\nTest Set F-score =  {:.2}\nROC AUC = {:.3}\n",
            self.accuracy, self.matthews, self.macro_f1, self.roc_auc
        )
    }
}

/// The published outputs: truth, predictions, scores.
#[derive(Debug)]
pub struct Published {
    /// Names of the genres.
    pub classes: Vec<String>,
    /// True genre of each clip.
    pub truth: Vec<usize>,
    /// Predicted genre of each clip.
    pub predicted: Vec<usize>,
    /// Scores, a softmax over batches of 100.
    pub scores: Array2<f32>,
    /// The same as a softmax over each row.
    pub of_rows: Array2<f32>,
    /// Features of each clip, (clips, 512).
    pub features: Array2<f64>,
    /// The lines of `res.txt`: name and value.
    pub stated: BTreeMap<String, f64>,
}

impl Published {
    /// Reads the folder of the published outputs.
    ///
    /// # Errors
    /// A sentence for a folder that lacks one, and for files that do not go together.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = |name: &str| folder.join(name);
        for name in ["prediction.npy", "prediction_probabilities.npy", "music_dataset.csv", "res.txt"] {
            if !path(name).is_file() {
                return Err(format!(
                    "{}: no {name}; --results names the folder of the study's outputs (prediction.npy, prediction_probabilities.npy, music_dataset.csv, res.txt)",
                    folder.display()
                ));
            }
        }
        let named = |name: &str, error: &dyn std::fmt::Display| format!("{}: {error}", path(name).display());
        let predicted: ndarray::Array1<i64> =
            read_npy(path("prediction.npy")).map_err(|e| named("prediction.npy", &e))?;
        let scores: Array2<f32> = read_npy(path("prediction_probabilities.npy"))
            .map_err(|e| named("prediction_probabilities.npy", &e))?;
        let classes: Vec<String> = mgr_data::sources::magnatagatune::SIX.map(str::to_owned).to_vec();
        let codes = codes(&classes);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_path(path("music_dataset.csv"))
            .map_err(|e| named("music_dataset.csv", &e))?;
        let (mut truth, mut features) = (Vec::new(), Vec::new());
        for record in reader.records() {
            let record = record.map_err(|e| named("music_dataset.csv", &e))?;
            let code = record.get(0).and_then(|v| v.parse::<u32>().ok());
            let class = code.and_then(|code| codes.iter().position(|c| *c == code));
            let class = class.ok_or_else(|| {
                named("music_dataset.csv", &"a row does not begin with a genre's number from 1 to 6")
            })?;
            truth.push(class);
            for value in record.iter().skip(2) {
                features.push(value.parse::<f64>().map_err(|e| named("music_dataset.csv", &e))?);
            }
        }
        let rows = truth.len();
        if predicted.len() != rows || scores.dim() != (rows, classes.len()) {
            return Err(named(
                "music_dataset.csv",
                &format!(
                    "{rows} clips, but {} predictions and scores of {:?}",
                    predicted.len(),
                    scores.dim()
                ),
            ));
        }
        let width = features.len() / rows.max(1);
        let features =
            Array2::from_shape_vec((rows, width), features).map_err(|e| named("music_dataset.csv", &e))?;
        let predicted: Option<Vec<usize>> =
            predicted.iter().map(|&p| usize::try_from(p).ok().filter(|p| *p < classes.len())).collect();
        let predicted = predicted.ok_or_else(|| named("prediction.npy", &"a genre outside 0 to 5"))?;
        let text = std::fs::read_to_string(path("res.txt")).map_err(|e| named("res.txt", &e))?;
        let value = |line: &str| {
            let (name, value) = line.split_once([':', '='])?;
            Some((name.trim().to_owned(), value.trim().parse().ok()?))
        };
        let stated = text.lines().filter_map(value).collect();
        let mut of_rows = scores.clone();
        for mut row in of_rows.rows_mut() {
            let sum: f32 = row.sum();
            if sum > 0.0 {
                row.mapv_inplace(|v| v / sum);
            }
        }
        Ok(Self { classes, truth, predicted, scores, of_rows, features, stated })
    }

    /// The sheet of the published scores, and that of the same scores as a softmax over each row.
    ///
    /// # Errors
    /// The sentences of mgr-eval.
    pub fn sheets(&self) -> Result<[Sheet; 2]> {
        let from_scores = predicted_labels(self.scores.view()).map_err(sentence)?;
        let differing = from_scores.iter().zip(&self.predicted).filter(|(a, b)| a != b).count();
        if differing > 0 {
            return Err(format!(
                "prediction.npy and prediction_probabilities.npy differ for {differing} clips"
            ));
        }
        Ok([
            Sheet::new(&self.truth, &self.predicted, &self.scores)?,
            Sheet::new(&self.truth, &self.predicted, &self.of_rows)?,
        ])
    }

    /// Sum of the scores of each batch of a hundred: one each where the softmax ran over batches.
    #[must_use]
    pub fn batch_sums(&self) -> Vec<f32> {
        let rows = self.scores.nrows();
        (0..rows)
            .step_by(100)
            .map(|first| self.scores.slice(ndarray::s![first..(first + 100).min(rows), ..]).sum())
            .collect()
    }
}
