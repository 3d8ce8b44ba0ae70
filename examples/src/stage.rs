//! The main job up to one of its stages, for the examples that are named after the stages.

use std::process::ExitCode;

use clap::Parser;
use mgr_pipeline::flags::RunFlags;
use mgr_pipeline::progress::Bars;
use mgr_pipeline::run::{Stage, run_stages};

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    run: RunFlags,
}

/// Does the main job up to a stage by the command line's flags, and tells where `what` lies below the run's folder.
#[must_use]
pub fn run(stage: Stage, what: &str, path: &str) -> ExitCode {
    let done = Flags::parse().run.configuration().and_then(|config| {
        run_stages(&config, stage, &Bars::new())?;
        Ok(config.out.join(path))
    });
    match done {
        Ok(path) => {
            println!("{what}: {}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
