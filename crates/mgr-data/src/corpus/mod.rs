//! The embedded default corpus: ten synthetic styles, composed and synthesised from a seed.
//!
//! It is there so that every command runs on a fresh machine without a download: tables of patterns per [`Style`] are
//! turned into notes, a shared palette of timbres into sound. **It is synthetic and for trying things out; a figure
//! measured on it says nothing about real music or about the quality of a method.**
//!
//! What tells the styles apart lies in time and harmony: metre, onset patterns, held against struck notes, tremolo,
//! vibrato, slides, off-beat chops, rolls. What does not is drawn per clip without regard to the style: key, tempo within
//! the style's range, tape speed, timbres and drums of a common palette, levels, fills, equalisation, band limits, noise
//! floor, start offset. So the mean spectrum of a clip hardly tells its style.
//!
//! A clip is a pure function of the seed, the style and its index (and of duration and sample rate): the same on any
//! number of threads, and however many other clips there are. Only additions, multiplications, divisions, square roots
//! and exact rounding make the samples, so they are the same on every platform with IEEE arithmetic.
//!
//! ```
//! use mgr_data::corpus::{CorpusConfig, Style};
//!
//! let corpus = CorpusConfig { clips_per_style: 2, duration_s: 1.0, ..CorpusConfig::default() }.plan()?;
//! assert_eq!(corpus.len(), 20);
//! let clip = corpus.clip(3)?;
//! assert_eq!((clip.style, clip.name().as_str()), (Style::Waltz, "waltz.00001"));
//! assert_eq!(corpus.render(3)?.len(), 22_050);
//! # Ok::<(), mgr_data::corpus::CorpusError>(())
//! ```

mod cast;
mod compose;
mod drum;
mod duple_styles;
mod error;
mod instrument;
mod math;
mod mix;
mod palette;
mod pattern;
mod random;
mod render;
mod style;
mod triple_styles;
mod write;

pub use error::CorpusError;
pub use style::Style;
pub use write::{CORPUS_STAMP, ClipFile, CorpusStamp};

use serde::{Deserialize, Serialize};

/// Version of the corpus's sound; it changes with any change of a sample.
pub const CORPUS_VERSION: u32 = 1;

/// Settings of the corpus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorpusConfig {
    /// Seed of every draw. Default 20.
    pub seed: u64,
    /// Clips of each of the ten styles, 1 to 100,000. Default 12.
    pub clips_per_style: usize,
    /// Seconds of a clip, 0.1 to 600. Default 30.
    pub duration_s: f64,
    /// Samples per second, 8,000 to 96,000. Default 22,050.
    pub sample_rate: u32,
}

impl Default for CorpusConfig {
    fn default() -> Self {
        Self { seed: 20, clips_per_style: 12, duration_s: 30.0, sample_rate: 22_050 }
    }
}

impl CorpusConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`CorpusError::Config`] where a field lies outside its range or is not a number.
    pub fn plan(&self) -> Result<Corpus, CorpusError> {
        let refuse = |field, value: String, allowed| Err(CorpusError::Config { field, value, allowed });
        if !(1..=100_000).contains(&self.clips_per_style) {
            return refuse("clips_per_style", self.clips_per_style.to_string(), "1 to 100000");
        }
        if !(0.1..=600.0).contains(&self.duration_s) {
            return refuse("duration_s", self.duration_s.to_string(), "0.1 to 600");
        }
        if !(8_000..=96_000).contains(&self.sample_rate) {
            return refuse("sample_rate", self.sample_rate.to_string(), "8000 to 96000");
        }
        Ok(Corpus { config: self.clone() })
    }
}

/// One clip of a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClipSpec {
    /// The style, which is the class label.
    pub style: Style,
    /// Number of the clip within its style, from 0.
    pub index: usize,
}

impl ClipSpec {
    /// The clip's name, such as `waltz.00003`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{:05}", self.style, self.index)
    }

    /// The clip's place below the corpus's folder, such as `waltz/waltz.00003.wav`, with `/` on every platform.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}/{}.wav", self.style, self.name())
    }
}

/// A checked corpus: clips by number, style after style.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    config: CorpusConfig,
}

impl Corpus {
    /// The settings.
    #[must_use]
    pub const fn config(&self) -> &CorpusConfig {
        &self.config
    }

    /// The styles, in order; a style's place is its class index.
    #[must_use]
    pub const fn styles(&self) -> &'static [Style] {
        &Style::ALL
    }

    /// Number of clips.
    #[must_use]
    pub const fn len(&self) -> usize {
        Style::ALL.len() * self.config.clips_per_style
    }

    /// False: a checked corpus has clips.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Samples in a clip, `round(duration_s * sample_rate)`.
    #[must_use]
    pub fn clip_samples(&self) -> usize {
        math::samples(self.config.duration_s, f64::from(self.config.sample_rate))
    }

    /// Clip number `i`: style `i / clips_per_style`, index `i % clips_per_style`.
    ///
    /// # Errors
    /// [`CorpusError::Clip`] where `i` is not below [`Corpus::len`].
    pub fn clip(&self, i: usize) -> Result<ClipSpec, CorpusError> {
        let per_style = self.config.clips_per_style;
        match Style::ALL.get(i / per_style) {
            Some(&style) => Ok(ClipSpec { style, index: i % per_style }),
            None => Err(CorpusError::Clip { index: i, clips: self.len() }),
        }
    }

    /// All clips in order.
    pub fn clips(&self) -> impl Iterator<Item = ClipSpec> + use<> {
        let per_style = self.config.clips_per_style;
        Style::ALL
            .into_iter()
            .flat_map(move |style| (0..per_style).map(move |index| ClipSpec { style, index }))
    }

    /// The samples of clip number `i`, mono, peak between -6 and -1 dB of full scale.
    ///
    /// # Errors
    /// [`CorpusError::Clip`] where `i` is not below [`Corpus::len`].
    pub fn render(&self, i: usize) -> Result<Vec<f32>, CorpusError> {
        Ok(self.render_clip(self.clip(i)?))
    }

    fn render_clip(&self, clip: ClipSpec) -> Vec<f32> {
        let CorpusConfig { seed, duration_s, sample_rate, .. } = self.config;
        render::render(seed, clip.style, clip.index, duration_s, f64::from(sample_rate))
    }

    /// A folder name that changes with the settings and with [`CORPUS_VERSION`], such as `corpus-v1-2f9a61c04b7d`.
    #[must_use]
    pub fn folder_name(&self) -> String {
        let CorpusConfig { seed, clips_per_style, duration_s, sample_rate } = &self.config;
        let values = [*seed, *clips_per_style as u64, duration_s.to_bits(), u64::from(*sample_rate)];
        let digest = crate::sha256_hex(&values.map(u64::to_le_bytes).concat());
        format!("corpus-v{CORPUS_VERSION}-{}", digest.get(..12).unwrap_or_default())
    }
}
