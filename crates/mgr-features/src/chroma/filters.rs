//! The filter bank that folds the bins of a transform onto pitch classes.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::FirstClass;
use crate::normalize::Norm;
use crate::simd::LANES;
use crate::simd::products::{DENSE_ROWS, apply_dense, dense_index};
use crate::{FeatureError, check};

/// How much each octave counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OctaveWeight {
    /// All alike.
    Flat,
    /// `exp(-((octave - center) / width)^2 / 2)`, octaves counted from A0 = 27.5 Hz. librosa: 5 and 2.
    Gaussian {
        /// The octave that counts most.
        center: f64,
        /// Half width in octaves, over 0.
        width: f64,
    },
}

impl Default for OctaveWeight {
    fn default() -> Self {
        Self::Gaussian { center: 5.0, width: 2.0 }
    }
}

/// Parameters of a chroma filter bank. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChromaBankConfig {
    /// Pitch classes, 1 to 1000. Default 12.
    pub n_chroma: usize,
    /// How much each octave counts.
    pub octaves: OctaveWeight,
    /// Norm of the weights of each bin, before the octaves are weighed. Default L2.
    pub norm: Norm,
    /// Pitch class of the first row; A counts as `3 (n_chroma / 12)` rows, rounded down, under C. Default C.
    pub first: FirstClass,
}

impl Default for ChromaBankConfig {
    fn default() -> Self {
        Self { n_chroma: 12, octaves: OctaveWeight::default(), norm: Norm::L2, first: FirstClass::default() }
    }
}

impl ChromaBankConfig {
    /// Checks the parameters and computes the filters for a deviation `tuning` from A = 440 Hz, as a share of a pitch class.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0, a transform of fewer than 2 samples, a number of classes, a width
    /// or a tuning out of range.
    pub fn plan(&self, sample_rate: u32, n_fft: usize, tuning: f64) -> Result<ChromaBank, FeatureError> {
        check_tuning(tuning)?;
        let design = ChromaDesign::new(self, sample_rate, n_fft)?;
        let mut weights = design.weights()?;
        design.fill(tuning, &mut design.work(), &mut weights);
        Ok(ChromaBank { design, weights })
    }
}

/// Refuses a tuning beyond a thousand pitch classes.
pub(crate) fn check_tuning(tuning: f64) -> Result<(), FeatureError> {
    check::within("tuning", tuning, -1000.0, 1000.0)
}

/// All of a filter bank but its tuning. The weights live outside: they may be computed anew for every clip.
#[derive(Debug, Clone)]
pub(crate) struct ChromaDesign {
    config: ChromaBankConfig,
    sample_rate: f64,
    n_fft: usize,
}

impl ChromaDesign {
    pub(crate) fn new(
        config: &ChromaBankConfig,
        sample_rate: u32,
        n_fft: usize,
    ) -> Result<Self, FeatureError> {
        check::rate(sample_rate)?;
        check::within("n_fft", n_fft as f64, 2.0, f64::from(1 << 24))?;
        check::within("n_chroma", config.n_chroma as f64, 1.0, 1000.0)?;
        config.norm.check()?;
        if let OctaveWeight::Gaussian { center, width } = config.octaves {
            check::within("center", center, -1000.0, 1000.0)?;
            check::within("width", width, 1e-3, 1e6)?;
        }
        Ok(Self { config: config.clone(), sample_rate: f64::from(sample_rate), n_fft })
    }

    pub(crate) fn n_chroma(&self) -> usize {
        self.config.n_chroma
    }

    pub(crate) fn bins(&self) -> usize {
        self.n_fft / 2 + 1
    }

    /// Values of a spectrum as the filters take it: the bins, then zeros.
    pub(crate) fn padded_bins(&self) -> usize {
        self.bins().next_multiple_of(LANES)
    }

    /// Weights of the right length, all zero.
    pub(crate) fn weights(&self) -> Result<Vec<f32>, FeatureError> {
        check::vector(self.n_chroma().next_multiple_of(DENSE_ROWS), self.padded_bins())
    }

    /// How many weights that is.
    pub(crate) fn weights_length(&self) -> Option<usize> {
        self.n_chroma().next_multiple_of(DENSE_ROWS).checked_mul(self.padded_bins())
    }

    /// Room for the weights of one bin.
    pub(crate) fn work(&self) -> Vec<f64> {
        vec![0.0; self.n_chroma()]
    }

    /// Computes the weights; `work` and `weights` as this design made them. Allocates nothing.
    pub(crate) fn fill(&self, tuning: f64, work: &mut [f64], weights: &mut [f32]) {
        let n_chroma = self.n_chroma();
        let classes = n_chroma as f64;
        let half = (classes / 2.0).round_ties_even();
        // How far the reference turns A to the top, in rows.
        let turn = match self.config.first {
            FirstClass::C => 3 * (n_chroma / 12),
            FirstClass::A => 0,
        };
        let a0 = 440.0 * (tuning / classes).exp2() / 16.0;
        let step = self.sample_rate / self.n_fft as f64;
        // Pitch classes over A0. The bin of 0 Hz is put one and a half octaves under the first.
        let place = |k: usize| match k {
            0 => classes * (step / a0).log2() - 1.5 * classes,
            k => classes * (k as f64 * step / a0).log2(),
        };
        let mut here = place(0);
        for bin in 0..self.bins() {
            let next = if bin + 1 < self.n_fft { place(bin + 1) } else { here };
            let width = (next - here).max(1.0);
            for (class, w) in work.iter_mut().enumerate() {
                let above = here - class as f64 + half;
                let distance = above - classes * (above / classes).floor() - half;
                let bent = 2.0 * distance / width;
                *w = (-0.5 * bent * bent).exp();
            }
            let length = self.config.norm.of(work.iter().copied());
            let length = if length < f64::MIN_POSITIVE { 1.0 } else { length };
            let octave = match self.config.octaves {
                OctaveWeight::Flat => 1.0,
                OctaveWeight::Gaussian { center, width } => {
                    let away = (here / classes - center) / width;
                    (-0.5 * away * away).exp()
                }
            };
            for row in 0..n_chroma {
                let value = work[(row + turn) % n_chroma] / length * octave;
                weights[dense_index(row, bin, self.padded_bins())] = value as f32;
            }
            here = next;
        }
    }
}

/// A planned chroma filter bank: a dense matrix of (pitch classes, bins).
///
/// Bin `k` lies at `b = n_chroma log2(f_k / f_A0)` with `f_A0 = 27.5 Hz * 2^(tuning / n_chroma)`. Its weight for class `c` is
/// `exp(-(2 d / w)^2 / 2)`, where `d` is `b - c` wrapped to half an octave about 0, and `w` the distance to the next bin, at
/// least 1. The weights of a bin are divided by their norm and weighed by octave. Source: Ellis, "Chroma feature analysis
/// and synthesis" (2007); librosa 0.11 `filters.chroma`.
///
/// ```
/// use mgr_features::chroma::filters::ChromaBankConfig;
/// let bank = ChromaBankConfig::default().plan(22_050, 2048, 0.0)?;
/// let matrix = bank.to_matrix()?;
/// assert_eq!(matrix.dim(), (12, 1025));
/// // 440 Hz is nearest to bin 41 and to A, nine classes over C.
/// let loudest = (0..12).max_by(|a, b| matrix[[*a, 41]].total_cmp(&matrix[[*b, 41]]));
/// assert_eq!(loudest, Some(9));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ChromaBank {
    design: ChromaDesign,
    weights: Vec<f32>,
}

impl ChromaBank {
    /// Pitch classes.
    #[must_use]
    pub fn n_chroma(&self) -> usize {
        self.design.n_chroma()
    }

    /// Bins of the transform.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.design.bins()
    }

    /// The matrix of (pitch classes, bins).
    ///
    /// # Errors
    /// [`FeatureError::Memory`].
    pub fn to_matrix(&self) -> Result<Array2<f32>, FeatureError> {
        let padded = self.design.padded_bins();
        let mut matrix = check::matrix(self.n_chroma(), self.bins())?;
        for ((row, bin), value) in matrix.indexed_iter_mut() {
            *value = self.weights[dense_index(row, bin, padded)];
        }
        Ok(matrix)
    }

    /// Length of the spectrum that [`ChromaBank::apply`] takes: the bins, then zeros.
    pub(crate) fn padded_bins(&self) -> usize {
        self.design.padded_bins()
    }

    /// Applies the filters to a spectrum of `padded_bins` values.
    pub(crate) fn apply(&self, spectrum: &[f32], out: &mut [f32]) {
        apply_dense(&self.weights, spectrum, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_turns_by_whole_semitones() {
        // With 30 classes to the octave librosa turns by 3 * (30 / 12) = 6 rows.
        let config = ChromaBankConfig { n_chroma: 30, ..ChromaBankConfig::default() };
        let c = config.plan(22_050, 512, 0.0).unwrap().to_matrix().unwrap();
        let config = ChromaBankConfig { first: FirstClass::A, ..config };
        let a = config.plan(22_050, 512, 0.0).unwrap().to_matrix().unwrap();
        for row in 0..30 {
            assert_eq!(c.row(row), a.row((row + 6) % 30));
        }
    }

    #[test]
    fn weights_of_a_bin_have_the_norm_that_is_asked_for() {
        for norm in [Norm::L1, Norm::L2, Norm::Max] {
            let config =
                ChromaBankConfig { norm, octaves: OctaveWeight::Flat, ..ChromaBankConfig::default() };
            let matrix = config.plan(8000, 1001, 0.3).unwrap().to_matrix().unwrap();
            for bin in matrix.columns() {
                let length = norm.of(bin.iter().map(|w| f64::from(*w)));
                assert!((length - 1.0).abs() < 1e-6, "{norm:?} {length}");
            }
        }
    }

    #[test]
    fn a_tuning_of_one_class_moves_the_rows_by_one() {
        let plan = |tuning| ChromaBankConfig::default().plan(22_050, 2048, tuning).unwrap();
        let (at, up) = (plan(0.0).to_matrix().unwrap(), plan(1.0).to_matrix().unwrap());
        // The octave weight moves along by a twelfth of an octave: compare bin by bin up to that factor.
        for bin in 20..1025 {
            let factor = at.column(bin).sum() / up.column(bin).sum();
            for row in 0..12 {
                assert!((at[[(row + 1) % 12, bin]] - up[[row, bin]] * factor).abs() < 1e-5, "{bin} {row}");
            }
        }
    }

    #[test]
    fn parameters_out_of_range_are_named() {
        let field = |config: ChromaBankConfig, rate, n_fft, tuning| match config.plan(rate, n_fft, tuning) {
            Err(FeatureError::Parameter { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        let default = ChromaBankConfig::default;
        assert_eq!(field(default(), 0, 2048, 0.0), "sample_rate");
        assert_eq!(field(default(), 1, 1, 0.0), "n_fft");
        assert_eq!(field(default(), 1, 2, f64::NAN), "tuning");
        assert_eq!(field(ChromaBankConfig { n_chroma: 0, ..default() }, 1, 2, 0.0), "n_chroma");
        assert_eq!(field(ChromaBankConfig { norm: Norm::Lp(-1.0), ..default() }, 1, 2, 0.0), "norm");
        let octaves = OctaveWeight::Gaussian { center: 5.0, width: 0.0 };
        assert_eq!(field(ChromaBankConfig { octaves, ..default() }, 1, 2, 0.0), "width");
    }
}
