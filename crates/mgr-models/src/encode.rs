//! A trained network and inputs make class probabilities and codes.

use ndarray::{Array2, Axis};
use tch::{Kind, Tensor};

use crate::device::flushing_denormals;
use crate::train::{Draw, Inputs, loading, one_batch};
use crate::{Error, Mode, Network, TensorData};

/// Class probabilities, the softmax of the logits, of shape (inputs, classes). Rows sum to 1 up to rounding.
///
/// Works in batches without gradients and with running statistics; the batch size bounds memory and does not change the
/// result beyond rounding. No inputs give an array of no rows.
///
/// # Errors
/// [`Error::InvalidConfig`] for a batch size of 0; [`Error::InputShape`], [`Error::InputTooSmall`],
/// [`Error::NonFiniteInput`], [`Error::Example`]; [`Error::NetworkOutput`] where the network's weights make the result
/// something other than finite numbers; [`Error::Torch`].
pub fn probabilities(
    network: &dyn Network,
    inputs: &dyn Inputs,
    batch_size: usize,
) -> Result<Array2<f32>, Error> {
    rows(network, inputs, batch_size, ["probabilities", "classes"], network.classes(), |tensor| {
        Ok(network.forward(tensor, Mode::Evaluate)?.f_softmax(-1, Kind::Float)?)
    })
}

/// Codes, of shape (inputs, [`Network::code_size`]); see [`Network::forward_with_code`]. In batches as [`probabilities`].
///
/// # Errors
/// [`Error::NetworkOutput`] for a network without a code, and those of [`probabilities`].
pub fn codes(network: &dyn Network, inputs: &dyn Inputs, batch_size: usize) -> Result<Array2<f32>, Error> {
    let no_code = || Error::NetworkOutput {
        network: network.name(),
        got: "no code".to_string(),
        expected: "a code beside the logits".to_string(),
    };
    let size = network.code_size().ok_or_else(no_code)?;
    rows(network, inputs, batch_size, ["codes", "numbers"], size, |tensor| {
        network.forward_with_code(tensor, Mode::Evaluate)?.code.ok_or_else(no_code)
    })
}

/// What the inner layers of a network make of one input, by the names that [`Network::outputs`] gives them: shapes without the batch's
/// axis. For pictures of what a network sees.
///
/// # Errors
/// [`Error::LengthMismatch`] where there is no such input, those of [`Network::outputs`] and of the input, [`Error::Torch`].
pub fn layers(
    network: &dyn Network,
    inputs: &dyn Inputs,
    index: usize,
) -> Result<Vec<(&'static str, TensorData)>, Error> {
    if index >= inputs.len() {
        return Err(Error::LengthMismatch { what: "inputs", got: inputs.len(), expected: index + 1 });
    }
    network.input().check(network.name(), inputs.shape())?;
    let device = network.parameters().device();
    let tensor = one_batch(inputs, &[index], Draw { seed: 0, epoch: 0 }, device)?;
    let outputs = flushing_denormals(|| tch::no_grad(|| network.outputs(&tensor, Mode::Evaluate)))?;
    outputs
        .into_iter()
        .map(|(name, tensor)| Ok((name, TensorData::from_tensor(&tensor.f_squeeze_dim(0)?)?)))
        .collect()
}

/// Class probabilities and codes in one pass; see [`probabilities`] and [`codes`].
///
/// # Errors
/// Those of [`codes`].
pub fn probabilities_and_codes(
    network: &dyn Network,
    inputs: &dyn Inputs,
    batch_size: usize,
) -> Result<(Array2<f32>, Array2<f32>), Error> {
    let no_code = || Error::NetworkOutput {
        network: network.name(),
        got: "no code".to_string(),
        expected: "a code beside the logits".to_string(),
    };
    let (classes, size) = (network.classes(), network.code_size().ok_or_else(no_code)?);
    let joint = rows(
        network,
        inputs,
        batch_size,
        ["probabilities and codes", "numbers"],
        classes + size,
        |tensor| {
            let output = network.forward_with_code(tensor, Mode::Evaluate)?;
            let code = output.code.ok_or_else(no_code)?;
            Ok(Tensor::f_cat(&[output.logits.f_softmax(-1, Kind::Float)?, code], 1)?)
        },
    )?;
    let (probabilities, codes) = joint.view().split_at(Axis(1), classes);
    Ok((probabilities.to_owned(), codes.to_owned()))
}

/// One row of `width` numbers for each input.
fn rows(
    network: &dyn Network,
    inputs: &dyn Inputs,
    batch_size: usize,
    [what, columns]: [&str; 2],
    width: usize,
    forward: impl Fn(&Tensor) -> Result<Tensor, Error>,
) -> Result<Array2<f32>, Error> {
    if batch_size == 0 {
        return Err(Error::InvalidConfig {
            field: "batch_size",
            value: "0".to_string(),
            allowed: "1 and more",
        });
    }
    let mut result = Array2::zeros((inputs.len(), width));
    if inputs.is_empty() {
        return Ok(result);
    }
    network.input().check(network.name(), inputs.shape())?;
    let device = network.parameters().device();
    let order: Vec<usize> = (0..inputs.len()).collect();
    loading(inputs, order.chunks(batch_size), Draw { seed: 0, epoch: 0 }, device, |loader| {
        for indices in order.chunks(batch_size) {
            let tensor = loader.next(indices.len())?;
            let data = TensorData::from_tensor(&flushing_denormals(|| tch::no_grad(|| forward(&tensor)))?)?;
            let expected = [indices.len(), width];
            if data.shape != expected || !data.values.iter().all(|value| value.is_finite()) {
                return Err(Error::NetworkOutput {
                    network: network.name(),
                    got: format!("{what} of shape {:?}, perhaps not finite", data.shape),
                    expected: format!("finite numbers of shape {expected:?} (inputs, {columns})"),
                });
            }
            for (&index, row) in indices.iter().zip(data.values.chunks_exact(width.max(1))) {
                result.row_mut(index).iter_mut().zip(row).for_each(|(to, from)| *to = *from);
            }
        }
        Ok(())
    })?;
    Ok(result)
}
