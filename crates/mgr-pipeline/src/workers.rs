//! Jobs over some threads, in order.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::PipelineError;

/// Does all jobs, several at a time; the first error in their order ends the rest after their step. None where a job was interrupted.
pub(crate) fn all<J: Sync>(
    jobs: &[J],
    workers: usize,
    cancel: &AtomicBool,
    work: impl Fn(&J) -> Result<Option<bool>, PipelineError> + Sync,
) -> Result<Option<usize>, PipelineError> {
    let next = AtomicUsize::new(0);
    let reused = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let failed: Mutex<Option<(usize, PipelineError)>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..workers.clamp(1, jobs.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(number) else { return };
                    if cancel.load(Ordering::Relaxed) {
                        stopped.store(true, Ordering::Relaxed);
                        return;
                    }
                    match work(job) {
                        Ok(Some(before)) => {
                            reused.fetch_add(usize::from(before), Ordering::Relaxed);
                        }
                        Ok(None) => {
                            stopped.store(true, Ordering::Relaxed);
                            return;
                        }
                        Err(error) => {
                            // The others stop after their step; their checkpoints stay.
                            cancel.store(true, Ordering::Relaxed);
                            let mut failed = failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                            if failed.as_ref().is_none_or(|(n, _)| number < *n) {
                                *failed = Some((number, error));
                            }
                            return;
                        }
                    }
                }
            });
        }
    });
    if let Some((_, error)) = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    Ok((!stopped.into_inner()).then(|| reused.into_inner()))
}
