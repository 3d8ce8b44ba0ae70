//! Intervals by resampling clips, or whole groups of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check_share;
use super::distribution::{normal_below, normal_quantile};
use crate::EvalError;
use crate::metrics::Interval;
use crate::split::Shuffler;

/// How the interval is read off the resampled values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BootstrapMethod {
    /// The quantiles of the resampled values (default).
    #[default]
    Percentile,
    /// Quantiles corrected for bias and skewness (BCa), which costs one more evaluation for every clip or group.
    Bca,
}

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BootstrapConfig {
    /// Resamplings, 100 to 1,000,000 (default 2000).
    pub resamples: usize,
    /// Coverage of the interval, between 0 and 1 (default 0.95).
    pub confidence: f64,
    /// How the interval is read off (default percentile).
    pub method: BootstrapMethod,
    /// Seed of the draw (default 0).
    pub seed: u64,
}

impl Default for BootstrapConfig {
    fn default() -> Self {
        Self { resamples: 2000, confidence: 0.95, method: BootstrapMethod::Percentile, seed: 0 }
    }
}

/// An interval by resampling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BootstrapInterval {
    /// The statistic of the clips as they are.
    pub estimate: f64,
    /// The interval.
    pub interval: Interval,
    /// The standard deviation of the resampled values, the standard error of the estimate.
    pub standard_error: f64,
    /// Resamplings on which the statistic had no value (a class had no clip, say); they are left out.
    pub undefined: usize,
}

/// Resamples clips with replacement.
///
/// `statistic` gets the chosen indices, repeated as drawn, and gives none where it has no value on them. Clips of one artist
/// are alike, which this does not see: use [`bootstrap_groups`] where artists are known.
///
/// ```
/// use mgr_eval::compare::{BootstrapConfig, bootstrap_clips};
///
/// let right = [true, true, false, true, true, false, true, true];
/// let accuracy = |clips: &[usize]| Some(clips.iter().filter(|&&i| right[i]).count() as f64 / clips.len() as f64);
/// let result = bootstrap_clips(right.len(), accuracy, &BootstrapConfig::default())?;
/// assert_eq!(result.estimate, 0.75);
/// assert!(result.interval.low < 0.5 && result.interval.high == 1.0);
/// # Ok::<(), mgr_eval::EvalError>(())
/// ```
///
/// Source: B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 14.
///
/// # Errors
/// [`EvalError::Empty`] without clips, [`EvalError::Parameter`] for the configuration, [`EvalError::NoStatistic`] where the
/// statistic has no value on the clips as they are or on any resampling, [`EvalError::NotFinite`] for a value that is NaN
/// or infinite.
pub fn bootstrap_clips(
    clips: usize,
    statistic: impl Fn(&[usize]) -> Option<f64>,
    config: &BootstrapConfig,
) -> Result<BootstrapInterval, EvalError> {
    let units: Vec<Vec<usize>> = (0..clips).map(|clip| vec![clip]).collect();
    resample(&units, &statistic, config)
}

/// Resamples whole groups (artists, albums, recordings) with replacement: `groups` names the group of every clip.
///
/// As many groups are drawn as there are, so the number of clips varies. With few groups (below about 20) intervals by
/// resampling are too narrow.
///
/// # Errors
/// Those of [`bootstrap_clips`].
pub fn bootstrap_groups<G: Ord>(
    groups: &[G],
    statistic: impl Fn(&[usize]) -> Option<f64>,
    config: &BootstrapConfig,
) -> Result<BootstrapInterval, EvalError> {
    let mut members: BTreeMap<&G, Vec<usize>> = BTreeMap::new();
    for (clip, group) in groups.iter().enumerate() {
        members.entry(group).or_default().push(clip);
    }
    let units: Vec<Vec<usize>> = members.into_values().collect();
    resample(&units, &statistic, config)
}

fn resample(
    units: &[Vec<usize>],
    statistic: &impl Fn(&[usize]) -> Option<f64>,
    config: &BootstrapConfig,
) -> Result<BootstrapInterval, EvalError> {
    if units.is_empty() {
        return Err(EvalError::Empty { what: "list of clips" });
    }
    if !(100..=1_000_000).contains(&config.resamples) {
        let value = config.resamples as f64;
        return Err(EvalError::Parameter { name: "resamples", value, allowed: "100 to 1000000" });
    }
    check_share("confidence", config.confidence)?;
    let value_of = |clips: &[usize], row: usize| match statistic(clips) {
        Some(value) if !value.is_finite() => {
            Err(EvalError::NotFinite { what: "statistic of resampling", row, column: 0, value })
        }
        value => Ok(value),
    };

    let mut chosen: Vec<usize> = units.concat();
    chosen.sort_unstable();
    let no_statistic = || EvalError::NoStatistic { resamples: config.resamples };
    let estimate = value_of(&chosen, 0)?.ok_or_else(no_statistic)?;
    let mut values = Vec::with_capacity(config.resamples);
    for number in 0..config.resamples {
        // A stream of its own for every resampling: threads could share the work without changing the draw.
        let mut draw = Shuffler::new(config.seed, &[number as u64]);
        chosen.clear();
        for _ in 0..units.len() {
            chosen.extend_from_slice(&units[draw.below(units.len())]);
        }
        values.extend(value_of(&chosen, number)?);
    }
    if values.is_empty() {
        return Err(no_statistic());
    }
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let tail = 0.5 * (1.0 - config.confidence);
    let shares = match config.method {
        BootstrapMethod::Percentile => [tail, 1.0 - tail],
        BootstrapMethod::Bca => {
            // Values equal to the estimate count half, or a statistic with few values would seem biased.
            let below = values.iter().filter(|&&value| value < estimate).count() as f64;
            let equal = values.iter().filter(|&&value| value == estimate).count() as f64;
            let share = ((below + 0.5 * equal) / count).clamp(0.5 / count, 1.0 - 0.5 / count);
            corrected(tail, normal_quantile(share), acceleration(units, &value_of)?)
        }
    };
    Ok(BootstrapInterval {
        estimate,
        interval: Interval { low: quantile(&values, shares[0]), high: quantile(&values, shares[1]) },
        standard_error: (squares / (count - 1.0).max(1.0)).sqrt(),
        undefined: config.resamples - values.len(),
    })
}

/// The shares at which BCa reads the interval, from the bias and the acceleration.
fn corrected(tail: f64, bias: f64, acceleration: f64) -> [f64; 2] {
    [tail, 1.0 - tail].map(|share| {
        let z = bias + normal_quantile(share);
        let divisor = 1.0 - acceleration * z;
        // An acceleration this strong says that the sample is far too small; the plain quantile remains.
        if divisor <= 0.0 { share } else { normal_below(bias + z / divisor) }
    })
}

/// A sixth of the skewness of the values with one unit left out; 0 where they are all alike.
fn acceleration(
    units: &[Vec<usize>],
    value_of: &impl Fn(&[usize], usize) -> Result<Option<f64>, EvalError>,
) -> Result<f64, EvalError> {
    let mut values = Vec::with_capacity(units.len());
    for left_out in 0..units.len() {
        let rest: Vec<usize> = units
            .iter()
            .enumerate()
            .filter(|&(i, _)| i != left_out)
            .flat_map(|(_, unit)| unit)
            .copied()
            .collect();
        if !rest.is_empty() {
            values.extend(value_of(&rest, left_out)?);
        }
    }
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let power = |n: i32| values.iter().map(|value| (mean - value).powi(n)).sum::<f64>();
    let spread = power(2);
    Ok(if spread > 0.0 { power(3) / (6.0 * spread.powf(1.5)) } else { 0.0 })
}

/// The quantile of sorted values by linear interpolation (NumPy's default).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let index = position.floor() as usize;
    let next = (index + 1).min(sorted.len() - 1);
    sorted[index] + (sorted[next] - sorted[index]) * (position - index as f64)
}
