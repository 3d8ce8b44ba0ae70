//! Tensors that train in another way than the rest.

use serde::{Deserialize, Serialize};

use super::config::{check_number, invalid};
use crate::Error;

/// Learning rate, weight decay or freezing of the tensors whose name begins and ends as given. The first group of the list
/// that fits a tensor is its group; a tensor that fits none trains as the optimiser says.
///
/// ```
/// use mgr_models::train::{GroupConfig, TrainConfig};
/// // No weight decay on biases, a tenth of the rate for the first block.
/// let bias = GroupConfig { suffix: ".bias".into(), weight_decay: Some(0.0), ..GroupConfig::default() };
/// let first = GroupConfig { prefix: "conv0.".into(), rate_factor: 0.1, ..GroupConfig::default() };
/// TrainConfig { groups: vec![bias, first], ..TrainConfig::default() }.plan()?;
/// # Ok::<(), mgr_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupConfig {
    /// How the names begin. Default empty: any.
    pub prefix: String,
    /// How the names end. Default empty: any.
    pub suffix: String,
    /// What the learning rate is multiplied by, 0 to 1,000,000. Default 1.
    pub rate_factor: f64,
    /// Weight decay in place of the optimiser's, at least 0. Default none: the optimiser's.
    pub weight_decay: Option<f64>,
    /// Whether the tensors stay as they are. Statistics of batch normalisation still move. Default no.
    pub frozen: bool,
}

impl Default for GroupConfig {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            suffix: String::new(),
            rate_factor: 1.0,
            weight_decay: None,
            frozen: false,
        }
    }
}

impl GroupConfig {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.prefix.is_empty() && self.suffix.is_empty() {
            return Err(invalid("groups", "without prefix and suffix", "a prefix, a suffix or both"));
        }
        check_number("groups.rate_factor", self.rate_factor, 0.0, 1e6, "0 to below 1000000")?;
        let decay = self.weight_decay.unwrap_or(0.0);
        check_number("groups.weight_decay", decay, 0.0, f64::MAX, "finite, 0 and more")
    }

    /// Whether a tensor of this name belongs to the group.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        name.starts_with(&self.prefix) && name.ends_with(&self.suffix)
    }
}
