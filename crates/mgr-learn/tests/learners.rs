//! Bad input, corner cases, convergence reports and stored models.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_learn::{Convergence, LearnError, LogisticModel, LogisticRegressionConfig, StandardScaler};
use ndarray::{Array2, array};

fn fit(table: &Array2<f64>, labels: &[usize], classes: usize) -> Result<LogisticModel, LearnError> {
    LogisticRegressionConfig::default().plan()?.fit(table.view(), labels, classes)
}

#[test]
fn a_scaled_table_has_mean_zero_and_variance_one() {
    let table = Array2::from_shape_fn((50, 3), |(i, j)| ((i * (j + 3) * 17) % 23) as f64 * 1e3 + 1e6);
    let scaled = StandardScaler::fit(table.view()).unwrap().transform(table.view()).unwrap();
    for column in scaled.columns() {
        let mean = column.sum() / 50.0;
        let variance = column.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 50.0;
        // Values of 1e6 with a spread of 1e4 keep about 13 digits.
        assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-10);
    }
}

#[test]
fn a_constant_column_has_scale_one() {
    // 0.1 is not a binary number: its mean over 10 rows differs from it by rounding.
    let table = Array2::from_shape_fn((10, 2), |(i, j)| if j == 0 { 0.1 } else { i as f64 });
    let scaler = StandardScaler::fit(table.view()).unwrap();
    assert_eq!(scaler.scale()[0], 1.0);
    assert!(scaler.scale()[1] > 2.0);
    let one_row = StandardScaler::fit(array![[3.0, -4.0]].view()).unwrap();
    assert_eq!(one_row.scale(), [1.0, 1.0]);
}

#[test]
fn the_scaler_refuses_bad_tables() {
    let fit = |t: Array2<f64>| StandardScaler::fit(t.view());
    assert_eq!(fit(Array2::zeros((0, 3))), Err(LearnError::Empty { rows: 0, columns: 3 }));
    assert_eq!(fit(Array2::zeros((3, 0))), Err(LearnError::Empty { rows: 3, columns: 0 }));
    assert!(matches!(fit(array![[1.0, f64::NAN]]), Err(LearnError::NotFinite { row: 0, column: 1, .. })));
    assert!(matches!(fit(array![[1e300], [-1e300]]), Err(LearnError::Overflow { .. })));
    let scaler = fit(array![[1.0, 2.0], [3.0, 5.0]]).unwrap();
    let narrow = scaler.transform(array![[1.0]].view());
    assert_eq!(narrow, Err(LearnError::Columns { expected: 2, found: 1 }));
}

#[test]
fn the_regression_refuses_bad_input() {
    let table = array![[0.0], [1.0], [2.0]];
    assert_eq!(fit(&table, &[0, 1], 2), Err(LearnError::LabelCount { rows: 3, labels: 2 }));
    assert_eq!(fit(&table, &[0, 1, 2], 2), Err(LearnError::Label { row: 2, label: 2, classes: 2 }));
    assert_eq!(fit(&table, &[1, 1, 1], 2), Err(LearnError::OneClass { class: 1 }));
    assert_eq!(fit(&Array2::zeros((0, 1)), &[], 2), Err(LearnError::Empty { rows: 0, columns: 1 }));
    let infinite = array![[0.0], [f64::INFINITY], [1.0]];
    assert!(matches!(fit(&infinite, &[0, 1, 0], 2), Err(LearnError::NotFinite { row: 1, column: 0, .. })));
    let huge = array![[1e308, 1e308], [-1e308, 1e308], [1e308, -1e308]];
    // Either is a defined answer; what must not come is a panic or a model of NaN.
    if let Ok(model) = fit(&huge, &[0, 1, 0], 2) {
        assert!(model.weights().flatten().all(|w| w.is_finite()));
    }
    let model = fit(&table, &[0, 1, 1], 2).unwrap();
    assert!(matches!(model.predict(array![[1.0, 2.0]].view()), Err(LearnError::Columns { .. })));
    assert!(matches!(model.predict(array![[f64::NAN]].view()), Err(LearnError::NotFinite { .. })));
}

#[test]
fn settings_outside_their_range_are_refused() {
    for (c, tolerance, max_iterations, name) in [
        (0.0, 1e-6, 10, "c"),
        (f64::NAN, 1e-6, 10, "c"),
        (1.0, -1.0, 10, "tolerance"),
        (1.0, 1e-6, 0, "max_iterations"),
    ] {
        match (LogisticRegressionConfig {
            c,
            tolerance,
            max_iterations,
            ..LogisticRegressionConfig::default()
        })
        .plan()
        {
            Err(LearnError::Setting { field, .. }) => assert_eq!(field, name),
            other => panic!("{other:?}"),
        }
    }
    assert!(serde_json::from_str::<LogisticRegressionConfig>(r#"{"penalty": 1}"#).is_err());
    let partial: LogisticRegressionConfig = serde_json::from_str(r#"{"c": 2.0}"#).unwrap();
    assert_eq!(partial, LogisticRegressionConfig { c: 2.0, ..LogisticRegressionConfig::default() });
}

#[test]
fn a_fit_cut_short_says_so() {
    let table =
        Array2::from_shape_fn((40, 5), |(i, j)| ((i * 13 + j * 29 + i * i * (j + 1)) % 31) as f64 / 10.0);
    let labels: Vec<usize> = (0..40).map(|i| i % 4).collect();
    let config = LogisticRegressionConfig { max_iterations: 1, ..LogisticRegressionConfig::default() };
    let model = config.plan().unwrap().fit(table.view(), &labels, 4).unwrap();
    assert!(
        matches!(model.convergence(), Convergence::Stopped { iterations: 1, gradient } if gradient > 1e-6)
    );
    assert!(fit(&table, &labels, 4).unwrap().convergence().is_converged());
}

#[test]
fn separable_classes_with_a_weak_penalty_still_converge() {
    let table = Array2::from_shape_fn((60, 2), |(i, j)| (i % 3) as f64 * 4.0 + ((i + j) % 5) as f64 * 0.1);
    let labels: Vec<usize> = (0..60).map(|i| i % 3).collect();
    let config = LogisticRegressionConfig { c: 1e4, ..LogisticRegressionConfig::default() };
    let model = config.plan().unwrap().fit(table.view(), &labels, 3).unwrap();
    assert!(model.convergence().is_converged(), "{:?}", model.convergence());
    assert_eq!(model.predict(table.view()).unwrap(), labels);
}

#[test]
fn a_class_without_labels_has_probability_zero() {
    let table = array![[0.0], [0.2], [3.0], [3.1]];
    let model = fit(&table, &[1, 1, 3, 3], 5).unwrap();
    assert_eq!(model.present(), [1, 3]);
    let proba = model.predict_proba(table.view()).unwrap();
    assert_eq!(proba.dim(), (4, 5));
    for row in proba.rows() {
        assert_eq!((row[0], row[2], row[4]), (0.0, 0.0, 0.0));
        assert!((row.sum() - 1.0).abs() < 1e-15 * 4.0);
    }
    assert_eq!(model.predict(table.view()).unwrap(), [1, 1, 3, 3]);
}

#[test]
fn stored_models_come_back_and_broken_ones_do_not() {
    let table = array![[0.0, 1.0], [0.2, 3.0], [3.0, 1.0], [3.1, 2.0]];
    let scaler = StandardScaler::fit(table.view()).unwrap();
    let text = serde_json::to_string(&scaler).unwrap();
    assert_eq!(serde_json::from_str::<StandardScaler>(&text).unwrap(), scaler);
    assert!(serde_json::from_str::<StandardScaler>(r#"{"mean": [1.0], "scale": [0.0]}"#).is_err());
    assert!(serde_json::from_str::<StandardScaler>(r#"{"mean": [1.0], "scale": []}"#).is_err());
    let model = fit(&table, &[0, 0, 1, 1], 2).unwrap();
    let text = serde_json::to_string(&model).unwrap();
    assert_eq!(serde_json::from_str::<LogisticModel>(&text).unwrap(), model);
    let broken = text.replace(r#""columns":2"#, r#""columns":3"#);
    assert_ne!(broken, text);
    assert!(serde_json::from_str::<LogisticModel>(&broken).is_err());
}
