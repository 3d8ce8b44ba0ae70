//! The feature set of Tzanetakis and Cook (2002): timbral texture, beat histogram, pitch histogram.

mod beat;
mod periodicity;
mod pitch;
mod texture;
mod wavelet;

use ndarray::{Array2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

pub use beat::{BeatColumns, BeatContent, BeatHistogram, BeatHistogramConfig, BeatHistogramScratch};
pub use pitch::{PitchContent, PitchHistogram, PitchHistogramConfig, PitchHistogramScratch};

use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::{ColumnStream, FeatureError, check};
use texture::{TextureScratch, TimbralTexture};

/// Parameters of the feature set of Tzanetakis and Cook. Defaults are the paper's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TzanetakisCookConfig {
    /// Samples in a frame of the timbral texture, 4 to 65,536. Default 512.
    pub win_length: usize,
    /// Samples from one frame to the next, 1 to 2^24. Default 512.
    pub hop_length: usize,
    /// Frames in a texture window, 1 to 65,536. Default 43, some 1 s.
    pub memory: usize,
    /// The beat histogram. Its `columns` do not matter here.
    pub beat: BeatHistogramConfig,
    /// The pitch histogram. Whether it is `folded` does not matter here.
    pub pitch: PitchHistogramConfig,
}

impl Default for TzanetakisCookConfig {
    fn default() -> Self {
        Self {
            win_length: 512,
            hop_length: 512,
            memory: 43,
            beat: BeatHistogramConfig::default(),
            pitch: PitchHistogramConfig::default(),
        }
    }
}

impl TzanetakisCookConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0, a parameter out of range, and what the histograms refuse.
    pub fn plan(&self, sample_rate: u32) -> Result<TzanetakisCook, FeatureError> {
        check::rate(sample_rate)?;
        let whole = |field, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(FeatureError::parameter(field, value, format!("{low} to {high}")))
        };
        whole("win_length", self.win_length, 4, 1 << 16)?;
        whole("hop_length", self.hop_length, 1, 1 << 24)?;
        whole("memory", self.memory, 1, 1 << 16)?;
        Ok(TzanetakisCook {
            texture: TimbralTexture::new(sample_rate, self.win_length, self.hop_length, self.memory)?,
            beat: self.beat.plan(sample_rate)?,
            pitch: self.pitch.plan(sample_rate)?,
            frame_length: self.win_length,
            sample_rate,
        })
    }
}

/// The planned feature set of Tzanetakis and Cook: 30 values of a clip, (30, 1).
///
/// * **Timbral texture, 19**: means and variances over the last 43 frames of centroid (in bins), roll-off (the first bin with 85 % of
///   the magnitudes), flux (`sum (n - n before)^2` of magnitudes divided by their length, 0 for the first frame), zero crossings
///   (their number), MFCC 1 to 5 (Auditory Toolbox, of magnitudes); and low energy, the share of these frames whose root mean
///   square is under their mean. Of all whole texture windows, one at every frame, the mean is taken.
/// * **Rhythmic content, 6**: [`BeatContent`] of the [`BeatHistogram`].
/// * **Pitch content, 5**: [`PitchContent`] of the [`PitchHistogram`].
///
/// Silence gives 0 but for the MFCC of empty bands. Source: Tzanetakis and Cook, Musical genre classification of audio signals, IEEE
/// TSAP 10(5), 2002; frames are in a symmetric Hamming window, which the paper leaves open.
///
/// ```
/// use mgr_features::tzanetakis::TzanetakisCookConfig;
/// let set = TzanetakisCookConfig::default().plan(22_050)?;
/// let samples: Vec<f32> = (0..4 * 22_050).map(|n| (n as f32 * 0.05).sin() * ((n % 11_025) as f32 / 11_025.0)).collect();
/// assert_eq!(set.process(&samples)?.dim(), (30, 1));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TzanetakisCook {
    texture: TimbralTexture,
    beat: BeatHistogram,
    pitch: PitchHistogram,
    frame_length: usize,
    sample_rate: u32,
}

/// Buffers of one computation; make one per thread with [`TzanetakisCook::scratch`] and use it again.
#[derive(Debug, Clone)]
pub struct TzanetakisCookScratch {
    texture: TextureScratch,
    beat: BeatHistogramScratch,
    pitch: PitchHistogramScratch,
}

impl TzanetakisCook {
    /// Values of a clip.
    pub const VALUES: usize = 30;

    /// The names of the values.
    #[must_use]
    pub fn names() -> [&'static str; Self::VALUES] {
        const REST: [&str; 11] = [
            "beat_a0",
            "beat_a1",
            "beat_ra",
            "beat_p1",
            "beat_p2",
            "beat_sum",
            "pitch_fa0",
            "pitch_up0",
            "pitch_fp0",
            "pitch_ipo1",
            "pitch_sum",
        ];
        std::array::from_fn(|i| texture::NAMES.iter().chain(&REST).nth(i).copied().unwrap_or_default())
    }

    fn check_length(&self, samples: usize) -> Result<(), FeatureError> {
        self.beat.windows(samples)?;
        self.pitch.windows(samples)?;
        let needed = self.texture.shortest();
        if samples < needed { Err(FeatureError::TooShort { got: samples, needed }) } else { Ok(()) }
    }

    /// Buffers for [`TzanetakisCook::process_into`].
    #[must_use]
    pub fn scratch(&self) -> TzanetakisCookScratch {
        TzanetakisCookScratch {
            texture: self.texture.scratch(),
            beat: self.beat.scratch(),
            pitch: self.pitch.scratch(),
        }
    }

    /// The values of a signal, allocated.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] for less than a window of the beat histogram, [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The values of a signal into `out` of (30, 1), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut TzanetakisCookScratch,
    ) -> Result<(), FeatureError> {
        let TzanetakisCookScratch { texture, beat, pitch } = scratch;
        if !(self.texture.fits(texture) && self.beat.fits(beat) && self.pitch.fits(pitch)) {
            return Err(FeatureError::Scratch { plan: "tzanetakis_cook" });
        }
        self.check_length(samples.len())?;
        check::shape(&out, Self::VALUES, 1)?;
        check::finite(samples)?;
        let texture = self.texture.content(samples, texture);
        let BeatContent { a0, a1, ra, p1, p2, sum: beats } = self.beat.content(samples, beat);
        let PitchContent { fa0, up0, fp0, ipo1, sum: pitches } = self.pitch.content(samples, pitch);
        let rest = [a0, a1, ra, p1, p2, beats, fa0, up0, fp0, ipo1, pitches];
        let values = texture.into_iter().chain(rest);
        out.iter_mut().zip(values).for_each(|(o, v)| *o = v as f32);
        Ok(())
    }
}

impl Extractor for TzanetakisCook {
    by_process_into!("tzanetakis_cook");

    fn frame_length(&self) -> usize {
        self.frame_length
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        self.check_length(samples)?;
        let length_s = samples as f64 / f64::from(self.sample_rate);
        Ok(Layout {
            rows: Self::VALUES,
            columns: 1,
            row_axis: Axis::Name { names: Self::names().map(str::to_owned).to_vec() },
            column_axis: Axis::Time { start_s: length_s / 2.0, step_s: length_s },
            unit: Unit::Mixed,
        })
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        let reason = "its values are of the whole clip";
        Err(FeatureError::NotStreamable { feature: "tzanetakis_cook", reason })
    }
}
