//! The error type of augmentation.

/// What can go wrong in an augmentation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AugmentError {
    /// A field of a config is outside its range.
    #[error("invalid {field} {value}, allowed is {allowed}")]
    Config {
        /// The field.
        field: &'static str,
        /// The value given.
        value: String,
        /// The values allowed.
        allowed: String,
    },
    /// A clip of no samples.
    #[error("signal has 0 samples, allowed is 1 or more")]
    EmptySignal,
    /// A step that left no samples.
    #[error("step {step} left 0 samples, allowed is 1 or more")]
    NothingLeft {
        /// The step.
        step: &'static str,
    },
    /// A sample that is NaN, infinite or beyond 1e30, in the input or after a step.
    #[error("sample {index} is {value:?} {place}, allowed is -1e30 to 1e30")]
    NotFinite {
        /// Position of the sample.
        index: usize,
        /// The sample.
        value: f32,
        /// `in the input` or `after` and the step.
        place: String,
    },
    /// A log that does not belong to the chain, or holds a value that the step cannot take.
    #[error("log of step {step}: {reason}")]
    Log {
        /// The step.
        step: String,
        /// What is wrong.
        reason: String,
    },
    /// A step made elsewhere failed.
    #[error("step {step}: {source}")]
    Step {
        /// The step.
        step: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl AugmentError {
    /// A refused field of a config.
    pub fn config(field: &'static str, value: impl ToString, allowed: impl Into<String>) -> Self {
        Self::Config { field, value: value.to_string(), allowed: allowed.into() }
    }

    /// A log that cannot be replayed.
    pub fn log(step: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Log { step: step.into(), reason: reason.into() }
    }
}
