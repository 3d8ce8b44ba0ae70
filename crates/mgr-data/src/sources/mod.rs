//! The datasets of the literature behind one trait: what their folders and tables look like, their published counts, their known
//! faults, their licences.
//!
//! ```
//! use mgr_data::sources;
//!
//! let gtzan = sources::named("gtzan").unwrap();
//! assert_eq!(gtzan.facts().clips, Some(1000));
//! assert!(sources::all().iter().any(|s| s.facts().name == "fma_medium"));
//! ```
//!
//! A [`Collection`] is what a source finds below a folder: every track that the dataset names, whether its file is there or not. Files
//! are decoded by nobody here.

mod audioset;
mod ballroom;
mod facts;
pub mod fma;
mod folders;
pub mod gtzan;
mod gtzan_faults;
mod ismir2004;
pub mod magnatagatune;
mod manifest;
pub(crate) mod rows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mgr_eval::split::Fold;
use serde::{Deserialize, Serialize};

use crate::DataError;
use crate::dataset::{Dataset, Track};

pub use ballroom::REPEATED as BALLROOM_REPEATED;
pub use facts::{Download, Facts};
pub use manifest::Manifest;

/// A part of an official split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Training.
    Train,
    /// Validation.
    Validation,
    /// Test.
    Test,
}

impl Part {
    /// The part of a name: `train`, `training`, `valid`, `validation`, `val`, `dev`, `test`, `testing`, `evaluation`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "valid" | "validation" | "val" | "dev" => Some(Self::Validation),
            "test" | "testing" | "evaluation" | "eval" => Some(Self::Test),
            _ => None,
        }
    }
}

/// One track of a dataset.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    /// Name that is unique in the dataset.
    pub id: String,
    /// The audio file, whether it is there or not.
    pub path: PathBuf,
    /// Indices into [`Collection::labels`], ascending; one for a genre, any number for tags.
    pub labels: Vec<usize>,
    /// The artist, where the dataset tells.
    pub artist: Option<String>,
    /// The album, where the dataset tells.
    pub album: Option<String>,
    /// The title, where the dataset tells.
    pub title: Option<String>,
    /// The part of the official split.
    pub part: Option<Part>,
    /// The stretch of the file that is the clip, in seconds; none for the whole file.
    pub segment: Option<(f64, f64)>,
}

/// The tracks of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    /// Name for reports.
    pub name: String,
    /// Names of the genres or tags.
    pub labels: Vec<String>,
    /// Tracks, sorted by id.
    pub entries: Vec<Entry>,
    /// What was passed over, and what a user should know.
    pub notes: Vec<String>,
}

/// A dataset: what is known of it, and how its folder is read.
pub trait Source: Send + Sync + std::fmt::Debug {
    /// What is known of it.
    fn facts(&self) -> &Facts;

    /// Reads its tables and folders.
    ///
    /// # Errors
    /// [`DataError::Io`], [`DataError::Dataset`], [`DataError::Line`] and [`DataError::Table`] for what is not this dataset.
    fn read(&self, root: &Path) -> Result<Collection, DataError>;
}

/// All datasets, in the order in which they are listed.
#[must_use]
pub fn all() -> Vec<Box<dyn Source>> {
    let mut all: Vec<Box<dyn Source>> = vec![Box::new(gtzan::Gtzan::all()), Box::new(gtzan::Gtzan::eight())];
    for subset in fma::Subset::ALL {
        all.push(Box::new(fma::Fma::new(subset)));
    }
    for labels in magnatagatune::Labels::ALL {
        all.push(Box::new(magnatagatune::MagnaTagATune::new(labels)));
    }
    all.push(Box::new(ballroom::Ballroom));
    all.push(Box::new(ballroom::ExtendedBallroom));
    all.push(Box::new(ismir2004::Ismir2004));
    all.push(Box::new(folders::Folders::homburg()));
    all.push(Box::new(audioset::AudioSet));
    all.push(Box::new(folders::Folders::plain()));
    all.push(Box::new(Manifest::default()));
    all
}

/// The dataset of a name.
#[must_use]
pub fn named(name: &str) -> Option<Box<dyn Source>> {
    all().into_iter().find(|source| source.facts().name == name)
}

impl Collection {
    /// Builds a collection: sorts, and refuses an id that is there twice.
    pub(crate) fn new(
        root: &Path,
        name: &str,
        labels: Vec<String>,
        mut entries: Vec<Entry>,
        notes: Vec<String>,
    ) -> Result<Self, DataError> {
        let refuse = |reason: String| DataError::Dataset { path: root.to_path_buf(), reason };
        if entries.is_empty() {
            return Err(refuse(format!("no track of {name} found")));
        }
        entries.sort_by(|a, b| a.id.cmp(&b.id));
        if let Some(pair) = entries.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(refuse(format!("{} is there twice", pair[0].id)));
        }
        Ok(Self { name: name.to_owned(), labels, entries, notes })
    }

    /// Tracks of each label.
    #[must_use]
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.labels.len()];
        for &label in self.entries.iter().flat_map(|e| &e.labels) {
            if let Some(count) = counts.get_mut(label) {
                *count += 1;
            }
        }
        counts
    }

    /// The tracks with one label each as what the feature store and the networks take, and how many were left out for having none or
    /// several. Labels without a track are left out too. `only` keeps the tracks whose files are there.
    ///
    /// # Errors
    /// [`DataError::Dataset`] where fewer than two labels are left.
    pub fn dataset(&self, only_files: bool) -> Result<(Dataset, usize), DataError> {
        let mut by_label: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        let mut left_out = 0;
        for entry in &self.entries {
            let name = match entry.labels.as_slice() {
                [label] => self.labels.get(*label),
                _ => None,
            };
            match name {
                Some(name) if !only_files || entry.path.is_file() => {
                    by_label.entry(name).or_default().push(entry);
                }
                _ => left_out += 1,
            }
        }
        if by_label.len() < 2 {
            let reason = format!("{} genres with tracks, at least two are needed", by_label.len());
            return Err(DataError::Dataset { path: PathBuf::from(&self.name), reason });
        }
        let classes = by_label.keys().map(ToString::to_string).collect();
        let mut tracks = Vec::new();
        for (class, entries) in by_label.into_values().enumerate() {
            let of = entries.iter().map(|e| Track { id: e.id.clone(), path: e.path.clone(), class });
            tracks.extend(of);
        }
        Ok((Dataset { name: self.name.clone(), classes, tracks, ignored: Vec::new() }, left_out))
    }

    /// The one label of each track, in the order of the tracks; none for a track that has no label or several.
    #[must_use]
    pub fn single_labels(&self) -> Vec<Option<usize>> {
        let single = |e: &Entry| if let [label] = e.labels.as_slice() { Some(*label) } else { None };
        self.entries.iter().map(single).collect()
    }

    /// What must stay on one side: the artist, else the album, else the track itself.
    #[must_use]
    pub fn groups(&self) -> Vec<String> {
        let named = |of: &Option<String>| of.clone().filter(|name| !name.trim().is_empty());
        let group = |e: &Entry| match (named(&e.artist), named(&e.album)) {
            (Some(artist), _) => format!("artist:{artist}"),
            (None, Some(album)) => format!("album:{album}"),
            (None, None) => format!("track:{}", e.id),
        };
        self.entries.iter().map(group).collect()
    }

    /// The official split by track index; none where the dataset has none.
    #[must_use]
    pub fn official_split(&self) -> Option<Fold> {
        let of = |part: Part| -> Vec<usize> {
            let tracks = self.entries.iter().enumerate();
            tracks.filter(|(_, e)| e.part == Some(part)).map(|(i, _)| i).collect()
        };
        let fold = Fold { train: of(Part::Train), validation: of(Part::Validation), test: of(Part::Test) };
        (!fold.train.is_empty() && !fold.test.is_empty()).then_some(fold)
    }
}
