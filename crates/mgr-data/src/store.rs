//! The feature store: features on disk by what determines them, one file a clip.
//!
//! Below the root each front end has a folder named by its fingerprint, with its configuration in `front_end.json`. A clip's
//! feature is `<sha256 of the audio file>.npy` there, (segments, rows, frames) in f32, and the decoder's report beside it as
//! `.json`. A file is written under another name, flushed and renamed, the array last: what is there is whole, whenever a
//! program ended. Moving or renaming audio files costs nothing; a changed file or setting is computed anew.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mgr_audio::DecodeReport;
use ndarray::ArrayView3;
use ndarray_npy::{ViewNpyExt, WriteNpyExt};

use crate::front_end::{ClipFeatures, FrontEnd};
use crate::{DataError, write_atomic};

/// The part of a store that belongs to one front end.
#[derive(Debug, Clone)]
pub struct FeatureStore {
    folder: PathBuf,
    rows: usize,
    frames: usize,
}

impl FeatureStore {
    /// Opens the store below `root` for a front end, and makes it if need be.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn open(root: &Path, front_end: &FrontEnd) -> Result<Self, DataError> {
        let folder = root.join(front_end.fingerprint());
        let description = folder.join("front_end.json");
        if !description.exists() {
            let json = serde_json::to_vec_pretty(front_end.config())?;
            write_atomic(&description, |out| out.write_all(&json))?;
        }
        let layout = front_end.layout();
        Ok(Self { folder, rows: layout.rows, frames: layout.columns })
    }

    /// Opens the store below `root` for matrices of (`rows`, `frames`) that something other than a front end makes, an embedding for
    /// one. `description` says all that they depend on: its fingerprint is the folder's name, its JSON lies there as `file`.
    ///
    /// # Errors
    /// [`DataError::Io`]; [`DataError::Json`] for a description that JSON cannot hold.
    pub fn open_described<T: serde::Serialize>(
        root: &Path,
        file: &str,
        description: &T,
        [rows, frames]: [usize; 2],
    ) -> Result<Self, DataError> {
        let folder = root.join(crate::fingerprint(description)?);
        let path = folder.join(file);
        if !path.exists() {
            let json = serde_json::to_vec_pretty(description)?;
            write_atomic(&path, |out| out.write_all(&json))?;
        }
        Ok(Self { folder, rows, frames })
    }

    /// The folder of this front end's features.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn array(&self, content: &str) -> PathBuf {
        self.folder.join(format!("{content}.npy"))
    }

    fn report(&self, content: &str) -> PathBuf {
        self.folder.join(format!("{content}.json"))
    }

    /// The features of a file by the SHA-256 of its content; none when they are not stored.
    ///
    /// # Errors
    /// [`DataError::Io`], and [`DataError::Stored`] for a file that is not what was written.
    pub fn get(&self, content: &str) -> Result<Option<ClipFeatures>, DataError> {
        let path = self.array(content);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(DataError::io(&path, "read")(error)),
        };
        let bad = |path: &Path, reason: String| DataError::Stored { path: path.to_path_buf(), reason };
        // A view checks the header against the length before anything is allocated by it.
        let segments = ArrayView3::<f32>::view_npy(&bytes).map_err(|e| bad(&path, e.to_string()))?;
        let (count, rows, frames) = segments.dim();
        if count == 0 || (rows, frames) != (self.rows, self.frames) {
            let reason =
                format!("shape {count} x {rows} x {frames}, expected n x {} x {}", self.rows, self.frames);
            return Err(bad(&path, reason));
        }
        let path = self.report(content);
        let json = fs::read(&path).map_err(DataError::io(&path, "read"))?;
        let report: DecodeReport = serde_json::from_slice(&json).map_err(|e| bad(&path, e.to_string()))?;
        Ok(Some(ClipFeatures { segments: segments.to_owned(), report }))
    }

    /// Stores the features of a file. Whoever else stores the same at the same time stores the same bytes.
    ///
    /// # Errors
    /// [`DataError::Io`]; what was stored before is untouched.
    pub fn put(&self, content: &str, clip: &ClipFeatures) -> Result<(), DataError> {
        self.put_with(content, clip, |out, write| write(out))
    }

    /// As [`FeatureStore::put`], with `through` between the encoder and the file, so that a disk that fills up can be tried.
    fn put_with(
        &self,
        content: &str,
        clip: &ClipFeatures,
        through: impl Fn(&mut dyn Write, &dyn Fn(&mut dyn Write) -> io::Result<()>) -> io::Result<()>,
    ) -> Result<(), DataError> {
        let json = serde_json::to_vec(&clip.report)?;
        write_atomic(&self.report(content), |out| through(out, &|out| out.write_all(&json)))?;
        write_atomic(&self.array(content), |out| {
            through(out, &|out| {
                clip.segments.write_npy(out).map_err(|e| match e {
                    ndarray_npy::WriteNpyError::Io(error) => error,
                    other => io::Error::other(other),
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front_end::FrontEndConfig;
    use mgr_audio::SegmentConfig;
    use mgr_features::{FeatureConfig, presets};

    /// A disk that has room for so many bytes more.
    struct Filling<'a> {
        out: &'a mut dyn Write,
        room: usize,
    }

    impl Write for Filling<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let n = self.out.write(&bytes[..bytes.len().min(self.room)])?;
            self.room -= n;
            Ok(n)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.out.flush()
        }
    }

    #[test]
    fn a_full_disk_is_an_error_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let segment = SegmentConfig {
            clip_length: 4096,
            segment_length: 4096,
            segments: 1,
            ..SegmentConfig::default()
        };
        let feature = FeatureConfig::LogMel(presets::gtzan8());
        let front_end = FrontEndConfig { sample_rate: 16_000, segment, feature }.plan().unwrap();
        let wav = folder.path().join("x.wav");
        mgr_audio::write_wav(&wav, &[0.25; 5000], 16_000, mgr_audio::WavFormat::Pcm16).unwrap();
        let clip = front_end.process(fs::read(&wav).unwrap(), "x.wav").unwrap();
        let store = FeatureStore::open(folder.path(), &front_end).unwrap();
        store.put("old", &clip).unwrap();
        for room in [0, 100, 2000] {
            let error = store.put_filling("new", &clip, room).unwrap_err().to_string();
            assert!(error.contains("no storage space"), "{error}");
            assert_eq!(store.get("new").unwrap(), None);
            assert_eq!(store.get("old").unwrap().as_ref(), Some(&clip));
            assert_eq!(crate::sweep_partial(folder.path()).unwrap(), 0, "nothing half-written stays");
        }
        store.put("new", &clip).unwrap();
        assert_eq!(store.get("new").unwrap(), Some(clip));
    }

    impl FeatureStore {
        fn put_filling(&self, content: &str, clip: &ClipFeatures, room: usize) -> Result<(), DataError> {
            self.put_with(content, clip, |out, write| write(&mut Filling { out, room }))
        }
    }
}
