//! Files of more than 4 GiB, whose sizes 32 bits do not hold: what lies behind that border is found and read, sample for sample.
//!
//! The files have a hole in place of all but their first and last samples, so that they take no room on the disk.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use mgr_audio::{LoadConfig, Loader};

const RATE: u32 = 48_000;
/// 16 bits, one channel; 4.5 GiB.
const FRAMES: u64 = (9 << 30) / 4;
const DATA_BYTES: u64 = 2 * FRAMES;
/// Samples written at the end, which is not a whole number of seconds.
const TAIL: u64 = 70_000;

fn ramp() -> Vec<i16> {
    (0..TAIL as i32).map(|n| (n * 37 % 65_536 - 32_768) as i16).collect()
}

/// A file of this header, silence and the ramp. False where the folder cannot hold such a file.
fn write(path: &Path, header: &[u8], big_endian: bool) -> bool {
    let mut file = File::create(path).unwrap();
    file.write_all(header).unwrap();
    let end = header.len() as u64 + DATA_BYTES;
    if file.set_len(end).is_err() {
        eprintln!("SKIPPED: no file of 4.5 GiB can be made here");
        return false;
    }
    file.seek(SeekFrom::Start(end - 2 * TAIL)).unwrap();
    let bytes: Vec<u8> = ramp()
        .into_iter()
        .flat_map(|sample| if big_endian { sample.to_be_bytes() } else { sample.to_le_bytes() })
        .collect();
    file.write_all(&bytes).unwrap();
    true
}

fn loader(config: LoadConfig) -> Loader {
    LoadConfig { sample_rate: None, max_duration_s: 1e6, ..config }.plan().unwrap()
}

fn check(path: &Path, container: &str) {
    let info = loader(LoadConfig::default()).info(path).unwrap();
    assert_eq!((info.container.as_str(), info.sample_rate, info.channels), (container, RATE, 1));
    assert_eq!((info.frames, info.frames_exact), (Some(FRAMES), true), "{container}");

    let expected: Vec<f32> = ramp().into_iter().map(|sample| f32::from(sample) / 32_768.0).collect();
    let start = FRAMES - TAIL - 1000;
    let offset_s = start as f64 / f64::from(RATE);
    // A thousand samples of the hole, then the ramp.
    let clip = loader(LoadConfig::default()).load_range(path, offset_s, None).unwrap();
    assert_eq!(clip.samples.len() as u64, 1000 + TAIL, "{container}");
    assert!(clip.samples[..1000].iter().all(|&sample| sample == 0.0));
    assert!(clip.samples[1000..] == expected, "{container}");
    assert_eq!(clip.report.damage(), None, "{container}");

    // The same by blocks.
    let mut reader =
        loader(LoadConfig { offset_s, block_length: 4096, ..LoadConfig::default() }).open(path).unwrap();
    let mut samples = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        samples.extend_from_slice(block.samples());
    }
    assert!(samples == clip.samples, "{container}");

    // Its beginning, and no more of it than the loader may take.
    let short =
        LoadConfig { sample_rate: None, max_duration_s: 1.0, ..LoadConfig::default() }.plan().unwrap();
    let clip = short.load(path).unwrap();
    assert!(clip.report.cut && clip.samples == vec![0.0; RATE as usize], "{container}");
}

fn format_chunk() -> Vec<u8> {
    let mut chunk = Vec::new();
    chunk.extend(1_u16.to_le_bytes());
    chunk.extend(1_u16.to_le_bytes());
    chunk.extend(RATE.to_le_bytes());
    chunk.extend((2 * RATE).to_le_bytes());
    chunk.extend(2_u16.to_le_bytes());
    chunk.extend(16_u16.to_le_bytes());
    chunk
}

#[test]
fn rf64_is_read_by_its_long_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    let mut header = b"RF64\xff\xff\xff\xffWAVEds64".to_vec();
    header.extend(28_u32.to_le_bytes());
    header.extend((DATA_BYTES + 72).to_le_bytes());
    header.extend(DATA_BYTES.to_le_bytes());
    header.extend(FRAMES.to_le_bytes());
    header.extend(0_u32.to_le_bytes());
    header.extend(b"fmt ");
    header.extend(16_u32.to_le_bytes());
    header.extend(format_chunk());
    header.extend(b"data\xff\xff\xff\xff");
    if write(&path, &header, false) {
        check(&path, "wave");
    }
}

#[test]
fn wave64_is_read_by_its_long_sizes() {
    const TAIL: &[u8; 12] = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.w64");
    let mut header = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00".to_vec();
    header.extend((DATA_BYTES + 104).to_le_bytes());
    header.extend(b"wave");
    header.extend(TAIL);
    header.extend(b"fmt ");
    header.extend(TAIL);
    header.extend(40_u64.to_le_bytes());
    header.extend(format_chunk());
    header.extend(b"data");
    header.extend(TAIL);
    header.extend((DATA_BYTES + 24).to_le_bytes());
    if write(&path, &header, false) {
        check(&path, "w64");
    }
}

#[test]
fn a_wave_file_without_long_sizes_ends_where_the_file_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    // Left open, and wrapped around.
    for size in [u32::MAX, DATA_BYTES as u32] {
        let mut header = b"RIFF\xff\xff\xff\xffWAVEfmt ".to_vec();
        header.extend(16_u32.to_le_bytes());
        header.extend(format_chunk());
        header.extend(b"data");
        header.extend(size.to_le_bytes());
        if write(&path, &header, false) {
            check(&path, "wave");
        }
    }
}

#[test]
fn an_au_file_of_unknown_size_ends_where_the_file_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.au");
    let mut header = b".snd".to_vec();
    for word in [24, u32::MAX, 3, RATE, 1] {
        header.extend(word.to_be_bytes());
    }
    if write(&path, &header, true) {
        check(&path, "au");
    }
}
