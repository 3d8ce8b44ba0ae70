//! From clips to pictures, and the six lists that say which is what.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mgr_data::sources::{Collection, Source, magnatagatune};
use mgr_data::splits::{Protocol, music_featurization_lists};
use mgr_eval::split::Fold;
use mgr_features::picture::ColorMap;
use mgr_features::presets;
use ndarray::Array3;
use serde::{Deserialize, Serialize};

use crate::studies::picture_parts::clips::{self, Imaging, read_png, write_png};
use crate::studies::picture_parts::output::{Output, some_of};
use crate::studies::picture_parts::spoken::{Result, sentence};

/// The parts, as the lists name them.
pub const PARTS: [&str; 3] = ["train", "val", "test"];

/// How clips are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Division {
    /// By artist where artists are known, else at random within each genre.
    Usual,
    /// At random within each genre.
    Random,
    /// As published: a fifth test, a tenth of the rest validation, by clip, without regard to genres.
    Published,
}

/// What the pictures are made of; `preparation.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preparation {
    /// The dataset.
    pub dataset: String,
    /// Names of the genres, in the order of their numbers.
    pub classes: Vec<String>,
    /// Number of each genre in `music_dataset.csv`.
    pub codes: Vec<u32>,
    /// Height and width of the pictures.
    pub size: usize,
    /// The split in words.
    pub split: String,
    /// What is known to leak.
    pub leaks: Vec<String>,
    /// What was left out.
    pub notes: Vec<String>,
    /// The artist of each picture, where known.
    pub artists: BTreeMap<String, String>,
}

/// The published numbers of the genres in `music_dataset.csv`.
const CODES: [(&str, u32); 6] =
    [("classical", 1), ("baroque", 2), ("rock", 3), ("opera", 4), ("medieval", 5), ("jazz", 6)];

/// The number of each genre in `music_dataset.csv`: the published ones for the six genres, else in order from 1.
#[must_use]
pub fn codes(classes: &[String]) -> Vec<u32> {
    let published = |name: &String| CODES.iter().find(|(genre, _)| genre == name).map(|(_, code)| *code);
    let all: Option<Vec<u32>> = classes.iter().map(published).collect();
    all.unwrap_or_else(|| (1..=classes.len() as u32).collect())
}

/// The file of a clip: `genre.number_name.png`, with `_` for dots and slashes within.
fn file_name(collection: &Collection, row: usize) -> String {
    let entry = &collection.entries[row];
    let plain = |text: &str| text.replace(['.', '/', '\\', ' '], "_");
    let genre = plain(&collection.labels[entry.labels.first().copied().unwrap_or_default()]);
    let stem = entry.path.file_stem().unwrap_or_default().to_string_lossy();
    let is_number = !entry.id.is_empty() && entry.id.bytes().all(|b| b.is_ascii_digit());
    if is_number {
        format!("{genre}.{}_{}.png", entry.id, plain(&stem))
    } else {
        format!("{genre}.{}.png", plain(&stem))
    }
}

/// Draws all clips and writes pictures, lists and `preparation.json` below `work`.
///
/// # Errors
/// A sentence for a genre too small for the split, and where no clip of a part can be read.
pub fn prepare(
    collection: &Collection,
    division: Division,
    lists: Option<&Path>,
    [size, seed]: [u64; 2],
    work: &Output,
) -> Result<Preparation> {
    if !(32..=1024).contains(&size) {
        return Err(format!("--size is {size}, allowed is 32 to 1024"));
    }
    let (fold, split, leaks) = divide(collection, division, lists, seed)?;
    let imaging = Imaging {
        mel: presets::music_featurization(),
        pre_emphasis: true,
        seconds: None,
        columns: None,
        size: Some([size as usize; 2]),
        colors: ColorMap::Jet,
    };
    let imager = imaging.plan()?;
    let mut notes = collection.notes.clone();
    let mut artists = BTreeMap::new();
    let mut names = std::collections::BTreeSet::new();
    for (part, rows) in PARTS.into_iter().zip([&fold.train, &fold.validation, &fold.test]) {
        let (mut files, mut labels) = (String::new(), String::new());
        // A few hundred at a time: a whole dataset of pictures need not fit into memory.
        for some in rows.chunks(256) {
            let paths: Vec<PathBuf> = some.iter().map(|&row| collection.entries[row].path.clone()).collect();
            for (&row, picture) in some.iter().zip(imager.pictures(&paths)) {
                let name = file_name(collection, row);
                match picture {
                    Ok(_) if !names.insert(name.clone()) => notes.push(format!("{name} is there twice")),
                    Ok(picture) => {
                        write_png(&work.path("images").join(&name), &picture)?;
                        files += &format!("{name}\n");
                        labels += &format!("{}\n", collection.entries[row].labels[0]);
                        if let Some(artist) = &collection.entries[row].artist {
                            artists.insert(name, artist.clone());
                        }
                    }
                    Err(reason) => notes.push(reason),
                }
            }
        }
        if files.is_empty() {
            return Err(format!("no clip of the {part} part can be read: {}", some_of(&notes, 2)));
        }
        println!("{part}: {} pictures", files.lines().count());
        work.write(&format!("{part}_files.txt"), files.as_bytes())?;
        work.write(&format!("{part}_labels.txt"), labels.as_bytes())?;
    }
    let preparation = Preparation {
        dataset: collection.name.clone(),
        classes: collection.labels.clone(),
        codes: codes(&collection.labels),
        size: size as usize,
        split,
        leaks,
        notes,
        artists,
    };
    work.json("preparation.json", &preparation)?;
    Ok(preparation)
}

fn divide(
    collection: &Collection,
    division: Division,
    lists: Option<&Path>,
    seed: u64,
) -> Result<(Fold, String, Vec<String>)> {
    if let Some(folder) = lists {
        let document = music_featurization_lists(folder, collection).map_err(|e| {
            format!("{e}; --lists names the folder of train_files.txt, val_files.txt and test_files.txt")
        })?;
        let fold = document.folds(collection).map_err(sentence)?.into_iter().next().unwrap_or_default();
        return Ok((fold, format!("the lists in {}", folder.display()), document.leaks));
    }
    let apart = division == Division::Usual && clips::knows_artists(collection);
    let (rule, words) = match division {
        Division::Published => (
            Protocol::MusicFeaturization,
            "as published: a fifth test, a tenth of the rest validation, by clip, seed 10".to_owned(),
        ),
        _ if apart => (
            Protocol::GroupRatio { train: 0.72, validation: 0.08, seed },
            format!("72 / 8 / 20 of each genre, apart by artist, seed {seed}"),
        ),
        _ => (
            Protocol::Ratio { train: 0.72, validation: 0.08, seed },
            format!("72 / 8 / 20 of each genre, by clip, seed {seed}"),
        ),
    };
    let (fold, leaks) = clips::split(collection, &rule)?;
    Ok((fold, words, leaks))
}

/// The tags that the study copies its pictures by: a row for each clip and each of its tags in the list of genres, and in that of
/// instruments.
///
/// # Errors
/// A sentence for annotations that are not MagnaTagATune's.
pub fn write_tags(root: &Path, work: &Output) -> Result<()> {
    use magnatagatune::{Labels, MagnaTagATune};
    for (labels, file) in [(Labels::Genres, "genres.csv"), (Labels::Instruments, "instruments.csv")] {
        let all = MagnaTagATune::new(labels).read(root).map_err(sentence)?;
        let mut text = String::from("clip_id,tag\n");
        for entry in &all.entries {
            for &label in &entry.labels {
                text += &format!("{},{}\n", entry.id, all.labels[label]);
            }
        }
        work.write(file, text.as_bytes())?;
    }
    Ok(())
}

/// Pictures of some parts, as they were prepared.
#[derive(Debug)]
pub struct Prepared {
    /// What they are made of.
    pub about: Preparation,
    /// Names of the files.
    pub files: Vec<String>,
    /// Genre of each.
    pub labels: Vec<usize>,
    /// The pictures.
    pub pictures: Vec<Array3<u8>>,
    /// Rows of training, validation and test; empty for a part that was not asked for.
    pub parts: [Vec<usize>; 3],
}

impl Prepared {
    /// Reads the parts whose place in [`PARTS`] is asked for.
    ///
    /// # Errors
    /// A sentence for a folder that was not prepared, or only by half.
    pub fn read(work: &Path, wanted: [bool; 3]) -> Result<Self> {
        let told = work.join("preparation.json");
        let refuse = |reason: String| {
            format!(
                "{}: {reason}; prepare the pictures first, with `prepare --work {}`",
                told.display(),
                work.display()
            )
        };
        let text = std::fs::read_to_string(&told).map_err(|e| refuse(e.to_string()))?;
        let about: Preparation = serde_json::from_str(&text).map_err(|e| refuse(e.to_string()))?;
        let mut found = Self {
            about,
            files: Vec::new(),
            labels: Vec::new(),
            pictures: Vec::new(),
            parts: Default::default(),
        };
        for (at, part) in PARTS.into_iter().enumerate().filter(|(at, _)| wanted[*at]) {
            let read = |kind: &str| {
                std::fs::read_to_string(work.join(format!("{part}_{kind}.txt")))
                    .map_err(|e| refuse(format!("{part}_{kind}.txt: {e}")))
            };
            let (files, labels) = (read("files")?, read("labels")?);
            if files.lines().count() != labels.lines().count() {
                return Err(refuse(format!("{part}_files.txt and {part}_labels.txt differ in length")));
            }
            for (file, label) in files.lines().zip(labels.lines()) {
                let label: usize =
                    label.trim().parse().map_err(|_| refuse(format!("{label:?} is no genre's number")))?;
                if label >= found.about.classes.len() {
                    return Err(refuse(format!(
                        "genre {label} of {file} is none of {}",
                        found.about.classes.len()
                    )));
                }
                found.parts[at].push(found.files.len());
                found.pictures.push(read_png(&work.join("images").join(file))?);
                found.files.push(file.to_owned());
                found.labels.push(label);
            }
        }
        Ok(found)
    }
}
