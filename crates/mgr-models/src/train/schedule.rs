//! How the learning rate changes from epoch to epoch or from step to step.

use serde::{Deserialize, Serialize};

use super::config::{check_number, invalid};
use super::history::{EpochRecord, History};
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
    /// One cycle, step by step: half a cosine from r / `start_divisor` up to r in the first `rise` of all steps of `period`
    /// epochs, and half a cosine down to r / `start_divisor` / `final_divisor` in the rest, where it then stays. PyTorch's
    /// `OneCycleLR` in two phases with `cycle_momentum=False`, r its `max_lr`. Smith, Topin, 2017.
    OneCycle {
        /// Epochs of the cycle, at least 1.
        period: usize,
        /// Share of the steps in which the rate rises, 0 to 1. Default 0.3.
        #[serde(default = "rise")]
        rise: f64,
        /// r over the rate of the first step, at least 1. Default 25.
        #[serde(default = "start_divisor")]
        start_divisor: f64,
        /// Rate of the first step over that of the last, at least 1. Default 10,000.
        #[serde(default = "final_divisor")]
        final_divisor: f64,
    },
    /// PyTorch's `ReduceLROnPlateau`: where more than `patience` epochs in a row were not better than the best by the share
    /// `threshold`, the rate is multiplied by `factor` from the next epoch on, and `cooldown` epochs are then not counted.
    Plateau {
        /// What should get better. Default the validation loss.
        #[serde(default)]
        measure: Measure,
        /// Factor at each change, above 0 to 1. Default 0.1.
        #[serde(default = "plateau_factor")]
        factor: f64,
        /// Epochs that may be no better. Default 10.
        #[serde(default = "plateau_patience")]
        patience: usize,
        /// Share of the best by which an epoch must be better, 0 to below 1. Default 1e-4.
        #[serde(default = "plateau_threshold")]
        threshold: f64,
        /// Epochs after a change that are not counted. Default 0.
        #[serde(default)]
        cooldown: usize,
        /// Smallest learning rate. Default 0.
        #[serde(default)]
        minimum: f64,
    },
}

fn rise() -> f64 {
    0.3
}

fn start_divisor() -> f64 {
    25.0
}

fn final_divisor() -> f64 {
    1e4
}

fn plateau_factor() -> f64 {
    0.1
}

fn plateau_patience() -> usize {
    10
}

fn plateau_threshold() -> f64 {
    1e-4
}

/// A number of an epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Loss over the validation part.
    #[default]
    ValidationLoss,
    /// Accuracy over the validation part.
    ValidationAccuracy,
    /// Loss over the training part.
    TrainLoss,
}

impl Measure {
    fn of(self, record: &EpochRecord) -> Option<f64> {
        match self {
            Self::ValidationLoss => record.validation.map(|validation| validation.loss),
            Self::ValidationAccuracy => record.validation.map(|validation| validation.accuracy),
            Self::TrainLoss => Some(record.train.loss),
        }
    }

    fn is_better(self, value: f64, best: f64, threshold: f64) -> bool {
        match self {
            Self::ValidationLoss | Self::TrainLoss => value < best * (1.0 - threshold),
            Self::ValidationAccuracy => value > best * (1.0 + threshold),
        }
    }
}

/// The learning rate grows evenly from `start` times the schedule's to the schedule's in the first `steps` steps of a run;
/// PyTorch's `LinearLR` by the step, multiplied onto the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WarmUpConfig {
    /// Steps of growth, at least 1. Default 500.
    pub steps: usize,
    /// Factor of the first step, above 0 to 1. Default 0.01.
    pub start: f64,
}

impl Default for WarmUpConfig {
    fn default() -> Self {
        Self { steps: 500, start: 0.01 }
    }
}

impl WarmUpConfig {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.steps == 0 {
            return Err(invalid("warm_up.steps", 0, "1 and more"));
        }
        check_number("warm_up.start", self.start, f64::MIN_POSITIVE, 1.0 + f64::EPSILON, "above 0 to 1")
    }

    /// Factor of the learning rate after so many steps of the whole run.
    #[must_use]
    pub fn factor(&self, finished_steps: usize) -> f64 {
        let share = finished_steps.min(self.steps) as f64 / self.steps.max(1) as f64;
        self.start + (1.0 - self.start) * share
    }
}

/// Where a run stands before a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    /// The finished epochs.
    pub(crate) history: &'a History,
    /// Finished steps of this epoch.
    pub(crate) step: usize,
    /// Steps of an epoch.
    pub(crate) steps: usize,
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
        let divisor = |field, value| check_number(field, value, 1.0, 1e12, "1 to below 1e12");
        match *self {
            Self::Constant => Ok(()),
            Self::Step { every: 0, .. } => Err(invalid("schedule.every", 0, "1 and more")),
            Self::Cosine { period: 0, .. } | Self::OneCycle { period: 0, .. } => {
                Err(invalid("schedule.period", 0, "1 and more"))
            }
            Self::Step { factor: f, minimum: m, .. } | Self::Exponential { factor: f, minimum: m } => {
                factor(f)?;
                minimum(m)
            }
            Self::Cosine { minimum: m, .. } => minimum(m),
            Self::OneCycle { rise, start_divisor, final_divisor, .. } => {
                check_number("schedule.rise", rise, 0.0, 1.0 + f64::EPSILON, "0 to 1")?;
                divisor("schedule.start_divisor", start_divisor)?;
                divisor("schedule.final_divisor", final_divisor)
            }
            Self::Plateau { factor: f, threshold, minimum: m, .. } => {
                factor(f)?;
                check_number("schedule.threshold", threshold, 0.0, 1.0, "0 to below 1")?;
                minimum(m)
            }
        }
    }

    /// Whether the rate depends on the validation part.
    pub(crate) fn needs_validation(&self) -> bool {
        matches!(self, Self::Plateau { measure: Measure::ValidationLoss | Measure::ValidationAccuracy, .. })
    }

    /// The learning rate after `finished` epochs for the optimiser's learning rate `base`. For [`Schedule::OneCycle`], whose
    /// rate changes with every step, that of an epoch of one step; for [`Schedule::Plateau`], whose rate depends on what
    /// happened, `base`: [`Schedule::after`] asks for that.
    #[must_use]
    pub fn learning_rate(&self, base: f64, finished: usize) -> f64 {
        match *self {
            Self::Constant | Self::Plateau { .. } => base,
            Self::Step { every, factor, minimum } => {
                (base * factor.powf((finished / every.max(1)) as f64)).max(minimum)
            }
            Self::Exponential { factor, minimum } => (base * factor.powf(finished as f64)).max(minimum),
            Self::Cosine { period, minimum } => half_cosine(base, minimum, finished.min(period), period),
            Self::OneCycle { .. } => self.one_cycle(base, finished, 1),
        }
    }

    /// The learning rate of the step after `step` finished steps of an epoch of `steps`, after the epochs of `history`.
    #[must_use]
    pub fn after(&self, base: f64, history: &History, step: usize, steps: usize) -> f64 {
        self.rate(base, &Moment { history, step, steps })
    }

    pub(crate) fn rate(&self, base: f64, moment: &Moment<'_>) -> f64 {
        let finished = moment.history.epochs().len();
        match *self {
            Self::OneCycle { .. } => {
                let steps = moment.steps.max(1);
                self.one_cycle(base, finished * steps + moment.step, steps)
            }
            Self::Plateau { measure, factor, patience, threshold, cooldown, minimum } => {
                let values = moment.history.epochs().iter().filter_map(|record| measure.of(record));
                let (mut rate, mut best, mut bad, mut cooling) = (base, None, 0, 0);
                for value in values {
                    if best.is_none_or(|best| measure.is_better(value, best, threshold)) {
                        best = Some(value);
                        bad = 0;
                    } else {
                        bad += 1;
                    }
                    if cooling > 0 {
                        cooling -= 1;
                        bad = 0;
                    }
                    if bad > patience {
                        let lower = f64::max(rate * factor, minimum);
                        // PyTorch leaves changes under 1e-8 out.
                        if rate - lower > 1e-8 {
                            rate = lower;
                        }
                        cooling = cooldown;
                        bad = 0;
                    }
                }
                rate
            }
            _ => self.learning_rate(base, finished),
        }
    }

    /// After `finished` steps, of which an epoch has `steps`.
    fn one_cycle(&self, base: f64, finished: usize, steps: usize) -> f64 {
        let Self::OneCycle { period, rise, start_divisor, final_divisor } = *self else { return base };
        let total = (period.saturating_mul(steps)).max(1) as f64;
        let (first, last) = (base / start_divisor, base / start_divisor / final_divisor);
        let (top, end) = (rise * total - 1.0, total - 1.0);
        let now = (finished as f64).min(end);
        let between = |from: f64, to: f64, share: f64| {
            to + (from - to) / 2.0 * (1.0 + (std::f64::consts::PI * share).cos())
        };
        if now <= top {
            // Where the rise is one step the first rate is already the top.
            between(first, base, if top > 0.0 { now / top } else { 1.0 })
        } else {
            between(base, last, if end > top { (now - top) / (end - top) } else { 1.0 })
        }
    }
}

fn half_cosine(base: f64, minimum: f64, finished: usize, period: usize) -> f64 {
    let phase = finished as f64 / period.max(1) as f64;
    minimum + (base - minimum) * (1.0 + (std::f64::consts::PI * phase).cos()) / 2.0
}
