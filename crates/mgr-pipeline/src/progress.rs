//! How a run tells what it is doing.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Is told how a run goes. Called from many threads.
pub trait Progress: Sync {
    /// A sentence that stays.
    fn say(&self, sentence: &str);

    /// A piece of work of `total` steps begins.
    fn begin(&self, name: &str, total: usize) -> Box<dyn Task>;
}

/// A piece of work under way.
pub trait Task: Send + Sync {
    /// So many steps are done; `note` says how it stands.
    fn at(&self, done: usize, note: &str);

    /// It is over.
    fn end(&self);
}

/// Tells nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn say(&self, _sentence: &str) {}

    fn begin(&self, _name: &str, _total: usize) -> Box<dyn Task> {
        Box::new(Self)
    }
}

impl Task for Silent {
    fn at(&self, _done: usize, _note: &str) {}

    fn end(&self) {}
}

/// Progress bars on a terminal, plain lines elsewhere; both on standard error.
#[derive(Debug, Default)]
pub struct Bars {
    bars: MultiProgress,
}

impl Bars {
    /// Bars on standard error.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Progress for Bars {
    fn say(&self, sentence: &str) {
        if self.bars.println(sentence).is_err() || self.bars.is_hidden() {
            eprintln!("{sentence}");
        }
    }

    fn begin(&self, name: &str, total: usize) -> Box<dyn Task> {
        let bar = self.bars.add(ProgressBar::new(total as u64));
        let style = ProgressStyle::with_template(
            "{prefix:<12} [{bar:30}] {pos}/{len} {elapsed_precise}, {eta} left {msg}",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
        bar.set_prefix(name.to_owned());
        bar.tick();
        if bar.is_hidden() {
            eprintln!("{name}: {total} steps");
        }
        Box::new(bar)
    }
}

impl Task for ProgressBar {
    fn at(&self, done: usize, note: &str) {
        self.set_position(done as u64);
        if !note.is_empty() {
            self.set_message(note.to_owned());
        }
    }

    fn end(&self) {
        self.finish();
    }
}
