//! Data sets: their shape, number type and values.

use std::borrow::Cow;

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use super::super::WeightError;
use super::super::cursor::Cursor;
use super::super::element::{Element, count};
use super::object::{Message, kind};
use super::{DEEPEST, FORMAT, UNDEFINED, malformed, unsupported};
use crate::TensorData;

/// Most bytes that deflate makes of one, and the few that a short stream needs.
const EXPANSION: usize = 1032;
const SLACK: usize = 64;

/// The values of a data set; none where they are not numbers.
pub(super) fn read(
    bytes: &[u8],
    messages: &[Message<'_>],
    name: &str,
) -> Result<Option<TensorData>, WeightError> {
    let find = |kind: u16| messages.iter().find(|message| message.kind == kind).map(|message| message.data);
    let missing = |what: &str| malformed(format!("data set {name} has no {what}"));
    let Some((element, big_endian)) = number_type(find(kind::DATATYPE).ok_or_else(|| missing("type"))?)?
    else {
        return Ok(None);
    };
    let shape = shape(find(kind::DATASPACE).ok_or_else(|| missing("shape"))?)?;
    let length = count(&shape)
        .and_then(|count| count.checked_mul(element.size()))
        .ok_or_else(|| malformed(format!("shape {shape:?} of {name}")))?;
    let filters = find(kind::FILTERS).map(filters).transpose()?.unwrap_or_default();
    let layout = layout(find(kind::LAYOUT).ok_or_else(|| missing("layout"))?)?;
    if length == 0 {
        return Ok(Some(TensorData { shape, values: Vec::new() }));
    }
    let content: Cow<'_, [u8]> = match layout {
        Layout::Compact(data) => Cow::Borrowed(data),
        Layout::Contiguous(UNDEFINED) | Layout::Chunked { tree: UNDEFINED, .. } => {
            return Err(unsupported(format!("data set {name} without values")));
        }
        Layout::Contiguous(address) => {
            Cow::Borrowed(Cursor::goto(bytes, address, "data set")?.take_u64(length as u64)?)
        }
        Layout::Chunked { tree, chunk } => {
            Cow::Owned(Chunks { bytes, shape: &shape, chunk: &chunk, element, filters: &filters }.read(tree)?)
        }
    };
    if !matches!(layout_kind(find(kind::LAYOUT)), Some(2)) && !filters.is_empty() {
        return Err(malformed(format!("data set {name} has filters but no chunks")));
    }
    let content = content.get(..length).unwrap_or(&content);
    element.tensor(FORMAT, &shape, content, big_endian).map(Some)
}

fn layout_kind(data: Option<&[u8]>) -> Option<u8> {
    match data? {
        [3, class, ..] => Some(*class),
        [1 | 2, _, class, ..] => Some(*class),
        _ => None,
    }
}

fn number_type(data: &[u8]) -> Result<Option<(Element, bool)>, WeightError> {
    let mut cursor = Cursor::new(data, "data type message");
    let class = cursor.u8()?;
    let bits = cursor.u8()?;
    cursor.skip(2)?;
    let size = cursor.u32()?;
    let big_endian = bits & 1 != 0;
    let element = match (class & 15, size) {
        (1, 2) => Element::F16,
        (1, 4) => Element::F32,
        (1, 8) => Element::F64,
        (0, 1 | 2 | 4 | 8) => match (bits & 8 != 0, size) {
            (true, 1) => Element::I8,
            (false, 1) => Element::U8,
            (true, 2) => Element::I16,
            (false, 2) => Element::U16,
            (true, 4) => Element::I32,
            (false, 4) => Element::U32,
            (true, _) => Element::I64,
            (false, _) => Element::U64,
        },
        (0 | 1, size) => return Err(unsupported(format!("numbers of {size} bytes"))),
        _ => return Ok(None),
    };
    if class & 15 == 1 {
        // Where exponent and fraction lie: only IEEE floats are read.
        cursor.skip(4)?;
        let (exponent, fraction) = (cursor.u16()?, cursor.u16()?);
        let ieee = match element {
            Element::F16 => [10 | 5 << 8, 10 << 8],
            Element::F32 => [23 | 8 << 8, 23 << 8],
            _ => [52 | 11 << 8, 52 << 8],
        };
        if [exponent, fraction] != ieee || bits & 0x40 != 0 {
            return Err(unsupported("floating point numbers that are not IEEE"));
        }
    }
    Ok(Some((element, big_endian)))
}

fn shape(data: &[u8]) -> Result<Vec<usize>, WeightError> {
    let mut cursor = Cursor::new(data, "data space message");
    let (version, rank) = (cursor.u8()?, cursor.u8()?);
    match version {
        1 => cursor.skip(6)?,
        2 => {
            cursor.skip(1)?;
            if cursor.u8()? == 2 {
                return Err(unsupported("a data set without elements"));
            }
        }
        other => return Err(unsupported(format!("data space version {other}"))),
    }
    if rank > 32 {
        return Err(malformed(format!("{rank} axes")));
    }
    (0..rank)
        .map(|_| usize::try_from(cursor.u64()?).map_err(|_| malformed("an axis longer than memory")))
        .collect()
}

enum Layout<'a> {
    Compact(&'a [u8]),
    Contiguous(u64),
    Chunked { tree: u64, chunk: Vec<usize> },
}

fn layout(data: &[u8]) -> Result<Layout<'_>, WeightError> {
    let mut cursor = Cursor::new(data, "layout message");
    let version = cursor.u8()?;
    match version {
        3 => match cursor.u8()? {
            0 => {
                let length = cursor.u16()?;
                Ok(Layout::Compact(cursor.take(usize::from(length))?))
            }
            1 => Ok(Layout::Contiguous(cursor.u64()?)),
            2 => {
                let rank = cursor.u8()?;
                let tree = cursor.u64()?;
                Ok(Layout::Chunked { tree, chunk: chunk(&mut cursor, rank)? })
            }
            class => Err(unsupported(format!("layout class {class}"))),
        },
        1 | 2 => {
            let (rank, class) = (cursor.u8()?, cursor.u8()?);
            cursor.skip(5)?;
            match class {
                1 => Ok(Layout::Contiguous(cursor.u64()?)),
                2 => {
                    let tree = cursor.u64()?;
                    Ok(Layout::Chunked { tree, chunk: chunk(&mut cursor, rank)? })
                }
                class => Err(unsupported(format!("layout version {version}, class {class}"))),
            }
        }
        other => Err(unsupported(format!("layout version {other}"))),
    }
}

/// The shape of a chunk; the last of the numbers is the size of an element.
fn chunk(cursor: &mut Cursor<'_>, rank: u8) -> Result<Vec<usize>, WeightError> {
    let axes = usize::from(rank).checked_sub(1).ok_or_else(|| malformed("chunks without axes"))?;
    let chunk: Vec<usize> =
        (0..axes).map(|_| cursor.u32().map(|axis| axis as usize)).collect::<Result<_, _>>()?;
    if chunk.contains(&0) {
        return Err(malformed("chunks of length 0"));
    }
    Ok(chunk)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    Deflate,
    Shuffle,
    Fletcher32,
}

fn filters(data: &[u8]) -> Result<Vec<Filter>, WeightError> {
    let mut cursor = Cursor::new(data, "filter message");
    let (version, count) = (cursor.u8()?, cursor.u8()?);
    match version {
        1 => cursor.skip(6)?,
        2 => {}
        other => return Err(unsupported(format!("filter message version {other}"))),
    }
    let mut filters = Vec::new();
    for _ in 0..count {
        let id = cursor.u16()?;
        let name = if version == 1 || id >= 256 { usize::from(cursor.u16()?) } else { 0 };
        cursor.skip(2)?;
        let values = usize::from(cursor.u16()?);
        cursor.skip(if version == 1 { name.next_multiple_of(8) } else { name })?;
        cursor.skip(4 * values)?;
        if version == 1 && values % 2 == 1 {
            cursor.skip(4)?;
        }
        filters.push(match id {
            1 => Filter::Deflate,
            2 => Filter::Shuffle,
            3 => Filter::Fletcher32,
            other => return Err(unsupported(format!("filter {other}"))),
        });
    }
    Ok(filters)
}

/// A data set in chunks.
struct Chunks<'a> {
    bytes: &'a [u8],
    shape: &'a [usize],
    chunk: &'a [usize],
    element: Element,
    filters: &'a [Filter],
}

/// One chunk: where it lies in the file, and where it belongs.
struct Place {
    address: u64,
    size: u32,
    skipped: u32,
    start: Vec<usize>,
}

impl Chunks<'_> {
    fn read(&self, tree: u64) -> Result<Vec<u8>, WeightError> {
        if self.chunk.len() != self.shape.len() {
            return Err(malformed(format!("chunks {:?} of shape {:?}", self.chunk, self.shape)));
        }
        let mut places = Vec::new();
        let mut visits = self.bytes.len() / 24;
        self.tree(tree, None, &mut visits, &mut places)?;
        // All chunks must be there: each is behind bytes of the file, which bounds what is allocated.
        let expected = self
            .shape
            .iter()
            .zip(self.chunk)
            .try_fold(1_usize, |count, (&axis, &chunk)| count.checked_mul(axis.div_ceil(chunk)));
        if expected != Some(places.len()) {
            return Err(unsupported(format!("{} of its chunks, expected {expected:?}", places.len())));
        }
        let size = self.element.size();
        let chunk_bytes = count(self.chunk)
            .and_then(|count| count.checked_mul(size))
            .ok_or_else(|| malformed(format!("chunks {:?}", self.chunk)))?;
        let stored: u64 = places.iter().map(|place| u64::from(place.size)).sum();
        let length = count(self.shape).unwrap_or(usize::MAX).saturating_mul(size);
        let most = usize::try_from(stored.min(self.bytes.len() as u64)).unwrap_or(usize::MAX);
        let most = most.saturating_mul(EXPANSION).saturating_add(SLACK * places.len());
        if length > most {
            return Err(malformed(format!("shape {:?} in {stored} stored bytes", self.shape)));
        }
        let mut content = vec![0_u8; length];
        for place in &places {
            let chunk = self.unpacked(place, chunk_bytes)?;
            self.put(&mut content, &chunk, &place.start);
        }
        Ok(content)
    }

    fn tree(
        &self,
        address: u64,
        above: Option<u8>,
        visits: &mut usize,
        places: &mut Vec<Place>,
    ) -> Result<(), WeightError> {
        *visits = visits.checked_sub(1).ok_or_else(|| malformed("its chunks go round in circles"))?;
        let mut cursor = Cursor::goto(self.bytes, address, "chunk node")?;
        if cursor.take(4)? != b"TREE" {
            return Err(malformed(format!("no B-tree at {address}")));
        }
        let (node_type, level, count) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
        if node_type != 1 || usize::from(level) > DEEPEST || above.is_some_and(|above| level >= above) {
            return Err(malformed(format!("chunk node of type {node_type}, level {level}")));
        }
        cursor.skip(16)?;
        for _ in 0..count {
            let (size, skipped) = (cursor.u32()?, cursor.u32()?);
            let mut start = Vec::with_capacity(self.shape.len());
            for _ in self.shape {
                start.push(usize::try_from(cursor.u64()?).map_err(|_| malformed("a chunk beyond memory"))?);
            }
            cursor.skip(8)?;
            let child = cursor.u64()?;
            if level > 0 {
                self.tree(child, Some(level), visits, places)?;
                continue;
            }
            *visits = visits.checked_sub(1).ok_or_else(|| malformed("it has more chunks than bytes"))?;
            let inside = start.iter().zip(self.shape).all(|(start, axis)| start < axis);
            let aligned = start.iter().zip(self.chunk).all(|(start, chunk)| start % chunk == 0);
            if !inside || !aligned {
                return Err(malformed(format!("a chunk at {start:?} of shape {:?}", self.shape)));
            }
            places.push(Place { address: child, size, skipped, start });
        }
        Ok(())
    }

    fn unpacked(&self, place: &Place, expected: usize) -> Result<Vec<u8>, WeightError> {
        let stored = Cursor::goto(self.bytes, place.address, "chunk")?.take_u64(u64::from(place.size))?;
        let mut content = Cow::Borrowed(stored);
        for (index, filter) in self.filters.iter().enumerate().rev() {
            // A bit for every filter that was not applied to this chunk.
            if index < 32 && place.skipped >> index & 1 != 0 {
                continue;
            }
            content = match filter {
                Filter::Deflate => {
                    let limit = content.len().saturating_mul(EXPANSION).saturating_add(SLACK);
                    let limit = limit.min(expected.saturating_add(SLACK));
                    let inflated = decompress_to_vec_zlib_with_limit(&content, limit)
                        .map_err(|error| malformed(format!("deflate: {error}")))?;
                    Cow::Owned(inflated)
                }
                Filter::Shuffle => Cow::Owned(unshuffled(&content, self.element.size())),
                Filter::Fletcher32 => {
                    let length = content.len().checked_sub(4);
                    let length = length.ok_or_else(|| malformed("a chunk without its checksum"))?;
                    Cow::Owned(content.get(..length).unwrap_or_default().to_vec())
                }
            };
        }
        if content.len() != expected {
            return Err(malformed(format!("a chunk of {} bytes, expected {expected}", content.len())));
        }
        Ok(content.into_owned())
    }

    /// Copies the rows of a chunk that lie inside the data set.
    fn put(&self, content: &mut [u8], chunk: &[u8], start: &[usize]) {
        let size = self.element.size();
        let (Some((&row, outer)), Some((&axis, _)), Some((&first, _))) =
            (self.chunk.split_last(), self.shape.split_last(), start.split_last())
        else {
            content.copy_from_slice(chunk.get(..content.len()).unwrap_or(content.to_vec().as_slice()));
            return;
        };
        let kept = row.min(axis.saturating_sub(first)) * size;
        let mut index = vec![0_usize; outer.len()];
        for source in chunk.chunks_exact(row * size) {
            let place =
                index.iter().zip(start).zip(self.shape).try_fold(0_usize, |sum, ((i, start), &axis)| {
                    let at = i + start;
                    (at < axis).then_some(sum * axis + at)
                });
            if let Some(place) = place {
                let at = (place * axis + first) * size;
                if let (Some(to), Some(from)) = (content.get_mut(at..at + kept), source.get(..kept)) {
                    to.copy_from_slice(from);
                }
            }
            for (i, &length) in index.iter_mut().zip(outer).rev() {
                *i += 1;
                if *i < length {
                    break;
                }
                *i = 0;
            }
        }
    }
}

/// Undoes shuffle: all first bytes of the elements, then all second ones, and so on.
fn unshuffled(bytes: &[u8], size: usize) -> Vec<u8> {
    let count = bytes.len() / size;
    let mut content = bytes.to_vec();
    for (index, element) in content.chunks_exact_mut(size).enumerate() {
        for (part, byte) in element.iter_mut().enumerate() {
            *byte = bytes.get(part * count + index).copied().unwrap_or_default();
        }
    }
    content
}
