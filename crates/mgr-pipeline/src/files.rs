//! JSON files of a run, whole or not there.

use std::fs;
use std::path::Path;

use mgr_data::write_atomic;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::PipelineError;

/// Writes a value as indented JSON with a line end.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), PipelineError> {
    let json = serde_json::to_vec_pretty(value)?;
    Ok(write_atomic(path, |out| {
        out.write_all(&json)?;
        out.write_all(b"\n")
    })?)
}

/// Reads a value that [`write_json`] wrote.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, PipelineError> {
    let refuse = |reason: String| PipelineError::Run { path: path.to_path_buf(), reason };
    let bytes = fs::read(path).map_err(|e| refuse(e.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|e| refuse(e.to_string()))
}
