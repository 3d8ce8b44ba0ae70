//! Sample files of every format, damaged at random: samples or a typed error, in bounded time and memory, never a panic.
//!
//! A few hundred inputs in a normal run. More, and what became of them:
//!
//! `MGR_MUTATIONS=20000 cargo test --release -p mgr-audio --features opus --test mutations -- --nocapture`
//!
//! `MGR_MUTATION_SEED` chooses others (default 1). `MGR_MUTATION_KEEP` names a file that each input is written to before it is
//! read, so that one that ends the process is left there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::panic::PanicHookInfo;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mgr_audio::{AudioError, ChannelMix, LoadConfig, Loader, Strictness};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// Inputs of a normal run.
const INPUTS: usize = 400;
/// The longest part of a sample file that is mutated; the parts hold all headers and many packets.
const MAX_INPUT_BYTES: usize = 120_000;
/// What the loaders are allowed for samples.
const MAX_CLIP_BYTES: u64 = 16 << 20;
/// What one input may allocate at its peak: samples (a vector that grows has twice its length for a moment), the input's own
/// copies, tables and buffers of decoders.
const MAX_PEAK_BYTES: usize = 64 << 20;
const MAX_TIME: Duration = Duration::from_secs(5);

/// Where decoders panicked, and how often.
static PANICS: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

fn count_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or("nowhere".to_owned(), |place| {
        let file = place.file().rsplit('/').take(3).collect::<Vec<_>>();
        format!("{}:{}", file.into_iter().rev().collect::<Vec<_>>().join("/"), place.line())
    });
    *PANICS.lock().unwrap().entry(place).or_default() += 1;
}

/// A small fixed generator (Knuth's MMIX constants): the same mutations on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    /// A range within `0..len` of up to `most` bytes.
    fn range(&mut self, len: usize, most: usize) -> std::ops::Range<usize> {
        let start = self.below(len);
        start..(start + 1 + self.below(most)).min(len)
    }
}

/// Up to twelve changes, most of them in the header, where structure is; sometimes another file's part.
fn mutate(original: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = original.to_vec();
    if random.below(8) == 0 {
        // The head of one file and the tail of another.
        bytes.truncate(1 + random.below(original.len()));
        bytes.extend(other.get(random.below(other.len())..).unwrap_or_default());
        bytes.truncate(MAX_INPUT_BYTES);
    }
    let words = [0, 1, 0x7f, 0x80, 0xff];
    // Few changes more often than many: files that still decode reach further.
    let changes = random.below(13);
    for _ in 0..random.below(changes + 1) {
        if bytes.len() < 16 {
            break;
        }
        let reach = match random.below(4) {
            0 => bytes.len(),
            1 => bytes.len().min(64),
            _ => bytes.len().min(700),
        };
        let at = random.below(reach);
        match random.below(9) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = words[random.below(words.len())],
            // A field of a header: 0, the greatest, the most negative, one.
            2 => {
                let (width, byte) = ([2, 4, 8][random.below(3)], [0, 0xff][random.below(2)]);
                bytes[at..].iter_mut().take(width).for_each(|field| *field = byte);
            }
            3 => {
                let (width, value) = ([2, 4, 8][random.below(3)], random.below(usize::MAX) as u64);
                bytes[at..].iter_mut().take(width).zip(value.to_le_bytes()).for_each(|(to, from)| *to = from);
            }
            4 => bytes.truncate(random.below(bytes.len()).max(16)),
            5 => {
                let range = random.range(bytes.len(), 64);
                bytes.drain(range);
            }
            6 => {
                let range = random.range(bytes.len(), 4096);
                bytes.drain(range);
            }
            7 => {
                let range = random.range(bytes.len(), 512);
                let (copy, to) = (bytes[range].to_vec(), random.below(bytes.len()));
                bytes.splice(to..to, copy);
            }
            // Noise over a stretch of packets.
            _ => {
                let range = random.range(bytes.len(), 256);
                bytes[range].iter_mut().for_each(|byte| *byte ^= random.below(256) as u8);
            }
        }
    }
    if random.below(2) == 0 {
        repair_ogg(&mut bytes);
    }
    bytes
}

/// Sets the checksums of Ogg pages, so that mutations get past them to the decoders.
fn repair_ogg(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(page) = bytes.get_mut(at..).filter(|page| page.starts_with(b"OggS") && page.len() > 27) {
        let count = usize::from(page[26]);
        let body: usize = page.iter().skip(27).take(count).map(|&lacing| usize::from(lacing)).sum();
        let Some(page) = page.get_mut(..27 + count + body) else { return };
        page[22..26].fill(0);
        let crc = page.iter().fold(0u32, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
                (crc << 1) ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
            })
        });
        page[22..26].copy_from_slice(&crc.to_le_bytes());
        at += 27 + count + body;
    }
}

/// The kind of a result, as a table counts it.
fn outcome<T>(result: &Result<T, AudioError>, is_damaged: impl Fn(&T) -> bool) -> String {
    match result {
        Ok(value) if is_damaged(value) => "samples, damage reported".to_owned(),
        Ok(_) => "samples".to_owned(),
        Err(error) => {
            assert!(error.path().is_some(), "{error} names no file");
            let text = format!("{error:?}");
            text.split([' ', '{']).next().unwrap_or_default().to_owned()
        }
    }
}

/// Reads an input block by block; gives the samples and what became of it.
fn read_blocks(loader: &Loader, bytes: Vec<u8>) -> (Vec<f32>, Result<(), AudioError>) {
    let mut samples = Vec::new();
    let result = loader.open_bytes(bytes, "mutated").and_then(|mut reader| {
        while let Some(block) = reader.next_block()? {
            samples.extend_from_slice(block.samples());
        }
        Ok(())
    });
    (samples, result)
}

#[derive(Default)]
struct Tally {
    outcomes: BTreeMap<String, usize>,
    by_container: BTreeMap<String, usize>,
    slowest: (Duration, String),
    largest: (usize, String),
}

#[test]
fn damaged_files_are_read_or_refused_in_bounded_time_and_memory() {
    let Some(folder) = common::shared("data/codecs") else { return };
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (inputs, seed) = (number("MGR_MUTATIONS", INPUTS), number("MGR_MUTATION_SEED", 1));
    let keep = std::env::var_os("MGR_MUTATION_KEEP");
    let mut files = Vec::new();
    for part in ["matrix", "broken"] {
        for entry in std::fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            bytes.truncate(MAX_INPUT_BYTES);
            if !bytes.is_empty() {
                files.push((path.file_name().unwrap().to_string_lossy().into_owned(), bytes));
            }
        }
    }
    files.sort();
    assert!(files.len() > 60);

    let config = LoadConfig {
        max_duration_s: 20.0,
        max_memory_bytes: MAX_CLIP_BYTES,
        block_length: 10_000,
        ..LoadConfig::default()
    };
    let resampled = LoadConfig { sample_rate: Some(8_000), ..config.clone() }.plan().unwrap();
    let part = LoadConfig { offset_s: 0.3, duration_s: Some(0.5), ..config.clone() }.plan().unwrap();
    let strict = LoadConfig { strict: Strictness::Strict, channels: ChannelMix::All, ..config.clone() }
        .plan()
        .unwrap();
    let plain = config.plan().unwrap();

    let mut random = Random(seed as u64);
    let mut tally = Tally::default();
    let mut caught = 0;
    std::panic::set_hook(Box::new(count_panic));
    let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        for index in 0..inputs {
            let (name, original) = &files[index % files.len()];
            let other = &files[random.below(files.len())].1;
            let bytes = mutate(original, other, &mut random);
            if let Some(keep) = &keep {
                std::fs::write(keep, &bytes).unwrap();
            }
            let before = ALLOCATED.current_usage();
            ALLOCATED.reset_peak_usage();
            let start = Instant::now();

            let result = plain.load_bytes(bytes.clone(), "mutated");
            let kind = outcome(&result, |clip| clip.report.damage().is_some());
            if let Ok(clip) = &result {
                assert!(!clip.samples.is_empty() && clip.samples.iter().all(|sample| sample.is_finite()));
                *tally.by_container.entry(clip.report.container.clone()).or_default() += 1;
            }
            caught += usize::from(matches!(result, Err(AudioError::DecoderPanic { .. })));
            // Every other way in, in turn.
            match index / files.len() % 5 {
                0 => {
                    let (samples, blocks) = read_blocks(&plain, bytes);
                    caught += usize::from(matches!(blocks, Err(AudioError::DecoderPanic { .. })));
                    match (&result, &blocks) {
                        (Ok(clip), Ok(())) => {
                            // The limit of memory is that of clips alone.
                            let len = clip.samples.len();
                            assert!(samples.get(..len) == Some(&clip.samples[..]), "{name}: blocks differ");
                            assert!(samples.len() == len || clip.report.cut);
                        }
                        // What fails after the limit of memory is met by blocks alone.
                        (Ok(clip), Err(error)) => assert!(clip.report.cut, "{name}: {error}"),
                        (Err(_), Ok(())) => panic!("{name}: blocks load what a clip does not"),
                        (Err(_), Err(_)) => {}
                    }
                }
                1 => {
                    let info = plain.info_bytes(bytes, "mutated");
                    caught += usize::from(matches!(info, Err(AudioError::DecoderPanic { .. })));
                    outcome(&info, |_| false);
                    if let (Ok(clip), Ok(info)) = (&result, &info) {
                        assert_eq!(clip.report.source_sample_rate, info.sample_rate);
                    }
                }
                2 => {
                    let ranged = part.load_bytes(bytes, "mutated");
                    caught += usize::from(matches!(ranged, Err(AudioError::DecoderPanic { .. })));
                    outcome(&ranged, |_| false);
                    if let (Ok(clip), Ok(range)) = (&result, &ranged)
                        && !clip.report.cut
                    {
                        let first = (0.3 * f64::from(clip.sample_rate)).round() as usize;
                        let whole = clip.samples.get(first..first + range.samples.len());
                        assert!(whole == Some(&range.samples[..]), "{name}: a range differs from the whole");
                    }
                }
                3 => {
                    let clip = resampled.load_bytes(bytes, "mutated");
                    caught += usize::from(matches!(clip, Err(AudioError::DecoderPanic { .. })));
                    outcome(&clip, |_| false);
                    assert!(clip.is_ok_and(|clip| clip.sample_rate == 8_000) == result.is_ok(), "{name}");
                }
                _ => {
                    let clip = strict.load_bytes(bytes, "mutated");
                    caught += usize::from(matches!(clip, Err(AudioError::DecoderPanic { .. })));
                    outcome(&clip, |_| false);
                    let is_sound =
                        result.as_ref().is_ok_and(|clip| clip.report.damage().is_none() && !clip.report.cut);
                    // Planes of all channels meet the limit of memory sooner.
                    assert!(is_sound || clip.is_err(), "{name}: strict takes what is damaged");
                }
            }

            let time = start.elapsed();
            drop(result);
            let peak = ALLOCATED.peak_usage().saturating_sub(before);
            assert!(time < MAX_TIME, "input {index} from {name} took {time:?}");
            assert!(peak < MAX_PEAK_BYTES, "input {index} from {name} allocated {peak} bytes");
            if time > tally.slowest.0 {
                tally.slowest = (time, name.clone());
            }
            if peak > tally.largest.0 {
                tally.largest = (peak, name.clone());
            }
            *tally.outcomes.entry(kind).or_default() += 1;
        }
    }));
    let _ = std::panic::take_hook();
    let panics = PANICS.lock().unwrap();
    if let Err(panic) = run {
        eprintln!("panics by place: {panics:?}");
        std::panic::resume_unwind(panic);
    }
    eprintln!("{inputs} inputs from {} files, seed {seed}", files.len());
    for (kind, count) in &tally.outcomes {
        eprintln!("  {count:6} {kind}");
    }
    eprintln!("containers of what was decoded: {:?}", tally.by_container);
    eprintln!(
        "slowest {:?} ({}), largest {} bytes ({})",
        tally.slowest.0, tally.slowest.1, tally.largest.0, tally.largest.1
    );
    eprintln!("{caught} decoder panics caught, by place: {panics:?}");
    // Each panic was told as an error, none was swallowed on the way.
    assert_eq!(caught, panics.values().sum::<usize>());
    let decoded: usize = tally.by_container.values().sum();
    assert!(decoded * 4 > inputs, "mutations should leave many files readable, {decoded} were");
}
