//! What a run leaves for people and programs: `report.html`, figures, `results.json`, CSV tables, split files.

use std::path::Path;

use mgr_data::{split_file, write_atomic};
use mgr_eval::EvalError;
use mgr_eval::figure::{
    Caption, Epoch, Figure, FoldHistory, confusion_figure, learning_curve_figure, per_class_figure,
};
use mgr_eval::report::{
    BadFile, Block, Column, Headline, Report, Section, Table, bad_files_table, per_class_table,
    per_fold_table, render_html,
};
use mgr_eval::split::Fold;
use mgr_eval::table::{ConfusionLayout, Predictions, write_confusion_csv, write_predictions_csv};
use ndarray::Array2;

use crate::PipelineError;
use crate::clips::Clips;
use crate::config::{DatasetKind, RunConfig};
use crate::encoder::FoldResult;
use crate::files::write_json;
use crate::record::RunRecord;
use crate::results::{Matrices, Results, Score};

/// All that the report is made of.
pub(crate) struct Material<'a> {
    pub(crate) config: &'a RunConfig,
    pub(crate) record: &'a RunRecord,
    pub(crate) clips: &'a Clips,
    pub(crate) folds: &'a [Fold],
    pub(crate) encoders: &'a [FoldResult],
    pub(crate) results: &'a Results,
    pub(crate) matrices: &'a Matrices,
}

impl Material<'_> {
    /// Writes everything below the run's folder, the page last.
    pub(crate) fn write(&self) -> Result<(), PipelineError> {
        let out = &self.config.out;
        let classes = &self.record.classes;
        write_json(&out.join("results.json"), self.results)?;
        let matrix = &self.matrices.all;
        table(&out.join("confusion.csv"), |w| {
            write_confusion_csv(w, matrix, classes, ConfusionLayout::Named)
        })?;
        self.write_predictions(&out.join("predictions.csv"))?;
        self.write_scores(&out.join("scores.csv"))?;
        // Split files name positions in the dataset, folds here positions among the clips that can be used.
        let usable = mgr_data::dataset::Dataset {
            tracks: self
                .clips
                .clips
                .iter()
                .filter_map(|c| self.clips.dataset.tracks.iter().find(|t| t.id == c.id).cloned())
                .collect(),
            ..self.clips.dataset.clone()
        };
        split_file::write(&out.join("splits"), &usable, self.folds)?;
        let figures = self.figures()?;
        for figure in &figures {
            let file = |extension: &str| out.join("figures").join(format!("{}.{extension}", figure.name));
            write_atomic(&file("svg"), |w| w.write_all(figure.svg.as_bytes()))?;
            write_atomic(&file("png"), |w| w.write_all(&figure.png))?;
        }
        let html = render_html(&self.report(figures)?);
        Ok(write_atomic(&out.join("report.html"), |w| w.write_all(html.as_bytes()))?)
    }

    fn write_predictions(&self, path: &Path) -> Result<(), PipelineError> {
        let clips = &self.results.clips;
        let ids: Vec<&str> = clips.iter().map(|c| c.id.as_str()).collect();
        let y_true: Vec<usize> = clips.iter().map(|c| c.class).collect();
        let y_pred: Vec<usize> = clips.iter().map(|c| c.predicted).collect();
        let folds: Vec<usize> = clips.iter().map(|c| c.fold).collect();
        let scores = Array2::from_shape_fn((clips.len(), self.record.classes.len()), |(i, c)| {
            clips[i].probabilities[c]
        });
        let predictions =
            Predictions { ids: &ids, y_true: &y_true, y_pred: &y_pred, folds: &folds, scores: scores.view() };
        table(path, |w| write_predictions_csv(w, &predictions, &self.record.classes))
    }

    fn write_scores(&self, path: &Path) -> Result<(), PipelineError> {
        Ok(write_atomic(path, |w| {
            writeln!(w, "system,accuracy,low,high,macro_f1")?;
            for Score { system, accuracy, low, high, macro_f1 } in &self.results.scores {
                writeln!(w, "\"{system}\",{accuracy:.6},{low:.6},{high:.6},{macro_f1:.6}")?;
            }
            Ok(())
        })?)
    }

    fn figures(&self) -> Result<Vec<Figure>, PipelineError> {
        let classes = &self.record.classes;
        let histories: Vec<FoldHistory> = self.encoders.iter().map(history).collect();
        let caption = |name, title| Caption { name, title };
        let mut figures =
            vec![learning_curve_figure(caption("learning_curves", "Learning curves"), &histories)?];
        // A picture of very many classes would show nothing; the tables hold the numbers all the same.
        if classes.len() <= 64 {
            let matrix = &self.matrices.all;
            figures.insert(0, confusion_figure(caption("confusion", "Confusion matrix"), matrix, classes)?);
            figures.insert(
                1,
                per_class_figure(caption("per_class", "Precision, recall and F1"), matrix, classes)?,
            );
        }
        Ok(figures)
    }

    fn report(&self, figures: Vec<Figure>) -> Result<Report, PipelineError> {
        let network = &self.results.scores[0];
        let linear = &self.results.scores[1];
        let tested = self.results.clips.len();
        let headline = vec![
            Headline {
                label: "Accuracy".into(),
                value: percent(network.accuracy),
                note: format!(
                    "95 % interval {} to {}, {tested} clips",
                    percent(network.low),
                    percent(network.high)
                ),
            },
            Headline {
                label: "Macro F1".into(),
                value: percent(network.macro_f1),
                note: format!("{} genres", self.record.classes.len()),
            },
            Headline {
                label: "Linear baseline".into(),
                value: percent(linear.accuracy),
                note: "logistic regression on the mean spectrum, same folds".into(),
            },
        ];
        let [mut per_class, mut curves]: [Vec<Block>; 2] = Default::default();
        for figure in figures {
            if figure.name == "learning_curves" { &mut curves } else { &mut per_class }
                .push(Block::Figure(figure));
        }
        per_class.push(per_class_table(&self.matrices.all, &self.record.classes)?);
        curves.push(self.epochs_table());
        let mut files: Vec<Block> = self.clips.notes.iter().map(|n| Block::Paragraph(n.clone())).collect();
        files.push(bad_files_table(&listed(&self.results.bad)));
        if !self.results.damaged.is_empty() {
            files.push(Block::Paragraph("Used in spite of damage that the decoder found:".into()));
            files.push(Block::Table(Table {
                caption: format!("Damaged files ({})", self.results.damaged.len()),
                columns: vec![Column::text("File"), Column::text("Damage")],
                rows: self.results.damaged.iter().map(|b| vec![b.id.clone(), b.reason.clone()]).collect(),
            }));
        }
        let section = |title: &str, id: &str, blocks| Section { title: title.into(), id: id.into(), blocks };
        Ok(Report {
            title: format!("Genre recognition: {}", self.record.dataset),
            subtitle: format!(
                "{tested} clips, {} genres, {} folds",
                self.record.classes.len(),
                self.folds.len()
            ),
            headline,
            warnings: self.warnings(),
            sections: vec![
                section("Against baselines", "baselines", vec![self.baselines()]),
                section("By genre", "genres", per_class),
                section("By fold", "folds", vec![per_fold_table(&self.matrices.folds)?, self.parts_table()]),
                section("Training", "training", curves),
                section("Files", "files", files),
                section("What was run", "run", self.what_was_run()?),
            ],
        })
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.config.dataset == DatasetKind::Demo {
            warnings.push(
                "The clips are synthetic: they show that everything runs, and say nothing about real music."
                    .into(),
            );
        } else if self.clips.clips.iter().all(|c| c.group.is_none()) {
            let kept_apart =
                if self.config.splits.is_some() { "by the split files only" } else { "not kept apart" };
            warnings.push(format!(
                "Clips of one artist or recording are {kept_apart} between training and test; if there are such clips, the \
                 figures are too high. Name the artists with --groups."
            ));
        }
        let repeated =
            self.clips.clips.iter().map(|c| &c.content).collect::<std::collections::BTreeSet<_>>().len();
        if repeated < self.clips.clips.len() {
            warnings.push(format!(
                "{} clips are byte-identical copies of others.",
                self.clips.clips.len() - repeated
            ));
        }
        warnings
    }

    fn baselines(&self) -> Block {
        let row = |s: &Score| {
            vec![
                s.system.clone(),
                percent(s.accuracy),
                format!("{} – {}", percent(s.low), percent(s.high)),
                percent(s.macro_f1),
            ]
        };
        Block::Table(Table {
            caption: "The network and what it must beat, on the same test clips".into(),
            columns: vec![
                Column::text("System"),
                Column::number("Accuracy"),
                Column::number("95 % interval"),
                Column::number("Macro F1"),
            ],
            rows: self.results.scores.iter().map(row).collect(),
        })
    }

    fn epochs_table(&self) -> Block {
        let rows = self.encoders.iter().enumerate().map(|(number, fold)| {
            let chosen = fold.history.epochs().iter().find(|e| e.epoch == fold.selected_epoch);
            let validation = chosen.and_then(|e| e.validation).map_or("–".into(), |v| percent(v.accuracy));
            vec![
                number.to_string(),
                fold.history.epochs().len().to_string(),
                fold.selected_epoch.to_string(),
                validation,
                percent(self.results.fold_accuracies[number]),
            ]
        });
        Block::Table(Table {
            caption: "The epoch that the validation part chose; accuracy there by segment, on test by clip"
                .into(),
            columns: vec![
                Column::text("Fold"),
                Column::number("Epochs"),
                Column::number("Chosen"),
                Column::number("Validation (segments)"),
                Column::number("Test (clips)"),
            ],
            rows: rows.collect(),
        })
    }

    fn parts_table(&self) -> Block {
        let groups = |part: &[usize]| {
            let groups: std::collections::BTreeSet<_> =
                part.iter().filter_map(|&i| self.clips.clips[i].group.as_ref()).collect();
            if groups.is_empty() {
                part.len().to_string()
            } else {
                format!("{} ({} groups)", part.len(), groups.len())
            }
        };
        let rows = self.folds.iter().enumerate().map(|(number, fold)| {
            vec![number.to_string(), groups(&fold.train), groups(&fold.validation), groups(&fold.test)]
        });
        Block::Table(Table {
            caption: "Clips in each part".into(),
            columns: vec![
                Column::text("Fold"),
                Column::number("Training"),
                Column::number("Validation"),
                Column::number("Test"),
            ],
            rows: rows.collect(),
        })
    }

    fn what_was_run(&self) -> Result<Vec<Block>, PipelineError> {
        let record = self.record;
        let config = toml::to_string(&record.config)
            .map_err(|e| PipelineError::Output { path: self.config.out.clone(), reason: e.to_string() })?;
        let pairs = [
            ("Dataset", record.dataset.clone()),
            (
                "Protocol",
                "stratified folds; the epoch is chosen on a validation part of the training folds; each test clip is \
                 scored once, by a network that has not seen it; a clip's score is the sum over its segments"
                    .into(),
            ),
            ("Feature", format!("log-mel, {} bands, {} Hz", record.config.n_mels, record.config.sample_rate)),
            ("Network", "Base2DCNN (GTZAN-8 study)".into()),
            ("mgr", record.mgr.clone()),
            ("libtorch", record.libtorch.clone()),
            ("Machine", format!("{}, {} thread in a network", record.machine, record.threads_per_network)),
            ("Clips fingerprint", record.clips.clone()),
            ("Feature fingerprint", record.front_end_fingerprint.clone()),
        ];
        Ok(vec![
            Block::KeyValues(pairs.map(|(k, v)| (k.to_owned(), v)).to_vec()),
            Block::Paragraph("The configuration, as a file for --config:".into()),
            Block::Code(config),
        ])
    }
}

fn listed(bad: &[crate::BadClip]) -> Vec<BadFile> {
    bad.iter().map(|b| BadFile { path: b.id.clone(), reason: b.reason.clone() }).collect()
}

fn history(fold: &FoldResult) -> FoldHistory {
    let epoch = |e: &mgr_models::train::EpochRecord| Epoch {
        train_loss: e.train.loss,
        train_accuracy: e.train.accuracy,
        validation_loss: e.validation.map(|v| v.loss),
        validation_accuracy: e.validation.map(|v| v.accuracy),
    };
    FoldHistory {
        epochs: fold.history.epochs().iter().map(epoch).collect(),
        best_epoch: Some(fold.selected_epoch),
    }
}

/// Writes a table in one piece; an error of the table and one of the disk both come out.
fn table(
    path: &Path,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), EvalError>,
) -> Result<(), PipelineError> {
    let mut bytes = Vec::new();
    write(&mut bytes)?;
    Ok(write_atomic(path, |w| w.write_all(&bytes))?)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
