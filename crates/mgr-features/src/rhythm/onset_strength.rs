//! Onset strength: by how much the log-mel spectrogram rises.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder};
use serde::{Deserialize, Serialize};

use super::flux::{Aggregate, Flux, FluxScratch, Groups};
use crate::column::ColumnKernel;
use crate::compress::Compression;
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::frame::{Framing, Span};
use crate::log_mel::LogMelConfig;
use crate::mel::{Mel, MelConfig, MelScratch};
use crate::scattering::Precision;
use crate::spectrogram::time_axis;
use crate::{ColumnStream, FeatureError, check, stft};

/// Which bands go into one row of onset strength.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnsetBands {
    /// All bands into one row: the default.
    #[default]
    All,
    /// Each band a row of its own, not aggregated.
    Each,
    /// From each of these bands to before the next, one row each: `[0, 32, 64, 96, 128]` are four rows. Rising.
    Edges(Vec<usize>),
}

/// Parameters of [`OnsetStrength`]. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OnsetStrengthConfig {
    /// The spectrogram. Default: 128 mel bands of power in decibels with a range of 80.
    pub log_mel: LogMelConfig,
    /// Frames from the earlier column to the later, 1 to 2^24. Default 1.
    pub lag: usize,
    /// The earlier column counts with the largest of so many neighbouring bands, 1 to 2^24: a tone that glides from band to band
    /// is no onset (Böck, Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013). Default 1.
    pub max_size: usize,
    /// Whether the slow part is taken off: `y[t] = x[t] - x[t-1] + 0.99 y[t-1]`. Default no.
    pub detrend: bool,
    /// Whether the result stands `n_fft / (2 hop_length)` frames later, as it should where frames are centred. Default yes.
    pub center: bool,
    /// What the rises of the bands become. Default their mean.
    pub aggregate: Aggregate,
    /// Which bands go into one row. Default all.
    pub bands: OnsetBands,
    /// In what the transform is computed: single (default), or double as the reference. In single, bands 60 dB under the loudest bin
    /// move by some 0.01 dB.
    pub precision: Precision,
}

impl Default for OnsetStrengthConfig {
    fn default() -> Self {
        Self {
            log_mel: LogMelConfig::default(),
            lag: 1,
            max_size: 1,
            detrend: false,
            center: true,
            aggregate: Aggregate::default(),
            bands: OnsetBands::default(),
            precision: Precision::default(),
        }
    }
}

impl OnsetStrengthConfig {
    /// The defaults with the median of the bands: what the reference tracks beats with.
    #[must_use]
    pub fn median() -> Self {
        Self { aggregate: Aggregate::Median, ..Self::default() }
    }

    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a lag, filter or edges out of range, and all that
    /// [`LogMelConfig::plan`](crate::log_mel::LogMelConfig::plan) refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<OnsetStrength, FeatureError> {
        const LARGEST: usize = 1 << 24;
        for (field, value) in [("lag", self.lag), ("max_size", self.max_size)] {
            if !(1..=LARGEST).contains(&value) {
                return Err(FeatureError::parameter(field, value, format!("1 to {LARGEST}")));
            }
        }
        let LogMelConfig { mel, compression } = &self.log_mel;
        compression.check()?;
        let precision = match self.precision {
            Precision::Single => stft::Precision::Single,
            Precision::Double => stft::Precision::Double,
        };
        let planned = mel.plan_in(precision, sample_rate)?;
        let groups = match &self.bands {
            OnsetBands::All => Groups::All,
            OnsetBands::Each => Groups::Each,
            OnsetBands::Edges(edges) => {
                let rising = edges.len() > 1 && edges.windows(2).all(|pair| pair[0] < pair[1]);
                let n_mels = planned.bank().n_mels();
                if !rising || edges.last().is_none_or(|last| *last > n_mels) {
                    let allowed = format!("two or more rising edges from 0 to {n_mels}");
                    return Err(FeatureError::parameter("bands", format!("{edges:?}"), allowed));
                }
                Groups::Edges(edges.as_slice().into())
            }
        };
        let flux = Flux {
            lag: self.lag,
            max_size: self.max_size,
            shift: if self.center { mel.stft.n_fft / (2 * mel.stft.hop_length) } else { 0 },
            aggregate: self.aggregate,
            detrend: self.detrend,
            groups,
        };
        Ok(OnsetStrength { mel: planned, compression: *compression, flux })
    }

    /// The mel spectrogram that others may share; none where the transform is in double.
    pub(crate) fn shared_mel(&self) -> Option<&MelConfig> {
        (self.precision == Precision::Single).then_some(&self.log_mel.mel)
    }
}

/// A planned onset strength, (1, frames), or a row for each group of bands.
///
/// `o[t] = aggregate over f of max(0, S[f, t - c] - R[f, t - c - lag])` with the log-mel spectrogram `S`, the largest of `max_size`
/// neighbouring bands `R`, and `c = n_fft / (2 hop_length)` where centred; the first `c + lag` frames are 0.
///
/// Silence and constants are zeros but for where they start. It streams where the compression does: decibels with a range count from
/// the largest value of the signal, so the default does not. Source: librosa 0.11 `onset.onset_strength`, `onset_strength_multi`.
///
/// ```
/// use mgr_features::rhythm::{OnsetBands, OnsetStrengthConfig};
/// // Clicks twice a second.
/// let mut x = vec![0.0; 66_150];
/// (5000..66_150).step_by(11_025).for_each(|n| x[n] = 1.0);
/// let strength = OnsetStrengthConfig::default().plan(22_050)?.process(&x)?;
/// assert_eq!(strength.dim(), (1, 130));
/// let peak = (0..30).max_by(|a, b| strength[[0, *a]].total_cmp(&strength[[0, *b]])).unwrap();
/// assert!(peak.abs_diff(5000 / 512) <= 2);
///
/// let bands = OnsetBands::Edges(vec![0, 32, 64, 96, 128]);
/// let four = OnsetStrengthConfig { bands, ..OnsetStrengthConfig::default() }.plan(22_050)?;
/// assert_eq!(four.process(&x)?.dim(), (4, 130));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct OnsetStrength {
    mel: Mel,
    compression: Compression,
    flux: Flux,
}

/// Buffers of one computation; make one per thread with [`OnsetStrength::scratch_for`] and use it again.
#[derive(Debug, Clone)]
pub struct OnsetStrengthScratch {
    mel: MelScratch,
    /// The log-mel spectrogram of the clip; empty where memory does not suffice.
    matrix: Vec<f32>,
    flux: FluxScratch,
}

impl OnsetStrength {
    /// The framing rule.
    #[must_use]
    pub fn framing(&self) -> &Framing {
        self.mel.framing()
    }

    /// The mel spectrogram under it.
    #[must_use]
    pub fn mel(&self) -> &Mel {
        &self.mel
    }

    /// Rows: one, or one for each group of bands.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.flux.rows(self.mel.bank().n_mels())
    }

    /// Frames in a second.
    pub(super) fn frame_rate(&self) -> f64 {
        f64::from(self.mel.sample_rate()) / self.framing().hop_length() as f64
    }

    /// The fewest samples that give so many frames.
    pub(super) fn samples_for(&self, frames: usize) -> usize {
        self.framing().shortest() + frames.saturating_sub(1).saturating_mul(self.framing().hop_length())
    }

    /// Buffers for no signal; use [`OnsetStrength::scratch_for`].
    #[must_use]
    pub fn scratch(&self) -> OnsetStrengthScratch {
        self.scratch_of(0)
    }

    /// Buffers for [`OnsetStrength::process_into`] and signals of up to `samples` samples: they hold the log-mel spectrogram.
    ///
    /// Where memory does not suffice they are refused when they are used.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> OnsetStrengthScratch {
        self.scratch_of(self.framing().frames(samples).unwrap_or(0))
    }

    fn scratch_of(&self, frames: usize) -> OnsetStrengthScratch {
        let bands = self.mel.bank().n_mels();
        OnsetStrengthScratch {
            mel: self.mel.scratch(),
            matrix: check::vector(bands, frames).unwrap_or_default(),
            flux: FluxScratch::new(bands),
        }
    }

    /// The onset strength of a signal, allocated.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The onset strength of a signal into `out` of (rows, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], and [`FeatureError::Scratch`] for a
    /// scratch of another plan or made for shorter signals.
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut OnsetStrengthScratch,
    ) -> Result<(), FeatureError> {
        let refused = FeatureError::Scratch { plan: "onset_strength" };
        let (bands, frames) = (self.mel.bank().n_mels(), self.framing().frames(samples.len())?);
        self.mel.fits(&scratch.mel).map_err(|_| refused.clone())?;
        let Some(matrix) = scratch.matrix.get_mut(..bands * frames).filter(|_| scratch.flux.rows() == bands)
        else {
            return Err(refused);
        };
        check::shape(&out, self.rows(), frames)?;
        let Ok(mut matrix) = ArrayViewMut2::from_shape((bands, frames).f(), matrix) else {
            return Err(refused);
        };
        let compression = self.compression;
        let local = |column: &mut [f32]| compression.apply_local(column);
        self.mel.process_columns(samples, matrix.view_mut(), &mut scratch.mel, local)?;
        compression.apply_global(matrix.view_mut());
        self.flux.apply(matrix.view(), None, out, &mut scratch.flux);
        Ok(())
    }

    /// From a mel spectrogram that is there already, not yet compressed, (bands, frames).
    ///
    /// # Errors
    /// [`FeatureError::Shape`], [`FeatureError::NotFinite`], [`FeatureError::Parameter`] for negative values,
    /// [`FeatureError::Memory`].
    pub fn process_mel(&self, mel: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        check::spectrogram(mel, self.mel.bank().n_mels())?;
        let mut log_mel = check::matrix(mel.nrows(), mel.ncols())?;
        log_mel.assign(&mel);
        self.compression.apply(log_mel.view_mut());
        self.process_log_spectrogram(log_mel.view())
    }

    /// From any logarithmic spectrogram, (bands, frames), with any number of bands that the edges allow: decibels of a constant-Q
    /// transform, chroma, and the like.
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for fewer bands than the last edge, [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process_log_spectrogram(
        &self,
        spectrogram: ArrayView2<'_, f32>,
    ) -> Result<Array2<f32>, FeatureError> {
        self.flux_of(spectrogram, None)
    }

    /// As [`OnsetStrength::process_log_spectrogram`], compared with the earlier columns of `reference`, of the same shape, instead of
    /// those of the spectrogram; `max_size` has no effect.
    ///
    /// # Errors
    /// [`FeatureError::Shape`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process_log_spectrogram_with_reference(
        &self,
        spectrogram: ArrayView2<'_, f32>,
        reference: ArrayView2<'_, f32>,
    ) -> Result<Array2<f32>, FeatureError> {
        let ((rows, columns), (got_rows, got_columns)) = (spectrogram.dim(), reference.dim());
        if (rows, columns) != (got_rows, got_columns) {
            return Err(FeatureError::Shape { what: "reference", got_rows, got_columns, rows, columns });
        }
        self.flux_of(spectrogram, Some(reference))
    }

    fn flux_of(
        &self,
        spectrogram: ArrayView2<'_, f32>,
        reference: Option<ArrayView2<'_, f32>>,
    ) -> Result<Array2<f32>, FeatureError> {
        let (got_rows, columns) = spectrogram.dim();
        let rows = self.flux.fewest_rows();
        if got_rows < rows {
            let what = "spectrogram";
            return Err(FeatureError::Shape { what, got_rows, got_columns: columns, rows, columns });
        }
        for matrix in [Some(spectrogram), reference].into_iter().flatten() {
            let values = matrix.t().into_iter().copied().enumerate();
            if let Some((index, value)) = values.into_iter().find(|(_, v)| !v.is_finite()) {
                return Err(FeatureError::NotFinite { index, value });
            }
        }
        let mut out = check::matrix(self.flux.rows(got_rows), columns)?;
        self.flux.apply(spectrogram, reference, out.view_mut(), &mut FluxScratch::new(got_rows));
        Ok(out)
    }

    /// Computes the same columns while samples arrive.
    ///
    /// # Errors
    /// [`FeatureError::NotStreamable`] for decibels that count from the largest value of the signal.
    pub fn stream(&self) -> Result<ColumnStream, FeatureError> {
        if let Some(reason) = self.compression.needs_all() {
            return Err(FeatureError::NotStreamable { feature: "onset_strength", reason });
        }
        let bands = self.mel.bank().n_mels();
        let held = check::vector(bands, self.flux.delay() + 1)?;
        let kernel = Kernel {
            plan: self.clone(),
            scratch: self.mel.scratch(),
            held,
            spare: vec![0.0; 2 * bands],
            slow: vec![[0.0; 2]; self.rows()],
        };
        Ok(ColumnStream::new(*self.framing(), self.rows(), Box::new(kernel)))
    }
}

struct Kernel {
    plan: OnsetStrength,
    scratch: MelScratch,
    /// The last columns, as many as the delay and one.
    held: Vec<f32>,
    spare: Vec<f32>,
    /// Of each row the last value and the state of the filter that takes the slow part off.
    slow: Vec<[f64; 2]>,
}

impl ColumnKernel for Kernel {
    fn column(&mut self, t: usize, span: Span<'_>, out: &mut [f32]) {
        let Self { plan, scratch, held, spare, slow } = self;
        let (bands, delay) = (plan.mel.bank().n_mels(), plan.flux.delay());
        let place = |t: usize| (t % (delay + 1)) * bands..(t % (delay + 1) + 1) * bands;
        let MelScratch { stft, spectrum, .. } = scratch;
        let column = &mut held[place(t)];
        plan.mel.column(t, span, stft, spectrum, column);
        plan.compression.apply_local(column);
        out.fill(0.0);
        if t >= delay {
            plan.flux.column(&held[place(t - plan.flux.shift)], &held[place(t - delay)], spare, out);
        }
        if plan.flux.detrend {
            for (value, [before, state]) in out.iter_mut().zip(slow) {
                let x = f64::from(*value);
                *state = x - *before + 0.99 * *state;
                *before = x;
                *value = *state as f32;
            }
        }
    }
}

impl Extractor for OnsetStrength {
    by_process_into!("onset_strength");

    fn frame_length(&self) -> usize {
        self.framing().frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        let hz = self.mel.bank().centres();
        let row_axis = match &self.flux.groups {
            Groups::All => Axis::Name { names: vec!["onset_strength".to_owned()] },
            Groups::Each => Axis::Frequency { hz: hz.to_vec() },
            Groups::Edges(edges) => Axis::Name {
                names: edges.windows(2).map(|e| format!("onset_strength_{}_{}", e[0], e[1])).collect(),
            },
        };
        Ok(Layout {
            rows: self.rows(),
            columns: self.framing().frames(samples)?,
            row_axis,
            column_axis: time_axis(self.mel.stft(), self.mel.sample_rate()),
            unit: match self.compression.unit() {
                Unit::Decibel => Unit::Decibel,
                _ => Unit::Ratio,
            },
        })
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn extract(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        let frames = self.framing().frames(samples.len())?;
        let mut out = check::matrix(self.rows(), frames)?;
        let mut scratch = Self::scratch_for(self, samples.len());
        let bands = self.mel.bank().n_mels();
        if scratch.matrix.len() < bands.saturating_mul(frames) {
            return Err(FeatureError::Memory { rows: bands, columns: frames });
        }
        self.process_into(samples, out.view_mut(), &mut scratch)?;
        Ok(out)
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        self.stream()
    }
}
