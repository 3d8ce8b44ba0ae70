//! A support vector machine on the codes of VGG16, its settings chosen without a look at the test part.

use mgr_eval::split::Fold;
use mgr_learn::{
    CandidateScore, Classifier, Grid, Labelled, Learner, LearnerConfig, PipelineConfig, SILENT, ScalerConfig,
    SvcConfig, best, search,
};
use ndarray::{Array2, ArrayView2, Axis, concatenate};
use serde_json::json;

use crate::studies::flags::Failure;

/// The study's grid: `C` of 1, 3, ..., 39, 100, 200, 500, 1000 and 2015, `gamma` of twelve values from 1e-5 to 5.
#[must_use]
pub fn grid() -> Grid {
    let svc = LearnerConfig::Svc(SvcConfig::default());
    let base = PipelineConfig { scaler: ScalerConfig::MinMax, ..PipelineConfig::scaled(svc) };
    let odd = (0..20).map(|n| f64::from(2 * n + 1));
    let gammas = [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0];
    Grid::new(base)
        .over("learner.c", odd.chain([100.0, 200.0, 500.0, 1000.0, 2015.0]))
        .over("learner.gamma", gammas.map(|gamma| json!({ "value": gamma })))
}

/// What the grid chose, and the test part's probabilities and classes.
#[derive(Debug)]
pub struct Chosen {
    /// The settings with their accuracy in validation.
    pub settings: CandidateScore,
    /// Probabilities by Platt's method, (clips, classes).
    pub probabilities: Array2<f64>,
    /// The classes by the machine's own vote.
    pub predicted: Vec<usize>,
}

/// Codes with a class each.
#[derive(Debug, Clone, Copy)]
pub struct Codes<'a> {
    /// (clips, values).
    pub codes: ArrayView2<'a, f32>,
    /// One class a clip.
    pub labels: &'a [usize],
}

/// Scores every pair of the grid on the validation part by a machine fitted on the training part, then fits the best pair on
/// both. The range of each column is that of what is fitted on. Test clips are asked once, at the end.
///
/// # Errors
/// Those of fitting.
pub fn fit(
    train: Codes<'_>,
    validation: Codes<'_>,
    test: ArrayView2<'_, f32>,
    classes: usize,
) -> Result<Chosen, Failure> {
    let table = concatenate(Axis(0), &[train.codes, validation.codes])?.mapv(f64::from);
    let labels = [train.labels, validation.labels].concat();
    let cut = train.labels.len();
    let fold =
        Fold { train: (0..cut).collect(), validation: Vec::new(), test: (cut..labels.len()).collect() };
    let data = Labelled::new(table.view(), &labels, None, classes)?;
    let scores = search(&grid().candidates()?, data, &[fold], SILENT)?;
    let settings = best(&scores)?.clone();
    let mut config = settings.config.clone();
    if let LearnerConfig::Svc(svc) = &mut config.learner {
        svc.probability = true;
    }
    let model = config.plan()?.fit(table.view(), &labels, classes)?;
    let test = test.mapv(f64::from);
    Ok(Chosen {
        settings,
        probabilities: model.predict_proba(test.view())?,
        predicted: model.predict(test.view())?,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::s;

    use super::*;

    #[test]
    fn the_grid_is_the_study_s() {
        assert_eq!(grid().candidates().unwrap().len(), 25 * 12);
    }

    #[test]
    fn test_clips_have_no_part_in_the_choice() {
        let codes = Array2::from_shape_fn((24, 3), |(clip, value)| {
            (clip % 2) as f32 + ((clip * 7 + value * 5) % 11) as f32 * 0.05
        });
        let labels: Vec<usize> = (0..24).map(|clip| clip % 2).collect();
        let part = |from: usize, to: usize| (codes.slice(s![from..to, ..]), &labels[from..to]);
        let fit = |test| {
            let [(train, of_train), (validation, of_validation)] = [part(0, 16), part(16, 20)];
            let (train, validation) = (
                Codes { codes: train, labels: of_train },
                Codes { codes: validation, labels: of_validation },
            );
            fit(train, validation, test, 2).unwrap()
        };
        let far = Array2::from_elem((1, 3), 1e3_f32);
        let (one, other) = (fit(part(20, 24).0), fit(far.view()));
        assert_eq!(one.settings, other.settings);
        assert_eq!(one.predicted, labels[20..24]);
    }
}
