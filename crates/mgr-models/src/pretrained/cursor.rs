//! Reading numbers off bytes without ever leaving them.

use super::WeightError;

/// A place in bytes. Every read is checked; a failed one tells where and what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    what: &'static str,
}

impl<'a> Cursor<'a> {
    /// `what` names the part of the file in errors.
    pub(super) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { bytes, at: 0, what }
    }

    /// The same bytes from another place, which a file gave.
    pub(super) fn goto(bytes: &'a [u8], at: u64, what: &'static str) -> Result<Self, WeightError> {
        match usize::try_from(at) {
            Ok(at) if at <= bytes.len() => Ok(Self { bytes, at, what }),
            _ => Err(WeightError::Truncated { what, at, needed: 1, available: 0 }),
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], WeightError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match rest.get(..count) {
            Some(part) => {
                self.at += count;
                Ok(part)
            }
            None => Err(WeightError::Truncated {
                what: self.what,
                at: self.at as u64,
                needed: count as u64,
                available: rest.len() as u64,
            }),
        }
    }

    /// As [`Cursor::take`], with a length that a file gave.
    pub(super) fn take_u64(&mut self, count: u64) -> Result<&'a [u8], WeightError> {
        self.take(usize::try_from(count).unwrap_or(usize::MAX))
    }

    pub(super) fn skip(&mut self, count: usize) -> Result<(), WeightError> {
        self.take(count).map(|_| ())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WeightError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, WeightError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, WeightError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, WeightError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, WeightError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, WeightError> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn f64_big_endian(&mut self) -> Result<f64, WeightError> {
        self.array().map(f64::from_be_bytes)
    }

    /// The bytes up to the next line feed, which is passed over.
    pub(super) fn line(&mut self) -> Result<&'a [u8], WeightError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        let line = self.take(end)?;
        self.skip(1)?;
        Ok(line)
    }

    /// Base 128, least significant group first.
    pub(super) fn varint(&mut self) -> Result<u64, WeightError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WeightError::malformed(
            "variable-length number",
            format!("longer than 10 bytes in {}", self.what),
        ))
    }
}
