//! Tags of a recording: from symphonia's metadata, and from the chunks that are read here.

use std::io::Cursor;

use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::{MetadataOptions, MetadataReader, MetadataRevision, StandardTag, Tag};
use symphonia::default::meta::Id3v2Reader;

use crate::Tags;

/// Characters of a tag that are kept: longer ones are no titles.
const MAX_CHARS: usize = 1024;

/// The fields of one block of metadata.
pub(crate) fn revision(revision: &MetadataRevision) -> Tags {
    let tracks = revision.per_track.iter().flat_map(|track| &track.metadata.tags);
    let (mut tags, mut album_artist) = (Tags::default(), None);
    for tag in revision.media.tags.iter().chain(tracks) {
        let one = match &tag.std {
            Some(StandardTag::TrackTitle(value)) => Tags { title: clean(value), ..Tags::default() },
            Some(StandardTag::Artist(value)) => Tags { artist: clean(value), ..Tags::default() },
            Some(StandardTag::Album(value)) => Tags { album: clean(value), ..Tags::default() },
            Some(StandardTag::Genre(value)) => Tags { genre: clean(value), ..Tags::default() },
            Some(StandardTag::TrackNumber(value)) => {
                Tags { track: Some(value.to_string()), ..Tags::default() }
            }
            Some(StandardTag::AlbumArtist(value)) => {
                album_artist = album_artist.or_else(|| clean(value));
                continue;
            }
            _ => by_key(tag),
        };
        tags.fill(one);
    }
    tags.fill(Tags { artist: album_artist, ..Tags::default() });
    tags
}

/// Tags that symphonia hands on without a meaning.
fn by_key(tag: &Tag) -> Tags {
    let value = || clean(&tag.raw.value.to_string());
    match tag.raw.key.to_ascii_uppercase().as_str() {
        "TITLE" | "INAM" | "NAME" => Tags { title: value(), ..Tags::default() },
        "ARTIST" | "IART" => Tags { artist: value(), ..Tags::default() },
        "ALBUM" | "IPRD" => Tags { album: value(), ..Tags::default() },
        "GENRE" | "IGNR" => Tags { genre: value(), ..Tags::default() },
        "TRACK" | "TRACKNUMBER" | "TRACK NUMBER" | "ITRK" | "IPRT" => {
            Tags { track: value(), ..Tags::default() }
        }
        _ => Tags::default(),
    }
}

/// The body of a chunk `LIST` of the form `INFO`.
pub(crate) fn riff_info(bytes: &[u8]) -> Tags {
    let mut tags = Tags::default();
    let Some(mut rest) = bytes.strip_prefix(b"INFO") else { return tags };
    while let Some((header, body)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, size @ ..] = *header;
        let size = u32::from_le_bytes(size) as usize;
        let value = body.get(..size).unwrap_or(body);
        tags.fill(match &[a, b, c, d] {
            b"INAM" => Tags { title: text(value), ..Tags::default() },
            b"IART" => Tags { artist: text(value), ..Tags::default() },
            b"IPRD" => Tags { album: text(value), ..Tags::default() },
            b"IGNR" => Tags { genre: text(value), ..Tags::default() },
            b"ITRK" | b"IPRT" | b"TRCK" => Tags { track: text(value), ..Tags::default() },
            _ => Tags::default(),
        });
        rest = body.get(size.saturating_add(size & 1)..).unwrap_or_default();
    }
    tags
}

/// The body of a CAF file's chunk `info`: a count, then names and values, each ended by a zero byte.
pub(crate) fn caf_info(bytes: &[u8]) -> Tags {
    let mut tags = Tags::default();
    let mut parts = bytes.get(4..).unwrap_or_default().split(|&byte| byte == 0);
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        tags.fill(match name.to_ascii_lowercase().as_slice() {
            b"title" => Tags { title: text(value), ..Tags::default() },
            b"artist" => Tags { artist: text(value), ..Tags::default() },
            b"album" => Tags { album: text(value), ..Tags::default() },
            b"genre" => Tags { genre: text(value), ..Tags::default() },
            b"track number" => Tags { track: text(value), ..Tags::default() },
            _ => Tags::default(),
        });
    }
    tags
}

/// An ID3v2 tag in a chunk of its own.
pub(crate) fn id3v2(bytes: Vec<u8>) -> Tags {
    if !bytes.starts_with(b"ID3") {
        return Tags::default();
    }
    let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let read =
        Id3v2Reader::try_new(stream, MetadataOptions::default()).and_then(|mut reader| reader.read_all());
    read.map(|buffer| revision(&buffer.revision)).unwrap_or_default()
}

/// Text of UTF-8, or of Latin-1 where it is not; up to the first zero byte.
pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(value) => clean(value),
        Err(_) => clean(&bytes.iter().map(|&byte| char::from(byte)).collect::<String>()),
    }
}

fn clean(value: &str) -> Option<String> {
    let value = value.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!value.is_empty()).then(|| value.chars().take(MAX_CHARS).collect())
}
