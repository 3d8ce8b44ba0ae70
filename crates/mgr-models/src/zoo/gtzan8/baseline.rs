//! Baseline, the smallest network of the GTZAN-8 study.

use serde::{Deserialize, Serialize};

use super::{Bands1d, Block1d};
use crate::device::DeviceConfig;
use crate::parameters::Start;
use crate::zoo::assembled::{Assembled, Plate};
use crate::{Error, Network};

/// Three blocks of one-dimensional convolution (kernel 7, 32 filters, the bands as channels), batch normalisation, ReLU and
/// maximum of 7; the mean over time; one linear layer.
///
/// Input (batch, 1, bands, frames >= 343). 14,624 + 224 x bands + 33 n parameters at n classes: 36,392 at the study's 96 bands
/// and 8 classes. Names are those of the original: `conv0.0.weight` (convolution), `conv0.1.weight` (batch normalisation), ...,
/// `linear.weight`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gtzan8BaselineConfig {
    /// Number of bands, 1 to 4096. Default 96.
    pub bands: usize,
}

impl Default for Gtzan8BaselineConfig {
    fn default() -> Self {
        Self { bands: 96 }
    }
}

const BLOCKS: [Block1d; 3] = [Block1d { to: 32, kernel: 7, pool: 7 }; 3];

impl Gtzan8BaselineConfig {
    /// The name in files.
    pub const NAME: &'static str = "gtzan8_baseline";

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        let plate = Plate::new(Self::NAME, classes, Bands1d::input(self.bands, &BLOCKS)?);
        Assembled::boxed(plate, start, device, |parameters| {
            Bands1d::new(parameters, "", self.bands, &BLOCKS, classes)
        })
    }
}
