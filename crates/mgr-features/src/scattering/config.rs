//! The parameters of a scattering transform.

use serde::{Deserialize, Serialize};

/// Parameters of a time scattering transform. Defaults are those of the reference, but for `scaling`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScatteringConfig {
    /// Largest scale of the wavelets: `2^j` samples. 1 to 16; the reference has no default, ours is 8.
    pub j: u32,
    /// Wavelets an octave in the first order, 1 to 128. The reference's default is 1, ours 8.
    pub q: u32,
    /// Wavelets an octave in the second order, 1 to 128. Default 1.
    pub q2: u32,
    /// What becomes of envelopes. Default: a low-pass filter of scale `2^j`.
    pub averaging: Averaging,
    /// Largest order, 1 or 2 (default).
    pub max_order: u8,
    /// Everything is subsampled by `2^oversampling` times less than the filters allow, 0 (default) to 32.
    pub oversampling: u32,
    /// How filters at lower rates are scaled.
    pub scaling: Scaling,
    /// Precision of the computation.
    pub precision: Precision,
}

impl Default for ScatteringConfig {
    fn default() -> Self {
        Self {
            j: 8,
            q: 8,
            q2: 1,
            averaging: Averaging::default(),
            max_order: 2,
            oversampling: 0,
            scaling: Scaling::default(),
            precision: Precision::default(),
        }
    }
}

/// What becomes of envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Averaging {
    /// Low-passed at the scale of the widest wavelets, `2^j` samples.
    #[default]
    Scale,
    /// Low-passed at this scale in samples, at least 1: kymatio's `T`.
    Samples(u32),
    /// Averaged over the whole signal: one column. kymatio 0.3 has no such thing; 0.4 averages over its padding too.
    Global,
    /// Left as they are, each at its own rate: kymatio's `T = 0`. For [`ScatteringConfig::plan_lists`] only.
    None,
}

/// How filters are scaled where they serve at a lower rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// So that a filter passes the same at every rate (kymatio from 0.4).
    #[default]
    Corrected,
    /// By the mean of what folds together, where the sum is right (kymatio to 0.3): first-order rows come out `2^j1` times
    /// too small, second-order ones `2^(j1 + j2)` times, or `2^j1` without averaging.
    Legacy,
}

/// Precision of the computation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Spectrum of the signal and order 0 in f64, the rest in f32: within 1e-5 of a row's values and 1e-6 of the largest.
    #[default]
    Single,
    /// All in f64, as the reference.
    Double,
}
