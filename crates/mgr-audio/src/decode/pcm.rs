//! Samples stored as such: their encodings, and the reader of a region of a file that holds them.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use symphonia::core::io::MediaSource;

use super::sink::Sink;
use super::{Damage, Source};
use crate::{AudioError, AudioInfo, Tags};

/// Bytes converted at a time: within the second-level cache, large enough that calls cost nothing.
const BLOCK_BYTES: usize = 1 << 17;

/// Order of the bytes of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

/// How a sample is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    U8,
    S8,
    S16(Order),
    S24(Order),
    S32(Order),
    F32(Order),
    F64(Order),
    Mulaw,
    Alaw,
}

impl Encoding {
    /// Bytes of a sample.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::U8 | Self::S8 | Self::Mulaw | Self::Alaw => 1,
            Self::S16(_) => 2,
            Self::S24(_) => 3,
            Self::S32(_) | Self::F32(_) => 4,
            Self::F64(_) => 8,
        }
    }

    /// Integers of so many bytes.
    pub(crate) fn integer(bytes: usize, order: Order) -> Option<Self> {
        match bytes {
            2 => Some(Self::S16(order)),
            3 => Some(Self::S24(order)),
            4 => Some(Self::S32(order)),
            _ => None,
        }
    }

    /// The name symphonia has for it.
    pub(crate) fn name(self) -> &'static str {
        use Order::{Big, Little};
        match self {
            Self::U8 => "pcm_u8",
            Self::S8 => "pcm_s8",
            Self::S16(Little) => "pcm_s16le",
            Self::S16(Big) => "pcm_s16be",
            Self::S24(Little) => "pcm_s24le",
            Self::S24(Big) => "pcm_s24be",
            Self::S32(Little) => "pcm_s32le",
            Self::S32(Big) => "pcm_s32be",
            Self::F32(Little) => "pcm_f32le",
            Self::F32(Big) => "pcm_f32be",
            Self::F64(Little) => "pcm_f64le",
            Self::F64(Big) => "pcm_f64be",
            Self::Mulaw => "pcm_mulaw",
            Self::Alaw => "pcm_alaw",
        }
    }

    /// Converts and mixes whole frames.
    fn push(self, sink: &mut Sink, bytes: &[u8], channels: usize) {
        use Order::{Big, Little};
        match self {
            Self::U8 => sink.interleaved(bytes, channels, |[x]: [u8; 1]| x),
            Self::S8 => sink.interleaved(bytes, channels, |[x]: [u8; 1]| x.cast_signed()),
            Self::S16(Little) => sink.interleaved(bytes, channels, i16::from_le_bytes),
            Self::S16(Big) => sink.interleaved(bytes, channels, i16::from_be_bytes),
            // Three bytes are the upper ones of a 32-bit integer: the same value at full scale.
            Self::S24(Little) => {
                sink.interleaved(bytes, channels, |[a, b, c]: [u8; 3]| i32::from_le_bytes([0, a, b, c]));
            }
            Self::S24(Big) => {
                sink.interleaved(bytes, channels, |[a, b, c]: [u8; 3]| i32::from_be_bytes([a, b, c, 0]));
            }
            Self::S32(Little) => sink.interleaved(bytes, channels, i32::from_le_bytes),
            Self::S32(Big) => sink.interleaved(bytes, channels, i32::from_be_bytes),
            Self::F32(Little) => sink.interleaved(bytes, channels, f32::from_le_bytes),
            Self::F32(Big) => sink.interleaved(bytes, channels, f32::from_be_bytes),
            Self::F64(Little) => sink.interleaved(bytes, channels, f64::from_le_bytes),
            Self::F64(Big) => sink.interleaved(bytes, channels, f64::from_be_bytes),
            Self::Mulaw => {
                const TABLE: [i16; 256] = mulaw_table();
                sink.interleaved(bytes, channels, |[x]: [u8; 1]| TABLE[usize::from(x)]);
            }
            Self::Alaw => {
                const TABLE: [i16; 256] = alaw_table();
                sink.interleaved(bytes, channels, |[x]: [u8; 1]| TABLE[usize::from(x)]);
            }
        }
    }
}

/// The values of all codes of a companding law.
macro_rules! law {
    ($name:ident, $code:ident => $body:block) => {
        const fn $name() -> [i16; 256] {
            let mut values = [0; 256];
            let mut at = 0;
            while at < 256 {
                let $code = at as u8;
                values[at] = $body;
                at += 1;
            }
            values
        }
    };
}

// ITU-T G.711: sign, exponent of three bits, mantissa of four; the bits are stored inverted.
law!(mulaw_table, code => {
    let code = !code;
    let magnitude = ((((code & 0x0f) as i16) << 3) + 0x84) << ((code & 0x70) >> 4);
    if code & 0x80 == 0 { magnitude - 0x84 } else { 0x84 - magnitude }
});
// ITU-T G.711: every other bit is stored inverted; the lowest exponent has no hidden bit.
law!(alaw_table, code => {
    let code = code ^ 0x55;
    let (exponent, mantissa) = ((code & 0x70) >> 4, ((code & 0x0f) as i16) << 4);
    let magnitude = if exponent == 0 { mantissa + 8 } else { (mantissa + 0x108) << (exponent - 1) };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
});

/// Where the samples of a file lie.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) container: &'static str,
    pub(crate) encoding: Encoding,
    pub(crate) sample_rate: u32,
    pub(crate) channels: usize,
    /// Bits of a sample that are meant, where the header says fewer than are stored.
    pub(crate) bits: u32,
    pub(crate) offset: u64,
    /// Bytes that are really there.
    pub(crate) len: u64,
    /// The header counts more, or less than a whole frame is left over.
    pub(crate) truncated: bool,
    pub(crate) tags: Tags,
}

/// Reads a region.
pub(crate) struct PcmSource {
    path: PathBuf,
    input: Box<dyn MediaSource>,
    info: AudioInfo,
    encoding: Encoding,
    channels: usize,
    frames_left: u64,
    truncated: bool,
    buffer: Vec<u8>,
}

impl PcmSource {
    pub(crate) fn open(
        path: &Path,
        mut input: Box<dyn MediaSource>,
        region: Region,
    ) -> Result<Self, AudioError> {
        let Region { container, encoding, sample_rate, channels, bits, offset, len, truncated, tags } =
            region;
        super::check_stream(path, sample_rate, channels)?;
        let frames = len / (encoding.width() * channels) as u64;
        input.seek(SeekFrom::Start(offset)).map_err(|error| AudioError::io(path, "read", error))?;
        let info = AudioInfo {
            container: container.to_owned(),
            codec: encoding.name().to_owned(),
            sample_rate,
            channels: channels as u32,
            bits_per_sample: Some(bits),
            frames: Some(frames),
            frames_exact: true,
            tags,
        };
        let path = path.to_path_buf();
        Ok(Self { path, input, info, encoding, channels, frames_left: frames, truncated, buffer: Vec::new() })
    }

    fn frame_bytes(&self) -> usize {
        self.encoding.width() * self.channels
    }
}

impl Source for PcmSource {
    fn info(&self) -> &AudioInfo {
        &self.info
    }

    fn skip(&mut self, frames: u64) -> Result<u64, AudioError> {
        let frames = frames.min(self.frames_left);
        let bytes = i64::try_from(frames * self.frame_bytes() as u64).unwrap_or(i64::MAX);
        self.input
            .seek(SeekFrom::Current(bytes))
            .map_err(|error| AudioError::io(&self.path, "read", error))?;
        self.frames_left -= frames;
        Ok(frames)
    }

    fn next(&mut self, sink: &mut Sink) -> Result<bool, AudioError> {
        if self.frames_left == 0 {
            return Ok(false);
        }
        let frame_bytes = self.frame_bytes();
        let frames = self.frames_left.min((BLOCK_BYTES / frame_bytes).max(1) as u64) as usize;
        self.buffer.resize(frames * frame_bytes, 0);
        let read = read_up_to(&mut self.input, &mut self.buffer)
            .map_err(|error| AudioError::io(&self.path, "read", error))?;
        if read < self.buffer.len() {
            // The file became shorter while it was read.
            self.truncated = true;
            self.frames_left = 0;
        } else {
            self.frames_left -= frames as u64;
        }
        self.encoding.push(sink, self.buffer.get(..read).unwrap_or_default(), self.channels);
        Ok(true)
    }

    fn damage(&self) -> Damage {
        Damage { truncated: self.truncated, ..Damage::default() }
    }

    fn memory_frames(&self) -> u64 {
        self.frames_left
    }
}

/// Fills a buffer as far as the source goes.
pub(crate) fn read_up_to(input: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
