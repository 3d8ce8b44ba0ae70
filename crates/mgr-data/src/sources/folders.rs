//! Datasets that are a folder of `genre/file`.

use std::path::Path;

use super::{Collection, Entry, Facts, Source, facts};
use crate::{DataError, folder};

/// Any folder of `genre/file`, or one with a published set of genres.
#[derive(Debug)]
pub(super) struct Folders(Facts);

impl Folders {
    pub(super) fn plain() -> Self {
        Self(facts::FOLDER)
    }

    pub(super) fn homburg() -> Self {
        Self(facts::HOMBURG)
    }
}

/// The tracks of a folder of genres; the folder's own name is the collection's.
pub(super) fn read(root: &Path) -> Result<Collection, DataError> {
    let dataset = folder::read(root)?;
    let entry = |track: crate::dataset::Track| Entry {
        id: track.id,
        path: track.path,
        labels: vec![track.class],
        ..Entry::default()
    };
    let mut notes = Vec::new();
    if let Some(first) = dataset.ignored.first() {
        notes.push(format!("{} files are no audio by their names, such as {first}", dataset.ignored.len()));
    }
    let entries = dataset.tracks.into_iter().map(entry).collect();
    Collection::new(root, &dataset.name, dataset.classes, entries, notes)
}

impl Source for Folders {
    fn facts(&self) -> &Facts {
        &self.0
    }

    fn read(&self, root: &Path) -> Result<Collection, DataError> {
        let collection = read(root)?;
        Ok(if self.0.counts.is_empty() {
            collection
        } else {
            Collection { name: self.0.name.into(), ..collection }
        })
    }
}
