//! Data files in memory.

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// Maps a data file for reading: the one unsafe call of this crate.
#[allow(unsafe_code)]
pub(super) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: a mapping is sound as long as nobody changes or cuts off what is read through it. Data files are only ever written by
    // this module, which holds the store's lock, appends behind the last committed record, never shortens a file and never touches
    // committed bytes; and what is read through a mapping are committed records alone. Another program that writes into the store's
    // folder breaks this, as it would break any file that is mapped; it is the cache folder of one user.
    unsafe { Mmap::map(file) }
}
