use std::cell::Cell;
use std::thread;

use mgr_audio::SegmentConfig;
use mgr_features::{FeatureConfig, presets};

use super::*;
use crate::front_end::FrontEndConfig;

fn front_end() -> FrontEnd {
    let segment =
        SegmentConfig { clip_length: 4096, segment_length: 4096, segments: 1, ..SegmentConfig::default() };
    let feature = FeatureConfig::LogMel(presets::gtzan8());
    FrontEndConfig { sample_rate: 16_000, segment, feature }.plan().unwrap()
}

/// A clip whose features are all one value, so that a mixture of two is seen.
fn clip(front_end: &FrontEnd, value: f32) -> ClipFeatures {
    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("x.wav");
    mgr_audio::write_wav(&wav, &[0.25; 5000], 16_000, mgr_audio::WavFormat::Pcm16).unwrap();
    let mut clip = front_end.process(fs::read(&wav).unwrap(), "x.wav").unwrap();
    clip.segments.fill(value);
    clip
}

impl FeatureStore {
    /// A disk that has room for so many bytes more.
    fn put_filling(&self, content: &str, clip: &ClipFeatures, room: usize) -> Result<(), DataError> {
        let room = Cell::new(room);
        self.put_through(content, clip, &|file, bytes| {
            let fits = bytes.len().min(room.get());
            room.set(room.get() - fits);
            file.write_all(&bytes[..fits])?;
            if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }
}

#[test]
fn a_full_disk_is_an_error_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let front_end = front_end();
    let (old, new) = (clip(&front_end, 1.0), clip(&front_end, 2.0));
    let store = FeatureStore::open(folder.path(), &front_end).unwrap();
    store.put("old", &old).unwrap();
    let whole = 4 * new.segments.len() + 128 + serde_json::to_vec(&new.report).unwrap().len();
    for room in [0, 100, 2000, whole, whole + 50] {
        let error = store.put_filling("new", &new, room).unwrap_err().to_string();
        assert!(error.contains("no storage space"), "{error}");
        for store in [&store, &FeatureStore::open(folder.path(), &front_end).unwrap()] {
            assert_eq!(store.get("new").unwrap(), None);
            assert_eq!(store.get("old").unwrap().as_ref(), Some(&old));
        }
    }
    store.put("new", &new).unwrap();
    for store in [store, FeatureStore::open(folder.path(), &front_end).unwrap()] {
        assert_eq!(store.get("new").unwrap().as_ref(), Some(&new));
        assert_eq!(store.get("old").unwrap().as_ref(), Some(&old));
        assert_eq!(store.contents().unwrap(), ["new", "old"]);
    }
}

#[test]
fn two_openings_write_the_same_store_from_many_threads() {
    let folder = tempfile::tempdir().unwrap();
    let front_end = front_end();
    let clips: Vec<ClipFeatures> = (0..24).map(|i| clip(&front_end, i as f32)).collect();
    // Small files, so that several come to be, and maps grow.
    let open =
        || FeatureStore::at(folder.path().to_path_buf(), 96, front_end.layout().columns, 20_000).unwrap();
    let stores = [open(), open()];
    thread::scope(|scope| {
        for writer in 0..4 {
            let (store, clips) = (&stores[writer % 2], &clips);
            scope.spawn(move || {
                for step in 0..clips.len() {
                    // Each writer goes through all clips, from another one on.
                    let at = (step + writer * 5) % clips.len();
                    store.put(&format!("clip {at}"), &clips[at]).unwrap();
                    let got = store.view(&format!("clip {at}")).unwrap().unwrap();
                    assert_eq!(got.segments().unwrap(), clips[at].segments);
                    assert_eq!(got.report().unwrap(), clips[at].report);
                }
            });
        }
    });
    for store in stores.iter().chain([&open()]) {
        let census = store.census().unwrap();
        assert_eq!((census.clips, census.replaced, census.damaged), (24, 0, 0), "nothing twice");
        for (at, clip) in clips.iter().enumerate() {
            assert_eq!(store.get(&format!("clip {at}")).unwrap().as_ref(), Some(clip));
        }
    }
    assert!(folder.path().join("data-00003").exists(), "several data files");
    assert_eq!(fs::metadata(folder.path().join("index")).unwrap().len(), 24 * ENTRY as u64);
}

#[test]
fn a_newer_layout_and_foreign_shapes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let front_end = front_end();
    let store = FeatureStore::open(folder.path(), &front_end).unwrap();
    let mut other = clip(&front_end, 1.0);
    assert!(store.put("", &other).unwrap_err().to_string().contains("no name of a clip"));
    other.segments = ndarray::Array3::zeros((1, 2, 3));
    assert!(store.put("x", &other).unwrap_err().to_string().contains("shape 1 x 2 x 3, expected n x 96"));
    let version = store.folder().join("store.json");
    fs::write(&version, b"{\"format\": 99}").unwrap();
    let error = FeatureStore::open(folder.path(), &front_end).unwrap_err().to_string();
    assert!(error.contains("has layout 99, this program knows layouts up to 2"), "{error}");
    fs::write(&version, b"{\"for").unwrap();
    assert!(FeatureStore::open(folder.path(), &front_end).unwrap_err().to_string().contains("store.json"));
}

#[test]
fn a_data_file_that_was_cut_off_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let front_end = front_end();
    let store = FeatureStore::open(folder.path(), &front_end).unwrap();
    let clip = clip(&front_end, 3.0);
    store.put("x", &clip).unwrap();
    let data = store.folder().join("data-00000");
    let bytes = fs::read(&data).unwrap();
    for length in [0, 10, bytes.len() - 1] {
        fs::write(&data, &bytes[..length]).unwrap();
        let store = FeatureStore::open(folder.path(), &front_end).unwrap();
        let error = store.get("x").unwrap_err().to_string();
        assert!(error.contains("data-00000"), "{error}");
    }
    let store = FeatureStore::open(folder.path(), &front_end).unwrap();
    store.put("x", &clip).unwrap();
    assert_eq!(store.get("x").unwrap(), Some(clip));
}
