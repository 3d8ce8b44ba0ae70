//! `run.json`: what a run is, so that it can be repeated, gone on with, and used.

use std::fs;
use std::path::Path;

use mgr_data::front_end::FrontEndConfig;
use mgr_data::{fingerprint, sha256_hex};
use mgr_eval::split::Fold;
use mgr_models::zoo::NetworkConfig;
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::clips::Clips;
use crate::config::RunConfig;
use crate::encoder::NETWORK;
use crate::files::{read_json, write_json};

const FORMAT: u32 = 1;

/// The version of libtorch that tch 0.24 binds.
pub(crate) const LIBTORCH: &str = "2.11.0";

/// What determines the results of a run, and where it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunRecord {
    pub(crate) format: u32,
    pub(crate) mgr: String,
    pub(crate) libtorch: String,
    /// Sums depend on the kind of processor.
    pub(crate) machine: String,
    /// Threads inside one operation of the network.
    pub(crate) threads_per_network: usize,
    pub(crate) config: RunConfig,
    pub(crate) dataset: String,
    pub(crate) classes: Vec<String>,
    pub(crate) front_end: FrontEndConfig,
    pub(crate) front_end_fingerprint: String,
    pub(crate) network: NetworkConfig,
    /// SHA-256 over the id, class, group and content of every clip that is used.
    pub(crate) clips: String,
    pub(crate) folds: Vec<Fold>,
}

impl RunRecord {
    pub(crate) fn new(
        config: &RunConfig,
        clips: &Clips,
        front_end: &FrontEndConfig,
        front_end_fingerprint: &str,
        folds: &[Fold],
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
            front_end: front_end.clone(),
            front_end_fingerprint: front_end_fingerprint.to_owned(),
            network: NETWORK,
            clips: fingerprint(&lines)?,
            folds: folds.to_vec(),
        })
    }

    pub(crate) fn read(out: &Path) -> Result<Self, PipelineError> {
        let path = out.join("run.json");
        let record: serde_json::Value = read_json(&path)?;
        let refuse = |reason: String| PipelineError::Run { path: path.clone(), reason };
        match record.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => {
                return Err(refuse(format!(
                    "written in format {format}, this version reads format {FORMAT}"
                )));
            }
            None => return Err(refuse("no run record".into())),
        }
        serde_json::from_value(record).map_err(|e| refuse(e.to_string()))
    }

    /// Fingerprint of everything that training depends on.
    pub(crate) fn fingerprint(&self) -> Result<String, PipelineError> {
        Ok(sha256_hex(&serde_json::to_vec(self)?))
    }

    /// Takes the output folder for this run: an unfinished one of the same record is gone on with.
    pub(crate) fn claim(&self, config: &RunConfig) -> Result<(), PipelineError> {
        let out = &config.out;
        let refuse = |reason: &str| PipelineError::Output { path: out.clone(), reason: reason.to_owned() };
        match fs::metadata(out) {
            Ok(metadata) if !metadata.is_dir() => {
                return Err(refuse("is a file, expected a folder for the results"));
            }
            Ok(_) => {}
            Err(_) => fs::create_dir_all(out).map_err(|e| refuse(&format!("cannot make the folder: {e}")))?,
        }
        mgr_data::sweep_partial(out)?;
        let path = out.join("run.json");
        if path.exists() {
            match Self::read(out) {
                Ok(there) if there == *self => return Ok(()),
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
        for name in
            ["run.json", "report.html", "results.json", "predictions.csv", "confusion.csv", "scores.csv"]
        {
            let old = out.join(name);
            if old.exists() {
                fs::remove_file(&old).map_err(|e| refuse(&format!("cannot remove the old {name}: {e}")))?;
            }
        }
        for name in ["folds", "splits", "figures"] {
            let old = out.join(name);
            if old.exists() {
                fs::remove_dir_all(&old)
                    .map_err(|e| refuse(&format!("cannot remove the old {name}: {e}")))?;
            }
        }
        write_json(&path, self)
    }

    /// Names of the parts, and of the configuration's keys, in which two records differ.
    fn difference(&self, other: &Self) -> String {
        let (Ok(mine), Ok(theirs)) = (serde_json::to_value(self), serde_json::to_value(other)) else {
            return "its record".into();
        };
        let differing = |a: &serde_json::Value, b: &serde_json::Value| -> Vec<String> {
            let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else { return Vec::new() };
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            keys.into_iter().filter(|k| a.get(*k) != b.get(*k)).cloned().collect()
        };
        let keys = differing(&mine["config"], &theirs["config"]);
        if keys.is_empty() { differing(&mine, &theirs).join(", ") } else { keys.join(", ") }
    }
}
