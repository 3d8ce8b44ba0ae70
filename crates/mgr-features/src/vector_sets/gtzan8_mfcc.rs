//! The matrix of the GTZAN-8 study: MFCC with derivatives, and the spectral centroid.

use std::sync::Arc;

use ndarray::{Array2, ArrayViewMut2, s};
use serde::{Deserialize, Serialize};

use super::{mfcc, stft};
use crate::delta::{Delta, DeltaConfig, DeltaScratch};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::frame::Padding;
use crate::mfcc::MfccConfig;
use crate::spectral::{CentroidConfig, Spectral, SpectralScratch};
use crate::stft::StftConfig;
use crate::{ColumnStream, FeatureConfig, FeatureError};

use super::DescriptorRate;

/// Parameters of the matrix of the GTZAN-8 study, for 16,000 Hz: 30 MFCC (frames of 2048), their first and second derivatives over 9
/// frames, and the spectral centroid (frames of 1024), every 512 samples.
///
/// Source: course project 2020_GCT634 of KAIST (E. Choi), the features of its first version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gtzan8MfccConfig {
    /// The sampling rate that the centroid takes the signal for. Default 22,050 Hz, as the reference.
    pub descriptor_rate: DescriptorRate,
    /// What centred frames see beyond the ends. Default mirrored, as librosa before 0.10.
    pub padding: Padding,
}

impl Default for Gtzan8MfccConfig {
    fn default() -> Self {
        Self { descriptor_rate: DescriptorRate::default(), padding: Padding::Reflect }
    }
}

impl Gtzan8MfccConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate of 0.
    pub fn plan(&self, sample_rate: u32) -> Result<Gtzan8Mfcc, FeatureError> {
        crate::check::rate(sample_rate)?;
        let base = FeatureConfig::Mfcc(MfccConfig { n_mfcc: COEFFICIENTS, ..mfcc(self.padding) });
        let rate = match self.descriptor_rate {
            DescriptorRate::Nominal => 22_050,
            DescriptorRate::Own => sample_rate,
        };
        let centroid = CentroidConfig { stft: StftConfig { n_fft: 1024, ..stft(self.padding) } };
        Ok(Gtzan8Mfcc(Arc::new(Inner {
            delta: DeltaConfig { base: Box::new(base), ..DeltaConfig::default() }.plan(sample_rate)?,
            centroid: centroid.plan(rate)?,
        })))
    }
}

const COEFFICIENTS: usize = 30;
const ROWS: usize = 3 * COEFFICIENTS + 1;

#[derive(Debug)]
struct Inner {
    delta: Delta,
    centroid: Spectral,
}

/// The planned matrix, (91, frames).
///
/// ```
/// use mgr_features::vector_sets::Gtzan8MfccConfig;
/// let matrix = Gtzan8MfccConfig::default().plan(16_000)?.process(&vec![0.1; 16_000])?;
/// assert_eq!(matrix.dim(), (91, 32));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Gtzan8Mfcc(Arc<Inner>);

/// Buffers of one computation; make one per thread with [`Gtzan8Mfcc::scratch_for`] and use it again.
#[derive(Debug)]
pub struct Gtzan8MfccScratch {
    delta: DeltaScratch,
    centroid: SpectralScratch,
}

impl Gtzan8Mfcc {
    /// Buffers for [`Gtzan8Mfcc::process_into`] and signals of up to `samples` samples.
    #[must_use]
    pub fn scratch_for(&self, samples: usize) -> Gtzan8MfccScratch {
        Gtzan8MfccScratch { delta: self.0.delta.scratch_for(samples), centroid: self.0.centroid.scratch() }
    }

    fn scratch(&self) -> Gtzan8MfccScratch {
        self.scratch_for(0)
    }

    /// The matrix of a signal, allocated, each column contiguous in memory.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] for fewer than nine frames, [`FeatureError::NotFinite`], [`FeatureError::Memory`].
    pub fn process(&self, samples: &[f32]) -> Result<Array2<f32>, FeatureError> {
        self.extract(samples)
    }

    /// The matrix of a signal into `out` of (91, frames), any memory layout. Allocates nothing.
    ///
    /// # Errors
    /// As [`Gtzan8Mfcc::process`], [`FeatureError::Shape`], and [`FeatureError::Scratch`] also for a scratch made for shorter signals.
    pub fn process_into(
        &self,
        samples: &[f32],
        mut out: ArrayViewMut2<'_, f32>,
        scratch: &mut Gtzan8MfccScratch,
    ) -> Result<(), FeatureError> {
        // Centred frames every 512 samples: as many of either length.
        crate::check::shape(&out, ROWS, self.0.centroid.framing().frames(samples.len())?)?;
        self.0.delta.process_into(samples, out.slice_mut(s![..ROWS - 1, ..]), &mut scratch.delta)?;
        self.0.centroid.process_into(samples, out.slice_mut(s![ROWS - 1.., ..]), &mut scratch.centroid)
    }
}

impl Extractor for Gtzan8Mfcc {
    by_process_into!("gtzan8_mfcc_centroid");

    fn frame_length(&self) -> usize {
        self.0.delta.frame_length()
    }

    fn layout(&self, samples: usize) -> Result<Layout, FeatureError> {
        let names = ["mfcc", "mfcc_delta", "mfcc_delta2"].into_iter();
        let names = names.flat_map(|name| (0..COEFFICIENTS).map(move |i| format!("{name}_{}", i + 1)));
        Ok(Layout {
            rows: ROWS,
            row_axis: Axis::Name { names: names.chain(["spectral_centroid".to_owned()]).collect() },
            unit: Unit::Mixed,
            ..Extractor::layout(&self.0.delta, samples)?
        })
    }

    fn scratch_for(&self, samples: usize) -> Scratch {
        Scratch::new(Self::scratch_for(self, samples))
    }

    fn stream(&self) -> Result<ColumnStream, FeatureError> {
        Err(FeatureError::NotStreamable {
            feature: "gtzan8_mfcc_centroid",
            reason: "its decibels count from the largest value of the signal, its derivatives look ahead",
        })
    }
}
