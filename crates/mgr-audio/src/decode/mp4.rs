//! The encoder's priming and padding of the audio tracks of an MP4 file, which symphonia does not read: from the edit list, or
//! from the comment `iTunSMPB`, which counts samples where the edit list counts in units of the movie (often milliseconds).

use std::io::SeekFrom;

use symphonia::core::io::MediaSource;

use super::bytes::field;
use super::packets::Edits;

/// Atoms visited and levels descended at most.
const MAX_ATOMS: usize = 100_000;
const MAX_DEPTH: usize = 12;
/// Bytes of an atom that are read: version, flags and the first fields of those that are wanted.
const HEAD_BYTES: usize = 64;
/// Bytes of a comment that are read.
const MAX_COMMENT_BYTES: usize = 512;

#[derive(Default)]
struct Found {
    /// Ticks a second of the movie.
    movie_rate: u32,
    tracks: Vec<Track>,
    /// Name of the metadata item being read.
    item: Vec<u8>,
    /// Priming and length of `iTunSMPB`.
    comment: Option<(u64, u64)>,
    atoms: usize,
}

#[derive(Default)]
struct Track {
    id: u32,
    /// Ticks a second of the track's own times.
    rate: u32,
    is_sound: bool,
    /// Start in the track's ticks and length in the movie's; `None` in the list for what is no plain cut.
    edits: Vec<(i64, u64)>,
}

/// What to cut off the tracks of a file; nothing where the file does not tell, or tells more than one cut.
pub(crate) fn gapless(input: &mut dyn MediaSource, file_len: u64) -> Vec<Edits> {
    let mut found = Found::default();
    // What cannot be read here will be refused, or found cut off, when it is decoded.
    let _ = walk(input, 0, file_len, 0, &mut found);
    let comment = found.comment.filter(|_| found.tracks.iter().filter(|track| track.is_sound).count() == 1);
    let tracks = found.tracks.iter().filter(|track| track.is_sound && track.rate > 0);
    tracks.filter_map(|track| edits(track, found.movie_rate, comment)).collect()
}

fn edits(track: &Track, movie_rate: u32, comment: Option<(u64, u64)>) -> Option<Edits> {
    let own = |start, frames| Some(Edits { track: Some(track.id), start, frames, rate: track.rate });
    if let Some((start, frames)) = comment {
        return own(start, Some(frames));
    }
    // Empty edits (start -1) delay the track against others; alone it has no use for them.
    let mut plain = track.edits.iter().filter(|(start, _)| *start >= 0);
    let (&(start, length), None) = (plain.next()?, plain.next()) else { return None };
    let frames = u128::from(length) * u128::from(track.rate) / u128::from(movie_rate.max(1));
    own(start.unsigned_abs(), u64::try_from(frames).ok().filter(|&frames| frames > 0))
}

fn walk(
    input: &mut dyn MediaSource,
    mut at: u64,
    end: u64,
    depth: usize,
    found: &mut Found,
) -> std::io::Result<()> {
    while at.saturating_add(8) <= end && found.atoms < MAX_ATOMS {
        found.atoms += 1;
        let mut bytes = [0u8; HEAD_BYTES];
        input.seek(SeekFrom::Start(at))?;
        super::pcm::read_up_to(input, &mut bytes)?;
        let (header, size) = match u32::from_be_bytes(field(&bytes, 0)) {
            0 => (8, end - at),
            1 => (16, u64::from_be_bytes(field(&bytes, 8))),
            size => (8, u64::from(size)),
        };
        if size < header {
            return Ok(());
        }
        let next = at.saturating_add(size).min(end);
        let body = bytes.get(header as usize..).unwrap_or_default();
        let long = body.first() == Some(&1);
        let word = |at: usize| u32::from_be_bytes(field(body, at));
        let inner = match &field::<4>(&bytes, 4) {
            b"moov" | b"mdia" | b"edts" | b"udta" | b"ilst" => Some(header),
            // A full atom: version and flags come first. QuickTime's has none and its first child's name shows it.
            b"meta" => Some(if field::<4>(body, 4) == *b"hdlr" { header } else { header + 4 }),
            b"trak" => {
                found.tracks.push(Track::default());
                Some(header)
            }
            b"----" => {
                found.item.clear();
                Some(header)
            }
            b"mvhd" => {
                found.movie_rate = word(if long { 20 } else { 12 });
                None
            }
            b"tkhd" => {
                found
                    .tracks
                    .iter_mut()
                    .last()
                    .into_iter()
                    .for_each(|track| track.id = word(if long { 20 } else { 12 }));
                None
            }
            b"mdhd" => {
                found
                    .tracks
                    .iter_mut()
                    .last()
                    .into_iter()
                    .for_each(|track| track.rate = word(if long { 20 } else { 12 }));
                None
            }
            b"hdlr" => {
                // The handler of the metadata, outside of tracks, names something else.
                let is_sound = field::<4>(body, 8) == *b"soun";
                found.tracks.iter_mut().last().into_iter().for_each(|track| track.is_sound |= is_sound);
                None
            }
            b"elst" => {
                let list = read(input, at + header, next, 8 + 20 * 16)?;
                let count = u32::from_be_bytes(field(&list, 4)).min(16) as usize;
                let entry = |index: usize| match long {
                    true => (
                        i64::from_be_bytes(field(&list, 16 + 20 * index)),
                        u64::from_be_bytes(field(&list, 8 + 20 * index)),
                    ),
                    false => (
                        i64::from(i32::from_be_bytes(field(&list, 12 + 12 * index))),
                        u64::from(u32::from_be_bytes(field(&list, 8 + 12 * index))),
                    ),
                };
                found
                    .tracks
                    .iter_mut()
                    .last()
                    .into_iter()
                    .for_each(|track| track.edits = (0..count).map(entry).collect());
                None
            }
            b"name" => {
                found.item = read(input, at + header + 4, next, 16)?;
                None
            }
            b"data" if found.item == b"iTunSMPB" => {
                found.comment =
                    read(input, at + header + 8, next, MAX_COMMENT_BYTES).map(|text| smpb(&text))?;
                None
            }
            _ => None,
        };
        if let Some(header) = inner.filter(|_| depth < MAX_DEPTH) {
            walk(input, at + header, next, depth + 1, found)?;
        }
        at = next;
    }
    Ok(())
}

fn read(input: &mut dyn MediaSource, from: u64, to: u64, most: usize) -> std::io::Result<Vec<u8>> {
    let len = usize::try_from(to.saturating_sub(from)).unwrap_or(most).min(most);
    let mut bytes = vec![0; len];
    input.seek(SeekFrom::Start(from))?;
    let count = super::pcm::read_up_to(input, &mut bytes)?;
    bytes.truncate(count);
    Ok(bytes)
}

/// ` 00000000 00000840 000001CA 00000000003F31F6 ...`: a zero, priming, padding, samples; hexadecimal.
fn smpb(text: &[u8]) -> Option<(u64, u64)> {
    let text = std::str::from_utf8(text).ok()?;
    let mut fields = text.split_ascii_whitespace().skip(1).map(|field| u64::from_str_radix(field, 16));
    let (Some(Ok(start)), Some(Ok(_)), Some(Ok(frames))) = (fields.next(), fields.next(), fields.next())
    else {
        return None;
    };
    (start < 1 << 20 && frames > 0).then_some((start, frames))
}
