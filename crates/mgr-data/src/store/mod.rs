//! The feature store: features on disk by what determines them, appended, committed one by one, read through memory maps.
//!
//! Below the root each front end has a folder named by its fingerprint (configuration, code versions), which holds
//!
//! | file | what |
//! |---|---|
//! | `front_end.json` | the configuration, for people |
//! | `store.json` | the version of this layout |
//! | `data-00000`, ... | arrays (segments, rows, frames) as `.npy`, each with the decoder's report behind it; a new file every GiB |
//! | `index` | 104 bytes a clip: SHA-256 of the audio file, place, lengths, checksums |
//! | `lock` | held while something is appended |
//!
//! A clip is there when its entry stands whole in the index, which is written last: whenever a program is killed, what was put before is
//! there and what was being put is not. What a killed writer left behind the last entry is written over by the next. Several
//! processes may write at once: each append takes the lock, looks what the others have put, and does nothing where the clip is there.
//! After a power failure an entry may stand before its data; its checksum tells, and the clip is computed again.
//!
//! Moving or renaming audio files costs nothing; a changed file or setting is computed anew.

mod index;
mod map;

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memmap2::Mmap;
use mgr_audio::DecodeReport;
use ndarray::ArrayView3;
use ndarray_npy::{ViewNpyExt, WriteNpyExt};
use serde::{Deserialize, Serialize};

use self::index::{ENTRY, Entry, Index};
use crate::front_end::{ClipFeatures, FrontEnd};
use crate::{DataError, write_atomic};

/// The version of the layout above.
const FORMAT: u32 = 2;

/// A data file is closed at this size.
const PACK: u64 = 1 << 30;

#[derive(Debug, Serialize, Deserialize)]
struct Description {
    /// Version of the layout.
    format: u32,
}

/// The part of a store that belongs to one front end. Clones share what they know of it.
#[derive(Debug, Clone)]
pub struct FeatureStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    rows: usize,
    frames: usize,
    pack_size: u64,
    known: Mutex<Known>,
    /// Held by the one thread of this process that appends; the lock file keeps other processes out.
    appending: Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    index: Index,
    maps: HashMap<u32, Arc<Mmap>>,
    /// Keys whose checksum was seen to be right.
    whole: HashSet<String>,
}

/// What a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreCensus {
    /// Clips.
    pub clips: usize,
    /// Entries that a later one of the same clip replaced: clips that were damaged and computed again.
    pub replaced: usize,
    /// Entries that cannot be read.
    pub damaged: usize,
    /// Bytes of the data files and the index.
    pub bytes: u64,
}

/// The features of a clip where they lie in the store, without a copy.
#[derive(Debug, Clone)]
pub struct MappedClip {
    map: Arc<Mmap>,
    path: PathBuf,
    start: usize,
    array: usize,
    report: usize,
}

impl MappedClip {
    /// (segments, rows, frames), standard layout.
    ///
    /// # Errors
    /// [`DataError::Stored`] for a file that is not what was written.
    pub fn segments(&self) -> Result<ArrayView3<'_, f32>, DataError> {
        let bytes = self.map.get(self.start..self.start + self.array).unwrap_or_default();
        ArrayView3::<f32>::view_npy(bytes).map_err(|e| bad(&self.path, e.to_string()))
    }

    /// The decoder's report.
    ///
    /// # Errors
    /// [`DataError::Stored`] for a file that is not what was written.
    pub fn report(&self) -> Result<DecodeReport, DataError> {
        let start = self.start + self.array;
        let bytes = self.map.get(start..start + self.report).unwrap_or_default();
        serde_json::from_slice(bytes).map_err(|e| bad(&self.path, e.to_string()))
    }
}

fn bad(path: &Path, reason: String) -> DataError {
    DataError::Stored { path: path.to_path_buf(), reason }
}

/// Nothing that is kept under these locks is left half-changed by a thread that panicked elsewhere.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FeatureStore {
    /// Opens the store below `root` for a front end, and makes it if need be.
    ///
    /// # Errors
    /// [`DataError::Io`]; [`DataError::NewerStore`] for one that a later version of this program made.
    pub fn open(root: &Path, front_end: &FrontEnd) -> Result<Self, DataError> {
        let folder = root.join(front_end.fingerprint());
        let description = folder.join("front_end.json");
        if !description.exists() {
            let json = serde_json::to_vec_pretty(front_end.config())?;
            write_atomic(&description, |out| out.write_all(&json))?;
        }
        let layout = front_end.layout();
        Self::at(folder, layout.rows, layout.columns, PACK)
    }

    /// Opens the store below `root` for matrices of (`rows`, `frames`) that something other than a front end makes, an embedding for
    /// one. `description` says all that they depend on: its fingerprint is the folder's name, its JSON lies there as `file`.
    ///
    /// # Errors
    /// [`DataError::Serialise`] for a description that JSON cannot hold; else as [`FeatureStore::open`].
    pub fn open_described<T: Serialize>(
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
        Self::at(folder, rows, frames, PACK)
    }

    fn at(folder: PathBuf, rows: usize, frames: usize, pack_size: u64) -> Result<Self, DataError> {
        let version = folder.join("store.json");
        match fs::read(&version) {
            Ok(json) => {
                let found: Description =
                    serde_json::from_slice(&json).map_err(|e| bad(&version, e.to_string()))?;
                if found.format > FORMAT {
                    return Err(DataError::NewerStore { path: folder, found: found.format, known: FORMAT });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let json = serde_json::to_vec(&Description { format: FORMAT })?;
                write_atomic(&version, |out| out.write_all(&json))?;
            }
            Err(error) => return Err(DataError::io(&version, "read")(error)),
        }
        let (known, appending) = (Mutex::default(), Mutex::default());
        let store = Self { shared: Arc::new(Shared { folder, rows, frames, pack_size, known, appending }) };
        store.refresh(&mut held(&store.shared.known), false)?;
        Ok(store)
    }

    /// The folder of this front end's features.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    fn pack(&self, number: u32) -> PathBuf {
        self.shared.folder.join(format!("data-{number:05}"))
    }

    fn index(&self) -> PathBuf {
        self.shared.folder.join("index")
    }

    /// Reads what has come to the index since it was last read, by this process or by another.
    /// `locked` tells that nobody is writing.
    fn refresh(&self, known: &mut Known, locked: bool) -> Result<(), DataError> {
        let path = self.index();
        let failed = || DataError::io(&path, "read");
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed()(error)),
        };
        let length = file.metadata().map_err(failed())?.len();
        if length < known.index.read {
            // Somebody deleted the store and made a new one.
            *known = Known::default();
        }
        if length >= known.index.read + ENTRY as u64 {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(known.index.read)).map_err(failed())?;
            file.read_to_end(&mut bytes).map_err(failed())?;
            known.index.take(&bytes, locked);
        }
        Ok(())
    }

    /// The clips of the store, by the SHA-256 of their files, sorted.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn contents(&self) -> Result<Vec<String>, DataError> {
        let mut known = held(&self.shared.known);
        self.refresh(&mut known, false)?;
        Ok(known.index.keys())
    }

    /// Counts what the store holds.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn census(&self) -> Result<StoreCensus, DataError> {
        let mut known = held(&self.shared.known);
        self.refresh(&mut known, false)?;
        let packs = (0..=known.index.tail.0).map(|number| self.pack(number));
        let sizes = packs.chain([self.index()]).filter_map(|path| Some(fs::metadata(path).ok()?.len()));
        let index = &known.index;
        let (clips, replaced, damaged) = (index.len(), index.replaced, index.damaged);
        Ok(StoreCensus { clips, replaced, damaged, bytes: sizes.sum() })
    }

    /// The features of a file by the SHA-256 of its content, where they lie; none when they are not stored.
    ///
    /// # Errors
    /// [`DataError::Io`], and [`DataError::Stored`] for data that are not what was written.
    pub fn view(&self, content: &str) -> Result<Option<MappedClip>, DataError> {
        let mut known = held(&self.shared.known);
        if known.index.get(content).is_none() {
            self.refresh(&mut known, false)?;
        }
        let Some(entry) = known.index.get(content).cloned() else { return Ok(None) };
        let clip = self.mapped(&mut known, &entry)?;
        if known.whole.contains(content) {
            return Ok(Some(clip));
        }
        // The checksum is taken without the lock: it reads the whole clip from disk.
        drop(known);
        let range = clip.start..clip.start + clip.array + clip.report;
        if crc32fast::hash(clip.map.get(range).unwrap_or_default()) != entry.checksum {
            return Err(bad(&clip.path, format!("the checksum of {content} is wrong")));
        }
        let (count, rows, frames) = clip.segments()?.dim();
        if count == 0 || (rows, frames) != (self.shared.rows, self.shared.frames) {
            let (want_rows, want_frames) = (self.shared.rows, self.shared.frames);
            let reason =
                format!("shape {count} x {rows} x {frames}, expected n x {want_rows} x {want_frames}");
            return Err(bad(&clip.path, reason));
        }
        held(&self.shared.known).whole.insert(content.to_owned());
        Ok(Some(clip))
    }

    fn mapped(&self, known: &mut Known, entry: &Entry) -> Result<MappedClip, DataError> {
        let path = self.pack(entry.pack);
        let end = entry.end().and_then(|end| usize::try_from(end).ok());
        let end = end.ok_or_else(|| bad(&path, "is larger than memory can be".into()))?;
        let map = match known.maps.get(&entry.pack) {
            Some(map) if map.len() >= end => Arc::clone(map),
            // The file has grown since it was mapped, or was not mapped yet.
            _ => {
                let file = File::open(&path).map_err(DataError::io(&path, "open"))?;
                let map = Arc::new(map::map(&file).map_err(DataError::io(&path, "map"))?);
                known.maps.insert(entry.pack, Arc::clone(&map));
                map
            }
        };
        if map.len() < end {
            return Err(bad(&path, format!("has {} bytes, {end} are needed", map.len())));
        }
        // Within the length of the map, which is a usize.
        let (start, array, report) = (entry.offset as usize, entry.array as usize, entry.report as usize);
        Ok(MappedClip { map, path, start, array, report })
    }

    /// The features of a file by the SHA-256 of its content, as a copy; none when they are not stored.
    ///
    /// # Errors
    /// [`DataError::Io`], and [`DataError::Stored`] for data that are not what was written.
    pub fn get(&self, content: &str) -> Result<Option<ClipFeatures>, DataError> {
        let Some(clip) = self.view(content)? else { return Ok(None) };
        Ok(Some(ClipFeatures { segments: clip.segments()?.to_owned(), report: clip.report()? }))
    }

    /// Stores the features of a file, if nobody has meanwhile. When it returns they are there for every process, whatever becomes of
    /// this one; see [`FeatureStore::sync`] for power failures.
    ///
    /// # Errors
    /// [`DataError::Io`]; what was stored before is untouched. [`DataError::Stored`] for a name longer than 64 bytes, and for features
    /// that have not the front end's shape.
    pub fn put(&self, content: &str, clip: &ClipFeatures) -> Result<(), DataError> {
        self.put_through(content, clip, &|file, bytes| file.write_all(bytes))
    }

    /// As [`FeatureStore::put`], by a disk that may fill up.
    fn put_through(
        &self,
        content: &str,
        clip: &ClipFeatures,
        disk: &dyn Fn(&mut File, &[u8]) -> io::Result<()>,
    ) -> Result<(), DataError> {
        let folder = &self.shared.folder;
        if !Entry::can_hold(content) {
            return Err(bad(folder, format!("{content:?} is no name of a clip, 1 to 64 bytes are needed")));
        }
        let (count, rows, frames) = clip.segments.dim();
        if count == 0 || (rows, frames) != (self.shared.rows, self.shared.frames) {
            let (want_rows, want_frames) = (self.shared.rows, self.shared.frames);
            let reason =
                format!("shape {count} x {rows} x {frames}, expected n x {want_rows} x {want_frames}");
            return Err(bad(folder, reason));
        }
        let mut bytes = Vec::with_capacity(4 * clip.segments.len() + 1024);
        let segments = clip.segments.as_standard_layout();
        segments.write_npy(&mut bytes).map_err(|e| bad(folder, e.to_string()))?;
        let array = bytes.len() as u64;
        serde_json::to_writer(&mut bytes, &clip.report)?;
        let report = bytes.len() as u64 - array;
        let checksum = crc32fast::hash(&bytes);
        let key = content.to_owned();

        let _one = held(&self.shared.appending);
        let lock = folder.join("lock");
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&lock);
        let lock_file = open.map_err(DataError::io(&lock, "open"))?;
        // Given back when the file is closed, also by a process that is killed.
        lock_file.lock().map_err(DataError::io(&lock, "lock"))?;
        let tail = {
            let mut known = held(&self.shared.known);
            self.refresh(&mut known, true)?;
            known.index.tail
        };
        if matches!(self.view(content), Ok(Some(_))) {
            return Ok(());
        }
        let start = tail.1.next_multiple_of(64);
        let (pack, offset) = if start > 0 && start + bytes.len() as u64 > self.shared.pack_size {
            (tail.0 + 1, 0)
        } else {
            (tail.0, start)
        };
        let path = self.pack(pack);
        append(&path, offset, &bytes, disk).map_err(DataError::io(&path, "write"))?;
        let entry = Entry { key, pack, offset, array, report, checksum };
        let path = self.index();
        let end = held(&self.shared.known).index.read;
        // At the end of the last whole entry: what a killed writer left of one is written over.
        append(&path, end, &entry.encode(), disk).map_err(DataError::io(&path, "write"))?;
        self.refresh(&mut held(&self.shared.known), true)
    }

    /// Brings what was put to the disk itself, so that a power failure takes nothing of it.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn sync(&self) -> Result<(), DataError> {
        let last = held(&self.shared.known).index.tail.0;
        for path in (0..=last).map(|number| self.pack(number)).chain([self.index()]) {
            match OpenOptions::new().append(true).open(&path) {
                Ok(file) => file.sync_all().map_err(DataError::io(&path, "write"))?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(DataError::io(&path, "open")(error)),
            }
        }
        Ok(())
    }
}

fn append(
    path: &Path,
    offset: u64,
    bytes: &[u8],
    disk: &dyn Fn(&mut File, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    disk(&mut file, bytes)
}

#[cfg(test)]
mod tests;
