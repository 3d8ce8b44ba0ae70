//! The 120 values that Choi et al. compare their networks with.

use serde::{Deserialize, Serialize};

use super::engine::{Of, Parts, Spectrum, Stage, Value, VectorSet};
use super::sources::Cepstra;
use super::{mfcc, stft};
use crate::frame::Padding;
use crate::stats::Summary;
use crate::stft::Precision;
use crate::{FeatureError, check};

/// Parameters of the MFCC baseline of Choi et al.: means, then deviations (divided by the count), of 20 MFCC, of their first
/// differences from frame to frame, and of the differences of those; of the first 29 s, at 12,000 Hz.
///
/// Source: Choi, Fazekas, Sandler and Cho, "Transfer learning for music classification and regression tasks" (ISMIR 2017).
///
/// ```
/// use mgr_features::vector_sets::ChoiMfcc120Config;
/// let set = ChoiMfcc120Config::default().plan(12_000)?;
/// assert_eq!(set.process(&vec![0.1; 12_000])?.dim(), (120, 1));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChoiMfcc120Config {
    /// Seconds from the start that count, over 0, at most a day. Default 29.
    pub seconds: f64,
    /// What centred frames see beyond the ends. Default mirrored, as librosa before 0.10.
    pub padding: Padding,
}

impl Default for ChoiMfcc120Config {
    fn default() -> Self {
        Self { seconds: 29.0, padding: Padding::Reflect }
    }
}

impl ChoiMfcc120Config {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for seconds out of range or too few for three frames, and a sampling rate of 0.
    pub fn plan(&self, sample_rate: u32) -> Result<VectorSet, FeatureError> {
        check::rate(sample_rate)?;
        let least = 1024.0 / f64::from(sample_rate);
        check::within("seconds", self.seconds, least, 86_400.0)?;
        let most = (self.seconds * f64::from(sample_rate)) as usize;
        let cepstra = Cepstra { mfcc: mfcc(self.padding).plan(sample_rate)?, differences: 2 };
        let mut values = Vec::new();
        for (d, name) in ["mfcc", "dmfcc", "ddmfcc"].into_iter().enumerate() {
            let statistics: [(&str, Of); 2] = [("mean", |s| s.mean), ("std", Summary::std)];
            for (statistic, of) in statistics {
                let value =
                    |i: usize| Value { name: format!("{name}{}_{statistic}", i + 1), row: 20 * d + i, of };
                values.extend((0..20).map(value));
            }
        }
        let spectrum = Spectrum::Stft(stft(self.padding).plan_in(Precision::Double)?);
        let stage = Stage {
            shift: 0.0,
            spectrum,
            signal: false,
            all_rows: Vec::new(),
            sources: vec![Box::new(cepstra)],
        };
        Ok(Parts { name: "choi_mfcc120", sample_rate, stages: vec![stage], values, most, decimals: None }
            .into())
    }
}
