//! The 97 values of Bahuleyan.

use serde::{Deserialize, Serialize};

use super::engine::{Of, Parts, Spectrum, Stage, Value, VectorSet};
use super::sources::{Cepstra, Chroma, OfMagnitudes, OfSamples, Source};
use super::{log_mel, mfcc, stft};
use crate::chroma::stft::ChromaStftConfig;
use crate::frame::Padding;
use crate::rhythm::{OnsetStrengthConfig, TempoConfig};
use crate::spectral::{
    BandwidthConfig, CentroidConfig, ContrastConfig, RmsConfig, RolloffConfig, ZeroCrossingConfig,
};
use crate::stats::Summary;
use crate::stft::{Precision, StftConfig};
use crate::{FeatureError, check};

/// Parameters of the 97 hand-made values of Bahuleyan: mean of `|y|`, deviation of `y`, skewness of `|y|`, excess kurtosis of `y`; mean
/// and deviation (divided by the count) of the zero-crossing rate and RMS of `y + 0.0001`; tempo; mean and deviation of centroid,
/// bandwidths of powers 2, 3 and 4 and roll-off of `y + 0.01`; means, then deviations, of seven bands of contrast, 20 MFCC, and
/// twelve pitch classes every 1024 samples.
///
/// The reference scales them over its whole data afterwards, which is a table's business. Source: Bahuleyan, "Music genre
/// classification using machine learning techniques" (2018).
///
/// ```
/// use mgr_features::vector_sets::Bahuleyan97Config;
/// let set = Bahuleyan97Config::default().plan(22_050)?;
/// assert_eq!(set.process(&vec![0.1; 22_050])?.dim(), (97, 1));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bahuleyan97Config {
    /// What the columns of the bandwidth of power 4 hold. Default what the reference's hold.
    pub fourth_bandwidth: FourthBandwidth,
    /// What becomes of the digits. Default rounded to 3 decimals.
    pub rounding: Rounding,
    /// What centred frames see beyond the ends. Default mirrored, as librosa before 0.10.
    pub padding: Padding,
}

impl Default for Bahuleyan97Config {
    fn default() -> Self {
        Self {
            fourth_bandwidth: FourthBandwidth::default(),
            rounding: Rounding::default(),
            padding: Padding::Reflect,
        }
    }
}

/// What becomes of the digits of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// They stay.
    None,
    /// So many decimals are left, 0 to 12.
    Decimals(u8),
}

impl Default for Rounding {
    fn default() -> Self {
        Self::Decimals(3)
    }
}

/// What the columns of the bandwidth of power 4 hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FourthBandwidth {
    /// The bandwidth of power 3 once more: a slip of the reference.
    #[default]
    CopyOfThird,
    /// The bandwidth of power 4.
    Own,
}

impl Bahuleyan97Config {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for decimals out of range and a sampling rate that its parts refuse.
    pub fn plan(&self, sample_rate: u32) -> Result<VectorSet, FeatureError> {
        check::rate(sample_rate)?;
        let decimals = match self.rounding {
            Rounding::None => None,
            Rounding::Decimals(decimals) => {
                check::within("decimals", f64::from(decimals), 0.0, 12.0)?;
                Some(i32::from(decimals))
            }
        };
        let padding = self.padding;
        let stft = || stft(padding);
        let sparse = StftConfig { hop_length: 1024, ..stft() };
        let strength = OnsetStrengthConfig { log_mel: log_mel(padding), ..OnsetStrengthConfig::default() };
        let tempo = TempoConfig { strength, ..TempoConfig::default() };
        let chroma = ChromaStftConfig { stft: sparse, ..ChromaStftConfig::default() }.plan(sample_rate)?;
        let bandwidth = |p| -> Result<Box<dyn Source>, FeatureError> {
            let config = BandwidthConfig { stft: stft(), p, ..BandwidthConfig::default() };
            Ok(Box::new(OfMagnitudes(config.plan(sample_rate)?)))
        };
        let spectrum = || Ok::<_, FeatureError>(Spectrum::Stft(stft().plan_in(Precision::Double)?));
        let rms = RmsConfig { padding, ..RmsConfig::default() };
        let contrast = ContrastConfig { stft: stft(), ..ContrastConfig::default() };
        let stages = vec![
            Stage {
                shift: 0.0,
                spectrum: spectrum()?,
                signal: true,
                all_rows: Vec::new(),
                sources: vec![
                    OfSamples::tempo(tempo.plan(sample_rate)?),
                    Box::new(OfMagnitudes(contrast.plan(sample_rate)?)),
                    Box::new(Cepstra { mfcc: mfcc(padding).plan(sample_rate)?, differences: 0 }),
                    Box::new(Chroma { chroma, stride: 2 }),
                ],
            },
            Stage {
                shift: 0.0001,
                spectrum: Spectrum::None,
                signal: false,
                all_rows: Vec::new(),
                sources: vec![
                    OfSamples::framewise(ZeroCrossingConfig::default().plan(sample_rate)?),
                    OfSamples::framewise(rms.plan(sample_rate)?),
                ],
            },
            Stage {
                shift: 0.01,
                spectrum: spectrum()?,
                signal: false,
                all_rows: Vec::new(),
                sources: vec![
                    Box::new(OfMagnitudes(CentroidConfig { stft: stft() }.plan(sample_rate)?)),
                    bandwidth(2.0)?,
                    bandwidth(3.0)?,
                    bandwidth(4.0)?,
                    Box::new(OfMagnitudes(
                        RolloffConfig { stft: stft(), ..RolloffConfig::default() }.plan(sample_rate)?,
                    )),
                ],
            },
        ];
        let fourth = match self.fourth_bandwidth {
            FourthBandwidth::CopyOfThird => 46,
            FourthBandwidth::Own => 47,
        };
        let values = values(fourth);
        Ok(Parts { name: "bahuleyan97", sample_rate, stages, values, most: usize::MAX, decimals }.into())
    }
}

/// Rows: `|y|` 0, `y` 1, tempo 2, contrast 3, MFCC 10, chroma 30, crossings 42, RMS 43, centroid 44, bandwidths 45 to 47, roll-off 48.
fn values(fourth: usize) -> Vec<Value> {
    fn value(name: impl Into<String>, row: usize, of: Of) -> Value {
        Value { name: name.into(), row, of }
    }
    let mean: Of = |s| s.mean;
    let mut values = vec![
        value("mean", 0, mean),
        value("std", 1, Summary::std),
        value("skew", 0, |s| s.skewness),
        value("kurtosis", 1, Summary::excess_kurtosis),
    ];
    let single = |name: &str, row| {
        [value(format!("{name}_mean"), row, mean), value(format!("{name}_std"), row, Summary::std)]
    };
    values.extend(single("zcr", 42));
    values.extend(single("rmse", 43));
    values.push(value("tempo", 2, mean));
    values.extend(single("spectral_centroid", 44));
    values.extend(single("spectral_bandwidth_2", 45));
    values.extend(single("spectral_bandwidth_3", 46));
    values.extend(single("spectral_bandwidth_4", fourth));
    let many = |name: &str, first: usize, count: usize| {
        let means: Vec<_> =
            (0..count).map(|i| value(format!("{name}_mean_{}", i + 1), first + i, mean)).collect();
        let stds = (0..count).map(|i| value(format!("{name}_std_{}", i + 1), first + i, Summary::std));
        means.into_iter().chain(stds.collect::<Vec<_>>())
    };
    values.extend(many("spectral_contrast", 3, 7));
    values.extend(single("spectral_rolloff", 48));
    values.extend(many("mfccs", 10, 20));
    values.extend(many("chroma_stft", 30, 12));
    values
}
