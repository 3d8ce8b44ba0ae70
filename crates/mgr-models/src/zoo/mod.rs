//! Published networks, one file each, with their parameter counts as tests.

mod base_2d_cnn;
mod choi_taggers;
mod choi_transfer;
mod musicnn;
mod sota_taggers;
mod tagger_layers;

use serde::{Deserialize, Serialize};

pub use base_2d_cnn::Base2dCnn;
pub use choi_taggers::{KerasEpsilon, MusicTaggerCnn, MusicTaggerConfig, MusicTaggerCrnn};
pub use choi_transfer::{ChoiTransfer, ChoiTransferConfig, ChoiVariant};
pub use musicnn::{Musicnn, MusicnnConfig, MusicnnVgg};
pub use sota_taggers::{TaggingCrnn, TaggingFcn, TaggingMusicnn};

use crate::device::DeviceConfig;
use crate::{Error, Network};

/// A network of the zoo by name, as written in configs and saved files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum NetworkConfig {
    /// [`Base2dCnn`].
    #[serde(rename = "base_2d_cnn")]
    Base2dCnn,
    /// [`Musicnn`].
    Musicnn(MusicnnConfig),
    /// [`MusicnnVgg`].
    MusicnnVgg,
    /// [`ChoiTransfer`].
    ChoiTransfer(ChoiTransferConfig),
    /// [`TaggingFcn`].
    TaggingFcn,
    /// [`TaggingCrnn`].
    TaggingCrnn,
    /// [`TaggingMusicnn`].
    TaggingMusicnn,
    /// [`MusicTaggerCnn`].
    MusicTaggerCnn(MusicTaggerConfig),
    /// [`MusicTaggerCrnn`].
    MusicTaggerCrnn(MusicTaggerConfig),
}

/// One network of the zoo as published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The network.
    pub network: NetworkConfig,
    /// The number of classes it was published with.
    pub classes: usize,
    /// Trainable values at that number.
    pub parameters: usize,
    /// One example, (channels, bands, frames), as published.
    pub input: [usize; 3],
    /// Where it was published.
    pub paper: &'static str,
}

/// All networks of the zoo with their published inputs and counts of parameters.
#[must_use]
pub fn listed() -> Vec<Listed> {
    let listed =
        |network, classes, parameters, input, paper| Listed { network, classes, parameters, input, paper };
    let musicnn = "Pons and Serra, ISMIR late-breaking 2019";
    let transfer = "Choi et al., ISMIR 2017";
    let won = "Won et al., SMC 2020";
    let tagger = MusicTaggerConfig::default();
    let big = MusicnnConfig { mid_channels: 512, dense: 500 };
    let keras2 = ChoiTransferConfig { variant: ChoiVariant::Keras2 };
    use NetworkConfig as Net;
    vec![
        listed(Net::Base2dCnn, 8, 107_496, [1, 96, 313], "GTZAN-8 study 2020"),
        listed(Net::Musicnn(MusicnnConfig::default()), 50, 787_159, [1, 96, 187], musicnn),
        listed(Net::Musicnn(big), 50, 7_980_235, [1, 96, 187], musicnn),
        listed(Net::MusicnnVgg, 50, 605_748, [1, 96, 187], musicnn),
        listed(Net::ChoiTransfer(ChoiTransferConfig::default()), 50, 39_282, [1, 96, 1360], transfer),
        listed(Net::ChoiTransfer(keras2), 50, 39_282, [1, 96, 1360], transfer),
        listed(Net::TaggingFcn, 50, 447_732, [1, 96, 1813], won),
        listed(Net::TaggingCrnn, 50, 394_100, [1, 96, 1813], won),
        listed(Net::TaggingMusicnn, 50, 784_300, [1, 96, 188], won),
        listed(Net::MusicTaggerCnn(tagger), 50, 865_950, [1, 96, 1366], "Choi et al., ISMIR 2016"),
        listed(Net::MusicTaggerCrnn(tagger), 50, 396_786, [1, 96, 1366], "Choi et al., ICASSP 2017"),
        listed(
            Net::MusicTaggerCrnn(tagger),
            10,
            395_466,
            [1, 96, 1366],
            "Albert 2017, after Choi et al. 2017",
        ),
    ]
}

impl NetworkConfig {
    /// Builds the network with initial weights drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for fewer than 2 or more than 65,536 classes, [`Error::CudaUnavailable`].
    pub fn build(&self, classes: usize, seed: u64, device: DeviceConfig) -> Result<Box<dyn Network>, Error> {
        match self {
            Self::Base2dCnn => Ok(Box::new(Base2dCnn::new(classes, seed, device)?)),
            &Self::Musicnn(config) => Ok(Box::new(Musicnn::new(config, classes, seed, device)?)),
            Self::MusicnnVgg => Ok(Box::new(MusicnnVgg::new(classes, seed, device)?)),
            &Self::ChoiTransfer(config) => Ok(Box::new(ChoiTransfer::new(config, classes, seed, device)?)),
            Self::TaggingFcn => Ok(Box::new(TaggingFcn::new(classes, seed, device)?)),
            Self::TaggingCrnn => Ok(Box::new(TaggingCrnn::new(classes, seed, device)?)),
            Self::TaggingMusicnn => Ok(Box::new(TaggingMusicnn::new(classes, seed, device)?)),
            &Self::MusicTaggerCnn(config) => {
                Ok(Box::new(MusicTaggerCnn::new(config, classes, seed, device)?))
            }
            &Self::MusicTaggerCrnn(config) => {
                Ok(Box::new(MusicTaggerCrnn::new(config, classes, seed, device)?))
            }
        }
    }
}

/// Checks a class count.
fn check_classes(classes: usize) -> Result<(), Error> {
    if (2..=65_536).contains(&classes) {
        return Ok(());
    }
    Err(Error::InvalidConfig { field: "classes", value: classes.to_string(), allowed: "2 to 65536" })
}
