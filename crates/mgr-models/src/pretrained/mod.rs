//! Weights that others trained: readers of their files, maps onto our networks, and a library of what was imported.
//!
//! 1. [`read`] turns a weight file of any known format into a [`WeightMap`] of named tensors, without running anything in
//!    it and without libtorch.
//! 2. [`catalogue()`] lists the published networks by name; [`Published::convert`] maps a file's tensors onto ours and
//!    refuses missing, surplus and misshapen ones.
//! 3. [`Pretrained`] is the result as one safetensors file with its source, licence and tags; [`library`] keeps such files
//!    in the user's cache folder.
//! 4. [`Tagger`] makes a network of one, with the front end that it was trained on: samples in, tags and embeddings out.
//!
//! ```no_run
//! use mgr_models::pretrained::{self, Pretrained, Tagger};
//!
//! # fn run(samples: &[f32]) -> Result<(), mgr_models::Error> {
//! let file = std::path::Path::new("weights/mtat_fcn.pth");
//! let pretrained = Pretrained::import(file, "won-fcn-mtat")?;
//! let tagger = Tagger::new(&pretrained, Default::default())?;
//! let taggram = tagger.taggram(samples, tagger.sample_rate())?; // mono, at the network's rate
//! println!("{:?}", taggram.top(3));
//! # Ok(())
//! # }
//! ```

mod archive;
mod catalogue;
mod cursor;
mod element;
mod error;
mod fetch;
mod file;
mod front_end;
mod hdf5;
mod layout;
pub mod library;
mod map;
mod pickle;
mod safetensors_file;
mod tagger;
mod tags;
mod tensorflow;
mod torch_file;
mod weight_map;

pub use catalogue::{Published, catalogue, published};
pub use error::WeightError;
pub use fetch::{Fetched, Package, fetchable};
pub use file::{Pretrained, Provenance};
pub use front_end::{FrontEnd, Patch};
pub use hdf5::read as read_hdf5;
pub use safetensors_file::read as read_safetensors;
pub use tagger::{Embedding, Tagger, Taggram};
pub use tensorflow::read as read_tensorflow;
pub use torch_file::{read_legacy as read_torch_legacy, read_pickled_arrays, read_zip as read_torch_zip};
pub use weight_map::WeightMap;

use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

/// Reads a weight file of any known format, which its content tells.
///
/// A TensorFlow checkpoint is given by its `.index` or by the common beginning of its files.
///
/// # Errors
/// [`Error::File`] where a file cannot be read, [`Error::Weights`] where its content cannot.
pub fn read(path: &Path) -> Result<WeightMap, Error> {
    let wrong = |source| Error::Weights { path: path.to_path_buf(), source };
    let index = with_ending(path, ".index");
    let path = if !path.is_file() && index.is_file() { &index } else { path };
    let bytes = read_file(path)?;
    if tensorflow::is_index(&bytes) {
        let name = path.to_string_lossy();
        let stem = name.strip_suffix(".index").unwrap_or(&name);
        let values = read_file(Path::new(&format!("{stem}.data-00000-of-00001")))?;
        return tensorflow::read(&bytes, &values).map_err(wrong);
    }
    read_bytes(&bytes).map_err(wrong)
}

/// Reads a weight file of one of the formats that are one file.
///
/// # Errors
/// Any [`WeightError`]; [`WeightError::UnknownFormat`] where it begins as none.
///
/// ```
/// use mgr_models::pretrained::{WeightError, read_bytes};
/// assert_eq!(read_bytes(b"#!/bin/sh"), Err(WeightError::UnknownFormat));
/// ```
pub fn read_bytes(bytes: &[u8]) -> Result<WeightMap, WeightError> {
    match bytes {
        _ if hdf5::is_hdf5(bytes) => hdf5::read(bytes),
        [b'P', b'K', 3, 4, ..] => torch_file::read_zip(bytes),
        _ if torch_file::is_legacy(bytes) => torch_file::read_legacy(bytes),
        [0x80, 2..=5, ..] => torch_file::read_pickled_arrays(bytes),
        // The length of the header, which is JSON.
        [_, _, _, _, _, _, _, _, b'{', ..] => safetensors_file::read(bytes),
        _ => Err(WeightError::UnknownFormat),
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::File { action: "read", path: path.to_path_buf(), source })
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
