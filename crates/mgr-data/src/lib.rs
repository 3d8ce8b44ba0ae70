//! Datasets, the embedded synthetic corpus, split files and the feature store on disk.
//!
//! The way of a file: a [`dataset::Track`] is decoded, cut into segments and turned into features by a
//! [`front_end::FrontEnd`], which is a pure function of the file's bytes; [`extract()`](extract::extract) does it for a whole
//! dataset in parallel and keeps the results in a [`store::FeatureStore`], where the next run finds them.
//!
//! | module | what |
//! |---|---|
//! | [`sources`] | the datasets of the literature: their folders and tables, published counts, known faults, licences |
//! | [`dataset`], [`folder`], [`corpus`] | tracks of one genre each; a folder of genres; the synthetic corpus |
//! | [`census`], [`duplicates`] | whether a dataset is whole; clips that sound the same |
//! | [`splits`], [`split_file`], [`groups`] | splits as files, their rules and their audit |
//! | [`front_end`], [`extract`](mod@extract), [`store`] | features of clips, on disk |
//! | [`batch`], [`augment`] | batches for training; chains of augmentation |
//! | [`table`] | feature vectors as Parquet, CSV, ARFF, NPZ |
//! | `fetch` | downloads that go on where they stopped (feature `fetch`) |

mod atomic;
pub mod augment;
pub mod batch;
mod cache;
pub mod census;
pub mod corpus;
pub mod dataset;
pub mod duplicates;
mod error;
pub mod extract;
#[cfg(feature = "fetch")]
pub mod fetch;
mod fingerprint;
pub mod folder;
pub mod front_end;
pub mod groups;
pub mod sources;
pub mod split_file;
pub mod splits;
pub mod store;
pub mod table;

pub use atomic::{sweep_partial, write_atomic};
pub use cache::cache_folder;
pub use error::DataError;
pub use fingerprint::{fingerprint, sha256_hex};
