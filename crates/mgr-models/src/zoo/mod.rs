//! Published networks, one file each, with their parameter counts as tests.

mod base_2d_cnn;

use serde::{Deserialize, Serialize};

pub use base_2d_cnn::Base2dCnn;

use crate::device::DeviceConfig;
use crate::{Error, Network};

/// A network of the zoo by name, as written in configs and saved files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum NetworkConfig {
    /// [`Base2dCnn`].
    #[serde(rename = "base_2d_cnn")]
    Base2dCnn,
}

impl NetworkConfig {
    /// Builds the network with initial weights drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for fewer than 2 or more than 65,536 classes, [`Error::CudaUnavailable`].
    pub fn build(&self, classes: usize, seed: u64, device: DeviceConfig) -> Result<Box<dyn Network>, Error> {
        match self {
            Self::Base2dCnn => Ok(Box::new(Base2dCnn::new(classes, seed, device)?)),
        }
    }
}

/// Checks a class count.
fn check_classes(classes: usize) -> Result<(), Error> {
    if (2..=65_536).contains(&classes) {
        return Ok(());
    }
    Err(Error::InvalidConfig { field: "classes", value: classes.to_string(), allowed: "2 to 65536" })
}
