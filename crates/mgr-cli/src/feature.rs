//! Which feature a command computes: one by name, or one from a file.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use mgr_features::{FeatureConfig, presets};

/// The rate of features that are not tied to one.
const SAMPLE_RATE: u32 = 22_050;

/// Name, configuration, sampling rate.
type Preset = (&'static str, fn() -> FeatureConfig, u32);

/// The front ends of published systems.
const PRESETS: [Preset; 2] = [
    ("musicnn", || FeatureConfig::LogMel(presets::musicnn()), 16_000),
    ("gtzan8", || FeatureConfig::LogMel(presets::gtzan8()), 16_000),
];

#[derive(Args)]
pub(crate) struct Choice {
    /// A feature with its reference's defaults at 22,050 Hz, or the front end of a published system at its own rate.
    #[arg(long, value_name = "NAME", default_value = "log_mel", conflicts_with = "config",
        value_parser = PossibleValuesParser::new(names()))]
    feature: String,
    /// TOML or JSON file with a feature of your own, such as: feature = "mel", bank.n_mels = 64.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sampling rate that files are brought to.
    #[arg(long, value_name = "HZ")]
    sample_rate: Option<u32>,
}

/// All names, features first.
pub(crate) fn names() -> Vec<&'static str> {
    FeatureConfig::NAMES.iter().copied().chain(PRESETS.iter().map(|preset| preset.0)).collect()
}

/// The feature or preset of this name and its sampling rate.
pub(crate) fn named(name: &str) -> Option<(FeatureConfig, u32)> {
    let preset = PRESETS.iter().find(|preset| preset.0 == name);
    preset
        .map(|(_, config, rate)| (config(), *rate))
        .or_else(|| FeatureConfig::named(name).map(|config| (config, SAMPLE_RATE)))
}

impl Choice {
    /// The feature and its sampling rate.
    pub(crate) fn resolve(&self) -> Result<(FeatureConfig, u32), String> {
        let (config, rate) = match &self.config {
            None => named(&self.feature).ok_or_else(|| format!("no feature is named {}", self.feature))?,
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
                let json = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
                let config: Result<FeatureConfig, String> = if json {
                    serde_json::from_str(&text).map_err(|e| e.to_string())
                } else {
                    toml::from_str(&text).map_err(|e| e.message().to_owned())
                };
                (config.map_err(|e| format!("{}: not a feature: {e}", path.display()))?, SAMPLE_RATE)
            }
        };
        Ok((config, self.sample_rate.unwrap_or(rate)))
    }
}
