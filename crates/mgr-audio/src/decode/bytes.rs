//! Reading the fields of headers, and a file made of a header of our own and a region of another file.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use symphonia::core::io::MediaSource;

use crate::AudioError;

/// Fills the buffer from an offset; `false` where the file ends first.
pub(crate) fn read_at<R: Read + Seek + ?Sized>(
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

/// `N` bytes at a position of a header; zeros beyond its end.
pub(crate) fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk::<N>()).copied().unwrap_or([0; N])
}

/// A file that reads as `head` followed by the region `start..start + len` of `inner`.
pub(crate) struct Spliced {
    head: Vec<u8>,
    inner: Box<dyn MediaSource>,
    start: u64,
    len: u64,
    position: u64,
}

impl Spliced {
    pub(crate) fn new(head: Vec<u8>, inner: Box<dyn MediaSource>, start: u64, len: u64) -> io::Result<Self> {
        let mut spliced = Self { head, inner, start, len, position: 0 };
        spliced.seek(SeekFrom::Start(0))?;
        Ok(spliced)
    }

    fn total(&self) -> u64 {
        self.head.len() as u64 + self.len
    }
}

impl Read for Spliced {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let head = usize::try_from(self.position).ok().and_then(|at| self.head.get(at..)).unwrap_or_default();
        let count = if head.is_empty() {
            let left = usize::try_from(self.total().saturating_sub(self.position)).unwrap_or(usize::MAX);
            let wanted = left.min(buffer.len());
            self.inner.read(buffer.get_mut(..wanted).unwrap_or_default())?
        } else {
            let count = head.len().min(buffer.len());
            buffer.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
            count
        };
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Spliced {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.total().checked_add_signed(by),
        };
        let position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        self.inner.seek(SeekFrom::Start(self.start + position.saturating_sub(self.head.len() as u64)))?;
        self.position = position;
        Ok(position)
    }
}

impl MediaSource for Spliced {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.total())
    }
}
