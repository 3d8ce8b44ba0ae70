//! The chunks of a WAVE file, and a view of the file in which the sizes that lie are put right.
//!
//! Recorders that were interrupted, encoders that wrote to a pipe (data size 0 or 2^32 - 1) and downloads that broke off all
//! leave sizes that disagree with the file. [`WaveSource`] serves the same bytes with the RIFF and data sizes set to what the
//! file really holds, so that every reader behind it sees a sound header. RF64 is served as RIFF in the same way.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use symphonia::core::io::MediaSource;

use crate::AudioError;

/// Chunks walked before the data chunk; real files have a handful.
const MAX_CHUNKS: usize = 1024;
const TAG_PCM: u16 = 0x0001;
const TAG_FLOAT: u16 = 0x0003;
const TAG_MS_ADPCM: u16 = 0x0002;
const TAG_IMA_ADPCM: u16 = 0x0011;
const TAG_EXTENSIBLE: u16 = 0xfffe;

/// Data sizes that mean "not known when the header was written".
const PLACEHOLDER_SIZES: [u32; 2] = [0, u32::MAX];

/// The fields of the format chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaveFormat {
    /// Format tag; the sub-format's where the tag is the extensible one.
    pub(crate) tag: u16,
    pub(crate) channels: u16,
    pub(crate) sample_rate: u32,
    /// Bytes per frame, or per block of a compressed codec.
    pub(crate) block_align: u16,
    pub(crate) bits: u16,
    /// Valid bits of the extensible form, else `bits`.
    pub(crate) valid_bits: u16,
}

impl WaveFormat {
    /// Whether hound reads it: whole-byte integers or 32-bit floats that fill their container.
    pub(crate) fn is_plain_pcm(&self) -> bool {
        let fills = self.valid_bits == self.bits
            && u32::from(self.block_align) == u32::from(self.channels) * u32::from(self.bits / 8);
        let known = matches!((self.tag, self.bits), (TAG_PCM, 8 | 16 | 24 | 32))
            || (self.tag, self.bits) == (TAG_FLOAT, 32);
        fills && known
    }

    /// The codec's short name as symphonia spells it, or its number.
    pub(crate) fn codec_name(&self) -> String {
        match (self.tag, self.bits) {
            (TAG_PCM, 8) => "pcm_u8".to_owned(),
            (TAG_PCM, bits) => format!("pcm_s{bits}le"),
            (TAG_FLOAT, bits) => format!("pcm_f{bits}le"),
            (tag, _) => format!("wave format tag {tag:#06x}"),
        }
    }
}

/// What the walk over the chunks found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WaveLayout {
    pub(crate) format: WaveFormat,
    /// Offset of the data chunk's size field.
    size_offset: u64,
    /// Bytes of whole blocks that are really there.
    pub(crate) data_len: u32,
    /// The file ends before the data size says so.
    pub(crate) truncated: bool,
    /// Frames by the fact chunk: a codec of blocks fills its last one with silence.
    fact_frames: Option<u32>,
}

impl WaveLayout {
    /// How many of `frames` decoded ones are sound: an ADPCM file's last block may be filled up.
    pub(crate) fn sounding_frames(&self, frames: usize) -> usize {
        let per_block = 2 * usize::from(self.format.block_align);
        match self.fact_frames.map(|fact| fact as usize) {
            Some(fact)
                if matches!(self.format.tag, TAG_MS_ADPCM | TAG_IMA_ADPCM)
                    && (1..frames).contains(&fact)
                    && frames - fact < per_block =>
            {
                fact
            }
            _ => frames,
        }
    }
}

/// Walks the chunks of a file of `file_len` bytes up to the data chunk.
pub(crate) fn scan<R: Read + Seek>(
    path: &Path,
    source: &mut R,
    file_len: u64,
) -> Result<WaveLayout, AudioError> {
    let mut format = None;
    let mut long_size = None;
    let mut fact_frames = None;
    let mut offset = 12u64;
    for _ in 0..MAX_CHUNKS {
        let mut header = [0u8; 8];
        if !read_at(path, source, offset, &mut header)? {
            break;
        }
        let size = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
        let body = offset + 8;
        match &header[..4] {
            b"fmt " => format = Some(read_format(path, source, body, size)?),
            b"ds64" => {
                let mut sizes = [0u8; 16];
                if read_at(path, source, body, &mut sizes)? {
                    let [.., a, b, c, d, e, f, g, h] = sizes;
                    long_size = Some(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
                }
            }
            b"fact" => {
                let mut frames = [0u8; 4];
                if size >= 4 && read_at(path, source, body, &mut frames)? {
                    fact_frames = Some(u32::from_le_bytes(frames));
                }
            }
            b"data" => {
                let Some(format) = format else {
                    return Err(AudioError::malformed(path, "data chunk before the format chunk"));
                };
                if size == 0 && chunks_to_the_end(path, source, body, file_len)? {
                    return Err(AudioError::NoSamples { path: path.to_path_buf(), skipped_packets: 0 });
                }
                let layout = layout(format, offset + 4, file_len.saturating_sub(body), size, long_size);
                return Ok(WaveLayout { fact_frames, ..layout });
            }
            _ => {}
        }
        // Chunks start at even offsets.
        offset = body + u64::from(size) + u64::from(size & 1);
    }
    let missing = if format.is_none() { "no format chunk" } else { "no data chunk" };
    Err(AudioError::malformed(path, missing))
}

/// Whether what follows an empty data chunk is further chunks, at least one and none cut off. Otherwise a size of 0 stands
/// for one that was never filled in, and samples follow.
fn chunks_to_the_end<R: Read + Seek>(
    path: &Path,
    source: &mut R,
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

/// Compares the claimed size with the bytes present.
fn layout(
    format: WaveFormat,
    size_offset: u64,
    present: u64,
    size: u32,
    long_size: Option<u64>,
) -> WaveLayout {
    let claimed = match long_size {
        Some(long) if size == u32::MAX => Some(long).filter(|&long| long > 0),
        _ => Some(size).filter(|size| !PLACEHOLDER_SIZES.contains(size)).map(u64::from),
    };
    let usable = claimed.unwrap_or(u64::MAX).min(present);
    let block = u64::from(format.block_align.max(1));
    // Larger files than a RIFF can describe are read up to what it can.
    let data_len = usable.min(u64::from(u32::MAX - 1)) / block * block;
    let too_large = usable > u64::from(u32::MAX - 1);
    let truncated = too_large || claimed.is_some_and(|claimed| claimed > present);
    WaveLayout { format, size_offset, data_len: data_len as u32, truncated, fact_frames: None }
}

fn read_format<R: Read + Seek>(
    path: &Path,
    source: &mut R,
    body: u64,
    size: u32,
) -> Result<WaveFormat, AudioError> {
    let mut bytes = [0u8; 40];
    let wanted = (size as usize).min(bytes.len());
    if wanted < 14 || !read_at(path, source, body, &mut bytes[..wanted])? {
        return Err(AudioError::malformed(
            path,
            format!("format chunk of {size} bytes is too short or cut off"),
        ));
    }
    let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let mut format = WaveFormat {
        tag: word(0),
        channels: word(2),
        sample_rate: u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
        block_align: word(12),
        bits: word(14),
        valid_bits: word(14),
    };
    if format.tag == TAG_EXTENSIBLE && wanted >= 40 {
        // Zero valid bits are written by some encoders and mean all of them.
        format.valid_bits = if word(18) == 0 { format.bits } else { word(18) };
        format.tag = word(24);
    }
    Ok(format)
}

/// Fills the buffer from an offset; `false` where the file ends first.
fn read_at<R: Read + Seek>(
    path: &Path,
    source: &mut R,
    offset: u64,
    buffer: &mut [u8],
) -> Result<bool, AudioError> {
    let read = source.seek(SeekFrom::Start(offset)).and_then(|_| source.read_exact(buffer));
    match read {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(AudioError::io(path, "read", error)),
    }
}

/// The bytes of a WAVE file with the form `RIFF` and sizes that agree with the file.
#[derive(Debug)]
pub(crate) struct WaveSource<S> {
    inner: S,
    position: u64,
    patches: [(u64, [u8; 4]); 3],
}

impl<S: Read + Seek> WaveSource<S> {
    /// Wraps a source and goes to its start.
    pub(crate) fn new(mut inner: S, layout: &WaveLayout) -> io::Result<Self> {
        inner.seek(SeekFrom::Start(0))?;
        let riff_len =
            (layout.size_offset - 4).saturating_add(u64::from(layout.data_len)).min(u64::from(u32::MAX - 1));
        let patches = [
            (0, *b"RIFF"),
            (4, (riff_len as u32).to_le_bytes()),
            (layout.size_offset, layout.data_len.to_le_bytes()),
        ];
        Ok(Self { inner, position: 0, patches })
    }
}

impl<S: Read> Read for WaveSource<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        for (offset, bytes) in &self.patches {
            for (at, &byte) in (*offset..).zip(bytes) {
                if (self.position..self.position + count as u64).contains(&at) {
                    buffer[(at - self.position) as usize] = byte;
                }
            }
        }
        self.position += count as u64;
        Ok(count)
    }
}

impl<S: Seek> Seek for WaveSource<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.inner.seek(to)?;
        Ok(self.position)
    }
}

impl MediaSource for WaveSource<Box<dyn MediaSource + '_>> {
    fn is_seekable(&self) -> bool {
        self.inner.is_seekable()
    }

    fn byte_len(&self) -> Option<u64> {
        self.inner.byte_len()
    }
}
