//! The way of a file through the store: computed once, found again, bad ones set aside, failing disks survived.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::Path;

use mgr_audio::{SegmentConfig, ShortClip, WavFormat, write_wav};
use mgr_data::dataset::{Dataset, Track};
use mgr_data::extract::extract;
use mgr_data::front_end::{FrontEnd, FrontEndConfig};
use mgr_data::store::FeatureStore;
use mgr_features::FeatureConfig;

fn front_end(hop_length: usize) -> FrontEnd {
    let mut mel = mgr_features::presets::gtzan8();
    mel.mel.stft.hop_length = hop_length;
    let segment = SegmentConfig {
        clip_length: 24_000,
        segment_length: 8000,
        segments: 3,
        short_clip: ShortClip::Repeat,
        ..SegmentConfig::default()
    };
    FrontEndConfig { sample_rate: 16_000, segment, feature: FeatureConfig::LogMel(mel) }.plan().unwrap()
}

fn dataset(root: &Path) -> Dataset {
    for (name, pitch) in [("a/one", 0.1f32), ("a/two", 0.2), ("b/three", 0.3)] {
        let path = root.join(format!("{name}.wav"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let samples: Vec<f32> = (0..30_000).map(|n| (n as f32 * pitch).sin() * 0.5).collect();
        write_wav(&path, &samples, 16_000, WavFormat::Pcm16).unwrap();
    }
    Dataset::folder(root).unwrap()
}

#[test]
fn the_second_run_finds_what_the_first_computed() {
    let (root, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = dataset(root.path());
    let front_end = front_end(512);
    let store = FeatureStore::open(store.path(), &front_end).unwrap();
    let first = extract(&dataset.tracks, &front_end, &store, &|_| {}).unwrap();
    assert_eq!((first.clips.len(), first.reused, first.failed.len()), (3, 0, 0));
    let second = extract(&dataset.tracks, &front_end, &store, &|_| {}).unwrap();
    assert_eq!(second.reused, 3);
    assert_eq!(first.clips, second.clips);

    let clip = store.get(&first.clips[0].content).unwrap().unwrap();
    let direct = front_end.process(fs::read(&dataset.tracks[0].path).unwrap(), "x").unwrap();
    assert_eq!(clip, direct, "the store gives the very bytes");
    assert_eq!(clip.segments.dim(), (3, 96, 16));

    // Another setting is another folder; the old one stays.
    let other = self::front_end(256);
    let other_store = FeatureStore::open(store.folder().parent().unwrap(), &other).unwrap();
    assert_eq!(extract(&dataset.tracks, &other, &other_store, &|_| {}).unwrap().reused, 0);
    assert_eq!(extract(&dataset.tracks, &front_end, &store, &|_| {}).unwrap().reused, 3);
}

#[test]
fn one_thread_and_many_store_the_same() {
    let root = tempfile::tempdir().unwrap();
    let dataset = dataset(root.path());
    let front_end = front_end(512);
    let clips = |threads: usize| {
        let folder = tempfile::tempdir().unwrap();
        let store = FeatureStore::open(folder.path(), &front_end).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| extract(&dataset.tracks, &front_end, &store, &|_| {})).unwrap();
        let contents = store.contents().unwrap();
        assert_eq!(contents.len(), 3);
        contents.iter().map(|c| (c.clone(), store.get(c).unwrap().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(clips(1), clips(4));
}

#[test]
fn bad_files_are_set_aside_with_a_reason_each() {
    let (root, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    dataset(root.path());
    fs::write(root.path().join("a/empty.wav"), b"").unwrap();
    fs::write(root.path().join("a/text.mp3"), b"this is a shopping list, not music\n").unwrap();
    let mut huge = vec![0.1; 20_000];
    huge[9000] = 1e25;
    write_wav(&root.path().join("b/huge.wav"), &huge, 16_000, WavFormat::Float32).unwrap();
    write_wav(&root.path().join("b/short.wav"), &[0.1; 500], 16_000, WavFormat::Pcm16).unwrap();
    write_wav(&root.path().join("b/zeros.wav"), &[0.0; 50_000], 16_000, WavFormat::Pcm16).unwrap();
    let mut dataset = Dataset::folder(root.path()).unwrap();
    dataset.tracks.push(Track { id: "b/gone.wav".into(), path: root.path().join("b/gone.wav"), class: 1 });
    let front_end = front_end(512);
    let store = FeatureStore::open(store.path(), &front_end).unwrap();
    let result = extract(&dataset.tracks, &front_end, &store, &|_| {}).unwrap();
    assert_eq!(result.clips.len(), 3);
    let reasons: Vec<_> = result.failed.iter().map(|f| f.reason.as_str()).collect();
    let expected = [
        ("a/empty.wav", "file is empty"),
        ("a/text.mp3", "not audio"),
        ("b/huge.wav", "samples too large"),
        ("b/short.wav", "too short: 500 samples at 16000 Hz, one frame needs 1024"),
        ("b/zeros.wav", "silent: all 50000 samples are zero"),
        ("gone.wav", "cannot read"),
    ];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for (reason, (file, what)) in reasons.iter().zip(expected) {
        assert!(reason.contains(file) && reason.contains(what), "{reason}");
    }
}

#[test]
fn leftovers_and_damaged_entries_do_no_harm() {
    let (root, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dataset = dataset(root.path());
    let front_end = front_end(512);
    let store = FeatureStore::open(folder.path(), &front_end).unwrap();
    let first = extract(&dataset.tracks, &front_end, &store, &|_| {}).unwrap();
    let whole = store.get(&first.clips[1].content).unwrap();
    // One bit of the data turns over, and a killed writer has left half an entry in the index.
    let data = store.folder().join("data-00000");
    let mut bytes = fs::read(&data).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(&data, &bytes).unwrap();
    let index = store.folder().join("index");
    let mut bytes = fs::read(&index).unwrap();
    bytes.extend([7; 50]);
    fs::write(&index, &bytes).unwrap();

    let store = FeatureStore::open(folder.path(), &front_end).unwrap();
    let damaged = first.clips.iter().filter(|c| store.get(&c.content).is_err()).count();
    assert_eq!(damaged, 1);
    let second = extract(&dataset.tracks, &front_end, &store, &|_| {}).unwrap();
    assert_eq!((second.reused, second.clips), (2, first.clips.clone()));
    assert_eq!(store.get(&first.clips[1].content).unwrap(), whole);
    let store = FeatureStore::open(folder.path(), &front_end).unwrap();
    let census = store.census().unwrap();
    assert_eq!((census.clips, census.replaced, census.damaged), (3, 1, 0));
    assert_eq!(store.get(&first.clips[1].content).unwrap(), whole);
}
