//! The two parts of a signal as signals.

use num_complex::Complex32;

use super::{Hpss, HpssScratch};
use crate::frame::Span;
use crate::stft::InverseScratch;
use crate::{FeatureError, check};

/// Buffers of [`Hpss::audio_into`], for signals up to a length.
#[derive(Debug, Clone)]
pub struct HpssAudioScratch {
    hpss: HpssScratch,
    /// Complex columns not yet separated; column `t` is at place `t` modulo their number.
    ring: Vec<Complex32>,
    /// The percussive spectrogram, which waits until the harmonic signal is done.
    percussive: Vec<Complex32>,
    inverse: InverseScratch,
}

impl Hpss {
    /// Complex columns that are taken before the first of them is separated.
    fn places(&self) -> usize {
        self.separation.block() + self.separation.harmonic.half()
    }

    /// Buffers for [`Hpss::audio_into`] on signals of up to `samples` samples.
    #[must_use]
    pub fn audio_scratch(&self, samples: usize) -> HpssAudioScratch {
        let frames = self.stft.framing().frames(samples).unwrap_or(0);
        let bins = self.stft.bins();
        HpssAudioScratch {
            hpss: self.scratch(),
            ring: vec![Complex32::default(); self.places() * bins],
            percussive: vec![Complex32::default(); frames * bins],
            inverse: self.stft.inverse_scratch(),
        }
    }

    /// The harmonic and the percussive signal, each of the length of `samples`: the inverse transforms of the spectrogram
    /// times its masks. With margins over 1 something is left: subtract both from the signal to hear it.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn audio(&self, samples: &[f32]) -> Result<(Vec<f32>, Vec<f32>), FeatureError> {
        let signal = || check::matrix::<f32>(samples.len(), 1).map(|m| m.into_raw_vec_and_offset().0);
        let (mut harmonic, mut percussive) = (signal()?, signal()?);
        let mut scratch = self.audio_scratch(samples.len());
        self.audio_into(samples, &mut harmonic, &mut percussive, &mut scratch)?;
        Ok((harmonic, percussive))
    }

    /// As [`Hpss::audio`], into slices of the length of `samples`. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`], also
    /// where the scratch was made for a shorter signal.
    pub fn audio_into(
        &self,
        samples: &[f32],
        harmonic: &mut [f32],
        percussive: &mut [f32],
        scratch: &mut HpssAudioScratch,
    ) -> Result<(), FeatureError> {
        for out in [&*harmonic, &*percussive] {
            if out.len() != samples.len() {
                let (got_rows, rows) = (out.len(), samples.len());
                return Err(FeatureError::Shape {
                    what: "output",
                    got_rows,
                    got_columns: 1,
                    rows,
                    columns: 1,
                });
            }
        }
        self.audio_seen(samples, harmonic, percussive, scratch, |_, _| {})
    }

    /// As [`Hpss::audio_into`], into slices of any length, with each column of magnitudes handed to `see` in passing.
    pub(crate) fn audio_seen(
        &self,
        samples: &[f32],
        harmonic: &mut [f32],
        percussive: &mut [f32],
        scratch: &mut HpssAudioScratch,
        mut see: impl FnMut(usize, &[f32]),
    ) -> Result<(), FeatureError> {
        let (bins, frames) = (self.stft.bins(), self.stft.framing().frames(samples.len())?);
        let places = self.places();
        self.fits(&scratch.hpss)?;
        if scratch.ring.len() != places * bins || scratch.percussive.len() < frames * bins {
            return Err(FeatureError::Scratch { plan: "hpss" });
        }
        check::finite(samples)?;
        let span = Span::whole(samples);
        let HpssAudioScratch { hpss, ring, percussive: waiting, inverse } = scratch;
        let HpssScratch { stft, separation } = hpss;
        separation.start();
        self.stft.inverse_with(frames, harmonic, inverse, |t, spectrum| {
            self.separation.advance(t, frames, separation, |t, magnitude| {
                self.stft.transform(t, span, stft);
                self.stft.magnitude(stft, magnitude);
                see(t, magnitude);
                self.stft.spectrum(stft, &mut ring[t % places * bins..][..bins]);
            });
            let masks = self.separation.column(t, separation);
            let column = &ring[t % places * bins..][..bins];
            let parts = spectrum.iter_mut().zip(&mut waiting[t * bins..][..bins]);
            let masks = masks.harmonic.iter().zip(masks.percussive.iter());
            for (((h, p), (mask_h, mask_p)), c) in parts.zip(masks).zip(column) {
                *h = c * *mask_h;
                *p = c * *mask_p;
            }
        })?;
        self.stft.inverse_with(frames, percussive, inverse, |t, spectrum| {
            spectrum.copy_from_slice(&waiting[t * bins..][..bins]);
        })
    }
}
