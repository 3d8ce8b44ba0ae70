//! `mgr extract`: features of files, as .npy.

use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use mgr_audio::{LoadConfig, Loader};
use mgr_data::write_atomic;
use mgr_features::feature_set::{Extracted, FeatureSet, FeatureSetConfig};
use mgr_features::{Extractor, FeatureError, Layout};
use ndarray::Array2;
use ndarray_npy::WriteNpyExt;
use rayon::prelude::*;

use crate::feature;
use crate::outcome::{exit_code, files, print, refuse};
use crate::table;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Audio files, or folders to search through.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Folder for the features: one .npy a file, (rows, frames) in f32, under the file's path below the folder given. With --set,
    /// below a folder for each feature.
    #[arg(long, value_name = "DIR", required_unless_present = "table")]
    out: Option<PathBuf>,
    #[command(flatten)]
    table: table::TableChoice,
    #[command(flatten)]
    feature: feature::Choice,
    /// TOML or JSON file with several features by name, such as: [features.timbre] feature = "mfcc". What they have in common is
    /// computed once a file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["feature", "config"])]
    set: Option<PathBuf>,
}

/// A result, with the name that a set gives it.
pub(crate) struct Named {
    pub(crate) set: Option<String>,
    pub(crate) feature: String,
    pub(crate) layout: Layout,
    pub(crate) matrix: Array2<f32>,
}

/// Where a result went, and its shape.
type Written = (PathBuf, (usize, usize));

/// What came of a file: the files written, and its row of the table.
type Done = (Vec<Written>, Option<table::Row>);

/// What is computed of each file.
enum Work {
    One(Box<dyn Extractor>),
    Set(FeatureSet),
}

impl Work {
    /// All results for the samples of a file.
    fn compute(&self, samples: &[f32]) -> Result<Vec<Named>, FeatureError> {
        match self {
            Self::One(extractor) => {
                let (matrix, layout) = (extractor.extract(samples)?, extractor.layout(samples.len())?);
                Ok(vec![Named { set: None, feature: extractor.name().to_owned(), layout, matrix }])
            }
            Self::Set(set) => {
                let named = |e: Extracted| Named {
                    feature: e.name.clone(),
                    set: Some(e.name),
                    layout: e.layout,
                    matrix: e.matrix,
                };
                Ok(set.extract(samples)?.into_iter().map(named).collect())
            }
        }
    }
}

/// The features asked for, and the sampling rate for them.
fn work(arguments: &Arguments) -> Result<(Work, u32), String> {
    let Some(path) = &arguments.set else {
        let (config, rate) = arguments.feature.resolve()?;
        return Ok((Work::One(config.plan(rate).map_err(|e| e.to_string())?), rate));
    };
    let config: FeatureSetConfig = feature::read(path, "set of features")?;
    for name in config.features.keys() {
        let mut parts = Path::new(name).components();
        if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
            return Err(format!("{}: {name:?} cannot be the name of a folder", path.display()));
        }
    }
    let rate = arguments.feature.rate();
    let set = config.plan(rate).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok((Work::Set(set), rate))
}

/// Where the feature of a file goes below the output folder: its path below the folder that was given, or its name.
fn target(roots: &[PathBuf], file: &Path) -> PathBuf {
    let below = roots.iter().filter(|r| r.is_dir()).find_map(|r| file.strip_prefix(r).ok());
    // A path that climbs out of the folder is not below it.
    let below = below.filter(|b| b.components().all(|c| matches!(c, Component::Normal(_))));
    let relative =
        below.map_or_else(|| PathBuf::from(file.file_name().unwrap_or_default()), Path::to_path_buf);
    let mut name = relative.file_name().unwrap_or_default().to_os_string();
    name.push(".npy");
    relative.with_file_name(name)
}

/// Computes and writes what is asked for of one file.
fn one(
    loader: &Loader,
    work: &Work,
    file: &Path,
    arguments: &Arguments,
    target: &Path,
) -> Result<Done, String> {
    let clip = loader.load(file).map_err(|e| e.to_string())?;
    let results = work.compute(&clip.samples).map_err(|e| format!("{}: {e}", file.display()))?;
    if results.iter().any(|r| r.matrix.iter().any(|v| v.is_nan() || *v == f32::INFINITY)) {
        return Err(format!("{}: its samples are so large that the feature overflows", file.display()));
    }
    if let Some(damage) = clip.report.damage() {
        eprintln!("mgr: {}: used in spite of damage: {damage}", file.display());
    }
    let row = arguments.table.row(&results);
    let row = row.map_err(|e| format!("{}: {e}", file.display()))?;
    let mut written = Vec::with_capacity(results.len());
    if let Some(out) = &arguments.out {
        for Named { set, matrix, .. } in results {
            let matrix = matrix.as_standard_layout();
            let path = set.map_or_else(|| out.join(target), |name| out.join(name).join(target));
            write_atomic(&path, |out| matrix.write_npy(out).map_err(std::io::Error::other))
                .map_err(|e| e.to_string())?;
            written.push((path, matrix.dim()));
        }
    }
    Ok((written, row))
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let (work, sample_rate) = match work(arguments) {
        Ok(work) => work,
        Err(error) => return refuse(error),
    };
    if let Err(error) = arguments.table.check() {
        return refuse(error);
    }
    let loader = match (LoadConfig { sample_rate: Some(sample_rate), ..LoadConfig::default() }).plan() {
        Ok(loader) => loader,
        Err(error) => return refuse(error),
    };
    let files = match files(&arguments.paths) {
        Ok(files) => files,
        Err(error) => return refuse(error),
    };
    let targets: Vec<PathBuf> = files.iter().map(|f| target(&arguments.paths, f)).collect();
    let mut seen = std::collections::BTreeMap::new();
    for (file, target) in files.iter().zip(&targets) {
        if let Some(other) = seen.insert(target, file) {
            let (other, file) = (other.display(), file.display());
            let place = arguments.out.as_deref().map_or_else(|| target.clone(), |out| out.join(target));
            return refuse(format!("{other} and {file} would both be written to {}", place.display()));
        }
    }
    let results: Vec<_> =
        files.par_iter().zip(&targets).map(|(f, t)| one(&loader, &work, f, arguments, t)).collect();
    let (mut done, mut failed) = (0, 0);
    let mut rows = Vec::new();
    for (result, target) in results.into_iter().zip(&targets) {
        match result {
            Ok((written, row)) => {
                done += 1;
                for (path, (rows, frames)) in &written {
                    if let Err(error) = print(format_args!("{}  {rows} x {frames}", path.display())) {
                        return refuse(error);
                    }
                }
                rows.extend(row.map(|row| (target.with_extension(""), row)));
            }
            Err(error) => {
                failed += 1;
                eprintln!("mgr: {error}");
            }
        }
    }
    if let Err(error) = arguments.table.write(rows) {
        return refuse(error);
    }
    exit_code(done, failed)
}
