//! What the fuzz targets do with their bytes: anything may come out but a panic, samples that are not finite, or ways of reading a
//! file that disagree.
//!
//! ```text
//! cargo install cargo-fuzz
//! cd crates/mgr-audio
//! cargo +nightly fuzz run wav -- -rss_limit_mb=1024 -timeout=5 -max_len=65536
//! ```
//! A panic of a decoder that the library catches is no finding; one that comes through is. Seeds: any short files of the format,
//! in `fuzz/corpus/<target>`.

use std::sync::Once;

use mgr_audio::{AudioError, Clip, LoadConfig, Loader};

/// What the loaders may take for samples: below libFuzzer's limit by far.
const MAX_CLIP_BYTES: u64 = 64 << 20;

fn config() -> LoadConfig {
    LoadConfig { max_duration_s: 60.0, max_memory_bytes: MAX_CLIP_BYTES, ..LoadConfig::default() }
}

fn plan(config: &LoadConfig) -> Option<Loader> {
    config.plan().ok()
}

/// libFuzzer's hook ends the process at any panic, also one that is caught.
fn quiet() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

fn check(result: &Result<Clip, AudioError>) {
    match result {
        Ok(clip) => {
            assert!(!clip.samples.is_empty());
            assert!(clip.channels().all(|channel| channel.len() == clip.samples.len()));
            assert!(clip.samples.iter().all(|sample| sample.is_finite()));
        }
        Err(error) => assert!(error.path().is_some() && !error.to_string().is_empty()),
    }
}

/// Loads the bytes as they are.
pub fn load(data: &[u8]) {
    quiet();
    if let Some(loader) = plan(&config()) {
        check(&loader.load_bytes(data.to_vec(), "fuzz"));
    }
}

/// Loads the bytes with the marks of a format set over them, so that the fuzzer need not find them: pairs of an offset and what is
/// there.
pub fn load_as(data: &[u8], marks: &[(usize, &[u8])]) {
    let mut bytes = data.to_vec();
    for (offset, mark) in marks {
        if bytes.len() < offset + mark.len() {
            return;
        }
        bytes[*offset..offset + mark.len()].copy_from_slice(mark);
    }
    load(&bytes);
}

/// Loads the bytes as an Ogg file whose checksums are right.
pub fn load_ogg(data: &[u8], marks: &[(usize, &[u8])]) {
    let mut bytes = data.to_vec();
    for (offset, mark) in marks {
        if bytes.len() < offset + mark.len() {
            return;
        }
        bytes[*offset..offset + mark.len()].copy_from_slice(mark);
    }
    let mut at = 0;
    while let Some(page) = bytes.get_mut(at..).filter(|page| page.starts_with(b"OggS") && page.len() > 27) {
        let count = usize::from(page[26]);
        let body: usize = page.iter().skip(27).take(count).map(|&lacing| usize::from(lacing)).sum();
        let Some(page) = page.get_mut(..27 + count + body) else { break };
        page[22..26].fill(0);
        let crc = page.iter().fold(0u32, |crc, &byte| {
            (0..8).fold(crc ^ (u32::from(byte) << 24), |crc, _| {
                (crc << 1) ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
            })
        });
        page[22..26].copy_from_slice(&crc.to_le_bytes());
        at += 27 + count + body;
    }
    load(&bytes);
}

/// Reads the header, and loads: both agree on the rate.
pub fn info(data: &[u8]) {
    quiet();
    let Some(loader) = plan(&config()) else { return };
    let info = loader.info_bytes(data.to_vec(), "fuzz");
    let clip = loader.load_bytes(data.to_vec(), "fuzz");
    check(&clip);
    match (&info, &clip) {
        (Ok(info), Ok(clip)) => assert_eq!(info.sample_rate, clip.report.source_sample_rate),
        (Err(_), Ok(_)) => panic!("a clip without info"),
        (_, Err(_)) => {}
    }
}

/// Reads a range of the file at another rate, as a clip and block by block: the same samples. The first six bytes choose the
/// range, the length of blocks and the rate, the rest is the file.
pub fn blocks(data: &[u8]) {
    quiet();
    let Some((&[offset, duration, length, more, rate, _], file)) = data.split_first_chunk::<6>() else {
        return;
    };
    let config = LoadConfig {
        offset_s: f64::from(offset) / 100.0,
        duration_s: (duration > 0).then(|| f64::from(duration) / 50.0),
        block_length: 1 + usize::from(length) * 256 + usize::from(more),
        sample_rate: [None, Some(8_000), Some(22_050), Some(44_100)][usize::from(rate % 4)],
        ..config()
    };
    let Some(loader) = plan(&config) else { return };
    let clip = loader.load_bytes(file.to_vec(), "fuzz");
    check(&clip);
    let mut samples = Vec::new();
    let read = loader.open_bytes(file.to_vec(), "fuzz").and_then(|mut reader| {
        while let Some(block) = reader.next_block()? {
            samples.extend_from_slice(block.samples());
            // The limit of memory is that of clips alone.
            if samples.len() as u64 * 8 > MAX_CLIP_BYTES {
                break;
            }
        }
        Ok(())
    });
    if let (Ok(clip), Ok(())) = (&clip, &read) {
        let both = clip.samples.len().min(samples.len());
        assert!(clip.samples[..both] == samples[..both], "blocks differ from the clip");
        assert!(clip.report.cut || clip.samples.len() == both, "blocks are fewer than the clip");
    }
}
