//! Loss and accuracy over examples.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::examples::{Draw, Examples};
use super::loader::loading;
use super::loss::{Loss, Targets};
use super::precision::Precision;
use crate::{Error, Mode, Network};

/// Loss and accuracy over some examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Mean loss, with the smoothing and class weights of the training loss. In training it holds all that is minimised, in
    /// validation not the centre loss.
    pub loss: f64,
    /// Share of examples whose highest logit is at their label; of equal logits the lowest class counts. With target vectors
    /// the share of right decisions over examples and classes.
    pub accuracy: f64,
}

/// Sums from which an [`Evaluation`] is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tally {
    loss: f64,
    weight: f64,
    correct: f64,
    examples: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, loss_sum: f64, weight: f64, correct: f64, examples: usize) {
        self.loss += loss_sum;
        self.weight += weight;
        self.correct += correct;
        self.examples += examples;
    }

    pub(crate) fn evaluation(&self) -> Evaluation {
        Evaluation { loss: self.loss / self.weight, accuracy: self.correct / self.examples as f64 }
    }
}

/// The logits of a batch as numbers, checked to be of shape (batch, classes).
pub(crate) fn logit_values(network: &dyn Network, logits: &Tensor, batch: usize) -> Result<Vec<f32>, Error> {
    let expected = [batch as i64, network.classes() as i64];
    if logits.size() != expected {
        return Err(Error::NetworkOutput {
            network: network.name(),
            got: format!("logits of shape {:?}", logits.size()),
            expected: format!("shape {expected:?}"),
        });
    }
    let mut values = vec![0.0_f32; batch * network.classes()];
    let count = values.len();
    let logits = logits.f_detach()?.f_to(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
    logits.f_copy_data(&mut values, count)?;
    Ok(values)
}

/// Evaluates a network over all examples, without gradients and with running statistics.
///
/// # Errors
/// [`Error::TooFewExamples`] for no examples, the errors of the inputs and of the network.
pub fn evaluate(
    network: &dyn Network,
    examples: &dyn Examples,
    batch_size: usize,
    loss: &Loss,
) -> Result<Evaluation, Error> {
    check_part(network, examples, "validation", 1, loss)?;
    evaluate_checked(network, examples, batch_size, loss, Precision::Single)
}

/// [`evaluate`] of examples whose labels are checked.
pub(crate) fn evaluate_checked(
    network: &dyn Network,
    examples: &dyn Examples,
    batch_size: usize,
    loss: &Loss,
    precision: Precision,
) -> Result<Evaluation, Error> {
    let device = network.parameters().device();
    let order: Vec<usize> = (0..examples.len()).collect();
    let batches = || order.chunks(batch_size.max(1));
    loading(examples, batches(), Draw { seed: 0, epoch: 0 }, device, |loader| {
        let mut tally = Tally::default();
        for indices in batches() {
            let targets: Targets = loss.targets(examples, indices)?;
            let inputs = loader.next(indices.len())?;
            tch::no_grad(|| {
                let logits = precision.run(|| network.forward(&inputs, Mode::Evaluate))?;
                let values = logit_values(network, &logits, indices.len())?;
                let sum = loss.sum(&logits, &targets)?;
                tally.add(sum, loss.weight(&targets), targets.correct(&values), indices.len());
                Ok::<_, Error>(())
            })?;
        }
        Ok(tally.evaluation())
    })
}

/// Checks number, shape and targets of one part of the data.
pub(crate) fn check_part(
    network: &dyn Network,
    examples: &dyn Examples,
    part: &'static str,
    minimum: usize,
    loss: &Loss,
) -> Result<(), Error> {
    if examples.len() < minimum {
        return Err(Error::TooFewExamples { part, got: examples.len(), minimum });
    }
    network.input().check(network.name(), examples.shape())?;
    let classes = network.classes();
    if loss.takes_vectors() {
        let mut row = vec![0.0_f32; classes];
        for index in 0..examples.len() {
            examples.write_target(index, &mut row).map_err(|source| Error::Example { index, source })?;
            if let Some(&value) = row.iter().find(|value| !(0.0..=1.0).contains(*value)) {
                return Err(Error::TargetOutOfRange { part, index, value });
            }
        }
        return Ok(());
    }
    match (0..examples.len()).map(|index| (index, examples.label(index))).find(|&(_, label)| label >= classes)
    {
        Some((index, label)) => Err(Error::LabelOutOfRange { part, index, label, classes }),
        None => Ok(()),
    }
}
