//! The sum rule over every subset of the features, and the top subsets of each fold.
//!
//! One stage of the main job (`pipeline` does all): what earlier stages have left in the folder is used, what is missing is made.
//!
//! ```text
//! cargo run --release --example combine -- run.toml --out out/run
//! ```

use std::process::ExitCode;

use clap::Parser;
use mgr_pipeline::flags::RunFlags;
use mgr_pipeline::progress::Bars;
use mgr_pipeline::run::{Stage, run_stages};

/// Does the main job up to this stage: how every subset did.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    run: RunFlags,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let done = flags.run.configuration().and_then(|config| {
        run_stages(&config, Stage::Combine, &Bars::new())?;
        Ok(config.out.join("combination.json"))
    });
    match done {
        Ok(path) => {
            println!("how every subset did: {}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("combine: {error}");
            ExitCode::FAILURE
        }
    }
}
