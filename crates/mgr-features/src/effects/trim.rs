//! Where a signal is not silent.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::compress::Reference;
use crate::frame::{Centering, Framing, Padding};
use crate::{FeatureError, check};

/// Parameters of silence removal. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrimConfig {
    /// Decibels under the reference at and below which a frame is silent. Default 60.
    pub top_db: f32,
    /// The amplitude that the decibels are under. Default: the loudest frame's.
    pub reference: Reference,
    /// Samples of a frame. Default 2048.
    pub frame_length: usize,
    /// Samples from one frame to the next. Default 512.
    pub hop_length: usize,
}

impl Default for TrimConfig {
    fn default() -> Self {
        Self { top_db: 60.0, reference: Reference::Max, frame_length: 2048, hop_length: 512 }
    }
}

impl TrimConfig {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for a size of 0, a `top_db` that is not finite, a reference that is not over 0 and finite.
    pub fn plan(&self) -> Result<Trim, FeatureError> {
        check::within("top_db", f64::from(self.top_db), f64::from(f32::MIN), f64::from(f32::MAX))?;
        if let Reference::Value(value) = self.reference {
            check::within("reference", f64::from(value), f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX))?;
        }
        let framing = Framing::new(self.frame_length, self.hop_length, Centering::Centered, Padding::Zero)?;
        Ok(Trim { config: self.clone(), framing })
    }
}

/// Planned silence removal: a centred frame, zeros beyond the ends, sounds where its root mean square is more than
/// `-top_db` decibels over the reference. Levels under 1e-5 count as 1e-5.
///
/// Source: librosa 0.11 `effects.trim`, `effects.split`.
///
/// ```
/// use mgr_features::effects::TrimConfig;
/// let mut samples = vec![0.0_f32; 22_050];
/// (8_000..12_000).for_each(|n| samples[n] = (n as f32 * 0.3).sin());
/// let trim = TrimConfig { top_db: 30.0, ..TrimConfig::default() }.plan()?;
/// assert_eq!(trim.interval(&samples)?, 7_168..13_312);
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Trim {
    config: TrimConfig,
    framing: Framing,
}

/// Floor of the amplitude.
const AMIN: f64 = 1e-5;

impl Trim {
    /// For each frame whether it sounds. An empty signal has none.
    fn sounds(&self, samples: &[f32]) -> Result<Vec<bool>, FeatureError> {
        check::finite(samples)?;
        if samples.is_empty() {
            return Ok(Vec::new());
        }
        let (length, hop, pad) = (self.framing.frame_length(), self.framing.hop_length(), self.framing.pad());
        let level = |t: usize| {
            let range =
                (t * hop).saturating_sub(pad)..(t * hop + length).saturating_sub(pad).min(samples.len());
            let sum: f64 = samples[range].iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
            // As the reference does, the level is held in single precision.
            f64::from((sum / length as f64).sqrt() as f32)
        };
        let levels: Vec<f64> = (0..self.framing.frames(samples.len())?).map(level).collect();
        let reference = match self.config.reference {
            Reference::Max => levels.iter().copied().fold(0.0, f64::max),
            Reference::Value(value) => f64::from(value),
        };
        let decibels = |amplitude: f64| 20.0 * amplitude.max(AMIN).log10();
        let threshold = -f64::from(self.config.top_db);
        Ok(levels.iter().map(|level| decibels(*level) - decibels(reference) > threshold).collect())
    }

    /// From the first sounding frame to the end of the last, in samples; multiples of the hop, cut at the end of the signal. `0..0`
    /// where nothing sounds.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`].
    pub fn interval(&self, samples: &[f32]) -> Result<Range<usize>, FeatureError> {
        let sounds = self.sounds(samples)?;
        let first = sounds.iter().position(|s| *s);
        let last = sounds.iter().rposition(|s| *s);
        Ok(match (first, last) {
            (Some(first), Some(last)) => self.samples(first, last + 1, samples.len()),
            _ => 0..0,
        })
    }

    /// Every run of sounding frames, in samples.
    ///
    /// # Errors
    /// [`FeatureError::NotFinite`].
    pub fn split(&self, samples: &[f32]) -> Result<Vec<Range<usize>>, FeatureError> {
        let sounds = self.sounds(samples)?;
        let mut runs: Vec<Range<usize>> = Vec::new();
        let mut first = 0;
        for run in sounds.chunk_by(|a, b| a == b) {
            if run[0] {
                runs.push(self.samples(first, first + run.len(), samples.len()));
            }
            first += run.len();
        }
        Ok(runs)
    }

    fn samples(&self, first: usize, end: usize, length: usize) -> Range<usize> {
        let hop = self.framing.hop_length();
        (first * hop).min(length)..(end * hop).min(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_where_it_is_silent() {
        let mut x = vec![0.0_f32; 30_000];
        for n in (3_000..8_000).chain(20_000..30_000) {
            x[n] = (n as f32 * 0.2).sin();
        }
        let trim = TrimConfig { top_db: 40.0, ..TrimConfig::default() }.plan().unwrap();
        let runs = trim.split(&x).unwrap();
        // librosa 0.11: effects.split(x, top_db=40) gives [[2048, 9216], [19456, 30000]].
        assert_eq!(runs, [2_048..9_216, 19_456..30_000]);
        assert_eq!(trim.interval(&x).unwrap(), 2_048..30_000);
    }

    #[test]
    fn silence_and_nothing_are_defined() {
        let trim = TrimConfig::default().plan().unwrap();
        assert_eq!(trim.interval(&[]), Ok(0..0));
        assert_eq!(trim.split(&[]), Ok(Vec::new()));
        // Silence is as loud as its loudest frame: nothing is cut, as in the reference.
        assert_eq!(trim.interval(&[0.0; 5000]), Ok(0..5000));
        let fixed = TrimConfig { reference: Reference::Value(1.0), ..TrimConfig::default() }.plan().unwrap();
        assert_eq!(fixed.interval(&[0.0; 5000]), Ok(0..0));
        assert_eq!(fixed.split(&[0.0; 5000]), Ok(Vec::new()));
        assert!(trim.interval(&[f32::NAN]).is_err());
        assert!(TrimConfig { hop_length: 0, ..TrimConfig::default() }.plan().is_err());
        assert!(TrimConfig { top_db: f32::NAN, ..TrimConfig::default() }.plan().is_err());
    }
}
