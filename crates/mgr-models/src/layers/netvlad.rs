//! NetVLAD: a map of any size becomes one vector per cluster.

use ndarray::Array2;
use tch::{Kind, Tensor};

use super::{Parameters, Role};
use crate::{Error, TensorData};

/// Soft assignment of the positions of a map to K clusters, and per cluster the sum of the differences from its centre.
///
/// With x_p the channels at position p, divided by their L2 norm, and a_k(p) the softmax over k of w_k . x_p + b_k:
///
/// V_k = sum_p a_k(p) (x_p - c_k), each V_k divided by its norm, then the whole by its norm.
///
/// Centres c begin uniform in [0, 1), w = 2 alpha c and b = -alpha ||c_k||, alpha = 1; all three are trained apart.
///
/// Source: Arandjelovic et al., "NetVLAD", CVPR 2016; initial values as in the MLFCF system.
#[derive(Debug)]
pub(crate) struct NetVlad {
    weight: Tensor,
    bias: Tensor,
    centroids: Tensor,
}

impl NetVlad {
    const ALPHA: f32 = 1.0;

    pub(crate) fn new(
        parameters: &mut Parameters,
        name: &str,
        clusters: usize,
        channels: usize,
    ) -> Result<Self, Error> {
        let centroids = parameters.uniform(&format!("{name}.centroids"), &[clusters, channels], 1.0)?;
        // Drawn from [-1, 1): the same draw, moved to [0, 1).
        let mut values = TensorData::from_tensor(&centroids)?;
        values.values.iter_mut().for_each(|value| *value = f32::midpoint(*value, 1.0));
        tch::no_grad(|| {
            let moved = Tensor::f_from_slice(&values.values)?.f_reshape(centroids.size())?;
            centroids.shallow_clone().f_copy_(&moved).map_err(Error::from)
        })?;
        let centres = Array2::from_shape_vec((clusters, channels), values.values)
            .map_err(|error| Error::TensorMismatch { name: name.to_string(), reason: error.to_string() })?;
        let weight = TensorData {
            shape: vec![clusters, channels, 1, 1],
            values: centres.iter().map(|value| 2.0 * Self::ALPHA * value).collect(),
        };
        let norm = |row: ndarray::ArrayView1<'_, f32>| row.iter().map(|v| v * v).sum::<f32>().sqrt();
        let bias = TensorData {
            shape: vec![clusters],
            values: centres.outer_iter().map(|row| -Self::ALPHA * norm(row)).collect(),
        };
        Ok(Self {
            weight: parameters.add(&format!("{name}.conv.weight"), Role::Trainable, weight)?,
            bias: parameters.add(&format!("{name}.conv.bias"), Role::Trainable, bias)?,
            centroids,
        })
    }

    /// (batch, channels, height, width) to (batch, clusters, channels).
    pub(crate) fn forward(&self, input: &Tensor) -> Result<Tensor, Error> {
        // (batch, positions, channels); no copy where the channels of a pixel lie beside each other.
        let x = input.f_permute([0, 2, 3, 1])?.f_flatten(1, 2)?;
        // 1 / ||x_p||, as (batch, 1, positions). It multiplies what has a row per cluster, not the map, which has more channels.
        let squares = x.f_mul(&x)?.f_sum_dim_intlist(&[-1_i64][..], false, Kind::Float)?;
        let scale = squares.f_clamp_min(1e-24)?.f_rsqrt()?.f_unsqueeze(1)?;
        let weight = self.weight.f_flatten(1, -1)?;
        let agreement = weight.f_matmul(&x.f_transpose(1, 2)?)?.f_mul(&scale)?;
        // (batch, clusters, positions): the softmax over clusters then works on whole rows.
        let assigned = agreement.f_add(&self.bias.f_unsqueeze(-1)?)?.f_softmax(1, Kind::Float)?;
        // sum_p a_k(p) x_p as a product of matrices, and c_k times sum_p a_k(p).
        let sums = assigned.f_mul(&scale)?.f_matmul(&x)?;
        let mass = assigned.f_sum_dim_intlist(&[2_i64][..], false, Kind::Float)?.f_unsqueeze(-1)?;
        let residuals = unit(&sums.f_sub(&mass.f_mul(&self.centroids)?)?, -1)?;
        let mut size = residuals.size();
        // The batch is left open for recordings.
        if let Some(batch) = size.first_mut() {
            *batch = -1;
        }
        Ok(unit(&residuals.f_flatten(1, -1)?, -1)?.f_reshape(size)?)
    }
}

/// Divided by the L2 norm along an axis, at least 1e-12: `torch.nn.functional.normalize`.
fn unit(input: &Tensor, axis: i64) -> Result<Tensor, Error> {
    let norm = input.f_norm_scalaropt_dim(2_i64, [axis], true)?.f_clamp_min(1e-12)?;
    Ok(input.f_div(&norm)?)
}
