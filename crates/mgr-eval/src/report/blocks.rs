//! Tables that every report of a classification needs.

use super::{Block, Column, SummedTable, Table};
use crate::EvalError;
use crate::error::same_length;
use crate::metrics::{ConfusionMatrix, MacroOver, Summary, mean_and_deviation, wilson_interval};

/// A file that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadFile {
    /// Its path or id.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Precision, recall with its 95 % Wilson interval, F1 and clips of every class, and the macro average over the
/// classes present.
///
/// # Errors
/// [`EvalError::LengthMismatch`] where names and classes differ in number.
pub fn per_class_table<N: AsRef<str>>(
    matrix: &ConfusionMatrix,
    class_names: &[N],
) -> Result<Block, EvalError> {
    same_length("class names", matrix.classes(), class_names.len())?;
    let mut rows = Vec::with_capacity(class_names.len());
    for (class, (scores, name)) in matrix.per_class().into_iter().zip(class_names).enumerate() {
        let interval = match scores.support {
            0 => "no clip".to_owned(),
            support => {
                let interval = wilson_interval(matrix.count(class, class), support, 0.95)?;
                format!("{} – {}", percent(interval.low), percent(interval.high))
            }
        };
        rows.push(vec![
            name.as_ref().to_owned(),
            percent(scores.precision),
            percent(scores.recall),
            interval,
            percent(scores.f1),
            scores.support.to_string(),
        ]);
    }
    let mean = matrix.macro_average(MacroOver::Present);
    let summary = vec![vec![
        "mean over classes present".to_owned(),
        percent(mean.precision),
        percent(mean.recall),
        String::new(),
        percent(mean.f1),
        matrix.total().to_string(),
    ]];
    let table = Table {
        caption: "Precision, recall and F1 by class".to_owned(),
        columns: vec![
            Column::text("Class"),
            Column::number("Precision"),
            Column::number("Recall"),
            Column::number("Recall, 95 % interval"),
            Column::number("F1"),
            Column::number("Clips"),
        ],
        rows,
    };
    Ok(Block::SummedTable(SummedTable { table, summary }))
}

/// Accuracy, balanced accuracy and macro F1 of every fold, with mean and sample standard deviation.
///
/// # Errors
/// [`EvalError::Empty`] without folds.
pub fn per_fold_table(folds: &[ConfusionMatrix]) -> Result<Block, EvalError> {
    let measures: [fn(&ConfusionMatrix) -> f64; 3] =
        [ConfusionMatrix::accuracy, ConfusionMatrix::balanced_accuracy, |matrix| {
            matrix.macro_average(MacroOver::Present).f1
        }];
    let mut rows: Vec<Vec<String>> = Vec::with_capacity(folds.len());
    for (number, matrix) in folds.iter().enumerate() {
        let values = measures.iter().map(|measure| percent(measure(matrix)));
        rows.push(
            [number.to_string()].into_iter().chain(values).chain([matrix.total().to_string()]).collect(),
        );
    }
    let mut summaries: Vec<Summary> = Vec::with_capacity(measures.len());
    for measure in measures {
        summaries.push(mean_and_deviation(&folds.iter().map(measure).collect::<Vec<_>>())?);
    }
    let means = summaries.iter().map(|summary| percent(summary.mean));
    let mean = ["mean".to_owned()].into_iter().chain(means).collect();
    let deviations = summaries.iter().map(|summary| summary.deviation.map_or("–".to_owned(), percent));
    let deviation = ["standard deviation".to_owned()].into_iter().chain(deviations).collect();
    let table = Table {
        caption: "Measures by fold".to_owned(),
        columns: vec![
            Column::text("Fold"),
            Column::number("Accuracy"),
            Column::number("Balanced accuracy"),
            Column::number("Macro F1"),
            Column::number("Clips"),
        ],
        rows,
    };
    Ok(Block::SummedTable(SummedTable { table, summary: vec![mean, deviation] }))
}

/// The files that could not be used; a sentence where there is none.
#[must_use]
pub fn bad_files_table(files: &[BadFile]) -> Block {
    if files.is_empty() {
        return Block::Paragraph("Every file could be read.".to_owned());
    }
    Block::Table(Table {
        caption: format!("Files that could not be used ({})", files.len()),
        columns: vec![Column::text("File"), Column::text("Reason")],
        rows: files.iter().map(|file| vec![file.path.clone(), file.reason.clone()]).collect(),
    })
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
