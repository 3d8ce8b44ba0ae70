//! How the learning rate changes from epoch to epoch.

use serde::{Deserialize, Serialize};

use super::config::{check_number, invalid};
use crate::Error;

/// A learning rate schedule. With e the number of finished epochs and r the optimiser's learning rate, the formulas below
/// give the learning rate of the next epoch. None depends on the planned number of epochs, so a run can be extended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Schedule {
    /// r
    #[default]
    Constant,
    /// max(`minimum`, r x `factor`^floor(e / `every`)), PyTorch's `StepLR`.
    Step {
        /// Epochs between changes, at least 1.
        every: usize,
        /// Factor at each change, above 0 to 1.
        factor: f64,
        /// Smallest learning rate. Default 0.
        #[serde(default)]
        minimum: f64,
    },
    /// max(`minimum`, r x `factor`^e), PyTorch's `ExponentialLR`.
    Exponential {
        /// Factor per epoch, above 0 to 1.
        factor: f64,
        /// Smallest learning rate. Default 0.
        #[serde(default)]
        minimum: f64,
    },
    /// `minimum` + (r - `minimum`)(1 + cos(pi min(e, `period`) / `period`)) / 2, PyTorch's `CosineAnnealingLR`, which then
    /// stays at its minimum (PyTorch's rises again).
    Cosine {
        /// Epochs until the minimum, at least 1.
        period: usize,
        /// Smallest learning rate. Default 0.
        #[serde(default)]
        minimum: f64,
    },
}

impl Schedule {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let factor = |value: f64| {
            if value > 0.0 && value <= 1.0 {
                Ok(())
            } else {
                Err(invalid("schedule.factor", value, "above 0 to 1"))
            }
        };
        let minimum = |value| check_number("schedule.minimum", value, 0.0, 1e6, "0 to below 1e6");
        match *self {
            Self::Constant => Ok(()),
            Self::Step { every: 0, .. } => Err(invalid("schedule.every", 0, "1 and more")),
            Self::Cosine { period: 0, .. } => Err(invalid("schedule.period", 0, "1 and more")),
            Self::Step { factor: f, minimum: m, .. } | Self::Exponential { factor: f, minimum: m } => {
                factor(f)?;
                minimum(m)
            }
            Self::Cosine { minimum: m, .. } => minimum(m),
        }
    }

    /// The learning rate after `finished` epochs for the optimiser's learning rate `base`.
    #[must_use]
    pub fn learning_rate(&self, base: f64, finished: usize) -> f64 {
        match *self {
            Self::Constant => base,
            Self::Step { every, factor, minimum } => {
                (base * factor.powf((finished / every.max(1)) as f64)).max(minimum)
            }
            Self::Exponential { factor, minimum } => (base * factor.powf(finished as f64)).max(minimum),
            Self::Cosine { period, minimum } => {
                let phase = finished.min(period) as f64 / period.max(1) as f64;
                minimum + (base - minimum) * (1.0 + (std::f64::consts::PI * phase).cos()) / 2.0
            }
        }
    }
}
