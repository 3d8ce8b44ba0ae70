//! Where inputs and labels come from, and how they become batches.

use ndarray::{Array2, ArrayD, Axis};
use tch::{Device, Tensor};

use crate::{Error, Random};

/// What a random crop may depend on. Evaluation and encoding use epoch 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// Seed of the run.
    pub seed: u64,
    /// Epoch from 1 in training, 0 elsewhere.
    pub epoch: usize,
}

impl Draw {
    /// A generator for one example, the same whenever the same (seed, epoch, example) is drawn.
    ///
    /// ```
    /// use mgr_models::train::Draw;
    /// let offset = Draw { seed: 1, epoch: 3 }.generator(17).below(100);
    /// assert_eq!(offset, Draw { seed: 1, epoch: 3 }.generator(17).below(100));
    /// ```
    #[must_use]
    pub fn generator(&self, index: usize) -> Random {
        Random::keyed(&[self.seed, self.epoch as u64, index as u64])
    }
}

/// Inputs of one common shape. They come ready: standardisation is fitted on training data, which only the caller knows.
///
/// They are made on a thread of their own, two batches ahead of the step that uses them.
pub trait Inputs: Sync {
    /// Number of examples.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shape of one example: (channels, bands, frames).
    fn shape(&self) -> &[usize];

    /// Writes example `index` row-major into `out`, whose length is the product of the shape. What is random in it depends
    /// on `draw` and `index` only.
    ///
    /// # Errors
    /// Whatever keeps the example from being made, such as a file that cannot be read.
    fn write_input(
        &self,
        index: usize,
        draw: Draw,
        out: &mut [f32],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

/// Inputs with labels.
pub trait Examples: Inputs {
    /// Class of example `index`, from 0. Where targets are vectors that belong to no class it may be any number.
    fn label(&self, index: usize) -> usize;

    /// Writes the target of example `index`, one number from 0 to 1 per class, for
    /// [`LossConfig::BinaryCrossEntropy`](super::LossConfig). Default: 1 at the label, 0 elsewhere.
    ///
    /// # Errors
    /// Whatever keeps the target from being made; by default a label that is no class.
    fn write_target(
        &self,
        index: usize,
        out: &mut [f32],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        write_label(self.label(index), out)
    }
}

/// 1 at the label, 0 elsewhere.
fn write_label(label: usize, out: &mut [f32]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let classes = out.len();
    out.fill(0.0);
    match out.get_mut(label) {
        Some(target) => {
            *target = 1.0;
            Ok(())
        }
        None => Err(format!("label is {label}, allowed is below {classes}").into()),
    }
}

/// Examples held in memory.
#[derive(Debug, Clone)]
pub struct ArrayExamples {
    inputs: ArrayD<f32>,
    labels: Vec<usize>,
    /// (examples, classes), where targets are vectors.
    targets: Option<Array2<f32>>,
}

impl ArrayExamples {
    /// Examples from an array (examples, channels, bands, frames) and one label each.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] where the number of labels differs from the number of examples.
    pub fn new(inputs: ArrayD<f32>, labels: Vec<usize>) -> Result<Self, Error> {
        let examples = inputs.shape().first().copied().unwrap_or(0);
        if labels.len() != examples {
            return Err(Error::LengthMismatch { what: "labels", got: labels.len(), expected: examples });
        }
        // An array without axes counts as no examples.
        let inputs = if inputs.ndim() == 0 { ArrayD::zeros(vec![0]) } else { inputs };
        Ok(Self { inputs, labels, targets: None })
    }

    /// Examples that belong to any number of classes: targets (examples, classes) of numbers from 0 to 1. They have no label,
    /// so that a loss that asks for one refuses them.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] where the number of targets differs from the number of examples.
    pub fn with_targets(inputs: ArrayD<f32>, targets: Array2<f32>) -> Result<Self, Error> {
        let labels = vec![usize::MAX; targets.nrows()];
        Ok(Self { targets: Some(targets), ..Self::new(inputs, labels)? })
    }
}

impl Inputs for ArrayExamples {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn shape(&self) -> &[usize] {
        &self.inputs.shape()[1..]
    }

    fn write_input(
        &self,
        index: usize,
        _draw: Draw,
        out: &mut [f32],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if index >= self.len() {
            return Err(format!("index is {index}, allowed is below {}", self.len()).into());
        }
        for (out, value) in out.iter_mut().zip(self.inputs.index_axis(Axis(0), index)) {
            *out = *value;
        }
        Ok(())
    }
}

impl Examples for ArrayExamples {
    fn label(&self, index: usize) -> usize {
        // No class: the trainer names the example in its error.
        self.labels.get(index).copied().unwrap_or(usize::MAX)
    }

    fn write_target(
        &self,
        index: usize,
        out: &mut [f32],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let Some(targets) = &self.targets else {
            return write_label(self.label(index), out);
        };
        if index >= targets.nrows() || targets.ncols() != out.len() {
            let (rows, columns) = targets.dim();
            return Err(
                format!("targets are {rows} x {columns}, asked is row {index} of {}", out.len()).into()
            );
        }
        out.iter_mut().zip(targets.row(index)).for_each(|(to, from)| *to = *from);
        Ok(())
    }
}

/// Labels as a tensor of 64-bit integers.
pub(crate) fn label_tensor(labels: &[usize], device: Device) -> Result<Tensor, Error> {
    let labels: Vec<i64> = labels.iter().map(|&label| label as i64).collect();
    Ok(Tensor::f_from_slice(&labels)?.f_to(device)?)
}

/// The order of one epoch, cut into batches. A last batch smaller than `smallest` is merged with the one before.
pub(crate) fn batches(len: usize, size: usize, smallest: usize, seed: u64, epoch: usize) -> Vec<Vec<usize>> {
    // The number keys shuffling apart from the crops, which are keyed by three numbers as well.
    let order = Random::keyed(&[seed, epoch as u64, 0x5348_5546_464C_4500]).permutation(len);
    let mut batches: Vec<Vec<usize>> = order.chunks(size.max(1)).map(<[usize]>::to_vec).collect();
    if batches.len() > 1
        && let Some(last) = batches.pop_if(|last| last.len() < smallest)
        && let Some(before) = batches.last_mut()
    {
        before.extend(last);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_batch_of_one_is_merged() {
        let sizes =
            |len, size, smallest| batches(len, size, smallest, 3, 1).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(9, 4, 2), [4, 5]);
        assert_eq!(sizes(9, 4, 1), [4, 4, 1]);
        assert_eq!(sizes(10, 4, 2), [4, 4, 2]);
        assert_eq!(sizes(3, 4, 2), [3]);
        assert_eq!(sizes(1, 4, 2), [1]);
    }

    #[test]
    fn an_epoch_visits_every_example_once_in_its_own_order() {
        let order = |seed, epoch| batches(50, 7, 2, seed, epoch).concat();
        let mut sorted = order(1, 1);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        assert_eq!(order(1, 1), order(1, 1));
        assert_ne!(order(1, 1), order(1, 2));
        assert_ne!(order(1, 1), order(2, 1));
    }
}
