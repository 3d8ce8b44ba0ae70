//! `run.json`: what a run is, so that it can be repeated, gone on with, and used.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::path::Path;

use mgr_data::fingerprint;
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::catalogue::Source;
use crate::clips::Clips;
use crate::config::RunConfig;
use crate::features::Feature;
use crate::files::{read_json, write_json};
use crate::folds::Parts;

/// 2: several features, splits within folds. Format 1 was that of mgr 0.1 before it knew more than one feature.
const FORMAT: u32 = 2;

/// The version of libtorch that tch 0.24 binds.
pub(crate) const LIBTORCH: &str = "2.11.0";

/// A feature of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeatureRecord {
    pub(crate) name: String,
    pub(crate) source: Source,
    pub(crate) fingerprint: String,
    pub(crate) rows: usize,
    pub(crate) frames: usize,
}

/// What determines the results of a run, and where it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunRecord {
    pub(crate) format: u32,
    pub(crate) mgr: String,
    pub(crate) libtorch: String,
    /// Sums depend on the kind of processor.
    pub(crate) machine: String,
    /// Threads inside one operation of a network.
    pub(crate) threads_per_network: usize,
    pub(crate) config: RunConfig,
    pub(crate) dataset: String,
    pub(crate) classes: Vec<String>,
    pub(crate) features: Vec<FeatureRecord>,
    /// Features that were asked for and left out, and why.
    pub(crate) skipped: Vec<String>,
    /// SHA-256 over the id, class, group and content of every clip that is used.
    pub(crate) clips: String,
    pub(crate) folds: Vec<Parts>,
}

/// What is made anew when a run changes.
const RESULTS: [&str; 9] = [
    "report.html",
    "report.md",
    "results.json",
    "predictions.csv",
    "confusion.csv",
    "scores.csv",
    "subsets.csv",
    "combination.json",
    "times.json",
];

impl RunRecord {
    pub(crate) fn new(
        config: &RunConfig,
        clips: &Clips,
        features: &[Feature],
        skipped: &[String],
        folds: &[Parts],
    ) -> Result<Self, PipelineError> {
        let lines: Vec<_> = clips.clips.iter().map(|c| (&c.id, c.class, &c.group, &c.content)).collect();
        Ok(Self {
            format: FORMAT,
            mgr: env!("CARGO_PKG_VERSION").to_owned(),
            libtorch: LIBTORCH.to_owned(),
            machine: format!("{} {}", std::env::consts::ARCH, std::env::consts::OS),
            threads_per_network: 1,
            config: config.essence(),
            dataset: clips.dataset.name.clone(),
            classes: clips.dataset.classes.clone(),
            features: features
                .iter()
                .map(|f| FeatureRecord {
                    name: f.name.clone(),
                    source: f.source.clone(),
                    fingerprint: f.fingerprint.clone(),
                    rows: f.rows,
                    frames: f.frames,
                })
                .collect(),
            skipped: skipped.to_vec(),
            clips: fingerprint(&lines)?,
            folds: folds.to_vec(),
        })
    }

    pub(crate) fn read(out: &Path) -> Result<Self, PipelineError> {
        let path = out.join("run.json");
        let record: serde_json::Value = read_json(&path)?;
        let refuse = |reason: String| PipelineError::Run { path: path.clone(), reason };
        let version = record.get("mgr").and_then(serde_json::Value::as_str).unwrap_or("another version");
        match record.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => {
                let earlier = if format < u64::from(FORMAT) {
                    "; a build of mgr from before runs had several features reads it"
                } else {
                    "; that version reads it"
                };
                return Err(refuse(format!(
                    "written by mgr {version} in format {format}, this version reads format {FORMAT}{earlier}"
                )));
            }
            None => return Err(refuse("no run record".into())),
        }
        serde_json::from_value(record).map_err(|e| refuse(e.to_string()))
    }

    /// Takes the output folder for this run, and holds it until the file is closed. One of the same clips and folds is gone on with,
    /// whatever else has changed: every encoder knows what it depends on.
    pub(crate) fn claim(&self, config: &RunConfig) -> Result<(File, Option<String>), PipelineError> {
        let out = &config.out;
        let refuse = |reason: &str| PipelineError::Output { path: out.clone(), reason: reason.to_owned() };
        match fs::metadata(out) {
            Ok(metadata) if !metadata.is_dir() => {
                return Err(refuse("is a file, expected a folder for the results"));
            }
            Ok(_) => {}
            Err(_) => fs::create_dir_all(out).map_err(|e| refuse(&format!("cannot make the folder: {e}")))?,
        }
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(out.join("lock"));
        let lock = lock.map_err(|e| refuse(&format!("cannot be locked: {e}")))?;
        if lock.try_lock().is_err() {
            return Err(refuse("another run is at work in this folder: wait for it, or give another --out"));
        }
        mgr_data::sweep_partial(out)?;
        let path = out.join("run.json");
        let mut changed = None;
        if path.exists() {
            match Self::read(out) {
                Ok(there) if there == *self => return Ok((lock, None)),
                Ok(there) if self.same_clips(&there) => changed = Some(self.difference(&there)),
                found if !config.fresh => {
                    let difference = found.map_or_else(|e| e.to_string(), |there| self.difference(&there));
                    return Err(PipelineError::OtherRun { path: out.clone(), difference });
                }
                _ => {}
            }
        } else if out.join("folds").exists() && !config.fresh {
            return Err(refuse(
                "has a folder named folds but no run.json: give another --out, or --fresh to replace it",
            ));
        }
        // The record goes first and comes last: between the two nothing in the folder counts as a run.
        for name in ["run.json"].into_iter().chain(RESULTS) {
            let old = out.join(name);
            if old.exists() {
                fs::remove_file(&old).map_err(|e| refuse(&format!("cannot remove the old {name}: {e}")))?;
            }
        }
        let folders: &[&str] = if changed.is_some() { &["figures"] } else { &["folds", "splits", "figures"] };
        for name in folders {
            let old = out.join(name);
            if old.exists() {
                fs::remove_dir_all(&old)
                    .map_err(|e| refuse(&format!("cannot remove the old {name}: {e}")))?;
            }
        }
        write_json(&path, self)?;
        Ok((lock, changed))
    }

    fn same_clips(&self, other: &Self) -> bool {
        self.clips == other.clips && self.folds == other.folds && self.classes == other.classes
    }

    /// Names of the parts, and of the configuration's keys, in which two records differ.
    fn difference(&self, other: &Self) -> String {
        let (Ok(mine), Ok(theirs)) = (serde_json::to_value(self), serde_json::to_value(other)) else {
            return "its record".into();
        };
        let differing = |a: &serde_json::Value, b: &serde_json::Value| -> Vec<String> {
            let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else { return Vec::new() };
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            keys.into_iter().filter(|k| a.get(*k) != b.get(*k)).cloned().collect()
        };
        let keys = differing(&mine["config"], &theirs["config"]);
        if keys.is_empty() { differing(&mine, &theirs).join(", ") } else { keys.join(", ") }
    }
}
