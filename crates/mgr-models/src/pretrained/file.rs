//! Imported weights as one file of our own.

use std::collections::BTreeMap;
use std::path::Path;

use mgr_data::sha256_hex;
use serde::{Deserialize, Serialize};

use super::front_end::{FrontEnd, Patch};
use super::{WeightMap, catalogue, read, read_file, with_ending};
use crate::device::DeviceConfig;
use crate::tensor_file::{self, Tensors, malformed};
use crate::zoo::NetworkConfig;
use crate::{Error, Network, TensorData};

const FORMAT: &str = "mgr-pretrained-1";
const KIND: &str = "file of pretrained weights";

/// Where imported weights come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Author and package or repository.
    pub source: String,
    /// The licence that the authors give.
    pub licence: String,
    /// Name of the file that was imported, without its folder.
    pub file: String,
    /// SHA-256 of that file, in hexadecimal.
    pub sha256: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    name: String,
    network: Option<NetworkConfig>,
    front_end: Option<(FrontEnd, Patch)>,
    tags: Vec<String>,
    provenance: Provenance,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    facts: Facts,
}

/// Weights of a published network, apart from libtorch, with all that is needed to use them: the network, its front end,
/// the names of its outputs, source and licence.
///
/// On disk it is one safetensors file with a JSON header and a digest, as [`crate::SavedNetwork`].
#[derive(Debug, Clone, PartialEq)]
pub struct Pretrained {
    facts: Facts,
    tensors: Tensors,
}

impl Pretrained {
    /// Reads a weight file of any format and maps it onto the network of that name.
    ///
    /// # Errors
    /// The errors of [`read`], [`super::published`] and [`super::Published::convert`], and [`Error::TensorMismatch`] where
    /// the tensors are not those of the network.
    pub fn import(path: &Path, name: &str) -> Result<Self, Error> {
        let map = read(path)?;
        let index = with_ending(path, ".index");
        let content = if !path.is_file() && index.is_file() { &index } else { path };
        let file = content.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::convert(map, name, file, sha256_hex(&read_file(content)?))
    }

    /// Maps tensors that were read from `file` onto the network of that name.
    pub(super) fn convert(map: WeightMap, name: &str, file: String, sha256: String) -> Result<Self, Error> {
        let published = catalogue::published(name)?;
        let tensors = published.convert(map)?;
        let facts = Facts {
            name: published.name.to_owned(),
            network: published.network.clone(),
            front_end: published.front_end,
            tags: published.tags(),
            provenance: Provenance {
                source: published.source.to_owned(),
                licence: published.licence.to_owned(),
                file,
                sha256,
            },
        };
        let pretrained = Self { facts, tensors };
        pretrained.check()?;
        Ok(pretrained)
    }

    /// Its name in the catalogue.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// The network; none for weights that are parts of several networks.
    #[must_use]
    pub fn network(&self) -> Option<&NetworkConfig> {
        self.facts.network.as_ref()
    }

    /// What the network hears.
    #[must_use]
    pub fn front_end(&self) -> Option<(FrontEnd, Patch)> {
        self.facts.front_end
    }

    /// The names of the outputs, in order.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        &self.facts.tags
    }

    /// Where it comes from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.facts.provenance
    }

    /// The tensors under the names of the network.
    #[must_use]
    pub fn tensors(&self) -> &BTreeMap<String, TensorData> {
        &self.tensors
    }

    /// Number of values of all tensors, recorded statistics and tables included.
    #[must_use]
    pub fn values(&self) -> usize {
        self.tensors.values().map(|data| data.values.len()).sum()
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        tensor_file::write(
            path,
            &Header { format: FORMAT.to_owned(), facts: self.facts.clone() },
            &self.tensors,
        )
    }

    /// Reads a file that [`Pretrained::save`] wrote.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, [`Error::MalformedFile`] where it is truncated, damaged or something else.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let (header, tensors): (Header, Tensors) = tensor_file::read(path, KIND)?;
        if header.format != FORMAT {
            return Err(malformed(path, KIND, format!("format is {}, expected {FORMAT}", header.format)));
        }
        Ok(Self { facts: header.facts, tensors })
    }

    /// Checks that the tensors are those of the network.
    ///
    /// # Errors
    /// [`Error::TensorMismatch`].
    pub fn check(&self) -> Result<(), Error> {
        if self.facts.network.is_some() { self.build(DeviceConfig::Cpu).map(|_| ()) } else { Ok(()) }
    }

    /// Builds the network with these weights.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for weights that are no whole network; [`Error::TensorMismatch`] where the tensors are not
    /// those of the network; [`Error::CudaUnavailable`].
    pub fn build(&self, device: DeviceConfig) -> Result<Box<dyn Network>, Error> {
        let config = self.facts.network.as_ref().ok_or_else(|| Error::InvalidConfig {
            field: "weights",
            value: self.facts.name.clone(),
            allowed: "weights of a whole network",
        })?;
        let network = config.build(self.facts.tags.len(), 0, device)?;
        network.parameters().load_data(&self.tensors)?;
        Ok(network)
    }
}
