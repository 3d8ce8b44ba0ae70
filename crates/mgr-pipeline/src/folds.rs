//! Which clips train, choose and test in each fold.

use mgr_data::dataset::{Dataset, Track};
use mgr_data::split_file;
use mgr_eval::EvalError;
use mgr_eval::split::{
    Fold, StratifiedGroupKFold, StratifiedKFold, check_groups, check_split, take_validation,
    take_validation_groups,
};

use crate::PipelineError;
use crate::clips::Clips;
use crate::config::RunConfig;

/// The folds of a run over the clips that can be used.
pub(crate) fn folds(config: &RunConfig, clips: &Clips) -> Result<Vec<Fold>, PipelineError> {
    let folds = match &config.splits {
        Some(folder) => from_files(config, clips, folder)?,
        None => made(config, clips)?,
    };
    check_split(&folds, clips.clips.len())?;
    if let Some(groups) = groups(clips) {
        check_groups(&folds, &groups).map_err(|e| PipelineError::Folds { reason: e.to_string() })?;
    }
    for (number, fold) in folds.iter().enumerate() {
        for (part, indices) in
            [("training", &fold.train), ("validation", &fold.validation), ("test", &fold.test)]
        {
            if indices.is_empty() {
                return Err(PipelineError::Folds { reason: format!("fold {number} has no {part} clip") });
            }
        }
    }
    Ok(folds)
}

fn groups(clips: &Clips) -> Option<Vec<&str>> {
    clips.clips.iter().map(|c| c.group.as_deref()).collect()
}

fn made(config: &RunConfig, clips: &Clips) -> Result<Vec<Fold>, PipelineError> {
    let (labels, seed, validation_fraction) = (clips.labels(), config.seed, config.validation);
    let made = match groups(clips) {
        Some(groups) => {
            StratifiedGroupKFold { folds: config.folds, seed, validation_fraction }.split(&labels, &groups)
        }
        None => StratifiedKFold { folds: config.folds, seed, validation_fraction }.split(&labels),
    };
    made.map_err(|error| named(error, &clips.dataset))
}

/// The same, with the class by its name.
fn named(error: EvalError, dataset: &Dataset) -> PipelineError {
    let name = |class: usize| dataset.classes.get(class).map_or("?", String::as_str);
    let most = |largest: usize| match largest {
        0 | 1 => "no number of folds works".to_owned(),
        n => format!("at most --folds {n} works"),
    };
    let reason = match &error {
        EvalError::TooFewClips { class, clips, folds, largest } => {
            format!(
                "class {} has {clips} clips that can be used, {folds} folds were asked for; {}",
                name(*class),
                most(*largest)
            )
        }
        EvalError::TooFewGroups { class, groups, folds, largest } => {
            format!(
                "class {} has {groups} groups (artists), {folds} folds were asked for; {}",
                name(*class),
                most(*largest)
            )
        }
        EvalError::ClassNotInTraining { class, fold } => {
            format!("class {} has no clip left to train on in fold {fold}", name(*class))
        }
        EvalError::OneClass { class } => {
            format!(
                "all clips that can be used are of the class {}, at least two classes are needed",
                name(*class)
            )
        }
        other => other.to_string(),
    };
    PipelineError::Folds { reason }
}

/// Folds from split files, over the clips that can be used, with a validation part taken from each training part.
fn from_files(
    config: &RunConfig,
    clips: &Clips,
    folder: &std::path::Path,
) -> Result<Vec<Fold>, PipelineError> {
    let tracks: &[Track] = &clips.dataset.tracks;
    // Files that cannot be used are in the split files too; they drop out here.
    let usable: Vec<Option<usize>> =
        tracks.iter().map(|t| clips.clips.iter().position(|c| c.id == t.id)).collect();
    let keep = |part: &[usize]| part.iter().filter_map(|&i| usable[i]).collect::<Vec<_>>();
    let mut folds: Vec<Fold> = split_file::read(folder, &clips.dataset)?
        .iter()
        .map(|fold| Fold { train: keep(&fold.train), validation: Vec::new(), test: keep(&fold.test) })
        .collect();
    let labels = clips.labels();
    let taken = match groups(clips) {
        Some(groups) => take_validation_groups(&mut folds, &labels, &groups, config.validation, config.seed),
        None => take_validation(&mut folds, &labels, config.validation, config.seed),
    };
    taken.map_err(|error| named(error, &clips.dataset))?;
    Ok(folds)
}
