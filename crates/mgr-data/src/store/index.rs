//! The index of a store: one entry of a fixed size for each stored clip, appended last, which is what commits it.

use std::collections::HashMap;

/// Bytes of an entry.
pub(super) const ENTRY: usize = 104;
const KEY: usize = 64;
const MAGIC: [u8; 4] = *b"mgr1";

/// Where a clip's features lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Number of the data file.
    pub(super) pack: u32,
    /// Place of the array in it, a multiple of 64.
    pub(super) offset: u64,
    /// Bytes of the array, as `.npy`.
    pub(super) array: u64,
    /// Bytes of the decoder's report after it, as JSON.
    pub(super) report: u64,
    /// CRC-32 of both.
    pub(super) checksum: u32,
}

impl Entry {
    pub(super) fn end(&self) -> Option<u64> {
        self.offset.checked_add(self.array)?.checked_add(self.report)
    }

    pub(super) fn encode(&self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        let mut rest = bytes.as_mut_slice();
        let mut put = |field: &[u8], width: usize| {
            let (place, after) = std::mem::take(&mut rest).split_at_mut(width);
            place[..field.len()].copy_from_slice(field);
            rest = after;
        };
        put(&MAGIC, 4);
        put(&self.pack.to_le_bytes(), 4);
        put(self.key.as_bytes(), KEY);
        put(&self.offset.to_le_bytes(), 8);
        put(&self.array.to_le_bytes(), 8);
        put(&self.report.to_le_bytes(), 8);
        put(&self.checksum.to_le_bytes(), 4);
        let checksum = crc32fast::hash(&bytes[..ENTRY - 4]);
        bytes[ENTRY - 4..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// None for bytes that are no entry: torn by a power failure, or damaged.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (content, checksum) = bytes.split_last_chunk::<4>()?;
        if bytes.len() != ENTRY || crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
            return None;
        }
        let (magic, rest) = content.split_first_chunk::<4>()?;
        let (pack, rest) = rest.split_first_chunk::<4>()?;
        let (key, rest) = rest.split_first_chunk::<KEY>()?;
        let (offset, rest) = rest.split_first_chunk::<8>()?;
        let (array, rest) = rest.split_first_chunk::<8>()?;
        let (report, rest) = rest.split_first_chunk::<8>()?;
        let (checksum, _) = rest.split_first_chunk::<4>()?;
        let key = std::str::from_utf8(key).ok()?.trim_end_matches('\0').to_owned();
        let entry = Self {
            key,
            pack: u32::from_le_bytes(*pack),
            offset: u64::from_le_bytes(*offset),
            array: u64::from_le_bytes(*array),
            report: u64::from_le_bytes(*report),
            checksum: u32::from_le_bytes(*checksum),
        };
        (*magic == MAGIC && entry.end().is_some()).then_some(entry)
    }

    /// Whether a key can be written down.
    pub(super) fn can_hold(key: &str) -> bool {
        !key.is_empty() && key.len() <= KEY && !key.contains('\0')
    }
}

/// What is known of an index file.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: HashMap<String, Entry>,
    /// Bytes of the file that are read, a multiple of the entry's size.
    pub(super) read: u64,
    /// Entries that were written over by a later one of the same key.
    pub(super) replaced: usize,
    /// Entries that are no longer readable.
    pub(super) damaged: usize,
    /// Number of the last data file, and its end.
    pub(super) tail: (u32, u64),
}

impl Index {
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.entries.keys().cloned().collect();
        keys.sort_unstable();
        keys
    }

    /// Takes the whole entries of what follows in the file; a part of one at the end is not yet there, and the last one, unless the
    /// store is locked, may be half-written.
    pub(super) fn take(&mut self, bytes: &[u8], locked: bool) {
        let mut entries = bytes.chunks_exact(ENTRY).peekable();
        while let Some(bytes) = entries.next() {
            if !locked && entries.peek().is_none() && Entry::decode(bytes).is_none() {
                break;
            }
            self.read += ENTRY as u64;
            match Entry::decode(bytes) {
                Some(entry) => self.insert(entry),
                None => self.damaged += 1,
            }
        }
    }

    fn insert(&mut self, entry: Entry) {
        let end = entry.end().unwrap_or(u64::MAX);
        self.tail = self.tail.max((entry.pack, end));
        if self.entries.insert(entry.key.clone(), entry).is_some() {
            self.replaced += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_back_and_damage_is_seen() {
        let entry = Entry { key: "k".repeat(64), pack: 3, offset: 1 << 40, array: 5, report: 6, checksum: 7 };
        let bytes = entry.encode();
        assert_eq!(Entry::decode(&bytes), Some(entry.clone()));
        for at in 0..ENTRY {
            let mut damaged = bytes;
            damaged[at] ^= 1;
            assert_eq!(Entry::decode(&damaged), None, "byte {at}");
        }
        assert_eq!(Entry::decode(&bytes[1..]), None);
        let mut index = Index::default();
        index.take(&[bytes.as_slice(), &[0; ENTRY], &bytes, &bytes[..50]].concat(), false);
        assert_eq!((index.len(), index.replaced, index.damaged, index.read), (1, 1, 1, 3 * ENTRY as u64));
        index.take(&[0; ENTRY], false);
        assert_eq!(index.read, 3 * ENTRY as u64, "it may still be written");
        index.take(&[0; ENTRY], true);
        assert_eq!((index.read, index.damaged), (4 * ENTRY as u64, 2));
        assert_eq!(index.tail, (3, (1 << 40) + 11));
        assert!(!Entry::can_hold("") && !Entry::can_hold(&"k".repeat(65)) && !Entry::can_hold("a\0"));
    }
}
