//! How far the peaks of a spectrum stand over its valleys, octave by octave.

use ndarray::ArrayViewMut2;
use serde::{Deserialize, Serialize};

use super::{Descriptor, Spectral};
use crate::compress::DB_PER_NEPER;
use crate::extractor::{Axis, Unit};
use crate::frequency::fft_frequencies;
use crate::log::{ln_in_place, maximum};
use crate::stft::StftConfig;
use crate::{FeatureError, check};

/// How peaks and valleys are compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ContrastScale {
    /// `10 log10` of the peaks less that of the valleys, each not under 1e-10, and each not lower than `top_db` under its
    /// largest value of the signal.
    Decibel {
        /// Range in dB, 0 or more, or none. librosa: 80. The contrast needs the whole signal where it is given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        top_db: Option<f32>,
    },
    /// Peaks less valleys.
    Linear,
}

impl Default for ContrastScale {
    fn default() -> Self {
        Self::Decibel { top_db: Some(80.0) }
    }
}

/// Parameters of a spectral contrast: in each octave the mean of the largest magnitudes against the mean of the smallest.
/// Defaults are librosa's.
///
/// Band 0 goes from 0 to `f_min`, band `k` from `f_min 2^(k-1)` to `f_min 2^k`, and the last one on to half the sampling rate.
/// A band holds the bins within its edges, all but the first also the bin below, all but the last not their uppermost bin;
/// `quantile` is the share of them that makes the peak and the valley, one at least. Source: Jiang, Lu, Zhang, Tao and Cai,
/// "Music type classification by spectral contrast feature" (2002); librosa 0.11 `feature.spectral_contrast`.
///
/// ```
/// use mgr_features::spectral::ContrastConfig;
/// let contrast = ContrastConfig::default().plan(22_050)?;
/// assert_eq!(contrast.process(&[0.0; 22_050])?.dim(), (7, 44));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContrastConfig {
    /// The transform.
    pub stft: StftConfig,
    /// Upper edge of the lowest band in Hz, over 0. Default 200.
    pub f_min: f64,
    /// Bands over the lowest, 1 to 60. Default 6.
    pub n_bands: usize,
    /// Share of a band's bins that is its peak and its valley, over 0 and under 1. Default 0.02.
    pub quantile: f64,
    /// How peaks and valleys are compared.
    pub scale: ContrastScale,
}

impl Default for ContrastConfig {
    fn default() -> Self {
        Self {
            stft: StftConfig::default(),
            f_min: 200.0,
            n_bands: 6,
            quantile: 0.02,
            scale: ContrastScale::default(),
        }
    }
}

impl ContrastConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for values out of range, for bands that begin at or over half the sampling rate, and for a
    /// transform so short that a band would have no bin; and all that [`StftConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<Spectral, FeatureError> {
        check::within("f_min", self.f_min, f64::MIN_POSITIVE, f64::MAX)?;
        check::within("n_bands", self.n_bands as f64, 1.0, 60.0)?;
        if !(self.quantile > 0.0 && self.quantile < 1.0) {
            return Err(FeatureError::parameter("quantile", self.quantile, "over 0 and under 1"));
        }
        if let ContrastScale::Decibel { top_db: Some(db) } = self.scale {
            check::within("top_db", f64::from(db), 0.0, f64::from(f32::MAX))?;
        }
        Spectral::plan(&self.stft, sample_rate, |n_fft| {
            let nyquist = f64::from(sample_rate) / 2.0;
            let top = self.f_min * 2f64.powi(self.n_bands as i32 - 1);
            if top >= nyquist {
                let allowed =
                    format!("bands that begin under {nyquist} Hz; {} bands begin at {top}", self.n_bands);
                return Err(FeatureError::parameter("f_min", self.f_min, allowed));
            }
            let hz: Vec<f64> = fft_frequencies(sample_rate, n_fft).collect();
            let bands = (0..=self.n_bands).map(|k| self.band(k, &hz)).collect::<Option<Vec<_>>>();
            let Some(bands) = bands else {
                let allowed = format!("long enough for a bin in each band from {} Hz", self.f_min);
                return Err(FeatureError::parameter("n_fft", n_fft, allowed));
            };
            let (low_hz, mut high_hz): (Vec<_>, Vec<_>) = (0..=self.n_bands)
                .map(|k| self.edges(k))
                .map(|(low, high)| (low as f32, high as f32))
                .unzip();
            high_hz[self.n_bands] = nyquist as f32;
            let axis = Axis::Band { low_hz, high_hz };
            Ok(Contrast { bands, axis, scale: self.scale, bins: hz.len() })
        })
    }

    /// Edges in Hz of band `k`.
    fn edges(&self, k: usize) -> (f64, f64) {
        let edge = |k: usize| self.f_min * 2f64.powi(k as i32);
        (if k == 0 { 0.0 } else { edge(k - 1) }, edge(k))
    }

    fn band(&self, k: usize, hz: &[f64]) -> Option<Band> {
        let (low, high) = self.edges(k);
        let inside = |f: &f64| (low..=high).contains(f);
        let first = hz.iter().position(inside)?;
        let last = hz.iter().rposition(inside)?;
        let start = if k == 0 { first } else { first.saturating_sub(1) };
        let (end, dropped) = if k == self.n_bands { (hz.len(), 0) } else { (last, 1) };
        let held = (end + dropped - start) as f64;
        let taken = ((self.quantile * held).round_ties_even() as usize).max(1);
        (end > start).then(|| Band { start, end, taken: taken.min(end - start) })
    }
}

/// Bins `start..end`, of which so many make a peak or a valley.
#[derive(Debug, Clone, Copy)]
struct Band {
    start: usize,
    end: usize,
    taken: usize,
}

#[derive(Debug)]
struct Contrast {
    bands: Vec<Band>,
    axis: Axis,
    scale: ContrastScale,
    bins: usize,
}

/// 1e-10, the reference's floor under decibels.
const FLOOR: f32 = 1e-10;

fn decibels(values: &mut [f32]) {
    values.iter_mut().for_each(|v| *v = v.max(FLOOR));
    ln_in_place(values);
    values.iter_mut().for_each(|v| *v *= DB_PER_NEPER);
}

/// Up to so many values are kept in order while a band is looked through once; more are selected from a copy.
const FEW: usize = 16;

/// The means of the `taken` smallest and of the `taken` largest values.
fn extremes(values: &[f32], taken: usize, work: &mut [f32]) -> (f32, f32) {
    let mean = |values: &[f32]| (values.iter().copied().map(f64::from).sum::<f64>() / taken as f64) as f32;
    if taken > FEW {
        let work = &mut work[..values.len()];
        work.copy_from_slice(values);
        work.select_nth_unstable_by(taken - 1, f32::total_cmp);
        let low = mean(&work[..taken]);
        work.select_nth_unstable_by(values.len() - taken, f32::total_cmp);
        return (low, mean(&work[values.len() - taken..]));
    }
    let (mut low, mut high) = ([f32::INFINITY; FEW], [f32::NEG_INFINITY; FEW]);
    for value in values {
        if *value < low[taken - 1] {
            insert(&mut low[..taken], *value, |a, b| a < b);
        }
        if *value > high[taken - 1] {
            insert(&mut high[..taken], *value, |a, b| a > b);
        }
    }
    (mean(&low[..taken]), mean(&high[..taken]))
}

/// Puts a value in its place among ordered ones; the last falls out.
fn insert(ordered: &mut [f32], value: f32, before: impl Fn(f32, f32) -> bool) {
    let mut place = ordered.len() - 1;
    while place > 0 && before(value, ordered[place - 1]) {
        ordered[place] = ordered[place - 1];
        place -= 1;
    }
    ordered[place] = value;
}

impl Descriptor for Contrast {
    fn name(&self) -> &'static str {
        "spectral_contrast"
    }

    fn rows(&self) -> usize {
        self.bands.len()
    }

    fn row_axis(&self) -> Axis {
        self.axis.clone()
    }

    fn unit(&self) -> Unit {
        match self.scale {
            ContrastScale::Decibel { .. } => Unit::Decibel,
            ContrastScale::Linear => Unit::Magnitude,
        }
    }

    fn work(&self) -> usize {
        self.bins
    }

    /// The valleys.
    fn kept(&self) -> usize {
        self.bands.len()
    }

    fn column(&self, spectrum: &[f32], work: &mut [f32], valleys: &mut [f32], out: &mut [f32]) {
        for ((band, valley), peak) in self.bands.iter().zip(&mut *valleys).zip(&mut *out) {
            (*valley, *peak) = extremes(&spectrum[band.start..band.end], band.taken, work);
        }
        if let ContrastScale::Decibel { .. } = self.scale {
            decibels(valleys);
            decibels(out);
        }
        if self.needs_all().is_none() {
            out.iter_mut().zip(valleys).for_each(|(peak, valley)| *peak -= *valley);
        }
    }

    fn needs_all(&self) -> Option<&'static str> {
        match self.scale {
            ContrastScale::Decibel { top_db: Some(_) } => {
                Some("top_db counts from the largest value of the signal")
            }
            _ => None,
        }
    }

    fn finish(&self, mut out: ArrayViewMut2<'_, f32>, valleys: &mut [f32]) {
        let ContrastScale::Decibel { top_db: Some(top_db) } = self.scale else { return };
        let highest = out.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let (peak_floor, valley_floor) = (highest - top_db, maximum(valleys) - top_db);
        for (mut column, valleys) in out.columns_mut().into_iter().zip(valleys.chunks(self.bands.len())) {
            for (value, valley) in column.iter_mut().zip(valleys) {
                *value = value.max(peak_floor) - valley.max(valley_floor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_extremes_agree_with_sorting() {
        let mut state = 5_u32;
        let values: Vec<f32> = (0..101)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Coarse, so that there are ties.
                (state >> 26) as f32
            })
            .collect();
        let mut sorted = values.clone();
        sorted.sort_by(f32::total_cmp);
        for taken in [1, 2, 15, 16, 17, 50, 101] {
            let mean = |v: &[f32]| v.iter().sum::<f32>() / taken as f32;
            let want = (mean(&sorted[..taken]), mean(&sorted[101 - taken..]));
            assert_eq!(extremes(&values, taken, &mut [0.0; 101]), want, "{taken}");
        }
    }

    #[test]
    fn the_bands_of_the_defaults() {
        // From librosa 0.11: numbers of bins after the uppermost is dropped, and of the bins that are taken.
        let config = ContrastConfig::default();
        let hz: Vec<f64> = fft_frequencies(22_050, 2048).collect();
        let bands: Vec<_> =
            (0..7).map(|k| config.band(k, &hz).unwrap()).map(|b| (b.start, b.end, b.taken)).collect();
        assert_eq!(
            bands,
            [
                (0, 18, 1),
                (18, 37, 1),
                (37, 74, 1),
                (74, 148, 2),
                (148, 297, 3),
                (297, 594, 6),
                (594, 1025, 9)
            ]
        );
    }
}
