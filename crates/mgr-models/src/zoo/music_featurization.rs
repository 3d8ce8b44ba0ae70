//! The network of MusicFeaturization.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::device::DeviceConfig;
use crate::layers::{Initial, Linear, VggDepth, VggFeatures};
use crate::parameters::Start;
use crate::zoo::assembled::{Assembled, Body, Plate, check_dropout, check_product, check_vgg};
use crate::{Error, InputSpec, Mode, Network, Output};

/// Which scores a softmax makes to sum to one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SoftmaxOver {
    /// Those of one example. The default.
    #[default]
    Row,
    /// Those of the whole batch, by mistake in the published program: a score then depends on the other examples of the
    /// batch, and the scores of an example sum to about 1 / batch. Its saved scores, and the ROC curve made of them, are of
    /// this kind. The order of classes within an example is the same.
    Batch,
}

impl SoftmaxOver {
    /// Scores from logits (batch, classes).
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn scores(self, logits: &Tensor) -> Result<Tensor, Error> {
        match self {
            Self::Row => Ok(logits.f_softmax(-1, Kind::Float)?),
            Self::Batch => {
                let size = logits.size();
                Ok(logits.f_flatten(0, -1)?.f_softmax(-1, Kind::Float)?.f_reshape(size)?)
            }
        }
    }
}

/// The convolutions of VGG16 as ImageNet left them, 512 units, dropout, ReLU (in this order), classes.
///
/// Input (batch, 3, 216, 216): a spectrogram in the colours of the map "jet", values from 0 to 1, low frequencies at the
/// bottom. At 6 classes 24,155,462 parameters, of which 9,440,774 are trained. The code is the 512 units after ReLU, the
/// feature that the study writes to its tables.
///
/// ImageNet weights load by torchvision's names, `features.0.weight` to `features.28.bias`, with
/// [`Parameters::load_part`](crate::Parameters::load_part). The study adds 0.001 times the sum of the squares of `fc1.weight`
/// to the loss, which is a weight decay of 0.002 on that tensor. Its softmax over the whole batch is a mistake; the network
/// gives logits, and [`SoftmaxOver::Batch`] makes the study's scores of them.
///
/// The network that it builds on, for AudioSet (Bahuleyan, arXiv 1804.01149), is the same with 7 classes, and with
/// `trainable_blocks` of 5 where it is "fine-tuned".
///
/// Source: Gardini, MusicFeaturization, 2020.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MusicFeaturizationConfig {
    /// Height and width of the pictures, at least 32 each. Default 216, 216.
    pub input: [usize; 2],
    /// How many of the five blocks of convolutions are trained, from the last. Default 0.
    pub trainable_blocks: usize,
    /// Share that dropout takes. Default 0.3.
    pub dropout: f64,
}

impl Default for MusicFeaturizationConfig {
    fn default() -> Self {
        Self { input: [216, 216], trainable_blocks: 0, dropout: 0.3 }
    }
}

const CODE: usize = 512;

impl MusicFeaturizationConfig {
    /// The name in files.
    pub const NAME: &'static str = "music_featurization";

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        check_dropout("dropout", self.dropout)?;
        let length = check_vgg(self.input, self.trainable_blocks)?;
        check_product("input", &[length, CODE])?;
        let [height, width] = self.input;
        let plate = Plate::new(Self::NAME, classes, InputSpec::fixed_picture([3, height, width]))
            .with_code(CODE)
            .with_dropout(self.dropout)
            .without_batch_statistics();
        Assembled::boxed(plate, start, device, |parameters| {
            Ok(MusicFeaturization {
                features: VggFeatures::new(parameters, "", VggDepth::Layers16, self.trainable_blocks)?,
                code: Linear::with(parameters, "fc1", [length, CODE], Initial::Glorot, true)?,
                classes: Linear::with(parameters, "fc2", [CODE, classes], Initial::Glorot, true)?,
                dropout: self.dropout,
            })
        })
    }
}

#[derive(Debug)]
struct MusicFeaturization {
    features: VggFeatures,
    code: Linear,
    classes: Linear,
    dropout: f64,
}

impl Body for MusicFeaturization {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let x = self.features.forward(input)?.f_flatten(1, -1)?;
        let dropped = self.code.forward(&x)?.f_dropout(self.dropout, mode == Mode::Train)?;
        let code = dropped.f_relu()?;
        Ok(Output { logits: self.classes.forward(&code)?, code: Some(code) })
    }
}
