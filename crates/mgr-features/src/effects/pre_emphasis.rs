//! Pre-emphasis: a first-order high-pass filter, and its inverse.

use serde::{Deserialize, Serialize};

use crate::{FeatureError, check};

/// What comes before the first sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The filter's state continues the line through the first two samples: `y[0] = x[0] + (2 x[0] - x[1])`. librosa's, the default.
    #[default]
    Extrapolate,
    /// Zero: `y[0] = x[0]`.
    Zero,
}

/// Parameters of a pre-emphasis. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PreEmphasisConfig {
    /// Share of the sample before that is taken away, -1 to 1. Default 0.97.
    pub coefficient: f32,
    /// What comes before the first sample. Default librosa's extrapolation.
    pub start: Start,
}

impl Default for PreEmphasisConfig {
    fn default() -> Self {
        Self { coefficient: 0.97, start: Start::Extrapolate }
    }
}

impl PreEmphasisConfig {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a coefficient outside -1 to 1.
    pub fn plan(&self) -> Result<PreEmphasis, FeatureError> {
        check::within("coefficient", f64::from(self.coefficient), -1.0, 1.0)?;
        Ok(PreEmphasis { config: self.clone() })
    }
}

/// A planned pre-emphasis `y[n] = x[n] - coefficient x[n - 1]`. Source: librosa 0.11 `effects.preemphasis`, `deemphasis`.
///
/// ```
/// use mgr_features::effects::PreEmphasisConfig;
/// let filter = PreEmphasisConfig::default().plan()?;
/// let x = [0.1, 0.2, 0.4, 0.3];
/// let y = filter.process(&x)?;
/// assert!((y[2] - (0.4 - 0.97 * 0.2)).abs() < 1e-6);
/// let back = filter.inverse(&y)?;
/// assert!(x.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-5));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PreEmphasis {
    config: PreEmphasisConfig,
}

impl PreEmphasis {
    /// What is added to the first sample.
    fn state(&self, samples: &[f32]) -> f32 {
        match (self.config.start, samples) {
            (Start::Extrapolate, [first, second, ..]) => 2.0 * first - second,
            // A line through one point: it stays where it is.
            (Start::Extrapolate, [only]) => *only,
            _ => 0.0,
        }
    }

    /// The filtered samples, as many as given.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`].
    pub fn process(&self, samples: &[f32]) -> Result<Vec<f32>, FeatureError> {
        let mut out = samples.to_vec();
        self.process_in_place(&mut out)?;
        Ok(out)
    }

    /// Filters samples where they lie. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`]; the samples are as they were then.
    pub fn process_in_place(&self, samples: &mut [f32]) -> Result<(), FeatureError> {
        check::finite(samples)?;
        let state = self.state(samples);
        for n in (1..samples.len()).rev() {
            samples[n] -= self.config.coefficient * samples[n - 1];
        }
        if let Some(first) = samples.first_mut() {
            *first += state;
        }
        Ok(())
    }

    /// Undoes the filter: `x[n] = y[n] + coefficient x[n - 1]`, less what the first sample had more.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`].
    pub fn inverse(&self, samples: &[f32]) -> Result<Vec<f32>, FeatureError> {
        check::finite(samples)?;
        let coefficient = f64::from(self.config.coefficient);
        // In f64, because errors add up where the coefficient is near 1.
        let first = match (self.config.start, samples) {
            // From y[0] = 3 x[0] - x[1] and y[1] = x[1] - coefficient x[0].
            (Start::Extrapolate, [a, b, ..]) => (f64::from(*a) + f64::from(*b)) / (3.0 - coefficient),
            (Start::Extrapolate, [only]) => f64::from(*only) / 2.0,
            (Start::Zero, [first, ..]) => f64::from(*first),
            (_, []) => 0.0,
        };
        let mut before = first;
        Ok(samples
            .iter()
            .enumerate()
            .map(|(n, y)| {
                before = if n == 0 { first } else { f64::from(*y) + coefficient * before };
                before as f32
            })
            .collect())
    }

    /// Filters while samples arrive.
    #[must_use]
    pub fn stream(&self) -> PreEmphasisStream {
        PreEmphasisStream { plan: self.clone(), held: Vec::new(), last: None }
    }
}

/// A pre-emphasis of samples that arrive in blocks: the same numbers as in batch, bit for bit.
#[derive(Debug, Clone)]
pub struct PreEmphasisStream {
    plan: PreEmphasis,
    /// The first sample, until a second one tells the line.
    held: Vec<f32>,
    last: Option<f32>,
}

impl PreEmphasisStream {
    /// Takes a block and hands on what can be said of it.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`]; the block is then not taken.
    pub fn push(&mut self, samples: &[f32], mut take: impl FnMut(f32)) -> Result<(), FeatureError> {
        check::finite(samples)?;
        let mut rest = samples;
        if self.last.is_none() {
            while self.held.len() < 2
                && let Some((first, after)) = rest.split_first()
            {
                self.held.push(*first);
                rest = after;
            }
            let [first, second] = self.held[..] else { return Ok(()) };
            take(first + self.plan.state(&self.held));
            take(second - self.plan.config.coefficient * first);
            self.last = Some(second);
        }
        for &sample in rest {
            take(sample - self.plan.config.coefficient * self.last.unwrap_or(0.0));
            self.last = Some(sample);
        }
        Ok(())
    }

    /// Ends the signal; hands on a single sample that was held back.
    pub fn finish(self, mut take: impl FnMut(f32)) {
        if let [only] = self.held[..] {
            take(only + self.plan.state(&self.held));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(x: &[f32]) -> Vec<u32> {
        x.iter().map(|v| v.to_bits()).collect()
    }

    #[test]
    fn starts_as_the_references_do() {
        let x = [1.0, 0.5, 0.25];
        let librosa = PreEmphasisConfig { coefficient: 0.5, ..Default::default() }.plan().unwrap();
        assert_eq!(librosa.process(&x).unwrap(), [2.5, 0.0, 0.0]);
        let plain = PreEmphasisConfig { coefficient: 0.5, start: Start::Zero }.plan().unwrap();
        assert_eq!(plain.process(&x).unwrap(), [1.0, 0.0, 0.0]);
        assert_eq!(librosa.process(&[3.0]).unwrap(), [6.0]);
        assert_eq!(librosa.process(&[]).unwrap(), [0.0; 0]);
        assert!(librosa.process(&[0.0, f32::NAN]).is_err());
        assert!(PreEmphasisConfig { coefficient: f32::NAN, ..Default::default() }.plan().is_err());
    }

    #[test]
    fn a_stream_equals_a_batch_and_the_inverse_undoes_it() {
        for start in [Start::Extrapolate, Start::Zero] {
            let filter = PreEmphasisConfig { coefficient: 0.97, start }.plan().unwrap();
            for length in [0, 1, 2, 3, 1000] {
                let x: Vec<f32> = (0..length).map(|n| (n as f32 * 0.7).sin() + 0.1).collect();
                let batch = filter.process(&x).unwrap();
                for block in [1, 2, 77] {
                    let (mut stream, mut out) = (filter.stream(), Vec::new());
                    for part in x.chunks(block) {
                        stream.push(part, |v| out.push(v)).unwrap();
                    }
                    stream.finish(|v| out.push(v));
                    assert_eq!(bits(&out), bits(&batch), "{start:?} {length} {block}");
                }
                let back = filter.inverse(&batch).unwrap();
                assert!(x.iter().zip(&back).all(|(a, b)| (a - b).abs() < 2e-5));
            }
        }
    }
}
