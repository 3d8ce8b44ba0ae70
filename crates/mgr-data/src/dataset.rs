//! What a dataset is: tracks with a file, a genre and, where known, a group.

use std::path::{Path, PathBuf};

use crate::DataError;
use crate::corpus::CorpusConfig;
use crate::folder;

/// One track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Name that is unique in the dataset: the path below its root with `/`, such as `blues/blues.00001.flac`. Bytes
    /// that are not UTF-8 stand as `%` and two hexadecimal digits, and so does `%` itself.
    pub id: String,
    /// The audio file.
    pub path: PathBuf,
    /// Index of the genre in [`Dataset::classes`].
    pub class: usize,
}

impl Track {
    /// The file's name without its extension; bytes that are not UTF-8 as in [`Track::id`].
    #[must_use]
    pub fn stem(&self) -> String {
        let stem = self.path.file_stem().unwrap_or_default();
        stem.to_str().map_or_else(|| folder::readable(stem), str::to_owned)
    }
}

/// Tracks and the genres they belong to, in the order of class and file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Name for reports.
    pub name: String,
    /// Genres, sorted.
    pub classes: Vec<String>,
    /// Tracks, sorted by class and file name.
    pub tracks: Vec<Track>,
    /// Files passed over because their extension is no audio format's, by id.
    pub ignored: Vec<String>,
}

impl Dataset {
    /// A folder of `genre/file.ext`, see [`folder::read`].
    ///
    /// # Errors
    /// [`DataError::Io`] and [`DataError::Dataset`].
    pub fn folder(root: &Path) -> Result<Self, DataError> {
        folder::read(root)
    }

    /// The embedded synthetic corpus, made below `cache` at first use: for trying things out, no measure of quality.
    ///
    /// `done` is called with the number of clips that are finished.
    ///
    /// # Errors
    /// [`DataError::Corpus`] when it cannot be made, [`DataError::Io`] when it cannot be read.
    pub fn embedded(
        config: &CorpusConfig,
        cache: &Path,
        done: &(dyn Fn(usize) + Sync),
    ) -> Result<Self, DataError> {
        let corpus = config.plan()?;
        let folder = cache.join(corpus.folder_name());
        corpus.write_to(&folder, done)?;
        Ok(Self { name: "embedded synthetic corpus".into(), ..folder::read(&folder)? })
    }

    /// The class of every track.
    #[must_use]
    pub fn labels(&self) -> Vec<usize> {
        self.tracks.iter().map(|t| t.class).collect()
    }
}
