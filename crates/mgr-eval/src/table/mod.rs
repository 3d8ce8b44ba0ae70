//! Results as CSV, byte for byte the same for the same input.
//!
//! Numbers follow one rule: counts as integers, ratios with 4 decimals, scores with 6; never an exponent, never
//! a minus before zero. Fields are quoted only where needed, lines end in `\n`.

mod read;

use std::io::Write;

use ndarray::ArrayView2;

pub use read::{ReadPredictions, read_predictions_csv};

use crate::EvalError;
use crate::error::same_length;
use crate::metrics::ConfusionMatrix;
use crate::report::{Measures, Table};

/// The frame around the counts of a confusion CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConfusionLayout {
    /// A header line and a first column with class names; the cells where the margins cross stay empty (default).
    #[default]
    Named,
    /// Numbers only, in the layout of MLFCF's `temp_confusion.csv`: (classes + 2) lines of (classes + 1) numbers,
    /// the two cells where the margins cross are 0.
    Bare,
}

/// Writes a confusion matrix with a recall column, a precision line and an F1 line.
///
/// Rows are true classes, columns predicted ones. Every line of counts ends in the class's recall; below the
/// counts stand one line of precisions and one of F1 values; 0/0 is 0.
///
/// # Errors
/// [`EvalError::LengthMismatch`] where the names do not match the classes, [`EvalError::Write`] where the writer
/// fails.
pub fn write_confusion_csv<W: Write, N: AsRef<str>>(
    writer: W,
    matrix: &ConfusionMatrix,
    class_names: &[N],
    layout: ConfusionLayout,
) -> Result<(), EvalError> {
    same_length("class names", matrix.classes(), class_names.len())?;
    let scores = matrix.per_class();
    let mut lines: Vec<(&str, Vec<String>)> = Vec::with_capacity(scores.len() + 2);
    for ((row, name), class) in matrix.rows().zip(class_names).zip(&scores) {
        let mut cells: Vec<String> = row.iter().map(u64::to_string).collect();
        cells.push(fixed(class.recall, 4));
        lines.push((name.as_ref(), cells));
    }
    let corner = match layout {
        ConfusionLayout::Named => "",
        ConfusionLayout::Bare => "0",
    };
    let precision = scores.iter().map(|class| fixed(class.precision, 4));
    lines.push(("precision", precision.chain([corner.to_owned()]).collect()));
    let f1 = scores.iter().map(|class| fixed(class.f1, 4));
    lines.push(("f1", f1.chain([corner.to_owned()]).collect()));

    let mut csv = csv::Writer::from_writer(writer);
    if layout == ConfusionLayout::Named {
        let names = class_names.iter().map(AsRef::as_ref);
        csv.write_record(["genre"].into_iter().chain(names).chain(["recall"]))?;
    }
    for (name, cells) in &lines {
        match layout {
            ConfusionLayout::Named => {
                csv.write_record([*name].into_iter().chain(cells.iter().map(String::as_str)))?;
            }
            ConfusionLayout::Bare => csv.write_record(cells)?,
        }
    }
    Ok(csv.flush()?)
}

/// What is known of every tested clip, one entry each, as columns.
#[derive(Debug, Clone, Copy)]
pub struct Predictions<'a, I, S> {
    /// Path or id of each clip.
    pub ids: &'a [I],
    /// True class of each clip.
    pub y_true: &'a [usize],
    /// Predicted class of each clip.
    pub y_pred: &'a [usize],
    /// The fold that tested each clip.
    pub folds: &'a [usize],
    /// Scores (clips, classes), usually probabilities.
    pub scores: ArrayView2<'a, S>,
}

/// Writes one line per clip: `id,genre,predicted,fold,p_<class>...` in the order given.
///
/// # Errors
/// [`EvalError::LengthMismatch`] for columns of different lengths or scores of another width than the names,
/// [`EvalError::LabelOutOfRange`], [`EvalError::NotFinite`] for a NaN or infinite score, [`EvalError::Write`] where
/// the writer fails. Input is checked before the first byte is written.
pub fn write_predictions_csv<W, I, S, N>(
    writer: W,
    predictions: &Predictions<'_, I, S>,
    class_names: &[N],
) -> Result<(), EvalError>
where
    W: Write,
    I: AsRef<str>,
    S: Copy + Into<f64>,
    N: AsRef<str>,
{
    let Predictions { ids, y_true, y_pred, folds, scores } = *predictions;
    let classes = class_names.len();
    same_length("true labels", ids.len(), y_true.len())?;
    same_length("predicted labels", ids.len(), y_pred.len())?;
    same_length("fold numbers", ids.len(), folds.len())?;
    same_length("rows of scores", ids.len(), scores.nrows())?;
    same_length("columns of scores", classes, scores.ncols())?;
    for (what, labels) in [("true label", y_true), ("predicted label", y_pred)] {
        if let Some((index, &label)) = labels.iter().enumerate().find(|&(_, &label)| label >= classes) {
            return Err(EvalError::LabelOutOfRange { what, label, index, classes });
        }
    }
    for ((row, column), &score) in scores.indexed_iter() {
        let value: f64 = score.into();
        if !value.is_finite() {
            return Err(EvalError::NotFinite { what: "score", row, column, value });
        }
    }

    let mut csv = csv::Writer::from_writer(writer);
    let header = ["id", "genre", "predicted", "fold"].map(str::to_owned);
    csv.write_record(
        header.into_iter().chain(class_names.iter().map(|name| format!("p_{}", name.as_ref()))),
    )?;
    for (index, clip_scores) in scores.outer_iter().enumerate() {
        let names =
            [ids[index].as_ref(), class_names[y_true[index]].as_ref(), class_names[y_pred[index]].as_ref()];
        let fold = folds[index].to_string();
        let cells = clip_scores.iter().map(|&score| fixed(score.into(), 6));
        csv.write_record(names.map(str::to_owned).into_iter().chain([fold]).chain(cells))?;
    }
    Ok(csv.flush()?)
}

/// Writes a table of a report as CSV: a line of headings, then the rows; short rows are filled, cells beyond the columns left out.
///
/// # Errors
/// [`EvalError::Write`] where the writer fails.
pub fn write_table_csv<W: Write>(writer: W, table: &Table) -> Result<(), EvalError> {
    let mut csv = csv::Writer::from_writer(writer);
    csv.write_record(table.columns.iter().map(|column| column.title.as_str()))?;
    for row in &table.rows {
        csv.write_record((0..table.columns.len()).map(|index| row.get(index).map_or("", String::as_str)))?;
    }
    Ok(csv.flush()?)
}

/// Writes measures as CSV, one a line: `measure,value`, six decimals, empty where a measure has no value.
///
/// # Errors
/// [`EvalError::Write`] where the writer fails.
pub fn write_measures_csv<W: Write>(writer: W, measures: &Measures) -> Result<(), EvalError> {
    let mut csv = csv::Writer::from_writer(writer);
    csv.write_record(["measure", "value"])?;
    for (name, value) in measures.rows() {
        let decimals = if name == "clips" { 0 } else { 6 };
        let value = value.map_or(String::new(), |value| fixed(value, decimals));
        csv.write_record([name, &value])?;
    }
    Ok(csv.flush()?)
}

/// A finite number with a fixed number of decimals; what rounds to zero has no sign.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| byte == b'0' || byte == b'.') => digits.to_owned(),
        _ => text,
    }
}
