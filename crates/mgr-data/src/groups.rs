//! Which tracks must stay on one side of a split: the same artist, or the same recording.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use crate::DataError;
use crate::dataset::{Dataset, Track};

/// Artists by track, from a CSV with the columns `track` (a file's stem) and `artist`; other columns are ignored.
///
/// A track may stand on several lines if they agree. An empty artist makes the track a group of its own, and so does
/// being absent; files of the same stem in several folders are one track and so one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    artists: BTreeMap<String, String>,
}

impl Groups {
    /// Reads the table; a byte order mark and spaces around values do not matter.
    ///
    /// # Errors
    /// [`DataError::Io`] and [`DataError::Line`]: not a CSV, a column missing, two artists for one track.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let file = File::open(path).map_err(DataError::io(path, "open the groups table"))?;
        let line = |line, reason: String| DataError::Line { path: path.to_path_buf(), line, reason };
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(file);
        let headers = reader.headers().map_err(|e| line(1, e.to_string()))?.clone();
        let column = |name: &str| {
            let found =
                headers.iter().position(|h| h.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name));
            found.ok_or_else(|| {
                line(1, format!("no column named {name}, expected the columns track and artist"))
            })
        };
        let (track, artist) = (column("track")?, column("artist")?);
        let mut groups = Self::default();
        for record in reader.records() {
            let record =
                record.map_err(|e| line(e.position().map_or(0, csv::Position::line), e.to_string()))?;
            let at = record.position().map_or(0, csv::Position::line);
            let (Some(track), Some(artist)) = (record.get(track), record.get(artist)) else {
                return Err(line(at, format!("{} columns, expected {}", record.len(), headers.len())));
            };
            if track.is_empty() {
                return Err(line(at, "the track is empty".into()));
            }
            match groups.artists.insert(track.to_owned(), artist.to_owned()) {
                Some(before) if before != artist => {
                    return Err(line(at, format!("track {track} has the artists {before:?} and {artist:?}")));
                }
                _ => {}
            }
        }
        Ok(groups)
    }

    /// Number of tracks in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.artists.len()
    }

    /// Whether the table is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.artists.is_empty()
    }

    /// The group of a track: `artist:` and the artist where one is named, `track:` and the stem elsewhere.
    #[must_use]
    pub fn group(&self, track: &Track) -> String {
        let stem = track.stem();
        match self.artists.get(stem.trim()).map(String::as_str) {
            None | Some("") => format!("track:{stem}"),
            Some(artist) => format!("artist:{artist}"),
        }
    }

    /// Tracks of the dataset that the table does not name, by id.
    #[must_use]
    pub fn unnamed<'a>(&self, dataset: &'a Dataset) -> Vec<&'a str> {
        let tracks = dataset.tracks.iter().filter(|t| !self.artists.contains_key(t.stem().trim()));
        tracks.map(|t| t.id.as_str()).collect()
    }
}
