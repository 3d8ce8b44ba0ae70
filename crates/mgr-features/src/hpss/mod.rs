//! Harmonic-percussive source separation: tones are lines along time, clicks are lines along frequency, and medians across
//! either line take it away.
//!
//! [`SeparationConfig`] works on any spectrogram, [`HpssConfig`] on a signal: to spectrograms, masks or two signals. The
//! matrices that a network takes are features of their own: [`HpssSpectrogramConfig`], [`HpssMaskConfig`], [`HpssMelConfig`].
//!
//! A signal goes through in blocks of 32 columns (64 for long medians), so that everything stays in the cache and memory does
//! not grow with the signal: a ring of the columns that the harmonic median looks at, the medians of the block by a network
//! of minima and maxima over 64 lanes, which are bins for the harmonic median and stretches of columns for the percussive one,
//! and the masks. A stream does the same one column at a time, half a harmonic median behind the signal.
//!
//! The forward transform is in f64: masks show the quietest bin as they do the loudest. All else is f32.
//!
//! Per value of a spectrogram, with medians of 31: 2 times 29 minima and maxima, 8 of them in one operation of AVX2; 3 values
//! moved between lines and lanes; 4 divisions for the masks.

mod audio;
mod config;
mod features;
mod median;
pub(crate) mod network;
mod separation;

use ndarray::ArrayViewMut2;

pub use audio::HpssAudioScratch;
pub use config::{HpssConfig, Mask, SeparationConfig};
pub use features::{
    Component, HpssFeatureScratch, HpssMask, HpssMaskConfig, HpssMel, HpssMelConfig, HpssSpectrogram,
    HpssSpectrogramConfig,
};
pub use separation::{Separated, Separation, SeparationScratch};

use crate::frame::Span;
use crate::stft::{Precision, Stft, StftScratch};
use crate::{FeatureError, check};
use separation::Column;

impl HpssConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`StftConfig::plan`](crate::stft::StftConfig::plan) and [`SeparationConfig::plan`].
    pub fn plan(&self) -> Result<Hpss, FeatureError> {
        let stft = self.stft.plan_in(Precision::Double)?;
        Ok(Hpss { stft, separation: self.separation.plan()? })
    }
}

/// A planned separation of a signal.
///
/// The transform is computed in f64, so that masks are true where the spectrum is a million times smaller than its largest
/// value, as the reference's are. Source: librosa 0.11 `decompose.hpss` of the magnitude of `stft`, and `effects.hpss`.
///
/// ```
/// use mgr_features::hpss::HpssConfig;
/// // A tone and a click.
/// let mut x: Vec<f32> = (0..22_050).map(|n| 0.2 * (n as f32 * 0.1).sin()).collect();
/// x[11_000] = 1.0;
/// let hpss = HpssConfig::default().plan()?;
/// let parts = hpss.process(&x)?;
/// assert_eq!(parts.harmonic.dim(), (1025, 44));
/// // As signals: with margins of 1 the two add up to the whole, and the click is in one of them.
/// let (tone, click) = hpss.audio(&x)?;
/// assert!(x.iter().zip(tone.iter().zip(&click)).all(|(x, (h, p))| (x - (h + p)).abs() < 1e-5));
/// assert!(click[11_000] > 0.8 && tone[11_000] < 0.4);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Hpss {
    stft: Stft,
    separation: Separation,
}

/// Buffers of one computation; make one per thread with [`Hpss::scratch`] and use it again.
#[derive(Debug, Clone)]
pub struct HpssScratch {
    stft: StftScratch,
    separation: SeparationScratch,
}

impl Hpss {
    /// The transform.
    #[must_use]
    pub fn stft(&self) -> &Stft {
        &self.stft
    }

    /// The medians and masks, for spectrograms that are there already.
    #[must_use]
    pub fn separation(&self) -> &Separation {
        &self.separation
    }

    /// Buffers for [`Hpss::process_into`] and [`Hpss::masks_into`].
    #[must_use]
    pub fn scratch(&self) -> HpssScratch {
        let separation = self.separation.scratch(self.stft.bins());
        HpssScratch { stft: self.stft.scratch(), separation }
    }

    /// The magnitude spectrograms of the two parts, (bins, frames).
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Separated<f32>, FeatureError> {
        self.separated(samples, Self::process_into)
    }

    /// As [`Hpss::process`], into matrices of (bins, frames) and any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        samples: &[f32],
        harmonic: ArrayViewMut2<'_, f32>,
        percussive: ArrayViewMut2<'_, f32>,
        scratch: &mut HpssScratch,
    ) -> Result<(), FeatureError> {
        self.write(samples, harmonic, percussive, scratch, |m, s| m * s)
    }

    /// The masks of the two parts, (bins, frames).
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn masks(&self, samples: &[f32]) -> Result<Separated<f32>, FeatureError> {
        self.separated(samples, Self::masks_into)
    }

    /// As [`Hpss::masks`], into matrices of (bins, frames) and any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn masks_into(
        &self,
        samples: &[f32],
        harmonic: ArrayViewMut2<'_, f32>,
        percussive: ArrayViewMut2<'_, f32>,
        scratch: &mut HpssScratch,
    ) -> Result<(), FeatureError> {
        self.write(samples, harmonic, percussive, scratch, |m, _| m)
    }

    #[allow(clippy::type_complexity)]
    fn separated(
        &self,
        samples: &[f32],
        into: impl Fn(
            &Self,
            &[f32],
            ArrayViewMut2<'_, f32>,
            ArrayViewMut2<'_, f32>,
            &mut HpssScratch,
        ) -> Result<(), FeatureError>,
    ) -> Result<Separated<f32>, FeatureError> {
        let (bins, frames) = (self.stft.bins(), self.stft.framing().frames(samples.len())?);
        let mut harmonic = check::matrix(bins, frames)?;
        let mut percussive = check::matrix(bins, frames)?;
        into(self, samples, harmonic.view_mut(), percussive.view_mut(), &mut self.scratch())?;
        Ok(Separated { harmonic, percussive })
    }

    fn write(
        &self,
        samples: &[f32],
        mut harmonic: ArrayViewMut2<'_, f32>,
        mut percussive: ArrayViewMut2<'_, f32>,
        scratch: &mut HpssScratch,
        value: impl Fn(f32, f32) -> f32 + Copy,
    ) -> Result<(), FeatureError> {
        let (bins, frames) = (self.stft.bins(), self.stft.framing().frames(samples.len())?);
        check::shape(&harmonic, bins, frames)?;
        check::shape(&percussive, bins, frames)?;
        self.each_column(samples, scratch, |t, column| {
            let parts = [
                (harmonic.column_mut(t), &*column.harmonic),
                (percussive.column_mut(t), &*column.percussive),
            ];
            for (mut place, masks) in parts {
                let values = masks.iter().zip(column.magnitude).map(|(m, s)| value(*m, *s));
                match place.as_slice_mut() {
                    Some(place) => place.iter_mut().zip(values).for_each(|(to, v)| *to = v),
                    None => place.iter_mut().zip(values).for_each(|(to, v)| *to = v),
                }
            }
        })
    }

    /// The magnitudes of the whole, the harmonic and the percussive part, all of one shape. Allocates nothing.
    pub(crate) fn parts_into(
        &self,
        samples: &[f32],
        parts: [&mut ArrayViewMut2<'_, f32>; 3],
        scratch: &mut HpssScratch,
    ) -> Result<(), FeatureError> {
        let (bins, frames) = (self.stft.bins(), self.stft.framing().frames(samples.len())?);
        let [whole, harmonic, percussive] = parts;
        check::shape(whole, bins, frames)?;
        check::shape(harmonic, bins, frames)?;
        check::shape(percussive, bins, frames)?;
        self.each_column(samples, scratch, |t, column| {
            let magnitude = column.magnitude.iter();
            whole.column_mut(t).iter_mut().zip(magnitude.clone()).for_each(|(to, s)| *to = *s);
            let places =
                harmonic.column_mut(t).into_iter().zip(column.harmonic.iter().zip(magnitude.clone()));
            places.for_each(|(to, (m, s))| *to = m * s);
            let places = percussive.column_mut(t).into_iter().zip(column.percussive.iter().zip(magnitude));
            places.for_each(|(to, (m, s))| *to = m * s);
        })
    }

    /// Hands each column of the magnitude spectrogram with its masks to `take`.
    fn each_column(
        &self,
        samples: &[f32],
        scratch: &mut HpssScratch,
        take: impl FnMut(usize, Column<'_>),
    ) -> Result<(), FeatureError> {
        let frames = self.stft.framing().frames(samples.len())?;
        self.fits(scratch)?;
        check::finite(samples)?;
        let span = Span::whole(samples);
        let HpssScratch { stft, separation } = scratch;
        let fill = |t: usize, out: &mut [f32]| {
            self.stft.transform(t, span, stft);
            self.stft.magnitude(stft, out);
        };
        self.separation.each_column(frames, separation, fill, take);
        Ok(())
    }

    fn fits(&self, scratch: &HpssScratch) -> Result<(), FeatureError> {
        let bins = self.stft.bins();
        if self.stft.fits(&scratch.stft).is_ok() && self.separation.fits(bins, &scratch.separation) {
            return Ok(());
        }
        Err(FeatureError::Scratch { plan: "hpss" })
    }
}
