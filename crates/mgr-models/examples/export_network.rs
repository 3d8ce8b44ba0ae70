//! Writes a network of the zoo as TorchScript, and one input with its logits as safetensors beside it, for a program in
//! another language to be held against: `cargo run --release -p mgr-models --example export_network -- NAME OUT.pt`.
//!
//! `tests/fixtures/torch_script.py OUT.pt` reads both in Python and compares.

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;

use mgr_models::device::DeviceConfig;
use mgr_models::{Mode, Random, TensorData, torch_script, zoo};
use safetensors::tensor::{Dtype, TensorView};
use tch::Tensor;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("which network?")?;
    let out = PathBuf::from(arguments.next().ok_or("which file?")?);
    for listed in zoo::listed() {
        if serde_json::to_value(&listed.network)?["name"] != name.as_str() {
            continue;
        }
        let network = listed.network.build(listed.classes, 1, DeviceConfig::Cpu)?;
        torch_script::export(network.as_ref(), &listed.input, &out)?;
        let shape: Vec<usize> = std::iter::once(4).chain(listed.input.iter().copied()).collect();
        let mut random = Random::keyed(&[1]);
        let values: Vec<f32> =
            (0..shape.iter().product()).map(|_| (2.0 * random.uniform() - 1.0) as f32).collect();
        let sizes: Vec<i64> = shape.iter().map(|&axis| axis as i64).collect();
        let input = Tensor::f_from_slice(&values)?.f_reshape(&sizes[..])?;
        let logits = TensorData::from_tensor(&tch::no_grad(|| network.forward(&input, Mode::Evaluate))?)?;
        let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let (input, output) = (bytes(&values), bytes(&logits.values));
        let tensors = HashMap::from([
            ("input", TensorView::new(Dtype::F32, shape, &input)?),
            ("logits", TensorView::new(Dtype::F32, logits.shape.clone(), &output)?),
        ]);
        std::fs::write(out.with_extension("safetensors"), safetensors::serialize(tensors, None)?)?;
        println!("{}: {} logits", out.display(), logits.values.len());
        return Ok(());
    }
    Err(format!("{name} is no network of the zoo").into())
}
