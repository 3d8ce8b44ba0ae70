//! What genre is it: a finished run asked about new files.

use std::path::Path;

use mgr_data::folder::read_file;
use mgr_learn::{Classifier, PipelineModel};
use mgr_models::device::set_threads;
use ndarray::{Array2, ArrayView2};

use crate::PipelineError;
use crate::combine::{Scores, argmax, members, normalise};
use crate::config::{MetaKind, RunConfig, VerdictRule, Weighting};
use crate::encoder::{Encoder, folder_name, split_folder};
use crate::features::{Ear, Feature};
use crate::files::read_json;
use crate::inputs::Values;
use crate::judge::{Choice, fused, side_by_side};
use crate::meta::{Meta, MetaPlace, meta_folder};
use crate::record::RunRecord;
use crate::run::read_combination;
use crate::weights::Weights;

/// A finished run, ready for new files: the whole fused system, the mean over its folds.
pub struct Predictor {
    config: RunConfig,
    classes: Vec<String>,
    features: Vec<Feature>,
    ear: Ear,
    folds: Vec<FoldSystem>,
}

/// What was trained in a fold.
struct FoldSystem {
    choice: Choice,
    splits: Vec<SplitSystem>,
    stacker: Option<PipelineModel>,
}

struct SplitSystem {
    encoders: Vec<Encoder>,
    /// One for each subset of [`Choice::meta`]; none where the run has no meta networks.
    meta: Vec<Meta>,
}

impl std::fmt::Debug for Predictor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let features: Vec<&str> = self.features.iter().map(|f| f.name.as_str()).collect();
        f.debug_struct("Predictor")
            .field("classes", &self.classes)
            .field("features", &features)
            .finish_non_exhaustive()
    }
}

/// Probabilities of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Index of the most probable class; of equal ones the first.
    pub class: usize,
    /// Probability of each class; they sum to one up to rounding.
    pub probabilities: Vec<f32>,
    /// Features that could not be computed of this file, and why; the verdict stands on the others.
    pub missing: Vec<String>,
}

/// Whether everything of a run is there.
pub(crate) fn check_finished(run: &Path) -> Result<(), PipelineError> {
    let record = RunRecord::read(run)?;
    for file in ["results.json", "combination.json"] {
        let path = run.join(file);
        if !path.exists() {
            let reason =
                "missing: the run was stopped before its end; the command that began it goes on with it";
            return Err(PipelineError::Run { path, reason: reason.into() });
        }
    }
    for (fold, parts) in record.folds.iter().enumerate() {
        for split in 0..parts.splits.len() {
            for name in &fused_names(&record) {
                let path = split_folder(run, fold, split).join(folder_name(name)).join("unit.json");
                if !path.exists() {
                    return Err(PipelineError::Run { path, reason: "missing: the run is not whole".into() });
                }
            }
        }
    }
    Ok(())
}

/// The features that are fused; the record may hold the baseline's behind them.
fn fused_names(record: &RunRecord) -> Vec<String> {
    let asked = |name: &String| record.config.features.contains(name);
    record.features.iter().map(|f| f.name.clone()).filter(asked).collect()
}

impl Predictor {
    /// Loads a finished run from its folder.
    ///
    /// # Errors
    /// [`PipelineError::Run`] for a folder that is no finished run, [`PipelineError::Model`] for a damaged network.
    pub fn load(run: &Path) -> Result<Self, PipelineError> {
        check_finished(run)?;
        let record = RunRecord::read(run)?;
        let refuse = |reason: String| PipelineError::Run { path: run.join("run.json"), reason };
        let weights = Weights::of_run(run);
        let mut features = Vec::new();
        for name in &fused_names(&record) {
            let planned = Feature::plan(name, &record.config, &weights, 1)?;
            let feature = planned.map_err(&refuse)?;
            let then = record.features.iter().find(|f| f.name == *name);
            if then.is_none_or(|then| then.fingerprint != feature.fingerprint) {
                return Err(refuse(format!(
                    "its feature {name} was computed by another version of mgr: train it anew"
                )));
            }
            features.push(feature);
        }
        record.config.check().map_err(|e| refuse(e.to_string()))?;
        set_threads(record.threads_per_network)?;
        let combination = read_combination(run)?;
        for choice in &combination.choices {
            if choice.top.is_empty()
                || choice.top.iter().any(|&mask| mask == 0 || mask >> features.len() != 0)
            {
                let path = run.join("combination.json");
                return Err(PipelineError::Run {
                    path,
                    reason: "its subsets are none of the run's features".into(),
                });
            }
        }
        let mut folds = Vec::new();
        for (fold, (parts, choice)) in record.folds.iter().zip(combination.choices).enumerate() {
            let mut splits = Vec::new();
            for split in 0..parts.splits.len() {
                let folder = split_folder(run, fold, split);
                let encoders = features
                    .iter()
                    .map(|f| Encoder::load(&folder.join(folder_name(&f.name)), f.rows, &record.classes))
                    .collect::<Result<Vec<_>, _>>()?;
                let mut meta = Vec::new();
                if record.config.meta != MetaKind::None {
                    for mask in choice.meta(features.len()) {
                        let folder = meta_folder(run, MetaPlace { fold, split, mask });
                        meta.push(Meta::load(&folder, &record.classes)?);
                    }
                }
                splits.push(SplitSystem { encoders, meta });
            }
            // A fold may have none; one that is there and cannot be read is damage.
            let stacking = run.join("folds").join(fold.to_string()).join("stacking.json");
            let stacker = stacking.exists().then(|| read_json(&stacking)).transpose()?;
            folds.push(FoldSystem { choice, splits, stacker });
        }
        if folds.is_empty() {
            return Err(refuse("it has no folds".into()));
        }
        let ear = Ear::of(&features)?;
        Ok(Self { config: record.config, classes: record.classes, features, ear, folds })
    }

    /// The classes, in the order of the probabilities.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The genre of a file.
    ///
    /// # Errors
    /// [`PipelineError::Data`] when the file cannot be read; [`PipelineError::Clip`] when no feature of it can be computed.
    pub fn predict(&self, path: &Path) -> Result<Prediction, PipelineError> {
        let name = path.display().to_string();
        let bytes = read_file(path)?;
        let wanted: Vec<usize> = (0..self.features.len()).collect();
        let (mut values, mut missing) = (Vec::new(), Vec::new());
        for (_, result) in self.ear.features(&self.features, &wanted, &bytes, &name) {
            match result {
                Ok(clip) => values.push(Some(clip.segments)),
                Err(reason) => {
                    missing.push(reason);
                    values.push(None);
                }
            }
        }
        if values.iter().all(Option::is_none) {
            let reason = missing.into_iter().next().unwrap_or_default();
            return Err(PipelineError::Clip { reason });
        }
        let mut sum = Array2::zeros((1, self.classes.len()));
        for fold in &self.folds {
            sum += &self.verdict(fold, &values)?;
        }
        normalise(&mut sum);
        let row = sum.row(0);
        let class = argmax(row.iter().copied());
        Ok(Prediction { class, probabilities: row.iter().map(|&p| p as f32).collect(), missing })
    }

    fn verdict(
        &self,
        fold: &FoldSystem,
        values: &[Option<ndarray::Array3<f32>>],
    ) -> Result<Array2<f64>, PipelineError> {
        let classes = self.classes.len();
        let count = fold.splits.len() as f64;
        let mut features = vec![Array2::<f64>::zeros((1, classes)); values.len()];
        let (mut top, mut whole) = (Array2::<f64>::zeros((1, classes)), Array2::<f64>::zeros((1, classes)));
        let (masks, all) = (fold.choice.meta(values.len()), (1_u32 << values.len()) - 1);
        for split in &fold.splits {
            let mut codes = Vec::new();
            for (at, (value, encoder)) in values.iter().zip(&split.encoders).enumerate() {
                let Some(value) = value else {
                    features[at].fill(f64::NAN);
                    codes.push(Array2::from_elem((1, crate::encoder::CODE), f32::NAN));
                    continue;
                };
                let (mut scores, code) = encoder.encode(vec![Values::Fresh(value.view())])?;
                if self.config.weighting == Weighting::Published {
                    scores *= value.dim().0 as f32;
                }
                features[at] += &(scores.mapv(f64::from) / count);
                codes.push(code);
            }
            for (network, mask) in split.meta.iter().zip(&masks) {
                let own: Vec<ArrayView2<'_, f32>> =
                    members(*mask).into_iter().map(|f| codes[f].view()).collect();
                let scores = network.probabilities(own)?;
                if fold.choice.top.contains(mask) {
                    top += &scores;
                }
                if *mask == all {
                    whole += &scores;
                }
            }
        }
        let scores = Scores { features };
        let has_meta = fold.splits.iter().any(|s| !s.meta.is_empty());
        normalise(&mut top);
        normalise(&mut whole);
        let (meta, whole) = (has_meta.then_some(top), has_meta.then_some(whole));
        let sum = scores.subsets(&fold.choice.top);
        Ok(match (self.config.verdict, &fold.stacker) {
            (VerdictRule::Sum, _) | (VerdictRule::Stacking, None) => sum,
            (VerdictRule::Meta, _) => meta.unwrap_or(sum),
            (VerdictRule::Average, _) => scores.subset((1 << values.len()) - 1),
            (VerdictRule::Stacking, Some(stacker)) => stacker.predict_proba(side_by_side(&scores).view())?,
            (VerdictRule::Fused, _) => fused(&sum, [meta.as_ref(), whole.as_ref()]),
        })
    }
}
