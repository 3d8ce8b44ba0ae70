//! Parameters of the constant-Q transforms, and what is checked of them.

use serde::{Deserialize, Serialize};

use super::half_band::Filters;
use super::kernel::{Shape, Transforms, WaveletNorm};
use super::tree::{Design, LONGEST};
use crate::frame::{Framing, Padding};
use crate::window::{Symmetry, Window};
use crate::{FeatureError, check};

/// Parameters of a constant-Q transform. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CqtConfig {
    /// Samples from one frame to the next. Default 512. The rate is halved from octave to octave as long as the hop can be;
    /// an odd hop costs much time.
    pub hop_length: usize,
    /// Frequency of the lowest bin in Hz. Default C1, 32.703 Hz.
    pub f_min: f64,
    /// Bins, 1 to 10000; the highest must end by the Nyquist frequency. Default 84.
    pub n_bins: usize,
    /// Bins per octave, 1 to 1200. Default 12.
    pub bins_per_octave: usize,
    /// Deviation of all bins from `f_min`, in fractions of a bin, -100 to 100. Default 0.
    pub tuning: f64,
    /// Factor of the lengths of the filters, 0.001 to 100: under 1, finer in time. Default 1.
    pub filter_scale: f64,
    /// What wavelets are divided by. Default L1.
    pub norm: WaveletNorm,
    /// Share of a filter's spectrum, by sum of magnitudes, that is left out, 0 to under 1. Default 0.01, which is part of the
    /// definition; 0 leaves out nothing.
    pub sparsity: f64,
    /// The window of the wavelets. Default Hann.
    pub window: Window,
    /// Divide each bin by the square root of its filter's length. Default true.
    pub scale: bool,
    /// What frames see beyond the ends, at every rate. Default zeros.
    pub padding: Padding,
}

impl Default for CqtConfig {
    fn default() -> Self {
        Self {
            hop_length: 512,
            f_min: C1,
            n_bins: 84,
            bins_per_octave: 12,
            tuning: 0.0,
            filter_scale: 1.0,
            norm: WaveletNorm::default(),
            sparsity: 0.01,
            window: Window::default(),
            scale: true,
            padding: Padding::default(),
        }
    }
}

/// 440 Hz, 45 semitones down.
const C1: f64 = 32.703_195_662_574_83;

/// What is added to the bandwidths of a variable-Q transform.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gamma {
    /// `24.7 alpha / 0.108`, which makes the bandwidths a share of the ear's (equivalent rectangular bandwidths). The default.
    #[default]
    Erb,
    /// A fixed bandwidth in Hz, 0 to 1e6; 0 is the constant-Q transform.
    Hz(f64),
}

impl CqtConfig {
    pub(super) fn design(&self, gamma: Gamma, sample_rate: u32) -> Result<Design, FeatureError> {
        check::rate(sample_rate)?;
        // For its check of the hop.
        Framing::new(1, self.hop_length, crate::frame::Centering::Centered, self.padding)?;
        check::within("n_bins", self.n_bins as f64, 1.0, 10_000.0)?;
        check::within("bins_per_octave", self.bins_per_octave as f64, 1.0, 1200.0)?;
        let nyquist = f64::from(sample_rate) / 2.0;
        check::within("f_min", self.f_min, f64::MIN_POSITIVE, nyquist)?;
        check::within("tuning", self.tuning, -100.0, 100.0)?;
        check::within("filter_scale", self.filter_scale, 1e-3, 100.0)?;
        if !(0.0..1.0).contains(&self.sparsity) {
            return Err(FeatureError::parameter("sparsity", self.sparsity, "0 to under 1"));
        }
        // For its check of the window's shape.
        self.window.coefficients(2, Symmetry::Periodic)?;
        let mut design = Design {
            sample_rate: f64::from(sample_rate),
            hop_length: self.hop_length,
            f_min: self.f_min,
            n_bins: self.n_bins,
            bins_per_octave: self.bins_per_octave,
            filter_scale: self.filter_scale,
            gamma: 0.0,
            shape: Shape { window: self.window, norm: self.norm, sparsity: self.sparsity },
            scaled: self.scale,
            padding: self.padding,
            window_bandwidth: bandwidth(self.window)?,
            filters: Filters::new(),
            transforms: Transforms::default(),
        };
        design.gamma = match gamma {
            Gamma::Erb => design.alpha() * 24.7 / 0.108,
            Gamma::Hz(hz) => {
                check::within("gamma.hz", hz, 0.0, 1e6)?;
                hz
            }
        };
        let lowest = design.hz(0, self.tuning);
        if design.length(lowest, design.sample_rate) > LONGEST {
            let needed = design.f_min * design.length(lowest, design.sample_rate) / LONGEST;
            let allowed = format!("at least {needed} Hz, for filters of at most {LONGEST} samples");
            return Err(FeatureError::parameter("f_min", self.f_min, allowed));
        }
        Ok(design)
    }
}

/// Equivalent noise bandwidth of a window in bins: the reference's constants, or `n sum w^2 / (sum w)^2` of 1000 samples.
fn bandwidth(window: Window) -> Result<f64, FeatureError> {
    Ok(match window {
        Window::Hann => 1.500_183_105_468_75,
        Window::Hamming => 1.362_945_532_035_034_8,
        Window::Blackman => 1.726_968_155_426_232_6,
        Window::BlackmanHarris => 2.004_597_528_358_501_4,
        Window::Rectangular => 1.0,
        other @ (Window::Kaiser { .. } | Window::Povey) => {
            let w = other.coefficients(1000, Symmetry::Periodic)?;
            let sum: f64 = w.iter().sum();
            1000.0 * w.iter().map(|v| v * v).sum::<f64>() / (sum * sum)
        }
    })
}
