//! How long the stages of a run took, and the memory they took.

use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::PipelineError;
use crate::files::write_json;

/// A stage of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageTime {
    /// Its name.
    pub stage: String,
    /// Seconds.
    pub seconds: f64,
    /// Units of work done, and found done.
    pub done: usize,
    /// Those found done by an earlier run.
    pub reused: usize,
}

/// The stages of a run; `times.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// The stages in order.
    pub stages: Vec<StageTime>,
    /// Clips.
    pub clips: usize,
    /// Threads.
    pub threads: usize,
    /// Peak of the process's resident memory in MB (2^20 bytes), where the system tells.
    pub peak_mb: Option<f64>,
}

/// Measures stages.
pub(crate) struct Watch {
    start: Instant,
    pub(crate) times: Times,
}

impl Watch {
    pub(crate) fn new(threads: usize) -> Self {
        Self { start: Instant::now(), times: Times { threads, ..Times::default() } }
    }

    pub(crate) fn lap(&mut self, stage: &str, done: usize, reused: usize) {
        let seconds = self.start.elapsed().as_secs_f64();
        self.start = Instant::now();
        self.times.stages.push(StageTime { stage: stage.to_owned(), seconds, done, reused });
    }

    pub(crate) fn finish(&mut self, clips: usize, out: &Path) -> Result<(), PipelineError> {
        self.times.clips = clips;
        self.times.peak_mb = peak_mb();
        write_json(&out.join("times.json"), &self.times)
    }
}

/// Peak resident memory of this process, as Linux tells it.
pub(crate) fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kb| kb / 1024.0)
}
