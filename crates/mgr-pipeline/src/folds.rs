//! Which clips train, choose and test in each fold.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use mgr_data::dataset::{Dataset, Track};
use mgr_data::split_file;
use mgr_data::splits::{NamedFold, SplitDocument};
use mgr_eval::EvalError;
use mgr_eval::split::{Fold, StratifiedGroupKFold, StratifiedKFold, check_groups, check_split};
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::clips::Clips;
use crate::config::{Protocol, RunConfig};

/// A training part and the part that things are chosen on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Split {
    pub(crate) train: Vec<usize>,
    pub(crate) validation: Vec<usize>,
}

/// A fold: one or more ways to part what may be learned from, and the test part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parts {
    pub(crate) splits: Vec<Split>,
    pub(crate) test: Vec<usize>,
}

impl Parts {
    /// Everything that may be learned from, in order.
    pub(crate) fn learn(&self) -> Vec<usize> {
        let Some(first) = self.splits.first() else { return Vec::new() };
        let mut all: Vec<usize> = first.train.iter().chain(&first.validation).copied().collect();
        all.retain(|i| self.test.binary_search(i).is_err());
        all.sort_unstable();
        all
    }
}

/// The folds of a run over the clips that can be used.
pub(crate) fn folds(config: &RunConfig, clips: &Clips) -> Result<Vec<Parts>, PipelineError> {
    let outer = if config.final_fit {
        vec![Fold { train: (0..clips.clips.len()).collect(), validation: Vec::new(), test: Vec::new() }]
    } else {
        match &config.splits {
            Some(path) => from_files(clips, path)?,
            None => made(config, clips)?,
        }
    };
    let groups = groups(clips);
    if !config.final_fit {
        check_split(&outer, clips.clips.len())?;
        // A dataset's own artists do not overrule the split of its authors; the report tells where it parts them.
        let asked = config.groups.is_some() || config.splits.is_none();
        if let Some(groups) = groups.as_ref().filter(|_| asked) {
            check_groups(&outer, groups).map_err(|e| PipelineError::Folds { reason: e.to_string() })?;
        }
    }
    let mut parts = Vec::with_capacity(outer.len());
    for (number, fold) in outer.into_iter().enumerate() {
        let mut learn: Vec<usize> = fold.train.iter().chain(&fold.validation).copied().collect();
        learn.sort_unstable();
        let mut test = fold.test;
        test.sort_unstable();
        let splits = match config.protocol {
            // The validation part of an official split is what others chose on.
            Protocol::Nested if !fold.validation.is_empty() => {
                vec![Split { train: fold.train, validation: fold.validation }]
            }
            Protocol::Nested => inner(config, clips, &learn, groups.as_deref(), number)?,
            Protocol::Published => vec![Split { train: learn, validation: test.clone() }],
        };
        for (what, empty) in [
            ("training", splits.iter().any(|s| s.train.is_empty())),
            ("validation", splits.is_empty() || splits.iter().any(|s| s.validation.is_empty())),
            ("test", test.is_empty() && !config.final_fit),
        ] {
            if empty {
                let advice = if what == "validation" {
                    ": every class needs two artists, or two clips where no artists are named, outside the test part"
                } else {
                    ""
                };
                let reason = format!("fold {number} has no {what} clip{advice}");
                return Err(PipelineError::Folds { reason });
            }
        }
        parts.push(Parts { splits, test });
    }
    Ok(parts)
}

/// Parts what may be learned from, `inner` times or once. A class of too few clips or artists for as many parts lowers their number.
fn inner(
    config: &RunConfig,
    clips: &Clips,
    learn: &[usize],
    groups: Option<&[&str]>,
    number: usize,
) -> Result<Vec<Split>, PipelineError> {
    let labels: Vec<usize> = learn.iter().map(|&i| clips.clips[i].class).collect();
    let own: Option<Vec<&str>> = groups.map(|g| learn.iter().map(|&i| g[i]).collect());
    let seed = config.seed.wrapping_mul(1000).wrapping_add(number as u64);
    let back = |part: &[usize]| {
        let mut part: Vec<usize> = part.iter().map(|&i| learn[i]).collect();
        part.sort_unstable();
        part
    };
    let parts =
        if config.inner == 1 { (1.0 / config.validation).round().max(2.0) as usize } else { config.inner };
    // The smallest class of single clips bounds the number of parts.
    let smallest = (0..clips.dataset.classes.len())
        .map(|class| labels.iter().filter(|&&l| l == class).count())
        .filter(|&count| count > 0)
        .min()
        .unwrap_or(0);
    let parts = if own.is_none() { parts.min(smallest.max(2)) } else { parts.min(labels.len()) };
    let made = match &own {
        Some(groups) => StratifiedGroupKFold { folds: parts, seed, validation_fraction: 0.0 }
            .split_uneven(&labels, groups),
        None => StratifiedKFold { folds: parts, seed, validation_fraction: 0.0 }.split(&labels),
    };
    let made = made.map_err(|error| named(error, &clips.dataset))?;
    // Parts in which nothing can be chosen fall away.
    let splits = made.iter().filter(|f| !f.test.is_empty());
    let splits = splits.map(|f| Split { train: back(&f.train), validation: back(&f.test) });
    Ok(if config.inner == 1 { splits.take(1).collect() } else { splits.collect() })
}

fn groups(clips: &Clips) -> Option<Vec<&str>> {
    clips.clips.iter().map(|c| c.group.as_deref()).collect()
}

fn made(config: &RunConfig, clips: &Clips) -> Result<Vec<Fold>, PipelineError> {
    let (labels, seed, validation_fraction) = (clips.labels(), config.seed, 0.0);
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

/// Folds from split files, over the clips that can be used.
fn from_files(clips: &Clips, path: &Path) -> Result<Vec<Fold>, PipelineError> {
    let usable: HashMap<&str, usize> =
        clips.clips.iter().enumerate().map(|(index, clip)| (clip.id.as_str(), index)).collect();
    // Files that cannot be used are in the split files too; they drop out here.
    let folds: Vec<Fold> = if path.is_file() {
        let document = SplitDocument::read(path)?;
        let tracks = clips.dataset.tracks.iter().map(|track| track.id.as_str());
        let known: HashSet<&str> = tracks.chain(clips.left_out.iter().map(String::as_str)).collect();
        let part = |ids: &[String]| -> Result<Vec<usize>, PipelineError> {
            if let Some(id) = ids.iter().find(|id| !known.contains(id.as_str())) {
                let reason = format!("{}: the dataset has no {id}", path.display());
                return Err(PipelineError::Folds { reason });
            }
            Ok(ascending(ids.iter().filter_map(|id| usable.get(id.as_str()).copied())))
        };
        let fold = |fold: &NamedFold| {
            Ok(Fold {
                train: part(&fold.train)?,
                validation: part(&fold.validation)?,
                test: part(&fold.test)?,
            })
        };
        document.folds.iter().map(fold).collect::<Result<_, PipelineError>>()?
    } else {
        let tracks: &[Track] = &clips.dataset.tracks;
        let part = |part: &[usize]| {
            ascending(part.iter().filter_map(|&track| usable.get(tracks[track].id.as_str()).copied()))
        };
        let folds = split_file::read(path, &clips.dataset)?;
        let fold =
            |fold: &Fold| Fold { train: part(&fold.train), validation: Vec::new(), test: part(&fold.test) };
        folds.iter().map(fold).collect()
    };
    for fold in &folds {
        let mut seen = vec![false; clips.dataset.classes.len()];
        fold.train.iter().for_each(|&i| seen[clips.clips[i].class] = true);
        if let Some(class) = seen.iter().position(|s| !s) {
            let error = EvalError::ClassNotInTraining { class, fold: 0 };
            return Err(named(error, &clips.dataset));
        }
    }
    Ok(folds)
}

fn ascending(indices: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut indices: Vec<usize> = indices.collect();
    indices.sort_unstable();
    indices
}
