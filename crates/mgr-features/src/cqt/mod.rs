//! Constant-Q and variable-Q transforms: [`CqtConfig`] is planned into a [`Cqt`], [`VqtConfig`] into a [`Vqt`].

mod config;
mod half_band;
mod hybrid;
mod inverse;
mod kernel;
mod pseudo;
mod retuned;
mod stream;
mod tree;
mod upsample;

use std::sync::{Arc, OnceLock};

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

pub use config::{CqtConfig, Gamma};
pub(crate) use hybrid::Bank;
pub use hybrid::{BankScratch, HybridCqt, HybridCqtConfig, PseudoCqt, PseudoCqtConfig};
pub use inverse::InverseCqtScratch;
pub use kernel::WaveletNorm;
pub(crate) use retuned::Retuned;

use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::{ColumnStream, FeatureError, check};
use inverse::Inverse;
use tree::{Design, Run, State, Tables, Tree, Value};

/// Parameters of a variable-Q transform. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VqtConfig {
    /// What it has in common with the constant-Q transform.
    pub cqt: CqtConfig,
    /// What is added to the bandwidths. Default: a share of the ear's.
    pub gamma: Gamma,
}

impl CqtConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: a value out of its range, bins above the Nyquist frequency (`n_bins`), filters of more
    /// than 2^22 samples (`f_min`).
    pub fn plan(&self, sample_rate: u32) -> Result<Cqt, FeatureError> {
        Ok(Cqt(Tree::new(self, Gamma::Hz(0.0), sample_rate)?, Arc::default()))
    }
}

impl VqtConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: as [`CqtConfig::plan`], and a bandwidth out of its range.
    pub fn plan(&self, sample_rate: u32) -> Result<Vqt, FeatureError> {
        Ok(Vqt(Tree::new(&self.cqt, self.gamma, sample_rate)?))
    }
}

/// A planned constant-Q transform, (bins, frames); `process` gives magnitudes, `process_complex` the transform itself.
///
/// Bin k stands at `f_k = f_min 2^((tuning + k) / b)` Hz, b bins an octave, and looks at `L_k = Q rate / f_k` samples with
/// `Q = filter_scale (2^(2/b) + 1) / (2^(2/b) - 1)`: an inner product of the signal and a wavelet
/// `w[t] exp(2 pi i f_k t / rate)`, whose spectrum is pruned of the share `sparsity`. The top octave is computed at the full
/// rate (or after halvings that leave it whole), each one below at half the rate of the one above. Column t is centred on
/// sample `t hop_length`.
///
/// Source: librosa 0.11 `cqt`; Schörkhuber and Klapuri 2010. Squares are taken in f32: magnitudes under 1e-19 come out as 0.
///
/// ```
/// use mgr_features::cqt::CqtConfig;
/// let cqt = CqtConfig::default().plan(22_050)?;
/// // A2 is 45 semitones under A5, and 21 over the lowest bin, C1.
/// let a2: Vec<f32> = (0..22_050).map(|n| (n as f32 * 110.0 * std::f32::consts::TAU / 22_050.0).sin()).collect();
/// let magnitudes = cqt.process(&a2)?;
/// assert_eq!(magnitudes.dim(), (84, 44));
/// let column = magnitudes.column(22);
/// assert!(column.iter().all(|&v| v <= column[21]));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Cqt(Tree, Arc<OnceLock<Inverse>>);

/// A planned variable-Q transform, (bins, frames); `process` gives magnitudes, `process_complex` the transform itself.
///
/// As [`Cqt`], with filters of `L_k = Q rate / (f_k + gamma / alpha)` samples, where `alpha = filter_scale / Q`: `gamma` Hz
/// wider, so finer in time at low frequencies.
///
/// Source: librosa 0.11 `vqt` with equal intervals; Schörkhuber, Klapuri, Holighaus and Dörfler 2014.
///
/// ```
/// use mgr_features::cqt::{Gamma, VqtConfig};
/// let vqt = VqtConfig { gamma: Gamma::Hz(10.0), ..VqtConfig::default() }.plan(22_050)?;
/// assert_eq!(vqt.process(&[0.0; 22_050])?.dim(), (84, 44));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Vqt(Tree);

/// Buffers of one computation of magnitudes; make one per thread and use it again.
#[derive(Clone)]
pub struct CqtScratch {
    state: State<f32>,
}

/// Buffers of one computation of the complex transform; make one per thread and use it again.
#[derive(Clone)]
pub struct ComplexCqtScratch {
    state: State<Complex32>,
}

impl std::fmt::Debug for CqtScratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CqtScratch").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ComplexCqtScratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ComplexCqtScratch").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Inverse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inverse").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree").field("bytes", &self.tables.bytes()).finish_non_exhaustive()
    }
}

impl Tree {
    fn new(config: &CqtConfig, gamma: Gamma, sample_rate: u32) -> Result<Self, FeatureError> {
        let design = config.design(gamma, sample_rate)?;
        let tables = Arc::new(Tables::new(&design, config.tuning)?);
        let hz = (0..config.n_bins).map(|bin| design.hz(bin, config.tuning) as f32).collect();
        Ok(Self { design: Arc::new(design), tables, tuning: config.tuning, hz })
    }

    fn state<T: Value>(&self) -> State<T> {
        State::new(&self.design, &self.tables)
    }

    fn rows(&self) -> usize {
        self.design.n_bins
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        Ok(Layout {
            rows: self.rows(),
            columns: self.tables.columns(samples)?,
            row_axis: Axis::Frequency { hz: self.hz.to_vec() },
            column_axis: time_axis(self.design.hop_length, self.design.sample_rate),
            unit: Unit::Magnitude,
        })
    }

    fn process_into<T: Value>(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, T>,
        state: &mut State<T>,
    ) -> Result<(), FeatureError> {
        let (rows, columns) = (self.rows(), self.tables.columns(samples.len())?);
        let (got_rows, got_columns) = out.dim();
        if (got_rows, got_columns) != (rows, columns) {
            return Err(FeatureError::Shape { what: "output", got_rows, got_columns, rows, columns });
        }
        check::finite(samples)?;
        process_rows(&self.design, &self.tables, samples, out, state)
    }
}

/// Columns are centred on multiples of the hop.
fn time_axis(hop_length: usize, sample_rate: f64) -> Axis {
    Axis::Time { start_s: 0.0, step_s: hop_length as f64 / sample_rate }
}

/// Fills as many columns as `out` has, which has all rows.
fn process_rows<T: Value>(
    design: &Design,
    tables: &Tables,
    samples: &[f32],
    mut out: ArrayViewMut2<'_, T>,
    state: &mut State<T>,
) -> Result<(), FeatureError> {
    let columns = out.ncols();
    Run { design, tables, state }.whole(samples, columns, &mut |row, t, values| {
        let mut column = out.column_mut(t);
        match column.as_slice_mut() {
            Some(slice) => slice[row..row + values.len()].copy_from_slice(values),
            None => column.iter_mut().skip(row).zip(values).for_each(|(to, from)| *to = *from),
        }
    })
}

/// The methods that the two transforms share.
macro_rules! transform {
    ($plan:ident, $name:literal) => {
        impl $plan {
            /// Centre frequencies of the bins in Hz.
            #[must_use]
            pub fn frequencies(&self) -> &[f32] {
                &self.0.hz
            }

            /// Samples from one column to the next.
            #[must_use]
            pub fn hop_length(&self) -> usize {
                self.0.design.hop_length
            }

            /// Bytes of the tables.
            #[must_use]
            pub fn table_bytes(&self) -> usize {
                self.0.tables.bytes()
            }

            /// Buffers for `process_into`.
            #[must_use]
            pub fn scratch(&self) -> CqtScratch {
                CqtScratch { state: self.0.state() }
            }

            /// Buffers for `process_complex_into`.
            #[must_use]
            pub fn complex_scratch(&self) -> ComplexCqtScratch {
                ComplexCqtScratch { state: self.0.state() }
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
            /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`].
            pub fn process_into(
                &self,
                samples: &[f32],
                out: ArrayViewMut2<'_, f32>,
                scratch: &mut CqtScratch,
            ) -> Result<(), FeatureError> {
                self.0.process_into(samples, out, &mut scratch.state)
            }

            /// The transform of a signal, allocated, each column contiguous in memory.
            ///
            /// # Errors
            /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
            pub fn process_complex(&self, samples: &[f32]) -> Result<Array2<Complex32>, FeatureError> {
                let mut out = check::matrix(self.0.rows(), self.0.tables.columns(samples.len())?)?;
                self.process_complex_into(samples, out.view_mut(), &mut self.complex_scratch())?;
                Ok(out)
            }

            /// The transform of a signal into `out` of (bins, frames), any memory layout. Allocates nothing.
            ///
            /// # Errors
            /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`].
            pub fn process_complex_into(
                &self,
                samples: &[f32],
                out: ArrayViewMut2<'_, Complex32>,
                scratch: &mut ComplexCqtScratch,
            ) -> Result<(), FeatureError> {
                self.0.process_into(samples, out, &mut scratch.state)
            }

            /// Computes the same columns of magnitudes while samples arrive.
            ///
            /// Every octave waits for the filters of the halvings above it: the lowest of seven by default for about 2.5 s.
            pub fn stream(&self) -> ColumnStream {
                stream::of_tree(&self.0)
            }
        }

        impl Extractor for $plan {
            by_process_into!($name);

            fn frame_length(&self) -> usize {
                self.0.tables.frame_length()
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

/// The way back.
impl Cqt {
    /// Made when first needed.
    fn inverse_tables(&self) -> &Inverse {
        self.1.get_or_init(|| Inverse::new(&self.0.design, self.0.tuning))
    }

    /// Samples from the first of `frames` columns to the last: what [`Cqt::inverse`] gives without a length.
    #[must_use]
    pub fn covered(&self, frames: usize) -> usize {
        frames.saturating_sub(1).saturating_mul(self.hop_length())
    }

    /// An approximation of the signal whose transform is `spectrogram`, (bins, frames).
    ///
    /// Each column gives the sum of its bins times the conjugate wavelets, each divided by its energy; overlapping columns are
    /// averaged; octaves, counted from the lowest bin, are computed at halved rates, interpolated and added. `length` cuts the
    /// result or adds zeros; `None` gives what the columns cover, `(frames - 1) hop_length`.
    ///
    /// Only what lies between the lowest and the highest bin comes back, and that well only where wavelets overlap: of bins
    /// whose filters are shorter than a hop, gaps of silence remain. Source: librosa 0.11 `icqt`. Its tables are made by the
    /// first inverse of a plan.
    ///
    /// ```
    /// use mgr_features::cqt::CqtConfig;
    /// let cqt = CqtConfig { hop_length: 64, ..CqtConfig::default() }.plan(22_050)?;
    /// let a: Vec<f32> = (0..22_050).map(|n| (n as f32 * 440.0 * std::f32::consts::TAU / 22_050.0).sin()).collect();
    /// let back = cqt.inverse(cqt.process_complex(&a)?.view(), Some(a.len()))?;
    /// assert!(a[8000..14_000].iter().zip(&back[8000..14_000]).all(|(a, b)| (a - b).abs() < 0.05));
    /// # Ok::<(), mgr_features::FeatureError>(())
    /// ```
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for a wrong number of bins, [`FeatureError::TooShort`] for no column,
    /// [`FeatureError::NotFinite`], [`FeatureError::Parameter`] for a length over 2^31, [`FeatureError::Memory`].
    pub fn inverse(
        &self,
        spectrogram: ArrayView2<'_, Complex32>,
        length: Option<usize>,
    ) -> Result<Vec<f32>, FeatureError> {
        self.inverse_tables().allocated(spectrogram, length)
    }

    /// Buffers for [`Cqt::inverse_into`] and signals of up to `samples` samples.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for more than 2^31 samples, [`FeatureError::Memory`].
    pub fn inverse_scratch_for(&self, samples: usize) -> Result<InverseCqtScratch, FeatureError> {
        self.inverse_tables().scratch_for(samples)
    }

    /// As [`Cqt::inverse`], for a signal of the length of `out`. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::Shape`], [`FeatureError::TooShort`] and [`FeatureError::NotFinite`] as there, and
    /// [`FeatureError::Scratch`] also for a scratch made for shorter signals.
    pub fn inverse_into(
        &self,
        spectrogram: ArrayView2<'_, Complex32>,
        out: &mut [f32],
        scratch: &mut InverseCqtScratch,
    ) -> Result<(), FeatureError> {
        self.inverse_tables().process_into(spectrogram, out, scratch)
    }
}

transform!(Cqt, "cqt");
transform!(Vqt, "vqt");
