//! The error type of the crate: every failure that concerns a file names it.

use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong between a path and the samples of a clip.
///
/// Every variant that concerns a file carries its path (for bytes in memory: the name given with them); [`AudioError::path`]
/// gives it for any variant.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// A field of a config is outside its range.
    #[error("invalid {field} {value}, allowed is {allowed}")]
    Config {
        /// The field, as `Config::field`.
        field: &'static str,
        /// The value given.
        value: String,
        /// The values allowed.
        allowed: String,
    },
    /// There is nothing at this path.
    #[error("{}: no such file", path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// The path is a directory.
    #[error("{}: is a directory, not a file", path.display())]
    Directory {
        /// The path.
        path: PathBuf,
    },
    /// The path is a pipe, a device or a socket.
    #[error("{}: is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The operating system refused to open, read or write.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: `open`, `read`, `write` ...
        action: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The file has no bytes.
    #[error("{}: file is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The content is something other than sound, whatever the extension says.
    #[error("{}: not audio, the content is {content}", path.display())]
    NotAudio {
        /// The file.
        path: PathBuf,
        /// What the first bytes are: `an html page`, `a jpeg image`, `text` ...
        content: &'static str,
    },
    /// The container is known but not readable here.
    #[error("{}: unsupported container: {container}", path.display())]
    UnsupportedContainer {
        /// The file.
        path: PathBuf,
        /// Name of the container, or the reader's reason.
        container: String,
    },
    /// The container was read, its codec cannot be decoded here.
    #[error("{}: unsupported codec: {codec}", path.display())]
    UnsupportedCodec {
        /// The file.
        path: PathBuf,
        /// Name or number of the codec, or the decoder's reason.
        codec: String,
    },
    /// The header is broken beyond use.
    #[error("{}: malformed file: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The reader's reason.
        reason: String,
    },
    /// The container holds no audio track.
    #[error("{}: no audio track", path.display())]
    NoAudioTrack {
        /// The file.
        path: PathBuf,
    },
    /// The header was read, but not one sample could be decoded.
    #[error("{}: no samples decoded ({skipped_packets} corrupt packets)", path.display())]
    NoSamples {
        /// The file.
        path: PathBuf,
        /// Packets that failed to decode.
        skipped_packets: u64,
    },
    /// The channel asked for is not in the file.
    #[error("{}: channel {channel} asked for, the file has {channels}", path.display())]
    ChannelMissing {
        /// The file.
        path: PathBuf,
        /// The channel's number, from 0.
        channel: usize,
        /// Channels of the file.
        channels: usize,
    },
    /// The range asked for begins where the file has ended.
    #[error("{}: range begins at {offset_s} s, the file ends after {frames} frames", path.display())]
    RangeBeyondEnd {
        /// The file.
        path: PathBuf,
        /// Start of the range in seconds.
        offset_s: f64,
        /// Samples per channel in the file.
        frames: u64,
    },
    /// Zero or absurd sample rate or channel count.
    #[error("{}: {parameter} is {value}, allowed is {min} to {max}", path.display())]
    StreamParameter {
        /// The file.
        path: PathBuf,
        /// `sample rate` or `channel count`.
        parameter: &'static str,
        /// The value in the file.
        value: u64,
        /// Smallest value allowed.
        min: u64,
        /// Largest value allowed.
        max: u64,
    },
    /// The file is damaged and [`Strictness::Strict`](crate::Strictness::Strict) was asked for.
    #[error("{}: damaged: {damage}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, with counts.
        damage: String,
    },
    /// The file holds more than a limit and [`Strictness::Strict`](crate::Strictness::Strict) was asked for.
    #[error("{}: longer than the limit of {limit_s} s", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit in seconds: that of the duration, or that of the memory if it is shorter.
        limit_s: f64,
    },
    /// A decoder panicked on hostile data; the panic was caught.
    #[error("{}: decoder panicked: {message}", path.display())]
    DecoderPanic {
        /// The file.
        path: PathBuf,
        /// The panic's message.
        message: String,
    },
    /// A signal of no samples where at least one is needed.
    #[error("signal has 0 samples, allowed is 1 or more")]
    EmptySignal,
    /// A signal whose resampled length does not fit in memory.
    #[error("{samples} samples are too many to resample to {ratio} times as many")]
    SignalTooLong {
        /// Samples in.
        samples: usize,
        /// Output samples per input sample.
        ratio: f64,
    },
    /// A clip shorter than the segmentation allows.
    #[error("clip has {samples} samples, allowed is {needed} or more")]
    ClipTooShort {
        /// The samples it has.
        samples: usize,
        /// The samples it needs.
        needed: usize,
    },
    /// Segments that do not fit in memory.
    #[error("{segments} segments of {segment_length} samples are too many to hold")]
    SegmentsTooLong {
        /// Number of segments.
        segments: usize,
        /// Samples of a segment.
        segment_length: usize,
    },
    /// An output buffer of the wrong length.
    #[error("output buffer has length {got}, expected {expected}")]
    BufferLength {
        /// The length needed.
        expected: usize,
        /// The length given.
        got: usize,
    },
}

impl AudioError {
    /// The file this error is about, if it is about one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::NotFound { path }
            | Self::Directory { path }
            | Self::NotAFile { path }
            | Self::Io { path, .. }
            | Self::Empty { path }
            | Self::NotAudio { path, .. }
            | Self::UnsupportedContainer { path, .. }
            | Self::UnsupportedCodec { path, .. }
            | Self::Malformed { path, .. }
            | Self::NoAudioTrack { path }
            | Self::NoSamples { path, .. }
            | Self::ChannelMissing { path, .. }
            | Self::RangeBeyondEnd { path, .. }
            | Self::StreamParameter { path, .. }
            | Self::Damaged { path, .. }
            | Self::TooLong { path, .. }
            | Self::DecoderPanic { path, .. } => Some(path),
            Self::Config { .. }
            | Self::EmptySignal
            | Self::SignalTooLong { .. }
            | Self::ClipTooShort { .. }
            | Self::SegmentsTooLong { .. }
            | Self::BufferLength { .. } => None,
        }
    }

    /// An IO error at a path; a missing file gets its own variant.
    pub(crate) fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::NotFound && action == "open" {
            return Self::NotFound { path: path.to_path_buf() };
        }
        Self::Io { path: path.to_path_buf(), action, source }
    }

    /// A refused field of a config.
    pub(crate) fn config(field: &'static str, value: impl ToString, allowed: impl Into<String>) -> Self {
        Self::Config { field, value: value.to_string(), allowed: allowed.into() }
    }

    /// A header that cannot be used.
    pub(crate) fn malformed(path: &Path, reason: impl Into<String>) -> Self {
        Self::Malformed { path: path.to_path_buf(), reason: reason.into() }
    }
}
