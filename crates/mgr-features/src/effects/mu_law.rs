//! Mu-law companding.

use serde::{Deserialize, Serialize};

use crate::{FeatureError, check};

/// Parameters of mu-law companding. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MuLawConfig {
    /// Strength of the compression; codes are of `mu + 1` values. Over 0, at most 65,535. Default 255.
    pub mu: f64,
}

impl Default for MuLawConfig {
    fn default() -> Self {
        Self { mu: 255.0 }
    }
}

impl MuLawConfig {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a `mu` that is not over 0 and at most 65,535.
    pub fn plan(&self) -> Result<MuLaw, FeatureError> {
        check::within("mu", self.mu, f64::MIN_POSITIVE, 65_535.0)?;
        Ok(MuLaw { mu: self.mu })
    }
}

/// Planned mu-law companding: `sign(x) ln(1 + mu |x|) / ln(1 + mu)` and its inverse, on samples from -1 to 1.
///
/// Source: librosa 0.11 `mu_compress`, `mu_expand`.
///
/// ```
/// use mgr_features::effects::MuLawConfig;
/// let mu_law = MuLawConfig::default().plan()?;
/// let codes = mu_law.encode(&[-1.0, 0.0, 0.5, 1.0])?;
/// assert_eq!(codes, [-128, 0, 112, 127]);
/// let samples = mu_law.decode(&codes)?;
/// assert!((samples[2] - 0.5).abs() < 0.02);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MuLaw {
    mu: f64,
}

impl MuLaw {
    fn curve(&self, x: f32) -> f64 {
        let x = f64::from(x);
        // f64's signum of zero is 1, which does no harm: the logarithm is 0 there.
        x.signum() * (self.mu * x.abs()).ln_1p() / self.mu.ln_1p()
    }

    fn inverse_curve(&self, y: f64) -> f64 {
        y.signum() / self.mu * ((1.0 + self.mu).powf(y.abs()) - 1.0)
    }

    /// Compresses samples; values stay from -1 to 1.
    ///
    /// # Errors
    /// [`FeatureError::OutOfRange`] for a sample outside -1 to 1 or NaN.
    pub fn compress(&self, samples: &[f32]) -> Result<Vec<f32>, FeatureError> {
        in_unit_range(samples)?;
        Ok(samples.iter().map(|x| self.curve(*x) as f32).collect())
    }

    /// Undoes [`MuLaw::compress`].
    ///
    /// # Errors
    /// [`FeatureError::OutOfRange`] for a value outside -1 to 1 or NaN.
    pub fn expand(&self, values: &[f32]) -> Result<Vec<f32>, FeatureError> {
        in_unit_range(values)?;
        Ok(values.iter().map(|y| self.inverse_curve(f64::from(*y)) as f32).collect())
    }

    /// Compresses samples to codes: the number of edges, `floor(mu) + 1` of them evenly from -1 to 1, that lie under the compressed
    /// value, less `floor(mu + 1) / 2`. With a `mu` of 255: -128 to 127, where silence is 0.
    ///
    /// # Errors
    /// [`FeatureError::OutOfRange`] for a sample outside -1 to 1 or NaN.
    pub fn encode(&self, samples: &[f32]) -> Result<Vec<i32>, FeatureError> {
        in_unit_range(samples)?;
        let edges = (1.0 + self.mu).floor();
        let step = 2.0 / (edges - 1.0).max(1.0);
        let code = |x: &f32| {
            let y = self.curve(*x);
            // Edges k step - 1 under y; rounding may put the quotient a hair beside a whole number, so its neighbours are asked.
            let guess = ((y + 1.0) / step).floor();
            let under = [guess + 1.0, guess, guess - 1.0].into_iter().find(|k| k * step - 1.0 < y);
            (under.map_or(0.0, |k| k + 1.0).clamp(0.0, edges) - (edges / 2.0).floor()) as i32
        };
        Ok(samples.iter().map(code).collect())
    }

    /// Samples of codes: code `c` stands for `2 c / (1 + mu)` before expansion.
    ///
    /// # Errors
    /// [`FeatureError::OutOfRange`] for a code outside `-(1 + mu) / 2` to `(1 + mu) / 2`.
    pub fn decode(&self, codes: &[i32]) -> Result<Vec<f32>, FeatureError> {
        codes
            .iter()
            .enumerate()
            .map(|(index, &code)| {
                let y = f64::from(code) * 2.0 / (1.0 + self.mu);
                if y.abs() > 1.0 {
                    let allowed = "-(1 + mu) / 2 to (1 + mu) / 2";
                    return Err(FeatureError::OutOfRange { index, value: f64::from(code), allowed });
                }
                Ok(self.inverse_curve(y) as f32)
            })
            .collect()
    }
}

fn in_unit_range(values: &[f32]) -> Result<(), FeatureError> {
    match values.iter().position(|x| !(-1.0..=1.0).contains(x)) {
        None => Ok(()),
        Some(index) => {
            let value = f64::from(values[index]);
            Err(FeatureError::OutOfRange { index, value, allowed: "-1 to 1" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_reference() {
        // librosa's documentation of mu_compress: np.linspace(-1, 1, num=16).
        let x: Vec<f32> = (0..16).map(|k| -1.0 + 2.0 * k as f32 / 15.0).collect();
        let mu_law = MuLawConfig::default().plan().unwrap();
        assert_eq!(
            mu_law.encode(&x).unwrap(),
            [-128, -124, -120, -116, -110, -102, -91, -66, 66, 91, 102, 110, 116, 120, 124, 127]
        );
        let small = MuLawConfig { mu: 15.0 }.plan().unwrap();
        assert_eq!(small.encode(&x).unwrap(), [-8, -7, -7, -6, -6, -5, -4, -2, 2, 4, 5, 6, 6, 7, 7, 7]);
        assert!((mu_law.compress(&x).unwrap()[1] - -0.974_302).abs() < 1e-6);
        assert!((mu_law.decode(&[-124]).unwrap()[0] - -0.840_272_5).abs() < 1e-6);
    }

    #[test]
    fn expansion_undoes_compression() {
        for mu in [0.5, 255.0, 65_535.0] {
            let mu_law = MuLawConfig { mu }.plan().unwrap();
            let x: Vec<f32> = (0..=200).map(|k| (k - 100) as f32 / 100.0).collect();
            let back = mu_law.expand(&mu_law.compress(&x).unwrap()).unwrap();
            assert!(x.iter().zip(&back).all(|(a, b)| (a - b).abs() < 2e-6), "{mu}");
        }
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let mu_law = MuLawConfig::default().plan().unwrap();
        assert!(matches!(mu_law.encode(&[0.0, 1.5]), Err(FeatureError::OutOfRange { index: 1, .. })));
        assert!(mu_law.compress(&[f32::NAN]).is_err() && mu_law.expand(&[-2.0]).is_err());
        assert!(mu_law.decode(&[129]).is_err());
        for mu in [0.0, -1.0, f64::NAN, 1e9] {
            assert!(MuLawConfig { mu }.plan().is_err());
        }
    }
}
