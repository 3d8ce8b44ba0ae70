//! Per-channel energy normalisation.

use std::sync::Arc;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut2, ShapeBuilder};
use serde::{Deserialize, Serialize};

use crate::column::{ColumnKernel, for_each_column};
use crate::extractor::{Extractor, Layout, Scratch, Unit, by_process_into};
use crate::frame::Span;
use crate::mel::{Mel, MelBankConfig, MelConfig, MelScratch};
use crate::simd::pcen::{PcenCurve, pcen, smooth};
use crate::stft::{Precision, StftConfig};
use crate::{ColumnStream, FeatureError, check};

/// Across what the largest of `max_size` neighbours is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxAxis {
    /// Neighbouring rows, the default: vibrato is followed.
    #[default]
    Frequency,
    /// Neighbouring columns, half of them later ones: no streaming.
    Time,
}

/// The curve of per-channel energy normalisation. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PcenCurveConfig {
    /// Exponent of the gain control, 0 to 100. Default 0.98.
    pub gain: f64,
    /// Added before the compression, 0 to 1e9. Default 2; with 0 the result is a power alone.
    pub bias: f64,
    /// Exponent of the compression, 0 to 100. Default 0.5; with 0 it is a logarithm.
    pub power: f64,
    /// Time constant of the smoothing in seconds, 1e-9 to 1e9. Default 0.4.
    pub time_constant: f64,
    /// Floor of the smoothed energy, over 1e-30 and at most 1e9. Default 1e-6.
    pub eps: f64,
    /// Coefficient of the smoothing, over 0 and at most 1. Default: from the time constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub b: Option<f64>,
    /// The smoothed energy is that of the largest of so many neighbours, 1 (default) to 65,536.
    pub max_size: usize,
    /// Which neighbours. Default: in frequency.
    pub max_axis: MaxAxis,
}

impl Default for PcenCurveConfig {
    fn default() -> Self {
        Self {
            gain: 0.98,
            bias: 2.0,
            power: 0.5,
            time_constant: 0.4,
            eps: 1e-6,
            b: None,
            max_size: 1,
            max_axis: MaxAxis::default(),
        }
    }
}

impl PcenCurveConfig {
    /// Checks the parameters, for columns that follow each other `frame_rate` times a second.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a value out of its range.
    pub fn plan(&self, frame_rate: f64) -> Result<Pcen, FeatureError> {
        check::within("gain", self.gain, 0.0, 100.0)?;
        check::within("bias", self.bias, 0.0, 1e9)?;
        check::within("power", self.power, 0.0, 100.0)?;
        check::within("time_constant", self.time_constant, 1e-9, 1e9)?;
        check::within("eps", self.eps, 1e-30, 1e9)?;
        check::within("frame_rate", frame_rate, 1e-9, 1e9)?;
        if !(1..=1 << 16).contains(&self.max_size) {
            return Err(FeatureError::parameter("max_size", self.max_size, "1 to 65536"));
        }
        let frames = self.time_constant * frame_rate;
        // (sqrt(1 + 4 T^2) - 1) / (2 T^2), written so that it also holds for small T.
        let b = self.b.unwrap_or_else(|| 2.0 / ((1.0 + 4.0 * frames * frames).sqrt() + 1.0));
        check::within("b", b, f64::MIN_POSITIVE, 1.0)?;
        let curve = PcenCurve {
            gain: self.gain as f32,
            bias: self.bias as f32,
            power: self.power as f32,
            eps: self.eps as f32,
            scale: self.bias.powf(self.power) as f32,
        };
        Ok(Pcen { curve, b, max_size: self.max_size, max_axis: self.max_axis })
    }
}

/// Planned per-channel energy normalisation of any matrix `S` of energies, 0 or more, (rows, frames):
/// `P = (S / (eps + M)^gain + bias)^power - bias^power`, where `M` is `S` smoothed along each row,
/// `M[t] = b S[t] + (1 - b) M[t-1]` with `M[-1] = 1`.
///
/// `b` follows from the time constant of `T` frames as `(sqrt(1 + 4 T^2) - 1) / (2 T^2)`. With a power of 0 the result is
/// `ln(1 + S / (eps + M)^gain)`. Source: Wang et al. 2017, Lostanlen et al. 2019; librosa 0.11 `pcen`.
///
/// ```
/// use mgr_features::pcen::PcenCurveConfig;
/// let pcen = PcenCurveConfig::default().plan(22_050.0 / 512.0)?;
/// // A constant is normalised to much the same value whatever its size.
/// let settled = |level| -> Result<f32, mgr_features::FeatureError> {
///     let (out, _) = pcen.process(ndarray::Array2::from_elem((1, 1000), level).view(), None)?;
///     Ok(out[[0, 999]])
/// };
/// assert!((settled(1e3)? - settled(1e6)?).abs() < 0.2 * settled(1e3)?);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pcen {
    curve: PcenCurve,
    b: f64,
    max_size: usize,
    max_axis: MaxAxis,
}

impl Pcen {
    /// The coefficient of the smoothing.
    #[must_use]
    pub fn b(&self) -> f64 {
        self.b
    }

    /// Normalises a matrix of energies, and gives the smoothed energies of its last column.
    ///
    /// `state` holds the smoothed energies of the column before the first, such as an earlier call gave; ones without it.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for an energy that is negative or not finite, [`FeatureError::Shape`] for a state of
    /// another number of rows, [`FeatureError::Memory`].
    pub fn process(
        &self,
        energies: ArrayView2<'_, f32>,
        state: Option<ArrayView1<'_, f64>>,
    ) -> Result<(Array2<f32>, Array1<f64>), FeatureError> {
        let (rows, columns) = energies.dim();
        if let Some(bad) = energies.iter().find(|v| !(0.0..=f32::MAX).contains(*v)) {
            return Err(FeatureError::parameter("energies", bad, "finite and 0 or more"));
        }
        let mut smoothed = Smoothing::new(rows);
        if let Some(state) = state {
            if state.len() != rows {
                let (what, got_rows) = ("state", state.len());
                return Err(FeatureError::Shape { what, got_rows, got_columns: 1, rows, columns: 1 });
            }
            smoothed.state.iter_mut().zip(state).for_each(|(to, from)| *to = *from);
        }
        let mut out = check::matrix(rows, columns)?;
        out.assign(&energies);
        let largest = match (self.max_size, self.max_axis) {
            (1, _) | (_, MaxAxis::Frequency) => None,
            (size, MaxAxis::Time) => Some(largest_in_time(energies, size)?),
        };
        for (t, mut column) in out.columns_mut().into_iter().enumerate() {
            let Some(column) = column.as_slice_mut() else { continue };
            match &largest {
                Some(largest) => {
                    smoothed.reference.iter_mut().zip(largest.column(t)).for_each(|(to, from)| *to = *from);
                    self.smooth_and_bend(column, &mut smoothed);
                }
                None => self.column(column, &mut smoothed),
            }
        }
        Ok((out, Array1::from_vec(smoothed.state)))
    }

    /// Normalises the next column in place, the largest of neighbours taken in frequency.
    fn column(&self, column: &mut [f32], smoothing: &mut Smoothing) {
        if self.max_size > 1 {
            largest_of_neighbours(column, self.max_size, &mut smoothing.reference);
        } else {
            smoothing.reference.copy_from_slice(column);
        }
        self.smooth_and_bend(column, smoothing);
    }

    fn smooth_and_bend(&self, column: &mut [f32], smoothing: &mut Smoothing) {
        let Smoothing { state, reference, smoothed } = smoothing;
        smooth(state, reference, self.b, smoothed);
        pcen(column, smoothed, &self.curve);
    }
}

/// The smoothed energies of each row, and buffers for a column.
#[derive(Debug, Clone)]
struct Smoothing {
    state: Vec<f64>,
    reference: Vec<f32>,
    smoothed: Vec<f32>,
}

impl Smoothing {
    fn new(rows: usize) -> Self {
        Self { state: vec![1.0; rows], reference: vec![0.0; rows], smoothed: vec![0.0; rows] }
    }
}

/// The largest of `size` neighbours, of which half, rounded down, come before; the ends are mirrored, which adds nothing that
/// is not already there.
fn largest_of_neighbours(values: &[f32], size: usize, out: &mut [f32]) {
    let (before, after) = (size / 2, size - size / 2 - 1);
    let n = values.len();
    for (i, o) in out.iter_mut().enumerate() {
        // A mirror image reaches back into the signal from its end: `before - i` values at the start, likewise at the end.
        let first = i.saturating_sub(before);
        let last = i.saturating_add(after).min(n - 1);
        let from_start = before.saturating_sub(i).min(n);
        let from_end = n - (i.saturating_add(after) + 1).saturating_sub(n).min(n);
        let inside = &values[first..=last];
        let mirrored = values[..from_start].iter().chain(&values[from_end..]);
        *o = inside.iter().chain(mirrored).copied().fold(f32::NEG_INFINITY, f32::max);
    }
}

fn largest_in_time(energies: ArrayView2<'_, f32>, size: usize) -> Result<Array2<f32>, FeatureError> {
    let (rows, columns) = energies.dim();
    let mut out = check::matrix(rows, columns)?;
    let (mut row, mut largest) = (vec![0.0; columns], vec![0.0; columns]);
    for (from, mut to) in energies.rows().into_iter().zip(out.rows_mut()) {
        row.iter_mut().zip(from).for_each(|(r, v)| *r = *v);
        largest_of_neighbours(&row, size, &mut largest);
        to.iter_mut().zip(&largest).for_each(|(o, v)| *o = *v);
    }
    Ok(out)
}

/// Parameters of per-channel energy normalisation of a mel spectrogram. Defaults are what librosa's documentation does:
/// mel bands of magnitudes, scaled to 32-bit integers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PcenConfig {
    /// The transform.
    pub stft: StftConfig,
    /// The filter bank.
    pub bank: MelBankConfig,
    /// Exponent of the magnitude under the filters, over 0 and at most 16. Default 1.
    pub spectrum_power: f32,
    /// Factor of the mel spectrogram, over 0 and at most 1e12. Default 2^31.
    pub scale: f32,
    /// The normalisation.
    pub curve: PcenCurveConfig,
}

impl Default for PcenConfig {
    fn default() -> Self {
        Self {
            stft: StftConfig::default(),
            bank: MelBankConfig::default(),
            spectrum_power: 1.0,
            scale: 2_147_483_648.0,
            curve: PcenCurveConfig::default(),
        }
    }
}

impl PcenConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`MelConfig::plan`] and [`PcenCurveConfig::plan`].
    pub fn plan(&self, sample_rate: u32) -> Result<MelPcen, FeatureError> {
        let mel = MelConfig { stft: self.stft.clone(), bank: self.bank.clone(), power: self.spectrum_power };
        let mel = mel.plan_in(Precision::Double, sample_rate)?;
        check::within("scale", f64::from(self.scale), f64::from(f32::MIN_POSITIVE), 1e12)?;
        let curve = self.curve.plan(f64::from(sample_rate) / self.stft.hop_length as f64)?;
        Ok(MelPcen { mel, scale: self.scale, curve: Arc::new(curve) })
    }
}

/// Planned per-channel energy normalisation of a mel spectrogram, (bands, frames).
///
/// The transform is computed in f64: the normalisation lifts bands that lie 150 dB under the others, where a transform in
/// f32 has nothing but its own rounding, to the same size. A stream carries the smoothed energies from column to column.
///
/// ```
/// use mgr_features::pcen::PcenConfig;
/// let pcen = PcenConfig::default().plan(22_050)?;
/// assert_eq!(pcen.process(&vec![0.1; 22_050])?.dim(), (128, 44));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MelPcen {
    mel: Mel,
    scale: f32,
    curve: Arc<Pcen>,
}

/// Buffers of one computation; make one per thread with [`MelPcen::scratch_for`] and use it again.
#[derive(Debug, Clone)]
pub struct MelPcenScratch {
    mel: MelScratch,
    smoothing: Smoothing,
    column: Vec<f32>,
    /// The mel spectrogram, where all of it is needed first.
    energies: Vec<f32>,
}

impl MelPcen {
    /// The mel spectrogram under it.
    #[must_use]
    pub fn mel(&self) -> &Mel {
        &self.mel
    }

    /// The normalisation.
    #[must_use]
    pub fn curve(&self) -> &Pcen {
        &self.curve
    }

    fn whole(&self) -> bool {
        self.curve.max_size > 1 && self.curve.max_axis == MaxAxis::Time
    }

    /// Buffers for [`MelPcen::process_into`] of signals of up to `samples` samples; any length will do where the plan
    /// streams.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> MelPcenScratch {
        let rows = self.mel.bank().n_mels();
        let frames = if self.whole() { self.mel.framing().frames(samples).unwrap_or(0) } else { 0 };
        MelPcenScratch {
            mel: self.mel.scratch(),
            smoothing: Smoothing::new(rows),
            column: vec![0.0; rows],
            energies: vec![0.0; rows.saturating_mul(frames)],
        }
    }

    fn scratch(&self) -> MelPcenScratch {
        self.scratch_for(0)
    }

    /// The normalised mel spectrogram of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The normalised mel spectrogram of a signal into `out` of (bands, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`] also for
    /// a signal longer than the scratch was made for.
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut MelPcenScratch,
    ) -> Result<(), FeatureError> {
        const MISFIT: FeatureError = FeatureError::Scratch { plan: "pcen" };
        let rows = self.mel.bank().n_mels();
        let MelPcenScratch { mel, smoothing, column, energies } = scratch;
        self.mel.fits(mel)?;
        if (smoothing.state.len(), column.len()) != (rows, rows) {
            return Err(MISFIT);
        }
        let frames = self.mel.framing().frames(samples.len())?;
        check::shape(&out, rows, frames)?;
        check::finite(samples)?;
        smoothing.state.fill(1.0);
        let span = Span::whole(samples);
        if !self.whole() {
            for_each_column(out, column, |t, out| self.column(t, span, mel, smoothing, out));
            return Ok(());
        }
        let energies = energies.get_mut(..rows * frames).ok_or(MISFIT)?;
        let view = ArrayViewMut2::from_shape((rows, frames).f(), &mut *energies).map_err(|_| MISFIT)?;
        self.mel.process_columns(samples, view, mel, |column| self.scale(column))?;
        let (before, after) = (self.curve.max_size / 2, self.curve.max_size - self.curve.max_size / 2);
        for_each_column(out, column, |t, out| {
            // Mirror images at the ends add nothing unless they reach past what is inside, that is, for clips shorter than
            // the neighbourhood; frames before the first and after the last are then those mirrored.
            let inside = t.saturating_sub(before)..(t + after).min(frames);
            let from_start = 0..before.saturating_sub(t).min(frames);
            let from_end = frames - (t + after).saturating_sub(frames).min(frames)..frames;
            smoothing.reference.fill(0.0);
            for from in inside.chain(from_start).chain(from_end) {
                let column = &energies[from * rows..(from + 1) * rows];
                smoothing.reference.iter_mut().zip(column).for_each(|(m, v)| *m = m.max(*v));
            }
            out.copy_from_slice(&energies[t * rows..(t + 1) * rows]);
            self.curve.smooth_and_bend(out, smoothing);
        });
        Ok(())
    }

    fn scale(&self, column: &mut [f32]) {
        // Energies that overflow would be nothing but infinities from there on.
        column.iter_mut().for_each(|v| *v = (*v * self.scale).min(f32::MAX));
    }

    fn column(
        &self,
        t: usize,
        span: Span<'_>,
        scratch: &mut MelScratch,
        smoothing: &mut Smoothing,
        out: &mut [f32],
    ) {
        self.mel.column(t, span, &mut scratch.stft, &mut scratch.spectrum, out);
        self.scale(out);
        self.curve.column(out, smoothing);
    }

    /// Computes the same columns while samples arrive.
    ///
    /// # Errors
    /// [`FeatureError::NotStreamable`] where the largest of neighbours in time is taken.
    pub fn stream(&self) -> Result<ColumnStream, FeatureError> {
        if self.whole() {
            let reason = "max_axis is time, and half of the neighbours come later";
            return Err(FeatureError::NotStreamable { feature: "pcen", reason });
        }
        let MelPcenScratch { mel, smoothing, .. } = self.scratch();
        let rows = self.mel.bank().n_mels();
        let kernel = Kernel { plan: self.clone(), mel, smoothing };
        Ok(ColumnStream::new(*self.mel.framing(), rows, Box::new(kernel)))
    }
}

struct Kernel {
    plan: MelPcen,
    mel: MelScratch,
    smoothing: Smoothing,
}

impl ColumnKernel for Kernel {
    fn column(&mut self, t: usize, span: Span<'_>, out: &mut [f32]) {
        self.plan.column(t, span, &mut self.mel, &mut self.smoothing, out);
    }
}

impl Extractor for MelPcen {
    by_process_into!("pcen");

    fn frame_length(&self) -> usize {
        self.mel.frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        Ok(Layout { unit: Unit::Ratio, ..self.mel.layout(samples)? })
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        self.stream()
    }
}
