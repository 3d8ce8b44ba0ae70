//! Mel-frequency cepstral coefficients.

use std::f64::consts::PI;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, ShapeBuilder};
use serde::{Deserialize, Serialize};

use crate::column::{ColumnKernel, for_each_column};
use crate::dct::{DctNorm, DctType, Projection, forward};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::frame::Span;
use crate::log_mel::{LogMel, LogMelConfig};
use crate::mel::MelScratch;
use crate::{ColumnStream, FeatureError, check};

/// Parameters of mel-frequency cepstral coefficients. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MfccConfig {
    /// The log-mel spectrogram under them.
    pub log_mel: LogMelConfig,
    /// Number of coefficients, 1 to the number of bands. Default 20.
    pub n_mfcc: usize,
    /// Type of the cosine transform. Default 2; type 1 needs two bands.
    pub dct_type: DctType,
    /// Scaling of the cosine transform. Default orthonormal.
    pub norm: DctNorm,
    /// Lifter length `L`, 0 (none, the default) to 1e6: coefficient `i` is multiplied by `1 + L/2 sin(pi (i + 1) / L)`.
    pub lifter: f64,
    /// What the lifter counts from. Default: coefficient 0 is number 1, as in librosa.
    #[serde(skip_serializing_if = "LifterStart::is_one")]
    pub lifter_start: LifterStart,
    /// With a value, over 0, coefficient 0 is replaced by `ln(max(energy, value))`, where the energy is the sum of squares of
    /// the frame before its pre-emphasis and its window, as in Kaldi and HTK. The transform must have a conditioning, and
    /// the compression must not count from the largest value. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy_floor: Option<f32>,
}

/// The number that a lifter gives to the first coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LifterStart {
    /// 1, as in librosa.
    #[default]
    One,
    /// 0, as in HTK and Kaldi, which leaves the first coefficient as it is.
    Zero,
}

impl LifterStart {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_one(&self) -> bool {
        *self == Self::One
    }
}

impl Default for MfccConfig {
    fn default() -> Self {
        Self {
            log_mel: LogMelConfig::default(),
            n_mfcc: 20,
            dct_type: DctType::default(),
            norm: DctNorm::default(),
            lifter: 0.0,
            lifter_start: LifterStart::default(),
            energy_floor: None,
        }
    }
}

impl MfccConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a number of coefficients of 0 or over that of the bands, a lifter out of range,
    /// a single band under a transform of type 1, and all that [`LogMelConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<Mfcc, FeatureError> {
        let log_mel = self.log_mel.plan(sample_rate)?;
        let n_mels = log_mel.mel().bank().n_mels();
        self.check(n_mels)?;
        if let Some(floor) = self.energy_floor {
            check::within(
                "energy_floor",
                f64::from(floor),
                f64::from(f32::MIN_POSITIVE),
                f64::from(f32::MAX),
            )?;
            if !log_mel.mel().stft().conditions() || log_mel.compression().needs_all().is_some() {
                let allowed = "none without a conditioning of the frames, or where the compression needs the whole signal";
                return Err(FeatureError::parameter("energy_floor", floor, allowed));
            }
        }
        let lifter = self.lifters();
        let coefficient = |k: usize, n: usize| forward(self.dct_type, self.norm, n_mels, k, n) * lifter(k);
        let dct = Arc::new(Projection::new(self.n_mfcc, n_mels, coefficient));
        Ok(Mfcc { log_mel, dct, energy_floor: self.energy_floor })
    }

    /// Checks what does not depend on the spectrogram.
    pub(crate) fn check(&self, n_mels: usize) -> Result<(), FeatureError> {
        if !(1..=n_mels).contains(&self.n_mfcc) {
            return Err(FeatureError::parameter("n_mfcc", self.n_mfcc, format!("1 to n_mels = {n_mels}")));
        }
        if self.dct_type == DctType::One && n_mels < 2 {
            return Err(FeatureError::parameter("n_mels", n_mels, "at least 2 for a transform of type 1"));
        }
        check::within("lifter", self.lifter, 0.0, 1e6)
    }

    /// The factor of each coefficient.
    pub(crate) fn lifters(&self) -> impl Fn(usize) -> f64 + use<> {
        let length = self.lifter;
        let start = if self.lifter_start == LifterStart::One { 1 } else { 0 };
        move |k| match length {
            0.0 => 1.0,
            _ => 1.0 + length / 2.0 * (PI * (k + start) as f64 / length).sin(),
        }
    }
}

/// Planned mel-frequency cepstral coefficients: the cosine transform of each column of a [`LogMel`], (coefficients, frames).
///
/// Decibels that count from the largest value of the signal, librosa's default, need the whole log-mel spectrogram first:
/// the scratch then holds it. Source: librosa 0.11 `feature.mfcc`.
///
/// ```
/// use mgr_features::mfcc::MfccConfig;
/// let mfcc = MfccConfig { n_mfcc: 13, ..MfccConfig::default() }.plan(22_050)?;
/// let matrix = mfcc.process(&vec![0.1; 22_050])?;
/// assert_eq!(matrix.dim(), (13, 44));
/// // The same from a log-mel spectrogram that is there already.
/// let log_mel = mfcc.log_mel().process(&vec![0.1; 22_050])?;
/// assert_eq!(mfcc.process_log_mel(log_mel.view())?, matrix);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Mfcc {
    log_mel: LogMel,
    dct: Arc<Projection>,
    energy_floor: Option<f32>,
}

/// Buffers of one computation; make one per thread with [`Mfcc::scratch_for`] and use it again.
#[derive(Debug, Clone)]
pub struct MfccScratch {
    mel: MelScratch,
    column: Vec<f32>,
    /// The log-mel spectrogram, where all of it is needed first.
    log_mel: Vec<f32>,
}

impl Mfcc {
    /// The log-mel spectrogram under it.
    #[must_use]
    pub fn log_mel(&self) -> &LogMel {
        &self.log_mel
    }

    /// Number of coefficients.
    #[must_use]
    pub fn n_mfcc(&self) -> usize {
        self.dct.outputs()
    }

    fn n_mels(&self) -> usize {
        self.log_mel.mel().bank().n_mels()
    }

    fn whole(&self) -> bool {
        self.log_mel.compression().needs_all().is_some()
    }

    /// Buffers for [`Mfcc::process_into`] of signals of up to `samples` samples; any length will do where the plan streams.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> MfccScratch {
        let frames = if self.whole() { self.log_mel.mel().framing().frames(samples).unwrap_or(0) } else { 0 };
        MfccScratch {
            mel: self.log_mel.scratch(),
            column: vec![0.0; self.n_mfcc()],
            log_mel: vec![0.0; self.n_mels().saturating_mul(frames)],
        }
    }

    fn scratch(&self) -> MfccScratch {
        self.scratch_for(0)
    }

    /// The coefficients of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The coefficients of a signal into `out` of (coefficients, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`] also for
    /// a signal longer than the scratch was made for.
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut MfccScratch,
    ) -> Result<(), FeatureError> {
        const MISFIT: FeatureError = FeatureError::Scratch { plan: "mfcc" };
        let mel = self.log_mel.mel();
        let MfccScratch { mel: mel_scratch, column, log_mel } = scratch;
        mel.fits(mel_scratch)?;
        if column.len() != self.n_mfcc() {
            return Err(MISFIT);
        }
        let frames = mel.framing().frames(samples.len())?;
        check::shape(&out, self.n_mfcc(), frames)?;
        check::finite(samples)?;
        let n_mels = self.n_mels();
        if self.whole() {
            let log_mel = log_mel.get_mut(..n_mels * frames).ok_or(MISFIT)?;
            let view = ArrayViewMut2::from_shape((n_mels, frames).f(), &mut *log_mel).map_err(|_| MISFIT)?;
            self.log_mel.process_into(samples, view, mel_scratch)?;
            for_each_column(out, column, |t, out| {
                self.dct.apply(&log_mel[t * n_mels..(t + 1) * n_mels], out);
            });
        } else {
            let span = Span::whole(samples);
            for_each_column(out, column, |t, out| self.column(t, span, mel_scratch, out));
        }
        Ok(())
    }

    /// The coefficients of magnitudes that `magnitude_of(t, bins)` gives; the spectrogram under them is of power, and no energy is
    /// asked for. Allocates nothing.
    pub(crate) fn of_magnitudes(
        &self,
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut MfccScratch,
        magnitude_of: impl Fn(usize, &mut [f32]),
    ) -> Result<(), FeatureError> {
        const MISFIT: FeatureError = FeatureError::Scratch { plan: "mfcc" };
        let (mel, compression) = (self.log_mel.mel(), self.log_mel.compression());
        let MfccScratch { mel: mel_scratch, column, log_mel } = scratch;
        mel.fits(mel_scratch)?;
        let (n_mels, bins) = (self.n_mels(), mel.bank().bins());
        let log_mel = log_mel.get_mut(..n_mels * out.ncols()).ok_or(MISFIT)?;
        for (t, bands) in log_mel.chunks_exact_mut(n_mels).enumerate() {
            let spectrum = &mut mel_scratch.spectrum;
            magnitude_of(t, &mut spectrum[..bins]);
            spectrum[..bins].iter_mut().for_each(|v| *v *= *v);
            mel.bank().apply(spectrum, bands);
            compression.apply_local(bands);
        }
        let view = ArrayViewMut2::from_shape((n_mels, out.ncols()).f(), &mut *log_mel).map_err(|_| MISFIT)?;
        compression.apply_global(view);
        for_each_column(out, column, |t, out| self.dct.apply(&log_mel[t * n_mels..(t + 1) * n_mels], out));
        Ok(())
    }

    /// Column `t` where it depends on nothing but its frame.
    fn column(&self, t: usize, span: Span<'_>, scratch: &mut MelScratch, out: &mut [f32]) {
        let MelScratch { stft, spectrum, column } = scratch;
        self.log_mel.mel().column(t, span, stft, spectrum, column);
        self.log_mel.compression().apply_local(column);
        self.dct.apply(column, out);
        if let (Some(floor), Some(first)) = (self.energy_floor, out.first_mut()) {
            *first = stft.energy.max(floor).ln();
        }
    }

    /// The coefficients of a log-mel spectrogram that is there already, (bands, frames).
    ///
    /// Values that are not finite give values that are not finite. It does not tell the energy of the frames: coefficient 0
    /// is that of the cosine transform.
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for a wrong number of bands, [`FeatureError::Memory`].
    pub fn process_log_mel(&self, log_mel: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        let (got_rows, columns) = log_mel.dim();
        let rows = self.n_mels();
        if got_rows != rows {
            let what = "log-mel spectrogram";
            return Err(FeatureError::Shape { what, got_rows, got_columns: columns, rows, columns });
        }
        let mut out = check::matrix(self.n_mfcc(), columns)?;
        let mut values = vec![0.0; rows];
        for (t, mut place) in out.columns_mut().into_iter().enumerate() {
            values.iter_mut().zip(log_mel.column(t)).for_each(|(to, from)| *to = *from);
            if let Some(place) = place.as_slice_mut() {
                self.dct.apply(&values, place);
            }
        }
        Ok(out)
    }

    /// The coefficients of a spectrogram that is there already; see [`crate::mel::Mel::process_spectrogram`].
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for a wrong number of bins, [`FeatureError::Memory`].
    pub fn process_spectrogram(&self, spectrogram: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        self.process_log_mel(self.log_mel.process_spectrogram(spectrogram)?.view())
    }

    /// Computes the same columns while samples arrive.
    ///
    /// # Errors
    /// [`FeatureError::NotStreamable`] for decibels that count from the largest value of the signal.
    pub fn stream(&self) -> Result<ColumnStream, FeatureError> {
        if let Some(reason) = self.log_mel.compression().needs_all() {
            return Err(FeatureError::NotStreamable { feature: "mfcc", reason });
        }
        let kernel = Kernel { plan: self.clone(), scratch: self.log_mel.scratch() };
        Ok(ColumnStream::new(*self.log_mel.mel().framing(), self.n_mfcc(), Box::new(kernel)))
    }
}

struct Kernel {
    plan: Mfcc,
    scratch: MelScratch,
}

impl ColumnKernel for Kernel {
    fn column(&mut self, t: usize, span: Span<'_>, out: &mut [f32]) {
        self.plan.column(t, span, &mut self.scratch, out);
    }
}

impl Extractor for Mfcc {
    by_process_into!("mfcc");

    fn frame_length(&self) -> usize {
        self.log_mel.frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        Ok(Layout {
            rows: self.n_mfcc(),
            row_axis: Axis::Coefficient { first: 0, count: self.n_mfcc() },
            unit: Unit::Coefficient,
            ..self.log_mel.layout(samples)?
        })
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        self.stream()
    }
}
