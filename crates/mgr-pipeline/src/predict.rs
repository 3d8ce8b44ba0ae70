//! What genre is it: a finished run asked about new files.

use std::path::Path;

use mgr_data::folder::read_file;
use mgr_data::front_end::FrontEnd;
use mgr_models::device::{DeviceConfig, set_threads};
use mgr_models::{Network, encode};

use crate::PipelineError;
use crate::encoder::{INFERENCE_BATCH, Segments, Standardisation, clip_means, fold_folder, load_fold};
use crate::record::RunRecord;

/// A finished run, ready for new files: the mean over the networks of its folds.
pub struct Predictor {
    classes: Vec<String>,
    front_end: FrontEnd,
    networks: Vec<(Box<dyn Network>, Standardisation)>,
}

impl std::fmt::Debug for Predictor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let networks = self.networks.len();
        f.debug_struct("Predictor").field("classes", &self.classes).field("networks", &networks).finish()
    }
}

/// Probabilities of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Index of the most probable class; of equal ones the first.
    pub class: usize,
    /// Probability of each class; they sum to one up to rounding.
    pub probabilities: Vec<f32>,
}

/// Whether every fold of a run is there.
pub(crate) fn check_finished(run: &Path) -> Result<(), PipelineError> {
    let record = RunRecord::read(run)?;
    for fold in 0..record.folds.len() {
        for file in ["network.safetensors", "result.json"] {
            let path = fold_folder(run, fold).join(file);
            if !path.exists() {
                let reason =
                    "missing: the run was stopped before its end; the command that began it goes on with it";
                return Err(PipelineError::Run { path, reason: reason.into() });
            }
        }
    }
    Ok(())
}

impl Predictor {
    /// Loads a finished run from its folder.
    ///
    /// # Errors
    /// [`PipelineError::Run`] for a folder that is no finished run, [`PipelineError::Model`] for a damaged network.
    pub fn load(run: &Path) -> Result<Self, PipelineError> {
        check_finished(run)?;
        let record = RunRecord::read(run)?;
        let front_end = record.front_end.plan()?;
        let refuse = |reason: &str| PipelineError::Run { path: run.join("run.json"), reason: reason.into() };
        if front_end.fingerprint() != record.front_end_fingerprint {
            return Err(refuse("its features were computed by another version of mgr: train it anew"));
        }
        if record.folds.is_empty() {
            return Err(refuse("it has no folds"));
        }
        set_threads(record.threads_per_network)?;
        let mut networks = Vec::new();
        for fold in 0..record.folds.len() {
            let (saved, standardisation) = load_fold(run, fold)?;
            if saved.facts().classes != record.classes {
                let path = fold_folder(run, fold);
                return Err(PipelineError::Run {
                    path,
                    reason: "its network knows other classes than the run".into(),
                });
            }
            networks.push((saved.build(DeviceConfig::Cpu)?, standardisation));
        }
        Ok(Self { classes: record.classes, front_end, networks })
    }

    /// The classes, in the order of the probabilities.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The genre of a file.
    ///
    /// # Errors
    /// [`PipelineError::Data`] when the file cannot be read, decoded or used.
    pub fn predict(&self, path: &Path) -> Result<Prediction, PipelineError> {
        let name = path.display().to_string();
        let bytes = read_file(path)?;
        let features = self.front_end.process(bytes, &name)?.segments;
        let mut sums = vec![0.0_f64; self.classes.len()];
        for (network, standardisation) in &self.networks {
            let clip = Segments::new([(&features, 0)], *standardisation);
            let scores = encode::probabilities(network.as_ref(), &clip, INFERENCE_BATCH)?;
            let mean = clip_means(scores.view(), std::iter::once(features.dim().0));
            sums.iter_mut().zip(&mean[0]).for_each(|(sum, p)| *sum += f64::from(*p));
        }
        let probabilities: Vec<f32> = sums.iter().map(|s| (s / self.networks.len() as f64) as f32).collect();
        let top = probabilities.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let class = probabilities.iter().position(|p| *p == top).unwrap_or(0);
        Ok(Prediction { class, probabilities })
    }
}
