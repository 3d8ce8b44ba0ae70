//! How far a recording is tuned from A = 440 Hz.

use std::sync::Arc;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::piptrack::{Peaks, PiptrackConfig, magnitude};
use crate::frame::{Framing, Span};
use crate::stft::{Stft, StftScratch};
use crate::{FeatureError, check};

/// Parameters of a tuning estimate. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TuningConfig {
    /// Where the peaks come from.
    pub peaks: PiptrackConfig,
    /// Width of a bin of the histogram, as a share of a pitch bin, 1e-5 to 1. Default 0.01.
    pub resolution: f64,
    /// Pitch bins to an octave, 1 to 10,000. Default 12.
    pub bins_per_octave: usize,
}

impl Default for TuningConfig {
    fn default() -> Self {
        Self { peaks: PiptrackConfig::default(), resolution: 0.01, bins_per_octave: 12 }
    }
}

impl TuningConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a resolution or a number of bins out of range; see [`PiptrackConfig::plan`].
    pub fn plan(&self, sample_rate: u32) -> Result<Tuning, FeatureError> {
        check::rate(sample_rate)?;
        let stft = self.peaks.stft.plan()?;
        let peaks =
            PeakTuning::new(&self.peaks, self.resolution, self.bins_per_octave, sample_rate, stft.n_fft())?;
        Ok(Tuning { stft, peaks })
    }
}

/// Where a feature takes the tuning from, as a share of a pitch bin from A = 440 Hz.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TuningSource {
    /// Estimated from each clip; the feature then needs the whole clip before its first column.
    #[default]
    Estimated,
    /// Given.
    Fixed(f64),
}

/// The deviation from A = 440 Hz of a set of frequencies in Hz, as a share of a pitch bin in [-0.5, 0.5).
///
/// Each frequency `f` lies `bins_per_octave * log2(f / 27.5)` bins over A0; the fraction of that, wrapped to [-0.5, 0.5), goes
/// into a histogram of bins `resolution` wide, and the lower edge of the fullest bin is the answer, the lowest of several.
/// Frequencies that are not over 0 and finite are left out; with none left the answer is 0. Source: librosa 0.11
/// `pitch_tuning`.
///
/// ```
/// use mgr_features::pitch::tuning::pitch_tuning;
/// // A quarter tone's half above A and C sharp.
/// let tuning = pitch_tuning(&[440.0 * 1.0150, 554.365 * 1.0150], 0.01, 12)?;
/// assert!((tuning - 0.25).abs() < 0.011);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
///
/// # Errors
/// [`FeatureError::Parameter`] as [`TuningConfig::plan`].
pub fn pitch_tuning(
    frequencies: &[f32],
    resolution: f64,
    bins_per_octave: usize,
) -> Result<f64, FeatureError> {
    let histogram = Histogram::new(resolution, bins_per_octave)?;
    let mut counts = histogram.counts();
    let valid = frequencies.iter().copied().filter(|hz| *hz > 0.0 && hz.is_finite());
    Ok(histogram.fullest(valid, &mut counts))
}

/// Frequencies sorted by how far they lie from the nearest pitch.
#[derive(Debug, Clone)]
struct Histogram {
    bins_per_octave: f32,
    /// One more than there are bins.
    edges: Arc<[f64]>,
}

impl Histogram {
    fn new(resolution: f64, bins_per_octave: usize) -> Result<Self, FeatureError> {
        check::within("resolution", resolution, 1e-5, 1.0)?;
        check::within("bins_per_octave", bins_per_octave as f64, 1.0, 10_000.0)?;
        let bins = (1.0 / resolution).ceil() as usize;
        let step = 1.0 / bins as f64;
        let edges = (0..=bins).map(|i| if i == bins { 0.5 } else { i as f64 * step - 0.5 }).collect();
        Ok(Self { bins_per_octave: bins_per_octave as f32, edges })
    }

    fn counts(&self) -> Vec<u32> {
        vec![0; self.edges.len() - 1]
    }

    /// The lower edge of the fullest bin.
    fn fullest(&self, frequencies: impl Iterator<Item = f32>, counts: &mut [u32]) -> f64 {
        counts.fill(0);
        let mut any = false;
        for hz in frequencies {
            any = true;
            let residual = self.residual(hz);
            // A guess by arithmetic, put right by the edges themselves.
            let guess = ((residual + 0.5) * counts.len() as f64) as usize;
            let mut bin = guess.min(counts.len() - 1);
            while bin > 0 && residual < self.edges[bin] {
                bin -= 1;
            }
            while bin + 1 < counts.len() && residual >= self.edges[bin + 1] {
                bin += 1;
            }
            counts[bin] += 1;
        }
        if !any {
            return 0.0;
        }
        let mut fullest = 0;
        for (bin, count) in counts.iter().enumerate() {
            if *count > counts[fullest] {
                fullest = bin;
            }
        }
        self.edges[fullest]
    }

    /// Bins above the nearest pitch, in [-0.5, 0.5); in f32, as in the reference.
    fn residual(&self, hz: f32) -> f64 {
        let octaves = f64::from(hz / 27.5).log2() as f32;
        let residual = (self.bins_per_octave * octaves).rem_euclid(1.0);
        f64::from(if residual >= 0.5 { residual - 1.0 } else { residual })
    }
}

/// The part of a [`Tuning`] after the spectrogram.
#[derive(Debug, Clone)]
pub(crate) struct PeakTuning {
    peaks: Peaks,
    histogram: Histogram,
}

/// A planned tuning estimate: the deviation of a recording from A = 440 Hz, as a share of a pitch bin in [-0.5, 0.5).
///
/// Peaks of the magnitude spectrogram ([`super::piptrack`]) whose height is at least the median height of all peaks vote, as
/// in [`pitch_tuning`]. Silence, and whatever else has no peak, gives 0. Broadband clicks have no tuning: the answer is then
/// decided by rounding. Source: librosa 0.11 `estimate_tuning`.
///
/// ```
/// use mgr_features::pitch::tuning::TuningConfig;
/// let tuning = TuningConfig::default().plan(22_050)?;
/// // 444 Hz is 0.157 semitones over A.
/// let sine: Vec<f32> = (0..22_050).map(|n| (n as f32 * 444.0 * std::f32::consts::TAU / 22_050.0).sin()).collect();
/// assert!((tuning.estimate(&sine)? - 0.157).abs() < 0.05);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tuning {
    stft: Stft,
    peaks: PeakTuning,
}

/// Buffers of one estimate, for signals up to the length that they were made for; see [`Tuning::scratch_for`].
#[derive(Debug, Clone)]
pub struct TuningScratch {
    stft: StftScratch,
    column: Vec<f32>,
    peaks: PeakScratch,
}

/// Buffers of a [`PeakTuning`].
#[derive(Debug, Clone)]
pub(crate) struct PeakScratch {
    /// (magnitude, pitch) of every peak of the clip.
    found: Vec<(f32, f32)>,
    counts: Vec<u32>,
}

impl PeakTuning {
    pub(crate) fn new(
        peaks: &PiptrackConfig,
        resolution: f64,
        bins_per_octave: usize,
        sample_rate: u32,
        n_fft: usize,
    ) -> Result<Self, FeatureError> {
        let histogram = Histogram::new(resolution, bins_per_octave)?;
        Ok(Self { peaks: Peaks::new(peaks, sample_rate, n_fft)?, histogram })
    }

    /// Buffers for as many frames. Where memory does not suffice they are too small, and refused when they are used.
    pub(crate) fn scratch(&self, frames: usize) -> PeakScratch {
        let mut found = Vec::new();
        let _ = found.try_reserve_exact(self.peaks.most().saturating_mul(frames));
        PeakScratch { found, counts: self.histogram.counts() }
    }

    /// Whether a scratch is of this plan, for at least as many frames.
    pub(crate) fn fits(&self, scratch: &PeakScratch, frames: usize) -> bool {
        scratch.counts.len() + 1 == self.histogram.edges.len()
            && self.peaks.most().checked_mul(frames).is_some_and(|needed| scratch.found.capacity() >= needed)
    }

    /// Forgets the peaks of an earlier clip.
    pub(crate) fn begin(&self, scratch: &mut PeakScratch) {
        scratch.found.clear();
    }

    /// Takes the peaks of one more column.
    pub(crate) fn add(&self, column: &[f32], scratch: &mut PeakScratch) {
        self.peaks.each(column, |peak| scratch.found.push((peak.magnitude, peak.pitch)));
    }

    /// The tuning that the peaks give.
    pub(crate) fn end(&self, scratch: &mut PeakScratch) -> f64 {
        let PeakScratch { found, counts } = scratch;
        let median = median(found);
        let loud = found.iter().filter(|(magnitude, _)| *magnitude >= median).map(|(_, pitch)| *pitch);
        self.histogram.fullest(loud, counts)
    }
}

/// The median of the first values, by selection; reorders the list. 0 for none.
fn median(found: &mut [(f32, f32)]) -> f32 {
    let count = found.len();
    if count == 0 {
        return 0.0;
    }
    let (low, middle, _) = found.select_nth_unstable_by(count / 2, |a, b| a.0.total_cmp(&b.0));
    if !count.is_multiple_of(2) {
        return middle.0;
    }
    let below = low.iter().fold(f32::NEG_INFINITY, |top, v| top.max(v.0));
    (below + middle.0) / 2.0
}

impl Tuning {
    /// The framing rule.
    #[must_use]
    pub fn framing(&self) -> &Framing {
        self.stft.framing()
    }

    /// Buffers for [`Tuning::estimate_with`] and signals of up to `samples` samples.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> TuningScratch {
        let frames = self.framing().frames(samples).unwrap_or(0);
        TuningScratch {
            stft: self.stft.scratch(),
            column: vec![0.0; self.stft.bins()],
            peaks: self.peaks.scratch(frames),
        }
    }

    /// The tuning of a signal.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`].
    pub fn estimate(&self, samples: &[f32]) -> Result<f64, FeatureError> {
        self.estimate_with(samples, &mut self.scratch_for(samples.len()))
    }

    /// The tuning of a signal. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], and [`FeatureError::Scratch`] also for a scratch made for
    /// shorter signals.
    pub fn estimate_with(&self, samples: &[f32], scratch: &mut TuningScratch) -> Result<f64, FeatureError> {
        let frames = self.framing().frames(samples.len())?;
        self.stft.fits(&scratch.stft)?;
        if scratch.column.len() != self.stft.bins() || !self.peaks.fits(&scratch.peaks, frames) {
            return Err(FeatureError::Scratch { plan: "tuning" });
        }
        check::finite(samples)?;
        let span = Span::whole(samples);
        let TuningScratch { stft, column, peaks } = scratch;
        self.peaks.begin(peaks);
        for t in 0..frames {
            magnitude(&self.stft, t, span, stft, column);
            self.peaks.add(column, peaks);
        }
        Ok(self.peaks.end(peaks))
    }

    /// The tuning of a magnitude or power spectrogram of (bins, frames).
    ///
    /// # Errors
    /// [`FeatureError::Shape`], [`FeatureError::NotFinite`], and [`FeatureError::Parameter`] for a negative value.
    pub fn estimate_spectrogram(&self, spectrogram: ArrayView2<'_, f32>) -> Result<f64, FeatureError> {
        check::spectrogram(spectrogram, self.stft.bins())?;
        let mut scratch = self.peaks.scratch(spectrogram.ncols());
        let mut column = vec![0.0; self.stft.bins()];
        for values in spectrogram.columns() {
            column.iter_mut().zip(values).for_each(|(to, from)| *to = *from);
            self.peaks.add(&column, &mut scratch);
        }
        Ok(self.peaks.end(&mut scratch))
    }
}
