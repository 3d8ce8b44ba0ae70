//! The main job from end to end, and its stages one by one.

use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use mgr_models::device::DeviceConfig;

use crate::budget::Training;
use crate::clips::{Clips, cache, gather};
use crate::config::{MetaKind, Protocol, RunConfig};
use crate::encoder::{EncoderKind, Encoders, Place};
use crate::estimate;
use crate::features::Feature;
use crate::files::{read_json, write_json};
use crate::folds::{Parts, folds};
use crate::judge::{Combination, Judged};
use crate::meta::MetaPlace;
use crate::progress::Progress;
use crate::record::RunRecord;
use crate::report::Material;
use crate::results::Results;
use crate::times::Watch;
use crate::weights::Weights;
use crate::{PipelineError, predict, workers};

/// A finished run.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// The page.
    pub report: PathBuf,
    /// The numbers.
    pub results: Results,
}

/// How far a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Features, folds, and the record of the run.
    Split,
    /// Encoders.
    Encode,
    /// Subsets.
    Combine,
    /// Meta networks.
    Fuse,
    /// Everything.
    Judge,
}

/// Runs the main job, or goes on with it where it was stopped. See [the crate](crate) for what it writes. None of the files holds a
/// time but `times.json` and the report, unless `times` is off: then a run that was killed and gone on with has the same bytes as an
/// unbroken one.
///
/// # Errors
/// [`PipelineError`]; what was computed stays, and the same call goes on from there.
pub fn run(config: &RunConfig, progress: &dyn Progress) -> Result<Finished, PipelineError> {
    run_until(config, progress, &AtomicBool::new(false))
}

/// As [`run`], and stops after the step it is at once `cancel` is set. An error in one encoder sets it too, so that the others stop.
///
/// # Errors
/// As [`run`]; [`PipelineError::Stopped`] where it was stopped.
pub fn run_until(
    config: &RunConfig,
    progress: &dyn Progress,
    cancel: &AtomicBool,
) -> Result<Finished, PipelineError> {
    config.check()?;
    let nested = if config.protocol == Protocol::Published {
        progress.say("the nested protocol first, for comparison");
        let out = config.out.join("nested");
        let own = RunConfig { protocol: Protocol::Nested, out, ..config.clone() };
        Some(run_until(&own, progress, cancel)?.results)
    } else {
        None
    };
    let mut job = Job::start(config, progress, cancel)?;
    job.encode()?;
    let combination = job.combine()?;
    job.fuse(&combination)?;
    job.judge(&combination, nested.as_ref())
}

/// Runs the stages up to one, for those who want to look between them.
///
/// # Errors
/// As [`run`].
pub fn run_stages(config: &RunConfig, last: Stage, progress: &dyn Progress) -> Result<(), PipelineError> {
    config.check()?;
    let cancel = AtomicBool::new(false);
    let mut job = Job::start(config, progress, &cancel)?;
    if last >= Stage::Encode {
        job.encode()?;
    }
    if last >= Stage::Combine {
        let combination = job.combine()?;
        if last >= Stage::Fuse {
            job.fuse(&combination)?;
            if last >= Stage::Judge {
                job.judge(&combination, None)?;
            }
        }
    }
    Ok(())
}

/// The features that a configuration names, with the baseline's at the end, and how many belong to the fusion; those that are left out.
pub(crate) struct Planned {
    pub(crate) features: Vec<Feature>,
    pub(crate) fused: usize,
    pub(crate) mfcc: usize,
    pub(crate) skipped: Vec<String>,
}

/// The baseline's feature.
const BASELINE: &str = "mfcc";

pub(crate) fn plan_features(config: &RunConfig, weights: &Weights) -> Result<Planned, PipelineError> {
    let (mut features, mut skipped) = (Vec::new(), Vec::new());
    for name in &config.features {
        match Feature::plan(name, config, weights, config.workers())? {
            Ok(feature) => features.push(feature),
            Err(reason) => skipped.push(reason),
        }
    }
    let Some(last) = features.len().checked_sub(1) else {
        return Err(PipelineError::NoFeature { reason: skipped.join("; ") });
    };
    let fused = last + 1;
    let crop = Training::of(config).crop_frames;
    for feature in &features {
        check_network(config, feature, crop)?;
    }
    let mfcc = match features.iter().position(|f| f.name == BASELINE) {
        Some(at) => at,
        None => {
            if let Ok(feature) = Feature::plan(BASELINE, config, weights, 1)? {
                features.push(feature);
            }
            features.len() - 1
        }
    };
    Ok(Planned { features, fused, mfcc, skipped })
}

/// Checks that a feature's network takes it, before any clip is computed.
fn check_network(config: &RunConfig, feature: &Feature, crop: usize) -> Result<(), PipelineError> {
    if let EncoderKind::Network(kind) = EncoderKind::of(config, feature) {
        let network = kind.build(2, 0, DeviceConfig::Cpu)?;
        let frames = if crop == 0 { feature.frames } else { crop.min(feature.frames) };
        let shape = if feature.frames == 1 { vec![feature.rows] } else { vec![1, feature.rows, frames] };
        network.input().check(network.name(), &shape)?;
    }
    Ok(())
}

/// A run under way.
pub(crate) struct Job<'a> {
    config: RunConfig,
    training: Training,
    planned: Planned,
    clips: Clips,
    folds: Vec<Parts>,
    record: RunRecord,
    watch: Watch,
    progress: &'a dyn Progress,
    cancel: &'a AtomicBool,
    _lock: File,
}

impl<'a> Job<'a> {
    fn start(
        config: &RunConfig,
        progress: &'a dyn Progress,
        cancel: &'a AtomicBool,
    ) -> Result<Self, PipelineError> {
        let mut config = config.clone();
        let mut watch = Watch::new(config.workers());
        let weights = Weights::new(&cache(&config)?, config.weights.as_deref());
        let planned = plan_features(&config, &weights)?;
        for reason in &planned.skipped {
            progress.say(reason);
        }
        let clips = gather(&config, &planned.features, progress)?;
        let folds = folds(&config, &clips)?;
        watch.lap("features", clips.clips.len() * planned.features.len(), clips.extraction.1);
        if let Some(seconds) = config.seconds {
            config.epochs = Some(match RunRecord::read(&config.out) {
                // What an earlier start of this run has settled on.
                Ok(there) if there.config.seconds == Some(seconds) => there.config.epochs.unwrap_or(1),
                _ => estimate::epochs_within(&config, &planned, &clips, &folds, seconds)?,
            });
        }
        let training = Training::of(&config);
        let record = RunRecord::new(&config, &clips, &planned.features, &planned.skipped, &folds)?;
        let (lock, changed) = record.claim(&config)?;
        if let Some(difference) = changed {
            progress.say(&format!(
                "the folder holds this run with other settings ({difference}): what depends on them is computed anew"
            ));
        }
        weights.keep(&config.out, &planned.features)?;
        crate::report::write_splits(&config, &clips, &folds)?;
        Ok(Self { config, training, planned, clips, folds, record, watch, progress, cancel, _lock: lock })
    }

    fn encoders(&self) -> Encoders<'_> {
        Encoders {
            config: &self.config,
            training: &self.training,
            features: &self.planned.features,
            classes: &self.record.classes,
            clips: &self.clips,
            clips_fingerprint: &self.record.clips,
            folds: &self.folds,
            progress: self.progress,
            cancel: self.cancel,
        }
    }

    fn stopped(&self) -> PipelineError {
        PipelineError::Stopped { path: self.config.out.clone() }
    }

    fn encode(&mut self) -> Result<(), PipelineError> {
        let mut places = Vec::new();
        for (fold, parts) in self.folds.iter().enumerate() {
            for split in 0..parts.splits.len() {
                places.extend((0..self.planned.fused).map(|feature| Place { fold, split, feature }));
            }
        }
        self.progress.say(&format!(
            "encoders: {} of {} features in {} folds (stop it whenever you like: the same command goes on)",
            places.len(),
            self.planned.fused,
            self.folds.len()
        ));
        let encoders = self.encoders();
        let done = workers::all(&places, self.config.workers(), self.cancel, |&place| encoders.unit(place))?;
        let reused = done.ok_or_else(|| self.stopped())?;
        self.watch.lap("encoders", places.len(), reused);
        Ok(())
    }

    fn combine(&mut self) -> Result<Combination, PipelineError> {
        let combination = self.encoders().combine(self.planned.fused)?;
        write_json(&self.config.out.join("combination.json"), &combination)?;
        self.watch.lap("subsets", combination.chosen_on.iter().map(Vec::len).sum(), 0);
        Ok(combination)
    }

    fn fuse(&mut self, combination: &Combination) -> Result<(), PipelineError> {
        if self.config.meta == MetaKind::None {
            return Ok(());
        }
        let mut places = Vec::new();
        for (fold, parts) in self.folds.iter().enumerate() {
            for split in 0..parts.splits.len() {
                let masks = combination.choices[fold].meta(self.planned.fused);
                places.extend(masks.into_iter().map(|mask| MetaPlace { fold, split, mask }));
            }
        }
        self.progress.say(&format!("meta networks: {}", places.len()));
        let encoders = self.encoders();
        let done = workers::all(&places, self.config.workers(), self.cancel, |&place| encoders.meta(place))?;
        let reused = done.ok_or_else(|| self.stopped())?;
        self.watch.lap("meta networks", places.len(), reused);
        Ok(())
    }

    fn judge(
        &mut self,
        combination: &Combination,
        nested: Option<&Results>,
    ) -> Result<Finished, PipelineError> {
        let encoders = self.encoders();
        let mut judged: Vec<Judged> = Vec::new();
        for (fold, choice) in combination.choices.iter().enumerate() {
            let own = encoders.judge(fold, self.planned.fused, self.planned.mfcc, choice)?;
            if let Some(stacker) = &own.stacker {
                write_json(
                    &self.config.out.join("folds").join(fold.to_string()).join("stacking.json"),
                    stacker,
                )?;
            }
            judged.push(own);
        }
        let mut results = Results::new(&self.record, &self.clips, combination, &judged)?;
        results.nested = nested.map(|n| n.scores[0].clone());
        let pictures = encoders.codes_of_test(combination)?;
        let histories = encoders.histories(self.planned.fused)?;
        self.watch.lap("verdict", judged.len(), 0);
        if self.config.times {
            self.watch.finish(self.clips.clips.len(), &self.config.out)?;
        }
        let material = Material {
            config: &self.config,
            record: &self.record,
            clips: &self.clips,
            folds: &self.folds,
            histories,
            results: &results,
            times: self.config.times.then_some(&self.watch.times),
            codes: pictures,
        };
        material.write()?;
        predict::check_finished(&self.config.out)?;
        Ok(Finished { report: self.config.out.join("report.html"), results })
    }
}

/// What a run has chosen.
pub(crate) fn read_combination(out: &std::path::Path) -> Result<Combination, PipelineError> {
    read_json(&out.join("combination.json"))
}
