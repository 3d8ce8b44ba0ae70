//! `mgr extract`: features of files, as .npy.

use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use mgr_audio::{LoadConfig, Loader};
use mgr_data::write_atomic;
use mgr_features::Extractor;
use ndarray_npy::WriteNpyExt;
use rayon::prelude::*;

use crate::feature;
use crate::outcome::{exit_code, files, print, refuse};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Audio files, or folders to search through.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Folder for the features: one .npy a file, (rows, frames) in f32, under the file's path below the folder given.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    feature: feature::Choice,
}

/// Where the feature of a file goes: its path below the folder that was given, or its name.
fn target(out: &Path, roots: &[PathBuf], file: &Path) -> PathBuf {
    let below = roots.iter().filter(|r| r.is_dir()).find_map(|r| file.strip_prefix(r).ok());
    // A path that climbs out of the folder is not below it.
    let below = below.filter(|b| b.components().all(|c| matches!(c, Component::Normal(_))));
    let relative =
        below.map_or_else(|| PathBuf::from(file.file_name().unwrap_or_default()), Path::to_path_buf);
    let mut name = relative.file_name().unwrap_or_default().to_os_string();
    name.push(".npy");
    out.join(relative).with_file_name(name)
}

fn one(
    loader: &Loader,
    extractor: &dyn Extractor,
    file: &Path,
    target: &Path,
) -> Result<(usize, usize), String> {
    let clip = loader.load(file).map_err(|e| e.to_string())?;
    let matrix = extractor.extract(&clip.samples).map_err(|e| format!("{}: {e}", file.display()))?;
    if matrix.iter().any(|v| v.is_nan() || *v == f32::INFINITY) {
        return Err(format!("{}: its samples are so large that the feature overflows", file.display()));
    }
    if let Some(damage) = clip.report.damage() {
        eprintln!("mgr: {}: used in spite of damage: {damage}", file.display());
    }
    let matrix = matrix.as_standard_layout();
    write_atomic(target, |out| matrix.write_npy(out).map_err(std::io::Error::other))
        .map_err(|e| e.to_string())?;
    Ok(matrix.dim())
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let (config, sample_rate) = match arguments.feature.resolve() {
        Ok(feature) => feature,
        Err(error) => return refuse(error),
    };
    let extractor = match config.plan(sample_rate) {
        Ok(extractor) => extractor,
        Err(error) => return refuse(error),
    };
    let loader = match (LoadConfig { sample_rate: Some(sample_rate), ..LoadConfig::default() }).plan() {
        Ok(loader) => loader,
        Err(error) => return refuse(error),
    };
    let files = match files(&arguments.paths) {
        Ok(files) => files,
        Err(error) => return refuse(error),
    };
    let targets: Vec<PathBuf> = files.iter().map(|f| target(&arguments.out, &arguments.paths, f)).collect();
    let mut seen = std::collections::BTreeMap::new();
    for (file, target) in files.iter().zip(&targets) {
        if let Some(other) = seen.insert(target, file) {
            let (other, file) = (other.display(), file.display());
            return refuse(format!("{other} and {file} would both be written to {}", target.display()));
        }
    }
    let results: Vec<_> =
        files.par_iter().zip(&targets).map(|(f, t)| one(&loader, extractor.as_ref(), f, t)).collect();
    let (mut done, mut failed) = (0, 0);
    for (result, target) in results.iter().zip(&targets) {
        match result {
            Ok((rows, frames)) => {
                done += 1;
                if let Err(error) = print(format_args!("{}  {rows} x {frames}", target.display())) {
                    return refuse(error);
                }
            }
            Err(error) => {
                failed += 1;
                eprintln!("mgr: {error}");
            }
        }
    }
    exit_code(done, failed)
}
