//! `mgr audio` as a user meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use mgr_audio::{ChannelMix, Clip, LoadConfig, WavFormat, WavWriter};

fn mgr(folder: &Path, arguments: &[&str]) -> Output {
    let arguments = [&["audio"], arguments].concat();
    Command::new(env!("CARGO_BIN_EXE_mgr")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Two seconds of a sine on the left and a softer one on the right.
fn stereo(path: &Path, format: WavFormat) -> [Vec<f32>; 2] {
    let sine =
        |step: f32, peak: f32| (0..88_200).map(|n| peak * (n as f32 * step).sin()).collect::<Vec<f32>>();
    let planes = [sine(0.1, 0.5), sine(0.15, 0.25)];
    let mut writer = WavWriter::create(path, 2, 44_100, format).unwrap();
    writer.write(&[&planes[0], &planes[1]]).unwrap();
    writer.finish().unwrap();
    planes
}

fn load(path: &Path) -> Clip {
    LoadConfig { channels: ChannelMix::All, ..LoadConfig::default() }.plan().unwrap().load(path).unwrap()
}

/// Appends a LIST chunk with title, artist and genre to a WAV file.
fn tag(path: &Path) {
    let mut list = b"INFO".to_vec();
    for (id, value) in [(b"INAM", "A \"night\"\n"), (b"IART", "Some one"), (b"IGNR", "Jazz")] {
        list.extend(id);
        // With its closing zero, to an even length.
        let length = value.len() + 1;
        list.extend((length as u32).to_le_bytes());
        list.extend(value.as_bytes());
        list.extend(vec![0; 1 + length % 2]);
    }
    let mut bytes = fs::read(path).unwrap();
    bytes.extend(b"LIST");
    bytes.extend((list.len() as u32).to_le_bytes());
    bytes.extend(list);
    let size = (bytes.len() as u32 - 8).to_le_bytes();
    bytes[4..8].copy_from_slice(&size);
    fs::write(path, bytes).unwrap();
}

#[test]
fn info_tells_format_levels_and_tags() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tone.wav");
    stereo(&path, WavFormat::Pcm24);
    tag(&path);
    let output = mgr(folder.path(), &["info", "tone.wav"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    let lines: Vec<&str> = table.lines().collect();
    let words: Vec<&str> = lines[1].split_whitespace().collect();
    assert_eq!(
        words[..8],
        ["tone.wav", "wave", "pcm_s24le", "44100", "2", "24", "0:02.000", "-6.0"],
        "{table}"
    );
    assert!(lines[0].contains("LUFS") && lines[0].len() == lines[1].len(), "{table}");
    // The line break of the title does not break the table.
    assert_eq!(lines[2], r#"    title "A \"night\"", artist "Some one", genre "Jazz""#, "{table}");

    let output = mgr(folder.path(), &["info", "--json", "tone.wav"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = &document["files"][0];
    assert_eq!((file["path"].as_str(), file["codec"].as_str()), (Some("tone.wav"), Some("pcm_s24le")));
    assert_eq!((file["duration_s"].as_f64(), file["bits_per_sample"].as_u64()), (Some(2.0), Some(24)));
    assert_eq!(file["tags"]["artist"], "Some one");
    assert!(file["error"].is_null() && file["damage"].is_null());
    let level = |name: &str| file["levels"][name].as_f64().unwrap();
    // Mean square of both: (0.5^2 + 0.25^2) / 4.
    assert!((level("rms_dbfs") - 10.0 * (0.3125f64 / 4.0).log10()).abs() < 0.01);
    assert!((level("peak_dbfs") + 6.02).abs() < 0.01 && level("true_peak_dbtp") >= level("peak_dbfs"));
    assert!((-14.0..-8.0).contains(&level("loudness_lufs")), "{}", level("loudness_lufs"));
    assert!(file["levels"]["loudness_range_lu"].is_null());
    assert_eq!((level("silence_ratio"), level("clipped_runs")), (0.0, 0.0));
}

#[test]
fn info_shows_good_files_beside_bad_ones() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("music")).unwrap();
    stereo(&folder.path().join("music/good.wav"), WavFormat::Pcm16);
    let whole = fs::read(folder.path().join("music/good.wav")).unwrap();
    fs::write(folder.path().join("music/cut.wav"), &whole[..whole.len() / 2]).unwrap();
    fs::write(folder.path().join("music/page.mp3"), b"<html>no song</html>").unwrap();
    let output = mgr(folder.path(), &["info", "music", "gone.wav"]);
    assert_eq!(output.status.code(), Some(2));
    let (table, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(table.contains("good.wav") && table.contains("damaged: file ends early after"), "{table}");
    assert!(table.contains("bad: not audio, the content is an html page"), "{table}");
    assert!(table.contains("gone.wav\n    bad: no such file"), "{table}");
    assert!(errors.contains("page.mp3: not audio") && errors.contains("gone.wav: no such file"), "{errors}");

    let output = mgr(folder.path(), &["info", "--json", "music", "gone.wav"]);
    assert_eq!(output.status.code(), Some(2));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let files = document["files"].as_array().unwrap();
    assert_eq!(files.len(), 4);
    for file in files {
        let path = file["path"].as_str().unwrap();
        let is_bad = path.ends_with("page.mp3") || path == "gone.wav";
        assert_eq!(file["error"].is_string(), is_bad, "{file}");
        assert_eq!(file["levels"].is_null(), is_bad, "{file}");
        assert_eq!(file["damage"].is_string(), path.ends_with("cut.wav"), "{file}");
    }
    // A damaged file is not a bad one.
    assert_eq!(mgr(folder.path(), &["info", "music/cut.wav"]).status.code(), Some(0));
    assert_eq!(mgr(folder.path(), &["info"]).status.code(), Some(1));
    assert_eq!(mgr(folder.path(), &["info", "gone.wav"]).status.code(), Some(1));
}

#[test]
fn silence_has_no_loudness() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("silence.wav");
    mgr_audio::write_wav(&path, &[0.0; 16_000], 16_000, WavFormat::Pcm16).unwrap();
    let output = mgr(folder.path(), &["info", "silence.wav"]);
    let table = text(&output.stdout);
    let words: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(words[7..], ["-", "-", "-", "-", "-", "0", "100.0", "%", "0.0000"], "{table}");
}

#[test]
fn convert_keeps_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let planes = stereo(&folder.path().join("in.wav"), WavFormat::Float32);
    let convert = |arguments: &[&str]| {
        let output = mgr(folder.path(), &[&["convert", "in.wav", "out.wav", "--force"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        (load(&folder.path().join("out.wav")), text(&output.stdout))
    };
    let (clip, told) = convert(&["--format", "f32"]);
    assert_eq!(clip.into_channels(), planes);
    assert_eq!(told, "out.wav  44100 Hz, 2 channels, 0:02.000\n");

    let (clip, _) = convert(&["--channels", "left", "--offset", "0.5", "--duration", "1", "--format", "f32"]);
    assert_eq!((clip.channel_count(), &clip.samples[..]), (1, &planes[0][22_050..66_150]));
    let (clip, _) = convert(&["--channels", "right", "--format", "f32"]);
    assert_eq!(clip.samples, planes[1]);
    let (clip, told) = convert(&["--channels", "mono", "--format", "pcm24"]);
    let mean = planes[0].iter().zip(&planes[1]).map(|(l, r)| (l + r) / 2.0);
    assert!(clip.samples.iter().zip(mean).all(|(x, m)| (x - m).abs() <= 0.5f32.powi(24)));
    assert_eq!((clip.report.codec.as_str(), told.contains("1 channel,")), ("pcm_s24le", true));

    let (clip, _) = convert(&["--rate", "16000"]);
    assert_eq!(
        (clip.sample_rate, clip.samples.len(), clip.report.codec.as_str()),
        (16_000, 32_000, "pcm_s16le")
    );
    // As the loader resamples, to half a step of 16 bits.
    let config = LoadConfig { sample_rate: Some(16_000), channels: ChannelMix::All, ..LoadConfig::default() };
    let wanted = config.plan().unwrap().load(&folder.path().join("in.wav")).unwrap();
    for (read, wanted) in clip.channels().zip(wanted.channels()) {
        assert!(read.iter().zip(wanted).all(|(r, w)| (r - w).abs() <= 0.5f32.powi(16)));
    }
}

#[test]
fn convert_refuses_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    stereo(&folder.path().join("in.wav"), WavFormat::Pcm16);
    fs::write(folder.path().join("out.wav"), b"mine").unwrap();
    let refused = |arguments: &[&str]| {
        let output = mgr(folder.path(), &[&["convert"], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        text(&output.stderr)
    };
    assert_eq!(refused(&["in.wav", "out.wav"]), "mgr: out.wav: is there already; --force writes over it\n");
    assert_eq!(fs::read(folder.path().join("out.wav")).unwrap(), b"mine");
    assert!(refused(&["gone.wav", "new.wav"]).contains("gone.wav: no such file"));
    assert!(refused(&["out.wav", "new.wav"]).contains("out.wav: "));
    assert!(refused(&["in.wav", "new.wav", "--rate", "1"]).contains("sample_rate 1"));
    assert!(refused(&["in.wav", "new.wav", "--duration", "0"]).contains("duration_s 0"));
    assert!(refused(&["in.wav", "new.wav", "--offset", "9"]).contains("in.wav"));
    assert!(refused(&["in.wav", "no/new.wav"]).contains("cannot write"));
    fs::create_dir(folder.path().join("folder")).unwrap();
    assert!(refused(&["in.wav", "folder", "--force"]).contains("is a folder"));

    let whole = fs::read(folder.path().join("in.wav")).unwrap();
    fs::write(folder.path().join("cut.wav"), &whole[..whole.len() / 2]).unwrap();
    assert!(refused(&["cut.wav", "new.wav", "--strict"]).contains("damaged"));
    let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["cut.wav", "folder", "in.wav", "out.wav"]);

    let lenient = mgr(folder.path(), &["convert", "cut.wav", "new.wav"]);
    assert_eq!(lenient.status.code(), Some(0));
    assert!(text(&lenient.stderr).contains("cut.wav: used in spite of damage: file ends early"));
    // Onto itself, and louder than integers hold.
    let loud = folder.path().join("loud.wav");
    mgr_audio::write_wav(&loud, &[2.0, 0.5, -3.0], 8000, WavFormat::Float32).unwrap();
    let output = mgr(folder.path(), &["convert", "loud.wav", "loud.wav", "--force"]);
    assert!(
        text(&output.stderr).contains("2 samples beyond full scale were clipped"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(load(&loud).samples, [32_767.0 / 32_768.0, 0.5, -1.0]);
}
