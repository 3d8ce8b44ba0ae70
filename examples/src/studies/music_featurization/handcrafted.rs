//! Bahuleyan's hand-crafted features and the classifiers on them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mgr_data::sources::Collection;
use mgr_data::table::Table;
use mgr_eval::report::{Classification, ClipResult, RunDescription};
use mgr_eval::split::{Fold, RatioSplit, StratifiedGroupKFold, StratifiedKFold};
use mgr_features::vector_sets::{Bahuleyan97Config, FourthBandwidth, Rounding};
use mgr_learn::{
    ClassWeight, Classifier, GradientBoostingConfig, Learner, LearnerConfig, MlpConfig, PipelineConfig,
    PipelineModel, RandomForestConfig, ReductionConfig, ScalerConfig, SvcConfig, TreeSettings,
    average_probabilities,
};
use ndarray::{Array2, Axis};
use rayon::prelude::*;

use crate::studies::picture_parts::clips::{self, Imager, Imaging, SAMPLE_RATE};
use crate::studies::picture_parts::spoken::{Result, sentence, split_refused};

/// Columns that look at samples alone: the first nine.
pub const TIME_DOMAIN: usize = 9;

/// A table of features with what belongs to its rows.
#[derive(Debug, Clone)]
pub struct Described {
    /// Names of the clips.
    pub ids: Vec<String>,
    /// Artists, where they are known.
    pub groups: Vec<Option<String>>,
    /// Genre of each clip.
    pub labels: Vec<usize>,
    /// Names of the genres.
    pub classes: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// (clips, columns).
    pub values: Array2<f64>,
    /// What was left out.
    pub notes: Vec<String>,
}

/// The 97 features of every clip. `published` keeps the original's fault, the bandwidth of power 4 that is that of power 3 again, and
/// its rounding to three decimals.
///
/// # Errors
/// A sentence where no clip can be read.
pub fn features(collection: &Collection, imager: &Imager, published: bool) -> Result<Described> {
    let config = if published {
        Bahuleyan97Config::default()
    } else {
        Bahuleyan97Config {
            fourth_bandwidth: FourthBandwidth::Own,
            rounding: Rounding::None,
            ..Bahuleyan97Config::default()
        }
    };
    let set = config.plan(SAMPLE_RATE).map_err(sentence)?;
    let found: Vec<Result<Vec<f64>>> = collection
        .entries
        .par_iter()
        .map(|entry| {
            let samples = imager.samples(&entry.path)?;
            let vector = set.process(&samples).map_err(|e| format!("{}: {e}", entry.path.display()))?;
            Ok(vector.iter().map(|v| f64::from(*v)).collect())
        })
        .collect();
    let of_clip = clips::labels(collection);
    let mut described = Described {
        ids: Vec::new(),
        groups: Vec::new(),
        labels: Vec::new(),
        classes: collection.labels.clone(),
        columns: set.names().map(str::to_owned).collect(),
        values: Array2::zeros((0, 0)),
        notes: Vec::new(),
    };
    let mut flat = Vec::new();
    for (row, vector) in found.into_iter().enumerate() {
        match vector {
            Ok(vector) => {
                described.ids.push(collection.entries[row].id.clone());
                described.groups.push(collection.entries[row].artist.clone());
                described.labels.push(of_clip[row]);
                flat.extend(vector);
            }
            Err(reason) => described.notes.push(reason),
        }
    }
    described.values =
        Array2::from_shape_vec((described.ids.len(), described.columns.len()), flat).map_err(sentence)?;
    if described.ids.is_empty() {
        return Err(described.notes.first().cloned().unwrap_or_else(|| "no clip can be read".to_owned()));
    }
    Ok(described)
}

impl Described {
    /// The table, for a file.
    ///
    /// # Errors
    /// The sentence of mgr-data.
    pub fn table(&self) -> Result<Table> {
        let labels = self.labels.iter().map(|&label| self.classes[label].clone()).collect();
        Table::new(self.ids.clone(), self.columns.clone(), self.values.clone())
            .and_then(|table| table.with_labels(labels))
            .map_err(sentence)
    }

    fn part(&self, rows: &[usize], columns: &[usize]) -> (Array2<f64>, Vec<usize>) {
        let values = self.values.select(Axis(0), rows).select(Axis(1), columns);
        (values, rows.iter().map(|&row| self.labels[row]).collect())
    }
}

/// The classifiers of the study, with its settings.
#[must_use]
pub fn classifiers(trees: usize, seed: u64) -> Vec<(&'static str, LearnerConfig)> {
    let forest = RandomForestConfig {
        n_estimators: trees,
        tree: TreeSettings { min_samples_split: 5, ..TreeSettings::default() },
        ..RandomForestConfig::default()
    };
    // The original weighs a class by its frequency, which weighs large ones twice; here each counts the same.
    let svm =
        SvcConfig { c: 1e4, class_weight: ClassWeight::Balanced, probability: true, ..SvcConfig::default() };
    let logistic = LearnerConfig::of("logistic");
    let mut all: Vec<(&'static str, LearnerConfig)> = logistic.into_iter().map(|c| ("logistic", c)).collect();
    all.push(("random_forest", LearnerConfig::RandomForest(forest).with_seed(seed)));
    all.push(("svm", LearnerConfig::Svc(svm).with_seed(seed)));
    all.push(("boosting", boosting(trees, seed)));
    all
}

/// Boosted trees of depth 5, rate 0.1, on four fifths of the rows each.
#[must_use]
pub fn boosting(trees: usize, seed: u64) -> LearnerConfig {
    let config = GradientBoostingConfig {
        n_estimators: trees,
        max_depth: 5,
        learning_rate: 0.1,
        subsample: 0.8,
        ..GradientBoostingConfig::default()
    };
    LearnerConfig::GradientBoosting(config).with_seed(seed)
}

/// The feed-forward baseline: 512 and 32 units.
#[must_use]
pub fn feed_forward(seed: u64) -> LearnerConfig {
    LearnerConfig::Mlp(MlpConfig { hidden: vec![512, 32], seed, ..MlpConfig::default() })
}

/// Verdicts of one system over all folds.
#[derive(Debug, Clone)]
pub struct Verdicts {
    /// Rows of the table, fold by fold.
    pub rows: Vec<usize>,
    /// Fold of each.
    pub folds: Vec<usize>,
    /// (rows, classes).
    pub scores: Array2<f64>,
}

/// What fitting one system in one fold gave.
struct OfFold {
    scores: Array2<f64>,
    model: PipelineModel,
}

/// The columns that each fold may look at.
pub type Chosen = Vec<Vec<usize>>;

/// Fits a classifier on the training part of every fold and scores its test part; columns are scaled from 0 to 1 on the training part
/// (the original: on everything). Also the importance of each fold's columns, where the classifier has one.
///
/// # Errors
/// The sentence of mgr-learn.
pub fn verdicts(
    table: &Described,
    learner: &LearnerConfig,
    folds: &[Fold],
    columns: &Chosen,
) -> Result<(Verdicts, Vec<Vec<f64>>)> {
    let config = PipelineConfig {
        scaler: ScalerConfig::MinMax,
        reduction: ReductionConfig::None,
        learner: learner.clone(),
    };
    let plan = config.plan().map_err(sentence)?;
    let classes = table.classes.len();
    let found: Vec<OfFold> = folds
        .par_iter()
        .zip(columns)
        .map(|(fold, columns)| {
            let train: Vec<usize> = fold.train.iter().chain(&fold.validation).copied().collect();
            let (values, labels) = table.part(&train, columns);
            let model = plan.fit(values.view(), &labels, classes).map_err(sentence)?;
            let (tested, _) = table.part(&fold.test, columns);
            Ok(OfFold { scores: model.predict_proba(tested.view()).map_err(sentence)?, model })
        })
        .collect::<Result<_>>()?;
    let views: Vec<_> = found.iter().map(|f| f.scores.view()).collect();
    let verdicts = Verdicts {
        rows: folds.iter().flat_map(|fold| fold.test.clone()).collect(),
        folds: folds.iter().enumerate().flat_map(|(n, fold)| vec![n; fold.test.len()]).collect(),
        scores: ndarray::concatenate(Axis(0), &views).map_err(sentence)?,
    };
    Ok((verdicts, found.iter().map(|f| f.model.importances().unwrap_or_default()).collect()))
}

/// All columns in every fold.
#[must_use]
pub fn all_columns(table: &Described, folds: usize) -> Chosen {
    vec![(0..table.columns.len()).collect(); folds]
}

/// The `most` columns of each fold that matter most to the classifier of that fold, so that no test clip has a say.
#[must_use]
pub fn top_columns(importances: &[Vec<f64>], most: usize) -> Chosen {
    let top = |importance: &Vec<f64>| {
        let mut order: Vec<usize> = (0..importance.len()).collect();
        order.sort_by(|&a, &b| importance[b].total_cmp(&importance[a]));
        order.truncate(most);
        order.sort_unstable();
        order
    };
    importances.iter().map(top).collect()
}

impl Verdicts {
    /// The verdicts as a classification.
    #[must_use]
    pub fn classification(&self, title: &str, table: &Described, run: &RunDescription) -> Classification {
        let clip = |(at, &row): (usize, &usize)| {
            let scores = self.scores.row(at).to_vec();
            let best = (0..scores.len()).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
            ClipResult {
                id: table.ids[row].clone(),
                class: table.labels[row],
                predicted: best.unwrap_or_default(),
                scores,
                fold: self.folds[at],
                group: table.groups[row].clone(),
                audio: None,
            }
        };
        Classification {
            title: title.to_owned(),
            run: run.clone(),
            classes: table.classes.clone(),
            clips: self.rows.iter().enumerate().map(clip).collect(),
            histories: Vec::new(),
        }
    }

    /// The mean of these scores and another system's, on the clips that the other has scored too.
    ///
    /// # Errors
    /// A sentence where the two have no clip in common.
    pub fn mean_with(&self, table: &Described, other: &BTreeMap<String, Vec<f64>>) -> Result<Self> {
        let common: Vec<usize> =
            (0..self.rows.len()).filter(|&at| other.contains_key(&table.ids[self.rows[at]])).collect();
        if common.is_empty() {
            return Err("the two systems have scored no clip in common; prepare the network's pictures from the same dataset".to_owned());
        }
        let mine = self.scores.select(Axis(0), &common);
        let theirs = Array2::from_shape_fn(mine.dim(), |(row, class)| {
            let scores = &other[&table.ids[self.rows[common[row]]]];
            scores.get(class).copied().unwrap_or(0.0)
        });
        Ok(Self {
            rows: common.iter().map(|&at| self.rows[at]).collect(),
            folds: common.iter().map(|&at| self.folds[at]).collect(),
            scores: average_probabilities(&[mine.view(), theirs.view()], None).map_err(sentence)?,
        })
    }

    /// The verdicts on some clips alone.
    #[must_use]
    pub fn only(&self, table: &Described, ids: &BTreeMap<String, Vec<f64>>) -> Self {
        let common: Vec<usize> =
            (0..self.rows.len()).filter(|&at| ids.contains_key(&table.ids[self.rows[at]])).collect();
        Self {
            rows: common.iter().map(|&at| self.rows[at]).collect(),
            folds: common.iter().map(|&at| self.folds[at]).collect(),
            scores: self.scores.select(Axis(0), &common),
        }
    }
}

/// The scores of a network's test part by clip, from the `predictions.csv` that `test` writes; ids are those of the table's clips.
///
/// # Errors
/// A sentence for a file that is not there or has other genres.
pub fn network_scores(path: &Path, table: &Described) -> Result<BTreeMap<String, Vec<f64>>> {
    let file = std::fs::File::open(path).map_err(|e| {
        format!("{}: {e}; --network names the work folder that `test` was run on", path.display())
    })?;
    let read = mgr_eval::table::read_predictions_csv(file).map_err(|e| format!("{}: {e}", path.display()))?;
    if read.classes != table.classes {
        return Err(format!(
            "{}: its genres are {}, those of the dataset {}",
            path.display(),
            read.classes.join(", "),
            table.classes.join(", ")
        ));
    }
    // Pictures are named after their clips: genre.stem.png.
    let name = |id: &str| {
        let path = PathBuf::from(id);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        stem.replace(['.', '/', '\\', ' '], "_")
    };
    let by_name: BTreeMap<String, &String> = table.ids.iter().map(|id| (name(id), id)).collect();
    let mut scores = BTreeMap::new();
    for clip in read.clips {
        let stem =
            clip.id.trim_end_matches(".png").split_once('.').map_or(clip.id.as_str(), |(_, stem)| stem);
        if let Some(id) = by_name.get(stem) {
            scores.insert((*id).clone(), clip.scores);
        }
    }
    Ok(scores)
}

/// The folds, apart by artist where artists are known, and what they are in words; for one fold 90 / 5 / 5 as published.
///
/// # Errors
/// A sentence for a genre too small for the folds.
pub fn folds_of(table: &Described, folds: usize, seed: u64) -> Result<(Vec<Fold>, String)> {
    let knows = table.groups.iter().any(Option::is_some);
    let group = |(at, group): (usize, &Option<String>)| group.clone().map_or((String::new(), at), |g| (g, 0));
    let groups: Vec<(String, usize)> = table.groups.iter().enumerate().map(group).collect();
    let apart = if knows { "apart by artist" } else { "by clip" };
    let refused = |e: mgr_eval::EvalError| split_refused(&e, &table.classes);
    if folds == 1 {
        let rule = RatioSplit { train: 0.9, validation: 0.05, seed };
        let fold = if knows { rule.split_groups(&table.labels, &groups) } else { rule.split(&table.labels) };
        return Ok((
            vec![fold.map_err(refused)?],
            format!(
                "90 / 5 / 5, {apart}, seed {seed}; nothing is chosen on the validation part, so it is trained on"
            ),
        ));
    }
    let validation_fraction = 0.0;
    let found = if knows {
        StratifiedGroupKFold { folds, seed, validation_fraction }.split(&table.labels, &groups)
    } else {
        StratifiedKFold { folds, seed, validation_fraction }.split(&table.labels)
    };
    Ok((found.map_err(refused)?, format!("{folds} stratified folds, {apart}, seed {seed}")))
}

/// The pictures of the table's clips as columns of numbers.
///
/// # Errors
/// A sentence for a clip that cannot be drawn.
pub fn pixels(clips: &Collection, table: &Described, imaging: &Imaging) -> Result<Described> {
    let imager = imaging.plan()?;
    let path_of: BTreeMap<&str, &PathBuf> = clips.entries.iter().map(|e| (e.id.as_str(), &e.path)).collect();
    let paths: Vec<PathBuf> = table.ids.iter().map(|id| path_of[id.as_str()].clone()).collect();
    let pictures = imager.pictures(&paths).into_iter().collect::<Result<Vec<_>>>()?;
    let width = pictures.first().map_or(0, |picture| picture.len());
    let flat: Vec<f64> = pictures.iter().flatten().map(|v| f64::from(*v) / 255.0).collect();
    let values = Array2::from_shape_vec((table.ids.len(), width), flat).map_err(sentence)?;
    Ok(Described { columns: (0..width).map(|at| format!("pixel_{at}")).collect(), values, ..table.clone() })
}
