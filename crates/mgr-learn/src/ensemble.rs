//! Classifiers made of classifiers.

use mgr_eval::split::StratifiedKFold;
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use serde::{Deserialize, Serialize};

use crate::config::{LearnerConfig, Model};
use crate::error::check_columns;
use crate::learner::{Classes, common, parallel, plan, targets, within};
use crate::{
    Classifier, Convergence, KnnConfig, LearnError, Learner, LogisticModel, LogisticRegressionConfig,
    RandomForestConfig, SvcConfig,
};

/// The mean of several tables of probabilities `(rows, classes)`, each with a weight of 0 or more; the fusion of classifiers that were
/// fitted on different features.
///
/// # Errors
/// [`LearnError::Rows`] without tables, [`LearnError::Inconsistent`] for tables of different shapes or weights that do not
/// match, [`LearnError::NotFinite`] for a value that is not a number.
pub fn average_probabilities(
    tables: &[ArrayView2<'_, f64>],
    weights: Option<&[f64]>,
) -> Result<Array2<f64>, LearnError> {
    let Some(first) = tables.first() else {
        return Err(LearnError::Rows { what: "an average", needed: 1, found: 0 });
    };
    let equal = vec![1.0; tables.len()];
    let weights = weights.unwrap_or(&equal);
    let sum: f64 = weights.iter().sum();
    if weights.len() != tables.len() || !weights.iter().all(|w| *w >= 0.0) || !(sum > 0.0 && sum.is_finite())
    {
        return Err(LearnError::Inconsistent {
            reason: "weights of an average are not one a table, 0 or more, with a sum above 0",
        });
    }
    let mut out = Array2::zeros(first.dim());
    for (table, weight) in tables.iter().zip(weights) {
        if table.dim() != first.dim() {
            return Err(LearnError::Inconsistent { reason: "tables of different shapes cannot be averaged" });
        }
        crate::error::check(*table)?;
        out.scaled_add(weight / sum, table);
    }
    Ok(out)
}

/// How a vote is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    /// Each learner has one vote for its class.
    Hard,
    /// The probabilities are averaged.
    #[default]
    Soft,
}

/// Settings of a vote of several learners, each fitted on the whole table (`sklearn.ensemble.VotingClassifier`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VotingConfig {
    /// The learners. Default logistic regression, a support vector machine with probabilities and a random forest.
    pub learners: Vec<LearnerConfig>,
    /// How votes are counted. Default by probabilities.
    pub vote: Vote,
    /// What each learner's vote counts, 0 or more; empty for all the same. Default empty.
    pub weights: Vec<f64>,
}

fn usual() -> Vec<LearnerConfig> {
    vec![
        LearnerConfig::Logistic(LogisticRegressionConfig::default()),
        LearnerConfig::Svc(SvcConfig { probability: true, ..SvcConfig::default() }),
        LearnerConfig::RandomForest(RandomForestConfig::default()),
    ]
}

impl Default for VotingConfig {
    fn default() -> Self {
        Self { learners: usual(), vote: Vote::default(), weights: Vec::new() }
    }
}

fn check_learners(learners: &[LearnerConfig]) -> Result<(), LearnError> {
    within("learners", learners.len() as f64, 1.0, 1000.0, "1 to 1000 learners")?;
    learners.iter().try_for_each(|l| l.plan().map(drop))
}

impl VotingConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range, also of the learners.
    pub fn plan(&self) -> Result<Voting, LearnError> {
        check_learners(&self.learners)?;
        let sum: f64 = self.weights.iter().sum();
        let valid = self.weights.len() == self.learners.len()
            && self.weights.iter().all(|w| *w >= 0.0)
            && sum > 0.0
            && sum.is_finite();
        if !valid && !self.weights.is_empty() {
            let allowed = "one weight of 0 or more for each learner, not all 0";
            return Err(LearnError::Setting { field: "weights", value: sum, allowed });
        }
        Ok(Voting { config: self.clone() })
    }
}

plan! {
    /// A vote ready to fit.
    Voting of VotingConfig
}

/// Fitted learners that vote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredVoting")]
pub struct VotingModel {
    classes: Classes,
    columns: usize,
    models: Vec<Model>,
    vote: Vote,
    weights: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredVoting {
    classes: Classes,
    columns: usize,
    models: Vec<Model>,
    vote: Vote,
    weights: Vec<f64>,
}

fn models_fit(models: &[Model], classes: &Classes, columns: usize) -> Result<(), LearnError> {
    let fits = |m: &Model| {
        m.classes() == classes.count && m.present() == classes.present.as_slice() && m.columns() == columns
    };
    if !models.is_empty() && models.iter().all(fits) {
        return Ok(());
    }
    Err(LearnError::Inconsistent { reason: "the models of an ensemble do not match" })
}

impl TryFrom<StoredVoting> for VotingModel {
    type Error = LearnError;

    fn try_from(s: StoredVoting) -> Result<Self, LearnError> {
        models_fit(&s.models, &s.classes, s.columns)?;
        let sum: f64 = s.weights.iter().sum();
        if s.weights.len() != s.models.len() || sum.is_nan() || sum <= 0.0 {
            return Err(LearnError::Inconsistent { reason: "models and weights do not match" });
        }
        let StoredVoting { classes, columns, models, vote, weights } = s;
        Ok(Self { classes, columns, models, vote, weights })
    }
}

impl Learner for Voting {
    type Model = VotingModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<VotingModel, LearnError> {
        let targets = targets(table, labels, classes)?;
        let VotingConfig { learners, vote, weights } = &self.config;
        let models = parallel(learners.len(), |i| learners[i].plan()?.fit(table, labels, classes))?;
        if *vote == Vote::Soft {
            // What cannot vote is told when it is fitted, not when it is used.
            let row = table.slice(s![..1, ..]);
            models.iter().try_for_each(|m| m.predict_proba(row).map(drop))?;
        }
        let weights = if weights.is_empty() { vec![1.0; models.len()] } else { weights.clone() };
        Ok(VotingModel { classes: targets.classes, columns: table.ncols(), models, vote: *vote, weights })
    }
}

impl VotingModel {
    fn shares(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        let sum: f64 = self.weights.iter().sum();
        let mut out = Array2::zeros((table.nrows(), self.classes.count));
        for (model, weight) in self.models.iter().zip(&self.weights) {
            match self.vote {
                Vote::Soft => out.scaled_add(weight / sum, &model.predict_proba(table)?),
                Vote::Hard => {
                    for (mut row, class) in out.rows_mut().into_iter().zip(model.predict(table)?) {
                        row[class] += weight / sum;
                    }
                }
            }
        }
        Ok(out)
    }
}

impl Classifier for VotingModel {
    common!();

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        let shares = self.shares(table)?;
        Ok(shares.rows().into_iter().map(crate::learner::argmax).collect())
    }

    /// The mean of the probabilities; with a hard vote the shares of the votes.
    fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        self.shares(table)
    }

    crate::learner::no_decision!("voting");

    fn convergence(&self) -> Option<Convergence> {
        self.models.iter().filter_map(Classifier::convergence).reduce(Convergence::and)
    }
}

/// Settings of stacking (D. H. Wolpert, "Stacked generalization", Neural Networks 5, 1992;
/// `sklearn.ensemble.StackingClassifier`): logistic regression on the probabilities that learners give to rows they were not
/// fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StackingConfig {
    /// The learners, which must give probabilities. Default a support vector machine, a random forest and nearest neighbours.
    pub learners: Vec<LearnerConfig>,
    /// The regression on top.
    pub last: LogisticRegressionConfig,
    /// Folds by which the learners' probabilities are made, 2 or more; every class needs as many rows. Default 5.
    pub folds: usize,
    /// Seed of the folds. Default 0.
    pub seed: u64,
}

impl Default for StackingConfig {
    fn default() -> Self {
        let mut learners = usual();
        learners[0] = LearnerConfig::Knn(KnnConfig::default());
        Self { learners, last: LogisticRegressionConfig::default(), folds: 5, seed: 0 }
    }
}

impl StackingConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearnError::Setting`] where one lies outside its range, also of the learners.
    pub fn plan(&self) -> Result<Stacking, LearnError> {
        check_learners(&self.learners)?;
        self.last.plan()?;
        within("folds", self.folds as f64, 2.0, 1e6, "2 or more")?;
        Ok(Stacking { config: self.clone() })
    }
}

plan! {
    /// Stacking ready to fit.
    Stacking of StackingConfig
}

/// Fitted learners and the regression on top.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredStacking")]
pub struct StackingModel {
    classes: Classes,
    columns: usize,
    models: Vec<Model>,
    last: LogisticModel,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredStacking {
    classes: Classes,
    columns: usize,
    models: Vec<Model>,
    last: LogisticModel,
}

impl TryFrom<StoredStacking> for StackingModel {
    type Error = LearnError;

    fn try_from(
        StoredStacking { classes, columns, models, last }: StoredStacking,
    ) -> Result<Self, LearnError> {
        models_fit(&models, &classes, columns)?;
        if Classifier::columns(&last) != models.len() * classes.count || last.classes() != classes.count {
            return Err(LearnError::Inconsistent { reason: "the models of an ensemble do not match" });
        }
        Ok(Self { classes, columns, models, last })
    }
}

fn beside(parts: &[Array2<f64>]) -> Result<Array2<f64>, LearnError> {
    let views: Vec<_> = parts.iter().map(|p| p.view()).collect();
    concatenate(Axis(1), &views)
        .map_err(|_| LearnError::Inconsistent { reason: "probabilities differ in rows" })
}

impl Learner for Stacking {
    type Model = StackingModel;

    fn fit(
        &self,
        table: ArrayView2<'_, f64>,
        labels: &[usize],
        classes: usize,
    ) -> Result<StackingModel, LearnError> {
        let StackingConfig { learners, last, folds, seed } = &self.config;
        let targets = targets(table, labels, classes)?;
        let folds = StratifiedKFold { folds: *folds, seed: *seed, validation_fraction: 0.0 }
            .split(labels)
            .map_err(|e| LearnError::Split { reason: e.to_string() })?;
        let found = parallel(learners.len() * folds.len(), |job| {
            let (learner, fold) = (&learners[job / folds.len()], &folds[job % folds.len()]);
            let own: Vec<usize> = fold.train.iter().map(|&i| labels[i]).collect();
            let model = learner.plan()?.fit(table.select(Axis(0), &fold.train).view(), &own, classes)?;
            model.predict_proba(table.select(Axis(0), &fold.test).view())
        })?;
        let mut parts = Vec::with_capacity(learners.len());
        for of_learner in found.chunks(folds.len()) {
            let mut part = Array2::zeros((table.nrows(), classes));
            for (fold, values) in folds.iter().zip(of_learner) {
                for (&i, row) in fold.test.iter().zip(values.rows()) {
                    part.row_mut(i).assign(&row);
                }
            }
            parts.push(part);
        }
        let last = last.plan()?.fit(beside(&parts)?.view(), labels, classes)?;
        let models = parallel(learners.len(), |i| learners[i].plan()?.fit(table, labels, classes))?;
        Ok(StackingModel { classes: targets.classes, columns: table.ncols(), models, last })
    }
}

impl StackingModel {
    fn below(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        check_columns(table, self.columns)?;
        let parts: Vec<Array2<f64>> =
            self.models.iter().map(|m| m.predict_proba(table)).collect::<Result<_, _>>()?;
        beside(&parts)
    }
}

impl Classifier for StackingModel {
    common!();

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        self.last.predict(self.below(table)?.view())
    }

    fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        self.last.predict_proba(self.below(table)?.view())
    }

    fn decision(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        self.last.decision(self.below(table)?.view())
    }

    fn convergence(&self) -> Option<Convergence> {
        let models = self.models.iter().filter_map(Classifier::convergence);
        models.chain([self.last.convergence()]).reduce(Convergence::and)
    }
}
