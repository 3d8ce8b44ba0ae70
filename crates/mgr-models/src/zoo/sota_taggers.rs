//! The taggers of Won's comparison: FCN, CRNN and a musicnn of its own.

use tch::{Kind, Tensor};

use super::tagger_layers::{Conv, Conv1d, Norm, TORCH, check_picture, max_pool};
use crate::device::DeviceConfig;
use crate::layers::{Linear, zeros_beside};
use crate::zoo::check_classes;
use crate::{Error, InputSpec, Mode, Network, Parameters, Role};

const BANDS: usize = 96;
const BINS: usize = 257;

/// The stored mel filter bank, which belongs to the weights and is not trained.
fn mel_bank(parameters: &mut Parameters) -> Result<(), Error> {
    parameters.constant("spec.mel_scale.fb", &[BINS, BANDS], 0.0, Role::Buffer).map(|_| ())
}

/// Convolution 3 x 3, batch normalisation, ReLU, maximum of windows.
#[derive(Debug)]
struct Block {
    conv: Conv,
    norm: Norm,
    pool: [usize; 2],
}

impl Block {
    fn new(p: &mut Parameters, name: &str, channels: [usize; 2], pool: [usize; 2]) -> Result<Self, Error> {
        Ok(Self {
            conv: Conv::new(p, &format!("{name}.conv"), channels, [3, 3], [1, 1])?,
            norm: Norm::new(p, &format!("{name}.bn"), channels[1], TORCH)?,
            pool,
        })
    }

    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        // ReLU is monotone, so pooling first gives the same from fewer values.
        Ok(max_pool(&self.norm.forward(&self.conv.forward(input)?, mode)?, self.pool)?.f_relu()?)
    }
}

/// Five blocks of convolution down to one place, one linear layer; 447,732 parameters for 50 tags.
///
/// | block | channels | pool (bands x frames) |
/// |---|---|---|
/// | layer1 | 1 to 64 | 2 x 4 |
/// | layer2 | 64 to 128 | 2 x 4 |
/// | layer3, layer4 | 128 | 2 x 4, 3 x 5 |
/// | layer5 | 128 to 64 | 4 x 4 |
///
/// Input (batch, 1, 96, 1280 to 2559 frames) decibels of HTK mel, published with 1813 frames of 29 s at 16 kHz, normalised by
/// `spec_bn` inside; output (batch, classes) logits. [`Network::outputs`] gives `embedding` (batch, 64) beside them.
///
/// Source: K. Choi, G. Fazekas, M. Sandler, "Automatic tagging using deep convolutional neural networks", ISMIR 2016, as
/// in M. Won et al., "Evaluation of CNN-based automatic music tagging models", SMC 2020.
#[derive(Debug)]
pub struct TaggingFcn {
    parameters: Parameters,
    input: InputSpec,
    spec_norm: Norm,
    blocks: Vec<Block>,
    output: Linear,
    classes: usize,
}

impl TaggingFcn {
    /// The name in files.
    pub const NAME: &'static str = "tagging_fcn";

    /// Builds the network with PyTorch's initial distributions, drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for an impossible number of classes, [`Error::CudaUnavailable`].
    pub fn new(classes: usize, seed: u64, device: DeviceConfig) -> Result<Self, Error> {
        check_classes(classes)?;
        let mut parameters = Parameters::new(seed, device.resolve()?);
        let p = &mut parameters;
        mel_bank(p)?;
        let spec_norm = Norm::new(p, "spec_bn", 1, TORCH)?;
        let blocks = [
            ([1, 64], [2, 4]),
            ([64, 128], [2, 4]),
            ([128, 128], [2, 4]),
            ([128, 128], [3, 5]),
            ([128, 64], [4, 4]),
        ];
        let blocks = blocks
            .into_iter()
            .enumerate()
            .map(|(index, (channels, pool))| Block::new(p, &format!("layer{}", index + 1), channels, pool));
        let blocks = blocks.collect::<Result<_, _>>()?;
        let output = Linear::new(p, "dense", 64, classes)?;
        let input = InputSpec::picture(1, BANDS, 1280);
        Ok(Self { parameters, input, spec_norm, blocks, output, classes })
    }

    fn embedding(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        check_picture(Self::NAME, input, BANDS, 1280..=2559)?;
        let mut x = self.spec_norm.forward(input, mode)?;
        for block in &self.blocks {
            x = block.forward(&x, mode)?;
        }
        Ok(x.f_flatten(1, -1)?)
    }

    fn logits(&self, embedding: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        self.output.forward(&embedding.f_dropout(0.5, mode == Mode::Train)?)
    }
}

/// Four blocks of convolution, two recurrent layers, one linear layer; 394,100 parameters for 50 tags.
///
/// Channels 64, 128, 128, 128; pools 2 x 2, 3 x 3, 4 x 4, 4 x 4; gated recurrent units (PyTorch's form) of 32 over the frames that
/// remain, the last of which goes on. Input (batch, 1, 96, frames >= 96) as [`TaggingFcn`]. [`Network::outputs`] gives
/// `embedding` (batch, 32) beside the logits.
///
/// Source: K. Choi, G. Fazekas, M. Sandler, K. Cho, "Convolutional recurrent neural networks for music classification",
/// ICASSP 2017, as in Won et al. 2020.
#[derive(Debug)]
pub struct TaggingCrnn {
    parameters: Parameters,
    input: InputSpec,
    spec_norm: Norm,
    blocks: Vec<Block>,
    recurrent: Vec<Tensor>,
    output: Linear,
    classes: usize,
}

impl TaggingCrnn {
    /// The name in files.
    pub const NAME: &'static str = "tagging_crnn";
    const HIDDEN: usize = 32;

    /// Builds the network with PyTorch's initial distributions, drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for an impossible number of classes, [`Error::CudaUnavailable`].
    pub fn new(classes: usize, seed: u64, device: DeviceConfig) -> Result<Self, Error> {
        check_classes(classes)?;
        let mut parameters = Parameters::new(seed, device.resolve()?);
        let p = &mut parameters;
        mel_bank(p)?;
        let spec_norm = Norm::new(p, "spec_bn", 1, TORCH)?;
        let blocks = [([1, 64], [2, 2]), ([64, 128], [3, 3]), ([128, 128], [4, 4]), ([128, 128], [4, 4])];
        let blocks = blocks
            .into_iter()
            .enumerate()
            .map(|(index, (channels, pool))| Block::new(p, &format!("layer{}", index + 1), channels, pool));
        let blocks = blocks.collect::<Result<_, _>>()?;
        let (hidden, gates) = (Self::HIDDEN, 3 * Self::HIDDEN);
        let bound = 1.0 / (hidden as f64).sqrt();
        let mut recurrent = Vec::new();
        for (layer, from) in [128, hidden].into_iter().enumerate() {
            for (part, shape) in [
                ("weight_ih", vec![gates, from]),
                ("weight_hh", vec![gates, hidden]),
                ("bias_ih", vec![gates]),
                ("bias_hh", vec![gates]),
            ] {
                recurrent.push(p.uniform(&format!("layer5.{part}_l{layer}"), &shape, bound)?);
            }
        }
        let output = Linear::new(p, "dense", hidden, classes)?;
        let input = InputSpec::picture(1, BANDS, 96);
        Ok(Self { parameters, input, spec_norm, blocks, recurrent, output, classes })
    }

    fn embedding(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        check_picture(Self::NAME, input, BANDS, 96..=usize::MAX)?;
        let mut x = self.spec_norm.forward(input, mode)?;
        for block in &self.blocks {
            x = block.forward(&x, mode)?;
        }
        // (batch, 128, 1, frames) to (batch, frames, 128).
        let x = x.f_squeeze_dim(2)?.f_transpose(1, 2)?.f_contiguous()?;
        let start = zeros_beside(&x, &[2, Self::HIDDEN as i64])?.f_transpose(0, 1)?.f_contiguous()?;
        let train = mode == Mode::Train;
        let (x, _) = x.f_gru(&start, &self.recurrent, true, 2, 0.0, train, false, true)?;
        Ok(x.f_select(1, -1)?)
    }

    fn logits(&self, embedding: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        self.output.forward(&embedding.f_dropout(0.5, mode == Mode::Train)?)
    }
}

/// The musicnn of Won's comparison in its form of 64 channels; 784,300 parameters for 50 tags.
///
/// Unlike [`Musicnn`](super::Musicnn), whose weights do not fit: batch normalisation before ReLU with epsilon 1e-5; kernels of
/// 67 before those of 38 bands; the kernels over time (129, 65, 33) see the mean of all bands; maxima and means of the 753
/// channels lie in two blocks; decibels of HTK mel, normalised by `spec_bn`, come in. Input (batch, 1, 96, frames), published
/// with 188 frames of 3 s at 16 kHz. [`Network::outputs`] gives `max_pool`, `mean_pool` (batch, 753) and `penultimate`
/// (batch, 200) beside the logits.
///
/// Source: J. Pons et al., "End-to-end learning for music audio tagging at scale", ISMIR 2018, as in Won et al. 2020.
#[derive(Debug)]
pub struct TaggingMusicnn {
    parameters: Parameters,
    input: InputSpec,
    spec_norm: Norm,
    vertical: Vec<(Conv, Norm)>,
    horizontal: Vec<(Conv1d, Norm)>,
    middle: Vec<(Conv1d, Norm)>,
    dense: Linear,
    dense_norm: Norm,
    output: Linear,
    classes: usize,
}

impl TaggingMusicnn {
    /// The name in files.
    pub const NAME: &'static str = "tagging_musicnn";

    /// Builds the network with PyTorch's initial distributions, drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for an impossible number of classes, [`Error::CudaUnavailable`].
    pub fn new(classes: usize, seed: u64, device: DeviceConfig) -> Result<Self, Error> {
        check_classes(classes)?;
        let mut parameters = Parameters::new(seed, device.resolve()?);
        let p = &mut parameters;
        mel_bank(p)?;
        let spec_norm = Norm::new(p, "spec_bn", 1, TORCH)?;
        let mut vertical = Vec::new();
        for (index, bands) in [67, 38].into_iter().enumerate() {
            let name = format!("layers.{index}");
            let conv = Conv::new(p, &format!("{name}.conv"), [1, 204], [bands, 7], [0, 3])?;
            vertical.push((conv, Norm::new(p, &format!("{name}.bn"), 204, TORCH)?));
        }
        let mut horizontal = Vec::new();
        for (index, frames) in [129, 65, 33].into_iter().enumerate() {
            let name = format!("layers.{}", index + 2);
            let conv = Conv1d::new(p, &format!("{name}.conv"), [1, 51], frames)?;
            horizontal.push((conv, Norm::new(p, &format!("{name}.bn"), 51, TORCH)?));
        }
        let mut middle = Vec::new();
        for (index, from) in [561, 64, 64].into_iter().enumerate() {
            let name = format!("layer{}", index + 1);
            let conv = Conv1d::new(p, &format!("{name}.conv"), [from, 64], 7)?;
            middle.push((conv, Norm::new(p, &format!("{name}.bn"), 64, TORCH)?));
        }
        let dense = Linear::new(p, "dense1", 1506, 200)?;
        let dense_norm = Norm::new(p, "bn", 200, TORCH)?;
        let output = Linear::new(p, "dense2", 200, classes)?;
        let input = InputSpec::picture(1, BANDS, 1);
        Ok(Self {
            parameters,
            input,
            spec_norm,
            vertical,
            horizontal,
            middle,
            dense,
            dense_norm,
            output,
            classes,
        })
    }

    /// Maxima and means over frames, (batch, 753) each.
    fn pools(&self, input: &Tensor, mode: Mode) -> Result<[Tensor; 2], Error> {
        check_picture(Self::NAME, input, BANDS, 1..=usize::MAX)?;
        let x = self.spec_norm.forward(input, mode)?;
        let mut parts = Vec::new();
        for (conv, norm) in &self.vertical {
            let map = norm.forward(&conv.forward(&x)?, mode)?;
            // ReLU is monotone: the maximum first leaves fewer values.
            parts.push(map.f_amax([2_i64].as_slice(), false)?.f_relu()?);
        }
        let mean = x.f_mean_dim([2_i64].as_slice(), false, Kind::Float)?;
        for (conv, norm) in &self.horizontal {
            parts.push(norm.forward(&conv.forward(&mean)?, mode)?.f_relu()?);
        }
        let front = Tensor::f_cat(&parts, 1)?;
        let mut middle: Vec<Tensor> = Vec::new();
        for (conv, norm) in &self.middle {
            let before = middle.last().unwrap_or(&front);
            let x = norm.forward(&conv.forward(before)?, mode)?.f_relu()?;
            middle.push(match middle.last() {
                Some(before) => x.f_add(before)?,
                None => x,
            });
        }
        let parts: Vec<&Tensor> = std::iter::once(&front).chain(&middle).collect();
        let all = Tensor::f_cat(&parts, 1)?;
        let max = all.f_amax([2_i64].as_slice(), false)?;
        Ok([max, all.f_mean_dim([2_i64].as_slice(), false, Kind::Float)?])
    }

    fn penultimate(&self, [max, mean]: &[Tensor; 2], mode: Mode) -> Result<Tensor, Error> {
        let pooled = Tensor::f_cat(&[max, mean], 1)?;
        Ok(self.dense_norm.forward(&self.dense.forward(&pooled)?, mode)?.f_relu()?)
    }

    fn logits(&self, penultimate: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        self.output.forward(&penultimate.f_dropout(0.5, mode == Mode::Train)?)
    }
}

impl Network for TaggingFcn {
    network_facts!();

    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        self.logits(&self.embedding(input, mode)?, mode)
    }

    fn outputs(&self, input: &Tensor, mode: Mode) -> Result<Vec<(&'static str, Tensor)>, Error> {
        let embedding = self.embedding(input, mode)?;
        Ok(vec![("logits", self.logits(&embedding, mode)?), ("embedding", embedding)])
    }
}

impl Network for TaggingCrnn {
    network_facts!();

    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        self.logits(&self.embedding(input, mode)?, mode)
    }

    fn outputs(&self, input: &Tensor, mode: Mode) -> Result<Vec<(&'static str, Tensor)>, Error> {
        let embedding = self.embedding(input, mode)?;
        Ok(vec![("logits", self.logits(&embedding, mode)?), ("embedding", embedding)])
    }
}

impl Network for TaggingMusicnn {
    network_facts!();

    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, Error> {
        self.logits(&self.penultimate(&self.pools(input, mode)?, mode)?, mode)
    }

    fn outputs(&self, input: &Tensor, mode: Mode) -> Result<Vec<(&'static str, Tensor)>, Error> {
        let pools = self.pools(input, mode)?;
        let penultimate = self.penultimate(&pools, mode)?;
        let logits = self.logits(&penultimate, mode)?;
        let [max, mean] = pools;
        Ok(vec![("logits", logits), ("max_pool", max), ("mean_pool", mean), ("penultimate", penultimate)])
    }
}
