//! The check of a dataset: missing, unreadable, damaged and repeated files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::Path;

use mgr_audio::{WavFormat, write_wav};
use mgr_data::census::check;
use mgr_data::corpus::CorpusConfig;
use mgr_data::dataset::Dataset;
use mgr_data::duplicates::{Duplicate, DuplicateConfig, find, fingerprint, sets};
use mgr_data::sources;

/// Clips of the synthetic corpus, which sound like music.
fn music(root: &Path) -> Vec<(String, Vec<f32>, u32)> {
    let config = CorpusConfig { clips_per_style: 1, duration_s: 12.0, ..CorpusConfig::default() };
    let dataset = Dataset::embedded(&config, root, &|_| {}).unwrap();
    let loader = mgr_audio::LoadConfig::default().plan().unwrap();
    let load = |track: &mgr_data::dataset::Track| {
        let clip = loader.load(&track.path).unwrap();
        (track.id.clone(), clip.samples.to_vec(), clip.sample_rate)
    };
    dataset.tracks.iter().map(load).collect()
}

#[test]
fn repetitions_are_found_and_nothing_else() {
    let (cache, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let music = music(cache.path());
    let put = |name: &str, samples: &[f32], rate: u32, format: WavFormat| {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_wav(&path, samples, rate, format).unwrap();
    };
    for (number, (_, samples, rate)) in music.iter().enumerate() {
        let genre = if number % 2 == 0 { "even" } else { "odd" };
        put(&format!("{genre}/{number:02}.wav"), samples, *rate, WavFormat::Pcm16);
    }
    let (_, samples, rate) = &music[0];
    // Quieter and in another format, two seconds later, and the very file again.
    let quiet: Vec<f32> = samples.iter().map(|x| x * 0.3).collect();
    put("odd/quiet.wav", &quiet, *rate, WavFormat::Float32);
    put("even/later.wav", &samples[2 * *rate as usize..], *rate, WavFormat::Pcm16);
    fs::copy(root.path().join("even/02.wav"), root.path().join("even/copy.wav")).unwrap();
    put("even/silent.wav", &[0.0; 100_000], *rate, WavFormat::Pcm16);
    put("odd/short.wav", &samples[..8000], *rate, WavFormat::Pcm16);
    fs::write(root.path().join("odd/text.mp3"), "a shopping list").unwrap();
    let source = sources::named("folder").unwrap();
    let collection = source.read(root.path()).unwrap();
    let census = check(&collection, source.facts(), &DuplicateConfig::default(), &|_| {}).unwrap();
    assert_eq!(
        census.sets,
        [
            vec!["even/00.wav".to_owned(), "even/later.wav".into(), "odd/quiet.wav".into()],
            vec!["even/02.wav".into(), "even/copy.wav".into()]
        ],
        "{census}"
    );
    let quiet =
        census.repeated.iter().find(|r| r.first == "even/00.wav" && r.second == "odd/quiet.wav").unwrap();
    assert!(quiet.other_label && !quiet.same_file && quiet.offset_s.abs() < 0.2, "{quiet:?}");
    let later =
        census.repeated.iter().find(|r| r.first == "even/00.wav" && r.second == "even/later.wav").unwrap();
    assert!((later.offset_s - 2.0).abs() < 0.2 && later.error_rate < 0.15, "{later:?}");
    assert!(census.repeated.iter().any(|r| r.same_file && r.second == "even/copy.wav"));
    assert_eq!(census.unreadable.len(), 1);
    assert!(census.damaged.iter().any(|d| d.id == "even/silent.wav" && d.reason.contains("silent")));
    assert_eq!(census.without_fingerprint, 2, "the silent and the short one");
    let durations = census.durations.unwrap();
    assert!(durations.longest > 11.9 && durations.shortest < 1.0);
    let text = census.to_string();
    assert!(text.contains("ANOTHER LABEL") && text.contains("unreadable: 1"), "{text}");
}

#[test]
fn fingerprints_of_nothing_and_sets_of_pairs() {
    assert!(fingerprint(&[], 11_025).is_empty());
    assert!(fingerprint(&[0.1; 1000], 11_025).is_empty());
    assert!(fingerprint(&[0.1; 1000], 0).is_empty());
    assert!(find(&[], &DuplicateConfig::default()).is_empty());
    assert!(find(&[vec![], vec![]], &DuplicateConfig::default()).is_empty());
    let pair = |first, second| Duplicate { first, second, offset_s: 0.0, overlap_s: 0.0, error_rate: 0.0 };
    let joined = sets(&[pair(0, 3), pair(1, 2), pair(5, 9), pair(2, 3), pair(0, 1)]);
    assert_eq!(joined, [vec![0, 1, 2, 3], vec![5, 9]]);
}
