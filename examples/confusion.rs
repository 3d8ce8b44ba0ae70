//! The verdict of the main job: confusion matrix with recall, precision and F1 margins, tables, figures, report.
//!
//! One stage of the main job (`pipeline` does all): what earlier stages have left in the folder is used, what is missing is made.
//!
//! ```text
//! cargo run --release --example confusion -- run.toml --out out/run
//! ```

use std::process::ExitCode;

use clap::Parser;
use mgr_pipeline::flags::RunFlags;
use mgr_pipeline::progress::Bars;
use mgr_pipeline::run::{Stage, run_stages};

/// Does the main job up to this stage: the confusion matrix.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    run: RunFlags,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let done = flags.run.configuration().and_then(|config| {
        run_stages(&config, Stage::Judge, &Bars::new())?;
        Ok(config.out.join("confusion.csv"))
    });
    match done {
        Ok(path) => {
            println!("the confusion matrix: {}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("confusion: {error}");
            ExitCode::FAILURE
        }
    }
}
