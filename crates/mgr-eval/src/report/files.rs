//! A report and its classification as files.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{Block, Classification, Measures, Report, render_html, render_markdown};
use crate::EvalError;
use crate::metrics::ConfusionMatrix;
use crate::table::{
    ConfusionLayout, Predictions, write_confusion_csv, write_measures_csv, write_predictions_csv,
    write_table_csv,
};

/// One file, in memory: this crate writes none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// Its path below the folder of the report, with `/`, such as `figures/roc.svg`.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What `results.json` holds: the run, every clip, the measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultsFile {
    /// The classification as it was given.
    pub classification: Classification,
    /// Its measures.
    pub measures: Measures,
    /// Counts by true class (outer) and predicted class.
    pub confusion: Vec<Vec<u64>>,
}

impl Report {
    /// The figures of all sections in order.
    pub fn figures(&self) -> impl Iterator<Item = &crate::figure::Figure> {
        self.sections.iter().flat_map(|section| &section.blocks).filter_map(|block| match block {
            Block::Figure(figure) => Some(figure),
            _ => None,
        })
    }
}

impl Classification {
    /// Everything of a report as files, in order: `report.html` and `report.md`, `results.json` ([`ResultsFile`]), `predictions.csv`,
    /// `measures.csv`, `per_class.csv`, `confusion.csv`, `temp_confusion.csv` (MLFCF's layout: numbers only), and
    /// `figures/NAME.svg` and `.png`.
    ///
    /// `report` is that of [`report`](Self::report), with sections of the caller's own where there are some; their figures become files
    /// too. Same input, same bytes.
    ///
    /// # Errors
    /// Those of [`report`](Self::report).
    pub fn files(&self, report: &Report) -> Result<Vec<ReportFile>, EvalError> {
        let mut files = vec![
            file("report.html", render_html(report).into_bytes()),
            file("report.md", render_markdown(report, "figures").into_bytes()),
        ];
        let measures = self.measures()?;
        let matrix = self.confusion()?;
        let results = ResultsFile {
            confusion: matrix.rows().map(<[u64]>::to_vec).collect(),
            measures,
            classification: self.clone(),
        };
        let json = serde_json::to_vec_pretty(&results).map_err(std::io::Error::from)?;
        files.push(file("results.json", json));
        files.push(file("predictions.csv", self.predictions_csv()?));
        files.push(written("measures.csv", |out| write_measures_csv(out, &results.measures))?);
        if let Block::SummedTable(by_class) = super::per_class_table(&matrix, &self.classes)? {
            files.push(written("per_class.csv", |out| write_table_csv(out, &by_class.table))?);
        }
        files.push(self.confusion_csv("confusion.csv", &matrix, ConfusionLayout::Named)?);
        files.push(self.confusion_csv("temp_confusion.csv", &matrix, ConfusionLayout::Bare)?);
        for figure in report.figures() {
            let name = figure.name.replace(['/', '\\', '<', '>', '\n'], "-");
            files.push(file(&format!("figures/{name}.svg"), figure.svg.clone().into_bytes()));
            if !figure.png.is_empty() {
                files.push(file(&format!("figures/{name}.png"), figure.png.clone()));
            }
        }
        Ok(files)
    }

    fn confusion_csv(
        &self,
        path: &str,
        matrix: &ConfusionMatrix,
        layout: ConfusionLayout,
    ) -> Result<ReportFile, EvalError> {
        written(path, |out| write_confusion_csv(out, matrix, &self.classes, layout))
    }

    fn predictions_csv(&self) -> Result<Vec<u8>, EvalError> {
        let (truth, predicted, scores): (_, _, Array2<f64>) = self.columns()?;
        let ids: Vec<&str> = self.clips.iter().map(|clip| clip.id.as_str()).collect();
        let folds: Vec<usize> = self.clips.iter().map(|clip| clip.fold).collect();
        let columns = Predictions {
            ids: &ids,
            y_true: &truth,
            y_pred: &predicted,
            folds: &folds,
            scores: scores.view(),
        };
        let mut bytes = Vec::new();
        write_predictions_csv(&mut bytes, &columns, &self.classes)?;
        Ok(bytes)
    }
}

fn file(path: &str, bytes: Vec<u8>) -> ReportFile {
    ReportFile { path: path.to_owned(), bytes }
}

fn written(
    path: &str,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), EvalError>,
) -> Result<ReportFile, EvalError> {
    let mut bytes = Vec::new();
    write(&mut bytes)?;
    Ok(ReportFile { path: path.to_owned(), bytes })
}
