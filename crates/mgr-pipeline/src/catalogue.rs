//! The features that a run may name, and what each of them is.

use mgr_features::cqt::CqtConfig;
use mgr_features::hpss::HpssSpectrogramConfig;
use mgr_features::rhythm_pattern::{RhythmPart, RpFeaturesConfig};
use mgr_features::scattering::MlfcfScatteringConfig;
use mgr_features::timbre::{TimbreConfig, TimbreOutput};
use mgr_features::vector_sets::ChoiMfcc120Config;
use mgr_features::{FeatureConfig, mlfcf, presets};
use serde::{Deserialize, Serialize};

use crate::PipelineError;

/// What a feature is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Source {
    /// A matrix (rows, frames) of every segment.
    Matrix {
        /// Sampling rate in Hz.
        sample_rate: u32,
        /// The feature.
        feature: FeatureConfig,
        /// Whether the natural logarithm is taken, with 1e-6 in place of zeros; that of the others is their own.
        ln: bool,
    },
    /// A vector of the whole clip, which is repeated where it is shorter than the feature needs.
    Vector {
        /// Sampling rate in Hz.
        sample_rate: u32,
        /// The feature.
        feature: FeatureConfig,
    },
    /// The mean over the patches of inner outputs of a pretrained network; clips shorter than a patch are repeated.
    Embedding {
        /// Name of the weights.
        weights: String,
        /// Names of the outputs, put one after the other; `scores` are the tag probabilities.
        outputs: Vec<String>,
    },
}

/// The names that [`source`] knows besides presets and pretrained weights, with what they are.
pub const NAMES: [(&str, &str); 14] = [
    ("mel", "log-mel spectrogram of the paper, 128 bands"),
    ("cqt", "log constant-Q spectrogram of the paper, 84 bins"),
    ("harmonic", "harmonic part of the paper, 257 bins"),
    ("percussive", "percussive part of the paper, 257 bins"),
    ("scatter", "log scattering of the paper, 280 paths"),
    ("timbre", "texture windows of Marsyas, 62 rows"),
    ("timbre_vector", "Marsyas, 124 values a clip"),
    ("rhythm", "rhythm histogram, 60 values"),
    ("ssd", "statistical spectrum descriptor, 168 values"),
    ("rp", "rhythm pattern, 1440 values"),
    ("mfcc", "MFCC statistics, 120 values"),
    ("transfer", "Choi's transfer features, 160 values (needs the weights choi-transfer)"),
    ("musicnn", "musicnn's pooled features and tags (needs the weights musicnn-msd)"),
    ("musicnn_mtt", "the same of MagnaTagATune (needs the weights musicnn-mtt)"),
];

/// The feature of a name: one of [`NAMES`], a preset of mgr-features that gives a vector a clip, or pretrained weights, as
/// `won-musicnn-mtat` or with outputs, `won-musicnn-mtat:mean_pool+scores`.
///
/// # Errors
/// [`PipelineError::Config`] for any other name.
pub fn source(name: &str) -> Result<Source, PipelineError> {
    let matrix = |feature| Source::Matrix { sample_rate: 22_050, feature, ln: false };
    let vector = |sample_rate, feature| Source::Vector { sample_rate, feature };
    let rhythm = |part| {
        vector(
            22_050,
            FeatureConfig::RpFeatures(RpFeaturesConfig { parts: vec![part], ..RpFeaturesConfig::default() }),
        )
    };
    let embedding = |weights: &str, outputs: &[&str]| Source::Embedding {
        weights: weights.to_owned(),
        outputs: outputs.iter().map(|&o| o.to_owned()).collect(),
    };
    let part = |part: HpssSpectrogramConfig| matrix(FeatureConfig::HpssSpectrogram(part));
    Ok(match name {
        "mel" => matrix(FeatureConfig::LogMel(mlfcf::mel())),
        "cqt" => Source::Matrix { sample_rate: 22_050, feature: cqt(), ln: true },
        "harmonic" => part(mlfcf::harmonic()),
        "percussive" => part(mlfcf::percussive()),
        "scatter" => matrix(FeatureConfig::MlfcfScattering(MlfcfScatteringConfig::default())),
        "timbre" => matrix(FeatureConfig::Timbre(TimbreConfig::default())),
        "timbre_vector" => {
            let config = TimbreConfig { output: TimbreOutput::Clip, ..TimbreConfig::default() };
            vector(22_050, FeatureConfig::Timbre(config))
        }
        "rhythm" => rhythm(RhythmPart::Rh),
        "ssd" => rhythm(RhythmPart::Ssd),
        "rp" => rhythm(RhythmPart::Rp),
        "mfcc" => vector(12_000, FeatureConfig::ChoiMfcc120(ChoiMfcc120Config::default())),
        "transfer" => embedding("choi-transfer", &["features"]),
        "musicnn" => embedding("musicnn-msd", &["mean_pool", "penultimate", "scores"]),
        "musicnn_mtt" => embedding("musicnn-mtt", &["mean_pool", "penultimate", "scores"]),
        other => return preset_or_weights(other),
    })
}

fn preset_or_weights(name: &str) -> Result<Source, PipelineError> {
    let (weights, outputs) = name.split_once(':').unwrap_or((name, ""));
    if let Ok(published) = mgr_models::pretrained::published(weights) {
        let default = match published.network {
            Some(
                mgr_models::zoo::NetworkConfig::TaggingMusicnn | mgr_models::zoo::NetworkConfig::Musicnn(_),
            ) => "mean_pool+penultimate+scores",
            Some(mgr_models::zoo::NetworkConfig::ChoiTransfer(_)) => "features",
            Some(mgr_models::zoo::NetworkConfig::MusicnnVgg) => "pool5+scores",
            Some(_) => "embedding+scores",
            None => {
                return Err(PipelineError::config("features", name, "weights of a network that hears audio"));
            }
        };
        let outputs = if outputs.is_empty() { default } else { outputs };
        return Ok(Source::Embedding {
            weights: weights.to_owned(),
            outputs: outputs.split('+').map(str::to_owned).collect(),
        });
    }
    let known = || {
        let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        format!(
            "{}, a preset that gives one vector a clip, or a name of `mgr weights list --all`",
            names.join(", ")
        )
    };
    let unknown = || PipelineError::config("features", name, known());
    let (config, rate) = match presets::named(name) {
        Some(preset) => (preset.config, preset.sample_rate),
        None => match name {
            "gtzan57" => (FeatureConfig::Gtzan57(Default::default()), 22_050),
            "fma518" => (FeatureConfig::Fma518(Default::default()), 44_100),
            "bahuleyan97" => (FeatureConfig::Bahuleyan97(Default::default()), 22_050),
            _ => return Err(unknown()),
        },
    };
    // Ten seconds tell one column from many.
    let layout = config.plan(rate)?.layout(10 * rate as usize)?;
    if layout.columns == 1 {
        Ok(Source::Vector { sample_rate: rate, feature: config })
    } else {
        Ok(Source::Matrix { sample_rate: rate, feature: config, ln: false })
    }
}

/// 84 bins from C2, 12 an octave, every 1024 samples.
fn cqt() -> FeatureConfig {
    FeatureConfig::Cqt(CqtConfig { hop_length: 1024, f_min: 65.406_391_325_149_66, ..CqtConfig::default() })
}
