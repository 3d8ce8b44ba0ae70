//! `mgr learn`: classifiers on a table of features.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use mgr_data::splits::SplitDocument;
use mgr_data::table::{ReadOptions, Table};
use mgr_eval::metrics::{ConfusionMatrix, Interval, MacroOver, wilson_interval};
use mgr_eval::split::Fold;
use mgr_learn::{
    Classifier, FoldResult, Grid, Labelled, Learner, LearnerConfig, ModelFile, PipelineConfig, Progress,
    SILENT, ScalerConfig, best, name_column, nested, search,
};
use serde::Serialize;

use crate::outcome::{print, refuse};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The table: .csv, .parquet, .arff or .npz, a row an item.
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// Column of the class. Default: label, genre, class or genre_top.
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// Column of what must stay on one side of a split, such as the artist. Default: group or artist, where there is one.
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Column that names the rows. Default: id, filename, file, path, track or track_id.
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// Columns to leave out.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    ignore: Vec<String>,
    /// A split by row names (JSON, as `mgr data split` writes it). With a validation part, the grid is chosen on it.
    #[arg(long, value_name = "FILE", conflicts_with = "folds")]
    split: Option<PathBuf>,
    /// Stratified folds, groups whole.
    #[arg(long, value_name = "K", default_value_t = 10)]
    folds: usize,
    /// The classifier.
    #[arg(long, value_name = "NAME", value_parser = model, required_unless_present_any = ["all", "load"])]
    model: Option<LearnerConfig>,
    /// Every classifier, sorted by accuracy.
    #[arg(long, conflicts_with_all = ["model", "load", "save"])]
    all: bool,
    /// What is done to the columns first: none, standard, min_max.
    #[arg(long, value_name = "NAME", default_value = "standard", value_parser = scaler)]
    scaler: ScalerConfig,
    /// A setting of the pipeline by its path, such as learner.c=10; repeated for more.
    #[arg(long, value_name = "PATH=VALUE", conflicts_with = "all")]
    set: Vec<String>,
    /// Choose the classifier's usual settings by folds within the training part of every fold.
    #[arg(long)]
    grid: bool,
    /// Candidates drawn at random from the grid, instead of all.
    #[arg(long, value_name = "N", requires = "grid")]
    random: Option<usize>,
    /// Seed of the folds and of learners with chance.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Also fit the whole table and write the model.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Predict the table with a written model instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "grid", "split"])]
    load: Option<PathBuf>,
}

fn model(name: &str) -> Result<LearnerConfig, String> {
    LearnerConfig::of(name).ok_or_else(|| format!("there are: {}", LearnerConfig::NAMES.join(", ")))
}

fn scaler(name: &str) -> Result<ScalerConfig, String> {
    match name {
        "none" => Ok(ScalerConfig::None),
        "standard" => Ok(ScalerConfig::Standard),
        "min_max" => Ok(ScalerConfig::MinMax),
        _ => Err("there are: none, standard, min_max".to_owned()),
    }
}

/// What one classifier did.
#[derive(Serialize)]
struct Report {
    model: &'static str,
    accuracy: f64,
    interval: Interval,
    macro_f1: f64,
    right: u64,
    tested: u64,
    confusion: ConfusionMatrix,
    /// Seconds over all folds; folds run beside each other.
    fit_seconds: f64,
    predict_seconds: f64,
    /// What fits that did not converge say.
    warnings: Vec<String>,
    /// The settings of each fold, where they were chosen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chosen: Vec<LearnerConfig>,
}

#[derive(Serialize)]
struct Document<'a> {
    table: String,
    rows: usize,
    columns: usize,
    classes: &'a [String],
    folds: usize,
    reports: Vec<Report>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    failed: BTreeMap<&'static str, String>,
}

struct Data {
    table: Table,
    classes: Vec<String>,
    labels: Vec<usize>,
    groups: Option<Vec<usize>>,
}

fn numbered(names: &[String]) -> Vec<usize> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    sorted.dedup();
    names.iter().map(|n| sorted.partition_point(|s| *s < n)).collect()
}

fn read(arguments: &Arguments) -> Result<Data, String> {
    let options = ReadOptions {
        id: arguments.id.clone(),
        label: arguments.label.clone(),
        group: arguments.group.clone(),
        ignore: arguments.ignore.clone(),
    };
    let table = Table::read_with(&arguments.table, &options).map_err(|e| e.to_string())?;
    let (classes, labels) = match table.classes() {
        Some(found) => found,
        None if arguments.load.is_some() => (Vec::new(), Vec::new()),
        None => {
            return Err(format!("{}: no column of classes, name it with --label", arguments.table.display()));
        }
    };
    let groups = table.groups().map(numbered);
    Ok(Data { table, classes, labels, groups })
}

fn named(data: &Data, error: mgr_learn::LearnError) -> String {
    name_column(error, data.table.columns()).to_string()
}

fn folds(arguments: &Arguments, data: &Data, labelled: Labelled<'_>) -> Result<Vec<Fold>, String> {
    let Some(path) = &arguments.split else {
        return labelled.folds(arguments.folds, arguments.seed).map_err(|e| named(data, e));
    };
    let document = SplitDocument::read(path).map_err(|e| e.to_string())?;
    let place: BTreeMap<&str, usize> =
        data.table.ids().iter().enumerate().map(|(i, id)| (id.as_str(), i)).collect();
    let part = |ids: &[String]| -> Result<Vec<usize>, String> {
        let mut rows = ids
            .iter()
            .map(|id| {
                let missing = || format!("{}: the table has no row named {id}", path.display());
                place.get(id.as_str()).copied().ok_or_else(missing)
            })
            .collect::<Result<Vec<_>, _>>()?;
        rows.sort_unstable();
        Ok(rows)
    };
    let fold = |f: &mgr_data::splits::NamedFold| {
        Ok(Fold { train: part(&f.train)?, validation: part(&f.validation)?, test: part(&f.test)? })
    };
    document.folds.iter().map(fold).collect()
}

fn report(name: &'static str, data: &Data, results: Vec<FoldResult>, chosen: bool) -> Result<Report, String> {
    let (mut truth, mut predicted, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for (number, fold) in results.iter().enumerate() {
        truth.extend(fold.rows.iter().map(|&i| data.labels[i]));
        predicted.extend(&fold.predicted);
        if let Some(convergence) = fold.convergence.filter(|c| !c.is_converged()) {
            warnings.push(format!("{name}, fold {number}: {convergence}"));
        }
    }
    let confusion =
        ConfusionMatrix::from_labels(&truth, &predicted, data.classes.len()).map_err(|e| e.to_string())?;
    let (right, tested) = (confusion.correct(), confusion.total());
    Ok(Report {
        model: name,
        accuracy: confusion.accuracy(),
        interval: wilson_interval(right, tested, 0.95).map_err(|e| e.to_string())?,
        macro_f1: confusion.macro_average(MacroOver::Present).f1,
        right,
        tested,
        confusion,
        fit_seconds: results.iter().map(|r| r.fit_seconds).sum(),
        predict_seconds: results.iter().map(|r| r.predict_seconds).sum(),
        warnings,
        chosen: if chosen { results.into_iter().map(|r| r.config.learner).collect() } else { Vec::new() },
    })
}

fn pipeline(arguments: &Arguments, learner: &LearnerConfig) -> Result<PipelineConfig, String> {
    let learner = learner.clone().with_seed(arguments.seed);
    let base = PipelineConfig { scaler: arguments.scaler, ..PipelineConfig::scaled(learner) };
    let mut grid = Grid::new(base);
    for setting in &arguments.set {
        let (path, value) =
            setting.split_once('=').ok_or_else(|| format!("--set {setting}: expected PATH=VALUE"))?;
        let value: serde_json::Value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        grid = grid.over(path, [value]);
    }
    let mut candidates = grid.candidates().map_err(|e| e.to_string())?;
    candidates.pop().ok_or_else(|| "no settings".to_owned())
}

fn candidates(arguments: &Arguments, learner: &LearnerConfig) -> Result<Vec<PipelineConfig>, String> {
    let base = pipeline(arguments, learner)?;
    if !arguments.grid {
        return Ok(vec![base]);
    }
    let grid = Grid::usual(base);
    match arguments.random {
        Some(count) => grid.random(count, arguments.seed),
        None => grid.candidates(),
    }
    .map_err(|e| e.to_string())
}

fn percent(report: &Report) -> String {
    let Interval { low, high } = report.interval;
    format!("{:5.1} %  ({:.1} to {:.1} %)", 100.0 * report.accuracy, 100.0 * low, 100.0 * high)
}

fn show(data: &Data, report: &Report) -> Result<(), String> {
    print(format_args!("model      {}", report.model))?;
    print(format_args!("accuracy   {}, {} of {} right", percent(report), report.right, report.tested))?;
    print(format_args!("macro F1   {:5.1} %", 100.0 * report.macro_f1))?;
    print(format_args!("fit        {:.3} s, predict {:.3} s", report.fit_seconds, report.predict_seconds))?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for config in &report.chosen {
        *counts.entry(serde_json::to_string(config).map_err(|e| e.to_string())?).or_default() += 1;
    }
    for (config, folds) in counts {
        print(format_args!("chosen     in {folds} folds: {config}"))?;
    }
    let width = data.classes.iter().map(|c| c.chars().count()).max().unwrap_or(0).max(9);
    let cell = report.confusion.rows().flatten().map(|v| v.to_string().len()).max().unwrap_or(1).max(3);
    print(format_args!("confusion  rows true, columns predicted"))?;
    for (name, row) in data.classes.iter().zip(report.confusion.rows()) {
        let cells: String = row.iter().map(|v| format!(" {v:>cell$}")).collect();
        print(format_args!("{name:<width$} {cells}"))?;
    }
    Ok(())
}

/// Tells the progress of long searches on a terminal.
fn tell(done: usize, total: usize) {
    if total >= 10 {
        eprint!("\r{done} of {total} fits{}", if done == total { "\n" } else { "" });
    }
}

fn evaluate(arguments: &Arguments, data: &Data) -> Result<(), String> {
    let labelled =
        Labelled::new(data.table.values(), &data.labels, data.groups.as_deref(), data.classes.len())
            .map_err(|e| named(data, e))?;
    let folds = folds(arguments, data, labelled)?;
    let progress: Progress<'_> = if std::io::stderr().is_terminal() { &tell } else { SILENT };
    let learners: Vec<LearnerConfig> = match &arguments.model {
        Some(model) => vec![model.clone()],
        None => LearnerConfig::NAMES.iter().filter_map(|n| LearnerConfig::of(n)).collect(),
    };
    let (mut reports, mut failed) = (Vec::new(), BTreeMap::new());
    for learner in &learners {
        let candidates = candidates(arguments, learner)?;
        let found = nested(&candidates, labelled, &folds, 5, arguments.seed, progress)
            .map_err(|e| named(data, e))
            .and_then(|results| report(learner.name(), data, results, arguments.grid));
        match found {
            Ok(report) => reports.push(report),
            // One classifier that cannot be fitted must not hide the others.
            Err(error) if arguments.all => {
                eprintln!("mgr: {}: {error}", learner.name());
                failed.insert(learner.name(), error);
            }
            Err(error) => return Err(error),
        }
    }
    reports.sort_by(|a, b| b.accuracy.total_cmp(&a.accuracy));
    for warning in reports.iter().flat_map(|r| &r.warnings) {
        eprintln!("mgr: warning: {warning}");
    }
    if arguments.json {
        let (rows, columns) = data.table.values().dim();
        let document = Document {
            table: arguments.table.display().to_string(),
            rows,
            columns,
            classes: &data.classes,
            folds: folds.len(),
            reports,
            failed,
        };
        print(serde_json::to_string_pretty(&document).map_err(|e| e.to_string())?)?;
    } else if arguments.all {
        print(format_args!(
            "{:<18} {:<28} {:>8} {:>10} {:>10}",
            "model", "accuracy", "macro F1", "fit s", "predict s"
        ))?;
        for r in &reports {
            let (f1, fit, predict) = (100.0 * r.macro_f1, r.fit_seconds, r.predict_seconds);
            print(format_args!(
                "{:<18} {:<28} {f1:>6.1} % {fit:>10.3} {predict:>10.3}",
                r.model,
                percent(r)
            ))?;
        }
    } else {
        for r in &reports {
            show(data, r)?;
        }
    }
    if let (Some(path), Some(learner)) = (&arguments.save, &arguments.model) {
        let candidates = candidates(arguments, learner)?;
        let chosen = match candidates.as_slice() {
            [only] => only.clone(),
            many => {
                let folds = labelled.folds(5, arguments.seed).map_err(|e| named(data, e))?;
                let scores = search(many, labelled, &folds, progress).map_err(|e| named(data, e))?;
                best(&scores).map_err(|e| e.to_string())?.config.clone()
            }
        };
        let model = chosen
            .plan()
            .and_then(|p| p.fit(data.table.values(), &data.labels, data.classes.len()))
            .map_err(|e| named(data, e))?;
        let file = ModelFile::new(model, data.table.columns().to_vec(), data.classes.clone());
        file.and_then(|f| f.save(path)).map_err(|e| e.to_string())?;
        eprintln!("model of all rows written to {}", path.display());
    }
    Ok(())
}

fn predict(arguments: &Arguments, data: &Data, path: &std::path::Path) -> Result<(), String> {
    let file = ModelFile::load(path).map_err(|e| e.to_string())?;
    let columns: Vec<usize> = file
        .columns()
        .iter()
        .map(|name| {
            let place = data.table.columns().iter().position(|c| c == name);
            place.ok_or_else(|| {
                format!("{}: no column named {name}, which the model needs", arguments.table.display())
            })
        })
        .collect::<Result<_, _>>()?;
    let values = data.table.values().select(ndarray::Axis(1), &columns);
    let predicted =
        file.pipeline().predict(values.view()).map_err(|e| name_column(e, file.columns()).to_string())?;
    let names: Vec<&str> = predicted.iter().map(|&c| file.classes()[c].as_str()).collect();
    let right = data.table.labels().map(|labels| labels.iter().zip(&names).filter(|(l, n)| l == *n).count());
    let total = names.len();
    if arguments.json {
        let rows: BTreeMap<&str, &str> =
            data.table.ids().iter().map(String::as_str).zip(names.iter().copied()).collect();
        let accuracy = right.map(|r| r as f64 / total as f64);
        let document = serde_json::json!({ "predicted": rows, "accuracy": accuracy });
        return print(serde_json::to_string_pretty(&document).map_err(|e| e.to_string())?);
    }
    for (id, name) in data.table.ids().iter().zip(&names) {
        print(format_args!("{id}\t{name}"))?;
    }
    if let Some(right) = right {
        eprintln!("{right} of {total} as labelled ({:.1} %)", 100.0 * right as f64 / total as f64);
    }
    Ok(())
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let done = read(arguments).and_then(|data| match &arguments.load {
        Some(path) => predict(arguments, &data, path),
        None => evaluate(arguments, &data),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(error),
    }
}
