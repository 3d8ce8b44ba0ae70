//! One run of training: its state, its steps, its checkpoints.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use serde::Serialize;
use tch::Tensor;

use super::centre_loss::CentreLoss;
use super::checkpoint::{Checkpoint, Kind, PartialEpoch};
use super::config::{Selection, TrainPlan};
use super::evaluation::{Tally, check_part, evaluate_checked, logit_values};
use super::examples::{Draw, Examples, batches};
use super::history::{EpochRecord, History};
use super::loader::loading;
use super::loss::{Loss, Targets};
use super::moving_average::MovingAverage;
use super::optimiser::Optimiser;
use super::precision::{LossScale, clip_gradients};
use super::schedule::Moment;
use super::trainer::{FitOptions, Observer, StepRecord, Stop};
use crate::tensor_file::malformed;
use crate::{Error, Mode, Network, Output, Random, Randomness, TensorData, device};

/// libtorch has one generator per process: a forward pass that draws from it owns it from reseeding to the last draw.
static GENERATOR: Mutex<()> = Mutex::new(());

pub(crate) struct Run<'a> {
    plan: &'a TrainPlan,
    network: &'a dyn Network,
    train: &'a dyn Examples,
    validation: Option<&'a dyn Examples>,
    options: &'a FitOptions<'a>,
    loss: Loss,
    optimiser: Optimiser,
    centres: Option<CentreLoss>,
    average: Option<MovingAverage>,
    loss_scale: Option<LossScale>,
    fingerprint: String,
    history: History,
    /// The begun epoch that a resumed run goes on with.
    partial: Option<PartialEpoch>,
    /// Weights of the epoch that validation selects.
    best: Option<BTreeMap<String, TensorData>>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
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
        let parameters = network.parameters();
        let (classes, device) = (network.classes(), parameters.device());
        config.precision.check(device)?;
        let weights = config.class_weights.as_deref();
        let loss = Loss::new(config.loss, config.label_smoothing, weights, classes, device)?;
        check_part(network, train, "training", smallest, &loss)?;
        let needs_validation = config.selection != Selection::LastEpoch
            || config.patience.is_some()
            || config.schedule.needs_validation();
        match validation {
            Some(validation) => check_part(network, validation, "validation", 1, &loss)?,
            None if needs_validation => {
                return Err(Error::TooFewExamples { part: "validation", got: 0, minimum: 1 });
            }
            None => {}
        }
        let centres = match config.centre_loss {
            None => None,
            Some(centre_loss) => {
                let size = network.code_size().ok_or_else(|| no_code(network))?;
                Some(CentreLoss::new(centre_loss, classes, size, config.seed, device)?)
            }
        };
        Ok(Self {
            plan,
            network,
            train,
            validation,
            options,
            loss,
            optimiser: Optimiser::with_groups(config.optimiser, parameters, &config.groups)?,
            centres,
            average: config
                .moving_average
                .map(|config| MovingAverage::new(config, parameters))
                .transpose()?,
            loss_scale: config.precision.scale(),
            fingerprint: fingerprint(plan, network, train, validation, options.data_fingerprint)?,
            history: History::default(),
            partial: None,
            best: None,
        })
    }

    /// Takes up the last checkpoint where there is one.
    pub(crate) fn resume(&mut self) -> Result<(), Error> {
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
        let selection = self.plan.config().selection;
        let best_epoch = last.history.selected(selection).map(|record| record.epoch);
        if selection != Selection::LastEpoch && best_epoch.is_some() {
            // `last` is written before `best`: a run that died between the two has its best weights in `last`.
            self.best = if best_epoch == Some(last.epoch) && last.partial.is_none() {
                last.save(&Kind::Best.path(folder))?;
                Some(last.evaluated())
            } else {
                Some(self.load_best(&Kind::Best.path(folder), best_epoch)?)
            };
        }
        // The same for a checkpoint that is kept.
        if last.partial.is_none()
            && let Some(record) = last.history.epochs().last()
            && let Some(kept) = self.plan.config().checkpoints.path(folder, record)
            && !kept.exists()
        {
            last.save(&kept)?;
        }
        let wrong = |what: &str| malformed(&path, "checkpoint", format!("it has no {what}"));
        self.network.parameters().load_data(&last.model)?;
        self.optimiser.load_state(&last.optimiser)?;
        if let Some(centres) = &mut self.centres {
            centres.load_state(last.centres.as_ref().ok_or_else(|| wrong("centres"))?)?;
        }
        // Averages are none before the first step that changed the weights.
        if let (Some(average), Some(state)) = (&mut self.average, &last.average) {
            average.load_state(state)?;
        }
        if let Some(scale) = &mut self.loss_scale {
            *scale = last.loss_scale.ok_or_else(|| wrong("scale of the loss"))?;
        }
        self.partial = last.partial;
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
            return Ok(best.evaluated());
        }
        let reason = format!("it is of epoch {}, the history's best is {epoch:?}", best.epoch);
        Err(malformed(path, "checkpoint", reason))
    }

    pub(crate) fn finished_epochs(&self) -> usize {
        self.history.epochs().len()
    }

    /// Whether the run is at its end.
    pub(crate) fn stop(&self) -> Option<Stop> {
        let config = self.plan.config();
        let finished = self.finished_epochs();
        let best = self.history.selected(config.selection.for_patience()).map_or(0, |record| record.epoch);
        match config.patience {
            Some(patience) if finished >= best + patience => Some(Stop::Patience),
            _ => (finished >= config.epochs).then_some(Stop::Completed),
        }
    }

    /// Trains one epoch; none where the run was cancelled in it.
    pub(crate) fn epoch(&mut self, observer: &mut dyn Observer) -> Result<Option<EpochRecord>, Error> {
        let config = self.plan.config();
        let epoch = self.finished_epochs() + 1;
        let smallest = self.network.smallest_training_batch();
        let batches = batches(self.train.len(), config.batch_size, smallest, config.seed, epoch);
        let steps = batches.len();
        observer.epoch_started(epoch, steps);
        let (done, mut tally) =
            self.partial.take().map_or_else(Default::default, |partial| (partial.steps, partial.tally));
        let mut learning_rate = self.learning_rate(done.saturating_sub(1), steps);
        let draw = Draw { seed: config.seed, epoch };
        let device = self.network.parameters().device();
        let left = batches.iter().skip(done).map(Vec::as_slice);
        let cancelled = loading(self.train, left, draw, device, |loader| {
            for (step, indices) in (1..).zip(&batches).skip(done) {
                learning_rate = self.learning_rate(step - 1, steps);
                let inputs = loader.next(indices.len())?;
                let loss = self.step(inputs, indices, [epoch, step], learning_rate, &mut tally)?;
                let so_far = tally.evaluation();
                let epochs = config.epochs;
                observer.step(&StepRecord { epoch, epochs, step, steps, loss, so_far, learning_rate });
                if self.options.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
                    self.save_partial(PartialEpoch { steps: step, tally })?;
                    return Ok(true);
                }
            }
            Ok(false)
        })?;
        if cancelled {
            return Ok(None);
        }
        let validation = self.validation.map(|validation| self.validate(validation)).transpose()?;
        match validation {
            Some(validation) if !validation.loss.is_finite() => {
                let checkpoint = self.last_good();
                Err(Error::NonFiniteValidationLoss { epoch, loss: validation.loss, checkpoint })
            }
            _ => Ok(Some(EpochRecord { epoch, learning_rate, train: tally.evaluation(), validation })),
        }
    }

    fn validate(&self, validation: &dyn Examples) -> Result<super::Evaluation, Error> {
        let config = self.plan.config();
        let work =
            || evaluate_checked(self.network, validation, config.batch_size, &self.loss, config.precision);
        self.average.as_ref().map_or_else(work, |average| average.in_place(work))
    }

    fn learning_rate(&self, step: usize, steps: usize) -> f64 {
        let config = self.plan.config();
        let moment = Moment { history: &self.history, step, steps };
        let rate = config.schedule.rate(config.optimiser.learning_rate(), &moment);
        match &config.warm_up {
            Some(warm_up) => rate * warm_up.factor(self.finished_epochs() * steps + step),
            None => rate,
        }
    }

    fn step(
        &mut self,
        mut inputs: Tensor,
        indices: &[usize],
        [epoch, step]: [usize; 2],
        learning_rate: f64,
        tally: &mut Tally,
    ) -> Result<f64, Error> {
        let config = self.plan.config();
        let seed = config.seed;
        let targets = self.loss.targets(self.train, indices)?;
        let mixture = config.mixup.map(|mixup| mixup.draw(seed, epoch, step, indices.len()));
        if let Some(mixture) = &mixture {
            inputs = mixture.inputs(&inputs)?;
        }
        let output = match self.network.randomness() {
            Randomness::None => self.forward(&inputs)?,
            Randomness::Generator => {
                // The lock guards no data, so a thread that panicked while holding it leaves nothing broken.
                let _lock = GENERATOR.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                tch::manual_seed(Random::keyed(&[seed, epoch as u64, step as u64]).next_u64() as i64);
                self.forward(&inputs)?
            }
        };
        let values = logit_values(self.network, &output.logits, indices.len())?;
        let mut loss = self.minimised(&output, &targets)?;
        let mut correct = targets.correct(&values);
        if let Some(mixture) = &mixture {
            let other = targets.permuted(&mixture.order)?;
            loss = mixture.loss(&loss, &self.minimised(&output, &other)?)?;
            correct = mixture.share * correct + (1.0 - mixture.share) * other.correct(&values);
        }
        let value = loss.f_double_value(&[])?;
        if !value.is_finite() {
            return Err(Error::NonFiniteLoss { epoch, step, loss: value, checkpoint: self.last_good() });
        }
        self.descend(&loss, learning_rate)?;
        let weight = self.loss.weight(&targets);
        tally.add(value * weight, weight, correct, indices.len());
        Ok(value)
    }

    fn forward(&self, inputs: &Tensor) -> Result<Output, Error> {
        self.plan.config().precision.run(|| {
            if self.centres.is_some() {
                self.network.forward_with_code(inputs, Mode::Train)
            } else {
                Ok(Output { logits: self.network.forward(inputs, Mode::Train)?, code: None })
            }
        })
    }

    /// All that is minimised.
    fn minimised(&self, output: &Output, targets: &Targets) -> Result<Tensor, Error> {
        let loss = self.loss.mean(&output.logits, targets)?;
        let (Some(centres), Some(labels)) = (&self.centres, targets.labels()) else { return Ok(loss) };
        let code = output.code.as_ref().ok_or_else(|| no_code(self.network))?;
        Ok(loss.f_add(&centres.weighted(&code.f_to_kind(tch::Kind::Float)?, labels)?)?)
    }

    /// Changes the weights, the centres and the averages by the gradient of a loss.
    fn descend(&mut self, loss: &Tensor, learning_rate: f64) -> Result<(), Error> {
        let centres = self.centres.as_ref().map(CentreLoss::centres);
        let tensors: Vec<&Tensor> = self.optimiser.tensors().chain(centres).collect();
        let scaled = match &self.loss_scale {
            Some(scale) => &loss.f_mul_scalar(scale.scale)?,
            None => loss,
        };
        let mut gradients = Tensor::f_run_backward(&[scaled], &tensors, false, false)?;
        drop(tensors);
        if let Some(scale) = &mut self.loss_scale {
            let finite = scale.unscale(&mut gradients)?;
            if !scale.update(finite) {
                return Ok(());
            }
        }
        if let Some(centres) = &mut self.centres
            && let Some(gradient) = gradients.pop()
        {
            centres.step(&gradient)?;
        }
        if let Some(norm) = self.plan.config().clip_norm {
            clip_gradients(&mut gradients, norm)?;
        }
        self.optimiser.step(&gradients, learning_rate)?;
        self.average.as_mut().map_or(Ok(()), MovingAverage::update)
    }

    /// Records a finished epoch and writes the checkpoints and the history.
    pub(crate) fn keep(&mut self, record: EpochRecord) -> Result<(), Error> {
        self.history.push(record);
        let config = self.plan.config();
        let is_best = config.selection != Selection::LastEpoch
            && self.history.selected(config.selection).is_some_and(|best| best.epoch == record.epoch);
        if !is_best && self.options.checkpoints.is_none() {
            return Ok(());
        }
        let checkpoint = self.checkpoint(None)?;
        if let Some(folder) = self.options.checkpoints {
            checkpoint.save(&Kind::Last.path(folder))?;
            if is_best {
                checkpoint.save(&Kind::Best.path(folder))?;
            }
            if let Some(path) = config.checkpoints.path(folder, &record) {
                checkpoint.save(&path)?;
            }
            self.write_history()?;
        }
        if is_best {
            self.best = Some(checkpoint.evaluated());
        }
        Ok(())
    }

    fn write_history(&self) -> Result<(), Error> {
        let Some(folder) = self.options.checkpoints else { return Ok(()) };
        self.history.save_csv(&folder.join("history.csv"))?;
        self.history.save_json(&folder.join("history.json"))
    }

    fn save_partial(&self, partial: PartialEpoch) -> Result<(), Error> {
        let Some(folder) = self.options.checkpoints else { return Ok(()) };
        self.checkpoint(Some(partial))?.save(&Kind::Last.path(folder))
    }

    /// The last checkpoint, where one is written.
    fn last_good(&self) -> Option<PathBuf> {
        self.options.checkpoints.map(|folder| Kind::Last.path(folder)).filter(|path| path.exists())
    }

    fn checkpoint(&self, partial: Option<PartialEpoch>) -> Result<Checkpoint, Error> {
        Ok(Checkpoint {
            epoch: self.finished_epochs(),
            config: self.plan.config().clone(),
            network: self.network.name().to_string(),
            fingerprint: self.fingerprint.clone(),
            history: self.history.clone(),
            model: self.network.parameters().to_data()?,
            optimiser: self.optimiser.state()?,
            centres: self.centres.as_ref().map(CentreLoss::state).transpose()?,
            average: self.average.as_ref().map_or(Ok(None), MovingAverage::state)?,
            partial,
            loss_scale: self.loss_scale,
        })
    }

    /// Gives the network the weights of the selected epoch; the history and that epoch.
    pub(crate) fn finish(self) -> Result<(History, usize), Error> {
        // A run that died between its last checkpoint and these.
        self.write_history()?;
        if let Some(best) = &self.best {
            self.network.parameters().load_data(best)?;
        } else if let Some(average) = &self.average {
            average.apply()?;
        }
        let selected = self.history.selected(self.plan.config().selection).map_or(0, |record| record.epoch);
        Ok((self.history, selected))
    }
}

fn no_code(network: &dyn Network) -> Error {
    Error::NetworkOutput {
        network: network.name(),
        got: "no code".to_string(),
        expected: "a code beside the logits, for the centre loss".to_string(),
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
        checkpoints: limits.checkpoints,
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
