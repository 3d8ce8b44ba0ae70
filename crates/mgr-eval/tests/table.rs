//! CSV: exact bytes, refused input, failing writers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::{self, Write};

use mgr_eval::EvalError;
use mgr_eval::metrics::ConfusionMatrix;
use mgr_eval::table::{ConfusionLayout, Predictions, write_confusion_csv, write_predictions_csv};
use ndarray::{Array2, array};

const NAMES: [&str; 3] = ["blues", "rock, hard", "pop"];

/// A disk that is full after `room` bytes.
struct FullDisk {
    room: usize,
}

impl Write for FullDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room == 0 {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "disk full"));
        }
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn matrix() -> ConfusionMatrix {
    // "pop" is never predicted, so its precision is 0/0.
    ConfusionMatrix::from_labels(&[0, 0, 0, 1, 1, 2], &[0, 0, 1, 1, 1, 0], 3).unwrap()
}

fn confusion_bytes(layout: ConfusionLayout) -> String {
    let mut bytes = Vec::new();
    write_confusion_csv(&mut bytes, &matrix(), &NAMES, layout).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn predictions<'a>(scores: &'a Array2<f32>) -> Predictions<'a, &'a str, f32> {
    Predictions {
        ids: &["a.wav", "b \"live\".wav"],
        y_true: &[0, 1],
        y_pred: &[0, 2],
        folds: &[3, 0],
        scores: scores.view(),
    }
}

#[test]
fn confusion_csv_has_fixed_bytes() {
    insta::assert_snapshot!("confusion_named", confusion_bytes(ConfusionLayout::Named));
    insta::assert_snapshot!("confusion_bare", confusion_bytes(ConfusionLayout::Bare));
}

#[test]
fn predictions_csv_has_fixed_bytes() {
    let scores = array![[0.75_f32, 0.25, -1e-9], [0.1, 0.2, 1e6]];
    let mut bytes = Vec::new();
    write_predictions_csv(&mut bytes, &predictions(&scores), &NAMES).unwrap();
    insta::assert_snapshot!("predictions", String::from_utf8(bytes).unwrap());
}

#[test]
fn bad_input_is_refused_before_the_first_byte() {
    let good = array![[0.5_f32, 0.25, 0.25], [0.1, 0.2, 0.7]];
    let mut bytes = Vec::new();
    let mut refused = |changed: Predictions<'_, &str, f32>| {
        let error = write_predictions_csv(&mut bytes, &changed, &NAMES).unwrap_err();
        assert!(bytes.is_empty());
        error
    };
    let base = predictions(&good);
    assert!(matches!(refused(Predictions { y_true: &[0], ..base }), EvalError::LengthMismatch { .. }));
    assert!(matches!(refused(Predictions { y_pred: &[0], ..base }), EvalError::LengthMismatch { .. }));
    assert!(matches!(refused(Predictions { folds: &[0], ..base }), EvalError::LengthMismatch { .. }));
    assert!(matches!(refused(Predictions { y_pred: &[0, 3], ..base }), EvalError::LabelOutOfRange { .. }));
    let narrow = Array2::zeros((2, 2));
    assert!(matches!(refused(predictions(&narrow)), EvalError::LengthMismatch { .. }));
    let nan = array![[0.5_f32, 0.25, 0.25], [0.1, f32::NAN, 0.7]];
    assert!(matches!(refused(predictions(&nan)), EvalError::NotFinite { row: 1, column: 1, .. }));
    let error = write_confusion_csv(Vec::new(), &matrix(), &["a"], ConfusionLayout::Named).unwrap_err();
    assert!(matches!(error, EvalError::LengthMismatch { expected: 3, got: 1, .. }));
}

#[test]
fn a_full_disk_is_an_error_wherever_it_is_full() {
    let scores = array![[0.75_f32, 0.25, 0.0], [0.1, 0.2, 0.7]];
    let mut whole = Vec::new();
    write_predictions_csv(&mut whole, &predictions(&scores), &NAMES).unwrap();
    for room in 0..whole.len() {
        let result = write_predictions_csv(FullDisk { room }, &predictions(&scores), &NAMES);
        let Err(EvalError::Write { source }) = result else { panic!("{room} bytes: no error") };
        assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    }
    write_predictions_csv(FullDisk { room: whole.len() }, &predictions(&scores), &NAMES).unwrap();

    for layout in [ConfusionLayout::Named, ConfusionLayout::Bare] {
        for room in 0..confusion_bytes(layout).len() {
            let result = write_confusion_csv(FullDisk { room }, &matrix(), &NAMES, layout);
            assert!(matches!(result, Err(EvalError::Write { .. })), "{room} bytes");
        }
    }
}
