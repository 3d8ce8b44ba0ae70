//! The clips of a run: which there are, and their features.

use std::path::PathBuf;

use mgr_data::dataset::Dataset;
use mgr_data::extract::{Extraction, extract};
use mgr_data::front_end::FrontEnd;
use mgr_data::groups::Groups;
use mgr_data::store::FeatureStore;
use ndarray::Array3;

use crate::config::{DatasetKind, RunConfig};
use crate::progress::Progress;
use crate::{BadClip, PipelineError};

/// One clip that can be used.
#[derive(Debug, Clone)]
pub(crate) struct Clip {
    pub(crate) id: String,
    pub(crate) class: usize,
    /// SHA-256 of the audio file.
    pub(crate) content: String,
    pub(crate) group: Option<String>,
    /// (segments, rows, frames)
    pub(crate) features: Array3<f32>,
}

/// All clips of a run.
#[derive(Debug)]
pub(crate) struct Clips {
    pub(crate) dataset: Dataset,
    pub(crate) clips: Vec<Clip>,
    pub(crate) bad: Vec<BadClip>,
    pub(crate) damaged: Vec<BadClip>,
    pub(crate) notes: Vec<String>,
}

impl Clips {
    pub(crate) fn labels(&self) -> Vec<usize> {
        self.clips.iter().map(|c| c.class).collect()
    }
}

fn cache(config: &RunConfig) -> Result<PathBuf, PipelineError> {
    config.cache.clone().or_else(mgr_data::cache_folder).ok_or(PipelineError::NoCache)
}

/// Finds the clips and computes what of their features is not stored yet.
pub(crate) fn gather(
    config: &RunConfig,
    front_end: &FrontEnd,
    progress: &dyn Progress,
) -> Result<Clips, PipelineError> {
    let cache = cache(config)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(config.workers()).build()?;
    let dataset = pool.install(|| dataset(config, &cache, progress))?;
    let groups = config.groups.as_deref().map(Groups::read).transpose()?;
    progress.say(&format!(
        "{}: {} clips, {} genres",
        dataset.name,
        dataset.tracks.len(),
        dataset.classes.len()
    ));

    let store = FeatureStore::open(&cache.join("features"), front_end)?;
    let task = progress.begin("features", dataset.tracks.len());
    let extraction = pool.install(|| extract(&dataset.tracks, front_end, &store, &|done| task.at(done, "")));
    task.end();
    let extraction = extraction?;
    progress.say(&format!(
        "features: {} clips, {} of them found in the store, {} files cannot be used",
        extraction.clips.len(),
        extraction.reused,
        extraction.failed.len()
    ));
    assemble(dataset, groups.as_ref(), &extraction, &store)
}

fn dataset(
    config: &RunConfig,
    cache: &std::path::Path,
    progress: &dyn Progress,
) -> Result<Dataset, PipelineError> {
    match (&config.dataset, &config.root) {
        (DatasetKind::Folder, Some(root)) => Ok(Dataset::folder(root)?),
        _ => {
            let corpus = config.corpus();
            let clips = corpus.plan().map_err(mgr_data::DataError::from)?.len();
            let task = progress.begin("corpus", clips);
            let dataset = Dataset::embedded(&corpus, &cache.join("corpus"), &|done| task.at(done, ""));
            task.end();
            Ok(dataset?)
        }
    }
}

fn assemble(
    dataset: Dataset,
    groups: Option<&Groups>,
    extraction: &Extraction,
    store: &FeatureStore,
) -> Result<Clips, PipelineError> {
    let bad: Vec<BadClip> = extraction
        .failed
        .iter()
        .map(|f| BadClip { id: dataset.tracks[f.track].id.clone(), reason: f.reason.clone() })
        .collect();
    let mut clips = Vec::with_capacity(extraction.clips.len());
    let mut damaged = Vec::new();
    for stored in &extraction.clips {
        let track = &dataset.tracks[stored.track];
        let Some(features) = store.get(&stored.content)? else {
            let path = store.folder().to_path_buf();
            return Err(PipelineError::Run {
                path,
                reason: format!("the features of {} are gone", track.id),
            });
        };
        if let Some(reason) = stored.report.damage() {
            damaged.push(BadClip { id: track.id.clone(), reason });
        }
        clips.push(Clip {
            id: track.id.clone(),
            class: track.class,
            content: stored.content.clone(),
            group: groups.map(|g| g.group(track)),
            features: features.segments,
        });
    }
    for (class, name) in dataset.classes.iter().enumerate() {
        if !clips.iter().any(|c| c.class == class) {
            let failed = extraction.failed.iter().filter(|f| dataset.tracks[f.track].class == class);
            let reason = failed.clone().next().map_or_else(String::new, |f| f.reason.clone());
            return Err(PipelineError::EmptyClass { class: name.clone(), clips: failed.count(), reason });
        }
    }
    let mut notes = Vec::new();
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
    Ok(Clips { dataset, clips, bad, damaged, notes })
}
