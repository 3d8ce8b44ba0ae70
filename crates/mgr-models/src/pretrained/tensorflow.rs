//! TensorFlow V2 checkpoints: an index, which is a LevelDB table, and one file of raw values.
//!
//! The index maps names to entries, Protocol Buffers messages with type, shape, place and CRC-32C of a variable. Blocks may
//! be plain or packed by Snappy. Checksums of blocks and of values are verified. Variables of text (the object graph of
//! TensorFlow 2) are passed over.

use super::cursor::Cursor;
use super::element::Element;
use super::{WeightError, WeightMap};

const FORMAT: &str = "TensorFlow checkpoint";

/// The last eight bytes of a table.
const MAGIC: u64 = 0xDB47_7524_8B80_FB57;
/// Checksums count but under cargo-fuzz, which sets this: it would never get past them.
const CHECKED: bool = cfg!(not(fuzzing));

fn malformed(reason: impl Into<String>) -> WeightError {
    WeightError::malformed(FORMAT, reason)
}

/// Whether the bytes end as an index does.
pub(super) fn is_index(bytes: &[u8]) -> bool {
    bytes.ends_with(&MAGIC.to_le_bytes())
}

/// All variables of numbers of a checkpoint, by the content of its `.index` and of its `.data-00000-of-00001`.
///
/// # Errors
/// [`WeightError::Truncated`], [`WeightError::Malformed`] also for a wrong checksum, [`WeightError::Unsupported`] for
/// several shards, sliced variables or other number types.
pub fn read(index: &[u8], values: &[u8]) -> Result<WeightMap, WeightError> {
    let mut map = WeightMap::default();
    // Every value may be used once.
    let mut budget = values.len();
    for (name, entry) in table(index)? {
        if name.is_empty() {
            header(&entry)?;
            continue;
        }
        let name = String::from_utf8(name).map_err(|_| malformed("a name that is not UTF-8"))?;
        let Some(entry) = Entry::parse(&entry, &name)? else { continue };
        let content = Cursor::goto(values, entry.offset, "variable")?.take_u64(entry.size)?;
        budget = budget
            .checked_sub(content.len())
            .ok_or_else(|| malformed("its variables hold more than the file"))?;
        if CHECKED && masked(crc32c(&[content])) != entry.checksum {
            return Err(malformed(format!("checksum of {name}")));
        }
        map.insert(FORMAT, name, entry.element.tensor(FORMAT, &entry.shape, content, false)?)?;
    }
    Ok(map)
}

/// `BundleHeaderProto`: number of shards (1), byte order (2).
fn header(bytes: &[u8]) -> Result<(), WeightError> {
    for field in fields(bytes)? {
        match field {
            (1, Value::Number(1)) | (2, Value::Number(0)) => {}
            (1, Value::Number(shards)) => {
                return Err(WeightError::unsupported(FORMAT, format!("{shards} files of values")));
            }
            (2, _) => return Err(WeightError::unsupported(FORMAT, "big-endian values")),
            _ => {}
        }
    }
    Ok(())
}

/// `BundleEntryProto`.
struct Entry {
    element: Element,
    shape: Vec<usize>,
    offset: u64,
    size: u64,
    checksum: u32,
}

impl Entry {
    /// None for a variable of text.
    fn parse(bytes: &[u8], name: &str) -> Result<Option<Self>, WeightError> {
        let (mut kind, mut shape, mut offset, mut size, mut checksum) = (0, Vec::new(), 0, 0, 0);
        for field in fields(bytes)? {
            match field {
                (1, Value::Number(value)) => kind = value,
                (2, Value::Bytes(bytes)) => shape = tensor_shape(bytes)?,
                (3, Value::Number(0)) => {}
                (3, _) => return Err(malformed(format!("{name} is in a second file of values"))),
                (4, Value::Number(value)) => offset = value,
                (5, Value::Number(value)) => size = value,
                (6, Value::Fixed(value)) => checksum = value,
                (7, _) => return Err(WeightError::unsupported(FORMAT, format!("sliced variable {name}"))),
                _ => {}
            }
        }
        let element = match kind {
            1 => Element::F32,
            2 => Element::F64,
            3 => Element::I32,
            4 => Element::U8,
            5 => Element::I16,
            6 => Element::I8,
            7 => return Ok(None),
            9 => Element::I64,
            10 => Element::Bool,
            14 => Element::Bf16,
            17 => Element::U16,
            19 => Element::F16,
            22 => Element::U32,
            23 => Element::U64,
            other => return Err(WeightError::unsupported(FORMAT, format!("number type {other} in {name}"))),
        };
        Ok(Some(Self { element, shape, offset, size, checksum }))
    }
}

/// `TensorShapeProto`: its axes (2), each with a length (1).
fn tensor_shape(bytes: &[u8]) -> Result<Vec<usize>, WeightError> {
    let mut shape = Vec::new();
    for field in fields(bytes)? {
        if let (2, Value::Bytes(axis)) = field {
            let mut length = 0;
            for field in fields(axis)? {
                if let (1, Value::Number(value)) = field {
                    length = usize::try_from(value).map_err(|_| malformed("an axis longer than memory"))?;
                }
            }
            shape.push(length);
        }
        if shape.len() > 32 {
            return Err(malformed("more than 32 axes"));
        }
    }
    Ok(shape)
}

/// The value of a Protocol Buffers field.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed(u32),
    Fixed64,
}

fn fields(bytes: &[u8]) -> Result<Vec<(u64, Value<'_>)>, WeightError> {
    let mut cursor = Cursor::new(bytes, "message");
    let mut fields = Vec::new();
    while cursor.remaining() > 0 {
        let tag = cursor.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(cursor.varint()?),
            1 => {
                cursor.skip(8)?;
                Value::Fixed64
            }
            2 => {
                let length = cursor.varint()?;
                Value::Bytes(cursor.take_u64(length)?)
            }
            5 => Value::Fixed(cursor.u32()?),
            other => return Err(malformed(format!("field of wire type {other}"))),
        };
        fields.push((tag >> 3, value));
    }
    Ok(fields)
}

/// Keys and values, in order.
type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// All entries of a LevelDB table.
fn table(bytes: &[u8]) -> Result<Entries, WeightError> {
    if !is_index(bytes) {
        return Err(malformed("the index does not end as one"));
    }
    // The footer: places of two blocks, padded to 40 bytes, and the magic number.
    let footer = bytes.len().checked_sub(48).ok_or_else(|| malformed("the index is too short"))?;
    let mut footer = Cursor::goto(bytes, footer as u64, "table footer")?;
    footer.varint()?;
    footer.varint()?;
    let blocks = block(bytes, footer.varint()?, footer.varint()?)?;
    let mut entries = Vec::new();
    // A sound table reads every block once, and a key may be longer than what is stored of it.
    let mut budget = bytes.len().saturating_mul(64);
    for (_, handle) in block_entries(&blocks, &mut budget)? {
        let mut handle = Cursor::new(&handle, "block handle");
        let block = block(bytes, handle.varint()?, handle.varint()?)?;
        entries.extend(block_entries(&block, &mut budget)?);
    }
    Ok(entries)
}

/// A block of a table, unpacked and checked.
fn block(bytes: &[u8], offset: u64, size: u64) -> Result<Vec<u8>, WeightError> {
    let mut cursor = Cursor::goto(bytes, offset, "table block")?;
    let content = cursor.take_u64(size)?;
    let packing = cursor.u8()?;
    let checksum = cursor.u32()?;
    if CHECKED && checksum != masked(crc32c(&[content, &[packing]])) {
        return Err(malformed(format!("checksum of the block at {offset}")));
    }
    match packing {
        0 => Ok(content.to_vec()),
        1 => unsnapped(content),
        other => Err(WeightError::unsupported(FORMAT, format!("blocks packed by method {other}"))),
    }
}

/// Keys and values of a block. A key is stored as the length it shares with the one before, and the rest.
fn block_entries(block: &[u8], budget: &mut usize) -> Result<Entries, WeightError> {
    let end = block.len().checked_sub(4).ok_or_else(|| malformed("a block of less than 4 bytes"))?;
    let restarts = Cursor::goto(block, end as u64, "block restarts")?.u32()? as usize;
    let end = restarts.checked_mul(4).and_then(|restarts| end.checked_sub(restarts));
    let end = end.ok_or_else(|| malformed("more restarts than the block holds"))?;
    let mut cursor = Cursor::new(block.get(..end).unwrap_or_default(), "block entry");
    let mut key: Vec<u8> = Vec::new();
    let mut entries = Vec::new();
    while cursor.remaining() > 0 {
        let (shared, rest, length) = (cursor.varint()?, cursor.varint()?, cursor.varint()?);
        let shared = usize::try_from(shared).ok().filter(|&shared| shared <= key.len());
        key.truncate(shared.ok_or_else(|| malformed("a key shares more than there is"))?);
        key.extend_from_slice(cursor.take_u64(rest)?);
        let value = cursor.take_u64(length)?.to_vec();
        *budget = budget
            .checked_sub(key.len() + value.len() + 1)
            .ok_or_else(|| malformed("its keys are far longer than the file"))?;
        entries.push((key.clone(), value));
    }
    Ok(entries)
}

/// Snappy, raw format: the length, then literals and copies of what is already there.
fn unsnapped(bytes: &[u8]) -> Result<Vec<u8>, WeightError> {
    let mut cursor = Cursor::new(bytes, "snappy block");
    let length = usize::try_from(cursor.varint()?).unwrap_or(usize::MAX);
    // An instruction of two bytes copies at most 64.
    if length > bytes.len().saturating_mul(64) {
        return Err(malformed(format!("a snappy block of {} bytes for {length}", bytes.len())));
    }
    let mut out = Vec::with_capacity(length);
    while cursor.remaining() > 0 {
        let tag = cursor.u8()?;
        let high = usize::from(tag >> 2);
        let (count, back) = match tag & 3 {
            0 => {
                let count = match high {
                    0..60 => high,
                    _ => little_endian(cursor.take(high - 59)?),
                };
                let count = count.saturating_add(1);
                let literal = cursor.take(count)?;
                if literal.len() > length - out.len() {
                    return Err(malformed("a snappy block longer than announced"));
                }
                out.extend_from_slice(literal);
                continue;
            }
            1 => (4 + (high & 7), (high >> 3) << 8 | usize::from(cursor.u8()?)),
            2 => (high + 1, little_endian(cursor.take(2)?)),
            _ => (high + 1, little_endian(cursor.take(4)?)),
        };
        let start = out.len().checked_sub(back).filter(|_| back > 0);
        let start = start.ok_or_else(|| malformed("a snappy copy from before the beginning"))?;
        if count > length - out.len() {
            return Err(malformed("a snappy block longer than announced"));
        }
        // Byte by byte, since a copy may run into what it writes.
        for index in start..start + count {
            out.extend(out.get(index).copied());
        }
    }
    if out.len() != length {
        return Err(malformed("a snappy block shorter than announced"));
    }
    Ok(out)
}

fn little_endian(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | usize::from(byte))
}

/// CRC-32C (Castagnoli), of several parts as one.
fn crc32c(parts: &[&[u8]]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let mut value = byte as u32;
            let mut bit = 0;
            while bit < 8 {
                value = value >> 1 ^ if value & 1 == 1 { 0x82F6_3B78 } else { 0 };
                bit += 1;
            }
            table[byte] = value;
            byte += 1;
        }
        table
    };
    let update = |crc: u32, byte: &u8| TABLE[usize::from(crc as u8 ^ byte)] ^ crc >> 8;
    !parts.iter().copied().flatten().fold(!0, update)
}

/// Checksums are stored turned and shifted, so that a checksum of checksums is not weak.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xA282_EAD8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_32c_is_castagnolis() {
        // The check value of the catalogue of CRC algorithms, and RFC 3720 B.4.
        assert_eq!(crc32c(&[b"123456789"]), 0xE306_9283);
        assert_eq!(crc32c(&[b"1234", b"56789"]), 0xE306_9283);
        assert_eq!(crc32c(&[&[0; 32]]), 0x8A91_36AA);
    }

    #[test]
    fn snappy_blocks_are_unpacked() {
        // Literal "abcd", copy of 8 from 4 back, literal "!".
        let packed = [13, 3 << 2, b'a', b'b', b'c', b'd', (8 - 4) << 2 | 1, 4, 0, b'!'];
        assert_eq!(unsnapped(&packed).unwrap(), b"abcdabcdabcd!");
        // A run: a copy from one back.
        assert_eq!(unsnapped(&[9, 0, b'x', 7 << 2 | 2, 1, 0]).unwrap(), b"xxxxxxxxx");
        for broken in
            [&[5_u8, 0, b'x'][..], &[2, 1, 0], &[1, 0, b'x', 0, b'y'], &[200, 200, 200, 1], &[4, 63 << 2]]
        {
            assert!(unsnapped(broken).is_err(), "{broken:?}");
        }
    }
}
