//! A moving average of the weights.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::config::check_number;
use crate::parameters::{check_shape, mismatch, to_tensor};
use crate::{Error, Parameters, TensorData};

/// After every step a = decay a + (1 - decay) w for every trained tensor, a = w after the first; PyTorch's
/// `AveragedModel` with `get_ema_multi_avg_fn(decay)`. Statistics of batch normalisation are those of the network.
///
/// Validation, selection and the final network take the averages; the steps go on from the weights themselves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MovingAverageConfig {
    /// Share of the old average that stays, 0 to below 1. Default 0.999.
    pub decay: f64,
}

impl Default for MovingAverageConfig {
    fn default() -> Self {
        Self { decay: 0.999 }
    }
}

impl MovingAverageConfig {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        check_number("moving_average.decay", self.decay, 0.0, 1.0, "0 to below 1")
    }
}

fn copied(tensor: &Tensor) -> Result<Tensor, Error> {
    let tensor = tensor.f_detach()?;
    let mut copy = tensor.f_empty_like()?;
    copy.f_copy_(&tensor)?;
    Ok(copy)
}

/// The averages of a run.
#[derive(Debug)]
pub(crate) struct MovingAverage {
    decay: f64,
    /// Name, weight (shared with the network) and average.
    tensors: Vec<(String, Tensor, Tensor)>,
    /// Whether there was a step.
    begun: bool,
}

impl MovingAverage {
    pub(crate) fn new(config: MovingAverageConfig, parameters: &Parameters) -> Result<Self, Error> {
        let tensors = parameters
            .trainable()
            .map(|(name, tensor)| Ok((name.to_string(), tensor.shallow_clone(), copied(tensor)?)))
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(Self { decay: config.decay, tensors, begun: false })
    }

    /// Takes the weights after a step in.
    pub(crate) fn update(&mut self) -> Result<(), Error> {
        let share = if self.begun { 1.0 - self.decay } else { 1.0 };
        self.begun = true;
        tch::no_grad(|| {
            for (_, weight, average) in &mut self.tensors {
                if share < 1.0 {
                    let _ = average.f_lerp_(weight, share)?;
                } else {
                    average.f_copy_(weight)?;
                }
            }
            Ok(())
        })
    }

    /// Runs `work` with the averages in the place of the weights and puts the weights back.
    pub(crate) fn in_place<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let weights =
            self.tensors.iter().map(|(_, weight, _)| copied(weight)).collect::<Result<Vec<_>, Error>>()?;
        self.apply()?;
        let result = work();
        tch::no_grad(|| {
            for ((_, weight, _), kept) in self.tensors.iter().zip(&weights) {
                weight.shallow_clone().f_copy_(kept)?;
            }
            Ok::<_, Error>(())
        })?;
        result
    }

    /// Puts the averages in the place of the weights for good.
    pub(crate) fn apply(&self) -> Result<(), Error> {
        tch::no_grad(|| {
            for (_, weight, average) in &self.tensors {
                weight.shallow_clone().f_copy_(average)?;
            }
            Ok(())
        })
    }

    /// The averages; none before the first step.
    pub(crate) fn state(&self) -> Result<Option<BTreeMap<String, TensorData>>, Error> {
        if !self.begun {
            return Ok(None);
        }
        let tensors = self
            .tensors
            .iter()
            .map(|(name, _, average)| Ok((name.clone(), TensorData::from_tensor(average)?)))
            .collect::<Result<_, Error>>()?;
        Ok(Some(tensors))
    }

    pub(crate) fn load_state(&mut self, state: &BTreeMap<String, TensorData>) -> Result<(), Error> {
        if state.len() != self.tensors.len() {
            let (got, expected) = (state.len(), self.tensors.len());
            return Err(Error::LengthMismatch { what: "moving averages", got, expected });
        }
        for (name, _, average) in &mut self.tensors {
            let data = state.get(name).ok_or_else(|| mismatch(name, "missing"))?;
            check_shape(name, average, data)?;
            average.f_copy_(&to_tensor(data)?)?;
        }
        self.begun = true;
        Ok(())
    }
}
