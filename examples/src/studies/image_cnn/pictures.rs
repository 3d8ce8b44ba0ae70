//! From samples to the pictures that the study's networks see.

use std::path::Path;

use clap::ValueEnum;
use mgr_data::DataError;
use mgr_eval::figure::{Pixels, encode_png};
use mgr_features::chroma::cens::ChromaCensConfig;
use mgr_features::chroma::cqt::ChromaCqtConfig;
use mgr_features::chroma::stft::ChromaStftConfig;
use mgr_features::compress::Reference;
use mgr_features::cqt::CqtConfig;
use mgr_features::decibel::Decibel;
use mgr_features::mfcc::MfccConfig;
use mgr_features::picture::{ColorMap, PictureConfig, ResizeStage};
use mgr_features::window::Window;
use mgr_features::{Extractor, FeatureConfig, FeatureError, presets};
use mgr_models::train::{Draw, Examples, Inputs};
use ndarray::{Array2, Array3};
use serde::Serialize;

use crate::studies::flags::Failure;
use crate::studies::output::write;

/// The study's sampling rate in Hz.
pub const SAMPLE_RATE: u32 = 22_050;

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Spectrogram {
    /// Mel spectrogram in decibels under its largest value.
    #[value(alias = "mel")]
    Melspectrogram,
    /// Mel-frequency cepstral coefficients.
    Mfcc,
    /// Chroma of a short-time Fourier transform.
    ChromaStft,
    /// Chroma of a constant-Q transform.
    ChromaCqt,
    /// Chroma energy normalised statistics.
    ChromaCens,
    /// Constant-Q transform in decibels.
    Cqt,
}

/// The window of the short-time Fourier transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowName {
    /// The study's.
    Blackman,
    /// librosa's default.
    Hann,
    /// Hamming.
    Hamming,
}

/// Sizes of the spectrograms.
#[derive(Debug, Clone, clap::Args, Serialize)]
pub struct Sizes {
    /// Samples in a transform.
    #[arg(long, default_value_t = 2048, alias = "n_fft")]
    pub n_fft: usize,
    /// Samples from one frame to the next.
    #[arg(long, default_value_t = 1024, alias = "hop_length")]
    pub hop_length: usize,
    /// Mel bands.
    #[arg(long, default_value_t = 128, alias = "mel_bins")]
    pub mel_bins: usize,
    /// Cepstral coefficients.
    #[arg(long, default_value_t = 13, alias = "n_mfcc")]
    pub n_mfcc: usize,
    /// Pitch classes.
    #[arg(long, default_value_t = 12, alias = "n_chroma")]
    pub n_chroma: usize,
    /// Window of the transform; constant-Q transforms have their own.
    #[arg(long, value_enum, default_value_t = WindowName::Blackman)]
    pub window: WindowName,
}

impl Spectrogram {
    /// The name that clap and files know it by.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Its configuration.
    #[must_use]
    pub fn config(self, sizes: &Sizes) -> FeatureConfig {
        let mut log_mel = presets::image_cnn();
        log_mel.mel.stft.n_fft = sizes.n_fft;
        log_mel.mel.stft.hop_length = sizes.hop_length;
        log_mel.mel.stft.window = match sizes.window {
            WindowName::Blackman => Window::Blackman,
            WindowName::Hann => Window::Hann,
            WindowName::Hamming => Window::Hamming,
        };
        log_mel.mel.bank.n_mels = sizes.mel_bins;
        let stft = log_mel.mel.stft.clone();
        match self {
            Self::Melspectrogram => FeatureConfig::LogMel(log_mel),
            Self::Mfcc => {
                // As librosa: decibels over 1, not under the clip's largest.
                let mut config = MfccConfig { n_mfcc: sizes.n_mfcc, ..MfccConfig::default() };
                config.log_mel.mel = log_mel.mel;
                FeatureConfig::Mfcc(config)
            }
            Self::ChromaStft => {
                let mut config = ChromaStftConfig { stft, ..ChromaStftConfig::default() };
                config.bank.n_chroma = sizes.n_chroma;
                FeatureConfig::ChromaStft(config)
            }
            Self::ChromaCqt => {
                let mut config = ChromaCqtConfig::default();
                config.classes.hop_length = sizes.hop_length;
                config.classes.n_chroma = sizes.n_chroma;
                FeatureConfig::ChromaCqt(config)
            }
            Self::ChromaCens => {
                let mut config = ChromaCensConfig::default();
                config.classes.hop_length = sizes.hop_length;
                config.classes.n_chroma = sizes.n_chroma;
                FeatureConfig::ChromaCens(config)
            }
            Self::Cqt => {
                FeatureConfig::Cqt(CqtConfig { hop_length: sizes.hop_length, ..CqtConfig::default() })
            }
        }
    }
}

/// Spectrograms planned once.
#[derive(Debug)]
pub struct Analysis {
    parts: Vec<(Spectrogram, Box<dyn Extractor>)>,
    published_decibels: bool,
}

impl Analysis {
    /// Plans some spectrograms. `published_decibels` sends every one through decibels of power under its largest value, as the
    /// study did with cepstra and chroma too, where it cuts off what is negative.
    ///
    /// # Errors
    /// Of sizes out of their ranges.
    pub fn plan(
        spectrograms: &[Spectrogram],
        sizes: &Sizes,
        published_decibels: bool,
    ) -> Result<Self, Failure> {
        let plan = |&kind: &Spectrogram| Ok((kind, kind.config(sizes).plan(SAMPLE_RATE)?));
        Ok(Self { parts: spectrograms.iter().map(plan).collect::<Result<_, Failure>>()?, published_decibels })
    }

    /// The spectrograms of a clip, (rows, frames) each.
    ///
    /// # Errors
    /// For a clip shorter than a frame.
    pub fn process(&self, name: &str, samples: &[f32]) -> Result<Vec<Array2<f32>>, DataError> {
        let wrong = |source| DataError::ClipFeature { name: name.to_owned(), source };
        let one = |(kind, extractor): &(Spectrogram, Box<dyn Extractor>)| -> Result<_, FeatureError> {
            let mut matrix = extractor.extract(samples)?;
            let under_largest = Decibel { reference: Reference::Max, ..Decibel::default() };
            match kind {
                // The mel spectrogram is in such decibels already.
                Spectrogram::Melspectrogram => {}
                _ if self.published_decibels => under_largest.power_to_db(matrix.view_mut())?,
                Spectrogram::Cqt => {
                    Decibel { amin: 1e-5, ..under_largest }.amplitude_to_db(matrix.view_mut())?
                }
                _ => {}
            }
            Ok(matrix)
        };
        self.parts.iter().map(one).collect::<Result<_, _>>().map_err(wrong)
    }
}

/// How spectrograms become a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Colouring {
    /// The colours of a map, three channels.
    Colour,
    /// The values themselves from 0 to 1, one channel.
    Raw,
}

/// Renders pictures of one size.
#[derive(Debug, Clone)]
pub struct Rendering {
    /// Colours or values; several spectrograms are always taken by value, one a channel.
    pub colouring: Colouring,
    /// The colour map.
    pub color_map: ColorMap,
    /// What the levels of each channel are multiplied by where there are several spectrograms.
    pub weights: Vec<f32>,
}

impl Rendering {
    /// Channels of a picture of so many spectrograms.
    #[must_use]
    pub fn channels(&self, spectrograms: usize) -> usize {
        match (spectrograms, self.colouring) {
            (1, Colouring::Colour) => 3,
            (count, _) => count,
        }
    }

    /// The picture (channels, height, width) of a clip's spectrograms, low frequencies at the bottom.
    ///
    /// # Errors
    /// For sizes out of range.
    pub fn render(
        &self,
        spectrograms: &[Array2<f32>],
        [height, width]: [usize; 2],
    ) -> Result<Array3<u8>, Failure> {
        let plan = |color_map| {
            // The study resized finished picture files; values resized before they take colours stay on the map.
            let (width, height, resize) = (Some(width), Some(height), ResizeStage::Values);
            PictureConfig { width, height, color_map, resize, ..PictureConfig::default() }.plan()
        };
        if let ([one], Colouring::Colour) = (spectrograms, self.colouring) {
            let picture = plan(self.color_map)?.process(one.view())?;
            return Ok(picture.permuted_axes([2, 0, 1]).as_standard_layout().into_owned());
        }
        let gray = plan(ColorMap::Gray)?;
        let mut picture = Array3::zeros((spectrograms.len(), height, width));
        for (channel, spectrogram) in spectrograms.iter().enumerate() {
            let weight = self.weights.get(channel).copied().unwrap_or(1.0);
            let levels = gray.process(spectrogram.view())?;
            let levels = levels.index_axis_move(ndarray::Axis(2), 0);
            let mut to = picture.index_axis_mut(ndarray::Axis(0), channel);
            to.zip_mut_with(&levels, |to, level| *to = (f32::from(*level) * weight).round().min(255.0) as u8);
        }
        Ok(picture)
    }
}

/// Writes a picture as PNG: three channels as red, green and blue, one as gray, two with an empty third.
///
/// # Errors
/// A sentence where it cannot be written.
pub fn write_png(path: &Path, picture: &Array3<u8>) -> Result<(), Failure> {
    let (channels, height, width) = picture.dim();
    let mut rgb = Vec::with_capacity(3 * height * width);
    for y in 0..height {
        for x in 0..width {
            rgb.extend((0..3).map(|channel| match channels {
                1 => picture[[0, y, x]],
                _ if channel < channels => picture[[channel, y, x]],
                _ => 0,
            }));
        }
    }
    write(path, &encode_png(Pixels { width, height, rgb: &rgb })?)
}

/// ImageNet's mean and deviation of red, green and blue, which VGG16's published weights expect.
pub const IMAGENET: [[f32; 2]; 3] = [[0.485, 0.229], [0.456, 0.224], [0.406, 0.225]];

/// Some of the pictures as examples of a network: bytes divided by 255, and standardised by channel where asked for.
#[derive(Debug)]
pub struct Pictures<'a> {
    pictures: &'a [Array3<u8>],
    labels: &'a [usize],
    chosen: Vec<usize>,
    shape: [usize; 3],
    scale: Option<[[f32; 2]; 3]>,
}

impl<'a> Pictures<'a> {
    /// The chosen pictures; `scale` holds a mean and a deviation for each channel.
    #[must_use]
    pub fn new(
        pictures: &'a [Array3<u8>],
        labels: &'a [usize],
        chosen: Vec<usize>,
        scale: Option<[[f32; 2]; 3]>,
    ) -> Self {
        let shape = pictures.first().map_or([0; 3], |picture| picture.dim().into());
        Self { pictures, labels, chosen, shape, scale }
    }

    /// Classes of the chosen pictures.
    #[must_use]
    pub fn classes(&self) -> Vec<usize> {
        self.chosen.iter().map(|&clip| self.labels[clip]).collect()
    }
}

impl Inputs for Pictures<'_> {
    fn len(&self) -> usize {
        self.chosen.len()
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn write_input(
        &self,
        index: usize,
        _draw: Draw,
        out: &mut [f32],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let clip = *self.chosen.get(index).ok_or("there is no such picture")?;
        let size = self.shape[1] * self.shape[2];
        for (to, &byte) in out.iter_mut().zip(&self.pictures[clip]) {
            *to = f32::from(byte) / 255.0;
        }
        if let Some(scale) = self.scale {
            for (channel, [mean, deviation]) in out.chunks_exact_mut(size.max(1)).zip(scale) {
                channel.iter_mut().for_each(|value| *value = (*value - mean) / deviation);
            }
        }
        Ok(())
    }
}

impl Examples for Pictures<'_> {
    fn label(&self, index: usize) -> usize {
        self.chosen.get(index).map_or(usize::MAX, |&clip| self.labels[clip])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spectrograms_become_channels_with_their_weights() {
        let ramp = Array2::from_shape_fn((4, 6), |(y, x)| (y * 6 + x) as f32);
        let rendering =
            Rendering { colouring: Colouring::Colour, color_map: ColorMap::Magma, weights: vec![1.0, 0.2] };
        let picture = rendering.render(&[ramp.clone(), ramp.clone()], [4, 6]).unwrap();
        assert_eq!(picture.dim(), (2, 4, 6));
        // The largest value is in the last row, which lies on top.
        assert_eq!([picture[[0, 0, 5]], picture[[1, 0, 5]], picture[[0, 3, 0]]], [255, 51, 0]);
        assert_eq!(rendering.render(&[ramp], [8, 3]).unwrap().dim(), (3, 8, 3));
    }

    #[test]
    fn negative_cepstra_are_cut_off_by_the_published_decibels_only() {
        let sizes = Sizes {
            n_fft: 2048,
            hop_length: 1024,
            mel_bins: 128,
            n_mfcc: 13,
            n_chroma: 12,
            window: WindowName::Blackman,
        };
        let tone: Vec<f32> = (0..22_050).map(|n| 0.3 * (n as f32 * 0.05).sin()).collect();
        let of = |published| {
            let analysis = Analysis::plan(&[Spectrogram::Mfcc], &sizes, published).unwrap();
            analysis.process("tone", &tone).unwrap().remove(0)
        };
        assert_eq!(of(false).dim(), (13, 22));
        assert!(of(false)[[0, 10]] < 0.0, "the level of a soft tone is a negative coefficient");
        assert!(of(true).iter().all(|&v| (-80.0..=0.0).contains(&v)));
    }
}
