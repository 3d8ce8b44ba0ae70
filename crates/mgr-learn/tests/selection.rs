//! Choosing settings, transforms and pictures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use mgr_learn::{Classifier, Learner};
use mgr_learn::{
    Grid, IncrementalPca, KnnConfig, Labelled, LearnError, LearnerConfig, MinMaxScaler, Pca, PcaConfig,
    PcaSolver, PipelineConfig, SILENT, SvcConfig, TsneConfig, UmapConfig, best, cross_validate, name_column,
    nested, permutation_importance, search, trustworthiness,
};
use ndarray::{Array2, Axis, s};

fn noise(i: usize) -> f64 {
    let x = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
}

fn table(rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, columns), |(i, j)| noise(i * columns + j))
}

/// A learner that remembers its rows finds a test row that it saw; here the labels are pure noise, so any accuracy well above
/// chance would be a look at the test part.
#[test]
fn selection_never_sees_the_test_part() {
    let table = table(120, 6);
    let labels: Vec<usize> = (0..120).map(|i| usize::from(noise(i + 90_000) > 0.0)).collect();
    let data = Labelled::new(table.view(), &labels, None, 2).unwrap();
    let base = PipelineConfig::scaled(LearnerConfig::Knn(KnnConfig::default()));
    let grid = Grid::new(base).over("learner.neighbours", (1..20).collect::<Vec<i32>>());
    let folds = data.folds(5, 0).unwrap();
    let chosen = nested(&grid.candidates().unwrap(), data, &folds, 4, 0, SILENT).unwrap();

    // With other labels in a fold's test part the choice and the predictions of that fold stay as they were.
    for (number, fold) in folds.iter().enumerate() {
        let mut other = labels.clone();
        fold.test.iter().for_each(|&i| other[i] = 1 - other[i]);
        let mut moved = table.clone();
        fold.test.iter().for_each(|&i| moved.row_mut(i).mapv_inplace(|v| v * 7.0 + 1.0));
        let data = Labelled::new(moved.view(), &other, None, 2).unwrap();
        let again =
            nested(&grid.candidates().unwrap(), data, std::slice::from_ref(fold), 4, 0, SILENT).unwrap();
        assert_eq!(again[0].config, chosen[number].config);
    }
}

#[test]
fn groups_stay_whole_also_within_the_training_part() {
    // Every group is its own cluster with its own class: a neighbour of the same group gives the label away.
    let groups: Vec<usize> = (0..80).map(|i| i / 4).collect();
    let labels: Vec<usize> = groups.iter().map(|g| usize::from(noise(g + 5000) > 0.0)).collect();
    let table = Array2::from_shape_fn((80, 4), |(i, j)| {
        10.0 * noise(groups[i] * 4 + j) + 0.01 * noise(i * 4 + j + 777)
    });
    let config =
        PipelineConfig::scaled(LearnerConfig::Knn(KnnConfig { neighbours: 1, ..KnnConfig::default() }));
    let accuracy = |groups: Option<&[usize]>| {
        let data = Labelled::new(table.view(), &labels, groups, 2).unwrap();
        let scores = search(std::slice::from_ref(&config), data, &data.folds(4, 1).unwrap(), SILENT).unwrap();
        best(&scores).unwrap().accuracy
    };
    assert!(accuracy(None) > 0.9);
    assert!(accuracy(Some(&groups)) < 0.8);
}

#[test]
fn grids_name_what_they_cannot_set() {
    let base = || PipelineConfig::scaled(LearnerConfig::Svc(SvcConfig::default()));
    let error = Grid::new(base()).over("learner.d", [1.0]).candidates().unwrap_err();
    assert!(error.to_string().contains("learner.d"), "{error}");
    assert!(matches!(
        Grid::new(base()).over("learner.c", ["many"]).candidates(),
        Err(LearnError::Grid { .. })
    ));
    assert!(matches!(
        Grid::new(base()).over("learner.c", [-1.0]).candidates(),
        Err(LearnError::Setting { .. })
    ));
    assert!(matches!(
        Grid::new(base()).over("learner.c", [0.0; 0]).candidates(),
        Err(LearnError::Grid { .. })
    ));
    let grid = Grid::new(base()).over("learner.c", [1.0, 2.0, 3.0]).over("scaler", ["standard", "min_max"]);
    assert_eq!(grid.candidates().unwrap().len(), 6);
    let drawn = grid.random(3, 1).unwrap();
    assert_eq!(drawn.len(), 3);
    assert!(drawn.iter().all(|d| grid.candidates().unwrap().contains(d)));
    assert_eq!(grid.random(99, 1).unwrap().len(), 6);
}

#[test]
fn importance_finds_the_column_that_matters() {
    let mut table = table(200, 5);
    let labels: Vec<usize> = (0..200).map(|i| usize::from(table[[i, 3]] > 0.0)).collect();
    table.column_mut(1).fill(2.0);
    let config = PipelineConfig::scaled(LearnerConfig::of("random_forest").unwrap());
    let model = config.plan().unwrap().fit(table.view(), &labels, 2).unwrap();
    let drops = permutation_importance(&model, table.view(), &labels, 5, 0).unwrap();
    let impurity = model.importances().unwrap();
    assert!((impurity.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    for column in [0, 1, 2, 4] {
        assert!(drops[3].mean > drops[column].mean + 0.2 && impurity[3] > impurity[column] + 0.2);
    }
    assert_eq!((drops[1].mean, impurity[1]), (0.0, 0.0));
}

#[test]
fn a_value_that_is_not_finite_is_named_by_its_column() {
    let mut bad = table(4, 2);
    bad[[2, 1]] = f64::NAN;
    let error = Labelled::new(bad.view(), &[0, 1, 0, 1], None, 2).unwrap_err();
    let names = ["tempo".to_owned(), "energy".to_owned()];
    assert_eq!(name_column(error, &names).to_string(), "value NaN in row 2, column energy is not finite");
}

#[test]
fn folds_that_cannot_be_made_are_refused_with_the_reason() {
    let table = table(10, 2);
    let labels = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let data = Labelled::new(table.view(), &labels, None, 2).unwrap();
    assert!(matches!(data.folds(5, 0), Err(LearnError::Split { .. })));
    let overlapping = mgr_eval::split::Fold { train: vec![0, 1, 9], validation: vec![], test: vec![1, 2] };
    let config = PipelineConfig::default();
    assert!(matches!(cross_validate(&config, data, &[overlapping], SILENT), Err(LearnError::Split { .. })));
}

#[test]
fn both_solvers_and_the_incremental_one_find_the_same_components() {
    let mixing = table(12, 12);
    for (rows, columns) in [(60, 12), (9, 12)] {
        let table = table(rows, columns).dot(&mixing);
        let fit = |solver| {
            Pca::fit(&PcaConfig { components: Some(5), whiten: false, solver }, table.view()).unwrap()
        };
        let (svd, covariance) = (fit(PcaSolver::Svd), fit(PcaSolver::Covariance));
        let close = |a: &Pca, b: &Pca| {
            for (x, y) in a.components().iter().zip(b.components()) {
                assert!((x - y).abs() < 1e-7, "{x} {y}");
            }
            for (x, y) in a.explained_variance().iter().zip(b.explained_variance()) {
                assert!((x - y).abs() < 1e-10 * a.explained_variance()[0]);
            }
        };
        close(&svd, &covariance);
        if rows == 60 {
            // All components kept: parts lose nothing.
            let mut parts = IncrementalPca::new(12, false).unwrap();
            for part in [0..20, 20..47, 47..60] {
                parts.add(table.slice(s![part, ..])).unwrap();
            }
            let whole = parts.finish().unwrap();
            for (x, y) in whole.explained_variance().iter().zip(svd.explained_variance()) {
                assert!((x - y).abs() < 1e-10);
            }
            let (a, b) = (whole.transform(table.view()).unwrap(), svd.transform(table.view()).unwrap());
            for (x, y) in a.slice(s![.., ..5]).iter().zip(&b) {
                assert!((x - y).abs() < 1e-7);
            }
        }
    }
    let small = table(5, 3);
    for components in [0, 4] {
        let config = PcaConfig { components: Some(components), ..PcaConfig::default() };
        assert!(matches!(Pca::fit(&config, small.view()), Err(LearnError::Components { largest: 3, .. })));
    }
}

#[test]
fn columns_go_from_zero_to_one() {
    let mut table = table(30, 3);
    table.column_mut(2).fill(5.0);
    let scaled = MinMaxScaler::fit(table.view()).unwrap().transform(table.view()).unwrap();
    for column in scaled.columns().into_iter().take(2) {
        let (low, high) = column.iter().fold((1.0_f64, 0.0_f64), |(l, h), &v| (l.min(v), h.max(v)));
        assert!(low.abs() < 1e-12 && (high - 1.0).abs() < 1e-12);
    }
    assert!(scaled.column(2).iter().all(|v| v.abs() < 1e-12));
}

#[test]
fn pictures_keep_neighbours_and_do_not_depend_on_threads() {
    let labels: Vec<usize> = (0..150).map(|i| i % 3).collect();
    let table =
        Array2::from_shape_fn((150, 10), |(i, j)| noise(i * 10 + j) + if j == labels[i] { 4.0 } else { 0.0 });
    let tsne = TsneConfig { iterations: 300, perplexity: 15.0, ..TsneConfig::default() }.plan().unwrap();
    let umap = UmapConfig { iterations: Some(200), ..UmapConfig::default() }.plan().unwrap();
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for embed in [&(|| tsne.embed(table.view())) as &(dyn Fn() -> _ + Sync), &|| umap.embed(table.view())] {
        let (one, three) = (pool(1).install(embed).unwrap(), pool(3).install(embed).unwrap());
        assert_eq!(one, three);
        let trust = trustworthiness(table.view(), one.view(), 10).unwrap();
        assert!(trust > 0.75, "{trust}");
        // The three groups are apart: a neighbour has the class of its neighbour.
        let model = KnnConfig::default().plan().unwrap().fit(one.view(), &labels, 3).unwrap();
        assert_eq!(model.predict(one.view()).unwrap(), labels);
    }
    assert!(matches!(tsne.embed(table.slice(s![..40, ..])), Err(LearnError::Rows { .. })));
    assert!(matches!(umap.embed(table.slice(s![..10, ..])), Err(LearnError::Rows { .. })));
    let equal = Array2::from_elem((60, 4), 1.0);
    assert!(umap.embed(equal.view()).is_ok());
    let random = table.select(Axis(0), &(0..150).map(|i| i / 3 + i % 3 * 50).collect::<Vec<_>>());
    assert!(trustworthiness(table.view(), random.view(), 10).unwrap() < 0.7);
    assert_eq!(trustworthiness(table.view(), table.view(), 10).unwrap(), 1.0);
}
