//! Choi's published table of GTZAN knows of its batches: the features were computed with the statistics of batches of 256 clips in an
//! order sorted by genre. Within a genre in which a batch ends, the clips before the end are told from those after it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use examples::tables::read;
use mgr_eval::metrics::ConfusionMatrix;
use mgr_learn::{
    ClassWeight, Kernel, Labelled, LearnerConfig, PipelineConfig, SILENT, SvcConfig, cross_validate,
};
use ndarray::{Array2, Axis, Ix2, concatenate, s};

/// The folder of published tables; none is said loudly, and a failure where it is required.
fn tables() -> Option<PathBuf> {
    let named = std::env::var_os("MGR_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = named.unwrap_or(beside).join("data/tables/choi_gtzan");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("MGR_REQUIRE_SHARED").as_deref() != Ok("1"), "shared data is required");
    eprintln!("SKIPPED: no shared data (Choi's table of GTZAN)");
    None
}

fn choi(folder: &Path) -> Array2<f64> {
    let layers: Vec<Array2<f64>> = (0..5)
        .map(|layer| {
            read(&folder.join(format!("gtzan_genre_layer_{layer}.npy")))
                .unwrap()
                .into_dimensionality::<Ix2>()
                .unwrap()
        })
        .collect();
    let views: Vec<_> = layers.iter().map(|layer| layer.view()).collect();
    concatenate(Axis(1), &views).unwrap()
}

/// Balanced accuracy, in ten folds, of telling a genre's clips before `cut` from those after it.
fn told(table: &Array2<f64>, genre: usize, cut: usize) -> f64 {
    let rows = table.slice(s![100 * genre..100 * genre + 100, ..]);
    let labels: Vec<usize> = (0..100).map(|clip| usize::from(clip >= cut)).collect();
    let data = Labelled::new(rows, &labels, None, 2).unwrap();
    let svc = SvcConfig {
        kernel: Kernel::Linear,
        c: 0.1,
        class_weight: ClassWeight::Balanced,
        ..SvcConfig::default()
    };
    let config = PipelineConfig::scaled(LearnerConfig::Svc(svc));
    let folds = cross_validate(&config, data, &data.folds(10, 0).unwrap(), SILENT).unwrap();
    let truth: Vec<usize> = folds.iter().flat_map(|fold| fold.rows.iter().map(|&row| labels[row])).collect();
    let predicted: Vec<usize> = folds.iter().flat_map(|fold| fold.predicted.clone()).collect();
    ConfusionMatrix::from_labels(&truth, &predicted, 2).unwrap().balanced_accuracy()
}

#[test]
fn the_published_table_tells_where_its_batches_end() {
    let Some(folder) = tables() else { return };
    let table = choi(&folder);
    assert_eq!(table.dim(), (1000, 160));
    // Rows 256, 512 and 768 begin a batch: clip 56 of country, 12 of jazz, 68 of pop.
    for (genre, cut) in [(2, 56), (5, 12), (7, 68)] {
        assert_eq!(told(&table, genre, cut), 1.0, "genre {genre}, clip {cut}");
    }
    // The same places in genres where no batch ends tell far less.
    let others = [0, 1, 3, 4, 6, 8, 9];
    for cut in [56, 12, 68] {
        let mean = others.iter().map(|&genre| told(&table, genre, cut)).sum::<f64>() / others.len() as f64;
        assert!(mean < 0.75, "clip {cut}: {mean}");
    }
}
