//! Object headers: the messages that describe a group or a data set.

use super::super::WeightError;
use super::super::cursor::Cursor;
use super::{malformed, unsupported};

/// Kinds of messages.
pub(super) mod kind {
    pub(in super::super) const DATASPACE: u16 = 0x01;
    pub(in super::super) const LINK_INFO: u16 = 0x02;
    pub(in super::super) const DATATYPE: u16 = 0x03;
    pub(in super::super) const LINK: u16 = 0x06;
    pub(in super::super) const LAYOUT: u16 = 0x08;
    pub(in super::super) const FILTERS: u16 = 0x0B;
    pub(super) const CONTINUATION: u16 = 0x10;
    pub(in super::super) const SYMBOL_TABLE: u16 = 0x11;
}

/// Most messages of one object, and most parts that a header is split into.
const MOST: usize = 100_000;
const MOST_PARTS: usize = 1000;

/// One message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) data: &'a [u8],
}

/// All messages of the object whose header is at `address`.
pub(super) fn messages(bytes: &[u8], address: u64) -> Result<Vec<Message<'_>>, WeightError> {
    let mut cursor = Cursor::goto(bytes, address, "object header")?;
    let mut messages = Vec::new();
    let mut parts: Vec<&[u8]> = Vec::new();
    if cursor.take(1)? == [1] {
        cursor.skip(7)?;
        let length = cursor.u32()?;
        cursor.skip(4)?;
        parts.push(cursor.take_u64(u64::from(length))?);
        let mut next = 0;
        while let Some(&part) = parts.get(next) {
            next += 1;
            version_1(bytes, part, &mut messages, &mut parts)?;
        }
    } else {
        let mut cursor = Cursor::goto(bytes, address, "object header")?;
        if cursor.take(4)? != b"OHDR" {
            return Err(malformed(format!("no object header at {address}")));
        }
        let version = cursor.u8()?;
        if version != 2 {
            return Err(unsupported(format!("object header version {version}")));
        }
        let flags = cursor.u8()?;
        if flags & 0x20 != 0 {
            cursor.skip(16)?;
        }
        if flags & 0x10 != 0 {
            cursor.skip(4)?;
        }
        let length = match flags & 3 {
            0 => u64::from(cursor.u8()?),
            1 => u64::from(cursor.u16()?),
            2 => u64::from(cursor.u32()?),
            _ => cursor.u64()?,
        };
        parts.push(cursor.take_u64(length)?);
        let mut next = 0;
        while let Some(&part) = parts.get(next) {
            next += 1;
            version_2(bytes, part, flags & 4 != 0, &mut messages, &mut parts)?;
        }
    }
    Ok(messages)
}

fn version_1<'a>(
    bytes: &'a [u8],
    part: &'a [u8],
    messages: &mut Vec<Message<'a>>,
    parts: &mut Vec<&'a [u8]>,
) -> Result<(), WeightError> {
    let mut cursor = Cursor::new(part, "header message");
    while cursor.remaining() >= 8 {
        let (kind, size, flags) = (cursor.u16()?, cursor.u16()?, cursor.u8()?);
        cursor.skip(3)?;
        let data = cursor.take(usize::from(size))?;
        if kind == kind::CONTINUATION {
            parts.push(continuation(bytes, data)?);
            within(parts.len(), MOST_PARTS)?;
        } else {
            push(messages, kind, flags, data)?;
        }
    }
    Ok(())
}

fn version_2<'a>(
    bytes: &'a [u8],
    part: &'a [u8],
    ordered: bool,
    messages: &mut Vec<Message<'a>>,
    parts: &mut Vec<&'a [u8]>,
) -> Result<(), WeightError> {
    let mut cursor = Cursor::new(part, "header message");
    let head = if ordered { 6 } else { 4 };
    // What is left over and too short for a message is a gap.
    while cursor.remaining() >= head {
        let (kind, size, flags) = (u16::from(cursor.u8()?), cursor.u16()?, cursor.u8()?);
        if ordered {
            cursor.skip(2)?;
        }
        let data = cursor.take(usize::from(size))?;
        if kind == kind::CONTINUATION {
            let block = continuation(bytes, data)?;
            // Signature before, checksum behind.
            let inner = block.strip_prefix(b"OCHK").and_then(|rest| rest.get(..rest.len().checked_sub(4)?));
            parts.push(inner.ok_or_else(|| malformed("a continuation of an object header is missing"))?);
            within(parts.len(), MOST_PARTS)?;
        } else {
            push(messages, kind, flags, data)?;
        }
    }
    Ok(())
}

fn push<'a>(
    messages: &mut Vec<Message<'a>>,
    kind: u16,
    flags: u8,
    data: &'a [u8],
) -> Result<(), WeightError> {
    let needed = [kind::DATASPACE, kind::DATATYPE, kind::LAYOUT, kind::FILTERS, kind::LINK];
    if flags & 2 != 0 && needed.contains(&kind) {
        return Err(unsupported(format!("a shared message of kind {kind}")));
    }
    messages.push(Message { kind, data });
    within(messages.len(), MOST)
}

fn within(count: usize, most: usize) -> Result<(), WeightError> {
    if count > most { Err(malformed(format!("an object header of more than {most} parts"))) } else { Ok(()) }
}

fn continuation<'a>(bytes: &'a [u8], data: &[u8]) -> Result<&'a [u8], WeightError> {
    let mut cursor = Cursor::new(data, "continuation message");
    let (offset, length) = (cursor.u64()?, cursor.u64()?);
    Cursor::goto(bytes, offset, "object header continuation")?.take_u64(length)
}
