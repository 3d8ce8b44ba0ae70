//! A finished run on another labelled set.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mgr_data::dataset::Dataset;
use mgr_data::groups::Groups;
use mgr_data::write_atomic;
use mgr_eval::metrics::{ConfusionMatrix, MacroOver, wilson_interval};
use mgr_eval::report::{
    BadFile, Classification, ClipResult, Headline, Report, RunDescription, Section, bad_files_table,
    render_html,
};
use mgr_eval::table::{ConfusionLayout, write_confusion_csv};

use crate::files::write_json;
use crate::predict::Predictor;
use crate::progress::Progress;
use crate::record::RunRecord;
use crate::report::{table, write_predictions};
use crate::{BadClip, ClipVerdict, PipelineError, Results, Score};

/// Scores a finished run on a folder of `genre/file.ext` and writes the same tables and the same kind of report below `out`.
///
/// The folder's genres must be genres of the run; of those that it has not got there is nothing to say.
///
/// # Errors
/// [`PipelineError`]; [`PipelineError::Folds`] for a genre that the run does not know, or without a clip that can be used.
pub fn evaluate(
    run: &Path,
    root: &Path,
    groups: Option<&Path>,
    out: &Path,
    progress: &dyn Progress,
) -> Result<Results, PipelineError> {
    let predictor = Predictor::load(run)?;
    let record = RunRecord::read(run)?;
    let dataset = Dataset::folder(root)?;
    let groups = groups.map(Groups::read).transpose()?;
    let class_of: Vec<usize> = dataset
        .classes
        .iter()
        .map(|name| {
            predictor.classes().iter().position(|c| c == name).ok_or_else(|| PipelineError::Folds {
                reason: format!(
                    "the genre {name} of {} is none of the run's: {}",
                    root.display(),
                    predictor.classes().join(", ")
                ),
            })
        })
        .collect::<Result<_, _>>()?;
    let learned = learned(run);
    let known = dataset.tracks.iter().filter(|track| learned.contains(&track.id)).count();
    let split = if known == 0 {
        "every clip is tested; the run learned from none of this genre and name".to_owned()
    } else {
        format!(
            "every clip is tested; {known} of {} have the genre and name of clips that the run learned from: if they are the same, the figures flatter it",
            dataset.tracks.len()
        )
    };
    if known > 0 {
        progress.say(&split);
    }
    let task = progress.begin("clips", dataset.tracks.len());
    let (mut clips, mut bad, mut partial) = (Vec::new(), Vec::new(), Vec::new());
    let mut results_of = Vec::new();
    for (done, track) in dataset.tracks.iter().enumerate() {
        match predictor.predict(&track.path) {
            Ok(prediction) => {
                for reason in prediction.missing {
                    partial.push(BadClip { id: track.id.clone(), reason });
                }
                let class = class_of[track.class];
                results_of.push(ClipResult {
                    id: track.id.clone(),
                    class,
                    predicted: prediction.class,
                    scores: prediction.probabilities.iter().map(|&p| f64::from(p)).collect(),
                    fold: 0,
                    group: groups.as_ref().map(|g| g.group(track)),
                    audio: std::path::absolute(&track.path).ok().map(|p| format!("file://{}", p.display())),
                });
                clips.push(ClipVerdict {
                    id: track.id.clone(),
                    class,
                    predicted: prediction.class,
                    fold: 0,
                    probabilities: prediction.probabilities,
                });
            }
            Err(error) => bad.push(BadClip { id: track.id.clone(), reason: error.to_string() }),
        }
        task.at(done + 1, "");
    }
    task.end();
    if clips.is_empty() {
        let reason = bad.first().map_or_else(|| "no clip".into(), |b| b.reason.clone());
        return Err(PipelineError::Folds { reason: format!("none of the clips can be used: {reason}") });
    }
    let classes = predictor.classes().to_vec();
    let classification = Classification {
        title: format!("{} on {}", record.dataset, dataset.name),
        run: RunDescription {
            dataset: dataset.name.clone(),
            split,
            protocol: format!("a finished run, trained on {}", record.dataset),
            fingerprints: vec![("the run's clips".into(), record.clips.clone())],
            versions: vec![("mgr".into(), record.mgr.clone())],
            ..RunDescription::default()
        },
        classes: classes.clone(),
        clips: results_of,
        histories: Vec::new(),
    };
    let matrix = classification.confusion()?;
    let score = score(&matrix)?;
    let results = Results {
        dataset: dataset.name.clone(),
        classes: classes.clone(),
        on_test: true,
        fold_accuracies: vec![score.accuracy],
        scores: vec![score],
        comparisons: Vec::new(),
        subsets: Vec::new(),
        top: Vec::new(),
        confusion: matrix.rows().map(<[u64]>::to_vec).collect(),
        clips,
        bad,
        partial,
        damaged: Vec::new(),
        skipped: Vec::new(),
        nested: None,
    };
    write_json(&out.join("results.json"), &results)?;
    write_predictions(&results, &out.join("predictions.csv"))?;
    table(&out.join("confusion.csv"), |w| write_confusion_csv(w, &matrix, &classes, ConfusionLayout::Named))?;
    for figure in classification.figures()? {
        let path = out.join("figures").join(format!("{}.svg", figure.name));
        write_atomic(&path, |w| w.write_all(figure.svg.as_bytes()))?;
    }
    let html = render_html(&report(&classification, &results)?);
    write_atomic(&out.join("report.html"), |w| w.write_all(html.as_bytes()))?;
    Ok(results)
}

/// The clips of a run, `genre/file.ext`, as its split files name them; none where these are gone.
fn learned(run: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(run.join("splits")).into_iter().flatten().flatten();
    let texts = files.filter_map(|file| fs::read_to_string(file.path()).ok());
    texts.flat_map(|text| text.lines().map(|line| line.replacen('\t', "/", 1)).collect::<Vec<_>>()).collect()
}

fn report(classification: &Classification, results: &Results) -> Result<Report, PipelineError> {
    let mut report = classification.report()?;
    let bad: Vec<BadFile> =
        results.bad.iter().map(|b| BadFile { path: b.id.clone(), reason: b.reason.clone() }).collect();
    let place = report.sections.len().saturating_sub(1);
    report.sections.insert(
        place,
        Section { title: "Files".into(), id: "files".into(), blocks: vec![bad_files_table(&bad)] },
    );
    report.headline.push(Headline {
        label: "Files that cannot be used".into(),
        value: results.bad.len().to_string(),
        note: String::new(),
    });
    Ok(report)
}

fn score(matrix: &ConfusionMatrix) -> Result<Score, PipelineError> {
    let interval = wilson_interval(matrix.correct(), matrix.total(), 0.95)?;
    Ok(Score {
        system: "verdict".into(),
        accuracy: matrix.accuracy(),
        low: interval.low,
        high: interval.high,
        macro_f1: matrix.macro_average(MacroOver::Present).f1,
        of_folds: vec![matrix.accuracy()],
    })
}
