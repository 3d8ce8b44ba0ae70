//! Centre loss: codes of one class are drawn together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::config::check_number;
use super::optimiser::{Optimiser, OptimiserConfig, OptimiserState, RmsPropConfig};
use crate::{Error, Parameters, TensorData};

/// Settings of [`CentreLoss`]; the defaults are MLFCF's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CentreLossConfig {
    /// What the loss is multiplied by before it is added to the cross-entropy, above 0 and at most 1,000,000. Default 1e-4.
    pub weight: f64,
    /// Learning rate of the centres, whose optimiser is RMSprop with PyTorch's defaults. Default 1e-3.
    pub learning_rate: f64,
}

impl Default for CentreLossConfig {
    fn default() -> Self {
        Self { weight: 1e-4, learning_rate: 1e-3 }
    }
}

/// The centres of a run and the state of their optimiser, apart from libtorch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CentreState {
    /// The centres, under `centers`.
    pub centres: BTreeMap<String, TensorData>,
    /// State of their optimiser.
    pub optimiser: OptimiserState,
}

impl CentreLossConfig {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        check_number("centre_loss.weight", self.weight, f64::MIN_POSITIVE, 1e6, "above 0, below 1000000")?;
        check_number("centre_loss.learning_rate", self.learning_rate, 0.0, 1e6, "0 to below 1000000")
    }
}

/// The mean over a batch of the squared distance between a code and the centre of its class, clamped to 1e-12 to 1e12.
///
/// Centres begin normally distributed and are trained by an optimiser of their own, on the gradient of the unweighted loss.
///
/// ```
/// use mgr_models::train::{CentreLoss, CentreLossConfig};
/// use tch::{Device, Kind, Tensor};
///
/// # fn main() -> Result<(), mgr_models::Error> {
/// let mut centres = CentreLoss::new(CentreLossConfig::default(), 3, 4, 0, Device::Cpu)?;
/// let codes = Tensor::ones([2, 4], (Kind::Float, Device::Cpu)).set_requires_grad(true);
/// let loss = centres.weighted(&codes, &Tensor::from_slice(&[0_i64, 2]))?;
/// let gradients = Tensor::run_backward(&[&loss], &[&codes, centres.centres()], false, false);
/// centres.step(&gradients[1])?;
/// # Ok(())
/// # }
/// ```
///
/// Source: Wen, Zhang, Li, Qiao, "A discriminative feature learning approach for deep face recognition", ECCV 2016; the
/// optimiser of the centres as in MLFCF.
#[derive(Debug)]
pub struct CentreLoss {
    config: CentreLossConfig,
    parameters: Parameters,
    centres: Tensor,
    optimiser: Optimiser,
}

impl CentreLoss {
    /// Centres of `classes` classes for codes of length `code_size`, drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] naming the field out of its range, [`Error::Torch`].
    pub fn new(
        config: CentreLossConfig,
        classes: usize,
        code_size: usize,
        seed: u64,
        device: Device,
    ) -> Result<Self, Error> {
        config.validate()?;
        let mut parameters = Parameters::new(seed, device);
        let centres = parameters.normal("centers", &[classes, code_size], 1.0)?;
        let optimiser = Optimiser::new(
            OptimiserConfig::RmsProp(RmsPropConfig {
                learning_rate: config.learning_rate,
                ..RmsPropConfig::default()
            }),
            &parameters,
        )?;
        Ok(Self { config, parameters, centres, optimiser })
    }

    /// The centres, (classes, code size).
    pub fn centres(&self) -> &Tensor {
        &self.centres
    }

    /// The centres by name, `centers`, to be kept and loaded.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The optimiser of the centres, for its state.
    #[must_use]
    pub fn optimiser(&self) -> &Optimiser {
        &self.optimiser
    }

    /// The loss, not weighted: codes (batch, code size), labels (batch) of 64-bit integers.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] where codes have another length, [`Error::Torch`], for a label that is no class too.
    pub fn mean(&self, codes: &Tensor, labels: &Tensor) -> Result<Tensor, Error> {
        let length = |tensor: &Tensor| tensor.size().last().map_or(0, |&axis| axis.max(0) as usize);
        let (got, expected) = (length(codes), length(&self.centres));
        if got != expected {
            return Err(Error::LengthMismatch { what: "code", got, expected });
        }
        let own = self.centres.f_index_select(0, labels)?;
        let distances = codes.f_sub(&own)?.f_square()?.f_sum_dim_intlist(&[1_i64][..], false, Kind::Float)?;
        Ok(distances.f_clamp(1e-12, 1e12)?.f_mean(Kind::Float)?)
    }

    /// The loss times its weight, what is added to the cross-entropy.
    ///
    /// # Errors
    /// Those of [`CentreLoss::mean`].
    pub fn weighted(&self, codes: &Tensor, labels: &Tensor) -> Result<Tensor, Error> {
        Ok(self.mean(codes, labels)?.f_mul_scalar(self.config.weight)?)
    }

    /// The centres and the state of their optimiser.
    pub(crate) fn state(&self) -> Result<CentreState, Error> {
        Ok(CentreState { centres: self.parameters.to_data()?, optimiser: self.optimiser.state()? })
    }

    pub(crate) fn load_state(&mut self, state: &CentreState) -> Result<(), Error> {
        self.parameters.load_data(&state.centres)?;
        self.optimiser.load_state(&state.optimiser)
    }

    /// Moves the centres, given the gradient of the weighted loss with respect to them; the weight is divided out.
    ///
    /// # Errors
    /// [`Error::Torch`], [`Error::TensorMismatch`].
    pub fn step(&mut self, gradient: &Tensor) -> Result<(), Error> {
        let unweighted = gradient.f_mul_scalar(1.0 / self.config.weight)?;
        self.optimiser.step(&[unweighted], self.config.learning_rate)
    }
}
