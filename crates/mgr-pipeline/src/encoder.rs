//! One network a fold: trained on the training part, chosen on the validation part, asked once about the test part.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mgr_data::front_end::FrontEnd;
use mgr_eval::split::Fold;
use mgr_models::device::DeviceConfig;
use mgr_models::train::{Draw, EpochRecord, Examples, FitOptions, History, Inputs, Observer, Outcome};
use mgr_models::zoo::NetworkConfig;
use mgr_models::{SavedNetwork, encode};
use ndarray::{Array3, ArrayView2, s};
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::clips::Clip;
use crate::config::RunConfig;
use crate::files::{read_json, write_json};
use crate::progress::{Progress, Task};

/// The network of this version.
pub(crate) const NETWORK: NetworkConfig = NetworkConfig::Base2dCnn;

/// Segments in one step of inference.
pub(crate) const INFERENCE_BATCH: usize = 32;

/// One mean and one deviation over all values of the training part, as in the GTZAN-8 study.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standardisation {
    pub(crate) mean: f32,
    pub(crate) deviation: f32,
}

impl Standardisation {
    fn fit(clips: &[Clip], part: &[usize]) -> Self {
        let values = || part.iter().flat_map(|&i| clips[i].features.iter()).map(|&v| f64::from(v));
        let count = values().count().max(1) as f64;
        let mean = values().sum::<f64>() / count;
        let variance = values().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count;
        // A constant feature stays constant instead of becoming infinite.
        let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        Self { mean: mean as f32, deviation: deviation as f32 }
    }
}

/// The segments of some clips, standardised while they are read.
pub(crate) struct Segments<'a> {
    /// The segments and the class of their clip.
    segments: Vec<(ArrayView2<'a, f32>, usize)>,
    shape: [usize; 3],
    standardisation: Standardisation,
}

impl<'a> Segments<'a> {
    /// The segments of clips given by features and class, clip after clip.
    pub(crate) fn new(
        clips: impl IntoIterator<Item = (&'a Array3<f32>, usize)>,
        standardisation: Standardisation,
    ) -> Self {
        let segments: Vec<_> =
            clips.into_iter().flat_map(|(f, class)| f.outer_iter().map(move |s| (s, class))).collect();
        let (rows, frames) = segments.first().map_or((0, 0), |(s, _)| s.dim());
        Self { segments, shape: [1, rows, frames], standardisation }
    }
}

impl Inputs for Segments<'_> {
    fn len(&self) -> usize {
        self.segments.len()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn write_input(
        &self,
        index: usize,
        _draw: Draw,
        out: &mut [f32],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let values = self.segments[index].0.iter();
        let Standardisation { mean, deviation } = self.standardisation;
        out.iter_mut().zip(values).for_each(|(o, v)| *o = (v - mean) / deviation);
        Ok(())
    }
}

impl Examples for Segments<'_> {
    fn label(&self, index: usize) -> usize {
        self.segments[index].1
    }
}

/// What a fold's network said about its test part, as kept on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FoldResult {
    pub(crate) standardisation: Standardisation,
    pub(crate) selected_epoch: usize,
    pub(crate) history: History,
    /// Test clips, as positions among the clips of the run.
    pub(crate) test: Vec<usize>,
    /// Their class probabilities: the mean over their segments.
    pub(crate) probabilities: Vec<Vec<f32>>,
}

/// Checks that the network takes the features, before any of them is computed.
pub(crate) fn check_input(front_end: &FrontEnd) -> Result<(), PipelineError> {
    let layout = front_end.layout();
    let network = NETWORK.build(2, 0, DeviceConfig::Cpu)?;
    Ok(network.input().check(network.name(), &[1, layout.rows, layout.columns])?)
}

/// The folder of a fold.
pub(crate) fn fold_folder(out: &Path, fold: usize) -> PathBuf {
    out.join("folds").join(fold.to_string())
}

fn network_file(folder: &Path) -> PathBuf {
    folder.join("network.safetensors")
}

fn result_file(folder: &Path) -> PathBuf {
    folder.join("result.json")
}

/// A fold's network and standardisation, from a finished run.
pub(crate) fn load_fold(out: &Path, fold: usize) -> Result<(SavedNetwork, Standardisation), PipelineError> {
    let folder = fold_folder(out, fold);
    let result: FoldResult = read_json(&result_file(&folder))?;
    Ok((SavedNetwork::load(&network_file(&folder))?, result.standardisation))
}

/// Everything that folds share.
pub(crate) struct Encoders<'a> {
    pub(crate) config: &'a RunConfig,
    pub(crate) classes: &'a [String],
    pub(crate) clips: &'a [Clip],
    /// Fingerprint of clips, features and folds.
    pub(crate) fingerprint: &'a str,
    pub(crate) progress: &'a dyn Progress,
}

impl Encoders<'_> {
    /// Trains all folds, several at a time; finished ones are read from disk.
    pub(crate) fn run(&self, folds: &[Fold]) -> Result<Vec<FoldResult>, PipelineError> {
        let next = AtomicUsize::new(0);
        let cancel = AtomicBool::new(false);
        let results: Mutex<BTreeMap<usize, Result<FoldResult, PipelineError>>> = Mutex::new(BTreeMap::new());
        std::thread::scope(|scope| {
            for _ in 0..self.config.workers().min(folds.len()) {
                scope.spawn(|| {
                    loop {
                        let fold = next.fetch_add(1, Ordering::Relaxed);
                        let Some(parts) = folds.get(fold) else { return };
                        if cancel.load(Ordering::Relaxed) {
                            return;
                        }
                        match self.fold(fold, parts, &cancel) {
                            Ok(None) => return,
                            Ok(Some(result)) => keep(&results, fold, Ok(result)),
                            Err(error) => {
                                // The others stop after their step; their checkpoints stay.
                                cancel.store(true, Ordering::Relaxed);
                                keep(&results, fold, Err(error));
                            }
                        }
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(failed) = results.iter().find(|(_, r)| r.is_err()).map(|(&fold, _)| fold)
            && let Some(Err(error)) = results.remove(&failed)
        {
            return Err(error);
        }
        results.into_values().collect()
    }

    fn fold(
        &self,
        fold: usize,
        parts: &Fold,
        cancel: &AtomicBool,
    ) -> Result<Option<FoldResult>, PipelineError> {
        let folder = fold_folder(&self.config.out, fold);
        let done = result_file(&folder);
        if done.exists() && network_file(&folder).exists() {
            return self.finished(&done, parts).map(Some);
        }
        let in_fold = |source| PipelineError::Fold { fold, source };
        let standardisation = Standardisation::fit(self.clips, &parts.train);
        let segments = |part: &[usize]| {
            Segments::new(
                part.iter().map(|&i| (&self.clips[i].features, self.clips[i].class)),
                standardisation,
            )
        };
        let seed = self.config.fold_seed(fold);
        let mut network = NETWORK.build(self.classes.len(), seed, DeviceConfig::Cpu).map_err(in_fold)?;
        let plan = self.config.train(fold).plan().map_err(in_fold)?;
        let options = FitOptions {
            checkpoints: Some(&folder),
            data_fingerprint: self.fingerprint,
            cancel: Some(cancel),
        };
        let task = self.progress.begin(&format!("fold {fold}"), self.config.epochs);
        let mut observer = Teller { task: task.as_ref(), steps: 0 };
        let (train, validation) = (segments(&parts.train), segments(&parts.validation));
        let outcome = plan.fit(network.as_mut(), &train, Some(&validation), &options, &mut observer);
        task.end();
        let Outcome::Finished(fit) = outcome.map_err(in_fold)? else { return Ok(None) };

        let test = segments(&parts.test);
        let scores = encode::probabilities(network.as_ref(), &test, INFERENCE_BATCH).map_err(in_fold)?;
        let probabilities =
            clip_means(scores.view(), parts.test.iter().map(|&i| self.clips[i].features.dim().0));
        let saved = SavedNetwork::new(NETWORK, network.as_ref(), self.classes.to_vec(), BTreeMap::new());
        saved.and_then(|s| s.save(&network_file(&folder))).map_err(in_fold)?;
        fit.history.save_csv(&folder.join("history.csv")).map_err(in_fold)?;
        fit.history.save_json(&folder.join("history.json")).map_err(in_fold)?;
        let result = FoldResult {
            standardisation,
            selected_epoch: fit.selected_epoch,
            history: fit.history,
            test: parts.test.clone(),
            probabilities,
        };
        // Last, since its presence says that the fold is done.
        write_json(&done, &result)?;
        Ok(Some(result))
    }
}

impl Encoders<'_> {
    /// A finished fold's result, if it is of these parts and classes.
    fn finished(&self, path: &Path, parts: &Fold) -> Result<FoldResult, PipelineError> {
        let result: FoldResult = read_json(path)?;
        let fits = result.test == parts.test
            && result.probabilities.len() == parts.test.len()
            && result.probabilities.iter().all(|p| p.len() == self.classes.len())
            && result.history.epochs().iter().any(|e| e.epoch == result.selected_epoch);
        if fits {
            return Ok(result);
        }
        let reason = "its clips, classes or epochs are not those of the run: remove it, and the fold is computed again";
        Err(PipelineError::Run { path: path.to_path_buf(), reason: reason.into() })
    }
}

fn keep(
    results: &Mutex<BTreeMap<usize, Result<FoldResult, PipelineError>>>,
    fold: usize,
    result: Result<FoldResult, PipelineError>,
) {
    results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(fold, result);
}

/// The mean of the rows that belong to each clip, given how many each has: the sum rule, scaled to probabilities.
pub(crate) fn clip_means(
    scores: ArrayView2<'_, f32>,
    segments: impl Iterator<Item = usize>,
) -> Vec<Vec<f32>> {
    let mut from = 0;
    segments
        .map(|count| {
            let rows = scores.slice(s![from..from + count, ..]);
            from += count;
            rows.columns()
                .into_iter()
                .map(|c| c.iter().map(|&v| f64::from(v)).sum::<f64>() / count as f64)
                .map(|p| p as f32)
                .collect()
        })
        .collect()
}

struct Teller<'a> {
    task: &'a dyn Task,
    steps: usize,
}

impl Observer for Teller<'_> {
    fn epoch_started(&mut self, _epoch: usize, steps: usize) {
        self.steps = steps;
    }

    fn step_finished(&mut self, epoch: usize, step: usize, loss: f64) {
        self.task.at(epoch - 1, &format!("step {step}/{} loss {loss:.3}", self.steps));
    }

    fn epoch_finished(&mut self, record: &EpochRecord) {
        let validation =
            record.validation.map_or(String::new(), |v| format!(", validation {:.1} %", 100.0 * v.accuracy));
        self.task.at(record.epoch, &format!("loss {:.3}{validation}", record.train.loss));
    }
}
