//! What the first bytes of a file are, for content that no decoder should be tried on.
//!
//! Some decoders look for a sync word anywhere in the first megabyte; a picture or a foreign container holds such words by
//! accident and would be decoded to noise. So what is plainly something else is refused by name first.

/// What a file's first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// RIFF, RF64 or BW64 with the form `WAVE`.
    Wave,
    /// Sun/NeXT audio, magic `.snd`, or `dns.` with the other order of bytes.
    Au,
    /// Sony's Wave64.
    Wave64,
    /// FORM of the type AIFF or AIFC.
    Aiff,
    /// Apple's Core Audio Format.
    Caf,
    /// ISO/MP4, QuickTime: a box `ftyp` first.
    Mp4,
    /// A container of sound that cannot be read here.
    ForeignContainer(&'static str),
    /// Not sound.
    NotAudio(&'static str),
    /// Anything else: the decoders decide.
    Other,
}

/// The name of a Wave64 file's own chunk.
const WAVE64: &[u8] = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00";

/// Containers of sound that nothing here reads, by their first bytes.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"wvpk", "wavpack"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf (wma)"),
    (b"MAC ", "monkey's audio"),
    (b"MThd", "midi"),
    (b"TTA1", "true audio"),
    (b"DSD ", "dsd"),
    (b"FRM8", "dsdiff"),
    (b"#!AMR", "amr"),
    (b"MPCK", "musepack"),
    (b"MP+", "musepack"),
    (b".RMF", "realmedia"),
    (b"FLV", "flash video"),
    (b"\x0b\x77", "ac-3"),
    (b"\x7f\xfe\x80\x01", "dts"),
];

/// Content that is not sound, by its first bytes.
const NOT_AUDIO: &[(&[u8], &str)] = &[
    (b"\xff\xd8\xff", "a jpeg image"),
    (b"\x89PNG\r\n\x1a\n", "a png image"),
    (b"GIF8", "a gif image"),
    (b"%PDF", "a pdf document"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"\x7fELF", "an executable"),
    (b"\x93NUMPY", "a numpy array"),
    (b"\x89HDF", "an hdf5 file"),
    (b"SQLite format 3", "an sqlite database"),
];

/// Judges a file by its first bytes (a few kilobytes are enough, fewer are fine).
pub(crate) fn sniff(head: &[u8]) -> Content {
    let form = head.get(8..12).unwrap_or_default();
    match head.first_chunk::<4>() {
        Some(b"RIFF" | b"RF64" | b"BW64") if form == b"WAVE" => return Content::Wave,
        Some(b"FORM") if form == b"AIFF" || form == b"AIFC" => return Content::Aiff,
        Some(b"caff") => return Content::Caf,
        Some(b".snd" | b"dns.") => return Content::Au,
        Some(b"riff") if head.starts_with(WAVE64) => return Content::Wave64,
        _ if head.get(4..8) == Some(b"ftyp") => return Content::Mp4,
        _ => {}
    }
    if let Some((_, name)) = FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Content::ForeignContainer(name);
    }
    if let Some((_, name)) = NOT_AUDIO.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Content::NotAudio(name);
    }
    text(head).map_or(Content::Other, Content::NotAudio)
}

/// Names text and markup; binary content gives `None`.
fn text(head: &[u8]) -> Option<&'static str> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let valid = match std::str::from_utf8(head) {
        Ok(valid) => valid,
        // The head may end inside a character of up to four bytes.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    // Short magics of real containers (`OggS`, `ID3`, `fLaC` ...) are followed by control bytes very soon.
    if valid.chars().any(|c| c.is_control() && !c.is_ascii_whitespace()) {
        return None;
    }
    let start: String = valid.trim_start().chars().take(64).collect::<String>().to_ascii_lowercase();
    if start.starts_with("<!doctype html") || start.starts_with("<html") || start.contains("<html") {
        return Some("an html page");
    }
    if start.starts_with("<?xml") || start.starts_with('<') {
        return Some("an xml or html page");
    }
    Some("text")
}
