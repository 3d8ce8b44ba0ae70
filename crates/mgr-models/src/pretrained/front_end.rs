//! What published taggers hear: from samples to the pictures that their networks were trained on.

use mgr_features::FeatureError;
use mgr_features::frame::Padding;
use mgr_features::log_mel::LogMel;
use mgr_features::mel::{Mel, MelConfig};
use mgr_features::presets;
use mgr_features::spectrogram::{Spectrogram, SpectrogramConfig};
use mgr_features::stft::StftConfig;
use mgr_features::window::Symmetry;
use ndarray::{Array2, Array3, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use super::element::round_to_f16;
use crate::{Error, TensorData};

/// The front end of a published tagger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FrontEnd {
    /// musicnn: 16 kHz, mel power of [`presets::musicnn`] rounded to 16-bit floats (as the original stores it), then
    /// `log10(10000 x + 1)` in 32-bit floats. What is above the largest 16-bit float, 65,504, becomes that.
    Musicnn,
    /// Choi's transfer network: 12 kHz, [`presets::choi`], decibels under the clip's largest down to -80.
    ChoiTransfer,
    /// The same for Keras 2: the window stands as it is, since TensorFlow does not turn kernels.
    ChoiTransferKeras2,
    /// Won's taggers: 16 kHz, power of 512/256 with mirrored ends under the stored filter bank, `10 log10(max(x, 1e-10))`.
    Sota,
    /// [`FrontEnd::ChoiTagger`], then less its mean and by its standard deviation. The published statistics of the first
    /// normalisation say that the networks were trained on about such images; which standardisation it was is not known.
    ChoiTaggerStandardised,
    /// Choi's taggers: 12 kHz, the square of the mel power of 512/256, `10 log10(max(x, 1e-10))` down to 80 under the clip's
    /// largest. Ends see zeros as in today's librosa; that of 2016 mirrored them.
    ChoiTagger,
}

/// Which part of a clip a network hears at once. A clip shorter than one patch is padded with zeros at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Patch {
    /// The picture of the whole clip, cut into patches of so many frames; a rest is dropped.
    Frames {
        /// Frames of a patch.
        length: usize,
        /// Frames from one patch to the next.
        hop: usize,
        /// Samples to pad a shorter clip to.
        samples: usize,
    },
    /// One patch from the start, cut to so many frames.
    Start {
        /// Samples of the patch.
        samples: usize,
        /// Frames kept of its picture.
        frames: usize,
    },
    /// One patch from the middle.
    Centre {
        /// Samples of the patch.
        samples: usize,
    },
    /// Patches one after the other; a rest is dropped.
    Windows {
        /// Samples of a patch.
        samples: usize,
    },
    /// Overlapping patches: patch i of n starts at `i * ((clip - patch) div n)`; one where the clip is no longer than a patch.
    Spread {
        /// Samples of a patch.
        samples: usize,
        /// How many.
        count: usize,
    },
}

impl Patch {
    /// Lengths from 1 to a day of samples, patches from 1 to 4096, so that nothing divides by 0 and memory is bounded.
    fn check(self) -> Result<(), Error> {
        const DAY: usize = 24 * 3600 * 48_000;
        let (lengths, count) = match self {
            Self::Frames { length, hop, samples } => ([length, hop, samples], 1),
            Self::Start { samples, frames } => ([samples, frames, 1], 1),
            Self::Centre { samples } | Self::Windows { samples } => ([samples, 1, 1], 1),
            Self::Spread { samples, count } => ([samples, 1, 1], count),
        };
        if lengths.iter().all(|length| (1..=DAY).contains(length)) && (1..=4096).contains(&count) {
            return Ok(());
        }
        let allowed = "lengths from 1 to 4147200000, 1 to 4096 patches";
        Err(Error::InvalidConfig { field: "patch", value: format!("{self:?}"), allowed })
    }

    /// The stretches of a clip, each of the samples of one picture.
    fn stretches(self, length: usize) -> Vec<(usize, usize)> {
        match self {
            Self::Frames { samples, .. } => vec![(0, length.max(samples))],
            Self::Start { samples, .. } => vec![(0, samples)],
            Self::Centre { samples } => vec![(length.saturating_sub(samples) / 2, samples)],
            Self::Windows { samples } => {
                (0..(length / samples).max(1)).map(|index| (index * samples, samples)).collect()
            }
            Self::Spread { samples, count } => {
                let hop = length.saturating_sub(samples) / count;
                let count = if length > samples { count } else { 1 };
                (0..count).map(|index| (index * hop, samples)).collect()
            }
        }
    }
}

/// A planned front end.
#[derive(Debug)]
pub(super) struct FrontEndPlan {
    kind: FrontEnd,
    patch: Patch,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Mel(Mel),
    LogMel(LogMel),
    /// A power spectrogram and the stored bank, (bands, bins).
    Bank(Spectrogram, Array2<f32>),
}

impl FrontEnd {
    /// The sampling rate that clips are to have, in Hz.
    #[must_use]
    pub fn sample_rate(self) -> u32 {
        match self {
            Self::Musicnn | Self::Sota => 16_000,
            Self::ChoiTransfer
            | Self::ChoiTransferKeras2
            | Self::ChoiTagger
            | Self::ChoiTaggerStandardised => 12_000,
        }
    }

    /// `bank` is the stored filter bank, (bins, bands), which [`FrontEnd::Sota`] needs.
    pub(super) fn plan(self, patch: Patch, bank: Option<&TensorData>) -> Result<FrontEndPlan, Error> {
        patch.check()?;
        let rate = self.sample_rate();
        let stage = match self {
            Self::Musicnn => Stage::Mel(presets::musicnn().mel.plan(rate)?),
            Self::ChoiTransfer => Stage::LogMel(presets::choi().plan(rate)?),
            Self::ChoiTransferKeras2 => {
                let mut config = presets::choi();
                config.mel.stft.symmetry = Symmetry::Periodic;
                Stage::LogMel(config.plan(rate)?)
            }
            Self::ChoiTagger | Self::ChoiTaggerStandardised => {
                let MelConfig { stft, bank, power } = presets::choi().mel;
                let stft = StftConfig { symmetry: Symmetry::Periodic, ..stft };
                Stage::Mel(MelConfig { stft, bank, power }.plan(rate)?)
            }
            Self::Sota => {
                let stft = StftConfig {
                    n_fft: 512,
                    hop_length: 256,
                    padding: Padding::Reflect,
                    ..StftConfig::default()
                };
                let spectrogram = SpectrogramConfig { stft, power: 2.0 }.plan(rate)?;
                let bank = bank
                    .and_then(|bank| {
                        let &[bins, bands] = bank.shape.as_slice() else { return None };
                        Array2::from_shape_vec((bins, bands), bank.values.clone()).ok()
                    })
                    .filter(|bank| bank.nrows() == 257)
                    .ok_or_else(|| {
                        crate::parameters::mismatch("spec.mel_scale.fb", "missing or misshapen")
                    })?;
                Stage::Bank(spectrogram, bank.reversed_axes().as_standard_layout().into_owned())
            }
        };
        Ok(FrontEndPlan { kind: self, patch, stage })
    }
}

impl FrontEndPlan {
    /// The pictures of a clip, (patches, bands, frames) in standard layout, at least one.
    pub(super) fn pictures(&self, samples: &[f32]) -> Result<Array3<f32>, Error> {
        let mut pictures: Vec<Array2<f32>> = Vec::new();
        for (start, length) in self.patch.stretches(samples.len()) {
            let end = start.saturating_add(length).min(samples.len());
            let part = samples.get(start..end).unwrap_or_default();
            if part.len() == length {
                pictures.push(self.picture(part)?);
            } else {
                let mut padded = part.to_vec();
                padded.resize(length, 0.0);
                pictures.push(self.picture(&padded)?);
            }
        }
        let views: Vec<ArrayView2<'_, f32>> = match self.patch {
            Patch::Frames { length, hop, .. } => pictures
                .iter()
                .flat_map(|picture| {
                    let last = picture.ncols().checked_sub(length);
                    let starts = last.into_iter().flat_map(move |last| (0..=last).step_by(hop));
                    starts.map(move |start| picture.slice(s![.., start..start + length]))
                })
                .collect(),
            Patch::Start { frames, .. } => {
                pictures.iter().map(|p| p.slice(s![.., ..frames.min(p.ncols())])).collect()
            }
            _ => pictures.iter().map(|picture| picture.view()).collect(),
        };
        let (bands, frames) = views.first().map_or((0, 0), |view| view.dim());
        let mut all = Array3::zeros((views.len(), bands, frames));
        for (mut to, from) in all.axis_iter_mut(Axis(0)).zip(&views) {
            to.assign(from);
        }
        Ok(all)
    }

    fn picture(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        let mut picture = match &self.stage {
            Stage::Mel(mel) => mel.process(samples)?,
            Stage::LogMel(log_mel) => return log_mel.process(samples),
            Stage::Bank(spectrogram, bank) => bank.dot(&spectrogram.process(samples)?),
        };
        match self.kind {
            FrontEnd::Musicnn => {
                picture.mapv_inplace(|power| (10_000.0 * round_to_f16(power) + 1.0).log10());
            }
            FrontEnd::ChoiTagger | FrontEnd::ChoiTaggerStandardised => {
                picture.mapv_inplace(|power| 10.0 * (power * power).max(1e-10).log10());
                let floor = picture.iter().copied().fold(f32::NEG_INFINITY, f32::max) - 80.0;
                picture.mapv_inplace(|level| level.max(floor));
                if self.kind == FrontEnd::ChoiTaggerStandardised {
                    standardise(&mut picture);
                }
            }
            _ => picture.mapv_inplace(|power| 10.0 * power.max(1e-10).log10()),
        }
        Ok(picture)
    }
}

/// The picture less its mean, by its standard deviation; silence gives zeros.
fn standardise(picture: &mut Array2<f32>) {
    let count = picture.len().max(1) as f64;
    let mean = picture.iter().map(|&level| f64::from(level)).sum::<f64>() / count;
    let variance = picture.iter().map(|&level| (f64::from(level) - mean).powi(2)).sum::<f64>() / count;
    let scale = if variance > 0.0 { variance.sqrt().recip() } else { 0.0 };
    picture.mapv_inplace(|level| ((f64::from(level) - mean) * scale) as f32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_are_cut_as_the_originals_cut_them() {
        let spread = Patch::Spread { samples: 100, count: 16 };
        assert_eq!(spread.stretches(100), [(0, 100)]);
        assert_eq!(spread.stretches(60), [(0, 100)]);
        let starts: Vec<usize> = spread.stretches(1000).into_iter().map(|(start, _)| start).collect();
        assert_eq!((starts.len(), starts[1], starts[15]), (16, 56, 840));
        assert_eq!(Patch::Centre { samples: 10 }.stretches(25), [(7, 10)]);
        assert_eq!(Patch::Centre { samples: 10 }.stretches(5), [(0, 10)]);
        assert_eq!(Patch::Windows { samples: 10 }.stretches(29), [(0, 10), (10, 10)]);
        assert_eq!(Patch::Windows { samples: 10 }.stretches(3), [(0, 10)]);
    }

    #[test]
    fn a_clip_shorter_than_a_patch_is_padded_and_longer_ones_are_cut() {
        let patch = Patch::Frames { length: 187, hop: 187, samples: 48_000 };
        let plan = FrontEnd::Musicnn.plan(patch, None).unwrap();
        let sine = |length: usize| -> Vec<f32> { (0..length).map(|n| (n as f32 * 0.1).sin()).collect() };
        assert_eq!(plan.pictures(&sine(100)).unwrap().dim(), (1, 96, 187));
        assert_eq!(plan.pictures(&[]).unwrap().dim(), (1, 96, 187));
        assert_eq!(plan.pictures(&sine(480_000)).unwrap().dim(), (10, 96, 187));
        let short = plan.pictures(&sine(100)).unwrap();
        assert!(short.slice(s![0, .., 10..]).iter().all(|&x| x == 0.0));
        assert!(plan.pictures(&[f32::NAN; 1000]).is_err());
    }

    #[test]
    fn the_bank_has_to_be_there_and_to_fit() {
        let patch = Patch::Centre { samples: 48_000 };
        assert!(FrontEnd::Sota.plan(patch, None).is_err());
        let bank = |bins: usize| TensorData { shape: vec![bins, 96], values: vec![0.0; bins * 96] };
        assert!(FrontEnd::Sota.plan(patch, Some(&bank(256))).is_err());
        let plan = FrontEnd::Sota.plan(patch, Some(&bank(257))).unwrap();
        let picture = plan.pictures(&[0.5; 48_000]).unwrap();
        assert_eq!(picture.dim(), (1, 96, 188));
        assert!(picture.iter().all(|&level| level == -100.0));
    }
}
