//! The 518 columns of FMA.

use serde::{Deserialize, Serialize};

use super::engine::{Of, Parts, Spectrum, Stage, Value, VectorSet};
use super::sources::{Cepstra, Chroma, OfCqt, OfMagnitudes, OfSamples, RmsOfBins, Source};
use super::{mfcc, stft};
use crate::chroma::CqtClassesConfig;
use crate::chroma::cens::ChromaCensConfig;
use crate::chroma::cqt::{ChromaCqtConfig, TonnetzConfig};
use crate::chroma::stft::ChromaStftConfig;
use crate::chroma::together::Together;
use crate::frame::Padding;
use crate::spectral::{BandwidthConfig, CentroidConfig, ContrastConfig, RolloffConfig, ZeroCrossingConfig};
use crate::stats::Summary;
use crate::stft::Precision;
use crate::{FeatureError, check};

/// Parameters of the 518 columns of FMA's `features.csv`, in its order, named feature, statistic and number:
/// `chroma_cens_kurtosis_01`. The statistics are excess kurtosis, largest, mean, median, smallest, skewness, standard deviation.
///
/// `rmse` is the root of the mean of the squared magnitudes of the bins. The pitch classes are folded of a constant-Q transform of
/// 12 bins an octave, and the tonal centroids are those of CENS. The padding is not that of the constant-Q transform, whose frames
/// see zeros beyond the ends. Source: Defferrard, Benzi, Vandergheynst and Bresson, "FMA: a dataset for music analysis" (ISMIR
/// 2017), `features.py`.
///
/// ```
/// use mgr_features::vector_sets::Fma518Config;
/// let set = Fma518Config::default().plan(44_100)?;
/// assert_eq!(set.process(&vec![0.1; 44_100])?.dim(), (518, 1));
/// assert_eq!(set.names().last(), Some("zcr_std_01"));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fma518Config {
    /// The sampling rate that spectral descriptors and `chroma_stft` take the signal for. Default as the reference.
    pub descriptor_rate: DescriptorRate,
    /// What centred frames see beyond the ends. Default mirrored, as librosa before 0.10.
    pub padding: Padding,
}

impl Default for Fma518Config {
    fn default() -> Self {
        Self { descriptor_rate: DescriptorRate::default(), padding: Padding::Reflect }
    }
}

/// The sampling rate that some descriptors take a signal for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DescriptorRate {
    /// 22,050 Hz, whatever it is: the reference does not pass it on, so frequencies of its clips of 44,100 Hz are half of what they
    /// should be.
    #[default]
    Nominal,
    /// The signal's own.
    Own,
}

const NOMINAL: u32 = 22_050;

impl Fma518Config {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate that its parts refuse, such as one too low for seven octaves from C1.
    pub fn plan(&self, sample_rate: u32) -> Result<VectorSet, FeatureError> {
        check::rate(sample_rate)?;
        let rate = match self.descriptor_rate {
            DescriptorRate::Nominal => NOMINAL,
            DescriptorRate::Own => sample_rate,
        };
        let stft = || stft(self.padding);
        let classes = CqtClassesConfig { bins_per_octave: 12, ..CqtClassesConfig::default() };
        let chroma = ChromaCqtConfig { classes: classes.clone(), ..ChromaCqtConfig::default() };
        let together = Together {
            cens: ChromaCensConfig { classes, ..ChromaCensConfig::default() }.plan(sample_rate)?,
            tonnetz: TonnetzConfig { chroma: chroma.clone() }.plan(sample_rate)?,
            chroma: chroma.plan(sample_rate)?,
        };
        let chroma = ChromaStftConfig { stft: stft(), ..ChromaStftConfig::default() }.plan(rate)?;
        let centroid = CentroidConfig { stft: stft() };
        let transform = stft().plan_in(Precision::Double)?;
        // In the order of the rows: the names of the features follow below.
        let sources: Vec<Box<dyn Source>> = vec![
            Box::new(OfCqt(together)),
            Box::new(Chroma { chroma, stride: 1 }),
            Box::new(Cepstra { mfcc: mfcc(self.padding).plan(sample_rate)?, differences: 0 }),
            Box::new(RmsOfBins(*transform.framing())),
            Box::new(OfMagnitudes(
                BandwidthConfig { stft: stft(), ..BandwidthConfig::default() }.plan(rate)?,
            )),
            Box::new(OfMagnitudes(centroid.plan(rate)?)),
            Box::new(OfMagnitudes(ContrastConfig { stft: stft(), ..ContrastConfig::default() }.plan(rate)?)),
            Box::new(OfMagnitudes(RolloffConfig { stft: stft(), ..RolloffConfig::default() }.plan(rate)?)),
            OfSamples::framewise(ZeroCrossingConfig::default().plan(sample_rate)?),
        ];
        // By name: the first row and how many there are.
        let features = [
            ("chroma_cens", 12, 12),
            ("chroma_cqt", 0, 12),
            ("chroma_stft", 30, 12),
            ("mfcc", 42, 20),
            ("rmse", 62, 1),
            ("spectral_bandwidth", 63, 1),
            ("spectral_centroid", 64, 1),
            ("spectral_contrast", 65, 7),
            ("spectral_rolloff", 72, 1),
            ("tonnetz", 24, 6),
            ("zcr", 73, 1),
        ];
        let statistics: [(&str, Of); 7] = [
            ("kurtosis", Summary::excess_kurtosis),
            ("max", |s| s.max),
            ("mean", |s| s.mean),
            ("median", |s| s.median),
            ("min", |s| s.min),
            ("skew", |s| s.skewness),
            ("std", Summary::std),
        ];
        let mut values = Vec::new();
        for (feature, first, count) in features {
            for (statistic, of) in statistics {
                let value = |i: usize| Value {
                    name: format!("{feature}_{statistic}_{:02}", i + 1),
                    row: first + i,
                    of,
                };
                values.extend((0..count).map(value));
            }
        }
        let spectrum = Spectrum::Stft(transform);
        let stage = Stage { shift: 0.0, spectrum, signal: false, all_rows: Vec::new(), sources };
        Ok(Parts {
            name: "fma518",
            sample_rate,
            stages: vec![stage],
            values,
            most: usize::MAX,
            decimals: None,
        }
        .into())
    }
}
