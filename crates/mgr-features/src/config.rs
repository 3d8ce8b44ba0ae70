//! Any feature as one value that a TOML or JSON file can hold.

use serde::{Deserialize, Serialize};

use crate::FeatureError;
use crate::extractor::Extractor;
use crate::log_mel::LogMelConfig;
use crate::mel::MelConfig;
use crate::spectrogram::SpectrogramConfig;

/// The configuration of any feature, tagged by its name.
///
/// ```
/// use mgr_features::FeatureConfig;
/// let config: FeatureConfig = toml::from_str(r#"
///     feature = "log_mel"
///     compression = { ln = { floor = 1e-6 } }
///     [mel.stft]
///     hop_length = 1024
/// "#).unwrap();
/// let extractor = config.plan(22_050)?;
/// assert_eq!(extractor.extract(&vec![0.1; 220_500])?.dim(), (128, 216));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "feature", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FeatureConfig {
    /// Magnitude or power spectrogram.
    Spectrogram(SpectrogramConfig),
    /// Mel spectrogram.
    Mel(MelConfig),
    /// Log-mel spectrogram.
    LogMel(LogMelConfig),
}

impl FeatureConfig {
    /// The feature's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Spectrogram(_) => "spectrogram",
            Self::Mel(_) => "mel",
            Self::LogMel(_) => "log_mel",
        }
    }

    /// Counts changes of the code that change numbers; whoever stores a feature stores this with its configuration.
    #[must_use]
    pub fn version(&self) -> u32 {
        match self {
            Self::Spectrogram(_) | Self::Mel(_) | Self::LogMel(_) => 1,
        }
    }

    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`], from the feature's own `plan`.
    pub fn plan(&self, sample_rate: u32) -> Result<Box<dyn Extractor>, FeatureError> {
        Ok(match self {
            Self::Spectrogram(config) => Box::new(config.plan(sample_rate)?),
            Self::Mel(config) => Box::new(config.plan(sample_rate)?),
            Self::LogMel(config) => Box::new(config.plan(sample_rate)?),
        })
    }
}
