//! ConvNet of the FMA study.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::device::DeviceConfig;
use crate::layers::{Conv2d, Linear, channels_last, max_pool2d};
use crate::parameters::Start;
use crate::zoo::assembled::{Assembled, Body, Plate, check_picture, check_product, check_size};
use crate::{Error, InputSpec, Mode, Network, Output};

/// Seven convolutions 3 x 3 (zero padding, the size stays) with ReLU, a maximum 2 x 2 after each but the first: 4, 4 to 8, 16,
/// 32, 64, 128, 256 channels; 5120 units with ReLU; classes. Neither batch normalisation nor dropout.
///
/// Input (batch, 3, 128, 1292): a mel spectrogram in decibels as a picture in colours, values from 0 to 1. Parameters at that
/// size and 8 classes: 52,868,624; of another size (bands / 64) x (frames / 64) x 256 x 5120 + 5121 n + 398,856 at 3 channels and
/// n classes. The code is the 5120 units.
///
/// [`Network::outputs`] has `block0` to `block6`, what each convolution with its ReLU and pool gives, (batch, channels, bands,
/// frames), and `logits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FmaConvNetConfig {
    /// Channels, bands (height, at least 64), frames (width, at least 64). Default 3, 128, 1292.
    pub input: [usize; 3],
}

impl Default for FmaConvNetConfig {
    fn default() -> Self {
        Self { input: [3, 128, 1292] }
    }
}

const CHANNELS: [usize; 7] = [4, 8, 16, 32, 64, 128, 256];
const HIDDEN: usize = 5120;
/// Six pools of two.
const REDUCTION: usize = 64;

impl FmaConvNetConfig {
    /// The name in files.
    pub const NAME: &'static str = "fma_conv_net";

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        check_picture(self.input)?;
        let [channels, bands, frames] = self.input;
        check_size("bands", bands, REDUCTION, 65_536, "64 to 65536")?;
        check_size("frames", frames, REDUCTION, 65_536, "64 to 65536")?;
        let cells = [256, bands / REDUCTION, frames / REDUCTION];
        check_product("input", &[cells[0], cells[1], cells[2], HIDDEN])?;
        let plate = Plate::new(Self::NAME, classes, InputSpec::fixed_picture(self.input))
            .with_code(HIDDEN)
            .without_batch_statistics();
        Assembled::boxed(plate, start, device, |parameters| {
            let mut convolutions = Vec::new();
            let mut from = channels;
            for (number, to) in (1..).zip(CHANNELS) {
                convolutions.push(Conv2d::new(parameters, &format!("conv{number}"), [from, to], 3)?);
                from = to;
            }
            Ok(ConvNet {
                convolutions,
                hidden: Linear::new(parameters, "fc1", cells.iter().product(), HIDDEN)?,
                classes: Linear::new(parameters, "fc2", HIDDEN, classes)?,
            })
        })
    }
}

#[derive(Debug)]
struct ConvNet {
    convolutions: Vec<Conv2d>,
    hidden: Linear,
    classes: Linear,
}

/// Names of the blocks, as the study counts them.
const BLOCKS: [&str; 7] = ["block0", "block1", "block2", "block3", "block4", "block5", "block6"];

impl ConvNet {
    /// The block of this index, from 0.
    fn block(&self, index: usize, input: &Tensor) -> Result<Tensor, Error> {
        let Some(convolution) = self.convolutions.get(index) else { return Ok(input.shallow_clone()) };
        let mut x = convolution.forward(input)?;
        if index > 0 {
            // Before ReLU, which never turns an order round.
            x = max_pool2d(&x, [2, 2])?;
        }
        Ok(x.f_relu()?)
    }
}

impl Body for ConvNet {
    fn layers(&self, input: &Tensor, _mode: Mode) -> Result<Vec<(&'static str, Tensor)>, Error> {
        let mut x = channels_last(input)?;
        let mut layers = Vec::with_capacity(BLOCKS.len());
        for (index, name) in BLOCKS.into_iter().enumerate() {
            x = self.block(index, &x)?;
            layers.push((name, x.f_contiguous()?));
        }
        Ok(layers)
    }

    fn forward(&self, input: &Tensor, _mode: Mode) -> Result<Output, Error> {
        let mut x = channels_last(input)?;
        for index in 0..self.convolutions.len() {
            x = self.block(index, &x)?;
        }
        let code = self.hidden.forward(&x.f_flatten(1, -1)?)?.f_relu()?;
        Ok(Output { logits: self.classes.forward(&code)?, code: Some(code) })
    }
}
