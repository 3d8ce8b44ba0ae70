//! What is minimised: cross-entropy on logits and its variants.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Reduction, Tensor};

use super::examples::{Examples, label_tensor};
use crate::Error;

/// What is minimised. Label smoothing and class weights are fields of [`TrainConfig`](super::TrainConfig) of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LossConfig {
    /// [`CrossEntropy`] of logits: one class an example.
    #[default]
    CrossEntropy,
    /// [`BinaryCrossEntropy`] of logits: any number of classes an example, by [`Examples::write_target`]. Accuracy is then
    /// the share of right decisions over all examples and classes.
    BinaryCrossEntropy,
    /// Cross-entropy with the softmax of the logits in the place of the logits. Several published programs do so by mistake,
    /// MLFCF among them: their networks end in a softmax and the loss takes another. The gradient is weaker and the loss
    /// stays above log(1 + (classes - 1) / e). For comparison with them only; networks here give logits, and one that was
    /// built to give probabilities would take the softmax a third time.
    DoubleSoftmax,
}

/// Cross-entropy with optional label smoothing s and class weights w, as `torch.nn.CrossEntropyLoss`:
/// the mean over examples of -sum_c q_c w_c log p_c, divided by the mean of w at the labels, where p is the softmax of the
/// logits and q_c = (1 - s) [c is the label] + s / classes.
#[derive(Debug)]
pub struct CrossEntropy {
    label_smoothing: f64,
    weights: Option<(Vec<f32>, Tensor)>,
}

impl CrossEntropy {
    /// A loss for `classes` classes on a device.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] where there is not one weight per class, [`Error::Torch`].
    pub fn new(
        label_smoothing: f64,
        class_weights: Option<&[f32]>,
        classes: usize,
        device: Device,
    ) -> Result<Self, Error> {
        let weights = weight_tensor(class_weights, classes, device)?;
        let weights = class_weights.map(<[f32]>::to_vec).zip(weights);
        Ok(Self { label_smoothing, weights })
    }

    /// Mean loss of a batch: logits (batch, classes), labels (batch) of 64-bit integers.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn mean(&self, logits: &Tensor, labels: &Tensor) -> Result<Tensor, Error> {
        self.reduce(logits, labels, Reduction::Mean)
    }

    /// Sum over a batch; dividing the sums of all batches by the sum of [`CrossEntropy::weight`] gives the mean over all.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn sum(&self, logits: &Tensor, labels: &Tensor) -> Result<Tensor, Error> {
        self.reduce(logits, labels, Reduction::Sum)
    }

    fn reduce(&self, logits: &Tensor, labels: &Tensor, reduction: Reduction) -> Result<Tensor, Error> {
        // -100 is PyTorch's "ignore this example", which no label can be here.
        let weights = self.weights.as_ref().map(|(_, tensor)| tensor);
        Ok(logits.f_cross_entropy_loss(labels, weights, reduction, -100, self.label_smoothing)?)
    }

    /// Sum of the class weights of some labels; their number where there are no class weights.
    #[must_use]
    pub fn weight(&self, labels: &[usize]) -> f64 {
        match &self.weights {
            None => labels.len() as f64,
            Some((weights, _)) => {
                labels.iter().filter_map(|&label| weights.get(label)).map(|&w| f64::from(w)).sum()
            }
        }
    }
}

/// Binary cross-entropy on logits x with targets t in 0 to 1, label smoothing s and weights w of present classes, as
/// `torch.nn.BCEWithLogitsLoss(pos_weight=w)` on the targets t (1 - s) + s / 2: the mean over examples and classes of
/// -(w t log p + (1 - t) log(1 - p)), p = 1 / (1 + exp(-x)).
#[derive(Debug)]
pub struct BinaryCrossEntropy {
    label_smoothing: f64,
    weights: Option<Tensor>,
}

impl BinaryCrossEntropy {
    /// A loss for `classes` classes on a device.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] where there is not one weight per class, [`Error::Torch`].
    pub fn new(
        label_smoothing: f64,
        class_weights: Option<&[f32]>,
        classes: usize,
        device: Device,
    ) -> Result<Self, Error> {
        Ok(Self { label_smoothing, weights: weight_tensor(class_weights, classes, device)? })
    }

    /// Mean loss of a batch: logits and targets of shape (batch, classes).
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn mean(&self, logits: &Tensor, targets: &Tensor) -> Result<Tensor, Error> {
        let smoothed;
        let targets = if self.label_smoothing > 0.0 {
            let share = self.label_smoothing;
            smoothed = targets.f_mul_scalar(1.0 - share)?.f_add_scalar(share / 2.0)?;
            &smoothed
        } else {
            targets
        };
        let none: Option<&Tensor> = None;
        Ok(logits.f_binary_cross_entropy_with_logits(
            targets,
            none,
            self.weights.as_ref(),
            Reduction::Mean,
        )?)
    }
}

fn weight_tensor(weights: Option<&[f32]>, classes: usize, device: Device) -> Result<Option<Tensor>, Error> {
    match weights {
        None => Ok(None),
        Some(weights) if weights.len() == classes => Ok(Some(Tensor::f_from_slice(weights)?.f_to(device)?)),
        Some(weights) => {
            Err(Error::LengthMismatch { what: "class_weights", got: weights.len(), expected: classes })
        }
    }
}

/// A loss of any kind, with the targets that it takes.
#[derive(Debug)]
pub struct Loss {
    kind: LossKind,
    classes: usize,
    device: Device,
}

#[derive(Debug)]
enum LossKind {
    CrossEntropy { entropy: CrossEntropy, of_softmax: bool },
    Binary(BinaryCrossEntropy),
}

/// What a batch should give.
#[derive(Debug)]
pub(crate) enum Targets {
    Classes { labels: Vec<usize>, tensor: Tensor },
    Vectors { values: Vec<f32>, tensor: Tensor, examples: usize },
}

impl Loss {
    /// A loss for `classes` classes on a device.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] where there is not one weight per class, [`Error::Torch`].
    pub fn new(
        config: LossConfig,
        label_smoothing: f64,
        class_weights: Option<&[f32]>,
        classes: usize,
        device: Device,
    ) -> Result<Self, Error> {
        let entropy = || CrossEntropy::new(label_smoothing, class_weights, classes, device);
        let kind = match config {
            LossConfig::CrossEntropy => LossKind::CrossEntropy { entropy: entropy()?, of_softmax: false },
            LossConfig::DoubleSoftmax => LossKind::CrossEntropy { entropy: entropy()?, of_softmax: true },
            LossConfig::BinaryCrossEntropy => {
                LossKind::Binary(BinaryCrossEntropy::new(label_smoothing, class_weights, classes, device)?)
            }
        };
        Ok(Self { kind, classes, device })
    }

    /// Whether targets are vectors, not classes.
    pub(crate) fn takes_vectors(&self) -> bool {
        matches!(self.kind, LossKind::Binary(_))
    }

    pub(crate) fn targets(&self, examples: &dyn Examples, indices: &[usize]) -> Result<Targets, Error> {
        if !self.takes_vectors() {
            let labels: Vec<usize> = indices.iter().map(|&index| examples.label(index)).collect();
            let tensor = label_tensor(&labels, self.device)?;
            return Ok(Targets::Classes { labels, tensor });
        }
        let mut values = vec![0.0_f32; indices.len() * self.classes];
        for (&index, row) in indices.iter().zip(values.chunks_exact_mut(self.classes.max(1))) {
            examples.write_target(index, row).map_err(|source| Error::Example { index, source })?;
        }
        let shape = [indices.len() as i64, self.classes as i64];
        let tensor = Tensor::f_from_slice(&values)?.f_reshape(shape)?.f_to(self.device)?;
        Ok(Targets::Vectors { values, tensor, examples: indices.len() })
    }

    /// Mean loss of a batch.
    pub(crate) fn mean(&self, logits: &Tensor, targets: &Targets) -> Result<Tensor, Error> {
        // Mixed precision gives logits of 16 bits.
        let logits = logits.f_to_kind(Kind::Float)?;
        match (&self.kind, targets) {
            (LossKind::CrossEntropy { entropy, of_softmax }, Targets::Classes { tensor, .. }) => {
                if *of_softmax {
                    entropy.mean(&logits.f_softmax(-1, Kind::Float)?, tensor)
                } else {
                    entropy.mean(&logits, tensor)
                }
            }
            (LossKind::Binary(binary), Targets::Vectors { tensor, .. }) => binary.mean(&logits, tensor),
            _ => Err(Error::LengthMismatch { what: "targets of another loss", got: 0, expected: 1 }),
        }
    }

    /// Sum over a batch, to be divided by the sum of [`Loss::weight`].
    pub(crate) fn sum(&self, logits: &Tensor, targets: &Targets) -> Result<f64, Error> {
        match (&self.kind, targets) {
            (LossKind::CrossEntropy { entropy, of_softmax }, Targets::Classes { tensor, .. }) => {
                let logits = logits.f_to_kind(Kind::Float)?;
                let logits = if *of_softmax { logits.f_softmax(-1, Kind::Float)? } else { logits };
                Ok(entropy.sum(&logits, tensor)?.f_double_value(&[])?)
            }
            _ => Ok(self.mean(logits, targets)?.f_double_value(&[])? * self.weight(targets)),
        }
    }

    /// What a batch counts in a mean over batches.
    pub(crate) fn weight(&self, targets: &Targets) -> f64 {
        match (&self.kind, targets) {
            (LossKind::CrossEntropy { entropy, .. }, Targets::Classes { labels, .. }) => {
                entropy.weight(labels)
            }
            (_, targets) => targets.examples() as f64,
        }
    }
}

impl From<CrossEntropy> for Loss {
    fn from(entropy: CrossEntropy) -> Self {
        // Targets are classes, whose number is not asked for, on the device of the logits: the CPU without weights.
        let device = entropy.weights.as_ref().map_or(Device::Cpu, |(_, tensor)| tensor.device());
        Self { kind: LossKind::CrossEntropy { entropy, of_softmax: false }, classes: 0, device }
    }
}

impl Targets {
    pub(crate) fn examples(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Vectors { examples, .. } => *examples,
        }
    }

    /// The labels as a tensor, where targets are classes.
    pub(crate) fn labels(&self) -> Option<&Tensor> {
        match self {
            Self::Classes { tensor, .. } => Some(tensor),
            Self::Vectors { .. } => None,
        }
    }

    /// The targets in another order.
    pub(crate) fn permuted(&self, order: &[usize]) -> Result<Self, Error> {
        let permute = |tensor: &Tensor| {
            Ok::<_, Error>(tensor.f_index_select(0, &label_tensor(order, tensor.device())?)?)
        };
        Ok(match self {
            Self::Classes { labels, tensor } => Self::Classes {
                labels: order.iter().filter_map(|&index| labels.get(index)).copied().collect(),
                tensor: permute(tensor)?,
            },
            Self::Vectors { values, tensor, examples } => {
                let width = values.len() / (*examples).max(1);
                let row = |&index: &usize| values.get(index * width..(index + 1) * width);
                Self::Vectors {
                    values: order.iter().filter_map(row).flatten().copied().collect(),
                    tensor: permute(tensor)?,
                    examples: *examples,
                }
            }
        })
    }

    /// How many examples are right: the highest logit at the label (of equal ones the lowest class counts), or the share of
    /// classes whose logit is above 0 where the target is above one half.
    pub(crate) fn correct(&self, logits: &[f32]) -> f64 {
        let width = (logits.len() / self.examples().max(1)).max(1);
        match self {
            Self::Classes { labels, .. } => {
                let rows = logits.chunks_exact(width).zip(labels);
                rows.filter(|(row, label)| argmax(row) == **label).count() as f64
            }
            Self::Vectors { values, .. } => {
                let pairs = logits.iter().zip(values);
                pairs.filter(|(logit, target)| (**logit > 0.0) == (**target > 0.5)).count() as f64
                    / width as f64
            }
        }
    }
}

fn argmax(row: &[f32]) -> usize {
    row.iter()
        .enumerate()
        .fold((0, f32::NEG_INFINITY), |best, (i, &v)| if v > best.1 { (i, v) } else { best })
        .0
}
