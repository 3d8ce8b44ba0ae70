//! Which tempo is likely before anything is heard.

use serde::{Deserialize, Serialize};

use super::tempogram::tempos;
use crate::{FeatureError, check};

/// A density of tempos in beats a minute, of which only ratios count.
///
/// In a file: `{ uniform = { low = 60.0, high = 180.0 } }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TempoPrior {
    /// Any tempo within a range is as likely as any other, none outside.
    Uniform {
        /// The lowest, 0 or more.
        low: f64,
        /// The highest, over `low`.
        high: f64,
    },
    /// A bell curve.
    Normal {
        /// Its middle, over 0.
        mean: f64,
        /// Its standard deviation, over 0.
        deviation: f64,
    },
    /// A bell curve over `ln((bpm - shift) / scale)`, as `scipy.stats.lognorm(s=deviation, loc=shift, scale=scale)`.
    LogNormal {
        /// Standard deviation of the logarithm, over 0.
        deviation: f64,
        /// Where it starts, finite.
        shift: f64,
        /// Its median, counted from the start, over 0.
        scale: f64,
    },
    /// Straight lines between points `[bpm, ln density]`, tempos rising; none outside.
    Points(Vec<[f64; 2]>),
}

impl TempoPrior {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a value out of range.
    pub fn check(&self) -> Result<(), FeatureError> {
        let positive = |value: f64| check::within("prior", value, f64::MIN_POSITIVE, f64::MAX);
        match self {
            Self::Uniform { low, high } => {
                check::within("prior", *low, 0.0, f64::MAX)?;
                check::within("prior", *high, low.next_up(), f64::MAX)
            }
            Self::Normal { mean, deviation } => positive(*mean).and(positive(*deviation)),
            Self::LogNormal { deviation, shift, scale } => {
                check::within("prior", *shift, f64::MIN, f64::MAX)?;
                positive(*deviation).and(positive(*scale))
            }
            Self::Points(points) => {
                let finite = points.iter().flatten().all(|v| v.is_finite());
                if !points.is_empty() && finite && points.windows(2).all(|p| p[0][0] < p[1][0]) {
                    return Ok(());
                }
                Err(FeatureError::parameter(
                    "prior",
                    format!("{points:?}"),
                    "finite points with rising tempos",
                ))
            }
        }
    }

    /// Natural logarithm of the density at a tempo, up to a constant; negative infinity where there is none.
    #[must_use]
    pub fn ln_density(&self, bpm: f64) -> f64 {
        let bell = |z: f64| -0.5 * z * z;
        match self {
            Self::Uniform { low, high } if (*low..=*high).contains(&bpm) => 0.0,
            Self::Uniform { .. } => f64::NEG_INFINITY,
            Self::Normal { mean, deviation } => bell((bpm - mean) / deviation),
            Self::LogNormal { deviation, shift, scale } => {
                let x = (bpm - shift) / scale;
                if x > 0.0 && x.is_finite() { bell(x.ln() / deviation) - x.ln() } else { f64::NEG_INFINITY }
            }
            Self::Points(points) => {
                let after = points.partition_point(|p| p[0] < bpm);
                match (after.checked_sub(1).and_then(|i| points.get(i)), points.get(after)) {
                    (_, Some([x, y])) if *x == bpm => *y,
                    (Some([x0, y0]), Some([x1, y1])) => y0 + (y1 - y0) * (bpm - x0) / (x1 - x0),
                    _ => f64::NEG_INFINITY,
                }
            }
        }
    }
}

/// How a tempo is chosen from an autocorrelation. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TempoSearch {
    /// The likeliest tempo beforehand in beats a minute, over 0. Default 120.
    pub start_bpm: f64,
    /// How far tempos stray from it, in octaves, over 0. Default 1.
    pub std_bpm: f64,
    /// Seconds of a stretch that is autocorrelated; at least two frames, at most 2^20. Default 8.
    pub ac_size: f64,
    /// Tempos from here up are left out, over 0; none are where it is over or under every tempo there is. Default 320.
    pub max_tempo: f64,
    /// Another density of tempos in place of `start_bpm` and `std_bpm`. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prior: Option<TempoPrior>,
}

impl Default for TempoSearch {
    fn default() -> Self {
        Self { start_bpm: 120.0, std_bpm: 1.0, ac_size: 8.0, max_tempo: 320.0, prior: None }
    }
}

impl TempoSearch {
    fn check(&self) -> Result<(), FeatureError> {
        check::within("start_bpm", self.start_bpm, f64::MIN_POSITIVE, f64::MAX)?;
        check::within("std_bpm", self.std_bpm, f64::MIN_POSITIVE, f64::MAX)?;
        check::within("max_tempo", self.max_tempo, f64::MIN_POSITIVE, f64::MAX)?;
        self.prior.as_ref().map_or(Ok(()), TempoPrior::check)
    }

    /// Lags of the autocorrelation.
    pub(super) fn lags(&self, sample_rate: u32, hop_length: usize) -> Result<usize, FeatureError> {
        let most = (1u64 << 20) as f64 * hop_length as f64 / f64::from(sample_rate);
        check::within("ac_size", self.ac_size, 0.0, most)?;
        let lags = (self.ac_size * f64::from(sample_rate)) as usize / hop_length;
        if lags < 2 {
            return Err(FeatureError::parameter("ac_size", self.ac_size, "two frames or more, in seconds"));
        }
        Ok(lags)
    }

    pub(super) fn plan(&self, lags: usize, frame_rate: f64) -> Result<TempoChoice, FeatureError> {
        self.check()?;
        let bpm = tempos(lags, frame_rate);
        let mut weights: Vec<f64> = match &self.prior {
            Some(prior) => bpm.iter().map(|bpm| prior.ln_density(*bpm)).collect(),
            None => {
                let octaves = |bpm: &f64| bpm.log2() - self.start_bpm.log2();
                bpm.iter().map(|bpm| -0.5 * (octaves(bpm) / self.std_bpm).powi(2)).collect()
            }
        };
        // Lag 0 is no tempo, whatever the density says of infinity.
        weights.iter_mut().take(1).for_each(|w| *w = f64::NEG_INFINITY);
        let first = bpm.iter().position(|bpm| *bpm < self.max_tempo).unwrap_or(0);
        weights.iter_mut().take(first).for_each(|w| *w = f64::NEG_INFINITY);
        if weights.iter().all(|w| *w == f64::NEG_INFINITY) {
            let range = format!("a density over 0 at some tempo of {:.1} to {:.1}", bpm[lags - 1], bpm[1]);
            return Err(FeatureError::parameter("prior", format!("{:?}", self.prior), range));
        }
        Ok(TempoChoice { bpm, weights })
    }
}

/// A planned choice of a tempo.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TempoChoice {
    pub(super) bpm: Vec<f64>,
    weights: Vec<f64>,
}

impl TempoChoice {
    /// The tempo at which `ln(1 + 1e6 a) + ln prior` is largest, the fastest of equals; what is negative counts as 0.
    pub(super) fn of(&self, autocorrelation: &[f64]) -> f64 {
        let (mut best, mut most) = (0, f64::NEG_INFINITY);
        for (lag, (a, weight)) in autocorrelation.iter().zip(&self.weights).enumerate() {
            // ln(1 + 1e6 a) is at most 13.9 over 0: most weights far off are out before the logarithm.
            if *weight == f64::NEG_INFINITY {
                continue;
            }
            let score = (1e6 * a.max(0.0)).ln_1p() + weight;
            if score > most {
                (best, most) = (lag, score);
            }
        }
        self.bpm.get(best).copied().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn densities_are_those_of_scipy_up_to_a_constant() {
        // scipy.stats: differences of logpdf at 90 and 150.
        let difference = |prior: TempoPrior| {
            prior.check().unwrap();
            prior.ln_density(90.0) - prior.ln_density(150.0)
        };
        // norm(120, 40): symmetric. lognorm(s=0.5, loc=10, scale=100).
        assert_eq!(difference(TempoPrior::Normal { mean: 120.0, deviation: 40.0 }), 0.0);
        let log = difference(TempoPrior::LogNormal { deviation: 0.5, shift: 10.0, scale: 100.0 });
        let pdf = |x: f64| -2.0 * (x.ln() / 1.0).powi(2) - x.ln();
        assert!((log - (pdf(0.8) - pdf(1.4))).abs() < 1e-12);
        assert_eq!(TempoPrior::Uniform { low: 30.0, high: 300.0 }.ln_density(300.5), f64::NEG_INFINITY);
        let points = TempoPrior::Points(vec![[60.0, 0.0], [120.0, 6.0]]);
        assert_eq!([60.0, 90.0, 120.0].map(|b| points.ln_density(b)), [0.0, 3.0, 6.0]);
        assert_eq!([59.9, 120.1].map(|b| points.ln_density(b)), [f64::NEG_INFINITY; 2]);
    }

    #[test]
    fn nothing_heard_is_the_likeliest_tempo() {
        let rate = 22_050.0 / 512.0;
        let search = TempoSearch::default();
        let lags = search.lags(22_050, 512).unwrap();
        assert_eq!(lags, 344);
        let choice = search.plan(lags, rate).unwrap();
        assert!((choice.of(&vec![0.0; 344]) - 117.453_835).abs() < 1e-5);
        let mut heard = vec![0.0; 344];
        heard[0] = 1.0;
        heard[8] = 0.9;
        heard[30] = 0.5;
        // Lag 8 is 323 beats a minute: too fast unless it is allowed.
        assert!((choice.of(&heard) - 60.0 * rate / 30.0).abs() < 1e-9);
        let free = TempoSearch { max_tempo: 1e9, std_bpm: 3.0, ..search }.plan(lags, rate).unwrap();
        assert!((free.of(&heard) - 60.0 * rate / 8.0).abs() < 1e-9);
    }

    #[test]
    fn a_prior_without_a_tempo_is_refused() {
        let prior = Some(TempoPrior::Uniform { low: 5000.0, high: 6000.0 });
        let search = TempoSearch { prior, ..TempoSearch::default() };
        let error = search.plan(344, 43.0).unwrap_err();
        assert!(matches!(error, FeatureError::Parameter { field: "prior", .. }), "{error}");
    }
}
