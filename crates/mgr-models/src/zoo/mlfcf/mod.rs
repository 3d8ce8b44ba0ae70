//! The encoders and the meta network of MLFCF.
//!
//! One encoder per feature makes a code of 1024 numbers and class scores; the meta network takes the codes of several
//! features, stacked as channels.
//!
//! Source: Ng, Zeng, Wang, "Multi-level local feature coding fusion for music genre recognition", IEEE Access 8, 2020, and
//! the authors' program of 2020-06-22.

mod meta;
mod spectrogram_encoder;
mod vector_encoder;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

pub use meta::MlfcfMetaConfig;
pub use spectrogram_encoder::{MlfcfSpectrogramConfig, MlfcfVariant};
pub use vector_encoder::MlfcfVectorConfig;

use crate::layers::{BatchNorm, Initial, Linear};
use crate::{Error, Mode, Output, Parameters};

/// What an encoder gives as class scores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClassOutput {
    /// Logits, what the losses of this crate expect. The default.
    #[default]
    Logits,
    /// The softmax of the logits, as the published program returns it. A cross-entropy on logits then takes the softmax a
    /// second time, as the published training does by mistake: the loss cannot fall below ln(1 + (classes - 1) / e), and
    /// [`encode::probabilities`](crate::encode::probabilities) are nearly flat. Only for comparison with that program.
    Softmax,
}

impl ClassOutput {
    fn of(self, logits: Tensor) -> Result<Tensor, Error> {
        match self {
            Self::Logits => Ok(logits),
            Self::Softmax => Ok(logits.f_softmax(-1, Kind::Float)?),
        }
    }
}

/// The end that all networks of the system share: linear layer to the code, batch normalisation, ELU (the code), dropout of
/// a half, linear layer to the classes.
#[derive(Debug)]
struct Head {
    code: Linear,
    norm: BatchNorm,
    classes: Linear,
    output: ClassOutput,
}

impl Head {
    /// Length of the code.
    const CODE: usize = 1024;
    const DROPOUT: f64 = 0.5;

    fn new(
        parameters: &mut Parameters,
        from: usize,
        classes: usize,
        output: ClassOutput,
        initial: Initial,
    ) -> Result<Self, Error> {
        Ok(Self {
            code: Linear::with(parameters, "fc1", [from, Self::CODE], initial, true)?,
            norm: BatchNorm::new(parameters, "fc1_bn", Self::CODE)?,
            classes: Linear::new(parameters, "fc2", Self::CODE, classes)?,
            output,
        })
    }

    /// (batch, from) to scores and code.
    fn forward(&self, input: &Tensor, mode: Mode) -> Result<Output, Error> {
        let code = self.norm.forward(&self.code.forward(input)?, mode)?.f_elu()?;
        let dropped = code.f_dropout(Self::DROPOUT, mode == Mode::Train)?;
        let logits = self.output.of(self.classes.forward(&dropped)?)?;
        Ok(Output { logits, code: Some(code) })
    }
}

/// The same map `copies` times along a new axis after the batch.
fn replicated(input: &Tensor, copies: i64) -> Result<Tensor, Error> {
    // -1 keeps a size.
    let mut size = vec![-1; input.dim()];
    size.insert(1, copies);
    Ok(input.f_unsqueeze(1)?.f_expand(size, false)?.f_contiguous()?)
}
