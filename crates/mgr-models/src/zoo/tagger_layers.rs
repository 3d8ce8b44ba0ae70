//! Layers of the published taggers, whose kernels, paddings and constants differ from network to network.

use tch::{Kind, Tensor};

use crate::{Error, Mode, Parameters, Role};

/// Two-dimensional convolution (cross-correlation), stride 1, any kernel, with zeros around.
#[derive(Debug)]
pub(super) struct Conv {
    pub(super) weight: Tensor,
    pub(super) bias: Tensor,
    padding: [i64; 2],
}

impl Conv {
    /// `kernel` and `padding` in (bands, frames). Initial values as PyTorch draws them.
    pub(super) fn new(
        parameters: &mut Parameters,
        name: &str,
        channels: [usize; 2],
        kernel: [usize; 2],
        padding: [usize; 2],
    ) -> Result<Self, Error> {
        let ([from, to], [height, width]) = (channels, kernel);
        let bound = 1.0 / ((from * height * width) as f64).sqrt();
        Ok(Self {
            weight: parameters.uniform(&format!("{name}.weight"), &[to, from, height, width], bound)?,
            bias: parameters.uniform(&format!("{name}.bias"), &[to], bound)?,
            padding: padding.map(|padding| padding as i64),
        })
    }

    pub(super) fn forward(&self, input: &Tensor) -> Result<Tensor, Error> {
        self.with(input, &self.weight, &self.bias)
    }

    /// The same convolution with other weights.
    pub(super) fn with(&self, input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor, Error> {
        Ok(input.f_conv2d(weight, Some(bias), [1, 1], self.padding, [1, 1], 1)?)
    }
}

/// One-dimensional convolution, stride 1, zero padding that keeps the length (odd kernels).
#[derive(Debug)]
pub(super) struct Conv1d {
    weight: Tensor,
    bias: Tensor,
}

impl Conv1d {
    pub(super) fn new(
        parameters: &mut Parameters,
        name: &str,
        channels: [usize; 2],
        kernel: usize,
    ) -> Result<Self, Error> {
        let [from, to] = channels;
        let bound = 1.0 / ((from * kernel) as f64).sqrt();
        Ok(Self {
            weight: parameters.uniform(&format!("{name}.weight"), &[to, from, kernel], bound)?,
            bias: parameters.uniform(&format!("{name}.bias"), &[to], bound)?,
        })
    }

    pub(super) fn forward(&self, input: &Tensor) -> Result<Tensor, Error> {
        let padding = self.weight.size3()?.2 / 2;
        Ok(input.f_conv1d(&self.weight, Some(&self.bias), 1, padding, 1, 1)?)
    }
}

/// What normalises: batch normalisation over axis 1 with its own epsilon and momentum (the share of the new batch).
#[derive(Debug)]
pub(super) struct Norm {
    pub(super) weight: Tensor,
    pub(super) bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    pub(super) epsilon: f64,
    momentum: f64,
}

/// PyTorch's epsilon and momentum.
pub(super) const TORCH: [f64; 2] = [1e-5, 0.1];
/// Those of TensorFlow's layers and of Keras from 1.2.
pub(super) const KERAS: [f64; 2] = [1e-3, 0.01];

impl Norm {
    pub(super) fn new(
        parameters: &mut Parameters,
        name: &str,
        channels: usize,
        [epsilon, momentum]: [f64; 2],
    ) -> Result<Self, Error> {
        let mut add = |part: &str, value, role| {
            parameters.constant(&format!("{name}.{part}"), &[channels], value, role)
        };
        Ok(Self {
            weight: add("weight", 1.0, Role::Trainable)?,
            bias: add("bias", 0.0, Role::Trainable)?,
            running_mean: add("running_mean", 0.0, Role::Buffer)?,
            running_var: add("running_var", 1.0, Role::Buffer)?,
            epsilon,
            momentum,
        })
    }

    pub(super) fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        Ok(input.f_batch_norm(
            Some(&self.weight),
            Some(&self.bias),
            Some(&self.running_mean),
            Some(&self.running_var),
            mode == Mode::Train,
            self.momentum,
            self.epsilon,
            true,
        )?)
    }
}

/// The maximum of non-overlapping windows; what does not fill a window is dropped.
pub(super) fn max_pool(input: &Tensor, window: [usize; 2]) -> Result<Tensor, Error> {
    let window = window.map(|length| length as i64);
    Ok(input.f_max_pool2d(window, window, [0, 0], [1, 1], false)?)
}

/// Mean over bands and frames: (batch, channels, bands, frames) to (batch, channels).
pub(super) fn mean_of_map(input: &Tensor) -> Result<Tensor, Error> {
    Ok(input.f_mean_dim([2_i64, 3].as_slice(), false, Kind::Float)?)
}

/// Checks an input of (batch, 1, bands, frames) for a network of a fixed number of bands and a range of frames.
pub(super) fn check_picture(
    network: &'static str,
    input: &Tensor,
    bands: usize,
    frames: std::ops::RangeInclusive<usize>,
) -> Result<(), Error> {
    let shape: Vec<usize> = input.size().into_iter().map(|axis| axis.max(0) as usize).collect();
    if let &[batch, 1, got_bands, got_frames] = shape.as_slice()
        && batch > 0
        && got_bands == bands
        && frames.contains(&got_frames)
    {
        return Ok(());
    }
    let (first, last) = (*frames.start(), *frames.end());
    let frames = if first == last {
        first.to_string()
    } else if last == usize::MAX {
        format!("frames >= {first}")
    } else {
        format!("{first} to {last} frames")
    };
    Err(Error::InputShape { network, expected: format!("(batch, 1, {bands}, {frames})"), got: shape })
}
