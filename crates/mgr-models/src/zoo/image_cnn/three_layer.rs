//! The three-layer network of the image-CNN study.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::two_layer::StackedHead;
use crate::device::DeviceConfig;
use crate::layers::{Conv2d, Conv2dConfig, Initial, channels_last, max_pool2d};
use crate::parameters::Start;
use crate::zoo::assembled::{
    Assembled, Body, Plate, after_window, check_dropout, check_picture, check_product,
};
use crate::{Error, InputSpec, Mode, Network, Output};

/// Three convolutions with ReLU and maximum: 64 filters 3 x 3 and 2 x 2; 32 filters 5 x 5 and 3 x 3; 32 filters 3 x 3 with
/// stride 2 and 2 x 2. Then 256 units with ReLU, dropout, 124 units with ReLU, classes.
///
/// | | input | parameters at 10 classes |
/// |---|---|---|
/// | study, mel ([`ThreeLayerConfig::default`]) | 3 x 217 x 334 | 947,614 |
/// | study, chroma | 3 x 288 x 432 | 1,627,550 |
///
/// The code is the 124 units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ThreeLayerConfig {
    /// Channels, height, width. Default 3, 217, 334.
    pub input: [usize; 3],
    /// Share that dropout takes. Default 0.2.
    pub dropout: f64,
}

impl Default for ThreeLayerConfig {
    fn default() -> Self {
        Self { input: [3, 217, 334], dropout: 0.2 }
    }
}

/// From, to, kernel, stride, pool.
const LAYERS: [([usize; 2], usize, usize, usize); 3] =
    [([0, 64], 3, 1, 2), ([64, 32], 5, 1, 3), ([32, 32], 3, 2, 2)];

impl ThreeLayerConfig {
    /// The name in files.
    pub const NAME: &'static str = "three_layer";

    fn length(&self) -> Result<usize, Error> {
        check_picture(self.input)?;
        let [_, bands, frames] = self.input;
        let side = |axis, length| {
            LAYERS.into_iter().try_fold(length, |length, (_, kernel, stride, pool)| {
                after_window(axis, after_window(axis, length, kernel, stride)?, pool, pool)
            })
        };
        let (height, width) = (side("bands", bands)?, side("frames", frames)?);
        check_product("input", &[32, height, width, 256])?;
        check_product("input", &[32, height, width])
    }

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        check_dropout("dropout", self.dropout)?;
        let length = self.length()?;
        let plate = Plate::new(Self::NAME, classes, InputSpec::fixed_picture(self.input))
            .with_code(StackedHead::CODE)
            .with_dropout(self.dropout)
            .without_batch_statistics();
        Assembled::boxed(plate, start, device, |parameters| {
            let mut layers = Vec::new();
            for (number, ([from, to], kernel, stride, pool)) in (1..).zip(LAYERS) {
                let from = if from == 0 { self.input[0] } else { from };
                let config = Conv2dConfig {
                    stride,
                    initial: Initial::Glorot,
                    ..Conv2dConfig::valid([from, to], [kernel; 2])
                };
                layers.push((Conv2d::with(parameters, &format!("conv{number}"), &config)?, pool));
            }
            Ok(ThreeLayer { layers, head: StackedHead::new(parameters, length, classes, self.dropout)? })
        })
    }
}

#[derive(Debug)]
struct ThreeLayer {
    /// Convolution and the pool after it.
    layers: Vec<(Conv2d, usize)>,
    head: StackedHead,
}

impl Body for ThreeLayer {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let mut x = channels_last(input)?;
        for (convolution, pool) in &self.layers {
            x = max_pool2d(&convolution.forward(&x)?, [*pool; 2])?.f_relu()?;
        }
        self.head.forward(&x.f_flatten(1, -1)?, mode)
    }
}
