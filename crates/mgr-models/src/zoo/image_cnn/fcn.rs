//! The fully convolutional network of the image-CNN study.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::dense;
use crate::device::DeviceConfig;
use crate::layers::{Conv2d, Conv2dConfig, Initial, Linear, channels_last, max_pool2d};
use crate::parameters::Start;
use crate::zoo::assembled::{Assembled, Body, Plate, check_picture, check_product};
use crate::{Error, InputSpec, Mode, Network, Output};

/// Four convolutions 3 x 3 (zero padding, the size stays) with ReLU and maximum, ten sigmoid units, classes: the FCN-4 of
/// Choi, Fazekas, Sandler (ISMIR 2016) without batch normalisation, as the study wrote it.
///
/// | filters | 128 | 384 | 768 | 2048 |
/// |---|---|---|---|---|
/// | pool, bands x frames | 2 x 4 | 4 x 5 | 3 x 8 | 4 x 8 |
///
/// The pools divide by 96 bands and 1280 frames, so that is the smallest picture. Parameters at the default input
/// (1 x 96 x 1366) and 10 classes: 17,277,432. The study's pictures of 3 x 120 x 200 are too narrow for it; its own program
/// stops with an error. The code is the ten sigmoid units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FcnConfig {
    /// Channels, bands (at least 96), frames (at least 1280). Default 1, 96, 1366.
    pub input: [usize; 3],
}

impl Default for FcnConfig {
    fn default() -> Self {
        Self { input: [1, 96, 1366] }
    }
}

const LAYERS: [(usize, [usize; 2]); 4] = [(128, [2, 4]), (384, [4, 5]), (768, [3, 8]), (2048, [4, 8])];
const HIDDEN: usize = 10;

impl FcnConfig {
    /// The name in files.
    pub const NAME: &'static str = "fcn";

    fn length(&self) -> Result<usize, Error> {
        check_picture(self.input)?;
        let [_, bands, frames] = self.input;
        let (mut height, mut width) = (bands, frames);
        for (_, [rows, columns]) in LAYERS {
            (height, width) = (height / rows, width / columns);
        }
        if height == 0 {
            let allowed = "96 and more, by which the pools divide";
            return Err(Error::InvalidConfig { field: "bands", value: bands.to_string(), allowed });
        }
        if width == 0 {
            let allowed = "1280 and more, by which the pools divide";
            return Err(Error::InvalidConfig { field: "frames", value: frames.to_string(), allowed });
        }
        check_product("input", &[2048, height, width, HIDDEN])?;
        check_product("input", &[2048, height, width])
    }

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        let length = self.length()?;
        let plate = Plate::new(Self::NAME, classes, InputSpec::fixed_picture(self.input))
            .with_code(HIDDEN)
            .without_batch_statistics();
        Assembled::boxed(plate, start, device, |parameters| {
            let mut layers = Vec::new();
            let mut from = self.input[0];
            for (number, (to, pool)) in (1..).zip(LAYERS) {
                let config = Conv2dConfig { initial: Initial::Glorot, ..Conv2dConfig::same([from, to], 3) };
                layers.push((Conv2d::with(parameters, &format!("conv{number}"), &config)?, pool));
                from = to;
            }
            Ok(Fcn {
                layers,
                hidden: dense(parameters, "fc1", length, HIDDEN)?,
                classes: dense(parameters, "fc2", HIDDEN, classes)?,
            })
        })
    }
}

#[derive(Debug)]
struct Fcn {
    layers: Vec<(Conv2d, [usize; 2])>,
    hidden: Linear,
    classes: Linear,
}

impl Body for Fcn {
    fn forward(&self, input: &Tensor, _mode: Mode) -> Result<Output, Error> {
        let mut x = channels_last(input)?;
        for (convolution, pool) in &self.layers {
            x = max_pool2d(&convolution.forward(&x)?, *pool)?.f_relu()?;
        }
        let code = self.hidden.forward(&x.f_flatten(1, -1)?)?.f_sigmoid()?;
        Ok(Output { logits: self.classes.forward(&code)?, code: Some(code) })
    }
}
