//! Wave64 (`.w64`): the chunks of a WAVE file, named by 16 bytes and sized by 8.
//!
//! A chunk's size counts its own 24 bytes of header; chunks start at multiples of 8.

use std::path::Path;

use symphonia::core::io::MediaSource;

use super::bytes::{field, read_at};
use super::wave::{Layout, WaveFormat, open_data, read_body};
use super::{Source, tags};
use crate::{AudioError, Tags};

/// What follows the four letters in the names of all chunks but `riff` and `list`.
const NAME_TAIL: [u8; 12] = *b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";
/// The file's own chunk and the form name.
const FIRST_CHUNK: u64 = 40;
const HEADER_BYTES: u64 = 24;
const MAX_CHUNKS: usize = 1024;
const MAX_FORMAT_BYTES: u64 = 4096;
const MAX_TAG_BYTES: u64 = 1 << 20;

/// Opens a Wave64 file.
pub(crate) fn open(
    path: &Path,
    mut input: Box<dyn MediaSource>,
    file_len: u64,
) -> Result<Box<dyn Source>, AudioError> {
    let (mut format, mut data, mut fact_frames) = (None, None, None);
    let mut found = Tags::default();
    let mut offset = FIRST_CHUNK;
    for _ in 0..MAX_CHUNKS {
        let mut header = [0u8; HEADER_BYTES as usize];
        if !read_at(path, input.as_mut(), offset, &mut header)? {
            break;
        }
        let size = u64::from_le_bytes(field(&header, 16));
        let body = offset + HEADER_BYTES;
        let len = size.saturating_sub(HEADER_BYTES);
        let name: [u8; 4] = field(&header, 0);
        match &name {
            b"fmt " if header[4..16] == NAME_TAIL => {
                let bytes = read_body(path, input.as_mut(), body, len.min(MAX_FORMAT_BYTES))?;
                format = Some(WaveFormat::parse(path, bytes)?);
            }
            b"fact" if header[4..16] == NAME_TAIL => {
                let mut frames = [0u8; 8];
                if len >= 8 && read_at(path, input.as_mut(), body, &mut frames)? {
                    fact_frames = Some(u64::from_le_bytes(frames));
                }
            }
            b"list" => {
                let bytes = read_body(path, input.as_mut(), body, len.min(MAX_TAG_BYTES))?;
                found.fill(tags::riff_info(&bytes));
            }
            b"data" if header[4..16] == NAME_TAIL && data.is_none() => {
                let present = file_len.saturating_sub(body);
                // A size that was never filled in is that of an empty chunk, or less.
                let claimed = if len == 0 { present } else { len };
                data = Some((body, claimed.min(present), claimed > present));
            }
            _ => {}
        }
        let Some(next) =
            offset.checked_add(size.max(HEADER_BYTES)).and_then(|end| end.checked_next_multiple_of(8))
        else {
            break;
        };
        offset = next;
    }
    match (format, data) {
        (Some(format), Some((data_offset, data_len, truncated))) => {
            let layout = Layout { format, data_offset, data_len, truncated, fact_frames, tags: found };
            open_data(path, input, "w64", layout)
        }
        (None, _) => Err(AudioError::malformed(path, "no format chunk")),
        (Some(_), None) => Err(AudioError::malformed(path, "no data chunk")),
    }
}
