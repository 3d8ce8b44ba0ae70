//! AIFF and AIFC: chunks with big-endian sizes; the samples are stored as such, or by a codec that symphonia is asked for.

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
const MAX_COMMON_BYTES: u64 = 1024;
const MAX_TAG_BYTES: u64 = 1 << 20;
/// Data sizes that mean "not known when the header was written".
const PLACEHOLDER_SIZES: [u32; 2] = [0, u32::MAX];

/// The fields of the common chunk.
struct Common {
    channels: u16,
    bits: u16,
    sample_rate: u32,
    compression: [u8; 4],
}

impl Common {
    fn parse(path: &Path, bytes: &[u8], is_aifc: bool) -> Result<Self, AudioError> {
        if bytes.len() < 18 {
            let reason = format!("common chunk of {} bytes is too short or cut off", bytes.len());
            return Err(AudioError::malformed(path, reason));
        }
        let compression = if is_aifc && bytes.len() >= 22 { field(bytes, 18) } else { *b"NONE" };
        Ok(Self {
            channels: u16::from_be_bytes(field(bytes, 0)),
            bits: u16::from_be_bytes(field(bytes, 6)),
            sample_rate: extended(field(bytes, 8)),
            compression,
        })
    }

    /// How samples are stored; `None` for a codec.
    fn encoding(&self) -> Option<Encoding> {
        let integer = |order| match self.bits {
            1..=8 => Some(Encoding::S8),
            bits => Encoding::integer(usize::from(bits.div_ceil(8)), order),
        };
        match &self.compression {
            b"NONE" | b"twos" => integer(Order::Big),
            b"sowt" => integer(Order::Little),
            b"raw " => Some(Encoding::U8),
            b"in24" => Some(Encoding::S24(Order::Big)),
            b"42ni" | b"42n1" => Some(Encoding::S24(Order::Little)),
            b"in32" => Some(Encoding::S32(Order::Big)),
            b"23ni" | b"23n1" => Some(Encoding::S32(Order::Little)),
            b"fl32" | b"FL32" => Some(Encoding::F32(Order::Big)),
            b"fl64" | b"FL64" => Some(Encoding::F64(Order::Big)),
            b"ulaw" | b"ULAW" => Some(Encoding::Mulaw),
            b"alaw" | b"ALAW" => Some(Encoding::Alaw),
            _ => None,
        }
    }
}

/// A float of 80 bits, rounded to an integer; 0 for what is no rate.
fn extended(bytes: [u8; 10]) -> u32 {
    let exponent = i32::from(u16::from_be_bytes(field(&bytes, 0))) - 16_383 - 63;
    let value = u64::from_be_bytes(field(&bytes, 2)) as f64 * f64::from(exponent).exp2();
    // The cast saturates; a negative sign makes the exponent absurd.
    value.round() as u32
}

/// Opens an AIFF or AIFC file.
pub(crate) fn open(
    path: &Path,
    mut input: Box<dyn MediaSource>,
    file_len: u64,
) -> Result<Box<dyn Source>, AudioError> {
    let mut form = [0u8; 12];
    read_at(path, input.as_mut(), 0, &mut form)?;
    let is_aifc = form.ends_with(b"AIFC");
    let (mut common, mut sound) = (None, None);
    let mut found = Tags::default();
    let mut offset = 12u64;
    for _ in 0..MAX_CHUNKS {
        let mut header = [0u8; 8];
        if !read_at(path, input.as_mut(), offset, &mut header)? {
            break;
        }
        let size = u32::from_be_bytes(field(&header, 4));
        let body = offset + 8;
        let tag_text = |input: &mut Box<dyn MediaSource>| {
            read_body(path, input.as_mut(), body, u64::from(size).min(MAX_TAG_BYTES))
        };
        match &header[..4] {
            b"COMM" => {
                let bytes = read_body(path, input.as_mut(), body, u64::from(size).min(MAX_COMMON_BYTES))?;
                common = Some(Common::parse(path, &bytes, is_aifc)?);
            }
            b"SSND" if sound.is_none() => {
                let mut start = [0u8; 8];
                read_at(path, input.as_mut(), body, &mut start)?;
                let data = body + 8 + u64::from(u32::from_be_bytes(field(&start, 0)));
                let present = file_len.saturating_sub(data);
                let claimed = if PLACEHOLDER_SIZES.contains(&size) {
                    present
                } else {
                    (body + u64::from(size)).saturating_sub(data)
                };
                sound = Some((data, claimed.min(present), claimed > present));
                if PLACEHOLDER_SIZES.contains(&size) {
                    break;
                }
            }
            b"NAME" => found.fill(Tags { title: tags::text(&tag_text(&mut input)?), ..Tags::default() }),
            b"AUTH" => found.fill(Tags { artist: tags::text(&tag_text(&mut input)?), ..Tags::default() }),
            b"ID3 " | b"id3 " => found.fill(tags::id3v2(tag_text(&mut input)?)),
            _ => {}
        }
        // Chunks start at even offsets.
        offset = body + u64::from(size) + u64::from(size & 1);
    }
    let Some(common) = common else { return Err(AudioError::malformed(path, "no common chunk")) };
    check_stream(path, common.sample_rate, usize::from(common.channels))?;
    let Some((offset, len, truncated)) = sound else {
        return Err(AudioError::NoSamples { path: path.to_path_buf(), skipped_packets: 0 });
    };
    let Some(encoding) = common.encoding() else {
        input.seek(SeekFrom::Start(0)).map_err(|error| AudioError::io(path, "read", error))?;
        let hints = Hints { container: Some("aiff"), truncated, tags: found, ..Hints::default() };
        return packets::open(path, input, hints).map_err(|error| match error {
            AudioError::UnsupportedContainer { path, .. } | AudioError::UnsupportedCodec { path, .. } => {
                let name = String::from_utf8_lossy(&common.compression).trim().to_owned();
                AudioError::UnsupportedCodec { path, codec: format!("{name} (aifc)") }
            }
            other => other,
        });
    };
    let region = Region {
        container: "aiff",
        encoding,
        sample_rate: common.sample_rate,
        channels: usize::from(common.channels),
        bits: match encoding {
            Encoding::Alaw | Encoding::Mulaw | Encoding::U8 => 8,
            Encoding::F32(_) => 32,
            Encoding::F64(_) => 64,
            _ => u32::from(common.bits),
        },
        offset,
        len,
        truncated,
        tags: found,
    };
    Ok(Box::new(PcmSource::open(path, input, region)?))
}
