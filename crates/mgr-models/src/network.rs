//! What the training engine and the encoder ask of a network.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::{Error, Parameters};

/// Whether a forward pass trains: batch statistics and dropout, or running statistics and none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Batch normalisation uses and records the statistics of the batch; dropout drops.
    Train,
    /// Batch normalisation uses the running statistics; dropout passes.
    Evaluate,
}

/// Whether a forward pass in training draws from libtorch's generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Randomness {
    /// The output is a function of input and parameters.
    None,
    /// The network draws (dropout, ...). The generator is one per process, so the trainer reseeds it from (seed, epoch,
    /// step) and lets one such forward pass run at a time.
    Generator,
}

/// The pictures a network takes: (batch, channels, bands, frames).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSpec {
    /// Number of channels.
    pub channels: usize,
    /// Fewest bands that survive the pooling.
    pub min_bands: usize,
    /// Fewest frames that survive the pooling.
    pub min_frames: usize,
}

impl InputSpec {
    /// Checks the shape of one example, (channels, bands, frames).
    ///
    /// # Errors
    /// [`Error::InputShape`] for another rank or channel count, [`Error::InputTooSmall`] for too few bands or frames.
    pub fn check(&self, network: &'static str, shape: &[usize]) -> Result<(), Error> {
        let &[channels, bands, frames] = shape else { return Err(self.shape_error(network, shape)) };
        if channels != self.channels {
            return Err(self.shape_error(network, shape));
        }
        for (axis, got, minimum) in [("bands", bands, self.min_bands), ("frames", frames, self.min_frames)] {
            if got < minimum {
                return Err(Error::InputTooSmall { network, axis, got, minimum });
            }
        }
        Ok(())
    }

    fn shape_error(&self, network: &'static str, shape: &[usize]) -> Error {
        Error::InputShape {
            network,
            expected: format!(
                "({}, bands >= {}, frames >= {})",
                self.channels, self.min_bands, self.min_frames
            ),
            got: shape.to_vec(),
        }
    }
}

/// A network that gives one logit per class.
pub trait Network: Send {
    /// The name in files and messages, e.g. `base_2d_cnn`.
    fn name(&self) -> &'static str;

    /// Number of classes, the width of the output.
    fn classes(&self) -> usize;

    /// The inputs it takes.
    fn input(&self) -> &InputSpec;

    /// Named tensors: what is trained and what is only recorded.
    fn parameters(&self) -> &Parameters;

    /// Logits of shape (batch, classes) for an input of shape (batch, channels, bands, frames).
    ///
    /// # Errors
    /// The errors of [`InputSpec::check`], and [`Error::Torch`].
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error>;

    /// Named outputs of inner layers beside the logits, for embeddings; the network's documentation lists them. Default: the
    /// logits alone.
    ///
    /// # Errors
    /// As [`Network::forward`].
    fn outputs(&self, input: &Tensor, mode: Mode) -> Result<Vec<(&'static str, Tensor)>, Error> {
        Ok(vec![("logits", self.forward(input, mode)?)])
    }

    /// Whether training draws random numbers. Default: [`Randomness::Generator`], the safe answer.
    fn randomness(&self) -> Randomness {
        Randomness::Generator
    }

    /// The smallest batch to train on. Default: 2, since the statistics of batch normalisation need more than one
    /// value per channel.
    fn smallest_training_batch(&self) -> usize {
        2
    }
}
