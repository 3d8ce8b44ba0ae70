//! Optimisers over plain tensors, equal to PyTorch's.
//!
//! `tch`'s own optimisers do not show their state, so a run on them cannot be resumed. These keep it as named tensors and
//! do the operations of `torch.optim` in the same order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::config::{check_number, invalid};
use super::groups::GroupConfig;
use crate::parameters::{check_shape, mismatch, to_tensor};
use crate::{Error, Parameters, TensorData};

/// An optimiser and its settings. Default [`OptimiserConfig::Adam`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum OptimiserConfig {
    /// `torch.optim.Adam`: weight decay is added to the gradient. Kingma, Ba, ICLR 2015.
    Adam(AdamConfig),
    /// `torch.optim.AdamW`: weight decay shrinks the weights. Loshchilov, Hutter, ICLR 2019.
    AdamW(AdamConfig),
    /// `torch.optim.SGD` with dampening 0.
    Sgd(SgdConfig),
    /// `torch.optim.RMSprop`, not centred.
    RmsProp(RmsPropConfig),
}

impl Default for OptimiserConfig {
    fn default() -> Self {
        Self::Adam(AdamConfig::default())
    }
}

/// Settings of Adam and AdamW; g is the gradient, t the step from 1.
///
/// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w = w - r m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// Learning rate r. Default 1e-4, the GTZAN-8 study's.
    pub learning_rate: f64,
    /// Decay of the mean gradient, b1. Default 0.9.
    pub beta1: f64,
    /// Decay of the mean squared gradient, b2. Default 0.999.
    pub beta2: f64,
    /// Added to the denominator. Default 1e-8.
    pub epsilon: f64,
    /// Weight decay. Default 0 (PyTorch's AdamW has 0.01).
    pub weight_decay: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

/// How momentum acts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Momentum {
    /// w = w - r u with u = momentum u + g.
    Classical,
    /// w = w - r (g + momentum u).
    #[default]
    Nesterov,
}

/// Settings of stochastic gradient descent; the first step takes u = g.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgdConfig {
    /// Learning rate r. Default 1e-4.
    pub learning_rate: f64,
    /// Momentum, 0 for none. Default 0.9.
    pub momentum: f64,
    /// How momentum acts. Default [`Momentum::Nesterov`].
    pub form: Momentum,
    /// Weight decay, added to the gradient. Default 0.
    pub weight_decay: f64,
}

impl Default for SgdConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-4, momentum: 0.9, form: Momentum::default(), weight_decay: 0.0 }
    }
}

/// Settings of RMSprop: v = alpha v + (1 - alpha) g^2, u = momentum u + g / (sqrt(v) + epsilon), w = w - r u.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsPropConfig {
    /// Learning rate r. Default 1e-3.
    pub learning_rate: f64,
    /// Decay of the mean squared gradient. Default 0.99.
    pub alpha: f64,
    /// Added to the denominator. Default 1e-8.
    pub epsilon: f64,
    /// Momentum, 0 for none. Default 0.
    pub momentum: f64,
    /// Weight decay, added to the gradient. Default 0.
    pub weight_decay: f64,
}

impl Default for RmsPropConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, alpha: 0.99, epsilon: 1e-8, momentum: 0.0, weight_decay: 0.0 }
    }
}

impl OptimiserConfig {
    /// The learning rate before any schedule.
    #[must_use]
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Adam(c) | Self::AdamW(c) => c.learning_rate,
            Self::Sgd(c) => c.learning_rate,
            Self::RmsProp(c) => c.learning_rate,
        }
    }

    fn with_weight_decay(mut self, decay: f64) -> Self {
        match &mut self {
            Self::Adam(c) | Self::AdamW(c) => c.weight_decay = decay,
            Self::Sgd(c) => c.weight_decay = decay,
            Self::RmsProp(c) => c.weight_decay = decay,
        }
        self
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        let rate = |field, value| check_number(field, value, 0.0, f64::MAX, "finite, 0 and more");
        let share = |field, value| check_number(field, value, 0.0, 1.0, "0 to below 1");
        rate("optimiser.learning_rate", self.learning_rate())?;
        match *self {
            Self::Adam(c) | Self::AdamW(c) => {
                share("optimiser.beta1", c.beta1)?;
                share("optimiser.beta2", c.beta2)?;
                rate("optimiser.epsilon", c.epsilon)?;
                rate("optimiser.weight_decay", c.weight_decay)
            }
            Self::Sgd(c) => {
                share("optimiser.momentum", c.momentum)?;
                rate("optimiser.weight_decay", c.weight_decay)
            }
            Self::RmsProp(c) => {
                share("optimiser.alpha", c.alpha)?;
                rate("optimiser.epsilon", c.epsilon)?;
                share("optimiser.momentum", c.momentum)?;
                rate("optimiser.weight_decay", c.weight_decay)
            }
        }
    }

    /// Names of the state tensors kept per parameter, as PyTorch names them.
    fn slots(&self) -> &'static [&'static str] {
        match self {
            Self::Adam(_) | Self::AdamW(_) => &["exp_avg", "exp_avg_sq"],
            Self::Sgd(c) if c.momentum == 0.0 => &[],
            Self::Sgd(_) => &["momentum_buffer"],
            Self::RmsProp(c) if c.momentum == 0.0 => &["square_avg"],
            Self::RmsProp(_) => &["square_avg", "momentum_buffer"],
        }
    }
}

/// An optimiser with its state for one set of parameters.
#[derive(Debug)]
pub struct Optimiser {
    config: OptimiserConfig,
    parameters: Vec<Tracked>,
}

/// The state of an [`Optimiser`] apart from libtorch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OptimiserState {
    /// State tensors named `SLOT.PARAMETER`, the slots as PyTorch names them.
    pub tensors: BTreeMap<String, TensorData>,
    /// Steps of every parameter.
    pub steps: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Tracked {
    name: String,
    /// With the weight decay of the tensor's group.
    config: OptimiserConfig,
    /// What the learning rate is multiplied by for this tensor.
    rate_factor: f64,
    tensor: Tensor,
    /// Steps that had a gradient for this tensor.
    steps: u64,
    /// One tensor per slot of the config.
    state: Vec<Tensor>,
}

impl Optimiser {
    /// An optimiser of the trainable tensors, with zero state.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`], [`Error::Torch`].
    pub fn new(config: OptimiserConfig, parameters: &Parameters) -> Result<Self, Error> {
        Self::with_groups(config, parameters, &[])
    }

    /// An optimiser of the trainable tensors that are in no frozen group, with zero state. Every tensor has the learning rate
    /// and the weight decay of its group.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`], also for a group that fits no trainable tensor; [`Error::Torch`].
    pub fn with_groups(
        config: OptimiserConfig,
        parameters: &Parameters,
        groups: &[GroupConfig],
    ) -> Result<Self, Error> {
        config.validate()?;
        for group in groups {
            group.validate()?;
            if !parameters.trainable().any(|(name, _)| group.fits(name)) {
                let value = format!("prefix \"{}\", suffix \"{}\"", group.prefix, group.suffix);
                return Err(invalid("groups", value, "names of trainable tensors of this network"));
            }
        }
        let parameters = parameters
            .trainable()
            .map(|(name, tensor)| (name, tensor, groups.iter().find(|group| group.fits(name))))
            .filter(|(_, _, group)| !group.is_some_and(|group| group.frozen))
            .map(|(name, tensor, group)| {
                let zeros = || Ok(tensor.f_detach()?.f_zeros_like()?);
                let state = config.slots().iter().map(|_| zeros()).collect::<Result<Vec<_>, Error>>()?;
                let decay = group.and_then(|group| group.weight_decay);
                Ok(Tracked {
                    name: name.to_string(),
                    config: decay.map_or(config, |decay| config.with_weight_decay(decay)),
                    rate_factor: group.map_or(1.0, |group| group.rate_factor),
                    tensor: tensor.shallow_clone(),
                    steps: 0,
                    state,
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(Self { config, parameters })
    }

    /// The tensors it changes, in the order of its gradients.
    pub fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        self.parameters.iter().map(|tracked| &tracked.tensor)
    }

    /// Changes the parameters by one step. `gradients` follows [`Optimiser::tensors`], which without groups is
    /// [`Parameters::trainable`]; a tensor that the loss does not depend on has an undefined gradient and stays as it is, as
    /// in PyTorch.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] where there is not one gradient per parameter, [`Error::Torch`].
    pub fn step(&mut self, gradients: &[Tensor], learning_rate: f64) -> Result<(), Error> {
        if gradients.len() != self.parameters.len() {
            let (got, expected) = (gradients.len(), self.parameters.len());
            return Err(Error::LengthMismatch { what: "gradients", got, expected });
        }
        tch::no_grad(|| {
            for (tracked, gradient) in self.parameters.iter_mut().zip(gradients) {
                if gradient.defined() {
                    tracked.step(gradient, learning_rate)?;
                }
            }
            Ok(())
        })
    }

    /// Copies the state.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn state(&self) -> Result<OptimiserState, Error> {
        let mut state = OptimiserState::default();
        for tracked in &self.parameters {
            state.steps.insert(tracked.name.clone(), tracked.steps);
            for (slot, tensor) in self.config.slots().iter().zip(&tracked.state) {
                state.tensors.insert(format!("{slot}.{}", tracked.name), TensorData::from_tensor(tensor)?);
            }
        }
        Ok(state)
    }

    /// Takes the state of [`Optimiser::state`] back.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] or [`Error::TensorMismatch`] where a tensor or a step count is missing, too many, or of
    /// another shape.
    pub fn load_state(&mut self, saved: &OptimiserState) -> Result<(), Error> {
        let OptimiserState { tensors, steps } = saved;
        let slots = self.config.slots();
        for (what, got, expected) in [
            ("optimiser state", tensors.len(), slots.len() * self.parameters.len()),
            ("optimiser steps", steps.len(), self.parameters.len()),
        ] {
            if got != expected {
                return Err(Error::LengthMismatch { what, got, expected });
            }
        }
        for tracked in &mut self.parameters {
            tracked.steps =
                *steps.get(&tracked.name).ok_or_else(|| mismatch(&tracked.name, "no step count"))?;
            for (slot, state) in slots.iter().zip(&mut tracked.state) {
                let name = format!("{slot}.{}", tracked.name);
                let data = tensors.get(&name).ok_or_else(|| mismatch(&name, "missing"))?;
                check_shape(&name, state, data)?;
                state.f_copy_(&to_tensor(data)?)?;
            }
        }
        Ok(())
    }
}

impl Tracked {
    fn step(&mut self, gradient: &Tensor, rate: f64) -> Result<(), Error> {
        self.steps = self.steps.saturating_add(1);
        let rate = rate * self.rate_factor;
        match (&self.config, self.state.as_mut_slice()) {
            (OptimiserConfig::Adam(c), [mean, square]) => {
                let gradient = decayed(gradient, &self.tensor, c.weight_decay)?;
                adam(c, rate, self.steps, &mut self.tensor, &gradient, mean, square)
            }
            (OptimiserConfig::AdamW(c), [mean, square]) => {
                let _ = self.tensor.f_mul_scalar_(1.0 - rate * c.weight_decay)?;
                adam(c, rate, self.steps, &mut self.tensor, gradient, mean, square)
            }
            (OptimiserConfig::Sgd(c), [buffer]) => {
                let gradient = decayed(gradient, &self.tensor, c.weight_decay)?;
                if self.steps == 1 {
                    buffer.f_copy_(&gradient)?;
                } else {
                    let _ = buffer.f_mul_scalar_(c.momentum)?.f_add_(&gradient)?;
                }
                match c.form {
                    Momentum::Classical => descend(&mut self.tensor, buffer, rate),
                    Momentum::Nesterov => {
                        // One new tensor, changed in place: each is as large as the weights.
                        let mut update = buffer.f_mul_scalar(c.momentum)?;
                        let update = update.f_add_(&gradient)?.f_mul_scalar_(-rate)?;
                        let _ = self.tensor.f_add_(&update)?;
                        Ok(())
                    }
                }
            }
            (OptimiserConfig::Sgd(c), _) => {
                let gradient = decayed(gradient, &self.tensor, c.weight_decay)?;
                descend(&mut self.tensor, &gradient, rate)
            }
            (OptimiserConfig::RmsProp(c), [square, momentum @ ..]) => {
                let gradient = decayed(gradient, &self.tensor, c.weight_decay)?;
                let scaled = gradient.f_mul_scalar(1.0 - c.alpha)?;
                let _ = square.f_mul_scalar_(c.alpha)?.f_addcmul_(&scaled, &gradient)?;
                let denominator = square.f_sqrt()?.f_add_scalar_(c.epsilon)?;
                match momentum {
                    [buffer] => {
                        let _ = buffer.f_mul_scalar_(c.momentum)?.f_addcdiv_(&gradient, &denominator)?;
                        descend(&mut self.tensor, buffer, rate)
                    }
                    _ => {
                        let _ = self.tensor.f_addcdiv_(&gradient.f_mul_scalar(-rate)?, &denominator)?;
                        Ok(())
                    }
                }
            }
            (config, state) => Err(Error::LengthMismatch {
                what: "optimiser state",
                got: state.len(),
                expected: config.slots().len(),
            }),
        }
    }
}

fn decayed(gradient: &Tensor, weight: &Tensor, decay: f64) -> Result<Tensor, Error> {
    if decay == 0.0 {
        return Ok(gradient.shallow_clone());
    }
    Ok(gradient.f_add(&weight.f_mul_scalar(decay)?)?)
}

fn descend(weight: &mut Tensor, update: &Tensor, rate: f64) -> Result<(), Error> {
    let _ = weight.f_add_(&update.f_mul_scalar(-rate)?)?;
    Ok(())
}

fn adam(
    config: &AdamConfig,
    rate: f64,
    step: u64,
    weight: &mut Tensor,
    gradient: &Tensor,
    mean: &mut Tensor,
    square: &mut Tensor,
) -> Result<(), Error> {
    let _ = mean.f_lerp_(gradient, 1.0 - config.beta1)?;
    let scaled = gradient.f_mul_scalar(1.0 - config.beta2)?;
    let _ = square.f_mul_scalar_(config.beta2)?.f_addcmul_(&scaled, gradient)?;
    let correction1 = 1.0 - config.beta1.powf(step as f64);
    let correction2 = 1.0 - config.beta2.powf(step as f64);
    let denominator = square.f_sqrt()?.f_div_scalar_(correction2.sqrt())?.f_add_scalar_(config.epsilon)?;
    let _ = weight.f_addcdiv_(&mean.f_mul_scalar(-rate / correction1)?, &denominator)?;
    Ok(())
}
