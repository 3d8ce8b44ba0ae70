//! The split files of MLFCF: `train_split_0.txt`, `test_split_0.txt`, ... with lines of genre, tab, file name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mgr_eval::split::{Fold, check_split};

use crate::dataset::Dataset;
use crate::{DataError, write_atomic};

fn file(folder: &Path, part: &str, number: usize) -> PathBuf {
    folder.join(format!("{part}_split_{number}.txt"))
}

/// The file name of a track's id.
fn file_name(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// Writes the folds as files, two for each fold, each whole or not at all. A validation part counts as training, since the
/// format knows none.
///
/// # Errors
/// [`DataError::Io`].
pub fn write(folder: &Path, dataset: &Dataset, folds: &[Fold]) -> Result<(), DataError> {
    for (number, fold) in folds.iter().enumerate() {
        let mut train: Vec<usize> = fold.train.iter().chain(&fold.validation).copied().collect();
        train.sort_unstable();
        for (part, indices) in [("train", &train), ("test", &fold.test)] {
            write_atomic(&file(folder, part, number), |out| {
                for track in indices.iter().filter_map(|&i| dataset.tracks.get(i)) {
                    let genre = dataset.classes.get(track.class).map_or("", String::as_str);
                    writeln!(out, "{genre}\t{}", file_name(&track.id))?;
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
/// [`DataError::Io`], [`DataError::Dataset`] for no files, or parts that overlap, and [`DataError::Line`] for a line that is not
/// genre, tab, file, or names a file that the dataset has not.
pub fn read(folder: &Path, dataset: &Dataset) -> Result<Vec<Fold>, DataError> {
    let refuse = |reason: String| DataError::Dataset { path: folder.to_path_buf(), reason };
    let index: BTreeMap<(&str, &str), usize> = dataset
        .tracks
        .iter()
        .enumerate()
        .filter_map(|(i, t)| Some(((dataset.classes.get(t.class)?.as_str(), file_name(&t.id)), i)))
        .collect();
    let first = usize::from(!file(folder, "test", 0).exists());
    let mut folds = Vec::new();
    for number in first.. {
        if !file(folder, "test", number).exists() {
            break;
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

fn read_part(path: &Path, index: &BTreeMap<(&str, &str), usize>) -> Result<Vec<usize>, DataError> {
    let text = fs::read_to_string(path).map_err(DataError::io(path, "read the split file"))?;
    let mut part = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let refuse = |reason| DataError::Line { path: path.to_path_buf(), line: number as u64 + 1, reason };
        let Some((genre, name)) = line.split_once('\t') else {
            return Err(refuse("expected genre, tab, file name".into()));
        };
        let Some(&track) = index.get(&(genre.trim(), name.trim())) else {
            return Err(refuse(format!("the dataset has no {}/{}", genre.trim(), name.trim())));
        };
        part.push(track);
    }
    part.sort_unstable();
    Ok(part)
}
