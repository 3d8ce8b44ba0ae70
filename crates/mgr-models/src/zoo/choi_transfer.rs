//! Choi's network for transfer learning.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::tagger_layers::{Conv, KERAS, Norm, check_picture, max_pool, mean_of_map};
use crate::device::DeviceConfig;
use crate::layers::Linear;
use crate::zoo::check_classes;
use crate::{Error, InputSpec, Mode, Network, Parameters};

/// How [`ChoiTransfer`] normalises, and with it which of the two published sets of weights fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChoiVariant {
    /// The published network, every clip by itself: statistics of the clip's own maps, also after training. What the
    /// original computes for a batch of one.
    #[default]
    Clip,
    /// The published network as it is: statistics over the whole batch, so that clips of one batch change each other's
    /// output.
    Batch,
    /// The later one for Keras 2: every image standardised by itself, then ordinary batch normalisation with recorded
    /// statistics; 160 values from before the pools.
    Keras2,
}

/// Settings of [`ChoiTransfer`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChoiTransferConfig {
    /// How it normalises. Default [`ChoiVariant::Clip`].
    pub variant: ChoiVariant,
}

/// Five blocks of 32 kernels of 3 x 3, batch normalisation (epsilon 0.001), ELU and pooling by 2 x 4, 3 x 4, 2 x 5, 2 x 4 and
/// 4 x 4 (bands x frames); one linear layer. 37,632 parameters before it, 39,282 with 50 tags.
///
/// Input (batch, 1, 96, 1280 to 2559 frames), published with 1360: decibels under the clip's largest, of 29 s at 12 kHz
/// ([`mgr_features::presets::choi`]). [`Network::outputs`] gives, beside the logits, `layer1` to `layer5`, each (batch, 32): the
/// mean of a block's map after its pool (of variant [`ChoiVariant::Keras2`] before it), and `features` (batch, 160), all five
/// in order.
///
/// Source: K. Choi, G. Fazekas, M. Sandler, K. Cho, "Transfer learning for music classification and regression tasks", ISMIR
/// 2017.
#[derive(Debug)]
pub struct ChoiTransfer {
    parameters: Parameters,
    input: InputSpec,
    variant: ChoiVariant,
    blocks: Vec<(Conv, Norm)>,
    output: Linear,
    classes: usize,
}

const POOLS: [[usize; 2]; 5] = [[2, 4], [3, 4], [2, 5], [2, 4], [4, 4]];

impl ChoiTransfer {
    /// The name in files.
    pub const NAME: &'static str = "choi_transfer";
    const BANDS: usize = 96;
    const CHANNELS: usize = 32;

    /// Builds the network with PyTorch's initial distributions, drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for an impossible number of classes, [`Error::CudaUnavailable`].
    pub fn new(
        config: ChoiTransferConfig,
        classes: usize,
        seed: u64,
        device: DeviceConfig,
    ) -> Result<Self, Error> {
        check_classes(classes)?;
        let mut parameters = Parameters::new(seed, device.resolve()?);
        let p = &mut parameters;
        let mut blocks = Vec::new();
        for index in 0..5 {
            let from = if index == 0 { 1 } else { Self::CHANNELS };
            let conv = Conv::new(p, &format!("blocks.{index}.conv"), [from, Self::CHANNELS], [3, 3], [1, 1])?;
            blocks.push((conv, Norm::new(p, &format!("blocks.{index}.bn"), Self::CHANNELS, KERAS)?));
        }
        let output = Linear::new(p, "output", Self::CHANNELS, classes)?;
        let input = InputSpec::picture(1, Self::BANDS, 1280);
        Ok(Self { parameters, input, variant: config.variant, blocks, output, classes })
    }

    fn norm(&self, norm: &Norm, x: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        let none = None::<&Tensor>;
        let (weight, bias) = (Some(&norm.weight), Some(&norm.bias));
        match (self.variant, mode) {
            (ChoiVariant::Keras2, _) => norm.forward(x, mode),
            (ChoiVariant::Clip, Mode::Evaluate) => {
                Ok(x.f_instance_norm(weight, bias, none, none, true, 0.0, norm.epsilon, true)?)
            }
            (ChoiVariant::Clip | ChoiVariant::Batch, _) => {
                Ok(x.f_batch_norm(weight, bias, none, none, true, 0.0, norm.epsilon, true)?)
            }
        }
    }

    fn pass(&self, input: &Tensor, mode: Mode) -> Result<(Tensor, Vec<Tensor>), Error> {
        check_picture(Self::NAME, input, Self::BANDS, 1280..=2559)?;
        let keras_2 = self.variant == ChoiVariant::Keras2;
        let mut x = if keras_2 { standardised(input)? } else { input.shallow_clone() };
        let mut layers = Vec::new();
        for ((conv, norm), pool) in self.blocks.iter().zip(POOLS) {
            let map = self.norm(norm, &conv.forward(&x)?, mode)?.f_elu()?;
            x = max_pool(&map, pool)?;
            layers.push(mean_of_map(if keras_2 { &map } else { &x })?);
        }
        // The last map is 1 x 1, so that global maximum and flattening are the same.
        Ok((self.output.forward(&x.f_flatten(1, -1)?)?, layers))
    }
}

/// Each image less its mean, by its standard deviation.
fn standardised(input: &Tensor) -> Result<Tensor, Error> {
    let axes = [1_i64, 2, 3];
    let centred = input.f_sub(&input.f_mean_dim(axes.as_slice(), true, Kind::Float)?)?;
    let deviation = centred.f_square()?.f_mean_dim(axes.as_slice(), true, Kind::Float)?.f_sqrt()?;
    // kapre's epsilon.
    Ok(centred.f_div(&deviation.f_add_scalar(1e-10)?)?)
}

impl Network for ChoiTransfer {
    network_facts!();

    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        Ok(self.pass(input, mode)?.0)
    }

    fn outputs(&self, input: &Tensor, mode: Mode) -> Result<Vec<(&'static str, Tensor)>, Error> {
        let (logits, layers) = self.pass(input, mode)?;
        let features = Tensor::f_cat(&layers, 1)?;
        let names = ["layer1", "layer2", "layer3", "layer4", "layer5"];
        let outputs = [("logits", logits), ("features", features)];
        Ok(outputs.into_iter().chain(names.into_iter().zip(layers)).collect())
    }
}
