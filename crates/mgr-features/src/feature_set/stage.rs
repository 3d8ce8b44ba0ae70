//! What features have in common, and how each is computed from it.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use crate::chroma::stft::ChromaStftConfig;
use crate::log_mel::LogMelConfig;
use crate::mel::MelConfig;
use crate::mfcc::MfccConfig;
use crate::rhythm::OnsetStrengthConfig;
use crate::spectral::Spectral;
use crate::spectrogram::{Exponent, Spectrogram, SpectrogramConfig};
use crate::stft::StftConfig;
use crate::{FeatureConfig, FeatureError};

/// A matrix that several features can be computed from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
    /// `|X|^2` in single precision.
    Power(StftConfig),
    /// `|X|^p` from a transform in double precision.
    Precise(StftConfig, Exponent),
    /// A mel spectrogram.
    Mel(MelConfig),
}

impl Key {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Power(_) => "power",
            Self::Precise(..) => "precise",
            Self::Mel(_) => "mel",
        }
    }
}

/// Computes a matrix from samples.
type FromSamples = Box<dyn Fn(&[f32]) -> Result<Array2<f32>, FeatureError> + Send + Sync>;

/// Computes a matrix from another.
type From = Box<dyn Fn(ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> + Send + Sync>;

/// How a feature is computed from something that others may need too: each way in turn, the nearest first.
pub(super) struct Way {
    from: Vec<(Key, From)>,
    /// Which base, and which of the ways.
    settled: Option<(usize, usize)>,
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys: Vec<&str> = self.from.iter().map(|(key, _)| key.name()).collect();
        f.debug_struct("Way").field("from", &keys).field("settled", &self.settled).finish()
    }
}

impl Way {
    fn new(from: Vec<(Key, From)>) -> Option<Self> {
        Some(Self { from, settled: None })
    }

    /// Chooses the nearest of the bases that there are.
    pub(super) fn settle(&mut self, bases: &[Base]) {
        self.settled = self.from.iter().enumerate().find_map(|(way, (key, _))| {
            bases.iter().position(|base| base.key == *key).map(|base| (base, way))
        });
    }

    /// The base and what to do with it.
    pub(super) fn settled(&self) -> Option<(usize, &From)> {
        self.settled.map(|(base, way)| (base, &self.from[way].1))
    }
}

/// A matrix that is computed once a clip.
pub(super) struct Base {
    pub(super) key: Key,
    from_samples: FromSamples,
    /// From an earlier base instead.
    from_base: Option<(usize, From)>,
}

impl std::fmt::Debug for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let from = self.from_base.as_ref().map(|(base, _)| base);
        f.debug_struct("Base").field("key", &self.key).field("from_base", &from).finish_non_exhaustive()
    }
}

impl Base {
    /// From the samples, or from one of the bases before it.
    pub(super) fn compute(
        &self,
        samples: &[f32],
        before: &[Array2<f32>],
    ) -> Result<Array2<f32>, FeatureError> {
        match &self.from_base {
            Some((base, from)) => from(before[*base].view()),
            None => (self.from_samples)(samples),
        }
    }
}

/// How a feature is computed from what others may need too; none for a feature that shares nothing.
pub(super) fn way(config: &FeatureConfig, sample_rate: u32) -> Result<Option<Way>, FeatureError> {
    Ok(match config {
        FeatureConfig::Spectrogram(SpectrogramConfig { stft, power }) => {
            let exponent = Exponent::new(*power)?;
            Way::new(vec![(Key::Power(stft.clone()), Box::new(move |m| Ok(raised(m, exponent))))])
        }
        FeatureConfig::Mel(config) => {
            let power = mel_from_power(config, sample_rate)?;
            Way::new(vec![(Key::Mel(config.clone()), Box::new(|m| Ok(m.to_owned()))), power])
        }
        FeatureConfig::LogMel(LogMelConfig { mel, compression }) => {
            let compression = *compression;
            let compress = move |mut m: Array2<f32>| {
                compression.apply(m.view_mut());
                m
            };
            let (key, power) = mel_from_power(mel, sample_rate)?;
            Way::new(vec![
                (Key::Mel(mel.clone()), Box::new(move |m| Ok(compress(m.to_owned())))),
                (key, Box::new(move |m| Ok(compress(power(m)?)))),
            ])
        }
        // The energy of the frames is in no spectrogram.
        FeatureConfig::Mfcc(config @ MfccConfig { energy_floor: None, .. }) => {
            let LogMelConfig { mel, compression } = &config.log_mel;
            let compression = *compression;
            let (near, far) = (config.plan(sample_rate)?, config.plan(sample_rate)?);
            let (key, power) = mel_from_power(mel, sample_rate)?;
            let compress = move |mut m: Array2<f32>| {
                compression.apply(m.view_mut());
                m
            };
            Way::new(vec![
                (
                    Key::Mel(mel.clone()),
                    Box::new(move |m| near.process_log_mel(compress(m.to_owned()).view())),
                ),
                (key, Box::new(move |m| far.process_log_mel(compress(power(m)?).view()))),
            ])
        }
        FeatureConfig::ChromaStft(config @ ChromaStftConfig { stft, .. }) => {
            let plan = config.plan(sample_rate)?;
            Way::new(vec![(Key::Power(stft.clone()), Box::new(move |m| plan.process_spectrogram(m)))])
        }
        FeatureConfig::OnsetStrength(c) => {
            let plan = c.plan(sample_rate)?;
            on_mel(c, sample_rate, move |m| plan.process_mel(m))?
        }
        FeatureConfig::OnsetDetect(c) => {
            let plan = c.plan(sample_rate)?;
            on_mel(&c.strength, sample_rate, move |m| plan.process_mel(m))?
        }
        FeatureConfig::Tempogram(c) => {
            let plan = c.plan(sample_rate)?;
            on_mel(&c.strength, sample_rate, move |m| plan.process_mel(m))?
        }
        FeatureConfig::FourierTempogram(c) => {
            let plan = c.plan(sample_rate)?;
            on_mel(&c.strength, sample_rate, move |m| plan.process_mel(m))?
        }
        FeatureConfig::TempogramRatio(c) => {
            let plan = c.plan(sample_rate)?;
            on_mel(&c.tempogram.strength, sample_rate, move |m| plan.process_mel(m))?
        }
        FeatureConfig::Tempo(c) => {
            let plan = c.plan(sample_rate)?;
            on_mel(&c.strength, sample_rate, move |m| plan.process_mel(m))?
        }
        FeatureConfig::BeatTrack(c) => {
            let plan = c.plan(sample_rate)?;
            on_mel(&c.strength, sample_rate, move |m| plan.process_mel(m))?
        }
        FeatureConfig::Plp(c) => {
            let plan = c.plan(sample_rate)?;
            on_mel(&c.strength, sample_rate, move |m| plan.process_mel(m))?
        }
        FeatureConfig::SpectralCentroid(c) => descriptor(&c.stft, c.plan(sample_rate)?),
        FeatureConfig::SpectralBandwidth(c) => descriptor(&c.stft, c.plan(sample_rate)?),
        FeatureConfig::SpectralRolloff(c) => descriptor(&c.stft, c.plan(sample_rate)?),
        FeatureConfig::SpectralFlatness(c) => descriptor(&c.stft, c.plan(sample_rate)?),
        FeatureConfig::SpectralContrast(c) => descriptor(&c.stft, c.plan(sample_rate)?),
        FeatureConfig::SpectralRms(c) => descriptor(&c.stft, c.plan(sample_rate)?),
        FeatureConfig::PolyFeatures(c) => descriptor(&c.stft, c.plan(sample_rate)?),
        _ => None,
    })
}

fn descriptor(stft: &StftConfig, plan: Spectral) -> Option<Way> {
    let key = Key::Precise(stft.clone(), plan.exponent());
    Way::new(vec![(key, Box::new(move |m| plan.process_raised(m)))])
}

/// A feature of the onset strength, from its mel spectrogram.
fn on_mel(
    strength: &OnsetStrengthConfig,
    sample_rate: u32,
    feature: impl Fn(ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> + Send + Sync + 'static,
) -> Result<Option<Way>, FeatureError> {
    let Some(mel) = strength.shared_mel() else { return Ok(None) };
    let feature = Arc::new(feature);
    let near = Arc::clone(&feature);
    let (key, power) = mel_from_power(mel, sample_rate)?;
    Ok(Way::new(vec![
        (Key::Mel(mel.clone()), Box::new(move |m| near(m))),
        (key, Box::new(move |m| feature(power(m)?.view()))),
    ]))
}

/// A mel spectrogram from a power spectrogram.
fn mel_from_power(config: &MelConfig, sample_rate: u32) -> Result<(Key, From), FeatureError> {
    let (mel, exponent) = (config.plan(sample_rate)?, Exponent::new(config.power)?);
    let from: From = match exponent {
        Exponent::Power => Box::new(move |m| mel.process_spectrogram(m)),
        _ => Box::new(move |m| mel.process_spectrogram(raised(m, exponent).view())),
    };
    Ok((Key::Power(config.stft.clone()), from))
}

/// `|X|^p` from `|X|^2`.
fn raised(power: ArrayView2<'_, f32>, exponent: Exponent) -> Array2<f32> {
    let mut out = power.to_owned();
    match out.as_slice_memory_order_mut() {
        Some(values) => exponent.of_power(values),
        None => out.iter_mut().for_each(|v| exponent.of_power(std::slice::from_mut(v))),
    }
    out
}

/// What is worth computing once: mel spectrograms that two features are computed from, then spectrograms that two features or such mel
/// spectrograms are computed from.
pub(super) fn bases<'a>(
    ways: impl Iterator<Item = &'a Way> + Clone,
    sample_rate: u32,
) -> Result<Vec<Base>, FeatureError> {
    let mut keys: Vec<(Key, usize)> = Vec::new();
    let mut count = |key: &Key| match keys.iter_mut().find(|(k, _)| k == key) {
        Some((_, users)) => *users += 1,
        None => keys.push((key.clone(), 1)),
    };
    ways.clone().filter_map(|way| way.from.first()).for_each(|(key, _)| count(key));
    // A mel spectrogram, shared or not, is one more user of its power spectrogram.
    let mels: Vec<Key> =
        keys.iter().filter(|(k, _)| matches!(k, Key::Mel(_))).map(|(k, _)| k.clone()).collect();
    for key in &mels {
        if let Key::Mel(config) = key {
            let power = Key::Power(config.stft.clone());
            match keys.iter_mut().find(|(k, _)| *k == power) {
                Some((_, users)) => *users += 1,
                None => keys.push((power, 1)),
            }
        }
    }
    keys.retain(|(_, users)| *users > 1);
    // Spectrograms first: the mel spectrograms come from them.
    keys.sort_by_key(|(key, _)| matches!(key, Key::Mel(_)));
    let mut bases: Vec<Base> = Vec::new();
    for (key, _) in keys {
        let mut from_base = None;
        let from_samples: FromSamples = match &key {
            Key::Power(stft) => {
                let plan = SpectrogramConfig { stft: stft.clone(), power: 2.0 }.plan(sample_rate)?;
                Box::new(move |samples| plan.process(samples))
            }
            Key::Precise(stft, exponent) => {
                let plan = Spectrogram::precise(stft, *exponent, sample_rate)?;
                Box::new(move |samples| plan.process(samples))
            }
            Key::Mel(config) => {
                let (power, from) = mel_from_power(config, sample_rate)?;
                from_base = bases.iter().position(|base| base.key == power).map(|base| (base, from));
                let plan = config.plan(sample_rate)?;
                Box::new(move |samples| plan.process(samples))
            }
        };
        bases.push(Base { key, from_samples, from_base });
    }
    Ok(bases)
}
