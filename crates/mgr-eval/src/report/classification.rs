//! From the verdicts on clips to a whole report.

use std::collections::BTreeSet;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::published::{Measure, Protocol, published_table};
use super::{
    Block, ClipRow, ClipTable, Column, Headline, Report, Section, Table, per_class_table, per_fold_table,
};
use crate::EvalError;
use crate::compare::{BootstrapConfig, BootstrapInterval, bootstrap_clips, bootstrap_groups};
use crate::error::same_length;
use crate::figure::{
    Caption, Figure, FoldHistory, calibration_figure, confusion_figure, learning_curve_figure,
    per_class_figure, precision_recall_figure, roc_figure,
};
use crate::metrics::{
    Average, Binning, Calibration, ConfusionMatrix, Interval, KappaWeights, MacroOver, ScoreTies,
    average_precision_one_vs_rest, brier_score, log_loss, precision_recall_curve, roc_auc_one_vs_rest,
    roc_curve, top_k_accuracy, wilson_interval,
};

/// What was run, so that somebody else can run it again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunDescription {
    /// The dataset.
    pub dataset: String,
    /// How it was split.
    pub split: String,
    /// How clips are scored and what was chosen on which part.
    pub protocol: String,
    /// The published protocol that this run follows to the letter; none where there is none.
    pub published: Option<Protocol>,
    /// What is known to make the figures too high, beyond what the published protocol is known for.
    pub known_leaks: Vec<String>,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// Programs and libraries with their versions.
    pub versions: Vec<(String, String)>,
    /// Fingerprints of clips, features, configuration.
    pub fingerprints: Vec<(String, String)>,
    /// The command; empty for none.
    pub command: String,
    /// The configuration as text; empty for none.
    pub config: String,
}

/// The verdict of a system on one clip that it was not trained on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClipResult {
    /// The clip.
    pub id: String,
    /// Its true class.
    pub class: usize,
    /// The predicted class.
    pub predicted: usize,
    /// The scores of all classes, usually probabilities.
    pub scores: Vec<f64>,
    /// The fold that tested it, from 0.
    pub fold: usize,
    /// Its artist, album or recording, where known.
    pub group: Option<String>,
    /// The path of its audio as seen from the page, where it is local.
    pub audio: Option<String>,
}

/// A classification as it ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Classification {
    /// Title of the report.
    pub title: String,
    /// What was run.
    pub run: RunDescription,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// The verdicts.
    pub clips: Vec<ClipResult>,
    /// How training went, one for each fold; may be empty.
    pub histories: Vec<FoldHistory>,
}

/// The measures of a classification. Those that have no value on these clips are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Clips.
    pub clips: u64,
    /// Share of clips that are right.
    pub accuracy: f64,
    /// Its 95 % Wilson interval, for independent clips.
    pub accuracy_interval: Interval,
    /// Its 95 % interval by resampling groups; none without groups.
    pub accuracy_by_group: Option<BootstrapInterval>,
    /// Mean recall over the classes present.
    pub balanced_accuracy: f64,
    /// Mean F1 over the classes present.
    pub macro_f1: f64,
    /// Its 95 % interval by resampling groups where they are known, clips otherwise.
    pub macro_f1_interval: BootstrapInterval,
    /// F1 weighted by clips.
    pub weighted_f1: f64,
    /// Matthews' correlation coefficient.
    pub matthews_correlation: f64,
    /// Cohen's kappa.
    pub cohen_kappa: Option<f64>,
    /// Share of clips with the class among the three best; none for three classes or fewer.
    pub top_3_accuracy: Option<f64>,
    /// Area under the ROC curve, mean over the classes present.
    pub roc_auc: Option<f64>,
    /// Average precision, mean over the classes present.
    pub average_precision: Option<f64>,
    /// Mean log loss; none where scores are no probabilities.
    pub log_loss: Option<f64>,
    /// Brier's score; none where scores are no probabilities.
    pub brier: Option<f64>,
    /// Expected calibration error in ten bins; none where scores are no probabilities.
    pub calibration_error: Option<f64>,
}

impl Measures {
    /// Names and values in order, for tables.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, Option<f64>)> {
        vec![
            ("clips", Some(self.clips as f64)),
            ("accuracy", Some(self.accuracy)),
            ("accuracy_low", Some(self.accuracy_interval.low)),
            ("accuracy_high", Some(self.accuracy_interval.high)),
            ("accuracy_by_group_low", self.accuracy_by_group.map(|b| b.interval.low)),
            ("accuracy_by_group_high", self.accuracy_by_group.map(|b| b.interval.high)),
            ("balanced_accuracy", Some(self.balanced_accuracy)),
            ("macro_f1", Some(self.macro_f1)),
            ("macro_f1_low", Some(self.macro_f1_interval.interval.low)),
            ("macro_f1_high", Some(self.macro_f1_interval.interval.high)),
            ("weighted_f1", Some(self.weighted_f1)),
            ("matthews_correlation", Some(self.matthews_correlation)),
            ("cohen_kappa", self.cohen_kappa),
            ("top_3_accuracy", self.top_3_accuracy),
            ("roc_auc", self.roc_auc),
            ("average_precision", self.average_precision),
            ("log_loss", self.log_loss),
            ("brier", self.brier),
            ("calibration_error", self.calibration_error),
        ]
    }

    /// The measures as a table.
    #[must_use]
    pub fn table(&self) -> Table {
        let value = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
        let rows = self.rows().into_iter().map(|(name, v)| {
            let shown = if name == "clips" { self.clips.to_string() } else { value(v) };
            vec![label(name), shown]
        });
        Table {
            caption: "Measures; a dash where one has no value on these clips".to_owned(),
            columns: vec![Column::text("Measure"), Column::number("Value")],
            rows: rows.collect(),
        }
    }
}

/// True labels, predicted labels, scores (clips, classes).
pub(super) type Columns = (Vec<usize>, Vec<usize>, Array2<f64>);

/// Results with probabilities, which some scores are not.
fn if_probabilities<T>(result: Result<T, EvalError>) -> Result<Option<T>, EvalError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(EvalError::NotProbability { .. } | EvalError::ProbabilitySum { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Classification {
    /// The labels and scores, checked.
    pub(super) fn columns(&self) -> Result<Columns, EvalError> {
        let classes = self.classes.len();
        if self.clips.is_empty() {
            return Err(EvalError::Empty { what: "list of clips" });
        }
        for clip in &self.clips {
            same_length("scores of a clip", classes, clip.scores.len())?;
        }
        let scores = Array2::from_shape_fn((self.clips.len(), classes), |(clip, class)| {
            self.clips[clip].scores[class]
        });
        let truth = self.clips.iter().map(|clip| clip.class).collect();
        Ok((truth, self.clips.iter().map(|clip| clip.predicted).collect(), scores))
    }

    /// The confusion matrix of all clips.
    ///
    /// # Errors
    /// [`EvalError::Empty`], [`EvalError::LabelOutOfRange`].
    pub fn confusion(&self) -> Result<ConfusionMatrix, EvalError> {
        let label = |of: fn(&ClipResult) -> usize| self.clips.iter().map(of).collect::<Vec<_>>();
        ConfusionMatrix::from_labels(&label(|c| c.class), &label(|c| c.predicted), self.classes.len())
    }

    /// The confusion matrix of every fold in order; folds without a clip are left out.
    ///
    /// # Errors
    /// [`EvalError::LabelOutOfRange`].
    pub fn confusion_by_fold(&self) -> Result<Vec<ConfusionMatrix>, EvalError> {
        let folds: BTreeSet<usize> = self.clips.iter().map(|clip| clip.fold).collect();
        let of_fold = |fold: usize| {
            let clips = self.clips.iter().filter(|clip| clip.fold == fold);
            let (truth, predicted): (Vec<usize>, Vec<usize>) = clips.map(|c| (c.class, c.predicted)).unzip();
            ConfusionMatrix::from_labels(&truth, &predicted, self.classes.len())
        };
        folds.into_iter().map(of_fold).collect()
    }

    /// The groups of all clips; a clip without one is a group of its own. None where no clip has one.
    fn groups(&self) -> Option<Vec<(Option<&str>, usize)>> {
        let named = self.clips.iter().any(|clip| clip.group.is_some());
        let group = |(index, clip): (usize, &'_ ClipResult)| match &clip.group {
            Some(_) => 0,
            None => index + 1,
        };
        named.then(|| {
            self.clips.iter().enumerate().map(|(i, clip)| (clip.group.as_deref(), group((i, clip)))).collect()
        })
    }

    /// All measures. Intervals by resampling have seed 0.
    ///
    /// # Errors
    /// [`EvalError::Empty`] without clips, [`EvalError::LengthMismatch`] for scores of another number than classes,
    /// [`EvalError::LabelOutOfRange`], [`EvalError::NotFinite`].
    pub fn measures(&self) -> Result<Measures, EvalError> {
        let (truth, predicted, scores) = self.columns()?;
        let matrix = self.confusion()?;
        let config = BootstrapConfig::default();
        let accuracy = |clips: &[usize]| {
            Some(clips.iter().filter(|&&i| truth[i] == predicted[i]).count() as f64 / clips.len() as f64)
        };
        let macro_f1 = |clips: &[usize]| {
            let (a, b): (Vec<usize>, Vec<usize>) = clips.iter().map(|&i| (truth[i], predicted[i])).unzip();
            ConfusionMatrix::from_labels(&a, &b, self.classes.len())
                .ok()
                .map(|matrix| matrix.average(Average::Macro, MacroOver::Present).f1)
        };
        let groups = self.groups();
        Ok(Measures {
            clips: matrix.total(),
            accuracy: matrix.accuracy(),
            accuracy_interval: wilson_interval(matrix.correct(), matrix.total(), 0.95)?,
            accuracy_by_group: groups.as_ref().map(|g| bootstrap_groups(g, accuracy, &config)).transpose()?,
            balanced_accuracy: matrix.balanced_accuracy(),
            macro_f1: matrix.average(Average::Macro, MacroOver::Present).f1,
            macro_f1_interval: match &groups {
                Some(groups) => bootstrap_groups(groups, macro_f1, &config)?,
                None => bootstrap_clips(truth.len(), macro_f1, &config)?,
            },
            weighted_f1: matrix.average(Average::Weighted, MacroOver::All).f1,
            matthews_correlation: matrix.matthews_correlation(),
            cohen_kappa: matrix.cohen_kappa(KappaWeights::Equal),
            top_3_accuracy: (self.classes.len() > 3)
                .then(|| top_k_accuracy(&truth, scores.view(), 3, ScoreTies::LowerClass))
                .transpose()?,
            roc_auc: roc_auc_one_vs_rest(&truth, scores.view())?.mean_over_present(),
            average_precision: average_precision_one_vs_rest(&truth, scores.view())?.mean_over_present(),
            log_loss: if_probabilities(log_loss(&truth, scores.view()))?,
            brier: if_probabilities(brier_score(&truth, scores.view()))?,
            calibration_error: if_probabilities(Calibration::of_predictions(
                &truth,
                scores.view(),
                10,
                Binning::Uniform,
            ))?
            .map(|calibration| calibration.expected_error()),
        })
    }

    /// All figures that the data allows: confusion matrix, bars by class, ROC and precision-recall curves (up to 64 classes),
    /// calibration (of probabilities), learning curves (where there are histories).
    ///
    /// # Errors
    /// Those of [`measures`](Self::measures), and [`EvalError::Drawing`].
    pub fn figures(&self) -> Result<Vec<Figure>, EvalError> {
        let (truth, _, scores) = self.columns()?;
        let caption = |name, title| Caption { name, title };
        let mut figures = Vec::new();
        if self.classes.len() <= 64 {
            let matrix = self.confusion()?;
            let classes = &self.classes;
            figures.push(confusion_figure(caption("confusion", "Confusion matrix"), &matrix, classes)?);
            figures.push(per_class_figure(
                caption("per_class", "Precision, recall and F1"),
                &matrix,
                classes,
            )?);
            let (mut roc, mut precision) = (Vec::new(), Vec::new());
            for (class, column) in scores.columns().into_iter().enumerate() {
                let positive: Vec<bool> = truth.iter().map(|&t| t == class).collect();
                let column = column.to_vec();
                roc.push(roc_curve(&positive, &column)?);
                precision.push(precision_recall_curve(&positive, &column)?);
            }
            figures.push(roc_figure(
                caption("roc", "ROC curves, each class against the rest"),
                &roc,
                classes,
            )?);
            let title = caption("precision_recall", "Precision and recall, each class against the rest");
            figures.push(precision_recall_figure(title, &precision, classes)?);
        }
        let calibration = Calibration::of_predictions(&truth, scores.view(), 10, Binning::Uniform);
        if let Some(calibration) = if_probabilities(calibration)? {
            figures.push(calibration_figure(
                caption("calibration", "Calibration"),
                &[calibration],
                &["this run"],
            )?);
        }
        if self.histories.iter().any(|history| !history.epochs.is_empty()) {
            figures
                .push(learning_curve_figure(caption("learning_curves", "Learning curves"), &self.histories)?);
        }
        Ok(figures)
    }

    /// The `most` mistakes that the system was surest of: those with the largest score of the predicted class over that of the
    /// true class, of equal ones the first. A sentence where there is no mistake.
    #[must_use]
    pub fn worst_clips(&self, most: usize) -> Block {
        let name = |class: usize| self.classes.get(class).cloned().unwrap_or_else(|| class.to_string());
        let score = |clip: &ClipResult, class: usize| clip.scores.get(class).copied().unwrap_or(f64::NAN);
        let mut wrong: Vec<&ClipResult> =
            self.clips.iter().filter(|clip| clip.class != clip.predicted).collect();
        let gap = |clip: &ClipResult| score(clip, clip.predicted) - score(clip, clip.class);
        wrong.sort_by(|a, b| gap(b).total_cmp(&gap(a)));
        if wrong.is_empty() {
            return Block::Paragraph("No clip is confused.".to_owned());
        }
        let row = |clip: &&ClipResult| ClipRow {
            id: clip.id.clone(),
            truth: name(clip.class),
            predicted: name(clip.predicted),
            truth_score: score(clip, clip.class),
            predicted_score: score(clip, clip.predicted),
            audio: clip.audio.clone(),
        };
        Block::Clips(ClipTable {
            caption: format!(
                "The {} mistakes that the system was surest of, of {}",
                most.min(wrong.len()),
                wrong.len()
            ),
            clips: wrong.iter().take(most).map(row).collect(),
        })
    }

    /// The whole report.
    ///
    /// # Errors
    /// Those of [`figures`](Self::figures).
    pub fn report(&self) -> Result<Report, EvalError> {
        let measures = self.measures()?;
        let matrix = self.confusion()?;
        let folds = self.confusion_by_fold()?;
        let by_class = ["confusion", "per_class", "roc", "precision_recall"];
        let (of_classes, of_training): (Vec<Figure>, Vec<Figure>) =
            self.figures()?.into_iter().partition(|figure| by_class.contains(&figure.name.as_str()));
        let mut classes = vec![per_class_table(&matrix, &self.classes)?];
        classes.extend(of_classes.into_iter().map(Block::Figure));
        let section =
            |title: &str, id: &str, blocks| Section { title: title.to_owned(), id: id.to_owned(), blocks };
        let mut sections = vec![
            section("By class", "classes", classes),
            section("Worst-confused clips", "clips", vec![self.worst_clips(20)]),
            section("Measures", "measures", vec![Block::Table(measures.table())]),
        ];
        if folds.len() > 1 {
            sections.push(section("By fold", "folds", vec![per_fold_table(&folds)?]));
        }
        if !of_training.is_empty() {
            let blocks = of_training.into_iter().map(Block::Figure).collect();
            sections.push(section("Training and calibration", "training", blocks));
        }
        let interval = measures.accuracy_by_group.map_or(measures.accuracy_interval, |b| b.interval);
        let published = match self.run.published {
            Some(protocol) => {
                published_table(protocol, Measure::Accuracy, Some((measures.accuracy, Some(interval))))
            }
            None => Block::Paragraph(
                "This run follows no published protocol, so no published figure compares with it.".to_owned(),
            ),
        };
        sections.push(section("Published results", "published", vec![published]));
        sections.push(section("What was run", "run", self.run.blocks()));
        Ok(Report {
            title: self.title.clone(),
            subtitle: format!(
                "{} clips, {} classes, {} test part{}",
                measures.clips,
                self.classes.len(),
                folds.len(),
                if folds.len() == 1 { "" } else { "s" }
            ),
            headline: headline(&measures),
            warnings: self.warnings(&matrix),
            sections,
        })
    }

    fn warnings(&self, matrix: &ConfusionMatrix) -> Vec<String> {
        let mut warnings = self.run.leaks();
        if self.groups().is_none() {
            warnings.push(
                "Artists are not known: intervals treat clips as independent and are too narrow where clips share an artist."
                    .to_owned(),
            );
        }
        let named = |chosen: &dyn Fn(usize) -> bool| -> Vec<&str> {
            self.classes
                .iter()
                .enumerate()
                .filter(|(class, _)| chosen(*class))
                .map(|(_, name)| name.as_str())
                .collect()
        };
        let absent = named(&|class| matrix.support(class) == 0);
        if !absent.is_empty() {
            warnings.push(format!("No clip of: {}. Means run over the other classes.", absent.join(", ")));
        }
        let silent = named(&|class| matrix.support(class) > 0 && matrix.predicted(class) == 0);
        if !silent.is_empty() {
            warnings.push(format!("Never predicted: {}. Their precision counts as 0.", silent.join(", ")));
        }
        warnings
    }
}

/// A measure's name as a heading.
fn label(name: &str) -> String {
    let words = name.replace('_', " ").replace("f1", "F1").replace("roc auc", "ROC AUC");
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn headline(measures: &Measures) -> Vec<Headline> {
    let range = |interval: Interval| format!("{} to {}", percent(interval.low), percent(interval.high));
    let accuracy = match measures.accuracy_by_group {
        Some(by_group) => format!("95 % interval {} (by artist or group)", range(by_group.interval)),
        None => format!("95 % interval {}", range(measures.accuracy_interval)),
    };
    let mut items = vec![
        Headline { label: "Accuracy".to_owned(), value: percent(measures.accuracy), note: accuracy },
        Headline {
            label: "Macro F1".to_owned(),
            value: percent(measures.macro_f1),
            note: format!("95 % interval {}", range(measures.macro_f1_interval.interval)),
        },
        Headline {
            label: "Balanced accuracy".to_owned(),
            value: percent(measures.balanced_accuracy),
            note: "mean recall over classes".to_owned(),
        },
    ];
    if let Some(area) = measures.roc_auc {
        let note = "mean over classes, each against the rest".to_owned();
        items.push(Headline { label: "ROC AUC".to_owned(), value: format!("{area:.3}"), note });
    }
    items
}

impl RunDescription {
    /// The known leaks: those of the published protocol, then its own.
    #[must_use]
    pub fn leaks(&self) -> Vec<String> {
        let of_protocol = self.published.map_or(&[][..], Protocol::known_leaks);
        of_protocol.iter().map(|&leak| leak.to_owned()).chain(self.known_leaks.iter().cloned()).collect()
    }

    /// The description as content of a report.
    #[must_use]
    pub fn blocks(&self) -> Vec<Block> {
        let seeds: Vec<String> = self.seeds.iter().map(u64::to_string).collect();
        let leaks = self.leaks();
        let known = if leaks.is_empty() { "none known".to_owned() } else { leaks.join(" ") };
        let mut pairs = vec![
            ("Dataset".to_owned(), self.dataset.clone()),
            ("Split".to_owned(), self.split.clone()),
            ("Protocol".to_owned(), self.protocol.clone()),
            ("Published protocol".to_owned(), self.published.map_or("none", Protocol::name).to_owned()),
            ("Known leaks".to_owned(), known),
            ("Seeds".to_owned(), seeds.join(", ")),
        ];
        pairs.extend(self.versions.iter().cloned());
        pairs.extend(
            self.fingerprints.iter().map(|(name, value)| (format!("Fingerprint of {name}"), value.clone())),
        );
        pairs.retain(|(_, value)| !value.is_empty());
        let mut blocks = vec![Block::KeyValues(pairs)];
        for (intro, text) in [("The command:", &self.command), ("The configuration:", &self.config)] {
            if !text.is_empty() {
                blocks.push(Block::Paragraph(intro.to_owned()));
                blocks.push(Block::Code(text.clone()));
            }
        }
        blocks
    }
}
