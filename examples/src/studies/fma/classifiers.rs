//! The fifteen classifiers and the votes of the study, their scores, cross-validation and importance.

use std::time::Instant;

use mgr_eval::metrics::{ConfusionMatrix, Interval, MacroOver, mean_and_deviation, wilson_interval};
use mgr_learn::{
    Classifier, Labelled, Learner, LearnerConfig, MlpConfig, PipelineConfig, PipelineModel,
    RandomForestConfig, SILENT, Vote, VotingConfig, cross_validate, permutation_importance,
};
use serde::Serialize;

use super::tables::StudyTable;
use crate::studies::picture_parts::spoken::{Result, sentence};

/// A classifier of the study: our name, scikit-learn's, and the published accuracy (16 classes of FMA).
#[derive(Debug, Clone)]
pub struct Entrant {
    /// Our name.
    pub name: String,
    /// The name in the original's table.
    pub original: &'static str,
    /// The published accuracy.
    pub published: f64,
    /// Its settings.
    pub learner: LearnerConfig,
}

// 0.3926 is an accuracy, and no eighth of pi.
#[allow(clippy::approx_constant)]
const FIFTEEN: [(&str, &str, f64); 15] = [
    ("mlp", "MLPClassifier", 0.5900),
    ("svc", "SVC", 0.5773),
    ("random_forest", "RandomForestClassifier", 0.5563),
    ("extra_trees", "ExtraTreesClassifier", 0.5560),
    ("linear_svc", "LinearSVC", 0.5466),
    ("logistic", "LogisticRegression", 0.5389),
    ("knn", "KNeighborsClassifier", 0.5199),
    ("sgd", "SGDClassifier", 0.5157),
    ("bagging", "BaggingClassifier", 0.5082),
    ("ridge", "RidgeClassifier", 0.5056),
    ("ada_boost", "AdaBoostClassifier", 0.3939),
    ("decision_tree", "DecisionTreeClassifier", 0.3926),
    ("nearest_centroid", "NearestCentroid", 0.3783),
    ("perceptron", "Perceptron", 0.3656),
    ("gaussian_nb", "GaussianNB", 0.3638),
];

/// Names of the fifteen classifiers.
pub const NAMES: [&str; 15] = {
    let mut names = [""; 15];
    let mut at = 0;
    while at < 15 {
        names[at] = FIFTEEN[at].0;
        at += 1;
    }
    names
};

fn of(name: &str) -> Result<LearnerConfig> {
    LearnerConfig::of(name)
        .ok_or_else(|| format!("no classifier is named {name}, there are {}", NAMES.join(", ")))
}

/// The classifiers of some names, all for none.
///
/// # Errors
/// A sentence for a name that there is not.
pub fn entrants(names: &[String], seed: u64) -> Result<Vec<Entrant>> {
    if let Some(wrong) = names.iter().find(|name| !NAMES.contains(&name.as_str())) {
        return Err(format!("no classifier of the study is named {wrong}, there are {}", NAMES.join(", ")));
    }
    FIFTEEN
        .into_iter()
        .filter(|(name, ..)| names.is_empty() || names.iter().any(|n| n == name))
        .map(|(name, original, published)| {
            let learner = of(name)?.with_seed(seed);
            Ok(Entrant { name: name.to_owned(), original, published, learner })
        })
        .collect()
}

/// The three hard votes.
///
/// # Errors
/// None in practice.
pub fn votes(seed: u64) -> Result<Vec<Entrant>> {
    let forest =
        LearnerConfig::RandomForest(RandomForestConfig { n_estimators: 50, ..RandomForestConfig::default() });
    let vote = |name: &str, original, published, learners| Entrant {
        name: name.to_owned(),
        original,
        published,
        learner: LearnerConfig::Voting(VotingConfig { learners, vote: Vote::Hard, weights: Vec::new() })
            .with_seed(seed),
    };
    Ok(vec![
        vote("vote of mlp, svc", "VotingClassifier(MLP, SVC)", 0.5870, vec![of("mlp")?, of("svc")?]),
        vote(
            "vote of mlp, random_forest (50), svc",
            "VotingClassifier(MLP, RFC, SVC)",
            0.5835,
            vec![of("mlp")?, forest.clone(), of("svc")?],
        ),
        vote(
            "vote of knn, random_forest (50), gaussian_nb",
            "VotingClassifier(KNN, RFC, GaussianNB)",
            0.5312,
            vec![of("knn")?, forest, of("gaussian_nb")?],
        ),
    ])
}

/// What a classifier reached.
#[derive(Debug, Clone, Serialize)]
pub struct Scored {
    /// Its name.
    pub name: String,
    /// The name in the original's table.
    pub original: &'static str,
    /// The published accuracy, on another table.
    pub published: f64,
    /// Accuracy on the validation part.
    pub validation: f64,
    /// Accuracy on the test part, the same as micro-averaged precision, recall and F1.
    pub accuracy: f64,
    /// Its 95 % Wilson interval.
    pub interval: Interval,
    /// Right clips of the test part.
    pub right: u64,
    /// Clips of the test part.
    pub tested: u64,
    /// Mean precision over the genres.
    pub macro_precision: f64,
    /// Mean recall over the genres.
    pub macro_recall: f64,
    /// Mean F1 over the genres.
    pub macro_f1: f64,
    /// Seconds of the fit.
    pub fit_seconds: f64,
    /// Whether the fit ended before it had converged.
    pub stopped_early: bool,
    /// The confusion matrix of the test part.
    #[serde(skip)]
    pub matrix: ConfusionMatrix,
    /// The fitted pipeline.
    #[serde(skip)]
    pub model: PipelineModel,
}

/// Fits on the training part, asks for the validation part and once for the test part.
///
/// # Errors
/// The sentences of mgr-learn and mgr-eval.
pub fn score(table: &StudyTable, entrant: &Entrant) -> Result<Scored> {
    let classes = table.classes.len();
    let (train, labels) = table.part(&table.fold.train);
    let begin = Instant::now();
    let model = PipelineConfig::scaled(entrant.learner.clone())
        .plan()
        .and_then(|pipeline| pipeline.fit(train.view(), &labels, classes))
        .map_err(|e| format!("{}: {e}", entrant.name))?;
    let fit_seconds = begin.elapsed().as_secs_f64();
    let asked = |rows: &[usize]| -> Result<ConfusionMatrix> {
        let (values, labels) = table.part(rows);
        let predicted = model.predict(values.view()).map_err(sentence)?;
        ConfusionMatrix::from_labels(&labels, &predicted, classes).map_err(sentence)
    };
    let validation =
        if table.fold.validation.is_empty() { f64::NAN } else { asked(&table.fold.validation)?.accuracy() };
    let matrix = asked(&table.fold.test)?;
    let mean = matrix.macro_average(MacroOver::Present);
    Ok(Scored {
        name: entrant.name.clone(),
        original: entrant.original,
        published: entrant.published,
        validation,
        accuracy: matrix.accuracy(),
        interval: wilson_interval(matrix.correct(), matrix.total(), 0.95).map_err(sentence)?,
        right: matrix.correct(),
        tested: matrix.total(),
        macro_precision: mean.precision,
        macro_recall: mean.recall,
        macro_f1: mean.f1,
        fit_seconds,
        stopped_early: model.convergence().is_some_and(|c| !c.is_converged()),
        matrix,
        model,
    })
}

/// The multi-layer perceptron of one layer of 64 that the study cross-validates (200 iterations) and draws (400).
#[must_use]
pub fn small_mlp(max_iterations: usize, seed: u64) -> LearnerConfig {
    LearnerConfig::Mlp(MlpConfig { hidden: vec![64], max_iterations, seed, ..MlpConfig::default() })
}

/// Mean and deviation of the accuracy over folds of the training part.
#[derive(Debug, Clone, Serialize)]
pub struct CrossValidated {
    /// The classifier.
    pub name: &'static str,
    /// What the study states, on another table.
    pub published: &'static str,
    /// Mean accuracy over the folds.
    pub mean: f64,
    /// Deviation over the folds (divisor: their number).
    pub deviation: f64,
    /// Accuracy of each fold.
    pub folds: Vec<f64>,
}

/// Cross-validates the two classifiers of the study on the training part.
///
/// # Errors
/// A sentence for a genre with fewer rows than folds; those of mgr-learn.
pub fn cross_validated(table: &StudyTable, folds: usize, seed: u64) -> Result<Vec<CrossValidated>> {
    let (train, labels) = table.part(&table.fold.train);
    let mut counts = vec![0; table.classes.len()];
    labels.iter().for_each(|&label| counts[label] += 1);
    if let Some((class, n)) = counts.iter().enumerate().find(|(_, n)| **n < folds) {
        return Err(format!(
            "{} has {n} training rows for {folds} folds of the cross-validation; ask for fewer with --folds, or leave small classes out with --least N",
            table.classes[class]
        ));
    }
    let data = Labelled::new(train.view(), &labels, None, table.classes.len()).map_err(sentence)?;
    let parts = data.folds(folds, seed).map_err(sentence)?;
    let rbf = of("svc")?;
    [("mlp of 64", ".56 +- .02", small_mlp(200, seed)), ("svc, radial", ".60 +- .02", rbf)]
        .into_iter()
        .map(|(name, published, learner)| {
            let found =
                cross_validate(&PipelineConfig::scaled(learner), data, &parts, SILENT).map_err(sentence)?;
            let right = |r: &mgr_learn::FoldResult| {
                let hits = r.rows.iter().zip(&r.predicted).filter(|(row, p)| labels[**row] == **p).count();
                hits as f64 / r.rows.len() as f64
            };
            let folds: Vec<f64> = found.iter().map(right).collect();
            let summary = mean_and_deviation(&folds).map_err(sentence)?;
            let deviation = summary.population_deviation();
            Ok(CrossValidated { name, published, mean: summary.mean, deviation, folds })
        })
        .collect()
}

/// How much a column matters to the forest.
#[derive(Debug, Clone, Serialize)]
pub struct ColumnImportance {
    /// The column.
    pub column: String,
    /// Mean decrease of impurity on the training part.
    pub impurity: f64,
    /// Mean drop of the test accuracy when the column is shuffled; none where it was not asked for.
    pub permutation: Option<f64>,
    /// Its deviation over the shuffles.
    pub permutation_deviation: Option<f64>,
}

/// The importance of all columns to a random forest of the training part, the highest first.
///
/// # Errors
/// The sentence of mgr-learn.
pub fn importance(table: &StudyTable, shuffles: usize, seed: u64) -> Result<Vec<ColumnImportance>> {
    let (train, labels) = table.part(&table.fold.train);
    let forest = PipelineConfig::scaled(of("random_forest")?.with_seed(seed))
        .plan()
        .and_then(|p| p.fit(train.view(), &labels, table.classes.len()))
        .map_err(sentence)?;
    let impurity = forest.importances().unwrap_or_default();
    let (test, tested) = table.part(&table.fold.test);
    let drops = match shuffles {
        0 => Vec::new(),
        _ => permutation_importance(&forest, test.view(), &tested, shuffles, seed).map_err(sentence)?,
    };
    let mut found: Vec<ColumnImportance> = table
        .columns
        .iter()
        .zip(impurity)
        .enumerate()
        .map(|(at, (column, impurity))| ColumnImportance {
            column: column.clone(),
            impurity,
            permutation: drops.get(at).map(|d| d.mean),
            permutation_deviation: drops.get(at).map(|d| d.deviation),
        })
        .collect();
    found.sort_by(|a, b| b.impurity.total_cmp(&a.impurity));
    Ok(found)
}
