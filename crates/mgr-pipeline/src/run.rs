//! The main job from end to end.

use std::path::PathBuf;

use crate::baseline::baselines;
use crate::clips::gather;
use crate::config::RunConfig;
use crate::encoder::Encoders;
use crate::folds::folds;
use crate::progress::Progress;
use crate::record::RunRecord;
use crate::report::Material;
use crate::results::Results;
use crate::{PipelineError, predict};

/// A finished run.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// The page.
    pub report: PathBuf,
    /// The numbers.
    pub results: Results,
}

/// Runs the main job, or goes on with it where it was stopped.
///
/// Writes below `config.out`: `run.json` (what the run is), `folds/N/` (checkpoints, network, history, result),
/// `results.json`, `predictions.csv`, `confusion.csv`, `scores.csv`, `splits/`, `figures/` and `report.html`. None of them
/// holds a time, so a run that was killed and gone on with has the same bytes as an unbroken one.
///
/// # Errors
/// [`PipelineError`]; what was computed stays, and the same call goes on from there.
pub fn run(config: &RunConfig, progress: &dyn Progress) -> Result<Finished, PipelineError> {
    config.check()?;
    let front_end_config = config.front_end();
    let front_end = front_end_config.plan()?;
    crate::encoder::check_input(&front_end)?;
    let clips = gather(config, &front_end, progress)?;
    let folds = folds(config, &clips)?;
    let record = RunRecord::new(config, &clips, &front_end_config, front_end.fingerprint(), &folds)?;
    record.claim(config)?;

    let encoders = Encoders {
        config,
        classes: &record.classes,
        clips: &clips.clips,
        fingerprint: &record.fingerprint()?,
        progress,
    };
    progress.say(&format!(
        "training: {} folds, {} epochs each (stop it whenever you like: the same command goes on from the last epoch)",
        folds.len(),
        config.epochs
    ));
    let encoded = encoders.run(&folds)?;
    let baselines = baselines(&clips.clips, record.classes.len(), &folds)?;
    let (results, matrices) = Results::new(&record, &clips, &encoded, &baselines)?;
    let material = Material {
        config,
        record: &record,
        clips: &clips,
        folds: &folds,
        encoders: &encoded,
        results: &results,
        matrices: &matrices,
    };
    material.write()?;
    predict::check_finished(&config.out)?;
    Ok(Finished { report: config.out.join("report.html"), results })
}
