//! The networks of the image-CNN study and of the CBMI 2016 paper that it builds on.
//!
//! All are functions of the input's size. The study takes colour pictures, channels first here: (3, height, width) with
//! values from 0 to 1; the CBMI networks take one channel of 40 mel bands. Convolutions have no padding unless said
//! otherwise; weights begin as in Keras and Lasagne (Glorot uniform, bias 0). Flattening goes channel by channel, in Keras
//! pixel by pixel, so dense weights from there need their rows reordered.
//!
//! Sources: Ferhat, Dagmoune, Kadem, "Music genre classification" (2021), program and notebooks; Pons, Lidy, Serra,
//! "Experimenting with musically motivated convolutional neural networks", CBMI 2016.

mod black_box;
mod fcn;
mod frequency;
mod three_layer;
mod time;
mod time_frequency;
mod two_layer;
mod vgg16_transfer;

use tch::Tensor;

pub use black_box::BlackBoxConfig;
pub use fcn::FcnConfig;
pub use frequency::FrequencyConfig;
pub use three_layer::ThreeLayerConfig;
pub use time::TimeConfig;
pub use time_frequency::{TimeFrequencyConfig, initialise_time_frequency};
pub use two_layer::TwoLayerConfig;
pub use vgg16_transfer::Vgg16TransferConfig;

use crate::device::DeviceConfig;
use crate::layers::{Conv2d, Conv2dConfig, Initial, Linear, channels_last, max_pool2d};
use crate::parameters::Start;
use crate::zoo::assembled::{
    Assembled, Body, Plate, after_window, check_dropout, check_picture, check_product,
};
use crate::{Error, InputSpec, Mode, Network, Output, Parameters};

/// A linear layer as Keras makes it.
fn dense(parameters: &mut Parameters, name: &str, from: usize, to: usize) -> Result<Linear, Error> {
    Linear::with(parameters, name, [from, to], Initial::Glorot, true)
}

/// One convolution without padding, ReLU, one maximum: the front of four of the networks.
#[derive(Debug, Clone, Copy)]
struct Front {
    input: [usize; 3],
    filters: usize,
    filter: [usize; 2],
    pool: [usize; 2],
}

impl Front {
    /// Channels, height and width after the pool; an error where filter or pool do not fit.
    fn output(&self) -> Result<[usize; 3], Error> {
        check_picture(self.input)?;
        let [_, bands, frames] = self.input;
        let side = |axis, length, side: usize| {
            let filtered = after_window(axis, length, self.filter[side], 1)?;
            after_window(axis, filtered, self.pool[side], self.pool[side])
        };
        check_product("filters", &[self.filters, self.input[0], self.filter[0], self.filter[1]])?;
        Ok([self.filters, side("bands", bands, 0)?, side("frames", frames, 1)?])
    }

    /// Length of the flattened output.
    fn length(&self) -> Result<usize, Error> {
        check_product("input", &self.output()?)
    }

    fn layer(&self, parameters: &mut Parameters, name: &str) -> Result<FrontLayer, Error> {
        let config = Conv2dConfig {
            initial: Initial::Glorot,
            ..Conv2dConfig::valid([self.input[0], self.filters], self.filter)
        };
        Ok(FrontLayer { convolution: Conv2d::with(parameters, name, &config)?, pool: self.pool })
    }

    /// Dropout and classes on this front alone: the time and the frequency network.
    fn network(
        &self,
        name: &'static str,
        dropout: f64,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        check_dropout("dropout", dropout)?;
        let length = self.length()?;
        check_product("classes", &[length, classes.max(1)])?;
        let plate = Plate::new(name, classes, InputSpec::fixed_picture(self.input))
            .with_code(length)
            .with_dropout(dropout)
            .without_batch_statistics();
        Assembled::boxed(plate, start, device, |parameters| {
            Ok(OneFront {
                front: self.layer(parameters, "conv")?,
                classes: dense(parameters, "fc", length, classes)?,
                dropout,
            })
        })
    }
}

#[derive(Debug)]
struct OneFront {
    front: FrontLayer,
    classes: Linear,
    dropout: f64,
}

impl Body for OneFront {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let code = self.front.forward(input)?;
        let logits = self.classes.forward(&code.f_dropout(self.dropout, mode == Mode::Train)?)?;
        Ok(Output { logits, code: Some(code) })
    }
}

#[derive(Debug)]
struct FrontLayer {
    convolution: Conv2d,
    pool: [usize; 2],
}

impl FrontLayer {
    /// (batch, channels, height, width) to (batch, length).
    fn forward(&self, input: &Tensor) -> Result<Tensor, Error> {
        // The maximum first: ReLU never turns an order round.
        let pooled = max_pool2d(&self.convolution.forward(&channels_last(input)?)?, self.pool)?;
        Ok(pooled.f_relu()?.f_flatten(1, -1)?)
    }
}
