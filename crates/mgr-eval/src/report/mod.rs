//! A report as data, and its rendering as one HTML page.
//!
//! [`Report`] knows nothing of music or networks: headlines, warnings and sections of blocks. Everything in it is
//! plain data that serde can write and read; figures keep their SVG.
//!
//! # From verdicts to a folder
//!
//! [`Classification`] is what a run hands over: what was run ([`RunDescription`]: dataset, split, protocol, seeds, versions, fingerprints,
//! command), the classes, one [`ClipResult`] a tested clip, and how training went.
//! [`report`](Classification::report) makes the whole report of it: headline with intervals (by artist where clips have a group),
//! warnings with the known leaks of the protocol, table and figures by class, worst-confused clips with a player where they name a local file,
//! measures, folds, learning curves, published results under the same protocol, what was run. The caller may add sections.
//! [`files`](Classification::files) turns both into HTML, Markdown, JSON, CSV and pictures, in memory.
//!
//! ```
//! use mgr_eval::report::{Block, Classification, ClipResult, Protocol, RunDescription, Section};
//!
//! let clip = |id: &str, class: usize, scores: [f64; 2], artist: &str| ClipResult {
//!     id: id.into(),
//!     class,
//!     predicted: usize::from(scores[1] > scores[0]),
//!     scores: scores.to_vec(),
//!     fold: 0,
//!     group: Some(artist.into()),
//!     // As seen from report.html; None where the audio is not at hand.
//!     audio: Some(format!("../music/{id}.wav")),
//! };
//! let run = Classification {
//!     title: "A linear machine on two genres".into(),
//!     run: RunDescription {
//!         dataset: "GTZAN, blues and jazz".into(),
//!         split: "fault-filtered partition".into(),
//!         protocol: "C chosen on the validation part; every test clip scored once".into(),
//!         // Brings its known leaks and the published figures that compare. None where the run follows no published protocol.
//!         published: Some(Protocol::GtzanFaultFiltered),
//!         known_leaks: vec![],
//!         seeds: vec![1],
//!         versions: vec![("mgr".into(), env!("CARGO_PKG_VERSION").into())],
//!         fingerprints: vec![("features".into(), "9f0c".into())],
//!         command: "mgr learn --table features.parquet --label genre".into(),
//!         config: String::new(),
//!     },
//!     classes: vec!["blues".into(), "jazz".into()],
//!     clips: vec![
//!         clip("a", 0, [0.9, 0.1], "one"),
//!         clip("b", 0, [0.4, 0.6], "two"),
//!         clip("c", 1, [0.2, 0.8], "three"),
//!         clip("d", 1, [0.3, 0.7], "three"),
//!     ],
//!     histories: vec![],
//! };
//! let mut report = run.report()?;
//! report.sections.push(Section {
//!     title: "Remarks".into(),
//!     id: "remarks".into(),
//!     blocks: vec![Block::Paragraph("Four clips prove nothing.".into())],
//! });
//! assert_eq!(report.headline[0].value, "75.0 %");
//! let files = run.files(&report)?;
//! for file in &files {
//!     // write_atomic(&folder.join(&file.path), ...)
//!     assert!(!file.bytes.is_empty());
//! }
//! let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
//! assert!(paths.starts_with(&["report.html", "report.md", "results.json", "predictions.csv"]));
//! assert!(paths.contains(&"temp_confusion.csv") && paths.contains(&"figures/roc.png"));
//! # Ok::<(), mgr_eval::EvalError>(())
//! ```

mod blocks;
mod classification;
mod files;
mod html;
mod markdown;
mod published;
mod style;

use serde::{Deserialize, Serialize};

pub use blocks::{BadFile, bad_files_table, per_class_table, per_fold_table};
pub use classification::{Classification, ClipResult, Measures, RunDescription};
pub use files::{ReportFile, ResultsFile};
pub use html::render_html;
pub use markdown::render_markdown;
pub use published::{Measure, Protocol, PublishedResult, published_results, published_table};

pub(crate) use html::{escape, is_forbidden};

use crate::figure::Figure;

/// A whole report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Report {
    /// Title of the page.
    pub title: String,
    /// One line below the title; empty for none.
    pub subtitle: String,
    /// The figures a reader looks for first.
    pub headline: Vec<Headline>,
    /// What a reader must know before believing the figures.
    pub warnings: Vec<String>,
    /// The sections in order.
    pub sections: Vec<Section>,
}

/// One figure of the headline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Headline {
    /// What it is, such as `Accuracy`.
    pub label: String,
    /// Its value as shown, such as `72.3 %`.
    pub value: String,
    /// What qualifies it, such as an interval; empty for none.
    pub note: String,
}

/// A titled part of a report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// Its anchor. Characters other than letters, digits, `-` and `_` become `-`; repeated ones get a number.
    pub id: String,
    /// Its content in order.
    pub blocks: Vec<Block>,
}

/// One piece of content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Block {
    /// A paragraph of text.
    Paragraph(String),
    /// A table.
    Table(Table),
    /// A table with rows below that sum it up and stay there when it is sorted.
    SummedTable(SummedTable),
    /// Clips, each with a player where its audio is local.
    Clips(ClipTable),
    /// A figure; its SVG is inserted as it is, so it must come from a trusted source.
    Figure(Figure),
    /// Preformatted text: a command, a configuration.
    Code(String),
    /// Names and values.
    KeyValues(Vec<(String, String)>),
    /// A bulleted list.
    List(Vec<String>),
}

/// A table with one header row; the first column names its row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Table {
    /// What the table shows.
    pub caption: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// Cells row by row. A short row is filled with empty cells; cells beyond the columns are left out.
    pub rows: Vec<Vec<String>>,
}

/// A [`Table`] and the rows below it: means, totals.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SummedTable {
    /// The table.
    pub table: Table,
    /// Cells of the rows below, by the table's columns.
    pub summary: Vec<Vec<String>>,
}

/// A table of clips.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClipTable {
    /// What the table shows.
    pub caption: String,
    /// The clips in order.
    pub clips: Vec<ClipRow>,
}

/// One clip of a [`ClipTable`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClipRow {
    /// The clip.
    pub id: String,
    /// Its true class.
    pub truth: String,
    /// The predicted class.
    pub predicted: String,
    /// The score of the true class.
    pub truth_score: f64,
    /// The score of the predicted class.
    pub predicted_score: f64,
    /// The path of its audio as seen from the page; none where it is not local.
    pub audio: Option<String>,
}

impl ClipTable {
    fn columns(&self, audio: &str) -> Vec<Column> {
        vec![
            Column::text("Clip"),
            Column::text("True class"),
            Column::text("Predicted"),
            Column::number("Score of the true class"),
            Column::number("Score of the predicted class"),
            Column::text(audio),
        ]
    }
}

/// A column of a [`Table`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// Where its cells are set.
    pub alignment: Alignment,
}

/// How the cells of a column are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alignment {
    /// From the left (default).
    #[default]
    Text,
    /// To the right, with digits of equal width.
    Number,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub fn text(title: impl Into<String>) -> Self {
        Self { title: title.into(), alignment: Alignment::Text }
    }

    /// A column of numbers.
    #[must_use]
    pub fn number(title: impl Into<String>) -> Self {
        Self { title: title.into(), alignment: Alignment::Number }
    }
}
