//! Mel spectrograms: [`MelConfig`] is planned into a [`Mel`].

mod bank;
mod scale;

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

pub use bank::{Coverage, MelBank, MelBankConfig, MelNorm, TriangleAxis};
pub use scale::MelScale;

use crate::column::{ColumnKernel, for_each_column};
use crate::extractor::{Axis, Extractor, Layout, Scratch, by_process_into};
use crate::frame::{Framing, Span};
use crate::spectrogram::{Exponent, time_axis};
use crate::stft::{Precision, Stft, StftConfig, StftScratch};
use crate::{ColumnStream, FeatureError, check};

/// Parameters of a mel spectrogram. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MelConfig {
    /// The transform.
    pub stft: StftConfig,
    /// The filter bank.
    pub bank: MelBankConfig,
    /// Exponent of the magnitude under the filters, over 0 and at most 16: 1 is magnitude, 2 is power (default).
    pub power: f32,
}

impl Default for MelConfig {
    fn default() -> Self {
        Self { stft: StftConfig::default(), bank: MelBankConfig::default(), power: 2.0 }
    }
}

impl MelConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`StftConfig::plan`] and [`MelBankConfig::plan`].
    pub fn plan(&self, sample_rate: u32) -> Result<Mel, FeatureError> {
        self.plan_in(Precision::Single, sample_rate)
    }

    pub(crate) fn plan_in(&self, precision: Precision, sample_rate: u32) -> Result<Mel, FeatureError> {
        let stft = self.stft.plan_in(precision)?;
        let bank = Arc::new(self.bank.plan(sample_rate, self.stft.n_fft)?);
        Ok(Mel { stft, bank, power: Exponent::new(self.power)?, sample_rate })
    }
}

/// A planned mel spectrogram: the [`MelBank`] applied to `|X[k, t]|^power`, (bands, frames).
///
/// Source: librosa 0.11 `feature.melspectrogram`.
///
/// ```
/// use mgr_features::mel::MelConfig;
/// let mel = MelConfig::default().plan(22_050)?;
/// let bands = mel.process(&vec![0.1; 22_050])?;
/// assert_eq!(bands.dim(), (128, 44));
///
/// // The same without allocating, for many clips in turn.
/// let mut out = bands.clone();
/// let mut scratch = mel.scratch();
/// mel.process_into(&vec![0.1; 22_050], out.view_mut(), &mut scratch)?;
/// assert_eq!(out, bands);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Mel {
    stft: Stft,
    bank: Arc<MelBank>,
    power: Exponent,
    sample_rate: u32,
}

/// Buffers of one computation; make one per thread with [`Mel::scratch`] and use it again.
#[derive(Debug, Clone)]
pub struct MelScratch {
    pub(crate) stft: StftScratch,
    pub(crate) spectrum: Vec<f32>,
    pub(crate) column: Vec<f32>,
}

impl Mel {
    /// The filter bank.
    #[must_use]
    pub fn bank(&self) -> &MelBank {
        &self.bank
    }

    /// The framing rule.
    #[must_use]
    pub fn framing(&self) -> &Framing {
        self.stft.framing()
    }

    /// Sampling rate in Hz.
    #[must_use]
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// The transform under it.
    #[must_use]
    pub fn stft(&self) -> &Stft {
        &self.stft
    }

    /// Buffers for [`Mel::process_into`].
    #[must_use]
    pub fn scratch(&self) -> MelScratch {
        MelScratch {
            stft: self.stft.scratch(),
            spectrum: vec![0.0; self.bank.padded_bins()],
            column: vec![0.0; self.bank.n_mels()],
        }
    }

    /// The mel spectrogram of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The mel spectrogram of a signal into `out` of (bands, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut MelScratch,
    ) -> Result<(), FeatureError> {
        self.process_columns(samples, out, scratch, |_| {})
    }

    /// As `process_into`, and `then` on each column while it is still in the cache.
    pub(crate) fn process_columns(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut MelScratch,
        then: impl Fn(&mut [f32]),
    ) -> Result<(), FeatureError> {
        self.fits(scratch)?;
        check::shape(&out, self.bank.n_mels(), self.framing().frames(samples.len())?)?;
        check::finite(samples)?;
        let span = Span::whole(samples);
        let MelScratch { stft, spectrum, column } = scratch;
        for_each_column(out, column, |t, column| {
            self.column(t, span, stft, spectrum, column);
            then(column);
        });
        Ok(())
    }

    /// Whether a scratch fits this plan; [`Mel::column`] relies on it.
    pub(crate) fn fits(&self, scratch: &MelScratch) -> Result<(), FeatureError> {
        self.stft.fits(&scratch.stft)?;
        if (scratch.spectrum.len(), scratch.column.len()) == (self.bank.padded_bins(), self.bank.n_mels()) {
            return Ok(());
        }
        Err(FeatureError::Scratch { plan: "mel" })
    }

    /// Column `t` of the feature; the scratch must fit.
    pub(crate) fn column(
        &self,
        t: usize,
        span: Span<'_>,
        stft: &mut StftScratch,
        spectrum: &mut [f32],
        out: &mut [f32],
    ) {
        let bins = self.bank.bins();
        self.stft.transform(t, span, stft);
        self.power.apply(&self.stft, stft, &mut spectrum[..bins]);
        self.bank.apply(spectrum, out);
    }

    /// The mel spectrogram of a spectrogram that is there already: `|X|^power` with the plan's exponent, (bins, frames).
    ///
    /// Values that are not finite give values that are not finite.
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for a wrong number of bins, [`FeatureError::Memory`].
    pub fn process_spectrogram(&self, spectrogram: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        let (got_rows, columns) = spectrogram.dim();
        let rows = self.bank.bins();
        if got_rows != rows {
            let what = "spectrogram";
            return Err(FeatureError::Shape { what, got_rows, got_columns: columns, rows, columns });
        }
        let mut out = check::matrix(self.bank.n_mels(), columns)?;
        let MelScratch { mut spectrum, mut column, .. } = self.scratch();
        for_each_column(out.view_mut(), &mut column, |t, column| {
            spectrum.iter_mut().zip(spectrogram.column(t)).for_each(|(to, from)| *to = *from);
            self.bank.apply(&spectrum, column);
        });
        Ok(out)
    }

    /// Computes the same columns while samples arrive.
    pub fn stream(&self) -> ColumnStream {
        self.stream_with(|_| {})
    }

    pub(crate) fn stream_with(&self, then: impl Fn(&mut [f32]) + Send + 'static) -> ColumnStream {
        let kernel = Kernel { plan: self.clone(), scratch: self.scratch(), then };
        ColumnStream::new(*self.framing(), self.bank.n_mels(), Box::new(kernel))
    }
}

struct Kernel<F> {
    plan: Mel,
    scratch: MelScratch,
    then: F,
}

impl<F: Fn(&mut [f32]) + Send> ColumnKernel for Kernel<F> {
    fn column(&mut self, t: usize, span: Span<'_>, out: &mut [f32]) {
        self.plan.column(t, span, &mut self.scratch.stft, &mut self.scratch.spectrum, out);
        (self.then)(out);
    }
}

impl Extractor for Mel {
    by_process_into!("mel");

    fn frame_length(&self) -> usize {
        self.framing().frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        Ok(Layout {
            rows: self.bank.n_mels(),
            columns: self.framing().frames(samples)?,
            row_axis: Axis::Frequency { hz: self.bank.centres().to_vec() },
            column_axis: time_axis(&self.stft, self.sample_rate),
            unit: self.power.unit(),
        })
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        Ok(self.stream())
    }
}
