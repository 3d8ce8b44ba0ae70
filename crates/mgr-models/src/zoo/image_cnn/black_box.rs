//! The black box of the image-CNN study and of CBMI 2016.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Front, FrontLayer, dense};
use crate::device::DeviceConfig;
use crate::layers::Linear;
use crate::parameters::Start;
use crate::zoo::assembled::{Assembled, Body, Plate, check_dropout, check_product, check_size};
use crate::{Error, InputSpec, Mode, Network, Output, Parameters};

/// One convolution of 32 filters over both axes, ReLU, a maximum along the bands, 200 hidden units with ReLU, classes.
///
/// | | input | filter | parameters |
/// |---|---|---|---|
/// | study ([`BlackBoxConfig::default`]), 10 classes | 3 x 120 x 200 | 12 x 8 | 33,361,858 |
/// | [`BlackBoxConfig::cbmi`]`(80, [12, 8])`, 8 classes | 1 x 40 x 80 | 12 x 8 | 3,275,312 |
/// | [`BlackBoxConfig::cbmi`]`(250, [12, 200])`, 8 classes | 1 x 40 x 250 | 12 x 200 | 2,363,440 |
///
/// The code is the 200 hidden units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlackBoxConfig {
    /// Channels, bands (height), frames (width). Default 3, 120, 200.
    pub input: [usize; 3],
    /// Height and width of a filter. Default 12, 8.
    pub filter: [usize; 2],
    /// Height and width of the pool. Default 4, 1.
    pub pool: [usize; 2],
    /// Number of filters. Default 32.
    pub filters: usize,
    /// Number of hidden units. Default 200.
    pub hidden: usize,
    /// Share that dropout takes before each of the two linear layers. Default 0; CBMI's is 0.5.
    pub dropout: f64,
}

impl Default for BlackBoxConfig {
    fn default() -> Self {
        Self { input: [3, 120, 200], filter: [12, 8], pool: [4, 1], filters: 32, hidden: 200, dropout: 0.0 }
    }
}

impl BlackBoxConfig {
    /// The name in files.
    pub const NAME: &'static str = "black_box";

    /// The CBMI 2016 network: 40 bands, so many frames, dropout of a half.
    #[must_use]
    pub fn cbmi(frames: usize, filter: [usize; 2]) -> Self {
        Self { input: [1, 40, frames], filter, dropout: 0.5, ..Self::default() }
    }

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        check_dropout("dropout", self.dropout)?;
        check_size("hidden", self.hidden, 1, 65_536, "1 to 65536")?;
        let Self { input, filters, filter, pool, .. } = *self;
        let front = Front { input, filters, filter, pool };
        let length = front.length()?;
        check_product("hidden", &[length, self.hidden])?;
        let plate = Plate::new(Self::NAME, classes, InputSpec::fixed_picture(input))
            .with_code(self.hidden)
            .with_dropout(self.dropout)
            .without_batch_statistics();
        Assembled::boxed(plate, start, device, |parameters| {
            Ok(BlackBox {
                front: front.layer(parameters, "conv")?,
                head: HiddenHead::new(parameters, length, self.hidden, classes, self.dropout)?,
            })
        })
    }
}

#[derive(Debug)]
struct BlackBox {
    front: FrontLayer,
    head: HiddenHead,
}

impl Body for BlackBox {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        self.head.forward(&self.front.forward(input)?, mode)
    }
}

/// Hidden units with ReLU and classes, dropout before each.
#[derive(Debug)]
pub(super) struct HiddenHead {
    hidden: Linear,
    classes: Linear,
    dropout: f64,
}

impl HiddenHead {
    pub(super) fn new(
        parameters: &mut Parameters,
        from: usize,
        hidden: usize,
        classes: usize,
        dropout: f64,
    ) -> Result<Self, Error> {
        Ok(Self {
            hidden: dense(parameters, "fc1", from, hidden)?,
            classes: dense(parameters, "fc2", hidden, classes)?,
            dropout,
        })
    }

    pub(super) fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let train = mode == Mode::Train;
        let code = self.hidden.forward(&input.f_dropout(self.dropout, train)?)?.f_relu()?;
        let logits = self.classes.forward(&code.f_dropout(self.dropout, train)?)?;
        Ok(Output { logits, code: Some(code) })
    }
}
