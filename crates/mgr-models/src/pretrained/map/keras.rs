//! Keras files of Choi's networks and of one that descends from them.

use super::super::WeightMap;
use super::super::layout::{permuted, rotated};
use super::{Mapping, Tensors};
use crate::Error;

/// Whether the kernels of a file are those of a true convolution, as Theano's are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kernels {
    Convolution,
    Correlation,
}

/// What the slot `running_std` of Keras 1 holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// A variance, from release 1.0.7.
    Variance,
    /// A standard deviation, to which 1e-6 is added.
    Deviation,
}

/// The arrays of a Keras 1 file by the last part of their names, without TensorFlow's suffix: `bn1/bn1_gamma_1:0` is
/// `bn1_gamma`.
fn keras_1(map: WeightMap) -> Result<Mapping, Error> {
    Mapping::new(map, |name| {
        let name = name.rsplit('/').next().unwrap_or(name);
        let name = name.strip_suffix(":0").map_or(name, |rest| rest.strip_suffix("_1").unwrap_or(rest));
        Some(name.to_owned())
    })
}

impl Mapping {
    fn keras_conv(
        &mut self,
        from: &str,
        to: &str,
        channels: [usize; 2],
        kernels: Kernels,
    ) -> Result<(), Error> {
        let [inputs, outputs] = channels;
        let kernel = self.take(&format!("{from}_W"), &[outputs, inputs, 3, 3])?;
        let kernel = if kernels == Kernels::Convolution { rotated(&kernel) } else { kernel };
        self.put(format!("{to}.weight"), kernel);
        self.same(&format!("{from}_b"), &format!("{to}.bias"), &[outputs])
    }

    fn keras_norm(&mut self, from: &str, to: &str, channels: usize, slot: Slot) -> Result<(), Error> {
        for (part, ours) in [("gamma", "weight"), ("beta", "bias"), ("running_mean", "running_mean")] {
            self.same(&format!("{from}_{part}"), &format!("{to}.{ours}"), &[channels])?;
        }
        let mut spread = self.take(&format!("{from}_running_std"), &[channels])?;
        if slot == Slot::Deviation {
            for value in &mut spread.values {
                *value = (f64::from(*value) + 1e-6).powi(2) as f32;
            }
        }
        self.put(format!("{to}.running_var"), spread);
        Ok(())
    }

    fn keras_dense(&mut self, from: &str, to: &str, shape: [usize; 2]) -> Result<(), Error> {
        let weight = self.take(&format!("{from}_W"), &shape)?;
        self.put(format!("{to}.weight"), permuted(&weight, &[1, 0]));
        self.same(&format!("{from}_b"), &format!("{to}.bias"), &[shape[1]])
    }

    fn keras_gru(&mut self, name: &str, inputs: usize) -> Result<(), Error> {
        for gate in ["z", "r", "h"] {
            for (part, ours, rows) in [("W", "weight", inputs), ("U", "recurrent", 32)] {
                let weight = self.take(&format!("{name}_{part}_{gate}"), &[rows, 32])?;
                self.put(format!("{name}.{gate}.{ours}"), permuted(&weight, &[1, 0]));
            }
            self.same(&format!("{name}_b_{gate}"), &format!("{name}.{gate}.bias"), &[32])?;
        }
        Ok(())
    }
}

/// [`crate::zoo::ChoiTransfer`] from the Theano file. Left out are the tables of the mel spectrogram, which the front end
/// computes, and recorded statistics, which are placeholders.
pub(in super::super) fn choi_transfer(map: WeightMap) -> Result<Tensors, Error> {
    let is_table = |name: &str| name.contains("melgram");
    let mut m = Mapping::new(map, |name| {
        let short = name.rsplit('/').next().unwrap_or(name);
        let unused = is_table(name) || short.ends_with("_running_mean") || short.ends_with("_running_std");
        (!unused).then(|| short.to_owned())
    })?;
    for index in 0..5 {
        let inputs = if index == 0 { 1 } else { 32 };
        let (from, to) = (index + 1, format!("blocks.{index}"));
        let conv = format!("convolution2d_{from}");
        m.keras_conv(&conv, &format!("{to}.conv"), [inputs, 32], Kernels::Convolution)?;
        for (part, ours) in [("gamma", "weight"), ("beta", "bias")] {
            m.same(&format!("batchnormalization_{from}_{part}"), &format!("{to}.bn.{ours}"), &[32])?;
        }
        m.put(format!("{to}.bn.running_mean"), constant(32, 0.0));
        m.put(format!("{to}.bn.running_var"), constant(32, 1.0));
    }
    m.keras_dense("dense_1", "output", [32, 50])?;
    m.finish()
}

fn constant(length: usize, value: f32) -> crate::TensorData {
    crate::TensorData { shape: vec![length], values: vec![value; length] }
}

/// [`crate::zoo::ChoiTransfer`] from the Keras 2 file, whose kernels are (rows, columns, in, out).
pub(in super::super) fn choi_transfer_keras2(map: WeightMap) -> Result<Tensors, Error> {
    let mut m = Mapping::new(map, |name| {
        let parts: Vec<&str> = name.split('/').collect();
        match parts.as_slice() {
            ["optimizer_weights", ..] | [.., "melgram", _] => None,
            [.., layer, variable] => Some(format!("{layer}/{}", variable.trim_end_matches(":0"))),
            _ => Some(name.to_owned()),
        }
    })?;
    for index in 0..5 {
        let inputs = if index == 0 { 1 } else { 32 };
        let (from, to) = (index + 1, format!("blocks.{index}"));
        let kernel = m.take(&format!("conv2d_{from}/kernel"), &[3, 3, inputs, 32])?;
        m.put(format!("{to}.conv.weight"), permuted(&kernel, &[3, 2, 0, 1]));
        m.same(&format!("conv2d_{from}/bias"), &format!("{to}.conv.bias"), &[32])?;
        for (part, ours) in [
            ("gamma", "weight"),
            ("beta", "bias"),
            ("moving_mean", "running_mean"),
            ("moving_variance", "running_var"),
        ] {
            m.same(&format!("batch_normalization_{from}/{part}"), &format!("{to}.bn.{ours}"), &[32])?;
        }
    }
    let weight = m.take("dense_1/kernel", &[32, 50])?;
    m.put("output.weight", permuted(&weight, &[1, 0]));
    m.same("dense_1/bias", "output.bias", &[50])?;
    m.finish()
}

/// [`crate::zoo::MusicTaggerCnn`] from the Theano file: kernels to be turned, standard deviations.
pub(in super::super) fn choi_cnn(map: WeightMap) -> Result<Tensors, Error> {
    let mut m = keras_1(map)?;
    m.keras_norm("bn_0_freq", "bn_0_freq", 1366, Slot::Deviation)?;
    blocks(&mut m, &[32, 128, 128, 192, 256], Kernels::Convolution, Slot::Deviation)?;
    m.keras_dense("output", "output", [256, 50])?;
    m.finish()
}

/// [`crate::zoo::MusicTaggerCrnn`] from the TensorFlow file: kernels already turned; read as variances, as the release did
/// whose numbers are published.
pub(in super::super) fn choi_crnn(map: WeightMap) -> Result<Tensors, Error> {
    crnn(map, Kernels::Correlation, Slot::Variance, "output", 50)
}

/// The same file read as standard deviations, which its values are.
pub(in super::super) fn choi_crnn_std(map: WeightMap) -> Result<Tensors, Error> {
    crnn(map, Kernels::Correlation, Slot::Deviation, "output", 50)
}

/// [`crate::zoo::MusicTaggerCrnn`] with ten genres from the Theano file: kernels to be turned, variances, a last layer of
/// another name.
pub(in super::super) fn genre_crnn(map: WeightMap) -> Result<Tensors, Error> {
    crnn(map, Kernels::Convolution, Slot::Variance, "preds", 10)
}

fn crnn(map: WeightMap, kernels: Kernels, slot: Slot, head: &str, classes: usize) -> Result<Tensors, Error> {
    let mut m = keras_1(map)?;
    m.keras_norm("bn_0_freq", "bn_0_freq", 1440, slot)?;
    blocks(&mut m, &[64, 128, 128, 128], kernels, slot)?;
    m.keras_gru("gru1", 128)?;
    m.keras_gru("gru2", 32)?;
    m.keras_dense(head, "output", [32, classes])?;
    m.finish()
}

fn blocks(m: &mut Mapping, channels: &[usize], kernels: Kernels, slot: Slot) -> Result<(), Error> {
    let mut from = 1;
    for (index, &to) in channels.iter().enumerate() {
        let (conv, norm) = (format!("conv{}", index + 1), format!("bn{}", index + 1));
        m.keras_conv(&conv, &conv, [from, to], kernels)?;
        m.keras_norm(&norm, &norm, to, slot)?;
        from = to;
    }
    Ok(())
}
