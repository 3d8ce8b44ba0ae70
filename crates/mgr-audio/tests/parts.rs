//! Ranges and block readers give the samples of the whole load, bit for bit, for every sample file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::path::{Path, PathBuf};

use mgr_audio::{
    AudioError, BlockReader, ChannelMix, Clip, LoadConfig, Loader, ResampleKernel, WavFormat, write_wav,
};

/// Every file of the codec collection that can be loaded, sound or damaged.
fn files() -> Option<Vec<PathBuf>> {
    let folder = common::shared("data/codecs")?;
    let mut files: Vec<PathBuf> = ["matrix", "broken"]
        .iter()
        .flat_map(|part| std::fs::read_dir(folder.join(part)).unwrap().map(|entry| entry.unwrap().path()))
        .collect();
    files.sort();
    Some(files)
}

fn plan(config: LoadConfig) -> Loader {
    config.plan().unwrap()
}

fn planes(clip: &Clip) -> Vec<&[f32]> {
    clip.channels().collect()
}

/// All blocks of a reader, put one after the other.
fn joined(
    loader: &Loader,
    path: &Path,
    block_length: usize,
) -> Result<(Vec<Vec<f32>>, BlockReader), AudioError> {
    let mut reader = loader.open(path)?;
    let mut channels = vec![Vec::new(); reader.channel_count()];
    let mut is_last = false;
    while let Some(block) = reader.next_block()? {
        assert!(!is_last && !block.is_empty() && block.len() <= block_length);
        is_last = block.len() < block_length;
        for (channel, samples) in channels.iter_mut().zip(block.channels()) {
            assert_eq!(samples.len(), block.len());
            channel.extend_from_slice(samples);
        }
    }
    assert!(reader.next_block()?.is_none(), "nothing follows the end");
    Ok((channels, reader))
}

/// Seconds of a sample that does not round to another one.
fn at(sample: usize, rate: u32) -> f64 {
    sample as f64 / f64::from(rate)
}

fn check_ranges(path: &Path, config: &LoadConfig, whole: &Clip) {
    let (len, rate) = (whole.samples.len(), whole.sample_rate);
    let loader = plan(config.clone());
    // One sample, within, across a packet's border, beyond the end.
    let mut ranges = vec![(0, 1), (len / 2, 1000), (len - 1, 5000)];
    ranges.extend([(1151, 2), (4096, 4608)].iter().filter(|(start, _)| *start < len));
    for (start, count) in ranges {
        let clip = loader.load_range(path, at(start, rate), Some(at(count, rate))).unwrap();
        for (part, all) in planes(&clip).into_iter().zip(planes(whole)) {
            let expected = &all[start..(start + count).min(len)];
            assert_eq!(part.len(), expected.len(), "{} {start}+{count}", path.display());
            assert!(part == expected, "{} {start}+{count} at {rate} Hz", path.display());
        }
        assert_eq!(clip.channel_count(), whole.channel_count());
    }
    let rest = loader.load_range(path, at(len / 2, rate), None).unwrap();
    assert!(rest.samples == whole.samples[len / 2..], "{} rest", path.display());
    let beyond = loader.load_range(path, at(len, rate) + 1.0, None);
    assert!(matches!(beyond, Err(AudioError::RangeBeyondEnd { .. })), "{} {beyond:?}", path.display());
}

fn check_blocks(path: &Path, config: &LoadConfig, whole: &Clip) {
    for block_length in [1000, 65_536] {
        let loader = plan(LoadConfig { block_length, ..config.clone() });
        let (blocks, reader) = joined(&loader, path, block_length).unwrap();
        assert!(blocks == planes(whole), "{} in blocks of {block_length}", path.display());
        assert_eq!(reader.report(), whole.report, "{}", path.display());
        assert_eq!(reader.sample_rate(), whole.sample_rate);
    }
    // A range in blocks.
    let (start, count) = (whole.samples.len() / 5, whole.samples.len() / 2 + 1);
    let range = LoadConfig {
        offset_s: at(start, whole.sample_rate),
        duration_s: Some(at(count, whole.sample_rate)),
        block_length: 777,
        ..config.clone()
    };
    let (blocks, _) = joined(&plan(range), path, 777).unwrap();
    assert!(blocks[0] == whole.samples[start..start + count], "{} range in blocks", path.display());
}

#[test]
fn parts_of_every_file_are_those_of_the_whole() {
    let Some(files) = files() else { return };
    let config = LoadConfig { channels: ChannelMix::All, ..LoadConfig::default() };
    let mut checked = 0;
    for path in files {
        match plan(config.clone()).load(&path) {
            Ok(whole) => {
                check_ranges(&path, &config, &whole);
                check_blocks(&path, &config, &whole);
                checked += 1;
            }
            Err(error) => {
                // What cannot be loaded cannot be read in blocks, and the reason is the same.
                let blocks = joined(&plan(config.clone()), &path, 65_536).unwrap_err();
                assert_eq!(error.to_string(), blocks.to_string());
            }
        }
    }
    assert!(checked >= 45, "{checked} files were loaded");
}

#[test]
fn parts_of_resampled_files_are_those_of_the_whole() {
    let Some(folder) = common::shared("data/codecs/matrix") else { return };
    for (file, rate) in [
        ("s16_44k_stereo.wav", 22_050),
        ("flac24_96k.flac", 44_100),
        ("mp3_cbr128.mp3", 16_000),
        ("vorbis_22k_mono.ogg", 22_051),
        ("alaw_8k.wav", 48_000),
    ] {
        let path = folder.join(file);
        let config = LoadConfig { sample_rate: Some(rate), ..LoadConfig::default() };
        let whole = plan(config.clone()).load(&path).unwrap();
        check_ranges(&path, &config, &whole);
        check_blocks(&path, &config, &whole);
    }
}

#[test]
fn every_kernel_resamples_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("noise.wav");
    let mut state = 1u32;
    let noise: Vec<f32> = (0..400_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect();
    write_wav(&path, &noise, 44_100, WavFormat::Float32).unwrap();
    for kernel in [
        ResampleKernel::High,
        ResampleKernel::KaiserBest,
        ResampleKernel::KaiserFast,
        ResampleKernel::Polyphase,
    ] {
        for rate in [22_050, 16_000, 48_000, 44_099] {
            let config = LoadConfig { sample_rate: Some(rate), kernel, ..LoadConfig::default() };
            let whole = plan(config.clone()).load(&path).unwrap();
            check_ranges(&path, &config, &whole);
            check_blocks(&path, &config, &whole);
        }
    }
}

#[test]
fn the_duration_limit_holds_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ramp.wav");
    let ramp: Vec<f32> = (0..50_000).map(|n| n as f32 / 50_000.0).collect();
    write_wav(&path, &ramp, 10_000, WavFormat::Float32).unwrap();
    let config = LoadConfig { max_duration_s: 2.0, ..LoadConfig::default() };
    let clip = plan(config.clone()).load_range(&path, 1.0, Some(3.0)).unwrap();
    assert!(clip.report.cut && clip.samples == ramp[10_000..30_000]);
    let whole = plan(config.clone()).load_range(&path, 1.0, Some(2.0)).unwrap();
    assert!(!whole.report.cut && whole.samples == ramp[10_000..30_000]);
    assert!(joined(&plan(config), &path, 65_536).unwrap().0 == [&ramp[..20_000]]);
    // The memory limit is one of clips: 4 kB hold 1,000 samples; blocks go on.
    let small = LoadConfig { max_memory_bytes: 4_000, ..LoadConfig::default() };
    let clip = plan(small.clone()).load(&path).unwrap();
    assert!(clip.report.cut && clip.samples == ramp[..1_000]);
    assert!(joined(&plan(small), &path, 65_536).unwrap().0 == [&ramp[..]]);
}

#[test]
fn absurd_ranges_are_refused() {
    let loader = plan(LoadConfig::default());
    for (offset_s, duration_s) in [
        (-1.0, None),
        (f64::NAN, None),
        (f64::INFINITY, None),
        (0.0, Some(0.0)),
        (0.0, Some(-1.0)),
        (0.0, Some(f64::NAN)),
        (0.0, Some(f64::INFINITY)),
    ] {
        let result = loader.load_range(Path::new("never opened.wav"), offset_s, duration_s);
        assert!(matches!(result, Err(AudioError::Config { .. })), "{offset_s} {duration_s:?}");
    }
    for config in [
        LoadConfig { block_length: 0, ..LoadConfig::default() },
        LoadConfig { block_length: usize::MAX, ..LoadConfig::default() },
        LoadConfig { max_memory_bytes: 0, ..LoadConfig::default() },
    ] {
        assert!(matches!(config.plan(), Err(AudioError::Config { .. })));
    }
}

/// An hour of sound in blocks takes the memory of a few blocks; the test's own file is sparse.
#[test]
fn far_seconds_of_a_long_file_are_found_at_once() {
    use std::io::{Seek, SeekFrom, Write};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    write_wav(&path, &[0.25; 16], 44_100, WavFormat::Pcm16).unwrap();
    // A placeholder for the size, then a hole of 3 GiB and a few samples.
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let header = std::fs::read(&path).unwrap().windows(4).position(|four| four == b"data").unwrap() as u64;
    file.seek(SeekFrom::Start(header + 4)).unwrap();
    file.write_all(&u32::MAX.to_le_bytes()).unwrap();
    let frame = 5 * 3_600 * 44_100u64;
    file.seek(SeekFrom::Start(header + 8 + 2 * frame)).unwrap();
    file.write_all(&[0, 0x40].repeat(44_100)).unwrap();
    drop(file);
    let started = std::time::Instant::now();
    let clip = plan(LoadConfig::default()).load_range(&path, 5.0 * 3_600.0 - 0.5, Some(1.0)).unwrap();
    assert!(started.elapsed().as_secs_f64() < 5.0);
    assert!(clip.samples[..22_050].iter().all(|&x| x == 0.0));
    assert!(clip.samples[22_050..].iter().all(|&x| x == 0.5));
}
