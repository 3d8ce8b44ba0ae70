//! A dataset's variants as a folder.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use mgr_audio::{WavFormat, write_wav};
use rayon::prelude::*;

use super::{Augmenter, VariantLog};
use crate::dataset::Track;
use crate::extract::FailedClip;
use crate::groups::Groups;
use crate::{DataError, write_atomic};

/// Counts changes of augmentation that change numbers.
const AUGMENT_VERSION: u32 = 1;

/// Names of the files beside the variants of [`Augmenter::expand`].
const LOG_FILE: &str = "augment.jsonl";
const CONFIG_FILE: &str = "augment.json";
const GROUPS_FILE: &str = "groups.csv";

/// What became of the clips of a dataset.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expansion {
    /// The files written, below the folder, in the order of tracks and variants.
    pub files: Vec<PathBuf>,
    /// Clips that cannot be used, in the dataset's order.
    pub failed: Vec<FailedClip>,
}

/// Where a variant of a track goes below the folder of an expansion: `blues/one.flac` as `blues/one.flac.v1.wav`.
fn file_name(id: &str, variant: u32) -> PathBuf {
    PathBuf::from(format!("{id}.v{variant}.wav"))
}

impl Augmenter {
    /// Writes the variants of all tracks as a folder dataset, over all threads of rayon's current pool. `done` is called with the
    /// number of clips that are finished, bad ones included.
    ///
    /// Below `out`: each variant as a mono WAV of 32-bit floats under [`Track::id`] (`blues/one.flac` as
    /// `blues/one.flac.v1.wav`); `augment.jsonl`, a [`VariantLog`] a line, in the order of tracks and variants; `groups.csv`, which
    /// [`Groups::read`] takes and which keeps all variants of a track, and of its group in `groups`, on one side of a split;
    /// `augment.json` with the configuration. The bytes do not depend on the number of threads.
    ///
    /// A file that cannot be read, decoded or augmented is a [`FailedClip`], with none of its variants in the log, and the others
    /// go on.
    ///
    /// # Errors
    /// [`DataError`] when the folder cannot be written.
    pub fn expand(
        &self,
        tracks: &[Track],
        groups: &Groups,
        out: &Path,
        done: &(dyn Fn(usize) + Sync),
    ) -> Result<Expansion, DataError> {
        let finished = AtomicUsize::new(0);
        let results: Vec<_> = tracks
            .par_iter()
            .map(|track| {
                let result = self.expand_track(track, out);
                done(finished.fetch_add(1, Ordering::Relaxed) + 1);
                result
            })
            .collect();
        let (mut expansion, mut logs, mut table) = (Expansion::default(), Vec::new(), BTreeMap::new());
        for (index, (track, result)) in tracks.iter().zip(results).enumerate() {
            match result? {
                Ok(variants) => {
                    for log in variants {
                        let file = file_name(&track.id, log.variant);
                        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                        table.insert(stem, groups.group(track));
                        expansion.files.push(file);
                        logs.push(log);
                    }
                }
                Err(error) => {
                    expansion.failed.push(FailedClip { track: index, reason: error.to_string() });
                }
            }
        }
        write_atomic(&out.join(LOG_FILE), |file| {
            logs.iter().try_for_each(|log| {
                serde_json::to_writer(&mut *file, log)?;
                file.write_all(b"\n")
            })
        })?;
        write_atomic(&out.join(GROUPS_FILE), |file| {
            let mut writer = csv::Writer::from_writer(file);
            writer.write_record(["track", "artist"])?;
            table.iter().try_for_each(|(track, group)| writer.write_record([track, group]))?;
            writer.flush()
        })?;
        let config = serde_json::json!({
            "version": AUGMENT_VERSION,
            "sample_rate": self.sample_rate,
            "config": self.config,
        });
        write_atomic(&out.join(CONFIG_FILE), |file| Ok(serde_json::to_writer_pretty(file, &config)?))?;
        Ok(expansion)
    }

    /// The outer error is the folder's, which concerns the whole run; the inner one is the clip's own.
    fn expand_track(
        &self,
        track: &Track,
        out: &Path,
    ) -> Result<Result<Vec<VariantLog>, DataError>, DataError> {
        let is_below = Path::new(&track.id).components().all(|c| matches!(c, Component::Normal(_)));
        if !is_below || track.id.is_empty() {
            let reason = format!("the name {} does not stay below a folder", track.id);
            return Ok(Err(DataError::Dataset { path: track.path.clone(), reason }));
        }
        let clip = match self.loader.load(&track.path) {
            Ok(clip) => clip,
            Err(error) => return Ok(Err(error.into())),
        };
        let mut logs: Vec<VariantLog> = Vec::new();
        for number in u32::from(!self.config.originals)..=self.config.variants {
            let variant = match self.variant(&track.id, &clip.samples, number) {
                Ok(variant) => variant,
                Err(error) => {
                    // A clip that fails leaves nothing behind; what cannot be removed is in no log.
                    for log in &logs {
                        let _ = std::fs::remove_file(out.join(file_name(&track.id, log.variant)));
                    }
                    return Ok(Err(error));
                }
            };
            let path = out.join(file_name(&track.id, number));
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(DataError::io(folder, "make the folder"))?;
            }
            write_wav(&path, &variant.samples, self.sample_rate, WavFormat::Float32)?;
            logs.push(variant.log);
        }
        Ok(Ok(logs))
    }
}
