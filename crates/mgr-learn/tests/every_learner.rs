//! One contract that every classifier is tested against.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_learn::{Classifier, LearnError, Learner, LearnerConfig, ModelFile, PipelineConfig};
use ndarray::{Array2, Axis, ShapeBuilder, array, s};

/// Three classes of 20 rows, apart in the first two of five columns.
fn table() -> (Array2<f64>, Vec<usize>) {
    let labels: Vec<usize> = (0..60).map(|i| i % 3).collect();
    let table = Array2::from_shape_fn((60, 5), |(i, j)| {
        let noise = ((i * 37 + j * 101 + i * i * 7 * (j + 1)) % 97) as f64 / 97.0;
        match j {
            0 => noise + 2.0 * labels[i] as f64,
            1 => noise - 1.5 * (labels[i] % 2) as f64,
            _ => noise,
        }
    });
    (table, labels)
}

fn every() -> impl Iterator<Item = LearnerConfig> {
    LearnerConfig::NAMES.iter().map(|name| {
        // Fewer trees: this is a debug build.
        match LearnerConfig::of(name).unwrap() {
            LearnerConfig::RandomForest(mut c) => {
                c.n_estimators = 10;
                LearnerConfig::RandomForest(c)
            }
            LearnerConfig::GradientBoosting(mut c) => {
                c.n_estimators = 10;
                LearnerConfig::GradientBoosting(c)
            }
            other => other,
        }
    })
}

fn fit(
    config: &LearnerConfig,
    table: &Array2<f64>,
    labels: &[usize],
    classes: usize,
) -> Result<mgr_learn::PipelineModel, LearnError> {
    PipelineConfig::scaled(config.clone()).plan()?.fit(table.view(), labels, classes)
}

#[test]
fn every_learner_learns_what_is_plain() {
    let (table, labels) = table();
    for config in every() {
        let model = fit(&config, &table, &labels, 3).unwrap();
        let right = model.predict(table.view()).unwrap().iter().zip(&labels).filter(|(p, l)| p == l).count();
        // AdaBoost's stumps and the perceptron are the weakest.
        assert!(right >= 50, "{}: {right} of 60", config.name());
        assert_eq!((model.classes(), model.columns(), model.present()), (3, 5, [0, 1, 2].as_slice()));
    }
}

#[test]
fn probabilities_sum_to_one_and_say_what_is_predicted() {
    let (table, labels) = table();
    for config in every() {
        let model = fit(&config, &table, &labels, 4).unwrap();
        let Ok(proba) = model.predict_proba(table.view()) else { continue };
        assert_eq!(proba.dim(), (60, 4), "{}", config.name());
        for row in proba.rows() {
            assert!(
                (row.sum() - 1.0).abs() < 1e-9 && row.iter().all(|p| (0.0..=1.0).contains(p)),
                "{}",
                config.name()
            );
            assert_eq!(row[3], 0.0, "{}: a class without rows has probability 0", config.name());
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_for_any_number_of_threads() {
    let (table, labels) = table();
    let names = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>();
    for config in every() {
        let text = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let model = pool.install(|| fit(&config, &table, &labels, 3)).unwrap();
            ModelFile::new(model, names(5), names(3)).unwrap().to_json().unwrap()
        };
        assert!(text(1) == text(3), "{}", config.name());
    }
}

#[test]
fn stored_models_predict_the_same_bits() {
    let (table, labels) = table();
    let names = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>();
    let folder = std::env::temp_dir().join(format!("mgr-learn-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for config in every() {
        let model = fit(&config, &table, &labels, 3).unwrap();
        let file = ModelFile::new(model.clone(), names(5), names(3)).unwrap();
        let path = folder.join("model.json");
        file.save(&path).unwrap();
        let again = ModelFile::load(&path).unwrap();
        assert_eq!(again, file, "{}", config.name());
        assert_eq!(again.pipeline().predict(table.view()), model.predict(table.view()));
        assert_eq!(again.pipeline().predict_proba(table.view()), model.predict_proba(table.view()));
        // A broken file is refused, or reads as a model that still answers.
        let text = file.to_json().unwrap();
        for (from, to) in
            [("\"version\":1", "\"version\":2"), ("\"columns\":5", "\"columns\":6"), ("[0,1,2]", "[0,2,1]")]
        {
            let broken = text.replacen(from, to, 1);
            if broken != text {
                assert!(ModelFile::from_json(&broken).is_err(), "{} {from}", config.name());
            }
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
    let other = ModelFile::from_json(r#"{"format": "mgr-learn pipeline", "version": 9}"#).unwrap_err();
    assert!(other.to_string().contains("version 9"), "{other}");
}

#[test]
fn bad_input_is_refused_by_every_learner() {
    let (table, labels) = table();
    for config in every() {
        let name = config.name();
        let refused = |t: &Array2<f64>, l: &[usize], k: usize| fit(&config, t, l, k).unwrap_err();
        assert!(matches!(refused(&Array2::zeros((0, 5)), &[], 3), LearnError::Empty { .. }), "{name}");
        assert!(matches!(refused(&Array2::zeros((5, 0)), &[0; 5], 3), LearnError::Empty { .. }), "{name}");
        assert!(matches!(refused(&table, &labels[1..], 3), LearnError::LabelCount { .. }), "{name}");
        assert!(matches!(refused(&table, &labels, 2), LearnError::Label { .. }), "{name}");
        assert!(matches!(refused(&table, &[1; 60], 3), LearnError::OneClass { class: 1 }), "{name}");
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut bad = table.clone();
            bad[[7, 2]] = value;
            assert!(
                matches!(refused(&bad, &labels, 3), LearnError::NotFinite { row: 7, column: 2, .. }),
                "{name}"
            );
            let model = fit(&config, &table, &labels, 3).unwrap();
            assert!(matches!(model.predict(bad.view()), Err(LearnError::NotFinite { .. })), "{name}");
        }
        let model = fit(&config, &table, &labels, 3).unwrap();
        let narrow = table.select(Axis(1), &[0, 1]);
        assert!(matches!(model.predict(narrow.view()), Err(LearnError::Columns { .. })), "{name}");
    }
}

#[test]
fn odd_tables_give_a_model_or_an_error_and_never_a_panic() {
    let (table, labels) = table();
    let mut constant = table.clone();
    constant.column_mut(3).fill(0.1);
    let mut single = labels.clone();
    single.iter_mut().for_each(|l| *l = (*l).min(1));
    single[5] = 2;
    let wide = Array2::from_shape_fn((6, 40), |(i, j)| ((i * 13 + j * 7 + i * j) % 11) as f64);
    let doubled = Array2::from_shape_fn((40, 3), |(i, j)| ((i / 4 * 5 + j) % 7) as f64);
    let contradicting: Vec<usize> = (0..40).map(|i| i % 2).collect();
    let all_constant = Array2::from_elem((20, 3), 4.0);
    let huge = &table * 1e200;
    for config in every() {
        let name = config.name();
        // Constant columns, more columns than rows and contradicting rows are fitted.
        let model = fit(&config, &constant, &labels, 3).unwrap();
        assert_eq!(model.predict(constant.view()).unwrap().len(), 60, "{name}");
        let few = fit(&config, &wide, &[0, 1, 0, 1, 0, 1], 2);
        assert!(
            few.is_ok()
                || matches!(config, LearnerConfig::Stacking(_) | LearnerConfig::Voting(_))
                || matches!(few, Err(LearnError::Split { .. } | LearnError::Rows { .. })),
            "{name} {few:?}"
        );
        let model = fit(&config, &doubled, &contradicting, 2).unwrap();
        assert!(model.predict(doubled.view()).unwrap().iter().all(|p| *p < 2), "{name}");
        // A class with one row: only what divides each class into folds refuses.
        match fit(&config, &table, &single, 3) {
            Ok(model) => assert_eq!(model.present(), [0, 1, 2], "{name}"),
            Err(error) => assert!(matches!(error, LearnError::Split { .. }), "{name}: {error}"),
        }
        // No information at all, and values near the end of the range: an answer or an error.
        if let Ok(model) = fit(&config, &all_constant, &contradicting[..20], 2) {
            assert_eq!(model.predict(all_constant.view()).unwrap().len(), 20, "{name}");
        }
        if let Ok(model) = config.plan().unwrap().fit(huge.view(), &labels, 3) {
            let _ = model.predict(huge.view());
        }
        // Classes that the fit never saw are no reason to fail when predicting.
        let model = fit(&config, &table, &labels, 7).unwrap();
        assert!(model.predict(table.view()).unwrap().iter().all(|p| *p < 3), "{name}");
    }
}

#[test]
fn configurations_go_through_json_and_refuse_what_they_do_not_know() {
    for name in LearnerConfig::NAMES {
        let config = LearnerConfig::of(name).unwrap();
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<LearnerConfig>(&text).unwrap(), config);
        let bare = format!(r#"{{"model": "{name}"}}"#);
        assert_eq!(serde_json::from_str::<LearnerConfig>(&bare).unwrap(), config);
        let unknown = format!(r#"{{"model": "{name}", "no_such_setting": 1}}"#);
        assert!(serde_json::from_str::<LearnerConfig>(&unknown).is_err(), "{name}");
    }
    assert!(LearnerConfig::of("oracle").is_none());
    let bad = r#"{"model": "svc", "c": -1.0}"#;
    assert!(matches!(
        serde_json::from_str::<LearnerConfig>(bad).unwrap().plan(),
        Err(LearnError::Setting { field: "c", .. })
    ));
}

#[test]
fn a_fit_that_is_cut_short_says_so_with_the_gap() {
    let (table, labels) = table();
    let mut noisy = labels.clone();
    noisy.rotate_left(7);
    for text in [
        r#"{"model": "svc", "max_iterations": 2}"#,
        r#"{"model": "logistic", "max_iterations": 1}"#,
        r#"{"model": "linear_svc", "max_iterations": 1}"#,
        r#"{"model": "linear_svc", "loss": "hinge", "max_iterations": 2}"#,
        r#"{"model": "sgd", "max_iterations": 2}"#,
        r#"{"model": "mlp", "max_iterations": 2}"#,
    ] {
        let config: LearnerConfig = serde_json::from_str(text).unwrap();
        let model = fit(&config, &table, &noisy, 3).unwrap();
        let convergence = model.convergence().unwrap();
        assert!(!convergence.is_converged(), "{text}");
        assert!(convergence.to_string().starts_with("did not converge: a gap of "), "{convergence}");
    }
}

#[test]
fn two_classes_have_one_decision_column() {
    let table = array![
        [0.0, 1.0],
        [0.2, 0.5],
        [0.1, 0.9],
        [3.0, 1.0],
        [3.1, 0.7],
        [2.9, 0.8],
        [0.05, 0.6],
        [3.2, 0.9]
    ];
    let labels = [0, 0, 0, 1, 1, 1, 0, 1];
    for name in [
        "svc",
        "linear_svc",
        "logistic",
        "ridge",
        "sgd",
        "perceptron",
        "lda",
        "gradient_boosting",
        "mlp",
        "ada_boost",
    ] {
        let model = fit(&LearnerConfig::of(name).unwrap(), &table, &labels, 2).unwrap();
        let decision = model.decision(table.view()).unwrap();
        assert_eq!(decision.dim(), (8, 1), "{name}");
        let by_sign: Vec<usize> = decision.column(0).iter().map(|v| usize::from(*v > 0.0)).collect();
        assert_eq!(by_sign, model.predict(table.view()).unwrap(), "{name}");
        assert_eq!(by_sign, labels, "{name}");
    }
}

/// A table of one column is laid out by rows and by columns at once, and a table may come either way.
#[test]
fn the_layout_in_memory_changes_nothing() {
    let (whole, labels) = table();
    for columns in [1, 5] {
        let table = whole.slice(s![.., ..columns]).as_standard_layout().into_owned();
        let mut turned = Array2::zeros((60, columns).f());
        turned.assign(&table);
        for config in every() {
            let name = config.name();
            let (a, b) =
                (fit(&config, &table, &labels, 3).unwrap(), fit(&config, &turned, &labels, 3).unwrap());
            let (by_rows, by_columns) = (a.predict(table.view()).unwrap(), b.predict(turned.view()).unwrap());
            assert_eq!(by_rows, by_columns, "{name}, {columns} columns");
            if let (Ok(a), Ok(b)) = (a.predict_proba(table.view()), b.predict_proba(turned.view())) {
                assert!(a.iter().zip(&b).all(|(x, y)| (x - y).abs() < 1e-6), "{name}, {columns} columns");
                let sums = a.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-9);
                assert!(sums, "{name}, {columns} columns");
            }
        }
    }
}
