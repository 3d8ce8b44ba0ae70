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

/// What an axis of an input counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Axis {
    /// Channels of a picture.
    Channels,
    /// Frequency bands, or the rows of a picture.
    Bands,
    /// Frames, or the columns of a picture.
    Frames,
    /// Numbers of a vector.
    Values,
    /// Vectors stacked on each other, such as the codes of several encoders.
    Vectors,
}

impl Axis {
    /// The name in messages and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Channels => "channels",
            Self::Bands => "bands",
            Self::Frames => "frames",
            Self::Values => "values",
            Self::Vectors => "vectors",
        }
    }
}

/// An axis of an input and the sizes it may have: `minimum`, `minimum + step`, ... up to `maximum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputAxis {
    /// What it counts.
    pub axis: Axis,
    /// Smallest size.
    pub minimum: usize,
    /// Largest size; none for any.
    pub maximum: Option<usize>,
    /// Distance between sizes, 1 in most networks.
    pub step: usize,
}

impl InputAxis {
    /// One size only.
    #[must_use]
    pub fn exactly(axis: Axis, size: usize) -> Self {
        Self { axis, minimum: size, maximum: Some(size), step: 1 }
    }

    /// This size and every larger one.
    #[must_use]
    pub fn at_least(axis: Axis, minimum: usize) -> Self {
        Self { axis, minimum, maximum: None, step: 1 }
    }

    fn is_exact(&self) -> bool {
        self.maximum == Some(self.minimum)
    }

    fn allows(&self, size: usize) -> bool {
        size >= self.minimum
            && self.maximum.is_none_or(|maximum| size <= maximum)
            && (size - self.minimum).is_multiple_of(self.step.max(1))
    }
}

impl std::fmt::Display for InputAxis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { minimum, maximum, step, .. } = self;
        let name = self.axis.name();
        match maximum {
            _ if self.is_exact() => write!(f, "{name} {minimum}")?,
            Some(maximum) => write!(f, "{name} {minimum} to {maximum}")?,
            None => write!(f, "{name} >= {minimum}")?,
        }
        if *step > 1 && !self.is_exact() { write!(f, " in steps of {step}") } else { Ok(()) }
    }
}

/// The inputs a network takes: the axes after the batch, for a spectrogram (channels, bands, frames).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InputSpec {
    axes: Vec<InputAxis>,
}

impl InputSpec {
    /// Inputs with these axes.
    #[must_use]
    pub fn new(axes: Vec<InputAxis>) -> Self {
        Self { axes }
    }

    /// Pictures of a number of channels, with at least so many bands and frames.
    #[must_use]
    pub fn picture(channels: usize, min_bands: usize, min_frames: usize) -> Self {
        Self::new(vec![
            InputAxis::exactly(Axis::Channels, channels),
            InputAxis::at_least(Axis::Bands, min_bands),
            InputAxis::at_least(Axis::Frames, min_frames),
        ])
    }

    /// Pictures of one size: channels, bands (rows), frames (columns).
    #[must_use]
    pub fn fixed_picture([channels, bands, frames]: [usize; 3]) -> Self {
        Self::new(vec![
            InputAxis::exactly(Axis::Channels, channels),
            InputAxis::exactly(Axis::Bands, bands),
            InputAxis::exactly(Axis::Frames, frames),
        ])
    }

    /// Vectors of one length.
    #[must_use]
    pub fn vector(length: usize) -> Self {
        Self::new(vec![InputAxis::exactly(Axis::Values, length)])
    }

    /// The axes, apart from the batch.
    #[must_use]
    pub fn axes(&self) -> &[InputAxis] {
        &self.axes
    }

    /// The smallest shape that it takes.
    #[must_use]
    pub fn smallest(&self) -> Vec<usize> {
        self.axes.iter().map(|axis| axis.minimum).collect()
    }

    /// Checks the shape of one example, for a spectrogram (channels, bands, frames).
    ///
    /// # Errors
    /// [`Error::InputTooSmall`] for an axis that may be larger and is too short, [`Error::InputShape`] for anything else.
    pub fn check(&self, network: &'static str, shape: &[usize]) -> Result<(), Error> {
        let shape_error = || Error::InputShape { network, expected: self.to_string(), got: shape.to_vec() };
        if shape.len() != self.axes.len() {
            return Err(shape_error());
        }
        if self.axes.iter().zip(shape).any(|(axis, &got)| axis.is_exact() && got != axis.minimum) {
            return Err(shape_error());
        }
        for (axis, &got) in self.axes.iter().zip(shape) {
            if got < axis.minimum {
                let (axis, minimum) = (axis.axis.name(), axis.minimum);
                return Err(Error::InputTooSmall { network, axis, got, minimum });
            }
            if !axis.allows(got) {
                return Err(shape_error());
            }
        }
        Ok(())
    }
}

impl std::fmt::Display for InputSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let axes: Vec<String> = self.axes.iter().map(ToString::to_string).collect();
        write!(f, "({})", axes.join(", "))
    }
}

/// What a forward pass gives.
#[derive(Debug)]
pub struct Output {
    /// One number per class, (batch, classes).
    pub logits: Tensor,
    /// The code, (batch, [`Network::code_size`]): the activations of the layer that the network's authors take as features.
    /// None where the network has none.
    pub code: Option<Tensor>,
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

    /// Logits of shape (batch, classes) for an input of shape (batch, axes of [`Network::input`]).
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

    /// Length of the code that [`Network::forward_with_code`] gives beside the logits. Default none.
    fn code_size(&self) -> Option<usize> {
        None
    }

    /// Logits, and the code where the network has one. Default: the logits alone.
    ///
    /// # Errors
    /// Those of [`Network::forward`].
    fn forward_with_code(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        Ok(Output { logits: self.forward(input, mode)?, code: None })
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
