//! Augmentation of datasets: a chain of steps from a file, on the fly or as a folder of variants with a log.
//!
//! A clip has variants by number: 0 is the clip itself, 1 and above are augmented. A variant is a pure function of the
//! configuration, the clip's name, its samples and the number, so it is the same in any order and on any thread, and what
//! [`Augmenter::variant`] gives while training is what [`Augmenter::expand`] writes to disk. The draws are the same on every
//! platform, and so are the samples but for time stretch and pitch shift, whose transforms may differ in the last bits.
//!
//! ```
//! use mgr_data::augment::AugmentConfig;
//!
//! let json = r#"{"seed": 7, "variants": 2, "steps": [
//!     {"step": "white_noise", "level": {"snr_db": {"uniform": [10, 30]}}},
//!     {"step": "gain", "gain_db": {"uniform": [-6, 6]}, "probability": 0.5}
//! ]}"#;
//! let augmenter = serde_json::from_str::<AugmentConfig>(json)?.plan(16_000)?;
//! let clip: Vec<f32> = (0..16_000).map(|n| (n as f32 * 0.1).sin()).collect();
//! let first = augmenter.variant("blues/one.wav", &clip, 1)?;
//! assert_ne!(first.samples, augmenter.variant("blues/one.wav", &clip, 2)?.samples);
//! assert_eq!(augmenter.replay(&clip, &first.log)?.samples, first.samples);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod expand;
mod speed;

use std::path::PathBuf;

use mgr_audio::augment::{
    AugmentError, Background, BackgroundMixConfig, Chain, CircularShiftConfig, Draw, FadeConfig, GainConfig,
    HighPassConfig, LowPassConfig, PolarityInversionConfig, Random, Step, StepLog, WhiteNoiseConfig,
};
use mgr_audio::{LoadConfig, Loader};
use serde::{Deserialize, Serialize};

use crate::{DataError, sha256_hex};

pub use expand::Expansion;
pub use speed::{PitchShiftStepConfig, TimeStretchStepConfig};

/// Most variants of a clip.
const MAX_VARIANTS: u32 = 10_000;

/// A chain of augmentations, as a TOML or JSON file describes it.
///
/// ```toml
/// seed = 7
/// variants = 2
///
/// [[steps]]
/// step = "white_noise"
/// level = { snr_db = { uniform = [10, 30] } }
///
/// [[steps]]
/// step = "background_mix"
/// files = ["noise/rain.wav", "noise/street.flac"]
/// probability = 0.5
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentConfig {
    /// Seed of every draw. Default 20.
    pub seed: u64,
    /// Augmented variants of a clip in [`Augmenter::expand`], 1 to 10,000. Default 1.
    pub variants: u32,
    /// Whether [`Augmenter::expand`] writes the clip itself too, as variant 0. Default true.
    pub originals: bool,
    /// The steps in order; none leaves clips as they are. Default none.
    pub steps: Vec<StepConfig>,
}

impl Default for AugmentConfig {
    fn default() -> Self {
        Self { seed: 20, variants: 1, originals: true, steps: Vec::new() }
    }
}

/// One step, told by its name in the field `step`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepConfig {
    /// White noise.
    WhiteNoise(WhiteNoiseConfig),
    /// Circular shift in time.
    CircularShift(CircularShiftConfig),
    /// Gain.
    Gain(GainConfig),
    /// Polarity inversion.
    PolarityInversion(PolarityInversionConfig),
    /// Fades at both ends.
    Fade(FadeConfig),
    /// Butterworth low-pass.
    LowPass(LowPassConfig),
    /// Butterworth high-pass.
    HighPass(HighPassConfig),
    /// A background from files.
    BackgroundMix(BackgroundFilesConfig),
    /// Another speed at the same pitch.
    TimeStretch(TimeStretchStepConfig),
    /// Another pitch at the same speed.
    PitchShift(PitchShiftStepConfig),
}

/// A background out of audio files under the clip; else as [`BackgroundMixConfig`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackgroundFilesConfig {
    /// Audio files, each as likely; brought to the clips' rate, channels averaged. A relative path starts at the working
    /// directory. In logs a background goes by its path as it stands here. Default none, which [`AugmentConfig::plan`] refuses.
    pub files: Vec<PathBuf>,
    /// Signal-to-noise ratio over the clip in dB, -120 to 120. Default uniform from 3 to 30.
    pub snr_db: Draw,
    /// Probability that the step is applied, 0 to 1. Default 1.
    pub probability: f64,
}

impl Default for BackgroundFilesConfig {
    fn default() -> Self {
        let BackgroundMixConfig { snr_db, probability } = BackgroundMixConfig::default();
        Self { files: Vec::new(), snr_db, probability }
    }
}

impl BackgroundFilesConfig {
    fn plan(&self, loader: &Loader, sample_rate: u32) -> Result<Step, DataError> {
        let read = |path: &PathBuf| {
            let clip = loader.load(path)?;
            Ok(Background::new(path.display().to_string(), clip.samples)?)
        };
        let backgrounds = self.files.iter().map(read).collect::<Result<Vec<_>, DataError>>()?;
        let mix = BackgroundMixConfig { snr_db: self.snr_db.clone(), probability: self.probability };
        Ok(mix.plan(sample_rate, backgrounds)?)
    }
}

impl StepConfig {
    fn plan(&self, loader: &Loader, sample_rate: u32) -> Result<Step, DataError> {
        Ok(match self {
            Self::WhiteNoise(config) => config.plan(sample_rate)?,
            Self::CircularShift(config) => config.plan(sample_rate)?,
            Self::Gain(config) => config.plan(sample_rate)?,
            Self::PolarityInversion(config) => config.plan(sample_rate)?,
            Self::Fade(config) => config.plan(sample_rate)?,
            Self::LowPass(config) => config.plan(sample_rate)?,
            Self::HighPass(config) => config.plan(sample_rate)?,
            Self::BackgroundMix(config) => config.plan(loader, sample_rate)?,
            Self::TimeStretch(config) => config.plan(sample_rate)?,
            Self::PitchShift(config) => config.plan(sample_rate)?,
        })
    }
}

impl AugmentConfig {
    /// The augmentation of the GTZAN-8 study (Choi, KAIST GCT634, 2020), for clips at 16,000 Hz: noise of amplitude 0.0025, a circular
    /// shift by 0 to 7,999 samples, a time stretch by 0.8, 0.9, 1.0 or 1.1; one variant beside each clip. The study drew without a
    /// seed; here it is the default one.
    #[must_use]
    pub fn gtzan8() -> Self {
        let stretch = TimeStretchStepConfig {
            rate: Draw::OneOf(vec![0.8, 0.9, 1.0, 1.1]),
            ..TimeStretchStepConfig::default()
        };
        let steps = vec![
            StepConfig::WhiteNoise(WhiteNoiseConfig::default()),
            StepConfig::CircularShift(CircularShiftConfig::default()),
            StepConfig::TimeStretch(stretch),
        ];
        Self { steps, ..Self::default() }
    }

    /// Checks the steps, reads the background files and plans the chain for clips of `sample_rate`.
    ///
    /// # Errors
    /// [`DataError::Augment`] for the number of variants, [`DataError::Audio`] for the rate, [`DataError::AugmentStep`] with the
    /// place of a step that has a field outside its range or a background that cannot be read.
    pub fn plan(&self, sample_rate: u32) -> Result<Augmenter, DataError> {
        if !(1..=MAX_VARIANTS).contains(&self.variants) {
            let allowed = format!("1 to {MAX_VARIANTS}");
            return Err(AugmentError::config("variants", self.variants, allowed).into());
        }
        let loader = LoadConfig { sample_rate: Some(sample_rate), ..LoadConfig::default() }.plan()?;
        let steps = self.steps.iter().enumerate().map(|(index, step)| {
            let place = |source| DataError::AugmentStep { step: index + 1, source: Box::new(source) };
            step.plan(&loader, sample_rate).map_err(place)
        });
        let chain = Chain::new(steps.collect::<Result<_, _>>()?);
        Ok(Augmenter { config: self.clone(), sample_rate, loader, chain })
    }
}

/// Everything that was drawn for one variant of one clip: a line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantLog {
    /// Name of the clip: in a dataset, the `id` of its [`Track`](crate::dataset::Track).
    pub clip: String,
    /// Number of the variant; 0 is the clip itself.
    pub variant: u32,
    /// Seed of the variant's draws, made of the chain's seed, the clip's name and the number.
    pub seed: u64,
    /// Samples per second.
    pub sample_rate: u32,
    /// Samples of the clip.
    pub samples_in: usize,
    /// Samples of the variant.
    pub samples_out: usize,
    /// The steps; none for variant 0.
    pub steps: Vec<StepLog>,
}

/// A variant and its log.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Variant {
    /// The samples.
    pub samples: Vec<f32>,
    /// What was drawn.
    pub log: VariantLog,
}

/// A planned chain. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Augmenter {
    config: AugmentConfig,
    sample_rate: u32,
    loader: Loader,
    chain: Chain,
}

impl Augmenter {
    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &AugmentConfig {
        &self.config
    }

    /// Samples per second of the clips.
    #[must_use]
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Variant `variant` of a clip; `clip` is its name, which keys its draws. Variant 0 is the clip as it is.
    ///
    /// # Errors
    /// [`DataError::ClipAugment`] for a clip without samples, with samples that are not finite, or where a step fails.
    pub fn variant(&self, clip: &str, samples: &[f32], variant: u32) -> Result<Variant, DataError> {
        // 64 bits of a digest name the clip; 53 bits of the seed are what every reader of JSON holds.
        let name = u64::from_str_radix(sha256_hex(clip.as_bytes()).get(..16).unwrap_or_default(), 16);
        let keys = [name.unwrap_or_default(), u64::from(variant)];
        let seed = Random::key(self.config.seed, &keys) >> 11;
        let empty = Chain::default();
        let chain = if variant == 0 { &empty } else { &self.chain };
        let augmented = chain.process(samples, seed).map_err(DataError::clip_augment(clip))?;
        let log = VariantLog {
            clip: clip.to_owned(),
            variant,
            seed,
            sample_rate: self.sample_rate,
            samples_in: samples.len(),
            samples_out: augmented.samples.len(),
            steps: augmented.log,
        };
        Ok(Variant { samples: augmented.samples, log })
    }

    /// The variant that a log tells of, from the clip's samples: the same to the last bit, also where seed, ranges or
    /// probabilities have changed since.
    ///
    /// # Errors
    /// [`DataError::ClipAugment`] for the log of another chain, clip length or sample rate, and as [`variant`](Self::variant).
    pub fn replay(&self, samples: &[f32], log: &VariantLog) -> Result<Variant, DataError> {
        let refuse = |reason| {
            let source = AugmentError::log("all", reason);
            Err(DataError::ClipAugment { name: log.clip.clone(), source })
        };
        if log.sample_rate != self.sample_rate {
            return refuse(format!("made at {} Hz, here are {} Hz", log.sample_rate, self.sample_rate));
        }
        if log.samples_in != samples.len() {
            return refuse(format!("made of {} samples, here are {}", log.samples_in, samples.len()));
        }
        let empty = Chain::default();
        let chain = if log.variant == 0 { &empty } else { &self.chain };
        let augmented = chain.replay(samples, &log.steps).map_err(DataError::clip_augment(&log.clip))?;
        Ok(Variant { samples: augmented.samples, log: log.clone() })
    }
}
