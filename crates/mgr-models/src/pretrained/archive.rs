//! The parts of zip, tar and gzip that weight files come in.
//!
//! PyTorch's files and Python wheels are zip archives, source packages are gzipped tar archives. A member is unpacked into
//! at most as many bytes as deflate can make of it (1032 for one), so that a small file cannot fill the memory.

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::WeightError;
use super::cursor::Cursor;

const ZIP: &str = "zip archive";
const GZIP: &str = "gzip file";
const TAR: &str = "tar archive";

/// Most bytes that deflate makes of one, and the few that a short stream needs.
const EXPANSION: usize = 1032;
const SLACK: usize = 64;

/// A member of a zip archive.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) name: String,
    /// As stored; `deflated` tells how.
    stored: &'a [u8],
    deflated: bool,
    length: u64,
}

impl<'a> Member<'a> {
    /// The content, where it is stored as it is.
    pub(super) fn plain(&self) -> Option<&'a [u8]> {
        (!self.deflated && self.stored.len() as u64 == self.length).then_some(self.stored)
    }

    /// The content, unpacked.
    pub(super) fn content(&self) -> Result<Vec<u8>, WeightError> {
        if let Some(plain) = self.plain() {
            return Ok(plain.to_vec());
        }
        let content = if self.deflated { inflate(self.stored, ZIP)? } else { self.stored.to_vec() };
        if content.len() as u64 != self.length {
            let reason = format!("{} has {} bytes, {} announced", self.name, content.len(), self.length);
            return Err(WeightError::malformed(ZIP, reason));
        }
        Ok(content)
    }
}

/// The raw deflate stream, unpacked.
pub(super) fn inflate(stored: &[u8], format: &'static str) -> Result<Vec<u8>, WeightError> {
    let limit = stored.len().saturating_mul(EXPANSION).saturating_add(SLACK);
    decompress_to_vec_with_limit(stored, limit)
        .map_err(|error| WeightError::malformed(format, format!("deflate: {error}")))
}

/// The members of a zip archive, by its central directory.
pub(super) fn zip_members(bytes: &[u8]) -> Result<Vec<Member<'_>>, WeightError> {
    // The end record is 22 bytes and a comment of at most 65,535.
    let earliest = bytes.len().saturating_sub(22 + 65_535);
    let tail = bytes.get(earliest..).unwrap_or_default();
    let end = tail
        .windows(4)
        .rposition(|window| window == b"PK\x05\x06")
        .ok_or_else(|| WeightError::malformed(ZIP, "no end record"))?;
    let mut end = Cursor::goto(bytes, (earliest + end) as u64, "zip end record")?;
    let end_at = end.at();
    end.skip(10)?;
    let mut count = u64::from(end.u16()?);
    end.skip(4)?;
    let mut directory = u64::from(end.u32()?);
    // Archives above 4 GiB or 65,535 members have a second end record, named by a locator just before the first.
    if let Some(locator) = end_at.checked_sub(20)
        && bytes.get(locator..locator + 4) == Some(b"PK\x06\x07")
    {
        let mut locator = Cursor::goto(bytes, locator as u64 + 8, "zip64 locator")?;
        let mut end = Cursor::goto(bytes, locator.u64()?, "zip64 end record")?;
        if end.take(4)? != b"PK\x06\x06" {
            return Err(WeightError::malformed(ZIP, "zip64 end record is missing"));
        }
        end.skip(28)?;
        count = end.u64()?;
        end.skip(8)?;
        directory = end.u64()?;
    }
    let mut entry = Cursor::goto(bytes, directory, "zip directory")?;
    let mut members = Vec::new();
    for _ in 0..count {
        members.push(zip_member(bytes, &mut entry)?);
    }
    Ok(members)
}

fn zip_member<'a>(bytes: &'a [u8], entry: &mut Cursor<'a>) -> Result<Member<'a>, WeightError> {
    if entry.take(4)? != b"PK\x01\x02" {
        return Err(WeightError::malformed(ZIP, "an entry of the directory is missing"));
    }
    entry.skip(4)?;
    let flags = entry.u16()?;
    let method = entry.u16()?;
    entry.skip(8)?;
    let (packed, length) = (entry.u32()?, entry.u32()?);
    let (name, extra, comment) = (entry.u16()?, entry.u16()?, entry.u16()?);
    entry.skip(8)?;
    let offset = entry.u32()?;
    let name = String::from_utf8_lossy(entry.take(usize::from(name))?).into_owned();
    let (packed, length, offset) = zip64(entry.take(usize::from(extra))?, [length, packed, offset])
        .map(|[length, packed, offset]| (packed, length, offset))?;
    entry.skip(usize::from(comment))?;
    if flags & 1 != 0 {
        return Err(WeightError::unsupported(ZIP, format!("encrypted {name}")));
    }
    if method != 0 && method != 8 {
        return Err(WeightError::unsupported(ZIP, format!("compression {method} in {name}")));
    }
    let mut local = Cursor::goto(bytes, offset, "zip member")?;
    if local.take(4)? != b"PK\x03\x04" {
        return Err(WeightError::malformed(ZIP, format!("{name} is not where the directory says")));
    }
    local.skip(22)?;
    let (own_name, own_extra) = (local.u16()?, local.u16()?);
    local.skip(usize::from(own_name) + usize::from(own_extra))?;
    Ok(Member { name, stored: local.take_u64(packed)?, deflated: method == 8, length })
}

/// Sizes and offset, each from the zip64 field where it is all ones.
fn zip64(mut extra: &[u8], short: [u32; 3]) -> Result<[u64; 3], WeightError> {
    let mut values = short.map(u64::from);
    while extra.len() >= 4 {
        let mut field = Cursor::new(extra, "zip extra field");
        let (id, size) = (field.u16()?, field.u16()?);
        let content = field.take(usize::from(size))?;
        extra = extra.get(field.at()..).unwrap_or_default();
        if id == 1 {
            let mut content = Cursor::new(content, "zip64 field");
            for value in values.iter_mut().filter(|value| **value == u64::from(u32::MAX)) {
                *value = content.u64()?;
            }
        }
    }
    Ok(values)
}

/// The content of a gzip file of one member.
pub(super) fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, WeightError> {
    let mut cursor = Cursor::new(bytes, "gzip header");
    if cursor.take(3)? != [0x1F, 0x8B, 8] {
        return Err(WeightError::malformed(GZIP, "it begins otherwise"));
    }
    let flags = cursor.u8()?;
    cursor.skip(6)?;
    if flags & 4 != 0 {
        let extra = cursor.u16()?;
        cursor.skip(usize::from(extra))?;
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            while cursor.u8()? != 0 {}
        }
    }
    if flags & 2 != 0 {
        cursor.skip(2)?;
    }
    let packed = cursor.take(cursor.remaining())?;
    inflate(packed, GZIP)
}

/// The content of the first regular file of a tar archive whose name ends so.
pub(super) fn tar_member<'a>(bytes: &'a [u8], ending: &str) -> Result<Option<&'a [u8]>, WeightError> {
    let mut cursor = Cursor::new(bytes, "tar header");
    while cursor.remaining() >= 512 {
        let header = cursor.take(512)?;
        let field = |range: std::ops::Range<usize>| {
            let field = header.get(range).unwrap_or_default();
            let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
            String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
        };
        let name = field(0..100);
        if name.is_empty() {
            break;
        }
        let size = field(124..136);
        let size = u64::from_str_radix(size.trim(), 8)
            .map_err(|_| WeightError::malformed(TAR, format!("size of {name} is {size:?}")))?;
        let content = cursor.take_u64(size)?;
        if name.ends_with(ending) {
            return Ok(Some(content));
        }
        let padding = size.wrapping_neg() % 512;
        cursor.take_u64(padding.min(cursor.remaining() as u64))?;
    }
    Ok(None)
}
