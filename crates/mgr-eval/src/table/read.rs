//! Predictions read back from CSV.

use std::io::Read;

use crate::EvalError;
use crate::report::ClipResult;

/// Predictions of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadPredictions {
    /// Names of the classes in the order of the score columns.
    pub classes: Vec<String>,
    /// The clips in the order of the lines.
    pub clips: Vec<ClipResult>,
}

/// Reads what [`write_predictions_csv`](super::write_predictions_csv) wrote, or anything like it: columns `id`, `genre`,
/// `predicted` and one `p_<class>` for every class, in any order; `fold`, `artist` and `audio` where there are. Other columns
/// are passed over. A byte-order mark, spaces around headings and Windows line ends are allowed.
///
/// # Errors
/// [`EvalError::MissingColumn`], [`EvalError::BadCell`] for a class without a column or a score that is no finite number,
/// [`EvalError::Read`] for lines of different lengths, text that is not UTF-8, or a reader that fails, [`EvalError::Empty`]
/// without a line.
pub fn read_predictions_csv<R: Read>(mut reader: R) -> Result<ReadPredictions, EvalError> {
    let mut text = String::new();
    reader.read_to_string(&mut text).map_err(|e| EvalError::Read { reason: e.to_string() })?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let refuse = |error: csv::Error| EvalError::Read { reason: error.to_string() };
    let headings: Vec<String> = csv.headers().map_err(refuse)?.iter().map(|h| h.trim().to_owned()).collect();
    let find = |name: &str| headings.iter().position(|heading| heading == name);
    let need = |name: &str| {
        find(name)
            .ok_or_else(|| EvalError::MissingColumn { name: name.to_owned(), found: headings.join(", ") })
    };
    let (id, genre, predicted) = (need("id")?, need("genre")?, need("predicted")?);
    let (fold, artist, audio) = (find("fold"), find("artist"), find("audio"));
    let scores: Vec<(usize, String)> = headings
        .iter()
        .enumerate()
        .filter_map(|(column, heading)| heading.strip_prefix("p_").map(|class| (column, class.to_owned())))
        .collect();
    if scores.is_empty() {
        return Err(EvalError::MissingColumn { name: "p_<class>".to_owned(), found: headings.join(", ") });
    }
    let classes: Vec<String> = scores.iter().map(|(_, class)| class.clone()).collect();
    let mut clips = Vec::new();
    for record in csv.records() {
        let record = record.map_err(refuse)?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let bad = |column: usize, expected: &'static str| EvalError::BadCell {
            line,
            column: headings.get(column).cloned().unwrap_or_default(),
            value: cell(column).to_owned(),
            expected,
        };
        let class_of = |column: usize| {
            let name = cell(column);
            classes
                .iter()
                .position(|class| class == name)
                .ok_or_else(|| bad(column, "a class with a score column"))
        };
        let score_of = |column: usize| {
            let score = cell(column).trim().parse::<f64>().ok().filter(|score| score.is_finite());
            score.ok_or_else(|| bad(column, "a finite number"))
        };
        let filled =
            |column: Option<usize>| column.map(cell).filter(|text| !text.is_empty()).map(str::to_owned);
        let number =
            |column: usize| cell(column).trim().parse().map_err(|_| bad(column, "the number of a fold"));
        clips.push(ClipResult {
            id: cell(id).to_owned(),
            class: class_of(genre)?,
            predicted: class_of(predicted)?,
            scores: scores.iter().map(|(column, _)| score_of(*column)).collect::<Result<_, _>>()?,
            fold: fold.map_or(Ok(0), number)?,
            group: filled(artist),
            audio: filled(audio),
        });
    }
    if clips.is_empty() {
        return Err(EvalError::Empty { what: "table of predictions" });
    }
    Ok(ReadPredictions { classes, clips })
}
