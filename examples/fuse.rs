//! The meta networks of the main job, on the codes of the top subsets.
//!
//! One stage of the main job (`pipeline` does all): what earlier stages have left in the folder is used, what is missing is made.
//!
//! ```text
//! cargo run --release --example fuse -- run.toml --out out/run
//! ```

use std::process::ExitCode;

use clap::Parser;
use mgr_pipeline::flags::RunFlags;
use mgr_pipeline::progress::Bars;
use mgr_pipeline::run::{Stage, run_stages};

/// Does the main job up to this stage: a folder for each meta network.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    run: RunFlags,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    let done = flags.run.configuration().and_then(|config| {
        run_stages(&config, Stage::Fuse, &Bars::new())?;
        Ok(config.out.join("folds"))
    });
    match done {
        Ok(path) => {
            println!("a folder for each meta network: {}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("fuse: {error}");
            ExitCode::FAILURE
        }
    }
}
