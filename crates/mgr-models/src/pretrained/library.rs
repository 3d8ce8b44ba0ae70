//! Imported weights in the user's cache folder, one file a name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Pretrained, published};
use crate::Error;

/// A folder of imported weights.
#[derive(Debug, Clone)]
pub struct Library {
    folder: PathBuf,
}

/// The library in [`mgr_data::cache_folder`], below `weights`.
///
/// # Errors
/// [`Error::File`] where neither a cache nor a home folder is known.
pub fn open() -> Result<Library, Error> {
    let folder = mgr_data::cache_folder().ok_or_else(|| Error::File {
        action: "find",
        path: PathBuf::from("the cache folder"),
        source: io::Error::new(io::ErrorKind::NotFound, "MGR_CACHE and HOME are not set"),
    })?;
    Ok(Library::at(&folder.join("weights")))
}

impl Library {
    /// The library in this folder, which need not be there.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the weights of this name are kept.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.safetensors"))
    }

    /// Keeps weights under their name, in place of what was there.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn put(&self, pretrained: &Pretrained) -> Result<PathBuf, Error> {
        let path = self.path(pretrained.name());
        pretrained.save(&path)?;
        Ok(path)
    }

    /// The weights of this name; none where they have not been imported.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for a name that is not of the catalogue, [`Error::File`], [`Error::MalformedFile`].
    pub fn get(&self, name: &str) -> Result<Option<Pretrained>, Error> {
        let path = self.path(published(name)?.name);
        if !path.exists() {
            return Ok(None);
        }
        let pretrained = Pretrained::load(&path)?;
        if pretrained.name() != name {
            let reason = format!("it holds {}", pretrained.name());
            return Err(Error::MalformedFile { path, expected: "file of pretrained weights", reason });
        }
        Ok(Some(pretrained))
    }

    /// The names of the weights that are there, sorted.
    ///
    /// # Errors
    /// [`Error::File`] where the folder cannot be read; a missing one is empty.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        let wrong = |source| Error::File { action: "read", path: self.folder.clone(), source };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(wrong(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(wrong)?.file_name();
            if let Some(name) = name.to_str().and_then(|name| name.strip_suffix(".safetensors"))
                && published(name).is_ok()
            {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}
