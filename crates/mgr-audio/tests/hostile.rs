//! Files that are not what they say: typed errors, bounded time and memory, never a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use mgr_audio::{AudioError, LoadConfig, Loader, Strictness, WavFormat, write_wav};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

fn loader() -> Loader {
    LoadConfig::default().plan().unwrap()
}

/// A PCM WAV header with the sizes given, then the data.
fn wav(tag: u16, channels: u16, rate: u32, bits: u16, data_size: u32, data: &[u8]) -> Vec<u8> {
    let block = channels.wrapping_mul(bits / 8);
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(data_size.wrapping_add(36).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\x00\x00\x00");
    bytes.extend(tag.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend(rate.wrapping_mul(u32::from(block)).to_le_bytes());
    bytes.extend(block.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data_size.to_le_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn what_is_not_a_file_of_sound_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let load = |path: &Path| {
        let error = loader().load(path).unwrap_err();
        assert_eq!(error.path(), Some(path));
        assert!(error.to_string().contains(&path.display().to_string()));
        error
    };
    assert!(matches!(load(&folder.path().join("absent.wav")), AudioError::NotFound { .. }));
    assert!(matches!(load(folder.path()), AudioError::Directory { .. }));
    assert!(matches!(load(&write("empty.flac", b"")), AudioError::Empty { .. }));
    for (name, bytes, content) in [
        ("text.mp3", &b"Not a song,\nonly its words.\n"[..], "text"),
        ("page.mp3", b"<!DOCTYPE html><html><body>404</body></html>", "an html page"),
        (
            "cover.mp3",
            b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
            "a jpeg image",
        ),
        ("cover.wav", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "a png image"),
    ] {
        match load(&write(name, bytes)) {
            AudioError::NotAudio { content: found, .. } => assert_eq!(found, content),
            other => panic!("{name}: {other}"),
        }
    }
    for magic in [
        &b"RIFF"[..],
        b"RIFF\x24\0\0\0WAVE",
        b"OggS",
        b"fLaC",
        b"ID3",
        b".snd",
        b"FORM",
        b"\0\0\0\x20ftypM4A ",
    ] {
        let error = loader().load_bytes(magic.to_vec(), "magic only").unwrap_err();
        assert!(error.path().is_some(), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_device_is_no_file() {
    let error = loader().load(Path::new("/dev/null")).unwrap_err();
    assert!(matches!(error, AudioError::NotAFile { .. }));
}

#[test]
fn odd_but_sound_files_load() {
    let one = loader().load_bytes(wav(1, 1, 22_050, 16, 2, &[0, 0x40]), "one sample").unwrap();
    assert_eq!(one.samples, [0.5]);
    let frame: Vec<u8> = (1..=8i16).flat_map(|n| (n * 1024).to_le_bytes()).collect();
    let eight =
        loader().load_bytes(wav(1, 8, 44_100, 16, 32, &[&frame[..], &frame].concat()), "8 channels").unwrap();
    // The mean of 1 to 8 is 4.5.
    assert_eq!((eight.samples, eight.report.channels), (vec![4.5 / 32.0; 2], 8));
    let fast = LoadConfig { sample_rate: Some(22_050), ..LoadConfig::default() }.plan().unwrap();
    let clip = fast.load_bytes(wav(1, 1, 192_000, 16, 38_400, &[0; 38_400]), "192 kHz").unwrap();
    assert_eq!((clip.samples.len(), clip.report.source_sample_rate), (2_205, 192_000));
}

#[test]
fn impossible_headers_are_errors() {
    for (bytes, parameter) in [
        (wav(1, 0, 22_050, 16, 100, &[0; 100]), "channel count"),
        (wav(1, 257, 22_050, 16, 1028, &[0; 1028]), "channel count"),
        (wav(1, 1, 0, 16, 100, &[0; 100]), "sample rate"),
        (wav(1, 1, 4_000_000_000, 16, 100, &[0; 100]), "sample rate"),
    ] {
        match loader().load_bytes(bytes, "header") {
            Err(AudioError::StreamParameter { parameter: found, .. }) => assert_eq!(found, parameter),
            other => panic!("{parameter}: {other:?}"),
        }
    }
    for data in [0usize, 1] {
        let result = loader().load_bytes(wav(1, 1, 22_050, 16, data as u32, &vec![0; data]), "no sample");
        assert!(matches!(result, Err(AudioError::NoSamples { .. })), "{data} bytes: {result:?}");
    }
    let result = loader().load_bytes(wav(0x55aa, 1, 22_050, 16, 100, &[0; 100]), "tag");
    assert!(matches!(result, Err(AudioError::UnsupportedCodec { .. })), "{result:?}");
}

#[test]
fn a_lying_size_gives_what_is_there() {
    // Ten hours of 44.1 kHz stereo claimed, 250 frames present.
    let claimed = 10 * 3600 * 44_100u64 * 4;
    for size in [u32::try_from(claimed.min(u64::from(u32::MAX) - 3)).unwrap() / 4 * 4, 2_000_000_000] {
        let bytes = wav(1, 2, 44_100, 16, size, &[1; 1000]);
        ALLOCATED.reset_peak_usage();
        let before = ALLOCATED.current_usage();
        let clip = loader().load_bytes(bytes, "liar").unwrap();
        // Other tests of this file run beside this one: what they hold is far below what the header claims.
        assert!(ALLOCATED.peak_usage() - before < 256 << 20, "peak {} bytes", ALLOCATED.peak_usage());
        assert!(clip.report.truncated && clip.samples.len() == 250 && clip.samples.capacity() < 10_000);
    }
    let strict = LoadConfig { strict: Strictness::Strict, ..LoadConfig::default() }.plan().unwrap();
    let result = strict.load_bytes(wav(1, 2, 44_100, 16, 4000, &[1; 1000]), "liar");
    assert!(matches!(result, Err(AudioError::Damaged { .. })), "{result:?}");
}

#[test]
fn samples_that_are_not_finite_become_zero() {
    let values = [0.25f32, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e38, -0.5];
    let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let clip = loader().load_bytes(wav(3, 1, 22_050, 32, 24, &data), "floats").unwrap();
    assert_eq!(clip.samples, [0.25, 0.0, 0.0, 0.0, 0.0, -0.5]);
    assert_eq!(clip.report.non_finite_samples, 4);
}

#[test]
fn the_duration_limit_cuts_or_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("second.wav");
    write_wav(&path, &vec![0.1; 22_050], 22_050, WavFormat::Pcm16).unwrap();
    let limit = LoadConfig { max_duration_s: 0.5, ..LoadConfig::default() };
    let clip = limit.plan().unwrap().load(&path).unwrap();
    assert!(clip.report.cut && !clip.report.truncated && clip.samples.len() == 11_025);
    let exact =
        LoadConfig { max_duration_s: 1.0, ..LoadConfig::default() }.plan().unwrap().load(&path).unwrap();
    assert!(!exact.report.cut && exact.samples.len() == 22_050);
    let strict = LoadConfig { strict: Strictness::Strict, ..limit }.plan().unwrap();
    assert!(matches!(strict.load(&path), Err(AudioError::TooLong { .. })));
    for max_duration_s in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let config = LoadConfig { max_duration_s, ..LoadConfig::default() };
        assert!(matches!(config.plan(), Err(AudioError::Config { .. })));
    }
    for rate in [0, 99, 1_000_001] {
        let config = LoadConfig { sample_rate: Some(rate), ..LoadConfig::default() };
        assert!(matches!(config.plan(), Err(AudioError::Config { .. })));
    }
    assert!(serde_json::from_str::<LoadConfig>(r#"{"strict": "strict", "rate": 1}"#).is_err());
    assert_eq!(serde_json::from_str::<LoadConfig>("{}").unwrap(), LoadConfig::default());
}

/// Files put one after the other: the second part of a file whose rate is another is left out, and counted.
#[test]
fn streams_that_change_have_a_documented_outcome() {
    let Some(folder) = common::shared("data/codecs/matrix") else { return };
    let read = |file: &str| std::fs::read(folder.join(file)).unwrap();
    let load = |bytes: Vec<u8>| loader().load_bytes(bytes, "joined").unwrap();
    let strict = LoadConfig { strict: Strictness::Strict, ..LoadConfig::default() }.plan().unwrap();
    for (first, second) in [
        ("mp3_cbr128.mp3", "mp3_mpeg2_22k_mono32.mp3"),
        ("vorbis_44k.ogg", "vorbis_22k_mono.ogg"),
        ("vorbis_22k_mono.ogg", "vorbis_44k.ogg"),
    ] {
        let alone = load(read(first));
        let joined = load([read(first), read(second)].concat());
        assert_eq!(joined.sample_rate, alone.sample_rate);
        // The decoder of MP3 refuses a packet of another rate by itself, which counts as a corrupt one.
        let left_out = joined.report.changed_packets + joined.report.skipped_packets;
        assert!(left_out > 100, "{first} + {second}: {:?}", joined.report);
        let frames = alone.samples.len();
        // Whatever the encoder's padding is at the seam, it is less than a few packets.
        assert!(
            (frames..frames + 8192).contains(&joined.samples.len()),
            "{first} + {second}: {:?}",
            joined.report
        );
        assert_eq!(joined.samples[..frames - 4096], alone.samples[..frames - 4096]);
        let result = strict.load_bytes([read(first), read(second)].concat(), "joined");
        assert!(matches!(result, Err(AudioError::Damaged { .. })), "{result:?}");
    }
    // Two files of the same rate are heard one after the other, whatever the first one's header counts.
    for (file, packet) in [("mp3_cbr128.mp3", 1152), ("vorbis_44k.ogg", 2048), ("aac_lc_adts.aac", 1024)] {
        let alone = load(read(file)).samples.len();
        let twice = load([read(file), read(file)].concat());
        let difference = twice.samples.len().abs_diff(2 * alone);
        assert!(difference <= 3 * packet, "{file}: {difference} frames more or less than twice {alone}");
        assert_eq!(twice.report.changed_packets, 0);
    }
}

/// Whatever byte a file ends at: what comes before the end is what the whole file begins with.
#[test]
fn files_that_end_anywhere_give_what_they_hold() {
    let Some(folder) = common::shared("data/codecs/matrix") else { return };
    for file in [
        "s16_44k_stereo.wav",
        "aiff_s24.aiff",
        "caf_s16.caf",
        "s16.w64",
        "adpcm_ms_22k.wav",
        "au_mulaw_8k.au",
        "flac16_22k_mono.flac",
        "mp3_mpeg2_22k_mono32.mp3",
        "vorbis_22k_mono.ogg",
        "aac_lc_adts.aac",
    ] {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let whole = loader().load_bytes(bytes.clone(), file).unwrap().samples;
        for part in [3, 5] {
            let end = bytes.len() * part / 7 + 1;
            let clip = loader().load_bytes(bytes[..end].to_vec(), file).unwrap();
            let len = clip.samples.len();
            // The bit rate varies within a file.
            assert!(len * 14 > whole.len() * part && len < whole.len(), "{file}: {len} of {}", whole.len());
            // A decoder may make something of the last, broken packet.
            let sure = len.saturating_sub(4608);
            assert!(clip.samples[..sure] == whole[..sure], "{file} cut at {end}");
            // ADTS has no length to fall short of.
            assert!(clip.report.truncated || file.ends_with(".aac"), "{file} cut at {end}");
        }
    }
}

/// Ten hours claimed by a file of a kilobyte, in every header that can claim them.
#[test]
fn claims_cost_no_memory() {
    let mut claims = Vec::new();
    let mut flac = b"fLaC\x80\0\0\x22\x10\0\x10\0\0\0\0\0\0\0".to_vec();
    // 44,100 Hz, 2 channels, 16 bits, 1,587,600,000 frames.
    flac.extend([0x0a, 0xc4, 0x42, 0xf0, 0x5e, 0xa0, 0xea, 0x80]);
    flac.resize(1_000, 0);
    claims.push(flac);
    let mut au = b".snd\0\0\0\x18\xf0\0\0\0\0\0\0\x03\0\0\xac\x44\0\0\0\x02".to_vec();
    au.resize(1_000, 1);
    claims.push(au);
    let mut w64 =
        b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec();
    let tail = b"\xf3\xac\xd3\x11\x8c\xd1\0\xc0\x4f\x8e\xdb\x8a";
    w64.extend([b"wave", &tail[..], b"fmt ", tail, &40u64.to_le_bytes()].concat());
    w64.extend([1, 0, 2, 0, 0x44, 0xac, 0, 0, 0x10, 0xb1, 2, 0, 4, 0, 16, 0]);
    w64.extend([b"data", &tail[..], &u64::MAX.to_le_bytes()].concat());
    w64.resize(1_000, 1);
    claims.push(w64);
    for bytes in claims {
        ALLOCATED.reset_peak_usage();
        let before = ALLOCATED.current_usage();
        match loader().load_bytes(bytes, "claim") {
            Ok(clip) => assert!(clip.report.truncated && clip.samples.len() < 1_000, "{:?}", clip.report),
            Err(error) => assert!(
                matches!(error, AudioError::NoSamples { .. } | AudioError::Malformed { .. }),
                "{error}"
            ),
        }
        // Other tests of this file run beside this one.
        assert!(ALLOCATED.peak_usage().saturating_sub(before) < 256 << 20);
    }
}

/// A small fixed generator (Knuth's MMIX constants): the same mutations on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// Flips, overwrites, removes and repeats bytes, most of them in the header, where structure is.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(12) {
        let reach = if random.below(3) > 0 { bytes.len().min(600) } else { bytes.len() };
        let at = random.below(reach);
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = [0, 0xff, 0x7f, 0x80][random.below(4)],
            2 => bytes[at..].iter_mut().take(4).for_each(|byte| *byte = 0xff),
            3 => bytes.truncate(at.max(16)),
            4 => drop(bytes.drain(at..(at + 1 + random.below(64)).min(bytes.len()))),
            _ => {
                let copy = bytes[at..(at + 1 + random.below(64)).min(bytes.len())].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, copy);
            }
        }
        if bytes.len() < 16 {
            return;
        }
    }
}

#[test]
fn mutated_files_neither_panic_nor_hang() {
    let Some(folder) = common::shared("data/codecs/matrix") else { return };
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let loader = LoadConfig { max_duration_s: 2.0, ..LoadConfig::default() }.plan().unwrap();
    let mut random = Random(1);
    let (mut decoded, mut caught) = (0, Vec::new());
    ALLOCATED.reset_peak_usage();
    for file in &files {
        let original = std::fs::read(file).unwrap();
        // The first part of a file keeps the test short and holds all of its headers.
        let original = &original[..original.len().min(60_000)];
        for _ in 0..12 {
            let mut bytes = original.to_vec();
            mutate(&mut bytes, &mut random);
            let started = Instant::now();
            match loader.load_bytes(bytes, &file.display().to_string()) {
                Ok(clip) => {
                    decoded += 1;
                    assert!(!clip.samples.is_empty() && clip.samples.iter().all(|sample| sample.is_finite()));
                }
                Err(AudioError::DecoderPanic { message, .. }) => caught.push(message),
                Err(error) => assert!(error.path().is_some()),
            }
            // Two seconds of sound decode in milliseconds; a loaded machine may be slow by a hundred times.
            assert!(started.elapsed() < Duration::from_secs(20), "{} takes too long", file.display());
        }
    }
    assert!(decoded > 100, "mutations should leave many files readable, {decoded} were");
    // Two seconds of 192 kHz sound are below 2 MB: what a mutated header claims must not be allocated.
    assert!(ALLOCATED.peak_usage() < 512 << 20, "peak {} bytes", ALLOCATED.peak_usage());
    eprintln!("{decoded} of {} decoded, panics caught: {caught:?}", 12 * files.len());
}
