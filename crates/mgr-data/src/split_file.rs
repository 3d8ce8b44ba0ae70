//! The split files of MLFCF: `train_split_0.txt`, `test_split_0.txt`, ... with lines of genre, tab, file name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mgr_eval::split::{Fold, check_split};

use crate::dataset::{Dataset, Track};
use crate::folder::readable;
use crate::{DataError, write_atomic};

fn file(folder: &Path, part: &str, number: usize) -> PathBuf {
    folder.join(format!("{part}_split_{number}.txt"))
}

/// The file name of a track; bytes that are not UTF-8 as in [`Track::id`].
fn file_name(track: &Track) -> String {
    let name = track.path.file_name().unwrap_or_default();
    name.to_str().map_or_else(|| readable(name), str::to_owned)
}

/// Writes the folds as files, two for each fold, each whole or not at all. A validation part counts as training, since the
/// format knows none.
///
/// Files of higher numbers, left by an earlier split, are deleted.
///
/// # Errors
/// [`DataError::Io`], and [`DataError::Dataset`] for a name with a tab or a line end, which the format cannot hold.
pub fn write(folder: &Path, dataset: &Dataset, folds: &[Fold]) -> Result<(), DataError> {
    for track in &dataset.tracks {
        let genre = dataset.classes.get(track.class).map_or("", String::as_str);
        if genre.contains(['\t', '\n', '\r']) || file_name(track).contains(['\n', '\r']) {
            let reason = format!("split files cannot name {:?}: it holds a tab or a line end", track.id);
            return Err(DataError::Dataset { path: folder.to_path_buf(), reason });
        }
    }
    for number in folds.len().. {
        // Files of an earlier split into more folds would be read as part of this one.
        let old = ["train", "test"].map(|part| file(folder, part, number));
        if !old.iter().any(|path| path.exists()) {
            break;
        }
        for path in old.iter().filter(|path| path.exists()) {
            fs::remove_file(path).map_err(DataError::io(path, "delete"))?;
        }
    }
    for (number, fold) in folds.iter().enumerate() {
        let mut train: Vec<usize> = fold.train.iter().chain(&fold.validation).copied().collect();
        train.sort_unstable();
        for (part, indices) in [("train", &train), ("test", &fold.test)] {
            write_atomic(&file(folder, part, number), |out| {
                for track in indices.iter().filter_map(|&i| dataset.tracks.get(i)) {
                    let genre = dataset.classes.get(track.class).map_or("", String::as_str);
                    writeln!(out, "{genre}\t{}", file_name(track))?;
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Reads folds from files; numbers run from 0 or from 1, without a gap. The validation parts are empty.
///
/// # Errors
/// [`DataError::Io`], [`DataError::Dataset`] for no files, a gap, or parts that overlap, and [`DataError::Line`] for a line that is not
/// genre, tab, file, or names a file that the dataset has not.
pub fn read(folder: &Path, dataset: &Dataset) -> Result<Vec<Fold>, DataError> {
    let refuse = |reason: String| DataError::Dataset { path: folder.to_path_buf(), reason };
    let index: BTreeMap<(&str, String), usize> = dataset
        .tracks
        .iter()
        .enumerate()
        .filter_map(|(i, t)| Some(((dataset.classes.get(t.class)?.as_str(), file_name(t)), i)))
        .collect();
    let numbers = numbers(folder)?;
    let first = usize::from(!file(folder, "test", 0).exists());
    let mut folds = Vec::new();
    for number in first..first + numbers.len() {
        if !numbers.contains(&number) {
            return Err(refuse(format!("test_split_{number}.txt is missing, there are others after it")));
        }
        let test = read_part(&file(folder, "test", number), &index)?;
        let train = read_part(&file(folder, "train", number), &index)?;
        folds.push(Fold { train, validation: Vec::new(), test });
    }
    if folds.is_empty() {
        return Err(refuse(
            "no split files, expected test_split_0.txt and train_split_0.txt and so on".into(),
        ));
    }
    check_split(&folds, dataset.tracks.len()).map_err(|e| refuse(e.to_string()))?;
    Ok(folds)
}

/// The numbers of the test files in a folder.
fn numbers(folder: &Path) -> Result<BTreeSet<usize>, DataError> {
    let mut numbers = BTreeSet::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(numbers),
        Err(error) => return Err(DataError::io(folder, "read the folder")(error)),
    };
    for entry in entries {
        let name = entry.map_err(DataError::io(folder, "read the folder"))?.file_name();
        let number = name
            .to_str()
            .and_then(|n| n.strip_prefix("test_split_")?.strip_suffix(".txt")?.parse::<usize>().ok());
        numbers.extend(number);
    }
    Ok(numbers)
}

fn read_part(path: &Path, index: &BTreeMap<(&str, String), usize>) -> Result<Vec<usize>, DataError> {
    let text = fs::read_to_string(path).map_err(DataError::io(path, "read the split file"))?;
    let mut part = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let refuse = |reason| DataError::Line { path: path.to_path_buf(), line: number as u64 + 1, reason };
        let Some((genre, name)) = line.split_once('\t') else {
            return Err(refuse("expected genre, tab, file name".into()));
        };
        let Some(&track) = index.get(&(genre, name.to_owned())) else {
            return Err(refuse(format!("the dataset has no {genre}/{name}")));
        };
        part.push(track);
    }
    part.sort_unstable();
    Ok(part)
}
