//! Steps, and chains of them.

use std::fmt;
use std::sync::Arc;

use super::{AugmentError, MAX_MAGNITUDE, Outcome, Random, StepLog, Values};

/// One kind of augmentation with its ranges: draws values, and applies drawn values.
///
/// Implement it for a step of your own, and make it a [`Step`] with [`Step::new`].
pub trait Augmentation: fmt::Debug + Send + Sync {
    /// Name in logs, snake case.
    fn name(&self) -> &'static str;

    /// Draws the values for a clip of `samples` samples. The names `step` and `outcome` are taken by the log itself.
    fn draw(&self, samples: usize, random: &mut Random) -> Values;

    /// Applies values to a clip: a pure function of both. Values may come from a log that someone edited: they are checked.
    ///
    /// # Errors
    /// [`AugmentError::Log`] for values the step cannot take, [`AugmentError::Step`] where it fails.
    fn apply(&self, samples: &mut Vec<f32>, values: &Values) -> Result<Outcome, AugmentError>;
}

/// An augmentation and the probability that it is applied. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Step {
    augmentation: Arc<dyn Augmentation>,
    probability: f64,
}

impl Step {
    /// A step that is applied with `probability`, 0 to 1.
    ///
    /// # Errors
    /// [`AugmentError::Config`] for another probability.
    pub fn new(augmentation: impl Augmentation + 'static, probability: f64) -> Result<Self, AugmentError> {
        if !(0.0..=1.0).contains(&probability) {
            return Err(AugmentError::config("probability", probability, "0 to 1"));
        }
        Ok(Self { augmentation: Arc::new(augmentation), probability })
    }

    /// Name in logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.augmentation.name()
    }

    /// The probability that the step is applied.
    #[must_use]
    pub fn probability(&self) -> f64 {
        self.probability
    }

    /// Draws by the stream and applies.
    ///
    /// # Errors
    /// [`AugmentError::EmptySignal`] without samples, [`AugmentError::NotFinite`] for a sample that is NaN, infinite or beyond
    /// 1e30 before or after the step, and the step's own.
    pub fn apply(&self, samples: &mut Vec<f32>, random: &mut Random) -> Result<StepLog, AugmentError> {
        check_input(samples)?;
        self.apply_checked(samples, random)
    }

    /// Does again what a log says.
    ///
    /// # Errors
    /// As [`apply`](Self::apply), and [`AugmentError::Log`] for the log of another step or with values it cannot take.
    pub fn replay(&self, samples: &mut Vec<f32>, log: &StepLog) -> Result<StepLog, AugmentError> {
        check_input(samples)?;
        self.replay_checked(samples, log)
    }

    fn apply_checked(&self, samples: &mut Vec<f32>, random: &mut Random) -> Result<StepLog, AugmentError> {
        let chosen = random.unit() < self.probability;
        let values = if chosen { self.augmentation.draw(samples.len(), random) } else { Values::new() };
        let outcome = if chosen { Outcome::Applied } else { Outcome::Skipped };
        self.replay_checked(samples, &StepLog { step: self.name().to_owned(), outcome, values })
    }

    fn replay_checked(&self, samples: &mut Vec<f32>, log: &StepLog) -> Result<StepLog, AugmentError> {
        if log.step != self.name() {
            return Err(AugmentError::log(&*log.step, format!("the chain has {} here", self.name())));
        }
        if log.outcome == Outcome::Skipped {
            return Ok(log.clone());
        }
        let outcome = self.augmentation.apply(samples, &log.values)?;
        if samples.is_empty() {
            return Err(AugmentError::NothingLeft { step: self.name() });
        }
        check(samples, || format!("after {}", self.name()))?;
        Ok(StepLog { outcome, ..log.clone() })
    }
}

/// A clip after a chain, and what was done to it.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Augmented {
    /// The samples; as many as before but for steps that change the length.
    pub samples: Vec<f32>,
    /// One entry per step, in order.
    pub log: Vec<StepLog>,
}

/// Steps that are applied one after the other. Cheap to clone; a chain of no steps changes nothing.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    steps: Arc<[Step]>,
}

impl Chain {
    /// A chain of steps, which were planned for the same sample rate.
    #[must_use]
    pub fn new(steps: Vec<Step>) -> Self {
        Self { steps: steps.into() }
    }

    /// The steps in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The clip augmented: a pure function of samples and seed.
    ///
    /// # Errors
    /// [`AugmentError::EmptySignal`] without samples, [`AugmentError::NotFinite`] for a sample that is NaN, infinite or beyond
    /// 1e30 in the input or after a step, and the steps' own.
    pub fn process(&self, samples: &[f32], seed: u64) -> Result<Augmented, AugmentError> {
        check_input(samples)?;
        let mut samples = samples.to_vec();
        let mut log = Vec::with_capacity(self.steps.len());
        for (place, step) in self.steps.iter().enumerate() {
            let mut random = Random::keyed(seed, &[place as u64, name_key(step.name())]);
            log.push(step.apply_checked(&mut samples, &mut random)?);
        }
        Ok(Augmented { samples, log })
    }

    /// The clip augmented as a log says. With the samples that the log was made for, the result is the same to the last bit,
    /// also where ranges or probabilities of the chain have changed since.
    ///
    /// # Errors
    /// As [`process`](Self::process), and [`AugmentError::Log`] where the log is of other steps.
    pub fn replay(&self, samples: &[f32], log: &[StepLog]) -> Result<Augmented, AugmentError> {
        check_input(samples)?;
        if log.len() != self.steps.len() {
            let reason = format!("{} entries for {} steps", log.len(), self.steps.len());
            return Err(AugmentError::log("all", reason));
        }
        let mut samples = samples.to_vec();
        let steps = self.steps.iter().zip(log);
        let log =
            steps.map(|(step, entry)| step.replay_checked(&mut samples, entry)).collect::<Result<_, _>>()?;
        Ok(Augmented { samples, log })
    }
}

fn check_input(samples: &[f32]) -> Result<(), AugmentError> {
    if samples.is_empty() {
        return Err(AugmentError::EmptySignal);
    }
    check(samples, || "in the input".to_owned())
}

fn check(samples: &[f32], place: impl FnOnce() -> String) -> Result<(), AugmentError> {
    // NaN is in no range.
    match samples.iter().position(|x| !(-MAX_MAGNITUDE..=MAX_MAGNITUDE).contains(x)) {
        None => Ok(()),
        Some(index) => {
            let value = samples.get(index).copied().unwrap_or(f32::NAN);
            Err(AugmentError::NotFinite { index, value, place: place() })
        }
    }
}

/// A number for a name: FNV-1a.
fn name_key(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |key, byte| (key ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
