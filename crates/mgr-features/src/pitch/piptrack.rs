//! Pitch tracking on the peaks of a spectrogram, placed between the bins by a parabola.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::frame::Span;
use crate::frequency::fft_frequencies;
use crate::log::maximum;
use crate::spectrogram::Exponent;
use crate::stft::{Stft, StftConfig, StftScratch};
use crate::{FeatureError, check};

/// What a bin must exceed to count as a peak.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeakFloor {
    /// `threshold` times the largest value of the frame.
    #[default]
    FrameMax,
    /// A fixed value; `threshold` has no say then, as in the reference.
    Value(f32),
}

/// Parameters of a peak tracker. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PiptrackConfig {
    /// The transform, whose magnitude is looked at.
    pub stft: StftConfig,
    /// Lowest frequency in Hz, 0 or more. Default 150.
    pub f_min: f64,
    /// Frequency in Hz that peaks stay under, cut to half the sampling rate. Default 4000.
    pub f_max: f64,
    /// Share of the largest value of a frame that a peak exceeds, 0 to 1. Default 0.1.
    pub threshold: f32,
    /// What a peak exceeds.
    pub floor: PeakFloor,
}

impl Default for PiptrackConfig {
    fn default() -> Self {
        Self {
            stft: StftConfig::default(),
            f_min: 150.0,
            f_max: 4000.0,
            threshold: 0.1,
            floor: PeakFloor::default(),
        }
    }
}

impl PiptrackConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0, frequencies or a threshold out of range, and all that
    /// [`StftConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<Piptrack, FeatureError> {
        check::rate(sample_rate)?;
        let stft = self.stft.plan()?;
        let peaks = Peaks::new(self, sample_rate, stft.n_fft())?;
        Ok(Piptrack { stft, peaks })
    }
}

/// The rule by which the peaks of one column of a spectrogram are found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peaks {
    /// Bins from `first` up to, but not including, `end`.
    first: usize,
    end: usize,
    threshold: f32,
    floor: PeakFloor,
    sample_rate: f64,
    n_fft: f64,
}

/// A peak of a spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Peak {
    pub(crate) bin: usize,
    /// Frequency in Hz.
    pub(crate) pitch: f32,
    /// Height of the parabola.
    pub(crate) magnitude: f32,
}

impl Peaks {
    pub(crate) fn new(config: &PiptrackConfig, sample_rate: u32, n_fft: usize) -> Result<Self, FeatureError> {
        check::within("f_min", config.f_min, 0.0, f64::MAX)?;
        check::within("f_max", config.f_max, 0.0, f64::MAX)?;
        check::within("threshold", f64::from(config.threshold), 0.0, 1.0)?;
        if let PeakFloor::Value(value) = config.floor {
            check::within("floor", f64::from(value), 0.0, f64::from(f32::MAX))?;
        }
        let f_max = config.f_max.min(f64::from(sample_rate) / 2.0);
        let frequencies = fft_frequencies(sample_rate, n_fft);
        // The first bin has no lower neighbour and is never a peak.
        let first = frequencies.clone().take_while(|hz| *hz < config.f_min).count().max(1);
        let end = frequencies.take_while(|hz| *hz < f_max).count().max(first);
        let (threshold, floor) = (config.threshold, config.floor);
        Ok(Self { first, end, threshold, floor, sample_rate: f64::from(sample_rate), n_fft: n_fft as f64 })
    }

    /// The most peaks that a column can have: no two are neighbours.
    pub(crate) fn most(&self) -> usize {
        (self.end - self.first).div_ceil(2)
    }

    /// Calls `take` with each peak of a column, from low to high.
    ///
    /// A peak exceeds the floor, is larger than its lower neighbour and not smaller than its upper one. Through it and its
    /// neighbours goes a parabola, whose top lies `shift` bins away.
    pub(crate) fn each(&self, column: &[f32], mut take: impl FnMut(Peak)) {
        let floor = match self.floor {
            PeakFloor::FrameMax => self.threshold * maximum(column),
            PeakFloor::Value(value) => value,
        };
        let end = self.end.min(column.len());
        let (from, to) = (self.first - 1, (end + 1).min(column.len()));
        let Some(reach) = column.get(from..to) else { return };
        for (i, around) in reach.windows(3).enumerate() {
            let &[before, here, after] = around else { continue };
            if here > floor && here > before && here >= after {
                take(self.peak(self.first + i, before, here, after));
            }
        }
        // The last bin of a transform of odd length lies under half the rate; it has no upper neighbour, and so no parabola.
        if end == column.len()
            && let Some(&[before, here]) = reach.last_chunk()
            && here > floor
            && here > before
        {
            let pitch = (end - 1) as f64 * self.sample_rate / self.n_fft;
            take(Peak { bin: end - 1, pitch: pitch as f32, magnitude: here });
        }
    }

    /// Rounded step by step as the reference rounds, so that peaks fall into the same bins of a histogram.
    fn peak(&self, bin: usize, before: f32, here: f32, after: f32) -> Peak {
        let curvature = f64::from(after + before) - 2.0 * f64::from(here);
        let slope = f64::from(after - before) / 2.0;
        let shift = if slope.abs() >= curvature.abs() { 0.0 } else { (-slope / curvature) as f32 };
        let pitch = ((bin as f64 + f64::from(shift)) * self.sample_rate / self.n_fft) as f32;
        Peak { bin, pitch, magnitude: here + 0.5 * ((after - before) / 2.0) * shift }
    }
}

/// A planned peak tracker: the frequency and height of every peak of a magnitude spectrogram.
///
/// Between a peak `b` and its neighbours `a` and `c` a parabola puts the top at `(a - c) / 2 / (a - 2b + c)` bins from the
/// peak (Smith, "Spectral Audio Signal Processing", "Quadratic interpolation of spectral peaks"). Source: librosa 0.11
/// `piptrack`.
///
/// ```
/// use mgr_features::pitch::piptrack::PiptrackConfig;
/// let tracker = PiptrackConfig::default().plan(22_050)?;
/// let sine: Vec<f32> = (0..22_050).map(|n| (n as f32 * 440.0 * std::f32::consts::TAU / 22_050.0).sin()).collect();
/// let peaks = tracker.process(&sine)?;
/// assert_eq!(peaks.pitches.dim(), (1025, 44));
/// let pitch = peaks.pitches.column(20).iter().copied().fold(0.0, f32::max);
/// assert!((pitch - 440.0).abs() < 0.5);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Piptrack {
    stft: Stft,
    peaks: Peaks,
}

/// What a [`Piptrack`] finds; both matrices are (bins, frames) and zero wherever there is no peak.
#[derive(Debug, Clone, PartialEq)]
pub struct Pitches {
    /// Frequencies in Hz.
    pub pitches: Array2<f32>,
    /// Heights of the parabolas, as magnitude or as whatever the spectrogram held.
    pub magnitudes: Array2<f32>,
}

impl Piptrack {
    /// The peaks of a signal, allocated.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Pitches, FeatureError> {
        let frames = self.stft.framing().frames(samples.len())?;
        check::finite(samples)?;
        let span = Span::whole(samples);
        let mut scratch = self.stft.scratch();
        self.fill(frames, |t, column| magnitude(&self.stft, t, span, &mut scratch, column))
    }

    /// The peaks of a magnitude or power spectrogram of (bins, frames).
    ///
    /// # Errors
    /// [`FeatureError::Shape`], [`FeatureError::NotFinite`], [`FeatureError::Memory`], and [`FeatureError::Parameter`] for a
    /// negative value.
    pub fn process_spectrogram(&self, spectrogram: ArrayView2<'_, f32>) -> Result<Pitches, FeatureError> {
        check::spectrogram(spectrogram, self.stft.bins())?;
        self.fill(spectrogram.ncols(), |t, column| {
            column.iter_mut().zip(spectrogram.column(t)).for_each(|(to, from)| *to = *from);
        })
    }

    fn fill(
        &self,
        frames: usize,
        mut spectrum: impl FnMut(usize, &mut [f32]),
    ) -> Result<Pitches, FeatureError> {
        let bins = self.stft.bins();
        let mut pitches = check::matrix(bins, frames)?;
        let mut magnitudes = check::matrix(bins, frames)?;
        let mut column = vec![0.0; bins];
        for t in 0..frames {
            spectrum(t, &mut column);
            self.peaks.each(&column, |peak| {
                pitches[[peak.bin, t]] = peak.pitch;
                magnitudes[[peak.bin, t]] = peak.magnitude;
            });
        }
        Ok(Pitches { pitches, magnitudes })
    }
}

/// The magnitude of each bin of frame `t`.
pub(crate) fn magnitude(
    stft: &Stft,
    t: usize,
    span: Span<'_>,
    scratch: &mut StftScratch,
    column: &mut [f32],
) {
    stft.transform(t, span, scratch);
    Exponent::Magnitude.apply(stft, scratch, column);
}
