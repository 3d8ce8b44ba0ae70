//! Networks for photographs, as torchvision builds them, with a new last layer.

mod resnet;
mod vgg;

use serde::{Deserialize, Serialize};

pub(crate) use resnet::ResNetBody;
pub use resnet::{ResNetConfig, ResNetDepth};
pub use vgg::VggConfig;

/// How a picture is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Colour {
    /// One channel that stands for three equal ones, as the GTZAN-8 study gives its spectrograms. The weights of the first
    /// layer keep their three channels, so ImageNet's load. The default.
    #[default]
    Grey,
    /// Three channels.
    Rgb,
}

impl Colour {
    pub(crate) fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
        }
    }
}
