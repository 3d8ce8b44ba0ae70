//! The time network of the image-CNN study and of CBMI 2016.

use serde::{Deserialize, Serialize};

use super::Front;
use crate::device::DeviceConfig;
use crate::parameters::Start;
use crate::{Error, Network};

/// One convolution of 32 filters along the frames, ReLU, a maximum along the bands, classes.
///
/// | | input | filter | pool | parameters |
/// |---|---|---|---|---|
/// | study's program ([`TimeConfig::default`]), 10 classes | 3 x 120 x 200 | 1 x 4 | 40 x 1 | 189,546 |
/// | study's notebook, 10 classes | 3 x 217 x 334 | 1 x 8 | 217 x 1 | 105,450 |
/// | [`TimeConfig::cbmi`]`(80, 60)`, 8 classes | 1 x 40 x 80 | 1 x 60 | 40 x 1 | 7,336 |
/// | [`TimeConfig::cbmi`]`(250, 200)`, 8 classes | 1 x 40 x 250 | 1 x 200 | 40 x 1 | 19,496 |
///
/// The notebook names a filter of 1 x 4, which would have 106,346 parameters; its printed 105,450 is that of 1 x 8.
/// The code is the flattened output of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeConfig {
    /// Channels, bands (height), frames (width). Default 3, 120, 200.
    pub input: [usize; 3],
    /// Frames in a filter. Default 4.
    pub filter: usize,
    /// Bands in a pool. Default 40.
    pub pool: usize,
    /// Number of filters. Default 32.
    pub filters: usize,
    /// Share that dropout takes before the linear layer. Default 0; the notebook's and CBMI's are 0.5.
    pub dropout: f64,
}

impl Default for TimeConfig {
    fn default() -> Self {
        Self { input: [3, 120, 200], filter: 4, pool: 40, filters: 32, dropout: 0.0 }
    }
}

impl TimeConfig {
    /// The name in files.
    pub const NAME: &'static str = "time";

    /// The CBMI 2016 network: 40 bands, so many frames, a pool over all bands, dropout of a half.
    #[must_use]
    pub fn cbmi(frames: usize, filter: usize) -> Self {
        Self { input: [1, 40, frames], filter, dropout: 0.5, ..Self::default() }
    }

    pub(super) fn front(&self) -> Front {
        let Self { input, filters, filter, pool, .. } = *self;
        Front { input, filters, filter: [1, filter], pool: [pool, 1] }
    }

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        self.front().network(Self::NAME, self.dropout, classes, start, device)
    }
}
