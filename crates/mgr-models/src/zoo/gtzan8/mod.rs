//! The small networks of the GTZAN-8 study; its VGG and ResNet are in [`VggConfig`](super::VggConfig) and
//! [`ResNetConfig`](super::ResNetConfig).
//!
//! Source: E. Choi, KAIST GCT634 homework 2 (2020).

mod baseline;
mod q1;
mod q2;
mod spec_and_embed;

use tch::Tensor;

pub use baseline::Gtzan8BaselineConfig;
pub use q1::Gtzan8Q1Config;
pub use q2::Gtzan8Q2Config;
pub use spec_and_embed::{SpecAndEmbedConfig, SpectrogramBranch, join_spectrogram_and_embedding};

use crate::layers::{BatchNorm, Conv1d, Linear, max_pool1d};
use crate::zoo::assembled::{Body, check_size, logits};
use crate::{Axis, Error, InputAxis, InputSpec, Mode, Output, Parameters};

/// One block of a network that takes the bands of a spectrogram as channels.
#[derive(Debug, Clone, Copy)]
struct Block1d {
    to: usize,
    kernel: usize,
    pool: usize,
}

/// Blocks of one-dimensional convolution (zero padding, the length stays), batch normalisation, ReLU and maximum; the mean
/// over the rest of the frames; a linear layer.
#[derive(Debug)]
struct Bands1d {
    blocks: Vec<(Conv1d, BatchNorm, usize)>,
    classes: Linear,
}

impl Bands1d {
    fn new(
        parameters: &mut Parameters,
        prefix: &str,
        bands: usize,
        blocks: &[Block1d],
        classes: usize,
    ) -> Result<Self, Error> {
        let mut layers = Vec::new();
        let mut from = bands;
        for (index, block) in blocks.iter().enumerate() {
            let name = format!("{prefix}conv{index}");
            let channels = [from, block.to];
            layers.push((
                Conv1d::new(parameters, &format!("{name}.0"), channels, block.kernel, 1, block.kernel / 2)?,
                BatchNorm::new(parameters, &format!("{name}.1"), block.to)?,
                block.pool,
            ));
            from = block.to;
        }
        Ok(Self {
            blocks: layers,
            classes: Linear::new(parameters, &format!("{prefix}linear"), from, classes)?,
        })
    }

    /// One channel, exactly so many bands, frames for at least one value after every pool.
    fn input(bands: usize, blocks: &[Block1d]) -> Result<InputSpec, Error> {
        check_size("bands", bands, 1, 4096, "1 to 4096")?;
        let frames = blocks.iter().map(|block| block.pool).product();
        Ok(InputSpec::new(vec![
            InputAxis::exactly(Axis::Channels, 1),
            InputAxis::exactly(Axis::Bands, bands),
            InputAxis::at_least(Axis::Frames, frames),
        ]))
    }
}

impl Body for Bands1d {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let mut x = input.f_squeeze_dim(1)?;
        for (convolution, norm, pool) in &self.blocks {
            // The maximum first: ReLU never turns an order round.
            x = max_pool1d(&norm.forward(&convolution.forward(&x)?, mode)?, *pool)?.f_relu()?;
        }
        let code = x.f_mean_dim(&[-1_i64][..], false, tch::Kind::Float)?;
        Ok(logits(self.classes.forward(&code)?))
    }
}
