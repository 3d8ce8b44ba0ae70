//! The support vector machine against its conditions of optimality.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_learn::{ClassWeight, Classifier, Gamma, Kernel, Learner, MultiClass, SvcConfig};
use ndarray::Array2;

fn noise(i: usize) -> f64 {
    let x = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
}

fn blobs(rows: usize, classes: usize) -> (Array2<f64>, Vec<usize>) {
    let labels: Vec<usize> = (0..rows).map(|i| i % classes).collect();
    let table = Array2::from_shape_fn((rows, 6), |(i, j)| {
        2.0 * noise(i * 6 + j) + noise(labels[i] * 6 + j + 100_000) * 1.5
    });
    (table, labels)
}

/// Karush, Kuhn and Tucker: a row with alpha 0 is beyond the margin, one with alpha C within it, the others on it.
#[test]
fn the_solution_meets_its_conditions() {
    let (table, labels) = blobs(120, 2);
    for kernel in [Kernel::Linear, Kernel::Polynomial { degree: 2, coef0: 1.0 }, Kernel::Rbf] {
        for shrinking in [false, true] {
            let config = SvcConfig { kernel, c: 0.7, tolerance: 1e-6, shrinking, ..SvcConfig::default() };
            let model = config.plan().unwrap().fit(table.view(), &labels, 2).unwrap();
            let values = model.machines(table.view()).unwrap();
            let mut alpha = vec![0.0; 120];
            for (&row, coefficient) in model.support().iter().zip(model.dual_coefficients().row(0)) {
                alpha[row] = coefficient.abs();
            }
            let balance: f64 = (0..120).map(|i| if labels[i] == 0 { alpha[i] } else { -alpha[i] }).sum();
            assert!(balance.abs() < 1e-9);
            for i in 0..120 {
                let margin = if labels[i] == 0 { values[[i, 0]] } else { -values[[i, 0]] };
                let slack = 1e-5;
                assert!((0.0..=0.7).contains(&alpha[i]));
                assert!(alpha[i] > 0.0 || margin >= 1.0 - slack, "{kernel:?} {margin}");
                assert!(alpha[i] < 0.7 || margin <= 1.0 + slack, "{kernel:?} {margin}");
                let free = alpha[i] > 1e-9 && alpha[i] < 0.7 - 1e-9;
                assert!(!free || (margin - 1.0).abs() < slack, "{kernel:?} {margin}");
            }
        }
    }
}

#[test]
fn a_small_cache_changes_nothing() {
    // 400 rows need 1.28 MB at once; 1 MB makes the rows come and go.
    let (table, labels) = blobs(400, 2);
    let values = |cache_mb| {
        let config =
            SvcConfig { cache_mb, tolerance: 1e-8, gamma: Gamma::Value(0.5), ..SvcConfig::default() };
        config.plan().unwrap().fit(table.view(), &labels, 2).unwrap().machines(table.view()).unwrap()
    };
    for (a, b) in values(1).iter().zip(&values(200)) {
        assert!((a - b).abs() < 1e-6);
    }
}

#[test]
fn weights_move_the_border_and_balance_is_by_counts() {
    let (table, mut labels) = blobs(200, 2);
    for (i, label) in labels.iter_mut().enumerate() {
        *label = usize::from(i % 8 == 0);
    }
    let found = |class_weight| {
        let config = SvcConfig { class_weight, ..SvcConfig::default() };
        let model = config.plan().unwrap().fit(table.view(), &labels, 2).unwrap();
        model.predict(table.view()).unwrap().iter().sum::<usize>()
    };
    assert!(found(ClassWeight::Balanced) > found(ClassWeight::Uniform));
    let balanced = vec![200.0 / (2.0 * 175.0), 200.0 / (2.0 * 25.0)];
    assert_eq!(found(ClassWeight::Given(balanced)), found(ClassWeight::Balanced));
}

#[test]
fn votes_shapes_and_probabilities() {
    let (table, labels) = blobs(150, 5);
    let fit = |multi_class| {
        let config = SvcConfig { multi_class, probability: true, ..SvcConfig::default() };
        config.plan().unwrap().fit(table.view(), &labels, 5).unwrap()
    };
    let (pairs, rest) = (fit(MultiClass::OneVsOne), fit(MultiClass::OneVsRest));
    assert_eq!(pairs.machines(table.view()).unwrap().ncols(), 10);
    assert_eq!(rest.machines(table.view()).unwrap().ncols(), 5);
    for model in [&pairs, &rest] {
        assert_eq!(model.decision(table.view()).unwrap().ncols(), 5);
        let predicted = model.predict(table.view()).unwrap();
        let right = predicted.iter().zip(&labels).filter(|(p, l)| p == l).count();
        assert!(right > 75, "{right}");
        let proba = model.predict_proba(table.view()).unwrap();
        let by_proba =
            proba.rows().into_iter().map(|r| (0..5).max_by(|a, b| r[*a].total_cmp(&r[*b])).unwrap());
        let agree = by_proba.zip(&predicted).filter(|(a, b)| a == *b).count();
        assert!(agree > 110, "{agree}");
    }
    let support: usize = pairs.support_of_class().iter().sum();
    assert_eq!(support, pairs.support().len());
}
