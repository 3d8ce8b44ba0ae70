//! Layers with PyTorch's names, defaults and initial distributions.
//!
//! `torch.nn.Conv2d` and `torch.nn.Linear` draw weight and bias uniformly from +-1/sqrt(fan in) (Kaiming uniform with
//! slope sqrt(5)); `torch.nn.BatchNorm2d` starts at weight 1, bias 0, running mean 0, running variance 1. PyTorch's
//! `num_batches_tracked` is not kept: with a fixed momentum nothing reads it.

use tch::Tensor;

use crate::{Error, Mode, Parameters, Role};

/// Two-dimensional convolution, stride 1, zero padding that keeps the size (odd kernels).
#[derive(Debug)]
pub(crate) struct Conv2d {
    weight: Tensor,
    bias: Tensor,
    padding: i64,
}

impl Conv2d {
    pub(crate) fn new(
        parameters: &mut Parameters,
        name: &str,
        channels: [usize; 2],
        kernel: usize,
    ) -> Result<Self, Error> {
        let [from, to] = channels;
        let bound = 1.0 / ((from * kernel * kernel) as f64).sqrt();
        Ok(Self {
            weight: parameters.uniform(&format!("{name}.weight"), &[to, from, kernel, kernel], bound)?,
            bias: parameters.uniform(&format!("{name}.bias"), &[to], bound)?,
            padding: (kernel / 2) as i64,
        })
    }

    pub(crate) fn forward(&self, input: &Tensor) -> Result<Tensor, Error> {
        Ok(input.f_conv2d(&self.weight, Some(&self.bias), [1, 1], [self.padding; 2], [1, 1], 1)?)
    }
}

/// The same picture with the channels of a pixel beside each other in memory, a layout that all following layers keep.
/// A first convolution from one channel to a few runs about twice as fast in it on a processor.
pub(crate) fn channels_last(input: &Tensor) -> Result<Tensor, Error> {
    let (batch, channels, height, width) = input.size4()?;
    let pixels = input.f_permute([0, 2, 3, 1])?.f_contiguous()?;
    // Permuting back would leave the strides of one channel ambiguous, and libtorch would take the other layout.
    let strides = [height * width * channels, 1, width * channels, channels];
    Ok(pixels.f_as_strided([batch, channels, height, width], strides, None)?)
}

/// Batch normalisation over channels, epsilon 1e-5, momentum 0.1.
#[derive(Debug)]
pub(crate) struct BatchNorm {
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
}

impl BatchNorm {
    const EPSILON: f64 = 1e-5;
    const MOMENTUM: f64 = 0.1;

    pub(crate) fn new(parameters: &mut Parameters, name: &str, channels: usize) -> Result<Self, Error> {
        let mut add = |part: &str, value, role| {
            parameters.constant(&format!("{name}.{part}"), &[channels], value, role)
        };
        Ok(Self {
            weight: add("weight", 1.0, Role::Trainable)?,
            bias: add("bias", 0.0, Role::Trainable)?,
            running_mean: add("running_mean", 0.0, Role::Buffer)?,
            running_var: add("running_var", 1.0, Role::Buffer)?,
        })
    }

    pub(crate) fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        Ok(input.f_batch_norm(
            Some(&self.weight),
            Some(&self.bias),
            Some(&self.running_mean),
            Some(&self.running_var),
            mode == Mode::Train,
            Self::MOMENTUM,
            Self::EPSILON,
            true,
        )?)
    }
}

/// Affine map of the last axis.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    pub(crate) fn new(
        parameters: &mut Parameters,
        name: &str,
        from: usize,
        to: usize,
    ) -> Result<Self, Error> {
        let bound = 1.0 / (from as f64).sqrt();
        Ok(Self {
            weight: parameters.uniform(&format!("{name}.weight"), &[to, from], bound)?,
            bias: parameters.uniform(&format!("{name}.bias"), &[to], bound)?,
        })
    }

    pub(crate) fn forward(&self, input: &Tensor) -> Result<Tensor, Error> {
        Ok(input.f_linear(&self.weight, Some(&self.bias))?)
    }
}
