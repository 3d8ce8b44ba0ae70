//! Measures against scikit-learn's values, published intervals and hand counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::PathBuf;

use approx::assert_relative_eq;
use mgr_eval::EvalError;
use mgr_eval::metrics::{ConfusionMatrix, MacroOver, mean_and_deviation, predicted_labels, wilson_interval};
use ndarray::{Array2, array};
use serde_json::Value;

/// The reference values, or `None` where they are not on this machine.
fn golden_metrics() -> Option<PathBuf> {
    let named = std::env::var_os("MGR_SHARED").map(PathBuf::from);
    let walked = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared"))
        .find(|folder| folder.is_dir());
    let folder =
        named.or(walked).map(|shared| shared.join("golden/open/metrics")).filter(|folder| folder.is_dir());
    if folder.is_none() {
        assert!(std::env::var("MGR_REQUIRE_SHARED").as_deref() != Ok("1"), "shared data is required");
        eprintln!("SKIPPED: shared data not found (metrics against scikit-learn)");
    }
    folder
}

fn integers(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// A number, or the number beside scikit-learn's warnings.
fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value["value"].as_f64()).unwrap()
}

// Both sides divide and add a few dozen doubles, in another order: some units in the last place.
const ROUNDING: f64 = 1e-14;

#[test]
fn every_reference_case_agrees() {
    let Some(folder) = golden_metrics() else { return };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 17, "reference cases are missing");
    for file in files {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let expected = &case["expected"];
        let classes = case["labels"].as_array().unwrap().len();
        let (y_true, y_pred) = (integers(&case["y_true"]), integers(&case["y_pred"]));
        let matrix = ConfusionMatrix::from_labels(&y_true, &y_pred, classes).unwrap();

        let rows: Vec<Vec<u64>> = serde_json::from_value(expected["confusion_matrix"].clone()).unwrap();
        assert_eq!(Vec::from(matrix.clone()), rows, "{}", file.display());
        assert_relative_eq!(matrix.accuracy(), number(&expected["accuracy"]), max_relative = ROUNDING);
        let balanced = number(&expected["balanced_accuracy"]);
        assert_relative_eq!(matrix.balanced_accuracy(), balanced, max_relative = ROUNDING);

        let table = expected["prf_per_class"].as_array().unwrap();
        let (precision, recall, f1) = (floats(&table[0]), floats(&table[1]), floats(&table[2]));
        let support = floats(&table[3]);
        for (class, scores) in matrix.per_class().into_iter().enumerate() {
            assert_relative_eq!(scores.precision, precision[class], max_relative = ROUNDING);
            assert_relative_eq!(scores.recall, recall[class], max_relative = ROUNDING);
            assert_relative_eq!(scores.f1, f1[class], max_relative = ROUNDING);
            assert_eq!(scores.support as f64, support[class]);
        }

        let average = expected["prf_macro"].as_array().unwrap();
        let all = matrix.macro_average(MacroOver::All);
        for (ours, theirs) in [all.precision, all.recall, all.f1].into_iter().zip(average) {
            assert_relative_eq!(ours, theirs.as_f64().unwrap(), max_relative = ROUNDING);
        }
        let norm = expected["confusion_matrix_norm_true"].as_array().unwrap();
        for (row, shares) in norm.iter().enumerate() {
            for (column, share) in floats(shares).into_iter().enumerate() {
                assert_relative_eq!(matrix.row_share(row, column), share, max_relative = ROUNDING);
            }
        }
    }
}

#[test]
fn predicted_labels_are_the_first_largest_scores() {
    assert_eq!(predicted_labels(array![[0.1_f32, 0.9], [0.5, 0.5], [-3.0, -4.0]].view()).unwrap(), [1, 0, 0]);
    let error = predicted_labels(array![[0.1, 0.9], [0.5, f64::NAN]].view()).unwrap_err();
    assert!(matches!(error, EvalError::NotFinite { row: 1, column: 1, .. }));
    for shape in [(0, 3), (3, 0)] {
        assert!(matches!(predicted_labels(Array2::<f64>::zeros(shape).view()), Err(EvalError::Empty { .. })));
    }
}

#[test]
fn macro_means_leave_out_classes_without_clips() {
    // Class 2 is predicted once and never true; class 3 does not occur.
    let matrix = ConfusionMatrix::from_labels(&[0, 0, 1, 1], &[0, 2, 1, 1], 4).unwrap();
    let present = matrix.macro_average(MacroOver::Present);
    assert_eq!((present.precision, present.recall), (1.0, 0.75));
    assert_eq!(matrix.macro_average(MacroOver::All).recall, 0.375);
    assert_eq!(matrix.class_scores(3).f1, 0.0);
    assert_eq!(matrix.class_scores(2).precision, 0.0);
    assert_eq!(matrix.class_scores(99).support, 0);
}

#[test]
fn folds_sum_up() {
    let first = ConfusionMatrix::from_labels(&[0, 1], &[0, 0], 2).unwrap();
    let second = ConfusionMatrix::from_labels(&[1, 1], &[1, 0], 2).unwrap();
    let total = ConfusionMatrix::sum([&first, &second]).unwrap();
    assert_eq!(total, ConfusionMatrix::from_rows(&[vec![1, 0], vec![2, 1]]).unwrap());
    assert_eq!((total.total(), total.correct(), total.support(1), total.predicted(0)), (4, 2, 3, 3));
    let other = ConfusionMatrix::from_labels(&[0], &[0], 3).unwrap();
    assert!(matches!(ConfusionMatrix::sum([&first, &other]), Err(EvalError::LengthMismatch { .. })));
    assert!(matches!(ConfusionMatrix::sum([]), Err(EvalError::Empty { .. })));
    let full = ConfusionMatrix::from_rows(&[vec![u64::MAX, u64::MAX], vec![0, 1]]).unwrap();
    assert_eq!(ConfusionMatrix::sum([&full, &full]).unwrap().total(), u64::MAX);
}

#[test]
fn bad_labels_are_errors() {
    let make = ConfusionMatrix::from_labels;
    assert!(matches!(make(&[0], &[0, 1], 2), Err(EvalError::LengthMismatch { expected: 1, got: 2, .. })));
    assert!(matches!(make(&[], &[], 2), Err(EvalError::Empty { .. })));
    let error = make(&[0, 1], &[0, 2], 2).unwrap_err();
    assert_eq!(error.to_string(), "predicted label 2 at position 1 is out of range, allowed: 0 to 1");
    for classes in [0, usize::MAX] {
        assert!(matches!(make(&[0], &[0], classes), Err(EvalError::Parameter { .. })));
    }
    assert!(ConfusionMatrix::from_rows(&[vec![1, 2]]).is_err());
    assert!(ConfusionMatrix::from_rows(&[]).is_err());
    assert!(serde_json::from_str::<ConfusionMatrix>("[[1,2],[3]]").is_err());
    let matrix = make(&[0, 1], &[0, 0], 2).unwrap();
    assert_eq!(serde_json::to_string(&matrix).unwrap(), "[[1,0],[1,0]]");
}

#[test]
fn wilson_matches_published_intervals() {
    // R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17, 1998,
    // table I, method 3: four decimals are printed.
    for (successes, n, low, high) in
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
    {
        let interval = wilson_interval(successes, n, 0.95).unwrap();
        assert!((interval.low - low).abs() <= 5e-5 && (interval.high - high).abs() <= 5e-5, "{interval:?}");
    }
    assert_eq!(wilson_interval(20, 20, 0.95).unwrap().high, 1.0);
    let (narrow, wide) = (wilson_interval(5, 9, 0.5).unwrap(), wilson_interval(5, 9, 1.0 - 1e-16).unwrap());
    assert!(wide.low < narrow.low && narrow.high < wide.high && wide.low > 0.0);
}

#[test]
fn bad_intervals_and_summaries_are_errors() {
    assert!(matches!(wilson_interval(0, 0, 0.95), Err(EvalError::Empty { .. })));
    assert!(matches!(wilson_interval(3, 2, 0.95), Err(EvalError::Parameter { .. })));
    for confidence in [0.0, 1.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(wilson_interval(1, 2, confidence), Err(EvalError::Parameter { .. })));
    }
    assert!(matches!(mean_and_deviation(&[]), Err(EvalError::Empty { .. })));
    assert!(matches!(mean_and_deviation(&[1.0, f64::NAN]), Err(EvalError::NotFinite { row: 1, .. })));
}

#[test]
fn the_deviation_is_the_sample_one() {
    let summary = mean_and_deviation(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
    assert_eq!(summary.mean, 5.0);
    // Squares sum to 32 over n - 1 = 7.
    assert_relative_eq!(summary.deviation.unwrap(), (32.0_f64 / 7.0).sqrt());
    assert_eq!(mean_and_deviation(&[0.7]).unwrap().deviation, None);
}
