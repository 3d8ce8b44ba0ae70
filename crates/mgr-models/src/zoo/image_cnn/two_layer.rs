//! The two-layer network of the image-CNN study.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::dense;
use crate::device::DeviceConfig;
use crate::layers::{Conv2d, Conv2dConfig, Initial, Linear, channels_last, max_pool2d};
use crate::parameters::Start;
use crate::zoo::assembled::{
    Assembled, Body, Plate, after_window, check_dropout, check_picture, check_product,
};
use crate::{Error, InputSpec, Mode, Network, Output, Parameters};

/// Convolution of 64 filters 3 x 3, ReLU, maximum 2 x 2; convolution of 32 filters, ReLU, maximum 2 x 2; 256 units with ReLU,
/// dropout, 124 units with ReLU, classes.
///
/// | | input | second filter | parameters at 10 classes |
/// |---|---|---|---|
/// | study's notebook ([`TwoLayerConfig::default`]) | 3 x 217 x 334 | 3 x 3 | 34,984,318 |
/// | study's older program ([`TwoLayerConfig::older`]) | 3 x 40 x 80 | 3 x 2 | 1,292,670 |
///
/// The code is the 124 units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TwoLayerConfig {
    /// Channels, height, width. Default 3, 217, 334.
    pub input: [usize; 3],
    /// Height and width of the second convolution's filters. Default 3, 3.
    pub second_filter: [usize; 2],
    /// Share that dropout takes. Default 0.5.
    pub dropout: f64,
}

impl Default for TwoLayerConfig {
    fn default() -> Self {
        Self { input: [3, 217, 334], second_filter: [3, 3], dropout: 0.5 }
    }
}

impl TwoLayerConfig {
    /// The name in files.
    pub const NAME: &'static str = "two_layer";

    /// The network of the study's older program: pictures of 40 x 80, second filters of 3 x 2.
    #[must_use]
    pub fn older() -> Self {
        Self { input: [3, 40, 80], second_filter: [3, 2], ..Self::default() }
    }

    /// Length of the flattened output of the second pool.
    fn length(&self) -> Result<usize, Error> {
        check_picture(self.input)?;
        let [_, bands, frames] = self.input;
        let side = |axis, length, second| {
            let pooled = after_window(axis, after_window(axis, length, 3, 1)?, 2, 2)?;
            after_window(axis, after_window(axis, pooled, second, 1)?, 2, 2)
        };
        let [height, width] = self.second_filter;
        check_product("input", &[32, side("bands", bands, height)?, side("frames", frames, width)?, 256])?;
        check_product("input", &[32, side("bands", bands, height)?, side("frames", frames, width)?])
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
            let mut convolution = |name: &str, channels, kernel| {
                let config =
                    Conv2dConfig { initial: Initial::Glorot, ..Conv2dConfig::valid(channels, kernel) };
                Conv2d::with(parameters, name, &config)
            };
            Ok(TwoLayer {
                convolutions: [
                    convolution("conv1", [self.input[0], 64], [3, 3])?,
                    convolution("conv2", [64, 32], self.second_filter)?,
                ],
                head: StackedHead::new(parameters, length, classes, self.dropout)?,
            })
        })
    }
}

#[derive(Debug)]
struct TwoLayer {
    convolutions: [Conv2d; 2],
    head: StackedHead,
}

impl Body for TwoLayer {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let mut x = channels_last(input)?;
        for convolution in &self.convolutions {
            x = max_pool2d(&convolution.forward(&x)?, [2, 2])?.f_relu()?;
        }
        self.head.forward(&x.f_flatten(1, -1)?, mode)
    }
}

/// 256 units with ReLU, dropout, 124 units with ReLU (the code), classes.
#[derive(Debug)]
pub(super) struct StackedHead {
    layers: [Linear; 3],
    dropout: f64,
}

impl StackedHead {
    pub(super) const CODE: usize = 124;

    pub(super) fn new(
        parameters: &mut Parameters,
        from: usize,
        classes: usize,
        dropout: f64,
    ) -> Result<Self, Error> {
        let layers = [
            dense(parameters, "fc1", from, 256)?,
            dense(parameters, "fc2", 256, Self::CODE)?,
            dense(parameters, "fc3", Self::CODE, classes)?,
        ];
        Ok(Self { layers, dropout })
    }

    pub(super) fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let [first, second, classes] = &self.layers;
        let hidden = first.forward(input)?.f_relu()?.f_dropout(self.dropout, mode == Mode::Train)?;
        let code = second.forward(&hidden)?.f_relu()?;
        Ok(Output { logits: classes.forward(&code)?, code: Some(code) })
    }
}
