//! Times the learners on a table, for `benches/learn_peers.py`.
//!
//! ```text
//! cargo run --release -p examples --no-default-features --example time_learn -- --table X.npy --labels y.npy --task svc_rbf
//! ```
//! Prints one JSON line: the least seconds of fitting and of predicting the table over the runs, and the peak of memory asked for.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use mgr_learn::{
    Classifier, Gamma, Kernel, LearnError, Learner, LearnerConfig, LinearSvcConfig, LogisticRegressionConfig,
    Pca, PcaConfig, RandomForestConfig, SvcConfig, TsneConfig, UmapConfig,
};
use ndarray::{Array1, Array2, ArrayView2};
use ndarray_npy::ReadNpyExt;
use serde_json::json;

#[global_allocator]
static PEAK: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// Times a learner on a table.
#[derive(Parser)]
struct Arguments {
    /// Table (rows, columns) of 64-bit numbers.
    #[arg(long)]
    table: PathBuf,
    /// Classes as 64-bit whole numbers from 0.
    #[arg(long)]
    labels: PathBuf,
    /// What to time: svc_rbf, svc_linear, linear_svc, forest_100, forest_500, logistic, pca_50, tsne, umap.
    #[arg(long)]
    task: String,
    /// Runs, of which the least counts.
    #[arg(long, default_value_t = 3)]
    runs: usize,
}

fn learner(task: &str) -> Option<LearnerConfig> {
    let svc = |kernel| LearnerConfig::Svc(SvcConfig { kernel, gamma: Gamma::Scale, ..SvcConfig::default() });
    let forest = |n_estimators| {
        LearnerConfig::RandomForest(RandomForestConfig { n_estimators, ..RandomForestConfig::default() })
    };
    Some(match task {
        "svc_rbf" => svc(Kernel::Rbf),
        "svc_linear" => svc(Kernel::Linear),
        "linear_svc" => LearnerConfig::LinearSvc(LinearSvcConfig::default()),
        "forest_100" => forest(100),
        "forest_500" => forest(500),
        // The reference's own stopping rule.
        "logistic" => LearnerConfig::Logistic(LogisticRegressionConfig {
            tolerance: 1e-4,
            ..LogisticRegressionConfig::default()
        }),
        _ => return None,
    })
}

fn transform(task: &str, table: ArrayView2<'_, f64>) -> Option<Result<Array2<f64>, LearnError>> {
    Some(match task {
        "pca_50" => {
            let config = PcaConfig { components: Some(50), ..PcaConfig::default() };
            Pca::fit(&config, table).and_then(|p| p.transform(table))
        }
        "tsne" => TsneConfig::default().plan().and_then(|t| t.embed(table)),
        "umap" => UmapConfig::default().plan().and_then(|u| u.embed(table)),
        _ => return None,
    })
}

fn run(arguments: &Arguments) -> Result<String, String> {
    let open = |path: &PathBuf| std::fs::File::open(path).map_err(|e| format!("{}: {e}", path.display()));
    let table = Array2::<f64>::read_npy(open(&arguments.table)?).map_err(|e| e.to_string())?;
    let labels = Array1::<i64>::read_npy(open(&arguments.labels)?).map_err(|e| e.to_string())?;
    let labels: Vec<usize> = labels.iter().map(|&l| usize::try_from(l).unwrap_or(usize::MAX)).collect();
    let classes = labels.iter().max().map_or(0, |m| m + 1);
    let (mut fit, mut predict) = (f64::INFINITY, f64::INFINITY);
    let mut right = None;
    PEAK.reset_peak_usage();
    for _ in 0..arguments.runs.max(1) {
        let start = Instant::now();
        if let Some(config) = learner(&arguments.task) {
            let fitted = config.plan().and_then(|l| l.fit(table.view(), &labels, classes));
            let model = fitted.map_err(|e| e.to_string())?;
            fit = fit.min(start.elapsed().as_secs_f64());
            let start = Instant::now();
            let found = model.predict(table.view()).map_err(|e| e.to_string())?;
            predict = predict.min(start.elapsed().as_secs_f64());
            right = Some(found.iter().zip(&labels).filter(|(f, l)| f == l).count());
        } else {
            let done = transform(&arguments.task, table.view()).ok_or("there is no such task")?;
            done.map_err(|e| e.to_string())?;
            fit = fit.min(start.elapsed().as_secs_f64());
        }
    }
    let predict = predict.is_finite().then_some(predict);
    let peak = PEAK.peak_usage_as_mb();
    Ok(json!({ "task": arguments.task, "fit": fit, "predict": predict, "right": right, "peak_mb": peak })
        .to_string())
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("time_learn: {error}");
            ExitCode::FAILURE
        }
    }
}
