//! The spectrograms of MLFCF, multi-level local feature coding fusion (Ng, Zeng and Wang 2020), for segments of 10 s at
//! 22.05 kHz: natural logarithms, hop 1024, 216 frames. The networks take them as (frames, rows): transpose.
//!
//! [`mel`], [`harmonic`], [`percussive`] and [`MlfcfScatteringConfig`] are configurations of features; [`MlfcfConfig`] computes
//! them together with the spectrogram that the two parts come from, each transform once.
//!
//! The separation looks at a spectrogram of 512 samples every 1024: half of the signal has no part in it. The paper's networks
//! were trained so, and so are these; other sizes are one field away.

use ndarray::{Array2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use crate::compress::Compression;
use crate::hpss::{Component, Hpss, HpssConfig, HpssScratch, HpssSpectrogramConfig};
use crate::log_mel::{LogMel, LogMelConfig};
use crate::mel::{MelConfig, MelScratch};
use crate::scattering::{MlfcfScattering, MlfcfScatteringConfig, ScatteringScratch};
use crate::stft::StftConfig;
use crate::{Extractor, FeatureError, check};

/// Samples of a segment: 10 s at 22.05 kHz.
pub const SEGMENT: usize = 220_500;

fn hpss() -> HpssConfig {
    HpssConfig {
        stft: StftConfig { n_fft: 512, hop_length: 1024, ..Default::default() },
        ..Default::default()
    }
}

fn part(component: Component) -> HpssSpectrogramConfig {
    HpssSpectrogramConfig { hpss: hpss(), component, power: 1.0, compression: Some(LN) }
}

/// The floor keeps the logarithms of silence finite; the published code leaves negative infinity to its loader.
const LN: Compression = Compression::Ln { floor: 1e-10 };

/// 128 mel bands of power, 2048/1024, zeros replaced by 1e-6, logarithm: (128, 216) for a segment.
#[must_use]
pub fn mel() -> LogMelConfig {
    let stft = StftConfig { hop_length: 1024, ..StftConfig::default() };
    LogMelConfig {
        mel: MelConfig { stft, ..MelConfig::default() },
        compression: Compression::LnReplacingZero { zero: 1e-6 },
    }
}

/// Logarithm of the harmonic magnitude, 512/1024, medians of 31: (257, 216) for a segment.
#[must_use]
pub fn harmonic() -> HpssSpectrogramConfig {
    part(Component::Harmonic)
}

/// Logarithm of the percussive magnitude, 512/1024, medians of 31: (257, 216) for a segment.
#[must_use]
pub fn percussive() -> HpssSpectrogramConfig {
    part(Component::Percussive)
}

/// Parameters of the spectrograms of MLFCF.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlfcfConfig {
    /// The mel spectrogram. Default [`mel`].
    pub mel: LogMelConfig,
    /// The separation, whose spectrogram is also an output. Default 512/1024, medians of 31.
    pub hpss: HpssConfig,
    /// Compression of the magnitudes: whole, harmonic, percussive. Default the logarithm with a floor of 1e-10.
    pub compression: Compression,
    /// The scattering transform.
    pub scattering: MlfcfScatteringConfig,
}

impl Default for MlfcfConfig {
    fn default() -> Self {
        Self { mel: mel(), hpss: hpss(), compression: LN, scattering: MlfcfScatteringConfig::default() }
    }
}

impl MlfcfConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`LogMelConfig::plan`], [`HpssConfig::plan`], [`Compression::check`] and
    /// [`MlfcfScatteringConfig::plan`].
    pub fn plan(&self, sample_rate: u32) -> Result<Mlfcf, FeatureError> {
        self.compression.check()?;
        Ok(Mlfcf {
            mel: self.mel.plan(sample_rate)?,
            hpss: self.hpss.plan()?,
            compression: self.compression,
            scattering: self.scattering.plan(sample_rate)?,
        })
    }
}

/// The spectrograms of one signal, (rows, frames) each.
#[derive(Debug, Clone, PartialEq)]
pub struct MlfcfSpectrograms {
    /// Logarithm of the magnitude of the transform under the separation.
    pub stft: Array2<f32>,
    /// Logarithm of the mel spectrogram.
    pub mel: Array2<f32>,
    /// Logarithm of the harmonic magnitude.
    pub harmonic: Array2<f32>,
    /// Logarithm of the percussive magnitude.
    pub percussive: Array2<f32>,
    /// Logarithm of the scattering of the signal divided by its peak.
    pub scattering: Array2<f32>,
}

/// Where [`Mlfcf::process_into`] writes: views of the shapes of [`MlfcfSpectrograms`], any memory layout.
#[derive(Debug)]
pub struct MlfcfViews<'a> {
    /// Logarithm of the magnitude of the transform under the separation.
    pub stft: ArrayViewMut2<'a, f32>,
    /// Logarithm of the mel spectrogram.
    pub mel: ArrayViewMut2<'a, f32>,
    /// Logarithm of the harmonic magnitude.
    pub harmonic: ArrayViewMut2<'a, f32>,
    /// Logarithm of the percussive magnitude.
    pub percussive: ArrayViewMut2<'a, f32>,
    /// Logarithm of the scattering of the signal divided by its peak.
    pub scattering: ArrayViewMut2<'a, f32>,
}

impl MlfcfSpectrograms {
    /// All of them, to be written.
    #[must_use]
    pub fn views(&mut self) -> MlfcfViews<'_> {
        MlfcfViews {
            stft: self.stft.view_mut(),
            mel: self.mel.view_mut(),
            harmonic: self.harmonic.view_mut(),
            percussive: self.percussive.view_mut(),
            scattering: self.scattering.view_mut(),
        }
    }
}

/// The planned spectrograms of MLFCF, the separation done once for three of them.
///
/// ```
/// use mgr_features::mlfcf::{MlfcfConfig, SEGMENT};
/// let mlfcf = MlfcfConfig::default().plan(22_050)?;
/// let segment: Vec<f32> = (0..SEGMENT).map(|n| (n as f32 * 0.1).sin()).collect();
/// let spectrograms = mlfcf.process(&segment)?;
/// assert_eq!((spectrograms.mel.dim(), spectrograms.harmonic.dim()), ((128, 216), (257, 216)));
/// assert_eq!(spectrograms.scattering.dim(), (280, 216));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Mlfcf {
    mel: LogMel,
    hpss: Hpss,
    compression: Compression,
    scattering: MlfcfScattering,
}

/// Buffers of one computation; make one per thread with [`Mlfcf::scratch_for`] and use it again.
#[derive(Debug)]
pub struct MlfcfScratch {
    mel: MelScratch,
    hpss: HpssScratch,
    scattering: ScatteringScratch,
}

impl Mlfcf {
    /// Buffers for [`Mlfcf::process_into`] on signals of up to `samples` samples.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> MlfcfScratch {
        MlfcfScratch {
            mel: self.mel.scratch(),
            hpss: self.hpss.scratch(),
            scattering: self.scattering.scattering().scratch_for(samples),
        }
    }

    /// The spectrograms of a signal, allocated.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<MlfcfSpectrograms, FeatureError> {
        let (mel, scattering) = (self.mel.layout(samples.len())?, self.scattering.layout(samples.len())?);
        let stft = self.hpss.stft();
        let whole = || check::matrix(stft.bins(), stft.framing().frames(samples.len())?);
        let mut out = MlfcfSpectrograms {
            stft: whole()?,
            mel: check::matrix(mel.rows, mel.columns)?,
            harmonic: whole()?,
            percussive: whole()?,
            scattering: check::matrix(scattering.rows, scattering.columns)?,
        };
        self.process_into(samples, out.views(), &mut self.scratch_for(samples.len()))?;
        Ok(out)
    }

    /// The spectrograms of a signal into `out`. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        samples: &[f32],
        mut out: MlfcfViews<'_>,
        scratch: &mut MlfcfScratch,
    ) -> Result<(), FeatureError> {
        self.mel.process_into(samples, out.mel, &mut scratch.mel)?;
        self.hpss.parts_into(
            samples,
            [&mut out.stft, &mut out.harmonic, &mut out.percussive],
            &mut scratch.hpss,
        )?;
        self.scattering.process_into(samples, out.scattering, &mut scratch.scattering)?;
        for matrix in [out.stft, out.harmonic, out.percussive] {
            self.compression.apply(matrix);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn together_is_the_same_as_one_by_one() {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        let samples: Vec<f32> = (0..50_000).map(|n| 0.3 * (n as f32 * 0.3).sin() + 0.1 * next()).collect();
        let all = MlfcfConfig::default().plan(22_050).unwrap().process(&samples).unwrap();
        assert_eq!(all.mel, mel().plan(22_050).unwrap().process(&samples).unwrap());
        assert_eq!(all.harmonic, harmonic().plan(22_050).unwrap().process(&samples).unwrap());
        assert_eq!(all.percussive, percussive().plan(22_050).unwrap().process(&samples).unwrap());
        let scattering = MlfcfScatteringConfig::default().plan(22_050).unwrap();
        assert_eq!(all.scattering, scattering.process(&samples).unwrap());
        assert!(all.stft.iter().zip(&all.harmonic).all(|(whole, part)| part <= whole));
    }

    #[test]
    fn silence_has_the_floors_as_values() {
        let all = MlfcfConfig::default().plan(22_050).unwrap().process(&[0.0; 5000]).unwrap();
        assert!(all.mel.iter().all(|v| (v - 1e-6f32.ln()).abs() < 1e-5));
        assert!(all.harmonic.iter().chain(&all.stft).all(|v| (v - 1e-10f32.ln()).abs() < 1e-5));
    }
}
