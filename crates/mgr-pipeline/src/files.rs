//! JSON and array files of a run, whole or not there.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use mgr_data::write_atomic;
use ndarray::{Array2, ArrayView2};
use ndarray_npy::{ReadNpyExt, WriteNpyExt};
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

/// Writes an array as `.npy`.
pub(crate) fn write_array(path: &Path, array: ArrayView2<'_, f32>) -> Result<(), PipelineError> {
    let mut bytes = Vec::with_capacity(4 * array.len() + 128);
    let refuse = |reason: String| PipelineError::Run { path: path.to_path_buf(), reason };
    array.as_standard_layout().write_npy(&mut bytes).map_err(|e| refuse(e.to_string()))?;
    Ok(write_atomic(path, |out| out.write_all(&bytes))?)
}

/// Reads an array that [`write_array`] wrote.
pub(crate) fn read_array(path: &Path) -> Result<Array2<f32>, PipelineError> {
    let refuse = |reason: String| PipelineError::Run { path: path.to_path_buf(), reason };
    let bytes = fs::read(path).map_err(|e| refuse(e.to_string()))?;
    Array2::read_npy(Cursor::new(bytes)).map_err(|e| refuse(e.to_string()))
}
