//! Safetensors files, by the crate `safetensors`.

use safetensors::tensor::{Dtype, SafeTensors};

use super::element::Element;
use super::{WeightError, WeightMap};

const FORMAT: &str = "safetensors file";

/// All tensors of a safetensors file. Its metadata is not looked at.
///
/// # Errors
/// [`WeightError::Malformed`], and [`WeightError::Unsupported`] for a number type of less than a byte.
pub fn read(bytes: &[u8]) -> Result<WeightMap, WeightError> {
    let file =
        SafeTensors::deserialize(bytes).map_err(|error| WeightError::malformed(FORMAT, error.to_string()))?;
    let mut map = WeightMap::default();
    for (name, view) in file.iter() {
        let element = match view.dtype() {
            Dtype::F16 => Element::F16,
            Dtype::BF16 => Element::Bf16,
            Dtype::F32 => Element::F32,
            Dtype::F64 => Element::F64,
            Dtype::I8 => Element::I8,
            Dtype::U8 => Element::U8,
            Dtype::I16 => Element::I16,
            Dtype::U16 => Element::U16,
            Dtype::I32 => Element::I32,
            Dtype::U32 => Element::U32,
            Dtype::I64 => Element::I64,
            Dtype::U64 => Element::U64,
            Dtype::BOOL => Element::Bool,
            other => return Err(WeightError::unsupported(FORMAT, format!("{other} in {name}"))),
        };
        let data = element.tensor(FORMAT, view.shape(), view.data(), false)?;
        map.insert(FORMAT, name.to_string(), data)?;
    }
    Ok(map)
}
