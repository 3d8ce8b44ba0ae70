//! SpecAndEmbed, the fusion network of the GTZAN-8 study.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::q2::Q2;
use super::{Gtzan8Q1Config, Gtzan8Q2Config};
use crate::device::DeviceConfig;
use crate::layers::{BatchNorm, Linear};
use crate::parameters::Start;
use crate::zoo::assembled::{Assembled, Body, Plate, check_product, check_size, logits};
use crate::zoo::base_2d_cnn::Base2dCnnBody;
use crate::zoo::vision::{ResNetBody, ResNetDepth};
use crate::{Axis, Error, InputAxis, InputSpec, Mode, Network, Output, Parameters};

/// The network that takes the spectrogram.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SpectrogramBranch {
    /// [`Gtzan8Q1Config`].
    Q1,
    /// [`Base2dCnn`](crate::zoo::Base2dCnn).
    #[serde(rename = "base_2d_cnn")]
    Base2dCnn,
    /// ResNet 34, one channel standing for three. The default, the study's best.
    #[default]
    Resnet34,
}

impl SpectrogramBranch {
    /// Fewest bands and frames.
    fn smallest(self, bands: usize) -> Result<[usize; 2], Error> {
        Ok(match self {
            Self::Q1 => [1, Gtzan8Q1Config { bands }.input()?.smallest().last().copied().unwrap_or(1)],
            Self::Base2dCnn => [Base2dCnnBody::SMALLEST; 2],
            Self::Resnet34 => [ResNetBody::SMALLEST; 2],
        })
    }
}

/// A spectrogram network and [`Gtzan8Q2Config`] on an embedding, joined: the spectrogram's logits through batch normalisation
/// and ReLU, the embedding's through ReLU, one linear layer from both to the classes.
///
/// An example is one vector: the spectrogram (bands x frames), row after row, then the embedding; see
/// [`join_spectrogram_and_embedding`]. So the input is (batch, bands x frames + length), and the number of frames follows from
/// its length.
///
/// | spectrogram network | parameters at 96 bands, length 753, 8 classes |
/// |---|---|
/// | Q1 | 70,392 |
/// | Base2DCNN | 132,104 |
/// | ResNet 34 | 21,313,384 |
///
/// The batch normalisation on one side only is the study's.
///
/// ```
/// use mgr_models::zoo::{NetworkConfig, SpecAndEmbedConfig, SpectrogramBranch, join_spectrogram_and_embedding};
/// use mgr_models::{Mode, device::DeviceConfig};
///
/// # fn main() -> Result<(), mgr_models::Error> {
/// let config = SpecAndEmbedConfig { spectrogram: SpectrogramBranch::Q1, ..SpecAndEmbedConfig::default() };
/// let network = NetworkConfig::SpecAndEmbed(config).build(8, 0, DeviceConfig::Cpu)?;
/// let spectrograms = tch::Tensor::zeros([2, 1, 96, 320], (tch::Kind::Float, tch::Device::Cpu));
/// let embeddings = tch::Tensor::zeros([2, 753], (tch::Kind::Float, tch::Device::Cpu));
/// let input = join_spectrogram_and_embedding(&spectrograms, &embeddings)?;
/// assert_eq!(network.forward(&input, Mode::Evaluate)?.size(), [2, 8]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpecAndEmbedConfig {
    /// The network that takes the spectrogram. Default [`SpectrogramBranch::Resnet34`].
    pub spectrogram: SpectrogramBranch,
    /// Number of bands, 1 to 4096 and enough for the spectrogram network. Default 96.
    pub bands: usize,
    /// Length of the embedding, 1 to 1,000,000. Default 753.
    pub length: usize,
}

impl Default for SpecAndEmbedConfig {
    fn default() -> Self {
        Self { spectrogram: SpectrogramBranch::default(), bands: 96, length: 753 }
    }
}

/// Spectrograms (batch, 1, bands, frames) and embeddings (batch, length) as the input of a network of [`SpecAndEmbedConfig`].
///
/// # Errors
/// [`Error::Torch`] where the batches differ.
pub fn join_spectrogram_and_embedding(spectrograms: &Tensor, embeddings: &Tensor) -> Result<Tensor, Error> {
    Ok(Tensor::f_cat(&[spectrograms.f_flatten(1, -1)?, embeddings.f_flatten(1, -1)?], 1)?)
}

impl SpecAndEmbedConfig {
    /// The name in files.
    pub const NAME: &'static str = "spec_and_embed";

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        let Self { bands, length, .. } = *self;
        let embedding = Gtzan8Q2Config { length };
        embedding.check()?;
        check_size("bands", bands, 1, 4096, "1 to 4096")?;
        let [fewest, frames] = self.spectrogram.smallest(bands)?;
        check_size("bands", bands, fewest, 4096, "enough for the spectrogram network, to 4096")?;
        let values = InputAxis {
            axis: Axis::Values,
            minimum: check_product("input", &[bands, frames])? + length,
            maximum: None,
            step: bands,
        };
        let plate = Plate::new(Self::NAME, classes, InputSpec::new(vec![values]));
        Assembled::boxed(plate, start, device, |parameters| {
            let spectrogram = self.branch(parameters, classes)?;
            Ok(SpecAndEmbed {
                spectrogram,
                norm: BatchNorm::new(parameters, "bn", classes)?,
                embedding: embedding.body(parameters, "embed.", classes)?,
                classes: Linear::new(parameters, "linear", 2 * classes, classes)?,
                bands: bands as i64,
                length: length as i64,
            })
        })
    }

    fn branch(&self, parameters: &mut Parameters, classes: usize) -> Result<Box<dyn Body>, Error> {
        const PREFIX: &str = "spec.";
        Ok(match self.spectrogram {
            SpectrogramBranch::Q1 => {
                Box::new(Gtzan8Q1Config { bands: self.bands }.body(parameters, PREFIX, classes)?)
            }
            SpectrogramBranch::Base2dCnn => Box::new(Base2dCnnBody::new(parameters, PREFIX, classes)?),
            SpectrogramBranch::Resnet34 => {
                Box::new(ResNetBody::new(parameters, PREFIX, ResNetDepth::Layers34, classes)?)
            }
        })
    }
}

#[derive(Debug)]
struct SpecAndEmbed {
    spectrogram: Box<dyn Body>,
    norm: BatchNorm,
    embedding: Q2,
    classes: Linear,
    bands: i64,
    length: i64,
}

impl Body for SpecAndEmbed {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let (_, values) = input.size2()?;
        let pixels = values - self.length;
        let picture = input.f_narrow(1, 0, pixels)?;
        let picture = picture.f_reshape([-1, 1, self.bands, pixels / self.bands])?;
        let embedding = input.f_narrow(1, pixels, self.length)?;
        let seen = self.norm.forward(&self.spectrogram.forward(&picture, mode)?.logits, mode)?.f_relu()?;
        let heard = self.embedding.forward(&embedding, mode)?.logits.f_relu()?;
        Ok(logits(self.classes.forward(&Tensor::f_cat(&[seen, heard], 1)?)?))
    }
}
