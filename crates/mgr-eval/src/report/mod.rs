//! A report as data, and its rendering as one HTML page.
//!
//! [`Report`] knows nothing of music or networks: headlines, warnings and sections of blocks. Everything in it is
//! plain data that serde can write and read; figures keep their SVG.

mod blocks;
mod classification;
mod html;
mod markdown;
mod published;
mod style;

use serde::{Deserialize, Serialize};

pub use blocks::{BadFile, bad_files_table, per_class_table, per_fold_table};
pub use classification::{Classification, ClipResult, Measures, RunDescription};
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
