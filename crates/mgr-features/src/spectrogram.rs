//! Magnitude and power spectrograms.

use ndarray::{Array2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use crate::column::{ColumnKernel, for_each_column};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::frame::{Framing, Span};
use crate::stft::{Precision, Stft, StftConfig, StftScratch};
use crate::{ColumnStream, FeatureError, check};

/// Parameters of a spectrogram. Defaults: librosa's STFT, magnitude.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpectrogramConfig {
    /// The transform.
    pub stft: StftConfig,
    /// Exponent of the magnitude, over 0 and at most 16: 1 is magnitude (default), 2 is power.
    pub power: f32,
}

impl Default for SpectrogramConfig {
    fn default() -> Self {
        Self { stft: StftConfig::default(), power: 1.0 }
    }
}

impl SpectrogramConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0, an exponent that is not in range, and all that
    /// [`StftConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<Spectrogram, FeatureError> {
        check::rate(sample_rate)?;
        Ok(Spectrogram { stft: self.stft.plan()?, power: Exponent::new(self.power)?, sample_rate })
    }
}

/// The exponent of a magnitude, with the two that matter set apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Exponent {
    Magnitude,
    Power,
    Other(f32),
}

impl Exponent {
    pub(crate) fn new(power: f32) -> Result<Self, FeatureError> {
        check::within("power", f64::from(power), f64::from(f32::MIN_POSITIVE), 16.0)?;
        Ok(match power {
            1.0 => Self::Magnitude,
            2.0 => Self::Power,
            p => Self::Other(p),
        })
    }

    pub(crate) fn unit(self) -> Unit {
        match self {
            Self::Magnitude => Unit::Magnitude,
            Self::Power => Unit::Power,
            Self::Other(_) => Unit::MagnitudePower,
        }
    }

    /// `out[k] = |X[k]|^power` of the frame that `stft` transformed last.
    pub(crate) fn apply(self, stft: &Stft, scratch: &StftScratch, out: &mut [f32]) {
        match self {
            Self::Power => stft.power(scratch, out),
            Self::Magnitude | Self::Other(_) => stft.magnitude(scratch, out),
        }
        if let Self::Other(p) = self {
            out.iter_mut().for_each(|v| *v = v.powf(p));
        }
    }

    /// `|X|^power` from `|X|^2`, in place.
    pub(crate) fn of_power(self, values: &mut [f32]) {
        match self {
            Self::Magnitude => values.iter_mut().for_each(|v| *v = v.sqrt()),
            Self::Power => {}
            Self::Other(p) => values.iter_mut().for_each(|v| *v = v.sqrt().powf(p)),
        }
    }
}

/// A planned spectrogram `|X[k, t]|^power`, (n_fft / 2 + 1, frames).
///
/// Squares are taken in f32: magnitudes under 1e-19 come out as 0 and over 1e19 as infinity.
///
/// ```
/// use mgr_features::spectrogram::SpectrogramConfig;
/// let spectrogram = SpectrogramConfig::default().plan(22_050)?;
/// assert_eq!(spectrogram.process(&[0.0; 22_050])?.dim(), (1025, 44));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Spectrogram {
    stft: Stft,
    power: Exponent,
    sample_rate: u32,
}

/// Buffers of one computation; make one per thread with [`Spectrogram::scratch`] and use it again.
#[derive(Debug, Clone)]
pub struct SpectrogramScratch {
    stft: StftScratch,
    column: Vec<f32>,
}

impl Spectrogram {
    /// One from a transform in f64.
    pub(crate) fn precise(
        stft: &StftConfig,
        power: Exponent,
        sample_rate: u32,
    ) -> Result<Self, FeatureError> {
        Ok(Self { stft: stft.plan_in(Precision::Double)?, power, sample_rate })
    }

    /// Buffers for [`Spectrogram::process_into`].
    #[must_use]
    pub fn scratch(&self) -> SpectrogramScratch {
        SpectrogramScratch { stft: self.stft.scratch(), column: vec![0.0; self.stft.bins()] }
    }

    /// The spectrogram of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The spectrogram of a signal into `out` of (bins, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut SpectrogramScratch,
    ) -> Result<(), FeatureError> {
        self.stft.fits(&scratch.stft)?;
        check::shape(&out, self.stft.bins(), self.stft.framing().frames(samples.len())?)?;
        check::finite(samples)?;
        let span = Span::whole(samples);
        let SpectrogramScratch { stft, column } = scratch;
        for_each_column(out, column, |t, column| self.column(t, span, stft, column));
        Ok(())
    }

    fn column(&self, t: usize, span: Span<'_>, scratch: &mut StftScratch, out: &mut [f32]) {
        self.stft.transform(t, span, scratch);
        self.power.apply(&self.stft, scratch, out);
    }

    /// Computes the same columns while samples arrive.
    pub fn stream(&self) -> ColumnStream {
        let kernel = Kernel { plan: self.clone(), scratch: self.stft.scratch() };
        ColumnStream::new(*self.stft.framing(), self.stft.bins(), Box::new(kernel))
    }
}

struct Kernel {
    plan: Spectrogram,
    scratch: StftScratch,
}

impl ColumnKernel for Kernel {
    fn column(&mut self, t: usize, span: Span<'_>, out: &mut [f32]) {
        self.plan.column(t, span, &mut self.scratch, out);
    }
}

/// The time axis of anything framed by `stft`.
pub(crate) fn time_axis(stft: &Stft, sample_rate: u32) -> Axis {
    framed_time_axis(stft.framing(), sample_rate)
}

/// The time axis of anything framed so.
pub(crate) fn framed_time_axis(framing: &Framing, sample_rate: u32) -> Axis {
    let rate = f64::from(sample_rate);
    let first = framing.frame_length() as f64 / 2.0 - framing.pad() as f64;
    Axis::Time { start_s: first / rate, step_s: framing.hop_length() as f64 / rate }
}

impl Extractor for Spectrogram {
    by_process_into!("spectrogram");

    fn frame_length(&self) -> usize {
        self.stft.n_fft()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        let step = f64::from(self.sample_rate) / self.stft.n_fft() as f64;
        Ok(Layout {
            rows: self.stft.bins(),
            columns: self.stft.framing().frames(samples)?,
            row_axis: Axis::Frequency {
                hz: (0..self.stft.bins()).map(|k| (k as f64 * step) as f32).collect(),
            },
            column_axis: time_axis(&self.stft, self.sample_rate),
            unit: self.power.unit(),
        })
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        Ok(self.stream())
    }
}
