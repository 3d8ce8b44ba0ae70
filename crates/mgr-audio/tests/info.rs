//! What files say about themselves: format, length, tags.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use mgr_audio::{AudioInfo, LoadConfig, Loader, Tags};

fn loader() -> Loader {
    LoadConfig::default().plan().unwrap()
}

fn info(bytes: Vec<u8>) -> AudioInfo {
    loader().info_bytes(bytes, "made by the test").unwrap()
}

/// Title, artist, album, genre, track.
fn fields(tags: &Tags) -> [Option<&str>; 5] {
    [&tags.title, &tags.artist, &tags.album, &tags.genre, &tags.track].map(|field| field.as_deref())
}

const FIELDS: [Option<&str>; 5] =
    [Some("So What"), Some("Miles Davis"), Some("Kind of Blue"), Some("Jazz"), Some("1")];

/// A file of the matrix.
fn matrix(file: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(common::shared("data/codecs/matrix")?.join(file)).unwrap())
}

#[test]
fn headers_tell_what_decoding_finds() {
    let Some(folder) = common::shared("data/codecs/matrix") else { return };
    // Container, bits and whether the length is a count, by file.
    for (file, container, bits, exact) in [
        ("s16_44k_stereo.wav", "wave", Some(16), true),
        ("s24_48k.wav", "wave", Some(24), true),
        ("f32_22k_mono.wav", "wave", Some(32), true),
        ("alaw_8k.wav", "wave", Some(8), true),
        ("adpcm_ms_22k.wav", "wave", None, true),
        ("rf64_22k.wav", "wave", Some(16), true),
        ("s16.w64", "w64", Some(16), true),
        ("aiff_s24.aiff", "aiff", Some(24), true),
        ("aifc_f32_22k.aif", "aiff", Some(32), true),
        ("au_mulaw_8k.au", "au", Some(8), true),
        ("caf_s16.caf", "caf", Some(16), true),
        ("flac24_96k.flac", "flac", Some(24), true),
        ("flac_in_ogg.oga", "ogg", Some(16), true),
        ("alac.m4a", "isomp4", Some(16), true),
        ("aac_lc.m4a", "isomp4", None, true),
        ("aac_lc_adts.aac", "aac", None, false),
        ("mp3_cbr128.mp3", "mp3", None, true),
        ("vorbis_44k.ogg", "ogg", None, true),
    ] {
        let path = folder.join(file);
        let (info, clip) = (loader().info(&path).unwrap(), loader().load(&path).unwrap());
        assert_eq!(
            (info.container.as_str(), info.bits_per_sample, info.frames_exact),
            (container, bits, exact),
            "{file}"
        );
        let report = &clip.report;
        assert_eq!((info.sample_rate, info.channels), (report.source_sample_rate, report.channels), "{file}");
        assert_eq!((&info.codec, &info.container), (&report.codec, &report.container), "{file}");
        let frames = info.frames.unwrap();
        if exact {
            assert_eq!(frames, report.frames, "{file}");
            assert_eq!(info.duration_s(), Some(report.frames as f64 / f64::from(report.source_sample_rate)));
        } else {
            assert!(frames.abs_diff(report.frames) < report.frames / 20, "{file}: {frames} estimated");
        }
        assert_eq!((report.header_frames, report.bits_per_sample), (info.frames, bits));
        assert_eq!(info, serde_json::from_str(&serde_json::to_string(&info).unwrap()).unwrap());
    }
}

fn id3v2() -> Vec<u8> {
    let mut frames = Vec::new();
    for (id, text) in [
        ("TIT2", "So What"),
        ("TPE1", "Miles Davis"),
        ("TALB", "Kind of Blue"),
        ("TCON", "(8)"),
        ("TRCK", "1/5"),
    ] {
        frames.extend(id.bytes());
        frames.extend((text.len() as u32 + 1).to_be_bytes());
        frames.extend([0, 0, 3]);
        frames.extend(text.bytes());
    }
    let size = frames.len() as u32;
    let mut tag = b"ID3\x03\0\0\0\0".to_vec();
    tag.extend([(size >> 7) as u8, size as u8 & 0x7f]);
    tag.extend(frames);
    tag
}

fn id3v1() -> Vec<u8> {
    let mut tag = b"TAG".to_vec();
    for (text, len) in [("So What", 30), ("Miles Davis", 30), ("Kind of Blue", 30), ("1959", 4), ("", 28)] {
        tag.extend(text.bytes());
        tag.resize(tag.len() + len - text.len(), 0);
    }
    tag.extend([0, 1, 8]);
    assert_eq!(tag.len(), 128);
    tag
}

fn ape() -> Vec<u8> {
    let mut items = Vec::new();
    let list = [
        ("Title", "So What"),
        ("Artist", "Miles Davis"),
        ("Album", "Kind of Blue"),
        ("Genre", "Jazz"),
        ("Track", "1"),
    ];
    for (key, text) in list {
        items.extend((text.len() as u32).to_le_bytes());
        items.extend([0; 4]);
        items.extend(key.bytes());
        items.push(0);
        items.extend(text.bytes());
    }
    let frame = |flags: u32| {
        let mut frame = b"APETAGEX".to_vec();
        frame.extend(2_000u32.to_le_bytes());
        frame.extend((items.len() as u32 + 32).to_le_bytes());
        frame.extend((list.len() as u32).to_le_bytes());
        frame.extend(flags.to_le_bytes());
        frame.extend([0; 8]);
        frame
    };
    // Header and footer both.
    [frame(0xa000_0000), items.clone(), frame(0x8000_0000)].concat()
}

#[test]
fn tags_of_mp3_files_are_read_and_do_not_sound() {
    let Some(mp3) = matrix("mp3_cbr128.mp3") else { return };
    // The file's own tag names its encoder alone.
    let plain = mp3[mp3.windows(2).position(|two| two == [0xff, 0xfb]).unwrap()..].to_vec();
    let sound = loader().load_bytes(plain.clone(), "plain").unwrap();
    assert_eq!(fields(&sound.report.tags), [None; 5]);
    for (name, bytes) in [
        ("id3v2", [id3v2(), plain.clone()].concat()),
        ("id3v1", [plain.clone(), id3v1()].concat()),
        ("ape", [plain.clone(), ape()].concat()),
        ("id3v2, ape and id3v1", [id3v2(), plain.clone(), ape(), id3v1()].concat()),
    ] {
        assert_eq!(fields(&info(bytes.clone()).tags), FIELDS, "{name}");
        let clip = loader().load_bytes(bytes, name).unwrap();
        assert_eq!(clip.samples, sound.samples, "{name}");
        assert_eq!(clip.report.damage(), None, "{name}");
    }
}

#[test]
fn tags_of_flac_files_are_read() {
    let Some(flac) = matrix("flac16_22k_mono.flac") else { return };
    let mut comment = 0u32.to_le_bytes().to_vec();
    let list = ["TITLE=So What", "ARTIST=Miles Davis", "ALBUM=Kind of Blue", "GENRE=Jazz", "TRACKNUMBER=1"];
    comment.extend((list.len() as u32).to_le_bytes());
    for text in list {
        comment.extend((text.len() as u32).to_le_bytes());
        comment.extend(text.bytes());
    }
    // After the magic and the stream information, which must come first and is not the last block.
    let at = 4 + 4 + 34;
    let mut tagged = flac[..at].to_vec();
    tagged[4] &= 0x7f;
    tagged.push(4);
    tagged.extend(&(comment.len() as u32).to_be_bytes()[1..]);
    tagged.extend(comment);
    tagged.extend(&flac[at..]);
    assert_eq!(fields(&info(tagged).tags), FIELDS);
}

/// A chunk with its size, padded to an even length.
fn chunk(name: &[u8; 4], body: &[u8], size: impl Fn(u32) -> [u8; 4]) -> Vec<u8> {
    let mut bytes = name.to_vec();
    bytes.extend(size(body.len() as u32));
    bytes.extend(body);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

#[test]
fn tags_of_wav_files_are_read_on_both_sides_of_the_data() {
    let format = [1u8, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0];
    let mut list = b"INFO".to_vec();
    for (name, text) in [
        (b"INAM", "So What"),
        (b"IART", "Miles Davis"),
        (b"IPRD", "Kind of Blue"),
        (b"IGNR", "Jazz"),
        (b"ITRK", "1"),
    ] {
        list.extend(chunk(name, [text.as_bytes(), &[0]].concat().as_slice(), u32::to_le_bytes));
    }
    let list = chunk(b"LIST", &list, u32::to_le_bytes);
    let id3 = chunk(b"id3 ", &id3v2(), u32::to_le_bytes);
    let data = chunk(b"data", &[1; 200], u32::to_le_bytes);
    let format = chunk(b"fmt ", &format, u32::to_le_bytes);
    for parts in [[&format, &list, &data], [&format, &data, &list], [&format, &data, &id3]] {
        let body = parts.iter().fold(b"WAVE".to_vec(), |all, part| [&all[..], part].concat());
        let clip = loader().load_bytes(chunk(b"RIFF", &body, u32::to_le_bytes), "tagged").unwrap();
        assert_eq!((fields(&clip.report.tags), clip.samples.len()), (FIELDS, 100));
    }
}

#[test]
fn tags_of_aiff_files_are_read() {
    // 1 channel, 100 frames, 16 bits, 8,000 Hz as an 80-bit float.
    let common = [0, 1, 0, 0, 0, 100, 0, 16, 0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0];
    let body = [
        b"AIFF".to_vec(),
        chunk(b"COMM", &common, u32::to_be_bytes),
        chunk(b"NAME", b"So What", u32::to_be_bytes),
        chunk(b"AUTH", b"Miles Davis", u32::to_be_bytes),
        chunk(b"SSND", &[[0; 8].as_slice(), &[1; 200]].concat(), u32::to_be_bytes),
    ];
    let clip = loader().load_bytes(chunk(b"FORM", &body.concat(), u32::to_be_bytes), "tagged").unwrap();
    assert_eq!(fields(&clip.report.tags), [FIELDS[0], FIELDS[1], None, None, None]);
    assert_eq!((clip.sample_rate, clip.samples), (8_000, vec![257.0 / 32_768.0; 100]));
}

/// An atom of an MP4 file.
fn atom(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes(), name.as_slice(), body].concat()
}

/// Adds an atom at the end of another one that is the last of its file, and corrects the sizes.
fn append(file: &[u8], parent: &[u8; 4], child: &[u8]) -> Vec<u8> {
    let at = file.windows(4).rposition(|four| four == parent).unwrap() - 4;
    let size = u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!(at + size as usize, file.len(), "the atom is the last one");
    let mut file = [file, child].concat();
    file[at..at + 4].copy_from_slice(&(size + child.len() as u32).to_be_bytes());
    file
}

fn text_item(name: &[u8; 4], text: &str) -> Vec<u8> {
    atom(name, &atom(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0], text.as_bytes()].concat()))
}

/// A movie's metadata with these items.
fn user_data(items: &[Vec<u8>]) -> Vec<u8> {
    let handler = atom(b"hdlr", b"\0\0\0\0\0\0\0\0mdirappl\0\0\0\0\0\0\0\0\0");
    atom(b"udta", &atom(b"meta", &[vec![0; 4], handler, atom(b"ilst", &items.concat())].concat()))
}

#[test]
fn tags_of_mp4_files_are_read() {
    let Some(aac) = matrix("aac_lc.m4a") else { return };
    let track = atom(b"trkn", &atom(b"data", &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 5, 0, 0]));
    let items = [
        text_item(b"\xa9nam", "So What"),
        text_item(b"\xa9ART", "Miles Davis"),
        text_item(b"\xa9alb", "Kind of Blue"),
        text_item(b"\xa9gen", "Jazz"),
        track,
    ];
    let tagged = append(&aac, b"moov", &user_data(&items));
    assert_eq!(fields(&info(tagged).tags), FIELDS);
}

/// iTunes writes no edit list but a comment, which says what an edit list says, in samples.
#[test]
fn an_itunes_comment_trims_as_an_edit_list_does() {
    let Some(aac) = matrix("aac_lc.m4a") else { return };
    let by_list = loader().load_bytes(aac.clone(), "edit list").unwrap();
    let mut unlisted = aac;
    let at = unlisted.windows(4).position(|four| four == b"edts").unwrap();
    unlisted[at..at + 4].copy_from_slice(b"free");
    let untrimmed = loader().load_bytes(unlisted.clone(), "no edit list").unwrap();
    assert_eq!(untrimmed.samples.len(), 266_240);
    assert_eq!(by_list.samples, untrimmed.samples[1_024..1_024 + 264_600]);
    let comment = " 00000000 00000400 00000268 0000000000040998 00000000 00000000";
    let item = [
        atom(b"mean", b"\0\0\0\0com.apple.iTunes"),
        atom(b"name", b"\0\0\0\0iTunSMPB"),
        atom(b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0], comment.as_bytes()].concat()),
    ];
    let commented = append(&unlisted, b"moov", &user_data(&[atom(b"----", &item.concat())]));
    let by_comment = loader().load_bytes(commented, "comment").unwrap();
    assert_eq!(by_comment.samples, by_list.samples);
    assert_eq!(by_comment.report.damage(), None);
}
