//! The meta network of MLFCF, on the codes of several encoders.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{ClassOutput, Head, MlfcfVariant, replicated};
use crate::device::DeviceConfig;
use crate::layers::{BatchNorm, Conv1d, Initial, SelfAttention, max_pool1d};
use crate::parameters::Start;
use crate::zoo::assembled::{Assembled, Body, Plate, check_size};
use crate::{Axis, Error, InputAxis, InputSpec, Mode, Network, Output, Parameters};

/// The meta network of MLFCF: the codes of several encoders, stacked as channels, become classes.
///
/// | layer | output |
/// |---|---|
/// | convolution, 32 filters of 5, stride 2; batch normalisation, ELU, maximum of 2 | 32 x 255 |
/// | convolution, 64 filters of 5; batch normalisation, ELU, maximum of 2 | 64 x 125 |
/// | convolution, 32 filters of 3; batch normalisation, ELU | 32 x 123 |
/// | five copies as heads of (123, 32); self-attention; heads of (32, 123); self-attention | 5 x 32 x 123 |
/// | linear, batch normalisation, ELU: the code | 1024 |
/// | dropout of a half, linear | classes |
///
/// Input (batch, vectors, 1024): by default five codes, in the published system
/// `[scatter, scatter, scatter, transfer, transfer]`. Parameters at c codes and n classes:
/// 20,172,342 + 160 c + 1025 n, 20,186,467 as published (five codes, 13 classes).
///
/// The efficient variant leaves out what the spectrogram encoder's leaves out: the copies and the attention between them, which
/// begins as the identity. The map of (123, 32), times five, goes straight to the code; 4,050,304 + 160 c + 1025 n parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlfcfMetaConfig {
    /// Number of codes, 1 to 64. Default 5.
    pub codes: usize,
    /// Which graph. Default [`MlfcfVariant::Published`].
    #[serde(default = "published", skip_serializing_if = "is_published")]
    pub variant: MlfcfVariant,
    /// Logits or their softmax. Default [`ClassOutput::Logits`].
    pub output: ClassOutput,
}

fn published() -> MlfcfVariant {
    MlfcfVariant::Published
}

/// The field came later than others: it is written only where it says something.
fn is_published(variant: &MlfcfVariant) -> bool {
    *variant == MlfcfVariant::Published
}

impl Default for MlfcfMetaConfig {
    fn default() -> Self {
        Self { codes: 5, variant: MlfcfVariant::Published, output: ClassOutput::default() }
    }
}

const HEADS: usize = 5;
/// Length of the last convolution's output: ((1024 - 5) / 2 + 1) / 2 = 255, (255 - 4) / 2 = 125, 125 - 2.
const LENGTH: usize = 123;
const CHANNELS: usize = 32;

impl MlfcfMetaConfig {
    /// The name in files.
    pub const NAME: &'static str = "mlfcf_meta";

    pub(crate) fn build(
        &self,
        classes: usize,
        start: Start,
        device: DeviceConfig,
    ) -> Result<Box<dyn Network>, Error> {
        check_size("codes", self.codes, 1, 64, "1 to 64")?;
        let axes =
            vec![InputAxis::exactly(Axis::Vectors, self.codes), InputAxis::exactly(Axis::Values, Head::CODE)];
        let plate = Plate::new(Self::NAME, classes, InputSpec::new(axes))
            .with_code(Head::CODE)
            .with_dropout(Head::DROPOUT);
        Assembled::boxed(plate, start, device, |parameters| Meta::new(*self, parameters, classes))
    }
}

#[derive(Debug)]
struct Meta {
    /// Convolution, normalisation, and the pool after it.
    layers: Vec<(Conv1d, BatchNorm, usize)>,
    /// Of the published variant.
    attention: Option<[SelfAttention; 2]>,
    head: Head,
}

impl Meta {
    fn new(config: MlfcfMetaConfig, parameters: &mut Parameters, classes: usize) -> Result<Self, Error> {
        let mut layers = Vec::new();
        for (number, channels, kernel, stride, pool) in
            [(1, [config.codes, 32], 5, 2, 2), (2, [32, 64], 5, 1, 2), (3, [64, CHANNELS], 3, 1, 1)]
        {
            let convolution = Conv1d::new(parameters, &format!("conv{number}"), channels, kernel, stride, 0)?;
            layers.push((
                convolution,
                BatchNorm::new(parameters, &format!("bn{number}"), channels[1])?,
                pool,
            ));
        }
        let mut attention = |name: &str| SelfAttention::new(parameters, name, HEADS);
        let (attention, heads) = match config.variant {
            MlfcfVariant::Published => (Some([attention("attention1")?, attention("attention2")?]), HEADS),
            MlfcfVariant::Efficient => (None, 1),
        };
        let head = Head::new(parameters, heads * LENGTH * CHANNELS, classes, config.output, Initial::FanIn)?;
        Ok(Self { layers, attention, head })
    }
}

impl Body for Meta {
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let mut x = input.shallow_clone();
        for (convolution, norm, pool) in &self.layers {
            x = norm.forward(&convolution.forward(&x)?, mode)?;
            if *pool > 1 {
                // Before ELU, which is monotone.
                x = max_pool1d(&x, *pool)?;
            }
            x = x.f_elu()?;
        }
        let Some([first, second]) = &self.attention else {
            let flat = x.f_transpose(1, 2)?.f_flatten(1, -1)?.f_mul_scalar(HEADS as f64)?;
            return self.head.forward(&flat, mode);
        };
        let heads = replicated(&x.f_transpose(1, 2)?, HEADS as i64)?;
        let turned = first.forward(&heads)?.f_transpose(2, 3)?.f_contiguous()?;
        self.head.forward(&second.forward(&turned)?.f_flatten(1, -1)?, mode)
    }
}
