//! Trains the published and the efficient encoder of MLFCF on the same clips, folds and seeds, and compares them.
//!
//! ```text
//! cargo run --release --example mlfcf_variants -- --cache DIR                       # the embedded synthetic corpus
//! cargo run --release --example mlfcf_variants -- --cache DIR --root CROPS --groups MANIFEST --seconds 2
//! ```
//! Log-mel of 128 bands as in the study, one segment a clip, Adam at 0.001 falling along a half cosine, batches of 16, the
//! epoch with the best validation accuracy; the test part of each fold is asked once. McNemar's two numbers are the clips
//! that only one of the two got right.

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use mgr_audio::{SegmentConfig, ShortClip};
use mgr_data::corpus::CorpusConfig;
use mgr_data::dataset::Dataset;
use mgr_data::extract::extract;
use mgr_data::front_end::FrontEndConfig;
use mgr_data::groups::Groups;
use mgr_data::store::FeatureStore;
use mgr_eval::split::{Fold, StratifiedGroupKFold, StratifiedKFold};
use mgr_features::presets;
use mgr_models::device::DeviceConfig;
use mgr_models::encode::probabilities;
use mgr_models::train::{
    AdamConfig, ArrayExamples, FitOptions, NoObserver, OptimiserConfig, Outcome, Schedule, TrainConfig,
};
use mgr_models::zoo::{MlfcfSpectrogramConfig, MlfcfVariant, NetworkConfig};
use ndarray::{Array3, ArrayD, Axis, concatenate};

/// Trains the published and the efficient encoder of MLFCF on the same clips, folds and seeds, and compares them.
#[derive(Parser)]
struct Flags {
    /// Folder for the embedded corpus and the computed features.
    #[arg(long)]
    cache: PathBuf,
    /// Folder of genre/file.ext; without it the embedded corpus.
    #[arg(long)]
    root: Option<PathBuf>,
    /// CSV with the columns `track` and `artist`.
    #[arg(long)]
    groups: Option<PathBuf>,
    /// Length of the one segment of a clip.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    #[arg(long, default_value_t = 3)]
    folds: usize,
    #[arg(long, default_value_t = 12)]
    epochs: usize,
    /// Seeds 1 to this number.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// Clips of each style in the embedded corpus.
    #[arg(long, default_value_t = 16)]
    clips_per_style: usize,
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

struct Clips {
    /// (segments, bands, frames) of each clip.
    features: Vec<Array3<f32>>,
    labels: Vec<usize>,
    groups: Option<Vec<String>>,
    classes: usize,
}

fn clips(flags: &Flags) -> Result<Clips, Box<dyn Error>> {
    let preset = presets::named("mlfcf_mel").ok_or("no preset mlfcf_mel")?;
    let length = (flags.seconds * f64::from(preset.sample_rate)).round() as usize;
    let segment = SegmentConfig {
        clip_length: length,
        segment_length: length,
        segments: 1,
        short_clip: ShortClip::Repeat,
        ..SegmentConfig::default()
    };
    let front_end =
        FrontEndConfig { sample_rate: preset.sample_rate, segment, feature: preset.config }.plan()?;
    let dataset = match &flags.root {
        Some(root) => Dataset::folder(root)?,
        None => {
            let corpus = CorpusConfig { clips_per_style: flags.clips_per_style, ..CorpusConfig::default() };
            Dataset::embedded(&corpus, &flags.cache.join("corpus"), &|_| ())?
        }
    };
    let store = FeatureStore::open(&flags.cache.join("features"), &front_end)?;
    let extraction = extract(&dataset.tracks, &front_end, &store, &|_| ())?;
    let groups = flags.groups.as_deref().map(Groups::read).transpose()?;
    let mut clips = Clips {
        features: Vec::new(),
        labels: Vec::new(),
        groups: groups.as_ref().map(|_| Vec::new()),
        classes: dataset.classes.len(),
    };
    for stored in &extraction.clips {
        let track = &dataset.tracks[stored.track];
        let features = store.get(&stored.content)?.ok_or("features are gone")?;
        clips.features.push(features.segments);
        clips.labels.push(track.class);
        if let (Some(names), Some(groups)) = (&mut clips.groups, &groups) {
            names.push(groups.group(track));
        }
    }
    Ok(clips)
}

fn folds(flags: &Flags, clips: &Clips) -> Result<Vec<Fold>, Box<dyn Error>> {
    let (folds, seed, validation_fraction) = (flags.folds, 1, 0.2);
    Ok(match &clips.groups {
        Some(groups) => {
            StratifiedGroupKFold { folds, seed, validation_fraction }.split(&clips.labels, groups)?
        }
        None => StratifiedKFold { folds, seed, validation_fraction }.split(&clips.labels)?,
    })
}

/// Some clips with the mean and deviation of all values of the training part taken out.
fn part(
    clips: &Clips,
    indices: &[usize],
    [mean, deviation]: [f32; 2],
) -> Result<ArrayExamples, Box<dyn Error>> {
    let views: Vec<_> = indices.iter().map(|&index| clips.features[index].view()).collect();
    let stacked = concatenate(Axis(0), &views)?.mapv(|value| (value - mean) / deviation);
    let inputs: ArrayD<f32> = stacked.insert_axis(Axis(1)).into_dyn();
    Ok(ArrayExamples::new(inputs, indices.iter().map(|&index| clips.labels[index]).collect())?)
}

fn standardisation(clips: &Clips, indices: &[usize]) -> [f32; 2] {
    let values = || indices.iter().flat_map(|&index| clips.features[index].iter()).map(|&v| f64::from(v));
    let count = values().count().max(1) as f64;
    let mean = values().sum::<f64>() / count;
    let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    [mean as f32, variance.sqrt().max(f64::MIN_POSITIVE) as f32]
}

/// Whether each clip is right, asked once as a test clip, and the seconds that training took.
fn evaluate(
    flags: &Flags,
    clips: &Clips,
    folds: &[Fold],
    variant: MlfcfVariant,
    seed: u64,
) -> Result<(Vec<bool>, f64), Box<dyn Error>> {
    let mut right = vec![false; clips.labels.len()];
    let begin = Instant::now();
    for fold in folds {
        let scale = standardisation(clips, &fold.train);
        let config =
            NetworkConfig::MlfcfSpectrogram(MlfcfSpectrogramConfig { variant, ..Default::default() });
        let mut network = config.build(clips.classes, seed, DeviceConfig::Cpu)?;
        let plan = TrainConfig {
            epochs: flags.epochs,
            batch_size: 16,
            optimiser: OptimiserConfig::Adam(AdamConfig { learning_rate: 1e-3, ..AdamConfig::default() }),
            schedule: Schedule::Cosine { period: flags.epochs, minimum: 0.0 },
            seed,
            threads: Some(flags.threads),
            ..TrainConfig::default()
        }
        .plan()?;
        let (train, validation) = (part(clips, &fold.train, scale)?, part(clips, &fold.validation, scale)?);
        let fit =
            plan.fit(network.as_mut(), &train, Some(&validation), &FitOptions::default(), &mut NoObserver)?;
        let Outcome::Finished(_) = fit else { return Err("stopped".into()) };
        let scores = probabilities(network.as_ref(), &part(clips, &fold.test, scale)?, 16)?;
        for (row, &clip) in scores.outer_iter().zip(&fold.test) {
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            right[clip] = row.iter().position(|&score| score == top) == Some(clips.labels[clip]);
        }
    }
    Ok((right, begin.elapsed().as_secs_f64()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::parse();
    let clips = clips(&flags)?;
    let folds = folds(&flags, &clips)?;
    println!(
        "{} clips, {} classes, {} folds, {} epochs",
        clips.labels.len(),
        clips.classes,
        flags.folds,
        flags.epochs
    );
    println!("| seed | published | s | efficient | s | only published right | only efficient right |");
    println!("|---|---|---|---|---|---|---|");
    for seed in 1..=flags.seeds {
        let (efficient, efficient_seconds) = evaluate(&flags, &clips, &folds, MlfcfVariant::Efficient, seed)?;
        let (published, published_seconds) = evaluate(&flags, &clips, &folds, MlfcfVariant::Published, seed)?;
        let share = |right: &[bool]| {
            100.0 * right.iter().filter(|&&right| right).count() as f64 / right.len().max(1) as f64
        };
        let only = |one: &[bool], other: &[bool]| {
            one.iter().zip(other).filter(|&(&one, &other)| one && !other).count()
        };
        println!(
            "| {seed} | {:.1} % | {published_seconds:.0} | {:.1} % | {efficient_seconds:.0} | {} | {} |",
            share(&published),
            share(&efficient),
            only(&published, &efficient),
            only(&efficient, &published)
        );
    }
    Ok(())
}
