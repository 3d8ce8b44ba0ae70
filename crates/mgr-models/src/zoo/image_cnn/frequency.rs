//! The frequency network of the image-CNN study and of CBMI 2016.

use serde::{Deserialize, Serialize};

use super::Front;
use crate::device::DeviceConfig;
use crate::parameters::Start;
use crate::{Error, Network};

/// One convolution of 32 filters along the bands, ReLU, a maximum along the frames, classes.
///
/// | | input | filter | pool | parameters |
/// |---|---|---|---|---|
/// | study's program ([`FrequencyConfig::default`]), 10 classes | 3 x 120 x 200 | 60 x 1 | 1 x 200 | 25,322 |
/// | study's notebook, 10 classes | 3 x 217 x 334 | 4 x 1 | 1 x 334 | 68,906 |
/// | [`FrequencyConfig::cbmi`]`(m)`, 8 classes | 1 x 40 x 80 | m x 1 | 1 x 80 | 10,536 - 224 m |
///
/// The paper's six sizes m = 30, 32, 34, 36, 38, 40 give 3,816, 3,368, 2,920, 2,472, 2,024 and 1,576 parameters.
/// The code is the flattened output of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FrequencyConfig {
    /// Channels, bands (height), frames (width). Default 3, 120, 200.
    pub input: [usize; 3],
    /// Bands in a filter. Default 60.
    pub filter: usize,
    /// Frames in a pool. Default 200.
    pub pool: usize,
    /// Number of filters. Default 32.
    pub filters: usize,
    /// Share that dropout takes before the linear layer. Default 0; CBMI's is 0.5.
    pub dropout: f64,
}

impl Default for FrequencyConfig {
    fn default() -> Self {
        Self { input: [3, 120, 200], filter: 60, pool: 200, filters: 32, dropout: 0.0 }
    }
}

impl FrequencyConfig {
    /// The name in files.
    pub const NAME: &'static str = "frequency";

    /// The CBMI 2016 network: 40 bands, 80 frames, a pool over all frames, dropout of a half.
    #[must_use]
    pub fn cbmi(filter: usize) -> Self {
        Self { input: [1, 40, 80], filter, pool: 80, dropout: 0.5, ..Self::default() }
    }

    pub(super) fn front(&self) -> Front {
        let Self { input, filters, filter, pool, .. } = *self;
        Front { input, filters, filter: [filter, 1], pool: [1, pool] }
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
