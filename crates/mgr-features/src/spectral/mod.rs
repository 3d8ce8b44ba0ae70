//! Descriptors of the shape and strength of a spectrum or a frame: a few numbers each column.
//!
//! Those of a spectrum are planned into a [`Spectral`], whatever the descriptor: from samples, by a transform of its own, or
//! from a magnitude spectrogram that is there already. Those of the samples themselves are planned into a [`Framewise`].
//!
//! Values are f32; transforms and sums are taken in f64, for quiet bins count as much as loud ones. A silent column gives 1 for
//! the flatness and 0 for all others, the contrast in decibels as well: both sides are at the floor. Samples so large that sums
//! of their powers leave f32 (over about 1e16) give infinities or NaN.

mod centroid;
mod contrast;
mod flatness;
mod framewise;
mod level;
mod poly;
mod rolloff;

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

pub use centroid::{BandwidthConfig, CentroidConfig};
pub use contrast::{ContrastConfig, ContrastScale};
pub use flatness::FlatnessConfig;
pub use framewise::{Framewise, FramewiseScratch, RmsConfig, ZeroCrossingConfig, ZeroSign};
pub use level::SpectralRmsConfig;
pub use poly::PolyConfig;
pub use rolloff::RolloffConfig;

use crate::column::{ColumnKernel, for_each_column};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit};
use crate::frame::{Framing, Span};
use crate::spectrogram::{Exponent, framed_time_axis};
use crate::stft::{Precision, Stft, StftConfig, StftScratch};
use crate::{ColumnStream, FeatureError, check};

/// A descriptor of a column of a spectrogram.
trait Descriptor: Send + Sync + std::fmt::Debug {
    /// The feature's name.
    fn name(&self) -> &'static str;

    /// Values a column.
    fn rows(&self) -> usize {
        1
    }

    /// What the rows are.
    fn row_axis(&self) -> Axis {
        Axis::Name { names: vec![self.name().to_owned()] }
    }

    /// What the values are.
    fn unit(&self) -> Unit;

    /// The power of the magnitude that the column is to hold.
    fn exponent(&self) -> Exponent {
        Exponent::Magnitude
    }

    /// Values of room that a column needs for itself.
    fn work(&self) -> usize {
        0
    }

    /// Values that each column leaves for the end.
    fn kept(&self) -> usize {
        0
    }

    /// Writes the descriptor of a column.
    fn column(&self, spectrum: &[f32], work: &mut [f32], kept: &mut [f32], out: &mut [f32]);

    /// Why the whole signal must be there before the first value is final, if so.
    fn needs_all(&self) -> Option<&'static str> {
        None
    }

    /// Makes the values final, from what all columns in turn have left; called only where [`Descriptor::needs_all`] says so.
    fn finish(&self, out: ArrayViewMut2<'_, f32>, kept: &mut [f32]) {
        let _ = (out, kept);
    }
}

/// A planned descriptor of spectra, (values, frames).
///
/// ```
/// use mgr_features::spectral::CentroidConfig;
/// let centroid = CentroidConfig::default().plan(22_050)?;
/// let turn = 1000.0 * std::f64::consts::TAU / 22_050.0;
/// let sine: Vec<f32> = (0..22_050).map(|n| (f64::from(n) * turn).sin() as f32).collect();
/// let hz = centroid.process(&sine)?;
/// assert_eq!(hz.dim(), (1, 44));
/// assert!((hz[[0, 20]] - 1000.0).abs() < 1.0);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Spectral {
    stft: Stft,
    descriptor: Arc<dyn Descriptor>,
    sample_rate: u32,
}

/// Buffers of one computation; make one per thread with [`Spectral::scratch_for`] and use it again.
#[derive(Debug, Clone)]
pub struct SpectralScratch {
    name: &'static str,
    stft: StftScratch,
    spectrum: Vec<f32>,
    work: Vec<f32>,
    /// Of one column, or of all columns of a clip.
    kept: Vec<f32>,
    column: Vec<f32>,
}

impl Spectral {
    /// Plans a descriptor, which is made from the frequencies of the bins' sampling rate and length.
    fn plan<D: Descriptor + 'static>(
        stft: &StftConfig,
        sample_rate: u32,
        descriptor: impl FnOnce(usize) -> Result<D, FeatureError>,
    ) -> Result<Self, FeatureError> {
        check::rate(sample_rate)?;
        let n_fft = stft.n_fft;
        let stft = stft.plan_in(Precision::Double)?;
        let descriptor = Arc::new(descriptor(n_fft)?);
        Ok(Self { stft, descriptor, sample_rate })
    }

    /// The framing rule.
    #[must_use]
    pub fn framing(&self) -> &Framing {
        self.stft.framing()
    }

    /// Buffers for [`Spectral::process_into`], whatever the length of the signal; for a descriptor that needs the whole signal
    /// they must be made for a length: [`Spectral::scratch_for`].
    #[must_use]
    pub fn scratch(&self) -> SpectralScratch {
        self.scratch_for(0)
    }

    /// Buffers for [`Spectral::process_into`] and signals of up to `samples` samples.
    ///
    /// Where memory does not suffice for them they are refused when they are used.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> SpectralScratch {
        self.scratch_of_frames(self.framing().frames(samples).unwrap_or(0))
    }

    fn scratch_of_frames(&self, frames: usize) -> SpectralScratch {
        let columns = if self.descriptor.needs_all().is_some() { frames } else { 1 };
        SpectralScratch {
            name: self.descriptor.name(),
            stft: self.stft.scratch(),
            spectrum: vec![0.0; self.stft.bins()],
            work: vec![0.0; self.descriptor.work()],
            kept: check::vector(self.descriptor.kept(), columns).unwrap_or_default(),
            column: vec![0.0; self.descriptor.rows()],
        }
    }

    fn fits(&self, scratch: &SpectralScratch, frames: usize) -> Result<(), FeatureError> {
        let descriptor = &*self.descriptor;
        let columns = if descriptor.needs_all().is_some() { frames } else { 1 };
        let enough = descriptor.kept().checked_mul(columns).is_some_and(|n| scratch.kept.len() >= n);
        let same = scratch.name == descriptor.name()
            && self.stft.fits(&scratch.stft).is_ok()
            && scratch.spectrum.len() == self.stft.bins()
            && scratch.work.len() == descriptor.work()
            && scratch.column.len() == descriptor.rows();
        if same && enough { Ok(()) } else { Err(FeatureError::Scratch { plan: descriptor.name() }) }
    }

    /// The descriptor of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The descriptor of a signal into `out` of (values, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], and [`FeatureError::Scratch`] also for
    /// a scratch made for shorter signals where the descriptor needs the whole signal.
    pub fn process_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut SpectralScratch,
    ) -> Result<(), FeatureError> {
        let frames = self.framing().frames(samples.len())?;
        self.fits(scratch, frames)?;
        check::shape(&out, self.descriptor.rows(), frames)?;
        check::finite(samples)?;
        let span = Span::whole(samples);
        let exponent = self.descriptor.exponent();
        self.run(out, scratch, |t, stft, spectrum| {
            self.stft.transform(t, span, stft);
            exponent.apply(&self.stft, stft, spectrum);
        });
        Ok(())
    }

    /// The descriptor of a magnitude spectrogram of (bins, frames), allocated.
    ///
    /// # Errors
    /// [`FeatureError::Shape`], [`FeatureError::NotFinite`], [`FeatureError::Memory`], and [`FeatureError::Parameter`] for a
    /// negative value.
    pub fn process_spectrogram(&self, magnitude: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        check::spectrogram(magnitude, self.stft.bins())?;
        let (rows, frames) = (self.descriptor.rows(), magnitude.ncols());
        let mut out = check::matrix(rows, frames)?;
        let mut scratch = self.scratch_of_frames(frames);
        if self.fits(&scratch, frames).is_err() {
            return Err(FeatureError::Memory { rows, columns: frames });
        }
        let exponent = self.descriptor.exponent();
        self.run(out.view_mut(), &mut scratch, |t, _, spectrum| {
            for (to, from) in spectrum.iter_mut().zip(magnitude.column(t)) {
                *to = match exponent {
                    Exponent::Magnitude => *from,
                    Exponent::Power => from * from,
                    Exponent::Other(p) => from.powf(p),
                };
            }
        });
        Ok(out)
    }

    /// The power of the magnitude that the descriptor is computed from.
    pub(crate) fn exponent(&self) -> Exponent {
        self.descriptor.exponent()
    }

    /// The descriptor of a spectrogram that already has that power, as the plan itself would have computed it.
    pub(crate) fn process_raised(
        &self,
        spectrogram: ArrayView2<'_, f32>,
    ) -> Result<Array2<f32>, FeatureError> {
        let (rows, frames) = (self.descriptor.rows(), spectrogram.ncols());
        let mut out = check::matrix(rows, frames)?;
        let mut scratch = self.scratch_of_frames(frames);
        if self.fits(&scratch, frames).is_err() {
            return Err(FeatureError::Memory { rows, columns: frames });
        }
        self.run(out.view_mut(), &mut scratch, |t, _, spectrum| {
            spectrum.iter_mut().zip(spectrogram.column(t)).for_each(|(to, from)| *to = *from);
        });
        Ok(out)
    }

    /// Values a column.
    pub(crate) fn rows(&self) -> usize {
        self.descriptor.rows()
    }

    /// The descriptor of spectra that `spectrum_of(t, bins)` gives, of the power that it asks for. Allocates nothing.
    pub(crate) fn of_spectra(
        &self,
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut SpectralScratch,
        spectrum_of: impl Fn(usize, &mut [f32]),
    ) -> Result<(), FeatureError> {
        self.fits(scratch, out.ncols())?;
        self.run(out, scratch, |t, _, spectrum| spectrum_of(t, spectrum));
        Ok(())
    }

    /// Fills `out`, whose spectra `spectrum_of(t, scratch, bins)` gives; the scratch fits.
    fn run(
        &self,
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut SpectralScratch,
        spectrum_of: impl Fn(usize, &mut StftScratch, &mut [f32]),
    ) {
        let SpectralScratch { stft, spectrum, work, kept, column, .. } = scratch;
        let size = self.descriptor.kept();
        let whole = self.descriptor.needs_all().is_some();
        for_each_column(out.view_mut(), column, |t, column| {
            spectrum_of(t, stft, spectrum);
            let start = if whole { t * size } else { 0 };
            self.descriptor.column(spectrum, work, &mut kept[start..start + size], column);
        });
        if whole {
            let all = size * out.ncols();
            self.descriptor.finish(out, &mut kept[..all]);
        }
    }

    /// Computes the same columns while samples arrive.
    ///
    /// # Errors
    /// [`FeatureError::NotStreamable`] for a descriptor that needs the whole signal.
    pub fn stream(&self) -> Result<ColumnStream, FeatureError> {
        match self.descriptor.needs_all() {
            Some(reason) => Err(FeatureError::NotStreamable { feature: self.descriptor.name(), reason }),
            None => {
                let kernel = Kernel { plan: self.clone(), scratch: self.scratch() };
                Ok(ColumnStream::new(*self.framing(), self.descriptor.rows(), Box::new(kernel)))
            }
        }
    }
}

struct Kernel {
    plan: Spectral,
    scratch: SpectralScratch,
}

impl ColumnKernel for Kernel {
    fn column(&mut self, t: usize, span: Span<'_>, out: &mut [f32]) {
        let Spectral { stft, descriptor, .. } = &self.plan;
        let SpectralScratch { stft: transformed, spectrum, work, kept, .. } = &mut self.scratch;
        stft.transform(t, span, transformed);
        descriptor.exponent().apply(stft, transformed, spectrum);
        descriptor.column(spectrum, work, kept, out);
    }
}

impl Extractor for Spectral {
    fn name(&self) -> &'static str {
        self.descriptor.name()
    }

    fn frame_length(&self) -> usize {
        self.framing().frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        Ok(Layout {
            rows: self.descriptor.rows(),
            columns: self.framing().frames(samples)?,
            row_axis: self.descriptor.row_axis(),
            column_axis: framed_time_axis(self.framing(), self.sample_rate),
            unit: self.descriptor.unit(),
        })
    }

    fn scratch(&self) -> Scratch {
        Scratch::new(Self::scratch(self))
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn extract_into(
        &self,
        samples: &[f32],
        out: ArrayViewMut2<'_, f32>,
        scratch: &mut Scratch,
    ) -> Result<(), FeatureError> {
        self.process_into(samples, out, scratch.of(self.descriptor.name())?)
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        self.stream()
    }
}
