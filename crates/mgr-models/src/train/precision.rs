//! Mixed precision on CUDA, and the scale of the loss that keeps small gradients from vanishing.

use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

use crate::Error;

/// Number format of the forward pass in training and validation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    Single,
    /// libtorch's autocast: convolutions and matrix products in 16-bit floats, on CUDA only. Weights, optimiser and the loss
    /// stay in 32 bits. The loss is scaled as by `torch.amp.GradScaler`: the scale begins at 65,536, halves where a gradient
    /// overflows (that step changes nothing), and doubles after 2000 steps without.
    Mixed,
}

impl Precision {
    pub(crate) fn check(self, device: Device) -> Result<(), Error> {
        match (self, device) {
            (Self::Mixed, Device::Cuda(_)) | (Self::Single, _) => Ok(()),
            (Self::Mixed, _) => Err(Error::MixedPrecision),
        }
    }

    pub(crate) fn run<T>(self, work: impl FnOnce() -> T) -> T {
        match self {
            Self::Single => work(),
            Self::Mixed => tch::autocast(true, work),
        }
    }

    pub(crate) fn scale(self) -> Option<LossScale> {
        (self == Self::Mixed).then(LossScale::default)
    }
}

/// The scale of the loss in mixed precision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossScale {
    /// What the loss is multiplied by, and the gradients divided by.
    pub scale: f64,
    /// Steps without overflow since the scale last changed.
    pub steps: u64,
}

impl Default for LossScale {
    fn default() -> Self {
        Self { scale: 65_536.0, steps: 0 }
    }
}

impl LossScale {
    const INTERVAL: u64 = 2000;

    /// Takes note of a step; whether its gradients can be used.
    pub(crate) fn update(&mut self, finite: bool) -> bool {
        if !finite {
            // GradScaler has no floor; a scale of 0 would never recover.
            *self = Self { scale: (self.scale / 2.0).max(f64::MIN_POSITIVE), steps: 0 };
        } else if self.steps + 1 == Self::INTERVAL {
            *self = Self { scale: (self.scale * 2.0).min(1e30), steps: 0 };
        } else {
            self.steps += 1;
        }
        finite
    }

    /// Divides the scale out of the gradients; whether they are all finite.
    pub(crate) fn unscale(&self, gradients: &mut [Tensor]) -> Result<bool, Error> {
        let mut finite = true;
        for gradient in gradients.iter_mut().filter(|gradient| gradient.defined()) {
            *gradient = gradient.f_mul_scalar(1.0 / self.scale)?;
            finite &= gradient.f_isfinite()?.f_all()?.f_int64_value(&[])? != 0;
        }
        Ok(finite)
    }
}

/// Shortens the gradients, taken as one vector, to at most this norm: `torch.nn.utils.clip_grad_norm_`. Returns the norm
/// they had.
///
/// # Errors
/// [`Error::Torch`].
pub fn clip_gradients(gradients: &mut [Tensor], max_norm: f64) -> Result<f64, Error> {
    let norms = gradients
        .iter()
        .filter(|gradient| gradient.defined())
        .map(|gradient| Ok(gradient.f_norm()?))
        .collect::<Result<Vec<_>, Error>>()?;
    if norms.is_empty() {
        return Ok(0.0);
    }
    let norm = Tensor::f_stack(&norms, 0)?.f_norm()?;
    let factor = norm.f_add_scalar(1e-6)?.f_reciprocal()?.f_mul_scalar(max_norm)?.f_clamp_max(1.0)?;
    for gradient in gradients.iter_mut().filter(|gradient| gradient.defined()) {
        *gradient = gradient.f_mul(&factor)?;
    }
    Ok(norm.f_double_value(&[])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_falls_at_an_overflow_and_rises_after_two_thousand_steps() {
        let mut scale = LossScale::default();
        assert!(!scale.update(false));
        assert_eq!(scale, LossScale { scale: 32_768.0, steps: 0 });
        for _ in 0..1999 {
            assert!(scale.update(true));
        }
        assert_eq!(scale, LossScale { scale: 32_768.0, steps: 1999 });
        assert!(scale.update(true));
        assert_eq!(scale, LossScale::default());
    }

    #[test]
    fn unscaled_gradients_tell_whether_they_are_finite() -> Result<(), Error> {
        let scale = LossScale { scale: 4.0, steps: 0 };
        let mut gradients = [Tensor::from_slice(&[8.0_f32, -2.0]), Tensor::new()];
        assert!(scale.unscale(&mut gradients)?);
        assert_eq!(Vec::<f32>::try_from(&gradients[0])?, [2.0, -0.5]);
        gradients[1] = Tensor::from_slice(&[1.0_f32, f32::INFINITY]);
        assert!(!scale.unscale(&mut gradients)?);
        Ok(())
    }

    #[test]
    fn mixed_precision_is_refused_on_the_processor() {
        assert!(matches!(Precision::Mixed.check(Device::Cpu), Err(Error::MixedPrecision)));
        assert!(Precision::Mixed.check(Device::Cuda(0)).is_ok());
        assert!(Precision::Single.check(Device::Cpu).is_ok());
    }
}
