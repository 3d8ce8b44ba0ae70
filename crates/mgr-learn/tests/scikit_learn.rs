//! Against scikit-learn 1.9.1 on a small table that both sides make by the same formula.
//!
//! Made with
//! ```python
//! for i in range(30):
//!     y[i] = (i * 7 // 3) % k
//!     for j in range(4):
//!         x[i, j] = ((i*37 + j*101 + i*i*7*(j+1)) % 97) / 10.0 + y[i] * [1.5, -0.5, 0.75, 2.0][j]
//! x[:, 3] *= 1000
//! scaler = StandardScaler().fit(x)
//! LogisticRegression(C=C, tol=1e-12, max_iter=100000).fit(scaler.transform(x), y)
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_learn::{LogisticModel, LogisticRegressionConfig, StandardScaler};
use ndarray::Array2;

fn table(classes: usize) -> (Array2<f64>, Vec<usize>) {
    let labels: Vec<usize> = (0..30).map(|i| (i * 7 / 3) % classes).collect();
    let table = Array2::from_shape_fn((30, 4), |(i, j)| {
        let base = ((i * 37 + j * 101 + i * i * 7 * (j + 1)) % 97) as f64 / 10.0;
        let value = base + labels[i] as f64 * [1.5, -0.5, 0.75, 2.0][j];
        if j == 3 { value * 1000.0 } else { value }
    });
    (table, labels)
}

fn fit(classes: usize, c: f64) -> (LogisticModel, Array2<f64>, Vec<usize>) {
    let (table, labels) = table(classes);
    let scaled = StandardScaler::fit(table.view()).unwrap().transform(table.view()).unwrap();
    let config = LogisticRegressionConfig { c, tolerance: 1e-10, ..LogisticRegressionConfig::default() };
    let model = config.plan().unwrap().fit(scaled.view(), &labels, classes).unwrap();
    assert!(model.convergence().is_converged(), "{:?}", model.convergence());
    (model, scaled, labels)
}

fn close<'a>(found: impl IntoIterator<Item = &'a f64>, expected: &[f64], tolerance: f64) {
    let found: Vec<f64> = found.into_iter().copied().collect();
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance * e.abs().max(1.0), "found {f}, scikit-learn has {e}");
    }
}

// The curvature of the objective is at least 1 / (C n) = 0.033 for C = 1: gradients of 1e-10 leave the weights within
// about 1e-8 of the minimum; scikit-learn's own stop adds as much.
const WEIGHTS: f64 = 1e-7;

#[test]
fn the_scaler_agrees() {
    let (table, _) = table(3);
    let scaler = StandardScaler::fit(table.view()).unwrap();
    // Two orders of summation of 30 numbers: a few units in the last place.
    close(
        scaler.mean(),
        &[6.770_000_000_000_000_5, 3.996_666_666_666_666_6, 5.120_000_000_000_001, 6_566.666_666_666_667],
        1e-14,
    );
    close(
        scaler.scale(),
        &[3.376_107_225_785_342_6, 2.167_099_956_675_331_3, 2.972_838_150_096_077_7, 3_644.569_781_042_597_2],
        1e-14,
    );
}

#[test]
fn three_classes_agree() {
    let (model, scaled, labels) = fit(3, 1.0);
    let weights: Vec<f64> = model.weights().flatten().copied().collect();
    close(
        &weights,
        &[
            -0.6780949896134638,
            0.013237060624890455,
            -0.8861610011830485,
            -0.5464354095944158,
            0.2274813515398328,
            0.09945277775475383,
            0.08111232401963023,
            -0.29058466165049074,
            0.45061363807363103,
            -0.1126898383796445,
            0.8050486771634184,
            0.8370200712449067,
        ],
        WEIGHTS,
    );
    close(model.intercepts(), &[-0.11011396871533115, 0.3753324950037185, -0.2652185262883873], WEIGHTS);
    let proba = model.predict_proba(scaled.view()).unwrap();
    close(proba.row(0), &[0.9617497702028832, 0.03707138156704745, 0.0011788482300692893], WEIGHTS);
    close(proba.row(7), &[0.3833494526123283, 0.30366081154223046, 0.3129897358454412], WEIGHTS);
    let correct = model.predict(scaled.view()).unwrap().iter().zip(&labels).filter(|(p, l)| p == l).count();
    assert_eq!(correct, 20);
}

#[test]
fn a_strong_penalty_agrees() {
    let (model, scaled, _) = fit(3, 0.05);
    close(
        model.weights().next().unwrap(),
        &[-0.21754681983441287, -0.003553237621598007, -0.23778464184311374, -0.15682092714334916],
        WEIGHTS,
    );
    let proba = model.predict_proba(scaled.view()).unwrap();
    close(proba.row(0), &[0.6811961102204779, 0.19962538200046345, 0.11917850777905876], WEIGHTS);
}

#[test]
fn two_classes_agree_with_one_weight_vector() {
    let (model, scaled, labels) = fit(2, 0.5);
    let rows: Vec<&[f64]> = model.weights().collect();
    let difference: Vec<f64> = rows[1].iter().zip(rows[0]).map(|(a, b)| a - b).collect();
    close(
        &difference,
        &[0.8254287723575615, -0.3216989649722084, -0.4568013559591303, 0.4630854532483904],
        WEIGHTS,
    );
    let b = model.intercepts();
    assert!((b[1] - b[0] - 0.021684548123766887).abs() < WEIGHTS);
    let proba = model.predict_proba(scaled.view()).unwrap();
    close(proba.row(0), &[0.7046441032140804, 0.2953558967859196], WEIGHTS);
    let correct = model.predict(scaled.view()).unwrap().iter().zip(&labels).filter(|(p, l)| p == l).count();
    assert_eq!(correct, 27);
}
