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
mod convergence;
mod error;
mod knn;
mod lbfgs;
mod learner;
mod linear;
mod logistic;
mod matrix;
mod naive_bayes;
mod neighbours;
mod random;
mod scaler;
mod svm;
mod tree;

pub use centroid::{NearestCentroid, NearestCentroidConfig, NearestCentroidModel};
pub use convergence::Convergence;
pub use error::LearnError;
pub use knn::{Knn, KnnConfig, KnnModel, NeighbourWeight};
pub use learner::{ClassWeight, Classifier, Learner};
pub use linear::LinearModel;
pub use logistic::{LogisticModel, LogisticRegression, LogisticRegressionConfig};
pub use naive_bayes::{GaussianNb, GaussianNbConfig, GaussianNbModel};
pub use neighbours::Metric;
pub use scaler::StandardScaler;
pub use svm::{Gamma, Kernel, MultiClass, Svc, SvcConfig, SvcModel};
pub use tree::{
    AdaBoost, AdaBoostConfig, AdaBoostModel, Bagging, BaggingConfig, Criterion, DecisionTree, DecisionTreeConfig,
    ExtraTrees, ExtraTreesConfig, ForestModel, GradientBoosting, GradientBoostingConfig, GradientBoostingModel,
    MaxFeatures, RandomForest, RandomForestConfig, TreeSettings,
};
