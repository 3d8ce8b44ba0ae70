//! Choosing settings by cross-validation, without a look at the test part.

use std::collections::BTreeMap;

use mgr_eval::split::{Fold, StratifiedGroupKFold, StratifiedKFold, check_split};
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::check;
use crate::learner::within;
use crate::pipeline::{PipelineConfig, PipelineModel};
use crate::random::Random;
use crate::{Classifier, LearnError, Learner};

/// A grid: settings of a pipeline by their path, with the values to try.
///
/// ```
/// use mgr_learn::{Grid, LearnerConfig, PipelineConfig, SvcConfig};
///
/// let base = PipelineConfig::scaled(LearnerConfig::Svc(SvcConfig::default()));
/// let grid = Grid::new(base).over("learner.c", [0.1, 1.0, 10.0]).over("learner.kernel", ["linear", "rbf"]);
/// assert_eq!(grid.candidates()?.len(), 6);
/// # Ok::<(), mgr_learn::LearnError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// What is not in the grid.
    pub base: PipelineConfig,
    /// Values by path, such as `learner.c`; the paths are those of the pipeline's JSON.
    #[serde(default)]
    pub values: BTreeMap<String, Vec<Value>>,
}

/// Candidates of a grid at most.
const MOST: usize = 1_000_000;

impl Grid {
    /// A grid of one point.
    #[must_use]
    pub fn new(base: PipelineConfig) -> Self {
        Self { base, values: BTreeMap::new() }
    }

    /// Adds a setting and its values.
    #[must_use]
    pub fn over<V: Into<Value>>(mut self, path: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.values.insert(path.to_owned(), values.into_iter().map(Into::into).collect());
        self
    }

    /// The settings of a classifier that are usually chosen, with usual values; nothing for those without.
    #[must_use]
    pub fn usual(base: PipelineConfig) -> Self {
        let name = base.learner.name();
        let grid = Self::new(base);
        match name {
            "svc" => {
                grid.over("learner.c", [0.1, 1.0, 10.0, 100.0]).over("learner.kernel", ["linear", "rbf"])
            }
            "linear_svc" | "logistic" => grid.over("learner.c", [0.001, 0.01, 0.1, 1.0, 10.0]),
            "ridge" => grid.over("learner.alpha", [0.1, 1.0, 10.0, 100.0, 1000.0]),
            "sgd" => grid.over("learner.alpha", [1e-5, 1e-4, 1e-3, 1e-2]),
            "knn" => grid
                .over("learner.neighbours", [1, 3, 5, 10, 20])
                .over("learner.weight", ["uniform", "distance"])
                .over("learner.metric", ["euclidean", "cosine"]),
            "nearest_centroid" => grid.over("learner.metric", ["euclidean", "cosine"]),
            "gaussian_nb" => grid.over("learner.var_smoothing", [1e-9, 1e-3, 1e-2, 1e-1]),
            "decision_tree" | "random_forest" | "extra_trees" | "bagging" => {
                grid.over("learner.tree.min_samples_leaf", [1, 2, 5])
            }
            "ada_boost" => grid.over("learner.tree.max_depth", [1, 2, 4]),
            "gradient_boosting" => grid.over("learner.max_depth", [2, 3]),
            "mlp" => grid.over("learner.alpha", [1e-4, 1e-2, 1.0]),
            _ => grid,
        }
    }

    fn size(&self) -> Result<usize, LearnError> {
        let mut size = 1_usize;
        for (setting, values) in &self.values {
            if values.is_empty() {
                return Err(LearnError::Grid {
                    setting: setting.clone(),
                    reason: "no value to try".to_owned(),
                });
            }
            size = size.saturating_mul(values.len());
        }
        if size > MOST {
            let reason = format!("{size} candidates, allowed are {MOST}");
            return Err(LearnError::Grid { setting: "all settings".to_owned(), reason });
        }
        Ok(size)
    }

    fn candidate(&self, mut number: usize) -> Result<PipelineConfig, LearnError> {
        let refuse = |setting: &str, reason: String| LearnError::Grid { setting: setting.to_owned(), reason };
        let mut tree = serde_json::to_value(&self.base).map_err(|e| refuse("base", e.to_string()))?;
        // The last setting changes fastest.
        for (setting, values) in self.values.iter().rev() {
            let pointer = format!("/{}", setting.replace('.', "/"));
            let Some(place) = tree.pointer_mut(&pointer) else {
                return Err(refuse(setting, "the pipeline has no such setting".to_owned()));
            };
            *place = values[number % values.len()].clone();
            number /= values.len();
        }
        let names: Vec<&str> = self.values.keys().map(String::as_str).collect();
        let config: PipelineConfig =
            serde_json::from_value(tree).map_err(|e| refuse(&names.join(", "), e.to_string()))?;
        config.plan()?;
        Ok(config)
    }

    /// Every combination, in the order of the paths.
    ///
    /// # Errors
    /// [`LearnError::Grid`] for a path that the pipeline has not or a value of the wrong kind, [`LearnError::Setting`] for one
    /// outside its range.
    pub fn candidates(&self) -> Result<Vec<PipelineConfig>, LearnError> {
        (0..self.size()?).map(|n| self.candidate(n)).collect()
    }

    /// `count` different combinations drawn at random, or all where there are no more.
    ///
    /// # Errors
    /// As [`Grid::candidates`].
    pub fn random(&self, count: usize, seed: u64) -> Result<Vec<PipelineConfig>, LearnError> {
        let mut numbers: Vec<usize> = (0..self.size()?).collect();
        Random::new(seed, &[]).shuffle(&mut numbers);
        numbers.truncate(count.max(1));
        numbers.sort_unstable();
        numbers.into_iter().map(|n| self.candidate(n)).collect()
    }
}

/// A table with its labels and, where they are known, groups that must stay together (artists).
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a> {
    table: ArrayView2<'a, f64>,
    labels: &'a [usize],
    groups: Option<&'a [usize]>,
    classes: usize,
}

impl<'a> Labelled<'a> {
    /// Checks that rows, labels and groups match.
    ///
    /// # Errors
    /// [`LearnError::Empty`], [`LearnError::NotFinite`], [`LearnError::LabelCount`], [`LearnError::Label`].
    pub fn new(
        table: ArrayView2<'a, f64>,
        labels: &'a [usize],
        groups: Option<&'a [usize]>,
        classes: usize,
    ) -> Result<Self, LearnError> {
        check(table)?;
        let rows = table.nrows();
        for found in [Some(labels.len()), groups.map(<[usize]>::len)].into_iter().flatten() {
            if found != rows {
                return Err(LearnError::LabelCount { rows, labels: found });
            }
        }
        if let Some((row, &label)) = labels.iter().enumerate().find(|(_, l)| **l >= classes) {
            return Err(LearnError::Label { row, label, classes });
        }
        Ok(Self { table, labels, groups, classes })
    }

    /// The labels.
    #[must_use]
    pub const fn labels(&self) -> &'a [usize] {
        self.labels
    }

    /// The number of classes.
    #[must_use]
    pub const fn classes(&self) -> usize {
        self.classes
    }

    fn part(&self, rows: &[usize]) -> (Array2<f64>, Vec<usize>) {
        (self.table.select(Axis(0), rows), rows.iter().map(|&i| self.labels[i]).collect())
    }

    fn fit(&self, config: &PipelineConfig, rows: &[usize]) -> Result<PipelineModel, LearnError> {
        let (table, labels) = self.part(rows);
        config.plan()?.fit(table.view(), &labels, self.classes)
    }

    fn right(&self, model: &PipelineModel, rows: &[usize]) -> Result<usize, LearnError> {
        let (table, labels) = self.part(rows);
        Ok(model.predict(table.view())?.iter().zip(&labels).filter(|(p, l)| p == l).count())
    }

    /// Stratified folds, with the groups whole where there are any.
    ///
    /// # Errors
    /// [`LearnError::Split`] with the reason of mgr-eval.
    pub fn folds(&self, folds: usize, seed: u64) -> Result<Vec<Fold>, LearnError> {
        let all: Vec<usize> = (0..self.labels.len()).collect();
        self.folds_of(&all, folds, seed)
    }

    /// Folds of some rows, as row numbers of the whole table.
    fn folds_of(&self, rows: &[usize], folds: usize, seed: u64) -> Result<Vec<Fold>, LearnError> {
        let labels: Vec<usize> = rows.iter().map(|&i| self.labels[i]).collect();
        let found = match self.groups {
            None => StratifiedKFold { folds, seed, validation_fraction: 0.0 }.split(&labels),
            Some(groups) => {
                let groups: Vec<usize> = rows.iter().map(|&i| groups[i]).collect();
                StratifiedGroupKFold { folds, seed, validation_fraction: 0.0 }.split(&labels, &groups)
            }
        };
        let mut found = found.map_err(|e| LearnError::Split { reason: e.to_string() })?;
        for fold in &mut found {
            for part in [&mut fold.train, &mut fold.validation, &mut fold.test] {
                part.iter_mut().for_each(|i| *i = rows[*i]);
            }
        }
        Ok(found)
    }

    fn check_folds(&self, folds: &[Fold]) -> Result<(), LearnError> {
        check_split(folds, self.labels.len()).map_err(|e| LearnError::Split { reason: e.to_string() })
    }
}

/// Told of the work done and the work in all, from several threads.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Nobody is told.
pub const SILENT: Progress<'static> = &|_, _| {};

/// What a candidate scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateScore {
    /// The settings.
    pub config: PipelineConfig,
    /// Accuracy over the rows held out, all folds together.
    pub accuracy: f64,
    /// Accuracy of each fold.
    pub of_fold: Vec<f64>,
}

/// Scores every candidate on the same folds, in parallel over candidates and folds. Each is fitted on a fold's train part and
/// scored on its validation part, or on its test part where it has none: give folds of the training part of a study here, or
/// use [`nested`].
///
/// # Errors
/// Those of fitting, of the first candidate that cannot be fitted; [`LearnError::Split`] for bad folds.
pub fn search(
    candidates: &[PipelineConfig],
    data: Labelled<'_>,
    folds: &[Fold],
    progress: Progress<'_>,
) -> Result<Vec<CandidateScore>, LearnError> {
    data.check_folds(folds)?;
    score(candidates, data, folds, progress)
}

fn score(
    candidates: &[PipelineConfig],
    data: Labelled<'_>,
    folds: &[Fold],
    progress: Progress<'_>,
) -> Result<Vec<CandidateScore>, LearnError> {
    let total = candidates.len() * folds.len();
    let done = std::sync::atomic::AtomicUsize::new(0);
    let right: Vec<usize> = (0..total)
        .into_par_iter()
        .with_max_len(1)
        .map(|job| {
            let (candidate, fold) = (&candidates[job / folds.len()], &folds[job % folds.len()]);
            let right = data.right(&data.fit(candidate, &fold.train)?, held_out(fold))?;
            progress(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, total);
            Ok(right)
        })
        .collect::<Result<_, LearnError>>()?;
    let all: usize = folds.iter().map(|f| held_out(f).len()).sum();
    Ok(candidates
        .iter()
        .zip(right.chunks(folds.len()))
        .map(|(config, right)| CandidateScore {
            config: config.clone(),
            accuracy: right.iter().sum::<usize>() as f64 / all as f64,
            of_fold: right.iter().zip(folds).map(|(r, f)| *r as f64 / held_out(f).len() as f64).collect(),
        })
        .collect())
}

fn held_out(fold: &Fold) -> &[usize] {
    if fold.validation.is_empty() { &fold.test } else { &fold.validation }
}

/// The best candidate; of equal ones the first.
///
/// # Errors
/// [`LearnError::Rows`] without candidates.
pub fn best(scores: &[CandidateScore]) -> Result<&CandidateScore, LearnError> {
    let none = LearnError::Rows { what: "a choice", needed: 1, found: 0 };
    scores.iter().rev().max_by(|a, b| a.accuracy.total_cmp(&b.accuracy)).ok_or(none)
}

/// The predictions of one fold's test part.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldResult {
    /// Rows of the test part.
    pub rows: Vec<usize>,
    /// The class predicted for each.
    pub predicted: Vec<usize>,
    /// The settings that were used.
    pub config: PipelineConfig,
    /// What the model says of its fit.
    pub convergence: Option<crate::Convergence>,
    /// Seconds of the fit, the selection not counted.
    pub fit_seconds: f64,
    /// Seconds of the prediction.
    pub predict_seconds: f64,
}

/// Fits on each fold's train part and predicts its test part, in parallel over folds.
///
/// # Errors
/// Those of fitting; [`LearnError::Split`] for bad folds.
pub fn cross_validate(
    config: &PipelineConfig,
    data: Labelled<'_>,
    folds: &[Fold],
    progress: Progress<'_>,
) -> Result<Vec<FoldResult>, LearnError> {
    nested(std::slice::from_ref(config), data, folds, 2, 0, progress)
}

/// Chooses among candidates and predicts, fold by fold.
///
/// Where a fold has a validation part the choice is made on it, by models fitted on the train part; else by `inner` folds within
/// the train part, which keep groups whole. The chosen settings are then fitted on the train part. The test part is looked
/// at once, to be predicted. A single candidate is fitted without a choice.
///
/// # Errors
/// Those of fitting; [`LearnError::Split`] for bad folds, or a train part that cannot be divided.
pub fn nested(
    candidates: &[PipelineConfig],
    data: Labelled<'_>,
    folds: &[Fold],
    inner: usize,
    seed: u64,
    progress: Progress<'_>,
) -> Result<Vec<FoldResult>, LearnError> {
    data.check_folds(folds)?;
    let Some(only) = candidates.first() else {
        return Err(LearnError::Rows { what: "a choice", needed: 1, found: 0 });
    };
    within("inner", inner as f64, 2.0, 1e6, "2 or more folds")?;
    let steps = |fold: &Fold| match (candidates.len(), fold.validation.is_empty()) {
        (1, _) => 1,
        (n, false) => n + 1,
        (n, true) => n * inner + 1,
    };
    let total: usize = folds.iter().map(steps).sum();
    let done = std::sync::atomic::AtomicUsize::new(0);
    let tell = |_: usize, _: usize| {
        progress(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, total);
    };
    folds
        .par_iter()
        .with_max_len(1)
        .map(|fold| {
            let chosen = if candidates.len() == 1 {
                only.clone()
            } else {
                let scores = if fold.validation.is_empty() {
                    score(candidates, data, &data.folds_of(&fold.train, inner, seed)?, &tell)?
                } else {
                    score(candidates, data, std::slice::from_ref(fold), &tell)?
                };
                best(&scores)?.config.clone()
            };
            let start = std::time::Instant::now();
            let model = data.fit(&chosen, &fold.train)?;
            let fit_seconds = start.elapsed().as_secs_f64();
            let (table, _) = data.part(&fold.test);
            let start = std::time::Instant::now();
            let predicted = model.predict(table.view())?;
            let predict_seconds = start.elapsed().as_secs_f64();
            tell(0, 0);
            Ok(FoldResult {
                rows: fold.test.clone(),
                predicted,
                config: chosen,
                convergence: model.convergence(),
                fit_seconds,
                predict_seconds,
            })
        })
        .collect()
}

/// What a column is worth to a model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PermutationImportance {
    /// Mean drop of the accuracy when the column's values are shuffled among the rows.
    pub mean: f64,
    /// Standard deviation over the repeats (divisor: their number).
    pub deviation: f64,
}

/// The drop of a model's accuracy when a column is shuffled (L. Breiman, 2001), of every column; on rows that the model was not
/// fitted on it says what the model would lose, on its own rows what it uses.
///
/// # Errors
/// Those of prediction, and of [`Labelled::new`]; [`LearnError::Setting`] without repeats.
pub fn permutation_importance(
    model: &dyn Classifier,
    table: ArrayView2<'_, f64>,
    labels: &[usize],
    repeats: usize,
    seed: u64,
) -> Result<Vec<PermutationImportance>, LearnError> {
    crate::learner::at_least_one("repeats", repeats)?;
    let data = Labelled::new(table, labels, None, model.classes())?;
    let rows = table.nrows() as f64;
    let accuracy = |table: ArrayView2<'_, f64>| -> Result<f64, LearnError> {
        let right = model.predict(table)?.iter().zip(data.labels).filter(|(p, l)| p == l).count();
        Ok(right as f64 / rows)
    };
    let whole = accuracy(table)?;
    (0..table.ncols())
        .into_par_iter()
        .map(|column| {
            let mut shuffled = table.to_owned();
            let mut values = table.column(column).to_vec();
            let mut random = Random::new(seed, &[column as u64]);
            let drops: Vec<f64> = (0..repeats)
                .map(|_| {
                    random.shuffle(&mut values);
                    shuffled.column_mut(column).iter_mut().zip(&values).for_each(|(to, v)| *to = *v);
                    Ok(whole - accuracy(shuffled.view())?)
                })
                .collect::<Result<_, LearnError>>()?;
            let mean = drops.iter().sum::<f64>() / repeats as f64;
            let squares = drops.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>();
            Ok(PermutationImportance { mean, deviation: (squares / repeats as f64).sqrt() })
        })
        .collect()
}

/// Names the column of a value that is not finite.
#[must_use]
pub fn name_column(error: LearnError, names: &[String]) -> LearnError {
    match error {
        LearnError::NotFinite { row, column, value } => match names.get(column) {
            Some(name) => LearnError::NotFiniteIn { row, column: name.clone(), value },
            None => error,
        },
        other => other,
    }
}
