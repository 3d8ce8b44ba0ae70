//! Sun/NeXT audio (`.au`, `.snd`), which symphonia has no reader for: the format in which GTZAN is distributed.
//!
//! The header is six or more words: magic, offset of the data, size of the data, encoding, rate, channels; all of them, and the
//! samples, big-endian after the magic `.snd` and little-endian after `dns.`.

use std::path::Path;

use symphonia::core::io::MediaSource;

use super::bytes::{field, read_at};
use super::pcm::{Encoding, Order, PcmSource, Region};
use super::{Source, check_stream};
use crate::{AudioError, Tags};

const HEADER_BYTES: u64 = 24;
/// Size field of a stream whose length was not known.
const UNKNOWN_SIZE: u32 = u32::MAX;

/// Encoding number of the header.
fn encoding(number: u32, order: Order) -> Option<Encoding> {
    Some(match number {
        1 => Encoding::Mulaw,
        2 => Encoding::S8,
        3 => Encoding::S16(order),
        4 => Encoding::S24(order),
        5 => Encoding::S32(order),
        6 => Encoding::F32(order),
        7 => Encoding::F64(order),
        27 => Encoding::Alaw,
        _ => return None,
    })
}

/// Opens an AU file.
pub(crate) fn open(
    path: &Path,
    mut input: Box<dyn MediaSource>,
    file_len: u64,
) -> Result<Box<dyn Source>, AudioError> {
    let mut header = [0u8; HEADER_BYTES as usize];
    if !read_at(path, input.as_mut(), 0, &mut header)? {
        return Err(AudioError::malformed(
            path,
            format!("au header of {file_len} bytes, it takes {HEADER_BYTES}"),
        ));
    }
    let order = if header.starts_with(b"dns.") { Order::Little } else { Order::Big };
    let word = |at: usize| match order {
        Order::Big => u32::from_be_bytes(field(&header, 4 * at)),
        Order::Little => u32::from_le_bytes(field(&header, 4 * at)),
    };
    let (offset, size, number, sample_rate) = (u64::from(word(1)), word(2), word(3), word(4));
    if !(HEADER_BYTES..file_len).contains(&offset) {
        let reason = format!("au data offset {offset}, allowed is {HEADER_BYTES} to {}", file_len - 1);
        return Err(AudioError::malformed(path, reason));
    }
    let channels = word(5) as usize;
    check_stream(path, sample_rate, channels)?;
    let Some(encoding) = encoding(number, order) else {
        let codec = match number {
            23 => "g.721 adpcm (au)".to_owned(),
            24 => "g.722 adpcm (au)".to_owned(),
            25 | 26 => "g.723 adpcm (au)".to_owned(),
            _ => format!("au encoding {number}"),
        };
        return Err(AudioError::UnsupportedCodec { path: path.to_path_buf(), codec });
    };
    let present = file_len - offset;
    let claimed = if size == UNKNOWN_SIZE || size == 0 { present } else { u64::from(size) };
    let region = Region {
        container: "au",
        encoding,
        sample_rate,
        channels,
        bits: 8 * encoding.width() as u32,
        offset,
        len: claimed.min(present),
        truncated: claimed > present,
        tags: Tags::default(),
    };
    Ok(Box::new(PcmSource::open(path, input, region)?))
}
