//! The chunks of a WAVE file, sizes that lie among them.
//!
//! Recorders that were interrupted, encoders that wrote to a pipe (data size 0 or 2^32 - 1), files of more than 4 GiB whose
//! size wrapped around and downloads that broke off all leave sizes that disagree with the file. What is really there is read.
//! Samples stored as such are read here; for a compressed codec a header with the right sizes is put before the data, and
//! symphonia reads that.

use std::io::{Read, SeekFrom};
use std::path::Path;

use symphonia::core::io::MediaSource;

use super::bytes::{Spliced, field, read_at};
use super::packets::{self, Edits, Hints};
use super::pcm::{Encoding, Order, PcmSource, Region};
use super::{Source, check_stream, tags};
use crate::{AudioError, Tags};

/// Chunks walked at most; real files have a handful.
const MAX_CHUNKS: usize = 1024;
/// Bytes of a format chunk or of a chunk of tags that are read at most.
const MAX_FORMAT_BYTES: u64 = 4096;
const MAX_TAG_BYTES: u64 = 1 << 20;
const TAG_PCM: u16 = 0x0001;
const TAG_MS_ADPCM: u16 = 0x0002;
const TAG_FLOAT: u16 = 0x0003;
const TAG_ALAW: u16 = 0x0006;
const TAG_MULAW: u16 = 0x0007;
const TAG_IMA_ADPCM: u16 = 0x0011;
const TAG_MPEG: u16 = 0x0050;
const TAG_MP3: u16 = 0x0055;
const TAG_EXTENSIBLE: u16 = 0xfffe;

/// Data sizes that mean "not known when the header was written".
const PLACEHOLDER_SIZES: [u32; 2] = [0, u32::MAX];

/// The fields of the format chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WaveFormat {
    /// Format tag; the sub-format's where the tag is the extensible one.
    tag: u16,
    channels: u16,
    sample_rate: u32,
    /// Bytes per frame, or per block of a compressed codec.
    block_align: u16,
    bits: u16,
    /// Valid bits of the extensible form, else `bits`.
    valid_bits: u16,
    /// Frames in a block of ADPCM.
    block_frames: u16,
    /// The chunk as it is.
    bytes: Vec<u8>,
}

impl WaveFormat {
    pub(crate) fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, AudioError> {
        if bytes.len() < 14 {
            let reason = format!("format chunk of {} bytes is too short or cut off", bytes.len());
            return Err(AudioError::malformed(path, reason));
        }
        let mut bytes = bytes;
        if bytes.len() > 18 {
            // Beyond the extension there may be padding.
            let extension = usize::from(u16::from_le_bytes(field(&bytes, 16)));
            bytes.truncate(18 + extension);
        }
        let word = |at: usize| u16::from_le_bytes(field(&bytes, at));
        let (mut tag, bits) = (word(0), word(14));
        let mut valid_bits = bits;
        let extensible = tag == TAG_EXTENSIBLE && bytes.len() >= 40;
        if extensible {
            // Zero valid bits are written by some encoders and mean all of them.
            valid_bits = if word(18) == 0 { bits } else { word(18).min(bits) };
            tag = word(24);
        }
        let block_frames = if extensible { 0 } else { word(18) };
        let sample_rate = u32::from_le_bytes(field(&bytes, 4));
        let (channels, block_align) = (word(2), word(12));
        Ok(Self { tag, channels, sample_rate, block_align, bits, valid_bits, block_frames, bytes })
    }

    /// How samples are stored, where they are stored as such. Integers of odd bit counts fill the upper bits of whole bytes.
    fn encoding(&self) -> Option<Encoding> {
        match (self.tag, self.bits) {
            (TAG_PCM, 1..=32) => {
                let needed = usize::from(self.bits.div_ceil(8));
                let (block, channels) = (usize::from(self.block_align), usize::from(self.channels.max(1)));
                let stored = if block.is_multiple_of(channels) { block / channels } else { 0 };
                match if (needed..=4).contains(&stored) { stored } else { needed } {
                    1 => Some(Encoding::U8),
                    bytes => Encoding::integer(bytes, Order::Little),
                }
            }
            (TAG_FLOAT, 32) => Some(Encoding::F32(Order::Little)),
            (TAG_FLOAT, 64) => Some(Encoding::F64(Order::Little)),
            (TAG_ALAW, _) => Some(Encoding::Alaw),
            (TAG_MULAW, _) => Some(Encoding::Mulaw),
            _ => None,
        }
    }

    /// The name of a codec that is not read.
    fn codec_name(&self) -> String {
        match self.tag {
            0x0031 => "gsm 6.10 (wave)".to_owned(),
            0x0040 | 0x0041 => "g.721 adpcm (wave)".to_owned(),
            0x0092 => "ac-3 (wave)".to_owned(),
            0x00ff | 0x1600..=0x1610 => "aac (wave)".to_owned(),
            0x0160..=0x0163 => "wma (wave)".to_owned(),
            TAG_PCM | TAG_FLOAT => format!("pcm of {} bits (wave format tag {:#06x})", self.bits, self.tag),
            tag => format!("wave format tag {tag:#06x}"),
        }
    }
}

/// What the walk over the chunks found.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) format: WaveFormat,
    pub(crate) data_offset: u64,
    /// Bytes that are really there.
    pub(crate) data_len: u64,
    /// The file ends before the data size says so.
    pub(crate) truncated: bool,
    /// Frames by the fact chunk: a codec of blocks fills its last one with silence.
    pub(crate) fact_frames: Option<u64>,
    pub(crate) tags: Tags,
}

/// Opens a RIFF, RF64 or BW64 file of the form WAVE.
pub(crate) fn open(
    path: &Path,
    mut input: Box<dyn MediaSource>,
    file_len: u64,
) -> Result<Box<dyn Source>, AudioError> {
    let layout = scan(path, input.as_mut(), file_len)?;
    open_data(path, input, "wave", layout)
}

/// Opens the data that a layout describes.
pub(crate) fn open_data(
    path: &Path,
    input: Box<dyn MediaSource>,
    container: &'static str,
    layout: Layout,
) -> Result<Box<dyn Source>, AudioError> {
    let Layout { format, data_offset, data_len, truncated, fact_frames, tags } = layout;
    let channels = usize::from(format.channels);
    check_stream(path, format.sample_rate, channels)?;
    if data_len == 0 {
        return Err(AudioError::NoSamples { path: path.to_path_buf(), skipped_packets: 0 });
    }
    if let Some(encoding) = format.encoding() {
        let region = Region {
            container,
            encoding,
            sample_rate: format.sample_rate,
            channels,
            bits: match encoding {
                Encoding::Alaw | Encoding::Mulaw => 8,
                _ => u32::from(format.valid_bits),
            },
            offset: data_offset,
            len: data_len,
            truncated,
            tags,
        };
        return Ok(Box::new(PcmSource::open(path, input, region)?));
    }
    let mut hints = Hints { container: Some(container), truncated, tags, ..Hints::default() };
    let splice = |head: Vec<u8>, len: u64| {
        Spliced::new(head, input, data_offset, len).map_err(|error| AudioError::io(path, "read", error))
    };
    if matches!(format.tag, TAG_MPEG | TAG_MP3) {
        return packets::open(path, Box::new(splice(Vec::new(), data_len)?), hints);
    }
    let block = u64::from(format.block_align.max(1));
    // The header of our own counts in 32 bits.
    let len = data_len.min(u64::from(u32::MAX) - 8192) / block * block;
    hints.truncated |= len < data_len / block * block;
    if matches!(format.tag, TAG_MS_ADPCM | TAG_IMA_ADPCM) {
        let block_frames = u64::from(format.block_frames);
        let stored = len / block * block_frames;
        let sounding = fact_frames.filter(|fact| (1..stored).contains(fact) && stored - fact < block_frames);
        hints.edits = vec![Edits { track: None, start: 0, frames: sounding, rate: format.sample_rate }];
    }
    let mut head = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
    head.extend((format.bytes.len() as u32).to_le_bytes());
    head.extend(&format.bytes);
    if format.bytes.len() % 2 == 1 {
        head.push(0);
    }
    head.extend(b"data");
    head.extend((len as u32).to_le_bytes());
    let riff_len = (head.len() as u64 - 8 + len) as u32;
    if let Some(size) = head.get_mut(4..8) {
        size.copy_from_slice(&riff_len.to_le_bytes());
    }
    match packets::open(path, Box::new(splice(head, len)?), hints) {
        // The container is known by now: what the reader refused is the format in it.
        Err(AudioError::UnsupportedContainer { path, .. } | AudioError::UnsupportedCodec { path, .. }) => {
            Err(AudioError::UnsupportedCodec { path, codec: format.codec_name() })
        }
        other => other,
    }
}

/// Walks the chunks of a file of `file_len` bytes.
fn scan(path: &Path, source: &mut dyn MediaSource, file_len: u64) -> Result<Layout, AudioError> {
    let mut format = None;
    let mut long_size = None;
    let mut fact_frames = None;
    let mut found = Tags::default();
    let mut data: Option<(u64, u64, bool)> = None;
    let mut offset = 12u64;
    for _ in 0..MAX_CHUNKS {
        let mut header = [0u8; 8];
        if !read_at(path, source, offset, &mut header)? {
            break;
        }
        let size = u32::from_le_bytes(field(&header, 4));
        let body = offset + 8;
        // Chunks start at even offsets.
        offset = body + u64::from(size) + u64::from(size & 1);
        match &header[..4] {
            b"fmt " if format.is_none() => {
                let bytes = read_body(path, source, body, u64::from(size).min(MAX_FORMAT_BYTES))?;
                if (bytes.len() as u64) < u64::from(size).min(14) {
                    return Err(AudioError::malformed(path, "format chunk is cut off"));
                }
                format = Some(WaveFormat::parse(path, bytes)?);
            }
            b"ds64" => {
                let mut sizes = [0u8; 16];
                if read_at(path, source, body, &mut sizes)? {
                    long_size = Some(u64::from_le_bytes(field(&sizes, 8)));
                }
            }
            b"fact" => {
                let mut frames = [0u8; 4];
                if size >= 4 && read_at(path, source, body, &mut frames)? {
                    fact_frames = Some(u64::from(u32::from_le_bytes(frames)));
                }
            }
            b"LIST" => {
                let bytes = read_body(path, source, body, u64::from(size).min(MAX_TAG_BYTES))?;
                found.fill(tags::riff_info(&bytes));
            }
            b"id3 " | b"ID3 " => {
                let bytes = read_body(path, source, body, u64::from(size).min(MAX_TAG_BYTES))?;
                found.fill(tags::id3v2(bytes));
            }
            b"data" if data.is_none() => {
                if format.is_none() {
                    return Err(AudioError::malformed(path, "data chunk before the format chunk"));
                }
                if size == 0 && chunks_to_the_end(path, source, body, file_len)? {
                    return Err(AudioError::NoSamples { path: path.to_path_buf(), skipped_packets: 0 });
                }
                let present = file_len.saturating_sub(body);
                let claimed = claimed_size(size, long_size, present);
                let len = claimed.unwrap_or(u64::MAX).min(present);
                data = Some((body, len, claimed.is_some_and(|claimed| claimed > present)));
                // What follows may hold tags, where the size is to be believed.
                match claimed {
                    Some(claimed) if claimed < present => offset = body + claimed + (claimed & 1),
                    _ => break,
                }
            }
            _ => {}
        }
    }
    match (format, data) {
        (Some(format), Some((data_offset, data_len, truncated))) => {
            Ok(Layout { format, data_offset, data_len, truncated, fact_frames, tags: found })
        }
        (None, _) => Err(AudioError::malformed(path, "no format chunk")),
        (Some(_), None) => Err(AudioError::malformed(path, "no data chunk")),
    }
}

/// The size of the data chunk as the file means it, `None` where it does not tell.
fn claimed_size(size: u32, long_size: Option<u64>, present: u64) -> Option<u64> {
    match long_size {
        Some(long) if size == u32::MAX => Some(long).filter(|&long| long > 0),
        _ if PLACEHOLDER_SIZES.contains(&size) => None,
        // Sizes beyond 32 bits wrap around where an encoder knows no RF64.
        _ => Some(u64::from(size)).map(|size| size + (present.saturating_sub(size) >> 32 << 32)),
    }
}

/// The bytes of a chunk, fewer where the file ends in it.
pub(crate) fn read_body(
    path: &Path,
    source: &mut dyn MediaSource,
    body: u64,
    len: u64,
) -> Result<Vec<u8>, AudioError> {
    let mut bytes = Vec::new();
    source
        .seek(SeekFrom::Start(body))
        .and_then(|_| Read::take(&mut *source, len).read_to_end(&mut bytes))
        .map_err(|error| AudioError::io(path, "read", error))?;
    Ok(bytes)
}

/// Whether what follows an empty data chunk is further chunks, at least one and none cut off. Otherwise a size of 0 stands
/// for one that was never filled in, and samples follow.
fn chunks_to_the_end(
    path: &Path,
    source: &mut dyn MediaSource,
    mut offset: u64,
    file_len: u64,
) -> Result<bool, AudioError> {
    let start = offset;
    while offset < file_len {
        let mut header = [0u8; 8];
        if !read_at(path, source, offset, &mut header)? {
            return Ok(false);
        }
        let [a, b, c, d, size @ ..] = header;
        if ![a, b, c, d].iter().all(|byte| (0x20..0x7f).contains(byte)) {
            return Ok(false);
        }
        let size = u64::from(u32::from_le_bytes(size));
        offset += 8 + size + (size & 1);
        // The last chunk may lack its padding byte.
        if offset > file_len && (offset - file_len > 1 || size & 1 == 0) {
            return Ok(false);
        }
    }
    Ok(offset > start)
}
