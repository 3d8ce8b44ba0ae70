//! Classical learning on feature tables: a standard scaler and multinomial logistic regression.
//!
//! Tables are `(clips, features)` in `f64`; labels are class indices. Everything is deterministic and single-threaded: the
//! same table gives the same bytes.
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

mod error;
mod lbfgs;
mod logistic;
mod scaler;

pub use error::LearnError;
pub use logistic::{Convergence, LogisticModel, LogisticRegression, LogisticRegressionConfig};
pub use scaler::StandardScaler;
