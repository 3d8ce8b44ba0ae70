//! The features of every clip of the main job, into the store; those that are there are not computed again.
//!
//! One stage of the main job (`pipeline` does all): what earlier stages have left in the folder is used, what is missing is made.
//!
//! ```text
//! cargo run --release --example extract -- run.toml --out out/run
//! ```

use std::process::ExitCode;

use clap::Parser;
use mgr_pipeline::flags::RunFlags;
use mgr_pipeline::progress::Bars;
use mgr_pipeline::run::{Stage, run_stages};

/// Does the main job up to this stage: what was computed and what could not be.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    run: RunFlags,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let done = flags.run.configuration().and_then(|config| {
        run_stages(&config, Stage::Split, &Bars::new())?;
        Ok(config.out.join("run.json"))
    });
    match done {
        Ok(path) => {
            println!("what was computed and what could not be: {}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("extract: {error}");
            ExitCode::FAILURE
        }
    }
}
