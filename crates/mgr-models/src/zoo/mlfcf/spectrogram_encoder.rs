//! The encoder of MLFCF for spectrograms.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{ClassOutput, Head, replicated};
use crate::device::DeviceConfig;
use crate::layers::{BatchNorm, Conv2d, Initial, NetVlad, SelfAttention, channels_last, max_pool2d};
use crate::parameters::Start;
use crate::zoo::assembled::{Assembled, Body, Plate};
use crate::{Error, InputSpec, Mode, Network, Output, Parameters};

/// Which graph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MlfcfVariant {
    /// The published graph to the letter: the descriptors are replicated to ten identical heads, attention compares 2240
    /// positions with each other, and a matrix of clusters and channels is reinterpreted as one of channels and clusters.
    Published,
    /// Without the heads, the attention and the reinterpretation: the descriptors, times ten, go straight to the code. The
    /// published graph begins as this one, since its attention begins as the identity and a linear layer on ten equal copies
    /// is one layer, the mean of its ten parts, on ten times the input; without the factor that layer would learn ten times
    /// slower. It has a tenth of the parameters. The default.
    #[default]
    Efficient,
}

/// The encoder of MLFCF for spectrograms: five blocks of convolution 3 x 3, batch normalisation, ELU and 2 x 2 maximum with
/// 32, 32, 32, 64, 64 channels; NetVLAD of ten clusters after every pool; a code of 1024 numbers; classes.
///
/// Input (batch, 1, bands >= 32, frames >= 32); the study's are 84 to 280 bands and 216 frames of 1024 samples at 22.05 kHz,
/// natural logarithm, not standardised. NetVLAD makes the number of parameters independent of the input's size.
///
/// | variant | parameters at 13 classes | as a function of n classes |
/// |---|---|---|
/// | `published` | 23,033,546 | 23,020,221 + 1025 n |
/// | `efficient` | 2,389,375 | 2,376,050 + 1025 n |
///
/// The published program holds pictures the other way round, (frames, bands); its weights carry over with the last two axes
/// of the convolution kernels exchanged, since nothing after them depends on which axis is which.
///
/// ```
/// use mgr_models::device::DeviceConfig;
/// use mgr_models::zoo::{MlfcfSpectrogramConfig, NetworkConfig};
///
/// # fn main() -> Result<(), mgr_models::Error> {
/// let network = NetworkConfig::MlfcfSpectrogram(MlfcfSpectrogramConfig::default()).build(13, 0, DeviceConfig::Cpu)?;
/// assert_eq!(network.code_size(), Some(1024));
/// assert_eq!(network.parameters().trainable_count(), 2_389_375);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlfcfSpectrogramConfig {
    /// Which graph. Default [`MlfcfVariant::Efficient`].
    pub variant: MlfcfVariant,
    /// Logits or their softmax. Default [`ClassOutput::Logits`].
    pub output: ClassOutput,
}

const CHANNELS: [[usize; 2]; 5] = [[1, 32], [32, 32], [32, 32], [32, 64], [64, 64]];
const CLUSTERS: usize = 10;
/// Sum of the channels of the five pools.
const DESCRIPTORS: usize = 224;
const HEADS: usize = 10;

impl MlfcfSpectrogramConfig {
    /// The name in files.
    pub const NAME: &'static str = "mlfcf_spectrogram";

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        let input = InputSpec::picture(1, 32, 32);
        let plate = Plate::new(Self::NAME, classes, input).with_code(Head::CODE).with_dropout(Head::DROPOUT);
        Assembled::boxed(plate, start, device, |parameters| {
            SpectrogramEncoder::new(*self, parameters, classes)
        })
    }
}

#[derive(Debug)]
struct SpectrogramEncoder {
    blocks: Vec<Block>,
    /// Of the published variant.
    attention: Option<SelfAttention>,
    head: Head,
}

#[derive(Debug)]
struct Block {
    convolution: Conv2d,
    norm: BatchNorm,
    vlad: NetVlad,
}

impl SpectrogramEncoder {
    fn new(
        config: MlfcfSpectrogramConfig,
        parameters: &mut Parameters,
        classes: usize,
    ) -> Result<Self, Error> {
        let mut blocks = Vec::new();
        for (number, channels) in (1..).zip(CHANNELS) {
            blocks.push(Block {
                convolution: Conv2d::new(parameters, &format!("conv{number}"), channels, 3)?,
                norm: BatchNorm::new(parameters, &format!("bn{number}"), channels[1])?,
                vlad: NetVlad::new(parameters, &format!("vlad{number}"), CLUSTERS, channels[1])?,
            });
        }
        let (attention, heads) = match config.variant {
            MlfcfVariant::Published => (Some(SelfAttention::new(parameters, "attention", HEADS)?), HEADS),
            MlfcfVariant::Efficient => (None, 1),
        };
        // Times ten on inputs, over ten here: what the sum of the ten parts of the published layer begins as.
        let initial = match config.variant {
            MlfcfVariant::Published => Initial::FanIn,
            MlfcfVariant::Efficient => Initial::FanInOver(HEADS as u8),
        };
        let head = Head::new(parameters, heads * DESCRIPTORS * CLUSTERS, classes, config.output, initial)?;
        Ok(Self { blocks, attention, head })
    }
}

impl Body for SpectrogramEncoder {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let mut x = channels_last(input)?;
        let mut descriptors = Vec::new();
        for block in &self.blocks {
            let normed = block.norm.forward(&block.convolution.forward(&x)?, mode)?;
            // ELU is monotone: the maximum of a window may be taken before it, on a quarter of the work.
            x = max_pool2d(&normed, [2, 2])?.f_elu_()?;
            descriptors.push(block.vlad.forward(&x)?);
        }
        let Some(attention) = &self.attention else {
            let flat: Vec<Tensor> =
                descriptors.iter().map(|one| Ok(one.f_flatten(1, -1)?)).collect::<Result<_, Error>>()?;
            return self.head.forward(&Tensor::f_cat(&flat, 1)?.f_mul_scalar(HEADS as f64)?, mode);
        };
        // (clusters, channels) in memory taken as (channels, clusters), as published.
        let descriptors: Vec<Tensor> = descriptors
            .iter()
            .map(|one| {
                let (_, clusters, channels) = one.size3()?;
                Ok(one.f_contiguous()?.f_reshape([-1, channels, clusters])?)
            })
            .collect::<Result<_, Error>>()?;
        let heads = replicated(&Tensor::f_cat(&descriptors, 1)?, HEADS as i64)?;
        self.head.forward(&attention.forward(&heads)?.f_flatten(1, -1)?, mode)
    }
}
