//! The tables of the report on metadata.

use mgr_eval::figure::{Caption, Figure, Importance, importance_figure};
use mgr_eval::report::{Block, Section, Table};

use super::classifiers::{ColumnImportance, CrossValidated, Scored};
use super::tables::StudyTable;
use crate::studies::picture_parts::output::{numbers, paragraph, section};
use crate::studies::picture_parts::spoken::{Result, percent, sentence, with_interval};

/// What the table holds, and how it is divided.
#[must_use]
pub fn describe(table: &StudyTable) -> Section {
    let part = |rows: &[usize]| {
        let mut counts = vec![0_usize; table.classes.len()];
        rows.iter().for_each(|&row| counts[table.labels[row]] += 1);
        counts
    };
    let parts = [part(&table.fold.train), part(&table.fold.validation), part(&table.fold.test)];
    let row = |class: usize| {
        let [a, b, c] = [0, 1, 2].map(|p: usize| parts[p][class]);
        vec![
            table.classes[class].clone(),
            (a + b + c).to_string(),
            a.to_string(),
            b.to_string(),
            c.to_string(),
        ]
    };
    let counts = numbers(
        "Rows of each genre and part",
        &["Genre", "Rows", "Training", "Validation", "Test"],
        (0..table.classes.len()).map(row).collect(),
    );
    let mut blocks = vec![
        Block::KeyValues(vec![
            ("Table".to_owned(), table.name.clone()),
            ("Split".to_owned(), table.split.clone()),
            ("Columns".to_owned(), table.columns.len().to_string()),
        ]),
        Block::Table(counts),
    ];
    if !table.notes.is_empty() {
        blocks.push(Block::List(table.notes.clone()));
    }
    section("The table", "table", blocks)
}

/// Mean and deviation of each described measure, or of the first columns, by genre.
#[must_use]
pub fn means(table: &StudyTable) -> Table {
    let lists: Vec<(String, Vec<f64>)> = if table.measures.is_empty() {
        (0..table.columns.len().min(8))
            .map(|at| (table.columns[at].clone(), table.values.column(at).to_vec()))
            .collect()
    } else {
        table.measures.iter().map(|m| (m.name.clone(), m.values.clone())).collect()
    };
    let cell = |values: &Vec<f64>| {
        let finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        let summary = mgr_eval::metrics::mean_and_deviation(&finite);
        summary.map_or("–".to_owned(), |s| format!("{:.3} ± {:.3}", s.mean, s.deviation.unwrap_or(0.0)))
    };
    let rows = lists
        .iter()
        .map(|(name, values)| {
            std::iter::once(name.clone()).chain(table.by_class(values).iter().map(cell)).collect()
        })
        .collect();
    let titles: Vec<&str> =
        std::iter::once("Measure").chain(table.classes.iter().map(String::as_str)).collect();
    numbers("Mean and deviation by genre", &titles, rows)
}

/// The classifiers side by side, in the order given.
///
/// # Errors
/// None in practice.
pub fn comparison(scored: &[Scored]) -> Result<Table> {
    let row = |s: &Scored| -> Result<Vec<String>> {
        Ok(vec![
            s.name.clone(),
            with_interval(s.right, s.tested)?,
            percent(s.macro_precision),
            percent(s.macro_recall),
            percent(s.macro_f1),
            format!("{:.2}", s.fit_seconds),
            if s.validation.is_finite() { percent(s.validation) } else { "–".to_owned() },
            percent(s.published),
            if s.stopped_early { "yes".to_owned() } else { String::new() },
        ])
    };
    let titles = [
        "Classifier",
        "Test accuracy (95 % interval)",
        "Precision",
        "Recall",
        "F1",
        "Fit in s",
        "Validation accuracy",
        "Published (16 genres of FMA)",
        "Stopped early",
    ];
    Ok(numbers(
        "Fifteen classifiers and three votes",
        &titles,
        scored.iter().map(row).collect::<Result<_>>()?,
    ))
}

/// Accuracy over folds.
#[must_use]
pub fn folds_table(validated: &[CrossValidated]) -> Block {
    if validated.is_empty() {
        return paragraph("Not asked for (--folds 0).");
    }
    let row = |v: &CrossValidated| {
        let folds: Vec<String> = v.folds.iter().map(|f| format!("{:.1}", 100.0 * f)).collect();
        vec![
            v.name.to_owned(),
            format!("{:.1} ± {:.1} %", 100.0 * v.mean, 100.0 * v.deviation),
            folds.join(", "),
            v.published.to_owned(),
        ]
    };
    let titles = ["Classifier", "Accuracy over folds", "Each fold", "Published (16 genres of FMA)"];
    Block::Table(numbers(
        "Stratified folds of the training part",
        &titles,
        validated.iter().map(row).collect(),
    ))
}

/// The fifty columns that matter most, by impurity or by shuffling.
///
/// # Errors
/// The sentence of mgr-eval.
pub fn importances(found: &[ColumnImportance], shuffled: bool) -> Result<Figure> {
    let bar = |c: &ColumnImportance| Importance {
        name: c.column.clone(),
        value: if shuffled { c.permutation.unwrap_or(0.0) } else { c.impurity },
        deviation: c.permutation_deviation.filter(|_| shuffled),
    };
    let bars: Vec<Importance> = found.iter().map(bar).collect();
    let (name, title, axis) = if shuffled {
        ("importance_shuffled", "What the forest loses on the test part", "Drop of accuracy when shuffled")
    } else {
        ("importance", "The fifty most important columns to a random forest", "Mean decrease of impurity")
    };
    importance_figure(Caption { name, title }, axis, &bars, 50).map_err(sentence)
}
