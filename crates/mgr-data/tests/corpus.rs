//! The embedded corpus: determinism, sanity of the sound, and writing with interruptions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_data::corpus::{CORPUS_STAMP, Corpus, CorpusConfig, CorpusError, Style};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

fn corpus(clips_per_style: usize, duration_s: f64) -> Corpus {
    CorpusConfig { clips_per_style, duration_s, ..CorpusConfig::default() }.plan().unwrap()
}

fn digest(samples: &[f32]) -> String {
    let bytes: Vec<u8> = samples.iter().flat_map(|v| v.to_le_bytes()).collect();
    mgr_data::sha256_hex(&bytes)
}

#[test]
fn two_clips_are_what_they_were() {
    // A change of a sample is a change of the corpus: it needs a new CORPUS_VERSION and new sums here.
    let corpus = corpus(1, 2.0);
    assert_eq!(
        digest(&corpus.render(0).unwrap()),
        "c6bc11476bb9ab033ccfcd523d35a7a4cd3a5a1254298a9fd73a93e8a5332aa3",
        "shuffle"
    );
    assert_eq!(
        digest(&corpus.render(4).unwrap()),
        "f3f410e74c337d67c3e4fa3f821cd06ea194228578bf0b89fcc94261d16709d4",
        "four_floor"
    );
}

#[test]
fn a_clip_does_not_depend_on_how_many_there_are() {
    let (few, many) = (corpus(1, 1.5), corpus(4, 1.5));
    for (i, clip) in few.clips().enumerate() {
        let j = many.clips().position(|c| c == clip).unwrap();
        assert_eq!(few.render(i).unwrap(), many.render(j).unwrap(), "{}", clip.name());
    }
}

#[test]
fn clips_and_seeds_differ() {
    let a = corpus(2, 1.0);
    let b = CorpusConfig { seed: 21, ..a.config().clone() }.plan().unwrap();
    let sums: BTreeSet<String> =
        (0..a.len()).flat_map(|i| [digest(&a.render(i).unwrap()), digest(&b.render(i).unwrap())]).collect();
    assert_eq!(sums.len(), 2 * a.len());
}

#[test]
fn every_style_sounds_and_stays_within_full_scale() {
    let corpus = corpus(2, 12.0);
    for i in 0..corpus.len() {
        let (clip, samples) = (corpus.clip(i).unwrap(), corpus.render(i).unwrap());
        assert_eq!(samples.len(), corpus.clip_samples());
        assert!(samples.iter().all(|v| v.is_finite()), "{}", clip.name());
        let peak = samples.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        // -6 to -1 dB, with room for the last bit.
        assert!((0.501..=0.892).contains(&peak), "{}: peak {peak}", clip.name());
        // Each third sounds: no clip is a single stroke with silence behind it.
        for third in samples.chunks_exact(samples.len() / 3) {
            let power = third.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / third.len() as f64;
            assert!(power > 1e-5, "{}: {:.1} dB", clip.name(), 10.0 * power.log10());
        }
        let mean = samples.iter().map(|v| f64::from(*v)).sum::<f64>() / samples.len() as f64;
        assert!(mean.abs() < 1e-3, "{}: offset {mean}", clip.name());
    }
}

#[test]
fn absurd_rates_and_lengths_render_finite_samples() {
    for (duration_s, sample_rate) in [(0.1, 8_000), (0.3, 96_000), (3.0, 11_025)] {
        let config = CorpusConfig { clips_per_style: 1, duration_s, sample_rate, ..CorpusConfig::default() };
        let corpus = config.plan().unwrap();
        for i in 0..corpus.len() {
            let samples = corpus.render(i).unwrap();
            assert_eq!(samples.len(), corpus.clip_samples());
            assert!(samples.iter().all(|v| v.is_finite() && v.abs() < 1.0), "clip {i} at {sample_rate} Hz");
        }
    }
}

#[test]
fn clips_are_numbered_style_after_style() {
    let corpus = corpus(3, 1.0);
    assert_eq!(corpus.len(), 30);
    assert_eq!(corpus.styles().len(), 10);
    let listed: Vec<_> = corpus.clips().collect();
    for (i, clip) in listed.iter().enumerate() {
        assert_eq!(corpus.clip(i).unwrap(), *clip);
        assert_eq!(corpus.styles()[clip.style.index()], clip.style);
    }
    assert_eq!(listed[5].file(), "waltz/waltz.00002.wav");
    assert!(matches!(corpus.clip(30), Err(CorpusError::Clip { index: 30, clips: 30 })));
    assert!(matches!(corpus.render(usize::MAX), Err(CorpusError::Clip { .. })));
    let json: Vec<String> = Style::ALL.iter().map(|s| serde_json::to_string(s).unwrap()).collect();
    assert!(Style::ALL.iter().zip(json).all(|(s, j)| j == format!("\"{s}\"")));
}

#[test]
fn settings_outside_their_range_are_refused() {
    let base = CorpusConfig::default();
    for (config, name) in [
        (CorpusConfig { clips_per_style: 0, ..base.clone() }, "clips_per_style"),
        (CorpusConfig { clips_per_style: usize::MAX, ..base.clone() }, "clips_per_style"),
        (CorpusConfig { duration_s: f64::NAN, ..base.clone() }, "duration_s"),
        (CorpusConfig { duration_s: f64::INFINITY, ..base.clone() }, "duration_s"),
        (CorpusConfig { duration_s: -1.0, ..base.clone() }, "duration_s"),
        (CorpusConfig { sample_rate: 0, ..base.clone() }, "sample_rate"),
        (CorpusConfig { sample_rate: u32::MAX, ..base }, "sample_rate"),
    ] {
        match config.plan() {
            Err(CorpusError::Config { field, .. }) => assert_eq!(field, name),
            other => panic!("{other:?}"),
        }
    }
    assert!(serde_json::from_str::<CorpusConfig>(r#"{"clips": 3}"#).is_err());
}

#[test]
fn every_setting_changes_the_folder() {
    let base = CorpusConfig::default();
    let names: BTreeSet<String> = [
        base.clone(),
        CorpusConfig { seed: 1, ..base.clone() },
        CorpusConfig { clips_per_style: 13, ..base.clone() },
        CorpusConfig { duration_s: 29.0, ..base.clone() },
        CorpusConfig { sample_rate: 16_000, ..base },
    ]
    .iter()
    .map(|c| c.plan().unwrap().folder_name())
    .collect();
    assert_eq!(names.len(), 5, "{names:?}");
}

/// Every file below a folder with its bytes.
fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(contents(&path).into_iter().map(|(n, b)| (format!("{name}/{n}"), b)));
        } else {
            found.push((name, fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn any_number_of_threads_writes_the_same_files() {
    let corpus = corpus(2, 0.5);
    let (one, four) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let calls = AtomicUsize::new(0);
    let top = AtomicUsize::new(0);
    let progress = |done: usize| {
        calls.fetch_add(1, Ordering::Relaxed);
        top.fetch_max(done, Ordering::Relaxed);
    };
    let a = in_pool(1, || corpus.write_to(one.path(), &progress)).unwrap();
    let b = in_pool(4, || corpus.write_to(four.path(), &|_| ())).unwrap();
    assert_eq!(a, b);
    assert_eq!((calls.into_inner(), top.into_inner()), (20, 20));
    let files = contents(one.path());
    assert_eq!(files, contents(four.path()));
    assert_eq!(files.len(), 21, "20 clips and the stamp, nothing else");
    // What is on disk is what is rendered.
    let mut reader = hound::WavReader::open(one.path().join(corpus.clip(7).unwrap().file())).unwrap();
    let stored: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    let expected: Vec<i16> =
        corpus.render(7).unwrap().iter().map(|v| (v * 32_768.0).round() as i16).collect();
    assert_eq!(stored, expected);
}

#[test]
fn an_interrupted_run_is_taken_up() {
    let corpus = corpus(1, 0.5);
    let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    corpus.write_to(whole.path(), &|_| ()).unwrap();
    // A run that dies after some clips: the stamp of the beginning, two finished files, a truncated one, a temporary one.
    let dir = broken.path();
    corpus.write_to(dir, &|_| ()).unwrap();
    let stamp = fs::read_to_string(dir.join(CORPUS_STAMP)).unwrap();
    let begun = stamp.split("\"files\"").next().unwrap().to_owned() + "\"files\": []}";
    fs::write(dir.join("corpus.partial.json"), begun).unwrap();
    fs::remove_file(dir.join(CORPUS_STAMP)).unwrap();
    for clip in corpus.clips().skip(2) {
        fs::remove_file(dir.join(clip.file())).unwrap();
    }
    fs::write(dir.join("march/march.00000.wav"), b"RIFF").unwrap();
    fs::write(dir.join("swing/swing.00000.wav.partial-1234-0"), b"RIFF").unwrap();
    let kept = dir.join("shuffle/shuffle.00000.wav");
    let before = fs::metadata(&kept).unwrap().modified().unwrap();
    corpus.write_to(dir, &|_| ()).unwrap();
    assert_eq!(
        fs::metadata(&kept).unwrap().modified().unwrap(),
        before,
        "a finished file is not written again"
    );
    assert_eq!(contents(dir), contents(whole.path()));
    corpus.verify(dir).unwrap();
}

#[test]
fn files_without_a_stamp_are_not_trusted() {
    let corpus = corpus(1, 0.5);
    let dir = tempfile::tempdir().unwrap();
    corpus.write_to(dir.path(), &|_| ()).unwrap();
    let good = contents(dir.path());
    // Of the right size, but of nobody knows which settings.
    let path = dir.path().join("drone/drone.00000.wav");
    let size = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    fs::write(&path, vec![0_u8; size]).unwrap();
    assert!(matches!(corpus.verify(dir.path()), Err(CorpusError::Corrupt { path: p }) if p == path));
    fs::remove_file(dir.path().join(CORPUS_STAMP)).unwrap();
    corpus.write_to(dir.path(), &|_| ()).unwrap();
    assert_eq!(contents(dir.path()), good);
}

#[test]
fn a_folder_of_another_corpus_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    corpus(1, 0.5).write_to(dir.path(), &|_| ()).unwrap();
    let before = contents(dir.path());
    assert!(matches!(corpus(2, 0.5).write_to(dir.path(), &|_| ()), Err(CorpusError::OtherCorpus { .. })));
    assert_eq!(contents(dir.path()), before);
    fs::write(dir.path().join(CORPUS_STAMP), b"{").unwrap();
    assert!(matches!(corpus(1, 0.5).write_to(dir.path(), &|_| ()), Err(CorpusError::Stamp { .. })));
}

#[test]
fn ensure_writes_once_and_mends() {
    let corpus = corpus(1, 0.5);
    let cache = tempfile::tempdir().unwrap();
    let dir = corpus.ensure(cache.path()).unwrap();
    assert_eq!(dir, cache.path().join(corpus.folder_name()));
    let clip = dir.join("waltz/waltz.00000.wav");
    let before = fs::metadata(&clip).unwrap().modified().unwrap();
    assert_eq!(corpus.ensure(cache.path()).unwrap(), dir);
    assert_eq!(fs::metadata(&clip).unwrap().modified().unwrap(), before);
    let good = contents(&dir);
    fs::remove_file(&clip).unwrap();
    corpus.ensure(cache.path()).unwrap();
    assert_eq!(contents(&dir), good);
}

#[test]
fn a_folder_that_cannot_be_made_is_a_typed_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"x").unwrap();
    assert!(matches!(corpus(1, 0.5).ensure(&file), Err(CorpusError::Io { .. })));
}
