//! Progress as lines of text.

use std::io::Write;
use std::time::{Duration, Instant};

use super::history::EpochRecord;
use super::trainer::{Observer, StepRecord};

/// Writes how a run goes: at most one line in so many seconds while steps are done, and one line an epoch, with loss,
/// accuracy, learning rate, steps per second and the time that is left at this pace.
///
/// ```
/// use mgr_models::train::ProgressLines;
/// let mut observer = ProgressLines::new(std::io::stderr(), 10.0);
/// ```
///
/// A line that cannot be written is left out: training does not stop for it.
#[derive(Debug)]
pub struct ProgressLines<W> {
    out: W,
    interval: Duration,
    begun: Instant,
    last: Instant,
    /// Steps seen since the beginning.
    seen: usize,
    /// Steps that are left, and the rate, as of the last step.
    left: usize,
    epochs: usize,
}

impl<W: Write> ProgressLines<W> {
    /// Lines to `out`, those within an epoch at most every `interval` seconds.
    pub fn new(out: W, interval: f64) -> Self {
        let now = Instant::now();
        // Absurd intervals: not finite or below zero writes every step, a huge one none.
        let interval = if interval.is_finite() {
            Duration::from_secs_f64(interval.clamp(0.0, 1e9))
        } else {
            Duration::ZERO
        };
        Self { out, interval, begun: now, last: now, seen: 0, left: 0, epochs: 0 }
    }

    fn pace(&self) -> String {
        let elapsed = self.begun.elapsed().as_secs_f64();
        let per_second = self.seen as f64 / elapsed.max(1e-9);
        let left = (self.left as f64 / per_second.max(1e-9)) as u64;
        format!("{per_second:.2} steps/s, {}:{:02}:{:02} left", left / 3600, left / 60 % 60, left % 60)
    }
}

impl<W: Write> Observer for ProgressLines<W> {
    fn step(&mut self, record: &StepRecord) {
        if self.seen == 0 {
            // The first step counts from here: the time before went into reading the data.
            self.last = Instant::now();
        }
        self.seen += 1;
        self.epochs = record.epochs;
        let later = record.epochs.saturating_sub(record.epoch).saturating_mul(record.steps);
        self.left = later.saturating_add(record.steps.saturating_sub(record.step));
        if self.last.elapsed() >= self.interval {
            self.last = Instant::now();
            let StepRecord { epoch, epochs, step, steps, so_far, learning_rate, .. } = *record;
            let _ = writeln!(
                self.out,
                "epoch {epoch}/{epochs} step {step}/{steps}: loss {:.4}, accuracy {:.1} %, rate {learning_rate:.3e}, {}",
                so_far.loss,
                100.0 * so_far.accuracy,
                self.pace()
            );
        }
    }

    fn epoch_finished(&mut self, record: &EpochRecord) {
        let validation = record.validation.map_or_else(String::new, |validation| {
            format!(", validation loss {:.4}, accuracy {:.1} %", validation.loss, 100.0 * validation.accuracy)
        });
        let EpochRecord { epoch, learning_rate, train, .. } = record;
        let _ = writeln!(
            self.out,
            "epoch {epoch}/{}: loss {:.4}, accuracy {:.1} %{validation}, rate {learning_rate:.3e}, {}",
            self.epochs,
            train.loss,
            100.0 * train.accuracy,
            self.pace()
        );
    }
}
