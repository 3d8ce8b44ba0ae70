//! From verdicts to a report, and the same as Markdown, JSON and CSV.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;

use mgr_eval::EvalError;
use mgr_eval::report::{
    Block, Classification, ClipResult, Measure, Measures, Protocol, Report, ResultsFile, RunDescription,
    published_results, published_table, render_html, render_markdown,
};
use mgr_eval::table::{read_predictions_csv, write_measures_csv, write_table_csv};

/// Class 2 is never predicted, class 3 has no clip.
fn run() -> Classification {
    let clip = |index: usize| {
        let class = index % 3;
        let predicted = if class == 2 || index == 4 { 0 } else { class };
        let mut scores = vec![0.1; 4];
        scores[predicted] = 0.7 - 0.001 * index as f64;
        scores[3] = 1.0 - scores[..3].iter().sum::<f64>();
        ClipResult {
            id: format!("clip|{index}*"),
            class,
            predicted,
            scores,
            fold: index / 15,
            group: (index < 20).then(|| format!("artist {}", index / 5)),
            audio: (index == 4).then(|| "javascript:alert(1)//music/a b#.wav?x".to_owned()),
        }
    };
    Classification {
        title: "Run".to_owned(),
        run: RunDescription {
            dataset: "GTZAN".to_owned(),
            published: Some(Protocol::GtzanRandomFolds),
            seeds: vec![1, 2],
            versions: vec![("mgr".to_owned(), "0.1".to_owned())],
            fingerprints: vec![("clips".to_owned(), "abc".to_owned())],
            command: "mgr run ```x```".to_owned(),
            ..RunDescription::default()
        },
        classes: ["blues", "jazz", "pop", "ska"].map(str::to_owned).to_vec(),
        clips: (0..30).map(clip).collect(),
        histories: Vec::new(),
    }
}

#[test]
fn the_report_says_what_a_reader_must_know() {
    let report = run().report().unwrap();
    assert!(report.warnings.iter().any(|w| w.contains("exact copies")));
    assert!(report.warnings.contains(&"No clip of: ska. Means run over the other classes.".to_owned()));
    assert!(report.warnings.contains(&"Never predicted: pop. Their precision counts as 0.".to_owned()));
    assert_eq!(report.headline[0].value, "63.3 %");
    assert!(report.headline[0].note.contains("by artist or group"));
    let page = render_html(&report);
    for text in ["this run", "transfer features, all five layers + SVM", "Fingerprint of clips", "1, 2"] {
        assert!(page.contains(text), "{text}");
    }
    // The surest mistake first.
    let Block::Clips(clips) = run().worst_clips(3) else { panic!("no table") };
    let ids: Vec<&str> = clips.clips.iter().map(|clip| clip.id.as_str()).collect();
    assert_eq!(ids, ["clip|2*", "clip|4*", "clip|5*"]);
    // A path cannot become a scheme, a query or another host.
    assert!(page.contains("src=\"javascript%3Aalert%281%29//music/a%20b%23.wav%3Fx\""));
    assert!(!page.contains("src=\"javascript:"));

    let without_groups = Classification {
        clips: run().clips.into_iter().map(|clip| ClipResult { group: None, ..clip }).collect(),
        ..run()
    };
    let report = without_groups.report().unwrap();
    assert!(report.warnings.iter().any(|w| w.contains("Artists are not known")));
    let all_right = Classification {
        clips: run().clips.into_iter().map(|clip| ClipResult { predicted: clip.class, ..clip }).collect(),
        ..run()
    };
    assert_eq!(all_right.worst_clips(5), Block::Paragraph("No clip is confused.".to_owned()));
}

#[test]
fn measures_have_values_or_none() {
    let measures = run().measures().unwrap();
    assert_eq!((measures.clips, measures.accuracy), (30, 19.0 / 30.0));
    assert!(
        measures.accuracy_by_group.is_some()
            && measures.log_loss.is_some()
            && measures.top_3_accuracy.is_some()
    );
    // Scores that are no probabilities have areas but no losses.
    let mut raw = run();
    raw.clips.iter_mut().for_each(|clip| clip.scores.iter_mut().for_each(|score| *score *= 10.0));
    let measures = raw.measures().unwrap();
    assert!(measures.roc_auc.is_some());
    assert_eq!((measures.log_loss, measures.brier, measures.calibration_error), (None, None, None));
    assert!(raw.report().is_ok());
    let mut csv = Vec::new();
    write_measures_csv(&mut csv, &measures).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.starts_with("measure,value\nclips,30\naccuracy,0.633333\n") && csv.contains("\nlog_loss,\n"));
    let read: Measures = serde_json::from_str(&serde_json::to_string(&measures).unwrap()).unwrap();
    assert_eq!(read.rows().len(), measures.rows().len());
    let mut table = Vec::new();
    write_table_csv(&mut table, &measures.table()).unwrap();
    assert!(String::from_utf8(table).unwrap().contains("Macro F1,"));

    let one_class = Classification {
        classes: vec!["only".to_owned()],
        clips: vec![ClipResult { scores: vec![1.0], ..ClipResult::default() }],
        ..Classification::default()
    };
    let measures = one_class.measures().unwrap();
    assert_eq!((measures.accuracy, measures.cohen_kappa, measures.roc_auc), (1.0, None, None));
    assert!(one_class.report().is_ok());
}

#[test]
fn bad_runs_are_errors() {
    assert!(matches!(Classification::default().report(), Err(EvalError::Empty { .. })));
    let mut short = run();
    short.clips[3].scores.pop();
    assert!(matches!(short.measures(), Err(EvalError::LengthMismatch { expected: 4, got: 3, .. })));
    let mut lost = run();
    lost.clips[3].scores[1] = f64::NAN;
    assert!(matches!(lost.measures(), Err(EvalError::NotFinite { row: 3, column: 1, .. })));
    let mut beyond = run();
    beyond.clips[3].predicted = 9;
    assert!(matches!(beyond.measures(), Err(EvalError::LabelOutOfRange { label: 9, .. })));
    // No panic where the table of clips is asked for all the same.
    assert!(matches!(beyond.worst_clips(99), Block::Clips(_)));
}

#[test]
fn markdown_holds_everything_and_no_markup_of_names() {
    let report = run().report().unwrap();
    let text = render_markdown(&report, "figures");
    assert!(text.starts_with("# Run\n") && text.ends_with('\n'));
    for section in &report.sections {
        assert!(text.contains(&format!("## {}", section.title)));
    }
    assert!(text.contains("(<figures/confusion.svg>)"));
    assert!(text.contains("clip\\|2\\*") && !text.contains("clip|2*"));
    assert!(text.contains("````text\nmgr run ```x```\n````"));
    // Every line of a table has as many cells as its heading.
    for table in text.split("\n\n").filter(|part| part.starts_with("| ")) {
        let cells: BTreeSet<usize> =
            table.lines().map(|line| line.replace("\\|", "").matches('|').count()).collect();
        assert_eq!(cells.len(), 1, "{table}");
    }
}

#[test]
fn a_run_and_its_report_survive_json() {
    let json = serde_json::to_string(&run()).unwrap();
    let read: Classification = serde_json::from_str(&json).unwrap();
    assert_eq!(read, run());
    let report: Report =
        serde_json::from_str(&serde_json::to_string(&read.report().unwrap()).unwrap()).unwrap();
    assert_eq!(report.sections.len(), run().report().unwrap().sections.len());
}

#[test]
fn a_report_becomes_files_that_agree() {
    let run = run();
    let report = run.report().unwrap();
    let files = run.files(&report).unwrap();
    let bytes = |path: &str| &files.iter().find(|file| file.path == path).expect(path).bytes;
    assert_eq!(bytes("report.html"), render_html(&report).as_bytes());
    let results: ResultsFile = serde_json::from_slice(bytes("results.json")).unwrap();
    assert_eq!((&results.classification, results.measures.accuracy), (&run, 19.0 / 30.0));
    assert_eq!(results.confusion.iter().flatten().sum::<u64>(), 30);
    let read = read_predictions_csv(&bytes("predictions.csv")[..]).unwrap();
    assert_eq!(read.clips.len(), 30);
    // MLFCF's layout: numbers only, two lines and one column more than classes.
    let bare = String::from_utf8(bytes("temp_confusion.csv").clone()).unwrap();
    assert_eq!(bare.lines().count(), 6);
    assert!(bare.lines().all(|line| line.split(',').count() == 5));
    assert!(bare.lines().flat_map(|line| line.split(',')).all(|cell| cell.parse::<f64>().is_ok()));
    // The document's links to figures lead to files, and no path is there twice.
    let text = String::from_utf8(bytes("report.md").clone()).unwrap();
    for link in text.split("](<").skip(1) {
        bytes(link.split('>').next().unwrap());
    }
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths.len(), files.len());
    assert!(files.iter().all(|file| !file.bytes.is_empty()));
}

#[test]
fn published_results_are_shares_with_sources() {
    let mut seen = BTreeSet::new();
    for result in published_results() {
        assert!(result.value > 0.0 && result.value < 1.0 && !result.source.is_empty(), "{result:?}");
        assert!(result.deviation.is_none_or(|d| d > 0.0 && d < 0.2), "{result:?}");
        let key = (result.protocol.name(), result.measure.name(), result.system, result.source);
        assert!(seen.insert(key), "{result:?} is there twice");
    }
    assert!(seen.len() > 80);
    let Block::SummedTable(table) =
        published_table(Protocol::GtzanFaultFiltered, Measure::Accuracy, Some((0.80, None)))
    else {
        panic!("no table")
    };
    let order: Vec<&str> = table.table.rows.iter().map(|row| row[1].as_str()).collect();
    assert_eq!(order, ["82.1 %", "80.0 %", "77.2 %", "53.4 %"]);
    let none = published_table(Protocol::FmaOfficial, Measure::Accuracy, None);
    assert!(matches!(none, Block::Paragraph(text) if text.contains("FMA, official split")));
}

#[test]
fn predictions_are_read_back_and_bad_tables_refused() {
    let table = "\u{FEFF}id, genre ,predicted,p_hip hop,\"p_r\"\"n\"\"b\",fold,artist,extra\r\n\
                 a,hip hop,\"r\"\"n\"\"b\",0.25,0.75,3,X,\r\nb,\"r\"\"n\"\"b\",hip hop,1,0,0,,\r\n";
    let read = read_predictions_csv(table.as_bytes()).unwrap();
    assert_eq!(read.classes, ["hip hop", "r\"n\"b"]);
    assert_eq!(
        (read.clips[0].predicted, read.clips[0].fold, read.clips[0].group.as_deref()),
        (1, 3, Some("X"))
    );
    assert_eq!((read.clips[1].class, read.clips[1].group.as_deref()), (1, None));
    let refused = |text: &str| read_predictions_csv(text.as_bytes()).unwrap_err();
    assert!(
        matches!(refused("id,genre,p_a\n"), EvalError::MissingColumn { name, .. } if name == "predicted")
    );
    assert!(matches!(refused("id,genre,predicted\n"), EvalError::MissingColumn { .. }));
    assert!(matches!(refused("id,genre,predicted,p_a\n"), EvalError::Empty { .. }));
    assert!(matches!(refused("id,genre,predicted,p_a\nx,a,b,1\n"), EvalError::BadCell { line: 2, .. }));
    assert!(matches!(refused("id,genre,predicted,p_a\nx,a,a,nan\n"), EvalError::BadCell { line: 2, .. }));
    assert!(matches!(refused("id,genre,predicted,p_a\nx,a,a\n"), EvalError::Read { .. }));
    assert!(matches!(read_predictions_csv(&[0xFF, 0xFE, 0x00][..]), Err(EvalError::Read { .. })));
}
