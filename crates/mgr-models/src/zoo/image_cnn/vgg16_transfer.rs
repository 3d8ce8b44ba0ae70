//! VGG16 transfer of the image-CNN study.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::dense;
use crate::device::DeviceConfig;
use crate::layers::{Linear, VggDepth, VggFeatures};
use crate::parameters::Start;
use crate::zoo::assembled::{Assembled, Body, Plate, check_dropout, check_product, check_vgg};
use crate::{Error, InputSpec, Mode, Network, Output};

/// The convolutions of VGG16, of which the last blocks are trained, and a head: 512 units with ReLU, dropout, 128 units with
/// ELU, classes.
///
/// | | input | trained blocks | dropout | parameters at 10 classes | of them trained |
/// |---|---|---|---|---|---|
/// | notebook, mel ([`Vgg16TransferConfig::default`]) | 3 x 217 x 334 | 2 | 0.5 | 30,510,794 | 28,775,306 |
/// | notebook, three spectrograms as colours | 3 x 217 x 334 | 1 | 0.5 | 30,510,794 | 22,875,530 |
/// | older program ([`Vgg16TransferConfig::older`]) | 3 x 50 x 80 | 1 | 0.2 | 15,306,442 | 7,671,178 |
///
/// "All but the last eight layers frozen" of the notebook are the Keras layers from `block4_conv1` on, two blocks; "the last
/// four" are one block. ImageNet weights load by torchvision's names, `features.0.weight` to `features.28.bias`, with
/// [`Parameters::load_part`](crate::Parameters::load_part). The study gives pixels from 0 to 1 without ImageNet's mean, blue
/// channel first. The code is the 128 units, which the study also gives to a support vector machine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Vgg16TransferConfig {
    /// Height and width of the pictures, at least 32 each. Default 217, 334.
    pub input: [usize; 2],
    /// How many of the five blocks of convolutions are trained, from the last. Default 2.
    pub trainable_blocks: usize,
    /// Share that dropout takes. Default 0.5.
    pub dropout: f64,
}

impl Default for Vgg16TransferConfig {
    fn default() -> Self {
        Self { input: [217, 334], trainable_blocks: 2, dropout: 0.5 }
    }
}

const HIDDEN: usize = 512;
const CODE: usize = 128;

impl Vgg16TransferConfig {
    /// The name in files.
    pub const NAME: &'static str = "vgg16_transfer";

    /// The network of the study's older program: pictures of 50 x 80, one trained block, dropout 0.2.
    #[must_use]
    pub fn older() -> Self {
        Self { input: [50, 80], trainable_blocks: 1, dropout: 0.2 }
    }

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        check_dropout("dropout", self.dropout)?;
        let length = check_vgg(self.input, self.trainable_blocks)?;
        check_product("input", &[length, HIDDEN])?;
        let [height, width] = self.input;
        let plate = Plate::new(Self::NAME, classes, InputSpec::fixed_picture([3, height, width]))
            .with_code(CODE)
            .with_dropout(self.dropout)
            .without_batch_statistics();
        Assembled::boxed(plate, start, device, |parameters| {
            Ok(Vgg16Transfer {
                features: VggFeatures::new(parameters, "", VggDepth::Layers16, self.trainable_blocks)?,
                layers: [
                    dense(parameters, "fc1", length, HIDDEN)?,
                    dense(parameters, "fc2", HIDDEN, CODE)?,
                    dense(parameters, "fc3", CODE, classes)?,
                ],
                dropout: self.dropout,
            })
        })
    }
}

#[derive(Debug)]
struct Vgg16Transfer {
    features: VggFeatures,
    layers: [Linear; 3],
    dropout: f64,
}

impl Body for Vgg16Transfer {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let [first, second, classes] = &self.layers;
        let x = self.features.forward(input)?.f_flatten(1, -1)?;
        let hidden = first.forward(&x)?.f_relu()?.f_dropout(self.dropout, mode == Mode::Train)?;
        let code = second.forward(&hidden)?.f_elu()?;
        Ok(Output { logits: classes.forward(&code)?, code: Some(code) })
    }
}
