//! Rhythm patterns and their family, of the TU Wien: how loud each Bark band is, and how its loudness is modulated.
//!
//! Each segment of 5.944 s goes this way, every stage of which can be switched off ([`Stages`]):
//!
//! 1. 511 frames, half overlapping, of 23 ms (symmetric Hann window); power, as `|X|^2 / (2 pi sum w^2)`, of samples that are
//!    multiplied by 2867.2, and twice that from bin 1 on;
//! 2. the transmission of the outer ear ([`Stages::outer_ear`], off by default);
//! 3. sums over Bark bands, spectral masking (Schroeder), decibels, phon by curves of equal loudness, sone;
//! 4. a transform along the 511 frames of each band and a zero: modulation from 0.168 Hz in steps of 0.168 Hz, divided by 256;
//! 5. [`RhythmPart`]s: the modulation itself, weighted by how strongly such fluctuation is heard (Fastl), its sums, and statistics.
//!
//! [`RhythmPatternConfig`] gives the rhythm pattern of a clip as a matrix, (bands, modulation frequencies), which is what one draws;
//! [`RpFeaturesConfig`] gives the vectors, one for a clip or one for a segment, with a name for each value.
//!
//! The sampling rate is 11,025, 22,050 or 44,100 Hz; sound at another rate is resampled before (`mgr_audio::LoadConfig`, or the
//! sampling rate of a `mgr_data::FrontEndConfig`). All is computed in f64 and rounded to f32 at the end, as the third and fourth
//! powers in the statistics ask for. Silence gives 3 phon (0.00107 sone) in every band, without spread: its SSD is that and zeros,
//! its modulation what the zero after the frames makes of it.
//!
//! Source: Lidy and Rauber, "Evaluation of feature extractors and psycho-acoustic transformations for music genre classification"
//! (ISMIR 2005); rp_extract in Python of 2018, number for number. What differs on purpose: no segment is an error with the length
//! that is needed, also where the lead-in and the fade-out leave nothing; no more than 256 modulations.

mod analysis;
mod bark;
mod config;
mod features;
mod segments;
mod statistics;

use std::sync::Arc;

use ndarray::{Array2, ArrayViewMut2};

pub use config::{
    Per, RhythmPart, RhythmPatternConfig, RpFeaturesConfig, SegmentationConfig, ShortClip, Stages,
};
pub use features::{RpFeatures, RpFeaturesScratch};

use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::{ColumnStream, FeatureError, check};
use analysis::{Analysis, AnalysisScratch};
use segments::Segments;

impl RhythmPatternConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate other than 11,025, 22,050 and 44,100 Hz, numbers out of range, and masking or
    /// phon without Bark bands.
    pub fn plan(&self, sample_rate: u32) -> Result<RhythmPattern, FeatureError> {
        Ok(RhythmPattern(Arc::new(Analysis::new(self, sample_rate)?)))
    }
}

/// A planned rhythm pattern of a clip: the median of those of its segments, (bands, modulation frequencies).
///
/// ```
/// use mgr_features::rhythm_pattern::RhythmPatternConfig;
/// let rhythm_pattern = RhythmPatternConfig::default().plan(22_050)?;
/// // A tone of 1 kHz that swells twice a second, for six seconds.
/// let x: Vec<f32> = (0..6 * 22_050)
///     .map(|n| {
///         let t = n as f32 / 22_050.0;
///         (0.3 + 0.2 * (t * 2.0 * std::f32::consts::TAU).sin()) * (t * 1000.0 * std::f32::consts::TAU).sin()
///     })
///     .collect();
/// let matrix = rhythm_pattern.process(&x)?;
/// assert_eq!(matrix.dim(), (24, 60));
/// // Row 8 is 920 to 1080 Hz, column 11 is 2.02 Hz.
/// let loudest = matrix.indexed_iter().max_by(|a, b| a.1.total_cmp(b.1)).map(|(at, _)| at);
/// assert_eq!(loudest, Some((8, 11)));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RhythmPattern(Arc<Analysis>);

/// Buffers of one computation; make one per thread with [`RhythmPattern::scratch_for`] and use it again.
pub struct RhythmPatternScratch {
    analysis: AnalysisScratch,
    /// Patterns of all segments.
    patterns: Vec<f64>,
    work: Vec<f64>,
}

impl std::fmt::Debug for RhythmPatternScratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RhythmPatternScratch").field("values", &self.patterns.len()).finish_non_exhaustive()
    }
}

impl RhythmPattern {
    /// Samples of a segment.
    #[must_use]
    pub fn segment_length(&self) -> usize {
        self.0.segmentation.length()
    }

    /// Zeros that are put after a clip of so many samples; not 0 only with [`ShortClip::PadZeros`].
    ///
    /// # Errors
    /// [`FeatureError::TooShort`].
    pub fn padding(&self, samples: usize) -> Result<usize, FeatureError> {
        Ok(self.0.segmentation.of(samples)?.padding)
    }

    /// Buffers for [`RhythmPattern::process_into`] and signals of up to `samples` samples.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> RhythmPatternScratch {
        let segments = self.0.segmentation.of(samples).map_or(0, |s| s.count);
        RhythmPatternScratch {
            analysis: self.0.scratch(),
            patterns: check::vector(segments, self.size()).unwrap_or_default(),
            work: vec![0.0; segments],
        }
    }

    fn scratch(&self) -> RhythmPatternScratch {
        self.scratch_for(0)
    }

    fn size(&self) -> usize {
        self.0.rows() * self.0.n_modulations()
    }

    /// The rhythm pattern of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The rhythm pattern of a signal into `out` of (bands, modulation frequencies), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], and [`FeatureError::Scratch`] also for a
    /// scratch made for shorter signals.
    pub fn process_into(
        &self,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut RhythmPatternScratch,
    ) -> Result<(), FeatureError> {
        let segments = self.0.segmentation.of(samples.len())?;
        let size = self.size();
        let RhythmPatternScratch { analysis, patterns, work } = scratch;
        let (Some(patterns), Some(work)) =
            (patterns.get_mut(..segments.count * size), work.get_mut(..segments.count))
        else {
            return Err(FeatureError::Scratch { plan: "rhythm_pattern" });
        };
        if !self.0.fits(analysis) {
            return Err(FeatureError::Scratch { plan: "rhythm_pattern" });
        }
        check::shape(&out, self.0.rows(), self.0.n_modulations())?;
        check::finite(samples)?;
        for (i, pattern) in patterns.chunks_exact_mut(size).enumerate() {
            self.0.loudness(segments.get(i, samples, self.0.segmentation.length()), analysis);
            self.0.modulation(analysis);
            pattern.copy_from_slice(&analysis.modulation);
        }
        for ((b, m), value) in out.indexed_iter_mut() {
            let at = b * self.0.n_modulations() + m;
            work.iter_mut().zip(patterns.iter().skip(at).step_by(size)).for_each(|(to, v)| *to = *v);
            *value = (statistics::median(work) * self.0.fluctuation()[m]) as f32;
        }
        Ok(())
    }
}

/// What the extractors of the family say of a signal that is padded.
fn remark(segments: Result<Segments, FeatureError>) -> Option<String> {
    let padding = segments.ok()?.padding;
    (padding > 0).then(|| format!("shorter than a segment: {padding} zeros were put after it"))
}

const WHOLE: &str = "which segments are taken depends on the length of the signal";

impl Extractor for RhythmPattern {
    by_process_into!("rhythm_pattern");

    fn frame_length(&self) -> usize {
        self.0.segmentation.shortest()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        self.0.segmentation.of(samples)?;
        let (rows, columns) = (self.0.rows(), self.0.n_modulations());
        let edges = (0..rows).map(|b| self.0.row_hz(b)).map(|(low, high)| (low as f32, high as f32));
        let (low_hz, high_hz): (Vec<f32>, Vec<f32>) = edges.unzip();
        Ok(Layout {
            rows,
            columns,
            row_axis: if self.0.config.stages.bark {
                Axis::Band { low_hz, high_hz }
            } else {
                Axis::Frequency { hz: low_hz }
            },
            column_axis: Axis::Modulation {
                hz: (0..columns).map(|m| self.0.modulation_hz(m) as f32).collect(),
            },
            unit: Unit::Magnitude,
        })
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn remark(&self, samples: usize) -> Option<String> {
        remark(self.0.segmentation.of(samples))
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        Err(FeatureError::NotStreamable { feature: "rhythm_pattern", reason: WHOLE })
    }
}
