//! The encoder of MLFCF for vectors.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{ClassOutput, Head, MlfcfVariant, replicated};
use crate::device::DeviceConfig;
use crate::layers::{BatchNorm, Conv1d, Initial, SelfAttention};
use crate::parameters::Start;
use crate::zoo::assembled::{Assembled, Body, Plate, check_size};
use crate::{Error, InputSpec, Mode, Network, Output, Parameters};

/// The encoder of MLFCF for vectors such as Choi's 160 numbers per clip: two convolutions of 32 filters of width 5, each
/// with batch normalisation and ELU; a code of 1024 numbers; classes.
///
/// Input (batch, length). The published graph replicates the map to two identical heads and compares their 5120 positions
/// (at length 160) by self-attention; the efficient one leaves both out.
///
/// | variant | parameters at length 160, 13 classes | as a function of length l and n classes |
/// |---|---|---|
/// | `published` | 10,507,648 | 8,563 + 65,536 l + 1025 n |
/// | `efficient` | 5,264,749 | 8,544 + 32,768 l + 1025 n |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlfcfVectorConfig {
    /// Length of the vectors, 1 to 4096. Default 160.
    pub length: usize,
    /// Which graph. Default [`MlfcfVariant::Efficient`].
    pub variant: MlfcfVariant,
    /// Logits or their softmax. Default [`ClassOutput::Logits`].
    pub output: ClassOutput,
}

impl Default for MlfcfVectorConfig {
    fn default() -> Self {
        Self { length: 160, variant: MlfcfVariant::default(), output: ClassOutput::default() }
    }
}

const CHANNELS: usize = 32;
const KERNEL: usize = 5;
const HEADS: usize = 2;

impl MlfcfVectorConfig {
    /// The name in files.
    pub const NAME: &'static str = "mlfcf_vector";

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        check_size("length", self.length, 1, 4096, "1 to 4096")?;
        let input = InputSpec::vector(self.length);
        let plate = Plate::new(Self::NAME, classes, input).with_code(Head::CODE).with_dropout(Head::DROPOUT);
        Assembled::boxed(plate, start, device, |parameters| VectorEncoder::new(*self, parameters, classes))
    }
}

#[derive(Debug)]
struct VectorEncoder {
    layers: Vec<(Conv1d, BatchNorm)>,
    /// Of the published variant.
    attention: Option<SelfAttention>,
    head: Head,
}

impl VectorEncoder {
    fn new(config: MlfcfVectorConfig, parameters: &mut Parameters, classes: usize) -> Result<Self, Error> {
        let mut layers = Vec::new();
        for (number, from) in [(1, 1), (2, CHANNELS)] {
            let name = format!("conv{number}");
            let convolution = Conv1d::new(parameters, &name, [from, CHANNELS], KERNEL, 1, KERNEL / 2)?;
            layers.push((convolution, BatchNorm::new(parameters, &format!("bn{number}"), CHANNELS)?));
        }
        let (attention, heads) = match config.variant {
            MlfcfVariant::Published => (Some(SelfAttention::new(parameters, "attention", HEADS)?), HEADS),
            MlfcfVariant::Efficient => (None, 1),
        };
        let head =
            Head::new(parameters, heads * config.length * CHANNELS, classes, config.output, Initial::FanIn)?;
        Ok(Self { layers, attention, head })
    }
}

impl Body for VectorEncoder {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let mut x = input.f_unsqueeze(1)?;
        for (convolution, norm) in &self.layers {
            x = norm.forward(&convolution.forward(&x)?, mode)?.f_elu()?;
        }
        let Some(attention) = &self.attention else { return self.head.forward(&x.f_flatten(1, -1)?, mode) };
        // (length, channels) in every head.
        let heads = replicated(&x.f_transpose(1, 2)?, HEADS as i64)?;
        self.head.forward(&attention.forward(&heads)?.f_flatten(1, -1)?, mode)
    }
}
