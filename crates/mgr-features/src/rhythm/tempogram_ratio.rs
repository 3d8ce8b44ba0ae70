//! The tempogram at multiples of the tempo: what of the rhythm is quarters, eighths, triplets.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::on_envelope::{self, OnEnvelope, on_envelope};
use super::onset_strength::OnsetStrength;
use super::prior::{TempoChoice, TempoSearch};
use super::tempogram::{Tempogram, TempogramConfig, TempogramWork};
use crate::extractor::{Axis, Extractor, Layout, Scratch, Unit, by_process_into};
use crate::{ColumnStream, FeatureError, check};

/// Multiples of the tempo with the note that each is, if the tempo counts quarters (Prockup et al., "Modeling musical rhythm at scale with
/// the Music Genome Project", WASPAA 2015).
const NOTES: [(f64, &str); 13] = [
    (4.0, "sixteenth"),
    (8.0 / 3.0, "dotted_sixteenth"),
    (3.0, "eighth_triplet"),
    (2.0, "eighth"),
    (4.0 / 3.0, "dotted_eighth"),
    (3.0 / 2.0, "quarter_triplet"),
    (1.0, "quarter"),
    (2.0 / 3.0, "dotted_quarter"),
    (3.0 / 4.0, "half_triplet"),
    (1.0 / 2.0, "half"),
    (1.0 / 3.0, "dotted_half"),
    (3.0 / 8.0, "whole_triplet"),
    (1.0 / 4.0, "whole"),
];

/// Parameters of [`TempogramRatio`]. Defaults are librosa's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TempogramRatioConfig {
    /// The tempogram.
    pub tempogram: TempogramConfig,
    /// How the tempo of each frame is chosen from it; `ac_size` has no effect.
    pub search: TempoSearch,
    /// The tempo, over 0, where it is known. Default: estimated for each frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bpm: Option<f64>,
    /// Multiples of the tempo, over 0. Default thirteen, from the sixteenth to the whole note.
    pub factors: Vec<f64>,
}

impl Default for TempogramRatioConfig {
    fn default() -> Self {
        Self {
            tempogram: TempogramConfig::default(),
            search: TempoSearch::default(),
            bpm: None,
            factors: NOTES.iter().map(|(factor, _)| *factor).collect(),
        }
    }
}

impl TempogramRatioConfig {
    /// Checks the parameters and computes the tables.
    ///
    /// # Errors
    /// [`FeatureError::Parameter`] for tempos and factors out of range, and all that [`TempogramConfig::plan`] refuses.
    pub fn plan(&self, sample_rate: u32) -> Result<TempogramRatio, FeatureError> {
        if self.factors.is_empty() {
            return Err(FeatureError::parameter("factors", "empty", "at least one factor"));
        }
        for factor in &self.factors {
            check::within("factors", *factor, f64::MIN_POSITIVE, f64::MAX)?;
        }
        self.bpm.map_or(Ok(()), |bpm| check::within("bpm", bpm, f64::MIN_POSITIVE, f64::MAX))?;
        if self.tempogram.win_length == 1 {
            return Err(FeatureError::parameter("win_length", 1, "at least 2"));
        }
        let tempogram = self.tempogram.plan(sample_rate)?;
        let choice = self.search.plan(self.tempogram.win_length, tempogram.onset_strength().frame_rate())?;
        Ok(TempogramRatio { tempogram, choice, bpm: self.bpm, factors: self.factors.clone() })
    }
}

/// A planned tempogram ratio, (factors, frames): the tempogram, in straight lines between its tempos, at multiples of the tempo of each
/// frame; 0 where that is slower than its longest lag or faster than its shortest.
///
/// Source: Peeters, "Rhythm classification using spectral rhythm patterns", ISMIR 2005; librosa 0.11 `feature.tempogram_ratio`.
///
/// ```
/// use mgr_features::rhythm::TempogramRatioConfig;
/// let ratio = TempogramRatioConfig::default().plan(22_050)?;
/// assert_eq!(ratio.process(&vec![0.1; 22_050])?.dim(), (13, 44));
/// # Ok::<(), mgr_features::FeatureError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TempogramRatio {
    tempogram: Tempogram,
    choice: TempoChoice,
    bpm: Option<f64>,
    factors: Vec<f64>,
}

impl TempogramRatio {
    /// A column of a tempogram at a tempo: in straight lines over beats a minute.
    fn at(&self, column: &[f64], bpm: f64) -> f64 {
        let tempos = &self.choice.bpm;
        // Tempos fall; the first is infinite and takes no part.
        let after = tempos.partition_point(|tempo| *tempo > bpm);
        let Some(slow) = tempos.get(after) else { return 0.0 };
        if *slow == bpm {
            return column[after];
        }
        if after < 2 {
            return 0.0;
        }
        let (fast, share) = (tempos[after - 1], |fast: f64| (bpm - slow) / (fast - slow));
        column[after] + (column[after - 1] - column[after]) * share(fast)
    }

    fn described(&self, rows: usize, columns: usize, samples: usize) -> Layout {
        let name = |factor: &f64| {
            let note = NOTES.iter().find(|(known, _)| known == factor);
            note.map_or_else(|| format!("tempo_times_{factor}"), |(_, name)| (*name).to_owned())
        };
        let row_axis = Axis::Name { names: self.factors.iter().map(name).collect() };
        let column_axis = match self.tempogram.layout(samples) {
            Ok(layout) => layout.column_axis,
            Err(_) => Axis::Time { start_s: 0.0, step_s: 1.0 },
        };
        Layout { rows, columns, row_axis, column_axis, unit: Unit::Ratio }
    }
}

impl OnEnvelope for TempogramRatio {
    type Work = TempogramWork;
    const NAME: &'static str = "tempogram_ratio";

    fn strength(&self) -> &OnsetStrength {
        OnEnvelope::strength(&self.tempogram)
    }

    fn shape(&self, frames: usize) -> Result<(usize, usize), usize> {
        let (_, columns) = self.tempogram.shape(frames)?;
        Ok((self.factors.len(), columns))
    }

    fn work(&self, frames: usize) -> Result<TempogramWork, FeatureError> {
        self.tempogram.work(frames)
    }

    fn holds(&self, work: &TempogramWork, frames: usize) -> bool {
        self.tempogram.holds(work, frames)
    }

    fn write(&self, envelope: &[f32], mut out: ArrayViewMut2<'_, f32>, work: &mut TempogramWork) {
        self.tempogram.each_column(envelope, work, |t, column| {
            let bpm = self.bpm.unwrap_or_else(|| self.choice.of(column));
            let places = out.column_mut(t).into_iter().zip(&self.factors);
            places.for_each(|(to, factor)| *to = self.at(column, bpm * factor) as f32);
        });
    }
}

on_envelope!(
    TempogramRatio,
    TempogramRatioScratch,
    "tempogram_ratio",
    "its onset strength counts from the largest value of the signal"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_librosa_gives() {
        // librosa 0.11: feature.tempogram_ratio(onset_envelope=env, win_length=32), frame 13, and with bpm=250 for other factors.
        let envelope: Vec<f32> = (0..60)
            .map(|t| (f64::from(t * t) * 0.37).sin().abs() as f32 * if t % 7 == 0 { 9.0 } else { 1.0 })
            .collect();
        let tempogram = TempogramConfig { win_length: 32, ..TempogramConfig::default() };
        let column = |config: TempogramRatioConfig| {
            let config = TempogramRatioConfig { tempogram: tempogram.clone(), ..config };
            config.plan(22_050).unwrap().process_envelope(&envelope).unwrap().column(13).to_vec()
        };
        let close = |got: Vec<f32>, want: &[f32]| {
            assert_eq!(got.len(), want.len());
            assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 2e-6), "{got:?}");
        };
        let want = [
            0.285872, 0.265694, 0.281595, 0.507653, 0.125142, 0.144926, 0.162794, 0.014784, 0.027863, 0.0,
            0.0, 0.0, 0.0,
        ];
        close(column(TempogramRatioConfig::default()), &want);
        let factors = vec![0.1, 0.5, 1.0, 9.0, 10.2, 10.4];
        let config = TempogramRatioConfig { bpm: Some(250.0), factors, ..TempogramRatioConfig::default() };
        close(column(config), &[0.0, 0.012954, 0.122308, 0.368004, 0.387396, 0.0]);
    }
}
