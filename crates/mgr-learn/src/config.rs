//! Every classifier by name.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::ensemble::{StackingConfig, StackingModel, VotingConfig, VotingModel};
use crate::{
    AdaBoostConfig, AdaBoostModel, BaggingConfig, Classifier, Convergence, DecisionTreeConfig,
    ExtraTreesConfig, ForestModel, GaussianNbConfig, GaussianNbModel, GradientBoostingConfig,
    GradientBoostingModel, KnnConfig, KnnModel, LdaConfig, LdaModel, LearnError, Learner, LinearModel,
    LinearSvcConfig, LogisticModel, LogisticRegressionConfig, MlpConfig, MlpModel, NearestCentroidConfig,
    NearestCentroidModel, PerceptronConfig, RandomForestConfig, RidgeConfig, SgdConfig, SvcConfig, SvcModel,
};

macro_rules! learners {
    ($($(#[$doc:meta])* $variant:ident($config:ident) $model_variant:ident = $name:literal;)*) => {
        /// The settings of any classifier, with its name in the field `model`.
        ///
        /// ```
        /// use mgr_learn::{Classifier, Learner, LearnerConfig};
        /// use ndarray::array;
        ///
        /// let config: LearnerConfig = serde_json::from_str(r#"{"model": "svc", "c": 10.0}"#)?;
        /// let table = array![[0.0], [1.0], [5.0], [6.0]];
        /// let model = config.plan()?.fit(table.view(), &[0, 0, 1, 1], 2)?;
        /// assert_eq!(model.predict(table.view())?, [0, 0, 1, 1]);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "model")]
        #[non_exhaustive]
        pub enum LearnerConfig {
            $($(#[$doc])* #[serde(rename = $name)] $variant($config),)*
        }

        impl LearnerConfig {
            /// The names of all classifiers.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The default settings of a classifier; none for a name that there is not.
            #[must_use]
            pub fn of(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant($config::default())),)*
                    _ => None,
                }
            }

            /// The name of the classifier.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// Checks the settings.
            ///
            /// # Errors
            /// [`LearnError::Setting`] where one lies outside its range.
            pub fn plan(&self) -> Result<AnyLearner, LearnError> {
                match self {
                    $(Self::$variant(config) => { config.plan()?; })*
                }
                Ok(AnyLearner { config: self.clone() })
            }
        }

        impl Learner for AnyLearner {
            type Model = Model;

            fn fit(&self, table: ArrayView2<'_, f64>, labels: &[usize], classes: usize) -> Result<Model, LearnError> {
                match &self.config {
                    $(LearnerConfig::$variant(config) => {
                        Learner::fit(&config.plan()?, table, labels, classes).map(Model::$model_variant)
                    })*
                }
            }
        }
    };
}

learners! {
    /// Support vector machine.
    Svc(SvcConfig) Svc = "svc";
    /// Linear support vector machine, one class against the rest.
    LinearSvc(LinearSvcConfig) Linear = "linear_svc";
    /// Logistic regression.
    Logistic(LogisticRegressionConfig) Logistic = "logistic";
    /// Ridge classifier.
    Ridge(RidgeConfig) Ridge = "ridge";
    /// Stochastic gradient descent.
    Sgd(SgdConfig) Linear = "sgd";
    /// Perceptron.
    Perceptron(PerceptronConfig) Linear = "perceptron";
    /// Nearest neighbours.
    Knn(KnnConfig) Knn = "knn";
    /// Nearest centroid.
    NearestCentroid(NearestCentroidConfig) NearestCentroid = "nearest_centroid";
    /// Gaussian naive Bayes.
    GaussianNb(GaussianNbConfig) GaussianNb = "gaussian_nb";
    /// Linear discriminant analysis.
    Lda(LdaConfig) Lda = "lda";
    /// Decision tree.
    DecisionTree(DecisionTreeConfig) Forest = "decision_tree";
    /// Random forest.
    RandomForest(RandomForestConfig) Forest = "random_forest";
    /// Extra trees.
    ExtraTrees(ExtraTreesConfig) Forest = "extra_trees";
    /// Bagged trees.
    Bagging(BaggingConfig) Forest = "bagging";
    /// AdaBoost.
    AdaBoost(AdaBoostConfig) AdaBoost = "ada_boost";
    /// Gradient boosting.
    GradientBoosting(GradientBoostingConfig) GradientBoosting = "gradient_boosting";
    /// Multi-layer perceptron.
    Mlp(MlpConfig) Mlp = "mlp";
    /// A vote, or the mean of the probabilities, of several.
    Voting(VotingConfig) Voting = "voting";
    /// A classifier on the probabilities of several.
    Stacking(StackingConfig) Stacking = "stacking";
}

impl LearnerConfig {
    /// The same settings with another seed, also of those within; learners without chance are as they were.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        match &mut self {
            Self::Svc(c) => c.seed = seed,
            Self::LinearSvc(c) => c.seed = seed,
            Self::Sgd(c) => c.seed = seed,
            Self::Perceptron(c) => c.seed = seed,
            Self::DecisionTree(c) => c.seed = seed,
            Self::RandomForest(c) => c.seed = seed,
            Self::ExtraTrees(c) => c.seed = seed,
            Self::Bagging(c) => c.seed = seed,
            Self::AdaBoost(c) => c.seed = seed,
            Self::GradientBoosting(c) => c.seed = seed,
            Self::Mlp(c) => c.seed = seed,
            Self::Voting(c) => {
                c.learners = std::mem::take(&mut c.learners).into_iter().map(|l| l.with_seed(seed)).collect();
            }
            Self::Stacking(c) => {
                c.learners = std::mem::take(&mut c.learners).into_iter().map(|l| l.with_seed(seed)).collect();
                c.seed = seed;
            }
            _ => {}
        }
        self
    }
}

/// Any classifier ready to fit.
#[derive(Debug, Clone, PartialEq)]
pub struct AnyLearner {
    config: LearnerConfig,
}

impl AnyLearner {
    /// The settings.
    #[must_use]
    pub const fn config(&self) -> &LearnerConfig {
        &self.config
    }
}

macro_rules! models {
    ($($(#[$doc:meta])* $variant:ident($model:ident) = $name:literal;)*) => {
        /// Any fitted classifier.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Model {
            $($(#[$doc])* #[serde(rename = $name)] $variant($model),)*
        }

        impl Model {
            fn inner(&self) -> &dyn Classifier {
                match self {
                    $(Self::$variant(model) => model,)*
                }
            }
        }
    };
}

models! {
    /// Support vector machine.
    Svc(SvcModel) = "svc";
    /// Linear classifier.
    Linear(LinearModel) = "linear";
    /// Ridge classifier.
    Ridge(LinearModel) = "ridge";
    /// Logistic regression.
    Logistic(LogisticModel) = "logistic";
    /// Nearest neighbours.
    Knn(KnnModel) = "knn";
    /// Nearest centroid.
    NearestCentroid(NearestCentroidModel) = "nearest_centroid";
    /// Gaussian naive Bayes.
    GaussianNb(GaussianNbModel) = "gaussian_nb";
    /// Linear discriminant analysis.
    Lda(LdaModel) = "lda";
    /// One tree or many.
    Forest(ForestModel) = "forest";
    /// AdaBoost.
    AdaBoost(AdaBoostModel) = "ada_boost";
    /// Gradient boosting.
    GradientBoosting(GradientBoostingModel) = "gradient_boosting";
    /// Multi-layer perceptron.
    Mlp(MlpModel) = "mlp";
    /// A vote of several.
    Voting(VotingModel) = "voting";
    /// A classifier on the probabilities of several.
    Stacking(StackingModel) = "stacking";
}

impl Classifier for Model {
    fn classes(&self) -> usize {
        self.inner().classes()
    }

    fn present(&self) -> &[usize] {
        self.inner().present()
    }

    fn columns(&self) -> usize {
        self.inner().columns()
    }

    fn predict(&self, table: ArrayView2<'_, f64>) -> Result<Vec<usize>, LearnError> {
        self.inner().predict(table)
    }

    fn predict_proba(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        self.inner().predict_proba(table)
    }

    fn decision(&self, table: ArrayView2<'_, f64>) -> Result<Array2<f64>, LearnError> {
        self.inner().decision(table)
    }

    fn convergence(&self) -> Option<Convergence> {
        self.inner().convergence()
    }

    fn importances(&self) -> Option<Vec<f64>> {
        self.inner().importances()
    }
}
