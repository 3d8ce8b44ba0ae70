//! The tables and pages of MusicFeaturization and of Bahuleyan's study.

use mgr_eval::figure::{Caption, Importance, confusion_figure, importance_figure, roc_figure};
use mgr_eval::metrics::roc_curve;
use mgr_eval::report::{
    Block, Classification, Headline, Measure, Protocol, Report, RunDescription, Table, per_class_table,
    published_table,
};
use serde_json::json;

use super::handcrafted::{Described, Verdicts};
use super::results::{Published, Sheet};
use crate::studies::picture_parts::output::{Output, figures_of, numbers, paragraph, section};
use crate::studies::picture_parts::spoken::{Result, percent, sentence, with_interval};

/// A sheet beside the published one.
#[must_use]
pub fn beside(sheet: &Sheet) -> Table {
    let [one, two, three] = sheet.top;
    let row = |name: &str, ours: f64, published: &str| {
        vec![name.to_owned(), format!("{ours:.4}"), published.to_owned()]
    };
    numbers(
        "This run, and the published one on 1,500 clips of MagnaTagATune",
        &["Measure", "This run", "Published"],
        vec![
            row("top 1", one, "0.8593"),
            row("top 2", two, "0.9607"),
            row("top 3", three, "0.9873"),
            row("Matthews' correlation", sheet.matthews, "0.79"),
            row("macro F1", sheet.macro_f1, "0.55"),
            row("ROC AUC (published: of scores over batches)", sheet.roc_auc, "0.905"),
        ],
    )
}

/// The page on the published outputs: their measures as stated, of the stored scores, and of the same as a softmax of each clip.
///
/// # Errors
/// The sentences of mgr-eval, the system's reason.
pub fn results(
    published: &Published,
    sheet: &Sheet,
    of_rows: &Sheet,
    command: &str,
    out: &Output,
) -> Result<()> {
    let sums = published.batch_sums();
    let [low, high] = [f32::min, f32::max].map(|pick| sums.iter().copied().fold(sums[0], pick));
    let stated = |name: &str| published.stated.get(name).map_or("–".to_owned(), f64::to_string);
    let row = |name: &str, key: &str, value: f64, other: f64| {
        vec![name.to_owned(), stated(key), format!("{value:.6}"), format!("{other:.6}")]
    };
    let rows = vec![
        row("top 1", "TOP_1", sheet.top[0], of_rows.top[0]),
        row("top 2", "TOP_2", sheet.top[1], of_rows.top[1]),
        row("top 3", "TOP_3", sheet.top[2], of_rows.top[2]),
        row("accuracy", "Test Set Accuracy", sheet.accuracy, of_rows.accuracy),
        row("Matthews' correlation", "Test Set Matthews Coef", sheet.matthews, of_rows.matthews),
        row("macro F1", "Test Set F-score", sheet.macro_f1, of_rows.macro_f1),
        row("ROC AUC, each genre against the rest", "ROC AUC", sheet.roc_auc, of_rows.roc_auc),
    ];
    let titles =
        ["Measure", "Stated in res.txt", "Of the stored scores", "Of the same as a softmax of each clip"];
    let table = numbers("The published outputs measured anew", &titles, rows);
    for row in &table.rows {
        println!("{:40} {:20} {} {}", row[0], row[1], row[2], row[3]);
    }
    println!("{}", sheet.to_text());
    out.table("measures.csv", &table)?;
    out.write("res.txt", sheet.to_text().as_bytes())?;
    out.confusion("confusion", &sheet.matrix, &published.classes)?;
    let curves = (0..published.classes.len())
        .map(|class| {
            let positive: Vec<bool> = published.truth.iter().map(|&t| t == class).collect();
            let scores: Vec<f64> = published.of_rows.column(class).iter().map(|v| f64::from(*v)).collect();
            roc_curve(&positive, &scores).map_err(sentence)
        })
        .collect::<Result<Vec<_>>>()?;
    let caption = |name, title| Caption { name, title };
    let report = Report {
        title: "MusicFeaturization: the published outputs measured anew".to_owned(),
        subtitle: format!(
            "{} clips, {} genres, {} features each",
            published.truth.len(),
            published.classes.len(),
            published.features.ncols()
        ),
        headline: vec![Headline {
            label: "Top 1".to_owned(),
            value: percent(sheet.top[0]),
            note: with_interval(sheet.matrix.correct(), sheet.matrix.total())?,
        }],
        warnings: vec![
            "Several clips of one song stand on both sides of the published split.".to_owned(),
            format!(
                "The stored scores sum to {low:.4} to {high:.4} over each batch of a hundred and not over each clip: the softmax ran over the batch. The area under the ROC curve is then not comparable with others; the last column has the same scores as a softmax of each clip."
            ),
        ],
        sections: vec![
            section("Measures", "measures", vec![Block::Table(table)]),
            section(
                "By genre",
                "genres",
                vec![
                    Block::Figure(
                        confusion_figure(
                            caption("confusion", "Confusion matrix"),
                            &sheet.matrix,
                            &published.classes,
                        )
                        .map_err(sentence)?,
                    ),
                    per_class_table(&sheet.matrix, &published.classes).map_err(sentence)?,
                    Block::Figure(
                        roc_figure(
                            caption("roc", "ROC curves, softmax of each clip"),
                            &curves,
                            &published.classes,
                        )
                        .map_err(sentence)?,
                    ),
                ],
            ),
            section(
                "Published results",
                "published",
                vec![
                    published_table(Protocol::MagnaTagATuneSix, Measure::Accuracy, None),
                    published_table(Protocol::MagnaTagATuneSix, Measure::MacroF1, None),
                ],
            ),
            section("What was run", "run", vec![Block::Code(command.to_owned())]),
        ],
    };
    out.report(&report)
}

/// The verdicts of a system, said in a line.
///
/// # Errors
/// The sentence of mgr-eval.
pub fn told(
    name: &str,
    verdicts: &Verdicts,
    table: &Described,
    run: &RunDescription,
) -> Result<Classification> {
    let found = verdicts.classification(name, table, run);
    let matrix = found.confusion().map_err(sentence)?;
    println!("{name:38} {}", with_interval(matrix.correct(), matrix.total())?);
    Ok(found)
}

/// The page of Bahuleyan's study.
///
/// # Errors
/// The sentences of mgr-eval, the system's reason.
pub fn bahuleyan(
    out: &Output,
    table: &Described,
    systems: &[(String, Classification, &str)],
    importances: &[Vec<f64>],
    run: &RunDescription,
    split: &str,
) -> Result<()> {
    let (mut rows, mut measured) = (Vec::new(), Vec::new());
    for (name, found, stated) in systems {
        let measures = found.measures().map_err(sentence)?;
        let matrix = found.confusion().map_err(sentence)?;
        rows.push(vec![
            name.clone(),
            with_interval(matrix.correct(), matrix.total())?,
            percent(measures.macro_f1),
            measures.roc_auc.map_or("–".to_owned(), |area| format!("{area:.3}")),
            (*stated).to_owned(),
        ]);
        measured.push(json!({ "system": name, "measures": measures }));
        let file = name.replace([' ', ','], "_");
        out.classification(&format!("{file}/"), found)?;
    }
    let titles = [
        "System",
        "Accuracy (95 % interval)",
        "Macro F1",
        "ROC AUC",
        "Published accuracy / F / AUC (AudioSet, seven genres)",
    ];
    let comparison = numbers("Systems side by side", &titles, rows);
    out.table("systems.csv", &comparison)?;
    out.json("results.json", &json!({ "split": split, "systems": measured, "left_out": table.notes }))?;

    // The mean over folds of what each column is worth to boosting.
    let folds = importances.len().max(1) as f64;
    let bar = |(at, name): (usize, &String)| {
        let values: Vec<f64> = importances.iter().filter_map(|fold| fold.get(at)).copied().collect();
        let mean = values.iter().sum::<f64>() / folds;
        let deviation = (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / folds).sqrt();
        Importance { name: name.clone(), value: mean, deviation: Some(deviation) }
    };
    let bars: Vec<Importance> = table.columns.iter().enumerate().map(bar).collect();
    let caption = Caption { name: "importance", title: "The twenty most important features to boosting" };
    let importance =
        importance_figure(caption, "Decrease of impurity, mean and deviation over folds", &bars, 20);

    let mut sections = vec![
        section("Systems", "systems", vec![Block::Table(comparison)]),
        section("Importance", "importance", vec![Block::Figure(importance.map_err(sentence)?)]),
    ];
    for (name, found, _) in systems {
        let file = name.replace([' ', ','], "_");
        let figures = figures_of(found, &file, name)?.into_iter().map(Block::Figure);
        sections.push(section(name, &file, figures.collect()));
    }
    let mut notes = vec![paragraph(format!("Split: {split}."))];
    notes.extend(run.blocks());
    if !table.notes.is_empty() {
        notes.push(Block::List(table.notes.clone()));
    }
    sections.push(section("What was run", "run", notes));
    let best = systems.iter().take(4).map(|(name, found, _)| (name, found.measures())).collect::<Vec<_>>();
    let mut headline = Vec::new();
    for (name, measures) in best {
        let measures = measures.map_err(sentence)?;
        headline.push(Headline {
            label: name.clone(),
            value: percent(measures.accuracy),
            note: format!("macro F1 {}", percent(measures.macro_f1)),
        });
    }
    out.report(&Report {
        title: format!("Bahuleyan's study: {}", run.dataset),
        subtitle: format!(
            "{} clips, {} genres, {} features",
            table.ids.len(),
            table.classes.len(),
            table.columns.len()
        ),
        headline,
        warnings: run.known_leaks.clone(),
        sections,
    })
}
