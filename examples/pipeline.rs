//! The main job: a dataset in, cross-validated verdicts and a report out.
//!
//! ```text
//! cargo run --release --example pipeline                                   # the embedded synthetic corpus
//! cargo run --release --example pipeline -- --dataset DIR                  # your folder of genre/file.ext
//! cargo run --release --example pipeline -- run.toml --epochs 30           # a file, and flags over it
//! ```
//! `mgr run` is the same. Killed and started again, it goes on where it stopped. The examples `fold_split`, `extract`, `encode`,
//! `combine`, `fuse` and `confusion` do its stages one by one.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use mgr_pipeline::flags::RunFlags;
use mgr_pipeline::progress::{Bars, Progress};
use mgr_pipeline::run;

/// Recognises genres: trains and tests on a dataset in stratified folds, and writes a report.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    run: RunFlags,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let bars = Bars::new();
    let start = Instant::now();
    match flags.run.configuration().and_then(|config| run::run(&config, &bars)) {
        Ok(finished) => {
            let score = &finished.results.scores[0];
            bars.say(&format!(
                "accuracy {:.1} % ({:.1} to {:.1} %), macro F1 {:.1} %, in {:.0} s",
                100.0 * score.accuracy,
                100.0 * score.low,
                100.0 * score.high,
                100.0 * score.macro_f1,
                start.elapsed().as_secs_f64()
            ));
            println!("report: {}", finished.report.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("pipeline: {error}");
            ExitCode::FAILURE
        }
    }
}
