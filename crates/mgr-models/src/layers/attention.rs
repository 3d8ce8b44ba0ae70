//! Self-attention over the positions of a map, as in SAGAN.

use tch::Tensor;

use super::{Conv2d, Conv2dConfig};
use crate::{Error, Parameters, Role};

/// y = x + gamma * attention(x): every position sees the mean of the values of all positions, weighted by how well its query
/// agrees with their keys.
///
/// Queries, keys and values are 1 x 1 convolutions with bias that keep the number of channels; the weights are the softmax
/// of q . k over the positions of k, without a scale; gamma begins at 0, so the layer begins as the identity.
///
/// Source: Zhang, Goodfellow, Metaxas, Odena, "Self-attention generative adversarial networks", ICML 2019.
#[derive(Debug)]
pub(crate) struct SelfAttention {
    query: Conv2d,
    key: Conv2d,
    value: Conv2d,
    gamma: Tensor,
    channels: i64,
}

impl SelfAttention {
    pub(crate) fn new(parameters: &mut Parameters, name: &str, channels: usize) -> Result<Self, Error> {
        let mut convolution = |part: &str| {
            Conv2d::with(
                parameters,
                &format!("{name}.{part}"),
                &Conv2dConfig::valid([channels, channels], [1, 1]),
            )
        };
        let [query, key, value] = [convolution("query")?, convolution("key")?, convolution("value")?];
        let gamma = parameters.constant(&format!("{name}.gamma"), &[1], 0.0, Role::Trainable)?;
        Ok(Self { query, key, value, gamma, channels: channels as i64 })
    }

    /// A map (batch, channels, height, width) to one of the same shape.
    ///
    /// The square of the number of positions is never stored: libtorch's attention kernel works through it in blocks.
    pub(crate) fn forward(&self, input: &Tensor) -> Result<Tensor, Error> {
        // (batch, one head, positions, channels), what the kernel wants.
        let positions = |map: &Tensor| {
            Ok::<_, Error>(map.f_flatten(2, -1)?.f_transpose(1, 2)?.f_unsqueeze(1)?.f_contiguous()?)
        };
        let query = positions(&self.query.forward(input)?)?;
        let key = positions(&self.key.forward(input)?)?;
        let value = positions(&self.value.forward(input)?)?;
        let no_mask: Option<&Tensor> = None;
        let seen =
            Tensor::f_scaled_dot_product_attention(&query, &key, &value, no_mask, 0.0, false, 1.0, false)?;
        let (_, channels, height, width) = input.size4()?;
        // The batch is left open for recordings.
        let seen = seen.f_squeeze_dim(1)?.f_transpose(1, 2)?.f_reshape([-1, channels, height, width])?;
        debug_assert_eq!(input.size().get(1), Some(&self.channels));
        Ok(seen.f_mul(&self.gamma)?.f_add(input)?)
    }
}
