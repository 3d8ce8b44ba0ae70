//! Augmentation of datasets: a chain of steps from a file, on the fly or as a folder of variants with a log.
//!
//! A clip has variants by number: 0 is the clip itself, 1 and above are augmented. A variant is a pure function of the
//! configuration, the clip's name, its samples and the number, so it is the same in any order and on any thread, and what
//! [`Augmenter::variant`] gives while training is what [`Augmenter::expand`] writes to disk.
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

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use mgr_audio::augment::{
    AugmentError, Background, BackgroundMixConfig, Chain, CircularShiftConfig, Draw, FadeConfig, GainConfig,
    HighPassConfig, LowPassConfig, PolarityInversionConfig, Random, Step, StepLog, WhiteNoiseConfig,
};
use mgr_audio::{LoadConfig, Loader, WavFormat, write_wav};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::dataset::Track;
use crate::extract::FailedClip;
use crate::groups::Groups;
use crate::{DataError, sha256_hex, write_atomic};

/// Counts changes of augmentation that change numbers.
const AUGMENT_VERSION: u32 = 1;
/// Most variants of a clip.
const MAX_VARIANTS: u32 = 10_000;

/// Names of the files beside the variants of [`Augmenter::expand`].
const LOG_FILE: &str = "augment.jsonl";
const CONFIG_FILE: &str = "augment.json";
const GROUPS_FILE: &str = "groups.csv";

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
        })
    }
}

impl AugmentConfig {
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
    /// Name of the clip: in a dataset, [`Track::id`].
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

/// What became of the clips of a dataset.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expansion {
    /// The files written, below the folder, in the order of tracks and variants.
    pub files: Vec<PathBuf>,
    /// Clips that cannot be used, in the dataset's order.
    pub failed: Vec<FailedClip>,
}

/// A planned chain. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Augmenter {
    config: AugmentConfig,
    sample_rate: u32,
    loader: Loader,
    chain: Chain,
}

/// Where a variant of a track goes below the folder of an expansion: `blues/one.flac` as `blues/one.flac.v1.wav`.
fn file_name(id: &str, variant: u32) -> PathBuf {
    PathBuf::from(format!("{id}.v{variant}.wav"))
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

    /// Writes the variants of all tracks as a folder dataset, over all threads of rayon's current pool. `done` is called with the
    /// number of clips that are finished, bad ones included.
    ///
    /// Below `out`: each variant as a mono WAV of 32-bit floats under [`Track::id`] (`blues/one.flac` as
    /// `blues/one.flac.v1.wav`); `augment.jsonl`, a [`VariantLog`] a line, in the order of tracks and variants; `groups.csv`, which
    /// [`Groups::read`] takes and which keeps all variants of a track, and of its group in `groups`, on one side of a split;
    /// `augment.json` with the configuration. The bytes do not depend on the number of threads.
    ///
    /// A file that cannot be read, decoded or augmented is a [`FailedClip`], with none of its variants in the log, and the others
    /// go on.
    ///
    /// # Errors
    /// [`DataError`] when the folder cannot be written.
    pub fn expand(
        &self,
        tracks: &[Track],
        groups: &Groups,
        out: &Path,
        done: &(dyn Fn(usize) + Sync),
    ) -> Result<Expansion, DataError> {
        let finished = AtomicUsize::new(0);
        let results: Vec<_> = tracks
            .par_iter()
            .map(|track| {
                let result = self.expand_track(track, out);
                done(finished.fetch_add(1, Ordering::Relaxed) + 1);
                result
            })
            .collect();
        let (mut expansion, mut logs, mut table) = (Expansion::default(), Vec::new(), BTreeMap::new());
        for (index, (track, result)) in tracks.iter().zip(results).enumerate() {
            match result? {
                Ok(variants) => {
                    for log in variants {
                        let file = file_name(&track.id, log.variant);
                        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                        table.insert(stem, groups.group(track));
                        expansion.files.push(file);
                        logs.push(log);
                    }
                }
                Err(error) => {
                    expansion.failed.push(FailedClip { track: index, reason: error.to_string() });
                }
            }
        }
        write_atomic(&out.join(LOG_FILE), |file| {
            logs.iter().try_for_each(|log| {
                serde_json::to_writer(&mut *file, log)?;
                file.write_all(b"\n")
            })
        })?;
        write_atomic(&out.join(GROUPS_FILE), |file| {
            let mut writer = csv::Writer::from_writer(file);
            writer.write_record(["track", "artist"])?;
            table.iter().try_for_each(|(track, group)| writer.write_record([track, group]))?;
            writer.flush()
        })?;
        let config = serde_json::json!({
            "version": AUGMENT_VERSION,
            "sample_rate": self.sample_rate,
            "config": self.config,
        });
        write_atomic(&out.join(CONFIG_FILE), |file| Ok(serde_json::to_writer_pretty(file, &config)?))?;
        Ok(expansion)
    }

    /// The outer error is the folder's, which concerns the whole run; the inner one is the clip's own.
    fn expand_track(
        &self,
        track: &Track,
        out: &Path,
    ) -> Result<Result<Vec<VariantLog>, DataError>, DataError> {
        let is_below = Path::new(&track.id).components().all(|c| matches!(c, Component::Normal(_)));
        if !is_below || track.id.is_empty() {
            let reason = format!("the name {} does not stay below a folder", track.id);
            return Ok(Err(DataError::Dataset { path: track.path.clone(), reason }));
        }
        let clip = match self.loader.load(&track.path) {
            Ok(clip) => clip,
            Err(error) => return Ok(Err(error.into())),
        };
        let mut logs: Vec<VariantLog> = Vec::new();
        for number in u32::from(!self.config.originals)..=self.config.variants {
            let variant = match self.variant(&track.id, &clip.samples, number) {
                Ok(variant) => variant,
                Err(error) => {
                    // A clip that fails leaves nothing behind; what cannot be removed is in no log.
                    for log in &logs {
                        let _ = std::fs::remove_file(out.join(file_name(&track.id, log.variant)));
                    }
                    return Ok(Err(error));
                }
            };
            let path = out.join(file_name(&track.id, number));
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(DataError::io(folder, "make the folder"))?;
            }
            write_wav(&path, &variant.samples, self.sample_rate, WavFormat::Float32)?;
            logs.push(variant.log);
        }
        Ok(Ok(logs))
    }
}
