//! Networks as TorchScript, for programs in C++ and Python.

use std::path::Path;

use tch::{CModule, Device, Kind, Tensor};

use crate::layers::recorded;
use crate::tensor_file::malformed;
use crate::{Error, Mode, Network};

/// Writes a network as TorchScript: one file with layers, weights and buffers, in evaluation mode, whose `forward` takes a
/// tensor (batch, axes of the example) of 32-bit floats and gives the logits (batch, classes). `torch.jit.load` and
/// `torch::jit::load` read it without this crate. What comes before the network (features, standardisation) is not in it.
///
/// The network is run once on an example of shape `example` and its operations are recorded, so sizes that it computes from
/// the shape of its input are those of the example. The file is read back and tried: it must give the logits of the network
/// for batches of 1, 2 and 3, but for rounding (1e-5 of the largest). Inputs of another size than the example's are up to the network.
///
/// The file appears whole or not at all.
///
/// # Errors
/// [`Error::InputShape`], [`Error::InputTooSmall`] for an example that the network does not take; [`Error::Export`] where the
/// recorded network gives other numbers; [`Error::File`]; [`Error::Torch`].
pub fn export(network: &dyn Network, example: &[usize], path: &Path) -> Result<(), Error> {
    network.input().check(network.name(), example)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let hidden = folder.join(format!(
        ".{}.{}.tmp",
        path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default(),
        std::process::id()
    ));
    let written = record(network, example, &hidden).and_then(|()| {
        std::fs::rename(&hidden, path).map_err(|source| Error::File {
            action: "write",
            path: path.to_path_buf(),
            source,
        })
    });
    if written.is_err() {
        // The file may never have been made.
        let _ = std::fs::remove_file(&hidden);
    }
    written
}

fn record(network: &dyn Network, example: &[usize], path: &Path) -> Result<(), Error> {
    let device = network.parameters().device();
    // Tracing takes tensors that want a gradient for inputs and refuses them as constants.
    let _restore = Still::new(network)?;
    let module = tch::no_grad(|| {
        let mut failed = None;
        let mut forward =
            |inputs: &[Tensor]| match inputs.first().map(|x| recorded(|| network.forward(x, Mode::Evaluate)))
            {
                Some(Ok(logits)) => vec![logits],
                Some(Err(error)) => {
                    failed = Some(error);
                    vec![Tensor::zeros([1], (Kind::Float, device))]
                }
                None => vec![Tensor::zeros([1], (Kind::Float, device))],
            };
        let input = input(example, 2, device)?;
        // The names of class and method in the file; libtorch wants the second.
        let module = CModule::create_by_tracing("Network", "forward", &[input], &mut forward);
        match failed {
            Some(error) => Err(error),
            None => Ok(module?),
        }
    })?;
    module.save(path)?;
    let read = TorchScript::load(path, device)?;
    for batch in [1, 2, 3] {
        let input = input(example, batch, device)?;
        let own = tch::no_grad(|| network.forward(&input, Mode::Evaluate))?;
        let refused = |reason| Error::Export { network: network.name(), reason };
        let other = match read.forward(&input) {
            Ok(other) => other,
            Err(error) => return Err(refused(format!("a batch of {batch}: {}", last_line(&error)))),
        };
        let limit = own.f_abs()?.f_max()?.f_double_value(&[])? * 1e-5;
        if own.size() != other.size() || own.f_sub(&other)?.f_abs()?.f_max()?.f_double_value(&[])? > limit {
            return Err(refused(format!("a batch of {batch} gives other logits than the network")));
        }
    }
    Ok(())
}

/// What an operation failed with stands last in libtorch's message.
fn last_line(error: &Error) -> String {
    let Error::Torch(error) = error else { return error.to_string() };
    let text = error.to_string();
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_string()
}

/// Some numbers in the shape of a batch of examples.
fn input(example: &[usize], batch: usize, device: Device) -> Result<Tensor, Error> {
    let count = batch * example.iter().product::<usize>();
    let mut random = crate::Random::keyed(&[0x7363_7269_7074]);
    let values: Vec<f32> = (0..count).map(|_| (2.0 * random.uniform() - 1.0) as f32).collect();
    let shape: Vec<i64> =
        std::iter::once(batch).chain(example.iter().copied()).map(|axis| axis as i64).collect();
    Ok(Tensor::f_from_slice(&values)?.f_reshape(&shape[..])?.f_to(device)?)
}

/// A network whose tensors want no gradient for a while.
struct Still(Vec<Tensor>);

impl Still {
    fn new(network: &dyn Network) -> Result<Self, Error> {
        let mut still = Self(Vec::new());
        for (_, tensor) in network.parameters().trainable() {
            // In place: the layers hold the same tensor.
            still.0.push(tensor.f_set_requires_grad(false)?);
        }
        Ok(still)
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        for tensor in &self.0 {
            // Setting the flag of a leaf does not fail.
            let _ = tensor.f_set_requires_grad(true);
        }
    }
}

/// A network in a TorchScript file, of this crate or another program's: tensors go in, a tensor comes out.
#[derive(Debug)]
pub struct TorchScript(CModule);

impl TorchScript {
    /// Reads a file onto a device. TorchScript is a program: read only files of those you trust.
    ///
    /// # Errors
    /// [`Error::File`] where there is no file, [`Error::MalformedFile`] where it is something else.
    pub fn load(path: &Path, device: Device) -> Result<Self, Error> {
        std::fs::metadata(path).map_err(|source| Error::File {
            action: "read",
            path: path.to_path_buf(),
            source,
        })?;
        let mut module = CModule::load_on_device(path, device)
            .map_err(|error| malformed(path, "TorchScript file", Error::from(error).to_string()))?;
        module.f_set_eval()?;
        Ok(Self(module))
    }

    /// The output for a batch, without gradients.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn forward(&self, input: &Tensor) -> Result<Tensor, Error> {
        Ok(tch::no_grad(|| self.0.forward_ts(&[input]))?)
    }
}
