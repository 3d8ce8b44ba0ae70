//! ResNet for photographs, its last layer for genres.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::Colour;
use crate::device::DeviceConfig;
use crate::layers::{BatchNorm, Conv2d, Conv2dConfig, Initial, Linear, channels_last};
use crate::parameters::Start;
use crate::zoo::assembled::{Assembled, Body, Plate};
use crate::{Error, InputSpec, Mode, Network, Output, Parameters};

/// Which ResNet: the number of layers with weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ResNetDepth {
    /// Basic blocks: 2, 2, 2, 2.
    #[serde(rename = "18")]
    Layers18,
    /// Basic blocks: 3, 4, 6, 3. The default.
    #[default]
    #[serde(rename = "34")]
    Layers34,
    /// Bottleneck blocks: 3, 4, 6, 3.
    #[serde(rename = "50")]
    Layers50,
    /// Bottleneck blocks: 3, 4, 23, 3.
    #[serde(rename = "101")]
    Layers101,
}

impl ResNetDepth {
    fn blocks(self) -> [usize; 4] {
        match self {
            Self::Layers18 => [2, 2, 2, 2],
            Self::Layers34 | Self::Layers50 => [3, 4, 6, 3],
            Self::Layers101 => [3, 4, 23, 3],
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Layers18 | Self::Layers34 => Kind::Basic,
            Self::Layers50 | Self::Layers101 => Kind::Bottleneck,
        }
    }
}

/// What a block is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Two convolutions 3 x 3.
    Basic,
    /// Convolutions 1 x 1, 3 x 3 (with the stride), 1 x 1 to four times the channels.
    Bottleneck,
}

impl Kind {
    fn expansion(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Bottleneck => 4,
        }
    }
}

/// ResNet 18, 34, 50 or 101 as torchvision builds it, with a new last layer. All layers are trained.
///
/// Input (batch, 1 or 3, bands >= 32, frames >= 32); in the GTZAN-8 study 96 mel bands, not normalised as photographs are.
/// Names are torchvision's (`conv1.weight`, `layer1.0.bn1.bias`, ..., `fc.weight`), so ImageNet weights load with
/// [`Parameters::load_part`](crate::Parameters::load_part) once `fc` is left out of them.
///
/// | depth | parameters at n classes | at ImageNet's 1000 | at the study's 8 |
/// |---|---|---|---|
/// | 18 | 11,176,512 + 513 n | 11,689,512 | 11,180,616 |
/// | 34 | 21,284,672 + 513 n | 21,797,672 | 21,288,776 |
/// | 50 | 23,508,032 + 2049 n | 25,557,032 | 23,524,424 |
/// | 101 | 42,500,160 + 2049 n | 44,549,160 | 42,516,552 |
///
/// The code is the average over the picture before the last layer, 512 or 2048 numbers.
///
/// Source: He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016; the stride of a bottleneck is at
/// its 3 x 3 convolution, as in torchvision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResNetConfig {
    /// Number of layers. Default 34.
    pub depth: ResNetDepth,
    /// One channel or three. Default [`Colour::Grey`].
    pub colour: Colour,
}

const CHANNELS: [usize; 4] = [64, 128, 256, 512];

impl ResNetConfig {
    /// The name in files.
    pub const NAME: &'static str = "resnet";

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        let input = InputSpec::picture(self.colour.channels(), ResNetBody::SMALLEST, ResNetBody::SMALLEST);
        let plate = Plate::new(Self::NAME, classes, input).with_code(512 * self.depth.kind().expansion());
        Assembled::boxed(plate, start, device, |parameters| {
            ResNetBody::new(parameters, "", self.depth, classes)
        })
    }
}

/// The layers of a ResNet.
#[derive(Debug)]
pub(crate) struct ResNetBody {
    convolution: Conv2d,
    norm: BatchNorm,
    blocks: Vec<Block>,
    classes: Linear,
}

impl ResNetBody {
    /// Smallest side of a picture: what the strides divide by.
    pub(crate) const SMALLEST: usize = 32;

    pub(crate) fn new(
        parameters: &mut Parameters,
        prefix: &str,
        depth: ResNetDepth,
        classes: usize,
    ) -> Result<Self, Error> {
        let convolution = Convolution { channels: [3, 64], kernel: 7, stride: 2 }
            .layer(parameters, &format!("{prefix}conv1"))?;
        let norm = BatchNorm::new(parameters, &format!("{prefix}bn1"), 64)?;
        let kind = depth.kind();
        let mut blocks = Vec::new();
        let mut from = 64;
        for (layer, (count, channels)) in (1..).zip(depth.blocks().into_iter().zip(CHANNELS)) {
            for index in 0..count {
                let stride = if index == 0 && layer > 1 { 2 } else { 1 };
                let name = format!("{prefix}layer{layer}.{index}");
                blocks.push(Block::new(parameters, &name, kind, [from, channels], stride)?);
                from = channels * kind.expansion();
            }
        }
        let classes = Linear::new(parameters, &format!("{prefix}fc"), from, classes)?;
        parameters.channels_last(prefix)?;
        Ok(Self { convolution, norm, blocks, classes })
    }
}

impl Body for ResNetBody {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let x = channels_last(input)?;
        let x = if input.size().get(1) == Some(&1) {
            self.convolution.forward_repeated(&x)?
        } else {
            self.convolution.forward(&x)?
        };
        let x = self.norm.forward(&x, mode)?.f_max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false)?;
        let mut x = x.f_relu()?;
        for block in &self.blocks {
            x = block.forward(&x, mode)?;
        }
        let code = x.f_adaptive_avg_pool2d([1, 1])?.f_flatten(1, -1)?;
        Ok(Output { logits: self.classes.forward(&code)?, code: Some(code) })
    }
}

/// A convolution without bias, padded so that only the stride changes the size.
struct Convolution {
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
}

impl Convolution {
    fn layer(&self, parameters: &mut Parameters, name: &str) -> Result<Conv2d, Error> {
        let config = Conv2dConfig {
            stride: self.stride,
            bias: false,
            initial: Initial::FanOut,
            ..Conv2dConfig::same(self.channels, self.kernel)
        };
        Conv2d::with(parameters, name, &config)
    }
}

/// y = ReLU(x + layers(x)), with x convolved to the shape of the layers' output where it has another.
#[derive(Debug)]
struct Block {
    layers: Vec<(Conv2d, BatchNorm)>,
    shortcut: Option<(Conv2d, BatchNorm)>,
}

impl Block {
    fn new(
        parameters: &mut Parameters,
        name: &str,
        kind: Kind,
        [from, channels]: [usize; 2],
        stride: usize,
    ) -> Result<Self, Error> {
        let to = channels * kind.expansion();
        let plan: Vec<([usize; 2], usize, usize)> = match kind {
            Kind::Basic => vec![([from, channels], 3, stride), ([channels, to], 3, 1)],
            Kind::Bottleneck => {
                vec![([from, channels], 1, 1), ([channels, channels], 3, stride), ([channels, to], 1, 1)]
            }
        };
        let mut layers = Vec::new();
        for (number, (channels, kernel, stride)) in (1..).zip(plan) {
            let convolution = Convolution { channels, kernel, stride };
            layers.push((
                convolution.layer(parameters, &format!("{name}.conv{number}"))?,
                BatchNorm::new(parameters, &format!("{name}.bn{number}"), channels[1])?,
            ));
        }
        let shortcut = if from == to && stride == 1 {
            None
        } else {
            let convolution = Convolution { channels: [from, to], kernel: 1, stride };
            Some((
                convolution.layer(parameters, &format!("{name}.downsample.0"))?,
                BatchNorm::new(parameters, &format!("{name}.downsample.1"), to)?,
            ))
        };
        Ok(Self { layers, shortcut })
    }

    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        let mut x = input.shallow_clone();
        let last = self.layers.len().saturating_sub(1);
        for (index, (convolution, norm)) in self.layers.iter().enumerate() {
            x = norm.forward(&convolution.forward(&x)?, mode)?;
            if index < last {
                x = x.f_relu()?;
            }
        }
        let shortcut = match &self.shortcut {
            Some((convolution, norm)) => norm.forward(&convolution.forward(input)?, mode)?,
            None => input.shallow_clone(),
        };
        Ok(x.f_add(&shortcut)?.f_relu()?)
    }
}
