//! Classical learning on feature tables.
//!
//! Tables are `(clips, features)` in `f64`; labels are class indices. Everything is deterministic: the same table and seed
//! give the same bytes, whatever the number of threads.
//!
//! ```
//! use mgr_learn::{LogisticRegressionConfig, StandardScaler};
//! use ndarray::array;
//!
//! let table = array![[0.0, 10.0], [1.0, 12.0], [5.0, 11.0], [6.0, 9.0]];
//! let labels = [0, 0, 1, 1];
//! let scaler = StandardScaler::fit(table.view())?;
//! let scaled = scaler.transform(table.view())?;
//! let model = LogisticRegressionConfig::default().plan()?.fit(scaled.view(), &labels, 2)?;
//! assert!(model.convergence().is_converged());
//! assert_eq!(model.predict(scaled.view())?, labels);
//! # Ok::<(), mgr_learn::LearnError>(())
//! ```
// Counts become floating-point numbers all over; below 2^53 they are exact.
#![allow(clippy::cast_precision_loss)]

mod centroid;
mod config;
mod convergence;
mod ensemble;
mod error;
mod knn;
mod lbfgs;
mod lda;
mod learner;
mod linalg;
mod linear;
mod linear_svc;
mod logistic;
mod matrix;
mod min_max;
mod mlp;
mod naive_bayes;
mod neighbours;
mod pca;
mod pipeline;
mod random;
mod ridge;
mod scaler;
mod selection;
mod sgd;
mod svm;
mod tree;
mod trustworthiness;
mod tsne;
mod umap;

pub use centroid::{NearestCentroid, NearestCentroidConfig, NearestCentroidModel};
pub use config::{AnyLearner, LearnerConfig, Model};
pub use convergence::Convergence;
pub use ensemble::{
    Stacking, StackingConfig, StackingModel, Vote, Voting, VotingConfig, VotingModel, average_probabilities,
};
pub use error::LearnError;
pub use knn::{Knn, KnnConfig, KnnModel, NeighbourWeight};
pub use lda::{Lda, LdaConfig, LdaModel};
pub use learner::{ClassWeight, Classifier, Learner};
pub use linear::LinearModel;
pub use linear_svc::{LinearSvc, LinearSvcConfig, LinearSvcLoss};
pub use logistic::{LogisticModel, LogisticRegression, LogisticRegressionConfig};
pub use min_max::MinMaxScaler;
pub use mlp::{Mlp, MlpConfig, MlpModel};
pub use naive_bayes::{GaussianNb, GaussianNbConfig, GaussianNbModel};
pub use neighbours::Metric;
pub use pca::{IncrementalPca, Pca, PcaConfig, PcaSolver};
pub use pipeline::{
    MODEL_FILE_VERSION, ModelFile, Pipeline, PipelineConfig, PipelineModel, ReductionConfig, ScalerConfig,
};
pub use ridge::{Ridge, RidgeConfig};
pub use scaler::StandardScaler;
pub use selection::{
    CandidateScore, FoldResult, Grid, Labelled, PermutationImportance, Progress, SILENT, best,
    cross_validate, name_column, nested, permutation_importance, search,
};
pub use sgd::{Perceptron, PerceptronConfig, Sgd, SgdConfig, SgdLoss};
pub use svm::{Gamma, Kernel, MultiClass, Svc, SvcConfig, SvcModel};
pub use tree::{
    AdaBoost, AdaBoostConfig, AdaBoostModel, Bagging, BaggingConfig, Criterion, DecisionTree,
    DecisionTreeConfig, ExtraTrees, ExtraTreesConfig, ForestModel, GradientBoosting, GradientBoostingConfig,
    GradientBoostingModel, MaxFeatures, RandomForest, RandomForestConfig, TreeSettings,
};
pub use trustworthiness::trustworthiness;
pub use tsne::{Tsne, TsneConfig};
pub use umap::{Umap, UmapConfig};
