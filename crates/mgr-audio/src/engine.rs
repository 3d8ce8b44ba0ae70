//! One file being decoded by a loader's config: what whole loads, ranges and block readers stand on.

use std::any::Any;
use std::fs::{self, File};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use symphonia::core::io::MediaSource;

use crate::decode::{self, Sink, Source};
use crate::{AudioError, AudioInfo, DecodeReport, LoadConfig, Strictness};

/// Where the bytes are.
pub(crate) enum Input<'a> {
    File(&'a Path),
    Bytes(Vec<u8>, &'a Path),
}

impl Input<'_> {
    /// The file, or the name that stands for it in errors.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Bytes(_, path) => path,
        }
    }

    fn open(self) -> Result<(Box<dyn MediaSource>, u64), AudioError> {
        match self {
            Self::Bytes(bytes, _) => {
                let len = bytes.len() as u64;
                Ok((Box::new(Cursor::new(bytes)), len))
            }
            Self::File(path) => {
                let metadata = fs::metadata(path).map_err(|error| AudioError::io(path, "open", error))?;
                if metadata.is_dir() {
                    return Err(AudioError::Directory { path: path.to_path_buf() });
                }
                if !metadata.is_file() {
                    return Err(AudioError::NotAFile { path: path.to_path_buf() });
                }
                let file = File::open(path).map_err(|error| AudioError::io(path, "open", error))?;
                Ok((Box::new(file), metadata.len()))
            }
        }
    }
}

/// Opens a source by its content; a panic of a decoder becomes an error.
pub(crate) fn open(input: Input<'_>) -> Result<(PathBuf, Box<dyn Source>), AudioError> {
    let path = input.path().to_path_buf();
    let (media, len) = input.open()?;
    if len == 0 {
        return Err(AudioError::Empty { path });
    }
    let source = guard(&path, || decode::open(&path, media, len))?;
    Ok((path, source))
}

/// What a header may claim before room is made for it: a longer file grows into its room.
const TRUSTED_FRAMES: u64 = 1 << 21;

/// The part of a file that is wanted, in frames of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frames {
    pub(crate) start: u64,
    pub(crate) count: u64,
    /// Frames taken at most.
    pub(crate) room: u64,
}

/// A file, and where its samples go.
pub(crate) struct Engine {
    pub(crate) path: PathBuf,
    source: Box<dyn Source>,
    pub(crate) sink: Sink,
    /// Start of the range that was asked for.
    offset_s: f64,
    /// The source has no more, or no more is wanted of it.
    is_over: bool,
}

impl Engine {
    pub(crate) fn new(
        path: PathBuf,
        mut source: Box<dyn Source>,
        config: &LoadConfig,
        frames: Frames,
    ) -> Result<Self, AudioError> {
        let channels = source.info().channels as usize;
        let pick = config.channels.pick(&path, channels)?;
        let mut sink = Sink::new(pick, channels, frames.start, frames.count, frames.room);
        if frames.start > 0 {
            let passed = guard(&path, || source.skip(sink.to_skip()))?;
            sink.pass_over(passed);
        }
        Ok(Self { path, source, sink, offset_s: config.offset_s, is_over: false })
    }

    pub(crate) fn info(&self) -> &AudioInfo {
        self.source.info()
    }

    /// Frames to make room for at once.
    pub(crate) fn expected_frames(&self) -> u64 {
        let claimed = self.source.info().frames.unwrap_or(0);
        self.source.memory_frames().max(claimed.min(TRUSTED_FRAMES))
    }

    /// Decodes until the end.
    pub(crate) fn run(&mut self) -> Result<(), AudioError> {
        self.sink.reserve(self.expected_frames());
        let (source, sink) = (&mut self.source, &mut self.sink);
        guard(&self.path, || {
            while !sink.is_done() && source.next(sink)? {}
            Ok(())
        })?;
        self.is_over = true;
        Ok(())
    }

    /// Decodes a block; `false` where nothing more comes.
    pub(crate) fn pump(&mut self) -> Result<bool, AudioError> {
        if self.is_over {
            return Ok(false);
        }
        // Whatever goes wrong now, nothing is read after it.
        self.is_over = true;
        let (source, sink) = (&mut self.source, &mut self.sink);
        let more = guard(&self.path, || source.next(sink))?;
        self.is_over = !more || self.sink.is_done();
        Ok(!self.is_over)
    }

    /// What was found so far.
    pub(crate) fn report(&self) -> DecodeReport {
        let (info, damage) = (self.source.info(), self.source.damage());
        DecodeReport {
            source_sample_rate: info.sample_rate,
            channels: info.channels,
            container: info.container.clone(),
            codec: info.codec.clone(),
            frames: self.sink.taken,
            skipped_packets: damage.skipped_packets,
            lost_frames: damage.lost_frames,
            truncated: damage.truncated && !self.sink.cut,
            cut: self.sink.cut,
            non_finite_samples: self.sink.non_finite,
            changed_packets: damage.changed_packets,
            bits_per_sample: info.bits_per_sample,
            header_frames: info.frames,
            tags: info.tags.clone(),
        }
    }

    /// Nothing is left of a range.
    pub(crate) fn beyond_end(&self) -> AudioError {
        AudioError::RangeBeyondEnd {
            path: self.path.clone(),
            offset_s: self.offset_s,
            frames: self.sink.skipped + self.sink.taken,
        }
    }

    /// At the end: the report, or why there is nothing to report on.
    pub(crate) fn finish(&self, config: &LoadConfig) -> Result<DecodeReport, AudioError> {
        let report = self.report();
        let path = || self.path.clone();
        if self.sink.taken == 0 {
            return Err(if self.sink.skipped > 0 {
                self.beyond_end()
            } else {
                AudioError::NoSamples { path: path(), skipped_packets: report.skipped_packets }
            });
        }
        if config.strict == Strictness::Strict {
            if let Some(damage) = report.damage() {
                return Err(AudioError::Damaged { path: path(), damage });
            }
            if report.cut {
                let limit_s = report.frames as f64 / f64::from(report.source_sample_rate);
                return Err(AudioError::TooLong { path: path(), limit_s });
            }
        }
        Ok(report)
    }
}

/// Runs what may panic on hostile data.
fn guard<T>(path: &Path, run: impl FnOnce() -> Result<T, AudioError>) -> Result<T, AudioError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        Err(AudioError::DecoderPanic { path: path.to_path_buf(), message: panic_message(panic.as_ref()) })
    })
}

/// The text of a panic, where it is text.
fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
