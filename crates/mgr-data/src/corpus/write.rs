//! The corpus on disk: one WAV file per clip and a stamp, written so that an interruption leaves nothing that passes for
//! finished.

use super::{CORPUS_VERSION, ClipSpec, Corpus, CorpusConfig, CorpusError};
use crate::atomic::{TEMPORARY, write_atomic};
use crate::{DataError, sha256_hex};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{Cursor, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Name of the stamp in a corpus's folder.
pub const CORPUS_STAMP: &str = "corpus.json";
/// Name of the stamp while the corpus is being written.
const BEGUN: &str = "corpus.partial.json";
/// A PCM WAV header.
const HEADER_BYTES: u64 = 44;

/// What a finished corpus's folder holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CorpusStamp {
    /// The [`CORPUS_VERSION`] it was written with.
    pub version: u32,
    /// The settings.
    pub config: CorpusConfig,
    /// The clips in order; empty in the stamp of an unfinished corpus.
    pub files: Vec<ClipFile>,
}

/// One file of a corpus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClipFile {
    /// Place below the corpus's folder.
    pub file: String,
    /// SHA-256 of the file in lower-case hexadecimal.
    pub sha256: String,
}

impl Corpus {
    /// Writes the corpus below `dir` as `<style>/<style>.00000.wav` (PCM, 16 bit, mono) with the stamp
    /// [`CORPUS_STAMP`] at the end.
    ///
    /// Clips are rendered in parallel on the current rayon pool. A file gets its name only when it is complete, and
    /// finished files of an interrupted run with the same settings and version are kept. `progress` is called with the
    /// number of finished clips after each, from any thread, not necessarily in ascending order.
    ///
    /// # Errors
    /// [`CorpusError::OtherCorpus`] where `dir` holds a corpus of other settings, [`CorpusError::Stamp`] for a stamp that
    /// cannot be read, [`CorpusError::Io`] and [`CorpusError::Encode`] where writing fails.
    pub fn write_to(
        &self,
        dir: &Path,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<CorpusStamp, CorpusError> {
        if let Some(stamp) = self.finished(dir)? {
            progress(self.len());
            return Ok(stamp);
        }
        // Files are trusted only where a stamp says that these settings made them.
        let resume =
            self.own_stamp(&dir.join(BEGUN))?.is_some() || self.own_stamp(&dir.join(CORPUS_STAMP))?.is_some();
        for style in self.styles() {
            let folder = dir.join(style.name());
            fs::create_dir_all(&folder).map_err(io("create", &folder))?;
        }
        let begun = CorpusStamp { version: CORPUS_VERSION, config: self.config.clone(), files: Vec::new() };
        if !resume {
            for clip in self.clips() {
                remove(&dir.join(clip.file()))?;
            }
        }
        write_json(&dir.join(BEGUN), &begun)?;
        let done = AtomicUsize::new(0);
        let clips: Vec<ClipSpec> = self.clips().collect();
        let files = clips
            .par_iter()
            .map(|clip| {
                let file = self.write_clip(dir, *clip)?;
                progress(done.fetch_add(1, Ordering::Relaxed) + 1);
                Ok(file)
            })
            .collect::<Result<Vec<ClipFile>, CorpusError>>()?;
        let stamp = CorpusStamp { files, ..begun };
        write_json(&dir.join(CORPUS_STAMP), &stamp)?;
        self.tidy(dir)?;
        Ok(stamp)
    }

    /// The corpus's folder below `cache_dir` ([`Corpus::folder_name`]), written first where it is not complete. A complete
    /// one is recognised by its stamp and the sizes of its files, without reading them.
    ///
    /// # Errors
    /// As [`Corpus::write_to`].
    pub fn ensure(&self, cache_dir: &Path) -> Result<PathBuf, CorpusError> {
        let dir = cache_dir.join(self.folder_name());
        self.write_to(&dir, &|_| ())?;
        Ok(dir)
    }

    /// Reads every file of a finished corpus and compares it with the stamp.
    ///
    /// # Errors
    /// [`CorpusError::Corrupt`] for a file that differs, [`CorpusError::Io`] for one that is missing, and the errors of
    /// [`Corpus::write_to`] for the stamp.
    pub fn verify(&self, dir: &Path) -> Result<(), CorpusError> {
        let path = dir.join(CORPUS_STAMP);
        let Some(stamp) = self.own_stamp(&path)? else {
            let missing = std::io::Error::from(ErrorKind::NotFound);
            return Err(CorpusError::Io { action: "read", path, source: missing });
        };
        stamp.files.par_iter().try_for_each(|entry| {
            let path = dir.join(&entry.file);
            let bytes = fs::read(&path).map_err(io("read", &path))?;
            if sha256_hex(&bytes) == entry.sha256 { Ok(()) } else { Err(CorpusError::Corrupt { path }) }
        })
    }

    /// Bytes of a clip's file.
    fn clip_bytes(&self) -> u64 {
        HEADER_BYTES + 2 * self.clip_samples() as u64
    }

    /// The stamp of a finished corpus in `dir`, if it is finished.
    fn finished(&self, dir: &Path) -> Result<Option<CorpusStamp>, CorpusError> {
        let Some(stamp) = self.own_stamp(&dir.join(CORPUS_STAMP))? else { return Ok(None) };
        let whole = stamp.files.len() == self.len()
            && self.clips().zip(&stamp.files).all(|(clip, entry)| {
                entry.file == clip.file() && size(&dir.join(&entry.file)) == Some(self.clip_bytes())
            });
        Ok(whole.then_some(stamp))
    }

    /// The stamp at `path`; none where there is no file.
    fn own_stamp(&self, path: &Path) -> Result<Option<CorpusStamp>, CorpusError> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io("read", path)(e)),
        };
        let stamp: CorpusStamp = serde_json::from_slice(&text)
            .map_err(|source| CorpusError::Stamp { path: path.into(), source })?;
        if stamp.version == CORPUS_VERSION && stamp.config == self.config {
            Ok(Some(stamp))
        } else {
            Err(CorpusError::OtherCorpus { path: path.into() })
        }
    }

    /// Writes a clip where it is missing or of a wrong size, and says what it holds.
    fn write_clip(&self, dir: &Path, clip: ClipSpec) -> Result<ClipFile, CorpusError> {
        let file = clip.file();
        let path = dir.join(&file);
        let bytes = if size(&path) == Some(self.clip_bytes()) {
            fs::read(&path).map_err(io("read", &path))?
        } else {
            let bytes = self.encode(clip)?;
            write_whole(&path, &bytes)?;
            bytes
        };
        Ok(ClipFile { file, sha256: sha256_hex(&bytes) })
    }

    /// The clip as a WAV file: `round(32768 x)`.
    fn encode(&self, clip: ClipSpec) -> Result<Vec<u8>, CorpusError> {
        let failed = |source| CorpusError::Encode { name: clip.name(), source };
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: self.config.sample_rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).map_err(failed)?;
        for sample in self.render_clip(clip) {
            #[allow(clippy::cast_possible_truncation)]
            let value = (sample * 32_768.0).round() as i16;
            writer.write_sample(value).map_err(failed)?;
        }
        writer.finalize().map_err(failed)?;
        Ok(bytes.into_inner())
    }

    /// Removes what interrupted runs left behind.
    fn tidy(&self, dir: &Path) -> Result<(), CorpusError> {
        for style in self.styles() {
            let folder = dir.join(style.name());
            for entry in fs::read_dir(&folder).map_err(io("list", &folder))? {
                let path = entry.map_err(io("list", &folder))?.path();
                if path.file_name().is_some_and(|name| name.to_string_lossy().contains(TEMPORARY)) {
                    remove(&path)?;
                }
            }
        }
        remove(&dir.join(BEGUN))
    }
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> CorpusError + use<> {
    let path = path.to_path_buf();
    move |source| CorpusError::Io { action, path, source }
}

fn size(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|m| m.len())
}

fn remove(path: &Path) -> Result<(), CorpusError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(io("remove", path)(e)),
        _ => Ok(()),
    }
}

fn write_json(path: &Path, stamp: &CorpusStamp) -> Result<(), CorpusError> {
    let mut text = serde_json::to_vec_pretty(stamp)
        .map_err(|source| CorpusError::Stamp { path: path.into(), source })?;
    text.push(b'\n');
    write_whole(path, &text)
}

/// Writes a file so that its name stands for a whole file or for none.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), CorpusError> {
    match write_atomic(path, |out| out.write_all(bytes)) {
        Ok(()) => Ok(()),
        // Another run finished the same file and tidied up in between.
        Err(DataError::Io { source, .. })
            if source.kind() == ErrorKind::NotFound && size(path) == Some(bytes.len() as u64) =>
        {
            Ok(())
        }
        Err(DataError::Io { path, action, source }) => Err(CorpusError::Io { action, path, source }),
        Err(other) => Err(io("write", path)(std::io::Error::other(other))),
    }
}
