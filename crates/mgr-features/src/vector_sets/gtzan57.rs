//! The 57 columns of the table of GTZAN.

use serde::{Deserialize, Serialize};

use super::engine::{Parts, Spectrum, Stage, Value, VectorSet};
use super::sources::{Cepstra, Chroma, OfMagnitudes, OfSamples, Source};
use super::{log_mel, mfcc, stft};
use crate::chroma::stft::ChromaStftConfig;
use crate::frame::Padding;
use crate::hpss::HpssConfig;
use crate::rhythm::{OnsetStrengthConfig, TempoConfig};
use crate::spectral::{BandwidthConfig, CentroidConfig, RmsConfig, RolloffConfig, ZeroCrossingConfig};
use crate::stats::Summary;
use crate::{FeatureError, check};

/// Parameters of the 57 columns of the well-known table of GTZAN (`features_30_sec.csv`), in its order and by its names:
/// mean and variance (divided by the count) of chroma, RMS, centroid, bandwidth, roll-off, zero-crossing rate, the harmonic and the
/// percussive signal; the tempo of the beat tracker; mean and variance of 20 MFCC. Chroma is taken over all classes at once.
///
/// The defaults reproduce the table: see `examples/gtzan_table.rs` for the agreement of each column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gtzan57Config {
    /// What centred frames see beyond the ends, also those of the separation. Default mirrored, as the table; librosa 0.10 and later: zeros.
    pub padding: Padding,
    /// What the separated signals are after the last whole hop. Default zeros, as the table.
    pub tail: SignalTail,
}

impl Default for Gtzan57Config {
    fn default() -> Self {
        Self { padding: Padding::Reflect, tail: SignalTail::default() }
    }
}

/// What the end of a separated signal is, beyond the last multiple of the hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalTail {
    /// Zeros: librosa before 0.9.
    #[default]
    Zero,
    /// The inverse of the last frame: librosa 0.9 and later.
    Inverse,
}

impl Gtzan57Config {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a sampling rate that its parts refuse.
    pub fn plan(&self, sample_rate: u32) -> Result<VectorSet, FeatureError> {
        check::rate(sample_rate)?;
        let padding = self.padding;
        let stft = || stft(padding);
        let chroma = ChromaStftConfig { stft: stft(), ..ChromaStftConfig::default() }.plan(sample_rate)?;
        let rms = RmsConfig { padding, ..RmsConfig::default() };
        let strength = OnsetStrengthConfig { log_mel: log_mel(padding), ..OnsetStrengthConfig::median() };
        let tempo = TempoConfig { strength, ..TempoConfig::default() };
        let sources: Vec<Box<dyn Source>> = vec![
            Box::new(Chroma { chroma, stride: 1 }),
            OfSamples::framewise(rms.plan(sample_rate)?),
            Box::new(OfMagnitudes(CentroidConfig { stft: stft() }.plan(sample_rate)?)),
            Box::new(OfMagnitudes(
                BandwidthConfig { stft: stft(), ..BandwidthConfig::default() }.plan(sample_rate)?,
            )),
            Box::new(OfMagnitudes(
                RolloffConfig { stft: stft(), ..RolloffConfig::default() }.plan(sample_rate)?,
            )),
            OfSamples::framewise(ZeroCrossingConfig::default().plan(sample_rate)?),
            OfSamples::tempo(tempo.plan(sample_rate)?),
            Box::new(Cepstra { mfcc: mfcc(padding).plan(sample_rate)?, differences: 0 }),
        ];
        let hpss = HpssConfig { stft: stft(), ..HpssConfig::default() }.plan()?;
        let stage = Stage {
            shift: 0.0,
            spectrum: Spectrum::Hpss { hpss, zero_tail: self.tail == SignalTail::Zero },
            signal: false,
            all_rows: vec![0],
            sources,
        };
        // Rows: harmonic, percussive, chroma as one, RMS, centroid, bandwidth, roll-off, crossings, tempo, MFCC.
        let mut values = Vec::new();
        let mut both = |name: &str, row: usize| {
            values.push(Value { name: format!("{name}_mean"), row, of: |s: &Summary| s.mean });
            values.push(Value { name: format!("{name}_var"), row, of: |s: &Summary| s.variance });
        };
        both("chroma_stft", 2);
        both("rms", 3);
        both("spectral_centroid", 4);
        both("spectral_bandwidth", 5);
        both("rolloff", 6);
        both("zero_crossing_rate", 7);
        both("harmony", 0);
        both("perceptr", 1);
        (0..20).for_each(|i| both(&format!("mfcc{}", i + 1), 9 + i));
        values.insert(16, Value { name: "tempo".to_owned(), row: 8, of: |s| s.mean });
        Ok(Parts {
            name: "gtzan57",
            sample_rate,
            stages: vec![stage],
            values,
            most: usize::MAX,
            decimals: None,
        }
        .into())
    }
}
