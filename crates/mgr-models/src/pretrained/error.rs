//! What can be wrong with the bytes of a weight file.

/// Why the bytes of a weight file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightError {
    /// The file ends, or a part of it ends, before what it announces.
    #[error("{what} at byte {at} needs {needed} bytes, {available} are there")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Where it starts.
        at: u64,
        /// How many bytes it needs.
        needed: u64,
        /// How many bytes there are.
        available: u64,
    },
    /// The bytes contradict the format or themselves.
    #[error("not a sound {format}: {reason}")]
    Malformed {
        /// The format.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The file may be sound but uses a part of its format that is not read here.
    #[error("{format} with {what} is not read")]
    Unsupported {
        /// The format.
        format: &'static str,
        /// The part of the format.
        what: String,
    },
    /// A pickle asks for something other than tensors and plain containers. Nothing of it was run.
    #[error("the pickle asks for {name}, only tensors and plain containers are read")]
    Refused {
        /// The Python object it asks for.
        name: String,
    },
    /// The beginning is that of no known format.
    #[error(
        "not a weight file: expected safetensors, PyTorch, HDF5, a TensorFlow index or a pickle of arrays"
    )]
    UnknownFormat,
}

impl WeightError {
    pub(super) fn malformed(format: &'static str, reason: impl Into<String>) -> Self {
        Self::Malformed { format, reason: reason.into() }
    }

    pub(super) fn unsupported(format: &'static str, what: impl Into<String>) -> Self {
        Self::Unsupported { format, what: what.into() }
    }
}
