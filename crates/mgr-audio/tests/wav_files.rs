//! Written WAV files read back, whole and the same on every run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_audio::{AudioError, LoadConfig, WavFormat, write_wav};

fn tone() -> Vec<f32> {
    (0..5_000).map(|n| (n as f32 * 0.1).sin() * 0.8).collect()
}

#[test]
fn read_back_equals_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let loader = LoadConfig::default().plan().unwrap();
    for (format, codec, tolerance) in
        // Half a step of 16 bits; floats come back bit for bit.
        [(WavFormat::Pcm16, "pcm_s16le", 0.5 / 32768.0), (WavFormat::Float32, "pcm_f32le", 0.0)]
    {
        let path = folder.path().join("tone.wav");
        write_wav(&path, &tone(), 22_050, format).unwrap();
        let clip = loader.load(&path).unwrap();
        assert_eq!((clip.sample_rate, clip.report.codec.as_str(), clip.report.channels), (22_050, codec, 1));
        assert_eq!(clip.samples.len(), 5_000);
        assert!(clip.samples.iter().zip(tone()).all(|(a, b)| (a - b).abs() <= tolerance));
        // A second write replaces the file with the same bytes and leaves no temporary file.
        let first = std::fs::read(&path).unwrap();
        write_wav(&path, &tone(), 22_050, format).unwrap();
        assert_eq!(first, std::fs::read(&path).unwrap());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn integers_clamp() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clamp.wav");
    write_wav(&path, &[1.0, 2.0, -1.0, f32::NEG_INFINITY, f32::NAN], 8_000, WavFormat::Pcm16).unwrap();
    let top = 32_767.0 / 32_768.0;
    assert_eq!(
        LoadConfig::default().plan().unwrap().load(&path).unwrap().samples,
        [top, top, -1.0, -1.0, 0.0]
    );
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    assert!(matches!(write_wav(&path, &[], 22_050, WavFormat::Pcm16), Err(AudioError::EmptySignal)));
    assert!(matches!(write_wav(&path, &[0.0], 0, WavFormat::Pcm16), Err(AudioError::Config { .. })));
    let nowhere = folder.path().join("absent").join("x.wav");
    let error = write_wav(&nowhere, &[0.0], 22_050, WavFormat::Pcm16).unwrap_err();
    assert!(matches!(error, AudioError::Io { .. }) && error.path() == Some(&nowhere));
    // A directory in the way: the temporary file is removed again.
    let occupied = folder.path().join("folder.wav");
    std::fs::create_dir(&occupied).unwrap();
    assert!(write_wav(&occupied, &[0.0], 22_050, WavFormat::Pcm16).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
