//! The same training for several seeds and folds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use super::config::invalid;
use crate::Error;

/// Which seeds and folds, and how many at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RepeatConfig {
    /// Seeds, at least one. Default 0 alone.
    pub seeds: Vec<u64>,
    /// Folds, 1 to 10,000. Default 1.
    pub folds: usize,
    /// Runs at a time, 1 to 1024; each should have one thread in libtorch. Default 1.
    pub workers: usize,
    /// Folder that has a folder `fold_0/seed_0` for each run. Default none.
    pub folder: Option<PathBuf>,
}

impl Default for RepeatConfig {
    fn default() -> Self {
        Self { seeds: vec![0], folds: 1, workers: 1, folder: None }
    }
}

/// One run of several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repeat {
    /// The fold, from 0.
    pub fold: usize,
    /// The seed, for [`TrainConfig::seed`](super::TrainConfig) and the initial weights.
    pub seed: u64,
    /// Its folder for checkpoints.
    pub folder: Option<PathBuf>,
}

impl RepeatConfig {
    /// Runs `work` for every fold and seed and gives the results in order of folds and seeds, whatever the number of workers.
    ///
    /// `work` gives none where it was interrupted (see [`Outcome`](super::Outcome)); then, and where `cancel` is set, no other
    /// run begins and the result is none. Runs that have a folder go on where they were when the whole is called again.
    /// The first error by order wins; the runs that are on the way are asked to stop through the flag that `work` gets, which
    /// also hands `cancel` on when it is looked at between runs.
    ///
    /// ```
    /// use mgr_models::train::{RepeatConfig, Spread};
    /// let config = RepeatConfig { seeds: vec![1, 2], folds: 3, ..RepeatConfig::default() };
    /// let runs = config.run(None, |run, _cancel| Ok(Some(run.fold as f64 + run.seed as f64 / 10.0)))?;
    /// let values: Vec<f64> = runs.unwrap_or_default().into_iter().map(|(_, value)| value).collect();
    /// assert_eq!(values, [0.1, 0.2, 1.1, 1.2, 2.1, 2.2]);
    /// assert!((Spread::of(&values).mean - 1.15).abs() < 1e-12);
    /// # Ok::<(), mgr_models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] for no or repeated seeds, folds and workers out of range; the first error of `work`.
    pub fn run<T: Send>(
        &self,
        cancel: Option<&AtomicBool>,
        work: impl Fn(&Repeat, &AtomicBool) -> Result<Option<T>, Error> + Sync,
    ) -> Result<Option<Vec<(Repeat, T)>>, Error> {
        let repeats = self.repeats()?;
        let (next, own) = (AtomicUsize::new(0), AtomicBool::new(false));
        // The caller's flag itself, so that Ctrl-C reaches the runs at once; errors set it only where it is our own.
        let flag = cancel.unwrap_or(&own);
        let failed = AtomicBool::new(false);
        let results: Mutex<BTreeMap<usize, Result<Option<T>, Error>>> = Mutex::new(BTreeMap::new());
        let worker = || {
            while !flag.load(Ordering::Relaxed) && !failed.load(Ordering::Relaxed) {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(repeat) = repeats.get(index) else { return };
                let result = work(repeat, flag);
                if !matches!(result, Ok(Some(_))) {
                    failed.store(true, Ordering::Relaxed);
                    own.store(true, Ordering::Relaxed);
                }
                results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(index, result);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.workers.min(repeats.len()) {
                scope.spawn(worker);
            }
            worker();
        });
        let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let complete = results.len() == repeats.len();
        let values = results.into_values().collect::<Result<Vec<Option<T>>, Error>>()?;
        let values: Option<Vec<T>> = values.into_iter().collect();
        Ok(values.filter(|_| complete).map(|values| repeats.into_iter().zip(values).collect()))
    }

    fn repeats(&self) -> Result<Vec<Repeat>, Error> {
        let mut seeds = self.seeds.clone();
        seeds.sort_unstable();
        seeds.dedup();
        if seeds.is_empty() || seeds.len() != self.seeds.len() {
            return Err(invalid("seeds", format!("{:?}", self.seeds), "one and more, each once"));
        }
        if !(1..=10_000).contains(&self.folds) {
            return Err(invalid("folds", self.folds, "1 to 10000"));
        }
        if !(1..=1024).contains(&self.workers) {
            return Err(invalid("workers", self.workers, "1 to 1024"));
        }
        let folder = |fold: usize, seed: u64| {
            let folder: &Path = self.folder.as_deref()?;
            Some(folder.join(format!("fold_{fold}")).join(format!("seed_{seed}")))
        };
        Ok((0..self.folds)
            .flat_map(|fold| {
                self.seeds.iter().map(move |&seed| Repeat { fold, seed, folder: folder(fold, seed) })
            })
            .collect())
    }
}

/// Mean and spread of a number over runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean; NaN of no runs.
    pub mean: f64,
    /// The standard deviation with one degree of freedom taken off; 0 of fewer than two runs.
    pub deviation: f64,
    /// The number of runs.
    pub runs: usize,
}

impl Spread {
    /// Of some numbers.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let runs = values.len();
        let mean = values.iter().sum::<f64>() / runs as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = if runs < 2 { 0.0 } else { (squares / (runs - 1) as f64).sqrt() };
        Self { mean, deviation, runs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_for_any_number_of_workers() -> Result<(), Error> {
        for workers in [1, 3, 8] {
            let config = RepeatConfig { seeds: vec![7, 3], folds: 4, workers, folder: Some("runs".into()) };
            let runs = config.run(None, |run, _| Ok(Some((run.fold, run.seed))))?.unwrap_or_default();
            assert_eq!(runs.len(), 8);
            assert!(runs.iter().all(|(run, value)| *value == (run.fold, run.seed)));
            assert_eq!(runs[1].0.folder.as_deref(), Some(Path::new("runs/fold_0/seed_3")));
        }
        Ok(())
    }

    #[test]
    fn an_error_stops_the_others_and_an_interrupted_run_gives_none() -> Result<(), Error> {
        let config = RepeatConfig { folds: 100, ..RepeatConfig::default() };
        let begun = AtomicUsize::new(0);
        let failed = config.run(None, |run, cancel| {
            begun.fetch_add(1, Ordering::Relaxed);
            assert!(!cancel.load(Ordering::Relaxed));
            if run.fold == 2 { Err(invalid("fold", 2, "others")) } else { Ok(Some(())) }
        });
        assert!(matches!(failed, Err(Error::InvalidConfig { field: "fold", .. })));
        assert_eq!(begun.into_inner(), 3);
        assert!(config.run(None, |run, _| Ok((run.fold < 5).then_some(())))?.is_none());
        let cancelled = AtomicBool::new(true);
        assert!(config.run(Some(&cancelled), |_, _| Ok(Some(())))?.is_none());
        Ok(())
    }

    #[test]
    fn lists_that_make_no_sense_are_refused() {
        let refused = |config: RepeatConfig| config.run(None, |_, _| Ok(Some(()))).is_err();
        assert!(refused(RepeatConfig { seeds: vec![], ..RepeatConfig::default() }));
        assert!(refused(RepeatConfig { seeds: vec![1, 1], ..RepeatConfig::default() }));
        assert!(refused(RepeatConfig { folds: 0, ..RepeatConfig::default() }));
        assert!(refused(RepeatConfig { workers: 0, ..RepeatConfig::default() }));
    }

    #[test]
    fn the_spread_is_that_of_a_sample() {
        let spread = Spread::of(&[1.0, 2.0, 3.0]);
        assert_eq!(spread, Spread { mean: 2.0, deviation: 1.0, runs: 3 });
        assert_eq!(Spread::of(&[4.0]).deviation, 0.0);
        assert!(Spread::of(&[]).mean.is_nan());
    }
}
