//! VGG for photographs, its last layer for genres.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::Colour;
use crate::device::DeviceConfig;
use crate::layers::{Initial, Linear, VggDepth, VggFeatures};
use crate::parameters::Start;
use crate::zoo::assembled::{Assembled, Body, Plate};
use crate::{Error, InputSpec, Mode, Network, Output};

/// VGG 13, 16 or 19 as torchvision builds it: five blocks of convolutions, an average to 7 x 7, two layers of 4096 units with
/// ReLU and dropout of a half, classes. All layers are trained.
///
/// Input (batch, 1 or 3, bands >= 32, frames >= 32); in the GTZAN-8 study 96 mel bands, not normalised as photographs are.
/// Names are torchvision's (`features.0.weight`, ..., `classifier.6.bias`), so ImageNet weights load with
/// [`Parameters::load_part`](crate::Parameters::load_part) once the last layer, `classifier.6`, is left out of them.
///
/// | depth | parameters at n classes | at ImageNet's 1000 | at the study's 8 |
/// |---|---|---|---|
/// | 13 | 128,950,848 + 4097 n | 133,047,848 | 128,983,624 |
/// | 16 | 134,260,544 + 4097 n | 138,357,544 | 134,293,320 |
/// | 19 | 139,570,240 + 4097 n | 143,667,240 | 139,603,016 |
///
/// The code is the 4096 units before the last layer.
///
/// Source: Simonyan, Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VggConfig {
    /// Number of layers. Default 16.
    pub depth: VggDepth,
    /// One channel or three. Default [`Colour::Grey`].
    pub colour: Colour,
}

const HIDDEN: usize = 4096;
const CELLS: usize = 7;
const DROPOUT: f64 = 0.5;

impl VggConfig {
    /// The name in files.
    pub const NAME: &'static str = "vgg";

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        let side = VggFeatures::REDUCTION;
        let input = InputSpec::picture(self.colour.channels(), side, side);
        let plate = Plate::new(Self::NAME, classes, input)
            .with_code(HIDDEN)
            .with_dropout(DROPOUT)
            .without_batch_statistics();
        Assembled::boxed(plate, start, device, |parameters| {
            let features = VggFeatures::new(parameters, "", self.depth, 5)?;
            let mut linear =
                |name: &str, sizes| Linear::with(parameters, name, sizes, Initial::Hundredth, true);
            Ok(Vgg {
                features,
                layers: [
                    linear("classifier.0", [VggFeatures::CHANNELS * CELLS * CELLS, HIDDEN])?,
                    linear("classifier.3", [HIDDEN, HIDDEN])?,
                    linear("classifier.6", [HIDDEN, classes])?,
                ],
            })
        })
    }
}

#[derive(Debug)]
struct Vgg {
    features: VggFeatures,
    layers: [Linear; 3],
}

impl Body for Vgg {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let train = mode == Mode::Train;
        let [first, second, classes] = &self.layers;
        let cells = self.features.forward(input)?.f_adaptive_avg_pool2d([CELLS as i64; 2])?;
        let hidden = first.forward(&cells.f_flatten(1, -1)?)?.f_relu()?.f_dropout(DROPOUT, train)?;
        let code = second.forward(&hidden)?.f_relu()?;
        let logits = classes.forward(&code.f_dropout(DROPOUT, train)?)?;
        Ok(Output { logits, code: Some(code) })
    }
}
