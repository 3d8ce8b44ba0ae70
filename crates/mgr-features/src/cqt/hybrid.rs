//! Pseudo and hybrid constant-Q transforms: magnitudes only, high bins from one spectrogram at the full rate.

use std::sync::Arc;

use ndarray::{Array2, ArrayViewMut2, s};
use serde::{Deserialize, Serialize};

use super::config::{CqtConfig, Gamma};
use super::pseudo::{Pseudo, PseudoScratch};
use super::stream;
use super::tree::{Design, State, Tree};
use super::{process_rows, time_axis};
use crate::column::for_each_column;
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::frame::Span;
use crate::{ColumnStream, FeatureError, check};

/// Parameters of a hybrid constant-Q transform. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HybridCqtConfig {
    /// The transform.
    pub cqt: CqtConfig,
}

/// Parameters of a pseudo constant-Q transform. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PseudoCqtConfig {
    /// The transform.
    pub cqt: CqtConfig,
}

impl HybridCqtConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`CqtConfig::plan`].
    pub fn plan(&self, sample_rate: u32) -> Result<HybridCqt, FeatureError> {
        Ok(HybridCqt(Bank::hybrid(&self.cqt, sample_rate)?))
    }
}

impl PseudoCqtConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`CqtConfig::plan`].
    pub fn plan(&self, sample_rate: u32) -> Result<PseudoCqt, FeatureError> {
        Ok(PseudoCqt(Bank::pseudo(&self.cqt, sample_rate)?))
    }
}

/// Magnitudes from the octave recursion for the low bins and without phase for the high ones; either may be missing.
#[derive(Clone, Debug)]
pub(crate) struct Bank {
    pub(super) tree: Option<Tree>,
    pub(super) pseudo: Option<Pseudo>,
    rows: usize,
    hop_length: usize,
    sample_rate: u32,
    hz: Arc<[f32]>,
}

/// Buffers of one computation.
#[derive(Clone)]
pub struct BankScratch {
    state: Option<State<f32>>,
    pseudo: Option<PseudoScratch>,
    column: Vec<f32>,
}

impl std::fmt::Debug for BankScratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BankScratch").finish_non_exhaustive()
    }
}

/// The bins of a hybrid transform that are computed by octaves: up to the first whose filter, in the next power of two, is
/// shorter than two hops.
pub(super) fn low_bins(design: &Design, n_bins: usize, tuning: f64) -> usize {
    let short = |bin: &usize| {
        let length = design.length(design.hz(*bin, tuning), design.sample_rate);
        length.log2().ceil().exp2() < 2.0 * design.hop_length as f64
    };
    (0..n_bins).find(short).unwrap_or(n_bins)
}

/// Refuses bins above the Nyquist frequency.
pub(super) fn check_highest(design: &Design, n_bins: usize, tuning: f64) -> Result<(), FeatureError> {
    let (highest, nyquist) = (design.hz(n_bins.saturating_sub(1), tuning), design.sample_rate / 2.0);
    if highest <= nyquist {
        return Ok(());
    }
    let allowed = format!("so many that the highest, at {highest} Hz, lies under {nyquist} Hz");
    Err(FeatureError::parameter("n_bins", n_bins, allowed))
}

impl Bank {
    /// All bins from the octave recursion.
    pub(crate) fn full(config: &CqtConfig, sample_rate: u32) -> Result<Self, FeatureError> {
        Self::new(config, sample_rate, |design| design.n_bins)
    }

    /// All bins without phase.
    pub(crate) fn pseudo(config: &CqtConfig, sample_rate: u32) -> Result<Self, FeatureError> {
        Self::new(config, sample_rate, |_| 0)
    }

    /// Those bins without phase whose filters, in the next power of two, are shorter than two hops.
    pub(crate) fn hybrid(config: &CqtConfig, sample_rate: u32) -> Result<Self, FeatureError> {
        Self::new(config, sample_rate, |design| low_bins(design, design.n_bins, config.tuning))
    }

    fn new(
        config: &CqtConfig,
        sample_rate: u32,
        full: impl Fn(&Design) -> usize,
    ) -> Result<Self, FeatureError> {
        let design = config.design(Gamma::Hz(0.0), sample_rate)?;
        check_highest(&design, config.n_bins, config.tuning)?;
        let full = full(&design);
        let low = CqtConfig { n_bins: full, ..config.clone() };
        let tree = if full > 0 { Some(Tree::new(&low, Gamma::Hz(0.0), sample_rate)?) } else { None };
        let rest = full < config.n_bins;
        let pseudo = if rest { Some(Pseudo::new(config, &design, full, config.tuning)?) } else { None };
        let hz = (0..config.n_bins).map(|bin| design.hz(bin, config.tuning) as f32).collect();
        Ok(Self { tree, pseudo, rows: config.n_bins, hop_length: config.hop_length, sample_rate, hz })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn low_rows(&self) -> usize {
        self.rows - self.pseudo.as_ref().map_or(0, Pseudo::rows)
    }

    pub(crate) fn columns(&self, samples: usize) -> Result<usize, FeatureError> {
        let low = self.tree.as_ref().map_or(Ok(usize::MAX), |tree| tree.tables.columns(samples))?;
        let high = self.pseudo.as_ref().map_or(Ok(usize::MAX), |p| p.stft().framing().frames(samples))?;
        Ok(low.min(high))
    }

    pub(crate) fn frame_length(&self) -> usize {
        let low = self.tree.as_ref().map_or(1, |tree| tree.tables.frame_length());
        low.max(self.pseudo.as_ref().map_or(1, |p| p.stft().n_fft()))
    }

    pub(crate) fn time_axis(&self) -> Axis {
        time_axis(self.hop_length, f64::from(self.sample_rate))
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        Ok(Layout {
            rows: self.rows,
            columns: self.columns(samples)?,
            row_axis: Axis::Frequency { hz: self.hz.to_vec() },
            column_axis: self.time_axis(),
            unit: Unit::Magnitude,
        })
    }

    pub(crate) fn scratch(&self) -> BankScratch {
        BankScratch {
            state: self.tree.as_ref().map(Tree::state),
            pseudo: self.pseudo.as_ref().map(Pseudo::scratch),
            column: vec![0.0; self.rows],
        }
    }

    pub(crate) fn process_into(
        &self,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut BankScratch,
    ) -> Result<(), FeatureError> {
        let columns = self.columns(samples.len())?;
        check::shape(&out, self.rows, columns)?;
        check::finite(samples)?;
        let refused = FeatureError::Scratch { plan: "hybrid_cqt" };
        if scratch.column.len() != self.rows {
            return Err(refused);
        }
        let low = self.low_rows();
        if let Some(tree) = &self.tree {
            let Some(state) = &mut scratch.state else { return Err(refused) };
            process_rows(&tree.design, &tree.tables, samples, out.slice_mut(s![..low, ..]), state)?;
        }
        if let Some(pseudo) = &self.pseudo {
            let Some(work) = &mut scratch.pseudo else { return Err(refused) };
            pseudo.fits(work)?;
            let span = Span::whole(samples);
            for_each_column(out.slice_mut(s![low.., ..]), &mut scratch.column[low..], |t, column| {
                pseudo.column(t, span, work, column);
            });
        }
        Ok(())
    }

    pub(crate) fn stream(&self) -> ColumnStream {
        stream::columns(self)
    }
}

/// A planned pseudo constant-Q transform, (bins, frames): magnitudes of the filters' spectra on the magnitude spectrogram of
/// a Hann window, at one rate.
///
/// Of the low bins, whose filters are longer than two hops, it takes much time; [`HybridCqt`] does not.
///
/// Source: librosa 0.11 `pseudo_cqt`. Squares are taken in f32: magnitudes under 1e-19 come out as 0.
///
/// ```
/// use mgr_features::cqt::{CqtConfig, PseudoCqtConfig};
/// let cqt = CqtConfig { f_min: 440.0, n_bins: 36, ..CqtConfig::default() };
/// let pseudo = PseudoCqtConfig { cqt }.plan(22_050)?;
/// assert_eq!(pseudo.process(&[0.0; 22_050])?.dim(), (36, 44));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PseudoCqt(Bank);

/// A planned hybrid constant-Q transform, (bins, frames): magnitudes of [`super::Cqt`] for filters of at least two hops, and of
/// [`PseudoCqt`] for the shorter ones above.
///
/// Source: librosa 0.11 `hybrid_cqt`.
///
/// ```
/// use mgr_features::cqt::HybridCqtConfig;
/// let hybrid = HybridCqtConfig::default().plan(22_050)?;
/// assert_eq!(hybrid.process(&[0.0; 22_050])?.dim(), (84, 44));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HybridCqt(Bank);

macro_rules! magnitudes {
    ($plan:ident, $name:literal) => {
        impl $plan {
            /// Centre frequencies of the bins in Hz.
            #[must_use]
            pub fn frequencies(&self) -> &[f32] {
                &self.0.hz
            }

            /// Buffers for `process_into`.
            #[must_use]
            pub fn scratch(&self) -> BankScratch {
                self.0.scratch()
            }

            /// Magnitudes of a signal, allocated, each column contiguous in memory.
            ///
            /// # Errors
            /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
            pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
                self.extract(samples)
            }

            /// Magnitudes of a signal into `out` of (bins, frames), any memory layout. Allocates nothing.
            ///
            /// # Errors
            /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
            pub fn process_into(
                &self,
                samples: &[f32],
                out: ArrayViewMut2<'_, f32>,
                scratch: &mut BankScratch,
            ) -> Result<(), FeatureError> {
                self.0.process_into(samples, out, scratch)
            }

            /// Computes the same columns while samples arrive.
            pub fn stream(&self) -> ColumnStream {
                self.0.stream()
            }
        }

        impl Extractor for $plan {
            by_process_into!($name);

            fn frame_length(&self) -> usize {
                self.0.frame_length()
            }

            fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
                self.0.layout(samples)
            }

            fn stream(&self) -> Result<ColumnStream, FeatureError> {
                Ok(self.stream())
            }
        }
    };
}

magnitudes!(PseudoCqt, "pseudo_cqt");
magnitudes!(HybridCqt, "hybrid_cqt");
