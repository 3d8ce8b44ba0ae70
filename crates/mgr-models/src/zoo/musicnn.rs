//! musicnn, the tagger of Pons and Serra with musically motivated kernels, and the VGG it was compared with.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::tagger_layers::{Conv, Conv1d, KERAS, Norm, check_picture};
use crate::device::DeviceConfig;
use crate::layers::Linear;
use crate::zoo::check_classes;
use crate::{Error, InputSpec, Mode, Network, Parameters};

/// Sizes of [`Musicnn`]. Default: the published 64 and 200, 787,159 parameters for 50 tags; `MSD_musicnn_big` is 512 and 500.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MusicnnConfig {
    /// Channels of the three layers in the middle. Default 64.
    pub mid_channels: usize,
    /// Width of the layer before the last, the `penultimate` output. Default 200.
    pub dense: usize,
}

impl Default for MusicnnConfig {
    fn default() -> Self {
        Self { mid_channels: 64, dense: 200 }
    }
}

/// musicnn: kernels over bands for timbre and over frames for rhythm, three layers with shortcuts, temporal pooling.
///
/// | part | layers |
/// |---|---|
/// | input | batch normalisation of the one channel |
/// | timbral | 204 kernels of 38 x 7 and 204 of 67 x 7 (bands x frames), maximum over bands |
/// | temporal | 51 kernels each of 1 x 128, 1 x 64 and 1 x 32, maximum over bands |
/// | middle | kernel 7 over the 561 channels to 64; twice kernel 7 with shortcut |
/// | pooling | maximum and mean over frames of all 753 channels, interleaved |
/// | end | batch normalisation, dropout 0.5, 200 ReLU, batch normalisation, dropout 0.5, logits |
///
/// Everywhere convolution, ReLU, then batch normalisation with epsilon 0.001. Input (batch, 1, 96, frames), published with 187
/// frames of [`mgr_features::presets::musicnn`]; output (batch, classes) logits. [`Network::outputs`] gives, beside them,
/// `timbral` (batch, 408, frames), `temporal` (batch, 153, frames), `cnn1` to `cnn3` (batch, 64, frames), `max_pool` and
/// `mean_pool` (batch, 753) and `penultimate` (batch, 200).
///
/// Source: J. Pons, X. Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging", ISMIR
/// late-breaking session 2019.
#[derive(Debug)]
pub struct Musicnn {
    parameters: Parameters,
    input: InputSpec,
    input_norm: Norm,
    timbral: Vec<Branch>,
    temporal: Vec<Branch>,
    middle: Vec<(Conv1d, Norm)>,
    pool_norm: Norm,
    dense: Linear,
    dense_norm: Norm,
    output: Linear,
    classes: usize,
}

/// A convolution of the front end, followed by the maximum over bands.
#[derive(Debug)]
struct Branch {
    conv: Conv,
    norm: Norm,
    /// Zeros before and after in time where the kernel's length is even; TensorFlow puts the odd one behind.
    pad: [i64; 2],
}

impl Branch {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        let padded;
        let input = if self.pad == [0, 0] {
            input
        } else {
            padded = input.f_constant_pad_nd(self.pad)?;
            &padded
        };
        if mode == Mode::Train {
            let x = self.norm.forward(&self.conv.forward(input)?.f_relu()?, mode)?;
            return Ok(x.f_amax([2_i64].as_slice(), false)?);
        }
        // ReLU and batch normalisation are monotone for each channel, falling where its scale is negative. With the sign
        // moved into the kernel, the maximum comes first and they work on 30 to 96 times fewer values.
        let ones = self.norm.weight.f_ones_like()?;
        let sign = ones.f_where_self(&self.norm.weight.f_ge(0.0)?, &ones.f_neg()?)?;
        let weight = self.conv.weight.f_mul(&sign.f_reshape([-1, 1, 1, 1])?)?;
        let x = self.conv.with(input, &weight, &self.conv.bias.f_mul(&sign)?)?;
        let x = x.f_amax([2_i64].as_slice(), false)?.f_mul(&sign.f_reshape([-1, 1])?)?;
        self.norm.forward(&x.f_relu()?, mode)
    }
}

/// All that one pass computes.
struct Pass {
    timbral: Tensor,
    temporal: Tensor,
    middle: Vec<Tensor>,
    max_pool: Tensor,
    mean_pool: Tensor,
    penultimate: Tensor,
    logits: Tensor,
}

impl Musicnn {
    /// The name in files.
    pub const NAME: &'static str = "musicnn";
    const BANDS: usize = 96;
    const TIMBRAL: usize = 204;
    const TEMPORAL: usize = 51;

    /// Builds the network with PyTorch's initial distributions, drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for an impossible size or number of classes, [`Error::CudaUnavailable`].
    pub fn new(
        config: MusicnnConfig,
        classes: usize,
        seed: u64,
        device: DeviceConfig,
    ) -> Result<Self, Error> {
        check_classes(classes)?;
        let MusicnnConfig { mid_channels, dense } = config;
        for (field, value) in [("mid_channels", mid_channels), ("dense", dense)] {
            if !(1..=65_536).contains(&value) {
                return Err(Error::InvalidConfig { field, value: value.to_string(), allowed: "1 to 65536" });
            }
        }
        let mut parameters = Parameters::new(seed, device.resolve()?);
        let p = &mut parameters;
        let input_norm = Norm::new(p, "input.bn", 1, KERAS)?;
        let mut timbral = Vec::new();
        for (index, bands) in [38, 67].into_iter().enumerate() {
            let name = format!("timbral.{index}");
            timbral.push(Branch {
                conv: Conv::new(p, &format!("{name}.conv"), [1, Self::TIMBRAL], [bands, 7], [0, 3])?,
                norm: Norm::new(p, &format!("{name}.bn"), Self::TIMBRAL, KERAS)?,
                pad: [0, 0],
            });
        }
        let mut temporal = Vec::new();
        for (index, frames) in [128_usize, 64, 32].into_iter().enumerate() {
            let name = format!("temporal.{index}");
            let before = (frames - 1) / 2;
            temporal.push(Branch {
                conv: Conv::new(p, &format!("{name}.conv"), [1, Self::TEMPORAL], [1, frames], [0, 0])?,
                norm: Norm::new(p, &format!("{name}.bn"), Self::TEMPORAL, KERAS)?,
                pad: [before as i64, (frames - 1 - before) as i64],
            });
        }
        let front = 2 * Self::TIMBRAL + 3 * Self::TEMPORAL;
        let mut middle = Vec::new();
        for (index, from) in [front, mid_channels, mid_channels].into_iter().enumerate() {
            let conv = Conv1d::new(p, &format!("middle.{index}.conv"), [from, mid_channels], 7)?;
            middle.push((conv, Norm::new(p, &format!("middle.{index}.bn"), mid_channels, KERAS)?));
        }
        let pooled = 2 * (front + 3 * mid_channels);
        let pool_norm = Norm::new(p, "pool.bn", pooled, KERAS)?;
        let dense_layer = Linear::new(p, "dense", pooled, dense)?;
        let dense_norm = Norm::new(p, "dense.bn", dense, KERAS)?;
        let output = Linear::new(p, "output", dense, classes)?;
        let input = InputSpec::picture(1, Self::BANDS, 1);
        Ok(Self {
            parameters,
            input,
            input_norm,
            timbral,
            temporal,
            middle,
            pool_norm,
            dense: dense_layer,
            dense_norm,
            output,
            classes,
        })
    }

    fn pass(&self, input: &Tensor, mode: Mode) -> Result<Pass, Error> {
        check_picture(Self::NAME, input, Self::BANDS, 1..=usize::MAX)?;
        let x = self.input_norm.forward(input, mode)?;
        let branches = |branches: &[Branch]| -> Result<Tensor, Error> {
            let parts = branches.iter().map(|branch| branch.forward(&x, mode));
            Ok(Tensor::f_cat(&parts.collect::<Result<Vec<_>, _>>()?, 1)?)
        };
        let (timbral, temporal) = (branches(&self.timbral)?, branches(&self.temporal)?);
        let front = Tensor::f_cat(&[&timbral, &temporal], 1)?;
        let mut middle: Vec<Tensor> = Vec::new();
        for (conv, norm) in &self.middle {
            let before = middle.last().unwrap_or(&front);
            let x = norm.forward(&conv.forward(before)?.f_relu()?, mode)?;
            middle.push(match middle.last() {
                Some(before) => x.f_add(before)?,
                None => x,
            });
        }
        let parts: Vec<&Tensor> = std::iter::once(&front).chain(&middle).collect();
        let all = Tensor::f_cat(&parts, 1)?;
        let max_pool = all.f_amax([2_i64].as_slice(), false)?;
        let mean_pool = all.f_mean_dim([2_i64].as_slice(), false, Kind::Float)?;
        let pooled = Tensor::f_stack(&[&max_pool, &mean_pool], 2)?.f_flatten(1, -1)?;
        let train = mode == Mode::Train;
        let x = self.pool_norm.forward(&pooled, mode)?.f_dropout(0.5, train)?;
        let penultimate = self.dense_norm.forward(&self.dense.forward(&x)?.f_relu()?, mode)?;
        let logits = self.output.forward(&penultimate.f_dropout(0.5, train)?)?;
        Ok(Pass { timbral, temporal, middle, max_pool, mean_pool, penultimate, logits })
    }
}

impl Network for Musicnn {
    network_facts!();

    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        Ok(self.pass(input, mode)?.logits)
    }

    fn outputs(&self, input: &Tensor, mode: Mode) -> Result<Vec<(&'static str, Tensor)>, Error> {
        let pass = self.pass(input, mode)?;
        let mut outputs = vec![
            ("logits", pass.logits),
            ("timbral", pass.timbral),
            ("temporal", pass.temporal),
            ("max_pool", pass.max_pool),
            ("mean_pool", pass.mean_pool),
            ("penultimate", pass.penultimate),
        ];
        outputs.extend(["cnn1", "cnn2", "cnn3"].into_iter().zip(pass.middle));
        Ok(outputs)
    }
}

/// The VGG of musicnn: five blocks of 128 kernels of 3 x 3, ReLU, batch normalisation and pooling; one linear layer.
///
/// Pools over (bands, frames): windows of 1 x 4 every 2 x 2; three times 2 x 2; 4 x 4. Dropout 0.25 after every pool, 0.5
/// before the last layer, in training. Input (batch, 1, 96, 187) of [`mgr_features::presets::musicnn`]; 605,748 parameters for
/// 50 tags. [`Network::outputs`] gives `pool1` to `pool5`, (batch, 128, bands, frames).
///
/// Source: as [`Musicnn`].
#[derive(Debug)]
pub struct MusicnnVgg {
    parameters: Parameters,
    input: InputSpec,
    input_norm: Norm,
    blocks: Vec<(Conv, Norm)>,
    output: Linear,
    classes: usize,
}

impl MusicnnVgg {
    /// The name in files.
    pub const NAME: &'static str = "musicnn_vgg";
    const BANDS: usize = 96;
    const FRAMES: usize = 187;
    const CHANNELS: usize = 128;

    /// Builds the network with PyTorch's initial distributions, drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for an impossible number of classes, [`Error::CudaUnavailable`].
    pub fn new(classes: usize, seed: u64, device: DeviceConfig) -> Result<Self, Error> {
        check_classes(classes)?;
        let mut parameters = Parameters::new(seed, device.resolve()?);
        let p = &mut parameters;
        let input_norm = Norm::new(p, "input.bn", 1, KERAS)?;
        let mut blocks = Vec::new();
        for index in 0..5 {
            let from = if index == 0 { 1 } else { Self::CHANNELS };
            let conv = Conv::new(p, &format!("blocks.{index}.conv"), [from, Self::CHANNELS], [3, 3], [1, 1])?;
            blocks.push((conv, Norm::new(p, &format!("blocks.{index}.bn"), Self::CHANNELS, KERAS)?));
        }
        let output = Linear::new(p, "output", 2 * Self::CHANNELS, classes)?;
        let input = InputSpec::picture(1, Self::BANDS, Self::FRAMES);
        Ok(Self { parameters, input, input_norm, blocks, output, classes })
    }

    /// The logits and the five pools.
    fn pass(&self, input: &Tensor, mode: Mode) -> Result<(Tensor, Vec<Tensor>), Error> {
        check_picture(Self::NAME, input, Self::BANDS, Self::FRAMES..=Self::FRAMES)?;
        let train = mode == Mode::Train;
        let mut x = self.input_norm.forward(input, mode)?;
        let mut pools = Vec::new();
        for (index, (conv, norm)) in self.blocks.iter().enumerate() {
            let (window, step) = match index {
                0 => ([1, 4], [2, 2]),
                1..=3 => ([2, 2], [2, 2]),
                _ => ([4, 4], [4, 4]),
            };
            x = norm.forward(&conv.forward(&x)?.f_relu()?, mode)?;
            x = x.f_max_pool2d(window, step, [0, 0], [1, 1], false)?.f_dropout(0.25, train)?;
            pools.push(x.shallow_clone());
        }
        // The published order of the 256 values: frames, bands, channels.
        let x = x.f_permute([0, 3, 2, 1])?.f_flatten(1, -1)?.f_dropout(0.5, train)?;
        Ok((self.output.forward(&x)?, pools))
    }
}

impl Network for MusicnnVgg {
    network_facts!();

    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        Ok(self.pass(input, mode)?.0)
    }

    fn outputs(&self, input: &Tensor, mode: Mode) -> Result<Vec<(&'static str, Tensor)>, Error> {
        let (logits, pools) = self.pass(input, mode)?;
        let names = ["pool1", "pool2", "pool3", "pool4", "pool5"];
        Ok(std::iter::once(("logits", logits)).chain(names.into_iter().zip(pools)).collect())
    }
}
