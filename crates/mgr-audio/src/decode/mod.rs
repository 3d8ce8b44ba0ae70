//! Files to blocks of samples: one [`Source`] for each way a file can be read, chosen by content.

mod aiff;
mod au;
mod bytes;
mod caf;
mod mp4;
#[cfg(feature = "opus")]
mod opus;
mod packets;
mod pcm;
mod sink;
mod sniff;
mod tags;
mod w64;
mod wave;

use std::io::{Seek, SeekFrom};
use std::path::Path;

use symphonia::core::io::MediaSource;

pub(crate) use self::sink::Sink;
use self::sniff::{Content, sniff};
use crate::{AudioError, AudioInfo, MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE};

/// Bytes looked at to tell what a file is.
const HEAD_BYTES: usize = 4096;

/// A file that is being decoded, block after block.
pub(crate) trait Source: Send {
    /// What the header says. Rate and channel count are those of the first decoded block.
    fn info(&self) -> &AudioInfo;

    /// Before the first block: passes over up to `frames` frames where that is cheap, and gives how many it passed over. What
    /// follows is what would have followed had they been decoded, bit for bit.
    fn skip(&mut self, frames: u64) -> Result<u64, AudioError>;

    /// Decodes a block into the sink; `false` at the end.
    fn next(&mut self, sink: &mut Sink) -> Result<bool, AudioError>;

    /// What has been found wrong so far.
    fn damage(&self) -> Damage;

    /// Frames to make room for at once; 0 where only a header claims them.
    fn memory_frames(&self) -> u64 {
        0
    }
}

/// What is wrong with a file, as far as it has been read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) skipped_packets: u64,
    pub(crate) changed_packets: u64,
    pub(crate) lost_frames: u64,
    pub(crate) truncated: bool,
}

/// Chooses the reader by content.
pub(crate) fn open(
    path: &Path,
    mut input: Box<dyn MediaSource>,
    len: u64,
) -> Result<Box<dyn Source>, AudioError> {
    let io = |error| AudioError::io(path, "read", error);
    let mut head = vec![0; HEAD_BYTES];
    let read = pcm::read_up_to(&mut input, &mut head).map_err(io)?;
    head.truncate(read);
    input.seek(SeekFrom::Start(0)).map_err(io)?;
    match sniff(&head) {
        Content::NotAudio(content) => Err(AudioError::NotAudio { path: path.to_path_buf(), content }),
        Content::ForeignContainer(name) => {
            Err(AudioError::UnsupportedContainer { path: path.to_path_buf(), container: name.to_owned() })
        }
        Content::Au => au::open(path, input, len),
        Content::Wave => wave::open(path, input, len),
        Content::Wave64 => w64::open(path, input, len),
        Content::Aiff => aiff::open(path, input, len),
        Content::Caf => caf::open(path, input, len),
        Content::Mp4 => {
            let edits = mp4::gapless(input.as_mut(), len);
            input.seek(SeekFrom::Start(0)).map_err(io)?;
            packets::open(path, input, packets::Hints { edits, ..packets::Hints::default() })
        }
        Content::Other => packets::open(path, input, packets::Hints::default()),
    }
}

/// Refuses a rate or a channel count that no recording has.
pub(crate) fn check_stream(path: &Path, sample_rate: u32, channels: usize) -> Result<(), AudioError> {
    if !(MIN_SAMPLE_RATE..=MAX_SAMPLE_RATE).contains(&sample_rate) {
        return Err(AudioError::StreamParameter {
            path: path.to_path_buf(),
            parameter: "sample rate",
            value: u64::from(sample_rate),
            min: u64::from(MIN_SAMPLE_RATE),
            max: u64::from(MAX_SAMPLE_RATE),
        });
    }
    if !(1..=MAX_CHANNELS).contains(&channels) {
        return Err(AudioError::StreamParameter {
            path: path.to_path_buf(),
            parameter: "channel count",
            value: channels as u64,
            min: 1,
            max: MAX_CHANNELS as u64,
        });
    }
    Ok(())
}
