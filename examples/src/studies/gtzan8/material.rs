//! What the networks see: mel spectrograms and embeddings of clips and of their augmented variants, whole or in segments.

use std::sync::Mutex;

use clap::ValueEnum;
use mgr_data::DataError;
use mgr_data::augment::AugmentConfig;
use mgr_data::batch::Standardiser;
use mgr_data::dataset::Track;
use mgr_data::sources::Collection;
use mgr_eval::split::Fold;
use mgr_features::vector_sets::{DescriptorRate, Gtzan8MfccConfig};
use mgr_features::{Extractor, FeatureConfig, presets};
use mgr_models::device::DeviceConfig;
use mgr_models::pretrained::Tagger;
use ndarray::{Array2, s};

use crate::studies::clips::{Made, make};
use crate::studies::flags::{Failure, advise};
use crate::studies::matrices::{Matrices, Standardised, Vectors};
use crate::studies::weights;

/// The study's sampling rate in Hz.
pub const SAMPLE_RATE: u32 = 16_000;

/// Frames of a segment: four seconds.
pub const SEGMENT: usize = 4 * 16_000 / 512;

/// The study's two features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Feature {
    /// Mel spectrogram in decibels.
    Mel,
    /// 30 cepstral coefficients with first and second derivative, and the spectral centroid.
    MfccCentroid,
}

impl Feature {
    fn config(self, bands: usize) -> FeatureConfig {
        match self {
            Self::Mel => {
                let mut config = presets::gtzan8();
                config.mel.bank.n_mels = bands;
                FeatureConfig::LogMel(config)
            }
            // The study's centroid took clips of 16,000 Hz for such of 22,050.
            Self::MfccCentroid => FeatureConfig::Gtzan8Mfcc(Gtzan8MfccConfig {
                descriptor_rate: DescriptorRate::Own,
                ..Gtzan8MfccConfig::default()
            }),
        }
    }
}

/// What is computed of a clip.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The feature, (bands, frames).
    pub mel: Array2<f32>,
    /// musicnn's 753 numbers; empty where nobody asked for them.
    pub embedding: Vec<f32>,
}

/// Computes spectrograms and embeddings.
pub struct Ear {
    mel: Box<dyn Extractor>,
    tagger: Option<Mutex<Tagger>>,
    /// Clips shorter than this many samples are repeated to that length.
    shortest: usize,
}

impl Ear {
    /// Plans the feature, mel of so many bands, and embeddings by the weights of that name or file.
    ///
    /// # Errors
    /// A sentence for bands out of range and weights that are not there.
    pub fn plan(
        feature: Feature,
        bands: usize,
        weights: Option<&str>,
        shortest_seconds: f64,
    ) -> Result<Self, Failure> {
        let mel = feature.config(bands).plan(SAMPLE_RATE)?;
        let tagger = weights.map(tagger).transpose()?.map(Mutex::new);
        if !(0.0..=600.0).contains(&shortest_seconds) {
            return Err(format!("clips of {shortest_seconds} s: --seconds takes 0 to 600").into());
        }
        Ok(Self { mel, tagger, shortest: (shortest_seconds * f64::from(SAMPLE_RATE)).round() as usize })
    }

    fn hear(&self, track: &Track, samples: Vec<f32>) -> Result<Heard, DataError> {
        let samples = if samples.len() < self.shortest {
            samples.iter().copied().cycle().take(self.shortest).collect()
        } else {
            samples
        };
        let wrong = |source| DataError::ClipFeature { name: track.id.clone(), source };
        let mel = self.mel.extract(&samples).map_err(wrong)?;
        let embedding = match &self.tagger {
            None => Vec::new(),
            Some(tagger) => {
                // One network, so one clip at a time; a thread that panicked left it as it was.
                let tagger = tagger.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let told = |e: mgr_models::Error| DataError::Batch { reason: format!("{}: {e}", track.id) };
                tagger.embedding(&samples, SAMPLE_RATE, "max_pool").map_err(told)?.mean().to_vec()
            }
        };
        Ok(Heard { mel, embedding })
    }

    /// The clips as they are.
    ///
    /// # Errors
    /// A sentence where a genre has no usable clip.
    pub fn clips(&self, collection: Collection) -> Result<Made<Heard>, Failure> {
        make(collection, SAMPLE_RATE, |track, samples| self.hear(track, samples))
    }

    /// One augmented variant of some of the clips: noise, circular shift, time stretch, drawn by the seed; with the places of
    /// the clips.
    ///
    /// # Errors
    /// A sentence where a genre has no usable clip.
    pub fn variants(
        &self,
        collection: &Collection,
        chosen: &[usize],
        seed: u64,
    ) -> Result<Vec<(usize, Heard)>, Failure> {
        let augmenter = AugmentConfig { seed, ..AugmentConfig::gtzan8() }.plan(SAMPLE_RATE)?;
        let entries = chosen.iter().map(|&clip| collection.entries[clip].clone()).collect();
        let part = Collection { entries, ..collection.clone() };
        let made = make(part, SAMPLE_RATE, |track, samples| {
            let variant = augmenter.variant(&track.id, &samples, 1)?;
            self.hear(track, variant.samples)
        })?;
        let place = |id: &str| collection.entries.iter().position(|entry| entry.id == id);
        let names = made.collection.entries.iter().map(|entry| place(&entry.id));
        Ok(names.zip(made.values).filter_map(|(clip, heard)| Some((clip?, heard))).collect())
    }
}

fn tagger(name: &str) -> Result<Tagger, Failure> {
    const FLAG: &str = "--embed-weights";
    let advice = format!("name weights of musicnn with {FLAG}");
    Tagger::new(&weights::named(name, FLAG)?, DeviceConfig::Cpu).map_err(advise(advice))
}

/// The items of a study: whole clips or segments, originals and variants.
#[derive(Debug)]
pub struct Items {
    matrices: Matrices,
    embeddings: Vec<Vec<f32>>,
    /// The clip of each item.
    clip_of: Vec<usize>,
    /// Whether an item is of an augmented variant.
    augmented: Vec<bool>,
    /// Frames that every network sees.
    pub frames: usize,
    standardiser: Standardiser,
    train: Vec<usize>,
}

impl Items {
    /// Cuts the clips into segments of four seconds, or takes them whole up to the length of the shortest in training. The
    /// standardisation is that of the training part.
    ///
    /// # Errors
    /// Where there is nothing to train on.
    pub fn new(
        clips: &Made<Heard>,
        variants: Vec<(usize, Heard)>,
        fold: &Fold,
        segments: bool,
    ) -> Result<Self, Failure> {
        let labels = clips.labels();
        let whole = || clips.values.iter().enumerate().map(|(clip, heard)| (clip, heard, false));
        let all: Vec<(usize, &Heard, bool)> =
            whole().chain(variants.iter().map(|(clip, heard)| (*clip, heard, true))).collect();
        let in_training = |clip: usize| fold.train.binary_search(&clip).is_ok();
        let shortest =
            all.iter().filter(|(clip, ..)| in_training(*clip)).map(|(_, heard, _)| heard.mel.ncols());
        let frames = if segments { SEGMENT } else { shortest.min().ok_or("nothing to train on")? };
        let mut items = (Matrices::default(), Vec::new(), Vec::new(), Vec::new());
        for &(clip, heard, augmented) in &all {
            // A clip shorter than a segment is one, repeated where it is read.
            let count = if segments { (heard.mel.ncols() / frames).max(1) } else { 1 };
            for segment in 0..count {
                let end = ((segment + 1) * frames).min(heard.mel.ncols());
                items.0.items.push(heard.mel.slice(s![.., segment * frames..end]).to_owned());
                items.0.labels.push(labels[clip]);
                items.1.push(heard.embedding.clone());
                items.2.push(clip);
                items.3.push(augmented);
            }
        }
        let (matrices, embeddings, clip_of, augmented) = items;
        let train: Vec<usize> = (0..clip_of.len()).filter(|&item| in_training(clip_of[item])).collect();
        let standardiser = Standardiser::fit(&matrices, &train, false)?;
        Ok(Self { matrices, embeddings, clip_of, augmented, frames, standardiser, train })
    }

    /// Items of the training part, variants with them.
    #[must_use]
    pub fn training(&self) -> Vec<usize> {
        self.train.clone()
    }

    /// Items of some clips as they are, without variants.
    #[must_use]
    pub fn originals(&self, clips: &[usize]) -> Vec<usize> {
        let wanted = |item: &usize| !self.augmented[*item] && clips.contains(&self.clip_of[*item]);
        (0..self.clip_of.len()).filter(wanted).collect()
    }

    /// The clip of an item.
    #[must_use]
    pub fn clip(&self, item: usize) -> usize {
        self.clip_of[item]
    }

    /// Rows of a spectrogram.
    #[must_use]
    pub fn bands(&self) -> usize {
        self.matrices.items.first().map_or(0, Array2::nrows)
    }

    /// Length of an embedding.
    #[must_use]
    pub fn embedding_length(&self) -> usize {
        self.embeddings.first().map_or(0, Vec::len)
    }

    /// Some items as spectrograms in so many channels.
    #[must_use]
    pub fn spectrograms(&self, chosen: Vec<usize>, channels: usize) -> Standardised<'_> {
        Standardised::new(&self.matrices, chosen, self.standardiser.clone(), [channels, self.frames])
    }

    /// Some items as spectrogram and embedding in one vector.
    #[must_use]
    pub fn joined(&self, chosen: Vec<usize>) -> Standardised<'_> {
        self.spectrograms(chosen, 1).followed_by(&self.embeddings)
    }

    /// Some items as embeddings.
    #[must_use]
    pub fn embeddings(&self, chosen: Vec<usize>) -> Vectors<'_> {
        let shape = [self.embedding_length()];
        Vectors { vectors: &self.embeddings, labels: &self.matrices.labels, chosen, shape }
    }
}

#[cfg(test)]
mod tests {
    use mgr_data::sources::Entry;
    use mgr_models::train::{Draw, Examples, Inputs};

    use super::*;

    fn heard(frames: usize) -> Heard {
        Heard {
            mel: Array2::from_shape_fn((2, frames), |(band, frame)| (band * 1000 + frame) as f32),
            embedding: vec![frames as f32],
        }
    }

    fn made(frames: &[usize]) -> Made<Heard> {
        let entry = |clip: usize| Entry { id: clip.to_string(), labels: vec![clip % 2], ..Entry::default() };
        let collection = Collection {
            name: "test".to_owned(),
            labels: vec!["a".to_owned(), "b".to_owned()],
            entries: (0..frames.len()).map(entry).collect(),
            notes: Vec::new(),
        };
        Made { collection, values: frames.iter().map(|&n| heard(n)).collect(), bad: Vec::new() }
    }

    #[test]
    fn segments_are_as_many_as_fit_and_a_short_clip_is_repeated() {
        let fold = Fold { train: vec![0, 1], validation: vec![2], test: vec![3] };
        let items = Items::new(&made(&[938, 260, 125, 60]), vec![(0, heard(200))], &fold, true).unwrap();
        assert_eq!((items.training().len(), items.frames), (7 + 2 + 1, 125));
        let test = items.originals(&fold.test);
        assert_eq!(test.len(), 1);
        let examples = items.spectrograms(test, 1);
        assert_eq!((examples.shape(), examples.label(0)), (&[1, 2, 125][..], 1));
        let mut out = vec![0.0; 250];
        examples.write_input(0, Draw { seed: 0, epoch: 0 }, &mut out).unwrap();
        assert_eq!(out[0], out[60]);
        assert!(out[59] > out[60]);
    }

    #[test]
    fn whole_clips_are_cut_to_the_shortest_in_training_and_variants_stay_there() {
        let fold = Fold { train: vec![0, 1], validation: vec![2], test: vec![3] };
        let items = Items::new(&made(&[90, 80, 70, 100]), vec![(1, heard(95))], &fold, false).unwrap();
        assert_eq!((items.frames, items.training().len()), (80, 3));
        assert_eq!(items.originals(&fold.train).len(), 2);
        let joined = items.joined(items.originals(&fold.test));
        assert_eq!(joined.shape(), [2 * 80 + 1]);
        let mut out = vec![0.0; 161];
        joined.write_input(0, Draw { seed: 0, epoch: 0 }, &mut out).unwrap();
        assert_eq!(out[160], 100.0);
    }
}
