//! Q2, the network of the GTZAN-8 study on embeddings.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::device::DeviceConfig;
use crate::layers::{BatchNorm, Linear};
use crate::parameters::Start;
use crate::zoo::assembled::{Assembled, Body, Plate, check_size, logits};
use crate::{Error, InputSpec, Mode, Network, Output, Parameters};

/// Linear layer to 32 units, batch normalisation, ReLU, linear layer to the classes.
///
/// Input (batch, length), in the study the 753 numbers of musicnn's maximum pool, averaged over a clip. 32 x length + 96 + 33 n
/// parameters at n classes: 24,456 at length 753 and 8 classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gtzan8Q2Config {
    /// Length of the embeddings, 1 to 1,000,000. Default 753.
    pub length: usize,
}

impl Default for Gtzan8Q2Config {
    fn default() -> Self {
        Self { length: 753 }
    }
}

const HIDDEN: usize = 32;

impl Gtzan8Q2Config {
    /// The name in files.
    pub const NAME: &'static str = "gtzan8_q2";

    pub(super) fn check(&self) -> Result<(), Error> {
        check_size("length", self.length, 1, 1_000_000, "1 to 1000000")
    }

    pub(super) fn body(
        &self,
        parameters: &mut Parameters,
        prefix: &str,
        classes: usize,
    ) -> Result<Q2, Error> {
        Ok(Q2 {
            hidden: Linear::new(parameters, &format!("{prefix}linear0"), self.length, HIDDEN)?,
            norm: BatchNorm::new(parameters, &format!("{prefix}bn"), HIDDEN)?,
            classes: Linear::new(parameters, &format!("{prefix}linear1"), HIDDEN, classes)?,
        })
    }

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        self.check()?;
        let plate = Plate::new(Self::NAME, classes, InputSpec::vector(self.length));
        Assembled::boxed(plate, start, device, |parameters| self.body(parameters, "", classes))
    }
}

#[derive(Debug)]
pub(super) struct Q2 {
    hidden: Linear,
    norm: BatchNorm,
    classes: Linear,
}

impl Body for Q2 {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let hidden = self.norm.forward(&self.hidden.forward(input)?, mode)?.f_relu()?;
        Ok(logits(self.classes.forward(&hidden)?))
    }
}
