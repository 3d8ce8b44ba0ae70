//! What can go wrong with the corpus.

use std::path::PathBuf;
use thiserror::Error;

/// An error of the embedded corpus.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// A setting outside its range.
    #[error("corpus setting {field} is {value}, allowed {allowed}")]
    Config {
        /// Name of the field.
        field: &'static str,
        /// The offending value.
        value: String,
        /// The allowed range.
        allowed: &'static str,
    },
    /// A clip number past the end.
    #[error("clip {index} does not exist, the corpus has {clips} clips")]
    Clip {
        /// The number asked for.
        index: usize,
        /// How many clips there are.
        clips: usize,
    },
    /// The folder holds a corpus of other settings or of another version.
    #[error("{} belongs to another corpus (other settings or version)", .path.display())]
    OtherCorpus {
        /// The stamp that says so.
        path: PathBuf,
    },
    /// A stamp that is not one.
    #[error("{} is no corpus stamp: {source}", .path.display())]
    Stamp {
        /// The file.
        path: PathBuf,
        /// What the reader of JSON says.
        source: serde_json::Error,
    },
    /// A file whose content is not what the stamp says.
    #[error("{} does not match its checksum", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
    },
    /// A clip that could not be put into WAV form.
    #[error("could not encode clip {name} as wav: {source}")]
    Encode {
        /// The clip.
        name: String,
        /// What the writer says.
        source: hound::Error,
    },
    /// The file system refused.
    #[error("could not {action} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}
