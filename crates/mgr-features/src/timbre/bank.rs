//! Filters over the bins of a transform: those of the Auditory Toolbox, and pitch classes.

use std::f64::consts::PI;

use crate::simd::moments::product;

/// Coefficients of a filter from one bin on.
#[derive(Debug, Clone)]
struct Filter {
    first: usize,
    weights: Vec<f64>,
}

impl Filter {
    fn apply(&self, spectrum: &[f64]) -> f64 {
        let mut sum = 0.0;
        product(&self.weights, spectrum.get(self.first..).unwrap_or_default(), &mut sum);
        sum
    }
}

/// The filters of Slaney's Auditory Toolbox.
pub(crate) const AUDITORY_BANDS: usize = 40;

/// The filter bank of Slaney's Auditory Toolbox (1998) and the cosine transform behind it.
///
/// 42 edges: 13 from 133.3333 Hz every 66.66666 Hz, then 29 each 1.0711703 times the one before. Band `j` is a triangle over the
/// edges `j`, `j + 1` and `j + 2` of area 1 in Hz; what lies over half the sampling rate is cut off.
#[derive(Debug, Clone)]
pub(crate) struct AuditoryBank {
    filters: Vec<Filter>,
    /// (coefficients, bands)
    cosines: Vec<f64>,
}

impl AuditoryBank {
    /// For the `bins` bins from 0 to half of a transform of `n_fft` samples, and the first `coefficients`.
    pub(crate) fn new(sample_rate: u32, n_fft: usize, bins: usize, coefficients: usize) -> Self {
        let last_linear = 133.3333 + 66.666_66 * 12.0;
        let edge = |i: i32| match i {
            0..=12 => 133.3333 + 66.666_66 * f64::from(i),
            _ => last_linear * 1.071_170_3_f64.powi(i - 12),
        };
        let hz = |k: usize| k as f64 * f64::from(sample_rate) / n_fft as f64;
        let filter = |j: usize| {
            let [low, centre, high] = [0, 1, 2].map(|i| edge(j as i32 + i));
            let height = 2.0 / (high - low);
            let weight = |f: f64| {
                if f > low && f <= centre {
                    height * (f - low) / (centre - low)
                } else if f > centre && f <= high {
                    height * (high - f) / (high - centre)
                } else {
                    0.0
                }
            };
            let inside = |k: &usize| hz(*k) > low && hz(*k) <= high;
            let first = (0..bins).find(inside).unwrap_or(0);
            let weights = (first..bins).take_while(inside).map(|k| weight(hz(k))).collect();
            Filter { first, weights }
        };
        let cosine = |i: usize, j: usize| {
            let scale = if i == 0 { 0.5_f64.sqrt() } else { 1.0 } * (1.0 / 20.0_f64).sqrt();
            scale * (i as f64 * (2 * j + 1) as f64 * PI / 80.0).cos()
        };
        Self {
            filters: (0..AUDITORY_BANDS).map(filter).collect(),
            cosines: (0..coefficients).flat_map(|i| (0..AUDITORY_BANDS).map(move |j| cosine(i, j))).collect(),
        }
    }

    /// The coefficients of a spectrum; `logarithm` is taken of the sum of each band.
    pub(crate) fn coefficients(
        &self,
        spectrum: &[f64],
        logarithm: impl Fn(f64) -> f64,
        bands: &mut [f64; AUDITORY_BANDS],
        out: &mut [f64],
    ) {
        for (band, filter) in bands.iter_mut().zip(&self.filters) {
            *band = logarithm(filter.apply(spectrum));
        }
        for (o, cosines) in out.iter_mut().zip(self.cosines.chunks_exact(AUDITORY_BANDS)) {
            product(cosines, bands, o);
        }
    }
}

/// Pitch classes.
pub(crate) const CLASSES: usize = 12;

/// Ellis's map from bins to pitch classes, A first: Gaussians over the distance in semitones, as wide as the bin at least.
#[derive(Debug, Clone)]
pub(crate) struct ChromaMap {
    /// (classes, bins)
    weights: Vec<f64>,
    bins: usize,
}

impl ChromaMap {
    /// For `bins` bins that are `hz_per_bin` apart.
    pub(crate) fn new(bins: usize, hz_per_bin: f64) -> Self {
        let semitones = |k: usize| 12.0 * (k as f64 * hz_per_bin / 27.5).log2();
        // Bin 0 has no pitch: an octave and a half under the first.
        let places: Vec<f64> =
            (0..bins).map(|k| if k == 0 { semitones(1) - 18.0 } else { semitones(k) }).collect();
        let mut weights = vec![0.0; CLASSES * bins];
        for k in 0..bins {
            let width = places.get(k + 1).map_or(1.0, |next| (next - places[k]).max(1.0));
            let column = std::array::from_fn::<_, CLASSES, _>(|class| {
                let distance = (places[k] - class as f64 + 126.0).rem_euclid(12.0) - 6.0;
                (-0.5 * (2.0 * distance / width).powi(2)).exp()
            });
            let norm = column.iter().map(|w| w * w).sum::<f64>().sqrt();
            column.iter().enumerate().for_each(|(class, w)| weights[class * bins + k] = w / norm);
        }
        Self { weights, bins }
    }

    /// The sum of each class.
    pub(crate) fn apply(&self, spectrum: &[f64], out: &mut [f64]) {
        for (o, weights) in out.iter_mut().zip(self.weights.chunks_exact(self.bins)) {
            product(weights, spectrum, o);
        }
    }
}
