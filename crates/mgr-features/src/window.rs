//! Window functions, as `scipy.signal.get_window` defines them.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::FeatureError;

/// A window function.
///
/// With `N` the denominator (`n` when periodic, `n - 1` when symmetric) and `x = 2 pi i / N`:
///
/// | window | formula |
/// |---|---|
/// | Hann | `0.5 - 0.5 cos x` |
/// | Hamming | `0.54 - 0.46 cos x` |
/// | Blackman | `0.42 - 0.5 cos x + 0.08 cos 2x` |
/// | Blackman-Harris | `0.35875 - 0.48829 cos x + 0.14128 cos 2x - 0.01168 cos 3x` |
/// | rectangular | `1` |
/// | Povey | `(0.5 - 0.5 cos x)^0.85` |
/// | Kaiser | `I0(beta sqrt(1 - (2i/N - 1)^2)) / I0(beta)` |
///
/// In a file: `"hann"`, or `{ kaiser = { beta = 14.0 } }`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Window {
    /// Raised cosine; the default of every reference.
    #[default]
    Hann,
    /// Raised cosine on a pedestal, scipy's constants 0.54 and 0.46.
    Hamming,
    /// Three-term Blackman.
    Blackman,
    /// Four-term Blackman-Harris, side lobes under -92 dB.
    BlackmanHarris,
    /// All ones.
    Rectangular,
    /// Kaldi's own: a Hann window to the power of 0.85, which stays over zero for longer. Kaldi takes it symmetric.
    Povey,
    /// Kaiser window.
    Kaiser {
        /// Shape: 0 is rectangular, 14 has side lobes under -100 dB. Must be finite and not negative, at most 500.
        beta: f64,
    },
}

/// Whether a window closes on its last sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Symmetry {
    /// One period of an endless function (`fftbins=True`): right for spectral analysis, the default.
    #[default]
    Periodic,
    /// First and last sample are equal: right for filter design.
    Symmetric,
    /// The periodic one from its end: what a transform by convolution gives where kernels are flipped (kapre on Theano).
    Reversed,
}

impl Window {
    /// The `length` coefficients in f64.
    ///
    /// A window of one sample is `[1.0]`.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a length of zero or a Kaiser beta that is negative or not finite.
    ///
    /// ```
    /// use mgr_features::window::{Symmetry, Window};
    /// let hann = Window::Hann.coefficients(4, Symmetry::Periodic)?;
    /// assert!(hann.iter().zip([0.0, 0.5, 1.0, 0.5]).all(|(a, b)| (a - b).abs() < 1e-15));
    /// # Ok::<(), mgr_features::FeatureError>(())
    /// ```
    pub fn coefficients(self, length: usize, symmetry: Symmetry) -> Result<Vec<f64>, FeatureError> {
        if length == 0 {
            return Err(FeatureError::parameter("win_length", length, "at least 1"));
        }
        if let Self::Kaiser { beta } = self
            && !(0.0..=500.0).contains(&beta)
        {
            return Err(FeatureError::parameter("window.kaiser.beta", beta, "0 to 500"));
        }
        if length == 1 {
            return Ok(vec![1.0]);
        }
        let period = match symmetry {
            Symmetry::Periodic | Symmetry::Reversed => length as f64,
            Symmetry::Symmetric => (length - 1) as f64,
        };
        let place = |i| if symmetry == Symmetry::Reversed { length - 1 - i } else { i };
        Ok((0..length).map(|i| self.at(place(i) as f64 / period)).collect())
    }

    /// The window at `position` in 0..=1 of its period.
    pub(crate) fn at(self, position: f64) -> f64 {
        let x = 2.0 * PI * position;
        match self {
            Self::Hann => 0.5 - 0.5 * x.cos(),
            Self::Hamming => 0.54 - 0.46 * x.cos(),
            Self::Blackman => 0.42 - 0.5 * x.cos() + 0.08 * (2.0 * x).cos(),
            Self::BlackmanHarris => {
                0.35875 - 0.48829 * x.cos() + 0.14128 * (2.0 * x).cos() - 0.01168 * (3.0 * x).cos()
            }
            Self::Rectangular => 1.0,
            Self::Povey => (0.5 - 0.5 * x.cos()).max(0.0).powf(0.85),
            Self::Kaiser { beta } => {
                let r = 2.0 * position - 1.0;
                bessel_i0(beta * (1.0 - r * r).max(0.0).sqrt()) / bessel_i0(beta)
            }
        }
    }
}

/// Modified Bessel function of the first kind, order 0, by its power series `sum ((x/2)^k / k!)^2`.
///
/// All terms are positive, so nothing cancels and the sum is exact to rounding.
pub(crate) fn bessel_i0(x: f64) -> f64 {
    let half = x / 2.0;
    let (mut term, mut sum, mut k) = (1.0, 1.0, 0.0);
    loop {
        k += 1.0;
        term *= (half / k) * (half / k);
        sum += term;
        if term <= sum * 1e-17 {
            return sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_windows_take_their_known_values() {
        let middle = |w: Window| w.coefficients(9, Symmetry::Symmetric).unwrap()[4];
        for w in [Window::Hann, Window::Hamming, Window::Blackman, Window::BlackmanHarris] {
            assert!((middle(w) - 1.0).abs() < 1e-12, "{w:?}");
        }
        // scipy.signal.get_window(("kaiser", 5.0), 8), first three values
        let k = Window::Kaiser { beta: 5.0 }.coefficients(8, Symmetry::Periodic).unwrap();
        for (a, b) in k.iter().zip([0.036710892271286676, 0.23054433409868888, 0.5528517696991324]) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn periodic_is_a_longer_symmetric_one_without_its_end() {
        for w in [Window::Hann, Window::Blackman, Window::Kaiser { beta: 8.0 }] {
            let p = w.coefficients(10, Symmetry::Periodic).unwrap();
            let s = w.coefficients(11, Symmetry::Symmetric).unwrap();
            assert_eq!(p, s[..10]);
            let r = w.coefficients(10, Symmetry::Reversed).unwrap();
            assert!(r.iter().rev().eq(&p));
        }
    }

    #[test]
    fn refuses_what_is_no_window() {
        assert!(Window::Hann.coefficients(0, Symmetry::Periodic).is_err());
        assert!(Window::Kaiser { beta: f64::NAN }.coefficients(8, Symmetry::Periodic).is_err());
        assert_eq!(Window::Blackman.coefficients(1, Symmetry::Periodic).unwrap(), [1.0]);
    }
}
