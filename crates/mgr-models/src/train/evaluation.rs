//! Loss and accuracy over examples.

use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

use super::examples::{Batch, Draw, Examples, label_tensor};
use super::loss::CrossEntropy;
use crate::{Error, Mode, Network};

/// Loss and accuracy over some examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Mean loss, with the smoothing and class weights of the training loss.
    pub loss: f64,
    /// Share of examples whose highest logit is at their label; of equal logits the lowest class counts.
    pub accuracy: f64,
}

/// Sums from which an [`Evaluation`] is made.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    loss: f64,
    weight: f64,
    correct: usize,
    examples: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, loss_sum: f64, weight: f64, logits: &[f32], labels: &[usize]) {
        self.loss += loss_sum;
        self.weight += weight;
        self.examples += labels.len();
        let classes = logits.len() / labels.len().max(1);
        self.correct += logits
            .chunks_exact(classes.max(1))
            .zip(labels)
            .filter(|(row, label)| argmax(row) == **label)
            .count();
    }

    pub(crate) fn evaluation(&self) -> Evaluation {
        Evaluation { loss: self.loss / self.weight, accuracy: self.correct as f64 / self.examples as f64 }
    }
}

fn argmax(row: &[f32]) -> usize {
    row.iter()
        .enumerate()
        .fold((0, f32::NEG_INFINITY), |best, (i, &v)| if v > best.1 { (i, v) } else { best })
        .0
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
    logits.f_detach()?.f_to(Device::Cpu)?.f_contiguous()?.f_copy_data(&mut values, count)?;
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
    loss: &CrossEntropy,
) -> Result<Evaluation, Error> {
    check_part(network, examples, "validation", 1)?;
    let device = network.parameters().device();
    let mut batch = Batch::default();
    let mut tally = Tally::default();
    let order: Vec<usize> = (0..examples.len()).collect();
    for indices in order.chunks(batch_size.max(1)) {
        let labels: Vec<usize> = indices.iter().map(|&index| examples.label(index)).collect();
        let inputs = batch.inputs(examples, indices, Draw { seed: 0, epoch: 0 }, device)?;
        tch::no_grad(|| {
            let logits = network.forward(&inputs, Mode::Evaluate)?;
            let values = logit_values(network, &logits, indices.len())?;
            let sum = loss.sum(&logits, &label_tensor(&labels, device)?)?.f_double_value(&[])?;
            tally.add(sum, loss.weight(&labels), &values, &labels);
            Ok::<_, Error>(())
        })?;
    }
    Ok(tally.evaluation())
}

/// Checks number, shape and labels of one part of the data.
pub(crate) fn check_part(
    network: &dyn Network,
    examples: &dyn Examples,
    part: &'static str,
    minimum: usize,
) -> Result<(), Error> {
    if examples.len() < minimum {
        return Err(Error::TooFewExamples { part, got: examples.len(), minimum });
    }
    network.input().check(network.name(), examples.shape())?;
    let classes = network.classes();
    match (0..examples.len()).map(|index| (index, examples.label(index))).find(|&(_, label)| label >= classes)
    {
        Some((index, label)) => Err(Error::LabelOutOfRange { part, index, label, classes }),
        None => Ok(()),
    }
}
