//! Datasets that are a folder of `genre/file.ext`.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::DataError;
use crate::dataset::{Dataset, Track};

/// Extensions taken for audio. A file's content decides how it is read; this only tells audio from lists and pictures.
const AUDIO_EXTENSIONS: [&str; 28] = [
    "aac", "aif", "aifc", "aiff", "au", "caf", "flac", "m4a", "m4b", "mka", "mkv", "mp1", "mp2", "mp3",
    "mp4", "oga", "ogg", "opus", "rf64", "snd", "w64", "wav", "wave", "weba", "webm", "wma", "wv", "ape",
];

/// Whether a file's extension is one of an audio format.
#[must_use]
pub fn is_audio(path: &Path) -> bool {
    path.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|e| AUDIO_EXTENSIONS.contains(&e.to_ascii_lowercase().as_str()))
}

/// Reads a folder whose subfolders are genres and whose files in them are tracks.
///
/// Genres are the subfolders that hold an audio file, sorted by name; hidden files and folders (a leading dot) are passed
/// over, folders below a genre are not entered. Nothing is decoded here: a file named `.mp3` that is something else is a
/// track until its features are asked for.
///
/// # Errors
/// [`DataError::Io`] when a folder cannot be read, [`DataError::Dataset`] when the root is no folder, has no such
/// subfolders, or only one.
pub fn read(root: &Path) -> Result<Dataset, DataError> {
    let metadata = fs::metadata(root).map_err(DataError::io(root, "open the dataset folder"))?;
    let refuse = |reason: String| Err(DataError::Dataset { path: root.to_path_buf(), reason });
    if !metadata.is_dir() {
        return refuse("is a file, expected a folder of genre/file.ext".into());
    }
    let (mut classes, mut tracks, mut ignored) = (Vec::new(), Vec::new(), Vec::new());
    let mut loose = 0;
    for genre in sorted_entries(root)? {
        if !genre.is_dir() {
            loose += usize::from(is_audio(&genre));
            continue;
        }
        let name = readable(genre.file_name().unwrap_or_default());
        let before = tracks.len();
        for path in sorted_entries(&genre)? {
            if path.is_dir() {
                continue;
            }
            let id = format!("{name}/{}", readable(path.file_name().unwrap_or_default()));
            if is_audio(&path) {
                tracks.push(Track { id, path, class: classes.len() });
            } else {
                ignored.push(id);
            }
        }
        if tracks.len() > before {
            classes.push(name);
        }
    }
    match classes.as_slice() {
        [] if loose > 0 => refuse(format!(
            "{loose} audio files lie in the folder itself, expected one subfolder for each genre with its files in it"
        )),
        [] => {
            refuse("no audio file found, expected genre/file.ext (wav, flac, mp3, ogg, m4a, au, ...)".into())
        }
        [one] => refuse(format!("one genre only ({one}), at least two are needed to tell apart")),
        _ => {
            let name = root.file_name().map_or_else(|| readable(root.as_os_str()), readable);
            Ok(Dataset { name, classes, tracks, ignored })
        }
    }
}

/// The audio files below some paths: files as they are, folders searched through for audio files; sorted, each once.
///
/// Hidden files and folders are passed over, and so are links to folders, which may lead in circles. A path that does not
/// exist stays in the list, so that its error is told with the others.
///
/// # Errors
/// [`DataError::Io`] for a folder that cannot be read.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, DataError> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            collect(path, &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    // By the whole path as text, so that the order is that of the printed paths.
    found.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    found.dedup();
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), DataError> {
    for path in sorted_entries(folder)? {
        if path.is_dir() {
            if !path.is_symlink() {
                collect(&path, found)?;
            }
        } else if is_audio(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// The content of a regular file: what is a pipe or a device is refused before it is opened, since it may never end.
///
/// # Errors
/// [`DataError::Io`] when it cannot be read.
pub fn read_file(path: &Path) -> Result<Vec<u8>, DataError> {
    let metadata = fs::metadata(path).map_err(DataError::io(path, "read"))?;
    if !metadata.is_file() {
        let kind = if metadata.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::InvalidInput };
        return Err(DataError::io(path, "read")(io::Error::new(kind, "not a regular file")));
    }
    fs::read(path).map_err(DataError::io(path, "read"))
}

/// The entries of a folder that are not hidden, sorted by name, so that nothing depends on the file system's order.
fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let failed = || DataError::io(folder, "read the folder");
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        let hidden = path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
        if !hidden {
            entries.push(path);
        }
    }
    entries.sort();
    Ok(entries)
}

/// A name as text: bytes that are not UTF-8 as `%` and two hexadecimal digits, and so `%`, so that no two names coincide.
#[must_use]
pub fn readable(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace('%', "%25"));
        for byte in chunk.invalid() {
            text.push_str(&format!("%{byte:02x}"));
        }
    }
    text
}
