//! The one error type of the crate.

/// What can go wrong when a feature is planned or computed.
///
/// Every message names the offending value and the allowed range; the fields carry the same for programs.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// A configuration field is outside its allowed range. Found when the plan is built.
    #[error("{field} is {value}, allowed is {allowed}")]
    Parameter {
        /// The field as the configuration names it.
        field: &'static str,
        /// The value that was given.
        value: String,
        /// The range or set of values that is allowed.
        allowed: String,
    },
    /// The signal is too short for a single frame.
    #[error("{got} samples are too few, at least {needed} are needed")]
    TooShort {
        /// Samples given.
        got: usize,
        /// Samples needed.
        needed: usize,
    },
    /// A sample is NaN or infinite.
    #[error("sample {index} is {value}, samples must be finite")]
    NotFinite {
        /// Index of the first such sample.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// A value is outside the range that the effect is defined on.
    #[error("value {index} is {value}, allowed is {allowed}")]
    OutOfRange {
        /// Index of the first such value.
        index: usize,
        /// The value.
        value: f64,
        /// The range that is allowed.
        allowed: &'static str,
    },
    /// An array that the caller gave has another shape than the plan announces.
    #[error("{what} is {got_rows} x {got_columns}, expected {rows} x {columns}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// Rows given.
        got_rows: usize,
        /// Columns given.
        got_columns: usize,
        /// Rows expected.
        rows: usize,
        /// Columns expected.
        columns: usize,
    },
    /// The scratch buffers were made by a plan of another kind or size.
    #[error("the scratch was not made by this {plan} plan")]
    Scratch {
        /// The plan that refused it.
        plan: &'static str,
    },
    /// The feature needs the whole signal before it can give its first column.
    #[error("{feature} cannot be streamed: {reason}")]
    NotStreamable {
        /// The feature.
        feature: &'static str,
        /// What it needs the whole signal for.
        reason: &'static str,
    },
    /// A feature of a set refused.
    #[error("{name}: {error}")]
    InSet {
        /// The name that the set gives it.
        name: String,
        /// What it said.
        error: Box<FeatureError>,
    },
    /// The result does not fit in memory.
    #[error("no memory for an output of {rows} x {columns}")]
    Memory {
        /// Rows of the output.
        rows: usize,
        /// Columns of the output.
        columns: usize,
    },
}

impl FeatureError {
    pub(crate) fn parameter(
        field: &'static str,
        value: impl std::fmt::Display,
        allowed: impl Into<String>,
    ) -> Self {
        Self::Parameter { field, value: value.to_string(), allowed: allowed.into() }
    }
}
