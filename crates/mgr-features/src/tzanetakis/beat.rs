//! The beat histogram.

use ndarray::{Array2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::periodicity::{Autocorrelation, AutocorrelationScratch, LEAST, enhance, peaks};
use super::wavelet::OctaveBands;
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::{ColumnStream, FeatureError, check};

/// What the columns of a beat histogram are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeatColumns {
    /// One: the histogram of the whole clip. The default.
    #[default]
    Clip,
    /// One an analysis window: what the window adds, a picture of tempo over time.
    Windows,
}

/// Parameters of a beat histogram. Defaults are those of Tzanetakis and Cook (2002) at 22,050 Hz where the paper gives them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BeatHistogramConfig {
    /// Samples in an analysis window, a power of two from 2^10 to 2^22. Default 65,536.
    pub win_length: usize,
    /// Samples from one window to the next, 1 to 2^24. Default 32,768.
    pub hop_length: usize,
    /// Octaves that the wavelet splits off, 1 to 8; what is under them is a band too. Default 5 (the paper gives none).
    pub levels: usize,
    /// Coefficient of the low-pass filter of envelopes, 0 to less than 1. Default 0.99.
    pub smoothing: f64,
    /// Every how many samples of the envelopes one is kept, 1 to 1024. Default 16.
    pub decimation: usize,
    /// The largest factor by which the autocorrelation is stretched and taken off, 1 (not at all) to 16. Default 4.
    pub enhancement: usize,
    /// Peaks that each window adds, 1 to 64: the highest. Default 3.
    pub peaks: usize,
    /// The slowest tempo in beats a minute, 1 or more. Default 40.
    pub bpm_min: usize,
    /// The fastest tempo, over the slowest, to 1000. Default 200.
    pub bpm_max: usize,
    /// Whether heights are shares of the autocorrelation at lag 0, so that loudness does not matter. Default yes.
    pub normalize: bool,
    /// Whether a clip that is shorter than a window is continued with zeros to one. Default no: it is refused.
    pub pad: bool,
    /// What a column is.
    pub columns: BeatColumns,
}

impl Default for BeatHistogramConfig {
    fn default() -> Self {
        Self {
            win_length: 65_536,
            hop_length: 32_768,
            levels: 5,
            smoothing: 0.99,
            decimation: 16,
            enhancement: 4,
            peaks: 3,
            bpm_min: 40,
            bpm_max: 200,
            normalize: true,
            pad: false,
            columns: BeatColumns::default(),
        }
    }
}

impl BeatHistogramConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0, a parameter out of range, and a window that is too short for the slowest
    /// tempo.
    pub fn plan(&self, sample_rate: u32) -> Result<BeatHistogram, FeatureError> {
        check::rate(sample_rate)?;
        let whole = |field, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(FeatureError::parameter(field, value, format!("{low} to {high}")))
        };
        if !(1 << 10..=1 << 22).contains(&self.win_length) || !self.win_length.is_power_of_two() {
            return Err(FeatureError::parameter(
                "win_length",
                self.win_length,
                "a power of two from 1024 to 4194304",
            ));
        }
        whole("hop_length", self.hop_length, 1, 1 << 24)?;
        whole("levels", self.levels, 1, 8)?;
        if !(0.0..1.0).contains(&self.smoothing) {
            return Err(FeatureError::parameter("smoothing", self.smoothing, "0 to less than 1"));
        }
        whole("decimation", self.decimation, 1, 1024.min(self.win_length / 8))?;
        whole("enhancement", self.enhancement, 1, 16)?;
        whole("peaks", self.peaks, 1, 64)?;
        whole("bpm_max", self.bpm_max, 2, 1000)?;
        whole("bpm_min", self.bpm_min, 1, self.bpm_max - 1)?;
        let envelope = self.win_length.div_ceil(self.decimation);
        let lags_a_minute = 60.0 * f64::from(sample_rate) / self.decimation as f64;
        let first = (lags_a_minute / self.bpm_max as f64).ceil() as usize;
        let last = (lags_a_minute / self.bpm_min as f64) as usize;
        if first < 1 || last + 2 > envelope || last < first {
            let allowed = "a tempo whose beats are further apart than two values of the envelope, and nearer than a window is long";
            return Err(FeatureError::parameter("bpm_min", self.bpm_min, allowed));
        }
        Ok(BeatHistogram {
            bands: OctaveBands::new(self.levels),
            autocorrelation: Autocorrelation::new(envelope),
            lags_a_minute,
            first,
            last,
            config: self.clone(),
            sample_rate,
        })
    }
}

/// A planned beat histogram, (tempos, 1): how strongly a clip repeats itself at 40, 41, ... 200 beats a minute.
///
/// Each window is split into octave bands by Daubechies' wavelet of four taps, its ends joined; each band, at the full rate, is
/// rectified, low-passed (`y[n] = (1 - a) |x[n]| + a y[n-1]`), decimated, and its mean taken off. Of the sum of the bands the
/// enhanced autocorrelation (Tolonen and Karjalainen 2000) is taken, and its highest peaks within the tempos add their height to the
/// histogram, each at the nearest whole tempo. Silence gives 0 throughout.
///
/// Source: Tzanetakis and Cook, Musical genre classification of audio signals, IEEE TSAP 10(5), 2002.
///
/// ```
/// use mgr_features::tzanetakis::BeatHistogramConfig;
/// let histogram = BeatHistogramConfig::default().plan(22_050)?;
/// // Two clicks a second.
/// let clicks: Vec<f32> = (0..10 * 22_050).map(|n| if n % 11_025 < 100 { 0.5 } else { 0.0 }).collect();
/// let matrix = histogram.process(&clicks)?;
/// assert_eq!(matrix.dim(), (161, 1));
/// let strongest = (0..161).max_by(|a, b| matrix[[*a, 0]].total_cmp(&matrix[[*b, 0]])).unwrap();
/// assert_eq!(40 + strongest, 120);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BeatHistogram {
    config: BeatHistogramConfig,
    bands: OctaveBands,
    autocorrelation: Autocorrelation,
    lags_a_minute: f64,
    first: usize,
    last: usize,
    sample_rate: u32,
}

/// Buffers of one computation; make one per thread with [`BeatHistogram::scratch`] and use it again.
#[derive(Debug, Clone)]
pub struct BeatHistogramScratch {
    transform: Vec<f64>,
    band: Vec<f64>,
    spare: Vec<f64>,
    envelope: Vec<f64>,
    one: Vec<f64>,
    autocorrelation: AutocorrelationScratch,
    histogram: Vec<f64>,
}

/// What Tzanetakis and Cook take from a beat histogram.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BeatContent {
    /// Height of the highest peak, a share of the sum.
    pub a0: f64,
    /// Height of the second highest peak, a share of the sum.
    pub a1: f64,
    /// The second height over the first.
    pub ra: f64,
    /// Tempo of the highest peak in beats a minute.
    pub p1: f64,
    /// Tempo of the second highest peak.
    pub p2: f64,
    /// Sum of the histogram: strength of the beat. It grows with the length of the clip.
    pub sum: f64,
}

impl BeatContent {
    /// Of a histogram whose first value is of the tempo `bpm_min`; a peak is over its neighbour before and not under the one behind.
    /// What there is not is 0.
    #[must_use]
    pub fn of(histogram: &[f64], bpm_min: usize) -> Self {
        let sum: f64 = histogram.iter().sum();
        let at = |i: Option<usize>| i.and_then(|i| histogram.get(i)).copied().unwrap_or(f64::NEG_INFINITY);
        let mut best = [(0, 0.0); 2];
        for (i, height) in histogram.iter().copied().enumerate() {
            if height > 0.0 && height > at(i.checked_sub(1)) && height >= at(Some(i + 1)) {
                if height > best[0].1 {
                    best = [(i, height), best[0]];
                } else if height > best[1].1 {
                    best[1] = (i, height);
                }
            }
        }
        if best[0].1 <= 0.0 {
            return Self::default();
        }
        let tempo = |(i, height): (usize, f64)| if height > 0.0 { (bpm_min + i) as f64 } else { 0.0 };
        let [first, second] = best;
        Self {
            a0: first.1 / sum,
            a1: second.1 / sum,
            ra: second.1 / first.1,
            p1: tempo(first),
            p2: tempo(second),
            sum,
        }
    }
}

impl BeatHistogram {
    /// Tempos.
    fn rows(&self) -> usize {
        self.config.bpm_max - self.config.bpm_min + 1
    }

    /// Analysis windows of a signal.
    pub(super) fn windows(&self, samples: usize) -> Result<usize, FeatureError> {
        let BeatHistogramConfig { win_length, hop_length, pad, .. } = self.config;
        match samples.checked_sub(win_length) {
            Some(room) => Ok(1 + room / hop_length),
            None if pad && samples > 0 => Ok(1),
            None => Err(FeatureError::TooShort { got: samples, needed: if pad { 1 } else { win_length } }),
        }
    }

    /// Columns for a signal of so many samples.
    fn columns(&self, samples: usize) -> Result<usize, FeatureError> {
        let windows = self.windows(samples)?;
        Ok(if self.config.columns == BeatColumns::Clip { 1 } else { windows })
    }

    /// Buffers for [`BeatHistogram::process_into`].
    #[must_use]
    pub fn scratch(&self) -> BeatHistogramScratch {
        let n = self.config.win_length;
        let envelope = n.div_ceil(self.config.decimation);
        BeatHistogramScratch {
            transform: vec![0.0; n],
            band: vec![0.0; n],
            spare: vec![0.0; n],
            envelope: vec![0.0; envelope],
            one: vec![0.0; envelope],
            autocorrelation: self.autocorrelation.scratch(),
            histogram: vec![0.0; self.rows()],
        }
    }

    pub(super) fn fits(&self, scratch: &BeatHistogramScratch) -> bool {
        scratch.transform.len() == self.config.win_length
            && scratch.histogram.len() == self.rows()
            && self.autocorrelation.fits(&scratch.autocorrelation)
    }

    /// The histogram of a signal, allocated.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] for less than a window, [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The histogram of a signal into `out` of (tempos, 1) or (tempos, windows), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut BeatHistogramScratch,
    ) -> Result<(), FeatureError> {
        if !self.fits(scratch) {
            return Err(FeatureError::Scratch { plan: "beat_histogram" });
        }
        check::shape(&out, self.rows(), self.columns(samples.len())?)?;
        check::finite(samples)?;
        let windows = self.windows(samples.len())?;
        let each = self.config.columns == BeatColumns::Windows;
        scratch.histogram.fill(0.0);
        for t in 0..windows {
            self.window(samples, t, scratch);
            if each || t + 1 == windows {
                let column = out.column_mut(if each { t } else { 0 });
                column.into_iter().zip(&scratch.histogram).for_each(|(o, h)| *o = *h as f32);
            }
            if each {
                scratch.histogram.fill(0.0);
            }
        }
        Ok(())
    }

    /// What the paper takes from the histogram of a finite signal that has a window; the scratch must fit.
    pub(super) fn content(&self, samples: &[f32], scratch: &mut BeatHistogramScratch) -> BeatContent {
        scratch.histogram.fill(0.0);
        for t in 0..self.windows(samples.len()).unwrap_or(0) {
            self.window(samples, t, scratch);
        }
        BeatContent::of(&scratch.histogram, self.config.bpm_min)
    }

    /// Adds the peaks of window `t`.
    fn window(&self, samples: &[f32], t: usize, scratch: &mut BeatHistogramScratch) {
        let BeatHistogramConfig {
            hop_length, smoothing, decimation, enhancement, peaks: most, bpm_min, ..
        } = self.config;
        let BeatHistogramScratch { transform, band, spare, envelope, one, autocorrelation, histogram } =
            scratch;
        let inside = samples.get(t * hop_length..).unwrap_or_default();
        let values = inside.iter().map(|x| f64::from(*x)).chain(std::iter::repeat(0.0));
        transform.iter_mut().zip(values).for_each(|(o, x)| *o = x);
        self.bands.analyse(transform, spare);
        envelope.fill(0.0);
        for b in 0..self.bands.count() {
            self.bands.synthesise(transform, b, band, spare);
            let mut y = 0.0;
            let mut sum = 0.0;
            for (block, o) in band.chunks(decimation).zip(one.iter_mut()) {
                for (i, x) in block.iter().enumerate() {
                    y = (1.0 - smoothing) * x.abs() + smoothing * y;
                    if i == 0 {
                        *o = y;
                    }
                }
                sum += *o;
            }
            let mean = sum / one.len() as f64;
            envelope.iter_mut().zip(&*one).for_each(|(e, o)| *e += o - mean);
        }
        Autocorrelation::begin(autocorrelation);
        self.autocorrelation.add(envelope.iter().copied(), 2.0, autocorrelation);
        self.autocorrelation.finish(envelope.len() as f64, autocorrelation);
        let AutocorrelationScratch { lags, enhanced, .. } = autocorrelation;
        let whole = lags[0];
        if whole <= 0.0 {
            return;
        }
        enhance(lags, enhancement, enhanced);
        let scale = if self.config.normalize { whole.recip() } else { 1.0 };
        peaks(enhanced, self.first, self.last, most, LEAST * whole, |lag, height| {
            let tempo = (self.lags_a_minute / lag as f64).round() as usize;
            if let Some(bin) = tempo.checked_sub(bpm_min).and_then(|i| histogram.get_mut(i)) {
                *bin += height * scale;
            }
        });
    }
}

impl Extractor for BeatHistogram {
    by_process_into!("beat_histogram");

    fn frame_length(&self) -> usize {
        self.config.win_length
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        let columns = self.columns(samples)?;
        let rate = f64::from(self.sample_rate);
        let column_axis = match self.config.columns {
            BeatColumns::Clip => {
                Axis::Time { start_s: samples as f64 / 2.0 / rate, step_s: samples as f64 / rate }
            }
            BeatColumns::Windows => Axis::Time {
                start_s: self.config.win_length as f64 / 2.0 / rate,
                step_s: self.config.hop_length as f64 / rate,
            },
        };
        let names = (self.config.bpm_min..=self.config.bpm_max).map(|bpm| bpm.to_string()).collect();
        Ok(Layout {
            rows: self.rows(),
            columns,
            row_axis: Axis::Name { names },
            column_axis,
            unit: Unit::Ratio,
        })
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        let reason = "the histogram is of the whole clip";
        Err(FeatureError::NotStreamable { feature: "beat_histogram", reason })
    }
}
