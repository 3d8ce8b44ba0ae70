//! Figures: well-formed, complete, the same every time, whatever the input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_eval::EvalError;
use mgr_eval::figure::{
    Caption, Epoch, Figure, FoldHistory, confusion_figure, learning_curve_figure, per_class_figure,
};
use mgr_eval::metrics::ConfusionMatrix;

const CAPTION: Caption<'static> = Caption { name: "test", title: "A title with <markup> & \"quotes\"" };

fn matrix(classes: usize) -> ConfusionMatrix {
    let rows: Vec<Vec<u64>> = (0..classes)
        .map(|row| {
            (0..classes).map(|column| if row == column { 50 } else { (row * column % 7) as u64 }).collect()
        })
        .collect();
    ConfusionMatrix::from_rows(&rows).unwrap()
}

fn names(classes: usize) -> Vec<String> {
    (0..classes).map(|class| format!("class {class}")).collect()
}

fn history(epochs: usize, best_epoch: Option<usize>) -> FoldHistory {
    let epoch = |index: usize| Epoch {
        train_loss: 2.0 / (index + 1) as f64,
        train_accuracy: 1.0 - 1.0 / (index + 2) as f64,
        validation_loss: Some(2.5 / (index + 1) as f64),
        validation_accuracy: Some(0.8 - 0.5 / (index + 2) as f64),
    };
    FoldHistory { epochs: (0..epochs).map(epoch).collect(), best_epoch }
}

/// Tags are balanced, text is escaped, every number in an attribute is finite.
fn assert_sound(figure: &Figure) {
    let svg = &figure.svg;
    assert!(
        svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && svg.trim_end().ends_with("</svg>")
    );
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    assert!(!svg.contains("NaN") && !svg.contains("inf\"") && !svg.contains("<markup>"));
    assert!(svg.contains("role=\"img\"") && svg.contains("font-family=\"sans-serif\""));
    assert!(!figure.alt.is_empty());

    let reader = png::Decoder::new(std::io::Cursor::new(&figure.png)).read_info();
    let mut reader = reader.unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let info = reader.info();
    assert!(svg.contains(&format!("width=\"{}\" height=\"{}\"", info.width / 2, info.height / 2)));
    // Paper in the corners, and something drawn between.
    assert_eq!((pixels[0], pixels[pixels.len() - 1]), (255, 255));
    assert!(pixels.iter().any(|&value| value < 128));
}

#[test]
fn confusion_matrices_of_every_size_are_sound() {
    for classes in [1, 2, 10, 30, 64] {
        let figure = confusion_figure(CAPTION, &matrix(classes), &names(classes)).unwrap();
        assert_sound(&figure);
        // Every class name stands at both axes.
        let last = format!(">\nclass {}\n<", classes - 1);
        assert_eq!(figure.svg.matches(&last).count(), 2, "{classes} classes");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let draw = || {
        [
            confusion_figure(CAPTION, &matrix(4), &names(4)).unwrap(),
            per_class_figure(CAPTION, &matrix(4), &names(4)).unwrap(),
            learning_curve_figure(CAPTION, &[history(9, Some(4)), history(7, None)]).unwrap(),
        ]
    };
    let first = draw();
    for _ in 0..2 {
        let again = std::thread::spawn(draw).join().unwrap();
        assert!(first == again, "bytes differ");
    }
}

#[test]
fn hostile_names_and_counts_stay_inside() {
    let rows = vec![vec![u64::MAX, 0, 123_456], vec![0, 0, 0], vec![99_999, 7_654_321, 5]];
    let matrix = ConfusionMatrix::from_rows(&rows).unwrap();
    let hostile =
        ["<script>alert(1)</script>".to_owned(), "\u{0}\u{1b}\u{ffff}\n".to_owned(), "x".repeat(100_000)];
    for figure in [
        confusion_figure(CAPTION, &matrix, &hostile).unwrap(),
        per_class_figure(CAPTION, &matrix, &hostile).unwrap(),
    ] {
        assert_sound(&figure);
        assert!(!figure.svg.contains("<script"));
        assert!(!figure.svg.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{ffff}'));
    }
}

#[test]
fn alt_texts_tell_what_is_seen() {
    let matrix = ConfusionMatrix::from_rows(&[vec![8, 2, 0], vec![0, 10, 0], vec![5, 0, 5]]).unwrap();
    let figure = confusion_figure(CAPTION, &matrix, &["blues", "jazz", "rock"]).unwrap();
    assert_eq!(
        figure.alt,
        "Confusion matrix of 3 classes: 23 of 30 clips right, accuracy 76.7 %. Most frequent confusions: rock \
         taken for blues (5), blues taken for jazz (2)."
    );
    let figure = per_class_figure(CAPTION, &matrix, &["blues", "jazz", "rock"]).unwrap();
    assert!(figure.alt.ends_with("F1 runs from 0.67 (rock) to 0.91 (jazz)."), "{}", figure.alt);
    let figure = learning_curve_figure(CAPTION, &[history(10, Some(6))]).unwrap();
    assert!(figure.alt.ends_with("Kept epoch by fold: 6."), "{}", figure.alt);
}

#[test]
fn curves_draw_whatever_a_training_run_leaves() {
    let mut diverged = history(6, Some(2));
    diverged.epochs[3].train_loss = f64::NAN;
    diverged.epochs[4].train_loss = f64::INFINITY;
    diverged.epochs[5].validation_loss = Some(1e300);
    let mut unvalidated = history(5, Some(5));
    for epoch in &mut unvalidated.epochs {
        (epoch.validation_loss, epoch.validation_accuracy) = (None, None);
    }
    let mut flat = history(3, None);
    for epoch in &mut flat.epochs {
        *epoch =
            Epoch { train_loss: 0.0, train_accuracy: 1.0, validation_loss: None, validation_accuracy: None };
    }
    let mut huge = history(3, None);
    huge.epochs[0].train_loss = -1e30;
    huge.epochs[1].train_loss = 1e30;
    let mut tiny = history(2, None);
    (tiny.epochs[0].train_loss, tiny.epochs[1].train_loss) = (5e-324, 0.0);
    for folds in [
        vec![diverged],
        vec![unvalidated, history(1, Some(1))],
        vec![flat],
        vec![huge],
        vec![tiny],
        vec![history(1, Some(1))],
        vec![history(400, Some(399)), FoldHistory::default()],
    ] {
        assert_sound(&learning_curve_figure(CAPTION, &folds).unwrap());
    }
}

#[test]
fn bad_input_is_an_error() {
    let error = confusion_figure(CAPTION, &matrix(3), &names(2)).unwrap_err();
    assert!(matches!(error, EvalError::LengthMismatch { .. }));
    assert!(matches!(per_class_figure(CAPTION, &matrix(65), &names(65)), Err(EvalError::Parameter { .. })));
    for folds in [vec![], vec![FoldHistory::default()]] {
        assert!(matches!(learning_curve_figure(CAPTION, &folds), Err(EvalError::Empty { .. })));
    }
    for best in [0, 4] {
        let result = learning_curve_figure(CAPTION, &[history(3, Some(best))]);
        assert!(matches!(result, Err(EvalError::Parameter { .. })));
    }
}
