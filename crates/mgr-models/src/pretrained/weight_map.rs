//! Named tensors as a file holds them.

use std::collections::BTreeMap;

use super::WeightError;
use crate::TensorData;

/// The tensors of a weight file under the file's own names, in name order. Plain data: nothing of libtorch is needed to
/// read one.
///
/// Names join the levels of a file: `conv1/conv1_W` in HDF5, `layer1.conv.weight` in nested Python dictionaries.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WeightMap {
    tensors: BTreeMap<String, TensorData>,
}

impl WeightMap {
    /// A map of these tensors.
    #[must_use]
    pub fn new(tensors: BTreeMap<String, TensorData>) -> Self {
        Self { tensors }
    }

    /// How many tensors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// The tensor of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&TensorData> {
        self.tensors.get(name)
    }

    /// Names and tensors.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &TensorData)> {
        self.tensors.iter().map(|(name, data)| (name.as_str(), data))
    }

    /// The tensors as a plain map, which [`crate::Parameters::load_data`] takes.
    #[must_use]
    pub fn into_tensors(self) -> BTreeMap<String, TensorData> {
        self.tensors
    }

    pub(super) fn insert(
        &mut self,
        format: &'static str,
        name: String,
        data: TensorData,
    ) -> Result<(), WeightError> {
        if self.tensors.contains_key(&name) {
            return Err(WeightError::malformed(format, format!("two tensors are named {name}")));
        }
        self.tensors.insert(name, data);
        Ok(())
    }
}
