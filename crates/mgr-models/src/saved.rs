//! A trained network as one file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::device::DeviceConfig;
use crate::tensor_file::{self, Tensors, malformed};
use crate::zoo::NetworkConfig;
use crate::{Error, InputSpec, Network, TensorData};

const FORMAT: &str = "mgr-network-1";

/// What a saved network says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkFacts {
    /// Which network of the zoo.
    pub network: NetworkConfig,
    /// Name of every class, in label order.
    pub classes: Vec<String>,
    /// The inputs it takes.
    pub input: InputSpec,
    /// Whatever the caller needs to make inputs: features, standardisation, ... Default empty.
    pub notes: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    facts: NetworkFacts,
}

/// A trained network apart from libtorch: facts, weights and buffers.
///
/// On disk it is one safetensors file: tensors under PyTorch's `state_dict` names, and a JSON header in the metadata entry
/// `mgr` with a SHA-256 over everything.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedNetwork {
    facts: NetworkFacts,
    tensors: BTreeMap<String, TensorData>,
}

impl SavedNetwork {
    /// Copies a network of the zoo.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] where there is not one name per class, [`Error::TensorMismatch`] where `config` is not the
    /// config the network was built from, [`Error::Torch`].
    pub fn new(
        config: NetworkConfig,
        network: &dyn Network,
        classes: Vec<String>,
        notes: BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        if classes.len() != network.classes() {
            let (got, expected) = (classes.len(), network.classes());
            return Err(Error::LengthMismatch { what: "class names", got, expected });
        }
        let facts = NetworkFacts { network: config, classes, input: network.input().clone(), notes };
        let saved = Self { facts, tensors: network.parameters().to_data()? };
        saved.build(DeviceConfig::Cpu)?;
        Ok(saved)
    }

    /// What it says about itself.
    #[must_use]
    pub fn facts(&self) -> &NetworkFacts {
        &self.facts
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        tensor_file::write(
            path,
            &Header { format: FORMAT.to_string(), facts: self.facts.clone() },
            &self.tensors,
        )
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, [`Error::MalformedFile`] where it is truncated, damaged or something else.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let (header, tensors): (Header, Tensors) = tensor_file::read(path, "saved network")?;
        if header.format != FORMAT {
            return Err(malformed(
                path,
                "saved network",
                format!("format is {}, expected {FORMAT}", header.format),
            ));
        }
        Ok(Self { facts: header.facts, tensors })
    }

    /// Builds the network with the saved weights.
    ///
    /// # Errors
    /// [`Error::TensorMismatch`] where the tensors are not those of the network, [`Error::InvalidConfig`] for an impossible
    /// number of classes, [`Error::CudaUnavailable`].
    pub fn build(&self, device: DeviceConfig) -> Result<Box<dyn Network>, Error> {
        let network = self.facts.network.build_blank(self.facts.classes.len(), device)?;
        network.parameters().load_data(&self.tensors)?;
        Ok(network)
    }
}
