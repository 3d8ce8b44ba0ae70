//! The training loop.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use tch::Tensor;

use super::checkpoint::{Checkpoint, Kind};
use super::config::{Selection, TrainPlan};
use super::evaluation::{Tally, check_part, evaluate, logit_values};
use super::examples::{Batch, Draw, Examples, batches, label_tensor};
use super::history::{EpochRecord, History};
use super::loss::CrossEntropy;
use super::optimiser::Optimiser;
use crate::tensor_file::malformed;
use crate::{Error, Mode, Network, Random, Randomness, TensorData, device};

/// Is told how a run goes, for progress bars. Every method does nothing by default.
pub trait Observer {
    /// An epoch (from 1) of so many steps begins.
    fn epoch_started(&mut self, _epoch: usize, _steps: usize) {}
    /// A step (from 1) is done; `loss` is the mean over its batch.
    fn step_finished(&mut self, _epoch: usize, _step: usize, _loss: f64) {}
    /// An epoch is done and its checkpoint is written.
    fn epoch_finished(&mut self, _record: &EpochRecord) {}
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}

/// Where a run keeps its checkpoints and how it is stopped. The default keeps none and cannot be stopped.
#[derive(Debug, Clone, Copy, Default)]
pub struct FitOptions<'a> {
    /// Folder of `last.safetensors` and `best.safetensors`, made where missing; a run goes on from the last one it finds
    /// there. Default none: nothing is written and nothing resumed.
    pub checkpoints: Option<&'a Path>,
    /// Tells the training data apart from others: a digest of file names, features, standardisation, initial weights that
    /// were not drawn from the network's seed. Together with the config (but for `epochs`, `patience` and `threads`, which
    /// say how far and how fast), the network's name, the shapes of its tensors and the shape of the data it makes the
    /// fingerprint that a checkpoint must have to be resumed.
    pub data_fingerprint: &'a str,
    /// Looked at after every step; where it is set the run stops.
    pub cancel: Option<&'a AtomicBool>,
}

/// Why a run finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// All epochs are done.
    Completed,
    /// No better epoch came for as many epochs as [`TrainConfig::patience`](super::TrainConfig) says.
    Patience,
}

/// A finished run. The network holds the weights of the selected epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// All epochs.
    pub history: History,
    /// The epoch whose weights the network holds.
    pub selected_epoch: usize,
    /// Why the run finished.
    pub stop: Stop,
    /// Threads libtorch used inside one operation.
    pub threads: usize,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Outcome {
    /// To its end.
    Finished(Fit),
    /// By the cancel flag, in the epoch after `finished_epochs`. The network holds the weights of the step it stopped at;
    /// the last checkpoint is that of the last finished epoch, from which the next call goes on.
    Interrupted {
        /// Epochs that are finished and in the checkpoint.
        finished_epochs: usize,
    },
}

/// libtorch has one generator per process: a forward pass that draws from it owns it from reseeding to the last draw.
static GENERATOR: Mutex<()> = Mutex::new(());

impl TrainPlan {
    /// Trains a network. The test part of the data has no business here.
    ///
    /// The config's `threads` is set for the calling thread and stays set.
    ///
    /// # Errors
    /// * [`Error::TooFewExamples`]: less training data than the network's smallest batch, no validation data where the
    ///   selection or patience needs it, or a batch size below the smallest batch ([`Error::InvalidConfig`]);
    /// * [`Error::LabelOutOfRange`], [`Error::InputShape`], [`Error::InputTooSmall`], [`Error::NonFiniteInput`],
    ///   [`Error::Example`];
    /// * [`Error::NonFiniteLoss`], [`Error::NonFiniteValidationLoss`]: training diverged; the checkpoints stay;
    /// * [`Error::FingerprintMismatch`], [`Error::MalformedFile`], [`Error::TensorMismatch`]: the folder's checkpoint is of
    ///   another run or damaged;
    /// * [`Error::File`], [`Error::Torch`].
    pub fn fit(
        &self,
        network: &mut dyn Network,
        train: &dyn Examples,
        validation: Option<&dyn Examples>,
        options: &FitOptions<'_>,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, Error> {
        let mut run = Run::new(self, network, train, validation, options)?;
        run.resume()?;
        let stop = loop {
            if let Some(stop) = run.stop() {
                break stop;
            }
            let Some(record) = run.epoch(observer)? else {
                return Ok(Outcome::Interrupted { finished_epochs: run.history.epochs().len() });
            };
            run.keep(record)?;
            observer.epoch_finished(&record);
        };
        run.finish(stop).map(Outcome::Finished)
    }
}

struct Run<'a> {
    plan: &'a TrainPlan,
    network: &'a dyn Network,
    train: &'a dyn Examples,
    validation: Option<&'a dyn Examples>,
    options: &'a FitOptions<'a>,
    loss: CrossEntropy,
    optimiser: Optimiser,
    fingerprint: String,
    history: History,
    /// Weights of the epoch that best validation selects.
    best: Option<BTreeMap<String, TensorData>>,
}

impl<'a> Run<'a> {
    fn new(
        plan: &'a TrainPlan,
        network: &'a dyn Network,
        train: &'a dyn Examples,
        validation: Option<&'a dyn Examples>,
        options: &'a FitOptions<'a>,
    ) -> Result<Self, Error> {
        let config = plan.config();
        if let Some(threads) = config.threads {
            device::set_threads(threads)?;
        }
        let smallest = network.smallest_training_batch();
        if config.batch_size < smallest {
            let value = config.batch_size.to_string();
            return Err(Error::InvalidConfig {
                field: "batch_size",
                value,
                allowed: "2 and more for a network with batch statistics",
            });
        }
        check_part(network, train, "training", smallest)?;
        match validation {
            Some(validation) => check_part(network, validation, "validation", 1)?,
            None if config.selection == Selection::BestValidation || config.patience.is_some() => {
                return Err(Error::TooFewExamples { part: "validation", got: 0, minimum: 1 });
            }
            None => {}
        }
        let weights = config.class_weights.as_deref();
        let parameters = network.parameters();
        let loss =
            CrossEntropy::new(config.label_smoothing, weights, network.classes(), parameters.device())?;
        let optimiser = Optimiser::new(config.optimiser, parameters)?;
        let fingerprint = fingerprint(plan, network, train, validation, options.data_fingerprint)?;
        let history = History::default();
        Ok(Self {
            plan,
            network,
            train,
            validation,
            options,
            loss,
            optimiser,
            fingerprint,
            history,
            best: None,
        })
    }

    /// Takes up the last checkpoint where there is one.
    fn resume(&mut self) -> Result<(), Error> {
        let Some(folder) = self.options.checkpoints else { return Ok(()) };
        std::fs::create_dir_all(folder).map_err(|source| Error::File {
            action: "make folder",
            path: folder.to_path_buf(),
            source,
        })?;
        let path = Kind::Last.path(folder);
        if !path.exists() {
            return Ok(());
        }
        let last = self.load(&path)?;
        let best_epoch = last.history.selected(Selection::BestValidation).map(|record| record.epoch);
        if self.plan.config().selection == Selection::BestValidation {
            // `last` is written before `best`: a run that died between the two has its best weights in `last`.
            self.best = if best_epoch == Some(last.epoch) {
                last.save(&Kind::Best.path(folder))?;
                Some(last.model.clone())
            } else {
                Some(self.load_best(&Kind::Best.path(folder), best_epoch)?)
            };
        }
        self.network.parameters().load_data(&last.model)?;
        self.optimiser.load_state(&last.optimiser)?;
        self.history = last.history;
        Ok(())
    }

    fn load(&self, path: &Path) -> Result<Checkpoint, Error> {
        let checkpoint = Checkpoint::load(path)?;
        if checkpoint.fingerprint == self.fingerprint {
            return Ok(checkpoint);
        }
        Err(Error::FingerprintMismatch {
            path: path.to_path_buf(),
            expected: self.fingerprint.clone(),
            found: checkpoint.fingerprint,
        })
    }

    fn load_best(&self, path: &Path, epoch: Option<usize>) -> Result<BTreeMap<String, TensorData>, Error> {
        let best = self.load(path)?;
        if Some(best.epoch) == epoch {
            return Ok(best.model);
        }
        let reason = format!("it is of epoch {}, the history's best is {epoch:?}", best.epoch);
        Err(malformed(path, "checkpoint", reason))
    }

    /// Whether the run is at its end.
    fn stop(&self) -> Option<Stop> {
        let finished = self.history.epochs().len();
        let best = self.history.selected(Selection::BestValidation).map_or(0, |record| record.epoch);
        match self.plan.config().patience {
            Some(patience) if finished >= best + patience => Some(Stop::Patience),
            _ => (finished >= self.plan.config().epochs).then_some(Stop::Completed),
        }
    }

    /// Trains one epoch; none where the run was cancelled in it.
    fn epoch(&mut self, observer: &mut dyn Observer) -> Result<Option<EpochRecord>, Error> {
        let config = self.plan.config();
        let epoch = self.history.epochs().len() + 1;
        let learning_rate = config.schedule.learning_rate(config.optimiser.learning_rate(), epoch - 1);
        let smallest = self.network.smallest_training_batch();
        let batches = batches(self.train.len(), config.batch_size, smallest, config.seed, epoch);
        observer.epoch_started(epoch, batches.len());
        let mut batch = Batch::default();
        let mut tally = Tally::default();
        for (step, indices) in batches.iter().enumerate().map(|(index, batch)| (index + 1, batch)) {
            let loss = self.step(&mut batch, indices, [epoch, step], learning_rate, &mut tally)?;
            observer.step_finished(epoch, step, loss);
            if self.options.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
                return Ok(None);
            }
        }
        let validation = self
            .validation
            .map(|validation| evaluate(self.network, validation, config.batch_size, &self.loss))
            .transpose()?;
        match validation {
            Some(validation) if !validation.loss.is_finite() => {
                Err(Error::NonFiniteValidationLoss { epoch, loss: validation.loss })
            }
            _ => Ok(Some(EpochRecord { epoch, learning_rate, train: tally.evaluation(), validation })),
        }
    }

    fn step(
        &mut self,
        batch: &mut Batch,
        indices: &[usize],
        [epoch, step]: [usize; 2],
        learning_rate: f64,
        tally: &mut Tally,
    ) -> Result<f64, Error> {
        let device = self.network.parameters().device();
        let seed = self.plan.config().seed;
        let labels: Vec<usize> = indices.iter().map(|&index| self.train.label(index)).collect();
        let inputs = batch.inputs(self.train, indices, Draw { seed, epoch }, device)?;
        let logits = match self.network.randomness() {
            Randomness::None => self.network.forward(&inputs, Mode::Train)?,
            Randomness::Generator => {
                // The lock guards no data, so a thread that panicked while holding it leaves nothing broken.
                let _lock = GENERATOR.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                tch::manual_seed(Random::keyed(&[seed, epoch as u64, step as u64]).next_u64() as i64);
                self.network.forward(&inputs, Mode::Train)?
            }
        };
        let values = logit_values(self.network, &logits, indices.len())?;
        let loss = self.loss.mean(&logits, &label_tensor(&labels, device)?)?;
        let value = loss.f_double_value(&[])?;
        if !value.is_finite() {
            return Err(Error::NonFiniteLoss { epoch, step, loss: value });
        }
        let parameters: Vec<&Tensor> =
            self.network.parameters().trainable().map(|(_, tensor)| tensor).collect();
        let gradients = Tensor::f_run_backward(&[&loss], &parameters, false, false)?;
        self.optimiser.step(&gradients, learning_rate)?;
        let weight = self.loss.weight(&labels);
        tally.add(value * weight, weight, &values, &labels);
        Ok(value)
    }

    /// Records a finished epoch and writes the checkpoints.
    fn keep(&mut self, record: EpochRecord) -> Result<(), Error> {
        self.history.push(record);
        let selection = self.plan.config().selection;
        let is_best = selection == Selection::BestValidation
            && self.history.selected(selection).is_some_and(|best| best.epoch == record.epoch);
        if let Some(folder) = self.options.checkpoints {
            let checkpoint = self.checkpoint()?;
            checkpoint.save(&Kind::Last.path(folder))?;
            if is_best {
                checkpoint.save(&Kind::Best.path(folder))?;
            }
        }
        if is_best {
            self.best = Some(self.network.parameters().to_data()?);
        }
        Ok(())
    }

    fn checkpoint(&self) -> Result<Checkpoint, Error> {
        Ok(Checkpoint {
            epoch: self.history.epochs().len(),
            config: self.plan.config().clone(),
            network: self.network.name().to_string(),
            fingerprint: self.fingerprint.clone(),
            history: self.history.clone(),
            model: self.network.parameters().to_data()?,
            optimiser: self.optimiser.state()?,
        })
    }

    fn finish(self, stop: Stop) -> Result<Fit, Error> {
        if let Some(best) = &self.best {
            self.network.parameters().load_data(best)?;
        }
        let selected = self.history.selected(self.plan.config().selection).map_or(0, |record| record.epoch);
        Ok(Fit { history: self.history, selected_epoch: selected, stop, threads: device::threads() })
    }
}

/// What two runs must have in common for one to go on from the other's checkpoint.
#[derive(Serialize)]
struct Fingerprint<'a> {
    config: super::TrainConfig,
    network: &'a str,
    tensors: Vec<(&'a str, Vec<i64>)>,
    train: (usize, &'a [usize]),
    validation: Option<(usize, &'a [usize])>,
    data: &'a str,
}

fn fingerprint(
    plan: &TrainPlan,
    network: &dyn Network,
    train: &dyn Examples,
    validation: Option<&dyn Examples>,
    data: &str,
) -> Result<String, Error> {
    let limits = super::TrainConfig::default();
    let config = super::TrainConfig {
        epochs: limits.epochs,
        patience: limits.patience,
        threads: limits.threads,
        ..plan.config().clone()
    };
    let tensors = network.parameters().iter().map(|(name, _, tensor)| (name, tensor.size())).collect();
    let part = Fingerprint {
        config,
        network: network.name(),
        tensors,
        train: (train.len(), train.shape()),
        validation: validation.map(|part| (part.len(), part.shape())),
        data,
    };
    let json = serde_json::to_vec(&part).map_err(|error| Error::TensorMismatch {
        name: "fingerprint".to_string(),
        reason: error.to_string(),
    })?;
    Ok(mgr_data::sha256_hex(&json))
}
