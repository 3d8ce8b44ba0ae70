//! What any network must beat, in the same folds.

use mgr_eval::split::Fold;
use mgr_learn::{LogisticRegressionConfig, StandardScaler};
use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::clips::Clip;

/// Predictions of the baselines, one for each clip of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baselines {
    /// The most frequent class of the training part.
    pub majority: Vec<usize>,
    /// Multinomial logistic regression (C = 1) on the standardised mean over time of each mel band.
    pub mean_spectrum: Vec<usize>,
}

/// The mean over segments and frames of each row: (clips, rows).
fn mean_spectrum(clips: &[Clip]) -> Array2<f64> {
    let rows = clips.first().map_or(0, |c| c.features.dim().1);
    let mut table = Array2::zeros((clips.len(), rows));
    for (clip, mut line) in clips.iter().zip(table.outer_iter_mut()) {
        for (row, mean) in clip.features.axis_iter(Axis(1)).zip(&mut line) {
            *mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / row.len().max(1) as f64;
        }
    }
    table
}

/// Fits the baselines on training and validation part, since they have nothing to choose, and asks them about the test part.
pub(crate) fn baselines(clips: &[Clip], classes: usize, folds: &[Fold]) -> Result<Baselines, PipelineError> {
    let table = mean_spectrum(clips);
    let mut result = Baselines { majority: vec![0; clips.len()], mean_spectrum: vec![0; clips.len()] };
    let plan = LogisticRegressionConfig::default().plan()?;
    for fold in folds {
        let mut train: Vec<usize> = fold.train.iter().chain(&fold.validation).copied().collect();
        train.sort_unstable();
        let labels: Vec<usize> = train.iter().map(|&i| clips[i].class).collect();
        let mut counts = vec![0_usize; classes];
        labels.iter().for_each(|&l| counts[l] += 1);
        let most = counts.iter().copied().max().unwrap_or(0);
        let majority = counts.iter().position(|&c| c == most).unwrap_or(0);

        let scaler = StandardScaler::fit(table.select(Axis(0), &train).view())?;
        let scaled = scaler.transform(table.select(Axis(0), &train).view())?;
        let model = plan.fit(scaled.view(), &labels, classes)?;
        let test = scaler.transform(table.select(Axis(0), &fold.test).view())?;
        for (&clip, predicted) in fold.test.iter().zip(model.predict(test.view())?) {
            result.majority[clip] = majority;
            result.mean_spectrum[clip] = predicted;
        }
    }
    Ok(result)
}
