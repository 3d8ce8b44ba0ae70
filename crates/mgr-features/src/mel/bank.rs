//! The mel filter bank, stored sparsely.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::MelScale;
use crate::simd::products::{FILTER_BLOCK, SparseRow, filter};
use crate::{FeatureError, check};

/// How each triangular filter is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MelNorm {
    /// Equal area: times `2 / (f[m + 2] - f[m])`. librosa's default.
    #[default]
    Slaney,
    /// Coefficients sum to 1.
    L1,
    /// Squares of the coefficients sum to 1.
    L2,
    /// The largest coefficient is 1.
    Max,
    /// As the triangle is: its tip, if a bin lies there, is 1.
    None,
}

/// What to do about a bank that does not fit the spectrum under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// A filter without a bin, or a top frequency over half the sampling rate, is an error: such rows would be zero for
    /// every signal. The default, and stricter than the reference.
    #[default]
    Strict,
    /// Such filters are rows of zeros, as in librosa, which warns.
    Lenient,
}

/// On which axis the sides of the triangles are straight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriangleAxis {
    /// Frequency in Hz: librosa, torchaudio's transforms. The default.
    #[default]
    Hertz,
    /// Mel: HTK, Kaldi, VGGish.
    Mel,
}

impl TriangleAxis {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_hertz(&self) -> bool {
        *self == Self::Hertz
    }
}

/// Parameters of a mel filter bank. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MelBankConfig {
    /// Number of filters, 1 to 65,536. Default 128.
    pub n_mels: usize,
    /// Lower edge of the first filter in Hz. Default 0.
    pub f_min: f64,
    /// Upper edge of the last filter in Hz. Default: half the sampling rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f_max: Option<f64>,
    /// Mel scale. Default Slaney.
    pub scale: MelScale,
    /// Scaling of the filters. Default Slaney.
    pub norm: MelNorm,
    /// Whether filters without a bin are refused. Default: they are.
    pub coverage: Coverage,
    /// On which axis the sides of the triangles are straight. Default Hz.
    #[serde(skip_serializing_if = "TriangleAxis::is_hertz")]
    pub triangles: TriangleAxis,
}

impl Default for MelBankConfig {
    fn default() -> Self {
        Self {
            n_mels: 128,
            f_min: 0.0,
            f_max: None,
            scale: MelScale::default(),
            norm: MelNorm::default(),
            coverage: Coverage::default(),
            triangles: TriangleAxis::default(),
        }
    }
}

/// Triangular filters over the bins of a transform: with edges `f`, evenly spaced in mel, filter `m` at frequency `g` is
/// `max(0, min((g - f[m]) / (f[m+1] - f[m]), (f[m+2] - g) / (f[m+2] - f[m+1])))`, then scaled. With
/// [`TriangleAxis::Mel`] the mels of `g` and `f` stand in their place.
///
/// Only the coefficients that are not zero are kept. Source: librosa 0.11 `filters.mel`; made in f64, kept in f32.
#[derive(Debug, Clone)]
pub struct MelBank {
    bins: usize,
    centres: Vec<f32>,
    rows: Vec<SparseRow>,
    weights: Vec<f32>,
}

impl MelBankConfig {
    /// Checks the parameters and computes the filters for transforms of `n_fft` samples.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate or size of 0, edges that are negative, not finite or in the wrong
    /// order, and, unless [`Coverage::Lenient`], edges over half the sampling rate and filters without a bin.
    pub fn plan(&self, sample_rate: u32, n_fft: usize) -> Result<MelBank, FeatureError> {
        check::rate(sample_rate)?;
        if !(1..=1 << 24).contains(&n_fft) {
            return Err(FeatureError::parameter("n_fft", n_fft, "1 to 16777216"));
        }
        if !(1..=1 << 16).contains(&self.n_mels) {
            return Err(FeatureError::parameter("n_mels", self.n_mels, "1 to 65536"));
        }
        let nyquist = f64::from(sample_rate) / 2.0;
        let highest = match self.coverage {
            Coverage::Strict => nyquist,
            Coverage::Lenient => 1e9,
        };
        let f_max = self.f_max.unwrap_or(nyquist);
        check::within("f_max", f_max, f64::MIN_POSITIVE, highest)?;
        check::within("f_min", self.f_min, 0.0, f_max)?;
        if self.f_min >= f_max {
            return Err(FeatureError::parameter("f_min", self.f_min, format!("under f_max = {f_max}")));
        }
        let edges = self.scale.frequencies(self.n_mels + 2, self.f_min, f_max);
        let bin_hz = f64::from(sample_rate) / n_fft as f64;
        let mut bank =
            MelBank { bins: n_fft / 2 + 1, centres: Vec::new(), rows: Vec::new(), weights: Vec::new() };
        for (m, edge) in edges.windows(3).enumerate() {
            let (first_bin, filter) = self.filter(edge, bin_hz, bank.bins);
            if filter.is_empty() && self.coverage == Coverage::Strict {
                let allowed = format!(
                    "few enough that each filter holds a bin: filter {m} lies between {:.1} and {:.1} Hz, bins are {bin_hz:.1} Hz apart",
                    edge[0], edge[2]
                );
                return Err(FeatureError::parameter("n_mels", self.n_mels, allowed));
            }
            bank.centres.push(edge[1] as f32);
            bank.push(first_bin, &filter);
        }
        Ok(bank)
    }

    /// The coefficients of one filter, without the zeros at its ends, and the bin of the first.
    fn filter(&self, edge: &[f64], bin_hz: f64, bins: usize) -> (usize, Vec<f64>) {
        let (low, centre, high) = (edge[0], edge[1], edge[2]);
        let triangle = |k: usize| {
            let g = k as f64 * bin_hz;
            let (low, centre, high, g) = match self.triangles {
                TriangleAxis::Hertz => (low, centre, high, g),
                TriangleAxis::Mel => {
                    let mel = |hz| self.scale.mel(hz);
                    (mel(low), mel(centre), mel(high), mel(g))
                }
            };
            ((g - low) / (centre - low)).min((high - g) / (high - centre)).max(0.0)
        };
        let first = ((low / bin_hz) as usize).min(bins);
        let last = ((high / bin_hz).ceil() as usize + 1).min(bins);
        let Some(first) = (first..last).find(|&k| triangle(k) > 0.0) else { return (0, Vec::new()) };
        let mut filter: Vec<f64> = (first..last).map(triangle).collect();
        while filter.last() == Some(&0.0) {
            filter.pop();
        }
        let scale = match self.norm {
            MelNorm::Slaney => 2.0 / (high - low),
            MelNorm::L1 => 1.0 / filter.iter().sum::<f64>(),
            MelNorm::L2 => 1.0 / filter.iter().map(|w| w * w).sum::<f64>().sqrt(),
            MelNorm::Max => 1.0 / filter.iter().copied().fold(0.0, f64::max),
            MelNorm::None => 1.0,
        };
        filter.iter_mut().for_each(|w| *w *= scale);
        (first, filter)
    }
}

impl MelBank {
    fn push(&mut self, first_bin: usize, filter: &[f64]) {
        let blocks = filter.len().div_ceil(FILTER_BLOCK);
        self.rows.push(SparseRow { first_bin, first_weight: self.weights.len(), blocks });
        self.weights.extend(filter.iter().map(|&w| w as f32));
        self.weights.resize(self.weights.len() + blocks * FILTER_BLOCK - filter.len(), 0.0);
    }

    /// Number of filters.
    #[must_use]
    pub fn n_mels(&self) -> usize {
        self.rows.len()
    }

    /// Number of bins of the spectra that it takes.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// Centre frequencies in Hz.
    #[must_use]
    pub fn centres(&self) -> &[f32] {
        &self.centres
    }

    /// The bank as a full matrix of (filters, bins).
    ///
    /// # Errors
    /// [`FeatureError::Memory`] where it does not fit: 65,536 filters over 2^23 bins would be 2 TB.
    pub fn to_matrix(&self) -> Result<Array2<f32>, FeatureError> {
        let mut matrix = check::matrix(self.n_mels(), self.bins)?;
        for (m, row) in self.rows.iter().enumerate() {
            let weights = &self.weights[row.first_weight..row.first_weight + row.blocks * FILTER_BLOCK];
            for (i, &w) in weights.iter().enumerate().filter(|(_, w)| **w != 0.0) {
                matrix[[m, row.first_bin + i]] = w;
            }
        }
        Ok(matrix)
    }

    /// Of each filter, the bin of its first coefficient, and its coefficients.
    pub(crate) fn filters(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.rows.iter().map(|row| {
            let weights = &self.weights[row.first_weight..row.first_weight + row.blocks * FILTER_BLOCK];
            // Whole blocks end in zeros.
            let length = weights.iter().rposition(|w| *w != 0.0).map_or(0, |last| last + 1);
            (row.first_bin, &weights[..length])
        })
    }

    /// Length of a spectrum buffer for [`MelBank::apply`]: the bins and a tail of zeros that whole blocks may reach into.
    pub(crate) fn padded_bins(&self) -> usize {
        self.bins + FILTER_BLOCK
    }

    /// `out[m] = sum_k weight[m, k] spectrum[k]`; the spectrum has `padded_bins` values, the tail finite.
    pub(crate) fn apply(&self, spectrum: &[f32], out: &mut [f32]) {
        filter(&self.rows, &self.weights, spectrum, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparse_equals_the_full_product() {
        for config in [
            MelBankConfig::default(),
            MelBankConfig {
                n_mels: 3,
                f_min: 50.0,
                f_max: Some(4000.0),
                norm: MelNorm::None,
                ..Default::default()
            },
        ] {
            let bank = config.plan(22_050, 2048).unwrap();
            let mut spectrum: Vec<f32> = (0..bank.bins()).map(|k| (k as f32 * 0.37).sin().abs()).collect();
            let full = bank.to_matrix().unwrap();
            let want: Vec<f64> = full
                .outer_iter()
                .map(|r| r.iter().zip(&spectrum).map(|(w, v)| f64::from(*w) * f64::from(*v)).sum())
                .collect();
            spectrum.resize(bank.padded_bins(), 1e9);
            let mut got = vec![0.0; bank.n_mels()];
            bank.apply(&spectrum, &mut got);
            for (g, w) in got.iter().zip(&want) {
                // f32 sums of up to a few hundred terms
                assert!((f64::from(*g) - w).abs() <= 1e-5 * w.abs() + 1e-9, "{g} {w}");
            }
        }
    }

    #[test]
    fn norms_hold() {
        let row = |norm| {
            let c = MelBankConfig { norm, n_mels: 20, ..Default::default() };
            c.plan(22_050, 2048).unwrap().to_matrix().unwrap().row(7).to_vec()
        };
        assert!((row(MelNorm::L1).iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!((row(MelNorm::L2).iter().map(|w| w * w).sum::<f32>() - 1.0).abs() < 1e-5);
        assert_eq!(row(MelNorm::Max).iter().copied().fold(0.0, f32::max), 1.0);
    }

    #[test]
    fn refuses_filters_that_see_nothing() {
        let strict = MelBankConfig { n_mels: 256, ..Default::default() };
        let error = strict.plan(22_050, 512).unwrap_err().to_string();
        assert!(error.starts_with("n_mels is 256, allowed is few enough"), "{error}");
        let lenient = MelBankConfig { coverage: Coverage::Lenient, ..strict };
        assert_eq!(lenient.plan(22_050, 512).unwrap().n_mels(), 256);
    }

    #[test]
    fn refuses_edges_out_of_range() {
        let plan = |f_min, f_max| MelBankConfig { f_min, f_max, ..Default::default() }.plan(22_050, 2048);
        for (f_min, f_max) in
            [(0.0, 11_026.0), (f64::NAN, 8000.0), (-1.0, 8000.0), (0.0, f64::INFINITY), (500.0, 500.0)]
        {
            assert!(plan(f_min, Some(f_max)).is_err(), "{f_min} {f_max}");
        }
        assert!(plan(0.0, None).is_ok());
    }
}
