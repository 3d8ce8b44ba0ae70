//! HDF5 files as Keras writes them.
//!
//! Read is what `h5py` writes by default, and a little around it: superblocks 0 to 3; object headers 1 and 2; groups as
//! symbol tables (B-tree, local heap) or as links inside the header; data sets of whole and floating point numbers that are
//! compact, contiguous or in chunks under a version 1 B-tree, packed by deflate, with shuffle and Fletcher-32. Attributes
//! and data sets of text are passed over. Links to other files, dense groups and newer chunk indices are
//! [`WeightError::Unsupported`]. Format: the HDF5 File Format Specification, version 3.0.

mod dataset;
mod object;

use std::collections::BTreeSet;

use super::cursor::Cursor;
use super::{WeightError, WeightMap};
use object::{Message, kind, messages};

pub(super) const FORMAT: &str = "HDF5 file";

/// The signature at the beginning of the superblock.
const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// An address that says that there is nothing.
const UNDEFINED: u64 = u64::MAX;

/// Deepest nesting of groups, and most levels of a B-tree.
const DEEPEST: usize = 16;

fn malformed(reason: impl Into<String>) -> WeightError {
    WeightError::malformed(FORMAT, reason)
}

fn unsupported(what: impl Into<String>) -> WeightError {
    WeightError::unsupported(FORMAT, what)
}

/// Whether this is the beginning of an HDF5 file without a user block.
pub(super) fn is_hdf5(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE)
}

/// All data sets of numbers. Names are paths from the root: `conv1/conv1_W`.
///
/// # Errors
/// [`WeightError::Truncated`], [`WeightError::Malformed`], [`WeightError::Unsupported`].
pub fn read(bytes: &[u8]) -> Result<WeightMap, WeightError> {
    let root = superblock(bytes)?;
    let mut reader = Reader { bytes, seen: BTreeSet::new(), map: WeightMap::default(), visits: bytes.len() };
    reader.object(root, "", 0)?;
    Ok(reader.map)
}

/// The address of the root group's header.
fn superblock(bytes: &[u8]) -> Result<u64, WeightError> {
    let mut cursor = Cursor::new(bytes, "superblock");
    if cursor.take(8)? != SIGNATURE {
        return Err(malformed("the signature is missing"));
    }
    let version = cursor.u8()?;
    let (base, root) = match version {
        0 | 1 => {
            cursor.skip(4)?;
            sizes(&mut cursor)?;
            cursor.skip(1 + 2 + 2 + 4 + if version == 1 { 4 } else { 0 })?;
            let base = cursor.u64()?;
            // Free space, end of file, driver; then the root's entry: name, header.
            cursor.skip(3 * 8 + 8)?;
            (base, cursor.u64()?)
        }
        2 | 3 => {
            sizes(&mut cursor)?;
            cursor.skip(1)?;
            let base = cursor.u64()?;
            cursor.skip(16)?;
            (base, cursor.u64()?)
        }
        other => return Err(unsupported(format!("superblock version {other}"))),
    };
    if base != 0 {
        return Err(unsupported(format!("base address {base}")));
    }
    Ok(root)
}

fn sizes(cursor: &mut Cursor<'_>) -> Result<(), WeightError> {
    match (cursor.u8()?, cursor.u8()?) {
        (8, 8) => Ok(()),
        (offsets, lengths) => {
            Err(unsupported(format!("offsets of {offsets} and lengths of {lengths} bytes")))
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// Headers that have been read: a group that holds itself would never end.
    seen: BTreeSet<u64>,
    map: WeightMap,
    /// How many nodes and links may still be followed: no sound file has more than bytes.
    visits: usize,
}

impl Reader<'_> {
    fn visit(&mut self) -> Result<(), WeightError> {
        self.visits = self.visits.checked_sub(1).ok_or_else(|| malformed("its links go round in circles"))?;
        Ok(())
    }

    fn object(&mut self, address: u64, name: &str, depth: usize) -> Result<(), WeightError> {
        self.visit()?;
        if depth > DEEPEST {
            return Err(malformed(format!("groups are nested deeper than {DEEPEST}")));
        }
        if !self.seen.insert(address) {
            // A hard link to what has been read under another name.
            return Err(unsupported(format!("a second name, {name}, for one object")));
        }
        let messages = messages(self.bytes, address)?;
        if messages.iter().any(|message| message.kind == kind::LAYOUT) {
            if let Some(data) = dataset::read(self.bytes, &messages, name)? {
                self.map.insert(FORMAT, name.to_owned(), data)?;
            }
            return Ok(());
        }
        for message in &messages {
            match message.kind {
                kind::SYMBOL_TABLE => self.symbol_table(message, name, depth)?,
                kind::LINK => self.link(message, name, depth)?,
                kind::LINK_INFO => link_info(message)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn child(&mut self, address: u64, name: &[u8], parent: &str, depth: usize) -> Result<(), WeightError> {
        let name = std::str::from_utf8(name).map_err(|_| malformed("a name that is not UTF-8"))?;
        let full = if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
        if full.len() > 1000 {
            return Err(malformed("a name of more than 1000 bytes"));
        }
        self.object(address, &full, depth + 1)
    }

    /// A group as a B-tree of nodes of names and a heap that holds the names.
    fn symbol_table(&mut self, message: &Message<'_>, name: &str, depth: usize) -> Result<(), WeightError> {
        let mut cursor = Cursor::new(message.data, "symbol table message");
        let (tree, heap) = (cursor.u64()?, cursor.u64()?);
        let mut heap = Cursor::goto(self.bytes, heap, "local heap")?;
        if heap.take(4)? != b"HEAP" {
            return Err(malformed("a local heap is missing"));
        }
        heap.skip(4)?;
        let length = heap.u64()?;
        heap.skip(8)?;
        let names = Cursor::goto(self.bytes, heap.u64()?, "local heap")?.take_u64(length)?;
        self.group_tree(tree, names, name, depth, None)
    }

    fn group_tree(
        &mut self,
        address: u64,
        names: &[u8],
        name: &str,
        depth: usize,
        above: Option<u8>,
    ) -> Result<(), WeightError> {
        self.visit()?;
        let mut cursor = Cursor::goto(self.bytes, address, "group node")?;
        match cursor.take(4)? {
            b"TREE" => {}
            _ => return Err(malformed(format!("no B-tree at {address}"))),
        }
        let (node_type, level, count) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
        if node_type != 0 || usize::from(level) > DEEPEST || above.is_some_and(|above| level >= above) {
            return Err(malformed(format!("group node of type {node_type}, level {level}")));
        }
        cursor.skip(16)?;
        for _ in 0..count {
            cursor.skip(8)?;
            let child = cursor.u64()?;
            if level > 0 {
                self.group_tree(child, names, name, depth, Some(level))?;
            } else {
                self.symbols(child, names, name, depth)?;
            }
        }
        Ok(())
    }

    fn symbols(&mut self, address: u64, names: &[u8], parent: &str, depth: usize) -> Result<(), WeightError> {
        self.visit()?;
        let mut cursor = Cursor::goto(self.bytes, address, "symbol node")?;
        if cursor.take(4)? != b"SNOD" {
            return Err(malformed(format!("no symbol node at {address}")));
        }
        cursor.skip(2)?;
        for _ in 0..cursor.u16()? {
            let name = cursor.u64()?;
            let header = cursor.u64()?;
            let cache = cursor.u32()?;
            cursor.skip(20)?;
            if cache == 2 {
                return Err(unsupported("symbolic links"));
            }
            let name = usize::try_from(name).ok().and_then(|name| names.get(name..)).unwrap_or_default();
            let end = name.iter().position(|&byte| byte == 0);
            let name = end.and_then(|end| name.get(..end)).ok_or_else(|| malformed("a name without end"))?;
            self.child(header, name, parent, depth)?;
        }
        Ok(())
    }

    /// One link of a group that keeps them in its header.
    fn link(&mut self, message: &Message<'_>, parent: &str, depth: usize) -> Result<(), WeightError> {
        let mut cursor = Cursor::new(message.data, "link message");
        let (version, flags) = (cursor.u8()?, cursor.u8()?);
        if version != 1 {
            return Err(unsupported(format!("link message version {version}")));
        }
        let link_type = if flags & 8 != 0 { cursor.u8()? } else { 0 };
        if flags & 4 != 0 {
            cursor.skip(8)?;
        }
        if flags & 16 != 0 {
            cursor.skip(1)?;
        }
        let length = match flags & 3 {
            0 => u64::from(cursor.u8()?),
            1 => u64::from(cursor.u16()?),
            2 => u64::from(cursor.u32()?),
            _ => cursor.u64()?,
        };
        let name = cursor.take_u64(length)?;
        if link_type != 0 {
            return Err(unsupported(format!("links of type {link_type}")));
        }
        let header = cursor.u64()?;
        self.child(header, name, parent, depth)
    }
}

/// Groups of many links keep them in a fractal heap, which is not read.
fn link_info(message: &Message<'_>) -> Result<(), WeightError> {
    let mut cursor = Cursor::new(message.data, "link info message");
    cursor.skip(1)?;
    if cursor.u8()? & 1 != 0 {
        cursor.skip(8)?;
    }
    if cursor.u64()? != UNDEFINED {
        return Err(unsupported("a group of densely stored links"));
    }
    Ok(())
}
