//! What was drawn and done.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::AugmentError;

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The step was applied.
    Applied,
    /// Chance left it out.
    Skipped,
    /// Nothing was done, since a signal-to-noise ratio means nothing for a silent clip or a silent background.
    Silent,
}

/// A drawn value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A name.
    Text(String),
}

/// Drawn values by name; with the parameters that were not drawn (the order of a filter), so that they alone tell what was done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(BTreeMap<String, Value>);

/// One step of one run. In JSON: `{"step":"gain","outcome":"applied","gain_db":-2.25}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepLog {
    /// Name of the step.
    pub step: String,
    /// What became of it.
    pub outcome: Outcome,
    /// What was drawn for it; empty for a step left out by chance.
    #[serde(flatten)]
    pub values: Values,
}

impl Values {
    /// No values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These and a number.
    #[must_use]
    pub fn with_number(mut self, name: &str, value: f64) -> Self {
        self.0.insert(name.to_owned(), Value::Number(value));
        self
    }

    /// These and a whole number.
    #[must_use]
    pub fn with_integer(mut self, name: &str, value: i64) -> Self {
        self.0.insert(name.to_owned(), Value::Integer(value));
        self
    }

    /// These and a name.
    #[must_use]
    pub fn with_text(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), Value::Text(value.to_owned()));
        self
    }

    /// A value, if it is there.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Names and values in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether nothing was drawn.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A number in `min..=max`; `step` is named in the error.
    ///
    /// # Errors
    /// [`AugmentError::Log`] where it is missing, no number, or outside.
    pub fn number(&self, step: &str, name: &str, min: f64, max: f64) -> Result<f64, AugmentError> {
        let value = match self.0.get(name) {
            Some(Value::Number(value)) => *value,
            // Some writers of JSON drop the `.0`.
            Some(Value::Integer(value)) => *value as f64,
            _ => return Err(AugmentError::log(step, format!("no number {name}"))),
        };
        if (min..=max).contains(&value) {
            return Ok(value);
        }
        Err(AugmentError::log(step, format!("{name} is {value}, allowed is {min} to {max}")))
    }

    /// A whole number in `min..=max`; `step` is named in the error.
    ///
    /// # Errors
    /// [`AugmentError::Log`] where it is missing, no whole number, or outside.
    pub fn integer(&self, step: &str, name: &str, min: i64, max: i64) -> Result<i64, AugmentError> {
        match self.0.get(name) {
            Some(Value::Integer(value)) if (min..=max).contains(value) => Ok(*value),
            Some(Value::Integer(value)) => {
                Err(AugmentError::log(step, format!("{name} is {value}, allowed is {min} to {max}")))
            }
            _ => Err(AugmentError::log(step, format!("no whole number {name}"))),
        }
    }

    /// A name; `step` is named in the error.
    ///
    /// # Errors
    /// [`AugmentError::Log`] where it is missing or no text.
    pub fn text(&self, step: &str, name: &str) -> Result<&str, AugmentError> {
        match self.0.get(name) {
            Some(Value::Text(value)) => Ok(value),
            _ => Err(AugmentError::log(step, format!("no name {name}"))),
        }
    }
}
