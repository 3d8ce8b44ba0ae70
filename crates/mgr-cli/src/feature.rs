//! Which feature a command computes: one by name, or one from a file.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;
use mgr_features::{FeatureConfig, presets};
use serde::de::DeserializeOwned;

/// The rate of features that are not tied to one.
const SAMPLE_RATE: u32 = 22_050;

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

/// All names, features first; a preset of a feature's name stands for it.
pub(crate) fn names() -> Vec<&'static str> {
    let presets = presets::all().into_iter().map(|preset| preset.name);
    let others = presets.filter(|name| !FeatureConfig::NAMES.contains(name));
    FeatureConfig::NAMES.iter().copied().chain(others).collect()
}

/// The feature or preset of this name and its sampling rate.
pub(crate) fn named(name: &str) -> Option<(FeatureConfig, u32)> {
    presets::named(name)
        .map(|preset| (preset.config, preset.sample_rate))
        .or_else(|| FeatureConfig::named(name).map(|config| (config, SAMPLE_RATE)))
}

/// A value from a TOML or JSON file.
pub(crate) fn read<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let json = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
    let value: Result<T, String> = if json {
        serde_json::from_str(&text).map_err(|e| e.to_string())
    } else {
        toml::from_str(&text).map_err(|e| e.message().to_owned())
    };
    value.map_err(|e| format!("{}: not a {what}: {e}", path.display()))
}

impl Choice {
    /// The feature and its sampling rate.
    pub(crate) fn resolve(&self) -> Result<(FeatureConfig, u32), String> {
        let (config, rate) = match &self.config {
            None => named(&self.feature).ok_or_else(|| format!("no feature is named {}", self.feature))?,
            Some(path) => (read(path, "feature")?, SAMPLE_RATE),
        };
        Ok((config, self.sample_rate.unwrap_or(rate)))
    }

    /// The sampling rate for features that are not tied to one.
    pub(crate) fn rate(&self) -> u32 {
        self.sample_rate.unwrap_or(SAMPLE_RATE)
    }
}
