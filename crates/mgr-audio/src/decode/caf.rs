//! Core Audio Format: chunks with 64-bit sizes. Samples stored as such are read here; codecs go to symphonia.

use std::io::{Seek, SeekFrom};
use std::path::Path;

use symphonia::core::io::MediaSource;

use super::bytes::{field, read_at};
use super::packets::{self, Hints};
use super::pcm::{Encoding, Order, PcmSource, Region};
use super::wave::read_body;
use super::{Source, check_stream, tags};
use crate::{AudioError, Tags};

const MAX_CHUNKS: usize = 1024;
const MAX_TAG_BYTES: u64 = 1 << 20;
const FILE_HEADER_BYTES: u64 = 8;
/// The data chunk begins with a count of edits.
const EDIT_COUNT_BYTES: u64 = 4;
const FLAG_FLOAT: u32 = 1;
const FLAG_LITTLE_ENDIAN: u32 = 2;

/// The fields of the description chunk.
struct Description {
    sample_rate: u32,
    format: [u8; 4],
    flags: u32,
    bytes_per_packet: u32,
    channels: u32,
    bits: u32,
}

impl Description {
    fn parse(bytes: &[u8; 32]) -> Self {
        let word = |at: usize| u32::from_be_bytes(field(bytes, at));
        Self {
            // The cast saturates; a rate that is none becomes 0 and is refused.
            sample_rate: f64::from_be_bytes(field(bytes, 0)).round() as u32,
            format: field(bytes, 8),
            flags: word(12),
            bytes_per_packet: word(16),
            channels: word(24),
            bits: word(28),
        }
    }

    /// How samples are stored; `None` for a codec.
    fn encoding(&self) -> Option<Encoding> {
        let order = if self.flags & FLAG_LITTLE_ENDIAN == 0 { Order::Big } else { Order::Little };
        let encoding = match (&self.format, self.flags & FLAG_FLOAT != 0, self.bits) {
            (b"ulaw", ..) => Encoding::Mulaw,
            (b"alaw", ..) => Encoding::Alaw,
            (b"lpcm", true, 32) => Encoding::F32(order),
            (b"lpcm", true, 64) => Encoding::F64(order),
            (b"lpcm", false, 1..=8) => Encoding::S8,
            (b"lpcm", false, bits @ 9..=32) => Encoding::integer(bits.div_ceil(8) as usize, order)?,
            _ => return None,
        };
        // A size that disagrees is another layout than any of these.
        let frame = encoding.width() as u64 * u64::from(self.channels);
        (self.bytes_per_packet == 0 || u64::from(self.bytes_per_packet) == frame).then_some(encoding)
    }
}

/// Opens a CAF file.
pub(crate) fn open(
    path: &Path,
    mut input: Box<dyn MediaSource>,
    file_len: u64,
) -> Result<Box<dyn Source>, AudioError> {
    let (mut description, mut data) = (None, None);
    let mut found = Tags::default();
    let mut offset = FILE_HEADER_BYTES;
    for _ in 0..MAX_CHUNKS {
        let mut header = [0u8; 12];
        if !read_at(path, input.as_mut(), offset, &mut header)? {
            break;
        }
        let size = i64::from_be_bytes(field(&header, 4));
        let body = offset + 12;
        let len = u64::try_from(size).ok();
        match &header[..4] {
            b"desc" => {
                let mut bytes = [0u8; 32];
                if !read_at(path, input.as_mut(), body, &mut bytes)? {
                    return Err(AudioError::malformed(path, "description chunk is cut off"));
                }
                description = Some(Description::parse(&bytes));
            }
            b"info" => {
                let bytes = read_body(path, input.as_mut(), body, len.unwrap_or(0).min(MAX_TAG_BYTES))?;
                found.fill(tags::caf_info(&bytes));
            }
            b"data" if data.is_none() => {
                let start = body + EDIT_COUNT_BYTES;
                let present = file_len.saturating_sub(start);
                // A size of -1 is that of all that follows.
                let claimed = len.map_or(present, |len| len.saturating_sub(EDIT_COUNT_BYTES));
                data = Some((start, claimed.min(present), claimed > present));
            }
            _ => {}
        }
        let Some(next) = len.and_then(|len| body.checked_add(len)) else { break };
        offset = next;
    }
    let region = description.and_then(|description| {
        let encoding = description.encoding()?;
        let (offset, len, truncated) = data?;
        Some((description, encoding, offset, len, truncated))
    });
    let Some((description, encoding, offset, len, truncated)) = region else {
        input.seek(SeekFrom::Start(0)).map_err(|error| AudioError::io(path, "read", error))?;
        return packets::open(path, input, Hints { tags: found, ..Hints::default() });
    };
    let channels = description.channels as usize;
    check_stream(path, description.sample_rate, channels)?;
    let bits = match encoding {
        Encoding::Alaw | Encoding::Mulaw => 8,
        _ => description.bits,
    };
    let region = Region {
        container: "caf",
        encoding,
        sample_rate: description.sample_rate,
        channels,
        bits,
        offset,
        len,
        truncated,
        tags: found,
    };
    Ok(Box::new(PcmSource::open(path, input, region)?))
}
