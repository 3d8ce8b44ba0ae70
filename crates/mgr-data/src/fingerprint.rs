//! Fingerprints: SHA-256 of what determines a result.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// SHA-256 in lower-case hexadecimal, 64 digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Fingerprint of a configuration: SHA-256 of its JSON, whose fields stand in the order of their declaration.
///
/// # Errors
/// [`serde_json::Error`] for a value that JSON cannot hold.
pub fn fingerprint<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    Ok(sha256_hex(&serde_json::to_vec(value)?))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|d| char::from(DIGITS[usize::from(d)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digest() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
