//! Trains one network, tells of every epoch, and keeps what a report needs.

use std::collections::BTreeMap;
use std::path::Path;

use mgr_eval::figure::{Epoch, FoldHistory};
use mgr_models::device::DeviceConfig;
use mgr_models::train::{
    EpochRecord, Examples, FitOptions, History, Observer, Outcome, TrainConfig, interrupt,
};
use mgr_models::zoo::NetworkConfig;
use mgr_models::{Error, Network, SavedNetwork, TensorData};

use super::flags::{Failure, advise};

/// A trained network with the weights of its best epoch.
pub struct Trained {
    /// What it was built from.
    pub config: NetworkConfig,
    /// The network.
    pub network: Box<dyn Network>,
    /// Its epochs.
    pub history: History,
    /// The epoch whose weights it has, by validation accuracy.
    pub epoch: usize,
}

/// How a network is made and trained.
pub struct Recipe<'a> {
    /// A name for the lines on the screen.
    pub name: &'a str,
    /// The network.
    pub network: NetworkConfig,
    /// Number of classes.
    pub classes: usize,
    /// How it is trained; its seed also draws the first weights.
    pub train: TrainConfig,
    /// Weights put in before training; tensors that are not among them keep their drawn values.
    pub weights: Option<&'a BTreeMap<String, TensorData>>,
    /// Folder of checkpoints with the optimiser's state, from which a run that was stopped goes on; none keeps none.
    pub checkpoints: Option<&'a Path>,
}

impl Recipe<'_> {
    /// Builds the network with its first weights.
    ///
    /// # Errors
    /// A sentence for a network that cannot take such inputs, or weights that are not its own.
    pub fn build(&self) -> Result<Box<dyn Network>, Failure> {
        let advice = format!("{} needs other pictures or clips", self.name);
        let network = self.network.build(self.classes, self.train.seed, DeviceConfig::Cpu);
        let network = network.map_err(advise(advice))?;
        if let Some(weights) = self.weights {
            let advice =
                format!("{} starts from the weights of another network; leave --weights out", self.name);
            network.parameters().load_part(weights).map_err(advise(advice))?;
        }
        Ok(network)
    }

    /// Builds and trains.
    ///
    /// # Errors
    /// Those of [`Recipe::build`] and of training.
    pub fn train(&self, train: &dyn Examples, validation: &dyn Examples) -> Result<Trained, Failure> {
        let network = self.build()?;
        self.fit(network, train, validation)
    }

    /// Trains a network that was built before.
    ///
    /// # Errors
    /// Those of training, such as examples that the network does not take.
    pub fn fit(
        &self,
        mut network: Box<dyn Network>,
        train: &dyn Examples,
        validation: &dyn Examples,
    ) -> Result<Trained, Failure> {
        let plan = self.train.plan()?;
        let mut lines = Lines { name: self.name, epochs: self.train.epochs };
        let options = FitOptions {
            checkpoints: self.checkpoints,
            cancel: Some(interrupt::flag()?),
            ..FitOptions::default()
        };
        let outcome = plan
            .fit(network.as_mut(), train, Some(validation), &options, &mut lines)
            .map_err(|error| self.told(error))?;
        let fit = match outcome {
            Outcome::Finished(fit) => fit,
            Outcome::Interrupted { finished_epochs } => {
                return Err(interrupt::message(finished_epochs, self.checkpoints).into());
            }
        };
        let (history, epoch) = (fit.history, fit.selected_epoch);
        Ok(Trained { config: self.network.clone(), network, history, epoch })
    }
}

impl Recipe<'_> {
    /// What can be done about an error of training.
    fn told(&self, error: Error) -> Failure {
        let name = self.name;
        let advice = match &error {
            Error::InputTooSmall { .. } => {
                format!("{name} takes longer clips or larger pictures, or take other networks")
            }
            Error::InputShape { .. } => format!("{name} takes other pictures, or take other networks"),
            Error::NonFiniteLoss { .. } | Error::NonFiniteValidationLoss { .. } => {
                format!("lower the learning rate of {name}")
            }
            Error::FingerprintMismatch { .. } => {
                "these are checkpoints of another run: remove them or name another folder with --out"
                    .to_owned()
            }
            _ => format!("{name} could not be trained so"),
        };
        advise(advice)(error)
    }
}

struct Lines<'a> {
    name: &'a str,
    epochs: usize,
}

impl Observer for Lines<'_> {
    fn epoch_finished(&mut self, record: &EpochRecord) {
        let validation = record.validation.map_or(String::new(), |v| {
            format!(", validation loss {:.4}, accuracy {:.1} %", v.loss, 100.0 * v.accuracy)
        });
        eprintln!(
            "{}: epoch {}/{}: training loss {:.4}, accuracy {:.1} %{validation}",
            self.name,
            record.epoch,
            self.epochs,
            record.train.loss,
            100.0 * record.train.accuracy
        );
    }
}

impl Trained {
    /// The epochs as a figure takes them.
    #[must_use]
    pub fn curve(&self) -> FoldHistory {
        let epoch = |e: &EpochRecord| Epoch {
            train_loss: e.train.loss,
            train_accuracy: e.train.accuracy,
            validation_loss: e.validation.map(|v| v.loss),
            validation_accuracy: e.validation.map(|v| v.accuracy),
        };
        FoldHistory {
            epochs: self.history.epochs().iter().map(epoch).collect(),
            best_epoch: Some(self.epoch),
        }
    }

    /// Accuracies in training and validation of the epoch that was kept.
    #[must_use]
    pub fn accuracies(&self) -> [f64; 2] {
        let record = self.history.epochs().iter().find(|record| record.epoch == self.epoch);
        record.map_or([f64::NAN; 2], |r| [r.train.accuracy, r.validation.map_or(f64::NAN, |v| v.accuracy)])
    }

    /// Writes the network, its epochs as CSV and JSON into a folder.
    ///
    /// # Errors
    /// A sentence where a file cannot be written.
    pub fn save(&self, folder: &Path, classes: &[String], notes: &[(&str, String)]) -> Result<(), Failure> {
        let notes = notes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let saved = SavedNetwork::new(self.config.clone(), self.network.as_ref(), classes.to_vec(), notes)?;
        saved.save(&folder.join("model.safetensors"))?;
        self.history.save_csv(&folder.join("history.csv"))?;
        Ok(self.history.save_json(&folder.join("history.json"))?)
    }
}
