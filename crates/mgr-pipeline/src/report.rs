//! What a run leaves for people and programs: `report.html`, figures, `results.json`, CSV tables, split files.

use std::path::Path;

use mgr_data::{split_file, write_atomic};
use mgr_eval::EvalError;
use mgr_eval::figure::{
    Caption, Epoch, Figure, FoldHistory, SubsetScore, learning_curve_figure, scatter_figure, subset_figure,
};
use mgr_eval::report::{
    BadFile, Block, Classification, ClipResult, Column, Headline, Report, RunDescription, Section, Table,
    bad_files_table, render_html, render_markdown,
};
use mgr_eval::split::Fold;
use mgr_eval::table::{ConfusionLayout, Predictions, write_confusion_csv, write_predictions_csv};
use mgr_learn::TsneConfig;
use ndarray::Array2;

use crate::PipelineError;
use crate::clips::Clips;
use crate::combine::RankedSubset;
use crate::config::{DatasetKind, Protocol, RunConfig, VerdictRule};
use crate::encoder::{Encoders, Place, UnitRecord};
use crate::files::{read_array, read_json, write_json};
use crate::folds::Parts;
use crate::judge::{Combination, META, SUM, SYSTEMS};
use crate::meta::{MetaPlace, meta_folder};
use crate::record::RunRecord;
use crate::results::{Results, Score};
use crate::times::Times;

/// Codes of the meta network on the test clips of a fold, and the clips' classes.
pub(crate) struct TestCodes {
    fold: usize,
    codes: Array2<f32>,
    labels: Vec<usize>,
}

impl Encoders<'_> {
    /// The codes of each fold's best meta network on its test clips.
    pub(crate) fn codes_of_test(&self, combination: &Combination) -> Result<Vec<TestCodes>, PipelineError> {
        let mut all = Vec::new();
        for (fold, (parts, choice)) in self.folds.iter().zip(&combination.choices).enumerate() {
            let Some(&mask) = choice.top.first() else { continue };
            let folder = meta_folder(&self.config.out, MetaPlace { fold, split: 0, mask });
            if parts.test.is_empty() || !folder.join("codes.npy").exists() {
                continue;
            }
            let codes = read_array(&folder.join("codes.npy"))?.select(ndarray::Axis(0), &parts.test);
            let labels = parts.test.iter().map(|&i| self.clips.clips[i].class).collect();
            all.push(TestCodes { fold, codes, labels });
        }
        Ok(all)
    }

    /// How the networks of each feature learned: the feature, and a history for each fold and split.
    pub(crate) fn histories(
        &self,
        features: usize,
    ) -> Result<Vec<(String, Vec<FoldHistory>)>, PipelineError> {
        let mut all = Vec::new();
        for feature in 0..features {
            let mut own = Vec::new();
            for (fold, parts) in self.folds.iter().enumerate() {
                for split in 0..parts.splits.len() {
                    let path = self.folder(Place { fold, split, feature }).join("unit.json");
                    own.extend(history(&read_json::<UnitRecord>(&path)?));
                }
            }
            if !own.is_empty() {
                all.push((self.features[feature].name.clone(), own));
            }
        }
        Ok(all)
    }
}

fn history(unit: &UnitRecord) -> Option<FoldHistory> {
    let epoch = |e: &mgr_models::train::EpochRecord| Epoch {
        train_loss: e.train.loss,
        train_accuracy: e.train.accuracy,
        validation_loss: e.validation.map(|v| v.loss),
        validation_accuracy: e.validation.map(|v| v.accuracy),
    };
    let history = unit.history.as_ref()?;
    Some(FoldHistory {
        epochs: history.epochs().iter().map(epoch).collect(),
        best_epoch: unit.selected_epoch,
    })
}

/// The split files of a run: the first split of each fold.
pub(crate) fn write_splits(config: &RunConfig, clips: &Clips, folds: &[Parts]) -> Result<(), PipelineError> {
    if config.final_fit {
        return Ok(());
    }
    // Split files name positions in the dataset, folds here positions among the clips that can be used.
    let track = |id: &str| clips.dataset.tracks.iter().find(|t| t.id == id).cloned();
    let usable = mgr_data::dataset::Dataset {
        tracks: clips.clips.iter().filter_map(|c| track(&c.id)).collect(),
        ..clips.dataset.clone()
    };
    let folds: Vec<Fold> = folds
        .iter()
        .map(|parts| Fold { train: parts.learn(), validation: Vec::new(), test: parts.test.clone() })
        .collect();
    Ok(split_file::write(&config.out.join("splits"), &usable, &folds)?)
}

/// All that the report is made of.
pub(crate) struct Material<'a> {
    pub(crate) config: &'a RunConfig,
    pub(crate) record: &'a RunRecord,
    pub(crate) clips: &'a Clips,
    pub(crate) folds: &'a [Parts],
    pub(crate) histories: Vec<(String, Vec<FoldHistory>)>,
    pub(crate) results: &'a Results,
    pub(crate) times: Option<&'a Times>,
    pub(crate) codes: Vec<TestCodes>,
}

impl Material<'_> {
    /// Writes everything below the run's folder, the page last.
    pub(crate) fn write(&self) -> Result<(), PipelineError> {
        let out = &self.config.out;
        write_json(&out.join("results.json"), self.results)?;
        let classification = self.classification();
        let matrix = classification.confusion()?;
        table(&out.join("confusion.csv"), |w| {
            write_confusion_csv(w, &matrix, &self.record.classes, ConfusionLayout::Named)
        })?;
        table(&out.join("confusion_mlfcf.csv"), |w| {
            write_confusion_csv(w, &matrix, &self.record.classes, ConfusionLayout::Bare)
        })?;
        write_predictions(self.results, &out.join("predictions.csv"))?;
        self.write_scores(&out.join("scores.csv"))?;
        self.write_subsets(&out.join("subsets.csv"))?;
        let (report, figures) = self.report(&classification)?;
        for figure in &figures {
            let file = |extension: &str| out.join("figures").join(format!("{}.{extension}", figure.name));
            write_atomic(&file("svg"), |w| w.write_all(figure.svg.as_bytes()))?;
            write_atomic(&file("png"), |w| w.write_all(&figure.png))?;
        }
        let markdown = render_markdown(&report, "figures");
        write_atomic(&out.join("report.md"), |w| w.write_all(markdown.as_bytes()))?;
        let html = render_html(&report);
        Ok(write_atomic(&out.join("report.html"), |w| w.write_all(html.as_bytes()))?)
    }

    fn classification(&self) -> Classification {
        let results = self.results;
        let by_id: std::collections::BTreeMap<&str, &crate::clips::Clip> =
            self.clips.clips.iter().map(|c| (c.id.as_str(), c)).collect();
        let clips = results.clips.iter().map(|c| {
            let clip = by_id.get(c.id.as_str());
            ClipResult {
                id: c.id.clone(),
                class: c.class,
                predicted: c.predicted,
                scores: c.probabilities.iter().map(|&p| f64::from(p)).collect(),
                fold: c.fold,
                group: clip.and_then(|c| c.group.clone()),
                audio: clip
                    .and_then(|c| std::path::absolute(&c.path).ok())
                    .map(|p| format!("file://{}", p.display())),
            }
        });
        Classification {
            title: format!("Genre recognition: {}", self.record.dataset),
            run: self.description(),
            classes: self.record.classes.clone(),
            clips: clips.collect(),
            histories: Vec::new(),
        }
    }

    fn description(&self) -> RunDescription {
        let (config, record) = (self.config, self.record);
        let chosen = match (config.protocol, config.inner) {
            (Protocol::Published, _) => "on the test folds, as the published system does".to_owned(),
            (Protocol::Nested, 1) => "on a validation part of the training folds".to_owned(),
            (Protocol::Nested, n) => {
                format!("on {n} parts of the training folds in turn, whose networks vote")
            }
        };
        let split = match (&config.splits, record.folds.len(), config.final_fit) {
            (_, _, true) => "everything is learned from; no test fold".to_owned(),
            (Some(_), n, _) => format!("{n} folds of split files"),
            (None, n, _) => format!("{n} stratified folds"),
        };
        let named = self.clips.clips.iter().any(|c| c.group.is_some());
        let apart = if named && self.tested_of_learned_artists() == 0 { ", artists apart" } else { "" };
        RunDescription {
            dataset: record.dataset.clone(),
            split: format!("{split}{apart}"),
            protocol: format!(
                "encoders, epochs and subsets are chosen {chosen}; a clip's score is the mean over its segments"
            ),
            published: None,
            known_leaks: self.leaks(),
            seeds: vec![config.seed],
            versions: vec![
                ("mgr".into(), record.mgr.clone()),
                ("libtorch".into(), record.libtorch.clone()),
                (
                    "Machine".into(),
                    format!("{}, {} thread in a network", record.machine, record.threads_per_network),
                ),
            ],
            fingerprints: std::iter::once(("clips".to_owned(), record.clips.clone()))
                .chain(record.features.iter().map(|f| (format!("feature {}", f.name), f.fingerprint.clone())))
                .collect(),
            command: "mgr run CONFIG --out RUN".into(),
            config: toml::to_string(&record.config).unwrap_or_default(),
        }
    }

    fn leaks(&self) -> Vec<String> {
        let mut leaks = Vec::new();
        if self.config.protocol == Protocol::Published {
            leaks.push(
                "OPTIMISTIC: encoders, epochs and subsets were chosen on the test folds, as in the published system.".into(),
            );
        }
        if !self.results.on_test {
            leaks.push(
                "There is no test fold: these are the clips that subsets were chosen on, so the figures are too high.".into(),
            );
        }
        if self.config.dataset == DatasetKind::Demo {
            leaks.push(
                "The clips are synthetic: they show that everything runs, and say nothing about real music."
                    .into(),
            );
        } else if self.clips.clips.iter().all(|c| c.group.is_none()) {
            leaks.push(
                "Clips of one artist or recording are not kept apart between training and test; if there are such clips, the \
                 figures are too high. Name the artists with groups."
                    .into(),
            );
        }
        let parted = self.tested_of_learned_artists();
        if parted > 0 {
            leaks.push(format!(
                "{parted} test clips are of an artist or album that is learned from too, as the split files have it: the figures may be \
                 too high."
            ));
        }
        let contents: std::collections::BTreeSet<_> = self.clips.clips.iter().map(|c| &c.content).collect();
        if contents.len() < self.clips.clips.len() {
            let copies = self.clips.clips.len() - contents.len();
            leaks.push(format!("{copies} clips are byte-identical copies of others."));
        }
        leaks
    }

    /// Test clips whose artist (or album) is also learned from in the same fold.
    fn tested_of_learned_artists(&self) -> usize {
        let group = |&clip: &usize| self.clips.clips[clip].group.as_deref();
        let shared = |parts: &Parts| {
            let learned: std::collections::BTreeSet<&str> = parts.learn().iter().filter_map(group).collect();
            parts.test.iter().filter_map(group).filter(|name| learned.contains(name)).count()
        };
        self.folds.iter().map(shared).sum()
    }

    fn report(&self, classification: &Classification) -> Result<(Report, Vec<Figure>), PipelineError> {
        let mut report = classification.report()?;
        let mut figures = classification.figures()?;
        let mut headline = self.headline();
        headline.append(&mut report.headline);
        report.headline = headline;
        report.warnings.extend(self.earned());
        if !self.results.skipped.is_empty() {
            report.warnings.extend(self.results.skipped.iter().cloned());
        }
        let section =
            |title: &str, id: &str, blocks| Section { title: title.to_owned(), id: id.to_owned(), blocks };
        let mut own = vec![section("Systems", "systems", vec![self.systems(), self.comparisons()])];
        let ranking = self.ranking()?;
        own.push(section("Subsets of features", "subsets", {
            let mut blocks: Vec<Block> = ranking.iter().cloned().map(Block::Figure).collect();
            blocks.push(self.subsets_table());
            blocks
        }));
        figures.extend(ranking);
        let (curves, scatters) = (self.curves()?, self.scatters()?);
        let pictures = |figures: &[Figure]| figures.iter().cloned().map(Block::Figure).collect::<Vec<_>>();
        let mut tail = Vec::new();
        if !scatters.is_empty() {
            tail.push(section("Fused codes of the test clips", "codes", pictures(&scatters)));
        }
        if !curves.is_empty() {
            tail.push(section("How the encoders learned", "curves", pictures(&curves)));
        }
        tail.push(section("Folds and parts", "parts", vec![self.parts_table()]));
        if let Some(times) = self.times {
            tail.push(section("Time and memory", "times", vec![times_table(times)]));
        }
        tail.push(section("Files", "files", self.files()));
        figures.extend(scatters);
        figures.extend(curves);
        own.append(&mut report.sections);
        // What was run stays at the end.
        let last = own.pop();
        own.append(&mut tail);
        own.extend(last);
        report.sections = own;
        Ok((report, figures))
    }

    fn headline(&self) -> Vec<Headline> {
        let mut headline = Vec::new();
        if let Some(nested) = &self.results.nested {
            headline.push(Headline {
                label: "Chosen on test (optimistic)".into(),
                value: percent(self.results.scores[0].accuracy),
                note: "the published protocol".into(),
            });
            headline.push(Headline {
                label: "Chosen on validation (honest)".into(),
                value: percent(nested.accuracy),
                note: format!("the nested protocol, {} to {}", percent(nested.low), percent(nested.high)),
            });
        }
        headline
    }

    /// Where the meta networks do not earn their place.
    fn earned(&self) -> Option<String> {
        let pair =
            self.results.comparisons.iter().find(|c| c.first == SYSTEMS[META] && c.second == SYSTEMS[SUM])?;
        let (gain, loss) = (pair.test.first_only, pair.test.second_only);
        if gain > loss && pair.test.mid_p < 0.05 {
            return None;
        }
        let meant = match self.config.verdict {
            VerdictRule::Fused => " The verdict is the mean of both.",
            VerdictRule::Meta => " The verdict is theirs all the same, as configured.",
            _ => "",
        };
        Some(format!(
            "The meta networks do not earn their place here: they mend {gain} clips of the sum rule and spoil {loss} (McNemar, mid-p \
             {:.3}).{meant}",
            pair.test.mid_p
        ))
    }

    fn systems(&self) -> Block {
        let row = |s: &Score| {
            let folds: Vec<String> = s.of_folds.iter().map(|a| format!("{:.1}", 100.0 * a)).collect();
            vec![
                s.system.clone(),
                percent(s.accuracy),
                format!("{} – {}", percent(s.low), percent(s.high)),
                percent(s.macro_f1),
                folds.join(", "),
            ]
        };
        Block::Table(Table {
            caption: "All systems on the same clips and folds: the verdict, its parts, and what it must beat"
                .into(),
            columns: vec![
                Column::text("System"),
                Column::number("Accuracy"),
                Column::number("95 % interval"),
                Column::number("Macro F1"),
                Column::text("Folds, %"),
            ],
            rows: self.results.scores.iter().map(row).collect(),
        })
    }

    fn comparisons(&self) -> Block {
        let rows = self.results.comparisons.iter().map(|c| {
            vec![
                c.first.clone(),
                c.second.clone(),
                c.test.first_only.to_string(),
                c.test.second_only.to_string(),
                format!("{:.4}", c.test.mid_p),
            ]
        });
        Block::Table(Table {
            caption: "McNemar's test: clips that only one of two systems has right".into(),
            columns: vec![
                Column::text("First"),
                Column::text("Second"),
                Column::number("Only the first"),
                Column::number("Only the second"),
                Column::number("mid-p"),
            ],
            rows: rows.collect(),
        })
    }

    fn ranking(&self) -> Result<Vec<Figure>, PipelineError> {
        let names: Vec<String> = self.record.features.iter().map(|f| f.name.clone()).collect();
        let names: Vec<String> = names.into_iter().filter(|n| self.config.features.contains(n)).collect();
        let subsets: Vec<SubsetScore> = self
            .results
            .subsets
            .iter()
            .take(20)
            .map(|s| SubsetScore {
                members: s.features.iter().filter_map(|f| names.iter().position(|n| n == f)).collect(),
                mean: s.mean,
                deviation: Some(s.deviation),
            })
            .collect();
        let caption = Caption { name: "subsets", title: "The best subsets, where they are chosen" };
        Ok(vec![subset_figure(caption, "Mean accuracy over folds", &names, &subsets, 20)?])
    }

    fn subsets_table(&self) -> Block {
        let row = |s: &RankedSubset| {
            vec![
                s.features.join(" + "),
                percent(s.mean),
                percent(s.deviation),
                s.test_mean.map_or("–".into(), percent),
            ]
        };
        Block::Table(Table {
            caption: "The best subsets over all folds; each fold takes its own top ones. The last column was not looked at in choosing \
                      under the nested protocol"
                .into(),
            columns: vec![
                Column::text("Features"),
                Column::number("Mean accuracy where chosen"),
                Column::number("Deviation over folds"),
                Column::number("Mean accuracy on test"),
            ],
            rows: self.results.subsets.iter().take(30).map(row).collect(),
        })
    }

    fn curves(&self) -> Result<Vec<Figure>, PipelineError> {
        let mut figures = Vec::new();
        for (feature, histories) in &self.histories {
            let name = format!("learning_{}", crate::encoder::folder_name(feature));
            let title = format!("Learning curves: {feature}");
            figures.push(learning_curve_figure(Caption { name: &name, title: &title }, histories)?);
        }
        Ok(figures)
    }

    fn scatters(&self) -> Result<Vec<Figure>, PipelineError> {
        let mut figures = Vec::new();
        for codes in &self.codes {
            let rows = codes.codes.nrows();
            // t-SNE needs three times as many rows as its perplexity.
            let perplexity = 30.0_f64.min((rows as f64 - 2.0) / 3.0).floor();
            if perplexity < 2.0 || self.record.classes.len() > 35 {
                continue;
            }
            let plan = TsneConfig { perplexity, ..TsneConfig::default() }.plan()?;
            let points = plan.embed(codes.codes.mapv(f64::from).view())?;
            let points: Vec<(f64, f64)> = points.rows().into_iter().map(|r| (r[0], r[1])).collect();
            let (name, title) = (
                format!("tsne_{}", codes.fold),
                format!("Fused codes of the test clips, fold {} (t-SNE)", codes.fold),
            );
            let caption = Caption { name: &name, title: &title };
            figures.push(scatter_figure(caption, &points, &codes.labels, &self.record.classes)?);
        }
        Ok(figures)
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
        let rows = self.folds.iter().enumerate().flat_map(|(number, fold)| {
            let tested = groups(&fold.test);
            fold.splits.iter().enumerate().map(move |(split, s)| {
                vec![format!("{number}.{split}"), groups(&s.train), groups(&s.validation), tested.clone()]
            })
        });
        Block::Table(Table {
            caption: "Clips in each part".into(),
            columns: vec![
                Column::text("Fold and split"),
                Column::number("Training"),
                Column::number("Validation"),
                Column::number("Test"),
            ],
            rows: rows.collect(),
        })
    }

    fn files(&self) -> Vec<Block> {
        let mut files: Vec<Block> = self.clips.notes.iter().map(|n| Block::Paragraph(n.clone())).collect();
        files.push(bad_files_table(&listed(&self.results.bad)));
        for (intro, heading, list) in [
            ("Used in spite of damage that the decoder found:", "Damage", &self.results.damaged),
            ("Used without a feature that could not be computed:", "Why", &self.results.partial),
        ] {
            if !list.is_empty() {
                files.push(Block::Paragraph(intro.into()));
                files.push(Block::Table(Table {
                    caption: format!("{} files", list.len()),
                    columns: vec![Column::text("File"), Column::text(heading)],
                    rows: list.iter().map(|b| vec![b.id.clone(), b.reason.clone()]).collect(),
                }));
            }
        }
        files
    }

    fn write_scores(&self, path: &Path) -> Result<(), PipelineError> {
        Ok(write_atomic(path, |w| {
            writeln!(w, "system,accuracy,low,high,macro_f1")?;
            for Score { system, accuracy, low, high, macro_f1, .. } in &self.results.scores {
                writeln!(w, "\"{system}\",{accuracy:.6},{low:.6},{high:.6},{macro_f1:.6}")?;
            }
            Ok(())
        })?)
    }

    fn write_subsets(&self, path: &Path) -> Result<(), PipelineError> {
        Ok(write_atomic(path, |w| {
            writeln!(w, "rank,features,mean,deviation,test_mean")?;
            for (rank, s) in self.results.subsets.iter().enumerate() {
                let test = s.test_mean.map_or(String::new(), |t| format!("{t:.6}"));
                writeln!(
                    w,
                    "{},\"{}\",{:.6},{:.6},{test}",
                    rank + 1,
                    s.features.join("+"),
                    s.mean,
                    s.deviation
                )?;
            }
            Ok(())
        })?)
    }
}

pub(crate) fn write_predictions(results: &Results, path: &Path) -> Result<(), PipelineError> {
    let clips = &results.clips;
    let ids: Vec<&str> = clips.iter().map(|c| c.id.as_str()).collect();
    let y_true: Vec<usize> = clips.iter().map(|c| c.class).collect();
    let y_pred: Vec<usize> = clips.iter().map(|c| c.predicted).collect();
    let folds: Vec<usize> = clips.iter().map(|c| c.fold).collect();
    let scores = results.probabilities().mapv(|p| p as f32);
    let predictions =
        Predictions { ids: &ids, y_true: &y_true, y_pred: &y_pred, folds: &folds, scores: scores.view() };
    table(path, |w| write_predictions_csv(w, &predictions, &results.classes))
}

fn times_table(times: &Times) -> Block {
    let per_hundred = 100.0 / times.clips.max(1) as f64;
    let rows = times.stages.iter().map(|s| {
        vec![
            s.stage.clone(),
            format!("{:.1}", s.seconds),
            format!("{:.1}", s.seconds * per_hundred),
            s.done.to_string(),
            s.reused.to_string(),
        ]
    });
    let peak = times.peak_mb.map_or(String::new(), |mb| format!("; peak memory {mb:.0} MB"));
    Block::Table(Table {
        caption: format!("{} clips, {} threads{peak}", times.clips, times.threads),
        columns: vec![
            Column::text("Stage"),
            Column::number("Seconds"),
            Column::number("Seconds for 100 clips"),
            Column::number("Pieces of work"),
            Column::number("Found done"),
        ],
        rows: rows.collect(),
    })
}

fn listed(bad: &[crate::BadClip]) -> Vec<BadFile> {
    bad.iter().map(|b| BadFile { path: b.id.clone(), reason: b.reason.clone() }).collect()
}

/// Writes a table in one piece; an error of the table and one of the disk both come out.
pub(crate) fn table(
    path: &Path,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), EvalError>,
) -> Result<(), PipelineError> {
    let mut bytes = Vec::new();
    write(&mut bytes)?;
    Ok(write_atomic(path, |w| w.write_all(&bytes))?)
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
