//! Q1, the one-dimensional network of the GTZAN-8 study.

use serde::{Deserialize, Serialize};

use super::{Bands1d, Block1d};
use crate::device::DeviceConfig;
use crate::parameters::Start;
use crate::zoo::assembled::{Assembled, Plate};
use crate::{Error, InputSpec, Network, Parameters};

/// Four blocks of one-dimensional convolution (the bands as channels), batch normalisation, ReLU and maximum: 16 filters of 7
/// and a maximum of 7, 32 of 5 and 5, 64 of 3 and 3, 128 of 3 and 3; the mean over time; one linear layer.
///
/// Input (batch, 1, bands, frames >= 315). 34,000 + 112 x bands + 129 n parameters at n classes: 45,784 at the study's 96 bands
/// and 8 classes. Names as in the study's other networks: `conv0.0.weight`, `conv0.1.weight`, ..., `linear.weight`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gtzan8Q1Config {
    /// Number of bands, 1 to 4096. Default 96.
    pub bands: usize,
}

impl Default for Gtzan8Q1Config {
    fn default() -> Self {
        Self { bands: 96 }
    }
}

const BLOCKS: [Block1d; 4] = [
    Block1d { to: 16, kernel: 7, pool: 7 },
    Block1d { to: 32, kernel: 5, pool: 5 },
    Block1d { to: 64, kernel: 3, pool: 3 },
    Block1d { to: 128, kernel: 3, pool: 3 },
];

impl Gtzan8Q1Config {
    /// The name in files.
    pub const NAME: &'static str = "gtzan8_q1";

    pub(super) fn input(&self) -> Result<InputSpec, Error> {
        Bands1d::input(self.bands, &BLOCKS)
    }

    pub(super) fn body(
        &self,
        parameters: &mut Parameters,
        prefix: &str,
        classes: usize,
    ) -> Result<Bands1d, Error> {
        Bands1d::new(parameters, prefix, self.bands, &BLOCKS, classes)
    }

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        let plate = Plate::new(Self::NAME, classes, self.input()?);
        Assembled::boxed(plate, start, device, |parameters| self.body(parameters, "", classes))
    }
}
