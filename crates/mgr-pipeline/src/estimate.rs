//! What a run will take, measured on a few clips and steps before it begins.

use std::time::Instant;

use mgr_models::device::DeviceConfig;
use mgr_models::train::{ArrayExamples, FitOptions, NoObserver, Schedule, Selection, TrainConfig};
use mgr_models::zoo::NetworkConfig;
use ndarray::{Array, IxDyn};
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::budget::Training;
use crate::clips::{Clips, cache, dataset};
use crate::config::RunConfig;
use crate::encoder::{CODE, EncoderKind};
use crate::features::{Ear, Feature};
use crate::folds::Parts;
use crate::meta::network;
use crate::progress::Progress;
use crate::run::{Planned, plan_features};
use crate::weights::Weights;

/// A stage of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStage {
    /// Its name.
    pub stage: String,
    /// Pieces of work.
    pub pieces: usize,
    /// Seconds with the threads of the run.
    pub seconds: f64,
}

/// The plan of a run with what it will take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The dataset.
    pub dataset: String,
    /// Clips.
    pub clips: usize,
    /// Genres.
    pub classes: usize,
    /// Features that are computed, as `name rows x frames`.
    pub features: Vec<String>,
    /// Features that are left out, and why.
    pub skipped: Vec<String>,
    /// The stages.
    pub stages: Vec<PlannedStage>,
    /// Seconds in all.
    pub seconds: f64,
    /// Threads.
    pub threads: usize,
    /// MB of the feature store.
    pub store_mb: f64,
    /// MB of the run's folder.
    pub run_mb: f64,
    /// Memory in MB.
    pub memory_mb: f64,
}

/// Plans a run without running it: computes the features of one clip a genre and two steps of every network, and multiplies.
///
/// # Errors
/// [`PipelineError`], as the run itself would give before it trains.
pub fn plan(config: &RunConfig, progress: &dyn Progress) -> Result<Plan, PipelineError> {
    config.check()?;
    let cache = cache(config)?;
    let weights = Weights::new(&cache, config.weights.as_deref());
    let planned = plan_features(config, &weights)?;
    let dataset = dataset(config, &cache, progress)?.dataset;
    let (clips, classes) = (dataset.tracks.len(), dataset.classes.len());
    let workers = config.workers();

    // Middle clips of up to five genres.
    let ear = Ear::of(&planned.features)?;
    let wanted: Vec<usize> = (0..planned.features.len()).collect();
    let (mut tried, mut seconds, mut bytes, mut segments) = (0_usize, 0.0, 0.0, vec![0_usize; wanted.len()]);
    for class in 0..classes.min(5) {
        let own: Vec<_> = dataset.tracks.iter().filter(|t| t.class == class).collect();
        let Some(track) = own.get(own.len() / 2) else { continue };
        let Ok(content) = mgr_data::folder::read_file(&track.path) else { continue };
        let start = Instant::now();
        for (index, result) in ear.features(&planned.features, &wanted, &content, &track.id) {
            if let Ok(clip) = result {
                bytes += 4.0 * clip.segments.len() as f64;
                segments[index] += clip.segments.dim().0;
            }
        }
        seconds += start.elapsed().as_secs_f64();
        tried += 1;
    }
    let tries = tried.max(1) as f64;
    let folds = if config.final_fit { 1 } else { config.folds };
    let splits = folds * config.inner;
    let share = (1.0 - 1.0 / folds.max(2) as f64)
        * if config.inner == 1 { 1.0 - config.validation } else { 1.0 - 1.0 / config.inner as f64 };
    let training = Training::of(config);
    let mut stages = vec![PlannedStage {
        stage: "features".into(),
        pieces: clips * planned.features.len(),
        seconds: seconds / tries * clips as f64 / workers as f64,
    }];
    let mut encoders = 0.0;
    let mut run_bytes = 0.0;
    let mut largest = 0.0_f64;
    for feature in planned.features.iter().take(planned.fused) {
        run_bytes += splits as f64 * clips as f64 * 4.0 * (CODE + classes) as f64;
        if let EncoderKind::Network(network) = EncoderKind::of(config, feature) {
            let at = planned.features.iter().position(|f| f.name == feature.name).unwrap_or(0);
            let own = segments[at] as f64 / tries * clips as f64;
            let step = step_seconds(&network, feature, &training, classes)?;
            let steps = (own * share / training.encoder.batch_size as f64).ceil();
            // Encoding a segment takes about a third of its training step, at full length.
            let stretch = feature.frames as f64
                / if training.crop_frames == 0 { feature.frames } else { training.crop_frames } as f64;
            let encode = own * step.0 / training.encoder.batch_size as f64 / 3.0 * stretch.max(1.0);
            encoders += splits as f64 * (steps * step.0 * training.encoder.epochs as f64 + encode);
            run_bytes += splits as f64 * step.1;
            largest = largest.max(16.0 * step.1);
        }
    }
    stages.push(PlannedStage {
        stage: "encoders".into(),
        pieces: splits * planned.fused,
        seconds: encoders / workers as f64,
    });
    if let Some(meta) = network(config.meta, planned.fused.min(3)) {
        let (step, bytes) = meta_step(&meta, planned.fused.min(3), &training.meta, classes)?;
        let steps =
            (clips as f64 * share / training.meta.batch_size as f64).ceil() * training.meta.epochs as f64;
        let pieces = splits * config.top.min((1 << planned.fused) - 1);
        stages.push(PlannedStage {
            stage: "meta networks".into(),
            pieces,
            seconds: pieces as f64 * steps * step / workers as f64,
        });
        run_bytes += pieces as f64 * (bytes + clips as f64 * 4.0 * (CODE + classes) as f64);
        largest = largest.max(16.0 * bytes);
    }
    let mb = 1024.0 * 1024.0;
    let codes = clips as f64 * 4.0 * (CODE * planned.fused) as f64;
    Ok(Plan {
        dataset: dataset.name,
        clips,
        classes,
        features: planned.features.iter().map(|f| format!("{} {} x {}", f.name, f.rows, f.frames)).collect(),
        skipped: planned.skipped,
        seconds: stages.iter().map(|s| s.seconds).sum(),
        stages,
        threads: workers,
        store_mb: bytes / tries * clips as f64 / mb,
        run_mb: run_bytes / mb,
        memory_mb: 350.0 + workers as f64 * (largest + codes) / mb,
    })
}

/// Seconds of a training step, and bytes of the network.
fn step_seconds(
    network: &NetworkConfig,
    feature: &Feature,
    training: &Training,
    classes: usize,
) -> Result<(f64, f64), PipelineError> {
    let frames =
        if training.crop_frames == 0 { feature.frames } else { training.crop_frames.min(feature.frames) };
    let shape = if feature.frames == 1 { vec![feature.rows] } else { vec![1, feature.rows, frames] };
    timed(network, &shape, &training.encoder, classes)
}

fn meta_step(
    network: &NetworkConfig,
    codes: usize,
    config: &TrainConfig,
    classes: usize,
) -> Result<(f64, f64), PipelineError> {
    timed(network, &[codes, CODE], config, classes)
}

fn timed(
    network: &NetworkConfig,
    shape: &[usize],
    config: &TrainConfig,
    classes: usize,
) -> Result<(f64, f64), PipelineError> {
    let mut built = network.build(classes, 0, DeviceConfig::Cpu)?;
    let bytes = 4.0 * built.parameters().trainable_count() as f64;
    let batch = config.batch_size;
    let whole: Vec<usize> = std::iter::once(batch).chain(shape.iter().copied()).collect();
    let examples = |steps: usize| -> Result<ArrayExamples, PipelineError> {
        let mut whole = whole.clone();
        whole[0] = batch * steps;
        let values =
            Array::from_shape_fn(IxDyn(&whole), |at| ((at[0] * 31 + at[1] * 7) % 13) as f32 / 13.0 - 0.5);
        Ok(ArrayExamples::new(values, (0..batch * steps).map(|i| i % classes).collect())?)
    };
    let own = TrainConfig {
        epochs: 1,
        selection: Selection::LastEpoch,
        patience: None,
        schedule: Schedule::Constant,
        ..config.clone()
    };
    let plan = own.plan()?;
    let run =
        |examples: &ArrayExamples, network: &mut dyn mgr_models::Network| -> Result<f64, PipelineError> {
            let start = Instant::now();
            let _ = plan.fit(network, examples, None, &FitOptions::default(), &mut NoObserver)?;
            Ok(start.elapsed().as_secs_f64())
        };
    // The first step makes buffers.
    run(&examples(1)?, built.as_mut())?;
    let two = examples(2)?;
    Ok((run(&two, built.as_mut())? / 2.0, bytes))
}

/// Epochs of the encoders that fit into seconds of training.
pub(crate) fn epochs_within(
    config: &RunConfig,
    planned: &Planned,
    clips: &Clips,
    folds: &[Parts],
    seconds: f64,
) -> Result<usize, PipelineError> {
    let training = Training::of(config);
    let classes = clips.dataset.classes.len();
    let mut epoch = 0.0;
    for (at, feature) in planned.features.iter().take(planned.fused).enumerate() {
        let EncoderKind::Network(network) = EncoderKind::of(config, feature) else { continue };
        let (step, _) = step_seconds(&network, feature, &training, classes)?;
        for split in folds.iter().flat_map(|f| &f.splits) {
            let segments: usize = split.train.iter().map(|&i| clips.clips[i].segments[at]).sum();
            epoch += step * (segments as f64 / training.encoder.batch_size as f64).ceil();
        }
    }
    let fits = seconds * config.workers() as f64 / epoch.max(1e-9);
    let most = training.encoder.epochs;
    Ok((fits.floor() as usize).clamp(1, most.max(1)))
}
