//! What happened in every epoch.

use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::config::Selection;
use super::evaluation::Evaluation;
use crate::Error;
use crate::tensor_file::write_atomically;

/// One finished epoch. Accuracies are shares, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRecord {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Learning rate of the epoch, of its last step where it changes from step to step.
    pub learning_rate: f64,
    /// Over all training examples, each measured in its own step before the step changed the weights.
    pub train: Evaluation,
    /// Over all validation examples after the epoch; none where there are none.
    pub validation: Option<Evaluation>,
}

/// All finished epochs of a run. It holds no times, so equal runs have equal bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct History {
    epochs: Vec<EpochRecord>,
}

impl History {
    /// The epochs in order.
    #[must_use]
    pub fn epochs(&self) -> &[EpochRecord] {
        &self.epochs
    }

    pub(crate) fn push(&mut self, record: EpochRecord) {
        self.epochs.push(record);
    }

    /// The epoch whose weights a selection takes; none where nothing is finished or validated.
    #[must_use]
    pub fn selected(&self, selection: Selection) -> Option<&EpochRecord> {
        match selection {
            Selection::LastEpoch => self.epochs.last(),
            Selection::BestValidation => self.best(|best, next| {
                next.accuracy > best.accuracy || (next.accuracy == best.accuracy && next.loss < best.loss)
            }),
            Selection::LowestValidationLoss => self.best(|best, next| next.loss < best.loss),
        }
    }

    fn best(&self, is_better: impl Fn(Evaluation, Evaluation) -> bool) -> Option<&EpochRecord> {
        self.epochs.iter().filter(|record| record.validation.is_some()).reduce(|best, next| {
            match (best.validation, next.validation) {
                (Some(b), Some(n)) if is_better(b, n) => next,
                _ => best,
            }
        })
    }

    /// One line per epoch with a header line; validation columns are empty where there was none.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = String::from(
            "epoch,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy\n",
        );
        for EpochRecord { epoch, learning_rate, train, validation } in &self.epochs {
            let [loss, accuracy] =
                validation.map_or_else(Default::default, |v| [v.loss.to_string(), v.accuracy.to_string()]);
            // Writing to a string does not fail.
            let _ =
                writeln!(text, "{epoch},{learning_rate},{},{},{loss},{accuracy}", train.loss, train.accuracy);
        }
        text
    }

    /// Writes [`History::to_csv`] to a file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save_csv(&self, path: &Path) -> Result<(), Error> {
        write_atomically(path, self.to_csv().as_bytes())
    }

    /// Writes the epochs as a JSON array, whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save_json(&self, path: &Path) -> Result<(), Error> {
        let json = serde_json::to_vec_pretty(self).map_err(|error| Error::File {
            action: "write",
            path: path.to_path_buf(),
            source: error.into(),
        })?;
        write_atomically(path, &json)
    }
}
