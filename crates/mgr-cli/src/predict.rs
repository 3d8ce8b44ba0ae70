//! `mgr predict`: the genre of files, by a finished run.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use mgr_data::folder::readable;
use mgr_pipeline::predict::{Prediction, Predictor};
use serde::Serialize;

use crate::outcome::{exit_code, files, print, refuse};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Audio files, or folders to search through.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Folder of a finished run. Default: the one that `mgr run --install` made.
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    json: bool,
}

/// The document of `--json`.
#[derive(Serialize)]
struct Document<'a> {
    run: String,
    classes: &'a [String],
    files: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    path: String,
    genre: Option<&'a str>,
    probabilities: Option<BTreeMap<&'a str, f32>>,
    error: Option<String>,
}

fn entry<'a>(classes: &'a [String], path: &Path, prediction: &Result<Prediction, String>) -> Entry<'a> {
    let path = shown(path);
    match prediction {
        Ok(Prediction { class, probabilities, .. }) => Entry {
            path,
            genre: Some(&classes[*class]),
            probabilities: Some(
                classes.iter().map(String::as_str).zip(probabilities.iter().copied()).collect(),
            ),
            error: None,
        },
        Err(error) => Entry { path, genre: None, probabilities: None, error: Some(error.clone()) },
    }
}

/// A line for people: the file, the genre, its probability and the next best ones.
fn line(classes: &[String], width: usize, path: &Path, prediction: &Prediction) -> String {
    let mut order: Vec<usize> = (0..classes.len()).collect();
    order.sort_by(|&a, &b| prediction.probabilities[b].total_cmp(&prediction.probabilities[a]));
    let named: Vec<String> = order
        .iter()
        .take(3)
        .map(|&c| format!("{} {:.0} %", classes[c], 100.0 * prediction.probabilities[c]))
        .collect();
    format!("{:<width$}  {:<12}  {}", shown(path), classes[prediction.class], named.join(", "))
}

/// The run that is asked.
fn folder(arguments: &Arguments) -> Result<PathBuf, String> {
    if let Some(run) = &arguments.run {
        return Ok(run.clone());
    }
    crate::run::installed().filter(|run| run.join("run.json").exists()).ok_or_else(|| {
        "no run is installed: name one with --run RUN, or train a genre head on musicnn's embedding with \
         `mgr weights fetch musicnn` and `mgr run configs/musicnn-head.toml --dataset MUSIC --final --install` (MUSIC holds \
         genre/file.ext)"
            .to_owned()
    })
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let run = match folder(arguments) {
        Ok(run) => run,
        Err(error) => return refuse(error),
    };
    let predictor = match Predictor::load(&run) {
        Ok(predictor) => predictor,
        Err(error) => return refuse(error),
    };
    let files = match files(&arguments.paths) {
        Ok(files) => files,
        Err(error) => return refuse(error),
    };
    match answer(arguments, &run, &predictor, &files) {
        Ok((done, failed)) => exit_code(done, failed),
        Err(error) => refuse(error),
    }
}

/// Predicts and prints; how many files were done, and how many failed.
fn answer(
    arguments: &Arguments,
    run: &Path,
    predictor: &Predictor,
    files: &[PathBuf],
) -> Result<(usize, usize), String> {
    let classes = predictor.classes();
    let width = files.iter().map(|f| shown(f).chars().count()).max().unwrap_or(0);
    if !arguments.json && std::io::stdout().is_terminal() {
        print(format_args!("{:<width$}  {:<12}  most probable", "file", "genre"))?;
    }
    let mut entries = Vec::new();
    let (mut done, mut failed) = (0, 0);
    for file in files {
        let prediction = predictor.predict(file).map_err(|e| e.to_string());
        match &prediction {
            Ok(prediction) => {
                done += 1;
                for reason in &prediction.missing {
                    eprintln!("mgr: without a feature: {reason}");
                }
                if !arguments.json {
                    print(line(classes, width, file, prediction))?;
                }
            }
            Err(error) => {
                failed += 1;
                eprintln!("mgr: {error}");
            }
        }
        if arguments.json {
            entries.push(entry(classes, file, &prediction));
        }
    }
    if arguments.json {
        let document = Document { run: shown(run), classes, files: entries };
        print(serde_json::to_string_pretty(&document).map_err(|e| e.to_string())?)?;
    }
    Ok((done, failed))
}

/// A path as text: as it is, or with bytes that are not UTF-8 escaped so that no two paths look alike.
fn shown(path: &Path) -> String {
    path.to_str().map_or_else(|| readable(path.as_os_str()), str::to_owned)
}
