//! The convolutions of VGG, which several studies share.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Conv2d, Conv2dConfig, Initial, channels_last, max_pool2d};
use crate::{Error, Parameters};

/// Which VGG: the number of layers with weights in the whole network, three of them after the convolutions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum VggDepth {
    /// Two convolutions in each of the five blocks.
    #[serde(rename = "13")]
    Layers13,
    /// Two convolutions in the first two blocks, three in the others. The default.
    #[default]
    #[serde(rename = "16")]
    Layers16,
    /// Two convolutions in the first two blocks, four in the others.
    #[serde(rename = "19")]
    Layers19,
}

impl VggDepth {
    fn convolutions(self) -> [usize; 5] {
        match self {
            Self::Layers13 => [2; 5],
            Self::Layers16 => [2, 2, 3, 3, 3],
            Self::Layers19 => [2, 2, 4, 4, 4],
        }
    }
}

/// Five blocks of 3 x 3 convolutions with ReLU, each ended by a 2 x 2 maximum: 64, 128, 256, 512, 512 channels.
///
/// Names are torchvision's, `features.0.weight` to `features.28.bias` for 16 layers, so that its ImageNet weights load.
///
/// Source: Simonyan, Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015.
#[derive(Debug)]
pub(crate) struct VggFeatures {
    /// Blocks of convolutions.
    blocks: Vec<Vec<Conv2d>>,
}

impl VggFeatures {
    /// Channels of the output.
    pub(crate) const CHANNELS: usize = 512;
    /// What the pools divide the sides of a picture by.
    pub(crate) const REDUCTION: usize = 32;
    const BLOCK_CHANNELS: [usize; 5] = [64, 128, 256, 512, 512];

    /// The layers for pictures of three channels. Of the five blocks the last `trainable_blocks` are trained.
    pub(crate) fn new(
        parameters: &mut Parameters,
        prefix: &str,
        depth: VggDepth,
        trainable_blocks: usize,
    ) -> Result<Self, Error> {
        let mut index = 0;
        let mut from = 3;
        let mut frozen = Vec::new();
        let mut blocks = Vec::new();
        for (block, (count, to)) in depth.convolutions().into_iter().zip(Self::BLOCK_CHANNELS).enumerate() {
            let mut convolutions = Vec::new();
            for _ in 0..count {
                let name = format!("{prefix}features.{index}");
                let config = Conv2dConfig { initial: Initial::FanOut, ..Conv2dConfig::same([from, to], 3) };
                convolutions.push(Conv2d::with(parameters, &name, &config)?);
                if block + trainable_blocks < 5 {
                    frozen.push(format!("{name}.weight"));
                    frozen.push(format!("{name}.bias"));
                }
                from = to;
                // A convolution and a ReLU.
                index += 2;
            }
            // The pool.
            index += 1;
            blocks.push(convolutions);
        }
        parameters.channels_last(&format!("{prefix}features"))?;
        parameters.freeze(|name| frozen.iter().any(|frozen| frozen == name))?;
        Ok(Self { blocks })
    }

    /// (batch, 1 or 3, height, width) to (batch, 512, height / 32, width / 32); one channel stands for three equal ones.
    pub(crate) fn forward(&self, input: &Tensor) -> Result<Tensor, Error> {
        let repeated = input.size().get(1) == Some(&1);
        let mut x = channels_last(input)?;
        for (block, convolutions) in self.blocks.iter().enumerate() {
            let last = convolutions.len().saturating_sub(1);
            for (layer, convolution) in convolutions.iter().enumerate() {
                let repeated = repeated && block == 0 && layer == 0;
                x = if repeated { convolution.forward_repeated(&x)? } else { convolution.forward(&x)? };
                // The maximum of a window and ReLU may change places: ReLU never turns an order round.
                if layer < last {
                    x = x.f_relu()?;
                }
            }
            x = max_pool2d(&x, [2, 2])?.f_relu()?;
        }
        Ok(x)
    }
}
