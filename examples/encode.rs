//! The encoders of the main job: a network or a learner for each feature, fold and split, with the scores and codes of every clip.
//!
//! One stage of the main job (`pipeline` does all): what earlier stages have left in the folder is used, what is missing is made.
//!
//! ```text
//! cargo run --release --example encode -- run.toml --out out/run
//! ```

use std::process::ExitCode;

use clap::Parser;
use mgr_pipeline::flags::RunFlags;
use mgr_pipeline::progress::Bars;
use mgr_pipeline::run::{Stage, run_stages};

/// Does the main job up to this stage: a folder for each encoder, with scores.npy and codes.npy.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    run: RunFlags,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let done = flags.run.configuration().and_then(|config| {
        run_stages(&config, Stage::Encode, &Bars::new())?;
        Ok(config.out.join("folds"))
    });
    match done {
        Ok(path) => {
            println!("a folder for each encoder, with scores.npy and codes.npy: {}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("encode: {error}");
            ExitCode::FAILURE
        }
    }
}
