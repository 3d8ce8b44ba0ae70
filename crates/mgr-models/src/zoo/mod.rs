//! Published networks, one file each, with their parameter counts as tests.
//!
//! | system | networks |
//! |---|---|
//! | MLFCF | [`MlfcfSpectrogramConfig`], [`MlfcfVectorConfig`], [`MlfcfMetaConfig`] |
//! | image-CNN study, CBMI 2016 | [`BlackBoxConfig`], [`TimeConfig`], [`FrequencyConfig`], [`TimeFrequencyConfig`], [`TwoLayerConfig`], [`ThreeLayerConfig`], [`FcnConfig`], [`Vgg16TransferConfig`] |
//! | MusicFeaturization | [`MusicFeaturizationConfig`] |
//! | GTZAN-8 study | [`Gtzan8BaselineConfig`], [`Gtzan8Q1Config`], [`Gtzan8Q2Config`], [`Base2dCnn`], [`SpecAndEmbedConfig`], [`VggConfig`], [`ResNetConfig`] |
//! | FMA study | [`FmaConvNetConfig`], [`VitConfig`] |
//!
//! Every network gives logits. Many also give a code, the activations that their authors take as features:
//! [`Network::forward_with_code`].

/// The parts of [`Network`](crate::Network) that are the same for every network that holds these three fields itself.
macro_rules! network_facts {
    () => {
        fn name(&self) -> &'static str {
            Self::NAME
        }

        fn classes(&self) -> usize {
            self.classes
        }

        fn input(&self) -> &$crate::InputSpec {
            &self.input
        }

        fn parameters(&self) -> &$crate::Parameters {
            &self.parameters
        }
    };
}

mod assembled;
mod base_2d_cnn;
mod choi_taggers;
mod choi_transfer;
mod fma;
mod gtzan8;
mod image_cnn;
mod listed;
mod mlfcf;
mod music_featurization;
mod musicnn;
mod sota_taggers;
mod tagger_layers;
mod vision;

use serde::{Deserialize, Serialize};

pub use base_2d_cnn::Base2dCnn;
pub use choi_taggers::{KerasEpsilon, MusicTaggerCnn, MusicTaggerConfig, MusicTaggerCrnn};
pub use choi_transfer::{ChoiTransfer, ChoiTransferConfig, ChoiVariant};
pub use fma::{FmaConvNetConfig, PatchProjection, PositionTable, VitConfig};
pub use gtzan8::{
    Gtzan8BaselineConfig, Gtzan8Q1Config, Gtzan8Q2Config, SpecAndEmbedConfig, SpectrogramBranch,
    join_spectrogram_and_embedding,
};
pub use image_cnn::{
    BlackBoxConfig, FcnConfig, FrequencyConfig, ThreeLayerConfig, TimeConfig, TimeFrequencyConfig,
    TwoLayerConfig, Vgg16TransferConfig, initialise_time_frequency,
};
pub use listed::{Listed, listed};
pub use mlfcf::{ClassOutput, MlfcfMetaConfig, MlfcfSpectrogramConfig, MlfcfVariant, MlfcfVectorConfig};
pub use music_featurization::{MusicFeaturizationConfig, SoftmaxOver};
pub use musicnn::{Musicnn, MusicnnConfig, MusicnnVgg};
pub use sota_taggers::{TaggingCrnn, TaggingFcn, TaggingMusicnn};
pub use vision::{Colour, ResNetConfig, ResNetDepth, VggConfig};

use crate::device::DeviceConfig;
pub use crate::layers::VggDepth;
use crate::parameters::Start;
use crate::{Error, Network};

/// A network of the zoo by name, as written in configs and saved files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// [`MlfcfSpectrogramConfig`].
    MlfcfSpectrogram(MlfcfSpectrogramConfig),
    /// [`MlfcfVectorConfig`].
    MlfcfVector(MlfcfVectorConfig),
    /// [`MlfcfMetaConfig`].
    MlfcfMeta(MlfcfMetaConfig),
    /// [`BlackBoxConfig`].
    BlackBox(BlackBoxConfig),
    /// [`TimeConfig`].
    Time(TimeConfig),
    /// [`FrequencyConfig`].
    Frequency(FrequencyConfig),
    /// [`TimeFrequencyConfig`].
    TimeFrequency(TimeFrequencyConfig),
    /// [`TwoLayerConfig`].
    TwoLayer(TwoLayerConfig),
    /// [`ThreeLayerConfig`].
    ThreeLayer(ThreeLayerConfig),
    /// [`FcnConfig`].
    Fcn(FcnConfig),
    /// [`Vgg16TransferConfig`].
    Vgg16Transfer(Vgg16TransferConfig),
    /// [`MusicFeaturizationConfig`].
    MusicFeaturization(MusicFeaturizationConfig),
    /// [`Gtzan8BaselineConfig`].
    #[serde(rename = "gtzan8_baseline")]
    Gtzan8Baseline(Gtzan8BaselineConfig),
    /// [`Gtzan8Q1Config`].
    #[serde(rename = "gtzan8_q1")]
    Gtzan8Q1(Gtzan8Q1Config),
    /// [`Gtzan8Q2Config`].
    #[serde(rename = "gtzan8_q2")]
    Gtzan8Q2(Gtzan8Q2Config),
    /// [`SpecAndEmbedConfig`].
    SpecAndEmbed(SpecAndEmbedConfig),
    /// [`VggConfig`].
    Vgg(VggConfig),
    /// [`ResNetConfig`].
    #[serde(rename = "resnet")]
    ResNet(ResNetConfig),
    /// [`FmaConvNetConfig`].
    FmaConvNet(FmaConvNetConfig),
    /// [`VitConfig`].
    Vit(VitConfig),
}

impl NetworkConfig {
    /// Builds the network with initial weights drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for fewer than 2 or more than 65,536 classes and for a field of the network's config that is out
    /// of its range, [`Error::CudaUnavailable`].
    pub fn build(&self, classes: usize, seed: u64, device: DeviceConfig) -> Result<Box<dyn Network>, Error> {
        self.start(classes, Start::Seed(seed), device)
    }

    /// Builds the network with zeros for weights, which are to be loaded: drawing a hundred million of them takes seconds.
    ///
    /// # Errors
    /// Those of [`NetworkConfig::build`].
    pub fn build_blank(&self, classes: usize, device: DeviceConfig) -> Result<Box<dyn Network>, Error> {
        self.start(classes, Start::Blank, device)
    }

    fn start(&self, classes: usize, start: Start, device: DeviceConfig) -> Result<Box<dyn Network>, Error> {
        check_classes(classes)?;
        match self {
            Self::Base2dCnn => Ok(Box::new(Base2dCnn::starting(classes, start, device)?)),
            Self::MlfcfSpectrogram(config) => config.build(classes, start, device),
            Self::MlfcfVector(config) => config.build(classes, start, device),
            Self::MlfcfMeta(config) => config.build(classes, start, device),
            Self::BlackBox(config) => config.build(classes, start, device),
            Self::Time(config) => config.build(classes, start, device),
            Self::Frequency(config) => config.build(classes, start, device),
            Self::TimeFrequency(config) => config.build(classes, start, device),
            Self::TwoLayer(config) => config.build(classes, start, device),
            Self::ThreeLayer(config) => config.build(classes, start, device),
            Self::Fcn(config) => config.build(classes, start, device),
            Self::Vgg16Transfer(config) => config.build(classes, start, device),
            Self::MusicFeaturization(config) => config.build(classes, start, device),
            Self::Gtzan8Baseline(config) => config.build(classes, start, device),
            Self::Gtzan8Q1(config) => config.build(classes, start, device),
            Self::Gtzan8Q2(config) => config.build(classes, start, device),
            Self::SpecAndEmbed(config) => config.build(classes, start, device),
            Self::Vgg(config) => config.build(classes, start, device),
            Self::ResNet(config) => config.build(classes, start, device),
            Self::FmaConvNet(config) => config.build(classes, start, device),
            Self::Vit(config) => config.build(classes, start, device),
            &Self::Musicnn(config) => Ok(Box::new(Musicnn::new(config, classes, start.seed(), device)?)),
            Self::MusicnnVgg => Ok(Box::new(MusicnnVgg::new(classes, start.seed(), device)?)),
            &Self::ChoiTransfer(config) => {
                Ok(Box::new(ChoiTransfer::new(config, classes, start.seed(), device)?))
            }
            Self::TaggingFcn => Ok(Box::new(TaggingFcn::new(classes, start.seed(), device)?)),
            Self::TaggingCrnn => Ok(Box::new(TaggingCrnn::new(classes, start.seed(), device)?)),
            Self::TaggingMusicnn => Ok(Box::new(TaggingMusicnn::new(classes, start.seed(), device)?)),
            &Self::MusicTaggerCnn(config) => {
                Ok(Box::new(MusicTaggerCnn::new(config, classes, start.seed(), device)?))
            }
            &Self::MusicTaggerCrnn(config) => {
                Ok(Box::new(MusicTaggerCrnn::new(config, classes, start.seed(), device)?))
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
