//! Size and rate of the feature store and of batches: synthetic clips through a log-mel front end, stored, read back, fed to a loop.
//!
//! `cargo run --release -p mgr-data --example store_rate -- [CLIPS] [SECONDS]` (1000 clips of 30 s by default; the audio is written to a
//! temporary folder). Projects to the 106,574 clips of FMA.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::time::Instant;

use mgr_audio::{SegmentConfig, ShortClip};
use mgr_data::batch::{BatchConfig, Standardiser, StoredSegments};
use mgr_data::dataset::Dataset;
use mgr_data::extract::extract;
use mgr_data::front_end::FrontEndConfig;
use mgr_data::store::FeatureStore;
use mgr_features::FeatureConfig;
use rayon::prelude::*;

const FMA: f64 = 106_574.0;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let clips: usize = arguments.next().map_or(1000, |n| n.parse().unwrap());
    let duration_s: f64 = arguments.next().map_or(30.0, |n| n.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    (0..clips).into_par_iter().for_each(|number| {
        let path = folder.path().join(format!("audio/genre{}/{number:06}.wav", number % 10));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // A chord that beats, in noise: every clip another.
        let mut noise = number as u32 + 1;
        let samples: Vec<f32> = (0..(duration_s * 22_050.0) as usize)
            .map(|n| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let t = (n % 22_050) as f32 / 22_050.0;
                let hum = (t * (600.0 + number as f32)).sin() + (t * (900.0 + 2.0 * number as f32)).sin();
                0.2 * hum + 0.1 * (noise >> 8) as f32 / 16_777_216.0
            })
            .collect();
        mgr_audio::write_wav(&path, &samples, 22_050, mgr_audio::WavFormat::Pcm16).unwrap();
    });
    let dataset = Dataset::folder(&folder.path().join("audio")).unwrap();
    println!(
        "{} clips of {duration_s} s made in {:.1} s",
        dataset.tracks.len(),
        start.elapsed().as_secs_f64()
    );

    let length = (duration_s * 16_000.0) as usize / 3;
    let segment = SegmentConfig {
        clip_length: 3 * length,
        segment_length: length,
        segments: 3,
        short_clip: ShortClip::Repeat,
        ..SegmentConfig::default()
    };
    let feature = FeatureConfig::LogMel(mgr_features::presets::gtzan8());
    let front_end = FrontEndConfig { sample_rate: 16_000, segment, feature }.plan().unwrap();
    let store = FeatureStore::open(&folder.path().join("store"), &front_end).unwrap();
    let n = dataset.tracks.len() as f64;
    let start = Instant::now();
    let extraction = extract(&dataset.tracks, &front_end, &store, &|_| {}).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let census = store.census().unwrap();
    println!(
        "decoded, computed and stored: {seconds:.1} s, {:.0} clips/s, {:.1} MB ({:.0} kB a clip); FMA: {:.1} h, {:.1} GB",
        n / seconds,
        census.bytes as f64 / 1e6,
        census.bytes as f64 / n / 1e3,
        FMA * seconds / n / 3600.0,
        FMA * census.bytes as f64 / n / 1e9
    );

    // Storing alone: the same features under other names.
    let other = FeatureStore::open(&folder.path().join("again"), &front_end).unwrap();
    let whole: Vec<_> =
        extraction.clips.iter().take(100).map(|c| store.get(&c.content).unwrap().unwrap()).collect();
    let start = Instant::now();
    for number in 0..clips {
        other.put(&mgr_data::sha256_hex(&number.to_le_bytes()), &whole[number % whole.len()]).unwrap();
    }
    let put = start.elapsed().as_secs_f64();
    other.sync().unwrap();
    let synced = start.elapsed().as_secs_f64() - put;
    println!(
        "stored alone: {:.2} ms a clip, {:.0} MB/s; brought to the disk at the end in {synced:.1} s",
        1e3 * put / clips as f64,
        other.census().unwrap().bytes as f64 / 1e6 / put
    );

    let start = Instant::now();
    let store = FeatureStore::open(&folder.path().join("store"), &front_end).unwrap();
    let opened = start.elapsed().as_secs_f64();
    let start = Instant::now();
    for clip in &extraction.clips {
        store.view(&clip.content).unwrap().unwrap();
    }
    println!(
        "opened in {:.1} ms; checked and mapped: {:.3} ms a clip",
        1e3 * opened,
        1e3 * start.elapsed().as_secs_f64() / n
    );

    let items = StoredSegments::new(store, &extraction.clips, &dataset.labels()).unwrap();
    let training = items.of_clips(&(0..extraction.clips.len()).collect::<Vec<_>>());
    let start = Instant::now();
    let standardiser = Standardiser::fit(&items, &training, true).unwrap();
    println!("standardiser of {} segments: {:.2} s", training.len(), start.elapsed().as_secs_f64());
    // A loop that trains: as much arithmetic on each batch as fills about 30 ms on one core, two batches side by side as a network on two
    // cores would; what it waits for the next batch is what batches cost it.
    for threads in [0, 1, 2] {
        let config = BatchConfig { frames: 128, threads, ..BatchConfig::default() };
        let masks = mgr_features::augment::SpecAugmentConfig::default().plan().unwrap();
        let batches = config.plan(&items, &training, Some(standardiser.clone())).unwrap();
        let batches =
            batches.with_augment(move |matrix, random| Ok(masks.apply(matrix, random, &mut masks.log())?));
        for work in [0_u32, 60] {
            let (mut busy, mut count, mut sum) = (0.0, 0, 0.0_f32);
            let start = Instant::now();
            batches
                .epoch(0, |batch| {
                    let begun = Instant::now();
                    for _ in 0..work {
                        sum += batch.inputs.iter().fold(0.0, |a: f32, x| a.mul_add(0.999, x * x));
                    }
                    busy += begun.elapsed().as_secs_f64();
                    count += 1;
                    true
                })
                .unwrap();
            let all = start.elapsed().as_secs_f64();
            println!(
                "{threads} threads, {:.1} ms of work a batch: {:.0} batches/s, waited {:.2} ms a batch, {:.1} % of the time ({sum:.0})",
                1e3 * busy / f64::from(count),
                f64::from(count) / all,
                1e3 * (all - busy) / f64::from(count),
                100.0 * (all - busy) / all
            );
        }
    }
}
