//! Base2DCNN, the small spectrogram network of the GTZAN-8 study.

use tch::Tensor;

use crate::device::DeviceConfig;
use crate::layers::{BatchNorm, Conv2d, Linear, channels_last, max_pool2d};
use crate::parameters::Start;
use crate::zoo::assembled::{Body, logits};
use crate::zoo::check_classes;
use crate::{Error, InputSpec, Mode, Network, Output, Parameters, Randomness};

/// Four blocks of convolution, batch normalisation, ReLU and max pooling; global average; one linear layer.
///
/// | block | channels | kernel | pool |
/// |---|---|---|---|
/// | conv0 | 1 to 16 | 7 x 7 | 5 |
/// | conv1 | 16 to 32 | 5 x 5 | 3 |
/// | conv2 | 32 to 64 | 3 x 3 | 3 |
/// | conv3 | 64 to 128 | 3 x 3 | 2 |
///
/// Input (batch, 1, bands >= 90, frames >= 90), in the study 96 mel bands in decibels, standardised; output (batch, classes)
/// logits. 106,464 + 129 x classes parameters, 107,496 at the study's 8 classes. Names are those of the original's
/// `state_dict`: `conv0.0.weight` (convolution), `conv0.1.weight` (batch normalisation), ..., `linear.weight`.
///
/// Source: E. Choi, KAIST GCT634 homework 2 (2020), model `Base2DCNN`.
#[derive(Debug)]
pub struct Base2dCnn {
    parameters: Parameters,
    input: InputSpec,
    body: Base2dCnnBody,
    classes: usize,
}

impl Base2dCnn {
    /// The name in files.
    pub const NAME: &'static str = "base_2d_cnn";

    /// Builds the network with PyTorch's initial distributions, drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for fewer than 2 or more than 65,536 classes, [`Error::CudaUnavailable`].
    pub fn new(classes: usize, seed: u64, device: DeviceConfig) -> Result<Self, Error> {
        Self::starting(classes, Start::Seed(seed), device)
    }

    pub(super) fn starting(classes: usize, start: Start, device: DeviceConfig) -> Result<Self, Error> {
        check_classes(classes)?;
        let mut parameters = Parameters::starting(start, device.resolve()?);
        let body = Base2dCnnBody::new(&mut parameters, "", classes)?;
        let input = InputSpec::picture(1, Base2dCnnBody::SMALLEST, Base2dCnnBody::SMALLEST);
        Ok(Self { parameters, input, body, classes })
    }
}

impl Network for Base2dCnn {
    network_facts!();

    fn randomness(&self) -> Randomness {
        Randomness::None
    }

    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        let shape: Vec<usize> = input.size().into_iter().map(|axis| axis.max(0) as usize).collect();
        self.input.check(Self::NAME, shape.get(1..).unwrap_or_default())?;
        Ok(self.body.forward(input, mode)?.logits)
    }
}

/// The layers.
#[derive(Debug)]
pub(crate) struct Base2dCnnBody {
    blocks: Vec<Block>,
    linear: Linear,
}

#[derive(Debug)]
struct Block {
    convolution: Conv2d,
    norm: BatchNorm,
    pool: usize,
}

impl Base2dCnnBody {
    /// Smallest side of a picture: the pools divide by 5 x 3 x 3 x 2 in all.
    pub(crate) const SMALLEST: usize = 90;

    pub(crate) fn new(parameters: &mut Parameters, prefix: &str, classes: usize) -> Result<Self, Error> {
        let mut blocks = Vec::new();
        for (index, (channels, kernel, pool)) in
            [([1, 16], 7, 5), ([16, 32], 5, 3), ([32, 64], 3, 3), ([64, 128], 3, 2)].into_iter().enumerate()
        {
            let name = format!("{prefix}conv{index}");
            blocks.push(Block {
                convolution: Conv2d::new(parameters, &format!("{name}.0"), channels, kernel)?,
                norm: BatchNorm::new(parameters, &format!("{name}.1"), channels[1])?,
                pool,
            });
        }
        Ok(Self { blocks, linear: Linear::new(parameters, &format!("{prefix}linear"), 128, classes)? })
    }
}

impl Body for Base2dCnnBody {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let mut x = channels_last(input)?;
        for block in &self.blocks {
            let normed = block.norm.forward(&block.convolution.forward(&x)?, mode)?;
            // ReLU is monotone, so pooling first gives the same values and gradients from 4 to 25 times fewer of them.
            x = max_pool2d(&normed, [block.pool; 2])?.f_relu()?;
        }
        Ok(logits(self.linear.forward(&x.f_adaptive_avg_pool2d([1, 1])?.f_flatten(1, -1)?)?))
    }
}
