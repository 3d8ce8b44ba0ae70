//! Back from features to sound: what a model hears.
//!
//! A mel spectrogram is turned into magnitudes by non-negative least squares, magnitudes into a signal by the algorithm of
//! Griffin and Lim; log-mel spectrograms and cepstral coefficients are turned into mel spectrograms first.
//!
//! ```
//! use mgr_features::invert::InversionConfig;
//! use mgr_features::mfcc::MfccConfig;
//! let config = MfccConfig::default();
//! let samples: Vec<f32> = (0..22_050).map(|n| (n as f32 * 0.1).sin()).collect();
//! let mfcc = config.plan(22_050)?.process(&samples)?;
//! let heard = InversionConfig::default().of_mfcc(&config, 22_050)?.audio(mfcc.view(), Some(samples.len()))?;
//! assert_eq!(heard.len(), samples.len());
//! # Ok::<(), mgr_features::FeatureError>(())
//! ```

mod griffin_lim;
mod nnls;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

pub use griffin_lim::{GriffinLim, GriffinLimConfig, GriffinLimScratch, InitialPhase};

use crate::compress::Compression;
use crate::dct::{Projection, inverse};
use crate::log_mel::LogMelConfig;
use crate::mel::MelConfig;
use crate::mfcc::MfccConfig;
use crate::{FeatureError, check};
use nnls::Nnls;

/// How to invert features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InversionConfig {
    /// How to find the phases. Defaults are librosa's.
    pub griffin_lim: GriffinLimConfig,
    /// Steps of the least squares at most, 0 to 1,000,000. Default 300.
    pub max_iterations: usize,
    /// The least squares end when no bin's step, times the bound of its curvature, is more than this share of the largest
    /// gradient at zero; 0 to 1. Default 1e-5.
    pub tolerance: f32,
}

impl Default for InversionConfig {
    fn default() -> Self {
        Self { griffin_lim: GriffinLimConfig::default(), max_iterations: 300, tolerance: 1e-5 }
    }
}

impl InversionConfig {
    /// Plans the way back from mel spectrograms.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a value out of range, and all that [`MelConfig::plan`] and
    /// [`GriffinLimConfig::plan`] refuse.
    pub fn of_mel(&self, mel: &MelConfig, sample_rate: u32) -> Result<MelInversion, FeatureError> {
        if self.max_iterations > 1_000_000 {
            return Err(FeatureError::parameter("max_iterations", self.max_iterations, "0 to 1000000"));
        }
        check::within("tolerance", f64::from(self.tolerance), 0.0, 1.0)?;
        let plan = mel.plan(sample_rate)?;
        Ok(MelInversion {
            nnls: Nnls::new(plan.bank(), self.max_iterations, self.tolerance),
            exponent: 1.0 / mel.power,
            griffin_lim: self.griffin_lim.plan(&mel.stft)?,
        })
    }

    /// Plans the way back from log-mel spectrograms.
    ///
    /// # Errors
    /// See [`InversionConfig::of_mel`].
    pub fn of_log_mel(
        &self,
        log_mel: &LogMelConfig,
        sample_rate: u32,
    ) -> Result<LogMelInversion, FeatureError> {
        log_mel.compression.check()?;
        Ok(LogMelInversion { mel: self.of_mel(&log_mel.mel, sample_rate)?, compression: log_mel.compression })
    }

    /// Plans the way back from cepstral coefficients.
    ///
    /// # Errors
    /// See [`InversionConfig::of_mel`]; [`FeatureError::Parameter`] for what [`MfccConfig::plan`] refuses and for a lifter
    /// that takes a coefficient away.
    pub fn of_mfcc(&self, mfcc: &MfccConfig, sample_rate: u32) -> Result<MfccInversion, FeatureError> {
        let log_mel = self.of_log_mel(&mfcc.log_mel, sample_rate)?;
        let n_mels = mfcc.log_mel.mel.bank.n_mels;
        mfcc.check(n_mels)?;
        let lifter = mfcc.lifters();
        if (0..mfcc.n_mfcc).any(|k| lifter(k).abs() < f64::from(f32::EPSILON)) {
            return Err(FeatureError::parameter(
                "lifter",
                mfcc.lifter,
                "one that leaves something of each coefficient",
            ));
        }
        let coefficient = |n: usize, k: usize| inverse(mfcc.dct_type, mfcc.norm, n_mels, n, k) / lifter(k);
        Ok(MfccInversion {
            log_mel,
            idct: Projection::new(n_mels, mfcc.n_mfcc, coefficient),
            n_mfcc: mfcc.n_mfcc,
        })
    }
}

/// The planned way back from mel spectrograms, (bands, frames). Source: librosa 0.11 `feature.inverse`, with another solver
/// for the least squares, see [`InversionConfig`].
#[derive(Debug, Clone)]
pub struct MelInversion {
    nnls: Nnls,
    exponent: f32,
    griffin_lim: GriffinLim,
}

impl MelInversion {
    /// The magnitudes, (bins, frames), whose mel spectrogram is nearest.
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for a wrong number of bands, [`FeatureError::Parameter`] for a value that is negative or not
    /// finite, [`FeatureError::Memory`].
    pub fn magnitude(&self, mel: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        let mut magnitude = self.nnls.solve(mel)?;
        if self.exponent == 0.5 {
            magnitude.mapv_inplace(f32::sqrt);
        } else if self.exponent != 1.0 {
            magnitude.mapv_inplace(|v| v.powf(self.exponent));
        }
        Ok(magnitude)
    }

    /// A signal with about this mel spectrogram; without a length, of what the frames cover.
    ///
    /// # Errors
    /// See [`MelInversion::magnitude`] and [`GriffinLim::process_into`].
    pub fn audio(&self, mel: ArrayView2<'_, f32>, length: Option<usize>) -> Result<Vec<f32>, FeatureError> {
        self.griffin_lim.process(self.magnitude(mel)?.view(), length)
    }

    /// The search for the phases.
    #[must_use]
    pub fn griffin_lim(&self) -> &GriffinLim {
        &self.griffin_lim
    }
}

/// The planned way back from log-mel spectrograms, (bands, frames).
///
/// Decibels that count from the largest value do not tell how large it was: it is taken as 1.
#[derive(Debug, Clone)]
pub struct LogMelInversion {
    mel: MelInversion,
    compression: Compression,
}

impl LogMelInversion {
    /// The mel spectrogram.
    ///
    /// # Errors
    /// [`FeatureError::Memory`].
    pub fn mel(&self, log_mel: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        let mut mel = check::matrix(log_mel.nrows(), log_mel.ncols())?;
        mel.assign(&log_mel);
        self.compression.undo(mel.view_mut());
        Ok(mel)
    }

    /// A signal with about this log-mel spectrogram; without a length, of what the frames cover.
    ///
    /// # Errors
    /// See [`MelInversion::audio`].
    pub fn audio(
        &self,
        log_mel: ArrayView2<'_, f32>,
        length: Option<usize>,
    ) -> Result<Vec<f32>, FeatureError> {
        self.mel.audio(self.mel(log_mel)?.view(), length)
    }

    /// The way on from there.
    #[must_use]
    pub fn mel_inversion(&self) -> &MelInversion {
        &self.mel
    }
}

/// The planned way back from cepstral coefficients, (coefficients, frames).
#[derive(Debug, Clone)]
pub struct MfccInversion {
    log_mel: LogMelInversion,
    idct: Projection,
    n_mfcc: usize,
}

impl MfccInversion {
    /// The mel spectrogram; coefficients that are not there count as 0.
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for a wrong number of coefficients, [`FeatureError::Memory`].
    pub fn mel(&self, mfcc: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        let (got_rows, columns) = mfcc.dim();
        let rows = self.n_mfcc;
        if got_rows != rows {
            return Err(FeatureError::Shape { what: "mfcc", got_rows, got_columns: columns, rows, columns });
        }
        let mut mel = check::matrix(self.idct.outputs(), columns)?;
        let mut values = vec![0.0; rows];
        for (from, mut to) in mfcc.columns().into_iter().zip(mel.columns_mut()) {
            values.iter_mut().zip(from).for_each(|(v, x)| *v = *x);
            if let Some(to) = to.as_slice_mut() {
                self.idct.apply(&values, to);
            }
        }
        self.log_mel.compression.undo(mel.view_mut());
        Ok(mel)
    }

    /// A signal with about these coefficients; without a length, of what the frames cover.
    ///
    /// # Errors
    /// See [`MfccInversion::mel`] and [`MelInversion::audio`].
    pub fn audio(&self, mfcc: ArrayView2<'_, f32>, length: Option<usize>) -> Result<Vec<f32>, FeatureError> {
        self.log_mel.mel.audio(self.mel(mfcc)?.view(), length)
    }
}
