//! WAV files written block by block: what is read back, and what is left behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;

use mgr_audio::{ChannelMix, LoadConfig, WavFormat, WavWriter, write_wav};

fn ramp(channel: usize, samples: usize) -> Vec<f32> {
    (0..samples).map(|n| ((n * 7919 + channel * 104_729) % 20_001) as f32 / 10_000.0 - 1.0).collect()
}

#[test]
fn channels_come_back_within_half_a_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    let loader = LoadConfig { channels: ChannelMix::All, ..LoadConfig::default() }.plan().unwrap();
    for (format, step, bits) in [
        (WavFormat::Pcm16, 0.5f32.powi(15), 16),
        (WavFormat::Pcm24, 0.5f32.powi(23), 24),
        (WavFormat::Float32, 0.0, 32),
    ] {
        for channels in [1, 2, 3, 6] {
            let planes: Vec<Vec<f32>> = (0..channels).map(|c| ramp(c, 5000)).collect();
            let mut writer = WavWriter::create(&path, channels, 48_000, format).unwrap();
            for (from, to) in [(0, 1), (1, 1), (1, 4000), (4000, 5000)] {
                let block: Vec<&[f32]> = planes.iter().map(|p| &p[from..to]).collect();
                writer.write(&block).unwrap();
            }
            assert_eq!(writer.finish().unwrap(), 5000);
            let clip = loader.load(&path).unwrap();
            assert_eq!((clip.sample_rate, clip.channel_count()), (48_000, channels));
            assert_eq!(clip.report.bits_per_sample, Some(bits));
            for (read, written) in clip.channels().zip(&planes) {
                assert_eq!(read.len(), 5000);
                for (&r, &w) in read.iter().zip(written) {
                    // Full scale itself is a step too high for integers.
                    let tolerance = if w == 1.0 { step } else { step / 2.0 };
                    assert!((r - w).abs() <= tolerance, "{format:?} {channels}: {r} for {w}");
                }
            }
        }
    }
}

#[test]
fn both_writers_write_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one.wav"), folder.path().join("other.wav"));
    let samples = ramp(0, 3000);
    for format in [WavFormat::Pcm16, WavFormat::Pcm24, WavFormat::Float32] {
        write_wav(&one, &samples, 22_050, format).unwrap();
        let mut writer = WavWriter::create(&other, 1, 22_050, format).unwrap();
        writer.write(&[&samples]).unwrap();
        writer.finish().unwrap();
        assert_eq!(fs::read(&one).unwrap(), fs::read(&other).unwrap());
    }
}

#[test]
fn clipped_samples_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    let samples = [1.0, -1.0, -1.1, 0.99999, 0.9999, f32::INFINITY];
    for (format, clipped) in [(WavFormat::Pcm16, 4), (WavFormat::Pcm24, 3), (WavFormat::Float32, 0)] {
        let mut writer = WavWriter::create(&path, 1, 8000, format).unwrap();
        writer.write(&[&samples]).unwrap();
        assert_eq!(writer.clipped_samples(), clipped, "{format:?}");
    }
}

#[test]
fn nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    fs::write(&path, b"old").unwrap();
    let mut writer = WavWriter::create(&path, 1, 8000, WavFormat::Pcm16).unwrap();
    writer.write(&[&[0.5]]).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    drop(writer);
    let writer = WavWriter::create(&path, 1, 8000, WavFormat::Pcm16).unwrap();
    assert_eq!(writer.finish().unwrap_err().to_string(), "signal has 0 samples, allowed is 1 or more");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(fs::read(&path).unwrap(), b"old");

    let refused =
        |rate, channels| WavWriter::create(&path, channels, rate, WavFormat::Pcm16).unwrap_err().to_string();
    assert_eq!(refused(1, 1), "invalid sample_rate 1, allowed is 100 to 1000000");
    assert_eq!(refused(8000, 0), "invalid channels 0, allowed is 1 to 256");
    let mut writer = WavWriter::create(&path, 2, 8000, WavFormat::Pcm16).unwrap();
    assert!(writer.write(&[&[0.0]]).is_err());
    assert!(writer.write(&[&[0.0], &[0.0, 1.0]]).is_err());
    drop(writer);
    let missing = folder.path().join("no/x.wav");
    assert!(
        WavWriter::create(&missing, 1, 8000, WavFormat::Pcm16)
            .unwrap_err()
            .to_string()
            .contains("cannot write")
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
