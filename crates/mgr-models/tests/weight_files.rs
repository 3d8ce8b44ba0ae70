//! Readers of weight files: what the formats' own libraries wrote comes in number for number, what is damaged or hostile
//! is refused with a reason, in little memory.
//!
//! `MGR_MUTATIONS=200000 cargo test --release -p mgr-models --test weight_files -- --nocapture` tries more damage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};

use mgr_models::pretrained::{self, WeightError, WeightMap};
use mgr_models::{Error, Random};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/weight_files").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

fn counting(count: usize) -> Vec<f32> {
    (0..count).map(|n| n as f32 / 8.0 - 1.0).collect()
}

fn check(map: &WeightMap, name: &str, shape: &[usize], values: &[f32]) {
    let data = map.get(name).unwrap_or_else(|| panic!("{name} is missing"));
    assert_eq!(data.shape, shape, "{name}");
    assert_eq!(data.values, values, "{name}");
}

#[test]
fn pytorch_files_of_both_kinds_are_read() {
    for file in ["zip.pth", "legacy.pth", "wrapped.pth"] {
        let map = pretrained::read(&fixture(file)).unwrap();
        assert_eq!(map.len(), 9, "{file}");
        let all = counting(12);
        check(&map, "layer.weight", &[3, 4], &all);
        let turned: Vec<f32> = (0..12).map(|n| all[n % 3 * 4 + n / 3]).collect();
        check(&map, "layer.turned", &[4, 3], &turned);
        check(&map, "layer.part", &[2, 2], &[all[5], all[6], all[9], all[10]]);
        check(&map, "layer.half", &[3, 4], &all);
        check(&map, "layer.brain", &[3, 4], &all);
        check(&map, "layer.double", &[3, 4], &all);
        check(&map, "counter", &[], &[7.0]);
        check(&map, "empty", &[0, 3], &[]);
        check(&map, "parameter", &[2], &[1.0, 1.0]);
    }
}

#[test]
fn a_pickle_that_asks_for_more_than_tensors_is_refused() {
    let error = pretrained::read(&fixture("refused.pth")).unwrap_err().to_string();
    assert!(error.contains("asks for torch.nn.modules.linear.Linear"), "{error}");
    // What `pickle` would run: os.system("...").
    let hostile = b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.";
    let error = pretrained::read_bytes(hostile).unwrap_err();
    assert_eq!(error, WeightError::Refused { name: "os.system".to_owned() });
    let hostile = b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.";
    let error = pretrained::read_bytes(hostile).unwrap_err();
    assert_eq!(error, WeightError::Refused { name: "builtins.eval".to_owned() });
}

#[test]
fn pickles_of_arrays_are_read() {
    for file in ["arrays.protocol2.pkl", "arrays.protocol4.pkl"] {
        let map = pretrained::read(&fixture(file)).unwrap();
        assert_eq!(map.len(), 4, "{file}");
        check(&map, "params.Conv_0.kernel", &[2, 3], &counting(6));
        check(&map, "params.Conv_0.bias", &[3], &counting(3));
        check(&map, "params.fortran", &[2, 3], &counting(6));
        check(&map, "params.big", &[2, 3], &counting(6));
    }
}

#[test]
fn hdf5_files_are_read() {
    let map = pretrained::read(&fixture("plain.h5")).unwrap();
    assert_eq!(map.len(), 44);
    check(&map, "conv1/conv1_W", &[4, 3], &counting(12));
    check(&map, "conv1/conv1_b", &[4], &counting(4));
    check(&map, "conv1/count", &[], &[7.0]);
    check(&map, "conv1/big", &[2, 3], &counting(6));
    for index in 0..40 {
        let values: Vec<f32> = counting(2).iter().map(|value| value + index as f32).collect();
        check(&map, &format!("many/t{index:02}"), &[2], &values);
    }
    let map = pretrained::read(&fixture("chunked.h5")).unwrap();
    check(&map, "plain", &[5, 7], &counting(35));
    check(&map, "packed", &[20, 30], &counting(600));
    check(&map, "checked", &[9], &counting(9));
    check(&map, "many", &[300], &counting(300));
    let map = pretrained::read(&fixture("links.h5")).unwrap();
    check(&map, "conv1/conv1_W", &[4, 3], &counting(12));
}

#[test]
fn safetensors_are_read() {
    let map = pretrained::read(&fixture("plain.safetensors")).unwrap();
    assert_eq!(map.len(), 2);
    check(&map, "a", &[2, 3], &counting(6));
    check(&map, "b", &[2], &counting(2));
}

#[test]
fn tensorflow_checkpoints_are_read() {
    for stem in ["plain", "snappy"] {
        // By the common beginning, and by the index.
        for path in [fixture(stem), fixture(&format!("{stem}.index"))] {
            let map = pretrained::read(&path).unwrap();
            assert_eq!(map.len(), 4, "{stem}");
            check(&map, "model/conv2d/kernel", &[2, 3], &counting(6));
            check(&map, "model/conv2d/kernel/Adam", &[2, 3], &counting(6));
            check(&map, "model/conv2d/bias", &[3], &counting(3));
            check(&map, "global_step", &[], &[7.0]);
        }
    }
    // A value that was changed is told by its checksum.
    let mut values = bytes("plain.data-00000-of-00001");
    values[20] ^= 1;
    let error = pretrained::read_tensorflow(&bytes("plain.index"), &values).unwrap_err().to_string();
    assert!(error.contains("checksum of"), "{error}");
}

#[test]
fn what_is_no_weight_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pth");
    let missing = pretrained::read(&path).unwrap_err();
    assert!(matches!(missing, Error::File { action: "read", .. }), "{missing}");
    for content in [&b""[..], b"hello, world", b"PK", b"\x80", b"\x89HDF"] {
        std::fs::write(&path, content).unwrap();
        let error = pretrained::read(&path).unwrap_err();
        assert!(matches!(error, Error::Weights { .. }), "{content:?}: {error}");
    }
}

const FILES: [&str; 9] = [
    "zip.pth",
    "legacy.pth",
    "wrapped.pth",
    "arrays.protocol2.pkl",
    "arrays.protocol4.pkl",
    "plain.h5",
    "chunked.h5",
    "links.h5",
    "plain.safetensors",
];

/// Reads bytes of any kind; a checkpoint's index with the values that belong to it.
fn read(bytes: &[u8], values: Option<&[u8]>) -> Result<WeightMap, WeightError> {
    match values {
        Some(values) => pretrained::read_tensorflow(bytes, values),
        None => pretrained::read_bytes(bytes),
    }
}

#[test]
fn files_cut_anywhere_are_refused() {
    for name in FILES {
        let whole = bytes(name);
        for length in (0..whole.len()).step_by(1 + whole.len() / 500) {
            let result = read(&whole[..length], None);
            // The last bytes of an archive's comment or of a padded file may be missing without harm.
            assert!(
                result.is_err() || length + 8 > whole.len() || name.ends_with(".h5"),
                "{name} at {length}"
            );
        }
    }
    let (index, values) = (bytes("plain.index"), bytes("plain.data-00000-of-00001"));
    for length in 0..index.len() {
        assert!(read(&index[..length], Some(&values)).is_err(), "{length}");
    }
    for length in 0..values.len() {
        assert!(read(&index, Some(&values[..length])).is_err(), "{length}");
    }
}

#[test]
fn damaged_files_neither_panic_nor_take_memory() {
    let count = std::env::var("MGR_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(6_000_usize);
    let values = bytes("plain.data-00000-of-00001");
    let mut sources: Vec<(Vec<u8>, Option<&[u8]>)> = FILES.iter().map(|name| (bytes(name), None)).collect();
    sources.push((bytes("plain.index"), Some(&values)));
    sources.push((bytes("snappy.index"), Some(&values)));
    let mut random = Random::keyed(&[1]);
    let (mut sound, mut most) = (0, 0);
    for round in 0..count {
        let (source, values) = &sources[round % sources.len()];
        let mut bytes = source.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)],
                2 => {
                    // A number of eight bytes: huge, negative, small.
                    let number = [u64::MAX, 1 << 40, 1 << 31, 0, random.next_u64()][random.below(5)];
                    let end = bytes.len().min(at + 8);
                    bytes[at..end].copy_from_slice(&number.to_le_bytes()[..end - at]);
                }
                _ => {
                    let from = random.below(bytes.len());
                    let length = random.below(32).min(bytes.len() - from).min(bytes.len() - at);
                    bytes.copy_within(from..from + length, at);
                }
            }
        }
        ALLOCATED.reset_peak_usage();
        let before = ALLOCATED.current_usage();
        sound += usize::from(read(&bytes, *values).is_ok());
        most = most.max(ALLOCATED.peak_usage().saturating_sub(before));
    }
    println!("{count} damaged files: {sound} were read, the rest refused; most memory {most} bytes");
    // The files have 300 to 40,000 bytes, and deflate may make a thousand of one.
    assert!(most < 4 << 20, "{most}");
    assert!(sound > 0 && sound < count);
}
