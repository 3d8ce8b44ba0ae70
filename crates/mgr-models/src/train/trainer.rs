//! How a run is started, watched and stopped.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::config::TrainPlan;
use super::evaluation::Evaluation;
use super::examples::Examples;
use super::history::{EpochRecord, History};
use super::run::Run;
use crate::device::{self, flushing_denormals};
use crate::{Error, Network};

/// Is told how a run goes, for progress bars. Every method does nothing by default.
pub trait Observer {
    /// An epoch (from 1) of so many steps begins.
    fn epoch_started(&mut self, _epoch: usize, _steps: usize) {}
    /// A step (from 1) is done; `loss` is the mean over its batch.
    fn step_finished(&mut self, _epoch: usize, _step: usize, _loss: f64) {}
    /// A step is done; tells more than [`Observer::step_finished`], which it calls by default.
    fn step(&mut self, record: &StepRecord) {
        self.step_finished(record.epoch, record.step, record.loss);
    }
    /// An epoch is done and its checkpoint is written.
    fn epoch_finished(&mut self, _record: &EpochRecord) {}
}

/// A finished step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepRecord {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Epochs of the run.
    pub epochs: usize,
    /// Step in the epoch, from 1.
    pub step: usize,
    /// Steps of the epoch.
    pub steps: usize,
    /// Mean loss of the step.
    pub loss: f64,
    /// Loss and accuracy over the epoch so far.
    pub so_far: Evaluation,
    /// Learning rate of the step.
    pub learning_rate: f64,
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}

/// Where a run keeps its checkpoints and how it is stopped. The default keeps none and cannot be stopped.
#[derive(Debug, Clone, Copy, Default)]
pub struct FitOptions<'a> {
    /// Folder of `last.safetensors` and `best.safetensors`, of those that [`TrainConfig::checkpoints`](super::TrainConfig)
    /// asks for, and of `history.csv` and `history.json`, which grow with every epoch. It is made where missing; a run goes
    /// on from the last checkpoint it finds there. Default none: nothing is written and nothing resumed.
    pub checkpoints: Option<&'a Path>,
    /// Tells the training data apart from others: a digest of file names, features, standardisation, initial weights that
    /// were not drawn from the network's seed. Together with the config (but for `epochs`, `patience`, `threads` and
    /// `checkpoints`, which say how far, how fast and what is kept), the network's name, the shapes of its tensors and the shape of the data it makes the
    /// fingerprint that a checkpoint must have to be resumed.
    pub data_fingerprint: &'a str,
    /// Looked at after every step; where it is set the step is finished, the state saved, and the run stops. See
    /// [`interrupt`](super::interrupt) for Ctrl-C.
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
    /// By the cancel flag, in the epoch after `finished_epochs` or at its end. The network holds the weights of the step it
    /// stopped at, and so does the last checkpoint: the next call goes on with the next step, and ends with the bytes of a
    /// run that was never stopped.
    Interrupted {
        /// Epochs that are finished and in the checkpoint.
        finished_epochs: usize,
    },
}

impl TrainPlan {
    /// Trains a network. The test part of the data has no business here.
    ///
    /// The config's `threads` is set for the calling thread and stays set.
    ///
    /// # Errors
    /// * [`Error::TooFewExamples`]: less training data than the network's smallest batch, no validation data where the
    ///   selection or patience needs it, or a batch size below the smallest batch ([`Error::InvalidConfig`]);
    /// * [`Error::NetworkOutput`] where the centre loss is asked for and the network has no code, [`Error::MixedPrecision`];
    /// * [`Error::LabelOutOfRange`], [`Error::TargetOutOfRange`], [`Error::InputShape`], [`Error::InputTooSmall`], [`Error::NonFiniteInput`],
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
        // Weights that decay towards zero make denormal numbers in every step.
        flushing_denormals(|| {
            let mut run = Run::new(self, network, train, validation, options)?;
            run.resume()?;
            let stop = loop {
                if let Some(stop) = run.stop() {
                    break stop;
                }
                let Some(record) = run.epoch(observer)? else {
                    return Ok(Outcome::Interrupted { finished_epochs: run.finished_epochs() });
                };
                run.keep(record)?;
                observer.epoch_finished(&record);
            };
            let (history, selected_epoch) = run.finish()?;
            Ok(Outcome::Finished(Fit { history, selected_epoch, stop, threads: device::threads() }))
        })
    }
}
