//! The Morlet filter banks: centre frequencies, widths, and the filters sampled where they are not negligible.

use std::f64::consts::{PI, SQRT_2};

use crate::simd::scattering::Scattered;

/// Width of the low-pass filter, and of the narrowest wavelets, times the scale (kymatio's `sigma0`).
pub(super) const SIGMA_0: f64 = 0.1;

/// Standard deviations from the centre at which a wavelet counts as over, for the choice of its subsampling (`alpha`).
const ALPHA: f64 = 5.0;

/// Level at which neighbouring wavelets of a constant-Q bank cross (`r_psi`).
const CROSSING: f64 = 0.5 * SQRT_2;

/// One wavelet of a bank.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Wavelet {
    /// Its index in the bank, from high frequencies to low.
    pub n: usize,
    /// Centre frequency in cycles a sample; 0.5 is half the sampling rate.
    pub xi: f64,
    /// Width in frequency (standard deviation of the Gaussian), in cycles a sample.
    pub sigma: f64,
    /// Its output may be subsampled by `2^j`.
    pub j: usize,
}

/// The wavelets of a bank with `q` an octave up to scale `2^j`: constant Q from near half the sampling rate down to the width
/// `0.1 / 2^j`, then `q - 1` more of that width, evenly spaced down to zero.
pub(super) fn wavelets(j: u32, q: u32) -> Vec<Wavelet> {
    let sigma_min = SIGMA_0 / f64::from(j).exp2();
    let per_octave = f64::from(q);
    let ratio = (1.0 / per_octave).exp2();
    let xi_max = (1.0 / (1.0 + (3.0 / per_octave).exp2())).max(0.35);
    let factor = 1.0 / ratio;
    let sigma_max = xi_max * ((1.0 - factor) / (1.0 + factor)) / (2.0 * (1.0 / CROSSING).ln()).sqrt();
    let mut bands = Vec::new();
    // Where even the widest is too narrow the reference takes its width for the frequency to go down from.
    let mut elbow = sigma_max;
    if sigma_max > sigma_min {
        let (mut xi, mut sigma) = (xi_max, sigma_max);
        bands.push((xi, sigma));
        while sigma > sigma_min * ratio {
            (xi, sigma) = (xi / ratio, sigma / ratio);
            bands.push((xi, sigma));
        }
        elbow = xi;
    }
    bands.extend((1..q).map(|i| (elbow - f64::from(i) / per_octave * elbow, sigma_min)));
    let wavelet = |(n, (xi, sigma)): (usize, (f64, f64))| {
        let edge = (xi + ALPHA * sigma).min(0.5);
        Wavelet { n, xi, sigma, j: ((-edge.log2()).floor() as usize).saturating_sub(1) }
    };
    bands.into_iter().enumerate().map(wavelet).collect()
}

/// Standard deviation in samples of a filter of width `sigma`.
pub(super) fn deviation(sigma: f64) -> f64 {
    1.0 / (2.0 * PI * sigma)
}

/// A filter in frequency: bins `first..first + weights.len()` of a transform, counted past both ends of its circle.
///
/// The same bins serve at every resolution that the filter is used at: subsampling folds the circle and leaves the width of
/// a bin as it is.
#[derive(Debug, Clone)]
pub(super) struct Filter<F> {
    pub(super) first: isize,
    pub(super) weights: Vec<F>,
}

impl<F: Scattered> Filter<F> {
    /// The Morlet wavelet `exp(-(f - xi)^2 / 2 sigma^2) - kappa exp(-f^2 / 2 sigma^2)`, zero at zero and of L1 norm 1 in time,
    /// for transforms of `length` samples, divided by that length.
    pub(super) fn morlet(xi: f64, sigma: f64, length: usize) -> Self {
        let gauss = |f: f64| (-f * f / (2.0 * sigma * sigma)).exp();
        let images = |at: f64| gauss(at - 1.0) + gauss(at) + gauss(at + 1.0);
        Self::sampled(xi, images(-xi) / images(0.0), sigma, length)
    }

    /// The low-pass filter `exp(-f^2 / 2 sigma^2)`, likewise.
    pub(super) fn low_pass(sigma: f64, length: usize) -> Self {
        Self::sampled(0.0, 0.0, sigma, length)
    }

    fn sampled(xi: f64, kappa: f64, sigma: f64, length: usize) -> Self {
        let bins = length as f64;
        let scale = 1.0 / (l1_norm(xi, kappa, sigma, length) * bins);
        let reach = F::SUPPORT * sigma;
        // The correction matters where it is as large as what is left out of the band.
        let corrected = kappa.abs() > (-0.5 * F::SUPPORT * F::SUPPORT).exp();
        let low = if corrected { (xi - reach).min(-reach) } else { xi - reach };
        let first = (low * bins).floor() as isize;
        let last = ((xi + reach) * bins).ceil() as isize;
        let kappa = if corrected { kappa } else { 0.0 };
        let weights = (first..=last)
            .map(|bin| {
                let f = bin as f64 / bins;
                let exponent = -1.0 / (2.0 * sigma * sigma);
                let band = ((f - xi) * (f - xi) * exponent).exp();
                let correction = if kappa == 0.0 { 0.0 } else { kappa * (f * f * exponent).exp() };
                F::of((band - correction) * scale)
            })
            .collect();
        Self { first, weights }
    }

    /// One that lets nothing through.
    pub(super) fn none() -> Self {
        Self { first: 0, weights: Vec::new() }
    }

    /// The largest bin, by size, that it touches.
    pub(super) fn edge(&self) -> usize {
        let last = self.first + self.weights.len().saturating_sub(1) as isize;
        self.first.unsigned_abs().max(last.unsigned_abs())
    }
}

/// Sum of magnitudes in time of the filter `exp(-(f - xi)^2 / 2 sigma^2) - kappa exp(-f^2 / 2 sigma^2)`, on a circle of
/// `length` samples.
fn l1_norm(xi: f64, kappa: f64, sigma: f64, length: usize) -> f64 {
    let reach = (f64::SUPPORT * deviation(sigma)).ceil() as usize;
    let exponent = -2.0 * (PI * sigma).powi(2);
    let envelope = |t: f64| (exponent * t * t).exp();
    let sum: f64 = if 2 * reach < length {
        let magnitude = |n: usize| {
            let t = n as f64;
            // |exp(i a) - kappa|, without cancellation where both are near 1.
            let sine = (PI * xi * t).sin();
            envelope(t) * ((1.0 - kappa).powi(2) + 4.0 * kappa * sine * sine).sqrt()
        };
        magnitude(0) + 2.0 * (1..=reach).map(magnitude).sum::<f64>()
    } else {
        // Longer than the circle: it overlaps itself.
        let (length, turns) = (length as f64, (reach / length + 1) as i32);
        let at = |n: f64| {
            (-turns..=turns).fold((0.0, 0.0), |(re, im): (f64, f64), turn| {
                let t = n + f64::from(turn) * length;
                let (sin, cos) = (2.0 * PI * xi * t).sin_cos();
                (re + envelope(t) * (cos - kappa), im + envelope(t) * sin)
            })
        };
        (0..length as usize).map(|n| at(n as f64)).map(|(re, im)| re.hypot(im)).sum()
    };
    sum * sigma * (2.0 * PI).sqrt()
}

/// Samples after which the low-pass filter of scale `t`, on a circle of `length` samples, has less than a thousandth of its
/// sum left on that side (`compute_temporal_support`).
pub(super) fn support(t: f64, length: usize) -> usize {
    let sigma = SIGMA_0 / t;
    let exponent = -2.0 * (PI * sigma).powi(2);
    let reach = (10.0 * deviation(sigma)).ceil() as usize;
    let turns = (reach / length + 1) as i32;
    let at = |n: usize| -> f64 {
        (-turns..=turns)
            .map(|turn| n as f64 + f64::from(turn) * length as f64)
            .map(|t| (exponent * t * t).exp())
            .sum()
    };
    // The sum over the circle is that over all integers of the Gaussian: 1 / (sigma sqrt(2 pi)), by Poisson's formula.
    let total = 1.0 / (sigma * (2.0 * PI).sqrt());
    let half = length / 2;
    let mut tail = 0.0;
    for n in (0..half.min(reach)).rev() {
        tail += at(n) / total;
        if tail > 1e-3 {
            // Sample n is the last at which too much is left.
            return (n + 2).min(half);
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banks_are_the_references() {
        // Facts of kymatio 0.3: J 10, Q 6.
        let bank = wavelets(10, 6);
        assert_eq!(bank.len(), 55);
        let counts: Vec<usize> = (0..10).map(|j| bank.iter().filter(|w| w.j == j).count()).collect();
        assert_eq!(counts, [7, 6, 6, 6, 6, 6, 6, 6, 4, 2]);
        assert!((bank[0].xi - 0.414_213_56).abs() < 1e-8 && (bank[0].sigma - 0.028_706_03).abs() < 1e-8);
        assert!((bank[49].xi - 0.001_441_49).abs() < 1e-8);
        assert!((bank[54].xi - 0.000_240_248_9).abs() < 1e-10);
        let second: Vec<usize> = wavelets(10, 1).iter().map(|w| w.j).collect();
        assert_eq!(second, [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn a_wavelet_has_no_mean_and_unit_norm() {
        for (xi, sigma, length) in [(0.35, 0.14, 64), (0.02, 0.004, 1024), (0.001, 0.002, 256)] {
            let filter = Filter::<f64>::morlet(xi, sigma, length);
            let mut circle = vec![0.0; length];
            for (i, w) in filter.weights.iter().enumerate() {
                circle[(filter.first + i as isize).rem_euclid(length as isize) as usize] += w * length as f64;
            }
            assert!(circle[0].abs() < 1e-9, "{}", circle[0]);
            let norm: f64 = (0..length)
                .map(|n| {
                    let sum = |trig: fn(f64) -> f64| -> f64 {
                        let angle = 2.0 * PI * n as f64 / length as f64;
                        circle.iter().enumerate().map(|(k, w)| w * trig(angle * k as f64)).sum()
                    };
                    sum(f64::cos).hypot(sum(f64::sin)) / length as f64
                })
                .sum();
            assert!((norm - 1.0).abs() < 1e-9, "{xi} {sigma} {length}: {norm}");
        }
    }
}
