//! One safetensors file with a JSON header and a digest: the form of checkpoints and saved networks.
//!
//! The metadata entry `mgr` holds `{"header": ..., "sha256": ...}`. The digest covers the header, and name, shape and
//! values of every tensor in name order, so that a damaged file is told from a usable one.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use mgr_data::{DataError, write_atomic};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Error, TensorData};

const ENTRY: &str = "mgr";

#[derive(Serialize, Deserialize)]
struct Envelope<H> {
    header: H,
    sha256: String,
}

/// Named tensors, in name order.
pub(crate) type Tensors = BTreeMap<String, TensorData>;

/// Writes header and tensors; the file appears whole or not at all.
pub(crate) fn write<H: Serialize>(path: &Path, header: &H, tensors: &Tensors) -> Result<(), Error> {
    let malformed = |reason: String| malformed(path, "tensor file", reason);
    let sha256 = digest(header, tensors).map_err(|error| malformed(error.to_string()))?;
    let envelope =
        serde_json::to_string(&Envelope { header, sha256 }).map_err(|error| malformed(error.to_string()))?;
    let bytes: Vec<(&String, &TensorData, Vec<u8>)> =
        tensors.iter().map(|(name, data)| (name, data, little_endian(&data.values))).collect();
    let views = bytes
        .iter()
        .map(|(name, data, bytes)| {
            Ok((name.as_str(), TensorView::new(Dtype::F32, data.shape.clone(), bytes)?))
        })
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|error| malformed(error.to_string()))?;
    let metadata = HashMap::from([(ENTRY.to_string(), envelope)]);
    let file = safetensors::serialize(views, Some(metadata)).map_err(|error| malformed(error.to_string()))?;
    write_atomically(path, &file)
}

/// Reads header and tensors and checks the digest; `kind` names the expected kind in errors.
pub(crate) fn read<H: Serialize + DeserializeOwned>(
    path: &Path,
    kind: &'static str,
) -> Result<(H, Tensors), Error> {
    let bytes =
        fs::read(path).map_err(|source| Error::File { action: "read", path: path.to_path_buf(), source })?;
    parse(&bytes).map_err(|reason| malformed(path, kind, reason))
}

fn parse<H: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<(H, Tensors), String> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    let entry = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY));
    let entry = entry.ok_or_else(|| format!("metadata entry {ENTRY} is missing"))?;
    let envelope: Envelope<H> = serde_json::from_str(entry).map_err(|error| format!("header: {error}"))?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let mut tensors = Tensors::new();
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(format!("tensor {name} is of type {}, expected F32", view.dtype()));
        }
        let values =
            view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        tensors.insert(name.to_string(), TensorData { shape: view.shape().to_vec(), values });
    }
    let found = digest(&envelope.header, &tensors).map_err(|error| error.to_string())?;
    if found != envelope.sha256 {
        return Err(format!("sha-256 is {found}, the file says {}", envelope.sha256));
    }
    Ok((envelope.header, tensors))
}

fn digest<H: Serialize>(header: &H, tensors: &Tensors) -> Result<String, serde_json::Error> {
    let mut hasher = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(&serde_json::to_vec(header)?);
    for (name, data) in tensors {
        part(name.as_bytes());
        part(format!("{:?}", data.shape).as_bytes());
        part(&little_endian(&data.values));
    }
    Ok(hex(&hasher.finalize()))
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn malformed(path: &Path, expected: &'static str, reason: String) -> Error {
    Error::MalformedFile { path: path.to_path_buf(), expected, reason }
}

/// Writes a file so that a reader or a crash sees the old or the new content, never a part.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_atomic(path, |out| out.write_all(bytes)).map_err(|error| match error {
        DataError::Io { path, source, .. } => Error::File { action: "write", path, source },
        other => Error::File { action: "write", path: path.to_path_buf(), source: io::Error::other(other) },
    })
}
