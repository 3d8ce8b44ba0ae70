//! musicnn's TensorFlow checkpoints.

use super::super::WeightMap;
use super::super::layout::permuted;
use super::{Mapping, Tensors};
use crate::{Error, TensorData};

/// The variables of a checkpoint by their names without a scope. What the optimiser kept is left out.
fn mapping(map: WeightMap) -> Result<Mapping, Error> {
    Mapping::new(map, |name| {
        let parts: Vec<&str> = name.split('/').collect();
        match parts.as_slice() {
            [.., "Adam" | "Adam_1"] => None,
            [.., "beta1_power" | "beta2_power" | "global_step"] => None,
            [.., layer, variable] => Some(format!("{layer}/{variable}")),
            _ => Some(name.to_owned()),
        }
    })
}

impl Mapping {
    /// Batch normalisation. `index` counts the layers; the first has no number.
    fn tensorflow_norm(&mut self, index: usize, to: &str, channels: usize) -> Result<(), Error> {
        let layer = numbered("batch_normalization", index);
        for (from, part) in [
            ("gamma", "weight"),
            ("beta", "bias"),
            ("moving_mean", "running_mean"),
            ("moving_variance", "running_var"),
        ] {
            self.same(&format!("{layer}/{from}"), &format!("{to}.{part}"), &[channels])?;
        }
        Ok(())
    }

    /// A convolution whose kernel is (frames, bands, in, out), as (out, in, bands, frames).
    fn tensorflow_conv(&mut self, index: usize, to: &str, kernel: [usize; 4]) -> Result<(), Error> {
        let layer = numbered("conv2d", index);
        let data = self.take(&format!("{layer}/kernel"), &kernel)?;
        self.put(format!("{to}.weight"), permuted(&data, &[3, 2, 1, 0]));
        self.same(&format!("{layer}/bias"), &format!("{to}.bias"), &[kernel[3]])
    }

    /// A dense layer whose kernel is (in, out).
    fn tensorflow_dense(&mut self, index: usize, to: &str, shape: [usize; 2]) -> Result<(), Error> {
        let layer = numbered("dense", index);
        let data = self.take(&format!("{layer}/kernel"), &shape)?;
        self.put(format!("{to}.weight"), permuted(&data, &[1, 0]));
        self.same(&format!("{layer}/bias"), &format!("{to}.bias"), &[shape[1]])
    }
}

fn numbered(layer: &str, index: usize) -> String {
    if index == 0 { layer.to_owned() } else { format!("{layer}_{index}") }
}

/// [`crate::zoo::Musicnn`] in its published size.
pub(in super::super) fn musicnn(map: WeightMap) -> Result<Tensors, Error> {
    let mut m = mapping(map)?;
    m.tensorflow_norm(0, "input.bn", 1)?;
    let front = [
        ("timbral.0", [7, 38, 1, 204]),
        ("timbral.1", [7, 67, 1, 204]),
        ("temporal.0", [128, 1, 1, 51]),
        ("temporal.1", [64, 1, 1, 51]),
        ("temporal.2", [32, 1, 1, 51]),
    ];
    for (index, (to, kernel)) in front.into_iter().enumerate() {
        m.tensorflow_conv(index, &format!("{to}.conv"), kernel)?;
        m.tensorflow_norm(index + 1, &format!("{to}.bn"), kernel[3])?;
    }
    for (index, from) in [561, 64, 64].into_iter().enumerate() {
        // The kernel spans all channels as if they were bands: (7, channels, 1, 64) is (64, channels, 7) here.
        let layer = numbered("conv2d", index + 5);
        let data = permuted(&m.take(&format!("{layer}/kernel"), &[7, from, 1, 64])?, &[3, 2, 1, 0]);
        let to = format!("middle.{index}");
        m.put(format!("{to}.conv.weight"), TensorData { shape: vec![64, from, 7], values: data.values });
        m.same(&format!("{layer}/bias"), &format!("{to}.conv.bias"), &[64])?;
        m.tensorflow_norm(index + 6, &format!("{to}.bn"), 64)?;
    }
    m.tensorflow_norm(9, "pool.bn", 1506)?;
    m.tensorflow_dense(0, "dense", [1506, 200])?;
    m.tensorflow_norm(10, "dense.bn", 200)?;
    m.tensorflow_dense(1, "output", [200, 50])?;
    m.finish()
}

/// [`crate::zoo::MusicnnVgg`].
pub(in super::super) fn musicnn_vgg(map: WeightMap) -> Result<Tensors, Error> {
    let mut m = mapping(map)?;
    m.tensorflow_norm(0, "input.bn", 1)?;
    for index in 0..5 {
        let from = if index == 0 { 1 } else { 128 };
        // The published layers carry the names 1CNN to 5CNN, their normalisations count on.
        let layer = format!("{}CNN", index + 1);
        let data = m.take(&format!("{layer}/kernel"), &[3, 3, from, 128])?;
        m.put(format!("blocks.{index}.conv.weight"), permuted(&data, &[3, 2, 1, 0]));
        m.same(&format!("{layer}/bias"), &format!("blocks.{index}.conv.bias"), &[128])?;
        m.tensorflow_norm(index + 1, &format!("blocks.{index}.bn"), 128)?;
    }
    m.tensorflow_dense(0, "output", [256, 50])?;
    m.finish()
}
