//! What a study leaves: for each tested network a report of its own with figures and tables, and one report of the study.

use std::path::Path;

use mgr_data::sources::Collection;
use mgr_data::write_atomic;
use mgr_eval::EvalError;
use mgr_eval::figure::Figure;
use mgr_eval::metrics::{Interval, wilson_interval};
use mgr_eval::report::{Classification, ClipResult, Report, Table, render_html};
use mgr_eval::table::{ConfusionLayout, write_confusion_csv, write_measures_csv, write_table_csv};
use ndarray::ArrayView2;
use serde::Serialize;

use super::flags::{Failure, advise};

/// The verdicts on some clips: the class of the largest score, of equal ones the lower.
#[must_use]
pub fn verdicts(
    collection: &Collection,
    clips: &[usize],
    labels: &[usize],
    scores: ArrayView2<'_, f64>,
    fold: usize,
) -> Vec<ClipResult> {
    let predicted = scores.outer_iter().map(|row| {
        let best = row.iter().copied().enumerate();
        best.fold(
            (0, f64::NEG_INFINITY),
            |best, (class, score)| {
                if score > best.1 { (class, score) } else { best }
            },
        )
        .0
    });
    let predicted: Vec<usize> = predicted.collect();
    named_verdicts(collection, clips, labels, &predicted, scores, fold)
}

/// The verdicts on some clips, where the predicted class is not simply that of the largest score.
#[must_use]
pub fn named_verdicts(
    collection: &Collection,
    clips: &[usize],
    labels: &[usize],
    predicted: &[usize],
    scores: ArrayView2<'_, f64>,
    fold: usize,
) -> Vec<ClipResult> {
    let row = |(place, &clip): (usize, &usize)| {
        let entry = &collection.entries[clip];
        ClipResult {
            id: entry.id.clone(),
            class: labels[clip],
            predicted: predicted[place],
            scores: scores.row(place).to_vec(),
            fold,
            group: entry.artist.clone(),
            audio: None,
        }
    };
    clips.iter().enumerate().map(row).collect()
}

/// Share of clips that are right with its 95 % interval by Wilson.
///
/// # Errors
/// Without clips.
pub fn accuracy(clips: &[ClipResult]) -> Result<(f64, Interval), EvalError> {
    let right = clips.iter().filter(|clip| clip.class == clip.predicted).count();
    let interval = wilson_interval(right as u64, clips.len() as u64, 0.95)?;
    Ok((right as f64 / clips.len() as f64, interval))
}

/// `72.3 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// `65.1 – 78.4 %`.
#[must_use]
pub fn range(interval: Interval) -> String {
    format!("{:.1} – {:.1} %", 100.0 * interval.low, 100.0 * interval.high)
}

/// Writes the report of one tested network with its figures (SVG and PNG), `predictions.json`, `confusion.csv` and
/// `measures.csv`, and gives the figures back for the study's own report.
///
/// # Errors
/// Those of measuring and drawing, and a sentence where the folder cannot be written.
pub fn write_classification(folder: &Path, tested: &Classification) -> Result<Vec<Figure>, Failure> {
    let figures = tested.figures()?;
    write_figures(folder, &figures)?;
    json(&folder.join("predictions.json"), &tested.clips)?;
    let matrix = tested.confusion()?;
    table(&folder.join("confusion.csv"), |w| {
        write_confusion_csv(w, &matrix, &tested.classes, ConfusionLayout::Named)
    })?;
    let measures = tested.measures()?;
    table(&folder.join("measures.csv"), |w| write_measures_csv(w, &measures))?;
    write_report(folder, &tested.report()?)?;
    Ok(figures)
}

/// Writes figures as SVG and PNG into `figures` of a folder.
///
/// # Errors
/// A sentence where they cannot be written.
pub fn write_figures(folder: &Path, figures: &[Figure]) -> Result<(), Failure> {
    for figure in figures {
        let file = |extension: &str| folder.join("figures").join(format!("{}.{extension}", figure.name));
        write(&file("svg"), figure.svg.as_bytes())?;
        if !figure.png.is_empty() {
            write(&file("png"), &figure.png)?;
        }
    }
    Ok(())
}

/// Writes `report.html`.
///
/// # Errors
/// A sentence where it cannot be written.
pub fn write_report(folder: &Path, report: &Report) -> Result<(), Failure> {
    write(&folder.join("report.html"), render_html(report).as_bytes())
}

/// Writes a table of the report as CSV.
///
/// # Errors
/// A sentence where it cannot be written.
pub fn write_table(path: &Path, rows: &Table) -> Result<(), Failure> {
    table(path, |w| write_table_csv(w, rows))
}

/// Prints a table of the report as Markdown.
pub fn print_table(table: &Table) {
    println!("\n{}\n", table.caption);
    let titles: Vec<&str> = table.columns.iter().map(|column| column.title.as_str()).collect();
    println!("| {} |", titles.join(" | "));
    println!("|{}", "---|".repeat(titles.len()));
    for row in &table.rows {
        println!("| {} |", row.join(" | "));
    }
}

/// Writes a value as JSON.
///
/// # Errors
/// A sentence where it cannot be written.
pub fn json(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    write(path, &serde_json::to_vec_pretty(value)?)
}

/// Writes a file, whole or not at all.
///
/// # Errors
/// A sentence where it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_atomic(path, |file| file.write_all(bytes))
        .map_err(advise("name a folder that can be written with --out"))
}

fn table(path: &Path, fill: impl FnOnce(&mut Vec<u8>) -> Result<(), EvalError>) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    fill(&mut bytes)?;
    write(path, &bytes)
}
