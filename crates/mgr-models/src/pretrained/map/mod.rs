//! Maps from the tensors of a file onto those of a network, one file for each family.
//!
//! Every map takes each tensor once, by name and shape, and refuses what is left over: a file of another network, or of
//! another version of it, is told from the right one.

mod keras;
mod musicnn;
mod sota;
mod vgg16;

use std::collections::BTreeMap;

pub(super) use keras::{choi_cnn, choi_crnn, choi_crnn_std, choi_transfer, choi_transfer_keras2, genre_crnn};
pub(super) use musicnn::{musicnn, musicnn_vgg};
pub(super) use sota::sota;
pub(super) use vgg16::vgg16;

use super::WeightMap;
use crate::parameters::mismatch;
use crate::{Error, TensorData};

/// Tensors under the names of one of our networks.
pub(super) type Tensors = BTreeMap<String, TensorData>;

/// A map.
pub(super) type Map = fn(WeightMap) -> Result<Tensors, Error>;

/// The tensors of a file that have not been taken yet, and what has been made of the others.
struct Mapping {
    left: Tensors,
    made: Tensors,
}

impl Mapping {
    /// `rename` gives a tensor the name that the map knows it by; none leaves it out on purpose.
    fn new(map: WeightMap, rename: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let mut left = Tensors::new();
        for (name, data) in map.into_tensors() {
            if let Some(short) = rename(&name)
                && left.insert(short.clone(), data).is_some()
            {
                return Err(mismatch(&name, &format!("there are two of {short}")));
            }
        }
        Ok(Self { left, made: Tensors::new() })
    }

    /// Takes a tensor of this name and shape.
    fn take(&mut self, name: &str, shape: &[usize]) -> Result<TensorData, Error> {
        let data = self.left.remove(name).ok_or_else(|| mismatch(name, "missing"))?;
        if data.shape != shape {
            return Err(mismatch(name, &format!("shape is {:?}, expected {shape:?}", data.shape)));
        }
        if let Some(index) = data.values.iter().position(|value| !value.is_finite()) {
            return Err(mismatch(name, &format!("value {index} is {}", data.values[index])));
        }
        Ok(data)
    }

    fn put(&mut self, name: impl Into<String>, data: TensorData) {
        self.made.insert(name.into(), data);
    }

    /// Takes a tensor as it is.
    fn same(&mut self, from: &str, to: &str, shape: &[usize]) -> Result<(), Error> {
        let data = self.take(from, shape)?;
        self.put(to, data);
        Ok(())
    }

    /// What has been made, if nothing is left.
    fn finish(self) -> Result<Tensors, Error> {
        match self.left.keys().next() {
            None => Ok(self.made),
            Some(name) => {
                let more = self.left.len() - 1;
                Err(mismatch(name, &format!("not a tensor of this network, and {more} more are not")))
            }
        }
    }
}
