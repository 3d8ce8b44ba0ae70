//! How sure a figure is, and whether one system is better than another.
//!
//! | question | function |
//! |---|---|
//! | How sure is this figure, clips being independent? | [`bootstrap_clips`], [`wilson_interval`](crate::metrics::wilson_interval) |
//! | ... where clips share an artist or album? | [`bootstrap_groups`] |
//! | Do two systems differ, tested on the same clips once? | [`mcnemar`] |
//! | ... over (repeated) k folds? | [`corrected_t_test`] |
//! | Do many systems differ over many datasets? | [`friedman`], then [`Friedman::nemenyi`] |
//!
//! A p-value is the chance of a difference at least as large where there is none; it says nothing of how large the
//! difference is. All tests are two-sided.

mod bootstrap;
pub(crate) mod distribution;
mod folds;
mod mcnemar;
mod ranks;

pub use bootstrap::{BootstrapConfig, BootstrapInterval, BootstrapMethod, bootstrap_clips, bootstrap_groups};
pub use folds::{CorrectedTTest, corrected_t_test};
pub use mcnemar::{McNemar, mcnemar, mcnemar_counts};
pub use ranks::{Friedman, Nemenyi, friedman};

use crate::EvalError;

fn check_share(name: &'static str, value: f64) -> Result<(), EvalError> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(EvalError::Parameter { name, value, allowed: "between 0 and 1, both excluded" })
}
