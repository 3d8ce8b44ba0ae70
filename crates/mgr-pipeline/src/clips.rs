//! The clips of a run: which there are, and where their features lie.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use mgr_data::dataset::{Dataset, Track};
use mgr_data::groups::Groups;
use mgr_data::sources;
use mgr_data::store::{FeatureStore, MappedClip};

use crate::config::{DatasetKind, RunConfig};
use crate::features::{Extracted, Feature};
use crate::progress::Progress;
use crate::{BadClip, PipelineError};

/// One clip that can be used.
#[derive(Debug, Clone)]
pub(crate) struct Clip {
    pub(crate) id: String,
    pub(crate) path: PathBuf,
    pub(crate) class: usize,
    /// SHA-256 of the audio file.
    pub(crate) content: String,
    pub(crate) group: Option<String>,
    /// Segments of each feature; 0 where the clip has not got it.
    pub(crate) segments: Vec<usize>,
}

/// What a configuration's dataset holds.
pub(crate) struct Found {
    pub(crate) dataset: Dataset,
    /// Ids that the dataset names and a run cannot use: without a file, with no genre or with several.
    left_out: BTreeSet<String>,
    /// Artist or album by id, where the dataset names any.
    groups: Option<BTreeMap<String, String>>,
    notes: Vec<String>,
}

/// All clips of a run.
pub(crate) struct Clips {
    pub(crate) dataset: Dataset,
    /// As in [`Found`].
    pub(crate) left_out: BTreeSet<String>,
    pub(crate) clips: Vec<Clip>,
    /// One for each feature.
    pub(crate) stores: Vec<FeatureStore>,
    /// Files without any feature.
    pub(crate) bad: Vec<BadClip>,
    /// Clips without some of the features: the clip, and why.
    pub(crate) partial: Vec<BadClip>,
    pub(crate) damaged: Vec<BadClip>,
    pub(crate) notes: Vec<String>,
    /// Seconds of extraction, and how many features were found in the stores.
    pub(crate) extraction: (f64, usize),
}

impl Clips {
    pub(crate) fn labels(&self) -> Vec<usize> {
        self.clips.iter().map(|c| c.class).collect()
    }

    /// The values of a clip where they lie; none where it has not got the feature.
    pub(crate) fn view(&self, feature: usize, clip: usize) -> Result<Option<MappedClip>, PipelineError> {
        let clip = &self.clips[clip];
        if clip.segments[feature] == 0 {
            return Ok(None);
        }
        match self.stores[feature].view(&clip.content)? {
            Some(found) => Ok(Some(found)),
            None => Err(PipelineError::Run {
                path: self.stores[feature].folder().to_path_buf(),
                reason: format!("the features of {} are gone: start the run again", clip.id),
            }),
        }
    }
}

pub(crate) fn cache(config: &RunConfig) -> Result<PathBuf, PipelineError> {
    config.cache.clone().or_else(mgr_data::cache_folder).ok_or(PipelineError::NoCache)
}

/// The dataset that a configuration names.
pub(crate) fn dataset(
    config: &RunConfig,
    cache: &Path,
    progress: &dyn Progress,
) -> Result<Found, PipelineError> {
    let plain = |dataset| Found { dataset, left_out: BTreeSet::new(), groups: None, notes: Vec::new() };
    match (&config.dataset, &config.root) {
        (DatasetKind::Folder, Some(root)) => Ok(plain(Dataset::folder(root)?)),
        (DatasetKind::Named(name), Some(root)) => named(name, root),
        _ => {
            let corpus = config.corpus();
            let clips = corpus.plan().map_err(mgr_data::DataError::from)?.len();
            let task = progress.begin("corpus", clips);
            let dataset = Dataset::embedded(&corpus, &cache.join("corpus"), &|done| task.at(done, ""));
            task.end();
            Ok(plain(dataset?))
        }
    }
}

/// A dataset of the literature.
fn named(name: &str, root: &Path) -> Result<Found, PipelineError> {
    let source = sources::named(name)
        .ok_or_else(|| PipelineError::config("dataset", name.to_owned(), "a name of the list".to_owned()))?;
    let collection = source.read(root)?;
    let (dataset, count) = collection.dataset(true)?;
    let used: BTreeSet<&str> = dataset.tracks.iter().map(|track| track.id.as_str()).collect();
    let ids = collection.entries.iter().map(|entry| &entry.id);
    let left_out = ids.filter(|id| !used.contains(id.as_str())).cloned().collect();
    let mut notes = collection.notes.clone();
    if count > 0 {
        notes.push(format!(
            "{count} of {} tracks were left out: their files are not there, or they have no genre or several.",
            collection.entries.len()
        ));
    }
    let groups: BTreeMap<String, String> =
        collection.entries.iter().map(|entry| entry.id.clone()).zip(collection.groups()).collect();
    let groups = groups.values().any(|group| !group.starts_with("track:")).then_some(groups);
    Ok(Found { dataset, left_out, groups, notes })
}

/// Finds the clips and computes what of their features is not stored yet.
pub(crate) fn gather(
    config: &RunConfig,
    features: &[Feature],
    progress: &dyn Progress,
) -> Result<Clips, PipelineError> {
    let cache = cache(config)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(config.workers()).build()?;
    let found = pool.install(|| dataset(config, &cache, progress))?;
    let groups = config.groups.as_deref().map(Groups::read).transpose()?;
    let dataset = &found.dataset;
    progress.say(&format!(
        "{}: {} clips, {} genres, {} features",
        dataset.name,
        dataset.tracks.len(),
        dataset.classes.len(),
        features.len()
    ));
    let extracted = pool.install(|| crate::features::extract(&dataset.tracks, features, &cache, progress))?;
    let clips = assemble(found, groups.as_ref(), features, extracted)?;
    progress.say(&format!(
        "features: {} clips, {} of {} features found in the store, {} files cannot be used, {} lack a feature",
        clips.clips.len(),
        clips.extraction.1,
        features.len() * clips.clips.len(),
        clips.bad.len(),
        clips.partial.len()
    ));
    Ok(clips)
}

fn assemble(
    found: Found,
    groups: Option<&Groups>,
    features: &[Feature],
    extracted: Extracted,
) -> Result<Clips, PipelineError> {
    let Extracted { stores, clips: outcomes, seconds } = extracted;
    let Found { dataset, left_out, groups: own_groups, mut notes } = found;
    let group = |track: &Track| match (groups, &own_groups) {
        (Some(table), _) => Some(table.group(track)),
        (None, Some(own)) => own.get(&track.id).cloned(),
        (None, None) => None,
    };
    let (mut clips, mut bad, mut partial, mut damaged) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut reused = 0;
    for (track, outcome) in dataset.tracks.iter().zip(outcomes) {
        reused += outcome.reused;
        let reasons: Vec<(usize, String)> = outcome
            .features
            .iter()
            .enumerate()
            .filter_map(|(i, f)| f.as_ref().err().map(|reason| (i, reason.clone())))
            .collect();
        let (Some(content), true) = (outcome.content, reasons.len() < features.len()) else {
            let reason = reasons.into_iter().next().map_or_else(String::new, |(_, reason)| reason);
            bad.push(BadClip { id: track.id.clone(), reason });
            continue;
        };
        for (_, reason) in reasons {
            partial.push(BadClip { id: track.id.clone(), reason });
        }
        if let Some(reason) = outcome.report.as_ref().and_then(mgr_audio::DecodeReport::damage) {
            damaged.push(BadClip { id: track.id.clone(), reason });
        }
        clips.push(Clip {
            id: track.id.clone(),
            path: track.path.clone(),
            class: track.class,
            content,
            group: group(track),
            segments: outcome.features.iter().map(|f| *f.as_ref().unwrap_or(&0)).collect(),
        });
    }
    for (class, name) in dataset.classes.iter().enumerate() {
        if !clips.iter().any(|c| c.class == class) {
            let of_class: Vec<&str> =
                dataset.tracks.iter().filter(|t| t.class == class).map(|t| t.id.as_str()).collect();
            let first = bad.iter().find(|b| of_class.contains(&b.id.as_str()));
            let reason = first.map_or_else(String::new, |b| b.reason.clone());
            return Err(PipelineError::EmptyClass { class: name.clone(), clips: of_class.len(), reason });
        }
    }
    for (index, feature) in features.iter().enumerate() {
        if clips.iter().all(|c| c.segments[index] == 0) {
            let reason = partial.first().map_or_else(String::new, |b| b.reason.clone());
            return Err(PipelineError::EmptyFeature { name: feature.name.clone(), reason });
        }
    }
    if let Some(groups) = groups {
        let unnamed = groups.unnamed(&dataset).len();
        if unnamed > 0 {
            notes.push(format!("{unnamed} clips are not in the groups table; each is a group of its own."));
        }
    }
    if !dataset.ignored.is_empty() {
        notes.push(format!(
            "{} files were passed over because their extension is no audio format's, such as {}.",
            dataset.ignored.len(),
            dataset.ignored[0]
        ));
    }
    Ok(Clips {
        dataset,
        left_out,
        clips,
        stores,
        bad,
        partial,
        damaged,
        notes,
        extraction: (seconds, reused),
    })
}
