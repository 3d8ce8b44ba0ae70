//! The folds of the main job: which clips train, choose and test. Features are computed on the way, since a clip without any is in no
//! fold.
//!
//! One stage of the main job (`pipeline` does all): what earlier stages have left in the folder is used, what is missing is made.
//!
//! ```text
//! cargo run --release --example fold_split -- run.toml --out out/run
//! ```

use std::process::ExitCode;

use clap::Parser;
use mgr_pipeline::flags::RunFlags;
use mgr_pipeline::progress::Bars;
use mgr_pipeline::run::{Stage, run_stages};

/// Does the main job up to this stage: the split files and the record of the run.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    run: RunFlags,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let done = flags.run.configuration().and_then(|config| {
        run_stages(&config, Stage::Split, &Bars::new())?;
        Ok(config.out.join("splits"))
    });
    match done {
        Ok(path) => {
            println!("the split files and the record of the run: {}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("fold_split: {error}");
            ExitCode::FAILURE
        }
    }
}
