//! A tiny dataset and a configuration that trains on it in a second or two.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use mgr_audio::{ShortClip, WavFormat, write_wav};
use mgr_pipeline::{DatasetKind, RunConfig};

/// Three genres of `clips` clips each: a tone, noise, and a tone that comes and goes; every clip another pitch.
pub fn write_dataset(root: &Path, clips: usize) {
    let mut state = 7_u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    for clip in 0..clips {
        let pitch = 0.05 + 0.02 * clip as f32;
        let tone = |n: usize| 0.4 * (n as f32 * pitch).sin();
        let gate = |n: usize| if (n / 1600).is_multiple_of(2) { 1.0 } else { 0.0 };
        let tones: Vec<f32> = (0..32_000).map(|n| tone(n) + 0.01 * noise()).collect();
        let noises: Vec<f32> = (0..32_000).map(|_| 0.3 * noise()).collect();
        let pulses: Vec<f32> = (0..32_000).map(|n| tone(n) * gate(n) + 0.01 * noise()).collect();
        for (genre, samples) in [("hiss", noises), ("hum", tones), ("pulse", pulses)] {
            let path = root.join(genre).join(format!("{genre}{clip}.wav"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            write_wav(&path, &samples, 16_000, WavFormat::Pcm16).unwrap();
        }
    }
}

/// A spectrogram with a network and a vector with a learner; 1.6 s at a hop of 1024 samples have 35 frames.
pub fn config(root: &Path, out: &Path, cache: &Path) -> RunConfig {
    RunConfig {
        dataset: DatasetKind::Folder,
        root: Some(root.to_path_buf()),
        out: out.to_path_buf(),
        cache: Some(cache.to_path_buf()),
        features: vec!["mel".into(), "timbre_vector".into()],
        folds: 2,
        validation: 0.34,
        segment_seconds: 1.6,
        segments: 1,
        short_clip: ShortClip::Own,
        epochs: Some(2),
        batch_size: Some(4),
        crop_frames: Some(32),
        meta_epochs: Some(2),
        top: 2,
        times: false,
        ..RunConfig::default()
    }
}

/// Every file below a folder by its relative path.
pub fn bytes_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                all.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    all
}

/// Which files differ, for a readable failure.
pub fn differing(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    names.into_iter().filter(|n| a.get(*n) != b.get(*n)).cloned().collect()
}
