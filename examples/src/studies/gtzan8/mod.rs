//! Parts of the GTZAN-8 study: its networks by name, its mel spectrograms and embeddings, its split.

pub mod material;
pub mod models;
pub mod split;
