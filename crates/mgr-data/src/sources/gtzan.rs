//! GTZAN, and the partition that leaves its repetitions out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Collection, Facts, Part, Source, facts, folders, gtzan_faults};
use crate::DataError;

pub use super::gtzan_faults::{FAULTS, Fault, FaultyClips, faults_of};

/// GTZAN, whole or in the form of the GTZAN-8 study.
///
/// The folder holds `genre/genre.00000.ext`, directly or in `genres` or `genres_original`, in any audio format. Sturm's `index.txt`
/// (lines of `file ::: artist ::: title`) beside the genres, or in the folder above, gives artists and titles.
#[derive(Debug)]
pub struct Gtzan {
    facts: Facts,
    eight: bool,
}

impl Gtzan {
    /// All ten genres.
    #[must_use]
    pub fn all() -> Self {
        Self { facts: facts::GTZAN, eight: false }
    }

    /// The eight genres and 730 clips of the GTZAN-8 study, with its parts: its test part is the partition's validation part, its
    /// training part the other two (see [`crate::splits`] for the validation part drawn from it).
    #[must_use]
    pub fn eight() -> Self {
        Self { facts: facts::GTZAN8, eight: true }
    }
}

impl Source for Gtzan {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn read(&self, root: &Path) -> Result<Collection, DataError> {
        let below =
            ["genres_original", "genres"].into_iter().map(|name| root.join(name)).find(|p| p.is_dir());
        let base = below.as_deref().unwrap_or(root);
        let mut collection = folders::read(base)?;
        let index = [base.join("index.txt"), root.join("index.txt")].into_iter().find(|path| path.is_file());
        let artists = index.map(|path| read_index(&path)).transpose()?.unwrap_or_default();
        let mut foreign = Vec::new();
        collection.entries.retain_mut(|entry| {
            let stem = crate::folder::readable(entry.path.file_stem().unwrap_or_default());
            let Some((genre, number)) = clip_name(&stem) else {
                foreign.push(entry.id.clone());
                return false;
            };
            if let Some((artist, title)) = artists.get(&stem) {
                entry.artist = Some(artist.clone()).filter(|a| !a.is_empty());
                entry.title = Some(title.clone()).filter(|t| !t.is_empty());
            }
            let filtered = fault_filtered(genre, number);
            if self.eight {
                entry.part =
                    filtered.map(|part| if part == Part::Validation { Part::Test } else { Part::Train });
                return filtered.is_some() && !["blues", "rock"].contains(&genre);
            }
            entry.part = filtered;
            true
        });
        if let Some(first) = foreign.first() {
            let note = format!("{} files have no name of GTZAN, such as {first}", foreign.len());
            collection.notes.push(note);
        }
        let stems: Vec<_> = collection
            .entries
            .iter()
            .filter_map(|e| e.path.file_stem())
            .map(crate::folder::readable)
            .collect();
        collection.notes.extend(gtzan_faults::told(stems.iter().filter_map(|stem| clip_name(stem))));
        if self.eight {
            // The labels of the two genres that are left out are gone too.
            let kept: Vec<usize> = (0..collection.labels.len())
                .filter(|l| !["blues", "rock"].contains(&collection.labels[*l].as_str()))
                .collect();
            for entry in &mut collection.entries {
                entry.labels = entry.labels.iter().filter_map(|l| kept.iter().position(|k| k == l)).collect();
            }
            collection.labels = kept.iter().map(|&l| collection.labels[l].clone()).collect();
        }
        Collection::new(base, self.facts.name, collection.labels, collection.entries, collection.notes)
    }
}

/// Reads Sturm's index of artists and titles by clip name without extension.
///
/// # Errors
/// [`DataError::Io`], and [`DataError::Line`] for a line that is neither a comment nor three fields.
pub fn read_index(path: &Path) -> Result<BTreeMap<String, (String, String)>, DataError> {
    let bytes = fs::read(path).map_err(DataError::io(path, "read"))?;
    let mut index = BTreeMap::new();
    for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.split(":::").map(str::trim).collect();
        let [file, artist, title] = fields.as_slice() else {
            let reason = "expected file ::: artist ::: title".to_owned();
            return Err(DataError::Line { path: path.to_path_buf(), line: number as u64 + 1, reason });
        };
        let stem = file.rsplit_once('.').map_or(*file, |(stem, _)| stem);
        index.insert(stem.to_owned(), ((*artist).to_owned(), (*title).to_owned()));
    }
    Ok(index)
}

/// The genre and number of a clip's name, such as `blues.00042`.
#[must_use]
pub fn clip_name(stem: &str) -> Option<(&str, u16)> {
    let (genre, number) = stem.split_once('.')?;
    let known = FILTERED.iter().any(|(name, ..)| *name == genre);
    let digits = number.len() == 5 && number.bytes().all(|b| b.is_ascii_digit());
    Some((genre, number.parse().ok()?)).filter(|(_, number)| known && digits && *number < 100)
}

type Ranges = &'static [(u16, u16)];

/// Genre, then the inclusive ranges of training, validation and test.
const FILTERED: [(&str, Ranges, Ranges, Ranges); 10] = [
    ("blues", &[(29, 49), (73, 97)], &[(0, 11), (50, 60)], &[(12, 28), (61, 72), (98, 99)]),
    (
        "classical",
        &[(30, 33), (43, 48), (50, 67), (80, 99)],
        &[(0, 10), (68, 76)],
        &[(11, 29), (34, 41), (49, 49), (77, 79)],
    ),
    (
        "country",
        &[(19, 26), (28, 29), (65, 99)],
        &[(0, 7), (9, 18), (27, 27), (41, 42), (45, 45), (49, 49)],
        &[(30, 40), (43, 44), (46, 48), (50, 51), (53, 64)],
    ),
    (
        "disco",
        &[
            (5, 5),
            (15, 20),
            (22, 37),
            (39, 45),
            (47, 47),
            (49, 49),
            (53, 54),
            (56, 57),
            (59, 59),
            (61, 61),
            (70, 70),
            (73, 74),
            (89, 89),
        ],
        &[
            (0, 0),
            (2, 4),
            (6, 14),
            (46, 46),
            (48, 48),
            (52, 52),
            (67, 68),
            (72, 72),
            (75, 75),
            (90, 90),
            (95, 95),
        ],
        &[(1, 1), (21, 21), (58, 58), (62, 66), (69, 69), (76, 88), (91, 94), (96, 97), (99, 99)],
    ),
    (
        "hiphop",
        &[(2, 25), (28, 29), (31, 38), (41, 42), (55, 61), (77, 80)],
        &[(81, 98)],
        &[(0, 0), (26, 27), (30, 30), (40, 40), (43, 45), (51, 54), (62, 75), (99, 99)],
    ),
    ("jazz", &[(0, 1), (11, 24), (41, 41), (47, 72)], &[(2, 10), (25, 32)], &[(73, 99)]),
    (
        "metal",
        &[
            (2, 3),
            (5, 5),
            (21, 21),
            (24, 24),
            (35, 35),
            (46, 57),
            (59, 66),
            (69, 69),
            (71, 72),
            (79, 80),
            (84, 84),
            (86, 86),
            (89, 99),
        ],
        &[(0, 1), (6, 11), (16, 20), (36, 37), (68, 68), (76, 77), (81, 82)],
        &[
            (12, 15),
            (22, 23),
            (25, 33),
            (38, 39),
            (67, 67),
            (70, 70),
            (73, 75),
            (78, 78),
            (83, 83),
            (85, 85),
            (87, 88),
        ],
    ),
    (
        "pop",
        &[
            (2, 9),
            (11, 12),
            (16, 20),
            (23, 29),
            (31, 36),
            (38, 42),
            (44, 44),
            (46, 46),
            (49, 50),
            (80, 80),
            (97, 99),
        ],
        &[(10, 10), (53, 53), (55, 55), (58, 62), (81, 81), (83, 86)],
        &[(0, 1), (13, 14), (43, 43), (63, 66), (69, 79), (82, 82), (88, 96)],
    ),
    (
        "reggae",
        &[
            (0, 2),
            (4, 4),
            (6, 6),
            (9, 9),
            (11, 12),
            (14, 32),
            (42, 45),
            (49, 51),
            (54, 60),
            (63, 63),
            (69, 69),
        ],
        &[(61, 62), (70, 70), (72, 72), (74, 74), (76, 78), (85, 85), (92, 99)],
        &[(34, 40), (46, 48), (52, 53), (64, 68), (71, 71), (79, 79), (82, 84), (87, 90)],
    ),
    (
        "rock",
        &[(0, 9), (16, 26), (57, 70), (91, 99)],
        &[(38, 38), (49, 56), (71, 85)],
        &[(10, 15), (27, 37), (39, 48), (86, 90)],
    ),
];

/// The part of a clip in the fault-filtered partition of Kereliuk, Sturm and Larsen (2015): 443, 197 and 290 clips without repetitions
/// of a recording, artists kept apart. None for the 70 clips that it leaves out.
#[must_use]
pub fn fault_filtered(genre: &str, number: u16) -> Option<Part> {
    let (_, train, validation, test) = FILTERED.iter().find(|(name, ..)| *name == genre)?;
    let holds = |ranges: Ranges| ranges.iter().any(|(first, last)| (*first..=*last).contains(&number));
    match () {
        () if holds(train) => Some(Part::Train),
        () if holds(validation) => Some(Part::Validation),
        () if holds(test) => Some(Part::Test),
        () => None,
    }
}
