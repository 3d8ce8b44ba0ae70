//! The study's networks by name, what they take, what was published of them.

use clap::ValueEnum;
use mgr_eval::report::{Protocol, published_results};
use mgr_models::zoo::{
    Colour, Gtzan8BaselineConfig, Gtzan8Q1Config, Gtzan8Q2Config, NetworkConfig, ResNetConfig, ResNetDepth,
    SpecAndEmbedConfig, SpectrogramBranch, VggConfig, VggDepth,
};

/// A network of the study by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Model {
    /// Three one-dimensional convolutions.
    #[value(alias = "Baseline")]
    Baseline,
    /// Four one-dimensional convolutions.
    #[value(alias = "Q1")]
    Q1,
    /// Two linear layers on musicnn's embedding.
    #[value(alias = "Q2")]
    Q2,
    /// Four two-dimensional convolutions.
    #[value(alias = "Base2DCNN")]
    Base2dcnn,
    /// A spectrogram network and Q2, joined.
    #[value(alias = "SpecAndEmbed")]
    SpecAndEmbed,
    /// VGG of 13 layers.
    Vgg13,
    /// VGG of 16 layers.
    Vgg16,
    /// VGG of 19 layers.
    Vgg19,
    /// ResNet of 18 layers.
    Resnet18,
    /// ResNet of 34 layers.
    Resnet34,
    /// ResNet of 50 layers.
    Resnet50,
    /// ResNet of 101 layers.
    Resnet101,
}

/// The spectrogram network of [`Model::SpecAndEmbed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Branch {
    /// [`Model::Q1`].
    #[value(alias = "Q1")]
    Q1,
    /// [`Model::Base2dcnn`].
    #[value(alias = "Base2DCNN")]
    Base2dcnn,
    /// [`Model::Resnet34`].
    Resnet34,
}

/// The weights that an embedding comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Embedding {
    /// musicnn trained on the Million Song Dataset.
    Msd,
    /// musicnn trained on MagnaTagATune.
    Mtt,
}

impl Embedding {
    /// The name of the weights in the library.
    #[must_use]
    pub fn weights(self) -> &'static str {
        match self {
            Self::Msd => "musicnn-msd",
            Self::Mtt => "musicnn-mtt",
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Self::Msd => "MSD",
            Self::Mtt => "MTT",
        }
    }
}

/// What distinguishes a row of the study's table.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// The spectrogram network of a joined one.
    pub branch: Branch,
    /// Where embeddings come from.
    pub embedding: Embedding,
    /// Whether the training part is augmented.
    pub augment: bool,
    /// Whether clips are cut into segments.
    pub segment: bool,
}

impl Model {
    /// The name on the command line and of its folder.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether it takes an embedding.
    #[must_use]
    pub fn takes_embedding(self) -> bool {
        matches!(self, Self::Q2 | Self::SpecAndEmbed)
    }

    /// Whether it takes a spectrogram.
    #[must_use]
    pub fn takes_spectrogram(self) -> bool {
        self != Self::Q2
    }

    /// Channels that it takes where the command line asks for so many.
    #[must_use]
    pub fn channels(self, asked: usize) -> usize {
        if self.is_for_photographs() { asked } else { 1 }
    }

    /// Whether it is one of torchvision's, which begin from ImageNet in the study.
    #[must_use]
    pub fn is_for_photographs(self) -> bool {
        !matches!(self, Self::Baseline | Self::Q1 | Self::Q2 | Self::Base2dcnn | Self::SpecAndEmbed)
    }

    /// The network for so many bands and values of an embedding.
    #[must_use]
    pub fn network(self, bands: usize, length: usize, channels: usize, branch: Branch) -> NetworkConfig {
        let colour = if channels == 3 { Colour::Rgb } else { Colour::Grey };
        let vgg = |depth| NetworkConfig::Vgg(VggConfig { depth, colour });
        let resnet = |depth| NetworkConfig::ResNet(ResNetConfig { depth, colour });
        match self {
            Self::Baseline => NetworkConfig::Gtzan8Baseline(Gtzan8BaselineConfig { bands }),
            Self::Q1 => NetworkConfig::Gtzan8Q1(Gtzan8Q1Config { bands }),
            Self::Q2 => NetworkConfig::Gtzan8Q2(Gtzan8Q2Config { length }),
            Self::Base2dcnn => NetworkConfig::Base2dCnn,
            Self::SpecAndEmbed => {
                let spectrogram = match branch {
                    Branch::Q1 => SpectrogramBranch::Q1,
                    Branch::Base2dcnn => SpectrogramBranch::Base2dCnn,
                    Branch::Resnet34 => SpectrogramBranch::Resnet34,
                };
                NetworkConfig::SpecAndEmbed(SpecAndEmbedConfig { spectrogram, bands, length })
            }
            Self::Vgg13 => vgg(VggDepth::Layers13),
            Self::Vgg16 => vgg(VggDepth::Layers16),
            Self::Vgg19 => vgg(VggDepth::Layers19),
            Self::Resnet18 => resnet(ResNetDepth::Layers18),
            Self::Resnet34 => resnet(ResNetDepth::Layers34),
            Self::Resnet50 => resnet(ResNetDepth::Layers50),
            Self::Resnet101 => resnet(ResNetDepth::Layers101),
        }
    }

    /// The name of its row in the study's table.
    #[must_use]
    pub fn system(self, variant: &Variant) -> String {
        let embedding = variant.embedding.shown();
        let mut name = match self {
            Self::Baseline => "Baseline".to_owned(),
            Self::Q1 => "Q1".to_owned(),
            Self::Q2 => format!("{embedding} embedding + Q2"),
            Self::Base2dcnn => "Base2DCNN".to_owned(),
            Self::SpecAndEmbed => {
                let branch = match variant.branch {
                    Branch::Q1 => "Q1",
                    Branch::Base2dcnn => "Base2DCNN",
                    Branch::Resnet34 => "ResNet34",
                };
                format!("{branch} + {embedding}")
            }
            Self::Vgg13 => "VGG13".to_owned(),
            Self::Vgg16 => "VGG16".to_owned(),
            Self::Vgg19 => "VGG19".to_owned(),
            Self::Resnet18 => "ResNet18".to_owned(),
            Self::Resnet34 => "ResNet34".to_owned(),
            Self::Resnet50 => "ResNet50".to_owned(),
            Self::Resnet101 => "ResNet101".to_owned(),
        };
        if variant.augment {
            name.push_str(", augmented");
        }
        if variant.segment {
            name.push_str(", segments");
        }
        name
    }

    /// The study's test accuracy of that row; none where it has no such row.
    #[must_use]
    pub fn published(self, variant: &Variant) -> Option<f64> {
        let system = self.system(variant);
        let found = published_results().find(|r| r.protocol == Protocol::GtzanEight && r.system == system);
        found.map(|result| result.value)
    }
}

#[cfg(test)]
mod tests {
    use mgr_models::device::DeviceConfig;

    use super::*;

    const PLAIN: Variant =
        Variant { branch: Branch::Resnet34, embedding: Embedding::Msd, augment: false, segment: false };

    #[test]
    fn networks_have_the_study_s_parameters() {
        for (model, branch, count) in [
            (Model::Baseline, Branch::Q1, 36_392),
            (Model::Q1, Branch::Q1, 45_784),
            (Model::Q2, Branch::Q1, 24_456),
            (Model::Base2dcnn, Branch::Q1, 107_496),
            (Model::SpecAndEmbed, Branch::Q1, 70_392),
            (Model::SpecAndEmbed, Branch::Resnet34, 21_313_384),
            (Model::Resnet18, Branch::Q1, 11_180_616),
        ] {
            let network = model.network(96, 753, 1, branch).build_blank(8, DeviceConfig::Cpu).unwrap();
            assert_eq!(network.parameters().trainable_count(), count, "{model:?}");
        }
    }

    #[test]
    fn rows_of_the_study_s_table_are_found() {
        let both = Variant { augment: true, segment: true, ..PLAIN };
        assert_eq!(Model::SpecAndEmbed.published(&both), Some(0.86));
        assert_eq!(Model::Resnet101.published(&both), Some(0.78));
        assert_eq!(Model::Resnet101.published(&PLAIN), None);
        let mtt = Variant { embedding: Embedding::Mtt, augment: true, ..PLAIN };
        assert_eq!(Model::Q2.published(&mtt), Some(0.7378));
        assert_eq!(Model::Baseline.published(&PLAIN), Some(0.4378));
    }
}
