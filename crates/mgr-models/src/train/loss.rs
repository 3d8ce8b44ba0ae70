//! Cross-entropy on logits.

use tch::{Device, Reduction, Tensor};

use crate::Error;

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
        let weights = match class_weights {
            None => None,
            Some(weights) if weights.len() == classes => {
                Some((weights.to_vec(), Tensor::f_from_slice(weights)?.f_to(device)?))
            }
            Some(weights) => {
                return Err(Error::LengthMismatch {
                    what: "class_weights",
                    got: weights.len(),
                    expected: classes,
                });
            }
        };
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
