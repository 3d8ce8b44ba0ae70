//! MagnaTagATune: 188 tags, and the genres and instruments that MusicFeaturization takes from them.

use std::collections::HashMap;
use std::path::Path;

use super::rows::{Dialect, Rows, cell};
use super::{Collection, Entry, Facts, Source, facts};
use crate::DataError;

/// MusicFeaturization's list of genre tags, with `_` for spaces. It names 49, `classical` twice; some (`funcky`) are no tags.
pub const GENRES: [&str; 49] = [
    "hard_rock",
    "classical",
    "funcky",
    "classical",
    "soft_rock",
    "jazz",
    "spacey",
    "folk",
    "new_age",
    "funk",
    "middle_eastern",
    "medieval",
    "classic",
    "electronic",
    "chanting",
    "opera",
    "country",
    "electro",
    "reggae",
    "tribal",
    "dark",
    "irish",
    "electronica",
    "operatic",
    "arabic",
    "trance",
    "drone",
    "heavy_metal",
    "disco",
    "deep",
    "jungle",
    "pop",
    "celtic",
    "orchestral",
    "eastern",
    "punk",
    "blues",
    "indian",
    "rock",
    "dance",
    "jazzy",
    "techno",
    "house",
    "oriental",
    "rap",
    "metal",
    "hip_hop",
    "choir",
    "baroque",
];

/// MusicFeaturization's list of instrument tags, with `_` for spaces.
pub const INSTRUMENTS: [&str; 36] = [
    "bongos",
    "harpsichord",
    "sitar",
    "clarinet",
    "woodwind",
    "horns",
    "guitar",
    "banjo",
    "violins",
    "synth",
    "trumpet",
    "percussion",
    "drum",
    "bass",
    "harpsicord",
    "drums",
    "organ",
    "acoustic_guitar",
    "electric_guitar",
    "classical_guitar",
    "violin",
    "horn",
    "synthesizer",
    "bells",
    "harp",
    "lute",
    "oboe",
    "viola",
    "piano",
    "flutes",
    "sax",
    "piano_solo",
    "guitars",
    "cello",
    "flute",
    "fiddle",
];

/// The six genres in the order of their class numbers in MusicFeaturization.
pub const SIX: [&str; 6] = ["classical", "baroque", "opera", "medieval", "jazz", "rock"];

/// Of several of the six, the first in this order is the clip's genre.
pub const PRIORITY: [&str; 6] = ["baroque", "medieval", "opera", "classical", "jazz", "rock"];

/// Which labels clips get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labels {
    /// All tags.
    Tags,
    /// The tags in [`GENRES`].
    Genres,
    /// The tags in [`INSTRUMENTS`].
    Instruments,
    /// One of [`SIX`] by [`PRIORITY`]; clips without one are left out.
    Six,
}

impl Labels {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tags, Self::Genres, Self::Instruments, Self::Six];
}

/// MagnaTagATune. The folder holds `annotations_final.csv` (tabs, quoted) and the audio below it as the table names it; with
/// `clip_info_final.csv` artists, albums and titles are known.
#[derive(Debug)]
pub struct MagnaTagATune {
    labels: Labels,
    facts: Facts,
}

impl MagnaTagATune {
    /// With these labels.
    #[must_use]
    pub fn new(labels: Labels) -> Self {
        let facts = match labels {
            Labels::Tags => facts::MAGNATAGATUNE,
            Labels::Genres => facts::MAGNATAGATUNE_GENRES,
            Labels::Instruments => facts::MAGNATAGATUNE_INSTRUMENTS,
            Labels::Six => facts::MAGNATAGATUNE_SIX,
        };
        Self { labels, facts }
    }
}

/// The genre of a clip by its tags: the first of [`PRIORITY`], as an index into [`SIX`].
pub fn six<'a>(tags: impl IntoIterator<Item = &'a str>) -> Option<usize> {
    let tags: Vec<&str> = tags.into_iter().collect();
    let first = PRIORITY.iter().find(|genre| tags.contains(genre))?;
    SIX.iter().position(|genre| genre == first)
}

impl Source for MagnaTagATune {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn read(&self, root: &Path) -> Result<Collection, DataError> {
        let tabs = Dialect { delimiter: b'\t', ..Dialect::default() };
        let path = root.join("annotations_final.csv");
        let table = Rows::read(&path, tabs)?;
        let (id, audio) = (table.column(&path, "clip_id")?, table.column(&path, "mp3_path")?);
        let is_tag = |column: usize| column != id && column != audio;
        let tags: Vec<String> = table.names.iter().map(|name| name.replace(' ', "_")).collect();
        let labels: Vec<String> = match self.labels {
            Labels::Tags => (0..tags.len()).filter(|c| is_tag(*c)).map(|c| table.names[c].clone()).collect(),
            Labels::Genres => among(&tags, &GENRES),
            Labels::Instruments => among(&tags, &INSTRUMENTS),
            Labels::Six => SIX.map(String::from).to_vec(),
        };
        let about = about(&root.join("clip_info_final.csv"), tabs)?;
        let label_of: HashMap<&str, usize> =
            labels.iter().enumerate().map(|(number, name)| (name.as_str(), number)).collect();
        let mut entries = Vec::new();
        let mut left_out = 0;
        for (number, row) in table.rows.iter().enumerate() {
            let mut positive = Vec::new();
            for column in (0..row.len()).filter(|c| is_tag(*c)) {
                match row[column].as_str() {
                    "1" => positive.push(column),
                    "0" => {}
                    other => {
                        let reason = format!("{} is {other:?}, 0 or 1 is needed", table.names[column]);
                        return Err(DataError::Line { path, line: table.line(number), reason });
                    }
                }
            }
            let named = positive.iter().map(|c| tags[*c].as_str());
            let mut labels: Vec<usize> = match self.labels {
                Labels::Six => six(named).into_iter().collect(),
                Labels::Tags => {
                    positive.iter().filter_map(|c| label_of.get(table.names[*c].as_str()).copied()).collect()
                }
                _ => named.filter_map(|tag| label_of.get(tag).copied()).collect(),
            };
            labels.sort_unstable();
            if self.labels == Labels::Six && labels.is_empty() {
                left_out += 1;
                continue;
            }
            let id = cell(row, Some(id)).unwrap_or_default();
            let path = root.join(cell(row, Some(audio)).unwrap_or_default());
            let (artist, album, title) = about.get(&id).cloned().unwrap_or_default();
            entries.push(Entry { id, path, labels, artist, album, title, ..Entry::default() });
        }
        let note = || format!("{left_out} clips have none of the six genres");
        let notes = (left_out > 0).then(note).into_iter().collect();
        Collection::new(root, self.facts.name, labels, entries, notes)
    }
}

/// The names of a list that are tags, each once, in the order of the list.
fn among(tags: &[String], list: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in list {
        if tags.iter().any(|tag| tag == name) && !found.iter().any(|f| f == name) {
            found.push((*name).to_owned());
        }
    }
    found
}

type About = (Option<String>, Option<String>, Option<String>);

/// Artist, album and title by clip; nothing where the table is not there.
fn about(path: &Path, dialect: Dialect) -> Result<HashMap<String, About>, DataError> {
    if !path.exists() {
        return Ok(HashMap::new());
    }
    let table = Rows::read(path, dialect)?;
    let id = table.column(path, "clip_id")?;
    let columns = ["artist", "album", "title"].map(|name| table.find(name));
    let of = |row: &Vec<String>| {
        let [artist, album, title] = columns.map(|column| cell(row, column));
        Some((cell(row, Some(id))?, (artist, album, title)))
    };
    Ok(table.rows.iter().filter_map(of).collect())
}
