//! Files that are either whole or not there.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::DataError;

/// Marks files that were being written when a program ended; anyone may delete them.
pub(crate) const TEMPORARY: &str = ".partial-";

/// A name beside `path` that no other writer uses at the same time.
fn temporary(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // Short, so that a long name that fits does not fail; with the time, since machines that share a folder may share numbers.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!("{TEMPORARY}{}-{now}-{number}", std::process::id()))
}

/// Writes a file through `write` so that at every moment `path` is the old file or the whole new one.
///
/// The content goes to a temporary file in the same folder, is flushed to the disk and renamed. When `write` or the
/// disk fails, the temporary file is removed and `path` is left as it was. Folders above `path` are made.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("a/b.txt");
/// mgr_data::write_atomic(&path, |out| out.write_all(b"whole"))?;
/// assert_eq!(std::fs::read(&path).unwrap(), b"whole");
/// # Ok::<(), mgr_data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::Io`] with the path that was to be written.
pub fn write_atomic(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), DataError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(DataError::io(folder, "make the folder"))?;
    }
    let temporary = temporary(path);
    let written = (|| {
        let mut out = BufWriter::new(File::create_new(&temporary)?);
        write(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&temporary, path)?;
        // The rename itself reaches the disk with the folder; only Unix lets a folder be opened.
        #[cfg(unix)]
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    })();
    written.map_err(|error| {
        // The first error is the one to tell; the leftover is named so that it is known for what it is.
        let _ = fs::remove_file(&temporary);
        DataError::io(path, "write")(error)
    })
}

/// Deletes what programs that were killed left half-written below a folder, and counts it. Call it when nobody else writes
/// there; links to folders are not followed.
///
/// # Errors
/// [`DataError::Io`] for a folder that cannot be read or a file that cannot be deleted.
pub fn sweep_partial(folder: &Path) -> Result<usize, DataError> {
    let mut swept = 0;
    for entry in fs::read_dir(folder).map_err(DataError::io(folder, "read the folder"))? {
        let entry = entry.map_err(DataError::io(folder, "read the folder"))?;
        let path = entry.path();
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            swept += sweep_partial(&path)?;
        } else if entry.file_name().to_string_lossy().contains(TEMPORARY) {
            fs::remove_file(&path).map_err(DataError::io(&path, "delete"))?;
            swept += 1;
        }
    }
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_fails_half_way_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.bin");
        write_atomic(&path, |out| out.write_all(b"old")).unwrap();
        let error = write_atomic(&path, |out| {
            out.write_all(&[0; 100_000])?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        let message = error.unwrap_err().to_string();
        assert!(message.contains("x.bin: cannot write: no storage space"), "{message}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no leftovers");
    }

    #[test]
    fn a_folder_that_is_a_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"x").unwrap();
        let message = write_atomic(&file.join("y.txt"), |_| Ok(())).unwrap_err().to_string();
        assert!(message.contains("file: cannot make the folder"), "{message}");
    }
}
