//! What a study leaves in its folder: `report.html`, `figures/` as SVG and PNG, tables as CSV, numbers as JSON.

use std::path::{Path, PathBuf};

use mgr_data::write_atomic;
use mgr_eval::figure::{Caption, Figure, confusion_figure, learning_curve_figure, roc_figure};
use mgr_eval::metrics::{ConfusionMatrix, RocCurve, roc_curve};
use mgr_eval::report::{Block, Classification, Column, Report, Section, Table, render_html};
use mgr_eval::table::{
    ConfusionLayout, Predictions, write_confusion_csv, write_measures_csv, write_predictions_csv,
    write_table_csv,
};
use ndarray::Array2;
use serde::Serialize;

use super::spoken::{Result, sentence};

/// The folder of a study.
#[derive(Debug, Clone)]
pub struct Output {
    folder: PathBuf,
}

impl Output {
    /// The folder, made with what is above it.
    ///
    /// # Errors
    /// A sentence where it cannot be made.
    pub fn create(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|e| {
            format!(
                "{}: cannot make the folder of the report: {e}; name another with --out",
                folder.display()
            )
        })?;
        Ok(Self { folder: folder.to_path_buf() })
    }

    /// The path of a file in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// The system's reason.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_atomic(&self.path(name), |to| to.write_all(bytes)).map_err(sentence)
    }

    /// Writes a value as indented JSON.
    ///
    /// # Errors
    /// The system's reason.
    pub fn json(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(value).map_err(sentence)?;
        text.push(b'\n');
        self.write(name, &text)
    }

    /// Writes a table as CSV.
    ///
    /// # Errors
    /// The system's reason.
    pub fn table(&self, name: &str, table: &Table) -> Result<()> {
        let mut text = Vec::new();
        write_table_csv(&mut text, table).map_err(sentence)?;
        self.write(name, &text)
    }

    /// Writes a confusion matrix as CSV: the counts with recall, precision and F1, and the shares of each true class.
    ///
    /// # Errors
    /// The system's reason.
    pub fn confusion(&self, name: &str, matrix: &ConfusionMatrix, classes: &[String]) -> Result<()> {
        let mut text = Vec::new();
        write_confusion_csv(&mut text, matrix, classes, ConfusionLayout::Named).map_err(sentence)?;
        self.write(&format!("{name}.csv"), &text)?;
        let row = |truth: usize| {
            let shares = (0..classes.len()).map(|c| format!("{:.4}", matrix.row_share(truth, c)));
            std::iter::once(classes[truth].clone()).chain(shares).collect()
        };
        let columns = std::iter::once(Column::text("")).chain(classes.iter().map(Column::number)).collect();
        let shares = Table { caption: String::new(), columns, rows: (0..classes.len()).map(row).collect() };
        self.table(&format!("{name}_shares.csv"), &shares)
    }

    /// Writes what a classification gives: `predictions.csv`, `confusion.csv`, `measures.csv` and `classification.json`, each name
    /// after a prefix.
    ///
    /// # Errors
    /// The sentence of mgr-eval, the system's reason.
    pub fn classification(&self, prefix: &str, of: &Classification) -> Result<()> {
        let (ids, truth, predicted, folds): (Vec<&str>, Vec<usize>, Vec<usize>, Vec<usize>) = (
            of.clips.iter().map(|c| c.id.as_str()).collect(),
            of.clips.iter().map(|c| c.class).collect(),
            of.clips.iter().map(|c| c.predicted).collect(),
            of.clips.iter().map(|c| c.fold).collect(),
        );
        let scores = Array2::from_shape_fn((of.clips.len(), of.classes.len()), |(clip, class)| {
            of.clips[clip].scores.get(class).copied().unwrap_or(f64::NAN)
        });
        let predictions = Predictions {
            ids: &ids,
            y_true: &truth,
            y_pred: &predicted,
            folds: &folds,
            scores: scores.view(),
        };
        let mut text = Vec::new();
        write_predictions_csv(&mut text, &predictions, &of.classes).map_err(sentence)?;
        self.write(&format!("{prefix}predictions.csv"), &text)?;
        self.confusion(&format!("{prefix}confusion"), &of.confusion().map_err(sentence)?, &of.classes)?;
        let measures = of.measures().map_err(sentence)?;
        let mut text = Vec::new();
        write_measures_csv(&mut text, &measures).map_err(sentence)?;
        self.write(&format!("{prefix}measures.csv"), &text)?;
        self.json(&format!("{prefix}classification.json"), of)
    }

    /// Writes the page, and every figure in it as SVG and PNG below `figures`; says where the page is.
    ///
    /// # Errors
    /// The system's reason.
    pub fn report(&self, report: &Report) -> Result<()> {
        for block in report.sections.iter().flat_map(|section| &section.blocks) {
            if let Block::Figure(figure) = block {
                self.figure(figure)?;
            }
        }
        self.write("report.html", render_html(report).as_bytes())?;
        println!("report: {}", self.path("report.html").display());
        Ok(())
    }

    fn figure(&self, figure: &Figure) -> Result<()> {
        self.write(&format!("figures/{}.svg", figure.name), figure.svg.as_bytes())?;
        if figure.png.is_empty() {
            return Ok(());
        }
        self.write(&format!("figures/{}.png", figure.name), &figure.png)
    }
}

/// The confusion matrix and the ROC curves of one of several systems, and its learning curves where it has them; names and titles tell
/// which system.
///
/// # Errors
/// The sentence of mgr-eval.
pub fn figures_of(found: &Classification, prefix: &str, system: &str) -> Result<Vec<Figure>> {
    let captions = ["confusion", "roc", "learning_curves"].map(|name| format!("{prefix}_{name}"));
    let titles = ["Confusion matrix", "ROC curves, each class against the rest", "Learning curves"];
    let titles = titles.map(|title| format!("{system}: {title}"));
    let caption = |at: usize| Caption { name: &captions[at], title: &titles[at] };
    let matrix = found.confusion().map_err(sentence)?;
    let curve = |class: usize| {
        let positive: Vec<bool> = found.clips.iter().map(|clip| clip.class == class).collect();
        let scores: Vec<f64> = found.clips.iter().map(|clip| clip.scores[class]).collect();
        roc_curve(&positive, &scores).map_err(sentence)
    };
    let curves: Vec<RocCurve> = (0..found.classes.len()).map(curve).collect::<Result<_>>()?;
    let mut figures = vec![
        confusion_figure(caption(0), &matrix, &found.classes).map_err(sentence)?,
        roc_figure(caption(1), &curves, &found.classes).map_err(sentence)?,
    ];
    if !found.histories.is_empty() {
        figures.push(learning_curve_figure(caption(2), &found.histories).map_err(sentence)?);
    }
    Ok(figures)
}

/// A section of a report.
#[must_use]
pub fn section(title: &str, id: &str, blocks: Vec<Block>) -> Section {
    Section { title: title.to_owned(), id: id.to_owned(), blocks }
}

/// A paragraph.
#[must_use]
pub fn paragraph(text: impl Into<String>) -> Block {
    Block::Paragraph(text.into())
}

/// A table whose first column is text and whose others are numbers.
#[must_use]
pub fn numbers(caption: &str, titles: &[&str], rows: Vec<Vec<String>>) -> Table {
    let column = |(index, title): (usize, &&str)| {
        if index == 0 { Column::text(*title) } else { Column::number(*title) }
    };
    Table { caption: caption.to_owned(), columns: titles.iter().enumerate().map(column).collect(), rows }
}

/// Some names of a list, and how many more there are.
#[must_use]
pub fn some_of<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let first: Vec<&str> = names.iter().take(most).map(AsRef::as_ref).collect();
    let more = names.len().saturating_sub(most);
    if more > 0 { format!("{} and {more} more", first.join(", ")) } else { first.join(", ") }
}
