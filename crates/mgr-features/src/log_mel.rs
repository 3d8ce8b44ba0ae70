//! Log-mel spectrograms.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use crate::compress::Compression;
use crate::extractor::{Extractor, Layout, Scratch, by_process_into};
use crate::mel::{Mel, MelConfig, MelScratch};
use crate::{ColumnStream, FeatureError};

/// Parameters of a log-mel spectrogram. Defaults: librosa's mel spectrogram in librosa's decibels.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogMelConfig {
    /// The mel spectrogram.
    pub mel: MelConfig,
    /// The compression.
    pub compression: Compression,
}

impl LogMelConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`]: see [`MelConfig::plan`] and [`Compression::check`].
    pub fn plan(&self, sample_rate: u32) -> Result<LogMel, FeatureError> {
        self.compression.check()?;
        Ok(LogMel { mel: self.mel.plan(sample_rate)?, compression: self.compression })
    }
}

/// A planned log-mel spectrogram, (bands, frames).
///
/// ```
/// use mgr_features::log_mel::LogMelConfig;
/// let log_mel = LogMelConfig::default().plan(22_050)?;
/// // Silence is the floor of the decibels, not negative infinity.
/// assert!(log_mel.process(&[0.0; 4096])?.iter().all(|v| (v + 100.0).abs() < 1e-4));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LogMel {
    mel: Mel,
    compression: Compression,
}

impl LogMel {
    /// The mel spectrogram under it.
    #[must_use]
    pub fn mel(&self) -> &Mel {
        &self.mel
    }

    /// The compression.
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Buffers for [`LogMel::process_into`].
    #[must_use]
    pub fn scratch(&self) -> MelScratch {
        self.mel.scratch()
    }

    /// The log-mel spectrogram of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The log-mel spectrogram of a signal into `out` of (bands, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::NotFinite`], [`FeatureError::Shape`], [`FeatureError::Scratch`].
    pub fn process_into(
        &self,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut MelScratch,
    ) -> Result<(), FeatureError> {
        let compression = self.compression;
        self.mel
            .process_columns(samples, out.view_mut(), scratch, |column| compression.apply_local(column))?;
        compression.apply_global(out);
        Ok(())
    }

    /// The log-mel spectrogram of a spectrogram that is there already; see [`Mel::process_spectrogram`].
    ///
    /// # Errors
    /// [`FeatureError::Shape`] for a wrong number of bins, [`FeatureError::Memory`].
    pub fn process_spectrogram(&self, spectrogram: ArrayView2<'_, f32>) -> Result<Array2<f32>, FeatureError> {
        let mut out = self.mel.process_spectrogram(spectrogram)?;
        self.compression.apply(out.view_mut());
        Ok(out)
    }

    /// Computes the same columns while samples arrive.
    ///
    /// # Errors
    /// [`FeatureError::NotStreamable`] for decibels that count from the largest value of the signal.
    pub fn stream(&self) -> Result<ColumnStream, FeatureError> {
        match self.compression.needs_all() {
            Some(reason) => Err(FeatureError::NotStreamable { feature: "log_mel", reason }),
            None => {
                let compression = self.compression;
                Ok(self.mel.stream_with(move |column| compression.apply_local(column)))
            }
        }
    }
}

impl Extractor for LogMel {
    by_process_into!("log_mel");

    fn frame_length(&self) -> usize {
        self.mel.framing().frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        Ok(Layout { unit: self.compression.unit(), ..self.mel.layout(samples)? })
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        self.stream()
    }
}
