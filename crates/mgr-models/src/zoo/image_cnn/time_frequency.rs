//! The time-frequency network of CBMI 2016 and of the image-CNN study.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::black_box::HiddenHead;
use super::{FrequencyConfig, Front, FrontLayer, TimeConfig};
use crate::device::DeviceConfig;
use crate::parameters::{Start, mismatch};
use crate::zoo::assembled::{Assembled, Body, Plate, check_dropout, check_product, check_size};
use crate::{Error, InputSpec, Mode, Network, Output, TensorData};

/// The fronts of the time network and of the frequency network side by side, 200 hidden units with ReLU, classes.
///
/// | | input | filters | parameters |
/// |---|---|---|---|
/// | [`TimeFrequencyConfig::default`], 8 classes: CBMI 2016 | 1 x 40 x 80 | 1 x 60 and 32 x 1 | 196,816 |
///
/// Both of the paper's ways of initialising: as it is built, with drawn weights ("Time-Frequency"), or with the filters of a
/// trained time network and a trained frequency network by [`initialise_time_frequency`] ("Time-FrequencyInit").
/// The code is the 200 hidden units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeFrequencyConfig {
    /// Channels, bands (height), frames (width). Default 1, 40, 80.
    pub input: [usize; 3],
    /// Frames in a filter of the time front. Default 60.
    pub time_filter: usize,
    /// Bands in its pool. Default 40.
    pub time_pool: usize,
    /// Bands in a filter of the frequency front. Default 32.
    pub frequency_filter: usize,
    /// Frames in its pool. Default 80.
    pub frequency_pool: usize,
    /// Number of filters of each front. Default 32.
    pub filters: usize,
    /// Number of hidden units. Default 200.
    pub hidden: usize,
    /// Share that dropout takes before each of the two linear layers. Default 0.5.
    pub dropout: f64,
}

impl Default for TimeFrequencyConfig {
    fn default() -> Self {
        Self {
            input: [1, 40, 80],
            time_filter: 60,
            time_pool: 40,
            frequency_filter: 32,
            frequency_pool: 80,
            filters: 32,
            hidden: 200,
            dropout: 0.5,
        }
    }
}

impl TimeFrequencyConfig {
    /// The name in files.
    pub const NAME: &'static str = "time_frequency";

    fn fronts(&self) -> [Front; 2] {
        let Self { input, filters, dropout, .. } = *self;
        let (filter, pool) = (self.time_filter, self.time_pool);
        let time = TimeConfig { input, filter, pool, filters, dropout }.front();
        let (filter, pool) = (self.frequency_filter, self.frequency_pool);
        [time, FrequencyConfig { input, filter, pool, filters, dropout }.front()]
    }

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        check_dropout("dropout", self.dropout)?;
        check_size("hidden", self.hidden, 1, 65_536, "1 to 65536")?;
        let [time, frequency] = self.fronts();
        let length = time.length()? + frequency.length()?;
        check_product("hidden", &[length, self.hidden])?;
        let plate = Plate::new(Self::NAME, classes, InputSpec::fixed_picture(self.input))
            .with_code(self.hidden)
            .with_dropout(self.dropout)
            .without_batch_statistics();
        Assembled::boxed(plate, start, device, |parameters| {
            Ok(TimeFrequency {
                time: time.layer(parameters, "time.conv")?,
                frequency: frequency.layer(parameters, "frequency.conv")?,
                head: HiddenHead::new(parameters, length, self.hidden, classes, self.dropout)?,
            })
        })
    }
}

#[derive(Debug)]
struct TimeFrequency {
    time: FrontLayer,
    frequency: FrontLayer,
    head: HiddenHead,
}

impl Body for TimeFrequency {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let fronts = [self.time.forward(input)?, self.frequency.forward(input)?];
        self.head.forward(&Tensor::f_cat(&fronts, 1)?, mode)
    }
}

/// Gives a time-frequency network the filters of a trained time network and a trained frequency network, each by the values
/// of its [`Parameters`](crate::Parameters). The linear layers stay as they are.
///
/// # Errors
/// [`Error::TensorMismatch`] where a network has no filters of the needed shape, or `network` is not a time-frequency
/// network; then nothing changes. [`Error::Torch`].
pub fn initialise_time_frequency(
    network: &dyn Network,
    time: &BTreeMap<String, TensorData>,
    frequency: &BTreeMap<String, TensorData>,
) -> Result<(), Error> {
    let mut filters = BTreeMap::new();
    for (branch, data) in [("time", time), ("frequency", frequency)] {
        for part in ["conv.weight", "conv.bias"] {
            let value = data.get(part).ok_or_else(|| mismatch(part, "missing"))?;
            filters.insert(format!("{branch}.{part}"), value.clone());
        }
    }
    network.parameters().load_part(&filters)?;
    Ok(())
}
