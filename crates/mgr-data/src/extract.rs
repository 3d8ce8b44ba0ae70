//! The features of a whole dataset: in parallel, through the store, with bad files set aside.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use mgr_audio::{DecodeReport, Loader};
use rayon::prelude::*;

use crate::dataset::Track;
use crate::folder::read_file;
use crate::front_end::{ClipFeatures, FrontEnd};
use crate::store::FeatureStore;
use crate::{DataError, sha256_hex};

/// A clip whose features are in the store.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredClip {
    /// Position of the track in the dataset.
    pub track: usize,
    /// SHA-256 of the audio file, the key in the store.
    pub content: String,
    /// Number of its segments.
    pub segments: usize,
    /// The decoder's report.
    pub report: DecodeReport,
}

/// A clip without features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedClip {
    /// Position of the track in the dataset.
    pub track: usize,
    /// Why, in a sentence that names the file.
    pub reason: String,
}

/// What became of the clips of a dataset.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extraction {
    /// Clips in the store, in the dataset's order.
    pub clips: Vec<StoredClip>,
    /// Clips that cannot be used, in the dataset's order.
    pub failed: Vec<FailedClip>,
    /// How many features were found in the store.
    pub reused: usize,
}

/// Brings the features of all tracks into the store, over all threads of rayon's current pool. `done` is called with the
/// number of clips that are finished, bad ones included.
///
/// A file that cannot be read, decoded or used is a [`FailedClip`] and the others go on; a damaged store entry is computed
/// again.
///
/// # Errors
/// [`DataError::Io`] when the store cannot be written: what is stored stays and is found by the next call.
pub fn extract(
    tracks: &[Track],
    front_end: &FrontEnd,
    store: &FeatureStore,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Extraction, DataError> {
    let finished = AtomicUsize::new(0);
    let results: Vec<_> = tracks
        .par_iter()
        .map(|track| {
            let result = through_store(&track.path, &track.id, front_end, store);
            done(finished.fetch_add(1, Ordering::Relaxed) + 1);
            result
        })
        .collect();
    store.sync()?;
    let mut extraction = Extraction::default();
    for (track, result) in results.into_iter().enumerate() {
        match result {
            Ok(Outcome::Clip { content, segments, report, reused }) => {
                extraction.clips.push(StoredClip { track, content, segments, report });
                extraction.reused += usize::from(reused);
            }
            Ok(Outcome::Bad(error)) => {
                extraction.failed.push(FailedClip { track, reason: error.to_string() });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(extraction)
}

/// Decodes every clip whole and makes something of its samples, over all threads of rayon's current pool: features as long as the
/// clip, pictures, an augmented variant. `done` is called with the number of clips that are finished, bad ones included.
///
/// Returns what was made with the position of its track, in the dataset's order, and the clips that cannot be used. Nothing is kept
/// on disk; for features of one shape there is [`extract`].
///
/// A file that cannot be decoded, one of silence only, and one that `make` refuses is a [`FailedClip`]; the others go on.
///
/// ```no_run
/// use mgr_audio::LoadConfig;
/// use mgr_data::dataset::Dataset;
/// use mgr_data::extract::map_clips;
///
/// # fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let dataset = Dataset::folder(std::path::Path::new("genres"))?;
/// let loader = LoadConfig { sample_rate: Some(22_050), ..LoadConfig::default() }.plan()?;
/// let (seconds, failed) =
///     map_clips(&dataset.tracks, &loader, |_, samples| Ok(samples.len() as f64 / 22_050.0), &|_| ());
/// # Ok(())
/// # }
/// ```
pub fn map_clips<T: Send>(
    tracks: &[Track],
    loader: &Loader,
    make: impl Fn(&Track, Vec<f32>) -> Result<T, DataError> + Sync,
    done: &(dyn Fn(usize) + Sync),
) -> (Vec<(usize, T)>, Vec<FailedClip>) {
    let finished = AtomicUsize::new(0);
    let one = |track: &Track| -> Result<T, DataError> {
        let samples = loader.load_bytes(read_file(&track.path)?, &track.id)?.samples;
        if samples.iter().all(|&x| x == 0.0) {
            return Err(DataError::Silent { name: track.id.clone(), samples: samples.len() });
        }
        make(track, samples)
    };
    let results: Vec<_> = tracks
        .par_iter()
        .map(|track| {
            let result = one(track);
            done(finished.fetch_add(1, Ordering::Relaxed) + 1);
            result
        })
        .collect();
    let (mut made, mut failed) = (Vec::new(), Vec::new());
    for (track, result) in results.into_iter().enumerate() {
        match result {
            Ok(value) => made.push((track, value)),
            Err(error) => failed.push(FailedClip { track, reason: error.to_string() }),
        }
    }
    (made, failed)
}

enum Outcome {
    Clip { content: String, segments: usize, report: DecodeReport, reused: bool },
    Bad(DataError),
}

impl Outcome {
    /// The features themselves are in the store; only what tells about them is kept.
    fn stored(content: String, clip: ClipFeatures, reused: bool) -> Self {
        Self::Clip { content, segments: clip.segments.dim().0, report: clip.report, reused }
    }
}

/// The outer error is the store's, which concerns the whole run; the file's own is an outcome.
fn through_store(
    path: &Path,
    name: &str,
    front_end: &FrontEnd,
    store: &FeatureStore,
) -> Result<Outcome, DataError> {
    let bytes = match read_file(path) {
        Ok(bytes) => bytes,
        Err(error) => return Ok(Outcome::Bad(error)),
    };
    let content = sha256_hex(&bytes);
    if let Ok(Some(clip)) = store.get(&content) {
        return Ok(Outcome::stored(content, clip, true));
    }
    match front_end.process(bytes, name) {
        Ok(clip) => {
            store.put(&content, &clip)?;
            Ok(Outcome::stored(content, clip, false))
        }
        Err(error) => Ok(Outcome::Bad(error)),
    }
}
