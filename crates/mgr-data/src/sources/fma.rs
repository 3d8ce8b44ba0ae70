//! FMA: its tables with two and three rows of names, its ordered subsets, its tree of genres.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::rows::{Dialect, Rows, cell};
use super::{Collection, Entry, Facts, Part, Source, facts};
use crate::DataError;
use crate::table::Table;

/// A subset; each holds the ones before it, so that they compare by size and not by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subset {
    /// 8,000 clips, eight genres alike.
    Small,
    /// 25,000 clips, 16 genres.
    Medium,
    /// All tracks, clips of 30 s.
    Large,
    /// All tracks at full length.
    Full,
}

impl Subset {
    /// All of them, from the smallest.
    pub const ALL: [Self; 4] = [Self::Small, Self::Medium, Self::Large, Self::Full];

    fn named(name: &str) -> Option<Self> {
        match name {
            "small" => Some(Self::Small),
            "medium" => Some(Self::Medium),
            "large" => Some(Self::Large),
            "full" => Some(Self::Full),
            _ => None,
        }
    }
}

/// One subset of FMA. The folder holds `tracks.csv` (in `fma_metadata` or beside it) and the audio below `fma_small` or the like, or
/// itself, as `000/000002.mp3`. The label is `track.genre_top`; a track without one has none.
#[derive(Debug)]
pub struct Fma {
    subset: Subset,
    facts: Facts,
}

impl Fma {
    /// A subset.
    #[must_use]
    pub fn new(subset: Subset) -> Self {
        let facts = match subset {
            Subset::Small => facts::FMA_SMALL,
            Subset::Medium => facts::FMA_MEDIUM,
            Subset::Large => facts::FMA_LARGE,
            Subset::Full => facts::FMA_FULL,
        };
        Self { subset, facts }
    }
}

/// The file of a track below the folder of a subset: `000/000002.mp3`.
#[must_use]
pub fn track_path(id: u32) -> PathBuf {
    let name = format!("{id:06}");
    PathBuf::from(name.get(..3).unwrap_or("000")).join(format!("{name}.mp3"))
}

fn table(root: &Path, name: &str) -> PathBuf {
    let below = root.join("fma_metadata").join(name);
    if below.exists() { below } else { root.join(name) }
}

impl Source for Fma {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn read(&self, root: &Path) -> Result<Collection, DataError> {
        let path = table(root, "tracks.csv");
        let tracks = Rows::read(&path, Dialect { headers: 3, ..Dialect::default() })?;
        let (subset, split) = (tracks.column(&path, "set.subset")?, tracks.column(&path, "set.split")?);
        let genre = tracks.column(&path, "track.genre_top")?;
        let optional = ["artist.name", "album.title", "track.title"].map(|name| tracks.find(name));
        let audio = root.join(self.facts.name);
        let audio = if audio.is_dir() { audio } else { root.to_path_buf() };
        let mut names = BTreeSet::new();
        let mut found: Vec<(Entry, Option<String>)> = Vec::new();
        let mut without = 0;
        for (number, row) in tracks.rows.iter().enumerate() {
            let refuse =
                |reason: String| DataError::Line { path: path.clone(), line: tracks.line(number), reason };
            let id = cell(row, Some(0)).unwrap_or_default();
            let id: u32 = id.parse().map_err(|_| refuse(format!("{id:?} is no track's number")))?;
            let of = cell(row, Some(subset)).unwrap_or_default();
            let of = Subset::named(&of).ok_or_else(|| refuse(format!("{of:?} is no subset")))?;
            if of > self.subset {
                continue;
            }
            let label = cell(row, Some(genre));
            without += usize::from(label.is_none());
            names.extend(label.clone());
            let [artist, album, title] = optional.map(|column| cell(row, column));
            let part = cell(row, Some(split)).and_then(|name| Part::named(&name));
            let path = audio.join(track_path(id));
            let id = format!("{id:06}");
            found.push((Entry { id, path, artist, album, title, part, ..Entry::default() }, label));
        }
        let labels: Vec<String> = names.into_iter().collect();
        let entries = found.into_iter().map(|(entry, label)| {
            let labels = label.and_then(|label| labels.binary_search(&label).ok()).into_iter().collect();
            Entry { labels, ..entry }
        });
        let entries = entries.collect();
        let notes =
            (without > 0).then(|| format!("{without} tracks have no top genre")).into_iter().collect();
        Collection::new(root, self.facts.name, labels, entries, notes)
    }
}

/// A genre of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genre {
    /// The name.
    pub title: String,
    /// The genre above it; none for one at the top.
    pub parent: Option<u32>,
    /// The genre at the top of its branch, by the table.
    pub top: u32,
}

/// Reads the tree of genres (`genres.csv`: `genre_id,#tracks,parent,title,top_level`) by number.
///
/// # Errors
/// [`DataError::Io`] and [`DataError::Line`]: a parent that is not there, a circle, a top that is not the top of its branch.
pub fn genres(path: &Path) -> Result<BTreeMap<u32, Genre>, DataError> {
    let rows = Rows::read(path, Dialect::default())?;
    let columns = ["genre_id", "parent", "title", "top_level"];
    let [id, parent, title, top] = columns.map(|name| rows.column(path, name));
    let (id, parent, title, top) = (id?, parent?, title?, top?);
    let mut tree = BTreeMap::new();
    for (number, row) in rows.rows.iter().enumerate() {
        let number_of = |column: usize| {
            let text = cell(row, Some(column)).unwrap_or_default();
            let reason = format!("{text:?} is no genre's number");
            text.parse::<u32>().map_err(|_| DataError::Line {
                path: path.to_path_buf(),
                line: rows.line(number),
                reason,
            })
        };
        let parent = number_of(parent)?;
        let title = cell(row, Some(title)).unwrap_or_default();
        let genre = Genre { title, parent: (parent != 0).then_some(parent), top: number_of(top)? };
        tree.insert(number_of(id)?, genre);
    }
    for (id, genre) in &tree {
        let (mut at, mut steps) = (*id, 0);
        while let Some(parent) = tree.get(&at).and_then(|g| g.parent) {
            at = parent;
            steps += 1;
            if !tree.contains_key(&at) || steps > tree.len() {
                let reason = format!("genre {id} ({}) stands under {at}, which is no genre", genre.title);
                return Err(DataError::Line { path: path.to_path_buf(), line: 0, reason });
            }
        }
        if at != genre.top {
            let reason =
                format!("genre {id} ({}) has the top {}, its branch ends in {at}", genre.title, genre.top);
            return Err(DataError::Line { path: path.to_path_buf(), line: 0, reason });
        }
    }
    Ok(tree)
}

/// Reads `features.csv` or `echonest.csv`: three rows of names, which are joined (`mfcc.mean.01`), the track's number as the id in
/// six digits. Columns of text (Echo Nest's metadata) are left out, and their names returned.
///
/// # Errors
/// [`DataError::Io`], [`DataError::Line`], [`DataError::Table`].
pub fn features(path: &Path) -> Result<(Table, Vec<String>), DataError> {
    let dialect = Dialect { headers: 3, ..Dialect::default() };
    let mut rows = Rows::read(path, dialect)?;
    // echonest.csv has a fourth row, with the name of its first column alone.
    let is_fourth = |row: &Vec<String>| {
        row.first().is_some_and(|c| c == "track_id") && row.iter().skip(1).all(String::is_empty)
    };
    if let Some(at) = rows.rows.iter().position(is_fourth) {
        rows.rows.remove(at);
        rows.lines.remove(at);
    }
    let mut ids = Vec::with_capacity(rows.rows.len());
    for (number, row) in rows.rows.iter().enumerate() {
        let id = cell(row, Some(0)).unwrap_or_default();
        let refuse = |_| DataError::Line {
            path: path.to_path_buf(),
            line: rows.line(number),
            reason: format!("{id:?} is no track's number"),
        };
        ids.push(format!("{:06}", id.parse::<u32>().map_err(refuse)?));
    }
    let (mut columns, mut values, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for (at, name) in rows.names.iter().enumerate().skip(1) {
        let cells = rows.rows.iter().map(|row| crate::table::parse(row.get(at).map_or("", String::as_str)));
        match cells.collect::<Option<Vec<f64>>>() {
            Some(numbers) => {
                columns.push(name.clone());
                values.push(numbers);
            }
            None => texts.push(name.clone()),
        }
    }
    let matrix = Array2::from_shape_fn((ids.len(), columns.len()), |(row, column)| values[column][row]);
    Ok((Table::new(ids, columns, matrix)?, texts))
}
