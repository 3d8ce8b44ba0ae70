//! The same run with several seeds: mean, deviation, and an interval over them.

use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::config::RunConfig;
use crate::files::write_json;
use crate::progress::Progress;
use crate::run::run_until;

/// A system over several seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OverSeeds {
    /// The system.
    pub system: String,
    /// Accuracy with each seed.
    pub accuracies: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Their deviation (divisor: their number less one; 0 for one seed).
    pub deviation: f64,
    /// Mean over the seeds of the lower ends of the 95 % intervals over clips.
    pub low: f64,
    /// The same of the upper ends.
    pub high: f64,
}

/// Runs a configuration with `seeds` seeds, each in a folder `seed-N` below `out`, and writes `seeds.json`.
///
/// # Errors
/// As [`run`](crate::run::run).
pub fn run_seeds(
    config: &RunConfig,
    progress: &dyn Progress,
    cancel: &AtomicBool,
) -> Result<Vec<OverSeeds>, PipelineError> {
    config.check()?;
    let mut all = Vec::new();
    for seed in config.seed..config.seed + config.seeds as u64 {
        progress.say(&format!("seed {seed}"));
        let own =
            RunConfig { seed, seeds: 1, out: config.out.join(format!("seed-{seed}")), ..config.clone() };
        all.push(run_until(&own, progress, cancel)?.results);
    }
    let Some(first) = all.first() else { return Ok(Vec::new()) };
    let systems: Vec<OverSeeds> = first
        .scores
        .iter()
        .map(|score| {
            let own: Vec<_> =
                all.iter().filter_map(|r| r.scores.iter().find(|s| s.system == score.system)).collect();
            let count = own.len() as f64;
            let mean_of = |of: fn(&crate::Score) -> f64| own.iter().map(|s| of(s)).sum::<f64>() / count;
            let mean = mean_of(|s| s.accuracy);
            let squares: f64 = own.iter().map(|s| (s.accuracy - mean).powi(2)).sum();
            OverSeeds {
                system: score.system.clone(),
                accuracies: own.iter().map(|s| s.accuracy).collect(),
                mean,
                deviation: if own.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 },
                low: mean_of(|s| s.low),
                high: mean_of(|s| s.high),
            }
        })
        .collect();
    write_json(&config.out.join("seeds.json"), &systems)?;
    Ok(systems)
}
