//! Layers with PyTorch's names, defaults and initial distributions.
//!
//! `torch.nn.Conv2d` and `torch.nn.Linear` draw weight and bias uniformly from +-1/sqrt(fan in) (Kaiming uniform with
//! slope sqrt(5)); `torch.nn.BatchNorm2d` starts at weight 1, bias 0, running mean 0, running variance 1. PyTorch's
//! `num_batches_tracked` is not kept: with a fixed momentum nothing reads it.

use tch::Tensor;

use crate::{Error, Mode, Parameters, Role};

mod attention;
mod netvlad;
mod vgg;

pub(crate) use attention::SelfAttention;
pub(crate) use netvlad::NetVlad;
pub use vgg::VggDepth;
pub(crate) use vgg::VggFeatures;

/// How the weights of a convolution or a linear layer begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Initial {
    /// `torch.nn`: weight and bias uniform in +-1/sqrt(fan in).
    #[default]
    FanIn,
    /// As [`Self::FanIn`], the weight divided by this number: for an input that is multiplied by it.
    FanInOver(u8),
    /// Keras: weight uniform in +-sqrt(6 / (fan in + fan out)) (Glorot, Bengio 2010), bias 0.
    Glorot,
    /// torchvision's convolutions: weight normal of variance 2 / fan out (He et al. 2015), bias 0.
    FanOut,
    /// torchvision's VGG classifier: weight normal of deviation 0.01, bias 0.
    Hundredth,
}

impl Initial {
    /// Weight of shape (to, from, kernel...) and bias.
    fn weights(
        self,
        parameters: &mut Parameters,
        name: &str,
        shape: &[usize],
        with_bias: bool,
    ) -> Result<(Tensor, Option<Tensor>), Error> {
        let to = shape.first().copied().unwrap_or(1);
        let fan_in: usize = shape.iter().skip(1).product();
        let fan_out = to * shape.iter().skip(2).product::<usize>();
        let (fan_in, fan_out) = (fan_in.max(1) as f64, fan_out.max(1) as f64);
        let weight_name = format!("{name}.weight");
        let weight = match self {
            Self::FanIn => parameters.uniform(&weight_name, shape, 1.0 / fan_in.sqrt())?,
            Self::FanInOver(factor) => {
                parameters.uniform(&weight_name, shape, 1.0 / (fan_in.sqrt() * f64::from(factor)))?
            }
            Self::Glorot => parameters.uniform(&weight_name, shape, (6.0 / (fan_in + fan_out)).sqrt())?,
            Self::FanOut => parameters.normal(&weight_name, shape, (2.0 / fan_out).sqrt())?,
            Self::Hundredth => parameters.normal(&weight_name, shape, 0.01)?,
        };
        let bias_name = format!("{name}.bias");
        let bias = match (with_bias, self) {
            (false, _) => None,
            (true, Self::FanIn | Self::FanInOver(_)) => {
                Some(parameters.uniform(&bias_name, &[to], 1.0 / fan_in.sqrt())?)
            }
            (true, _) => Some(parameters.constant(&bias_name, &[to], 0.0, Role::Trainable)?),
        };
        Ok((weight, bias))
    }
}

/// Settings of a two-dimensional convolution: everything that `torch.nn.Conv2d` takes and a network here uses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conv2dConfig {
    /// From, to.
    pub(crate) channels: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: usize,
    /// Zeros on every side.
    pub(crate) padding: [usize; 2],
    pub(crate) bias: bool,
    pub(crate) initial: Initial,
}

impl Conv2dConfig {
    /// Stride 1, no padding ("valid"), with bias.
    pub(crate) fn valid(channels: [usize; 2], kernel: [usize; 2]) -> Self {
        Self { channels, kernel, stride: 1, padding: [0, 0], bias: true, initial: Initial::FanIn }
    }

    /// Stride 1, zero padding that keeps the size of the picture (odd kernels), with bias.
    pub(crate) fn same(channels: [usize; 2], kernel: usize) -> Self {
        Self { padding: [kernel / 2; 2], ..Self::valid(channels, [kernel; 2]) }
    }
}

/// Two-dimensional convolution.
#[derive(Debug)]
pub(crate) struct Conv2d {
    weight: Tensor,
    bias: Option<Tensor>,
    stride: [i64; 2],
    padding: [i64; 2],
}

impl Conv2d {
    /// Square kernel, stride 1, zero padding that keeps the size (odd kernels).
    pub(crate) fn new(
        parameters: &mut Parameters,
        name: &str,
        channels: [usize; 2],
        kernel: usize,
    ) -> Result<Self, Error> {
        Self::with(parameters, name, &Conv2dConfig::same(channels, kernel))
    }

    pub(crate) fn with(
        parameters: &mut Parameters,
        name: &str,
        config: &Conv2dConfig,
    ) -> Result<Self, Error> {
        let [from, to] = config.channels;
        let [height, width] = config.kernel;
        let shape = [to, from, height, width];
        let (weight, bias) = config.initial.weights(parameters, name, &shape, config.bias)?;
        let padding = config.padding.map(|side| side as i64);
        Ok(Self { weight, bias, stride: [config.stride as i64; 2], padding })
    }

    pub(crate) fn forward(&self, input: &Tensor) -> Result<Tensor, Error> {
        self.convolve(input, &self.weight)
    }

    /// Takes a picture of one channel as if all channels were copies of it: a convolution by the sum of the weights over
    /// their channels, a third of the work of copying where the weights are for colours.
    pub(crate) fn forward_repeated(&self, input: &Tensor) -> Result<Tensor, Error> {
        self.convolve(input, &self.weight.f_sum_dim_intlist(&[1_i64][..], true, None)?)
    }

    fn convolve(&self, input: &Tensor, weight: &Tensor) -> Result<Tensor, Error> {
        Ok(input.f_conv2d(weight, self.bias.as_ref(), self.stride, self.padding, [1, 1], 1)?)
    }
}

/// One-dimensional convolution: input (batch, from, length).
#[derive(Debug)]
pub(crate) struct Conv1d {
    weight: Tensor,
    bias: Option<Tensor>,
    stride: i64,
    padding: i64,
}

impl Conv1d {
    /// A convolution with bias and `torch.nn.Conv1d`'s initial distributions.
    pub(crate) fn new(
        parameters: &mut Parameters,
        name: &str,
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
        padding: usize,
    ) -> Result<Self, Error> {
        let [from, to] = channels;
        let (weight, bias) = Initial::FanIn.weights(parameters, name, &[to, from, kernel], true)?;
        Ok(Self { weight, bias, stride: stride as i64, padding: padding as i64 })
    }

    pub(crate) fn forward(&self, input: &Tensor) -> Result<Tensor, Error> {
        Ok(input.f_conv1d(&self.weight, self.bias.as_ref(), [self.stride], [self.padding], [1], 1)?)
    }
}

/// Maximum over windows of a picture that do not overlap.
pub(crate) fn max_pool2d(input: &Tensor, window: [usize; 2]) -> Result<Tensor, Error> {
    let window = window.map(|side| side as i64);
    Ok(input.f_max_pool2d(window, window, [0, 0], [1, 1], false)?)
}

/// Maximum over windows of a sequence (batch, channels, length) that do not overlap.
pub(crate) fn max_pool1d(input: &Tensor, window: usize) -> Result<Tensor, Error> {
    let window = window as i64;
    // The two-dimensional kernel is the quicker of the two where gradients are wanted, and only there.
    if !input.requires_grad() {
        return Ok(input.f_max_pool1d([window], [window], [0], [1], false)?);
    }
    let pooled = input.f_unsqueeze(2)?.f_max_pool2d([1, window], [1, window], [0, 0], [1, 1], false)?;
    Ok(pooled.f_squeeze_dim(2)?)
}

thread_local! {
    /// Whether the operations of this thread are being recorded, sizes and all.
    static RECORDED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs `work` without what only makes it faster and fixes the size of the batch.
pub(crate) fn recorded<T>(work: impl FnOnce() -> T) -> T {
    /// Puts the switch back, also when `work` panics.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            RECORDED.set(self.0);
        }
    }
    let _restore = Restore(RECORDED.replace(true));
    work()
}

/// Zeros of this shape after the batch of `like`, (batch, anything); in a recording they keep to the batch that comes.
pub(crate) fn zeros_beside(like: &Tensor, rest: &[i64]) -> Result<Tensor, Error> {
    let mut shape = vec![like.size().first().copied().unwrap_or(0)];
    shape.extend(rest);
    if !RECORDED.get() {
        return Ok(Tensor::f_zeros(&shape[..], (like.kind(), like.device()))?);
    }
    let one = like.f_flatten(1, -1)?.f_narrow(1, 0, 1)?.f_mul_scalar(0.0)?;
    let ones = vec![1_i64; rest.len()];
    let folded: Vec<i64> = std::iter::once(-1).chain(ones).collect();
    let wide: Vec<i64> = std::iter::once(-1).chain(rest.iter().copied()).collect();
    Ok(one.f_reshape(&folded[..])?.f_expand(&wide[..], false)?)
}

/// The same picture with the channels of a pixel beside each other in memory, a layout that all following layers keep.
/// A first convolution from one channel to a few runs about twice as fast in it on a processor.
pub(crate) fn channels_last(input: &Tensor) -> Result<Tensor, Error> {
    if RECORDED.get() {
        return Ok(input.shallow_clone());
    }
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

/// Normalisation of the last axis of every example, epsilon 1e-5.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    size: i64,
}

impl LayerNorm {
    const EPSILON: f64 = 1e-5;

    pub(crate) fn new(parameters: &mut Parameters, name: &str, size: usize) -> Result<Self, Error> {
        Ok(Self {
            weight: parameters.constant(&format!("{name}.weight"), &[size], 1.0, Role::Trainable)?,
            bias: parameters.constant(&format!("{name}.bias"), &[size], 0.0, Role::Trainable)?,
            size: size as i64,
        })
    }

    pub(crate) fn forward(&self, input: &Tensor) -> Result<Tensor, Error> {
        Ok(input.f_layer_norm([self.size], Some(&self.weight), Some(&self.bias), Self::EPSILON, true)?)
    }
}

/// Affine map of the last axis.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    pub(crate) fn new(
        parameters: &mut Parameters,
        name: &str,
        from: usize,
        to: usize,
    ) -> Result<Self, Error> {
        Self::with(parameters, name, [from, to], Initial::FanIn, true)
    }

    pub(crate) fn with(
        parameters: &mut Parameters,
        name: &str,
        [from, to]: [usize; 2],
        initial: Initial,
        with_bias: bool,
    ) -> Result<Self, Error> {
        let (weight, bias) = initial.weights(parameters, name, &[to, from], with_bias)?;
        Ok(Self { weight, bias })
    }

    pub(crate) fn forward(&self, input: &Tensor) -> Result<Tensor, Error> {
        Ok(input.f_linear(&self.weight, self.bias.as_ref())?)
    }
}
