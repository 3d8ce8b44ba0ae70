//! Which channels of a file are kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use mgr_audio::{AudioError, ChannelMix, Clip, LoadConfig, Strictness};

/// A WAV file of `channels` channels whose sample `n` of channel `c` is `100 (c + 1) + n`.
fn ramps(channels: u16, frames: u16) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0".to_vec();
    bytes.extend(channels.to_le_bytes());
    bytes.extend(8_000u32.to_le_bytes());
    bytes.extend((16_000 * u32::from(channels)).to_le_bytes());
    bytes.extend((2 * channels).to_le_bytes());
    bytes.extend([16, 0]);
    bytes.extend(b"data");
    bytes.extend((2 * u32::from(channels) * u32::from(frames)).to_le_bytes());
    for frame in 0..frames {
        bytes.extend((0..channels).flat_map(|channel| (100 * (channel + 1) + frame).to_le_bytes()));
    }
    bytes
}

fn load(bytes: Vec<u8>, channels: ChannelMix) -> Result<Clip, AudioError> {
    LoadConfig { channels, ..LoadConfig::default() }.plan().unwrap().load_bytes(bytes, "ramps")
}

fn ramp(first: f32) -> Vec<f32> {
    (0..50u16).map(|n| (first + f32::from(n)) / 32_768.0).collect()
}

#[test]
fn channels_are_chosen() {
    let file = || ramps(3, 50);
    // The mean of 100, 200 and 300.
    assert_eq!(load(file(), ChannelMix::Mean).unwrap().samples, ramp(200.0));
    assert_eq!(load(file(), ChannelMix::Left).unwrap().samples, ramp(100.0));
    assert_eq!(load(file(), ChannelMix::Right).unwrap().samples, ramp(200.0));
    assert_eq!(load(file(), ChannelMix::Channel(2)).unwrap().samples, ramp(300.0));
    let all = load(file(), ChannelMix::All).unwrap();
    assert_eq!((all.channel_count(), all.report.channels), (3, 3));
    assert_eq!(all.channels().collect::<Vec<_>>(), [ramp(100.0), ramp(200.0), ramp(300.0)]);
    assert_eq!(all.into_channels(), [ramp(100.0), ramp(200.0), ramp(300.0)]);
    for (count, mix) in [(3, ChannelMix::Channel(3)), (1, ChannelMix::Channel(1))] {
        match load(ramps(count, 50), mix) {
            Err(AudioError::ChannelMissing { channel, channels, path }) => {
                assert_eq!((channel, channels), (usize::from(count), usize::from(count)));
                assert_eq!(path.to_str(), Some("ramps"));
            }
            other => panic!("{mix:?} of {count}: {other:?}"),
        }
    }
    for mix in
        [ChannelMix::Mean, ChannelMix::Left, ChannelMix::Right, ChannelMix::Channel(0), ChannelMix::All]
    {
        let mono = load(ramps(1, 50), mix).unwrap();
        assert_eq!((mono.samples, mono.other_channels.len()), (ramp(100.0), 0), "{mix:?} of a mono file");
    }
}

#[test]
fn mixes_of_every_file_follow_from_its_channels() {
    let Some(folder) = common::shared("data/codecs/matrix") else { return };
    let mut stereo = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let load = |channels| LoadConfig { channels, ..LoadConfig::default() }.plan().unwrap().load(&path);
        let Ok(all) = load(ChannelMix::All) else { continue };
        let planes: Vec<&[f32]> = all.channels().collect();
        assert_eq!(planes.len(), all.report.channels as usize);
        let count = planes.len() as f64;
        let mean = |n: usize| (planes.iter().map(|plane| f64::from(plane[n])).sum::<f64>() / count) as f32;
        let mixed = load(ChannelMix::Mean).unwrap();
        assert_eq!(mixed.samples.len(), all.samples.len());
        assert!(mixed.samples.iter().enumerate().all(|(n, &x)| x == mean(n)), "{}", path.display());
        assert_eq!(mixed.report, all.report);
        for (channel, plane) in planes.iter().enumerate() {
            assert_eq!(load(ChannelMix::Channel(channel)).unwrap().samples, *plane);
        }
        assert_eq!(load(ChannelMix::Left).unwrap().samples, planes[0]);
        assert_eq!(load(ChannelMix::Right).unwrap().samples, planes[1.min(planes.len() - 1)]);
        stereo += usize::from(planes.len() > 1);
    }
    assert!(stereo >= 10);
}

#[test]
fn channels_are_resampled_each_for_itself() {
    let config = LoadConfig { sample_rate: Some(4_000), channels: ChannelMix::All, ..LoadConfig::default() };
    let all = config.plan().unwrap().load_bytes(ramps(2, 5_000), "ramps").unwrap();
    for (channel, plane) in all.channels().enumerate() {
        let config = LoadConfig { channels: ChannelMix::Channel(channel), ..config.clone() };
        assert_eq!(config.plan().unwrap().load_bytes(ramps(2, 5_000), "ramps").unwrap().samples, plane);
    }
}

#[test]
fn a_config_is_plain_data() {
    let config = LoadConfig {
        channels: ChannelMix::Channel(1),
        offset_s: 1.5,
        duration_s: Some(3.0),
        strict: Strictness::Strict,
        ..LoadConfig::default()
    };
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<LoadConfig>(&json).unwrap(), config);
    // The fields of earlier configs mean what they meant.
    let old = r#"{"sample_rate":22050,"max_duration_s":60.0,"kernel":"high","strict":"lenient"}"#;
    let expected = LoadConfig { sample_rate: Some(22_050), max_duration_s: 60.0, ..LoadConfig::default() };
    assert_eq!(serde_json::from_str::<LoadConfig>(old).unwrap(), expected);
    for (text, mix) in [
        (r#""mean""#, ChannelMix::Mean),
        (r#""left""#, ChannelMix::Left),
        (r#""right""#, ChannelMix::Right),
        (r#"{"channel":3}"#, ChannelMix::Channel(3)),
        (r#""all""#, ChannelMix::All),
    ] {
        assert_eq!(serde_json::from_str::<ChannelMix>(text).unwrap(), mix);
        assert_eq!(serde_json::to_string(&mix).unwrap(), text);
    }
}
