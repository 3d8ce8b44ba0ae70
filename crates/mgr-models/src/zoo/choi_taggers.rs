//! Choi's taggers of 2016, convolutional and recurrent, in the form that their published weights have; the recurrent one
//! also with ten genres.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::tagger_layers::{Conv, Norm, check_picture, max_pool};
use crate::device::DeviceConfig;
use crate::layers::{Linear, zeros_beside};
use crate::zoo::check_classes;
use crate::{Error, InputSpec, Mode, Network, Parameters};

const BANDS: usize = 96;
const FRAMES: usize = 1366;

/// What is added to a variance before its root: releases of Keras differ, and weights are read as the release did that
/// their author ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KerasEpsilon {
    /// 1e-3, from Keras 1.2.
    #[default]
    Keras12,
    /// 1e-5, Keras 1.1.
    Keras11,
    /// 1e-12. Up to Keras 1.0.6 the file holds standard deviations and 1e-6 is added to them; the map onto the network makes
    /// variances of the sums, so that next to nothing is left to add.
    Keras106,
}

impl KerasEpsilon {
    fn constants(self) -> [f64; 2] {
        let epsilon = match self {
            Self::Keras12 => 1e-3,
            Self::Keras11 => 1e-5,
            Self::Keras106 => 1e-12,
        };
        [epsilon, 0.01]
    }
}

/// Settings of [`MusicTaggerCnn`] and [`MusicTaggerCrnn`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MusicTaggerConfig {
    /// Epsilon of batch normalisation. Default [`KerasEpsilon::Keras12`].
    pub epsilon: KerasEpsilon,
}

/// Convolution 3 x 3, batch normalisation, ELU, maximum of windows.
#[derive(Debug)]
struct Block {
    conv: Conv,
    norm: Norm,
    pool: [usize; 2],
}

impl Block {
    fn all<const N: usize>(
        p: &mut Parameters,
        constants: [f64; 2],
        blocks: [(usize, [usize; 2]); N],
    ) -> Result<Vec<Self>, Error> {
        let mut from = 1;
        let mut all = Vec::new();
        for (index, (to, pool)) in blocks.into_iter().enumerate() {
            let conv = Conv::new(p, &format!("conv{}", index + 1), [from, to], [3, 3], [1, 1])?;
            all.push(Self { conv, norm: Norm::new(p, &format!("bn{}", index + 1), to, constants)?, pool });
            from = to;
        }
        Ok(all)
    }

    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        // ELU is monotone, so pooling first gives the same from fewer values.
        Ok(max_pool(&self.norm.forward(&self.conv.forward(input)?, mode)?, self.pool)?.f_elu()?)
    }
}

/// Batch normalisation of every frame by itself: axis 3 of (batch, 1, bands, frames).
fn normalised_in_time(norm: &Norm, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
    Ok(norm.forward(&input.f_transpose(1, 3)?, mode)?.f_transpose(1, 3)?.f_contiguous()?)
}

/// Five blocks of convolution down to one place, one linear layer; 865,950 parameters for 50 tags.
///
/// Channels 32, 128, 128, 192, 256; pools (bands x frames) 2 x 4, 2 x 4, 2 x 4, 3 x 5, 4 x 4; the input is normalised frame by
/// frame, whence exactly 1366 frames. Dropout 0.5 after every pool in training. Input (batch, 1, 96, 1366), 29.12 s at 12 kHz.
/// [`Network::outputs`] gives `embedding` (batch, 256) beside the logits.
///
/// Source: K. Choi, G. Fazekas, M. Sandler, "Automatic tagging using deep convolutional neural networks", ISMIR 2016, in the
/// shapes of the published weights.
#[derive(Debug)]
pub struct MusicTaggerCnn {
    parameters: Parameters,
    input: InputSpec,
    input_norm: Norm,
    blocks: Vec<Block>,
    output: Linear,
    classes: usize,
}

impl MusicTaggerCnn {
    /// The name in files.
    pub const NAME: &'static str = "music_tagger_cnn";

    /// Builds the network with PyTorch's initial distributions, drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for an impossible number of classes, [`Error::CudaUnavailable`].
    pub fn new(
        config: MusicTaggerConfig,
        classes: usize,
        seed: u64,
        device: DeviceConfig,
    ) -> Result<Self, Error> {
        check_classes(classes)?;
        let mut parameters = Parameters::new(seed, device.resolve()?);
        let p = &mut parameters;
        let constants = config.epsilon.constants();
        let input_norm = Norm::new(p, "bn_0_freq", FRAMES, constants)?;
        let blocks = [(32, [2, 4]), (128, [2, 4]), (128, [2, 4]), (192, [3, 5]), (256, [4, 4])];
        let blocks = Block::all(p, constants, blocks)?;
        let output = Linear::new(p, "output", 256, classes)?;
        let input = InputSpec::picture(1, BANDS, FRAMES);
        Ok(Self { parameters, input, input_norm, blocks, output, classes })
    }

    fn embedding(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        check_picture(Self::NAME, input, BANDS, FRAMES..=FRAMES)?;
        let mut x = normalised_in_time(&self.input_norm, input, mode)?;
        for block in &self.blocks {
            x = block.forward(&x, mode)?.f_dropout(0.5, mode == Mode::Train)?;
        }
        Ok(x.f_flatten(1, -1)?)
    }
}

/// Four blocks of convolution, two recurrent layers, one linear layer; 396,786 parameters for 50 tags, 395,466 for ten genres.
///
/// 37 frames of zeros on both sides make 1440, each normalised by itself; channels 64, 128, 128, 128 with pools 2 x 2, 3 x 3,
/// 4 x 4, 4 x 4; two layers of 32 gated recurrent units in the form of Keras 1 (reset before the product, hard sigmoid), the last
/// step of which goes on. Dropout 0.1 after the pools and 0.3 at the end in training. Input (batch, 1, 96, 1366), 29.12 s at
/// 12 kHz. [`Network::outputs`] gives `embedding` (batch, 32) beside the logits.
///
/// Source: K. Choi, G. Fazekas, M. Sandler, K. Cho, "Convolutional recurrent neural networks for music classification",
/// ICASSP 2017, in the shapes of the published weights.
#[derive(Debug)]
pub struct MusicTaggerCrnn {
    parameters: Parameters,
    input: InputSpec,
    input_norm: Norm,
    blocks: Vec<Block>,
    recurrent: [KerasGru; 2],
    output: Linear,
    classes: usize,
}

impl MusicTaggerCrnn {
    /// The name in files.
    pub const NAME: &'static str = "music_tagger_crnn";
    const PADDING: usize = 37;
    const HIDDEN: usize = 32;

    /// Builds the network with PyTorch's initial distributions, drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for an impossible number of classes, [`Error::CudaUnavailable`].
    pub fn new(
        config: MusicTaggerConfig,
        classes: usize,
        seed: u64,
        device: DeviceConfig,
    ) -> Result<Self, Error> {
        check_classes(classes)?;
        let mut parameters = Parameters::new(seed, device.resolve()?);
        let p = &mut parameters;
        let constants = config.epsilon.constants();
        let input_norm = Norm::new(p, "bn_0_freq", FRAMES + 2 * Self::PADDING, constants)?;
        let blocks = [(64, [2, 2]), (128, [3, 3]), (128, [4, 4]), (128, [4, 4])];
        let blocks = Block::all(p, constants, blocks)?;
        let recurrent = [
            KerasGru::new(p, "gru1", 128, Self::HIDDEN)?,
            KerasGru::new(p, "gru2", Self::HIDDEN, Self::HIDDEN)?,
        ];
        let output = Linear::new(p, "output", Self::HIDDEN, classes)?;
        let input = InputSpec::picture(1, BANDS, FRAMES);
        Ok(Self { parameters, input, input_norm, blocks, recurrent, output, classes })
    }

    fn embedding(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        check_picture(Self::NAME, input, BANDS, FRAMES..=FRAMES)?;
        let padding = Self::PADDING as i64;
        let mut x =
            normalised_in_time(&self.input_norm, &input.f_constant_pad_nd([padding, padding])?, mode)?;
        for block in &self.blocks {
            x = block.forward(&x, mode)?.f_dropout(0.1, mode == Mode::Train)?;
        }
        // (batch, 128, 1, 15) to 15 times (batch, 128).
        let mut steps = x.f_squeeze_dim(2)?.f_unbind(-1)?;
        for layer in &self.recurrent {
            steps = layer.forward(&steps)?;
        }
        steps.pop().ok_or_else(|| Error::NetworkOutput {
            network: Self::NAME,
            got: "no step in time".to_string(),
            expected: "15 steps".to_string(),
        })
    }

    fn logits(&self, embedding: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        self.output.forward(&embedding.f_dropout(0.3, mode == Mode::Train)?)
    }
}

/// Gated recurrent units as Keras 1 has them; `x` a step of the input, `h` the state, from 0:
///
/// ```text
/// z = s(Wz x + Uz h + bz), r = s(Wr x + Ur h + br), s(a) = clip(0.2 a + 0.5, 0, 1)
/// c = tanh(Wh x + Uh (r h) + bh)
/// h' = z h + (1 - z) c
/// ```
#[derive(Debug)]
struct KerasGru {
    /// W, U and b of the gates z, r and h.
    gates: [[Tensor; 3]; 3],
    hidden: usize,
}

impl KerasGru {
    fn new(p: &mut Parameters, name: &str, from: usize, hidden: usize) -> Result<Self, Error> {
        let bound = 1.0 / (hidden as f64).sqrt();
        let mut gate = |gate: &str| -> Result<[Tensor; 3], Error> {
            Ok([
                p.uniform(&format!("{name}.{gate}.weight"), &[hidden, from], bound)?,
                p.uniform(&format!("{name}.{gate}.recurrent"), &[hidden, hidden], bound)?,
                p.uniform(&format!("{name}.{gate}.bias"), &[hidden], bound)?,
            ])
        };
        Ok(Self { gates: [gate("z")?, gate("r")?, gate("h")?], hidden })
    }

    fn forward(&self, steps: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        let Some(first) = steps.first() else { return Ok(Vec::new()) };
        let mut state = zeros_beside(first, &[self.hidden as i64])?;
        let [update, reset, candidate] = &self.gates;
        let mut states = Vec::with_capacity(steps.len());
        for step in steps {
            let gate = |[weight, recurrent, bias]: &[Tensor; 3], state: &Tensor| -> Result<Tensor, Error> {
                Ok(step.f_linear(weight, Some(bias))?.f_add(&state.f_linear(recurrent, None::<&Tensor>)?)?)
            };
            let z = hard_sigmoid(&gate(update, &state)?)?;
            let r = hard_sigmoid(&gate(reset, &state)?)?;
            let new = gate(candidate, &r.f_mul(&state)?)?.f_tanh()?;
            // z h + (1 - z) c
            state = new.f_add(&z.f_mul(&state.f_sub(&new)?)?)?;
            states.push(state.shallow_clone());
        }
        Ok(states)
    }
}

/// Keras's: clip(0.2 x + 0.5, 0, 1).
fn hard_sigmoid(x: &Tensor) -> Result<Tensor, Error> {
    Ok(x.f_mul_scalar(0.2)?.f_add_scalar(0.5)?.f_clamp(0.0, 1.0)?)
}

impl Network for MusicTaggerCnn {
    network_facts!();

    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        self.output.forward(&self.embedding(input, mode)?)
    }

    fn outputs(&self, input: &Tensor, mode: Mode) -> Result<Vec<(&'static str, Tensor)>, Error> {
        let embedding = self.embedding(input, mode)?;
        Ok(vec![("logits", self.output.forward(&embedding)?), ("embedding", embedding)])
    }
}

impl Network for MusicTaggerCrnn {
    network_facts!();

    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        self.logits(&self.embedding(input, mode)?, mode)
    }

    fn outputs(&self, input: &Tensor, mode: Mode) -> Result<Vec<(&'static str, Tensor)>, Error> {
        let embedding = self.embedding(input, mode)?;
        Ok(vec![("logits", self.logits(&embedding, mode)?), ("embedding", embedding)])
    }
}
