//! The pitch histogram.

use std::f64::consts::{PI, SQRT_2};

use ndarray::{Array2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::periodicity::{Autocorrelation, AutocorrelationScratch, LEAST, enhance, peaks};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::window::{Symmetry, Window};
use crate::{ColumnStream, FeatureError, check};

/// Notes of an unfolded histogram, by their MIDI numbers.
const NOTES: usize = 128;

/// Parameters of a pitch histogram. Defaults are those of Tzanetakis and Cook (2002) and of Tolonen and Karjalainen (2000).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PitchHistogramConfig {
    /// Samples in an analysis window, 16 to 65,536. Default 512.
    pub win_length: usize,
    /// Samples from one window to the next, 1 to 2^24. Default 512.
    pub hop_length: usize,
    /// Where the two channels part, in Hz: over 0, under half the sampling rate. Default 1000.
    pub split_hz: f64,
    /// What is under this is filtered out of both channels, in Hz: over 0, under `split_hz`. Default 70.
    pub low_cut_hz: f64,
    /// Exponent of the magnitudes that the autocorrelation is the transform of, 0.1 to 2, which is the plain one. Default 0.67.
    pub exponent: f64,
    /// The largest factor by which the autocorrelation is stretched and taken off, 1 (not at all) to 16. Default 5.
    pub enhancement: usize,
    /// Peaks that each window adds, 1 to 64: the highest. Default 3.
    pub peaks: usize,
    /// The lowest pitch in Hz, one of whose periods and two samples fit into a window. Default 100.
    pub f_min: f64,
    /// The highest pitch in Hz, over `f_min`, to a quarter of the sampling rate. Default 1000.
    pub f_max: f64,
    /// Whether heights are shares of the autocorrelation at lag 0, so that loudness does not matter. Default yes.
    pub normalize: bool,
    /// Whether the notes of all octaves are added up and put in the order of fifths: 12 values for C, G, D, ... Default no: 128 notes.
    pub folded: bool,
}

impl Default for PitchHistogramConfig {
    fn default() -> Self {
        Self {
            win_length: 512,
            hop_length: 512,
            split_hz: 1000.0,
            low_cut_hz: 70.0,
            exponent: 0.67,
            enhancement: 5,
            peaks: 3,
            f_min: 100.0,
            f_max: 1000.0,
            normalize: true,
            folded: false,
        }
    }
}

impl PitchHistogramConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0 and a parameter out of range.
    pub fn plan(&self, sample_rate: u32) -> Result<PitchHistogram, FeatureError> {
        check::rate(sample_rate)?;
        let rate = f64::from(sample_rate);
        let whole = |field, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(FeatureError::parameter(field, value, format!("{low} to {high}")))
        };
        whole("win_length", self.win_length, 16, 1 << 16)?;
        whole("hop_length", self.hop_length, 1, 1 << 24)?;
        whole("enhancement", self.enhancement, 1, 16)?;
        whole("peaks", self.peaks, 1, 64)?;
        check::within("split_hz", self.split_hz, 1e-3, 0.499 * rate)?;
        check::within("low_cut_hz", self.low_cut_hz, 1e-3, self.split_hz)?;
        check::within("exponent", self.exponent, 0.1, 2.0)?;
        check::within("f_max", self.f_max, 1e-3, rate / 4.0)?;
        check::within("f_min", self.f_min, rate / (self.win_length as f64 - 2.0), self.f_max)?;
        let sections = [
            Section::low_pass(self.split_hz, rate),
            Section::high_pass(self.low_cut_hz, rate),
            Section::high_pass(self.split_hz, rate),
        ];
        Ok(PitchHistogram {
            sections,
            window: Window::Hamming.coefficients(self.win_length, Symmetry::Symmetric)?,
            autocorrelation: Autocorrelation::new(self.win_length),
            first: (rate / self.f_max).ceil() as usize,
            last: (rate / self.f_min) as usize,
            config: self.clone(),
            sample_rate,
        })
    }
}

/// A filter of second order, after Butterworth, by the bilinear transform.
#[derive(Debug, Clone, Copy)]
struct Section {
    b: [f64; 3],
    a: [f64; 2],
}

impl Section {
    fn new(hz: f64, rate: f64, shape: impl Fn(f64) -> [f64; 3]) -> Self {
        let k = (PI * hz / rate).tan();
        let norm = (1.0 + SQRT_2 * k + k * k).recip();
        let a = [2.0 * (k * k - 1.0) * norm, (1.0 - SQRT_2 * k + k * k) * norm];
        Self { b: shape(k).map(|b| b * norm), a }
    }

    fn low_pass(hz: f64, rate: f64) -> Self {
        Self::new(hz, rate, |k| [k * k, 2.0 * k * k, k * k])
    }

    fn high_pass(hz: f64, rate: f64) -> Self {
        Self::new(hz, rate, |_| [1.0, -2.0, 1.0])
    }

    /// The next value, in transposed direct form.
    fn next(&self, x: f64, [first, second]: &mut [f64; 2]) -> f64 {
        let y = self.b[0] * x + *first;
        *first = self.b[1] * x - self.a[0] * y + *second;
        *second = self.b[2] * x - self.a[1] * y;
        y
    }
}

/// A planned pitch histogram, (notes, 1): how strongly each note is heard in a clip.
///
/// Two channels, after Tolonen and Karjalainen: what is under 1 kHz, and the half-wave rectified rest low-passed at 1 kHz, both
/// without what is under 70 Hz (filters of second order, after Butterworth, from rest). Of each window, in a symmetric Hamming
/// window, the magnitudes of both channels to the power of 0.67 are added and transformed back: the summary autocorrelation. It is
/// enhanced, and its highest peaks add their height to the histogram, each at the note `69 + 12 log2(f / 440 Hz)`, rounded, where
/// the lag of a peak is that of the parabola through it and its neighbours. Silence gives 0 throughout.
///
/// Sources: Tzanetakis and Cook 2002; Tolonen and Karjalainen, A computationally efficient multipitch analysis model, IEEE TSAP
/// 8(6), 2000 (without its prewhitening, which Tzanetakis and Cook leave out).
///
/// ```
/// use mgr_features::tzanetakis::PitchHistogramConfig;
/// let histogram = PitchHistogramConfig::default().plan(22_050)?;
/// let a4: Vec<f32> = (0..22_050).map(|n| (n as f32 * 440.0 * std::f32::consts::TAU / 22_050.0).sin()).collect();
/// let matrix = histogram.process(&a4)?;
/// let strongest = (0..128).max_by(|a, b| matrix[[*a, 0]].total_cmp(&matrix[[*b, 0]])).unwrap();
/// assert_eq!(strongest, 69);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PitchHistogram {
    config: PitchHistogramConfig,
    /// Low pass, high pass under it, high pass where the channels part.
    sections: [Section; 3],
    window: Vec<f64>,
    autocorrelation: Autocorrelation,
    first: usize,
    last: usize,
    sample_rate: u32,
}

/// Buffers of one computation; make one per thread with [`PitchHistogram::scratch`] and use it again.
#[derive(Debug, Clone)]
pub struct PitchHistogramScratch {
    /// States of the filters: three of the lower channel's and the upper one's each.
    states: [[f64; 2]; 5],
    low: Vec<f64>,
    high: Vec<f64>,
    autocorrelation: AutocorrelationScratch,
    notes: [f64; NOTES],
}

/// What Tzanetakis and Cook take from a pitch histogram.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PitchContent {
    /// The largest value of the folded histogram, a share of the sum.
    pub fa0: f64,
    /// The strongest note of the unfolded histogram, by its MIDI number.
    pub up0: f64,
    /// The strongest class of the folded histogram: 0 is C, 1 is G, a fifth each.
    pub fp0: f64,
    /// From the strongest class to the second in fifths, -5 to 6.
    pub ipo1: f64,
    /// Sum of the histogram. It grows with the length of the clip.
    pub sum: f64,
}

/// Adds up octaves, and puts the classes in the order of fifths: note `n` counts for `7 n mod 12`.
fn fold(notes: &[f64; NOTES]) -> [f64; 12] {
    let mut folded = [0.0; 12];
    notes.iter().enumerate().for_each(|(n, height)| folded[7 * n % 12] += height);
    folded
}

impl PitchContent {
    /// Of the heights of the 128 notes; all 0 where they are.
    #[must_use]
    pub fn of(notes: &[f64; NOTES]) -> Self {
        // The first of the largest, but for one index.
        let largest = |values: &[f64], but: Option<usize>| {
            let mut best = 0;
            let mut height = f64::NEG_INFINITY;
            for (i, v) in values.iter().enumerate().filter(|(i, _)| Some(*i) != but) {
                if *v > height {
                    (best, height) = (i, *v);
                }
            }
            (best, height)
        };
        let sum: f64 = notes.iter().sum();
        if sum <= 0.0 {
            return Self::default();
        }
        let folded = fold(notes);
        let (first, height) = largest(&folded, None);
        let (second, second_height) = largest(&folded, Some(first));
        let interval = (second + 12 - first) % 12;
        let interval = if interval > 6 { interval as f64 - 12.0 } else { interval as f64 };
        Self {
            fa0: height / sum,
            up0: largest(notes, None).0 as f64,
            fp0: first as f64,
            ipo1: if second_height > 0.0 { interval } else { 0.0 },
            sum,
        }
    }
}

impl PitchHistogram {
    fn rows(&self) -> usize {
        if self.config.folded { 12 } else { NOTES }
    }

    /// Analysis windows of a signal.
    pub(super) fn windows(&self, samples: usize) -> Result<usize, FeatureError> {
        let needed = self.config.win_length;
        let room = samples.checked_sub(needed).ok_or(FeatureError::TooShort { got: samples, needed })?;
        Ok(1 + room / self.config.hop_length)
    }

    /// Buffers for [`PitchHistogram::process_into`].
    #[must_use]
    pub fn scratch(&self) -> PitchHistogramScratch {
        PitchHistogramScratch {
            states: [[0.0; 2]; 5],
            low: vec![0.0; self.config.win_length],
            high: vec![0.0; self.config.win_length],
            autocorrelation: self.autocorrelation.scratch(),
            notes: [0.0; NOTES],
        }
    }

    pub(super) fn fits(&self, scratch: &PitchHistogramScratch) -> bool {
        scratch.low.len() == self.config.win_length && self.autocorrelation.fits(&scratch.autocorrelation)
    }

    /// The histogram of a signal, allocated.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] for less than a window, [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The histogram of a signal into `out` of (128, 1) or (12, 1), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut PitchHistogramScratch,
    ) -> Result<(), FeatureError> {
        if !self.fits(scratch) {
            return Err(FeatureError::Scratch { plan: "pitch_histogram" });
        }
        self.windows(samples.len())?;
        check::shape(&out, self.rows(), 1)?;
        check::finite(samples)?;
        self.gather(samples, scratch);
        let folded = fold(&scratch.notes);
        let heights = if self.config.folded { &folded[..] } else { &scratch.notes[..] };
        out.iter_mut().zip(heights).for_each(|(o, h)| *o = *h as f32);
        Ok(())
    }

    /// What the paper takes from the histogram of a finite signal that has a window; the scratch must fit.
    pub(super) fn content(&self, samples: &[f32], scratch: &mut PitchHistogramScratch) -> PitchContent {
        self.gather(samples, scratch);
        PitchContent::of(&scratch.notes)
    }

    fn gather(&self, samples: &[f32], scratch: &mut PitchHistogramScratch) {
        let PitchHistogramConfig { win_length, hop_length, .. } = self.config;
        scratch.states = [[0.0; 2]; 5];
        scratch.notes = [0.0; NOTES];
        let mut from = 0;
        for t in 0..self.windows(samples.len()).unwrap_or(0) {
            let end = t * hop_length + win_length;
            self.filter(&samples[from..end], scratch);
            from = end;
            self.window(scratch);
        }
    }

    /// Takes the next samples into both channels, which keep the last window of them.
    fn filter(&self, samples: &[f32], scratch: &mut PitchHistogramScratch) {
        let [low_pass, low_cut, split] = &self.sections;
        let PitchHistogramScratch { states: [s0, s1, s2, s3, s4], low, high, .. } = scratch;
        let length = low.len();
        let fresh = samples.len().min(length);
        low.copy_within(fresh.., 0);
        high.copy_within(fresh.., 0);
        let skipped = samples.len() - fresh;
        for (i, x) in samples.iter().enumerate() {
            let x = f64::from(*x);
            let lower = low_cut.next(low_pass.next(x, s0), s1);
            let rectified = split.next(x, s2).max(0.0);
            let upper = low_cut.next(low_pass.next(rectified, s3), s4);
            if i >= skipped {
                let at = length - fresh + i - skipped;
                (low[at], high[at]) = (lower, upper);
            }
        }
    }

    /// Adds the peaks of the window that the channels hold.
    fn window(&self, scratch: &mut PitchHistogramScratch) {
        let PitchHistogramConfig { exponent, enhancement, peaks: most, normalize, .. } = self.config;
        let PitchHistogramScratch { low, high, autocorrelation, notes, .. } = scratch;
        Autocorrelation::begin(autocorrelation);
        for channel in [&*low, &*high] {
            let windowed = channel.iter().zip(&self.window).map(|(x, w)| x * w);
            self.autocorrelation.add(windowed, exponent, autocorrelation);
        }
        self.autocorrelation.finish(1.0, autocorrelation);
        let AutocorrelationScratch { lags, enhanced, .. } = autocorrelation;
        let whole = lags[0];
        if whole <= 0.0 {
            return;
        }
        enhance(lags, enhancement, enhanced);
        let scale = if normalize { whole.recip() } else { 1.0 };
        peaks(enhanced, self.first, self.last, most, LEAST * whole, |lag, height| {
            let (before, after) = (enhanced[lag - 1], enhanced[lag + 1]);
            let bend = before - 2.0 * height + after;
            let shift = if bend < 0.0 { 0.5 * (before - after) / bend } else { 0.0 };
            let hz = f64::from(self.sample_rate) / (lag as f64 + shift);
            let note = (69.0 + 12.0 * (hz / 440.0).log2()).round();
            if let Some(bin) = notes.get_mut(note.max(0.0) as usize) {
                *bin += height * scale;
            }
        });
    }
}

impl Extractor for PitchHistogram {
    by_process_into!("pitch_histogram");

    fn frame_length(&self) -> usize {
        self.config.win_length
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        const CLASSES: [&str; 12] = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
        self.windows(samples)?;
        let names = if self.config.folded {
            (0..12).map(|i| CLASSES[7 * i % 12].to_owned()).collect()
        } else {
            (0..NOTES as i32).map(|n| format!("{}{}", CLASSES[n as usize % 12], n / 12 - 1)).collect()
        };
        let length_s = samples as f64 / f64::from(self.sample_rate);
        Ok(Layout {
            rows: self.rows(),
            columns: 1,
            row_axis: Axis::Name { names },
            column_axis: Axis::Time { start_s: length_s / 2.0, step_s: length_s },
            unit: Unit::Ratio,
        })
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        let reason = "the histogram is of the whole clip";
        Err(FeatureError::NotStreamable { feature: "pitch_histogram", reason })
    }
}
