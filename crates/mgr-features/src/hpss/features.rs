//! The parts of a signal as features: one matrix each.

use std::sync::Arc;

use ndarray::{Array2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::median::RunningMedian;
use super::separation::{Column, SeparationScratch};
use super::{Hpss, HpssConfig, HpssScratch};
use crate::column::{ColumnKernel, ColumnStream};
use crate::compress::Compression;
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::frame::Span;
use crate::mel::{MelBank, MelBankConfig};
use crate::spectrogram::{Exponent, time_axis};
use crate::stft::StftScratch;
use crate::{FeatureError, check};

/// A part of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// What the median along time keeps.
    #[default]
    Harmonic,
    /// What the median along frequency keeps.
    Percussive,
    /// What neither mask claims; nothing, up to rounding, when both margins are 1.
    Residual,
}

/// Parameters of the spectrogram of a part. Defaults: the harmonic magnitude with librosa's separation, not compressed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HpssSpectrogramConfig {
    /// The separation.
    pub hpss: HpssConfig,
    /// Which part.
    pub component: Component,
    /// Exponent of the magnitude, over 0 and at most 16: 1 is magnitude (default), 2 is power.
    pub power: f32,
    /// A compression of the values; default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
}

impl Default for HpssSpectrogramConfig {
    fn default() -> Self {
        Self { hpss: HpssConfig::default(), component: Component::default(), power: 1.0, compression: None }
    }
}

/// Parameters of the mask of a part. Defaults: the harmonic one of librosa's separation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HpssMaskConfig {
    /// The separation.
    pub hpss: HpssConfig,
    /// Which part.
    pub component: Component,
}

/// Parameters of the mel spectrogram of a part. Defaults: the harmonic one, of power, in librosa's decibels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HpssMelConfig {
    /// The separation.
    pub hpss: HpssConfig,
    /// Which part.
    pub component: Component,
    /// The filter bank.
    pub bank: MelBankConfig,
    /// Exponent of the magnitude under the filters, over 0 and at most 16: 1 is magnitude, 2 is power (default).
    pub power: f32,
    /// The compression.
    pub compression: Compression,
}

impl Default for HpssMelConfig {
    fn default() -> Self {
        Self {
            hpss: HpssConfig::default(),
            component: Component::default(),
            bank: MelBankConfig::default(),
            power: 2.0,
            compression: Compression::default(),
        }
    }
}

/// What becomes of a part's column.
#[derive(Debug, Clone)]
enum Value {
    Mask,
    Spectrogram(Exponent),
    Mel(Exponent, Arc<MelBank>),
}

/// One feature matrix of one part.
#[derive(Debug, Clone)]
struct Part {
    hpss: Hpss,
    component: Component,
    value: Value,
    compression: Option<Compression>,
    sample_rate: u32,
}

/// Buffers of one computation; make one per thread with the feature's `scratch` and use it again.
#[derive(Debug, Clone)]
pub struct HpssFeatureScratch {
    hpss: HpssScratch,
    /// A column under the filters.
    spectrum: Vec<f32>,
    column: Vec<f32>,
}

impl Part {
    fn new(
        hpss: &HpssConfig,
        component: Component,
        value: Value,
        compression: Option<Compression>,
        sample_rate: u32,
    ) -> Result<Self, FeatureError> {
        check::rate(sample_rate)?;
        compression.map_or(Ok(()), Compression::check)?;
        Ok(Self { hpss: hpss.plan()?, component, value, compression, sample_rate })
    }

    fn rows(&self) -> usize {
        match &self.value {
            Value::Mel(_, bank) => bank.n_mels(),
            _ => self.hpss.stft.bins(),
        }
    }

    /// Length of a column under the filters; 0 without filters.
    fn filtered(&self) -> usize {
        match &self.value {
            Value::Mel(_, bank) => bank.padded_bins(),
            _ => 0,
        }
    }

    fn scratch(&self) -> HpssFeatureScratch {
        HpssFeatureScratch {
            hpss: self.hpss.scratch(),
            spectrum: vec![0.0; self.filtered()],
            column: vec![0.0; self.rows()],
        }
    }

    /// One column of the feature, all but what needs the whole matrix.
    fn column(&self, column: &Column<'_>, spectrum: &mut [f32], out: &mut [f32]) {
        let masks = column.harmonic.iter().zip(column.percussive.iter());
        let mask = |(h, p): (&f32, &f32)| match self.component {
            Component::Harmonic => *h,
            Component::Percussive => *p,
            Component::Residual => (1.0 - (h + p)).max(0.0),
        };
        let values = masks.map(mask).zip(column.magnitude);
        let raise = |exponent: Exponent, out: &mut [f32]| match exponent {
            Exponent::Magnitude => out.iter_mut().zip(values.clone()).for_each(|(o, (m, s))| *o = m * s),
            Exponent::Power => {
                out.iter_mut().zip(values.clone()).for_each(|(o, (m, s))| *o = (m * s) * (m * s))
            }
            Exponent::Other(p) => {
                out.iter_mut().zip(values.clone()).for_each(|(o, (m, s))| *o = (m * s).powf(p));
            }
        };
        match &self.value {
            Value::Mask => out.iter_mut().zip(values.clone()).for_each(|(o, (m, _))| *o = m),
            Value::Spectrogram(exponent) => raise(*exponent, out),
            Value::Mel(exponent, bank) => {
                raise(*exponent, &mut spectrum[..bank.bins()]);
                bank.apply(spectrum, out);
            }
        }
        if let Some(compression) = self.compression {
            compression.apply_local(out);
        }
    }

    fn process_into(
        &self,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut HpssFeatureScratch,
    ) -> Result<(), FeatureError> {
        let HpssFeatureScratch { hpss, spectrum, column: spare } = scratch;
        if spare.len() != self.rows() || spectrum.len() != self.filtered() {
            return Err(FeatureError::Scratch { plan: "hpss" });
        }
        check::shape(&out, self.rows(), self.hpss.stft.framing().frames(samples.len())?)?;
        self.hpss.each_column(samples, hpss, |t, column| {
            let mut place = out.column_mut(t);
            if let Some(place) = place.as_slice_mut() {
                self.column(&column, spectrum, place);
            } else {
                self.column(&column, spectrum, spare);
                place.iter_mut().zip(spare.iter()).for_each(|(to, from)| *to = *from);
            }
        })?;
        if let Some(compression) = self.compression {
            compression.apply_global(out);
        }
        Ok(())
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        let stft = &self.hpss.stft;
        let step = f64::from(self.sample_rate) / stft.n_fft() as f64;
        let hz = match &self.value {
            Value::Mel(_, bank) => bank.centres().to_vec(),
            _ => (0..stft.bins()).map(|k| (k as f64 * step) as f32).collect(),
        };
        let plain = match &self.value {
            Value::Mask => Unit::Ratio,
            Value::Spectrogram(exponent) | Value::Mel(exponent, _) => exponent.unit(),
        };
        Ok(Layout {
            rows: self.rows(),
            columns: stft.framing().frames(samples)?,
            row_axis: Axis::Frequency { hz },
            column_axis: time_axis(stft, self.sample_rate),
            unit: match (plain, self.compression.map(Compression::unit)) {
                (Unit::Magnitude, Some(Unit::LnPower)) => Unit::LnMagnitude,
                (_, Some(unit)) => unit,
                (_, None) => plain,
            },
        })
    }

    fn stream(&self, feature: &'static str) -> Result<ColumnStream, FeatureError> {
        if let Some(reason) = self.compression.and_then(Compression::needs_all) {
            return Err(FeatureError::NotStreamable { feature, reason });
        }
        let separation = &self.hpss.separation;
        let median = RunningMedian::single(2 * separation.harmonic.half() + 1);
        let kernel = Kernel {
            stft: self.hpss.stft.scratch(),
            separation: separation.scratch_with(&median, self.hpss.stft.bins()),
            spectrum: vec![0.0; self.filtered()],
            plan: self.clone(),
            median,
        };
        Ok(ColumnStream::new(*self.hpss.stft.framing(), self.rows(), Box::new(kernel)))
    }
}

/// A stream: one column at a time, as soon as the harmonic median can see all that it looks at.
struct Kernel {
    plan: Part,
    median: RunningMedian,
    stft: StftScratch,
    separation: SeparationScratch,
    spectrum: Vec<f32>,
}

impl Kernel {
    fn separated(&mut self, t: usize, frames: usize, out: &mut [f32]) {
        let Self { plan, median, separation: scratch, spectrum, .. } = self;
        let separation = &plan.hpss.separation;
        separation.separate_block(median, t, 1, frames, scratch);
        let column = separation.column_of_block(t, 0, plan.hpss.stft.bins(), scratch);
        plan.column(&column, spectrum, out);
    }
}

impl ColumnKernel for Kernel {
    fn delay(&self) -> usize {
        self.median.half()
    }

    fn column(&mut self, t: usize, span: Span<'_>, out: &mut [f32]) {
        /// The end is not known yet, and no column so far mirrors it.
        const UNKNOWN: usize = 1 << 48;
        let Self { plan, stft, separation, .. } = self;
        plan.hpss.stft.transform(t, span, stft);
        plan.hpss.stft.magnitude(stft, separation.next_column());
        self.separation.step();
        if let Some(t) = t.checked_sub(self.delay()) {
            self.separated(t, UNKNOWN, out);
        }
    }

    fn late_column(&mut self, t: usize, frames: usize, out: &mut [f32]) {
        self.separated(t, frames, out);
    }
}

/// Declares a feature that is a [`Part`].
macro_rules! part {
    ($(#[$doc:meta])* $name:ident = $feature:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(Part);

        impl $name {
            /// The separation under it.
            #[must_use]
            pub fn hpss(&self) -> &Hpss {
                &self.0.hpss
            }

            /// Buffers for `process_into`.
            #[must_use]
            pub fn scratch(&self) -> HpssFeatureScratch {
                self.0.scratch()
            }

            /// The feature of a signal, allocated, each column contiguous in memory.
            ///
            /// # Errors
            /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
            pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
                self.extract(samples)
            }

            /// The feature of a signal into `out` of (rows, frames), any memory layout. Allocates nothing.
            ///
            /// # Errors
            /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
            pub fn process_into(
                &self,
                samples: &[f32],
                out: ArrayViewMut2<'_, f32>,
                scratch: &mut HpssFeatureScratch,
            ) -> Result<(), FeatureError> {
                self.0.process_into(samples, out, scratch)
            }

            /// Computes the same columns while samples arrive, each half a harmonic median late; the last ones come when
            /// the stream ends.
            ///
            /// # Errors
            /// [`FeatureError::NotStreamable`] for decibels that count from the largest value of the signal.
            pub fn stream(&self) -> Result<ColumnStream, FeatureError> {
                self.0.stream($feature)
            }
        }

        impl Extractor for $name {
            by_process_into!($feature);

            fn frame_length(&self) -> usize {
                self.0.hpss.stft.n_fft()
            }

            fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
                self.0.layout(samples)
            }

            fn stream(&self) -> Result<ColumnStream, FeatureError> {
                self.stream()
            }
        }
    };
}

part! {
    /// The spectrogram of one part of a signal, (n_fft / 2 + 1, frames): `(S M)^power`, perhaps compressed, with the magnitude
    /// `S` and the part's mask `M`; see [`crate::hpss::Separation`].
    ///
    /// ```
    /// use mgr_features::hpss::{Component, HpssSpectrogramConfig};
    /// let config = HpssSpectrogramConfig { component: Component::Percussive, ..HpssSpectrogramConfig::default() };
    /// let clicks = config.plan(22_050)?.process(&vec![0.1; 22_050])?;
    /// assert_eq!(clicks.dim(), (1025, 44));
    /// # Ok::<(), mgr_features::FeatureError>(())
    /// ```
    HpssSpectrogram = "hpss_spectrogram"
}

part! {
    /// The mask of one part of a signal, (n_fft / 2 + 1, frames), values from 0 to 1; see [`crate::hpss::Separation`].
    HpssMask = "hpss_mask"
}

part! {
    /// The mel spectrogram of one part of a signal, compressed, (bands, frames): the filter bank on `(S M)^power`, with the
    /// magnitude `S` and the part's mask `M`; see [`crate::hpss::Separation`].
    HpssMel = "hpss_mel"
}

impl HpssSpectrogramConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`HpssConfig::plan`] and [`Compression::check`].
    pub fn plan(&self, sample_rate: u32) -> Result<HpssSpectrogram, FeatureError> {
        let value = Value::Spectrogram(Exponent::new(self.power)?);
        Ok(HpssSpectrogram(Part::new(&self.hpss, self.component, value, self.compression, sample_rate)?))
    }
}

impl HpssMaskConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`HpssConfig::plan`].
    pub fn plan(&self, sample_rate: u32) -> Result<HpssMask, FeatureError> {
        Ok(HpssMask(Part::new(&self.hpss, self.component, Value::Mask, None, sample_rate)?))
    }
}

impl HpssMelConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`HpssConfig::plan`], [`MelBankConfig::plan`] and [`Compression::check`].
    pub fn plan(&self, sample_rate: u32) -> Result<HpssMel, FeatureError> {
        let exponent = Exponent::new(self.power)?;
        let bank = self.bank.plan(sample_rate, self.hpss.stft.n_fft)?;
        let value = Value::Mel(exponent, Arc::new(bank));
        Ok(HpssMel(Part::new(&self.hpss, self.component, value, Some(self.compression), sample_rate)?))
    }
}
