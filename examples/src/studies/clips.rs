//! The clips of a study: which there are, who made them, what is computed of each, how they are split.

use std::path::{Path, PathBuf};

use mgr_audio::LoadConfig;
use mgr_data::corpus::CorpusConfig;
use mgr_data::dataset::{Dataset, Track};
use mgr_data::extract::{FailedClip, map_clips};
use mgr_data::groups::Groups;
use mgr_data::sources::{self, Collection, Entry};
use mgr_data::splits::{Protocol, SplitDocument};
use mgr_data::{DataError, cache_folder};
use mgr_eval::report::BadFile;
use mgr_eval::split::Fold;

use super::flags::{Failure, advise};

/// Where the clips of a study come from.
#[derive(Debug, Clone, clap::Args)]
pub struct Place {
    /// Folder of genre/file.ext; without it the embedded synthetic corpus, which says nothing of real music.
    #[arg(long, value_name = "DIR", alias = "dataset_path_in", alias = "data_dir")]
    pub root: Option<PathBuf>,
    /// CSV with the columns `track` (file name without extension) and `artist`: no artist is in two parts of the split.
    #[arg(long, value_name = "CSV")]
    pub groups: Option<PathBuf>,
    /// Only these genres, separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub genres: Vec<String>,
    /// At most so many clips of each genre, the first by name.
    #[arg(long, value_name = "N")]
    pub clips_per_genre: Option<usize>,
    /// Folder for the embedded corpus [default: the user's cache folder].
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
}

impl Place {
    /// The clips, read as the dataset `source` (`folder`, `gtzan8`, ...), with their artists where a table names them.
    ///
    /// # Errors
    /// A sentence for a folder that is not there or is no such dataset, a genre that it has not, a table that cannot be read.
    pub fn collection(&self, source: &str) -> Result<Collection, Failure> {
        let mut collection = match &self.root {
            Some(root) => {
                let source = sources::named(source).ok_or("no such kind of dataset")?;
                let advice = "name a folder with one subfolder of audio files for each genre with --root";
                source.read(root).map_err(advise(advice))?
            }
            None => embedded(self.cache.clone())?,
        };
        if !self.genres.is_empty() {
            keep_genres(&mut collection, &self.genres)?;
        }
        if let Some(most) = self.clips_per_genre {
            let mut kept = vec![0; collection.labels.len()];
            collection.entries.retain(|entry| {
                let Some(count) = entry.labels.first().and_then(|label| kept.get_mut(*label)) else {
                    return false;
                };
                *count += 1;
                *count <= most
            });
        }
        if let Some(path) = &self.groups {
            let advice = "give --groups a CSV with the columns track and artist";
            let groups = Groups::read(path).map_err(advise(advice))?;
            let mut named = 0;
            for entry in &mut collection.entries {
                let group = groups.group(&track_of(entry));
                entry.artist = group.strip_prefix("artist:").map(str::to_owned);
                named += usize::from(entry.artist.is_some());
            }
            if named == 0 {
                let path = path.display();
                return Err(format!(
                    "{path} names the artist of none of the clips: its column track must hold their file names without extension"
                )
                .into());
            }
        }
        Ok(collection)
    }
}

fn track_of(entry: &Entry) -> Track {
    Track {
        id: entry.id.clone(),
        path: entry.path.clone(),
        class: entry.labels.first().copied().unwrap_or(0),
    }
}

fn embedded(cache: Option<PathBuf>) -> Result<Collection, Failure> {
    let cache = cache.or_else(cache_folder).ok_or("no cache folder is known: name one with --cache")?;
    eprintln!("the embedded synthetic corpus (name your own folder with --root)");
    let dataset = Dataset::embedded(&CorpusConfig::default(), &cache.join("corpus"), &|_| ())?;
    let entry = |track: &Track| Entry {
        id: track.id.clone(),
        path: track.path.clone(),
        labels: vec![track.class],
        ..Entry::default()
    };
    Ok(Collection {
        name: dataset.name.clone(),
        labels: dataset.classes.clone(),
        entries: dataset.tracks.iter().map(entry).collect(),
        notes: vec!["The clips are synthetic: they show that everything runs, no more.".to_owned()],
    })
}

/// Leaves out all genres but these.
///
/// # Errors
/// A sentence for a genre that the collection has not, and for fewer than two.
pub fn keep_genres(collection: &mut Collection, genres: &[String]) -> Result<(), Failure> {
    let mut kept = Vec::new();
    for genre in genres {
        let label = collection.labels.iter().position(|label| label == genre).ok_or_else(|| {
            format!("there is no genre {genre}: --genres takes some of {}", collection.labels.join(", "))
        })?;
        kept.push(label);
    }
    kept.sort_unstable();
    kept.dedup();
    if kept.len() < 2 {
        return Err("one genre cannot be told from others: name two or more with --genres".into());
    }
    let place = |label: &usize| kept.iter().position(|kept| kept == label);
    collection.entries.retain_mut(|entry| {
        entry.labels = entry.labels.iter().filter_map(place).collect();
        !entry.labels.is_empty()
    });
    collection.labels = kept.iter().map(|&label| collection.labels[label].clone()).collect();
    Ok(())
}

/// Clips with what was computed of each.
#[derive(Debug)]
pub struct Made<T> {
    /// The clips that can be used; entry `i` is that of `values[i]`.
    pub collection: Collection,
    /// What was made of each.
    pub values: Vec<T>,
    /// The clips that cannot be used.
    pub bad: Vec<BadFile>,
}

impl<T> Made<T> {
    /// The class of each clip.
    #[must_use]
    pub fn labels(&self) -> Vec<usize> {
        self.collection.single_labels().into_iter().map(Option::unwrap_or_default).collect()
    }
}

/// Decodes every clip at a rate and makes something of its samples; bad clips are set aside and told.
///
/// # Errors
/// A sentence where a genre has no clip left.
pub fn make<T: Send>(
    collection: Collection,
    sample_rate: u32,
    make: impl Fn(&Track, Vec<f32>) -> Result<T, DataError> + Sync,
) -> Result<Made<T>, Failure> {
    let loader = LoadConfig { sample_rate: Some(sample_rate), ..LoadConfig::default() }.plan()?;
    let tracks: Vec<Track> = collection.entries.iter().map(track_of).collect();
    let (made, failed) = map_clips(&tracks, &loader, make, &|_| ());
    for FailedClip { reason, .. } in &failed {
        eprintln!("left out: {reason}");
    }
    let (kept, values): (Vec<usize>, Vec<T>) = made.into_iter().unzip();
    let entries = kept.iter().map(|&track| collection.entries[track].clone()).collect();
    let usable = Collection { entries, ..collection };
    for (label, (name, clips)) in usable.labels.iter().zip(usable.counts()).enumerate() {
        if clips == 0 {
            let first = failed.iter().find(|clip| tracks[clip.track].class == label);
            let reason = first.map_or_else(|| "it has no file".to_owned(), |clip| clip.reason.clone());
            return Err(format!(
                "no clip of {name} can be used ({reason}): repair the genre, or leave it out with --genres"
            )
            .into());
        }
    }
    let bad = failed
        .iter()
        .map(|clip| BadFile { path: tracks[clip.track].id.clone(), reason: clip.reason.clone() });
    Ok(Made { bad: bad.collect(), values, collection: usable })
}

/// Makes a split and writes it to `split.json` of the study's folder.
///
/// # Errors
/// A sentence where a genre has too few clips or artists for the split.
pub fn split(rule: &Protocol, collection: &Collection, out: &Path) -> Result<Vec<Fold>, Failure> {
    let advice = "add clips or artists, leave the genre out with --genres, or ask for other parts";
    let document = rule.split(collection).map_err(advise(advice))?;
    write_split(&document, collection, out)
}

/// Checks a split and writes it to `split.json` of the study's folder.
///
/// # Errors
/// A sentence for a split that is not one of the clips, and where it cannot be written.
pub fn write_split(
    document: &SplitDocument,
    collection: &Collection,
    out: &Path,
) -> Result<Vec<Fold>, Failure> {
    document
        .write(&out.join("split.json"))
        .map_err(advise("name a folder that can be written with --out"))?;
    Ok(document.folds(collection)?)
}

/// The clips of each part, for a report: `230 / 33 / 67`.
#[must_use]
pub fn parts(fold: &Fold) -> String {
    format!("{} / {} / {}", fold.train.len(), fold.validation.len(), fold.test.len())
}
