//! Augmentation of datasets: the chain from a file, variants on the fly and on disk, the log.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::Path;

use mgr_audio::{LoadConfig, WavFormat, write_wav};
use mgr_data::DataError;
use mgr_data::augment::{AugmentConfig, Augmenter, VariantLog};
use mgr_data::dataset::Dataset;
use mgr_data::groups::Groups;
use mgr_features::effects::{PitchShiftConfig, TimeStretchConfig};
use mgr_features::stft::StftConfig;

const RATE: u32 = 16_000;

fn tone(step: f32, samples: usize) -> Vec<f32> {
    (0..samples).map(|n| 0.4 * (n as f32 * step).sin()).collect()
}

/// Every step there is, with a background beside the dataset.
fn every_step(folder: &Path) -> AugmentConfig {
    let rain = folder.join("rain.wav");
    write_wav(&rain, &tone(0.7, 30_000), 22_050, WavFormat::Pcm16).unwrap();
    let text = format!(
        r#"
seed = 7
variants = 3

[[steps]]
step = "white_noise"
level = {{ snr_db = {{ uniform = [10, 30] }} }}
probability = 0.5

[[steps]]
step = "circular_shift"
shift = {{ seconds = [0.0, 0.5] }}

[[steps]]
step = "gain"
gain_db = {{ one_of = [-6, 0, 6.5] }}

[[steps]]
step = "polarity_inversion"

[[steps]]
step = "fade"
fade_in_s = {{ fixed = 0.01 }}
shape = "half_sine"

[[steps]]
step = "low_pass"
cutoff_hz = {{ log_uniform = [1000, 7000] }}
order = 4

[[steps]]
step = "high_pass"

[[steps]]
step = "background_mix"
files = [{rain:?}]
probability = 0.8

[[steps]]
step = "time_stretch"
rate = {{ one_of = [0.8, 1.25] }}
n_fft = 512
hop_length = 128

[[steps]]
step = "pitch_shift"
n_steps = {{ uniform = [-2, 2] }}
n_fft = 512
hop_length = 128
probability = 0.5
"#
    );
    toml::from_str(&text).unwrap()
}

fn dataset(root: &Path) -> Dataset {
    for (genre, clip, step) in [("high", "a", 0.9), ("high", "b", 1.1), ("low", "a", 0.1)] {
        fs::create_dir_all(root.join(genre)).unwrap();
        write_wav(&root.join(genre).join(format!("{clip}.wav")), &tone(step, 8000), RATE, WavFormat::Pcm16)
            .unwrap();
    }
    fs::write(root.join("low/broken.wav"), b"RIFF").unwrap();
    Dataset::folder(root).unwrap()
}

fn expand(
    augmenter: &Augmenter,
    dataset: &Dataset,
    out: &Path,
    threads: usize,
) -> mgr_data::augment::Expansion {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| augmenter.expand(&dataset.tracks, &Groups::default(), out, &|_| {})).unwrap()
}

#[test]
fn expansion_is_a_dataset_with_a_log_that_repeats_it() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(&folder.path().join("music"));
    let augmenter = every_step(folder.path()).plan(RATE).unwrap();
    let out = folder.path().join("out");
    let expansion = expand(&augmenter, &dataset, &out, 1);
    assert_eq!(expansion.files.len(), 3 * 4);
    assert_eq!(expansion.failed.len(), 1);
    assert!(expansion.failed[0].reason.contains("broken.wav"), "{}", expansion.failed[0].reason);

    let log = fs::read_to_string(out.join("augment.jsonl")).unwrap();
    let log: Vec<VariantLog> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(log.len(), 12);
    let loader = LoadConfig::default().plan().unwrap();
    for (entry, file) in log.iter().zip(&expansion.files) {
        assert_eq!(file.to_str().unwrap(), format!("{}.v{}.wav", entry.clip, entry.variant));
        let written = loader.load(&out.join(file)).unwrap().samples;
        let source = loader.load(&folder.path().join("music").join(&entry.clip)).unwrap().samples;
        let stretched = entry.variant == 0 || [6400, 10_000].contains(&written.len());
        assert!(stretched, "{}", written.len());
        // From the log, and on the fly: the same bytes.
        assert_eq!(augmenter.replay(&source, entry).unwrap().samples, written);
        let fly = augmenter.variant(&entry.clip, &source, entry.variant).unwrap();
        assert_eq!((&fly.samples, &fly.log), (&written, entry));
        assert_eq!((entry.samples_in, entry.samples_out, entry.sample_rate), (8000, written.len(), RATE));
        assert_eq!(entry.variant == 0, written == source);
        assert_eq!(entry.steps.len(), if entry.variant == 0 { 0 } else { 10 });
    }
    // Clips and variants have draws of their own.
    let seeds: std::collections::BTreeSet<u64> = log.iter().map(|entry| entry.seed).collect();
    assert_eq!(seeds.len(), 12);

    let expanded = Dataset::folder(&out).unwrap();
    assert_eq!((expanded.classes.as_slice(), expanded.tracks.len()), (dataset.classes.as_slice(), 12));
    let groups = Groups::read(&out.join("groups.csv")).unwrap();
    assert!(groups.unnamed(&expanded).is_empty());
    let mut of_a_track = std::collections::BTreeMap::<String, usize>::new();
    for track in &expanded.tracks {
        *of_a_track.entry(groups.group(track)).or_default() += 1;
    }
    // Files of one stem are one group, as in the dataset itself.
    let expected = [("artist:track:a".to_owned(), 8), ("artist:track:b".to_owned(), 4)];
    assert_eq!(of_a_track.into_iter().collect::<Vec<_>>(), expected);

    let config: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("augment.json")).unwrap()).unwrap();
    let read: AugmentConfig = serde_json::from_value(config["config"].clone()).unwrap();
    assert_eq!((&read, config["sample_rate"].as_u64()), (augmenter.config(), Some(u64::from(RATE))));
}

#[test]
fn threads_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = dataset(&folder.path().join("music"));
    let config = AugmentConfig { originals: false, ..every_step(folder.path()) };
    let augmenter = config.plan(RATE).unwrap();
    let (one, four) = (folder.path().join("one"), folder.path().join("four"));
    let expansion = expand(&augmenter, &dataset, &one, 1);
    assert_eq!(expansion, expand(&augmenter, &dataset, &four, 4));
    assert_eq!(expansion.files.len(), 9);
    for file in
        expansion.files.iter().map(|f| f.as_path()).chain(["augment.jsonl", "groups.csv"].map(Path::new))
    {
        assert_eq!(
            fs::read(one.join(file)).unwrap(),
            fs::read(four.join(file)).unwrap(),
            "{}",
            file.display()
        );
    }
}

#[test]
fn steps_of_speed_and_pitch_are_the_effects() {
    let clip = tone(0.3, 20_000);
    let only = |step: &str| {
        let config: AugmentConfig = serde_json::from_str(&format!(r#"{{"steps":[{step}]}}"#)).unwrap();
        config.plan(RATE).unwrap().variant("x", &clip, 1).unwrap()
    };
    let stretch = TimeStretchConfig { rate: 0.9, ..TimeStretchConfig::default() };
    let made = only(r#"{"step":"time_stretch","rate":{"fixed":0.9}}"#);
    assert_eq!(made.samples, stretch.plan().unwrap().process(&clip).unwrap());
    assert_eq!((made.log.samples_in, made.log.samples_out), (20_000, 22_222));
    let stft = StftConfig { n_fft: 1024, hop_length: 100, ..StftConfig::default() };
    let shift = PitchShiftConfig { n_steps: -3.0, bins_per_octave: 24, stft };
    let made = only(
        r#"{"step":"pitch_shift","n_steps":{"fixed":-3},"bins_per_octave":24,"n_fft":1024,"hop_length":100}"#,
    );
    assert_eq!(made.samples, shift.plan().unwrap().process(&clip).unwrap());
    let line = serde_json::to_string(&made.log.steps[0]).unwrap();
    assert_eq!(
        line,
        r#"{"step":"pitch_shift","outcome":"applied","bins_per_octave":24,"hop_length":100,"n_fft":1024,"n_steps":-3.0}"#
    );
    let refused = |step: &str| {
        let config: AugmentConfig = serde_json::from_str(&format!(r#"{{"steps":[{step}]}}"#)).unwrap();
        config.plan(RATE).unwrap_err().to_string()
    };
    assert!(
        refused(r#"{"step":"time_stretch","rate":{"fixed":0}}"#)
            .contains("invalid rate 0, allowed is 0.015625 to 64")
    );
    assert!(refused(r#"{"step":"time_stretch","n_fft":0}"#).contains("n_fft is 0"));
    assert!(refused(r#"{"step":"pitch_shift","hop_length":0}"#).contains("hop_length is 0"));
    assert!(refused(r#"{"step":"pitch_shift","bins_per_octave":0}"#).contains("bins_per_octave 0"));
    assert!(refused(r#"{"step":"pitch_shift","n_steps":{"uniform":[0,73]}}"#).contains("n_steps [0, 73]"));
    // A clip so short that nothing is left of it.
    let fast: AugmentConfig =
        serde_json::from_str(r#"{"steps":[{"step":"time_stretch","rate":{"fixed":8}}]}"#).unwrap();
    let error = fast.plan(RATE).unwrap().variant("x", &[0.5], 1).unwrap_err().to_string();
    assert!(error.starts_with("x: step time_stretch"), "{error}");
}

#[test]
fn gtzan_8_is_noise_shift_and_stretch() {
    let augmenter = AugmentConfig::gtzan8().plan(RATE).unwrap();
    let clip = tone(0.2, 32_000);
    let mut rates = std::collections::BTreeSet::new();
    for number in 1..40 {
        let made = augmenter.variant("x", &clip, number).unwrap();
        let names: Vec<&str> = made.log.steps.iter().map(|s| s.step.as_str()).collect();
        assert_eq!(names, ["white_noise", "circular_shift", "time_stretch"]);
        rates.insert(made.samples.len());
    }
    assert_eq!(rates.into_iter().collect::<Vec<_>>(), [29_091, 32_000, 35_556, 40_000]);
    let config = augmenter.config();
    let toml = toml::to_string(config).unwrap();
    assert_eq!(&toml::from_str::<AugmentConfig>(&toml).unwrap(), config);
}

#[test]
fn log_replays_under_other_ranges_only_for_the_same_clip() {
    let config: AugmentConfig =
        serde_json::from_str(r#"{"steps":[{"step":"gain","gain_db":{"uniform":[-6,6]}}]}"#).unwrap();
    let clip = tone(0.3, 1000);
    let made = config.plan(RATE).unwrap().variant("x", &clip, 1).unwrap();
    let other: AugmentConfig = serde_json::from_str(
        r#"{"seed":1,"steps":[{"step":"gain","gain_db":{"fixed":0},"probability":0.1}]}"#,
    )
    .unwrap();
    assert_eq!(other.plan(RATE).unwrap().replay(&clip, &made.log).unwrap(), made);
    let refused =
        |rate, clip: &[f32]| other.plan(rate).unwrap().replay(clip, &made.log).unwrap_err().to_string();
    assert_eq!(refused(8000, &clip), "x: log of step all: made at 16000 Hz, here are 8000 Hz");
    assert_eq!(refused(RATE, &clip[..9]), "x: log of step all: made of 1000 samples, here are 9");
    let none = AugmentConfig::default().plan(RATE).unwrap().replay(&clip, &made.log).unwrap_err();
    assert_eq!(none.to_string(), "x: log of step all: 1 entries for 0 steps");
}

#[test]
fn bad_configs_and_clips_are_refused() {
    let parse = |text: &str| serde_json::from_str::<AugmentConfig>(text);
    let plan = |text: &str| parse(text).unwrap().plan(RATE).unwrap_err().to_string();
    assert_eq!(plan(r#"{"variants":0}"#), "invalid variants 0, allowed is 1 to 10000");
    assert_eq!(
        plan(r#"{"steps":[{"step":"polarity_inversion"},{"step":"gain","gain_db":{"fixed":500}}]}"#),
        "step 2 of the chain: invalid gain_db 500, allowed is -120 to 120"
    );
    assert_eq!(
        plan(r#"{"steps":[{"step":"background_mix"}]}"#),
        "step 1 of the chain: invalid backgrounds none, allowed is 1 or more"
    );
    let gone = plan(r#"{"steps":[{"step":"background_mix","files":["gone.wav"]}]}"#);
    assert_eq!(gone, "step 1 of the chain: gone.wav: no such file");
    assert!(AugmentConfig::default().plan(5).is_err());
    for bad in [r#"{"step":[]}"#, r#"{"steps":[{"step":"echo"}]}"#, r#"{"steps":[{"step":"gain","db":1}]}"#] {
        assert!(parse(bad).is_err(), "{bad}");
    }
    let augmenter = AugmentConfig::default().plan(RATE).unwrap();
    for variant in [0, 1] {
        let error = augmenter.variant("x", &[], variant).unwrap_err();
        assert!(matches!(error, DataError::ClipAugment { .. }), "{error}");
        assert!(augmenter.variant("x", &[f32::NAN], variant).is_err());
        assert_eq!(augmenter.variant("x", &[0.5], variant).unwrap().samples, [0.5]);
    }
}

#[test]
fn names_do_not_leave_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut dataset = dataset(&folder.path().join("music"));
    dataset.tracks[0].id = "../outside".to_owned();
    dataset.tracks[1].id = String::new();
    let augmenter = AugmentConfig::default().plan(RATE).unwrap();
    let expansion = expand(&augmenter, &dataset, &folder.path().join("out"), 2);
    assert_eq!(expansion.failed.iter().map(|f| f.track).collect::<Vec<_>>(), [0, 1, 3]);
    assert!(expansion.failed[0].reason.contains("does not stay below a folder"));
    assert!(!folder.path().join("outside.v0.wav").exists());
}

#[test]
fn a_clip_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    let dataset = dataset(&root);
    write_wav(&root.join("high/a.wav"), &[1e25; 100], RATE, WavFormat::Float32).unwrap();
    let text = r#"{"steps":[{"step":"gain","gain_db":{"fixed":120}}]}"#;
    let augmenter = serde_json::from_str::<AugmentConfig>(text).unwrap().plan(RATE).unwrap();
    let out = folder.path().join("out");
    let expansion = expand(&augmenter, &dataset, &out, 1);
    assert_eq!(
        expansion.failed[0].reason,
        "high/a.wav: sample 0 is 1e31 after gain, allowed is -1e30 to 1e30"
    );
    let high: Vec<_> = fs::read_dir(out.join("high")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(high.len(), 2, "{high:?}");
    fs::write(folder.path().join("file"), b"x").unwrap();
    let blocked = augmenter.expand(&dataset.tracks, &Groups::default(), &folder.path().join("file"), &|_| {});
    assert!(blocked.unwrap_err().to_string().contains("cannot make the folder"));
}

/// The example in docs/audio.md is a chain.
#[test]
fn the_documented_chain_is_planned() {
    let text = include_str!("../../../docs/audio.md");
    let toml = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let config: AugmentConfig = toml::from_str(toml).unwrap();
    assert_eq!((config.seed, config.variants, config.steps.len()), (7, 2, 4));
    config.plan(22_050).unwrap();
}
