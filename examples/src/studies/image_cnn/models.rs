//! The study's networks: their pictures' sizes, how they were trained, what was published of them.

use clap::ValueEnum;
use mgr_eval::report::{Protocol, published_results};
use mgr_models::train::{AdamConfig, OptimiserConfig, RmsPropConfig};
use mgr_models::zoo::{
    BlackBoxConfig, FcnConfig, FrequencyConfig, NetworkConfig, ThreeLayerConfig, TimeConfig,
    TimeFrequencyConfig, TwoLayerConfig, Vgg16TransferConfig,
};

use super::pictures::Spectrogram;

/// A network of the study by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Model {
    /// One convolution over both axes.
    BlackBox,
    /// One convolution along time.
    Time,
    /// One convolution along frequency.
    Frequency,
    /// Both side by side.
    TimeFrequency,
    /// Two convolutions, of the notebook.
    TwoLayer,
    /// Two convolutions, of the older program.
    TwoLayerOld,
    /// Three convolutions.
    ThreeLayer,
    /// Choi's fully convolutional network.
    Fcn,
    /// VGG16 with its last blocks trained, of the notebook.
    Vgg16,
    /// VGG16 with its last block trained, of the older program.
    Vgg16Old,
}

impl Model {
    /// The eight networks of the study, each in its latest form.
    pub const ALL: [Self; 8] = [
        Self::BlackBox,
        Self::Time,
        Self::Frequency,
        Self::TimeFrequency,
        Self::TwoLayer,
        Self::ThreeLayer,
        Self::Fcn,
        Self::Vgg16,
    ];

    /// The name on the command line and of its folder.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Height and width of the pictures that it was published with.
    #[must_use]
    pub fn published_size(self) -> [usize; 2] {
        match self {
            Self::BlackBox | Self::Time | Self::Frequency | Self::TimeFrequency => [120, 200],
            Self::TwoLayer | Self::ThreeLayer | Self::Vgg16 => [217, 334],
            Self::TwoLayerOld => [40, 80],
            Self::Vgg16Old => [50, 80],
            Self::Fcn => [96, 1366],
        }
    }

    /// Whether it is VGG16 with weights from photographs.
    #[must_use]
    pub fn is_vgg(self) -> bool {
        matches!(self, Self::Vgg16 | Self::Vgg16Old)
    }

    /// The network for pictures of (channels, height, width) and so many spectrograms in them. Filters and pools that the study
    /// gave in pixels keep their share of the picture.
    #[must_use]
    pub fn network(self, input: [usize; 3], spectrograms: usize) -> NetworkConfig {
        let [_, height, width] = input;
        let share = |of: usize, published: usize| (height * of / published).max(1);
        let (filter, time_pool) = (share(60, 120), share(40, 120));
        match self {
            Self::BlackBox => NetworkConfig::BlackBox(BlackBoxConfig { input, ..BlackBoxConfig::default() }),
            Self::Time => NetworkConfig::Time(TimeConfig { input, pool: time_pool, ..TimeConfig::default() }),
            Self::Frequency => NetworkConfig::Frequency(FrequencyConfig {
                input,
                filter,
                pool: width,
                ..FrequencyConfig::default()
            }),
            Self::TimeFrequency => NetworkConfig::TimeFrequency(TimeFrequencyConfig {
                input,
                time_filter: TimeConfig::default().filter,
                time_pool,
                frequency_filter: filter,
                frequency_pool: width,
                dropout: 0.0,
                ..TimeFrequencyConfig::default()
            }),
            Self::TwoLayer => NetworkConfig::TwoLayer(TwoLayerConfig { input, ..TwoLayerConfig::default() }),
            Self::TwoLayerOld => NetworkConfig::TwoLayer(TwoLayerConfig { input, ..TwoLayerConfig::older() }),
            Self::ThreeLayer => {
                NetworkConfig::ThreeLayer(ThreeLayerConfig { input, ..ThreeLayerConfig::default() })
            }
            Self::Fcn => NetworkConfig::Fcn(FcnConfig { input }),
            Self::Vgg16 => NetworkConfig::Vgg16Transfer(Vgg16TransferConfig {
                input: [height, width],
                // The notebook freezes all but eight layers, all but four for three spectrograms.
                trainable_blocks: if spectrograms == 1 { 2 } else { 1 },
                ..Vgg16TransferConfig::default()
            }),
            Self::Vgg16Old => NetworkConfig::Vgg16Transfer(Vgg16TransferConfig {
                input: [height, width],
                ..Vgg16TransferConfig::older()
            }),
        }
    }

    /// The optimiser and the number of epochs of the study.
    #[must_use]
    pub fn training(self) -> (OptimiserConfig, usize) {
        let adam =
            |learning_rate| OptimiserConfig::Adam(AdamConfig { learning_rate, ..AdamConfig::default() });
        let rms = |learning_rate| {
            // Keras's decay and divisor, not PyTorch's.
            let (alpha, epsilon) = (0.9, 1e-7);
            let config = RmsPropConfig { learning_rate, alpha, epsilon, ..RmsPropConfig::default() };
            OptimiserConfig::RmsProp(config)
        };
        match self {
            Self::BlackBox => (adam(0.005), 50),
            Self::Time => (adam(1e-3), 100),
            Self::Frequency | Self::TimeFrequency => (adam(1e-3), 50),
            Self::TwoLayer => (adam(1e-5), 150),
            Self::TwoLayerOld => (adam(1e-4), 100),
            Self::ThreeLayer => (rms(1e-4), 150),
            Self::Fcn => (adam(1e-3), 50),
            Self::Vgg16 => (rms(5e-6), 30),
            Self::Vgg16Old => (rms(5e-6), 100),
        }
    }

    /// The study's accuracy, where it states one for these spectrograms.
    #[must_use]
    pub fn published(self, spectrograms: &[Spectrogram], svm: bool) -> Option<f64> {
        let model = match self {
            Self::Vgg16 if svm => "VGG16 features + SVM",
            _ if svm => return None,
            Self::Vgg16 => "VGG16 transfer",
            Self::TwoLayer => "two layers",
            Self::ThreeLayer => "three layers",
            Self::Frequency => "frequency CNN",
            Self::Time => "time CNN",
            _ => return None,
        };
        let shown = match spectrograms {
            [Spectrogram::Melspectrogram] => "mel",
            [Spectrogram::Mfcc] => "MFCC",
            [Spectrogram::ChromaStft] => "chroma",
            [Spectrogram::Melspectrogram, Spectrogram::ChromaCqt, Spectrogram::ChromaStft] => {
                "mel + two chromas"
            }
            _ => return None,
        };
        let system = format!("{model}, {shown}");
        let found =
            published_results().find(|r| r.protocol == Protocol::GtzanListingOrder && r.system == system);
        found.map(|result| result.value)
    }
}

#[cfg(test)]
mod tests {
    use mgr_models::device::DeviceConfig;

    use super::*;

    #[test]
    fn every_network_has_the_published_number_of_parameters() {
        // The counts that the study prints at ten genres; the time network's notebook differs, see its configuration.
        for (model, count) in [
            (Model::BlackBox, 33_361_858),
            (Model::Time, 189_546),
            (Model::Frequency, 25_322),
            (Model::ThreeLayer, 947_614),
            (Model::TwoLayerOld, 1_292_670),
            (Model::Vgg16Old, 15_306_442),
        ] {
            let [height, width] = model.published_size();
            let network = model.network([3, height, width], 1);
            let built = network.build_blank(10, DeviceConfig::Cpu).unwrap();
            assert_eq!(built.parameters().weight_count(), count, "{model:?}");
        }
    }

    #[test]
    fn published_figures_are_found_by_name() {
        assert_eq!(Model::Vgg16.published(&[Spectrogram::Melspectrogram], false), Some(0.775));
        assert_eq!(Model::Vgg16.published(&[Spectrogram::Mfcc], true), Some(0.71));
        assert_eq!(Model::Frequency.published(&[Spectrogram::ChromaStft], false), Some(0.315));
        assert_eq!(Model::BlackBox.published(&[Spectrogram::Melspectrogram], false), None);
    }
}
